//! The laws of sets, asked version by version.

use proptest::prelude::*;

use super::*;

const SCHEMES: [VersionScheme; 5] = [
    VersionScheme::Npm,
    VersionScheme::Pep440,
    VersionScheme::Deb,
    VersionScheme::Rpm,
    VersionScheme::Gem,
];

const RELATIONS: [Relation; 6] = [
    Relation::Below,
    Relation::UpTo,
    Relation::Exactly,
    Relation::Except,
    Relation::From,
    Relation::Above,
];

fn read(scheme: VersionScheme, text: &str) -> Version {
    Version::parse(scheme, text).unwrap()
}

#[test]
fn a_relation_means_what_its_sign_says() {
    for (relation, inside) in [
        (Relation::Below, "1.0"),
        (Relation::UpTo, "1.0 2.0"),
        (Relation::Exactly, "2.0"),
        (Relation::Except, "1.0 3.0"),
        (Relation::From, "2.0 3.0"),
        (Relation::Above, "3.0"),
    ] {
        let set = VersionSet::of(VersionScheme::Npm, relation, "2.0").unwrap();
        let all = ["1.0", "2.0", "3.0"];
        let found = all.iter().filter(|text| set.contains(&read(VersionScheme::Npm, text)));
        assert_eq!(found.copied().collect::<Vec<_>>().join(" "), inside, "{relation:?}");
    }
    assert!(VersionSet::of(VersionScheme::Npm, Relation::From, "latest").is_none());
}

#[test]
fn an_inclusive_bound_has_all_builds_of_its_release() {
    for (scheme, bound, build) in [
        (VersionScheme::Deb, "1.2", "1.2-3"),
        (VersionScheme::Rpm, "1.2", "1.2-3.el9"),
        (VersionScheme::Pep440, "2.1.0", "2.1.0+cu118"),
        (VersionScheme::Apk, "1.2", "1.2-r3"),
    ] {
        let has = |relation| {
            VersionSet::of(scheme, relation, bound).unwrap().contains(&read(scheme, build))
        };
        assert_eq!(RELATIONS.map(has), [false, true, true, false, true, false], "{scheme:?}");
    }
}

#[test]
fn canonical_form() {
    let of = |relation, text| VersionSet::of(VersionScheme::Npm, relation, text).unwrap();
    let range = of(Relation::From, "1.0.0").intersection(&of(Relation::Below, "2.0.0"));
    let two = range.clone().union(of(Relation::Above, "3.0.0"));
    for (set, text) in [
        (VersionSet::none(VersionScheme::Npm), "vers:none/*"),
        (VersionSet::all(VersionScheme::Npm), "vers:npm/*"),
        (of(Relation::Exactly, "1.0.0"), "vers:npm/1.0.0"),
        (of(Relation::Except, "1.0.0"), "vers:npm/!=1.0.0"),
        (range.intersection(&of(Relation::Except, "1.5.0")), "vers:npm/>=1.0.0|!=1.5.0|<2.0.0"),
        (two.clone(), "vers:npm/>=1.0.0|<2.0.0|>3.0.0"),
        (two.complement(), "vers:npm/<1.0.0|>=2.0.0|<=3.0.0"),
        (of(Relation::UpTo, "1.0").union(of(Relation::Above, "1.0.0")), "vers:npm/*"),
    ] {
        assert_eq!(set.to_string(), text);
    }
}

#[test]
fn mavens_order_is_no_reason_to_panic() {
    let scheme = VersionScheme::Maven;
    let texts = ["1-rc", "1", "1.foo.2", "1-rc", "3.7.0.rc.3", "1.sec1", "1_x"];
    let mut set = VersionSet::none(scheme);
    for text in texts {
        set = set.union(VersionSet::of(scheme, Relation::Exactly, text).unwrap());
        set = set.complement().complement();
        assert!(set.contains(&read(scheme, text)), "{text}");
    }
}

/// In front of a build and behind its release are two places, whichever of the two is named first.
#[test]
fn a_build_and_its_release_leave_nothing_between() {
    let scheme = VersionScheme::Rpm;
    let of = |relation, text| VersionSet::of(scheme, relation, text).unwrap();
    let set = of(Relation::Exactly, "3a1-1").union(of(Relation::UpTo, "3a1"));
    assert_eq!(set, of(Relation::UpTo, "3a1"));
    assert!(set.intersection(&set.complement()).is_empty());
}

/// A release reaches up to the last of its builds, and so its end may stand behind that of one.
#[test]
fn the_end_of_a_release_behind_one_of_its_builds() {
    for scheme in [VersionScheme::Deb, VersionScheme::Rpm, VersionScheme::Bitnami] {
        let of = |relation, text| VersionSet::of(scheme, relation, text).unwrap();
        let set = of(Relation::Below, "1-2").union(of(Relation::Above, "1"));
        assert_eq!(
            crate::native::vers::parse(scheme, &set.to_string()),
            Some(set.clone()),
            "{set}"
        );
    }
}

fn version() -> impl Strategy<Value = String> {
    "[0-3](\\.[0-3]){0,2}(a1|\\.b2|rc)?(-[1-3])?"
}

fn set(scheme: VersionScheme, parts: &[(usize, String)]) -> VersionSet {
    let mut set = VersionSet::none(scheme);
    for (at, (relation, text)) in parts.iter().enumerate() {
        let Some(part) = VersionSet::of(scheme, RELATIONS[*relation], text) else { continue };
        set = if at % 3 == 2 { set.intersection(&part) } else { set.union(part) };
    }
    set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn laws_of_sets(
        a in prop::collection::vec((0..6_usize, version()), 0..6),
        b in prop::collection::vec((0..6_usize, version()), 0..6),
        versions in prop::collection::vec(version(), 8),
    ) {
        for scheme in SCHEMES {
            let (a, b) = (set(scheme, &a), set(scheme, &b));
            let (either, both, not) =
                (a.clone().union(b.clone()), a.intersection(&b), a.complement());
            prop_assert_eq!(&not.complement(), &a);
            prop_assert_eq!(&b.clone().union(a.clone()), &either);
            prop_assert_eq!(&b.intersection(&a), &both);
            prop_assert!(a.intersection(&not).is_empty());
            prop_assert!(a.clone().union(not.clone()).is_all());
            for version in versions.iter().filter_map(|text| Version::parse(scheme, text)) {
                let (in_a, in_b) = (a.contains(&version), b.contains(&version));
                prop_assert_eq!(not.contains(&version), !in_a);
                // A version that leaves its build open may be in two sets that share no version,
                // and in `<=2-1` though not in the `<2-2` that both together are.
                if version.sort_key().is_some_and(|key| key.possible() != key.bytes()) {
                    continue;
                }
                prop_assert_eq!(either.contains(&version), in_a || in_b);
                prop_assert_eq!(both.contains(&version), in_a && in_b);
            }
        }
    }

    #[test]
    fn printed_and_read_again_it_is_the_same(
        parts in prop::collection::vec((0..6_usize, version()), 0..7),
    ) {
        for scheme in VersionScheme::ALL {
            let set = set(scheme, &parts);
            let back = crate::native::vers::parse(scheme, &set.to_string());
            prop_assert_eq!(back.as_ref(), Some(&set), "{}", set);
        }
    }
}
