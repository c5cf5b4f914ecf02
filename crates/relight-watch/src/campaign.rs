//! Campaigns: detections that belong together, how sure we are, and why.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Campaign, Contribution, Detection, Severity};

use crate::detectors::{EVIDENCE_MAX, likelihood_threshold};

/// Prior odds at the threshold: for one true campaign the budget of false alarms allows 0.4.
const ODDS_AT_THRESHOLD: f64 = 1.0 / 0.4;

/// Nothing that rests on logs alone is certain.
const CONFIDENCE_MAX: f64 = 0.99;

/// Joins detections that share a source or a callback host.
///
/// A pure function of the detections: their order does not matter. Ids are `C-0001`, … in the
/// order of the first contact.
pub fn campaigns(detections: &[Detection]) -> Vec<Campaign> {
    let mut sorted: Vec<&Detection> = detections.iter().collect();
    sorted.sort_by_key(|detection| (detection.first, detection.source, detection.detector));
    let groups = groups(&sorted);
    groups.into_iter().enumerate().map(|(number, group)| campaign(number + 1, &group)).collect()
}

/// Components of the graph whose edges are shared sources and callback hosts, each in order, in
/// order of their first members.
fn groups<'a>(detections: &[&'a Detection]) -> Vec<Vec<&'a Detection>> {
    let mut group: Vec<usize> = (0..detections.len()).collect();
    let mut sources = BTreeMap::new();
    let mut callbacks = BTreeMap::new();
    for (index, detection) in detections.iter().enumerate() {
        let mut shared = vec![*sources.entry(detection.source).or_insert(index)];
        for host in &detection.callbacks {
            shared.push(*callbacks.entry(host).or_insert(index));
        }
        for other in shared {
            let (from, to) = (group[index].max(group[other]), group[index].min(group[other]));
            group.iter_mut().filter(|member| **member == from).for_each(|member| *member = to);
        }
    }
    let mut members: BTreeMap<usize, Vec<&Detection>> = BTreeMap::new();
    for (index, detection) in detections.iter().enumerate() {
        members.entry(group[index]).or_default().push(detection);
    }
    members.into_values().collect()
}

fn campaign(number: usize, detections: &[&Detection]) -> Campaign {
    fn set<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
        items.collect::<BTreeSet<_>>().into_iter().collect()
    }
    let each = || detections.iter().copied();
    Campaign {
        id: format!("C-{number:04}"),
        severity: each().map(|detection| detection.severity).max().unwrap_or(Severity::Noise),
        confidence: each().map(|detection| confidence(detection.likelihood)).fold(0.0, f64::max),
        first: each().map(|detection| detection.first).min().unwrap_or_default(),
        last: each().map(|detection| detection.last).max().unwrap_or_default(),
        sources: set(each().map(|detection| detection.source)),
        organisations: set(each().flat_map(|detection| detection.organisations.iter().copied())),
        sites: set(each().flat_map(|detection| detection.sites.iter().copied())),
        detections: each().cloned().collect(),
    }
}

/// Posterior probability: the odds at the threshold times the likelihood beyond it.
fn confidence(likelihood: f64) -> f64 {
    let odds = ODDS_AT_THRESHOLD * (likelihood - likelihood_threshold()).exp();
    (odds / (1.0 + odds)).min(CONFIDENCE_MAX)
}

/// Why a campaign was raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Id of the campaign.
    pub id: String,
    /// Its confidence.
    pub confidence: f64,
    /// The threshold that a sweep must pass, natural logarithm.
    pub threshold: f64,
    /// The likelihood of the strongest detection, natural logarithm.
    pub likelihood: f64,
    /// What makes up that likelihood, largest first.
    pub contributions: Vec<Contribution>,
    /// What would change the decision: the two largest contributions, each left out.
    pub changes: Vec<Change>,
    /// Lines of evidence of all detections, without doubles, as in [`Detection::evidence`].
    pub evidence: Vec<String>,
}

/// What would hold without one contribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Class of contacts that is left out.
    pub class: &'static str,
    /// How many contacts that are.
    pub contacts: u32,
    /// The likelihood without them.
    pub likelihood: f64,
    /// The confidence without them.
    pub confidence: f64,
    /// Whether the rest would still pass the threshold.
    pub still_decided: bool,
}

/// Explains a campaign from its detections.
pub fn explain(campaign: &Campaign) -> Explanation {
    let strongest =
        campaign.detections.iter().max_by(|one, other| one.likelihood.total_cmp(&other.likelihood));
    let likelihood = strongest.map_or(0.0, |detection| detection.likelihood);
    let contributions =
        strongest.map(|detection| detection.contributions.clone()).unwrap_or_default();
    let changes = contributions.iter().take(2).map(|left_out| {
        let rest = likelihood - left_out.likelihood;
        Change {
            class: left_out.class,
            contacts: left_out.contacts,
            likelihood: rest,
            confidence: confidence(rest),
            still_decided: rest >= likelihood_threshold(),
        }
    });
    let mut evidence: Vec<String> = Vec::new();
    for line in campaign.detections.iter().flat_map(|detection| &detection.evidence) {
        if evidence.len() < EVIDENCE_MAX && !evidence.contains(line) {
            evidence.push(line.clone());
        }
    }
    Explanation {
        id: campaign.id.clone(),
        confidence: campaign.confidence,
        threshold: likelihood_threshold(),
        likelihood,
        changes: changes.collect(),
        contributions,
        evidence,
    }
}

#[cfg(test)]
mod tests;
