//! Archives of PHP (Phar) in their own format: the files stand behind a list of them, which stands
//! behind the code that starts the archive. Those in the format of tar or zip are a tar or a zip.
//!
//! Layout (PHP manual, "Phar file format"), numbers in little endian unless said otherwise:
//!
//! ```text
//! list       bytes of what follows (4), files (4), version (2, big endian), flags (4),
//!            alias and metadata (4 bytes of length each)
//! each file  length of the name (4), name, size (4), time (4), packed size (4), CRC-32 (4),
//!            flags (4), metadata (4 bytes of length)
//! files      in the order of the list, one behind the other
//! signature  sum, kind (4), `GBMB`
//! ```

use std::io;
use std::ops::Range;

use relight_formats::limited::coding::Coding;
use relight_model::FlawCode;

use super::{Body, Container, Damage, Entry, Node, u32_at};
use crate::window::Window;

/// Bytes of the list of files, which is held while they are read; that of a large program has some
/// 100 KiB.
const LIST_BYTES_MAX: u64 = 2 << 20;

/// Bytes of a signature: the longest is made with a key.
const SIGNATURE_BYTES_MAX: usize = 8 << 10;

/// Bytes behind a signature that was made with a key: its length, its kind and the mark.
const SIGNATURE_END_BYTES: usize = 12;

/// What a signature ends with.
const SIGNATURE_MARK: &[u8] = b"GBMB";

/// Flag of the list: there is a signature.
const SIGNED: u32 = 0x1_0000;

/// Flags of a file: how it is packed.
const DEFLATED: u32 = 0x1000;
const BZIPPED: u32 = 0x2000;
const PACKINGS: u32 = 0xf000;

/// An archive of PHP, from its list on.
pub(crate) struct Phar {
    window: Window,
    /// What follows the count of files in the list; empty until it was read.
    list: Vec<u8>,
    /// Where the next file stands in it.
    next: usize,
    /// Where the data of the next file starts.
    at: u64,
    is_done: bool,
}

/// A file as the list says it.
struct Listed<'a> {
    name: &'a [u8],
    size: u32,
    packed: u32,
    crc: u32,
    flags: u32,
}

impl Phar {
    /// `window` starts with the list.
    pub(crate) fn new(window: Window) -> Self {
        Self { window, list: Vec::new(), next: 0, at: 0, is_done: false }
    }

