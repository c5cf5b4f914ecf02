//! The three-valued answer: which sites have it, which certainly do not, which we cannot tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relight_match::{Advisories, Enclosure, Question};
use relight_model::{
    Answer, AssetId, Component, Coverage, Digest, Finding, FindingState, SiteId, Timestamp,
    UnknownReason, Verdict,
};
use relight_store::{IdentityId, Index};

use crate::enclosed;
use crate::exhibits::Exhibited;

/// What one site says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteAnswer {
    /// The site.
    pub site: SiteId,
    /// Its answer.
    pub answer: Answer,
    /// Every reason that would make it unknown, sorted; an affected site can have some too.
    pub reasons: Vec<UnknownReason>,
    /// What was found: identity, the assets that hold it, and how sure it is. Sorted.
    pub found: Vec<Found>,
    /// Where files are that the question means, whatever they are called. Sorted.
    pub places: Vec<String>,
}

/// One identity that matters to the question, in one asset of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The asset.
    pub asset: AssetId,
    /// The identity.
    pub identity: IdentityId,
    /// How sure.
    pub state: FindingState,
}

/// The answers of every site in scope; the three counts sum to their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerSet {
    /// When it was asked.
    pub at: Timestamp,
    /// Revision of the advisory group that it rests on; `None` for a question without one.
    pub revision: Option<Digest>,
    /// Answers, in the order of the sites asked about.
    pub sites: Vec<SiteAnswer>,
}

impl AnswerSet {
    /// How many sites gave this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.sites.iter().filter(|site| site.answer.verdict() == verdict).count()
    }

    /// How many unknown sites told each reason first.
    pub fn first_reasons(&self) -> BTreeMap<UnknownReason, usize> {
        let mut counts = BTreeMap::new();
        for site in &self.sites {
            if let Answer::Unknown(reason) = site.answer {
                *counts.entry(reason).or_default() += 1;
            }
        }
        counts
    }
}

/// What is asked, of which inventory, and when.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The question.
    pub question: &'a Question,
    /// The advisories in force.
    pub advisories: &'a Advisories,
    /// The inventory.
    pub index: &'a Index,
    /// What inventories say about the files that the question means; `None` when it means none.
    pub exhibited: Option<Arc<Exhibited>>,
    /// When it is asked.
    pub now: Timestamp,
    /// Inventories confirmed longer ago than this, in seconds, are stale.
    pub age_max: i64,
    /// On what grounds a component may be clear.
    pub grounds: Grounds,
}

/// On what grounds a component may be clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grounds {
    /// On all that are known.
    All,
    /// Not on the unsigned word of a supplier, nor on a light source against one that says
    /// affected: what an incident accepts.
    Firm,
}

