//! Alias groups: which records are about one flaw.
//!
//! Two CVE numbers never share a group. A record that names several is a bulletin: it is attached
//! to each of them and merges none. The result does not depend on the order of arrival.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use relight_model::Advisory;

/// The ids and the members of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// Every id under which the group is found.
    pub(crate) ids: BTreeSet<String>,
    /// Indices of the records, in rising order.
    pub(crate) records: BTreeSet<usize>,
}

/// Computes the groups; the key is the id under which a group is shown: CVE before GHSA before any
/// other.
pub(crate) fn groups(all: &[Advisory]) -> BTreeMap<String, Members> {
    let own_cves: Vec<_> = all.iter().map(cves).collect();
    let mut groups: BTreeMap<String, Members> = BTreeMap::new();
    for (index, (record, cves)) in all.iter().zip(&own_cves).enumerate() {
        for cve in cves {
            let group = groups.entry(cve.clone()).or_default();
            group.records.insert(index);
            group.ids.extend([cve.clone(), id(&record.id)]);
            if cves.len() == 1 && record.withdrawn.is_none() {
                group.ids.extend(other_ids(record));
            }
        }
    }
    let cves_of_id = cves_of_id(all, &own_cves);
    for Members { ids, records } in without_cve(all, &own_cves) {
        let reached: BTreeSet<_> =
            ids.iter().filter_map(|id| cves_of_id.get(id)).flatten().collect();
        if reached.is_empty() {
            groups.insert(shown(&ids), Members { ids, records });
            continue;
        }
        // Records between two CVEs are attached to both; the ids they connect stay where they are.
        let own: BTreeSet<_> =
            records.iter().filter_map(|&at| all.get(at)).map(|it| id(&it.id)).collect();
        let ids = if reached.len() == 1 { &ids } else { &own };
        for cve in reached {
            let group = groups.entry(cve.clone()).or_default();
            group.records.extend(&records);
            group.ids.extend(ids.iter().cloned());
        }
    }
    groups
}

/// To which CVE an id that is no CVE belongs, by the records that name exactly one CVE.
fn cves_of_id(
    all: &[Advisory],
    own_cves: &[BTreeSet<String>],
) -> HashMap<String, BTreeSet<String>> {
    let mut cves_of_id: HashMap<String, BTreeSet<String>> = HashMap::new();
    for (record, cves) in all.iter().zip(own_cves) {
        if cves.len() != 1 || record.withdrawn.is_some() {
            continue;
        }
        for other in other_ids(record) {
            cves_of_id.entry(other).or_default().extend(cves.iter().cloned());
        }
    }
    cves_of_id
}

/// The records that name no CVE, joined where they name each other.
fn without_cve(all: &[Advisory], own_cves: &[BTreeSet<String>]) -> Vec<Members> {
    let mut sets = Sets::default();
    let none = || all.iter().zip(own_cves).enumerate().filter(|(_, (_, cves))| cves.is_empty());
    for (_, (record, _)) in none() {
        let first = sets.find(&id(&record.id));
        for other in other_ids(record).filter(|_| record.withdrawn.is_none()) {
            let other = sets.find(&other);
            sets.join(first, other);
        }
    }
    let mut members: BTreeMap<usize, Members> = BTreeMap::new();
    for text in sets.texts() {
        let set = sets.find(&text);
        members.entry(set).or_default().ids.insert(text);
    }
    for (index, (record, _)) in none() {
        let set = sets.find(&id(&record.id));
        members.entry(set).or_default().records.insert(index);
    }
    members.into_values().collect()
}

/// The normal form of an id: CVE numbers in upper case, everything else as written.
pub(crate) fn id(text: &str) -> String {
    let text = text.trim();
    if is_cve(text) { text.to_ascii_uppercase() } else { text.to_owned() }
}

fn is_cve(text: &str) -> bool {
    text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("CVE-"))
}

fn cves(record: &Advisory) -> BTreeSet<String> {
    let all = record.aliases.iter().chain([&record.id]);
    all.filter(|text| is_cve(text.trim())).map(|text| id(text)).collect()
}

/// The ids of a record that are no CVE, its own among them.
fn other_ids(record: &Advisory) -> impl Iterator<Item = String> {
    let all = record.aliases.iter().chain([&record.id]);
    all.map(|text| id(text)).filter(|text| !is_cve(text) && !text.is_empty())
}

fn shown(ids: &BTreeSet<String>) -> String {
    let ghsa = ids.iter().find(|id| id.starts_with("GHSA-"));
    ghsa.or_else(|| ids.first()).cloned().unwrap_or_default()
}

/// Disjoint sets of ids.
#[derive(Default)]
struct Sets {
    numbers: BTreeMap<String, usize>,
    parents: Vec<usize>,
}

