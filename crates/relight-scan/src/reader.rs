//! Catalogers that are one function, and what most of them need to read text.

use std::borrow::Cow;

use relight_model::{Basis, Catalog, Component, Purl, Scope, Warning};
use serde_json::Value;

use crate::cataloger::{Cataloger, File, Select};

/// Code of a lock file that cannot be used.
pub(crate) const LOCK: &str = "bad-lock";

/// Code of an installation record that cannot be used.
pub(crate) const METADATA: &str = "bad-metadata";

/// Code of a package database that cannot be used.
pub(crate) const DATABASE: &str = "bad-database";

/// Code of a program whose tables cannot be used.
pub(crate) const PROGRAM: &str = "bad-program";

/// A cataloger without state.
pub(crate) struct Reader {
    /// The name of its file and of its fixtures.
    pub(crate) name: &'static str,
    /// Which files it wants.
    pub(crate) selects: &'static [Select],
    /// Reads one file.
    pub(crate) read: fn(&File<'_>, &mut Catalog),
}

impl Cataloger for Reader {
    fn name(&self) -> &'static str {
        self.name
    }

    fn selects(&self) -> &'static [Select] {
        self.selects
    }

    fn catalog(&self, file: &File<'_>, out: &mut Catalog) {
        (self.read)(file, out);
    }
}

/// The bytes as text, without a mark of the byte order; what is no UTF-8 is replaced.
pub(crate) fn text<'a>(file: &File<'a>) -> Cow<'a, str> {
    String::from_utf8_lossy(file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.bytes))
}

/// The bytes as JSON; what is none is a warning, and what would take too much room cuts `out`.
pub(crate) fn json(file: &File<'_>, code: &'static str, out: &mut Catalog) -> Option<Value> {
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file.bytes);
    if !may_hold(bytes, out) {
        return None;
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            bad(file, code, error.to_string(), out);
            None
        }
    }
}

/// Bytes that a value, a key and a small object take in memory, about. An object has room for
/// eleven members, whatever it holds.
const VALUE_BYTES: usize = 32;
const KEY_BYTES: usize = 64;
const OBJECT_BYTES: usize = 640;

/// Whether there is room for all values of a JSON, TOML or XML document at one time. Of the bytes
/// `{"":0},` each seven take a hundred times as much.
pub(crate) fn may_hold(document: &[u8], out: &mut Catalog) -> bool {
    if document.len().saturating_mul(OBJECT_BYTES) <= out.room() {
        return true;
    }
    let (mut held, mut quoted, mut escaped) = (document.len(), false, false);
    for (at, byte) in document.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b',' | b'[' => held += VALUE_BYTES,
            b':' | b'=' => held += KEY_BYTES,
            // An element of XML has two tags, and is one.
            b'<' if matches!(document.get(at + 1), Some(b'/' | b'?' | b'!')) => {}
            b'{' | b'<' => held += OBJECT_BYTES,
            _ => {}
        }
    }
    out.may_hold(held)
}

/// The bytes as TOML; what is none is a warning, and what would take too much room cuts `out`.
pub(crate) fn toml(file: &File<'_>, code: &'static str, out: &mut Catalog) -> Option<toml::Table> {
    if !may_hold(file.bytes, out) {
        return None;
    }
    match text(file).parse() {
        Ok(table) => Some(table),
        Err(error) => {
            let error: toml::de::Error = error;
            bad(file, code, error.message(), out);
            None
        }
    }
}

/// The log beside a SQLite database: what it holds is not in the tables yet, and not read here.
pub(crate) fn unmerged(file: &File<'_>, out: &mut Catalog) {
    if !file.bytes.is_empty() {
        bad(file, DATABASE, "changes that are not in the database yet; they were not read", out);
    }
}

/// Something that could not be used; the inventory is incomplete.
pub(crate) fn bad(
    file: &File<'_>,
    code: &'static str,
    message: impl Into<String>,
    out: &mut Catalog,
) {
    out.warn(Warning::new(code, file.path, message));
}

/// A package that was seen installed in the place of `file`.
pub(crate) fn installed(file: &File<'_>, purl: Purl, basis: Basis, out: &mut Catalog) {
    if !purl.name.is_empty() {
        out.push(Component::new(purl, file.path, basis, Scope::Installed));
    }
}

/// A package that a lock file names.
pub(crate) fn declared(file: &File<'_>, purl: Purl, out: &mut Catalog) {
    if !purl.name.is_empty() {
        out.push(Component::new(purl, file.path, Basis::LockFile, Scope::Declared));
    }
}

/// A string of a JSON object; empty when it is not there or no string.
pub(crate) fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A string of a TOML table; empty when it is not there or no string.
pub(crate) fn toml_string<'a>(table: &'a toml::Table, key: &str) -> &'a str {
    table.get(key).and_then(toml::Value::as_str).unwrap_or_default()
}

/// The tables of a TOML list of tables (`[[package]]`).
pub(crate) fn toml_tables<'a>(
    table: &'a toml::Table,
    key: &str,
) -> impl Iterator<Item = &'a toml::Table> {
    let list = table.get(key).and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_table)
}

/// A version, unless it is an address: those are no versions and may hold a password.
pub(crate) fn plain_version(text: &str) -> &str {
    if text.contains(['/', '\\']) || text.contains("://") { "" } else { text }
}

/// `@scope/name` as namespace and name.
pub(crate) fn split_scope(name: &str) -> (&str, &str) {
    name.rsplit_once('/').unwrap_or(("", name))
}

/// Paragraphs of `Field: value` lines, as in Debian's control files: separated by empty lines.
pub(crate) fn stanzas(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let mut lines = text.lines();
    std::iter::from_fn(move || {
        let is_blank = |line: &&str| line.trim().is_empty();
        let first = lines.find(|line| !is_blank(line))?;
        let rest = lines.by_ref().take_while(|line| !is_blank(line));
        Some([first].into_iter().chain(rest).collect())
    })
}

