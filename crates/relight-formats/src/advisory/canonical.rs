//! The canonical form of a JSON document (RFC 8785), for the digest of a revision.
//!
//! Two copies of a record that differ in blanks, in the order of members or in how a number is
//! written are one revision.

use relight_model::Digest;
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// SHA-256 over the canonical form.
pub(super) fn digest(object: &Map<String, Value>) -> Digest {
    let mut out = Vec::with_capacity(4096);
    write_object(object, &mut out);
    Digest(Sha256::digest(&out).into())
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend(b"null"),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Object(object) => write_object(object, out),
    }
}

/// Members sorted by UTF-16 code units; for ASCII keys that is the order the map already has.
fn write_object(object: &Map<String, Value>, out: &mut Vec<u8>) {
    let mut members: Vec<_> = object.iter().collect();
    if !members.is_sorted_by(|a, b| a.0.is_ascii() && b.0.is_ascii() && a.0 < b.0) {
        members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
    }
    out.push(b'{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_text(key, out);
        out.push(b':');
        write(value, out);
    }
    out.push(b'}');
}

/// Only quotes, backslashes and control characters are escaped (RFC 8785, 3.2.2.2).
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    // To the end, without a branch: many bytes at one time.
    let is_plain = |byte: u8| (byte >= b' ') & (byte != b'"') & (byte != b'\\');
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.extend(text.as_bytes());
        out.push(b'"');
        return;
    }
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            0x08 => b"\\b",
            b'\t' => b"\\t",
            b'\n' => b"\\n",
            0x0c => b"\\f",
            b'\r' => b"\\r",
            0x00..=0x1f => b"",
            _ => continue,
        };
        out.extend(&text.as_bytes()[from..at]);
        from = at + 1;
        if escape.is_empty() {
            out.extend(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.extend(escape);
        }
    }
    out.extend(&text.as_bytes()[from..]);
    out.push(b'"');
}

/// As ECMAScript writes a double; the parser may be one unit off in the 17th digit, always the same
/// one. Whole numbers beyond 2^53 keep their digits: as doubles two
/// different ones would be one.
fn write_number(number: &Number, out: &mut Vec<u8>) {
    let Some(double) = number.as_f64().filter(|_| number.is_f64()) else {
        out.extend(number.to_string().as_bytes());
        return;
    };
    out.extend(ecmascript(double).as_bytes());
}

fn ecmascript(double: f64) -> String {
    if double == 0.0 {
        return "0".to_owned();
    }
    let (sign, size) = (if double < 0.0 { "-" } else { "" }, double.abs());
    // The shortest digits that read back, and where the point stands among them.
    let text = format!("{size:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = digits.chars().filter(|it| *it != '.').collect();
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let split = usize::try_from(point).unwrap_or_default().min(digits.len());
    let number = match point {
        1..=21 if count <= point => {
            digits.clone() + &"0".repeat(usize::try_from(point - count).unwrap_or_default())
        }
        1..=21 => format!("{}.{}", &digits[..split], &digits[split..]),
        -5..=0 => format!("0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let point_and_rest = if rest.is_empty() { String::new() } else { format!(".{rest}") };
            format!("{first}{point_and_rest}e{:+}", point - 1)
        }
    };
    format!("{sign}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut out = Vec::new();
        write(&serde_json::from_str(text).unwrap(), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The example of RFC 8785, 3.2.2 and 3.2.3.
    #[test]
    fn the_examples_of_the_standard() {
        let numbers = r#"[1E30, 4.50, 2e-3, 0.000000000000000000000000001]"#;
        assert_eq!(canonical(numbers), "[1e+30,4.5,0.002,1e-27]");
        let text = concat!(
            r#"{"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","#,
            r#""literals":[null,true,false]}"#
        );
        let wanted =
            "{\"literals\":[null,true,false],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}";
        assert_eq!(canonical(text), wanted);
        let keys = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#;
        let values: Vec<_> =
            canonical(keys).matches(|it: char| it.is_ascii_digit()).map(str::to_owned).collect();
        // The key `1` is a digit too.
        assert_eq!(values, ["2", "1", "4", "6", "7", "1", "5", "3"]);
    }

    #[test]
    fn numbers_as_ecmascript_writes_them() {
        for (text, wanted) in [
            ("0.0", "0"),
            ("-0.0", "0"),
            ("1.0", "1"),
            ("-1.5", "-1.5"),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("123456789012.5", "123456789012.5"),
            ("1e-6", "0.000001"),
            ("1e-7", "1e-7"),
            ("1.25e-9", "1.25e-9"),
            ("9007199254740993", "9007199254740993"),
            ("5e-324", "5e-324"),
        ] {
            assert_eq!(canonical(text), wanted, "{text}");
        }
    }

    #[test]
    fn blanks_and_order_do_not_change_the_digest() {
        let of =
            |text: &str| digest(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap());
        let base = of(r#"{"a":1.0,"b":["x"]}"#);
        assert_eq!(of("{ \"b\" : [ \"\\u0078\" ] ,\n\"a\": 1e0}"), base);
        assert_ne!(of(r#"{"a":1.0,"b":["y"]}"#), base);
        assert_ne!(of(r#"{"a":1.0,"b":"x"}"#), base);
    }
}
