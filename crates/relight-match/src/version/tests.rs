//! What holds for every order, and the traps of each scheme as tables.

use proptest::prelude::*;

use super::*;

fn judge(scheme: VersionScheme, line: &str) {
    let words: Vec<_> = line.split(' ').collect();
    let (a, b) = (words[0], words[2]);
    let wanted = if words[1] == "=" { Ordering::Equal } else { Ordering::Less };
    assert_eq!(compare(scheme, a, b), Some(wanted), "{line}");
    assert_eq!(compare(scheme, b, a), Some(wanted.reverse()), "{line}");
}

/// Lines that hold for the comparator and for the keys.
fn check(scheme: VersionScheme, lines: &[&str]) {
    for line in lines {
        judge(scheme, line);
        let words: Vec<_> = line.split(' ').collect();
        let (Key::Ordered(a), Key::Ordered(b)) = (key(scheme, words[0]), key(scheme, words[2]))
        else {
            panic!("{line}: no key")
        };
        let wanted = if words[1] == "=" { Ordering::Equal } else { Ordering::Less };
        assert_eq!(a.cmp(&b), wanted, "{line}");
    }
}

/// Lines that only the comparator knows.
fn check_pairs(scheme: VersionScheme, lines: &[&str]) {
    lines.iter().for_each(|line| judge(scheme, line));
}

fn refuses(scheme: VersionScheme, texts: &[&str]) {
    for text in texts {
        assert_eq!(key(scheme, text), Key::Unordered(NoOrder::Refused), "{text}");
    }
}

fn is_exact(scheme: VersionScheme, text: &str) -> bool {
    Version::parse(scheme, text).unwrap().is_exact()
}

fn is_of_release(scheme: VersionScheme, version: &str, bound: &str) -> bool {
    let read = |text| Version::parse(scheme, text).unwrap();
    read(version).is_of_release(&read(bound))
}

#[test]
fn maven() {
    check(
        VersionScheme::Maven,
        &[
            "1.0.0-beta10 < 1.0.0-beta.9",
            "1.0-alpha-1 < 1.0-beta-1",
            "1.0-a1 = 1.0-alpha-1",
            "1.0-b1 = 1.0-beta-1",
            "1.0-m2 = 1.0-milestone-2",
            "1.0-cr1 = 1.0-rc1",
            "1.0-rc1 < 1.0-SNAPSHOT",
            "1.0-SNAPSHOT < 1.0",
            "1.0 = 1.0.0-ga",
            "1.0.Final = 1",
            "1.0.RELEASE = 1.0",
            "1.0 < 1.0-sp",
            "1.0-sp < 1.0-other",
            "1.0-other < 1.0-1",
            "1.0-1 < 1.0.1",
            "2.0-beta9 < 2.0-rc1",
            "2.0-rc2 < 2.0",
            "20200101000000123456789 < 20200101000000123456790",
            "1.01 = 1.1",
            "1_1 < 1.1",
        ],
    );
    check_pairs(
        VersionScheme::Maven,
        &["1-ga-1 < 1-1", "1.2.48_noneautotype < 1.2.48.sec10", "3.7.0.rc.3 < 3.7.0"],
    );
}

#[test]
fn mavens_order_is_not_an_order() {
    for pair in ["1-rc", "1", "1.foo.2", "1-rc"].windows(2) {
        assert_eq!(compare(VersionScheme::Maven, pair[0], pair[1]), Some(Ordering::Less));
    }
    for text in ["1.foo.2", "3.7.0.rc.3", "3.5.0.Beta-1"] {
        assert_eq!(key(VersionScheme::Maven, text), Key::Pairwise, "{text}");
    }
    for text in ["1", "1-rc", "1.0.0.Final", "2.0-beta9", "2.17.1"] {
        assert!(matches!(key(VersionScheme::Maven, text), Key::Ordered(_)), "{text}");
    }
}

