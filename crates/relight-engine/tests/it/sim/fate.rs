//! What happens to the register and to the program that runs it: crashes, older copies, a newer
//! program, and the one of before that does not know that it was replaced.

use relight_engine::incident::{Entry, Ledger};
use relight_model::GateKey;

use super::{EAST, Faults, Record, Sim};
use crate::edge::key;
use crate::mutants::Mutant;
use crate::oracle::{MATCHER, Oracle};

impl Sim {
    /// What does not happen in seeds of before.
    pub(super) fn strike(&mut self) {
        let Faults { restores, listeners, matchers } = self.faults;
        match self.fate.below(100) {
            0..4 if listeners => {
                let key = key(EAST[self.fate.below(EAST.len())]);
                self.edge.lock().second.insert(key);
                self.bypass_since = self.now_ms;
            }
            4..7 if listeners => self.edge.lock().second.clear(),
            7 if restores => self.restore(),
            8..10 if matchers && !self.is_full => {
                self.matcher += 1;
                self.crash();
            }
            _ => {}
        }
    }

    /// An older copy of the register comes back: what was journalled since is not known to anybody,
    /// and the edge is as it was left.
    pub(super) fn restore(&mut self) {
        let kept = 1 + self.fate.below(self.journal.len().max(1));
        self.say(|| format!("a copy of {kept} lines comes back"));
        self.journal.truncate(kept);
        self.oracle = Oracle::default();
        self.ledger = Ledger::new(MATCHER);
        for Record { at, incident, body } in &self.journal {
            let entry = Entry::from_body(body).unwrap();
            self.oracle.read(*at, incident, &entry);
            drop(self.mutant.apply(&mut self.ledger, incident, &entry, *at));
        }
        (self.is_full, self.is_restored) = (false, true);
        self.epoch.seq = kept as u64;
        self.crash();
    }

    /// The engine dies and comes back: a new term, a ledger folded from the journal, no proofs.
    pub(super) fn crash(&mut self) {
        let mut ledger = Ledger::new(MATCHER);
        let mut refused = None;
        for Record { at, incident, body } in &self.journal {
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
        let edge_loop = self.mutant.edge_loop(&self.edge, self.rng.next());
        let before = std::mem::replace(&mut self.edge_loop, edge_loop);
        self.ghost = Some((before, std::mem::replace(&mut self.ledger, ledger), self.epoch));
        self.epoch.term += 1;
        (self.is_claimed, self.undone) = (false, Vec::new());
        self.edge.lock().forget_looks();
        self.say(|| "crash".to_owned());
        let revision = self.matcher;
        if revision != self.oracle.matcher() && !self.is_full {
            // Before anything else is: it is judged by this one.
            self.tell("", &Entry::MatcherRuns { revision });
        }
        if self.faults.restores {
            let wants = self.wants(&self.ledger);
            self.edge_loop.look_for_unasked(&wants);
        }
    }

    /// The controller of before acts once more. Once the new one has been at the edge, it changes
    /// nothing there.
    pub(super) fn haunt(&mut self) {
        let Some((mut edge_loop, ledger, epoch)) = self.ghost.take() else { return };
        let wants = self.wants(&ledger);
        let now = self.now();
        let permits = |site: &GateKey| ledger.permits(site, now);
        if self.is_claimed {
            let before = self.edge.lock().runtime.clone();
            let round = edge_loop.round(&wants, epoch, self.now_ms, &permits);
            self.say(|| format!("ghost: {:?}, {:?}", round.error, round.entries));
            if self.edge.lock().runtime != before {
                self.blame(|| "(f) an older epoch overwrote a newer one".to_owned());
            }
        }
    }
}
