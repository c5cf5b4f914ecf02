//! C and C++ packages of vcpkg: `vcpkg/status` of what is installed.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The status file of vcpkg, in the form of dpkg's.
pub(super) const PLUGIN: Reader = Reader {
    name: "vcpkg",
    selects: &[
        Select::Suffix("installed/vcpkg/status"),
        Select::Suffix("vcpkg_installed/vcpkg/status"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    for stanza in reader::stanzas(&text) {
        let field = |key| reader::field(&stanza, key);
        // A feature of a package is a paragraph of its own, without a version.
        if !field("Feature").is_empty() || !field("Status").ends_with("ok installed") {
            continue;
        }
        let (name, version, port) = (field("Package"), field("Version"), field("Port-Version"));
        if name.is_empty() || version.is_empty() {
            reader::bad(file, reader::DATABASE, "a package without name or version", out);
            continue;
        }
        let purl = Purl::new("vcpkg", "", name, version)
            .with_qualifier("port_version", port)
            .with_qualifier("triplet", field("Architecture"));
        reader::installed(file, purl, Basis::PackageDatabase, out);
    }
    if !text.trim().is_empty() && !text.lines().any(|line| line.starts_with("Package:")) {
        reader::bad(file, reader::DATABASE, "no package", out);
    }
}
