//! Scanners that are known and mean well, kept apart and never dropped: crawlers, measurement
//! projects, monitors, own scanners, partners, and tests that somebody authorised.
//!
//! The list is the operator's own, with the ranges that each publishes: a name in a user agent
//! proves nothing, and one that is claimed from another address is told. No list is shipped,
//! because such ranges change every week.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Campaign, OrgId, Severity, SiteId, Timestamp};

use crate::detectors::AGENT;
use crate::list::Faults;
use crate::{civil, list};

mod claims;

pub use claims::Claims;

/// Most lines of a list that are read.
pub const KNOWN_MAX: usize = 100_000;

/// Shortest name that a user agent can claim, in bytes.
const CLAIMED_BYTES_MIN: usize = 4;

/// Why somebody scans who means well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Reads pages for a search engine or an archive.
    Crawler,
    /// Measures the internet.
    Research,
    /// Asks whether a site is there.
    Monitor,
    /// The organisation's own scanner.
    OwnScanner,
    /// Somebody with whom this was agreed.
    Partner,
    /// An authorised test, between two dates.
    Test,
}

impl Reason {
    const ALL: [Self; 6] =
        [Self::Crawler, Self::Research, Self::Monitor, Self::OwnScanner, Self::Partner, Self::Test];

    /// The stable name used in lists and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crawler => "crawler",
            Self::Research => "research",
            Self::Monitor => "monitor",
            Self::OwnScanner => "own-scanner",
            Self::Partner => "partner",
            Self::Test => "test",
        }
    }

    /// Payloads from such a source are part of what was agreed.
    const fn may_attack(self) -> bool {
        matches!(self, Self::OwnScanner | Self::Test)
    }
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    reason: Reason,
    name: String,
    network: (IpAddr, u8),
    /// First moment and first moment after it.
    between: (Timestamp, Timestamp),
    /// Where it holds; `None` for everywhere, and then it may attack nowhere.
    scope: Option<Scope>,
}

/// Organisations and sites that somebody agreed to have tested.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Whole organisations.
    pub organisations: BTreeSet<OrgId>,
    /// Sites, those of these organisations too.
    pub sites: BTreeSet<SiteId>,
}

impl Scope {
    /// Everything that a campaign met lies in it. What met an organisation and the log does not
    /// say where needs the whole organisation.
    fn holds(&self, campaign: &Campaign) -> bool {
        let (sites, organisations) = (&campaign.sites, &campaign.organisations);
        let is_placed = !sites.is_empty() && campaign.attempts.iter().all(|it| it.site.is_some());
        sites.iter().all(|site| self.sites.contains(site))
            && (is_placed || organisations.iter().all(|org| self.organisations.contains(org)))
    }
}

/// What a name of a list means: an organisation with its sites, or one site.
pub type Meaning<'a> = &'a dyn Fn(&str) -> Option<Scope>;

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownScanners {
    entries: Vec<Entry>,
    /// Names that a user agent can claim, by their small letters: few, of many networks.
    claimable: BTreeMap<String, String>,
}

impl KnownScanners {
    /// Reads `reason,name,network[,first day,last day[,where,who asked,who agreed]]`, one a line;
    /// `#` begins a remark. `where` names organisations and sites with a semicolon in between. A
    /// test must have all of them, and two different names; an own scanner without `where` is
    /// known, and its payloads are attempts like any. Lines that are none are told by number and
    /// code, and the others hold.
    pub fn parse(text: &str, meaning: Meaning<'_>) -> (Self, Faults) {
        let (entries, faults) =
            list::read(text, (KNOWN_MAX, "known-limit"), |line| entry(line, meaning));
        let claimable = entries.iter().filter_map(Entry::claimable).collect();
        (Self { entries, claimable }, faults)
    }

