//! The evidence of one site for one question: the way through nested archives to what was found,
//! how it was recognised, and since when it is there.

use relight_engine::Engine;
use relight_engine::answer::SiteAnswer;
use relight_engine::store::{Index, SnapshotRow, Store, StoreError};
use relight_model::{AssetId, Component, Digest, FindingState, Site, SiteId, Timestamp};
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

/// What the index knows about one site: gathered under the lock of the inventory. Inventories are
/// read without it, because the edges wait for that lock.
pub(super) struct Held {
    assets: Vec<AssetId>,
    finds: Vec<Find>,
}

/// One identity in one asset, and the inventory that holds it.
pub(super) struct Find {
    pub(super) state: FindingState,
    asset: AssetId,
    digest: Digest,
    wanted: Component,
}

impl Held {
    /// What is affected comes first.
    pub(super) fn of(index: &Index, site: SiteId, answer: &SiteAnswer) -> Self {
        let finds = answer.found.iter().filter_map(|found| {
            let digest = index.asset(found.asset).and_then(|it| it.snapshot)?;
            let wanted = index.identity(found.identity)?.clone();
            Some(Find { state: found.state, asset: found.asset, digest, wanted })
        });
        let mut finds: Vec<Find> = finds.collect();
        finds.sort_by_key(|find| find.state);
        Self { assets: index.assets_of(site).collect(), finds }
    }

    /// What was found, what is affected first.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        self.finds.iter()
    }
}

impl Find {
    /// Each place of it.
    ///
    /// # Errors
    /// The inventory does not read back, or the store cannot be read.
    pub(super) fn places(&self, store: &Store) -> Result<Vec<Component>, StoreError> {
        let mut held = store.snapshot(self.digest)?.components;
        held.retain(|it| same(it, &self.wanted));
        Ok(held)
    }
}

/// What a panel is about.
pub(super) struct Shown<'a> {
    pub(super) engine: &'a Engine,
    pub(super) lang: Lang,
    /// From the inventory that answered, of now or of then.
    pub(super) held: Held,
    pub(super) at: Timestamp,
    pub(super) site: &'a Site,
    pub(super) answer: &'a SiteAnswer,
    /// The address of the same question on a day.
    pub(super) on_day: &'a dyn Fn(&str) -> String,
}

/// Since when something is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Since {
    /// When the oldest inventory without a break was true, of those that were read.
    at: Option<Timestamp>,
    /// Older ones were not read.
    is_cut: bool,
    /// One of them does not read back.
    is_damaged: bool,
}

impl Since {
    /// Reads inventories from the newest on until one does not hold it; `holds` says nothing about
    /// one that does not read back.
    fn of(rows: &[SnapshotRow], mut holds: impl FnMut(Digest) -> Option<bool>) -> Self {
        let mut since = Self::default();
        for (row, read) in rows.iter().rev().zip(0..) {
            if read == HISTORY_MAX {
                return Self { is_cut: true, ..since };
            }
            match holds(row.digest) {
                Some(true) => since.at = Some(row.observed_at),
                Some(false) => return since,
                None => return Self { is_cut: true, is_damaged: true, ..since },
            }
        }
        since
    }

    fn text(self, lang: Lang) -> String {
        match self.at.map(day) {
            Some(day) if self.is_cut => texts::evidence_since_or_earlier(lang, &day),
            Some(day) => day,
            None => String::new(),
        }
    }
}

impl Shown<'_> {
    /// The panel. An inventory that does not read back is told in it and hides nothing else.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn panel(&self) -> Result<EvidencePanel, StoreError> {
        let (lang, slug) = (self.lang, self.site.slug.as_str());
        let verdict = self.answer.answer.verdict();
        let (rows, is_damaged) = self.rows()?;
        let problem = if is_damaged { texts::evidence_damaged(lang) } else { "" };
        let reasons = self.answer.reasons.iter();
        Ok(EvidencePanel {
            site: Link {
                text: site_name(self.site, lang).to_owned(),
                href: format!("/site/{}?lang={}", encode(slug), lang.tag()),
            },
            slug: slug.to_owned(),
            code: verdict.as_str(),
            verdict: words::verdict(lang, verdict),
            problem: problem.to_owned(),
            reasons: reasons.map(|reason| words::reason(lang, *reason)).collect(),
            rows,
            days: self.days()?,
        })
    }

    /// The first places, and whether an inventory does not read back.
    fn rows(&self) -> Result<(Vec<EvidenceRow>, bool), StoreError> {
        let store = self.engine.store();
        let (mut rows, mut is_damaged) = (Vec::new(), false);
        for find in self.held.finds().take(FINDS_MAX) {
            let Ok(places) = find.places(store) else {
                is_damaged = true;
                continue;
            };
            let since = self.since(find)?;
            is_damaged |= since.is_damaged;
            rows.extend(places.iter().map(|place| self.row(find.state, place, since)));
        }
        rows.truncate(FINDS_MAX);
        Ok((rows, is_damaged))
    }

    fn row(&self, state: FindingState, component: &Component, since: Since) -> EvidenceRow {
        let lang = self.lang;
        let basis = component.basis;
        let proven = texts::by_code(lang, &format!("certainty-{}", basis.certainty().as_str()));
        let how = texts::by_code(lang, &format!("basis-{}", basis.as_str()));
        EvidenceRow {
            component: format!("{} {}", component.purl.name, component.purl.version),
            state: finding(lang, state).to_owned(),
            purl: component.purl.to_string(),
            steps: component.evidence.split("!/").map(str::to_owned).collect(),
            basis: format!("{} ({})", how.unwrap_or_default(), proven.unwrap_or_default()),
            hashes: component.hashes.iter().map(ToString::to_string).collect(),
            since: since.text(lang),
        }
    }

    /// Since when an asset holds what was found without a break.
    fn since(&self, find: &Find) -> Result<Since, StoreError> {
        let store = self.engine.store();
        let history = self.history(find.asset)?;
        Ok(Since::of(&history, |digest| {
            let held = store.snapshot(digest).ok()?.components;
            Some(held.iter().any(|it| same(it, &find.wanted)))
        }))
    }

    fn history(&self, asset: AssetId) -> Result<Vec<SnapshotRow>, StoreError> {
        let mut rows = self.engine.store().snapshots_of(asset)?;
        rows.retain(|row| row.observed_at <= self.at);
        Ok(rows)
    }

    /// The days on which an inventory of this site became another one, the newest first.
    fn days(&self) -> Result<Vec<Link>, StoreError> {
        let mut days = std::collections::BTreeSet::new();
        for asset in &self.held.assets {
            let rows = self.engine.store().snapshots_of(*asset)?;
            days.extend(changes(&rows).map(day));
        }
        let link = |day: String| Link { href: (self.on_day)(&day), text: day };
        Ok(days.into_iter().rev().take(DAYS_MAX).map(link).collect())
    }
}

