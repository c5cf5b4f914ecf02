//! An edge with two kinds of sites in front of two origins, its driver and its prober.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use relight_edge::config::{self, EdgeConfig, SiteRoute};
use relight_edge::exec::{self, Running};
use relight_edge::http::Client;
use relight_edge::{
    EdgeDriver, EdgeError, GateSet, GateView, ProbeResult, ProbeTarget, Prober, Stage, Target,
};
use relight_model::{Epoch, GateKey, Seen};

use super::Origin;

/// Which program the edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
    Apache,
    Caddy,
    /// nginx, behind a program that changes its gate.
    Command,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Nginx, Self::Haproxy, Self::Apache, Self::Caddy, Self::Command];

    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx_file",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Command => "command",
        }
    }
}

/// Probes after one that an edge did not answer.
const ASKED_AGAIN_MAX: usize = 3;

pub(crate) struct Rig {
    pub(crate) kind: Kind,
    pub(crate) config: EdgeConfig,
    pub(crate) target: Target,
    pub(crate) driver: Box<dyn EdgeDriver>,
    pub(crate) prober: Prober,
    /// None after a crash.
    pub(crate) running: Option<Running>,
    /// Behind every site with an even number; the next one behind the others.
    pub(crate) origins: [Origin; 2],
    /// What somebody makes of the configuration that we print.
    spoil: fn(String) -> String,
    nonce: u64,
    folder: tempfile::TempDir,
}

