//! The board: what every site shows right now, for walls, counters and the public page.
//!
//! Writers are the edge loops; readers are pages and event streams, which ask for what changed
//! since a version. Nothing here decides anything: the board is a view and can be thrown away.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use relight_model::{Channel, DisplayState, Timestamp};

use crate::incident::Particulars;

/// Changes kept for readers that come back; an older reader is told to reload.
pub const CHANGES_MAX: usize = 65_536;

/// Log lines kept for readers that come back.
pub const LOG_LINES_MAX: usize = 1_000;

/// Names of sites kept with all log lines; older lines are told to those only who read everything.
pub const LOG_SITES_MAX: usize = 200_000;

/// Outages that are over and still remembered; the oldest are forgotten first.
pub const OUTAGES_MAX: usize = 100_000;

/// Words on the public page; older ones are in the journal.
pub const WORDS_MAX: usize = 20;

/// What the board is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headline {
    /// Id of the question (`CVE-2021-44228`).
    pub id: String,
    /// One line about it.
    pub title: String,
    /// When the incident was opened.
    pub opened: Timestamp,
}

/// One site of the board. Names only: verdicts live in the states.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BoardSite {
    /// Code of the sector (`health`).
    pub sector: String,
    /// Name of the organisation.
    pub organisation: String,
    /// Short name.
    pub slug: String,
    /// Name in French.
    pub name_fr: String,
    /// Name in English.
    pub name_en: String,
    /// Shown on the public page.
    pub public: bool,
    /// How else the service is reached while it is dark.
    pub channel: Channel,
}

/// One line of the log that people follow; the text of `code` is in the message catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Grows by one a line; set by [`Board::log`].
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Key in the message catalogue.
    pub code: &'static str,
    /// Arguments of the text, in the order the catalogue documents.
    pub args: Vec<String>,
    /// Short names of the sites that it is about, of which a line about several says how many in
    /// its last argument; empty where it is about none.
    pub sites: Arc<[String]>,
}

/// Every state at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version that it shows.
    pub version: u64,
    /// The sites, in their fixed order.
    pub sites: Arc<[BoardSite]>,
    /// State of each site, in the same order.
    pub states: Vec<DisplayState>,
    /// Proven dark by the last probe, in the same order: all that the public page may follow.
    pub proven_dark: Vec<bool>,
}

/// A time in which a site was proven dark, and that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outage {
    /// When it was proven dark.
    pub from: Timestamp,
    /// When that was no longer so.
    pub to: Timestamp,
    /// Index of the site.
    pub site: usize,
}

/// All that the public page may follow: what probes saw of each site, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proofs {
    /// Grows with each proof and with nothing else: when it was published tells nothing more.
    pub version: u64,
    /// The sites, in their fixed order.
    pub sites: Arc<[BoardSite]>,
    /// Since when each site is proven dark, in the same order.
    pub dark_since: Vec<Option<Timestamp>>,
    /// Outages that are over, by their ends.
    pub past: Vec<Outage>,
    /// When each open incident first took a public site dark, oldest first: one of which nobody
    /// could see anything is not in it.
    pub begun: Vec<Timestamp>,
    /// Words that people published, newest first.
    pub words: Vec<Words>,
}

/// Words that people published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// When.
    pub at: Timestamp,
    /// In French.
    pub fr: String,
    /// In English; empty where nobody wrote it.
    pub en: String,
    /// When the next words are promised, how bad it is, and whether they are the report.
    pub particulars: Particulars,
}

/// What changed since a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// The newest state of each site that changed.
    Since {
        /// The version reached.
        version: u64,
        /// Index of the site and its state, sorted by index.
        changed: Vec<(usize, DisplayState)>,
    },
    /// The version asked for is too old or from another life: read a snapshot.
    Reset {
        /// The version reached.
        version: u64,
    },
}

#[derive(Debug)]
struct Inner {
    sites: Arc<[BoardSite]>,
    /// Where each site stands, by its short name.
    places: HashMap<String, usize>,
    version: u64,
    /// As `version`, of proofs only.
    proof_version: u64,
    states: Vec<DisplayState>,
    dark_since: Vec<Option<Timestamp>>,
    past: VecDeque<Outage>,
    /// (version, site) of the newest changes, oldest first.
    recent: VecDeque<(u64, usize)>,
    /// Changes up to this version are no longer kept.
    forgotten: u64,
    log: VecDeque<LogLine>,
    log_next: u64,
    headline: Headline,
    /// When each open incident first took a public site dark, by its id: see [`Proofs::begun`].
    begun: BTreeMap<String, Timestamp>,
    /// Oldest first.
    words: VecDeque<Words>,
}

