//! Go programs: the build information that the linker leaves in each, or that there is none.

use std::io;

use memchr::memmem;
use relight_model::{Basis, Catalog, FlawCode, Purl};

use super::go_mod::module;
use crate::cataloger::{File, Kind, Select};
use crate::program::{Program, Section, number};
use crate::reader::{self, Reader};

/// `debug/buildinfo` of Go: the main module, its dependencies with replacements, and the version
/// of the compiler, which is that of the standard library. Build settings are never kept: linker
/// flags hold what people put there. Builders without modules write no list, and some tools cut it
/// out: then what is in the program cannot be seen.
pub(super) const PLUGIN: Reader = Reader {
    name: "go_program",
    selects: &[Select::Kind(Kind::Elf), Select::Kind(Kind::Pe), Select::Kind(Kind::MachO)],
    read,
};

const MAGIC: &[u8] = b"\xff Go buildinf:";

/// Tables and notes that only the linker of Go writes, as each format names their sections.
const MARKS: [&str; 5] =
    [".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab", ".note.go.buildid", ".go.buildinfo"];

/// How the code of a program of Go starts, unless it was left out.
const BUILD_ID: &[u8] = b"\xff Go build ID: \"";

/// Bytes of code in which that is looked for.
const BUILD_ID_BYTES: u64 = 4 << 10;

/// How the table of functions starts, behind its first byte: zeros, and the sizes of instructions
/// and addresses. Programs of Windows have it among their constants.
const TABLES: [&[u8]; 2] = [b"\xff\xff\xff\0\0\x01\x08", b"\xff\xff\xff\0\0\x04\x08"];

/// The first byte, by the version of the table: 1.2, 1.16, 1.18, 1.20.
const TABLE_VERSIONS: [u8; 4] = [0xfb, 0xfa, 0xf0, 0xf1];

/// Bytes of the list of modules.
const MODULES_BYTES_MAX: u64 = 4 << 20;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    let found = Program::open(source).and_then(|program| {
        let Some(program) = program else { return Ok(None) };
        let found = build_information(&program)?;
        if found.is_none() && is_go(&program)? {
            out.unlisted = Some(FlawCode::GoUnlisted);
        }
        Ok(found)
    });
    match found {
        Ok(None) => {}
        Ok(Some(Some((version, modules)))) => push(&version, &modules, file, out),
        Ok(Some(None)) => {
            reader::bad(file, reader::PROGRAM, "cut build information of Go", out);
        }
        Err(error) => reader::bad(file, reader::PROGRAM, error.to_string(), out),
    }
}

/// Whether something that only Go leaves in a program is in it.
fn is_go(program: &Program<'_>) -> io::Result<bool> {
    if program.section(&MARKS).is_some() {
        return Ok(true);
    }
    if let Some(code) = program.section(&[".text", "__text"]) {
        let start = Section { size: code.size.min(BUILD_ID_BYTES), ..code.clone() };
        if memmem::find(&program.read(&start)?, BUILD_ID).is_some() {
            return Ok(true);
        }
    }
    let Some(constants) = program.section(&[".rdata"]) else { return Ok(false) };
    let mut is_there = false;
    program.each_piece(constants, |piece| {
        is_there |= TABLES.iter().any(|table| {
            let mut places = memmem::find_iter(piece, table);
            places.any(|at| at > 0 && TABLE_VERSIONS.contains(&piece[at - 1]))
        });
    })?;
    Ok(is_there)
}

/// Version of the compiler, and the text of the modules. Outer `None`: not a Go program; inner:
/// its information is damaged.
type Found = Option<Option<(String, String)>>;

fn build_information(program: &Program<'_>) -> io::Result<Found> {
    let own = program.section(&[".go.buildinfo", "__go_buildinfo"]);
    // Windows programs have it at the start of their data.
    let Some(section) = own.or_else(|| program.section(&[".data", "__data"])) else {
        return Ok(None);
    };
    let Some(at) = program.find(section, MAGIC, |at| at.is_multiple_of(16))? else {
        return Ok(None);
    };
    let bytes = program.read_from(section, at)?;
    let (Some(pointer), Some(flags)) = (bytes.get(14), bytes.get(15)) else {
        return Ok(Some(None));
    };
    if flags & 2 != 0 {
        // Go 1.18 and later: both texts stand behind the header, each with its length.
        let inline = || {
            let (version, rest) = counted(bytes.get(32..)?)?;
            Some((text(version), text(counted(rest)?.0)))
        };
        return Ok(Some(inline()));
    }
    let mut texts = [String::new(), String::new()];
    for (index, text) in texts.iter_mut().enumerate() {
        let size = usize::from(*pointer);
        let place = 16 + index * size;
        let Some(address) = word(bytes.get(place..place + size), program.little) else {
            return Ok(Some(None));
        };
        match pointed(program, address, size)? {
            Some(found) => *text = found,
            None => return Ok(Some(None)),
        }
    }
    let [version, modules] = texts;
    Ok(Some(Some((version, modules))))
}

