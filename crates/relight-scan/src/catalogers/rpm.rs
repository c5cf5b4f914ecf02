//! RPM packages: the databases `rpmdb.sqlite`, `Packages.db` and `Packages`.

use relight_model::{Basis, Catalog};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};
use crate::rpm_header::{Header, NAME};
use crate::table::{berkeley, ndb, sqlite};

/// All three hold one header a package.
pub(super) const PLUGIN: Reader = Reader {
    name: "rpm",
    selects: &[
        Select::Table("rpm/rpmdb.sqlite"),
        Select::Table("rpm/Packages.db"),
        Select::Table("rpm/Packages"),
        Select::Suffix("rpm/rpmdb.sqlite-wal"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file.path.ends_with("-wal") {
        return reader::unmerged(file, out);
    }
    let Some(source) = file.source else { return };
    let mut broken = false;
    let mut package = |bytes: &[u8], out: &mut Catalog| match Header::parse(bytes) {
        Some(header) => push(&header, file, out),
        // Berkeley DB also holds the number of the next package, in four bytes.
        None => broken |= bytes.len() > 8,
    };
    let walked = if file.path.ends_with(".sqlite") {
        sqlite::rows(source, "Packages", &mut |columns| {
            package(columns.get(1).map_or(&[], sqlite::Column::bytes), out);
        })
        .and_then(|found| if found { Ok(()) } else { Err("no table Packages") })
    } else if file.path.ends_with(".db") {
        ndb::values(source, &mut |bytes| package(bytes, out))
    } else {
        berkeley::values(source, &mut |bytes| package(bytes, out))
    };
    if let Err(damage) = walked {
        reader::bad(file, reader::DATABASE, damage, out);
    }
    if broken {
        reader::bad(file, reader::DATABASE, "a package whose header cannot be read", out);
    }
}

fn push(header: &Header<'_>, file: &File<'_>, out: &mut Catalog) {
    // Public keys are kept as packages.
    if header.text(NAME) == "gpg-pubkey" {
        return;
    }
    let Some(purl) = header.purl() else {
        return reader::bad(file, reader::DATABASE, "a package without name or version", out);
    };
    if out.may_hold(header.held_for_files()) {
        out.own(purl.clone(), header.files());
    }
    reader::installed(file, purl, Basis::PackageDatabase, out);
}