impl Inner {
    /// Takes in which sites there are now; one that stays keeps what it shows and its outages.
    fn place(&mut self, mut sites: Vec<BoardSite>) {
        sites.sort();
        let numbered = sites.iter().map(|site| site.slug.clone()).zip(0..);
        let places: HashMap<String, usize> = numbered.collect();
        let before: Vec<Option<usize>> =
            sites.iter().map(|site| self.places.get(&site.slug).copied()).collect();
        let state = |at: &Option<usize>| at.map_or(DisplayState::Online, |at| self.states[at]);
        let states = before.iter().map(state).collect();
        let dark = |at: &Option<usize>| at.and_then(|at| self.dark_since[at]);
        let dark_since = before.iter().map(dark).collect();
        let now = |outage: Outage| {
            let site = *places.get(&self.sites[outage.site].slug)?;
            Some(Outage { site, ..outage })
        };
        let past = self.past.iter().copied().filter_map(now).collect();
        (self.sites, self.places) = (sites.into(), places);
        (self.states, self.dark_since, self.past) = (states, dark_since, past);
    }

    fn set(&mut self, at: Timestamp, index: usize, state: DisplayState, dark: bool) {
        let Some(since) = self.dark_since.get(index).copied() else { return };
        if self.states[index] == state && since.is_some() == dark {
            return;
        }
        match since {
            Some(from) if !dark => {
                self.past.push_back(Outage { from, to: at.max(from), site: index });
                self.dark_since[index] = None;
            }
            None if dark => self.dark_since[index] = Some(at),
            _ => {}
        }
        self.version += 1;
        self.proof_version += u64::from(since.is_some() != dark);
        self.states[index] = state;
        self.recent.push_back((self.version, index));
    }
}

/// The shared board.
#[derive(Debug)]
pub struct Board {
    inner: Mutex<Inner>,
    changed: Condvar,
}

impl Board {
    /// A board on which every site is online. Sites are put in their fixed order: sector,
    /// organisation, slug; find indices with [`Board::index_of`].
    pub fn new(headline: Headline, sites: Vec<BoardSite>) -> Self {
        let mut inner = Inner {
            sites: Arc::default(),
            places: HashMap::new(),
            version: 0,
            proof_version: 0,
            states: Vec::new(),
            dark_since: Vec::new(),
            past: VecDeque::new(),
            recent: VecDeque::new(),
            forgotten: 0,
            log: VecDeque::new(),
            log_next: 1,
            headline,
            begun: BTreeMap::new(),
            words: VecDeque::new(),
        };
        inner.place(sites);
        Self { inner: Mutex::new(inner), changed: Condvar::new() }
    }

    /// The sites, in their fixed order, until [`Board::set_sites`] is called.
    pub fn sites(&self) -> Arc<[BoardSite]> {
        Arc::clone(&self.lock().sites)
    }

    /// Where a site stands in the fixed order.
    pub fn index_of(&self, slug: &str) -> Option<usize> {
        self.lock().places.get(slug).copied()
    }

    /// Says which sites there are now; nothing, if they are the same. New ones are online, and one
    /// that stays keeps its state and its outages. The places of sites change with it, so every
    /// reader is told to reload.
    pub fn set_sites(&self, mut sites: Vec<BoardSite>) {
        sites.sort();
        let mut inner = self.lock();
        if *inner.sites == *sites {
            return;
        }
        inner.place(sites);
        inner.version += 1;
        inner.proof_version += 1;
        inner.recent.clear();
        inner.forgotten = inner.version;
        drop(inner);
        self.changed.notify_all();
    }

    /// Sets states at a time by the short names of the sites; those that are not on the board are
    /// ignored.
    pub fn show_at<'a>(
        &self,
        at: Timestamp,
        shown: impl IntoIterator<Item = (&'a str, DisplayState, bool)>,
    ) {
        let mut inner = self.lock();
        for (slug, state, dark) in shown {
            if let Some(&index) = inner.places.get(slug) {
                inner.set(at, index, state, dark);
            }
        }
        self.end_change(inner);
    }

    /// Sets states at time 0, for views that show no times. See [`Board::set_at`].
    pub fn set(&self, changes: &[(usize, DisplayState, bool)]) {
        self.set_at(0, changes);
    }

    /// Sets states at a time: index, state, proven dark. Indices beyond the board are ignored.
    pub fn set_at(&self, at: Timestamp, changes: &[(usize, DisplayState, bool)]) {
        let mut inner = self.lock();
        for &(index, state, dark) in changes {
            inner.set(at, index, state, dark);
        }
        self.end_change(inner);
    }

    /// Forgets what is too old, and wakes those who wait.
    fn end_change(&self, mut inner: MutexGuard<'_, Inner>) {
        while inner.recent.len() > CHANGES_MAX {
            inner.forgotten = inner.recent.pop_front().map_or(inner.version, |(at, _)| at);
        }
        while inner.past.len() > OUTAGES_MAX {
            inner.past.pop_front();
        }
        drop(inner);
        self.changed.notify_all();
    }

