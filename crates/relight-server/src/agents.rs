//! Agents on other machines: who made a code for whom, who enrolled with it, and who is let in.
//!
//! An agent is known by a certificate that is in the register; one that was signed here and is not
//! in it is worth nothing. So whoever is revoked is out at the next request.

mod again;
pub(crate) mod authority;
pub mod client;
pub(crate) mod code;
pub mod contact;
pub mod edges;
mod enrolment;
mod greetings;
pub mod identity;
mod line;
mod list;
mod names;
mod pinned;
mod places;
pub mod serve;
#[cfg(test)]
mod tests;
pub mod wire;
pub mod wishes;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use relight_engine::Engine;
use relight_engine::incident::Entry;
use relight_engine::store::{AgentCodeRow, AgentRow, ShownRow, Store};
use relight_model::{Digest, GateKey, OrgId, Organisation, Timestamp};
use tokio_rustls::rustls::pki_types::CertificateDer;

use self::authority::{Authority, Holder, KEY_BYTES, is_proof};
use self::code::Code;
use self::edges::Mailbox;
pub use self::list::{AgentView, agents_of, version_words};
pub(crate) use self::list::{organisations_of, scope_of};
pub use self::names::is_host;
use self::names::is_pattern;
use self::wire::{Issued, RenewRequest, TurnAnswer, TurnRequest, key_of};
use self::wishes::Wishes;
use crate::access::limit::Limits;
use crate::access::{Clock, digest_of, secret};
use crate::{ServerError, clock};

/// The file of the authority's key, in the data folder.
pub const AGENT_KEY_FILE: &str = "agents.key";

/// How long a code is good for, in seconds.
pub const CODE_S_MAX: i64 = 600;

/// How long a certificate is good for, in seconds.
pub const CERTIFICATE_S: i64 = 30 * 86_400;

/// With less than this left, an agent asks for its next certificate, in seconds.
pub const RENEW_S: i64 = 10 * 86_400;

/// An agent gets one certificate in this time at most, in seconds: each is a line of the journal.
/// A lost answer is asked for again after it.
pub const RENEWALS_S: i64 = 3_600;

/// The same where less than a day is left to the certificate.
const LAST_RENEWALS_S: i64 = 60;

/// Longest name of a machine, in bytes (RFC 1035, 2.3.4).
pub const HOST_BYTES_MAX: usize = 253;

/// That an agent was heard of is written down at most this often, in seconds: ten thousand of them
/// are then some 30 commits a second.
const SEEN_EVERY_S: i64 = 300;

/// Why something was not done.
#[derive(Debug)]
pub enum Refused {
    /// A rule, by the stable name that is part of the key of its sentence.
    Rule(&'static str),
    /// Something failed here.
    Failed(ServerError),
}

impl Refused {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Rule(code) => code,
            Self::Failed(_) => "failed",
        }
    }
}

impl From<ServerError> for Refused {
    fn from(error: ServerError) -> Self {
        Self::Failed(error)
    }
}

/// A code that was made; its text is given once.
#[derive(Clone, PartialEq, Eq)]
pub struct MadeCode {
    /// The text.
    pub text: String,
    /// Until when it is good.
    pub expires: Timestamp,
}

impl fmt::Debug for MadeCode {
    /// Without the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeCode").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The agents of one register.
pub struct AgentDesk {
    engine: Arc<Engine>,
    authority: Authority,
    clock: Clock,
    /// One change at a time: each is decided on what the one before left.
    changing: Mutex<()>,
    /// Codes that were tried, by address.
    trials: Limits,
    /// Inventories that were asked for.
    wishes: Wishes,
    /// Where questions about edges wait for agents, where there are such edges.
    mailbox: Option<Arc<Mailbox>>,
}

impl fmt::Debug for AgentDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentDesk").finish_non_exhaustive()
    }
}

impl AgentDesk {
    /// The agents of the register behind an engine. The key in the file is made when there is none.
    ///
    /// # Errors
    /// The key cannot be read or made, or is open to others.
    pub fn open(engine: Arc<Engine>, key: &Path) -> Result<Self, ServerError> {
        Self::with_clock(engine, key, clock::now_ms)
    }

