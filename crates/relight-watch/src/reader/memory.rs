//! What is remembered of lines so that the same text is not looked through again.
//!
//! Only facts that follow from a text alone are kept, beside the text itself: a slot that holds
//! another text is no answer, whatever its place. So what is remembered changes no result.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use relight_model::{Escape, Event, OrgId};

use super::hash::{hash_of, place_of};
use super::ordinary::{Clock, Source, path_and_query};
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
pub(super) const SOURCES_MAX: usize = 1 << 17;

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
            sources: Sources(vec![Visitor::default(); SOURCES_MAX]),
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

/// Facts by text, each text in one of the two slots that its hash gives: of three that meet there
/// the one that was asked for least lately goes. Texts stand beside their facts, because most of
/// the time of a look-up is that of the memory.
#[derive(Debug)]
pub(super) struct Texts<T, const BYTES_MAX: usize> {
    pairs: Vec<[Slot<T, BYTES_MAX>; 2]>,
    /// Of a text that is not remembered.
    spare: T,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Slot<T, const BYTES_MAX: usize> {
    facts: T,
    /// [`NO_TEXT`] when the slot is empty.
    length: u8,
    /// Of the first slot of a pair: which of both was asked for last. To change their places
    /// instead would move what is far away.
    latest: u8,
    text: [u8; BYTES_MAX],
}

/// Longer than every text that is remembered.
const NO_TEXT: u8 = u8::MAX;

impl<T: Default, const BYTES_MAX: usize> Slot<T, BYTES_MAX> {
    fn empty() -> Self {
        Self { facts: T::default(), length: NO_TEXT, latest: 0, text: [0; BYTES_MAX] }
    }

    fn put(&mut self, text: &[u8], make: impl FnOnce(&str) -> T) {
        self.text[..text.len()].copy_from_slice(text);
        self.length = u8::try_from(text.len()).unwrap_or(NO_TEXT);
        self.facts = make(ascii(text));
    }

    fn holds(&self, text: &[u8]) -> bool {
        self.text.get(..usize::from(self.length)) == Some(text)
    }
}

impl<T: Copy + Default, const BYTES_MAX: usize> Texts<T, BYTES_MAX> {
    fn new(max: usize) -> Self {
        const { assert!(BYTES_MAX < NO_TEXT as usize, "a length is one byte") }
        assert!(max.is_power_of_two() && max > 1, "a place is found with a mask");
        Self { pairs: vec![[Slot::empty(); 2]; max / 2], spare: T::default() }
    }

    /// The facts of a text of ASCII; `hash` is that of [`hash_of`].
    pub(super) fn get(&mut self, text: &[u8], hash: u64, make: impl FnOnce(&str) -> T) -> &mut T {
        if text.len() > BYTES_MAX {
            self.spare = make(ascii(text));
            return &mut self.spare;
        }
        let at = self.place(hash);
        let pair = &mut self.pairs[at];
        let which = if pair[0].holds(text) {
            0
        } else if pair[1].holds(text) {
            1
        } else {
            let oldest = 1 - usize::from(pair[0].latest & 1);
            pair[oldest].put(text, make);
            oldest
        };
        pair[0].latest = u8::from(which == 1);
        &mut pair[which].facts
    }

    /// Brings what a text would be looked up in near; the value says nothing.
    pub(super) fn touch(&self, hash: u64) -> u64 {
        let [first, second] = &self.pairs[self.place(hash)];
        // A slot is two or four times what memory brings at a time.
        let behind =
            |slot: &Slot<T, BYTES_MAX>| slot.text[BYTES_MAX / 2] ^ slot.text[BYTES_MAX - 1];
        u64::from(first.length ^ second.length ^ behind(first) ^ behind(second))
    }

    fn place(&self, hash: u64) -> usize {
        place_of(hash) & (self.pairs.len() - 1)
    }
}

/// Bytes that are known to be ASCII, as text.
pub(super) fn ascii(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}

/// Who asks, and who was marked as an ordinary visitor of some windows, with which client.
#[derive(Debug)]
pub(super) struct Sources(Vec<Visitor>);

/// The last one of those that would stand in this place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Visitor {
    source: Source,
    /// Who is judged for it, when that is an address of version 4.
    v4: u32,
    agent: u32,
    /// See [`Together`].
    window: u64,
}

