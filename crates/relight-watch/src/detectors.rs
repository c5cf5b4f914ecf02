//! Detectors: decisions about one source, or about many that do the same, over all organisations
//! together. They keep no state.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{
    Attempt, Contribution, Detection, Exposure, OrgId, Severity, SiteId, Timestamp, Tried, registry,
};

use crate::contact::Class;
use crate::decode::Callback;
use crate::known::Claims;
use crate::pool::{Pool, Print, ROWS_MAX, Row, SourceKey, place_of};
use crate::window::{Home, Window};
use crate::{catalogue, path_class};

mod alarm;
mod dossier;
mod places;
mod silence;
mod weights;

pub use alarm::{ALARMS_MAX, Alarm};
pub use dossier::{CROWD_CLIENTS_MAX, Dossier, SHARED_SITES_MIN};
pub use group_sweep::{GROUPS_MAX, MEMBERS_MAX, group_threshold};
pub use places::{Places, SECTORS_MAX};
pub use silence::{LogDay, QUIET_EVENTS_A_DAY, Silence, USUAL_DAYS, silence};
pub use spike::SPIKE_KEYS_MAX;
pub use weights::{ALPHA, BETA, likelihood_threshold};

/// The flaw that a lookup of a remote name uses.
const LOOKUP_FLAW: &str = "CVE-2021-44228";

/// A client with more ordinary users in the sample than this tells nothing about who uses it.
const RARE_USERS_MAX: u32 = 1;

/// Most sources that are looked up because they used a known flaw: a month of a botnet of sixteen
/// hundred addresses a day. Those with the smallest keys are, and a key is the address, mixed.
pub const FLAW_SOURCES_MAX: usize = 50_000;

/// Most doors that a detection names, each at each site once.
pub const TRIED_MAX: usize = 4_096;

/// How the name of a user agent begins.
pub(crate) const AGENT: &str = "agent:";

/// Most fingerprints of a detection.
const FINGERPRINTS_MAX: usize = 16;

/// Most marks of a detection, by which its campaign is known again.
pub const DETECTION_MARKS_MAX: usize = 1_024;

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
    /// Which client made it.
    pub print: Print,
    /// Hash of its door.
    pub door: u64,
}

/// Everything that is known about one source: its distinct contacts in order of time.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// Who.
    pub source: IpAddr,
    /// What it tried, in all organisations.
    pub contacts: Vec<Contact<'a>>,
    /// At how many sites it is at home, if these are so many that it stands for many people.
    pub homes: usize,
    /// It claims the name of a scanner that it is not.
    pub claims: bool,
}

/// Decides about one source, about many together, or both.
pub trait Detector: Sync {
    /// The stable name.
    fn name(&self) -> &'static str;

    /// A decision about one source, or none.
    fn judge(&self, summary: &Summary<'_>) -> Option<Detection> {
        let _ = summary;
        None
    }

    /// What many sources make out together, on rows alone.
    fn alarms(&self, pool: &mut Pool, places: &Places) -> Vec<Alarm> {
        let _ = (pool, places);
        Vec::new()
    }
}

registry! {
    /// Every detector, in alphabetical order.
    pub static DETECTORS: dyn Detector, check = crate::detectors::tests::check;
    emerging, flaw, group_sweep, jndi, sector, slow_sweep, spike, traversal
}

/// What a pool makes worth a look: the first of two steps, on rows alone.
#[derive(Clone, Debug)]
pub struct Found {
    sources: BTreeSet<SourceKey>,
    alarms: Vec<Alarm>,
    /// Clients that more than a few people use.
    common: BTreeSet<u32>,
    /// Sources above it are not looked up for the use of a flaw alone: see [`FLAW_SOURCES_MAX`].
    ceiling: u64,
    claims: Claims,
}

impl Found {
    /// Looks at every source and every group of a pool, whose clients claim these names. The same
    /// pool gives the same, however it was merged.
    pub fn of(pool: &mut Pool, places: &Places, claims: Claims) -> Self {
        let (mut sources, ceiling) = deciding(pool, FLAW_SOURCES_MAX, &claims);
        let mut alarms = Vec::new();
        for detector in DETECTORS {
            alarms.extend(detector.alarms(pool, places));
        }
        sources.extend(alarms.iter().flat_map(|alarm| alarm.members.iter().copied()));
        let users = group_sweep::ordinary_users(pool).into_iter();
        let common =
            users.filter(|(_, count)| !group_sweep::is_rare(count)).map(|(value, _)| value);
        Self { sources, alarms, common: common.collect(), ceiling, claims }
    }

