//! Any sequence of updates leaves the lists that a full match gives, and those that the generator
//! expects from what it placed.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::{Advisories, Change, Matcher, Policy, Rank};
use relight_model::{
    Advisory, Affected, Component, FindingState, Purl, Scope, Stance, VexProduct, VexStatement,
    VexStatus,
};
use testkit::Rng;

use super::{advisory, affected, component};

/// Sequences a run; `RELIGHT_SEQUENCES` asks for more.
const SEQUENCES: u64 = 250;
const STEPS: usize = 24;
const RECORDS: usize = 6;
const PACKAGES: [&str; 2] = ["left", "right"];
const CVES: [&str; 3] = ["CVE-2021-1", "CVE-2021-2", "CVE-2021-3"];

/// What a record says of one package, as the generator thinks of it: versions are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// From the first to before the second.
    Between(u32, u32),
    Never,
    Nothing,
}

/// A record as the generator placed it.
#[derive(Clone, Debug)]
struct Placed {
    rank: Rank,
    aliases: BTreeSet<String>,
    withdrawn: bool,
    says: BTreeMap<usize, Says>,
}

/// The world as the generator knows it.
#[derive(Debug, Default)]
struct World {
    records: BTreeMap<usize, Placed>,
    /// Number to package, version and scope; version 0 is "not known".
    identities: BTreeMap<u32, (usize, u32, Scope)>,
    /// What a trusted supplier cleared: flaw, package and version.
    cleared: BTreeSet<(usize, usize, u32)>,
}

fn id_of(number: usize, rank: Rank) -> String {
    if rank == Rank::Own { format!("RLT-{number}") } else { format!("R-{number}") }
}

/// The rank of a record never changes: it is its source.
fn rank_of(number: usize) -> Rank {
    [Rank::Vendor, Rank::Reviewed, Rank::Community, Rank::Own][number % 4]
}

fn source_of(rank: Rank) -> String {
    format!("source-{}", rank.as_str())
}

fn policy() -> Policy {
    let ranks = [Rank::Vendor, Rank::Reviewed, Rank::Community];
    let trusted = ["supplier".to_owned()].into();
    let ranks = ranks.map(|rank| (source_of(rank), rank)).into();
    Policy { ranks, trusted, ..Policy::default() }
}

impl Placed {
    fn document(&self, number: usize) -> Advisory {
        let entry = |(&package, says): (&usize, &Says)| match says {
            Says::Between(from, to) => {
                affected("npm", PACKAGES[package], &[&format!("i{from}.0.0 f{to}.0.0")])
            }
            Says::Never => {
                let stance = Stance::NotAffected;
                Affected { stance, ..affected("npm", PACKAGES[package], &[]) }
            }
            Says::Nothing => affected("npm", PACKAGES[package], &[]),
        };
        Advisory {
            source: source_of(self.rank),
            aliases: self.aliases.iter().cloned().collect(),
            withdrawn: self.withdrawn.then_some(1),
            ..advisory(&id_of(number, self.rank), self.says.iter().map(entry).collect())
        }
    }

    fn own_cves(&self) -> BTreeSet<String> {
        self.aliases.iter().filter(|it| it.starts_with("CVE-")).cloned().collect()
    }
}

impl World {
    /// The flaws by name, with the numbers of their records: names spread from record to record
    /// until nothing moves.
    fn flaws(&self) -> BTreeMap<String, BTreeSet<usize>> {
        let mut flaws: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let names = |number: &usize, it: &Placed| {
            let linked = if it.withdrawn { BTreeSet::new() } else { it.aliases.clone() };
            let mut names: BTreeSet<_> =
                linked.into_iter().filter(|it| !it.starts_with("CVE-")).collect();
            names.insert(id_of(*number, it.rank));
            names
        };
        let mut loose: Vec<(BTreeSet<String>, BTreeSet<usize>)> = Vec::new();
        for (number, it) in &self.records {
            for cve in it.own_cves() {
                flaws.entry(cve).or_default().insert(*number);
            }
            if it.own_cves().is_empty() {
                loose.push((names(number, it), [*number].into()));
            }
        }
        while let Some((a, b)) = overlapping(&loose) {
            let (more_names, more) = loose.remove(b);
            loose[a].0.extend(more_names);
            loose[a].1.extend(more);
        }
        for (all, numbers) in loose {
            let leads = |(number, it): (&usize, &Placed)| {
                let is_one = it.own_cves().len() == 1 && !it.withdrawn;
                (is_one && !names(number, it).is_disjoint(&all)).then(|| it.own_cves())
            };
            let mut cves: BTreeSet<_> = self.records.iter().filter_map(leads).flatten().collect();
            if cves.is_empty() {
                cves.extend(all.first().cloned());
            }
            for cve in cves {
                flaws.entry(cve).or_default().extend(&numbers);
            }
        }
        flaws
    }

