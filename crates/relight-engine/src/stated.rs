//! What the register can say to others of one flaw at one site, as statements of exploitability
//! (VEX). Nothing that it has no evidence for: what rests on the word of a supplier is not said
//! again as if we had looked, and what nobody can tell is being looked into.

use std::collections::BTreeSet;

use relight_match::Question;
use relight_model::{
    Answer, Component, FindingState, GateKey, Site, Timestamp, UnknownReason, Verdict, VexStatus,
};

use crate::answer::SiteAnswer;
use crate::enclosed;
use crate::engine::Engine;

/// OpenVEX: nothing of what the flaw is in is there.
const NO_COMPONENT: &str = "component_not_present";

/// OpenVEX: it is there, in a version that does not have the flaw.
const NO_CODE: &str = "vulnerable_code_not_present";

/// One statement about a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// What is said.
    pub status: VexStatus,
    /// Why it is not affected, in the words of OpenVEX.
    pub justification: Option<&'static str>,
    /// Package URLs of what it is limited to, sorted; empty means all of the site.
    pub components: Vec<String>,
    /// Why nobody can tell, sorted.
    pub reasons: Vec<UnknownReason>,
}

/// Everything that is said of one flaw at one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteStated {
    /// The id under which the flaw is shown.
    pub id: String,
    /// Its other ids, sorted.
    pub aliases: Vec<String>,
    /// The answer that the statements come from.
    pub verdict: Verdict,
    /// When the oldest of the site's inventories was last confirmed; `None` when it has none.
    pub inventory_at: Option<Timestamp>,
    /// At least one, affected first.
    pub statements: Vec<Stated>,
}

/// What is known of a site, as far as statements need it.
#[derive(Debug)]
struct Known {
    answer: SiteAnswer,
    /// What was found, and how sure that is.
    found: Vec<(FindingState, String)>,
    /// What the site has of the packages that the flaw is in, whatever the version.
    held: BTreeSet<String>,
    /// A fix was verified there, in an incident of this flaw.
    is_fixed: bool,
}

impl Engine {
    /// What can be said of a flaw at a site; `None` where either is not known.
    pub fn stated(&self, id: &str, site: &GateKey) -> Option<SiteStated> {
        let site = self.sites().into_iter().find(|it| it.slug == *site)?;
        let ids = self.with_inventory(|_, advisories| {
            let group = advisories.group(id)?;
            Some((group.id.clone(), group.aliases.clone()))
        });
        let (id, aliases) = ids?;
        let question = Question::Advisory(id.clone());
        let answers = self.ask_of(&self.read(), &question).sites([site.id]);
        let answer = answers.sites.into_iter().next()?;
        let verdict = answer.answer.verdict();
        let is_this = |it: &str| it == id || aliases.iter().any(|alias| alias == it);
        let is_fixed = self.with_ledger(|ledger| {
            let mut cases = ledger
                .incidents()
                .filter(|(id, _)| is_this(id))
                .filter_map(|(_, incident)| incident.case(&site.slug));
            cases.any(|case| case.fixed)
        });
        let (known, inventory_at) = self.known_of(&id, &site, (answer, is_fixed));
        Some(SiteStated { verdict, inventory_at, statements: statements(known), id, aliases })
    }

    fn known_of(
        &self,
        id: &str,
        site: &Site,
        (answer, is_fixed): (SiteAnswer, bool),
    ) -> (Known, Option<Timestamp>) {
        self.with_inventory(|index, advisories| {
            let purl = |found: &crate::answer::Found| {
                Some((found.state, index.identity(found.identity)?.purl.to_string()))
            };
            let found = answer.found.iter().filter_map(purl).collect();
            let meant = enclosed::meant(id, advisories, index);
            // A namesake, of another ecosystem for one, is nothing that the flaw is in.
            let is_named = |component: &Component| {
                let mut groups = advisories.groups_of(id);
                groups.any(|group| group.judgement(component).decided_by.is_some())
            };
            let held = index
                .assets_of(site.id)
                .flat_map(|asset| enclosed::held_by(asset, &meant, index))
                .filter(|(_, component)| is_named(component))
                .map(|(_, component)| component.purl.to_string());
            let held = held.collect();
            let states = index.inventory_states(site.id);
            let at = states.iter().filter_map(|state| state.confirmed).min();
            (Known { answer, found, held, is_fixed }, at)
        })
    }
}

fn statements(known: Known) -> Vec<Stated> {
    let Known { answer, found, held, is_fixed } = known;
    let of = |wanted: &[FindingState]| -> Vec<String> {
        let found = found.iter().filter(|(state, _)| wanted.contains(state));
        found.map(|(_, purl)| purl.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let plain = |status, components| Stated {
        status,
        justification: None,
        components,
        reasons: Vec::new(),
    };
    let affected = of(&[FindingState::Affected]);
    let mitigated = of(&[FindingState::Mitigated]);
    let doubtful = of(&[
        FindingState::DeclaredOnly,
        FindingState::PossibleMatch,
        FindingState::RangeUnresolved,
    ]);
    let mut all = Vec::new();
    match answer.answer {
        Answer::Affected => {
            // Files of the flaw without a name are not limited to any component, whatever else
            // was found.
            let is_whole =
                !answer.places.is_empty() || (affected.is_empty() && mitigated.is_empty());
            if is_whole || !affected.is_empty() {
                let limits = if is_whole { Vec::new() } else { affected };
                all.push(plain(VexStatus::Affected, limits));
            }
            if !mitigated.is_empty() {
                all.push(plain(VexStatus::Mitigated, mitigated));
            }
            if !doubtful.is_empty() {
                let reasons = answer.reasons;
                all.push(Stated { reasons, ..plain(VexStatus::UnderInvestigation, doubtful) });
            }
        }
        Answer::Unknown(_) => {
            let reasons = answer.reasons;
            all.push(Stated { reasons, ..plain(VexStatus::UnderInvestigation, Vec::new()) });
        }
        Answer::Clear(_) if is_fixed => {
            all.push(plain(VexStatus::Fixed, held.into_iter().collect()));
        }
        Answer::Clear(_) => {
            let justification = Some(if held.is_empty() { NO_COMPONENT } else { NO_CODE });
            let components = held.into_iter().collect();
            all.push(Stated { justification, ..plain(VexStatus::NotAffected, components) });
        }
    }
    all
}

#[cfg(test)]
#[path = "stated_tests.rs"]
mod tests;
