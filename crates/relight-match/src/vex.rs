//! Statements of suppliers (VEX) as an overlay: what they change about the answer of a group, and
//! what they never may.
//!
//! A statement changes no range. Only issuers that the operator trusts have an effect, a
//! mitigation never clears, and what is said of one digest, version or stream says nothing about
//! another.

use std::collections::BTreeMap;

use relight_model::{Component, Digest, Purl, VexProduct, VexStatement, VexStatus};
use sha2::{Digest as _, Sha256};

use crate::authority::Policy;
use crate::opinion::Stand;
use crate::package::package_of;
use crate::version::{compare, scheme_of};

/// One statement, weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What was said.
    pub said: VexStatement,
    /// What it is worth.
    pub effect: Effect,
    /// The issuer is on the operator's list.
    pub is_trusted: bool,
    /// SHA-256 over everything that decides.
    pub digest: Digest,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Affected, whatever ranges say.
    Affects,
    /// Affected, with something in front of it.
    Mitigates,
    /// Not affected.
    Clears,
    /// Not affected in exactly this version: a fix that was carried back.
    Fixes,
    /// The supplier is still looking.
    Nothing,
    /// "Not affected" without a justification or a text: no effect.
    Unjustified,
}

impl Effect {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affects => "affects",
            Self::Mitigates => "mitigates",
            Self::Clears => "clears",
            Self::Fixes => "fixes",
            Self::Nothing => "nothing",
            Self::Unjustified => "unjustified",
        }
    }

    /// Affected first, and clear without a word about a version last.
    const fn weakness(self) -> u8 {
        match self {
            Self::Affects => 0,
            Self::Mitigates => 1,
            Self::Nothing | Self::Unjustified => 2,
            Self::Fixes => 3,
            Self::Clears => 4,
        }
    }

    const fn clears(self) -> bool {
        matches!(self, Self::Clears | Self::Fixes)
    }
}

/// Justifications that name something in front of the flaw, not its absence.
const MITIGATIONS: [&str; 4] = [
    "inline_mitigations_already_exist",
    "protected_by_mitigating_control",
    "protected_at_perimeter",
    "protected_at_runtime",
];

/// What encloses a component, as far as it is known: the assets it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enclosure {
    /// The assets by their purls; an image carries its digest as version.
    pub purls: Vec<Purl>,
    /// The systems by their CPE names (`CPE_NAME` of os-release).
    pub cpes: Vec<String>,
}

impl Enclosure {
    /// An image of containers, by everything that it is known by ([`relight_model::Sbom::images`]).
    pub fn of_image(images: &[Purl]) -> Self {
        Self { purls: images.to_vec(), cpes: Vec::new() }
    }
}

/// What the trusted statements that apply make of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// The statements that applied, newest of each issuer, trusted or not.
    pub applied: Vec<Statement>,
    /// Trusted issuers contradict each other.
    pub contradicts: bool,
}

impl Statement {
    /// Weighs a statement.
    pub(crate) fn new(said: VexStatement, policy: &Policy) -> Self {
        let effect = effect(&said);
        let is_trusted = policy.trusted.contains(&said.issuer);
        Self { effect, is_trusted, digest: digest(&said, effect), said }
    }

    /// The images of containers that it names by their digests, for themselves or for what is in
    /// them.
    pub fn images(&self) -> impl Iterator<Item = Digest> {
        let streams = self.said.products.iter().flat_map(|it| &it.within);
        let products = self.said.products.iter().chain(streams);
        products.flat_map(|it| &it.purls).filter_map(Purl::image)
    }

    /// Whether it is about this component in this enclosure (ADVISORIES.md 7.2).
    pub fn applies(&self, component: &Component, enclosure: &Enclosure) -> bool {
        let must_be_exact = self.effect == Effect::Fixes;
        let mut products = self.said.products.iter();
        products.any(|product| applies(product, component, enclosure, must_be_exact))
    }
}

