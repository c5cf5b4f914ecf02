//! Whole incidents from one seed: people, scanner, advisory feed, crashes and an edge that lies.
//!
//! Goal: whatever fails and whenever the engine stops, (a) no site is opened that the journal does
//! not clear, (b) no site outside the incidents is touched, (c) no clear site waits for another,
//! (d) settled is never said when untrue, (e) bad news about a lit site is never refused, (f) once
//! faults stop and nobody undoes anything, the edge settles in a few rounds, (g) nothing opens
//! before what must close was told to, (h) a crash between two effects never leaves a gate that a
//! reload opens, (i) what somebody undoes again and again is told so and not counted as
//! dark, (j) what is proven dark is so at every listener and every edge, (k) a controller whose
//! term went back changes nothing and says that another one acts, (l) dark that is not proven in
//! time is told as exposed, whatever the clock does, (m) a second barrier holds what the edge in
//! front of it cannot, and opens of what it was told to hold only what may be lit or is dark in
//! front, (n) an order is taken back once, within ten minutes, and that alone opens nothing,
//! (o) a drill touches the canary and what is marked for it, only while nothing is wanted dark.
//! `SEED=7` runs one seed alone and prints it.

mod checks;
mod clocks;
mod fate;
mod faults;
mod late;
mod rehearsal;
mod seeds;
mod settle;
mod signed;
mod undone;
mod wall;

use std::collections::BTreeMap;
use std::env;

use relight_engine::drive::for_incidents;
use relight_engine::edge::{GateSet, ProbeTarget};
use relight_engine::incident::{Entry, Gate, Ledger};
use relight_engine::reconcile::{EdgeLoop, Round, Want, wants};
use relight_model::{Criticality, Digest, Epoch, GateKey, Light, OrgId, Site, SiteId};
use testkit::Rng;

use crate::edge::{Fault, Shared, key};
use crate::mutants::Mutant;
use crate::oracle::{MATCHER, Oracle};
pub(crate) use faults::Faults;
use late::Late;
use wall::Wall;

/// Steps of one incident before the faults stop.
const STEPS: usize = 150;

/// Rounds within which an edge without faults agrees with the journal.
const SETTLE_ROUNDS_MAX: usize = 8;

/// Sites that the loop under test switches, the last of which nobody ever mentions.
const EAST: [&str; 6] = ["a", "b", "c", "d", "e", "outside"];

/// A site of another edge that is in the incidents too.
const WEST: &str = "west";

/// The incidents that may be opened.
pub(crate) const INCIDENTS: [&str; 2] = ["CVE-2021-44228", "CVE-2021-45046"];

/// One line of the journal as it is written.
struct Record {
    /// Of who wrote it.
    term: u64,
    at: i64,
    incident: String,
    body: String,
}

