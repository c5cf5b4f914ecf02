//! Who claims to be a scanner that means well, from an address that is not its.
//!
//! A name that a list ties to networks can be refuted. Whoever claims one from elsewhere says so
//! to be let in: that is evidence, once for a source, and never enough alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::{KnownScanners, claimed};
use crate::window::Window;

/// First and last address of networks, in order, none touching another; those of version 4 as
/// version 6 writes them.
type Ranges = Arc<[(u128, u128)]>;

/// See the head of the file. By default nobody claims anything.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// The networks of each name that can be claimed, by its small letters.
    names: BTreeMap<String, Ranges>,
    /// Those of each name that a user agent claims, by the hash of the agent.
    agents: BTreeMap<u32, Vec<Ranges>>,
    /// Clients that were looked at: most are in many windows, and claim nothing.
    seen: BTreeSet<u32>,
}

impl Claims {
    /// With the names of a list.
    pub fn of(known: &KnownScanners) -> Self {
        let mut names: BTreeMap<String, Vec<(u128, u128)>> = BTreeMap::new();
        for entry in &known.entries {
            let name = entry.name.to_ascii_lowercase();
            if known.claimable.contains_key(&name) {
                names.entry(name).or_default().push(range(entry.network));
            }
        }
        let names = names.into_iter().map(|(name, ranges)| (name, in_order(ranges)));
        Self { names: names.collect(), ..Self::default() }
    }

    /// Looks at the names of the clients of a window.
    pub fn add(&mut self, window: &Window) {
        self.looks(window);
    }

    /// The same; gives how many were looked at, which are those that no window before had.
    fn looks(&mut self, window: &Window) -> usize {
        if self.names.is_empty() {
            return 0;
        }
        let before = self.seen.len();
        for (hash, client) in &window.prints {
            if self.seen.insert(*hash) {
                let ranges = claimed(&self.names, client).map(|(_, ranges)| ranges.clone());
                let ranges: Vec<Ranges> = ranges.collect();
                if !ranges.is_empty() {
                    self.agents.insert(*hash, ranges);
                }
            }
        }
        self.seen.len() - before
    }

    /// A source with this user agent claims a name that is not its.
    pub(crate) fn is_refuted(&self, source: IpAddr, agent: u32) -> bool {
        let Some(claimed) = self.agents.get(&agent) else { return false };
        let source = number(source);
        claimed.iter().any(|ranges| !holds(ranges, source))
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// First and last address of a network; a source of version 6 is kept as its /64, so no more than
/// that can be compared.
fn range((network, length): (IpAddr, u8)) -> (u128, u128) {
    let length = if network.is_ipv4() { 96 + length } else { length.min(64) };
    let behind = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
    (number(network) & !behind, number(network) | behind)
}

fn in_order(mut ranges: Vec<(u128, u128)>) -> Ranges {
    ranges.sort_unstable();
    let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match joined.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = (*end).max(last),
            _ => joined.push((first, last)),
        }
    }
    joined.into()
}

fn holds(ranges: &[(u128, u128)], address: u128) -> bool {
    let behind = ranges.partition_point(|(first, _)| *first <= address);
    behind.checked_sub(1).is_some_and(|at| address <= ranges[at].1)
}

#[cfg(test)]
mod tests {
    use relight_model::{Event, OrgId, SiteId};
    use testkit::Rng;

    use super::super::is_within;
    use super::*;
    use crate::detectors::{Found, Places, judge};
    use crate::{Dossier, Home, Pool, ROWS_MAX};

    #[test]
    fn ranges_are_the_networks_that_they_are_of() {
        let mut rng = Rng::new(9);
        let mut held = 0;
        for _ in 0..3_000 {
            let v4 = rng.chance(50);
            let mut address = || match v4 {
                true => IpAddr::from([10, rng.below(2) as u8, rng.below(4) as u8, 7]),
                false => IpAddr::from([0x2001, 0xdb8, rng.below(3) as u16, 1, 0, 0, 0, 0]),
            };
            let (one, other, source) = (address(), address(), address());
            let bits = if v4 { 32 } else { 128 };
            let networks = [one, other].map(|it| (it, 1 + rng.below(bits) as u8));
            let expected = networks.iter().any(|network| is_within(source, *network));
            let ranges = in_order(networks.map(range).to_vec());
            assert_eq!(holds(&ranges, number(source)), expected, "{networks:?} {source}");
            held += u32::from(expected);
        }
        assert!((1_000..2_900).contains(&held), "{held}");
    }

    /// A client is in the windows of every day: it is looked at in the first.
    #[test]
    fn a_client_is_looked_at_once() {
        let list = "crawler,Examplebot,192.0.2.0/24\n";
        let mut claims = Claims::of(&KnownScanners::parse(list, &|_| None).0);
        let window = |agents: &[&str]| {
            let mut window = Window::new(1);
            for agent in agents {
                let source = IpAddr::from([198, 51, 100, 7]);
                let event = Event { path: "/a/b", status: 404, ..Event::bare(OrgId(1), 0, source) };
                window.observe(&Event { user_agent: agent, ..event });
            }
            window
        };
        let both = window(&["Mozilla/5.0", "Examplebot/1"]);
        let looks = [&both, &both, &window(&["curl/8", "Mozilla/5.0"]), &both];
        assert_eq!(looks.map(|window| claims.looks(window)), [2, 0, 1, 0]);
        assert_eq!(claims.agents.len(), 1);
        assert_eq!(Claims::default().looks(&both), 0, "without a list nobody is");
    }

    /// Misses at four sites are one too few, unless who makes them claims a name.
    #[test]
    fn a_claim_that_is_refuted_weighs_as_a_miss_at_another_site() {
        let list = "crawler,Examplebot,192.0.2.0/24\n";
        let known = KnownScanners::parse(list, &|_| None).0;
        let decides = |sites: u32, last: u8, agent: &str, known: &KnownScanners| {
            let source = IpAddr::from([198, 51, last, 7]);
            let mut window = Window::new(1);
            for site in 0..sites {
                let (site, path) = (Some(SiteId(site)), format!("/a{site}z"));
                let event =
                    Event { site, path: &path, status: 404, ..Event::bare(OrgId(1), 0, source) };
                window.observe(&Event { user_agent: agent, ..event });
            }
            let (mut pool, mut home) = (Pool::new(ROWS_MAX), Home::default());
            home.add(&window);
            pool.add(&window, &home);
            let mut claims = Claims::of(known);
            claims.add(&window);
            let places = Places::of_window(&window);
            let found = Found::of(&mut pool, &places, claims);
            let mut dossier = Dossier::default();
            dossier.add(&window, &home, found.sources());
            found.judge(&dossier, &places).len()
        };
        let bot = "Mozilla/5.0 (compatible; examplebot/2.1)";
        assert_eq!(decides(4, 1, bot, &KnownScanners::default()), 0);
        assert_eq!(decides(4, 1, "Mozilla/5.0", &known), 0);
        assert_eq!(decides(4, 1, bot, &known), 1);
        assert_eq!(decides(2, 1, bot, &known), 0, "a claim and two misses are no sweep");
        let own = KnownScanners::parse("crawler,Examplebot,198.51.0.0/16\n", &|_| None).0;
        assert_eq!(decides(4, 1, bot, &own), 0, "it is who it says");
        assert_eq!(judge(&Window::new(0)), []);
    }
}
