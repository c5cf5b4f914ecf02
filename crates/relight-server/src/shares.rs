//! How many of something each one has, so that nobody has all of them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is taken, by who has it.
#[derive(Debug)]
pub(crate) struct Shares<K: Ord>(Arc<Mutex<BTreeMap<K, usize>>>);

/// Why there is nothing left to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// All of them are taken.
    All,
    /// This one has its share.
    Share,
}

/// The most that is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    /// To one.
    pub(crate) own: usize,
    /// To all together.
    pub(crate) all: usize,
}

impl<K: Ord> Default for Shares<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord + Clone> Shares<K> {
    /// One more for this one, for as long as it is held.
    pub(crate) fn take(&self, key: K, most: Most) -> Result<Share<K>, Full> {
        let mut taken = self.taken();
        let own = taken.get(&key).copied().unwrap_or(0);
        if own >= most.own {
            return Err(Full::Share);
        }
        if taken.values().sum::<usize>() >= most.all {
            return Err(Full::All);
        }
        taken.insert(key.clone(), own + 1);
        Ok(Share { taken: Arc::clone(&self.0), key })
    }

    /// How many are taken.
    pub(crate) fn count(&self) -> usize {
        self.taken().values().sum()
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<K, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them: free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Share<K: Ord> {
    taken: Arc<Mutex<BTreeMap<K, usize>>>,
    key: K,
}

impl<K: Ord> Drop for Share<K> {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_share_and_gives_it_back() {
        let (shares, most) = (Shares::default(), Most { own: 2, all: 3 });
        let take = |key: u32| shares.take(key, most);
        let (first, second) = (take(1).unwrap(), take(1).unwrap());
        assert_eq!(take(1).unwrap_err(), Full::Share);
        let third = take(2).unwrap();
        assert_eq!(take(2).unwrap_err(), Full::All);
        assert_eq!(take(3).unwrap_err(), Full::All);
        drop(first);
        let first = take(3).unwrap();
        assert_eq!(shares.count(), 3);
        drop((first, second, third));
        assert!(shares.taken().is_empty(), "nothing is kept of who left");
    }
}
