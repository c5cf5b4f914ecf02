//! The four flaws of December 2021: every version, every source, day by day.

use std::collections::BTreeSet;

use relight_match::Advisories;
use relight_model::{Advisory, Affected, Digest};

use super::{advisory, affected, component};

const CVES: [&str; 4] = ["CVE-2021-44228", "CVE-2021-45046", "CVE-2021-45105", "CVE-2021-44832"];
const CORE: &str = "org.apache.logging.log4j:log4j-core";

/// What each source published, as events; the order is that of [`CVES`].
const APACHE: [&[&str]; 4] = [
    &["i2.0-beta9 f2.3.1", "i2.4 f2.12.2", "i2.13.0 f2.15.0"],
    &["i2.0-beta9 f2.3.1", "i2.4 f2.12.2", "i2.13.0 f2.16.0"],
    &["i2.0-alpha1 f2.3.1", "i2.4 f2.12.3", "i2.13.0 f2.17.0"],
    &["i2.0-beta7 f2.3.2", "i2.4 f2.12.4", "i2.13.0 f2.17.1"],
];
const GHSA: [&[&str]; 4] = [
    APACHE[0],
    &["i0 f2.12.2", "i2.13.0 f2.16.0"],
    &["i0 f2.3.1", "i2.4.0 f2.12.3", "i2.13.0 f2.17.0"],
    APACHE[3],
];
const GITLAB: [&[&str]; 4] = [
    &["i2.0 l2.3.1", "i2.4.0 f2.12.2", "i2.13.0 f2.17.1"],
    &["i2.0 f2.12.2", "i2.13.0 f2.16.0"],
    &["i2.0 f2.3.1", "i2.4 f2.12.3", "i2.13.0 l2.16.0"],
    &["i2.0 f2.17.1"],
];

/// The four records of a source.
fn records(source: &str, ranges: [&[&str]; 4]) -> Vec<Advisory> {
    let record = |(cve, ranges): (&str, &[&str])| Advisory {
        source: source.to_owned(),
        id: format!("{source}-{cve}"),
        aliases: vec![cve.to_owned()],
        ..advisory("", vec![affected("Maven", CORE, ranges)])
    };
    CVES.into_iter().zip(ranges).map(record).collect()
}

/// The rows of the table: a version, and for Apache, GHSA and GitLab the CVEs that affect it.
fn truth() -> Vec<(&'static str, [BTreeSet<&'static str>; 3])> {
    let mut rows = Vec::new();
    for line in include_str!("log4j_truth.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let version = words.next().unwrap();
        let mut cell = || {
            let marks = words.next().unwrap().bytes();
            assert_eq!(marks.len(), CVES.len(), "{line}");
            CVES.into_iter().zip(marks).filter(|(_, mark)| *mark == b'x').map(|(cve, _)| cve)
        };
        rows.push((version, [cell().collect(), cell().collect(), cell().collect()]));
    }
    rows
}

/// The CVEs that affect one version of log4j-core.
fn found(advisories: &Advisories, version: &str) -> BTreeSet<String> {
    let core = component(&format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}"));
    let findings = advisories.match_component(&core).into_iter();
    findings.inspect(|it| assert!(it.state.is_affected(), "{version}")).map(|it| it.id).collect()
}

fn texts(cves: &BTreeSet<&str>) -> BTreeSet<String> {
    cves.iter().map(|cve| (*cve).to_owned()).collect()
}

#[test]
fn log4j_truth() {
    let rows = truth();
    assert_eq!(rows.len(), 56);
    let sources = [("apache", APACHE), ("ghsa", GHSA), ("gitlab", GITLAB)];
    let mut affected = 0;
    for (place, (source, ranges)) in sources.into_iter().enumerate() {
        let advisories = Advisories::new(records(source, ranges));
        for (version, columns) in &rows {
            let got = found(&advisories, version);
            assert_eq!(got, texts(&columns[place]), "{source} {version}");
            affected += got.len();
        }
    }
    // So many of the 672 cells are marked; an empty table would agree with an empty matcher.
    assert_eq!(affected, 458);
}

