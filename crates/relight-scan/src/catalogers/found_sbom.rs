//! Inventories that somebody put beside the software: PEP 770, CycloneDX and SPDX files.

use relight_formats::{FormatError, read_sbom};
use relight_model::{Basis, Catalog, Component, Dotnet, Flaw, FlawCode, Scope, Warning};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Documents of other tools. What a wheel carries in `dist-info/sboms` describes what was compiled
/// into it (PEP 770), so it is installed, and so is what Bitnami's images say of what was unpacked
/// into them: nothing else says it. Any other document does not say that what it names runs here:
/// what it calls installed is taken at its word as any document of somebody else
/// (`Basis::Document`), and what it has from a lock file stays only declared. What took part in a
/// build did so in any.
pub(super) const PLUGIN: Reader = Reader {
    name: "found_sbom",
    selects: &[
        Select::Folder("sboms"),
        Select::Named("", ".cdx.json"),
        Select::Named("", ".cdx.xml"),
        Select::Named("", ".spdx.json"),
        Select::Named("", ".spdx"),
        Select::Name("bom.json"),
        Select::Name("bom.xml"),
        Select::Name("sbom.json"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    // The other form of SPDX, lines of tags, is not read.
    let is_spdx = file.path.ends_with(".spdx");
    if is_spdx && !file.bytes.trim_ascii_start().starts_with(b"{") {
        return;
    }
    let bundled = [".dist-info/sboms/", "opt/bitnami/"].iter().any(|it| file.path.contains(it));
    let by_name = is_spdx
        || [".cdx.json", ".cdx.xml", ".spdx.json"].iter().any(|end| file.path.ends_with(end));
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
    // What it says of packages of .NET it says of the assemblies beside it.
    let is_of_dotnet = sbom.components.iter().any(|it| it.purl.kind == "nuget");
    out.dotnet = is_of_dotnet.then_some(Dotnet::Packages);
    for component in sbom.components {
        let (scope, basis) = match component.scope {
            Scope::Build => (Scope::Build, component.basis),
            _ if bundled => (Scope::Installed, component.basis),
            // How it was seen is of another place and time.
            Scope::Installed => (Scope::Declared, Basis::Document),
            Scope::Declared | Scope::Superseded => (Scope::Declared, component.basis),
        };
        let evidence = file.path.to_owned();
        out.push(Component { evidence, scope, basis, ..component });
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
