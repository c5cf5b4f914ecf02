//! Starts console and public page, each on its own listener, behind a blocking handle.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use relight_engine::live::Board;
use relight_web::Lang;
use tokio::runtime::Runtime;

use crate::console::{self, Console, tally};
use crate::sse::Streams;
use crate::{ServerError, clock, public, runtime};

/// How long [`WebHandle::stop`] waits for the private threads.
const STOP_WAIT: Duration = Duration::from_secs(2);

/// Where to listen and what to show.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// Address of the console; port 0 takes a free one.
    pub console: SocketAddr,
    /// Address of the public page; port 0 takes a free one.
    pub public: SocketAddr,
    /// What both show.
    pub board: Arc<Board>,
    /// Language of the console without `?lang=` and of `/` of the public page.
    pub lang: Lang,
    /// Address under which visitors reach the public page, ending in `/`; `None`: its listener.
    pub public_url: Option<String>,
}

impl WebConfig {
    /// Both on free ports of the loopback, French first.
    pub fn loopback(board: Arc<Board>) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { console: free, public: free, board, lang: Lang::Fr, public_url: None }
    }
}

/// Console and public page; blocking.
#[derive(Debug)]
pub struct WebServer;

impl WebServer {
    /// Starts both. They answer when this returns.
    ///
    /// # Errors
    /// When a listener cannot be opened or threads cannot be started.
    pub fn start(config: WebConfig) -> Result<WebHandle, ServerError> {
        let WebConfig { console, public, board, lang, public_url } = config;
        let runtime = runtime::start("relight-web")?;
        let entered = runtime.enter();
        let (console_listener, console_addr) = runtime::listen(console)?;
        let (public_listener, public_addr) = runtime::listen(public)?;
        let state = Arc::new(Console {
            sectors: tally::sectors(board.sites()),
            board: Arc::clone(&board),
            lang,
            public_url: public_url.unwrap_or_else(|| format!("http://{public_addr}/")),
            life: format!("{:x}-{:x}", clock::now(), std::process::id()),
            streams: Streams::new(),
            loopback: console_addr.ip().is_loopback(),
        });
        let console = console::router(state);
        let public = public::router(board, lang);
        runtime.spawn(axum::serve(console_listener, console).into_future());
        runtime.spawn(axum::serve(public_listener, public).into_future());
        drop(entered);
        Ok(WebHandle { runtime, console_addr, public_addr })
    }
}

/// Running console and public page; dropping it stops them.
#[derive(Debug)]
pub struct WebHandle {
    runtime: Runtime,
    console_addr: SocketAddr,
    public_addr: SocketAddr,
}

impl WebHandle {
    /// Where the console listens.
    pub fn console_addr(&self) -> SocketAddr {
        self.console_addr
    }

    /// Where the public page listens.
    pub fn public_addr(&self) -> SocketAddr {
        self.public_addr
    }

    /// Stops both and closes their listeners and streams.
    pub fn stop(self) {
        self.runtime.shutdown_timeout(STOP_WAIT);
    }
}
