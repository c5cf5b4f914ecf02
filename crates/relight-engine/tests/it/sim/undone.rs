//! Orders that are taken back, in time or too late, once or twice.

use relight_engine::incident::{Entry, Evidence};
use relight_model::{Digest, GateKey, Light, Verdict};

use super::{INCIDENTS, Sim};
use crate::mutants::Mutant;

/// How often somebody orders under a plan of its own, or takes one back, in percent of the steps.
const UNDONE_PERCENT: usize = 8;

/// Orders that are remembered.
const KEPT_MAX: usize = 6;

impl Sim {
    /// What people do with orders.
    pub(super) fn order_or_undo(&mut self) {
        if !self.faults.undone || !self.last.chance(UNDONE_PERCENT) {
            return;
        }
        if self.orders.is_empty() || self.last.chance(40) {
            self.order_by_plan();
        } else {
            self.take_back();
        }
    }

    fn order_by_plan(&mut self) {
        let id = INCIDENTS[usize::from(self.last.chance(35))];
        let count = 1 + self.last.below(3);
        let sites = (0..count).map(|_| self.last.pick(&self.running).0.clone()).collect();
        let plan = Digest([self.last.next() as u8 | 1; 32]);
        let reason = "as a precaution".to_owned();
        if self.tell(id, &Entry::DarkOrdered { plan, sites, reason }) {
            self.orders.push((id, plan));
            let over = self.orders.len().saturating_sub(KEPT_MAX);
            self.orders.drain(..over);
        }
    }

    /// As the engine does: what the register knows of the sites is told again, and what is clear
    /// is opened.
    fn take_back(&mut self) {
        let (id, plan) = *self.last.pick(&self.orders);
        // One that nobody gave, or gave in another incident.
        let plan = if self.last.chance(10) { Digest([2; 32]) } else { plan };
        let id = if self.last.chance(10) { INCIDENTS[self.last.below(2)] } else { id };
        let sites = self.ledger.incident(id).and_then(|it| it.orders.sites(&plan));
        let sites: Vec<GateKey> = sites.map(<[GateKey]>::to_vec).unwrap_or_default();
        if !self.tell(id, &Entry::PlanUndone { plan }) {
            return;
        }
        self.taken_back.extend(sites.iter().cloned());
        for site in sites {
            self.return_clear(id, site);
        }
    }

    fn return_clear(&mut self, id: &str, site: GateKey) {
        let runs = self.running.iter().find(|(key, _)| *key == site).map_or(1, |(_, runs)| *runs);
        let verdict = if runs.is_multiple_of(2) { Verdict::Affected } else { Verdict::Clear };
        let evidence: Evidence = self.evidence(id, &site, runs, verdict);
        self.tell(id, &Entry::EvidenceAttached { evidence });
        if let Some(evidence) = self.known(id, &site).filter(|_| verdict == Verdict::Clear) {
            self.tell(id, &Entry::RelightStarted { site, evidence });
        }
    }

    /// (n): an order is taken back once, within ten minutes, and that alone opens nothing.
    pub(super) fn check_undone(&mut self, id: &str, entry: &Entry, (may, is_taken): (bool, bool)) {
        if !matches!(entry, Entry::PlanUndone { .. }) || self.mutant == Mutant::UndoneOpens {
            return;
        }
        if may != is_taken {
            self.blame(|| format!("(n) in {id}, may be taken back: {may}, was: {is_taken}"));
        }
        let sites: Vec<GateKey> = self.running.iter().map(|(site, _)| site.clone()).collect();
        for site in sites {
            let (says, is) = (self.oracle.wanted(&site), self.ledger.wants(&site));
            if says == Light::Dark && is == Light::Lit {
                self.blame(|| format!("(n) {site} is let go by an order that was taken back"));
            }
        }
    }
}
