//! Every route of the OpenAPI document: without credentials, with those of another body, with each
//! role; and what cannot be read.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::door_device::Device;
use crate::door_support::{START, World, clock, code_in, person, token, with_key};
use crate::web_acts::{LOG4SHELL, acts, behind_an_edge, field};
use crate::web_console::ask_with_body;

const ROLES: [&str; 8] =
    ["viewer", "analyst", "site-owner", "commander", "approver", "publisher", "auditor", "admin"];

/// A register with an open incident and a plan that waits; cookies of the chief, of each role for
/// everything, of somebody from another body, and of somebody without any role.
pub(crate) struct Place {
    pub(crate) world: World,
    pub(crate) chief: String,
    pub(crate) roles: Vec<(&'static str, String)>,
    pub(crate) foreign: String,
    /// People with one role that acts, each in another body.
    pub(crate) elsewhere: Vec<(&'static str, String)>,
    pub(crate) stranger: String,
}

impl Place {
    pub(crate) fn start(clock: fn() -> i64) -> Self {
        let (mut chief, mut foreign, mut stranger) = Default::default();
        let (mut roles, mut elsewhere) = (Vec::new(), Vec::new());
        let world = World::start(clock, |store| {
            behind_an_edge(store);
            chief = person(store, "chief", 1, &[("commander", "/")]);
            let other = ["viewer", "approver", "analyst", "auditor"];
            let other = other.map(|role| (role, "energy/Utility"));
            foreign = person(store, "foreign", 2, &other);
            stranger = person(store, "stranger", 3, &[]);
            for (role, number) in ROLES.into_iter().zip(10..) {
                roles.push((role, person(store, &format!("a-{role}"), number, &[(role, "/")])));
            }
            for (role, number) in ELSEWHERE.into_iter().zip(40..) {
                let grant = [(role, "energy/Utility")];
                elsewhere.push((role, person(store, &format!("o-{role}"), number, &grant)));
            }
        });
        let place = Self { world, chief, roles, foreign, elsewhere, stranger };
        let opened = place.send("POST", "/api/v1/incidents", &place.chief, &sample("openIncident"));
        assert_eq!(opened.0, 201, "{opened:?}");
        let asked =
            json!({"action": "dark", "which": "named", "sites": ["care", "beds"], "reason": "x"});
        let asked = place.send("POST", "/api/v1/plans", &place.chief, &asked);
        assert_eq!((asked.0, asked.1["id"].as_str()), (201, Some("A-0001")), "{asked:?}");
        place
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        body: &Value,
    ) -> (u16, Value) {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let (status, head, text) = self.raw(method, path, cookie, "application/json", &body);
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}"));
        if status >= 400 {
            assert!(head.contains("content-type: application/problem+json"), "{path}: {head}");
            assert_eq!(value["status"], json!(status), "{value}");
            assert!(value["type"].is_string() && value["title"].is_string(), "{value}");
        }
        (status, value)
    }

    fn raw(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        kind: &str,
        body: &str,
    ) -> (u16, String, String) {
        let origin = self.world.origin();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {origin}\r\n\
             Content-Type: {kind}\r\nContent-Length: {}\r\n",
            body.len()
        );
        ask_with_body(self.world.address(), &head, body)
    }

