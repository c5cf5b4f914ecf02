//! `relight watch posture`: what the logs of each site are like, and the line of configuration that
//! makes them come.

use std::collections::BTreeMap;

use clap::Args;
use relight_engine::{FeedPosture, LogState, SitePosture, posture};
use relight_model::{Light, Site, SiteId};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::register::Register;
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct Posture {
    #[arg(long, value_name = "STATE",
        value_parser = one_of(&["complete", "partial", "silent", "never"]))]
    state: Option<String>,
}

#[derive(Serialize)]
struct PostureDocument<'a> {
    sites: Vec<SiteRow<'a>>,
    counts: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct SiteRow<'a> {
    site: &'a str,
    state: &'static str,
    since: Option<String>,
    missing: &'a [&'static str],
    feeds: Vec<FeedRow<'a>>,
}

#[derive(Serialize)]
struct FeedRow<'a> {
    format: &'a str,
    last: String,
    events: u64,
    days: u32,
    fields: &'a [&'static str],
}

/// The logs of every site of the register.
pub(crate) fn of(register: &Register, context: &Context) -> Result<Vec<SitePosture>, Failure> {
    let by_id: BTreeMap<SiteId, &Site> = register.sites.iter().map(|it| (it.id, it)).collect();
    let is_dark = |id| {
        let site = by_id.get(&id);
        site.is_some_and(|site| register.ledger.wants(&site.slug) == Light::Dark)
    };
    posture(&register.store, by_id.keys().copied(), &is_dark, register.now)
        .map_err(|error| Failure::engine(context.lang, &error))
}

/// What is missing in the logs of a site, as a gap, and the line that closes it.
pub(crate) fn gap(
    posture: &SitePosture,
    kind: &str,
    organisation: &str,
) -> Option<(&'static str, String)> {
    let gap = match posture.state {
        LogState::Never => "logs-never",
        LogState::Silent(_) => "logs-silent",
        LogState::Partial(_) => "logs-partial",
        LogState::Complete => return None,
    };
    Some((gap, configuration(kind, organisation)))
}

/// The line of an edge's own configuration that sends its log to a listener of ours; where there
/// is none, the command that reads it.
fn configuration(kind: &str, organisation: &str) -> String {
    match kind {
        "nginx" => "access_log syslog:server=127.0.0.1:5514,nohostname combined;".to_owned(),
        "apache" => "CustomLog \"|/usr/bin/logger -n 127.0.0.1 -P 5514 -d -t apache\" \
                     vhost_combined"
            .to_owned(),
        "haproxy" => "log 127.0.0.1:5514 local0 info (option httplog)".to_owned(),
        "caddy" => "log { output net udp/127.0.0.1:5514 }".to_owned(),
        _ => format!("relight watch ingest FILE --org \"{organisation}\" --follow"),
    }
}

impl Posture {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open_for(context, &[])?;
        let all = of(&register, context)?;
        let mut counts = BTreeMap::new();
        for posture in &all {
            *counts.entry(posture.state.as_str()).or_insert(0) += 1;
        }
        let slugs: BTreeMap<SiteId, &str> =
            register.sites.iter().map(|site| (site.id, site.slug.as_str())).collect();
        let is_asked = |posture: &&SitePosture| {
            self.state.as_deref().is_none_or(|state| posture.state.as_str() == state)
        };
        let shown = all.iter().filter(is_asked);
        let named = shown.filter_map(|posture| Some((*slugs.get(&posture.site)?, posture)));
        if context.json {
            let sites = named.map(|(slug, posture)| row(slug, posture)).collect();
            report.document("relight.posture/1", &PostureDocument { sites, counts });
            return Ok(());
        }
        for (slug, posture) in named {
            report.line(&format!("{slug}  {}", words(&posture.state, context.lang)));
            for feed in &posture.feeds {
                let FeedPosture { format, last, events, days, .. } = feed;
                let text = texts::posture_feed(context.lang, u64::from(*days), *events);
                let text = texts::labelled(context.lang, format, &text);
                report.line(&format!("  {text}  {}", rfc3339(*last)));
            }
        }
        let count = |state: &str| counts.get(state).copied().unwrap_or(0);
        let [complete, partial] = [count("complete"), count("partial")];
        let (never, silent) = (count("never"), count("silent"));
        let text = texts::posture_counts(context.lang, complete, never, partial, silent);
        report.line(&text);
        if complete < all.len() {
            report.next("relight sites gaps");
        }
        Ok(())
    }
}

fn words(state: &LogState, lang: Lang) -> String {
    let text = texts::by_code(lang, &format!("posture-{}", state.as_str())).unwrap_or_default();
    match state {
        LogState::Partial(missing) => texts::labelled(lang, text, &missing.join(", ")),
        LogState::Silent(since) => texts::labelled(lang, text, &rfc3339(*since)),
        LogState::Complete | LogState::Never => text.to_owned(),
    }
}

fn row<'a>(site: &'a str, posture: &'a SitePosture) -> SiteRow<'a> {
    let (since, missing) = match &posture.state {
        LogState::Silent(since) => (Some(rfc3339(*since)), &[][..]),
        LogState::Partial(missing) => (None, missing.as_slice()),
        LogState::Complete | LogState::Never => (None, &[][..]),
    };
    let feeds = posture.feeds.iter().map(|feed| FeedRow {
        format: &feed.format,
        last: rfc3339(feed.last),
        events: feed.events,
        days: feed.days,
        fields: &feed.fields,
    });
    SiteRow { site, state: posture.state.as_str(), since, missing, feeds: feeds.collect() }
}
