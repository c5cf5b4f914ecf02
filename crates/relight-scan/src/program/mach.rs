//! Sections of Mach-O (`mach-o/loader.h`), also of files for several machines.

use std::io;

use relight_model::FlawCode;

use super::{Numbers, SECTIONS_MAX, Section, Table, fixed_name, to_len};
use crate::cataloger::ReadAt;

/// Bytes of the load commands of one machine.
const COMMANDS_BYTES_MAX: u64 = 1 << 20;

/// Machines in one file.
const MACHINES_MAX: usize = 16;

/// The load commands that hold sections, for 32 and 64 bits.
const SEGMENT: [u64; 2] = [0x1, 0x19];

/// Types of sections that are zeros when the program starts: they have a size, and no bytes in the
/// file (`__bss`, `__common`, `__thread_bss`).
const ZEROS: [u64; 3] = [0x1, 0xc, 0x12];

/// The load command that says where the signature of one machine's program stands.
const SIGNATURE: u64 = 0x1d;

pub(super) fn table(source: &dyn ReadAt, head: &[u8]) -> io::Result<Option<Table>> {
    let mut all: Option<Table> = None;
    let (machines, mut cut) = machines(source, head)?;
    for (base, _) in machines {
        let Some(commands) = Commands::read(source, base)? else { continue };
        let mut sections = Vec::new();
        for command in commands.each() {
            segment(command, base, commands.wide, commands.little, &mut sections);
        }
        let of_sections = super::cut(sections.len(), SECTIONS_MAX, SECTIONS_MAX);
        cut = cut.or(commands.cut).or(of_sections);
        sections.truncate(SECTIONS_MAX);
        match &mut all {
            Some(all) => all.sections.extend(sections),
            None => {
                let little = commands.little;
                all = Some(Table { sections, little, managed: 0, cut: None });
            }
        }
    }
    Ok(all.map(|table| Table { cut, ..table }))
}

/// Where the programs of a file start, how long they are where that is said, and why there are
/// more.
fn machines(source: &dyn ReadAt, head: &[u8]) -> io::Result<(Machines, Option<FlawCode>)> {
    let fat = Numbers { bytes: head, little: false };
    // The second form has offsets and sizes of 64 bits.
    let (wide, len) = match fat.u32(0) {
        Some(0xcafe_babe) => (false, 20),
        Some(0xcafe_babf) => (true, 32),
        _ => return Ok((vec![(0, None)], None)),
    };
    let count = to_len(fat.u32(4).unwrap_or(0));
    let bytes = source.read_at(8, count.min(MACHINES_MAX) * len)?;
    let place = |machine: &[u8]| {
        let numbers = Numbers { bytes: machine, little: false };
        let size = if wide { 16 } else { 12 };
        (numbers.word(8, wide).unwrap_or(0), numbers.word(size, wide))
    };
    let places: Machines = bytes.chunks_exact(len).map(place).collect();
    let cut = super::cut(count, places.len(), MACHINES_MAX);
    Ok((places, cut))
}

type Machines = Vec<(u64, Option<u64>)>;

/// Where the programs of a file end, each, and where their signatures start: those stand at the
/// end, and what was put behind a program before it was signed stands in front of them.
///
/// # Errors
/// Those of the file.
pub(crate) fn ends(source: &dyn ReadAt) -> io::Result<(Vec<u64>, Vec<u64>)> {
    let head = source.read_at(0, 32)?;
    let (mut ends, mut signatures) = (Vec::new(), Vec::new());
    // What says that it ends behind the file says nothing about where something else starts.
    let is_inside = |end: &u64| *end <= source.size();
    for (base, len) in machines(source, &head)?.0 {
        let Some(commands) = Commands::read(source, base)? else { continue };
        let mut end = commands.end;
        for command in commands.each() {
            let numbers = Numbers { bytes: command, little: commands.little };
            if numbers.u32(0) == Some(SIGNATURE) {
                signatures.extend(numbers.u32(8).map(|at| base.saturating_add(at)));
            }
            let of_command = commands.ends_of(command).map(|end| base.saturating_add(end));
            end = of_command.filter(is_inside).fold(end, u64::max);
        }
        let whole = len.map(|len| base.saturating_add(len)).filter(is_inside);
        ends.push(whole.map_or(end, |whole| end.max(whole)));
    }
    Ok((ends, signatures))
}

