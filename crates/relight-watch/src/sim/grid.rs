//! The actor grid: how soon actors of every pace, size and disguise are found in the traffic of
//! many sites, what is called a campaign that is none, and what the published rules of other
//! programs see in the same events. Events go through windows and pool as lines of a log would;
//! only the text of the lines is left out.

mod actors;
mod crowd;
mod peers;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use relight_model::{Campaign, Escape, Event, OrgId, SiteId, Timestamp};

use super::Random;
use crate::civil::DAY;
use crate::{
    Claims, Dossier, Found, Home, Places, Pool, PoolStats, ROWS_MAX, Window, campaigns, gather,
};

pub use actors::{Actor, Mimicry, PACES, SIZES};
pub use peers::{Flagged, PeerLog, RULES, peer_log};
pub use report::{Cell, Outcome};

/// 2021-09-01, midnight UTC.
const FROM: Timestamp = 1_630_454_400;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The same seed gives the same outcome.
    pub seed: u64,
    /// Organisations; sites are spread over them evenly.
    pub organisations: u32,
    /// Sites in all.
    pub sites: u32,
    /// Days in all; the actors come for the last [`Grid::actor_days`].
    pub days: u32,
    /// For how long the actors are there.
    pub actor_days: u32,
    /// Ordinary sources a day.
    pub visitors: u32,
    /// Sources a day of botnets, with one to three probes each.
    pub bots: u32,
    /// Actors of each kind, for each pace and size.
    pub actors: Vec<Actor>,
}

/// One event before it is one of [`Event`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Knock {
    at: Timestamp,
    source: u32,
    site: u32,
    path: &'static str,
    status: u16,
    /// TLS client and user agent, as numbers; 0 for none.
    tls: u32,
    agent: u32,
    in_site: bool,
}

/// An event goes by, in order of time within its day.
type Take<'a> = &'a mut dyn FnMut(Knock);

impl Grid {
    /// The organisation of a site.
    const fn org_of(&self, site: u32) -> OrgId {
        OrgId(site % self.organisations)
    }

    /// The register of its sites: twelve sectors.
    fn places(&self) -> Places {
        const SECTORS: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
        Places::new((0..self.sites).map(|site| {
            let org = self.org_of(site);
            (SiteId(site), org, SECTORS[org.0 as usize % SECTORS.len()])
        }))
    }

    /// Runs all of it.
    pub fn run(&self) -> Outcome {
        let mut state = State::new(self);
        let mut crowd = crowd::Crowd::new(self);
        let mut cast = actors::Cast::new(self);
        let mut knocks = Vec::new();
        for day in 0..self.days {
            knocks.clear();
            let mut take = |knock| knocks.push(knock);
            crowd.day(self, day, &mut take);
            cast.day(self, day, &mut take);
            knocks.sort_by_key(|knock: &Knock| (knock.at, knock.source));
            state.day(self, &knocks);
        }
        state.seal();
        let (campaigns, stats) = state.judge(self);
        report::outcome(self, &cast, &campaigns, &state.peers, (stats, state.events))
    }
}

/// What grows while days go by.
struct State {
    /// Windows of the day before: sealed once the next day is known too.
    open: BTreeMap<OrgId, Window>,
    homes: BTreeMap<OrgId, Home>,
    /// Every window, for the second step; as bytes, as the store would keep them.
    kept: Vec<(OrgId, Vec<u8>)>,
    pool: Pool,
    peers: peers::Peers,
    events: u64,
}

impl State {
    fn new(grid: &Grid) -> Self {
        let homes = (0..grid.organisations).map(|org| (OrgId(org), Home::default()));
        Self {
            open: BTreeMap::new(),
            homes: homes.collect(),
            kept: Vec::new(),
            pool: Pool::new(ROWS_MAX),
            peers: peers::Peers::default(),
            events: 0,
        }
    }

    fn day(&mut self, grid: &Grid, knocks: &[Knock]) {
        let mut windows: BTreeMap<OrgId, Window> = BTreeMap::new();
        for knock in knocks {
            let org = grid.org_of(knock.site);
            let window = windows.entry(org).or_insert_with(|| Window::new(knock.at as u64));
            with_event(knock, org, |event| window.observe(event));
            self.peers.see(knock, org);
        }
        self.events += knocks.len() as u64;
        for (org, window) in &windows {
            if let Some(home) = self.homes.get_mut(org) {
                home.add(window);
            }
        }
        self.seal();
        self.open = windows;
    }

    /// The open windows are final: what they say of who is at home is known.
    fn seal(&mut self) {
        for (org, window) in std::mem::take(&mut self.open) {
            if let Some(home) = self.homes.get(&org) {
                self.pool.add(&window, home);
            }
            self.kept.push((org, window.to_bytes()));
        }
    }

    fn judge(&mut self, grid: &Grid) -> (Vec<Campaign>, PoolStats) {
        let places = grid.places();
        let found = Found::of(&mut self.pool, &places, Claims::default());
        let stats = self.pool.stats();
        let mut dossier = Dossier::default();
        for (org, home) in &self.homes {
            let places = (0..grid.sites).filter(|site| grid.org_of(*site) == *org);
            let places: BTreeSet<_> = places.map(|site| (*org, Some(SiteId(site)))).collect();
            dossier.add_home(home, &places, found.sources());
        }
        for (org, bytes) in &self.kept {
            if let (Ok(window), Some(home)) = (Window::from_bytes(bytes), self.homes.get(org)) {
                dossier.add(&window, home, found.sources());
            }
        }
        (gather(campaigns(&found.judge(&dossier, &places))), stats)
    }
}

fn with_event(knock: &Knock, org: OrgId, see: impl FnOnce(&Event<'_>)) {
    let text = |is_there: bool, text: String| if is_there { text } else { String::new() };
    let host = format!("site{}.example", knock.site);
    let tls = text(knock.tls != 0, format!("t13d{:08x}", knock.tls));
    let agent = text(knock.agent != 0, format!("Mozilla/5.0 (client {})", knock.agent));
    let referer = text(knock.in_site, format!("https://{host}/"));
    see(&Event {
        site: Some(SiteId(knock.site)),
        host: &host,
        method: "GET",
        path: knock.path,
        status: knock.status,
        referer: &referer,
        user_agent: &agent,
        ja4: &tls,
        escape: Escape::None,
        ..Event::bare(org, knock.at, address(knock.source))
    });
}

fn address(source: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(source))
}

/// A second of a day.
fn moment(random: &mut Random, day: u32) -> Timestamp {
    FROM + Timestamp::from(day) * DAY + Timestamp::from(random.below(86_400))
}

#[cfg(test)]
mod tests;
