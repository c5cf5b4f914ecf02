//! A register of thousands of sites with millions of components, from a seed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use relight_engine::store::{SiteRow, SnapshotDraft, Store};
use relight_formats::advisory;
use relight_model::{
    AssetId, Basis, Component, Criticality, GateKey, PackageName, Purl, RangeEvent, Sbom, Scope,
};
use serde_json::{Value, json};
use testkit::Rng;

/// Distinct identities, as in the register whose figures REGISTER.md quotes.
const IDENTITIES_MAX: usize = 141_390;
/// Sites of one body share their inventory.
const SITES_OF_A_BODY: usize = 10;
/// Versions of one package.
const VERSIONS_MAX: usize = 6;
/// Advisories that the generator writes when there is no real set.
const GENERATED: usize = 33_443;

/// What was generated.
pub(crate) struct Portfolio {
    /// One inventory a body.
    pub(crate) bodies: Vec<Sbom>,
    identities: Vec<Purl>,
    sites: usize,
}

impl Portfolio {
    /// Registers `sites` sites whose inventories have `rows` components together, of the packages
    /// that the advisories of the store name, and of others that nobody names.
    pub(crate) fn generate(store: &Store, sites: usize, rows: usize, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let identities = identities(store, &mut rng);
        let size = rows / sites;
        let bodies =
            (0..sites.div_ceil(SITES_OF_A_BODY)).map(|_| body(&identities, size, &mut rng));
        let portfolio = Self { bodies: bodies.collect(), identities, sites };
        let plan: Vec<SiteRow> = (0..sites).map(row).collect();
        let plan = store.plan_import(&plan).unwrap();
        store.apply_import(&plan, 1, "bench").unwrap();
        for first in (0..sites).step_by(200) {
            let drafts: Vec<_> = (first..(first + 200).min(sites))
                .map(|site| SnapshotDraft {
                    asset: AssetId(u32::try_from(site).unwrap() + 1),
                    sbom: &portfolio.bodies[site / SITES_OF_A_BODY],
                    observed_at: 1,
                    recorded_at: 1,
                    profiles: None,
                })
                .collect();
            store.put_snapshots(&drafts).unwrap();
        }
        portfolio
    }

    /// What is in it.
    pub(crate) fn describe(&self) -> Value {
        let rows: usize = self.bodies.iter().map(|sbom| sbom.components.len()).sum();
        json!({"sites": self.sites, "bodies": self.bodies.len(), "rows": rows * SITES_OF_A_BODY,
               "identities": self.identities.len()})
    }

    /// A Maven, npm or PyPI package that sites have, and the version that they have.
    pub(crate) fn popular(&self, number: usize) -> (PackageName, String) {
        let known = |purl: &&Purl| ["maven", "npm", "pypi"].contains(&purl.kind.as_str());
        let purl = self.identities.iter().filter(known).nth(number * 7).unwrap();
        (relight_engine::matching::package_of(purl), purl.version.clone())
    }
}

/// Versions at the bounds of the advisories, where a wrong comparison shows, the most used first.
fn identities(store: &Store, rng: &mut Rng) -> Vec<Purl> {
    let mut named = BTreeSet::new();
    for stored in store.advisories().unwrap() {
        let record = advisory::read_kept(&stored.source, &stored.id, &stored.bytes);
        for affected in record.iter().flat_map(|record| &record.affected) {
            let bounds = affected.ranges.iter().flat_map(|range| &range.events).map(|event| {
                let (RangeEvent::Introduced(version)
                | RangeEvent::Fixed(version)
                | RangeEvent::LastAffected(version)
                | RangeEvent::Limit(version)) = event;
                version
            });
            let versions = bounds.chain(&affected.versions).filter(|version| *version != "0");
            for version in versions.take(VERSIONS_MAX) {
                named.extend(purl(&affected.package, version));
            }
        }
    }
    let mut all: Vec<Purl> = named.into_iter().collect();
    let mut number = 0;
    while all.len() < IDENTITIES_MAX {
        let version = format!("{}.{}.{}", rng.below(9), rng.below(30), number % 10);
        all.push(Purl::new("npm", "", &format!("library-{}", number / 4), &version));
        number += 1;
    }
    all.truncate(IDENTITIES_MAX);
    for last in (1..all.len()).rev() {
        all.swap(last, rng.below(last + 1));
    }
    all
}

