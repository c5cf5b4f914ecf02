//! The journal as a file: one line of JSON an entry, behind a line that says how many there are.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use relight_engine::store::{
    JOURNAL_BODY_BYTES_MAX, JournalFault, JournalFaultKind, JournalRecord, Verified, verify_chain,
};
use relight_model::Digest;
use relight_server::web::texts;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// Longest line, in bytes: a body, each byte of which may be written as six.
const LINE_BYTES_MAX: u64 = 6 * JOURNAL_BODY_BYTES_MAX as u64 + (1 << 20);

const SCHEMA: &str = "relight.journal-export/1";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    schema: String,
    entries: u64,
    head: String,
}

/// Every other line. The body is a text, so that it has the same bytes in the file as in the chain.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    seq: u64,
    time: i64,
    actor: String,
    kind: String,
    incident: String,
    body: String,
    prev: String,
    hash: String,
}

impl Line {
    fn of(record: JournalRecord) -> Self {
        let JournalRecord { seq, time, actor, kind, incident, body, prev, hash } = record;
        let (prev, hash) = (prev.to_string(), hash.to_string());
        Self { seq, time, actor, kind, incident, body, prev, hash }
    }

    fn record(self) -> Option<JournalRecord> {
        let Self { seq, time, actor, kind, incident, body, prev, hash } = self;
        // A digest in capitals is the same digest, and all the same somebody changed the file.
        let exact = |text: &str| Digest::parse(text).filter(|digest| digest.to_string() == text);
        let (prev, hash) = (exact(&prev)?, exact(&hash)?);
        Some(JournalRecord { seq, time, actor, kind, incident, body, prev, hash })
    }
}

/// Writes the journal as it is. A broken one is written too: whoever asks wants to look at it.
pub(super) fn export(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let store = context.existing_store()?;
    let failed = |error| context.store_failure(&error);
    let (entries, head) = store.journal_head().map_err(failed)?;
    let head = head.to_string();
    report.raw(&text(&Head { schema: SCHEMA.to_owned(), entries, head }));
    let mut from = 1;
    loop {
        let mut page = store.journal_page(from).map_err(failed)?;
        // What is appended meanwhile belongs to the next export.
        page.retain(|record| record.seq <= entries);
        let Some(last) = page.last() else { return Ok(()) };
        from = last.seq + 1;
        page.into_iter().for_each(|record| report.raw(&text(&Line::of(record))));
    }
}

/// An entry as it stands in such a file, without its line break.
pub(crate) fn line_of(record: JournalRecord) -> String {
    text(&Line::of(record)).trim_end_matches('\n').to_owned()
}

fn text<T: Serialize>(line: &T) -> String {
    // Texts and numbers: there is nothing in them that is not JSON.
    serde_json::to_string(line).unwrap_or_default() + "\n"
}

/// Follows the chain of an exported journal, without any store; `look` sees each entry.
pub(super) fn verify(
    path: &Path,
    look: &mut dyn FnMut(&JournalRecord),
    context: &Context,
) -> Result<Result<Verified, JournalFault>, Failure> {
    let failed = |error: io::Error| {
        let lang = context.lang;
        let message = texts::cannot_read(lang, &path.display().to_string());
        Failure::new(message).because(lang, &error).hint(texts::cannot_read_remedy(lang))
    };
    let mut lines = BufReader::new(File::open(path).map_err(failed)?);
    follow(&mut lines, look).map_err(failed)
}

fn follow(
    lines: &mut impl BufRead,
    look: &mut dyn FnMut(&JournalRecord),
) -> io::Result<Result<Verified, JournalFault>> {
    let fault = |seq, what| Ok(Err(JournalFault { seq, what }));
    let Some(head) = next::<Head>(lines)?.and_then(|it| it.filter(|it| it.schema == SCHEMA)) else {
        return fault(0, JournalFaultKind::Unreadable);
    };
    let (mut trouble, mut is_broken) = (None, false);
    let records = std::iter::from_fn(|| match next::<Line>(lines) {
        Ok(None) => None,
        Ok(Some(line)) => {
            let record = line.and_then(Line::record);
            is_broken = record.is_none();
            record.iter().for_each(&mut *look);
            record
        }
        Err(error) => {
            trouble = Some(error);
            None
        }
    });
    let verified = match verify_chain(records) {
        Err(fault) => return Ok(Err(fault)),
        Ok(verified) => verified,
    };
    if let Some(error) = trouble {
        return Err(error);
    }
    let next = verified.entries + 1;
    match verified {
        _ if is_broken => fault(next, JournalFaultKind::Unreadable),
        Verified { entries, .. } if entries < head.entries => {
            fault(next, JournalFaultKind::TailMissing)
        }
        Verified { entries, .. } if entries > head.entries => {
            fault(head.entries + 1, JournalFaultKind::Sequence)
        }
        Verified { head: last, .. } if last.to_string() != head.head => {
            fault(head.entries, JournalFaultKind::Hash)
        }
        whole => Ok(Ok(whole)),
    }
}

