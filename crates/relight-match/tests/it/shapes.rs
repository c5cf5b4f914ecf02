//! Failures of other tools whose inputs are real records: their packages, ranges and dates of
//! withdrawal as PyPA (CC-BY-4.0), Go (CC-BY-4.0) and RustSec (CC0) publish them, without any text.

use relight_match::{Advisories, Change, Flag, Matcher, Policy};
use relight_model::{
    Advisory, Affected, AffectedRange, Bound, CpeConfiguration, CpeMatch, CpeNode, CpeOperator,
    Effect, FindingState, RangeKind, Stance, Why,
};

use super::failures::said;
use super::{advisory, affected, component, matches, range};

/// Versions of the kernel that one record of NVD names, each in a match of its own.
const KERNEL_MATCHES: usize = 4_000;

/// Goal: a kernel is judged by its distribution, whatever NVD lists. Method: a record with
/// thousands of CPE matches, the version of the package among them, beside the tracker's.
#[test]
fn m08_kernel_with_thousands_of_cpe_matches() {
    let of = |at: usize| format!("{}.{}.{}", 3 + at / 1_000, at / 50 % 20, at % 50);
    let named = |at| CpeMatch {
        cpe: format!("cpe:2.3:o:linux:linux_kernel:{}:*:*:*:*:*:*:*", of(at)),
        vulnerable: true,
        lo: Bound::Unbounded,
        hi: Bound::Unbounded,
    };
    let bounded = CpeMatch {
        cpe: "cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*".into(),
        vulnerable: true,
        lo: Bound::Inclusive("2.6.12".into()),
        hi: Bound::Exclusive("99.0".into()),
    };
    let matches_of_nvd: Vec<_> = (0..KERNEL_MATCHES).map(named).chain([bounded]).collect();
    let operator = CpeOperator::Or;
    let nodes = vec![CpeNode { operator, negate: false, matches: matches_of_nvd }];
    let configurations = vec![CpeConfiguration { operator, negate: false, nodes }];
    let cpe = Advisory { source: "nvd".into(), configurations, ..advisory("CVE-1", vec![]) };
    let upstream = Advisory { source: "cve".into(), ..advisory("CVE-1", vec![]) };
    let fixed = affected("Debian:12", "linux", &["i0 f6.1.55-1"]);
    let tracker = Advisory { upstream: vec!["CVE-1".into()], ..advisory("D-1", vec![fixed]) };
    let known = Advisories::new(vec![cpe, upstream, tracker]);
    let deb = |version: &str| {
        let source = "distro=debian-12&upstream=linux";
        component(&format!("pkg:deb/debian/linux-image-6.1.0-13-amd64@{version}?{source}"))
    };
    // 6.1.40 is among the matches of NVD, and has its fix where the distribution carried it back.
    assert_eq!(of(3_090), "6.1.40");
    for (version, found) in [
        ("6.1.52-1", &["CVE-1 affected"][..]),
        ("6.1.55-1", &[]),
        ("6.1.55-1~bpo11%2B1", &["CVE-1 possible-match"]),
    ] {
        assert_eq!(matches(&known, &deb(version)), found, "{version}");
    }
    // Of a kernel that nobody but NVD speaks about there is no finding at all.
    for purl in ["pkg:generic/linux_kernel@6.1.40", "pkg:deb/ubuntu/linux@6.1.40-1"] {
        assert_eq!(matches(&known, &component(purl)), [""; 0], "{purl}");
    }
}

