//! The door of the console: who somebody is, for how long, and which requests are really theirs.
//!
//! What people may do is decided in `relight_engine::access`; here they prove who they are. Secrets
//! (cookies, tokens, links) are known by their digests only.

pub(crate) mod admin;
pub(crate) mod authenticator;
pub(crate) mod ceremony;
pub(crate) mod form;
pub(crate) mod guard;
pub(crate) mod known;
pub(crate) mod limit;
pub(crate) mod links;
pub(crate) mod notices;
pub(crate) mod oidc;
pub(crate) mod passkey;
pub(crate) mod recovery;
pub(crate) mod refusals;
pub(crate) mod secret;
pub(crate) mod sign_ins;
pub(crate) mod signed_in;
pub(crate) mod terminal;
pub(crate) mod ticket;
pub(crate) mod token;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use axum::http::HeaderMap;
use relight_engine::Engine;
use relight_engine::incident::Entry;
use relight_engine::store::AccountChange;
use relight_model::{Digest, Timestamp};

use self::known::Known;
use self::limit::{Limits, Trial};
use self::links::FirstLink;
use self::notices::Notices;
use self::oidc::Provider;
pub use self::oidc::{GroupRole, OidcSettings};
use self::secret::Secret;
use self::sign_ins::{SignInTimes, WhoAsks};
use self::signed_in::Reader;
pub use self::signed_in::{Factor, SignedIn};
use self::ticket::Answered;
use self::token::NoToken;
use self::waiting::Terminals;
use crate::ServerError;

/// The clock: milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = fn() -> i64;

/// A passkey that was shown at most this long ago still counts for dangerous acts, in seconds.
pub const FRESH_S_MAX: i64 = 5 * 60;

/// Bits that an RSA key has at least, of a passkey or of a provider: 128 bits of security, as
/// everything else here (NIST SP 800-57, part 1, table 2).
pub const RSA_BITS_MIN: u32 = 3_072;

/// The least that a signed policy may ask for instead.
pub const RSA_BITS_LEAST: u32 = 2_048;

/// Who may read the console before anybody has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// Everybody on this machine, and nobody can sign in: a fictional province has no secrets.
    Fictional,
    /// Who is signed in, once there is an account or it is reached through a proxy.
    Guarded,
}

/// Under which name the console is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port (`http://localhost:8420`), as browsers send it in `Origin`.
    pub(crate) origin: String,
    /// The host alone: what passkeys are bound to.
    pub(crate) host: String,
}

impl Address {
    /// The parts of `https://host[:port][/]`, or of `http://localhost[:port][/]`.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let origin = url.trim_end_matches('/').to_ascii_lowercase();
        let (scheme, place) = origin.split_once("://")?;
        let host = crate::host::normal(place)?;
        // Browsers bind passkeys to names, never to numbers.
        let is_name = host.parse::<std::net::IpAddr>().is_err() && !host.starts_with('[');
        let is_safe = scheme == "https" || (scheme == "http" && host == "localhost");
        (is_name && is_safe).then_some(Self { host, origin })
    }

    /// Whether browsers reach it through TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

