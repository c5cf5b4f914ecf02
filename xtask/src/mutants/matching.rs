//! Faults of matchers.

use super::{Mutant, mutant};

/// Faults that other matchers have or had, each in the form that it would take here.
pub(super) const MUTANTS: &[Mutant] = &[
    mutant(
        "a version that is fixed and introduced closes what was open",
        "range/points.rs",
        "        if self.introduced {\n            told.has_ignored |= !self.fixed;",
        "        if self.introduced && !self.fixed {\n            told.has_ignored |= !self.fixed;",
    ),
    mutant(
        "a range of commits ends the search in the others",
        "entry.rs",
        "let ranges = affected.ranges.iter().filter(move |range| range.kind == kind);",
        "let ranges = affected.ranges.iter().take_while(|it| it.kind != RangeKind::Git);
            let ranges = ranges.filter(move |range| range.kind == kind);",
    ),
    mutant(
        "ranges hide listed versions",
        "entry.rs",
        "        if self.lists(asked) {\n",
        "        if self.ranges.is_empty() && self.lists(asked) {\n",
    ),
    mutant(
        "a version without a place is clear",
        "entry.rs",
        "Place::Unsure => unsure = Some(no_place),",
        "Place::Unsure => {}",
    ),
    mutant(
        "a bulletin merges the flaws that it names",
        "alias.rs",
        "        for cve in &self.cves {\n            let group",
        "        for cve in self.cves.iter().take(1) {\n            let group",
    ),
    mutant(
        "related ids merge",
        "alias.rs",
        "record.aliases.iter().chain([&record.id]).map(|text| id(text)).collect();",
        "record.aliases.iter().chain(&record.related).chain([&record.id]).map(|text| id(text))
                .collect();",
    ),
    mutant(
        "epochs are dropped",
        "version/rpm.rs",
        "Some(rest) => (digits, rest),",
        "Some(rest) if digits.is_empty() => (digits, rest),\n        Some(rest) => (\"0\", rest),",
    ),
    mutant(
        "ranges of others reach packages of a distribution",
        "package.rs",
        "                    None => Self::Package,\n",
        "                    None if known.is_some() => Self::AnyEcosystem,
                    None => Self::Package,\n",
    ),
    mutant(
        "builds of a release stand outside of an inclusive bound",
        "range.rs",
        "order.is_some_and(Ordering::is_le) || version.is_of_release(&hi.version)",
        "order.is_some_and(Ordering::is_le)",
    ),
    mutant(
        "withdrawn records speak on",
        "record.rs",
        "let entries = if record.is_in_force() { entries(&record, policy) } else { Vec::new() };",
        "let entries = entries(&record, policy);",
    ),
    mutant(
        "a statement about one version clears all",
        "vex.rs",
        "fn is_same_version(stated: &Purl, found: &Purl) -> bool {\n",
        "fn is_same_version(stated: &Purl, found: &Purl) -> bool {
    if !stated.version.is_empty() {
        return true;
    }\n",
    ),
    mutant(
        "Maven versions without an order get a key",
        "version/maven.rs",
        "Item::Word(_) => return None,",
        "Item::Word(word) => word.write(out),",
    ),
];
