//! Lock files in TOML of Poetry, PDM, uv and PEP 751.

use relight_model::{Catalog, Purl};

use super::python_dist::normalise;
use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Lists of tables `[[package]]`, or `[[packages]]` in `pylock.toml`.
pub(super) const PLUGIN: Reader = Reader {
    name: "python_lock",
    selects: &[
        Select::Name("poetry.lock"),
        Select::Name("pdm.lock"),
        Select::Name("uv.lock"),
        Select::Named("pylock", ".toml"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::toml(file, reader::LOCK, out) else { return };
    let packages = reader::toml_tables(&lock, "package");
    for package in packages.chain(reader::toml_tables(&lock, "packages")) {
        // uv lists the project itself.
        let source = package.get("source").and_then(toml::Value::as_table);
        let own = ["editable", "virtual", "directory"];
        if source.is_some_and(|source| own.iter().any(|key| source.contains_key(*key))) {
            continue;
        }
        let name = normalise(reader::toml_string(package, "name"));
        if name.is_empty() {
            reader::bad(file, reader::LOCK, "a package without name", out);
            continue;
        }
        let version = reader::plain_version(reader::toml_string(package, "version"));
        reader::declared(file, Purl::new("pypi", "", &name, version), out);
    }
}
