//! `relight incident list`: every incident, and those that nobody opened yet but a rule proposes.

use std::borrow::Cow;

use clap::Args;
use relight_engine::incident::Incident;
use relight_engine::notify::{Proposal, proposals};
use relight_engine::sources_policy::proposal_rule;
use relight_server::web::number::{rfc3339, tenths};
use relight_server::web::texts;
use serde::{Deserialize, Serialize};

use super::remote::Remote;
use crate::attribution::Credit;
use crate::context::Context;
use crate::failure::Failure;
use crate::register;
use crate::report::{Report, Style};

#[derive(Debug, Args)]
pub(super) struct List {
    #[command(flatten)]
    remote: Remote,
}

#[derive(Serialize)]
struct Document<'a> {
    incidents: Vec<IncidentRow<'a>>,
    proposals: Vec<ProposalRow<'a>>,
}

#[derive(Serialize, Deserialize)]
struct IncidentRow<'a> {
    id: Cow<'a, str>,
    title: Cow<'a, str>,
    opened: String,
    closed: bool,
    /// A server tells of all its sites as well, and calls these its cases.
    #[serde(rename(deserialize = "cases"))]
    sites: usize,
}

/// What a server tells.
#[derive(Deserialize)]
struct Answer {
    incidents: Vec<IncidentRow<'static>>,
    proposals: Vec<Proposed>,
}

/// An incident that the rule of a server proposes.
#[derive(Deserialize)]
struct Proposed {
    advisory: String,
    summary: String,
    score_tenths: Option<u16>,
    known_exploited: bool,
    affected: usize,
    possible: usize,
    records: Vec<RecordOf>,
}

#[derive(Deserialize)]
struct RecordOf {
    source: String,
    id: String,
}

impl From<Proposed> for Proposal {
    fn from(it: Proposed) -> Self {
        Self {
            advisory: it.advisory,
            summary: it.summary,
            score: it.score_tenths,
            known_exploited: it.known_exploited,
            affected: it.affected,
            possible: it.possible,
            records: it.records.into_iter().map(|it| (it.source, it.id)).collect(),
        }
    }
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
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if let Some(server) = &self.remote.server {
            let answer: Answer = self.remote.read(server, ("/api/v1/incidents", &[]), context)?;
            let proposed: Vec<Proposal> =
                answer.proposals.into_iter().map(Proposal::from).collect();
            tell(answer.incidents, &proposed, context, report);
            return Ok(());
        }
        let store = context.existing_store()?;
        let ledger = register::ledger(&store, context)?;
        let rule = proposal_rule(&store).map_err(|error| context.store_failure(&error))?;
        let proposed =
            proposals(&store, rule).map_err(|error| Failure::engine(context.lang, &error))?;
        let incidents = ledger.incidents().map(|(id, incident)| row(id, incident)).collect();
        tell(incidents, &proposed, context, report);
        Ok(())
    }
}

fn tell(
    incidents: Vec<IncidentRow<'_>>,
    proposed: &[Proposal],
    context: &Context,
    report: &mut Report,
) {
    if context.json {
        let document =
            Document { incidents, proposals: proposed.iter().map(proposal_row).collect() };
        report.document("relight.incidents/1", &document);
        return;
    }
    let lang = context.lang;
    if incidents.is_empty() && proposed.is_empty() {
        report.line(texts::incident_list_empty(lang));
    }
    for IncidentRow { id, opened, closed, sites, .. } in incidents {
        report.line(&if closed {
            texts::incident_listed_closed(lang, &id, &opened, sites)
        } else {
            texts::incident_listed_open(lang, &id, &opened, sites)
        });
    }
    for it in proposed {
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
}

fn row<'a>(id: &'a str, incident: &'a Incident) -> IncidentRow<'a> {
    IncidentRow {
        id: id.into(),
        title: incident.title.as_str().into(),
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
