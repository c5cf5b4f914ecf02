//! Journals that a test writes itself, entry by entry.

use relight_engine::incident::Entry;
use relight_engine::store::{JOURNAL_LEASE, JournalDraft, Store};
use relight_model::{Digest, Timestamp};

use crate::place::Place;

pub(crate) const LOG4SHELL: &str = "CVE-2021-44228";

/// The incident about it is opened, under advisories of this revision.
pub(crate) fn opened(revision: Digest) -> Entry {
    let (statements, policy) = (Digest::default(), String::new());
    let (question, title) = (LOG4SHELL.into(), "Log4Shell".into());
    Entry::Opened { question, title, revision, statements, policy }
}

/// Writes entries with their times into the journal of a place.
pub(crate) fn write(
    place: &Place,
    incident: &str,
    entries: impl IntoIterator<Item = (Timestamp, Entry)>,
) {
    let drafts = entries.into_iter().map(|(time, entry)| JournalDraft {
        time,
        actor: "relight".into(),
        kind: entry.kind().into(),
        incident: incident.into(),
        body: entry.to_body().unwrap(),
    });
    let store = Store::open(&place.path("data")).unwrap();
    let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
    store.append(&lease, &drafts.collect::<Vec<_>>()).unwrap();
}
