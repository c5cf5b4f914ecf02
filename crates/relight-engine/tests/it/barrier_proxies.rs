//! The second barrier on real proxies: an nginx behind each of them.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::config::{self, EdgeConfig, SOCKET};
use relight_engine::edge::{ProbeTarget, Prober};
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, EdgeLoop, Listeners, Want};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::origin::STARTED;
use crate::rig::{Kind, Rig, host, key};

const SITES: usize = 3;
/// Longer than a barrier takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// Two proxies in a row, and the loop over the one that visitors reach.
struct Chain {
    front: Rig,
    wall: Rig,
    edge_loop: EdgeLoop,
    now_ms: i64,
    _folder: tempfile::TempDir,
}

impl Chain {
    fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut wall = Rig::start(&folder.path().join("wall"), Kind::Nginx, SITES);
        wall.target.name = "wall".to_owned();
        let mut front = Rig::start(&folder.path().join("front"), kind, SITES);
        for site in &mut front.config.sites {
            site.upstream = wall.listener();
        }
        front.start_edge(|text| text);
        let edge_loop = edge_loop(&front, &wall, 7);
        Self { front, wall, edge_loop, now_ms: 1_000_000, _folder: folder }
    }

    /// A round and the look at the barrier after it; what the journal is told.
    fn round(&mut self, ms: i64, wants: &[(usize, Light, Gate)]) -> Vec<Entry> {
        self.now_ms += ms;
        let want = |&(site, light, gate): &(usize, Light, Gate)| {
            let target = ProbeTarget::site(key(site), host(site), Some(2));
            Want { target, aliases: Vec::new(), light, gate, seen_dark: false }
        };
        let wants: Vec<Want> = wants.iter().map(want).collect();
        let (epoch, permits, now_ms) = (Epoch { term: 2, seq: 1 }, |_: &GateKey| true, self.now_ms);
        let round = self.edge_loop.round(&wants, epoch, now_ms, &permits);
        let barred = self.edge_loop.tend_barrier(&wants, epoch, now_ms, &permits, &round);
        round.entries.into_iter().chain(barred).collect()
    }

    /// Rounds until something is proven: a connection that was open when somebody loaded another
    /// configuration may be answered by the old one for a moment.
    fn prove(&mut self, wants: &[(usize, Light, Gate)], light: Light) -> Vec<Entry> {
        let (begun, mut entries) = (Instant::now(), self.round(1_000, wants));
        while proved(&entries, light).is_empty() && begun.elapsed() < PATIENT {
            entries.extend(self.round(20, wants));
            thread::yield_now();
        }
        entries
    }

    /// The status that a visitor gets, and whether the origin was reached.
    fn visit(&self, site: usize) -> (u16, bool) {
        let counts = self.wall.counts();
        let before = counts.sum(site..site + 1);
        let visited = self.front.visitor().request("GET", &host(site), "/", &[(STARTED, "1")]);
        (visited.unwrap().status, counts.sum(site..site + 1) > before)
    }

    /// The front stops doing as it is told: nginx and Apache read another gate and say yes to
    /// everything, the socket of HAProxy is gone, somebody loads a Caddy without our gate.
    fn break_front(&mut self) {
        let gate = self.front.folder.join("elsewhere");
        fs::create_dir(&gate).unwrap();
        fs::write(gate.join("dark.txt"), "").unwrap();
        match self.front.kind {
            Kind::Haproxy => {
                fs::rename(self.socket(), self.socket().with_extension("away")).unwrap()
            }
            Kind::Caddy => self.load(&EdgeConfig { gate, ..self.front.config.clone() }),
            Kind::Nginx | Kind::Apache => {
                let ours = std::mem::replace(&mut self.front.config.gate, gate);
                self.front.start_edge(|text| text);
                self.front.config.gate = ours;
            }
        }
    }

    fn mend_front(&mut self) {
        match self.front.kind {
            Kind::Haproxy => {
                fs::rename(self.socket().with_extension("away"), self.socket()).unwrap()
            }
            Kind::Caddy => self.load(&self.front.config),
            Kind::Nginx | Kind::Apache => self.front.start_edge(|text| text),
        }
    }

    fn load(&self, config: &EdgeConfig) {
        let running = self.front.running.as_ref().unwrap();
        running.load(config::caddy(config).unwrap().as_bytes()).unwrap();
    }

    fn socket(&self) -> PathBuf {
        self.front.config.folder.join(SOCKET)
    }

    fn held_by_the_wall(&self) -> Vec<usize> {
        let mut driver = relight_engine::edge::open(&self.wall.target).unwrap();
        let views = driver.observe(&(0..SITES).map(key).collect::<Vec<_>>()).unwrap();
        (0..SITES).filter(|site| views[*site].runtime == Seen::Dark).collect()
    }
}

