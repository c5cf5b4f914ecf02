//! Syslog over TCP and TLS: connections, how many, and how long each may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::ReceiveLimits;
use super::frames::Frames;
use super::queue::Queue;
use super::tally::add;
use crate::listen::accepted;
use crate::runtime::stopped;

/// Bytes that are read at a time.
const READ_BYTES: usize = 16 << 10;

/// At the end: how long a connection is read on, and how long it may be quiet meanwhile.
const LAST_MAX: Duration = Duration::from_secs(3);
/// See [`LAST_MAX`].
const QUIET: Duration = Duration::from_millis(50);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Door {
    limits: ReceiveLimits,
    seats: Arc<Semaphore>,
    queue: Queue,
    stopped: watch::Receiver<bool>,
}

impl Door {
    pub(super) fn new(limits: ReceiveLimits, queue: Queue, stopped: watch::Receiver<bool>) -> Self {
        Self { limits, seats: Arc::new(Semaphore::new(limits.connections)), queue, stopped }
    }
}

/// Takes connections until the end.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, door: Arc<Door>) {
    let mut stop = door.stopped.clone();
    loop {
        let (stream, _) = tokio::select! {
            accepted = accepted(&listener) => accepted,
            () = stopped(&mut stop) => break,
        };
        let Ok(seat) = Arc::clone(&door.seats).try_acquire_owned() else {
            add(&door.queue.counters.crowded, 1);
            continue;
        };
        let (tls, door) = (tls.clone(), Arc::clone(&door));
        tokio::spawn(async move {
            serve(stream, tls, &door).await;
            drop(seat);
        });
    }
    // Each connection still puts what it read into the queue.
    let all = u32::try_from(door.limits.connections).unwrap_or(u32::MAX);
    let _ = door.seats.acquire_many(all).await;
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, door: &Door) {
    let Some(tls) = tls else { return read(stream, door).await };
    let shaken = timeout_at(Instant::now() + door.limits.slow, tls.accept(stream)).await;
    match shaken {
        Ok(Ok(stream)) => read(stream, door).await,
        Ok(Err(_)) => add(&door.queue.counters.failed, 1),
        Err(_) => add(&door.queue.counters.slow, 1),
    }
}

/// Why reading ended.
enum End {
    Closed,
    Failed,
    Slow,
    Idle,
}

/// Reads one connection to its end.
async fn read(mut stream: impl AsyncRead + Unpin, door: &Door) {
    let counters = &door.queue.counters;
    let mut frames = Frames::new();
    match lines(&mut stream, &mut frames, door).await {
        End::Failed => add(&counters.failed, 1),
        End::Slow => add(&counters.slow, 1),
        End::Closed | End::Idle => {}
    }
    if frames.is_partial() {
        // The beginning of a line is worth more than nothing.
        add(&counters.torn, 1);
        if let Some(line) = frames.rest() {
            door.queue.put(line).await;
        }
    }
}

async fn lines(stream: &mut (impl AsyncRead + Unpin), frames: &mut Frames, door: &Door) -> End {
    let ReceiveLimits { slow, idle, .. } = door.limits;
    let mut buffer = vec![0; READ_BYTES];
    let mut since = Instant::now();
    let mut stop = door.stopped.clone();
    loop {
        let (limit, late) = if frames.is_partial() { (slow, End::Slow) } else { (idle, End::Idle) };
        // Only here: what was read is put into the queue, whatever comes.
        let read = tokio::select! {
            read = timeout_at(since + limit, stream.read(&mut buffer)) => read,
            () = stopped(&mut stop) => return last_lines(stream, frames, door).await,
        };
        let bytes = match read {
            Err(_) => return late,
            Ok(Err(_)) => return End::Failed,
            Ok(Ok(0)) => return End::Closed,
            Ok(Ok(bytes)) => bytes,
        };
        // The time of a line counts from its first byte, and waiting for room is not its fault.
        if take(frames, &buffer[..bytes], door).await {
            since = Instant::now();
        }
    }
}

/// What the system had taken for us before the end, but not what comes for ever.
async fn last_lines(
    stream: &mut (impl AsyncRead + Unpin),
    frames: &mut Frames,
    door: &Door,
) -> End {
    let mut buffer = vec![0; READ_BYTES];
    let until = Instant::now() + LAST_MAX;
    while let Ok(Ok(bytes)) =
        timeout_at(until.min(Instant::now() + QUIET), stream.read(&mut buffer)).await
    {
        if bytes == 0 {
            break;
        }
        take(frames, &buffer[..bytes], door).await;
    }
    End::Closed
}

/// Puts the lines that end in these bytes into the queue; says whether another line began.
async fn take(frames: &mut Frames, bytes: &[u8], door: &Door) -> bool {
    let was_partial = frames.is_partial();
    let lines = frames.push(bytes);
    add(&door.queue.counters.cut, frames.take_cut());
    let is_new = !was_partial || !lines.is_empty();
    for line in lines {
        door.queue.put(line).await;
    }
    is_new
}
