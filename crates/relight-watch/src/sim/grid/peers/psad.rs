//! psad 2.4.6 as shipped, level 1: five packets of one address to another one within an hour of the
//! first, at two ports or more; or ten addresses in one round of its main loop.
//!
//! It looks every five seconds, and at every fifth look forgets pairs whose first packet is an hour
//! old. What is new is looked at before.

use std::collections::{BTreeSet, HashMap};

use relight_model::Timestamp;

use super::Knock;

/// `CHECK_INTERVAL` in seconds, and `PERSISTENCE_CTR_THRESHOLD`: looks until one forgets.
const CHECK_S: Timestamp = 5;
const FORGET_EVERY: Timestamp = 5;

/// `SCAN_TIMEOUT` in seconds.
const TIMEOUT_S: Timestamp = 3_600;

/// `DANGER_LEVEL1`, `PORT_RANGE_SCAN_THRESHOLD` and `DL1_UNIQUE_HOSTS`.
const PACKETS_MIN: u32 = 5;
const RANGE_MIN: u16 = 1;
const HOSTS_MIN: usize = 10;

/// See the head of the file.
#[derive(Default)]
pub(super) struct Psad {
    pairs: HashMap<(u32, u32), Pair>,
    rounds: HashMap<u32, Round>,
}

/// What one address sent to another.
struct Pair {
    since: Timestamp,
    packets: u32,
    low: u16,
    high: u16,
}

/// Whom an address tried in one round.
#[derive(Default)]
struct Round {
    number: Timestamp,
    hosts: BTreeSet<u32>,
}

impl Psad {
    /// One more packet; says whether its source has a danger level.
    pub(super) fn see(&mut self, knock: &Knock, port: u16) -> bool {
        let number = knock.at.div_euclid(CHECK_S);
        let round = self.rounds.entry(knock.source).or_default();
        if round.number != number {
            *round = Round { number, hosts: BTreeSet::new() };
        }
        round.hosts.insert(knock.site);
        let is_sweep = round.hosts.len() >= HOSTS_MIN;
        let pair = self.pairs.entry((knock.source, knock.site));
        let pair = pair.or_insert_with(|| Pair::new(number));
        if pair.is_forgotten(number) {
            *pair = Pair::new(number);
        }
        pair.packets += 1;
        (pair.low, pair.high) = (pair.low.min(port), pair.high.max(port));
        is_sweep || pair.packets >= PACKETS_MIN && pair.high - pair.low >= RANGE_MIN
    }
}

impl Pair {
    const fn new(round: Timestamp) -> Self {
        Self { since: seen_at(round), packets: 0, low: u16::MAX, high: 0 }
    }

    /// The last look before this round that forgets came an hour or more after the first packet.
    const fn is_forgotten(&self, round: Timestamp) -> bool {
        let last = (round - 1).div_euclid(FORGET_EVERY) * FORGET_EVERY;
        seen_at(last) - self.since >= TIMEOUT_S
    }
}

/// When a round is looked at.
const fn seen_at(round: Timestamp) -> Timestamp {
    (round + 1) * CHECK_S
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether packets at these moments, to these addresses and ports, give a danger level.
    fn is_flagged(packets: impl IntoIterator<Item = (Timestamp, u32, u16)>) -> bool {
        let mut psad = Psad::default();
        let mut found = false;
        for (at, site, port) in packets {
            let path = "/";
            let knock =
                Knock { at, source: 1, site, path, status: 404, tls: 0, agent: 0, in_site: false };
            found |= psad.see(&knock, port);
        }
        found
    }

    #[test]
    fn five_packets_to_two_ports_within_an_hour() {
        let to = |count: i64, gap: i64| (0..count).map(move |it| (it * gap, 1, 80 + it as u16));
        assert!(is_flagged(to(5, 1)) && !is_flagged(to(4, 1)));
        assert!(is_flagged(to(5, 900)), "the fifth comes before the look that forgets");
        assert!(!is_flagged(to(5, 910)) && !is_flagged(to(200, 910)));
        assert!(!is_flagged((0..50).map(|at| (at, 1, 80))), "one port is no scan");
    }

    #[test]
    fn ten_addresses_count_in_one_round_only() {
        assert!(is_flagged((0..10).map(|site| (100, site, 80))));
        assert!(!is_flagged((0..9).map(|site| (100, site, 80))));
        assert!(!is_flagged((0..200).map(|site| (100 + i64::from(site), site, 80))));
    }
}
