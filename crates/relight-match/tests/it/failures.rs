//! The failures that other tools were reported for, each by its number in ADVISORIES.md 10; 6, 15
//! and 17 stand beside the other tests of statements, 12 and 19 in `shapes`.

use relight_match::{Advisories, Change, Cpe, CpeOpinion, Enclosure, Flag, Matcher, Stand};
use relight_model::{
    Advisory, Affected, Basis, Bound, BoundBasis, Component, CpeConfiguration, CpeMatch, CpeNode,
    CpeOperator, FindingState, Interval, RangeKind, RangeStatus, Scope, Stance, Why,
};

use super::{advisory, affected, component, matches, range, state};

pub(super) const LIB: &str = "pkg:maven/org.example/lib";

pub(super) fn lib(ranges: &[&str]) -> Affected {
    affected("Maven", "org.example:lib", ranges)
}

/// `affected`, `not-affected`, or the reason for unknown.
pub(super) fn said(advisories: &Advisories, flaw: &str, purl: &str) -> &'static str {
    said_of(advisories, flaw, &component(purl))
}

fn said_of(advisories: &Advisories, flaw: &str, it: &Component) -> &'static str {
    match advisories.group(flaw).unwrap().judgement(it).stand() {
        Stand::Unknown(why) => why.as_str(),
        stand => stand.as_str(),
    }
}

/// A component of somebody else's document.
fn foreign(purl: &str) -> Component {
    Component { basis: Basis::Document, scope: Scope::Declared, ..component(purl) }
}

/// A record of NVD: CPE names and nothing else.
fn nvd(id: &str, cpe: &str) -> Advisory {
    let cpe = format!("cpe:2.3:a:{cpe}:*:*:*:*:*:*:*:*");
    let (lo, hi) = (Bound::Unbounded, Bound::Unbounded);
    let matches = vec![CpeMatch { cpe, vulnerable: true, lo, hi }];
    let operator = CpeOperator::Or;
    let nodes = vec![CpeNode { operator, negate: false, matches }];
    let configurations = vec![CpeConfiguration { operator, negate: false, nodes }];
    Advisory { source: "nvd".into(), configurations, ..advisory(id, vec![]) }
}

#[test]
fn m01_no_cpe_from_jar_names() {
    let products = [
        "apache:karaf",
        "apache:cxf",
        "apache:soap",
        "netty:netty",
        "apache:sling",
        "nextcloud:mail",
        "oracle:mysql",
        "apache:maven",
    ];
    let records = products.iter().enumerate().map(|(at, cpe)| nvd(&format!("CVE-2021-{at}"), cpe));
    let advisories = Advisories::new(records.collect());
    for purl in [
        "pkg:maven/org.apache.maven/maven-core@3.8.1",
        "pkg:maven/org.apache.cxf.xjcplugins/cxf-xjc@3.3.0",
        "pkg:maven/org.apache.cxf/cxf-rt-bindings-soap@3.4.0",
        "pkg:maven/com.typesafe.netty/netty-reactive-streams@2.0.5",
        "pkg:maven/org.apache.sling/org.apache.sling.johnzon@1.2.0",
        "pkg:maven/com.sun.mail/javax.mail@1.6.2",
        "pkg:golang/github.com/go-sql-driver/mysql@1.6.0",
        "pkg:maven/karaf@1",
        "pkg:generic/mysql@5.7",
    ] {
        assert_eq!(matches(&advisories, &component(purl)), [""; 0], "{purl}");
    }
}

