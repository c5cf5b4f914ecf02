//! How many connections of people are open at one time: each listener has places of its own, so
//! that whoever takes all of one leaves the other its own, and the process its files.

use std::io::Write as _;
use std::net::IpAddr;

use relight_web::{Lang, texts};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;

use crate::access::form::network_of;
use crate::shares::{Most, Share, Shares};

/// Connections to the console: those of all its event streams, and as many for what else a page
/// asks for.
const CONSOLE_MAX: usize = 1_024;

/// Connections to the public page.
const PUBLIC_MAX: usize = 512;

/// One listener has at most this part of the handles of the process; half of them are for all the
/// rest: gates, fences, probes, edges, logs.
const PART_OF_HANDLES: usize = 4;

/// Handles that are asked of the system, more than all of that: with millions of them some old
/// programs that are started here would close each one by itself.
const HANDLES_MAX: u64 = 65_536;

/// When somebody who found no place may come again, in seconds.
const AGAIN_S: u32 = 5;

/// The places of one listener, and what those are told for whom there is none.
#[derive(Debug)]
pub(crate) struct Room {
    taken: Shares<IpAddr>,
    connections_max: usize,
    full: Vec<u8>,
}

impl Room {
    /// For the console.
    pub(crate) fn of_console(handles: usize) -> Self {
        Self::of(CONSOLE_MAX.min(handles / PART_OF_HANDLES))
    }

    /// For the public page.
    pub(crate) fn of_public(handles: usize) -> Self {
        Self::of(PUBLIC_MAX.min(handles / PART_OF_HANDLES))
    }

    /// For so many connections.
    pub(crate) fn of(connections_max: usize) -> Self {
        let said = Lang::ALL.map(texts::door_no_room).join("\n");
        let head = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n\
             content-length: {}\r\nretry-after: {AGAIN_S}\r\nconnection: close\r\n\r\n",
            said.len()
        );
        let full = [head, said].concat().into_bytes();
        Self { taken: Shares::default(), connections_max, full }
    }

    /// A place for a connection from there. One network never has more than half of them; a proxy
    /// of this machine brings everybody.
    pub(super) fn take(&self, from: IpAddr) -> Option<Share<IpAddr>> {
        let (all, network) = (self.connections_max, network_of(from));
        let own = if from.to_canonical().is_loopback() { all } else { all.div_ceil(2) };
        self.taken.take(network, Most { own, all }).ok()
    }

    /// Ends a connection for which there is no place. It is told why as far as that needs no
    /// waiting: whoever does not take it now has only his end of it.
    pub(super) fn turn_away(&self, stream: TcpStream) {
        let _ = stream.into_std().and_then(|mut stream| stream.write(&self.full));
    }
}

/// How many handles this process may have open. Systems begin with few of them, for the sake of
/// old programs; what is allowed beyond that is taken.
pub(crate) fn handles() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(HANDLES_MAX, |most| most.min(HANDLES_MAX));
    if current.is_some_and(|current| current < wanted) {
        // Where that is refused, what was there before is still there.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
    let most = getrlimit(Resource::Nofile).current.unwrap_or(HANDLES_MAX);
    usize::try_from(most).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_has_half_of_the_places_and_a_proxy_of_this_machine_all() {
        let room = Room::of(4);
        let take = |from: &str| room.take(from.parse().unwrap());
        let held = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(held.iter().all(Option::is_some));
        assert!(take("2001:db8::3").is_none(), "of the same network");
        let others = [take("192.0.2.1"), take("::ffff:192.0.2.1")];
        assert!(others.iter().all(Option::is_some));
        assert!(take("198.51.100.1").is_none(), "all are taken");
        drop((held, others));
        for proxy in ["127.0.0.1", "::1"] {
            let all: Vec<_> = (0..5).map(|_| take(proxy)).collect();
            assert_eq!(all.iter().flatten().count(), 4, "{proxy}");
        }
        assert!(take("192.0.2.1").is_some(), "given back");
    }

    #[test]
    fn few_handles_are_shared() {
        let most = |handles| {
            [Room::of_console(handles), Room::of_public(handles)].map(|room| room.connections_max)
        };
        assert_eq!(most(usize::MAX), [CONSOLE_MAX, PUBLIC_MAX]);
        assert_eq!(most(1_024), [256, 256]);
    }

    #[test]
    fn as_many_handles_are_taken_as_the_system_allows() {
        let may = getrlimit(Resource::Nofile).maximum;
        let wanted = may.map_or(HANDLES_MAX, |most| most.min(HANDLES_MAX));
        assert!(handles() as u64 >= wanted, "{} of {wanted}", handles());
    }
}
