//! Roles by groups of a provider: for one sign-in through it, beside those that were granted here,
//! and for nothing that outlives it.

use relight_engine::access::{Role, Scope};
use relight_server::{GroupRole, WebConfig};
use serde_json::json;

use crate::door_device::Device;
use crate::door_support::{START, World, clock, with_key};
use crate::oidc_provider::{Provider, signed_in};
use crate::web_oidc::{bind, come};

/// What groups of the provider give.
const GIVEN: [(&str, Role, &str); 2] =
    [("nurses", Role::Analyst, "health"), ("audit", Role::Auditor, "/")];

/// A register with somebody who reads a utility, bound to the subject `s-1`.
fn start(clock: fn() -> i64, provider: &Provider, device: &Device) -> (World, String) {
    let mut settings = provider.settings();
    settings.group = GIVEN
        .map(|(value, role, scope)| {
            let scope = Scope::parse(scope).unwrap();
            GroupRole { value: value.into(), role, scope }
        })
        .to_vec();
    let mut anna = String::new();
    let change = |config: &mut WebConfig| config.oidc = Some(settings);
    let world = World::start_with(clock, change, |store| {
        anna = with_key(store, "anna", 2, "publisher", device);
    });
    bind(&world, provider, &anna, "s-1", START);
    (world, anna)
}

/// Whether a sign-in reads the audit log, which only an auditor does.
fn is_auditor(world: &World, cookie: &str) -> bool {
    let status = world.get("/audit?lang=en", cookie).0;
    assert!([200, 403, 404].contains(&status), "{status}");
    status == 200
}

/// Goal: a group gives its role to the sign-in that came with it, and to no other one of the same
/// account; the journal and the page say so, and the account itself has no more than before.
#[test]
fn a_group_gives_its_role_to_one_sign_in_and_to_nothing_else() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let mut device = Device::new(9);
    let (world, anna) = start(now, &provider, &device);
    let grants = world.store.account_tables().unwrap().grants;
    let with = |groups| {
        let came = come(&world, &provider, "s-1", groups);
        signed_in(&came.1).unwrap_or_else(|| panic!("{}", came.2))
    };
    let first = with(json!({"groups": ["audit", "commander", "admin"]}));
    let plain = with(json!({}));
    assert!(is_auditor(&world, &first));
    assert!(!is_auditor(&world, &plain) && !is_auditor(&world, &anna));
    let page = world.get("/me?lang=en", &first).2;
    assert!(page.contains("Auditor, in everything (by a group at Provider &#60;1&#62;"), "{page}");
    assert!(page.contains("<li>Publisher, in everything</li>"), "granted here: {page}");
    assert!(!world.get("/me?lang=en", &plain).2.contains("by a group"));
    assert!(world.journal().concat().contains(r#""groups":"auditor /""#));
    assert_eq!(world.store.account_tables().unwrap().grants, grants, "nothing was granted");

    // A token would outlive the sign-in, whatever is shown in it.
    let wish = |role| [("label", "x"), ("role", role), ("days", "1")];
    assert_eq!(world.confirm(&first, &mut device), 303);
    assert!(is_auditor(&world, &first), "a passkey that is shown takes nothing away");
    let page = world.get("/me?lang=en", &first).2;
    assert!(!page.contains("value=\"auditor /\"") && page.contains("value=\"publisher /\""));
    let (status, _, page) = world.act(&first, ("/me", "/me/token"), &wish("auditor /"));
    assert_eq!(status, 403, "{page}");
    assert_eq!(world.act(&first, ("/me", "/me/token"), &wish("publisher /")).0, 200);
    assert_eq!(world.store.account_tables().unwrap().tokens.len(), 1);

    // Whoever is in no group any more has its role until the sign-in is over, and not longer.
    assert_eq!(world.act(&first, ("/me", "/sign-out"), &[]).0, 303);
    assert!(!is_auditor(&world, &with(json!({"groups": []}))));
    let last = with(json!({"groups": "audit"}));
    assert!(is_auditor(&world, &last));
    now_set(START + 30 * 60);
    assert_eq!(world.get("/audit?lang=en", &last).0, 303, "it is over");
    world.web.stop();
}

/// Goal: where the provider does not say which groups, there is no role, and the page says why.
#[test]
fn groups_that_a_provider_keeps_to_itself_give_no_role_and_that_is_told() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _) = start(now, &provider, &Device::new(9));
    let many: Vec<String> = (0..200).map(|at| at.to_string()).chain(["audit".into()]).collect();
    for (claims, why, told) in [
        (
            json!({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}),
            "groups-elsewhere",
            "names too many groups of yours to send them",
        ),
        (json!({ "groups": many }), "groups-too-many", "more than 200 groups"),
        (json!({"groups": {"audit": true}}), "groups-unreadable", "is not understood"),
    ] {
        let came = come(&world, &provider, "s-1", claims);
        let cookie = signed_in(&came.1).unwrap_or_else(|| panic!("{why}: {}", came.2));
        assert!(!is_auditor(&world, &cookie), "{why}");
        assert!(world.get("/me?lang=en", &cookie).2.contains(told), "{why}");
        assert!(world.journal().pop().unwrap().contains(&format!(r#""groups":"{why}""#)));
    }
    world.web.stop();
}