/// Unknown with the same reason at each upgrade, and one finding that stays the same one.
#[test]
fn m02_cpe_without_version() {
    let entry = Affected { stance: Stance::Unresolved(Why::AllVersions), ..lib(&[]) };
    let record = advisory("CVE-1", vec![entry]);
    let advisories = Advisories::new(vec![record, nvd("CVE-2", "example:lib")]);
    for version in ["1.0", "2.0", "3.0"] {
        let purl = format!("{LIB}@{version}");
        assert_eq!(matches(&advisories, &component(&purl)), ["CVE-1 range-unresolved"]);
        assert_eq!(said(&advisories, "CVE-1", &purl), "all-versions");
    }
    // By the name of a product that somebody stated, for every version and for none.
    for version in ["*", "-"] {
        let name = |version: &str| format!("cpe:2.3:a:example:lib:{version}:*:*:*:*:*:*:*");
        let mut record = nvd("CVE-3", "example:lib");
        record.configurations[0].nodes[0].matches[0].cpe = name(version);
        let all = Advisories::new(vec![record]);
        for upgrade in ["1.0", "2.0", "3.0"] {
            let opinions =
                all.group("CVE-3").unwrap().by_cpe(&[Cpe::parse(&name(upgrade)).unwrap()]);
            let stand = CpeOpinion::stand_of(&opinions);
            let unknown = Stand::Unknown(relight_match::Why::AllVersions);
            assert_eq!(stand, unknown, "{version} {upgrade}");
        }
    }
    // One finding after each upgrade, and the same one.
    let mut matcher = Matcher::new(advisories);
    let mut seen = Vec::new();
    for (number, version) in (0_u32..).zip(["1.0", "2.0", "3.0"]) {
        matcher.remove(number.checked_sub(1));
        matcher.add([(number, component(&format!("{LIB}@{version}")))]);
        let [found] = matcher.matches("CVE-1") else { panic!("{version}") };
        seen.push((found.stand, found.is_disputed, found.by_statement));
        assert!(matcher.matches("CVE-2").is_empty(), "{version}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn m03_log4j_api_and_bridges() {
    let core = affected("Maven", "org.apache.logging.log4j:log4j-core", &["i2.0-beta9 f2.15.0"]);
    let cna = Advisory { source: "cve".into(), assigner: "apache".into(), ..Advisory::default() };
    let cna = Advisory { id: "CVE-2021-44228".into(), affected: vec![core], ..cna };
    let api = affected("Maven", "org.apache.logging.log4j:log4j-api", &["i2.0 f2.15.0"]);
    let other = Advisory { aliases: vec![cna.id.clone()], ..advisory("GHSA-1", vec![api]) };
    let advisories = Advisories::new(vec![cna, other]);
    let group = advisories.group("CVE-2021-44228").unwrap();
    for name in ["log4j-api", "log4j-to-slf4j"] {
        let it = component(&format!("pkg:maven/org.apache.logging.log4j/{name}@2.14.1"));
        let judgement = group.judgement(&it);
        assert_eq!(judgement.stand(), Stand::NotAffected, "{name}");
        assert!(judgement.has(Flag::ByBinding), "{name}");
        assert_eq!(judgement.has(Flag::SourcesDisagree), name == "log4j-api");
    }
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    assert_eq!(said(&advisories, "CVE-2021-44228", purl), "affected");
}

/// Where a copy lies, and how it was recognised, changes nothing; a name alone is never certain.
#[test]
fn m04_nested_shaded_clones() {
    let core = affected("Maven", "org.apache.logging.log4j:log4j-core", &["i2.0-beta9 f2.15.0"]);
    let advisories = Advisories::new(vec![advisory("CVE-2021-44228", vec![core])]);
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core";
    for (place, basis, version, wanted) in [
        ("es.tar.gz!/lib/log4j-core-2.11.1.jar", Basis::PomProperties, "2.11.1", "affected"),
        ("app.war!/WEB-INF/lib/a.jar!/b.jar", Basis::PomProperties, "2.14.1", "affected"),
        ("logstash.jar", Basis::FingerprintExact, "2.14.0", "affected"),
        ("shaded.jar!/relocated", Basis::FingerprintExact, "2.15.0", "clear"),
    ] {
        let it = component(&format!("{purl}@{version}"));
        let it = Component { evidence: place.into(), basis, ..it };
        let found = matches(&advisories, &it);
        assert_eq!(!found.is_empty(), wanted == "affected", "{place}");
    }
    let candidates = |list: &[&str]| Component {
        candidates: list.iter().map(|it| (*it).to_owned()).collect(),
        ..component(purl)
    };
    for (list, wanted) in [
        (&["2.14.0", "2.14.1"][..], "affected"),
        (&["2.14.1", "2.15.0"], "several-versions"),
        (&["2.15.0", "2.16.0"], "not-affected"),
    ] {
        assert_eq!(said_of(&advisories, "CVE-2021-44228", &candidates(list)), wanted);
    }
    let bare = matches(&advisories, &component("pkg:maven/log4j-core@2.14.1"));
    assert_eq!(bare, ["CVE-2021-44228 possible-match"]);
}

/// One finding, whoever names the flaw and in which order the names become known.
#[test]
fn m05_one_vulnerability_once() {
    let named = |id: &str, aliases: &[&str], upstream: &[&str], entry: Affected| Advisory {
        aliases: aliases.iter().map(|it| (*it).to_owned()).collect(),
        upstream: upstream.iter().map(|it| (*it).to_owned()).collect(),
        ..advisory(id, vec![entry])
    };
    let go = || affected("Go", "example.org/m", &["i0 f1.2.0"]);
    let deb = || affected("Debian:12", "log", &["i0 f2-1"]);
    for (records, purl) in [
        (
            vec![
                named("GHSA-1", &["CVE-1"], &[], lib(&["i1 f2"])),
                advisory("CVE-1", vec![lib(&["i1 f2"])]),
            ],
            "pkg:maven/org.example/lib@1.5",
        ),
        (
            vec![named("GO-1", &["GHSA-1"], &[], go()), named("GHSA-1", &["CVE-1"], &[], go())],
            "pkg:golang/example.org/m@v1.1.0",
        ),
        (
            vec![named("DSA-1", &[], &["CVE-1"], deb()), advisory("CVE-1", vec![lib(&["i1 f2"])])],
            "pkg:deb/debian/log@1-1?distro=debian-12",
        ),
    ] {
        let advisories = Advisories::new(records);
        assert_eq!(matches(&advisories, &component(purl)), ["CVE-1 affected"], "{purl}");
        // Whoever decided says where it is fixed.
        let judgement = advisories.group("CVE-1").unwrap().judgement(&component(purl));
        let decisive = judgement.decisive().unwrap();
        assert_eq!(decisive.basis, "fixed", "{purl}");
        let fixed =
            [",<2", ",<1.2.0", ",<2-1"].into_iter().any(|it| decisive.interval.ends_with(it));
        assert!(fixed, "{purl}: {}", decisive.interval);
    }
    // The alias comes a day late: two findings become one, under any id.
    let early = named("GHSA-1", &[], &[], lib(&["i1 f2"]));
    let mut advisories = Advisories::new(vec![early, advisory("CVE-1", vec![lib(&["i1 f3"])])]);
    let it = component("pkg:maven/org.example/lib@1.5");
    assert_eq!(matches(&advisories, &it), ["CVE-1 affected", "GHSA-1 affected"]);
    let late = named("GHSA-1", &["CVE-1"], &[], lib(&["i1 f2"]));
    let moved = advisories.apply(vec![Change::put(late)]);
    let moved: Vec<_> = moved.groups.keys().map(String::as_str).collect();
    assert_eq!(moved, ["CVE-1", "GHSA-1"]);
    assert_eq!(matches(&advisories, &it), ["CVE-1 affected"]);
    assert_eq!(advisories.group("ghsa-1").unwrap().id, "CVE-1");
}

#[test]
fn m07_epoch_on_one_side() {
    let record = advisory("CVE-1", vec![affected("Debian:12", "vim", &["i0 f1:2.0-1"])]);
    let advisories = Advisories::new(vec![record]);
    let purl = |text: &str| format!("pkg:deb/debian/vim@{text}distro=debian-12");
    for (text, wanted) in [
        ("1:2.0-1?", "not-affected"),
        ("1:1.9-1?", "affected"),
        ("2.0-1?epoch=1&", "not-affected"),
        ("2.0-1?", "epoch-missing"),
    ] {
        let it = foreign(&purl(text));
        assert_eq!(said_of(&advisories, "CVE-1", &it), wanted, "{text}");
    }
    // In the package database of the machine nothing is lost: no epoch is epoch 0.
    assert_eq!(said(&advisories, "CVE-1", &purl("2.0-1?")), "affected");
    let rpm = advisory("CVE-2", vec![affected("AlmaLinux:8", "bind", &["i0 f32:9.11-1.el8"])]);
    let advisories = Advisories::new(vec![rpm]);
    let it = foreign("pkg:rpm/almalinux/bind@9.11-1.el8?distro=almalinux-8.5");
    assert_eq!(said_of(&advisories, "CVE-2", &it), "epoch-missing");
    let own = "pkg:rpm/almalinux/bind@9.11-1.el8?distro=almalinux-8.5&epoch=32";
    assert_eq!(said(&advisories, "CVE-2", own), "not-affected");
}

/// Goal: errata of a distribution reach its packages under the releases that OSV writes; one about
/// a part of a release, or about nobody knows which, is never silent. Method: each form of a
/// release against a component that is older than the fix, and against one that has it.
#[test]
fn m15_errata_reach_the_releases_that_they_are_about() {
    for (release, distro, wanted) in [
        ("Red Hat:enterprise_linux:9::baseos", "redhat rhel-9.2", "affected"),
        ("Red Hat:enterprise_linux:9::baseos", "redhat rhel-8.6", "silent"),
        ("Red Hat:rhel_eus:8.4::appstream", "redhat rhel-8.4", "release-perhaps"),
        ("Red Hat:rhel_eus:8.4::appstream", "redhat rhel-9.2", "silent"),
        ("Red Hat:openshift:4.12::el8", "redhat rhel-8.4", "release-perhaps"),
        ("Red Hat:something_new:1", "redhat rhel-8.4", "release-perhaps"),
        ("Red Hat:enterprise_linux:9::baseos", "redhat rhel", "release-unknown"),
        ("Red Hat:enterprise_linux:10.1", "redhat rhel-10.0", "affected"),
        ("SUSE:Linux Enterprise Server 15 SP4", "suse sles-15.4", "affected"),
        ("SUSE:Linux Enterprise Module for Basesystem 15 SP4", "suse sles-15.4", "affected"),
        ("SUSE:Linux Enterprise Server 15 SP4", "suse sles-15.5", "silent"),
        ("SUSE:Manager Server 4.3", "suse sles-15.4", "release-perhaps"),
        ("SUSE:Manager Server 4.3", "suse sles-15.3", "silent"),
        ("openSUSE:Leap 15.5", "opensuse opensuse-leap-15.5", "affected"),
        ("openSUSE:Leap 15.5", "opensuse opensuse-tumbleweed-20240101", "silent"),
        ("openSUSE:Tumbleweed", "opensuse opensuse-tumbleweed-20240101", "affected"),
        ("openEuler:22.03-LTS-SP1", "openEuler openEuler-22.03", "release-perhaps"),
        ("openEuler:22.03-LTS-SP1", "openEuler openEuler-22.03-LTS-SP1", "affected"),
        ("openEuler:22.03-LTS-SP1", "openEuler openEuler-20.03", "silent"),
        ("Photon OS:4.0", "photon photon-4.0", "affected"),
        ("AlmaLinux:8", "almalinux almalinux-8.5", "affected"),
    ] {
        let record = advisory("CVE-1", vec![affected(release, "log", &["i0 f2.0-1"])]);
        let (namespace, distro) = distro.split_once(' ').unwrap();
        let of = |version: &str| {
            component(&format!("pkg:rpm/{namespace}/log@{version}?distro={distro}"))
        };
        let known = Advisories::new(vec![record.clone()]);
        let is_heard = !known.group("CVE-1").unwrap().judgement(&of("1.0-1")).opinions.is_empty();
        let told = if is_heard { said_of(&known, "CVE-1", &of("1.0-1")) } else { "silent" };
        assert_eq!(told, wanted, "{release} for {distro}");
        assert_eq!(said_of(&known, "CVE-1", &of("2.0-1")), "not-affected", "{release}");
        let mut matcher = Matcher::new(Advisories::new(vec![record]));
        matcher.add([(0, of("1.0-1")), (1, of("2.0-1"))]);
        let listed: Vec<_> = matcher.matches("CVE-1").iter().map(|it| it.stand.as_str()).collect();
        let listed = listed.first().copied().unwrap_or("silent");
        let short = if wanted.starts_with("release") { "unknown" } else { wanted };
        assert_eq!(listed, short, "{release} for {distro}");
        assert!(matcher.rematch(), "{release} for {distro}");
    }
}

/// The distribution decides about its packages; a backport is judged by the suite that it was
/// built from.
#[test]
fn m08_backports() {
    let upstream = affected("Maven", "org.example:log", &["i0 f3.0"]);
    let bookworm = affected("Debian:12", "log", &["i0 f2.0-1+deb12u1"]);
    let sid = affected("Debian:sid", "log", &["i0 f2.1-1"]);
    let nvd = nvd("CVE-1", "linux:linux_kernel");
    let with = |more: Vec<Affected>| {
        let upstream = advisory("CVE-1", vec![upstream.clone()]);
        let more = Advisory { upstream: vec!["CVE-1".into()], ..advisory("DSA-1", more) };
        Advisories::new(vec![upstream, nvd.clone(), more])
    };
    let known = with(vec![bookworm.clone(), sid]);
    let purl = |version: &str| format!("pkg:deb/debian/log@{version}?distro=debian-12");
    for (version, wanted) in [
        ("2.0-1", "affected"),
        ("2.0-1%2Bdeb12u1", "not-affected"),
        ("2.1-1~bpo12%2B1", "not-affected"),
        ("2.0-9~bpo12%2B1", "affected"),
    ] {
        assert_eq!(said(&known, "CVE-1", &purl(version)), wanted, "{version}");
    }
    // Nobody speaks of sid: not the release that it was built for, nor a suite without a number.
    let experimental = affected("Debian:experimental", "log", &["i0 f2.0-1"]);
    for only in [bookworm, experimental] {
        assert_eq!(said(&with(vec![only]), "CVE-1", &purl("2.1-1~bpo12%2B1")), "backport-base");
    }
}

/// Maven's order, not that of the eye; and a list that is older than the range beside it.
#[test]
fn m09_maven_order_and_stale_lists() {
    let order = Advisories::new(vec![advisory("X-1", vec![lib(&["i1.0.0-beta.9 f1.0.0"])])]);
    assert_eq!(said(&order, "X-1", &format!("{LIB}@1.0.0-beta10")), "not-affected");
    let order = Advisories::new(vec![advisory("X-1", vec![lib(&["i1.0.0-beta10 f1.0.0"])])]);
    assert_eq!(said(&order, "X-1", &format!("{LIB}@1.0.0-beta.9")), "affected");
    let entry = Affected { versions: vec!["1.0".into(), "9.0".into()], ..lib(&["i1 f2"]) };
    let stale = Advisories::new(vec![advisory("X-1", vec![entry])]);
    for (version, wanted, differs) in [
        ("1.0", "affected", false),
        ("1.5", "affected", true),
        ("9.0", "affected", true),
        ("3.0", "not-affected", false),
    ] {
        let purl = format!("{LIB}@{version}");
        assert_eq!(said(&stale, "X-1", &purl), wanted, "{version}");
        let judgement = stale.group("X-1").unwrap().judgement(&component(&purl));
        assert_eq!(judgement.has(Flag::ListRangeDisagree), differs, "{version}");
    }
}

#[test]
fn m10_hidden_upper_bound() {
    let known = Interval {
        lo: Bound::Unbounded,
        hi: Bound::Inclusive("1.2.3".into()),
        basis: BoundBasis::LastKnown,
        status: RangeStatus::Affected,
    };
    let record = advisory("GHSA-1", vec![Affected { intervals: vec![known], ..lib(&[]) }]);
    let advisories = Advisories::new(vec![record.clone()]);
    assert_eq!(said(&advisories, "GHSA-1", &format!("{LIB}@1.2.3")), "affected");
    assert_eq!(said(&advisories, "GHSA-1", &format!("{LIB}@5.0.0")), "above-last-known");
    let last_known_is_last = ["test".to_owned()].into();
    let policy = relight_match::Policy { last_known_is_last, ..Default::default() };
    let taken = Advisories::with_policy(vec![record], policy);
    assert_eq!(said(&taken, "GHSA-1", &format!("{LIB}@5.0.0")), "not-affected");
}

/// Every order of some words.
fn orders_of<'a>(words: &[&'a str]) -> Vec<Vec<&'a str>> {
    if words.is_empty() {
        return vec![Vec::new()];
    }
    let with = |at: usize| {
        let rest = [&words[..at], &words[at + 1..]].concat();
        orders_of(&rest).into_iter().map(move |mut order| {
            order.push(words[at]);
            order
        })
    };
    (0..words.len()).flat_map(with).collect()
}

