//! What a record says nothing of, or says in words of its own, is never clear for that.

use relight_match::{Advisories, Change, Matcher, Policy, Question, spoken as spoken_by};
use relight_model::{Advisory, Affected, FindingState, RangeKind};

use super::failures::said;
use super::{advisory, affected, component, matches, range};

/// What each purl is told by one flaw, by every path: judged alone, looked up, and matched.
fn told(records: Vec<Advisory>, rows: &[(&str, &str)]) {
    let advisories = Advisories::new(records);
    for &(purl, wanted) in rows {
        assert_eq!(said(&advisories, "CVE-1", purl), wanted, "{purl}");
        let is_clear = wanted == "not-affected";
        assert_eq!(matches(&advisories, &component(purl)).is_empty(), is_clear, "{purl}");
        let mut matcher = Matcher::new(advisories.clone());
        matcher.add([(0, component(purl))]);
        let listed: Vec<_> = matcher.matches("CVE-1").iter().map(|it| it.stand.as_str()).collect();
        let known = ["affected", "not-affected"].into_iter().find(|it| *it == wanted);
        let short = known.unwrap_or("unknown");
        assert_eq!(listed.first().copied().unwrap_or("not-affected"), short, "{purl}");
        assert!(matcher.rematch(), "{purl}: a full match says something else");
    }
}

fn one(entry: Affected) -> Vec<Advisory> {
    vec![advisory("CVE-1", vec![entry])]
}

/// Trackers name `linux`; what Debian installs was built from `linux-signed-amd64`.
#[test]
fn signed_copies_are_what_was_signed() {
    let image = |version: &str| {
        format!(
            "pkg:deb/debian/linux-image-6.1.0-13-amd64@{version}?distro=debian-12.5\
             &upstream=linux-signed-amd64%406.1.55%2B1"
        )
    };
    told(
        one(affected("Debian:12", "linux", &["i0 f6.1.64-1"])),
        &[(&image("6.1.55-1"), "affected"), (&image("6.1.64-1"), "not-affected")],
    );
    let grub = "pkg:deb/debian/grub-efi-amd64-signed@1%2B2.06%2B13%2Bdeb12u";
    told(
        one(affected("Debian:12", "grub2", &["i0 f2.06-13+deb12u2"])),
        &[
            (&format!("{grub}1?distro=debian-12"), "affected"),
            (&format!("{grub}2?distro=debian-12"), "not-affected"),
        ],
    );
}

/// Whatever a manager installs about which nobody publishes records has somebody else's name, or
/// nobody's.
#[test]
fn what_nobody_publishes_about_is_possible() {
    let openssl = one(affected("npm", "openssl", &["i0 f3.0.11"]));
    for kind in [
        "alpm/arch",
        "ebuild/dev-libs",
        "nix",
        "brew",
        "opkg",
        "conda",
        "vcpkg",
        "cocoapods",
        "snap",
        "flatpak",
        "cpan/FOO",
        "luarocks",
        "pear",
        "generic",
    ] {
        let purl = format!("pkg:{kind}/openssl@3.0.8");
        told(openssl.clone(), &[(&purl, "name-only")]);
    }
    // A record in an ecosystem that is not known reaches whoever may mean it.
    told(one(affected("CPAN", "Foo-Bar", &["i0"])), &[("pkg:cpan/FOO/Foo-Bar@1.0", "name-only")]);
    told(one(affected("NewLinux:1", "log", &["i0"])), &[("pkg:deb/new/log@1-1", "name-only")]);
    told(
        one(affected("NewLinux:1", "log", &["i0"])),
        &[("pkg:deb/debian/log@1-1", "not-affected")],
    );
}

