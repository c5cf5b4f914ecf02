//! `relight incident status`: where it stands, in the data folder or at a server.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use clap::Args;
use relight_engine::incident::{Counters, Incident, PartCase};
use relight_engine::waves::Herds;
use relight_engine::{PROOF_TTL_S, is_looked_after};
use relight_model::{DisplayState, GateKey, Timestamp};
use relight_server::web::number::rfc3339;
use relight_server::web::{Number, number, texts, words};
use serde::{Deserialize, Serialize};

use super::choose;
use super::pace::BurnDownRow;
use super::remote::{Remote, unreached};
use crate::cmd::edge::check::interrupted;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::register::Register;
use crate::report::{Report, Style};
use crate::stop::stop_on_interrupt;
use crate::unseen::{self, UnseenRow};

/// Sites named by `status` as not verified; `--json` has all.
const SITES_SHOWN_MAX: usize = 8;

/// Closed parts named by `status`; `--json` has all.
const PARTS_SHOWN_MAX: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Status {
    #[arg(value_name = "ID")]
    id: Option<String>,
    #[arg(short, long, conflicts_with = "server")]
    watch: bool,
    #[command(flatten)]
    remote: Remote,
}

/// How often `--watch` looks whether the journal grew: soon enough for somebody who waits, and one
/// read of a row for the disk.
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Serialize)]
struct StatusDocument {
    /// The entry of the journal up to which all of it counts.
    entry: u64,
    /// Sites that were proven dark, and count as exposed because nobody looks; null where all are
    /// looked at, and where a server answers, which looks itself.
    unseen: Option<UnseenRow>,
    incidents: Vec<IncidentRow>,
}

#[derive(Serialize)]
struct IncidentRow {
    id: String,
    title: String,
    opened: String,
    closed: bool,
    sites: usize,
    states: BTreeMap<Cow<'static, str>, usize>,
    phases: BTreeMap<Cow<'static, str>, usize>,
    exposed: usize,
    /// Parts of sites that are to be closed: none of them is dark, and no site counts as dark by
    /// them.
    closed_parts: Vec<PartRow>,
    /// Sites whose fix is in service and not verified.
    unverified: Vec<UnverifiedRow>,
    /// To be dark by the newest evidence, and waiting for an order: too many at once.
    held_back: usize,
    /// Sites, and parts of sites, that are clear and stay dark or closed until a person says
    /// otherwise: too many others did not come back behind their edge, or behind the first ten
    /// edges.
    waiting_for_a_person: usize,
    /// The same, each for itself.
    #[serde(skip)]
    waiting: Waiting,
    /// Sites that stay dark although they are clear, or signed for: that is known from before the
    /// register came back from an older copy.
    held_by_restore: usize,
    /// At what pace sites come back; null where none was ever proven dark.
    burn_down: Option<BurnDownRow>,
}

/// What nothing opens but a person.
#[derive(Clone, Copy, Deserialize)]
struct Waiting {
    /// Sites.
    sites: usize,
    /// Sites that a plan left.
    left: usize,
    /// Parts of sites.
    parts: usize,
}

/// A site whose fix is in service and not verified.
#[derive(Serialize, Deserialize)]
struct UnverifiedRow {
    site: String,
    /// Code of what stands in the way; empty where nothing is known to.
    why: String,
    /// What was asked and what came.
    detail: String,
}

/// One part of a site.
#[derive(Serialize, Deserialize)]
struct PartRow {
    site: String,
    part: String,
    state: Cow<'static, str>,
    /// Code of why it is not closed; empty where it is not to be, or is.
    why: String,
    since: String,
}

/// What a server tells of all its incidents.
#[derive(Deserialize)]
struct Answer {
    entry: u64,
    incidents: Vec<Told>,
}

