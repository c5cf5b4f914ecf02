//! How far a feed was read: what its server said about the documents that are here already, up to
//! which change its lists were followed, and when it is looked at next.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::Timestamp;
use relight_store::{Settings, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::client::Fault;
use super::feed::{Feed, FeedKind, feeds, listed};

/// Before the name of a feed: the setting that holds its state.
const KEY: &str = "feed ";

/// The setting that holds the last [`FeedState::term`] that was given.
const TERM_KEY: &str = "feed-term";

/// Before the name of a machine: the setting that says until when it asked to be left alone.
const HOLD_KEY: &str = "feed-hold ";

/// Failures in a row that make a feed failing.
pub(super) const ERRORS_MAX: u32 = 3;

/// Documents that a server did not give and that are asked for again, at most.
pub(super) const SKIPPED_MAX: usize = 1_000;

/// How often everything is listed again, for what changes did not tell, in seconds.
pub(super) const FULL_EVERY_S: i64 = 86_400;

/// The same of the CVE list: its archive is half a gigabyte, and its log of changes a month long.
pub(super) const CVE_FULL_EVERY_S: i64 = 7 * 86_400;

/// Longest time for which a server may ask to be left alone, in seconds: one that says "in a year"
/// is asked again tomorrow.
pub const RETRY_AFTER_S_MAX: i64 = 86_400;

/// Longest time between two looks at a feed that fails, in seconds, unless its own is longer.
pub(super) const BACKOFF_S_MAX: i64 = 3_600;

/// By how much the time between two looks varies, in percent, so that many registers do not ask at
/// one moment.
pub(super) const JITTER_PERCENT: i64 = 10;

/// What a server said about a document, to be told whether it still is so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Validators {
    /// `ETag`, as it was sent.
    pub etag: Option<String>,
    /// `Last-Modified`, as it was sent.
    pub last_modified: Option<String>,
}

/// What went wrong when a feed was looked at last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The stable code (`unreachable`).
    pub code: String,
    /// The place and the technical cause.
    pub detail: String,
}

/// How far a feed was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FeedState {
    /// Tells the feed from one that was on the list before under its name: a number that is given
    /// once. 0 for feeds of a register that did not know it.
    pub term: u64,
    /// By address.
    pub validators: BTreeMap<String, Validators>,
    /// By the address of a list: the newest change that was followed.
    pub cursors: BTreeMap<String, Cursor>,
    /// The addresses of documents that their server did not give.
    pub skipped: BTreeSet<String>,
    /// Changes that were not followed yet, because there are many.
    pub waiting: usize,
    /// When everything was listed last.
    pub full_at: Option<Timestamp>,
    /// What the last full list brought that no list of changes had told.
    pub missed: usize,
    /// When it was looked at last.
    pub tried_at: Option<Timestamp>,
    /// When all of a look went well last.
    pub good_at: Option<Timestamp>,
    /// When it is looked at next.
    pub due_at: Option<Timestamp>,
    /// Failures in a row.
    pub errors: u32,
    /// What went wrong last; `None` when all went well.
    pub trouble: Option<Trouble>,
    /// The sources whose records came.
    pub sources: BTreeSet<String>,
}

/// Up to which change a list was followed.
///
/// Changes are followed in the order of their moments, and what is older than the newest of them by
/// more than a margin (two weeks for lists of CSAF, where publishers date documents before they
/// publish them, and none elsewhere) is taken for followed. Nothing lists such a provider anew: a
/// document that appears later than that is not seen until it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// The moment of the newest change; never one that is still to come.
    pub at: Timestamp,
    /// What was followed within the margin or bears a moment to come, with that moment.
    pub seen: BTreeMap<String, Timestamp>,
}

/// After how long without success a feed is late, in seconds: two periods, the second of which may
/// have been longer by chance.
const fn late_s(feed: &Feed) -> i64 {
    2 * feed.period_s + feed.period_s * JITTER_PERCENT / 100
}

