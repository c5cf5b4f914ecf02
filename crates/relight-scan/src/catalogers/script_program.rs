//! Programs that carry scripts and what runs them: Node.js, Deno and Bun.

use std::io;

use memchr::memmem;
use relight_model::{Catalog, FlawCode};

use crate::cataloger::{File, Kind, ReadAt, Select};
use crate::program::Program;
use crate::reader::{self, Reader};

/// Which packages are in such a program only its scripts say, bundled into one text or compiled to
/// code of a virtual machine: they are recognised and not read. The runtime itself, without scripts
/// of anybody, bears none of these marks.
pub(super) const PLUGIN: Reader = Reader {
    name: "script_program",
    selects: &[Select::Kind(Kind::Elf), Select::Kind(Kind::Pe), Select::Kind(Kind::MachO)],
    read,
};

/// The fuse of a single executable application of Node.js (`postject`).
const FUSE: &[u8] = b"NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/// What stands behind one that was blown. Apart from it: this program holds both.
const BLOWN: &[u8] = b":1";

/// Where `pkg` writes the place of its payload into the runtime: digits, when there is one.
const PAYLOAD_PLACE: &[u8] = b"PAYLOAD_POSITION = '";

/// What frames the scripts in front of or behind everything else of a program: `deno compile`,
/// `bun build --compile`, `nexe`. Runtimes name these marks among their constants as well.
const FRAMES: [&[u8]; 3] = [b"d3n0l4nd", b"\n---- Bun! ----\n", b"<nexe~~sentinel>"];

/// Sections that hold them where they were put into the format of the program. They start with a
/// mark or a length; that of Bun is there without scripts as well, and zero.
const SECTIONS: [&str; 5] = [".bun", "__bun", "__d3n0l4nd", "d3n0l4nd", ".d3n0l4nd"];

/// Bytes of such a length.
const LENGTH_BYTES: usize = 8;

/// Resources of a program of Windows: Deno puts its scripts there.
const RESOURCES: &str = ".rsrc";

/// Bytes at the start of what stands behind the last section, and at the end of the file, in which
/// a frame is looked for.
const FRAME_BYTES: usize = 16 << 10;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    let found = Program::open(source).and_then(|program| match program {
        Some(program) => has_scripts(&program, source),
        None => Ok(false),
    });
    match found {
        Ok(true) => out.unlisted = Some(FlawCode::NodeUnlisted),
        Ok(false) => {}
        Err(error) => reader::bad(file, reader::PROGRAM, error.to_string(), out),
    }
}

fn has_scripts(program: &Program<'_>, source: &dyn ReadAt) -> io::Result<bool> {
    let own = program.sections.iter().filter(|it| SECTIONS.contains(&it.name.as_str()));
    for section in own {
        let start = source.read_at(section.start, LENGTH_BYTES.min(section.size as usize))?;
        if start.iter().any(|byte| *byte != 0) {
            return Ok(true);
        }
    }
    if is_framed(program, source)? {
        return Ok(true);
    }
    if let Some(resources) = program.section(&[RESOURCES])
        && program.find(resources, FRAMES[0], |_| true)?.is_some()
    {
        return Ok(true);
    }
    let mut is_there = false;
    program.constants(|piece| {
        let has_place =
            |at: usize| piece.get(at + PAYLOAD_PLACE.len()).is_some_and(u8::is_ascii_digit);
        let is_blown = |at: usize| piece[at + FUSE.len()..].starts_with(BLOWN);
        is_there |= memmem::find_iter(piece, FUSE).any(is_blown)
            || memmem::find_iter(piece, PAYLOAD_PLACE).any(has_place);
    })?;
    Ok(is_there)
}

/// Whether scripts stand behind the last section.
fn is_framed(program: &Program<'_>, source: &dyn ReadAt) -> io::Result<bool> {
    let ends = program.sections.iter().map(|it| it.start.saturating_add(it.size));
    let end = ends.max().unwrap_or_default();
    let tail = source.size().saturating_sub(FRAME_BYTES as u64).max(end);
    for at in [end, tail] {
        let bytes = source.read_at(at, FRAME_BYTES)?;
        if FRAMES.iter().any(|frame| memmem::find(&bytes, frame).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}
