//! One proxy of Debian with thousands of virtual hosts in front of one origin.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use relight_engine::edge::config::{self, EdgeConfig, SiteRoute};
use relight_engine::edge::exec::{self, Running};
use relight_engine::edge::http::Client;
use relight_engine::edge::{
    GateSet, ProbeTarget, Prober, REFUSED, Stage, Target, UPGRADES, holding_page,
};
use relight_engine::reconcile::GRACE;
use relight_model::{Epoch, GateKey};
use serde_json::{Value, json};

use crate::origin::{Counts, Origin};

/// Which program the edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
    Apache,
    Caddy,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Apache, Self::Caddy];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
        }
    }
}

pub(crate) struct Rig {
    pub(crate) kind: Kind,
    pub(crate) folder: PathBuf,
    /// The register that the parts share.
    pub(crate) data: PathBuf,
    pub(crate) config: EdgeConfig,
    pub(crate) target: Target,
    pub(crate) origin: Origin,
    /// None after a crash.
    pub(crate) running: Option<Running>,
}

impl Rig {
    pub(crate) fn start(folder: &Path, kind: Kind, sites: usize) -> Self {
        let origin = Origin::start(sites);
        let config = edge_config(folder, kind, 0..sites, &origin);
        let mut rig = Self {
            kind,
            folder: folder.to_owned(),
            data: folder.join("data"),
            target: target("north", kind, &config),
            config,
            origin,
            running: None,
        };
        holding_page::write(&rig.config.hold, b"<p>hors ligne / offline", b"{}").unwrap();
        fs::create_dir_all(&rig.config.folder).unwrap();
        prepare(&rig.target);
        rig.start_edge(|text| text);
        rig
    }

    /// Starts the program with its configuration, changed a little where that is measured.
    pub(crate) fn start_edge(&mut self, change: impl Fn(String) -> String) {
        self.running = None;
        self.running = Some(start_program(self.kind, &self.config, change));
    }

    /// The edge with the list of its origins, so that connections behind it are counted and cut.
    pub(crate) fn with_origins(&self) -> Target {
        let path = self.folder.join("origins");
        let line = |site: &SiteRoute| format!("{} {}\n", site.key, site.upstream);
        let lines: String = self.config.sites.iter().map(line).collect();
        fs::write(&path, lines).unwrap();
        let mut target = self.target.clone();
        if self.kind != Kind::Haproxy {
            target.settings.insert("origins".to_owned(), path.display().to_string());
        }
        target.settings.insert(GRACE.to_owned(), GRACE_S.to_owned());
        target
    }

    /// The edge with all of its listeners.
    pub(crate) fn with_listeners(&self) -> Target {
        Target { listeners: self.config.listen.clone(), ..self.target.clone() }
    }

    /// The same edge as if nobody had ever closed a gate on it: another register begins its terms
    /// anew.
    pub(crate) fn reset(&mut self) {
        self.running = None;
        let _ = fs::remove_dir_all(&self.config.gate);
        let _ = fs::remove_file(self.config.folder.join(config::MAP_FILE));
        prepare(&self.target);
        self.start_edge(|text| text);
    }

    pub(crate) fn listener(&self) -> SocketAddr {
        self.config.listen[0]
    }

    /// How many virtual hosts it has.
    pub(crate) fn sites(&self) -> usize {
        self.config.sites.len()
    }

    pub(crate) fn counts(&self) -> &Arc<Counts> {
        &self.origin.counts
    }

    pub(crate) fn prober(&self) -> Prober {
        Prober::new(self.listener())
    }

    /// A visitor with more patience than the product has: on a busy machine an edge may be late.
    pub(crate) fn visitor(&self) -> Client {
        let mut client = Client::connect(self.listener()).unwrap();
        client.answer_wait_max = std::time::Duration::from_secs(30);
        client
    }
}

/// Gives the gate its first generation, as `relight edge add` does.
pub(crate) fn prepare(target: &Target) {
    let mut driver = relight_engine::edge::open(target).unwrap();
    driver.apply(Epoch::default(), Stage::Durable, &GateSet::new()).unwrap();
}

/// Starts the program of an edge with its configuration, changed a little where that is measured.
pub(crate) fn start_program(
    kind: Kind,
    config: &EdgeConfig,
    change: impl Fn(String) -> String,
) -> Running {
    // Whether it is there is asked in plain text.
    let secured = config.tls.iter().flat_map(|tls| &tls.listeners).collect::<Vec<_>>();
    let plain = config.listen.iter().filter(|address| !secured.contains(address));
    let listen = &plain.copied().collect::<Vec<_>>();
    let (folder, wait) = (&config.folder, Duration::from_secs(120));
    let running = match kind {
        Kind::Nginx => {
            let text = change(config::nginx(config).unwrap());
            exec::start_nginx(folder, &text, listen, wait)
        }
        Kind::Haproxy => {
            let mut files = config::haproxy(config).unwrap();
            files.config = change(files.config);
            exec::start_haproxy(folder, &files, listen, wait)
        }
        Kind::Apache => {
            let mut files = config::apache(config).unwrap();
            files.config = change(files.config);
            exec::start_apache(folder, &files, listen, wait)
        }
        Kind::Caddy => {
            let text = change(config::caddy(config).unwrap());
            exec::start_caddy(folder, (&text, &config.verify), listen, wait)
        }
    };
    running.unwrap()
}