fn purl(package: &PackageName, version: &str) -> Option<Purl> {
    let PackageName { ecosystem, release, name } = package;
    let kind = ecosystem.purl_kind()?;
    let (namespace, name) = match name.split_once([':']).or_else(|| name.rsplit_once('/')) {
        Some((namespace, name)) => (namespace, name),
        None => (ecosystem.purl_namespace().unwrap_or_default(), name.as_str()),
    };
    let purl = Purl::new(kind, namespace, name, version);
    Some(match release {
        Some(release) => purl.with_qualifier("distro", &format!("{namespace}-{release}")),
        None => purl,
    })
}

/// A few identities are everywhere and most are rare: the cube of a uniform number.
fn body(identities: &[Purl], size: usize, rng: &mut Rng) -> Sbom {
    let mut chosen = BTreeSet::new();
    while chosen.len() < size {
        let uniform = (rng.next() >> 11) as f64 / (1_u64 << 53) as f64;
        chosen.insert((uniform.powi(3) * identities.len() as f64) as usize);
    }
    let held = chosen.into_iter().map(|at| component(&identities[at], &format!("app/{at}")));
    let components = held.collect();
    let mut sbom = Sbom { components, tool: "portfolio 1".into(), ..Sbom::default() };
    sbom.normalise();
    sbom
}

fn component(purl: &Purl, evidence: &str) -> Component {
    Component::new(purl.clone(), evidence, Basis::PomProperties, Scope::Installed)
}

fn row(number: usize) -> SiteRow {
    let slug = format!("site-{number:04}");
    SiteRow {
        line: number + 2,
        slug: GateKey::new(&slug).unwrap(),
        name_fr: format!("Service {number}"),
        name_en: format!("Service {number}"),
        origin: format!("https://{slug}.example"),
        organisation: format!("Body {}", number / SITES_OF_A_BODY),
        sector: "health".into(),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "edge-a".into(),
        public: true,
    }
}

/// One advisory about exactly this version; `state` is one more field of it, or nothing.
pub(crate) fn advisory(number: usize, package: &PackageName, version: &str, state: &str) -> String {
    let ecosystem = package.ecosystem.as_str();
    json_line(&format!("CVE-2099-{number}"), state, ecosystem, &package.name, version, version)
}

fn json_line(id: &str, state: &str, ecosystem: &str, name: &str, from: &str, to: &str) -> String {
    let package = json!({"ecosystem": ecosystem, "name": name});
    let events = json!([{"introduced": from}, {"last_affected": to}]);
    format!(
        r#"{{"id":"{id}",{state}"modified":"2021-12-18T00:00:00Z","summary":"generated",
        "affected":[{{"package":{package},"ranges":[{{"type":"ECOSYSTEM","events":{events}}}]}}]}}"#
    )
    .replace('\n', "")
}

/// As many advisories as the real set has, about packages that do not exist.
pub(crate) fn advisories(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut text = String::new();
    for number in 0..GENERATED {
        let ecosystem = *rng.pick(&["Maven", "npm", "PyPI", "RubyGems"]);
        let group = if ecosystem == "Maven" { "org.example:" } else { "" };
        let name = format!("{group}package-{}", rng.below(GENERATED / 3));
        let (major, minor) = (rng.below(9), rng.below(20));
        let (from, to) = (format!("{major}.0.0"), format!("{major}.{minor}.{}", rng.below(10)));
        let line = json_line(&format!("TEST-{number}"), "", ecosystem, &name, &from, &to);
        let _ = writeln!(text, "{line}");
    }
    text.into_bytes()
}
