//! Every advisory that is known, as groups, with the two ways to them: by id and by package.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use relight_model::{Advisory, Component, Finding, PackageName};

use crate::alias::{self, Attachment, Members};
use crate::authority::Policy;
use crate::coverage::Coverage;
use crate::group::{Group, Member};
use crate::loose::bare_key;
use crate::package::Subject;
use crate::record::{self, RecordKey};
use crate::sorted;
use crate::spread::spread;
use crate::vex::{Enclosure, Statement};

/// All alias groups. Matching a component costs a lookup, not a walk over all groups; a changed
/// record costs the groups that it touches.
///
/// A kernel has thousands of flaws, and each names a hundred packages: whatever is kept for a flaw
/// and a package together is one address.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    policy: Policy,
    records: BTreeMap<Arc<RecordKey>, Vec<Member>>,
    /// Which records share an id, in whatever field it stands.
    links: HashMap<Box<str>, Vec<Arc<RecordKey>>>,
    /// Statements of suppliers, by the ids of the flaws as they name them.
    statements: HashMap<String, Vec<OfRecord>>,
    groups: BTreeMap<String, Arc<Group>>,
    /// Ids in upper case to groups; a bulletin belongs to several.
    by_id: HashMap<Box<str>, Vec<Arc<Group>>>,
    /// Each name once, whoever is about it.
    names: HashSet<Arc<PackageName>>,
    by_package: HashMap<Arc<PackageName>, Vec<Arc<Group>>>,
    by_bare_name: HashMap<Box<str>, Vec<Arc<PackageName>>>,
    pub(crate) coverage: Coverage,
}

/// A statement, and the record that holds it.
type OfRecord = (Arc<RecordKey>, Arc<Statement>);

/// Lists of groups are in the order of these.
fn id_of(group: &Arc<Group>) -> &str {
    &group.id
}

/// What one record of a source is from now on; no documents mean that it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The source.
    pub source: String,
    /// The source's own id.
    pub id: String,
    /// Its documents: one, or several when a snapshot holds the id twice with different bytes.
    pub now: Vec<Advisory>,
}

impl Change {
    /// A record that is new or has a new revision.
    pub fn put(advisory: Advisory) -> Self {
        let (source, id) = (advisory.source.clone(), advisory.id.clone());
        Self { source, id, now: vec![advisory] }
    }

    /// A record that is gone, from a source whose absence means that it was withdrawn.
    pub fn remove(source: &str, id: &str) -> Self {
        Self { source: source.to_owned(), id: id.to_owned(), now: Vec::new() }
    }
}

/// What a change moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Groups that are new, gone or different, each with the packages (without release) about
    /// which it says something else than before; none when only prose, signals or ids changed.
    pub groups: BTreeMap<String, BTreeSet<PackageName>>,
}

impl Advisories {
    /// Groups the records and prepares them; their order means nothing.
    pub fn new(records: Vec<Advisory>) -> Self {
        Self::with_policy(records, Policy::default())
    }

    /// As [`Self::new`], with what the operator has set about sources.
    pub fn with_policy(records: Vec<Advisory>, policy: Policy) -> Self {
        let mut all = Self { policy, ..Self::default() };
        let mut by_key: BTreeMap<RecordKey, Vec<Advisory>> = BTreeMap::new();
        for record in records {
            match by_key.entry(record::key(&record)) {
                Entry::Occupied(known) => known.into_mut().push(record),
                Entry::Vacant(new) => drop(new.insert(vec![record])),
            }
        }
        let prepared = spread(by_key.into_iter().collect(), |(key, documents)| {
            (key, members(documents, &all.policy))
        });
        for (key, members) in prepared {
            all.put_record(&Arc::new(key), members);
        }
        let keys: Vec<_> = all.records.keys().cloned().collect();
        for group in all.grouped(&keys) {
            all.insert(group);
        }
        all
    }

    /// What the operator has set about sources.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes changed records in. The result is the same as building everything again from the
    /// records as they are now; the cost follows the groups that the change touches.
    pub fn apply(&mut self, changes: Vec<Change>) -> Moved {
        let mut seeds = BTreeSet::new();
        for Change { source, id, now } in changes {
            let key = Arc::new(RecordKey { source, id });
            let now: Vec<_> = now.into_iter().map(|it| self.policy.as_it_counts(it)).collect();
            let before = self.records.get(&key).into_iter().flatten();
            if before.map(|member| member.record.as_ref()).eq(now.iter()) {
                continue;
            }
            seeds.extend(self.linked_ids(&key));
            self.put_record(&key, members(now, &self.policy));
            seeds.extend(self.linked_ids(&key));
            seeds.insert(alias::id(&key.id));
        }
        let (keys, ids) = self.connected(seeds);
        let fresh = self.grouped(&keys);
        self.replace(&ids, fresh)
    }

