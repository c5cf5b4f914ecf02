//! .NET programs: `NAME.deps.json` beside them.

use relight_model::{Basis, Catalog, Dotnet, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What a published .NET program carries: `libraries` of `type` `package`. The program itself has
/// the type `project`.
pub(super) const PLUGIN: Reader =
    Reader { name: "deps_json", selects: &[Select::Named("", ".deps.json")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(document) = reader::json(file, reader::METADATA, out) else { return };
    libraries(&document, file, out);
    out.dotnet = document.get("libraries").map(|_| Dotnet::Packages);
}

/// The packages of a document; also of the one inside a single-file program.
pub(super) fn libraries(document: &Value, file: &File<'_>, out: &mut Catalog) {
    let Some(libraries) = document.get("libraries").and_then(Value::as_object) else {
        return reader::bad(file, reader::METADATA, "no libraries", out);
    };
    for (id, library) in libraries {
        let kind = reader::string(library, "type");
        let Some((name, version)) = id.split_once('/') else { continue };
        if kind == "package" || kind == "runtimepack" {
            let name = name.strip_prefix("runtimepack.").unwrap_or(name);
            let purl = Purl::new("nuget", "", name, version);
            reader::installed(file, purl, Basis::InstalledMetadata, out);
        }
    }
}
