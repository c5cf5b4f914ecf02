//! `relight serve --heads DIR`: a signed head of the journal at the start, once a day and at each
//! close of an incident, in a folder outside the one that it speaks for.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use relight_engine::Engine;

use crate::cmd::audit::head;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// How soon a head that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Since when no head is owed: the day in UTC, and how many incidents were closed.
type Mark = (i64, usize);

/// What writes heads while a server runs.
pub(super) struct Heads {
    folder: PathBuf,
    written: Mark,
    /// When the last trial failed, which was told then.
    failed: Option<Instant>,
}

impl Heads {
    /// Writes the first head: who names a folder that cannot hold them is told at once.
    pub(super) fn start(
        folder: PathBuf,
        engine: &Engine,
        context: &Context,
    ) -> Result<Self, Failure> {
        let written = mark(engine);
        head::write(engine.store(), &folder, context)?;
        Ok(Self { folder, written, failed: None })
    }

    /// Writes a head if a day began or an incident was closed since the last one.
    pub(super) fn look(&mut self, engine: &Engine, context: &Context, report: &mut Report) {
        let now = mark(engine);
        let is_early = self.failed.is_some_and(|at| at.elapsed() < RETRY);
        if now == self.written || is_early {
            return;
        }
        match head::write(engine.store(), &self.folder, context) {
            Ok(_) => (self.written, self.failed) = (now, None),
            Err(failure) => {
                // Told once: it is tried again until it is written.
                if self.failed.is_none() {
                    report.fail(&failure);
                }
                self.failed = Some(Instant::now());
            }
        }
    }
}

fn mark(engine: &Engine) -> Mark {
    let closed =
        engine.with_ledger(|ledger| ledger.incidents().filter(|(_, it)| it.closed).count());
    (engine.now().div_euclid(DAY_S), closed)
}
