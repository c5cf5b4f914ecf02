//! The lock files of bun: `bun.lock`, which is text, and `bun.lockb`, which is not.

use relight_model::{Catalog, FlawCode, Purl};
use serde_json::Value;

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};
use crate::sniff::BUN_LOCK;

/// JSON with commas behind last elements: `"packages": { "a": ["a@1.0.0", …] }`. The older form is
/// an image of bun's memory, of which there is no description: it is recognised and not read.
pub(super) const PLUGIN: Reader = Reader {
    name: "bun_lock",
    selects: &[Select::Name("bun.lock"), Select::Name("bun.lockb")],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file.bytes.starts_with(BUN_LOCK) {
        out.unlisted = Some(FlawCode::NodeUnlisted);
        return;
    }
    if file.path.ends_with('b') {
        return reader::bad(file, reader::LOCK, "no lock file of bun", out);
    }
    let strict = without_last_commas(&reader::text(file));
    let strict = File::of_bytes(file.path, strict.as_bytes());
    let Some(lock) = reader::json(&strict, reader::LOCK, out) else { return };
    let Some(packages) = lock.get("packages").and_then(Value::as_object) else {
        return reader::bad(file, reader::LOCK, "no packages", out);
    };
    for package in packages.values() {
        let Some(id) = package.get(0).and_then(Value::as_str) else {
            reader::bad(file, reader::LOCK, "a package that is no list", out);
            continue;
        };
        let Some((name, version)) = split(id) else {
            continue;
        };
        // `a@workspace:packages/a` is the project; addresses are no versions.
        if version.starts_with("workspace:") || version.starts_with("link:") {
            continue;
        }
        let (namespace, name) = reader::split_scope(name);
        let version = if version.contains(':') { "" } else { reader::plain_version(version) };
        reader::declared(file, Purl::new("npm", namespace, name, version), out);
    }
}

/// `@s/a@1.0.0` and `a@git+ssh://git@host/x`: the name ends at the first `@` behind its start.
fn split(id: &str) -> Option<(&str, &str)> {
    let at = id.get(1..)?.find('@')? + 1;
    Some((&id[..at], &id[at + 1..]))
}

/// Drops each comma that only white space separates from a closing bracket, outside of strings.
fn without_last_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut comma = None;
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if !c.is_whitespace() {
            if let Some(at) = comma.take().filter(|_| matches!(c, ']' | '}')) {
                out.remove(at);
            }
            comma = (c == ',').then_some(out.len());
            in_string = c == '"';
        }
        out.push(c);
    }
    out
}
