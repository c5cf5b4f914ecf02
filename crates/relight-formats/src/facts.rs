//! What inventory formats have no field for, as pairs of a name `relight:*` and a text.
//!
//! CycloneDX keeps them as properties, SPDX 2.3 as annotations, SPDX 3.0 in an extension. Reading
//! what we wrote gives the same inventory back, in each of them.

use std::collections::{BTreeMap, HashMap};

use relight_model::{
    Basis, Certainty, Component, Digest, Flaw, FlawCode, Purl, Sbom, Scope, Warning,
};

const COMPLETE: &str = "relight:complete";
const ARTIFACT: &str = "relight:artifact";
const IMAGE: &str = "relight:image";
const FLAW: &str = "relight:flaw";
const TOOL: &str = "relight:tool";
const BASIS: &str = "relight:basis";
const SCOPE: &str = "relight:scope";
const REMOVED: &str = "relight:removed";
const OWNED_BY: &str = "relight:owned-by";
const IN_USE: &str = "relight:in-use";
const ALSO: &str = "relight:also";
const CANDIDATE: &str = "relight:candidate";
const CONFLICT: &str = "relight:identity-conflict";

/// A name and its text.
pub(crate) type Fact = (&'static str, String);

/// What was looked at and what could not be read.
pub(crate) fn of_inventory(sbom: &Sbom) -> Vec<Fact> {
    let Sbom { components: _, flaws, artifact, images, tool } = sbom;
    let mut facts = vec![(COMPLETE, sbom.is_complete().to_string())];
    facts.extend(artifact.map(|digest| (ARTIFACT, digest.to_string())));
    facts.extend(images.iter().map(|purl| (IMAGE, purl.to_string())));
    facts.extend((!tool.is_empty()).then(|| (TOOL, tool.clone())));
    for Flaw { code, evidence, bytes } in flaws {
        facts.push((FLAW, format!("{} {bytes} {evidence}", code.as_str())));
    }
    facts
}

/// What is known of a component beyond its purl, place and digests.
pub(crate) fn of_component(component: &Component) -> Vec<Fact> {
    let Component { basis, also, candidates, conflict, scope, .. } = component;
    let Component { removed, owned_by, in_use, .. } = component;
    let mut facts = vec![(BASIS, basis.as_str().to_owned()), (SCOPE, scope.as_str().to_owned())];
    facts.extend(also.iter().map(|basis| (ALSO, basis.as_str().to_owned())));
    facts.extend(candidates.iter().map(|version| (CANDIDATE, version.clone())));
    facts.extend(conflict.then(|| (CONFLICT, "true".to_owned())));
    facts.extend(removed.iter().map(|class| (REMOVED, class.clone())));
    facts.extend(owned_by.iter().map(|owner| (OWNED_BY, owner.to_string())));
    facts.extend(in_use.iter().map(|user| (IN_USE, user.clone())));
    facts
}

/// The facts of one object of a document that is read.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> FromIterator<(&'a str, &'a str)> for Facts<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().filter(|(name, _)| name.starts_with("relight:")).collect())
    }
}

impl<'a> Facts<'a> {
    fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(it, _)| *it == name).map(|(_, text)| *text)
    }

    /// A component, without place and digests. What a document does not tell is weak: it names a
    /// package, and does not say that it was seen.
    pub(crate) fn component(&self, purl: Purl) -> Component {
        let basis = self.all(BASIS).find_map(Basis::parse).unwrap_or(Basis::Document);
        let scope = self.all(SCOPE).find_map(Scope::parse).unwrap_or(Scope::Declared);
        let mut also: Vec<_> = self.all(ALSO).filter_map(Basis::parse).collect();
        also.sort();
        let sorted = |name| {
            let mut texts: Vec<String> = self.all(name).map(str::to_owned).collect();
            texts.sort();
            texts
        };
        Component {
            also,
            candidates: self.all(CANDIDATE).map(str::to_owned).collect(),
            conflict: self.all(CONFLICT).next() == Some("true"),
            removed: sorted(REMOVED),
            owned_by: self.all(OWNED_BY).find_map(|text| Purl::parse(text).ok()),
            in_use: sorted(IN_USE),
            ..Component::new(purl, "", basis, scope)
        }
    }

    /// What the document says of its own coverage. Silence is no proof, so it is a flaw.
    pub(crate) fn inventory(&self, sbom: &mut Sbom, warnings: &mut Vec<Warning>) {
        sbom.artifact = self.all(ARTIFACT).next().and_then(Digest::parse);
        sbom.images = self.all(IMAGE).filter_map(|text| Purl::parse(text).ok()).collect();
        if let Some(tool) = self.all(TOOL).next() {
            tool.clone_into(&mut sbom.tool);
        }
        let complete = self.all(COMPLETE).next() == Some("true");
        let mut codes_known = true;
        for text in self.all(FLAW) {
            match flaw(text) {
                Some(flaw) => sbom.flaws.push(flaw),
                None => codes_known = false,
            }
        }
        if !codes_known {
            let message = "a flaw of a kind that this version does not know";
            warnings.push(Warning::new("sbom-flaw", "metadata", message));
        }
        if !codes_known || (!complete && sbom.flaws.is_empty()) {
            let evidence = String::new();
            sbom.flaws.push(Flaw { code: FlawCode::Undeclared, evidence, bytes: 0 });
        }
    }
}

