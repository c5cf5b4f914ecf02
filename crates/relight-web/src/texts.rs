//! Every text that people read, in French and English: one function per message of `texts/*.ftl`.
//!
//! Arguments are in alphabetical order of their names.

use crate::Lang;
use crate::number::{Number, Plural};

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

/// Renders one line of the log from positional arguments.
type Line = fn(Lang, &[String]) -> Option<String>;

/// The text of a message without arguments, by its key (`flaw-encrypted`, `sector-health`).
/// Lower crates emit codes; this is where a code becomes words.
pub fn by_code(lang: Lang, code: &str) -> Option<&'static str> {
    let at = PLAIN.binary_search_by(|(key, _, _)| (*key).cmp(code)).ok()?;
    let (_, french, english) = PLAIN[at];
    Some(match lang {
        Lang::Fr => french,
        Lang::En => english,
    })
}

/// The keys of all messages without arguments, in the order of the alphabet.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().map(|(key, ..)| *key)
}

/// A line of the live log: `code` is the key (`log-relit`), `args` are the arguments in
/// alphabetical order of their names, numbers as plain digits.
///
/// A code without text is shown as it is, with its arguments: a fact is never swallowed because
/// nobody has written its sentence.
pub fn log_line(lang: Lang, code: &str, args: &[String]) -> String {
    if let Some(text) = by_code(lang, code) {
        return text.to_owned();
    }
    let line = LINES.binary_search_by(|(name, _)| (*name).cmp(code)).ok();
    line.and_then(|at| LINES[at].1(lang, args))
        .unwrap_or_else(|| format!("{code} {}", args.join(" ")).trim_end().to_owned())
}

fn text_at(args: &[String], at: usize) -> Option<&str> {
    args.get(at).map(String::as_str)
}

fn number_at(args: &[String], at: usize) -> Option<u64> {
    text_at(args, at)?.parse().ok()
}

/// The words of a reason (`reason-stale`), or the reason as it is.
fn coded(lang: Lang, reason: &str) -> &str {
    by_code(lang, &format!("reason-{reason}")).unwrap_or(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_found() {
        assert!(PLAIN.is_sorted_by(|a, b| a.0 < b.0) && LINES.is_sorted_by(|a, b| a.0 < b.0));
        for (key, french, english) in PLAIN {
            assert_eq!(by_code(Lang::Fr, key), Some(*french));
            assert_eq!(by_code(Lang::En, key), Some(*english));
            assert!(!french.trim().is_empty() && !english.trim().is_empty(), "{key}");
        }
        assert_eq!(by_code(Lang::Fr, "no-such-key"), None);
    }

    #[test]
    fn french_typography() {
        for (key, french, _) in PLAIN {
            // A directive whose last word is `!`.
            let french = french.replace("ProxyPass /.relight/ !", "");
            for wrong in [" ;", " !", " ?", " :", " %", "« ", " »", "'"] {
                assert!(!french.contains(wrong), "{key}: {wrong:?} in {french:?}");
            }
        }
    }

    #[test]
    fn log_lines_take_their_arguments_by_position() {
        let args = ["12".to_owned(), "3992".to_owned()];
        assert_eq!(
            log_line(Lang::Fr, "log-dark-proven", &args),
            "Extinction prouvée pour 3\u{a0}992 sites en 12\u{a0}ms"
        );
        let args = ["san-005".to_owned()];
        assert_eq!(log_line(Lang::En, "log-relit", &args), "san-005 is lit again");
        assert_eq!(log_line(Lang::En, "log-dark-proven", &args), "log-dark-proven san-005");
        assert_eq!(log_line(Lang::En, "never-heard-of", &[]), "never-heard-of");
        let args = ["partial-encrypted".to_owned(), "san-005".to_owned()];
        let line = log_line(Lang::En, "log-unknown", &args);
        assert_eq!(line, "san-005 stays dark: a part is encrypted");
        let args = ["said by an edge".to_owned(), "san-005".to_owned()];
        let line = log_line(Lang::Fr, "log-dark-failed", &args);
        assert_eq!(line, "san-005 n’est pas éteint\u{a0}: said by an edge");
    }

    #[test]
    fn the_first_line_of_an_answer() {
        assert_eq!(
            affected_summary(Lang::En, 421u64, 3503u64, 3992u64, 68u64),
            "421 of 3,992 sites affected, 68 unknown, 3,503 clear"
        );
        assert_eq!(
            affected_summary(Lang::Fr, 421u64, 3503u64, 3992u64, 68u64),
            "421 sites touchés sur 3\u{a0}992, 68 inconnus, 3\u{a0}503 hors de cause"
        );
        assert_eq!(
            affected_summary(Lang::Fr, 0u64, 1u64, 1u64, 0u64),
            "0 site touché sur 1, 0 inconnu, 1 hors de cause"
        );
        assert_eq!(
            affected_summary(Lang::En, 1u64, 0u64, 1u64, 0u64),
            "1 of 1 site affected, 0 unknown, 0 clear"
        );
    }
}
