//! Failures of many addresses as logs, and whom the rules flag that real programs are asked about.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use relight_model::{OrgId, Timestamp};

use super::super::{Knock, Random};
use super::{Peers, port_of};
use crate::civil;

/// Midnight UTC of 2021-12-10 and two hours.
const FROM: Timestamp = 1_639_101_600;

/// What programs are given to read, and whom the rules flag in it.
#[derive(Clone, Debug)]
pub struct PeerLog {
    /// Lines of the combined format, in order of time, all of one host.
    pub log: String,
    /// The same failures and others as packets of a firewall, to many addresses.
    pub packets: String,
    /// Whom the rule of CrowdSec flags.
    pub crowdsec: BTreeSet<u32>,
    /// Whom the rule of fail2ban flags.
    pub fail2ban: BTreeSet<u32>,
    /// Whom the rule of psad flags, of the packets.
    pub psad: BTreeSet<u32>,
}

/// Paths that addresses ask for in turn: each of another name, because a door that is asked for
/// twice counts once.
const PEER_PATHS: u32 = 400;

/// Writes logs of about so many lines: addresses of every pace, even and uneven.
pub fn peer_log(seed: u64, lines: u32) -> PeerLog {
    let (mut log, mut packets) = (String::new(), String::new());
    let of = |flagged: &super::Flagged| flagged.keys().copied().collect();
    let mut web = Peers::default();
    for knock in knocks(seed, lines, false) {
        web.see(&knock, OrgId(1));
        write_line(&mut log, &knock);
    }
    let mut gate = Peers::default();
    for knock in knocks(seed, lines, true) {
        gate.see(&knock, OrgId(1));
        write_packet(&mut packets, &knock);
    }
    let (crowdsec, fail2ban) = (of(&web.flagged[0]), of(&web.flagged[1]));
    PeerLog { log, packets, crowdsec, fail2ban, psad: of(&gate.flagged[2]) }
}

/// Failures in order of time: at one site, or some at many and some at one door again and again.
fn knocks(seed: u64, lines: u32, is_wide: bool) -> Vec<Knock> {
    let mut random = Random::new(seed, 3);
    let names: Vec<&'static str> = (0..PEER_PATHS).map(path_of).collect();
    let mut knocks: Vec<Knock> = Vec::new();
    let mut source = 0x0a00_0000;
    while knocks.len() < lines as usize {
        source += 1;
        let gap = 1 + random.below([4, 12, 30, 200, 900][(source % 5) as usize]);
        let (count, is_even) = (1 + random.below(160), random.chance(300));
        let sites = if is_wide { [1, 1, 3, 12, 40][(source / 5 % 5) as usize] } else { 1 };
        let (is_burst, is_one_door) = (source / 25 % 4 == 0, source / 25 % 4 == 1);
        let mut at = FROM + Timestamp::from(random.below(3_600));
        for number in 0..count {
            // Some ask for the same door again.
            let door = if random.chance(100) { random.below(count) } else { number };
            let door = if is_wide && is_one_door { 1 } else { door };
            let path = names[(door % PEER_PATHS) as usize];
            let (site, status, tls, agent) = (1 + number % sites, 404, 0, 0);
            knocks.push(Knock { at, source, site, path, status, tls, agent, in_site: false });
            let step = if is_even { gap } else { random.below(2 * gap + 1) };
            // Many at once and then a pause, so that one round of a program has them all.
            let waits = !is_wide || !is_burst || number % 16 == 15;
            at += Timestamp::from(if waits { step } else { 0 });
        }
    }
    knocks.sort_by_key(|knock| (knock.at, knock.source));
    knocks
}

fn path_of(number: u32) -> &'static str {
    Box::leak(format!("/door-{number}.html").into_boxed_str())
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Month, day and the time of day, as logs have them.
fn written(at: Timestamp) -> (&'static str, i64, i64, String) {
    let (year, month, day) = civil::date(at);
    let clock = at.rem_euclid(civil::DAY);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default() % 12];
    (month, day, year, format!("{hour:02}:{minute:02}:{second:02}"))
}

fn write_line(log: &mut String, knock: &Knock) {
    let (month, day, year, clock) = written(knock.at);
    let (source, path) = (Ipv4Addr::from(knock.source), knock.path);
    // Writing to a text cannot fail.
    let _ = writeln!(
        log,
        "{source} - - [{day:02}/{month}/{year}:{clock} +0000] \"GET {path} HTTP/1.1\" 404 9 \"-\" \
         \"-\""
    );
}

/// As netfilter logs a packet that it drops.
fn write_packet(log: &mut String, knock: &Knock) {
    let (month, day, _, clock) = written(knock.at);
    let (source, port) = (Ipv4Addr::from(knock.source), port_of(knock.path));
    let to = Ipv4Addr::from(0xc633_6400 + knock.site);
    // Writing to a text cannot fail.
    let _ = writeln!(
        log,
        "{month} {day:2} {clock} gate kernel: [    1.000000] DROP IN=eth0 OUT= \
         MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 SRC={source} DST={to} LEN=60 TOS=0x00 \
         PREC=0x00 TTL=50 ID=1 DF PROTO=TCP SPT=40000 DPT={port} WINDOW=64240 RES=0x00 SYN URGP=0"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_logs_have_sources_on_either_side_of_each_rule() {
        let made = peer_log(7, 3_000);
        assert_eq!(made.log.lines().count(), made.packets.lines().count());
        let sources = |log: &str, field: fn(&str) -> Option<&str>| {
            log.lines().filter_map(field).collect::<BTreeSet<_>>().len()
        };
        let of_log = sources(&made.log, |line| line.split(' ').next());
        let of_packets =
            sources(&made.packets, |line| line.split("SRC=").nth(1)?.split(' ').next());
        assert_eq!(of_log, of_packets);
        for flagged in [&made.crowdsec, &made.fail2ban, &made.psad] {
            assert!((3..of_log).contains(&flagged.len()), "{} of {of_log}", flagged.len());
        }
    }

    #[test]
    fn a_packet_is_written_as_netfilter_writes_it() {
        let knock = knocks(7, 10, true)[0];
        let mut line = String::new();
        write_packet(&mut line, &knock);
        let feed = crate::Feed { received: knock.at + 60, ..crate::Feed::default() };
        let read = crate::parsers::PARSERS.iter().find(|it| it.name() == "iptables");
        let event = read.and_then(|it| it.parse(&feed, line.trim_end()).ok());
        let event = event.map(|it| (it.at, it.source, it.port));
        let source = std::net::IpAddr::V4(Ipv4Addr::from(knock.source));
        assert_eq!(event, Some((knock.at, source, port_of(knock.path))));
    }
}
