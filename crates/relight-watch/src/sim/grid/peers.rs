//! The published rules of other programs, on the same events. Each knows one address at one
//! place; none joins months, organisations or clients.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use relight_model::{OrgId, Timestamp};

use super::{Knock, Random};
use crate::civil;

/// The rules by name.
pub const RULES: [&str; 5] = ["crowdsec", "fail2ban", "psad", "zeek", "trw-organisation"];

/// Addresses that a rule flagged, and when first.
pub type Flagged = BTreeMap<u32, Timestamp>;

/// The state of every rule.
#[derive(Default)]
pub(super) struct Peers {
    buckets: HashMap<(u32, u32), Bucket>,
    recent: HashMap<u32, Recent>,
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
    /// For psad: five packets that nobody asked for, forgotten after an hour (2.4.6, level 1).
    packets: VecDeque<Timestamp>,
    /// For Zeek: 25 hosts in five minutes (`misc/scan` before it was removed in 6.1).
    hosts: VecDeque<(Timestamp, u32)>,
}

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
        let recent = self.recent.entry(knock.source).or_default();
        let late = [
            recent.failures.add(knock.at),
            within(&mut recent.packets, knock.at, 3_600) >= 5,
            hosts_within(&mut recent.hosts, knock, 300) >= 25,
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

/// Adds a moment and says how many lie within these seconds of it.
fn within(moments: &mut VecDeque<Timestamp>, at: Timestamp, seconds: Timestamp) -> usize {
    moments.push_back(at);
    while moments.front().is_some_and(|first| at - first > seconds) {
        moments.pop_front();
    }
    moments.len()
}

fn hosts_within(hosts: &mut VecDeque<(Timestamp, u32)>, knock: &Knock, seconds: i64) -> usize {
    hosts.push_back((knock.at, knock.site));
    while hosts.front().is_some_and(|(first, _)| knock.at - first > seconds) {
        hosts.pop_front();
    }
    hosts.iter().map(|(_, host)| host).collect::<BTreeSet<_>>().len()
}

/// Failures of many addresses as a log, and whom the rules flag that real programs are asked about.
#[derive(Clone, Debug)]
pub struct PeerLog {
    /// Lines of the combined format, in order of time.
    pub log: String,
    /// Whom the rule of CrowdSec flags.
    pub crowdsec: BTreeSet<u32>,
    /// Whom the rule of fail2ban flags.
    pub fail2ban: BTreeSet<u32>,
}

/// Paths that addresses ask for in turn: each of another name, because a door that is asked for
/// twice counts once.
const PEER_PATHS: u32 = 400;

/// Writes a log of about so many lines: addresses of every pace, even and uneven.
pub fn peer_log(seed: u64, lines: u32) -> PeerLog {
    let mut random = Random::new(seed, 3);
    let names: Vec<&'static str> = (0..PEER_PATHS).map(path_of).collect();
    let mut knocks: Vec<Knock> = Vec::new();
    let mut source = 0x0a00_0000;
    while knocks.len() < lines as usize {
        source += 1;
        let gap = 1 + random.below([4, 12, 30, 200, 900][(source % 5) as usize]);
        let (count, is_even) = (1 + random.below(160), random.chance(300));
        let mut at = 1_639_101_600 + Timestamp::from(random.below(3_600));
        for number in 0..count {
            // Some ask for the same door again.
            let number = if random.chance(100) { random.below(count) } else { number };
            let path = names[(number % PEER_PATHS) as usize];
            let (tls, agent) = (0, 0);
            knocks.push(Knock {
                at,
                source,
                site: 1,
                path,
                status: 404,
                tls,
                agent,
                in_site: false,
            });
            let step = if is_even { gap } else { random.below(2 * gap + 1) };
            at += Timestamp::from(step);
        }
    }
    knocks.sort_by_key(|knock| (knock.at, knock.source));
    let mut peers = Peers::default();
    let mut log = String::new();
    for knock in &knocks {
        peers.see(knock, OrgId(1));
        write_line(&mut log, knock);
    }
    let flagged = |rule: usize| peers.flagged[rule].keys().copied().collect();
    PeerLog { log, crowdsec: flagged(0), fail2ban: flagged(1) }
}

fn path_of(number: u32) -> &'static str {
    Box::leak(format!("/door-{number}.html").into_boxed_str())
}

fn write_line(log: &mut String, knock: &Knock) {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (year, month, day) = civil::date(knock.at);
    let clock = knock.at.rem_euclid(civil::DAY);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default() % 12];
    let (source, path) = (Ipv4Addr::from(knock.source), knock.path);
    // Writing to a text cannot fail.
    let _ = writeln!(
        log,
        "{source} - - [{day:02}/{month}/{year}:{hour:02}:{minute:02}:{second:02} +0000] \
         \"GET {path} HTTP/1.1\" 404 9 \"-\" \"-\""
    );
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
        assert!(rules(5, 900, 1).contains(&"psad") && !rules(50, 901, 1).contains(&"psad"));
        assert!(rules(25, 12, 25).contains(&"zeek") && !rules(50, 13, 50).contains(&"zeek"));
        assert_eq!(rules(200, 86_400, 40), [] as [&str; 0], "one a day, nobody sees");
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
