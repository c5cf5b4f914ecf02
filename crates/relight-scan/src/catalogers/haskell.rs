//! Haskell packages: the database of ghc-pkg, `stack.yaml.lock` and `cabal.project.freeze`.

use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::evidence::file_name;
use crate::reader::{self, Reader};

/// What is registered with a compiler, and what Stack and Cabal resolved.
pub(super) const PLUGIN: Reader = Reader {
    name: "haskell",
    selects: &[
        Select::Folder("package.conf.d"),
        Select::Name("stack.yaml.lock"),
        Select::Name("cabal.project.freeze"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    match file_name(file.path) {
        "stack.yaml.lock" => stack(&text, file, out),
        "cabal.project.freeze" => freeze(&text, file, out),
        name if name.ends_with(".conf") => registered(&text, file, out),
        _ => {}
    }
}

fn registered(text: &str, file: &File<'_>, out: &mut Catalog) {
    let lines: Vec<&str> = text.lines().collect();
    let (name, version) = (reader::field(&lines, "name"), reader::field(&lines, "version"));
    if name.is_empty() || version.is_empty() {
        return reader::bad(file, reader::METADATA, "a package without name or version", out);
    }
    reader::installed(file, Purl::new("hackage", "", name, version), Basis::PackageDatabase, out);
}

/// `hackage: name-1.0@sha256:…,123`.
fn stack(text: &str, file: &File<'_>, out: &mut Catalog) {
    if !text.contains("packages:") {
        return reader::bad(file, reader::LOCK, "no packages", out);
    }
    let completed = reader::yaml(text).filter(|line| line.key == "hackage");
    for line in completed {
        let package = line.value.split('@').next().unwrap_or_default();
        if let Some((name, version)) = package.rsplit_once('-') {
            reader::declared(file, Purl::new("hackage", "", name, version), out);
        }
    }
    out.sort();
}

/// `constraints: any.base ==4.18.0,`.
fn freeze(text: &str, file: &File<'_>, out: &mut Catalog) {
    for (before, version) in text.lines().filter_map(|line| line.split_once("==")) {
        let name = before.split_whitespace().next_back().unwrap_or_default();
        let name = name.strip_prefix("any.").unwrap_or(name);
        let version = version.trim().trim_end_matches(',');
        reader::declared(file, Purl::new("hackage", "", name, version), out);
    }
}
