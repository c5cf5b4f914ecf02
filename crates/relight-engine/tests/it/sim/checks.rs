//! What is looked at after each round, with the letters of the goal.

use relight_engine::edge::{GateSet, ProbeTarget};
use relight_engine::incident::{Case, Entry, Gate};
use relight_engine::reconcile::{
    FIGHT_DRIFTS, FIGHT_QUIET_MS, FIGHT_WINDOW_MS, PROOF_TTL_MS, Want,
};
use relight_model::{GateKey, Light, Seen};

use super::Sim;
use crate::edge::{Shared, is_canary};

impl Sim {
    /// (i): nobody calls a site dark that was undone for the third time a moment ago.
    pub(super) fn check_fought(&mut self) {
        let since = |at: i64| self.now_ms - at;
        let is_fought = |key: &GateKey| {
            let mut times = self.undone.iter().rev().filter(|(_, sites)| sites.contains(key));
            let last = times.next().is_some_and(|(at, _)| since(*at) < FIGHT_QUIET_MS);
            let third = times.nth(FIGHT_DRIFTS - 2);
            last && third.is_some_and(|(at, _)| since(*at) < FIGHT_WINDOW_MS)
        };
        let all = self.ledger.open().flat_map(|(_, incident)| incident.cases());
        let is_called_proven = |(key, case): &(&GateKey, &Case)| {
            case.phase.wants() == Light::Dark && case.gate == Gate::Proven && is_fought(key)
        };
        let proven = all.filter(is_called_proven).map(|(key, _)| key.clone()).next();
        if let Some(key) = proven {
            self.blame(|| format!("(i) {key} is fought over and called proven"));
        }
    }

    /// (j): proven dark is dark wherever a visitor may ask.
    pub(super) fn check_proofs(&mut self, entries: &[Entry]) {
        let edges = self.edges();
        let is_lit =
            |site: &&GateKey| edges.iter().any(|edge| edge.lock().serves(site) == Seen::Lit);
        for entry in entries {
            let Entry::Proved { sites, light: Light::Dark, .. } = entry else { continue };
            let lit = sites.iter().find(is_lit);
            if let Some(site) = lit {
                self.blame(|| format!("(j) {site} is proven dark, and a listener serves it"));
            }
        }
    }

    /// (a) and (b): what our hand did to the edge since it was last asked.
    pub(super) fn check_effects(&mut self) {
        self.edges().iter().for_each(|edge| self.check_effects_on(edge));
    }

    pub(super) fn check_effects_on(&mut self, edge: &Shared) {
        let (opened, touched, rash, fragile) = {
            let mut edge = edge.lock();
            let calls = std::mem::take(&mut edge.calls);
            self.say(|| format!("{calls:?}"));
            let (opened, touched) = (&mut edge.opened, GateSet::new());
            let opened = std::mem::take(opened);
            let touched = std::mem::replace(&mut edge.touched, touched);
            (opened, touched, std::mem::take(&mut edge.rash), std::mem::take(&mut edge.fragile))
        };
        if let Some(site) = rash.first() {
            self.blame(|| format!("(g) {site} was opened before what must close"));
        }
        if let Some(site) = fragile.first() {
            self.blame(|| format!("(h) a reload after a crash would have opened {site}"));
        }
        let now = self.now();
        for site in opened.iter().filter(|site| !is_canary(site)) {
            if let Err(why) = self.oracle.cleared(site, now) {
                self.blame(|| format!("(a) opened {why}"));
            }
        }
        for site in touched.iter().filter(|site| !is_canary(site)) {
            // What a lost order closed stays so, and is closed again where nobody can see it.
            let is_held = self.is_restored && edge.lock().is_held(site);
            if !self.oracle.is_concerned(site) && !is_held {
                self.blame(|| format!("(b) {site} is in no incident and was touched"));
            }
        }
    }

    /// (d): an edge that is called settled shows what is wanted. A foreign dark entry stays until
    /// a person decides; what only a probe can see may be as old as a proof.
    pub(super) fn check_settled(&mut self, wants: &[Want]) {
        self.edges().iter().for_each(|edge| self.check_settled_on(edge, wants));
    }

    pub(super) fn check_settled_on(&mut self, edge: &Shared, wants: &[Want]) {
        let edge = edge.lock();
        let is_recent = self.steady_ms().saturating_sub(self.bypass_since) < PROOF_TTL_MS;
        for Want { target: ProbeTarget { key, .. }, light, .. } in wants {
            let is_shut = edge.durable.contains(key) && edge.runtime.contains(key);
            let is_true = match light {
                Light::Dark => is_shut && (edge.serves(key) == Seen::Dark || is_recent),
                Light::Lit => !edge.runtime.contains(key) || edge.is_foreign(key),
            };
            if !is_true {
                self.blame(|| format!("(d) settled, but {key} is not {light:?}"));
            }
        }
    }
}