    /// Whether one file, as it stands there, holds these bytes of an archive whose list `window`
    /// starts with: they are looked at as that file.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn holds(window: Window, bytes: &Range<u64>) -> io::Result<bool> {
        let mut all = Self::new(window);
        if all.load()?.is_err() {
            return Ok(false);
        }
        let (mut rest, mut at) = (all.rest(), all.at);
        while let Some((file, behind)) = file(rest) {
            let end = at + u64::from(file.packed);
            if file.flags & PACKINGS == 0 && at <= bytes.start && bytes.end <= end {
                return Ok(true);
            }
            (rest, at) = (behind, end);
        }
        Ok(false)
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        if self.list.is_empty()
            && let Err(damage) = self.load()?
        {
            self.is_done = true;
            return Ok(Some(Err(damage)));
        }
        let Some((file, behind)) = file(self.rest()) else {
            self.is_done = true;
            return Ok(self.flaw()?.map(|code| Err(Damage::new(code, 0))));
        };
        let (entry, packed) = (self.entry(&file), u64::from(file.packed));
        self.next = self.list.len() - behind.len();
        self.at += packed;
        Ok(Some(Ok(entry)))
    }

    /// The files of the list that are left.
    fn rest(&self) -> &[u8] {
        self.list.get(self.next..).unwrap_or_default()
    }

    /// Reads the list; what is none is something else behind code of PHP.
    fn load(&mut self) -> io::Result<Result<(), Damage>> {
        let head = self.window.read(0, 8)?;
        let (len, count) = (u64::from(u32_at(&head, 0)), u32_at(&head, 4));
        if len > LIST_BYTES_MAX {
            return Ok(Err(Damage::new(FlawCode::LimitMemory, len)));
        }
        let list =
            self.window.read(8, usize::try_from(len.saturating_sub(4)).unwrap_or_default())?;
        let start = first_file(&list).filter(|start| is_list(&list[*start..], count));
        let is_whole = list.len() as u64 + 4 == len;
        let Some(start) = start.filter(|_| is_whole) else {
            return Ok(Err(Damage::new(FlawCode::ContainerUnsupported, 0)));
        };
        (self.list, self.next, self.at) = (list, start, 4 + len);
        Ok(Ok(()))
    }

    /// What is wrong with what stands behind the last file: a signature, or nothing.
    fn flaw(&self) -> io::Result<Option<FlawCode>> {
        let is_signed = u32_at(&self.list, 2) & SIGNED != 0;
        let rest = self.window.read(self.at, SIGNATURE_BYTES_MAX + SIGNATURE_END_BYTES + 1)?;
        Ok(match rest.is_empty() {
            true if is_signed || self.at > self.window.len() => Some(FlawCode::Truncated),
            true => None,
            false if is_signed && is_signature(&rest) => None,
            false => Some(FlawCode::CorruptEntry),
        })
    }

    /// A file, whose data is next.
    fn entry(&self, file: &Listed<'_>) -> Entry {
        let packed = u64::from(file.packed);
        if file.name.ends_with(b"/") && packed == 0 {
            return Entry::bare(file.name.to_vec(), Node::Folder);
        }
        let data = self.window.part(self.at, packed);
        let is_cut = data.len() < packed;
        let mut entry = Entry::file(file.name.to_vec(), Some(file.size.into()), Body::Nothing);
        (entry.packed, entry.crc) = (packed, Some(file.crc));
        match file.flags & PACKINGS {
            0 if file.packed == file.size => entry.body = Body::Plain(data),
            DEFLATED => entry.body = Body::Packed(data, Coding::Deflate),
            BZIPPED => entry.body = Body::Packed(data, Coding::Bzip2),
            _ => entry.flaws.push(FlawCode::MethodUnsupported),
        }
        if is_cut {
            entry.flaws.push(FlawCode::Truncated);
        }
        entry
    }
}

/// Where the first file stands in a list: behind version, flags, alias and metadata.
fn first_file(list: &[u8]) -> Option<usize> {
    let (_, rest) = text(list.get(6..)?)?;
    let (_, rest) = text(rest)?;
    Some(list.len() - rest.len())
}

/// Whether these bytes list so many files and nothing else.
fn is_list(mut rest: &[u8], count: u32) -> bool {
    for _ in 0..count {
        let Some((_, behind)) = file(rest) else { return false };
        rest = behind;
    }
    rest.is_empty()
}

/// The file that a list starts with, and what follows it.
fn file(list: &[u8]) -> Option<(Listed<'_>, &[u8])> {
    let (name, rest) = text(list)?;
    let (fields, rest) = rest.split_at_checked(20)?;
    let [size, _, packed, crc, flags] = [0, 4, 8, 12, 16].map(|at| u32_at(fields, at));
    let (_, rest) = text(rest)?;
    Some((Listed { name, size, packed, crc, flags }, rest))
}

/// A text behind its length, and what follows it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_at_checked(4)?;
    rest.split_at_checked(usize::try_from(u32_at(len, 0)).ok()?)
}

/// Whether these bytes are a signature and nothing else: a sum of the length that its kind has, or
/// one made with a key, which says its length.
fn is_signature(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_suffix(SIGNATURE_MARK) else { return false };
    let Some((sum, kind)) = rest.split_last_chunk::<4>() else { return false };
    match u32::from_le_bytes(*kind) {
        1 => sum.len() == 16,
        2 => sum.len() == 20,
        3 => sum.len() == 32,
        4 => sum.len() == 64,
        0x10..=0x12 => sum.split_last_chunk::<4>().is_some_and(|(signature, len)| {
            signature.len() <= SIGNATURE_BYTES_MAX
                && u32::from_le_bytes(*len) as usize == signature.len()
        }),
        _ => false,
    }
}

impl Container for Phar {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.is_done {
            return None;
        }
        self.step().unwrap_or_else(|error| {
            self.is_done = true;
            Some(Err(Damage::of(&error)))
        })
    }
}
