//! The published rules of other programs, on the same events. Each knows one address at one
//! place; none joins months, organisations or clients.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use relight_model::{OrgId, Timestamp};

use super::Knock;

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

/// What one address did lately, anywhere.
#[derive(Default)]
struct Recent {
    /// For fail2ban: five failures in ten minutes (1.0.2, `findtime` and `maxretry` as shipped).
    failures: VecDeque<Timestamp>,
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
            within(&mut recent.failures, knock.at, 600) >= 5,
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
        assert!(!rules(50, 151, 1).contains(&"fail2ban"));
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
