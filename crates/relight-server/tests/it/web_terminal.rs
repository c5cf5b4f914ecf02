//! `relight login`: a terminal asks, a person types its code and lets it in with a passkey.

use relight_engine::store::{AccountChange, TOKENS_MAX, TokenRow};
use relight_model::Digest;
use relight_server::Clock;
use serde_json::{Value, json};

use crate::door_device::{Device, Shown, form};
use crate::door_support::{START, World, clock, person, token, with_key};
use crate::web_console::ask_with_body;

const ASK: &str = "/api/v1/terminals?lang=en";
const TAKE: &str = "/api/v1/terminals/token?lang=en";

/// Sends a document as a terminal does: without a cookie, a token, or a page that it comes from.
fn send(world: &World, path: &str, headers: &str, document: &Value) -> (u16, Value) {
    let text = document.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n{headers}\
         Content-Length: {}\r\n",
        text.len()
    );
    let (status, _, body) = ask_with_body(world.address(), &head, &text);
    (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{path}: {body}")))
}

/// A terminal that has asked.
struct Terminal {
    device: String,
    code: String,
}

impl Terminal {
    fn ask(world: &World, wish: Value) -> Self {
        let (status, codes) = send(world, ASK, "", &wish);
        assert_eq!(status, 201, "{codes}");
        assert_eq!(codes["verification_uri"], json!(format!("{}/terminal", world.origin())));
        assert_eq!((&codes["expires_in"], &codes["interval"]), (&json!(600), &json!(5)));
        let text = |name: &str| codes[name].as_str().unwrap().to_owned();
        Self { device: text("device_code"), code: text("user_code") }
    }

    fn hear(&self, world: &World) -> (u16, Value) {
        send(world, TAKE, "", &json!({"device_code": self.device}))
    }

