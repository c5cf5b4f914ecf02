//! Somebody who reads the public page all the time, at its listener and in its folder, and adds up.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::http::Client;
use serde_json::Value;

use crate::SITES;

/// Between two looks: a reader who never rests would be measured instead of the page.
const PAUSE: Duration = Duration::from_millis(5);
/// Longest wait for a page.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What was read so far.
#[derive(Default)]
struct Read {
    /// How many sites were offline at the last look.
    offline: usize,
    looks: usize,
    wrong: usize,
}

/// The page, as anybody sees it.
pub(crate) struct Page {
    listener: SocketAddr,
    folder: PathBuf,
    read: Mutex<Read>,
    changed: Condvar,
}

impl Page {
    pub(crate) fn new(listener: SocketAddr, folder: PathBuf) -> Self {
        Self { listener, folder, read: Mutex::default(), changed: Condvar::new() }
    }

    /// Reads until `done`.
    pub(crate) fn watch(&self, done: &AtomicBool) {
        let mut visitor = Client::connect(self.listener).unwrap();
        while !done.load(Ordering::Relaxed) {
            let answer = visitor.get("localhost", "/api/v2/summary.json").unwrap();
            let summary: Value = serde_json::from_slice(&answer.body).unwrap();
            let offline = counted(&summary);
            let mut read = self.read.lock().unwrap();
            read.looks += 1;
            read.wrong += usize::from(offline.is_none() || in_folder(&self.folder) == Some(false));
            read.offline = offline.unwrap_or(read.offline);
            drop(read);
            self.changed.notify_all();
            thread::park_timeout(PAUSE);
        }
    }

    /// Waits until so many sites are offline; when that was read.
    pub(crate) fn wait(&self, offline: usize) -> Instant {
        let read = self.read.lock().unwrap();
        let is_other = |read: &mut Read| read.offline != offline;
        let (_read, late) = self.changed.wait_timeout_while(read, WAIT_MAX, is_other).unwrap();
        assert!(!late.timed_out(), "the page never showed {offline} offline");
        Instant::now()
    }

    /// How often it was read, and how often its counts did not sum.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let read = self.read.lock().unwrap();
        (read.looks, read.wrong)
    }
}

/// Sites offline in a summary; none where its counts do not sum, over all or over the sectors.
fn counted(summary: &Value) -> Option<usize> {
    let of = |counts: &Value| {
        let count = |name: &str| usize::try_from(counts[name].as_u64()?).ok();
        Some([count("total")?, count("online")?, count("offline_precaution")?])
    };
    let [total, online, offline] = of(&summary["relight"])?;
    let mut sum = [0; 3];
    for sector in summary["components"].as_array()? {
        let here = of(&sector["relight"])?;
        sum = [sum[0] + here[0], sum[1] + here[1], sum[2] + here[2]];
    }
    let is_sum = total == SITES && online + offline == total && sum == [total, online, offline];
    is_sum.then_some(offline)
}

/// Whether the list and the summary of one generation agree; none when it went away meanwhile.
fn in_folder(current: &Path) -> Option<bool> {
    let generation = fs::canonicalize(current).ok()?;
    let list = fs::read_to_string(generation.join("sites.csv")).ok()?;
    let summary = fs::read(generation.join("api/v2/summary.json")).ok()?;
    let summary: Value = serde_json::from_slice(&summary).ok()?;
    let [online, offline] =
        [",online,", ",offline-precaution,"].map(|state| list.matches(state).count());
    Some(counted(&summary) == Some(offline) && online + offline == SITES)
}
