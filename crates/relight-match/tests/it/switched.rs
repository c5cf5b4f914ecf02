//! Sources that an operator has switched off.

use relight_match::{Advisories, Change, Matcher, Policy};
use relight_model::{Advisory, Signal};

use super::{advisory, affected, component};

/// A source that an operator switches off is as if it had withdrawn everything, whatever it says
/// meanwhile; switched on again, all of it is as it was.
#[test]
fn m19_a_source_that_is_switched_off_and_on() {
    let of = |source: &str, at: usize| Advisory {
        source: source.into(),
        aliases: vec!["CVE-2021-1".into()],
        signals: vec![Signal::Kev {
            catalogue: source.into(),
            added: Some(1),
            due: None,
            ransomware: false,
            removed: None,
        }],
        ..advisory(
            &format!("X-{source}"),
            vec![affected("Maven", "org.example:lib", &[&format!("i{at} f{}", at + 2)])],
        )
    };
    let records = vec![of("one", 0), of("two", 4)];
    let policy = |disabled: &[&str]| Policy {
        disabled: disabled.iter().map(|it| ((*it).to_owned(), 7)).collect(),
        ..Policy::default()
    };
    let with = |disabled: &[&str]| {
        let all = Advisories::with_policy(records.clone(), policy(disabled));
        let mut matcher = Matcher::new(all);
        matcher.add((0..10).map(|at| (at, component(&format!("pkg:maven/org.example/lib@{at}")))));
        matcher
    };
    let versions = |matcher: &Matcher| -> Vec<u32> {
        matcher.lists().flat_map(|(_, list)| list).map(|it| it.identity).collect()
    };
    let exploited =
        |matcher: &Matcher| matcher.advisories().group("CVE-2021-1").unwrap().known_exploited();
    let revision = |it: &Matcher| it.advisories().group("CVE-2021-1").unwrap().revision();
    let (all, mut one) = (with(&[]), with(&["two"]));
    assert_eq!((versions(&all), versions(&one)), (vec![0, 1, 4, 5], vec![0, 1]));
    assert_ne!(revision(&all), revision(&one), "evidence rests on who speaks");
    assert!(exploited(&all) && exploited(&one) && !exploited(&with(&["one", "two"])));
    let group = one.advisories().group("CVE-2021-1").unwrap();
    let withdrawn: Vec<_> = group.records().map(|it| it.withdrawn).collect();
    assert_eq!(withdrawn, [None, Some(7)], "it is still shown");
    // What it says meanwhile is kept, and counts as little.
    let before = one.digest();
    one.apply(vec![Change::put(of("two", 6))]);
    assert_eq!((one.digest(), one.rematch()), (before, true));
    assert_eq!(with(&[]).digest(), all.digest());
}
