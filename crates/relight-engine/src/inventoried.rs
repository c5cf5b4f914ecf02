//! Index, advisories and the match list between them, kept in step.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use relight_formats::advisory;
use relight_match::{
    Advisories, Change, Identities, Matcher, Policy, Question, UNREAD, linked_ids, normal_id,
};
use relight_model::{Advisory, AssetId, Signal, Timestamp, is_cve};
use relight_store::{Index, Store, StoreError, StoredAdvisory};
use roaring::RoaringBitmap;

use crate::enclosed;
use crate::error::EngineError;
use crate::exhibits::Exhibited;
use crate::replay;
use crate::spoken::all_spoken;
use crate::trust::policy_of;

/// What is installed where, what is bad, and which of the one is the other.
pub(crate) struct Inventoried {
    index: Index,
    matcher: Matcher,
    /// Identities of the index below this number are in the matcher.
    matched: u32,
    /// Number of the newest record of the advisories that was read.
    advisory_seq: u64,
    /// Flaws whose matches moved since somebody asked; `None` when that is not known.
    moved: Option<BTreeSet<String>>,
    answered: Mutex<Answered>,
}

/// How the names of catalogues of exploited flaws begin, as sources.
pub(crate) const CATALOGUES: &str = "kev/";

/// Most answers of each kind that are kept.
const ANSWERS_MAX: usize = 131_072;

/// Most questions about files of which is kept what inventories say: each keeps it by inventory.
const EXHIBITED_MAX: usize = 1_024;

/// Answers since the last change of what they rest on.
#[derive(Debug, Default)]
struct Answered {
    /// By the id under which a flaw is shown.
    flaws: HashMap<String, Arc<FoundSites>>,
    /// By an id that means several flaws: an erratum of a kernel means hundreds.
    bulletins: HashMap<String, Arc<FoundSites>>,
    /// What inventories say about the files that a question means, and whether that is current.
    exhibited: HashMap<String, (Arc<Exhibited>, bool)>,
}

impl Answered {
    fn clear(&mut self) {
        self.flaws.clear();
        self.bulletins.clear();
        self.look_again();
    }

    /// What was seen of files may be otherwise now; what was read of an inventory is not.
    fn look_again(&mut self) {
        self.exhibited.values_mut().for_each(|(_, is_current)| *is_current = false);
    }

    /// The matches of these flaws moved; which bulletins name them is not kept.
    fn forget<'a>(&mut self, moved: impl Iterator<Item = &'a String>) {
        moved.for_each(|flaw| drop(self.flaws.remove(flaw)));
        self.bulletins.clear();
        self.look_again();
    }
}

/// The sites where an advisory finds something, as numbers of sites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundSites {
    /// Affected for certain, mitigated ones included.
    pub affected: RoaringBitmap,
    /// Perhaps affected; without those that are for certain.
    pub possible: RoaringBitmap,
}

impl Inventoried {
    /// What stands in for it until it is read; nobody is let near it.
    pub(crate) fn unread() -> Self {
        let (index, identities) = (Index::default(), Identities::default());
        let matcher = Matcher::full_of(Advisories::default(), identities);
        let answered = Mutex::default();
        Self { index, matcher, matched: 0, advisory_seq: 0, moved: None, answered }
    }

    /// Reads everything.
    pub(crate) fn read(store: &Store) -> Result<Self, EngineError> {
        let advisory_seq = store.advisory_seq()?;
        // Before the index, which keeps the database for as long as it is built.
        let (stored, policy) = (store.advisories()?, policy_of(store)?);
        let (advisories, inventory) = thread::scope(|scope| {
            let advisories = scope.spawn(|| advisories_among(stored, policy));
            let index = Index::build(store).map(|index| {
                let identities = index.identities_from(0).map(|(id, it)| (id.0, Arc::clone(it)));
                let identities = Identities::read(identities);
                (index, identities)
            });
            // A thread that panicked found a bug of ours: it goes on in this one.
            (advisories.join().unwrap_or_else(|panic| resume_unwind(panic)), index)
        });
        let (index, identities) = inventory?;
        let matched = identities.end();
        let matcher = Matcher::full_of(advisories, identities);
        let answered = Mutex::default();
        Ok(Self { index, matcher, matched, advisory_seq, moved: None, answered })
    }