/// The thirteen records of PyPA that say nothing but a range of commits and, behind it, one of
/// versions: id, package, commits, versions, one inside, and one outside.
const GIT_FIRST: [[&str; 6]; 13] = [
    ["2019-227", "tensorflow-cpu", "i0 fdb4f9717c41b", "i1.0.0 f1.15.0", "1.14.0", "1.15.0"],
    ["2020-269", "tensorflow-cpu", "i0 f49f73c55d56e", "i0 f1.7.0", "1.6.0", "1.7.0"],
    ["2020-300", "tensorflow-cpu", "i0 f8b5b9dc96666", "i2.4.0rc0 f2.4.0", "2.4.0rc1", "2.3.1"],
    ["2020-335", "tensorflow-gpu", "i0 f8b5b9dc96666", "i2.4.0rc0 f2.4.0", "2.4.0rc4", "2.4.0"],
    ["2021-371", "binderhub", "i0 f195caac17269.patch", "i0 f0.2.0-n653", "0.1.0", ""],
    ["2022-296", "rdiffweb", "i0 f240678083161", "i0 f2.4.8", "2.4.7", "2.4.8"],
    ["2022-297", "rdiffweb", "i0 fee98e5af78ec", "i0 f2.4.9", "2.4.8", "2.4.9"],
    ["2022-298", "rdiffweb", "i0 fb62c479ff697", "i0 f2.4.10", "2.4.9", "2.4.10"],
    ["2022-299", "rdiffweb", "i0 fb62c479ff697", "i0 f2.4.10", "2.4.9", "2.4.10"],
    ["2022-302", "rdiffweb", "i0 f323383d1db65", "i0 f2.4.10", "2.4.9", "2.4.10"],
    ["2022-42975", "octoprint", "i0 f3cca3a43f3d0", "i0 f1.8.3", "1.8.2", "1.8.3"],
    ["2022-43051", "pyquest", "i0 f0c99bc511533 f125e4474f910", "i0", "9.9", ""],
    ["2022-43052", "request-util", "i0 f0c99bc511533 f125e4474f910", "i0", "9.9", ""],
];

/// Goal: the range behind the commits is read. Method: each record as it is published, and with its
/// ranges the other way round. `0.2.0-n653` is no version of PEP 440: what is above it is unknown.
#[test]
fn m12_git_range_first() {
    for [id, name, commits, events, inside, outside] in GIT_FIRST {
        let git = range(RangeKind::Git, commits);
        let versions = range(RangeKind::Ecosystem, events);
        let entry = |ranges: Vec<AffectedRange>| Affected { ranges, ..affected("PyPI", name, &[]) };
        let record = |ranges| advisory(&format!("PYSEC-{id}"), vec![entry(ranges)]);
        let both = [record(vec![git.clone(), versions.clone()]), record(vec![versions, git])];
        for record in both {
            let advisories = Advisories::new(vec![record.clone()]);
            let told = |it: &str| said(&advisories, &record.id, &format!("pkg:pypi/{name}@{it}"));
            assert_ne!(told(inside), "not-affected", "{id}");
            if id != "2021-371" {
                assert_eq!(told(inside), "affected", "{id}");
            }
            if !outside.is_empty() {
                assert_eq!(told(outside), "not-affected", "{id}");
            }
        }
    }
    let alone = Affected {
        ranges: vec![range(RangeKind::Git, "iaaaa fbbbb")],
        ..affected("PyPI", "lib", &[])
    };
    let advisories = Advisories::new(vec![advisory("X-1", vec![alone])]);
    for (version, wanted) in [("1.0", "git-only"), ("aaaa", "affected"), ("bbbb", "not-affected")] {
        let said = said(&advisories, "X-1", &format!("pkg:pypi/lib@{version}"));
        assert_eq!(said, wanted, "{version}");
    }
}

/// What a record that is in force says of the version beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It is affected.
    Affected,
    /// The record names a package and no range.
    Unresolved,
    /// It only tells something: nothing is affected by it.
    Notice,
}

use Says::{Affected as A, Notice as N, Unresolved as U};

/// Id, aliases, packages, events, version, what is said of it.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, Says);

