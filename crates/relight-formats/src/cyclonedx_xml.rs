//! CycloneDX in XML to the object that the same document would be in JSON, as far as inventories
//! and statements need it.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value, json};

/// Deepest nesting of elements.
const DEPTH_MAX: usize = 128;

/// Elements that are lists in JSON.
const LISTS: [&str; 11] = [
    "affects",
    "authors",
    "components",
    "hashes",
    "occurrences",
    "properties",
    "ratings",
    "references",
    "tools",
    "versions",
    "vulnerabilities",
];

/// The name space of every version starts so; nothing but such a document says it.
const NAME_SPACE: &[u8] = b"cyclonedx.org/schema/bom/";

/// An object of JSON, and why a document is none.
type Object = Map<String, Value>;
type Fault = String;

/// An element that is open.
#[derive(Default)]
struct Node {
    name: String,
    members: Object,
    items: Vec<Value>,
    text: String,
}

/// Reads a document of at most so many bytes. No document type is expanded, and nothing outside of
/// it is read.
///
/// # Errors
/// Why it is no such document.
pub(crate) fn object(bytes: &[u8], bytes_max: usize) -> Result<Object, Fault> {
    if bytes.len() > bytes_max {
        return Err(format!("the document is longer than {bytes_max} bytes"));
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
                let known = character.or_else(|| entity(&name));
                top.text.push(known.ok_or("it has entities of its own, which are not expanded")?);
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

/// What the text of an element with attributes is called in JSON.
fn text_key(name: &str) -> Option<&'static str> {
    match name {
        "hash" => Some("content"),
        "property" => Some("value"),
        _ => None,
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
    // From 1.5 on the tools are components.
    let is_list = LISTS.contains(&name.as_str()) && !members.contains_key("components");
    let value = if is_list {
        Value::Array(items)
    } else if let Some(key) = text_key(&name).filter(|_| !members.is_empty()) {
        members.insert(key.to_owned(), json!(text));
        Value::Object(members)
    } else if members.is_empty() && items.is_empty() {
        json!(text)
    } else {
        Value::Object(members)
    };
    parent.items.push(value.clone());
    match (parent.members.get_mut(&name), value) {
        (None, value) => drop(parent.members.insert(name, value)),
        // Nothing of a list is lost because it is there twice; else what stands first counts, for
        // elements of other name spaces come last.
        (Some(Value::Array(first)), Value::Array(more)) => first.extend(more),
        (Some(_), _) => {}
    }
}

/// Whether a document is XML in the name space of CycloneDX.
pub(crate) fn recognises(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    start.first() == Some(&b'<') && memchr::memmem::find(bytes, NAME_SPACE).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Value, Fault> {
        let space = "http://cyclonedx.org/schema/bom/1.4";
        let text =
            format!("<?xml version=\"1.0\"?><bom xmlns=\"{space}\" version=\"2\">{body}</bom>");
        assert!(recognises(text.as_bytes()));
        object(text.as_bytes(), 1 << 20).map(|mut it| {
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
                    <hashes><hash alg='MD5'>ab</hash></hashes>\
                    <properties><property name='p'>v</property></properties></component>\
                    </components>";
        let wanted = json!({
            "version": 2,
            "vulnerabilities": [{"id": "A & B", "affects": [{"ref": "<x>"}]}],
            "components": [{"bom-ref": "r", "name": "n",
                "hashes": [{"alg": "MD5", "content": "ab"}],
                "properties": [{"name": "p", "value": "v"}]}],
        });
        assert_eq!(read(body).unwrap(), wanted);
        let old = "<tools><tool><name>t</name></tool></tools>";
        assert_eq!(read(old).unwrap()["tools"], json!([{"name": "t"}]));
        let new = "<tools><components><component><name>t</name></component></components></tools>";
        assert_eq!(read(new).unwrap()["tools"], json!({"components": [{"name": "t"}]}));
    }

    #[test]
    fn what_is_broken_is_refused() {
        for body in ["<a>", "</a>", "<a></b>", "<a", "&#xffffff;"] {
            assert!(read(body).is_err(), "{body}");
        }
        let deep = |depth: usize| read(&("<a>".repeat(depth) + &"</a>".repeat(depth)));
        assert!(deep(DEPTH_MAX - 1).is_ok());
        assert!(deep(DEPTH_MAX).unwrap_err().contains("deeper than 128"));
        assert!(object(b"<bom/>", 5).unwrap_err().contains("longer than 5"));
        assert!(object(b"<bom/>", 6).is_err(), "it has nothing in it");
    }

    #[test]
    fn a_second_list_adds_and_a_second_element_replaces_nothing() {
        let component = |name: &str| format!("<component><name>{name}</name></component>");
        let (a, b) = (component("a"), component("b"));
        let document =
            read(&format!("<components>{a}</components><components/><components>{b}</components>"));
        let names = document.unwrap()["components"].clone();
        assert_eq!(names, json!([{"name": "a"}, {"name": "b"}]));
        let other = "<components><component><version>1</version><version>2</version></component>";
        let document = read(&format!("{other}</components>")).unwrap();
        assert_eq!(document["components"], json!([{"version": "1"}]));
    }
}