    /// Sends a document with this in its head, from nowhere.
    pub(crate) fn post(&self, path: &str, more: &str, body: &Value) -> (u16, Value) {
        let text = body.to_string();
        let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", text.len());
        let head = format!("POST {path} HTTP/1.1\r\n{more}{kind}");
        let (status, _, text) = ask_with_body(self.world.address(), &head, &text);
        (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{path}: {text}")))
    }

    /// Method, address, name and roles of every operation.
    pub(crate) fn operations(&self) -> Vec<(String, String, String, Option<Vec<String>>)> {
        let (status, document) =
            self.send("GET", "/api/v1/openapi.json", &self.chief, &Value::Null);
        assert_eq!((status, document["openapi"].as_str()), (200, Some("3.1.0")));
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let id = if path.contains("/plans/") { "A-0001" } else { LOG4SHELL };
            let path = path.replace("{id}", id).replace("{slug}", "care");
            for (method, operation) in item.as_object().unwrap() {
                let name = operation["operationId"].as_str().unwrap().to_owned();
                let query = if name == "affected" { "?q=CVE-2021-44228" } else { "" };
                let roles = operation["x-relight-roles"].as_array().map(|roles| {
                    roles.iter().map(|role| role.as_str().unwrap().to_owned()).collect()
                });
                all.push((method.to_uppercase(), format!("{path}{query}"), name, roles));
            }
        }
        // What is closed can no longer be acted on.
        all.sort_by_key(|(_, _, name, _)| name == "closeIncident");
        all
    }
}

/// A body that an operation can read.
pub(crate) fn sample(operation: &str) -> Value {
    match operation {
        "openIncident" => json!({"advisory": LOG4SHELL}),
        "publishUpdate" => json!({"fr": "Bonjour", "en": "Hello"}),
        "actOnSite" => json!({"incident": LOG4SHELL, "act": "analyse"}),
        "proposePlan" | "previewPlan" => {
            json!({"action": "dark", "which": "named", "sites": ["care"], "reason": "Log4Shell"})
        }
        "decidePlan" => json!({"decision": "approve", "hash": "0"}),
        "askToLogin" => json!({"name": "x"}),
        "takeToken" => json!({"device_code": "x"}),
        _ => json!({}),
    }
}

/// Operations for everybody: they tell of nothing and give nothing without a person.
pub(crate) const OPEN: [&str; 2] = ["askToLogin", "takeToken"];

#[test]
fn nobody_reads_or_does_anything_without_credentials_or_with_those_of_another_body() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let before = acts(&place.world);
    let operations = place.operations();
    assert!(operations.len() >= 15, "{operations:?}");
    for (method, path, name, _) in &operations {
        let body = sample(name);
        let is_open = OPEN.contains(&name.as_str());
        for cookie in ["", "__Host-rl=AAAA", "__Host-rl="] {
            let (status, answer) = place.send(method, path, cookie, &body);
            assert_eq!(status == 401, !is_open, "{method} {path}: {answer}");
            assert_eq!(answer["access_token"], Value::Null, "{method} {path}");
        }
        let (_, answer) = place.send(method, path, &place.foreign, &body);
        let text = answer.to_string();
        for secret in ["care", "beds", "Hospital", "chief"] {
            assert!(!text.contains(secret) || name == "openapi", "{method} {path}: {text}");
        }
        let (status, answer) = place.send(method, path, &place.stranger, &body);
        let open = ["openapi", "policy", "listSites", "listPlans", "affected", OPEN[0], OPEN[1]];
        let empty = ["sites", "plans", "items"].iter().any(|list| answer[list] == json!([]));
        let tells = name.starts_with("list") || name == "affected";
        let harmless = open.contains(&name.as_str()) && (empty || !tells);
        assert!(status >= 400 || harmless, "{method} {path}: {answer}");
    }
    assert_eq!(acts(&place.world), before, "nothing was journalled");
    place.world.web.stop();
}

/// Roles that act, each in another body than that of the sites that are tried.
const ELSEWHERE: [&str; 6] =
    ["commander", "site-owner", "publisher", "approver", "analyst", "auditor"];

