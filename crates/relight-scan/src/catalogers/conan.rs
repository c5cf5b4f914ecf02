//! C and C++ packages of Conan: `conan.lock`, versions 1 and 2.

use relight_model::{Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// References `name/version@user/channel#revision`.
pub(super) const PLUGIN: Reader =
    Reader { name: "conan", selects: &[Select::Name("conan.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(lock) = reader::json(file, reader::LOCK, out) else { return };
    let list = |key: &str| lock.get(key).and_then(Value::as_array);
    let nodes = lock.pointer("/graph_lock/nodes").and_then(Value::as_object);
    if nodes.is_none() && list("requires").is_none() {
        return reader::bad(file, reader::LOCK, "neither requires nor nodes", out);
    }
    let keys = ["requires", "build_requires", "python_requires"];
    let listed = keys.iter().filter_map(|key| list(key)).flatten().filter_map(Value::as_str);
    let nodes = nodes.into_iter().flat_map(|nodes| nodes.values());
    for reference in listed.chain(nodes.map(|node| reader::string(node, "ref"))) {
        let reference = reference.split(['@', '#', '%']).next().unwrap_or_default();
        if let Some((name, version)) = reference.split_once('/') {
            let version = reader::plain_version(version);
            reader::declared(file, Purl::new("conan", "", name, version), out);
        }
    }
    out.sort();
}