/// The door of one console.
pub struct Door {
    /// The register behind it; `None` when nobody can sign in.
    engine: Option<Arc<Engine>>,
    pub(crate) address: Address,
    clock: Clock,
    /// Of this life of the server: form tokens and challenges are made with it.
    secret: Secret,
    known: RwLock<Known>,
    /// One change at a time: each is decided on what the one before left.
    changing: Mutex<()>,
    answered: Answered,
    limits: Limits,
    /// How many refused sign-ins of nobody who is known were journalled lately: no flood of them
    /// hides one of somebody who has an account.
    unknown: Limits,
    /// How many refused requests of strangers were journalled lately.
    strangers: Limits,
    /// How many of people who are signed in: no flood from outside hides what they are refused.
    refusals: Limits,
    /// How many reports of browsers were.
    reports: Limits,
    /// What people have not seen yet of what happened to their accounts.
    pub(crate) notices: Notices,
    /// The link that was printed, until there is an account.
    first: Mutex<Option<FirstLink>>,
    /// Terminals that ask to be let in.
    terminals: Terminals,
    /// Secrets of authenticator apps that wait for their first code.
    unconfirmed: authenticator::Unconfirmed,
    /// Whether codes of such an app bring back who decides about plans, too.
    apps_for_deciders: bool,
    /// Who else may say who somebody is.
    provider: Option<Provider>,
    /// What groups of that provider give, by sign-in.
    pub(crate) groups: oidc::BySignIn,
    /// Bits that RSA keys need to count.
    pub(crate) rsa_bits_min: u32,
    /// How long sign-ins last.
    pub(crate) times: SignInTimes,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Door {
    /// The door of a console; with an engine, people can sign in.
    ///
    /// # Errors
    /// The accounts cannot be read, or the system gives no random numbers.
    pub(crate) fn open(
        engine: Option<Arc<Engine>>,
        address: Address,
        clock: Clock,
    ) -> Result<Self, ServerError> {
        let (known, notices) = match &engine {
            Some(engine) => (Known::read(engine)?, Notices::read(engine)?),
            None => (Known::default(), Notices::default()),
        };
        Ok(Self {
            engine,
            address,
            clock,
            secret: Secret::random()?,
            known: RwLock::new(known),
            changing: Mutex::new(()),
            answered: Answered::default(),
            limits: Limits::default(),
            unknown: Limits::default(),
            strangers: Limits::default(),
            refusals: Limits::default(),
            reports: Limits::default(),
            notices,
            first: Mutex::new(None),
            terminals: Terminals::default(),
            unconfirmed: authenticator::Unconfirmed::default(),
            apps_for_deciders: false,
            provider: None,
            groups: oidc::BySignIn::default(),
            rsa_bits_min: RSA_BITS_MIN,
            times: SignInTimes::default(),
        })
    }

    /// The same with a provider of identities; without accounts there is nobody to identify.
    pub(crate) fn with_provider(mut self, provider: Option<Provider>) -> Self {
        self.provider = provider.filter(|_| self.engine.is_some());
        self
    }

    /// The same where RSA keys need other bits to count.
    pub(crate) fn with_rsa_bits(mut self, rsa_bits_min: u32) -> Self {
        self.rsa_bits_min = rsa_bits_min;
        self
    }

    /// The same where codes of an authenticator app bring back who decides about plans, too.
    pub(crate) fn with_apps_for_deciders(mut self, apps_for_deciders: bool) -> Self {
        self.apps_for_deciders = apps_for_deciders;
        self
    }

    /// The same where sign-ins last another time.
    pub(crate) fn with_times(mut self, times: SignInTimes) -> Self {
        self.times = times;
        self
    }

    /// The provider of identities, if there is one.
    pub(crate) fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// Seconds since 1970 now.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)() / 1_000
    }

    /// Whether there is an account: from the first one on, for ever.
    pub(crate) fn is_closed(&self) -> bool {
        self.engine.is_some() && !self.known().tables.accounts.is_empty()
    }

    /// Whether everybody reads who reaches it: a fictional province, or no account yet. Behind a
    /// proxy everybody is not only those on this machine, so that there nobody is everybody.
    pub(crate) fn is_for_all(&self) -> bool {
        self.engine.is_none() || !(self.is_closed() || self.address.is_https())
    }

    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to change accounts: decide and change while you hold it.
    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what happened into the journal, then makes the changes; after an error of the first,
    /// nothing changed.
    ///
    /// # Errors
    /// The journal or the accounts cannot be written.
    pub(crate) fn record(
        &self,
        actor: &str,
        noted: Noted<'_>,
        changes: &[AccountChange],
    ) -> Result<(), ServerError> {
        let Some(engine) = &self.engine else {
            return Err(ServerError::new("there is no register to sign in to"));
        };
        self.note(actor, noted)?;
        self.change(engine, changes)
    }

    /// Makes changes of which the journal tells already.
    ///
    /// # Errors
    /// The accounts cannot be written.
    pub(crate) fn change(
        &self,
        engine: &Engine,
        changes: &[AccountChange],
    ) -> Result<(), ServerError> {
        let changed = engine.store().change_accounts(changes);
        changed.map_err(|error| ServerError::caused("change accounts", error))?;
        self.read_again(engine)
    }

