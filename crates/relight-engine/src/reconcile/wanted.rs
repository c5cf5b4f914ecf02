//! What the open incidents together want of the sites of one edge.

use std::collections::BTreeMap;

use relight_edge::ProbeTarget;
use relight_model::{GateKey, Light, Site};

use crate::incident::{Case, Gate, Ledger, Phase};

/// What the journal wants of one site of the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The site, under the name visitors use.
    pub target: ProbeTarget,
    /// The other names under which they reach it.
    pub aliases: Vec<String>,
    /// What visitors must see.
    pub light: Light,
    /// What the journal last said about its gate.
    pub gate: Gate,
}

impl Want {
    /// Every name under which visitors reach the site, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.aliases.iter().map(String::as_str);
        std::iter::once(self.target.host.as_str()).chain(others)
    }
}

/// What the open incidents together want of the sites of one edge. Sites that none of them ever
/// touched, and sites that the register does not know, are not in it.
pub fn wants<'a>(
    ledger: &Ledger,
    edge: &str,
    site_of: impl Fn(&GateKey) -> Option<&'a Site>,
) -> Vec<Want> {
    let mut asked: BTreeMap<&GateKey, Asked> = BTreeMap::new();
    for (_, incident) in ledger.open() {
        for (key, case) in incident.cases() {
            asked.entry(key).or_default().hear(case);
        }
    }
    let touched = asked.into_iter().filter(|(_, asked)| asked.is_touched);
    let here = touched.filter_map(|(key, asked)| {
        let site = site_of(key)?;
        (site.edge == edge).then(|| asked.of(site))
    });
    here.collect()
}

/// What the open incidents say about one site.
#[derive(Default)]
struct Asked {
    is_touched: bool,
    is_dark: bool,
    baseline: Option<u16>,
    gate: Option<Gate>,
}

impl Asked {
    fn hear(&mut self, case: &Case) {
        self.is_touched |= case.ordered || !matches!(case.phase, Phase::Online | Phase::Exempt);
        self.is_dark |= case.phase.wants() == Light::Dark;
        self.baseline = self.baseline.or(case.baseline);
        // The worst gate of all incidents: what one of them has not seen proven is not proven.
        let worst = self.gate.unwrap_or(Gate::Open);
        self.gate = Some(if gate_rank(case.gate) >= gate_rank(worst) { case.gate } else { worst });
    }

    fn of(&self, site: &Site) -> Want {
        let (key, host) = (site.slug.clone(), site.host().to_owned());
        Want {
            target: ProbeTarget { key, host, baseline: self.baseline },
            aliases: site.aliases.clone(),
            light: if self.is_dark { Light::Dark } else { Light::Lit },
            gate: self.gate.unwrap_or(Gate::Open),
        }
    }
}

const fn gate_rank(gate: Gate) -> u8 {
    match gate {
        Gate::Open => 0,
        Gate::Proven => 1,
        Gate::Failed => 2,
        Gate::Requested => 3,
    }
}
