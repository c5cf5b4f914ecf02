//! Whether a regular expression of a configuration fits a path.

use regex_lite::Regex;

/// A challenge.
pub(super) const TOKEN: &str = "/.well-known/acme-challenge/token";
/// What stands beside challenges and is none, as tokens have no point: only visitors ask for it.
pub(super) const OTHER: &str = "/.well-known/acme-challenge/a.b";

/// Whether a pattern fits a path; `None` is one that is not understood.
pub(super) fn fits(pattern: &str, path: &str) -> Option<bool> {
    if let Ok(regex) = Regex::new(pattern) {
        return Some(regex.is_match(path));
    }
    let (before, inside, after) = lookahead(pattern)?;
    // Behind a plain beginning there is one place only at which it is asked.
    let is_plain = before.starts_with('^') && !before.contains(['*', '+', '?', '{', '|', '(']);
    let refused = Regex::new(&format!("{before}(?:{inside})")).ok()?.is_match(path);
    let rest = Regex::new(&format!("{before}{after}")).ok()?.is_match(path);
    match (refused, rest) {
        (_, false) => Some(false),
        (true, true) if is_plain => Some(false),
        (false, true) => Some(true),
        (true, true) => None,
    }
}

/// What stands before the first `(?!…)`, in it, and behind it.
fn lookahead(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once("(?!")?;
    let mut depth = 0;
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if is_escaped => {}
            b'(' => depth += 1,
            b')' if depth == 0 => return Some((before, &rest[..at], &rest[at + 1..])),
            b')' => depth -= 1,
            _ => {}
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_or_are_not_understood() {
        for (pattern, path, expected) in [
            (r"^/(api|auth)/", "/api/x", Some(true)),
            (r"^/(api|auth)/", "/x", Some(false)),
            (r"\.(php|phar)$", "/x.php", Some(true)),
            (r"^/(?!\.well-known/|\.relight/)(.*)$", "/.relight/x", Some(false)),
            (r"^/(?!\.well-known/|\.relight/)(.*)$", "/app", Some(true)),
            (r"^/(?!a(b)\))", "/x", Some(true)),
            (r"^/.*(?!a)", "/a", None),
            (r"^/(?!a)(?!b)", "/x", None),
            (r"^/(?!a", "/x", None),
            ("(", "/", None),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }
}
