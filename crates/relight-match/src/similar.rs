//! Query by example: how much of an example is inside what is known, and the other way round.
//!
//! A value counts by its rarity: 1 / number of the distinct containers that hold it, so what
//! everybody ships (licence texts, popular resources) makes nobody alike. Where an example has
//! classes, only classes are compared; else its members are. Every container is looked at: reading
//! each value once costs less than an index that has to be kept, and it loses none.

use relight_model::{ProfileGap, Values};

/// Values that something small must share before it counts as inside the example: one licence text
/// in an archive of its own is no likeness.
pub const INSIDE_VALUES_MIN: usize = 8;

/// How like the example one container is; shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Its place among the containers.
    pub container: usize,
    /// The share of the example that is inside it.
    pub of_example: f64,
    /// The share of it that is inside the example.
    pub of_container: f64,
}

impl Likeness {
    /// The larger of both shares.
    pub const fn share(&self) -> f64 {
        self.of_example.max(self.of_container)
    }
}

/// Which of these distinct containers are like the example at least to the share `least`, the most
/// alike first. Their values and those of the example are sorted and without doubles.
pub fn alike(containers: &[Values], example: &Values, least: f64) -> Vec<Likeness> {
    let kind = if example.classes.is_empty() { members } else { classes };
    let mut found = shares(containers, kind, kind(example));
    found.retain(|it| it.share() >= least);
    found.sort_by(|a, b| {
        let by_share = b.share().total_cmp(&a.share());
        let by_example = b.of_example.total_cmp(&a.of_example);
        by_share.then(by_example).then(a.container.cmp(&b.container))
    });
    found
}

/// Whether a container with this gap may hide what the example asks for.
pub const fn may_hide(gap: ProfileGap, example: &Values) -> bool {
    match gap {
        ProfileGap::None => false,
        ProfileGap::Members => example.classes.is_empty(),
        ProfileGap::Values => true,
    }
}

type Kind = fn(&Values) -> &[u64];

fn classes(values: &Values) -> &[u64] {
    &values.classes
}

fn members(values: &Values) -> &[u64] {
    &values.members
}

/// A container that shares values with the example.
struct Shared {
    container: usize,
    count: usize,
    /// Weight of what it shares.
    weight: f64,
    /// Enough to be called inside the example.
    is_enough: bool,
}

fn shares(containers: &[Values], kind: Kind, example: &[u64]) -> Vec<Likeness> {
    let asked = Held::count(containers, kind, example);
    let mut total = 0.0;
    let held = asked.holders.iter().filter(|holders| **holders > 0);
    let seen = held.inspect(|holders| total += 1.0 / f64::from(**holders)).count();
    if seen == 0 {
        return Vec::new();
    }
    // What nobody holds says nothing about rarity: it weighs what the rest of the example does
    // on average, or a new version of a popular library would be like none of the old ones.
    let whole = total * example.len() as f64 / seen as f64;
    let shared: Vec<Shared> = (0..containers.len())
        .map(|container| asked.shared(container, kind(&containers[container])))
        .filter(|it| it.count > 0)
        .collect();
    let wholes = weights_of(containers, kind, &shared);
    let both = shared.iter().zip(wholes);
    both.map(|(Shared { container, weight, .. }, of_all)| {
        let of_container = of_all.map_or(0.0, |of_all| weight / of_all);
        Likeness { container: *container, of_example: weight / whole, of_container }
    })
    .collect()
}

/// What the containers that share enough weigh in all; rarity is counted only for what they hold.
fn weights_of(containers: &[Values], kind: Kind, shared: &[Shared]) -> Vec<Option<f64>> {
    let enough = || shared.iter().filter(|it| it.is_enough);
    let mut values: Vec<u64> =
        enough().flat_map(|it| kind(&containers[it.container])).copied().collect();
    values.sort_unstable();
    values.dedup();
    let held = Held::count(containers, kind, &values);
    let weigh = |it: &Shared| {
        it.is_enough.then(|| held.shared(it.container, kind(&containers[it.container])).weight)
    };
    shared.iter().map(weigh).collect()
}

/// How many containers hold each of some values.
struct Held<'a> {
    lookup: Lookup<'a>,
    holders: Vec<u32>,
}

impl<'a> Held<'a> {
    fn count(containers: &[Values], kind: Kind, values: &'a [u64]) -> Self {
        let lookup = Lookup::new(values);
        let mut holders = vec![0; values.len()];
        for value in containers.iter().flat_map(kind) {
            if let Some(at) = lookup.find(*value) {
                holders[at] += 1;
            }
        }
        Self { lookup, holders }
    }

    /// What a container shares with the values.
    fn shared(&self, container: usize, values: &[u64]) -> Shared {
        let (mut count, mut weight) = (0, 0.0);
        for at in values.iter().filter_map(|value| self.lookup.find(*value)) {
            count += 1;
            weight += 1.0 / f64::from(self.holders[at]);
        }
        let is_enough = count >= INSIDE_VALUES_MIN || count * 2 >= self.holders.len();
        Shared { container, count, weight, is_enough: is_enough && count > 0 }
    }
}

/// Sorted values with a table of where each beginning of their upper bits starts: they are hashes
/// and check sums, so a look costs two reads, not twenty.
struct Lookup<'a> {
    values: &'a [u64],
    starts: Vec<u32>,
    shift: u32,
}

