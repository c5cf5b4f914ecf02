//! The published rules of other programs, on the same events. Each knows one address at one
//! place; none joins months, organisations or clients.

mod log;
mod psad;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use relight_model::{OrgId, Timestamp};

use super::Knock;
use crate::path_class;
use psad::Psad;

pub use log::{PeerLog, peer_log};

/// The rules by name.
pub const RULES: [&str; 5] = ["crowdsec", "fail2ban", "psad", "zeek", "trw-organisation"];

/// Addresses that a rule flagged, and when first.
pub type Flagged = BTreeMap<u32, Timestamp>;

/// The state of every rule.
#[derive(Default)]
pub(super) struct Peers {
    buckets: HashMap<(u32, u32), Bucket>,
    recent: HashMap<u32, Recent>,
    doors: HashMap<(u32, u32), VecDeque<(Timestamp, u32)>>,
    psad: Psad,
    walks: HashMap<(u32, OrgId), Walk>,
    pub(super) flagged: [Flagged; RULES.len()],
}

/// CrowdSec's `http-probing`: one address at one host, distinct paths, capacity 10, one leaks in
/// ten seconds.
#[derive(Default)]
struct Bucket {
    level: f64,
    at: Timestamp,
    paths: BTreeSet<&'static str>,
}

/// For fail2ban 1.0.2: five failures in ten minutes, as its `FailTicket` counts them. That is no
/// sliding window: what lies before it is estimated from the rate.
#[derive(Default)]
struct Failures {
    first: Timestamp,
    last: Timestamp,
    retry: f64,
}

/// `findtime` in seconds and `maxretry`, as shipped.
const FIND_S: Timestamp = 600;
const RETRY_MAX: f64 = 5.0;

impl Failures {
    /// One more failure; says whether the address is banned.
    #[expect(clippy::cast_precision_loss, reason = "seconds of months")]
    fn add(&mut self, at: Timestamp) -> bool {
        if self.retry == 0.0 {
            (self.first, self.last) = (at, at);
        } else if at > self.last {
            if self.first < at - FIND_S {
                let span = (at - self.first) as f64;
                self.retry = (self.retry / span * FIND_S as f64).round_ties_even();
                self.first = at - FIND_S;
            }
            self.last = at;
        }
        self.retry += 1.0;
        let is_banned = self.retry >= RETRY_MAX;
        if is_banned {
            *self = Self::default();
        }
        is_banned
    }
}

/// What one address did lately, anywhere.
#[derive(Default)]
struct Recent {
    failures: Failures,
    /// For Zeek: see [`HOSTS_MIN`].
    hosts: VecDeque<(Timestamp, u32)>,
}

/// Zeek's `misc/scan`, as published until it was removed in 6.1: unanswered tries at 25 hosts
/// (`addr_scan_threshold`) or at 15 ports of one host (`port_scan_threshold`) in five minutes
/// (`addr_scan_interval`, `port_scan_interval`). It counts in stretches of five minutes one after
/// the other; here they slide, so that it finds all that it would and a little more.
const HOSTS_MIN: usize = 25;
const PORTS_MIN: usize = 15;
const SCAN_S: Timestamp = 300;

/// The random walk of Jung and others (2004) inside one organisation: distinct sites answer or
/// not, 80 % of a visitor's do and 20 % of a scanner's; decided at 99 to 1.
#[derive(Default)]
struct Walk {
    sites: BTreeSet<u32>,
    sum: f64,
}

impl Peers {
    pub(super) fn see(&mut self, knock: &Knock, org: OrgId) {
        let failed = knock.status >= 400;
        self.walk(knock, org, failed);
        if !failed {
            return;
        }
        if self.leak(knock) {
            self.flag(0, knock);
        }
        let port = port_of(knock.path);
        let recent = self.recent.entry(knock.source).or_default();
        let doors = self.doors.entry((knock.source, knock.site)).or_default();
        let late = [
            recent.failures.add(knock.at),
            self.psad.see(knock, port),
            distinct(&mut recent.hosts, (knock.at, knock.site)) >= HOSTS_MIN
                || distinct(doors, (knock.at, u32::from(port))) >= PORTS_MIN,
        ];
        for (rule, flagged) in (1..).zip(late) {
            if flagged {
                self.flag(rule, knock);
            }
        }
    }

    fn flag(&mut self, rule: usize, knock: &Knock) {
        self.flagged[rule].entry(knock.source).or_insert(knock.at);
    }

