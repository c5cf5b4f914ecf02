//! Lock files of Cargo: `Cargo.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Every package of a workspace and below it, `[[package]]`.
pub(super) const PLUGIN: Reader =
    Reader { name: "cargo_lock", selects: &[Select::Name("Cargo.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::toml(file, reader::LOCK, out) else { return };
    for package in reader::toml_tables(&lock, "package") {
        let field = |key| reader::toml_string(package, key);
        if field("name").is_empty() {
            reader::bad(file, reader::LOCK, "a package without name", out);
            continue;
        }
        let purl = Purl::new("cargo", "", field("name"), reader::plain_version(field("version")));
        reader::declared(file, purl, out);
    }
}