impl Overlay {
    /// The statements that apply to a component, of those about one flaw.
    pub(crate) fn of<'a>(
        statements: impl Iterator<Item = &'a Statement>,
        component: &Component,
        enclosure: &Enclosure,
    ) -> Self {
        let mut newest: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
        for statement in statements.filter(|it| it.applies(component, enclosure)) {
            let known = newest.entry(&statement.said.issuer).or_default();
            known.retain(|it| it.said.at >= statement.said.at);
            if known.iter().all(|it| it.said.at <= statement.said.at) {
                known.push(statement);
            }
        }
        // Of what one issuer says at one moment the worst counts.
        let all = || newest.values().flatten().filter(|it| it.is_trusted);
        let contradicts = all().any(|it| it.effect.clears())
            && all().any(|it| matches!(it.effect, Effect::Affects | Effect::Mitigates));
        let worst = |said: &Vec<&Statement>| {
            said.iter().min_by_key(|it| (it.effect.weakness(), it.digest)).map(|it| (*it).clone())
        };
        let applied: Vec<_> = newest.values().filter_map(worst).collect();
        Self { applied, contradicts }
    }

    /// The verdict with the overlay, and whether it is mitigated or rests on a statement. Where an
    /// advisory of our own leaves the component open, no statement clears it.
    pub(crate) fn apply(&self, stand: Stand, is_open: bool) -> (Stand, Laid) {
        let has = |wanted: fn(Effect) -> bool| {
            self.applied.iter().any(|it| it.is_trusted && wanted(it.effect))
        };
        let affects = has(|it| it == Effect::Affects);
        let is_mitigated = !affects && has(|it| it == Effect::Mitigates);
        let clears = has(Effect::clears);
        let laid = |by_statement| Laid { is_mitigated, by_statement, is_refused: false };
        match (affects || is_mitigated, clears) {
            // A contradiction stays affected, and is flagged.
            (true, _) if stand != Stand::Affected && affects => (Stand::Affected, laid(true)),
            (true, _) => (stand, laid(is_mitigated)),
            (false, true) if stand != Stand::NotAffected && is_open => {
                (stand, Laid { is_refused: true, ..Laid::default() })
            }
            (false, true) if stand != Stand::NotAffected => (Stand::NotAffected, laid(true)),
            (false, _) => (stand, laid(false)),
        }
    }
}

/// What an overlay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Laid {
    pub(crate) is_mitigated: bool,
    pub(crate) by_statement: bool,
    /// A statement would have cleared what an advisory of our own leaves open.
    pub(crate) is_refused: bool,
}

fn effect(said: &VexStatement) -> Effect {
    let justification = said.justification.as_deref().unwrap_or_default();
    match said.status {
        VexStatus::Affected => Effect::Affects,
        VexStatus::Mitigated => Effect::Mitigates,
        VexStatus::Fixed => Effect::Fixes,
        VexStatus::UnderInvestigation => Effect::Nothing,
        VexStatus::NotAffected if MITIGATIONS.contains(&justification) => Effect::Mitigates,
        VexStatus::NotAffected if justification.is_empty() && said.text.trim().is_empty() => {
            Effect::Unjustified
        }
        VexStatus::NotAffected => Effect::Clears,
    }
}

fn digest(said: &VexStatement, effect: Effect) -> Digest {
    let VexStatement { issuer, document, vulnerabilities, products, status, .. } = said;
    let VexStatement { justification, text: _, at, .. } = said;
    // Words change nothing, but without any a statement clears nothing.
    let lack = if effect == Effect::Unjustified { " unjustified" } else { "" };
    let status = status.as_str();
    let form = format!(
        "{issuer:?} {document:?} {vulnerabilities:?} {products:?} {status} {justification:?} \
         {at:?}{lack}",
    );
    Digest(Sha256::digest(form.as_bytes()).into())
}

fn applies(
    product: &VexProduct,
    component: &Component,
    enclosure: &Enclosure,
    must_be_exact: bool,
) -> bool {
    // A component of a stream: there and nowhere else.
    if !product.within.iter().all(|stream| is_stream(stream, component, enclosure)) {
        return false;
    }
    let assets = || enclosure.purls.iter().chain(&component.owned_by);
    let in_asset = || assets().any(|asset| fits(product, asset, &[], must_be_exact));
    if product.subcomponents.is_empty() {
        let digests = own_digests(component);
        return fits(product, &component.purl, &digests, must_be_exact) || in_asset();
    }
    let mut parts = product.subcomponents.iter();
    in_asset() && parts.any(|part| fits(part, &component.purl, &own_digests(component), false))
}

fn own_digests(component: &Component) -> Vec<String> {
    component.hashes.iter().map(ToString::to_string).collect()
}

/// Whether a product as stated is this package: everything that is given must hold.
fn fits(product: &VexProduct, found: &Purl, digests: &[String], must_be_exact: bool) -> bool {
    let of_sha256 = |(name, _): &&(String, String)| matches!(name.as_str(), "sha-256" | "sha256");
    let mut hashes = product.hashes.iter().filter(of_sha256).peekable();
    let is_hashed = hashes.peek().is_some();
    if is_hashed
        && !hashes.any(|(_, value)| digests.iter().any(|it| it.eq_ignore_ascii_case(value)))
    {
        return false;
    }
    let is_versioned = !product.versions.is_empty();
    let is_exact = |stated: &Purl| is_hashed || is_versioned || !stated.version.is_empty();
    let mut purls = product.purls.iter();
    purls.any(|stated| {
        let named = is_same_image(stated, found)
            || is_same_package(stated, found) && is_same_version(stated, found);
        named && version_is_among(&product.versions, found) && (!must_be_exact || is_exact(stated))
    })
}

