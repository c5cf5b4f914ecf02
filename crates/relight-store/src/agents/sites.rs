//! Of which sites an agent says that they are on its machine. It says so at each turn: what is
//! asked of the database for that is about these sites, however many agents there are.

use std::collections::BTreeSet;

use relight_model::{GateKey, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::AgentRow;
use crate::register::slug_of;
use crate::{Store, StoreError};

/// Another agent than ?3 that has the site ?1, if that one is let in.
const OTHER: &str = "SELECT 1 FROM agent_site JOIN agent ON agent.id = agent_site.agent
    WHERE slug = ?1 AND agent_site.agent <> ?3 AND revoked = 0 AND EXISTS
    (SELECT 1 FROM agent_certificate WHERE agent = agent_site.agent AND expires > ?2)";

impl Store {
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
        let (owned, is_as_before) = self.read("looking at the sites of an agent", |database| {
            let mut owned = BTreeSet::new();
            for site in sites {
                if is_free(database, agent, site, now)? {
                    owned.insert(site.clone());
                }
            }
            let held = "SELECT slug FROM agent_site WHERE agent = ?1 ORDER BY slug";
            let mut query = database.prepare_cached(held)?;
            let held = query.query_map([agent.id], |row| slug_of(row, 0))?;
            let held: Vec<GateKey> = held.collect::<Result<_, _>>()?;
            let is_as_before = held.iter().eq(&owned);
            Ok((owned, is_as_before))
        })?;
        if is_as_before {
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
}

/// Whether a site is of the agent's organisation and no other agent has it.
fn is_free(
    database: &Connection,
    agent: &AgentRow,
    site: &GateKey,
    now: Timestamp,
) -> Result<bool, rusqlite::Error> {
    let known = "SELECT 1 FROM site WHERE slug = ?1 AND org = ?2";
    let known = database
        .prepare_cached(known)?
        .query_row(params![site.as_str(), agent.org.0], |_| Ok(()))
        .optional()?;
    if known.is_none() {
        return Ok(false);
    }
    let mut query = database.prepare_cached(OTHER)?;
    let other = query.query_row(params![site.as_str(), now, agent.id], |_| Ok(())).optional()?;
    Ok(other.is_none())
}

#[cfg(test)]
mod tests {
    use relight_model::{Digest, OrgId};

    use super::*;
    use crate::testing::{behind, open_with_sites};
    use crate::{AgentCodeRow, Enrolment};

    #[test]
    fn no_question_about_a_site_reads_all_agents() {
        let (_folder, store) = open_with_sites(1);
        let database = behind(&store);
        let plan = format!("EXPLAIN QUERY PLAN {OTHER}");
        let mut query = database.prepare(&plan).unwrap();
        let rows = query.query_map(params!["a", 1, 1], |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = rows.map(Result::unwrap).collect();
        assert!(!plan.concat().contains("SCAN"), "{plan:?}");
    }

    #[test]
    fn a_site_has_one_agent_of_its_own_organisation() {
        let (_folder, store) = open_with_sites(12);
        let enrolled = |number: u8, host: &str, org: u32| {
            let (code, org) = (Digest([number; 32]), OrgId(org));
            let (digest, pattern, made_by) = (code, "web-*".into(), "anna".into());
            let row = AgentCodeRow { digest, org, host: pattern, expires: 600, made_by };
            store.put_agent_code(&row, 0).unwrap();
            let (fingerprint, expires, now) = (code, 86_400, 0);
            let enrolment = Enrolment { code, host, fingerprint, expires, now };
            let id = store.enrol_agent(enrolment).unwrap();
            store.agent(id).unwrap().unwrap()
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
}