/// Goal: whoever commands, owns or publishes in one body reads and does nothing in another. Before,
/// only reading roles of another body were tried. Method: every operation and every form, about
/// sites of the hospital, by people of the utility; nothing is journalled and nothing is told.
#[test]
fn a_role_of_another_body_does_nothing_here() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let before = acts(&place.world);
    // What is wrong with none of it but who asks.
    let hash = code_in(&place.world.get("/approve/A-0001?lang=en", &place.chief).2);
    // The name of a plan holds who asks for it, so that of somebody else is of no use.
    let seen_by = |cookie: &str| {
        let ask = "/plan?lang=en&action=dark&which=named&sites=care&reason=x";
        let page = place.world.get(ask, cookie).2;
        page.contains("name=\"seen\" value=").then(|| field(&page, "seen"))
    };
    assert!(seen_by(&place.chief).is_some(), "whoever commands here is shown what to send");
    for (role, cookie) in &place.elsewhere {
        assert_eq!(place.world.get("/sites", cookie).0, 200, "{role} is known");
        for (method, path, name, _) in place.operations() {
            let body = match name.as_str() {
                "decidePlan" => json!({"decision": "approve", "hash": hash}),
                _ => sample(&name),
            };
            let (status, answer) = place.send(&method, &path, cookie, &body);
            let text = answer.to_string();
            for secret in ["beds", "Hospital", "chief"] {
                let is_told = text.contains(secret) && name != "openapi";
                assert!(!is_told, "{role} {method} {path}: {text}");
            }
            // A plan in which no site is left is shown, and never made.
            let is_empty = answer["sites"] == json!([]);
            let is_nothing = (name == "previewPlan" && is_empty) || OPEN.contains(&name.as_str());
            let is_refused = status >= 400 || is_nothing;
            assert!(method == "GET" || is_refused, "{role} {method} {path}: {status} {answer}");
        }
        let page = place.world.get("/plans", cookie).2;
        let token = token(&page);
        let seen = seen_by(cookie).unwrap_or_default();
        for (path, fields) in [
            ("/plan", "action=dark&which=named&sites=care&reason=x&seen=SEEN"),
            ("/approve/A-0001", "decision=approve&hash=HASH"),
            ("/approve/A-0001", "decision=undo&hash=HASH"),
            ("/site/care/act", "act=fix&incident=CVE-2021-44228&note=x"),
            ("/site/care/act", "act=accept&incident=CVE-2021-44228&note=x&days=1"),
            ("/site/care/act", "act=hide"),
            ("/posture/attest", "org=Hospital&site=care&measure=mfa&value=yes&evidence=x&days=1"),
        ] {
            let fields = fields.replace("HASH", &hash).replace("SEEN", &seen);
            let form = format!("token={token}&{fields}");
            let (status, head, body) = place.world.post(path, cookie, &form);
            assert!(status >= 400, "{role} {path} {fields}: {status} {head}");
            for secret in ["beds", "Hospital", "chief"] {
                assert!(!body.contains(secret), "{role} {path}: {body}");
            }
        }
    }
    assert_eq!(acts(&place.world), before, "nothing was journalled");
    place.world.web.stop();
}

