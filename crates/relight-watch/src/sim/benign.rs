//! Those who are no threat, in all their variety: the background that must not be detected.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relight_model::Timestamp;

use super::Scenario;
use super::random::Random;
use super::writer::{Request, SiteWriter};
use crate::civil::DAY;

/// People who may visit, each with an address of their own.
const POPULATION: u32 = 40_000;

/// Pages that every site has; numbered ones stand for the rest.
const PAGES: &[&str] = &[
    "/",
    "/services",
    "/contact",
    "/nouvelles",
    "/news",
    "/a-propos",
    "/about",
    "/emplois",
    "/recherche?q=permis",
    "/search?q=caf%C3%A9&page=2",
    "/documents/guide.pdf",
    "/feed",
];

const RESOURCES: &[&str] = &["/assets/site.css", "/assets/site.js", "/assets/logo.svg"];

const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/96.0.4664.45 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
     Version/15.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:94.0) Gecko/20100101 Firefox/94.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 15_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
     Gecko) Version/15.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 11; SM-G991W) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/96.0.4664.45 Mobile Safari/537.36",
];

/// Crawlers that say what they are.
pub(super) const CRAWLERS: [(IpAddr, &str); 3] = [
    (v4(203, 0, 113, 50), "Mozilla/5.0 (compatible; ExampleSearch/2.1; +http://search.example)"),
    (v4(203, 0, 113, 51), "ArchiveExample/1.0 (+http://archive.example/bot)"),
    (
        IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x5e, 1, 0, 0, 0, 7)),
        "Mozilla/5.0 (compatible; IndexExample/3.0)",
    ),
];

/// Asks for the front page of each organisation's first site every hour.
pub(super) const MONITOR: IpAddr = v4(203, 0, 113, 90);

/// Asks every site for feeds, which some have not.
pub(super) const FEED_SERVICE: IpAddr = v4(203, 0, 113, 120);

/// Logs in on the first two sites, which are made with WordPress.
pub(super) const EDITOR: IpAddr = v4(203, 0, 113, 200);

/// A carrier's address in front of thousands of people.
pub(super) const SHARED: IpAddr = v4(203, 0, 113, 222);

/// An address as a constant.
pub(super) const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// The feed reader of one site: it asks for a feed that was moved years ago.
pub(super) fn feed_reader(site: usize) -> IpAddr {
    let [_, _, high, low] = u32::try_from(site).unwrap_or(u32::MAX).to_be_bytes();
    v4(100, 64, high, low)
}

fn person(number: u32) -> IpAddr {
    let [_, b, c, d] = number.to_be_bytes();
    v4(10, 20 + b, c, d)
}

/// Writes everything benign of one site.
pub(super) fn write(scenario: &Scenario, site: usize, log: &mut SiteWriter) {
    let mut random = scenario.random(1_000 + site as u64);
    let referer = format!("https://{}/nouvelles", log.host);
    for day in 0..scenario.days {
        let midnight = scenario.from + Timestamp::from(day) * DAY;
        let busy =
            scenario.visitors_per_day.div_ceil(2) + random.below(scenario.visitors_per_day.max(1));
        for _ in 0..busy {
            visit(&mut random, midnight, &referer, log);
        }
        crawl(&mut random, midnight, site, log);
        poll_feeds(&mut random, midnight, site, log);
        if is_first_of_organisation(scenario, log) {
            monitor(&mut random, midnight, log);
        }
        if site < 2 {
            edit(&mut random, midnight, log);
        }
    }
}

fn is_first_of_organisation(scenario: &Scenario, log: &SiteWriter) -> bool {
    let sites = scenario.organisations.iter().find(|organisation| organisation.id == log.org);
    sites.and_then(|organisation| organisation.sites.first()).is_some_and(|(id, _)| *id == log.site)
}

/// A second of the day; most people come in the afternoon.
fn daytime(random: &mut Random) -> Timestamp {
    Timestamp::from(random.below(43_200) + random.below(43_200))
}

fn request<'a>(at: Timestamp, source: IpAddr, target: &'a str, agent: &'a str) -> Request<'a> {
    Request { at, source, method: "GET", target, status: 200, bytes: 5_120, referer: "-", agent }
}