    /// Share of the sources with the use of a flaw that are looked up: below 1 beyond
    /// [`FLAW_SOURCES_MAX`], and then a fair share of everybody.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn share(&self) -> f64 {
        self.ceiling as f64 / u64::MAX as f64
    }

    /// The sources whose contacts decide, to be looked up in the windows.
    pub const fn sources(&self) -> &BTreeSet<SourceKey> {
        &self.sources
    }

    /// Decides about each of them with everything that the windows hold: the second step.
    pub fn judge(&self, dossier: &Dossier, places: &Places) -> Vec<Detection> {
        let mut detections = Vec::new();
        for mut summary in dossier.summaries() {
            let refuted = |it: &Contact<'_>| self.claims.is_refuted(summary.source, it.print.agent);
            summary.claims = summary.contacts.iter().any(refuted);
            for mut made in DETECTORS.iter().filter_map(|detector| detector.judge(&summary)) {
                made.fingerprints = self.rare_prints(dossier, &summary.contacts);
                made.agents = agents(dossier, &summary.contacts);
                detections.push(made);
            }
        }
        let alarms = self.alarms.iter();
        detections.extend(alarms.filter_map(|alarm| alarm.detection(dossier, places, self)));
        detections
    }

    /// Names of the TLS clients of these contacts that hardly anybody uses. User agents are not
    /// among them: whoever likes copies one, and a copy ties nobody to anybody.
    fn rare_prints(&self, dossier: &Dossier, contacts: &[Contact<'_>]) -> Vec<String> {
        let strong = contacts.iter().filter(|contact| contact.class.is_strong());
        let values: BTreeSet<u32> = strong.map(|contact| contact.print.tls).collect();
        let rare = values.into_iter().filter(|value| *value != 0 && !self.common.contains(value));
        rare.take(FINGERPRINTS_MAX).map(|value| dossier.name(value)).collect()
    }
}

/// The sources whose own contacts decide, and the key above which those with the use of a flaw
/// and nothing else are left out.
fn deciding(pool: &mut Pool, flaws_max: usize, claims: &Claims) -> (BTreeSet<SourceKey>, u64) {
    let (mut sources, mut ceiling, mut of_flaws) = (BTreeSet::new(), u64::MAX, 0);
    pool.each_source(|source, rows| {
        let refuted = |row: &Row| claims.is_refuted(source.address(), row.print.agent);
        let claimed = || if rows.iter().any(refuted) { weights::CLAIMED } else { 0.0 };
        let is_enough = || weights::likelihood(rows) + claimed() >= likelihood_threshold();
        if rows[0].class() == Class::Exploit {
            sources.insert(source);
        } else if rows.iter().any(|row| row.class() == Class::Flaw && row.counts()) {
            of_flaws += 1;
            if of_flaws <= flaws_max {
                sources.insert(source);
            } else if of_flaws == flaws_max + 1 {
                ceiling = source.0.saturating_sub(1);
            }
        } else if rows.len() > 1 && is_enough() {
            sources.insert(source);
        }
    });
    (sources, ceiling)
}

