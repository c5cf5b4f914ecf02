//! Listeners for logs: syslog over UDP, TCP and TLS, and flow records over UDP. What comes in is
//! written to a spool of files, which is read as any other folder of logs is.
//!
//! The rule about losses: a connection is read on only when there is room for what comes, so a
//! sender over TCP or TLS waits and nothing of it is dropped here. A datagram for which there is
//! no room is dropped and counted, and so is what the system dropped before it came here. A line
//! that was taken is in a file within moments, and on the disk within [`SYNC_EVERY`]; the file
//! goes only when it was read to its end. Syslog has no acknowledgement: what a sender had sent and
//! the system had not handed over when a process was killed is lost, and nobody can count it.

mod datagrams;
mod frames;
mod queue;
mod spool;
mod streams;
mod tally;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use relight_engine::watch::line::LINE_BYTES_MAX;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{ServerError, runtime};
use queue::Queue;
use spool::Spool;
use tally::Counters;

pub use tally::ReceiveTally;

/// Connections of all listeners at a time; another one is closed at once.
pub const CONNECTIONS_MAX: usize = 256;

/// Bytes that wait to be written. At this limit connections wait and datagrams are dropped.
pub const QUEUE_BYTES_MAX: usize = 16 << 20;

/// Bytes of one line; the rest of a longer one is dropped and counted.
pub const FRAME_BYTES_MAX: usize = LINE_BYTES_MAX;

/// How long a line (or a TLS handshake) may take from its first byte to its last.
pub const SLOW_MAX: Duration = Duration::from_secs(60);

/// How long a connection may say nothing.
pub const IDLE_MAX: Duration = Duration::from_secs(3_600);

/// Bytes of one file of the spool.
pub const SPOOL_FILE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of all files of the spool together. At this limit nothing more is written until some of
/// it was read.
pub const SPOOL_BYTES_MAX: u64 = 1 << 30;

/// How often what was written is made sure to be on the disk.
pub const SYNC_EVERY: Duration = Duration::from_secs(1);

/// How long the end may take: connections are read on for a moment, and what waits is written.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Where to listen. Port 0 takes a free one.
#[derive(Clone, Debug)]
pub struct ReceiveConfig {
    /// The folder of the spool; it is made when it is not there.
    pub folder: PathBuf,
    /// Syslog, one message a datagram (RFC 5426).
    pub syslog_udp: Option<SocketAddr>,
    /// Syslog with either framing of RFC 6587.
    pub syslog_tcp: Option<SocketAddr>,
    /// Syslog over TLS (RFC 5425).
    pub syslog_tls: Option<(SocketAddr, TlsFiles)>,
    /// NetFlow 5 and 9, IPFIX.
    pub flows: Option<SocketAddr>,
    /// What is taken at most.
    pub limits: ReceiveLimits,
}

/// Who the TLS listener says it is.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// Certificate and chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// The limits of a receiver; each is one of the constants of this file.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveLimits {
    /// See [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// See [`QUEUE_BYTES_MAX`].
    pub queue_bytes: usize,
    /// See [`SLOW_MAX`].
    pub slow: Duration,
    /// See [`IDLE_MAX`].
    pub idle: Duration,
    /// See [`SPOOL_FILE_BYTES_MAX`].
    pub file_bytes: u64,
    /// See [`SPOOL_BYTES_MAX`].
    pub spool_bytes: u64,
}

impl Default for ReceiveLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            queue_bytes: QUEUE_BYTES_MAX,
            slow: SLOW_MAX,
            idle: IDLE_MAX,
            file_bytes: SPOOL_FILE_BYTES_MAX,
            spool_bytes: SPOOL_BYTES_MAX,
        }
    }
}