    /// The group with this id, of any kind and in any case; the first one for a bulletin about
    /// several CVEs, see [`Self::groups_of`].
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups_of(id).next()
    }

    /// Every group that an id belongs to: one, or several for a bulletin.
    pub fn groups_of(&self, id: &str) -> impl Iterator<Item = &Group> {
        let groups = self.by_id.get(id.trim().to_ascii_uppercase().as_str());
        groups.into_iter().flatten().map(AsRef::as_ref)
    }

    /// All groups, sorted by the id under which they are shown.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().map(AsRef::as_ref)
    }

    /// What all advisories say of a component, sorted by id; never anything that is clear.
    pub fn match_component(&self, component: &Component) -> Vec<Finding> {
        self.match_in(component, &Enclosure::default())
    }

    /// As [`Advisories::match_component`], of a component in what encloses it.
    pub fn match_in(&self, component: &Component, enclosure: &Enclosure) -> Vec<Finding> {
        let subject = Subject::of(component);
        let groups = self.groups_for(&subject).into_iter();
        groups.filter_map(|it| it.judge_subject(&subject, component, enclosure)).collect()
    }

    /// The groups that may say something about a subject, by id.
    pub(crate) fn groups_for(&self, subject: &Subject) -> Vec<&Group> {
        let mut groups = self.groups_naming(subject);
        if let Some(source) = &subject.source {
            groups.extend(self.groups_naming(&source.subject));
            groups.sort_by(|a, b| a.id.cmp(&b.id));
            groups.dedup_by(|a, b| a.id == b.id);
        }
        groups
    }

    fn groups_naming(&self, subject: &Subject) -> Vec<&Group> {
        let of = |package: &PackageName| self.by_package.get(package).into_iter().flatten();
        let Some(loose) = &subject.loose else {
            return of(&without_release(&subject.package)).map(AsRef::as_ref).collect();
        };
        let named = self.by_bare_name.get(loose.bare.as_str()).into_iter().flatten();
        let named = named.filter(|package| subject.has_name_of(package));
        let mut groups: Vec<&Group> = named.flat_map(|it| of(it)).map(AsRef::as_ref).collect();
        groups.sort_by(|a, b| a.id.cmp(&b.id));
        groups.dedup_by(|a, b| a.id == b.id);
        groups
    }

    /// The group that is shown under exactly this id.
    pub(crate) fn group_by_key(&self, key: &str) -> Option<&Group> {
        self.groups.get(key).map(AsRef::as_ref)
    }

    fn linked_ids(&self, key: &RecordKey) -> BTreeSet<String> {
        let records = self.records.get(key).into_iter().flatten();
        records.flat_map(|member| alias::links(&member.record, &self.policy)).collect()
    }

    /// Every record that is linked to these ids, directly or through others, and all their ids.
    fn connected(&self, seeds: BTreeSet<String>) -> (Vec<Arc<RecordKey>>, BTreeSet<String>) {
        let (mut seen, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting: Vec<String> = seeds.into_iter().collect();
        while let Some(id) = waiting.pop() {
            for key in self.links.get(id.as_str()).into_iter().flatten() {
                if keys.insert(Arc::clone(key)) {
                    waiting.extend(self.linked_ids(key));
                }
            }
            seen.insert(id);
        }
        (keys.into_iter().collect(), seen)
    }

    /// Replaces the documents of one record and its links; groups are left as they are.
    fn put_record(&mut self, key: &Arc<RecordKey>, mut members: Vec<Member>) {
        let before = self.records.get(key).into_iter().flatten();
        let policy = &self.policy;
        let before = before.flat_map(|it| it.entries.iter());
        before.for_each(|it| self.coverage.remove(it, policy));
        let now = members.iter().flat_map(|it| it.entries.iter());
        now.for_each(|it| self.coverage.add(it, policy));
        for id in self.linked_ids(key) {
            if let Some(keys) = self.links.get_mut(id.as_str()) {
                sorted::remove(keys, key.as_ref(), AsRef::as_ref);
            }
            if let Some(all) = self.statements.get_mut(&id) {
                all.retain(|(of, _)| of != key);
            }
        }
        for member in &mut members {
            member.share_names(&mut self.names);
            for id in alias::links(&member.record, &self.policy) {
                let keys = self.links.entry(id.into_boxed_str()).or_default();
                sorted::put(keys, Arc::clone(key), AsRef::as_ref);
            }
            for (id, statement) in record::statements(&member.record, &self.policy) {
                self.statements.entry(id).or_default().push((Arc::clone(key), statement));
            }
        }
        if members.is_empty() {
            self.records.remove(key);
        } else {
            self.records.insert(Arc::clone(key), members);
        }
    }

    /// The groups of these records, which must be everything that is linked to any of them.
    fn grouped(&self, keys: &[Arc<RecordKey>]) -> Vec<Arc<Group>> {
        let members: Vec<&Member> =
            keys.iter().filter_map(|key| self.records.get(key)).flatten().collect();
        let records: Vec<&Advisory> = members.iter().map(|it| it.record.as_ref()).collect();
        let mut parts = Vec::new();
        for (id, Members { ids, records }) in alias::groups(&records, &self.policy) {
            let of_group = records.iter().filter_map(|(&at, &attachment)| {
                let member = *members.get(at)?;
                Some(Member { attachment, ..member.clone() })
            });
            let of_group: Vec<_> = of_group.collect();
            let statements = self.statements_about(&id, &ids, &of_group);
            parts.push((id, ids, of_group, statements));
        }
        spread(parts, |(id, ids, of_group, statements)| {
            Arc::new(Group::new(id, ids, of_group, statements))
        })
    }

    /// The statements about a flaw, by any of its ids. What is said of a bulletin or an erratum is
    /// said of the flaws that the statement names besides, and of no other.
    fn statements_about(
        &self,
        shown: &str,
        ids: &BTreeSet<String>,
        members: &[Member],
    ) -> Vec<Arc<Statement>> {
        if self.statements.is_empty() {
            return Vec::new();
        }
        let several = members.iter().filter(|it| it.attachment != Attachment::Member);
        let foreign: BTreeSet<_> = several.map(|it| alias::id(&it.record.id)).collect();
        let own = ids.iter().filter(|id| id.as_str() == shown || !foreign.contains(*id));
        let found = own.filter_map(|id| self.statements.get(id)).flatten();
        found.map(|(_, statement)| Arc::clone(statement)).collect()
    }

    /// Puts groups in the place of those that these ids had before.
    fn replace(&mut self, ids: &BTreeSet<String>, fresh: Vec<Arc<Group>>) -> Moved {
        let mut before: BTreeMap<String, Arc<Group>> = BTreeMap::new();
        for id in ids {
            let old = self.by_id.get(id.to_ascii_uppercase().as_str()).into_iter().flatten();
            before.extend(old.map(|group| (group.id.clone(), Arc::clone(group))));
        }
        for group in before.values() {
            self.groups.remove(&group.id);
            self.forget(group);
        }
        let mut moved = Moved::default();
        for group in fresh {
            let old = before.remove(&group.id);
            if old.as_ref().is_none_or(|old| !old.is_same(&group)) {
                moved.groups.insert(group.id.clone(), group.moved_since(old.as_deref()));
            }
            self.insert(group);
        }
        for (key, gone) in before {
            let packages = gone.bare_packages().map(|it| it.as_ref().clone()).collect();
            moved.groups.insert(key, packages);
        }
        moved
    }

    fn insert(&mut self, group: Arc<Group>) {
        for id in group.aliases.iter().chain([&group.id]) {
            let of_id = self.by_id.entry(id.to_ascii_uppercase().into_boxed_str()).or_default();
            sorted::put(of_id, Arc::clone(&group), id_of);
        }
        for package in group.bare_packages() {
            let of_package = self.by_package.entry(Arc::clone(package)).or_default();
            if of_package.is_empty() {
                let named = self.by_bare_name.entry(bare_key(&package.name).into()).or_default();
                sorted::put(named, Arc::clone(package), AsRef::as_ref);
            }
            sorted::put(of_package, Arc::clone(&group), id_of);
        }
        self.groups.insert(group.id.clone(), group);
    }

    fn forget(&mut self, group: &Group) {
        for id in group.aliases.iter().chain([&group.id]) {
            remove_from(&mut self.by_id, id.to_ascii_uppercase().as_str(), &group.id);
        }
        for package in group.bare_packages() {
            if remove_from(&mut self.by_package, package.as_ref(), &group.id) {
                self.names.remove(package);
                let bare = bare_key(&package.name);
                if let Some(named) = self.by_bare_name.get_mut(bare.as_str()) {
                    sorted::remove(named, package.as_ref(), AsRef::as_ref);
                    if named.is_empty() {
                        self.by_bare_name.remove(bare.as_str());
                    }
                }
            }
        }
    }
}

fn members(documents: Vec<Advisory>, policy: &Policy) -> Vec<Member> {
    documents.into_iter().map(|it| record::member(policy.as_it_counts(it), policy)).collect()
}

/// Removes a group from one entry of a map, and the entry when nothing is left of it; says whether
/// nothing is.
fn remove_from<K, Q>(map: &mut HashMap<K, Vec<Arc<Group>>>, key: &Q, group: &str) -> bool
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    let Some(groups) = map.get_mut(key) else { return false };
    sorted::remove(groups, group, id_of);
    let is_left = !groups.is_empty();
    if !is_left {
        map.remove(key);
    }
    !is_left
}

pub(crate) fn without_release(package: &PackageName) -> PackageName {
    PackageName { release: None, ..package.clone() }
}
