//! Steady visitors: keep-alive clients that ask for every site in turn, and say what they got.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use relight_engine::edge::is_shut;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at, timeout};

use crate::mix::mix;
use crate::{ServerError, runtime};

/// Lost visits kept as text, per host.
pub const LOST_EXAMPLES_MAX: usize = 5;
/// Most visits a second.
pub const RATE_MAX: u32 = 100_000;
/// Most connections at once.
pub const CONNECTIONS_MAX: usize = 4_096;
/// How long one visit may take, connecting included; longer is lost.
const VISIT_TIMEOUT: Duration = Duration::from_secs(10);

/// How to visit.
#[derive(Clone, Debug)]
pub struct VisitorsConfig {
    /// The listener to visit.
    pub edge: SocketAddr,
    /// The hosts, asked for in turn.
    pub hosts: Vec<String>,
    /// Visits a second over all hosts, 1 to [`RATE_MAX`].
    pub rate_per_second: u32,
    /// Keep-alive connections, 1 to [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// Spreads the connections over time, the same way for the same seed.
    pub seed: u64,
}

/// What visitors got. A visit counts when it is over, so the three parts are all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VisitReport {
    /// The whole answer of the site (status 200 to 399).
    pub ok: u64,
    /// The whole holding page, with the marker of a closed gate.
    pub dark: u64,
    /// Anything else: no connection, a broken answer, another status, no answer in time.
    pub lost: u64,
    /// The first lost visits, at most [`LOST_EXAMPLES_MAX`] a host.
    pub examples: Vec<String>,
}

impl VisitReport {
    /// All visits.
    pub const fn visits(&self) -> u64 {
        self.ok + self.dark + self.lost
    }
}

/// Steady traffic.
#[derive(Debug)]
pub struct Visitors;

impl Visitors {
    /// Starts to visit, on threads of its own. Not to be called from async code.
    ///
    /// # Errors
    /// When there is no host, a host is malformed, or a number is out of its bounds.
    pub fn start(config: VisitorsConfig) -> Result<VisitorsHandle, ServerError> {
        let VisitorsConfig { edge, hosts, rate_per_second, connections, seed } = config;
        let bounds = |what: &str| Err(ServerError::new(format!("start visitors: {what}")));
        if hosts.is_empty() {
            return bounds("no host to visit");
        }
        if !(1..=RATE_MAX).contains(&rate_per_second) {
            return bounds("the rate is 1 to 100000 visits a second");
        }
        if !(1..=CONNECTIONS_MAX).contains(&connections) {
            return bounds("there are 1 to 4096 connections");
        }
        if let Some(host) = hosts.iter().find(|host| crate::host::normal(host).is_none()) {
            return bounds(&format!("`{host}` is not a host"));
        }
        let by_host = hosts.iter().cloned().enumerate().map(|(at, host)| (host, at)).collect();
        let reports = hosts.iter().map(|_| Mutex::default()).collect();
        let next = AtomicUsize::new(0);
        let state = Arc::new(State { edge, hosts, by_host, reports, next });
        let period = Duration::from_secs(1) * connections as u32 / rate_per_second;
        let runtime = runtime::start("relight-visitors")?;
        let stop = watch::Sender::new(false);
        let visitors = (0..connections as u64).map(|number| {
            let state = Arc::clone(&state);
            let offset = mix(seed.wrapping_add(number)) % (period.as_nanos() as u64).max(1);
            let visitor = Visitor { state, connection: None };
            runtime.spawn(visitor.run(Duration::from_nanos(offset), period, stop.subscribe()))
        });
        let visitors = visitors.collect();
        Ok(VisitorsHandle { state, stop, visitors, runtime: Some(runtime) })
    }
}

/// Running visitors; dropping it breaks off visits in flight.
#[derive(Debug)]
pub struct VisitorsHandle {
    state: Arc<State>,
    stop: watch::Sender<bool>,
    visitors: Vec<JoinHandle<()>>,
    runtime: Option<Runtime>,
}

impl VisitorsHandle {
    /// What the visitors of one host got so far; `None` when it is not visited.
    pub fn report(&self, host: &str) -> Option<VisitReport> {
        self.state.by_host.get(host).map(|&at| self.state.report(at))
    }

    /// What all visitors got so far.
    pub fn totals(&self) -> VisitReport {
        self.state.totals()
    }

    /// Lets visits in flight end, and returns what all visitors got. Not to be called from async
    /// code.
    pub fn stop(mut self) -> VisitReport {
        self.stop.send_replace(true);
        let visitors = std::mem::take(&mut self.visitors);
        if let Some(runtime) = self.runtime.take() {
            runtime.block_on(async {
                for visitor in visitors {
                    // A visit ends by itself within `VISIT_TIMEOUT`.
                    let _ = visitor.await;
                }
            });
            runtime.shutdown_background();
        }
        self.state.totals()
    }
}

