//! Agents on other machines: the codes they enrol with, and the certificates by which they are
//! known. Rows only: who may do what is decided above.

mod sites;
mod vacancy;

use relight_model::{Digest, OrgId, Timestamp};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

pub use self::vacancy::Vacancy;
use crate::rows::refuse_over;
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
    /// Who made it.
    pub made_by: String,
}

/// A certificate that an agent shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownRow {
    /// When it ends.
    pub expires: Timestamp,
    /// The agent has no other one.
    pub is_only: bool,
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
    /// Of which version it is; empty where it was not heard of.
    pub version: String,
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
    coalesce((SELECT max(expires) FROM agent_certificate WHERE agent = agent.id), 0),
    version FROM agent";

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
        version: row.get(7)?,
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

    /// An agent, also one that is revoked.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agent(&self, id: u32) -> Result<Option<AgentRow>, StoreError> {
        self.read("looking for an agent", |database| {
            let mut query = database.prepare_cached(&format!("{AGENT} WHERE id = ?1"))?;
            Ok(query.query_row([id], agent_of).optional()?)
        })
    }

    /// The agent that has a certificate, and how it stands with that one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agent_by_certificate(
        &self,
        fingerprint: Digest,
    ) -> Result<Option<(AgentRow, ShownRow)>, StoreError> {
        self.read("looking for an agent", |database| {
            let known = "SELECT agent, expires FROM agent_certificate WHERE fingerprint = ?1";
            let found: Option<(u32, Timestamp)> = database
                .prepare_cached(known)?
                .query_row([fingerprint.0], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((agent, expires)) = found else { return Ok(None) };
            let count = "SELECT count(*) FROM agent_certificate WHERE agent = ?1";
            let count: i64 =
                database.prepare_cached(count)?.query_row([agent], |row| row.get(0))?;
            let shown = ShownRow { expires, is_only: count == 1 };
            let mut query = database.prepare_cached(&format!("{AGENT} WHERE id = ?1"))?;
            Ok(query.query_row([agent], agent_of).optional()?.map(|row| (row, shown)))
        })
    }

    /// The code of a digest, also one that is too old.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn agent_code(&self, digest: Digest) -> Result<Option<AgentCodeRow>, StoreError> {
        self.read("looking for a code", |database| {
            let sql =
                "SELECT digest, org, host, expires, made_by FROM agent_code WHERE digest = ?1";
            let of = |row: &Row<'_>| {
                let (digest, org) = (Digest(row.get(0)?), OrgId(row.get(1)?));
                let (host, expires, made_by) = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok(AgentCodeRow { digest, org, host, expires, made_by })
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
            refuse_over(transaction, "agent_code", [], AGENT_CODES_MAX)?;
            let AgentCodeRow { digest, org, host, expires, made_by } = row;
            transaction.execute(
                "INSERT INTO agent_code (digest, org, host, expires, made_by)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![digest.0, org.0, host, expires, made_by],
            )?;
            Ok(())
        })
    }

    /// Uses a code up and makes its agent, in one transaction; gives the number. Every other agent
    /// of the same machine is revoked: who calls has seen that it may be.
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
            refuse_over(transaction, LIVE, [now], AGENTS_MAX)?;
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

    /// An agent is known by this certificate alone from now on, if it is one of its own.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn settle_agent(&self, agent: u32, fingerprint: Digest) -> Result<(), StoreError> {
        self.write_on_reserve("settling a certificate", |transaction| {
            let sql = "DELETE FROM agent_certificate WHERE agent = ?1 AND fingerprint <> ?2
                AND EXISTS (SELECT 1 FROM agent_certificate WHERE agent = ?1 AND fingerprint = ?2)";
            transaction.execute(sql, params![agent, fingerprint.0])?;
            Ok(())
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

    /// Notes that an agent of this version was heard of.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn note_agent(&self, agent: u32, version: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("noting an agent", |transaction| {
            let sql = "UPDATE agent SET seen = ?2, version = ?3 WHERE id = ?1";
            transaction.execute(sql, params![agent, now, version])?;
            Ok(())
        })
    }
}

