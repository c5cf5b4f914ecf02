//! An advisory of our own, written before anybody knows more: what clears nothing against it.

use relight_match::{Advisories, Change, Enclosure, Flag, Matcher, Policy};
use relight_model::{Advisory, Component, Stance, VexStatus, Why};

use super::vex::{CORE, product, purl, record, state, statement, with};
use super::{advisory, affected, component};

const OWNER: &str =
    "pkg:deb/debian/liblog4j2-java@2.13.3-1%2Bdeb11u1?distro=debian-11&upstream=apache-log4j2";
const NAME: &str = "org.apache.logging.log4j:log4j-core";

/// Our own about a package of an ecosystem: `?` without a range, else events.
fn own(ecosystem: &str, name: &str, events: &str) -> Advisory {
    let mut entry = affected(ecosystem, name, &[events]);
    if events.is_empty() {
        entry.ranges.clear();
        entry.stance = Stance::Unresolved(Why::NoRange);
    }
    let aliases = vec!["CVE-2021-1".into()];
    Advisory { source: "own".into(), aliases, ..advisory("RLT-1", vec![entry]) }
}

/// The tracker says that the owner has the fix, which its release did not have before.
fn fix_of_owner() -> Advisory {
    let entry = affected("Debian:11", "apache-log4j2", &["i0 f2.13.3-1+deb11u1"]);
    Advisory { upstream: vec!["CVE-2021-1".into()], ..advisory("D-1", vec![entry]) }
}

/// Goal: whatever an owner or a supplier says, a component that our own advisory means or leaves
/// open is never clear. Method: each way of clearing (the fix of the distribution, statements about
/// the component and about its owner) against own advisories with, without and outside of a bound,
/// alone and beside the record of somebody else; the list of the matcher says the same.
#[test]
fn nothing_clears_what_an_advisory_of_our_own_leaves_open() {
    let jar = Component { owned_by: Some(purl(OWNER)), ..component(&format!("{CORE}@2.13.3")) };
    let cleared = |status, text: &str| {
        let said = statement("CVE-2021-1", status, product(text));
        Advisory { source: "vex".into(), statements: vec![said], ..advisory("VEX-1", vec![]) }
    };
    let clearing = [
        fix_of_owner(),
        cleared(VexStatus::NotAffected, &format!("{CORE}@2.13.3")),
        cleared(VexStatus::Fixed, &format!("{CORE}@2.13.3")),
        cleared(VexStatus::NotAffected, OWNER),
        cleared(VexStatus::Fixed, OWNER),
    ];
    for clears in clearing {
        for (others, events, wanted) in [
            (vec![record()], None, "clear"),
            (vec![record()], Some("i0"), "affected"),
            (vec![record()], Some("i2"), "affected"),
            (vec![record()], Some("i0 f2.14"), "affected"),
            (vec![record()], Some(""), "affected"),
            (vec![], Some(""), "range-unresolved"),
            (vec![], Some("i0"), "affected"),
            (vec![], Some("i2.13.3 l2.13.3"), "affected"),
            // It knows its bound, and this version is outside.
            (vec![record()], Some("i0 f2.12"), "clear"),
        ] {
            let mut records = [others.clone(), vec![clears.clone()]].concat();
            let text = format!("{events:?} beside {} with {clears:?}", others.len());
            records.extend(events.map(|events| own("Maven", NAME, events)));
            let policy = Policy { trusted: ["trusted".into()].into(), ..Policy::default() };
            let all = Advisories::with_policy(records.clone(), policy.clone());
            assert_eq!(state(&all, &jar), wanted, "{text}");
            let group = all.group("CVE-2021-1").unwrap();
            let judgement = group.judgement(&jar);
            let found = judgement.stand().state().map_or("clear", |it| it.as_str());
            assert_eq!(found, wanted, "{text}");
            assert!(
                wanted == "clear" || !group.is_weakly_clear(&jar, &Enclosure::default()),
                "{text}"
            );
            let refused = wanted != "clear" && !clears.statements.is_empty();
            assert!(!refused || judgement.has(Flag::SourcesDisagree), "{text}");
            // Ours comes last: the list follows, whichever way it is made.
            let (last, before) = records.split_last().unwrap();
            let mut matcher = Matcher::new(Advisories::with_policy(before.to_vec(), policy));
            matcher.add([(0, jar.clone())]);
            matcher.apply(vec![Change::put(last.clone())]);
            let listed = matcher.matches("CVE-2021-1").first().and_then(|it| it.state());
            assert_eq!(listed.map_or("clear", |it| it.as_str()), wanted, "{text}");
            assert!(matcher.rematch(), "{text}");
        }
    }
}

/// Our own may mean the owner and not the archive: then nothing of the owner clears what is inside.
#[test]
fn an_owner_that_our_own_advisory_means_clears_nothing_inside() {
    let jar = Component { owned_by: Some(purl(OWNER)), ..component(&format!("{CORE}@2.13.3")) };
    for (events, wanted) in [
        ("i0", "affected"),
        ("", "affected"),
        ("i0 f2.13.3-1+deb11u2", "affected"),
        ("i0 f2.13.3-1", "clear"),
    ] {
        let ours = own("Debian", "apache-log4j2", events);
        let all = with(vec![record(), fix_of_owner(), ours], vec![]);
        assert_eq!(state(&all, &jar), wanted, "{events}");
    }
}
