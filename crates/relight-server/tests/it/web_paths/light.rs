//! The edges and the scanners of the town, so that sites go dark, become clear and come back; and
//! what is judged of that.

use std::sync::Arc;
use std::thread;

use relight_engine::Engine;
use relight_engine::incident::Phase;
use relight_model::{Epoch, Light};

use super::*;
use crate::support::wait_until;
use crate::web_picks::deploy;

/// Who probes, and who scans.
const EDGES: &str = "edges";
const SCANNER: &str = "scanner";

/// Sites whose artifact is replaced by a clear one when they are dark; the others stay as they are.
const MENDED: [&str; 6] = ["s-00", "s-01", "s-03", "s-05", "s-09", "s-11"];

/// Carries out what the operator of the machine let go, as the command line does.
pub(super) fn after(engine: &Arc<Engine>, plan: &Plan) {
    if plan.action == Action::Relight {
        let (engine, plan) = (Arc::clone(engine), plan.clone());
        thread::spawn(move || engine.relight_by_waves(MACHINE, &plan));
    }
}

impl Run {
    pub(super) fn in_phase(&self, wanted: &[Phase]) -> Vec<GateKey> {
        let named = (0..12).map(|at| GateKey::new(&format!("s-{at:02}")).unwrap());
        let phase = |site: &GateKey| self.world.engine.phase(LOG4SHELL, site);
        named.filter(|site| phase(site).is_some_and(|it| wanted.contains(&it))).collect()
    }

    fn proved(&self, sites: Vec<GateKey>, light: Light) {
        if !sites.is_empty() {
            let epoch = Epoch { term: 1, seq: 1 };
            let entry = Entry::Proved { sites, light, edge: "east".into(), epoch };
            self.world.engine.record(EDGES, LOG4SHELL, entry).unwrap();
        }
    }

    /// Some of the sites that are clear and dark; now and then one that nobody knows to be clear.
    pub(super) fn ready(&mut self) -> Vec<String> {
        let mut ready = self.in_phase(&[Phase::RelightEligible]);
        let count = self.rng.below(4).min(ready.len());
        ready.truncate(count);
        if self.rng.chance(20) {
            let dark = self.in_phase(&[Phase::DarkProven, Phase::Affected, Phase::Unknown]);
            ready.extend(dark.into_iter().take(1));
        }
        ready.iter().map(ToString::to_string).collect()
    }

    /// Whoever signed the newest relight takes it back now and then; nobody where there is none.
    pub(super) fn take_relight_back(&mut self) -> Option<Sender> {
        let lit = self.in_phase(&[Phase::Relighting, Phase::RelitProven]);
        let is_relit = |said: &Said| {
            let is_open = said.plan.keys().iter().any(|site| lit.contains(site));
            said.is_started && said.plan.action == Action::Relight && is_open
        };
        let (id, hash) = self.world.engine.with_ledger(|it| {
            let mut newest = it.actions().newest();
            let found = newest.find(|it| self.said.get(&it.hash).is_some_and(is_relit));
            found.map(|it| (it.id(), it.hash))
        })?;
        let signers = &self.said[&hash].signers;
        let signed = |it: &&Sender| it.is_person && signers.contains(it.name);
        let signer = self.senders.iter().find(signed)?.clone();
        if self.rng.chance(40) {
            return None;
        }
        let hash = hash.to_string();
        let body = json!({"decision": "undo", "hash": hash, "typed": null, "reason": "because"});
        self.json(&signer, &format!("/api/v1/plans/{id}/decisions"), &body);
        Some(signer)
    }

    /// What is ordered is proven, what is dark is mended now and then, and the waves of a relight
    /// come to their end.
    pub(super) fn go_on(&mut self) {
        // What becomes clear now is nothing that they may open.
        wait_until("the waves of a relight end", || {
            self.proved(self.in_phase(&[Phase::Relighting]), Light::Lit);
            self.world.engine.with_ledger(|it| {
                let mut actions = it.actions().newest();
                !actions.any(|it| it.plan.action == Action::Relight && it.under_way().is_some())
            })
        });
        self.proved(self.in_phase(&[Phase::DarkRequested]), Light::Dark);
        let dark = self.in_phase(&[Phase::DarkProven, Phase::Affected, Phase::Unknown]);
        let mended = dark.iter().find(|site| MENDED.contains(&site.as_str()));
        if let Some(site) = mended.filter(|_| self.rng.chance(30)) {
            deploy(&self.world, site.as_str(), &["pkg:maven/org.example/app@1"]);
        }
    }

    /// What comes of a plan that relights, whoever sent the last request; whether it is that.
    pub(super) fn judge_light(&mut self, record: &JournalRecord) -> bool {
        let by = record.actor.as_str();
        match Entry::from_body(&record.body).unwrap() {
            Entry::RelightStarted { site, .. } => {
                let is_his = |said: &&Said| {
                    said.plan.action == Action::Relight
                        && said.is_started
                        && said.signers.iter().any(|name| *name == by)
                        && said.plan.keys().contains(&site)
                };
                assert!(self.said.values().any(|it| is_his(&it)), "{by} opened {site}");
                assert!(self.eligible.contains(&site), "{by} opened {site} without a proof");
                *self.ways.entry("relit").or_default() += 1;
                true
            }
            Entry::PlanEnded { plan, .. } => {
                assert_eq!(self.said[&plan].plan.action, Action::Relight);
                true
            }
            Entry::Proved { .. } => {
                assert_eq!(by, EDGES);
                true
            }
            // News switch nothing here: what is found is clear.
            Entry::EvidenceAttached { .. } => true,
            _ => by == SCANNER && panic!("a scanner switches: {}", record.kind),
        }
    }

    /// A plan is taken back by somebody who signed it.
    pub(super) fn judge_undone(&mut self, sender: &Sender, plan: Digest) {
        let said = &self.said[&plan];
        let is_signer = said.signers.contains(sender.name);
        // What one person did alone by breaking glass, any commander of its sites undoes.
        let is_broken = said.broken.is_some() && covers(sender, &["commander"], &said.plan);
        assert!(sender.is_person && (is_signer || is_broken), "by {}", sender.name);
        let relights = said.plan.action == Action::Relight;
        self.taken_back = said.plan.keys().into_iter().filter(|_| relights).collect();
        *self.ways.entry("undo").or_default() += 1;
    }

    /// What a relight opened that was taken back just now goes dark again, and nothing else.
    pub(super) fn judge_dark_again(&mut self, sender: &Sender, sites: &[GateKey]) {
        let told = format!("{sites:?} by {}", sender.name);
        assert!(sites.iter().all(|site| self.taken_back.contains(site)), "{told}: of no relight");
        let is_vital = sites.iter().any(|site| ["s-00", "s-08"].contains(&site.as_str()));
        let is_much = is_vital || sites.len() > ALONE_MAX;
        assert!(!is_much || !self.is_stale, "{told}: nobody was there");
        *self.ways.entry("dark-again").or_default() += 1;
    }
}
