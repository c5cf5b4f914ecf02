//! Connections whose handshake is not through: so many at a time. When another one comes, the
//! oldest of the network that has the most is cut: whoever says nothing holds nobody else up.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::access::form::network_of;

/// All of one listener.
#[derive(Debug)]
pub(super) struct Greetings {
    most: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// The number of the next one.
    next: u64,
    /// From where each comes, and what is dropped to cut it.
    all: BTreeMap<u64, (IpAddr, oneshot::Sender<Infallible>)>,
}

impl Held {
    /// The oldest of the network that has the most.
    fn oldest(&self) -> Option<u64> {
        let mut counts: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for (network, _) in self.all.values() {
            *counts.entry(*network).or_default() += 1;
        }
        let most = counts.values().max()?;
        let of_most = |(_, (network, _)): &(&u64, &(IpAddr, _))| counts.get(network) == Some(most);
        self.all.iter().find(of_most).map(|(number, _)| *number)
    }
}

impl Greetings {
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
    }

    /// One that begins.
    pub(super) fn begin(self: &Arc<Self>, from: IpAddr) -> Greeting {
        let (held_by, is_cut) = oneshot::channel();
        let mut held = self.held();
        let number = held.next;
        held.next += 1;
        held.all.insert(number, (network_of(from), held_by));
        if held.all.len() > self.most
            && let Some(oldest) = held.oldest()
        {
            held.all.remove(&oldest);
        }
        Greeting { greetings: Arc::clone(self), number, is_cut }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handshake, until it is through.
#[derive(Debug)]
pub(super) struct Greeting {
    greetings: Arc<Greetings>,
    number: u64,
    is_cut: oneshot::Receiver<Infallible>,
}

impl Greeting {
    /// Comes back when it is cut.
    pub(super) async fn cut(&mut self) {
        // Nothing is ever sent.
        let _ = (&mut self.is_cut).await;
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        self.greetings.held().all.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_of_who_has_the_most_is_cut() {
        let greetings = Greetings::new(4);
        let begin = |from: &str| greetings.begin(from.parse().unwrap());
        let is_cut = |greeting: &mut Greeting| greeting.is_cut.try_recv().is_err_and(is_closed);
        let mut other = begin("192.0.2.9");
        let mut flood = [1, 2, 3, 4].map(|at| begin(&format!("2001:db8::{at}")));
        flood[0].cut().await;
        assert!(!flood[1..].iter_mut().any(is_cut));
        assert!(!is_cut(&mut other), "it is the oldest, and alone");
        let [_, second, third, mut fourth] = flood;
        drop((second, third));
        let mut more = ["192.0.2.1", "192.0.2.2"].map(begin);
        assert!(!is_cut(&mut other), "who is through leaves room");
        let newest = begin("192.0.2.3");
        assert!(is_cut(&mut other), "all have one, and it is the oldest");
        assert!(!is_cut(&mut fourth) && more.each_mut().iter_mut().all(|it| !is_cut(it)));
        drop((newest, other, fourth, more));
        assert!(greetings.held().all.is_empty());
    }

    fn is_closed(error: oneshot::error::TryRecvError) -> bool {
        error == oneshot::error::TryRecvError::Closed
    }
}
