//! Joins claims about one body of code: several files of one archive, and its bytes, may name the
//! same library.

use relight_model::{Basis, Certainty, Component};

/// Joins the Maven claims about one name in one place, strongest first. A claim that says the same
/// as a stronger one becomes one of its [`Component::also`]. A mere name that says something else
/// gives way to a claim with group and version, and leaves [`Component::conflict`]: a jar called
/// `log4j-core-2.14.1.jar` whose own metadata says 2.17.1 is 2.17.1. Metadata never gives way to
/// bytes, nor bytes to metadata: both stay, in conflict, and the site is affected if either is.
/// Nothing is put together from two claims.
pub(crate) fn merge(mut components: Vec<Component>) -> Vec<Component> {
    // In place: a small file can name so much that twice of it is more than a scan may hold.
    let mut count = 0;
    for at in 0..components.len() {
        if components[at].purl.kind == "maven" {
            components.swap(count, at);
            count += 1;
        }
    }
    let others = components.split_off(count);
    let mut maven = std::mem::replace(&mut components, others);
    // By name and place, and equal ones beside each other: one of them says all.
    maven.sort_unstable_by(|one, other| (place(one), one).cmp(&(place(other), other)));
    maven.dedup();
    let mut maven = maven.into_iter().peekable();
    while let Some(first) = maven.next() {
        let mut claims = vec![first];
        while let Some(next) = maven.next_if(|it| place(it) == place(&claims[0])) {
            claims.push(next);
        }
        components.extend(join(claims));
    }
    components
}

/// The name and the place of a claim.
fn place(claim: &Component) -> (&str, &str) {
    (&claim.purl.name, &claim.evidence)
}

/// Claims about one name in one place that are compared with each other.
const CLAIMS_MAX: usize = 1_024;

fn join(mut claims: Vec<Component>) -> Vec<Component> {
    if claims.len() > CLAIMS_MAX {
        // Nobody has so many names for one thing: all of them stay, and contradict each other.
        claims.iter_mut().for_each(|claim| claim.conflict = true);
        return claims;
    }
    claims.sort_by_key(|claim| (claim.basis, claim.scope));
    let mut kept: Vec<Component> = Vec::new();
    for weak in claims {
        match kept.iter_mut().find(|strong| covers(strong, &weak)) {
            Some(strong) => absorb(strong, weak),
            None => kept.push(weak),
        }
    }
    for at in 0..kept.len() {
        let (before, rest) = kept.split_at_mut(at);
        let other = &mut rest[0];
        for strong in before {
            let is_conflict = contradicts(strong, other);
            strong.conflict |= is_conflict;
            other.conflict |= is_conflict;
        }
    }
    kept
}

/// Whether the weaker claim adds nothing that may stand beside the stronger one.
fn covers(strong: &Component, weak: &Component) -> bool {
    let (one, other) = (&strong.purl, &weak.purl);
    let same_group = one.namespace == other.namespace || other.namespace.is_empty();
    let same_version = one.version == other.version || other.version.is_empty();
    let is_candidate = weak.candidates.is_empty() || weak.candidates.contains(&one.version);
    let is_name = matches!(weak.basis, Basis::Manifest | Basis::FileName);
    strong.scope <= weak.scope
        && (strong.basis < weak.basis || is_same(strong, weak))
        && !one.version.is_empty()
        && same_group
        && (same_version && is_candidate || is_name && !one.namespace.is_empty())
}

/// The same said twice; a copy that lacks something is another copy.
fn is_same(one: &Component, other: &Component) -> bool {
    one.basis == other.basis && one.purl == other.purl && one.removed == other.removed
}

fn absorb(strong: &mut Component, weak: Component) {
    strong.conflict |= !weak.purl.version.is_empty() && weak.purl.version != strong.purl.version;
    if weak.basis != strong.basis {
        strong.also.push(weak.basis);
    }
    strong.also.extend(weak.also);
    strong.also.sort();
    strong.also.dedup();
    strong.removed.extend(weak.removed);
    strong.removed.sort();
    strong.removed.dedup();
    strong.owned_by = strong.owned_by.take().or(weak.owned_by);
    strong.hashes.extend(weak.hashes);
    strong.hashes.sort();
    strong.hashes.dedup();
    strong.in_use.extend(weak.in_use);
    strong.in_use.sort();
    strong.in_use.dedup();
}

/// Whether bytes and metadata say different versions of the same library.
fn contradicts(one: &Component, other: &Component) -> bool {
    let is_bytes = |it: &Component| {
        it.basis.certainty() == Certainty::Proven
            || matches!(it.basis, Basis::FingerprintPartial | Basis::NamedClass)
            // Bytes and metadata that were settled as one of several versions.
            || (!it.candidates.is_empty() && it.also.contains(&Basis::FingerprintPartial))
    };
    let holds = |one: &Component, other: &Component| one.candidates.contains(&other.purl.version);
    is_bytes(one) != is_bytes(other)
        && !holds(one, other)
        && !holds(other, one)
        && [one, other].iter().all(|it| !it.purl.version.is_empty() || !it.candidates.is_empty())
}