    /// What must be found: flaw and identity to state.
    fn expected(&self) -> BTreeMap<(String, u32), FindingState> {
        let mut expected = BTreeMap::new();
        for (flaw, numbers) in self.flaws() {
            for (&identity, &(package, version, scope)) in &self.identities {
                let said: Vec<_> = numbers
                    .iter()
                    .filter_map(|number| self.records.get(number))
                    .filter(|it| !it.withdrawn)
                    .filter_map(|it| Some((it.rank, *it.says.get(&package)?)))
                    .collect();
                let cleared = CVES.iter().position(|it| *it == flaw);
                let cleared = cleared.map(|at| (at, package, version));
                let is_cleared = cleared.is_some_and(|it| self.cleared.contains(&it));
                if is_cleared && !said.iter().any(|it| is_left_open(*it, version)) {
                    continue;
                }
                if let Some(state) = verdict(&said, version).and_then(|it| counting(it, scope)) {
                    expected.insert((flaw.clone(), identity), state);
                }
            }
        }
        expected
    }
}

/// Two groups of records that share a name.
fn overlapping(loose: &[(BTreeSet<String>, BTreeSet<usize>)]) -> Option<(usize, usize)> {
    let pairs = (0..loose.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    pairs.into_iter().find(|&(a, b)| !loose[a].0.is_disjoint(&loose[b].0))
}

/// What the sources together mean for one version, from the prose of the design.
fn verdict(said: &[(Rank, Says)], version: u32) -> Option<FindingState> {
    let holds = |says: Says| match says {
        Says::Between(from, to) => from <= version && version < to,
        Says::Never | Says::Nothing => false,
    };
    // We may always add, and only add.
    if version != 0 && said.iter().any(|(rank, says)| *rank == Rank::Own && holds(*says)) {
        return Some(FindingState::Affected);
    }
    let others: Vec<_> = said.iter().filter(|(rank, _)| *rank != Rank::Own).collect();
    let speaking = if others.is_empty() { said.iter().collect() } else { others };
    let usable: Vec<_> = speaking.iter().filter(|(_, says)| *says != Says::Nothing).collect();
    let Some(top) = usable.iter().map(|(rank, _)| *rank).min() else {
        let unsure = Some(FindingState::RangeUnresolved);
        // With only our own word, what it can tell goes before what others cannot.
        let own = |it: &&(Rank, Says)| it.0 == Rank::Own && matches!(it.1, Says::Between(..));
        let own_unknown = version == 0 && said.iter().any(|it| own(&it));
        return match (speaking.is_empty(), own_unknown) {
            (true, _) => None,
            (false, true) => Some(FindingState::PossibleMatch),
            (false, false) => unsure,
        };
    };
    let decisive: Vec<_> = usable.iter().filter(|(rank, _)| *rank == top).collect();
    let open = |says: Says| matches!(says, Says::Between(..));
    match version {
        0 if decisive.iter().any(|(_, says)| open(*says)) => Some(FindingState::PossibleMatch),
        0 => None,
        _ => decisive.iter().any(|(_, says)| holds(*says)).then_some(FindingState::Affected),
    }
}

/// What a finding means for a site that holds the component so.
fn counting(state: FindingState, scope: Scope) -> Option<FindingState> {
    match (scope, state) {
        (Scope::Installed, _) => Some(state),
        (Scope::Declared, FindingState::Affected) => Some(FindingState::DeclaredOnly),
        (Scope::Declared, _) => Some(state),
        (Scope::Superseded | Scope::Build, _) => None,
    }
}

/// Whether a record of our own means a version, or has no range that leaves it out: no supplier
/// clears that.
fn is_left_open((rank, says): (Rank, Says), version: u32) -> bool {
    rank == Rank::Own
        && match says {
            Says::Between(from, to) => version == 0 || from <= version && version < to,
            Says::Nothing => true,
            Says::Never => false,
        }
}

/// Changes one thing in the world, and tells the matcher only that.
fn step(rng: &mut Rng, world: &mut World, matcher: &mut Matcher) -> &'static str {
    if rng.chance(30) {
        return snapshot(rng, world, matcher);
    }
    if rng.chance(15) {
        return statement(rng, world, matcher);
    }
    let number = rng.below(RECORDS);
    let rank = rank_of(number);
    let id = id_of(number, rank);
    let Some(placed) = world.records.get_mut(&number) else {
        let mut placed =
            Placed { rank, aliases: BTreeSet::new(), withdrawn: false, says: BTreeMap::new() };
        amend(rng, &mut placed);
        alias(rng, number, &mut placed);
        matcher.apply(vec![Change::put(placed.document(number))]);
        world.records.insert(number, placed);
        return "add";
    };
    let done = match rng.below(6) {
        0 => {
            placed.withdrawn = !placed.withdrawn;
            "withdraw or return"
        }
        1 => {
            world.records.remove(&number);
            matcher.apply(vec![Change::remove(&source_of(rank), &id)]);
            return "vanish";
        }
        2 => {
            alias(rng, number, placed);
            "alias"
        }
        3 => {
            let first = placed.aliases.first().cloned();
            first.map(|it| placed.aliases.remove(&it));
            "unalias"
        }
        _ => {
            amend(rng, placed);
            "amend"
        }
    };
    matcher.apply(vec![Change::put(placed.document(number))]);
    done
}