    /// The same by another clock.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn with_clock(engine: Arc<Engine>, key: &Path, clock: Clock) -> Result<Self, ServerError> {
        refuse_another_key(engine.store(), key, clock() / 1_000)?;
        let authority = Authority::load_or_create(key)?;
        let (changing, trials) = (Mutex::new(()), Limits::default());
        let wishes = Wishes::default();
        Ok(Self { engine, authority, clock, changing, trials, wishes, mailbox: None })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)() / 1_000
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The organisation of a name.
    ///
    /// # Errors
    /// `no-organisation`, or the register cannot be read.
    pub fn organisation(&self, name: &str) -> Result<Organisation, Refused> {
        let mut all = self.organisations()?.into_iter();
        all.find(|it| it.name == name.trim()).ok_or(Refused::Rule("no-organisation"))
    }

    /// Every organisation.
    ///
    /// # Errors
    /// The register cannot be read.
    fn organisations(&self) -> Result<Vec<Organisation>, ServerError> {
        organisations_of(self.engine.store())
    }

    fn organisation_of(&self, id: OrgId) -> Result<Organisation, Refused> {
        let mut all = self.organisations()?.into_iter();
        all.find(|it| it.id == id).ok_or(Refused::Rule("no-organisation"))
    }

    /// Makes a code with which one agent of an organisation enrols, on a machine whose name fits.
    ///
    /// # Errors
    /// The name fits no machine, too many codes wait, or something failed.
    pub fn make_code(
        &self,
        actor: &str,
        organisation: &Organisation,
        host: &str,
    ) -> Result<MadeCode, Refused> {
        let host = host.trim().to_ascii_lowercase();
        if !is_pattern(&host) {
            return Err(Refused::Rule("bad-host"));
        }
        let _changing = self.changing();
        let (code, now) = (Code::new(self.authority.pin())?, self.now());
        let (store, expires) = (self.engine.store(), now + CODE_S_MAX);
        let is_full = store.is_full_of_agent_codes(now);
        if is_full.map_err(|error| ServerError::caused("count the codes", error))? {
            return Err(Refused::Rule("too-many-codes"));
        }
        let facts: [(&str, &dyn fmt::Display); 2] =
            [("host", &host), ("organisation", &organisation.name)];
        self.note(actor, "agent-code-made", &facts)?;
        let (digest, org) = (digest_of(&code.secret), organisation.id);
        let row = AgentCodeRow { digest, org, host, expires, made_by: actor.to_owned() };
        let put = store.put_agent_code(&row, now);
        put.map_err(|error| ServerError::caused("keep a code", error))?;
        Ok(MadeCode { text: code.text(), expires })
    }

    /// Every agent, revoked ones too, by number.
    ///
    /// # Errors
    /// The register cannot be read.
    pub fn all(&self) -> Result<Vec<AgentView>, ServerError> {
        agents_of(self.engine.store(), self.now())
    }

    /// Lets an agent in no more.
    ///
    /// # Errors
    /// There is none of that number, or it is revoked already (`not-there`); or something failed.
    pub fn revoke(&self, actor: &str, id: u32) -> Result<(), Refused> {
        let _changing = self.changing();
        let agent = self.engine.store().agent(id);
        let agent = agent.map_err(|error| ServerError::caused("look for an agent", error))?;
        let agent = agent.filter(|it| it.revoked.is_none()).ok_or(Refused::Rule("not-there"))?;
        let organisation = self.organisation_of(agent.org)?.name;
        let facts: [(&str, &dyn fmt::Display); 3] =
            [("agent", &id), ("host", &agent.host), ("organisation", &organisation)];
        self.note(actor, "agent-revoked", &facts)?;
        let revoked = self.engine.store().revoke_agent(id, self.now());
        revoked.map_err(|error| ServerError::caused("revoke an agent", error))?;
        Ok(())
    }

    /// The agent behind a certificate, if it is let in, and how it stands with that one.
    ///
    /// # Errors
    /// It is revoked, its certificate has ended or is not one that the register knows
    /// (`not-let-in`); or the register cannot be read.
    pub(crate) fn admitted(
        &self,
        fingerprint: Option<Digest>,
    ) -> Result<(AgentRow, ShownRow), Refused> {
        let fingerprint = fingerprint.ok_or(Refused::Rule("not-let-in"))?;
        let found = self.engine.store().agent_by_certificate(fingerprint);
        let found = found.map_err(|error| ServerError::caused("look for an agent", error))?;
        let now = self.now();
        let is_in = |(row, shown): &(AgentRow, ShownRow)| row.is_live(now) && now < shown.expires;
        found.filter(is_in).ok_or(Refused::Rule("not-let-in"))
    }

    /// The next certificate of an agent; that of before is good until this one is used.
    ///
    /// # Errors
    /// As [`Self::admitted`]; it is not time for that (`not-due`); or the key is not that of who
    /// asks.
    pub(crate) fn renew(
        &self,
        fingerprint: Option<Digest>,
        request: &RenewRequest,
    ) -> Result<Issued, Refused> {
        let _changing = self.changing();
        let (row, shown) = self.admitted(fingerprint)?;
        let asked_with = fingerprint.unwrap_or_default();
        if !is_due(&row, shown, self.now()) {
            return Err(Refused::Rule("not-due"));
        }
        let key = key_of(&request.key).ok_or(Refused::Rule("bad-proof"))?;
        let proof = secret::decode(&request.proof).ok_or(Refused::Rule("bad-proof"))?;
        if !is_proof("renew", &asked_with.0, &key, &proof) {
            return Err(Refused::Rule("bad-proof"));
        }
        let organisation = self.organisation_of(row.org)?;
        let certified = self.certify(&key, &row.host, &organisation, self.now())?;
        let (certificate, expires) = certified;
        let facts: [(&str, &dyn fmt::Display); 3] =
            [("agent", &row.id), ("host", &row.host), ("organisation", &organisation.name)];
        self.note("agent", "agent-renewed", &facts)?;
        let store = self.engine.store();
        let renewed = store.renew_agent(row.id, asked_with, (digest_of(&certificate), expires));
        renewed.map_err(|error| ServerError::caused("renew a certificate", error))?;
        Ok(self.issued(row.id, &row.host, organisation, (&certificate, expires)))
    }

    /// An agent says that it is there and which sites it has, and is told what is wished for.
    ///
    /// # Errors
    /// As [`Self::admitted`]; or it names too many sites.
    pub(crate) fn turn(
        &self,
        fingerprint: Option<Digest>,
        request: &TurnRequest,
    ) -> Result<TurnAnswer, Refused> {
        let ((row, shown), now) = (self.admitted(fingerprint)?, self.now());
        if !shown.is_only && shown.expires == row.expires {
            // Its agent has the newest: whoever holds the one before is somebody else by now. What
            // cannot be written now is at the next turn.
            let _ = self.engine.store().settle_agent(row.id, fingerprint.unwrap_or_default());
        }
        if !(row.seen..row.seen + SEEN_EVERY_S).contains(&now) {
            // Without it nothing but that is lost.
            let version = list::version_of(&request.version);
            let _ = self.engine.store().note_agent(row.id, version, now);
        }
        let own = {
            let _changing = self.changing();
            self.own_sites(&row, &request.sites)?
        };
        let is_own = |name: &String| GateKey::new(name).is_ok_and(|key| own.contains(&key));
        let foreign = request.sites.iter().filter(|name| !is_own(name)).cloned().collect();
        // Another question would make what it looks at worthless.
        let wish = if request.looks.is_some() { None } else { self.wish(&row, &own)? };
        Ok(TurnAnswer { renew: is_due(&row, shown, now), wish, foreign })
    }

    fn certify(
        &self,
        key: &[u8; KEY_BYTES],
        host: &str,
        organisation: &Organisation,
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, Timestamp), ServerError> {
        let expires = now + CERTIFICATE_S;
        let holder = Holder { host, organisation: &organisation.name };
        Ok((self.authority.for_agent(key, holder, expires)?, expires))
    }

    fn issued(
        &self,
        agent: u32,
        host: &str,
        organisation: Organisation,
        (certificate, expires): (&CertificateDer<'_>, Timestamp),
    ) -> Issued {
        Issued {
            agent,
            host: host.to_owned(),
            organisation: organisation.name,
            certificate: secret::encode(certificate),
            authority: secret::encode(self.authority.certificate()),
            expires,
        }
    }

    fn note(
        &self,
        actor: &str,
        act: &str,
        facts: &[(&str, &dyn fmt::Display)],
    ) -> Result<(), ServerError> {
        self.note_all(actor, vec![entry(act, facts)])
    }

    /// All of them, or none.
    fn note_all(&self, actor: &str, entries: Vec<Entry>) -> Result<(), ServerError> {
        let entries = entries.into_iter().map(|entry| (String::new(), entry)).collect();
        let appended = self.engine.append(actor, entries);
        appended.map(drop).map_err(|error| ServerError::caused("write to the journal", error))
    }
}

