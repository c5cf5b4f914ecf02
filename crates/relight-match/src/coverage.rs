//! Of which releases of distributions anybody speaks: silence about a package is an answer there,
//! and nowhere else.

use std::collections::{BTreeSet, HashMap};

use relight_model::{Advisory, Component, Ecosystem, PackageName};

use crate::advisories::Advisories;
use crate::authority::{Policy, Rank};
use crate::entry::Entry;
use crate::group::Group;
use crate::loose::bare_key;
use crate::package::{Reach, Subject, is_distribution};
use crate::record;
use crate::release::Breadth;

/// A release of a distribution; none where records name none, or where all of them are meant.
pub type Spoken = (Ecosystem, Option<String>);

/// How many entries in force speak of each release.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage(HashMap<Ecosystem, HashMap<Option<Box<str>>, usize>>);

impl Coverage {
    pub(crate) fn add(&mut self, entry: &Entry, policy: &Policy) {
        if let Some((ecosystem, release)) = spoken_of(entry, policy) {
            self.count(ecosystem.clone(), release.map(Into::into));
        }
    }

    fn count(&mut self, ecosystem: Ecosystem, release: Option<Box<str>>) {
        *self.0.entry(ecosystem).or_default().entry(release).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, entry: &Entry, policy: &Policy) {
        let Some((ecosystem, release)) = spoken_of(entry, policy) else { return };
        let Some(releases) = self.0.get_mut(ecosystem) else { return };
        let key = release.map(Into::into);
        match releases.get_mut(&key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(releases.remove(&key)),
        }
        if releases.is_empty() {
            self.0.remove(ecosystem);
        }
    }

    fn has(&self, ecosystem: &Ecosystem, release: Option<&str>) -> bool {
        let Some(releases) = self.0.get(ecosystem) else { return false };
        let is_it = |it: &Option<Box<str>>| it.is_none() || it.as_deref() == release;
        release.is_none() || releases.keys().any(is_it)
    }

    /// Whether silence about a package of a distribution would be somebody's.
    fn covers(&self, subject: &Subject) -> bool {
        match subject.reach {
            Reach::Package if is_distribution(&subject.package.ecosystem) => {
                // A backport is judged by another suite, and says so where that is missing.
                let release = subject.package.release.as_deref();
                let release = release.filter(|_| !subject.is_backport);
                self.has(&subject.package.ecosystem, release)
            }
            Reach::Kin(_) | Reach::AnyDistribution(_) => {
                self.0.keys().any(|ecosystem| subject.reach.covers(ecosystem))
            }
            Reach::Package | Reach::AnyGroup | Reach::AnyEcosystem => true,
        }
    }
}

/// The release that an entry speaks of as a whole. Only the distribution itself is silent about
/// what is not affected: our own word, and that of others, is about one flaw and no other. Whose
/// word clears no version, because he only says himself who he is, clears none by silence either.
fn spoken_of<'a>(entry: &'a Entry, policy: &Policy) -> Option<(&'a Ecosystem, Option<&'a str>)> {
    let ecosystem = &entry.package.ecosystem;
    let is_whole = matches!(entry.breadth, Breadth::Whole | Breadth::Family);
    let is_word = entry.rank == Rank::Distribution
        && policy.may_clear(&entry.record.source, &entry.record.assigner);
    let counts = is_distribution(ecosystem) && is_whole && is_word;
    counts.then_some((ecosystem, entry.release_name.as_deref()))
}

/// The releases that a record speaks of.
pub fn spoken(record: &Advisory, policy: &Policy) -> BTreeSet<Spoken> {
    let member = record::member(record.clone(), policy);
    let entries = member.entries.iter().filter_map(|entry| spoken_of(entry, policy));
    entries.map(|(ecosystem, release)| (ecosystem.clone(), release.map(Into::into))).collect()
}

impl Advisories {
    /// These advisories are some of many, which speak of these releases too.
    #[must_use]
    pub fn among(mut self, spoken: impl IntoIterator<Item = Spoken>) -> Self {
        for (ecosystem, release) in spoken {
            self.coverage.count(ecosystem, release.map(Into::into));
        }
        self
    }

    /// The releases of which anybody speaks: whether silence is an answer rests on them, whatever
    /// the groups say.
    pub fn spoken(&self) -> BTreeSet<Spoken> {
        let mut all = BTreeSet::new();
        for (ecosystem, releases) in &self.coverage.0 {
            let named = releases.keys().map(|it| it.as_deref().map(Into::into));
            all.extend(named.map(|release| (ecosystem.clone(), release)));
        }
        all
    }

    /// The distribution and release of a component of which no advisory in force speaks, although
    /// it is a package of a distribution: nothing is known about it.
    pub fn unspoken(&self, component: &Component) -> Option<PackageName> {
        let subject = Subject::of(component);
        (subject.standing.is_meant() && !self.coverage.covers(&subject)).then_some(subject.package)
    }

    /// Whether a component may have a flaw of which nobody would tell: the flaw is one of a package
    /// of that name in some distribution, and no advisory speaks of the component's own.
    pub fn is_unheard(&self, group: &Group, component: &Component) -> bool {
        let Some(package) = self.unspoken(component) else { return false };
        let mut names = vec![bare_key(&package.name), bare_key(&component.purl.name)];
        // A package of an RPM distribution has a name of its own, and its source another one.
        names.extend(component.purl.upstream().map(|(source, _)| bare_key(&source)));
        let mut named = group.bare_packages().filter(|it| is_distribution(&it.ecosystem));
        named.any(|it| names.contains(&bare_key(&it.name)))
            && group.judgement(component).decided_by.is_none()
    }
}
