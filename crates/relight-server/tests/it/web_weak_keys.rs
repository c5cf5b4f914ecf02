//! Somebody whose only passkey does not count any more, over real sockets.

use relight_engine::store::Store;
use relight_server::with_weak_keys_only;
use serde_json::json;

use crate::door_device::Device;
use crate::door_support::{START, World, clock, person, with_key, with_key_of};
use crate::oidc_provider::{Provider, signed_in};
use crate::web_acts::{acts, behind_an_edge, decide, open_incident, propose};
use crate::web_oidc::{bind, come};

/// A key of RSA with 2,048 bits, as older machines made them.
fn weak() -> Vec<u8> {
    let head = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00, 0x80];
    [&head[..], &[1; 255], &[0x21, 0x43, 0x01, 0x00, 0x01]].concat()
}

/// Goal: a key that is refused wherever it is shown is not asked for in place of the provider, or
/// its owner approves nothing. Method: an approver with such a key and a second factor of the
/// provider, and one who has a key that counts beside it.
#[test]
fn a_key_that_does_not_count_keeps_nobody_from_the_provider() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (mut chief, mut zoe, device) = (String::new(), String::new(), Device::new(1));
    let world = World::start_with(now, provider.configured(), |store: &Store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = with_key_of(store, ("zoe", 2), "approver", (vec![7; 16], weak()));
        with_key(store, "max", 3, "approver", &device);
    });
    assert_eq!(with_weak_keys_only(&world.store, 3_072).unwrap(), ["zoe"]);
    assert!(with_weak_keys_only(&world.store, 2_048).unwrap().is_empty());
    open_incident(&world, &chief);
    bind(&world, &provider, &zoe, "s-1", START);
    assert_eq!(propose(&world, &chief, "care").0, 303);
    // Her sign-in of before is old by now: the provider alone says who she is.
    now_set(START + 60);
    let fresh = json!({"amr": ["mfa"], "auth_time": START + 60});
    let cookie = signed_in(&come(&world, &provider, "s-1", fresh).1).unwrap();
    let page = world.get("/approve/A-0001?lang=en", &cookie).2;
    assert!(!page.contains("/confirm?next="), "she is led to no key: {page}");
    let (status, body) = decide(&world, &cookie, "A-0001", "decision=approve");
    assert_eq!(status, 303, "{body}");
    assert!(acts(&world).contains(&"plan-approved zoe".to_owned()));
    world.web.stop();
}
