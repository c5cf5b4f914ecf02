//! Libraries that were recognised in one place, settled with what metadata says there.

use std::collections::BTreeSet;

use relight_model::{Basis, Component, Purl, Scope};

use crate::fingerprint::{Known, Match, Versions, is_above};
use crate::unpack::Found;

/// Share of a container, in percent, from which a library is the container.
const MAIN_PERCENT: u64 = 60;
/// Share from which nothing else is in it, so that its name is the library's.
const WHOLE_PERCENT: u64 = 95;

/// Where libraries were recognised.
pub(super) struct Place<'a> {
    /// The evidence path of the container, or of a folder of the class path.
    pub(super) container: &'a str,
    /// The folder of the class path inside the container.
    pub(super) root: &'a str,
    pub(super) is_folder: bool,
    /// No other folder of the class path in this container has the library.
    pub(super) is_first: bool,
}

/// Turns a match into a component in its place, and settles it with what metadata says there.
pub(super) fn settle(
    known: &Known,
    place: &Place<'_>,
    it: &Match,
    basis: Basis,
    from: usize,
    found: &mut Found,
) {
    let mut component = place.component(it, basis, &found.components[from..]);
    let name = component.purl.name.clone();
    if matches!(it.versions, Versions::SameCode(_)) {
        let claims = found.components.split_off(from);
        found.components.extend(place.settle_version(it, basis, &mut component, claims));
    }
    if it.share_percent >= WHOLE_PERCENT {
        let is_name = |claim: &Component| {
            claim.evidence == place.container
                && matches!(claim.basis, Basis::Manifest | Basis::FileName)
                && claim.purl.name != name
        };
        // A version whose classes are those of another one is told by its metadata alone.
        let version = &component.purl.version;
        let is_other =
            |claim: &Component| claim.purl.name.ends_with(&name) && claim.purl.version != *version;
        let mut claims = found.components[from..].iter();
        let is_denied = !version.is_empty() && claims.any(|it| is_name(it) && is_other(it));
        component.conflict |= is_denied;
        drop_claims(found, from, is_name);
    }
    // Metadata may name a version that came after all that were learnt: then the nearest of these
    // is no objection. A class that an advisory names is one, with code that the newest has not.
    let is_newer = |claim: &&mut Component| {
        component.basis == Basis::FingerprintPartial
            && matches!(it.versions, Versions::OneOf(_))
            && !it.has_old_class
            && claim.evidence == component.evidence
            && claim.basis == Basis::PomProperties
            && claim.purl.name == name
            && known.versions(&it.artifact).all(|learnt| is_above(&claim.purl.version, learnt))
    };
    if let Some(claim) = found.components[from..].iter_mut().find(is_newer) {
        claim.also.push(component.basis);
        claim.conflict = true;
        claim.removed.extend(component.removed);
    } else {
        found.components.push(component);
    }
}

/// Adds a match of a database beside the first one: what metadata says stays as it is.
pub(super) fn add(place: &Place<'_>, it: &Match, basis: Basis, from: usize, found: &mut Found) {
    let claims = &found.components[from..];
    let mut component = place.component(it, basis, claims);
    // That a class is missing would clear what metadata or the first database names.
    component.removed.clear();
    let own = &component.purl;
    let is_other = |claim: &Component| {
        claim.evidence == component.evidence
            && claim.purl.name == own.name
            && (claim.purl.version != own.version || claim.purl.namespace != own.namespace)
    };
    // An exact version is stronger than a mere name, which would give way to it.
    if !own.version.is_empty() && claims.iter().any(is_other) {
        let version = std::mem::take(&mut component.purl.version);
        component.candidates.push(version);
        component.basis = Basis::FingerprintPartial;
    }
    found.components.push(component);
}

/// Whether a claim calls its archive like a library, by the name of its file (`asm-tree`) or of its
/// bundle (`org.objectweb.asm.tree`).
fn is_name_of(claim: &Component, name: &str) -> bool {
    let plain = |name: &str| name.replace(['.', '_'], "-");
    plain(&claim.purl.name).ends_with(&plain(name))
}

/// A version without zeros at its end: bundles have three numbers where others have two.
fn short(version: &str) -> &str {
    version.trim_end_matches(".0")
}

