//! `kill -9` of the engine at a random moment of the demo's incident, on 40 sites.
//!
//! Goal: whatever the moment, a restart converges, no site is ever lit that the truth does not
//! allow, and the journal verifies. Method: the test runs origins and edge itself, so they outlive
//! the engine; a watcher reads the gate as fast as it can and compares every site that comes back
//! with what is really deployed; at the end every site is asked for through the edge.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use relight_engine::demo::{DemoSite, Obstacle, Province, release_of};
use relight_engine::edge::{GateSet, Stage, Target, holding_page};
use relight_engine::edges;
use relight_engine::store::Store;
use relight_model::Epoch;
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, EdgeProxyHandle, Route};
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};
use testkit::Rng;

use crate::place::visitor;

const SITES: usize = 40;

/// An incident on 40 sites has about twice as many journal entries; the moment of a kill is one of
/// them, so that it does not depend on how fast the machine is.
const ENTRIES: usize = 40;

/// Kills in one run; each restarted engine is killed at another moment.
const KILLS_MAX: usize = 3;

/// A restarted engine that is not done by then hangs.
const CONVERGE_MAX: Duration = Duration::from_secs(50);

macro_rules! seeds {
    ($($name:ident = $seed:literal),+ $(,)?) => {
        $(#[test]
        fn $name() {
            run($seed);
        })+
    };
}

seeds! {
    kill_seed_0 = 0, kill_seed_1 = 1, kill_seed_2 = 2, kill_seed_3 = 3, kill_seed_4 = 4,
    kill_seed_5 = 5, kill_seed_6 = 6, kill_seed_7 = 7, kill_seed_8 = 8, kill_seed_9 = 9,
}

/// `cargo xtask soak` asks for more; one seed besides the ten in the ordinary run.
#[test]
fn kill_as_often_as_asked() {
    let kills = env::var("RELIGHT_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for seed in 100..100 + kills {
        run(seed);
    }
}

/// What the test runs itself.
struct Harness {
    folder: tempfile::TempDir,
    province: Province,
    seed: u64,
    edge: EdgeProxyHandle,
    _origin: OriginHandle,
}

fn run(seed: u64) {
    println!("seed {seed}");
    let harness = Harness::new(seed);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| harness.watch(&done));
        let mut rng = Rng::new(seed);
        for _ in 0..KILLS_MAX {
            let moment = rng.below(ENTRIES);
            let killed = harness.kill_after(moment, Duration::from_micros(rng.next() % 5_000));
            println!("seed {seed}: killed after {moment} entries: {killed}");
            harness.store().verify_journal().unwrap().expect("the journal after a kill");
        }
        let status = harness.finish();
        done.store(true, Ordering::SeqCst);
        let unsafe_relights = watcher.join().unwrap();
        assert!(status, "seed {seed}: the restarted engine did not converge");
        assert_eq!(unsafe_relights, Vec::<String>::new(), "seed {seed}: lit on a guess");
    });
    harness.check_end();
}

