//! Agents on other machines: the codes they enrol with, and the certificates by which they are
//! known. Rows only: who may do what is decided above.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Digest, GateKey, OrgId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::register::slug_of;
use crate::{Store, StoreError, StoreErrorKind, store::Failure};

/// Most agents that are let in at one time.
pub const AGENTS_MAX: usize = 10_000;

/// Most codes that wait to be used at one time.
pub const AGENT_CODES_MAX: usize = 1_000;

/// A code with which one agent enrols, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentCodeRow {
    /// Digest of its secret part.
    pub digest: Digest,
    /// For which organisation.
    pub org: OrgId,
    /// For which machines; `*` stands for any part of a name.
    pub host: String,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentRow {
    /// Its number, never used again.
    pub id: u32,
    /// Of which organisation.
    pub org: OrgId,
    /// On which machine.
    pub host: String,
    /// When it enrolled.
    pub enrolled: Timestamp,
    /// When it was revoked, if it was.
    pub revoked: Option<Timestamp>,
    /// When it was last heard of; 0 for never.
    pub seen: Timestamp,
    /// When its newest certificate ends; 0 when it has none.
    pub expires: Timestamp,
}

impl AgentRow {
    /// Whether it may be let in: not revoked, and with a certificate that has not ended.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

/// Who enrols, and as what it is known from then on.
#[derive(Clone, Copy, Debug)]
pub struct Enrolment<'a> {
    /// Digest of the code that is used up.
    pub code: Digest,
    /// The machine.
    pub host: &'a str,
    /// Digest of its certificate.
    pub fingerprint: Digest,
    /// When that ends.
    pub expires: Timestamp,
    /// When this happens.
    pub now: Timestamp,
}

const AGENT: &str = "SELECT id, org, host, enrolled, revoked, seen,
    coalesce((SELECT max(expires) FROM agent_certificate WHERE agent = agent.id), 0)
    FROM agent";

fn agent_of(row: &Row<'_>) -> Result<AgentRow, rusqlite::Error> {
    let revoked: Timestamp = row.get(4)?;
    Ok(AgentRow {
        id: row.get(0)?,
        org: OrgId(row.get(1)?),
        host: row.get(2)?,
        enrolled: row.get(3)?,
        revoked: (revoked != 0).then_some(revoked),
        seen: row.get(5)?,
        expires: row.get(6)?,
    })
}