#[test]
fn sources_together_lose_nothing() {
    let all = [("apache", APACHE), ("ghsa", GHSA), ("gitlab", GITLAB)];
    let all = all.into_iter().flat_map(|(source, ranges)| records(source, ranges)).collect();
    let advisories = Advisories::new(all);
    assert_eq!(advisories.groups().count(), CVES.len());
    for (version, [apache, ghsa, gitlab]) in truth() {
        let any = &(&apache | &ghsa) | &gitlab;
        assert_eq!(found(&advisories, version), texts(&any), "{version}");
    }
}

#[test]
fn neighbours_of_log4j_core_are_clear() {
    let advisories = Advisories::new(records("apache", APACHE));
    for name in ["log4j-api", "log4j-to-slf4j", "log4j-slf4j-impl", "log4j-1.2-api"] {
        let purl = format!("pkg:maven/org.apache.logging.log4j/{name}@2.14.1");
        assert_eq!(advisories.match_component(&component(&purl)), [], "{name}");
    }
}

/// Goal: the answer moves with the records, day by day. Method: the records as they stood on each
/// of four days; after each, who is affected, and which revisions changed.
#[test]
fn log4j_ten_days() {
    let first = |ranges: &[&str]| vec![affected("Maven", CORE, ranges)];
    let of = |number: usize, entries: Vec<Affected>| advisory(CVES[number], entries);
    let open = ["i2.0-beta9 f2.15.0"];
    let days: [(&str, Vec<Advisory>); 5] = [
        ("10 December", vec![of(0, first(&open))]),
        ("14 December", vec![of(0, first(&open)), of(1, first(&["i2.0-beta9 f2.16.0"]))]),
        (
            "18 December",
            vec![of(0, first(APACHE[0])), of(1, first(APACHE[1])), of(2, first(APACHE[2]))],
        ),
        ("4 January", (0..4).map(|number| of(number, first(APACHE[number]))).collect()),
        ("prose only", {
            let worded = |record| Advisory { summary: "reworded".into(), ..record };
            (0..4).map(|number| worded(of(number, first(APACHE[number])))).collect()
        }),
    ];
    let mut log = Vec::new();
    let mut before: Vec<(String, Digest)> = Vec::new();
    for (day, records) in days {
        let advisories = Advisories::new(records);
        let now: Vec<_> = advisories.groups().map(|it| (it.id.clone(), it.revision())).collect();
        let changed: Vec<_> = now.iter().filter(|it| !before.contains(it)).collect();
        let changed: Vec<_> = changed.into_iter().map(|(id, _)| &id[9..]).collect();
        let mut line = format!("{day}: changed {};", changed.join(" "));
        for version in ["2.3.1", "2.12.2", "2.15.0", "2.16.0", "2.17.0", "2.17.1"] {
            let ids = found(&advisories, version);
            let ids: Vec<_> = ids.iter().map(|id| &id[9..]).collect();
            line.push_str(&format!(" {version}[{}]", ids.join(" ")));
        }
        log.push(line);
        before = now;
    }
    assert_eq!(
        log,
        [
            "10 December: changed 44228; 2.3.1[44228] 2.12.2[44228] 2.15.0[] 2.16.0[] 2.17.0[] \
             2.17.1[]",
            "14 December: changed 45046; 2.3.1[44228 45046] 2.12.2[44228 45046] 2.15.0[45046] \
             2.16.0[] 2.17.0[] 2.17.1[]",
            "18 December: changed 44228 45046 45105; 2.3.1[] 2.12.2[45105] 2.15.0[45046 45105] \
             2.16.0[45105] 2.17.0[] 2.17.1[]",
            "4 January: changed 44832; 2.3.1[44832] 2.12.2[44832 45105] 2.15.0[44832 45046 45105] \
             2.16.0[44832 45105] 2.17.0[44832] 2.17.1[]",
            "prose only: changed ; 2.3.1[44832] 2.12.2[44832 45105] 2.15.0[44832 45046 45105] \
             2.16.0[44832 45105] 2.17.0[44832] 2.17.1[]",
        ]
    );
}