/// The agents that are let in: what has ended by itself takes nobody's place.
const LIVE: &str = "agent WHERE revoked = 0 AND EXISTS
    (SELECT 1 FROM agent_certificate WHERE agent = agent.id AND expires > ?1)";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{behind, open_with_sites};

    const DAY: i64 = 86_400;

    fn code(number: u32) -> AgentCodeRow {
        let mut digest = Digest([0; 32]);
        digest.0[..4].copy_from_slice(&number.to_be_bytes());
        let (host, made_by) = ("web-*".into(), "anna".into());
        AgentCodeRow { digest, org: OrgId(1), host, expires: 600, made_by }
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
        assert_eq!(known(1).unwrap().1, ShownRow { expires: 30 * DAY, is_only: false });
        assert_eq!(known(2).unwrap().0.expires, 40 * DAY);
        renew(2, 3, 40).unwrap();
        assert_eq!([1, 2, 3, 4].map(|it| known(it).is_some()), [false, true, true, false]);
        // One that is not its own throws none of them out.
        store.settle_agent(id, Digest([9; 32])).unwrap();
        assert!(known(2).is_some() && known(3).is_some());
        store.settle_agent(id, Digest([3; 32])).unwrap();
        assert_eq!(known(2), None);
        assert_eq!(known(3).unwrap().1, ShownRow { expires: 40 * DAY, is_only: true });
        assert!(store.revoke_agent(id, 7).unwrap() && !store.revoke_agent(id, 8).unwrap());
        assert_eq!([1, 2, 3].map(|it| known(it).is_some()), [false; 3]);
        let gone = renew(3, 5, 60).unwrap_err();
        assert_eq!(gone.kind(), StoreErrorKind::NotFound);
        assert_eq!(store.agents().unwrap()[0].revoked, Some(7));
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
             SELECT 1, 'h' || i, 0, 0, 0 FROM n;
             INSERT INTO agent_certificate (fingerprint, agent, expires)
             SELECT randomblob(32), id, 500 FROM agent;
             INSERT INTO agent_certificate (fingerprint, agent, expires)
             SELECT randomblob(32), id, 501 FROM agent;"
        );
        behind(&store).execute_batch(&fill).unwrap();
        let more = store.enrol_agent(enrolment(1, "web-1", 1)).unwrap_err();
        assert_eq!(more.kind(), StoreErrorKind::Limit);
        assert!(store.agent_code(code(1).digest).unwrap().is_some(), "the code was not used up");
        assert!(store.vacancy(OrgId(1), "web-1", 1).unwrap().is_full);
        assert!(!store.vacancy(OrgId(1), "h9", 1).unwrap().is_full, "in place of that one");
        store.revoke_agent(1, 1).unwrap();
        assert!(!store.vacancy(OrgId(1), "web-1", 1).unwrap().is_full);
        store.enrol_agent(enrolment(1, "web-1", 1)).unwrap();
        // All of the others have ended by then, and nobody has revoked them.
        store.enrol_agent(enrolment(2, "web-2", 501)).unwrap();
    }

    /// Goal: the lock of the register is held for no longer where there are many agents. Method:
    /// the plans of what is asked at each turn read no table whole but that of the list.
    #[test]
    fn no_question_about_one_agent_reads_them_all() {
        let (_folder, store) = open_with_sites(1);
        let plan = |sql: &str| {
            let database = behind(&store);
            let mut query = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let rows = query.query_map([], |row| row.get::<_, String>(3)).unwrap();
            rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
        };
        let list = plan(&format!("{AGENT} ORDER BY id"));
        assert!(list.contains("agent_certificate_by_agent (agent=?)"), "{list}");
        let one = plan(&format!("{AGENT} WHERE id = 1"));
        assert!(!one.contains("SCAN"), "{one}");
        let of_host = plan(&vacancy::OF_HOST.replace("?1", "1").replace("?2", "'a'"));
        assert!(!of_host.contains("SCAN") && of_host.contains("agent_by_host"), "{of_host}");
    }
}
