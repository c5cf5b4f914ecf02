//! Lines of fields: tab between fields, `\t`, `\n` and `\\` inside them, so that nothing is
//! ambiguous and a person can read it.

/// Appends one line with these fields.
pub(crate) fn write_line<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (index, field) in fields.into_iter().enumerate() {
        if index > 0 {
            out.push('\t');
        }
        escape(out, field);
    }
    out.push('\n');
}

/// The fields of one line (without its line end); `None` after an escape that nobody writes.
pub(crate) fn read_line(line: &str) -> Option<Vec<String>> {
    line.split('\t').map(unescape).collect()
}

fn escape(out: &mut String, field: &str) {
    let mut rest = field;
    while let Some(at) = rest.find(['\\', '\t', '\n']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'\t' => "\\t",
            b'\n' => "\\n",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

fn unescape(field: &str) -> Option<String> {
    let mut out = String::with_capacity(field.len());
    let mut rest = field;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        out.push(match rest.as_bytes().get(at + 1)? {
            b't' => '\t',
            b'n' => '\n',
            b'\\' => '\\',
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    #[test]
    fn any_fields_come_back_and_no_two_lists_share_a_line() {
        let mut rng = Rng::new(11);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..5_000 {
            let fields: Vec<String> = (0..=rng.below(4))
                .map(|_| {
                    (0..rng.below(5))
                        .map(|_| *rng.pick(&['a', '\\', '\t', '\n', 't', 'é']))
                        .collect()
                })
                .collect();
            let mut line = String::new();
            write_line(&mut line, fields.iter().map(String::as_str));
            let body = line.strip_suffix('\n').unwrap();
            assert!(!body.contains('\n'), "{body:?}");
            assert_eq!(read_line(body).as_ref(), Some(&fields));
            assert_eq!(seen.entry(line).or_insert_with(|| fields.clone()), &fields);
        }
    }

    #[test]
    fn refuses_escapes_that_nobody_writes() {
        for line in ["\\", "a\\", "\\x", "a\tb\\\\\\"] {
            assert_eq!(read_line(line), None, "{line}");
        }
    }
}
