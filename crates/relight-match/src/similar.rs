//! Query by example: how much of an example is inside what is known, and the other way round.
//!
//! A value counts by its rarity: 1 / number of the distinct containers that hold it, so what
//! everybody ships (licence texts, popular resources) makes nobody alike. Where an example has
//! classes, only classes are compared; else its members are. Who holds a value is the caller's to
//! know; every holder counts, so nothing is lost to a sample.

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

/// What a container shares with the example.
#[derive(Clone, Copy, Debug, Default)]
struct Shared {
    count: usize,
    weight: f64,
}

/// One example beside every distinct container.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Values of the example.
    asked: usize,
    /// Those that anybody holds, and what they weigh together.
    seen: usize,
    weight: f64,
    /// By container.
    shared: Vec<Shared>,
}

impl Comparison {
    /// Nothing compared yet, of an example of `asked` values with so many containers.
    pub fn new(asked: usize, containers: usize) -> Self {
        Self { asked, seen: 0, weight: 0.0, shared: vec![Shared::default(); containers] }
    }

    /// The next value of the example, in ascending order, and the numbers of those that hold it.
    pub fn value(&mut self, holders: &[u32]) {
        if holders.is_empty() {
            return;
        }
        let weight = 1.0 / holders.len() as f64;
        self.seen += 1;
        self.weight += weight;
        for container in holders {
            let shared = &mut self.shared[*container as usize];
            shared.count += 1;
            shared.weight += weight;
        }
    }

    /// Which containers are like the example at least to the share `least`, the most alike first.
    /// `whole` says what all values of a container weigh, in its ascending order.
    pub fn alike(&self, whole: impl Fn(usize) -> f64, least: f64) -> Vec<Likeness> {
        // What nobody holds says nothing about rarity: it weighs what the rest of the example does
        // on average, or a new version of a popular library would be like none of the old ones.
        let of_all = self.weight * self.asked as f64 / self.seen as f64;
        let shared = self.shared.iter().enumerate().filter(|(_, shared)| shared.count > 0);
        let mut found: Vec<Likeness> = shared
            .map(|(container, shared)| {
                let is_enough = shared.count >= INSIDE_VALUES_MIN || shared.count * 2 >= self.asked;
                let inside = if is_enough { shared.weight / whole(container) } else { 0.0 };
                Likeness { container, of_example: shared.weight / of_all, of_container: inside }
            })
            .filter(|it| it.share() >= least)
            .collect();
        found.sort_by(|a, b| {
            let by_share = b.share().total_cmp(&a.share());
            let by_example = b.of_example.total_cmp(&a.of_example);
            by_share.then(by_example).then(a.container.cmp(&b.container))
        });
        found
    }
}

/// Whether a container with this gap may hide what the example asks for.
pub const fn may_hide(gap: ProfileGap, example: &Values) -> bool {
    match gap {
        ProfileGap::None => false,
        ProfileGap::Members => example.classes.is_empty(),
        ProfileGap::Values => true,
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

    /// The comparison where a plain count says who holds what.
    fn alike(containers: &[Values], example: &Values, least: f64) -> Vec<Likeness> {
        let kind = example.compared();
        let holders = |value: &u64| -> Vec<u32> {
            let holds = |it: &(usize, &Values)| it.1.of(kind).binary_search(value).is_ok();
            containers.iter().enumerate().filter(holds).map(|it| it.0 as u32).collect()
        };
        let mut comparison = Comparison::new(example.of(kind).len(), containers.len());
        example.of(kind).iter().for_each(|value| comparison.value(&holders(value)));
        let weigh = |container: usize| {
            containers[container].of(kind).iter().map(|it| 1.0 / holders(it).len() as f64).sum()
        };
        comparison.alike(weigh, least)
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

    /// Goal: both shares are what their definition says. Method: seeded sets, each by itself.
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
