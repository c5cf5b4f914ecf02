//! The end of an incident: faults stop, and everybody gets what is wanted.

use relight_engine::incident::{Entry, Evidence, Gate};
use relight_engine::reconcile::FIGHT_QUIET_MS;
use relight_model::{GateKey, Light, Seen};

use super::{EAST, SETTLE_ROUNDS_MAX, Sim};
use crate::edge::key;

impl Sim {
    /// (c) and (f): everything stops failing, except that half of the time one site can never be
    /// darkened; what is certainly clear is asked for; everybody else must get what is wanted.
    pub(super) fn settle(&mut self) {
        self.put_clock_right();
        let (stuck, steady_ms) = (key(EAST[self.rng.below(EAST.len())]), self.steady_ms());
        {
            let mut edge = self.edge.lock();
            edge.heal();
            edge.faults.clear();
            // What this journal knows nothing of is a person's to open, too.
            let unasked: Vec<GateKey> = edge.own.iter().cloned().collect();
            for key in unasked.iter().filter(|key| !self.oracle.is_explained(key)) {
                edge.own.remove(key);
                edge.durable.remove(key);
                edge.runtime.remove(key);
            }
            if self.rng.chance(50) {
                edge.bypass.insert(stuck);
                self.bypass_since = steady_ms;
            }
        }
        self.mend_wall();
        (self.is_calm, self.is_full, self.rival.0) = (true, false, 0);
        if let Some(late) = self.late.clone() {
            late.hurry();
            self.check_effects();
        }
        if self.is_overtaken {
            // Whoever finds it fenced starts it again, now that its edge can be read.
            self.crash();
        }
        self.calm_down();
        let asked = self.relight_all();
        let mut settled = false;
        for _ in 0..SETTLE_ROUNDS_MAX {
            self.now_ms += 1_000;
            settled = self.round();
        }
        let (edges, bypass) = (self.edges(), self.edge.lock().bypass.clone());
        for name in &EAST[..5] {
            let (site, light) = (key(name), self.oracle.wanted(&key(name)));
            let served = edges.iter().map(|edge| edge.lock().serves(&site));
            let seen = served.reduce(|one, other| if one == other { one } else { Seen::Unknown });
            let seen = seen.unwrap_or_default();
            self.check_wall_at_the_end(&site, light, asked.contains(&site));
            if bypass.contains(&site) {
                settled |= light == Light::Dark;
            } else if Seen::from(light) != seen || !self.is_journalled(&site, light) {
                self.blame(|| format!("(f) {site} is wanted {light:?} and shows {seen:?}"));
            } else if asked.contains(&site) && seen != Seen::Lit {
                self.blame(|| format!("(c) {site} is clear and stays dark"));
            }
        }
        if !settled {
            self.blame(|| "(f) the edge does not settle".to_owned());
        }
    }

    /// Whoever undid our gates has gone away, and that was long enough ago.
    fn calm_down(&mut self) {
        for ms in [1_000, FIGHT_QUIET_MS, 1_000] {
            self.now_ms += ms;
            self.round();
        }
    }

    /// Brings fresh evidence for every site that is dark although it is certainly clear, and
    /// starts its relight in each incident that holds it.
    fn relight_all(&mut self) -> Vec<GateKey> {
        let (mut asked, now) = (Vec::new(), self.now());
        for site in self.running.iter().map(|(site, _)| site.clone()).collect::<Vec<_>>() {
            let held = self.oracle.held_for_nothing(&site, now);
            let fresh = |(id, evidence)| (id, Evidence { made_at: now, ..evidence });
            let held: Vec<(String, Evidence)> = held.into_iter().map(fresh).collect();
            for (id, evidence) in held.iter().cloned() {
                self.tell(&id, &Entry::EvidenceAttached { evidence });
            }
            for (id, evidence) in &held {
                let evidence = evidence.id().unwrap();
                self.tell(id, &Entry::RelightStarted { site: site.clone(), evidence });
            }
            if !held.is_empty() {
                asked.push(site);
            }
        }
        asked
    }

    /// The journal knows what the edge shows: each incident that wants a site dark has its proof.
    fn is_journalled(&self, site: &GateKey, light: Light) -> bool {
        let mut open = self.ledger.open().filter(|(_, i)| i.wants(site) == Light::Dark);
        light == Light::Lit
            || open.all(|(_, i)| i.case(site).is_some_and(|case| case.gate == Gate::Proven))
    }
}
