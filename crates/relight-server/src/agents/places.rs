//! Who may have a connection: so many at a time, so many of one address, and few of those who show
//! no certificate. Whoever is still greeting has a place of its address for ten seconds: behind a
//! proxy that passes TLS through, all are of one address.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::serve::AgentLimits;
use crate::access::form::network_of;
use crate::shares::{Most, Share, Shares};

/// The places of one listener.
pub(super) struct Places {
    room: Arc<Semaphore>,
    strangers: Semaphore,
    of_one: usize,
    taken: Shares<IpAddr>,
}

impl Places {
    pub(super) fn new(limits: AgentLimits) -> Arc<Self> {
        let (room, strangers) = (limits.connections, Semaphore::new(limits.strangers));
        let (room, taken) = (Arc::new(Semaphore::new(room)), Shares::default());
        Arc::new(Self { room, strangers, of_one: limits.of_one, taken })
    }

    /// Waits for room; `None` when nobody is taken any more.
    pub(super) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// A place for this address; `None` when it has enough.
    pub(super) fn take(
        self: &Arc<Self>,
        room: OwnedSemaphorePermit,
        from: IpAddr,
    ) -> Option<Place> {
        let most = Most { own: self.of_one, all: usize::MAX };
        let share = self.taken.take(network_of(from), most).ok()?;
        Some(Place { places: Arc::clone(self), _share: share, _room: room })
    }

    /// One of the places of those who show no certificate.
    pub(super) fn stranger(&self) -> Option<SemaphorePermit<'_>> {
        self.strangers.try_acquire().ok()
    }
}

/// A place of one address, until it is dropped.
pub(super) struct Place {
    pub(super) places: Arc<Places>,
    _share: Share<IpAddr>,
    _room: OwnedSemaphorePermit,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_takes_its_share_and_gives_it_back() {
        let limits = AgentLimits { connections: 4, of_one: 2, ..AgentLimits::default() };
        let places = Places::new(limits);
        let take = async |from: &str| {
            let room = places.room().await.unwrap();
            places.take(room, from.parse().unwrap())
        };
        let (first, second) = (take("192.0.2.1").await, take("::ffff:192.0.2.1").await);
        assert!(first.is_some() && second.is_some());
        assert!(take("192.0.2.1").await.is_none());
        let (third, fourth) = (take("2001:db8::1").await, take("2001:db8::2").await);
        assert!(third.is_some() && fourth.is_some());
        drop(fourth);
        let fourth = take("2001:db8::3").await;
        assert!(fourth.is_some());
        drop(first);
        assert!(take("2001:db8::4").await.is_none(), "of the same network");
        assert!(take("192.0.2.1").await.is_some(), "given back");
        drop((second, third, fourth));
        assert_eq!(places.taken.count(), 0);
    }
}
