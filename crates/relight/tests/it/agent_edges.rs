//! Edges that a real agent writes: a real nginx and a real HAProxy on its machine, and a real
//! server that gives the orders and looks at the listeners.

use std::fs;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::config::{self, EdgeConfig, SiteRoute, haproxy, nginx};
use relight_engine::edge::exec::{self, Running};
use relight_engine::edge::holding_page;
use relight_model::GateKey;
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};
use serde_json::json;

use crate::incident::POLICY;
use crate::place::{Outcome, Place, log4j, visitor};
use crate::serve::Server;

pub(crate) const SITES: &str = "\
    slug;name_fr;name_en;origin;organisation;sector;criticality;edge;public\n\
    san-001;Clinique;Clinic;https://san1.example;Santé Nord;health;2;north;oui\n\
    san-002;Laboratoire;Laboratory;https://san2.example;Santé Nord;health;3;north;oui\n\
    mun-001;Mairie;Town hall;https://mun1.example;Ville de X;municipal;4;south;non\n";

/// Each site, its host, and which of the two proxies serves it.
pub(crate) const HOSTS: [(&str, &str, usize); 3] = [
    ("san-001", "san1.example", 0),
    ("san-002", "san2.example", 0),
    ("mun-001", "mun1.example", 1),
];

/// Nobody has looked at any of them.
const ALL: &str = "unknown:CVE-2021-44228";

/// How long anything may take.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(90);

const FREE: &str = "127.0.0.1:0";

/// A machine with two proxies and an agent, and a server elsewhere.
pub(crate) struct World {
    pub(crate) place: Place,
    /// nginx and HAProxy.
    listeners: [SocketAddr; 2],
    /// Where the server listens for agents.
    agents: String,
    _proxies: [Running; 2],
    _origin: OriginHandle,
}

impl World {
    /// Everything runs, and nothing is dark; `gate` is where the agent is told that both gates are,
    /// each in a folder of its own.
    pub(crate) fn new(gate: &str) -> (Self, Server, Server) {
        let place = Place::new();
        place.write("sites.csv", SITES);
        place.expect(0, &["sites", "import", "sites.csv"]);
        let site = |(slug, host, _): (&str, &str, usize)| OriginSite {
            host: host.into(),
            name: slug.into(),
        };
        let (listen, sites) = (FREE.parse().unwrap(), HOSTS.map(site).into());
        let origin = Origin::start(OriginConfig { listen, sites }).unwrap();
        let listeners = [(); 2].map(|()| exec::free_address().unwrap());
        let proxies = [0, 1].map(|at| proxy(&place, at, listeners[at], origin.address()));
        let add = |name, listener: SocketAddr| {
            let words = ["edge", "add", "agent", "--name", name, "--agent", "web-1", "--listen"];
            // It is not there yet.
            place.expect(3, &[&words[..], &[&listener.to_string()]].concat())
        };
        let told = add("north", listeners[0]);
        assert!(told.stderr.contains("[edges.north]"), "{}", told.text());
        add("south", listeners[1]);
        let made = place.expect(0, &["agent", "code", "--org", "Santé Nord", "--host", "web-1"]);
        let (server, agents) = serve(&place, FREE);
        let world = Self { place, listeners, agents, _proxies: proxies, _origin: origin };
        let words = ["enrol", "--server", &world.agents, "--host", "web-1", "--code"];
        world.agent(0, &[&words[..], &[made.stdout.trim()]].concat());
        world.write_agent_file(gate);
        let agent = world.run_agent();
        (world, server, agent)
    }

    fn write_agent_file(&self, gate: &str) {
        let path = |name: &str| self.place.path(name).display().to_string();
        let edge = |name: &str, kind: &str, at: usize, set: &str| {
            let (gate, listener) = (path(&format!("{gate}-{at}")), self.listeners[at]);
            format!(
                "[edges.{name}]\nkind = \"{kind}\"\ngate = \"{gate}\"\nlisten = [\"{listener}\"]\n\
                 [edges.{name}.set]\n{set}\n"
            )
        };
        let north =
            edge("north", "nginx_file", 0, "worker_user = \"self\"\nupgrades = \"refused\"");
        let (map, socket) = (config::MAP_FILE, config::SOCKET);
        let (map, socket) = (path(&format!("edge-1/{map}")), path(&format!("edge-1/{socket}")));
        let south = edge("south", "haproxy", 1, &format!("map = \"{map}\"\nsocket = \"{socket}\""));
        self.place.write("agent/agent.toml", north + &south);
    }