/// `limit-depth 4096 app.war!/x.jar`: code, unread bytes, evidence.
fn flaw(text: &str) -> Option<Flaw> {
    let mut parts = text.splitn(3, ' ');
    Some(Flaw {
        code: FlawCode::parse(parts.next()?)?,
        bytes: parts.next()?.parse().ok()?,
        evidence: parts.next()?.to_owned(),
    })
}

/// How much a way of recognition proves, between 0 and 1, as formats want it.
pub(crate) const fn confidence(basis: Basis) -> f64 {
    match basis.certainty() {
        Certainty::Proven => 1.0,
        Certainty::Recorded => 0.9,
        Certainty::Partial => 0.6,
        Certainty::Named => 0.3,
    }
}

/// For each component the one whose archive it lies in, by place; the innermost.
pub(crate) fn containers(components: &[Component]) -> Vec<Option<usize>> {
    let mut by_place: HashMap<&str, usize> = HashMap::new();
    for (index, component) in components.iter().enumerate() {
        if component.scope == Scope::Installed && !component.evidence.is_empty() {
            by_place.entry(&component.evidence).or_insert(index);
        }
    }
    let container = |component: &Component| {
        let place = component.evidence.as_str();
        let mut ends = place.rmatch_indices("!/").map(|(at, _)| at);
        ends.find_map(|end| by_place.get(&place[..end]).copied())
    };
    components.iter().map(container).collect()
}

/// For each package of the system the components that it installed.
pub(crate) fn ownership(components: &[Component]) -> BTreeMap<usize, Vec<usize>> {
    let packages: HashMap<&Purl, usize> = components
        .iter()
        .enumerate()
        .filter(|(_, component)| component.basis == Basis::PackageDatabase)
        .map(|(index, component)| (&component.purl, index))
        .collect();
    let mut owned: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, component) in components.iter().enumerate() {
        let owner = component.owned_by.as_ref().and_then(|owner| packages.get(owner));
        if let Some(owner) = owner {
            owned.entry(*owner).or_default().push(index);
        }
    }
    owned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(places: &[&str]) -> Vec<Component> {
        let component = |place: &&str| {
            let purl = Purl::new("maven", "g", "a", "1");
            Component::new(purl, *place, Basis::PomProperties, Scope::Installed)
        };
        places.iter().map(component).collect()
    }

    #[test]
    fn the_innermost_archive_contains() {
        let all = at(&["a.ear", "a.ear!/b.war", "a.ear!/b.war!/c.jar", "a.ear!/x.war!/d.jar", ""]);
        assert_eq!(containers(&all), [None, Some(0), Some(1), Some(0), None]);
    }

    #[test]
    fn an_owner_is_a_package_of_the_inventory() {
        let mut all = at(&["x.jar", "y.jar"]);
        let deb = Purl::new("deb", "debian", "x", "1");
        let status = "var/lib/dpkg/status";
        all.push(Component::new(deb.clone(), status, Basis::PackageDatabase, Scope::Installed));
        all[0].owned_by = Some(deb);
        all[1].owned_by = Some(Purl::new("deb", "debian", "gone", "1"));
        assert_eq!(ownership(&all), BTreeMap::from([(2, vec![0])]));
    }

    #[test]
    fn silence_is_a_flaw() {
        let mut sbom = Sbom::default();
        let mut warnings = Vec::new();
        Facts::default().inventory(&mut sbom, &mut warnings);
        assert_eq!(sbom.flaws[0].code, FlawCode::Undeclared);
        let unknown = Facts::from_iter([("relight:complete", "true"), (FLAW, "odd 0 x")]);
        let mut sbom = Sbom::default();
        unknown.inventory(&mut sbom, &mut warnings);
        assert_eq!((sbom.flaws.len(), warnings.len()), (1, 1));
    }
}
