//! Nix: the table of valid paths in `nix/var/nix/db/db.sqlite`; and programs in its store or in
//! that of Guix, which tell by their paths of what package they are.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Kind, Select};
use crate::evidence::ends_with;
use crate::reader::{self, Reader};
use crate::stores;
use crate::table::sqlite;

/// What the store holds. A path is `/nix/store/HASH-NAME-VERSION`; derivations and sources without
/// version are no packages.
pub(super) const PLUGIN: Reader = Reader {
    name: "nix_store",
    selects: &[
        Select::Table("nix/var/nix/db/db.sqlite"),
        Select::Suffix("nix/var/nix/db/db.sqlite-wal"),
        Select::Kind(Kind::Elf),
        Select::Kind(Kind::MachO),
    ],
    read,
};

/// Characters of the hash in front of the name.
const HASH_CHARS: usize = 32;

fn read(file: &File<'_>, out: &mut Catalog) {
    if ends_with(file.path, "nix/var/nix/db/db.sqlite-wal") {
        return reader::unmerged(file, out);
    }
    let Some(source) = file.source else { return };
    if !ends_with(file.path, "nix/var/nix/db/db.sqlite") {
        // Images are made without the database.
        let package = stores::place_of(file.path).and_then(|it| package(it.place, it.kind));
        if let Some(purl) = package {
            reader::installed(file, purl, Basis::PathString, out);
        }
        return;
    }
    let walked = sqlite::rows(source, "ValidPaths", &mut |columns| {
        let path = String::from_utf8_lossy(columns.get(1).map_or(&[], sqlite::Column::bytes));
        if let Some(purl) = package(&path, stores::NIX) {
            reader::installed(file, purl, Basis::PackageDatabase, out);
        }
    });
    match walked {
        Ok(true) => {}
        Ok(false) => reader::bad(file, reader::DATABASE, "no table ValidPaths", out),
        Err(damage) => reader::bad(file, reader::DATABASE, damage, out),
    }
}

fn package(path: &str, kind: &str) -> Option<Purl> {
    let base = path.rsplit('/').next()?;
    let (hash, name) = base.split_at_checked(HASH_CHARS)?;
    if !hash.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()) {
        return None;
    }
    let name = name.strip_prefix('-').filter(|name| !name.ends_with(".drv"))?;
    // The version starts at the first dash in front of a digit; an output (`-lib`) may follow.
    let digit = |at: &usize| name.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    let at = name.match_indices('-').map(|(at, _)| at).find(digit)?;
    let (version, output) = match name[at + 1..].rsplit_once('-') {
        Some((version, output)) if output.chars().all(|c| c.is_ascii_lowercase()) => {
            (version, output)
        }
        _ => (&name[at + 1..], ""),
    };
    let purl = Purl::new(kind, "", &name[..at], version);
    Some(purl.with_qualifier("output", output).with_qualifier("outputhash", hash))
}
