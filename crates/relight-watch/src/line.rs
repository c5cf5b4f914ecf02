//! Raw bytes to lines of text: nothing is lost, nothing is refused, nothing grows without limit.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest line that is kept, in bytes; the rest of a longer one is dropped and counted.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Longest line that is decoded whole when somebody asks about it, in bytes.
pub const DECODE_LINE_BYTES_MAX: usize = 2 << 20;

/// How the first line of a file of the spool begins. It makes that file different from any other
/// and says nothing: a remark, as the W3C extended format has them.
pub const SPOOL_MARK: &str = "#Remark: relight spool ";

/// The lines of a block of bytes.
#[derive(Debug)]
pub struct Lines<'a> {
    rest: &'a [u8],
    cut: u64,
}

impl<'a> Lines<'a> {
    /// Reads `bytes` from the start; a last line without line feed counts as a line.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, cut: 0 }
    }

    /// How many of the lines so far were longer than [`LINE_BYTES_MAX`] (code `line-cut`).
    pub const fn cut(&self) -> u64 {
        self.cut
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = &self.rest[..end];
        self.rest = self.rest.get(end + 1..).unwrap_or_default();
        let (text, cut) = text(ended(line));
        self.cut += u64::from(cut);
        Some(text)
    }
}

/// A line without what is left of a line end of two bytes.
pub fn ended(raw: &[u8]) -> &[u8] {
    raw.strip_suffix(b"\r").unwrap_or(raw)
}

/// One line as text: bytes that are not UTF-8 become `\xHH`, as web servers themselves write
/// them; the second value says that the line was longer than [`LINE_BYTES_MAX`] and was cut.
pub fn text(line: &[u8]) -> (Cow<'_, str>, bool) {
    text_within(line, LINE_BYTES_MAX)
}

/// As [`text`], with another limit in bytes.
pub fn text_within(line: &[u8], bytes_max: usize) -> (Cow<'_, str>, bool) {
    let kept = &line[..line.len().min(bytes_max)];
    let cut = kept.len() < line.len();
    if let Ok(text) = str::from_utf8(kept) {
        return (Cow::Borrowed(text), cut);
    }
    let mut text = String::with_capacity(kept.len() + 16);
    for chunk in kept.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    (Cow::Owned(text), cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_both_line_ends_and_without_a_last_one() {
        let lines: Vec<_> = Lines::new(b"a\r\nb\n\nc").collect();
        assert_eq!(lines, ["a", "b", "", "c"]);
        assert_eq!(Lines::new(b"").count(), 0);
    }

    #[test]
    fn bytes_that_are_not_utf8_stay_readable() {
        let (line, cut) = text(b"caf\xe9 \xc3\xa9 \xff\x00");
        assert_eq!((line.as_ref(), cut), ("caf\\xE9 \u{e9} \\xFF\0", false));
    }

    #[test]
    fn the_limit_is_reached_and_said() {
        let mut bytes = vec![b'a'; LINE_BYTES_MAX];
        bytes.push(b'\n');
        bytes.extend(vec![b'b'; LINE_BYTES_MAX + 1]);
        let mut lines = Lines::new(&bytes);
        assert_eq!(lines.next().map(|line| line.len()), Some(LINE_BYTES_MAX));
        assert_eq!(lines.cut(), 0);
        assert_eq!(lines.next().map(|line| line.len()), Some(LINE_BYTES_MAX));
        assert_eq!(lines.cut(), 1);
        assert!(lines.next().is_none());
    }
}
