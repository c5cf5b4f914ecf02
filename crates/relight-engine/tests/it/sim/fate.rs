//! What happens to the register and to the program that runs it: crashes, older copies, a newer
//! program, and the one of before that does not know that it was replaced.

use relight_engine::edge::{EdgeErrorKind, GateSet};
use relight_engine::incident::{Entry, Ledger};
use relight_engine::reconcile::Round;
use relight_model::{Epoch, GateKey};

use super::{EAST, Faults, INCIDENTS, Late, Record, Sim, new_loop};
use crate::edge::key;
use crate::mutants::Mutant;
use crate::oracle::{MATCHER, Oracle};

/// What is dark in both copies of an edge, and who wrote it.
pub(super) type State = (GateSet, GateSet, Option<Epoch>);

/// How often people sign something, and the clock is set back, in percent of the steps.
const SIGNED_PERCENT: usize = 35;
const SET_BACK_PERCENT: usize = 2;

/// How often something happens to a second barrier, in percent of the steps.
const WALL_PERCENT: usize = 15;

impl Sim {
    /// What the first seeds did not have.
    pub(super) fn strike(&mut self) {
        let Faults { restores, listeners, matchers, held, .. } = self.faults;
        let restores = restores && self.late.is_none();
        match self.fate.below(100) {
            0..4 if listeners => {
                let key = key(EAST[self.fate.below(EAST.len())]);
                self.edge.lock().second.insert(key);
                self.bypass_since = self.steady_ms();
            }
            4..7 if listeners => self.edge.lock().second.clear(),
            7 if restores => self.restore(),
            8..10 if matchers && !self.is_full => {
                self.matcher += 1;
                self.crash();
            }
            10..14 if held => {
                let site = self.fate.pick(&self.running).0.clone();
                let id = INCIDENTS[self.fate.below(INCIDENTS.len())];
                self.tell(id, &Entry::HeldBack { sites: vec![site], voids: true, left: false });
            }
            _ => {}
        }
    }

    /// What seeds of before did not have.
    pub(super) fn strike_again(&mut self) {
        let Faults { signed, clocks, .. } = self.faults;
        if signed && self.later.chance(SIGNED_PERCENT) {
            self.sign();
        }
        if clocks && self.later.chance(SET_BACK_PERCENT) {
            self.set_back();
        }
        if self.wall.is_some() && self.later.chance(WALL_PERCENT) {
            self.break_wall();
        }
    }

    /// An older copy of the register comes back: what was journalled since is not known to anybody,
    /// and the edge is as it was left.
    pub(super) fn restore(&mut self) {
        let kept = 1 + self.fate.below(self.journal.len().max(1));
        self.say(|| format!("a copy of {kept} lines comes back"));
        let term = self.journal.get(kept - 1).map_or(self.epoch.term, |record| record.term);
        self.journal.truncate(kept);
        self.oracle = Oracle::default();
        self.ledger = Ledger::new(MATCHER);
        for Record { at, incident, body, .. } in &self.journal {
            let entry = Entry::from_body(body).unwrap();
            self.oracle.read(*at, incident, &entry);
            drop(self.mutant.apply(&mut self.ledger, incident, &entry, *at));
        }
        (self.is_full, self.is_restored) = (false, true);
        if !self.faults.terms {
            self.epoch.seq = kept as u64;
            return self.crash();
        }
        let before = std::mem::replace(&mut self.epoch, Epoch { term, seq: kept as u64 });
        // What the edge has seen is read once before it is looked at.
        let is_unread = self.fate.chance(50) && !self.edge.lock().is_unreachable;
        // A barrier would tell of it.
        let is_unread = is_unread && self.wall.is_none();
        self.restart(before, is_unread);
    }

    /// The engine dies and comes back: a new term, a ledger folded from the journal, no proofs.
    pub(super) fn crash(&mut self) {
        self.restart(self.epoch, false);
    }

