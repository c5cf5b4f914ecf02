//! .NET: assemblies by their version resource, programs with everything in one file, and those that
//! were compiled ahead of time.

use std::io;

use memchr::memmem;
use relight_model::{Basis, Catalog, Dotnet, FlawCode, Purl};

use super::deps_json::libraries;
use crate::cataloger::{File, Kind, ReadAt, Select};
use crate::program::{Program, SECTION_BYTES_MAX, number};
use crate::reader::{self, Reader};

/// Managed code only: a program of Windows without its header is none of .NET. What was compiled
/// ahead of time (Native AOT) names nothing that it was made of.
pub(super) const PLUGIN: Reader = Reader {
    name: "dotnet_program",
    selects: &[Select::Kind(Kind::Pe), Select::Kind(Kind::Elf), Select::Kind(Kind::MachO)],
    read,
};

/// The mark of a bundle (`bundle_marker.cpp` of the .NET host); the place of its header stands in
/// the eight bytes in front.
const BUNDLE: [u8; 32] = [
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
    0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
];

/// Sections that only the compiler ahead of time writes; names of PE have eight bytes.
const COMPILED: [&str; 4] = [".managed", "hydrated", "__managedcode", ".dotnet_eh_table"];

/// What a program that was compiled ahead of time exports for debuggers.
const COMPILED_SYMBOL: &[u8] = b"\0DotNetRuntimeDebugHeader\0";

/// How Costura names what it puts into an assembly: libraries of machine code by the machine as
/// well, and how those names end.
const COSTURA: &[u8] = b"\0costura";
const COSTURA_MACHINES: [&[u8]; 7] =
    [b".", b"32.", b"64.", b"_win_x86.", b"_win_x64.", b"_win_arm64.", b"_win_arm."];
const COSTURA_ENDINGS: [&[u8]; 4] = [b".dll.compressed", b".dll", b".exe.compressed", b".exe"];

/// How ILRepack names the list of those that it joined.
const ILREPACK: &[u8] = b"\0ILRepack.List\0";

/// Bytes of the list of libraries in a bundle.
const DEPS_BYTES_MAX: u64 = 16 << 20;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    let done = Program::open(source).and_then(|program| {
        let Some(program) = program else { return Ok(()) };
        if program.managed != 0 {
            if holds_others(&program)? {
                out.unlisted = Some(FlawCode::DotnetUnlisted);
            }
            return assembly(&program, file, out);
        }
        if is_compiled(&program)? {
            out.unlisted = Some(FlawCode::DotnetUnlisted);
        }
        match bundle(&program, source)? {
            Some(Ok(json)) => {
                let inner = File::of_bytes(file.path, &json);
                if let Some(document) = reader::json(&inner, reader::PROGRAM, out) {
                    libraries(&document, &inner, out);
                }
            }
            Some(Err(message)) => reader::bad(file, reader::PROGRAM, message, out),
            None => {}
        }
        Ok(())
    });
    if let Err(error) = done {
        let error: io::Error = error;
        reader::bad(file, reader::PROGRAM, error.to_string(), out);
    }
}

/// Whether it was compiled ahead of time.
fn is_compiled(program: &Program<'_>) -> io::Result<bool> {
    if program.section(&COMPILED).is_some() {
        return Ok(true);
    }
    let Some(names) = program.section(&[".dynstr"]) else { return Ok(false) };
    Ok(program.find(names, COMPILED_SYMBOL, |_| true)?.is_some())
}

/// Whether other assemblies were put into one, packed or joined with it: by the names that Costura
/// gives to resources, and by the list that ILRepack leaves.
fn holds_others(program: &Program<'_>) -> io::Result<bool> {
    let mut is_one = false;
    for section in program.sections.iter().filter(|section| section.name != ".rsrc") {
        program.each_piece(section, |piece| {
            let is_costura = memmem::find_iter(piece, COSTURA).any(|at| {
                let name = piece[at + 1..].split(|byte| *byte == 0).next().unwrap_or_default();
                let machine = name.get(COSTURA.len() - 1..).unwrap_or_default();
                COSTURA_MACHINES.iter().any(|start| machine.starts_with(start))
                    && COSTURA_ENDINGS.iter().any(|ending| name.ends_with(ending))
            });
            is_one |= is_costura || memmem::find(piece, ILREPACK).is_some();
        })?;
    }
    Ok(is_one)
}

