//! A mergeable set of 64-bit marks: which source uses which site, which path a site serves.

use std::borrow::Cow;
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
    /// Ascending, as they are stored. Most sets are written, looked into or merged into another,
    /// and never added to: of these no table is made.
    sorted: Vec<u64>,
    /// Holds all of them as soon as one is added.
    table: HashSet<u64, BuildHasherDefault<AsIs>>,
    ceiling: u64,
    max: usize,
}

impl Marks {
    /// Empty, with room for `max` marks.
    pub(crate) fn new(max: usize) -> Self {
        Self::from_sorted(Vec::new(), false, max)
    }

    /// Adds a mark.
    pub(crate) fn insert(&mut self, hash: u64) {
        if hash > self.ceiling {
            return;
        }
        if !self.sorted.is_empty() {
            self.table.extend(std::mem::take(&mut self.sorted));
        }
        if self.table.insert(hash) && self.table.len() > 2 * self.max {
            self.keep_smallest();
        }
    }

    /// Adds marks in no order, some of them several times.
    pub(crate) fn insert_all(&mut self, hashes: &[u64]) {
        let mut hashes = in_order(hashes);
        hashes.dedup();
        self.unite(&hashes);
    }

    /// False when the mark was never added; true also when that is no longer known.
    pub(crate) fn may_contain(&self, hash: u64) -> bool {
        hash > self.ceiling || self.contains(hash)
    }

    /// `Some(true)` when the mark was added, `Some(false)` when that is no longer known.
    pub(crate) fn holds(&self, hash: u64) -> Option<bool> {
        self.may_contain(hash).then(|| hash <= self.ceiling && self.contains(hash))
    }

    /// Adds every mark of another set.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.ceiling < self.ceiling {
            self.ceiling = other.ceiling;
            self.remove(|hash| hash > other.ceiling);
        }
        self.unite(&other.ordered());
    }

    /// The marks of all of these sets, which have the same limit.
    pub(crate) fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> Self {
        let (mut ceiling, mut max, mut runs) = (u64::MAX, 0, Vec::new());
        for set in sets {
            (ceiling, max) = (ceiling.min(set.ceiling), max.max(set.max));
            runs.push(set.ordered());
        }
        // Two by two: each mark is looked at a few times, and not once for each set.
        while runs.len() > 1 {
            let mut pairs = runs.into_iter();
            runs = Vec::new();
            while let Some(one) = pairs.next() {
                runs.push(match pairs.next() {
                    Some(other) => united(&one, &other).into(),
                    None => one,
                });
            }
        }
        let mut sorted = runs.pop().unwrap_or_default().into_owned();
        sorted.truncate(sorted.partition_point(|hash| *hash <= ceiling));
        let mut union = Self { sorted, ceiling, ..Self::new(max) };
        if union.len() > 2 * max {
            union.keep_smallest();
        }
        union
    }

    /// Adds marks in order, none of them twice.
    fn unite(&mut self, hashes: &[u64]) {
        let hashes = &hashes[..hashes.partition_point(|hash| *hash <= self.ceiling)];
        if self.table.is_empty() && hashes.len() >= self.sorted.len() / FEW {
            self.sorted = united(&self.sorted, hashes);
            if self.len() > 2 * self.max {
                self.keep_smallest();
            }
        } else {
            // What is over the limit goes when it is twice that: many small sets are merged into a
            // full one.
            hashes.iter().for_each(|hash| self.insert(*hash));
        }
    }

    /// All marks of another set can be added and none has to go.
    pub(crate) fn has_room_for(&self, other: &Self) -> bool {
        let new = || other.all().filter(|hash| !self.contains(*hash)).count();
        !self.is_full()
            && !other.is_full()
            && (self.len() + other.len() <= self.max || self.len() + new() <= self.max)
    }

    /// How many are held now.
    pub(crate) fn len(&self) -> usize {
        self.sorted.len() + self.table.len()
    }

    /// Takes marks away; gives how many those were.
    pub(crate) fn remove(&mut self, goes: impl Fn(u64) -> bool) -> usize {
        let before = self.len();
        self.sorted.retain(|hash| !goes(*hash));
        self.table.retain(|hash| !goes(*hash));
        before - self.len()
    }

    /// Some mark had to go, or will when the marks are written.
    pub(crate) fn is_full(&self) -> bool {
        self.ceiling != u64::MAX || self.len() > self.max
    }

    /// The marks in order, within the limit, and whether any had to go.
    pub(crate) fn sorted(&self) -> (Cow<'_, [u64]>, bool) {
        let hashes = match self.ordered() {
            Cow::Borrowed(hashes) => Cow::Borrowed(&hashes[..hashes.len().min(self.max)]),
            Cow::Owned(mut hashes) => {
                hashes.truncate(self.max);
                Cow::Owned(hashes)
            }
        };
        (hashes, self.is_full())
    }

    /// All of them in order, those beyond the limit too that are still there.
    fn ordered(&self) -> Cow<'_, [u64]> {
        if self.table.is_empty() {
            return Cow::Borrowed(&self.sorted);
        }
        let hashes: Vec<u64> = self.all().collect();
        Cow::Owned(in_order(&hashes))
    }

    /// The set that [`Marks::sorted`] gave.
    pub(crate) fn from_sorted(sorted: Vec<u64>, full: bool, max: usize) -> Self {
        let ceiling = sorted.last().copied().filter(|_| full).unwrap_or(u64::MAX);
        Self { sorted, table: HashSet::default(), ceiling, max }
    }

    fn contains(&self, hash: u64) -> bool {
        self.table.contains(&hash) || self.sorted.binary_search(&hash).is_ok()
    }

    fn all(&self) -> impl Iterator<Item = u64> + '_ {
        self.sorted.iter().chain(&self.table).copied()
    }

    fn keep_smallest(&mut self) {
        if self.len() > self.max {
            let (hashes, full) = self.sorted();
            *self = Self::from_sorted(hashes.into_owned(), full, self.max);
        }
    }
}