impl Rig {
    /// An edge with this many sites `site-<n>`, all lit; in memory where there is a folder for it,
    /// because on a busy disk each fsync waits for everybody else's.
    pub(crate) fn start(kind: Kind, sites: usize) -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self::start_in(folder.unwrap(), kind, sites)
    }

    /// The same in a folder of the caller's choice.
    pub(crate) fn start_in(folder: tempfile::TempDir, kind: Kind, sites: usize) -> Self {
        let path = folder.path().to_owned();
        let origins = [Origin::start(), Origin::start()];
        let listener = exec::free_address().unwrap();
        // Workers of Apache are an ordinary user.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let config = edge_config(kind, &path, listener, sites, &origins);
        relight_edge::holding_page::write(&config.hold, b"<p>hors ligne / offline", b"{}").unwrap();
        let target = target(kind, &config, listener);
        let driver = relight_edge::open(&target).unwrap();
        let prober = Prober::new(listener);
        let running = None;
        let (spoil, nonce) = (std::convert::identity, 0);
        let mut rig =
            Self { kind, config, target, driver, prober, running, origins, spoil, nonce, folder };
        rig.start_edge();
        rig
    }

    /// Starts it again with another configuration.
    pub(crate) fn restart_with(&mut self, change: impl FnOnce(&mut EdgeConfig)) {
        self.running = None;
        change(&mut self.config);
        self.start_edge();
    }

    /// Starts it again with another text of its configuration.
    pub(crate) fn restart_spoiled(&mut self, spoil: fn(String) -> String) {
        self.running = None;
        self.spoil = spoil;
        self.start_edge();
    }

    /// Tells the driver where the origins are.
    pub(crate) fn name_origins(&mut self) {
        let path = self.path().join("origins");
        let line = |site: &SiteRoute| format!("{} {}\n", site.key, site.upstream);
        let lines: String = self.config.sites.iter().map(line).collect();
        fs::write(&path, lines).unwrap();
        self.target.settings.insert("origins".to_owned(), path.display().to_string());
        self.driver = relight_edge::open(&self.target).unwrap();
    }

    /// Starts the program; a missing one fails with the package to install.
    pub(crate) fn start_edge(&mut self) {
        // Caddy takes its time over thousands of sites on a busy machine.
        let wait = Duration::from_secs(90);
        let folder = &self.config.folder;
        // Whether it is there is asked in plain text.
        let secured = self.config.tls.iter().flat_map(|tls| &tls.listeners).collect::<Vec<_>>();
        let plain = self.config.listen.iter().filter(|address| !secured.contains(address));
        let listeners = &plain.copied().collect::<Vec<_>>();
        let running = match self.kind {
            Kind::Nginx | Kind::Command => {
                let text = (self.spoil)(config::nginx(&self.config).unwrap());
                exec::start_nginx(folder, &text, listeners, wait)
            }
            Kind::Apache => {
                let mut files = config::apache(&self.config).unwrap();
                files.config = (self.spoil)(files.config);
                exec::start_apache(folder, &files, listeners, wait)
            }
            Kind::Caddy => {
                let text = (self.spoil)(config::caddy(&self.config).unwrap());
                exec::start_caddy(folder, (&text, &self.config.verify), listeners, wait)
            }
            Kind::Haproxy => {
                let mut files = config::haproxy(&self.config).unwrap();
                files.config = (self.spoil)(files.config);
                exec::start_haproxy(folder, &files, listeners, wait)
            }
        };
        self.running = Some(running.unwrap_or_else(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            panic!("{error}: {}", cause.unwrap_or_default())
        }));
    }

    /// One command of somebody else on HAProxy's runtime API.
    pub(crate) fn admin(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.config.folder.join(config::SOCKET)).unwrap();
        stream.write_all(command.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut reply = String::new();
        // An overlong payload ends in a reset.
        let _ = stream.read_to_string(&mut reply);
        reply
    }

    /// A person who closes one gate by hand and opens another, behind our back.
    pub(crate) fn edit(&self, closed: usize, opened: usize) {
        let (closed, opened) = (key(closed), key(opened));
        match self.kind {
            Kind::Nginx | Kind::Caddy | Kind::Command => {
                let current = self.config.gate.join("current");
                fs::write(current.join(closed.as_str()), "").unwrap();
                let _ = fs::remove_file(current.join(opened.as_str()));
            }
            Kind::Haproxy => {
                let map = self.map_file().display().to_string();
                self.admin(&format!("add map {map} {closed} 1\n"));
                self.admin(&format!("del map {map} {opened}\n"));
            }
            Kind::Apache => {
                let map = self.config.gate.join("dark.txt");
                let text = fs::read_to_string(&map).unwrap();
                let lines = text.lines().filter(|line| !line.starts_with(&format!("{opened} ")));
                let text: String = lines.map(|line| format!("{line}\n")).collect();
                fs::write(&map, format!("{text}{closed} 1\n")).unwrap();
                // An editor is slower than a test: its file is younger than ours.
                let time = fs::metadata(&map).unwrap().modified().unwrap();
                let file = fs::File::options().append(true).open(&map).unwrap();
                file.set_modified(time + Duration::from_secs(5)).unwrap();
            }
        }
    }

    pub(crate) fn listener(&self) -> SocketAddr {
        self.config.listen[0]
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn map_file(&self) -> PathBuf {
        self.config.folder.join(config::MAP_FILE)
    }

    /// A visitor with a connection of its own.
    pub(crate) fn visitor(&self) -> Client {
        super::visitor(self.listener()).unwrap()
    }

    /// Closes gates: durable, then runtime.
    pub(crate) fn close(&mut self, seq: u64, dark: &GateSet) {
        self.driver.apply(epoch(seq), Stage::Durable, dark).unwrap();
        self.driver.apply(epoch(seq), Stage::Runtime, dark).unwrap();
    }

    /// Opens gates: runtime, then durable.
    pub(crate) fn open(&mut self, seq: u64, dark: &GateSet) {
        self.driver.apply(epoch(seq), Stage::Runtime, dark).unwrap();
        self.driver.apply(epoch(seq), Stage::Durable, dark).unwrap();
    }

    pub(crate) fn apply(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
    ) -> Result<(), EdgeError> {
        self.driver.apply(epoch, stage, dark)
    }

    pub(crate) fn observe(&mut self, n: usize) -> GateView {
        self.driver.observe(&[key(n)]).unwrap()[0]
    }

    /// What a probe of one site sees.
    pub(crate) fn seen(&mut self, n: usize) -> Seen {
        self.probe(&[n])[0].seen
    }

    pub(crate) fn probe(&mut self, sites: &[usize]) -> Vec<ProbeResult> {
        let target = |n: &usize| ProbeTarget::site(key(*n), host(*n), Some(2));
        let targets: Vec<_> = sites.iter().map(target).collect();
        self.nonce += 1;
        let mut results = self.prober.probe(&targets, self.nonce);
        // On a busy machine an edge may be late: whom it did not answer asks again. What it did
        // answer stands.
        for _ in 0..ASKED_AGAIN_MAX {
            let late = |n: &usize| results[*n].status == 0;
            let late: Vec<usize> = (0..targets.len()).filter(late).collect();
            let again: Vec<_> = late.iter().map(|n| targets[*n].clone()).collect();
            self.nonce += 1;
            let answers = self.prober.probe(&again, self.nonce);
            late.into_iter().zip(answers).for_each(|(n, answer)| results[n] = answer);
        }
        results
    }
}

