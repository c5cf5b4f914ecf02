//! `relight watch posture`: the three measures of each site (patches, logs, factors) with date and
//! evidence, the ten actions of each body, and the line of configuration that makes logs come.

use std::collections::BTreeMap;

use clap::Args;
use relight_engine::measures::{
    Attested, BodyMeasures, KEV_DAYS_MAX, Measure, Measures, Patched, SiteMeasures, measures,
};
use relight_engine::{FeedPosture, LogNotes, LogState, SitePosture, kept_days, log_notes, posture};
use relight_model::{Light, Site, SiteId};
use relight_server::web::number::{date, rfc3339};
use relight_server::web::{Lang, texts, words as word};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::register::Register;
use crate::report::Report;

/// The evidence in documents when no list of what is exploited was read not long ago.
const UNLISTED: &str = "no-list-of-exploited";

/// Seconds from which on people are told that lines are read late.
const BEHIND_TOLD_S: i64 = 3_600;

#[derive(Debug, Args)]
pub(super) struct Posture {
    #[arg(long, value_name = "STATE",
        value_parser = one_of(&["complete", "partial", "quiet", "silent", "never"]))]
    state: Option<String>,
}

#[derive(Serialize)]
struct PostureDocument<'a> {
    sites: Vec<SiteRow<'a>>,
    organisations: Vec<BodyRow<'a>>,
    counts: BTreeMap<&'static str, usize>,
    /// Days that what is made of logs is kept.
    kept_days: i64,
}

#[derive(Serialize)]
struct SiteRow<'a> {
    site: &'a str,
    state: &'static str,
    since: Option<String>,
    missing: &'a [&'static str],
    feeds: Vec<FeedRow<'a>>,
    gaps: Vec<[String; 2]>,
    reading: ReadingRow,
    outbound_until: Option<String>,
    patched: MeasureRow,
    mfa: MeasureRow,
}

/// What was noted about the lines of the last 28 days.
#[derive(Serialize)]
struct ReadingRow {
    lines: u64,
    unread: u64,
    unrecognised: bool,
    /// Seconds by which the clock of the sender is ahead of ours; none below two minutes.
    ahead_s: Option<i64>,
    /// Least and most seconds by which the newest lines were behind when they were read.
    behind_s: Option<[i64; 2]>,
    changes: Vec<FormatChangeRow>,
}

#[derive(Serialize)]
struct FormatChangeRow {
    from: String,
    to: Option<String>,
    at: String,
}

/// One measure: what it says, since when, on what evidence, and who attested it until when.
#[derive(Serialize)]
struct MeasureRow {
    value: &'static str,
    at: Option<String>,
    evidence: Vec<String>,
    by: Option<String>,
    expires: Option<String>,
}

#[derive(Serialize)]
struct BodyRow<'a> {
    organisation: &'a str,
    sites: usize,
    patched: CountRow,
    logs: CountRow,
    mfa: CountRow,
    actions: Vec<ActionRow>,
    /// Lines of its logs that tell no site.
    reading: ReadingRow,
}

#[derive(Serialize)]
struct CountRow {
    yes: usize,
    no: usize,
    unknown: usize,
}

#[derive(Serialize)]
struct ActionRow {
    action: String,
    #[serde(flatten)]
    measure: MeasureRow,
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
        LogState::Quiet(_) => "logs-quiet",
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
        let is_dark = |site: &Site| register.ledger.wants(&site.slug) == Light::Dark;
        let all = measures(&register.store, &register.sites, &is_dark, register.now)
            .map_err(|error| Failure::engine(context.lang, &error))?;
        let failed = |error| Failure::engine(context.lang, &error);
        let notes = log_notes(&register.store, register.now).map_err(failed)?;
        let kept_days = kept_days(&register.store).map_err(failed)?;
        let mut counts = BTreeMap::new();
        for site in &all.sites {
            *counts.entry(site.logs.state.as_str()).or_insert(0) += 1;
        }
        let state = self.state.as_deref();
        let shown = |it: &&SiteMeasures| state.is_none_or(|it_is| it.logs.state.as_str() == it_is);
        let named = register.sites.iter().zip(&all.sites).filter(|(_, it)| shown(it));
        let named: Vec<(&str, &SiteMeasures)> =
            named.map(|(site, it)| (site.slug.as_str(), it)).collect();
        if context.json {
            let sites = named.iter().map(|(slug, it)| row(slug, it)).collect();
            let of_none = |it: &BodyMeasures| notes.get(&(it.org, None)).cloned();
            let organisations = bodies(&register, &all)
                .map(|(name, it)| body(name, it, &of_none(it).unwrap_or_default()))
                .collect();
            let document = PostureDocument { sites, organisations, counts, kept_days };
            report.document("relight.posture/1", &document);
            return Ok(());
        }
        for (slug, site) in named {
            tell_site(slug, site, context.lang, report);
        }
        for (name, measures) in bodies(&register, &all) {
            report.line(&body_line(name, measures, context.lang));
            let none = notes.get(&(measures.org, None));
            none.into_iter().for_each(|it| tell_notes(it, context.lang, report));
        }
        let count = |state: &str| counts.get(state).copied().unwrap_or(0);
        let [complete, partial] = [count("complete"), count("partial")];
        let [never, silent, quiet] = [count("never"), count("silent"), count("quiet")];
        let text = texts::posture_counts(context.lang, complete, never, partial, quiet, silent);
        report.line(&text);
        report.line(&texts::posture_kept(context.lang, kept_days.unsigned_abs()));
        if complete < all.sites.len() {
            report.next("relight sites gaps");
        }
        Ok(())
    }
}

