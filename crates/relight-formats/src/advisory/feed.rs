//! Files of advisories to documents: plain, gzip, zstd, xz, zip or tar of many, recognised by
//! content.
//!
//! A feed is never held in memory as a whole: an archive gives one document an entry, and a file
//! with one record a line gives parts of about [`PART_BYTES`].

use std::io::{Read, Seek, SeekFrom};

use relight_model::Warning;

use super::pieces::{first_record, object_end};
use crate::limited::coding::Coding;
use crate::limited::{self, LimitedError, Limits};

mod encoding;
mod tar;
mod zip;

/// Most bytes that one feed may unpack to.
pub const FEED_BYTES_MAX: u64 = 4 << 30;

/// Longest document that is not one record a line, in bytes.
pub const DOCUMENT_BYTES_MAX: u64 = 1 << 30;

/// Most entries of one archive.
pub const ENTRIES_MAX: usize = 4_000_000;

/// Size of the parts of a document with one record a line, in bytes.
pub const PART_BYTES: usize = 1 << 20;

/// A document, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The file, and after `!/` the entry of an archive.
    pub place: String,
    /// The number of the first line.
    pub line: usize,
    /// What it holds, in UTF-8 as far as the encoding could be told.
    pub bytes: Vec<u8>,
}

/// Whoever takes documents; what could not be read arrives as a warning in its place. `false`
/// ends the walk.
pub type Taker<'a> = &'a mut dyn FnMut(Result<Document, Warning>) -> bool;

/// Something that can be read and rewound.
pub trait Source: Read + Seek + 'static {}

impl<T: Read + Seek + 'static> Source for T {}

/// Gives every document of a file to `take`.
pub fn documents(mut file: impl Source, place: &str, take: Taker<'_>) {
    let mut head = Vec::new();
    let sniffed = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.by_ref().take(XZ.len() as u64).read_to_end(&mut head))
        .and_then(|_| file.seek(SeekFrom::Start(0)));
    if let Err(error) = sniffed {
        take(Err(unreadable(place, &error.to_string())));
        return;
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        zip::walk(&mut file, place, take);
        return;
    }
    if head == XZ {
        match limited::read_all(file, DOCUMENT_BYTES_MAX).and_then(|packed| unxz(&packed)) {
            Ok(bytes) => unpacked(&bytes[..], place, take),
            Err(error) => {
                take(Err(unreadable(place, &error.to_string())));
            }
        }
        return;
    }
    match limited::open_stream(file, Limits::bytes(FEED_BYTES_MAX)) {
        Ok(stream) => unpacked(stream, place, take),
        Err(error) => {
            take(Err(unreadable(place, &error.to_string())));
        }
    }
}

/// How xz starts.
const XZ: &[u8] = b"\xfd7zXZ\0";

/// Unpacks xz as a whole, within the limits of this crate.
fn unxz(packed: &[u8]) -> Result<Vec<u8>, LimitedError> {
    let by_ratio = limited::RATIO_FREE_BYTES + packed.len() as u64 * limited::RATIO_MAX;
    let decoder = limited::coding::decoder(Coding::Xz, packed)?;
    limited::read_all(decoder, by_ratio.min(DOCUMENT_BYTES_MAX))
}

fn unreadable(place: &str, why: &str) -> Warning {
    let message = format!("{why}; what came after it was not read, get the file again");
    Warning::new("advisory-unreadable", place, message)
}

/// A stream that is not packed any more: a tar archive, lines, or one document.
fn unpacked(stream: impl Read, place: &str, take: Taker<'_>) {
    let mut parts = Parts { stream, buffer: Vec::new(), is_at_end: false };
    if let Err(why) = parts.fill(PART_BYTES) {
        take(Err(unreadable(place, &why)));
        return;
    }
    if tar::is_tar(&parts.buffer) {
        tar::walk(parts, place, take);
    } else if is_lines(&parts.buffer) {
        lines(parts, place, take);
    } else {
        whole(parts, place, take);
    }
}

/// A stream with what was read ahead of it.
struct Parts<R: Read> {
    stream: R,
    buffer: Vec<u8>,
    is_at_end: bool,
}

