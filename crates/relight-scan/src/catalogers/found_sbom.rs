//! Inventories that somebody put beside the software: PEP 770, CycloneDX and SPDX files.

use relight_formats::{FormatError, read_sbom};
use relight_model::{Catalog, Component, Flaw, FlawCode, Scope, Warning};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Documents of other tools. What a wheel carries in `dist-info/sboms` describes what was compiled
/// into it (PEP 770), so it is installed; any other document only declares.
pub(super) const PLUGIN: Reader = Reader {
    name: "found_sbom",
    selects: &[
        Select::Folder("sboms"),
        Select::Named("", ".cdx.json"),
        Select::Named("", ".cdx.xml"),
        Select::Named("", ".spdx.json"),
        Select::Name("bom.json"),
        Select::Name("bom.xml"),
        Select::Name("sbom.json"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let bundled = file.path.contains(".dist-info/sboms/");
    let by_name =
        [".cdx.json", ".cdx.xml", ".spdx.json"].iter().any(|ending| file.path.ends_with(ending));
    if !reader::may_hold(file.bytes, out) {
        return;
    }
    let (sbom, warnings) = match read_sbom(file.bytes) {
        Ok(read) => read,
        // `bom.json` and `bom.xml` may be anybody's; these names promise an inventory.
        // XML of this name space is one as well.
        Err(error) if bundled || by_name || matches!(error, FormatError::Xml(_)) => {
            return reader::bad(file, reader::METADATA, error.to_string(), out);
        }
        Err(_) => return,
    };
    for component in sbom.components {
        let scope = if bundled { Scope::Installed } else { Scope::Declared };
        let evidence = file.path.to_owned();
        out.push(Component { evidence, scope, ..component });
    }
    // That a document does not claim to be complete is no fault of the scan: the software beside
    // it is scanned as well.
    let broken = |flaw: &Flaw| flaw.code != FlawCode::Undeclared;
    let first = warnings.iter().find(|_| sbom.flaws.iter().any(broken));
    let first = first.map(|warning| {
        let message = format!("{}: {}", warning.evidence, warning.message);
        Warning::new(reader::METADATA, file.path, message)
    });
    first.into_iter().for_each(|warning| out.warn(warning));
    out.sort();
}
