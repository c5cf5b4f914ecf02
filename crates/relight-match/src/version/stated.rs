//! Texts that stand where a version should and are none, although the order of the ecosystem has a
//! place for them: Maven, RPM and dpkg order every text, a word below every number or above.
//!
//! [`super::compare`] and keys stay what the tools of the ecosystems say; what matching compares is
//! read here.

use super::{Version, VersionScheme};

/// First words of texts that name a branch, a moving tag or nothing at all.
const WORDS: [&str; 24] = [
    "current",
    "default",
    "dev",
    "develop",
    "development",
    "head",
    "integration",
    "latest",
    "main",
    "master",
    "nightly",
    "noassertion",
    "none",
    "null",
    "release",
    "snapshot",
    "stable",
    "tbd",
    "tip",
    "trunk",
    "undefined",
    "unknown",
    "unspecified",
    "unstable",
];

/// What `versioneer` and its kin write where they find no tag.
const WITHOUT_TAG: [&str; 2] = ["unknown", "untagged"];

impl Version {
    /// Reads what a component or a record states; `None` also for a text that names no version,
    /// whatever the order makes of it: without any digit, a branch, a range, a property.
    pub(crate) fn stated(scheme: VersionScheme, text: &str) -> Option<Self> {
        let text = text.trim();
        if is_no_version(scheme, text) { None } else { Self::parse(scheme, text) }
    }
}

fn is_no_version(scheme: VersionScheme, text: &str) -> bool {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    // `2.x` and `2.+` are every version of 2.
    let is_open =
        text.ends_with('+') || text.split('.').any(|part| matches!(part, "x" | "X" | "*"));
    if !has_digit || is_open || is_word(first_word(text)) {
        return true;
    }
    match scheme {
        // `2.x-dev` is whatever its branch was on some day, though Composer gives it a number.
        VersionScheme::Composer => is_branch_of_composer(text),
        VersionScheme::Maven => !is_of_maven(text),
        VersionScheme::Rpm => !text.chars().all(|c| c.is_ascii_alphanumeric() || is_sign_of_rpm(c)),
        VersionScheme::Pep440 => {
            let local = text.split_once('+').map(|(_, local)| first_word(local));
            local.is_some_and(|word| WITHOUT_TAG.iter().any(|it| word.eq_ignore_ascii_case(it)))
        }
        _ => false,
    }
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default()
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && WORDS.iter().any(|it| word.eq_ignore_ascii_case(it))
}

fn is_branch_of_composer(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let number = text.strip_suffix("-dev").and_then(|it| it.rsplit('.').next());
    number.is_some_and(|it| matches!(it.trim_start_matches('v'), "x" | "*"))
}

/// `[1.0,2.0)` and `@version@` are no versions; `v1.0` is a tag, which Maven puts below every
/// number.
fn is_of_maven(text: &str) -> bool {
    let is_sign = |c: char| matches!(c, '.' | '-' | '_' | '+');
    let is_tag = text.strip_prefix(['v', 'V']).is_some_and(|it| it.starts_with(is_digit));
    !is_tag && text.chars().all(|c| c.is_ascii_alphanumeric() || is_sign(c))
}

const fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

const fn is_sign_of_rpm(c: char) -> bool {
    matches!(c, '.' | '-' | '_' | '+' | '~' | '^' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_no_version_has_no_place() {
        use VersionScheme::{Composer, Deb, Maven, Npm, Pep440, Rpm};
        for (scheme, text, is_version) in [
            (Maven, "2.14.1", true),
            (Maven, "2.0-beta9", true),
            (Maven, "r09", true),
            (Maven, "Finchley.SR2", true),
            (Maven, "1.0+build.5", true),
            (Maven, "1.0.0-20210101.120000-3", true),
            (Maven, "unknown", false),
            (Maven, "RELEASE", false),
            (Maven, "master-20210101", false),
            (Maven, "[2.0,2.15.0)", false),
            (Maven, "2.+", false),
            (Maven, "2.x", false),
            (Maven, "2.*", false),
            (Maven, "@project.version@", false),
            (Maven, "v1.2.3", false),
            (Maven, "release/1.2", false),
            (Maven, "1.2 build 3", false),
            (Rpm, "1:1.0.2k-19.el7", true),
            (Rpm, "2.0~rc1^git5-1.el9_1+7", true),
            (Rpm, "unknown", false),
            (Rpm, ">=1.0", false),
            (Rpm, "%{version}-1", false),
            (Deb, "1.0-1", true),
            (Deb, "unknown", false),
            (Deb, "master-1", false),
            (Pep440, "1.0+cu118", true),
            (Pep440, "0+unknown", false),
            (Pep440, "0+untagged.1.g0123abc", false),
            (Composer, "2.x-dev", false),
            (Composer, "v2.5.x-dev", false),
            (Composer, "2.5.*-DEV", false),
            (Composer, "2.5.0-dev", true),
            (Npm, "1.0.0", true),
            (Npm, "latest", false),
        ] {
            let found = Version::stated(scheme, text);
            assert_eq!(found.is_some(), is_version, "{scheme:?} {text}");
        }
    }
}
