//! Which sites a form means, and the plan for them.

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::access::Scope;
use relight_engine::incident::{Phase, flaw_of};
use relight_engine::matching::Question;
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::policy::Policy;
use relight_engine::{Engine, EngineError, verdicts};
use relight_model::{Digest, GateKey, Organisation, Site, Timestamp, Verdict};
use serde::Deserialize;

use crate::access::SignedIn;
use crate::access::ticket::TICKET_S_MAX;

/// By what is known of them sites are chosen.
pub(crate) const WHICH: [&str; 6] = ["todo", "affected", "unknown", "ready", "named", "all"];

/// How long a plan that was shown may be signed, in seconds: those who agree need time as well.
const SHOWN_S_MAX: i64 = TICKET_S_MAX;

/// What a plan is asked for with: in addresses, in forms, in documents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Choice {
    /// `dark`, `relight`, `close` or `open`.
    #[serde(default)]
    pub(crate) action: String,
    /// The part of each site that is closed or opened.
    #[serde(default)]
    pub(crate) part: String,
    /// Id of the incident; the newest open one without it.
    #[serde(default)]
    pub(crate) incident: String,
    /// By what is known: `todo`, `affected`, `unknown`, `ready`, `named`, `all`.
    #[serde(default)]
    pub(crate) which: String,
    /// Code of a sector; every one without it.
    #[serde(default)]
    pub(crate) sector: String,
    /// Short names, with blanks or commas between them; every site without them.
    #[serde(default)]
    pub(crate) sites: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
    /// Name of what was shown, from the page that showed it.
    #[serde(default)]
    pub(crate) seen: String,
    /// When what was shown was made, in seconds since 1970: a passkey signs exactly that plan.
    #[serde(default)]
    pub(crate) made: String,
    /// The ticket of the passkey that signs it.
    #[serde(default)]
    pub(crate) ticket: String,
    /// What it answered.
    #[serde(default)]
    pub(crate) answer: String,
}

impl Choice {
    /// What is to be done.
    pub(crate) fn action(&self) -> Action {
        match self.action.as_str() {
            "relight" => Action::Relight,
            "close" => Action::Close,
            "open" => Action::Open,
            _ => Action::Dark,
        }
    }

    /// Whether a part of each site is meant, and not the sites.
    pub(crate) fn is_of_parts(&self) -> bool {
        !self.action().is_whole()
    }

    /// By what is known: what was asked for, else what the action usually means.
    pub(crate) fn which(&self) -> &str {
        let fallback = match self.action() {
            Action::Dark | Action::Close => "todo",
            Action::Relight => "ready",
            Action::Open => "all",
        };
        WHICH.into_iter().find(|it| *it == self.which).unwrap_or(fallback)
    }

    /// When the plan is made: now, or when what a passkey signed was shown, if that was just now.
    fn made(&self, now: Timestamp) -> Timestamp {
        let made = self.made.parse().ok().filter(|_| !self.answer.is_empty());
        made.filter(|made| (0..SHOWN_S_MAX).contains(&(now - made))).unwrap_or(now)
    }

