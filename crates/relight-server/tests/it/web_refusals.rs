//! What is refused leaves a line: who tried what, from where, and which rule said no. And what
//! browsers tell of broken policies.

use serde_json::{Value, json};

use crate::door_support::{START, World, clock, person, token};
use crate::web_acts::{LOG4SHELL, acts, behind_an_edge, decide, open_incident, propose};
use crate::web_console::ask_with_body;

/// `who act why status method path` of each refusal and each report, in their order.
fn refusals(world: &World) -> Vec<String> {
    let records = world.store.journal(1).unwrap().into_iter();
    let told = records.filter(|record| record.kind == "access").filter_map(|record| {
        let body: Value = serde_json::from_str(&record.body).unwrap();
        let facts = &body["facts"];
        let text = |name: &str| facts[name].as_str().unwrap_or("-").to_owned();
        assert_eq!(text("address"), "127.0.0.1");
        (body["act"] == "request-refused").then(|| {
            let parts = ["why", "status", "method", "path"].map(text).join(" ");
            format!("{} {parts}", record.actor)
        })
    });
    told.collect()
}

/// Goal: each kind of refused act is in the journal. Method: the refusals of the issue, one after
/// the other; what people only mistype, and what is done, leaves no such line.
#[test]
fn what_is_refused_is_journalled_with_the_rule_that_refused_it() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut viewer, mut owner) = (String::new(), String::new(), String::new());
    let mut zoe = String::new();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        viewer = person(store, "viewer", 2, &[("viewer", "/")]);
        owner = person(store, "owner", 3, &[("site-owner", "health/Hospital")]);
        zoe = person(store, "zoe", 4, &[("approver", "/")]);
    });
    open_incident(&world, &chief);
    for path in ["/nowhere", "/site/nothing", "/approve/A-0009"] {
        assert_eq!(world.get(path, &chief).0, 404, "{path}");
    }
    assert_eq!(propose(&world, &chief, "care+beds+power").0, 303);
    assert!(refusals(&world).is_empty());
    assert_eq!(decide(&world, &chief, "A-0001", "decision=approve").0, 403);
    assert_eq!(decide(&world, &viewer, "A-0001", "decision=approve").0, 403);
    assert_eq!(world.get("/watch", &owner).0, 403);
    let form = format!("token={}&incident=CVE-2021-44228", token(&world.get("/sites", &viewer).2));
    assert_eq!(world.post("/incident/close", &viewer, &form).0, 403);
    assert_eq!(world.post("/incident/close", &viewer, "token=forged").0, 403);
    let foreign = format!("Cookie: {chief}\r\nOrigin: https://evil.example\r\n");
    assert_eq!(world.post_from("/incident/close?secret=1", &foreign, &form).0, 403);
    assert_eq!(world.post_from("/sign-in", &foreign, "x=y").0, 403);
    assert_eq!(world.post("/incident/close", "", &form).0, 401);
    assert_eq!(world.post("/incident/close", &chief, &"x".repeat((64 << 10) + 1)).0, 413);
    let wanted = [
        "chief refusal-proposer 403 POST /approve/A-0001",
        "viewer refusal-not-approver 403 POST /approve/A-0001",
        "owner - 403 GET /watch",
        "viewer no-role 403 POST /incident/close",
        "viewer foreign-form 403 POST /incident/close",
        "chief foreign-form 403 POST /incident/close",
        "chief foreign-form 403 POST /sign-in",
        "unknown - 401 POST /incident/close",
        "chief form-too-large 413 POST /incident/close",
    ];
    assert_eq!(refusals(&world), wanted);
    // A plan that is not what it was is stale, and that is told too.
    now_set(START + 16 * 60);
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 409);
    assert_eq!(refusals(&world).last().unwrap(), "zoe refusal-expired 409 POST /approve/A-0001");
    assert_eq!(acts(&world), ["opened chief", "plan-proposed chief"], "and nothing was done");
    assert!(world.store.verify_journal().unwrap().is_ok());
}

/// The same refusals by the API leave the same lines; what a program mistypes leaves none.
#[test]
fn what_the_api_refuses_is_journalled_with_its_rule_too() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut viewer) = (String::new(), String::new());
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        viewer = person(store, "viewer", 2, &[("viewer", "/")]);
    });
    open_incident(&world, &chief);
    let ask = |cookie: &str, path: &str, body: Value| {
        let (origin, body) = (world.origin(), body.to_string());
        let head = format!(
            "POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {origin}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        );
        ask_with_body(world.address(), &head, &body).0
    };
    let act = |signs: &str| json!({"incident": LOG4SHELL, "act": "verify", "signs": signs});
    let sites = "/api/v1/sites/care/acts";
    assert_eq!(ask(&chief, sites, act("none")), 409);
    assert_eq!(ask(&viewer, sites, act("none")), 403);
    assert_eq!(ask(&chief, sites, json!({"incident": LOG4SHELL, "act": "bless"})), 422);
    let wanted = [
        "chief signs-refused 409 POST /api/v1/sites/care/acts",
        "viewer no-role 403 POST /api/v1/sites/care/acts",
        "chief - 422 POST /api/v1/sites/care/acts",
    ];
    assert_eq!(refusals(&world), wanted);
}

