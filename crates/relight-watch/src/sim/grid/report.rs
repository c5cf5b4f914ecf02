//! What came out, beside the truth.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::net::IpAddr;

use relight_model::{Campaign, Detection, Severity, Timestamp};

use super::actors::Cast;
use super::crowd::{BOTS, SCANNERS};
use super::peers::{Peers, RULES};
use super::{FROM, Grid, Mimicry, address};
use crate::PoolStats;
use crate::chance::real;
use crate::civil::DAY;

/// One actor and what was seen of it.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Doors a day, in all.
    pub pace: u32,
    /// Addresses.
    pub size: u32,
    /// How it hid.
    pub mimicry: Mimicry,
    /// Days from its first contact to the decision; `None` if it was not found.
    pub found: Option<f64>,
    /// Share of its campaign's sources that are its own, and share of its own in that campaign.
    pub grouping: Option<(f64, f64)>,
    /// Days to the first flag of each of [`RULES`].
    pub peers: [Option<f64>; RULES.len()],
}

impl Cell {
    /// The goal is about this cell: three doors a day or more, and few addresses or one client.
    pub const fn is_goal(&self) -> bool {
        self.pace >= 3 && (self.size <= 10 || self.mimicry.shares_client())
    }
}

/// What came out of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Each actor, in the order of the grid.
    pub cells: Vec<Cell>,
    /// Campaigns without a single hostile source.
    pub false_campaigns: Vec<String>,
    /// Campaigns in all, as a person sees them.
    pub campaigns: usize,
    /// Single addresses that are shown as one of these.
    pub gathered: usize,
    /// How many of these are about a door that strangers tried.
    pub strangers: usize,
    /// Campaigns of botnets and scanners in a hurry only.
    pub noise_campaigns: usize,
    /// Confidence of every campaign, and whether anybody in it is hostile.
    pub confidences: Vec<(f64, bool)>,
    /// Ordinary addresses that each of [`RULES`] flagged.
    pub peers_false: [usize; RULES.len()],
    /// The highest step that any campaign stands on: nobody here has a payload.
    pub highest: Severity,
    /// The pool at the end.
    pub pool: PoolStats,
    /// Events in all.
    pub events: u64,
}

/// Whose address it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Actor(usize),
    Noise,
    Ordinary,
}

fn who(cast: &Cast, source: u32) -> Who {
    let is_in = |from: u32| (from..from + 0x0100_0000).contains(&source);
    match cast.of(source) {
        Some(actor) => Who::Actor(actor),
        None if is_in(BOTS) || is_in(SCANNERS) => Who::Noise,
        None => Who::Ordinary,
    }
}

fn number(source: &IpAddr) -> u32 {
    match source {
        IpAddr::V4(address) => u32::from(*address),
        IpAddr::V6(_) => 0,
    }
}

pub(super) fn outcome(
    grid: &Grid,
    cast: &Cast,
    campaigns: &[Campaign],
    peers: &Peers,
    (pool, events): (PoolStats, u64),
) -> Outcome {
    let kinds: Vec<BTreeSet<Who>> = campaigns
        .iter()
        .map(|campaign| campaign.sources.iter().map(|it| who(cast, number(it))).collect())
        .collect();
    let is_hostile = |kinds: &BTreeSet<Who>| kinds.iter().any(|kind| *kind != Who::Ordinary);
    let told = campaigns.iter().zip(&kinds);
    let mut false_campaigns: Vec<String> = told
        .clone()
        .filter(|(_, kinds)| !is_hostile(kinds))
        .map(|(campaign, _)| describe(campaign))
        .collect();
    // Each of many single addresses that are shown as one is a decision of its own.
    let gathered = campaigns.iter().filter(|campaign| campaign.gathered > 0);
    let is_false = |one: &&Detection| {
        one.sources.iter().all(|source| who(cast, number(source)) == Who::Ordinary)
    };
    let single = gathered.flat_map(|campaign| &campaign.detections).filter(is_false);
    false_campaigns.extend(single.map(|one| format!("{:?}: {:?}", one.sources, one.evidence)));
    let is_noise = |kinds: &&BTreeSet<Who>| kinds.iter().eq([&Who::Noise]);
    let peers_false = peers.flagged.each_ref().map(|flagged| {
        flagged.keys().filter(|source| who(cast, **source) == Who::Ordinary).count()
    });
    Outcome {
        cells: (0..grid.actors.len()).map(|at| cell(grid, cast, at, campaigns, peers)).collect(),
        false_campaigns,
        campaigns: campaigns.len(),
        gathered: campaigns.iter().map(|campaign| campaign.gathered).sum(),
        strangers: campaigns.iter().filter(|it| is_of_strangers(it)).count(),
        noise_campaigns: kinds.iter().filter(is_noise).count(),
        confidences: told.map(|(campaign, it)| (campaign.confidence, is_hostile(it))).collect(),
        peers_false,
        highest: campaigns.iter().map(|it| it.severity).max().unwrap_or(Severity::Noise),
        pool,
        events,
    }
}

fn describe(campaign: &Campaign) -> String {
    let detectors: BTreeSet<_> = campaign.detections.iter().map(|one| one.detector).collect();
    let evidence = campaign.detections.iter().flat_map(|one| one.evidence.iter().take(4));
    let evidence: Vec<&str> = evidence.take(8).map(String::as_str).collect();
    let sources: Vec<_> = campaign.sources.iter().take(3).collect();
    format!("{detectors:?} {sources:?} of {}: {evidence:?}", campaign.sources.len())
}

fn cell(grid: &Grid, cast: &Cast, at: usize, campaigns: &[Campaign], peers: &Peers) -> Cell {
    let actor = grid.actors[at];
    let own = cast.sources(at);
    let names: BTreeSet<IpAddr> = own.iter().map(|source| address(*source)).collect();
    let start = cast.active[at].values().min().copied().unwrap_or(FROM);
    let decisions = campaigns.iter().flat_map(|campaign| &campaign.detections);
    // A surge that an address of the actor happens to be in does not find the actor.
    let is_about = |one: &&Detection| {
        let own = one.sources.iter().filter(|source| names.contains(source)).count();
        2 * own >= one.sources.len()
    };
    let about = decisions.filter(is_about);
    let found = about.map(|one| days(one.decided - start)).reduce(f64::min);
    let peers = peers.flagged.each_ref().map(|flagged| {
        let times = own.iter().filter_map(|source| flagged.get(source));
        times.min().map(|time| days(*time - start))
    });
    let grouping = grouping(campaigns, &names);
    let (pace, size, mimicry) = (actor.pace, actor.size, actor.mimicry);
    Cell { pace, size, mimicry, found, grouping, peers }
}

fn is_of_strangers(campaign: &Campaign) -> bool {
    campaign.detections.iter().all(crate::campaign::is_of_strangers)
}

/// Precision and recall of the campaign that holds most of an actor's sources.
fn grouping(campaigns: &[Campaign], own: &BTreeSet<IpAddr>) -> Option<(f64, f64)> {
    let hit =
        |campaign: &Campaign| campaign.sources.iter().filter(|source| own.contains(source)).count();
    let told = campaigns.iter().filter(|it| it.gathered == 0 && !is_of_strangers(it));
    let best = told.max_by_key(|it| (hit(it), Reverse(it.sources.len())))?;
    let hit = real(hit(best));
    (hit > 0.0).then(|| (hit / real(best.sources.len()), hit / real(own.len())))
}

#[expect(clippy::cast_precision_loss, reason = "seconds of months")]
fn days(seconds: Timestamp) -> f64 {
    (seconds as f64 / DAY as f64).max(0.0)
}