/// Every order of the events of the named fixtures gives the same answers; a tombstone is an
/// opinion.
#[test]
fn m11_events_are_a_set() {
    for (events, inside, outside) in [
        ("i2.4.49 f2.4.50 i2.4.50 f2.4.51", "2.4.50", "2.4.51"),
        ("i3.2 f3.2.15 i4.0 f4.0.6 i3.1.1 f3.1.3", "3.1.2", "3.1.3"),
        ("i1.8.0 f1.8.0 i11.0.0 f11.0.9", "11.0.8", "1.8.0"),
        ("i5.15.12 l5.15.12", "5.15.12", "5.15.13"),
    ] {
        for words in orders_of(&events.split(' ').collect::<Vec<_>>()) {
            let record = advisory("X-1", vec![lib(&[&words.join(" ")])]);
            let advisories = Advisories::new(vec![record]);
            assert_eq!(said(&advisories, "X-1", &format!("{LIB}@{inside}")), "affected");
            assert_eq!(said(&advisories, "X-1", &format!("{LIB}@{outside}")), "not-affected");
        }
    }
    for entry in [lib(&["i0 f0"]), Affected { stance: Stance::NotAffected, ..lib(&[]) }] {
        let lower = Advisory { source: "other".into(), ..advisory("X-1", vec![lib(&["i1 f2"])]) };
        let upper = Advisory { source: "cve".into(), ..advisory("X-1", vec![entry]) };
        let advisories = Advisories::new(vec![lower, upper]);
        let judgement = advisories.group("X-1").unwrap();
        let judgement = judgement.judgement(&component(&format!("{LIB}@1.5")));
        assert_eq!(judgement.stand(), Stand::NotAffected);
        assert!(judgement.has(Flag::ByPrecedence));
    }
}

