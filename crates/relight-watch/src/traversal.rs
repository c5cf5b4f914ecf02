//! Paths that climb out of the folder of the web server.
//!
//! The victim's grammar here is that of path segments: `..` goes up, and whoever goes up more often
//! than down leaves the root. Nothing tests it against a real server, so it says `attempt` and
//! never that it would have worked. A link that is merely wrong climbs too; so what counts besides
//! is that the dots were hidden in escapes, or that a file is asked for which no site links to.

use relight_model::Event;

use crate::contact::TEXT_BYTES_MAX;
use crate::decode::decoded;
use crate::path_class;

/// Files for which people climb.
const TARGETS: [&str; 12] = [
    "etc/passwd",
    "etc/shadow",
    "etc/hosts",
    "proc/self",
    "win.ini",
    "boot.ini",
    "windows/system32",
    "winnt/system32",
    "web-inf/",
    ".ssh/",
    ".aws/credentials",
    "id_rsa",
];

/// Fewest levels that a value of a query must climb: one is how pages name their neighbours.
const QUERY_LEVELS_MIN: usize = 2;

/// The text that climbs, decoded, when an event holds one; `undone` is its path, normalised, if
/// that changed it: a path in which nothing had to be undone holds no `..` segment.
pub(crate) fn climbed(event: &Event<'_>, undone: Option<&str>) -> Option<String> {
    if let Some(path) = undone
        && levels(path) > 0
        && (is_hidden(event.path) || is_target(path))
    {
        return Some(path.to_owned());
    }
    may_climb(event.query).then(|| in_query(event.query)).flatten()
}

/// What is kept of a text that climbs: where the dots stand beyond the limit, from them on.
pub(crate) fn kept(text: &str) -> &str {
    let head = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    if levels(head) > 0 { head } else { text.find("..").map_or(text, |at| &text[at..]) }
}

/// The door of a text that climbs, as it is kept. Where the text does not show that it climbs, no
/// lookup has this door: a mark stands before it.
pub(crate) fn door(text: &str) -> u64 {
    if seems_climb(text) { path_class::hash(text) } else { path_class::hash(&format!("\0{text}")) }
}

/// Whether an attempt at this door, of which this text was kept, climbed.
pub(crate) fn is_climb(door: u64, text: &str) -> bool {
    seems_climb(text) || door == self::door(text)
}

fn seems_climb(text: &str) -> bool {
    !text.contains("://") && levels(text) > 0
}

/// By how many levels a path leaves the folder in which it begins.
fn levels(path: &str) -> usize {
    let (mut depth, mut lowest) = (0_isize, 0_isize);
    for segment in path.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        lowest = lowest.min(depth);
    }
    lowest.unsigned_abs()
}

/// No `..` segment stands in the path as it was sent.
fn is_hidden(raw: &str) -> bool {
    !raw.split('/').any(|segment| segment == "..")
}

fn is_target(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace('\\', "/");
    TARGETS.iter().any(|target| plain.contains(target))
}

/// Two dots, or an escape that may hold them.
fn may_climb(query: &str) -> bool {
    let bytes = query.as_bytes();
    memchr::memmem::find(bytes, b"..").is_some()
        || memchr::memchr_iter(b'%', bytes).any(|at| {
            let next = bytes.get(at + 1..at + 3).unwrap_or_default();
            next.eq_ignore_ascii_case(b"2e") || next == b"25"
        })
}

fn in_query(query: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let value = decoded(pair.split_once('=').map_or(pair, |(_, value)| value));
        (levels(&value) >= QUERY_LEVELS_MIN && is_target(&value)).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::net::IpAddr;

    use relight_model::{Escape, OrgId};

    use super::*;
    use crate::path_class::normalised;

    fn of(path: &str, query: &str) -> Option<String> {
        let source = IpAddr::from([192, 0, 2, 1]);
        let event =
            Event { path, query, escape: Escape::Apache, ..Event::bare(OrgId(1), 0, source) };
        let normal = normalised(path);
        climbed(&event, matches!(normal, Cow::Owned(_)).then_some(&*normal))
    }

    #[test]
    fn hidden_dots_and_files_that_nobody_links_to() {
        for (path, query) in [
            ("/../../../../etc/passwd", ""),
            ("/cgi-bin/.%2e/.%2e/bin/sh", ""),
            ("/icons/%2e%2e/%2e%2e/%2e%2e/x", ""),
            ("/static/%252e%252e/%252e%252e/secret", ""),
            ("/a/..%5c..%5cwindows%5csystem32%5ccmd.exe", ""),
            ("/show", "file=../../../../etc/passwd"),
            ("/show", "page=1&file=%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
            ("/show", "f=..%5c..%5cwindows%5cwin.ini"),
        ] {
            assert!(of(path, query).is_some(), "{path}?{query}");
        }
    }

    #[test]
    fn wrong_links_and_versions_are_none() {
        for (path, query) in [
            ("/", ""),
            ("/a/../b.html", ""),
            ("/../pictures/logo.png", ""),
            ("/a/%2e%2e/b", ""),
            ("/etc/passwd", ""),
            ("/a/..b/c..d", ""),
            ("/back", "return=../index.php"),
            ("/back", "return=../../index.php"),
            ("/range", "from=1..2&to=3%2e4"),
            ("/%2e/x", "q=what+is+etc/passwd"),
        ] {
            assert_eq!(of(path, query), None, "{path}?{query}");
        }
    }

    #[test]
    fn levels_are_those_that_leave_the_root() {
        for (path, expected) in [
            ("/a/b/../..", 0),
            ("/a/../../b", 1),
            ("../../x", 2),
            ("..\\..\\..\\x", 3),
            ("/a/./../b/../..", 1),
            ("", 0),
        ] {
            assert_eq!(levels(path), expected, "{path}");
        }
        let seems = seems_climb;
        assert!(seems("/../etc/passwd") && !seems("ldap://x/../../a") && !seems("/a/.."));
    }

    #[test]
    fn the_climbing_part_is_kept() {
        let long = format!("/{}/{}/etc/passwd", "a".repeat(300), "../".repeat(4));
        assert!(kept(&long).starts_with("../../") && kept("/a/../../b") == "/a/../../b");
        assert!(is_climb(door("file:///../x"), "file:///../x"));
        let lookup = path_class::exact_hash("ldap://x/../../a");
        assert!(!is_climb(lookup, "ldap://x/../../a"));
    }
}
