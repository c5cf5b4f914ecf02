//! Verdicts over a fixed corpus, as one digest beside the revision of the matcher: evidence of
//! before is believed only as long as the revision is the same.

use relight_match::{Advisories, MATCHER_REVISION, Policy};
use relight_model::{
    Advisory, Basis, Component, FindingState, Purl, Scope, Stance, VexProduct, VexStatement,
    VexStatus, Why,
};
use sha2::{Digest as _, Sha256};

use super::{advisory, affected};

/// The revision, and what it says of the corpus. Whoever changes a verdict raises the revision in
/// `lib.rs` and writes here what the failed test says.
const TOLD: (u32, &str) = (23, "63ed8b3a606afaf2af051b170185528478067c26d0d2f74be11f744cfd0037c2");

/// Ecosystems as records name them, with the beginning of a purl and what stands behind it.
const PACKAGES: [(&str, &str, &str); 15] = [
    ("Maven", "pkg:maven/org.example/lib", ""),
    ("npm", "pkg:npm/lib", ""),
    ("PyPI", "pkg:pypi/Lib", ""),
    ("crates.io", "pkg:cargo/lib", ""),
    ("Go", "pkg:golang/example.org/lib", ""),
    ("NuGet", "pkg:nuget/Lib", ""),
    ("RubyGems", "pkg:gem/lib", ""),
    ("Packagist", "pkg:composer/example/lib", ""),
    ("Hex", "pkg:hex/lib", ""),
    ("Pub", "pkg:pub/lib", ""),
    ("Debian:12", "pkg:deb/debian/lib", "?distro=debian-12"),
    ("Ubuntu:22.04", "pkg:deb/ubuntu/lib", "?distro=ubuntu-22.04"),
    ("AlmaLinux:9", "pkg:rpm/almalinux/lib", "?distro=almalinux-9"),
    ("Alpine:v3.20", "pkg:apk/alpine/lib", "?distro=alpine-3.20.1"),
    ("Maven", "pkg:generic/lib", ""),
];

/// Packages of which no record of their own speaks: built from another one, of a module, of a
/// distribution without records, in other letters, or known by a name alone.
const BESIDE: [(&str, &str); 7] = [
    ("pkg:rpm/almalinux/lib-libs", "?distro=almalinux-9&upstream=lib-1.0.0-1.src.rpm"),
    ("pkg:rpm/almalinux/lib", "?distro=almalinux-9&rpmmod=lib:1"),
    ("pkg:rpm/centos/lib", "?distro=centos-9"),
    ("pkg:rpm/fedora/lib", "?distro=fedora-40"),
    ("pkg:deb/kali/lib", "?distro=kali-2024.1"),
    ("pkg:golang/example.org/Lib", ""),
    ("pkg:generic/org.example/lib", ""),
];

const VERSIONS: [&str; 34] = [
    "",
    "0",
    "0.9",
    "1",
    "1.0",
    "1.0.0",
    "1.0.0-rc.1",
    "1.0-beta9",
    "1.0b2",
    "1.0.0+build",
    "1.0.Final",
    "1.0-SNAPSHOT",
    "v1.0.0",
    "1.0.0-1",
    "1.0.0-1+deb12u1",
    "1.0.0-1~bpo12+1",
    "1:1.0.0-1",
    "1.0.0-r1",
    "1.0.0_rc1",
    "1.5",
    "1.5.0",
    "1.5.post1",
    "1.5.0-beta2",
    "1.9.9",
    "1.10.0",
    "2",
    "2.0",
    "2.0.0",
    "2.0.1.dev0",
    "3.0.0",
    "99999999999999999999",
    "latest",
    "dev-main",
    "0123456789abcdef0123456789abcdef01234567",
];

/// Ranges in the short form of these tests; `?` names no range, `!` says "not affected".
const RANGES: [&str; 12] = [
    "i0",
    "i0 f1.5",
    "i1.0 f2.0",
    "i1.0 l1.5",
    "i0 f1.0 i1.5 f2.0",
    "i1.5 f1.5",
    "i0 f1:1.0.0-1",
    "i1.0.0-rc.1 f1.0.0",
    "i2.0 f1.0",
    "l1.5",
    "?",
    "!",
];

fn name_of(ecosystem: &str) -> &'static str {
    match ecosystem {
        "Maven" => "org.example:lib",
        "Go" => "example.org/lib",
        "Packagist" => "example/lib",
        _ => "lib",
    }
}

