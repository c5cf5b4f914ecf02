//! Archives that stand in a section of a program: resources of Windows programs, and files that
//! compilers build in.

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;

use memchr::memmem;
use relight_formats::limited::coding::Crc32;
use relight_model::FlawCode;

use super::account::Fate;
use super::level::Member;
use super::metered::Metered;
use super::outer::{Outer, Waiting};
use crate::archive::{directory_place, has_cut_directory, u16_at, u32_at, u64_at};
use crate::cataloger::{Kind, ReadAt};
use crate::limits::Mode;
use crate::program::{Program, Section};
use crate::sniff;
use crate::window::Window;

/// How the names of sections start that hold machine code, or what only linkers and debuggers
/// read. Managed code has its resources where others have their code.
const PASSED: [&str; 19] = [
    ".plt",
    ".init",
    ".fini",
    ".debug",
    ".zdebug",
    ".symtab",
    ".strtab",
    ".shstrtab",
    ".dynsym",
    ".dynstr",
    ".rel",
    ".eh_frame",
    ".gcc_except_table",
    ".gnu",
    ".gopclntab",
    ".itablink",
    ".typelink",
    "__debug",
    "__unwind",
];

/// Bytes of the end record of a zip, and of the start of a 7z and of a cabinet.
const END_BYTES: usize = 22;
const SEVEN_BYTES: usize = 32;
const CABINET_BYTES: usize = 36;

/// Ends of zips and starts of others in one program that are looked at, and those that are opened.
const MARKS_MAX: usize = 1_024;
const ARCHIVES_MAX: usize = 64;

/// How the records start that are looked for.
const ZIP_END: &[u8] = b"PK\x05\x06";
const SEVEN_START: &[u8] = b"7z\xbc\xaf\x27\x1c";
const CABINET_START: &[u8] = b"MSCF\0\0\0\0";
const COMPOUND_START: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// What was found in a program.
enum Inside {
    Archive(Kind, Range<u64>),
    /// Something that is told: an archive of a kind that nobody here opens, or one of which it is
    /// not clear where it ends.
    Told(FlawCode),
}

impl Outer<'_, '_> {
    /// Opens what stands in the sections of a program, but for what was opened before.
    pub(super) fn in_sections(
        &mut self,
        window: &Window,
        opened: &[Range<u64>],
        member: &Member,
    ) -> io::Result<Fate> {
        if self.shared.options.mode == Mode::Fast {
            return Ok(Fate::Opaque);
        }
        let (found, reached) = {
            let source = Metered::new(window, &self.budget);
            let found = archives(window, &source, opened);
            (found, source.reached())
        };
        if let Some(code) = reached {
            self.flaw_once(code, &member.path);
            return Ok(Fate::Flawed);
        }
        let (found, missed) = found?;
        let (mut fate, levels) = (Fate::Opaque, self.levels.len());
        for inside in found {
            fate = fate.max(match inside {
                Inside::Archive(kind, place) => {
                    let window = window.part(place.start, place.end - place.start);
                    if self.levels.len() == levels {
                        self.push_window(kind, window, member)
                    } else {
                        // What it holds open counts when it is its turn.
                        self.waiting.push(Waiting { levels, kind, window, member: member.clone() });
                        Fate::Read
                    }
                }
                Inside::Told(code) => self.unread(code, member),
            });
        }
        Ok(missed.map_or(fate, |code| self.unread(code, member)))
    }
}

/// Whether something stands in the sections of a program that comes by once and is opened, or told,
/// where all of the program is at hand. Zips are found as they come by.
pub(super) fn holds_archives(source: &dyn ReadAt) -> io::Result<bool> {
    let Some(program) = program_of(source)? else { return Ok(false) };
    let mut marks_left = MARKS_MAX;
    for section in program.sections.iter().filter(|section| may_hold(section, program.managed)) {
        let (marks, is_all) = marks(&program, section, marks_left, &[])?;
        marks_left -= marks.len();
        for (at, mark) in marks {
            if mark != Mark::Zip && other(source, section, at, mark)?.is_some() {
                return Ok(true);
            }
        }
        if !is_all {
            return Ok(true);
        }
    }
    Ok(program.cut.is_some())
}

/// The archives in a program that were not opened before, and why these are not all.
fn archives(
    window: &Window,
    source: &dyn ReadAt,
    opened: &[Range<u64>],
) -> io::Result<(Vec<Inside>, Option<FlawCode>)> {
    let Some(program) = program_of(source)? else { return Ok((Vec::new(), None)) };
    let (mut found, mut marks_left, mut missed) = (Vec::new(), MARKS_MAX, program.cut);
    for section in program.sections.iter().filter(|section| may_hold(section, program.managed)) {
        let (marks, is_all) = marks(&program, section, marks_left, opened)?;
        marks_left -= marks.len();
        missed = missed.or((!is_all).then_some(FlawCode::LimitEntries));
        // The archive around another one ends behind it.
        for (at, kind) in marks.into_iter().rev() {
            let is_in = |inside: &Inside| match inside {
                Inside::Archive(_, place) => place.contains(&at),
                Inside::Told(_) => false,
            };
            if found.iter().any(is_in) {
                continue;
            }
            let Some(inside) = inside(window, section, at, kind)? else { continue };
            if let Inside::Told(code) = inside
                && found.iter().any(|it| matches!(it, Inside::Told(told) if *told == code))
            {
                continue;
            }
            if found.len() == ARCHIVES_MAX {
                return Ok((found, Some(FlawCode::LimitEntries)));
            }
            found.push(inside);
        }
    }
    Ok((found, missed))
}