fn amend(rng: &mut Rng, placed: &mut Placed) {
    let package = rng.below(PACKAGES.len());
    let from = 1 + u32::try_from(rng.below(5)).unwrap();
    let length = 1 + u32::try_from(rng.below(4)).unwrap();
    match rng.below(5) {
        0 => placed.says.remove(&package),
        1 => placed.says.insert(package, Says::Never),
        2 => placed.says.insert(package, Says::Nothing),
        _ => placed.says.insert(package, Says::Between(from, from + length)),
    };
}

fn alias(rng: &mut Rng, number: usize, placed: &mut Placed) {
    let other = rng.below(RECORDS);
    placed.aliases.insert(match rng.chance(60) {
        true => (*rng.pick(&CVES)).to_owned(),
        false if other == number => "X-1".to_owned(),
        false => id_of(other, rank_of(other)),
    });
}

fn snapshot(rng: &mut Rng, world: &mut World, matcher: &mut Matcher) -> &'static str {
    let number = u32::try_from(rng.below(8)).unwrap();
    if world.identities.remove(&number).is_some() && rng.chance(50) {
        matcher.remove([number]);
        return "forget";
    }
    let (package, version) = (rng.below(PACKAGES.len()), u32::try_from(rng.below(9)).unwrap());
    let text = if version == 0 { String::new() } else { format!("@{version}.0.0") };
    let scope = if rng.chance(50) { Scope::Installed } else { *rng.pick(&Scope::ALL) };
    world.identities.insert(number, (package, version, scope));
    let found = component(&format!("pkg:npm/{}{text}", PACKAGES[package]));
    matcher.add([(number, Component { scope, ..found })]);
    "snapshot"
}

/// A trusted supplier clears a version of a package of a flaw, or takes that back.
fn statement(rng: &mut Rng, world: &mut World, matcher: &mut Matcher) -> &'static str {
    let version = 1 + u32::try_from(rng.below(8)).unwrap();
    let cleared = (rng.below(CVES.len()), rng.below(PACKAGES.len()), version);
    if world.cleared.remove(&cleared) {
        matcher.apply(vec![Change::remove("vex", &vex_document(cleared).id)]);
        return "VEX withdrawn";
    }
    world.cleared.insert(cleared);
    matcher.apply(vec![Change::put(vex_document(cleared))]);
    "VEX"
}

