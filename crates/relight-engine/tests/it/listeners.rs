//! Edges with several listeners, among them some that hang; and edges that come while others run.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::drive::Drive;
use relight_engine::edge::{ProbeTarget, Prober, Target};
use relight_engine::incident::{Baseline, Entry, Gate, Phase};
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::policy::{Means, Person, Policy};
use relight_engine::reconcile::{EdgeLoop, Listeners, PROOF_RENEW_MS, Want, wants};
use relight_engine::store::SiteRow;
use relight_engine::{Engine, edges};
use relight_model::{Digest, Epoch, GateKey, Light};
use tempfile::TempDir;

use crate::edge::{Shared, builtin, key};
use crate::engine::{LOG4SHELL, RECURSION, Town, name, row};

const DARK: &str = "dark";

/// Longest wait for something that has to come.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A listener that answers every request as it is told at that time: with a status, or with the
/// page of the gate of that site.
fn listener(answer: &Arc<Mutex<String>>) -> SocketAddr {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (address, answer) = (socket.local_addr().unwrap(), Arc::clone(answer));
    thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || serve(stream, &answer));
        }
    });
    address
}

fn serve(mut stream: TcpStream, answer: &Mutex<String>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let (mut host, mut is_begun) = (String::new(), false);
    while let Some(Ok(line)) = lines.next() {
        is_begun |= !line.is_empty();
        if let Some(name) = line.to_ascii_lowercase().strip_prefix("host: ") {
            host = name.trim_end_matches(".example").to_owned();
        }
        if line.is_empty() && is_begun {
            let told = answer.lock().unwrap().clone();
            let status = if told == DARK { "503" } else { &told };
            let marker = match told == DARK {
                true => {
                    format!("X-Relight-Gate: dark=1; site={host}\r\nCache-Control: no-store\r\n")
                }
                false => String::new(),
            };
            let text = format!("HTTP/1.1 {status} x\r\n{marker}Content-Length: 0\r\n\r\n");
            if stream.write_all(text.as_bytes()).is_err() {
                return;
            }
            is_begun = false;
        }
    }
}

fn answering(answer: &str) -> (Arc<Mutex<String>>, SocketAddr) {
    let answer = Arc::new(Mutex::new(answer.to_owned()));
    let address = listener(&answer);
    (answer, address)
}

/// A listener that accepts every connection and never says anything.
fn silent() -> SocketAddr {
    let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in socket.incoming().flatten() {
            kept.push(stream);
        }
    });
    address
}

fn wait(engine: &Engine, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        engine.wait_changed(engine.version(), Duration::from_millis(20));
    }
}

/// A register that several threads work on.
struct Bench {
    engine: Arc<Engine>,
    folder: TempDir,
}

impl Bench {
    fn new(count: usize) -> Self {
        let Town { engine, folder } = Town::new(count);
        engine.open_incident("A. Tremblay", LOG4SHELL, "demo").unwrap();
        Self { engine: Arc::new(engine), folder }
    }

    /// An edge, registered as it is now.
    fn edge(&self, name: &str, gate: &str, listeners: Vec<SocketAddr>) -> Target {
        let gate = self.folder.path().join(gate);
        let target = Target { gate, listeners, ..builtin(self.folder.path(), name) };
        self.engine.store().put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
        target
    }

    /// One more site.
    fn site(&self, number: usize, edge: &str) {
        let (store, edge) = (self.engine.store(), edge.to_owned());
        let plan = store.plan_import(&[SiteRow { edge, ..row(number, &name(number)) }]).unwrap();
        store.apply_import(&plan, 1, "test").unwrap();
        self.engine.follow_store().unwrap();
    }

    fn plan(&self, incident: &str, sites: impl IntoIterator<Item = usize>) -> Plan {
        let ask = PlanAsk {
            incident: incident.into(),
            action: Action::Dark,
            part: None,
            reason: "as a precaution".into(),
            advisory_revision: Digest::default(),
            policy: Policy::signed(Digest([7; 32]), 5, 200).digest,
            proposer: "anna".into(),
            created: self.engine.now(),
        };
        let sites: Vec<GateKey> = sites.into_iter().map(|site| key(&name(site))).collect();
        self.engine.plan(ask, &sites).unwrap()
    }

