//! What an advisory changes for the sites of the register, told once; and which incidents a rule
//! proposes because of it.

use std::collections::{BTreeMap, BTreeSet};

use relight_match::{Group, OWN_PREFIX};
use relight_model::{Digest, Site, SiteExposure, Timestamp};
use relight_store::{Notice, NoticeKind, Store, Told};
use roaring::RoaringBitmap;

use crate::engine::{Engine, State, replay};
use crate::error::EngineError;
use crate::incident::Ledger;
use crate::inventoried::{FoundSites, Inventoried};

/// The setting that keeps of which advisories of one's own people were told that their day came.
const EXPIRED_KEY: &str = "told-expired";

/// When an incident is proposed: a flaw this bad, or one that is exploited already where anybody
/// can reach it (INCIDENT Q1). A proposal switches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProposalRule {
    /// Lowest CVSS base score that proposes by itself, in tenths.
    pub score_min: u16,
    /// Where what a catalogue calls exploited is proposed.
    pub exploited: ExploitedAt,
}

/// Where an affected site must be for a flaw that a catalogue calls exploited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExploitedAt {
    /// Within reach of the internet; where nobody said, it is.
    Internet,
    /// Anywhere.
    Anywhere,
    /// Nowhere: a catalogue alone proposes nothing.
    Never,
}

impl ExploitedAt {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Internet, Self::Anywhere, Self::Never];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Anywhere => "anywhere",
            Self::Never => "never",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Whether a site with this exposure counts.
    const fn counts(self, exposure: SiteExposure) -> bool {
        match self {
            Self::Internet => exposure.faces_internet(),
            Self::Anywhere => true,
            Self::Never => false,
        }
    }
}

impl Default for ProposalRule {
    fn default() -> Self {
        Self { score_min: 100, exploited: ExploitedAt::Internet }
    }
}

/// An incident that nobody opened yet and that the rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The id under which the alias group is shown.
    pub advisory: String,
    /// One line about it, in the language of its source.
    pub summary: String,
    /// Highest CVSS base score, in tenths.
    pub score: Option<u16>,
    /// In a catalogue of known exploited vulnerabilities.
    pub known_exploited: bool,
    /// Sites that are affected.
    pub affected: usize,
    /// Sites that are perhaps affected.
    pub possible: usize,
    /// The records in force that it rests on, by source and id: licences ask that they are named.
    pub records: Vec<(String, String)>,
}

/// What was taken down as told is told, whatever came after it: the next call meets the error
/// again.
fn both(
    mut told: Vec<Notice>,
    then: Result<Vec<Notice>, EngineError>,
) -> Result<Vec<Notice>, EngineError> {
    match then {
        Ok(more) => told.extend(more),
        Err(error) if told.is_empty() => return Err(error),
        Err(_) => {}
    }
    Ok(told)
}

impl Engine {
    /// Tells what changed since people were told last, whoever changed it: the advisories that
    /// came in, and those whose group has another revision now. The first call tells nothing: it
    /// takes down what is so already, so that a new register does not begin with a flood.
    ///
    /// # Errors
    /// The store cannot be read or written, and nothing is to be told; then the next call tells it.
    pub fn tell_changes(&self) -> Result<Vec<Notice>, EngineError> {
        let moved = self.write().inventory.take_moved();
        let told = self.tell_moved(moved);
        if told.is_err() {
            self.write().inventory.forget_moved();
        }
        both(told?, self.tell_expired())
    }

    /// Tells of advisories of one's own whose day has come, each once for each day that it was
    /// given. They go on counting; only a person retires them.
    fn tell_expired(&self) -> Result<Vec<Notice>, EngineError> {
        let text = self.store.meta_get(EXPIRED_KEY)?.unwrap_or_default();
        // What was told and cannot be read is told once more.
        let before: BTreeMap<String, Timestamp> = serde_json::from_str(&text).unwrap_or_default();
        let expired = self.expired();
        if expired == before {
            return Ok(Vec::new());
        }
        let mut drafts = Vec::new();
        for (id, _) in expired.iter().filter(|(id, at)| before.get(*id) != Some(at)) {
            // What people were told of its sites stays as it was.
            let told = self.store.told(id)?.unwrap_or_default();
            drafts.push((self.expiry_notice(id), told));
        }
        let notices = self.store.put_notices(&drafts, self.store.told_seq()?.unwrap_or(0))?;
        self.store.meta_put(EXPIRED_KEY, &serde_json::json!(expired).to_string())?;
        Ok(notices)
    }