#[test]
fn m13_versions_and_ranges() {
    let wider = Affected { versions: vec!["3.0".into()], ..lib(&["i1 f2"]) };
    let advisories = Advisories::new(vec![advisory("X-1", vec![wider])]);
    for (version, wanted) in [("1.5", "affected"), ("3.0", "affected"), ("2.5", "not-affected")] {
        assert_eq!(said(&advisories, "X-1", &format!("{LIB}@{version}")), wanted, "{version}");
    }
    let malicious = Affected { versions: vec!["6.6.6".into()], ..affected("npm", "leftpad", &[]) };
    let advisories = Advisories::new(vec![advisory("MAL-2022-1", vec![malicious])]);
    assert_eq!(said(&advisories, "MAL-2022-1", "pkg:npm/leftpad@6.6.6"), "affected");
    assert_eq!(said(&advisories, "MAL-2022-1", "pkg:npm/leftpad@6.6.5"), "not-affected");
    // Malicious in all versions: even one that cannot be ordered.
    let all = advisory("MAL-2022-2", vec![affected("npm", "leftpad", &["i0"])]);
    let advisories = Advisories::new(vec![all]);
    for version in ["", "@latest", "@1.0.0"] {
        let purl = format!("pkg:npm/leftpad{version}");
        assert_eq!(said(&advisories, "MAL-2022-2", &purl), "affected", "{version}");
    }
}

