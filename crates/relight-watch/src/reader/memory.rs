//! What is remembered of lines so that the same text is not looked through again.
//!
//! Only facts that follow from a text alone are kept, beside the text itself: a slot that holds
//! another text is no answer, whatever its place. So what is remembered changes no result.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use relight_model::{Escape, Event, OrgId};

use super::hash::{hash_of, hash_of_number, place_of};
use super::ordinary::{Clock, path_and_query};
use super::texts::Texts;
use crate::decode::basic_credentials;
use crate::parsers::dash_is_empty;
use crate::pool::Print;
use crate::{catalogue, path_class, traversal};

/// Most requests that are remembered: 8 MB with what is known of them.
pub(super) const REQUESTS_MAX: usize = 1 << 16;

/// Most paths that are remembered, of requests that are not: 4 MB again.
pub(super) const PATHS_MAX: usize = 1 << 15;

/// Most queries that are remembered.
pub(super) const QUERIES_MAX: usize = 1 << 12;

/// Most user agents that are remembered.
pub(super) const AGENTS_MAX: usize = 1 << 11;

/// Most sources that are remembered: 4 MB.
pub(super) const SOURCES_MAX: usize = 1 << 18;

/// Longest request that is remembered, in bytes.
pub(super) const REQUEST_BYTES_MAX: usize = 94;

/// Longest path that is remembered, in bytes.
pub(super) const PATH_BYTES_MAX: usize = 110;

/// Longest query that is remembered, in bytes.
pub(super) const QUERY_BYTES_MAX: usize = 61;

/// Longest user agent that is remembered, in bytes.
pub(super) const AGENT_BYTES_MAX: usize = 238;

/// See the head of the file. One is enough for all readers of a thread.
#[derive(Debug)]
pub struct Memory {
    pub(super) clock: Clock,
    pub(super) requests: Texts<Request, REQUEST_BYTES_MAX>,
    pub(super) paths: Texts<Path, PATH_BYTES_MAX>,
    pub(super) queries: Texts<Query, QUERY_BYTES_MAX>,
    pub(super) agents: Texts<Agent, AGENT_BYTES_MAX>,
    pub(super) sources: Sources,
    /// Which window is filled: names in another one do not count.
    pub(super) window: u32,
}

/// Windows that are joined before anybody looks into one of them: a mark that one of them has, the
/// others do without. Of which day a mark is stays known, because a line of another day than the
/// one before begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Together {
    pub(super) number: u64,
    day: Option<i64>,
}

impl Together {
    /// With a number that no others have, whatever remembers it: threads read logs in turns.
    pub(super) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // What was never marked has zero.
        Self { number: LAST.fetch_add(1, Ordering::Relaxed) + 1, day: None }
    }

    /// A line of this day follows.
    #[inline]
    pub(super) fn go_on(&mut self, day: i64) {
        if self.day != Some(day) {
            let is_first = self.day.is_none();
            *self = Self { day: Some(day), ..if is_first { *self } else { Self::new() } };
        }
    }
}

impl Default for Together {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            requests: Texts::new(REQUESTS_MAX),
            paths: Texts::new(PATHS_MAX),
            queries: Texts::new(QUERIES_MAX),
            agents: Texts::new(AGENTS_MAX),
            sources: Sources::new(),
            window: 0,
        }
    }
}

/// What a request line alone tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Request {
    /// It has another shape, or may be a contact by itself: the plain way tells.
    pub(super) is_odd: bool,
    /// Where its path begins and ends.
    path: (u16, u16),
    /// The windows in which its path was marked as served.
    pub(super) served_in: u64,
    pub(super) of_path: Path,
}

impl Request {
    /// Of a request that holds no lookup.
    pub(super) fn of(
        request: &str,
        paths: &mut Texts<Path, PATH_BYTES_MAX>,
        queries: &mut Texts<Query, QUERY_BYTES_MAX>,
    ) -> Self {
        let odd = Self { is_odd: true, ..Self::default() };
        let Some((path, query)) = path_and_query(request.as_bytes()) else { return odd };
        let of_path = *paths.get(path, hash_of(path), Path::of);
        let is_odd = !query.is_empty() && queries.get(query, hash_of(query), Query::of).is_odd;
        let start = request.as_bytes().iter().position(|byte| *byte == b'/').unwrap_or(0);
        let place = |at: usize| u16::try_from(at).ok();
        // No line that is read is longer than 64 KiB.
        let (Some(from), Some(to)) = (place(start), place(start + path.len())) else { return odd };
        Self { is_odd: is_odd || of_path.is_odd, path: (from, to), served_in: 0, of_path }
    }

    /// The path of this request.
    pub(super) fn path<'a>(&self, request: &'a [u8]) -> &'a [u8] {
        request.get(usize::from(self.path.0)..usize::from(self.path.1)).unwrap_or_default()
    }
}

/// What a path alone tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    /// It may be a contact by itself: the plain way tells.
    pub(super) is_odd: bool,
    /// Ordinary software asks for it unasked.
    pub(super) is_conventional: bool,
    /// Nothing in it has to be undone: it is its own plain spelling.
    pub(super) is_plain: bool,
    /// Hash of the path class.
    pub(super) door: u64,
}

impl Path {
    /// Of a path that holds no lookup.
    pub(super) fn of(path: &str) -> Self {
        let event = Event { path, ..request() };
        let plain = path_class::normalised(path);
        let undone = matches!(plain, Cow::Owned(_)).then_some(&*plain);
        Self {
            is_odd: catalogue::may_match(&plain, "")
                || traversal::climbed(&event, undone).is_some(),
            is_conventional: catalogue::is_conventional(&plain),
            is_plain: undone.is_none(),
            door: path_class::hash(&plain),
        }
    }
}