#[test]
fn pep440() {
    let scheme = VersionScheme::Pep440;
    check(
        scheme,
        &[
            "1.0.dev0 < 1.0a0",
            "1.0a1.dev1 < 1.0a1",
            "1.0a1 < 1.0a1.post1",
            "1.0a1 < 1.0b1",
            "1.0rc1 < 1.0",
            "1.0.post1.dev0 < 1.0.post1",
            "1.0 < 1.0.post1.dev0",
            "1.0 < 1.0.post1",
            "1.0 < 1.0+local",
            "1.0+local.a < 1.0+local.1",
            "1.0+a < 1.0+a.b",
            "1.0+1.2 = 1.0+1-2",
            "1.0 = 1.0.0",
            "v1.0 = 1.0",
            "1.0-1 = 1.0.post1",
            "1.0r2 = 1.0-post.2",
            "2.0 < 1!1.0",
            "0.9.pre = 0.9rc0",
            "1.0c1 = 1.0RC-1",
            "1.99999999999999999999 < 1.100000000000000000000",
        ],
    );
    // What PEP 440 refuses stands below everything, in the order of the tools of its time.
    check(
        scheme,
        &[
            "0.6m5 < 0.2rc0",
            "0.6m5 < 0.6m10",
            "0.1-bulbasaur < 0.1-charmander",
            "0.5pre-final < 0.5-x",
            "2013-01-23T17:11:52+0100 < 2013-02-01T20:50:46+0100",
            "trunk < 0",
        ],
    );
    assert!(!is_exact(scheme, "0.6m5") && is_exact(scheme, "0.6b5"));
    assert!(is_of_release(scheme, "2.1.0+cu118", "2.1.0"));
    assert!(is_of_release(scheme, "2.1+cu118", "2.1.0"));
    assert!(!is_of_release(scheme, "2.1.0+cu118", "2.1.0+cu117"));
    assert!(!is_of_release(scheme, "2.1.0", "2.1.0+cu117"));
    assert!(!is_of_release(scheme, "2.1.1", "2.1.0"));
    let canonical = |text| Version::parse(scheme, text).unwrap();
    let release = canonical("2.1.0+cu118").canonical_release();
    assert_eq!(release, Some(canonical("2.1").canonical()));
    assert_eq!(canonical("2.1").canonical_release(), None);
}

#[test]
fn npm_and_semver() {
    for scheme in [VersionScheme::Npm, VersionScheme::SemVer] {
        check(
            scheme,
            &[
                "1.0.0-alpha < 1.0.0-alpha.1",
                "1.0.0-alpha.1 < 1.0.0-alpha.beta",
                "1.0.0-beta.2 < 1.0.0-beta.11",
                "1.0.0-rc.1 < 1.0.0",
                "1.2.3-R2 < 1.2.3-r100",
                "1.2.3-4 < 1.2.3-4-foo",
                "=v1.2.3 = 1.2.3+build",
                "1.2.3beta = 1.2.3-beta",
                "1.2 = 1.2.0",
                "1.1.3.4.5 = 1.1.3",
                "9999999999999999999999.0.0 < 10000000000000000000000.0.0",
                "0.0.0-0 < 0.0.0",
            ],
        );
        refuses(scheme, &["x", "1.x", "1..2", "next", "1.2.3-ü", "git+ssh://host/a", "^1.2.3"]);
    }
    assert_eq!(compare(VersionScheme::Npm, "v 1.2.3", "= 1.2.3"), Some(Ordering::Equal));
    // Found by asking npm: a hyphen alone is a label.
    check(
        VersionScheme::Npm,
        &["1.2.3- < 1.2.3", "1.0.0- = 1.0.0--", "1.1.0-.l < 1.1.0a", "1.2.3-+0 < 1.2.3"],
    );
}

#[test]
fn go() {
    check(
        VersionScheme::Go,
        &[
            "v1.2.3 = 1.2.3",
            "v2.0.0+incompatible = 2.0.0",
            "go1.21rc2 = 1.21.0-rc.2",
            "go1.21rc2 < go1.21.0",
            "go1.20.3 < go1.20.10",
            "go1.18beta1 < go1.18rc1",
            "v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-abcdefabcdef",
            "v1.2.4-0.20200101000000-abcdefabcdef < v1.2.4",
            "v1.2.3 < v1.2.4-0.20200101000000-abcdefabcdef",
        ],
    );
    refuses(VersionScheme::Go, &["go", "v", "1.2.3-a_b", "master"]);
}

