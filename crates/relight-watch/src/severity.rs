//! The ladder of severities: what a campaign is, once it is known whom it met.
//!
//! Reconnaissance is not compromise. A campaign is aimed when it meets a sector, or the sites that
//! run what it looks for, more often than chance does (S2); an attempt weighs more when the site
//! had the flaw at that hour (S4); and only signs of success after an attempt at the same site may
//! be called signs of compromise (S5). What nobody knows raises nothing and clears nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use relight_model::{Attempt, Campaign, Exposure, Severity, Sign, SiteId, Timestamp};

use crate::campaign::joins;
use crate::chance::{hypergeometric_tail, significant};
use crate::contact::subject;

/// How long after an attempt a sign still counts as following it, in seconds: a week.
pub const SIGN_FOLLOWS_S_MAX: Timestamp = 7 * 86_400;

/// Share of false ones among the sectors that are named.
const FALSE_SECTORS: f64 = 0.01;

/// Fewest sites of a sector that must have been met before it is named.
const SECTOR_SITES_MIN: usize = 3;

/// What is known around the logs.
pub struct Known<'a> {
    /// The sector of each site that could be met.
    pub sectors: &'a BTreeMap<SiteId, String>,
    /// Whether a site sent lines around the time between two moments: of one that did not, nobody
    /// knows whether it was met.
    pub heard: &'a dyn Fn(SiteId, Timestamp, Timestamp) -> bool,
    /// Whether the site had the flaw at that time.
    pub exposure: &'a dyn Fn(SiteId, Timestamp, &str) -> Exposure,
    /// Whether the site ran a product at that time, by a package URL or a CPE name of it:
    /// `Affected` stands for yes, `Clear` for no.
    pub runs: &'a dyn Fn(SiteId, Timestamp, &str) -> Exposure,
    /// What sites did that they only do when an attempt succeeded.
    pub signs: &'a [Sign],
}

impl Known<'_> {
    /// Gives a campaign its place on the ladder.
    pub fn grade(&self, campaign: &mut Campaign) {
        campaign.aimed_at = aimed_at(
            self.sectors,
            &|site| (self.heard)(site, campaign.first, campaign.last),
            &campaign.sites,
        );
        campaign.matched = matched::matched(self, campaign, matched::MATCHED_SITES_MIN);
        for attempt in &mut campaign.attempts {
            let exposure = |site| (self.exposure)(site, attempt.at, attempt.flaw);
            attempt.exposure = attempt.site.map_or(Exposure::Unknown, exposure);
        }
        campaign.signs = self.signs_after(campaign);
        campaign.severity = campaign.severity.max(raised(campaign));
    }

    /// Says of a campaign on its step, as a person sees it, what else belongs to its story: each
    /// product that it looked for where it ran, and how many sites nobody heard.
    pub fn complete(&self, campaign: &mut Campaign) {
        let mut matched = matched::matched(self, campaign, 1);
        let aimed = campaign.matched.iter().filter(|it| it.aimed).map(|it| &it.product);
        let aimed: BTreeSet<&String> = aimed.collect();
        matched.iter_mut().for_each(|it| it.aimed = aimed.contains(&it.product));
        campaign.matched = matched;
        campaign.silent = self.silent(campaign);
    }

    /// Sites that sent no line around the time of a campaign.
    fn silent(&self, campaign: &Campaign) -> usize {
        let is_heard = |site: &&SiteId| (self.heard)(**site, campaign.first, campaign.last);
        self.sectors.len() - self.sectors.keys().filter(is_heard).count()
    }

    /// Signs at a site after an attempt there, towards what the attempt would have called or
    /// towards who made it. Without an attempt before it, a connection is no sign of anything; and
    /// what one stranger would have called is no matter of another's attempt, so detections whose
    /// sources have no more than a door in common are left out: each source has its own as well.
    fn signs_after(&self, campaign: &Campaign) -> Vec<Sign> {
        let joined = || campaign.detections.iter().filter(|detection| joins(detection));
        let callbacks = joined().flat_map(|it| it.callbacks.iter().map(|host| host_key(host)));
        let sources = joined().flat_map(|it| it.sources.iter().map(|it| subject(*it).to_string()));
        let hosts: BTreeSet<String> = callbacks.chain(sources).collect();
        let follows = |sign: &Sign| {
            let after = |attempt: &Attempt| {
                let waited = sign.at - attempt.at;
                attempt.site == Some(sign.site) && (0..=SIGN_FOLLOWS_S_MAX).contains(&waited)
            };
            hosts.contains(&host_key(&sign.host)) && joined().flat_map(|it| &it.attempts).any(after)
        };
        let signs: BTreeSet<Sign> =
            self.signs.iter().filter(|sign| follows(sign)).cloned().collect();
        signs.into_iter().collect()
    }
}

/// A host in the form in which hosts are compared: an address as sources are kept (of version 6
/// its /64), a name without the dot at its end.
pub(crate) fn host_key(host: &str) -> String {
    let host = host.trim_end_matches('.');
    let plain = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let address = plain.parse::<IpAddr>().map(|address| subject(address).to_string());
    address.unwrap_or_else(|_| host.to_ascii_lowercase())
}

/// What is known about its targets makes of a campaign at least this.
fn raised(campaign: &Campaign) -> Severity {
    let affected = |attempt: &Attempt| attempt.exposure == Exposure::Affected;
    if !campaign.signs.is_empty() {
        Severity::SignsOfSuccess
    } else if campaign.attempts.iter().any(affected) {
        Severity::AttemptOnVulnerable
    } else if campaign.severity == Severity::Reconnaissance && is_aimed(campaign) {
        Severity::TargetedReconnaissance
    } else {
        Severity::Noise
    }
}

/// It meets a sector, or the sites that run what it looks for, more often than chance does.
fn is_aimed(campaign: &Campaign) -> bool {
    !campaign.aimed_at.is_empty() || campaign.matched.iter().any(|it| it.aimed)
}

/// Sectors of which more sites were met than chance would, given how many were heard.
pub(crate) fn aimed_at(
    sectors: &BTreeMap<SiteId, String>,
    is_heard: &dyn Fn(SiteId) -> bool,
    met: &[SiteId],
) -> Vec<String> {
    if !has_enough_of_one(sectors, met) {
        return Vec::new();
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let (mut heard, mut drawn) = (0, 0);
    for (site, sector) in sectors.iter().filter(|(site, _)| is_heard(**site)) {
        heard += 1;
        let (all, hit) = counts.entry(sector).or_default();
        *all += 1;
        if met.binary_search(site).is_ok() {
            *hit += 1;
            drawn += 1;
        }
    }
    let tail = |(all, hit): &(usize, usize)| hypergeometric_tail(heard, *all, drawn, *hit);
    let tails: Vec<f64> = counts.values().map(tail).collect();
    let named = counts.iter().zip(significant(&tails, FALSE_SECTORS));
    named
        .filter(|((_, (_, hit)), significant)| *significant && *hit >= SECTOR_SITES_MIN)
        .map(|((sector, _), _)| (*sector).to_owned())
        .collect()
}

/// Some sector may be named at all: thousands of addresses with a few doors each need no count of
/// all sites.
fn has_enough_of_one(sectors: &BTreeMap<SiteId, String>, met: &[SiteId]) -> bool {
    let mut hits: BTreeMap<&str, usize> = BTreeMap::new();
    met.iter().filter_map(|site| sectors.get(site)).any(|sector| {
        let hit = hits.entry(sector).or_default();
        *hit += 1;
        *hit >= SECTOR_SITES_MIN
    })
}

mod matched;

#[cfg(test)]
mod tests;