/// When the inventory of an asset became another one. An equal one that came late, for a time
/// before the first that was known, is a row of its own and no change.
fn changes(rows: &[SnapshotRow]) -> impl Iterator<Item = Timestamp> {
    let before = std::iter::once(None).chain(rows.iter().map(|row| Some(row.digest)));
    let changed = rows.iter().zip(before).filter(|(row, before)| Some(row.digest) != *before);
    changed.map(|(row, _)| row.observed_at)
}

/// How sure a find is, in words.
fn finding(lang: Lang, state: FindingState) -> &'static str {
    texts::by_code(lang, &format!("finding-{}", state.as_str())).unwrap_or_default()
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
            for state in [
                FindingState::Affected,
                FindingState::Mitigated,
                FindingState::DeclaredOnly,
                FindingState::PossibleMatch,
                FindingState::RangeUnresolved,
            ] {
                assert!(!finding(lang, state).is_empty(), "{lang:?} {state:?}");
            }
        }
    }

    /// So many inventories, one a second.
    fn rows(count: u8) -> Vec<SnapshotRow> {
        let row = |at: u8| SnapshotRow {
            digest: Digest([at; 32]),
            artifact: None,
            observed_at: at.into(),
            recorded_at: at.into(),
            last_confirmed: at.into(),
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn an_inventory_that_is_equal_to_the_one_before_is_no_change() {
        let of = |digests: &[u8]| {
            let row = |(at, digest): (usize, &u8)| SnapshotRow {
                digest: Digest([*digest; 32]),
                observed_at: 10 * at as i64,
                ..rows(1)[0]
            };
            let rows: Vec<_> = digests.iter().enumerate().map(row).collect();
            changes(&rows).collect::<Vec<_>>()
        };
        assert_eq!(of(&[1, 1, 2, 2, 2, 1]), [0, 20, 50]);
        assert_eq!(of(&[7]), [0]);
        assert!(of(&[]).is_empty());
    }

    /// Whether the inventory of a number holds it; `None` when it does not read back.
    type Holds = fn(u8) -> Option<bool>;

    #[test]
    fn since_when_is_only_as_sure_as_what_was_read() {
        let most = u8::try_from(HISTORY_MAX).unwrap();
        let (sure, cut) = (Since::default(), Since { is_cut: true, ..Since::default() });
        let damaged = Since { is_damaged: true, ..cut };
        let from = |at: u8, since| Since { at: Some(at.into()), ..since };
        let cases: [(u8, Holds, Since); 9] = [
            (0, |_| Some(true), sure),
            (3, |_| Some(true), from(0, sure)),
            (9, |at| Some(at > 4), from(5, sure)),
            (9, |_| Some(false), sure),
            // As many as are read, and one more.
            (most, |_| Some(true), from(0, sure)),
            (most + 1, |_| Some(true), from(1, cut)),
            (most + 1, |at| Some(at > 1), from(2, sure)),
            // What lies behind one that does not read back nobody knows.
            (9, |at| (at != 4).then_some(true), from(5, damaged)),
            (9, |_| None, damaged),
        ];
        for (count, holds, expected) in cases {
            assert_eq!(Since::of(&rows(count), |digest| holds(digest.0[0])), expected, "{count}");
        }
        let day = "1970-01-01";
        assert_eq!(from(5, sure).text(Lang::En), day);
        assert_eq!(from(5, cut).text(Lang::En), format!("{day} or earlier"));
        assert_eq!(damaged.text(Lang::En), "");
    }
}
