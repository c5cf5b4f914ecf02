//! The host table: which site a host belongs to, and what the edge knows about each site.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use relight_model::GateKey;
use tokio::sync::watch;
use tokio::time::sleep;

use super::counters::{EdgeTotals, OtherCounts, SiteCounts};
use super::gate::Gate;
use super::part::PartGate;
use super::pool::Pool;
use super::{CANARY_HOST, CANARY_KEY, EdgeLimits, Route};
use crate::{ServerError, host};

/// How often the end of the edge looks for tunnels that are still open.
const TUNNEL_POLL: Duration = Duration::from_millis(10);

/// Who answers for a site when its gate is open.
#[derive(Debug)]
pub(super) enum Backend {
    /// The edge itself.
    Canary,
    /// An origin, through connections that sites of the same address share.
    Origin(Arc<Pool>),
}

/// One site.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) key: GateKey,
    pub(super) parts: Vec<PartGate>,
    pub(super) backend: Backend,
    pub(super) counts: SiteCounts,
    /// Open tunnels of public listeners.
    pub(super) tunnels: AtomicUsize,
    /// Grows when every tunnel of visitors that is open now must close.
    pub(super) cut: watch::Sender<u64>,
    /// Grows when every request of visitors that is under way must end.
    pub(super) drain: watch::Sender<u64>,
}

/// Everything that the tasks of one edge share.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) gate: Gate,
    pub(super) hold: PathBuf,
    pub(super) acme: PathBuf,
    pub(super) limits: EdgeLimits,
    pub(super) others: OtherCounts,
    /// Open tunnels over all sites, those of the verification path included.
    pub(super) tunnels: AtomicUsize,
    /// Grows when every tunnel of the verification path must close: the end of the edge only.
    pub(super) cut_verify: watch::Sender<u64>,
    /// Holding pages served; the number that `Retry-After` is drawn from.
    pub(super) held: AtomicU64,
    sites: HashMap<GateKey, Arc<Site>>,
    hosts: HashMap<String, Arc<Site>>,
}

impl Edge {
    /// Builds the host table.
    pub(super) fn new(
        gate: PathBuf,
        hold: PathBuf,
        acme: PathBuf,
        routes: Vec<Route>,
        limits: EdgeLimits,
    ) -> Result<Self, ServerError> {
        let mut edge = Self {
            gate: Gate::new(Path::new(&gate)),
            hold,
            acme,
            limits,
            others: OtherCounts::default(),
            tunnels: AtomicUsize::new(0),
            cut_verify: watch::Sender::new(0),
            held: AtomicU64::new(0),
            sites: HashMap::new(),
            hosts: HashMap::new(),
        };
        let canary = GateKey::new(CANARY_KEY).map_err(ServerError::new)?;
        edge.add(canary, Vec::new(), Backend::Canary, &[CANARY_HOST.to_owned()])?;
        let mut pools: HashMap<SocketAddr, Arc<Pool>> = HashMap::new();
        for Route { key, host, aliases, parts, upstream } in routes {
            let pool = pools.entry(upstream).or_insert_with(|| Arc::new(Pool::new(upstream)));
            let hosts: Vec<String> = std::iter::once(host).chain(aliases).collect();
            let parts = parts.into_iter().map(|part| PartGate::new(&key, part));
            let parts = parts.collect::<Result<_, _>>()?;
            edge.add(key, parts, Backend::Origin(Arc::clone(pool)), &hosts)?;
        }
        // Under the key of a site, a part would close that site.
        let parts = edge.sites.values().flat_map(|site| &site.parts).map(PartGate::key);
        match parts.into_iter().find(|key| edge.sites.contains_key(key)) {
            Some(key) => Err(ServerError::new(format!("key {key} is that of a part and a site"))),
            None => Ok(edge),
        }
    }