#[test]
fn m14_go() {
    let custom = Affected {
        ranges: vec![range(RangeKind::Ecosystem, "i0"), range(RangeKind::Custom, "i0 f1.4.0")],
        ..affected("Go", "example.org/m", &[])
    };
    let plain = affected("Go", "example.org/p", &["i0 f1.4.0"]);
    let second = affected("Go", "example.org/p/v2", &["i0 f2.1.0"]);
    let std = affected("Go", "stdlib", &["i0 f1.20.3", "i1.21.0-0 f1.21.1"]);
    let tool = affected("Go", "toolchain", &["i0 f1.20.3"]);
    let capital = affected("Go", "github.com/BurntSushi/toml", &["i0 f1.4.0"]);
    let record = advisory("GO-1", vec![custom, plain, second, std, tool, capital]);
    let advisories = Advisories::new(vec![record]);
    for (purl, wanted) in [
        ("example.org/m@v1.3.0", "affected"),
        ("example.org/m@v1.4.0", "not-affected"),
        ("example.org/m@v0.0.0-20210101000000-0123456789ab", "pseudo-version"),
        ("example.org/p@v1.3.9-0.20210101000000-0123456789ab", "affected"),
        ("example.org/p@v1.4.1-0.20210101000000-0123456789ab", "not-affected"),
        ("example.org/p@v1.3.0%2Bincompatible", "affected"),
        ("example.org/p@v1.4.0%2Bincompatible", "not-affected"),
        ("example.org/p/v2@v2.0.0", "affected"),
        ("example.org/p/v2@v2.1.0", "not-affected"),
        ("stdlib@go1.20.2", "affected"),
        ("stdlib@1.20.3", "not-affected"),
        ("stdlib@1.21rc2", "affected"),
        ("toolchain@go1.20.3", "not-affected"),
        ("github.com/BurntSushi/toml@v1.3.0", "affected"),
        ("github.com/burntsushi/toml@v1.3.0", "affected"),
        ("github.com/%21burnt%21sushi/toml@v1.3.0", "affected"),
        ("github.com/burntsushi/toml@v1.4.0", "not-affected"),
    ] {
        let said = said(&advisories, "GO-1", &format!("pkg:golang/{purl}"));
        assert_eq!(said, wanted, "{purl}");
    }
}

