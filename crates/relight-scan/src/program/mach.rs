//! Sections of Mach-O (`mach-o/loader.h`), also of files for several machines.

use std::io;

use super::{Numbers, SECTIONS_MAX, Section, Table, fixed_name, to_len};
use crate::cataloger::ReadAt;

/// Bytes of the load commands of one machine.
const COMMANDS_BYTES_MAX: u64 = 1 << 20;

/// Machines in one file.
const MACHINES_MAX: usize = 16;

/// The load commands that hold sections, for 32 and 64 bits.
const SEGMENT: [u64; 2] = [0x1, 0x19];

pub(super) fn table(source: &dyn ReadAt, head: &[u8]) -> io::Result<Option<Table>> {
    let fat = Numbers { bytes: head, little: false };
    if fat.u32(0) != Some(0xcafe_babe) {
        return one(source, 0);
    }
    let machines = to_len(fat.u32(4).unwrap_or(0)).min(MACHINES_MAX);
    let bytes = source.read_at(8, machines * 20)?;
    let mut all: Option<Table> = None;
    for machine in bytes.chunks_exact(20) {
        let numbers = Numbers { bytes: machine, little: false };
        let Some(table) = one(source, numbers.u32(8).unwrap_or(0))? else { continue };
        match &mut all {
            Some(all) => all.sections.extend(table.sections),
            None => all = Some(table),
        }
    }
    Ok(all)
}

/// The program of one machine, which starts at `base`.
fn one(source: &dyn ReadAt, base: u64) -> io::Result<Option<Table>> {
    let head = source.read_at(base, 32)?;
    let (wide, little) = match head.get(..4) {
        Some([0xcf, 0xfa, 0xed, 0xfe]) => (true, true),
        Some([0xce, 0xfa, 0xed, 0xfe]) => (false, true),
        Some([0xfe, 0xed, 0xfa, 0xcf]) => (true, false),
        Some([0xfe, 0xed, 0xfa, 0xce]) => (false, false),
        _ => return Ok(None),
    };
    let numbers = Numbers { bytes: &head, little };
    let size = numbers.u32(20).unwrap_or(0).min(COMMANDS_BYTES_MAX);
    let start = base + if wide { 32 } else { 28 };
    let commands = source.read_at(start, to_len(size))?;
    let mut sections = Vec::new();
    let mut rest = commands.as_slice();
    while let Some(len) = (Numbers { bytes: rest, little }).u32(4) {
        let len = to_len(len);
        let Some(command) = rest.get(..len).filter(|_| len >= 8) else { break };
        segment(command, base, wide, little, &mut sections);
        rest = &rest[len..];
    }
    sections.truncate(SECTIONS_MAX);
    Ok(Some(Table { sections, little, managed: 0 }))
}

fn segment(command: &[u8], base: u64, wide: bool, little: bool, out: &mut Vec<Section>) {
    let numbers = Numbers { bytes: command, little };
    if numbers.u32(0) != Some(SEGMENT[usize::from(wide)]) {
        return;
    }
    let (header, entry) = if wide { (72, 80) } else { (56, 68) };
    let sections = command.get(header..).unwrap_or_default().chunks_exact(entry);
    out.extend(sections.filter_map(|bytes| {
        let numbers = Numbers { bytes, little };
        let at = if wide { [40, 48] } else { [36, 40] };
        Some(Section {
            name: fixed_name(&bytes[..16]),
            address: numbers.word(32, wide)?,
            size: numbers.word(at[0], wide)?,
            start: base + numbers.u32(at[1])?,
        })
    }));
}
