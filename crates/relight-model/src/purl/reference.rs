//! A whole purl, subpath included, by the letter of the specification (ECMA-427).

use std::fmt;

use super::{PURL_BYTES_MAX, Purl, encode, rules};

/// A purl and the path inside the package that it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurlReference {
    /// The package.
    pub purl: Purl,
    /// Segments joined by `/`, decoded; empty when the whole package is meant.
    pub subpath: String,
}

/// How strictly qualifier keys and the rules of a type are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Strict,
    Tolerant,
}

impl PurlReference {
    /// Reads a purl by the letter: qualifier keys in small letters, and what its type requires or
    /// forbids.
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let reference = Self::read(text, Reading::Strict)?;
        rules::check(&reference.purl)?;
        Ok(reference)
    }

    /// Reads a purl that only its case or a missing part makes wrong, into its canonical form.
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn normalised(text: &str) -> Result<Self, &'static str> {
        Self::read(text, Reading::Tolerant)
    }

    /// From its parts, decoded; what is absent is empty.
    ///
    /// # Errors
    /// Says in a few words which part no purl may have.
    pub fn build(purl: &Purl, subpath: &str) -> Result<Self, &'static str> {
        let mut built = Purl::new(&purl.kind, purl.namespace.trim_matches('/'), &purl.name, "");
        built.version.clone_from(&purl.version);
        check_kind(&built.kind)?;
        if built.name.is_empty() {
            return Err("purl has no name");
        }
        for (key, value) in &purl.qualifiers {
            check_key(key, Reading::Strict)?;
            built = built.with_qualifier(key, value);
        }
        rules::normalise(&mut built);
        rules::check(&built)?;
        let subpath = segments(subpath, |segment| Ok(segment.to_owned()))?;
        Ok(Self { purl: built, subpath })
    }

    fn read(text: &str, reading: Reading) -> Result<Self, &'static str> {
        if text.len() > PURL_BYTES_MAX {
            return Err("purl is longer than 4096 bytes");
        }
        let rest = text.strip_prefix("pkg:").ok_or("purl does not start with `pkg:`")?;
        let (rest, subpath) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.trim_matches('/').split_once('/').ok_or("purl has no name")?;
        check_kind(kind)?;
        // The version starts at the last `@` after the last `/`: an npm scope may hold a raw `@`.
        let name_at = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, version) = match rest[name_at..].rfind('@') {
            Some(at) => (&rest[..name_at + at], &rest[name_at + at + 1..]),
            None => (rest, ""),
        };
        let path = path.trim_start_matches('/');
        let is_path = rules::has_paths(&kind.to_ascii_lowercase());
        let split = if is_path { path.split_once('/') } else { path.rsplit_once('/') };
        let (namespace, name) = split.unwrap_or(("", path));
        // A slash that is written as `%2F` belongs to the name.
        let name = if is_path { segments(name, decode)? } else { decode(name)? };
        if name.is_empty() {
            return Err("purl has no name");
        }
        let mut purl = Purl::new(kind, &segments(namespace, decode)?, &name, &decode(version)?);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or("purl qualifier has no `=`")?;
            check_key(key, reading)?;
            purl = purl.with_qualifier(&key.to_ascii_lowercase(), &decode(value)?);
        }
        rules::normalise(&mut purl);
        let subpath = segments(subpath, decode)?;
        Ok(Self { purl, subpath })
    }
}

impl fmt::Display for PurlReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.purl.fmt(f)?;
        let mut sign = '#';
        for segment in self.subpath.split('/').filter(|segment| !segment.is_empty()) {
            write!(f, "{sign}")?;
            encode(f, segment)?;
            sign = '/';
        }
        Ok(())
    }
}

fn check_kind(kind: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let starts = kind.starts_with(|c: char| c.is_ascii_alphabetic());
    let fine = starts && kind.chars().all(allowed);
    if fine { Ok(()) } else { Err("purl type has a character that no type may have") }
}