    /// A command of the agent, whose data folder is another one than the server's.
    fn agent(&self, status: i32, words: &[&str]) -> Outcome {
        let folder = self.place.path("agent").display().to_string();
        self.place.expect(status, &[&["agent"][..], words, &["--data", &folder]].concat())
    }

    fn run_agent(&self) -> Server {
        self.run_agent_every("1")
    }

    /// The same with this many seconds between two turns; the first one is over then.
    fn run_agent_every(&self, seconds: &str) -> Server {
        let folder = self.place.path("agent").display().to_string();
        let run = ["agent", "run", "--every", seconds, "--json", "--data", &folder];
        Server::run(&self.place, &run).0
    }

    /// The server again, where its agent looks for it.
    pub(crate) fn serve(&self) -> Server {
        serve(&self.place, self.agents.trim_start_matches("https://")).0
    }

    /// What visitors of the three sites get.
    pub(crate) fn lights(&self) -> [u16; 3] {
        HOSTS.map(|(_, host, at)| visitor(self.listeners[at]).get(host, "/").unwrap().status)
    }

    /// Whether a driver is at work at one of the two gates of that name: each look takes the lock.
    /// A map that tells an epoch of ours gets no first generation over it.
    fn is_driven(&self, gate: &str, at: usize) -> bool {
        self.place.path(&format!("{gate}-{at}/lock")).is_file()
    }

    /// Sites that count as exposed.
    fn exposed(&self) -> u64 {
        let status = self.place.expect(0, &["incident", "status", "--json"]).json();
        status["incidents"][0]["exposed"].as_u64().unwrap()
    }

    /// What the server found of the canary of one of the two edges, if it failed.
    fn canary_failure(&self, at: usize) -> String {
        let checked = self.place.expect(3, &["edge", "check", "--json"]).json();
        let found = &checked["edges"][at]["findings"][0]["place"];
        found.as_str().unwrap_or_default().to_owned()
    }

    /// An order for some sites, by a process that no agent asks: nothing comes of it yet.
    fn order(&self, sites: &str) {
        let before = self.lights();
        self.place.write("data/policy.toml", POLICY);
        self.place.expect(0, &["incident", "open", "CVE-2021-44228"]);
        let order = ["incident", "off", "--sites", sites, "--reason", "test", "--yes"];
        let told = self.place.expect(1, &order);
        assert!(told.stdout.contains("\n0 of "), "{}", told.text());
        assert!(told.stderr.contains("an agent writes this edge"), "{}", told.text());
        assert_eq!(self.lights(), before, "nobody asked the agent for it");
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < WAIT_MAX, "{what}");
        thread::yield_now();
    }
}

/// A server that listens for agents, and where it does.
fn serve(place: &Place, listen: &str) -> (Server, String) {
    let words = ["--listen", FREE, "--public-listen", FREE, "--agent-listen", listen];
    let (server, started) = Server::run(place, &[&["serve", "--json"][..], &words].concat());
    (server, started["agents"].as_str().unwrap().to_owned())
}

pub(crate) fn proxy(
    place: &Place,
    at: usize,
    listener: SocketAddr,
    upstream: SocketAddr,
) -> Running {
    let [folder, gate, hold, acme, verify] = ["edge", "gate", "hold", "acme", "verify.sock"]
        .map(|name| place.path(&format!("{name}-{at}")));
    fs::create_dir_all(&acme).unwrap();
    holding_page::write(&hold, b"<p>closed</p>", b"{}").unwrap();
    let sites = HOSTS.iter().filter(|(_, _, of)| *of == at).map(|(slug, host, _)| SiteRoute {
        key: GateKey::new(slug).unwrap(),
        host: (*host).to_owned(),
        aliases: Vec::new(),
        upstream,
        partial: Vec::new(),
    });
    let config = EdgeConfig {
        folder: folder.clone(),
        gate,
        hold,
        acme,
        listen: vec![listener],
        verify,
        testers: None,
        verify_group: None,
        user: exec::worker_user(),
        upgrades: false,
        tls: None,
        sites: sites.collect(),
    };
    let (listen, wait) = ([listener], Duration::from_secs(90));
    let running = match at {
        0 => exec::start_nginx(&folder, &nginx(&config).unwrap(), &listen, wait),
        _ => exec::start_haproxy(&folder, &haproxy(&config).unwrap(), &listen, wait),
    };
    running.unwrap()
}