fn edge_config(
    kind: Kind,
    folder: &Path,
    listener: SocketAddr,
    sites: usize,
    origins: &[Origin; 2],
) -> EdgeConfig {
    let site = |n: usize| SiteRoute {
        key: key(n),
        host: host(n),
        aliases: vec![format!("www.{}", host(n))],
        upstream: origins[n % 2].address,
        partial: Vec::new(),
    };
    let (verify, user) = match kind {
        Kind::Apache => {
            let user = exec::worker_user().map(|_| "www-data".to_owned());
            (PathBuf::from(exec::free_address().unwrap().to_string()), user)
        }
        _ => (folder.join("verify.sock"), exec::worker_user()),
    };
    let gate = if kind == Kind::Command { "remote" } else { "gate" };
    EdgeConfig {
        folder: folder.join("edge"),
        gate: folder.join(gate),
        hold: folder.join("hold"),
        acme: folder.join("acme"),
        listen: vec![listener],
        verify,
        testers: None,
        verify_group: None,
        user,
        upgrades: true,
        tls: None,
        sites: (0..sites).map(site).collect(),
    }
}

fn target(kind: Kind, config: &EdgeConfig, listener: SocketAddr) -> Target {
    let path = |name: &str| config.folder.join(name).display().to_string();
    let settings = match kind {
        Kind::Nginx => vec![("worker_user", "root".to_owned())],
        Kind::Haproxy => vec![("map", path(config::MAP_FILE)), ("socket", path(config::SOCKET))],
        Kind::Apache => Vec::new(),
        Kind::Caddy => {
            vec![("worker_user", "self".to_owned()), ("admin", path(config::CADDY_ADMIN))]
        }
        Kind::Command => command(&config.gate),
    };
    let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
    Target {
        name: "north".to_owned(),
        kind: kind.name().to_owned(),
        gate: config.gate.with_file_name("gate"),
        listeners: vec![listener],
        verify: Some(config.verify.clone()),
        settings: settings.collect(),
        members: Vec::new(),
    }
}

/// Programs of somebody's own, in front of the gate that nginx reads.
fn command(remote: &Path) -> Vec<(&'static str, String)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/edge.sh");
    let order =
        |verb: &str| format!("[\"/bin/sh\",\"{script}\",\"{verb}\",\"{}\"]", remote.display());
    vec![
        ("observe", order("observe")),
        ("apply", order("apply")),
        ("capabilities", "durable survives_reload".to_owned()),
    ]
}

pub(crate) fn epoch(seq: u64) -> Epoch {
    Epoch { term: 1, seq }
}

pub(crate) fn key(n: usize) -> GateKey {
    GateKey::new(&format!("site-{n}")).unwrap()
}

pub(crate) fn host(n: usize) -> String {
    format!("site-{n}.example.qc")
}

pub(crate) fn set(sites: impl IntoIterator<Item = usize>) -> GateSet {
    sites.into_iter().map(key).collect()
}
