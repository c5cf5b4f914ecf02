//! Who uses which client in an ordinary way: a set of pairs of source and fingerprint.
//!
//! Beyond its limit the pairs of the sources with the smallest keys are kept, which is a fair
//! sample whose share is known. It tells a browser of half a million people from the tool of one
//! actor, which is all that is asked of it; and it is exact where there are few sources.

use std::collections::{BTreeMap, HashSet};

use super::{Print, SourceKey};
use crate::marks::Marks;

/// Most pairs: 2 MB, and twice that while it is filled.
pub(crate) const USERS_MAX: usize = 1 << 18;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Users(pub(crate) Marks);

/// How many sources use a client without exploring, of the sample and in all, and how many
/// explore with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) sampled: u32,
    pub(crate) users: f64,
    pub(crate) explorers: u32,
}

impl Default for Users {
    fn default() -> Self {
        Self(Marks::new(USERS_MAX))
    }
}

/// A source and a client as one number; the source decides the order. The lower half is stirred by
/// the upper, because a set of hashes takes its places from the lower bits, and millions of people
/// have one client.
pub(crate) const fn pair(source: SourceKey, client: u32) -> u64 {
    let high = (source.0 >> 32) as u32;
    (high as u64) << 32 | (client ^ stirred(high)) as u64
}

/// The smallest number that a pair of a source may be.
pub(crate) const fn first_pair(source: SourceKey) -> u64 {
    source.0 >> 32 << 32
}

/// The pair is one of the source, or of one in four thousand million others.
pub(crate) const fn is_pair_of(pair: u64, source: SourceKey) -> bool {
    pair >> 32 == source.0 >> 32
}

/// The client of a pair.
pub(crate) const fn client(pair: u64) -> u32 {
    pair as u32 ^ stirred((pair >> 32) as u32)
}

const fn stirred(high: u32) -> u32 {
    let mixed = high.wrapping_mul(0x9e37_79b9);
    mixed ^ (mixed >> 15)
}

impl Users {
    /// A source used this client in an ordinary way.
    pub(crate) fn insert(&mut self, source: SourceKey, print: Print) {
        for client in [print.tls, print.agent] {
            if client != 0 {
                self.0.insert(pair(source, client));
            }
        }
    }

    /// Adds such pairs, in no order, some of them several times.
    pub(crate) fn insert_all(&mut self, pairs: &[u64]) {
        self.0.insert_all(pairs);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.merge(&other.0);
    }

    /// How many sources use each client, those left out that explore with it: an actor who owns
    /// addresses and visits pages is no crowd.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub(crate) fn counts(&self, explorers: &HashSet<u64>) -> BTreeMap<u32, Count> {
        let (pairs, full) = self.0.sorted();
        let last = pairs.last().copied().filter(|_| full).unwrap_or(u64::MAX);
        let share = last as f64 / u64::MAX as f64;
        let mut counts: BTreeMap<u32, Count> = BTreeMap::new();
        for pair in pairs.iter().filter(|pair| !explorers.contains(pair)) {
            let count = counts.entry(client(*pair)).or_default();
            count.sampled += 1;
            count.users += 1.0 / share;
        }
        for pair in explorers {
            counts.entry(client(*pair)).or_default().explorers += 1;
        }
        counts
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * 2 * size_of::<u64>()
    }
}
