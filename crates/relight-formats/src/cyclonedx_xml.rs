//! CycloneDX in XML to the object that the same document would be in JSON, as far as VEX needs it.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Value, json};

use crate::advisory::json::{Fault, Object, RECORD_BYTES_MAX};
use crate::advisory::outline::Outline;

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 128;

/// Elements that are lists in JSON.
const LISTS: [&str; 8] = [
    "affects",
    "authors",
    "components",
    "hashes",
    "ratings",
    "references",
    "versions",
    "vulnerabilities",
];

/// Whether a document is a CycloneDX document in XML.
pub(super) fn recognises(outline: &Outline<'_>) -> bool {
    outline.head.starts_with(b"<") && outline.says("cyclonedx.org/schema/bom/")
}

/// An element that is open.
#[derive(Default)]
struct Node {
    name: String,
    members: Object,
    items: Vec<Value>,
    text: String,
}

/// Reads a document. No document type is expanded, and nothing outside of it is read.
pub(super) fn object(bytes: &[u8]) -> Result<Object, Fault> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(format!("the record is longer than {RECORD_BYTES_MAX} bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the document is not UTF-8")?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Node> = vec![Node::default()];
    loop {
        let event = reader.read_event().map_err(|error| format!("not XML: {error}"))?;
        let top = open.last_mut().ok_or("an end tag has no start")?;
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH_MAX {
                    return Err(format!("elements are nested deeper than {DEPTH_MAX}"));
                }
                open.push(node(&start)?);
            }
            Event::Empty(start) => {
                let node = node(&start)?;
                close(top, node);
            }
            Event::End(_) => {
                let node = open.pop().ok_or("an end tag has no start")?;
                close(open.last_mut().ok_or("an end tag has no start")?, node);
            }
            Event::Text(text) => {
                top.text.push_str(&text.xml10_content().map_err(|error| error.to_string())?);
            }
            Event::CData(text) => {
                top.text.push_str(&text.xml10_content().map_err(|error| error.to_string())?);
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let name = reference.decode().map_err(|error| error.to_string())?;
                top.text.push(character.or_else(|| entity(&name)).unwrap_or('\u{fffd}'));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let document = open.pop().filter(|_| open.is_empty()).ok_or("the document is cut short")?;
    let bom = document.members.into_iter().find(|(name, _)| name == "bom");
    match bom {
        Some((_, Value::Object(bom))) => Ok(bom),
        _ => Err("the document has no element `bom`".to_owned()),
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn node(start: &BytesStart<'_>) -> Result<Node, Fault> {
    let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
    let mut members = Object::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| format!("not XML: {error}"))?;
        let key = String::from_utf8_lossy(attribute.key.local_name().as_ref()).into_owned();
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| format!("not XML: {error}"))?.into_owned();
        // The version of the document is a number in JSON.
        let number = value.parse::<u64>().ok().filter(|_| name == "bom" && key == "version");
        members.insert(key, number.map_or(Value::String(value), Value::from));
    }
    Ok(Node { name, members, ..Node::default() })
}

/// Puts an element that is complete into the one around it.
fn close(parent: &mut Node, node: Node) {
    let Node { name, mut members, items, text } = node;
    let text = text.trim();
    let value = if LISTS.contains(&name.as_str()) {
        Value::Array(items)
    } else if name == "hash" {
        members.insert("content".to_owned(), json!(text));
        Value::Object(members)
    } else if members.is_empty() && items.is_empty() {
        json!(text)
    } else {
        Value::Object(members)
    };
    parent.items.push(value.clone());
    parent.members.insert(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Value, Fault> {
        let space = "http://cyclonedx.org/schema/bom/1.4";
        let text =
            format!("<?xml version=\"1.0\"?><bom xmlns=\"{space}\" version=\"2\">{body}</bom>");
        assert!(recognises(&Outline::of(text.as_bytes())));
        object(text.as_bytes()).map(|mut it| {
            it.remove("xmlns");
            Value::Object(it)
        })
    }

    #[test]
    fn lists_attributes_and_references() {
        let body = "<vulnerabilities><vulnerability><id>A &amp; &#66;</id>\
                    <affects><target><ref><![CDATA[<x>]]></ref></target></affects>\
                    </vulnerability></vulnerabilities>\
                    <components><component bom-ref='r'><name>n</name>\
                    <hashes><hash alg='MD5'>ab</hash></hashes></component></components>";
        let wanted = json!({
            "version": 2,
            "vulnerabilities": [{"id": "A & B", "affects": [{"ref": "<x>"}]}],
            "components": [{"bom-ref": "r", "name": "n",
                "hashes": [{"alg": "MD5", "content": "ab"}]}],
        });
        assert_eq!(read(body).unwrap(), wanted);
    }

    #[test]
    fn what_is_broken_is_refused() {
        for body in ["<a>", "</a>", "<a></b>", "<a", "&#xffffff;"] {
            assert!(read(body).is_err(), "{body}");
        }
        let deep = |depth: usize| read(&("<a>".repeat(depth) + &"</a>".repeat(depth)));
        assert!(deep(DEPTH_MAX - 1).is_ok());
        assert!(deep(DEPTH_MAX).unwrap_err().contains("deeper than 128"));
        let long = vec![b'<'; RECORD_BYTES_MAX + 1];
        assert!(object(&long).unwrap_err().contains("longer"));
    }
}
