//! The actors of the grid: who they are, what they try, and how they hide.

use std::collections::{BTreeMap, BTreeSet};

use super::crowd::browser;
use super::{Grid, Knock, Random, Take, moment};

/// Doors that an actor tries in a day, in all.
pub const PACES: [u32; 6] = [1, 3, 10, 30, 100, 300];

/// Addresses of an actor.
pub const SIZES: [u32; 4] = [1, 10, 100, 1_000];

/// Doors of the catalogue.
pub(super) const DOORS: [&str; 24] = [
    "/autodiscover/autodiscover.xml",
    "/owa/",
    "/vpn/index.html",
    "/.git/config",
    "/.env",
    "/solr/admin/cores",
    "/manager/html",
    "/wp-login.php",
    "/dana-na/auth/url_default/welcome.cgi",
    "/remote/login",
    "/ecp/default.aspx",
    "/phpmyadmin/index.php",
    "/actuator/health",
    "/server-status",
    "/jenkins/login",
    "/tmui/login.jsp",
    "/vsphere-client/",
    "/_cat/indices",
    "/host-manager/html",
    "/backup.zip",
    "/adminer.php",
    "/wp-json/wp/v2/users",
    "/administrator/index.php",
    "/xmlrpc.php",
];

/// Paths that are nowhere: pages that were moved, and guesses.
pub(super) const COLD_WORDS: [&str; 24] = [
    "/archives/annonce",
    "/archives/rapport",
    "/anciens/avis",
    "/ancien-site",
    "/old/index",
    "/intranet",
    "/extranet",
    "/portail-interne",
    "/webmail-old",
    "/test",
    "/demo",
    "/staging",
    "/backup",
    "/admin-old",
    "/documents/interne",
    "/evenements/fete",
    "/nouvelles/communique",
    "/formulaires/permis",
    "/publications/bilan",
    "/api/v1/status",
    "/api/users",
    "/login.aspx",
    "/secure/login",
    "/console",
];

/// How an actor hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mimicry {
    /// Not at all: all its addresses use one client that hardly anybody else uses.
    SameClient,
    /// Its TLS client is its own; the user agent is copied from browsers, another each time.
    CopiedAgent,
    /// As the first, and in front of each door two pages that are there, at the same site.
    Mixing,
    /// As the first, and no organisation twice within ten contacts of an address.
    OneAnOrganisation,
    /// TLS client and user agent are those of a popular browser.
    CopiedBrowser,
    /// Each address has a client of its own.
    OneEach,
}

impl Mimicry {
    /// Every disguise.
    pub const ALL: [Self; 6] = [
        Self::SameClient,
        Self::CopiedAgent,
        Self::Mixing,
        Self::OneAnOrganisation,
        Self::CopiedBrowser,
        Self::OneEach,
    ];

    /// The addresses have a client in common that hardly anybody else uses.
    pub const fn shares_client(self) -> bool {
        !matches!(self, Self::CopiedBrowser | Self::OneEach)
    }

    /// The stable name used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameClient => "same-client",
            Self::CopiedAgent => "copied-agent",
            Self::Mixing => "mixing",
            Self::OneAnOrganisation => "one-an-organisation",
            Self::CopiedBrowser => "copied-browser",
            Self::OneEach => "one-client-each",
        }
    }
}

/// One actor.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// Doors a day, in all.
    pub pace: u32,
    /// Addresses.
    pub size: u32,
    /// How it hides.
    pub mimicry: Mimicry,
}

/// Where the addresses of actors begin.
const FIRST: u32 = 0xc612_0000;

/// The actors with their addresses and what they did.
pub(super) struct Cast {
    random: Random,
    /// The first address of each.
    first: Vec<u32>,
    /// Addresses that made a contact, with the time of the first.
    pub(super) active: Vec<BTreeMap<u32, i64>>,
    /// Organisations that an address met last.
    met: BTreeMap<u32, Vec<u32>>,
    sources: u32,
}

impl Cast {
    pub(super) fn new(grid: &Grid) -> Self {
        let mut next = FIRST;
        let mut first = Vec::new();
        for actor in &grid.actors {
            first.push(next);
            next += actor.size;
        }
        let active = vec![BTreeMap::new(); grid.actors.len()];
        let random = Random::new(grid.seed, 2);
        Self { random, first, active, met: BTreeMap::new(), sources: next - FIRST }
    }

    /// Which actor an address belongs to.
    pub(super) fn of(&self, source: u32) -> Option<usize> {
        let is_one = (FIRST..FIRST + self.sources).contains(&source);
        is_one.then(|| self.first.partition_point(|first| *first <= source) - 1)
    }

    /// Every address of an actor that did something.
    pub(super) fn sources(&self, actor: usize) -> BTreeSet<u32> {
        self.active[actor].keys().copied().collect()
    }

    pub(super) fn day(&mut self, grid: &Grid, day: u32, take: Take<'_>) {
        if day + grid.actor_days < grid.days {
            return;
        }
        for (number, actor) in grid.actors.iter().enumerate() {
            for _ in 0..actor.pace {
                self.knock(grid, day, (number, actor), take);
            }
        }
    }

    fn knock(&mut self, grid: &Grid, day: u32, (number, actor): (usize, &Actor), take: Take<'_>) {
        let source = self.first[number] + self.random.below(actor.size);
        let site = self.site(grid, source, actor.mimicry);
        let at = moment(&mut self.random, day);
        let own = 10_000 + number as u32 * 2_000;
        let (tls, agent) = match actor.mimicry {
            Mimicry::CopiedBrowser => browser(&mut self.random),
            Mimicry::CopiedAgent => (own, browser(&mut self.random).1),
            Mimicry::OneEach => (own + source - self.first[number], 2),
            Mimicry::SameClient | Mimicry::Mixing | Mimicry::OneAnOrganisation => (own, own),
        };
        let (path, status) = if self.random.chance(700) {
            (self.random.word(&DOORS), if self.random.chance(100) { 401 } else { 404 })
        } else {
            (self.random.word(&COLD_WORDS), 404)
        };
        let knock = Knock { at, source, site, path, status, tls, agent, in_site: false };
        if actor.mimicry == Mimicry::Mixing {
            for (page, path) in (1..).zip(["/", "/contact"]) {
                take(Knock { at: at - 30 * page, path, status: 200, ..knock });
            }
        }
        take(knock);
        let first = self.active[number].entry(source).or_insert(at);
        *first = at.min(*first);
    }

    fn site(&mut self, grid: &Grid, source: u32, mimicry: Mimicry) -> u32 {
        let mut site = self.random.below(grid.sites);
        if mimicry == Mimicry::OneAnOrganisation {
            let met = self.met.entry(source).or_default();
            let apart = (grid.organisations as usize / 2).min(10);
            while met.iter().rev().take(apart).any(|org| *org == grid.org_of(site).0) {
                site = self.random.below(grid.sites);
            }
            met.push(grid.org_of(site).0);
        }
        site
    }
}
