//! Sites that an order names and cannot reach stay lit: they are told of, and count as exposed
//! until evidence calls them clear, they are dark, or the incident is over (INCIDENT 12).

use relight_match::Question;
use relight_model::{GateKey, Light, Site, Verdict};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::Entry;
use crate::plan::{Action, Plan, Skipped};
use crate::refusals::EDGE_LINT;
use crate::switch::{find, site_of};

/// Why an order leaves a site lit that it was asked for. What may stay lit, or is dark, is none.
const REASONS: [&str; 3] = ["protected", "no-edge", EDGE_LINT];

impl Engine {
    /// Journals an order behind what allows it, and which sites it leaves lit, in one transaction.
    ///
    /// # Errors
    /// The journal cannot be written, or an entry was refused.
    pub(crate) fn append_order(
        &self,
        actor: &str,
        plan: &Plan,
        mut entries: Vec<Entry>,
    ) -> Result<(), EngineError> {
        let _one = self.one_news();
        entries.extend(self.left_lit(plan)?);
        let entries = entries.into_iter().map(|entry| (plan.incident.clone(), entry)).collect();
        self.append(actor, entries)?.into_iter().try_for_each(|result| Ok(result?))
    }

    /// What tells which sites this order leaves lit although nothing current calls them clear; it
    /// goes with the order, or a crash between both would leave them untold.
    fn left_lit(&self, plan: &Plan) -> Result<Option<Entry>, EngineError> {
        let is_left = |it: &&Skipped| REASONS.contains(&it.reason.as_str());
        if plan.action != Action::Dark || !plan.skipped.iter().any(|it| is_left(&it)) {
            return Ok(None);
        }
        let sites: Vec<GateKey> = {
            let state = self.read();
            let (incident, now) = (find(&state, &plan.incident)?, self.now());
            let is_bare = |key: &&GateKey| {
                let is_told = incident.is_left_lit_now(key) || incident.permits(key, now);
                incident.wants(key) == Light::Lit && !is_told
            };
            let left = plan.skipped.iter().filter(is_left).map(|it| &it.site).filter(is_bare);
            let known: Vec<&Site> = left.filter_map(|key| site_of(&state, key)).collect();
            let question = Question::Advisory(incident.question.clone());
            let answers = self.ask_of(&state, &question).sites(known.iter().map(|site| site.id));
            let all = known.into_iter().zip(answers.sites);
            let theirs = all.filter(|(_, it)| it.answer.verdict() != Verdict::Clear);
            theirs.map(|(site, _)| site.slug.clone()).collect()
        };
        let held = |sites| Entry::HeldBack { sites, voids: true, left: true };
        Ok((!sites.is_empty()).then(|| held(sites)))
    }
}
