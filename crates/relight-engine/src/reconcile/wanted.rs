//! What the open incidents together want of the sites of one edge, and of parts of them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use relight_edge::{GateView, Look, ProbeTarget};
use relight_model::{GateKey, Light, Site, SitePart};

use super::{CANARY_HOST, CANARY_KEY};
use crate::incident::{Case, Gate, Ledger, PartCase, PartName};

/// What the journal wants of one site of the edge, or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The site, or its part, under the name visitors use.
    pub target: ProbeTarget,
    /// The other names under which they reach it.
    pub aliases: Vec<String>,
    /// What visitors must see.
    pub light: Light,
    /// What the journal last said about its gate.
    pub gate: Gate,
    /// The public page calls it offline.
    pub seen_dark: bool,
}

impl Want {
    /// Every name under which visitors reach the site, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.aliases.iter().map(String::as_str);
        std::iter::once(self.target.host.as_str()).chain(others)
    }

    /// True for a part of a site, which is closed and never dark.
    pub const fn is_part(&self) -> bool {
        matches!(self.target.look, Look::Part { .. })
    }

    /// True where its gate is believed as it is read back.
    pub(super) fn is_read_back(&self) -> bool {
        matches!(&self.target.look, Look::Part { part, .. } if part.is_read_back())
    }
}

/// Indices of the sites that are wanted lit and are not seen lit yet.
pub(super) fn opening(wants: &[Want], views: &[GateView]) -> Vec<usize> {
    (0..wants.len())
        .filter(|&index| {
            let (want, view) = (&wants[index], &views[index]);
            want.light == Light::Lit && want.gate != Gate::Open && !view.foreign
        })
        .collect()
}

/// Without the parts.
pub(super) fn whole_sites(wants: &[Want]) -> Cow<'_, [Want]> {
    match wants.iter().any(Want::is_part) {
        false => Cow::Borrowed(wants),
        true => Cow::Owned(wants.iter().filter(|want| !want.is_part()).cloned().collect()),
    }
}

/// What the open incidents together want of the sites of one edge. Sites that none of them ever
/// touched, and sites that the register does not know, are not in it; a part that one of them
/// closed is, whatever becomes of the rest of its site, and what a drill left dark.
pub fn wants<'a>(
    ledger: &Ledger,
    edge: &str,
    site_of: impl Fn(&GateKey) -> Option<&'a Site>,
) -> Vec<Want> {
    let here = |key: &GateKey| site_of(key).filter(|site| site.edge == edge);
    let mut cases: Vec<(&GateKey, &Site, &Case)> = Vec::new();
    let mut parts: BTreeMap<&GateKey, AskedPart<'_>> = BTreeMap::new();
    for (_, incident) in ledger.open() {
        let of_edge = |(key, case)| Some((key, here(key)?, case));
        cases.extend(incident.cases().iter().filter_map(of_edge));
        for (key, part) in incident.parts() {
            let first = || AskedPart { name: &part.name, is_dark: false, gate: None };
            parts.entry(key).or_insert_with(first).hear(part);
        }
    }
    // Of each incident they are in order already.
    cases.sort_by_key(|(key, ..)| *key);
    let sites = cases.chunk_by(|(key, ..), (next, ..)| key == next);
    let mut wants: Vec<Want> = sites.filter_map(Asked::by_all).collect();
    for key in ledger.left_by_drills(edge) {
        if !wants.iter().any(|want| want.target.key == *key) {
            wants.extend(opened(key, here(key)));
        }
    }
    look_behind(&mut wants, &parts);
    let parts = parts.into_iter();
    wants.extend(parts.filter_map(|(key, asked)| Some(asked.of(key, here(&asked.name.site)?))));
    wants
}

/// What a drill closed, to be lit again: the canary, or a site of the edge.
fn opened(key: &GateKey, site: Option<&Site>) -> Option<Want> {
    let (host, aliases) = match site {
        Some(site) => (site.host().to_owned(), site.aliases.clone()),
        None if key.as_str() == CANARY_KEY => (CANARY_HOST.to_owned(), Vec::new()),
        None => return None,
    };
    let target = ProbeTarget::site(key.clone(), host, None);
    let (light, gate) = (Light::Lit, Gate::Requested);
    Some(Want { target, aliases, light, gate, seen_dark: false })
}

