//! Detectors: decisions about one source over all organisations together. They keep no state.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Contribution, Detection, OrgId, Severity, SiteId, Timestamp, registry};

use crate::contact::Class;
use crate::decode::Callback;
use crate::window::Window;
use crate::{catalogue, path_class};

mod weights;

pub use weights::{ALPHA, BETA, likelihood_threshold};

/// Most lines of evidence of a detection.
pub const EVIDENCE_MAX: usize = 64;

/// One contact with its final class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact<'a> {
    /// Time of the first event.
    pub first: Timestamp,
    /// Whose site.
    pub org: OrgId,
    /// Which site, when the log tells.
    pub site: Option<SiteId>,
    /// Final class.
    pub class: Class,
    /// Path, or what a lookup would have been asked for.
    pub text: &'a str,
    /// Status of the first event.
    pub status: u16,
    /// Time of the last event.
    pub last: Timestamp,
}

/// Everything that is known about one source: its distinct contacts in order of time.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// Who.
    pub source: IpAddr,
    /// What it tried, in all organisations.
    pub contacts: Vec<Contact<'a>>,
}

/// Decides about one source.
pub trait Detector: Sync {
    /// The stable name.
    fn name(&self) -> &'static str;

    /// A decision, or none.
    fn judge(&self, summary: &Summary<'_>) -> Option<Detection>;
}

registry! {
    /// Every detector, in alphabetical order.
    pub static DETECTORS: dyn Detector, check = crate::detectors::tests::check;
    jndi, slow_sweep
}

/// Judges every source of a pool. The same pool gives the same detections, however it was merged.
pub fn judge(pool: &Window) -> Vec<Detection> {
    summaries(pool)
        .iter()
        .flat_map(|summary| DETECTORS.iter().filter_map(|detector| detector.judge(summary)))
        .collect()
}

/// The sources of a pool, sorted, with their contacts; a door counts once for each site, in its
/// strongest kind.
pub(crate) fn summaries(pool: &Window) -> Vec<Summary<'_>> {
    let mut sources: BTreeMap<IpAddr, Vec<Contact<'_>>> = BTreeMap::new();
    let mut doors = BTreeSet::new();
    for (key, facts) in &pool.contacts {
        // Keys are in order of kind within a visit, so the first one of a door is the strongest.
        if !doors.insert((key.visit, key.door)) {
            continue;
        }
        sources.entry(key.visit.source).or_default().push(Contact {
            first: facts.first.0,
            org: key.visit.org,
            site: key.visit.site,
            class: pool.class(key, facts),
            text: &facts.first.2,
            status: facts.first.1,
            last: facts.last,
        });
    }
    let summary = |(source, mut contacts): (IpAddr, Vec<_>)| {
        contacts.sort_unstable();
        Summary { source, contacts }
    };
    sources.into_iter().map(summary).collect()
}

/// A detection about these contacts of the source.
fn detection(
    detector: &'static str,
    severity: Severity,
    source: IpAddr,
    contacts: &[Contact<'_>],
) -> Option<Detection> {
    let (first, last) = (contacts.first()?.first, contacts.iter().map(|c| c.last).max()?);
    let contributions = weights::contributions(contacts);
    let organisations: BTreeSet<_> = contacts.iter().map(|contact| contact.org).collect();
    let sites: BTreeSet<_> = contacts.iter().filter_map(|contact| contact.site).collect();
    let callbacks: BTreeSet<_> = contacts
        .iter()
        .filter(|contact| contact.class == Class::Exploit)
        .filter_map(|contact| Callback::parse(contact.text).map(|callback| callback.host))
        .collect();
    Some(Detection {
        detector,
        source,
        severity,
        first,
        last,
        organisations: organisations.into_iter().collect(),
        sites: sites.into_iter().collect(),
        contacts: u32::try_from(contacts.len()).unwrap_or(u32::MAX),
        likelihood: total(&contributions),
        contributions,
        callbacks: callbacks.into_iter().collect(),
        evidence: evidence(contacts),
    })
}

fn total(contributions: &[Contribution]) -> f64 {
    contributions.iter().map(|contribution| contribution.likelihood).sum()
}

/// Up to [`EVIDENCE_MAX`] lines: the first contact of each organisation and of each kind of door
/// before any other, then written in order of time.
fn evidence(contacts: &[Contact<'_>]) -> Vec<String> {
    let (mut organisations, mut doors) = (BTreeSet::new(), BTreeSet::new());
    let is_new = |contact: &&Contact<'_>| {
        let door = catalogue::probe(contact.text)
            .map_or_else(|| path_class::hash(contact.text), path_class::hash);
        organisations.insert(contact.org) | doors.insert(door)
    };
    let (mut shown, rest): (Vec<_>, Vec<_>) = contacts.iter().partition(is_new);
    shown.extend(rest);
    shown.truncate(EVIDENCE_MAX);
    shown.sort_unstable();
    shown.into_iter().map(evidence_line).collect()
}

/// `organisation, site, day, status, class, path`: numbers for the first two, `-` for no site;
/// a probe names its catalogue entry; the path comes last because it may hold commas.
fn evidence_line(contact: &Contact<'_>) -> String {
    let site = contact.site.map_or_else(|| "-".to_owned(), |site| site.0.to_string());
    let entry = (contact.class == Class::Probe).then(|| catalogue::probe(contact.text)).flatten();
    let class = contact.class.as_str();
    let class = entry.map_or_else(|| class.to_owned(), |entry| format!("{class}:{entry}"));
    let (org, day) = (contact.org.0, crate::civil::day(contact.first));
    format!("{org}, {site}, {day}, {}, {class}, {}", contact.status, contact.text)
}

#[cfg(test)]
mod tests;
