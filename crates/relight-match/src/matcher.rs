//! The match list: for each flaw the identities of the register that it means, kept current.
//!
//! Work follows the change: a changed record costs the packages about which it says something else
//! and the identities of those packages; a new inventory costs its new identities. A full match
//! gives the same list, and is run to prove it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use relight_model::{Component, Digest, FindingState, PackageName};
use sha2::{Digest as _, Sha256};

use crate::advisories::{Advisories, Change, Moved, without_release};
use crate::bracket;
use crate::entry::{Asked, Entry};
use crate::group::Group;
use crate::heard::{Verdict, at_a_glance};
use crate::key::Start;
use crate::loose::bare_key_into;
use crate::opinion::{Flag, Stand};
use crate::package::{Reach, ReleaseTag, Source, Subject};
use crate::spread::spread;
use crate::standing::Standing;

mod difference;

pub use self::difference::Difference;

/// Threads of a full match.
const THREADS_MAX: usize = 16;

/// One identity that a flaw means, or that only precedence or a statement clears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Match {
    /// The caller's number of the identity.
    pub identity: u32,
    /// Affected, unknown, or not affected by precedence or by a statement.
    pub stand: Stand,
    /// A class that the flaw needs was removed.
    pub is_mitigated: bool,
    /// A source that counts says something else.
    pub is_disputed: bool,
    /// The statement of a supplier decided.
    pub by_statement: bool,
}

impl Match {
    /// `None` when nothing is to be kept.
    fn of(identity: u32, verdict: Verdict) -> Option<Self> {
        let Verdict { stand, is_mitigated, is_disputed, by_precedence, by_statement } = verdict;
        let counts = stand != Stand::NotAffected || by_precedence || by_statement;
        counts.then_some(Self { identity, stand, is_mitigated, is_disputed, by_statement })
    }

    /// The state of its finding; `None` when it is cleared.
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
    identities: HashMap<u32, Arc<Known>>,
    by_package: HashMap<PackageName, Vec<Holder>>,
    /// Identities of which only a part of the name is known, by the key of that.
    by_bare_name: HashMap<String, Vec<Holder>>,
    lists: BTreeMap<String, Vec<Match>>,
}

/// An identity, read once.
#[derive(Clone, Debug)]
struct Known {
    number: u32,
    component: Arc<Component>,
    subject: Subject,
    asked: Asked,
}

impl Known {
    fn new(number: u32, component: Arc<Component>) -> Self {
        let subject = Subject::of(&component);
        let asked = subject.asked();
        Self { number, component, subject, asked }
    }

    /// The packages that it is: itself, and its source where records name the one or the other.
    fn halves(&self) -> impl Iterator<Item = (&Subject, &Asked)> {
        let source = self.subject.source.as_deref();
        let source = source.map(|Source { subject, asked }| (subject, asked));
        [(&self.subject, &self.asked)].into_iter().chain(source)
    }
}

/// Identities that were read and are to be matched: it needs no advisories, so that both can be
/// read at the same time.
#[derive(Debug, Default)]
pub struct Identities(Vec<Arc<Known>>);

impl Identities {
    /// Reads identities, each under the caller's number, on all cores.
    pub fn read(identities: impl IntoIterator<Item = (u32, Arc<Component>)>) -> Self {
        Self(spread(identities.into_iter().collect(), |(number, component)| {
            Arc::new(Known::new(number, component))
        }))
    }

    /// The number after the last one; 0 when there is none.
    pub fn end(&self) -> u32 {
        self.0.iter().map(|known| known.number + 1).max().unwrap_or(0)
    }
}

/// An identity in the list of its package, with what most often says that an entry is not about
/// it: a full match reads these lists from one end to the other, and whatever lies elsewhere in
/// memory costs more than all comparisons.
#[derive(Clone, Debug)]
struct Holder {
    known: Arc<Known>,
    /// Its release, where that alone decides.
    release: Option<ReleaseTag>,
    /// The first bytes of its key, where they can show that nothing is said of it but "not
    /// affected".
    start: Option<Start>,
    /// Its release, where its start and that are all that counts.
    simple: Option<Option<ReleaseTag>>,
    /// It stands in the list of another package as well, as what it is built from or as itself.
    is_half: bool,
    number: u32,
}

