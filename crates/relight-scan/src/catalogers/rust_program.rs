//! Rust programs: the audit data in `.dep-v0`, or else the paths that panics name.

use std::collections::BTreeSet;

use memchr::memmem;
use relight_formats::limited;
use relight_model::{Basis, Catalog, Component, FlawCode, Purl, Scope};
use serde_json::Value;

use crate::cataloger::{File, Kind, Select};
use crate::program::Program;
use crate::reader::{self, Reader};

/// What a Rust program was built from. Audit data (RFC 2801) are complete, and tell what took part
/// in the build only; paths name crates with code that can panic, and no others: what else is in
/// the program cannot be seen.
pub(super) const PLUGIN: Reader = Reader {
    name: "rust_program",
    selects: &[Select::Kind(Kind::Elf), Select::Kind(Kind::Pe), Select::Kind(Kind::MachO)],
    read,
};

/// Unpacked audit data, in bytes.
const AUDIT_BYTES_MAX: u64 = 8 << 20;

/// Folders of the standard library, in front of `/src/`: every program of Rust that can panic
/// names one, wherever its compiler was built.
const STANDARD: [&[u8]; 3] = [b"library/core", b"library/std", b"library/alloc"];

/// Where compilers say that the standard library was, in front of the digest of its sources.
const COMPILER: &[u8] = b"/rustc/";

/// Hexadecimal digits of such a digest.
const COMPILER_DIGITS: usize = 40;

/// Longest `NAME-VERSION` of a path, in bytes.
const FOLDER_BYTES_MAX: usize = 128;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    let program = match Program::open(source) {
        Ok(Some(program)) => program,
        Ok(None) => return,
        Err(error) => return reader::bad(file, reader::PROGRAM, error.to_string(), out),
    };
    let read = match program.section(&[".dep-v0"]).filter(|section| section.size > 0) {
        Some(section) => program.read(section).map(|bytes| audited(&bytes, file, out)),
        None => paths(&program, file, out),
    };
    if let Err(error) = read {
        reader::bad(file, reader::PROGRAM, error.to_string(), out);
    }
}

/// `{"packages": [{"name", "version", "source", "kind": "build", "root": true}]}`, in zlib.
fn audited(packed: &[u8], file: &File<'_>, out: &mut Catalog) {
    // The two bytes of the zlib header (RFC 1950) say nothing that is needed.
    let packed = packed.get(2..).unwrap_or_default();
    let unpacked = limited::inflate(packed, None, AUDIT_BYTES_MAX);
    let unpacked = unpacked.ok().filter(|json| reader::may_hold(json, out));
    let parsed = unpacked.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    let packages = parsed.as_ref().and_then(|json| json.get("packages")?.as_array());
    let Some(packages) = packages else {
        return reader::bad(file, reader::PROGRAM, "unreadable audit data of Rust", out);
    };
    for package in packages {
        let (name, version) = (reader::string(package, "name"), reader::string(package, "version"));
        if name.is_empty() {
            reader::bad(file, reader::PROGRAM, "a crate without name", out);
            continue;
        }
        let is_build = reader::string(package, "kind") == "build";
        let scope = if is_build { Scope::Build } else { Scope::Installed };
        let purl = Purl::new("cargo", "", name, version);
        out.push(Component::new(purl, file.path, Basis::InstalledMetadata, scope));
    }
}

fn paths(program: &Program<'_>, file: &File<'_>, out: &mut Catalog) -> std::io::Result<()> {
    let (mut found, mut is_rust) = (BTreeSet::new(), false);
    program.constants(|piece| {
        is_rust |= memmem::find_iter(piece, COMPILER).any(|at| names_compiler(&piece[at..]));
        for mark in [b"registry".as_slice(), b"vendor"] {
            for at in memmem::find_iter(piece, mark) {
                let path = &piece[at..];
                if matches!(path.get(mark.len()), Some(b'/' | b'\\')) {
                    found.extend(folder(path).and_then(split));
                }
            }
        }
        for at in memmem::find_iter(piece, b"/src/") {
            is_rust |= STANDARD.iter().any(|folder| piece[..at].ends_with(folder));
            found.extend(source_folder(&piece[..at], &piece[at..]).and_then(split));
        }
    })?;
    if is_rust || !found.is_empty() {
        out.unlisted = Some(FlawCode::RustUnlisted);
    }
    for (name, version) in found {
        let purl = Purl::new("cargo", "", &name, &version);
        reader::installed(file, purl, Basis::PathString, out);
    }
    Ok(())
}

/// `/rustc/`, the digest of the sources, and a separator of either system.
fn names_compiler(path: &[u8]) -> bool {
    let rest = &path[COMPILER.len()..];
    let is_digest = rest.iter().take(COMPILER_DIGITS).all(u8::is_ascii_hexdigit);
    is_digest && matches!(rest.get(COMPILER_DIGITS), Some(b'/' | b'\\'))
}

/// `registry/src/INDEX/NAME-VERSION/…`, `registry/NAME-VERSION/…` of distributions, and
/// `vendor/NAME-VERSION/…`, with the separators of either system.
fn folder(path: &[u8]) -> Option<&str> {
    let path = &path[..path.len().min(4 * FOLDER_BYTES_MAX)];
    let len = path.iter().position(|byte| !(b' '..=b'~').contains(byte)).unwrap_or(path.len());
    let text = std::str::from_utf8(&path[..len]).ok()?;
    let mut segments = text.split(['/', '\\']);
    let first = segments.next()?;
    let second = segments.next()?;
    let name = match (first, second) {
        ("registry", "src") => segments.nth(1)?,
        ("registry" | "vendor", name) => name,
        _ => return None,
    };
    // The folder is followed by a file of the crate, or this is no path.
    segments.next().filter(|next| !next.is_empty())?;
    (name.len() <= FOLDER_BYTES_MAX).then_some(name)
}

/// Builders that keep crates elsewhere (`/rust/deps/NAME-VERSION/src/lib.rs`): the folder in front
/// of `/src/`, when a file of Rust follows.
fn source_folder<'a>(before: &'a [u8], rest: &[u8]) -> Option<&'a str> {
    let len = rest.iter().take(FOLDER_BYTES_MAX).take_while(|byte| is_of_path(**byte)).count();
    memmem::find(&rest[..len], b".rs")?;
    let start = before.iter().rposition(|byte| !is_of_path(*byte) || *byte == b'/')?;
    let folder = std::str::from_utf8(&before[start + 1..]).ok()?;
    (before[start] == b'/' && folder.len() <= FOLDER_BYTES_MAX).then_some(folder)
}

const fn is_of_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'+')
}

/// `serde_json-1.0.108` is name and version: three numbers, then what SemVer allows.
fn split(folder: &str) -> Option<(String, String)> {
    let (at, _) = folder.match_indices('-').find(|(at, _)| is_version(&folder[at + 1..]))?;
    let name = &folder[..at];
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let usable = !name.is_empty() && name.chars().all(plain);
    usable.then(|| (name.to_owned(), folder[at + 1..].to_owned()))
}

fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    numbers.len() == 3
        && numbers.iter().all(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
}
