//! Package URLs (purl): the name of a component in every ecosystem.
//!
//! Rules of the package-url specification (ECMA-427): type in lower case, namespace segments and
//! name percent-encoded, qualifiers sorted by key.

use std::fmt;

mod module;
mod reference;
mod rules;
mod source;

pub use reference::PurlReference;
pub use source::Upstream;

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
    /// A purl without qualifiers, in the case that its type asks for.
    pub fn new(kind: &str, namespace: &str, name: &str, version: &str) -> Self {
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            qualifiers: Vec::new(),
        };
        rules::normalise(&mut purl);
        purl
    }

    /// The value of a qualifier, if it is there.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// The digest of an image of containers (`pkg:oci/app@sha256:…`).
    pub fn image(&self) -> Option<crate::Digest> {
        let is_image = matches!(self.kind.as_str(), "oci" | "docker");
        let hex = is_image.then(|| self.version.strip_prefix("sha256:"))??;
        crate::Digest::parse(hex)
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

    /// Reads a purl as tolerantly as its meaning allows: what only the case of letters or a missing
    /// qualifier makes wrong is put right or let pass, because to leave out a component is worse
    /// than to keep a careless name. The subpath (`#…`) is not kept, but for the major version of
    /// a Go module, which is a part of its name: see also [`Self::parse_named`].
    ///
    /// # Errors
    /// Says in a few words what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        PurlReference::normalised(text).map(|it| it.purl.with_major(&it.subpath))
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        for segment in self.namespace.split('/').filter(|segment| !segment.is_empty()) {
            encode(f, segment)?;
            f.write_str("/")?;
        }
        for (index, part) in self.name.split('/').enumerate() {
            let is_path = rules::has_paths(&self.kind);
            f.write_str(if index == 0 {
                ""
            } else if is_path {
                "/"
            } else {
                "%2F"
            })?;
            encode(f, part)?;
        }
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
    fn no_text_breaks_it() {
        let pieces =
            ["pkg:", "npm", "/", "@", "?", "#", "%", "%4", "%C3", "=", "&", "é", "git", "..", ""];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let text = format!("pkg:{first}{second}a{third}{first}{second}");
                    let Ok(purl) = Purl::parse(&text) else { continue };
                    let again = Purl::parse(&purl.to_string());
                    assert_eq!(again, Ok(purl), "{text}");
                }
            }
        }
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
