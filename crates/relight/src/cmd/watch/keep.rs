//! `relight watch keep`: for how many days what was read of logs is kept.

use clap::Args;
use relight_engine::{WATCH_DAYS_MAX, keep_days, kept_days};
use relight_server::web::texts;
use serde::Serialize;

use super::notes;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

#[derive(Debug, Args)]
pub(super) struct Keep {
    #[arg(value_name = "DAYS", requires = "reason",
          value_parser = clap::value_parser!(i64).range(1..=WATCH_DAYS_MAX))]
    days: Option<i64>,
    #[arg(long, value_name = "TEXT", requires = "days")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct KeepDocument {
    days: i64,
    /// Windows that went, because their time was over or because they were joined.
    fewer: usize,
}

impl Keep {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let failed = |error| Failure::engine(context.lang, &error);
        let mut fewer = 0;
        if let (Some(days), Some(reason)) = (self.days, &self.reason) {
            let engine = context.engine_beside()?;
            notes::note(engine.store(), "keep", &format!("{days} days: {reason}"), context)?;
            keep_days(engine.store(), days).map_err(failed)?;
            fewer = engine.compact_windows().map_err(failed)?;
        }
        let days = kept_days(&*context.existing_store()?).map_err(failed)?;
        if context.json {
            report.document("relight.watch-keep/1", &KeepDocument { days, fewer });
        } else {
            report.line(&texts::watch_kept(context.lang, days.unsigned_abs()));
        }
        Ok(())
    }
}
