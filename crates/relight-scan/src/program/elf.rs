//! Section headers of ELF (System V ABI, chapter 4); segments where there are none.

use std::io;

use relight_model::FlawCode;

use super::{Numbers, SECTIONS_MAX, Section, Table, cut, fixed_name, to_len};
use crate::cataloger::ReadAt;

/// Bytes of the table of section names.
const NAMES_BYTES_MAX: u64 = 1 << 20;

/// A section without bytes in the file.
const NO_BITS: u64 = 8;

pub(super) fn table(source: &dyn ReadAt, head: &[u8]) -> io::Result<Option<Table>> {
    let (Some(class), Some(order)) = (head.get(4), head.get(5)) else { return Ok(None) };
    let (wide, little) = (*class == 2, *order != 2);
    let numbers = Numbers { bytes: head, little };
    let Some(found) = headers(numbers, wide) else { return Ok(None) };
    let mut sections = sections(source, &found, wide, little)?;
    let mut cut = cut(to_len(found.count), SECTIONS_MAX, SECTIONS_MAX);
    if sections.is_empty() {
        (sections, cut) = segments(source, numbers, wide)?;
    }
    Ok(Some(Table { sections, little, managed: 0, cut }))
}

/// Where the section headers stand.
struct Headers {
    start: u64,
    entry: u64,
    count: u64,
    names: u64,
}

fn headers(numbers: Numbers<'_>, wide: bool) -> Option<Headers> {
    let at = if wide { [0x28, 0x3a, 0x3c, 0x3e] } else { [0x20, 0x2e, 0x30, 0x32] };
    Some(Headers {
        start: numbers.word(at[0], wide)?,
        entry: numbers.u16(at[1])?,
        count: numbers.u16(at[2])?,
        names: numbers.u16(at[3])?,
    })
}

fn sections(
    source: &dyn ReadAt,
    headers: &Headers,
    wide: bool,
    little: bool,
) -> io::Result<Vec<Section>> {
    let entry = to_len(headers.entry);
    let count = to_len(headers.count).min(SECTIONS_MAX);
    if headers.start == 0 || entry < if wide { 64 } else { 40 } {
        return Ok(Vec::new());
    }
    let bytes = source.read_at(headers.start, entry * count)?;
    if bytes.len() < entry * count {
        return Err(io::Error::other("the program ends in front of its section headers"));
    }
    let raw: Vec<_> =
        bytes.chunks_exact(entry).filter_map(|bytes| header(bytes, wide, little)).collect();
    let names = match raw.get(to_len(headers.names)) {
        Some((_, names, _)) => {
            source.read_at(names.start, to_len(names.size.min(NAMES_BYTES_MAX)))?
        }
        None => Vec::new(),
    };
    let named = raw.into_iter().filter(|(_, _, kind)| *kind != NO_BITS);
    Ok(named
        .map(|(name, section, _)| Section {
            name: fixed_name(names.get(to_len(name)..).unwrap_or_default()),
            ..section
        })
        .collect())
}

/// Place of the name, section without it, and its type.
fn header(bytes: &[u8], wide: bool, little: bool) -> Option<(u64, Section, u64)> {
    let numbers = Numbers { bytes, little };
    let at = if wide { [16, 24, 32] } else { [12, 16, 20] };
    let section = Section {
        name: String::new(),
        address: numbers.word(at[0], wide)?,
        start: numbers.word(at[1], wide)?,
        size: numbers.word(at[2], wide)?,
    };
    Some((numbers.u32(0)?, section, numbers.u32(4)?))
}

/// Loaded segments under the names of what they mostly hold, and why there are more: a program
/// without section headers runs as well as any.
fn segments(
    source: &dyn ReadAt,
    numbers: Numbers<'_>,
    wide: bool,
) -> io::Result<(Vec<Section>, Option<FlawCode>)> {
    let at = if wide { [0x20, 0x36, 0x38] } else { [0x1c, 0x2a, 0x2c] };
    let fields = (numbers.word(at[0], wide), numbers.u16(at[1]), numbers.u16(at[2]));
    let (Some(start), Some(entry), Some(count)) = fields else { return Ok((Vec::new(), None)) };
    let (entry, count) = (to_len(entry), to_len(count));
    if entry < if wide { 56 } else { 32 } {
        return Ok((Vec::new(), cut(count, 0, SECTIONS_MAX)));
    }
    let bytes = source.read_at(start, entry * count.min(SECTIONS_MAX))?;
    let segment = |bytes: &[u8]| {
        let numbers = Numbers { bytes, little: numbers.little };
        let at = if wide { [4, 8, 16, 32] } else { [24, 4, 8, 16] };
        let writable = numbers.u32(at[0])? & 2 != 0;
        let loaded = numbers.u32(0)? == 1;
        loaded.then_some(Section {
            name: if writable { ".data" } else { ".rodata" }.to_owned(),
            start: numbers.word(at[1], wide)?,
            address: numbers.word(at[2], wide)?,
            size: numbers.word(at[3], wide)?,
        })
    };
    let parts = bytes.chunks_exact(entry);
    let cut = cut(count, parts.len(), SECTIONS_MAX);
    Ok((parts.filter_map(segment).collect(), cut))
}
