//! The agent's end: it enrols, says that it is there, and gets its next certificate. It believes
//! the authority of its own server only, whatever stands between them.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

use super::again::{REST, until_free};
use super::authority::{AgentKey, believing, pin_of};
use super::code::Code;
use super::identity::Identity;
use super::line::Line;
use super::pinned::Pinned;
use super::wire::{
    ENROL, EnrolRequest, INVENTORY, InventoryRequest, Issued, RENEW, RenewRequest, TURN, Taken,
    TurnAnswer, TurnRequest, Wish,
};
use crate::ServerError;
use crate::access::{digest_of, secret};

/// The port of a server of agents where its address names none.
pub const AGENT_PORT: u16 = 8_422;

/// Longest wait for a whole answer, connection included.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest wait until an inventory was taken in.
pub const INVENTORY_WAIT_MAX: Duration = Duration::from_secs(300);

/// The code of a fault: nobody waited for the answer any more.
pub const STOPPED: &str = "stopped";

/// Why an agent did not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFault {
    /// The stable name, part of the key of its sentence: `bad-address`, `bad-code`, `unreachable`,
    /// `timed-out`, `other-server`, `clock`, `answer`, `disk`, `not-writable`, `failed`,
    /// `server-failed`, [`STOPPED`], or why the server refused it.
    pub code: String,
    /// The technical cause; empty where the server refused it.
    pub detail: String,
}

impl AgentFault {
    pub(super) fn new(code: &str, detail: impl std::fmt::Display) -> Self {
        Self { code: code.to_owned(), detail: detail.to_string() }
    }
}

impl From<ServerError> for AgentFault {
    fn from(error: ServerError) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new("failed", format!("{error}{cause}"))
    }
}

/// Name or address, and port, of `https://relight.example[:8422]`. `None` when it is none.
pub fn address_of(url: &str) -> Option<String> {
    let place = url.trim().strip_prefix("https://")?.trim_end_matches('/');
    let plain = |sign: char| sign.is_ascii_alphanumeric() || ".-:[]".contains(sign);
    if place.is_empty() || !place.chars().all(plain) {
        return None;
    }
    let after = place.rsplit_once(']').map_or(place, |(_, after)| after);
    match after.rsplit_once(':') {
        None => Some(format!("{place}:{AGENT_PORT}")),
        Some((name, port)) => {
            let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
            (is_port && !name.contains(':')).then(|| place.to_owned())
        }
    }
}