/// After how long without success each source is late that a feed brings, in seconds; of several
/// feeds the one that is looked at most often counts.
///
/// # Errors
/// The store cannot be read.
pub fn late_after(store: &Store) -> Result<BTreeMap<String, i64>, StoreError> {
    let mut late = BTreeMap::new();
    for feed in feeds(store)? {
        for source in FeedState::read(store, &feed.name)?.sources {
            let slot = late.entry(source).or_insert(i64::MAX);
            *slot = late_s(&feed).min(*slot);
        }
    }
    Ok(late)
}

impl FeedState {
    /// The state of a feed; a new one where there is none, or none that is understood: then
    /// everything is fetched again, which changes nothing that is known already.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(store: &Store, name: &str) -> Result<Self, StoreError> {
        Ok(Self::parse(store.meta_get(&key(name))?))
    }

    /// The state of a feed that is on the list as it is; `None` when it is not.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) fn of_listed(store: &Store, feed: &Feed) -> Result<Option<Self>, StoreError> {
        // Whatever changes between the two is seen by whoever notes the state.
        let state = Self::read(store, &feed.name)?;
        Ok(feeds(store)?.contains(feed).then_some(state))
    }

    fn parse(text: Option<String>) -> Self {
        text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Notes how far a feed was read, unless it was taken off the list since its look began, or put
    /// on it anew: what a look saw before says nothing of the feed that is there now. Says whether
    /// it was noted.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub(super) fn put(&self, store: &Store, feed: &Feed) -> Result<bool, StoreError> {
        store.settings(|settings| {
            let key = key(&feed.name);
            let is_it = listed(settings)?.contains(feed)
                && Self::parse(settings.get(&key)?).term == self.term;
            if is_it {
                settings.put(&key, &serde_json::json!(self).to_string())?;
            }
            Ok(is_it)
        })
    }

    /// How the feed is doing (`never`, `fresh`, `behind`, `late`, `failing`): as sources do, but by
    /// its own period, and behind while changes that its lists name are not followed yet.
    pub fn word(&self, feed: &Feed, now: Timestamp) -> &'static str {
        match self.good_at {
            _ if self.errors >= ERRORS_MAX => "failing",
            None => "never",
            // Of a clock that was wrong then or is now: nobody knows how long ago it was.
            Some(at) if at > now || now.saturating_sub(at) > late_s(feed) => "late",
            Some(_) if self.waiting > 0 => "behind",
            Some(_) => "fresh",
        }
    }

    /// Whether it is time to look. A look that is still to come was noted by a clock that was
    /// wrong: what it planned says nothing.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at.is_none_or(|at| at <= now) || self.tried_at.is_some_and(|at| at > now)
    }

    /// Whether it is time to list everything.
    pub(super) fn is_full_due(&self, feed: &Feed, now: Timestamp) -> bool {
        let every_s = if feed.kind == FeedKind::Cve { CVE_FULL_EVERY_S } else { FULL_EVERY_S };
        self.full_at.is_none_or(|at| at > now || now.saturating_sub(at) >= every_s)
    }

    /// Notes a look. `chance` is any number: it says how long until the next one.
    pub(super) fn looked(&mut self, feed: &Feed, now: Timestamp, chance: u64) {
        self.tried_at = Some(now);
        self.due_at = Some(now + jittered(feed.period_s, chance));
    }

    /// Notes that all went well.
    pub(super) fn went_well(&mut self, now: Timestamp) {
        (self.good_at, self.errors, self.trouble) = (Some(now), 0, None);
    }

    /// What cannot be read came in vain: it is asked for as if it had never come. A list or an
    /// archive of which a part is missing moves nothing on from `before`.
    pub(super) fn fetch_again(
        &mut self,
        unreadable: &BTreeSet<String>,
        before: &Self,
    ) -> Option<Fault> {
        let mut fault = None;
        for place in unreadable {
            if self.validators.remove(place).is_none() {
                self.skipped.insert(place.clone());
                continue;
            }
            self.cursors.clone_from(&before.cursors);
            self.full_at = before.full_at;
            let why = "a part of it cannot be read";
            fault.get_or_insert_with(|| Fault::new("damaged", place, why));
        }
        fault
    }

    /// Notes a failure. A feed that goes on failing is looked at less often, and one whose list a
    /// guard refused once a day: a person has to look first, and some lists are large. One that
    /// comes damaged is asked for less and less often, at last once a day.
    pub(super) fn failed(&mut self, feed: &Feed, trouble: Trouble, now: Timestamp) {
        let doubled = feed.period_s << self.errors.min(8);
        let wait_s = match trouble.code.as_str() {
            "refused" => FULL_EVERY_S.max(feed.period_s),
            "damaged" => doubled.min(FULL_EVERY_S.max(feed.period_s)),
            _ => doubled.min(BACKOFF_S_MAX.max(feed.period_s)),
        };
        self.due_at = self.due_at.max(Some(now + wait_s));
        self.errors = self.errors.saturating_add(1);
        self.trouble = Some(trouble);
    }
}

