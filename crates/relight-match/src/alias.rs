//! Alias groups: which records are about one flaw.
//!
//! Two CVE numbers never share a group. A record that names several is a bulletin: it is attached
//! to each of them and merges none; so is an erratum of a distribution that names its flaws in
//! `upstream` or `related`. The result does not depend on the order of arrival, and the groups of
//! records that share no id do not depend on each other.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use relight_model::{Advisory, begins_as_cve};

use crate::authority::Policy;

/// The ids and the members of one group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    /// Every id under which the group is found.
    pub(crate) ids: BTreeSet<String>,
    /// Indices of the records, in rising order, and how each belongs to it.
    pub(crate) records: BTreeMap<usize, Attachment>,
}

/// How a record belongs to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attachment {
    /// It is about this flaw and no other.
    Member,
    /// It is about several flaws, and this is one of them.
    Bulletin,
    /// An erratum that names the flaw as what it fixes.
    Erratum,
    /// Its aliases lead to several flaws, which cannot all be right.
    Conflict,
}

impl Attachment {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Bulletin => "bulletin",
            Self::Erratum => "erratum",
            Self::Conflict => "alias-conflict",
        }
    }
}

/// Computes the groups; the key is the id under which a group is shown: CVE before GHSA before any
/// other.
pub(crate) fn groups<A: Borrow<Advisory>>(all: &[A], policy: &Policy) -> BTreeMap<String, Members> {
    let named: Vec<Named<'_>> = all.iter().map(|it| Named::new(it.borrow(), policy)).collect();
    let known: HashSet<&str> = named.iter().flat_map(|it| it.known_ids()).collect();
    let mut groups: BTreeMap<String, Members> = BTreeMap::new();
    for (index, record) in named.iter().enumerate() {
        record.join_own_cves(index, &mut groups);
    }
    let cves_of_id = cves_of_id(&named);
    let free = |it: &Named<'_>| it.cves.is_empty() && !it.is_erratum(&known);
    for Members { ids, records } in without_cve(&named, free) {
        let reached: BTreeSet<_> =
            ids.iter().filter_map(|id| cves_of_id.get(id)).flatten().collect();
        if reached.is_empty() {
            groups.insert(shown(&ids), Members { ids, records });
            continue;
        }
        // Records between two CVEs are attached to both; the ids they connect stay where they are.
        let is_one = reached.len() == 1;
        let kind = if is_one { Attachment::Member } else { Attachment::Conflict };
        let own: BTreeSet<_> = records.keys().map(|&at| named[at].id.clone()).collect();
        let ids = if is_one { &ids } else { &own };
        for cve in reached {
            let group = groups.entry(cve.clone()).or_default();
            group.records.extend(records.keys().map(|&at| (at, kind)));
            group.ids.extend(ids.iter().cloned());
        }
    }
    let errata = named.iter().enumerate().filter(|(_, it)| it.is_erratum(&known));
    attach(errata, &mut groups);
    groups
}

/// Every id that ties a record to others: records that share none, directly or through others,
/// cannot share a group.
pub fn links(record: &Advisory, policy: &Policy) -> BTreeSet<String> {
    let Named { id, cves, others, targets, .. } = Named::new(record, policy);
    let stated = record.statements.iter().flat_map(|it| &it.vulnerabilities);
    let stated: Vec<_> = stated.map(|text| self::id(text)).collect();
    others.into_iter().chain(cves).chain(targets).chain(stated).chain([id]).collect()
}

/// A record with its ids in normal form.
struct Named<'a> {
    record: &'a Advisory,
    id: String,
    /// CVE numbers among its id and aliases.
    cves: BTreeSet<String>,
    /// Its other ids, its own among them.
    others: BTreeSet<String>,
    /// What it is attached to besides: the flaws that an erratum fixes.
    targets: BTreeSet<String>,
}

impl<'a> Named<'a> {
    fn new(record: &'a Advisory, policy: &Policy) -> Self {
        let all: BTreeSet<String> =
            record.aliases.iter().chain([&record.id]).map(|text| id(text)).collect();
        let (cves, others) =
            all.into_iter().partition::<BTreeSet<_>, _>(|text| begins_as_cve(text));
        let others: BTreeSet<_> = others.into_iter().filter(|text| !text.is_empty()).collect();
        let mut targets: BTreeSet<_> = record.upstream.iter().map(|text| id(text)).collect();
        if policy.attaches_related(record) {
            targets.extend(record.related.iter().map(|text| id(text)));
        }
        targets.retain(|text| !text.is_empty() && !others.contains(text));
        Self { record, id: id(&record.id), cves, others, targets }
    }

