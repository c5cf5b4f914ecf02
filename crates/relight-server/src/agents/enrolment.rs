//! Enrolments: an agent is taken in for a code, and trials of codes that are none have an end.

use std::fmt;

use relight_engine::store::{AgentCodeRow, Enrolment, StoreErrorKind};
use relight_model::{Digest, Timestamp};

use super::authority::is_proof;
use super::code::Code;
use super::names::{fits, is_host};
use super::wire::{EnrolRequest, Issued, key_of};
use super::{AgentDesk, CODE_S_MAX, Refused, entry};
use crate::ServerError;
use crate::access::limit::Trial;
use crate::access::{digest_of, secret};

impl AgentDesk {
    /// Takes an agent in. Codes that are none are tried five times a minute from one address; a
    /// good one is taken in beside them: whoever shares an address locks nobody out.
    ///
    /// # Errors
    /// The code is not good, or not for this machine; the machine has an agent; the key is not
    /// that of who asks; too many tried; or something failed.
    pub(crate) fn enrol(&self, request: &EnrolRequest, from: &str) -> Result<Issued, Refused> {
        let now = self.now();
        let refused = match self.enrol_now(request, from, now) {
            Err(refused @ Refused::Rule(_)) => refused,
            done => return done,
        };
        let trial = self.trials.count(0, from, now);
        let refused = match trial {
            Trial::Allowed => refused,
            Trial::First | Trial::Beyond => Refused::Rule("too-many-trials"),
        };
        self.note_refused(&refused, trial, (request, from, now));
        Err(refused)
    }

    fn enrol_now(
        &self,
        request: &EnrolRequest,
        from: &str,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        let code = Code::parse(&request.code).ok_or(Refused::Rule("code-unknown"))?;
        let key = key_of(&request.key).ok_or(Refused::Rule("bad-proof"))?;
        let proof = secret::decode(&request.proof).ok_or(Refused::Rule("bad-proof"))?;
        if !is_proof("enrol", &code.secret, &key, &proof) {
            return Err(Refused::Rule("bad-proof"));
        }
        let digest = digest_of(&code.secret);
        // Whoever has no code keeps nobody waiting who has one.
        self.good_code(digest, now)?;
        let _changing = self.changing();
        let (store, row) = (self.engine.store(), self.good_code(digest, now)?);
        let host = request.host.as_str();
        if !is_host(host) || !fits(&row.host, host) {
            return Err(Refused::Rule("host-not-allowed"));
        }
        let vacancy = store.vacancy(row.org, host, now);
        let vacancy = vacancy.map_err(|error| ServerError::caused("look at the agents", error))?;
        if vacancy.is_taken {
            return Err(Refused::Rule("host-taken"));
        }
        if vacancy.is_full {
            return Err(Refused::Rule("too-many-agents"));
        }
        let organisation = self.organisation_of(row.org)?;
        let (certificate, expires) = self.certify(&key, host, &organisation, now)?;
        let (name, number) = (&organisation.name, vacancy.number);
        let displaced = vacancy.displaced.iter().map(|id| {
            let facts: [(&str, &dyn fmt::Display); 4] =
                [("agent", id), ("host", &host), ("organisation", name), ("for", &number)];
            entry("agent-revoked", &facts)
        });
        let facts: [(&str, &dyn fmt::Display); 5] = [
            ("agent", &number),
            ("host", &host),
            ("organisation", name),
            ("address", &from),
            ("code_by", &row.made_by),
        ];
        let entries = displaced.chain([entry("agent-enrolled", &facts)]).collect();
        self.note_all("agent", entries)?;
        let fingerprint = digest_of(&certificate);
        let enrolment = Enrolment { code: digest, host, fingerprint, expires, now };
        let agent = store.enrol_agent(enrolment).map_err(|error| match error.kind() {
            StoreErrorKind::NotFound => Refused::Rule("code-unknown"),
            StoreErrorKind::Limit => Refused::Rule("too-many-agents"),
            _ => Refused::Failed(ServerError::caused("enrol an agent", error)),
        })?;
        Ok(self.issued(agent, host, organisation, (&certificate, expires)))
    }

    /// A code that waits. Where the clock was set back to before it was made, it is none.
    fn good_code(&self, digest: Digest, now: Timestamp) -> Result<AgentCodeRow, Refused> {
        let row = self.engine.store().agent_code(digest);
        let row = row.map_err(|error| ServerError::caused("look for a code", error))?;
        let is_good = |row: &AgentCodeRow| (row.expires - CODE_S_MAX..row.expires).contains(&now);
        row.filter(is_good).ok_or(Refused::Rule("code-unknown"))
    }

    /// What was refused is journalled, and a flood is counted instead.
    fn note_refused(
        &self,
        refused: &Refused,
        trial: Trial,
        (request, from, now): (&EnrolRequest, &str, Timestamp),
    ) {
        let Some(untold) = self.trials.tells(trial, now) else { return };
        let host = if is_host(&request.host) { request.host.as_str() } else { "" };
        let code = refused.code();
        let facts: [(&str, &dyn fmt::Display); 4] =
            [("address", &from), ("host", &host), ("reason", &code), ("untold", &untold)];
        // Who is refused is refused, whether or not it can be written down.
        let _ = self.note("agent", "agent-refused", &facts);
    }
}
