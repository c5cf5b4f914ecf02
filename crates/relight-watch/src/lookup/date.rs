//! What `${date:…}` prints: Java's `SimpleDateFormat`, true in its literals, not in its digits.

/// Printed for a pattern that Java refuses: its default format, with its blanks and its colon.
const DEFAULT_FORMAT: &str = "1/1/70, 12:00 AM";

/// The text for a pattern. Quoted text and everything that is no letter stays; a run of pattern
/// letters becomes digits; a pattern that Java refuses prints the default format.
pub(super) fn format(pattern: &str) -> String {
    checked(pattern).unwrap_or_else(|| DEFAULT_FORMAT.to_owned())
}

fn checked(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut quoted = false;
    let mut run = ('\0', 0_usize);
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\'' {
            run = ('\0', 0);
            if chars.next_if_eq(&'\'').is_some() {
                out.push('\'');
            } else {
                quoted = !quoted;
            }
        } else if quoted || !char.is_ascii_alphabetic() {
            run = ('\0', 0);
            out.push(char);
        } else {
            if !"GyYMLwWDdFEuaHkKhmsSzZX".contains(char) {
                return None;
            }
            run = if run.0 == char { (char, run.1 + 1) } else { (char, 1) };
            if char == 'X' && run.1 > 3 {
                return None;
            }
            if run.1 == 1 {
                out.push('1');
            }
        }
    }
    (!quoted).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_runs_and_refusals() {
        for (pattern, printed) in [
            ("", ""),
            ("'j'", "j"),
            ("''", "'"),
            ("'o''clock'", "o'clock"),
            ("yyyy-MM", "1-1"),
            ("::", "::"),
            ("XXX", "1"),
            ("XXXX", DEFAULT_FORMAT),
            ("'j'n", DEFAULT_FORMAT),
            ("'open", DEFAULT_FORMAT),
        ] {
            assert_eq!(format(pattern), printed, "{pattern}");
        }
    }
}