impl Sources {
    /// Who is judged for a source, if it is an address at all.
    pub(super) fn subject(&mut self, source: Source, hash: u64) -> Option<IpAddr> {
        let visitor = &mut self.0[place_of(hash) % SOURCES_MAX];
        if visitor.source == source && visitor.v4 != 0 {
            return Some(IpAddr::V4(Ipv4Addr::from(visitor.v4)));
        }
        let subject = source.subject()?;
        let v4 = if let IpAddr::V4(v4) = subject { u32::from(v4) } else { 0 };
        *visitor = Visitor { source, v4, ..Visitor::default() };
        Some(subject)
    }

    /// False the first time; it may be false again.
    pub(super) fn knows(&mut self, source: Source, hash: u64, agent: u32, window: u64) -> bool {
        let visitor = &mut self.0[place_of(hash) % SOURCES_MAX];
        let is_known = *visitor == (Visitor { source, agent, window, ..*visitor });
        (visitor.source, visitor.agent, visitor.window) = (source, agent, window);
        is_known
    }

    /// As [`Texts::touch`].
    pub(super) fn touch(&self, hash: u64) -> u64 {
        u64::from(self.0[place_of(hash) % SOURCES_MAX].agent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get<const N: usize>(texts: &mut Texts<usize, N>, text: &str, facts: usize) -> usize {
        *texts.get(text.as_bytes(), hash_of(text.as_bytes()), |_| facts)
    }

    #[test]
    fn the_limits_are_reached_and_change_no_answer() {
        let mut texts: Texts<usize, AGENT_BYTES_MAX> = Texts::new(AGENTS_MAX);
        let name = |number: usize| format!("agent {number}");
        for number in (0..4 * AGENTS_MAX).chain(0..4 * AGENTS_MAX) {
            assert_eq!(get(&mut texts, &name(number), number), number);
        }
        assert_eq!(2 * texts.pairs.len(), AGENTS_MAX);
        let long = "a".repeat(AGENT_BYTES_MAX + 1);
        assert_eq!([1, 2].map(|facts| get(&mut texts, &long, facts)), [1, 2], "not kept");
        assert_eq!([3, 4].map(|facts| get(&mut texts, &long[1..], facts)), [3, 3]);
        assert_eq!([5, 6].map(|facts| get(&mut texts, "", facts)), [5, 5]);
    }

    #[test]
    fn of_three_texts_in_one_place_the_oldest_goes() {
        let mut texts: Texts<usize, 8> = Texts::new(2);
        assert_eq!([("a", 1), ("b", 2)].map(|(text, facts)| get(&mut texts, text, facts)), [1, 2]);
        assert_eq!(get(&mut texts, "a", 9), 1, "asked for again");
        assert_eq!(get(&mut texts, "c", 3), 3);
        assert_eq!(["a", "c"].map(|text| get(&mut texts, text, 9)), [1, 3]);
        assert_eq!(get(&mut texts, "b", 4), 4, "gone");
    }

    #[test]
    fn every_place_is_used() {
        let mut texts: Texts<usize, AGENT_BYTES_MAX> = Texts::new(AGENTS_MAX);
        for number in 0..16 * AGENTS_MAX {
            get(&mut texts, &format!("agent {number}"), number);
        }
        assert!(texts.pairs.iter().flatten().all(|slot| slot.length != NO_TEXT));
    }

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
        let source = Source(8 << 120 | u128::from(u64::from_le_bytes(*b"10.0.0.7")));
        let subject = Some(IpAddr::from([10, 0, 0, 7]));
        assert_eq!([1, 1, 2].map(|hash| sources.subject(source, hash)), [subject; 3]);
        assert_eq!(sources.subject(Source(7), 1), None);
        let mut knows = |agent, window| sources.knows(source, 1, agent, window);
        assert!(!knows(1, 1) && knows(1, 1));
        assert!(!knows(2, 1) && !knows(1, 1), "another client");
        assert!(!knows(1, 2), "another window");
        assert!(!sources.knows(Source(9), 1, 1, 2), "another source in its place");
        assert_eq!(sources.subject(source, 1), subject);
        assert!(!sources.knows(source, 1, 1, 2), "forgotten");
    }
}
