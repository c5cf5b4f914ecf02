//! What dependency resolution says, in a few lines of each kind.

use proptest::prelude::*;

use super::*;

const STRICT: NpmOptions = NpmOptions { loose: false, include_prerelease: false };
const LOOSE: NpmOptions = NpmOptions { loose: true, include_prerelease: false };
const ALL: NpmOptions = NpmOptions { loose: false, include_prerelease: true };

fn version(text: &str) -> NpmVersion {
    NpmVersion::parse(text, true).unwrap()
}

#[test]
fn ranges_are_expanded() {
    for (text, options, expanded) in [
        ("", STRICT, "*"),
        ("x || <1", STRICT, "*"),
        ("^1.2", STRICT, ">=1.2.0 <2.0.0-0"),
        ("^0.0.1-beta", STRICT, ">=0.0.1-beta <0.0.2-0"),
        ("^0", STRICT, "<1.0.0-0"),
        ("^0.1.2", ALL, ">=0.1.2-0 <0.2.0-0"),
        ("~>3.2.1", STRICT, ">=3.2.1 <3.3.0-0"),
        ("1.x", ALL, ">=1.0.0-0 <2.0.0-0"),
        ("1.0 - 2.0", STRICT, ">=1.0.0 <2.1.0-0"),
        ("1.0.0 - 2.0.0", ALL, ">=1.0.0-0 <2.0.1-0"),
        (">1", STRICT, ">=2.0.0"),
        ("<=1.2", STRICT, "<1.3.0-0"),
        (">X", STRICT, "<0.0.0-0"),
        ("> 1.0.0  || =2", STRICT, ">1.0.0||>=2.0.0 <3.0.0-0"),
        (">01.02.03", LOOSE, ">1.2.3"),
    ] {
        let range = NpmRange::parse(text, options).unwrap();
        assert_eq!(range.to_string(), expanded, "{text}");
        assert_eq!(
            NpmRange::parse(expanded, options).map(|it| it.to_string()),
            Some(expanded.into())
        );
    }
    for text in [">01.02.03", "~1.2.3beta", "^9007199254740991.0.0", "blerg", ">=", "1.2.3 foo"] {
        assert_eq!(NpmRange::parse(text, STRICT), None, "{text}");
    }
}

#[test]
fn a_range_longer_than_any_is_refused() {
    let range = |length: usize| format!("1.2.3{}", " ".repeat(length - 5));
    assert!(NpmRange::parse(&range(NPM_BYTES_MAX), STRICT).is_some());
    assert_eq!(NpmRange::parse(&range(NPM_BYTES_MAX + 1), STRICT), None);
}

#[test]
fn a_pre_release_needs_one_beside_it() {
    for (range, inside, outside) in [
        ("^1.2.3", "1.9.0", "1.3.0-beta"),
        ("^1.2.3-alpha", "1.2.3-beta", "1.2.4-beta"),
        ("1.2.x || 2.x", "1.2.3", "1.3.0"),
        ("*", "1.2.3", "1.2.3-foo"),
        (">=1.0.0 <1.1.0", "1.0.9", "1.1.0-pre"),
    ] {
        let range = NpmRange::parse(range, STRICT).unwrap();
        assert!(range.is_satisfied_by(&version(inside)), "{range} {inside}");
        assert!(!range.is_satisfied_by(&version(outside)), "{range} {outside}");
    }
    let all = NpmRange::parse("1.x", ALL).unwrap();
    assert!(all.is_satisfied_by(&version("1.0.0-a")) && !all.is_satisfied_by(&version("2.0.0-a")));
    // An advisory asks for the place only.
    let set = NpmRange::parse("^1.2.3", STRICT).unwrap().to_set(VersionScheme::Npm).unwrap();
    let place = crate::Version::parse(VersionScheme::Npm, "1.3.0-beta").unwrap();
    assert!(set.contains(&place));
}

#[test]
fn beside_a_range() {
    let range = |text| NpmRange::parse(text, LOOSE).unwrap();
    assert!(range("~1.2.2").is_below(&version("1.3.0")));
    assert!(!range("^1.0.0 || >4 <=5.0.0").is_below(&version("3.5.0")));
    assert!(range("0.7.x").is_below(&version("0.7.2-beta")));
    assert!(range(">1.2").is_above(&version("1.2.1")));
    assert!(!range("<2").is_above(&version("0.0.0")));
    assert!(range("1.5.x").intersects(&range(">=1.5.9")));
    assert!(!range("1.5.x").intersects(&range("<1.5.0 || >=1.6.0")));
    assert!(!range("<0.0.0").intersects(&range("<0.1.0")));
}

#[test]
fn versions_that_npm_refuses() {
    let long = format!("{}.0.0", "1".repeat(300));
    for text in
        [&long, "9007199254740992.0.0", "1.2", "hello, world", "1.2.3.4", "1.2.3-", "01.2.3"]
    {
        assert_eq!(NpmVersion::parse(text, false), None, "{text}");
    }
    assert_eq!(NpmVersion::parse("v 1.2.3beta", true), NpmVersion::parse("1.2.3-beta", false));
}

fn npm_version() -> impl Strategy<Value = String> {
    "[0-9]{1,2}(\\.[0-9]{1,2}){2}(-[a-c0-9]{1,3}(\\.[a-c1-9]){0,2})?"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn npm_and_the_keys_agree(a in npm_version(), b in npm_version()) {
        let ours = crate::compare(VersionScheme::Npm, &a, &b).unwrap();
        prop_assert_eq!(version(&a).cmp(&version(&b)), ours);
    }

    #[test]
    fn no_range_breaks_it(text in "[0-9.xX*<>=~^v|+ a-]{0,30}", loose in any::<bool>()) {
        let options = NpmOptions { loose, include_prerelease: !loose };
        if let Some(range) = NpmRange::parse(&text, options) {
            let again = NpmRange::parse(&range.to_string(), options);
            prop_assert_eq!(again.map(|it| it.to_string()), Some(range.to_string()));
        }
    }
}