    /// The networks whose lines hold at that time: nobody of these is to be blocked.
    pub fn networks(&self, now: Timestamp) -> impl Iterator<Item = (IpAddr, u8)> {
        let holds = move |entry: &&Entry| entry.between.0 <= now && now < entry.between.1;
        self.entries.iter().filter(holds).map(|entry| entry.network)
    }

    /// The names that user agents of a campaign claim from addresses which the list does not give
    /// to them. A name that is not on the list can be neither proven nor refuted.
    fn spoofed(&self, campaign: &Campaign) -> Vec<String> {
        let mut spoofed = BTreeSet::new();
        for detection in &campaign.detections {
            for client in detection.agents.iter().chain([&detection.shared]) {
                let strange = claimed(&self.claimable, client).filter(|(_, name)| {
                    let mut sources = detection.sources.iter();
                    sources.any(|source| !self.is_of(name, *source))
                });
                spoofed.extend(strange.map(|(_, name)| name.clone()));
            }
        }
        spoofed.into_iter().collect()
    }

    /// Some line gives the address to this name.
    fn is_of(&self, name: &str, source: IpAddr) -> bool {
        let mut own = self.entries.iter().filter(|entry| entry.name.eq_ignore_ascii_case(name));
        own.any(|entry| is_within(source, entry.network))
    }

    /// Puts a campaign apart if every source of it is known and means well: it becomes background
    /// noise with a name. Payloads that would have worked are never silenced, except those of an
    /// own scanner or a test within its days and only at the places that were agreed.
    pub fn put_apart(&self, campaign: &mut Campaign) {
        campaign.spoofed = self.spoofed(campaign);
        let between = (campaign.first, campaign.last);
        let is_here = |entry: &&Entry| entry.scope.as_ref().is_none_or(|it| it.holds(campaign));
        let of = |source: &IpAddr| {
            let mut lines = self.entries.iter().filter(is_here);
            let covers = |entry: &&Entry| entry.covers(*source, between);
            let agreed = lines.clone().find(|entry| covers(entry) && entry.has_agreed());
            agreed.or_else(|| lines.find(covers))
        };
        let known: Option<Vec<&Entry>> = campaign.sources.iter().map(of).collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else { return };
        let agreed = known.iter().all(|entry| entry.has_agreed());
        if !campaign.attempts.is_empty() && !agreed || !campaign.signs.is_empty() {
            return;
        }
        let name = |entry: &&Entry| format!("{}: {}", entry.reason.as_str(), entry.name);
        let mut names: Vec<String> = known.iter().map(name).collect();
        names.sort_unstable();
        names.dedup();
        campaign.known = names;
        campaign.severity = Severity::Noise;
    }
}

impl Entry {
    /// The name in small letters and as it is written, if somebody may claim it; a short one may be
    /// anybody's word.
    fn claimable(&self) -> Option<(String, String)> {
        let is_name = !self.reason.may_attack() && self.name.len() >= CLAIMED_BYTES_MIN;
        is_name.then(|| (self.name.to_ascii_lowercase(), self.name.clone()))
    }

    /// Payloads from it, where the line holds, are part of what was agreed.
    const fn has_agreed(&self) -> bool {
        self.reason.may_attack() && self.scope.is_some()
    }

    fn covers(&self, source: IpAddr, (first, last): (Timestamp, Timestamp)) -> bool {
        self.between.0 <= first && last < self.between.1 && is_within(source, self.network)
    }
}

/// What goes with each name, by its small letters, that a client claims as a user agent.
fn claimed<'a, T>(
    names: &'a BTreeMap<String, T>,
    client: &str,
) -> impl Iterator<Item = (&'a String, &'a T)> {
    let agent = client.strip_prefix(AGENT).map(str::to_ascii_lowercase);
    let is_claimed = move |name: &str| agent.as_ref().is_some_and(|it| is_claimed(it, name));
    names.iter().filter(move |(name, _)| is_claimed(name))
}

