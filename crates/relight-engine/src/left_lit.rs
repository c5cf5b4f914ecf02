//! Sites that an order names and cannot reach stay lit: they are told of, and count as exposed
//! until a person decides or evidence calls them clear (INCIDENT 12).

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
    /// Journals which sites an order left lit although nothing current calls them clear.
    pub(crate) fn tell_left_lit(&self, actor: &str, plan: &Plan) -> Result<(), EngineError> {
        let is_left = |it: &&Skipped| REASONS.contains(&it.reason.as_str());
        if plan.action != Action::Dark || !plan.skipped.iter().any(|it| is_left(&it)) {
            return Ok(());
        }
        let sites: Vec<GateKey> = {
            let state = self.read();
            let (incident, now) = (find(&state, &plan.incident)?, self.now());
            let is_bare = |key: &&GateKey| {
                let is_told = incident.is_held_now(key) || incident.permits(key, now);
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
        if sites.is_empty() {
            return Ok(());
        }
        let held = Entry::HeldBack { sites, voids: true, left: true };
        // One that news held back meanwhile is told of already.
        self.append(actor, vec![(plan.incident.clone(), held)]).map(drop)
    }
}
