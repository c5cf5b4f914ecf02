//! Every advisory that is known, as groups, with the two ways to them: by id and by package.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use relight_model::{Advisory, Component, Ecosystem, Finding, PackageName};

use crate::alias;
use crate::group::Group;
use crate::package::{Reach, Subject, bare_name};

/// All alias groups. Matching a component costs a lookup, not a walk over all groups.
#[derive(Clone, Debug, Default)]
pub struct Advisories {
    groups: Vec<Group>,
    /// Ids in upper case to groups; a bulletin belongs to several.
    by_id: HashMap<String, Vec<usize>>,
    by_package: HashMap<PackageName, Vec<usize>>,
    by_bare_name: HashMap<String, Vec<usize>>,
}

impl Advisories {
    /// Groups the records and prepares them; their order means nothing.
    pub fn new(records: Vec<Advisory>) -> Self {
        let members = alias::groups(&records);
        let records: Vec<_> = records.into_iter().map(Arc::new).collect();
        let mut all = Self::default();
        for (id, members) in members {
            let of_group = members.records.iter().filter_map(|&at| records.get(at).cloned());
            let group = Group::new(id, members.ids, of_group.collect());
            all.insert(group);
        }
        all
    }

    /// The group with this id, of any kind and in any case; the first one for a bulletin about
    /// several CVEs, see [`Self::groups_of`].
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups_of(id).next()
    }

    /// Every group that an id belongs to: one, or several for a bulletin.
    pub fn groups_of(&self, id: &str) -> impl Iterator<Item = &Group> {
        let indices = self.by_id.get(&id.trim().to_ascii_uppercase());
        indices.into_iter().flatten().filter_map(|&index| self.groups.get(index))
    }

    /// All groups, sorted by the id under which they are shown.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter()
    }

    /// What all advisories say of a component, sorted by id; never anything that is clear.
    pub fn match_component(&self, component: &Component) -> Vec<Finding> {
        let subject = Subject::of(component);
        let indices = match subject.reach {
            Reach::Package => self.by_package.get(&without_release(&subject.package)),
            _ => self.by_bare_name.get(&subject.package.name),
        };
        let groups = indices.into_iter().flatten().filter_map(|&index| self.groups.get(index));
        groups.filter_map(|group| group.judge_subject(&subject, component)).collect()
    }

    fn insert(&mut self, group: Group) {
        let index = self.groups.len();
        for id in group.aliases.iter().chain([&group.id]) {
            self.by_id.entry(id.to_ascii_uppercase()).or_default().push(index);
        }
        let packages: BTreeSet<_> = group.packages().iter().map(without_release).collect();
        for package in packages {
            let bare = self.by_bare_name.entry(bare_name(&package).to_owned()).or_default();
            if bare.last() != Some(&index) {
                bare.push(index);
            }
            self.by_package.entry(package).or_default().push(index);
        }
        self.groups.push(group);
    }
}

fn without_release(package: &PackageName) -> PackageName {
    let PackageName { ecosystem, release: _, name } = package;
    let ecosystem: Ecosystem = ecosystem.clone();
    PackageName { ecosystem, release: None, name: name.clone() }
}
