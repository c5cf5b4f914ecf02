//! Accounts and grants: what an admin may do alone, and what takes a second person.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use relight_engine::store::Store;

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, person, token};
use crate::support::DEADLINE;

/// Grants that hold, as `name role scope by`.
fn grants(world: &World) -> Vec<String> {
    let tables = world.store.account_tables().unwrap();
    let name = |id: u32| tables.accounts.iter().find(|row| row.id == id).unwrap().name.clone();
    let line = |row: &relight_engine::store::GrantRow| {
        format!("{} {} {} {}", name(row.account), row.role, row.scope, row.by)
    };
    let mut lines: Vec<String> = tables.grants.iter().map(line).collect();
    lines.sort();
    lines
}

fn grant(world: &World, cookie: &str, name: &str, role: &str, scope: &str) -> u16 {
    let fields = [("name", name), ("role", role), ("scope", scope)];
    world.act(cookie, ("/accounts", "/accounts/grant"), &fields).0
}

fn settle(world: &World, cookie: &str, id: &str, answer: &str) -> u16 {
    let fields = [("id", id), ("answer", answer)];
    world.act(cookie, ("/accounts", "/accounts/settle"), &fields).0
}

/// An admin, a commander, an approver of health, an auditor and somebody new.
fn people(store: &Store) -> Vec<String> {
    vec![
        person(store, "admin", 1, &[("admin", "/")]),
        person(store, "chief", 2, &[("commander", "/")]),
        person(store, "doctor", 3, &[("approver", "health")]),
        person(store, "audit", 4, &[("auditor", "/")]),
        person(store, "new", 5, &[]),
    ]
}