impl<'a> Lookup<'a> {
    fn new(values: &'a [u64]) -> Self {
        let bits = values.len().next_power_of_two().trailing_zeros() + 1;
        let shift = u64::BITS - bits;
        let mut starts = vec![0; (1 << bits) + 1];
        for value in values {
            starts[(value >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { values, starts, shift }
    }

    fn find(&self, value: u64) -> Option<usize> {
        let bucket = (value >> self.shift) as usize;
        let (from, to) = (self.starts[bucket] as usize, self.starts[bucket + 1] as usize);
        self.values[from..to].binary_search(&value).ok().map(|at| from + at)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use testkit::Rng;

    use super::*;

    fn classes(values: Range<u64>) -> Values {
        Values { classes: values.collect(), ..Values::default() }
    }

    fn members(values: Range<u64>) -> Values {
        Values { members: values.collect(), ..Values::default() }
    }

    /// `container: share of the example, share of the container` in percent.
    fn like(example: &Values, corpus: &[Values]) -> String {
        let percent = |share: f64| (share * 100.0).round();
        let found = alike(corpus, example, 0.5);
        let line = |it: &Likeness| {
            let shares = (percent(it.of_example), percent(it.of_container));
            format!("{}: {}, {}", it.container, shares.0, shares.1)
        };
        found.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn the_same_a_part_and_the_whole_are_found_and_others_are_not() {
        let fat = classes(0..200);
        let corpus = [classes(0..20), fat.clone(), classes(500..600), members(0..20)];
        assert_eq!(like(&classes(0..20), &corpus), "0: 100, 100; 1: 100, 5");
        assert_eq!(like(&fat, &corpus), "1: 100, 100; 0: 5, 100");
        assert_eq!(like(&classes(700..800), &corpus), "");
        assert_eq!(like(&Values::default(), &corpus), "");
        assert_eq!(like(&members(0..20), &corpus), "3: 100, 100");
    }

    #[test]
    fn what_is_common_makes_nobody_alike() {
        // Twenty archives with three licence texts and code of their own.
        let own = |at: u64| Values {
            members: (0..3).chain(1_000 * at..1_000 * at + 2).collect(),
            ..Values::default()
        };
        let mut corpus: Vec<Values> = (1..=20).map(own).collect();
        assert_eq!(like(&own(7), &corpus), "6: 100, 100");
        corpus.push(members(0..1));
        let only_licences = corpus.len() - 1;
        assert!(!like(&own(7), &corpus).contains(&format!("{only_licences}:")));
        // Resources do not count beside classes.
        let mixed = Values { classes: (50..60).collect(), ..members(0..100) };
        assert_eq!(like(&mixed, &[members(0..100)]), "");
    }

    #[test]
    fn a_version_that_nobody_has_is_like_the_others() {
        let fleet: Vec<Values> = (0..300)
            .map(|at| Values {
                classes: (0..80).chain(1_000 * (at + 1)..1_000 * (at + 1) + 40).collect(),
                ..Values::default()
            })
            .collect();
        let found = alike(&fleet, &classes(0..100), 0.5);
        assert_eq!(found.len(), 300);
        assert!(found.iter().all(|it| (it.of_example - 0.8).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn gaps_hide_what_they_could_hold() {
        let hides = |example: &Values| ProfileGap::ALL.map(|gap| may_hide(gap, example));
        assert_eq!(hides(&classes(0..9)), [false, false, true]);
        assert_eq!(hides(&members(0..9)), [false, true, true]);
    }

    /// Goal: the table loses nothing. Method: seeded sets, compared one by one with a plain count.
    #[test]
    fn it_finds_what_a_full_comparison_finds() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut set = |max: usize| {
                let len = 1 + rng.below(max);
                let mut values = Values::default();
                values
                    .classes
                    .extend((0..len).map(|_| (rng.below(60) as u64) << rng.pick(&[0, 58])));
                values.normalise();
                values
            };
            let corpus: Vec<Values> = (0..20).map(|_| set(40)).collect();
            let example = set(30);
            let rarity = |value: &u64| {
                let holders = corpus.iter().filter(|it| it.classes.contains(value)).count();
                if holders == 0 { 0.0 } else { 1.0 / holders as f64 }
            };
            let seen: Vec<f64> = example.classes.iter().map(rarity).filter(|w| *w > 0.0).collect();
            let whole = seen.iter().sum::<f64>() / seen.len() as f64 * example.classes.len() as f64;
            let found = alike(&corpus, &example, 0.0);
            for (at, values) in corpus.iter().enumerate() {
                let shared = example.classes.iter().filter(|it| values.classes.contains(it));
                let (count, weight) = (shared.clone().count(), shared.map(rarity).sum::<f64>());
                let is_enough = count >= INSIDE_VALUES_MIN || count * 2 >= example.classes.len();
                let all: f64 = values.classes.iter().map(rarity).sum();
                let inside = if is_enough && count > 0 { weight / all } else { 0.0 };
                let said = found.iter().find(|it| it.container == at);
                let said = said.map_or([0.0; 2], |it| [it.of_example, it.of_container]);
                for (said, true_share) in said.into_iter().zip([weight / whole, inside]) {
                    assert!((said - true_share).abs() < 1e-9, "seed {seed}, {at}: {said}");
                }
            }
        }
    }
}
