//! What a round saw of an edge, as entries of the incidents that it concerns, and of drills.

use relight_model::{GateKey, Light};

use crate::incident::{Entry, Incident, Ledger, PartName, PartSeen, Phase};
use crate::reconcile::Round;

/// What a round saw, told to every open incident that it concerns.
pub fn for_incidents(ledger: &Ledger, round: &Round) -> Vec<(String, Entry)> {
    let mut entries = Vec::new();
    for entry in &round.entries {
        for (id, incident) in ledger.open() {
            let sites = entry.sites();
            entries.extend(of_parts(incident, entry, &sites).map(|entry| (id.to_owned(), entry)));
            let sites: Vec<GateKey> =
                sites.into_iter().filter(|site| concerns(incident, entry, site)).collect();
            if let Some(entry) = entry.with_sites(sites) {
                entries.push((id.to_owned(), entry));
            }
        }
        entries.extend(of_drills(ledger, entry).map(|entry| (String::new(), entry)));
    }
    entries
}

/// What a drill left dark was seen lit.
fn of_drills(ledger: &Ledger, entry: &Entry) -> Option<Entry> {
    let Entry::Proved { sites, light: Light::Lit, edge, .. } = entry else { return None };
    let left = ledger.left_by_drills(edge);
    let keys: Vec<GateKey> = sites.iter().filter(|key| left.contains(key)).cloned().collect();
    let (drill, edge) = (true, edge.clone());
    (!keys.is_empty()).then_some(Entry::DrillUndone { drill, edge, keys })
}

fn concerns(incident: &Incident, entry: &Entry, site: &GateKey) -> bool {
    let Some(case) = incident.case(site) else { return false };
    match entry {
        Entry::Proved { light: Light::Lit, .. } | Entry::RelightStopped { .. } => {
            case.phase == Phase::Relighting
        }
        Entry::Drifted { .. } => !matches!(case.phase, Phase::Online | Phase::Exempt),
        _ => case.phase.wants() == Light::Dark,
    }
}

/// What was seen of parts. It never stands among what was seen of sites: a closed part is not
/// dark.
fn of_parts(incident: &Incident, entry: &Entry, keys: &[GateKey]) -> Option<Entry> {
    let (edge, seen, why) = match entry {
        Entry::Proved { light: Light::Dark, edge, .. } => (edge.as_str(), PartSeen::Closed, ""),
        Entry::Proved { light: Light::Lit, edge, .. } => (edge.as_str(), PartSeen::Open, ""),
        Entry::EdgeFailed { edge, why, .. } => (edge.as_str(), PartSeen::Failed, why.as_str()),
        Entry::Drifted { edge, what, .. } => (edge.as_str(), PartSeen::Lost, what.as_str()),
        Entry::RelightStopped { why, .. } => ("", PartSeen::Stopped, why.as_str()),
        _ => return None,
    };
    let wanted = match seen {
        PartSeen::Open | PartSeen::Stopped => Some(Light::Lit),
        PartSeen::Closed | PartSeen::Failed => Some(Light::Dark),
        PartSeen::Lost => None,
    };
    let parts = keys.iter().filter_map(|key| incident.part(key));
    let parts: Vec<PartName> = parts
        .filter(|part| wanted.is_none_or(|light| part.light == light))
        .map(|part| part.name.clone())
        .collect();
    let (edge, why) = (edge.to_owned(), why.to_owned());
    (!parts.is_empty()).then_some(Entry::PartsSeen { parts, edge, seen, why })
}