/// The value of a `Field: value` line; empty when there is none.
pub(crate) fn field<'a>(lines: &[&'a str], key: &str) -> &'a str {
    let found = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(key).then_some(value.trim())
    });
    found.unwrap_or_default()
}

/// What a package was built from, where it is called otherwise.
pub(crate) fn other_than<'a>(name: &str, source: &'a str) -> &'a str {
    if source == name { "" } else { source }
}

/// The text between the first pair of quotes, single or double.
pub(crate) fn quoted(text: &str) -> Option<&str> {
    let start = text.find(['"', '\''])?;
    let quote = text.as_bytes()[start] as char;
    let rest = &text[start + 1..];
    Some(&rest[..rest.find(quote)?])
}

/// The text of the first XML element of this name, without attributes; enough for the flat files
/// of package managers.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let found = xml.match_indices('<').find_map(|(at, _)| {
        let rest = xml[at + 1..].strip_prefix(name)?;
        // No attribute holds a `<`: without an end of its own it is no tag.
        let end = rest.find(['<', '>']).filter(|end| rest[*end..].starts_with('>'))?;
        let (head, body) = (&rest[..end], &rest[end + 1..]);
        let named = head.is_empty() || head.starts_with([' ', '\t', '\r', '\n']);
        (named && !head.ends_with('/')).then(|| body.split('<').next().unwrap_or_default().trim())
    });
    found.unwrap_or_default()
}

/// The value of an XML attribute inside one tag.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
    let found = tag.match_indices(name).find_map(|(at, _)| {
        let before = tag[..at].chars().next_back().is_none_or(char::is_whitespace);
        let rest = tag[at + name.len()..].trim_start().strip_prefix('=')?;
        let value = rest.trim_start();
        if before && value.starts_with(['"', '\'']) { quoted(value) } else { None }
    });
    found.unwrap_or_default()
}

/// One line of a YAML file as its writers lay it out: nesting by spaces, one key a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct YamlLine<'a> {
    /// Spaces in front.
    pub(crate) indent: usize,
    /// Starts with `- `.
    pub(crate) item: bool,
    /// The key without quotes; the whole text of a line without one.
    pub(crate) key: &'a str,
    /// The value without quotes; empty when the value stands below.
    pub(crate) value: &'a str,
}

/// The lines of a lock file in YAML. It is no YAML reader: block scalars, anchors and keys over
/// several lines do not occur in what package managers write.
pub(crate) fn yaml(text: &str) -> impl Iterator<Item = YamlLine<'_>> {
    text.lines().filter_map(|line| {
        let body = line.trim_start();
        if body.is_empty() || body.starts_with('#') {
            return None;
        }
        let indent = line.len() - body.len();
        let (item, body) = match body.strip_prefix("- ") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, body),
        };
        let (key, value) = split_key(body.trim_end());
        Some(YamlLine { indent, item, key: unquoted(key), value: unquoted(value) })
    })
}

fn split_key(body: &str) -> (&str, &str) {
    if let Some(quote) = body.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let end = body[1..].find(quote).map_or(body.len(), |at| at + 2);
        let rest = body[end..].trim_start();
        return (&body[..end], rest.strip_prefix(':').unwrap_or(rest).trim());
    }
    let ends = body.strip_suffix(':').map(|key| (key, ""));
    ends.or_else(|| body.split_once(": ")).map_or((body, ""), |(key, value)| (key, value.trim()))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_lines() {
        let line = |text| {
            let YamlLine { indent, item, key, value } = yaml(text).next().unwrap();
            format!("{indent} {item} {key}|{value}")
        };
        assert_eq!(line("  name: \"a b\""), "2 false name|a b");
        assert_eq!(line("'@s/a@1.0:x':"), "0 false @s/a@1.0:x|");
        assert_eq!(line("  - AFNetworking (4.0):"), "2 true AFNetworking (4.0)|");
        assert_eq!(line("    - plain"), "4 true plain|");
        assert_eq!(line("\"unclosed: x"), "0 false \"unclosed: x|");
        assert_eq!(line("url: https://x/y"), "0 false url|https://x/y");
        assert_eq!(yaml("\n # note\n").count(), 0);
    }

    #[test]
    fn elements_and_attributes() {
        let xml = "<a><version x='1'> 2 </version><versions>3</versions></a>";
        assert_eq!(element(xml, "version"), "2");
        assert_eq!(element(xml, "missing"), "");
        assert_eq!(element("<name", "name"), "");
        assert_eq!(attribute("package id=\"A\" version = '1'", "version"), "1");
        assert_eq!(attribute("package id=\"A\" allowedVersions='2'", "Versions"), "");
    }

    #[test]
    fn addresses_are_no_versions() {
        assert_eq!(plain_version("1.2.3"), "1.2.3");
        assert_eq!(plain_version("git+https://user:pass@host/x"), "");
        assert_eq!(quoted("s.name = 'a'.freeze"), Some("a"));
        assert_eq!(quoted("s.name = \"a"), None);
        assert_eq!(quoted("none"), None);
    }

    /// Found with an inventory in XML of some megabytes: each end of an element counted as one.
    #[test]
    fn an_element_of_xml_takes_the_room_of_one() {
        let lists = "<v>1</v>".repeat(1_000);
        let mut room = Catalog::with_room(1_000 * (OBJECT_BYTES + 8));
        assert!(may_hold(lists.as_bytes(), &mut room));
        let mut less = Catalog::with_room(1_000 * OBJECT_BYTES);
        assert!(!may_hold(lists.as_bytes(), &mut less));
    }
}
