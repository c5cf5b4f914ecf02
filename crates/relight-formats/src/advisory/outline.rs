//! What a document looks like from outside: enough to tell which format it is in.

use super::pieces::{BYTE_ORDER_MARK, first_record, member_names};

/// How much of a document is looked at where its members do not tell, in bytes.
pub const HEAD_BYTES: usize = 4096;

/// Most member names of the outermost object that are looked at.
pub const MEMBERS_MAX: usize = 256;

/// The outside of a document.
#[derive(Debug)]
pub struct Outline<'a> {
    /// The beginning, at most [`HEAD_BYTES`], without byte-order mark and blanks.
    pub head: &'a [u8],
    /// The whole, without byte-order mark and blanks in front.
    pub body: &'a [u8],
    /// Member names of the outermost object, or of the first object of a list or of lines.
    pub members: Vec<&'a [u8]>,
}

impl<'a> Outline<'a> {
    /// Looks at a document.
    pub fn of(bytes: &'a [u8]) -> Self {
        let body = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start();
        let members = first_record(body).map(|at| member_names(body, at)).unwrap_or_default();
        Self { head: body.get(..HEAD_BYTES).unwrap_or(body), body, members }
    }

    /// Whether the outermost object has all of these members.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.members.contains(&name.as_bytes()))
    }

    /// Whether the beginning holds this text.
    pub fn says(&self, text: &str) -> bool {
        self.head.windows(text.len()).any(|window| window == text.as_bytes())
    }

    /// Whether it may be JSON at all: a line starts an object or a list, and nothing in it is
    /// binary.
    pub fn is_json(&self) -> bool {
        // To the end, without a branch: many bytes at one time.
        let is_binary = |byte: u8| (byte < b' ') & !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r');
        if self.head.iter().fold(false, |any, byte| any | is_binary(*byte)) {
            return false;
        }
        let mut lines = self.head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start);
        lines.any(|line| matches!(line.first(), Some(b'{' | b'[')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_is_no_json() {
        for (bytes, is_json) in [
            (&b"{\"a\":1}"[..], true),
            (b"rubbish\n[", true),
            (b"\xfd7zXZ\0\n{", false),
            (b"{\"a\":\"caf\xe9\"}", true),
            (b"text", false),
        ] {
            assert_eq!(Outline::of(bytes).is_json(), is_json, "{bytes:?}");
        }
    }

    fn members(text: &str) -> String {
        let outline = Outline::of(text.as_bytes());
        let names = outline.members.iter().map(|it| String::from_utf8_lossy(it).into_owned());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn members_of_each_shape() {
        for (text, wanted) in [
            (r#"{"a":{"x":1},"b":[{"y":2}],"c":"}"}"#, "a b c"),
            (" \u{feff}", ""),
            ("\u{feff}\n[{\"a\":1},{\"b\":2}]", "a"),
            ("{\"a\":1}\n{\"b\":2}", "a"),
            (r#"{"a":{"x":1},"#, "a"),
            (r#"{"a\"b":1,"c"#, "a\\\"b"),
            ("[]", ""),
            ("a,b", ""),
        ] {
            assert_eq!(members(text), wanted, "{text}");
        }
        let many: String = (0..=MEMBERS_MAX).map(|n| format!("\"m{n}\":0,")).collect();
        assert_eq!(Outline::of(format!("{{{many}").as_bytes()).members.len(), MEMBERS_MAX);
    }
}
