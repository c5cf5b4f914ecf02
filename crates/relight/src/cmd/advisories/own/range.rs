//! Ranges of versions as people write them: `>=2.0-beta9,<2.15.0 || =2.99`.

use serde_json::{Value, json};

/// A range as it was written.
#[derive(Default)]
pub(super) struct Range {
    /// The events, one list for each alternative.
    pub(super) events: Vec<Vec<Value>>,
    /// Single versions.
    pub(super) versions: Vec<String>,
    /// The alternatives whose start does not belong to them, in words: events cannot say it.
    pub(super) exclusive: Vec<String>,
}

/// `>=2.0-beta9,<2.15.0 || >3.0 || =2.99`; `unknown` is a range that nobody knows yet.
pub(super) fn range(text: &str) -> Option<Range> {
    let mut range = Range::default();
    if text.trim() == "unknown" {
        return Some(range);
    }
    for alternative in text.split("||") {
        let (mut start, mut end) = (None, None);
        for part in alternative.split(',').map(str::trim) {
            let is_open = part.starts_with('>') && !part.starts_with(">=");
            let given = match () {
                () if part.starts_with(">=") => start.replace((version(&part[2..])?, false)),
                () if is_open => start.replace((version(&part[1..])?, true)),
                () if part.starts_with("<=") => {
                    end.replace(("last_affected", version(&part[2..])?)).map(|_| Default::default())
                }
                () if part.starts_with('<') => {
                    end.replace(("fixed", version(&part[1..])?)).map(|_| Default::default())
                }
                () if part.starts_with('=') => {
                    range.versions.push(version(&part[1..])?);
                    None
                }
                () => return None,
            };
            // Two starts or two ends: more than one range, and nobody knows which.
            if given.is_some() {
                return None;
            }
        }
        range.add(start, end);
    }
    Some(range)
}

impl Range {
    /// One alternative: where it starts, whether behind that version, and where it ends.
    fn add(&mut self, start: Option<(String, bool)>, end: Option<(&str, String)>) {
        if start.is_none() && end.is_none() {
            return;
        }
        let (start, is_exclusive) = start.unwrap_or_else(|| ("0".to_owned(), false));
        if is_exclusive {
            let end = end.as_ref().map(|(kind, version)| {
                let sign = if *kind == "fixed" { "<" } else { "<=" };
                format!(",{sign}{version}")
            });
            self.exclusive.push(format!(">{start}{}", end.unwrap_or_default()));
        }
        let mut events = vec![json!({ "introduced": start })];
        events.extend(end.map(|(kind, version)| json!({ kind: version })));
        self.events.push(events);
    }
}

fn version(text: &str) -> Option<String> {
    let text = text.trim();
    let is_one = !text.is_empty() && !text.contains(['<', '>', '=', ' ']);
    is_one.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_or_refused() {
        for (text, wanted) in [
            (">=2.0-beta9,<2.15.0", r#"[[{"introduced":"2.0-beta9"},{"fixed":"2.15.0"}]] []"#),
            ("<=1.2", r#"[[{"introduced":"0"},{"last_affected":"1.2"}]] []"#),
            ("=1.2 || =1.3", r#"[] ["1.2","1.3"]"#),
            (
                "<1 || >=2, <3",
                r#"[[{"introduced":"0"},{"fixed":"1"}],[{"introduced":"2"},{"fixed":"3"}]] []"#,
            ),
            ("unknown", "[] []"),
            ("", "refused"),
            ("2.15.0", "refused"),
            (">2.0", r#"[[{"introduced":"2.0"}]] [] >2.0"#),
            (
                "<=3, > 2.0 || =1",
                r#"[[{"introduced":"2.0"},{"last_affected":"3"}]] ["1"] >2.0,<=3"#,
            ),
            (
                ">=4 || >5,<6",
                r#"[[{"introduced":"4"}],[{"introduced":"5"},{"fixed":"6"}]] [] >5,<6"#,
            ),
            (">=1,>2", "refused"),
            (">1,<2,<=3", "refused"),
            (">", "refused"),
            (">=", "refused"),
            (">=1 <2", "refused"),
            ("<1,,", "refused"),
        ] {
            let shown = range(text).map_or("refused".to_owned(), |it| {
                let words = it.exclusive.join(" || ");
                format!("{} {} {words}", json!(it.events), json!(it.versions)).trim_end().to_owned()
            });
            assert_eq!(shown, wanted, "{text}");
        }
    }
}
