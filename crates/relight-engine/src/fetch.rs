//! Feeds of advisories over the network. What changed is staged in files and imported as if
//! somebody had carried it here: one transaction a snapshot, under the same guards. A look that
//! fails leaves everything as it was, and says so.
//!
//! Nothing is fetched by itself: a command asks, or a server that was told to.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use relight_model::{Timestamp, Warning};
use relight_store::{SourceCounts, Store, StoreError};

pub use self::ask::{Answered, Asker};
use self::client::Client;
pub use self::client::{
    ANSWER_BYTES_MAX, ANSWER_S_MAX, CONNECT_S_MAX, Fault, REDIRECTS_MAX, SILENCE_S_MAX,
};
pub use self::feed::{
    FEEDS_MAX, Feed, FeedFault, FeedKind, PERIOD_S_MAX, PERIOD_S_MIN, READY_NAMES, add_feed,
    due_feeds, feeds, remove_feed,
};
pub use self::pull::{CHANGES_MAX, DOCUMENT_BYTES_MAX};
use self::pull::{Pull, Pulled, Step, steps};
use self::staging::Staging;
pub use self::staging::{clear_leftovers, leftovers};
use self::state::hold;
pub use self::state::{FeedState, RETRY_AFTER_S_MAX, Trouble, held_until, late_after};
use crate::import::{ImportOptions, ImportReport, UPDATED_KEY, import_staged};

mod ask;
#[cfg(test)]
mod changes_tests;
mod client;
mod feed;
#[cfg(test)]
mod loopback;
mod pull;
mod staging;
mod state;
#[cfg(test)]
mod tests;

/// Machines that are asked at one time, at most.
pub const HOSTS_MAX: usize = 4;

/// How to look.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// Sources that pass their guards, because a person looked.
    pub accept: Vec<String>,
    /// Who accepts them, as the register keeps it.
    pub actor: String,
    /// When it is.
    pub now: Timestamp,
    /// Any number: it says how long until the next look.
    pub chance: u64,
}

/// What a look at one feed came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The feed.
    pub feed: String,
    /// What was imported, a report a step; none when nothing changed.
    pub reports: Vec<ImportReport>,
    /// Documents that were asked for.
    pub requests: usize,
    /// What could not be used of lists, and documents that did not come.
    pub notes: Vec<Warning>,
    /// What kept the look from being whole.
    pub fault: Option<Fault>,
    /// Its server asked to be left alone until then: nothing was asked.
    pub held_until: Option<Timestamp>,
}

impl Fetched {
    /// One figure over all sources.
    pub fn total(&self, of: impl Fn(&SourceCounts) -> usize) -> usize {
        self.reports.iter().map(|report| report.total(&of)).sum()
    }

    fn held(feed: &str, until: Timestamp) -> Self {
        Self { feed: feed.to_owned(), held_until: Some(until), ..Self::default() }
    }

    /// The feed was taken off the list, or put on it anew.
    fn gone(feed: &Feed) -> Self {
        let fault = Some(Fault::gone(&feed.url));
        Self { feed: feed.name.clone(), fault, ..Self::default() }
    }
}

/// Looks at feeds; one process at a time has it for a data folder.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    staging: Staging,
}

impl Fetcher {
    /// Takes the right to fetch into a data folder; `None` when another process has it.
    /// Certificates are believed of these authorities, or of those of the system.
    ///
    /// # Errors
    /// The authorities cannot be read, or the data folder cannot be written.
    pub fn open(data: &Path, authorities: Option<&Path>) -> Result<Option<Self>, Fault> {
        let client = Client::new(authorities)?;
        let staging = Staging::take(data);
        let staging = staging.map_err(|it| Fault::new("disk", &data.display().to_string(), it))?;
        Ok(staging.map(|staging| Self { client, staging }))
    }