/// Goal: edges on another machine go dark and come back as those beside the server do, and whatever
/// dies there or here leaves every gate as it is. Method: one incident over nginx and HAProxy, in
/// whose middle the agent and the server are killed, and at whose end the agent is revoked.
#[test]
fn edges_of_an_agent_go_dark_come_back_and_outlive_every_death() {
    let (world, server, agent) = World::new("gate");
    let place = &world.place;
    assert_eq!(server.terminate(), Some(0));
    world.order(ALL);
    let server = world.serve();
    wait_until("all dark", || world.lights() == [503; 3] && world.exposed() == 0);
    let status = world.agent(0, &["status", "--json"]).json();
    assert_eq!(status["edges"][1]["kind"], "haproxy", "{status}");
    let checked = place.expect(3, &["edge", "check"]);
    assert!(checked.stdout.contains("asked by the server only"), "{}", checked.text());

    // Nobody answers for the edges any more: what is dark stays so, and counts as exposed.
    drop(agent);
    wait_until("exposed without the agent", || world.exposed() == 3);
    assert_eq!(world.lights(), [503; 3]);
    // One becomes clear meanwhile, and nobody can open it.
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "good", "--site", "mun-001"]);
    let agent = world.run_agent();
    wait_until("back, and the others dark", || {
        world.lights() == [503, 503, 200] && world.exposed() == 0
    });

    drop(server);
    assert_eq!(world.lights(), [503, 503, 200], "the server was killed");
    let server = world.serve();
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    wait_until("it goes on where it was", || {
        world.lights() == [503, 200, 200] && world.exposed() == 0
    });

    assert_eq!(server.terminate(), Some(0));
    place.expect(0, &["agent", "revoke", "1"]);
    let server = world.serve();
    wait_until("exposed once the agent is out", || world.exposed() == 1);
    assert_eq!(world.lights(), [503, 200, 200], "a revoked agent changes nothing");
    assert_eq!(agent.terminate(), Some(0));
    assert_eq!(server.terminate(), Some(0));
    // What was ordered is known here, and the edge stays in the register.
    let told = place.expect(1, &["edge", "remove", "north"]);
    assert!(told.stderr.contains("holds 1 key dark"), "{}", told.text());
}

/// Goal: a controller that was replaced writes nothing on the machine of an agent, whatever it
/// believes, and one that was restored gets above the others at its next start. Method: a copy of
/// the register from before the order serves the same agent.
#[test]
fn an_older_controller_is_fenced_on_the_machine_of_the_agent() {
    let (world, server, _agent) = World::new("gate");
    let place = &world.place;
    assert_eq!(server.terminate(), Some(0));
    copy(&place.path("data"), &place.path("old"));
    world.order("site:san-001");
    let server = world.serve();
    wait_until("dark", || world.lights() == [503, 200, 200] && world.exposed() == 0);
    assert_eq!(server.terminate(), Some(0));
    // More starts than the copy will have.
    for _ in 0..4 {
        assert_eq!(world.serve().terminate(), Some(0));
    }
    let gate = || fs::read(place.path("gate-0/epoch")).unwrap();
    let before = gate();
    let server = world.serve();
    wait_until("a newer controller was there", || gate() != before);
    drop(server);
    // As on another machine, where the copy was brought to: what was noted since is not there.
    fs::remove_dir_all(place.path("data")).unwrap();
    fs::rename(place.path("old"), place.path("data")).unwrap();
    world.order("site:san-002");
    let server = world.serve();
    wait_until("fenced", || world.canary_failure(0).starts_with("fenced"));
    assert_eq!((world.lights(), world.exposed()), ([503, 200, 200], 1));
    assert_eq!(server.terminate(), Some(0));
    let _server = world.serve();
    // What this journal did not order stays dark beside it.
    wait_until("it is above the other now", || {
        world.lights() == [503, 503, 200] && world.exposed() == 0
    });
}

