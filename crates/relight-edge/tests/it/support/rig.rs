//! An edge with two kinds of sites in front of two origins, its driver and its prober.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
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
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Nginx, Self::Haproxy];
}

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
        let config = edge_config(&path, listener, sites, &origins);
        relight_edge::holding_page::write(&config.hold, b"<p>hors ligne / offline", b"{}").unwrap();
        let target = target(kind, &config, listener);
        let driver = relight_edge::open(&target).unwrap();
        let prober = Prober::new(listener);
        let running = None;
        let nonce = 0;
        let mut rig =
            Self { kind, config, target, driver, prober, running, origins, nonce, folder };
        rig.start_edge();
        rig
    }

    /// Starts the program; a missing one fails with the package to install.
    pub(crate) fn start_edge(&mut self) {
        let wait = Duration::from_secs(20);
        let (folder, listeners) = (&self.config.folder, &self.config.listen);
        let running = match self.kind {
            Kind::Nginx => {
                let text = config::nginx(&self.config).unwrap();
                exec::start_nginx(folder, &text, listeners, wait)
            }
            Kind::Haproxy => {
                let files = config::haproxy(&self.config).unwrap();
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
        Client::connect(self.listener()).unwrap()
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
        let target = |n: &usize| ProbeTarget { key: key(*n), host: host(*n), baseline: Some(2) };
        let targets: Vec<_> = sites.iter().map(target).collect();
        self.nonce += 1;
        self.prober.probe(&targets, self.nonce)
    }
}

fn edge_config(
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
    };
    EdgeConfig {
        folder: folder.join("edge"),
        gate: folder.join("gate"),
        hold: folder.join("hold"),
        acme: folder.join("acme"),
        listen: vec![listener],
        verify: folder.join("verify.sock"),
        user: exec::worker_user(),
        sites: (0..sites).map(site).collect(),
    }
}

fn target(kind: Kind, config: &EdgeConfig, listener: SocketAddr) -> Target {
    let path = |name: &str| config.folder.join(name).display().to_string();
    let (kind, settings) = match kind {
        Kind::Nginx => ("nginx_file", vec![("worker_user".to_owned(), "root".to_owned())]),
        Kind::Haproxy => (
            "haproxy",
            vec![
                ("map".to_owned(), path(config::MAP_FILE)),
                ("socket".to_owned(), path(config::SOCKET)),
            ],
        ),
    };
    Target {
        name: "north".to_owned(),
        kind: kind.to_owned(),
        gate: config.gate.clone(),
        listeners: vec![listener],
        verify: Some(config.verify.clone()),
        settings: BTreeMap::from_iter(settings),
    }
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
