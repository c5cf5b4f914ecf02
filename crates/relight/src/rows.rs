//! Documents as rows, for `-o csv` and `-o markdown`: the list of a document, one line an item,
//! with the names and values that its JSON has. Nothing in it is translated.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// How data are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text for people.
    Text,
    Json,
    /// JSON, a document a line.
    Jsonl,
    Csv,
    Markdown,
}

impl Form {
    /// The names of all, as `-o` takes them.
    pub(crate) const NAMES: [&'static str; 6] =
        ["auto", "table", "json", "jsonl", "csv", "markdown"];

    pub(crate) fn parse(name: &str) -> Self {
        match name {
            "json" => Self::Json,
            "jsonl" => Self::Jsonl,
            "csv" => Self::Csv,
            "markdown" => Self::Markdown,
            _ => Self::Text,
        }
    }

    /// Commands make a document, and no text.
    pub(crate) const fn is_document(self) -> bool {
        !matches!(self, Self::Text)
    }
}

/// A document whose fields keep their order.
enum Node {
    List(Vec<Node>),
    Fields(Vec<(String, Node)>),
    Leaf(Value),
}

/// A document as rows.
pub(crate) struct Rows {
    pub(crate) text: String,
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// The lists of things that are not in it, because another one is.
    pub(crate) left_out: Vec<String>,
}

/// The rows of a document: those of its first list of things, or itself as the only one. The names
/// of the columns stand in front, unless they are those that were written `before`: in a stream a
/// document of another kind has a head of its own.
pub(crate) fn rows(
    document: &str,
    form: Form,
    before: Option<&[String]>,
) -> serde_json::Result<Rows> {
    let mut node: Node = serde_json::from_str(document)?;
    let has_list = lists(&node).next().is_some();
    if let Node::Fields(fields) = &mut node {
        // Up to which entry of the journal a list counts is no row.
        fields.retain(|(name, _)| name != "schema" && !(has_list && name == "entry"));
    }
    let (shown, items) = list(&node).unwrap_or(("", std::slice::from_ref(&node)));
    let is_left_out =
        |(name, items): &(&str, &[Node])| !shown.is_empty() && *name != shown && !items.is_empty();
    let left_out = lists(&node).filter(is_left_out).map(|(name, _)| name.to_owned()).collect();
    let mut columns: Vec<String> = Vec::new();
    for (name, _) in items.iter().flat_map(fields) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let mut lines = Vec::new();
    if before.is_none_or(|before| !columns.is_empty() && before != columns) {
        lines.push(columns.clone());
        if form == Form::Markdown {
            lines.push(columns.iter().map(|_| "---".to_owned()).collect());
        }
    }
    for item in items {
        let cell = |name: &String| {
            let found = fields(item).find(|(other, _)| other == name);
            found.map(|(_, node)| text(node)).unwrap_or_default()
        };
        lines.push(columns.iter().map(cell).collect());
    }
    let text = lines.iter().map(|cells| line(cells, form)).collect();
    Ok(Rows { text, columns, left_out })
}

/// The lists of things with fields, by their names.
fn lists(node: &Node) -> impl Iterator<Item = (&str, &[Node])> {
    fields(node).filter_map(|(name, node)| match node {
        Node::List(items) if items.iter().all(|it| matches!(it, Node::Fields(_))) => {
            Some((name.as_str(), &items[..]))
        }
        _ => None,
    })
}

/// The first of them; an empty one only where the document has nothing else: what else it says
/// would be lost.
fn list(node: &Node) -> Option<(&str, &[Node])> {
    let is_alone = fields(node).count() == 1;
    lists(node).find(|(_, items)| is_alone || !items.is_empty())
}

fn fields(node: &Node) -> impl Iterator<Item = &(String, Node)> {
    let fields: &[(String, Node)] = match node {
        Node::Fields(fields) => fields,
        Node::List(_) | Node::Leaf(_) => &[],
    };
    fields.iter()
}

pub(crate) fn line(cells: &[String], form: Form) -> String {
    match form {
        Form::Markdown => {
            let cells: Vec<String> = cells.iter().map(|cell| escaped(cell)).collect();
            format!("| {} |\n", cells.join(" | "))
        }
        _ => {
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            format!("{}\r\n", cells.join(","))
        }
    }
}

/// Text of Markdown that is text only: no end of a line, no bar, no tag, no picture, which a reader
/// of the document would fetch, and no link that hides where it leads.
pub(crate) fn escaped(cell: &str) -> String {
    let mut text = String::with_capacity(cell.len());
    for sign in cell.chars() {
        match sign {
            '<' => text.push_str("&lt;"),
            '&' => text.push_str("&amp;"),
            '\r' | '\n' => text.push(' '),
            '\\' | '|' | '[' | ']' | '`' | '*' => text.extend(['\\', sign]),
            other => text.push(other),
        }
    }
    text
}

/// RFC 4180. A cell that a spreadsheet would run as a formula gets an apostrophe in front.
pub(crate) fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let cell = if !is_number && cell.starts_with(['=', '+', '-', '@', '\t']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", cell.replace('"', "\"\""));
    }
    cell
}

