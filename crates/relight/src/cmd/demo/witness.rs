//! The witness of the demo: follows the journal, compares it with the truth, and counts what must
//! be zero. It never tells the engine anything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use relight_engine::demo::{DemoSite, Province, release_of};
use relight_engine::incident::{Entry, Phase};
use relight_engine::{Appended, Engine};
use relight_model::{GateKey, Light, Verdict};
use relight_server::origin::OriginHandle;
use relight_server::traffic::VisitorsHandle;

use super::stage::Layout;

/// From when to when a site was proven dark.
type Spans = BTreeMap<GateKey, Vec<(Instant, Option<Instant>)>>;

/// What the witness has seen.
#[derive(Clone, Debug, Default)]
struct Seen {
    dark: Spans,
    unsafe_relights: usize,
    false_clear: usize,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    seen: Arc<Mutex<Seen>>,
}

/// What must be zero, and a few sums.
#[derive(Clone, Debug, Default)]
pub(super) struct Testimony {
    pub(super) unsafe_relights: usize,
    pub(super) false_clear: usize,
    pub(super) missed_affected: usize,
    pub(super) dark_proven: usize,
    pub(super) relit_clear: usize,
    pub(super) relit_after_fix: usize,
    pub(super) still_dark: usize,
    pub(super) lost_on_untouched: u64,
    pub(super) leaked: u64,
    pub(super) visits: u64,
}

impl Witness {
    /// Follows an engine from now on.
    pub(super) fn follow(engine: &Engine, layout: &Layout, province: &Province) -> Self {
        let witness = Self { seen: Arc::default() };
        let (eyes, layout) = (witness.clone(), layout.clone());
        let sites: BTreeMap<GateKey, DemoSite> =
            province.sites.iter().map(|site| (site.slug.clone(), site.clone())).collect();
        engine.listen(Box::new(move |_, appended| eyes.see(appended, &layout, &sites)));
        witness
    }

    fn see(&self, appended: &Appended<'_>, layout: &Layout, sites: &BTreeMap<GateKey, DemoSite>) {
        let is_vulnerable = |key: &GateKey| {
            let site = sites.get(key);
            site.is_some_and(|site| match release_of(&layout.tree(key.as_str())) {
                Ok((deployment, _)) => deployment.is_vulnerable(site),
                // Between two deployments there is nothing to be sure about.
                Err(_) => site.stack.is_vulnerable(),
            })
        };
        let now = Instant::now();
        let mut seen = self.lock();
        for (_, entry) in appended.accepted() {
            match entry {
                Entry::Proved { light: Light::Dark, sites, .. } => {
                    for site in sites {
                        let spans = seen.dark.entry(site.clone()).or_default();
                        if spans.last().is_none_or(|(_, end)| end.is_some()) {
                            spans.push((now, None));
                        }
                    }
                }
                Entry::RelightStarted { site, .. } => {
                    end(&mut seen.dark, site, appended.began);
                    seen.unsafe_relights += usize::from(is_vulnerable(site));
                }
                Entry::Drifted { sites, .. } => {
                    sites.iter().for_each(|site| end(&mut seen.dark, site, appended.began));
                }
                Entry::EvidenceAttached { evidence } if evidence.verdict == Verdict::Clear => {
                    seen.false_clear += usize::from(is_vulnerable(&evidence.site));
                }
                _ => {}
            }
        }
    }

    /// What was seen, once everything is over.
    pub(super) fn testify(
        &self,
        engine: &Engine,
        incident: &str,
        province: &Province,
        origin: &OriginHandle,
        visitors: &VisitorsHandle,
    ) -> anyhow::Result<Testimony> {
        let seen = self.lock().clone();
        let mut told = Testimony {
            unsafe_relights: seen.unsafe_relights,
            false_clear: seen.false_clear,
            visits: visitors.totals().visits(),
            ..Testimony::default()
        };
        let cases = engine
            .with_ledger(|ledger| ledger.incident(incident).map(|found| found.cases().clone()));
        let cases = cases.unwrap_or_default();
        let now = Instant::now();
        for site in &province.sites {
            let case = cases.get(&site.slug);
            if case.is_none_or(|case| !case.ordered && case.phase == Phase::Online) {
                let report = visitors.report(&site.host).unwrap_or_default();
                told.lost_on_untouched += report.lost + report.dark;
                told.missed_affected += usize::from(site.stack.is_vulnerable());
                continue;
            }
            let Some(case) = case else { continue };
            told.dark_proven += usize::from(case.was_dark);
            match case.phase {
                Phase::RelitProven if case.fixed => told.relit_after_fix += 1,
                Phase::RelitProven => told.relit_clear += 1,
                _ => told.still_dark += 1,
            }
            for (from, to) in seen.dark.get(&site.slug).into_iter().flatten() {
                let to = to.unwrap_or(now);
                told.leaked += origin.requests_between(&site.host, *from, to, false)?;
            }
        }
        Ok(told)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(dark: &mut Spans, site: &GateKey, at: Instant) {
    let last = dark.get_mut(site).and_then(|spans| spans.last_mut());
    if let Some((_, end @ None)) = last {
        *end = Some(at);
    }
}