#[test]
fn what_looks_like_a_pre_release_and_is_none() {
    told(
        one(affected("Bitnami", "wordpress", &["i6.2.0 f6.2.1"])),
        &[
            ("pkg:bitnami/wordpress@6.2.0-1", "affected"),
            ("pkg:bitnami/wordpress@6.2.0-debian-12-r4", "affected"),
            ("pkg:bitnami/wordpress@6.2.1-1", "not-affected"),
            ("pkg:bitnami/wordpress@6.2.1", "not-affected"),
            ("pkg:bitnami/wordpress@6.2.1-rc.1", "affected"),
        ],
    );
    told(
        one(affected("Bitnami", "wordpress", &["i0 l6.2.0"])),
        &[("pkg:bitnami/wordpress@6.2.0-7", "affected")],
    );
    told(
        one(affected("RubyGems", "nokogiri", &["i1.13.8 f1.13.10"])),
        &[
            ("pkg:gem/nokogiri@1.13.8-java", "affected"),
            ("pkg:gem/nokogiri@1.13.8-arm64-darwin", "affected"),
            ("pkg:gem/nokogiri@1.13.8-x86_64-linux", "affected"),
            ("pkg:gem/nokogiri@1.13.8-x64-mingw-ucrt", "affected"),
            ("pkg:gem/nokogiri@1.13.10-java", "not-affected"),
            ("pkg:gem/nokogiri@1.13.10-x86_64-linux-musl", "not-affected"),
            ("pkg:gem/nokogiri@1.13.8-rc1", "not-affected"),
        ],
    );
    told(
        one(affected("Julia", "OpenSSL_jll", &["i0 f3.0.15+2"])),
        &[
            ("pkg:julia/OpenSSL_jll@3.0.15%2B1", "affected"),
            ("pkg:julia/OpenSSL_jll@3.0.15%2B2", "not-affected"),
        ],
    );
    told(
        one(affected("Packagist", "acme/lib", &["i2.0.0 f2.5.3"])),
        &[
            ("pkg:composer/acme/lib@2.x-dev", "version-unordered"),
            ("pkg:composer/acme/lib@2.5.x-dev", "version-unordered"),
            ("pkg:composer/acme/lib@2.5.3", "not-affected"),
        ],
    );
}

/// Validated packages of Ubuntu and those that Oracle patches while they run have versions, and
/// errata, of their own.
#[test]
fn builds_that_are_numbered_for_themselves() {
    let host = |version: &str| format!("pkg:deb/ubuntu/openssl@{version}?distro=ubuntu-18.04");
    let base = affected("Ubuntu:18.04:LTS", "openssl", &["i0 f1.1.1-1ubuntu2.1~18.04.22"]);
    let fips = "Ubuntu:Pro:FIPS-updates:18.04:LTS";
    let fips = affected(fips, "openssl", &["i0 f1.1.1-1ubuntu2.fips.2.1~18.04.23.2"]);
    let patched = host("1.1.1-1ubuntu2.1~18.04.23");
    let (old, validated) =
        (host("1.1.1-1ubuntu2.1~18.04.15"), host("1.1.1-1ubuntu2.fips.2.1~18.04.15"));
    told(
        vec![advisory("CVE-1", vec![base.clone(), fips.clone()])],
        &[(&patched, "not-affected"), (&old, "affected"), (&validated, "affected")],
    );
    told(one(base), &[(&validated, "stream-unknown"), (&patched, "not-affected")]);
    told(one(fips), &[(&validated, "affected"), (&patched, "stream-unknown")]);
    let kernel = affected("Ubuntu:Pro:FIPS:18.04:LTS", "linux-fips", &["i0 f4.15.0-1120.131"]);
    told(
        one(kernel),
        &[("pkg:deb/ubuntu/linux-fips@4.15.0-1000.1?distro=ubuntu-18.04", "affected")],
    );
    let pro = affected("Ubuntu:Pro:18.04:LTS", "openssl", &["i0 f1.1.1-1ubuntu2.1~18.04.22"]);
    told(one(pro), &[(&old, "affected"), (&patched, "not-affected")]);
    let glibc = |version: &str| format!("pkg:rpm/oracle/glibc@{version}&distro=ol-8.9");
    let plain = affected("Oracle Linux:8", "glibc", &["i0 f2.28-236.el8_9.12"]);
    let live = affected("Oracle Linux:8", "glibc", &["i0 f2:2.28-236.ksplice1.el8_9.12"]);
    let (ours, theirs) =
        (glibc("2.28-236.el8_9.12?epoch=0"), glibc("2.28-200.ksplice1.el8?epoch=2"));
    told(one(plain.clone()), &[(&ours, "not-affected"), (&theirs, "stream-unknown")]);
    told(one(live.clone()), &[(&ours, "stream-unknown"), (&theirs, "affected")]);
    let both = vec![
        advisory("CVE-1", vec![plain]),
        Advisory { aliases: vec!["CVE-1".into()], ..advisory("ELSA-1", vec![live]) },
    ];
    told(both, &[(&ours, "not-affected"), (&theirs, "affected")]);
}