fn vex_document(cleared: (usize, usize, u32)) -> Advisory {
    let (flaw, package, version) = cleared;
    let purl = format!("pkg:npm/{}@{version}.0.0", PACKAGES[package]);
    let product = VexProduct { purls: vec![Purl::parse(&purl).unwrap()], ..VexProduct::default() };
    let said = VexStatement {
        issuer: "supplier".into(),
        document: "doc".into(),
        vulnerabilities: vec![CVES[flaw].into()],
        products: vec![product],
        status: VexStatus::NotAffected,
        justification: Some("component_not_present".into()),
        text: String::new(),
        at: Some(1),
    };
    let id = format!("VEX-{flaw}-{package}-{version}");
    Advisory { source: "vex".into(), statements: vec![said], ..advisory(&id, vec![]) }
}

fn found(matcher: &Matcher) -> BTreeMap<(String, u32), FindingState> {
    let mut found = BTreeMap::new();
    for (flaw, list) in matcher.lists() {
        for it in list {
            found.extend(it.state().map(|state| ((flaw.to_owned(), it.identity), state)));
        }
    }
    found
}

/// Goal: nothing that was pushed differs from a full match, or from what the generator placed.
/// Method: seeded sequences of single changes; after each, the three lists are compared, and the
/// groups with those built from nothing.
#[test]
fn incremental_is_full_is_what_was_placed() {
    let asked = std::env::var("RELIGHT_SEQUENCES").ok().and_then(|text| text.parse().ok());
    for seed in 0..asked.unwrap_or(SEQUENCES) {
        let mut rng = Rng::new(seed);
        let mut world = World::default();
        let mut matcher = Matcher::new(Advisories::with_policy(Vec::new(), policy()));
        let mut done = Vec::new();
        for _ in 0..STEPS {
            done.push(step(&mut rng, &mut world, &mut matcher));
            let place = || format!("seed {seed} after {done:?}");
            assert_eq!(found(&matcher), world.expected(), "{}", place());
            let digest = matcher.digest();
            assert!(matcher.rematch(), "pushed and full differ, {}", place());
            assert_eq!(matcher.digest(), digest, "{}", place());
        }
        let documents = world.records.iter().map(|(number, it)| it.document(*number));
        let documents = documents.chain(world.cleared.iter().map(|it| vex_document(*it))).collect();
        let fresh = Advisories::with_policy(documents, policy());
        let shown = |all: &Advisories| -> Vec<_> {
            all.groups().map(|it| (it.id.clone(), it.aliases.clone(), it.revision())).collect()
        };
        assert_eq!(shown(matcher.advisories()), shown(&fresh), "seed {seed}");
    }
}

/// What left and what joined are the difference of the lists before and after, and nothing moves
/// when only prose does.
#[test]
fn deltas_are_the_difference() {
    let record = |events: &str| advisory("CVE-1", vec![affected("npm", "left", &[events])]);
    let mut matcher = Matcher::new(Advisories::new(Vec::new()));
    let identities = (1..6).map(|at| (at, component(&format!("pkg:npm/left@{at}.0.0"))));
    assert!(matcher.add(identities).is_empty());
    let mut moved = |record: Advisory| {
        let deltas = matcher.apply(vec![Change::put(record)]);
        let numbers = |list: &[relight_match::Match]| {
            list.iter().map(|it| it.identity.to_string()).collect::<Vec<_>>().join(" ")
        };
        let lines = deltas
            .iter()
            .map(|(id, it)| format!("{id} +[{}] -[{}]", numbers(&it.joined), numbers(&it.left)));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(moved(record("i1.0.0 f4.0.0")), ["CVE-1 +[1 2 3] -[]"]);
    assert_eq!(moved(record("i3.0.0 f6.0.0")), ["CVE-1 +[4 5] -[1 2]"]);
    let worded = Advisory { summary: "reworded".into(), ..record("i3.0.0 f6.0.0") };
    assert_eq!(moved(worded.clone()), ["CVE-1 +[] -[]"]);
    assert_eq!(moved(worded.clone()), [""; 0]);
    let withdrawn = Advisory { withdrawn: Some(1), ..worded.clone() };
    assert_eq!(moved(withdrawn), ["CVE-1 +[] -[3 4 5]"]);
    assert_eq!(moved(worded), ["CVE-1 +[3 4 5] -[]"]);
}