/// By the letter a key starts with a small letter; a capital inside is put right, as the test suite
/// of the specification has it.
fn check_key(key: &str, reading: Reading) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let starts = key.starts_with(|c: char| match reading {
        Reading::Strict => c.is_ascii_lowercase(),
        Reading::Tolerant => c.is_ascii_alphabetic(),
    });
    let fine = starts && key.chars().all(allowed);
    if fine { Ok(()) } else { Err("purl qualifier has a key that no qualifier may have") }
}

/// The segments of a path, decoded; empty ones, `.` and `..` mean nothing.
fn segments(
    path: &str,
    decode: impl Fn(&str) -> Result<String, &'static str>,
) -> Result<String, &'static str> {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        let segment = decode(segment)?;
        if !matches!(segment.as_str(), "" | "." | "..") {
            segments.push(segment);
        }
    }
    Ok(segments.join("/"))
}

fn decode(text: &str) -> Result<String, &'static str> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let pair = bytes.get(at + 1..at + 3).ok_or("purl ends inside a percent escape")?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let (high, low) = digit(pair[0]).zip(digit(pair[1])).ok_or("purl has a bad escape")?;
        out.push(u8::try_from(high * 16 + low).map_err(|_| "purl has a bad escape")?);
        at += 3;
    }
    String::from_utf8(out).map_err(|_| "purl is not UTF-8 after decoding")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subpaths_are_kept_and_cleaned() {
        for (text, canonical) in [
            (
                "pkg:GOLANG/google.golang.org/genproto#/googleapis/api/",
                "pkg:golang/google.golang.org/genproto#googleapis/api",
            ),
            (
                "pkg:cocoapods/GoogleUtilities@7.5.2#NSData+zlib",
                "pkg:cocoapods/GoogleUtilities@7.5.2#NSData%2Bzlib",
            ),
            ("pkg:npm/@babel/core#a/.././/b", "pkg:npm/%40babel/core#a/b"),
            ("pkg:npm/core@2.0.1#", "pkg:npm/core@2.0.1"),
            ("pkg:maven//org.example//a%2Fb@1", "pkg:maven/org.example/a%2Fb@1"),
        ] {
            let reference = PurlReference::parse(text).unwrap();
            assert_eq!(reference.to_string(), canonical);
            assert_eq!(PurlReference::parse(canonical), Ok(reference));
        }
    }

    #[test]
    fn the_letter_of_the_specification() {
        for text in [
            "pkg:gem/jruby-launcher@1.1.2?Platform=java",
            "pkg:npm/a?in%20production=true",
            "pkg:npm/a?1=x",
            "pkg:npm/a?b",
            "pkg:3nginx/nginx",
            "pkg:ngin:x/nginx",
            "pkg%3Amaven/a/b",
            "pkg:maven/@1.3.4",
            "pkg:swift/github.com/Alamofire/@5.4.3",
            "pkg:hackage",
        ] {
            assert!(PurlReference::parse(text).is_err(), "{text}");
        }
        let tolerant = PurlReference::normalised("pkg:gem/a@1?Platform=java").unwrap();
        assert_eq!(tolerant.to_string(), "pkg:gem/a@1?platform=java");
    }

    #[test]
    fn built_from_parts() {
        let purl =
            Purl::new("PyPI", "", "Django_Package", "1.0").with_qualifier("file_name", "a b.whl");
        let built = PurlReference::build(&purl, "/sub/./path/").unwrap();
        assert_eq!(built.to_string(), "pkg:pypi/django-package@1.0?file_name=a%20b.whl#sub/path");
        for (kind, name) in [("", "a"), ("npm", ""), ("3x", "a"), ("a b", "a"), ("swift", "a")] {
            let purl = Purl::new(kind, "", name, "");
            assert!(PurlReference::build(&purl, "").is_err(), "{kind} {name}");
        }
        let bad = Purl::new("npm", "", "a", "").with_qualifier("in production", "true");
        assert!(PurlReference::build(&bad, "").is_err());
    }
}
