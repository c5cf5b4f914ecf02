//! The sections of a program (ELF, PE, Mach-O), read by range and never as a whole.
//!
//! A library for object files was weighed: its readers allocate what headers declare, and three
//! tables of names, places and sizes are all that catalogers need.

use std::io;

use memchr::memmem;
use relight_model::FlawCode;

use crate::cataloger::ReadAt;

mod elf;
mod held;
mod mach;
mod pe;

pub(crate) use held::{HELD_BYTES_MAX, Held};
pub(crate) use mach::ends as ends_of_mach;

/// Sections of one program. Linkers write some dozens; object files may have more.
pub(crate) const SECTIONS_MAX: usize = 4_096;

/// Bytes of one section that is handed over whole.
pub(crate) const SECTION_BYTES_MAX: u64 = 16 << 20;

/// Bytes that are searched at a time.
const PIECE_BYTES: u64 = 256 << 10;

/// Bytes that two pieces share, so that no short text is cut.
const OVERLAP_BYTES: u64 = 512;

/// A named range of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Its name, without the segment (`.rodata`, `__cstring`).
    pub(crate) name: String,
    /// Where it starts in the file.
    pub(crate) start: u64,
    /// How many bytes of it are in the file.
    pub(crate) size: u64,
    /// Where it is loaded.
    pub(crate) address: u64,
}

/// A program with its table of sections.
pub(crate) struct Program<'a> {
    source: &'a dyn ReadAt,
    pub(crate) sections: Vec<Section>,
    /// The bytes of numbers stand in the order of Intel.
    pub(crate) little: bool,
    /// Where the header of managed code of .NET is loaded; 0 when there is none.
    pub(crate) managed: u32,
    /// Why there are more sections than these, where there are.
    pub(crate) cut: Option<FlawCode>,
}