/// One simulated incident.
pub(crate) struct Sim {
    pub(crate) rng: Rng,
    /// The matcher that runs.
    pub(crate) matcher: u32,
    faults: Faults,
    /// When those happen.
    fate: Rng,
    /// When those happen that seeds of before did not have.
    later: Rng,
    /// When those happen that came last.
    last: Rng,
    pub(crate) ledger: Ledger,
    pub(crate) edge: Shared,
    late: Option<Late>,
    wall: Option<Wall>,
    pub(crate) now_ms: i64,
    /// How far the clock was set back, in all.
    set_back_ms: i64,
    /// The latest time that it showed before.
    newest_ms: i64,
    /// Sites that this loop was to darken and has not proven, and since when, by no clock.
    owed: BTreeMap<GateKey, i64>,
    /// What really runs on each site that people may mention.
    pub(crate) running: Vec<(GateKey, u8)>,
    pub(crate) mutant: Mutant,
    oracle: Oracle,
    journal: Vec<Record>,
    edge_loop: EdgeLoop,
    sites: Vec<Site>,
    epoch: Epoch,
    /// A controller of before, which does not know that it was replaced, and what it wanted.
    ghost: Option<(EdgeLoop, Ledger, Epoch)>,
    /// The present controller has been at the edge.
    is_claimed: bool,
    /// The edge has seen a term that is no older than that of the present controller.
    is_overtaken: bool,
    bypass_since: i64,
    /// Somebody who opens a site of ours before so many of the next rounds.
    rival: (usize, GateKey),
    /// When gates that the journal called proven were found open by the present loop, and which.
    undone: Vec<(i64, GateSet)>,
    /// Orders that may be taken back, and the sites of those that were.
    orders: Vec<(&'static str, Digest)>,
    taken_back: GateSet,
    /// An older copy of the register came back once.
    is_restored: bool,
    is_calm: bool,
    is_loud: bool,
    /// The journal cannot be written, as on a full disk.
    is_full: bool,
    failure: Option<String>,
}

impl Sim {
    pub(crate) fn new(seed: u64, mutant: Mutant, faults: Faults) -> Self {
        let edge = Shared::default();
        edge.lock().has_record = faults.restores && mutant != Mutant::RestoreForgotten;
        let names = EAST.iter().map(|name| (*name, "east")).chain([(WEST, "west")]);
        let sites: Vec<Site> = names.map(|(name, edge)| site(name, edge)).collect();
        let mentioned = sites.iter().filter(|site| site.slug.as_str() != "outside");
        let running = mentioned.map(|site| (site.slug.clone(), 1)).collect();
        let late = Late::of(seed, mutant).filter(|_| faults.late);
        edge.lock().has_record |= late.is_some();
        Self {
            rng: Rng::new(seed),
            matcher: MATCHER,
            faults,
            fate: Rng::new(!seed),
            later: Rng::new(!seed.rotate_left(16)),
            last: Rng::new(!seed.rotate_left(32)),
            orders: Vec::new(),
            taken_back: GateSet::new(),
            ledger: Ledger::new(MATCHER),
            edge_loop: new_loop(mutant, &edge, late.as_ref(), seed),
            edge,
            late,
            wall: Wall::of(seed, mutant).filter(|_| faults.walls),
            now_ms: 1_639_000_000_000,
            set_back_ms: 0,
            newest_ms: i64::MIN,
            owed: BTreeMap::new(),
            running,
            mutant,
            oracle: Oracle::default(),
            journal: Vec::new(),
            sites,
            epoch: Epoch { term: 1, seq: 0 },
            ghost: None,
            is_claimed: false,
            is_overtaken: false,
            bypass_since: i64::MIN,
            rival: (0, key("a")),
            undone: Vec::new(),
            is_restored: false,
            is_calm: false,
            is_full: false,
            is_loud: env::var_os("SEED").is_some(),
            failure: None,
        }
    }

    /// Runs the incident to its end; what was wrong first, if something was.
    pub(crate) fn run(mut self) -> Result<(), String> {
        self.open(INCIDENTS[0]);
        self.give_wall();
        for _ in 0..STEPS {
            self.step();
            if let Some(failure) = self.failure {
                return Err(failure);
            }
        }
        self.settle();
        self.failure.map_or(Ok(()), Err)
    }

    pub(crate) fn now(&self) -> i64 {
        self.now_ms / 1_000
    }

    /// Notes what is wrong; the first thing counts.
    fn blame(&mut self, what: impl FnOnce() -> String) {
        self.failure.get_or_insert_with(what);
    }

    fn step(&mut self) {
        self.strike();
        self.strike_again();
        self.order_or_undo();
        self.rehearse();
        if self.late.is_some() && self.fate.chance(30) {
            self.catch_up();
        }
        self.now_ms += self.rng.below(1_500).cast_signed() as i64;
        match self.rng.below(100) {
            0..45 => {
                self.break_calls();
                self.round();
            }
            45..70 => self.operate(),
            70..84 => self.foolish(),
            84..93 => self.break_edge(),
            93..96 => self.now_ms += 1_000 * self.rng.below(400).cast_signed() as i64,
            96..98 => self.haunt(),
            _ => self.crash(),
        }
    }

