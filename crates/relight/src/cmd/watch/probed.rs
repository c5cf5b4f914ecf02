//! `relight watch probed WHAT`: who of ours was tried for a flaw or a product, and was it
//! vulnerable that day?

use std::collections::BTreeMap;

use clap::Args;
use relight_engine::store::{Store, StoreError};
use relight_engine::watch::{LOOKUP_DOOR, LOOKUP_FLAWS, catalogue, doors_of};
use relight_engine::{OnThatDay, Probed, ProbedSite, Then, probed};
use relight_model::{Campaign, Exposure, SiteId, Timestamp, Tried};
use relight_server::web::number::{date, rfc3339};
use relight_server::web::texts;
use serde::Serialize;

use super::{campaigns, notes};
use crate::context::Context;
use crate::failure::Failure;
use crate::register::INVENTORY_AGE_MAX_S;
use crate::report::{Exit, Report};

/// Sites that are named as text for each answer; `--json` has all.
const SHOWN_MAX: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Asked {
    #[arg(value_name = "WHAT")]
    what: String,
    #[arg(long, value_name = "N", default_value_t = 180)]
    days: u32,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    purpose: String,
    #[arg(long)]
    who: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    what: &'a str,
    from: String,
    to: String,
    doors: &'a [&'static str],
    flaws: &'a [String],
    /// Asked instead of flaws, when the doors belong to none: whether the site ran one of these.
    products: &'a [String],
    counts: BTreeMap<&'static str, usize>,
    total: usize,
    sites: Vec<Row<'a>>,
    /// Who tried, with `--who`.
    campaigns: Option<Vec<WhoRow>>,
}

#[derive(Serialize)]
struct WhoRow {
    id: String,
    severity: &'static str,
    sources: Vec<String>,
    sites: usize,
    first: String,
    last: String,
}

#[derive(Serialize)]
struct Row<'a> {
    site: &'a str,
    answer: &'static str,
    first: Option<String>,
    last: Option<String>,
    /// Days before the last one without a log of it.
    days_without_logs: u32,
}

impl Asked {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let doors = doors_of(&self.what);
        if doors.is_empty() {
            return Err(Failure::usage(texts::probed_no_door(lang, &self.what))
                .hint(texts::probed_no_door_remedy(lang)));
        }
        let flaws = flaws(&self.what, &doors);
        let store = context.existing_store()?;
        let failed = |error| context.store_failure(&error);
        let what = format!("{} {}", self.what, self.purpose);
        notes::note(&store, "probed", what.trim_end(), context)?;
        let products = if flaws.is_empty() { products(&doors) } else { Vec::new() };
        let then = Then::new(&store, &flaws, INVENTORY_AGE_MAX_S).map_err(failed)?;
        let on = |site, day| on_that_day(&then, site, day, (&flaws, &products));
        let sites = store.sites().map_err(failed)?;
        let to = context.now().div_euclid(86_400);
        let span = (to - i64::from(self.days), to);
        let found = probed(&store, &doors, sites.iter().map(|site| site.id), span, &on);
        let found = found.map_err(|error| Failure::engine(lang, &error))?;
        let names: BTreeMap<SiteId, &str> =
            sites.iter().map(|site| (site.id, site.slug.as_str())).collect();
        let mut counts: BTreeMap<&'static str, usize> =
            Probed::ALL.into_iter().map(|answer| (answer.as_str(), 0)).collect();
        for site in &found {
            *counts.entry(site.answer.as_str()).or_insert(0) += 1;
        }
        if counts["probed-unknown"] + counts["no-logs"] + half_heard(&found) > 0 {
            report.raise(Exit::Incomplete);
        }
        let who = self.who.then(|| who(&store, &doors, span, (context, report))).transpose()?;
        if context.json {
            let rows = found.iter().filter_map(|site| row(site, &names));
            let document = Document {
                what: &self.what,
                from: date(span.0),
                to: date(span.1),
                doors: &doors,
                flaws: &flaws,
                products: &products,
                total: found.len(),
                counts,
                sites: rows.collect(),
                campaigns: who.map(|who| who.iter().map(Who::row).collect()),
            };
            report.document("relight.probed/1", &document);
            return Ok(());
        }
        for answer in Probed::ALL {
            tell((answer, products.is_empty()), &found, &names, context, report);
        }
        for who in who.iter().flatten() {
            who.tell(context, report);
        }
        Ok(())
    }
}

/// The worst that is known about a site over a day. Doors that belong to no flaw are asked for
/// what they look for: whether that ran there.
fn on_that_day(
    then: &Then<'_>,
    site: SiteId,
    day: (Timestamp, Timestamp),
    (flaws, products): (&[String], &[String]),
) -> Result<OnThatDay, StoreError> {
    let nothing = flaws.is_empty() && products.is_empty();
    let mut worst = if nothing { OnThatDay::Unknown } else { OnThatDay::Clear };
    let mut add = |exposure| {
        worst = worst.max(match exposure {
            Exposure::Affected => OnThatDay::Affected,
            Exposure::Unknown => OnThatDay::Unknown,
            Exposure::Clear => OnThatDay::Clear,
        });
    };
    for flaw in flaws {
        add(then.exposure_between(site, day, flaw)?);
    }
    for product in products {
        add(then.runs_between(site, day, product)?);
    }
    Ok(worst)
}

