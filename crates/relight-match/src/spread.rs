//! Work on a list, spread over the cores: the result is in the order of the list, on any number of
//! them.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads of one list.
const THREADS_MAX: usize = 16;

/// Items for which another thread is worth its start.
const ITEMS_MIN: usize = 256;

/// Items that a thread takes at one time: what is costly often stands together.
const AT_A_TIME: usize = 32;

/// What `work` makes of each item.
pub(crate) fn spread<T: Send, U: Send>(items: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS_MAX).min(items.len() / ITEMS_MIN).max(1);
    if threads == 1 {
        return items.into_iter().map(work).collect();
    }
    let waiting = Mutex::new(items.into_iter().enumerate());
    let take = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_ref().take(AT_A_TIME).collect::<Vec<_>>()
    };
    let all = || {
        let mut done = Vec::new();
        loop {
            let some = take();
            if some.is_empty() {
                return done;
            }
            done.extend(some.into_iter().map(|(at, item)| (at, work(item))));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(all)).collect();
        let mut done = all();
        for other in others {
            // A thread that panicked found a bug of ours: it goes on in this one.
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_in_the_order_of_the_list() {
        for count in [0, 1, ITEMS_MIN - 1, ITEMS_MIN * 2, ITEMS_MIN * 2 + 1, 10_007] {
            let done = spread((0..count).collect(), |number| number * 2);
            assert_eq!(done, (0..count).map(|number| number * 2).collect::<Vec<_>>(), "{count}");
        }
    }

    #[test]
    fn a_panic_is_not_lost() {
        let work = |number: usize| assert!(number != 3, "three");
        let panicked = std::panic::catch_unwind(|| spread((0..10_000).collect(), work));
        assert!(panicked.is_err());
    }
}
