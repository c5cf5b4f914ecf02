//! Lock files of npm, versions 1 to 3: `package-lock.json` and `npm-shrinkwrap.json`.

use relight_model::{Basis, Catalog, Component, Purl, Scope};
use serde_json::{Map, Value};

use crate::cataloger::{Cataloger, File, Select};
use crate::reader;

pub(super) const PLUGIN: NpmLock =
    NpmLock { selects: &[Select::Name("package-lock.json"), Select::Name("npm-shrinkwrap.json")] };

/// Code of one that cannot be used.
const BAD: &str = "npm-bad-lock";

/// What a project declares; whether it is installed is for `node_modules` to say.
pub(super) struct NpmLock {
    selects: &'static [Select],
}

impl Cataloger for NpmLock {
    fn name(&self) -> &'static str {
        "npm_lock"
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        let Some(lock) = reader::json(file, BAD, out) else { return };
        // Version 2 has both forms; the newer one is complete.
        match (lock.get("packages"), lock.get("dependencies")) {
            (Some(Value::Object(packages)), _) => read_packages(packages, file, out),
            (None, Some(Value::Object(dependencies))) => read_tree(dependencies, file, out),
            // A project without dependencies has neither, but it has a version of the format.
            (None, None) if lock.get("lockfileVersion").is_some() => {}
            _ => reader::bad(file, BAD, "neither packages nor dependencies", out),
        }
        out.sort();
    }
}

/// Versions 2 and 3: a flat map from the place in `node_modules`.
fn read_packages(packages: &Map<String, Value>, file: &File<'_>, out: &mut Catalog) {
    for (place, package) in packages {
        // Places outside `node_modules` are the project and its own workspaces.
        let Some((_, folder)) = place.rsplit_once("node_modules/") else { continue };
        if package.get("link").and_then(Value::as_bool) == Some(true) {
            continue;
        }
        // An alias has its real name inside.
        let name = package.get("name").and_then(Value::as_str).unwrap_or(folder);
        push(name, package, file, out);
    }
}

/// Version 1: a tree. Its depth is bounded by the JSON reader (128 levels).
fn read_tree(dependencies: &Map<String, Value>, file: &File<'_>, out: &mut Catalog) {
    let mut pending = vec![dependencies];
    while let Some(dependencies) = pending.pop() {
        for (name, package) in dependencies {
            push(name, package, file, out);
            if let Some(Value::Object(inner)) = package.get("dependencies") {
                pending.push(inner);
            }
        }
    }
}

fn push(name: &str, package: &Value, file: &File<'_>, out: &mut Catalog) {
    let version = package.get("version").and_then(Value::as_str).unwrap_or_default();
    // `npm:real@1.0.0` is an alias. Addresses (git, tarball, file) are no versions, and may hold a
    // password.
    let (name, version) = match version.strip_prefix("npm:").and_then(|real| real.rsplit_once('@'))
    {
        Some((real, version)) => (real, version),
        None if version.contains([':', '/']) => (name, ""),
        None => (name, version),
    };
    let (namespace, name) = name.split_once('/').unwrap_or(("", name));
    if name.is_empty() || !package.is_object() {
        return reader::bad(file, BAD, "an entry without a name, or that is no object", out);
    }
    let purl = Purl::new("npm", namespace, name, version);
    out.push(Component::new(purl, file.path, Basis::LockFile, Scope::Declared));
}
