//! Names of packages as they are looked up where nobody knows who wrote them: documents and files
//! give a name in a form of their own, and each ecosystem has rules that the others lack. And those
//! of CVE records.

/// Whether a text is the number of a CVE record: `CVE-`, a year, and four digits or more.
pub fn is_cve(text: &str) -> bool {
    let number = text.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    number.is_some_and(|(year, number)| {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        year.len() == 4 && number.len() >= 4 && digits(year) && digits(number)
    })
}

/// Whether a text begins as one, in any letters: what people wrote may have blanks around it.
pub fn begins_as_cve(text: &str) -> bool {
    text.trim().get(..4).is_some_and(|head| head.eq_ignore_ascii_case("CVE-"))
}

/// A name without its group or scope: what stands behind the last `/` or `:`. The last part of a
/// Go module of a later version (`example.org/a/b/v2`) is no name.
pub fn bare_name(name: &str) -> &str {
    let name = name.trim_end_matches(['/', ':']);
    match name.rsplit_once(['/', ':']) {
        Some((rest, last)) if rest.contains('/') && is_major(last) => bare_name(rest),
        Some((_, last)) => last,
        None => name,
    }
}

/// `v2`, and whatever comes after it.
fn is_major(part: &str) -> bool {
    let number = part.strip_prefix('v').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name in the form in which names are looked up: lower case, one `-` for each run of `-`, `_`
/// and `.` (PEP 503; other ecosystems are stricter), and `/` before every part.
pub fn fold_name(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    fold_name_into(name, &mut folded);
    folded
}

/// As [`fold_name`], in the place of whatever is in `folded`: for names that are folded by the
/// million.
pub fn fold_name_into(name: &str, folded: &mut String) {
    folded.clear();
    folded.extend(folded_chars(name));
}

/// Whether a name has this folded form.
pub fn folds_to(name: &str, folded: &str) -> bool {
    folded_chars(name).eq(folded.chars())
}

fn folded_chars(name: &str) -> impl Iterator<Item = char> {
    let mut is_behind_sign = false;
    name.chars().flat_map(char::to_lowercase).filter_map(move |char| {
        let is_sign = matches!(char, '-' | '_' | '.');
        let is_more = is_sign && is_behind_sign;
        is_behind_sign = is_sign;
        match char {
            _ if is_more => None,
            _ if is_sign => Some('-'),
            '/' | ':' => Some('/'),
            // Go's way to write a capital letter in a path.
            '!' => None,
            _ => Some(char),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_group_is_its_last_part() {
        for (name, bare) in [
            ("log4j-core", "log4j-core"),
            ("org.example:lib", "lib"),
            ("@scope/lib", "lib"),
            ("github.com/a/b", "b"),
            ("github.com/a/b/v2", "b"),
            ("github.com/a/b/v2/", "b"),
            ("gopkg.in/yaml.v2", "yaml.v2"),
            ("@scope/v2", "v2"),
            ("a/b/vault", "vault"),
            ("v2", "v2"),
            ("", ""),
        ] {
            assert_eq!(bare_name(name), bare, "{name}");
        }
    }

    #[test]
    fn a_folded_name_has_no_case_and_one_sign() {
        for (name, folded) in [
            ("Zope.Inter__face", "zope-inter-face"),
            ("org.example:Lib_.A", "org-example/lib-a"),
            ("@scope/Lib", "@scope/lib"),
            ("ÄB", "äb"),
            ("github.com/!burnt!sushi/toml", "github-com/burntsushi/toml"),
        ] {
            assert_eq!(fold_name(name), folded, "{name}");
            assert!(folds_to(name, folded) && !folds_to(name, "x"), "{name}");
        }
    }
}
