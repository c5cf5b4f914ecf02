//! PHP packages of Composer: `vendor/composer/installed.json`, `composer.lock`, and the application
//! itself, `root` of `vendor/composer/installed.php`.

use relight_model::{Basis, Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What Composer installed, and what it resolved.
pub(super) const PLUGIN: Reader = Reader {
    name: "composer",
    selects: &[
        Select::Suffix("composer/installed.json"),
        Select::Suffix("composer/installed.php"),
        Select::Name("composer.lock"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file.path.ends_with(".php") {
        return root(file, out);
    }
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

/// The package that everything was installed for, which no list names. One without a name is a
/// project that nobody publishes; without a version it may be any.
fn root(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let Some((_, root)) = text.split_once("'root' =>") else {
        return reader::bad(file, reader::METADATA, "no root package", out);
    };
    let root = root.split("'versions' =>").next().unwrap_or_default();
    let value = |key: &str| {
        let (_, value) = root.split_once(&format!("'{key}' =>"))?;
        value.trim_start().strip_prefix('\'')?.split_once('\'').map(|(value, _)| value)
    };
    let Some((namespace, name)) = value("name").and_then(|name| name.split_once('/')) else {
        return;
    };
    let version = value("pretty_version").filter(|it| !it.ends_with("+no-version-set"));
    let version = version.unwrap_or_default();
    let version = version.strip_prefix('v').unwrap_or(version);
    let purl = Purl::new("composer", namespace, name, version);
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
