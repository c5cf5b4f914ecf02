//! `relight serve --heads DIR`: a signed head of the journal at the start, once a day and at each
//! close of an incident, in a folder outside the one that it speaks for.
//!
//! That folder is on another machine, as a rule: it is written by a thread of its own, so that a
//! network disk that hangs holds up nothing else.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::Engine;
use relight_server::web::texts;

use crate::cmd::audit::head;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// How often it is looked whether a head is owed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How soon a head that could not be written is tried again.
const RETRY: Duration = Duration::from_secs(60);

/// Since when no head is owed: the day in UTC, and how many incidents were closed.
type Mark = (i64, usize);

/// No head was written yet.
const NONE: Mark = (i64::MIN, 0);

/// What is news about heads.
#[derive(Debug)]
enum Told {
    /// One could not be written; it is tried again until it is.
    Failed(Failure),
    /// They are written again.
    Again,
}

/// What tells of the heads that are written while a server runs.
pub(super) struct Heads {
    folder: PathBuf,
    told: Receiver<Told>,
}

impl Heads {
    /// Writes the first head: who names the folder that they speak for is refused, and one that
    /// takes none now is told at once and keeps no server from its edges. The others follow until
    /// it is told to stop.
    pub(super) fn start(
        folder: PathBuf,
        engine: &Arc<Engine>,
        context: &Context,
        stop: &Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        let (sender, told) = mpsc::channel();
        let mut owed = Owed { written: mark(engine), failed: None };
        match head::write(engine.store(), &folder, context) {
            Err(failure) if failure.exit == Exit::Usage => return Err(failure),
            Err(failure) => {
                owed = Owed { written: NONE, failed: Some(Instant::now()) };
                // Its ears are right here.
                let _ = sender.send(Told::Failed(failure));
            }
            Ok(_) => {}
        }
        let (engine, stop, context) = (Arc::clone(engine), Arc::clone(stop), context.clone());
        let into = folder.clone();
        // Nobody waits for a disk that hangs, nor at the end.
        thread::spawn(move || {
            let write = || head::write(engine.store(), &into, &context).map(drop);
            owed.write_until(&stop, &sender, || mark(&engine), write);
        });
        Ok(Self { folder, told })
    }

    /// Tells what is news: a head that could not be written is no failure of the server.
    pub(super) fn tell(&self, context: &Context, report: &mut Report) {
        for told in self.told.try_iter() {
            match told {
                Told::Failed(failure) => report.warn_of(&failure),
                Told::Again => {
                    let folder = self.folder.display().to_string();
                    report.tell(&texts::heads_again(context.lang, &folder));
                }
            }
        }
    }
}

fn mark(engine: &Engine) -> Mark {
    let closed =
        engine.with_ledger(|ledger| ledger.incidents().filter(|(_, it)| it.closed).count());
    (engine.now().div_euclid(DAY_S), closed)
}

/// Whether a head is owed.
struct Owed {
    written: Mark,
    /// When the last trial failed, which was told at the first.
    failed: Option<Instant>,
}

impl Owed {
    fn write_until(
        mut self,
        stop: &AtomicBool,
        told: &Sender<Told>,
        mark: impl Fn() -> Mark,
        write: impl Fn() -> Result<(), Failure>,
    ) {
        while !stop.load(Ordering::Relaxed) {
            if let Some(news) = self.look(mark(), Instant::now(), &write) {
                // Who has no ears any more is ending.
                let _ = told.send(news);
            }
            // Nobody tells when a day begins.
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Writes a head if a day began or an incident was closed since the last one; gives what is
    /// news.
    fn look(
        &mut self,
        now: Mark,
        at: Instant,
        write: impl Fn() -> Result<(), Failure>,
    ) -> Option<Told> {
        let is_early = self.failed.is_some_and(|failed| at.duration_since(failed) < RETRY);
        if now == self.written || is_early {
            return None;
        }
        match write() {
            Ok(()) => {
                self.written = now;
                self.failed.take().map(|_| Told::Again)
            }
            Err(failure) => {
                // Told once: it is tried again until it is written.
                self.failed.replace(at).is_none().then_some(Told::Failed(failure))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use relight_server::web::Lang;

    use super::*;

    #[test]
    fn a_head_is_owed_a_day_later_and_at_each_close() {
        let (at, written) = (Instant::now(), Cell::new(0));
        let write = || {
            written.set(written.get() + 1);
            Ok(())
        };
        let mut owed = Owed { written: (7, 0), failed: None };
        for (mark, count) in
            [((7, 0), 0), ((8, 0), 1), ((8, 0), 1), ((8, 1), 2), ((9, 2), 3), ((9, 2), 3)]
        {
            assert!(owed.look(mark, at, write).is_none(), "nothing is news");
            assert_eq!(written.get(), count, "{mark:?}");
        }
    }

    /// Goal: an outage of the folder is told once, and so is its end. Method: the place of the
    /// folder is taken by a file for two trials, and a day begins meanwhile.
    #[test]
    fn a_folder_that_cannot_be_written_is_told_and_so_is_that_it_is_back() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("heads");
        fs::write(&folder, "").unwrap();
        let write = || {
            let done = fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join("h"), ""));
            done.map_err(|error| Failure::new("no folder").because(Lang::En, &error))
        };
        let mut owed = Owed { written: (7, 0), failed: None };
        let start = Instant::now();
        let mut look = |mark, after: Duration| {
            let told = owed.look(mark, start + after, write);
            told.map(|told| matches!(told, Told::Again))
        };
        assert_eq!(look((7, 1), Duration::ZERO), Some(false), "it failed");
        fs::remove_file(&folder).unwrap();
        assert_eq!(look((7, 1), RETRY / 2), None);
        assert!(!folder.exists(), "it is not tried all the time");
        fs::write(&folder, "").unwrap();
        assert_eq!(look((8, 1), RETRY), None, "told once");
        fs::remove_file(&folder).unwrap();
        assert_eq!(look((8, 1), RETRY * 2), Some(true), "it is back");
        assert!(folder.join("h").exists());
        assert_eq!(look((8, 1), RETRY * 4), None, "nothing is owed");
        fs::remove_dir_all(&folder).unwrap();
        fs::write(&folder, "").unwrap();
        assert_eq!(look((9, 1), RETRY * 5), Some(false), "another outage is news");
    }
}
