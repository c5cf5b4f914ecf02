//! One configuration file: its keys with their lines.

use std::io::ErrorKind;
use std::path::Path;

use relight_formats::limited;
use toml::de::{DeTable, DeValue};

use super::{What, Wrong};

/// Longest configuration file, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 10;

/// A value as the file has it.
#[derive(Debug)]
pub(super) enum Value {
    Flag(bool),
    Word(String),
    List(Vec<String>),
    /// What no option takes: a table, a date.
    Other(&'static str),
}

/// A key, its value and the line of the key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// Reads a file; none is no fault, unless it was named.
pub(super) fn read(path: &Path, is_named: bool) -> Result<Option<Vec<Entry>>, Wrong> {
    let place = path.display().to_string();
    let unreadable = |cause: String| Wrong {
        place: place.clone(),
        what: What::Unreadable(cause),
        is_of_folder: false,
    };
    match path.metadata() {
        Ok(about) if about.is_file() => {}
        // Reading from a pipe or a device that a stranger put there would wait for ever.
        Ok(_) => return Err(unreadable("not a regular file".to_owned())),
        Err(error) if !is_named && error.kind() == ErrorKind::NotFound => return Ok(None),
        // A file where a folder would be: there is no configuration below it.
        Err(error) if !is_named && error.kind() == ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let bytes = limited::read_all(file, FILE_BYTES_MAX);
    let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
    parse(&text, &place).map(Some)
}

/// The keys of a text, in its order.
pub(super) fn parse(text: &str, place: &str) -> Result<Vec<Entry>, Wrong> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        let what = What::Syntax(error.message().replace('\n', ", "));
        Wrong { place: format!("{place}:{line}"), what, is_of_folder: false }
    })?;
    let mut entries = Vec::new();
    collect(table.get_ref(), "", text, &mut entries);
    entries.sort_by_key(|entry| entry.line);
    Ok(entries)
}

fn collect(table: &DeTable<'_>, above: &str, text: &str, entries: &mut Vec<Entry>) {
    for (name, value) in table {
        let dot = if above.is_empty() { "" } else { "." };
        let key = format!("{above}{dot}{}", name.get_ref());
        match value.get_ref() {
            // One level of tables is all there is; what lies deeper is no key.
            DeValue::Table(inner) if above.is_empty() => collect(inner, &key, text, entries),
            other => {
                let line = line_at(text, name.span().start);
                entries.push(Entry { key, value: value_of(other), line });
            }
        }
    }
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Array(items) => {
            let words = items.iter().map(|item| match value_of(item.get_ref()) {
                Value::Word(word) => Some(word),
                _ => None,
            });
            words.collect::<Option<Vec<_>>>().map_or(Value::Other("array"), Value::List)
        }
        DeValue::String(text) => Value::Word(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => {
            Value::Word(number.as_str().replace('_', ""))
        }
        other => Value::Other(other.type_str()),
    }
}

/// The line of a place in a text; the first is 1.
fn line_at(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
