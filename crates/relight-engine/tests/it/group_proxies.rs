//! Two proxies in front of the same sites, as one edge: an nginx and a HAProxy.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::config::{MAP_FILE, SOCKET};
use relight_engine::edge::{EdgeErrorKind, GROUP, MEMBERS, ProbeTarget, Stage, Target};
use relight_engine::edges::{from_rows, open_loop, to_row};
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, EdgeLoop, Round, Want};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::origin::STARTED;
use crate::rig::{Kind, Rig, host, key};

const SITES: usize = 3;
const DARK: [(usize, Light, Gate); 1] = [(0, Light::Dark, Gate::Requested)];
const PROVEN: [(usize, Light, Gate); 1] = [(0, Light::Dark, Gate::Proven)];
const OPENING: [(usize, Light, Gate); 1] = [(0, Light::Lit, Gate::Proven)];
/// Longer than anything takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// Both, and the loop over them.
struct Pair {
    nginx: Rig,
    haproxy: Rig,
    target: Target,
    edge_loop: EdgeLoop,
    epoch: Epoch,
    now_ms: i64,
    _folder: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let rig = |name: &str, kind| {
            let mut rig = Rig::start(&folder.path().join(name), kind, SITES);
            rig.target.name = name.to_owned();
            rig
        };
        let (nginx, haproxy) = (rig("a", Kind::Nginx), rig("b", Kind::Haproxy));
        let front = Target {
            name: "front".to_owned(),
            kind: GROUP.to_owned(),
            gate: "".into(),
            listeners: Vec::new(),
            verify: None,
            settings: [(MEMBERS.to_owned(), "a b".to_owned())].into(),
            members: Vec::new(),
        };
        // As the register has them.
        let rows = [&front, &nginx.target, &haproxy.target].map(|it| to_row(it).unwrap());
        let target = from_rows(&rows).unwrap().remove(0);
        let edge_loop = open_loop(&target, 7).unwrap();
        let epoch = Epoch { term: 2, seq: 1 };
        Self { nginx, haproxy, target, edge_loop, epoch, now_ms: 1_000_000, _folder: folder }
    }

    fn round(&mut self, ms: i64, wants: &[(usize, Light, Gate)]) -> Round {
        self.now_ms += ms;
        let want = |&(site, light, gate): &(usize, Light, Gate)| {
            let target = ProbeTarget::site(key(site), host(site), Some(2));
            Want { target, aliases: Vec::new(), light, gate, seen_dark: false }
        };
        let wants: Vec<Want> = wants.iter().map(want).collect();
        let permits = |_: &GateKey| true;
        self.edge_loop.round(&wants, self.epoch, self.now_ms, &permits)
    }

    /// Rounds until this light is proven; what was told on the way.
    fn prove(&mut self, wants: &[(usize, Light, Gate)], light: Light) -> Vec<Entry> {
        let (begun, mut entries) = (Instant::now(), Vec::new());
        while !is_proven(&entries, light) {
            assert!(begun.elapsed() < PATIENT, "{light:?} is not proven: {entries:?}");
            entries.extend(self.round(20, wants).entries);
            thread::yield_now();
        }
        entries
    }

    /// What a visitor gets at each, and whether an origin was reached.
    fn visit(&self, site: usize) -> [(u16, bool); 2] {
        [visit(&self.nginx, site), visit(&self.haproxy, site)]
    }

    /// Somebody opens the gate of the first site at one of them, behind our back.
    fn undo(&self, kind: Kind) {
        if kind == Kind::Nginx {
            let file = self.nginx.config.gate.join("current").join(key(0).as_str());
            return fs::remove_file(file).unwrap();
        }
        let folder = &self.haproxy.config.folder;
        let command = format!("del map {} {}\n", folder.join(MAP_FILE).display(), key(0));
        say(&folder.join(SOCKET), &command);
    }
}

fn say(socket: &std::path::Path, command: &str) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.write_all(command.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert_eq!(reply.trim(), "");
}

fn visit(rig: &Rig, site: usize) -> (u16, bool) {
    let before = rig.counts().sum(site..site + 1);
    let visited = rig.visitor().request("GET", &host(site), "/", &[(STARTED, "1")]);
    (visited.unwrap().status, rig.counts().sum(site..site + 1) > before)
}

fn is_proven(entries: &[Entry], wanted: Light) -> bool {
    let is = |entry: &Entry| matches!(entry, Entry::Proved { light, .. } if *light == wanted);
    entries.iter().any(is)
}

