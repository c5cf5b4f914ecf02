//! The page of agents: who sees it, and who makes codes and revokes for which organisation.

use std::path::Path;
use std::sync::Arc;

use relight_engine::store::{AgentCodeRow, Enrolment};
use relight_model::Digest;
use relight_server::Clock;
use relight_server::agents::client::{AgentClient, enrol};
use relight_server::agents::identity::IDENTITY_FILE;
use relight_server::agents::serve::{AgentLimits, AgentListener};
use relight_server::agents::{AGENT_KEY_FILE, AgentDesk};

use crate::door_support::{START, World, clock, code_in, person, token};

/// A console with a listener of agents, and an admin, one of health, an auditor and a commander.
fn town(now: Clock, folder: &Path) -> (World, Vec<String>, AgentListener) {
    let (mut who, mut agents) = (Vec::new(), None);
    let world = World::start_with(
        now,
        |config| {
            let engine = Arc::clone(config.engine.as_ref().unwrap());
            let desk = AgentDesk::open(engine, &folder.join(AGENT_KEY_FILE)).unwrap();
            agents = Some(Arc::new(desk));
            config.agents.clone_from(&agents);
        },
        |store| {
            who = vec![
                person(store, "root", 1, &[("admin", "/")]),
                person(store, "doctor", 2, &[("admin", "health")]),
                person(store, "audit", 3, &[("auditor", "/")]),
                person(store, "chief", 4, &[("commander", "/")]),
            ];
        },
    );
    let (limits, free) = (AgentLimits::default(), ([127, 0, 0, 1], 0).into());
    let listener = AgentListener::start(agents.unwrap(), free, limits).unwrap();
    (world, who, listener)
}

/// The row of an agent that was heard of.
fn shows_the_agent(page: &str) {
    let version = concat!(">", env!("CARGO_PKG_VERSION"), "</td>");
    assert!(page.contains("web-1") && page.contains(version), "{page}");
}

/// Goal: an admin lets agents of the own organisations in and out, and nobody else anybody. Method:
/// each kind of person asks for the page and sends both forms.
#[test]
fn codes_and_revocations_are_for_admins_of_the_organisation_with_a_fresh_passkey() {
    clock!(now, set);
    let folder = tempfile::tempdir().unwrap();
    let (world, who, listener) = town(now, folder.path());
    let [root, doctor, audit, chief] = [0, 1, 2, 3].map(|at| who[at].as_str());
    assert_eq!(world.get("/agents", chief).0, 404);
    assert!(!world.get("/me?lang=en", chief).2.contains("/agents"));
    assert!(world.get("/me?lang=en", audit).2.contains("/agents"));
    assert!(!world.get("/agents?lang=en", audit).2.contains("/agents/code"), "reads only");
    let page = world.get("/agents?lang=en", doctor).2;
    assert!(page.contains("<option>Hospital") && !page.contains("Utility"), "{page}");

    let ask = |cookie: &str, organisation: &str, host: &str| {
        let token = token(&world.get("/me", cookie).2);
        let form = format!("token={token}&organisation={organisation}&host={host}");
        world.post("/agents/code?lang=en", cookie, &form)
    };
    for (cookie, organisation, host) in [
        (audit, "Hospital", "web-1"),
        (doctor, "Utility", "web-1"),
        (root, "Nobody", "web-1"),
        (root, "Hospital", "Web_1"),
    ] {
        let (status, _, page) = ask(cookie, organisation, host);
        assert_eq!(status, 403, "{organisation} {host}");
        assert!(!page.contains("class=\"secret\""), "{page}");
    }
    // Who may not see an organisation does not find out that it is there.
    for cookie in [doctor, chief] {
        let answers = ["Utility", "Nobody"].map(|name| {
            let (status, head, page) = ask(cookie, name, "web-1");
            (
                status,
                head.to_lowercase().contains("no-organisation"),
                page.contains("no organisation"),
            )
        });
        assert_eq!(answers[0], answers[1]);
    }
    assert_eq!(world.post("/agents/code", root, "organisation=Hospital&host=a").0, 403);
    let (status, _, page) = ask(doctor, "Hospital", "web-*");
    assert_eq!(status, 200, "{page}");
    let url = format!("https://{}", listener.address());
    let path = folder.path().join(IDENTITY_FILE);
    let identity = enrol(&url, &code_in(&page), "web-1", &path).unwrap();
    let agent = AgentClient::new(identity, &path).unwrap();
    agent.turn(&[]).unwrap();
    for cookie in [root, doctor, audit] {
        shows_the_agent(&world.get("/agents?lang=en", cookie).2);
    }

    let revoke = |cookie: &str| {
        let token = token(&world.get("/me", cookie).2);
        world.post("/agents/revoke?lang=en", cookie, &format!("token={token}&id=1"))
    };
    assert_eq!(revoke(audit).0, 403);
    set(START + 6 * 60);
    assert_eq!(revoke(doctor).0, 403, "the passkey was shown too long ago");
    set(START);
    agent.turn(&[]).unwrap();
    let (status, _, page) = revoke(doctor);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("revoked") && page.contains("let in no more"), "{page}");
    assert_eq!(agent.turn(&[]).unwrap_err().code, "not-let-in");
    let journal = world.journal().concat();
    for act in ["agent-code-made", "agent-enrolled", "agent-revoked"] {
        assert!(journal.contains(&format!("\"act\":\"{act}\"")), "{act}: {journal}");
    }
    assert!(journal.contains("doctor {"), "{journal}");
}

#[test]
fn without_a_listener_the_page_says_how_to_have_one() {
    clock!(now, _set);
    let mut root = String::new();
    let world = World::start(now, |store| {
        root = person(store, "root", 1, &[("admin", "/")]);
        let (code, org, made_by) = (Digest([1; 32]), store.organisations().unwrap()[0].id, "root");
        let (host, made_by, expires) = ("*".to_owned(), made_by.to_owned(), i64::MAX);
        let row = AgentCodeRow { digest: code, org, host, expires, made_by };
        store.put_agent_code(&row, START).unwrap();
        let (host, fingerprint, now) = ("web-1", code, START);
        store.enrol_agent(Enrolment { code, host, fingerprint, expires, now }).unwrap();
    });
    let page = world.get("/agents?lang=en", &root).2;
    assert!(page.contains("--agent-listen") && !page.contains("/agents/code"), "{page}");
    assert!(page.contains("web-1") && !page.contains("/agents/revoke"), "{page}");
    let form = format!("token={}&organisation=Hospital&host=a", token(&world.get("/me", &root).2));
    assert_eq!(world.post("/agents/code", &root, &form).0, 403);
}
