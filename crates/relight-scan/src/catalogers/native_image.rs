//! Java programs that GraalVM compiled ahead of time: the inventory that was put into them.

use std::io;

use memchr::memmem;
use relight_formats::{limited, read_sbom};
use relight_model::{Basis, Catalog, Component, FlawCode, Scope};

use crate::cataloger::{File, Kind, Select};
use crate::program::{Program, Section, number};
use crate::reader::{self, Reader};

/// `native-image` compiles classes into a program that no longer holds them. Asked to
/// (`--enable-sbom`), it embeds a CycloneDX document, packed with gzip, at the symbol `sbom`. What
/// else is in an image cannot be seen, unless the document says that there is nothing.
pub(super) const PLUGIN: Reader = Reader {
    name: "native_image",
    selects: &[Select::Kind(Kind::Elf), Select::Kind(Kind::Pe), Select::Kind(Kind::MachO)],
    read,
};

/// The heap that was made at build time, as each format names its section; names of PE have eight
/// bytes.
const HEAPS: [&str; 3] = [".svm_heap", ".svm_hea", "__svm_heap"];

/// Where the inventory starts, and how many bytes it has.
const SYMBOLS: [&[u8]; 2] = [b"sbom\0", b"sbom_length\0"];

/// Bytes of a symbol of ELF with wide addresses.
const SYMBOL_BYTES: usize = 24;

/// Bytes of the packed inventory.
const PACKED_BYTES_MAX: u64 = 4 << 20;

/// Bytes of the inventory.
const SBOM_BYTES_MAX: u64 = 32 << 20;

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    // What is no program says so to others.
    let Ok(Some(program)) = Program::open(source) else { return };
    if program.section(&HEAPS).is_none() {
        return;
    }
    match embedded(&program) {
        Ok(Some(packed)) => unpack(&packed, file, out),
        Ok(None) => out.unlisted = Some(FlawCode::CodeUnreadable),
        Err(error) => reader::bad(file, reader::PROGRAM, error.to_string(), out),
    }
}

fn unpack(packed: &[u8], file: &File<'_>, out: &mut Catalog) {
    let document = limited::gunzip(packed, SBOM_BYTES_MAX).ok();
    let document = document.filter(|it| reader::may_hold(it, out));
    let Some((sbom, warnings)) = document.and_then(|it| read_sbom(&it).ok()) else {
        out.unlisted = Some(FlawCode::CodeUnreadable);
        return reader::bad(file, reader::PROGRAM, "unreadable inventory of a native image", out);
    };
    // What a document does not say is no proof that it is not there.
    if !sbom.is_complete() {
        out.unlisted = Some(FlawCode::CodeUnreadable);
    }
    for component in sbom.components {
        let (evidence, basis) = (file.path.to_owned(), Basis::InstalledMetadata);
        let scope = Scope::Installed;
        out.push(Component { evidence, basis, scope, ..component });
    }
    out.sort();
    if let Some(first) = warnings.first() {
        reader::bad(file, reader::PROGRAM, first.message.clone(), out);
    }
}

/// The packed inventory, where symbols lead to one.
fn embedded(program: &Program<'_>) -> io::Result<Option<Vec<u8>>> {
    for (symbols, names) in [(".dynsym", ".dynstr"), (".symtab", ".strtab")] {
        let sections = program.section(&[symbols]).zip(program.section(&[names]));
        let Some((symbols, names)) = sections else { continue };
        let [start, len] = addresses(program, symbols, names)?;
        let Some((start, len)) = start.zip(len) else { continue };
        let Some(len) = program.loaded(len, 8)? else { continue };
        let len = number(&len, program.little);
        if (1..=PACKED_BYTES_MAX).contains(&len)
            && let Some(packed) = program.loaded(start, len)?
        {
            return Ok(Some(packed));
        }
    }
    Ok(None)
}

/// The addresses of [`SYMBOLS`].
fn addresses(
    program: &Program<'_>,
    symbols: &Section,
    names: &Section,
) -> io::Result<[Option<u64>; 2]> {
    let (symbols, names) = (program.read(symbols)?, program.read(names)?);
    // Linkers let a name end in another one.
    let places = SYMBOLS.map(|symbol| memmem::find_iter(&names, symbol).collect::<Vec<_>>());
    let mut addresses = [None; 2];
    for symbol in symbols.chunks_exact(SYMBOL_BYTES) {
        let name = usize::try_from(number(&symbol[..4], program.little)).unwrap_or(usize::MAX);
        for (places, address) in places.iter().zip(&mut addresses) {
            if places.binary_search(&name).is_ok() {
                let value = number(&symbol[8..16], program.little);
                *address = Some(value).filter(|value| *value != 0).or(*address);
            }
        }
    }
    Ok(addresses)
}
