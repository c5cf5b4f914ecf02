//! A small reader of JSON, for what scanners print, and the quoting for what is written.
use std::fmt::Write as _;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`, or what is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, in its order.
    Object(Vec<(String, Self)>),
}

/// Deeper documents than this are refused.
const DEPTH_MAX: u32 = 128;

impl Json {
    /// Reads one document.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
        let value = reader.value(0)?;
        reader.space();
        (reader.at == text.len()).then_some(value)
    }

    /// The member of an object; [`Json::Null`] when there is none.
    pub(crate) fn get(&self, key: &str) -> &Self {
        let Self::Object(members) = self else { return &Self::Null };
        members.iter().find(|(name, _)| name == key).map_or(&Self::Null, |(_, value)| value)
    }

    /// The items of an array; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The text of a string; empty for anything else.
    pub(crate) fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &str) -> Option<()> {
        let found = self.bytes[self.at..].starts_with(word.as_bytes());
        found.then(|| self.at += word.len())
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        self.space();
        if depth > DEPTH_MAX {
            return None;
        }
        match *self.bytes.get(self.at)? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.string().map(Json::Text),
            b't' => self.take("true").map(|()| Json::Bool(true)),
            b'f' => self.take("false").map(|()| Json::Bool(false)),
            b'n' => self.take("null").map(|()| Json::Null),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Option<Json> {
        let rest = &self.bytes[self.at..];
        let size = rest.iter().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let text = std::str::from_utf8(&rest[..size]).ok()?;
        self.at += size;
        text.parse().ok().map(Json::Number)
    }

    fn list(&mut self, depth: u32) -> Option<Json> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.take("]").is_some() {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(",").is_none() {
                return self.take("]").map(|()| Json::List(items));
            }
        }
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        self.at += 1;
        let mut members = Vec::new();
        self.space();
        if self.take("}").is_some() {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.take(":")?;
            members.push((key, self.value(depth + 1)?));
            self.space();
            if self.take(",").is_none() {
                return self.take("}").map(|()| Json::Object(members));
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take("\"")?;
        let mut out = Vec::new();
        loop {
            match *self.bytes.get(self.at)? {
                b'"' => break,
                b'\\' => self.escape(&mut out)?,
                byte => {
                    out.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        String::from_utf8(out).ok()
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let kind = *self.bytes.get(self.at + 1)?;
        self.at += 2;
        match kind {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'u' => {
                let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
                // Halves of a pair are only looked at by people.
                let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?).unwrap_or('\u{fffd}');
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
                self.at += 4;
            }
            plain => out.push(plain),
        }
        Some(())
    }
}

/// A string with its quotes.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read() {
        let text = r#" {"a": [1, -2.5e1, "x\"\u0041\n", true, null], "b": {"c": {}, "d": []}} "#;
        let value = Json::parse(text).unwrap();
        let a = value.get("a").items();
        assert_eq!((&a[0], &a[1]), (&Json::Number(1.0), &Json::Number(-25.0)));
        assert_eq!(a[2].text(), "x\"A\n");
        assert_eq!((&a[3], &a[4]), (&Json::Bool(true), &Json::Null));
        assert_eq!(value.get("b").get("c"), &Json::Object(vec![]));
        assert_eq!(value.get("b").get("none").get("deeper").text(), "");
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "tru", "\"a", "1 2", "{} x"] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), None);
    }

    #[test]
    fn what_is_quoted_is_read_back() {
        let text = "a\"b\\c\nd\u{1}é";
        assert_eq!(Json::parse(&quote(text)).unwrap().text(), text);
    }
}
