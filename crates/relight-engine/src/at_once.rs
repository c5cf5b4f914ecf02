//! The same question to many edges at the same time: one that hangs makes no other later.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Edges that are asked at the same time.
const ASKED_MAX: usize = 64;

/// What each of these gives, in their order; none where it is not there in time. What hangs is left
/// to itself.
pub(crate) fn at_once<T, R>(
    items: Vec<T>,
    wait_max: Duration,
    ask: impl Fn(T) -> R + Send + Sync + 'static,
) -> Vec<Option<R>>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let deadline = Instant::now() + wait_max;
    let mut answers: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let threads = items.len().min(ASKED_MAX);
    let waiting = Arc::new(Mutex::new(items.into_iter().enumerate()));
    let (ask, (given, answered)) = (Arc::new(ask), mpsc::channel());
    for _ in 0..threads {
        let (waiting, ask, given) = (Arc::clone(&waiting), Arc::clone(&ask), given.clone());
        let next = move || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = move || {
            while Instant::now() < deadline
                && let Some((index, item)) = next()
                && given.send((index, ask(item))).is_ok()
            {}
        };
        // Without threads nobody is asked: nothing is known then.
        drop(thread::Builder::new().spawn(work));
    }
    drop(given);
    let left = || deadline.saturating_duration_since(Instant::now());
    while let Ok((index, answer)) = answered.recv_timeout(left()) {
        answers[index] = Some(answer);
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hangs_is_not_waited_for_and_nobody_behind_it_is_lost() {
        let (hold, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let items: Vec<usize> = (0..3 * ASKED_MAX).collect();
        let answers = at_once(items, Duration::from_secs(20), |item| item * 2);
        assert!(answers.iter().enumerate().all(|(item, answer)| *answer == Some(item * 2)));
        let items: Vec<usize> = (0..2 * ASKED_MAX).collect();
        let answers = at_once(items, Duration::from_secs(1), move |item| {
            if item == 1 {
                let _ = held.lock().unwrap().recv();
            }
            item
        });
        for (item, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer, Some(item).filter(|item| *item != 1), "{item}");
        }
        drop(hold);
        assert_eq!(at_once(Vec::<u8>::new(), Duration::ZERO, |item| item), []);
    }
}