    fn is_withdrawn(&self) -> bool {
        self.record.withdrawn.is_some()
    }

    /// The ids that some record other than an erratum is known by.
    fn known_ids(&self) -> impl Iterator<Item = &str> {
        let counts = self.targets.is_empty() || !self.cves.is_empty();
        let all = self.others.iter().chain(&self.cves).map(String::as_str);
        all.filter(move |_| counts)
    }

    /// Attached to flaws rather than a flaw of its own: a CVE number, or an id that another record
    /// is known by.
    fn is_erratum(&self, known: &HashSet<&str>) -> bool {
        self.targets.iter().any(|text| begins_as_cve(text) || known.contains(text.as_str()))
    }

    fn join_own_cves(&self, index: usize, groups: &mut BTreeMap<String, Members>) {
        let is_one = self.cves.len() == 1;
        let kind = if is_one { Attachment::Member } else { Attachment::Bulletin };
        for cve in &self.cves {
            let group = groups.entry(cve.clone()).or_default();
            group.records.insert(index, kind);
            group.ids.extend([cve.clone(), self.id.clone()]);
            if is_one && !self.is_withdrawn() {
                group.ids.extend(self.others.iter().cloned());
            }
        }
    }
}

/// Attaches errata to the flaws that they name.
fn attach<'a>(
    errata: impl Iterator<Item = (usize, &'a Named<'a>)>,
    groups: &mut BTreeMap<String, Members>,
) {
    let mut of_id: HashMap<String, Vec<String>> = HashMap::new();
    for (key, members) in &*groups {
        for id in &members.ids {
            of_id.entry(id.clone()).or_default().push(key.clone());
        }
    }
    for (index, record) in errata {
        let mut keys: BTreeSet<String> = BTreeSet::new();
        for target in &record.targets {
            keys.extend(of_id.get(target).into_iter().flatten().cloned());
            keys.extend(begins_as_cve(target).then(|| target.clone()));
        }
        for key in keys {
            let group = groups.entry(key.clone()).or_default();
            group.records.entry(index).or_insert(Attachment::Erratum);
            group.ids.extend([key, record.id.clone()]);
        }
    }
}

/// To which CVE an id that is no CVE belongs, by the records that name exactly one CVE.
fn cves_of_id(named: &[Named<'_>]) -> HashMap<String, BTreeSet<String>> {
    let mut cves_of_id: HashMap<String, BTreeSet<String>> = HashMap::new();
    for record in named.iter().filter(|it| it.cves.len() == 1 && !it.is_withdrawn()) {
        for other in &record.others {
            cves_of_id.entry(other.clone()).or_default().extend(record.cves.iter().cloned());
        }
    }
    cves_of_id
}

/// The records that name no CVE, joined where they name each other.
fn without_cve<'a>(named: &[Named<'a>], free: impl Fn(&Named<'a>) -> bool) -> Vec<Members> {
    let mut sets = Sets::default();
    let none = || named.iter().enumerate().filter(|(_, it)| free(it));
    for (_, record) in none() {
        let first = sets.find(&record.id);
        for other in record.others.iter().filter(|_| !record.is_withdrawn()) {
            let other = sets.find(other);
            sets.join(first, other);
        }
    }
    let mut members: BTreeMap<usize, Members> = BTreeMap::new();
    for text in sets.texts() {
        let set = sets.find(&text);
        members.entry(set).or_default().ids.insert(text);
    }
    for (index, record) in none() {
        let set = sets.find(&record.id);
        members.entry(set).or_default().records.insert(index, Attachment::Member);
    }
    members.into_values().collect()
}