    fn darken(&self, sites: impl IntoIterator<Item = usize>) {
        self.engine.execute(&self.plan(LOG4SHELL, sites), "anna").unwrap();
    }

    fn baselines(&self, person: &Person, plan: &Plan) -> usize {
        let policy = Policy::signed(Digest([7; 32]), 5, 200);
        self.engine.take_baselines(&policy, person, plan, 1).unwrap()
    }

    fn baseline(&self, incident: &str, site: usize) -> Option<u16> {
        let (id, site) = (incident, key(&name(site)));
        self.engine.with_ledger(|ledger| ledger.incident(id)?.case(&site)?.baseline)
    }
}

fn person(role: Role) -> Person {
    let grants = vec![Grant { role, scope: Scope::root() }];
    Person { name: "anna".into(), grants, means: Means::Passkey }
}

fn is_shut(target: &Target, site: usize) -> bool {
    target.gate.join("current").join(name(site)).exists()
}

/// Goal: a site that any listener shows lit is lit, at once and on the public page.
#[test]
fn a_site_that_one_listener_shows_lit_is_not_dark() {
    for other in ["200", "301"] {
        let edge = Shared::default();
        let ((_, first), (second, address)) = (answering(DARK), answering(DARK));
        let eyes = Listeners::new(vec![Prober::new(first), Prober::new(address)]);
        let mut edge_loop = EdgeLoop::new("east", Box::new(edge), Box::new(eyes), 7);
        let epoch = Epoch { term: 2, seq: 1 };
        let mut round = |now_ms, gate| {
            let target = ProbeTarget::site(key("a"), "a.example".into(), None);
            let (aliases, seen_dark) = (Vec::new(), gate == Gate::Proven);
            let want = Want { target, aliases, light: Light::Dark, gate, seen_dark };
            edge_loop.round(&[want], epoch, now_ms, &|_: &GateKey| false).entries
        };
        let begun = round(1_000, Gate::Requested);
        assert!(matches!(&begun[..], [Entry::Proved { light: Light::Dark, .. }]), "{begun:?}");
        *second.lock().unwrap() = other.to_owned();
        let next = round(1_000 + PROOF_RENEW_MS, Gate::Proven);
        let is_lit = matches!(&next[..], [Entry::Drifted { what, .. }] if what == "dark-not-seen");
        assert!(is_lit, "{other}: {next:?}");
    }
}

/// Goal: a listener that hangs makes no other site of its edge wait. Method: enough sites to look
/// at for the longest time, and an order meanwhile.
#[test]
fn an_order_during_a_look_at_a_listener_that_hangs_is_carried_out_at_once() {
    let bench = Bench::new(101);
    let edge = bench.edge("east", "gate", vec![silent()]);
    bench.darken(0..100);
    let drive = Drive::start(&bench.engine).unwrap();
    wait(&bench.engine, "the first gates", || is_shut(&edge, 99));
    let ordered = Instant::now();
    bench.darken([100]);
    wait(&bench.engine, "the gate of the order", || is_shut(&edge, 100));
    // To look at a hundred sites of a listener that is silent takes fifteen seconds.
    assert!(ordered.elapsed() < Duration::from_secs(8), "{:?}", ordered.elapsed());
    let ended = Instant::now();
    drop(drive);
    assert!(ended.elapsed() < Duration::from_secs(8), "the end waits for no look either");
}

/// Goal: an edge that is registered, or registered anew, while others run is driven as it is then.
/// Method: a new edge with a site, and then another gate for the old one.
#[test]
fn an_edge_that_comes_while_others_run_is_driven() {
    let bench = Bench::new(2);
    let old = bench.edge("east", "gate", Vec::new());
    let drive = Drive::start(&bench.engine).unwrap();
    bench.darken([0]);
    wait(&bench.engine, "the old edge", || is_shut(&old, 0));
    let west = bench.edge("west", "west", Vec::new());
    bench.site(2, "west");
    bench.darken([2]);
    wait(&bench.engine, "the new edge", || is_shut(&west, 2));
    let moved = bench.edge("east", "moved", Vec::new());
    wait(&bench.engine, "the other gate", || is_shut(&moved, 0));
    bench.darken([1]);
    wait(&bench.engine, "an order for it", || is_shut(&moved, 1));
    assert!(!is_shut(&old, 1), "nobody writes to the gate of before");
    drop(drive);
}