/// Name and version as the compiler wrote them into the resources.
fn assembly(program: &Program<'_>, file: &File<'_>, out: &mut Catalog) -> io::Result<()> {
    let bytes = match program.section(&[".rsrc"]) {
        Some(section) => program.read(section)?,
        None => Vec::new(),
    };
    let name = resource(&bytes, "InternalName").or_else(|| resource(&bytes, "OriginalFilename"));
    let version = resource(&bytes, "ProductVersion").or_else(|| resource(&bytes, "FileVersion"));
    let (Some(name), Some(version)) = (name, version) else {
        // What rewrites assemblies may drop them. Metadata of Windows has types and no code.
        let is_code = !file.path.to_ascii_lowercase().ends_with(".winmd");
        out.unlisted = is_code.then_some(FlawCode::DotnetUnlisted).or(out.unlisted);
        return Ok(());
    };
    let name = name.trim_end_matches(".dll").trim_end_matches(".exe");
    // `13.0.1+0a2e291c0d9c0c7675d445703e51750363a549ef` names the commit as well.
    let of_build = is_of_build(&version);
    let version = version.split(['+', ' ']).next().filter(|_| !of_build).unwrap_or_default();
    reader::installed(file, Purl::new("nuget", "", name, version), Basis::Manifest, out);
    // Texts in other languages and what compilers are shown instead of a library hold no code.
    let is_code = !file.path.ends_with(".resources.dll") && !file.path.contains(".Ref/");
    // With others in it, it is told by itself.
    out.dotnet = (is_code && out.unlisted.is_none()).then_some(Dotnet::Assembly);
    Ok(())
}

/// Whether a version is that of a build and not that of a package: the libraries of .NET Core 1 and
/// 2 say `4.6.24705.01. Commit Hash: …` or `4.6.26515.06 @BuiltBy: …` in packages called 4.3.0 and
/// 4.5.0. Read as a version, it is above every fix. Packages of Windows (10.0.22621.1) are numbered
/// so themselves.
fn is_of_build(version: &str) -> bool {
    const BUILD_MIN: u32 = 10_000;
    let mut numbers = version.split('.').map(|number| number.parse::<u32>());
    let major = numbers.next().and_then(Result::ok);
    let third = numbers.nth(1).and_then(Result::ok);
    version.contains("Commit Hash")
        || version.contains("@BuiltBy")
        || major.is_some_and(|major| major < 10) && third.is_some_and(|third| third >= BUILD_MIN)
}

/// The value of a string in a version resource (`String` of `VS_VERSIONINFO`): the length of all of
/// it, that of the value and its type, then the key and the value in UTF-16, both ended by a zero.
fn resource(bytes: &[u8], key: &str) -> Option<String> {
    const HEADER_BYTES: usize = 6;
    let wide: Vec<u8> = key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    // Values stand at a multiple of four bytes.
    let before = (HEADER_BYTES + wide.len()).next_multiple_of(4);
    memmem::find_iter(bytes, &wide).find_map(|at| {
        let string = bytes.get(at.checked_sub(HEADER_BYTES)?..)?;
        let len = usize::from(u16::from_le_bytes([string[0], string[1]]));
        if string[2..4] == [0, 0] {
            return None;
        }
        let (units, _) = string.get(before..len.min(string.len()))?.as_chunks::<2>();
        let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
        let value: Vec<u16> = units.take_while(|unit| *unit != 0).take(256).collect();
        let value = String::from_utf16(&value).ok()?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// The `deps.json` of a bundle; `None` when the program is no bundle.
fn bundle(
    program: &Program<'_>,
    source: &dyn ReadAt,
) -> io::Result<Option<Result<Vec<u8>, &'static str>>> {
    let (mut start, mut is_cut) = (0, false);
    for section in &program.sections {
        let name = section.name.as_str();
        // The host has it among what may change.
        let is_own = [".data", "__data"].contains(&name);
        if !is_own && ![".rdata", ".rodata", "__const"].contains(&name) {
            continue;
        }
        program.pieces(section, SECTION_BYTES_MAX, &mut |_, piece| {
            for at in memmem::find_iter(piece, &BUNDLE) {
                let place = at.checked_sub(8).map_or(&[][..], |from| &piece[from..at]);
                let place = number(place, true);
                let is_inside = place < source.size();
                start = if start == 0 && is_inside { place } else { start };
                is_cut |= is_own && !is_inside;
            }
        })?;
    }
    // A host that was not made a bundle has zero there. A copy of the mark has that too, or what
    // happens to stand in front of it, in a program that looks for marks like this one. The header
    // is the last that is written: without it, the file is a part of a bundle.
    if start == 0 {
        return Ok(is_cut.then_some(Err("a bundle that ends in front of its header")));
    }
    let bytes = source.read_at(start, 512)?;
    let parse = || {
        let major = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?);
        let id_len = usize::from(*bytes.get(12)?);
        let at = 13 + id_len;
        let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        (major >= 2 && id_len < 0x80).then_some((number(at)?, number(at + 8)?))
    };
    let Some((at, size)) = parse() else { return Ok(Some(Err("unreadable header of a bundle"))) };
    if size > DEPS_BYTES_MAX || at.saturating_add(size) > source.size() {
        return Ok(Some(Err("a bundle whose list of libraries is not in the file")));
    }
    source.read_at(at, usize::try_from(size).unwrap_or_default()).map(|json| Some(Ok(json)))
}
