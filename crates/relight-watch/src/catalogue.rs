//! The probe catalogue: doors that somebody tries who looks for a product or a mistake, each tied
//! to products and flaws, and paths that ordinary software asks for unasked.
//!
//! Entries are written by us from public advisories, or added by the operator. Those that need a
//! part of a path are found by one automaton, so the cost does not grow with their number.

mod embedded;
mod entry;
mod nuclei;
mod rule;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use relight_model::Event;

use crate::path_class;
use entry::unique;
use rule::{Place, Request};

pub use entry::{CATALOGUE_BYTES_MAX, CatalogueFault, ENTRIES_MAX, Entry, EntryKind, read_entries};
pub use nuclei::{NucleiTemplate, entries_text, read_nuclei};

/// What browsers, crawlers and mail programs ask every site for: its absence means nothing.
const CONVENTIONAL: [(Place, &str); 16] = [
    (Place::Exact, "/robots.txt"),
    (Place::Exact, "/favicon.ico"),
    (Place::Exact, "/favicon.png"),
    (Place::Exact, "/sitemap.xml"),
    (Place::Exact, "/sitemap_index.xml"),
    (Place::Exact, "/ads.txt"),
    (Place::Exact, "/app-ads.txt"),
    (Place::Exact, "/humans.txt"),
    (Place::Exact, "/security.txt"),
    (Place::Exact, "/browserconfig.xml"),
    (Place::Exact, "/manifest.json"),
    (Place::Exact, "/crossdomain.xml"),
    (Place::Exact, "/atom.xml"),
    (Place::Exact, "/feed"),
    (Place::Exact, "/rss.xml"),
    (Place::Prefix, "/.well-known"),
];

/// Entries of the operator, set before the first line is read.
static LOCAL: OnceLock<Vec<Entry>> = OnceLock::new();

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let local = LOCAL.get().into_iter().flatten().cloned();
    Catalogue::new(unique(ours().chain(local)).0)
});

fn ours() -> impl Iterator<Item = Entry> {
    embedded::FILES.iter().flat_map(|(name, text)| read_entries(name, text, false).0)
}

/// All entries with what finds them.
#[derive(Debug)]
struct Catalogue {
    entries: Vec<Entry>,
    /// Finds parts of paths, and which entry each pattern is of. `None` only if it could not be
    /// built, which a test excludes for our own entries.
    paths: Option<AhoCorasick>,
    path_entries: Vec<usize>,
    /// The same for entries that look at the query alone, by a word of it that is not escaped.
    queries: Option<AhoCorasick>,
    query_entries: Vec<usize>,
    doors: HashMap<u64, usize>,
}

impl Catalogue {
    fn new(entries: Vec<Entry>) -> Self {
        let with = |has_path: bool| -> Vec<usize> {
            let all = entries.iter().enumerate();
            all.filter(|(_, it)| it.rule.path.is_some() == has_path).map(|(at, _)| at).collect()
        };
        let (path_entries, query_entries) = (with(true), with(false));
        let automaton = |needles: Vec<&str>| {
            let mut builder = AhoCorasick::builder();
            builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA));
            builder.build(needles).ok()
        };
        let needle = |at: &usize| entries[*at].rule.path.as_ref().map_or("", |(_, it)| it.as_str());
        let paths = automaton(path_entries.iter().map(needle).collect());
        let word = |at: &usize| word_of(entries[*at].rule.query.as_deref().unwrap_or_default());
        let queries = automaton(query_entries.iter().map(word).collect());
        let doors = entries.iter().enumerate();
        let doors = doors.map(|(at, entry)| (path_class::hash(&entry.id), at)).collect();
        Self { entries, paths, path_entries, queries, query_entries, doors }
    }

    /// The entries whose needle stands where it must.
    fn standing<'a>(&'a self, path: &'a str) -> impl Iterator<Item = usize> + 'a {
        let found = self.paths.iter().flat_map(move |paths| paths.find_overlapping_iter(path));
        found.filter_map(|found| {
            let at = *self.path_entries.get(found.pattern().as_usize())?;
            let (place, _) = self.entries[at].rule.path.as_ref()?;
            place.stands(path, found.start(), found.end()).then_some(at)
        })
    }

    fn in_query<'a>(&'a self, query: &'a str) -> impl Iterator<Item = usize> + 'a {
        let queries = self.queries.as_ref().filter(|_| !query.is_empty());
        let found = queries.into_iter().flat_map(move |it| it.find_overlapping_iter(query));
        found.filter_map(|found| self.query_entries.get(found.pattern().as_usize()).copied())
    }

    /// The strongest of several, then the one that asks for most.
    fn best(&self, found: impl Iterator<Item = usize>) -> Option<&Entry> {
        let rank = |at: &usize| {
            let Entry { kind, rule, .. } = &self.entries[*at];
            let needle = rule.path.as_ref().map_or(0, |(_, needle)| needle.len());
            (*kind, rule.conditions(), needle, Reverse(*at))
        };
        found.max_by_key(rank).map(|at| &self.entries[at])
    }
}

