//! Names of machines, and which of them a code is for.

use super::HOST_BYTES_MAX;

/// Whether a text can be the name of a machine: small letters, digits, dots and hyphens.
pub fn is_host(text: &str) -> bool {
    is_pattern(text) && !text.contains('*')
}

/// The same where `*` stands for any part of it.
pub(super) fn is_pattern(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| plain(byte) || b".-*".contains(&byte);
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| plain(byte) || byte == b'*');
    text.len() <= HOST_BYTES_MAX
        && edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(inner)
}

/// Whether the name of a machine fits.
pub(super) fn fits(pattern: &str, host: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| host.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    // Without a star nothing may be left over.
    let Some(last) = parts.pop() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(last) else { return false };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_machines_and_what_they_fit() {
        for good in ["web-12", "a", "web-12.example.org", &"a".repeat(HOST_BYTES_MAX)] {
            assert!(is_host(good), "{good}");
        }
        for bad in ["", "Web", "-a", "a-", "a b", "a_b", "é", "a/b", "*", &"a".repeat(254)] {
            assert!(!is_host(bad), "{bad}");
        }
        for (pattern, host, wanted) in [
            ("web-1", "web-1", true),
            ("web-1", "web-12", false),
            ("*", "web-1", true),
            ("web-*", "web-1", true),
            ("web-*", "web-", true),
            ("web-*", "db-1", false),
            ("*.example", "a.example", true),
            ("*.example", "a.example.org", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert!(is_pattern(pattern));
            assert_eq!(fits(pattern, host), wanted, "{pattern} {host}");
        }
    }
}
