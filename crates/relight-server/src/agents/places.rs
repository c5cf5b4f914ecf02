//! Who may have a connection: so many at a time, so many of one address, and few of those who show
//! no certificate. Whoever is still greeting has a bound of its own: behind a proxy that passes TLS
//! through, all are of one address, and those who say nothing would take its places.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::greetings::{Greeting, Greetings};
use super::serve::AgentLimits;
use crate::access::form::network_of;
use crate::shares::{Most, Share, Shares};

/// The places of one listener.
pub(super) struct Places {
    room: Arc<Semaphore>,
    strangers: Semaphore,
    of_one: usize,
    taken: Shares<IpAddr>,
    greetings: Arc<Greetings>,
}

impl Places {
    pub(super) fn new(limits: AgentLimits) -> Arc<Self> {
        let (room, strangers) = (limits.connections, Semaphore::new(limits.strangers));
        // Whoever is greeting never has all of the room.
        let greetings = Greetings::new(limits.greetings.min(room / 2).max(1));
        let (room, taken) = (Arc::new(Semaphore::new(room)), Shares::default());
        Arc::new(Self { room, strangers, of_one: limits.of_one, taken, greetings })
    }

    /// A handshake that begins.
    pub(super) fn greet(&self, from: IpAddr) -> Greeting {
        self.greetings.begin(from)
    }

    /// Waits for room; `None` when nobody is taken any more.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// A place for this address, whose handshake is through; `None` when it has enough.
    pub(super) fn take(&self, from: IpAddr) -> Option<Share<IpAddr>> {
        let most = Most { own: self.of_one, all: usize::MAX };
        self.taken.take(network_of(from), most).ok()
    }

    /// One of the places of those who show no certificate.
    pub(super) fn stranger(&self) -> Option<SemaphorePermit<'_>> {
        self.strangers.try_acquire().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_takes_its_share_and_gives_it_back() {
        let places = Places::new(AgentLimits { of_one: 2, ..AgentLimits::default() });
        let take = |from: &str| places.take(from.parse().unwrap());
        let (first, second) = (take("192.0.2.1"), take("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(take("192.0.2.1").is_none());
        let (third, fourth) = (take("2001:db8::1"), take("2001:db8::2"));
        assert!(third.is_some() && fourth.is_some());
        assert!(take("2001:db8::3").is_none(), "of the same network");
        drop(first);
        assert!(take("192.0.2.1").is_some(), "given back");
        drop((second, third, fourth));
        assert_eq!(places.taken.count(), 0);
    }
}
