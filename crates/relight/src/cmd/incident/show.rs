//! `relight incident status` and `relight incident log`: where it stands, and what happened.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use clap::Args;
use relight_engine::incident::{Counters, Entry, Incident, PartCase};
use relight_engine::store::JournalRecord;
use relight_engine::waves::Automatic;
use relight_model::{DisplayState, GateKey, Timestamp};
use relight_server::web::number::rfc3339;
use relight_server::web::{Number, number, texts, words};
use serde::Serialize;

use super::choose;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::{Report, Style};
use crate::stop::stop_on_interrupt;

/// Sites named in one line of the log; `--json` has all.
const SITES_SHOWN_MAX: usize = 8;

/// Closed parts named by `status`; `--json` has all.
const PARTS_SHOWN_MAX: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Status {
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[arg(short, long)]
    watch: bool,
}

/// How often `--watch` looks whether the journal grew: soon enough for somebody who waits, and one
/// read of a row for the disk.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, Args)]
pub(super) struct Log {
    #[arg(value_name = "ID")]
    id: Option<String>,
}

#[derive(Serialize)]
struct StatusDocument<'a> {
    /// The entry of the journal up to which all of it counts.
    entry: u64,
    incidents: Vec<IncidentRow<'a>>,
}

#[derive(Serialize)]
struct IncidentRow<'a> {
    id: &'a str,
    title: &'a str,
    opened: String,
    closed: bool,
    sites: usize,
    states: BTreeMap<&'static str, usize>,
    phases: BTreeMap<&'static str, usize>,
    exposed: usize,
    /// Parts of sites that are to be closed: none of them is dark, and no site counts as dark by
    /// them.
    closed_parts: Vec<PartRow<'a>>,
    /// Sites whose fix is in service and not verified.
    unverified: Vec<UnverifiedRow<'a>>,
    /// Lit, and dark by the newest evidence: too many at once to go dark without an order.
    held_back: usize,
    /// Sites, and parts of sites, that are clear and stay dark or closed until a person says
    /// otherwise: too many others did not come back.
    waiting_for_a_person: usize,
}

/// A site whose fix is in service and not verified.
#[derive(Serialize)]
struct UnverifiedRow<'a> {
    site: &'a str,
    /// Code of what stands in the way; empty where nothing is known to.
    why: &'a str,
    /// What was asked and what came.
    detail: &'a str,
}

/// One part of a site.
#[derive(Serialize)]
struct PartRow<'a> {
    site: &'a str,
    part: String,
    state: &'static str,
    /// Code of why it is not closed; empty where it is not to be, or is.
    why: &'a str,
    since: String,
}

#[derive(Serialize)]
struct LogDocument<'a> {
    incident: &'a str,
    entries: Vec<EntryRow<'a>>,
}

#[derive(Serialize)]
struct EntryRow<'a> {
    seq: u64,
    time: String,
    actor: &'a str,
    kind: &'a str,
    body: serde_json::Value,
    hash: String,
}

