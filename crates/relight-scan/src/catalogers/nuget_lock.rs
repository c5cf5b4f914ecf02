//! .NET projects: `packages.lock.json`, `project.assets.json` and `packages.config`.

use relight_model::{Basis, Catalog, Dotnet, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// What NuGet resolved for a project, in its three forms. The oldest, that of the .NET Framework,
/// is the record of what it installed: nothing else in a deployment has the names of packages.
pub(super) const PLUGIN: Reader = Reader {
    name: "nuget_lock",
    selects: &[
        Select::Name("packages.lock.json"),
        Select::Name("project.assets.json"),
        Select::Name("packages.config"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    match file_name(file.path) {
        "packages.config" => config(file, out),
        "packages.lock.json" => lock(file, out),
        _ => assets(file, out),
    }
    out.sort();
}

fn config(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if !text.contains("<packages") || !text.contains("</packages>") && !text.contains("<packages/>")
    {
        return reader::bad(file, reader::LOCK, "no list of packages, or a cut one", out);
    }
    for tag in text.split('<').filter_map(|tag| tag.strip_prefix("package ")) {
        let (id, version) = (reader::attribute(tag, "id"), reader::attribute(tag, "version"));
        let purl = Purl::new("nuget", "", id, reader::plain_version(version));
        reader::installed(file, purl, Basis::InstalledMetadata, out);
    }
    out.dotnet = Some(Dotnet::Packages);
}

/// `dependencies: { FRAMEWORK: { NAME: { type, resolved } } }`.
fn lock(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    let Some(frameworks) = lock.get("dependencies").and_then(Value::as_object) else {
        return reader::bad(file, reader::LOCK, "no dependencies", out);
    };
    out.dotnet = Some(Dotnet::Packages);
    for packages in frameworks.values().filter_map(Value::as_object) {
        for (name, package) in packages {
            if reader::string(package, "type") != "Project" {
                let version = reader::plain_version(reader::string(package, "resolved"));
                reader::declared(file, Purl::new("nuget", "", name, version), out);
            }
        }
    }
}

/// `libraries: { "NAME/VERSION": { type } }`.
fn assets(file: &File<'_>, out: &mut Catalog) {
    let Some(assets) = reader::json(file, reader::LOCK, out) else { return };
    let Some(libraries) = assets.get("libraries").and_then(Value::as_object) else {
        return reader::bad(file, reader::LOCK, "no libraries", out);
    };
    for (id, library) in libraries {
        if let Some((name, version)) = id.split_once('/')
            && reader::string(library, "type") == "package"
        {
            let version = reader::plain_version(version);
            reader::declared(file, Purl::new("nuget", "", name, version), out);
        }
    }
}