/// Words that are not published: each with its own reason, as the page gives it.
#[test]
fn words_that_are_refused_are_told_why() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let press = place.roles.iter().find(|(role, _)| *role == "publisher").unwrap().1.clone();
    let path = format!("/api/v1/incidents/{LOG4SHELL}/updates?lang=en");
    let send = |more: Value| {
        let mut words = json!({"fr": "Bonjour", "en": "Hello"});
        words.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        place.send("POST", &path, &press, &words)
    };
    for (more, code, part) in [
        (json!({"en": "It is RLT-1."}), "names-flaw", "RLT-1"),
        (json!({"en": "the attackers' data"}), "about-data", "attackers'"),
        (json!({"impact": "great"}), "unreadable", "none, minor, major or critical"),
    ] {
        let (status, problem) = send(more);
        let kind = json!(format!("urn:relight:problem:{code}"));
        assert_eq!((status, &problem["type"]), (422, &kind), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    assert_eq!(send(json!({})).0, 200);
    place.world.web.stop();
}

/// The document let programs try what is refused to every token.
#[test]
fn what_people_decide_is_refused_to_a_token_and_the_document_says_so() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let fields = [("label", "ci"), ("role", "commander /"), ("days", "7")];
    let page = place.world.act(&place.chief, ("/me", "/me/token"), &fields).2;
    let secret = code_in(&page);
    let bearer = format!("Authorization: Bearer {secret}\r\n");
    let (_, document) = place.send("GET", "/api/v1/openapi.json", &place.chief, &Value::Null);
    let items = document["paths"].as_object().unwrap().values();
    let every = items.flat_map(|item| item.as_object().unwrap().values());
    let security = |name: &str| {
        let found = every.clone().find(|operation| operation["operationId"] == name).unwrap();
        found["security"].clone()
    };
    let is_for_people = |name: &str| security(name) == json!([{"session": []}]);
    let open = place.operations().into_iter().filter(|(_, _, name, _)| security(name) == json!([]));
    assert_eq!(
        open.map(|(_, _, name, _)| name).collect::<BTreeSet<_>>(),
        OPEN.map(str::to_owned).into()
    );
    let before = acts(&place.world);
    let mut refused = BTreeSet::new();
    // It would end itself, and say nothing of the others.
    for (method, path, name, _) in place.operations().into_iter().filter(|it| it.2 != "endToken") {
        let body = if method == "GET" { String::new() } else { sample(&name).to_string() };
        let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        let head = format!("{method} {path} HTTP/1.1\r\n{bearer}{kind}");
        let (status, _, text) = ask_with_body(place.world.address(), &head, &body);
        let is_refused = status == 403 && text.contains("urn:relight:problem:refusal-token");
        assert_eq!(is_refused, is_for_people(&name), "{method} {path}: {status} {text}");
        if is_refused {
            refused.insert(name);
        } else {
            assert!(status < 400, "{method} {path}: {status} {text}");
        }
    }
    let people = ["actOnSite", "closeIncident", "decidePlan", "openIncident", "publishUpdate"];
    assert_eq!(refused, people.map(str::to_owned).into());
    for page in
        ["incident/open", "incident/close", "incident/preview", "incident/update", "site/care/act"]
    {
        let form = format!("incident={LOG4SHELL}&act=analyse&fr=Bonjour");
        assert_eq!(place.world.post_from(&format!("/{page}"), &bearer, &form).0, 403, "{page}");
    }
    let form = "decision=approve&hash=";
    assert!(place.world.post_from("/approve/A-0001", &bearer, form).0 >= 400);
    let after = acts(&place.world);
    assert_eq!(after[before.len()..], ["plan-proposed chief"], "and it proposes");
    place.world.web.stop();
}