/// Goal: an agent that says yes and whose proxy does not do it proves nothing. Method: the gates in
/// its file are not those that the proxies read.
#[test]
fn an_agent_that_says_yes_while_visitors_get_in_is_not_believed() {
    let (world, server, _agent) = World::new("elsewhere");
    assert_eq!(server.terminate(), Some(0));
    // The map that HAProxy reads is another one than the agent changes.
    let toml = fs::read_to_string(world.place.path("agent/agent.toml")).unwrap();
    let only_nginx = toml.split("[edges.south]").next().unwrap().to_owned();
    world.place.write("agent/agent.toml", only_nginx);
    world.order(ALL);
    let server = world.serve();
    wait_until("the probe says otherwise", || world.canary_failure(0).starts_with("dark-not-seen"));
    let written = fs::read_to_string(world.place.path("elsewhere-0/epoch")).unwrap();
    assert!(written.contains("san-001"), "{written}");
    assert_eq!((world.lights(), world.exposed()), ([200; 3], 3));
    assert_eq!(server.terminate(), Some(0));
}

/// Goal: an edge that is something else in `agent.toml` is driven as soon as the agent has read it.
/// Method: its gate is another one at one turn and a third one at the next; the second one was
/// driven in between.
#[test]
fn an_edge_that_changed_waits_for_no_other_turn() {
    let (world, server, agent) = World::new("first");
    assert_eq!((server.terminate(), agent.terminate()), (Some(0), Some(0)));
    // What is under order is asked for again and again.
    world.order(ALL);
    let _server = world.serve();
    let mut agent = world.run_agent_every("15");
    let mut told = agent.stderr().lines().map(Result::unwrap);
    let mut turn_with = |gate: &str| {
        world.write_agent_file(gate);
        while !told.next().unwrap().contains("agent.toml again") {}
    };
    turn_with("second");
    turn_with("third");
    let is_driven = |gate: &str| [0, 1].map(|at| world.is_driven(gate, at));
    assert_eq!(is_driven("second"), [true; 2], "between two turns");
    wait_until("the last one", || is_driven("third") == [true; 2]);
    assert_eq!(agent.terminate(), Some(0));
}

/// Goal: an edge of an agent is rehearsed on as any other, by the server, and nothing is closed but
/// the canary and what is marked. Method: a drill through the real agent, while visitors of every
/// site go on asking; and without a server.
#[test]
fn a_drill_of_an_edge_of_an_agent_closes_what_is_marked_and_nothing_else() {
    let (world, server, agent) = World::new("gate");
    let place = &world.place;
    place.expect(0, &["sites", "set", "san-002", "drill_ok=yes"]);
    let tested = place.expect(0, &["edge", "test", "north", "--json"]).json();
    assert_eq!(tested["edges"][0]["keys"], json!(["relight-canary"]), "{tested}");
    assert_eq!(tested["passed"], true, "{tested}");
    let is_over = AtomicBool::new(false);
    let (drilled, seen) = thread::scope(|scope| {
        let visitors = scope.spawn(|| {
            let mut seen = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                seen.push(world.lights());
            }
            seen
        });
        let drilled = place.run(&["drill", "--edges", "north", "--json"]);
        is_over.store(true, Ordering::Relaxed);
        (drilled, visitors.join().unwrap())
    });
    let shown = drilled.json();
    assert_eq!(shown["passed"], true, "{}", drilled.text());
    assert_eq!(shown["edges"][0]["keys"], json!(["relight-canary", "san-002"]), "{shown}");
    assert!(seen.iter().any(|lights| lights[1] == 503), "the marked site went dark");
    assert!(seen.iter().all(|lights| [lights[0], lights[2]] == [200; 2]), "and no other one");
    assert_eq!(world.lights(), [200; 3]);
    let told = place.expect(0, &["audit", "export"]);
    assert_eq!(told.stdout.matches("\"drilled\"").count(), 1, "{}", told.text());
    assert_eq!((server.terminate(), agent.terminate()), (Some(0), Some(0)));
    let told = place.expect(1, &["drill", "--edges", "north"]);
    assert!(told.stderr.contains("an agent writes it"), "{}", told.text());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
