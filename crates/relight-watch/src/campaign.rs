//! Campaigns: detections that belong together, how sure we are, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Campaign, Contribution, Detection, Exposure, Severity, Timestamp};

use crate::detectors::{DETECTION_MARKS_MAX, EVIDENCE_MAX, likelihood_threshold};
use crate::path_class::Hasher;

/// Prior odds at the threshold: for one true campaign the budget of false alarms allows 0.4.
const ODDS_AT_THRESHOLD: f64 = 1.0 / 0.4;

/// Nothing that rests on logs alone is certain.
const CONFIDENCE_MAX: f64 = 0.99;

/// Single addresses that are shown one by one; when they are more, they are one line.
pub const SINGLES_MAX: usize = 100;

/// Contacts of an address up to which it may be one of many: who tries more doors is told alone.
pub const SINGLE_CONTACTS_MAX: u32 = 8;

/// Most marks of a campaign, the smallest ones.
pub const CAMPAIGN_MARKS_MAX: usize = 4_096;

/// Letters and digits of an id that are not taken for others when somebody reads them aloud.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Letters of an id.
const ID_LETTERS: u32 = 6;

/// Joins detections that share a source, a callback host or a client that hardly anybody uses.
///
/// A pure function of the detections: their order does not matter. An id comes from the first
/// contact, so the same data give the same id everywhere; campaigns are in the order of their
/// first contacts.
pub fn campaigns(detections: &[Detection]) -> Vec<Campaign> {
    let mut sorted: Vec<&Detection> = detections.iter().collect();
    sorted.sort_by_key(|one| (one.first, &one.sources, one.detector, &one.shared));
    let mut taken = BTreeSet::new();
    groups(&sorted).iter().map(|group| campaign(group, &mut taken)).collect()
}

/// Puts the addresses together that are one of very many, each with a few doors and nothing that
/// ties it to another: fifteen thousand of them a quarter are a botnet's, and nobody reads a list
/// of that length. Their detections and evidence stay.
///
/// To be called with campaigns on their step of the ladder: who is aimed at somebody is told
/// alone, and who is known and means well is together with others of the same name only.
pub fn gather(campaigns: Vec<Campaign>) -> Vec<Campaign> {
    let (singles, mut whole): (Vec<_>, Vec<_>) = campaigns.into_iter().partition(is_single);
    let mut by_name: BTreeMap<(Vec<String>, Severity), Vec<Campaign>> = BTreeMap::new();
    for single in singles {
        by_name.entry((single.known.clone(), single.severity)).or_default().push(single);
    }
    let mut taken: BTreeSet<String> = whole.iter().map(|it| it.id.clone()).collect();
    for ((known, _), singles) in by_name {
        if singles.len() > SINGLES_MAX {
            whole.push(gathered(known, singles, &mut taken));
        } else {
            whole.extend(singles);
        }
    }
    whole.sort_by(|one, other| order(one).cmp(&order(other)));
    whole
}

fn gathered(known: Vec<String>, singles: Vec<Campaign>, taken: &mut BTreeSet<String>) -> Campaign {
    let (gathered, severity) = (singles.len(), singles[0].severity);
    let (mut attempts, mut detections) = (BTreeSet::new(), Vec::new());
    for single in singles {
        attempts.extend(single.attempts);
        detections.extend(single.detections);
    }
    let together = campaign(&detections.iter().collect::<Vec<_>>(), taken);
    Campaign { gathered, severity, known, attempts: attempts.into_iter().collect(), ..together }
}

/// What campaigns are in the order of.
fn order(campaign: &Campaign) -> Option<(Timestamp, &[IpAddr], &str, &str)> {
    let first = campaign.detections.first();
    first.map(|it| (it.first, it.sources.as_slice(), it.detector, it.shared.as_str()))
}

