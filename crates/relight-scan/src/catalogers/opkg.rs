//! OpenWrt and other small systems: the status file of opkg, and its control files.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The database of opkg, in the form of dpkg's.
pub(super) const PLUGIN: Reader = Reader {
    name: "opkg",
    selects: &[Select::Suffix("lib/opkg/status"), Select::Suffix("lib/ipkg/status")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.is_empty() && !text.ends_with('\n') {
        reader::bad(file, reader::DATABASE, "ends inside a line", out);
    }
    for stanza in reader::stanzas(&text) {
        let field = |key| reader::field(&stanza, key);
        let state = field("Status").split_whitespace().nth(2).unwrap_or_default();
        if matches!(state, "not-installed" | "config-files") {
            continue;
        }
        let (name, version) = (field("Package"), field("Version"));
        if name.is_empty() || version.is_empty() {
            reader::bad(file, reader::DATABASE, "a package without name or version", out);
            continue;
        }
        let purl =
            Purl::new("opkg", "", name, version).with_qualifier("arch", field("Architecture"));
        reader::installed(file, purl, Basis::PackageDatabase, out);
    }
}
