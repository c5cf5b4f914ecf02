//! Events and published intervals, asked about single versions.

use proptest::prelude::*;
use relight_model::RangeKind;

use super::*;

/// Events in a short form: `i1 f2 l3 x4` for introduced, fixed, last affected, limit.
fn range(scheme: VersionScheme, text: &str) -> Range {
    let event = |word: &str| {
        let version = word[1..].to_owned();
        match &word[..1] {
            "i" => RangeEvent::Introduced(version),
            "f" => RangeEvent::Fixed(version),
            "l" => RangeEvent::LastAffected(version),
            _ => RangeEvent::Limit(version),
        }
    };
    let events = text.split_whitespace().map(event).collect();
    Range::new(scheme, &AffectedRange { kind: RangeKind::Ecosystem, events })
}

fn shown(range: &Range) -> String {
    range.intervals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The interval that holds a version, or `outside`, `unsure`, `above last known`.
fn place_in(range: &Range, scheme: VersionScheme, version: &str) -> String {
    match range.place(&Version::parse(scheme, version).unwrap()) {
        Place::Inside(interval) => interval.to_string(),
        Place::Outside => "outside".to_owned(),
        Place::Unsure => "unsure".to_owned(),
        Place::AboveLastKnown => "above last known".to_owned(),
    }
}

fn is_inside(scheme: VersionScheme, text: &str, version: &str) -> bool {
    place_in(&range(scheme, text), scheme, version).starts_with('>')
}

const NPM: VersionScheme = VersionScheme::Npm;

#[test]
fn events_to_intervals() {
    for (events, intervals) in [
        ("i0 f1.0.0", ">=0,<1.0.0"),
        ("i1.0.0", ">=1.0.0"),
        ("i1.0.0 l1.5.0", ">=1.0.0,<=1.5.0"),
        ("i1.0.0 f2.0.0 i3.0.0 f4.0.0", ">=1.0.0,<2.0.0 >=3.0.0,<4.0.0"),
        ("f2.0.0 i1.0.0 i1.2.0", ">=1.0.0,<2.0.0"),
        ("i1.0.0 f2.0.0 f3.0.0", ">=1.0.0,<2.0.0"),
        ("i1.0.0 l1.0.0", ">=1.0.0,<=1.0.0"),
        ("i1.0.0 i2.0.0 l2.0.0 f3.0.0", ">=1.0.0,<3.0.0"),
        ("i0 f0", ""),
        ("f1.0.0", ""),
        ("i1.0.0 fv1.0.0", ""),
    ] {
        assert_eq!(shown(&range(NPM, events)), intervals, "{events}");
    }
}

#[test]
fn what_events_leave_over_is_told() {
    for (events, empty, ignored) in [
        ("i1.0.0 f2.0.0", false, false),
        ("i1.0.0 f1.0.0", true, false),
        ("i0 f0", true, false),
        ("i1.0.0 f2.0.0 i2.0.0 f3.0.0", false, false),
        ("i1.0.0 i1.2.0 f2.0.0", false, true),
        ("f1.0.0", false, true),
        ("i1.0.0 f2.0.0 f3.0.0", false, true),
    ] {
        let range = range(NPM, events);
        assert_eq!((range.has_empty, range.has_ignored), (empty, ignored), "{events}");
    }
}

/// BIT-apache-2021-42013: two intervals that touch; the version in the middle is affected.
#[test]
fn bit_apache_2021_42013() {
    let events = "i2.4.49 f2.4.50 i2.4.50 f2.4.51";
    assert_eq!(shown(&range(NPM, events)), ">=2.4.49,<2.4.51");
    for (version, inside) in
        [("2.4.48", false), ("2.4.49", true), ("2.4.50", true), ("2.4.51", false)]
    {
        assert_eq!(is_inside(NPM, events, version), inside, "{version}");
    }
}

/// PYSEC-2022-236: the oldest interval is written last.
#[test]
fn pysec_2022_236() {
    let events = "i3.2 f3.2.15 i4.0 f4.0.6 i3.1.1 f3.1.3";
    let scheme = VersionScheme::Pep440;
    assert_eq!(shown(&range(scheme, events)), ">=3.1.1,<3.1.3 >=3.2,<3.2.15 >=4.0,<4.0.6");
    assert!(is_inside(scheme, events, "3.1.2"));
    assert!(!is_inside(scheme, events, "3.1.3"));
}

/// BIT-java-2020-14781: introduced and fixed at one version is an empty interval.
#[test]
fn bit_java_2020_14781() {
    let events = "i1.8.0 f1.8.0 i11.0.0 f11.0.9";
    assert_eq!(shown(&range(NPM, events)), ">=11.0.0,<11.0.9");
    assert!(!is_inside(NPM, events, "1.8.0"));
}

/// BIT-activemq-2020-11998: one version, introduced and last affected.
#[test]
fn bit_activemq_2020_11998() {
    let events = "i5.15.12 l5.15.12";
    assert_eq!(shown(&range(NPM, events)), ">=5.15.12,<=5.15.12");
    for (version, inside) in [("5.15.11", false), ("5.15.12", true), ("5.15.13", false)] {
        assert_eq!(is_inside(NPM, events, version), inside, "{version}");
    }
}

#[test]
fn limits_bound_from_above() {
    for (version, inside) in [("1.0.0", true), ("4.9.9", true), ("5.0.0", false)] {
        assert_eq!(is_inside(NPM, "i0 x3.0.0 x5.0.0", version), inside, "{version}");
    }
}

#[test]
fn zero_is_before_every_pre_release() {
    assert!(is_inside(NPM, "i0 f1.0.0", "0.0.0-0"));
    assert!(is_inside(VersionScheme::Deb, "i0 f1.0", "0~~"));
}

#[test]
fn inclusive_bounds_cover_the_whole_release() {
    let (python, deb) = (VersionScheme::Pep440, VersionScheme::Deb);
    assert!(is_inside(python, "i2.0 l2.1.0", "2.1.0+cu118"));
    assert!(!is_inside(python, "i2.0 f2.1.0", "2.1.0+cu118"));
    assert!(is_inside(deb, "i1.0 l1.2", "1.2-3"));
    assert!(is_inside(deb, "i1.2-3 l1.3-1", "1.2"));
    assert!(!is_inside(deb, "i1.0 f1.2", "1.2-3"));
    assert!(is_inside(NPM, "i1.0.0 l1.2.3", "1.2.3+build"));
}

#[test]
fn a_bad_bound_makes_unknown_only_what_depends_on_it() {
    for (events, version, wanted) in [
        ("i1.0.0 f${x}", "0.9.0", "outside"),
        ("i1.0.0 f${x}", "1.5.0", "unsure"),
        ("iunspecified f2.0.0", "1.0.0", "unsure"),
        ("iunspecified i1.0.0", "1.5.0", ">=1.0.0"),
        ("i0 xlatest", "1.0.0", "unsure"),
        ("i0 xlatest x2.0.0", "1.0.0", ">=0"),
    ] {
        assert_eq!(place_in(&range(NPM, events), NPM, version), wanted, "{events} {version}");
    }
}

/// `(1,2]` and so on; `?` before it when above is unknown.
fn published(text: &str) -> Range {
    let inner = text.trim_start_matches('?');
    let (lo, hi) = inner[1..inner.len() - 1].split_once(',').unwrap();
    let bound = |version: &str, inclusive: bool| match (version, inclusive) {
        ("", _) => Bound::Unbounded,
        (version, true) => Bound::Inclusive(version.to_owned()),
        (version, false) => Bound::Exclusive(version.to_owned()),
    };
    let (lo, hi) = (bound(lo, inner.starts_with('[')), bound(hi, inner.ends_with(']')));
    let known = text.starts_with('?');
    let basis = if known { BoundBasis::LastKnown } else { BoundBasis::Fixed };
    Range::of_interval(NPM, &Published { lo, hi, basis, status: RangeStatus::Affected })
}

#[test]
fn published_intervals_keep_their_bounds() {
    for (text, version, wanted) in [
        ("(2.6.0,2.6.1]", "2.6.0", "outside"),
        ("(2.6.0,2.6.1]", "2.6.1", ">2.6.0,<=2.6.1"),
        ("[2.6.0,2.6.1)", "2.6.0", ">=2.6.0,<2.6.1"),
        ("[2.6.0,2.6.1)", "2.6.1", "outside"),
        ("[0,1.0.0)", "0.0.0-0", ">=0,<1.0.0"),
        ("(,0)", "0.0.0-0", "outside"),
        ("(,)", "9.0.0", ">=0"),
        ("[2.0.0,log4j-core*)", "3.0.0", ">=2.0.0"),
        ("[2.0.0,*)", "3.0.0", ">=2.0.0"),
        ("[${x},2.0.0)", "1.0.0", "unsure"),
        ("[${x},2.0.0)", "2.0.0", "outside"),
        ("[1.0.0,${x})", "0.9.0", "outside"),
        ("[1.0.0,${x})", "1.9.0", "unsure"),
        ("?[0,1.2.3]", "1.2.3", ">=0,<=1.2.3"),
        ("?[0,1.2.3]", "5.0.0", "above last known"),
        ("?[1.0.0,1.2.3]", "0.5.0", "outside"),
    ] {
        assert_eq!(place_in(&published(text), NPM, version), wanted, "{text} {version}");
    }
    assert!(published("(,0)").is_empty() && published("(,0)").has_empty);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_permutation_gives_the_same_intervals(
        words in prop::collection::vec(("[iflx]", "[0-3](\\.(0|1|rc|foo|beta)){0,2}"), 0..9)
            .prop_map(|pairs| pairs.into_iter().map(|(a, b)| a + &b).collect::<Vec<_>>())
            .prop_flat_map(|words| (Just(words.clone()), Just(words).prop_shuffle())),
    ) {
        let (one, two) = words;
        for scheme in [VersionScheme::Maven, NPM, VersionScheme::Pep440] {
            let (one, two) = (range(scheme, &one.join(" ")), range(scheme, &two.join(" ")));
            prop_assert_eq!(shown(&one), shown(&two));
        }
    }

    /// Against a definition in other words: a version is inside when the nearest event at or
    /// below it that counts is a start. Numbers only, so that the order is the obvious one.
    #[test]
    fn events_mean_what_they_say(
        events in prop::collection::vec(("[if]", 1_u32..6), 0..6),
    ) {
        let text: Vec<_> = events.iter().map(|(kind, at)| format!("{kind}{at}.0.0")).collect();
        let range = range(NPM, &text.join(" "));
        let has = |kind: &str, at: u32| events.iter().any(|(k, v)| k == kind && *v == at);
        let mut open = false;
        for at in 1..7 {
            open = match (has("i", at), has("f", at)) {
                (true, true) | (false, false) => open,
                (starts, _) => starts,
            };
            for version in [format!("{at}.0.0"), format!("{at}.9.0")] {
                let inside = place_in(&range, NPM, &version).starts_with('>');
                prop_assert_eq!(inside, open, "{:?} {}", text, version);
            }
        }
    }
}
