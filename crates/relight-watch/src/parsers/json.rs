//! The leaves of a line of JSON, without allocating: strings stay in their own escaping.
//!
//! A general reader would build a tree or unescape every string for each line; here each line is
//! walked once and its fields are slices of it.

/// Deepest nesting that is followed.
pub(super) const DEPTH_MAX: usize = 16;

/// Where a leaf stands: the names of its objects; arrays add nothing.
pub(super) type Path<'a> = [&'a str];

/// Calls `each` with every leaf of the object: path, text (of `null` it is empty), and whether it
/// is a string.
///
/// # Errors
/// A code: what is wrong with the line.
pub(super) fn walk<'a>(
    text: &'a str,
    each: &mut dyn FnMut(&Path<'a>, &'a str, bool) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let text = text.trim_ascii();
    if !text.starts_with('{') {
        return Err("json-expected");
    }
    let mut walk = Walk { text, at: 0, path: [""; DEPTH_MAX], depth: 0, each };
    walk.value(0)?;
    if walk.at == text.len() { Ok(()) } else { Err("json-trailing") }
}

struct Walk<'a, 'f> {
    text: &'a str,
    at: usize,
    path: [&'a str; DEPTH_MAX],
    depth: usize,
    each: &'f mut dyn FnMut(&Path<'a>, &'a str, bool) -> Result<(), &'static str>,
}

impl<'a> Walk<'a, '_> {
    fn peek(&mut self) -> Result<u8, &'static str> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        bytes.get(self.at).copied().ok_or("json-truncated")
    }

    fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        if self.peek()? == byte {
            self.at += 1;
            return Ok(());
        }
        Err("json-invalid")
    }

    fn value(&mut self, nesting: usize) -> Result<(), &'static str> {
        if nesting > DEPTH_MAX {
            return Err("json-deep");
        }
        match self.peek()? {
            b'{' => self.object(nesting),
            b'[' => self.array(nesting),
            b'"' => {
                let text = self.string()?;
                (self.each)(&self.path[..self.depth], text, true)
            }
            _ => {
                let text = self.literal()?;
                (self.each)(&self.path[..self.depth], text, false)
            }
        }
    }

    fn object(&mut self, nesting: usize) -> Result<(), &'static str> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            return self.take(b'}');
        }
        loop {
            let key = self.string()?;
            self.take(b':')?;
            *self.path.get_mut(self.depth).ok_or("json-deep")? = key;
            self.depth += 1;
            self.value(nesting + 1)?;
            self.depth -= 1;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b'}'),
            }
        }
    }

    fn array(&mut self, nesting: usize) -> Result<(), &'static str> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            return self.take(b']');
        }
        loop {
            self.value(nesting + 1)?;
            match self.peek()? {
                b',' => self.at += 1,
                _ => return self.take(b']'),
            }
        }
    }

    /// The inside of a string, as written.
    fn string(&mut self) -> Result<&'a str, &'static str> {
        self.take(b'"')?;
        let (start, bytes) = (self.at, self.text.as_bytes());
        loop {
            let found = memchr::memchr2(b'"', b'\\', &bytes[self.at..]).ok_or("json-truncated")?;
            self.at += found;
            if bytes[self.at] == b'"' {
                self.at += 1;
                return Ok(&self.text[start..self.at - 1]);
            }
            self.at = (self.at + 2).min(bytes.len());
        }
    }

    /// A number or a word; `null` is empty.
    fn literal(&mut self) -> Result<&'a str, &'static str> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let word = &rest[..end.unwrap_or(rest.len())];
        let number = word.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-');
        if !number && !matches!(word, "true" | "false" | "null") {
            return Err("json-invalid");
        }
        self.at += word.len();
        Ok(if word == "null" { "" } else { word })
    }
}

/// The path, joined by dots, is the name; names that hold dots themselves are read alike. Case
/// does not count, because header names have none.
pub(super) fn is(path: &Path<'_>, name: &str) -> bool {
    let mut rest = name;
    for (index, part) in path.iter().enumerate() {
        if index > 0 {
            let Some(after) = rest.strip_prefix('.') else { return false };
            rest = after;
        }
        match rest.split_at_checked(part.len()) {
            Some((head, after)) if head.eq_ignore_ascii_case(part) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    fn leaves(text: &str) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        walk(text, &mut |path, value, string| {
            found.push(format!("{}={value}{}", path.join("."), if string { "\"" } else { "" }));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn every_leaf_with_its_path() {
        let text =
            r#" { "a": "x\"y", "b": {"c": -1.5e+3, "d": [true, {"e": null}, []]}, "f": {} } "#;
        let expected = ["a=x\\\"y\"", "b.c=-1.5e+3", "b.d=true", "b.d.e="];
        assert_eq!(leaves(text), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn what_is_wrong_with_it() {
        for (text, code) in [
            ("", "json-expected"),
            ("[1]", "json-expected"),
            ("{", "json-truncated"),
            (r#"{"a"#, "json-truncated"),
            (r#"{"a\"#, "json-truncated"),
            (r#"{"a":}"#, "json-invalid"),
            (r#"{"a":nul}"#, "json-invalid"),
            (r#"{"a" 1}"#, "json-invalid"),
            (r#"{"a":1 "b":2}"#, "json-invalid"),
            (r#"{"a":1}{"#, "json-trailing"),
            (r#"{"a":1,}"#, "json-invalid"),
        ] {
            assert_eq!(leaves(text), Err(code), "{text}");
        }
    }

    #[test]
    fn the_depth_is_limited_for_objects_and_for_arrays() {
        let arrays =
            |depth: usize| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(leaves(&arrays(DEPTH_MAX - 1)).is_ok() && leaves(&objects(DEPTH_MAX)).is_ok());
        assert_eq!(leaves(&arrays(DEPTH_MAX)), Err("json-deep"));
        assert_eq!(leaves(&objects(DEPTH_MAX + 1)), Err("json-deep"));
        assert_eq!(leaves(&arrays(500_000)), Err("json-deep"));
    }

    #[test]
    fn names_with_dots_and_nested_objects_are_one() {
        assert!(is(&["url", "path"], "url.path") && is(&["url.path"], "url.path"));
        assert!(is(&["Headers", "user-AGENT"], "headers.User-Agent"));
        assert!(!is(&["url"], "url.path") && !is(&["url", "path", "x"], "url.path"));
        assert!(!is(&["urlpath"], "url.path") && !is(&["u\u{e9}"], "ur"));
    }

    /// Goal: no damage makes it stop. Method: a good line, damaged at random places.
    #[test]
    fn damaged_lines_end_with_a_code() {
        let good = br#"{"a":"caf\u00e9 \u2026","b":{"c":[1,2,{"d":"\\"}]},"e":null}"#;
        let mut rng = Rng::new(0x150);
        let mut refused = 0;
        for _ in 0..20_000 {
            let mut bytes = good.to_vec();
            for _ in 0..1 + rng.below(3) {
                let at = rng.below(bytes.len());
                bytes[at] = *rng.pick(b"{}[]\",:\\u0a \0\xc3");
            }
            let cut = 1 + rng.below(bytes.len());
            let text = String::from_utf8_lossy(&bytes[..cut]).into_owned();
            refused += usize::from(leaves(&text).is_err());
        }
        assert!(refused > 15_000, "{refused}");
    }
}