/// Each body with its name.
fn bodies<'a>(
    register: &'a Register,
    all: &'a Measures,
) -> impl Iterator<Item = (&'a str, &'a BodyMeasures)> {
    all.bodies
        .iter()
        .filter_map(|it| Some((register.organisations.get(&it.org)?.name.as_str(), it)))
}

fn tell_site(slug: &str, site: &SiteMeasures, lang: Lang, report: &mut Report) {
    report.line(&format!("{slug}  {}", words(&site.logs.state, lang)));
    for feed in &site.logs.feeds {
        let FeedPosture { format, last, events, days, .. } = feed;
        let text = texts::posture_feed(lang, u64::from(*days), *events);
        let text = texts::labelled(lang, format, &text);
        report.line(&format!("  {text}  {}", rfc3339(*last)));
    }
    if let Some((from, until)) = site.logs.gaps.last() {
        let days = site.logs.gaps.iter().map(|(from, until)| until.abs_diff(*from) + 1);
        let text = texts::posture_gaps(lang, days.sum::<u64>(), &date(*from), &date(*until));
        report.line(&format!("  {text}"));
    }
    tell_notes(&site.logs.notes, lang, report);
    if site.logs.state != LogState::Never {
        let looked = match site.logs.outbound {
            Some(day) => texts::posture_outbound(lang, &date(day)),
            None => texts::posture_no_outbound(lang).to_owned(),
        };
        report.line(&format!("  {looked}"));
    }
    let mut patches = patched(&site.patched);
    if let Patched::Unknown(reasons) = &site.patched {
        patches.evidence = reasons.iter().map(|it| word::reason(lang, *it).to_owned()).collect();
    }
    if site.patched == Patched::Unlisted {
        patches.evidence = vec![texts::posture_patched_unlisted(lang, KEV_DAYS_MAX)];
    }
    for (label, measure) in
        [(texts::measure_patched(lang), patches), (texts::measure_mfa(lang), attested(&site.mfa))]
    {
        let value = texts::by_code(lang, &format!("posture-value-{}", measure.value));
        let value = texts::labelled(lang, label, value.unwrap_or_default());
        let mut line = format!("  {value}");
        for part in measure.at.iter().chain(measure.by.iter()).chain(&measure.evidence) {
            line.push_str("  ");
            line.push_str(part);
        }
        report.line(&line);
    }
}

/// What was noted about lines, where it is out of the ordinary.
fn tell_notes(notes: &LogNotes, lang: Lang, report: &mut Report) {
    let mut tell = |text: String| report.line(&format!("  {text}"));
    if notes.is_unrecognised() {
        tell(texts::posture_unread(lang, notes.lines, notes.unread));
    }
    for (from, to, at) in &notes.changes {
        let day = rfc3339(*at);
        tell(match to {
            Some(to) => texts::posture_changed(lang, &day, from, to),
            None => texts::posture_lost(lang, &day, from),
        });
    }
    if let Some(seconds) = notes.ahead_s {
        tell(texts::posture_ahead(lang, minutes(seconds)));
    }
    if let Some((least, most)) = notes.behind_s.filter(|(_, most)| *most >= BEHIND_TOLD_S) {
        tell(texts::posture_behind(lang, hours(least), hours(most)));
    }
}