impl Holder {
    /// As the package that `subject` is: itself, or its source.
    fn new(known: &Arc<Known>, subject: &Subject, asked: &Asked) -> Self {
        let component = &known.component;
        let is_half = known.subject.source.is_some();
        let is_plain =
            subject.reach == Reach::Package && !subject.is_backport && !bracket::is_open(component);
        let release = is_plain.then(|| ReleaseTag::of(&subject.package));
        // Another epoch would be another start.
        let is_ordered = is_plain && !subject.epoch_may_be_missing && subject.build.is_none();
        let start = asked.start().filter(|_| is_ordered);
        let has_release = subject.package.release.is_some();
        let is_simple = start.is_some()
            && subject.standing == Standing::Counts
            && subject.arch.is_none()
            && !subject.is_modular()
            && component.removed.is_empty()
            && component.owned_by.is_none()
            && release.is_some_and(|tag| tag.is_known() == has_release);
        let simple = is_simple.then(|| release.filter(|_| has_release));
        Self { known: Arc::clone(known), release, start, simple, is_half, number: known.number }
    }

    /// What a group without statements says of it. Where nothing that counts is said of one of its
    /// two names, whatever is said of the other is found in the list of that.
    fn matched(&self, group: &Group, entries: &[Arc<Entry>]) -> Option<Match> {
        let glance = self.simple.zip(self.start.as_ref());
        match glance.and_then(|(release, start)| at_a_glance(entries, start, release)) {
            Some(verdict) => {
                let found = Match::of(self.number, verdict)?;
                if self.is_half { match_one(group, entries, &self.known) } else { Some(found) }
            }
            None if self.is_outside(entries) => None,
            None => match_one(group, entries, &self.known),
        }
    }

    /// Whether each of these entries is about another release than its own, or says that it is not
    /// affected: then a group without statements says nothing of it that counts.
    fn is_outside(&self, entries: &[Arc<Entry>]) -> bool {
        entries.iter().all(|it| {
            self.release.is_some_and(|own| it.release.differs(own))
                || self.start.as_ref().is_some_and(|start| it.clears(start))
        })
    }
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

    /// A matcher over these advisories and identities, by one full match: for a start, where
    /// following each identity would cost more than all of them together.
    pub fn full_of(advisories: Advisories, identities: Identities) -> Self {
        let mut matcher = Self::new(advisories);
        for known in identities.0 {
            matcher.keep(known);
        }
        let lists = matcher.by_package.values_mut().chain(matcher.by_bare_name.values_mut());
        lists.for_each(Vec::shrink_to_fit);
        matcher.lists = matcher.full();
        matcher
    }

    /// Keeps an identity that is not there yet, and matches nothing.
    fn keep(&mut self, known: Arc<Known>) -> Arc<Known> {
        for (subject, asked) in known.halves() {
            let of_name = match &subject.loose {
                None => self.by_package.entry(without_release(&subject.package)).or_default(),
                Some(loose) => self.by_bare_name.entry(loose.bare.clone()).or_default(),
            };
            of_name.push(Holder::new(&known, subject, asked));
        }
        self.identities.insert(known.number, Arc::clone(&known));
        known
    }