    /// The groups with a record of our own in force whose day has come, and that day.
    fn expired(&self) -> BTreeMap<String, Timestamp> {
        let (state, now) = (self.read(), self.now());
        let day = |group: &Group| {
            let own =
                group.records().filter(|it| it.id.starts_with(OWN_PREFIX) && it.is_in_force());
            let day = own.filter_map(|it| it.expires).filter(|at| *at <= now).min()?;
            Some((group.id.clone(), day))
        };
        state.inventory.advisories().groups().filter_map(day).collect()
    }

    fn expiry_notice(&self, id: &str) -> Notice {
        let told = self.find(&self.read(), id);
        Notice {
            seq: 0,
            at: self.now(),
            kind: NoticeKind::Expired,
            advisory: id.to_owned(),
            revision: told.revision,
            affected: told.affected.len(),
            possible: told.possible.len(),
            joined: RoaringBitmap::new(),
            gone: RoaringBitmap::new(),
        }
    }

    fn tell_moved(&self, moved: Option<BTreeSet<String>>) -> Result<Vec<Notice>, EngineError> {
        let newest = self.store.advisory_seq()?;
        let told_seq = self.store.told_seq()?;
        let is_first = told_seq.is_none();
        let drafts = {
            let state = self.read();
            let touched = match moved {
                _ if is_first => state.inventory.flaws().into_iter().map(str::to_owned).collect(),
                Some(moved) => moved,
                None => self.touched(&state)?,
            };
            let mut drafts = Vec::new();
            for id in self.as_they_are_shown(&state, touched)? {
                let before = self.store.told(&id)?;
                drafts.extend(self.draft(&state, &id, before));
            }
            drafts
        };
        if is_first {
            let told: Vec<_> =
                drafts.into_iter().map(|(note, told)| (note.advisory, told)).collect();
            self.store.put_baseline(&told, newest)?;
            return Ok(Vec::new());
        }
        if drafts.is_empty() && told_seq == Some(newest) {
            // Nothing to take down: on a full disk that would fail, once a minute.
            return Ok(Vec::new());
        }
        Ok(self.store.put_notices(&drafts, newest)?)
    }

