//! `relight advisories changes`: who published, bound or retired an advisory of one's own, and who
//! set whose word counts. Kept in the register, only ever added to.

use clap::Args;
use relight_engine::ADVISORIES_SET;
use relight_engine::store::{By, RegisterChange, Store};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::operator;
use crate::report::Report;

/// Signs of a change that are shown in a line; `--json` has all.
const SHOWN_MAX: usize = 80;

#[derive(Debug, Args)]
pub(super) struct Changes {}

/// Who does it, for as long as a command runs.
pub(super) struct Hand {
    actor: String,
    at: relight_model::Timestamp,
}

impl Hand {
    /// Whoever runs this command.
    pub(super) fn of(
        context: &Context,
        store: &Store,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        Ok(Self { actor: operator::author(context, store, report)?, at: context.now() })
    }

    /// As the register keeps it.
    pub(super) fn by(&self) -> By<'_> {
        By { actor: &self.actor, at: self.at }
    }
}

/// Who accepts lists of these sources that guards would refuse; where nothing is accepted, nobody.
pub(super) fn accepter(
    sources: &[String],
    context: &Context,
    store: &Store,
    report: &mut Report,
) -> Result<String, Failure> {
    if sources.is_empty() {
        return Ok(String::new());
    }
    Ok(Hand::of(context, store, report)?.actor)
}

#[derive(Serialize)]
struct Document<'a> {
    changes: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    at: String,
    actor: &'a str,
    /// What was done, as the command says it.
    what: &'a str,
    before: &'a str,
    after: &'a str,
}

impl Changes {
    #[expect(clippy::unused_self, reason = "every command is run in the same way")]
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.existing_store()?;
        let all = store.register_changes(0).map_err(|error| context.store_failure(&error))?;
        let rows: Vec<Row<'_>> = all.iter().filter_map(Row::of).collect();
        if context.json {
            report.document("relight.advisories-changes/1", &Document { changes: rows });
            return Ok(());
        }
        if rows.is_empty() {
            report.line(texts::advisories_changes_none(context.lang));
        }
        rows.iter().for_each(|row| report.line(&row.line()));
        Ok(())
    }
}

impl<'a> Row<'a> {
    fn of(change: &'a RegisterChange) -> Option<Self> {
        let what = change.what.strip_prefix(ADVISORIES_SET)?;
        let RegisterChange { at, actor, before, after, .. } = change;
        Some(Self { at: rfc3339(*at), actor, what, before, after })
    }

    fn line(&self) -> String {
        let shown: String = self.after.chars().take(SHOWN_MAX).collect();
        let more = if shown.len() < self.after.len() { " …" } else { "" };
        let line = format!("{}  {}  {}  {shown}{more}", self.at, self.actor, self.what);
        line.trim_end().to_owned()
    }
}
