//! Records that contradict themselves or leave out what would decide: nothing is clear by them.

use relight_match::{Advisories, Change, Matcher, Stand};
use relight_model::{
    Advisory, Affected, Bound, BoundBasis, FindingState, Grammar, Interval, NativeRange, RangeKind,
    RangeStatus, Stance, Why,
};

use super::failures::{LIB, lib, said};
use super::{advisory, affected, component, range, state};

/// Goal: a range that contradicts itself never clears anything. Method: bounds that were swapped,
/// or that leave nothing between them, in each form in which a range comes.
#[test]
fn m16_contradicting_ranges_never_clear() {
    let interval = |lo: Bound, hi: Bound| {
        let (basis, status) = (BoundBasis::Fixed, RangeStatus::Affected);
        Affected { intervals: vec![Interval { lo, hi, basis, status }], ..lib(&[]) }
    };
    let (low, high) = (|| Bound::Inclusive("3.0".into()), || Bound::Exclusive("2.0".into()));
    let native = |text: &str, grammar| {
        let (text, status) = (text.to_owned(), RangeStatus::Affected);
        Affected { native: vec![NativeRange { text, grammar, status }], ..lib(&[]) }
    };
    let same = || Bound::Exclusive("2.0".into());
    for entry in [
        interval(low(), high()),
        interval(Bound::Inclusive("2.0".into()), same()),
        interval(same(), same()),
        native("(3.0,2.0)", Grammar::Ecosystem),
        native("(,1.0),(3.0,2.0)", Grammar::Ecosystem),
        native("vers:maven/<2.0|>=1.0", Grammar::Vers),
        native("vers:maven/>=2.0|<2.0", Grammar::Vers),
        lib(&["i1.8.0 f1.8.0"]),
    ] {
        let record = advisory("X-1", vec![entry.clone()]);
        for version in ["0.5", "2.0", "2.5", "9.0", "unknown"] {
            let found = state(&record, &component(&format!("{LIB}@{version}")));
            assert!(found.is_some(), "{version} in {entry:?}");
            assert_ne!(found, Some(FindingState::Affected), "{version} in {entry:?}");
        }
    }
    // The range beside it keeps its meaning, and the end before every version is no slip.
    for (entry, version, wanted) in [
        (lib(&["i1.8.0 f1.8.0 i11 f12"]), "11.5", Some(FindingState::Affected)),
        (lib(&["i1.8.0 f1.8.0 i11 f12"]), "1.8.0", None),
        (lib(&["i0 f0"]), "1.8.0", None),
        (native("(,0)", Grammar::Ecosystem), "1.8.0", None),
        (native("[2.0,2.0]", Grammar::Ecosystem), "2.0", Some(FindingState::Affected)),
        (lib(&["i1 l2.0 f2.0"]), "2.0", Some(FindingState::Affected)),
        (lib(&["i1 l2.0 f2.0"]), "2.1", None),
    ] {
        let record = advisory("X-1", vec![entry.clone()]);
        let found = state(&record, &component(&format!("{LIB}@{version}")));
        assert_eq!(found, wanted, "{version} in {entry:?}");
    }
    // A supplier's word about versions in another order than the specification's clears none, and
    // a condition that cannot be read makes nothing clear that the rest would.
    let npm = |text: &str, status| {
        let (text, grammar) = (text.to_owned(), Grammar::Ecosystem);
        let native = vec![NativeRange { text, grammar, status }];
        Affected { native, rest: RangeStatus::Affected, ..affected("npm", "lib", &[]) }
    };
    for (text, is_found) in [(">=1.2.0", false), (">=1.2.0 <abc", true)] {
        let record = advisory("X-1", vec![npm(text, RangeStatus::NotAffected)]);
        let found = state(&record, &component("pkg:npm/lib@3.0.0"));
        assert_eq!(found.is_some(), is_found, "{text}: {found:?}");
    }
}

/// A commit that ends a range of commits clears nothing that a range of versions beside it holds.
#[test]
fn m12_a_fixed_commit_clears_no_versions() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let git = range(RangeKind::Git, &format!("i0 f{commit}"));
    let it = |version: &str| component(&format!("pkg:pypi/lib@{version}"));
    let alone = Affected { ranges: vec![git.clone()], ..affected("PyPI", "lib", &[]) };
    assert_eq!(state(&advisory("X-1", vec![alone]), &it(commit)), None);
    for (events, wanted) in
        [("i0", FindingState::Affected), ("i0 f2.0", FindingState::PossibleMatch)]
    {
        let mut both = affected("PyPI", "lib", &[events]);
        both.ranges.push(git.clone());
        assert_eq!(state(&advisory("X-1", vec![both]), &it(commit)), Some(wanted), "{events}");
    }
}

