//! The evidence of one site for one question: the way through nested archives to what was found,
//! how it was recognised, and since when it is there.

use relight_engine::Engine;
use relight_engine::answer::{Found, SiteAnswer};
use relight_engine::store::{Index, SnapshotRow, StoreError};
use relight_model::{AssetId, Component, Site, Timestamp};
use relight_web::register_views::{EvidencePanel, EvidenceRow, Link};
use relight_web::{Lang, number, texts, words};

use super::register::site_name;
use crate::page::encode;

/// Finds of one site in its panel; its page has all.
const FINDS_MAX: usize = 6;

/// Inventories that are read to see since when something is there.
const HISTORY_MAX: usize = 40;

/// Days of a site to choose from.
const DAYS_MAX: usize = 12;

/// What a panel is about.
pub(super) struct Shown<'a> {
    pub(super) engine: &'a Engine,
    pub(super) lang: Lang,
    /// The inventory that answered, of now or of then.
    pub(super) index: &'a Index,
    pub(super) at: Timestamp,
    pub(super) site: &'a Site,
    pub(super) answer: &'a SiteAnswer,
    /// The address of the same question on a day.
    pub(super) on_day: &'a dyn Fn(&str) -> String,
}

impl Shown<'_> {
    /// The panel.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn panel(&self) -> Result<EvidencePanel, StoreError> {
        let (lang, slug) = (self.lang, self.site.slug.as_str());
        let verdict = self.answer.answer.verdict();
        let mut rows = Vec::new();
        for found in self.answer.found.iter().take(FINDS_MAX) {
            rows.extend(self.find(*found)?);
        }
        rows.truncate(FINDS_MAX);
        let reasons = self.answer.reasons.iter();
        Ok(EvidencePanel {
            site: Link {
                text: site_name(self.site, lang).to_owned(),
                href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
            },
            slug: slug.to_owned(),
            code: verdict.as_str(),
            verdict: words::verdict(lang, verdict),
            reasons: reasons.map(|reason| words::reason(lang, *reason)).collect(),
            rows,
            days: self.days()?,
        })
    }

    /// Each place of one find.
    fn find(&self, found: Found) -> Result<Vec<EvidenceRow>, StoreError> {
        let state = self.index.asset(found.asset);
        let wanted = self.index.identity(found.identity);
        let Some((digest, wanted)) = state.and_then(|it| it.snapshot).zip(wanted) else {
            return Ok(Vec::new());
        };
        let since = self.since(found.asset, wanted)?;
        let held = self.engine.store().snapshot(digest)?.components;
        let held = held.into_iter().filter(|it| same(it, wanted));
        Ok(held.map(|component| self.row(&component, &since)).collect())
    }

    fn row(&self, component: &Component, since: &str) -> EvidenceRow {
        let lang = self.lang;
        let basis = component.basis;
        let proven = texts::by_code(lang, &format!("certainty-{}", basis.certainty().as_str()));
        let how = texts::by_code(lang, &format!("basis-{}", basis.as_str()));
        EvidenceRow {
            component: format!("{} {}", component.purl.name, component.purl.version),
            purl: component.purl.to_string(),
            steps: component.evidence.split("!/").map(str::to_owned).collect(),
            basis: format!("{} ({})", how.unwrap_or_default(), proven.unwrap_or_default()),
            hashes: component.hashes.iter().map(ToString::to_string).collect(),
            since: since.to_owned(),
        }
    }

    /// Since when an asset holds a component without a break, as a day; later than that when its
    /// history is longer than what is read.
    fn since(&self, asset: AssetId, wanted: &Component) -> Result<String, StoreError> {
        let history = self.history(asset)?;
        let mut since = None;
        for row in history.iter().rev().take(HISTORY_MAX) {
            let held = self.engine.store().snapshot(row.digest)?.components;
            if !held.iter().any(|it| same(it, wanted)) {
                break;
            }
            since = Some(row.observed_at);
        }
        Ok(since.map(day).unwrap_or_default())
    }

    fn history(&self, asset: AssetId) -> Result<Vec<SnapshotRow>, StoreError> {
        let mut rows = self.engine.store().snapshots_of(asset)?;
        rows.retain(|row| row.observed_at <= self.at);
        Ok(rows)
    }

    /// The days on which an inventory of this site became another one, the newest first.
    fn days(&self) -> Result<Vec<Link>, StoreError> {
        let mut days = std::collections::BTreeSet::new();
        for asset in self.index.assets_of(self.site.id) {
            let rows = self.engine.store().snapshots_of(asset)?;
            days.extend(rows.iter().map(|row| day(row.observed_at)));
        }
        let link = |day: String| Link { href: (self.on_day)(&day), text: day };
        Ok(days.into_iter().rev().take(DAYS_MAX).map(link).collect())
    }
}

/// Whether a component of an inventory is that identity.
fn same(component: &Component, wanted: &Component) -> bool {
    component.clone().identity() == *wanted
}

/// The UTC day of a time.
pub(super) fn day(at: Timestamp) -> String {
    number::rfc3339(at).get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use relight_model::Basis;

    use super::*;

    #[test]
    fn every_way_of_recognising_has_its_words() {
        for lang in Lang::ALL {
            for basis in Basis::ALL {
                for key in [
                    format!("basis-{}", basis.as_str()),
                    format!("certainty-{}", basis.certainty().as_str()),
                ] {
                    assert!(texts::by_code(lang, &key).is_some(), "{lang:?} {key}");
                }
            }
        }
    }
}