    /// Takes identities in, under the caller's numbers; one that is there already is replaced.
    /// Returns how the lists changed, by flaw.
    pub fn add(
        &mut self,
        identities: impl IntoIterator<Item = (u32, impl Into<Arc<Component>>)>,
    ) -> BTreeMap<String, Delta> {
        let mut deltas = BTreeMap::new();
        for (number, component) in identities {
            self.drop_identity(number, &mut deltas);
            let known = self.keep(Arc::new(Known::new(number, component.into())));
            for group in self.advisories.groups_for(&known.subject) {
                let entries = group.entries_of(&known.subject.package);
                if let Some(found) = match_one(group, entries, &known) {
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
            let before = self.lists.remove(&id).unwrap_or_default();
            let group = self.advisories.group_by_key(&id);
            let is_moved = |package: &PackageName| packages.contains(package);
            let fresh = group.map(|it| self.match_all(it, is_moved, false)).unwrap_or_default();
            let mut key = String::new();
            let mut touched = BTreeSet::new();
            for package in &packages {
                touched.extend(self.holders(package, &mut key).map(|it| it.known.number));
            }
            let (mut after, old): (Vec<_>, Vec<_>) =
                before.into_iter().partition(|it| !touched.contains(&it.identity));
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

    /// The lists as a full match gives them, from nothing but the advisories and the identities;
    /// on all cores, with the same result on any number of them.
    pub fn full(&self) -> BTreeMap<String, Vec<Match>> {
        let groups: Vec<&Group> = self.advisories.groups().collect();
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
        let next = AtomicUsize::new(0);
        // One flaw after the other from a common pile: those of kernels cost a thousand others.
        let work = || {
            let mut lists = Vec::new();
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                let mut list = self.match_all(group, |_| true, true);
                if !list.is_empty() {
                    list.shrink_to_fit();
                    lists.push((group.id.clone(), list));
                }
            }
            lists
        };
        let parts: Vec<_> = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut parts = vec![work()];
            // A thread that panicked found a bug of ours: it goes on in this one.
            parts.extend(
                others.into_iter().map(|it| it.join().unwrap_or_else(|e| resume_unwind(e))),
            );
            parts
        });
        parts.into_iter().flatten().collect()
    }

    /// Puts the result of a full match in place; `false` when it differs from what was there, which
    /// is a bug of the incremental path.
    pub fn rematch(&mut self) -> bool {
        self.differences().is_empty()
    }

    /// As [`Matcher::rematch`], with what differed, by flaw.
    pub fn differences(&mut self) -> Vec<Difference> {
        let full = self.full();
        let pushed = std::mem::replace(&mut self.lists, full);
        difference::between(&pushed, &self.lists)
    }

    /// SHA-256 over all lists: equal digests prove equal lists.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        for (id, list) in &self.lists {
            hash.update((id.len() as u64).to_le_bytes());
            hash.update(id);
            hash.update((list.len() as u64).to_le_bytes());
            for Match { identity, stand, is_mitigated, is_disputed, by_statement } in list {
                hash.update(identity.to_le_bytes());
                let bits = [is_mitigated, is_disputed, by_statement].map(|it| u8::from(*it));
                hash.update(bits);
                hash.update(stand.as_str());
                if let Stand::Unknown(why) = stand {
                    hash.update(why.as_str());
                }
            }
        }
        Digest(hash.finalize().into())
    }

    /// The identities that are a package, or may be it.
    /// `key` is room for a name, so that not each of a million needs its own.
    fn holders<'a>(
        &'a self,
        package: &'a PackageName,
        key: &mut String,
    ) -> impl Iterator<Item = &'a Holder> + use<'a> {
        let named = self.by_package.get(package).into_iter().flatten();
        let bare = (!self.by_bare_name.is_empty()).then(|| {
            bare_key_into(&package.name, key);
            self.by_bare_name.get(key.as_str())
        });
        let bare = bare.flatten().into_iter().flatten();
        named.chain(bare.filter(|it| it.known.subject.has_name_of(package)))
    }

    /// The matches of a group among the identities of the packages that are wanted: of all, or of
    /// some, where what is said of the others counts for whoever is both.
    fn match_all(
        &self,
        group: &Group,
        is_wanted: impl Fn(&PackageName) -> bool,
        are_all: bool,
    ) -> Vec<Match> {
        let (mut list, mut key) = (Vec::new(), String::new());
        let is_open = group.has_statements();
        for (package, entries) in group.runs().filter(|(package, _)| is_wanted(package)) {
            let holders = self.holders(package, &mut key);
            list.extend(holders.filter_map(|it| match is_open || (it.is_half && !are_all) {
                true => match_one(group, entries, &it.known),
                false => it.matched(group, entries),
            }));
        }
        list.sort_unstable();
        // An identity that may be several packages is judged over all of them, once.
        list.dedup_by_key(|it| it.identity);
        list
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
        for (subject, _) in known.halves() {
            let of_name = match &subject.loose {
                None => self.by_package.get_mut(&without_release(&subject.package)),
                Some(loose) => self.by_bare_name.get_mut(&loose.bare),
            };
            if let Some(all) = of_name {
                all.retain(|it| it.known.number != number);
            }
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
fn match_one(group: &Group, entries: &[Arc<Entry>], known: &Known) -> Option<Match> {
    let Known { number, component, subject, asked } = known;
    let number = *number;
    if bracket::is_open(component) {
        return match_open(group, number, component);
    }
    Match::of(number, group.verdict(entries, subject, asked, component))
}

/// An identity whose bytes leave several versions open.
fn match_open(group: &Group, number: u32, component: &Component) -> Option<Match> {
    let judgement = group.judgement(component);
    let state = group.judge(component).map(|finding| finding.state);
    let by_precedence = judgement.has(Flag::ByPrecedence);
    let by_statement = judgement.has(Flag::ByStatement);
    let stand = judgement.stand();
    (stand != Stand::NotAffected || by_precedence || by_statement).then(|| Match {
        identity: number,
        stand,
        is_mitigated: state == Some(FindingState::Mitigated),
        is_disputed: judgement.has(Flag::SourcesDisagree),
        by_statement,
    })
}