/// Enrols this machine: makes a key, shows the code, and keeps what comes back in the file.
///
/// # Errors
/// Address or code are none, the server does not answer, is another one than that of the code, or
/// refuses it; or the file cannot be written.
pub fn enrol(url: &str, code: &str, host: &str, path: &Path) -> Result<Identity, AgentFault> {
    let server = address_of(url).ok_or_else(|| AgentFault::new("bad-address", url))?;
    let parsed = Code::parse(code).ok_or_else(|| AgentFault::new("bad-code", ""))?;
    let key = AgentKey::new()?;
    let request = EnrolRequest {
        code: parsed.text(),
        host: host.to_owned(),
        key: secret::encode(&key.public()),
        proof: secret::encode(&key.proof("enrol", &parsed.secret)),
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Pinned { pin: parsed.pin, provider: Arc::clone(&provider) };
    let config = tls(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let line = Line::new(&server, config.with_no_client_auth(), Arc::default())?;
    let issued: Issued = line.ask(ENROL, &request)?;
    let identity = Identity::of(&server, key.pkcs8, issued);
    let identity = identity.filter(|it| pin_of(&it.authority) == Some(parsed.pin));
    let identity = identity.ok_or_else(|| AgentFault::new("answer", "it holds no certificate"))?;
    identity.write(path).map_err(|error| on_disk(path, &error))?;
    Ok(identity)
}

fn on_disk(path: &Path, error: &std::io::Error) -> AgentFault {
    AgentFault::new("disk", format!("{}: {error}", path.display()))
}

/// What the server said to an agent that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// A site to be looked at again.
    pub wish: Option<Wish>,
    /// Sites that the agent named and that are not its own at the server.
    pub foreign: Vec<String>,
}

/// An agent that has enrolled.
#[derive(Debug)]
pub struct AgentClient {
    identity: Identity,
    path: PathBuf,
    line: Line,
    /// The server said that it is time for the next certificate.
    is_due: AtomicBool,
    /// Set when nobody waits for answers any more.
    stop: Arc<AtomicBool>,
}

impl AgentClient {
    /// The one that this file is about.
    ///
    /// # Errors
    /// What stands there cannot be used.
    pub fn new(identity: Identity, path: &Path) -> Result<Self, AgentFault> {
        Self::until(identity, path, Arc::default())
    }

    /// The same, for as long as a flag is not set: then it waits for no answer any more, and says
    /// [`STOPPED`].
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn until(
        identity: Identity,
        path: &Path,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, AgentFault> {
        let (line, path) = (line(&identity, &stop)?, path.to_owned());
        Ok(Self { identity, path, line, is_due: AtomicBool::new(false), stop })
    }

    /// The same agent on a line of its own, for who sends while this one has its turns. Its
    /// certificate is that of now: none is renewed while both are used.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn another(&self) -> Result<Self, AgentFault> {
        Self::until(self.identity.clone(), &self.path, Arc::clone(&self.stop))
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    #[cfg(test)]
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Says that it is there and has these sites; gives what the server wishes.
    ///
    /// # Errors
    /// The server does not answer, is another one, or lets it in no more.
    pub fn turn(&self, sites: &[String]) -> Result<Turned, AgentFault> {
        self.turn_with(sites, None)
    }

    /// The same while it looks at a site: it is given no other one meanwhile.
    ///
    /// # Errors
    /// As [`Self::turn`].
    pub fn turn_looking(&self, sites: &[String], site: &str) -> Result<Turned, AgentFault> {
        self.turn_with(sites, Some(site.to_owned()))
    }

    fn turn_with(&self, sites: &[String], looks: Option<String>) -> Result<Turned, AgentFault> {
        let (version, sites) = (env!("CARGO_PKG_VERSION").to_owned(), sites.to_vec());
        let answer = self.line.ask(TURN, &TurnRequest { version, sites, looks });
        let TurnAnswer { renew, wish, foreign } = answer?;
        self.is_due.store(renew, Ordering::Relaxed);
        Ok(Turned { wish, foreign })
    }

    /// Sends the inventory (CycloneDX) that a wish asks for. Where the server takes in others just
    /// then, it waits: what a machine looked through for an hour is not thrown away.
    ///
    /// # Errors
    /// As [`Self::turn`]; or the server takes it no more.
    pub fn send(&self, wish: &Wish, inventory: String) -> Result<(), AgentFault> {
        let Wish { site, ticket } = wish.clone();
        let request = InventoryRequest { site, ticket, inventory };
        let ask = || self.line.ask_within(INVENTORY_WAIT_MAX, INVENTORY, &request);
        // The server takes in a few at a time and says nothing when a place is free.
        until_free(ask, || thread::sleep(REST)).map(|Taken {}| ())
    }

    /// Gets its next certificate, with another key, when the server said so at the last turn; says
    /// whether it did.
    ///
    /// # Errors
    /// As [`Self::turn`]; or the file cannot be written. The certificate of before still holds.
    pub fn renew_when_due(&mut self) -> Result<bool, AgentFault> {
        // Once for each time that it is said.
        if !self.is_due.swap(false, Ordering::Relaxed) {
            return Ok(false);
        }
        // What could not be kept is not asked for.
        let kept = self.identity.write(&self.path);
        kept.map_err(|error| AgentFault {
            code: "not-writable".to_owned(),
            ..on_disk(&self.path, &error)
        })?;
        let key = AgentKey::new()?;
        let about = digest_of(&self.identity.certificate).0;
        let request = RenewRequest {
            key: secret::encode(&key.public()),
            proof: secret::encode(&key.proof("renew", &about)),
        };
        let issued: Issued = self.line.ask(RENEW, &request)?;
        let next = Identity::of(&self.identity.server, key.pkcs8, issued);
        let next = next.filter(|next| next.authority == self.identity.authority);
        let next = next.ok_or_else(|| AgentFault::new("answer", "it holds no certificate"))?;
        let line = line(&next, &self.stop)?;
        next.write(&self.path).map_err(|error| on_disk(&self.path, &error))?;
        (self.identity, self.line) = (next, line);
        Ok(true)
    }
}

pub(super) fn line(identity: &Identity, stop: &Arc<AtomicBool>) -> Result<Line, AgentFault> {
    let roots = believing(&identity.authority)?;
    let config = tls(Arc::new(ring::default_provider()))?.with_root_certificates(roots);
    let chain = vec![identity.certificate.clone()];
    let config = config.with_client_auth_cert(chain, identity.private_key());
    let config = config.map_err(|error| AgentFault::new("failed", error))?;
    Line::new(&identity.server, config, Arc::clone(stop))
}

type Unverified =
    tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::WantsVerifier>;

fn tls(provider: Arc<CryptoProvider>) -> Result<Unverified, AgentFault> {
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&tokio_rustls::rustls::version::TLS13])
        .map_err(|error| AgentFault::new("failed", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        for (url, place) in [
            ("https://relight.example", Some("relight.example:8422")),
            ("https://relight.example/", Some("relight.example:8422")),
            ("https://127.0.0.1:9", Some("127.0.0.1:9")),
            ("https://[::1]", Some("[::1]:8422")),
            ("https://[::1]:9", Some("[::1]:9")),
            ("http://relight.example", None),
            ("relight.example", None),
            ("https://", None),
            ("https://a/b", None),
            ("https://u@a", None),
            ("https://a:0", None),
            ("https://a:x", None),
            ("https://a:1:2", None),
        ] {
            assert_eq!(address_of(url).as_deref(), place, "{url}");
        }
    }
}
