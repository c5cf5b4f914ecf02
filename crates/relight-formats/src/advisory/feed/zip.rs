//! zip, as feeds are published: entry by entry, in the order of the directory.

use std::io::{Read, Seek, SeekFrom};

use flate2::Crc;
use relight_model::Warning;

use super::{DOCUMENT_BYTES_MAX, ENTRIES_MAX, FEED_BYTES_MAX, Taker, entry, unreadable};
use crate::limited;

/// Longest directory, in bytes.
pub(super) const DIRECTORY_BYTES_MAX: u64 = 512 << 20;

/// How far from the end the end record may start: its comment has at most 65,535 bytes.
const TAIL_BYTES: u64 = 22 + 0xffff + 20;

/// What the directory says of an entry.
struct Entry {
    name: String,
    method: u16,
    is_encrypted: bool,
    check_sum: u32,
    packed: u64,
    size: u64,
    offset: u64,
}

/// Gives every file of the archive to `take`.
pub(super) fn walk(file: &mut (impl Read + Seek), place: &str, take: Taker<'_>) {
    let (count, directory) = match directory(file) {
        Ok(found) => found,
        Err(why) => {
            take(Err(unreadable(place, &why)));
            return;
        }
    };
    let (mut at, mut found_count, mut unpacked) = (0, 0u64, 0u64);
    while let Some((found, next)) = entry_at(&directory, at) {
        (at, found_count) = (next, found_count + 1);
        if found.name.ends_with('/') {
            continue;
        }
        let name = format!("{place}!/{}", found.name);
        unpacked = unpacked.saturating_add(found.size);
        let bytes = match unpacked > FEED_BYTES_MAX {
            true => Err(format!("the archive unpacks to more than {FEED_BYTES_MAX} bytes")),
            false => unpack(file, &found),
        };
        let go_on = match bytes {
            Ok(bytes) => entry(name, bytes, take),
            Err(why) => take(Err(damaged(&name, &why))),
        };
        if !go_on {
            return;
        }
    }
    if at != directory.len() || found_count != count {
        take(Err(unreadable(place, "the directory of the archive is damaged")));
    }
}

fn damaged(place: &str, why: &str) -> Warning {
    Warning::new("advisory-unreadable", place, format!("{why}; left out, get the file again"))
}

/// How many entries there are, and the central directory, by the end record or, where that one is
/// too small, the 64-bit one.
fn directory(file: &mut (impl Read + Seek)) -> Result<(u64, Vec<u8>), String> {
    let length = file.seek(SeekFrom::End(0)).map_err(|error| error.to_string())?;
    let tail_at = length.saturating_sub(TAIL_BYTES);
    let tail = bytes_at(file, tail_at, length - tail_at)?;
    let end = tail.windows(4).rposition(|it| it == b"PK\x05\x06");
    let end = end.ok_or("the archive has no directory: it is cut short")?;
    let field = |at, count| u64_of(&tail, end + at, count);
    let (count, size, offset) = (field(10, 2)?, field(12, 4)?, field(16, 4)?);
    let is_64 = count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    let (count, size, offset) = match end.checked_sub(20).filter(|_| is_64) {
        Some(locator) if tail[locator..].starts_with(b"PK\x06\x07") => {
            let record = bytes_at(file, u64_of(&tail, locator + 8, 8)?, 56)?;
            (u64_of(&record, 32, 8)?, u64_of(&record, 40, 8)?, u64_of(&record, 48, 8)?)
        }
        _ => (count, size, offset),
    };
    if size > DIRECTORY_BYTES_MAX || count > ENTRIES_MAX as u64 {
        return Err(format!("the archive holds more than {ENTRIES_MAX} entries"));
    }
    Ok((count, bytes_at(file, offset, size)?))
}

fn bytes_at(file: &mut (impl Read + Seek), offset: u64, size: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file
        .seek(SeekFrom::Start(offset))
        .and_then(|_| file.by_ref().take(size).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    if (bytes.len() as u64) < size { Err("the archive is cut short".into()) } else { Ok(bytes) }
}

/// A number of `count` bytes, little-endian.
fn u64_of(bytes: &[u8], at: usize, count: usize) -> Result<u64, String> {
    let field = bytes.get(at..at + count).ok_or("the archive is cut short")?;
    Ok(field.iter().rev().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

/// The entry of the directory at `at`, and where the next one starts.
fn entry_at(directory: &[u8], at: usize) -> Option<(Entry, usize)> {
    let header = directory.get(at..).filter(|it| it.starts_with(b"PK\x01\x02"))?;
    let field = |at, count| u64_of(header, at, count).ok();
    let name_end = 46 + usize::try_from(field(28, 2)?).ok()?;
    let extra_end = name_end + usize::try_from(field(30, 2)?).ok()?;
    let next = extra_end + usize::try_from(field(32, 2)?).ok()?;
    let name = String::from_utf8_lossy(header.get(46..name_end)?).into_owned();
    let mut sizes = [field(24, 4)?, field(20, 4)?, field(42, 4)?];
    wide(header.get(name_end..extra_end)?, &mut sizes);
    let [size, packed, offset] = sizes;
    let found = Entry {
        name,
        method: u16::try_from(field(10, 2)?).ok()?,
        is_encrypted: field(8, 2)? & 1 == 1,
        check_sum: u32::try_from(field(16, 4)?).ok()?,
        packed,
        size,
        offset,
    };
    header.get(..next)?;
    Some((found, at + next))
}

/// Sizes and offset that do not fit in 32 bits stand in the extra field 1, in this order.
fn wide(mut extra: &[u8], sizes: &mut [u64; 3]) {
    while let (Ok(kind), Ok(length)) = (u64_of(extra, 0, 2), u64_of(extra, 2, 2)) {
        let end = 4 + usize::try_from(length).unwrap_or(usize::MAX - 4);
        if kind == 1 {
            let mut at = 4;
            for size in sizes.iter_mut().filter(|size| **size == 0xffff_ffff) {
                if let Ok(value) = u64_of(extra, at, 8) {
                    *size = value;
                }
                at += 8;
            }
        }
        extra = extra.get(end..).unwrap_or_default();
    }
}

fn unpack(file: &mut (impl Read + Seek), found: &Entry) -> Result<Vec<u8>, String> {
    let &Entry { method, is_encrypted, check_sum, packed, size, offset, .. } = found;
    if size > DOCUMENT_BYTES_MAX || packed > DOCUMENT_BYTES_MAX {
        return Err(format!("is longer than {DOCUMENT_BYTES_MAX} bytes"));
    }
    if is_encrypted {
        return Err("is encrypted".to_owned());
    }
    let local = bytes_at(file, offset, 30)?;
    if !local.starts_with(b"PK\x03\x04") {
        return Err("its header is damaged".to_owned());
    }
    let skip = 30 + u64_of(&local, 26, 2)? + u64_of(&local, 28, 2)?;
    let raw = bytes_at(file, offset.saturating_add(skip), packed)?;
    let bytes = match method {
        0 => raw,
        8 => limited::inflate(&raw, Some(size), DOCUMENT_BYTES_MAX).map_err(|it| it.to_string())?,
        other => return Err(format!("is packed by method {other}, which is not read")),
    };
    let mut sum = Crc::new();
    sum.update(&bytes);
    if sum.sum() == check_sum { Ok(bytes) } else { Err("its check sum is wrong".to_owned()) }
}