#[cfg(test)]
mod tests {
    use relight_model::{Basis, Purl, Scope};

    use super::*;

    #[test]
    fn very_many_claims_about_one_name_all_stay_in_conflict() {
        let claim = |number: usize| {
            let purl = Purl::new("maven", "g", "a", &number.to_string());
            Component::new(purl, "x.jar", Basis::PomProperties, Scope::Installed)
        };
        for (count, expected) in [(CLAIMS_MAX, false), (CLAIMS_MAX + 1, true)] {
            let claims: Vec<_> = (0..count).map(claim).chain([claim(0)]).skip(1).collect();
            let merged = merge(claims);
            assert_eq!(merged.len(), count);
            assert!(merged.iter().all(|it| it.conflict == expected), "{count}");
        }
        let equal = merge(vec![claim(1); 2 * CLAIMS_MAX]);
        assert_eq!(equal.len(), 1);
    }

    fn claim(basis: Basis, purl: &str) -> Component {
        Component::new(Purl::parse(purl).unwrap(), "a.jar", basis, Scope::Installed)
    }

    fn check(claims: &[(Basis, &str)], expected: &[&str]) {
        let claims = claims.iter().map(|(basis, purl)| claim(*basis, purl)).collect();
        let purls: Vec<_> = merge(claims).iter().map(|c| c.purl.to_string()).collect();
        assert_eq!(purls, expected);
    }

    #[test]
    fn the_strongest_claim_wins() {
        let pom = (Basis::PomProperties, "pkg:maven/g/a@2");
        check(
            &[
                (Basis::FileName, "pkg:maven/a@1"),
                (Basis::ClassName, "pkg:maven/g/a"),
                (Basis::Manifest, "pkg:maven/a@2"),
                pom,
            ],
            &["pkg:maven/g/a@2"],
        );
    }

    #[test]
    fn bytes_and_metadata_are_joined_when_they_agree_and_both_kept_when_not() {
        let exact = claim(Basis::FingerprintExact, "pkg:maven/g/a@2");
        let joined = merge(vec![claim(Basis::PomProperties, "pkg:maven/g/a@2"), exact.clone()]);
        assert_eq!(joined.len(), 1);
        assert_eq!((joined[0].basis, &joined[0].also), (exact.basis, &vec![Basis::PomProperties]));
        assert!(!joined[0].conflict);
        let other = merge(vec![claim(Basis::PomProperties, "pkg:maven/g/a@1"), exact.clone()]);
        assert_eq!(other.len(), 2);
        assert!(other.iter().all(|it| it.conflict));
        // A name gives way, and is not forgotten.
        let named = merge(vec![claim(Basis::FileName, "pkg:maven/a@1"), exact.clone()]);
        assert_eq!((named.len(), named[0].conflict), (1, true));
        assert_eq!(named[0].also, [Basis::FileName]);
        // A bracket that holds what metadata says is no objection; another one is.
        let bracket = |versions: [&str; 2]| Component {
            candidates: versions.map(str::to_owned).into(),
            ..claim(Basis::FingerprintPartial, "pkg:maven/g/a")
        };
        let pom = || claim(Basis::PomProperties, "pkg:maven/g/a@2");
        let near = merge(vec![bracket(["1", "2"]), pom()]);
        assert_eq!((near.len(), near[0].conflict), (1, false));
        let far = merge(vec![bracket(["5", "6"]), pom()]);
        assert_eq!((far.len(), far[0].conflict), (2, true));
        // Of two copies one lacks a class: neither hides the other.
        let lacking = Component { removed: vec!["a/B".into()], ..exact.clone() };
        assert_eq!(merge(vec![lacking, exact]).len(), 2);
    }

    #[test]
    fn two_equal_claims_are_both_kept() {
        let claims =
            [(Basis::PomProperties, "pkg:maven/g/a@1"), (Basis::PomProperties, "pkg:maven/g/a@2")];
        check(&claims, &["pkg:maven/g/a@1", "pkg:maven/g/a@2"]);
    }

    #[test]
    fn half_a_claim_does_not_replace_the_other_half() {
        let claims = [(Basis::ClassName, "pkg:maven/g/a"), (Basis::FileName, "pkg:maven/a@1")];
        check(&claims, &["pkg:maven/g/a", "pkg:maven/a@1"]);
    }

    #[test]
    fn other_names_and_places_are_other_components() {
        let mut elsewhere = claim(Basis::FileName, "pkg:maven/a@1");
        elsewhere.evidence = "b.jar".to_owned();
        let claims = vec![claim(Basis::PomProperties, "pkg:maven/g/a@2"), elsewhere];
        assert_eq!(merge(claims).len(), 2);
        check(
            &[(Basis::PomProperties, "pkg:maven/g/a@2"), (Basis::FileName, "pkg:maven/b@1")],
            &["pkg:maven/g/a@2", "pkg:maven/b@1"],
        );
    }
}