    /// Every state now.
    pub fn snapshot(&self) -> Snapshot {
        let inner = self.lock();
        Snapshot {
            version: inner.version,
            sites: Arc::clone(&inner.sites),
            states: inner.states.clone(),
            proven_dark: inner.dark_since.iter().map(Option::is_some).collect(),
        }
    }

    /// What probes saw, and when.
    pub fn proofs(&self) -> Proofs {
        let inner = self.lock();
        let mut begun: Vec<Timestamp> = inner.begun.values().copied().collect();
        begun.sort_unstable();
        Proofs {
            version: inner.proof_version,
            sites: Arc::clone(&inner.sites),
            dark_since: inner.dark_since.clone(),
            past: inner.past.iter().copied().collect(),
            begun,
            words: inner.words.iter().rev().cloned().collect(),
        }
    }

    /// What changed after `version`.
    pub fn changes_since(&self, version: u64) -> Changes {
        let inner = self.lock();
        if version > inner.version || version < inner.forgotten {
            return Changes::Reset { version: inner.version };
        }
        let newer = inner.recent.iter().rev().take_while(|(at, _)| *at > version);
        let mut indices: Vec<usize> = newer.map(|(_, index)| *index).collect();
        indices.sort_unstable();
        indices.dedup();
        let changed = indices.into_iter().map(|index| (index, inner.states[index])).collect();
        Changes::Since { version: inner.version, changed }
    }

    /// Waits until the version is newer than `version` or the time is over; the version then.
    pub fn wait_newer(&self, version: u64, timeout: Duration) -> u64 {
        self.wait(version, timeout, |inner| inner.version)
    }

    /// Waits until a proof is newer than `version` or the time is over; the version then.
    pub fn wait_proof(&self, version: u64, timeout: Duration) -> u64 {
        self.wait(version, timeout, |inner| inner.proof_version)
    }

    fn wait(&self, version: u64, timeout: Duration, of: impl Fn(&Inner) -> u64) -> u64 {
        let deadline = Instant::now() + timeout;
        let mut inner = self.lock();
        while of(&inner) <= version {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(guard, _)| guard);
        }
        of(&inner)
    }

    /// Adds a line to the log that people follow.
    pub fn log(&self, at: Timestamp, code: &'static str, args: Vec<String>) {
        self.log_of(at, code, args, &[]);
    }

    /// The same about sites: whoever reads only some sites sees the lines about them.
    pub fn log_of(&self, at: Timestamp, code: &'static str, args: Vec<String>, sites: &[String]) {
        let mut inner = self.lock();
        let seq = inner.log_next;
        inner.log_next += 1;
        inner.log.push_back(LogLine { seq, at, code, args, sites: sites.into() });
        let mut room = LOG_SITES_MAX;
        for line in inner.log.iter_mut().rev() {
            match room.checked_sub(line.sites.len()) {
                Some(left) => room = left,
                None => line.sites = Arc::default(),
            }
        }
        while inner.log.len() > LOG_LINES_MAX {
            inner.log.pop_front();
        }
    }

    /// The lines after `seq`, oldest first.
    pub fn log_since(&self, seq: u64) -> Vec<LogLine> {
        self.lock().log.iter().filter(|line| line.seq > seq).cloned().collect()
    }

    /// What the board is about.
    pub fn headline(&self) -> Headline {
        self.lock().headline.clone()
    }

    /// Says what the board is about; nothing, when no incident is open.
    pub fn set_headline(&self, headline: Headline) {
        let mut inner = self.lock();
        inner.version += 1;
        inner.headline = headline;
        drop(inner);
        self.changed.notify_all();
    }

    /// Says that these sites are proven dark under an incident, before they are shown so. Those
    /// that are dark already do not count: that a second incident wants them dark as well is a
    /// verdict that nobody sees.
    pub fn begin<'a>(&self, id: &str, at: Timestamp, sites: impl IntoIterator<Item = &'a str>) {
        let mut inner = self.lock();
        if inner.begun.contains_key(id) {
            return;
        }
        let turns = |place: usize| inner.sites[place].public && inner.dark_since[place].is_none();
        let mut places = sites.into_iter().filter_map(|slug| inner.places.get(slug));
        if places.any(|place| turns(*place)) {
            inner.begun.insert(id.to_owned(), at);
        }
    }

    /// Says that an incident is closed; nothing, when nobody could see anything of it.
    pub fn end(&self, id: &str) {
        let mut inner = self.lock();
        if inner.begun.remove(id).is_none() {
            return;
        }
        inner.version += 1;
        inner.proof_version += 1;
        drop(inner);
        self.changed.notify_all();
    }

    /// Publishes words of a person; only the newest are kept.
    pub fn say(&self, words: Words) {
        let mut inner = self.lock();
        inner.version += 1;
        inner.proof_version += 1;
        inner.words.push_back(words);
        while inner.words.len() > WORDS_MAX {
            inner.words.pop_front();
        }
        drop(inner);
        self.changed.notify_all();
    }

    /// A reader that panicked cannot have left the board half-written: writes are whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
