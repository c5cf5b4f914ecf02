//! A site is opened: runtime, proof, durable copy; and a relit one stays so.

use std::collections::BTreeSet;

use relight_edge::{EdgeError, GateSet, Stage};
use relight_model::{GateKey, Light, Seen};

use super::barrier::BARRIER_HOLDS;
use super::{EdgeLoop, LIT_PROOF_MAX_MS, Ready, Turn, Want, push, since};
use crate::incident::{Entry, Gate};

impl EdgeLoop {
    /// Runtime first, then proof, then the durable copy: a crash in between falls to dark.
    pub(super) fn open(
        &mut self,
        turn: &mut Turn<'_>,
        opening: &[usize],
        mut held: GateSet,
    ) -> Result<(), EdgeError> {
        turn.has_opened = true;
        let (mut opened, mut shut) = (Vec::new(), GateSet::new());
        let (mut stopped, mut barred) = (Vec::new(), Vec::new());
        for &index in opening {
            let key = &turn.wants[index].target.key;
            let since = since(&mut self.opening_since, key, turn.now_ms);
            let is_permitted = (turn.permits)(key);
            if is_permitted && turn.now_ms - since < LIT_PROOF_MAX_MS {
                shut.extend(held.take(key));
                self.proofs.remove(key);
                opened.push(&turn.wants[index]);
                continue;
            }
            self.opening_since.remove(key);
            // What the second barrier was told to open may be held there.
            let is_barred = is_permitted && self.is_let_go(key);
            let late = if is_barred { &mut barred } else { &mut stopped };
            late.push(key.clone());
        }
        stop(turn, stopped, "not-permitted-or-not-proven");
        stop(turn, barred, BARRIER_HOLDS);
        if opened.is_empty() {
            return Ok(());
        }
        self.keep_shut(turn, &held, &shut)?;
        let changed: GateSet = opened.iter().map(|want| want.target.key.clone()).collect();
        self.driver.apply_changes(turn.epoch, Stage::Runtime, &held, &changed)?;
        let mut lit = self.see_lit(&opened);
        // Looks take their time, and the durable copy outlives us: what was heard meanwhile counts.
        lit.retain(|key| (turn.permits)(key));
        held.extend(changed.into_iter().filter(|key| !lit.contains(key)));
        self.driver.apply_changes(turn.epoch, Stage::Durable, &held, &lit)?;
        let keys: Vec<GateKey> = lit.into_iter().collect();
        let views = self.driver.observe(&keys)?;
        let open: Vec<GateKey> = keys
            .into_iter()
            .zip(views)
            .filter(|(_, view)| view.durable == Seen::Lit && view.runtime == Seen::Lit)
            .map(|(key, _)| key)
            .collect();
        for key in &open {
            self.opening_since.remove(key);
        }
        // An order for all that are open again is another one than for all that were dark.
        if !turn.wants.iter().any(|want| want.light == Light::Dark) {
            self.ready = Ready::No;
        }
        let (edge, epoch) = (self.name.clone(), turn.epoch);
        push(&mut turn.round.entries, open, |sites| Entry::Proved {
            sites,
            light: Light::Lit,
            edge,
            epoch,
        });
        Ok(())
    }

    /// Sites that were to be opened for too long on an edge that cannot be looked at: they are
    /// wanted dark again, and not on their way for ever.
    pub(super) fn not_lit_in_time(&mut self, turn: &Turn<'_>) -> Vec<GateKey> {
        if self.is_holding || turn.has_opened {
            return Vec::new();
        }
        let opening = turn.wants.iter().filter(|want| want.light == Light::Lit);
        let mut stopped = Vec::new();
        for want in opening.filter(|want| want.gate != Gate::Open) {
            let key = &want.target.key;
            let since = since(&mut self.opening_since, key, turn.now_ms);
            if turn.now_ms - since >= LIT_PROOF_MAX_MS {
                self.opening_since.remove(key);
                stopped.push(key.clone());
            }
        }
        stopped
    }

    /// What the opening of others closes in the running edge is in the durable copy before: a site
    /// of which nobody can tell is held dark, and after a crash the next reload would light it. So
    /// is one that nothing in this journal explains: somebody may have taken it out of that copy.
    fn keep_shut(
        &mut self,
        turn: &Turn<'_>,
        held: &GateSet,
        shut: &GateSet,
    ) -> Result<(), EdgeError> {
        let mut all = turn.wants.iter().zip(&turn.views);
        let is_loose =
            all.any(|(want, view)| view.durable != Seen::Dark && held.contains(&want.target.key));
        if is_loose || self.has_loose {
            self.driver.apply(turn.epoch, Stage::Durable, &(held | shut))
        } else {
            Ok(())
        }
    }

    /// Lit twice in a row, on every listener.
    fn see_lit(&mut self, opened: &[&Want]) -> BTreeSet<GateKey> {
        let mut lit: BTreeSet<GateKey> =
            opened.iter().map(|want| want.target.key.clone()).collect();
        for _ in 0..2 {
            for (want, result) in opened.iter().zip(self.see_lit_again(opened)) {
                if result.seen != Seen::Lit {
                    lit.remove(&want.target.key);
                }
            }
        }
        lit
    }

    /// A relit site that an edge holds dark again, not by a person's hand, is opened again.
    pub(super) fn watch_lit(&self, turn: &mut Turn<'_>) {
        let drifted: Vec<GateKey> = turn
            .wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| {
                want.light == Light::Lit
                    && want.gate == Gate::Open
                    && view.runtime == Seen::Dark
                    && !view.foreign
            })
            .map(|(want, _)| want.target.key.clone())
            .collect();
        let edge = self.name.clone();
        push(&mut turn.round.entries, drifted, |sites| Entry::Drifted {
            sites,
            edge,
            what: "lit-not-seen".to_owned(),
            since: None,
        });
    }
}

/// These sites are stopped on their way back.
pub(super) fn stop(turn: &mut Turn<'_>, sites: Vec<GateKey>, why: &str) {
    let why = why.to_owned();
    push(&mut turn.round.entries, sites, |sites| Entry::RelightStopped {
        sites,
        why,
        unseen: false,
    });
}