/// Every ecosystem against text that is no version: unknown or the right verdict, never clear.
#[test]
fn m16_unorderable_is_unknown() {
    let digits = "9".repeat(600);
    let commit = "0a".repeat(20);
    let texts = ["unspecified", "${project.version}", &digits, &commit, "", "dev-main", "*"];
    let words = ["unknown", "RELEASE", "NOASSERTION", "null", "undefined", "HEAD", "master"];
    let dynamic = ["@project.version@", "[2.0,2.15.0)", "2.+", "2.*", "1.x", ">=3", "master-3"];
    let texts = texts.into_iter().chain(words).chain(dynamic).collect::<Vec<_>>();
    let ecosystems = relight_model::Ecosystem::all().filter(|it| it.purl_kind().is_some());
    let mut asked = 0;
    for ecosystem in ecosystems {
        let name = ecosystem.as_str();
        let kind = ecosystem.purl_kind().unwrap();
        let group = if kind == "maven" { "org.example:lib" } else { "lib" };
        let record = advisory("X-1", vec![affected(name, group, &["i1.0 f2.0"])]);
        let advisories = Advisories::new(vec![record.clone()]);
        let namespace = match kind {
            "maven" => "org.example",
            _ => ecosystem.purl_namespace().unwrap_or_default(),
        };
        for &text in &texts {
            let mut it = component("pkg:npm/lib");
            it.purl = relight_model::Purl::new(kind, namespace, "lib", text);
            let found = state(&record, &it);
            assert!(found.is_some(), "{name} `{text}` is clear without an order");
            assert_eq!(matches(&advisories, &it).len(), 1);
            asked += 1;
        }
    }
    assert!(asked > 800, "{asked}");
}