    /// Looks at feeds: several machines at one time, each of them for one feed after the other.
    /// `told` is given what each came to.
    ///
    /// # Errors
    /// The store cannot be read or written; other feeds are looked at all the same.
    pub fn fetch_all(
        &self,
        store: &Store,
        feeds: &[Feed],
        options: &FetchOptions,
        stop: &AtomicBool,
        told: &mut dyn FnMut(Fetched),
    ) -> Result<(), StoreError> {
        let waiting = Mutex::new(by_host(feeds));
        let mut result = Ok(());
        thread::scope(|scope| {
            let (sender, done) = mpsc::channel();
            let waiting = &waiting;
            let work = move |sender: mpsc::Sender<_>| {
                for feed in std::iter::from_fn(|| next_host(waiting)).flatten() {
                    // Nobody hears it when the caller's thread panicked.
                    let _ = sender.send(self.fetch(store, feed, options, stop));
                }
            };
            let spawn = |_| {
                let sender = sender.clone();
                scope.spawn(move || work(sender))
            };
            let threads: Vec<_> = (0..HOSTS_MAX).map(spawn).collect();
            drop(sender);
            for fetched in done {
                match fetched {
                    Ok(fetched) => told(fetched),
                    Err(error) => result = Err(error),
                }
            }
            // A thread that panicked found a bug of ours: it goes on in this one.
            threads.into_iter().for_each(|it| it.join().unwrap_or_else(|it| resume_unwind(it)));
        });
        result
    }

    /// Looks at one feed.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn fetch(
        &self,
        store: &Store,
        feed: &Feed,
        options: &FetchOptions,
        stop: &AtomicBool,
    ) -> Result<Fetched, StoreError> {
        let now = options.now;
        if stop.load(Ordering::Relaxed) {
            let fault = Some(Fault::stopped(&feed.url));
            return Ok(Fetched { feed: feed.name.clone(), fault, ..Fetched::default() });
        }
        let Some(mut state) = FeedState::of_listed(store, feed)? else {
            return Ok(Fetched::gone(feed));
        };
        if let Some(until) = held_until(store, feed, now)? {
            return Ok(Fetched::held(&feed.name, until));
        }
        // First of all: whoever dies of a feed does not look at it again and again.
        state.looked(feed, now, options.chance);
        if !state.put(store, feed)? {
            return Ok(Fetched::gone(feed));
        }
        let mut look = Look { fetcher: self, store, feed, options, stop, state };
        let mut fetched = Fetched { feed: feed.name.clone(), ..Fetched::default() };
        fetched.fault = look.take_all(&mut fetched)?;
        look.end(&mut fetched)?;
        Ok(fetched)
    }
}

type Hosts<'a> = Mutex<Vec<Vec<&'a Feed>>>;

/// The feeds of each machine, as one list.
fn by_host(feeds: &[Feed]) -> Vec<Vec<&Feed>> {
    let mut hosts: BTreeMap<String, Vec<&Feed>> = BTreeMap::new();
    for feed in feeds {
        hosts.entry(feed.host()).or_default().push(feed);
    }
    hosts.into_values().rev().collect()
}

fn next_host<'a>(waiting: &Hosts<'a>) -> Option<Vec<&'a Feed>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// One look, while it is taken.
struct Look<'a> {
    fetcher: &'a Fetcher,
    store: &'a Store,
    feed: &'a Feed,
    options: &'a FetchOptions,
    stop: &'a AtomicBool,
    state: FeedState,
}