/// Before Go 1.18: a pointer to a string header, which points to the text.
fn pointed(program: &Program<'_>, address: u64, size: usize) -> io::Result<Option<String>> {
    if address == 0 {
        return Ok(Some(String::new()));
    }
    let Some(header) = program.loaded(address, 2 * size as u64)? else { return Ok(None) };
    let at = word(header.get(..size), program.little);
    let len = word(header.get(size..2 * size), program.little);
    let Some((at, len)) = at.zip(len.filter(|len| *len <= MODULES_BYTES_MAX)) else {
        return Ok(None);
    };
    Ok(program.loaded(at, len)?.map(|bytes| text(&bytes)))
}

/// A word whose length the program says itself; `None` when it is no word.
fn word(bytes: Option<&[u8]>, little: bool) -> Option<u64> {
    bytes.filter(|bytes| bytes.len() <= 8).map(|bytes| number(bytes, little))
}

/// A text behind its length as a variable-length number.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut len, mut shift) = (0_usize, 0);
    for (at, byte) in bytes.iter().enumerate().take(4) {
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(len);
        }
    }
    None
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `mod` and `dep` lines, each perhaps followed by `=>`, its replacement.
fn push(compiler: &str, modules: &str, file: &File<'_>, out: &mut Catalog) {
    let (mut found, mut own): (Vec<Purl>, _) = (Vec::new(), None);
    for line in modules.lines() {
        // The list stands between two marks of 16 bytes that are no text.
        let line = line.find("path\t").map_or(line, |at| &line[at..]);
        let fields: Vec<&str> = line.splitn(5, '\t').collect();
        match fields[..] {
            ["path", path] => own = module_of(path),
            ["mod" | "dep", path, version, ..] => found.push(module(path, released(version))),
            ["=>", path, ref rest @ ..] => {
                let version = released(rest.first().copied().unwrap_or_default());
                replace(found.last_mut(), path, version);
            }
            _ => {}
        }
    }
    // Distributions build without modules: only the path of the package is there.
    if found.is_empty() {
        out.unlisted = Some(FlawCode::GoUnlisted);
        found.extend(own.map(|path| module(path, "")));
    }
    let version = compiler.strip_prefix("go").unwrap_or_default();
    let version = version.split(' ').next().unwrap_or(version);
    found.push(Purl::new("golang", "", "stdlib", version));
    for purl in found {
        reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
}

/// Puts its replacement in the place of a module. A folder has no version, and what is in it may be
/// any version of the module: that stays under its own name, without one.
fn replace(replaced: Option<&mut Purl>, path: &str, version: &str) {
    let Some(replaced) = replaced else { return };
    if version.is_empty() || path.starts_with(['.', '/']) {
        replaced.version.clear();
    } else {
        *replaced = module(path, version);
    }
}

/// Hosts whose repositories are modules: an owner and a name behind each.
const HOSTS: [&str; 5] = ["bitbucket.org", "codeberg.org", "gitea.com", "github.com", "gitlab.com"];

/// The module of a package, where its path alone tells: the repository, and the major version of
/// which the import path of a later one must speak.
fn module_of(path: &str) -> Option<&str> {
    let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).collect();
    let is_host = HOSTS.contains(&&path[..*ends.first()?]);
    let end = *ends.get(2).filter(|_| is_host)?;
    let next = ends.get(3).map(|next| &path[end + 1..*next]);
    let is_major = |it: &str| {
        it.strip_prefix('v').is_some_and(|it| it.parse::<u16>().is_ok_and(|number| number > 1))
    };
    Some(if next.is_some_and(is_major) { &path[..ends[3]] } else { &path[..end] })
}

/// A program built from its own source tree has no version.
fn released(version: &str) -> &str {
    if version == "(devel)" { "" } else { version }
}