/// What a query alone tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Query {
    /// It may be a contact by itself.
    pub(super) is_odd: bool,
}

impl Query {
    /// Of a query that holds no lookup.
    pub(super) fn of(query: &str) -> Self {
        let event = Event { query, ..request() };
        Self {
            is_odd: catalogue::may_match("", query)
                || basic_credentials(query).is_some()
                || traversal::climbed(&event, None).is_some(),
        }
    }
}

fn request() -> Event<'static> {
    let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    Event { escape: Escape::Apache, ..Event::bare(OrgId(0), 0, nobody) }
}

/// What a user agent alone tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agent {
    /// It may hold a payload.
    pub(super) is_odd: bool,
    /// The window in which its name was kept.
    pub(super) named_in: u32,
    pub(super) print: Print,
}

impl Agent {
    /// Of a user agent that holds no lookup.
    pub(super) fn of(agent: &str) -> Self {
        let print = Print::of("", "", dash_is_empty(agent));
        Self { is_odd: basic_credentials(agent).is_some(), named_in: 0, print }
    }
}

/// Sources that stand in one place of [`Sources`].
const NEIGHBOURS: usize = 4;

/// Who was marked as an ordinary visitor of some windows, with which client.
#[derive(Debug)]
pub(super) struct Sources {
    places: Vec<Visitors>,
    /// Who goes next where there is no room, whatever the place.
    next: usize,
    /// The upper half of the number of the windows of all of them.
    era: u32,
}

/// What memory brings at a time.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
struct Visitors {
    /// See [`super::source::Source::key`]; zero where there is room.
    keys: [u64; NEIGHBOURS],
    /// Client and windows, of which see [`Together`].
    marked: [(u32, u32); NEIGHBOURS],
}

impl Sources {
    fn new() -> Self {
        let places = vec![Visitors::default(); SOURCES_MAX / NEIGHBOURS];
        Self { places, next: 0, era: 0 }
    }

    /// Whether this source was met, and so is an address; it may be false of one that was.
    #[inline]
    pub(super) fn holds(&self, key: u64) -> bool {
        key != 0 && self.places[place(key)].keys.contains(&key)
    }

    /// Whether it was marked with its client in these windows; from now on it is. It may be false
    /// again.
    #[inline]
    pub(super) fn mark(&mut self, key: u64, agent: u32, windows: u64) -> bool {
        let [windows, era] = [windows as u32, (windows >> 32) as u32];
        if self.era != era {
            *self = Self { era, ..Self::new() };
        }
        if key == 0 {
            return false;
        }
        let Visitors { keys, marked } = &mut self.places[place(key)];
        let found = keys.iter().position(|it| *it == key);
        let room = || keys.iter().position(|it| *it == 0);
        let at = found.or_else(room).unwrap_or_else(|| {
            self.next = (self.next + 1) % NEIGHBOURS;
            self.next
        });
        let is_marked = found.is_some() && marked[at] == (agent, windows);
        (keys[at], marked[at]) = (key, (agent, windows));
        is_marked
    }

    /// As [`Texts::touch`].
    #[inline]
    pub(super) fn touch(&self, key: u64) -> u64 {
        self.places[place(key)].keys[0]
    }
}

fn place(key: u64) -> usize {
    place_of(hash_of_number(key)) % (SOURCES_MAX / NEIGHBOURS)
}

#[cfg(test)]
mod tests {
    use super::super::texts::Slot;
    use super::*;

    #[test]
    fn a_text_is_near_its_facts() {
        assert_eq!(size_of::<Slot<Request, REQUEST_BYTES_MAX>>(), 128);
        assert_eq!(size_of::<Slot<Path, PATH_BYTES_MAX>>(), 128);
        assert_eq!(size_of::<Slot<Query, QUERY_BYTES_MAX>>(), 64);
        assert_eq!(size_of::<Slot<Agent, AGENT_BYTES_MAX>>(), 256);
    }

    #[test]
    fn a_source_is_known_with_its_client_in_its_window() {
        let mut sources = Memory::default().sources;
        assert!(!sources.holds(7) && !sources.mark(7, 1, 1));
        assert!(sources.holds(7) && sources.mark(7, 1, 1));
        assert!(!sources.mark(7, 2, 1) && !sources.mark(7, 1, 1), "another client");
        assert!(!sources.mark(7, 1, 2), "another window");
        assert!(!sources.mark(7, 1, 2 + (1 << 32)), "one with a number that looks the same");
        assert!(!sources.mark(7, 1, 2) && sources.mark(7, 1, 2));
        assert!(!sources.mark(0, 1, 2) && !sources.mark(0, 1, 2) && !sources.holds(0), "nobody");
    }

    #[test]
    fn as_many_sources_are_known_as_there_is_room_for() {
        let mut sources = Sources::new();
        let here: Vec<u64> = (1..).filter(|key| place(*key) == 9).take(NEIGHBOURS + 1).collect();
        let (last, first) = here.split_last().unwrap();
        for turn in 0..3 {
            assert!(first.iter().all(|key| sources.mark(*key, 1, 1) == (turn > 0)));
        }
        assert!(!sources.mark(*last, 1, 1) && sources.mark(*last, 1, 1));
        assert_eq!(here.iter().filter(|key| sources.holds(**key)).count(), NEIGHBOURS);
    }
}
