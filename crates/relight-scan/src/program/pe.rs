//! Section headers of PE (Microsoft "PE Format").

use std::io;

use super::{Numbers, SECTIONS_MAX, Section, Table, cut, fixed_name, to_len};
use crate::cataloger::ReadAt;

/// Bytes of a file header with its mark.
const FILE_HEADER_BYTES: usize = 24;

/// Bytes of one section header.
const SECTION_HEADER_BYTES: usize = 40;

/// Which entry of the data directories is the header of managed code.
const MANAGED: usize = 14;

pub(super) fn table(source: &dyn ReadAt, head: &[u8]) -> io::Result<Option<Table>> {
    let dos = Numbers { bytes: head, little: true };
    let Some(start) = dos.u32(0x3c) else { return Ok(None) };
    let bytes = source.read_at(start, FILE_HEADER_BYTES)?;
    let header = Numbers { bytes: &bytes, little: true };
    let (Some(mark), Some(count), Some(optional_len)) =
        (header.u32(0), header.u16(6), header.u16(20))
    else {
        return Ok(None);
    };
    if mark != 0x4550 {
        return Ok(None);
    }
    let start = start + FILE_HEADER_BYTES as u64;
    let optional = source.read_at(start, to_len(optional_len))?;
    let len = to_len(count).min(SECTIONS_MAX) * SECTION_HEADER_BYTES;
    let bytes = source.read_at(start + optional_len, len)?;
    let parts = bytes.chunks_exact(SECTION_HEADER_BYTES);
    let cut = cut(to_len(count), parts.len(), SECTIONS_MAX);
    let sections = parts.filter_map(section).collect();
    let managed = managed(&optional).unwrap_or(0);
    Ok(Some(Table { sections, little: true, managed, cut }))
}

/// Addresses are relative to where the program is loaded.
fn section(bytes: &[u8]) -> Option<Section> {
    let numbers = Numbers { bytes, little: true };
    Some(Section {
        name: fixed_name(&bytes[..8]),
        address: numbers.u32(12)?,
        size: numbers.u32(16)?,
        start: numbers.u32(20)?,
    })
}

fn managed(optional: &[u8]) -> Option<u32> {
    let numbers = Numbers { bytes: optional, little: true };
    let directories = if numbers.u16(0)? == 0x20b { 112 } else { 96 };
    u32::try_from(numbers.u32(directories + 8 * MANAGED)?).ok()
}