/// Half of a range, whatever stands beside it.
#[test]
fn half_a_range_leaves_all_versions_open() {
    let npm = |entry: Affected, version: &str, wanted: &str| {
        told(one(entry), &[(&format!("pkg:npm/half@{version}"), wanted)]);
    };
    let two = affected("npm", "half", &["f2.0.0", "i3.0.0 f4.0.0"]);
    npm(two.clone(), "1.0.0", "no-range");
    npm(two, "3.5.0", "affected");
    let list = Affected { versions: vec!["1.5.0".into()], ..affected("npm", "half", &["f2.0.0"]) };
    npm(list.clone(), "1.0.0", "no-range");
    npm(list, "1.5.0", "affected");
    let ignored = affected("npm", "half", &["l2.0.0 i3.0.0"]);
    npm(ignored.clone(), "2.0.0", "affected");
    npm(ignored, "1.0.0", "not-affected");
    // Custom ranges replace the others: half of one of those says nothing.
    let custom = Affected {
        ranges: vec![range(RangeKind::Ecosystem, "f2.0.0"), range(RangeKind::Custom, "i0 f2.0.0")],
        ..affected("Go", "example.org/m", &[])
    };
    told(one(custom), &[("pkg:golang/example.org/m@2.1.0", "not-affected")]);
}

/// Names that tools write for what records call otherwise.
#[test]
fn one_package_under_several_names() {
    for (ecosystem, name, events, rows) in [
        (
            "Go",
            "stdlib",
            "i0 f1.20.4",
            [("golang/std@go1.20.3", true), ("golang/std@1.20.4", false)],
        ),
        (
            "Go",
            "github.com/labstack/echo/v4",
            "i0 f4.9.1",
            [
                ("golang/github.com/labstack/echo@v4.9.0#v4", true),
                ("golang/github.com/labstack/echo@v4.9.1#v4", false),
            ],
        ),
        (
            "GitHub Actions",
            "github/codeql-action",
            "i3.0.0 f3.28.3",
            [
                ("githubactions/github/codeql-action/init@3.28.2", true),
                ("githubactions/github/codeql-action/init@3.28.3", false),
            ],
        ),
        (
            "SwiftURL",
            "https://github.com/apple/swift-nio.git",
            "i0 f2.0.0",
            [
                ("swift/github.com/Apple/swift-nio@1.0.0", true),
                ("swift/github.com/apple/swift-nio@2.0.0", false),
            ],
        ),
        (
            "PyPI",
            "uvicorn",
            "i0 f0.11.7",
            [("pypi/uvicorn%5Bstandard%5D@0.11.0", true), ("pypi/uvicorn@0.11.7", false)],
        ),
    ] {
        for (purl, is_affected) in rows {
            let wanted = if is_affected { "affected" } else { "not-affected" };
            let record = one(affected(ecosystem, name, &[events]));
            told(record, &[(&format!("pkg:{purl}"), wanted)]);
        }
    }
}

