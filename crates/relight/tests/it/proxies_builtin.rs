//! Whole incidents on the built-in edge, alone and with a second one behind it: the soak of the
//! engine says what happens to them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use std::{fs, thread};

use relight_engine::edge::{Stage, Target, holding_page};
use relight_engine::reconcile::BARRIER;
use relight_model::Epoch;
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, EdgeProxyHandle, Route};

use crate::origin::{Counts, Origin};
use crate::soak::{FRONT, PATIENT, SITES, Stand, WALL, host, key, soak};

/// A built-in edge that can be started again.
struct BuiltIn {
    target: Target,
    config: EdgeProxyConfig,
    elsewhere: PathBuf,
    counts: Arc<Counts>,
    running: Option<EdgeProxyHandle>,
}

impl BuiltIn {
    /// An edge of this name in front of what listens there, and what reaches the origin behind it.
    fn raise(folder: &Path, name: &str, upstream: SocketAddr, counts: &Arc<Counts>) -> Self {
        let root = folder.join(name);
        let [gate, hold, acme] = ["gate", "hold", "acme"].map(|name| root.join(name));
        fs::create_dir_all(&acme).unwrap();
        holding_page::write(&hold, b"<p>closed</p>", b"{}").unwrap();
        let verify = Some(root.join("verify.sock"));
        let route = |site: usize| Route {
            key: key(site),
            host: host(site),
            aliases: Vec::new(),
            parts: Vec::new(),
            upstream,
        };
        let mut edge = Self {
            target: Target {
                name: name.to_owned(),
                kind: "builtin".to_owned(),
                gate: gate.clone(),
                listeners: Vec::new(),
                verify: verify.clone(),
                settings: Default::default(),
                members: Vec::new(),
            },
            config: EdgeProxyConfig {
                listen: vec!["127.0.0.1:0".parse().unwrap()],
                verify,
                testers: None,
                gate,
                hold,
                acme,
                routes: (0..SITES).map(route).collect(),
                limits: EdgeLimits::default(),
            },
            elsewhere: root.join("elsewhere"),
            counts: Arc::clone(counts),
            running: None,
        };
        let mut driver = relight_engine::edge::open(&edge.target).unwrap();
        driver.apply(Epoch::default(), Stage::Durable, &Default::default()).unwrap();
        edge.start(true);
        edge
    }
}

impl Stand for BuiltIn {
    fn target(&self) -> &Target {
        &self.target
    }

    fn listener(&self) -> SocketAddr {
        self.config.listen[0]
    }

    fn counts(&self) -> &Counts {
        &self.counts
    }

    fn is_up(&self) -> bool {
        self.running.is_some()
    }

    /// It reads its gate at each request, and has nothing else to read again.
    fn reload(&mut self) {}

    fn kill(&mut self) {
        self.running = None;
    }

    fn start(&mut self, is_ours: bool) {
        let mut config = self.config.clone();
        if !is_ours {
            fs::create_dir_all(self.elsewhere.join("current")).unwrap();
            config.gate.clone_from(&self.elsewhere);
        }
        let running = started(&config);
        self.config.listen = running.addresses().to_vec();
        self.target.listeners.clone_from(&self.config.listen);
        self.running = Some(running);
    }
}

/// One that was killed a moment ago may still be about to let go of its address.
fn started(config: &EdgeProxyConfig) -> EdgeProxyHandle {
    let deadline = Instant::now() + PATIENT;
    loop {
        match EdgeProxy::start(config.clone()) {
            Err(_) if Instant::now() < deadline => thread::yield_now(),
            result => return result.unwrap(),
        }
    }
}

fn one(folder: &Path) -> (BuiltIn, Option<BuiltIn>) {
    let origin = Origin::start(SITES);
    (BuiltIn::raise(folder, FRONT, origin.address, &origin.counts), None)
}

fn two(folder: &Path) -> (BuiltIn, Option<BuiltIn>) {
    let origin = Origin::start(SITES);
    let wall = BuiltIn::raise(folder, WALL, origin.address, &origin.counts);
    let mut front = BuiltIn::raise(folder, FRONT, wall.listener(), &origin.counts);
    front.target.settings.insert(BARRIER.to_owned(), WALL.to_owned());
    (front, Some(wall))
}

#[test]
fn proxies_builtin_whole_incidents_from_one_seed_each() {
    soak("built-in", one);
}

#[test]
fn proxies_builtin_with_a_second_barrier_whole_incidents_from_one_seed_each() {
    soak("built-in behind built-in", two);
}
