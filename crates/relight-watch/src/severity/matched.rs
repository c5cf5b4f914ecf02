//! Whether a campaign looks for what the sites run that it meets: the strongest sign of
//! reconnaissance that is aimed at somebody.
//!
//! A robot tries its doors everywhere, so it meets those who run a product as often as chance does.
//! Inventories are corrected later, so this is joined when it is judged and never stored.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Campaign, Exposure, Matched, SiteId, Timestamp};

use super::Known;
use crate::catalogue;
use crate::chance::{hypergeometric_tail, significant};

/// Most products of a campaign.
const MATCHED_MAX: usize = 8;

/// Fewest sites that run a product and were tried, before that is called aimed.
pub(super) const MATCHED_SITES_MIN: usize = 3;

/// Share of false ones among the products that are called aimed at.
const FALSE_PRODUCTS: f64 = 0.01;

/// A product: what people call it, and what inventories call it.
type Product = (&'static str, &'static [String]);

/// Sites at which a product was tried, and when first.
type Tries = BTreeMap<SiteId, Timestamp>;

/// The products that ran at so many of the sites at which they were tried.
pub(super) fn matched(known: &Known<'_>, campaign: &Campaign, least: usize) -> Vec<Matched> {
    let mut met: Vec<(Product, Tries, [BTreeSet<SiteId>; 2])> = Vec::new();
    for (product, tries) in tries(campaign) {
        let of = |wanted: Exposure| -> BTreeSet<SiteId> {
            let runs =
                tries.iter().filter(|(site, at)| runs(known, product, **site, **at) == wanted);
            runs.map(|(site, _)| *site).collect()
        };
        let sites = [of(Exposure::Affected), of(Exposure::Unknown)];
        if sites[0].len() >= least {
            met.push((product, tries, sites));
        }
    }
    met.sort_by_key(|(product, _, sites)| (Reverse(sites[0].len()), *product));
    met.truncate(MATCHED_MAX);
    let mut found: Vec<(Matched, f64)> = met
        .iter()
        .map(|(product, tries, sites)| joined(known, campaign, *product, tries, sites))
        .collect();
    let tails: Vec<f64> = found.iter().map(|(_, tail)| *tail).collect();
    for ((matched, _), significant) in found.iter_mut().zip(significant(&tails, FALSE_PRODUCTS)) {
        matched.aimed = significant && matched.tried >= MATCHED_SITES_MIN;
    }
    found.into_iter().map(|(matched, _)| matched).collect()
}

/// What of a campaign is about each product that inventories have a name for.
fn tries(campaign: &Campaign) -> BTreeMap<Product, Tries> {
    let mut all: BTreeMap<Product, Tries> = BTreeMap::new();
    for tried in campaign.detections.iter().flat_map(|it| &it.tried) {
        let Some(entry) = catalogue::entry(tried.door).filter(|it| !it.products.is_empty()) else {
            continue;
        };
        let at = all.entry((&entry.product, &entry.products)).or_default().entry(tried.site);
        at.and_modify(|at| *at = (*at).min(tried.at)).or_insert(tried.at);
    }
    all
}

/// Whether a site ran any of the names of a product at that time. Inventories hold package URLs;
/// of a product that has none, nobody knows.
fn runs(known: &Known<'_>, (_, names): Product, site: SiteId, at: Timestamp) -> Exposure {
    let mut packages = names.iter().filter(|name| name.starts_with("pkg:")).peekable();
    if packages.peek().is_none() {
        return Exposure::Unknown;
    }
    let mut answer = Exposure::Clear;
    for name in packages {
        match (known.runs)(site, at, name) {
            Exposure::Affected => return Exposure::Affected,
            Exposure::Unknown => answer = Exposure::Unknown,
            Exposure::Clear => {}
        }
    }
    answer
}

/// The answer about a product, and how often chance alone gives so many of its sites. Sites of
/// which nobody knows what they run count neither way.
fn joined(
    known: &Known<'_>,
    campaign: &Campaign,
    product: Product,
    tries: &Tries,
    [met, unknown]: &[BTreeSet<SiteId>; 2],
) -> (Matched, f64) {
    let (mut sites, mut running) = (tries.len() - unknown.len(), met.len());
    for site in known.sectors.keys().filter(|site| !tries.contains_key(site)) {
        if !(known.heard)(*site, campaign.first, campaign.last) {
            continue;
        }
        match runs(known, product, *site, campaign.last) {
            Exposure::Affected => (sites, running) = (sites + 1, running + 1),
            Exposure::Clear => sites += 1,
            Exposure::Unknown => {}
        }
    }
    let drawn = tries.len() - unknown.len();
    let tail = hypergeometric_tail(sites, running, drawn, met.len());
    let matched = Matched {
        product: product.0.to_owned(),
        running,
        tried: met.len(),
        unknown: unknown.len(),
        aimed: false,
    };
    (matched, tail)
}
