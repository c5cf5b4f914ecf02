//! Formats that differ only in names: JSON with fixed keys, and columns named by a header line.

use relight_model::{Escape, Event};

use super::draft::{Draft, Need, Row};
use super::{Feed, LogParser, json};

/// One JSON object a line.
pub(super) struct JsonFormat {
    pub(super) name: &'static str,
    pub(super) rows: &'static [Row],
}

impl LogParser for JsonFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let mut draft = Draft::new(feed, Escape::Json);
        let mut seen = 0_u64;
        json::walk(line, &mut |path, value, _| match self
            .rows
            .iter()
            .position(|(name, ..)| json::is(path, name))
        {
            Some(at) => {
                seen |= u64::from(!value.is_empty()) << at;
                draft.put(self.rows[at].1, value)
            }
            None => {
                draft.unknown(value);
                Ok(())
            }
        })?;
        complete(self.rows, seen)?;
        draft.finish()
    }
}

/// Columns whose names stand in a header line.
pub(super) struct ColumnFormat {
    pub(super) name: &'static str,
    pub(super) escape: Escape,
    /// What begins the header line with the names, and what stands between them.
    pub(super) head: &'static str,
    pub(super) head_separator: char,
    /// What stands between the values.
    pub(super) separator: char,
    /// The names when no header line was seen; empty when there must be one.
    pub(super) usual: &'static str,
    pub(super) rows: &'static [Row],
}

impl ColumnFormat {
    fn names<'a>(&self, feed: &'a Feed) -> &'a str {
        let mut lines = feed.header.lines();
        lines.find_map(|line| line.strip_prefix(self.head)).unwrap_or(self.usual)
    }

    /// The event of a line that is no header.
    pub(super) fn event<'a>(
        &self,
        feed: &'a Feed,
        line: &'a str,
    ) -> Result<Event<'a>, &'static str> {
        let names = self.names(feed).trim_matches(self.head_separator);
        if names.is_empty() {
            return Err("columns-unknown");
        }
        let mut draft = Draft::new(feed, self.escape);
        let mut seen = 0_u64;
        let mut values = line.split(self.separator);
        for name in names.split(self.head_separator) {
            let value = values.next().ok_or("field-count")?;
            match self.rows.iter().position(|(known, ..)| *known == name) {
                Some(at) => {
                    seen |= 1 << at;
                    draft.put(self.rows[at].1, value)?;
                }
                None if matches!(value, "-" | "" | "(empty)") => {}
                None => draft.unknown(value),
            }
        }
        if values.next().is_some() {
            return Err("field-count");
        }
        complete(self.rows, seen)?;
        draft.finish()
    }
}

impl LogParser for ColumnFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        if self.is_header(line) { Err("header-line") } else { self.event(feed, line) }
    }

    fn is_header(&self, line: &str) -> bool {
        line.starts_with('#') || line.starts_with(self.head)
    }
}

/// A line without what every line of the format has is another format's.
pub(super) fn complete(rows: &[Row], seen: u64) -> Result<(), &'static str> {
    let missing = |(at, (.., need)): (usize, &Row)| *need == Need::Must && seen & (1 << at) == 0;
    if rows.iter().enumerate().any(missing) { Err("format-other") } else { Ok(()) }
}

/// A format of Zeek: the same names in columns and in JSON.
pub(super) struct ZeekFormat {
    pub(super) json: JsonFormat,
    pub(super) columns: ColumnFormat,
    /// The header line that says which log it is.
    pub(super) path: &'static str,
}

impl ZeekFormat {
    pub(super) const fn new(name: &'static str, path: &'static str, rows: &'static [Row]) -> Self {
        let columns = ColumnFormat {
            name,
            escape: Escape::Apache,
            head: "#fields\t",
            head_separator: '\t',
            separator: '\t',
            usual: "",
            rows,
        };
        Self { json: JsonFormat { name, rows }, columns, path }
    }
}

impl LogParser for ZeekFormat {
    fn name(&self) -> &'static str {
        self.json.name
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        if line.starts_with('{') {
            return self.json.parse(feed, line);
        }
        if self.is_header(line) {
            return Err("header-line");
        }
        if !feed.header.lines().any(|header| header == self.path) {
            return Err("columns-unknown");
        }
        self.columns.event(feed, line)
    }

    fn is_header(&self, line: &str) -> bool {
        line.starts_with('#')
    }
}
