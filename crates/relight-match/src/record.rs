//! From one document to what it says about each package, with bindings applied.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use relight_model::{
    Advisory, Affected, Bound, Interval, PackageName, RangeEvent, RangeStatus, Stance, Why,
};

use crate::alias::{self, Attachment};
use crate::authority::{Policy, Rank};
use crate::bindings;
use crate::entry::Entry;
use crate::group::Member;
use crate::package::normalise;
use crate::vex::Statement;

/// A record is known by its source and the source's own id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecordKey {
    pub(crate) source: String,
    pub(crate) id: String,
}

pub(crate) fn key(record: &Advisory) -> RecordKey {
    RecordKey { source: record.source.clone(), id: record.id.clone() }
}

/// A document, ready to become a member of groups.
pub(crate) fn member(record: Advisory, policy: &Policy) -> Member {
    let record = Arc::new(record);
    let entries = if record.is_in_force() { entries(&record, policy) } else { Vec::new() };
    let entries = entries.into_iter().map(Arc::new).collect();
    Member { record, attachment: Attachment::Member, entries }
}

/// One entry for each package, from however many parts the document says it in.
fn entries(record: &Arc<Advisory>, policy: &Policy) -> Vec<Entry> {
    let (named, bound) = (said(record, policy), bound_products(record, policy));
    let mut by_package: BTreeMap<PackageName, Vec<&Affected>> = BTreeMap::new();
    for affected in named.iter().chain(&bound) {
        by_package.entry(normalise(&affected.package)).or_default().push(affected);
    }
    let known_is_last = policy.last_known_is_last.contains(&record.source);
    let mut entries = Vec::new();
    for (package, affected) in &by_package {
        let rank = policy.rank(record, package);
        let entry = Entry::new(record, package.clone(), rank, affected);
        entries.push(if known_is_last { entry.known_is_last() } else { entry });
    }
    entries.extend(clones(record, &by_package, policy));
    entries.extend(relocations(record, &by_package, policy));
    // A binding speaks for the assigner, and anybody can write that name in a document.
    if policy.may_clear(&record.source, &record.assigner) {
        entries.extend(tombstones(record, &by_package, policy));
    }
    entries
}

/// What the record says of packages. One whose issuer nobody trusts adds versions, and leaves all
/// others to whoever knows them: that it is the vendor's is its own word. So does one about a
/// package of a distribution that it is not of.
fn said<'a>(record: &'a Advisory, policy: &Policy) -> Cow<'a, [Affected]> {
    let only_adds = |it: &Affected| policy.only_adds(record, &it.package);
    if !record.affected.iter().any(only_adds) {
        return Cow::Borrowed(&record.affected);
    }
    let doubted = |affected: &Affected| match affected.stance {
        _ if !only_adds(affected) => affected.clone(),
        Stance::Unresolved(_) => affected.clone(),
        _ => Affected { stance: Stance::Unresolved(Why::Untrusted), ..affected.clone() },
    };
    Cow::Owned(record.affected.iter().map(doubted).collect())
}

/// The products of the record that a binding turns into packages.
fn bound_products(record: &Advisory, policy: &Policy) -> Vec<Affected> {
    let mut bound = Vec::new();
    for product in &record.products {
        let named = (product.vendor.as_str(), product.product.as_str());
        if let Some(bindings::Bound { affects, .. }) = bindings::of_product(record, named, policy) {
            bound.extend(affects.into_iter().map(|package| product.as_affected(package)));
        }
    }
    bound
}

/// Known copies of what the record names, unless it names them itself: in which versions they have
/// the flaw nobody said.
fn clones(
    record: &Arc<Advisory>,
    named: &BTreeMap<PackageName, Vec<&Affected>>,
    policy: &Policy,
) -> Vec<Entry> {
    let is_meant = |affected: &&Affected| affected.stance != Stance::NotAffected;
    let originals = named.iter().filter(|(_, all)| all.iter().any(is_meant));
    let clones = originals.flat_map(|(package, _)| bindings::clones_of(package));
    let free = clones.filter(|clone| !named.contains_key(clone));
    let entry = |clone: PackageName| {
        let stance = Stance::Unresolved(Why::NoRange);
        let affected = Affected { stance, ..Affected::of(clone.clone()) };
        let rank = policy.rank(record, &clone);
        Entry::new(record, clone, rank, &[&affected]).by_binding()
    };
    free.map(entry).collect()
}

/// What the record says of a package by the name that it had before or has now, unless it names
/// that itself. It adds affected versions and clears none; a range without an end may have ended
/// under the other name.
fn relocations(
    record: &Arc<Advisory>,
    named: &BTreeMap<PackageName, Vec<&Affected>>,
    policy: &Policy,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (package, all) in named {
        let other = bindings::relocated(package).filter(|other| !named.contains_key(other));
        let Some(other) = other else { continue };
        let meant = all.iter().filter(|it| it.stance != Stance::NotAffected);
        let copies: Vec<_> = meant.map(|it| by_other_name(it, &other)).collect();
        if !copies.is_empty() {
            let rank = policy.rank(record, &other);
            let copies: Vec<_> = copies.iter().collect();
            entries.push(Entry::new(record, other, rank, &copies).by_relocation());
        }
    }
    entries
}

fn by_other_name(affected: &Affected, other: &PackageName) -> Affected {
    let mut copy = Affected { package: other.clone(), ..affected.clone() };
    let is_end = |it: &RangeEvent| {
        matches!(it, RangeEvent::Fixed(_) | RangeEvent::LastAffected(_) | RangeEvent::Limit(_))
    };
    let is_closed = |it: &Interval| it.hi != Bound::Unbounded || it.status != RangeStatus::Affected;
    copy.ranges.retain(|range| range.events.iter().any(is_end));
    copy.intervals.retain(is_closed);
    let is_open = copy.ranges.len() < affected.ranges.len()
        || copy.intervals.len() < affected.intervals.len()
        || copy.rest == RangeStatus::Affected;
    if is_open {
        copy.stance = Stance::Unresolved(Why::NoRange);
        copy.rest = RangeStatus::NotAffected;
    }
    copy
}

/// What bindings say is not the product, unless the record itself names it.
fn tombstones(
    record: &Arc<Advisory>,
    named: &BTreeMap<PackageName, Vec<&Affected>>,
    policy: &Policy,
) -> Vec<Entry> {
    let products = record.products.iter();
    let of_products =
        products.filter_map(|it| bindings::of_product(record, (&it.vendor, &it.product), policy));
    let all = of_products.chain(bindings::of_packages(record, policy));
    let packages: Vec<PackageName> = all.flat_map(|bound| bound.not_affects).collect();
    let packages = packages.into_iter().map(|package| normalise(&package));
    let free = packages.filter(|package| !named.contains_key(package));
    let mut entries: BTreeMap<PackageName, Entry> = BTreeMap::new();
    for package in free {
        let affected = Affected { stance: Stance::NotAffected, ..Affected::of(package.clone()) };
        let entry = Entry::new(record, package.clone(), Rank::Vendor, &[&affected]);
        entries.insert(package, entry.by_binding());
    }
    entries.into_values().collect()
}

/// The statements of a document that is not withdrawn, by the ids of the flaws that they name.
pub(crate) fn statements(record: &Advisory, policy: &Policy) -> Vec<(String, Arc<Statement>)> {
    if !record.is_in_force() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for said in &record.statements {
        let statement = Arc::new(Statement::new(said.clone(), policy));
        let ids = said.vulnerabilities.iter();
        all.extend(ids.map(|text| (alias::id(text), Arc::clone(&statement))));
    }
    all
}