#[test]
fn commander_and_approver_are_granted_by_two_people() {
    clock!(now, _set);
    let mut who = Vec::new();
    let world = World::start(now, |store| who = people(store));
    let [admin, chief, doctor, audit, new] = [0, 1, 2, 3, 4].map(|at| who[at].as_str());
    let before = grants(&world);
    assert_eq!(grant(&world, admin, "new", "approver", "energy"), 200);
    assert_eq!(grants(&world), before, "it waits");
    assert!(world.get("/accounts?lang=en", chief).2.contains("admin proposes: new becomes"));
    for (cookie, why) in [
        (admin, "proposed it"),
        (audit, "is no commander and no approver"),
        (doctor, "approves elsewhere only"),
    ] {
        assert_eq!(settle(&world, cookie, "1", "confirm"), 403, "{why}");
    }
    assert_eq!(world.get("/accounts", new).0, 404);
    assert_eq!(settle(&world, chief, "1", "maybe"), 403);
    assert_eq!(settle(&world, chief, "1", "confirm"), 200);
    assert!(grants(&world).contains(&"new approver energy admin chief".to_owned()));
    assert_eq!(settle(&world, chief, "1", "confirm"), 403, "it was answered");
    // Refused: nothing changes. Nobody answers for oneself.
    assert_eq!(grant(&world, admin, "chief", "approver", "/"), 200);
    assert_eq!(settle(&world, chief, "2", "confirm"), 403, "would get it");
    assert_eq!(grant(&world, admin, "new", "commander", "health"), 200);
    assert_eq!(settle(&world, doctor, "3", "refuse"), 200);
    assert!(!grants(&world).iter().any(|line| line.starts_with("new commander")));
    let journal = world.journal().concat();
    for act in ["grant-proposed", "granted", "grant-refused"] {
        assert!(journal.contains(&format!(r#""act":"{act}""#)), "{act}");
    }
}

#[test]
fn the_first_commander_is_granted_by_the_admin_alone_once_and_the_journal_says_so() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    let admin = world.first("anna", &Device::new(1));
    for (number, name) in [(2, "chief"), (3, "second")] {
        let link = world.new_account(&admin, name);
        world.enter(&link, "", &Device::new(number));
    }
    assert_eq!(grant(&world, &admin, "anna", "commander", "/"), 403, "admin excludes it");
    assert_eq!(grant(&world, &admin, "chief", "commander", "/"), 200);
    assert!(grants(&world).contains(&"chief commander / anna".to_owned()));
    assert!(world.journal().concat().contains(r#""bootstrap":"second""#));
    assert_eq!(grant(&world, &admin, "second", "approver", "/"), 200);
    assert!(!grants(&world).iter().any(|line| line.starts_with("second")), "it waits");
    // Taking the first one away does not open the way again.
    let fields = [("name", "chief"), ("role", "commander"), ("scope", "/")];
    assert_eq!(world.act(&admin, ("/accounts", "/accounts/revoke"), &fields).0, 200);
    assert_eq!(grant(&world, &admin, "second", "commander", "/"), 200);
    assert!(!grants(&world).iter().any(|line| line.starts_with("second")), "it waits as well");
}

#[test]
fn an_admin_grants_within_its_scope_and_excludes_those_who_switch() {
    clock!(now, set);
    let mut who = Vec::new();
    let mut local = String::new();
    let world = World::start(now, |store| {
        who = people(store);
        local = person(store, "local", 6, &[("admin", "health")]);
    });
    let (admin, new) = (who[0].as_str(), who[4].as_str());
    assert_eq!(grant(&world, admin, "chief", "admin", "energy"), 403, "commander excludes admin");
    assert_eq!(grant(&world, admin, "local", "approver", "energy"), 403, "and the other way");
    assert_eq!(grant(&world, admin, "new", "approver", "/"), 200);
    assert_eq!(grant(&world, admin, "new", "admin", "/"), 403, "what waits counts as well");
    assert_eq!(grant(&world, &local, "new", "viewer", "health/Hospital"), 200);
    for (scope, why) in [("energy", "elsewhere"), ("/", "above")] {
        assert_eq!(grant(&world, &local, "new", "viewer", scope), 403, "{why}");
    }
    assert_eq!(grant(&world, &local, "new", "viewer", "a//b"), 403);
    assert_eq!(grant(&world, &local, "nobody", "viewer", "health"), 403);
    let add = |cookie: &str| world.act(cookie, ("/accounts", "/accounts/add"), &[("name", "x")]).0;
    assert_eq!(add(&local), 403, "accounts are made by admins of everything");
    assert_eq!(world.get("/site/care", new).0, 200, "a grant counts at once");
    let fields = [("name", "new"), ("role", "viewer"), ("scope", "health/Hospital")];
    assert_eq!(world.act(&local, ("/accounts", "/accounts/revoke"), &fields).0, 200);
    assert_eq!(world.get("/site/care", new).0, 404, "and so does taking it back");
    set(START + 5 * 60);
    assert_eq!(grant(&world, admin, "new", "viewer", "/"), 403, "the passkey was not shown lately");
}

#[test]
fn an_account_that_ends_is_out_at_once_and_an_admin_stays() {
    clock!(now, _set);
    let mut who = Vec::new();
    let world = World::start(now, |store| who = people(store));
    let (admin, chief) = (who[0].as_str(), who[1].as_str());
    let end = |name: &str| world.act(admin, ("/accounts", "/accounts/end"), &[("name", name)]).0;
    assert_eq!(world.get("/", chief).0, 200);
    assert_eq!(end("chief"), 200);
    assert_eq!(world.get("/", chief).0, 303);
    assert_eq!(end("admin"), 403, "not the own one");
    assert_eq!(end("chief"), 403, "it is over");
    let fields = [("name", "admin"), ("role", "admin"), ("scope", "/")];
    assert_eq!(world.act(admin, ("/accounts", "/accounts/revoke"), &fields).0, 403);
    assert_eq!(world.act(admin, ("/accounts", "/accounts/add"), &[("name", "chief")]).0, 403);
}

/// An admin who could give out a link for a commander would sit on both seats of a plan.
#[test]
fn a_new_link_ends_the_old_keys_and_is_not_for_those_who_decide() {
    clock!(now, _set);
    let mut who = Vec::new();
    let world = World::start(now, |store| who = people(store));
    let admin = who[0].as_str();
    let fields = [("label", "ci"), ("role", "auditor /"), ("days", "7")];
    assert_eq!(world.act(&who[3], ("/me", "/me/token"), &fields).0, 200);
    assert_eq!(world.store.account_tables().unwrap().tokens.len(), 1);
    let renew = |name: &str| world.act(admin, ("/accounts", "/accounts/renew"), &[("name", name)]);
    // Whoever may take nothing away has no column for it.
    let table = |cookie: &str| world.get("/accounts?lang=en", cookie).2;
    let column = "<th scope=\"col\">Act</th>";
    assert!(table(admin).contains(column) && !table(&who[3]).contains(column));
    assert!(!table(&who[3]).contains("<td></td>"), "{}", table(&who[3]));
    for name in ["chief", "doctor", "nobody"] {
        let (status, _, page) = renew(name);
        assert!(status == 403 && !page.contains("/start#code="), "{name}");
    }
    let (status, _, page) = renew("audit");
    assert_eq!(status, 200);
    assert_eq!(world.get("/", &who[3]).0, 303, "the sign-in of before is over");
    assert!(world.store.account_tables().unwrap().tokens.is_empty(), "and so are the tokens");
    let link = page.split("/start#code=").nth(1).unwrap().split('<').next().unwrap();
    let cookie = world.enter(&format!("/start#code={link}"), "", &Device::new(9));
    assert_eq!(world.get("/", &cookie).0, 200, "its roles stayed");
}

/// An admin made the link of an account, and so could still come in with it after the grant.
#[test]
fn nobody_decides_while_a_link_of_the_account_is_open() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    let admin = world.first("anna", &Device::new(1));
    let link = world.new_account(&admin, "chief");
    assert_eq!(grant(&world, &admin, "chief", "commander", "/"), 403, "the very first as well");
    let chief = world.enter(&link, "", &Device::new(2));
    assert_eq!(grant(&world, &admin, "chief", "commander", "/"), 200);
    let link = world.new_account(&admin, "new");
    assert_eq!(grant(&world, &admin, "new", "approver", "/"), 200, "it waits");
    assert_eq!(settle(&world, &chief, "1", "confirm"), 403);
    assert!(!grants(&world).iter().any(|line| line.starts_with("new")));
    let renew =
        |cookie: &str| world.act(cookie, ("/accounts", "/accounts/renew"), &[("name", "new")]).0;
    assert_eq!(renew(&admin), 403, "a role that decides waits for it");
    world.enter(&link, "", &Device::new(3));
    assert_eq!(renew(&admin), 403);
    assert_eq!(settle(&world, &chief, "1", "confirm"), 200);
}

/// Sends the head of a request, does something as soon as its body is waited for, sends the body;
/// gives the status.
fn while_it_waits(world: &World, head: &str, body: &str, meanwhile: impl FnOnce()) -> u16 {
    let mut wire = TcpStream::connect(world.address()).unwrap();
    wire.set_read_timeout(Some(DEADLINE)).unwrap();
    let length = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", body.len());
    let host = "Host: localhost\r\nConnection: close\r\n\r\n";
    wire.write_all(format!("{head}{length}{host}").as_bytes()).unwrap();
    let mut go_on = [0; 25];
    wire.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    meanwhile();
    wire.write_all(body.as_bytes()).unwrap();
    let mut text = String::new();
    wire.read_to_string(&mut text).unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

/// A stolen sign-in held a form open, and acted with it after its owner had ended it.
#[test]
fn a_form_that_waits_for_its_body_acts_with_what_holds_then() {
    clock!(now, _set);
    let mut who = Vec::new();
    let world = World::start(now, |store| who = people(store));
    let (admin, chief) = (who[0].as_str(), who[1].as_str());
    let origin = world.origin();
    let head = |path: &str, cookie: &str, kind: &str| {
        let kind = format!("Content-Type: application/{kind}\r\n");
        format!("POST {path} HTTP/1.1\r\nCookie: {cookie}\r\nOrigin: {origin}\r\n{kind}")
    };
    let urlencoded = "x-www-form-urlencoded";
    let secret = token(&world.get("/accounts", admin).2);
    let grants_it = |name: &str| {
        form(&[("token", &secret), ("name", name), ("role", "viewer"), ("scope", "/")])
    };
    let grant_head = head("/accounts/grant", admin, urlencoded);
    assert_eq!(while_it_waits(&world, &grant_head, &grants_it("new"), || ()), 200);
    // A role that is taken back does not act any more.
    let body = r#"{"decision":"approve","hash":""}"#;
    let decide = head("/api/v1/plans/A-0001/decisions", chief, "json");
    let fields = [("name", "chief"), ("role", "commander"), ("scope", "/")];
    let status = while_it_waits(&world, &decide, body, || {
        assert_eq!(world.act(admin, ("/accounts", "/accounts/revoke"), &fields).0, 200);
    });
    assert_eq!(status, 403);
    // Nor does a sign-in that has ended.
    let status = while_it_waits(&world, &grant_head, &grants_it("audit"), || {
        assert_eq!(world.act(admin, ("/me", "/sign-out"), &[]).0, 303);
    });
    assert_eq!(status, 401);
    assert!(!grants(&world).iter().any(|line| line.starts_with("audit viewer")));
}

/// Goal: no form about accounts does anything for nobody, nor for a role that is not its own.
/// Method: every form with every field, sent by nobody and by each role; the tables stay as they
/// were.
#[test]
fn forms_about_accounts_do_nothing_for_other_roles() {
    clock!(now, _set);
    let roles =
        ["viewer", "analyst", "site-owner", "commander", "approver", "publisher", "auditor"];
    let mut cookies = Vec::new();
    let world = World::start(now, |store| {
        person(store, "target", 100, &[("viewer", "/")]);
        for (at, role) in roles.iter().enumerate() {
            cookies.push(person(store, &format!("p{at}"), at as u8 + 1, &[(role, "/")]));
        }
    });
    let tables = || {
        let tables = world.store.account_tables().unwrap();
        (tables.accounts, tables.grants, tables.proposals, tables.passkeys, tables.invitations)
    };
    let before = tables();
    for (act, name, role) in [
        ("add", "somebody", ""),
        ("renew", "target", ""),
        ("end", "target", ""),
        ("grant", "target", "analyst"),
        ("revoke", "target", "viewer"),
    ] {
        let fields = [("name", name), ("role", role), ("scope", "/")];
        let path = format!("/accounts/{act}");
        let (status, _, _) = world.post(&path, "", &crate::door_device::form(&fields));
        assert_eq!(status, 401, "{path} by nobody");
        for (cookie, role) in cookies.iter().zip(roles) {
            let (status, _, _) = world.act(cookie, ("/sites", &path), &fields);
            assert!([403, 404].contains(&status), "{path} by {role}: {status}");
        }
        assert_eq!(tables(), before, "{path}");
    }
    let own = ["/me/key", "/me/key/remove", "/me/sign-in/end", "/me/token", "/confirm"];
    let app = ["/me/authenticator", "/me/authenticator/confirm", "/me/authenticator/remove"];
    for path in own.into_iter().chain(app) {
        let (status, _, _) = world.post(path, "", "id=1");
        assert_eq!(status, 401, "{path} by nobody");
    }
}
