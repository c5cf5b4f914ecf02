//! The operations of the API by the roles that may: each does something for somebody, and what is
//! no role's is nobody's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::door_support::{START, World, clock, code_in, person};
use crate::web_acts::{LOG4SHELL, acts, behind_an_edge};
use crate::web_api::{OPEN, Place, sample};

/// Another flaw that every register knows.
const OTHER: &str = "CVE-2021-45105";

/// Goal: a role does what its operations say, and nothing else; each operation does something for
/// somebody. Method: each of them by each role, with a body that is right for the first who may.
#[test]
fn each_role_does_what_its_operations_say_and_nothing_else() {
    clock!(now, now_set);
    now_set(START);
    let place = Place::start(now);
    // What is waiting is decided by its hash, and what is dark is not closed.
    let hash = code_in(&place.world.get("/approve/A-0001?lang=en", &place.chief).2);
    let body = |name: &str| match name {
        "openIncident" => json!({"advisory": OTHER}),
        "decidePlan" => json!({"decision": "approve", "hash": hash}),
        _ => sample(name),
    };
    let (mut tried, mut done) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, name, roles) in place.operations() {
        let path = if name == "closeIncident" { path.replace(LOG4SHELL, OTHER) } else { path };
        for (role, cookie) in place.roles.iter().filter(|_| !OPEN.contains(&name.as_str())) {
            let before = acts(&place.world);
            let (status, answer) = place.send(&method, &path, cookie, &body(&name));
            let may = roles.as_ref().is_none_or(|roles| roles.iter().any(|it| it == role));
            // An approver agrees, a publisher shows and hides: they analyse nothing.
            let is_other = name == "actOnSite" && ["approver", "publisher"].contains(role);
            if !may {
                assert_eq!(status, 403, "{role} {method} {path}: {answer}");
                assert_eq!(acts(&place.world), before, "{role} {method} {path}");
            } else if !is_other && (*role != "site-owner" || method == "GET") {
                let well = [200, 201, 409, 422].contains(&status);
                assert!(well, "{role} {method} {path}: {status} {answer}");
            }
            if status < 300 {
                done.insert(name.clone());
            }
            tried.insert((name.clone(), may));
        }
    }
    for name in ["proposePlan", "decidePlan", "openIncident", "publishUpdate", "actOnSite"] {
        assert!(tried.contains(&(name.into(), true)) && tried.contains(&(name.into(), false)));
    }
    // Only a token ends itself, and those who come in have no role yet.
    let all = place.operations().into_iter().map(|(_, _, name, _)| name);
    let never: BTreeSet<String> = all.filter(|name| !done.contains(name)).collect();
    assert_eq!(never, ["endToken", OPEN[0], OPEN[1]].map(str::to_owned).into(), "never done");
    let page = place.world.act(
        &place.chief,
        ("/me", "/me/token"),
        &[("label", "ci"), ("role", "commander /"), ("days", "7")],
    );
    let bearer = format!("Authorization: Bearer {}\r\n", code_in(&page.2));
    let asked = place.post("/api/v1/terminals", "", &json!({"name": "x"}));
    assert_eq!(asked.0, 201, "{asked:?}");
    let code = json!({"device_code": asked.1["device_code"]});
    let polled = place.post("/api/v1/terminals/token", "", &code);
    assert!(polled.0 == 200 && polled.1["error"].is_string(), "{polled:?}");
    assert_eq!(place.post("/api/v1/token/end", &bearer, &json!({})).0, 200);
    assert_eq!(place.post("/api/v1/token/end", &bearer, &json!({})).0, 401, "it has ended");
    place.world.web.stop();
}

/// Goal: who owns sites acts on these by the API, and on no others. Method: an owner of the
/// hospital, about a site of it and one of the utility.
#[test]
fn a_site_owner_acts_on_own_sites_alone() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut owner) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        owner = person(store, "owner", 2, &[("site-owner", "health/Hospital")]);
    });
    let (roles, elsewhere, [foreign, stranger]) = Default::default();
    let place = Place { world, chief, roles, foreign, elsewhere, stranger };
    let opened = place.send("POST", "/api/v1/incidents", &place.chief, &sample("openIncident"));
    assert_eq!(opened.0, 201, "{opened:?}");
    let send = |path: &str, body: Value| place.send("POST", path, &owner, &body);
    let analyse = json!({"incident": LOG4SHELL, "act": "analyse"});
    let dark =
        |site: &str| json!({"action": "dark", "which": "named", "sites": [site], "reason": "x"});
    let told = send("/api/v1/sites/care/acts", analyse.clone());
    assert_eq!(told.0, 200, "{told:?}");
    let others = ["power", "nowhere"]
        .map(|site| send(&format!("/api/v1/sites/{site}/acts"), analyse.clone()));
    assert!(others[0].0 >= 400, "{others:?}");
    assert_eq!(others[0], others[1], "not even that it is there");
    let told = send("/api/v1/plans/preview", dark("beds"));
    assert_eq!((told.0, &told.1["sites"][0]["site"]), (200, &json!("beds")), "{told:?}");
    let told = send("/api/v1/plans/preview", dark("power"));
    assert!(told.0 >= 400 && !told.1.to_string().contains("Utility"), "{told:?}");
    place.world.web.stop();
}