/// A record of each range about each package, some of our own, some beside another one.
fn records() -> Vec<Advisory> {
    let mut all = Vec::new();
    for (at, (ecosystem, ..)) in PACKAGES.iter().enumerate().take(PACKAGES.len() - 1) {
        for (number, range) in RANGES.iter().enumerate() {
            let mut entry = affected(ecosystem, name_of(ecosystem), &[]);
            match *range {
                "?" => entry.stance = Stance::Unresolved(Why::NoRange),
                "!" => entry.stance = Stance::NotAffected,
                events => entry = affected(ecosystem, name_of(ecosystem), &[events]),
            }
            let flaw = format!("CVE-2099-{}", 1_000 + at * 100 + number);
            let of = |source: &str, id: String, entry| Advisory {
                source: source.into(),
                aliases: vec![flaw.clone()],
                ..advisory(&id, vec![entry])
            };
            all.push(of("osv", format!("GHSA-{at}-{number}-x"), entry));
            let beside = affected(ecosystem, name_of(ecosystem), &["i1.0.0 f1.9.9"]);
            match number % 3 {
                0 => {}
                1 => all.push(of("cve", flaw.clone(), beside)),
                _ => all.push(of("own", format!("RLT-{at}-{number}"), beside)),
            }
        }
    }
    all
}

/// What a trusted supplier says of the first flaws of two ecosystems.
fn statements() -> Advisory {
    let says = |flaw: &str, status, purl: &str| VexStatement {
        issuer: "supplier".into(),
        document: "doc".into(),
        vulnerabilities: vec![flaw.to_owned()],
        products: vec![VexProduct {
            purls: vec![Purl::parse(purl).unwrap()],
            ..VexProduct::default()
        }],
        status,
        justification: Some("component_not_present".into()),
        text: String::new(),
        at: Some(1),
    };
    let statements = vec![
        says("CVE-2099-1000", VexStatus::NotAffected, "pkg:maven/org.example/lib@1.5"),
        says("CVE-2099-1001", VexStatus::Fixed, "pkg:maven/org.example/lib@1.0"),
        says("CVE-2099-1002", VexStatus::Fixed, "pkg:maven/org.example/lib@1.0"),
        says("CVE-2099-1100", VexStatus::Affected, "pkg:npm/lib@3.0.0"),
        says("CVE-2099-1101", VexStatus::Mitigated, "pkg:npm/lib@0.9"),
    ];
    Advisory { source: "vex".into(), statements, ..advisory("VEX-1", vec![]) }
}

fn components() -> impl Iterator<Item = Component> {
    let named = PACKAGES.iter().map(|(_, start, end)| (*start, *end));
    named.chain(BESIDE).flat_map(|(start, end)| {
        VERSIONS.iter().flat_map(move |version| {
            let at = if version.is_empty() { "" } else { "@" };
            let version = version.replace('+', "%2B");
            let purl = Purl::parse(&format!("{start}{at}{version}{end}")).unwrap();
            let ways = [
                (Basis::InstalledMetadata, Scope::Installed),
                (Basis::Document, Scope::Installed),
                (Basis::LockFile, Scope::Declared),
                (Basis::PathString, Scope::Build),
            ];
            ways.map(|(basis, scope)| Component::new(purl.clone(), "x", basis, scope))
        })
    })
}

/// Goal: no verdict changes under a revision of the matcher that stays. Method: every component of
/// a fixed corpus against every flaw of it; state, reason, flags and rule go into one digest.
#[test]
fn verdicts_change_only_with_the_revision_of_the_matcher() {
    let policy = Policy { trusted: ["supplier".into()].into(), ..Policy::default() };
    let mut records = records();
    records.push(statements());
    let all = Advisories::with_policy(records, policy);
    let (mut hash, mut count) = (Sha256::new(), 0);
    let mut tally = [0_usize; 3];
    for component in components() {
        for group in all.groups() {
            let judgement = group.judgement(&component);
            let Some(decisive) = judgement.decisive() else { continue };
            let state = group.judge(&component).map(|finding| finding.state);
            let flags: Vec<_> = judgement.flags.iter().map(|flag| flag.as_str()).collect();
            let (stand, state_name) =
                (format!("{:?}", judgement.stand()), state.map(FindingState::as_str));
            let id = &group.id;
            let purl = &component.purl;
            let rule = decisive.rule.as_str();
            let line = format!("{id} {purl} {stand} {state_name:?} {flags:?} {rule}\n");
            hash.update(line);
            count += 1;
            tally[match state {
                None => 0,
                Some(state) if state.is_affected() => 1,
                Some(_) => 2,
            }] += 1;
        }
    }
    assert!(tally.iter().all(|it| *it > 1_000), "{tally:?} of {count} say nothing");
    let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!((MATCHER_REVISION, digest.as_str()), TOLD, "{count} verdicts, {tally:?}");
}