    /// The index.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The advisories in force.
    pub(crate) const fn advisories(&self) -> &Advisories {
        self.matcher.advisories()
    }

    /// Reads the inventories of these assets again.
    pub(crate) fn refresh(&mut self, store: &Store, assets: &[AssetId]) -> Result<(), EngineError> {
        self.answered().clear();
        self.index.refresh(store, assets)?;
        self.match_new();
        Ok(())
    }

    /// Reads the inventories again that somebody else changed.
    pub(crate) fn follow_inventories(&mut self, store: &Store) -> Result<(), EngineError> {
        // Even a look that failed may have changed the index.
        self.answered().clear();
        self.index.follow(store)?;
        self.match_new();
        Ok(())
    }

    /// Takes in the records that came since they were last read, and what the operator set since.
    pub(crate) fn follow(&mut self, store: &Store) -> Result<(), EngineError> {
        if policy_of(store)? != *self.advisories().policy() {
            return self.read_advisories(store);
        }
        let newest = store.advisory_seq()?;
        let mut changes = BTreeMap::new();
        for stored in store.advisories_since(self.advisory_seq)? {
            let record = read(&stored);
            let key = (record.source.clone(), record.id.clone());
            changes.entry(key).or_insert_with(Vec::new).push(record);
        }
        let changes = changes.into_iter().map(|((source, id), now)| Change { source, id, now });
        let moved = self.matcher.apply(changes.collect());
        self.answered().forget(moved.keys());
        if let Some(all) = &mut self.moved {
            all.extend(moved.into_keys());
        }
        self.advisory_seq = newest;
        Ok(())
    }

    /// Reads all advisories, because the operator set something else about their sources: any
    /// answer may be another one.
    fn read_advisories(&mut self, store: &Store) -> Result<(), EngineError> {
        let newest = store.advisory_seq()?;
        let identities = self.index.identities_from(0).map(|(id, it)| (id.0, Arc::clone(it)));
        let fresh = Matcher::full_of(advisories_of(store)?, Identities::read(identities));
        let before = std::mem::replace(&mut self.matcher, fresh);
        self.answered().clear();
        let flaws = &flaws_of(&before) | &flaws_of(&self.matcher);
        let moved = flaws.into_iter().filter(|flaw| {
            let revision = |of: &Matcher| of.advisories().group(flaw).map(|it| it.revision());
            before.matches(flaw) != self.matcher.matches(flaw)
                || revision(&before) != revision(&self.matcher)
        });
        let moved: Vec<String> = moved.map(ToOwned::to_owned).collect();
        if let Some(all) = &mut self.moved {
            all.extend(moved);
        }
        self.advisory_seq = newest;
        Ok(())
    }

    /// The flaws whose matches moved since the last call; `None` when it is not known, because
    /// everything was read anew or [`Inventoried::forget_moved`] was called.
    pub(crate) fn take_moved(&mut self) -> Option<BTreeSet<String>> {
        self.moved.replace(BTreeSet::new())
    }

    /// What moved could not be told: the next one who asks has to compare everything.
    pub(crate) fn forget_moved(&mut self) {
        self.moved = None;
    }

    /// The sites where any of the flaws of an id finds something: one flaw, or those of a
    /// bulletin.
    pub(crate) fn found(&self, store: &Store, id: &str) -> Arc<FoundSites> {
        let mut groups = self.advisories().groups_of(id);
        match (groups.next(), groups.next()) {
            (None, _) => Arc::default(),
            (Some(one), None) => self.found_of(store, &one.id),
            (Some(_), Some(_)) => self.found_of_several(store, id),
        }
    }

