//! Lock files of Dart and Flutter: `pubspec.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The map `packages`: name, then `source` and `version`.
pub(super) const PLUGIN: Reader =
    Reader { name: "pubspec_lock", selects: &[Select::Name("pubspec.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.lines().any(|line| line.starts_with("packages:")) {
        return reader::bad(file, reader::LOCK, "no packages", out);
    }
    let (mut name, mut source, mut in_packages) = ("", "", false);
    for line in reader::yaml(&text) {
        match (line.indent, line.key) {
            (0, key) => in_packages = key == "packages",
            (2, key) if in_packages => (name, source) = (key, ""),
            (4, "source") => source = line.value,
            // Packages of the SDK and of folders have versions that mean nothing.
            (4, "version") if in_packages && source == "hosted" => {
                let version = reader::plain_version(line.value);
                reader::declared(file, Purl::new("pub", "", name, version), out);
            }
            _ => {}
        }
    }
}