/// The forty records of the developers' set that were withdrawn: id, aliases, packages, events
/// (`c` before those of Go's own ranges), a version that they mean, what they say of it.
const WITHDRAWN: [Row; 40] = [
    ("GO-2022-0617", "CVE-2020-8562 GHSA-qh36-44jv-c8xj", "k8s.io/kubernetes", "i0", "v1.21.0", A),
    ("GO-2024-2442", "GHSA-76cc-p55w-63g3", TELEPORT, "c i13.0.0 f13.4.13 i14.0.0 f14.2.4", T13, A),
    ("GO-2024-2445", "GHSA-c9v7-wmwj-vf6x", TELEPORT, TELEPORT_OLD, "v12.4.30", A),
    ("GO-2024-2447", "GHSA-hw4x-mcx5-9q36", TELEPORT, TELEPORT_OLD, "v14.2.3", A),
    ("GO-2024-2449", "GHSA-vfxf-76hv-v4w4", TELEPORT, TELEPORT_OLD, T13, A),
    ("GO-2024-2730", "", "github.com/gorilla/sessions", "i0", "v1.2.1", A),
    ("GO-2025-3408", "", "github.com/hashicorp/yamux", "i0.1.0", "v0.1.1", A),
    (
        "GO-2025-3543",
        "CVE-2025-27612",
        "github.com/opencontainers/runc",
        "c i0 f0.5.3",
        "v0.1.1",
        A,
    ),
    ("GO-2026-4923", "CVE-2026-33817 GHSA-6jwv-w5xf-7j27", "go.etcd.io/bbolt", "i0", "v1.3.9", A),
    ("GO-2026-6115", "CVE-2026-56867", PDF, "i0", "v0.0.1", A),
    ("GO-2026-6166", "CVE-2026-56868", PQ, "i1.6.0", "v1.10.9", A),
    ("GO-2026-6168", "CVE-2026-56869", PQ, "i1.1.0", "v1.10.9", A),
    ("GO-2026-6169", "CVE-2026-56870", PQ, "i1.11.0", "v1.11.0", A),
    ("GO-2026-6170", "CVE-2026-56871", PQ, "i1.0.0", "v1.0.0", A),
    ("GO-2026-6171", "CVE-2026-56872", PQ, "i1.0.0", "v1.10.9", A),
    ("GO-2026-6172", "CVE-2026-56873", PQ, "i1.0.0", "v1.10.9", A),
    ("GO-2026-6173", "CVE-2026-56874", PQ, "i1.11.0", "v1.11.1", A),
    ("PYSEC-2019-144", "CVE-2018-20998", "arrayfire", "i0 f3.6.0", "3.5.20170817", A),
    ("PYSEC-2020-221", "CVE-2020-25636", "ansible", "i0", "8.1.0", A),
    ("PYSEC-2021-125", "CVE-2021-3532", "ansible", "i0", "9.11.0", A),
    ("PYSEC-2021-13", "CVE-2021-33026 GHSA-656c-6cxf-hvcv", "flask-caching", "i1.0.0", "2.0.2", A),
    ("PYSEC-2022-15", "CVE-2022-0329 GHSA-cvp7-c586-cmf4", "loguru", "", "0.5.3", U),
    ("PYSEC-2022-43055", "CVE-2022-45196", "hyperledger", "i0", "0.1.5", A),
    ("PYSEC-2022-43059", "CVE-2022-33124", "aiohttp", "i0", "3.9.4rc0", A),
    ("PYSEC-2023-101", "CVE-2020-23452", "selenium", "i0", "4.12.0", A),
    ("PYSEC-2023-141", "CVE-2023-37625", "pynetbox", "i0", "7.2.0", A),
    ("PYSEC-2023-73", "CVE-2023-31655", "redis", "i0", "5.0.0rc1", A),
    ("RUSTSEC-2019-0031", "", "spin", "", "0.5.2", N),
    ("RUSTSEC-2020-0053", "", "dirs", "i0", "2.0.2", N),
    ("RUSTSEC-2020-0054", "", "directories", "i0", "2.0.2", N),
    ("RUSTSEC-2020-0055", "", "libpulse-binding", "", "2.4.0", U),
    (
        "RUSTSEC-2021-0135",
        "GHSA-wwh2-r387-g5rm",
        "tower-http",
        "i0 f0.1.3,i0.2.0 f0.2.1",
        "0.2.0",
        A,
    ),
    ("RUSTSEC-2021-0147", "", "daemonize", "i0", "0.4.1", N),
    ("RUSTSEC-2022-0044", "", "markdown", "i0 f1.0.0-alpha.1", "0.3.0", N),
    ("RUSTSEC-2022-0048", "", "xml-rs", "i0", "0.8.4", N),
    ("RUSTSEC-2023-0002", "", "git2", "i0 f0.16.0", "0.15.0", A),
    ("RUSTSEC-2025-0007", "", "ring", "i0", "0.17.8", N),
    ("RUSTSEC-2025-0014", "", "humantime", "i0", "2.1.0", N),
    ("RUSTSEC-2025-0120", "", "json5", "i0", "0.4.1", N),
    ("RUSTSEC-2026-0132", "", "ssdeep", "i0", "0.5.0", A),
];

