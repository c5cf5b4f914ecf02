//! `/watch`: who was trying the doors, and why we think so.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::{Engine, Judged, watch};
use relight_model::{Campaign, Severity, SiteId, Timestamp};
use relight_web::campaign::{Called, sentences};
use relight_web::register_views::{CampaignCard, WatchPage};
use relight_web::{Lang, number, texts, words};

use super::{Asked, Console, blocking, evidence, heat, lanes, share};
use crate::access::signed_in::Reader;
use crate::page::{self, encode};
use crate::sse::topic::Topic;

/// Campaigns on the page, the newest first.
const CAMPAIGNS_MAX: usize = 50;

/// Addresses and lines of evidence of one campaign.
const SHOWN_MAX: usize = 12;

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let judged = engine.campaigns();
        let (mut campaigns, problem) = match &judged {
            Ok(found) => {
                let missing = relight_web::campaign::not_judged(lang, found.sources_kept);
                (found.campaigns.iter().collect::<Vec<_>>(), missing.unwrap_or_default())
            }
            Err(error) => (Vec::new(), error.to_string()),
        };
        campaigns.retain(|it| is_within((it.first, it.last), &asked.from, &asked.to));
        // The list of actors leads to one of any age, by its name of today or of before.
        let name = asked.q.trim();
        campaigns.retain(|it| {
            name.is_empty() || it.id == name || it.formerly.iter().any(|id| id == name)
        });
        campaigns.sort_by(|a, b| (b.last, &a.id).cmp(&(a.last, &b.id)));
        // A map that cannot be read is left out; the campaigns say why.
        let heat = heat::of(engine, lang).unwrap_or_default();
        let days = days(&heat.first, &asked, &campaigns);
        let (from, to) = (encode(&asked.from), encode(&asked.to));
        let href =
            |page: &str, lang: Lang| format!("{page}?lang={}&from={from}&to={to}", lang.tag());
        let switch = format!("{}&q={}", href("/watch", lang.other()), encode(name));
        let sites = names(engine);
        let called = Called {
            site: &|site| sites.get(&site).cloned().unwrap_or_else(|| site.0.to_string()),
            door: &|id| door_title(lang, id),
        };
        let card = |&campaign| card(lang, campaign, called);
        let kept = judged.as_ref().ok().map(|it| Topic::of_text(&text_of(it)));
        let frame = console.frame(&asked, texts::watch_title(lang), "watch", switch);
        let page = WatchPage {
            frame: Console::fresh(frame, &Topic::Watch, kept),
            count: texts::campaigns_found(lang, campaigns.len()),
            problem,
            lanes: lanes::lanes(lang, &campaigns, days),
            heat,
            exports: exports(&console, engine, &asked),
            actors: href("/watch/actors", lang),
            days: (asked.from.clone(), asked.to.clone()),
            campaigns: campaigns.iter().take(CAMPAIGNS_MAX).map(card).collect(),
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

/// What the page is made of, as one text; `None` when it cannot be read.
pub(crate) fn shown(engine: &Engine) -> Option<String> {
    engine.campaigns().ok().map(|judged| text_of(&judged))
}

/// What is many and stands on no page, such as every source, is counted.
fn text_of(judged: &Judged) -> String {
    let of = |it: &Campaign| {
        let counts = (it.organisations.len(), it.sites.len(), it.sources.len(), it.silent);
        let step = (it.severity, it.confidence, &it.attempts, &it.signs);
        let about = (&it.aimed_at, &it.known, &it.matched, &it.spoofed, &it.shared, &it.formerly);
        format!("{} {} {} {counts:?} {step:?} {about:?}\n", it.id, it.first, it.last)
    };
    let campaigns: String = judged.campaigns.iter().map(of).collect();
    format!("{} {campaigns}", judged.sources_kept)
}

/// What sites are called; one that cannot be read is told by its number.
fn names(engine: &Engine) -> BTreeMap<SiteId, String> {
    let sites = engine.store().sites().unwrap_or_default().into_iter();
    sites.map(|site| (site.id, site.slug.to_string())).collect()
}

fn door_title(lang: Lang, id: &str) -> Option<String> {
    let entry = watch::catalogue::entry(id)?;
    Some(if lang == Lang::Fr { entry.title_fr.clone() } else { entry.title_en.clone() })
}

/// Whether the reader may take campaigns along.
fn exports(console: &Console, engine: &Engine, asked: &Asked) -> bool {
    let may = |signed| !console.stage.is_played() && share::may(console, signed, engine);
    matches!(&asked.reader, Reader::Signed(signed) if may(signed))
}

/// Whether what had its first and last contact at these times had one between two days,
/// `2021-12-10`; empty is open.
pub(super) fn is_within((first, last): (Timestamp, Timestamp), from: &str, to: &str) -> bool {
    // Days in this form sort as texts do.
    evidence::day(last).as_str() >= from && (to.is_empty() || evidence::day(first).as_str() <= to)
}

/// The days that the lanes show, both included, by number: those that were asked for; else those
/// of the map, or of the campaigns.
fn days(heat: &str, asked: &Asked, campaigns: &[&Campaign]) -> (i64, i64) {
    let first = campaigns.iter().map(|it| it.first).min().unwrap_or(0) / 86_400;
    let last = campaigns.iter().map(|it| it.last).max().unwrap_or(0) / 86_400;
    let from = number::day(&asked.from).or_else(|| number::day(heat)).unwrap_or(first);
    let to = number::day(&asked.to).unwrap_or(last).max(from);
    (from, to)
}

fn card(lang: Lang, campaign: &Campaign, called: Called<'_>) -> CampaignCard {
    let why = watch::explain(campaign);
    let days = u64::try_from(campaign.last - campaign.first).unwrap_or(0) / 86_400 + 1;
    let (organisations, sites) = (campaign.organisations.len(), campaign.sites.len());
    let mut sources: Vec<String> =
        campaign.sources.iter().take(SHOWN_MAX).map(ToString::to_string).collect();
    if campaign.sources.len() > SHOWN_MAX {
        sources.push("…".to_owned());
    }
    let word = |class| texts::by_code(lang, &format!("contact-{class}")).unwrap_or(class);
    let parts = why.contributions.iter().map(|part| {
        let much = decimal(lang, part.likelihood, 1);
        (word(part.class), texts::campaign_part(lang, u64::from(part.contacts), &much))
    });
    let both = |at| (number::rfc3339(at), number::stamp(lang, at));
    let (sum, least) = (decimal(lang, why.likelihood, 1), decimal(lang, why.threshold, 1));
    CampaignCard {
        id: campaign.id.clone(),
        severity: words::severity(lang, campaign.severity),
        reach: texts::campaign_reach(lang, days, organisations, sites, campaign.sources.len()),
        confidence: texts::confidence(lang, &decimal(lang, campaign.confidence, 2)),
        first: both(campaign.first),
        last: both(campaign.last),
        sources: sources.join(" "),
        told: sentences(lang, campaign, called),
        compromise: campaign.severity >= Severity::SignsOfSuccess,
        parts: parts.collect(),
        decision: texts::campaign_decision(lang, &sum, &least),
        evidence: why.evidence.iter().take(SHOWN_MAX).cloned().collect(),
    }
}

/// A number with `places` decimals, in the locale's own writing.
fn decimal(lang: Lang, value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_about_the_days_that_were_asked_for() {
        let asked = |from: &str, to: &str| Asked {
            from: from.to_owned(),
            to: to.to_owned(),
            ..Asked::default()
        };
        for (heat, from, to, wanted) in [
            ("", "", "", (0, 0)),
            ("1970-01-11", "", "", (10, 10)),
            ("1970-01-11", "1970-01-03", "1970-01-21", (2, 20)),
            ("", "1970-01-21", "1970-01-03", (20, 20)),
            ("1970-01-11", "no day", "1970-01-12T00:00:00Z", (10, 10)),
        ] {
            assert_eq!(days(heat, &asked(from, to), &[]), wanted, "{heat} {from} {to}");
        }
    }

    #[test]
    fn decimals_are_those_of_the_language() {
        assert_eq!(decimal(Lang::Fr, 0.934, 2), "0,93");
        assert_eq!(decimal(Lang::En, 12.25, 1), "12.2");
    }
}