    /// The short names that were typed.
    fn named(&self) -> BTreeSet<&str> {
        let parts = self.sites.split(|sign: char| sign.is_whitespace() || sign == ',');
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// With the sites whose boxes were checked (`pick.SITE=1`), beside those that were typed;
    /// `None` where no box was. Each box has a name of its own: a name that comes twice is refused.
    pub(crate) fn with_picked(&self, pairs: &[(String, String)]) -> Option<Self> {
        let picked = pairs.iter().filter_map(|(name, _)| name.strip_prefix("pick."));
        let picked: BTreeSet<&str> = picked.filter(|site| !site.is_empty()).collect();
        if picked.is_empty() {
            return None;
        }
        let sites: BTreeSet<&str> = picked.union(&self.named()).copied().collect();
        let sites = sites.into_iter().collect::<Vec<_>>().join(" ");
        Some(Self { sites, ..self.clone() })
    }

    /// The incident that is meant: the open one that was named, by any id of its flaw, or the
    /// newest open one.
    pub(crate) fn incident(&self, engine: &Engine) -> Option<String> {
        engine.with_incidents(|ledger, known| {
            if !self.incident.is_empty() {
                return ledger.open_about(known, self.incident.trim()).map(str::to_owned);
            }
            let newest = ledger.open().max_by_key(|(_, incident)| incident.opened);
            newest.map(|(id, _)| id.to_owned())
        })
    }

    /// The sites that are meant, as far as somebody may know of them.
    fn sites(
        &self,
        engine: &Engine,
        incident: &str,
        signed: &SignedIn,
    ) -> Result<Vec<GateKey>, EngineError> {
        let named = self.named();
        let verdicts = verdicts(engine.ask(&Question::Advisory(flaw_of(incident).to_owned())));
        let fits = |(site, body): &&(Site, Organisation)| {
            let is_here = self.sector.is_empty() || body.sector == self.sector;
            is_here && (named.is_empty() || named.contains(site.slug.as_str()))
        };
        let by_knowledge = |(site, _): &&(Site, Organisation)| {
            let verdict = verdicts.get(&site.id).copied();
            let is_ready = || engine.phase(incident, &site.slug) == Some(Phase::RelightEligible);
            match self.which() {
                "todo" => verdict != Some(Verdict::Clear),
                "affected" => verdict == Some(Verdict::Affected),
                "unknown" => verdict == Some(Verdict::Unknown),
                "ready" => is_ready(),
                "all" => true,
                _ => !named.is_empty(),
            }
        };
        let sites = readable(engine, signed)?;
        let chosen = sites.iter().filter(fits).filter(by_knowledge);
        Ok(chosen.map(|(site, _)| site.slug.clone()).collect())
    }

    /// The plan for what is meant, as the world is now.
    pub(crate) fn plan(
        &self,
        engine: &Engine,
        policy: &Policy,
        signed: &SignedIn,
        incident: &str,
    ) -> Result<Plan, EngineError> {
        let ask = PlanAsk {
            incident: incident.to_owned(),
            action: self.action(),
            part: self.is_of_parts().then(|| self.part.trim().to_owned()),
            reason: self.reason.trim().to_owned(),
            // Filled in by the engine from the incident.
            advisory_revision: Digest::default(),
            policy: policy.digest,
            proposer: signed.account.name.clone(),
            created: self.made(engine.now()),
        };
        let sites = self.sites(engine, incident, signed)?;
        engine.fitted(engine.plan(ask, &sites)?)
    }
}

/// The sites that somebody may know of, and who answers for them.
///
/// # Errors
/// The organisations cannot be read: no site is left out for that.
pub(crate) fn readable(
    engine: &Engine,
    signed: &SignedIn,
) -> Result<Vec<(Site, Organisation)>, EngineError> {
    let bodies: BTreeMap<_, _> =
        engine.organisations()?.into_iter().map(|body| (body.id, body)).collect();
    let of = |site: Site| {
        let body = bodies.get(&site.org)?;
        let reads = signed.account.reads(&Scope::of_body(&body.sector, &body.name));
        reads.then(|| (site, body.clone()))
    };
    Ok(engine.sites().into_iter().filter_map(of).collect())
}

/// The name of what a plan would do, whenever it is made: what was shown is what is asked for.
pub(crate) fn name_of(plan: &Plan) -> String {
    let timeless = Plan { created: 0, expires: 0, ..plan.clone() };
    timeless.hash().map(|hash| hash.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_taken_apart() {
        let choice = Choice { sites: " a, b\n\tc ,,a ".into(), ..Choice::default() };
        assert_eq!(choice.named().into_iter().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert!(Choice::default().named().is_empty());
    }

    #[test]
    fn checked_boxes_name_sites_beside_those_that_were_typed() {
        let pairs = |names: &[&str]| -> Vec<(String, String)> {
            names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect()
        };
        let choice = Choice { sites: "c a".into(), ..Choice::default() };
        let picked = |names: &[&str]| choice.with_picked(&pairs(names)).map(|it| it.sites);
        assert_eq!(picked(&["lang", "pick.b", "pick.a"]).as_deref(), Some("a b c"));
        assert_eq!(picked(&["lang", "sites", "pick.", "unpick.b"]), None);
    }

    #[test]
    fn an_action_without_a_choice_means_what_it_usually_means() {
        let which = |action: &str, which: &str| {
            let (action, which) = (action.to_owned(), which.to_owned());
            Choice { action, which, ..Choice::default() }.which().to_owned()
        };
        assert_eq!(which("dark", ""), "todo");
        assert_eq!(which("relight", ""), "ready");
        assert_eq!(which("relight", "everything"), "ready");
        assert_eq!(which("close", ""), "todo");
        assert_eq!(which("open", ""), "all");
        assert_eq!(which("dark", "unknown"), "unknown");
        assert_eq!(Choice::default().action(), Action::Dark);
    }
}