/// A site from which visitors of the internet are kept out shows them that gate once its own is
/// open.
fn look_behind(wants: &mut [Want], parts: &BTreeMap<&GateKey, AskedPart<'_>>) {
    let closed = parts.iter().filter(|(_, part)| part.is_dark);
    let audiences = closed.filter(|(_, part)| part.name.part == SitePart::Internet);
    let audiences: BTreeMap<&GateKey, &GateKey> =
        audiences.map(|(key, part)| (&part.name.site, *key)).collect();
    if audiences.is_empty() {
        return;
    }
    for want in wants {
        if let Some(key) = audiences.get(&want.target.key) {
            want.target.look = Look::Behind((*key).clone());
        }
    }
}

/// What the open incidents say about one site.
#[derive(Default)]
struct Asked {
    is_touched: bool,
    is_dark: bool,
    baseline: Option<u16>,
    is_disputed: bool,
    gate: Option<Gate>,
    seen_dark: bool,
}

impl Asked {
    /// What all incidents together want of a site that one of them touched.
    fn by_all(cases: &[(&GateKey, &Site, &Case)]) -> Option<Want> {
        let mut asked = Self::default();
        cases.iter().for_each(|(.., case)| asked.hear(case));
        let (_, site, _) = cases.first().filter(|_| asked.is_touched)?;
        Some(asked.of(site))
    }

    fn hear(&mut self, case: &Case) {
        self.is_touched |= case.is_touched();
        self.is_dark |= case.phase.wants() == Light::Dark;
        // What two incidents were answered differently says nothing of how the site looks lit.
        self.is_disputed |=
            self.baseline.is_some_and(|it| case.baseline.is_some_and(|other| other != it));
        self.baseline = self.baseline.or(case.baseline);
        self.gate = Some(worst(self.gate, case.gate));
        self.seen_dark |= case.seen_dark;
    }

    fn of(&self, site: &Site) -> Want {
        let (key, host) = (site.slug.clone(), site.host().to_owned());
        let baseline = self.baseline.filter(|_| !self.is_disputed);
        Want {
            target: ProbeTarget::site(key, host, baseline),
            aliases: site.aliases.clone(),
            light: if self.is_dark { Light::Dark } else { Light::Lit },
            gate: self.gate.unwrap_or(Gate::Open),
            seen_dark: self.seen_dark,
        }
    }
}

/// What they say about one part of a site.
struct AskedPart<'a> {
    name: &'a PartName,
    is_dark: bool,
    gate: Option<Gate>,
}

impl AskedPart<'_> {
    fn hear(&mut self, part: &PartCase) {
        self.is_dark |= part.light == Light::Dark;
        self.gate = Some(worst(self.gate, part.gate));
    }

    fn of(&self, key: &GateKey, site: &Site) -> Want {
        let look = Look::Part { site: site.slug.clone(), part: self.name.part.clone() };
        let target = ProbeTarget::site(key.clone(), site.host().to_owned(), None);
        Want {
            target: ProbeTarget { look, ..target },
            aliases: site.aliases.clone(),
            light: if self.is_dark { Light::Dark } else { Light::Lit },
            gate: self.gate.unwrap_or(Gate::Open),
            seen_dark: false,
        }
    }
}

/// The worst gate of all incidents: what one of them has not seen proven is not proven.
fn worst(before: Option<Gate>, gate: Gate) -> Gate {
    let before = before.unwrap_or(Gate::Open);
    if gate_rank(gate) >= gate_rank(before) { gate } else { before }
}

const fn gate_rank(gate: Gate) -> u8 {
    match gate {
        Gate::Open => 0,
        Gate::Proven => 1,
        Gate::Failed => 2,
        Gate::Requested => 3,
    }
}
