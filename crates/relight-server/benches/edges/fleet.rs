//! Forty edges of five kinds on loopback, each a real process with a folder and a port of its own.

use std::io::{BufRead as _, Read as _, Write as _, stdin};
use std::net::SocketAddr;
use std::ops::Range;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use relight_engine::edge::config::CANARY_HOST;
use relight_engine::edge::exec::{self, Running};
use relight_engine::edge::http::Client;
use relight_engine::edge::{Prober, Target, holding_page};
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, Route};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::origin::Origin;
use crate::rig::{self, Kind, edge_config, host, key, prepare, start_program};

/// How many edges there are of each kind.
pub(crate) const KINDS: [(&str, usize); 5] =
    [("nginx", 10), ("haproxy", 10), ("apache", 8), ("caddy", 8), (BUILTIN, 4)];
pub(crate) const EDGES: usize = 40;
pub(crate) const SITES_OF_EDGE: usize = 100;
pub(crate) const BUILTIN: &str = "builtin";
/// Programs that are started at the same time.
const STARTERS: usize = 4;
/// Longest wait for a built-in edge to answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// All of them. They end with it.
pub(crate) struct Fleet {
    /// Goes first: once the others are gone, their numbers may be somebody else's.
    _keeper: Own,
    pub(crate) edges: Vec<Edge>,
}

impl Fleet {
    pub(crate) fn start(folder: &Path, origin: &Origin) -> Self {
        let (next, started) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let keeper = Mutex::new(Own::start(&["keeper"]));
        let start_some = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= EDGES {
                    break;
                }
                let edge = Edge::start(folder, number, origin);
                if let Program::Proxy(running) = &edge.program {
                    keeper.lock().unwrap().tell(running.id());
                }
                started.lock().unwrap().push(edge);
            }
        };
        thread::scope(|scope| (0..STARTERS).for_each(|_| drop(scope.spawn(start_some))));
        let (_keeper, mut edges) = (keeper.into_inner().unwrap(), started.into_inner().unwrap());
        edges.sort_by_key(|edge: &Edge| edge.sites.start);
        Self { _keeper, edges }
    }

    pub(crate) fn targets(&self) -> Vec<Target> {
        self.edges.iter().map(|edge| edge.target.clone()).collect()
    }
}

/// One edge and its program, which ends with it.
pub(crate) struct Edge {
    pub(crate) kind: &'static str,
    pub(crate) target: Target,
    /// Numbers of its sites.
    pub(crate) sites: Range<usize>,
    program: Program,
}

/// A proxy, or this program again as a built-in edge.
enum Program {
    Proxy(Running),
    Builtin { _own: Own },
}

impl Edge {
    fn start(folder: &Path, number: usize, origin: &Origin) -> Self {
        let kind = kind_of(number);
        let (first, name) = (number * SITES_OF_EDGE, format!("{kind}-{number}"));
        let (sites, folder) = (first..first + SITES_OF_EDGE, folder.join(&name));
        holding_page::write(&folder.join("hold"), b"<p>hors ligne / offline", b"{}").unwrap();
        let Some(proxy) = Kind::ALL.into_iter().find(|it| it.name() == kind) else {
            let listener = exec::free_address().unwrap();
            let target = builtin_target(name, &folder, listener);
            prepare(&target);
            let words = [&*folder.to_string_lossy(), &first.to_string(), &listener.to_string()];
            let own = start_builtin(words, listener, origin.address);
            return Self { kind, target, sites, program: Program::Builtin { _own: own } };
        };
        let config = edge_config(&folder, proxy, sites.clone(), origin);
        let target = rig::target(&name, proxy, &config);
        fs::create_dir_all(&config.folder).unwrap();
        prepare(&target);
        let program = Program::Proxy(start_program(proxy, &config, |text| text));
        Self { kind, target, sites, program }
    }

    pub(crate) fn prober(&self) -> Prober {
        Prober::new(self.target.listeners[0])
    }
}

/// Those of one kind have numbers that follow each other.
fn kind_of(number: usize) -> &'static str {
    let mut end = 0;
    let mut kinds = KINDS.iter();
    let kind = kinds.find(|(_, count)| {
        end += count;
        number < end
    });
    kind.unwrap().0
}

fn builtin_target(name: String, folder: &Path, listener: SocketAddr) -> Target {
    Target {
        name,
        kind: BUILTIN.to_owned(),
        gate: folder.join("gate"),
        listeners: vec![listener],
        verify: Some(folder.join("verify.sock")),
        settings: [].into(),
        members: Vec::new(),
    }
}

fn start_builtin([folder, first, listen]: [&str; 3], edge: SocketAddr, origin: SocketAddr) -> Own {
    let mut own = Own::start(&[BUILTIN, folder, first, listen, &origin.to_string()]);
    let deadline = Instant::now() + ANSWER_MAX;
    let answers = || Client::connect(edge)?.get(CANARY_HOST, "/");
    while answers().is_err() {
        let ended = own.0.try_wait().unwrap();
        assert!(ended.is_none(), "the built-in edge at {edge} ended with {ended:?}");
        assert!(Instant::now() < deadline, "the built-in edge at {edge} does not answer");
        thread::park_timeout(Duration::from_millis(5));
    }
    own
}

/// `builtin FOLDER FIRST LISTENER ORIGIN`: a built-in edge until the input ends, which it does with
/// the process that started it.
pub(crate) fn builtin(words: &[String]) {
    let [folder, first, listener, origin] = words else { return };
    let (folder, first): (_, usize) = (Path::new(folder), first.parse().unwrap());
    let (listener, upstream) = (listener.parse().unwrap(), origin.parse().unwrap());
    let listen = rig::listen(listener);
    fs::create_dir_all(folder.join("acme")).unwrap();
    let route = |number| Route {
        key: key(number),
        host: host(number),
        aliases: rig::aliases(number),
        parts: Vec::new(),
        upstream,
    };
    let edge = EdgeProxy::start(EdgeProxyConfig {
        listen,
        verify: Some(folder.join("verify.sock")),
        testers: None,
        gate: folder.join("gate"),
        hold: folder.join("hold"),
        acme: folder.join("acme"),
        routes: (first..first + SITES_OF_EDGE).map(route).collect(),
        limits: EdgeLimits::default(),
    });
    let edge = edge.unwrap();
    drop(stdin().read_to_end(&mut Vec::new()));
    edge.stop();
}

/// `keeper`: hears of groups of processes, and ends them when its input ends, which it does when
/// the benchmark is killed: one that ends by itself ends them, and this one before.
pub(crate) fn keep() {
    let groups: Vec<String> = stdin().lock().lines().map_while(Result::ok).collect();
    for group in groups.iter().filter_map(|line| Pid::from_raw(line.parse().ok()?)) {
        // It may be gone already, which is what is wanted.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// This program again, as something else; killed when it is dropped.
struct Own(Child);

impl Own {
    /// In a group of its own: whoever ends the benchmark by its group leaves this one alone.
    fn start(words: &[&str]) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the benchmark starts itself")]
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(words).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn tell(&mut self, group: u32) {
        let input = self.0.stdin.as_mut().unwrap();
        writeln!(input, "{group}").unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
