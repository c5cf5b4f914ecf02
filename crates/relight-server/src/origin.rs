//! A small origin that counts: it serves many sites by `Host` and remembers when each request
//! began, so that a drill can prove that a dark site got none.

mod records;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::listen::accepted;
use crate::{ServerError, host, runtime};
use records::Records;

/// The path of the functional check: 200 and `ok <name>`, or 500 while the site is broken.
pub const HEALTH_PATH: &str = "/healthz";
/// The path that no site has.
pub const MISSING_PATH: &str = "/missing";
/// Requests remembered by one origin; 8 bytes each, so about 64 MB and at most twice that.
pub const RECORDS_MAX: usize = 8_000_000;
/// How long an idle connection of a client is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// One site of the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginSite {
    /// The host name under which it is asked for.
    pub host: String,
    /// The name on its pages.
    pub name: String,
}

/// What an origin serves.
#[derive(Clone, Debug)]
pub struct OriginConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its sites.
    pub sites: Vec<OriginSite>,
}

/// Requests of one site since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OriginCount {
    /// Requests of visitors.
    pub visitors: u64,
    /// Requests of the verification path (`X-Relight-Verify: 1`).
    pub verifications: u64,
}

/// The counting origin.
#[derive(Debug)]
pub struct Origin;

impl Origin {
    /// Starts an origin on threads of its own. Not to be called from async code.
    ///
    /// # Errors
    /// When a host is malformed or doubled, or the listener cannot be bound.
    pub fn start(config: OriginConfig) -> Result<OriginHandle, ServerError> {
        let mut state = State {
            sites: Vec::new(),
            by_host: HashMap::new(),
            records: Records::new(Instant::now(), RECORDS_MAX),
            unknown: AtomicU64::new(0),
        };
        for OriginSite { host: text, name } in config.sites {
            let host = host::normal(&text)
                .ok_or_else(|| ServerError::new(format!("origin: `{text}` is not a host")))?;
            let number = u32::try_from(state.sites.len()).unwrap_or(u32::MAX);
            if state.by_host.insert(host, number).is_some() {
                return Err(ServerError::new(format!("origin: `{text}` is served twice")));
            }
            state.sites.push(Served { name, broken: AtomicBool::new(false) });
        }
        let state = Arc::new(state);
        let runtime = runtime::start("relight-origin")?;
        let guard = runtime.enter();
        let (listener, address) = runtime::listen(config.listen)?;
        runtime.spawn(accept(Arc::clone(&state), listener));
        drop(guard);
        Ok(OriginHandle { state, address, runtime: Some(runtime) })
    }
}

/// A running origin; dropping it closes everything at once.
#[derive(Debug)]
pub struct OriginHandle {
    state: Arc<State>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl OriginHandle {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests of one site; `None` when the origin has no such site.
    pub fn requests(&self, host: &str) -> Option<OriginCount> {
        let (visitors, verifications) = self.state.records.counts(self.state.number(host)?);
        Some(OriginCount { visitors, verifications })
    }

    /// The requests of one site that began at or after `from` and before `to`; those of the
    /// verification path only with `include_verify`.
    ///
    /// # Errors
    /// When the origin has no such site, or when it could not remember every request of that time
    /// ([`RECORDS_MAX`]): a number would then be a guess.
    pub fn requests_between(
        &self,
        host: &str,
        from: Instant,
        to: Instant,
        include_verify: bool,
    ) -> Result<u64, ServerError> {
        let number = self.state.number(host).ok_or_else(|| no_site(host))?;
        self.state.records.between(number, from, to, include_verify).ok_or_else(|| {
            ServerError::new(format!("count requests of {host}: more than {RECORDS_MAX} requests"))
        })
    }

    /// Makes every page of one site fail with 500, or heals it.
    ///
    /// # Errors
    /// When the origin has no such site.
    pub fn set_broken(&self, host: &str, broken: bool) -> Result<(), ServerError> {
        let site = self.state.number(host).and_then(|number| self.state.site(number));
        site.ok_or_else(|| no_site(host))?.broken.store(broken, Ordering::SeqCst);
        Ok(())
    }

    /// Requests for hosts that the origin does not serve.
    pub fn unknown(&self) -> u64 {
        self.state.unknown.load(Ordering::Relaxed)
    }

    /// Stops and closes every connection before it returns. Not to be called from async code.
    pub fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(runtime::STOP_TIMEOUT);
        }
    }
}

impl Drop for OriginHandle {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn no_site(host: &str) -> ServerError {
    ServerError::new(format!("the origin has no site {host}"))
}

#[derive(Debug)]
struct State {
    sites: Vec<Served>,
    by_host: HashMap<String, u32>,
    records: Records,
    unknown: AtomicU64,
}

#[derive(Debug)]
struct Served {
    name: String,
    broken: AtomicBool,
}

impl State {
    fn number(&self, host: &str) -> Option<u32> {
        self.by_host.get(&host::normal(host)?).copied()
    }

    fn site(&self, number: u32) -> Option<&Served> {
        self.sites.get(number as usize)
    }
}

async fn accept(state: Arc<State>, listener: TcpListener) {
    loop {
        let (stream, _) = accepted(&listener).await;
        tokio::spawn(connection(Arc::clone(&state), stream));
    }
}

async fn connection(state: Arc<State>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let response = answer(&state, Instant::now(), &request);
        async move { Ok::<_, Infallible>(response) }
    });
    // A client that breaks off has been counted already.
    let _ = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

fn answer(state: &State, at: Instant, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let named = host::named(request.version(), request.uri(), request.headers()).ok();
    let Some(number) = named.and_then(|named| state.by_host.get(&named.host).copied()) else {
        state.unknown.fetch_add(1, Ordering::Relaxed);
        return page(StatusCode::NOT_FOUND, "text/plain", "no such site\n".into());
    };
    let verify = request.headers().get("x-relight-verify").is_some_and(|value| value == "1");
    state.records.add(number, at, verify);
    let Some(site) = state.site(number) else {
        return page(StatusCode::NOT_FOUND, "text/plain", "no such site\n".into());
    };
    let name = &site.name;
    if site.broken.load(Ordering::SeqCst) {
        return page(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("broken {name}"));
    }
    match request.uri().path() {
        HEALTH_PATH => page(StatusCode::OK, "text/plain; charset=utf-8", format!("ok {name}")),
        MISSING_PATH => page(StatusCode::NOT_FOUND, "text/plain", "no such page\n".into()),
        _ => page(StatusCode::OK, "text/html; charset=utf-8", html(name)),
    }
}

fn html(name: &str) -> String {
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    format!("<!doctype html><meta charset=utf-8><title>{name}</title><h1>{name}</h1>\n")
}

fn page(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
