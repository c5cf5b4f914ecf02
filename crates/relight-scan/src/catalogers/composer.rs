//! PHP packages of Composer: `vendor/composer/installed.json` and `composer.lock`.

use relight_model::{Basis, Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What Composer installed, and what it resolved.
pub(super) const PLUGIN: Reader = Reader {
    name: "composer",
    selects: &[Select::Suffix("composer/installed.json"), Select::Name("composer.lock")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(document) = reader::json(file, reader::METADATA, out) else { return };
    let is_lock = file.path.ends_with("composer.lock");
    // Composer 1 wrote the bare list.
    let list = |key: &str| document.get(key).and_then(Value::as_array);
    let lists =
        [document.as_array(), list("packages"), is_lock.then(|| list("packages-dev")).flatten()];
    if lists.iter().all(Option::is_none) {
        return reader::bad(file, reader::METADATA, "no packages", out);
    }
    for package in lists.into_iter().flatten().flatten() {
        let (namespace, name) = reader::split_scope(reader::string(package, "name"));
        let version = reader::plain_version(reader::string(package, "version"));
        let version = version.strip_prefix('v').unwrap_or(version);
        let purl = Purl::new("composer", namespace, name, version);
        if purl.name.is_empty() {
            reader::bad(file, reader::METADATA, "a package without name", out);
        } else if is_lock {
            reader::declared(file, purl, out);
        } else {
            reader::installed(file, purl, Basis::InstalledMetadata, out);
        }
    }
}
