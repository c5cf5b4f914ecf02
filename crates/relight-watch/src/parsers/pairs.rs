//! `KEY=value KEY="quoted value"`: firewalls that write names beside their values.

/// Calls `each` with every pair; words without `=` are skipped, and a quoted value stays in its
/// own escaping.
///
/// # Errors
/// A code: a quotation mark is not closed, or what `each` says.
pub(super) fn walk<'a>(
    text: &'a str,
    each: &mut dyn FnMut(&'a str, &'a str) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut rest = text.trim_start_matches(' ');
    while !rest.is_empty() {
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            rest = after.trim_start_matches(' ');
            continue;
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(inside) => until_quote(inside).ok_or("quote-open")?,
            None => value.split_once(' ').unwrap_or((value, "")),
        };
        each(key, value)?;
        rest = after.trim_start_matches(' ');
    }
    Ok(())
}

/// What stands before the closing quotation mark, and what follows it.
pub(super) fn until_quote(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some((&text[..at], &text[at + 1..]));
        }
        at += 2;
    }
}

/// The tail of CEF: values may hold blanks, so a value ends where the next `key=` begins. Values
/// stay in their own escaping (`\=`, `\\`).
pub(super) fn walk_open<'a>(
    text: &'a str,
    each: &mut dyn FnMut(&'a str, &'a str) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut key = "";
    let mut from = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr2(b'=', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'\\' {
            at += 2;
            continue;
        }
        let start = text[from..at].rfind(' ').map_or(from, |blank| from + blank + 1);
        if is_key(&text[start..at]) && (start > from || from == 0) {
            if !key.is_empty() {
                each(key, text[from..start].trim_end_matches(' '))?;
            }
            (key, from) = (&text[start..at], at + 1);
        }
        at += 1;
    }
    if key.is_empty() { Ok(()) } else { each(key, text[from..].trim_end_matches(' ')) }
}

fn is_key(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Walk = for<'a> fn(
        &'a str,
        &mut dyn FnMut(&'a str, &'a str) -> Result<(), &'static str>,
    ) -> Result<(), &'static str>;

    fn pairs(walk: Walk, text: &str) -> Result<Vec<String>, &'static str> {
        let mut found = Vec::new();
        walk(text, &mut |key, value| {
            found.push(format!("{key}={value}"));
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn names_and_values() {
        let text = r#"IN=eth0 OUT= word a="b \"c\" d"  e=f=g"#;
        let expected = ["IN=eth0", "OUT=", r#"a=b \"c\" d"#, "e=f=g"];
        assert_eq!(pairs(walk, text), Ok(expected.map(str::to_owned).to_vec()));
        assert_eq!(pairs(walk, r#"a="b"#), Err("quote-open"));
        assert_eq!(pairs(walk, r#"a="b\"#), Err("quote-open"));
    }

    #[test]
    fn values_that_hold_blanks() {
        let text = r"src=192.0.2.1 msg=a b\=c d request=/x?y\=1 empty= last=z";
        let expected = ["src=192.0.2.1", r"msg=a b\=c d", r"request=/x?y\=1", "empty=", "last=z"];
        assert_eq!(pairs(walk_open, text), Ok(expected.map(str::to_owned).to_vec()));
        assert_eq!(pairs(walk_open, "no pairs"), Ok(Vec::new()));
        assert_eq!(pairs(walk_open, r"a=b\"), Ok(vec![r"a=b\".to_owned()]));
    }
}