    /// What inventories say about the files that a question means; `None` when it means none.
    pub(crate) fn exhibited(&self, store: &Store, question: &Question) -> Option<Arc<Exhibited>> {
        let exhibits = question.exhibits(self.advisories());
        if exhibits.is_empty() {
            return None;
        }
        // One advisory is asked about under any spelling of its id.
        let key = match question {
            Question::Advisory(id) => normal_id(id),
            other => other.to_string(),
        };
        let known = self.answered().exhibited.get(&key).cloned();
        let before = match known {
            Some((known, true)) => return Some(known),
            Some((known, false)) => known,
            None => Arc::default(),
        };
        match Exhibited::look(store, &self.index, &exhibits, &before) {
            Ok(looked) => {
                let looked = Arc::new(looked);
                let mut answered = self.answered();
                if answered.exhibited.len() < EXHIBITED_MAX {
                    answered.exhibited.insert(key, (Arc::clone(&looked), true));
                }
                Some(looked)
            }
            // The next one who asks looks again; until then what was found stands.
            Err(_) => Some(Arc::new(before.unsure())),
        }
    }

    /// The flaws that may mean some site: those with matches, and those of which files are known.
    pub(crate) fn flaws(&self) -> BTreeSet<&str> {
        flaws_of(&self.matcher)
    }

    /// As [`Inventoried::found`] for one flaw, by the id under which it is shown.
    fn found_of(&self, store: &Store, group: &str) -> Arc<FoundSites> {
        if let Some(known) = self.answered().flaws.get(group) {
            return Arc::clone(known);
        }
        let (found, is_whole) = self.find(store, group);
        let found = Arc::new(found);
        if is_whole {
            keep(&mut self.answered().flaws, group, &found);
        }
        found
    }

    fn found_of_several(&self, store: &Store, id: &str) -> Arc<FoundSites> {
        if let Some(known) = self.answered().bulletins.get(id) {
            return Arc::clone(known);
        }
        let (mut affected, mut possible) = (Marks::default(), Marks::default());
        for group in self.advisories().groups_of(id) {
            let found = self.found_of(store, &group.id);
            affected.add(&found.affected);
            possible.add(&found.possible);
        }
        let (affected, possible) = (affected.sites(), possible.sites());
        let found = Arc::new(FoundSites { possible: possible - &affected, affected });
        let mut answered = self.answered();
        let mut groups = self.advisories().groups_of(id);
        if groups.all(|group| answered.flaws.contains_key(&group.id)) {
            keep(&mut answered.bulletins, id, &found);
        }
        found
    }

    /// Where a flaw finds something, and whether everything could be looked at.
    fn find(&self, store: &Store, group: &str) -> (FoundSites, bool) {
        let (mut affected, mut possible) = (Vec::new(), Vec::new());
        let question = Question::Advisory(group.to_owned());
        let apart = self.find_in_images(group, &question);
        for matched in self.matcher.matches(group) {
            let number = relight_store::IdentityId(matched.identity);
            let Some(assets) = self.index.assets_with(number) else { continue };
            let assets = match &apart {
                None => Cow::Borrowed(assets),
                Some((images, _)) => Cow::Owned(assets - images),
            };
            match matched.state() {
                Some(state) if state.is_affected() => affected.push(assets),
                Some(_) => possible.push(assets),
                None => {}
            }
        }
        if let Some((_, found)) = apart {
            affected.push(Cow::Owned(found.affected));
            possible.push(Cow::Owned(found.possible));
        }
        let exhibited = self.exhibited(store, &question);
        let is_whole = exhibited.as_ref().is_none_or(|it| !it.is_unsure());
        affected.extend(exhibited.map(|it| Cow::Owned(it.assets())));
        let affected = self.index.sites_of_all(affected.iter().map(AsRef::as_ref));
        let possible = self.index.sites_of_all(possible.iter().map(AsRef::as_ref)) - &affected;
        (FoundSites { affected, possible }, is_whole)
    }

    /// The assets that are images of which a supplier speaks, and those of them where the flaw is;
    /// `None` when there are none.
    fn find_in_images(
        &self,
        group: &str,
        question: &Question,
    ) -> Option<(RoaringBitmap, FoundSites)> {
        let images = enclosed::images(question, self.advisories(), &self.index);
        if images.is_empty() {
            return None;
        }
        let meant = enclosed::meant(group, self.advisories(), &self.index);
        let (mut assets, mut found) = (RoaringBitmap::new(), FoundSites::default());
        for (asset, enclosure) in images {
            assets.insert(asset.0);
            let held = enclosed::held_by(asset, &meant, &self.index);
            let judged = held.filter_map(|(_, component)| {
                question.judge_in(self.advisories(), component, &enclosure)
            });
            // The enum of states is in the order of certainty.
            match judged.map(|it| it.state).min() {
                Some(state) if state.is_affected() => found.affected.insert(asset.0),
                Some(_) => found.possible.insert(asset.0),
                None => false,
            };
        }
        Some((assets, found))
    }