/// A user agent has the name as a word of its own; both are in small letters.
fn is_claimed(agent: &str, name: &str) -> bool {
    let is_border = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    agent.match_indices(name).any(|(at, _)| {
        is_border(agent[..at].chars().next_back())
            && is_border(agent[at + name.len()..].chars().next())
    })
}

fn entry(line: &str, meaning: Meaning<'_>) -> Result<Entry, &'static str> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let ([reason, name, network], rest) = fields.split_first_chunk().ok_or("known-fields")?;
    let (days, agreed) = match rest {
        [] => (None, None),
        [first, last] => (Some((*first, *last)), None),
        [first, last, agreed @ ..] if agreed.len() == 3 => (Some((*first, *last)), Some(agreed)),
        _ => return Err("known-fields"),
    };
    let reason = Reason::ALL.into_iter().find(|it| it.as_str() == *reason).ok_or("known-reason")?;
    if name.is_empty() {
        return Err("known-name");
    }
    let between = between(reason, days)?;
    let scope = match agreed {
        Some(agreed) => Some(agreed_scope(agreed, meaning)?),
        None if reason == Reason::Test => return Err("known-test-scope"),
        None => None,
    };
    let network = network_of(network).ok_or("known-network")?;
    Ok(Entry { reason, name: (*name).to_owned(), network, between, scope })
}

fn between(
    reason: Reason,
    days: Option<(&str, &str)>,
) -> Result<(Timestamp, Timestamp), &'static str> {
    match days {
        None | Some(("", "")) if reason == Reason::Test => Err("known-test-days"),
        None | Some(("", "")) => Ok((Timestamp::MIN, Timestamp::MAX)),
        Some((first, last)) => {
            let day = |text| civil::parse_day(text).ok_or("known-day");
            Ok((day(first)?, day(last)? + civil::DAY))
        }
    }
}

/// Where something was agreed, when two people did: one alone may be whoever attacks.
fn agreed_scope(agreed: &[&str], meaning: Meaning<'_>) -> Result<Scope, &'static str> {
    let [places, asked, consented] = agreed else { return Err("known-fields") };
    let is_nobody = asked.is_empty() || consented.is_empty();
    if is_nobody || asked.to_lowercase() == consented.to_lowercase() {
        return Err("known-two-names");
    }
    let mut scope = Scope::default();
    for place in places.split(';').map(str::trim) {
        let meant = meaning(place).ok_or("known-place")?;
        scope.organisations.extend(meant.organisations);
        scope.sites.extend(meant.sites);
    }
    Ok(scope)
}

/// An address, or a network no longer than its addresses. `/0` is everybody, and nobody means that.
fn network_of(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let length = match length {
        Some(length) => Some(length.parse().ok()?),
        None => None,
    };
    canonical_network(address.parse().ok()?, length).filter(|(_, length)| *length > 0)
}

/// A network, or one address, as sources are compared: what is written as `::ffff:192.0.2.1` is of
/// version 4. `None` when the length is longer than the address.
pub fn canonical_network(address: IpAddr, length: Option<u8>) -> Option<(IpAddr, u8)> {
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(bits);
    if length > bits {
        return None;
    }
    let canonical = address.to_canonical();
    if canonical.is_ipv4() && address.is_ipv6() && length >= 96 {
        return Some((canonical, length - 96));
    }
    Some((address, length))
}

/// A source of version 6 is kept as its /64, so no more than that can be compared.
fn is_within(source: IpAddr, (network, length): (IpAddr, u8)) -> bool {
    match (source.to_canonical(), network) {
        (IpAddr::V4(source), IpAddr::V4(network)) => {
            (u32::from(source) ^ u32::from(network)) >> (32 - u32::from(length)) == 0
        }
        (IpAddr::V6(source), IpAddr::V6(network)) => {
            let length = u32::from(length.min(64));
            (u128::from(source) ^ u128::from(network)) >> (128 - length) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
