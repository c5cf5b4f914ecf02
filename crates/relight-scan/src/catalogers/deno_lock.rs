//! Lock files of Deno: `deno.lock`, as far as they name packages of npm.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// `"npm": { "a@1.0.0": … }` since version 4, below `packages` in version 3, and with `packages`
/// below it in version 2. Version 1 knew addresses only.
pub(super) const PLUGIN: Reader =
    Reader { name: "deno_lock", selects: &[Select::Name("deno.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    if !lock.is_object() {
        return reader::bad(file, reader::LOCK, "no object", out);
    }
    let places = ["/npm/packages", "/packages/npm", "/npm"];
    let found = places.iter().find_map(|place| lock.pointer(place)?.as_object());
    for id in found.into_iter().flat_map(|packages| packages.keys()) {
        // Behind the version stand the packages that it was resolved with: `a@1.0.0_b@2.0.0`.
        let Some((name, version)) = split(id) else {
            reader::bad(file, reader::LOCK, "a package without a version", out);
            continue;
        };
        let (namespace, name) = reader::split_scope(name);
        reader::declared(file, Purl::new("npm", namespace, name, version), out);
    }
    let is_none = |place: &str| lock.pointer(place).is_some_and(|list| !list.is_object());
    if ["/npm", "/npm/packages", "/packages", "/packages/npm"].into_iter().any(is_none) {
        reader::bad(file, reader::LOCK, "a list of packages that is none", out);
    }
}

/// The name ends at the first `@` behind its start, the version at the first `_`.
fn split(id: &str) -> Option<(&str, &str)> {
    let at = id.get(1..)?.find('@')? + 1;
    let version = id[at + 1..].split('_').next().unwrap_or_default();
    (!version.is_empty()).then_some((&id[..at], version))
}
