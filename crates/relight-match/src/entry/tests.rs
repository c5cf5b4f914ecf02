//! Tests of what an entry says without looking at its bounds.

use relight_model::{
    AffectedRange, Basis, Bound, BoundBasis, Component, Ecosystem, Interval as Published, Purl,
    Scope,
};
use testkit::Rng;

use super::*;

static SCHEMES: [(Ecosystem, &str, &[&str]); 6] = [
    (Ecosystem::Npm, "npm", &["1.0.0", "1.2.0-rc.1", "1.2.0", "1.2.3", "2.0.0", "10.0.0", "x"]),
    (Ecosystem::PyPi, "pypi", &["1.0", "1.0.post1", "1.1rc1", "1.1", "1.1+cu118", "2!1.0", "?"]),
    (Ecosystem::Debian, "deb", &["1.0-1", "1.0-1+deb11u1", "1.0", "1:0.9-1", "2.0~rc1-1", "2.0-3"]),
    (Ecosystem::Alpine, "apk", &["1.0-r0", "1.0-r1", "1.0", "1.1_alpha-r0", "1.1-r2", "2.0-r0"]),
    (Ecosystem::Maven, "maven", &["1.0", "1.0-rc", "1.foo.2", "1", "2.14.1", "2.15.0", "3-alpha"]),
    (Ecosystem::RubyGems, "gem", &["1.0", "1.0.a", "1.0.1", "2.0.0.pre1", "2.0.0", "11"]),
];

fn bound(rng: &mut Rng, versions: &[&str]) -> Bound {
    let text = (*rng.pick(versions)).to_owned();
    match rng.below(3) {
        0 => Bound::Unbounded,
        1 => Bound::Inclusive(text),
        _ => Bound::Exclusive(text),
    }
}

fn affected(rng: &mut Rng, package: &PackageName, versions: &[&str]) -> Affected {
    let mut affected = Affected::of(package.clone());
    let text = |rng: &mut Rng| (*rng.pick(versions)).to_owned();
    if rng.below(3) > 0 {
        let mut events = vec![RangeEvent::Introduced("0".into())];
        for _ in 0..rng.below(4) {
            events.push(match rng.below(4) {
                0 => RangeEvent::Introduced(text(rng)),
                1 => RangeEvent::LastAffected(text(rng)),
                2 => RangeEvent::Limit(text(rng)),
                _ => RangeEvent::Fixed(text(rng)),
            });
        }
        let kind = RangeKind::Ecosystem;
        affected.ranges.push(AffectedRange { kind, events });
    }
    for _ in 0..rng.below(3) {
        let basis = *rng.pick(&[BoundBasis::Fixed, BoundBasis::LastKnown]);
        let status =
            *rng.pick(&[RangeStatus::Affected, RangeStatus::Unknown, RangeStatus::NotAffected]);
        // Mostly in order: swapped bounds make everything unknown.
        let at = if rng.chance(90) { rng.below(versions.len()) } else { 0 };
        let (lo, hi) = (bound(rng, &versions[..=at]), bound(rng, &versions[at..]));
        let (lo, hi) = if at == 0 { (hi, lo) } else { (lo, hi) };
        affected.intervals.push(Published { lo, hi, basis, status });
    }
    affected.versions = (0..rng.below(3)).map(|_| text(rng)).collect();
    affected.rest = *rng.pick(&[
        RangeStatus::NotAffected,
        RangeStatus::NotAffected,
        RangeStatus::NotAffected,
        RangeStatus::Affected,
        RangeStatus::Unknown,
    ]);
    affected
}

/// Goal: what a full match says at a glance is what it would say after a closer look.
/// Method: seeded entries of random ranges, intervals and lists, each asked about every version of
/// the pool that its bounds are of. That much is told so shows that it is worth it.
#[test]
fn a_glance_says_what_a_closer_look_says() {
    let (mut cleared, mut not_affected, mut sure) = (0, 0, 0);
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (ecosystem, kind, versions) = rng.pick(&SCHEMES).clone();
        let package = PackageName { ecosystem, release: None, name: "a".into() };
        let all: Vec<_> =
            (0..=rng.below(2)).map(|_| affected(&mut rng, &package, versions)).collect();
        let record = Arc::new(Advisory::default());
        let all: Vec<&Affected> = all.iter().collect();
        let rank = if seed % 2 == 0 { Rank::Own } else { Rank::Distribution };
        let entry = Entry::new(&record, package, rank, &all);
        let entry = if seed % 5 == 0 { entry.by_relocation() } else { entry };
        for version in versions {
            let purl = Purl::new(kind, "", "a", version);
            let component = Component::new(purl, "a", Basis::PomProperties, Scope::Installed);
            let subject = Subject::of(&component);
            let asked = subject.asked();
            let told = entry.told(&subject, &asked);
            let is_clear = told.is_none_or(|told| told.stand == Stand::NotAffected);
            not_affected += usize::from(is_clear);
            let Some(start) = asked.start() else { continue };
            if entry.clears(&start) {
                assert!(is_clear, "seed {seed}, {kind} {version}: {told:?} of {all:?}");
                cleared += 1;
            }
            if let Some(stand) = entry.at_a_glance(&start, None) {
                let told = told.map(|told| told.stand);
                assert_eq!(stand, told, "seed {seed}, {kind} {version} of {all:?}");
                sure += usize::from(stand == Some(Stand::Affected));
            }
        }
    }
    assert!(cleared * 3 > not_affected, "{cleared} of {not_affected}");
    assert!(sure > 500, "{sure}");
}

/// Goal: a tag that moves is not the release that it looks like.
#[test]
fn a_moving_tag_of_an_action_is_unknown() {
    let package =
        PackageName { ecosystem: Ecosystem::GitHubActions, release: None, name: "o/r".into() };
    let mut affected = Affected::of(package.clone());
    let events =
        vec![RangeEvent::Introduced("3.26.11".into()), RangeEvent::LastAffected("3.28.2".into())];
    affected.ranges.push(AffectedRange { kind: RangeKind::Ecosystem, events });
    let record = Arc::new(Advisory::default());
    let entry = Entry::new(&record, package, Rank::Own, &[&affected]);
    for (tag, expected) in [
        ("v3", "unknown"),
        ("v3.27", "unknown"),
        ("main", "unknown"),
        ("", "unknown"),
        ("v3.27.0", "affected"),
        ("3.28.2", "affected"),
        ("v3.29.0", "not-affected"),
        ("v2.0.0-rc.1", "not-affected"),
    ] {
        let component = Component::new(
            Purl::new("github", "o", "r", tag),
            "build.yml",
            Basis::LockFile,
            Scope::Installed,
        );
        let subject = Subject::of(&component);
        let told = entry.told(&subject, &subject.asked());
        let stand = match told.map(|told| told.stand) {
            Some(Stand::Unknown(_)) => "unknown",
            Some(Stand::Affected) => "affected",
            Some(Stand::NotAffected) | None => "not-affected",
        };
        assert_eq!(stand, expected, "{tag}");
    }
}
