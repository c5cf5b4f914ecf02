//! A part of a site that can be closed while the rest stays open: a section, an audience, a class
//! of methods. A closed part never makes its site dark.

use std::fmt;

use crate::site::GateKey;

/// Longest path of a section, in bytes.
pub const PART_PATH_BYTES_MAX: usize = 256;

/// Addresses that no visitor from the internet has (RFC 1918, 4193, 3927, 4291, 1122).
pub const INTERNAL_RANGES: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// Methods that change nothing (RFC 9110, section 9.2.1), without TRACE.
pub const READING_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// A part of a site with a gate of its own. Which requests belong to it is said in the edge's
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SitePart {
    /// `<site>.<name>`: everything below a path.
    Section {
        /// The last part of the key.
        name: String,
        /// Absolute path without a slash at its end (`/booking`).
        path: String,
    },
    /// `<site>@internet`: visitors whose address is in none of [`INTERNAL_RANGES`].
    Internet,
    /// `<site>@write`: every method but [`READING_METHODS`].
    Write,
}

impl SitePart {
    /// Reads `booking=/booking`, `@internet` or `@write`.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "@internet" => return Ok(Self::Internet),
            "@write" => return Ok(Self::Write),
            _ => {}
        }
        let (name, path) =
            text.split_once('=').ok_or("a part is NAME=/PATH, @internet or @write")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inside = |byte: u8| plain(byte) || byte == b'-' || byte == b'_';
        match name.as_bytes() {
            [first, rest @ ..] if plain(*first) && rest.iter().all(|byte| inside(*byte)) => {}
            _ => return Err("the name of a section holds only a-z, 0-9, - and _"),
        }
        check_path(path)?;
        Ok(Self::Section { name: name.to_owned(), path: path.to_owned() })
    }

    /// What people call it beside the name of its site: `booking`, `@internet`, `@write`.
    pub fn name(&self) -> &str {
        match self {
            Self::Section { name, .. } => name,
            Self::Internet => "@internet",
            Self::Write => "@write",
        }
    }

    /// True for visitors from the internet: whoever looks from inside may not be one and cannot see
    /// this gate, so it is believed as it is read back, and told so.
    pub const fn is_read_back(&self) -> bool {
        matches!(self, Self::Internet)
    }

    /// Its key in the gate of a site.
    ///
    /// # Errors
    /// The key would be none: it is too long.
    pub fn key(&self, site: &GateKey) -> Result<GateKey, &'static str> {
        let point = if matches!(self, Self::Section { .. }) { "." } else { "" };
        GateKey::new(&format!("{site}{point}{}", self.name()))
    }
}

/// A path that means the same in the configuration of every edge: plain characters, no empty
/// segment, none of dots.
fn check_path(path: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let Some(segments) = path.strip_prefix('/') else {
        return Err("the path of a section starts with /");
    };
    if path.len() > PART_PATH_BYTES_MAX {
        return Err("the path of a section has at most 256 bytes");
    }
    if !path.bytes().all(plain) {
        return Err("the path of a section holds only letters, digits and / . _ -");
    }
    match segments.split('/').all(|segment| !matches!(segment, "" | "." | "..")) {
        true => Ok(()),
        false => Err("the path of a section has no empty segment and none of dots"),
    }
}

impl fmt::Display for SitePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Section { name, path } => write!(f, "{name}={path}"),
            other => f.write_str(other.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_read_back_and_have_keys() {
        let site = GateKey::new("portal").unwrap();
        for (text, name, key) in [
            ("booking=/booking", "booking", "portal.booking"),
            ("rdv-2=/fr/rendez.vous/B_2", "rdv-2", "portal.rdv-2"),
            ("@internet", "@internet", "portal@internet"),
            ("@write", "@write", "portal@write"),
        ] {
            let part = SitePart::parse(text).unwrap();
            assert_eq!((part.to_string().as_str(), part.name()), (text, name));
            assert_eq!(part.is_read_back(), text == "@internet");
            assert_eq!(part.key(&site).unwrap().as_str(), key);
        }
    }

    #[test]
    fn what_could_mean_something_else_on_an_edge_is_refused() {
        let long = format!("a=/{}", "b".repeat(PART_PATH_BYTES_MAX));
        for bad in [
            "",
            "booking",
            "@read",
            "internet",
            "=/a",
            "A=/a",
            "-a=/a",
            "a.b=/a",
            "a@b=/a",
            "a=",
            "a=/",
            "a=b",
            "a=/b/",
            "a=//b",
            "a=/b//c",
            "a=/..",
            "a=/b/../c",
            "a=/./b",
            "a=/b c",
            "a=/b\"",
            "a=/é",
            "a=/b?c",
            "a=/b%2f",
            "a=/{b}",
            "a=/b;c",
            &long,
        ] {
            assert!(SitePart::parse(bad).is_err(), "{bad}");
        }
        assert!(SitePart::parse(&long[..long.len() - 1]).is_ok(), "256 bytes are allowed");
        let longest = GateKey::new(&"a".repeat(128)).unwrap();
        assert!(SitePart::Write.key(&longest).is_err(), "a key has at most 128 bytes");
    }
}
