//! Finds the central directory from the end of the bytes.

use std::io;
use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem;

use super::directory::Directory;
use super::{CENTRAL, END};
use crate::archive::{u16_at, u32_at, u64_at};
use crate::window::Window;

/// Size of the end record without its comment, in bytes.
const END_BYTES: u64 = 22;

/// Longest tail in which the end record is looked for: the record and a comment of 65,535 bytes.
pub(crate) const TAIL_BYTES_MAX: u64 = END_BYTES + 65_535;

/// End records that are tried, last first: a comment may hold thousands of false ones.
const END_RECORDS_MAX: usize = 64;

/// Finds end records. Made once: that takes as long as a class is searched.
static END_RECORD: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(&END));

/// The central directory, as an end record describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Central {
    /// Where it starts in the window.
    pub(super) at: u64,
    pub(super) size: u64,
    pub(super) entries: u64,
    /// 65,535 entries and more do not fit the old field; some writers keep the low 16 bits.
    pub(super) wraps: bool,
    /// Bytes before the archive's own start: a shell script, a program.
    pub(super) prefix: u64,
    /// Where its end record and its comment end.
    end: u64,
}

/// Whether a readable central directory ends this window, whatever stands in front of it.
/// `tail_bytes` of the end are looked at.
///
/// # Errors
/// Those of the file.
pub(crate) fn has_directory(window: &Window, tail_bytes: u64) -> io::Result<bool> {
    Ok(find_in_tail(window, tail_bytes, false)?.is_some_and(|central| central.entries > 0))
}

/// The same, where the comment behind the directory may be cut off: another archive is in it.
///
/// # Errors
/// Those of the file.
pub(crate) fn has_cut_directory(window: &Window) -> io::Result<bool> {
    let central = find_in_tail(window, TAIL_BYTES_MAX, true)?;
    Ok(central.is_some_and(|central| central.entries > 0))
}

/// Where the first member stands of the archive that is found as by [`has_directory`].
///
/// # Errors
/// Those of the file.
pub(crate) fn first_member(window: &Window, tail_bytes: u64) -> io::Result<Option<u64>> {
    let Some(central) = find_in_tail(window, tail_bytes, false)? else { return Ok(None) };
    Ok(Some(match Directory::read(window, central)? {
        Some(directory) => directory.first_at().unwrap_or(central.at),
        None => central.prefix,
    }))
}

/// Where the archive stands that is found as by [`has_directory`], with its end record and the
/// comment of that.
///
/// # Errors
/// Those of the file.
pub(crate) fn directory_place(window: &Window, tail_bytes: u64) -> io::Result<Option<Range<u64>>> {
    let central = find_in_tail(window, tail_bytes, false)?.filter(|central| central.entries > 0);
    Ok(central.map(|central| central.prefix..central.end))
}

/// Whether the end of a zip with members seems to stand in `tail`, the last bytes of `len` that
/// nobody can go back to: its directory starts where it says, as far as that is in the tail.
pub(crate) fn may_have_end(tail: &[u8], len: u64) -> bool {
    let tail_at = len.saturating_sub(tail.len() as u64);
    memmem::find_iter(tail, &END).any(|at| {
        let record = &tail[at..];
        let (size, offset) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
        let is_whole = record.len() as u64 >= END_BYTES;
        if !is_whole || size == 0 {
            return false;
        }
        if size == u64::from(u32::MAX) || offset == u64::from(u32::MAX) {
            return at >= 20 && tail[at - 20..].starts_with(b"PK\x06\x07");
        }
        match (tail_at + at as u64).checked_sub(size) {
            Some(central) if central >= tail_at => {
                let central = usize::try_from(central - tail_at).unwrap_or(usize::MAX);
                tail.get(central..).is_some_and(|it| it.starts_with(&CENTRAL))
            }
            Some(central) => offset <= central,
            None => false,
        }
    })
}

