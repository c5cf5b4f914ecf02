//! Scanners that are known and mean well, kept apart and never dropped: crawlers, measurement
//! projects, monitors, own scanners, partners, and tests that somebody authorised.
//!
//! The list is the operator's own, with the ranges that each publishes: a name in a user agent
//! proves nothing, and one that is claimed from another address is told. No list is shipped,
//! because such ranges change every week.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Campaign, Severity, Timestamp};

use crate::civil;
use crate::detectors::AGENT;

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
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownScanners {
    entries: Vec<Entry>,
    /// Names that a user agent can claim, by their small letters: few, of many networks.
    claimable: BTreeMap<String, String>,
}

impl KnownScanners {
    /// Reads `reason,name,network[,first day,last day]`, one a line; `#` begins a remark. A test
    /// must have both days. Lines that are none are told by number and code, and the others hold.
    pub fn parse(text: &str) -> (Self, Vec<(usize, &'static str)>) {
        let (mut entries, mut faults) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines().take(KNOWN_MAX)) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match entry(line) {
                Ok(entry) => entries.push(entry),
                Err(code) => faults.push((number, code)),
            }
        }
        if text.lines().nth(KNOWN_MAX).is_some() {
            faults.push((KNOWN_MAX + 1, "known-limit"));
        }
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
            for agent in detection.agents.iter().chain([&detection.shared]) {
                let Some(agent) = agent.strip_prefix(AGENT) else { continue };
                let agent = agent.to_ascii_lowercase();
                let claimed = self.claimable.iter().filter(|(word, _)| is_claimed(&agent, word));
                let strange = claimed.filter(|(_, name)| {
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
    /// own scanner or a test within its days.
    pub fn put_apart(&self, campaign: &mut Campaign) {
        campaign.spoofed = self.spoofed(campaign);
        let between = (campaign.first, campaign.last);
        let of = |source: &IpAddr| self.entries.iter().find(|entry| entry.covers(*source, between));
        let known: Option<Vec<&Entry>> = campaign.sources.iter().map(of).collect();
        let Some(known) = known.filter(|known| !known.is_empty()) else { return };
        let agreed = known.iter().all(|entry| entry.reason.may_attack());
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

    fn covers(&self, source: IpAddr, (first, last): (Timestamp, Timestamp)) -> bool {
        self.between.0 <= first && last < self.between.1 && is_within(source, self.network)
    }
}

/// A user agent has the name as a word of its own; both are in small letters.
fn is_claimed(agent: &str, name: &str) -> bool {
    let is_border = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    agent.match_indices(name).any(|(at, _)| {
        is_border(agent[..at].chars().next_back())
            && is_border(agent[at + name.len()..].chars().next())
    })
}

fn entry(line: &str) -> Result<Entry, &'static str> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let (reason, name, network, days) = match fields[..] {
        [reason, name, network] => (reason, name, network, None),
        [reason, name, network, first, last] => (reason, name, network, Some((first, last))),
        _ => return Err("known-fields"),
    };
    let reason = Reason::ALL.into_iter().find(|it| it.as_str() == reason).ok_or("known-reason")?;
    if name.is_empty() {
        return Err("known-name");
    }
    let between = match days {
        Some((first, last)) => {
            let day = |text| civil::parse_day(text).ok_or("known-day");
            (day(first)?, day(last)? + civil::DAY)
        }
        None if reason == Reason::Test => return Err("known-test-days"),
        None => (Timestamp::MIN, Timestamp::MAX),
    };
    let network = network_of(network).ok_or("known-network")?;
    Ok(Entry { reason, name: name.to_owned(), network, between })
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
mod tests {
    use relight_model::{Attempt, Detection, Exposure};

    use super::*;

    const LIST: &str = "# ours\nresearch, Census Example, 198.51.100.0/24\n\
                        crawler, Search, 2001:db8::/32\n\
                        test, Pentest Nord, 203.0.113.9, 2021-12-01, 2021-12-10\n";

    /// 2021-12-05.
    const AT: Timestamp = 1_638_662_400;

    fn campaign(sources: &[&str], days: i64, attacks: bool) -> Campaign {
        let attempt =
            Attempt { at: AT, site: None, flaw: "CVE-2021-44228", exposure: Exposure::Unknown };
        Campaign {
            id: "C-0001".to_owned(),
            formerly: Vec::new(),
            severity: if attacks { Severity::ExploitAttempt } else { Severity::Reconnaissance },
            confidence: 0.9,
            first: AT,
            last: AT + days * civil::DAY,
            sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
            organisations: Vec::new(),
            sites: Vec::new(),
            aimed_at: Vec::new(),
            shared: Vec::new(),
            attempts: if attacks { vec![attempt] } else { Vec::new() },
            signs: Vec::new(),
            known: Vec::new(),
            spoofed: Vec::new(),
            gathered: 0,
            marks: Vec::new(),
            marks_until: u64::MAX,
            detections: Vec::new(),
        }
    }

    fn put(sources: &[&str], days: i64, attacks: bool) -> Vec<String> {
        let (list, faults) = KnownScanners::parse(LIST);
        assert_eq!(faults, []);
        let mut campaign = campaign(sources, days, attacks);
        let before = campaign.severity;
        list.put_apart(&mut campaign);
        let apart = campaign.severity == Severity::Noise;
        assert_eq!(apart, !campaign.known.is_empty());
        assert!(apart || campaign.severity == before);
        campaign.known
    }

    #[test]
    fn only_campaigns_of_known_sources_alone_are_put_apart() {
        assert_eq!(
            put(&["198.51.100.7", "198.51.100.250"], 40, false),
            ["research: Census Example"]
        );
        assert_eq!(
            put(&["198.51.100.7", "2001:db8:5::1"], 40, false),
            ["crawler: Search", "research: Census Example"]
        );
        assert_eq!(put(&["198.51.100.7", "198.51.101.7"], 40, false), [] as [&str; 0]);
        assert_eq!(put(&["2001:db9::1"], 1, false), [] as [&str; 0]);
    }

    fn detection(sources: Vec<IpAddr>, agent: &str, shared: &str) -> Detection {
        Detection {
            detector: "slow_sweep",
            sources,
            shared: shared.to_owned(),
            severity: Severity::Reconnaissance,
            first: AT,
            last: AT,
            decided: AT,
            organisations: Vec::new(),
            sites: Vec::new(),
            contacts: 1,
            likelihood: 1.0,
            threshold: 1.0,
            contributions: Vec::new(),
            callbacks: Vec::new(),
            fingerprints: Vec::new(),
            agents: vec![agent.to_owned()],
            attempts: Vec::new(),
            origin: 0,
            marks: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// Trap: a claimed crawler.
    #[test]
    fn a_name_that_is_claimed_from_a_strange_address_is_told() {
        let list = "crawler,Examplebot,66.249.64.0/19\ncrawler,Examplebot,2001:db8:7::/48\n\
                    monitor,Up,192.0.2.0/24\nown-scanner,Nessus,192.0.2.0/24\n";
        let (list, faults) = KnownScanners::parse(list);
        assert_eq!(faults, []);
        let spoofed = |sources: &[&str], agent: &str, shared: &str| {
            let mut campaign = campaign(sources, 1, false);
            let sources = campaign.sources.clone();
            campaign.detections.push(detection(sources, agent, shared));
            list.put_apart(&mut campaign);
            (campaign.spoofed, campaign.known.is_empty())
        };
        let bot = "agent:Mozilla/5.0 (compatible; examplebot/2.1; +http://www.example.com/bot)";
        let claimed = (vec!["Examplebot".to_owned()], true);
        assert_eq!(spoofed(&["198.51.100.7"], bot, ""), claimed);
        assert_eq!(spoofed(&["198.51.100.7"], "", bot), claimed, "a group of them");
        for own in ["66.249.70.1", "2001:db8:7:1::"] {
            assert_eq!(spoofed(&[own], bot, ""), (vec![], false), "{own}");
        }
        for agent in [
            "agent:Examplebots/1",
            "agent:NotExamplebot",
            "agent:up and away",
            "agent:Nessus",
            "ja4:Examplebot",
            "",
        ] {
            assert_eq!(spoofed(&["198.51.100.7"], agent, "").0, [""; 0], "{agent}");
        }
    }

    /// Sources of version 6 are kept as their /64, however exactly the list names them.
    #[test]
    fn a_network_is_known_as_sources_are_kept() {
        for (network, source, is_known) in [
            ("2001:db8:5:6::7", "2001:db8:5:6::", true),
            ("2001:db8:5:6::7/128", "2001:db8:5:6::", true),
            ("2001:db8:5:6:7::/80", "2001:db8:5:6::", true),
            ("2001:db8:5:6::7", "2001:db8:5:7::", false),
            ("::ffff:192.0.2.9", "192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.2.9", true),
            ("::ffff:192.0.2.8", "192.0.2.9", false),
        ] {
            let (list, faults) = KnownScanners::parse(&format!("monitor,y,{network}\n"));
            assert_eq!(faults, [], "{network}");
            let mut campaign = campaign(&[source], 1, false);
            list.put_apart(&mut campaign);
            assert_eq!(campaign.severity == Severity::Noise, is_known, "{network} {source}");
        }
        assert_eq!(network_of("::ffff:0.0.0.0/96"), None, "everybody");
    }

    /// A test holds in its days, also for block lists.
    #[test]
    fn the_networks_of_a_list_are_those_that_hold() {
        let (list, _) = KnownScanners::parse(LIST);
        assert_eq!(list.networks(AT).count(), 3);
        assert_eq!(list.networks(AT + 9 * 86_400).count(), 2);
    }

    /// Traps: an own scanner outside its window, and a list that silences an attack.
    #[test]
    fn a_test_holds_in_its_days_and_no_crawler_may_attack() {
        assert_eq!(put(&["203.0.113.9"], 5, true), ["test: Pentest Nord"]);
        assert_eq!(put(&["203.0.113.9"], 6, true), [] as [&str; 0], "a day too long");
        assert_eq!(put(&["198.51.100.7"], 1, true), [] as [&str; 0]);
        assert_eq!(put(&["203.0.113.9", "198.51.100.7"], 1, true), [] as [&str; 0]);
    }

    #[test]
    fn lines_that_are_none_are_told() {
        for (line, code) in [
            ("research,x", "known-fields"),
            ("friend,x,192.0.2.1", "known-reason"),
            ("research,,192.0.2.1", "known-name"),
            ("research,x,192.0.2.1/33", "known-network"),
            ("research,x,0.0.0.0/0", "known-network"),
            ("research,x,example.org", "known-network"),
            ("test,x,192.0.2.1", "known-test-days"),
            ("test,x,192.0.2.1,2021-13-01,2021-12-02", "known-day"),
        ] {
            let text = format!("monitor,y,192.0.2.9\n{line}\n");
            let (list, faults) = KnownScanners::parse(&text);
            assert_eq!((list.entries.len(), faults), (1, vec![(2, code)]), "{line}");
        }
        let many = "monitor,y,192.0.2.9\n".repeat(KNOWN_MAX + 1);
        let (list, faults) = KnownScanners::parse(&many);
        assert_eq!((list.entries.len(), faults), (KNOWN_MAX, vec![(KNOWN_MAX + 1, "known-limit")]));
    }
}
