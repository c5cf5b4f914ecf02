//! Proves what an edge serves: one GET per site through its public listener.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use relight_model::{GateKey, Seen, SitePart};

use crate::driver::Target;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::http::{ANSWER_WAIT_MAX, Client, Response};
use crate::http2::{HTTP2, Http2, Said};
use crate::tls::{Listener, Under};

/// The header by which the edge, and nobody else, says that its gate answered.
pub const GATE_HEADER: &str = "X-Relight-Gate";
/// What that header says in the place of `1` while connections of before the gate closed are still
/// with the site: closed, and not proven dark.
pub const DRAINING: &str = "draining";
/// Keep-alive connections to one edge.
pub const CONNECTIONS_MAX: usize = 8;
/// Connections in a row that may fail before the rest of a round stays unknown.
const CONNECT_FAILURES_MAX: usize = 3;
/// Longest round: a proof that took longer has expired before it was whole.
const ROUND_WAIT_MAX: Duration = Duration::from_secs(15);
/// Most bytes of a page that a probe reads: what proves a light is in the head.
const PAGE_BYTES_MAX: usize = 64 << 10;

/// What of a site is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// The whole site, at its root.
    #[default]
    Site,
    /// The same while visitors from the internet are kept out under this key: to meet that gate
    /// says that the one of the site is open.
    Behind(GateKey),
    /// A part of it.
    Part {
        /// The key of the whole site, whose gate closes its parts as well.
        site: GateKey,
        /// The part.
        part: SitePart,
    },
}

impl Look {
    /// Method and path. A method that no browser sends and that changes nothing stands for those
    /// that write: where the gate is open, it reaches the site.
    fn request(&self) -> (&'static str, &str) {
        match self {
            Self::Part { part: SitePart::Section { path, .. }, .. } => ("GET", path),
            Self::Part { part: SitePart::Write, .. } => ("PROPFIND", "/"),
            _ => ("GET", "/"),
        }
    }
}

/// One site to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    /// Its gate key.
    pub key: GateKey,
    /// The name under which visitors ask for it.
    pub host: String,
    /// First digit of the status it had before the order (2 for 200); none when not recorded.
    pub baseline: Option<u16>,
    /// What of the site is looked at.
    pub look: Look,
}

/// What one probe saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeResult {
    /// The light, as far as the answer proves it.
    pub seen: Seen,
    /// Status of the answer; 0 without one.
    pub status: u16,
    /// Why there is no answer that counts, where that is known.
    pub trouble: Option<EdgeErrorKind>,
    /// Where listeners show different lights: whether one of them shows it lit.
    pub is_lit_somewhere: bool,
    /// The same for dark.
    pub is_dark_somewhere: bool,
    /// A gate of the edge answered, of whatever site: the status is not the site's own.
    pub is_gated: bool,
    /// The gate of the site is closed, and connections of before are open behind it.
    pub is_draining: bool,
}

impl ProbeResult {
    /// What two listeners show together: a light if they agree, and else which lights there are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let trouble = self.trouble.or(other.trouble);
        let shows = |light: Seen| self.shows(light) || other.shows(light);
        let seen = if self.seen == other.seen { self.seen } else { Seen::Unknown };
        Self {
            seen,
            status: if self.status / 100 == other.status / 100 { self.status } else { 0 },
            trouble,
            is_lit_somewhere: shows(Seen::Lit),
            is_dark_somewhere: shows(Seen::Dark),
            is_gated: self.is_gated || other.is_gated,
            is_draining: self.is_draining || other.is_draining,
        }
    }

    /// Whether any listener shows this light.
    pub fn shows(&self, light: Seen) -> bool {
        let somewhere = match light {
            Seen::Lit => self.is_lit_somewhere,
            Seen::Dark => self.is_dark_somewhere,
            Seen::Unknown => false,
        };
        somewhere || self.seen == light
    }
}

/// Probes one listener of an edge over a few connections that stay open between rounds.
#[derive(Debug)]
pub struct Prober {
    listener: Listener,
    clients: Vec<Option<Client>>,
    round_wait_max: Duration,
}

impl Prober {
    /// A prober of one listener; connects when it is first used.
    pub fn new(listener: impl Into<Listener>) -> Self {
        let clients = (0..CONNECTIONS_MAX).map(|_| None).collect();
        Self { listener: listener.into(), clients, round_wait_max: ROUND_WAIT_MAX }
    }

    /// One prober for every public listener of an edge.
    ///
    /// # Errors
    /// As [`Listener::all`].
    pub fn all(target: &Target) -> Result<Vec<Self>, EdgeError> {
        Ok(Listener::all(target)?.into_iter().map(Self::new).collect())
    }

    /// Where it asks.
    pub fn listener(&self) -> &Listener {
        &self.listener
    }