impl<R: Read> Parts<R> {
    /// Reads until the buffer holds `bytes`, or the stream ends.
    fn fill(&mut self, bytes: usize) -> Result<(), String> {
        let missing = bytes.saturating_sub(self.buffer.len()) as u64;
        if self.is_at_end || missing == 0 {
            return Ok(());
        }
        let read = self.stream.by_ref().take(missing).read_to_end(&mut self.buffer);
        let read = read.map_err(|error| error.to_string())?;
        self.is_at_end = (read as u64) < missing;
        Ok(())
    }
}

/// Whether the first line is an object and something follows it.
fn is_lines(head: &[u8]) -> bool {
    let head = head.strip_prefix(super::pieces::BYTE_ORDER_MARK).unwrap_or(head);
    let start = head.len() - head.trim_ascii_start().len();
    let body = &head[start..];
    let Some(0) = first_record(body) else { return false };
    let end = object_end(body, 0);
    let line = body.iter().position(|&byte| byte == b'\n');
    end.zip(line).is_some_and(|(end, line)| {
        end <= line
            && body[end..line].trim_ascii().is_empty()
            && !body[line..].trim_ascii().is_empty()
    })
}

fn lines<R: Read>(mut parts: Parts<R>, place: &str, take: Taker<'_>) {
    let mut line = 1;
    loop {
        let mut wanted = PART_BYTES;
        let end = loop {
            if let Err(why) = parts.fill(wanted) {
                let rest = std::mem::take(&mut parts.buffer);
                take(Ok(Document { place: place.to_owned(), line, bytes: rest }));
                take(Err(unreadable(place, &why)));
                return;
            }
            let newline = parts.buffer.iter().rposition(|&byte| byte == b'\n');
            match newline.map(|at| at + 1) {
                _ if parts.is_at_end => break parts.buffer.len(),
                Some(end) => break end,
                // A line longer than a record may be ends up as a refused record.
                None if parts.buffer.len() > 2 * super::RECORD_BYTES_MAX => {
                    break parts.buffer.len();
                }
                None => wanted = parts.buffer.len() + PART_BYTES,
            }
        };
        if end == 0 {
            return;
        }
        // With room for the next part: a buffer that grows is copied, and its new half cleared.
        let room = if parts.is_at_end { 0 } else { PART_BYTES };
        let mut rest = Vec::with_capacity(room.max(parts.buffer.len() - end));
        rest.extend_from_slice(&parts.buffer[end..]);
        parts.buffer.truncate(end);
        let bytes = std::mem::replace(&mut parts.buffer, rest);
        let next = line + bytes.iter().filter(|&&byte| byte == b'\n').count();
        let is_last = parts.is_at_end && parts.buffer.is_empty();
        if !take(Ok(Document { place: place.to_owned(), line, bytes })) || is_last {
            return;
        }
        line = next;
    }
}

fn whole<R: Read>(mut parts: Parts<R>, place: &str, take: Taker<'_>) {
    let limit = usize::try_from(DOCUMENT_BYTES_MAX).unwrap_or(usize::MAX);
    let result = parts.fill(limit.saturating_add(1)).and_then(|()| match parts.buffer.len() {
        size if size > limit => Err(format!("is longer than {DOCUMENT_BYTES_MAX} bytes")),
        _ => Ok(()),
    });
    match result {
        Ok(()) => {
            let bytes = encoding::to_utf8(parts.buffer);
            take(Ok(Document { place: place.to_owned(), line: 1, bytes }));
        }
        Err(why) => {
            take(Err(unreadable(place, &why)));
        }
    }
}

/// An entry of an archive, which may itself be packed.
fn entry(place: String, bytes: Vec<u8>, take: Taker<'_>) -> bool {
    let unpacked = match &bytes[..] {
        [0x1f, 0x8b, ..] => limited::gunzip(&bytes, DOCUMENT_BYTES_MAX),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => limited::unzstd(&bytes, DOCUMENT_BYTES_MAX),
        _ if bytes.starts_with(XZ) => unxz(&bytes),
        _ => Ok(bytes),
    };
    take(match unpacked {
        Ok(bytes) => Ok(Document { place, line: 1, bytes: encoding::to_utf8(bytes) }),
        Err(error) => Err(unreadable(&place, &error.to_string())),
    })
}

#[cfg(test)]
mod tests;
