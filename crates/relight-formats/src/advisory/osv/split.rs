//! Finds the records in a document of OSV JSON, so that a broken one costs no other.

use std::ops::Range;

/// The UTF-8 byte-order mark, which some tools write in front of JSON.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One record, or something where a record should be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// `file` for a single object, `file:7` for line or record 7.
    pub(super) place: String,
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// Why it cannot be a record, when that is already clear.
    pub(super) fault: Option<&'static str>,
}

/// Finds the records of a single object, of an array, or of a document with one object a line.
pub(super) fn split(place: &str, bytes: &[u8]) -> Vec<Piece> {
    let start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let blank = bytes[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = start + blank;
    if bytes.get(start) == Some(&b'[') {
        return array(place, bytes, start + 1);
    }
    if is_lines(&bytes[start..]) {
        return lines(place, bytes, start);
    }
    let end = start + bytes[start..].trim_ascii_end().len();
    vec![Piece { place: place.to_owned(), range: start..end, fault: None }]
}

/// One object a line, unless the whole is one object (on one line or on many).
fn is_lines(bytes: &[u8]) -> bool {
    if object_end(bytes, 0).is_some_and(|end| bytes[end..].trim_ascii().is_empty()) {
        return false;
    }
    // A broken document may be either; most lines of a document on many lines are indented.
    let filled = bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let (mut all, mut opening) = (0, 0);
    for line in filled {
        all += 1;
        opening += usize::from(line.first() == Some(&b'{'));
    }
    all > 1 && opening * 2 >= all
}

fn lines(place: &str, bytes: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let before = bytes[..start].iter().filter(|&&byte| byte == b'\n').count();
    let mut at = start;
    for (index, line) in bytes[start..].split(|&byte| byte == b'\n').enumerate() {
        if !line.trim_ascii().is_empty() {
            let place = format!("{place}:{}", before + index + 1);
            pieces.push(Piece { place, range: at..at + line.trim_ascii_end().len(), fault: None });
        }
        at += line.len() + 1;
    }
    pieces
}

fn array(place: &str, bytes: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = start;
    loop {
        let number = pieces.len() + 1;
        let mut push = |range, fault| {
            pieces.push(Piece { place: format!("{place}:{number}"), range, fault });
        };
        match bytes.get(at) {
            None => {
                push(at..at, Some("the list ends without `]`: the document was cut short"));
                return pieces;
            }
            Some(b']') if bytes[at + 1..].trim_ascii().is_empty() => return pieces,
            Some(b']') => {
                push(at + 1..bytes.len(), Some("there is text after the end of the list"));
                return pieces;
            }
            Some(b'{') => match object_end(bytes, at) {
                Some(end) => {
                    push(at..end, None);
                    at = end;
                }
                None => {
                    push(at..bytes.len(), Some("the record has no end: the document is cut short"));
                    return pieces;
                }
            },
            Some(byte) if byte.is_ascii_whitespace() || *byte == b',' => at += 1,
            Some(_) => {
                let rest = bytes[at..].iter().position(|byte| b",{]".contains(byte));
                let end = rest.map_or(bytes.len(), |length| at + length);
                push(at..end, Some("an entry of the list is not an object"));
                at = end;
            }
        }
    }
}

/// The end of the object that starts at `start`, by counting braces outside of strings.
///
/// A string cannot hold a line end, so one that does was never closed: it ends there, and only its
/// own record is lost.
fn object_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (index, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'\n' => in_string = false,
            _ if in_string => {}
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(index + 1);
                }
            }
            _ if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pieces as `place text` or `place !fault`.
    fn pieces(text: &str) -> Vec<String> {
        let show = |piece: Piece| match piece.fault {
            Some(fault) => format!("{} !{fault}", piece.place),
            None => format!("{} {}", piece.place, &text[piece.range]),
        };
        split("f", text.as_bytes()).into_iter().map(show).collect()
    }

    #[test]
    fn three_shapes() {
        assert_eq!(pieces(" {\"a\":\n{}} \n"), ["f {\"a\":\n{}}"]);
        assert_eq!(pieces("[{\"a\":\"}\\\"{\"}, {}]"), ["f:1 {\"a\":\"}\\\"{\"}", "f:2 {}"]);
        assert_eq!(pieces("\u{feff}{}\n\n{\"a\":1}\r\n"), ["f:1 {}", "f:3 {\"a\":1}"]);
        assert_eq!(pieces("[]"), [""; 0]);
    }

    #[test]
    fn a_broken_line_costs_itself() {
        assert_eq!(pieces("{\"a\n{}\n{}"), ["f:1 {\"a", "f:2 {}", "f:3 {}"]);
        assert_eq!(pieces("rubbish\n{}\n{}"), ["f:1 rubbish", "f:2 {}", "f:3 {}"]);
    }

    #[test]
    fn an_open_string_in_an_array_costs_its_record() {
        let text = "[{\"a\": \"open\n},\n{\"b\": 1}]";
        assert_eq!(pieces(text), ["f:1 {\"a\": \"open\n}", "f:2 {\"b\": 1}"]);
    }

    #[test]
    fn a_broken_object_on_many_lines_is_one_piece() {
        assert_eq!(pieces("{\n  \"a\": {},\n  \"b\": [\n").len(), 1);
    }

    #[test]
    fn what_is_not_an_object_is_named() {
        assert_eq!(
            pieces("[1, {}] x"),
            [
                "f:1 !an entry of the list is not an object",
                "f:2 {}",
                "f:3 !there is text after the end of the list"
            ]
        );
    }
}