impl Status {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if !self.watch {
            return self.show(context, report).map(drop);
        }
        let (store, stop, mut shown) = (context.existing_store()?, stop_on_interrupt(), None);
        while !stop.load(Ordering::Relaxed) {
            let (entries, _) = store.journal_head().map_err(|it| context.store_failure(&it))?;
            if shown != Some(entries) {
                shown = Some(entries);
                let is_over = self.show(context, report)?;
                report.flush();
                if is_over {
                    break;
                }
            }
            // Another process writes the journal, and nobody tells when.
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// Shows where it stands; whether everything that was asked about is closed.
    fn show(&self, context: &Context, report: &mut Report) -> Result<bool, Failure> {
        let register = Register::open(context)?;
        let keys: Vec<GateKey> = register.sites.iter().map(|site| site.slug.clone()).collect();
        let shown: Vec<(&str, &Incident)> = match self.id.as_deref() {
            Some(id) => {
                let id = choose(&register.ledger, &register.advisories, Some(id), context)?;
                register.ledger.incidents().filter(|(other, _)| *other == id).collect()
            }
            None => register.ledger.open().collect(),
        };
        if context.json {
            let incidents =
                shown.iter().map(|(id, incident)| row(id, incident, &keys, register.now)).collect();
            let document = StatusDocument { entry: register.entries, incidents };
            match self.watch {
                true => report.document_line("relight.status/1", &document),
                false => report.document("relight.status/1", &document),
            }
            return Ok(shown.iter().all(|(_, incident)| incident.closed));
        }
        if self.watch {
            report.line(&number::stamp_to_the_second(context.lang, register.now));
        }
        let is_over = shown.iter().all(|(_, incident)| incident.closed);
        if shown.is_empty() {
            report.line(texts::no_open_incident(context.lang));
        } else {
            report.line(&texts::status_as_of(context.lang, register.entries));
        }
        for (id, incident) in shown {
            text(id, incident, &keys, context, report);
        }
        Ok(is_over)
    }
}

fn row<'a>(
    id: &'a str,
    incident: &'a Incident,
    keys: &[GateKey],
    now: Timestamp,
) -> IncidentRow<'a> {
    let counters = Counters::of(incident, keys, now);
    let states = counters.states.iter().map(|(state, count)| (state.as_str(), *count));
    let phases = counters.phases.iter().map(|(phase, count)| (phase.as_str(), *count));
    IncidentRow {
        id,
        title: &incident.title,
        opened: rfc3339(incident.opened),
        closed: incident.closed,
        sites: keys.len(),
        states: states.collect(),
        phases: phases.collect(),
        exposed: counters.exposed,
        closed_parts: closed_parts(incident).map(part_row).collect(),
        unverified: unverified(incident).collect(),
        held_back: incident.held_back().count(),
        waiting_for_a_person: Automatic::of(incident).waiting()
            + incident.left().count()
            + Automatic::of_parts(incident, now).waiting(),
    }
}

fn text(id: &str, incident: &Incident, keys: &[GateKey], context: &Context, report: &mut Report) {
    let lang = context.lang;
    let counters = Counters::of(incident, keys, context.now());
    let hours = (context.now() - incident.opened).max(0).cast_unsigned() / 3_600;
    let since = if incident.closed {
        texts::incident_is_closed(lang).to_owned()
    } else {
        texts::open_for_hours(lang, hours)
    };
    let title = report.paint(Style::Strong, id);
    report.line(&format!("{title}  {since}  {}", incident.title));
    for state in DisplayState::ALL {
        let count = counters.states.get(&state).copied().unwrap_or(0);
        if count > 0 {
            let (glyph, count) = (glyph(state), Number::from(count).text(lang));
            report.line(&format!("  {glyph} {count}  {}", words::state(lang, state)));
        }
    }
    if counters.exposed > 0 {
        let mark = report.paint(Style::Bad, "⊘");
        report.line(&format!("  {mark} {}", texts::not_proven(lang, counters.exposed)));
    }
    tell_parts(incident, context, report);
    tell_unverified(incident, context, report);
    let held = incident.held_back().count();
    if held > 0 {
        let what = texts::held_back(lang, held);
        report.warn(id, &what, texts::held_back_remedy(lang));
    }
    if !incident.closed {
        tell_waiting(id, incident, context, report);
    }
}

/// Sites, and parts of sites, that nothing opens but a person.
fn tell_waiting(id: &str, incident: &Incident, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let sites = Automatic::of(incident).waiting();
    if sites > 0 {
        let what = texts::relight_stopped(lang, sites);
        report.warn(id, &what, texts::relight_stopped_remedy(lang));
    }
    let left = incident.left().count();
    if left > 0 {
        report.warn(id, &texts::relight_left(lang, left), texts::relight_left_remedy(lang));
    }
    let parts = Automatic::of_parts(incident, context.now()).waiting();
    if parts > 0 {
        let what = texts::parts_stopped(lang, parts);
        report.warn(id, &what, texts::parts_stopped_remedy(lang));
    }
}