/// Goal: a site whose edge nobody drives is said to be exposed. Method: an order for it, and the
/// time in which an edge has to prove it.
#[test]
fn a_site_whose_edge_is_not_registered_fails() {
    let bench = Bench::new(1);
    bench.site(1, "north");
    let drive = Drive::start(&bench.engine).unwrap();
    bench.darken([1]);
    let site = key(&name(1));
    wait(&bench.engine, "what is exposed", || {
        bench.engine.phase(LOG4SHELL, &site) == Some(Phase::Failed)
    });
    drop(drive);
    let journal = bench.engine.store().journal(1).unwrap();
    assert!(journal.iter().any(|record| record.body.contains("\"no-edge\"")));
}

/// Goal: what counts as lit afterwards is what every listener gave, and what the site gave itself.
/// Method: a listener that leads to the other one, and a site that another incident holds dark.
#[test]
fn a_baseline_is_what_every_listener_gave_and_no_gate() {
    let bench = Bench::new(3);
    let (plain, secured) = (answering("301"), answering("200"));
    bench.edge("east", "gate", vec![plain.1, secured.1]);
    let chief = person(Role::Commander);
    assert_eq!(bench.baselines(&chief, &bench.plan(LOG4SHELL, [0])), 0, "not the same everywhere");
    *plain.0.lock().unwrap() = "204".to_owned();
    let plan = bench.plan(LOG4SHELL, [0]);
    assert_eq!(bench.baselines(&person(Role::Auditor), &plan), 0, "who may not propose it");
    assert_eq!(bench.engine.phase(LOG4SHELL, &key(&name(0))), None);
    assert_eq!(bench.baselines(&chief, &plan), 1);
    assert_eq!(bench.baseline(LOG4SHELL, 0), Some(2));
    bench.darken([0]);
    for answer in [&plain.0, &secured.0] {
        *answer.lock().unwrap() = DARK.to_owned();
    }
    bench.engine.open_incident("anna", RECURSION, "demo").unwrap();
    assert_eq!(bench.baselines(&chief, &bench.plan(RECURSION, [0])), 0, "it is our own page");
    // A journal of before has it all the same: then a success is what counts.
    let taken = |class| {
        let statuses = vec![Baseline { site: key(&name(0)), class }];
        bench.engine.record("anna", RECURSION, Entry::BaselineTaken { statuses }).unwrap();
        bench.engine.with_ledger(|ledger| {
            let sites = bench.engine.sites();
            let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
            wants(ledger, "east", site_of)[0].target.baseline
        })
    };
    assert_eq!(taken(5), None);
}

/// Goal: an order is journalled although edges hang. Method: three that accept and say nothing,
/// beside one that answers.
#[test]
fn an_order_waits_for_no_edge_that_hangs() {
    let bench = Bench::new(1);
    bench.edge("east", "gate", vec![answering("200").1]);
    for number in 1..4 {
        let edge = format!("hung-{number}");
        bench.edge(&edge, &edge, vec![silent(), silent()]);
        for site in 0..30 {
            bench.site(number * 100 + site, &edge);
        }
    }
    let sites = (1..4).flat_map(|edge| (0..30).map(move |site| edge * 100 + site));
    let plan = bench.plan(LOG4SHELL, sites.chain([0]));
    let begun = Instant::now();
    let blast = bench.engine.blast(&plan).unwrap();
    assert_eq!(blast.edges.len(), 4);
    assert_eq!(bench.baselines(&person(Role::Commander), &plan), 1);
    let policy = Policy::signed(Digest([7; 32]), 500, 500);
    let plan = Plan { policy: policy.digest, ..plan };
    bench.engine.propose(&policy, &person(Role::Commander), &plan).unwrap();
    // Ninety sites of six listeners, one after the other, would take a minute and a half.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}
