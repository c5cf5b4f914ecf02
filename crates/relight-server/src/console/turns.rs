//! Turns: what costs much is done for one after the other, and only a few wait.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests that may wait for their turn.
const WAITING_MAX: usize = 4;

/// Whose turn it is.
#[derive(Debug)]
pub(crate) struct Turns {
    one: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _held: [OwnedSemaphorePermit; 2],
}

impl Default for Turns {
    fn default() -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self { one: semaphore(1), places: semaphore(1 + WAITING_MAX) }
    }
}

impl Turns {
    /// Waits for its turn; `None` at once when [`WAITING_MAX`] wait already. Who stops waiting
    /// leaves the queue.
    pub(crate) async fn take(&self) -> Option<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let turn = Arc::clone(&self.one).acquire_owned().await.ok()?;
        Some(Turn { _held: [turn, place] })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    type Waiting<'a> = Pin<Box<dyn Future<Output = Option<Turn>> + 'a>>;

    fn look(waiting: &mut Waiting<'_>) -> Poll<Option<Turn>> {
        waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_has_its_turn_a_few_wait_and_the_others_are_sent_away() {
        let turns = Turns::default();
        let mut all: Vec<Waiting<'_>> = Vec::new();
        let mut first: Waiting<'_> = Box::pin(turns.take());
        let Poll::Ready(Some(turn)) = look(&mut first) else { panic!("nobody is there") };
        for _ in 0..WAITING_MAX {
            all.push(Box::pin(turns.take()));
        }
        assert!(all.iter_mut().all(|it| look(it).is_pending()));
        let mut over: Waiting<'_> = Box::pin(turns.take());
        assert!(matches!(look(&mut over), Poll::Ready(None)));
        // The next one when the first is done, and a place is free again.
        drop(turn);
        let second = look(&mut all[0]);
        assert!(matches!(second, Poll::Ready(Some(_))));
        assert!(look(&mut all[1]).is_pending());
        let mut later: Waiting<'_> = Box::pin(turns.take());
        assert!(look(&mut later).is_pending());
        // Who goes away makes room.
        let mut over: Waiting<'_> = Box::pin(turns.take());
        assert!(matches!(look(&mut over), Poll::Ready(None)));
        drop(all.pop());
        let mut next: Waiting<'_> = Box::pin(turns.take());
        assert!(look(&mut next).is_pending());
    }
}
