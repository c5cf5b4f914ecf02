//! Java run-time environments: the file `release` in their root.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The `release` file of a JDK or JRE: shell assignments, `JAVA_VERSION` among them.
pub(super) const PLUGIN: Reader =
    Reader { name: "jdk_release", selects: &[Select::Name("release")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.map_or("", |line| line.trim().trim_matches('"'))
    };
    // Any other file of this name is none of ours.
    if !text.lines().any(|line| line.starts_with("JAVA_VERSION=")) {
        return;
    }
    let full = [value("JAVA_RUNTIME_VERSION"), value("FULL_VERSION"), value("JAVA_VERSION")];
    let Some(version) = full.into_iter().find(|version| !version.is_empty()) else {
        return reader::bad(file, reader::METADATA, "an empty JAVA_VERSION", out);
    };
    let oracle =
        value("IMPLEMENTOR") == "Oracle Corporation" && value("BUILD_TYPE") == "commercial";
    let name = if oracle { "jdk" } else { "openjdk" };
    let purl = Purl::new("generic", "", name, version);
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
