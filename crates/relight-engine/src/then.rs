//! What was installed at an hour in the past, and whether it had a flaw.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use relight_match::{Advisories, Enclosure, Question};
use relight_model::{
    AssetId, Coverage, Digest, Exhibit, Exposure, FlawCode, InventoryState, Sbom, SiteId, Timestamp,
};
use relight_store::{Deployed, SnapshotRow, Store, StoreError, deployed_otherwise};

use crate::exhibits::places_in;
use crate::inventoried::advisories_about;

/// Inventories confirmed longer ago than this, in seconds, are stale when nobody says otherwise
/// (REGISTER 4: 7 days for what was scanned). An incident asks more strictly.
pub const INVENTORY_AGE_MAX_S: i64 = 7 * 24 * 3_600;

/// The history of a register, asked about some flaws. What it read it keeps.
pub struct Then<'a> {
    store: &'a Store,
    advisories: Advisories,
    placements: BTreeMap<SiteId, Vec<AssetId>>,
    age_max: i64,
    histories: RefCell<HashMap<AssetId, Rc<History>>>,
    judged: RefCell<HashMap<(Digest, String), Judged>>,
}

/// What is known about one asset, by time.
struct History {
    rows: Vec<SnapshotRow>,
    /// See [`Store::looks_of`].
    looks: Vec<Timestamp>,
    /// What it was reported to run.
    deployed: Vec<Deployed>,
}

impl History {
    /// The newest inventory that was true at a moment or before, and when it was last confirmed.
    fn in_force(&self, at: Timestamp) -> Option<(&SnapshotRow, Timestamp)> {
        let row = self.rows.iter().rev().find(|row| row.observed_at <= at)?;
        Some((row, row.confirmed_by(at, &self.looks)))
    }

    /// When the answer may turn between two moments, both included: at each inventory, just before
    /// it, because a deployment leaves the site unknown until then, and just before a look that
    /// came longer than `age_max` seconds after the one before it.
    fn turns(
        &self,
        age_max: i64,
        (from, to): (Timestamp, Timestamp),
    ) -> impl Iterator<Item = Timestamp> {
        let inside = move |at: &Timestamp| (from..=to).contains(at);
        let starts = self.rows.iter().flat_map(|row| [row.observed_at - 1, row.observed_at]);
        let looks = self.looks.iter().copied().chain(self.rows.iter().map(|it| it.last_confirmed));
        let before = looks.map(|at| at - 1);
        let is_late = move |at: &Timestamp| {
            self.in_force(*at).is_some_and(|(_, confirmed)| at - confirmed > age_max)
        };
        // A history is long and a question is about a day: what is outside of it is left out first.
        starts.filter(inside).chain(before.filter(inside).filter(is_late))
    }

    /// Since when, between two moments, something ran that no look saw: another was deployed after
    /// it before anybody looked, or the next look found another artifact.
    fn unseen(&self, (from, to): (Timestamp, Timestamp)) -> impl Iterator<Item = Timestamp> {
        let is_unseen = |at: Timestamp, digest: Option<Digest>| {
            let Some((artifact, look)) = self.next_look(at) else { return true };
            let is_other = digest.zip(artifact).is_some_and(|(one, other)| one != other);
            is_other || self.deployed.iter().any(|it| at < it.at && it.at <= look)
        };
        let reports = self
            .deployed
            .iter()
            .flat_map(|it| [it.at, it.last_confirmed].map(|at| (at, it.digest)));
        reports
            .filter(move |(at, _)| (from..=to).contains(at))
            .filter(move |(at, digest)| is_unseen(*at, *digest))
            .map(|(at, _)| at)
    }

    /// The first look at a moment or later, and the artifact that it saw.
    fn next_look(&self, at: Timestamp) -> Option<(Option<Digest>, Timestamp)> {
        let ends = self.rows.iter().flat_map(|row| [row.observed_at, row.last_confirmed]);
        let look = ends.chain(self.looks.iter().copied()).filter(|look| *look >= at).min()?;
        self.in_force(look).map(|(row, _)| (row.artifact, look))
    }
}

/// Since when a site may have had a flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The last look, before it was found or could not be ruled out any more, at an inventory that
    /// was read completely and had it not; without one, the first inventory that leaves it open.
    pub at: Timestamp,
    /// It may have been there before: no inventory of the same asset that was read completely says
    /// that it was not.
    pub or_earlier: bool,
}

impl Since {
    /// The earlier of two, of different assets.
    fn and(self, other: Self) -> Self {
        let (at, or_earlier) = (self.at.min(other.at), self.or_earlier || other.or_earlier);
        Self { at, or_earlier }
    }
}

