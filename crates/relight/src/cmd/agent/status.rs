//! How an agent stands, told on its own machine: the server is not asked.

use clap::Args;
use relight_server::agents::contact::{CONTACT_FILE, Contact, Looks};
use relight_server::agents::wishes::INVENTORY_WAIT_S;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::file::AgentFile;
use super::{identity, words};
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub(super) struct Status {}

#[derive(Serialize)]
struct Document<'a> {
    agent: u32,
    host: &'a str,
    organisation: &'a str,
    server: &'a str,
    expires: String,
    /// 0 when it has ended.
    days_left: u64,
    last_contact: Option<String>,
    fault: Option<Fault<'a>>,
    looks: Option<Looking<'a>>,
    sites: Vec<Site<'a>>,
    edges: Vec<Edge<'a>>,
}

#[derive(Serialize)]
struct Edge<'a> {
    edge: &'a str,
    kind: &'a str,
    gate: String,
}

#[derive(Serialize)]
struct Site<'a> {
    site: &'a str,
    folder: String,
}

#[derive(Serialize)]
struct Looking<'a> {
    site: &'a str,
    since: String,
}

#[derive(Serialize)]
struct Fault<'a> {
    code: &'a str,
    since: String,
}

impl Status {
    #[expect(clippy::unused_self, reason = "every action is run the same way")]
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (lang, identity) = (context.lang, identity(context)?);
        let file = AgentFile::read(context)?;
        let path = context.data.join(CONTACT_FILE);
        let contact = Contact::read(&path).map_err(|error| {
            let failure = Failure::new(texts::cannot_read(lang, &path.display().to_string()));
            failure.because(lang, &error).hint(texts::cannot_read_remedy(lang))
        })?;
        let left = identity.expires() - context.now();
        let days_left = left.max(0).unsigned_abs() / 86_400;
        let has_fault = !contact.fault.is_empty();
        let is_recent = contact.is_recent(context.now());
        // Of an agent that was killed, what it looked at says nothing.
        let looks = contact.looks.as_ref().filter(|_| is_recent);
        let is_late = looks.is_some_and(|it| it.since + INVENTORY_WAIT_S < context.now());
        if left <= 0 || has_fault || !is_recent || is_late {
            report.raise(Exit::Incomplete);
        }
        let at = (contact.at != 0).then(|| rfc3339(contact.at));
        if context.json {
            let fault = Fault { code: &contact.fault, since: rfc3339(contact.since) };
            let document = Document {
                agent: identity.agent(),
                host: identity.host(),
                organisation: identity.organisation(),
                server: identity.server(),
                expires: rfc3339(identity.expires()),
                days_left,
                last_contact: at,
                fault: has_fault.then_some(fault),
                looks: looks.map(|it| Looking { site: &it.site, since: rfc3339(it.since) }),
                sites: sites(&file),
                edges: edges(&file),
            };
            report.document("relight.agent-status/1", &document);
            return Ok(());
        }
        let (host, organisation) = (identity.host(), identity.organisation());
        report.line(&texts::agent_is(lang, host, organisation, identity.server()));
        let expires = rfc3339(identity.expires());
        let has_ended = left <= 0;
        report.line(&match has_ended {
            true => texts::agent_certificate_ended(lang, &expires),
            false => texts::agent_certificate_left(lang, days_left, &expires),
        });
        report.line(&match at {
            Some(at) => texts::agent_last_contact(lang, &at),
            None => texts::agent_no_contact(lang).to_owned(),
        });
        if has_fault {
            let (what, remedy) = words(lang, &contact.fault);
            report.line(&texts::agent_fault_since(lang, &rfc3339(contact.since), what));
            report.hint(remedy);
        } else if !is_recent {
            report.line(texts::agent_silent(lang));
            report.hint(texts::agent_silent_remedy(lang));
        }
        if let Some(Looks { site, since }) = looks {
            report.line(&texts::agent_looks_since(lang, &rfc3339(*since), site));
        }
        if is_late {
            report.hint(texts::agent_looks_late(lang));
        }
        tell_places(&file, report);
        Ok(())
    }
}

/// What is on this machine, by its own file.
fn tell_places(file: &AgentFile, report: &mut Report) {
    for Site { site, folder } in sites(file) {
        report.line(&format!("  {site}  {folder}"));
    }
    for Edge { edge, kind, gate } in edges(file) {
        report.line(&format!("  {edge}  {kind}  {gate}"));
    }
}

fn sites(file: &AgentFile) -> Vec<Site<'_>> {
    let rows = file.sites.iter();
    rows.map(|(site, folder)| Site { site, folder: folder.display().to_string() }).collect()
}

fn edges(file: &AgentFile) -> Vec<Edge<'_>> {
    let rows = file.edges.iter();
    rows.map(|(edge, entry)| Edge {
        edge,
        kind: entry.kind(),
        gate: entry.gate().display().to_string(),
    })
    .collect()
}