/// The normal form of an id: CVE numbers in upper case, GHSA numbers as GitHub writes them,
/// everything else as written.
pub fn id(text: &str) -> String {
    let text = text.trim();
    match text.get(..5) {
        _ if begins_as_cve(text) => text.to_ascii_uppercase(),
        Some(head) if head.eq_ignore_ascii_case("GHSA-") => {
            format!("GHSA-{}", text[5..].to_ascii_lowercase())
        }
        _ => text.to_owned(),
    }
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

    /// Records as `id=alias,alias>upstream,upstream`; `!` in front marks a withdrawn one.
    fn records(text: &str) -> Vec<Advisory> {
        let record = |word: &str| {
            let (word, upstream) = word.split_once('>').unwrap_or((word, ""));
            let (id, aliases) = word.split_once('=').unwrap_or((word, ""));
            let list = |text: &str| -> Vec<String> {
                text.split(',').filter(|it| !it.is_empty()).map(Into::into).collect()
            };
            Advisory {
                withdrawn: id.starts_with('!').then_some(1),
                id: id.trim_start_matches('!').to_owned(),
                aliases: list(aliases),
                upstream: list(upstream),
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
                members.records.into_keys().map(|index| records[index].id.clone()).collect();
            names.sort();
            format!("{id}{{{}}}[{}]", ids.join(","), names.join(","))
        };
        groups(records, &Policy::default()).into_iter().map(show).collect()
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
    fn errata_are_attached_and_merge_nothing() {
        for (text, wanted) in [
            ("D-1>CVE-1 CVE-1", vec!["CVE-1{CVE-1,D-1}[CVE-1,D-1]"]),
            ("D-1>CVE-1,CVE-2", vec!["CVE-1{CVE-1,D-1}[D-1]", "CVE-2{CVE-2,D-1}[D-1]"]),
            ("D-1>GHSA-1 GHSA-1=CVE-1", vec!["CVE-1{CVE-1,D-1,GHSA-1}[D-1,GHSA-1]"]),
            ("D-1>GHSA-1 GHSA-1", vec!["GHSA-1{D-1,GHSA-1}[D-1,GHSA-1]"]),
            ("D-1>GHSA-9", vec!["D-1{D-1}[D-1]"]),
            ("D-1>D-2 D-2>D-1", vec!["D-1{D-1}[D-1]", "D-2{D-2}[D-2]"]),
            ("D-1=CVE-1>CVE-2", vec!["CVE-1{CVE-1,D-1}[D-1]", "CVE-2{CVE-2,D-1}[D-1]"]),
        ] {
            assert_eq!(shown_groups(&records(text)), wanted, "{text}");
        }
    }

    #[test]
    fn related_attaches_where_the_source_means_it() {
        let record = |id: &str| Advisory {
            id: id.into(),
            source: "errata".into(),
            related: vec!["CVE-1".into()],
            ..Advisory::default()
        };
        assert_eq!(shown_groups(&[record("ALSA-1")]), ["CVE-1{ALSA-1,CVE-1}[ALSA-1]"]);
        assert_eq!(shown_groups(&[record("X-1")]), ["X-1{X-1}[X-1]"]);
        let related_attaches = ["errata".to_owned()].into();
        let policy = Policy { related_attaches, ..Policy::default() };
        let found = groups(&[record("X-1")], &policy);
        assert_eq!(found["CVE-1"].records[&0], Attachment::Erratum);
    }

    #[test]
    fn how_a_record_belongs_is_kept() {
        let all = records("A-1=CVE-1 B-1=CVE-2 M-1=A-1,B-1 RS-1=CVE-1,CVE-2 D-1>CVE-1");
        let found = groups(&all, &Policy::default());
        let kinds: Vec<_> = found["CVE-1"].records.values().map(|it| it.as_str()).collect();
        assert_eq!(kinds, ["member", "alias-conflict", "bulletin", "erratum"]);
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
                let upstream = (0..rng.below(2)).map(|_| (*rng.pick(&ids)).to_owned()).collect();
                let withdrawn = rng.chance(10).then_some(1);
                all.push(Advisory { id, aliases, upstream, withdrawn, ..Advisory::default() });
            }
            let before = shown_groups(&all);
            for at in (1..all.len()).rev() {
                all.swap(at, rng.below(at + 1));
            }
            assert_eq!(shown_groups(&all), before, "seed {seed}");
        }
    }

    /// What incremental work rests on: the groups of records that are not linked, directly or
    /// through others, can be computed apart.
    #[test]
    fn groups_of_unlinked_records_are_independent() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let mut sides = Vec::new();
            for side in ["1", "2"] {
                let ids: Vec<String> =
                    ["CVE", "GHSA", "A", "B"].map(|kind| format!("{kind}-{side}")).into();
                let mut any = || (0..rng.below(3)).map(|_| rng.pick(&ids).clone()).collect();
                let record = |_| Advisory {
                    id: ids[2].clone(),
                    aliases: any(),
                    upstream: any(),
                    ..Advisory::default()
                };
                sides.push((0..4).map(record).collect::<Vec<_>>());
            }
            let both = shown_groups(&sides.concat());
            let mut apart: Vec<_> = sides.iter().flat_map(|side| shown_groups(side)).collect();
            apart.sort();
            let mut both = both;
            both.sort();
            assert_eq!(both, apart, "seed {seed}");
        }
    }
}
