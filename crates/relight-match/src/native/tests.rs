//! Ranges as tools and databases write them, and the way back.

use proptest::prelude::*;
use relight_model::RangeStatus;

use super::*;

/// Range, versions inside, versions outside.
type Case = (&'static str, &'static str, &'static str);

fn check(ecosystem: &str, cases: &[Case]) {
    let ecosystem = Ecosystem::from_osv(ecosystem);
    for (text, inside, outside) in cases {
        let set = parse_range(&ecosystem, text).unwrap_or_else(|| panic!("{ecosystem:?} {text}"));
        let holds =
            |version: &str| set.contains(&Version::parse(scheme_of(&ecosystem), version).unwrap());
        for version in inside.split(' ').filter(|it| !it.is_empty()) {
            assert!(holds(version), "{ecosystem:?} {text} has {version}: {set}");
        }
        for version in outside.split(' ').filter(|it| !it.is_empty()) {
            assert!(!holds(version), "{ecosystem:?} {text} has no {version}: {set}");
        }
        let Some(printed) = print_range(&ecosystem, &set) else { continue };
        assert_eq!(parse_range(&ecosystem, &printed), Some(set), "{text} as {printed}");
    }
}

#[test]
fn maven_and_nuget() {
    check(
        "Maven",
        &[
            ("[1.0,2.0)", "1.0 1.9 2.0-rc1", "0.9 2.0 1.0-rc1"),
            ("(,1.0],[1.2,)", "0.1 1.0 1.2 9", "1.1"),
            ("(2.6.0,2.6.1]", "2.6.1", "2.6.0 2.6.2"),
            ("[1.5]", "1.5 1.5.0", "1.4 1.6"),
            ("1.5", "1.5.0", "1.6"),
            ("[2.0,2.3.1]||[2.4.0,2.12.2)", "2.3.1 2.4", "2.3.2 2.12.2"),
            ("(,)", "0 9", ""),
        ],
    );
    check(
        "NuGet",
        &[
            ("[1.0,2.0)", "1.0.0.0 1.9", "2.0 0.9"),
            ("1.0", "1.0 9.0", "0.9"),
            ("(1.0,)", "1.0.1", "1.0"),
            (">=1.0 <2.0", "1.5", "2.0"),
        ],
    );
}

#[test]
fn npm_and_cargo() {
    check(
        "npm",
        &[
            ("^1.2.3 || ~0.4.1", "1.9.0 0.4.9", "2.0.0 0.5.0 1.2.2"),
            (">=1.0.0,<2.0.0", "1.5.0 2.0.0-rc.1", "2.0.0"),
            ("1.x", "1.0.0-a 1.9.9", "2.0.0-a 0.9.0"),
            ("1.2 - 2.3", "1.2.0 2.3.9", "2.4.0"),
            ("*", "0.0.0-0 9.9.9", ""),
        ],
    );
    check(
        "crates.io",
        &[
            ("1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
            (">= 0.7, < 0.8.5", "0.7.0 0.8.4", "0.8.5 0.6.9"),
            ("=1.2.3", "1.2.3+build", "1.2.4"),
            ("1.*", "1.5.0", "2.0.0"),
            ("> 0.7.19", "0.7.20", "0.7.19"),
        ],
    );
    check("Go", &[(">=1.2.0 <1.3.0 || v2.0.0", "v1.2.9 2.0.0", "1.3.0 v2.0.1")]);
}

#[test]
fn composer() {
    check(
        "Packagist",
        &[
            ("^1.2", "1.2.0 1.2.0-beta1 1.9", "2.0.0 2.0.0-dev 1.1"),
            ("^0.3.1", "0.3.9", "0.4.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("~1.2", "1.2 1.9", "2.0"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("1.2.*", "1.2.0-dev 1.2.9", "1.3.0 1.3-dev"),
            ("!=1.2.*", "1.1 1.3", "1.2.5"),
            ("1.0 - 2.0", "1.0 2.0.9", "2.1"),
            ("1.0.0 - 2.1.0", "2.1.0", "2.1.1"),
            (">=1.0,<1.2.3", "1.0-beta1 1.2.3-beta1", "1.2.3"),
            (">=1.0 <1.1 || >=1.2 | 0.1", "1.0.5 1.2 0.1.0", "1.1"),
            ("5.2.18||5.2.19", "5.2.18 v5.2.19", "5.2.20"),
            (">=1.0@beta", "1.0-RC1", "0.9"),
        ],
    );
}

#[test]
fn gem_and_hex() {
    check(
        "RubyGems",
        &[
            ("~> 1.2.3", "1.2.3 1.2.99", "1.3 1.3.a 1.2.2"),
            ("~> 1.2", "1.2 1.9", "2.0 2.0.rc1"),
            (">= 1.2, < 2.0", "1.2 2.0.a", "2.0"),
            ("1.0.2", "1.0.2.0", "1.0.3"),
            ("!= 1.5", "1.4", "1.5.0"),
            ("< 1.0 || >= 2.0, < 2.1", "0.9 2.0.5", "1.5 2.1"),
        ],
    );
    check("Hex", &[("~> 2.1 and != 2.2.0 or 1.0.0", "2.1.0 2.9.0 1.0.0", "2.2.0 3.0.0")]);
}

#[test]
fn python() {
    check(
        "PyPI",
        &[
            ("~=1.4.2", "1.4.2 1.4.9", "1.5 1.5.dev1 1.4.1"),
            ("==1.4.*", "1.4.dev0 1.4 1.4.9", "1.5a1 1.3"),
            ("!=1.4.*", "1.3 1.5", "1.4.2"),
            (">=1.0,<2.0,!=1.5", "1.0 2.0rc1", "1.5 2.0"),
            ("==2.1.0", "2.1 2.1.0+cu118", "2.1.1"),
            ("==1!2.*", "1!2.5", "2.5"),
            ("<1.0||==1.5", "0.9 1.5", "1.0"),
        ],
    );
}

#[test]
fn distributions_are_pure_order() {
    check("Debian", &[("< 1.2-3", "1.2-2 0:1.0", "1.2-3 1:0")]);
    check("Alpine", &[(">=1.2 <1.2.3-r1", "1.2 1.2.3-r0", "1.2.3-r1")]);
    check("AlmaLinux", &[("<=1.2", "1.2-9", "1.3-1")]);
}

#[test]
fn what_is_no_range_is_unresolved() {
    for (ecosystem, texts) in [
        ("Maven", &["", "[1.0", "[1.0,2.0", "(1.0)", "[latest]", "1.0]"][..]),
        ("npm", &["", "blerg", "${x}"]),
        ("PyPI", &["~=1", "^1.0", ">=", "==*.1", ">=dev-x"]),
        ("RubyGems", &["~> x", "=> ", "^1.0", ">= 1.0 <"]),
        ("Packagist", &["dev-master", "^x", "~", "^99999999999999999999"]),
        ("Debian", &["~ 1.0", "1.0 <", "< a:1"]),
    ] {
        for text in texts {
            assert_eq!(parse_range(&Ecosystem::from_osv(ecosystem), text), None, "{text}");
        }
    }
    let long = format!(">={}", "1".repeat(NATIVE_RANGE_BYTES_MAX));
    assert_eq!(parse_range(&Ecosystem::Npm, &long), None);
    assert_eq!(parse_vers(&Ecosystem::Npm, &format!("vers:npm/{long}")), None);
}

#[test]
fn version_range_specifiers() {
    let npm = |text: &str| parse_vers(&Ecosystem::Npm, text).map(|set| set.to_string());
    for (text, canonical) in [
        ("vers:npm/1.2.3|>=2.0.0|<5.0.0", "vers:npm/1.2.3|>=2.0.0|<5.0.0"),
        ("vers:npm/<1.0.0|>=2.0.0", "vers:npm/<1.0.0|>=2.0.0"),
        ("vers:npm/>=1.0.0|!=1.5.0|<2.0.0", "vers:npm/>=1.0.0|!=1.5.0|<2.0.0"),
        ("vers:npm/!=1.5.0", "vers:npm/!=1.5.0"),
        ("vers:npm/*", "vers:npm/*"),
        ("vers:all/*", "vers:npm/*"),
        ("vers:none/*", "vers:none/*"),
        ("vers:npm/1.0.0%2Bbuild", "vers:npm/1.0.0+build"),
        ("vers:npm/ >=1.0.0 | <2.0.0 ", "vers:npm/>=1.0.0|<2.0.0"),
    ] {
        assert_eq!(npm(text).as_deref(), Some(canonical), "{text}");
    }
    for text in [
        "vers:cobol/1.0",
        "vers:npm",
        "vers:npm/",
        "vers:npm/latest",
        "vers:npm/1.0%zz",
        "vers:all/1.0",
        "vers:pypi/1.0",
        "npm/1.0",
    ] {
        assert_eq!(npm(text), None, "{text}");
    }
    let many = vec!["1.0.0"; vers::CONSTRAINTS_MAX + 1].join("|");
    assert_eq!(vers::parse(VersionScheme::Npm, &format!("vers:npm/{many}")), None);
    let debian = parse_vers(&Ecosystem::Debian, "vers:deb/<1.2-3").unwrap();
    assert!(debian.contains(&Version::parse(VersionScheme::Deb, "1.2-2").unwrap()));
}

#[test]
fn a_statement_may_name_a_range() {
    let purl = |text: &str| Purl::parse(text).unwrap();
    let equal: fn(&str, &Purl) -> bool = |text, found| found.version == text;
    assert!(holds("1.0", &purl("pkg:npm/a@1.0"), equal));
    assert!(holds("vers:npm/>=1.0|<2.0", &purl("pkg:npm/a@1.5.0"), equal));
    assert!(!holds("vers:npm/>=1.0|<2.0", &purl("pkg:npm/a@2.0.0"), equal));
    assert!(!holds("vers:npm/>=1.0|<2.0", &purl("pkg:npm/a"), equal));
    assert!(!holds("vers:pypi/>=1.0", &purl("pkg:npm/a@1.5.0"), equal));
}

#[test]
fn intervals_for_the_matcher() {
    let range = |text: &str, grammar| NativeRange {
        text: text.to_owned(),
        grammar,
        status: RangeStatus::Affected,
    };
    let all = intervals(&Ecosystem::Maven, &range("[1,2),(3,4]", Grammar::Ecosystem)).unwrap();
    let shown: Vec<_> = all.iter().map(|it| (it.lo.version(), it.hi.version())).collect();
    assert_eq!(shown, [(Some("1"), Some("2")), (Some("3"), Some("4"))]);
    assert!(all.iter().all(|it| it.status == RangeStatus::Affected));
    let vers = intervals(&Ecosystem::Npm, &range("vers:npm/<1.0.0", Grammar::Vers)).unwrap();
    assert_eq!((vers.len(), vers[0].hi.version()), (1, Some("1.0.0")));
    assert_eq!(intervals(&Ecosystem::Npm, &range("latest", Grammar::Ecosystem)), None);
}

#[test]
fn what_a_grammar_cannot_leave_out_is_two_ranges() {
    for (name, text) in [
        ("npm", "<3.1.3 || >3.1.3"),
        ("crates.io", "<3.1.3 || >3.1.3"),
        ("PyPI", "!=3.1.3"),
        ("Debian", "!=3.1.3"),
    ] {
        let ecosystem = Ecosystem::from_osv(name);
        let set = VersionSet::of(scheme_of(&ecosystem), Relation::Except, "3.1.3").unwrap();
        assert_eq!(print_range(&ecosystem, &set).as_deref(), Some(text), "{name}");
        assert_eq!(parse_range(&ecosystem, text), Some(set), "{name}");
    }
}

const NAMES: [&str; 9] =
    ["Maven", "NuGet", "npm", "crates.io", "Packagist", "PyPI", "RubyGems", "Go", "Debian"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn printed_and_read_again_it_is_the_same(
        parts in prop::collection::vec(("(<|<=|=|>=|>)", "[0-3]\\.[0-3]\\.[0-3]"), 1..6),
    ) {
        for name in NAMES {
            let ecosystem = Ecosystem::from_osv(name);
            let scheme = scheme_of(&ecosystem);
            let mut set = VersionSet::none(scheme);
            for (sign, version) in &parts {
                let one = VersionSet::of(scheme, relation_of(sign).unwrap(), version).unwrap();
                set = set.complement().intersection(&one.complement()).complement();
            }
            let printed = print_range(&ecosystem, &set).unwrap();
            prop_assert_eq!(parse_range(&ecosystem, &printed), Some(set), "{}", printed);
        }
    }

    #[test]
    fn no_text_breaks_it(text in "[0-9a-z.,|<>=!~^*\\[\\]() %-]{0,40}") {
        for name in NAMES {
            let ecosystem = Ecosystem::from_osv(name);
            let _ = (parse_range(&ecosystem, &text), parse_vers(&ecosystem, &text));
        }
    }
}
