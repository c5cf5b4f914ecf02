//! Linux kernels and modules that are no part of them.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Kind, Select};
use crate::program::Program;
use crate::reader::{self, Reader};

/// A kernel is known by the folder of its modules; a module by its `.modinfo`. Modules that were
/// built with the kernel (`intree=Y`) are the kernel.
pub(super) const PLUGIN: Reader = Reader {
    name: "kernel",
    selects: &[Select::Name("modules.builtin"), Select::Kind(Kind::Elf)],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let place = file.path.rsplit_once("lib/modules/").map_or("", |(_, place)| place);
    if let Some(version) = place.strip_suffix("/modules.builtin") {
        if version.contains('/') || file.bytes.contains(&0) {
            return reader::bad(file, reader::METADATA, "no list of modules", out);
        }
        let purl = Purl::new("generic", "", "linux-kernel", version);
        return reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
    let Some(source) = file.source.filter(|_| file.path.contains(".ko")) else { return };
    let read = Program::open(source).and_then(|program| {
        let Some(program) = program else { return Ok(None) };
        program.section(&[".modinfo"]).map(|section| program.read(section)).transpose()
    });
    match read {
        Ok(Some(bytes)) => module(&bytes, file, out),
        Ok(None) => {}
        Err(error) => reader::bad(file, reader::PROGRAM, error.to_string(), out),
    }
}

fn module(bytes: &[u8], file: &File<'_>, out: &mut Catalog) {
    let text = String::from_utf8_lossy(bytes);
    let field = |key: &str| {
        let mut fields = text.split('\0').filter_map(|field| field.split_once('='));
        fields.find(|(name, _)| *name == key).map_or("", |(_, value)| value)
    };
    if field("vermagic").is_empty() {
        return reader::bad(file, reader::PROGRAM, "a module without vermagic", out);
    }
    if field("intree") != "Y" {
        let kernel = field("vermagic").split(' ').next().unwrap_or_default();
        let purl = Purl::new("generic", "linux-kernel-module", field("name"), field("version"))
            .with_qualifier("kernel", kernel);
        reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
}