/// One person looks at a few pages; some follow a dead link, a few follow many.
fn visit(random: &mut Random, midnight: Timestamp, in_site: &str, log: &mut SiteWriter) {
    let source = if random.chance(60) { SHARED } else { person(random.below(POPULATION)) };
    let agent = random.word(BROWSERS);
    let mut at = midnight + daytime(random);
    // Dead links cluster: most people meet none, one in fifty meets some, a few meet many.
    let dead = if random.chance(20) { 1 + random.below(2) * random.below(12) } else { 0 };
    let arrives_on_dead_link = dead > 0 && random.chance(300);
    let pages = if arrives_on_dead_link { random.below(2) } else { 1 + random.below(4) };
    for _ in 0..pages {
        let target = random.word(PAGES);
        let status = if random.chance(80) { 304 } else { 200 };
        let bytes = if status == 304 { 0 } else { 2_000 + random.below(40_000) };
        log.write(&Request { status, bytes, ..request(at, source, target, agent) });
        if random.chance(400) {
            let target = random.word(RESOURCES);
            log.write(&Request { referer: in_site, ..request(at + 1, source, target, agent) });
        }
        at += Timestamp::from(5 + random.below(120));
    }
    for _ in 0..dead {
        let target = format!("/archives/{}/note-{}", 2009 + random.below(8), random.below(90));
        let referer = if random.chance(700) { in_site } else { "-" };
        let missing = request(at, source, &target, agent);
        log.write(&Request { status: 404, bytes: 512, referer, ..missing });
        at += Timestamp::from(1 + random.below(30));
    }
}

/// Each crawler reads the rules, a few pages, and a link that died.
fn crawl(random: &mut Random, midnight: Timestamp, site: usize, log: &mut SiteWriter) {
    for (source, agent) in CRAWLERS {
        let mut at = midnight + Timestamp::from(random.below(80_000));
        let status = if site.is_multiple_of(3) { 404 } else { 200 };
        log.write(&Request { status, ..request(at, source, "/robots.txt", agent) });
        for _ in 0..1 + random.below(3) {
            at += Timestamp::from(10 + random.below(60));
            log.write(&request(at, source, random.word(PAGES), agent));
        }
        if random.chance(300) {
            let target = format!("/evenements/{}", random.below(400));
            let gone = request(at + 40, source, &target, agent);
            log.write(&Request { status: 404, bytes: 512, ..gone });
        }
    }
}

fn poll_feeds(random: &mut Random, midnight: Timestamp, site: usize, log: &mut SiteWriter) {
    let at = midnight + Timestamp::from(random.below(20_000));
    let status = if site.is_multiple_of(4) { 404 } else { 200 };
    let agent = "FeedServiceExample/1.4 (27 subscribers)";
    log.write(&Request { status, ..request(at, FEED_SERVICE, "/feed", agent) });
    for hour in [3, 9, 15, 21] {
        let at = midnight + hour * 3600 + Timestamp::from(random.below(60));
        let gone = request(at, feed_reader(site), "/blog/rss2.php", "OldReader/0.9");
        log.write(&Request { status: 404, bytes: 512, ..gone });
    }
}

fn monitor(random: &mut Random, midnight: Timestamp, log: &mut SiteWriter) {
    for hour in 0..24 {
        let at = midnight + hour * 3600 + Timestamp::from(random.below(9));
        let status = if random.chance(4) { 503 } else { 200 };
        let asked = request(at, MONITOR, "/", "MonitorExample/5");
        log.write(&Request { status, method: "HEAD", bytes: 0, ..asked });
    }
}

fn edit(random: &mut Random, midnight: Timestamp, log: &mut SiteWriter) {
    let agent = random.word(BROWSERS);
    let at = midnight + 50_000 + Timestamp::from(random.below(3_000));
    log.write(&request(at, EDITOR, "/wp-login.php", agent));
    log.write(&Request { status: 302, ..request(at + 9, EDITOR, "/wp-login.php", agent) });
    log.write(&request(at + 11, EDITOR, "/wp-admin/edit.php", agent));
}