/// Running listeners; dropping them stops them.
#[derive(Debug)]
pub struct Receiver {
    /// Gone once it was stopped.
    runtime: Option<Runtime>,
    listeners: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    writer: Option<thread::JoinHandle<()>>,
    addresses: Vec<(&'static str, SocketAddr)>,
    counters: Arc<Counters>,
}

impl Receiver {
    /// Starts the listeners. They take what comes when this returns.
    ///
    /// # Errors
    /// A listener cannot be opened, the spool cannot be written, or certificate and key cannot be
    /// used.
    pub fn start(config: &ReceiveConfig) -> Result<Self, ServerError> {
        let runtime = runtime::start("relight-receive")?;
        let counters = Arc::new(Counters::default());
        let spool = Spool::open(&config.folder, config.limits)?;
        let (queue, items) = Queue::new(config.limits.queue_bytes, Arc::clone(&counters));
        let (stop, stopped) = watch::channel(false);
        let mut open = Listeners { runtime: &runtime, queue, stopped, tasks: Vec::new() };
        let addresses = open.start(config)?;
        let Listeners { queue, stopped, tasks: listeners, .. } = open;
        drop(queue);
        let written = Arc::clone(&counters);
        let writer = thread::Builder::new()
            .name("relight-spool".to_owned())
            .spawn(move || spool.write(&items, &stopped, &written))
            .map_err(|cause| ServerError::caused("start the thread of the spool", cause))?;
        let runtime = Some(runtime);
        Ok(Self { runtime, listeners, stop, writer: Some(writer), addresses, counters })
    }

    /// Where it listens: the kind of each listener and its address.
    pub fn addresses(&self) -> &[(&'static str, SocketAddr)] {
        &self.addresses
    }

    /// What was received so far, and what was not.
    pub fn tally(&self) -> ReceiveTally {
        self.counters.tally()
    }

    /// What kept the spool from being written, told once.
    pub fn trouble(&self) -> Option<std::io::Error> {
        self.counters.trouble()
    }

    /// Closes the listeners, writes what waits, and gives the last count.
    pub fn stop(mut self) -> ReceiveTally {
        self.end();
        self.tally()
    }

    fn end(&mut self) {
        // Connections end before the queue does: the writer stops when nobody can send any more.
        let _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            let tasks = std::mem::take(&mut self.listeners);
            let ended = async {
                for task in tasks {
                    let _ = task.await;
                }
            };
            // What does not end in time is cut off.
            let _ = runtime.block_on(async { timeout(STOP_MAX, ended).await });
            runtime.shutdown_timeout(runtime::STOP_TIMEOUT);
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.end();
    }
}

/// Listeners that are being opened.
struct Listeners<'a> {
    runtime: &'a Runtime,
    queue: Queue,
    stopped: watch::Receiver<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Listeners<'_> {
    fn start(
        &mut self,
        config: &ReceiveConfig,
    ) -> Result<Vec<(&'static str, SocketAddr)>, ServerError> {
        let _entered = self.runtime.enter();
        let mut addresses = Vec::new();
        if let Some(address) = config.syslog_udp {
            let socket = datagrams::bind(address)?;
            addresses.push(("syslog-udp", socket.address));
            let messages = datagrams::messages(socket, self.queue.clone(), self.stopped.clone());
            self.tasks.push(self.runtime.spawn(messages));
        }
        if let Some(address) = config.flows {
            let socket = datagrams::bind(address)?;
            addresses.push(("flows", socket.address));
            let flows = datagrams::flows(socket, self.queue.clone(), self.stopped.clone());
            self.tasks.push(self.runtime.spawn(flows));
        }
        let door = streams::Door::new(config.limits, self.queue.clone(), self.stopped.clone());
        let door = Arc::new(door);
        if let Some(address) = config.syslog_tcp {
            let (listener, address) = runtime::listen(address)?;
            addresses.push(("syslog-tcp", address));
            let accept = streams::accept(listener, None, Arc::clone(&door));
            self.tasks.push(self.runtime.spawn(accept));
        }
        if let Some((address, files)) = &config.syslog_tls {
            let acceptor = tls::acceptor(files)?;
            let (listener, address) = runtime::listen(*address)?;
            addresses.push(("syslog-tls", address));
            self.tasks.push(self.runtime.spawn(streams::accept(listener, Some(acceptor), door)));
        }
        Ok(addresses)
    }
}
