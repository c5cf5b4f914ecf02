//! Proves what an edge serves: one GET per site through its public listener.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_model::{GateKey, Seen};

use crate::driver::Target;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::http::{self, Client, Response};
use crate::tls::Listener;

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
    /// Why there is no answer that counts, where that is known.
    pub trouble: Option<EdgeErrorKind>,
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

    /// One result per target, in their order. `nonce` makes every request new to any cache.
    pub fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let round = Round {
            listener: &self.listener,
            targets,
            nonce,
            next: AtomicUsize::new(0),
            deadline: Instant::now() + self.round_wait_max,
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
    listener: &'a Listener,
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
            match self.ask(client, &target.host, &uri) {
                Ok(answer) => {
                    failures = 0;
                    results.push((index, judge(target, &answer)));
                    // The rest of a long page would hold up the edge until the next round; under
                    // TLS the next host shows a certificate of its own.
                    client.take_if(|kept| !kept.is_open() || self.listener.is_secured());
                }
                Err(error) => {
                    let trouble = Some(error.kind);
                    results.push((index, ProbeResult { trouble, ..ProbeResult::default() }));
                    // A certificate is the trouble of one site.
                    let is_its_own = error.kind == EdgeErrorKind::Certificate;
                    failures += usize::from(client.is_none() && !is_its_own);
                }
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
        let fresh = client.insert(self.listener.connect(host)?);
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
    ProbeResult { seen, status, trouble: None }
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

/// Asks for a page of a site over the verification path behind the gate: a unix socket, or an
/// address on loopback where an edge can have no socket.
///
/// # Errors
/// `Unreachable` when the socket does not answer, `Refused` when host or uri are not HTTP.
pub fn verify_get(socket: &Path, host: &str, uri: &str) -> Result<(u16, Vec<u8>), EdgeError> {
    let mut client = match http::loopback(socket) {
        Some(address) => Client::connect(address)?,
        None => Client::connect_unix(socket)?,
    };
    let answer = client.get(host, uri)?;
    Ok((answer.status, answer.body))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::{Arc, Mutex};

    use super::*;

    fn target(baseline: Option<u16>) -> ProbeTarget {
        let key = GateKey::new("site").unwrap();
        ProbeTarget { key, host: "site.example".into(), baseline }
    }

    fn seen(baseline: Option<u16>, status: u16, headers: &[(&str, &str)]) -> Seen {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(owned).collect();
        let answer = Response { status, headers, body: Vec::new(), truncated: false };
        judge(&target(baseline), &answer).seen
    }

    #[test]
    fn dark_is_our_page_for_that_very_site() {
        let marker = ("x-relight-gate", "dark=1; site=site");
        let store = ("cache-control", "private, No-Store");
        assert_eq!(seen(None, 503, &[marker, store]), Seen::Dark);
        assert_eq!(seen(Some(2), 503, &[marker, store]), Seen::Dark);
        for (status, headers) in [
            (503, &[marker][..]),
            (503, &[store]),
            (200, &[marker, store]),
            (503, &[("x-relight-gate", "dark=1; site=other"), store]),
            (503, &[("x-relight-gate", "dark=1; site=site2"), store]),
            (503, &[("x-relight-gate", "dark=1"), store]),
            (503, &[("x-relight-gate", "dark=; site=site"), store]),
            (503, &[marker, marker, store]),
        ] {
            assert_eq!(seen(None, status, headers), Seen::Unknown, "{status} {headers:?}");
        }
    }

    #[test]
    fn lit_is_the_usual_class_of_status_without_our_marker() {
        for (baseline, status, light) in [
            (Some(2), 204, Seen::Lit),
            (Some(5), 500, Seen::Lit),
            (Some(2), 302, Seen::Unknown),
            (Some(2), 502, Seen::Unknown),
            (None, 404, Seen::Lit),
            (None, 503, Seen::Unknown),
            (None, 421, Seen::Unknown),
            (Some(4), 421, Seen::Unknown),
        ] {
            assert_eq!(seen(baseline, status, &[]), light, "{baseline:?} {status}");
        }
        assert_eq!(seen(None, 200, &[("x-relight-gate", "dark=; site=site")]), Seen::Lit);
        assert_eq!(seen(None, 200, &[("x-relight-gate", "dark=; site=other")]), Seen::Unknown);
    }

    /// Counts connections, notes every line of request, and closes after `answers` answers.
    fn edge(answers: usize) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let log = Arc::clone(&shared);
                log.lock().unwrap().push("connection".to_owned());
                thread::spawn(move || {
                    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    for _ in 0..answers {
                        let Some(Ok(first)) = lines.next() else { return };
                        log.lock().unwrap().push(first);
                        while lines.next().unwrap().is_ok_and(|line| !line.is_empty()) {}
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                        stream.write_all(answer).unwrap();
                    }
                });
            }
        });
        (address, log)
    }

    #[test]
    fn eight_connections_stay_open_between_rounds_and_every_request_is_new() {
        let (address, log) = edge(usize::MAX);
        let mut prober = Prober::new(address);
        let targets = vec![target(None); 200];
        for nonce in 0..2 {
            let results = prober.probe(&targets, nonce);
            assert!(results.iter().all(|result| result.seen == Seen::Lit));
        }
        let mut lines = log.lock().unwrap().clone();
        let connections = lines.iter().filter(|line| *line == "connection").count();
        assert!(connections <= CONNECTIONS_MAX, "{connections} connections");
        lines.retain(|line| line != "connection");
        lines.sort();
        lines.dedup();
        assert_eq!(lines.len(), 400, "a cache could have answered");
    }

    #[test]
    fn an_edge_that_closes_kept_connections_is_asked_again() {
        let (address, _) = edge(3);
        let results = Prober::new(address).probe(&vec![target(None); 50], 1);
        assert!(results.iter().all(|result| result.seen == Seen::Lit), "{results:?}");
    }

    /// A dead listener must not cost a wait per site.
    #[test]
    fn a_thread_gives_up_after_a_few_connections() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let listener = &Listener::from(listener);
        let targets = vec![target(None); 100];
        let (next, deadline) = (AtomicUsize::new(0), Instant::now() + ROUND_WAIT_MAX);
        let round = Round { listener, targets: &targets, nonce: 1, next, deadline };
        let results = round.work(&mut None);
        assert_eq!(results.len(), CONNECT_FAILURES_MAX);
        let why = |(_, result): &(usize, ProbeResult)| result.trouble;
        assert!(results.iter().all(|it| why(it) == Some(EdgeErrorKind::Unreachable)));
        assert_eq!(round.next.into_inner(), CONNECT_FAILURES_MAX);
    }

    #[test]
    fn a_round_ends_in_time_and_the_rest_is_unknown() {
        let (address, log) = edge(usize::MAX);
        let mut prober = Prober::new(address);
        assert_eq!(prober.round_wait_max, ROUND_WAIT_MAX);
        prober.round_wait_max = Duration::ZERO;
        let results = prober.probe(&vec![target(None); 50], 1);
        assert_eq!(results, vec![ProbeResult::default(); 50]);
        assert!(log.lock().unwrap().is_empty());
    }

    #[test]
    fn a_page_longer_than_a_probe_reads_is_still_lit() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let length = PAGE_BYTES_MAX + 1;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                let _ = stream.write_all(&vec![b'x'; length]);
                let _ = BufReader::new(stream).lines().count();
            }
        });
        let results = Prober::new(address).probe(&[target(Some(2)), target(Some(2))], 1);
        assert!(results.iter().all(|result| result.seen == Seen::Lit), "{results:?}");
    }

    #[test]
    fn no_target_needs_no_edge() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        assert!(Prober::new(listener).probe(&[], 1).is_empty());
    }
}
