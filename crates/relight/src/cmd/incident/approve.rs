//! `relight incident approve`: where a plan is read and signed, and the wait for what becomes of
//! it.
//!
//! A signature needs a passkey, and that a browser: this command leads there, and tells how it
//! ended.

use std::thread;
use std::time::Duration;

use clap::Args;
use relight_engine::incident::{Action, Standing};
use relight_engine::replay;
use relight_engine::store::Store;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::{Exit, Report};

/// How often the journal is looked at while people decide: soon enough for them, and cheap.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Approve {
    #[arg(value_name = "ACTION")]
    action: String,
    #[arg(long)]
    refuse: bool,
    #[arg(long, value_name = "TEXT", requires = "refuse")]
    reason: Option<String>,
    #[arg(long, value_name = "URL", default_value = "http://localhost:8420")]
    server: String,
    #[arg(long)]
    no_wait: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    action: String,
    incident: &'a str,
    hash: String,
    sites: usize,
    standing: &'static str,
    expires: String,
    page: String,
}

impl Approve {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let store = context.existing_store()?;
        let mut action = self.find(&store, context)?;
        let page = self.page(&action);
        if !context.json {
            let (id, sites) = (action.id(), action.plan.sites.len());
            report.line(&texts::approve_where(lang, &page, &id, sites));
            report.flush();
        }
        while !self.no_wait && action.is_open(context.now()) {
            // Another process decides: its writing is what is waited for.
            thread::sleep(LOOK_EVERY);
            let changed = store.changed_elsewhere();
            if changed.map_err(|error| context.store_failure(&error))? {
                action = self.find(&store, context)?;
            }
        }
        tell(&action, page, context, report)
    }

    fn find(&self, store: &Store, context: &Context) -> Result<Action, Failure> {
        let (ledger, _) = replay(store).map_err(|error| Failure::engine(context.lang, &error))?;
        let found = ledger.actions().find(&self.action).cloned();
        found.ok_or_else(|| {
            let (what, remedy) = coded(context.lang, "refusal-unknown-action");
            Failure::approval(what).hint(remedy)
        })
    }

    /// The address of the page; a reason is written into its form beforehand.
    fn page(&self, action: &Action) -> String {
        let server = self.server.trim_end_matches('/');
        let reason = self.reason.as_deref().filter(|_| self.refuse);
        let reason = reason.map(|reason| format!("?reason={}", relight_server::encode(reason)));
        format!("{server}/approve/{}{}", action.id(), reason.unwrap_or_default())
    }
}

fn tell(
    action: &Action,
    page: String,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let is_open = action.is_open(context.now());
    let standing = match &action.standing {
        Standing::Started { .. } => "started",
        Standing::Undone { .. } => "undone",
        Standing::Refused { .. } => "refused",
        Standing::Waiting if is_open => "waiting",
        Standing::Waiting => "expired",
    };
    if context.json {
        let document = Document {
            action: action.id(),
            incident: &action.plan.incident,
            hash: action.hash.to_string(),
            sites: action.plan.sites.len(),
            standing,
            expires: rfc3339(action.plan.expires),
            page,
        };
        report.document("relight.action/1", &document);
    }
    let why = match &action.standing {
        Standing::Started { .. } | Standing::Undone { .. } => {
            if !context.json {
                report.line(&texts::approve_done(lang, &action.id()));
            }
            return Ok(());
        }
        Standing::Refused { by, why } => texts::act_refused_by(lang, by, why),
        Standing::Waiting if is_open => texts::act_standing_waiting(lang).to_owned(),
        Standing::Waiting => texts::act_standing_expired(lang).to_owned(),
    };
    if context.json {
        report.raise(Exit::Approval);
        return Ok(());
    }
    let what = texts::labelled(lang, &action.id(), &why);
    Err(Failure::approval(what).hint(texts::approve_remedy(lang)))
}