impl Drop for VisitorsHandle {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Debug)]
struct State {
    edge: SocketAddr,
    hosts: Vec<String>,
    by_host: HashMap<String, usize>,
    reports: Vec<Mutex<VisitReport>>,
    next: AtomicUsize,
}

impl State {
    fn report(&self, at: usize) -> VisitReport {
        let report = self.reports.get(at);
        report
            .map(|one| one.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }

    fn totals(&self) -> VisitReport {
        let mut sum = VisitReport::default();
        for at in 0..self.reports.len() {
            let VisitReport { ok, dark, lost, examples } = self.report(at);
            sum.ok += ok;
            sum.dark += dark;
            sum.lost += lost;
            sum.examples.extend(examples);
        }
        sum.examples.truncate(LOST_EXAMPLES_MAX);
        sum
    }

    fn record(&self, at: usize, visit: Visit) {
        let Some(report) = self.reports.get(at) else { return };
        let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
        match visit {
            Visit::Ok => report.ok += 1,
            Visit::Dark => report.dark += 1,
            Visit::Lost(why) => {
                report.lost += 1;
                if report.examples.len() < LOST_EXAMPLES_MAX {
                    let host = self.hosts.get(at).map_or("", String::as_str);
                    report.examples.push(format!("{host}: {why}"));
                }
            }
        }
    }
}

/// How one visit ended.
enum Visit {
    Ok,
    Dark,
    Lost(String),
}

/// One client with its one connection.
struct Visitor {
    state: Arc<State>,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

impl Visitor {
    async fn run(mut self, offset: Duration, period: Duration, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval_at(Instant::now() + offset, period.max(Duration::from_nanos(1)));
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = runtime::stopped(&mut stop) => return,
            }
            let turn = self.state.next.fetch_add(1, Ordering::Relaxed);
            let at = turn % self.state.hosts.len();
            let visit = match timeout(VISIT_TIMEOUT, self.visit(at, turn)).await {
                Ok(Ok(visit)) => visit,
                Ok(Err(why)) => Visit::Lost(why),
                Err(_) => Visit::Lost("no answer in time".to_owned()),
            };
            if matches!(visit, Visit::Lost(_)) {
                self.connection = None;
            }
            self.state.record(at, visit);
        }
    }

    async fn visit(&mut self, at: usize, turn: usize) -> Result<Visit, String> {
        let host = self.state.hosts.get(at).map_or("", String::as_str);
        let request = Request::get(format!("/?visit={turn}"))
            .header(HOST, host)
            .body(Empty::new())
            .map_err(|error| error.to_string())?;
        let mut kept = self.connection.take();
        // A connection that the edge closed while it was idle costs a visitor nothing.
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => connect(self.state.edge).await?,
        };
        let response =
            sender.send_request(request).await.map_err(|error| format!("send: {error}"))?;
        let status = response.status();
        let marker = response.headers().get("x-relight-gate");
        let dark = marker.and_then(|value| value.to_str().ok()).is_some_and(is_shut);
        read_to_end(response.into_body()).await?;
        self.connection = Some(sender);
        Ok(match (status, dark) {
            (StatusCode::SERVICE_UNAVAILABLE, true) => Visit::Dark,
            (status, false) if status.is_success() || status.is_redirection() => Visit::Ok,
            (status, _) => Visit::Lost(format!("status {status}")),
        })
    }
}

async fn read_to_end(mut body: Incoming) -> Result<(), String> {
    while let Some(frame) = body.frame().await {
        frame.map_err(|error| format!("read: {error}"))?;
    }
    Ok(())
}

async fn connect(edge: SocketAddr) -> Result<SendRequest<Empty<Bytes>>, String> {
    let failed = |error: &dyn std::error::Error| format!("connect: {error}");
    let stream = TcpStream::connect(edge).await.map_err(|error| failed(&error))?;
    stream.set_nodelay(true).map_err(|error| failed(&error))?;
    let (sender, connection) =
        handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> VisitorsConfig {
        VisitorsConfig {
            edge: ([127, 0, 0, 1], 9).into(),
            hosts: vec!["a.qc".into()],
            rate_per_second: 10,
            connections: 1,
            seed: 1,
        }
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        for (config, says) in [
            (VisitorsConfig { hosts: vec![], ..config() }, "no host to visit"),
            (VisitorsConfig { rate_per_second: 0, ..config() }, "the rate is 1 to 100000"),
            (VisitorsConfig { rate_per_second: RATE_MAX + 1, ..config() }, "the rate is 1 to"),
            (VisitorsConfig { connections: 0, ..config() }, "there are 1 to 4096"),
            (VisitorsConfig { connections: CONNECTIONS_MAX + 1, ..config() }, "there are 1 to"),
            (VisitorsConfig { hosts: vec!["a b".into()], ..config() }, "`a b` is not a host"),
        ] {
            let error = Visitors::start(config).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
