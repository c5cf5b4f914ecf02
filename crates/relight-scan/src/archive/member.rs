//! One member: its bytes, unpacked through limits and checked.

use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use memchr::memmem;
use relight_model::FlawCode;

use super::directory::Entry;
use super::{END, LOCAL, LOCAL_BYTES, u16_at};
use crate::sniff::HEAD_BYTES;
use crate::window::{Window, WindowReader};

/// What is still allowed for one outer file.
pub(crate) trait Budget {
    /// Takes unpacked bytes from the allowance; false when it is used up.
    fn expand(&mut self, bytes: u64) -> bool;
    /// Asks for memory for a buffer that grows to `bytes`; false when it may not.
    fn buffer(&mut self, bytes: u64) -> bool;
}

/// How much of a member is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Nothing: it is only checked.
    Nothing,
    /// The first bytes, up to this many.
    Prefix(u64),
    /// All of it; more than this many bytes is a flaw.
    All(u64),
}

/// What reading a member gave.
#[derive(Debug, Default)]
pub(crate) struct Member {
    /// What was asked for; as far as it goes when there is a flaw.
    pub(crate) kept: Vec<u8>,
    /// All bytes were kept.
    pub(crate) whole: bool,
    /// The signature of a zip end record stands somewhere in it.
    pub(crate) has_end_record: bool,
    /// Why it was not read to its end, or is not what the archive says.
    pub(crate) flaw: Option<FlawCode>,
    /// The allowance of the outer file is used up.
    pub(crate) exhausted: bool,
}

/// Where the data of a member is, after its own header.
#[derive(Debug)]
pub(crate) struct Located {
    /// The packed bytes.
    pub(crate) data: Window,
    /// The name in the local header, when it is another one than in the directory.
    pub(crate) other_name: Option<Vec<u8>>,
    /// The header contradicts the directory.
    pub(crate) mismatch: bool,
}

/// Finds the data of a member; `None` when there is no local header where the directory says.
///
/// # Errors
/// Those of the file.
pub(crate) fn locate(archive: &Window, entry: &Entry) -> io::Result<Option<Located>> {
    let fixed = archive.read(entry.header_at, LOCAL_BYTES as usize)?;
    if fixed.len() < LOCAL_BYTES as usize || !fixed.starts_with(&LOCAL) {
        return Ok(None);
    }
    let (name_len, extra_len) = (u16_at(&fixed, 26), u16_at(&fixed, 28));
    let name_at = entry.header_at + LOCAL_BYTES;
    let name = archive.read(name_at, usize::from(name_len))?;
    let data_at = name_at + u64::from(name_len) + u64::from(extra_len);
    let data = archive.part(data_at, entry.packed);
    let renamed = *name != *entry.name;
    let mismatch = renamed
        || data.len() < entry.packed
        || u16_at(&fixed, 8) != entry.method
        || (u16_at(&fixed, 6) ^ entry.flags) & 1 != 0;
    Ok(Some(Located { data, other_name: renamed.then_some(name), mismatch }))
}

/// Reads a member from start to end. `decide` sees its first [`HEAD_BYTES`].
///
/// # Errors
/// Those of the file.
pub(crate) fn read(
    data: &Window,
    entry: &Entry,
    size_max: u64,
    budget: &mut dyn Budget,
    decide: impl FnOnce(&[u8]) -> Keep,
) -> io::Result<Member> {
    let mut reader = Unpacker::of(data, entry.method);
    let mut member = Member::default();
    let mut piece = vec![0; 64 << 10];
    let mut state = State { crc: Crc::new(), size: 0, carry: [0; 3], keep: Keep::Nothing };
    let mut decide = Some(decide);
    loop {
        // The first piece is filled, so that the decision sees a whole head.
        let wanted = if decide.is_some() { HEAD_BYTES } else { piece.len() };
        let (read, failed) = reader.fill(&mut piece[..wanted])?;
        if let Some(decide) = decide.take() {
            state.keep = decide(&piece[..read]);
        }
        state.take(&piece[..read], size_max, budget, &mut member);
        if failed {
            member.flaw = member.flaw.or(Some(FlawCode::CorruptEntry));
        }
        if member.flaw.is_some() || read < wanted {
            break;
        }
    }
    let wrong = entry.crc.is_some_and(|crc| crc != state.crc.sum())
        || entry.unpacked.is_some_and(|size| size != state.size);
    if member.flaw.is_none() && wrong {
        member.flaw = Some(FlawCode::CorruptEntry);
    }
    member.whole = member.kept.len() as u64 == state.size && state.keep != Keep::Nothing;
    Ok(member)
}

/// What is known while a member passes by.
struct State {
    crc: Crc,
    size: u64,
    /// The last three bytes: a signature may lie across two pieces.
    carry: [u8; 3],
    keep: Keep,
}

impl State {
    fn take(&mut self, piece: &[u8], size_max: u64, budget: &mut dyn Budget, out: &mut Member) {
        self.crc.update(piece);
        self.size += piece.len() as u64;
        out.has_end_record |= memmem::find(piece, &END).is_some();
        let start = &piece[..piece.len().min(3)];
        out.has_end_record |= memmem::find(&[&self.carry, start].concat(), &END).is_some();
        if let Some(last) = piece.last_chunk() {
            self.carry = *last;
        }
        if !budget.expand(piece.len() as u64) {
            out.exhausted = true;
            out.flaw = Some(FlawCode::LimitExpanded);
        } else if self.size > size_max {
            out.flaw = Some(FlawCode::LimitEntrySize);
        }
        let kept = out.kept.len() as u64;
        let wanted = match self.keep {
            Keep::Nothing => 0,
            Keep::Prefix(max) => max.saturating_sub(kept).min(piece.len() as u64),
            Keep::All(max) if self.size > max => {
                out.flaw = out.flaw.or(Some(FlawCode::LimitEntrySize));
                0
            }
            Keep::All(_) => piece.len() as u64,
        };
        if wanted > 0 && !budget.buffer(kept + wanted) {
            out.flaw = out.flaw.or(Some(FlawCode::LimitEntrySize));
        } else {
            out.kept.extend_from_slice(&piece[..usize::try_from(wanted).unwrap_or_default()]);
        }
    }
}

/// The bytes of a member, unpacked.
enum Unpacker {
    Stored(WindowReader),
    Deflated(Box<DeflateDecoder<BufReader<WindowReader>>>),
}

impl Unpacker {
    fn of(data: &Window, method: u16) -> Self {
        if method == 0 {
            return Self::Stored(data.reader());
        }
        Self::Deflated(Box::new(DeflateDecoder::new(BufReader::new(data.reader()))))
    }

    /// Fills the buffer as far as the data goes. The flag says that the data is broken there;
    /// only the file itself gives an error.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
        let mut done = 0;
        while done < buffer.len() {
            let read = match self {
                Self::Stored(reader) => reader.read(&mut buffer[done..]),
                Self::Deflated(reader) => reader.read(&mut buffer[done..]),
            };
            match read {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.raw_os_error().is_some() => return Err(error),
                Err(_) => return Ok((done, true)),
            }
        }
        Ok((done, false))
    }
}