    /// The same where the one of before acted under this epoch. The new one acts above what the
    /// edge has seen, unless that cannot be read.
    fn restart(&mut self, before: Epoch, is_unread: bool) {
        let mut ledger = Ledger::new(MATCHER);
        let mut refused = None;
        for Record { at, incident, body, .. } in &self.journal {
            let entry = Entry::from_body(body).unwrap();
            let result = self.mutant.apply(&mut ledger, incident, &entry, *at);
            refused = refused.or(result.err().map(|why| format!("{why:?} when replayed: {body}")));
        }
        if let Some(refused) = refused {
            self.blame(|| refused);
        }
        if self.mutant == Mutant::None && ledger != self.ledger {
            self.blame(|| "the replayed ledger differs from the live one".to_owned());
        }
        let edge_loop = new_loop(self.mutant, &self.edge, self.late.as_ref(), self.rng.next());
        let old = std::mem::replace(&mut self.edge_loop, edge_loop);
        self.epoch.term += 1;
        let newest = self.edges().iter().filter_map(|edge| edge.lock().epoch).max();
        let barrier = self.wall.as_ref().and_then(|wall| wall.edge.lock().epoch);
        let shown = newest.max(barrier);
        if !is_unread {
            let above = shown.map_or(0, |epoch| epoch.term + 1);
            self.epoch.term = self.epoch.term.max(above);
        }
        let ghost = (old, std::mem::replace(&mut self.ledger, ledger), before);
        self.give_wall();
        self.late.iter().for_each(Late::forget);
        (self.is_claimed, self.undone) = (false, Vec::new());
        self.owed.clear();
        self.edges().iter().for_each(|edge| edge.lock().forget_looks());
        self.say(|| format!("crash, now {:?}, the edge knows {newest:?}", self.epoch));
        // An order that this journal does not hold was carried out.
        if let Some(epoch) = shown.filter(|it| !is_unread && it.seq > self.epoch.seq) {
            self.tell("", &Entry::Restored { epoch });
        }
        let revision = self.matcher;
        if revision != self.oracle.matcher() && !self.is_full {
            // Before anything else is: it is judged by this one.
            self.tell("", &Entry::MatcherRuns { revision });
        }
        self.is_overtaken = newest > Some(self.epoch);
        // One that is newer than this and was not there yet would come as if out of nothing; and of
        // two edges nobody but this one knows who is late with what.
        let is_met = self.is_overtaken || before.term < self.epoch.term;
        self.ghost = (is_met && self.late.is_none()).then_some(ghost);
        if self.faults.restores {
            let wants = self.wants(&self.ledger);
            self.edge_loop.look_first(&wants, self.epoch);
        }
        if self.is_overtaken {
            // A loop begins with a round, before anything else is journalled.
            self.round();
        }
    }

    /// (k), and who holds the lease is not fenced off.
    pub(super) fn check_fence(&mut self, round: &Round, before: &[State]) {
        let is_fenced =
            round.error.as_ref().is_some_and(|error| error.kind == EdgeErrorKind::Fenced);
        if !self.is_overtaken {
            if is_fenced {
                self.blame(|| "the controller that holds the lease was fenced".to_owned());
            }
            return;
        }
        let after: Vec<State> = self.edges().iter().map(|edge| edge.lock().state()).collect();
        if before != after {
            self.blame(|| "(k) a term that went back wrote over a newer one".to_owned());
        }
        if !is_fenced && !self.edge.lock().is_unreachable {
            self.blame(|| "(k) nobody was told that another controller acts".to_owned());
        }
    }

    /// The controller of before acts once more. Once the new one has been at the edge, it changes
    /// nothing there; one whose term went back is the older of the two, and has to live with it.
    pub(super) fn haunt(&mut self) {
        let Some((mut edge_loop, ledger, epoch)) = self.ghost.take() else { return };
        let wants = self.wants(&ledger);
        let now = self.now();
        let permits = |site: &GateKey| ledger.permits(site, now);
        if self.is_overtaken {
            let round = edge_loop.round(&wants, epoch, self.now_ms, &permits);
            self.say(|| format!("the newer one: {:?}, {:?}", round.error, round.entries));
            self.edge.lock().forget_effects();
            self.ghost = Some((edge_loop, ledger, epoch));
        } else if self.is_claimed {
            let before = self.edge.lock().runtime.clone();
            let round = edge_loop.round(&wants, epoch, self.now_ms, &permits);
            self.say(|| format!("ghost: {:?}, {:?}", round.error, round.entries));
            if self.edge.lock().runtime != before {
                self.blame(|| "(f) an older epoch overwrote a newer one".to_owned());
            }
        }
    }
}
