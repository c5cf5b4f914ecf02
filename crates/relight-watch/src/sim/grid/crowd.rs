//! Everybody who is no actor: people, shared addresses, broken programs, staff, and botnets.
//!
//! How often people miss a page is as measured: 5.2 % of sources have at least one missing path
//! in four days, 0.63 % three, 0.23 % five.

use super::actors::{COLD_WORDS, DOORS};
use super::{Grid, Knock, Random, Take, moment};

/// Addresses that people have, in turns.
const POPULATION: u32 = 5_000_000;

/// Where the addresses of each kind begin.
const PEOPLE: u32 = 0x0a00_0000;
const SHARED: u32 = 0x6440_0000;
const STAFF: u32 = 0xac10_0000;
const READERS: u32 = 0xac11_0000;
const MONITORS: u32 = 0xac12_0000;
/// Of botnets and of scanners in a hurry.
pub(super) const BOTS: u32 = 0x2d00_0000;
pub(super) const SCANNERS: u32 = 0x2e00_0000;

/// Addresses with hundreds of people behind each, and visits a day of each.
const SHARED_ADDRESSES: u32 = 12;
const SHARED_VISITS: u32 = 300;

/// Programs that ask for feeds which are gone, at many sites each, every day.
const AGGREGATORS: u32 = 20;
const AGGREGATOR_SITES: u32 = 40;

/// One in this many sites has staff who log in through a door of the catalogue.
const STAFFED: u32 = 3;

/// Offices that look after many sites from one address.
const OFFICES: u32 = 10;

/// Botnets; the clients of half of them nobody else uses.
const BOTNETS: u32 = 8;

/// Scanners in a hurry a day.
const SCANNERS_A_DAY: u32 = 3;

const PAGES: [&str; 8] =
    ["/", "/services", "/contact", "/nouvelles", "/about", "/emplois", "/recherche", "/feed.xml"];

/// Clients of people: TLS and agent alike, the first ones far more popular.
pub(super) fn browser(random: &mut Random) -> (u32, u32) {
    let rank = random.below(40).min(random.below(40)).min(random.below(40));
    (1 + rank, 1 + rank * 3 + random.below(3))
}

/// See the head of the file.
pub(super) struct Crowd {
    random: Random,
}

impl Crowd {
    pub(super) const fn new(grid: &Grid) -> Self {
        Self { random: Random::new(grid.seed, 1) }
    }

    pub(super) fn day(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        for _ in 0..grid.visitors {
            let source = PEOPLE + self.random.below(POPULATION);
            self.visit(grid, day, source, take);
        }
        let shared = SHARED_VISITS.min(grid.visitors / 20);
        for address in 0..SHARED_ADDRESSES {
            for _ in 0..shared {
                self.visit(grid, day, SHARED + address, take);
            }
        }
        self.staff(grid, day, take);
        self.programs(grid, day, take);
        self.bots(grid, day, take);
        self.scanners(grid, day, take);
    }

    fn knock(&mut self, day: u32, source: u32, site: u32, path: &'static str) -> Knock {
        let (tls, agent) = browser(&mut self.random);
        let at = moment(&mut self.random, day);
        Knock { at, source, site, path, status: 200, tls, agent, in_site: false }
    }

    /// Somebody reads a few pages; dead links cluster.
    fn visit(&mut self, grid: &Grid, day: u32, source: u32, take: Take<'_>) {
        let site = self.random.below(grid.sites);
        let page = self.random.word(&PAGES);
        let first = self.knock(day, source, site, page);
        let draw = self.random.below(10_000);
        let misses = match draw {
            0..23 => 5 + self.random.below(30),
            23..63 => 3 + self.random.below(2),
            63..520 => 1 + self.random.below(2),
            _ => 0,
        };
        // A quarter of them come from outside to a page that is gone, and leave.
        let cold = misses > 0 && self.random.chance(250);
        if !cold {
            for page in 0..1 + self.random.below(3) {
                let path = self.random.word(&PAGES);
                take(Knock { at: first.at + i64::from(page) * 20, path, ..first });
            }
        }
        for miss in 0..misses {
            let path = self.random.word(&COLD_WORDS);
            let in_site = !cold && self.random.chance(700);
            let at = first.at + 70 + i64::from(miss) * 7;
            take(Knock { at, path, status: 404, in_site, ..first });
        }
        // A mistyped address, a curious citizen.
        if self.random.below(10_000) < 3 {
            let path = self.random.word(&DOORS);
            take(Knock { at: first.at + 300, path, status: 404, ..first });
        }
    }

    /// Editors log in most days, each on a site of their own; offices look after many sites.
    fn staff(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        let mut login = |this: &mut Self, source, site| {
            let knock = this.knock(day, source, site, "/wp-login.php");
            take(knock);
            take(Knock { at: knock.at + 9, path: "/wp-admin/index", ..knock });
        };
        for site in (0..grid.sites).filter(|site| site % STAFFED == 0) {
            if self.random.chance(600) {
                login(self, STAFF + site, site);
            }
        }
        for office in 0..OFFICES {
            for site in (0..30).map(|number| (office * 397 + number * 31) % grid.sites) {
                if self.random.chance(300) {
                    login(self, STAFF + 0x8000 + office, site);
                }
            }
        }
    }

    /// Feed readers with dead feeds, and monitors that a site began to refuse.
    fn programs(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        for number in 0..AGGREGATORS {
            for site in (0..AGGREGATOR_SITES).map(|at| (number * 191 + at * 97) % grid.sites) {
                let mut knock = self.knock(day, READERS + number, site, "/blog/rss2.php");
                (knock.tls, knock.agent) = (900 + number, 900 + number);
                let dead = (site + number) % 4 == 0;
                take(Knock { status: if dead { 404 } else { 200 }, ..knock });
            }
            let site = (number * 211) % grid.sites;
            let knock = self.knock(day, MONITORS + number, site, "/");
            take(Knock { status: 403, tls: 950, agent: 950, ..knock });
        }
    }

    fn bots(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        for _ in 0..grid.bots {
            let net = self.random.below(BOTNETS);
            let source = BOTS + self.random.below(0x00ff_ffff);
            for _ in 0..1 + self.random.below(3) {
                let site = self.random.below(grid.sites);
                // A botnet has a few doors of its own, and tries each everywhere.
                let door = (net * 3 + self.random.below(3)) as usize % DOORS.len();
                let mut knock = self.knock(day, source, site, DOORS[door]);
                if net.is_multiple_of(2) {
                    (knock.tls, knock.agent) = (1_000 + net, 1_000 + net);
                }
                take(Knock { status: 404, ..knock });
            }
        }
    }

    /// Everything on a few sites within minutes.
    fn scanners(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        for _ in 0..SCANNERS_A_DAY {
            let source = SCANNERS + self.random.below(0x00ff_ffff);
            let site = self.random.below(grid.sites);
            let start = self.knock(day, source, site, "/");
            for number in 0..3 * DOORS.len() {
                let site = (start.site + number as u32 / 24) % grid.sites;
                let path = DOORS[number % DOORS.len()];
                let at = start.at + number as i64 / 2;
                take(Knock { at, site, path, status: 404, tls: 1_100, agent: 1_100, ..start });
            }
        }
    }
}
