//! The feeds of a running server, each when it is due; one machine is asked by one of them at a
//! time, so that a long answer of one keeps no other feed waiting.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use relight_engine::Engine;
use relight_engine::fetch::{Fault, Feed, FetchOptions, Fetched, Fetcher, HOSTS_MAX, due_feeds};
use relight_engine::store::{Store, StoreError};
use relight_server::clock;

use crate::cmd::advisories::fetch::{chance, fetcher};
use crate::context::Context;
use crate::failure::Failure;

/// How often it is looked which feeds are due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long nothing is looked at after the register could not be read or written.
const STORE_WAIT: Duration = Duration::from_secs(60);

/// What a look came to.
pub(super) type Told = Result<Fetched, StoreError>;

/// Fetches until it is told to stop.
pub(super) struct Fetching {
    engine: Arc<Engine>,
    data: PathBuf,
    authorities: Option<PathBuf>,
    stop: Arc<AtomicBool>,
    told: Sender<Told>,
    running: Vec<Running>,
    /// Held while any look is taken, so that a command may fetch in between.
    fetcher: Option<Arc<Fetcher>>,
    /// Why it cannot be held, where that was told.
    unopened: Option<&'static str>,
}

struct Running {
    host: String,
    thread: JoinHandle<()>,
}

impl Fetching {
    /// Starts it; what each look came to is received.
    pub(super) fn start(
        engine: &Arc<Engine>,
        context: &Context,
        authorities: Option<PathBuf>,
        stop: &Arc<AtomicBool>,
    ) -> Result<Receiver<Told>, Failure> {
        // Authorities that cannot be read are told at once, and not in an hour.
        drop(fetcher(context, authorities.as_deref())?);
        let (told, fetched) = mpsc::channel();
        let (engine, data, stop) = (Arc::clone(engine), context.data.clone(), Arc::clone(stop));
        let (running, fetcher, unopened) = (Vec::new(), None, None);
        let fetching = Self { engine, data, authorities, stop, told, running, fetcher, unopened };
        thread::spawn(|| fetching.run());
        Ok(fetched)
    }

    fn run(mut self) {
        let mut wait_until = None;
        while !self.stop.load(Ordering::Relaxed) {
            if wait_until.is_none_or(|at| Instant::now() >= at) {
                wait_until = None;
                if let Err(error) = self.look() {
                    wait_until = Some(Instant::now() + STORE_WAIT);
                    // Who has no ears any more is ending.
                    let _ = self.told.send(Err(error));
                }
            }
            // Nobody tells when it is time.
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Begins what is due.
    fn look(&mut self) -> Result<(), StoreError> {
        self.running.retain(|it| !it.thread.is_finished());
        for feed in due_feeds(self.engine.store(), clock::now())? {
            let host = feed.host();
            let is_busy = self.running.iter().any(|it| it.host == host);
            if is_busy || self.running.len() >= HOSTS_MAX {
                continue;
            }
            let Some(fetcher) = self.fetcher(&feed) else { return Ok(()) };
            let thread = self.spawn(feed, fetcher);
            self.running.push(Running { host, thread });
        }
        if self.running.is_empty() {
            self.fetcher = None;
        }
        Ok(())
    }

    /// The right to fetch; none while a command has it, or the authorities cannot be read: that
    /// is tried again, and told once, of the feed that waits.
    fn fetcher(&mut self, feed: &Feed) -> Option<Arc<Fetcher>> {
        if self.fetcher.is_none() {
            match Fetcher::open(&self.data, self.authorities.as_deref()) {
                Ok(opened) => (self.fetcher, self.unopened) = (opened.map(Arc::new), None),
                Err(fault) => self.tell_unopened(feed, fault),
            }
        }
        self.fetcher.clone()
    }

    fn tell_unopened(&mut self, feed: &Feed, fault: Fault) {
        if self.unopened.replace(fault.code) != Some(fault.code) {
            let (feed, fault) = (feed.name.clone(), Some(fault));
            // Who has no ears any more is ending.
            let _ = self.told.send(Ok(Fetched { feed, fault, ..Fetched::default() }));
        }
    }

    fn spawn(&self, feed: Feed, fetcher: Arc<Fetcher>) -> JoinHandle<()> {
        let (engine, stop) = (Arc::clone(&self.engine), Arc::clone(&self.stop));
        let told = self.told.clone();
        thread::spawn(move || {
            let fetched = look_at(&fetcher, engine.store(), &feed, &stop);
            // Who has no ears any more is ending.
            let _ = told.send(fetched);
        })
    }
}

fn look_at(fetcher: &Fetcher, store: &Store, feed: &Feed, stop: &AtomicBool) -> Told {
    let options = FetchOptions { now: clock::now(), chance: chance(), ..FetchOptions::default() };
    fetcher.fetch(store, feed, &options, stop)
}

#[cfg(test)]
mod tests {
    use relight_engine::EngineOptions;
    use relight_engine::fetch::add_feed;

    use super::*;

    /// Goal: nobody waits for feeds in silence. Method: a file of authorities that is gone after
    /// the start.
    #[test]
    fn what_keeps_feeds_from_being_fetched_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        add_feed(&store, Feed::ready("kev").unwrap()).unwrap().unwrap();
        let holder = "test".to_owned();
        let options = EngineOptions { holder, clock: || 1_000, inventory_ttl_s: 1 };
        let engine = Arc::new(Engine::open(store, options).unwrap());
        let (told, heard) = mpsc::channel();
        let authorities = Some(folder.path().join("gone.pem"));
        let (data, stop) = (folder.path().to_owned(), Arc::new(AtomicBool::new(false)));
        let (running, fetcher, unopened) = (Vec::new(), None, None);
        let mut fetching =
            Fetching { engine, data, authorities, stop, told, running, fetcher, unopened };
        let mut codes = || -> Vec<_> {
            fetching.look().unwrap();
            let faults = heard.try_iter().map(|it| it.unwrap()).map(|it| (it.feed, it.fault));
            faults.map(|(feed, fault)| (feed, fault.unwrap().code)).collect()
        };
        assert_eq!(codes(), [("kev".to_owned(), "authorities")]);
        assert_eq!(codes(), []);
    }
}
