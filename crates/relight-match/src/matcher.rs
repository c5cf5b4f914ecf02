//! The match list: for each flaw the identities of the register that it means, kept current.
//!
//! Work follows the change: a changed record costs the packages about which it says something else
//! and the identities of those packages; a new inventory costs its new identities. A full match
//! gives the same list, and is run to prove it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use relight_model::{Component, Digest, Ecosystem, FindingState, PackageName};
use sha2::{Digest as _, Sha256};

use crate::advisories::{Advisories, Change, Moved, without_release};
use crate::bracket;
use crate::entry::Asked;
use crate::group::{Group, Verdict};
use crate::opinion::Stand;
use crate::package::{Reach, Subject, bare_name};

/// One identity that a flaw means, or that only precedence clears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// The caller's number of the identity.
    pub identity: u32,
    /// Affected, unknown, or not affected by precedence.
    pub stand: Stand,
    /// A class that the flaw needs was removed.
    pub is_mitigated: bool,
    /// A source that counts says something else.
    pub is_disputed: bool,
}

impl Match {
    /// The state of its finding; `None` when precedence clears it.
    pub const fn state(&self) -> Option<FindingState> {
        match self.stand.state() {
            Some(FindingState::Affected) if self.is_mitigated => Some(FindingState::Mitigated),
            state => state,
        }
    }
}

/// How the list of one flaw changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Matches that are new, or say something else than before.
    pub joined: Vec<Match>,
    /// Matches as they were, which are gone or say something else now.
    pub left: Vec<Match>,
}

/// The advisories, the identities of a register, and the matches of each flaw.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    advisories: Advisories,
    identities: BTreeMap<u32, Known>,
    by_package: HashMap<PackageName, BTreeSet<u32>>,
    /// Identities of which only a part of the name is known.
    by_bare_name: HashMap<String, BTreeSet<u32>>,
    lists: BTreeMap<String, Vec<Match>>,
}

/// An identity, read once.
#[derive(Clone, Debug)]
struct Known {
    component: Component,
    subject: Subject,
    asked: Asked,
}

impl Matcher {
    /// A matcher over these advisories, without any identity yet.
    pub fn new(advisories: Advisories) -> Self {
        Self { advisories, ..Self::default() }
    }

    /// The advisories in force.
    pub const fn advisories(&self) -> &Advisories {
        &self.advisories
    }

    /// Takes identities in, under the caller's numbers; one that is there already is replaced.
    /// Returns how the lists changed, by flaw.
    pub fn add(
        &mut self,
        identities: impl IntoIterator<Item = (u32, Component)>,
    ) -> BTreeMap<String, Delta> {
        let mut deltas = BTreeMap::new();
        for (number, component) in identities {
            self.drop_identity(number, &mut deltas);
            let subject = Subject::of(&component);
            let asked = subject.asked();
            let known = Known { component, subject, asked };
            for group in self.advisories.groups_for(&known.subject) {
                if let Some(found) = match_one(group, number, &known) {
                    let list = self.lists.entry(group.id.clone()).or_default();
                    let at = list.partition_point(|it| it.identity < number);
                    list.insert(at, found);
                    deltas
                        .entry(group.id.clone())
                        .or_insert_with(Delta::default)
                        .joined
                        .push(found);
                }
            }
            match known.subject.reach {
                Reach::Package => {
                    let package = without_release(&known.subject.package);
                    self.by_package.entry(package).or_default().insert(number);
                }
                _ => {
                    let name = known.subject.package.name.clone();
                    self.by_bare_name.entry(name).or_default().insert(number);
                }
            }
            self.identities.insert(number, known);
        }
        deltas.retain(|_, delta: &mut Delta| !delta.settle());
        deltas
    }

    /// Forgets identities that no inventory holds any more.
    pub fn remove(&mut self, numbers: impl IntoIterator<Item = u32>) -> BTreeMap<String, Delta> {
        let mut deltas = BTreeMap::new();
        for number in numbers {
            self.drop_identity(number, &mut deltas);
        }
        deltas
    }

    /// Takes changed records in and matches again what they say differently. Returns every flaw
    /// that moved, with how its list changed: nothing when only prose, signals or ids did.
    pub fn apply(&mut self, changes: Vec<Change>) -> BTreeMap<String, Delta> {
        let Moved { groups } = self.advisories.apply(changes);
        let mut deltas = BTreeMap::new();
        for (id, packages) in groups {
            let touched = self.identities_of(&packages);
            let before = self.lists.remove(&id).unwrap_or_default();
            let (mut after, old): (Vec<_>, Vec<_>) =
                before.into_iter().partition(|it| !touched.contains(&it.identity));
            let group = self.advisories.group_by_key(&id);
            let fresh: Vec<_> = group.map(|it| self.match_all(it, &touched)).unwrap_or_default();
            after.extend(&fresh);
            after.sort_unstable();
            if !after.is_empty() {
                self.lists.insert(id.clone(), after);
            }
            let mut delta = Delta { joined: fresh, left: old };
            delta.settle();
            deltas.insert(id, delta);
        }
        deltas
    }