/// The next line: none at the end, an inner none for one that is not to the byte as we write it.
fn next<T: Serialize + for<'a> Deserialize<'a>>(
    lines: &mut impl BufRead,
) -> io::Result<Option<Option<T>>> {
    let mut bytes = Vec::new();
    if lines.take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let line: Option<T> = serde_json::from_slice(&bytes).ok();
    Ok(Some(line.filter(|line| text(line).as_bytes() == bytes)))
}

#[cfg(test)]
mod tests {
    use relight_engine::store::journal_hash;

    use super::*;

    fn exported(count: u64) -> Vec<u8> {
        let mut prev = Digest::default();
        let mut lines = String::new();
        for seq in 1..=count {
            let [actor, kind, incident] = ["anna", "drilled", "i"].map(str::to_owned);
            let (body, hash) = (format!(r#"{{"edge":"é{seq}"}}"#), Digest::default());
            let mut record =
                JournalRecord { seq, time: 7, actor, kind, incident, body, prev, hash };
            record.hash = journal_hash(&record);
            prev = record.hash;
            lines += &text(&Line::of(record));
        }
        let head = Head { schema: SCHEMA.to_owned(), entries: count, head: prev.to_string() };
        (text(&head) + &lines).into_bytes()
    }

    fn fault(file: &[u8]) -> Option<(u64, JournalFaultKind)> {
        let result = follow(&mut &file[..], &mut |_| ()).unwrap();
        result.err().map(|fault| (fault.seq, fault.what))
    }

    #[test]
    fn what_was_exported_is_whole() {
        for count in [0, 1, 5] {
            let whole = follow(&mut exported(count).as_slice(), &mut |_| ()).unwrap().unwrap();
            assert_eq!(whole.entries, count);
        }
    }

    /// Every byte of the file, with every bit of it.
    #[test]
    fn one_flipped_bit_anywhere_is_found() {
        let file = exported(3);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                assert!(fault(&flipped).is_some(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn lines_that_are_gone_or_moved_or_new_are_found_and_named() {
        use JournalFaultKind::{Sequence, TailMissing, Unreadable};
        let file = exported(4);
        let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
        let of =
            |order: &[usize]| order.iter().flat_map(|at| lines[*at].to_vec()).collect::<Vec<_>>();
        for (order, expected) in [
            (&[0, 1, 3, 4][..], (2, Sequence)),
            (&[0, 1, 3, 2, 4], (2, Sequence)),
            (&[0, 1, 2, 2, 3, 4], (3, Sequence)),
            (&[0, 1, 2, 3], (4, TailMissing)),
            (&[0], (1, TailMissing)),
            (&[1, 2, 3, 4], (0, Unreadable)),
            (&[], (0, Unreadable)),
        ] {
            assert_eq!(fault(&of(order)), Some(expected), "{order:?}");
        }
        let torn = &file[..file.len() - 9];
        assert_eq!(fault(torn), Some((4, Unreadable)));
        assert_eq!(fault(&[&exported(2)[..], lines[4]].concat()), Some((3, Sequence)));
    }

    /// A line without an end is read no further than the limit, and is no entry.
    #[test]
    fn a_line_that_does_not_end_is_cut() {
        let head = text(&Head { schema: SCHEMA.into(), entries: 1, head: String::new() });
        let endless = io::repeat(b'x').take(LINE_BYTES_MAX + 1);
        let mut file = BufReader::new(head.as_bytes().chain(endless));
        let result = follow(&mut file, &mut |_| ()).unwrap();
        assert_eq!(result.unwrap_err().what, JournalFaultKind::Unreadable);
    }
}