impl Ask<'_> {
    /// The answers of these sites, in their order.
    pub fn sites(&self, sites: impl IntoIterator<Item = SiteId>) -> AnswerSet {
        let by_asset = self.found();
        let revision = match self.question {
            Question::Advisory(id) => self.advisories.group(id).map(|group| group.revision()),
            Question::Package(_) => None,
        };
        // The same for all of them. An advisory that nobody knows, or that names no package, is no
        // proof of absence.
        let gap = self.question.gap(self.advisories);
        let sites = sites.into_iter().map(|site| self.site(site, &by_asset, gap)).collect();
        AnswerSet { at: self.now, revision, sites }
    }

    /// Every asset that holds something the question is about.
    fn found(&self) -> BTreeMap<AssetId, Vec<Found>> {
        let mut by_asset: BTreeMap<AssetId, Vec<Found>> = BTreeMap::new();
        for (identity, finding) in self.findings() {
            let Some(assets) = self.index.assets_with(identity) else { continue };
            for asset in assets {
                let asset = AssetId(asset);
                let found = Found { asset, identity, state: finding.state };
                by_asset.entry(asset).or_default().push(found);
            }
        }
        self.found_in_images(&mut by_asset);
        by_asset
    }

    /// What is in an image of which a supplier speaks, as it is in that image.
    fn found_in_images(&self, by_asset: &mut BTreeMap<AssetId, Vec<Found>>) {
        let Question::Advisory(id) = self.question else { return };
        let images = enclosed::images(self.question, self.advisories, self.index);
        if images.is_empty() {
            return;
        }
        let meant = enclosed::meant(id, self.advisories, self.index);
        for (asset, enclosure) in images {
            let held = enclosed::held_by(asset, &meant, self.index);
            let found = held.filter_map(|(identity, component)| {
                let state = self.judge(component, &enclosure)?.state;
                Some(Found { asset, identity, state })
            });
            by_asset.insert(asset, found.collect());
        }
    }

    /// The identities that the question is about and what matching them gave.
    pub fn findings(&self) -> Vec<(IdentityId, Finding)> {
        let judge =
            |(identity, component)| Some((identity, self.judge(component, &Enclosure::default())?));
        let Question::Advisory(id) = self.question else {
            return self.index.identities().filter_map(judge).collect();
        };
        let meant = enclosed::meant(id, self.advisories, self.index);
        meant.into_iter().filter_map(judge).collect()
    }

    fn judge(&self, component: &Component, enclosure: &Enclosure) -> Option<Finding> {
        let found = self.question.judge_in(self.advisories, component, enclosure);
        let is_weak = || self.question.is_weakly_clear(self.advisories, component, enclosure);
        if found.is_some() || self.grounds == Grounds::All || !is_weak() {
            return found;
        }
        Some(Finding {
            id: self.question.to_string(),
            aliases: Vec::new(),
            state: FindingState::PossibleMatch,
            rule: "cleared on weak grounds".to_owned(),
            score: None,
            known_exploited: false,
        })
    }

    fn site(
        &self,
        site: SiteId,
        by_asset: &BTreeMap<AssetId, Vec<Found>>,
        gap: Option<UnknownReason>,
    ) -> SiteAnswer {
        let states = self.index.inventory_states(site).into_iter();
        let may_mean = |kind: &str| self.question.may_mean(self.advisories, kind);
        let states: Vec<_> = states.map(|state| state.about(may_mean)).collect();
        let found = self.index.assets_of(site).filter_map(|asset| by_asset.get(&asset));
        let mut found: Vec<Found> = found.flatten().copied().collect();
        found.sort();
        let mut reasons = Coverage::reasons(&states, self.now, self.age_max);
        reasons.extend(gap);
        for found in &found {
            match found.state {
                FindingState::DeclaredOnly => reasons.push(UnknownReason::DeclaredOnly),
                FindingState::PossibleMatch => reasons.push(UnknownReason::PossibleMatch),
                FindingState::RangeUnresolved => reasons.push(UnknownReason::RangeUnresolved),
                FindingState::Affected | FindingState::Mitigated => {}
            }
        }
        let places = self.exhibited(site, &mut reasons);
        reasons.sort();
        reasons.dedup();
        let affected = !places.is_empty() || found.iter().any(|found| found.state.is_affected());
        let answer = match (affected, reasons.first()) {
            (true, _) => Answer::Affected,
            (false, Some(reason)) => Answer::Unknown(*reason),
            (false, None) => match Coverage::of(&states, self.now, self.age_max) {
                Ok(coverage) => Answer::Clear(coverage),
                Err(reason) => Answer::Unknown(reason),
            },
        };
        SiteAnswer { site, answer, reasons, found, places }
    }

    /// Where the site has files that the question means; a reason where they may be unseen.
    fn exhibited(&self, site: SiteId, reasons: &mut Vec<UnknownReason>) -> Vec<String> {
        let Some(exhibited) = &self.exhibited else { return Vec::new() };
        let mut places = BTreeSet::new();
        for asset in self.index.assets_of(site) {
            places.extend(exhibited.places(asset).map(str::to_owned));
            if !exhibited.sees(asset) {
                reasons.push(UnknownReason::NotObservable);
            }
        }
        places.into_iter().collect()
    }
}