    fn add(
        &mut self,
        key: GateKey,
        parts: Vec<PartGate>,
        backend: Backend,
        hosts: &[String],
    ) -> Result<(), ServerError> {
        let site = Arc::new(Site {
            key: key.clone(),
            parts,
            backend,
            counts: SiteCounts::default(),
            tunnels: AtomicUsize::new(0),
            cut: watch::Sender::new(0),
            drain: watch::Sender::new(0),
        });
        for text in hosts {
            let name = host::normal(text)
                .ok_or_else(|| ServerError::new(format!("route {key}: `{text}` is not a host")))?;
            if self.hosts.insert(name, Arc::clone(&site)).is_some() {
                return Err(ServerError::new(format!("route {key}: `{text}` is routed twice")));
            }
        }
        match self.sites.insert(key, site) {
            None => Ok(()),
            Some(site) => Err(ServerError::new(format!("key {} is routed twice", site.key))),
        }
    }

    pub(super) fn site_by_host(&self, host: &str) -> Option<&Arc<Site>> {
        self.hosts.get(host)
    }

    pub(super) fn site_by_key(&self, key: &GateKey) -> Option<&Arc<Site>> {
        self.sites.get(key)
    }

    /// The sites that have an open tunnel or a request of a visitor under way.
    pub(super) fn busy_sites(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.sites.values().filter(|site| site.is_busy())
    }

    /// Cuts every tunnel of every site, those of the verification path included.
    pub(super) fn cut_all(&self) {
        self.cut_verify.send_modify(|round| *round += 1);
        self.sites.values().for_each(|site| site.cut_tunnels());
    }

    /// Ends when no tunnel is open.
    pub(super) async fn without_tunnels(&self) {
        while self.tunnels.load(Ordering::SeqCst) > 0 {
            sleep(TUNNEL_POLL).await;
        }
    }

    pub(super) fn totals(&self) -> EdgeTotals {
        self.others.totals(self.sites.values().map(|site| site.counts.read()))
    }
}

impl Site {
    /// Whether a visitor has an open tunnel, or a request under way.
    pub(super) fn is_busy(&self) -> bool {
        self.tunnels.load(Ordering::SeqCst) > 0 || self.drain.receiver_count() > 0
    }

    /// Cuts every tunnel of visitors that is open now.
    pub(super) fn cut_tunnels(&self) {
        self.cut.send_modify(|round| *round += 1);
    }

    /// Breaks off every request of visitors that is under way.
    pub(super) fn cut_requests(&self) {
        self.drain.send_modify(|round| *round += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(routes: &[(&str, &str, &[&str])]) -> Result<Edge, String> {
        let routes = routes.iter().map(|(key, host, aliases)| Route {
            key: GateKey::new(key).unwrap(),
            host: (*host).to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            parts: Vec::new(),
            upstream: ([127, 0, 0, 1], 1).into(),
        });
        let none = PathBuf::new;
        Edge::new(none(), none(), none(), routes.collect(), EdgeLimits::default())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn aliases_lead_to_the_same_site_and_pools_are_shared() {
        let edge = build(&[("a", "A.qc", &["www.a.qc."]), ("b", "b.qc:80", &[])]).unwrap();
        let key = |host: &str| edge.site_by_host(host).map(|site| site.key.as_str());
        assert_eq!(key("a.qc"), Some("a"));
        assert_eq!(key("www.a.qc"), Some("a"));
        assert_eq!(key("b.qc"), Some("b"));
        assert_eq!(key("c.qc"), None);
        assert_eq!(key(CANARY_HOST), Some(CANARY_KEY));
    }

    #[test]
    fn a_table_that_is_not_clear_is_refused() {
        type Routes<'a> = &'a [(&'a str, &'a str, &'a [&'a str])];
        let cases: [(Routes<'_>, &str); 5] = [
            (&[("a", "a.qc", &["A.qc"])], "route a: `A.qc` is routed twice"),
            (&[("a", "a.qc", &[]), ("b", "b.qc", &["a.qc."])], "route b: `a.qc.` is routed twice"),
            (&[("a", "a.qc", &[]), ("a", "b.qc", &[])], "key a is routed twice"),
            (&[("a", "", &[])], "route a: `` is not a host"),
            (&[(CANARY_KEY, "a.qc", &[])], "key relight-canary is routed twice"),
        ];
        for (routes, says) in cases {
            assert_eq!(build(routes).err().as_deref(), Some(says));
        }
    }
}
