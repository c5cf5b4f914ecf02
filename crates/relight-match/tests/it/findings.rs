//! From records and one component to a finding: certain, possible, unresolved, or none.

use relight_match::{Advisories, Matcher, Question, Stand, Why};
use relight_model::{
    Advisory, Affected, Basis, Component, Finding, FindingState, RangeKind, Rating, Scope, Signal,
};

use super::{advisory, affected, component, matches, range, state};

const LIB: &str = "pkg:maven/org.example/lib";

fn kev() -> Signal {
    let catalogue = "cisa".to_owned();
    Signal::Kev { catalogue, added: Some(1), due: None, ransomware: false, removed: None }
}

fn lib(ranges: &[&str]) -> Affected {
    affected("Maven", "org.example:lib", ranges)
}

#[test]
fn one_finding_for_one_flaw() {
    let record = |source: &str, id: &str, alias: &str, fixed: &str| Advisory {
        source: source.to_owned(),
        aliases: vec![alias.to_owned()],
        severities: vec![Rating::of_vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H")],
        signals: if source == "kev" { vec![kev()] } else { Vec::new() },
        ..advisory(id, vec![lib(&[fixed])])
    };
    let advisories = Advisories::new(vec![
        record("a", "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001", "i1 f2"),
        record("kev", "CVE-2026-0001", "PYSEC-1", "i1 f1.5"),
    ]);
    let found = advisories.match_component(&component(&format!("{LIB}@1.9")));
    let [Finding { id, aliases, state, rule, score, known_exploited }] = &found[..] else {
        panic!("one finding, got {found:?}")
    };
    assert_eq!(id, "CVE-2026-0001");
    assert_eq!(aliases[..], ["GHSA-aaaa-bbbb-cccc", "PYSEC-1"]);
    assert_eq!(*state, FindingState::Affected);
    assert_eq!(rule, "a GHSA-aaaa-bbbb-cccc: >=1,<2");
    assert_eq!((*score, *known_exploited), (Some(100), true));
    for id in ["cve-2026-0001", "GHSA-AAAA-BBBB-CCCC", " PYSEC-1 "] {
        assert_eq!(advisories.group(id).map(|group| group.id.as_str()), Some("CVE-2026-0001"));
    }
    assert!(advisories.group("CVE-2026-9999").is_none());
}

#[test]
fn unorderable_is_never_clear() {
    let record = advisory("X-1", vec![lib(&["i1 f2"])]);
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let digits = "9".repeat(600);
    for version in ["", "unspecified", "latest", "${project.version}", hash, &digits, "dev-main"] {
        let mut it = component(LIB);
        it.purl.version = version.to_owned();
        assert_eq!(state(&record, &it), Some(FindingState::PossibleMatch), "{version}");
    }
    for (scheme, purl) in [("npm", "pkg:npm/lib@next"), ("Debian:12", "pkg:deb/debian/lib@x:1")] {
        let record = advisory("X-1", vec![affected(scheme, "lib", &["i1 f2"])]);
        assert_eq!(state(&record, &component(purl)), Some(FindingState::PossibleMatch), "{purl}");
    }
}

#[test]
fn a_legacy_python_version_outside_is_unknown() {
    let record = advisory("X-1", vec![affected("PyPI", "Lib.Name", &["i1 f2"])]);
    let it = |version: &str| component(&format!("pkg:pypi/lib-name@{version}"));
    assert_eq!(state(&record, &it("1.5")), Some(FindingState::Affected));
    assert_eq!(state(&record, &it("0.6m5")), Some(FindingState::PossibleMatch));
    assert_eq!(state(&record, &it("2.0")), None);
    let from_start = advisory("X-1", vec![affected("PyPI", "lib_name", &["i0 f2"])]);
    assert_eq!(state(&from_start, &it("0.6m5")), Some(FindingState::Affected));
}

#[test]
fn an_ecosystem_without_rules_of_its_own_never_clears() {
    let record = advisory("X-1", vec![affected("Unheard", "lib", &["i1 f2"])]);
    let unheard = component("pkg:unheard/lib@1.5");
    assert_eq!(state(&record, &unheard), Some(FindingState::PossibleMatch));
    let record = advisory("X-1", vec![affected("ConanCenter", "lib", &["i1 f2"])]);
    let at = |version: &str| state(&record, &component(&format!("pkg:conan/lib@{version}")));
    assert_eq!(at("1.5"), Some(FindingState::Affected));
    assert_eq!(at("9"), Some(FindingState::PossibleMatch));
    assert_eq!(state(&record, &component("pkg:conan/other@9")), None);
}

#[test]
fn every_ecosystem_is_ordered_by_its_own_rules() {
    for (ecosystem, purl, inside, outside) in [
        ("crates.io", "pkg:cargo/lib", "1.5.0-rc.1", "2.0.0"),
        ("Go", "pkg:golang/lib", "v1.5.0+incompatible", "v2.0.0"),
        ("NuGet", "pkg:nuget/lib", "1.5.0.0", "2"),
        ("RubyGems", "pkg:gem/lib", "2.0.a", "2.0.0"),
        ("Packagist", "pkg:composer/lib", "v1.0", "2.0.0.0"),
        ("AlmaLinux", "pkg:rpm/almalinux/lib", "2~rc1-1", "2-1"),
        ("Wolfi", "pkg:apk/wolfi/lib", "2_rc1-r0", "2-r0"),
        ("Pub", "pkg:pub/lib", "2.0.0-a+b", "2.0.0+b"),
        ("CRAN", "pkg:cran/lib", "1-5", "2-0"),
        ("Hackage", "pkg:hackage/lib", "1.0.0", "2.0"),
    ] {
        let record = advisory("X-1", vec![affected(ecosystem, "lib", &["i1 f2"])]);
        let at = |version: &str| state(&record, &component(&format!("{purl}@{version}")));
        assert_eq!(at(inside), Some(FindingState::Affected), "{ecosystem} {inside}");
        assert_eq!(at(outside), None, "{ecosystem} {outside}");
    }
}

#[test]
fn git_ranges_end_no_search_and_alone_resolve_nothing() {
    let git = range(RangeKind::Git, "i0 f0123abc");
    let mut entry = lib(&[]);
    entry.ranges = vec![git];
    let at = |entry: &Affected, version: &str| {
        state(&advisory("X-1", vec![entry.clone()]), &component(&format!("{LIB}@{version}")))
    };
    assert_eq!(at(&entry, "1.5"), Some(FindingState::RangeUnresolved));
    entry.ranges.push(range(RangeKind::Ecosystem, "i1 f2"));
    assert_eq!(at(&entry, "1.5"), Some(FindingState::Affected));
    assert_eq!(at(&entry, "2.5"), None);
    assert_eq!(at(&lib(&[]), "1.5"), Some(FindingState::RangeUnresolved));
    assert_eq!(at(&lib(&["f2"]), "1.5"), Some(FindingState::RangeUnresolved));
}

#[test]
fn a_record_without_range_is_silent_beside_one_with_a_range() {
    let unresolved = Advisory { source: "other".into(), ..advisory("CVE-1", vec![lib(&[])]) };
    let both = Advisories::new(vec![unresolved, advisory("CVE-1", vec![lib(&["i1 f2"])])]);
    assert_eq!(matches(&both, &component(&format!("{LIB}@1.5"))), ["CVE-1 affected"]);
    assert_eq!(matches(&both, &component(&format!("{LIB}@2.5"))), [""; 0]);
}

#[test]
fn versions_and_ranges_are_united() {
    let versions = vec!["6.3.2.1".into(), "2.6.3-CUSTOM".into(), "odd version".into()];
    let record = advisory("X-1", vec![Affected { versions, ..lib(&["i1 f2"]) }]);
    for (version, affected) in [
        ("1.5", true),
        ("6.3.2.1.0", true),
        ("2.6.3-custom", true),
        ("odd version", true),
        ("3", false),
    ] {
        let mut it = component(LIB);
        it.purl.version = version.to_owned();
        let wanted = affected.then_some(FindingState::Affected);
        assert_eq!(state(&record, &it), wanted, "{version}");
    }
    let versions = vec!["2.1.0".into()];
    let python = Affected { versions, ..affected("PyPI", "torch", &[]) };
    let found = state(&advisory("X-1", vec![python]), &component("pkg:pypi/torch@2.1.0%2Bcu118"));
    assert_eq!(found, Some(FindingState::Affected));
}

#[test]
fn an_empty_interval_clears_even_what_cannot_be_ordered() {
    let record = advisory("X-1", vec![lib(&["i0 f0"])]);
    assert_eq!(state(&record, &component(&format!("{LIB}@1"))), None);
    assert_eq!(state(&record, &component(LIB)), None);
}

#[test]
fn a_withdrawn_record_has_no_opinion() {
    let record = advisory("X-1", vec![lib(&["i1 f2"])]);
    let withdrawn = Advisory { withdrawn: Some(1), ..record.clone() };
    let it = component(&format!("{LIB}@1.5"));
    assert_eq!(state(&withdrawn, &it), None);
    let revision = |record| Advisories::new(vec![record]).group("X-1").unwrap().revision();
    assert_ne!(revision(withdrawn), revision(record));
}

#[test]
fn a_removed_class_mitigates_and_never_clears() {
    let classes = vec!["org/example/Lookup".to_owned()];
    let entry = Affected { classes: classes.clone(), ..lib(&["i1 f2"]) };
    let record = advisory("X-1", vec![entry]);
    let without = |version: &str, removed: &[String]| {
        let removed = removed.to_vec();
        state(&record, &Component { removed, ..component(&format!("{LIB}@{version}")) })
    };
    assert_eq!(without("1.5", &classes), Some(FindingState::Mitigated));
    assert_eq!(without("1.5", &["org/example/Other".into()]), Some(FindingState::Affected));
    assert_eq!(without("2.5", &classes), None);
}

/// A lock file alone made a site affected, and so did what only took part in a build.
#[test]
fn what_is_only_declared_is_possible_and_what_does_not_count_is_nothing() {
    let advisories = Advisories::new(vec![advisory("X-1", vec![lib(&["i1 f2"])])]);
    let question = Question::parse("lib<2").unwrap();
    let ways = [
        (Basis::LockFile, Scope::Installed, Some("affected")),
        (Basis::LockFile, Scope::Declared, Some("declared-only")),
        (Basis::Document, Scope::Declared, Some("affected")),
        (Basis::LockFile, Scope::Superseded, None),
        (Basis::PathString, Scope::Build, None),
    ];
    let mut matcher = Matcher::new(advisories.clone());
    for ((basis, scope, wanted), number) in ways.into_iter().zip(0..) {
        let of =
            |version: &str| Component { basis, scope, ..component(&format!("{LIB}@{version}")) };
        let said: Vec<_> = wanted.iter().map(|state| format!("X-1 {state}")).collect();
        assert_eq!(matches(&advisories, &of("1.5")), said, "{scope:?}");
        assert_eq!(matches(&advisories, &of("2")), [""; 0], "{scope:?}");
        let asked = question.judge_component(&advisories, &of("1.5"));
        assert_eq!(asked.map(|it| it.state.as_str()), wanted, "{scope:?}");
        matcher.add([(number, of("1.5"))]);
        let listed = matcher.matches("X-1").iter().find(|it| it.identity == number);
        let listed = listed.and_then(|it| Some(it.state()?.as_str()));
        assert_eq!(listed, wanted, "{scope:?}");
    }
    assert!(matcher.rematch(), "a full match says something else");
    let unversioned = Component { scope: Scope::Declared, ..component(LIB) };
    assert_eq!(matches(&advisories, &unversioned), ["X-1 possible-match"]);
}

/// What ran where a program was built may have put anything into it: the site was clear.
#[test]
fn a_malicious_package_that_built_a_program_is_possible() {
    let of = |id: &str, scope| {
        let advisories = Advisories::new(vec![advisory(id, vec![lib(&["i1 f2"])])]);
        let it = Component { basis: Basis::InstalledMetadata, scope, ..component(LIB) };
        let it = |version: &str| {
            let purl = component(&format!("{LIB}@{version}")).purl;
            Component { purl, ..it.clone() }
        };
        let mut matcher = Matcher::new(advisories.clone());
        matcher.add([(1, it("1.5"))]);
        let listed = matcher.matches(id).iter().find(|it| it.identity == 1);
        let listed = listed.and_then(|it| Some(it.state()?.as_str()));
        assert!(matcher.rematch(), "a full match says something else");
        assert_eq!(matches(&advisories, &it("2")), [""; 0]);
        let found: Vec<_> = listed.iter().map(|state| format!("{id} {state}")).collect();
        assert_eq!(matches(&advisories, &it("1.5")), found);
        listed
    };
    assert_eq!(of("MAL-1", Scope::Build), Some("declared-only"));
    assert_eq!(of("X-1", Scope::Build), None);
    assert_eq!(of("MAL-1", Scope::Superseded), None);
    assert_eq!(of("MAL-1", Scope::Installed), Some("affected"));
}

#[test]
fn all_candidates_must_agree() {
    let classes = vec!["org/example/Lookup".to_owned()];
    let entry = Affected { classes: classes.clone(), ..lib(&["i1 f2"]) };
    let advisories = Advisories::new(vec![advisory("X-1", vec![entry])]);
    let question = Question::parse("lib<2").unwrap();
    let check =
        |versions: &[&str], removed: &[String], by_id: Option<&str>, asked: Option<&str>| {
            let candidates = versions.iter().map(|&version| version.to_owned()).collect();
            let it = Component { candidates, removed: removed.to_vec(), ..component(LIB) };
            let found = advisories.match_component(&it);
            let states: Vec<_> = found.iter().map(|finding| finding.state.as_str()).collect();
            assert_eq!(states, by_id.into_iter().collect::<Vec<_>>(), "{versions:?}");
            let found = question.judge_component(&advisories, &it);
            assert_eq!(found.map(|finding| finding.state.as_str()), asked, "{versions:?}");
        };
    check(&["1.4", "1.5"], &[], Some("affected"), Some("affected"));
    check(&["1.4", "1.5"], &classes, Some("mitigated"), Some("affected"));
    check(&["1.9", "2"], &[], Some("possible-match"), Some("possible-match"));
    check(&["1.9", "2"], &classes, Some("possible-match"), Some("possible-match"));
    check(&["2", "2.1"], &[], None, None);
    check(&[], &[], Some("possible-match"), Some("possible-match"));
}

/// The code that an advisory is about is there, and no other is: that some version with the same
/// code is not affected does not make it go away.
#[test]
fn a_named_class_of_one_affected_candidate_is_enough() {
    let named = Affected { classes: vec!["org/example/Lookup".to_owned()], ..lib(&["i1 f2"]) };
    let check = |entry: &Affected, basis: Basis, versions: &[&str], wanted: &[&str]| {
        let advisories = Advisories::new(vec![advisory("X-1", vec![entry.clone()])]);
        let candidates = versions.iter().map(|&version| version.to_owned()).collect();
        let it = Component { candidates, basis, ..component(LIB) };
        assert_eq!(matches(&advisories, &it), wanted, "{basis:?} {versions:?}");
    };
    let mixed = &["1.9", "2"];
    check(&named, Basis::NamedClass, mixed, &["X-1 affected"]);
    check(&named, Basis::NamedClass, &["2", "2.1"], &[]);
    check(&named, Basis::FingerprintPartial, mixed, &["X-1 possible-match"]);
    // An advisory that names no class is about the library, which may be another version.
    check(&lib(&["i1 f2"]), Basis::NamedClass, mixed, &["X-1 possible-match"]);
    check(&lib(&["i1 f2"]), Basis::NamedClass, &["1.8", "1.9"], &["X-1 affected"]);
}

/// Found with a copy of a library of which one version had been learnt, the fixed one: whatever its
/// own version was, it was clear. Fingerprints know only what somebody learnt.
#[test]
fn code_that_is_like_fixed_versions_is_not_clear() {
    let mut named = lib(&["i1 f2"]);
    let check = |entry: &Affected, basis: Basis, versions: &[&str], wanted: Option<&str>| {
        let advisories = Advisories::new(vec![advisory("X-1", vec![entry.clone()])]);
        let candidates = versions.iter().map(|&version| version.to_owned()).collect();
        let it = Component { candidates, basis, ..component(LIB) };
        let found = advisories.match_component(&it);
        let states: Vec<_> = found.iter().map(|finding| finding.state.as_str()).collect();
        assert_eq!(states, wanted.into_iter().collect::<Vec<_>>(), "{basis:?} {versions:?}");
        let judged = advisories.group("X-1").unwrap().judgement(&it).stand();
        let stand = match wanted {
            None => Stand::NotAffected,
            Some("affected") => Stand::Affected,
            Some(_) => Stand::Unknown(Why::SeveralVersions),
        };
        assert_eq!(judged, stand, "{basis:?} {versions:?}");
        let asked = Question::parse("lib<2").unwrap().judge_component(&advisories, &it);
        let asked = asked.map(|finding| finding.state.as_str());
        if entry.package.name == "org.example:lib" && entry.classes.is_empty() {
            assert_eq!(asked, wanted, "{basis:?} {versions:?}");
        }
    };
    for basis in [Basis::FingerprintPartial, Basis::NamedClass] {
        check(&named, basis, &["2"], Some("possible-match"));
        check(&named, basis, &["2", "2.1"], Some("possible-match"));
        check(&named, basis, &["1.9", "2"], Some("possible-match"));
        check(&named, basis, &["1.9"], Some("affected"));
    }
    // Whose versions somebody else lists knows that it is one of them.
    check(&named, Basis::Document, &["2", "2.1"], None);
    // Metadata of its own says which versions it may be, and none of them is taken for clear.
    check(&named, Basis::PomProperties, &["2", "2.1"], None);
    check(&named, Basis::PomProperties, &["1.9", "2"], Some("possible-match"));
    check(&named, Basis::PomProperties, &["1.8", "1.9"], Some("affected"));
    // An advisory of a package that is not there says nothing, of any version.
    let other = affected("Maven", "org.example:other", &["i1 f2"]);
    check(&other, Basis::FingerprintPartial, &["2"], None);
    // The classes that an advisory names are its code; those of fixed versions are not affected.
    named.classes = vec!["org/example/Lookup".to_owned()];
    check(&named, Basis::FingerprintPartial, &["2", "2.1"], None);
    check(&named, Basis::NamedClass, &["2"], None);
}

/// The rule says which doubt it is.
#[test]
fn a_possible_match_beside_the_candidates_says_so() {
    let advisories = Advisories::new(vec![advisory("X-1", vec![lib(&["i1 f2"])])]);
    for (versions, part) in [
        (["2", "2.1"], "if it is another version than 2, 2.1"),
        (["1.9", "2"], "if it is that one of 1.9, 2"),
    ] {
        let candidates = versions.map(str::to_owned).into();
        let basis = Basis::FingerprintPartial;
        let it = Component { candidates, basis, ..component(LIB) };
        let found = advisories.match_component(&it);
        assert!(found[0].rule.ends_with(part), "{}", found[0].rule);
    }
}

#[test]
fn a_name_without_group_is_possible_at_most() {
    let advisories = Advisories::new(vec![advisory("X-1", vec![lib(&["i1 f2"])])]);
    for (purl, wanted) in [
        ("pkg:maven/lib@1.5", &["X-1 possible-match"][..]),
        ("pkg:maven/lib", &["X-1 possible-match"]),
        ("pkg:maven/lib@2.5", &[]),
        ("pkg:generic/lib@1.5", &["X-1 possible-match"]),
        ("pkg:maven/org.other/lib@1.5", &[]),
        ("pkg:npm/lib@1.5", &[]),
    ] {
        assert_eq!(matches(&advisories, &component(purl)), wanted, "{purl}");
    }
}

#[test]
fn debian_packages_hear_their_own_release_only() {
    let advisories = Advisories::new(vec![
        advisory("CVE-1", vec![affected("Debian:11", "log", &["i0 f1.0-1+deb11u1"])]),
        advisory("CVE-2", vec![affected("Debian:12", "log", &["i0 f1.0-2"])]),
        advisory("CVE-3", vec![affected("Maven", "org.example:log", &["i0 f9"])]),
        advisory("CVE-4", vec![affected("Debian:12", "log", &["i0 f1:0.5"])]),
    ]);
    let at = |text: &str| matches(&advisories, &component(&format!("pkg:deb/debian/{text}")));
    assert_eq!(at("log@1.0-1?distro=debian-12"), ["CVE-2 affected", "CVE-4 affected"]);
    assert_eq!(at("log@1.0-1?distro=debian-11"), ["CVE-1 affected"]);
    assert_eq!(at("log@1.0-1%2Bdeb11u1?distro=bullseye"), [""; 0]);
    assert_eq!(at("log@1:0.9-1?distro=debian-13"), [""; 0]);
    let any = ["CVE-1 possible-match", "CVE-2 possible-match", "CVE-4 possible-match"];
    assert_eq!(at("log@1.0-1"), any);
    assert_eq!(at("liblog1@1.0-1?distro=debian-11&upstream=log"), ["CVE-1 affected"]);
}

#[test]
fn a_package_of_an_unknown_distribution_is_possible_at_most() {
    let advisories = Advisories::new(vec![
        advisory("CVE-1", vec![affected("Debian:12", "log", &["i0 f2"])]),
        advisory("CVE-2", vec![affected("Ubuntu:22.04:LTS", "log", &["i0 f2"])]),
        advisory("CVE-3", vec![affected("Debian", "log", &["i0 f2"])]),
        advisory("CVE-4", vec![affected("Maven", "org.example:log", &["i0 f2"])]),
        advisory("CVE-5", vec![affected("Alpine:v3.20", "log", &["i0 f2"])]),
    ]);
    let at = |purl: &str| matches(&advisories, &component(purl));
    let possible = ["CVE-1 possible-match", "CVE-2 possible-match", "CVE-3 possible-match"];
    assert_eq!(at("pkg:deb/log@1.0-1"), possible);
    assert_eq!(at("pkg:deb/log@3.0-1"), [""; 0]);
    assert_eq!(at("pkg:apk/log@1.0-r1"), ["CVE-5 possible-match"]);
    assert_eq!(at("pkg:apk/alpine/log@1.0-r1"), ["CVE-5 possible-match"]);
    // Kali is built from Debian, and nobody publishes records about it.
    assert_eq!(at("pkg:deb/kali/log@1.0-1"), [possible[0], possible[2]]);
    assert_eq!(at("pkg:deb/kali/log@3.0-1"), [""; 0]);
    assert_eq!(at("pkg:deb/kali/other@1.0-1"), [""; 0]);
}

#[test]
fn an_epoch_that_may_be_lost_is_unknown_where_it_matters() {
    let record = advisory("CVE-1", vec![affected("Debian:12", "vim", &["i0 f2:9.0-5"])]);
    let foreign = |version: &str| {
        let purl = format!("pkg:deb/debian/vim@{version}?distro=debian-12");
        let basis = Basis::Document;
        state(&record, &Component { basis, scope: Scope::Declared, ..component(&purl) })
    };
    assert_eq!(foreign("9.0-6"), Some(FindingState::PossibleMatch));
    assert_eq!(foreign("9.0-4"), Some(FindingState::Affected));
    assert_eq!(foreign("2:9.0-6"), None);
    let own = component("pkg:deb/debian/vim@9.0-6?distro=debian-12");
    assert_eq!(state(&record, &own), Some(FindingState::Affected));
}

#[test]
fn a_bulletin_counts_for_each_of_its_flaws() {
    let bulletin = Advisory {
        aliases: vec!["CVE-1".into(), "CVE-2".into()],
        ..advisory("RS-1", vec![lib(&["i1 f2"])])
    };
    let advisories = Advisories::new(vec![bulletin, advisory("CVE-2", vec![lib(&["i1 f3"])])]);
    let at = |version: &str| matches(&advisories, &component(&format!("{LIB}@{version}")));
    assert_eq!(at("1.5"), ["CVE-1 affected", "CVE-2 affected"]);
    assert_eq!(at("2.5"), ["CVE-2 affected"]);
    let ids: Vec<_> = advisories.groups_of("rs-1").map(|group| group.id.as_str()).collect();
    assert_eq!(ids, ["CVE-1", "CVE-2"]);
}

#[test]
fn the_revision_follows_the_matching_form_only() {
    let of = |record: Advisory| Advisories::new(vec![record]).group("X-1").unwrap().revision();
    let record = advisory("X-1", vec![lib(&["i1 f2", "i3 f4"])]);
    let base = of(record.clone());
    let prose = Advisory {
        summary: "other".into(),
        references: vec!["https://example.org".into()],
        severities: vec![Rating::of_vector("CVSS:3.1/x")],
        modified: Some(9),
        signals: vec![kev()],
        ..record.clone()
    };
    assert_eq!(of(prose), base);
    assert_eq!(of(advisory("X-1", vec![lib(&["f4 i3", "f2 i1"])])), base);
    let mut classes = record.clone();
    classes.affected[0].classes.push("a/B".into());
    let mut versions = record.clone();
    versions.affected[0].versions.push("9".into());
    let source = Advisory { source: "other".into(), ..record };
    let changed = [
        advisory("X-1", vec![lib(&["i1 f2", "i3 f5"])]),
        advisory("X-1", vec![lib(&["i1 f2 i3 f4"])]),
        advisory("X-1", vec![affected("Maven", "org.example:lib2", &["i1 f2", "i3 f4"])]),
        classes,
        versions,
        source,
    ];
    for (index, record) in changed.into_iter().enumerate() {
        assert_ne!(of(record), base, "{index}");
    }
}

/// Goal: the score of a flaw is that of one vector: the newest version, of who assigned it before
/// enrichers, and of records in force. Method: the same flaw with one more rating each time.
#[test]
fn the_score_is_of_the_newest_version_and_of_the_assigner() {
    const OLD: &str = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
    const HIGH: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    const LOW: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:L/A:L";
    const NEWEST: &str = "CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:L/VA:L/SC:N/SI:N/SA:N";
    let rated = |source: &str, by: &str, vector: &str| {
        let severities = vec![Rating { by: by.into(), ..Rating::of_vector(vector) }];
        Advisory { source: source.into(), severities, ..advisory("CVE-1", vec![]) }
    };
    let withdrawn = |it: Advisory| Advisory { withdrawn: Some(1), ..it };
    let score =
        |records: &[Advisory]| Advisories::new(records.to_vec()).group("CVE-1").unwrap().score();
    let old = rated("ghsa", "", OLD);
    assert_eq!(score(std::slice::from_ref(&old)), Some(100));
    let by_nvd = rated("nvd", "nvd@nist.gov", HIGH);
    assert_eq!(score(&[old.clone(), by_nvd.clone()]), Some(98), "3.1 before 2");
    let own = rated("cve", "", LOW);
    let of_assigner = score(std::slice::from_ref(&own));
    assert!(of_assigner < Some(50));
    for enricher in [by_nvd.clone(), rated("nvd", "", HIGH), rated("cve-adp/CISA-ADP", "", HIGH)] {
        assert_eq!(score(&[old.clone(), enricher, own.clone()]), of_assigner);
    }
    // What NVD passes on is the word of the assigner; of two of these the worse counts.
    let passed_on = rated("nvd", "security@example.org", HIGH);
    assert_eq!(score(&[passed_on, own.clone()]), Some(98));
    let newest = rated("cve-adp/CISA-ADP", "", NEWEST);
    let of_newest = score(std::slice::from_ref(&newest));
    assert!(of_newest.is_some() && of_newest < of_assigner);
    assert_eq!(score(&[old, by_nvd.clone(), own.clone(), newest]), of_newest);
    assert_eq!(score(&[withdrawn(by_nvd), own.clone()]), of_assigner);
    assert_eq!(score(&[withdrawn(own)]), None);
}