    /// The same listener over new connections.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { round_wait_max: self.round_wait_max, ..Self::new(self.listener.clone()) }
    }

    /// One result per target, in their order. `nonce` makes every request new to any cache.
    pub fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let seen = Mutex::new(vec![ProbeResult::default(); targets.len()]);
        self.probe_into(targets, nonce, &seen);
        seen.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for somebody who may not wait for the end: each result is written as it comes, into
    /// one place for each target. Whoever takes the places away ends the look.
    pub fn probe_into(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        seen: &Mutex<Vec<ProbeResult>>,
    ) {
        let deadline = Instant::now() + self.round_wait_max;
        let (listener, next) = (&self.listener, AtomicUsize::new(0));
        let round = Round { listener, targets, nonce, next, deadline, seen };
        let mut clients = self.clients.iter_mut().take(targets.len());
        thread::scope(|scope| {
            // The first connection is this thread's: where the system gives no other, it is enough.
            let first = clients.next();
            for client in clients {
                let begun = thread::Builder::new().spawn_scoped(scope, || round.work(client));
                if begun.is_err() {
                    break;
                }
            }
            first.into_iter().for_each(|client| round.work(client));
        });
        let asked = round.next.load(Ordering::Relaxed).min(targets.len());
        let is_in_time = Instant::now() < deadline;
        let mut results = round.seen();
        if results.len() < targets.len() {
            return;
        }
        let (asked, rest) = results.split_at_mut(asked);
        let is_silent = asked.iter().all(|result| result.trouble.is_some());
        // Who was not asked any more, because nobody answered, has the trouble of those who were.
        let mut troubles = asked.iter().rev().filter_map(|result| result.trouble);
        let trouble = troubles.find(|trouble| *trouble != EdgeErrorKind::Certificate);
        if is_in_time || is_silent {
            rest.fill(ProbeResult { trouble, ..ProbeResult::default() });
        }
    }
}

/// Why there is no answer.
enum Failed {
    /// No connection could be made.
    Connecting(EdgeError),
    /// One was made, and no answer came on it that can be read.
    Answering(EdgeError),
}

/// What the threads of one round share.
struct Round<'a> {
    listener: &'a Listener,
    targets: &'a [ProbeTarget],
    nonce: u64,
    next: AtomicUsize,
    deadline: Instant,
    seen: &'a Mutex<Vec<ProbeResult>>,
}

impl Round<'_> {
    fn seen(&self) -> MutexGuard<'_, Vec<ProbeResult>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False where nobody waits for it any more.
    fn note(&self, index: usize, result: ProbeResult) -> bool {
        self.seen().get_mut(index).map(|place| *place = result).is_some()
    }

    fn work(&self, client: &mut Option<Client>) {
        let mut failures = 0;
        while failures < CONNECT_FAILURES_MAX && Instant::now() < self.deadline {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = self.targets.get(index) else { break };
            let (method, path) = target.look.request();
            let uri = format!("{path}?relight-probe={:016x}-{index}", self.nonce);
            match self.ask(client, index, (method, &target.host, &uri)) {
                Ok(answer) => {
                    failures = 0;
                    if !self.note(index, judge(target, &answer)) {
                        break;
                    }
                    // The rest of a long page would hold up the edge until the next round; under
                    // TLS the next host shows a certificate of its own.
                    client.take_if(|kept| !kept.is_open() || self.listener.is_secured());
                }
                Err(failed) => {
                    // A certificate is the trouble of one site, and so is an answer.
                    let (kind, is_of_listener) = match failed {
                        Failed::Connecting(it) => (it.kind, it.kind != EdgeErrorKind::Certificate),
                        Failed::Answering(it) => (it.kind, false),
                    };
                    failures += usize::from(is_of_listener);
                    let trouble = Some(kind);
                    if !self.note(index, ProbeResult { trouble, ..ProbeResult::default() }) {
                        break;
                    }
                }
            }
        }
    }

    /// Asks on the kept connection, and once more on a new one: the edge may have closed the old
    /// one while nothing was asked.
    fn ask(
        &self,
        client: &mut Option<Client>,
        index: usize,
        (method, host, uri): (&str, &str, &str),
    ) -> Result<Response, Failed> {
        if let Some(kept) = client.as_mut().filter(|kept| kept.is_open())
            && let Ok(answer) = kept.request(method, host, uri, length(method))
        {
            return Ok(answer);
        }
        *client = None;
        let fresh = match self.is_http2(index) {
            true => self.listener.connect_offering(Under::Host(host)),
            false => self.listener.connect(host),
        };
        let fresh = fresh.map_err(Failed::Connecting)?;
        if fresh.has_agreed_to(HTTP2) {
            return self.ask_http2(fresh, method, host, uri).map_err(Failed::Answering);
        }
        let fresh = client.insert(fresh);
        fresh.body_bytes_max = PAGE_BYTES_MAX;
        fresh.request(method, host, uri, length(method)).map_err(Failed::Answering)
    }

    /// Whether HTTP/2 is offered for this one: under TLS, as only there browsers speak it, for
    /// every other one, by chance, so that each is soon looked at as browsers see it and as all
    /// others do. Both each time would cost twice the handshakes, which are the most of it. A name
    /// for which it is not agreed to is asked for over HTTP/1 on that connection.
    fn is_http2(&self, index: usize) -> bool {
        let mixed = (self.nonce ^ (index as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.listener.is_secured() && (mixed >> 32).count_ones() % 2 == 1
    }

    fn ask_http2(
        &self,
        client: Client,
        method: &str,
        host: &str,
        uri: &str,
    ) -> Result<Response, EdgeError> {
        let fields = [(":method", method), (":scheme", "https"), (":authority", host)];
        let fields = [&fields[..], &[(":path", uri)]].concat();
        let doing = || format!("read an answer over HTTP/2 of {}", self.listener);
        let said = Http2::begin(client.into_stream(), ANSWER_WAIT_MAX)
            .and_then(|begun| begun.ask(&fields, b""));
        match said.map_err(EdgeError::unreachable(doing()))? {
            Said::Answer(answer) => Ok(answer),
            Said::Refused => Err(EdgeError::new(EdgeErrorKind::Unreachable, doing())),
        }
    }
}

/// A server may wait for the body of any method but GET, unless it is told that there is none.
fn length(method: &str) -> &'static [(&'static str, &'static str)] {
    if method == "GET" { &[] } else { &[("Content-Length", "0")] }
}

