//! `relight serve --journal-to HOST[:PORT]`: every entry of the journal to another system as soon
//! as it is written, as syslog over TLS.
//!
//! A thread of its own sends, so that a system that hangs holds up nothing here. How far it came is
//! kept, and what a broken connection may have lost is sent again: an entry may come twice, and its
//! number says so.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_engine::Engine;
use relight_server::syslog::{SyslogLine, SyslogPlace, SyslogSender};
use relight_server::web::{Lang, texts};

use crate::cmd::audit::file::line_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Where the register keeps how far the journal was sent, and to whom.
const SENT_META: &str = "journal-sent";

/// How often it is looked whether there is something to send, and whether the other side lives.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How soon the other system is tried again.
const RETRY: Duration = Duration::from_secs(5);

/// Where the journal goes.
#[derive(Clone, Debug, Args)]
pub(super) struct ForwardTo {
    #[arg(long, value_name = "HOST[:PORT]")]
    journal_to: Option<String>,
    #[arg(long, value_name = "FILE", requires = "journal_to")]
    journal_ca: Option<PathBuf>,
}

/// What is news about it.
#[derive(Debug)]
enum Told {
    /// Nobody takes the entries there; it is tried again until somebody does.
    Failed(Failure),
    /// They are taken again.
    Again,
}

/// What tells of the journal that is sent while a server runs.
pub(super) struct Forward {
    place: String,
    told: Receiver<Told>,
}

impl ForwardTo {
    /// Begins to send, where somebody wants that. A system that does not answer keeps no server
    /// from starting: it is told, and tried again.
    pub(super) fn start(
        self,
        engine: &Arc<Engine>,
        context: &Context,
        stop: &Arc<AtomicBool>,
    ) -> Result<Option<Forward>, Failure> {
        let Some(place) = self.journal_to else { return Ok(None) };
        let lang = context.lang;
        let to = SyslogPlace::parse(&place, self.journal_ca.as_deref()).map_err(|error| {
            Failure::usage(texts::forward_no_place(lang, &place))
                .because(lang, &error)
                .hint(texts::forward_no_place_remedy(lang))
        })?;
        let (sender, told) = mpsc::channel();
        let mut work = Work {
            confirmed: confirmed(engine, &place, context)?,
            engine: Arc::clone(engine),
            place: place.clone(),
            to,
            lang,
            open: None,
            sent: 0,
            failed: None,
        };
        let stop = Arc::clone(stop);
        // Nobody waits for a system that hangs, nor at the end.
        thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Some(news) = work.look(Instant::now()) {
                    tell(&sender, news);
                }
                // Nobody tells when an entry is written.
                thread::sleep(LOOK_EVERY);
            }
        });
        Ok(Some(Forward { place, told }))
    }
}

fn tell(sender: &Sender<Told>, news: Told) {
    // Who has no ears any more is ending.
    let _ = sender.send(news);
}

/// How far the journal was sent to this place; from its start to another one.
fn confirmed(engine: &Engine, place: &str, context: &Context) -> Result<u64, Failure> {
    let kept = engine.store().meta_get(SENT_META).map_err(|error| context.store_failure(&error))?;
    let kept = kept.as_deref().and_then(|kept| kept.rsplit_once(' '));
    let own = kept.filter(|(to, _)| *to == place);
    Ok(own.and_then(|(_, entries)| entries.parse().ok()).unwrap_or(0))
}

impl Forward {
    /// Tells what is news: entries that are not taken elsewhere are no failure of the server.
    pub(super) fn tell(&self, context: &Context, report: &mut Report) {
        for told in self.told.try_iter() {
            match told {
                Told::Failed(failure) => report.warn_of(&failure),
                Told::Again => report.tell(&texts::forward_again(context.lang, &self.place)),
            }
        }
    }
}

/// Sends what was not sent yet.
struct Work {
    engine: Arc<Engine>,
    place: String,
    to: SyslogPlace,
    lang: Lang,
    open: Option<SyslogSender>,
    /// Entries that a connection took which lived on.
    confirmed: u64,
    /// Entries that this connection took.
    sent: u64,
    /// When the last trial failed, which was told at the first.
    failed: Option<Instant>,
}

impl Work {
    fn look(&mut self, at: Instant) -> Option<Told> {
        let is_early = self.failed.is_some_and(|failed| at.duration_since(failed) < RETRY);
        if self.open.is_none() && is_early {
            return None;
        }
        match self.step() {
            Ok(()) => self.failed.take().map(|_| Told::Again),
            Err(failure) => {
                self.open = None;
                // Told once: it is tried again until it is taken.
                self.failed.replace(at).is_none().then_some(Told::Failed(failure))
            }
        }
    }

    fn step(&mut self) -> Result<(), Failure> {
        let (lang, place) = (self.lang, self.place.clone());
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(texts::forward_failed(lang, &place))
                .because(lang, error)
                .hint(texts::forward_failed_remedy(lang))
        };
        let mut open = match self.open.take() {
            Some(mut open) => {
                open.check().map_err(|error| failed(&error))?;
                self.confirm().map_err(|error| failed(&error))?;
                open
            }
            None => {
                self.sent = self.confirmed;
                self.to.connect().map_err(|error| failed(&error))?
            }
        };
        let store = self.engine.store();
        loop {
            let page = store.journal_page(self.sent + 1).map_err(|error| failed(&error))?;
            let Some(last) = page.last().map(|record| record.seq) else { break };
            let texts: Vec<_> = page
                .into_iter()
                .map(|record| (record.time, record.kind.clone(), line_of(record)))
                .collect();
            let lines: Vec<_> =
                texts.iter().map(|(at, kind, text)| SyslogLine { at: *at, kind, text }).collect();
            open.send(&lines).map_err(|error| failed(&error))?;
            self.sent = last;
        }
        self.open = Some(open);
        Ok(())
    }

    /// The connection lived on after what it took last.
    fn confirm(&mut self) -> Result<(), relight_engine::store::StoreError> {
        if self.confirmed < self.sent {
            self.engine.store().meta_put(SENT_META, &format!("{} {}", self.place, self.sent))?;
            self.confirmed = self.sent;
        }
        Ok(())
    }
}