/// One address that looked around a little, with a client like everybody's.
fn is_single(campaign: &Campaign) -> bool {
    let [one] = &campaign.detections[..] else { return false };
    let is_affected = |it: &relight_model::Attempt| it.exposure == Exposure::Affected;
    let is_low = match campaign.severity {
        Severity::Reconnaissance => true,
        // A flaw that was tried at random, where nobody is known to have had it.
        Severity::ExploitAttempt => one.detector == "flaw",
        _ => !campaign.known.is_empty(),
    };
    is_low
        && (one.severity == Severity::Reconnaissance || one.detector == "flaw")
        && !campaign.attempts.iter().any(is_affected)
        && campaign.signs.is_empty()
        && one.sources.len() == 1
        && one.shared.is_empty()
        && one.contacts <= SINGLE_CONTACTS_MAX
        && one.fingerprints.is_empty()
        && one.callbacks.is_empty()
}

/// The id that a number gives.
pub(crate) fn id_of(mut number: u64) -> String {
    let mut id = "C-".to_owned();
    for _ in 0..ID_LETTERS {
        id.push(char::from(LETTERS[(number % 32) as usize]));
        number /= 32;
    }
    id
}

/// The id of a campaign that nobody knows yet: from its first contact; the next one when another
/// campaign has it.
pub(crate) fn new_id(detections: &[&Detection], mut is_taken: impl FnMut(&str) -> bool) -> String {
    let first = detections.iter().min_by_key(|it| (it.first, it.origin));
    let mut hasher = Hasher::new();
    hasher.number(first.map_or(0, |it| it.origin));
    // Those who tried one door are told beside those who belong together.
    let is_door = first.is_some_and(|it| is_of_strangers(it));
    let kind = first.filter(|_| is_door).map_or("", |it| it.detector);
    kind.bytes().for_each(|byte| hasher.byte(byte));
    loop {
        let id = id_of(hasher.finish());
        if !is_taken(&id) {
            return id;
        }
        hasher.byte(b'+');
    }
}

/// Its sources have a door in common and nothing else.
pub(crate) fn is_of_strangers(detection: &Detection) -> bool {
    ["door:", "class:"].iter().any(|kind| detection.shared.starts_with(kind))
}

/// Its sources belong together: a group by what others use too holds strangers.
pub(crate) fn joins(detection: &Detection) -> bool {
    detection.shared.is_empty() || detection.fingerprints.contains(&detection.shared)
}

/// What two detections may have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Tie<'a> {
    Source(IpAddr),
    Callback(&'a str),
    Client(&'a str),
}

fn ties(detection: &Detection) -> impl Iterator<Item = Tie<'_>> {
    let joins = joins(detection);
    let is_door = is_of_strangers(detection);
    let sources = detection.sources.iter().copied().filter(move |_| joins).map(Tie::Source);
    let callbacks = detection.callbacks.iter().filter(move |_| !is_door);
    let callbacks = callbacks.map(|host| Tie::Callback(host));
    let clients = detection.fingerprints.iter().filter(move |_| joins);
    let clients = clients.map(|client| Tie::Client(client));
    sources.chain(callbacks).chain(clients)
}

/// Components of the graph whose edges are ties, each in order, in order of their first members.
fn groups<'a>(detections: &[&'a Detection]) -> Vec<Vec<&'a Detection>> {
    let mut parents: Vec<usize> = (0..detections.len()).collect();
    let mut known: BTreeMap<Tie<'_>, usize> = BTreeMap::new();
    for (index, detection) in detections.iter().enumerate() {
        for tie in ties(detection) {
            let other = *known.entry(tie).or_insert(index);
            let (one, other) = (root(&mut parents, index), root(&mut parents, other));
            parents[one.max(other)] = one.min(other);
        }
    }
    let mut members: BTreeMap<usize, Vec<&Detection>> = BTreeMap::new();
    for (index, detection) in detections.iter().enumerate() {
        members.entry(root(&mut parents, index)).or_default().push(detection);
    }
    members.into_values().collect()
}

/// The first member of a component; halves the way there.
fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

