//! `relight status`: where everything stands, in a few lines, and the next command.

use clap::Args;
use relight_engine::incident::{Action, Counters};
use relight_model::{DisplayState, GateKey};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::{Exit, Report, Style};
use crate::unseen::{self, UnseenRow};

#[derive(Debug, Args)]
pub(crate) struct Status {}

#[derive(Serialize)]
struct Document<'a> {
    data: String,
    sites: usize,
    /// A server controls this register.
    served: bool,
    /// Sites that were proven dark, and count as exposed because nobody looks; null where all are
    /// looked at.
    unseen: Option<UnseenRow>,
    incidents: Vec<IncidentRow<'a>>,
    plans: Vec<PlanRow>,
}

#[derive(Serialize)]
struct IncidentRow<'a> {
    id: &'a str,
    title: &'a str,
    opened: String,
    /// Sites that are not lit, for any reason.
    dark: usize,
    /// As [`Counters::exposed`] says.
    exposed: usize,
    sites: usize,
}

#[derive(Serialize)]
struct PlanRow {
    action: String,
    sites: usize,
    signed: usize,
    seats: usize,
    expires: String,
}

impl Status {
    #[expect(clippy::unused_self, reason = "every command is run as a value of its options")]
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let keys: Vec<GateKey> = register.sites.iter().map(|site| site.slug.clone()).collect();
        let control = register.store.take_control();
        let served = control.map_err(|error| context.store_failure(&error))?.is_none();
        let open = register.ledger.open();
        let incidents: Vec<IncidentRow<'_>> = open
            .map(|(id, incident)| {
                let counters = Counters::of(incident, &keys, register.now);
                let lit = [DisplayState::Online, DisplayState::RelitFixed];
                let burning = [DisplayState::Exposed, DisplayState::DarkRequested];
                let count = |of: &[DisplayState]| -> usize {
                    of.iter().filter_map(|state| counters.states.get(state)).sum()
                };
                let title = incident.title.as_str();
                let dark = keys.len() - count(&lit) - count(&burning);
                let (exposed, sites) = (counters.exposed, keys.len());
                IncidentRow { id, title, opened: rfc3339(incident.opened), dark, exposed, sites }
            })
            .collect();
        let actions = register.ledger.actions();
        let waiting = actions.newest().filter(|action| action.is_open(register.now));
        let plans: Vec<PlanRow> = waiting.map(plan).collect();
        let data = context.data.display().to_string();
        let unseen = unseen::row(&register);
        let document = Document { data, sites: keys.len(), served, unseen, incidents, plans };
        if !document.plans.is_empty() {
            report.raise(Exit::Approval);
        }
        if context.json {
            report.document("relight.overview/1", &document);
        } else {
            tell(&document, context, report);
            unseen::tell(&register, context, report)?;
        }
        Ok(())
    }
}

fn plan(action: &Action) -> PlanRow {
    PlanRow {
        action: action.id(),
        sites: action.plan.sites.len(),
        signed: action.seats.len() - action.empty().len(),
        seats: action.seats.len(),
        expires: rfc3339(action.plan.expires),
    }
}

fn tell(document: &Document<'_>, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let line = texts::status_register(lang, &document.data, document.sites);
    report.line(&line);
    let served =
        if document.served { texts::status_served(lang) } else { texts::status_alone(lang) };
    report.line(served);
    if document.incidents.is_empty() {
        report.line(texts::no_open_incident(lang));
    }
    for row in &document.incidents {
        let id = report.paint(Style::Strong, row.id);
        report.line(&format!(
            "{id}  {}  {}",
            texts::status_dark(lang, row.dark, row.sites),
            row.title
        ));
        if row.exposed > 0 {
            let mark = report.paint(Style::Bad, "◈");
            report.line(&format!("  {mark} {}", texts::not_proven(lang, row.exposed)));
        }
    }
    for row in &document.plans {
        let (id, until) = (&row.action, &row.expires);
        report.line(&texts::remote_waits(lang, until, id, row.seats, row.signed));
    }
    match (document.plans.first(), document.incidents.first()) {
        (Some(plan), _) => report.next(&format!("relight incident approve {}", plan.action)),
        (None, Some(incident)) => report.next(&format!("relight incident status {}", incident.id)),
        (None, None) => report.next("relight doctor"),
    }
}
