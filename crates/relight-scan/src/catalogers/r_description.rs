//! Installed R packages: `DESCRIPTION` with a field `Built`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The description of a package of R. Only an installed one says with what it was built.
pub(super) const PLUGIN: Reader =
    Reader { name: "r_description", selects: &[Select::Name("DESCRIPTION")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let lines: Vec<&str> = text.lines().collect();
    let field = |key| reader::field(&lines, key);
    if field("Package").is_empty() || field("Built").is_empty() {
        return;
    }
    if field("Version").is_empty() {
        return reader::bad(file, reader::METADATA, "an installed package without version", out);
    }
    let purl = Purl::new("cran", "", field("Package"), field("Version"));
    reader::installed(file, purl, Basis::InstalledMetadata, out);
}