impl Store {
    /// Every agent, revoked ones too, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agents(&self) -> Result<Vec<AgentRow>, StoreError> {
        self.read("reading the agents", |database| {
            let mut query = database.prepare_cached(&format!("{AGENT} ORDER BY id"))?;
            Ok(query.query_map([], agent_of)?.collect::<Result<_, _>>()?)
        })
    }

    /// The agent that has a certificate, and when that one ends.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agent_by_certificate(
        &self,
        fingerprint: Digest,
    ) -> Result<Option<(AgentRow, Timestamp)>, StoreError> {
        self.read("looking for an agent", |database| {
            let known = "SELECT agent, expires FROM agent_certificate WHERE fingerprint = ?1";
            let found: Option<(u32, Timestamp)> = database
                .prepare_cached(known)?
                .query_row([fingerprint.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((agent, expires)) = found else { return Ok(None) };
            let mut query = database.prepare_cached(&format!("{AGENT} WHERE id = ?1"))?;
            Ok(query.query_row([agent], agent_of).optional()?.map(|row| (row, expires)))
        })
    }

    /// The code of a digest, also one that is too old.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agent_code(&self, digest: Digest) -> Result<Option<AgentCodeRow>, StoreError> {
        self.read("looking for a code", |database| {
            let sql = "SELECT digest, org, host, expires FROM agent_code WHERE digest = ?1";
            let of = |row: &Row<'_>| {
                let (digest, org) = (Digest(row.get(0)?), OrgId(row.get(1)?));
                Ok(AgentCodeRow { digest, org, host: row.get(2)?, expires: row.get(3)? })
            };
            Ok(database.prepare_cached(sql)?.query_row([digest.0], of).optional()?)
        })
    }

    /// Keeps a code, and forgets those that are too old.
    ///
    /// # Errors
    /// [`AGENT_CODES_MAX`] wait already (`Limit`), or the database cannot be written.
    pub fn put_agent_code(&self, row: &AgentCodeRow, now: Timestamp) -> Result<(), StoreError> {
        self.write("keeping a code", |transaction| {
            transaction.execute("DELETE FROM agent_code WHERE expires <= ?1", [now])?;
            refuse_over(transaction, "agent_code", AGENT_CODES_MAX)?;
            let AgentCodeRow { digest, org, host, expires } = row;
            transaction.execute(
                "INSERT INTO agent_code (digest, org, host, expires) VALUES (?1, ?2, ?3, ?4)",
                params![digest.0, org.0, host, expires],
            )?;
            Ok(())
        })
    }

    /// Whether another agent of the organisation holds a machine: one that was heard of and is
    /// still let in.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_host_taken(
        &self,
        org: OrgId,
        host: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let agents = self.agents()?;
        let holds = |row: &AgentRow| row.org == org && row.host == host && row.seen != 0;
        Ok(agents.iter().any(|row| holds(row) && row.is_live(now)))
    }

    /// Uses a code up and makes its agent, in one transaction; gives the number. An agent of the
    /// same machine that was never heard of, or whose certificate has ended, is revoked.
    ///
    /// # Errors
    /// The code is not there, or too old (`NotFound`); there are [`AGENTS_MAX`] agents (`Limit`);
    /// or the database cannot be written.
    pub fn enrol_agent(&self, enrolment: Enrolment<'_>) -> Result<u32, StoreError> {
        let Enrolment { code, host, fingerprint, expires, now } = enrolment;
        self.write("enrolling an agent", |transaction| {
            let known = "SELECT org FROM agent_code WHERE digest = ?1 AND expires > ?2";
            let org: Option<u32> = transaction
                .prepare_cached(known)?
                .query_row(params![code.0, now], |row| row.get(0))
                .optional()?;
            let Some(org) = org else {
                let context = "no agent enrols with this code any more";
                return Err(Failure::rule(StoreErrorKind::NotFound, context));
            };
            transaction.execute("DELETE FROM agent_code WHERE digest = ?1", [code.0])?;
            transaction.execute(
                "UPDATE agent SET revoked = ?3 WHERE org = ?1 AND host = ?2 AND revoked = 0",
                params![org, host, now],
            )?;
            forget_revoked(transaction)?;
            refuse_over(transaction, "agent WHERE revoked = 0", AGENTS_MAX)?;
            transaction.execute(
                "INSERT INTO agent (org, host, enrolled, revoked, seen) VALUES (?1, ?2, ?3, 0, 0)",
                params![org, host, now],
            )?;
            let id = u32::try_from(transaction.last_insert_rowid()).unwrap_or_default();
            put_certificate(transaction, id, fingerprint, expires)?;
            Ok(id)
        })
    }

    /// Another certificate by which an agent is known, beside the one that it asked with: an answer
    /// that is lost costs nothing. Others go.
    ///
    /// # Errors
    /// The agent is not there or revoked (`NotFound`), or the database cannot be written.
    pub fn renew_agent(
        &self,
        agent: u32,
        asked_with: Digest,
        (fingerprint, expires): (Digest, Timestamp),
    ) -> Result<(), StoreError> {
        self.write("renewing a certificate", |transaction| {
            let known = "SELECT 1 FROM agent WHERE id = ?1 AND revoked = 0";
            if transaction.query_row(known, [agent], |_| Ok(())).optional()?.is_none() {
                let context = format!("no agent {agent} is let in");
                return Err(Failure::rule(StoreErrorKind::NotFound, context));
            }
            let forget = "DELETE FROM agent_certificate WHERE agent = ?1 AND fingerprint <> ?2";
            transaction.execute(forget, params![agent, asked_with.0])?;
            Ok(put_certificate(transaction, agent, fingerprint, expires)?)
        })
    }

    /// Lets an agent in no more; says whether it was let in.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn revoke_agent(&self, agent: u32, now: Timestamp) -> Result<bool, StoreError> {
        self.write_on_reserve("revoking an agent", |transaction| {
            let sql = "UPDATE agent SET revoked = ?2 WHERE id = ?1 AND revoked = 0";
            let changed = transaction.execute(sql, params![agent, now])?;
            forget_revoked(transaction)?;
            Ok(changed != 0)
        })
    }

    /// Notes which sites an agent says that it has; gives those that are its own. A site of
    /// another organisation is never, and one that another agent has is not while that one is let
    /// in.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub fn claim_sites(
        &self,
        agent: &AgentRow,
        sites: &[GateKey],
        now: Timestamp,
    ) -> Result<BTreeSet<GateKey>, StoreError> {
        let registered = self.sites()?;
        let of_org = registered.into_iter().filter(|site| site.org == agent.org);
        let of_org: BTreeSet<GateKey> = of_org.map(|site| site.slug).collect();
        let wished: BTreeSet<GateKey> =
            sites.iter().filter(|site| of_org.contains(*site)).cloned().collect();
        let live: BTreeSet<u32> =
            self.agents()?.iter().filter(|row| row.is_live(now)).map(|row| row.id).collect();
        let free = |holder: &u32| *holder == agent.id || !live.contains(holder);
        let held = self.held_sites()?;
        let may = |site: &&GateKey| held.get(*site).is_none_or(free);
        let owned: BTreeSet<GateKey> = wished.iter().filter(may).cloned().collect();
        let before = held.iter().filter(|(_, holder)| **holder == agent.id).map(|(site, _)| site);
        if before.eq(owned.iter()) {
            return Ok(owned);
        }
        self.write("noting the sites of an agent", |transaction| {
            transaction.execute("DELETE FROM agent_site WHERE agent = ?1", [agent.id])?;
            for site in &owned {
                let put = "INSERT INTO agent_site (slug, agent) VALUES (?1, ?2)
                           ON CONFLICT (slug) DO UPDATE SET agent = excluded.agent";
                transaction.execute(put, params![site.as_str(), agent.id])?;
            }
            Ok(owned.clone())
        })
    }

    /// The sites that agents have, and which agent.
    fn held_sites(&self) -> Result<BTreeMap<GateKey, u32>, StoreError> {
        self.read("reading the sites of agents", |database| {
            let mut query = database.prepare_cached("SELECT slug, agent FROM agent_site")?;
            let rows = query.query_map([], |row| Ok((slug_of(row, 0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Notes that an agent was heard of.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn note_agent(&self, agent: u32, now: Timestamp) -> Result<(), StoreError> {
        self.write("noting an agent", |transaction| {
            let sql = "UPDATE agent SET seen = ?2 WHERE id = ?1";
            transaction.execute(sql, params![agent, now])?;
            Ok(())
        })
    }
}

/// Who is revoked is known by no certificate.
fn forget_revoked(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let sql = "DELETE FROM agent_certificate
               WHERE agent IN (SELECT id FROM agent WHERE revoked <> 0)";
    transaction.execute(sql, []).map(drop)
}

fn put_certificate(
    transaction: &Transaction<'_>,
    agent: u32,
    fingerprint: Digest,
    expires: Timestamp,
) -> Result<(), rusqlite::Error> {
    transaction.execute(
        "INSERT INTO agent_certificate (fingerprint, agent, expires) VALUES (?1, ?2, ?3)",
        params![fingerprint.0, agent, expires],
    )?;
    Ok(())
}

/// Refuses one more where there are `most` already.
fn refuse_over(transaction: &Transaction<'_>, from: &str, most: usize) -> Result<(), Failure> {
    let sql = format!("SELECT count(*) FROM {from}");
    let count: i64 = transaction.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    if usize::try_from(count).is_ok_and(|count| count < most) {
        return Ok(());
    }
    let context = format!("there are {most} rows of {from} already");
    Err(Failure::rule(StoreErrorKind::Limit, context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{behind, open_with_sites};

    const DAY: i64 = 86_400;

    fn code(number: u32) -> AgentCodeRow {
        let mut digest = Digest([0; 32]);
        digest.0[..4].copy_from_slice(&number.to_be_bytes());
        AgentCodeRow { digest, org: OrgId(1), host: "web-*".into(), expires: 600 }
    }

    fn enrolment(number: u32, host: &str, now: i64) -> Enrolment<'_> {
        let fingerprint = Digest([number as u8; 32]);
        Enrolment { code: code(number).digest, host, fingerprint, expires: now + 30 * DAY, now }
    }

    #[test]
    fn a_code_is_used_once_and_not_when_it_is_too_old() {
        let (_folder, store) = open_with_sites(1);
        store.put_agent_code(&code(1), 0).unwrap();
        store.put_agent_code(&code(2), 0).unwrap();
        assert_eq!(store.agent_code(code(1).digest).unwrap(), Some(code(1)));
        let id = store.enrol_agent(enrolment(1, "web-1", 10)).unwrap();
        let kind =
            |number, now| store.enrol_agent(enrolment(number, "web-2", now)).unwrap_err().kind();
        assert_eq!(kind(1, 11), StoreErrorKind::NotFound, "used");
        assert_eq!(kind(2, 600), StoreErrorKind::NotFound, "too old");
        assert_eq!(kind(3, 11), StoreErrorKind::NotFound, "never made");
        let all = store.agents().unwrap();
        assert_eq!((all.len(), all[0].id, all[0].expires), (1, id, 10 + 30 * DAY));
        assert!(all[0].is_live(11) && !all[0].is_live(all[0].expires));
        store.put_agent_code(&code(4), 601).unwrap();
        assert_eq!(store.agent_code(code(2).digest).unwrap(), None, "old ones are forgotten");
    }

    #[test]
    fn an_agent_is_known_by_its_certificate_and_the_next_until_it_is_revoked() {
        let (_folder, store) = open_with_sites(1);
        store.put_agent_code(&code(1), 0).unwrap();
        let id = store.enrol_agent(enrolment(1, "web-1", 0)).unwrap();
        let known = |number: u8| store.agent_by_certificate(Digest([number; 32])).unwrap();
        let renew = |with: u8, next: u8, day: i64| {
            store.renew_agent(id, Digest([with; 32]), (Digest([next; 32]), day * DAY))
        };
        // The answer to the first was lost; all of it may happen within a second.
        renew(1, 9, 40).unwrap();
        renew(1, 2, 40).unwrap();
        assert!(known(9).is_none());
        assert_eq!(known(1).unwrap().1, 30 * DAY);
        assert_eq!(known(2).unwrap().0.expires, 40 * DAY);
        renew(2, 3, 40).unwrap();
        assert_eq!([1, 2, 3, 4].map(|it| known(it).is_some()), [false, true, true, false]);
        assert!(store.revoke_agent(id, 7).unwrap() && !store.revoke_agent(id, 8).unwrap());
        assert_eq!([1, 2, 3].map(|it| known(it).is_some()), [false; 3]);
        let gone = renew(3, 5, 60).unwrap_err();
        assert_eq!(gone.kind(), StoreErrorKind::NotFound);
        assert_eq!(store.agents().unwrap()[0].revoked, Some(7));
    }

    #[test]
    fn a_machine_is_taken_by_who_was_heard_of_and_is_still_let_in() {
        let (_folder, store) = open_with_sites(1);
        for number in [1, 2, 3] {
            store.put_agent_code(&code(number), 0).unwrap();
        }
        let id = store.enrol_agent(enrolment(1, "web-1", 0)).unwrap();
        let taken = |host, now| store.is_host_taken(OrgId(1), host, now).unwrap();
        assert!(!taken("web-1", 1), "never heard of");
        store.note_agent(id, 5).unwrap();
        assert!(taken("web-1", 6) && !taken("web-2", 6) && !taken("web-1", 30 * DAY));
        assert!(!store.is_host_taken(OrgId(2), "web-1", 6).unwrap());
        // Whoever enrols in its place leaves it no certificate.
        store.enrol_agent(enrolment(2, "web-1", 100)).unwrap();
        let all = store.agents().unwrap();
        assert_eq!((all[0].revoked, all[1].revoked), (Some(100), None));
        assert_eq!(store.agent_by_certificate(Digest([1; 32])).unwrap(), None);
    }

    #[test]
    fn a_site_has_one_agent_of_its_own_organisation() {
        let (_folder, store) = open_with_sites(12);
        let enrolled = |number: u32, host: &str, org: u32| {
            store.put_agent_code(&AgentCodeRow { org: OrgId(org), ..code(number) }, 0).unwrap();
            let id = store.enrol_agent(enrolment(number, host, 0)).unwrap();
            store.agents().unwrap().into_iter().find(|row| row.id == id).unwrap()
        };
        let (first, second) = (enrolled(1, "web-1", 1), enrolled(2, "web-2", 1));
        let other = enrolled(3, "web-1", 2);
        let key = |number: u32| GateKey::new(&format!("site-{number}")).unwrap();
        let claim = |agent: &AgentRow, numbers: &[u32]| -> Vec<String> {
            let sites: Vec<GateKey> = numbers.iter().map(|it| key(*it)).collect();
            let own = store.claim_sites(agent, &sites, 1).unwrap();
            own.iter().map(ToString::to_string).collect()
        };
        assert_eq!(claim(&first, &[0, 1, 11, 99]), ["site-0", "site-1"], "of its organisation");
        assert_eq!(claim(&second, &[1, 2]), ["site-2"], "the first one has it");
        assert_eq!(claim(&other, &[0, 11]), ["site-11"]);
        assert_eq!(claim(&first, &[0]), ["site-0"]);
        assert_eq!(claim(&second, &[1, 2]), ["site-1", "site-2"], "given up");
        store.revoke_agent(second.id, 2).unwrap();
        assert_eq!(claim(&first, &[0, 1]), ["site-0", "site-1"], "its agent is revoked");
    }

    #[test]
    fn codes_and_agents_have_an_end() {
        let (_folder, store) = open_with_sites(1);
        for number in 0..AGENT_CODES_MAX as u32 {
            store.put_agent_code(&code(number), 0).unwrap();
        }
        let more = store.put_agent_code(&code(9_999), 0).unwrap_err();
        assert_eq!(more.kind(), StoreErrorKind::Limit);
        let fill = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {AGENTS_MAX})
             INSERT INTO agent (org, host, enrolled, revoked, seen)
             SELECT 1, 'h' || i, 0, 0, 0 FROM n"
        );
        behind(&store).execute(&fill, []).unwrap();
        let more = store.enrol_agent(enrolment(1, "web-1", 1)).unwrap_err();
        assert_eq!(more.kind(), StoreErrorKind::Limit);
        assert!(store.agent_code(code(1).digest).unwrap().is_some(), "the code was not used up");
        store.revoke_agent(1, 1).unwrap();
        store.enrol_agent(enrolment(1, "web-1", 1)).unwrap();
    }
}
