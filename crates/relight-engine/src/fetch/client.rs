//! One document over HTTP into a file: asked only if it changed, over TLS that is checked, within
//! limits of size, time and redirects.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use relight_formats::http_date;
use relight_model::Timestamp;
use ureq::http::{HeaderMap, StatusCode, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error as Cause};

use super::state::Validators;

/// Most bytes of one answer, packed as it comes.
pub const ANSWER_BYTES_MAX: u64 = 4 << 30;

/// Most redirects from one address.
pub const REDIRECTS_MAX: u32 = 5;

/// Longest wait for a connection, names and TLS included, in seconds.
pub const CONNECT_S_MAX: u64 = 20;

/// Longest silence of a server, in seconds.
pub const SILENCE_S_MAX: u64 = 60;

/// Longest time for one answer, in seconds.
pub const ANSWER_S_MAX: u64 = 2 * 3_600;

/// Longest value of a header that is kept, in bytes.
const HEADER_BYTES_MAX: usize = 1_024;

/// Largest file of certificates of authorities, in bytes.
const AUTHORITIES_BYTES_MAX: u64 = 16 << 20;

/// Where systems keep the certificates of authorities: Debian, Red Hat, SUSE, Alpine.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How we introduce ourselves.
const NAME: &str = concat!("relight/", env!("CARGO_PKG_VERSION"));

/// Why a document did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable code: `unreachable`, `certificate`, `timed-out`, `cut`, `redirect`, `status`,
    /// `busy`, `insecure`, `token`, `too-long`, `answer`, `disk`, `stopped`, `gone`, `authorities`;
    /// of what came, `list`, `damaged`, `incomplete`, `nothing-usable` or `refused`.
    pub code: &'static str,
    /// The place and the technical cause.
    pub detail: String,
    /// How long the server asks to be left alone, in seconds.
    pub retry_after_s: Option<i64>,
}

impl Fault {
    /// A fault with its place and cause.
    pub(super) fn new(code: &'static str, place: &str, cause: impl std::fmt::Display) -> Self {
        Self { code, detail: format!("{place}: {cause}"), retry_after_s: None }
    }

    pub(super) fn stopped(place: &str) -> Self {
        Self::new("stopped", place, "this program ends")
    }

    pub(super) fn gone(place: &str) -> Self {
        Self::new("gone", place, "the feed was taken off the list meanwhile, or put on it anew")
    }

    /// Whether it is about this one document, and others of the server may come.
    pub(super) fn is_of_document(&self) -> bool {
        matches!(self.code, "status" | "too-long")
    }
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is as it was.
    Same,
    /// The document is in the file.
    Came {
        /// To ask with next time.
        validators: Validators,
        /// When the server says that it changed.
        changed_at: Option<Timestamp>,
    },
}

/// Asks servers.
#[derive(Debug)]
pub(super) struct Client {
    secure: Agent,
    plain: Agent,
}

impl Client {
    /// A client that believes these authorities, or those of the system. Proxies are those of the
    /// environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub(super) fn new(authorities: Option<&Path>) -> Result<Self, Fault> {
        Self::with_times(authorities, SILENCE_S_MAX)
    }

    /// As [`Client::new`], with another patience.
    pub(super) fn with_times(authorities: Option<&Path>, silence_s: u64) -> Result<Self, Fault> {
        // Without any, a system can still ask a mirror on this machine.
        let roots = match authorities {
            Some(path) => read_authorities(path)?,
            None => system_authorities()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let agent = |is_secure: bool| {
            let config = Agent::config_builder();
            // What stands on this machine is not asked through another one.
            let config = if is_secure { config } else { config.proxy(None) };
            config
                .tls_config(tls.clone())
                .https_only(is_secure)
                .http_status_as_error(false)
                .max_redirects(if is_secure { REDIRECTS_MAX } else { 0 })
                .max_redirects_will_error(true)
                .user_agent(NAME)
                .accept("*/*")
                .accept_encoding("identity")
                .timeout_connect(Some(Duration::from_secs(CONNECT_S_MAX)))
                .timeout_recv_response(Some(Duration::from_secs(silence_s)))
                .timeout_per_read(Some(Duration::from_secs(silence_s)))
                .timeout_global(Some(Duration::from_secs(ANSWER_S_MAX)))
                .build()
                .new_agent()
        };
        Ok(Self { secure: agent(true), plain: agent(false) })
    }

    /// Who asks at an address.
    pub(super) fn agent(&self, url: &str) -> &Agent {
        if url.starts_with("https:") { &self.secure } else { &self.plain }
    }

    /// Gets a document into a file, which is made anew. What of a document that was cut off is in
    /// the file says nothing.
    ///
    /// # Errors
    /// It did not come whole.
    pub(super) fn get(
        &self,
        url: &str,
        known: Option<&Validators>,
        into: &Path,
        bytes_max: u64,
        stop: &AtomicBool,
    ) -> Result<Answer, Fault> {
        let is_stopped = || stop.load(Ordering::Relaxed);
        if is_stopped() {
            return Err(Fault::stopped(url));
        }
        let agent = self.agent(url);
        let known = known.filter(|it| **it != Validators::default());
        let mut request = agent.get(url);
        if let Some(etag) = known.and_then(|it| it.etag.as_deref()) {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        if let Some(date) = known.and_then(|it| it.last_modified.as_deref()) {
            request = request.header(header::IF_MODIFIED_SINCE, date);
        }
        let (head, body) = request
            .call()
            .map_err(
                |cause| {
                    if is_stopped() { Fault::stopped(url) } else { fault_of(url, &cause) }
                },
            )?
            .into_parts();
        match head.status {
            StatusCode::NOT_MODIFIED if known.is_some() => return Ok(Answer::Same),
            StatusCode::OK => {}
            status => return Err(refusal(url, status, &head.headers)),
        }
        save(body, url, into, bytes_max, stop)?;
        let validators = validators(&head.headers);
        let changed_at = validators.last_modified.as_deref().and_then(http_date);
        Ok(Answer::Came { validators, changed_at })
    }
}

/// Writes a body into a file.
fn save(
    body: Body,
    url: &str,
    into: &Path,
    bytes_max: u64,
    stop: &AtomicBool,
) -> Result<(), Fault> {
    let on_disk = |cause: io::Error| Fault::new("disk", &into.display().to_string(), cause);
    let mut file = File::create(into).map_err(on_disk)?;
    let mut body = body.into_with_config().limit(u64::MAX).reader();
    let (mut buffer, mut left) = (vec![0; 64 << 10], bytes_max);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(Fault::stopped(url));
        }
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cut(url, &cause)),
        };
        left = left
            .checked_sub(count as u64)
            .ok_or_else(|| Fault::new("too-long", url, format!("more than {bytes_max} bytes")))?;
        file.write_all(buffer.get(..count).unwrap_or_default()).map_err(on_disk)?;
    }
    Ok(())
}