#[test]
fn nuget() {
    check(
        VersionScheme::NuGet,
        &[
            "1.0 = 1.0.0.0",
            "1.0.0-BETA = 1.0.0-beta+meta",
            "1.0.0-beta < 1.0.0-BETA2",
            "1.0.0-rc.2 < 1.0.0-RC.10",
            "1.0.0 < 1.0.0.1-alpha",
            "1.0.01 = 1.0.1",
        ],
    );
    refuses(VersionScheme::NuGet, &["1.0beta", "a.b", "1.0.0.0.0", "1..0"]);
}

#[test]
fn gem() {
    check(
        VersionScheme::Gem,
        &[
            "1.0.0.rc4.0 = 1.0.0.rc4",
            "1.0 = 1",
            "1-a = 1.pre.a",
            "1.0.a2 = 1.0.a.2",
            "1.a < 1",
            "1.0.a9 < 1.0.a10",
            "1.0.A < 1.0.a",
            "1.a.0.b < 1.a.0.0.b",
            "1.a.0.0.b < 1.a",
            "1.a < 1.a.0.0.2",
            "1.a.0.0.2 < 1.a.0.2",
            "1.a.0.2 < 1.a.1",
            "1.b < 1.0.0.1",
            "3.2 < 3.10",
        ],
    );
    refuses(VersionScheme::Gem, &["1.0.0-x86_64-linux", "a", "1..2", "1.0-", "1 2"]);
}

#[test]
fn composer() {
    let scheme = VersionScheme::Composer;
    check(
        scheme,
        &[
            "1.0-dev < 1.0a1",
            "1.0a1 < 1.0b1",
            "1.0b1 < 1.0RC1",
            "1.0RC1 = 1.0rc1",
            "1.0rc1 < 1.0",
            "1.0 < 1.0pl1",
            "v1.0 = V1.0",
            "1.25.0-beta2.1 = 1.25.0-b.2.1",
            "1.0.0 < 1.2-dev",
            "999999999999999999999999999991 < 999999999999999999999999999999",
        ],
    );
    check_pairs(
        scheme,
        &[
            "dev-foo < 1.26.0",
            "1.2.3.# = 1.2.3",
            "1.2.3.# = 1.2.3.1",
            "1.2.3 < 1.2.3.#.1",
            "1.2.3.#.beta < 1.2.3",
            "1.0 < 1.0.0",
            "1.0. < 1.0",
            // Found by asking PHP: what stands before the first number counts.
            ".1 < 1",
            "-RC = C",
            ".0 < RC",
        ],
    );
    for branch in ["dev-main", "DEV-main", "master", "trunk", "default"] {
        assert_eq!(key(scheme, branch), Key::Unordered(NoOrder::Branch), "{branch}");
    }
    for (text, exact) in [
        ("1.0", true),
        ("2.x-dev", true),
        ("20100102", true),
        ("1.0-stable", true),
        ("1.0.0@beta", true),
        ("1.0+build", true),
        // Found by asking Composer: a sign at the end means nothing.
        ("1.10.19-", true),
        ("5.1.", true),
        ("2.-dev", true),
        ("1.0--beta", false),
        ("1.5.1.dev100", false),
        ("3.1.0.post1", false),
        ("1.2.3.4.5", false),
    ] {
        assert_eq!(is_exact(scheme, text), exact, "{text}");
    }
}

/// Where Composer contradicts PHP's raw comparison, matching follows Composer.
#[test]
fn composer_is_not_php() {
    let scheme = VersionScheme::Composer;
    for (a, b, composer, php) in [
        ("v3.0", "v3.0.0-beta", Ordering::Greater, Ordering::Less),
        ("5.1.0-stable", "5.1.0-beta2", Ordering::Greater, Ordering::Less),
        ("1.0", "1.0.0", Ordering::Equal, Ordering::Less),
        ("1.0.0+b", "1.0.0+a", Ordering::Equal, Ordering::Less),
        ("2010-01-02", "2010.01.02", Ordering::Less, Ordering::Equal),
        ("2.x-dev", "2.5", Ordering::Greater, Ordering::Less),
    ] {
        let read = |text| Version::parse(scheme, text).unwrap();
        assert_eq!(read(a).compare(&read(b)), Some(composer), "{a} {b}");
        let raw = compare(scheme, a, b);
        assert!(raw == Some(php) || (a.contains('+') && raw == Some(php.reverse())), "{a} {b}");
    }
}

