//! `relight agent`: on a server, codes for machines elsewhere and who is let in from there; on such
//! a machine, its enrolment, its line to the server, and how both stand.

pub(crate) mod desk;
mod edge_file;
mod edges;
mod file;
mod look;
mod run;
mod status;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_server::agents::client::AgentFault;
use relight_server::agents::identity::{IDENTITY_FILE, Identity};
use relight_server::web::{Lang, texts};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Debug, Args)]
pub(crate) struct Agent {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Code(desk::Code),
    List(desk::List),
    Revoke(desk::Revoke),
    Enrol(run::Enrol),
    Run(run::Run),
    Status(status::Status),
}

impl Agent {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Code(command) => command.run(context, report),
            Action::List(command) => command.run(context, report),
            Action::Revoke(command) => command.run(context, report),
            Action::Enrol(command) => command.run(context, report),
            Action::Run(command) => command.run(context, report),
            Action::Status(command) => command.run(context, report),
        }
    }
}

/// The server lets this agent in no more.
const NOT_LET_IN: &str = "not-let-in";

/// Where an agent keeps who it is.
fn identity_path(context: &Context) -> PathBuf {
    context.data.join(IDENTITY_FILE)
}

/// Who this machine is.
fn identity(context: &Context) -> Result<Identity, Failure> {
    let (lang, path) = (context.lang, identity_path(context));
    Identity::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let failure = Failure::new(texts::agent_not_enrolled(lang));
            failure.hint(texts::agent_not_enrolled_remedy(lang))
        }
        _ => {
            let failure = Failure::new(texts::cannot_read(lang, &path.display().to_string()));
            failure.because(lang, &error).hint(texts::agent_identity_remedy(lang))
        }
    })
}

/// Codes of faults, each with a sentence and with what to do.
fn words(lang: Lang, code: &str) -> (&str, &'static str) {
    let find = |key: &str| texts::by_code(lang, key);
    let what = find(&format!("agent-fault-{code}")).unwrap_or(code);
    let remedy = find(&format!("agent-fault-{code}-remedy"));
    (what, remedy.unwrap_or(texts::agent_fault_remedy(lang)))
}

/// Why the server did not do it, or was not reached.
fn faulty(fault: &AgentFault, context: &Context) -> Failure {
    let lang = context.lang;
    let (what, remedy) = words(lang, &fault.code);
    let mut failure = match fault.code.as_str() {
        "bad-address" | "bad-code" => Failure::usage(what),
        NOT_LET_IN => Failure::approval(what),
        // Nobody decided that: it may be done when it is asked again.
        "server-failed" | "malformed" | "not-due" | "too-many-trials" | "busy" | "not-asked"
        | "not-an-inventory" | "too-many-sites" => Failure::new(what),
        _ if fault.detail.is_empty() => Failure::approval(what),
        _ => Failure::new(what),
    };
    if !fault.detail.is_empty() {
        let line = texts::labelled(lang, texts::detail_label(lang), &fault.detail);
        failure.below.push(format!("  {line}"));
    }
    failure.hint(remedy)
}
