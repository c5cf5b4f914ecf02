//! Whether a regular expression of a configuration fits a path.

use regex_lite::Regex;

/// The folder of challenges.
pub(super) const CHALLENGES: &str = "/.well-known/acme-challenge/";
/// A challenge.
pub(super) const TOKEN: &str = "/.well-known/acme-challenge/token";
/// What stands beside challenges and is none, as tokens have no point: only visitors ask for it.
pub(super) const OTHER: &str = "/.well-known/acme-challenge/a.b";

/// Whether a pattern fits a path; `None` is one that is not understood.
pub(super) fn fits(pattern: &str, path: &str) -> Option<bool> {
    if let Ok(regex) = Regex::new(pattern) {
        return Some(regex.is_match(path));
    }
    let (case, pattern) = match pattern.strip_prefix("(?i)") {
        Some(rest) => ("(?i)", rest),
        None => ("", pattern),
    };
    let (before, inside, after) = lookahead(pattern)?;
    if has_alternative(after) {
        return None;
    }
    // Behind a plain beginning there is one place only at which it is asked.
    let is_plain = before.starts_with('^') && !before.contains(['*', '+', '?', '{', '|', '(']);
    let refused = Regex::new(&format!("{case}{before}(?:{inside})")).ok()?.is_match(path);
    let rest = Regex::new(&format!("{case}{before}{after}")).ok()?.is_match(path);
    match (refused, rest) {
        (_, false) => Some(false),
        (true, true) if is_plain => Some(false),
        (false, true) => Some(true),
        (true, true) => None,
    }
}

/// Whether a pattern, as it is written, fits nothing but what is below a folder: the folder itself
/// stands at its beginning, in no group and with nothing of it left open. Many write its points
/// without a backslash, which no origin tells apart.
pub(super) fn is_below(pattern: &str, folder: &str) -> bool {
    let Some(mut rest) = pattern.strip_prefix('^').filter(|it| !it.contains('|')) else {
        return false;
    };
    for char in folder.chars() {
        // Before a letter a backslash makes a class.
        let escaped = rest.strip_prefix('\\').filter(|_| !char.is_alphanumeric());
        let Some(after) = escaped.unwrap_or(rest).strip_prefix(char) else { return false };
        rest = after;
    }
    !rest.starts_with(['?', '*', '{'])
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

/// Whether a `|` stands outside of brackets: then one side of it goes without what stands before.
fn has_alternative(pattern: &str) -> bool {
    let (mut depth, mut is_escaped) = (0, false);
    pattern.bytes().any(|byte| {
        let is_plain = !is_escaped;
        match byte {
            b'(' | b'[' if is_plain => depth += 1,
            b')' | b']' if is_plain => depth -= 1,
            _ => {}
        }
        is_escaped = is_plain && byte == b'\\';
        is_plain && byte == b'|' && depth <= 0
    })
}

#[cfg(test)]
mod tests {
    use super::{CHALLENGES, fits, is_below};

    #[test]
    fn patterns_fit_or_are_not_understood() {
        for (pattern, path, expected) in [
            (r"^/(api|auth)/", "/api/x", Some(true)),
            (r"^/(api|auth)/", "/x", Some(false)),
            (r"\.(php|phar)$", "/x.php", Some(true)),
            (r"^/(?!\.well-known/|\.relight/)(.*)$", "/.relight/x", Some(false)),
            (r"^/(?!\.well-known/|\.relight/)(.*)$", "/app", Some(true)),
            (r"^/(?!a(b)\))", "/x", Some(true)),
            (r"^/(?!x)(a|b)", "/b", Some(true)),
            (r"^/(?!x)a|b", "/xb", None),
            (r"(?i)^/(?!\.Well-known/)", "/.well-known/x", Some(false)),
            (r"^/.*(?!a)", "/a", None),
            (r"^/(?!a)(?!b)", "/x", None),
            (r"^/(?!a", "/x", None),
            ("(", "/", None),
        ] {
            assert_eq!(fits(pattern, path), expected, "{pattern} {path}");
        }
    }

    /// Goal: no pattern that fits another path counts as one of challenges. Method: ours, in the
    /// ways in which it is written, and with each part of it left open.
    #[test]
    fn patterns_are_below_a_folder_or_not() {
        for (pattern, expected) in [
            (r"^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$", true),
            (r"^\/\.well\-known\/acme-challenge\/", true),
            ("^/.well-known/acme-challenge/(x)?", true),
            ("/.well-known/acme-challenge/", false),
            (r"^/\.well-known/acme-challenge/|^/app", false),
            (r"^/(\.well-known/acme-challenge/)?", false),
            ("^/.well-known/acme-challenge/?", false),
            ("^/.well-known/acme-challenge/{0}", false),
            (r"^/.\well-known/acme-challenge/", false),
            ("^/app", false),
        ] {
            assert_eq!(is_below(pattern, CHALLENGES), expected, "{pattern}");
        }
    }
}