#[test]
fn deb() {
    let scheme = VersionScheme::Deb;
    check(
        scheme,
        &[
            "1.0~rc1 < 1.0",
            "1.0~~ < 1.0~",
            "1.0~ < 1.0",
            "1.0 < 1.0a",
            "1.0a < 1.0+",
            "1.0-1 < 1.0-1+deb12u1",
            "1.0-1~bpo12+1 < 1.0-1",
            "1.0 = 0:1.0-0",
            "1.0-00 = 1.0",
            "1.01 = 1.1",
            "a0 = a",
            "2.0-1 < 1:1.0-1",
            "1.2-3-4 < 1.2-3-10",
            "2.36-9+deb12u9 < 2.36-9+deb12u10",
            "1.99999999999999999999 < 1.100000000000000000000",
        ],
    );
    refuses(scheme, &["a:1.0", ":1.0", "1:", "-1", "1.0 1", "1.0/2", "é"]);
    assert!(is_of_release(scheme, "1.2-3", "1.2"));
    assert!(is_of_release(scheme, "1.2", "1.2-3"));
    assert!(!is_of_release(scheme, "1.2-4", "1.2-3"));
    assert!(!is_of_release(scheme, "1:1.2-3", "1.2"));
}

#[test]
fn rpm() {
    let scheme = VersionScheme::Rpm;
    check(
        scheme,
        &[
            "1.0~rc1 < 1.0",
            "1.0 < 1.0^git1",
            "1.0^git1 < 1.0.1",
            "1.0^git1~pre < 1.0^git1",
            "1.0a < 1.0aa",
            "xyz.4 < 2",
            "6.0 < 6.0.rc1",
            "2.0 = 2_0",
            "10.0001 = 10.1",
            "5.5p1 < 5.5p10",
            "1. = 1",
            "1.1.α = 1.1.β",
            "2.0-1 < 1:1.0-1",
            "01:2 = 1:2",
            "a:1 < b:1",
            "1 < 1-0",
            "1-1.ael7b < 1-1.el7",
            "1-2 < 1-123",
        ],
    );
    assert!(is_of_release(scheme, "1.0-5", "1.0"));
    assert!(is_of_release(scheme, "1.0", "1.0-5"));
    assert!(!is_of_release(scheme, "1.0-5", "1.0-6"));
}

#[test]
fn apk() {
    let scheme = VersionScheme::Apk;
    check(
        scheme,
        &[
            "1.2_alpha < 1.2_beta",
            "1.2_beta < 1.2_pre",
            "1.2_pre < 1.2_rc",
            "1.2_rc1 < 1.2",
            "1.2 < 1.2_cvs",
            "1.2_cvs < 1.2_svn",
            "1.2_svn2 < 1.2_git1",
            "1.2_git < 1.2_hg",
            "1.2_hg < 1.2_p1",
            "1.2_p1 < 1.2a",
            "1.2a < 1.2b",
            "1.2b < 1.2.0",
            "1.06 < 1.1",
            "1.0-r9 < 1.0-r10",
            "1.0 < 1.0-r0",
            "1.0_alpha < 1.0_alpha2",
            "1.0_p1_p2 < 1.0_p2",
            "1.0~abc < 1.0~abc-r1",
            "1.0~abc = 1.0~def",
            "6.6.2p1 < 6.6.2p2",
            "1-r1 = 1-r01",
        ],
    );
    // Malformed, as the walk of the tool judges them.
    check_pairs(
        scheme,
        &["1-r = 1-r0", "1-r-0 < 1-r0", "1-r0-1 = 1-r-2", "1-ruff < 1", "0.r1 < 0r2", "a < b"],
    );
    refuses(scheme, &["1-r", "1-ruff", "0..1", "a", ".1", "1.2_blah", "1.2A", "1.0bc", "1~"]);
    assert!(is_of_release(scheme, "1.2.3-r4", "1.2.3"));
    assert!(!is_of_release(scheme, "1.2.3_p1", "1.2.3"));
}