/// Until when the machine of a feed asked to be left alone, whichever feed it said so of.
///
/// # Errors
/// The store cannot be read.
pub fn held_until(
    store: &Store,
    feed: &Feed,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let until = store.meta_get(&format!("{HOLD_KEY}{}", feed.host()))?;
    // Nobody is left alone for longer, whatever the clock was when it was noted.
    let latest = now.saturating_add(RETRY_AFTER_S_MAX);
    Ok(until.and_then(|text| text.parse().ok()).filter(|until| (now + 1..=latest).contains(until)))
}

/// Notes that the machine of a feed asked to be left alone for so many seconds.
pub(super) fn hold(
    store: &Store,
    feed: &Feed,
    now: Timestamp,
    wait_s: i64,
) -> Result<(), StoreError> {
    let until = now.saturating_add(wait_s.clamp(0, RETRY_AFTER_S_MAX));
    store.meta_put(&format!("{HOLD_KEY}{}", feed.host()), &until.to_string())
}

/// A time, a tenth shorter or longer.
fn jittered(period_s: i64, chance: u64) -> i64 {
    let span = period_s * JITTER_PERCENT / 100;
    let shift = i64::try_from(chance % (2 * span.unsigned_abs() + 1)).unwrap_or(0);
    period_s - span + shift
}

/// The setting that holds the state of a feed.
fn key(name: &str) -> String {
    format!("{KEY}{name}")
}

/// Begins the state of a feed that is put on the list.
pub(super) fn begin(settings: &Settings<'_>, name: &str) -> Result<(), StoreError> {
    let last: u64 = settings.get(TERM_KEY)?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let term = last + 1;
    settings.put(TERM_KEY, &term.to_string())?;
    let state = FeedState { term, ..FeedState::default() };
    settings.put(&key(name), &serde_json::json!(state).to_string())
}

