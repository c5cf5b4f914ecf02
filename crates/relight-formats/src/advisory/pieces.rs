//! Finds the records in a document of JSON without parsing it, so that a broken one costs no other.

use std::ops::Range;

use super::outline::MEMBERS_MAX;

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
///
/// `line` is the number of the first line, for a document that is a part of a longer one.
pub(super) fn split(place: &str, line: usize, bytes: &[u8]) -> Vec<Piece> {
    let start = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let blank = bytes[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let start = start + blank;
    if bytes.get(start) == Some(&b'[') {
        return array(place, bytes, start + 1);
    }
    if is_lines(&bytes[start..]) {
        return lines(place, line, bytes, start);
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

fn lines(place: &str, first: usize, bytes: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let before = memchr::memchr_iter(b'\n', &bytes[..start]).count();
    let ends = memchr::memchr_iter(b'\n', &bytes[start..]).map(|end| start + end);
    let mut at = start;
    for (index, end) in ends.chain([bytes.len()]).enumerate() {
        let line = bytes[at..end].trim_ascii_end();
        if !line.is_empty() {
            let place = format!("{place}:{}", first + before + index);
            pieces.push(Piece { place, range: at..at + line.len(), fault: None });
        }
        at = end + 1;
    }
    pieces
}

/// A document that is a list: nothing may follow it.
fn array(place: &str, bytes: &[u8], start: usize) -> Vec<Piece> {
    let mut pieces = list(place, bytes, start);
    let end = pieces.last().map_or(start, |piece| piece.range.end);
    let is_whole = pieces.last().is_none_or(|piece| piece.fault.is_none_or(|it| it == NOT_OBJECT));
    let close = bytes[end..].iter().position(|&byte| byte == b']').map(|at| end + at + 1);
    if let Some(close) = close.filter(|_| is_whole)
        && !bytes[close..].trim_ascii().is_empty()
    {
        let place = format!("{place}:{}", pieces.len() + 1);
        let fault = Some("there is text after the end of the list");
        pieces.push(Piece { place, range: close..bytes.len(), fault });
    }
    pieces
}

const NOT_OBJECT: &str = "an entry of the list is not an object";

fn list(place: &str, bytes: &[u8], start: usize) -> Vec<Piece> {
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
            Some(b']') => return pieces,
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
                push(at..end, Some(NOT_OBJECT));
                at = end;
            }
        }
    }
}

/// Where the name and the value of a member stand.
pub(super) type Member = (Range<usize>, Range<usize>);

/// Where the first object stands: the document itself, or the first of a list.
pub(super) fn first_record(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'{' => Some(0),
        b'[' => {
            let at = 1 + bytes[1..].iter().position(|byte| !byte.is_ascii_whitespace())?;
            (bytes[at] == b'{').then_some(at)
        }
        _ => None,
    }
}

/// The member names of the object that starts at `start`, as written, at most [`MEMBERS_MAX`].
pub(super) fn member_names(bytes: &[u8], start: usize) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let mut at = start + 1;
    while names.len() < MEMBERS_MAX {
        let Some((name, value)) = member(bytes, at) else { break };
        names.push(&bytes[name]);
        match value_end(bytes, value) {
            Some(end) => at = end,
            None => break,
        }
    }
    names
}

/// The members of the object that starts at `start`: name and value, as far as they are whole; the
/// second is where the walk ended, and whether that is the end of the object.
pub(super) fn members(bytes: &[u8], start: usize) -> (Vec<Member>, bool) {
    let mut all = Vec::new();
    let mut at = start + 1;
    while let Some((name, value)) = member(bytes, at) {
        let Some(end) = value_end(bytes, value) else { return (all, false) };
        all.push((name, value..end));
        at = end;
    }
    let rest = bytes.get(at..).unwrap_or_default().trim_ascii_start();
    (all, rest.first() == Some(&b'}'))
}