/// Goal: a bound without a place makes unknown what depends on it, and nothing else. Method: a bad
/// end, a bad start, and versions below, at and above the bound that has a place.
#[test]
fn m16_a_bound_that_cannot_be_ordered_never_clears() {
    for (events, version, wanted) in [
        ("i1.0.0 funspecified", "0.9.0", None),
        ("i1.0.0 funspecified", "1.0.0", Some(FindingState::RangeUnresolved)),
        ("i1.0.0 funspecified", "7.0.0", Some(FindingState::RangeUnresolved)),
        ("iunspecified f2.0.0", "1.0.0", Some(FindingState::RangeUnresolved)),
        ("iunspecified f2.0.0", "2.0.0", Some(FindingState::RangeUnresolved)),
        ("i1.0.0 f2.0.0", "1.5.0", Some(FindingState::Affected)),
        ("i1.0.0 f2.0.0", "2.0.0", None),
    ] {
        let record = advisory("X-1", vec![affected("npm", "lib", &[events])]);
        let found = state(&record, &component(&format!("pkg:npm/lib@{version}")));
        assert_eq!(found, wanted, "{version} in {events}");
    }
    // A place that is a guess: inside is affected, outside is not clear.
    let record = advisory("X-1", vec![affected("ConanCenter", "lib", &["i1.0 f2.0"])]);
    let of = |version: &str| state(&record, &component(&format!("pkg:conan/lib@{version}")));
    assert_eq!(of("1.5"), Some(FindingState::Affected));
    assert_eq!(of("3.0"), Some(FindingState::PossibleMatch));
}

