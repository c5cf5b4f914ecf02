//! What people sign: a control in front of an affected site, an acceptance of two, an exemption.

use relight_engine::incident::{Acceptance, Case, Entry, Ground, Incident, Mitigation, Phase};
use relight_model::{GateKey, Verdict};

use super::{INCIDENTS, Sim};

/// What may be signed.
#[derive(Clone, Copy)]
enum Act {
    Mitigate,
    Accept,
    Exempt,
    Open,
    /// Somebody reads it again: this is found.
    Read(Verdict),
}

impl Sim {
    /// Somebody is busy with one site for a while, often with one that waits for a signature; or
    /// what is over ends.
    pub(super) fn sign(&mut self) {
        let id = INCIDENTS[self.later.below(INCIDENTS.len())];
        if self.later.chance(15) {
            return self.end_signed(id);
        }
        let waits = |(_, case): &(&GateKey, &Case)| {
            use Phase::{Affected, Fixing, Mitigated, RelightEligible, Unknown};
            matches!(case.phase, Affected | Fixing | Mitigated | RelightEligible | Unknown)
        };
        let cases = self.ledger.incident(id).into_iter().flat_map(|it| it.cases());
        let waiting: Vec<GateKey> = cases.filter(waits).map(|(site, _)| site.clone()).collect();
        let is_sought = !waiting.is_empty() && self.later.chance(60);
        let site = match is_sought {
            true => self.later.pick(&waiting).clone(),
            false => self.later.pick(&self.running).0.clone(),
        };
        for _ in 0..=self.later.below(3) {
            self.sign_next(id, site.clone());
        }
    }

    /// What follows from where a site stands, and sometimes what does not.
    fn sign_next(&mut self, id: &str, site: GateKey) {
        let runs = self.running.iter().find(|(key, _)| *key == site).map_or(1, |(_, runs)| *runs);
        let case = self.ledger.incident(id).and_then(|incident| incident.case(&site));
        let act = match case.map(|case| case.phase) {
            _ if self.later.chance(10) => {
                let acts = [Act::Mitigate, Act::Accept, Act::Exempt, Act::Open];
                *self.later.pick(&acts)
            }
            Some(Phase::Affected | Phase::Fixing) => Act::Mitigate,
            Some(Phase::Mitigated) if self.later.chance(40) => Act::Read(Verdict::Unknown),
            Some(Phase::Unknown) if self.later.chance(50) => Act::Read(Verdict::Clear),
            Some(Phase::Mitigated | Phase::Unknown) => Act::Accept,
            Some(Phase::RelightEligible) if self.later.chance(60) => Act::Open,
            Some(Phase::RelightEligible) => Act::Accept,
            Some(Phase::Online) | None => Act::Exempt,
            _ => return,
        };
        let entry = match act {
            Act::Mitigate => Entry::Mitigated { site, mitigation: self.control() },
            Act::Accept => {
                let acceptance = self.acceptance();
                Entry::AcceptanceSigned { site, acceptance, witness: None, weighed: true }
            }
            Act::Exempt => Entry::Exempted { ground: self.ground(id, &site), site, witness: None },
            Act::Read(verdict) => {
                let evidence = self.evidence(id, &site, runs, verdict);
                Entry::EvidenceAttached { evidence }
            }
            Act::Open => {
                let now = self.now();
                let ground = |incident: &Incident| incident.ground(&site, now);
                let evidence = self.ledger.incident(id).and_then(ground).unwrap_or_default();
                Entry::RelightStarted { site, evidence }
            }
        };
        self.tell(id, &entry);
    }

    /// What is over takes its sites dark, as the engine says by itself.
    fn end_signed(&mut self, id: &str) {
        let now = self.now();
        let ended = |incident: &Incident| incident.ended(now);
        let sites = self.ledger.incident(id).map(ended).unwrap_or_default();
        if !sites.is_empty() {
            self.tell(id, &Entry::Lapsed { sites });
        }
    }

    /// An end within some minutes, or one that is past.
    fn end(&mut self) -> i64 {
        self.now() + self.later.below(400).cast_signed() as i64
    }

    fn acceptance(&mut self) -> Acceptance {
        let (proposer, reason) = ("Anne".to_owned(), "needed tonight".to_owned());
        let approver = if self.later.chance(90) { "Benoit" } else { "anne" }.to_owned();
        Acceptance { proposer, approver, reason, expires: self.end() }
    }

    /// A control that stopped every payload, or did not.
    fn control(&mut self) -> Mitigation {
        Mitigation {
            control: "waf rule 1234".to_owned(),
            place: "edge east".to_owned(),
            owner: "Carole".to_owned(),
            replayed: 20,
            blocked: if self.later.chance(90) { 20 } else { 18 },
            expires: self.end(),
        }
    }

    fn ground(&mut self, id: &str, site: &GateKey) -> Ground {
        match self.known(id, site) {
            Some(evidence) if self.later.chance(60) => Ground::Evidence(evidence),
            _ => Ground::Acceptance(self.acceptance()),
        }
    }
}
