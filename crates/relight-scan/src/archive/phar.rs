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
use std::vec;

use relight_formats::limited::coding::{Coding, decoder};
use relight_model::FlawCode;

use super::{Body, Container, Damage, Entry, Feed, Node, u32_at};

/// Bytes of the list of files; that of a large program has some 100 KiB.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// Bytes of a file in the list beside its name and metadata.
const FILE_BYTES_MIN: usize = 28;

/// Bytes of a signature: the longest is made with a key.
const SIGNATURE_BYTES_MAX: usize = 8 << 10;

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
    feed: Feed,
    state: State,
    is_signed: bool,
}

enum State {
    /// The list was not read yet.
    Start,
    /// Files are left, and the first of them stands here.
    Files(vec::IntoIter<Listed>, u64),
    Done,
}

/// A file as the list says it.
struct Listed {
    name: Vec<u8>,
    size: u32,
    packed: u32,
    crc: u32,
    flags: u32,
}

impl Phar {
    /// `feed` starts with the list.
    pub(crate) const fn new(feed: Feed) -> Self {
        Self { feed, state: State::Start, is_signed: false }
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        if matches!(self.state, State::Start) {
            match self.list()? {
                Ok(files) => {
                    let at = self.feed.position();
                    self.state = State::Files(files.into_iter(), at);
                }
                Err(damage) => {
                    self.state = State::Done;
                    return Ok(Some(Err(damage)));
                }
            }
        }
        let State::Files(files, at) = &mut self.state else { return Ok(None) };
        let (start, next) = (*at, files.next());
        *at = start.saturating_add(next.as_ref().map_or(0, |file| file.packed.into()));
        if !self.feed.seek(start)? {
            self.state = State::Done;
            return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
        }
        let Some(file) = next else {
            self.state = State::Done;
            let rest = self.feed.take(SIGNATURE_BYTES_MAX + 13)?;
            return Ok(self.flaw_of(&rest).map(|code| Err(Damage::new(code, 0))));
        };
        Ok(Some(Ok(self.entry(file))))
    }

    /// Reads the list; what is none is something else behind code of PHP.
    fn list(&mut self) -> io::Result<Result<Vec<Listed>, Damage>> {
        let unsupported = Err(Damage::new(FlawCode::ContainerUnsupported, 0));
        let head = self.feed.take(8)?;
        let (len, count) = (u64::from(u32_at(&head, 0)), u32_at(&head, 4));
        if len > LIST_BYTES_MAX {
            return Ok(Err(Damage::new(FlawCode::LimitMemory, len)));
        }
        let rest = self.feed.take(usize::try_from(len.saturating_sub(4)).unwrap_or_default())?;
        if head.len() < 8 || rest.len() as u64 + 4 != len {
            return Ok(unsupported);
        }
        self.is_signed = u32_at(&rest, 2) & SIGNED != 0;
        Ok(files(&rest, count).map_or(unsupported, Ok))
    }

    /// What is wrong with what stands behind the last file: a signature, or nothing.
    fn flaw_of(&self, rest: &[u8]) -> Option<FlawCode> {
        match (self.is_signed, rest.is_empty()) {
            (true, true) => Some(FlawCode::Truncated),
            (true, false) => (!is_signature(rest)).then_some(FlawCode::CorruptEntry),
            (false, is_empty) => (!is_empty).then_some(FlawCode::CorruptEntry),
        }
    }

    /// A file, whose data is next.
    fn entry(&self, file: Listed) -> Entry {
        if file.name.ends_with(b"/") && file.packed == 0 {
            return Entry::bare(file.name, Node::Folder);
        }
        let coding = match file.flags & PACKINGS {
            0 => Some(Coding::Plain),
            DEFLATED => Some(Coding::Deflate),
            BZIPPED => Some(Coding::Bzip2),
            _ => None,
        };
        let packed = u64::from(file.packed);
        let mut entry = Entry::file(file.name, Some(file.size.into()), Body::Nothing);
        (entry.packed, entry.crc) = (packed, Some(file.crc));
        if !self.feed.has(packed) {
            entry.flaws.push(FlawCode::Truncated);
        }
        match (coding, self.feed.body(packed)) {
            (Some(Coding::Plain), body) if file.packed == file.size => entry.body = body,
            (None | Some(Coding::Plain), _) => entry.flaws.push(FlawCode::MethodUnsupported),
            (Some(coding), Body::Plain(window)) => entry.body = Body::Packed(window, coding),
            (Some(coding), Body::Stream(stream, _)) => match decoder(coding, stream) {
                Ok(stream) => entry.body = Body::Stream(stream, None),
                Err(_) => entry.flaws.push(FlawCode::CorruptEntry),
            },
            (Some(_), body) => entry.body = body,
        }
        entry
    }
}

/// Takes what follows the count of files in the list apart; `None` where that is no list.
fn files(list: &[u8], count: u32) -> Option<Vec<Listed>> {
    // Behind version and flags.
    let rest = list.get(6..)?;
    let (_, rest) = text(rest)?;
    let (_, mut rest) = text(rest)?;
    let count = usize::try_from(count).ok().filter(|it| *it <= rest.len() / FILE_BYTES_MIN)?;
    let mut files = Vec::with_capacity(count);
    for _ in 0..count {
        let (name, behind) = text(rest)?;
        let (fields, behind) = behind.split_at_checked(20)?;
        let [size, _, packed, crc, flags] = [0, 4, 8, 12, 16].map(|at| u32_at(fields, at));
        files.push(Listed { name: name.to_vec(), size, packed, crc, flags });
        (_, rest) = text(behind)?;
    }
    rest.is_empty().then_some(files)
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
        self.step().unwrap_or_else(|error| {
            self.state = State::Done;
            Some(Err(Damage::of(&error)))
        })
    }
}