/// Goal: silence counts only where somebody speaks of the release. Method: hosts and one
/// record about one of them; then a record of another package in the second release; then it goes.
#[test]
fn silence_about_a_release_of_which_nobody_speaks() {
    let of_alpine = |id: &str, release: &str, name: &str, events: &str| Advisory {
        source: "alpine".into(),
        ..advisory(id, vec![affected(release, name, &[events])])
    };
    let fixed = of_alpine("CVE-1", "Alpine:v3.20", "openssl", "i0 f3.3.2-r1");
    let hosts = [
        "pkg:apk/alpine/libssl3@3.3.1-r0?distro=alpine-3.20.1&upstream=openssl",
        "pkg:apk/alpine/libssl3@3.3.1-r0?distro=alpine-3.18.1&upstream=openssl",
        "pkg:rpm/amzn/openssl@3.0.8-1?distro=amzn-2023",
        "pkg:deb/ubuntu/openssl@3.0.2-0?distro=ubuntu-22.04",
        "pkg:rpm/centos/openssl@1.0.2k-19?distro=centos-7",
        "pkg:apk/alpine/musl@1.2.4-r0?distro=alpine-3.18.1",
        "pkg:npm/openssl@1.0.0",
        "pkg:rpm/amzn/openssl-libs@3.0.8-1?distro=amzn-2023&upstream=openssl-3.0.8-1.src.rpm",
    ];
    let question = Question::parse("CVE-1").unwrap();
    let states = |known: &Advisories| {
        let judged = hosts.iter().map(|it| question.judge_component(known, &component(it)));
        judged.map(|it| it.map_or("clear", |it| it.state.as_str())).collect::<Vec<_>>()
    };
    let mut known = Advisories::new(vec![fixed.clone()]);
    let possible = FindingState::PossibleMatch.as_str();
    let alone = ["affected", possible, possible, possible, possible, "clear", "clear", possible];
    assert_eq!(states(&known), alone);
    let musl = of_alpine("CVE-2", "Alpine:v3.18", "musl", "i0 f1.2.4-r1");
    known.apply(vec![Change::put(musl.clone())]);
    let spoken = ["affected", "clear", possible, possible, possible, "clear", "clear", possible];
    assert_eq!(states(&known), spoken);
    assert_eq!(states(&Advisories::new(vec![fixed.clone(), musl.clone()])), spoken);
    known.apply(vec![Change::remove("alpine", "CVE-2")]);
    assert_eq!(states(&known), alone);
    // Our own word is about one flaw, and says nothing of a release.
    let own = Advisory { id: "RLT-1".into(), ..musl.clone() };
    let others = Advisory { source: "osv".into(), ..musl.clone() };
    for foreign in [own, others] {
        known.apply(vec![Change::put(foreign)]);
        assert_eq!(states(&known), alone);
    }
    let withdrawn = Advisory { withdrawn: Some(1), ..musl.clone() };
    known.apply(vec![Change::put(withdrawn)]);
    assert_eq!(states(&known), alone);
    // Who reads some advisories is told of which releases the others speak.
    let among = spoken_by(&musl, &Policy::default());
    assert_eq!(states(&Advisories::new(vec![fixed]).among(among)), spoken);
    let missing = known.unspoken(&component(hosts[1])).unwrap();
    assert_eq!((missing.ecosystem.as_str(), missing.release.as_deref()), ("Alpine", Some("v3.18")));
}

/// Goal: whoever calls himself the distribution in a document of CSAF makes no silence an answer.
/// Method: Debian's word about one package, a document about another of the host's release, asked
/// with and without trust in its issuer, taken in at once and later, and of the others' releases.
#[test]
fn a_document_of_somebody_unknown_speaks_of_no_release() {
    let debian = Advisory {
        source: "debian".into(),
        ..advisory("CVE-1", vec![affected("Debian:12", "openssl", &["i0 f3.0.11"])])
    };
    let document = Advisory {
        source: "csaf/https://www.redhat.com".into(),
        assigner: "Red Hat".into(),
        ..advisory("RHSA-1", vec![affected("Red Hat:9", "bash", &["i0 f5.1"])])
    };
    let host = component("pkg:rpm/redhat/openssl@3.0.7-1?distro=rhel-9.4");
    let state = |known: &Advisories| {
        let judged = Question::parse("CVE-1").unwrap().judge_component(known, &host);
        judged.map_or("clear", |it| it.state.as_str())
    };
    for (trusted, wanted) in [("Somebody", "possible-match"), ("Red Hat", "clear")] {
        let policy = Policy { trusted: [trusted.to_owned()].into(), ..Policy::default() };
        let both = vec![debian.clone(), document.clone()];
        assert_eq!(state(&Advisories::with_policy(both, policy.clone())), wanted, "{trusted}");
        let mut later = Advisories::with_policy(vec![debian.clone()], policy.clone());
        assert_eq!(state(&later), "possible-match", "{trusted}");
        later.apply(vec![Change::put(document.clone())]);
        assert_eq!(state(&later), wanted, "{trusted}");
        later.apply(vec![Change::remove(&document.source, "RHSA-1")]);
        assert_eq!(state(&later), "possible-match", "{trusted}");
        let among = spoken_by(&document, &policy);
        let some = Advisories::with_policy(vec![debian.clone()], policy).among(among);
        assert_eq!(state(&some), wanted, "{trusted}");
    }
}

/// GitHub's ids are the same in any case.
#[test]
fn an_id_in_capitals_joins() {
    let aliases = |ids: &[&str]| ids.iter().map(|it| (*it).to_owned()).collect();
    let python = Advisory {
        aliases: aliases(&["ghsa-CCCC-0001-0001"]),
        ..advisory("PYSEC-2026-1", vec![affected("PyPI", "foo", &["i0 f2.0"])])
    };
    let github = Advisory {
        aliases: aliases(&["CVE-1"]),
        ..advisory("GHSA-cccc-0001-0001", vec![affected("npm", "foojs", &["i0 f2.0"])])
    };
    told(vec![python, github], &[("pkg:pypi/foo@1.0", "affected")]);
}