/// A value in one cell: lists of words by spaces, what is deeper as JSON.
fn text(node: &Node) -> String {
    match node {
        Node::Leaf(Value::Null) => String::new(),
        Node::Leaf(Value::String(text)) => text.clone(),
        Node::Leaf(value) => value.to_string(),
        Node::List(items) if items.iter().all(|it| matches!(it, Node::Leaf(_))) => {
            items.iter().map(text).collect::<Vec<_>>().join(" ")
        }
        deep => value(deep).to_string(),
    }
}

fn value(node: &Node) -> Value {
    match node {
        Node::Leaf(value) => value.clone(),
        Node::List(items) => Value::Array(items.iter().map(value).collect()),
        Node::Fields(fields) => {
            Value::Object(fields.iter().map(|(name, node)| (name.clone(), value(node))).collect())
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Node::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Leaf(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Leaf(Value::Null))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_run() {
        for (cell, written) in [
            ("a", "a"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
            ("-1", "-1"),
            ("-x", "'-x"),
            ("", ""),
        ] {
            assert_eq!(quoted(cell), written);
        }
    }

    const DOCUMENT: &str = r#"{"schema":"x","total":2,"sites":[
        {"site":"b","name":"Ville, \"X\"","aliases":["c","d"],"level":-1,"since":null},
        {"site":"=1+1","name":"a|b\n<b>","aliases":[],"edges":[{"edge":"n","up":true}]}]}"#;

    #[test]
    fn the_list_of_a_document_is_its_rows() {
        let csv = rows(DOCUMENT, Form::Csv, None).unwrap().text;
        assert_eq!(
            csv,
            "site,name,aliases,level,since,edges\r\n\
             b,\"Ville, \"\"X\"\"\",c d,-1,,\r\n\
             '=1+1,\"a|b\n<b>\",,,,\"[{\"\"edge\"\":\"\"n\"\",\"\"up\"\":true}]\"\r\n"
        );
        let markdown = rows(DOCUMENT, Form::Markdown, None).unwrap().text;
        assert!(markdown.contains("| --- | --- |"), "{markdown}");
        assert!(markdown.contains("| =1+1 | a\\|b &lt;b> |"), "{markdown}");
    }

    #[test]
    fn a_document_without_a_list_is_one_row_and_a_stream_has_one_head() {
        let csv = |document: &str, before: Option<&[String]>| {
            let rows = rows(document, Form::Csv, before).unwrap();
            (rows.text, rows.columns)
        };
        let one = r#"{"schema":"x","done":true,"count":3}"#;
        let (text, columns) = csv(one, None);
        assert_eq!(text, "done,count\r\ntrue,3\r\n");
        assert_eq!(csv(one, Some(&columns)).0, "true,3\r\n");
        assert_eq!(csv(r#"{"schema":"x","sites":[]}"#, None).0, "\r\n");
        assert_eq!(csv(r#"{"schema":"x","entry":3,"incidents":[]}"#, None).0, "\r\n");
        // No value stands under the name of another one.
        let refused = r#"{"schema":"y","line":4,"refused":"line-short"}"#;
        assert_eq!(csv(refused, Some(&columns)).0, "line,refused\r\n4,line-short\r\n");
        assert_eq!(csv(r#"{"schema":"x","sites":[]}"#, Some(&columns)).0, "");
    }

    /// What is not proven, waits or could not be read is never lost because a list is empty, or
    /// another one stands first.
    #[test]
    fn no_list_takes_the_place_of_what_else_is_said() {
        let of = |document: &str| rows(document, Form::Csv, None).unwrap();
        let done = of(r#"{"plan":"A-0001","not_proven":[]}"#);
        assert_eq!(done.text, "plan,not_proven\r\nA-0001,\r\n");
        let waits = of(r#"{"incidents":[],"plans":[{"plan":"A-0001"}]}"#);
        assert_eq!((waits.text.as_str(), waits.left_out.len()), ("plan\r\nA-0001\r\n", 0));
        let scanned = of(r#"{"components":[{"purl":"p"}],"unread":[{"path":"x"}],"gaps":[]}"#);
        assert_eq!(scanned.text, "purl\r\np\r\n");
        assert_eq!(scanned.left_out, ["unread"]);
    }
}
