//! Syslog and flow records in datagrams. Nobody can be made to wait: what there is no room for is
//! dropped and counted.

use std::fs;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::atomic::Ordering;
use std::time::Duration;

use relight_engine::watch::FlowDecoder;
use rustix::fs::fstat;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::frames::line_of;
use super::queue::Queue;
use super::tally::Counters;
use crate::ServerError;
use crate::runtime::stopped;

/// Largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Datagrams that are still taken at the end.
const LAST_DATAGRAMS_MAX: usize = 65_536;

/// How often the system is asked what it dropped.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Tables of the system about its sockets, with what each of them dropped.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// An open socket.
#[derive(Debug)]
pub(super) struct Socket {
    socket: UdpSocket,
    pub(super) address: SocketAddr,
    inode: u64,
}

/// Opens a socket; call it inside a runtime.
pub(super) fn bind(address: SocketAddr) -> Result<Socket, ServerError> {
    let failed = |cause| ServerError::caused(format!("listen on {address}"), cause);
    let socket = StdSocket::bind(address).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    let inode = fstat(&socket).map_or(0, |stat| stat.st_ino);
    let socket = UdpSocket::from_std(socket).map_err(failed)?;
    Ok(Socket { socket, address: bound, inode })
}

/// One message a datagram.
pub(super) async fn messages(socket: Socket, queue: Queue, stop: watch::Receiver<bool>) {
    let offer = |_, datagram: &[u8]| {
        if let Some(line) = line_of(datagram) {
            queue.offer(line);
        }
    };
    receive(&socket, &queue.counters, stop, offer).await;
}

/// Flow records, a line each.
pub(super) async fn flows(socket: Socket, queue: Queue, stop: watch::Receiver<bool>) {
    let mut decoder = FlowDecoder::new();
    let offer = |from: SocketAddr, datagram: &[u8]| {
        let lines = decoder.take(from.ip(), datagram);
        lines.into_iter().for_each(|line| queue.offer(line.into_bytes()));
        queue.counters.set_flows(decoder.tally());
    };
    receive(&socket, &queue.counters, stop, offer).await;
}

async fn receive(
    socket: &Socket,
    counters: &Counters,
    mut stop: watch::Receiver<bool>,
    mut take: impl FnMut(SocketAddr, &[u8]),
) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    let mut dropped = Dropped { inode: socket.inode, told: 0, is_untold: false };
    let mut ask = interval(ASK_EVERY);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            // An error is about a datagram of before, which is gone.
            received = socket.socket.recv_from(&mut buffer) => {
                if let Ok((bytes, from)) = received {
                    take(from, &buffer[..bytes]);
                }
            }
            _ = ask.tick() => dropped.ask(&TABLES, counters),
            () = stopped(&mut stop) => break,
        }
    }
    // What had arrived before the end is taken, but not what arrives for ever.
    for _ in 0..LAST_DATAGRAMS_MAX {
        let Ok((bytes, from)) = socket.socket.try_recv_from(&mut buffer) else { break };
        take(from, &buffer[..bytes]);
    }
    dropped.ask(&TABLES, counters);
}

/// What the system dropped on one socket.
#[derive(Debug)]
struct Dropped {
    inode: u64,
    told: u64,
    /// The system did not say when it was asked last.
    is_untold: bool,
}

impl Dropped {
    fn ask(&mut self, tables: &[&str], counters: &Counters) {
        let found = tables.iter().filter_map(|path| fs::read_to_string(path).ok());
        let now = found.filter_map(|text| drops_of(&text, self.inode)).next();
        match (now.is_none(), self.is_untold) {
            (true, false) => drop(counters.sockets_untold.fetch_add(1, Ordering::Relaxed)),
            (false, true) => drop(counters.sockets_untold.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        self.is_untold = now.is_none();
        let Some(now) = now else { return };
        let more = now.saturating_sub(self.told);
        self.told = now;
        counters.dropped_by_system.fetch_add(more, Ordering::Relaxed);
    }
}

/// The last column of the row with this inode.
fn drops_of(table: &str, inode: u64) -> Option<u64> {
    let rows = table.lines().skip(1).map(|row| row.split_ascii_whitespace().collect::<Vec<_>>());
    let mut ours = rows.filter(|row| row.get(9).is_some_and(|it| *it == inode.to_string()));
    ours.next()?.get(12)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_believed_about_our_socket_only() {
        let head = "sl local_address rem_address st tx_queue rx_queue tr tm->when retrnsmt uid \
                    timeout inode ref pointer drops";
        let row = |inode: u32, drops: u32| {
            format!(
                "100: 0100007F:1538 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 \
                 {inode} 2 0000000000000000 {drops}"
            )
        };
        let table = format!("{head}\n{}\n{}\n", row(4_711, 5), row(4_712, 77));
        let table = table.as_str();
        assert_eq!(drops_of(table, 4_712), Some(77));
        assert_eq!(drops_of(table, 1), None);
        assert_eq!(drops_of("garbage\nmore", 1), None);
    }

    #[test]
    fn what_the_system_does_not_say_is_not_known_and_not_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let row = "1: 0 0 07 0:0 00:0 0 0 0 4711 2 0 5";
        fs::write(file.path(), format!("head\n{row}\n")).unwrap();
        let (here, counters) = (file.path().to_str().unwrap(), Counters::default());
        let mut dropped = Dropped { inode: 4_711, told: 0, is_untold: false };
        let mut other = Dropped { inode: 1, told: 0, is_untold: false };
        assert_eq!(counters.tally().dropped_by_system, Some(0));
        dropped.ask(&["/nowhere/udp"], &counters);
        dropped.ask(&["/nowhere/udp"], &counters);
        assert_eq!(counters.tally().dropped_by_system, None);
        dropped.ask(&["/nowhere/udp", here], &counters);
        assert_eq!(counters.tally().dropped_by_system, Some(5), "nothing was missed");
        other.ask(&[here], &counters);
        assert_eq!(counters.tally().dropped_by_system, None, "one socket is enough");
    }
}