/// Of fewer than this share of a set each is put in its place; more are united with it in order,
/// which costs a step for each mark of both.
const FEW: usize = 8;

/// The marks of two sets in order, each once.
fn united(one: &[u64], other: &[u64]) -> Vec<u64> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut at, mut beside) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(at), other.get(beside)) {
        all.push(*a.min(b));
        at += usize::from(a <= b);
        beside += usize::from(b <= a);
    }
    all.extend_from_slice(&one[at..]);
    all.extend_from_slice(&other[beside..]);
    all
}

/// Most of the upper bits by which hashes are laid into buckets.
const BUCKET_BITS_MAX: u32 = 15;

/// The same in order. Hashes are spread evenly, so nearly all of the work is to lay each into the
/// bucket of its upper bits, of which there are so many that few share one.
fn in_order(hashes: &[u64]) -> Vec<u64> {
    let bits = (hashes.len() / 2).checked_ilog2().unwrap_or(0).clamp(1, BUCKET_BITS_MAX);
    let bucket = |hash: u64| (hash >> (u64::BITS - bits)) as usize;
    let mut ends = vec![0; 1 << bits];
    hashes.iter().for_each(|hash| ends[bucket(*hash)] += 1);
    let mut sum = 0;
    for end in &mut ends {
        (*end, sum) = (sum, sum + *end);
    }
    let mut ordered = vec![0; hashes.len()];
    for hash in hashes {
        let end = &mut ends[bucket(*hash)];
        ordered[*end] = *hash;
        *end += 1;
    }
    let mut from = 0;
    for end in ends {
        ordered[from..end].sort_unstable();
        from = end;
    }
    ordered
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
        let all = of(&hashes);
        let whole = all.sorted();
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
        assert_eq!(marks.sorted(), (vec![3, 5].into(), false));
        assert!(marks.may_contain(3) && !marks.may_contain(4) && !marks.may_contain(u64::MAX));
        assert_eq!((marks.holds(3), marks.holds(4)), (Some(true), None));
        (0..300).for_each(|hash| marks.insert(hash));
        assert_eq!((marks.holds(3), marks.holds(299)), (Some(true), Some(false)));
    }

    #[test]
    fn in_order_is_what_sorting_gives() {
        let mut rng = Rng::new(3);
        for count in [0, 1, 2, 7, 8, 15, 16, 17, 100, 3_000, 70_000] {
            for shift in [0, 20, 60, 63] {
                let mut hashes: Vec<u64> = (0..count).map(|_| rng.next() >> shift).collect();
                hashes.extend([0, u64::MAX]);
                let ordered = in_order(&hashes);
                hashes.sort_unstable();
                assert!(ordered == hashes, "{count} {shift}");
            }
        }
    }

    /// Sets that were added to one by one, all at once, and read back are the same set.
    #[test]
    fn every_form_is_the_same_set() {
        let mut rng = Rng::new(2);
        for round in 0..200 {
            let max = 1 + rng.below(60);
            let count = rng.below(150);
            let mut pick = || (0..count).map(|_| rng.next() >> 57).collect::<Vec<u64>>();
            let (hashes, more) = (pick(), pick());
            let mut one_by_one = Marks::new(max);
            hashes.iter().for_each(|hash| one_by_one.insert(*hash));
            let mut at_once = Marks::new(max);
            at_once.insert_all(&hashes);
            let (stored, full) = one_by_one.sorted();
            let mut read = Marks::from_sorted(stored.into_owned(), full, max);
            let mut other = Marks::new(max);
            other.insert_all(&more);
            let expected = one_by_one.sorted();
            for marks in [&at_once, &read] {
                assert_eq!(marks.sorted(), expected, "round {round}");
                assert_eq!(marks.has_room_for(&other), one_by_one.has_room_for(&other));
                let kept = expected.0.iter().all(|hash| marks.holds(*hash) == Some(true));
                assert!(
                    kept && (0..200).all(|hash| !hashes.contains(&hash) || marks.may_contain(hash))
                );
            }
            let union = Marks::union([&read, &other, &at_once].into_iter());
            let mut merged = one_by_one.clone();
            merged.merge(&other);
            assert_eq!(union.sorted(), merged.sorted(), "round {round}");
            for marks in [&mut one_by_one, &mut at_once, &mut read] {
                marks.merge(&other);
                marks.insert_all(&more);
                if !marks.is_full() {
                    marks.remove(|hash| hash % 3 == 0);
                }
            }
            assert_eq!(at_once.sorted(), one_by_one.sorted(), "round {round}");
            assert_eq!(read.sorted(), one_by_one.sorted(), "round {round}");
        }
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