fn campaign(detections: &[&Detection], taken: &mut BTreeSet<String>) -> Campaign {
    fn set<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
        items.collect::<BTreeSet<_>>().into_iter().collect()
    }
    let each = || detections.iter().copied();
    let id = new_id(detections, |id| taken.contains(id));
    taken.insert(id.clone());
    let (marks, marks_until) = marks(detections);
    Campaign {
        id,
        formerly: Vec::new(),
        severity: each().map(|detection| detection.severity).max().unwrap_or(Severity::Noise),
        confidence: each().map(confidence_of).fold(0.0, f64::max),
        first: each().map(|detection| detection.first).min().unwrap_or_default(),
        last: each().map(|detection| detection.last).max().unwrap_or_default(),
        sources: set(each().flat_map(|detection| detection.sources.iter().copied())),
        organisations: set(each().flat_map(|detection| detection.organisations.iter().copied())),
        sites: set(each().flat_map(|detection| detection.sites.iter().copied())),
        aimed_at: Vec::new(),
        shared: shared(detections),
        attempts: set(each().flat_map(|detection| detection.attempts.iter().cloned())),
        signs: Vec::new(),
        known: Vec::new(),
        spoofed: Vec::new(),
        gathered: 0,
        crowded: Vec::new(),
        silent: 0,
        matched: Vec::new(),
        marks,
        marks_until,
        detections: each().cloned().collect(),
    }
}

/// The smallest marks of all contacts, and below which number all of them are there.
fn marks(detections: &[&Detection]) -> (Vec<u64>, u64) {
    let cut = detections.iter().filter(|it| it.marks.len() >= DETECTION_MARKS_MAX);
    let mut until = cut.filter_map(|it| it.marks.last().copied()).min().unwrap_or(u64::MAX);
    let all: BTreeSet<u64> = detections.iter().flat_map(|it| it.marks.iter().copied()).collect();
    let mut marks: Vec<u64> = all.into_iter().take_while(|mark| *mark <= until).collect();
    if marks.len() > CAMPAIGN_MARKS_MAX {
        marks.truncate(CAMPAIGN_MARKS_MAX);
        until = marks[CAMPAIGN_MARKS_MAX - 1];
    }
    (marks, until)
}

/// Clients and callback hosts that hold a campaign together: those of more than one source.
fn shared(detections: &[&Detection]) -> Vec<String> {
    let mut sources: BTreeMap<&str, BTreeSet<IpAddr>> = BTreeMap::new();
    for detection in detections {
        let things = detection.callbacks.iter().chain(&detection.fingerprints);
        for thing in things.chain((!detection.shared.is_empty()).then_some(&detection.shared)) {
            sources.entry(thing).or_default().extend(&detection.sources);
        }
    }
    let common = sources.into_iter().filter(|(_, sources)| sources.len() > 1);
    common.map(|(thing, _)| thing.to_owned()).collect()
}

fn confidence_of(detection: &Detection) -> f64 {
    confidence(detection.likelihood, detection.threshold)
}

/// Posterior probability: the odds at the threshold times the likelihood beyond it.
fn confidence(likelihood: f64, threshold: f64) -> f64 {
    let odds = ODDS_AT_THRESHOLD * (likelihood - threshold).exp();
    if odds.is_finite() { (odds / (1.0 + odds)).min(CONFIDENCE_MAX) } else { CONFIDENCE_MAX }
}

/// Why a campaign was raised.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Id of the campaign.
    pub id: String,
    /// Its confidence.
    pub confidence: f64,
    /// The threshold that the strongest detection had to pass, natural logarithm.
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
    let beyond = |detection: &Detection| detection.likelihood - detection.threshold;
    let strongest =
        campaign.detections.iter().max_by(|one, other| beyond(one).total_cmp(&beyond(other)));
    let likelihood = strongest.map_or(0.0, |detection| detection.likelihood);
    let threshold = strongest.map_or_else(likelihood_threshold, |detection| detection.threshold);
    let contributions =
        strongest.map(|detection| detection.contributions.clone()).unwrap_or_default();
    let changes = contributions.iter().take(2).map(|left_out| {
        let rest = likelihood - left_out.likelihood;
        Change {
            class: left_out.class,
            contacts: left_out.contacts,
            likelihood: rest,
            confidence: confidence(rest, threshold),
            still_decided: rest >= threshold,
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
        threshold,
        likelihood,
        changes: changes.collect(),
        contributions,
        evidence,
    }
}

#[cfg(test)]
mod tests;