    /// Journals one entry as the engine does, and compares with what the journal means.
    pub(crate) fn tell(&mut self, id: &str, entry: &Entry) -> bool {
        if self.is_full {
            return false;
        }
        let now = self.now();
        // As the engine writes it before the next entry.
        if let Some(owed) = self.ledger.owed_clock(now).filter(|owed| owed != entry) {
            self.tell("", &owed);
        }
        let bad = self.oracle.is_bad_news(id, entry, now);
        let may_undo = self.oracle.may_undo(id, entry, now);
        let before = self.ledger.clone();
        let result = self.mutant.apply(&mut self.ledger, id, entry, now);
        self.epoch.seq += 1;
        self.say(|| format!("{id}: {entry:?} {result:?}"));
        self.check_undone(id, entry, (may_undo, result.is_ok()));
        if let Err(why) = &result {
            if self.mutant == Mutant::None && before != self.ledger {
                self.blame(|| format!("a refused {} changed the ledger", entry.kind()));
            }
            if bad {
                self.blame(|| format!("(e) bad news was refused, {why:?}: {entry:?}"));
            }
            return false;
        }
        let body = entry.to_body().unwrap();
        assert_eq!(Entry::from_body(&body).unwrap(), *entry);
        self.oracle.read(now, id, entry);
        let term = self.epoch.term;
        self.journal.push(Record { term, at: now, incident: id.to_owned(), body });
        for site in entry.sites() {
            let (says, is) = (self.oracle.wanted(&site), self.ledger.wants(&site));
            if says != is && self.mutant == Mutant::None {
                self.blame(|| format!("{site}: the journal wants {says:?}, the ledger {is:?}"));
            }
        }
        true
    }

    fn wants(&self, ledger: &Ledger) -> Vec<Want> {
        let site_of = |key: &GateKey| self.sites.iter().find(|site| site.slug == *key);
        let mut wants = wants(ledger, "east", site_of);
        self.mutant.want(ledger, &mut wants, &target("outside"));
        if self.mutant == Mutant::UndoneOpens {
            let back = |want: &&mut Want| self.taken_back.contains(&want.target.key);
            wants.iter_mut().filter(back).for_each(|want| want.light = Light::Lit);
        }
        wants
    }

    /// One round of the loop; sometimes people speak before its result is journalled.
    fn round(&mut self) -> bool {
        let wants = self.wants(&self.ledger);
        if wants.is_empty() {
            self.tend_wall(&wants, &Round::default());
            return true;
        }
        if self.late.is_none() {
            self.undo(&wants);
            self.mutant.remember(&mut self.edge_loop, &self.edge);
        }
        let before: Vec<_> = self.edges().iter().map(|edge| edge.lock().state()).collect();
        let (ledger, mutant, now) = (&self.ledger, self.mutant, self.now());
        let taken_back = &self.taken_back;
        let permits = |site: &GateKey| {
            let is_back = mutant == Mutant::UndoneOpens && taken_back.contains(site);
            is_back || mutant.permits(ledger, site, now)
        };
        self.edges().iter().for_each(|edge| edge.lock().expect_closing(&wants));
        let (early, now_ms) = (mutant.early(&wants), self.time());
        if !early.is_empty() {
            self.edge_loop.round(&early, self.epoch, now_ms, &permits);
        }
        let round = self.edge_loop.round(&wants, self.epoch, now_ms, &permits);
        let settled = mutant.settled(round.settled);
        self.say(|| format!("round: settled {settled}, {:?}, {:?}", round.error, round.entries));
        self.check_fence(&round, &before);
        // An edge that said yes and did nothing knows of nobody new.
        let is_known = !self.is_overtaken && self.is_known(self.epoch);
        self.is_claimed |= round.error.is_none() && is_known;
        self.check_proofs(&round.entries);
        self.check_owed(&wants, &round.entries);
        self.check_effects();
        if settled {
            self.check_settled(&wants);
        }
        if !self.is_calm && self.rng.chance(10) {
            self.foolish();
        }
        for (id, entry) in for_incidents(&self.ledger, &round) {
            self.tell(&id, &entry);
        }
        if round.error.is_none() && !self.is_full {
            self.check_fought();
        }
        self.tend_wall(&wants, &round);
        settled
    }

