//! The stage of the demo: a folder, the origins of every site, an edge in front of them, visitors.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use relight_engine::demo::Province;
use relight_engine::edge::config::{EdgeConfig, SiteRoute};
use relight_engine::edge::{
    GateSet, REFUSED, Stage as Copy, Target, UPGRADES, config, exec, holding_page,
};
use relight_model::Epoch;
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, EdgeProxyHandle, Route};
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};
use relight_server::web::{HoldingPage, holding_html, holding_json};

/// Name of the one edge of the province.
pub(super) const EDGE: &str = "province";

/// How long a proxy may take to start with 20,000 sites.
const START_MAX: Duration = Duration::from_secs(60);

/// Which proxy stands in front of the sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EdgeKind {
    /// The one inside this program.
    Builtin,
    /// nginx with the file gate.
    Nginx,
    /// HAProxy with the versioned map.
    Haproxy,
}

impl EdgeKind {
    /// The names under which a person asks for them.
    pub(super) const NAMES: &'static [&'static str] = &["builtin", "nginx", "haproxy"];

    /// By name; the built-in one for any other.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "nginx" => Self::Nginx,
            "haproxy" => Self::Haproxy,
            _ => Self::Builtin,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }
}

/// Where things are in the folder of a demo.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(super) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(super) fn truth(&self) -> PathBuf {
        self.root.join("truth.json")
    }

    pub(super) fn tree(&self, slug: &str) -> PathBuf {
        self.root.join("sites").join(slug)
    }

    fn edge(&self) -> PathBuf {
        self.root.join("edge")
    }
}

/// The running edge; dropped, it stops.
#[derive(Debug)]
enum Edge {
    Builtin { _handle: EdgeProxyHandle },
    Process { _running: exec::Running },
}

/// Everything that runs around the engine; dropped, it stops.
#[derive(Debug)]
pub(super) struct Stage {
    /// The origins of every site.
    pub(super) origin: OriginHandle,
    /// How the engine reaches the edge.
    pub(super) target: Target,
    _edge: Edge,
}

impl Stage {
    /// Starts origins and edge for every site of the province.
    pub(super) fn start(
        layout: &Layout,
        province: &Province,
        kind: EdgeKind,
    ) -> anyhow::Result<Self> {
        let sites = province.sites.iter();
        let sites =
            sites.map(|site| OriginSite { host: site.host.clone(), name: site.slug.to_string() });
        let origin = Origin::start(OriginConfig { listen: loopback(), sites: sites.collect() })?;
        let folder = layout.edge();
        let (gate, hold, acme) = (folder.join("gate"), folder.join("hold"), folder.join("acme"));
        fs::create_dir_all(&acme).with_context(|| format!("creating {}", acme.display()))?;
        let page = HoldingPage { retry_after: 3_600, ..HoldingPage::default() };
        let (html, json) = (holding_html(&page), holding_json(&page));
        holding_page::write(&hold, html.as_bytes(), json.as_bytes())?;
        let listen = exec::free_address()?;
        let config = EdgeConfig {
            folder: folder.clone(),
            gate: gate.clone(),
            hold,
            acme,
            listen: vec![listen],
            verify: folder.join("verify.sock"),
            testers: None,
            verify_group: None,
            user: exec::worker_user(),
            // The fictional sites know no WebSockets.
            upgrades: false,
            tls: None,
            sites: routes(province, origin.address()),
        };
        let mut target = Target {
            name: EDGE.to_owned(),
            kind: kind.as_str().to_owned(),
            gate,
            listeners: vec![listen],
            verify: Some(config.verify.clone()),
            settings: BTreeMap::new(),
            members: Vec::new(),
        };
        // The gate exists before the edge: an edge without one fails closed.
        let edge = start_edge(kind, config, &mut target)?;
        Ok(Self { origin, target, _edge: edge })
    }

    /// The public listener.
    pub(super) fn listener(&self) -> SocketAddr {
        self.target.listeners.first().copied().unwrap_or_else(loopback)
    }
}

fn start_edge(kind: EdgeKind, config: EdgeConfig, target: &mut Target) -> anyhow::Result<Edge> {
    match kind {
        EdgeKind::Builtin => {
            open_gate(target)?;
            let handle = EdgeProxy::start(EdgeProxyConfig {
                listen: config.listen,
                verify: Some(config.verify),
                testers: None,
                gate: config.gate,
                hold: config.hold,
                acme: config.acme,
                routes: config.sites.into_iter().map(route).collect(),
                limits: EdgeLimits::default(),
            })?;
            Ok(Edge::Builtin { _handle: handle })
        }
        EdgeKind::Nginx => {
            target.kind = "nginx_file".to_owned();
            if let Some(user) = &config.user {
                target.settings.insert("worker_user".to_owned(), user.clone());
            }
            target.settings.insert(UPGRADES.to_owned(), REFUSED.to_owned());
            open_gate(target)?;
            let text = config::nginx(&config)?;
            let running = exec::start_nginx(&config.folder, &text, &config.listen, START_MAX)?;
            Ok(Edge::Process { _running: running })
        }
        EdgeKind::Haproxy => {
            let files = config::haproxy(&config)?;
            let setting = |name: &str, file: &str| {
                (name.to_owned(), config.folder.join(file).display().to_string())
            };
            target.settings = BTreeMap::from([
                setting("socket", config::SOCKET),
                setting("map", config::MAP_FILE),
            ]);
            let running = exec::start_haproxy(&config.folder, &files, &config.listen, START_MAX)?;
            Ok(Edge::Process { _running: running })
        }
    }
}

/// An edge whose gate directory has no content yet fails closed, so it starts with an empty one.
fn open_gate(target: &Target) -> anyhow::Result<()> {
    let mut driver = relight_engine::edge::open(target)?;
    driver.apply(Epoch::default(), Copy::Durable, &GateSet::new())?;
    Ok(driver.apply(Epoch::default(), Copy::Runtime, &GateSet::new())?)
}

fn routes(province: &Province, upstream: SocketAddr) -> Vec<SiteRoute> {
    let sites = province.sites.iter();
    sites
        .map(|site| SiteRoute {
            key: site.slug.clone(),
            host: site.host.clone(),
            aliases: Vec::new(),
            upstream,
            partial: Vec::new(),
        })
        .collect()
}

fn route(site: SiteRoute) -> Route {
    let SiteRoute { key, host, aliases, upstream, partial: parts } = site;
    Route { key, host, aliases, parts, upstream }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}
