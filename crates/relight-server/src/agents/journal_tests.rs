//! What the journal says of agents: who let whom in, and what did not happen is not in it.

use relight_engine::store::AGENTS_MAX;

use super::*;

fn fact<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry["facts"][name].as_str().unwrap_or_default()
}

#[test]
fn an_enrolment_says_who_let_which_agent_in_from_where_and_who_goes_for_it() {
    let world = World::new();
    let first = world.agent("web-1");
    let second = world.agent("web-1");
    second.turn(&[]).unwrap();
    let journal = world.journal();
    let acts = ["agent-code-made", "agent-enrolled", "agent-code-made", "agent-revoked"];
    assert_eq!(world.acts(), [&acts[..], &["agent-enrolled"]].concat());
    for (entry, agent) in [(&journal[1], &first), (&journal[4], &second)] {
        let id = agent.identity().agent().to_string();
        let said = ["agent", "code_by", "address", "host"].map(|name| fact(entry, name));
        assert_eq!(said, [id.as_str(), "anna", "127.0.0.1", "web-1"], "{entry}");
    }
    let said = ["agent", "for"].map(|name| fact(&journal[3], name));
    assert_eq!(said, ["1", "2"], "{}", journal[3]);
}

#[test]
fn where_there_is_no_room_nobody_is_said_to_have_enrolled() {
    let world = World::new();
    let store = world.desk.engine.store();
    let hospital = world.desk.organisation("Hospital").unwrap();
    let clinic = world.desk.organisation("Clinic").unwrap();
    let text = world.desk.make_code("anna", &clinic, "*").unwrap().text;
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {AGENTS_MAX})
         INSERT INTO agent (org, host, enrolled, revoked, seen)
         SELECT {}, 'h' || i, 0, 0, 0 FROM n;
         INSERT INTO agent_certificate (fingerprint, agent, expires)
         SELECT randomblob(32), id, {} FROM agent;",
        hospital.id.0,
        clock::now() + 86_400
    );
    rusqlite::Connection::open(store.path()).unwrap().execute_batch(&fill).unwrap();
    assert_eq!(code(world.enrol(&text, "web-1")), "too-many-agents");
    assert_eq!(world.acts(), ["agent-code-made", "agent-refused"]);
    world.desk.revoke("anna", 1).unwrap();
    world.enrol(&text, "web-1").unwrap();
}