/// The name of the next member at or after `at`, and where its value starts.
fn member(bytes: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let skip = |at: usize| {
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        at + bytes[at.min(bytes.len())..].iter().take_while(|byte| blank(byte)).count()
    };
    let quote = skip(at);
    if bytes.get(quote) != Some(&b'"') {
        return None;
    }
    let end = text_end(bytes, quote)?;
    let colon = skip(end);
    (bytes.get(colon) == Some(&b':')).then_some(())?;
    let value = skip(colon + 1);
    bytes.get(value)?;
    Some((quote + 1..end - 1, value))
}

/// The end of the value that starts at `at`.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => text_end(bytes, at),
        b'{' | b'[' => nested_end(bytes, at),
        _ => {
            let rest = bytes[at..].iter().position(|byte| b",}] \n\r\t".contains(byte));
            rest.map(|length| at + length)
        }
    }
}

/// The end of the text that starts with the quote at `quote`. Most bytes of a document are inside
/// of one, so the signs that count are searched, not met.
fn text_end(bytes: &[u8], quote: usize) -> Option<usize> {
    let mut at = quote + 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        match bytes[found] {
            b'"' => return Some(found + 1),
            _ => at = found + 2,
        }
    }
}

/// The end of an object or a list, by counting brackets outside of strings.
fn nested_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut depth, mut at) = (0usize, start);
    loop {
        match bytes.get(at)? {
            b'"' => at = text_end(bytes, at)?,
            b'{' | b'[' => (depth, at) = (depth + 1, at + 1),
            b'}' | b']' => {
                (depth, at) = (depth.saturating_sub(1), at + 1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
}

/// The records of the list under a member of the outermost object, and whether the document is
/// whole: NVD, KEV and Alpine publish so.
pub(super) fn list_under(place: &str, bytes: &[u8], name: &str) -> Vec<Piece> {
    let start = bytes.iter().position(|&byte| byte == b'{').unwrap_or_default();
    let mut at = start + 1;
    while let Some((found, value)) = member(bytes, at) {
        if bytes[found] == *name.as_bytes() && bytes.get(value) == Some(&b'[') {
            return list(place, bytes, value + 1);
        }
        match value_end(bytes, value) {
            Some(end) => at = end,
            None => break,
        }
    }
    let fault = Some("the list of records is missing: the document was cut short");
    vec![Piece { place: place.to_owned(), range: at.min(bytes.len())..bytes.len(), fault }]
}

/// The id of a record that may be broken, if the record is whole up to there: its outermost member
/// `id`, `cveID`, `cveId` or `@id`, or the one inside of `cve`, `cveMetadata`, `document` or
/// `tracking`.
pub(super) fn id_of(raw: &[u8]) -> Option<String> {
    const IDS: [&[u8]; 4] = [b"id", b"cveID", b"cveId", b"@id"];
    const AROUND: [&[u8]; 4] = [b"cve", b"cveMetadata", b"document", b"tracking"];
    let start = raw.iter().position(|&byte| byte == b'{')?;
    let mut at = start + 1;
    while let Some((name, value)) = member(raw, at) {
        if AROUND.contains(&&raw[name.clone()])
            && raw[value] == b'{'
            && let Some(id) = id_of(&raw[value..])
        {
            return Some(id);
        }
        let end = value_end(raw, value)?;
        if IDS.contains(&&raw[name]) && raw[value] == b'"' {
            return std::str::from_utf8(&raw[value + 1..end - 1]).ok().map(str::to_owned);
        }
        at = end;
    }
    None
}

/// The end of the object that starts at `start`, by counting braces outside of strings.
///
/// A string cannot hold a line end, so one that does was never closed: it ends there, and only its
/// own record is lost.
pub(super) fn object_end(bytes: &[u8], start: usize) -> Option<usize> {
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
        split("f", 1, text.as_bytes()).into_iter().map(show).collect()
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