/// How long connections of before are left alone, in seconds: what counts is how soon they are cut
/// after that.
const GRACE_S: &str = "1";

/// The first sites have an origin of their own each, so that their connections can be told apart.
pub(crate) const OWN_ORIGINS: usize = 20;

/// One site of so many has an alias.
const ALIAS_EVERY: usize = 100;

/// An edge in a folder of its own, with the sites of these numbers.
pub(crate) fn edge_config(
    folder: &Path,
    kind: Kind,
    sites: Range<usize>,
    origin: &Origin,
) -> EdgeConfig {
    let site = |number: usize| SiteRoute {
        key: key(number),
        host: host(number),
        aliases: aliases(number),
        upstream: if number < OWN_ORIGINS { origin.own_address(number) } else { origin.address },
        partial: Vec::new(),
    };
    // Workers of Apache are an ordinary user, and it can have no socket.
    let user = exec::worker_user();
    let (verify, user) = match kind {
        Kind::Apache => {
            let address = exec::free_address().unwrap().to_string();
            (PathBuf::from(address), user.map(|_| "www-data".to_owned()))
        }
        _ => (folder.join("verify.sock"), user),
    };
    EdgeConfig {
        folder: folder.join("edge"),
        gate: folder.join("gate"),
        hold: folder.join("hold"),
        acme: folder.join("acme"),
        listen: listen(exec::free_address().unwrap()),
        verify,
        testers: None,
        verify_group: None,
        user,
        upgrades: true,
        tls: None,
        sites: sites.map(site).collect(),
    }
}

/// The edge under this name, as a register has it.
pub(crate) fn target(name: &str, kind: Kind, config: &EdgeConfig) -> Target {
    let path = |name: &str| config.folder.join(name).display().to_string();
    let (driver, settings) = match kind {
        Kind::Nginx => ("nginx_file", vec![("worker_user".to_owned(), "root".to_owned())]),
        Kind::Haproxy => (
            "haproxy",
            vec![
                ("map".to_owned(), path(config::MAP_FILE)),
                ("socket".to_owned(), path(config::SOCKET)),
            ],
        ),
        Kind::Apache => ("apache", Vec::new()),
        Kind::Caddy => (
            "caddy",
            vec![
                ("worker_user".to_owned(), "self".to_owned()),
                ("admin".to_owned(), path(config::CADDY_ADMIN)),
            ],
        ),
    };
    let mut settings = BTreeMap::from_iter(settings);
    if kind != Kind::Haproxy {
        // Where tunnels are measured their origins are named, and counted (`with_origins`).
        settings.insert(UPGRADES.to_owned(), REFUSED.to_owned());
    }
    Target {
        name: name.to_owned(),
        kind: driver.to_owned(),
        gate: config.gate.clone(),
        // The others are there where they are measured (`with_listeners`): a bare sweep has one.
        listeners: config.listen[..1].to_vec(),
        verify: Some(config.verify.clone()),
        settings,
        members: Vec::new(),
    }
}

pub(crate) fn key(number: usize) -> GateKey {
    GateKey::new(&format!("site-{number}")).unwrap()
}

/// The number in a key.
pub(crate) fn number(key: &GateKey) -> usize {
    key.as_str().trim_start_matches("site-").parse().unwrap()
}

pub(crate) fn host(number: usize) -> String {
    format!("site-{number}.example.qc")
}

/// The other names of a site; a few sites have one, so that what asks each name stays small.
pub(crate) fn aliases(number: usize) -> Vec<String> {
    let alias = number.is_multiple_of(ALIAS_EVERY).then(|| format!("www.{}", host(number)));
    alias.into_iter().collect()
}

/// This listener, and its twin under IPv6 where this machine has that.
pub(crate) fn listen(first: SocketAddr) -> Vec<SocketAddr> {
    let twin = twin(first);
    let is_there = TcpListener::bind(twin).is_ok();
    [Some(first), is_there.then_some(twin)].into_iter().flatten().collect()
}

pub(crate) fn twin(first: SocketAddr) -> SocketAddr {
    SocketAddr::from((Ipv6Addr::LOCALHOST, first.port()))
}

pub(crate) fn targets(sites: Range<usize>) -> Vec<ProbeTarget> {
    let target = |number| ProbeTarget::site(key(number), host(number), Some(2));
    sites.map(target).collect()
}

/// What Debian calls the programs that were measured.
pub(crate) fn versions() -> Value {
    let status = fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default();
    let version = |name: &str| {
        let (_, rest) = status.split_once(&format!("\nPackage: {name}\n"))?;
        let line = rest.lines().find_map(|line| line.strip_prefix("Version: "));
        line.map(str::to_owned)
    };
    json!({"nginx": version("nginx"), "haproxy": version("haproxy"),
           "apache": version("apache2"), "caddy": version("caddy")})
}
