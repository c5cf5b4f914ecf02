//! Swift packages: `Package.resolved`, versions 1 to 3.

use relight_model::{Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The pins of a Swift project; a package is named by where its source is.
pub(super) const PLUGIN: Reader =
    Reader { name: "swift_resolved", selects: &[Select::Name("Package.resolved")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    let pins = lock.get("pins").or_else(|| lock.pointer("/object/pins")).and_then(Value::as_array);
    let Some(pins) = pins else { return reader::bad(file, reader::LOCK, "no pins", out) };
    for pin in pins {
        let location = match reader::string(pin, "location") {
            "" => reader::string(pin, "repositoryURL"),
            location => location,
        };
        let version = pin.get("state").map_or("", |state| reader::string(state, "version"));
        match package(location) {
            Some((namespace, name)) => {
                let purl = Purl::new("swift", &namespace, name, reader::plain_version(version));
                reader::declared(file, purl, out);
            }
            None => reader::bad(file, reader::LOCK, "a pin without location", out),
        }
    }
}

/// `https://user@github.com/apple/swift-nio.git` and `git@github.com:apple/swift-nio.git`, without
/// the user and whatever else may be secret.
fn package(location: &str) -> Option<(String, &str)> {
    let rest = location.split_once("://").map_or(location, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let rest = match rest.find('@') {
        Some(at) if !rest[..at].contains('/') => &rest[at + 1..],
        _ => rest,
    };
    let (namespace, name) = rest.trim_end_matches('/').rsplit_once('/')?;
    let name = name.strip_suffix(".git").unwrap_or(name);
    (!namespace.is_empty() && !name.is_empty()).then(|| (namespace.replace(':', "/"), name))
}
