//! Yarn's Plug'n'Play: the table of packages in `.pnp.cjs` or `.pnp.data.json`.

use relight_model::{Catalog, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// The table that resolves modules without `node_modules`. What it names lies in archives, which
/// are scanned where they lie; the table alone is a declaration.
pub(super) const PLUGIN: Reader = Reader {
    name: "yarn_pnp",
    selects: &[Select::Name(".pnp.data.json"), Select::Name(".pnp.cjs"), Select::Name(".pnp.js")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let (json, is_script) = if file.path.ends_with(".json") {
        (text.into_owned(), false)
    } else if let Some(json) = embedded(&text) {
        (json, true)
    } else {
        return reader::bad(file, reader::LOCK, "no table of packages", out);
    };
    let inner = File::of_bytes(file.path, json.as_bytes());
    let Some(table) = reader::json(&inner, reader::LOCK, out) else { return };
    let registry = table.get("packageRegistryData").and_then(Value::as_array);
    if registry.is_none() && is_script {
        return reader::bad(file, reader::LOCK, "no packageRegistryData", out);
    }
    for entry in registry.into_iter().flatten() {
        let Some(name) = entry.get(0).and_then(Value::as_str) else { continue };
        for instance in entry.get(1).and_then(Value::as_array).into_iter().flatten() {
            let reference = instance.get(0).and_then(Value::as_str).unwrap_or_default();
            // `virtual:…#npm:1.0.0` is `npm:1.0.0` for one set of peers.
            let reference = reference.rsplit('#').next().unwrap_or_default();
            let Some(version) = reference.strip_prefix("npm:") else { continue };
            let (namespace, name) = reader::split_scope(name);
            let version = reader::plain_version(version);
            reader::declared(file, Purl::new("npm", namespace, name, version), out);
        }
    }
    out.sort();
}

/// `const RAW_RUNTIME_STATE = '…'`: JSON in a string of JavaScript, its lines ended by `\`.
fn embedded(script: &str) -> Option<String> {
    let (_, rest) = script.split_once("RAW_RUNTIME_STATE")?;
    let rest = &rest[rest.find('\'')? + 1..];
    let mut json = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '\'' => return Some(json),
            '\\' => match chars.next()? {
                '\n' => {}
                '\r' if chars.as_str().starts_with('\n') => drop(chars.next()),
                quote @ ('\'' | '\\') => json.push(quote),
                other => json.extend(['\\', other]),
            },
            other => json.push(other),
        }
    }
}
