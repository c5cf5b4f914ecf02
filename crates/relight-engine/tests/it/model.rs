//! Every state that an incident can reach, breadth first, over the real fold and the real loop.
//!
//! The world is small and everything happens within one second: sites, three artifacts, an advisory
//! that is revised once, scans that end after the world has changed, an edge that is reloaded, a
//! controller that dies at any step of a round, and the one of before, which does not know it.
//! Goal: no gate ever opens before an artifact that the latest revision calls affected, and an
//! older epoch changes nothing once a newer one was at the edge. Without the durable gate, the
//! revision, the digest or the fence the same search must find a way. A model checker as a
//! dependency (a dozen crates and a web server) would search the same states no faster.

use std::collections::{HashSet, VecDeque};
use std::env;
use std::fmt::{self, Write as _};

use relight_engine::drive::for_incidents;
use relight_engine::edge::GateSet;
use relight_engine::incident::{Compromise, Entry, Evidence, EvidenceKind, Ledger, Phase};
use relight_engine::reconcile::{EdgeLoop, Round, wants};
use relight_model::{Digest, Epoch, GateKey, Light, Site, Verdict};

use crate::edge::{Fault, Shared, is_canary, key};
use crate::mutants::Mutant;
use crate::oracle::MATCHER;
use crate::sim;

const ID: &str = "CVE-2021-44228";
const NOW: i64 = 1_639_000_000;
const NAMES: [&str; 2] = ["a", "b"];
/// 0 is affected, 1 was called fixed until the revision, 2 is clean (2.14, 2.15 and 2.17.1).
const ARTIFACTS: u8 = 3;
const REVISIONS_MAX: u8 = 1;
const TERMS_MAX: u64 = 2;
/// Effects that one round may have before the controller dies.
const EFFECTS_MAX: usize = 8;
/// States of the suite; `RELIGHT_STATES` sets another number.
const STATES: usize = 1_500;
/// States within which a broken variant must be caught.
const BROKEN_STATES_MAX: usize = 60_000;

/// What is taken away from the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Nothing,
    /// What a restart reads is never written.
    NoDurableGate,
    /// Evidence survives a new revision.
    NoRevision,
    /// Evidence survives another artifact.
    NoDigest,
    /// The edge takes any epoch.
    NoFence,
}