#[test]
fn pub_orders_builds() {
    let scheme = VersionScheme::Pub;
    check(
        scheme,
        &[
            "1.0.0-pre < 1.0.0-pre+build",
            "1.0.0-pre+build < 1.0.0",
            "1.0.0 < 1.0.0+build",
            "1.2.3+1 < 1.2.3+a",
            "1.2.3+a < 1.2.3+a1",
            "1.2.3+9 < 1.2.3+10",
        ],
    );
    assert!(is_of_release(scheme, "1.0.0+build", "1.0.0"));
    assert!(!is_of_release(scheme, "1.0.0", "1.0.0+build"));
}

#[test]
fn lists_of_numbers() {
    check(
        VersionScheme::Cran,
        &["0.01.0 = 0.1-0", "0.9 < 0.75", "1.0-2 < 1.0.3", "0.1.0 < 0.1.0.0"],
    );
    refuses(VersionScheme::Cran, &["1.0a", "1.", "-1", "1--2"]);
    check(VersionScheme::IntDot, &["1.0 < 1.0.0", "0.11.3.0 < 1.0.0.0", "9 < 10"]);
    refuses(
        VersionScheme::IntDot,
        &["1.0-1", "1.0a", ""].map(|it| if it.is_empty() { "." } else { it }),
    );
}

#[test]
fn generic_is_never_exact() {
    check(
        VersionScheme::Generic,
        &["1.0 < 1.1", "1.0rc1 < 1.0", "9 < 10", "v1 = 1", "1.0-a < 1.0-b"],
    );
    for text in ["1.0", "r5", "cci.20200101", "(2)"] {
        assert!(!is_exact(VersionScheme::Generic, text), "{text}");
    }
}

#[test]
fn what_names_no_place_is_not_compared() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let long = "1".repeat(VERSION_BYTES_MAX + 1);
    for (text, why) in [
        ("", NoOrder::Empty),
        (" ", NoOrder::Empty),
        ("unspecified", NoOrder::Placeholder),
        ("Latest", NoOrder::Placeholder),
        ("n/a", NoOrder::Placeholder),
        ("*", NoOrder::Placeholder),
        ("-", NoOrder::Placeholder),
        ("${x}", NoOrder::Placeholder),
        (hash, NoOrder::Commit),
        (&long, NoOrder::TooLong),
        ("dev-a", NoOrder::Branch),
        ("1\t0", NoOrder::Control),
    ] {
        for scheme in VersionScheme::ALL {
            assert_eq!(key(scheme, text), Key::Unordered(why), "{scheme:?} {text}");
            // PHP compares a branch with anything.
            if scheme != VersionScheme::Composer || why != NoOrder::Branch {
                assert_eq!(compare(scheme, text, "1"), None, "{scheme:?} {text}");
                assert_eq!(compare(scheme, "1", text), None, "{scheme:?} {text}");
            }
        }
    }
    let digits = "1".repeat(VERSION_BYTES_MAX);
    for scheme in VersionScheme::ALL {
        assert!(compare(scheme, &digits, "1").is_some(), "{scheme:?}");
    }
}

#[test]
fn every_ecosystem_has_a_scheme() {
    let used: Vec<_> = Ecosystem::all().map(|it| scheme_of(&it)).collect();
    for scheme in VersionScheme::ALL {
        assert!(used.contains(&scheme), "{scheme:?}");
    }
    for (name, scheme) in [
        ("Maven", VersionScheme::Maven),
        ("crates.io", VersionScheme::SemVer),
        ("Red Hat", VersionScheme::Rpm),
        ("Wolfi", VersionScheme::Apk),
        ("opam", VersionScheme::Deb),
        ("GHC", VersionScheme::IntDot),
        ("Unheard", VersionScheme::Generic),
    ] {
        assert_eq!(scheme_of(&Ecosystem::from_osv(name)), scheme);
    }
}