/// What these contacts say that they are, as far as windows still hold it.
fn agents(dossier: &Dossier, contacts: &[Contact<'_>]) -> Vec<String> {
    let values: BTreeSet<u32> = contacts.iter().map(|contact| contact.print.agent).collect();
    let names = values.into_iter().filter(|value| *value != 0).map(|value| dossier.name(value));
    let names: BTreeSet<String> = names.filter(|name| name.starts_with(AGENT)).collect();
    names.into_iter().take(FINGERPRINTS_MAX).collect()
}

/// Judges a pool that is one window: everything that is known, of all organisations together.
pub fn judge(window: &Window) -> Vec<Detection> {
    let mut pool = Pool::new(ROWS_MAX);
    let mut home = Home::default();
    home.add(window);
    pool.add(window, &home);
    let places = Places::of_window(window);
    let found = Found::of(&mut pool, &places, Claims::default());
    let mut dossier = Dossier::default();
    dossier.add(window, &home, found.sources());
    found.judge(&dossier, &places)
}

/// A detection about these contacts of these sources.
fn detection(
    detector: &'static str,
    severity: Severity,
    sources: Vec<IpAddr>,
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
    let attempts = attempts(contacts);
    // Reconnaissance by somebody who also used a flaw is told as an attempt, and never as more.
    let of_attempts = if attempts.is_empty() { Severity::Noise } else { Severity::ExploitAttempt };
    Some(Detection {
        detector,
        sources,
        shared: String::new(),
        severity: severity.max(of_attempts),
        first,
        last,
        decided: decided(contacts),
        organisations: organisations.into_iter().collect(),
        sites: sites.into_iter().collect(),
        contacts: u32::try_from(contacts.len()).unwrap_or(u32::MAX),
        likelihood: total(&contributions),
        threshold: likelihood_threshold(),
        contributions,
        callbacks: callbacks.into_iter().collect(),
        fingerprints: Vec::new(),
        agents: Vec::new(),
        attempts,
        tried: tried(contacts),
        origin: contacts.first().map_or(0, mark),
        marks: marks(contacts),
        evidence: evidence(contacts),
    })
}

/// What contacts are told by, the [`DETECTION_MARKS_MAX`] smallest ones. No address is in it.
fn marks(contacts: &[Contact<'_>]) -> Vec<u64> {
    smallest(contacts.iter().map(mark))
}

/// The same for those who have no more than a door in common: marks of a kind of their own, so that
/// the id of the campaign of one of them does not pass to all of them, nor back.
fn marks_of_strangers(detector: &str, contacts: &[Contact<'_>]) -> Vec<u64> {
    smallest(contacts.iter().map(|contact| {
        let mut hasher = path_class::Hasher::new();
        hasher.number(mark(contact));
        detector.bytes().for_each(|byte| hasher.byte(byte));
        hasher.finish()
    }))
}

fn smallest(marks: impl Iterator<Item = u64>) -> Vec<u64> {
    let marks: BTreeSet<u64> = marks.collect();
    marks.into_iter().take(DETECTION_MARKS_MAX).collect()
}

/// The place, the door and the time of a contact as one number.
fn mark(contact: &Contact<'_>) -> u64 {
    let mut hasher = path_class::Hasher::new();
    hasher.number(u64::from(place_of(contact.org, contact.site)));
    hasher.number(contact.door);
    hasher.number(contact.first.cast_unsigned());
    hasher.finish()
}

/// The contact after which the evidence was enough: contacts only add to the sum, in order of
/// time, so this moment does not change when more becomes known later.
fn decided(contacts: &[Contact<'_>]) -> Timestamp {
    let enough = |count: &usize| {
        total(&weights::contributions(&contacts[..*count])) >= likelihood_threshold()
    };
    let last = contacts.len().saturating_sub(1);
    let count = (1..=contacts.len()).find(enough).map_or(last, |count| count - 1);
    contacts.get(count).map_or(0, |contact| contact.first)
}

/// Where and when payloads that would have worked arrived, and requests that use a known flaw.
fn attempts(contacts: &[Contact<'_>]) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for contact in contacts {
        let (at, site, exposure) = (contact.first, contact.site, Exposure::Unknown);
        let mut add = |flaw| attempts.push(Attempt { at, site, flaw, exposure });
        match contact.class {
            Class::Exploit => add(LOOKUP_FLAW),
            Class::Flaw => catalogue::of_door(contact.door)
                .into_iter()
                .flat_map(|entry| &entry.cves)
                .for_each(|flaw| add(flaw)),
            _ => {}
        }
    }
    attempts
}

/// The doors of the catalogue among these contacts, at the sites that the log tells.
fn tried(contacts: &[Contact<'_>]) -> Vec<Tried> {
    let doors = contacts.iter().filter(|contact| contact.class.is_door());
    let mut first: BTreeMap<(SiteId, &'static str), Timestamp> = BTreeMap::new();
    for contact in doors {
        let Some((site, door)) = contact.site.zip(catalogue::id_of(contact.door)) else { continue };
        let at = first.entry((site, door)).or_insert(contact.first);
        *at = (*at).min(contact.first);
    }
    let tried = first.into_iter().map(|((site, door), at)| Tried { site, door, at });
    tried.take(TRIED_MAX).collect()
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
    let entry = contact
        .class
        .is_door()
        .then(|| catalogue::id_of(contact.door).or_else(|| catalogue::probe(contact.text)));
    let class = contact.class.as_str();
    let class = entry.flatten().map_or_else(|| class.to_owned(), |entry| format!("probe:{entry}"));
    let (org, day) = (contact.org.0, crate::civil::day(contact.first));
    format!("{org}, {site}, {day}, {}, {class}, {}", contact.status, contact.text)
}

#[cfg(test)]
mod tests;
