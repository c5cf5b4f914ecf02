//! `relight watch probed WHAT`: who of ours was tried for a flaw or a product, and was it
//! vulnerable that day?

use std::collections::BTreeMap;

use clap::Args;
use relight_engine::watch::{LOOKUP_DOOR, LOOKUP_FLAWS, catalogue, doors_of};
use relight_engine::{OnThatDay, Probed, ProbedSite, Then, probed};
use relight_model::{Exposure, SiteId};
use relight_server::web::texts;
use serde::Serialize;

use super::{day, notes};
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
}

#[derive(Serialize)]
struct Document<'a> {
    what: &'a str,
    from: String,
    to: String,
    doors: &'a [&'static str],
    flaws: &'a [String],
    counts: BTreeMap<&'static str, usize>,
    total: usize,
    sites: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    site: &'a str,
    answer: &'static str,
    first: Option<String>,
    last: Option<String>,
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
        let then = Then::new(&store, &flaws, INVENTORY_AGE_MAX_S).map_err(failed)?;
        let on = |site, day| {
            let mut worst = if flaws.is_empty() { OnThatDay::Unknown } else { OnThatDay::Clear };
            for flaw in &flaws {
                worst = worst.max(match then.exposure_between(site, day, flaw)? {
                    Exposure::Affected => OnThatDay::Affected,
                    Exposure::Unknown => OnThatDay::Unknown,
                    Exposure::Clear => OnThatDay::Clear,
                });
            }
            Ok(worst)
        };
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
        if counts["probed-unknown"] + counts["no-logs"] > 0 {
            report.raise(Exit::Incomplete);
        }
        if context.json {
            let rows = found.iter().filter_map(|site| row(site, &names));
            let document = Document {
                what: &self.what,
                from: day(span.0),
                to: day(span.1),
                doors: &doors,
                flaws: &flaws,
                total: found.len(),
                counts,
                sites: rows.collect(),
            };
            report.document("relight.probed/1", &document);
            return Ok(());
        }
        for answer in Probed::ALL {
            tell(answer, &found, &names, context, report);
        }
        Ok(())
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
    answer: Probed,
    found: &[ProbedSite],
    names: &BTreeMap<SiteId, &str>,
    context: &Context,
    report: &mut Report,
) {
    let lang = context.lang;
    let ours: Vec<&ProbedSite> = found.iter().filter(|site| site.answer == answer).collect();
    let what = texts::by_code(lang, answer.as_str()).unwrap_or_default();
    report.line(&texts::labelled(lang, what, &ours.len().to_string()));
    if matches!(answer, Probed::NotProbed) {
        return;
    }
    for site in ours.iter().take(SHOWN_MAX) {
        let name = names.get(&site.site).copied().unwrap_or_default();
        let days = site.days.map(|(first, last)| format!("{} {}", day(first), day(last)));
        report.line(format!("  {name}  {}", days.unwrap_or_default()).trim_end());
    }
}

fn row<'a>(site: &ProbedSite, names: &BTreeMap<SiteId, &'a str>) -> Option<Row<'a>> {
    let (first, last) = site.days.map_or((None, None), |(first, last)| (Some(first), Some(last)));
    let answer = site.answer.as_str();
    Some(Row { site: names.get(&site.site)?, answer, first: first.map(day), last: last.map(day) })
}