    fn leak(&mut self, knock: &Knock) -> bool {
        let bucket = self.buckets.entry((knock.source, knock.site)).or_default();
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let leaked = (knock.at - bucket.at) as f64 / 10.0;
        bucket.level = (bucket.level - leaked).max(0.0);
        bucket.at = knock.at;
        if bucket.level == 0.0 {
            bucket.paths.clear();
        }
        if bucket.paths.insert(knock.path) {
            bucket.level += 1.0;
        }
        bucket.level > 10.0
    }

    fn walk(&mut self, knock: &Knock, org: OrgId, failed: bool) {
        let walk = self.walks.entry((knock.source, org)).or_default();
        if walk.sum > 99_f64.ln() || !walk.sites.insert(knock.site) {
            return;
        }
        walk.sum += if failed { 4_f64.ln() } else { -4_f64.ln() };
        // Decided for a visitor: the walk begins again.
        walk.sum = walk.sum.max(-(99_f64.ln()));
        if walk.sum > 99_f64.ln() {
            self.flag(4, knock);
        }
    }
}

/// psad and Zeek know ports and no doors: each door is a port of its own for them, and a request
/// that failed is a packet that was dropped. That is more than they would see of web servers.
fn port_of(path: &str) -> u16 {
    const UNNAMED: std::ops::Range<u16> = 10_000..60_000;
    let hash = path_class::text_hash(path) % u64::from(UNNAMED.end - UNNAMED.start);
    UNNAMED.start + u16::try_from(hash).unwrap_or_default()
}

/// Adds one and says how many different ones came within [`SCAN_S`].
fn distinct(recent: &mut VecDeque<(Timestamp, u32)>, one: (Timestamp, u32)) -> usize {
    recent.push_back(one);
    while recent.front().is_some_and(|(first, _)| one.0 - first > SCAN_S) {
        recent.pop_front();
    }
    recent.iter().map(|(_, which)| which).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which rules flag an address that tries `count` distinct doors, `gap` seconds apart, one
    /// site after the other or all at one.
    fn rules(count: usize, gap: i64, sites: u32) -> Vec<&'static str> {
        let mut peers = Peers::default();
        for number in 0..count {
            let path: &'static str = Box::leak(format!("/door-{number}").into_boxed_str());
            let knock = Knock {
                at: number as i64 * gap,
                source: 1,
                site: number as u32 % sites,
                path,
                status: 404,
                tls: 0,
                agent: 0,
                in_site: false,
            };
            peers.see(&knock, OrgId(knock.site));
        }
        let flagged = RULES.iter().zip(&peers.flagged).filter(|(_, flagged)| !flagged.is_empty());
        flagged.map(|(rule, _)| *rule).collect()
    }

    /// CrowdSec 1.4.6 itself flagged gaps of 1, 3, 6 and 9 seconds, and none of 10 and more.
    #[test]
    fn each_rule_sees_what_the_real_program_sees() {
        for gap in [1, 3, 6, 9] {
            assert!(rules(200, gap, 1).contains(&"crowdsec"), "{gap}");
        }
        for gap in [10, 11, 15, 30, 60, 300] {
            assert!(!rules(200, gap, 1).contains(&"crowdsec"), "{gap}");
        }
        assert!(rules(5, 150, 1).contains(&"fail2ban"));
        // It rounds what it estimates, so it sees a little more than five in ten minutes.
        assert!(rules(50, 160, 1).contains(&"fail2ban"));
        assert!(!rules(50, 200, 1).contains(&"fail2ban"));
        assert!(rules(5, 890, 1).contains(&"psad") && !rules(50, 910, 1).contains(&"psad"));
        assert_eq!(rules(200, 86_400, 40), [] as [&str; 0], "one a day, nobody sees");
    }

    /// The thresholds that its policy documents: 25 hosts, or 15 ports of one, in five minutes.
    #[test]
    fn zeek_sees_what_its_policy_says() {
        let zeek = |count, gap, sites| rules(count, gap, sites).contains(&"zeek");
        assert!(zeek(25, 12, 25) && !zeek(24, 12, 24) && !zeek(50, 13, 50));
        assert!(zeek(15, 21, 1) && !zeek(14, 1, 1) && !zeek(60, 22, 1));
        assert!(!zeek(56, 1, 4), "fourteen ports of each of four hosts");
    }

    #[test]
    fn the_walk_decides_after_four_sites_of_one_organisation() {
        let mut peers = Peers::default();
        for site in 0..4 {
            assert!(peers.flagged[4].is_empty());
            let knock = Knock {
                at: i64::from(site) * 86_400,
                source: 1,
                site,
                path: "/",
                status: 404,
                tls: 0,
                agent: 0,
                in_site: false,
            };
            peers.see(&knock, OrgId(1));
        }
        assert_eq!(peers.flagged[4].len(), 1);
    }
}