/// An image is the same by its digest alone, whatever it is called and wherever it lies. The digest
/// of an index is that of several: one that is stated for an architecture is for that.
fn is_same_image(stated: &Purl, found: &Purl) -> bool {
    let arch = stated.qualifier("arch");
    let is_it = stated.image().is_some() && stated.image() == found.image();
    is_it && (arch.is_none() || arch == found.qualifier("arch"))
}

/// Each part that is stated must be there; qualifiers too, except `repository_url`, which is
/// compared only when both have one.
fn is_same_package(stated: &Purl, found: &Purl) -> bool {
    if stated.kind != found.kind {
        return false;
    }
    // Without a namespace in the statement, that of the component does not matter.
    let namespace = |purl: &Purl| match stated.namespace.as_str() {
        "" => String::new(),
        _ => purl.namespace.clone(),
    };
    let plain = |purl: &Purl| {
        package_of(&Purl::new(&purl.kind, &namespace(purl), &purl.name, &purl.version))
    };
    let same_name = plain(stated) == plain(found);
    let mut qualifiers = stated.qualifiers.iter();
    same_name
        && qualifiers.all(|(key, value)| match (key.as_str(), found.qualifier(key)) {
            ("repository_url", None) => true,
            (_, other) => other == Some(value.as_str()),
        })
}

/// A version that is stated must be the same in the order of the ecosystem. An image is known by
/// its digest: name and tag alone are never it.
fn is_same_version(stated: &Purl, found: &Purl) -> bool {
    if stated.kind == "oci" || stated.version.starts_with("sha256:") {
        return stated.version.starts_with("sha256:") && stated.version == found.version;
    }
    stated.version.is_empty() || is_equal(&stated.version, found)
}

fn is_equal(stated: &str, found: &Purl) -> bool {
    let scheme = scheme_of(&package_of(found).ecosystem);
    let is_same = compare(scheme, stated, &found.version).is_some_and(std::cmp::Ordering::is_eq);
    is_same || stated == found.version && !stated.is_empty()
}

fn version_is_among(versions: &[String], found: &Purl) -> bool {
    versions.is_empty() || versions.iter().any(|it| crate::native::holds(it, found, is_equal))
}

/// Whether the component is in a product stream: an asset that is named so, or, for the packages
/// of a distribution, its release as a CPE name spells it.
fn is_stream(stream: &VexProduct, component: &Component, enclosure: &Enclosure) -> bool {
    let named = |asset: &Purl| fits(stream, asset, &[], false);
    let cpe = |stated: &String| {
        enclosure.cpes.iter().any(|cpe| covers_cpe(stated, cpe))
            || is_release(stated, &component.purl)
    };
    enclosure.purls.iter().any(named) || stream.cpes.iter().any(cpe)
}

/// The parts of a CPE name from its kind on, in either binding, without trailing wildcards.
fn cpe_parts(cpe: &str) -> Vec<String> {
    let rest = cpe.strip_prefix("cpe:2.3:").or_else(|| cpe.strip_prefix("cpe:/")).unwrap_or(cpe);
    let mut parts: Vec<String> = rest.split(':').map(str::to_lowercase).collect();
    while parts.last().is_some_and(|part| matches!(part.as_str(), "" | "*" | "-")) {
        parts.pop();
    }
    parts
}

/// Whether everything that a stated name says is said by the name of a system.
fn covers_cpe(stated: &str, found: &str) -> bool {
    let (stated, found) = (cpe_parts(stated), cpe_parts(found));
    !stated.is_empty()
        && stated.len() <= found.len()
        && stated.iter().zip(&found).all(|(a, b)| a == b || matches!(a.as_str(), "" | "*"))
}

/// `cpe:/o:redhat:enterprise_linux:8::baseos` and a package of release 8 of that distribution.
fn is_release(stated: &str, found: &Purl) -> bool {
    let package = package_of(found);
    let parts = cpe_parts(stated);
    let (Some(vendor), Some(version)) = (parts.get(1), parts.get(3)) else { return false };
    let product = parts.get(2).map(String::as_str).unwrap_or_default();
    let is_vendor = relight_model::Ecosystem::from_purl(&found.kind, vendor) == package.ecosystem;
    let is_system = matches!(product, "enterprise_linux" | "almalinux" | "rocky_linux" | "linux");
    // A minor release (`8.6`) is another stream (extended support) with fixes of its own.
    is_vendor && is_system && package.release.as_deref() == Some(version.as_str())
}
