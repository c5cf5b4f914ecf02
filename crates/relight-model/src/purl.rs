//! Package URLs (purl): the name of a component in every ecosystem.
//!
//! Rules of the package-url specification (ECMA-427): type in lower case, namespace segments and
//! name percent-encoded, qualifiers sorted by key.

use std::fmt;

/// A package URL, taken apart and decoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    /// Type in lower case: `maven`, `npm`, `pypi`, `deb`, …
    pub kind: String,
    /// Namespace, segments joined by `/`; empty when the type has none or it is not known.
    pub namespace: String,
    /// Name, decoded; never empty.
    pub name: String,
    /// Version, decoded; empty when it is not known.
    pub version: String,
    /// Qualifiers, sorted by key; no empty values.
    pub qualifiers: Vec<(String, String)>,
}

/// Longest purl that is read, in bytes.
pub const PURL_BYTES_MAX: usize = 4096;

impl Purl {
    /// A purl without qualifiers.
    pub fn new(kind: &str, namespace: &str, name: &str, version: &str) -> Self {
        Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            qualifiers: Vec::new(),
        }
    }

    /// The value of a qualifier, if it is there.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Sets a qualifier; an empty value removes it.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        self.qualifiers.retain(|(k, _)| k != key);
        if !value.is_empty() {
            self.qualifiers.push((key.to_owned(), value.to_owned()));
            self.qualifiers.sort();
        }
        self
    }

    /// Reads a purl. The subpath (`#…`) is not kept: no component of ours has one.
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > PURL_BYTES_MAX {
            return Err("purl is longer than 4096 bytes");
        }
        let rest = text.strip_prefix("pkg:").ok_or("purl does not start with `pkg:`")?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let rest = rest.trim_matches('/');
        let (kind, rest) = rest.split_once('/').ok_or("purl has no name")?;
        let kind_chars = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        if kind.is_empty() || !kind.chars().all(kind_chars) || kind.as_bytes()[0].is_ascii_digit() {
            return Err("purl type has a character that no type may have");
        }
        // The version starts at the last `@` after the last `/`: an npm scope may hold a raw `@`.
        let name_at = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, version) = match rest[name_at..].rfind('@') {
            Some(at) => (&rest[..name_at + at], &rest[name_at + at + 1..]),
            None => (rest, ""),
        };
        let mut segments = Vec::new();
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            segments.push(decode(segment)?);
        }
        let name = segments.pop().filter(|name| !name.is_empty()).ok_or("purl has no name")?;
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: segments.join("/"),
            name,
            version: decode(version)?,
            qualifiers: Vec::new(),
        };
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or("purl qualifier has no `=`")?;
            purl = purl.with_qualifier(&key.to_ascii_lowercase(), &decode(value)?);
        }
        Ok(purl)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for segment in self.namespace.split('/').filter(|segment| !segment.is_empty()) {
            encode(f, segment)?;
            f.write_str("/")?;
        }
        encode(f, &self.name)?;
        if !self.version.is_empty() {
            f.write_str("@")?;
            encode(f, &self.version)?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            write!(f, "{}{key}=", if index == 0 { '?' } else { '&' })?;
            encode(f, value)?;
        }
        Ok(())
    }
}

fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                write!(f, "{}", char::from(byte))?;
            }
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
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
    fn parses_and_prints() {
        for text in [
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
            "pkg:npm/%40babel/core@7.0.0",
            "pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=debian-12",
            "pkg:pypi/requests",
            "pkg:deb/debian/vim@2:9.0",
        ] {
            assert_eq!(Purl::parse(text).map(|p| p.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn normalises() {
        let purl = Purl::parse("pkg:NPM//@babel/core@7.0.0?b=2&a=1&c=#sub/path").unwrap();
        assert_eq!(purl.to_string(), "pkg:npm/%40babel/core@7.0.0?a=1&b=2");
        assert_eq!(purl.qualifier("a"), Some("1"));
        assert_eq!(purl.qualifier("c"), None);
    }

    #[test]
    fn refuses() {
        for text in
            ["", "maven/a/b", "pkg:maven", "pkg:/a", "pkg:ma ven/a", "pkg:npm/a%4", "pkg:a/%ff"]
        {
            assert!(Purl::parse(text).is_err(), "{text}");
        }
        assert!(Purl::parse(&format!("pkg:npm/{}", "a".repeat(PURL_BYTES_MAX))).is_err());
    }
}
