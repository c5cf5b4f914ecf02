//! Signing in through a provider of identities, over real sockets: who comes in, with what rights,
//! and everything that lets nobody in.

use relight_engine::store::Store;
use serde_json::{Value, json};

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, code_in, person, token, with_key};
use crate::oidc_provider::{Away, Provider, challenge, signed, signed_in};
use crate::web_acts::{ASK, LOG4SHELL, acts, behind_an_edge, decide, open_incident, propose};

/// A register with an admin and somebody who reads, both with fresh passkeys.
fn world(clock: fn() -> i64, provider: &Provider) -> (World, String, String) {
    let (mut admin, mut anna) = Default::default();
    let world = World::start_with(clock, provider.configured(), |store| {
        admin = person(store, "admin", 1, &[("admin", "/")]);
        anna = person(store, "anna", 2, &[("viewer", "/")]);
    });
    (world, admin, anna)
}

fn header() -> Value {
    json!({"alg": "EdDSA", "kid": "k1"})
}

/// Binds the subject to the account of a cookie.
pub(crate) fn bind(world: &World, provider: &Provider, cookie: &str, subject: &str, now: i64) {
    let away = world.leaves("/me/identity?lang=en", cookie);
    provider.gives(&signed(9, &header(), &provider.claims(&away, subject, now)));
    let (status, head, body) = world.returns(&away.back(), &away.cookie);
    assert_eq!((status, signed_in(&head)), (200, None), "{body}");
    assert!(body.contains("url=/me?lang=en"), "{body}");
}

type Came = (u16, String, String);

/// Signs a subject in, with more claims; what came of it.
pub(crate) fn come(world: &World, provider: &Provider, subject: &str, more: Value) -> Came {
    let away = world.leaves("/sign-in/oidc?lang=en&next=/sites", "");
    let mut claims = provider.claims(&away, subject, START);
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    provider.gives(&signed(9, &header(), &claims));
    world.returns(&away.back(), &away.cookie)
}

/// Goal: an identity that was bound to an account signs in to it, with its roles and without the
/// rights of a passkey. Method: bind, come in, read, and try what needs a key.
#[test]
fn a_bound_identity_signs_in_and_reads_with_its_roles() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    bind(&world, &provider, &anna, "s-1", START);
    let page = world.get("/me?lang=en", &anna).2;
    assert!(page.contains("s-1") && page.contains(&provider.issuer), "{page}");
    let page = world.get("/sign-in?lang=en", "").2;
    assert!(page.contains("Sign in with Provider &#60;1&#62;"), "{page}");

    let away = world.leaves("/sign-in/oidc?lang=en&next=/sites%3Fpage=1", "");
    assert!(away.location.starts_with(&format!("{}/auth?", provider.issuer)), "{away:?}");
    provider.gives(&signed(9, &header(), &provider.claims(&away, "s-1", START)));
    let (status, head, body) = world.returns(&away.back(), &away.cookie);
    assert_eq!(status, 200, "{body}");
    assert!(
        body.contains("url=/sites?page=1&#38;lang=en"),
        "a page goes on, not a redirect: {body}"
    );
    assert!(head.contains("__Host-rl-away=; Path=/; Max-Age=0"), "{head}");
    let cookie = signed_in(&head).unwrap();
    let forms = provider.forms();
    let verifier = forms[1].split("code_verifier=").nth(1).unwrap().split('&').next().unwrap();
    assert_eq!(challenge(verifier), away.parameter("code_challenge"), "PKCE");

    assert!(world.get("/sites?lang=en", &cookie).2.contains("Name care"));
    assert_eq!(world.get("/accounts", &cookie).0, 404, "no role, no page");
    let (status, _, page) = world.act(
        &cookie,
        ("/me", "/me/token"),
        &[("label", "x"), ("role", "viewer /"), ("days", "1")],
    );
    assert_eq!(status, 403, "a token needs a passkey: {page}");
    let journal = world.journal().concat();
    for part in [r#""act":"identity-added""#, r#""factor":"oidc-strong""#, r#""subject":"s-1""#] {
        assert!(journal.contains(part), "{part}: {journal}");
    }
    assert!(!journal.contains("anna@town.example"), "nothing of the person but who it is");
    world.web.stop();
}