fn entry(act: &str, facts: &[(&str, &dyn fmt::Display)]) -> Entry {
    let facts = facts.iter().map(|(name, text)| ((*name).to_owned(), text.to_string()));
    Entry::Access { act: act.to_owned(), account: String::new(), facts: facts.collect() }
}

/// Whether an agent gets its next certificate, by the clock of the register: that of its machine
/// may be wrong. The newest that it has was given a certificate's time before its end.
const fn is_due(row: &AgentRow, shown: ShownRow, now: Timestamp) -> bool {
    let (left, since) = (shown.expires - now, now - (row.expires - CERTIFICATE_S));
    let pause = if left < 86_400 { LAST_RENEWALS_S } else { RENEWALS_S };
    left < RENEW_S && !(0 <= since && since < pause)
}

/// Agents know the server by its key: another one is not made beside them without a word.
fn refuse_another_key(store: &Store, key: &Path, now: Timestamp) -> Result<(), ServerError> {
    if key.exists() {
        return Ok(());
    }
    let agents = store.agents().map_err(|error| ServerError::caused("read the agents", error))?;
    let count = agents.iter().filter(|it| it.is_live(now)).count();
    if count == 0 {
        return Ok(());
    }
    let why = format!("{count} agents are let in, and the key that they know is not there");
    Err(ServerError::caused(format!("read the key {}", key.display()), why))
}