/// Started minutes.
const fn minutes(seconds: i64) -> u64 {
    seconds.unsigned_abs().div_ceil(60)
}

/// Whole hours.
const fn hours(seconds: i64) -> u64 {
    seconds.unsigned_abs() / 3_600
}

fn reading(notes: &LogNotes) -> ReadingRow {
    let changes = notes.changes.iter().cloned();
    ReadingRow {
        lines: notes.lines,
        unread: notes.unread,
        unrecognised: notes.is_unrecognised(),
        ahead_s: notes.ahead_s,
        behind_s: notes.behind_s.map(|(least, most)| [least, most]),
        changes: changes
            .map(|(from, to, at)| FormatChangeRow { from, to, at: rfc3339(at) })
            .collect(),
    }
}

fn body_line(name: &str, measures: &BodyMeasures, lang: Lang) -> String {
    let of = |[yes, _, _]: [usize; 3]| texts::posture_of(lang, measures.sites, yes);
    let actions = measures.actions.iter().filter(|it| it.value() == Some(true)).count();
    let [patched, logs, mfa] = measures.measures.map(of);
    texts::posture_line(lang, &actions.to_string(), &logs, &mfa, name, &patched)
}

const fn value_of(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}

fn patched(patched: &Patched) -> MeasureRow {
    let (value, at, evidence) = match patched {
        Patched::Yes(at) => (Some(true), Some(*at), Vec::new()),
        Patched::No { at, flaws, .. } => (Some(false), *at, flaws.clone()),
        Patched::Unknown(reasons) => {
            let reasons = reasons.iter().map(|reason| reason.as_str().to_owned());
            (None, None, reasons.collect())
        }
        Patched::Unlisted => (None, None, vec![UNLISTED.to_owned()]),
    };
    let (value, at) = (value_of(value), at.map(rfc3339));
    MeasureRow { value, at, evidence, by: None, expires: None }
}

fn attested(attested: &Attested) -> MeasureRow {
    let last = attested.last();
    MeasureRow {
        value: value_of(attested.value()),
        at: last.map(|it| rfc3339(it.at)),
        evidence: last.map(|it| it.evidence.clone()).into_iter().collect(),
        by: last.map(|it| it.actor.clone()),
        expires: last.map(|it| rfc3339(it.expires)),
    }
}

fn body<'a>(name: &'a str, measures: &BodyMeasures, notes: &LogNotes) -> BodyRow<'a> {
    let count = |[yes, no, unknown]: [usize; 3]| CountRow { yes, no, unknown };
    let [patched, logs, mfa] = measures.measures.map(count);
    let action = |(at, it): (usize, &Attested)| ActionRow {
        action: Measure::action(at).code(),
        measure: attested(it),
    };
    let actions = measures.actions.iter().enumerate().map(action).collect();
    let (sites, reading) = (measures.sites, reading(notes));
    BodyRow { organisation: name, sites, patched, logs, mfa, actions, reading }
}

fn words(state: &LogState, lang: Lang) -> String {
    let text = texts::by_code(lang, &format!("posture-{}", state.as_str())).unwrap_or_default();
    match state {
        LogState::Partial(missing) => texts::labelled(lang, text, &missing.join(", ")),
        LogState::Silent(since) | LogState::Quiet(since) => {
            texts::labelled(lang, text, &rfc3339(*since))
        }
        LogState::Complete | LogState::Never => text.to_owned(),
    }
}

fn row<'a>(site: &'a str, measures: &'a SiteMeasures) -> SiteRow<'a> {
    let logs = &measures.logs;
    let (since, missing) = match &logs.state {
        LogState::Silent(since) | LogState::Quiet(since) => (Some(rfc3339(*since)), &[][..]),
        LogState::Partial(missing) => (None, missing.as_slice()),
        LogState::Complete | LogState::Never => (None, &[][..]),
    };
    let feeds = logs.feeds.iter().map(|feed| FeedRow {
        format: &feed.format,
        last: rfc3339(feed.last),
        events: feed.events,
        days: feed.days,
        fields: &feed.fields,
    });
    SiteRow {
        site,
        state: logs.state.as_str(),
        since,
        missing,
        feeds: feeds.collect(),
        gaps: logs.gaps.iter().map(|(from, until)| [date(*from), date(*until)]).collect(),
        reading: reading(&logs.notes),
        outbound_until: logs.outbound.map(date),
        patched: patched(&measures.patched),
        mfa: attested(&measures.mfa),
    }
}