#[test]
fn a_scheme_is_found_by_every_name_that_people_use() {
    for scheme in VersionScheme::ALL {
        assert_eq!(VersionScheme::from_name(scheme.as_str()), Some(scheme));
    }
    for ecosystem in Ecosystem::all() {
        let found = VersionScheme::from_name(ecosystem.as_str());
        assert_eq!(found, Some(scheme_of(&ecosystem)), "{ecosystem:?}");
    }
    for (name, scheme) in [
        ("redhat-versions.txt", VersionScheme::Rpm),
        ("data/semantic/alpine-versions-generated.txt", VersionScheme::Apk),
        ("maven-3.9.9-truth.txt", VersionScheme::Maven),
        ("rubygems-versions", VersionScheme::Gem),
        ("semver-versions.txt", VersionScheme::SemVer),
        ("PACKAGIST", VersionScheme::Composer),
        ("AlmaLinux:8", VersionScheme::Rpm),
        ("Ubuntu:22.04:LTS", VersionScheme::Deb),
        ("crates.io", VersionScheme::SemVer),
        ("cargo", VersionScheme::SemVer),
        ("golang", VersionScheme::Go),
        ("rocky linux", VersionScheme::Rpm),
    ] {
        assert_eq!(VersionScheme::from_name(name), Some(scheme), "{name}");
    }
    for name in ["", "cobol", "version", ".txt", "github"] {
        assert_eq!(VersionScheme::from_name(name), None, "{name}");
    }
}

/// Text that looks like a version more often than not.
fn version() -> impl Strategy<Value = String> {
    let number = "0|00|1|2|10|007|99999999999999999999";
    let word = "a|b|rc|RC|beta|final|sp|foo|dev|post|pre|r|p|ga|é|α|#";
    let part = prop_oneof![number, word];
    let more = prop::collection::vec(("[.+_~^:-]?", part.clone()), 0..6);
    let likely = ("(1!|2:|v|go)?", part, more).prop_map(|(start, first, more)| {
        more.into_iter().fold(start + &first, |text, (sign, part)| text + &sign + &part)
    });
    prop_oneof![4 => likely, 1 => "\\PC{0,12}", 1 => "[0-2.]{1,7}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn laws_of_every_order(a in version(), b in version(), c in version()) {
        for scheme in VersionScheme::ALL {
            let read = |text: &str| Version::parse(scheme, text);
            let (Some(x), Some(y), Some(z)) = (read(&a), read(&b), read(&c)) else { continue };
            let order = x.compare(&y).unwrap();
            prop_assert_eq!(x.compare(&x), Some(Ordering::Equal));
            prop_assert_eq!(y.compare(&x), Some(order.reverse()));
            prop_assert_eq!(order.is_eq(), x.canonical() == y.canonical(), "{:?}", scheme);
            let is_keyed = [&x, &y, &z].iter().all(|it| it.sort_key().is_some());
            if is_keyed && order == y.compare(&z).unwrap() {
                prop_assert_eq!(x.compare(&z), Some(order), "{:?}", scheme);
            }
        }
    }

    #[test]
    fn the_comparator_is_its_own_reverse(a in version(), b in version()) {
        for scheme in VersionScheme::ALL {
            let order = compare(scheme, &a, &b);
            prop_assert_eq!(compare(scheme, &b, &a), order.map(Ordering::reverse), "{:?}", scheme);
        }
    }

    /// Maven's keys are not made by its comparator, nor Alpine's by the walk of the tool.
    #[test]
    fn keys_say_what_the_comparator_says(a in version(), b in version()) {
        for scheme in VersionScheme::ALL {
            let (Key::Ordered(x), Key::Ordered(y)) = (key(scheme, &a), key(scheme, &b)) else {
                continue;
            };
            let order = match scheme {
                // PHP's raw order is another one, see `composer_is_not_php`.
                VersionScheme::Composer => continue,
                VersionScheme::Maven => {
                    maven::Version::parse(a.trim()).compare(&maven::Version::parse(b.trim()))
                }
                _ => compare(scheme, &a, &b).unwrap(),
            };
            prop_assert_eq!(x.cmp(&y), order, "{:?}", scheme);
            let bound = 8 * a.len() + 32;
            prop_assert!(x.bytes().len() <= bound, "{:?} {}", scheme, x.bytes().len());
        }
    }
}