#[test]
fn a_plan_goes_the_whole_way_and_a_page_and_the_api_say_the_same() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let approver = &place.roles.iter().find(|(role, _)| *role == "approver").unwrap().1;
    let (status, plan) = place.send("GET", "/api/v1/plans/A-0001", approver, &Value::Null);
    assert_eq!((status, plan["standing"].as_str()), (200, Some("waiting")));
    assert_eq!((plan["count"].as_u64(), plan["page"].as_str()), (Some(2), Some("/approve/A-0001")));
    let decide = |hash: &Value, decision: &str| {
        let body = json!({"decision": decision, "hash": hash, "reason": "because"});
        place.send("POST", "/api/v1/plans/A-0001/decisions", approver, &body)
    };
    let (status, problem) = decide(&json!("00"), "approve");
    assert_eq!(
        (status, problem["type"].as_str()),
        (409, Some("urn:relight:problem:refusal-other-hash"))
    );
    assert!(problem["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()));
    let (status, problem) = decide(&plan["hash"], "yes");
    assert_eq!(status, 422, "what is not understood agrees to nothing: {problem}");
    let (status, done) = decide(&plan["hash"], "approve");
    assert_eq!((status, done["standing"].as_str()), (200, Some("started")), "{done}");
    assert_eq!(done["seats"][0]["by"], "chief");
    let page = place.world.get("/approve/A-0001?lang=en", approver).2;
    assert!(page.contains("carried out") && page.contains(plan["hash"].as_str().unwrap()));
    let (_, sites) =
        place.send("GET", "/api/v1/sites?state=dark-requested", approver, &Value::Null);
    assert_eq!(sites["total"], 2, "{sites}");
    assert_eq!(sites["sites"][0]["organisation"], "Hospital");
    let (_, one) =
        place.send("GET", "/api/v1/sites?sector=energy&offset=1", approver, &Value::Null);
    assert_eq!((one["total"].as_u64(), one["sites"].as_array().map(Vec::len)), (Some(1), Some(0)));
    place.world.web.stop();
}

/// One asks for a site to be accepted as it is, and the other agrees to what the API told her.
#[test]
fn an_approver_agrees_to_a_request_that_was_read() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let approver = &place.roles.iter().find(|(role, _)| *role == "approver").unwrap().1;
    let act =
        |cookie: &str, body: Value| place.send("POST", "/api/v1/sites/care/acts", cookie, &body);
    let accept = json!({"incident": LOG4SHELL, "act": "accept", "note": "elections", "days": 1});
    assert_eq!(act(approver, accept.clone()).0, 403, "an approver does not ask");
    assert_eq!(act(&place.chief, accept).0, 200);
    let (_, site) = place.send("GET", "/api/v1/sites/care", approver, &Value::Null);
    let request = site["requests"][0].clone();
    assert_eq!((&request["by"], &request["reason"]), (&json!("chief"), &json!("elections")));
    assert_eq!(request["expires"], "2027-01-16T08:00:00Z");
    let agree = |seen: &Value| json!({"incident": LOG4SHELL, "act": "agree", "seen": seen});
    for unread in [&Value::Null, &json!("00")] {
        let (status, problem) = act(approver, agree(unread));
        let kind = problem["type"].as_str();
        assert_eq!((status, kind), (409, Some("urn:relight:problem:refusal-other-request")));
    }
    assert_eq!(act(&place.chief, agree(&request["id"])).0, 403, "nobody answers alone");
    let (status, done) = act(approver, agree(&request["id"]));
    assert_eq!(status, 200, "{done}");
    assert!(acts(&place.world).contains(&"exempted a-approver".to_owned()), "it was online");
    let (_, site) = place.send("GET", "/api/v1/sites/care", approver, &Value::Null);
    assert_eq!(site["requests"], json!([]), "nothing waits any more");
    place.world.web.stop();
}

/// Whoever has a passkey was told to show it and do it again, for ever.
#[test]
fn who_has_a_passkey_is_led_to_the_page_where_an_acceptance_is_signed() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut approver) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = with_key(store, "chief", 1, "commander", &Device::new(1));
        approver = with_key(store, "approver", 2, "approver", &Device::new(2));
    });
    let (roles, elsewhere, [foreign, stranger]) = Default::default();
    let place = Place { world, chief, roles, foreign, elsewhere, stranger };
    let opened = place.send("POST", "/api/v1/incidents", &place.chief, &sample("openIncident"));
    assert_eq!(opened.0, 201, "{opened:?}");
    let before = acts(&place.world);
    let accept = json!({"incident": LOG4SHELL, "act": "accept", "note": "elections", "days": 1});
    let agree = json!({"incident": LOG4SHELL, "act": "agree", "seen": "00"});
    // Right after the passkey was shown, and long after it.
    for later in [0, 600] {
        now_set(START + later);
        for (cookie, body) in [(&place.chief, &accept), (&approver, &agree)] {
            let (status, told) = place.send("POST", "/api/v1/sites/care/acts", cookie, body);
            let kind = told["type"].as_str();
            assert_eq!((status, kind), (403, Some("urn:relight:problem:on-page")), "{told}");
            assert!(told["remedy"].as_str().unwrap().contains("/site/care"), "{told}");
        }
    }
    let (_, told) = place.send("POST", "/api/v1/sites/care/acts", &approver, &accept);
    assert_eq!(told["type"], "about:blank", "an approver does not ask on the page either: {told}");
    let after = acts(&place.world);
    assert!(!after[before.len()..].iter().any(|it| it.contains("accept")), "{after:?}");
    place.world.web.stop();
}