    /// Flaws by the ids under which they are shown now. One that got a number later goes on from
    /// what people were told of it before: it is no other flaw.
    fn as_they_are_shown(
        &self,
        state: &State,
        touched: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, EngineError> {
        let mut shown = BTreeSet::new();
        for id in touched {
            match only_group(state, &id) {
                Some(only) if only != id && self.store.told(&id)?.is_some() => {
                    self.store.rename_told(&id, &only)?;
                    shown.insert(only);
                }
                _ => drop(shown.insert(id)),
            }
        }
        Ok(shown)
    }

    /// The groups to look at when it is not known what moved: those of records that came in, and
    /// those that people were told about and that read differently now, because a record left.
    fn touched(&self, state: &State) -> Result<BTreeSet<String>, EngineError> {
        let groups = state.inventory.advisories();
        let changed = self.store.advisories_after(self.store.told_seq()?.unwrap_or(0))?;
        let of_records = changed.iter().flat_map(|id| groups.groups_of(id));
        let mut touched: BTreeSet<String> = of_records.map(|group| group.id.clone()).collect();
        for (id, revision) in self.store.told_revisions()? {
            let group = groups.group(&id);
            let now = group.map(Group::revision).unwrap_or_default();
            // A number alone does not change what is said of packages.
            if now != revision || group.is_some_and(|group| group.id != id) {
                touched.insert(id);
            }
        }
        Ok(touched)
    }

    /// What is to be told of one group, if anything: the sites where it finds something changed.
    fn draft(&self, state: &State, id: &str, before: Option<Told>) -> Option<(Notice, Told)> {
        let told = self.find(state, id);
        let is_news = before.is_none();
        let before = before.unwrap_or_default();
        let same = told.affected == before.affected && told.possible == before.possible;
        let is_empty = told.affected.is_empty() && told.possible.is_empty();
        if same && (is_empty || told.revision == before.revision) {
            return None;
        }
        let notice = Notice {
            seq: 0,
            at: self.now(),
            kind: match (is_news, told.revision == Digest::default()) {
                (_, true) => NoticeKind::Withdrawn,
                (true, false) => NoticeKind::Advisory,
                (false, false) => NoticeKind::Revised,
            },
            advisory: id.to_owned(),
            revision: told.revision,
            affected: told.affected.len(),
            possible: told.possible.len(),
            joined: &told.affected - &before.affected,
            gone: &before.affected - &told.affected,
        };
        Some((notice, told))
    }

    /// Where a group finds something now. The revision of a group that no record in force speaks
    /// about is the default one.
    fn find(&self, state: &State, id: &str) -> Told {
        let group = state.inventory.advisories().group(id);
        let is_about =
            |group: &&Group| !group.packages().is_empty() || !group.exhibits().is_empty();
        let group = group.filter(is_about);
        let found = state.inventory.found(&self.store, id);
        let FoundSites { affected, possible } = FoundSites::clone(&found);
        Told { revision: group.map(Group::revision).unwrap_or_default(), affected, possible }
    }

    /// The incidents that the rule asks for, worst first: flaws that some site has, and that no
    /// open incident is about. Unlike an answer, a proposal does not ask how old an inventory is:
    /// what was seen affected is proposed.
    pub fn proposals(&self, rule: ProposalRule) -> Vec<Proposal> {
        let state = self.read();
        propose(rule, (&self.store, &state.inventory), &state.sites, &state.ledger)
    }
}

/// The id under which the flaw of an id is shown; `None` where it is about several, or none.
fn only_group(state: &State, id: &str) -> Option<String> {
    let mut groups = state.inventory.advisories().groups_of(id);
    let first = groups.next()?;
    groups.next().is_none().then(|| first.id.clone())
}

/// As [`Engine::proposals`], for those who only read: no lease is taken.
///
/// # Errors
/// The store cannot be read, or the journal does not replay.
pub fn proposals(store: &Store, rule: ProposalRule) -> Result<Vec<Proposal>, EngineError> {
    let inventory = Inventoried::read(store)?;
    let (ledger, _) = replay(store)?;
    Ok(propose(rule, (store, &inventory), &store.sites()?, &ledger))
}

fn propose(
    rule: ProposalRule,
    (store, inventory): (&Store, &Inventoried),
    sites: &[Site],
    ledger: &Ledger,
) -> Vec<Proposal> {
    let known = inventory.advisories();
    let questions = ledger.open().map(|(_, incident)| incident.question.as_str());
    let open: BTreeSet<&str> =
        questions.filter_map(|id| known.group(id)).map(|group| group.id.as_str()).collect();
    let within_reach = sites.iter().filter(|site| rule.exploited.counts(site.exposure));
    let within_reach: RoaringBitmap = within_reach.map(|site| site.id.0).collect();
    let mut proposals = Vec::new();
    for id in inventory.flaws().into_iter().filter(|id| !open.contains(id)) {
        let Some(group) = known.group(id) else { continue };
        let by_score = group.score().is_some_and(|score| score >= rule.score_min);
        let by_use = rule.exploited != ExploitedAt::Never && group.known_exploited();
        if !by_score && !by_use {
            continue;
        }
        let found = inventory.found(store, id);
        let is_reached = by_score || !found.affected.is_disjoint(&within_reach);
        if is_reached && !found.affected.is_empty() {
            proposals.push(proposal(group, &found));
        }
    }
    let rank = |it: &Proposal| (it.known_exploited, it.score, it.affected);
    proposals.sort_by(|a, b| rank(b).cmp(&rank(a)).then_with(|| a.advisory.cmp(&b.advisory)));
    proposals
}

fn proposal(group: &Group, found: &FoundSites) -> Proposal {
    let count = |set: &RoaringBitmap| usize::try_from(set.len()).unwrap_or(usize::MAX);
    let records = group.records().filter(|it| it.is_in_force());
    Proposal {
        advisory: group.id.clone(),
        summary: group.summary().to_owned(),
        score: group.score(),
        known_exploited: group.known_exploited(),
        affected: count(&found.affected),
        possible: count(&found.possible),
        records: records.map(|it| (it.source.clone(), it.id.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use relight_store::StoreError;

    use super::*;

    #[test]
    fn what_was_taken_down_as_told_is_told_whatever_comes_after_it() {
        let one = |kind| Notice {
            seq: 1,
            at: 1,
            kind,
            advisory: "CVE-2099-1".to_owned(),
            revision: Digest([0; 32]),
            affected: 0,
            possible: 0,
            joined: RoaringBitmap::new(),
            gone: RoaringBitmap::new(),
        };
        let (moved, expired) = (one(NoticeKind::Revised), one(NoticeKind::Expired));
        let failed = || Err(StoreError::not_understood("x".to_owned()).into());
        let all = both(vec![moved.clone()], Ok(vec![expired.clone()])).unwrap();
        assert_eq!(all, [moved.clone(), expired]);
        assert_eq!(both(vec![moved.clone()], failed()).unwrap(), [moved]);
        assert!(both(Vec::new(), failed()).is_err());
    }
}
