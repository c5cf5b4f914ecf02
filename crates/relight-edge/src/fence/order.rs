//! The orders that one process gives for a gate, one after the other: an effect that waited so long
//! for the gate that a newer order was given meanwhile is not carried out.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The orders for one gate, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orders(Arc<AtomicU64>);

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    number: u64,
    all: Orders,
}

impl Orders {
    /// The newest one from now on.
    pub(crate) fn next(&self) -> Order {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Order { number, all: self.clone() }
    }
}

thread_local! {
    static UNDER: RefCell<Option<Order>> = const { RefCell::new(None) };
}

impl Order {
    fn is_old(&self) -> bool {
        self.all.0.load(Ordering::SeqCst) > self.number
    }

    /// Runs an effect whose writes are refused from the instant that a newer order is given.
    pub(crate) fn carry_out<T>(self, effect: impl FnOnce() -> T) -> T {
        let before = UNDER.replace(Some(self));
        let done = effect();
        UNDER.set(before);
        done
    }
}

/// Whether a newer order was given than the one that this thread carries out: then it writes
/// nothing. Who has the lock of a gate folder was asked so.
pub fn is_superseded() -> bool {
    UNDER.with_borrow(|order| order.as_ref().is_some_and(Order::is_old))
}

/// The same question about the order that this thread carries out now, for whoever carries it out
/// in its place: an agent, say, that has not begun yet.
pub fn superseded() -> impl Fn() -> bool + Send + Sync + 'static {
    let order = UNDER.with_borrow(Clone::clone);
    move || order.as_ref().is_some_and(Order::is_old)
}
