//! Lines like `1.0 < 1.1`: what somebody says about two versions, against what we say.

use std::cmp::Ordering;

use crate::version::{VersionScheme, compare};

/// Longest line, in bytes: two versions of the longest kind, their sign, and a remark.
pub const ORDER_LINE_BYTES_MAX: usize = 4096;

/// One line, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderLine<'a> {
    /// Nothing, or a remark after `#` or `//`.
    Blank,
    /// Says what we say.
    Same,
    /// Says something else.
    Other {
        /// The version on the left.
        left: &'a str,
        /// The version on the right.
        right: &'a str,
        /// What we say; `None` when one of them has no place in any order.
        judged: Option<Ordering>,
    },
    /// Not two versions with `<`, `=` or `>` between them; a stable code says why:
    /// `order-line-sign`, `order-line-left`, `order-line-right`, `order-line-too-long`.
    Malformed(&'static str),
}

/// Judges one line. A version may hold spaces (`v 1.2.3` in npm), so the sign is a word of its own
/// between two texts; where several could be it, the first that leaves two versions is taken.
pub fn judge_line(scheme: VersionScheme, line: &str) -> OrderLine<'_> {
    judge_line_by(line, |a, b| compare(scheme, a, b))
}

/// As [`judge_line`], by another order.
pub fn judge_line_by(
    line: &str,
    compare: impl Fn(&str, &str) -> Option<Ordering>,
) -> OrderLine<'_> {
    if line.len() > ORDER_LINE_BYTES_MAX {
        return OrderLine::Malformed("order-line-too-long");
    }
    let line = line.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if line.is_empty() || line.starts_with('#') || line.starts_with("//") {
        return OrderLine::Blank;
    }
    let mut first = None;
    for (left, wanted, right) in splits(line) {
        let judged = compare(left, right);
        match judged {
            Some(order) if order == wanted => return OrderLine::Same,
            Some(_) => return OrderLine::Other { left, right, judged },
            None => first = first.or(Some((left, right))),
        }
    }
    match first {
        Some((left, right)) => OrderLine::Other { left, right, judged: None },
        None => OrderLine::Malformed(fault(line)),
    }
}

/// Every way to take a line apart at a sign that stands alone.
fn splits(line: &str) -> impl Iterator<Item = (&str, Ordering, &str)> {
    let signs = line.match_indices(['<', '=', '>']);
    signs.filter_map(move |(at, sign)| {
        let (before, after) = (&line[..at], &line[at + 1..]);
        let alone = before.ends_with([' ', '\t']) && after.starts_with([' ', '\t']);
        let (left, right) = (before.trim(), after.trim());
        let order = match sign {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            _ => Ordering::Greater,
        };
        (alone && !left.is_empty() && !right.is_empty()).then_some((left, order, right))
    })
}

fn fault(line: &str) -> &'static str {
    let mut words = line.split_whitespace();
    let is_sign = |word: &str| matches!(word, "<" | "=" | ">");
    match (words.next(), words.next_back()) {
        (Some(first), _) if is_sign(first) => "order-line-left",
        (_, Some(last)) if is_sign(last) => "order-line-right",
        _ => "order-line-sign",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_judged() {
        let npm = |line| judge_line(VersionScheme::Npm, line);
        for line in ["", "  ", "# 1 < 2", "// 1 < 2", "\u{feff}", "\r"] {
            assert_eq!(npm(line), OrderLine::Blank, "{line:?}");
        }
        for line in ["1.0 < 2.0", "2.0\t>\t1.0\r", "1 = v1.0", "\u{feff}1 < 2", "1.2.3 = = 1.2.3"] {
            assert_eq!(npm(line), OrderLine::Same, "{line:?}");
        }
        for (line, judged) in [
            ("1.0 > 2.0", Some(Ordering::Less)),
            ("1.0 = 2.0", Some(Ordering::Less)),
            ("1.0 < latest", None),
        ] {
            let OrderLine::Other { judged: found, .. } = npm(line) else { panic!("{line}") };
            assert_eq!(found, judged, "{line}");
        }
    }

    #[test]
    fn a_malformed_line_says_why() {
        let long = format!("1 < {}", "1".repeat(ORDER_LINE_BYTES_MAX));
        for (line, code) in [
            ("1.0", "order-line-sign"),
            ("1.0 <= 2.0", "order-line-sign"),
            ("1.0<2.0", "order-line-sign"),
            ("1.0 2.0", "order-line-sign"),
            ("< 2.0", "order-line-left"),
            ("1.0 <", "order-line-right"),
            ("<", "order-line-left"),
            (&long, "order-line-too-long"),
        ] {
            assert_eq!(judge_line(VersionScheme::Npm, line), OrderLine::Malformed(code), "{line}");
        }
    }
}
