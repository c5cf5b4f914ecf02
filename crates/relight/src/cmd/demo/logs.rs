//! The logs of the demo: 60 days of several organisations, written as files, read back as any log.

use std::fs::{self, File};
use std::net::IpAddr;

use anyhow::Context as _;
use relight_engine::demo::Province;
use relight_engine::watch::Feed;
use relight_engine::watch::sim::{Products, Scenario, SimOrganisation};
use relight_engine::{Engine, campaigns_of};
use relight_model::{Campaign, Severity, Site};

use super::stage::Layout;

/// Days of logs.
const DAYS: u32 = 60;

/// Organisations whose logs are read, at most.
const ORGANISATIONS_MAX: usize = 12;

/// Sites of each that log, at most.
const SITES_MAX: usize = 2;

/// People a day and site.
const VISITORS_PER_DAY: u32 = 30;

/// 2021-10-11, 60 days before the order of December 2021.
const FROM: i64 = 1_633_910_400;

/// What reading the logs gave.
#[derive(Clone, Debug)]
pub(super) struct Watched {
    /// Lines read.
    pub(super) lines: u64,
    /// Campaigns found.
    pub(super) campaigns: Vec<Campaign>,
    /// The slow actor of the truth is in a campaign of at least S1.
    pub(super) slow_actor_found: bool,
    /// Campaigns without any actor of the truth.
    pub(super) false_campaigns: usize,
    /// The slow actor.
    pub(super) slow_actor: IpAddr,
}

/// Writes the logs of the province and reads them.
pub(super) fn watch(
    engine: &Engine,
    layout: &Layout,
    province: &Province,
) -> anyhow::Result<Watched> {
    let simulation = Scenario {
        seed: province.seed,
        organisations: organisations(&engine.sites()),
        from: FROM,
        days: DAYS,
        visitors_per_day: VISITORS_PER_DAY,
        logs: Products::Combined,
    }
    .generate();
    let folder = layout.logs();
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let mut lines = 0;
    for log in simulation.logs {
        let path = folder.join(format!("{}.log", log.host));
        fs::write(&path, &log.bytes).with_context(|| format!("writing {}", path.display()))?;
        let (org, site, host) = (log.org, Some(log.site), log.host);
        let feed = Feed { org, site, host, ..Feed::default() };
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        lines += engine.ingest_log(&feed, file)?.tally.lines;
    }
    let campaigns = campaigns_of(engine.store())?;
    let truth = simulation.truth;
    let is_found = |campaign: &Campaign| {
        campaign.severity >= Severity::Reconnaissance
            && campaign.sources.contains(&truth.slow_actor)
    };
    Ok(Watched {
        lines,
        slow_actor_found: campaigns.iter().any(is_found),
        false_campaigns: campaigns
            .iter()
            .filter(|campaign| !campaign.sources.iter().any(|source| truth.is_actor(*source)))
            .count(),
        campaigns,
        slow_actor: truth.slow_actor,
    })
}

/// The first organisations of the register and the first sites of each.
fn organisations(sites: &[Site]) -> Vec<SimOrganisation> {
    let mut organisations: Vec<SimOrganisation> = Vec::new();
    for site in sites {
        let entry = (site.id, site.host().to_owned());
        let known = organisations.iter().position(|organisation| organisation.id == site.org);
        match known {
            Some(at) if organisations[at].sites.len() < SITES_MAX => {
                organisations[at].sites.push(entry);
            }
            None if organisations.len() < ORGANISATIONS_MAX => {
                organisations.push(SimOrganisation { id: site.org, sites: vec![entry] });
            }
            Some(_) | None => {}
        }
    }
    organisations
}
