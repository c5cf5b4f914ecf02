//! `relight incident list`: every incident, and those that nobody opened yet but a rule proposes.

use clap::Args;
use relight_engine::incident::Incident;
use relight_engine::notify::{Proposal, proposals};
use relight_engine::sources_policy::proposal_rule;
use relight_server::web::number::{rfc3339, tenths};
use relight_server::web::texts;
use serde::Serialize;

use crate::attribution::Credit;
use crate::context::Context;
use crate::failure::Failure;
use crate::register;
use crate::report::{Report, Style};

#[derive(Debug, Args)]
pub(super) struct List;

#[derive(Serialize)]
struct Document<'a> {
    incidents: Vec<IncidentRow<'a>>,
    proposals: Vec<ProposalRow<'a>>,
}

#[derive(Serialize)]
struct IncidentRow<'a> {
    id: &'a str,
    title: &'a str,
    opened: String,
    closed: bool,
    sites: usize,
}

#[derive(Serialize)]
struct ProposalRow<'a> {
    advisory: &'a str,
    summary: &'a str,
    score: Option<f64>,
    known_exploited: bool,
    affected: usize,
    possible: usize,
    /// Whose advisories it rests on, under which licence.
    sources: Vec<Credit<'a>>,
}

impl List {
    #[expect(clippy::unused_self, reason = "every command is run in the same way")]
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let ledger = register::ledger(&store, context)?;
        let rule = proposal_rule(&store).map_err(|error| context.store_failure(&error))?;
        let proposed =
            proposals(&store, rule).map_err(|error| Failure::engine(context.lang, &error))?;
        let incidents: Vec<(&str, &Incident)> = ledger.incidents().collect();
        if context.json {
            let document = Document {
                incidents: incidents.iter().map(|(id, incident)| row(id, incident)).collect(),
                proposals: proposed.iter().map(proposal_row).collect(),
            };
            report.document("relight.incidents/1", &document);
            return Ok(());
        }
        let lang = context.lang;
        if incidents.is_empty() && proposed.is_empty() {
            report.line(texts::incident_list_empty(lang));
        }
        for (id, incident) in incidents {
            let sites = incident.cases().len();
            let opened = rfc3339(incident.opened);
            report.line(&if incident.closed {
                texts::incident_listed_closed(lang, id, &opened, sites)
            } else {
                texts::incident_listed_open(lang, id, &opened, sites)
            });
        }
        for it in &proposed {
            let exploited = if it.known_exploited { "  KEV" } else { "" };
            let score =
                it.score.map_or_else(String::new, |s| format!("  CVSS {}", tenths(lang, s.into())));
            let mark = report.paint(Style::Bad, "◆");
            let text = texts::incident_proposed(lang, &it.advisory, it.affected, it.possible);
            report.line(&format!("{mark} {text}{score}{exploited}"));
            credits(it).iter().for_each(|it| it.tell(report));
        }
        if let Some(first) = proposed.first() {
            report.next(&format!("relight incident open {}", first.advisory));
        }
        Ok(())
    }
}

fn row<'a>(id: &'a str, incident: &'a Incident) -> IncidentRow<'a> {
    IncidentRow {
        id,
        title: &incident.title,
        opened: rfc3339(incident.opened),
        closed: incident.closed,
        sites: incident.cases().len(),
    }
}

fn proposal_row(it: &Proposal) -> ProposalRow<'_> {
    ProposalRow {
        advisory: &it.advisory,
        summary: &it.summary,
        score: it.score.map(|tenths| f64::from(tenths) / 10.0),
        known_exploited: it.known_exploited,
        affected: it.affected,
        possible: it.possible,
        sources: credits(it),
    }
}

fn credits(it: &Proposal) -> Vec<Credit<'_>> {
    Credit::of_records(it.records.iter().map(|(source, id)| (source.as_str(), id.as_str())))
}
