//! Requirements of Python projects: `requirements*.txt`, `*requirements.txt`, `constraints*.txt`.

use std::borrow::Cow;

use relight_model::{Catalog, Purl};

use super::python_dist::normalise;
use crate::cataloger::{File, Select};
use crate::reader::{self, Reader};

/// Lists for pip. Only `==` and `===` pin a version; any other name is declared without one.
pub(super) const PLUGIN: Reader = Reader {
    name: "requirements",
    selects: &[
        Select::Named("requirements", ".txt"),
        Select::Named("", "requirements.txt"),
        Select::Named("constraints", ".txt"),
    ],
    read,
};

fn read(file: &File<'_>, out: &mut Catalog) {
    if file.bytes.contains(&0) {
        return reader::bad(file, reader::LOCK, "no text", out);
    }
    let text = reader::text(file);
    for line in lines(&text) {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(['#', '-']) {
            continue;
        }
        // `name[extra] == 1.0 ; marker --hash=…`; `name @ https://user:pass@host/x.whl`.
        let line =
            line.split([';', ' ']).next().map_or(line, |_| line.split(';').next().unwrap_or(line));
        let line = line.split(" --").next().unwrap_or_default();
        let name_end =
            line.find(['[', '=', '<', '>', '!', '~', '@', ' ', '(']).unwrap_or(line.len());
        let name = &line[..name_end];
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        // Addresses and paths name no package.
        if name.is_empty()
            || !name.chars().all(plain)
            || line.contains("://") && !line.contains('@')
        {
            continue;
        }
        let version = if line.contains('@') { "" } else { pinned(&line[name_end..]) };
        reader::declared(file, Purl::new("pypi", "", &normalise(name), version), out);
    }
}

/// Lines, each with those in which it goes on behind a backslash.
fn lines(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let mut line = Cow::Borrowed(lines.next()?);
        while line.ends_with('\\')
            && let Some(next) = lines.next()
        {
            let whole = line.to_mut();
            whole.pop();
            whole.push(' ');
            whole.push_str(next);
        }
        Some(line)
    })
}

fn pinned(specifier: &str) -> &str {
    let specifier = specifier.split(']').next_back().unwrap_or_default();
    let specifier = specifier.trim().trim_matches(['(', ')']).trim();
    let Some(version) = specifier.strip_prefix("===").or_else(|| specifier.strip_prefix("=="))
    else {
        return "";
    };
    let version = version.trim();
    if version.contains(['*', ',']) { "" } else { reader::plain_version(version) }
}