#[test]
fn what_cannot_be_read_is_told_and_does_nothing() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    let before = acts(&place.world);
    let json = "application/json";
    for (kind, body, wanted) in [
        (json, "", 422),
        (json, "{", 422),
        (json, "[]", 422),
        (json, r#"{"action":"dark"}"#, 422),
        (json, r#"{"action":"off","reason":"x"}"#, 422),
        (json, r#"{"action":"dark","reason":"x","sites":"care"}"#, 422),
        (json, r#"{"action":"dark","reason":"x","extra":1}"#, 422),
        (json, r#"{"action":"dark","reason":" ","sites":["power"]}"#, 422),
        (json, r#"{"action":"dark","reason":"x","which":"afected"}"#, 422),
        (json, r#"{"action":"dark","reason":"x","which":""}"#, 422),
        (json, r#"{"action":"dark","reason":"x","sites":[]}"#, 422),
        (json, r#"{"action":"dark","reason":"x","sites":["care","cares"]}"#, 422),
        (json, r#"{"action":"dark","reason":"x","sites":["care beds"]}"#, 422),
        (json, r#"{"action":"dark","reason":"x","query":"care and"}"#, 422),
        (json, r#"{"action":"dark","reason":"x","query":"site:care","sites":["beds"]}"#, 422),
        (json, r#"{"action":"dark","reason":"x","query":"site:care","which":"all"}"#, 422),
        // Names that name none would mean every site.
        (json, r#"{"action":"dark","reason":"x","query":"site:nowhere"}"#, 409),
        (json, r#"{"action":"dark","reason":"x","incident":"CVE-1"}"#, 404),
        ("text/plain", r#"{"action":"dark","reason":"x"}"#, 415),
        ("application/x-www-form-urlencoded", "action=dark&reason=x", 415),
        (json, &"x".repeat(70_000), 413),
    ] {
        let (status, _, text) = place.raw("POST", "/api/v1/plans", &place.chief, kind, body);
        assert_eq!(status, wanted, "{kind} {} {text}", &body[..body.len().min(80)]);
    }
    let named = r#"{"action":"dark","reason":"x","sites":["care","cares"]}"#;
    let (_, _, text) = place.raw("POST", "/api/v1/plans/preview", &place.chief, json, named);
    assert!(text.contains("`cares`"), "{text}");
    let meant = json!({"action": "dark", "reason": "x", "query": "org:Hospital not site:beds"});
    let (_, plan) = place.send("POST", "/api/v1/plans/preview", &place.chief, &meant);
    let sites = plan["sites"].as_array().unwrap();
    assert_eq!((sites.len(), &sites[0]["site"]), (1, &json!("care")), "{plan}");
    for (method, path, wanted) in [
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api/v1/plans/A-9", 404),
        ("GET", "/api/v1/plans/%00", 404),
        ("GET", "/api/v1/sites?sort=name", 422),
        ("GET", "/api/v1/sites?offset=-1", 422),
        ("GET", "/api/v1/sites/nowhere", 404),
        ("POST", "/api/v1/policy", 405),
    ] {
        assert_eq!(place.send(method, path, &place.chief, &json!({})).0, wanted, "{method} {path}");
    }
    let act = json!({"incident": LOG4SHELL, "act": "bless"});
    let (status, problem) = place.send("POST", "/api/v1/sites/care/acts", &place.chief, &act);
    assert_eq!(status, 422, "{problem}");
    // A page of somebody else cannot speak for whoever is signed in.
    let head = format!(
        "POST /api/v1/plans HTTP/1.1\r\nCookie: {}\r\nOrigin: https://evil.example\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\n",
        place.chief
    );
    assert_eq!(ask_with_body(place.world.address(), &head, "{}").0, 403);
    let page = place.world.get("/plans", &place.chief).2;
    assert!(!token(&page).is_empty());
    assert_eq!(acts(&place.world), before);
    place.world.web.stop();
}