/// What one inventory says about one flaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judged {
    Affected,
    /// Not affected, as far as was read; whether all was read is the other field.
    Clear {
        complete: bool,
    },
}

impl<'a> Then<'a> {
    /// The history, to be asked about these flaws. Inventories that were confirmed longer than
    /// `age_max` seconds before an hour do not speak for it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn new(store: &'a Store, flaws: &[String], age_max: i64) -> Result<Self, StoreError> {
        let mut placements: BTreeMap<SiteId, Vec<AssetId>> = BTreeMap::new();
        for (site, asset) in store.placements()? {
            placements.entry(site).or_default().push(asset);
        }
        let advisories = advisories_about(store, flaws)?;
        let (histories, judged) = (RefCell::default(), RefCell::default());
        Ok(Self { store, advisories, placements, age_max, histories, judged })
    }

    /// Whether a site had a flaw at that time. Affected as soon as one asset was; clear only when
    /// every asset has a complete inventory of that time; unknown otherwise.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn exposure(
        &self,
        site: SiteId,
        at: Timestamp,
        flaw: &str,
    ) -> Result<Exposure, StoreError> {
        self.answer(site, at, &Question::Advisory(flaw.to_owned()))
    }

    /// Since when a site may have had a flaw, as known at a moment. `None` when it has no asset, or
    /// none of them had it: each was read completely, looked at in time, and not replaced since.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn since(
        &self,
        site: SiteId,
        until: Timestamp,
        flaw: &str,
    ) -> Result<Option<Since>, StoreError> {
        let question = Question::Advisory(flaw.to_owned());
        let mut since: Option<Since> = None;
        for asset in self.placements.get(&site).into_iter().flatten() {
            if let Some(own) = self.asset_since(*asset, until, &question)? {
                since = Some(since.map_or(own, |since| since.and(own)));
            }
        }
        Ok(since)
    }

    /// Since when one asset may have had it. An inventory that was not read completely, or that
    /// leaves it open, never says that it was not there.
    fn asset_since(
        &self,
        asset: AssetId,
        until: Timestamp,
        question: &Question,
    ) -> Result<Option<Since>, StoreError> {
        let history = self.history(asset)?;
        let end = history.rows.partition_point(|row| row.observed_at <= until);
        let rows = history.rows.get(..end).unwrap_or_default();
        let may_clear = self.may_clear(question);
        let (mut clear, mut open): (Option<Timestamp>, Option<Timestamp>) = (None, None);
        for (row, next) in rows.iter().zip(1..) {
            match self.judged(row.digest, question)? {
                Judged::Clear { complete: true } if may_clear => {
                    let until = rows.get(next).map_or(until, |next| next.observed_at);
                    (clear, open) = (Some(row.confirmed_by(until, &history.looks)), None);
                }
                Judged::Clear { .. } => open = open.or(Some(row.observed_at)),
                Judged::Affected => {
                    open = open.or(Some(row.observed_at));
                    break;
                }
            }
        }
        let since = |at| Some(Since { at, or_earlier: clear.is_none() });
        Ok(match clear.or(open) {
            // What was there at its only look may be another thing by now.
            Some(at) if open.is_some() => since(at),
            Some(at) if self.asset(asset, until, question)? != Exposure::Clear => since(at),
            Some(_) => None,
            None => since(until),
        })
    }

    /// Whether inventories can clear of what is asked: what containers were made of then is not
    /// kept, and digests never clear.
    fn may_clear(&self, question: &Question) -> bool {
        question.gap(&self.advisories).is_none() && question.exhibits(&self.advisories).is_empty()
    }

    /// Whether a site ran a product at that time, by the beginning of its package URL: `Affected`
    /// stands for yes and `Clear` for no. Of a CPE name no inventory tells.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn runs(&self, site: SiteId, at: Timestamp, product: &str) -> Result<Exposure, StoreError> {
        let question = package(product);
        question.map_or(Ok(Exposure::Unknown), |it| self.answer(site, at, &it))
    }

    fn answer(
        &self,
        site: SiteId,
        at: Timestamp,
        question: &Question,
    ) -> Result<Exposure, StoreError> {
        let mut clear = self.may_clear(question);
        let assets = self.placements.get(&site).map(Vec::as_slice).unwrap_or_default();
        clear &= !assets.is_empty();
        for asset in assets {
            match self.asset(*asset, at, question)? {
                Exposure::Affected => return Ok(Exposure::Affected),
                Exposure::Unknown => clear = false,
                Exposure::Clear => {}
            }
        }
        Ok(if clear { Exposure::Clear } else { Exposure::Unknown })
    }

    /// The worst that was known about a site between two moments, both included: affected before
    /// unknown, and clear only when it was clear all the time.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn exposure_between(
        &self,
        site: SiteId,
        (from, to): (Timestamp, Timestamp),
        flaw: &str,
    ) -> Result<Exposure, StoreError> {
        self.answer_between(site, (from, to), &Question::Advisory(flaw.to_owned()))
    }

    /// As [`Then::runs`], the most that was known between two moments, both included.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn runs_between(
        &self,
        site: SiteId,
        span: (Timestamp, Timestamp),
        product: &str,
    ) -> Result<Exposure, StoreError> {
        let question = package(product);
        question.map_or(Ok(Exposure::Unknown), |it| self.answer_between(site, span, &it))
    }

    fn answer_between(
        &self,
        site: SiteId,
        (from, to): (Timestamp, Timestamp),
        question: &Question,
    ) -> Result<Exposure, StoreError> {
        let mut moments = BTreeSet::from([from, to]);
        for asset in self.placements.get(&site).into_iter().flatten() {
            let history = self.history(*asset)?;
            moments.extend(history.turns(self.age_max, (from, to)));
            moments.extend(history.unseen((from, to)));
        }
        let mut worst = Exposure::Clear;
        for at in moments {
            match self.answer(site, at, question)? {
                Exposure::Affected => return Ok(Exposure::Affected),
                Exposure::Unknown => worst = Exposure::Unknown,
                Exposure::Clear => {}
            }
        }
        Ok(worst)
    }

    fn asset(
        &self,
        asset: AssetId,
        at: Timestamp,
        question: &Question,
    ) -> Result<Exposure, StoreError> {
        let history = self.history(asset)?;
        let Some((row, confirmed)) = history.in_force(at) else { return Ok(Exposure::Unknown) };
        let complete = match self.judged(row.digest, question)? {
            Judged::Affected => return Ok(Exposure::Affected),
            Judged::Clear { complete } => complete,
        };
        let changed_since = deployed_otherwise(&history.deployed, row.artifact, (confirmed, at));
        let confirmed = Some(confirmed);
        let state = InventoryState { confirmed, changed_since, ..InventoryState::default() };
        let covered = Coverage::of(&[state], at, self.age_max).is_ok();
        Ok(if complete && covered { Exposure::Clear } else { Exposure::Unknown })
    }

    fn history(&self, asset: AssetId) -> Result<Rc<History>, StoreError> {
        if let Some(known) = self.histories.borrow().get(&asset) {
            return Ok(Rc::clone(known));
        }
        let (rows, looks) = (self.store.snapshots_of(asset)?, self.store.looks_of(asset)?);
        let deployed = self.store.deployments_of(asset)?;
        let read = Rc::new(History { rows, looks, deployed });
        self.histories.borrow_mut().insert(asset, Rc::clone(&read));
        Ok(read)
    }

    fn judged(&self, digest: Digest, question: &Question) -> Result<Judged, StoreError> {
        let key = (digest, question.to_string());
        if let Some(judged) = self.judged.borrow().get(&key) {
            return Ok(*judged);
        }
        let judged = self.judge(&self.store.snapshot(digest)?, question);
        self.judged.borrow_mut().insert(key, judged);
        Ok(judged)
    }

    fn judge(&self, sbom: &Sbom, question: &Question) -> Judged {
        let exhibits = question.exhibits(&self.advisories);
        let is_held = |it: &&Exhibit| !places_in(it, &sbom.components, &[]).is_empty();
        if exhibits.iter().any(is_held) {
            return Judged::Affected;
        }
        let may_hide = |code: FlawCode| {
            let may_mean = |kind: &&str| question.may_mean(&self.advisories, kind);
            code.hides().is_none_or(|kinds| kinds.iter().any(may_mean))
        };
        let mut complete = !sbom.flaws.iter().any(|flaw| may_hide(flaw.code));
        let enclosure = Enclosure::of_image(&sbom.images);
        for component in &sbom.components {
            let found = question.judge_in(&self.advisories, component, &enclosure);
            match found.map(|found| found.state) {
                Some(state) if state.is_affected() => return Judged::Affected,
                Some(_) => complete = false,
                None => {}
            }
        }
        Judged::Clear { complete }
    }
}

/// The question who has a product, by its package URL: a bare name would mean every ecosystem.
fn package(product: &str) -> Option<Question> {
    product.starts_with("pkg:").then(|| Question::parse(product).ok()).flatten()
}

#[cfg(test)]
mod tests;
