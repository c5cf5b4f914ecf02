//! The four flaws of December 2021: every version, every source, day by day.

use std::collections::BTreeSet;

use relight_match::{Advisories, Flag, Judgement, Rank, Rule, Stand};
use relight_model::{Advisory, Affected, Digest};

use super::{advisory, affected, component, matches};

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

/// Source, start of its ids, and what it published, in the order of the columns.
const SOURCES: [(&str, &str, [&[&str]; 4]); 3] =
    [("cve", "APACHE", APACHE), ("ghsa", "GHSA", GHSA), ("gitlab", "GLAD", GITLAB)];

/// The four records of a source.
fn records(place: usize) -> Vec<Advisory> {
    let (source, start, ranges) = SOURCES[place];
    let record = |(cve, ranges): (&str, &[&str])| Advisory {
        source: source.to_owned(),
        assigner: if place == 0 { "apache".to_owned() } else { String::new() },
        id: format!("{start}-{cve}"),
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

/// The answer of one group about one version of log4j-core.
fn judged(advisories: &Advisories, cve: &str, version: &str) -> Judgement {
    let purl = format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
    advisories.group(cve).unwrap().judgement(&component(&purl))
}

/// Goal: every source's opinion is the published one, Apache decides, and whoever differs is told.
/// Method: all three sources together; 56 versions of 4 flaws by 3 sources are 672 opinions and
/// 224 answers, 42 of which somebody disputes.
#[test]
fn log4j_truth() {
    let rows = truth();
    assert_eq!(rows.len(), 56);
    let advisories = Advisories::new((0..3).flat_map(records).collect());
    assert_eq!(advisories.groups().count(), CVES.len());
    let (mut opinions, mut affected, mut disputed) = (0, 0, 0);
    for (version, columns) in &rows {
        for cve in CVES {
            let said = judged(&advisories, cve, version);
            let place = format!("{cve} {version}");
            for (column, (source, _, _)) in columns.iter().zip(SOURCES) {
                let opinion = said.opinions.iter().find(|it| it.source == source).unwrap();
                let wanted = column.contains(cve);
                assert_eq!(opinion.stand == Stand::Affected, wanted, "{place} {source}");
                assert!(matches!(opinion.rule, Rule::Interval | Rule::Outside), "{place}");
                opinions += 1;
                affected += usize::from(wanted);
            }
            let apache = columns[0].contains(cve);
            assert_eq!(said.stand() == Stand::Affected, apache, "{place}");
            assert_eq!(said.decisive().unwrap().rank, Rank::Vendor, "{place}");
            let differs = columns[1..].iter().any(|column| column.contains(cve) != apache);
            assert_eq!(said.has(Flag::SourcesDisagree), differs, "{place}");
            assert_eq!(said.has(Flag::ByPrecedence), differs && !apache, "{place}");
            disputed += usize::from(differs);
        }
        assert_eq!(found(&advisories, version), texts(&columns[0]), "{version}");
    }
    // So many of the cells are marked; an empty table would agree with an empty matcher.
    assert_eq!((opinions, affected, disputed), (672, 458, 42));
}

/// A source alone decides by itself, whatever its rank.
#[test]
fn each_source_alone_is_its_own_column() {
    for place in 0..3 {
        let advisories = Advisories::new(records(place));
        for (version, columns) in truth() {
            let got = found(&advisories, version);
            assert_eq!(got, texts(&columns[place]), "{} {version}", SOURCES[place].0);
        }
    }
}

/// GitLab lists `log4j-api` for two of the flaws; the binding knows that the API does not hold
/// them, whoever says so, and the dispute is shown.
#[test]
fn log4j_api() {
    let mut all: Vec<Advisory> = (0..3).flat_map(records).collect();
    let api = "org.apache.logging.log4j:log4j-api";
    for (cve, ranges) in
        [("CVE-2021-45105", &["i0 f2.12.3", "i2.12.3 f2.17.0"][..]), (CVES[3], &["i2.0 f2.17.1"])]
    {
        let record = all.iter_mut().find(|it| it.id == format!("GLAD-{cve}")).unwrap();
        record.affected.push(affected("Maven", api, ranges));
    }
    let advisories = Advisories::new(all);
    for name in ["log4j-api", "log4j-to-slf4j", "log4j-slf4j-impl", "log4j-1.2-api"] {
        let it = component(&format!("pkg:maven/org.apache.logging.log4j/{name}@2.14.1"));
        assert_eq!(matches(&advisories, &it), [""; 0], "{name}");
        for cve in CVES {
            let said = advisories.group(cve).unwrap().judgement(&it);
            assert_eq!(said.stand(), Stand::NotAffected);
            assert!(said.has(Flag::ByBinding), "{name} {cve}");
            let disputed = name == "log4j-api" && [CVES[2], CVES[3]].contains(&cve);
            assert_eq!(said.has(Flag::SourcesDisagree), disputed, "{name} {cve}");
            assert_eq!(said.has(Flag::ByPrecedence), disputed, "{name} {cve}");
        }
    }
}

/// Copies of the library under other coordinates, as GHSA lists them: one by a last affected
/// version, two by their only versions.
#[test]
fn log4j_clones() {
    let single = |name: &str, version: &str| Affected {
        versions: vec![version.to_owned()],
        ..affected("Maven", name, &[])
    };
    let mut all: Vec<Advisory> = (0..3).flat_map(records).collect();
    let ghsa = all.iter_mut().find(|it| it.id == "GHSA-CVE-2021-44228").unwrap();
    ghsa.affected.extend([
        affected("Maven", "com.guicedee.services:log4j-core", &["i0 l1.2.1.2-jre17"]),
        single("org.xbib.elasticsearch:log4j", "6.3.2.1"),
        single("uk.co.nichesolutions.logging.log4j:log4j-core", "2.6.3-CUSTOM"),
    ]);
    let advisories = Advisories::new(all);
    for (purl, wanted) in [
        ("com.guicedee.services/log4j-core@1.2.1.2-jre17", true),
        ("com.guicedee.services/log4j-core@1.0", true),
        ("com.guicedee.services/log4j-core@1.2.1.2-jre18", false),
        ("org.xbib.elasticsearch/log4j@6.3.2.1", true),
        ("org.xbib.elasticsearch/log4j@6.3.2.2", false),
        ("uk.co.nichesolutions.logging.log4j/log4j-core@2.6.3-CUSTOM", true),
        ("uk.co.nichesolutions.logging.log4j/log4j-core@2.6.3", false),
    ] {
        let found = matches(&advisories, &component(&format!("pkg:maven/{purl}")));
        // The other three flaws name the original alone: of copies with numbers of their own
        // nobody knows.
        let unknown = CVES[1..].iter().map(|id| format!("{id} range-unresolved"));
        let mut all: Vec<String> = unknown.collect();
        all.extend(wanted.then(|| "CVE-2021-44228 affected".to_owned()));
        all.sort();
        assert_eq!(found, all, "{purl}");
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