/// An advisory of our own, and what a distribution says of every version, reach modular packages
/// too; an erratum of another stream does not.
#[test]
fn m15_own_word_reaches_modular_packages() {
    let purl = "pkg:rpm/almalinux/nodejs@1:18.19.0-1.module_el8.9.0+3?distro=almalinux-8.9";
    let of = |source: &str, events: &str| {
        let entry = affected("AlmaLinux:8", "nodejs", &[events]);
        // An advisory of our own is known by its id.
        let id = if source == "own" { "RLT-1" } else { "CVE-1" };
        Advisory { source: source.into(), ..advisory(id, vec![entry]) }
    };
    let plain = "pkg:rpm/almalinux/nodejs@1:18.19.0-1.el8?distro=almalinux-8.9";
    let module = "i0 f1:18.20.0-1.module_el8.9.0+5";
    for (source, events, purl, wanted) in [
        ("own", "i0 f1:20", purl, "affected"),
        ("own", "i0 f1:18", purl, "not-affected"),
        ("own", module, plain, "affected"),
        ("almalinux", "i0 f1:20", purl, "not-affected"),
        ("almalinux", "i0", purl, "stream-unknown"),
        ("almalinux", "i0", plain, "affected"),
        ("almalinux", module, plain, "not-affected"),
        ("almalinux", module, purl, "stream-unknown"),
    ] {
        let record = of(source, events);
        let advisories = Advisories::new(vec![record.clone()]);
        let id = record.id.clone();
        assert_eq!(said(&advisories, &id, purl), wanted, "{source} {events} of {purl}");
        let mut matcher = Matcher::new(Advisories::new(vec![]));
        matcher.add([(0, component(purl))]);
        matcher.apply(vec![Change::put(record)]);
        let listed = matcher.matches(&id).first().map_or("not-affected", |it| match it.stand {
            Stand::Unknown(why) => why.as_str(),
            stand => stand.as_str(),
        });
        assert_eq!(listed, wanted, "{source} {events} of {purl}");
        assert!(matcher.rematch());
    }
}

/// A record that says only which versions have the fix clears those, and no other.
#[test]
fn versions_that_are_not_affected_clear_themselves_only() {
    let fixed = Interval {
        lo: Bound::Inclusive("2.17.1".into()),
        hi: Bound::Unbounded,
        basis: BoundBasis::Limit,
        status: RangeStatus::NotAffected,
    };
    let stance = Stance::Unresolved(Why::NoRange);
    let entry = Affected { intervals: vec![fixed], stance, ..lib(&[]) };
    let record = advisory("X-1", vec![entry]);
    for (version, wanted) in [("2.16", Some(FindingState::RangeUnresolved)), ("2.17.1", None)] {
        assert_eq!(state(&record, &component(&format!("{LIB}@{version}"))), wanted, "{version}");
    }
}

/// Goal: each stream of a module has a fix of its own, and what is said of one says nothing of
/// another (ADVISORIES.md 3.6). Method: one record with the fixes of two streams, and one that
/// leaves a stream open; packages of those streams, of a third one, of one that is not told, and of
/// none.
#[test]
fn m15_each_stream_of_a_module_is_judged_by_itself() {
    let of = |stream: &str, events: &[&str]| {
        let entry = affected("Red Hat:8", "nodejs", events);
        Affected { module: Some(format!("nodejs:{stream}")), ..entry }
    };
    let fixed = vec![of("16", &["i0 f16.20-1.module_el8"]), of("18", &["i0 f18.9-1.module_el8"])];
    let open = vec![of("16", &["i0 f16.20-1.module_el8"]), of("18", &["i0"])];
    // The plain package of the same name is one more that the document names.
    let plain = [&open[..], &[affected("Red Hat:8", "nodejs", &["i0 f10.2-1.el8"])]].concat();
    for (version, wanted) in [("10.1-1.el8", "affected"), ("10.2-1.el8", "clear")] {
        let it = component(&format!("pkg:rpm/redhat/nodejs@{version}?distro=rhel-8.6"));
        let all = Advisories::new(vec![advisory("CVE-1", plain.clone())]);
        let state = all.group("CVE-1").unwrap().judge(&it);
        assert_eq!(state.map_or("clear", |found| found.state.as_str()), wanted, "{version}");
        let mut matcher = Matcher::new(all);
        matcher.add([(0, it)]);
        assert_eq!(matcher.matches("CVE-1").is_empty(), wanted == "clear", "{version}");
    }
    for (version, stream, by_fix, by_open) in [
        ("16.19-1.module_el8", "16", "affected", "affected"),
        ("16.21-1.module_el8", "16", "clear", "clear"),
        ("18.8-1.module_el8", "18", "affected", "affected"),
        ("18.9-1.module_el8", "18", "clear", "affected"),
        ("20.1-1.module_el8", "20", "clear", "clear"),
        ("18.9-1.module_el8", "", "clear", "possible-match"),
        ("10.1-1.el8", "none", "clear", "clear"),
    ] {
        let module = match stream {
            "" | "none" => String::new(),
            stream => format!("&rpmmod=nodejs:{stream}:8060:ad"),
        };
        let it = component(&format!("pkg:rpm/redhat/nodejs@{version}?distro=rhel-8.6{module}"));
        let by_plain = if stream == "none" { "affected" } else { by_open };
        for (parts, wanted) in [(&fixed, by_fix), (&open, by_open), (&plain, by_plain)] {
            let all = Advisories::new(vec![advisory("CVE-1", parts.clone())]);
            let group = all.group("CVE-1").unwrap();
            let state = group.judge(&it).map_or("clear", |found| found.state.as_str());
            assert_eq!(state, wanted, "{version} of {stream}: {:?}", group.judgement(&it));
            let mut matcher = Matcher::new(all);
            matcher.add([(0, it.clone())]);
            assert_eq!(matcher.matches("CVE-1").is_empty(), wanted == "clear", "{version}");
            assert!(matcher.rematch(), "{version}");
        }
    }
}