/// What the doors look for, by the package URLs that inventories have.
fn products(doors: &[&'static str]) -> Vec<String> {
    let entries = doors.iter().filter_map(|id| catalogue::entry(id));
    let names = entries.flat_map(|entry| &entry.products).filter(|name| name.starts_with("pkg:"));
    names.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// A campaign that tried one of the doors.
struct Who {
    campaign: Campaign,
    /// Sites at which it did, and when first and last.
    sites: usize,
    span: (Timestamp, Timestamp),
}

/// The campaigns that tried one of the doors in these days. Who tried too little to be one is
/// found by `relight watch hunt`.
fn who(
    store: &Store,
    doors: &[&'static str],
    (from, to): (i64, i64),
    (context, report): (&Context, &mut Report),
) -> Result<Vec<Who>, Failure> {
    let mut found = Vec::new();
    for campaign in campaigns(store, context, report)? {
        let tried = campaign.detections.iter().flat_map(|it| &it.tried);
        let meant: Vec<&Tried> = tried
            .filter(|it| doors.contains(&it.door))
            .filter(|it| (from..=to).contains(&it.at.div_euclid(86_400)))
            .collect();
        let times = meant.iter().map(|it| it.at);
        let Some(span) = times.clone().min().zip(times.max()) else { continue };
        let sites: std::collections::BTreeSet<SiteId> = meant.iter().map(|it| it.site).collect();
        found.push(Who { sites: sites.len(), span, campaign });
    }
    Ok(found)
}

impl Who {
    fn row(&self) -> WhoRow {
        WhoRow {
            id: self.campaign.id.clone(),
            severity: self.campaign.severity.as_str(),
            sources: self.campaign.sources.iter().map(ToString::to_string).collect(),
            sites: self.sites,
            first: rfc3339(self.span.0),
            last: rfc3339(self.span.1),
        }
    }

    fn tell(&self, context: &Context, report: &mut Report) {
        let (id, sources) = (&self.campaign.id, self.campaign.sources.len());
        let days = format!("{} {}", rfc3339(self.span.0), rfc3339(self.span.1));
        report.line(&texts::probed_who(context.lang, id, self.sites, sources));
        report.line(&format!("  {days}"));
    }
}

/// The flaws that are asked about: the one that was named, or all of the doors.
fn flaws(what: &str, doors: &[&'static str]) -> Vec<String> {
    let of = |id: &&str| catalogue::entry(id).map(|entry| entry.cves.as_slice());
    let lookups = doors.iter().filter(|door| **door == LOOKUP_DOOR);
    let lookups = lookups.flat_map(|_| LOOKUP_FLAWS.map(str::to_owned));
    let mut all: Vec<String> = doors
        .iter()
        .filter_map(of)
        .flatten()
        .cloned()
        .chain(lookups)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect();
    if all.iter().any(|flaw| flaw.eq_ignore_ascii_case(what)) {
        all.retain(|flaw| flaw.eq_ignore_ascii_case(what));
    }
    all
}

fn tell(
    (answer, is_about_flaws): (Probed, bool),
    found: &[ProbedSite],
    names: &BTreeMap<SiteId, &str>,
    context: &Context,
    report: &mut Report,
) {
    let lang = context.lang;
    let ours: Vec<&ProbedSite> = found.iter().filter(|site| site.answer == answer).collect();
    let code = match answer.as_str().strip_prefix("probed-") {
        Some(of_flaw) if !is_about_flaws => format!("product-{of_flaw}"),
        _ => answer.as_str().to_owned(),
    };
    let what = texts::by_code(lang, &code).unwrap_or_default();
    report.line(&texts::labelled(lang, what, &ours.len().to_string()));
    if matches!(answer, Probed::NotProbed) {
        let some = half_heard(found);
        if some > 0 {
            report.line(&format!("  {}", texts::not_probed_unheard(lang, some)));
        }
        return;
    }
    for site in ours.iter().take(SHOWN_MAX) {
        let name = names.get(&site.site).copied().unwrap_or_default();
        let days = site.days.map(|(first, last)| format!("{} {}", date(first), date(last)));
        report.line(format!("  {name}  {}", days.unwrap_or_default()).trim_end());
    }
}

/// Sites without a try in their logs that sent none on some of the days: an absence of logs is no
/// absence of tries.
fn half_heard(found: &[ProbedSite]) -> usize {
    let quiet = found.iter().filter(|site| site.answer == Probed::NotProbed && site.unheard > 0);
    quiet.count()
}

fn row<'a>(site: &ProbedSite, names: &BTreeMap<SiteId, &'a str>) -> Option<Row<'a>> {
    let (first, last) = site.days.map_or((None, None), |(first, last)| (Some(first), Some(last)));
    let answer = site.answer.as_str();
    Some(Row {
        site: names.get(&site.site)?,
        answer,
        first: first.map(date),
        last: last.map(date),
        days_without_logs: site.unheard,
    })
}