/// Whose fix is in service, and why it is not verified; and whose last trial did not pass.
fn unverified(incident: &Incident) -> impl Iterator<Item = UnverifiedRow<'_>> {
    incident.cases().iter().filter_map(|(site, case)| {
        let (why, detail) = case.unverified()?;
        Some(UnverifiedRow { site: site.as_str(), why, detail })
    })
}

/// Each with what stands in the way.
fn tell_unverified(incident: &Incident, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let count = unverified(incident).count();
    for row in unverified(incident).take(SITES_SHOWN_MAX) {
        let why = words::tried(lang, row.why, row.detail);
        report.line(&format!("    ▲ {}", texts::labelled(lang, row.site, &why)));
    }
    if count > SITES_SHOWN_MAX {
        report.line(&format!("    {}", texts::and_more_places(lang, count - SITES_SHOWN_MAX)));
    }
}

fn closed_parts(incident: &Incident) -> impl Iterator<Item = &PartCase> {
    incident.parts().values().filter(|part| part.is_at_work())
}

fn part_row(part: &PartCase) -> PartRow<'_> {
    PartRow {
        site: part.name.site.as_str(),
        part: part.name.part.to_string(),
        state: part.state(),
        why: &part.why,
        since: rfc3339(part.since),
    }
}

/// Each with its state: that a section is closed says nothing about the rest of its site.
fn tell_parts(incident: &Incident, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let count = closed_parts(incident).count();
    if count == 0 {
        return;
    }
    report.line(&format!("  ◫ {}", texts::parts_are_closed(lang, count)));
    for part in closed_parts(incident).take(PARTS_SHOWN_MAX) {
        let state = words::part_state(lang, part.state());
        let name = format!("{} {}", part.name.site, part.name.part);
        let line = texts::labelled(lang, &name, state);
        let why = match part.why.as_str() {
            "" => String::new(),
            code => format!(" ({})", words::trouble(lang, code)),
        };
        report.line(&format!("    {line}{why}"));
    }
    if count > PARTS_SHOWN_MAX {
        report.line(&format!("    {}", texts::and_more_places(lang, count - PARTS_SHOWN_MAX)));
    }
}

const fn glyph(state: DisplayState) -> char {
    match state {
        DisplayState::DarkRequested => '⊘',
        DisplayState::Exposed => '◈',
        DisplayState::RelitFixed | DisplayState::Online => '●',
        DisplayState::Verifying => '▲',
        DisplayState::Fixing => '◇',
        DisplayState::Affected => '◆',
        DisplayState::Analysing => '◐',
        DisplayState::Dark => '○',
    }
}

impl Log {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let id = choose(&register.ledger, &register.advisories, self.id.as_deref(), context)?;
        let records = register.store.journal(1).map_err(|error| context.store_failure(&error))?;
        let records: Vec<JournalRecord> =
            records.into_iter().filter(|record| record.incident == id).collect();
        if context.json {
            let entries = records.iter().map(|record| EntryRow {
                seq: record.seq,
                time: rfc3339(record.time),
                actor: &record.actor,
                kind: &record.kind,
                body: serde_json::from_str(&record.body).unwrap_or_default(),
                hash: record.hash.to_string(),
            });
            let document = LogDocument { incident: &id, entries: entries.collect() };
            report.document("relight.log/1", &document);
            return Ok(());
        }
        for record in &records {
            line(record, context, report);
        }
        Ok(())
    }
}

fn line(record: &JournalRecord, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let what = texts::by_code(lang, &format!("entry-{}", record.kind)).unwrap_or(&record.kind);
    let named = |entry: Entry| match entry.parts() {
        parts if parts.is_empty() => entry.sites(),
        parts => parts,
    };
    let sites = Entry::from_body(&record.body).map(named).unwrap_or_default();
    let mut names: Vec<&str> = sites.iter().map(GateKey::as_str).take(SITES_SHOWN_MAX).collect();
    if sites.len() > names.len() {
        names.push("…");
    }
    let (seq, time, actor) = (record.seq, rfc3339(record.time), &record.actor);
    let line = format!("{seq:>5}  {time}  {actor}  {what}  {}", names.join(" "));
    report.line(line.trim_end());
}
