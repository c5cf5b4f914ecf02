//! How long an edge rests.

use relight_edge::ProbeTarget;
use relight_model::Light;

use super::*;
use crate::incident::Gate;

fn want(light: Light, gate: Gate) -> Want {
    let key = GateKey::new("site").unwrap();
    Want {
        target: ProbeTarget::site(key, "site.example".into(), None),
        aliases: Vec::new(),
        light,
        gate,
        seen_dark: false,
    }
}

#[test]
fn a_settled_edge_rests_until_another_light_is_wanted() {
    let after = |pause| {
        let round = Round { settled: true, ..Round::default() };
        Rest::after(&round, &[], Vec::new(), pause)
    };
    let rest = after(Duration::from_secs(3_600));
    let settled = [want(Light::Dark, Gate::Proven), want(Light::Lit, Gate::Open)];
    assert!(rest.left(&settled, &|_| true).is_some_and(|left| left > Duration::from_secs(3_000)));
    assert_eq!(Rest::default().left(&settled, &|_| true), None);
    assert_eq!(after(Duration::ZERO).left(&settled, &|_| true), None);
    assert_eq!(
        Rest::after(&Round::default(), &settled, Vec::new(), POLL).left(&settled, &|_| true),
        None
    );
    for (light, gate) in [
        (Light::Dark, Gate::Open),
        (Light::Dark, Gate::Requested),
        (Light::Dark, Gate::Failed),
        (Light::Lit, Gate::Proven),
        (Light::Lit, Gate::Requested),
    ] {
        assert_eq!(rest.left(&[want(light, gate)], &|_| true), None, "{light:?} {gate:?}");
    }
}

/// What the journal says of it changes nothing, and an order is tried at once.
#[test]
fn a_silent_edge_is_left_alone_until_something_else_is_wanted() {
    let round = Round { again_ms: Some(3_600_000), ..Round::default() };
    let asked = [want(Light::Dark, Gate::Requested)];
    let rest = Rest::after(&round, &asked, vec![false], POLL);
    assert!(!rest.is_settled());
    assert!(rest.left(&asked, &|_| true).is_some());
    assert!(rest.left(&[want(Light::Dark, Gate::Failed)], &|_| true).is_some());
    assert_eq!(rest.left(&[want(Light::Lit, Gate::Requested)], &|_| true), None);
    assert_eq!(rest.left(&[], &|_| true), None);
    let twice = [asked[0].clone(), asked[0].clone()];
    assert_eq!(rest.left(&twice, &|_| true), None);
    let named = Want { aliases: vec!["new.example".into()], ..asked[0].clone() };
    assert_eq!(rest.left(&[named], &|_| true), None, "nobody has asked under that name");
}

/// A site that was opened and not proven lit is closed when its evidence runs out, however long
/// the edge is left alone; and that ends one rest, not every one after it.
#[test]
fn a_silent_edge_is_asked_when_a_site_may_not_be_opened_any_more() {
    let round = Round { again_ms: Some(3_600_000), ..Round::default() };
    for (light, gate, ends) in [
        (Light::Lit, Gate::Requested, true),
        (Light::Lit, Gate::Proven, true),
        (Light::Lit, Gate::Failed, true),
        (Light::Lit, Gate::Open, false),
        (Light::Dark, Gate::Requested, false),
    ] {
        let wants = [want(light, gate)];
        let rest = Rest::after(&round, &wants, vec![false], POLL);
        assert!(rest.left(&wants, &|_| true).is_some(), "{light:?} {gate:?}");
        assert_eq!(rest.left(&wants, &|_| false).is_none(), ends, "{light:?} {gate:?}");
        let rest = Rest::after(&round, &wants, vec![ends], POLL);
        assert!(rest.left(&wants, &|_| false).is_some(), "{light:?} {gate:?}");
    }
}

/// Goal: an order does not end what is known of a canary. Method: its name as it is shows dark, of
/// one that a spelling reached and of another.
#[test]
fn a_canary_that_shows_dark_ends_no_leak() {
    let what = |seen, is_past| match shown("east", seen, is_past) {
        Some(Entry::CanaryTried { passed, what, .. }) => {
            assert_eq!(passed, what.is_empty());
            Some(what)
        }
        _ => None,
    };
    assert_eq!(what(Some(Seen::Dark), true).as_deref(), Some("host-spelling"));
    assert_eq!(what(Some(Seen::Dark), false).as_deref(), Some(""));
    assert_eq!(what(Some(Seen::Lit), true).as_deref(), Some("dark-not-seen"));
    assert_eq!(what(None, true), None);
}