#[test]
fn a_flood_of_refusals_is_counted_and_fills_no_journal() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = String::new();
    let world = World::start(now, |store| anna = person(store, "anna", 1, &[("viewer", "/")]));
    for _ in 0..100 {
        assert_eq!(world.post("/incident/close", "", "").0, 401);
    }
    assert_eq!(refusals(&world).len(), 60);
    assert_eq!(world.post("/incident/close", &anna, "token=forged").0, 403);
    let own = "anna foreign-form 403 POST /incident/close";
    assert_eq!(refusals(&world)[60..], [own], "strangers hide nothing of it");
    now_set(START + 60);
    assert_eq!(world.post("/incident/close", "", "").0, 401);
    assert!(world.journal().pop().unwrap().contains(r#""untold":"40""#), "nothing is lost");
}

/// Goal: what we fail with is known the next day. Method: a register that cannot be read, a page
/// and a form; and it does not fill the journal either.
#[test]
fn what_a_page_fails_with_is_journalled() {
    clock!(now, now_set);
    now_set(START);
    let mut anna = String::new();
    let world = World::start(now, |store| anna = person(store, "anna", 1, &[("viewer", "/")]));
    let database = rusqlite::Connection::open(world.store.path()).unwrap();
    database.execute_batch("ALTER TABLE organisation RENAME TO elsewhere").unwrap();
    for _ in 0..100 {
        assert_eq!(world.get("/?q=secret", &anna).0, 500);
    }
    let failed: Vec<String> = world.journal();
    assert_eq!(failed.len(), 60);
    for part in ["anna ", r#""act":"request-failed""#, r#""path":"/","#, r#""status":"500""#] {
        assert!(failed[0].contains(part), "{part}: {}", failed[0]);
    }
    assert!(!failed.concat().contains("secret"));
    database.execute_batch("ALTER TABLE elsewhere RENAME TO organisation").unwrap();
    assert_eq!(world.get("/", &anna).0, 200);
    assert_eq!(world.journal().len(), 60);
}

fn report(world: &World, body: &str) -> u16 {
    let kind = "Content-Type: application/csp-report\r\n";
    let length = body.len();
    let head = format!("POST /policy-reports HTTP/1.1\r\n{kind}Content-Length: {length}\r\n");
    ask_with_body(world.address(), &head, body).0
}

#[test]
fn what_a_browser_did_not_let_a_page_do_is_journalled_within_limits() {
    clock!(now, now_set);
    now_set(START);
    let mut viewer = String::new();
    let world = World::start(now, |store| viewer = person(store, "anna", 1, &[("viewer", "/")]));
    let (_, head, _) = world.get("/sites", &viewer);
    assert!(head.contains("; report-uri /policy-reports\r\n"), "{head}");
    let good = r#"{"csp-report":{"document-uri":"http://localhost/start?code=secret",
        "effective-directive":"script-src-elem","blocked-uri":"https://evil.example/x?y"}}"#;
    assert_eq!(report(&world, good), 204, "without a sign-in: that page can break it too");
    let told = [
        r#"unknown {"account":"","act":"policy-broken","facts":{"address":"127.0.0.1","#,
        r#""blocked":"https://evil.example/x","directive":"script-src-elem","page":"/start"},"#,
        r#""kind":"access"}"#,
    ];
    assert_eq!(world.journal(), [told.concat()]);
    for (body, status) in [
        (String::new(), 422),
        ("[]".to_owned(), 422),
        (format!("{{\"csp-report\":{{\"blocked-uri\":\"{}\"}}}}", "x".repeat(16 << 10)), 413),
    ] {
        assert_eq!(report(&world, &body), status, "{body:.40}");
    }
    assert_eq!(world.get("/policy-reports", &viewer).0, 405);
    assert_eq!(world.journal().len(), 1);
    for _ in 0..100 {
        assert_eq!(report(&world, good), 204);
    }
    assert_eq!(world.journal().len(), 60);
    assert_eq!(world.get("/sites", &viewer).0, 200);
}
