//! Conda environments: `conda-meta/NAME-VERSION-BUILD.json`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The record that conda writes for each package that it installs.
pub(super) const PLUGIN: Reader =
    Reader { name: "conda_meta", selects: &[Select::Folder("conda-meta")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    if !file.path.ends_with(".json") {
        return;
    }
    let Some(record) = reader::json(file, reader::METADATA, out) else { return };
    let field = |key| reader::string(&record, key);
    if field("name").is_empty() || field("version").is_empty() {
        return reader::bad(file, reader::METADATA, "a package without name or version", out);
    }
    let purl = Purl::new("conda", "", field("name"), field("version"))
        .with_qualifier("build", field("build"))
        .with_qualifier("subdir", field("subdir"));
    reader::installed(file, purl, Basis::PackageDatabase, out);
}
