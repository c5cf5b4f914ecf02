//! Every advisory that is known, as groups, with the two ways to them: by id and by package.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use relight_model::{Advisory, Component, Finding, PackageName};

use crate::alias::{self, Attachment, Members};
use crate::authority::Policy;
use crate::group::{Group, Member};
use crate::package::{Reach, Subject, bare_name};
use crate::record::{self, RecordKey};
use crate::spread::spread;
use crate::vex::Statement;

/// All alias groups. Matching a component costs a lookup, not a walk over all groups; a changed
/// record costs the groups that it touches.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    policy: Policy,
    records: BTreeMap<RecordKey, Vec<Member>>,
    /// Which records share an id, in whatever field it stands.
    links: HashMap<String, BTreeSet<RecordKey>>,
    /// Statements of suppliers, by the ids of the flaws as they name them.
    statements: HashMap<String, Vec<(RecordKey, Arc<Statement>)>>,
    groups: BTreeMap<String, Arc<Group>>,
    /// Ids in upper case to groups; a bulletin belongs to several.
    by_id: HashMap<String, BTreeSet<String>>,
    by_package: HashMap<PackageName, BTreeSet<String>>,
    by_bare_name: HashMap<String, BTreeSet<String>>,
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
            by_key.entry(record::key(&record)).or_default().push(record);
        }
        let prepared = spread(by_key.into_iter().collect(), |(key, documents)| {
            (key, members(documents, &all.policy))
        });
        for (key, members) in prepared {
            all.put_record(key, members);
        }
        let keys: Vec<_> = all.records.keys().cloned().collect();
        all.regroup(&keys, &BTreeSet::new());
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
            let key = RecordKey { source, id };
            let now: Vec<_> = now.into_iter().map(|it| self.policy.as_it_counts(it)).collect();
            let before = self.records.get(&key).into_iter().flatten();
            if before.map(|member| member.record.as_ref()).eq(now.iter()) {
                continue;
            }
            seeds.extend(self.linked_ids(&key));
            self.put_record(key.clone(), members(now, &self.policy));
            seeds.extend(self.linked_ids(&key));
            seeds.insert(alias::id(&key.id));
        }
        let (keys, ids) = self.connected(seeds);
        self.regroup(&keys, &ids)
    }

    /// The group with this id, of any kind and in any case; the first one for a bulletin about
    /// several CVEs, see [`Self::groups_of`].
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups_of(id).next()
    }

    /// Every group that an id belongs to: one, or several for a bulletin.
    pub fn groups_of(&self, id: &str) -> impl Iterator<Item = &Group> {
        let keys = self.by_id.get(&id.trim().to_ascii_uppercase());
        keys.into_iter().flatten().filter_map(|key| self.groups.get(key)).map(AsRef::as_ref)
    }

    /// All groups, sorted by the id under which they are shown.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values().map(AsRef::as_ref)
    }

    /// What all advisories say of a component, sorted by id; never anything that is clear.
    pub fn match_component(&self, component: &Component) -> Vec<Finding> {
        let subject = Subject::of(component);
        let groups = self.groups_for(&subject);
        groups.filter_map(|group| group.judge_subject(&subject, component)).collect()
    }

    /// The groups that may say something about a subject.
    pub(crate) fn groups_for(&self, subject: &Subject) -> impl Iterator<Item = &Group> {
        let keys = match subject.reach {
            Reach::Package => self.by_package.get(&without_release(&subject.package)),
            _ => self.by_bare_name.get(&subject.package.name),
        };
        let groups = keys.into_iter().flatten().filter_map(|key| self.groups.get(key));
        groups.map(AsRef::as_ref)
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
    fn connected(&self, seeds: BTreeSet<String>) -> (Vec<RecordKey>, BTreeSet<String>) {
        let (mut seen, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting: Vec<String> = seeds.into_iter().collect();
        while let Some(id) = waiting.pop() {
            for key in self.links.get(&id).into_iter().flatten() {
                if keys.insert(key.clone()) {
                    waiting.extend(self.linked_ids(key));
                }
            }
            seen.insert(id);
        }
        (keys.into_iter().collect(), seen)
    }

    /// Replaces the documents of one record and its links; groups are left as they are.
    fn put_record(&mut self, key: RecordKey, members: Vec<Member>) {
        for id in self.linked_ids(&key) {
            if let Some(keys) = self.links.get_mut(&id) {
                keys.remove(&key);
            }
            if let Some(all) = self.statements.get_mut(&id) {
                all.retain(|(of, _)| *of != key);
            }
        }
        for member in &members {
            for id in alias::links(&member.record, &self.policy) {
                self.links.entry(id).or_default().insert(key.clone());
            }
            for (id, statement) in record::statements(&member.record, &self.policy) {
                self.statements.entry(id).or_default().push((key.clone(), statement));
            }
        }
        if members.is_empty() {
            self.records.remove(&key);
        } else {
            self.records.insert(key, members);
        }
    }

    /// Computes the groups of these records, which must be everything that is linked to `ids`, and
    /// puts them in the place of those that the ids had before.
    fn regroup(&mut self, keys: &[RecordKey], ids: &BTreeSet<String>) -> Moved {
        let members: Vec<(&RecordKey, &Member)> = keys
            .iter()
            .filter_map(|key| Some((key, self.records.get(key)?)))
            .flat_map(|(key, members)| members.iter().map(move |member| (key, member)))
            .collect();
        let records: Vec<&Advisory> = members.iter().map(|(_, it)| it.record.as_ref()).collect();
        let mut parts = Vec::new();
        for (id, Members { ids, records }) in alias::groups(&records, &self.policy) {
            let of_group = records.iter().filter_map(|(&at, &attachment)| {
                let (_, member) = members.get(at)?;
                Some(Member { attachment, ..(*member).clone() })
            });
            let of_group: Vec<_> = of_group.collect();
            let statements = self.statements_about(&id, &ids, &of_group);
            parts.push((id, ids, of_group, statements));
        }
        let groups = spread(parts, |(id, ids, of_group, statements)| {
            (id.clone(), Arc::new(Group::new(id, ids, of_group, statements)))
        });
        self.replace(ids, groups.into_iter().collect())
    }

    /// The statements about a flaw, by any of its ids. What is said of a bulletin or an erratum is
    /// said of the flaws that the statement names besides, and of no other.
    fn statements_about(
        &self,
        shown: &str,
        ids: &BTreeSet<String>,
        members: &[Member],
    ) -> Vec<Arc<Statement>> {
        let several = members.iter().filter(|it| it.attachment != Attachment::Member);
        let foreign: BTreeSet<_> = several.map(|it| alias::id(&it.record.id)).collect();
        let own = ids.iter().filter(|id| id.as_str() == shown || !foreign.contains(*id));
        let found = own.filter_map(|id| self.statements.get(id)).flatten();
        found.map(|(_, statement)| Arc::clone(statement)).collect()
    }

    fn replace(&mut self, ids: &BTreeSet<String>, fresh: BTreeMap<String, Arc<Group>>) -> Moved {
        let mut old: BTreeSet<String> = BTreeSet::new();
        for id in ids {
            old.extend(self.by_id.get(&id.to_ascii_uppercase()).into_iter().flatten().cloned());
        }
        let mut moved = Moved::default();
        let mut before = BTreeMap::new();
        for key in old {
            if let Some(group) = self.groups.remove(&key) {
                self.forget(&group);
                before.insert(key, group);
            }
        }
        for (key, group) in fresh {
            let old = before.remove(&key);
            if old.as_ref().is_none_or(|old| !old.is_same(&group)) {
                moved.groups.insert(key.clone(), group.moved_since(old.as_deref()));
            }
            self.insert(key, group);
        }
        for (key, gone) in before {
            let packages = gone.bare_packages().cloned().collect();
            moved.groups.insert(key, packages);
        }
        moved
    }

    fn insert(&mut self, key: String, group: Arc<Group>) {
        for id in group.aliases.iter().chain([&group.id]) {
            self.by_id.entry(id.to_ascii_uppercase()).or_default().insert(key.clone());
        }
        for package in group.bare_packages() {
            let bare = bare_name(package).to_owned();
            self.by_bare_name.entry(bare).or_default().insert(key.clone());
            self.by_package.entry(package.clone()).or_default().insert(key.clone());
        }
        self.groups.insert(key, group);
    }

    fn forget(&mut self, group: &Group) {
        for id in group.aliases.iter().chain([&group.id]) {
            remove_from(&mut self.by_id, &id.to_ascii_uppercase(), &group.id);
        }
        for package in group.bare_packages() {
            remove_from(&mut self.by_bare_name, bare_name(package), &group.id);
            remove_from(&mut self.by_package, package, &group.id);
        }
    }
}

fn members(documents: Vec<Advisory>, policy: &Policy) -> Vec<Member> {
    documents.into_iter().map(|it| record::member(policy.as_it_counts(it), policy)).collect()
}

/// Removes a group from one entry of a map, and the entry when nothing is left of it.
fn remove_from<K, Q>(map: &mut HashMap<K, BTreeSet<String>>, key: &Q, group: &str)
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    if let Some(groups) = map.get_mut(key) {
        groups.remove(group);
        if groups.is_empty() {
            map.remove(key);
        }
    }
}

pub(crate) fn without_release(package: &PackageName) -> PackageName {
    PackageName { release: None, ..package.clone() }
}