/// Goal: an answer of a provider counts in the browser that asked, once and in time. Method: the
/// same good code comes back twice, late, without the cookie, with that of another browser, with
/// another state; the token endpoint is asked for none of them.
#[test]
fn what_comes_back_counts_once_in_time_and_in_the_browser_that_asked() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    bind(&world, &provider, &anna, "s-1", START);
    let refused = |what: &str, path: &str, cookie: &str| {
        let asked = provider.forms().len();
        let (status, head, body) = world.returns(path, cookie);
        assert_eq!((status, signed_in(&head)), (403, None), "{what}: {body}");
        assert!(body.contains("role=\"alert\""), "{what}: {body}");
        assert_eq!(provider.forms().len(), asked, "{what}: the code was not exchanged");
    };
    let away = || world.leaves("/sign-in/oidc?next=/sites", "");
    let (first, other) = (away(), away());
    assert_ne!(first.parameter("state"), other.parameter("state"));
    assert_ne!(first.parameter("nonce"), other.parameter("nonce"));
    refused("no cookie: somebody else's link", &first.back(), "");
    refused("the cookie of another browser", &first.back(), &other.cookie);
    refused("no state", "/sign-in/oidc/back?code=c-1", &first.cookie);
    refused("another state", "/sign-in/oidc/back?code=c-1&state=AAAA", &first.cookie);
    // Each of them is a trial, and five a minute are looked at.
    now_set(START + 60);
    let mixed = format!("{}&iss=https%3A%2F%2Fevil.example", away().back());
    refused("an answer of another provider, unbound", &mixed, &first.cookie);
    provider.gives(&signed(9, &header(), &provider.claims(&first, "s-1", START)));
    let (status, head, body) = world.returns(&first.back(), &first.cookie);
    assert!(status == 200 && signed_in(&head).is_some(), "{body}");
    refused("replayed", &first.back(), &first.cookie);
    let third = away();
    let mixed = format!("{}&iss=https%3A%2F%2Fevil.example", third.back());
    refused("mixed up", &mixed, &third.cookie);
    refused("and over", &third.back(), &third.cookie);
    now_set(START + 2 * 60);
    let declined = away();
    let path =
        format!("/sign-in/oidc/back?error=access_denied&state={}", declined.parameter("state"));
    refused("declined", &path, &declined.cookie);
    let late = away();
    now_set(START + 7 * 60);
    refused("too late", &late.back(), &late.cookie);
    let journal = world.journal().concat();
    for why in ["expired", "id-token-issuer", "provider-declined"] {
        assert!(journal.contains(&format!(r#""why":"{why}""#)), "{why}: {journal}");
    }
    world.web.stop();
}

/// Goal: no token but a good one lets anybody in. Method: the whole way through a loopback
/// provider, one thing wrong at a time; the journal says what it was. What each claim may be at
/// its limits is tried one by one beside the code.
#[test]
fn hostile_tokens_let_nobody_in_and_are_journalled() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    bind(&world, &provider, &anna, "s-1", START);
    type Forge = fn(&Provider, &Away, i64) -> String;
    fn changed(provider: &Provider, away: &Away, now: i64, change: (&str, Value)) -> String {
        let mut claims = provider.claims(away, "s-1", now);
        claims[change.0] = change.1;
        signed(9, &header(), &claims)
    }
    fn by(provider: &Provider, away: &Away, now: i64, header: &Value) -> String {
        signed(9, header, &provider.claims(away, "s-1", now))
    }
    let cases: [(&str, Forge); 13] = [
        ("id-token-algorithm", |p, a, now| by(p, a, now, &json!({"alg": "none", "kid": "k1"}))),
        ("id-token-algorithm", |p, a, now| by(p, a, now, &json!({"alg": "HS256", "kid": "k1"}))),
        ("id-token-key", |p, a, now| by(p, a, now, &json!({"alg": "EdDSA", "kid": "k2"}))),
        ("id-token-key", |p, a, now| by(p, a, now, &json!({"alg": "RS256", "kid": "k1"}))),
        ("id-token-signature", |p, a, now| signed(8, &header(), &p.claims(a, "s-1", now))),
        ("id-token-issuer", |p, a, now| changed(p, a, now, ("iss", json!("https://evil.example")))),
        ("id-token-audience", |p, a, now| changed(p, a, now, ("aud", json!("other")))),
        ("id-token-audience", |p, a, now| changed(p, a, now, ("azp", json!("other")))),
        ("id-token-nonce", |p, a, now| changed(p, a, now, ("nonce", json!("other")))),
        ("id-token-time", |p, a, now| changed(p, a, now, ("exp", json!(now - 60)))),
        ("id-token-time", |p, a, now| changed(p, a, now, ("nbf", json!(now + 61)))),
        ("id-token-authentication", |p, a, now| changed(p, a, now, ("auth_time", json!(5)))),
        ("id-token-malformed", |_, _, _| "x.y.z".into()),
    ];
    for (number, (why, forge)) in (1..).zip(cases) {
        // Five trials a minute are looked at.
        let moment = START + 60 * number;
        now_set(moment);
        let away = world.leaves("/sign-in/oidc?lang=en&next=/sites", "");
        provider.gives(&forge(&provider, &away, moment));
        let (status, head, body) = world.returns(&away.back(), &away.cookie);
        assert_eq!((status, signed_in(&head)), (403, None), "{why}: {body}");
        assert!(body.contains("role=\"alert\"") && body.contains("data-key=\"get\""), "{body}");
        let line = world.journal().pop().unwrap();
        assert!(line.contains(&format!(r#""why":"{why}""#)), "{why}: {line}");
    }
    world.web.stop();
}

/// Goal: a flood of bad codes costs the provider five requests a minute, and holds up nobody with
/// a passkey, even from the same address.
#[test]
fn a_flood_of_codes_is_five_requests_and_holds_up_no_passkey() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let world = World::start_with(now, provider.configured(), |_| ());
    let mut device = Device::new(1);
    world.first("anna", &device);
    now_set(START + 60);
    let statuses: Vec<u16> = (0..40)
        .map(|_| {
            let away = world.leaves("/sign-in/oidc", "");
            world.returns(&away.back(), &away.cookie).0
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 35);
    assert_eq!(provider.forms().len(), 5);
    // Five refusals and the first one beyond the limit; without a cookie it is the same.
    let refusals = || world.journal().iter().filter(|it| it.contains("sign-in-refused")).count();
    assert!(world.journal().pop().unwrap().contains(r#""why":"too-many""#));
    assert_eq!(refusals(), 6);
    now_set(START + 120);
    for _ in 0..40 {
        world.returns("/sign-in/oidc/back?code=c-1&state=AAAA", "");
    }
    assert_eq!(refusals(), 12);
    assert_eq!(world.sign_in(&mut device).0, 303);
    world.web.stop();
}

/// A wrong secret is no fault of the person: it is told as one for an admin.
#[test]
fn what_the_token_endpoint_answers_is_told_apart() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, ..) = world(now, &provider);
    for (status, body, wanted, why) in [
        (400, r#"{"error":"invalid_grant"}"#, 403, "provider-code"),
        (401, r#"{"error":"invalid_client"}"#, 502, "provider-unusable"),
        (400, "<html>", 502, "provider-unusable"),
        (200, r#"{"access_token":"x"}"#, 502, "provider-unusable"),
        (503, "", 502, "provider-unreachable"),
    ] {
        let away = world.leaves("/sign-in/oidc?lang=en", "");
        provider.answers(status, body);
        let (got, _, page) = world.returns(&away.back(), &away.cookie);
        assert_eq!(got, wanted, "{body}: {page}");
        let line = world.journal().pop().unwrap();
        assert!(line.contains(&format!(r#""why":"{why}""#)), "{body}: {line}");
    }
    world.web.stop();
}

#[test]
fn nobody_is_led_away_through_the_way_back() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    bind(&world, &provider, &anna, "s-1", START);
    for (next, wanted) in [
        ("/sites", "/sites?lang=en"),
        ("//evil.example", "/?lang=en"),
        ("https://evil.example", "/?lang=en"),
        ("/\\evil.example", "/?lang=en"),
        ("javascript:alert(1)", "/?lang=en"),
        ("", "/?lang=en"),
    ] {
        let next = next.replace(':', "%3A").replace('\\', "%5C");
        let away = world.leaves(&format!("/sign-in/oidc?lang=en&next={next}"), "");
        provider.gives(&signed(9, &header(), &provider.claims(&away, "s-1", START)));
        // What the provider adds of its own leads nowhere either.
        let back = format!("{}&next=https%3A%2F%2Fevil.example", away.back());
        let (status, _, body) = world.returns(&back, &away.cookie);
        assert_eq!(status, 200, "{next}: {body}");
        assert!(body.contains(&format!("content=\"0;url={wanted}\"")), "{next}: {body}");
        assert!(!body.contains("evil"), "{next}: {body}");
    }
    world.web.stop();
}

/// An identity is issuer and subject: what else a provider says of somebody makes nobody anybody.
#[test]
fn an_identity_that_nobody_bound_comes_in_nowhere() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, admin, anna) = world(now, &provider);
    // Name and mail of anna, another subject.
    let (status, head, body) = come(&world, &provider, "s-2", json!({"email_verified": true}));
    assert_eq!((status, signed_in(&head)), (403, None));
    assert!(body.contains("No account here is bound to this identity"), "{body}");
    assert!(world.journal().pop().unwrap().contains(r#""subject":"s-2""#));
    assert_eq!(world.store.account_tables().unwrap().accounts.len(), 2, "no account is made");
    bind(&world, &provider, &anna, "s-1", START);
    // Nobody binds what somebody else has.
    let away = world.leaves("/me/identity", &admin);
    provider.gives(&signed(9, &header(), &provider.claims(&away, "s-1", START)));
    assert_eq!(world.returns(&away.back(), &away.cookie).0, 403);
    let line = world.journal().pop().unwrap();
    assert!(line.starts_with("admin ") && line.contains(r#""why":"identity-known""#), "{line}");
    assert_eq!(world.store.account_tables().unwrap().identities.len(), 1);
    // An account that is over is over for its identities as well.
    assert_eq!(world.act(&admin, ("/accounts", "/accounts/end"), &[("name", "anna")]).0, 200);
    assert_eq!(come(&world, &provider, "s-1", json!({})).0, 403);
    assert_eq!(world.store.account_tables().unwrap().identities, []);
    world.web.stop();
}

#[test]
fn binding_needs_a_passkey_shown_just_now_and_a_sign_in_that_lasts() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    assert_eq!(world.get("/me/identity", "").0, 303, "nobody: to the sign-in");
    let away = world.leaves("/me/identity", &anna);
    now_set(START + 4 * 60 + 59);
    let late = START + 4 * 60 + 59;
    // Signed out meanwhile: what was begun is over.
    assert_eq!(world.act(&anna, ("/me", "/sign-out"), &[]).0, 303);
    provider.gives(&signed(9, &header(), &provider.claims(&away, "s-1", late)));
    let (status, _, body) = world.returns(&away.back(), &away.cookie);
    assert_eq!(status, 403, "{body}");
    assert_eq!(world.store.account_tables().unwrap().identities, []);
    world.web.stop();
}

#[test]
fn a_passkey_that_was_not_shown_lately_binds_nothing() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, _, anna) = world(now, &provider);
    now_set(START + 5 * 60);
    let (status, _, page) = world.get("/me/identity?lang=en", &anna);
    assert_eq!(status, 403);
    assert!(page.contains("Show your passkey first"), "{page}");
    world.web.stop();
}

/// Goal: without the provider the passkeys let people in as before, and it is said what is wrong.
#[test]
fn a_provider_that_does_not_answer_holds_up_no_passkey() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let mut settings = provider.settings();
    settings.issuer = format!("http://{}", relight_engine::edge::exec::free_address().unwrap());
    let world = World::start_with(now, |config| config.oidc = Some(settings), |_| ());
    let mut device = Device::new(1);
    world.first("anna", &device);
    let (status, _, page) = world.get("/sign-in/oidc?lang=en&next=/sites", "");
    assert_eq!(status, 502);
    assert!(page.contains("does not answer. Passkeys go on working"), "{page}");
    assert!(
        page.contains("data-key=\"get\"") && page.contains("value=\"/sites?lang=en\""),
        "{page}"
    );
    let all = (0..40).map(|_| world.get("/sign-in/oidc?lang=en", "").0);
    assert_eq!(all.filter(|status| *status == 429).count(), 36, "nobody fills the journal");
    now_set(START + 60);
    assert_eq!(world.sign_in(&mut device).0, 303);
    assert!(world.journal().concat().contains(r#""why":"provider-unreachable""#));
    world.web.stop();
}

#[test]
fn a_link_is_used_up_by_an_identity_in_place_of_a_passkey() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, admin, _) = world(now, &provider);
    let link = world.new_account(&admin, "zoe");
    let page = world.get(&link.replace('#', "?lang=en#"), "").2;
    assert!(page.contains("Come in with Provider"), "{page}");
    let code = link.split("code=").nth(1).unwrap();
    let away = world.leaves_with(code);
    let second = world.leaves_with(code);
    provider.gives(&signed(9, &header(), &provider.claims(&away, "s-9", START)));
    let (status, head, body) = world.returns(&away.back(), &away.cookie);
    assert_eq!(status, 200, "{body}");
    let cookie = signed_in(&head).unwrap();
    assert!(world.get("/me?lang=en", &cookie).2.contains("No role yet"));
    assert_eq!(world.get(&link, "").0, 404, "the link is dead");
    provider.gives(&signed(9, &header(), &provider.claims(&second, "s-8", START)));
    assert_eq!(world.returns(&second.back(), &second.cookie).0, 403, "for whoever began as well");
    assert_eq!(come(&world, &provider, "s-9", json!({})).0, 200);
    // A new link takes the identity away with the keys.
    assert_eq!(world.act(&admin, ("/accounts", "/accounts/renew"), &[("name", "zoe")]).0, 200);
    assert_eq!(world.get("/me", &cookie).0, 303);
    assert_eq!(come(&world, &provider, "s-9", json!({})).0, 403);
    world.web.stop();
}

#[test]
fn an_identity_is_unbound_by_its_owner_and_what_it_opened_ends() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (world, admin, anna) = world(now, &provider);
    bind(&world, &provider, &anna, "s-1", START);
    let cookie = signed_in(&come(&world, &provider, "s-1", json!({})).1).unwrap();
    let page = world.get("/me", &anna).2;
    let part = page.split("/me/identity/remove").nth(1).unwrap();
    let id = part.split("name=\"id\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    for (who, wanted) in [(&admin, 403), (&cookie, 403), (&anna, 303)] {
        let status = world.act(who, ("/me", "/me/identity/remove"), &[("id", id)]).0;
        assert_eq!(status, wanted);
    }
    assert_eq!(world.get("/me", &cookie).0, 303, "its sign-ins are over");
    assert_eq!(come(&world, &provider, "s-1", json!({})).0, 403);
    world.web.stop();
}

/// Goal: nobody comes in through a provider with one factor, and approves there only with what was
/// shown just now. Method: an approver whom nothing but the provider knows; claims that lack the
/// word of the policy, a binding and a link without it, and one that is five minutes old.
#[test]
fn only_a_second_factor_that_the_policy_names_comes_in_and_only_just_now_approves() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let (mut admin, mut chief, mut zoe) = Default::default();
    let world = World::start_with(now, provider.configured(), |store: &Store| {
        behind_an_edge(store);
        admin = person(store, "admin", 3, &[("admin", "/")]);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
    });
    open_incident(&world, &chief);
    bind(&world, &provider, &zoe, "s-1", START);
    assert_eq!(propose(&world, &chief, "care").0, 303);
    let refused = |what: &str, (status, head, page): (u16, String, String)| {
        assert_eq!((status, signed_in(&head)), (403, None), "{what}: {page}");
        assert!(page.contains("did not say that a second factor was shown"), "{what}: {page}");
        let line = world.journal().pop().unwrap();
        assert!(line.contains(r#""why":"second-factor""#), "{what}: {line}");
    };
    let [other, text] = [json!({"amr": ["MFA"]}), json!({"amr": "mfa"})];
    for claims in [json!({"amr": ["pwd"]}), other, text, json!({"amr": [], "acr": "mfa"})] {
        refused(&claims.to_string(), come(&world, &provider, "s-1", claims.clone()));
    }
    now_set(START + 60);
    let link = world.new_account(&admin, "max");
    let code = link.split("code=").nth(1).unwrap();
    for away in [world.leaves("/me/identity?lang=en", &zoe), world.leaves_with(code)] {
        let mut claims = provider.claims(&away, "s-2", START);
        claims["amr"] = json!(["pwd"]);
        provider.gives(&signed(9, &header(), &claims));
        refused("a binding or a link", world.returns(&away.back(), &away.cookie));
    }
    assert_eq!(world.get(&link, "").0, 200, "the link was not used up");
    let sign_in = |claims: Value| signed_in(&come(&world, &provider, "s-1", claims).1).unwrap();
    let old = sign_in(json!({"auth_time": START - 5 * 60}));
    assert_eq!(world.get("/sites", &old).0, 200, "it reads");
    let (status, body) = decide(&world, &old, "A-0001", "decision=approve");
    assert_eq!(status, 403, "{body}");
    assert_eq!(acts(&world), ["opened chief", "plan-proposed chief"]);
    let (status, body) = decide(&world, &sign_in(json!({})), "A-0001", "decision=approve");
    assert_eq!(status, 303, "{body}");
    assert!(acts(&world).contains(&"plan-approved zoe".to_owned()));
    // The page said "by passkey" of both.
    let page = world.get("/approve/A-0001?lang=en", &chief).2;
    assert!(page.contains("asked for it") && page.contains("vouched for by the provider"));
    world.web.stop();
}

/// Goal: the word of a provider replaces no passkey where there is one, and a passkey that is
/// shown in such a sign-in counts from then on. Method: a commander with both.
#[test]
fn who_has_a_passkey_shows_it_whatever_the_provider_says() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let mut device = Device::new(1);
    let mut chief = String::new();
    let world = World::start_with(now, provider.configured(), |store: &Store| {
        behind_an_edge(store);
        chief = with_key(store, "chief", 1, "commander", &device);
    });
    open_incident(&world, &chief);
    bind(&world, &provider, &chief, "s-1", START);
    let strong = json!({"amr": ["pwd", "mfa"]});
    let cookie = signed_in(&come(&world, &provider, "s-1", strong).1).unwrap();
    let page = world.get(&format!("{ASK}&sites=care"), &cookie).2;
    assert!(page.contains("data-key=\"get\""), "no seat without the passkey: {page}");
    assert_eq!(propose(&world, &cookie, "care").0, 403);
    let wish = [("label", "x"), ("role", "commander /"), ("days", "1")];
    assert_eq!(world.act(&cookie, ("/me", "/me/token"), &wish).0, 403);
    assert_eq!(world.confirm(&cookie, &mut device), 303);
    assert_eq!(world.act(&cookie, ("/me", "/me/token"), &wish).0, 200, "the passkey was shown");
    assert_eq!(crate::web_acts::propose_signed(&world, &cookie, &mut device, "care").0, 303);
    assert!(acts(&world).contains(&"plan-proposed chief".to_owned()));
    world.web.stop();
}

/// One person, an account with a passkey and another whom only the provider vouches for.
struct Two {
    world: World,
    /// Of the first account.
    chief: String,
    /// Of the second one, whose second factor the provider saw five minutes ago.
    old: String,
    /// The digest of the plan that waits.
    plan: String,
}

/// A waiting plan of one commander, and a second commander who comes in through the provider.
fn two(clock: fn() -> i64, provider: &Provider, device: &mut Device) -> Two {
    let (mut chief, mut other) = Default::default();
    let world = World::start_with(clock, provider.configured(), |store: &Store| {
        behind_an_edge(store);
        chief = with_key(store, "chief", 1, "commander", device);
        let roles = [("commander", "/"), ("publisher", "/"), ("auditor", "/")];
        other = person(store, "zoe", 2, &roles);
    });
    open_incident(&world, &chief);
    bind(&world, provider, &other, "s-1", START);
    assert_eq!(crate::web_acts::propose_signed(&world, &chief, device, "care").0, 303);
    let claims = json!({"auth_time": START - 5 * 60});
    let old = signed_in(&come(&world, provider, "s-1", claims).1).unwrap();
    let page = world.get("/approve/A-0001?lang=en", &chief).2;
    let plan = code_in(&page);
    Two { world, chief, old, plan }
}

/// Goal: nobody breaks the glass and reviews it through a second account without a second factor
/// that was shown just now. Method: the same review with an older word of the provider.
#[test]
fn an_old_word_of_a_provider_reviews_no_broken_glass() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let mut device = Device::new(1);
    let Two { world, chief, old, plan } = two(now, &provider, &mut device);
    let page = world.get("/approve/A-0001?lang=en", &chief).2;
    let glass = page.split("<details class=\"glass\">").nth(1).unwrap();
    let shown =
        device.get(glass.split("</details>").next().unwrap(), "/approve/A-0001", &world.origin());
    let own = token(&page);
    let fields = [
        ("token", own.as_str()),
        ("hash", &plan),
        ("decision", "glass"),
        ("reason", "nobody answers"),
        ("ticket", &shown.ticket),
        ("answer", &shown.answer),
    ];
    assert_eq!(world.post("/approve/A-0001", &chief, &form(&fields)).0, 303);
    let review = |cookie: &str| {
        let own = token(&world.get("/plans", cookie).2);
        let fields = form(&[("token", &own), ("plan", &plan), ("note", "it was right")]);
        let (status, _, body) = world.post("/plans/glass?lang=en", cookie, &fields);
        (status, body)
    };
    let (status, body) = review(&old);
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("needs a passkey shown in the last five minutes"), "{body}");
    assert!(!acts(&world).iter().any(|act| act.starts_with("glass-reviewed")));
    let strong = json!({"amr": ["pwd", "mfa"]});
    let strong = signed_in(&come(&world, &provider, "s-1", strong).1).unwrap();
    assert_eq!(review(&strong).0, 303);
    world.web.stop();
}

/// Goal: what people decide, an older word of a provider does not. Method: every such act by a
/// commander whose account would be allowed to.
#[test]
fn an_old_word_of_a_provider_decides_nothing() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let Two { world, chief, old, .. } = two(now, &provider, &mut Device::new(1));
    let before = acts(&world);
    let send = |cookie: &str, path: &str, more: &str| {
        let own = token(&world.get("/plans", cookie).2);
        world.post(path, cookie, &format!("token={own}&incident={LOG4SHELL}&{more}")).0
    };
    let (status, body) = decide(&world, &old, "A-0001", "decision=refuse&reason=no");
    assert_eq!(status, 403, "refused: {body}");
    for (path, more) in [
        ("/incident/open", ""),
        ("/incident/close", ""),
        ("/incident/update", "fr=Bonjour&en=Hello"),
        ("/site/care/act", "act=analyse"),
        ("/site/care/act", "act=fix&note=2.17.1"),
        ("/site/care/act", "act=exempt"),
    ] {
        assert_eq!(send(&old, path, more), 403, "{path} {more}");
    }
    assert_eq!(acts(&world), before);
    let strong = json!({"amr": ["mfa"]});
    let strong = signed_in(&come(&world, &provider, "s-1", strong).1).unwrap();
    assert_eq!(send(&strong, "/incident/update", "fr=Bonjour&en=Hello"), 303);
    assert_eq!(decide(&world, &strong, "A-0001", "decision=approve").0, 303);
    // The word of a provider is too old after five minutes, and nothing is taken back with it.
    let old_undo = decide(&world, &old, "A-0001", "decision=undo");
    assert_eq!(old_undo.0, 403, "{}", old_undo.1);
    assert_eq!(decide(&world, &chief, "A-0001", "decision=undo").0, 303);
    world.web.stop();
}
