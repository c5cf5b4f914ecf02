//! A mergeable set of 64-bit marks: which source uses which site, which path a site serves.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// Most marks in a set. Beyond it the smallest are kept: a rule on the marks alone, so that every
/// order of insertion and merging keeps the same ones.
pub(crate) const MARKS_MAX: usize = 1 << 20;

/// The marks are hashes already.
#[derive(Debug, Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0 << 8 | u64::from(*byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// The set. Above `ceiling` nothing is known any more.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    hashes: HashSet<u64, BuildHasherDefault<AsIs>>,
    ceiling: u64,
    max: usize,
}

impl Marks {
    /// Empty, with room for `max` marks.
    pub(crate) fn new(max: usize) -> Self {
        Self { hashes: HashSet::default(), ceiling: u64::MAX, max }
    }

    /// Adds a mark.
    pub(crate) fn insert(&mut self, hash: u64) {
        if hash <= self.ceiling && self.hashes.insert(hash) && self.hashes.len() > 2 * self.max {
            self.keep_smallest();
        }
    }

    /// False when the mark was never added; true also when that is no longer known.
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        hash > self.ceiling || self.hashes.contains(&hash)
    }

    /// `Some(true)` when the mark was added, `Some(false)` when that is no longer known.
    pub(crate) fn holds(&self, hash: u64) -> Option<bool> {
        self.may_contain(hash).then(|| hash <= self.ceiling && self.hashes.contains(&hash))
    }

    /// Adds every mark of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.ceiling < self.ceiling {
            self.ceiling = other.ceiling;
            self.hashes.retain(|hash| *hash <= other.ceiling);
        }
        // One set gives its marks in the order of its places: into a smaller one they would crowd.
        self.hashes.reserve(other.hashes.len());
        // What is over the limit goes when it is twice that: many small sets are merged into a
        // full one.
        other.hashes.iter().for_each(|hash| self.insert(*hash));
    }

    /// All marks of another set can be added and none has to go.
    pub(crate) fn has_room_for(&self, other: &Self) -> bool {
        let is_whole = |marks: &Self| marks.ceiling == u64::MAX && marks.hashes.len() <= marks.max;
        let new = || other.hashes.iter().filter(|hash| !self.hashes.contains(hash)).count();
        is_whole(self)
            && is_whole(other)
            && (self.hashes.len() + other.hashes.len() <= self.max
                || self.hashes.len() + new() <= self.max)
    }

    /// How many are held now.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Takes marks away; gives how many those were.
    pub(crate) fn remove(&mut self, goes: impl Fn(u64) -> bool) -> usize {
        let before = self.hashes.len();
        self.hashes.retain(|hash| !goes(*hash));
        before - self.hashes.len()
    }

    /// The marks in order, within the limit, and whether any had to go.
    pub(crate) fn sorted(&self) -> (Vec<u64>, bool) {
        let mut hashes: Vec<u64> = self.hashes.iter().copied().collect();
        hashes.sort_unstable();
        let full = self.ceiling != u64::MAX || hashes.len() > self.max;
        hashes.truncate(self.max);
        (hashes, full)
    }

    /// The set that [`Marks::sorted`] gave.
    pub(crate) fn from_sorted(hashes: Vec<u64>, full: bool, max: usize) -> Self {
        let ceiling = hashes.last().copied().filter(|_| full).unwrap_or(u64::MAX);
        Self { hashes: hashes.into_iter().collect(), ceiling, max }
    }

    fn keep_smallest(&mut self) {
        if self.hashes.len() > self.max {
            let (hashes, full) = self.sorted();
            *self = Self::from_sorted(hashes, full, self.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    #[test]
    fn the_limit_keeps_the_same_marks_in_every_order() {
        let mut rng = Rng::new(1);
        let hashes: Vec<u64> = (0..500).map(|_| rng.next()).collect();
        let of = |hashes: &[u64]| {
            let mut marks = Marks::new(100);
            hashes.iter().for_each(|hash| marks.insert(*hash));
            marks
        };
        let whole = of(&hashes).sorted();
        assert_eq!((whole.0.len(), whole.1), (100, true));
        let parts: Vec<Marks> = hashes.chunks(170).map(of).collect();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut merged = Marks::new(100);
            for index in order {
                merged.merge(&parts[index]);
                merged.merge(&parts[index]);
            }
            assert_eq!(merged.sorted(), whole);
            assert!(hashes.iter().all(|hash| merged.may_contain(*hash)), "never a wrong no");
        }
    }

    #[test]
    fn below_the_limit_it_is_a_set() {
        let mut marks = Marks::new(100);
        [5, 3, 5].into_iter().for_each(|hash| marks.insert(hash));
        assert_eq!(marks.sorted(), (vec![3, 5], false));
        assert!(marks.may_contain(3) && !marks.may_contain(4) && !marks.may_contain(u64::MAX));
        assert_eq!((marks.holds(3), marks.holds(4)), (Some(true), None));
        (0..300).for_each(|hash| marks.insert(hash));
        assert_eq!((marks.holds(3), marks.holds(299)), (Some(true), Some(false)));
    }

    #[test]
    fn there_is_room_up_to_the_limit_and_not_beyond() {
        let of = |range: std::ops::Range<u64>| {
            let mut marks = Marks::new(100);
            range.for_each(|hash| marks.insert(hash));
            marks
        };
        for (one, other) in [
            (0..60, 60..100),
            (0..60, 60..101),
            (0..100, 5..100),
            (0..101, 0..1),
            (0..1, 0..101),
            (0..201, 0..1),
            (0..1, 0..201),
            (0..0, 0..100),
        ] {
            let (one, other) = (of(one), of(other));
            let mut merged = one.clone();
            merged.merge(&other);
            let has_lost = merged.sorted().1 || other.sorted().1;
            assert_eq!(one.has_room_for(&other), !has_lost, "{} {}", one.len(), other.len());
        }
    }
}