/// The sections of a program; all of it where it has no table of a form that is known. What is
/// wrong with a table is said by the catalogers.
fn program_of(source: &dyn ReadAt) -> io::Result<Option<Program<'_>>> {
    Ok(match Program::open(source) {
        Ok(Some(program)) => Some(program),
        Ok(None) => Some(Program::of_all(source)),
        Err(_) => None,
    })
}

fn may_hold(section: &Section, managed: u32) -> bool {
    let name = section.name.as_str();
    let is_code = matches!(name, ".text" | "__text") && managed == 0;
    !is_code && !PASSED.iter().any(|start| name.starts_with(start))
}

/// Where records start in a section by what they look like, but for what was opened before, and
/// whether these are all; no more than so many.
fn marks(
    program: &Program<'_>,
    section: &Section,
    marks_max: usize,
    opened: &[Range<u64>],
) -> io::Result<(Vec<(u64, Mark)>, bool)> {
    let (mut marks, is_resources) = (BTreeSet::new(), section.name == ".rsrc");
    let mut is_all = true;
    program.pieces(section, section.size, &mut |start, piece| {
        for (mark, kind) in [
            (ZIP_END, Mark::Zip),
            (SEVEN_START, Mark::SevenZip),
            (CABINET_START, Mark::Cabinet),
            (COMPOUND_START, Mark::Compound),
        ] {
            if matches!(kind, Mark::Cabinet | Mark::Compound) && !is_resources {
                continue;
            }
            for at in memmem::find_iter(piece, mark) {
                let place = (section.start + start + at as u64, kind);
                let is_opened = opened.iter().any(|range| range.contains(&place.0));
                if !is_opened && kind.may_start(&piece[at..]) && !marks.contains(&place) {
                    is_all &= marks.len() < marks_max;
                    if is_all {
                        marks.insert(place);
                    }
                }
            }
        }
    })?;
    Ok((marks.into_iter().collect(), is_all))
}

/// Whether an end record says that there are members; one that is cut may.
fn is_end(record: &[u8]) -> bool {
    record.len() < END_BYTES || u16_at(record, 10) > 0 && u32_at(record, 12) > 0
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Zip,
    SevenZip,
    Cabinet,
    Compound,
}

impl Mark {
    /// Whether a record may start so. A piece that ends in it goes on in the next one.
    fn may_start(self, bytes: &[u8]) -> bool {
        match self {
            Self::Zip => is_end(bytes),
            Self::SevenZip => seven_bytes(bytes).is_some(),
            Self::Cabinet => cabinet_bytes(bytes).is_some(),
            Self::Compound => true,
        }
    }
}

/// How long a 7z is that starts so, when that is sound.
fn seven_bytes(start: &[u8]) -> Option<u64> {
    let start = start.get(..SEVEN_BYTES)?;
    let rest = u64_at(start, 12).saturating_add(u64_at(start, 20));
    let is_sound = rest > 0 && u32_at(start, 8) == Crc32::of(&start[12..]);
    is_sound.then(|| rest.saturating_add(SEVEN_BYTES as u64))
}

/// How long a cabinet is that starts so: one of this version of the format, with files in it.
fn cabinet_bytes(start: &[u8]) -> Option<u64> {
    let start = start.get(..CABINET_BYTES)?;
    let is_sound = u16_at(start, 24) == 0x0103 && u16_at(start, 28) > 0;
    is_sound.then(|| u32_at(start, 8).into())
}

/// What stands where a record seems to be.
fn inside(window: &Window, section: &Section, at: u64, mark: Mark) -> io::Result<Option<Inside>> {
    let end = section.start.saturating_add(section.size);
    Ok(match mark {
        Mark::Zip => {
            let record = window.read(at, END_BYTES)?;
            let comment = u64::from(u16_at(&record, 20));
            let zip_end = at + END_BYTES as u64 + comment;
            let part = window.part(0, zip_end.min(end));
            let place = directory_place(&part, END_BYTES as u64 + comment)?;
            let is_whole = |place: &Range<u64>| {
                let is_its_own = place.contains(&at) && place.end == zip_end;
                is_its_own && place.start >= section.start && zip_end <= end
            };
            match place.filter(is_whole) {
                Some(place) => Some(Inside::Archive(Kind::Zip, place)),
                // Another one in its comment, or a comment that is cut.
                None => has_cut_directory(&window.part(0, at + END_BYTES as u64))?
                    .then_some(Inside::Told(FlawCode::ZipBoundaryAmbiguous)),
            }
        }
        _ => other(window, section, at, mark)?,
    })
}

/// The same of what is no zip.
fn other(
    source: &dyn ReadAt,
    section: &Section,
    at: u64,
    mark: Mark,
) -> io::Result<Option<Inside>> {
    let told = Inside::Told(FlawCode::ContainerUnsupported);
    let room = section.start.saturating_add(section.size).saturating_sub(at);
    let start = source.read_at(at, CABINET_BYTES)?;
    Ok(match mark {
        Mark::Zip => None,
        // Its start has a checksum, so it is one, also where its end is missing.
        Mark::SevenZip => seven_bytes(&start).map(|bytes| match bytes <= room {
            true => Inside::Archive(Kind::SevenZip, at..at + bytes),
            false => Inside::Told(FlawCode::Truncated),
        }),
        Mark::Cabinet => cabinet_bytes(&start).is_some_and(|bytes| bytes <= room).then_some(told),
        Mark::Compound => sniff::is_installer(source, at)?.then_some(told),
    })
}
