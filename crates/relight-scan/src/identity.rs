//! Joins claims about one body of code: several files of one archive may name the same library.

use std::collections::BTreeMap;

use relight_model::Component;

/// Of the Maven claims about one name in one place, drops each that a stronger one makes
/// superfluous: the stronger one names a version, and a group if the weaker one does. So a jar
/// called `log4j-core-2.14.1.jar` whose own metadata says 2.17.1 is 2.17.1; a class that proves
/// `log4j-core` without a version stands beside a file name that has one, because neither says
/// all. Nothing is put together from two claims.
pub(crate) fn merge(components: Vec<Component>) -> Vec<Component> {
    let mut groups: BTreeMap<(String, String, String), Vec<Component>> = BTreeMap::new();
    for component in components {
        let Component { purl, evidence, .. } = &component;
        let key = (purl.kind.clone(), purl.name.clone(), evidence.clone());
        groups.entry(key).or_default().push(component);
    }
    let mut merged = Vec::new();
    for ((kind, ..), claims) in groups {
        let kept = claims
            .iter()
            .filter(|weak| kind != "maven" || !claims.iter().any(|strong| covers(strong, weak)));
        merged.extend(kept.cloned());
    }
    merged
}

fn covers(strong: &Component, weak: &Component) -> bool {
    strong.basis < weak.basis
        && strong.scope <= weak.scope
        && !strong.purl.version.is_empty()
        && (!strong.purl.namespace.is_empty()
            || weak.purl.namespace.is_empty()
            || weak.purl.version.is_empty() && weak.purl.namespace == strong.purl.namespace)
}

#[cfg(test)]
mod tests {
    use relight_model::{Basis, Purl, Scope};

    use super::*;

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