    /// The rival opens its site in both copies; what a round will find undone is noted.
    fn undo(&mut self, wants: &[Want]) {
        let edge = self.edge.clone();
        let mut edge = edge.lock();
        if self.rival.0 > 0 {
            self.rival.0 -= 1;
            edge.take_away(&self.rival.1);
        }
        if edge.is_unreachable || edge.is_unreadable {
            return;
        }
        let is_open = |want: &&Want| {
            let key = &want.target.key;
            let is_shut = edge.durable.contains(key) && edge.runtime.contains(key);
            want.light == Light::Dark && want.gate == Gate::Proven && !is_shut
        };
        let open: GateSet =
            wants.iter().filter(is_open).map(|want| want.target.key.clone()).collect();
        if !open.is_empty() {
            self.undone.push((self.now_ms, open));
        }
    }

    fn break_calls(&mut self) {
        let faults = [Fault::Before, Fault::HalfWay, Fault::After, Fault::Lie];
        let next = (0..self.rng.below(6))
            .map(|_| if self.rng.chance(25) { *self.rng.pick(&faults) } else { Fault::None });
        self.edge.lock().faults = next.collect();
    }

    fn break_edge(&mut self) {
        let key = key(EAST[self.rng.below(EAST.len())]);
        let what = self.rng.below(14);
        self.say(|| format!("trouble {what} at {key}"));
        let steady_ms = self.steady_ms();
        let mut edge = self.edge.lock();
        match what {
            // One that is late is trouble enough for two.
            0..4 | 6..10 | 13 if self.late.is_some() => {}
            13 => self.rival = (1 + self.rng.below(8), key),
            12 => self.is_full = !self.is_full,
            0 => edge.runtime = edge.durable.clone(),
            1 => edge.take_away(&key),
            2 => drop(edge.runtime.remove(&key)),
            3 => drop((edge.runtime.insert(key.clone()), edge.durable.insert(key))),
            4 => {
                edge.bypass.insert(key);
                self.bypass_since = steady_ms;
            }
            5 => drop(edge.blind.insert(key)),
            6 => edge.blur(),
            7 => edge.is_unreachable = !edge.is_unreachable,
            8 => edge.backup = Some((edge.durable.clone(), edge.own.clone())),
            9 => edge.restore(),
            _ => edge.heal(),
        }
    }

    fn say(&self, what: impl FnOnce() -> String) {
        if self.is_loud {
            println!("{:>9.1} {}", (self.now_ms % 1_000_000_000) as f64 / 1e3, what());
        }
    }
}

pub(crate) fn site(name: &str, edge: &str) -> Site {
    Site {
        id: SiteId(0),
        slug: key(name),
        name_fr: name.to_owned(),
        name_en: name.to_owned(),
        origin: format!("https://{name}.example"),
        aliases: Vec::new(),
        parts: Vec::new(),
        org: OrgId(0),
        criticality: Criticality::Normal,
        exposure: relight_model::SiteExposure::Unknown,
        edge: edge.to_owned(),
        public: true,
        channel: Default::default(),
    }
}

fn target(name: &str) -> ProbeTarget {
    ProbeTarget::site(key(name), format!("{name}.example"), None)
}

fn new_loop(mutant: Mutant, edge: &Shared, late: Option<&Late>, nonce: u64) -> EdgeLoop {
    late.map_or_else(|| mutant.edge_loop(edge, nonce), |late| late.edge_loop(edge, nonce))
}
