//! Lock files of yarn, classic and berry: `yarn.lock`.

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What a project resolved with yarn. Classic writes `version "1.0"`, berry `version: 1.0`.
pub(super) const PLUGIN: Reader =
    Reader { name: "yarn_lock", selects: &[Select::Name("yarn.lock")], read };

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    let mut head = "";
    let mut entry = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')).chain(["end"]) {
        if line.starts_with([' ', '\t']) {
            entry.push(line.trim());
        } else if !line.is_empty() {
            if !entry.is_empty() {
                read_entry(head, &entry, file, out);
            }
            head = line;
            entry.clear();
        }
    }
    if out.components().is_empty() && text.lines().any(|line| !is_silent(line)) {
        reader::bad(file, reader::LOCK, "no entry of a yarn.lock", out);
    }
}

fn is_silent(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// `"@s/a@^1.0", "@s/a@npm:^1.1":` and the lines below it.
fn read_entry(head: &str, entry: &[&str], file: &File<'_>, out: &mut Catalog) {
    let value = |key: &str| {
        let line = entry.iter().find_map(|line| line.strip_prefix(key));
        line.map_or("", |line| line.trim_start_matches(':').trim().trim_matches('"'))
    };
    if head.starts_with("__metadata") {
        return;
    }
    let descriptor = head.trim_start_matches('"').split(['"', ',']).next().unwrap_or_default();
    // Berry names the real package, also of an alias: `resolution: "real@npm:1.0.0"`. Workspaces
    // are the project itself.
    let resolution = value("resolution");
    if resolution.contains("@workspace:") {
        return;
    }
    let name = if resolution.is_empty() { alias(descriptor) } else { package(resolution) };
    let version = value("version");
    if name.is_empty() || version.is_empty() {
        return reader::bad(file, reader::LOCK, "an entry without name or version", out);
    }
    let (namespace, name) = reader::split_scope(name);
    let version = reader::plain_version(version);
    reader::declared(file, Purl::new("npm", namespace, name, version), out);
}

/// `alias@npm:real@^1.0` is `real`.
fn alias(descriptor: &str) -> &str {
    match descriptor.split_once("@npm:") {
        Some((_, real)) if package(real).len() < real.len() => package(real),
        _ => package(descriptor),
    }
}

/// The name in front of the last part of `@scope/name@range`.
fn package(descriptor: &str) -> &str {
    let at =
        descriptor.get(1..).and_then(|rest| rest.find('@')).map_or(descriptor.len(), |at| at + 1);
    descriptor[..at].trim_end_matches(':')
}