impl Place<'_> {
    fn component(&self, it: &Match, basis: Basis, claims: &[Component]) -> Component {
        let (group, name) = it.artifact.split_once(':').unwrap_or(("", &it.artifact));
        let (version, candidates) = match &it.versions {
            Versions::Exact(version) => (version.as_str(), Vec::new()),
            Versions::SameCode(versions) | Versions::OneOf(versions) => ("", versions.clone()),
        };
        let basis = match it.versions {
            Versions::SameCode(_) => Basis::FingerprintPartial,
            _ => basis,
        };
        let purl = Purl::new("maven", group, name, version);
        let evidence = self.evidence(it, group, name, claims);
        Component {
            candidates,
            removed: it.removed.clone(),
            ..Component::new(purl, evidence, basis, Scope::Installed)
        }
    }

    /// Settles the version of a library whose code is that of `candidates` and perhaps of others:
    /// metadata in its place that names one of them decides, and one that names another version
    /// adds that: equal code has equal flaws, whatever it is called. Gives back the claims that are
    /// not spent with it.
    fn settle_version(
        &self,
        it: &Match,
        exact: Basis,
        component: &mut Component,
        claims: Vec<Component>,
    ) -> Vec<Component> {
        let told: Vec<bool> = claims.iter().map(|claim| self.tells(it, component, claim)).collect();
        let of_it = || claims.iter().zip(&told).filter(|(_, told)| **told).map(|(claim, _)| claim);
        let versions: BTreeSet<&str> = of_it().map(|claim| short(&claim.purl.version)).collect();
        let known = |version: &str| component.candidates.iter().find(|it| short(it) == version);
        let only = versions.first().filter(|_| versions.len() == 1);
        if let Some(version) = only.and_then(|only| known(only)).cloned() {
            component.purl.version = version;
            component.candidates.clear();
            component.basis = exact;
        }
        let is_open = !component.candidates.is_empty();
        for Component { purl, basis, .. } in of_it() {
            let is_new = !component.candidates.iter().any(|it| short(it) == short(&purl.version));
            if is_open && is_new {
                component.candidates.push(purl.version.clone());
            }
            component.also.push(*basis);
        }
        // Metadata that names a version leaves no doubt of versions that nobody names: it is one
        // of these.
        if is_open && component.also.contains(&Basis::PomProperties) {
            component.also.push(component.basis);
            component.basis = Basis::PomProperties;
        }
        component.also.sort();
        component.also.dedup();
        component.also.retain(|it| *it != component.basis);
        let all = claims.into_iter().zip(told);
        all.filter(|(_, told)| !told).map(|(claim, _)| claim).collect()
    }

    /// Whether a claim says which version of a library stands here: its own metadata, or, where
    /// nothing else is in the archive, the names of the file and of the bundle.
    fn tells(&self, it: &Match, component: &Component, claim: &Component) -> bool {
        let (own, purl) = (&component.purl, &claim.purl);
        let is_of_it = match claim.basis {
            Basis::PomProperties => own.name == purl.name && own.namespace == purl.namespace,
            Basis::Manifest | Basis::FileName => {
                it.share_percent >= WHOLE_PERCENT && is_name_of(claim, &own.name)
            }
            _ => false,
        };
        is_of_it
            && !purl.version.is_empty()
            && [&claim.evidence, &component.evidence].iter().all(|it| *it == self.container)
    }

    /// Where a library is: the container itself when the library is most of it, or when metadata
    /// names it there; else the folder of its classes.
    fn evidence(&self, it: &Match, group: &str, name: &str, claims: &[Component]) -> String {
        let natural = format!("{}/", group.replace('.', "/"));
        let is_moved = it.is_one_of_many && !it.folder.starts_with(&natural);
        let is_claim = |claim: &Component| {
            claim.evidence == self.container
                && claim.purl.kind == "maven"
                && claim.purl.name == name
        };
        let is_main =
            self.is_folder || it.share_percent >= MAIN_PERCENT || claims.iter().any(is_claim);
        match (is_main && self.is_first && !is_moved, self.is_folder) {
            (true, _) => self.container.to_owned(),
            (false, true) => format!("{}{}", self.container, it.folder),
            (false, false) => format!("{}!/{}{}", self.container, self.root, it.folder),
        }
    }
}

fn drop_claims(found: &mut Found, from: usize, unwanted: impl Fn(&Component) -> bool) {
    let claims = found.components.split_off(from);
    found.components.extend(claims.into_iter().filter(|claim| !unwanted(claim)));
}
