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
    fn in_phase(&self, wanted: &[Phase]) -> Vec<GateKey> {
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

    /// Some of the sites that are clear and dark.
    pub(super) fn ready(&mut self) -> Vec<String> {
        let ready = self.in_phase(&[Phase::RelightEligible]);
        let count = self.rng.below(4).min(ready.len());
        ready.iter().take(count).map(ToString::to_string).collect()
    }

    /// What is ordered is proven, what is dark is mended now and then, and the waves of a relight
    /// come to their end.
    pub(super) fn go_on(&mut self) {
        self.proved(self.in_phase(&[Phase::DarkRequested]), Light::Dark);
        let dark = self.in_phase(&[Phase::DarkProven, Phase::Affected, Phase::Unknown]);
        let mended = dark.iter().find(|site| MENDED.contains(&site.as_str()));
        if let Some(site) = mended.filter(|_| self.rng.chance(30)) {
            deploy(&self.world, site.as_str(), &["pkg:maven/org.example/app@1"]);
        }
        wait_until("the waves of a relight end", || {
            self.proved(self.in_phase(&[Phase::Relighting]), Light::Lit);
            self.world.engine.with_ledger(|it| {
                let mut actions = it.actions().newest();
                !actions.any(|it| it.plan.action == Action::Relight && it.under_way().is_some())
            })
        });
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

    /// What a relight opened that was taken back just now goes dark again, and nothing else.
    pub(super) fn judge_dark_again(&self, sender: &Sender, sites: &[GateKey]) {
        let told = format!("{sites:?} by {}", sender.name);
        assert!(sites.iter().all(|site| self.taken_back.contains(site)), "{told}: of no relight");
        let is_vital = sites.iter().any(|site| ["s-00", "s-08"].contains(&site.as_str()));
        let is_much = is_vital || sites.len() > ALONE_MAX;
        assert!(!is_much || !self.is_stale, "{told}: nobody was there");
    }
}
