//! What is remembered of lines so that the same text is not looked through again.
//!
//! Only facts that follow from a text alone are kept, beside the text itself: a slot that holds
//! another text is no answer, whatever its place. So what is remembered changes no result.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use relight_model::{Escape, Event, OrgId};

use super::hash_of;
use super::ordinary::Clock;
use crate::decode::basic_credentials;
use crate::parsers::dash_is_empty;
use crate::pool::{Print, SourceKey};
use crate::{catalogue, path_class, traversal};

/// Most paths that are remembered.
pub(super) const PATHS_MAX: usize = 1 << 15;

/// Most queries that are remembered.
pub(super) const QUERIES_MAX: usize = 1 << 12;

/// Most user agents that are remembered.
pub(super) const AGENTS_MAX: usize = 1 << 12;

/// Most sources of a window that are remembered.
pub(super) const SOURCES_MAX: usize = 1 << 15;

/// Longest text that is remembered, in bytes.
pub(super) const REMEMBERED_BYTES_MAX: usize = 256;

/// See the head of the file. One is enough for all readers of a thread.
#[derive(Debug)]
pub struct Memory {
    pub(super) clock: Clock,
    pub(super) paths: Texts<Path>,
    pub(super) queries: Texts<Query>,
    pub(super) agents: Texts<Agent>,
    pub(super) sources: Sources,
    /// Which window is filled: marks in another one do not count.
    pub(super) window: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            paths: Texts::new(PATHS_MAX),
            queries: Texts::new(QUERIES_MAX),
            agents: Texts::new(AGENTS_MAX),
            sources: Sources(vec![NOBODY; SOURCES_MAX]),
            window: 0,
        }
    }
}

/// What a path alone tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    /// It may be a contact by itself: the plain way tells.
    pub(super) is_odd: bool,
    /// Ordinary software asks for it unasked.
    pub(super) is_conventional: bool,
    /// The window in which it was marked as served.
    pub(super) served_in: u32,
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
            served_in: 0,
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
    pub(super) print: Print,
}

impl Agent {
    /// Of a user agent that holds no lookup.
    pub(super) fn of(agent: &str) -> Self {
        let print = Print::of("", "", dash_is_empty(agent));
        Self { is_odd: basic_credentials(agent).is_some(), print }
    }
}

/// Facts by text, each text in the one slot that its hash gives.
#[derive(Debug)]
pub(super) struct Texts<T> {
    slots: Vec<(String, T)>,
    /// Of a text that is not remembered.
    spare: T,
}

impl<T: Copy + Default> Texts<T> {
    fn new(max: usize) -> Self {
        Self { slots: vec![(String::new(), T::default()); max], spare: T::default() }
    }

    /// The facts of a text that is not empty.
    pub(super) fn get(&mut self, text: &str, make: impl FnOnce(&str) -> T) -> &mut T {
        if text.is_empty() || text.len() > REMEMBERED_BYTES_MAX {
            self.spare = make(text);
            return &mut self.spare;
        }
        let at = hash_of(text.as_bytes()) as usize % self.slots.len();
        let (known, facts) = &mut self.slots[at];
        if known != text {
            text.clone_into(known);
            *facts = make(text);
        }
        facts
    }
}

/// Who was marked as an ordinary visitor of a window, with which client.
#[derive(Debug)]
pub(super) struct Sources(Vec<(SourceKey, u32, u32)>);

const NOBODY: (SourceKey, u32, u32) = (SourceKey(0), 0, 0);

impl Sources {
    /// False the first time; it may be false again.
    pub(super) fn knows(&mut self, source: SourceKey, agent: u32, window: u32) -> bool {
        let slot = &mut self.0[source.0 as usize % SOURCES_MAX];
        let now = (source, agent, window);
        let is_known = *slot == now;
        *slot = now;
        is_known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_reached_and_change_no_answer() {
        let mut texts: Texts<usize> = Texts::new(AGENTS_MAX);
        let name = |number: usize| format!("agent {number}");
        for number in (0..4 * AGENTS_MAX).chain(0..4 * AGENTS_MAX) {
            assert_eq!(*texts.get(&name(number), |_| number), number);
        }
        assert_eq!(texts.slots.len(), AGENTS_MAX);
        let long = "a".repeat(REMEMBERED_BYTES_MAX + 1);
        assert_eq!((*texts.get(&long, |_| 1), *texts.get(&long, |_| 2)), (1, 2), "not kept");
        assert_eq!((*texts.get(&long[1..], |_| 3), *texts.get(&long[1..], |_| 4)), (3, 3));
        assert_eq!((*texts.get("", |_| 5), *texts.get("", |_| 6)), (5, 6));
    }

    #[test]
    fn a_source_is_known_with_its_client_in_its_window() {
        let mut sources = Sources(vec![NOBODY; SOURCES_MAX]);
        let source = SourceKey::of(IpAddr::from([192, 0, 2, 1]));
        let mut knows = |agent, window| sources.knows(source, agent, window);
        assert!(!knows(1, 1) && knows(1, 1));
        assert!(!knows(2, 1) && !knows(1, 1), "another client");
        assert!(!knows(1, 2), "another window");
    }
}
