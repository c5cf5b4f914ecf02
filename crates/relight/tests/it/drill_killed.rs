//! `kill -9` in the middle of a drill, on a real nginx: what it closed comes back, and the journal
//! says that it was interrupted.

use std::process::{Child, Stdio};
use std::time::Instant;

use relight_engine::edge::exec::{self, Running};
use relight_engine::store::Store;
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};
use serde_json::{Value, json};

use crate::agent_edges::{HOSTS, SITES, WAIT_MAX, World, proxy, wait_until};
use crate::place::{Place, visitor};
use crate::serve::Server;

/// An nginx beside the register, with one site that may be drilled and one that may not.
struct Near {
    place: Place,
    listener: std::net::SocketAddr,
    _proxy: Running,
    _origin: OriginHandle,
}

impl Near {
    fn new() -> Self {
        let place = Place::new();
        place.write("sites.csv", SITES);
        place.expect(0, &["sites", "import", "sites.csv"]);
        let sites =
            HOSTS.map(|(slug, host, _)| OriginSite { host: host.into(), name: slug.into() });
        let listen = "127.0.0.1:0".parse().unwrap();
        let origin = Origin::start(OriginConfig { listen, sites: sites.into() }).unwrap();
        let listener = exec::free_address().unwrap();
        let nginx = proxy(&place, 0, listener, origin.address());
        let address = listener.to_string();
        let add = ["edge", "add", "nginx_file", "--name", "north", "--gate", "gate-0"];
        // While visitors go on asking after a reload it is dark for two seconds at least.
        let reload = r#"reload=["/bin/true"]"#;
        let set = ["--set", "worker_user=self", "--set", "upgrades=refused", "--set", reload];
        let at = ["--listen", &address, "--verify", "verify.sock-0"];
        place.expect(0, &[&add[..], &at, &set].concat());
        place.expect(0, &["sites", "set", "san-002", "drill_ok=yes"]);
        Self { place, listener, _proxy: nginx, _origin: origin }
    }

    /// What visitors of the canary and of the two sites get.
    fn lights(&self) -> [u16; 3] {
        let hosts = ["relight-canary.invalid", "san2.example", "san1.example"];
        hosts.map(|host| visitor(self.listener).get(host, "/").unwrap().status)
    }

    /// A drill that is killed once it closed what it may; the controller that it kills itself comes
    /// later.
    fn kill_a_drill(&self) {
        let mut drill = begin(&self.place, &["north"]);
        wait_until("dark", || self.lights()[..2] == [503; 2]);
        drill.kill().unwrap();
        drill.wait().unwrap();
    }
}