const LIT: [(u16, bool); 2] = [(200, true); 2];
const SHUT: [(u16, bool); 2] = [(503, false); 2];

#[test]
fn an_order_darkens_both_and_a_relight_is_proven_on_both() {
    let mut pair = Pair::new();
    assert_eq!(pair.visit(0), LIT);
    pair.prove(&DARK, Light::Dark);
    assert_eq!((pair.visit(0), pair.visit(1)), (SHUT, LIT));
    // HAProxy goes away for a while: nginx alone is no light.
    pair.haproxy.running = None;
    for _ in 0..3 {
        assert!(!is_proven(&pair.round(50, &OPENING).entries, Light::Lit));
    }
    pair.haproxy.start_edge(|text| text);
    pair.prove(&OPENING, Light::Lit);
    assert_eq!(pair.visit(0), LIT);
}

#[test]
fn one_that_is_down_is_exposed_and_keeps_the_other_from_nothing() {
    let mut pair = Pair::new();
    pair.haproxy.running = None;
    let round = pair.round(0, &DARK);
    assert!(round.error.is_some() && !is_proven(&round.entries, Light::Dark));
    assert_eq!(visit(&pair.nginx, 0), (503, false), "closed with the first round");
    let round = pair.round(DARK_PROOF_MAX_MS, &DARK);
    let failed = |entry: &Entry| match entry {
        Entry::EdgeFailed { sites, edge, why } => {
            *sites == [key(0)] && edge == "front" && why == "unreachable"
        }
        _ => false,
    };
    assert!(round.entries.iter().any(failed), "{:?}", round.entries);
    pair.haproxy.start_edge(|text| text);
    assert_eq!(visit(&pair.haproxy, 0), (503, false), "its map file was written meanwhile");
    pair.prove(&[(0, Light::Dark, Gate::Failed)], Light::Dark);
    assert_eq!(pair.visit(0), SHUT);
}

#[test]
fn what_somebody_opens_at_one_of_them_is_seen_and_closed_again() {
    for kind in [Kind::Nginx, Kind::Haproxy] {
        let mut pair = Pair::new();
        pair.prove(&DARK, Light::Dark);
        pair.undo(kind);
        let open = pair.visit(0).iter().filter(|visited| **visited == (200, true)).count();
        assert_eq!(open, 1, "{kind:?}");
        let entries = pair.prove(&PROVEN, Light::Dark);
        let is_undone = |entry: &Entry| match entry {
            Entry::Drifted { what, .. } => what == "gate-undone",
            _ => false,
        };
        assert!(entries.iter().any(is_undone), "{kind:?}: {entries:?}");
        assert_eq!(pair.visit(0), SHUT, "{kind:?}");
    }
}

/// Two processes of relight: the older one, of before a takeover, writes to neither, also where
/// only one of them has seen the newer.
#[test]
fn an_older_controller_overwrites_neither() {
    let mut pair = Pair::new();
    let newer = pair.epoch;
    let mut older = open_loop(&pair.target, 9).unwrap();
    pair.prove(&DARK, Light::Dark);
    let mut refused = |pair: &mut Pair, seen: &str| {
        std::mem::swap(&mut pair.edge_loop, &mut older);
        pair.epoch = Epoch { term: 1, seq: 900 };
        let round = pair.round(0, &OPENING);
        assert_eq!(round.error.map(|error| error.kind), Some(EdgeErrorKind::Fenced), "{seen}");
        assert!(!is_proven(&round.entries, Light::Lit), "{seen}");
        std::mem::swap(&mut pair.edge_loop, &mut older);
        pair.epoch = newer;
    };
    refused(&mut pair, "both have seen the newer");
    assert_eq!(pair.visit(0), SHUT);
    // A newer one that only nginx has seen yet.
    let mut alone = relight_engine::edge::open(&pair.nginx.target).unwrap();
    alone.apply(Epoch { term: 3, seq: 1 }, Stage::Durable, &[key(0)].into()).unwrap();
    pair.epoch = Epoch { term: 2, seq: 2 };
    let round = pair.round(0, &OPENING);
    assert_eq!(round.error.map(|error| error.kind), Some(EdgeErrorKind::Fenced));
    assert_eq!(pair.visit(0), SHUT);
    let mut haproxy = relight_engine::edge::open(&pair.haproxy.target).unwrap();
    assert_eq!(haproxy.observe(&[key(0)]).unwrap()[0].runtime, Seen::Dark);
}