const TELEPORT: &str = "github.com/gravitational/teleport";
const TELEPORT_OLD: &str = "c i0 f12.4.31 i13.0.0 f13.4.13 i14.0.0 f14.2.4";
const T13: &str = "v13.4.12";
const PDF: &str = "github.com/dslipak/pdf github.com/ledongthuc/pdf rsc.io/pdf";
const PQ: &str = "github.com/lib/pq";

/// The ecosystem of a database, and the type of its purls.
fn ecosystem(id: &str) -> (&'static str, &'static str) {
    match &id[..2] {
        "GO" => ("Go", "golang"),
        "PY" => ("PyPI", "pypi"),
        _ => ("crates.io", "cargo"),
    }
}

/// A record of [`WITHDRAWN`] as it was before.
fn record((id, aliases, packages, events, _, says): Row) -> Advisory {
    let entry = |name: &str| {
        let mut entry = affected(ecosystem(id).0, name, &[]);
        match (events.strip_prefix("c "), says) {
            (_, U) => entry.stance = Stance::Unresolved(Why::NoRange),
            (Some(custom), _) => {
                entry.ranges.push(range(RangeKind::Ecosystem, "i0"));
                entry.ranges.push(range(RangeKind::Custom, custom));
            }
            (None, _) => {
                let ranges = events.split(',').filter(|it| !it.is_empty());
                entry.ranges.extend(ranges.map(|it| range(RangeKind::Ecosystem, it)));
            }
        }
        entry
    };
    let effect = if says == N { Effect::Notice("unmaintained".into()) } else { Effect::Opinion };
    Advisory {
        source: id[..2].to_ascii_lowercase(),
        aliases: aliases.split_whitespace().map(str::to_owned).collect(),
        effect,
        ..advisory(id, packages.split_whitespace().map(entry).collect())
    }
}

/// The package of the other record: the same, unless silence about versions would end beside it.
fn beside((_, _, packages, _, _, says): &Row) -> &'static str {
    let name = packages.split_whitespace().next().unwrap();
    if *says == U { "beside" } else { name }
}

/// Goal: of a record that is withdrawn, rejected or gone the opinion ends, and comes back with it;
/// others of the group keep theirs, and history is one. Method: each of the forty real ones, both
/// ways, beside a record of somebody else about the same flaw and another version.
#[test]
fn m19_withdrawn_and_back() {
    let other = |id: &str, name: &str| {
        let entry = affected(ecosystem(id).0, name, &["i7777 f7778"]);
        let entry = Affected { versions: vec!["7777".into()], ..entry };
        Advisory {
            source: "other".into(),
            aliases: vec![id.to_owned()],
            ..advisory("", vec![entry])
        }
    };
    let mut records: Vec<Advisory> = WITHDRAWN.map(record).to_vec();
    for (at, row) in WITHDRAWN.iter().enumerate() {
        records.push(Advisory { id: format!("O-{at}"), ..other(row.0, beside(row)) });
    }
    let mut matcher = Matcher::new(Advisories::new(records.clone()));
    let purl = |id: &str, name: &str, version: &str| {
        component(&format!("pkg:{}/{name}@{version}", ecosystem(id).1))
    };
    let mut identities = Vec::new();
    for row in WITHDRAWN {
        let (id, _, packages, _, version, _) = row;
        for name in packages.split_whitespace() {
            identities.push(purl(id, name, version));
        }
        identities.push(purl(id, beside(&row), "7777"));
    }
    matcher.add((0..).zip(identities));
    let before = matcher.digest();
    for (record, row) in records.iter().zip(WITHDRAWN) {
        let (id, _, packages, _, version, says) = row;
        let name = packages.split_whitespace().next().unwrap();
        let check = |matcher: &Matcher, is_in_force: bool| {
            let all = matcher.advisories();
            // A record that is withdrawn ties no ids together: the other one may stand alone then.
            let groups = || all.groups_of(id);
            let found = |name: &str, version: &str| {
                let it = purl(id, name, version);
                groups().find_map(|group| group.judge(&it)).map(|it| it.state.as_str())
            };
            let wanted = match says {
                A if is_in_force => Some("affected"),
                U if is_in_force => Some("range-unresolved"),
                _ => None,
            };
            assert_eq!(found(name, version), wanted, "{id} {is_in_force}");
            let other = found(beside(&row), "7777");
            assert_eq!(other, Some("affected"), "{id}: the other record keeps its opinion");
            let records = || groups().flat_map(|group| group.records());
            assert!(records().any(|it| it.source == "other"), "{id}");
        };
        check(&matcher, true);
        let withdrawn = Advisory { withdrawn: Some(9), ..record.clone() };
        matcher.apply(vec![Change::put(withdrawn)]);
        check(&matcher, false);
        let is_shown = |matcher: &Matcher| {
            let groups = matcher.advisories().groups_of(id);
            groups.flat_map(|group| group.records()).any(|it| it.id == id)
        };
        assert!(is_shown(&matcher), "{id} is still shown");
        matcher.apply(vec![Change::put(record.clone())]);
        check(&matcher, true);
        assert_eq!(matcher.digest(), before, "{id} is back");
        matcher.apply(vec![Change::remove(&record.source, id)]);
        check(&matcher, false);
        assert!(!is_shown(&matcher), "{id} has gone");
        matcher.apply(vec![Change::put(record.clone())]);
        assert!(matcher.rematch(), "{id}");
    }
    assert_eq!(matcher.digest(), before);
}

