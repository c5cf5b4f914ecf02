//! Scans one target, and says meanwhile how far it is.

use std::io::{self, Write};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relight_scan::{
    Cache, Options, Pace, Profiles, Progress, Report as Scanned, ScanError, Services, Target,
};
use relight_server::web::texts;

use super::file_cache::FileCache;
use super::pace::Limit;
use super::watch::{Done, Line, Watch};
use crate::cmd::fingerprints::databases;
use crate::context::Context;
use crate::failure::Failure;
use crate::redact::Redaction;
use crate::report::{Report, plain};

/// How often progress is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// How a target is read.
#[derive(Debug, Default)]
pub(crate) struct Look {
    pub(crate) options: Options,
    /// What paths lose before anybody sees them.
    pub(crate) redaction: Redaction,
    /// Progress as JSON lines, terminal or not.
    pub(crate) progress_lines: bool,
    /// Megabytes a second.
    pub(crate) read_max: Option<u32>,
    /// What was read before; never for evidence.
    pub(crate) cache: Option<FileCache>,
}

impl Look {
    /// Reads everything itself, for evidence: no cache stands between the bytes and the answer.
    pub(crate) fn fresh(context: &Context) -> Result<Self, Failure> {
        let (profiles, fingerprints) = (Profiles::All, databases(&[], context)?);
        let options =
            Options { artifact_digest: true, profiles, fingerprints, ..Options::default() };
        Ok(Self { options, ..Self::default() })
    }

    /// Scans one target, with progress on a terminal.
    pub(crate) fn at(&self, target: &Target, context: &Context) -> Result<Scanned, Failure> {
        let progress = Progress::default();
        let pace = self.read_max.map(|read_max| Arc::new(Limit::new(read_max)) as Arc<dyn Pace>);
        let cache = self.cache.as_ref().map(|cache| cache as &dyn Cache);
        let services = Services { progress: &progress, pace, cache };
        let (done, wait) = mpsc::channel();
        let scanned = thread::scope(|scope| {
            scope.spawn(|| {
                let scanned = relight_scan::scan_target(target, &self.options, &services);
                // The receiver lives until this arrives.
                let _ = done.send(scanned);
            });
            self.wait(&wait, &progress, context)
        });
        let path = self.redaction.path(&target.to_string()).into_owned();
        let failure = || Failure::new(texts::cannot_read(context.lang, &path));
        match scanned {
            Some(Ok(mut scanned)) => {
                self.redaction.apply(&mut scanned);
                Ok(scanned)
            }
            Some(Err(error)) => Err(failure()
                .because(context.lang, &error)
                .hint(texts::cannot_read_remedy(context.lang))),
            None => Err(failure().hint(texts::scan_ended_remedy(context.lang))),
        }
    }

    /// Keeps what was learnt for the next time. A cache that cannot be used is said.
    pub(crate) fn save_cache(&self, report: &mut Report) {
        let Some(cache) = &self.cache else { return };
        let lang = report.lang();
        let place = cache.path().display().to_string();
        if cache.is_damaged() {
            report.warn(&place, texts::cache_damaged(lang), "");
        }
        if let Err(error) = cache.save() {
            let detail = error.to_string();
            report.warn_in_detail(&place, texts::cache_not_saved(lang), &detail, "");
        }
    }

    /// Waits for the end; nothing but the drawing happens in between.
    fn wait(
        &self,
        wait: &mpsc::Receiver<Result<Scanned, ScanError>>,
        progress: &Progress,
        context: &Context,
    ) -> Option<Result<Scanned, ScanError>> {
        let start = Instant::now();
        let mut watch = Watch::new(progress, &self.redaction);
        let bar = ProgressBar::new_spinner().with_style(style());
        if !context.progress || self.progress_lines {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        loop {
            let now = start.elapsed();
            for path in watch.slow(now) {
                bar.println(plain(&texts::scan_slow(context.lang, &path)));
            }
            if self.progress_lines {
                watch.line_if_due(now).iter().for_each(write_line);
            } else if !bar.is_hidden() {
                bar.set_message(plain(&watch.message(context.lang)));
                bar.tick();
            }
            match wait.recv_timeout(DRAW_EVERY) {
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                ended => {
                    bar.finish_and_clear();
                    if self.progress_lines {
                        write_line(&watch.line(Done::Whole));
                    }
                    return ended.ok();
                }
            }
        }
    }
}

/// One line, cut to the width of the terminal.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Without a reader of stderr the scan goes on.
fn write_line(line: &Line) {
    if let Ok(text) = serde_json::to_string(line) {
        let _ = writeln!(io::stderr(), "{text}");
    }
}
