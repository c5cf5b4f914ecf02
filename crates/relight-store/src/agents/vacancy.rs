//! What an enrolment would come to: it is looked at before the journal says that it happened.

use relight_model::{OrgId, Timestamp};
use rusqlite::{OptionalExtension as _, params};

use super::{AGENT_CODES_MAX, AGENTS_MAX, LIVE};
use crate::rows::count_of;
use crate::{Store, StoreError};

/// The place of an agent on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacancy {
    /// The number that the next agent gets.
    pub number: u32,
    /// Another agent holds the machine: one that was heard of and is still let in.
    pub is_taken: bool,
    /// There are [`AGENTS_MAX`] agents beside those of this machine.
    pub is_full: bool,
    /// The agents of the machine that are revoked for it.
    pub displaced: Vec<u32>,
}

/// The agents of a machine: number, when it was heard of, and when its last certificate ends.
pub(super) const OF_HOST: &str = "SELECT id, seen,
    coalesce((SELECT max(expires) FROM agent_certificate WHERE agent = agent.id), 0)
    FROM agent WHERE org = ?1 AND host = ?2 AND revoked = 0 ORDER BY id";

impl Store {
    /// What enrolling an agent on a machine would come to.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn vacancy(&self, org: OrgId, host: &str, now: Timestamp) -> Result<Vacancy, StoreError> {
        self.read("looking for a place for an agent", |database| {
            let last = "SELECT seq FROM sqlite_sequence WHERE name = 'agent'";
            let last: Option<u32> = database.query_row(last, [], |row| row.get(0)).optional()?;
            let mut query = database.prepare_cached(OF_HOST)?;
            let of = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let rows = query.query_map(params![org.0, host], of)?;
            let rows: Vec<(u32, Timestamp, Timestamp)> = rows.collect::<Result<_, _>>()?;
            let is_live = |expires: Timestamp| now < expires;
            let of_host = rows.iter().filter(|(_, _, expires)| is_live(*expires)).count();
            Ok(Vacancy {
                number: last.unwrap_or(0).saturating_add(1),
                is_taken: rows.iter().any(|(_, seen, expires)| *seen != 0 && is_live(*expires)),
                is_full: count_of(database, LIVE, [now])?.saturating_sub(of_host) >= AGENTS_MAX,
                displaced: rows.into_iter().map(|(id, _, _)| id).collect(),
            })
        })
    }

    /// Whether there is no room for another code.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_full_of_agent_codes(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.read("counting codes", |database| {
            let waiting = count_of(database, "agent_code WHERE expires > ?1", [now])?;
            Ok(waiting >= AGENT_CODES_MAX)
        })
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Digest;

    use super::*;
    use crate::testing::open_with_sites;
    use crate::{AgentCodeRow, Enrolment};

    const DAY: i64 = 86_400;

    #[test]
    fn a_machine_is_taken_by_who_was_heard_of_and_is_still_let_in() {
        let (_folder, store) = open_with_sites(1);
        let enrol = |number: u8, now: i64| {
            let (digest, org) = (Digest([number; 32]), OrgId(1));
            let (host, made_by) = ("web-*".into(), "anna".into());
            let row = AgentCodeRow { digest, org, host, expires: now + 600, made_by };
            store.put_agent_code(&row, now).unwrap();
            let (code, fingerprint, host) = (digest, digest, "web-1");
            let expires = now + 30 * DAY;
            store.enrol_agent(Enrolment { code, host, fingerprint, expires, now }).unwrap()
        };
        let vacancy = |host, now| store.vacancy(OrgId(1), host, now).unwrap();
        assert_eq!(vacancy("web-1", 0).number, 1);
        let id = enrol(1, 0);
        assert_eq!(id, 1);
        let unheard = vacancy("web-1", 1);
        assert!(!unheard.is_taken && !unheard.is_full, "never heard of");
        assert_eq!((unheard.number, unheard.displaced), (2, vec![1]));
        store.note_agent(id, "0.1.0", 5).unwrap();
        assert_eq!(store.agent(id).unwrap().unwrap().version, "0.1.0");
        assert!(vacancy("web-1", 6).is_taken && !vacancy("web-2", 6).is_taken);
        assert!(!vacancy("web-1", 30 * DAY).is_taken, "its certificate has ended");
        assert!(!store.vacancy(OrgId(2), "web-1", 6).unwrap().is_taken);
        // Whoever enrols in its place leaves it no certificate.
        enrol(2, 100);
        let all = store.agents().unwrap();
        assert_eq!((all[0].revoked, all[1].revoked), (Some(100), None));
        assert_eq!(store.agent_by_certificate(Digest([1; 32])).unwrap(), None);
        assert_eq!(vacancy("web-1", 101).displaced, [2], "the other one is out already");
    }
}