/// Whether another end record stands behind a directory, in the comment of its own or in front of
/// that: other readers may take that one, and what it leads to.
///
/// # Errors
/// Those of the file.
pub(super) fn has_another_end(window: &Window, central: &Central) -> io::Result<bool> {
    let behind = window.len().saturating_sub(central.at.saturating_add(central.size));
    if behind <= END_BYTES {
        return Ok(false);
    }
    let len = behind.min(TAIL_BYTES_MAX);
    let tail = window.peek(window.len() - len, usize::try_from(len).unwrap_or_default())?;
    Ok(memmem::find_iter(&tail, &END).nth(1).is_some())
}

/// The last end record whose central directory is where it says.
pub(super) fn find_central(window: &Window) -> io::Result<Option<Central>> {
    find_in_tail(window, TAIL_BYTES_MAX, false)
}

/// `may_be_cut`: also where the comment goes on behind the window.
fn find_in_tail(window: &Window, tail_bytes: u64, may_be_cut: bool) -> io::Result<Option<Central>> {
    // Without a comment, as most are, the record is the last one that there can be.
    if let Some(at) = window.len().checked_sub(END_BYTES) {
        let record = window.peek(at, END_BYTES as usize)?;
        if record.starts_with(&END)
            && u16_at(&record, 20) == 0
            && let Some(central) = check_end(window, &record, at)?
        {
            return Ok(Some(central));
        }
    }
    let tail_len = window.len().min(tail_bytes.min(TAIL_BYTES_MAX));
    let tail_at = window.len() - tail_len;
    let tail = window.peek(tail_at, usize::try_from(tail_len).unwrap_or_default())?;
    // Every member of an archive is searched: front to back is several times as fast.
    let records: Vec<usize> = END_RECORD.find_iter(&tail).collect();
    for at in records.into_iter().rev().take(END_RECORDS_MAX) {
        let record = &tail[at..];
        let comment_end = END_BYTES + u64::from(u16_at(record, 20));
        let least = if may_be_cut { END_BYTES } else { comment_end };
        if (record.len() as u64) < least {
            continue;
        }
        if let Some(central) = check_end(window, record, tail_at + at as u64)? {
            return Ok(Some(central));
        }
    }
    Ok(None)
}

/// Takes an end record at `end_at` for true when the directory it describes starts where it says.
fn check_end(window: &Window, record: &[u8], end_at: u64) -> io::Result<Option<Central>> {
    let mut entries = u64::from(u16_at(record, 10));
    let mut size = u64::from(u32_at(record, 12));
    let mut offset = u64::from(u32_at(record, 16));
    let mut central_end = end_at;
    let mut wraps = true;
    let end = end_at + END_BYTES + u64::from(u16_at(record, 20));
    if let Some((at, zip64)) = zip64_end(window, end_at)? {
        (entries, size, offset) = (u64_at(&zip64, 32), u64_at(&zip64, 40), u64_at(&zip64, 48));
        (central_end, wraps) = (at, false);
    }
    if size == 0 {
        let prefix = central_end;
        let empty = Central { at: central_end, size, entries, wraps, prefix, end };
        return Ok((entries == 0).then_some(empty));
    }
    // Offsets count from the archive's real start, so that a prefix needs no special case; where
    // something stands between directory and end record, the offset is taken literally.
    let by_size = central_end.checked_sub(size).filter(|at| *at >= offset);
    for (at, prefix) in
        [by_size.map(|at| (at, at - offset)), Some((offset, 0))].into_iter().flatten()
    {
        if window.read(at, 4)? == CENTRAL {
            return Ok(Some(Central { at, size, entries, wraps, prefix, end }));
        }
    }
    Ok(None)
}

/// The zip64 end record, by its locator in front of the end record, and where it stands.
fn zip64_end(window: &Window, end_at: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let locator = window.read(locator_at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let declared = u64_at(&locator, 8);
    for at in [locator_at.checked_sub(56), Some(declared)].into_iter().flatten() {
        let record = window.read(at, 56)?;
        if record.len() == 56 && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}