/// Forgets the state of a feed that is taken off the list.
pub(super) fn forget(settings: &Settings<'_>, name: &str) -> Result<(), StoreError> {
    settings.put(&key(name), &serde_json::json!(FeedState::default()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::feed::{add_feed, remove_feed};

    fn feed() -> Feed {
        let url = "https://feeds.example/a".to_owned();
        Feed { name: "a".into(), kind: FeedKind::File, url, whole: None, period_s: 1_000 }
    }

    #[test]
    fn the_next_look_is_a_tenth_sooner_or_later() {
        let mut state = FeedState::default();
        assert!(state.is_due(0));
        let mut seen = BTreeSet::new();
        for chance in 0..2_000 {
            state.looked(&feed(), 50_000, chance);
            seen.insert(state.due_at.unwrap() - 50_000);
        }
        assert_eq!((seen.first(), seen.last(), seen.len()), (Some(&900), Some(&1_100), 201));
        state.looked(&feed(), 50_000, 100);
        assert!(!state.is_due(50_999) && state.is_due(51_000));
    }

    #[test]
    fn a_server_that_asks_for_quiet_gets_it_within_reason() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let held = |now| held_until(&store, &feed(), now).unwrap();
        assert_eq!(held(0), None);
        for (wait, until) in [(-5, 0), (120, 120), (i64::MAX, 86_400)] {
            hold(&store, &feed(), 1_000, wait).unwrap();
            assert_eq!(held(1_000 + until), None, "{wait:?}");
            assert_eq!(held(999 + until), Some(1_000 + until), "{wait:?}");
        }
    }

    /// Goal: a source is late by the period of the feed that brings it. Method: two feeds with a
    /// source in common, and a source that no feed brings.
    #[test]
    fn a_source_is_late_by_the_feed_that_is_looked_at_most_often() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(late_after(&store).unwrap(), BTreeMap::new());
        for (name, period_s, sources) in [("a", 3_600, ["x", "y"]), ("b", 900, ["y", "z"])] {
            add_feed(&store, Feed { name: name.into(), period_s, ..feed() }).unwrap().unwrap();
            let mut state = FeedState::read(&store, name).unwrap();
            state.sources = sources.map(str::to_owned).into();
            store.meta_put(&key(name), &serde_json::to_string(&state).unwrap()).unwrap();
        }
        let late = late_after(&store).unwrap();
        let wanted = [("x", 7_560), ("y", 1_890), ("z", 1_890)];
        assert_eq!(late, wanted.map(|(name, s)| (name.to_owned(), s)).into());
        let row = |last_success| relight_store::SourceRow {
            name: "y".into(),
            records: 1,
            withdrawn: 0,
            vanished: 0,
            stale: 0,
            last_success,
            errors: 0,
            refused: String::new(),
        };
        let word = |at, late_s| row(Some(at)).state(10_000, late_s).as_str();
        assert_eq!((word(8_110, late["y"]), word(8_109, late["y"])), ("fresh", "late"));
        assert_eq!(word(8_109, relight_store::LATE_S), "fresh");
    }

    #[test]
    fn a_feed_is_late_by_its_own_period_and_failing_after_three_errors() {
        let mut state = FeedState::default();
        assert_eq!(state.word(&feed(), 0), "never");
        state.went_well(1_000);
        assert_eq!((state.word(&feed(), 3_100), state.word(&feed(), 3_101)), ("fresh", "late"));
        for errors in 1..=ERRORS_MAX {
            assert_ne!(state.word(&feed(), 1_000), "failing");
            let trouble = Trouble { code: "unreachable".into(), detail: String::new() };
            state.failed(&feed(), trouble, 1_000);
            assert_eq!(state.errors, errors);
        }
        assert_eq!(state.word(&feed(), 1_000), "failing");
        state.went_well(2_000);
        assert_eq!((state.word(&feed(), 2_000), &state.trouble), ("fresh", &None));
    }

    #[test]
    fn who_fails_is_looked_at_less_often_and_who_was_refused_once_a_day() {
        let trouble = |code: &str| Trouble { code: code.into(), detail: String::new() };
        let mut state = FeedState::default();
        for wait_s in [1_000, 2_000, 3_600, 3_600] {
            state.due_at = None;
            state.failed(&feed(), trouble("cut"), 10_000);
            assert_eq!(state.due_at, Some(10_000 + wait_s));
        }
        state.errors = u32::MAX;
        state.failed(&Feed { period_s: 90_000, ..feed() }, trouble("cut"), 10_000);
        assert_eq!((state.due_at, state.errors), (Some(100_000), u32::MAX));
        state.due_at = None;
        state.failed(&feed(), trouble("refused"), 10_000);
        assert_eq!(state.due_at, Some(96_400));
        state.looked(&feed(), 20_000, 100);
        assert_eq!(state.due_at, Some(21_000));
    }

    #[test]
    fn what_a_clock_that_was_ahead_noted_holds_nothing_up() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (year_s, now) = (31_556_952, 1_800_000_000);
        let mut state = FeedState::default();
        state.looked(&feed(), now + year_s, 0);
        state.went_well(now + year_s);
        state.full_at = Some(now + year_s);
        assert!(state.is_due(now) && state.is_full_due(&feed(), now));
        assert_eq!(state.word(&feed(), now), "late");
        hold(&store, &feed(), now + year_s, 3_600).unwrap();
        assert_eq!(held_until(&store, &feed(), now).unwrap(), None);
        state.looked(&feed(), now, 100);
        state.went_well(now);
        state.full_at = Some(now);
        assert!(!state.is_due(now) && !state.is_full_due(&feed(), now));
        assert_eq!(state.word(&feed(), now), "fresh");
        hold(&store, &feed(), now, i64::MAX).unwrap();
        let until = held_until(&store, &feed(), now).unwrap();
        assert_eq!(until, Some(now + RETRY_AFTER_S_MAX));
    }

    #[test]
    fn a_state_that_is_not_understood_is_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        add_feed(&store, feed()).unwrap().unwrap();
        let cursor = Cursor { at: 5, seen: [("a".to_owned(), 5)].into() };
        let cursors = [("u".to_owned(), cursor)].into();
        let state = FeedState { cursors, missed: 3, term: 1, ..FeedState::default() };
        assert!(state.put(&store, &feed()).unwrap());
        assert_eq!(FeedState::read(&store, "a").unwrap(), state);
        store.meta_put("feed a", "{").unwrap();
        assert_eq!(FeedState::read(&store, "a").unwrap(), FeedState::default());
        assert_eq!(FeedState::read(&store, "b").unwrap(), FeedState::default());
    }

    /// Goal: what a look noted before its feed was taken away never counts for one that has its
    /// name. Method: each way in which the list may have changed since the look began.
    #[test]
    fn a_state_counts_for_the_feed_that_it_was_read_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let other = Feed { url: "https://feeds.example/b".to_owned(), ..feed() };
        let [add, remove] = [
            |store: &Store, feed: &Feed| add_feed(store, feed.clone()).unwrap().unwrap(),
            |store: &Store, feed: &Feed| assert!(remove_feed(store, &feed.name).unwrap()),
        ];
        let begun = || FeedState::of_listed(&store, &feed()).unwrap();
        let known = || FeedState::read(&store, "a").unwrap().missed;
        assert_eq!(begun(), None, "nobody looks at what is not on the list");
        add(&store, &feed());
        let mut old = begun().unwrap();
        assert_eq!(old.term, 1);
        old.missed = 3;
        assert!(old.put(&store, &feed()).unwrap());
        assert_eq!((known(), begun().unwrap()), (3, old.clone()));
        remove(&store, &feed());
        assert!(!old.put(&store, &feed()).unwrap(), "taken away");
        assert_eq!((known(), begun()), (0, None));
        add(&store, &feed());
        assert!(!old.put(&store, &feed()).unwrap(), "the same again");
        assert_eq!((known(), begun().unwrap().term), (0, 2));
        let old = FeedState { missed: 3, ..begun().unwrap() };
        remove(&store, &feed());
        add(&store, &other);
        assert!(!old.put(&store, &feed()).unwrap(), "another address");
        assert!(!FeedState { term: 3, ..old }.put(&store, &feed()).unwrap(), "whatever its term");
        assert_eq!((known(), begun()), (0, None));
        // The number is given once, also when its state was lost.
        store.meta_put("feed a", "{").unwrap();
        remove(&store, &other);
        add(&store, &feed());
        assert_eq!(begun().unwrap().term, 4);
    }

    /// A register of before knows no terms.
    #[test]
    fn a_feed_of_a_register_of_before_is_read_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        add_feed(&store, feed()).unwrap().unwrap();
        store.meta_put("feed a", r#"{"missed":3}"#).unwrap();
        let state = FeedState::of_listed(&store, &feed()).unwrap().unwrap();
        assert_eq!((state.term, state.missed), (0, 3));
        assert!(FeedState { missed: 4, ..state }.put(&store, &feed()).unwrap());
        assert_eq!(FeedState::read(&store, "a").unwrap().missed, 4);
    }
}
