//! Proves what an edge serves: one GET per site through its public listener.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_model::{GateKey, Seen};

use crate::error::EdgeError;
use crate::http::{Client, Response};

/// The header by which the edge, and nobody else, says that its gate answered.
pub const GATE_HEADER: &str = "X-Relight-Gate";
/// Keep-alive connections to one edge.
pub const CONNECTIONS_MAX: usize = 8;
/// Connections in a row that may fail before the rest of a round stays unknown.
const CONNECT_FAILURES_MAX: usize = 3;
/// Longest round: a proof that took longer has expired before it was whole.
const ROUND_WAIT_MAX: Duration = Duration::from_secs(15);
/// Most bytes of a page that a probe reads: what proves a light is in the head.
const PAGE_BYTES_MAX: usize = 64 << 10;

/// One site to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeTarget {
    /// Its gate key.
    pub key: GateKey,
    /// The name under which visitors ask for it.
    pub host: String,
    /// First digit of the status it had before the order (2 for 200); none when not recorded.
    pub baseline: Option<u16>,
}

/// What one probe saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeResult {
    /// The light, as far as the answer proves it.
    pub seen: Seen,
    /// Status of the answer; 0 without one.
    pub status: u16,
}

/// Probes one listener of an edge over a few connections that stay open between rounds.
#[derive(Debug)]
pub struct Prober {
    listener: SocketAddr,
    clients: Vec<Option<Client>>,
}

impl Prober {
    /// A prober of one listener; connects when it is first used.
    pub fn new(listener: SocketAddr) -> Self {
        Self { listener, clients: (0..CONNECTIONS_MAX).map(|_| None).collect() }
    }

    /// One result per target, in their order. `nonce` makes every request new to any cache.
    pub fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let round = Round {
            listener: self.listener,
            targets,
            nonce,
            next: AtomicUsize::new(0),
            deadline: Instant::now() + ROUND_WAIT_MAX,
        };
        let mut results = vec![ProbeResult::default(); targets.len()];
        thread::scope(|scope| {
            let clients = self.clients.iter_mut().take(targets.len());
            let threads: Vec<_> =
                clients.map(|client| scope.spawn(|| round.work(client))).collect();
            for (index, result) in threads.into_iter().flat_map(|thread| thread.join()).flatten() {
                results[index] = result;
            }
        });
        results
    }
}

/// What the threads of one round share.
struct Round<'a> {
    listener: SocketAddr,
    targets: &'a [ProbeTarget],
    nonce: u64,
    next: AtomicUsize,
    deadline: Instant,
}

impl Round<'_> {
    fn work(&self, client: &mut Option<Client>) -> Vec<(usize, ProbeResult)> {
        let mut results = Vec::new();
        let mut failures = 0;
        while failures < CONNECT_FAILURES_MAX && Instant::now() < self.deadline {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(target) = self.targets.get(index) else { break };
            let uri = format!("/?relight-probe={:016x}-{index}", self.nonce);
            if let Ok(answer) = self.ask(client, &target.host, &uri) {
                failures = 0;
                results.push((index, judge(target, &answer)));
            } else if client.is_none() {
                failures += 1;
            }
        }
        results
    }

    /// Asks on the kept connection, and once more on a new one: the edge may have closed the old
    /// one while nothing was asked. The client is left empty when no connection could be made.
    fn ask(
        &self,
        client: &mut Option<Client>,
        host: &str,
        uri: &str,
    ) -> Result<Response, EdgeError> {
        if let Some(kept) = client.as_mut().filter(|kept| kept.is_open())
            && let Ok(answer) = kept.get(host, uri)
        {
            return Ok(answer);
        }
        *client = None;
        let fresh = client.insert(Client::connect(self.listener)?);
        fresh.body_bytes_max = PAGE_BYTES_MAX;
        fresh.get(host, uri)
    }
}

/// Dark is our page for that very site; lit is the site itself in its usual class of status.
fn judge(target: &ProbeTarget, answer: &Response) -> ProbeResult {
    let status = answer.status;
    let mut markers = answer.values(GATE_HEADER);
    let site = format!("; site={}", target.key);
    let seen = match (markers.next(), markers.next()) {
        (None, _) => lit(target, status),
        (Some(marker), None) => match marker.strip_suffix(&site) {
            Some("dark=1") if status == 503 && no_store(answer) => Seen::Dark,
            Some("dark=") => lit(target, status),
            _ => Seen::Unknown,
        },
        (Some(_), Some(_)) => Seen::Unknown,
    };
    ProbeResult { seen, status }
}

/// 421 says that this edge does not serve the name, whatever the site used to answer.
fn lit(target: &ProbeTarget, status: u16) -> Seen {
    let usual = match target.baseline {
        Some(class) => status / 100 == class,
        None => (200..500).contains(&status),
    };
    if usual && status != 421 { Seen::Lit } else { Seen::Unknown }
}

fn no_store(answer: &Response) -> bool {
    let mut items = answer.values("cache-control").flat_map(|value| value.split(','));
    items.any(|item| item.trim().eq_ignore_ascii_case("no-store"))
}

/// Asks for a page of a site over the verification path behind the gate.
///
/// # Errors
/// `Unreachable` when the socket does not answer, `Refused` when host or uri are not HTTP.
pub fn verify_get(socket: &Path, host: &str, uri: &str) -> Result<(u16, Vec<u8>), EdgeError> {
    let answer = Client::connect_unix(socket)?.get(host, uri)?;
    Ok((answer.status, answer.body))
}
