//! Sign-ins that a policy shortens, where a provider of identities vouches for the person.

use relight_server::{SignInTimes, WebConfig};
use serde_json::json;

use crate::door_support::{START, World, clock, person};
use crate::oidc_provider::{Provider, signed_in};
use crate::web_oidc::{bind, come};

/// Goal: a policy of an hour is one at a provider too. Trap: whoever had shown the provider who it
/// is in the morning came in again by one click, hour after hour. Method: the same person with two
/// times at which it was shown, and what the provider is asked for.
#[test]
fn who_showed_a_provider_longer_ago_than_the_policy_lets_a_sign_in_last_shows_it_again() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let configured = provider.configured();
    let shorter = |config: &mut WebConfig| {
        configured(config);
        config.sign_ins = SignInTimes { lasts_s: 3_600, ..SignInTimes::default() };
    };
    let mut anna = String::new();
    let world = World::start_with(now, shorter, |store| {
        anna = person(store, "anna", 1, &[("viewer", "/")]);
    });
    bind(&world, &provider, &anna, "s-1", START);
    assert_eq!(world.leaves("/sign-in/oidc?lang=en", "").parameter("max_age"), "3600");
    let (status, head, body) = come(&world, &provider, "s-1", json!({"auth_time": START - 7_200}));
    assert_eq!((status, signed_in(&head)), (403, None), "{body}");
    let line = world.journal().pop().unwrap();
    assert!(line.contains(r#""why":"id-token-authentication""#), "{line}");
    let (_, head, body) = come(&world, &provider, "s-1", json!({"auth_time": START - 3_000}));
    assert!(signed_in(&head).is_some(), "{body}");
    world.web.stop();
}
