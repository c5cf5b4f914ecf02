//! Go modules: `go.mod`, and the sums of `go.sum`.

use std::collections::HashMap;

use relight_model::{Catalog, Purl};

use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// What a Go project requires. `go.sum` also names versions that lost the selection, so it is read
/// only for what it is: sums of modules that were once fetched.
pub(super) const PLUGIN: Reader =
    Reader { name: "go_mod", selects: &[Select::Name("go.mod"), Select::Name("go.sum")], read };

/// Bytes that one requirement or replacement takes until all are known.
const PAIR_BYTES: usize = 128;

fn read(file: &File<'_>, out: &mut Catalog) {
    let text = reader::text(file);
    if file.path.ends_with("go.sum") {
        sums(&text, file, out)
    } else {
        requirements(&text, file, out)
    }
    out.sort();
}

/// `module version h1:…` is a module, `module version/go.mod h1:…` only its requirements.
fn sums(text: &str, file: &File<'_>, out: &mut Catalog) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let parts: Vec<&str> = line.split_whitespace().take(4).collect();
        match parts[..] {
            [_, version, _] if version.ends_with("/go.mod") => {}
            [path, version, sum] if sum.starts_with("h1:") => {
                reader::declared(file, module(path, version), out);
            }
            _ => return reader::bad(file, reader::LOCK, "a line that is no sum", out),
        }
    }
}

/// A `require` and its replacement. What a folder replaced may be any version of it, so it stays
/// under its own name and its version is open.
fn requirements(text: &str, file: &File<'_>, out: &mut Catalog) {
    if !text.lines().any(|line| line.starts_with("module")) {
        return reader::bad(file, reader::LOCK, "no module", out);
    }
    let (mut required, mut replaced) = (Vec::new(), Vec::new());
    let mut block = "";
    for line in text.lines() {
        let pairs = required.len() + replaced.len();
        if !out.may_hold(PAIR_BYTES * pairs) {
            break;
        }
        let line = line.split("//").next().unwrap_or_default().trim();
        let (directive, rest) = match line.split_once(char::is_whitespace) {
            Some((directive, rest)) if block.is_empty() => (directive, rest.trim()),
            _ => (block, line),
        };
        if line == ")" {
            block = "";
        } else if rest == "(" {
            block = directive;
        } else if directive == "require" {
            required.extend(rest.split_once(' '));
        } else if directive == "replace" {
            replaced.extend(rest.split_once("=>"));
        }
    }
    // By path, and by the version that alone is replaced; of several the first counts.
    let mut replacements: HashMap<_, (usize, &str)> = HashMap::new();
    for (place, (old, new)) in replaced.into_iter().enumerate() {
        let mut words = old.split_whitespace();
        if let Some(path) = words.next() {
            replacements.entry((path, words.next())).or_insert((place, new));
        }
    }
    for (path, version) in required {
        let version = version.trim();
        let of_any = replacements.get(&(path, None));
        let of_this = replacements.get(&(path, Some(version)));
        match of_any.into_iter().chain(of_this).min() {
            None => reader::declared(file, module(path, version), out),
            Some((_, new)) => {
                let of_folder = (path, "");
                let (path, version) = new.trim().split_once(' ').unwrap_or(of_folder);
                reader::declared(file, module(path, version.trim()), out);
            }
        }
    }
}

/// A module as a purl: everything in front of the last segment is the namespace.
pub(super) fn module(path: &str, version: &str) -> Purl {
    let path = path.trim_matches('"');
    let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
    Purl::new("golang", namespace, name, version)
}
