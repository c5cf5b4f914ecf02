//! JSON of advisories: fields with the type they must have, and the limits of one record.

use relight_model::Timestamp;
use serde_json::{Map, Value};

use crate::time;

/// Longest record, in bytes. Not less: a vendor lists every build of every product in one document,
/// and that of Red Hat about CVE-2024-2961, one flaw of the C library, has 23,218,486 bytes.
pub const RECORD_BYTES_MAX: usize = 32 << 20;

/// Most events in one range.
pub const EVENTS_MAX: usize = 4_096;

/// Most entries in one list of `versions`.
pub const VERSIONS_MAX: usize = 100_000;

/// Most packages (entries of `affected`, products, statements) in one record.
pub const PACKAGES_MAX: usize = 20_000;

/// Most aliases of one record.
pub const ALIASES_MAX: usize = 1_024;

/// Deepest nesting of JSON in one record; the parser's own limit.
pub const DEPTH_MAX: usize = 127;

/// Why a record is refused: what is wrong, with the field's name.
pub(super) type Fault = String;

pub(super) type Object = Map<String, Value>;

/// Reads one record, which must be an object. What is not UTF-8 is taken for Latin-1, with a note:
/// names and versions are ASCII, so only prose can suffer.
pub(super) fn object(raw: &[u8], notes: &mut Vec<String>) -> Result<Object, Fault> {
    if raw.len() > RECORD_BYTES_MAX {
        return Err(format!("the record is longer than {RECORD_BYTES_MAX} bytes"));
    }
    let value: Value = match std::str::from_utf8(raw) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => {
            notes.push("the record is not UTF-8 and was read as Latin-1".to_owned());
            let text: String = raw.iter().map(|&byte| char::from(byte)).collect();
            serde_json::from_str(&text)
        }
    }
    .map_err(|error| format!("not JSON: {error}"))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err("the record is not a JSON object".to_owned()),
    }
}

/// The text of a field; `None` when it is missing or `null`.
pub(super) fn text<'a>(object: &'a Object, key: &str) -> Result<Option<&'a str>, Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        // A number such as 2.10 has already lost its last digit when it is read.
        Some(_) => Err(format!("field `{key}` is not text")),
    }
}

/// The text of a field that must be there and not empty.
pub(super) fn needed<'a>(object: &'a Object, key: &str) -> Result<&'a str, Fault> {
    let text = text(object, key)?.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| format!("field `{key}` is missing"))
}

/// The text of a field that only people read: what is not text is empty.
pub(super) fn prose(object: &Object, key: &str) -> String {
    object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The entries of a list; a missing one is empty.
pub(super) fn list<'a>(object: &'a Object, key: &str, max: usize) -> Result<&'a [Value], Fault> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() > max => {
            Err(format!("field `{key}` has more than {max} entries"))
        }
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("field `{key}` is not a list")),
    }
}

/// The entries of a list of objects.
pub(super) fn objects<'a>(
    object: &'a Object,
    key: &str,
    max: usize,
) -> Result<Vec<&'a Object>, Fault> {
    let items = list(object, key, max)?.iter().map(Value::as_object);
    let objects: Option<Vec<_>> = items.collect();
    objects.ok_or_else(|| format!("an entry of `{key}` is not an object"))
}

/// The entries of a list of texts.
pub(super) fn texts(object: &Object, key: &str, max: usize) -> Result<Vec<String>, Fault> {
    let items = list(object, key, max)?.iter();
    let texts: Option<Vec<_>> = items.map(|it| it.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| format!("field `{key}` holds something that is not text"))
}

/// An object inside, where there is one.
pub(super) fn inner<'a>(object: &'a Object, key: &str) -> Option<&'a Object> {
    object.get(key).and_then(Value::as_object)
}

/// An object inside that must be there.
pub(super) fn needed_object<'a>(object: &'a Object, key: &str) -> Result<&'a Object, Fault> {
    inner(object, key).ok_or_else(|| format!("field `{key}` is not an object"))
}

/// The texts under `member` of a list of objects that only people read (`references[].url`).
pub(super) fn members(object: &Object, key: &str, member: &str) -> Vec<String> {
    let entries = object.get(key).and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|it| it.get(member)?.as_str().map(str::to_owned)).collect()
}

/// A moment that cannot be read is absent, with a note; for `withdrawn` that keeps the record in
/// force, which is the safe side.
pub(super) fn moment(object: &Object, key: &str, notes: &mut Vec<String>) -> Option<Timestamp> {
    let value = object.get(key).filter(|it| !it.is_null())?;
    let at = value.as_str().and_then(time::parse_lenient);
    if at.is_none() {
        notes.push(format!("field `{key}` is not an RFC 3339 time and was not used"));
    }
    at
}

/// A score of one decimal in tenths (`9.8` is 98).
pub(super) fn tenths(value: Option<&Value>) -> Option<u16> {
    let score = match value? {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    (0.0..=10.0).contains(&score).then_some((score * 10.0).round() as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Object {
        object(text.as_bytes(), &mut Vec::new()).unwrap()
    }

    #[test]
    fn each_helper_refuses_the_wrong_type() {
        let it = of(r#"{"n":2.0,"t":"x","l":[1],"o":[{}],"z":null,"e":" ","s":["a","b"]}"#);
        assert_eq!(text(&it, "t"), Ok(Some("x")));
        assert_eq!(text(&it, "z"), Ok(None));
        assert_eq!(text(&it, "n"), Err("field `n` is not text".into()));
        assert_eq!(needed(&it, "e"), Err("field `e` is missing".into()));
        assert_eq!(prose(&it, "n"), "");
        assert_eq!(list(&it, "t", 9).unwrap_err(), "field `t` is not a list");
        assert_eq!(list(&it, "s", 1).unwrap_err(), "field `s` has more than 1 entries");
        assert_eq!(objects(&it, "l", 9).unwrap_err(), "an entry of `l` is not an object");
        assert_eq!(objects(&it, "o", 9).unwrap().len(), 1);
        assert_eq!(texts(&it, "l", 9).unwrap_err(), "field `l` holds something that is not text");
        assert_eq!(texts(&it, "s", 2).unwrap(), ["a", "b"]);
        assert!(needed_object(&it, "t").is_err());
    }

    #[test]
    fn what_is_not_utf_8_is_latin_1_with_a_note() {
        let mut notes = Vec::new();
        let it = object(b"{\"t\":\"caf\xe9\"}", &mut notes).unwrap();
        assert_eq!((text(&it, "t").unwrap(), notes.len()), (Some("café"), 1));
        assert!(object(b"\xff\xfe", &mut notes).is_err());
        assert!(object(b"[]", &mut notes).is_err());
    }

    #[test]
    fn scores_are_tenths() {
        let read = |text: &str| tenths(Some(&serde_json::from_str(text).unwrap()));
        let cases = [("9.8", Some(98)), ("\"10\"", Some(100)), ("0", Some(0)), ("10.1", None)];
        for (text, wanted) in cases {
            assert_eq!(read(text), wanted, "{text}");
        }
        assert_eq!((read("null"), read("\"x\""), tenths(None)), (None, None, None));
    }
}