fn begin(place: &Place, edges: &[&str]) -> Child {
    let words: Vec<&str> = edges.iter().flat_map(|edge| ["--edges", edge]).collect();
    let mut command = place.command(&[&["drill"], &words[..]].concat(), &[]);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What the journal says of drills.
fn entries(place: &Place) -> Vec<Value> {
    let log = place.expect(0, &["audit", "export"]).stdout;
    let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let drills =
        rows.filter(|row| row["kind"].as_str().is_some_and(|kind| kind.starts_with("drill")));
    drills.map(|row| serde_json::from_str(row["body"].as_str().unwrap()).unwrap()).collect()
}

/// The codes of what is found at the edge.
fn findings(place: &Place) -> Vec<String> {
    let checked = place.run(&["edge", "check", "--json"]).json();
    let found = checked["edges"][0]["findings"].as_array().unwrap().iter();
    found.map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect()
}

/// Goal: what a killed drill closed comes back at the next drill, and the journal says what became
/// of both. Method: a drill on a real nginx is killed while all of it is dark; what people are told
/// until then; another one, without a server.
#[test]
fn a_drill_that_is_killed_is_ended_by_the_next_one() {
    let near = Near::new();
    let place = &near.place;
    near.kill_a_drill();
    assert_eq!(near.lights(), [503, 503, 200], "nobody opens it");
    assert_eq!(kinds(&entries(place)), ["drill-begun"], "written before");
    assert!(findings(place).contains(&"drill-interrupted".to_owned()));
    let told = place.run(&["incident", "status"]);
    assert!(told.stderr.contains("a drill was interrupted"), "{}", told.text());
    assert!(told.stderr.contains("relight-canary, san-002"), "{}", told.text());
    let again = place.expect(0, &["drill", "--edges", "north", "--json"]).json();
    assert_eq!(again["passed"], true, "{again}");
    assert_eq!(near.lights(), [200; 3]);
    let rows = entries(place);
    let wanted =
        ["drill-begun", "drill-ended", "drill-undone", "drill-begun", "drilled", "drill-ended"];
    assert_eq!(kinds(&rows), wanted, "{rows:?}");
    let ends = [&rows[1]["interrupted"], &rows[5]["interrupted"]];
    assert_eq!(ends, [&json!(true), &json!(false)]);
    assert_eq!(rows[2]["keys"], json!(["relight-canary", "san-002"]));
    assert!(!findings(place).contains(&"drill-interrupted".to_owned()));
    assert_eq!(place.expect(0, &["audit", "verify", "--json"]).json()["intact"], true);
}

/// Goal: the same by the next server, and by one that runs already. Method: a drill is killed
/// before a server starts, and another one beside it.
#[test]
fn a_drill_that_is_killed_is_ended_by_the_server() {
    let near = Near::new();
    let place = &near.place;
    near.kill_a_drill();
    let (server, _) = Server::start(place);
    wait_until("lit by the next start", || near.lights() == [200; 3]);
    wait_until("told", || entries(place).len() == 3);
    near.kill_a_drill();
    wait_until("lit by the server that runs", || near.lights() == [200; 3]);
    wait_until("told again", || entries(place).len() == 6);
    let rows = entries(place);
    let wanted = ["drill-begun", "drill-ended", "drill-undone"];
    assert_eq!(kinds(&rows), [wanted, wanted].concat(), "{rows:?}");
    assert_eq!((&rows[1]["interrupted"], &rows[4]["interrupted"]), (&json!(true), &json!(true)));
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(place.expect(0, &["audit", "verify", "--json"]).json()["intact"], true);
}

/// Goal: whoever waits for the drill of a server that was killed is told within seconds, whether or
/// not another one started, and the next server brings back what it closed. Method: the server is
/// killed in the middle of a drill of an edge of an agent.
#[test]
fn a_drill_of_a_server_that_is_killed_is_given_up_and_undone() {
    let (world, server, _agent) = World::new("gate");
    let place = &world.place;
    place.expect(0, &["sites", "set", "san-002", "drill_ok=yes"]);
    let drill = begin(place, &["north"]);
    wait_until("dark", || world.lights()[1] == 503);
    // Its end is that of `kill -9`.
    drop(server);
    let since = Instant::now();
    let told = drill.wait_with_output().unwrap();
    assert!(since.elapsed() < WAIT_MAX, "it is not waited for any longer");
    let text = String::from_utf8(told.stderr).unwrap();
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(text.contains("the server that rehearsed is gone"), "{text}");
    let _server = world.serve();
    wait_until("lit by the next start", || world.lights() == [200; 3]);
    wait_until("told", || entries(place).len() == 3);
    let rows = entries(place);
    assert_eq!(kinds(&rows), ["drill-begun", "drill-ended", "drill-undone"], "{rows:?}");
    assert_eq!(rows[1]["interrupted"], json!(true));
}

/// Goal: a drill that is killed at one edge is none of the edges that it never came to. Method: one
/// over two edges is killed at the first.
#[test]
fn a_drill_that_is_killed_has_begun_where_it_was_alone() {
    let near = Near::new();
    let place = &near.place;
    let south = ["edge", "add", "nginx_file", "--name", "south", "--gate", "gate-1"];
    place.expect(0, &[&south[..], &["--listen", "127.0.0.1:9"]].concat());
    let mut drill = begin(place, &["north", "south"]);
    wait_until("dark", || near.lights()[..2] == [503; 2]);
    drill.kill().unwrap();
    drill.wait().unwrap();
    let rows = entries(place);
    assert_eq!(kinds(&rows), ["drill-begun"], "{rows:?}");
    assert_eq!(rows[0]["edge"], "north");
}

/// Goal: the end of a drill that nobody took yet never ends the next one, which waits for it.
/// Method: whoever controls the register takes nothing of what was left.
#[test]
fn a_drill_begins_after_the_end_of_the_one_before_was_taken() {
    let near = Near::new();
    let store = Store::open(&near.place.path("data")).unwrap();
    let _control = store.take_control().unwrap().unwrap();
    store.meta_put("ended-drill:north", "the end of the one before").unwrap();
    let told = near.place.run(&["drill", "--edges", "north"]);
    assert!(told.stderr.contains("did not take into the journal"), "{}", told.text());
    assert_eq!(store.meta_get("begun-drill:north").unwrap(), None, "it would be taken first");
    assert_eq!(near.lights(), [200; 3], "nothing was closed");
}