impl Broken {
    const fn mutant(self) -> Mutant {
        match self {
            Self::NoRevision => Mutant::NoRevisionBinding,
            Self::NoDigest => Mutant::NoDigestBinding,
            _ => Mutant::None,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Order(usize),
    /// A scan reads what runs, under the revision of now.
    ScanStarts(usize),
    /// Its result arrives, whatever changed meanwhile.
    ScanEnds(usize),
    Deploy(usize, u8),
    Revise,
    VerificationStarts(usize),
    /// Its checks are asked, and what they gave is all that is told of the trial.
    Verified(usize, bool),
    Relight(usize),
    Lapse(usize),
    /// A round that dies after so many effects; whether its result is journalled.
    Round(usize, bool),
    /// Somebody reloads the edge: it reads its durable copy.
    Reload,
    /// Another controller takes the journal and goes to the edge.
    TakeOver,
    /// The controller of before runs a round with what it knew.
    Ghost,
}

/// Everything that the future depends on.
#[derive(Clone, Debug)]
struct World {
    ledger: Ledger,
    durable: GateSet,
    runtime: GateSet,
    own: GateSet,
    epoch: Option<Epoch>,
    running: Vec<u8>,
    scans: Vec<Option<(u8, u8)>>,
    revision: u8,
    term: u64,
    ghost: Option<Ledger>,
}

impl World {
    fn new(sites: usize) -> Self {
        let mut ledger = Ledger::new(MATCHER);
        let (question, title, policy) = (ID.to_owned(), String::new(), String::new());
        let opened = Entry::Opened {
            question,
            title,
            statements: Digest::default(),
            policy,
            revision: revision(0),
        };
        ledger.apply(ID, &opened, NOW).unwrap();
        Self {
            ledger,
            durable: GateSet::new(),
            runtime: GateSet::new(),
            own: GateSet::new(),
            epoch: None,
            running: vec![0; sites],
            scans: vec![None; sites],
            revision: 0,
            term: 1,
            ghost: None,
        }
    }

    /// The truth about one site, which the product never sees.
    fn is_affected(&self, site: usize) -> bool {
        self.running[site] == 0 || (self.running[site] == 1 && self.revision >= 1)
    }

    fn phase(&self, site: usize) -> Phase {
        self.phase_if_known(site).unwrap_or(Phase::Online)
    }

    fn phase_if_known(&self, site: usize) -> Option<Phase> {
        Some(self.ledger.incident(ID)?.case(&key(NAMES[site]))?.phase)
    }

    /// Two worlds of one number are one world: all of it goes into the number.
    fn number(&self) -> u64 {
        let mut sum = Fnv(0xcbf2_9ce4_8422_2325);
        write!(sum, "{self:?}").unwrap();
        sum.0
    }

    fn actions(&self, broken: Broken) -> Vec<Action> {
        let mut actions = vec![Action::Reload];
        for site in 0..self.running.len() {
            actions.extend([Action::Order(site), Action::Lapse(site), Action::Relight(site)]);
            actions.push(match self.scans[site] {
                None => Action::ScanStarts(site),
                Some(_) => Action::ScanEnds(site),
            });
            let others = (0..ARTIFACTS).filter(|artifact| *artifact != self.running[site]);
            actions.extend(others.map(|artifact| Action::Deploy(site, artifact)));
            match self.phase(site) {
                Phase::FixDeployed => actions.push(Action::VerificationStarts(site)),
                Phase::Verifying => {
                    actions.extend([true, false].map(|passed| Action::Verified(site, passed)));
                }
                _ => {}
            }
        }
        if self.revision < REVISIONS_MAX {
            actions.push(Action::Revise);
        }
        if self.term < TERMS_MAX {
            actions.push(Action::TakeOver);
        }
        if self.ghost.is_some() {
            actions.push(Action::Ghost);
        }
        let effects = self.effects(broken);
        for after in 0..=effects {
            actions.extend([true, false].map(|told| Action::Round(after, told)));
        }
        actions
    }

    /// How many effects a round has that nothing stops.
    fn effects(&self, broken: Broken) -> usize {
        let mut world = self.clone();
        let ledger = world.ledger.clone();
        world.round(&ledger, world.term, EFFECTS_MAX, broken).1
    }

    /// The world after an action; what was wrong about it, if something was.
    fn after(&self, action: Action, broken: Broken) -> (Self, Option<String>) {
        let mut world = self.clone();
        match action {
            Action::Reload => world.runtime = world.durable.clone(),
            Action::Round(after, told) => {
                let ledger = world.ledger.clone();
                let (round, _) = world.round(&ledger, world.term, after, broken);
                if told {
                    for (id, entry) in for_incidents(&ledger, &round) {
                        world.tell(&id, &entry, broken);
                    }
                }
            }
            Action::TakeOver => {
                world.ghost = Some(world.ledger.clone());
                world.term += 1;
                let ledger = world.ledger.clone();
                world.round(&ledger, world.term, EFFECTS_MAX, broken);
            }
            Action::Ghost => return self.haunted(broken),
            _ => world.hear(action, broken),
        }
        let wrong = self.opened(&world);
        (world, wrong)
    }

    /// What people, scanners and feeds say.
    fn hear(&mut self, action: Action, broken: Broken) {
        let entry = match action {
            Action::Order(site) => {
                let (plan, reason) = (Digest::default(), String::new());
                Entry::DarkOrdered { plan, sites: vec![key(NAMES[site])], reason }
            }
            Action::ScanStarts(site) => {
                self.scans[site] = Some((self.running[site], self.revision));
                return;
            }
            Action::ScanEnds(site) => {
                let Some((artifact, revised)) = self.scans[site].take() else { return };
                Entry::EvidenceAttached { evidence: evidence(site, artifact, revised) }
            }
            Action::Deploy(site, running) => {
                self.running[site] = running;
                // An incident that does not know the site keeps no report, and none is journalled
                // there: the register has it. A scan of before is older than that report, and no
                // evidence is made of it (`a_scan_of_before_a_deployment...` in `engine` shows it).
                if self.phase_if_known(site).is_none() {
                    self.scans[site] = None;
                }
                Entry::Deployed { site: key(NAMES[site]), digest: artifact(running) }
            }
            Action::Revise => {
                self.revision += 1;
                Entry::Revised { revision: revision(self.revision), statements: Digest::default() }
            }
            Action::VerificationStarts(site) => {
                Entry::VerificationStarted { site: key(NAMES[site]) }
            }
            Action::Verified(site, passed) => {
                let (site, compromise) = (key(NAMES[site]), Compromise::NoSigns);
                let case = self.ledger.incident(ID).and_then(|incident| incident.case(&site));
                let evidence = case.and_then(|case| case.evidence.as_ref()?.id().ok());
                let (list, failed) = (Digest([0x20; 32]), String::new());
                let (passed, of) = (u32::from(passed), 1);
                let asked =
                    Entry::ChecksRun { site: site.clone(), evidence, list, of, passed, failed };
                self.tell(ID, &asked, broken);
                let (vital, functional, checks) = (true, true, Some(list));
                Entry::Verified { site, functional, compromise, vital, evidence, checks }
            }
            Action::Relight(site) => {
                let site = key(NAMES[site]);
                let case = self.ledger.incident(ID).and_then(|incident| incident.case(&site));
                let known = case.and_then(|case| case.evidence.as_ref()?.id().ok());
                Entry::RelightStarted { site, evidence: known.unwrap_or_default() }
            }
            Action::Lapse(site) => Entry::Lapsed { sites: vec![key(NAMES[site])] },
            _ => return,
        };
        self.tell(ID, &entry, broken);
    }

    /// What does not follow changes nothing.
    fn tell(&mut self, id: &str, entry: &Entry, broken: Broken) {
        drop(broken.mutant().apply(&mut self.ledger, id, entry, NOW));
    }

    /// One round of a loop that knows nothing yet, as after a restart, with this ledger; everything
    /// after so many effects fails. How many effects it had.
    fn round(
        &mut self,
        ledger: &Ledger,
        term: u64,
        after: usize,
        broken: Broken,
    ) -> (Round, usize) {
        let edge = Shared::default();
        {
            let mut edge = edge.lock();
            (edge.durable, edge.runtime) = (self.durable.clone(), self.runtime.clone());
            (edge.own, edge.epoch) = (self.own.clone(), self.epoch);
            let fault = |number| if number < after { Fault::None } else { Fault::Before };
            edge.faults = (0..2 * EFFECTS_MAX).map(fault).collect();
        }
        let sites: Vec<Site> = NAMES.iter().map(|name| sim::site(name, "east")).collect();
        let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
        let wants = wants(ledger, "east", site_of);
        let mut edge_loop =
            EdgeLoop::new("east", Box::new(edge.clone()), Box::new(edge.clone()), 1);
        let permits = |site: &GateKey| ledger.permits(site, NOW);
        let epoch = Epoch { term, seq: 1 };
        let round = edge_loop.round(&wants, epoch, NOW * 1_000, &permits);
        let mut edge = edge.lock();
        let effects = 2 * EFFECTS_MAX - edge.faults.len();
        self.epoch = edge.epoch;
        let sites = |set: &mut GateSet| {
            let mut set = std::mem::take(set);
            set.retain(|key| !is_canary(key));
            set
        };
        (self.durable, self.runtime) = (sites(&mut edge.durable), sites(&mut edge.runtime));
        self.own = sites(&mut edge.own);
        if broken == Broken::NoDurableGate {
            self.durable.clear();
        }
        (round, effects)
    }

    /// The controller of before acts: once the newer one was at the edge, nothing may change.
    fn haunted(&self, broken: Broken) -> (Self, Option<String>) {
        let mut world = self.clone();
        let Some(ledger) = world.ghost.clone() else { return (world, None) };
        let claimed = self.epoch.is_some_and(|epoch| epoch.term == self.term);
        if broken == Broken::NoFence {
            world.epoch = None;
        }
        world.round(&ledger, self.term - 1, EFFECTS_MAX, broken);
        world.epoch = world.epoch.max(self.epoch);
        let changed = (&world.durable, &world.runtime) != (&self.durable, &self.runtime);
        let wrong =
            (claimed && changed).then(|| "an older epoch wrote over a newer one".to_owned());
        // Until the newer one was there, nobody could have told it: that is what it goes there for.
        if claimed { (world, wrong) } else { (self.clone(), None) }
    }

    /// Gates that went from closed to open before an affected artifact.
    fn opened(&self, after: &Self) -> Option<String> {
        let is_opened = |site: &usize| {
            let key = key(NAMES[*site]);
            self.runtime.contains(&key) && !after.runtime.contains(&key) && after.is_affected(*site)
        };
        let site = (0..self.running.len()).find(is_opened)?;
        Some(format!("{} was opened with artifact {}", NAMES[site], after.running[site]))
    }
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl fmt::Write for Fnv {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

fn revision(number: u8) -> Digest {
    Digest([number + 1; 32])
}

fn artifact(number: u8) -> Digest {
    Digest([number + 0x10; 32])
}

fn evidence(site: usize, running: u8, revised: u8) -> Evidence {
    let affected = running == 0 || (running == 1 && revised >= 1);
    Evidence {
        site: key(NAMES[site]),
        artifact_set: Some(artifact(running)),
        advisory: ID.to_owned(),
        advisory_revision: revision(revised),
        statements_digest: Digest::default(),
        matcher_revision: MATCHER,
        scanner: String::new(),
        verdict: if affected { Verdict::Affected } else { Verdict::Clear },
        reasons: Vec::new(),
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: NOW,
        expires_at: NOW + 1,
    }
}

/// What a search found.
struct Explored {
    states: usize,
    transitions: usize,
    /// Steps within which every state was looked at.
    depth: usize,
    is_whole: bool,
    /// What is wrong, after the shortest way there.
    wrong: Option<(String, Vec<Action>)>,
    /// Some state has every site dark; some later one has every site proven lit again.
    was_dark: bool,
    was_relit: bool,
}

/// Breadth first, so that the way to what is wrong is a shortest one.
fn explore(sites: usize, broken: Broken, states_max: usize) -> Explored {
    let mut seen = HashSet::new();
    let mut ways: Vec<(u32, Action)> = vec![(0, Action::Reload)];
    let first = World::new(sites);
    seen.insert(first.number());
    let mut next = VecDeque::from([(0_u32, 0_usize, first)]);
    let mut found = Explored {
        states: 1,
        transitions: 0,
        depth: 0,
        is_whole: true,
        wrong: None,
        was_dark: false,
        was_relit: false,
    };
    while let Some((number, depth, world)) = next.pop_front() {
        found.depth = depth;
        found.was_dark |= (0..sites).all(|site| world.phase(site) == Phase::DarkProven);
        found.was_relit |= (0..sites).all(|site| world.phase(site) == Phase::RelitProven);
        for action in world.actions(broken) {
            let (after, wrong) = world.after(action, broken);
            found.transitions += 1;
            if let Some(wrong) = wrong {
                let mut way = way_to(&ways, number);
                way.push(action);
                found.wrong = Some((wrong, way));
                return found;
            }
            if !seen.insert(after.number()) {
                continue;
            }
            if found.states >= states_max {
                found.is_whole = false;
                return found;
            }
            let index = u32::try_from(ways.len()).unwrap();
            ways.push((number, action));
            found.states += 1;
            next.push_back((index, depth + 1, after));
        }
    }
    found
}

fn way_to(ways: &[(u32, Action)], mut number: u32) -> Vec<Action> {
    let mut way = Vec::new();
    while number != 0 {
        let (before, action) = ways[number as usize];
        way.push(action);
        number = before;
    }
    way.reverse();
    way
}

fn states() -> usize {
    env::var("RELIGHT_STATES").ok().and_then(|text| text.parse().ok()).unwrap_or(STATES)
}

#[test]
fn model_opens_no_affected_site_in_any_state() {
    for sites in [1, 2] {
        let found = explore(sites, Broken::Nothing, states());
        let Explored { states, transitions, depth, is_whole, .. } = found;
        println!(
            "model of {sites} sites: {states} states, {transitions} transitions, every one within \
             {depth} steps, whole: {is_whole}"
        );
        assert_eq!(found.wrong, None, "{sites} sites");
        // A search that never gets anywhere proves nothing.
        assert!(found.was_dark, "no state has every site dark");
        assert!(found.was_relit || !is_whole, "no state has every site lit again");
    }
}

/// The shortest ways that searches found; the product comes to no harm on any of them.
const WAYS: [(Broken, &[Action]); 4] = [
    (Broken::NoDurableGate, &[Action::Order(0), ROUND, Action::Reload]),
    (
        Broken::NoRevision,
        &[
            Action::Order(0),
            Action::Deploy(0, 1),
            Action::ScanStarts(0),
            Action::ScanEnds(0),
            Action::Revise,
            ROUND,
            Action::Relight(0),
            ROUND,
        ],
    ),
    (
        Broken::NoDigest,
        &[
            Action::Order(0),
            Action::Deploy(0, 1),
            Action::ScanStarts(0),
            Action::ScanEnds(0),
            Action::Deploy(0, 0),
            ROUND,
            Action::Relight(0),
            ROUND,
        ],
    ),
    (
        Broken::NoFence,
        &[
            Action::Order(0),
            Action::Deploy(0, 1),
            Action::ScanStarts(0),
            Action::ScanEnds(0),
            Action::TakeOver,
            Action::Relight(0),
            ROUND,
            Action::Ghost,
        ],
    ),
];

/// A round that nothing stops.
const ROUND: Action = Action::Round(EFFECTS_MAX, true);

/// What first goes wrong on a way, if something does.
fn walk(way: &[Action], broken: Broken) -> Option<String> {
    let mut world = World::new(1);
    way.iter().find_map(|action| {
        let (after, wrong) = world.after(*action, broken);
        world = after;
        wrong
    })
}

#[test]
fn model_comes_to_harm_on_these_ways_only_when_a_safeguard_is_missing() {
    for (broken, way) in WAYS {
        assert_eq!(walk(way, Broken::Nothing), None, "{broken:?}: {way:?}");
        let wrong = walk(way, broken).unwrap_or_else(|| panic!("{broken:?} does no harm"));
        println!("{broken:?}: {wrong}");
    }
}

/// The search itself, at full size only; the suite walks the ways that it found.
#[test]
fn model_finds_a_way_when_a_safeguard_is_missing() {
    let states_max = if states() > STATES { BROKEN_STATES_MAX } else { STATES };
    for (broken, _) in WAYS {
        let found = explore(1, broken, states_max);
        let (states, depth) = (found.states, found.depth);
        match found.wrong {
            Some((wrong, way)) => {
                println!("{broken:?}: {wrong} after {} steps, {states} states: {way:?}", way.len());
            }
            None => assert!(
                broken != Broken::NoDurableGate && states_max < BROKEN_STATES_MAX,
                "{broken:?} does no harm in {states} states, {depth} steps"
            ),
        }
    }
}

#[test]
fn model_lights_a_site_again_by_a_verified_fix_and_by_clear_evidence() {
    use Action::{Deploy, Order, Relight, Round, ScanEnds, ScanStarts, Verified};
    let all = |actions: &[Action]| {
        let mut world = World::new(1);
        for action in actions {
            let (after, wrong) = world.after(*action, Broken::Nothing);
            assert_eq!(wrong, None, "{action:?}");
            world = after;
        }
        world.phase(0)
    };
    let round = Round(EFFECTS_MAX, true);
    let clear = [Deploy(0, 2), Order(0), round, ScanStarts(0), ScanEnds(0), Relight(0), round];
    assert_eq!(all(&clear), Phase::RelitProven);
    let fix = [
        Order(0),
        round,
        ScanStarts(0),
        ScanEnds(0),
        Deploy(0, 2),
        ScanStarts(0),
        ScanEnds(0),
        Verified(0, true),
        Relight(0),
        round,
    ];
    assert_eq!(all(&fix), Phase::RelitProven);
    assert_eq!(all(&fix[..9]), Phase::Relighting);
    assert_ne!(
        all(&[&fix[..7], &[Verified(0, false), Relight(0), round]].concat()),
        Phase::RelitProven
    );
    assert_eq!(Light::Dark, Phase::Affected.wants());
}