/// An erratum that names its flaw in `related` is found when the flaw is asked, and merges nothing.
#[test]
fn m18_related_only() {
    let related = vec!["CVE-1".to_owned(), "CVE-2".to_owned()];
    let entry = affected("AlmaLinux:8", "bind", &["i0 f9.11-2.el8"]);
    let erratum = Advisory { related: related.clone(), ..advisory("ALSA-2021:1", vec![entry]) };
    let link = Advisory { related, ..advisory("GHSA-9", vec![lib(&["i1 f2"])]) };
    let upstream = advisory("CVE-1", vec![lib(&["i1 f2"])]);
    let advisories = Advisories::new(vec![erratum, link, upstream]);
    let ids: Vec<_> = advisories.groups().map(|group| group.id.as_str()).collect();
    assert_eq!(ids, ["CVE-1", "CVE-2", "GHSA-9"]);
    let purl = "pkg:rpm/almalinux/bind@9.11-1.el8?distro=almalinux-8.4";
    assert_eq!(matches(&advisories, &component(purl)), ["CVE-1 affected", "CVE-2 affected"]);
    let jar = component(&format!("{LIB}@1.5"));
    assert_eq!(matches(&advisories, &jar), ["CVE-1 affected", "GHSA-9 affected"]);
    let found: Vec<_> = advisories.groups_of("ALSA-2021:1").map(|it| it.id.as_str()).collect();
    assert_eq!(found, ["CVE-1", "CVE-2"]);
}

#[test]
fn m20_duplicate_ghsa() {
    let record = |id: &str, entries: Vec<Affected>| Advisory {
        aliases: vec!["CVE-1".into()],
        ..advisory(id, entries)
    };
    let shaded = || affected("Maven", "org.example:lib-shaded", &["i1 f2"]);
    let advisories = Advisories::new(vec![
        record("GHSA-1", vec![lib(&["i1 f2"])]),
        record("GHSA-2", vec![lib(&["i1 f3"]), shaded()]),
    ]);
    assert_eq!(advisories.groups().count(), 1);
    for purl in ["pkg:maven/org.example/lib@1.5", "pkg:maven/org.example/lib-shaded@1.5"] {
        assert_eq!(matches(&advisories, &component(purl)), ["CVE-1 affected"], "{purl}");
    }
    let ids = &advisories.group("GHSA-2").unwrap().aliases;
    assert_eq!(ids[..], ["GHSA-1", "GHSA-2"]);
}

/// What an incident does not accept as clear: a reviewed source against a lighter one that says
/// affected. The vendor's word, or one that nobody disputes, is accepted.
#[test]
fn weak_grounds_are_told_apart() {
    let record = |source: &str, id: &str, events: &str| Advisory {
        source: source.into(),
        aliases: vec!["CVE-1".into()],
        ..advisory(id, vec![lib(&[events])])
    };
    let vendor = || record("cve", "V-1", "i1 f2");
    let reviewed = || record("ghsa", "GHSA-1", "i1 f2");
    let wide = || record("other", "O-1", "i1 f3");
    let it = component(&format!("{LIB}@2.5"));
    for (records, weak) in [
        (vec![reviewed(), wide()], true),
        (vec![vendor(), wide()], false),
        (vec![vendor(), reviewed(), wide()], false),
        (vec![reviewed()], false),
        (vec![wide()], false),
    ] {
        let advisories = Advisories::new(records);
        let group = advisories.group("CVE-1").unwrap();
        assert_eq!(group.is_weakly_clear(&it, &Enclosure::default()), weak);
    }
}