/// What a server tells of one.
#[derive(Deserialize)]
struct Told {
    id: String,
    title: String,
    opened: String,
    closed: bool,
    entry: u64,
    sites: usize,
    phases: Vec<PhaseCount>,
    states: Vec<StateCount>,
    exposed: usize,
    closed_parts: Vec<PartRow>,
    unverified: Vec<UnverifiedRow>,
    held_back: usize,
    held_by_restore: usize,
    waiting: Waiting,
    burn_down: Option<BurnDownRow>,
}

#[derive(Deserialize)]
struct PhaseCount {
    phase: String,
    sites: usize,
}

#[derive(Deserialize)]
struct StateCount {
    state: String,
    sites: usize,
}

impl Status {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if let Some(server) = &self.remote.server {
            let document = self.asked(server, context)?;
            return self.tell(&document, context, report);
        }
        if !self.watch {
            return self.show(context, report).map(drop);
        }
        let (store, stop, mut shown) = (context.existing_store()?, stop_on_interrupt(), None);
        let failed = |error| context.store_failure(&error);
        let mut since = context.now();
        while !stop.load(Ordering::Relaxed) {
            let (entries, _) = store.journal_head().map_err(failed)?;
            let now = context.now();
            let is_looked_after = is_looked_after(&store, now).map_err(failed)?;
            if shown.is_none_or(|(before, _)| before != entries) {
                since = now;
            }
            // What was proven by the newest entry is so for a while, whoever looks.
            let is_seen = is_looked_after || (0..PROOF_TTL_S).contains(&(now - since));
            if shown != Some((entries, is_seen)) {
                shown = Some((entries, is_seen));
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
        let sites = register.sites.iter();
        let edges: Edges<'_> = sites.map(|site| (&site.slug, site.edge.as_str())).collect();
        let shown: Vec<(&str, &Incident)> = match self.id.as_deref() {
            Some(id) => {
                let id = choose(&register.ledger, &register.advisories, Some(id), context)?;
                register.ledger.incidents().filter(|(other, _)| *other == id).collect()
            }
            None => register.ledger.open().collect(),
        };
        let row =
            |(id, incident): &(&str, &Incident)| row(id, incident, (&keys, &edges), register.now);
        let incidents = shown.iter().map(row).collect();
        let unseen = unseen::row(&register);
        let document = StatusDocument { entry: register.entries, unseen, incidents };
        self.tell(&document, context, report)?;
        if !context.json {
            if !document.incidents.is_empty() {
                unseen::tell(&register, context, report)?;
                tell_barriers(&register, context, report)?;
            }
            tell_drills(&register, context, report)?;
        }
        Ok(document.incidents.iter().all(|it| it.closed))
    }

    /// Where it stands at a server.
    fn asked(&self, server: &str, context: &Context) -> Result<StatusDocument, Failure> {
        let told = match self.id.as_deref() {
            Some(id) => {
                let path = format!("/api/v1/incidents/{}", relight_server::encode(id));
                let told: Told = self.remote.read(server, (&path, &[]), context)?;
                Answer { entry: told.entry, incidents: vec![told] }
            }
            None => {
                let mut told: Answer =
                    self.remote.read(server, ("/api/v1/incidents", &[]), context)?;
                told.incidents.retain(|it| !it.closed);
                told
            }
        };
        if told.incidents.iter().any(|it| !it.is_whole()) {
            return Err(unreached(texts::remote_short(context.lang), server, context));
        }
        let incidents = told.incidents.into_iter().map(IncidentRow::from).collect();
        Ok(StatusDocument { entry: told.entry, unseen: None, incidents })
    }

    fn tell(
        &self,
        document: &StatusDocument,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let lang = context.lang;
        if context.json {
            match self.watch {
                true => report.document_line("relight.status/1", document),
                false => report.document("relight.status/1", document),
            }
            return Ok(());
        }
        if self.watch {
            report.line(&number::stamp_to_the_second(lang, context.now()));
        }
        if document.incidents.is_empty() {
            report.line(texts::no_open_incident(lang));
        } else {
            report.line(&texts::status_as_of(lang, document.entry));
        }
        document.incidents.iter().for_each(|it| text(it, context, report));
        Ok(())
    }
}

impl Told {
    /// Every site is drawn in one state: what nobody counts is not well.
    fn is_whole(&self) -> bool {
        let of = |code: &str| DisplayState::ALL.iter().any(|it| it.as_str() == code);
        self.states.iter().all(|it| of(&it.state))
            && self.states.iter().map(|it| it.sites).sum::<usize>() == self.sites
    }
}

impl From<Told> for IncidentRow {
    fn from(told: Told) -> Self {
        let Waiting { sites, left, parts } = told.waiting;
        Self {
            id: told.id,
            title: told.title,
            opened: told.opened,
            closed: told.closed,
            sites: told.sites,
            states: told.states.into_iter().map(|it| (it.state.into(), it.sites)).collect(),
            phases: told.phases.into_iter().map(|it| (it.phase.into(), it.sites)).collect(),
            exposed: told.exposed,
            closed_parts: told.closed_parts,
            unverified: told.unverified,
            held_back: told.held_back,
            waiting_for_a_person: sites + left + parts,
            waiting: told.waiting,
            held_by_restore: told.held_by_restore,
            burn_down: told.burn_down,
        }
    }
}

/// The edge of each site of the register.
type Edges<'a> = BTreeMap<&'a GateKey, &'a str>;

fn row(
    id: &str,
    incident: &Incident,
    (keys, edges): (&[GateKey], &Edges<'_>),
    now: Timestamp,
) -> IncidentRow {
    let counters = Counters::of(incident, keys, now);
    let edge_of = |site: &GateKey| edges.get(site).copied().unwrap_or_default();
    let states = counters.states.iter().map(|(state, count)| (state.as_str().into(), *count));
    let phases = counters.phases.iter().map(|(phase, count)| (phase.as_str().into(), *count));
    let waiting = Waiting {
        sites: Herds::of_sites(incident, edge_of).waiting(),
        left: incident.left().count(),
        parts: Herds::of_parts(incident, now, edge_of).waiting(),
    };
    IncidentRow {
        id: id.to_owned(),
        title: incident.title.clone(),
        opened: rfc3339(incident.opened),
        closed: incident.closed,
        sites: keys.len(),
        states: states.collect(),
        phases: phases.collect(),
        exposed: counters.exposed,
        closed_parts: closed_parts(incident).map(part_row).collect(),
        unverified: unverified(incident).collect(),
        held_back: incident.held_back().count(),
        waiting_for_a_person: waiting.sites + waiting.left + waiting.parts,
        waiting,
        held_by_restore: incident.held_by_restore(now),
        burn_down: BurnDownRow::of(&incident.course),
    }
}

fn text(row: &IncidentRow, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let opened = number::moment(&row.opened).unwrap_or_else(|| context.now());
    let hours = (context.now() - opened).max(0).cast_unsigned() / 3_600;
    let since = if row.closed {
        texts::incident_is_closed(lang).to_owned()
    } else {
        texts::open_for_hours(lang, hours)
    };
    let title = report.paint(Style::Strong, &row.id);
    report.line(&format!("{title}  {since}  {}", row.title));
    for state in DisplayState::ALL {
        let count = row.states.get(state.as_str()).copied().unwrap_or(0);
        if count > 0 {
            let (glyph, count) = (glyph(state), Number::from(count).text(lang));
            report.line(&format!("  {glyph} {count}  {}", words::state(lang, state)));
        }
    }
    if row.exposed > 0 {
        let mark = report.paint(Style::Bad, "⊘");
        report.line(&format!("  {mark} {}", texts::not_proven(lang, row.exposed)));
    }
    if let Some(burn_down) = &row.burn_down {
        burn_down.tell(context.now(), lang, report);
    }
    tell_parts(row, context, report);
    tell_unverified(row, context, report);
    if row.held_by_restore > 0 {
        let what = texts::restored_holds(lang, row.held_by_restore);
        report.warn(&row.id, &what, texts::restored_holds_remedy(lang));
    }
    if row.held_back > 0 {
        let what = texts::held_back(lang, row.held_back);
        report.warn(&row.id, &what, texts::held_back_remedy(lang));
    }
    if !row.closed {
        tell_waiting(row, context, report);
    }
}

/// Second barriers that do not do what they were told.
fn tell_barriers(
    register: &Register,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    for edge in register.store.edges().map_err(|error| context.store_failure(&error))? {
        let told = register.ledger.barred(&edge.name).filter(|it| !it.why.is_empty());
        let Some(told) = told else { continue };
        let (what, remedy) = coded(context.lang, "lint-barrier-fails");
        let why = texts::by_code(context.lang, &format!("reason-{}", told.why));
        let why = why.unwrap_or(&told.why);
        report.warn_in_detail(&format!("{}: {}", edge.name, told.barrier), what, why, remedy);
    }
    Ok(())
}

/// What drills left dark that were interrupted.
fn tell_drills(register: &Register, context: &Context, report: &mut Report) -> Result<(), Failure> {
    for edge in register.store.edges().map_err(|error| context.store_failure(&error))? {
        if let Some(left) = interrupted(&edge.name, register) {
            let (what, remedy) = coded(context.lang, "lint-drill-interrupted");
            report.warn_in_detail(&edge.name, what, &left, remedy);
        }
    }
    Ok(())
}

/// Sites, and parts of sites, that nothing opens but a person.
fn tell_waiting(row: &IncidentRow, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let Waiting { sites, left, parts } = row.waiting;
    if sites > 0 {
        let what = texts::relight_stopped(lang, sites);
        report.warn(&row.id, &what, texts::relight_stopped_remedy(lang));
    }
    if left > 0 {
        report.warn(&row.id, &texts::relight_left(lang, left), texts::relight_left_remedy(lang));
    }
    if parts > 0 {
        let what = texts::parts_stopped(lang, parts);
        report.warn(&row.id, &what, texts::parts_stopped_remedy(lang));
    }
}

/// Whose fix is in service, and why it is not verified; and whose last trial did not pass.
fn unverified(incident: &Incident) -> impl Iterator<Item = UnverifiedRow> {
    incident.cases().iter().filter_map(|(site, case)| {
        let (why, detail) = case.unverified()?;
        let (site, why, detail) = (site.to_string(), why.to_owned(), detail.to_owned());
        Some(UnverifiedRow { site, why, detail })
    })
}

/// Each with what stands in the way.
fn tell_unverified(row: &IncidentRow, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let count = row.unverified.len();
    for UnverifiedRow { site, why, detail } in row.unverified.iter().take(SITES_SHOWN_MAX) {
        let why = words::tried(lang, why, detail);
        report.line(&format!("    ▲ {}", texts::labelled(lang, site, &why)));
    }
    if count > SITES_SHOWN_MAX {
        report.line(&format!("    {}", texts::and_more_places(lang, count - SITES_SHOWN_MAX)));
    }
}

fn closed_parts(incident: &Incident) -> impl Iterator<Item = &PartCase> {
    incident.parts().values().filter(|part| part.is_at_work())
}

fn part_row(part: &PartCase) -> PartRow {
    PartRow {
        site: part.name.site.to_string(),
        part: part.name.part.to_string(),
        state: part.state().into(),
        why: part.why.clone(),
        since: rfc3339(part.since),
    }
}

/// Each with its state: that a section is closed says nothing about the rest of its site.
fn tell_parts(row: &IncidentRow, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let count = row.closed_parts.len();
    if count == 0 {
        return;
    }
    report.line(&format!("  ◫ {}", texts::parts_are_closed(lang, count)));
    for part in row.closed_parts.iter().take(PARTS_SHOWN_MAX) {
        let state = words::part_state(lang, &part.state);
        let line = texts::labelled(lang, &format!("{} {}", part.site, part.part), state);
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
