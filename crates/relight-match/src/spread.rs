//! Work on a list, spread over the cores: the result is in the order of the list, on any number of
//! them.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// Threads of one list.
const THREADS_MAX: usize = 16;

/// Items for which another thread is worth its start.
const ITEMS_MIN: usize = 256;

/// What `work` makes of each item.
pub(crate) fn spread<T: Send, U: Send>(items: Vec<T>, work: impl Fn(T) -> U + Sync) -> Vec<U> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(THREADS_MAX).min(items.len() / ITEMS_MIN).max(1);
    let size = items.len().div_ceil(threads).max(1);
    let mut parts = Vec::new();
    let mut left = items;
    while left.len() > size {
        let rest = left.split_off(size);
        parts.push(std::mem::replace(&mut left, rest));
    }
    let work = &work;
    thread::scope(|scope| {
        let all = |part: Vec<T>| part.into_iter().map(work).collect::<Vec<U>>();
        let others: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || all(part))).collect();
        let last = all(left);
        let mut done = Vec::new();
        for other in others {
            // A thread that panicked found a bug of ours: it goes on in this one.
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done.extend(last);
        done
    })
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