/// The load commands of the program of one machine.
struct Commands {
    bytes: Vec<u8>,
    wide: bool,
    little: bool,
    /// Where they end in the file.
    end: u64,
    /// Why there are more than these.
    cut: Option<FlawCode>,
}

impl Commands {
    /// Those of the program that starts at `base`.
    fn read(source: &dyn ReadAt, base: u64) -> io::Result<Option<Self>> {
        let head = source.read_at(base, 32)?;
        let (wide, little) = match head.get(..4) {
            Some([0xcf, 0xfa, 0xed, 0xfe]) => (true, true),
            Some([0xce, 0xfa, 0xed, 0xfe]) => (false, true),
            Some([0xfe, 0xed, 0xfa, 0xcf]) => (true, false),
            Some([0xfe, 0xed, 0xfa, 0xce]) => (false, false),
            _ => return Ok(None),
        };
        let numbers = Numbers { bytes: &head, little };
        let declared = numbers.u32(20).unwrap_or(0);
        let size = declared.min(COMMANDS_BYTES_MAX);
        let start = base.saturating_add(if wide { 32 } else { 28 });
        let bytes = source.read_at(start, to_len(size))?;
        let cut = super::cut(to_len(declared), bytes.len(), COMMANDS_BYTES_MAX as usize);
        Ok(Some(Self { bytes, wide, little, end: start.saturating_add(size), cut }))
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || {
            let len = to_len(Numbers { bytes: rest, little: self.little }.u32(4)?);
            let command = rest.get(..len).filter(|_| len >= 8)?;
            rest = &rest[len..];
            Some(command)
        })
    }

    /// Where the bytes of a segment and of its sections end; nothing for any other command.
    fn ends_of<'a>(&self, command: &'a [u8]) -> impl Iterator<Item = u64> + use<'a> {
        let (wide, little) = (self.wide, self.little);
        let numbers = Numbers { bytes: command, little };
        let [at, size] = if wide { [40, 48] } else { [32, 36] };
        let own = numbers.word(at, wide).zip(numbers.word(size, wide));
        let own = own.filter(|_| numbers.u32(0) == Some(SEGMENT[usize::from(wide)]));
        let of_section = move |bytes: &[u8]| {
            let numbers = Numbers { bytes, little };
            let [at, size, flags] = if wide { [48, 40, 64] } else { [40, 36, 56] };
            let is_zeros = ZEROS.contains(&(numbers.u32(flags)? & 0xff));
            // At the start of the file stands its header; 0 is what sections say that were left
            // out (files of symbols).
            let is_there = |(at, _): &(u64, u64)| !is_zeros && *at > 0;
            Some((numbers.u32(at)?, numbers.word(size, wide)?)).filter(is_there)
        };
        let parts =
            own.into_iter().chain(sections_of(command, wide, little).filter_map(of_section));
        parts.map(|(at, size)| at.saturating_add(size))
    }
}

/// The entries of the sections of a segment; nothing for any other command.
fn sections_of(command: &[u8], wide: bool, little: bool) -> impl Iterator<Item = &[u8]> {
    let is_segment = Numbers { bytes: command, little }.u32(0) == Some(SEGMENT[usize::from(wide)]);
    let (header, entry) = if wide { (72, 80) } else { (56, 68) };
    let entries = command.get(header..).filter(|_| is_segment).unwrap_or_default();
    entries.chunks_exact(entry)
}

fn segment(command: &[u8], base: u64, wide: bool, little: bool, out: &mut Vec<Section>) {
    out.extend(sections_of(command, wide, little).filter_map(|bytes| {
        let numbers = Numbers { bytes, little };
        let at = if wide { [40, 48] } else { [36, 40] };
        Some(Section {
            name: fixed_name(&bytes[..16]),
            address: numbers.word(32, wide)?,
            size: numbers.word(at[0], wide)?,
            start: base.saturating_add(numbers.u32(at[1])?),
        })
    }));
}