/// Goal: only a distribution decides about its packages (ADVISORIES.md 2.3 and 3.6); somebody else
/// may add what it does not speak of, and clears nothing. Method: the words of Debian beside those
/// of another source, in both directions, alone, and about what lies inside of a package.
#[test]
fn a_stranger_clears_no_package_of_a_distribution() {
    let says = |source: &str, events: &str| {
        let entry = affected("Debian:12", "log", &[events]);
        let record = advisory(&format!("X-{source}"), vec![entry]);
        Advisory { source: source.into(), upstream: vec!["CVE-1".into()], ..record }
    };
    let never = |source: &str| {
        let mut record = says(source, "i0 f9");
        record.affected[0].ranges.clear();
        record.affected[0].stance = Stance::NotAffected;
        record
    };
    let it = component("pkg:deb/debian/log@2.0-1?distro=debian-12");
    let strangers = ["osv", "house", "almalinux", "cve", "csaf/https://debian.org.example"];
    for stranger in strangers {
        for (records, wanted) in [
            (vec![says("debian", "i0 f2.0-2"), says(stranger, "i0 f1.0-1")], "affected"),
            (vec![says("debian", "i0 f2.0-2"), never(stranger)], "affected"),
            (vec![says("debian", "i0 f1.0-1"), says(stranger, "i0 f2.0-2")], "clear"),
            (vec![says(stranger, "i0 f2.0-2")], "affected"),
            (vec![says(stranger, "i0 f1.0-1")], "range-unresolved"),
            (vec![says(stranger, "i0 f2.0-2"), never("osv-debian")], "clear"),
        ] {
            let trusted = ["Example".to_owned()].into();
            let all = Advisories::with_policy(records, Policy { trusted, ..Policy::default() });
            let group = all.group("CVE-1").unwrap();
            let state = group.judge(&it).map_or("clear", |found| found.state.as_str());
            assert_eq!(state, wanted, "{stranger}: {:?}", group.judgement(&it));
            let is_disputed = group.judgement(&it).has(Flag::SourcesDisagree);
            assert_eq!(is_disputed, wanted == "clear", "{stranger}: {:?}", group.judgement(&it));
        }
        // What lies inside of a package is fixed by the word of its distribution alone.
        let core = Advisory {
            aliases: vec!["CVE-1".into()],
            ..advisory("GHSA-a", vec![affected("Maven", "org.example:log", &["i1 f3"])])
        };
        let mut jar = component("pkg:maven/org.example/log@2.0");
        jar.owned_by = Some(it.purl.clone());
        for (source, wanted) in [("debian", None), (stranger, Some(FindingState::Affected))] {
            let all = Advisories::new(vec![core.clone(), says(source, "i0 f2.0-1")]);
            let found = all.group("CVE-1").unwrap().judge(&jar).map(|found| found.state);
            assert_eq!(found, wanted, "{source}");
        }
    }
}
