//! What queries mean, asked once for all who ask the same: of each query every site may be looked
//! at, and many pages may follow one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::sites::Meant;

/// Different queries of which is known what they mean.
const KNOWN_MAX: usize = 64;

/// The text, what bare verdicts are about, the language, and the part of the register.
pub(super) type Key = [String; 4];

/// What was changed when it was asked.
pub(super) type Versions = (u64, Option<u64>);

/// What of before is good enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wants {
    /// Up to this age it is, whatever was changed since.
    whatever: Duration,
    /// Up to this age it is where nothing was changed that counts a version: time changes what is
    /// known, and so does an inventory that comes while no incident is open.
    unchanged: Duration,
}

/// For a page that is asked for.
pub(super) const NOW: Wants = Wants { whatever: Duration::ZERO, unchanged: Duration::ZERO };

/// For pages that are followed.
pub(super) const SOON: Wants =
    Wants { whatever: Duration::from_secs(2), unchanged: Duration::from_secs(10) };

#[derive(Debug)]
struct Known {
    at: Instant,
    /// When it began to be asked: as good as new to whoever had come before.
    began: Instant,
    versions: Versions,
    meant: Arc<Meant>,
}

/// When somebody asked last, and what is known; locked while one asks for all.
type Place = (Instant, Arc<Mutex<Option<Known>>>);

/// What is known of the queries that are asked.
#[derive(Debug, Default)]
pub(crate) struct Meanings(Mutex<BTreeMap<Key, Place>>);

impl Meanings {
    /// What a query means: as it is known, where that is good enough, else as `ask` says.
    pub(super) fn of(
        &self,
        key: Key,
        (now, versions): (Instant, Versions),
        wants: Wants,
        ask: impl FnOnce() -> Meant,
    ) -> Arc<Meant> {
        let place = self.place(key, now);
        let mut known = lock(&place);
        if let Some(it) = known.as_ref() {
            let age = now.saturating_duration_since(it.at);
            let is_young =
                age < wants.whatever || (age < wants.unchanged && it.versions == versions);
            if it.began > now || is_young {
                return Arc::clone(&it.meant);
            }
        }
        let began = Instant::now();
        let meant = Arc::new(ask());
        *known = Some(Known { at: now, began, versions, meant: Arc::clone(&meant) });
        meant
    }

    fn place(&self, key: Key, now: Instant) -> Arc<Mutex<Option<Known>>> {
        let mut places = lock(&self.0);
        if !places.contains_key(&key) && places.len() >= KNOWN_MAX {
            let oldest = places.iter().min_by_key(|(_, (asked, _))| *asked);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                places.remove(&oldest);
            }
        }
        let place = places.entry(key).or_insert_with(|| (now, Arc::default()));
        place.0 = now;
        Arc::clone(&place.1)
    }
}

fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    /// Goal: pages that are asked for at once wait for one look at most that begins after they were
    /// asked for. Method: one is asked for while nothing is known, the others before that look
    /// began.
    #[test]
    fn who_waited_takes_what_was_asked_meanwhile() {
        let (meanings, asked) = (Meanings::default(), AtomicUsize::new(0));
        let of = |now: Instant| {
            let ask = || {
                asked.fetch_add(1, Ordering::SeqCst);
                Ok(BTreeSet::new())
            };
            let key = ["a", "", "en", "life"].map(str::to_owned);
            meanings.of(key, (now, (1, None)), NOW, ask);
            asked.load(Ordering::SeqCst)
        };
        let before = Instant::now() - Duration::from_millis(1);
        assert_eq!([before; 10].map(of), [1; 10]);
        assert_eq!(of(Instant::now() + Duration::from_secs(1)), 2, "what is younger is asked for");
    }

    /// Goal: what many follow is asked once. Method: how often it is asked by as many at once as
    /// one account may have streams, then later, after changes and without.
    #[test]
    fn what_many_follow_is_asked_once() {
        let (meanings, asked) = (Meanings::default(), AtomicUsize::new(0));
        let start = Instant::now();
        let key = |text: &str| [text, "CVE-1", "en", "life"].map(str::to_owned);
        let count = |text: &str, after: u64, versions: Versions, wants: Wants| {
            let ask = || {
                asked.fetch_add(1, Ordering::SeqCst);
                Ok([text.to_owned()].into())
            };
            let at = start + Duration::from_secs(after);
            let meant = meanings.of(key(text), (at, versions), wants, ask);
            assert_eq!(meant.as_ref().as_ref().unwrap().first().map(String::as_str), Some(text));
            asked.load(Ordering::SeqCst)
        };
        let (first, second) = ((1, Some(1)), (1, Some(2)));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| count("a", 0, first, SOON));
            }
        });
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert_eq!(count("a", 1, second, SOON), 1, "not more often than every other second");
        assert_eq!(count("a", 2, second, SOON), 2, "something was changed");
        assert_eq!(count("a", 11, second, SOON), 2, "nothing was");
        assert_eq!(count("a", 12, second, SOON), 3, "but time");
        assert_eq!(count("a", 12, second, NOW), 4, "a page is as things are now");
        assert_eq!(count("b", 12, second, SOON), 5, "another query");
        for at in 0..KNOWN_MAX {
            count(&at.to_string(), 13, second, SOON);
        }
        assert_eq!(lock(&meanings.0).len(), KNOWN_MAX, "who asks for many keeps no more");
    }
}