    /// A thread that panicked cannot have left an answer half-written.
    fn answered(&self) -> MutexGuard<'_, Answered> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`crate::Engine::rematch`].
    pub(crate) fn rematch(&mut self, now: Timestamp) -> Vec<String> {
        let differences = self.matcher.differences();
        if !differences.is_empty() {
            self.answered().clear();
            self.moved = None;
        }
        replay::lines(&differences, self.advisories(), &self.index, now)
    }

    /// As [`crate::Engine::rows`].
    pub(crate) fn rows(&self) -> u64 {
        let holders =
            self.index.identities_from(0).filter_map(|(id, _)| self.index.assets_with(id));
        holders.map(RoaringBitmap::len).sum()
    }

    /// As [`crate::Engine::matched_rows`].
    pub(crate) fn matched_rows(&self) -> u64 {
        let matched: BTreeSet<u32> =
            self.matcher.lists().flat_map(|(_, list)| list).map(|it| it.identity).collect();
        let holders = matched.into_iter().map(relight_store::IdentityId);
        holders.filter_map(|id| self.index.assets_with(id)).map(RoaringBitmap::len).sum()
    }

    /// Gives the matcher the identities that are new in the index. One that nobody holds any more
    /// stays in it: its posting is empty, and its number may come back.
    fn match_new(&mut self) {
        let new = self.index.identities_from(self.matched);
        let new: Vec<_> = new.map(|(id, component)| (id.0, Arc::clone(component))).collect();
        self.matched = new.last().map_or(self.matched, |(number, _)| number + 1);
        self.matcher.add(new);
    }
}

/// As [`Inventoried::flaws`].
fn flaws_of(matcher: &Matcher) -> BTreeSet<&str> {
    let of_files = matcher.advisories().groups().filter(|group| !group.exhibits().is_empty());
    let of_files = of_files.map(|group| group.id.as_str());
    matcher.lists().map(|(id, _)| id).chain(of_files).collect()
}

/// Keeps an answer, as long as there is room.
fn keep(answers: &mut HashMap<String, Arc<FoundSites>>, id: &str, found: &Arc<FoundSites>) {
    if answers.len() < ANSWERS_MAX {
        answers.insert(id.to_owned(), Arc::clone(found));
    }
}

/// Sites, one bit each: hundreds of sets are united without looking at what is there already.
#[derive(Default)]
struct Marks(Vec<u64>);

impl Marks {
    fn add(&mut self, sites: &RoaringBitmap) {
        let Some(last) = sites.max() else { return };
        let words = last as usize / 64 + 1;
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
        for site in sites {
            self.0[site as usize / 64] |= 1 << (site % 64);
        }
    }

    fn sites(&self) -> RoaringBitmap {
        let each = (0_u32..).step_by(64).zip(&self.0).flat_map(|(first, word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| first + bit)
        });
        RoaringBitmap::from_sorted_iter(each).unwrap_or_default()
    }
}

/// The advisories of the store, and those that relight ships where the store has no newer record.
///
/// # Errors
/// The store cannot be read.
pub fn advisories_of(store: &Store) -> Result<Advisories, StoreError> {
    Ok(advisories_among(store.advisories()?, policy_of(store)?))
}

/// These advisories, and those that relight ships.
fn advisories_among(stored: Vec<StoredAdvisory>, policy: Policy) -> Advisories {
    let mut records = advisory::builtin_advisories();
    records.extend(read_all(stored));
    Advisories::with_policy(records, policy)
}

/// Threads that read advisories.
const THREADS_MAX: usize = 16;

/// Most flaws of which a record that cannot be read is taken to speak.
const UNREAD_IDS_MAX: usize = 1_024;

/// Advisories that a thread takes at one time.
const AT_A_TIME: usize = 64;

