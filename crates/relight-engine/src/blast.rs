//! How far a plan reaches, beyond its list of sites: bodies, shared hosts, open connections, edges
//! that do not answer or lack what a proof needs (INCIDENT 4).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relight_edge::{EdgeError, Listener, TunnelCount, Untried};
use relight_model::{AssetId, Digest, GateKey, OrgId, SiteId};

use crate::at_once::at_once;
use crate::drill::{DRILL_AGE_MAX_S, chain};
use crate::edges;
use crate::engine::Engine;
use crate::error::EngineError;
use crate::plan::Plan;
use crate::reconcile::CANARY_HOST;
use crate::refusals::{EDGE_LINT, refusals};
use crate::switch::site_of;

/// How long the edges of a plan have to say how they are, all together.
const LOOK_WAIT_MAX: Duration = Duration::from_secs(5);

/// The blast radius of one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blast {
    /// Sites to switch.
    pub sites: usize,
    /// Public bodies that they belong to.
    pub bodies: usize,
    /// Sites on which lives or rights depend.
    pub vital: usize,
    /// Sites outside of the plan that share an asset with one inside.
    pub sharing: usize,
    /// The edges, by name.
    pub edges: Vec<EdgeBlast>,
}

/// What a plan means for one edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeBlast {
    /// Its name.
    pub edge: String,
    /// Sites of the plan on it.
    pub sites: usize,
    /// Sites that the plan leaves lit for what is wrong with it; then it switches none.
    pub left: usize,
    /// Why it cannot be used now: its sites will count as exposed.
    pub error: Option<String>,
    /// Connections that are open to those sites; none where nobody can tell.
    pub tunnels: Option<u64>,
    /// What a proof of dark needs and this edge does not have.
    pub missing: Vec<&'static str>,
    /// No drill was passed on it in the last 400 days.
    pub is_undrilled: bool,
    /// It was caught again and again: it said that it is dark, and visitors got in.
    pub is_untrusted: bool,
    /// What in its set-up would leave sites lit, by place and code: a plan that darkens or closes
    /// leaves its sites out, or is refused where it has no others.
    pub faults: Vec<(String, &'static str)>,
}

impl Engine {
    /// Looks at everything that a plan touches; changes nothing.
    ///
    /// # Errors
    /// The store cannot be read. An edge that does not answer is part of the answer.
    pub fn blast(&self, plan: &Plan) -> Result<Blast, EngineError> {
        let mut blast = self.blast_of_register(plan);
        let mut by_edge: BTreeMap<&str, Vec<GateKey>> = BTreeMap::new();
        for site in &plan.sites {
            by_edge.entry(&site.edge).or_default().push(site.site.clone());
        }
        let left = self.left_of(plan);
        for edge in left.keys() {
            by_edge.entry(edge).or_default();
        }
        let rows = self.store.edges()?;
        let mut asked = Vec::new();
        for (edge, keys) in by_edge {
            let target = edges::named(edge, &rows)?;
            let drilled = match &target {
                Some(target) => self.drilled(edge, &edges::identity(target)?),
                None => None,
            };
            blast.edges.push(EdgeBlast {
                edge: edge.to_owned(),
                sites: keys.len(),
                left: left.get(edge).copied().unwrap_or(0),
                error: Some(match target {
                    Some(_) => format!("no answer within {} s", LOOK_WAIT_MAX.as_secs()),
                    None => format!("no edge is called {edge}"),
                }),
                tunnels: None,
                missing: Vec::new(),
                is_undrilled: drilled.is_none(),
                is_untrusted: self.with_ledger(|it| it.caught(edge, self.now()).is_some()),
                faults: Vec::new(),
            });
            asked.push((target, keys, drilled));
        }
        let seen = at_once(asked, LOOK_WAIT_MAX, |(target, keys, drilled)| {
            let target = target?;
            let faults = refusals(&target).unwrap_or_default();
            Some((faults, look(&target, &keys, drilled)))
        });
        for (edge, seen) in blast.edges.iter_mut().zip(seen) {
            let Some((faults, seen)) = seen.flatten() else { continue };
            edge.faults = faults;
            match seen {
                // Nothing is asked of it.
                _ if edge.left > 0 => edge.error = None,
                Ok((tunnels, missing)) => {
                    (edge.error, edge.tunnels, edge.missing) = (None, tunnels, missing);
                }
                Err(error) => edge.error = Some(error),
            }
        }
        Ok(blast)
    }

    /// How many sites a plan leaves lit for the set-up of their edges, by edge.
    fn left_of(&self, plan: &Plan) -> BTreeMap<String, usize> {
        let (state, mut left) = (self.read(), BTreeMap::new());
        for skipped in plan.skipped.iter().filter(|it| it.reason == EDGE_LINT) {
            if let Some(site) = site_of(&state, &skipped.site) {
                *left.entry(site.edge.clone()).or_default() += 1;
            }
        }
        left
    }

    /// What the drill could not try that an edge passed as what it is, and that still counts.
    pub(crate) fn drilled(&self, edge: &str, target: &Digest) -> Option<Untried> {
        let passed = self.with_ledger(|ledger| ledger.drilled(edge, target));
        passed.filter(|it| self.now() - it.at <= DRILL_AGE_MAX_S).map(|it| it.untried)
    }

    fn blast_of_register(&self, plan: &Plan) -> Blast {
        let state = self.read();
        let sites: Vec<_> =
            plan.sites.iter().filter_map(|site| site_of(&state, &site.site)).collect();
        let bodies: BTreeSet<OrgId> = sites.iter().map(|site| site.org).collect();
        let inside: BTreeSet<SiteId> = sites.iter().map(|site| site.id).collect();
        let index = state.inventory.index();
        let assets: BTreeSet<AssetId> =
            sites.iter().flat_map(|site| index.assets_of(site.id)).collect();
        let outside = state.sites.iter().filter(|site| !inside.contains(&site.id));
        let shares = |site: SiteId| index.assets_of(site).any(|asset| assets.contains(&asset));
        Blast {
            sites: plan.sites.len(),
            bodies: bodies.len(),
            vital: plan.sites.iter().filter(|site| site.criticality == 1).count(),
            sharing: outside.filter(|site| shares(site.id)).count(),
            edges: Vec::new(),
        }
    }
}

/// Connections that are open there, and what is missing; or why the edge cannot be used.
fn look(
    target: &relight_edge::Target,
    keys: &[GateKey],
    drilled: Option<Untried>,
) -> Result<(Option<u64>, Vec<&'static str>), String> {
    let told = |error: EdgeError| chain(&error);
    let mut driver = relight_edge::open(target).map_err(told)?;
    driver.observe(keys).map_err(told)?;
    for listener in Listener::all(target).map_err(told)? {
        listener.connect(CANARY_HOST).map_err(told)?;
    }
    let counts = driver.tunnels(keys).map_err(told)?;
    let open = counts.iter().try_fold(0, |sum, count| match count {
        TunnelCount::Open(open) => Some(sum + open),
        TunnelCount::ClosedByDataPlane => Some(sum),
        TunnelCount::Unknown | TunnelCount::Shared => None,
    });
    Ok((open, driver.capabilities().missing_for_dark(drilled)))
}