    /// The matches of a flaw, by the id under which it is shown; sorted by identity.
    pub fn matches(&self, id: &str) -> &[Match] {
        self.lists.get(id).map_or(&[], Vec::as_slice)
    }

    /// Every list that is not empty, by the id of its flaw.
    pub fn lists(&self) -> impl Iterator<Item = (&str, &[Match])> {
        self.lists.iter().map(|(id, list)| (id.as_str(), list.as_slice()))
    }

    /// The lists as a full match gives them, from nothing but the advisories and the identities.
    pub fn full(&self) -> BTreeMap<String, Vec<Match>> {
        let mut lists = BTreeMap::new();
        for group in self.advisories.groups() {
            let packages: BTreeSet<_> = group.packages().iter().map(without_release).collect();
            let list = self.match_all(group, &self.identities_of(&packages));
            if !list.is_empty() {
                lists.insert(group.id.clone(), list);
            }
        }
        lists
    }

    /// Puts the result of a full match in place; `false` when it differs from what was there, which
    /// is a bug of the incremental path.
    pub fn rematch(&mut self) -> bool {
        let full = self.full();
        let is_same = full == self.lists;
        self.lists = full;
        is_same
    }

    /// SHA-256 over all lists: equal digests prove equal lists.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for (id, list) in &self.lists {
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id);
            hash.update((list.len() as u64).to_le_bytes());
            for Match { identity, stand, is_mitigated, is_disputed } in list {
                hash.update(identity.to_le_bytes());
                hash.update([u8::from(*is_mitigated), u8::from(*is_disputed)]);
                hash.update(stand.as_str());
                if let Stand::Unknown(why) = stand {
                    hash.update(why.as_str());
                }
            }
        }
        Digest(hash.finalize().into())
    }

    /// The identities that may be any of these packages, which have no release.
    fn identities_of(&self, packages: &BTreeSet<PackageName>) -> BTreeSet<u32> {
        let mut found = BTreeSet::new();
        for package in packages {
            found.extend(self.by_package.get(package).into_iter().flatten());
            let bare = self.by_bare_name.get(bare_name(package)).into_iter().flatten();
            found.extend(bare.filter(|number| self.may_be(**number, &package.ecosystem)));
        }
        found
    }

    fn may_be(&self, number: u32, ecosystem: &Ecosystem) -> bool {
        self.identities.get(&number).is_some_and(|it| it.subject.reach.covers(ecosystem))
    }

    fn match_all(&self, group: &Group, numbers: &BTreeSet<u32>) -> Vec<Match> {
        let known =
            numbers.iter().filter_map(|number| Some((*number, self.identities.get(number)?)));
        known.filter_map(|(number, known)| match_one(group, number, known)).collect()
    }

    fn drop_identity(&mut self, number: u32, deltas: &mut BTreeMap<String, Delta>) {
        let Some(known) = self.identities.remove(&number) else { return };
        for group in self.advisories.groups_for(&known.subject) {
            let Some(list) = self.lists.get_mut(&group.id) else { continue };
            if let Ok(at) = list.binary_search_by_key(&number, |it| it.identity) {
                let gone = list.remove(at);
                deltas.entry(group.id.clone()).or_default().left.push(gone);
            }
            if list.is_empty() {
                self.lists.remove(&group.id);
            }
        }
        let package = without_release(&known.subject.package);
        if let Some(numbers) = self.by_package.get_mut(&package) {
            numbers.remove(&number);
        }
        if let Some(numbers) = self.by_bare_name.get_mut(&package.name) {
            numbers.remove(&number);
        }
    }
}

impl Delta {
    /// What left and joined unchanged did not move. Returns whether nothing is left of it.
    fn settle(&mut self) -> bool {
        let left: BTreeSet<_> = self.left.iter().copied().collect();
        let joined: BTreeSet<_> = self.joined.iter().copied().collect();
        self.left = left.difference(&joined).copied().collect();
        self.joined = joined.difference(&left).copied().collect();
        self.left.is_empty() && self.joined.is_empty()
    }
}

/// What a group says of one identity; `None` when it is not affected and nobody says otherwise.
fn match_one(group: &Group, number: u32, known: &Known) -> Option<Match> {
    let Known { component, subject, asked } = known;
    if bracket::is_open(component) {
        return match_open(group, number, component);
    }
    let Verdict { stand, is_mitigated, is_disputed, by_precedence } =
        group.verdict(subject, asked, component);
    let counts = stand != Stand::NotAffected || by_precedence;
    counts.then_some(Match { identity: number, stand, is_mitigated, is_disputed })
}

/// An identity whose bytes leave several versions open.
fn match_open(group: &Group, number: u32, component: &Component) -> Option<Match> {
    let judgement = group.judgement(component);
    let state = group.judge(component).map(|finding| finding.state);
    let by_precedence = judgement.has(crate::opinion::Flag::ByPrecedence);
    let stand = judgement.stand();
    (stand != Stand::NotAffected || by_precedence).then(|| Match {
        identity: number,
        stand,
        is_mitigated: state == Some(FindingState::Mitigated),
        is_disputed: judgement.has(crate::opinion::Flag::SourcesDisagree),
    })
}