/// The longest run of a query that requests write as it is.
fn word_of(query: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    query.split(|c| !plain(c)).max_by_key(|word| word.len()).unwrap_or_default()
}

/// Adds entries of the operator; false when a line was read already, and then nothing changes.
/// An entry whose id is one of ours, or differs from it in numbers only, is left out: see
/// [`left_out`].
pub fn add_local(entries: Vec<Entry>) -> bool {
    LOCAL.set(entries).is_ok() && LazyLock::get(&CATALOGUE).is_none()
}

/// Those of these entries of the operator that do not count beside ours and each other: the id is
/// taken, by one that differs in numbers only too, or there are more than [`ENTRIES_MAX`].
pub fn left_out(local: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    unique(ours().chain(local)).1
}

/// Every entry, those of the operator last.
pub fn entries() -> &'static [Entry] {
    &CATALOGUE.entries
}

/// The entry with this id.
pub fn entry(id: &str) -> Option<&'static Entry> {
    let at = *CATALOGUE.doors.get(&path_class::hash(id))?;
    CATALOGUE.entries.get(at).filter(|entry| entry.id == id)
}

/// The entry that an event asks for; `path` is its path, normalised.
pub(crate) fn matched(event: &Event<'_>, path: &str) -> Option<&'static Entry> {
    let Event { method, query, headers, .. } = event;
    let request = Request { method, path, query, headers };
    let found = CATALOGUE.standing(path).chain(CATALOGUE.in_query(query));
    CATALOGUE.best(found.filter(|at| CATALOGUE.entries[*at].rule.holds_for(path, &request)))
}

/// False proves that no request of this normalised path and this query is that of an entry.
pub(crate) fn may_match(path: &str, query: &str) -> bool {
    CATALOGUE.standing(path).chain(CATALOGUE.in_query(query)).next().is_some()
}

/// The id of the entry that a normalised path alone matches.
pub(crate) fn probe(path: &str) -> Option<&'static str> {
    let nothing = Request::default();
    let found = CATALOGUE.standing(path).filter(|at| {
        let rule = &CATALOGUE.entries[*at].rule;
        rule.is_path_only() && rule.holds_for(path, &nothing)
    });
    CATALOGUE.best(found).map(|entry| entry.id.as_str())
}

/// The id of the entry whose contacts have this door.
pub(crate) fn id_of(door: u64) -> Option<&'static str> {
    of_door(door).map(|entry| entry.id.as_str())
}

/// The entry whose contacts have this door.
pub(crate) fn of_door(door: u64) -> Option<&'static Entry> {
    CATALOGUE.doors.get(&door).map(|at| &CATALOGUE.entries[*at])
}

/// Only somebody opens this door who uses a known flaw.
pub(crate) fn is_of_flaw(door: u64) -> bool {
    of_door(door).is_some_and(|entry| entry.kind == EntryKind::Exploit)
}

/// A path that ordinary software asks for unasked.
pub(crate) fn is_conventional(path: &str) -> bool {
    let bare = path.strip_suffix('/').unwrap_or(path);
    path.starts_with("/apple-touch-icon")
        || CONVENTIONAL.iter().any(|(place, needle)| match place {
            // As it stands there, but asked the other way round: most lengths differ.
            Place::Exact => bare.eq_ignore_ascii_case(needle),
            _ => {
                path.get(..needle.len()).is_some_and(|start| start.eq_ignore_ascii_case(needle))
                    && place.stands(path, 0, needle.len())
            }
        })
}