/// Dark is our page for that very site; lit is the site itself in its usual class of status.
pub(crate) fn judge(target: &ProbeTarget, answer: &Response) -> ProbeResult {
    let status = answer.status;
    let mut is_draining = false;
    let mut markers = answer.values(GATE_HEADER);
    let seen = match (markers.next(), markers.next()) {
        (None, _) => lit(target, status),
        (Some(marker), None) => {
            let is_held = status == 503 && no_store(answer);
            match marker.split_once("; site=") {
                Some(("dark=1", key)) if is_held => target.held_by(key),
                Some((dark, key)) if is_held && is_drained(dark) => {
                    is_draining = target.held_by(key) == Seen::Dark;
                    Seen::Unknown
                }
                Some(("dark=", key)) if target.is_site(key) => lit(target, status),
                _ => Seen::Unknown,
            }
        }
        (Some(_), Some(_)) => Seen::Unknown,
    };
    let is_gated = answer.values(GATE_HEADER).any(is_shut);
    ProbeResult { seen, status, is_gated, is_draining, ..ProbeResult::default() }
}

/// Whether this value of the header of a gate says that it is closed, also while what was under way
/// ends.
pub fn is_shut(marker: &str) -> bool {
    marker.starts_with("dark=1") || is_drained(marker)
}

fn is_drained(marker: &str) -> bool {
    marker.strip_prefix("dark=").is_some_and(|rest| rest.starts_with(DRAINING))
}

impl ProbeTarget {
    /// A whole site, or the canary.
    pub const fn site(key: GateKey, host: String, baseline: Option<u16>) -> Self {
        Self { key, host, baseline, look: Look::Site }
    }

    /// What a closed gate under this key says.
    fn held_by(&self, key: &str) -> Seen {
        let other = match &self.look {
            Look::Site => None,
            Look::Behind(audience) => (audience.as_str() == key).then_some(Seen::Lit),
            Look::Part { site, .. } => (site.as_str() == key).then_some(Seen::Dark),
        };
        if self.key.as_str() == key { Seen::Dark } else { other.unwrap_or_default() }
    }

    /// Whether an answer that says that nobody knows the method is the site's own.
    const fn is_of_methods(&self) -> bool {
        matches!(self.look, Look::Part { part: SitePart::Write, .. })
    }

    /// Whether an open gate of this key is the one of the site.
    fn is_site(&self, key: &str) -> bool {
        match &self.look {
            Look::Part { site, .. } => site.as_str() == key,
            Look::Site | Look::Behind(_) => self.key.as_str() == key,
        }
    }
}

/// 421 says that this edge does not serve the name, whatever the site used to answer.
fn lit(target: &ProbeTarget, status: u16) -> Seen {
    let usual = match target.baseline {
        Some(class) => status / 100 == class,
        None => (200..500).contains(&status) || (status == 501 && target.is_of_methods()),
    };
    if usual && status != 421 { Seen::Lit } else { Seen::Unknown }
}

fn no_store(answer: &Response) -> bool {
    let mut items = answer.values("cache-control").flat_map(|value| value.split(','));
    items.any(|item| item.trim().eq_ignore_ascii_case("no-store"))
}

#[cfg(test)]
mod tests;
