//! `relight serve --journal-to HOST[:PORT]`: every entry of the journal to another system as soon
//! as it is written, as syslog over TLS.
//!
//! A thread of its own sends, so that a system that hangs holds up nothing here. How far it came is
//! kept, and what a broken connection may have lost is sent again: an entry may come twice, and its
//! number says so.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use relight_engine::Engine;
use relight_engine::store::StoreError;
use relight_server::syslog::{SILENCE_MAX, SyslogLine, SyslogPlace, SyslogSender};
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

/// How long a connection has to live on after what it took last, for that to count as received: a
/// machine that vanished without a word is found out before.
const LIVED_ON: Duration = SILENCE_MAX.saturating_add(Duration::from_secs(5));

/// How often the register is told how far the journal was sent.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// Where the journal goes.
#[derive(Clone, Debug, Args)]
pub(super) struct ForwardTo {
    #[arg(long, value_name = "HOST[:PORT]")]
    journal_to: Option<String>,
    #[arg(long, value_name = "FILE")]
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
        let confirmed = confirmed(engine, &place);
        let confirmed = confirmed.map_err(|error| context.store_failure(&error))?;
        let mut work = Work::new(Arc::clone(engine), &place, to, confirmed, lang);
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
fn confirmed(engine: &Engine, place: &str) -> Result<u64, StoreError> {
    let kept = engine.store().meta_get(SENT_META)?;
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
    /// Entries that the register knows as such, and when it was last asked to.
    kept: (u64, Option<Instant>),
    /// Entries that this connection took.
    sent: u64,
    /// Up to which entry it took them when, as far as they are not confirmed.
    waiting: VecDeque<(u64, Instant)>,
    /// When the last trial failed, which was told at the first.
    failed: Option<Instant>,
}

impl Work {
    fn new(engine: Arc<Engine>, place: &str, to: SyslogPlace, confirmed: u64, lang: Lang) -> Self {
        Self {
            engine,
            place: place.to_owned(),
            to,
            lang,
            open: None,
            confirmed,
            kept: (confirmed, None),
            sent: 0,
            waiting: VecDeque::new(),
            failed: None,
        }
    }

    fn look(&mut self, at: Instant) -> Option<Told> {
        let is_early = self.failed.is_some_and(|failed| at.duration_since(failed) < RETRY);
        if self.open.is_none() && is_early {
            return None;
        }
        match self.step(at) {
            Ok(()) => self.failed.take().map(|_| Told::Again),
            Err(failure) => {
                self.open = None;
                // Told once: it is tried again until it is taken.
                self.failed.replace(at).is_none().then_some(Told::Failed(failure))
            }
        }
    }

    fn step(&mut self, at: Instant) -> Result<(), Failure> {
        let (lang, place, began) = (self.lang, self.place.clone(), Instant::now());
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Failure::new(texts::forward_failed(lang, &place))
                .because(lang, error)
                .hint(texts::forward_failed_remedy(lang))
        };
        let mut open = match self.open.take() {
            Some(mut open) => {
                open.check().map_err(|error| failed(&error))?;
                self.confirm(at);
                open
            }
            None => {
                self.sent = self.confirmed;
                self.waiting.clear();
                self.to.connect().map_err(|error| failed(&error))?
            }
        };
        self.keep(at);
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
            // A system that is slow may have taken it long after `at`.
            self.waiting.push_back((last, at + began.elapsed()));
        }
        self.open = Some(open);
        Ok(())
    }

    /// The connection lived on for long enough after what it took until then.
    fn confirm(&mut self, at: Instant) {
        while let Some((sent, when)) = self.waiting.front().copied()
            && at.duration_since(when) > LIVED_ON
        {
            self.confirmed = sent;
            self.waiting.pop_front();
        }
    }

    /// Keeps how far it came. A register that takes nothing now, on a full disk, is no failure of
    /// the other system: whoever starts then sends more than is missing.
    fn keep(&mut self, at: Instant) {
        let (kept, asked) = self.kept;
        let is_early = asked.is_some_and(|asked| at.duration_since(asked) < KEEP_EVERY);
        if kept < self.confirmed && !is_early {
            let value = format!("{} {}", self.place, self.confirmed);
            let put = self.engine.store().meta_put(SENT_META, &value);
            self.kept = (if put.is_ok() { self.confirmed } else { kept }, Some(at));
        }
    }
}

#[cfg(test)]
mod tests;