impl<'a> Program<'a> {
    /// Reads the table; `None` when the file is no program or its header is cut.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn open(source: &'a dyn ReadAt) -> io::Result<Option<Self>> {
        let head = source.read_at(0, 64)?;
        let table = match head.get(..4) {
            Some(b"\x7fELF") => elf::table(source, &head)?,
            Some([b'M', b'Z', ..]) => pe::table(source, &head)?,
            Some(_) => mach::table(source, &head)?,
            None => None,
        };
        let size = source.size();
        Ok(table.map(|Table { mut sections, little, managed, cut }| {
            // Headers may point anywhere; what is not in the file is not there.
            for section in &mut sections {
                section.size = section.size.min(size.saturating_sub(section.start));
            }
            Self { source, sections, little, managed, cut }
        }))
    }

    /// One whose table is of a form that is not known: all of it is one section without a name.
    pub(crate) fn of_all(source: &'a dyn ReadAt) -> Self {
        let section = Section { name: String::new(), start: 0, size: source.size(), address: 0 };
        Self { source, sections: vec![section], little: true, managed: 0, cut: None }
    }

    /// The first section with one of these names.
    pub(crate) fn section(&self, names: &[&str]) -> Option<&Section> {
        self.sections.iter().find(|section| names.contains(&section.name.as_str()))
    }

    /// A section, or its first [`SECTION_BYTES_MAX`].
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn read(&self, section: &Section) -> io::Result<Vec<u8>> {
        self.read_from(section, 0)
    }

    /// The same from somewhere in it.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn read_from(&self, section: &Section, at: u64) -> io::Result<Vec<u8>> {
        let size = section.size.saturating_sub(at).min(SECTION_BYTES_MAX);
        let start = section.start.saturating_add(at);
        self.source.read_at(start, usize::try_from(size).unwrap_or_default())
    }

    /// Shows every section of constants, piece by piece.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn constants(&self, mut look: impl FnMut(&[u8])) -> io::Result<()> {
        // BOLT moves a part of the constants and leaves the others under another name.
        const NAMES: [&str; 8] = [
            ".rodata",
            ".rodata1",
            ".rodata.cold",
            ".bolt.org.rodata",
            ".rdata",
            "__const",
            "__cstring",
            ".data.rel.ro",
        ];
        for section in self.sections.iter().filter(|it| NAMES.contains(&it.name.as_str())) {
            self.pieces(section, section.size, &mut |_, piece| look(piece))?;
        }
        Ok(())
    }

    /// Shows one section, piece by piece.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn each_piece(
        &self,
        section: &Section,
        mut look: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.pieces(section, section.size, &mut |_, piece| look(piece))
    }

    /// Where in the first [`SECTION_BYTES_MAX`] of a section a short text stands that fits.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn find(
        &self,
        section: &Section,
        text: &[u8],
        fits: impl Fn(u64) -> bool,
    ) -> io::Result<Option<u64>> {
        let mut found = None;
        self.pieces(section, SECTION_BYTES_MAX, &mut |start, piece| {
            let mut places = memmem::find_iter(piece, text).map(|at| start + at as u64);
            found = found.or_else(|| places.find(|at| fits(*at)));
        })?;
        Ok(found)
    }

    /// Shows up to `bytes_max` of a section in pieces that overlap, each with its place in it.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn pieces(
        &self,
        section: &Section,
        bytes_max: u64,
        look: &mut dyn FnMut(u64, &[u8]),
    ) -> io::Result<()> {
        let (mut at, size) = (0, section.size.min(bytes_max));
        while at < size {
            let len = PIECE_BYTES.min(size - at);
            let start = section.start.saturating_add(at);
            let len_asked = usize::try_from(len).unwrap_or_default();
            self.source.show(start, len_asked, &mut |piece| look(at, piece))?;
            if at + len == size {
                break;
            }
            at += PIECE_BYTES - OVERLAP_BYTES;
        }
        Ok(())
    }

    /// The bytes that are loaded at an address.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn loaded(&self, address: u64, len: u64) -> io::Result<Option<Vec<u8>>> {
        let holds = |section: &&Section| {
            section.address != 0
                && address.checked_sub(section.address).is_some_and(|at| at < section.size)
        };
        let Some(section) = self.sections.iter().find(holds) else { return Ok(None) };
        let at = address - section.address;
        let len = len.min(section.size - at).min(SECTION_BYTES_MAX);
        let start = section.start.saturating_add(at);
        self.source.read_at(start, usize::try_from(len).unwrap_or_default()).map(Some)
    }
}

/// What the header of one format gives.
struct Table {
    sections: Vec<Section>,
    little: bool,
    managed: u32,
    cut: Option<FlawCode>,
}

/// Why a table of so many parts is not all there, when `read` of them were: the file ends, or there
/// are more than are looked at.
fn cut(count: usize, read: usize, max: usize) -> Option<FlawCode> {
    match read < count.min(max) {
        true => Some(FlawCode::Truncated),
        false => (count > max).then_some(FlawCode::LimitEntries),
    }
}

/// Numbers of a header, in either order of bytes; `None` behind its end.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    bytes: &'a [u8],
    little: bool,
}

impl Numbers<'_> {
    fn get(self, at: usize, len: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(len)?)?;
        Some(number(bytes, self.little))
    }

    fn u16(self, at: usize) -> Option<u64> {
        self.get(at, 2)
    }

    fn u32(self, at: usize) -> Option<u64> {
        self.get(at, 4)
    }

    /// A number as wide as an address.
    fn word(self, at: usize, wide: bool) -> Option<u64> {
        self.get(at, if wide { 8 } else { 4 })
    }
}

/// A number of up to eight bytes, in the order of Intel or the other.
pub(crate) fn number(bytes: &[u8], little: bool) -> u64 {
    let digit = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if little { bytes.iter().rev().fold(0, digit) } else { bytes.iter().fold(0, digit) }
}

/// A name of fixed length, ended by a zero when it is shorter.
fn fixed_name(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn to_len(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
