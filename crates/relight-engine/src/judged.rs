//! What an answer becomes in an incident: evidence, about the files that were read.

use std::collections::BTreeSet;

use relight_match::MATCHER_REVISION;
use relight_model::{Digest, Site, Verdict};
use relight_store::AssetState;

use crate::answer::SiteAnswer;
use crate::engine::{Engine, State};
use crate::error::EngineError;
use crate::incident::{
    Evidence, EvidenceKind, FOUND_MAX, INVENTORIES_MAX, Incident, SCANNER_CHARS_MAX, artifact_set,
};

impl Engine {
    /// What an answer about a site says as evidence in an incident.
    pub(crate) fn evidence(
        &self,
        state: &State,
        incident: &Incident,
        site: &Site,
        answer: &SiteAnswer,
        kind: EvidenceKind,
    ) -> Result<Evidence, EngineError> {
        let mut found = answer.places.clone();
        for hit in answer.found.iter().take(FOUND_MAX) {
            found.extend(state.inventory.index().evidence(&self.store, hit.identity, hit.asset)?);
        }
        found.sort();
        found.truncate(FOUND_MAX);
        let components = components(state, answer);
        let confirmed = assets(state, site).filter_map(|asset| asset.confirmed);
        let made_at = confirmed.min().unwrap_or_else(|| self.now());
        let verdict = answer.answer.verdict();
        let group = state.inventory.advisories().group(&incident.question);
        let statements = group.map(|group| group.statements_digest());
        Ok(Evidence {
            site: site.slug.clone(),
            artifact_set: artifact_set_of(state, site),
            advisory: incident.question.clone(),
            advisory_revision: incident.revision,
            statements_digest: statements.unwrap_or_default(),
            matcher_revision: MATCHER_REVISION,
            scanner: scanner(state, site),
            verdict,
            reasons: if verdict == Verdict::Clear { Vec::new() } else { answer.reasons.clone() },
            found,
            components,
            inventories: inventories(assets(state, site).filter_map(|asset| asset.snapshot)),
            kind,
            made_at,
            expires_at: made_at.saturating_add(self.options.inventory_ttl_s),
        })
    }
}

/// Package URLs of what is affected: a repair takes the component away, and a report names it all
/// the same.
fn components(state: &State, answer: &SiteAnswer) -> Vec<String> {
    let mut named = BTreeSet::new();
    for hit in answer.found.iter().filter(|hit| hit.state.is_affected()) {
        if named.len() == FOUND_MAX {
            break;
        }
        let component = state.inventory.index().identity(hit.identity);
        named.extend(component.map(|component| component.purl.to_string()));
    }
    named.into_iter().collect()
}

fn assets<'a>(state: &'a State, site: &Site) -> impl Iterator<Item = &'a AssetState> {
    let index = state.inventory.index();
    index.assets_of(site.id).filter_map(|asset| index.asset(asset))
}

/// What the inventories of a site say of who made them.
fn scanner(state: &State, site: &Site) -> String {
    let tools: BTreeSet<&str> =
        assets(state, site).map(|asset| &*asset.tool).filter(|tool| !tool.is_empty()).collect();
    if tools.is_empty() {
        return concat!("relight ", env!("CARGO_PKG_VERSION")).to_owned();
    }
    let all = tools.into_iter().collect::<Vec<_>>().join(", ");
    all.chars().take(SCANNER_CHARS_MAX).collect()
}

/// The ids of these inventories, each once.
fn inventories(all: impl Iterator<Item = Digest>) -> Vec<String> {
    let all: BTreeSet<Digest> = all.collect();
    all.iter().take(INVENTORIES_MAX).map(Digest::to_string).collect()
}

/// The digest over what was read of every asset of a site; `None` when one was never read.
///
/// Every asset is called an application in it, whatever it is: its number says which one it is, and
/// with another word here each site of an open incident would have other files from one version to
/// the next, which voids what two people signed and takes affected files for repaired ones.
pub(crate) fn artifact_set_of(state: &State, site: &Site) -> Option<Digest> {
    let assets: Vec<(u32, &str, Option<Digest>)> = state
        .inventory
        .index()
        .assets_of(site.id)
        .map(|id| {
            (
                id.0,
                "application",
                state.inventory.index().asset(id).and_then(|asset| asset.artifact),
            )
        })
        .collect();
    artifact_set(&assets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventories_are_named_once_and_up_to_a_limit() {
        let digest = |number: usize| Digest([u8::try_from(number).unwrap(); 32]);
        let named = inventories([digest(2), digest(1), digest(2)].into_iter());
        assert_eq!(named, [digest(1).to_string(), digest(2).to_string()]);
        assert_eq!(inventories((0..INVENTORIES_MAX + 1).map(digest)).len(), INVENTORIES_MAX);
    }
}
