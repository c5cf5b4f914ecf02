//! Images of Azure Linux (Mariner) without a package manager: what `rpm` said of their packages
//! before it was taken away, in `var/lib/rpmmanifest/container-manifest-2`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// One package a line, its fields between tabs: name, version and release, when it was installed
/// and built, vendor, epoch, size, architecture, epoch as a number, source package.
pub(super) const PLUGIN: Reader = Reader {
    name: "rpm_manifest",
    selects: &[Select::Suffix("var/lib/rpmmanifest/container-manifest-2")],
    read,
};

/// What `rpm` writes for a field that a package does not have.
const NONE: &str = "(none)";

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.is_empty() && !text.ends_with('\n') {
        reader::bad(file, reader::DATABASE, "ends inside a line", out);
    }
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match package(line) {
            // Public keys are kept as packages.
            Some(purl) if purl.name == "gpg-pubkey" => {}
            Some(purl) => reader::installed(file, purl, Basis::PackageDatabase, out),
            None => reader::bad(file, reader::DATABASE, "a line that is no package", out),
        }
    }
}

fn package(line: &str) -> Option<Purl> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, version, _, _, _, epoch, _, arch, number, source] = fields[..] else { return None };
    let known = |field: &&str| *field != NONE;
    let epoch = Some(epoch).filter(known).or(Some(number).filter(|number| *number != "0"));
    let is_package = !name.is_empty() && version.contains('-');
    let purl = Purl::new("rpm", "", name, version)
        .with_qualifier("arch", Some(arch).filter(known).unwrap_or_default())
        .with_qualifier("epoch", epoch.filter(known).unwrap_or_default())
        .with_qualifier("upstream", Some(source).filter(known).unwrap_or_default());
    is_package.then_some(purl)
}