    fn error(&self, world: &World) -> String {
        let (status, answer) = self.hear(world);
        assert_eq!((status, &answer["access_token"]), (200, &Value::Null), "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    }
}

/// The page behind a code.
fn find(world: &World, cookie: &str, code: &str) -> (u16, String) {
    let fields = [("code", code)];
    let (status, _, page) = world.act(cookie, ("/terminal?lang=en", "/terminal?lang=en"), &fields);
    (status, page)
}

/// What a person answers.
fn decide(world: &World, cookie: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let path = "/terminal/decide?lang=en";
    let (status, _, page) = world.act(cookie, ("/terminal?lang=en", path), fields);
    (status, page)
}

fn let_in(world: &World, cookie: &str, (code, role): (&str, &str), shown: &Shown) -> (u16, String) {
    let fields =
        [("code", code), ("role", role), ("ticket", &*shown.ticket), ("answer", &*shown.answer)];
    decide(world, cookie, &fields)
}

fn acts(world: &World) -> Vec<String> {
    let about = |line: &String| line.contains("\"terminal-") || line.contains("token-added");
    world.journal().into_iter().filter(about).collect()
}

#[test]
fn a_person_lets_a_terminal_in_and_it_takes_its_token_once() {
    clock!(now, now_set);
    now_set(START);
    let mut device = Device::new(1);
    let mut anna = String::new();
    let world = World::start(now, |store| anna = with_key(store, "anna", 1, "commander", &device));
    let wish = json!({"name": "anna@desk", "role": "commander", "days": 7});
    let terminal = Terminal::ask(&world, wish);
    assert_eq!(terminal.error(&world), "slow_down", "it did not wait");
    now_set(START + 10);
    assert_eq!(terminal.error(&world), "authorization_pending");

    let (_, _, page) = world.get("/terminal?lang=en", &anna);
    assert!(!page.contains("anna@desk") && !page.contains(&terminal.code), "{page}");
    let (status, page) = find(&world, &anna, &terminal.code.to_lowercase());
    assert_eq!(status, 200, "{page}");
    let told = "Commander, in everything, until";
    let warned = "Whoever sent you the code";
    for part in ["anna@desk", "127.0.0.1, as this browser", told, warned, &terminal.code] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let shown = device.get(&page, "/terminal/decide", &world.origin());
    let granted = (terminal.code.as_str(), "commander /");
    let (status, page) = let_in(&world, &anna, granted, &shown);
    assert!(status == 200 && page.contains("is let in"), "{status} {page}");
    assert_eq!(find(&world, &anna, &terminal.code).0, 403, "it was answered");

    now_set(START + 20);
    let (status, answer) = terminal.hear(&world);
    assert_eq!(status, 200, "{answer}");
    let named = ["account", "role", "scope", "token_type"].map(|name| answer[name].as_str());
    assert_eq!(named, ["anna", "commander", "/", "Bearer"].map(Some));
    assert_eq!(answer["expires"], "2027-01-22T08:00:20Z");
    let secret = answer["access_token"].as_str().unwrap();
    // An answer that was lost on its way comes again, and is no other token.
    now_set(START + 30);
    assert_eq!(terminal.hear(&world).1, answer);
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    let head = format!("GET /api/v1/policy HTTP/1.1\r\n{bearer}");
    assert_eq!(ask_with_body(world.address(), &head, "").0, 200);
    now_set(START + 40);
    assert_eq!(terminal.error(&world), "expired_token", "it is in use");
    let page = world.get("/me?lang=en", &anna).2;
    assert!(page.contains("A terminal was let in in your name, from 127.0.0.1"), "{page}");
    let acts = acts(&world);
    assert_eq!(acts.len(), 2, "{acts:?}");
    for part in ["terminal-let-in", "anna@desk", "\"days\":\"7\"", "\"asked-from\":\"127.0.0.1\""] {
        assert!(acts[0].starts_with("anna ") && acts[0].contains(part), "{part}: {acts:?}");
    }
    assert!(acts[1].contains("relight login, anna@desk"), "{acts:?}");
    assert!(!world.journal().concat().contains(secret));

    // Whoever has it ends it, and only it.
    let end = "/api/v1/token/end";
    assert_eq!(send(&world, end, &bearer, &json!({})), (200, json!({"ended": true})));
    assert_eq!(send(&world, end, &bearer, &json!({})).0, 401);
    assert_eq!(ask_with_body(world.address(), &head, "").0, 401);
    let own = format!("Cookie: {anna}\r\nOrigin: {}\r\n", world.origin());
    assert_eq!(send(&world, end, &own, &json!({})).0, 409, "no token asks");
    let told = world.journal();
    assert_eq!(told.iter().filter(|it| it.contains("token-removed")).count(), 1, "{told:?}");
    world.web.stop();
}

/// Nobody comes for a token: it is given for a minute.
#[test]
fn a_token_that_nobody_takes_is_given_for_a_minute() {
    clock!(now, now_set);
    now_set(START);
    let mut device = Device::new(1);
    let mut anna = String::new();
    let world = World::start(now, |store| {
        anna = with_key(store, "anna", 1, "viewer", &device);
        // As many as there may be, all over: they are in nobody's way.
        let old = |number: u8| {
            AccountChange::AddToken(TokenRow {
                id: 0,
                digest: Digest([number; 32]),
                account: store.account_tables().unwrap().accounts[0].id,
                name: "old".into(),
                role: "viewer".into(),
                scope: "/".into(),
                created: 1,
                expires: START,
                used: 0,
            })
        };
        let old: Vec<_> = (0..TOKENS_MAX as u8).map(old).collect();
        store.change_accounts(&old).unwrap();
    });
    let terminal = Terminal::ask(&world, json!({"name": "x", "role": "viewer"}));
    let page = find(&world, &anna, &terminal.code).1;
    let shown = device.get(&page, "/terminal/decide", &world.origin());
    assert_eq!(let_in(&world, &anna, (&terminal.code, "viewer /"), &shown).0, 200);
    now_set(START + 10);
    let (status, first) = terminal.hear(&world);
    assert!(status == 200 && first["access_token"].is_string(), "{first}");
    now_set(START + 69);
    assert_eq!(terminal.hear(&world).1, first);
    now_set(START + 80);
    assert_eq!(terminal.error(&world), "expired_token");
    world.web.stop();
}

/// The answer of a passkey grants what its page showed, to the terminal that it was shown for.
#[test]
fn a_terminal_gets_no_more_than_its_person_has_and_signed() {
    clock!(now, now_set);
    now_set(START);
    let (mut device, mut other) = (Device::new(1), Device::new(2));
    let (mut anna, mut max) = Default::default();
    let world = World::start(now, |store| {
        anna = with_key(store, "anna", 1, "commander", &device);
        max = with_key(store, "max", 2, "viewer", &other);
    });
    let [own, another] = [(); 2].map(|()| Terminal::ask(&world, json!({"name": "x"})));
    let chosen = |cookie: &str, role: &str| {
        let fields = [("code", own.code.as_str()), ("role", role)];
        world.act(cookie, ("/terminal?lang=en", "/terminal?lang=en"), &fields).2
    };
    let (_, page) = find(&world, &anna, &own.code);
    assert!(page.contains("value=\"commander /\"") && !page.contains("data-options"), "{page}");
    for role in ["viewer /", "approver /", "admin /", "auditor health"] {
        let page = chosen(&anna, role);
        assert!(page.contains("role=\"alert\"") && !page.contains("data-options"), "{role}");
    }
    let shown = device.get(&chosen(&anna, "commander health"), "/terminal/decide", &world.origin());
    for (code, role) in [
        (&own.code, "commander /"),
        (&own.code, "commander energy"),
        (&own.code, "viewer /"),
        (&own.code, ""),
        (&another.code, "commander health"),
    ] {
        let (status, page) = let_in(&world, &anna, (code, role), &shown);
        assert_eq!(status, 403, "{code} {role}: {page}");
    }
    // The key of somebody else, and no key at all.
    let foreign = other.get(&chosen(&anna, "commander /"), "/terminal/decide", &world.origin());
    assert_eq!(let_in(&world, &anna, (&own.code, "commander /"), &foreign).0, 403);
    let none = Shown { ticket: String::new(), answer: String::new() };
    now_set(START + 60);
    assert_eq!(let_in(&world, &anna, (&own.code, "commander /"), &none).0, 403);
    now_set(START + 120);
    assert_eq!(own.error(&world), "authorization_pending", "nothing of that let it in");
    // What was signed counts, where it is younger than five minutes.
    assert_eq!(let_in(&world, &anna, (&own.code, "commander health"), &shown).0, 200);
    let page = find(&world, &max, &another.code).1;
    assert!(page.contains("viewer /") && !page.contains("commander"), "{page}");
    assert_eq!(find(&world, &max, &own.code).0, 403, "it was answered");
    for wrong in [
        json!({}),
        json!({"name": "x", "role": "approver"}),
        json!({"name": "x", "role": "admin"}),
        json!({"name": "x", "role": "boss"}),
        json!({"name": "x", "role": "viewer", "scope": "a//b"}),
        json!({"name": "x", "days": 0}),
        json!({"name": "x", "days": 91}),
        json!({"name": "x", "account": "anna"}),
    ] {
        let (status, told) = send(&world, ASK, "", &wrong);
        assert_eq!(status, 422, "{wrong}");
        let is_ours = ["role", "scope", "days"].iter().any(|it| wrong[it] != Value::Null);
        assert_eq!(is_ours, told["remedy"].is_string(), "{told}");
    }
    world.web.stop();
}

/// A world in which anna let a terminal in that has no token yet, with the cookie of an admin.
fn let_in_beside_an_admin(now: Clock) -> (World, String, Terminal) {
    let mut device = Device::new(1);
    let (mut anna, mut boss) = Default::default();
    let world = World::start(now, |store| {
        boss = person(store, "boss", 9, &[("admin", "/")]);
        anna = with_key(store, "anna", 1, "viewer", &device);
    });
    let terminal = Terminal::ask(&world, json!({"name": "x", "role": "viewer"}));
    let page = find(&world, &anna, &terminal.code).1;
    let shown = device.get(&page, "/terminal/decide", &world.origin());
    assert_eq!(let_in(&world, &anna, (&terminal.code, "viewer /"), &shown).0, 200);
    (world, boss, terminal)
}

/// What was granted counts as long as the person has it, also between answer and token.
#[test]
fn who_lost_a_role_or_the_account_lets_nobody_in_any_more() {
    clock!(now, now_set);
    now_set(START);
    let (world, boss, terminal) = let_in_beside_an_admin(now);
    let (status, _, page) =
        world.act(&boss, ("/accounts?lang=en", "/accounts/end"), &[("name", "anna")]);
    assert!(status == 200 || status == 303, "{page}");
    now_set(START + 10);
    let (status, answer) = terminal.hear(&world);
    assert_eq!((status, &answer["access_token"]), (403, &Value::Null), "{answer}");
    assert!(answer["remedy"].as_str().unwrap().contains("relight login"), "{answer}");
    assert!(!acts(&world).concat().contains("token-added"));
    world.web.stop();
}

/// A renewed account is there and has its roles; only the key is gone that let the terminal in.
#[test]
fn a_terminal_that_was_let_in_before_an_account_is_renewed_gets_nothing() {
    clock!(now, now_set);
    now_set(START);
    let (world, boss, terminal) = let_in_beside_an_admin(now);
    let renew = ("/accounts?lang=en", "/accounts/renew");
    let (status, _, page) = world.act(&boss, renew, &[("name", "anna")]);
    assert!(status == 200 || status == 303, "{page}");
    assert!(world.journal().concat().contains("account-renewed"), "{page}");
    now_set(START + 10);
    let (status, answer) = terminal.hear(&world);
    assert_eq!((status, &answer["access_token"]), (403, &Value::Null), "{answer}");
    now_set(START + 20);
    assert_eq!(terminal.error(&world), "expired_token");
    assert!(!acts(&world).concat().contains("token-added"));
    world.web.stop();
}

#[test]
fn a_terminal_that_is_refused_hears_so_and_the_journal_knows_who_refused() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = String::new();
    let world = World::start(now, |store| anna = person(store, "anna", 1, &[("viewer", "/")]));
    let terminal = Terminal::ask(&world, json!({"name": "a friend"}));
    let fields = [("code", terminal.code.as_str()), ("decision", "refuse")];
    let (status, page) = decide(&world, &anna, &fields);
    assert!(status == 200 && page.contains("Refused"), "{status} {page}");
    assert_eq!(decide(&world, &anna, &fields).0, 403, "it was answered");
    now_set(START + 10);
    assert_eq!(terminal.error(&world), "access_denied");
    now_set(START + 20);
    assert_eq!(terminal.error(&world), "expired_token");
    let acts = acts(&world);
    assert!(acts[0].starts_with("anna ") && acts[0].contains("terminal-refused"), "{acts:?}");
    assert!(acts[0].contains("a friend"), "{acts:?}");
    world.web.stop();
}

#[test]
fn codes_are_guessed_five_times_a_minute_by_people_and_never_by_programs() {
    clock!(now, now_set);
    now_set(START);
    let (mut anna, mut max) = Default::default();
    let world = World::start(now, |store| {
        anna = person(store, "anna", 1, &[("viewer", "/")]);
        max = person(store, "max", 2, &[("viewer", "/")]);
    });
    let terminal = Terminal::ask(&world, json!({"name": "x"}));
    for trial in 0..5 {
        assert_eq!(find(&world, &anna, "BBBB-BBBB").0, 403, "{trial}");
    }
    assert_eq!(find(&world, &anna, &terminal.code).0, 429);
    let refuse = [("code", terminal.code.as_str()), ("decision", "refuse")];
    assert_eq!(decide(&world, &anna, &refuse).0, 429, "the other form counts as well");
    assert_eq!(find(&world, &max, &terminal.code).0, 200, "nobody else is held up");
    let told = world.journal();
    let refused = told.iter().filter(|it| it.contains("no-terminal")).count();
    assert_eq!(refused, 5, "{told:?}");
    now_set(START + 60);
    for _ in 0..20 {
        assert_eq!(find(&world, &anna, &terminal.code).0, 200, "right ones cost nothing");
    }

    // Not signed in, without the token of a page, and with that of a program.
    let (status, head, _) = world.get("/terminal", "");
    assert!(status == 303 && head.contains("/sign-in?next=%2fterminal"), "{head}");
    let code = format!("code={}", terminal.code);
    assert_eq!(world.post("/terminal", "", &code).0, 401);
    assert_eq!(world.post("/terminal", &anna, &code).0, 403);
    let fields = [("label", "ci"), ("role", "viewer /"), ("days", "7")];
    let page = world.act(&max, ("/me", "/me/token"), &fields).2;
    let bearer = format!("Authorization: Bearer {}\r\n", crate::door_support::code_in(&page));
    assert!(world.post_from("/terminal", &bearer, &code).0 >= 400);
    let refuse = format!("{code}&decision=refuse");
    assert!(world.post_from("/terminal/decide", &bearer, &refuse).0 >= 400);
    assert_eq!(terminal.error(&world), "authorization_pending");
    assert!(!token(&world.get("/terminal", &anna).2).is_empty());
    world.web.stop();
}

/// A page of somebody else asks for nothing in the name of who looks at it, nobody holds up others,
/// and nobody asks where nobody could answer.
#[test]
fn only_terminals_ask_and_nobody_holds_up_others() {
    clock!(now, now_set);
    now_set(START);
    let wish = json!({"name": "x"});
    let world = World::start(now, |store| {
        person(store, "anna", 1, &[("viewer", "/")]);
    });
    for from in ["Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        assert_eq!(send(&world, ASK, from, &wish).0, 403, "{from}");
        assert_eq!(send(&world, TAKE, from, &json!({"device_code": "x"})).0, 403, "{from}");
    }
    // Behind one address there may be an office, and one who floods.
    for _ in 0..100 {
        assert_eq!(send(&world, ASK, "", &wish).0, 201);
    }
    let page = ask_with_body(world.address(), "GET /api/v1/terminals HTTP/1.1\r\n", "");
    assert_eq!(page.0, 405);
    world.web.stop();

    let empty = World::start(now, |_| {});
    let (status, told) = send(&empty, ASK, "", &wish);
    assert_eq!((status, told["type"].as_str()), (409, Some("urn:relight:problem:no-account")));
    assert!(told["remedy"].as_str().unwrap().contains("relight serve"), "{told}");
    empty.web.stop();
}

/// Who has many addresses is one account all the same.
#[test]
fn codes_are_guessed_thirty_times_a_minute_from_everywhere() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = String::new();
    let world = World::start_at(now, Some("https://relight.example"), |store| {
        anna = person(store, "anna", 1, &[("viewer", "/")]);
    });
    let form = form(&[("token", &token(&world.get("/terminal", &anna).2)), ("code", "BBBBBBBB")]);
    let guess = |number: usize| {
        let own = format!(
            "Cookie: {anna}\r\nOrigin: https://relight.example\r\n\
             X-Forwarded-For: 203.0.113.{number}\r\n"
        );
        world.post_from("/terminal", &own, &form).0
    };
    let said: Vec<u16> = (0..40).map(guess).collect();
    assert_eq!(said, [[403; 30].as_slice(), &[429; 10]].concat());
    world.web.stop();
}

/// Behind a proxy the page says from where the terminal asks, and from where the browser.
#[test]
fn who_asks_from_elsewhere_is_shown() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = String::new();
    let world = World::start_at(now, Some("https://relight.example"), |store| {
        anna = person(store, "anna", 1, &[("viewer", "/")]);
    });
    let at = |address: &str| format!("X-Forwarded-For: {address}\r\n");
    let (status, codes) = send(&world, ASK, &at("203.0.113.9"), &json!({"name": "boss@office"}));
    assert_eq!(status, 201, "{codes}");
    assert_eq!(codes["verification_uri"], "https://relight.example/terminal");
    let code = codes["user_code"].as_str().unwrap();
    let own = format!("Cookie: {anna}\r\nOrigin: https://relight.example\r\n{}", at("192.0.2.1"));
    let page = world.get("/terminal?lang=en", &anna).2;
    let fields = form(&[("token", &token(&page)), ("code", code)]);
    let (status, _, page) = world.post_from("/terminal?lang=en", &own, &fields);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("203.0.113.9; this browser comes from 192.0.2.1"), "{page}");
    world.web.stop();
}