/// A body that ended early.
pub(super) fn cut(url: &str, cause: &io::Error) -> Fault {
    let inner = cause.get_ref().and_then(|inner| inner.downcast_ref::<Cause>());
    match inner {
        Some(Cause::Timeout(_)) => Fault::new("timed-out", url, cause),
        _ if cause.kind() == io::ErrorKind::TimedOut => Fault::new("timed-out", url, cause),
        _ => Fault::new("cut", url, cause),
    }
}

pub(super) fn fault_of(url: &str, cause: &Cause) -> Fault {
    let code = match cause {
        Cause::Io(io) if is_of_tls(io) => "certificate",
        Cause::Io(_) | Cause::HostNotFound | Cause::ConnectionFailed => "unreachable",
        Cause::Timeout(_) => "timed-out",
        Cause::TooManyRedirects | Cause::RedirectFailed | Cause::RequireHttpsOnly(_) => "redirect",
        Cause::Tls(_) | Cause::Rustls(_) | Cause::Pem(_) => "certificate",
        _ => "answer",
    };
    Fault::new(code, url, cause)
}

fn is_of_tls(cause: &io::Error) -> bool {
    cause.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// An answer without the document. Who is busy says for how long.
pub(super) fn refusal(url: &str, status: StatusCode, headers: &HeaderMap) -> Fault {
    let is_busy = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let wait = text(headers, &header::RETRY_AFTER).filter(|_| is_busy);
    // A date is measured by the clock of the server, which says what time it is there.
    let now = text(headers, &header::DATE).and_then(|date| http_date(&date));
    let retry_after_s = wait.and_then(|wait| {
        wait.trim().parse().ok().or_else(|| Some(http_date(&wait)?.saturating_sub(now?)))
    });
    let code = if is_busy { "busy" } else { "status" };
    Fault { retry_after_s, ..Fault::new(code, url, status) }
}

fn validators(headers: &HeaderMap) -> Validators {
    Validators {
        etag: text(headers, &header::ETAG),
        last_modified: text(headers, &header::LAST_MODIFIED),
    }
}

fn text(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= HEADER_BYTES_MAX).then(|| value.to_owned())
}

fn system_authorities() -> Result<Vec<Certificate<'static>>, Fault> {
    let path = SYSTEM.into_iter().map(PathBuf::from).find(|path| path.is_file());
    path.map_or_else(|| Ok(Vec::new()), |path| read_authorities(&path))
}

fn read_authorities(path: &Path) -> Result<Vec<Certificate<'static>>, Fault> {
    let place = path.display().to_string();
    let failed = |cause: io::Error| Fault::new("authorities", &place, cause);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > AUTHORITIES_BYTES_MAX {
        let cause = format!("more than {AUTHORITIES_BYTES_MAX} bytes");
        return Err(Fault::new("authorities", &place, cause));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let mut found = Vec::new();
    for item in parse_pem(&bytes) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(cause) => return Err(Fault::new("authorities", &place, cause)),
        }
    }
    if found.is_empty() {
        return Err(Fault::new("authorities", &place, "there are none"));
    }
    Ok(found)
}