impl Harness {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let province = Province::generate(SITES, seed);
        let root = folder.path();
        let sites = province.sites.iter();
        let names =
            sites.map(|site| OriginSite { host: site.host.clone(), name: site.slug.to_string() });
        let listen = "127.0.0.1:0".parse().unwrap();
        let origin = Origin::start(OriginConfig { listen, sites: names.collect() }).unwrap();
        let (gate, hold, acme) = (root.join("gate"), root.join("hold"), root.join("acme"));
        fs::create_dir_all(&acme).unwrap();
        holding_page::write(&hold, b"<p>closed</p>", b"{}").unwrap();
        let mut target = Target {
            name: "province".into(),
            kind: "builtin".into(),
            gate: gate.clone(),
            listeners: Vec::new(),
            verify: Some(root.join("verify.sock")),
            settings: Default::default(),
            members: Vec::new(),
        };
        let mut driver = relight_engine::edge::open(&target).unwrap();
        driver.apply(Epoch::default(), Stage::Durable, &GateSet::new()).unwrap();
        let edge = EdgeProxy::start(EdgeProxyConfig {
            listen: vec![listen],
            verify: target.verify.clone(),
            testers: None,
            gate,
            hold,
            acme,
            routes: province.sites.iter().map(|site| route(site, &origin)).collect(),
            limits: EdgeLimits::default(),
        })
        .unwrap();
        target.listeners = edge.addresses().to_vec();
        let harness = Self { folder, province, seed, edge, _origin: origin };
        assert!(harness.spawn(&["--prepare"]).wait().unwrap().success(), "prepare");
        let row = edges::to_row(&target).unwrap();
        harness.store().put_edge(&row, 0, "test").unwrap();
        harness
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("data")).unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "the test kills a real process")]
    fn spawn(&self, arguments: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_relight"))
            .args(["demo", "--quiet", "--sites", &SITES.to_string()])
            .args(["--seed", &self.seed.to_string(), "--folder"])
            .arg(self.folder.path())
            .args(arguments)
            .stdin(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Starts the engine and kills it once the journal has grown by so many entries, and a little
    /// later; false when the engine was done before.
    fn kill_after(&self, entries: usize, later: Duration) -> bool {
        let store = self.store();
        let before = store.journal(1).unwrap().len();
        let mut engine = self.spawn(&["--resume"]);
        let (_keep, never) = mpsc::channel::<()>();
        let deadline = Instant::now() + CONVERGE_MAX;
        while Instant::now() < deadline && store.journal(1).unwrap().len() < before + entries {
            if engine.try_wait().unwrap().is_some() {
                return false;
            }
            let _ = never.recv_timeout(Duration::from_micros(200));
        }
        wait_or_kill(&mut engine, later)
    }

    /// Lets a restarted engine go on to the end; false when it does not get there.
    fn finish(&self) -> bool {
        let mut engine = self.spawn(&["--resume"]);
        !wait_or_kill(&mut engine, CONVERGE_MAX) && engine.wait().unwrap().success()
    }

    fn tree(&self, site: &DemoSite) -> PathBuf {
        self.folder.path().join("sites").join(site.slug.as_str())
    }

    /// Reads the gate again and again; names every site that came back and should not have.
    fn watch(&self, done: &AtomicBool) -> Vec<String> {
        let current = self.folder.path().join("gate/current");
        let mut before = BTreeSet::new();
        let mut wrong = Vec::new();
        while !done.load(Ordering::SeqCst) {
            let Some(dark) = dark_keys(&current) else { continue };
            for slug in before.difference(&dark) {
                let site = self.province.sites.iter().find(|site| site.slug.as_str() == slug);
                wrong.extend(site.filter(|site| !self.may_be_lit(site)).map(|_| slug.clone()));
            }
            before = dark;
            thread::yield_now();
        }
        wrong
    }

    /// The truth: what is deployed has no affected version and can be read.
    fn may_be_lit(&self, site: &DemoSite) -> bool {
        let deployed = release_of(&self.tree(site));
        let safe = deployed.is_ok_and(|(deployment, _)| !deployment.is_vulnerable(site));
        safe && site.obstacle != Obstacle::EncryptedForGood
    }

    /// Every site is asked for through the edge, and the journal is verified.
    fn check_end(&self) {
        let seed = self.seed;
        let mut client = visitor(self.edge.addresses()[0]);
        for site in &self.province.sites {
            let status = client.get(&site.host, "/").unwrap().status;
            let expected = match site.obstacle {
                Obstacle::EncryptedForGood => 503,
                _ => 200,
            };
            assert_eq!(status, expected, "seed {seed}: {}", site.slug);
        }
        let verified = self.store().verify_journal().unwrap().expect("the journal at the end");
        assert!(verified.entries > 0);
    }
}

fn route(site: &DemoSite, origin: &OriginHandle) -> Route {
    Route {
        key: site.slug.clone(),
        host: site.host.clone(),
        aliases: Vec::new(),
        parts: Vec::new(),
        upstream: origin.address(),
    }
}

/// The names in the gate; `None` while its generation is being changed.
fn dark_keys(current: &Path) -> Option<BTreeSet<String>> {
    // The link is read before and after: a generation that was removed meanwhile says nothing.
    let before = fs::read_link(current).ok()?;
    let names: Result<BTreeSet<String>, _> = fs::read_dir(current)
        .ok()?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect();
    (fs::read_link(current).ok()? == before).then_some(names.ok()?)
}

/// Waits for the end of a process at most so long, then kills it; true when it was killed.
fn wait_or_kill(child: &mut Child, at_most: Duration) -> bool {
    let deadline = Instant::now() + at_most;
    let (_keep, never) = mpsc::channel::<()>();
    while Instant::now() < deadline {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        // A channel on which nothing comes is a timer.
        let _ = never.recv_timeout(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}