/// Advisories, read on all cores; each document is given back as soon as it is read.
pub(crate) fn read_all(stored: Vec<StoredAdvisory>) -> Vec<Advisory> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let waiting = Mutex::new(stored.into_iter());
    let take = || {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.by_ref().take(AT_A_TIME).collect::<Vec<_>>()
    };
    // From a common pile: those of one distribution, which stand together, cost ten others.
    let work = || {
        let mut read_here = Vec::new();
        loop {
            let some = take();
            if some.is_empty() {
                return read_here;
            }
            read_here.extend(some.into_iter().map(|it| read(&it)));
        }
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = all.into_iter().map(|it| it.join().unwrap_or_else(|e| resume_unwind(e)));
        done.flatten().collect()
    })
}

/// Most ids whose records are looked for without reading everything.
const ABOUT_IDS_MAX: usize = 1_000;

/// As [`advisories_of`], of what is about these ids: their groups are the same as among all. Costs
/// a look at each document, and parses only those that hold one of the ids.
///
/// # Errors
/// The store cannot be read.
pub fn advisories_about(store: &Store, ids: &[String]) -> Result<Advisories, StoreError> {
    let policy = policy_of(store)?;
    let builtin = advisory::builtin_advisories();
    let mut wanted: BTreeSet<String> = ids.iter().map(|id| normal_id(id)).collect();
    while wanted.len() <= ABOUT_IDS_MAX {
        let names: Vec<String> = wanted.iter().cloned().collect();
        let stored = store.advisories_holding(&names)?;
        let mut records: Vec<Advisory> = builtin.clone();
        records.extend(stored.iter().map(read));
        let before = wanted.len();
        // Records that tie a wanted id to others, and those to more.
        for record in &records {
            let linked = linked_ids(record, &policy);
            let folded = |id: &String| wanted.iter().any(|it| it.eq_ignore_ascii_case(id));
            if linked.iter().any(folded) {
                wanted.extend(linked);
            }
        }
        if wanted.len() == before {
            let spoken = all_spoken(store, &policy)?;
            return Ok(Advisories::with_policy(records, policy).among(spoken));
        }
    }
    advisories_of(store)
}

/// What a record says. One that was read once and cannot be read now, because the program is
/// another one, stays as what it is: unread.
fn read(stored: &StoredAdvisory) -> Advisory {
    let StoredAdvisory { source, id, bytes, .. } = stored;
    let mut record = advisory::read_kept(source, id, bytes).unwrap_or_else(|| unread(stored));
    if !source.starts_with(CATALOGUES) {
        record.withdrawn = record.withdrawn.or(stored.ended);
        return record;
    }
    // Who left a catalogue of what is exploited is no flaw less, and was exploited once.
    for signal in &mut record.signals {
        if let Signal::Kev { removed, .. } = signal {
            *removed = removed.or(stored.ended);
        }
    }
    record
}

/// A record of which nothing is known but its name, and the flaws that its text mentions.
fn unread(stored: &StoredAdvisory) -> Advisory {
    let text = String::from_utf8_lossy(&stored.bytes);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let is_ghsa = |word: &str| word.starts_with("GHSA-") && word.split('-').count() == 4;
    // Told apart before they are bounded: a bulletin names each of its flaws again and again.
    let distinct = |is_id: &dyn Fn(&str) -> bool| -> BTreeSet<&str> {
        let all: BTreeSet<&str> = words.clone().filter(|word| is_id(word)).collect();
        all.into_iter().take(UNREAD_IDS_MAX).collect()
    };
    let (cves, ghsas) = (distinct(&is_cve), distinct(&is_ghsa));
    let named = match () {
        // Its own id says which flaw it is about; others it may only mention.
        () if is_cve(&stored.id) => BTreeSet::new(),
        // Two flaws without a CVE would become one by it.
        () if cves.is_empty() && ghsas.len() == 1 => ghsas,
        () => cves,
    };
    // A catalogue of what is exploited names no package: nothing is missing without it.
    let is_opinion = !stored.source.starts_with(CATALOGUES);
    Advisory {
        source: stored.source.clone(),
        id: stored.id.clone(),
        revision: stored.revision,
        aliases: named.into_iter().filter(|it| *it != stored.id).map(str::to_owned).collect(),
        status: if is_opinion { UNREAD.to_owned() } else { String::new() },
        ..Advisory::default()
    }
}