fn edge_loop(front: &Rig, wall: &Rig, nonce: u64) -> EdgeLoop {
    let driver = relight_engine::edge::open(&front.target).unwrap();
    let eyes = Listeners::new(vec![Prober::new(front.listener())]);
    let mut edge_loop = EdgeLoop::new("north", driver, Box::new(eyes), nonce);
    let barrier = relight_engine::edge::open(&wall.target).unwrap();
    edge_loop.set_barrier("wall", barrier, Default::default(), PATIENT).unwrap();
    edge_loop
}

fn proved(entries: &[Entry], wanted: Light) -> Vec<GateKey> {
    let sites = entries.iter().filter_map(|entry| match entry {
        Entry::Proved { sites, light, .. } if *light == wanted => Some(sites.clone()),
        _ => None,
    });
    sites.flatten().collect()
}

fn barred(entries: &[Entry]) -> Option<(&[GateKey], &str)> {
    entries.iter().find_map(|entry| match entry {
        Entry::Barred { sites, why, .. } => Some((sites.as_slice(), why.as_str())),
        _ => None,
    })
}

/// Goal: what the front cannot darken reaches no origin once the barrier is closed, counts as
/// exposed all the same, survives a controller that knows nothing, and opens again when the front
/// does as it is told. Method: visitors through both proxies; the log of the origin.
fn closes_and_opens(kind: Kind) {
    let mut chain = Chain::new(kind);
    assert_eq!((chain.visit(0), chain.visit(1)), ((200, true), (200, true)));
    chain.break_front();
    let requested = [(0, Light::Dark, Gate::Requested)];
    assert_eq!(barred(&chain.round(0, &requested)), None, "{kind:?}: there is time yet");
    assert_eq!(chain.visit(0), (200, true), "{kind:?}: nothing holds it");
    let entries = chain.round(DARK_PROOF_MAX_MS, &requested);
    assert_eq!(barred(&entries), Some((&[key(0)][..], "")), "{kind:?}: {entries:?}");
    let failed = [(0, Light::Dark, Gate::Failed)];
    assert_eq!(chain.visit(0), (503, false), "{kind:?}: the barrier holds it");
    assert_eq!(chain.visit(1), (200, true), "{kind:?}: and nothing else");
    let entries = chain.round(1_000, &failed);
    assert_eq!(proved(&entries, Light::Dark), [], "{kind:?}: a barrier proves nothing");
    // Another controller, which was told nothing.
    chain.edge_loop = edge_loop(&chain.front, &chain.wall, 8);
    chain.round(1_000, &failed);
    assert_eq!(chain.held_by_the_wall(), [0], "{kind:?}");
    chain.mend_front();
    let entries = chain.prove(&failed, Light::Dark);
    assert_eq!(proved(&entries, Light::Dark), [key(0)], "{kind:?}: {entries:?}");
    assert_eq!(chain.held_by_the_wall(), [] as [usize; 0], "{kind:?}: the front holds it");
    assert_eq!(chain.visit(0), (503, false), "{kind:?}");
    let entries = chain.prove(&[(0, Light::Lit, Gate::Proven)], Light::Lit);
    assert_eq!(proved(&entries, Light::Lit), [key(0)], "{kind:?}: {entries:?}");
    assert_eq!(chain.visit(0), (200, true), "{kind:?}");
}

#[test]
fn an_nginx_behind_nginx_holds_what_the_first_cannot() {
    closes_and_opens(Kind::Nginx);
}

#[test]
fn an_nginx_behind_haproxy_holds_what_that_cannot() {
    closes_and_opens(Kind::Haproxy);
}

#[test]
fn an_nginx_behind_apache_holds_what_that_cannot() {
    closes_and_opens(Kind::Apache);
}

#[test]
fn an_nginx_behind_caddy_holds_what_somebody_loads_without_our_gate() {
    closes_and_opens(Kind::Caddy);
}
