//! Evidence paths: names of any bytes, written so that they can be read by people and read back.

/// Writes one name (or a relative path with `/`) as part of an evidence path. `%`, `#`, control
/// characters, bytes that are not UTF-8, and `!` before `/` become `%XX`; the rest stays.
pub(crate) fn escape(name: &[u8]) -> String {
    if let Some(plain) = plain(name) {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let mut chars = chunk.valid().chars().peekable();
        while let Some(char) = chars.next() {
            // A name that ends in `!` may be followed by `/`, so that one is escaped as well.
            let enters = char == '!' && chars.peek().is_none_or(|next| *next == '/');
            if matches!(char, '%' | '#') || char.is_control() || enters {
                let mut bytes = [0; 4];
                char.encode_utf8(&mut bytes).bytes().for_each(|byte| push(&mut out, byte));
            } else {
                out.push(char);
            }
        }
        chunk.invalid().iter().for_each(|byte| push(&mut out, *byte));
    }
    out
}

/// A name as it is, when nothing in it is escaped: as good as every name that there is.
fn plain(name: &[u8]) -> Option<&str> {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'%' | b'#' | b'!');
    // Without a branch for each byte: every member of every archive has a name.
    let is_plain = name.iter().fold(true, |all, byte| all & is_plain(byte));
    std::str::from_utf8(name).ok().filter(|_| is_plain)
}

fn push(out: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(char::from(DIGITS[usize::from(byte >> 4)]));
    out.push(char::from(DIGITS[usize::from(byte & 15)]));
}

/// Reads one name, or a path without `!/`, back.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

/// The names of a path in an archive, without what leads nowhere or out of it.
pub(crate) fn names_of(path: &[u8]) -> Vec<&[u8]> {
    let mut names = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    names
}

/// The evidence path of a path in an archive, from the root of that.
pub(crate) fn place_of(path: &[u8]) -> String {
    escape(&names_of(path).join(&b'/'))
}

/// The path of something directly in a folder; the empty folder is the root of the scan.
pub(crate) fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// The path of a member of an archive.
pub(crate) fn in_archive(archive: &str, name: &str) -> String {
    [archive, "!/", name].concat()
}

/// The last segment of a path.
pub(crate) fn file_name(path: &str) -> &str {
    &path[memchr::memrchr(b'/', path.as_bytes()).map_or(0, |at| at + 1)..]
}

/// The folder of a path, with its `/`; empty for a path without one.
pub(crate) fn folder_of(path: &str) -> &str {
    memchr::memrchr(b'/', path.as_bytes()).map_or("", |at| &path[..=at])
}

/// Whether `path` is `tail` or ends in `/tail`.
pub(crate) fn ends_with(path: &str, tail: &str) -> bool {
    path.strip_suffix(tail).is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(escape(b"a b/caf\xc3\xa9.jar"), "a b/caf\u{e9}.jar");
        assert_eq!(escape(b"50%#1!"), "50%25%231%21");
        assert_eq!(escape(b"a!b!/c"), "a!b%21/c");
        assert_eq!(escape(b"x\ny\xff\x7f"), "x%0Ay%FF%7F");
        assert_eq!(escape("\u{85}".as_bytes()), "%C2%85");
    }

    #[test]
    fn random_names_read_back_and_never_look_like_an_archive() {
        let mut rng = Rng::new(8);
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..rng.below(12))
                .map(|_| *rng.pick(&[b'!', b'/', b'%', b'#', b'a', 0, 0x80, 0xc3, 0xa9]))
                .collect();
            let text = escape(&bytes);
            assert_eq!(unescape(&text), bytes);
            assert!(!format!("{text}/").contains("!/"), "{text}");
        }
    }

    #[test]
    fn tails_stop_at_a_slash() {
        assert!(ends_with("var/lib/dpkg/status", "var/lib/dpkg/status"));
        assert!(ends_with("root/var/lib/dpkg/status", "var/lib/dpkg/status"));
        assert!(!ends_with("ovar/lib/dpkg/status", "var/lib/dpkg/status"));
    }
}