impl Sets {
    fn find(&mut self, text: &str) -> usize {
        let mut at = match self.numbers.get(text) {
            Some(&number) => number,
            None => {
                let number = self.parents.len();
                self.numbers.insert(text.to_owned(), number);
                self.parents.push(number);
                number
            }
        };
        while self.parents[at] != at {
            self.parents[at] = self.parents[self.parents[at]];
            at = self.parents[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let root = |sets: &Self, mut at: usize| {
            while sets.parents[at] != at {
                at = sets.parents[at];
            }
            at
        };
        let (a, b) = (root(self, a), root(self, b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn texts(&self) -> Vec<String> {
        self.numbers.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// Records as `id=alias,alias`; `!` in front marks a withdrawn one.
    fn records(text: &str) -> Vec<Advisory> {
        let record = |word: &str| {
            let (id, aliases) = word.split_once('=').unwrap_or((word, ""));
            Advisory {
                withdrawn: id.starts_with('!').then_some(1),
                id: id.trim_start_matches('!').to_owned(),
                aliases: aliases.split(',').filter(|it| !it.is_empty()).map(Into::into).collect(),
                ..Advisory::default()
            }
        };
        text.split_whitespace().map(record).collect()
    }

    /// The groups as `shown{ids}[record ids]`.
    fn shown_groups(records: &[Advisory]) -> Vec<String> {
        let show = |(id, members): (String, Members)| {
            let ids: Vec<_> = members.ids.into_iter().collect();
            let mut names: Vec<_> =
                members.records.into_iter().map(|index| records[index].id.clone()).collect();
            names.sort();
            format!("{id}{{{}}}[{}]", ids.join(","), names.join(","))
        };
        groups(records).into_iter().map(show).collect()
    }

    #[test]
    fn one_flaw_one_group() {
        for (text, wanted) in [
            ("GHSA-1=CVE-1 CVE-1", vec!["CVE-1{CVE-1,GHSA-1}[CVE-1,GHSA-1]"]),
            ("GO-1=GHSA-1 GHSA-1=CVE-1", vec!["CVE-1{CVE-1,GHSA-1,GO-1}[GHSA-1,GO-1]"]),
            ("CVE-1=GHSA-1 GHSA-1", vec!["CVE-1{CVE-1,GHSA-1}[CVE-1,GHSA-1]"]),
            ("A-1=B-1 B-1=C-1 C-1=cve-1", vec!["CVE-1{A-1,B-1,C-1,CVE-1}[A-1,B-1,C-1]"]),
            ("PYSEC-1=GHSA-1", vec!["GHSA-1{GHSA-1,PYSEC-1}[PYSEC-1]"]),
            ("X-1=X-1 Y-1=Z-1 Z-1=Y-1", vec!["X-1{X-1}[X-1]", "Y-1{Y-1,Z-1}[Y-1,Z-1]"]),
        ] {
            assert_eq!(shown_groups(&records(text)), wanted, "{text}");
        }
    }

    #[test]
    fn two_cves_never_share_a_group() {
        let bulletin = records("RS-1=CVE-1,CVE-2,GHSA-1 GHSA-1=CVE-1 CVE-2");
        assert_eq!(
            shown_groups(&bulletin),
            ["CVE-1{CVE-1,GHSA-1,RS-1}[GHSA-1,RS-1]", "CVE-2{CVE-2,RS-1}[CVE-2,RS-1]"]
        );
        let between = records("A-1=CVE-1 B-1=CVE-2 M-1=A-1,B-1");
        assert_eq!(
            shown_groups(&between),
            ["CVE-1{A-1,CVE-1,M-1}[A-1,M-1]", "CVE-2{B-1,CVE-2,M-1}[B-1,M-1]"]
        );
    }

    #[test]
    fn a_withdrawn_record_joins_nothing() {
        let texts = shown_groups(&records("!X-1=Y-1 Y-1=CVE-1 !Z-1=CVE-1,W-1 W-1"));
        assert_eq!(texts, ["CVE-1{CVE-1,Y-1,Z-1}[Y-1,Z-1]", "W-1{W-1}[W-1]", "X-1{X-1}[X-1]"]);
    }

    #[test]
    fn the_order_of_arrival_means_nothing() {
        let ids = ["CVE-1", "CVE-2", "GHSA-1", "GHSA-2", "A-1", "B-1", "C-1"];
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let mut all = Vec::new();
            for _ in 0..rng.below(7) {
                let aliases = (0..rng.below(3)).map(|_| (*rng.pick(&ids)).to_owned()).collect();
                let id = (*rng.pick(&ids)).to_owned();
                let withdrawn = rng.chance(10).then_some(1);
                all.push(Advisory { id, aliases, withdrawn, ..Advisory::default() });
            }
            let before = shown_groups(&all);
            for at in (1..all.len()).rev() {
                all.swap(at, rng.below(at + 1));
            }
            assert_eq!(shown_groups(&all), before, "seed {seed}");
        }
    }
}