    /// Writes what happened into the journal.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(crate) fn note(&self, actor: &str, noted: Noted<'_>) -> Result<(), ServerError> {
        let Some(engine) = &self.engine else { return Ok(()) };
        let Noted { act, account, facts } = noted;
        let facts = facts.iter().map(|(name, text)| ((*name).to_owned(), text.to_string()));
        let facts: BTreeMap<String, String> = facts.collect();
        let (kind, owner) = (act.to_owned(), account.to_owned());
        let entry = Entry::Access { act: kind, account: owner, facts: facts.clone() };
        let appended = engine.append(actor, vec![(String::new(), entry)]);
        appended.map_err(|error| ServerError::caused("write to the journal", error))?;
        self.notices.take(self.now(), (actor, account), act, &facts);
        Ok(())
    }

    /// Whether a report of a browser is to be journalled, and how many before it were not.
    pub(crate) fn tells_report(&self) -> Option<u64> {
        self.reports.tells(Trial::Allowed, self.now())
    }

    fn read_again(&self, engine: &Engine) -> Result<(), ServerError> {
        let known = Known::read(engine)?;
        self.groups.keep(&known);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// The engine; pages about accounts are there only with one.
    pub(crate) fn engine(&self) -> Option<&Arc<Engine>> {
        self.engine.as_ref()
    }

    /// A new account with what comes with it, written into the journal first.
    ///
    /// # Errors
    /// The journal or the accounts cannot be written.
    pub(crate) fn record_account(
        &self,
        actor: &str,
        noted: Noted<'_>,
        changes: &[AccountChange],
    ) -> Result<u32, ServerError> {
        let Some(engine) = &self.engine else {
            return Err(ServerError::new("there is no register to sign in to"));
        };
        self.note(actor, noted)?;
        let added = engine.store().add_account(noted.account, self.now(), changes);
        let id = added.map_err(|error| ServerError::caused("add an account", error))?;
        self.read_again(engine)?;
        Ok(id)
    }

    /// Who sends a request: by its token when it has one, else by its cookie.
    ///
    /// # Errors
    /// It has a token that is worth nothing; its cookie then does not count either.
    pub(crate) fn recognise(
        &self,
        headers: &HeaderMap,
        who_asks: WhoAsks,
    ) -> Result<Option<SignedIn>, NoToken> {
        match token::bearer(headers) {
            Some(token) => self.by_token(token?).map(Some),
            None => Ok(self.by_cookie(headers, who_asks)),
        }
    }

    /// The token that a form of this sign-in must carry, another text in each response.
    pub(crate) fn form_token(&self, signed: &SignedIn) -> String {
        self.secret.masked("form", &signed.sign_in.0)
    }

    /// The same for whoever reads a page.
    pub(crate) fn token_of(&self, reader: &Reader) -> String {
        match reader {
            Reader::Anyone => String::new(),
            Reader::Signed(signed) => self.form_token(signed),
        }
    }

    /// Whether a form carries a token of this sign-in.
    pub(crate) fn is_form_token(&self, signed: &SignedIn, token: &str) -> bool {
        self.secret.is_masked("form", &signed.sign_in.0, token)
    }
}

/// What happened, for the journal: the act, the account that it is about, and facts by name.
#[derive(Clone, Copy)]
pub(crate) struct Noted<'a> {
    pub(crate) act: &'a str,
    pub(crate) account: &'a str,
    pub(crate) facts: &'a [(&'a str, &'a dyn std::fmt::Display)],
}

/// Bytes as base64url.
pub(crate) fn encode_bytes(bytes: &[u8]) -> String {
    secret::encode(bytes)
}

/// The digest under which a secret is known.
pub(crate) fn digest_of(secret: &[u8]) -> Digest {
    let digest = ring::digest::digest(&ring::digest::SHA256, secret);
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    Digest(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_under_which_a_console_can_be_reached() {
        for (url, origin, host) in [
            ("http://localhost:8420", "http://localhost:8420", "localhost"),
            ("https://Relight.Example/", "https://relight.example", "relight.example"),
            ("https://relight.example:8443", "https://relight.example:8443", "relight.example"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.origin.as_str(), address.host.as_str()), (origin, host));
            assert_eq!(address.is_https(), url.starts_with("https"));
        }
        for bad in [
            "",
            "localhost",
            "http://relight.example",
            "http://127.0.0.1:8420",
            "https://127.0.0.1",
            "https://[::1]:8420",
            "https://a/b",
            "https://u@a.example",
            "ftp://a.example",
            "https://",
        ] {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }
}