impl Look<'_> {
    /// Takes every step, until one fails. What a whole list brings after its changes were followed,
    /// the changes had lost.
    fn take_all(&mut self, fetched: &mut Fetched) -> Result<Option<Fault>, StoreError> {
        let mut waiting = steps(self.feed, &self.state, self.options.now);
        waiting.reverse();
        let mut followed = false;
        while let Some(step) = waiting.pop() {
            let before = fetched.reports.len();
            match self.take(step, fetched)? {
                Err(fault) => return Ok(Some(fault)),
                Ok(Pulled::TooMany) => {
                    waiting = vec![Step::Changes { anyway: true }, Step::Whole];
                    followed = false;
                }
                Ok(Pulled::Done) if step == Step::Whole && followed => {
                    let brought = fetched.reports.iter().skip(before);
                    self.state.missed = brought.map(|it| it.total(|it| it.new + it.changed)).sum();
                }
                Ok(Pulled::Done) => followed = true,
            }
        }
        Ok(self.what_is_missing())
    }

    /// Whoever lacks a document that a list names does not have all of it.
    fn what_is_missing(&self) -> Option<Fault> {
        let first = self.state.skipped.first()?;
        let count = self.state.skipped.len();
        let why = format!("{count} documents did not come, this one among them");
        Some(Fault::new("incomplete", first, why))
    }

    /// Takes one step: fetches, then stores. How far the feed was read counts once it is stored.
    fn take(
        &mut self,
        step: Step,
        fetched: &mut Fetched,
    ) -> Result<Result<Pulled, Fault>, StoreError> {
        let desk = match self.fetcher.staging.desk() {
            Ok(desk) => desk,
            Err(cause) => return Ok(Err(Fault::new("disk", &self.feed.name, cause))),
        };
        let (client, stop, feed) = (&self.fetcher.client, self.stop, self.feed);
        let (now, state) = (self.options.now, self.state.clone());
        let (staged, notes) = (Vec::new(), Vec::new());
        let (requests, followed) = (0, 0);
        let mut pull =
            Pull { client, stop, feed, now, desk, state, staged, requests, followed, notes };
        let mut pulled = pull.take(step);
        fetched.requests += pull.requests;
        fetched.notes.append(&mut pull.notes);
        if !pull.staged.is_empty() {
            let FetchOptions { accept, actor, .. } = self.options.clone();
            let formats = feed.formats();
            let options = ImportOptions { is_whole: false, accept, actor, now, formats };
            let report = import_staged(self.store, &pull.staged, &options, &mut |_, _| {})?;
            let fault = fault_of(feed, &report);
            pull.state.sources.extend(report.sources.keys().cloned());
            let unread = pull.state.fetch_again(&report.unreadable, &self.state);
            fetched.reports.push(report);
            if let Some(fault) = fault {
                return Ok(Err(fault));
            }
            if let Some(fault) = unread {
                pulled = Err(fault);
            }
        }
        if pulled.is_err() {
            // Who was kept from reading a list does not know that nothing of it waits.
            pull.state.waiting = pull.state.waiting.max(self.state.waiting);
        }
        self.state = pull.state;
        let is_noted = self.state.put(self.store, self.feed)?;
        Ok(if is_noted { pulled } else { Err(Fault::gone(&self.feed.url)) })
    }

    /// Notes what the look came to. Sources of which nothing new came are as good as read.
    fn end(&mut self, fetched: &mut Fetched) -> Result<(), StoreError> {
        let now = self.options.now;
        match &fetched.fault {
            None => self.state.went_well(now),
            Some(Fault { code: "stopped", .. }) => self.state.due_at = Some(now),
            Some(Fault { code, detail, retry_after_s }) => {
                let trouble = Trouble { code: (*code).to_owned(), detail: detail.clone() };
                self.state.failed(self.feed, trouble, now);
                if let Some(wait_s) = retry_after_s {
                    hold(self.store, self.feed, now, *wait_s)?;
                }
            }
        }
        if !self.state.put(self.store, self.feed)? {
            fetched.fault = Some(Fault::gone(&self.feed.url));
        } else if fetched.fault.is_none() {
            self.store.confirm_sources(&self.state.sources, now)?;
            self.store.meta_put(UPDATED_KEY, &now.to_string())?;
        }
        Ok(())
    }
}

/// Why what came is not what was asked for, if it is not: nothing in it can be used, or a guard
/// refused it. One bad record among good ones costs that record alone.
fn fault_of(feed: &Feed, report: &ImportReport) -> Option<Fault> {
    let guards = report.sources.iter().filter_map(|(name, it)| Some((name.as_str(), it.refused?)));
    let scores = report.scores_refused.map(|guard| ("epss", guard));
    if let Some((name, guard)) = guards.chain(scores).next() {
        return Some(Fault::new("refused", name, guard.as_str()));
    }
    let is_empty = report.records == 0 && report.scores == 0;
    let first = report.warnings.first().filter(|_| is_empty)?;
    Some(Fault::new("nothing-usable", &feed.url, &first.message))
}
