//! What the tests of this crate share: a store in a folder of its own, and seeded inventories.

use relight_model::{
    AssetId, Basis, Component, Criticality, Digest, Flaw, FlawCode, GateKey, Purl, Sbom, Scope,
};
use rusqlite::Connection;
use tempfile::TempDir;
use testkit::Rng;

use crate::{JournalDraft, SiteRow, SnapshotDraft, SnapshotOutcome, Store};

/// An empty store, in memory where there is a folder for that: on a busy disk each commit waits for
/// everybody else's. The folder is removed when the first value is dropped.
pub(crate) fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// A store with `count` sites, `site-0` and so on; site and asset numbers start at 1.
pub(crate) fn open_with_sites(count: usize) -> (TempDir, Store) {
    let (folder, store) = open();
    import(&store, &rows(count));
    (folder, store)
}

/// Imports rows that have no conflict.
pub(crate) fn import(store: &Store, rows: &[SiteRow]) {
    let plan = store.plan_import(rows).unwrap();
    assert_eq!(plan.conflicts, []);
    store.apply_import(&plan, 1, "test").unwrap();
}

/// `count` rows without conflict, ten to an organisation.
pub(crate) fn rows(count: usize) -> Vec<SiteRow> {
    (0..count)
        .map(|number| SiteRow {
            line: number + 2,
            slug: GateKey::new(&format!("site-{number}")).unwrap(),
            name_fr: format!("Site n° {number}"),
            name_en: format!("Site no. {number}"),
            origin: format!("https://site-{number}.example"),
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            organisation: format!("Body {}", number / 10),
            sector: "health".into(),
            criticality: Criticality::Important,
            exposure: None,
            edge: "edge-a".into(),
            public: true,
        })
        .collect()
}

/// A connection behind the store's back.
pub(crate) fn behind(store: &Store) -> Connection {
    Connection::open(store.path()).unwrap()
}

/// Entries for the journal.
pub(crate) fn drafts(actor: &str, count: usize) -> Vec<JournalDraft> {
    (0..count)
        .map(|number| JournalDraft {
            time: 1_000 + number as i64,
            actor: actor.to_owned(),
            kind: "note".into(),
            incident: "INC-1".into(),
            body: format!("{{\"number\":{number}}}"),
        })
        .collect()
}

/// A component as a scanner finds it.
pub(crate) fn component(purl: &str, evidence: &str) -> Component {
    let purl = Purl::parse(purl).unwrap();
    Component::new(purl, evidence, Basis::PomProperties, Scope::Installed)
}

/// A complete inventory with these components.
pub(crate) fn sbom(components: &[(&str, &str)]) -> Sbom {
    let components = components.iter().map(|(purl, evidence)| component(purl, evidence)).collect();
    let mut sbom = Sbom { components, tool: "test 1".into(), ..Sbom::default() };
    sbom.normalise();
    sbom
}

/// Stores one inventory, learnt when it was observed.
pub(crate) fn put(store: &Store, asset: u32, sbom: &Sbom, at: i64) -> SnapshotOutcome {
    let asset = AssetId(asset);
    let draft = SnapshotDraft { asset, sbom, observed_at: at, recorded_at: at, profiles: None };
    store.put_snapshots(&[draft]).unwrap()[0].outcome
}

/// An inventory with everything that can be in one, texts hostile to a line format included.
pub(crate) fn any_sbom(rng: &mut Rng) -> Sbom {
    let components = (0..rng.below(12)).map(|_| any_component(rng)).collect();
    let flaws = (0..rng.below(3))
        .map(|_| Flaw {
            code: *rng.pick(&FlawCode::ALL),
            evidence: any_text(rng),
            bytes: rng.next() >> rng.below(64),
        })
        .collect();
    let artifact = rng.chance(50).then(|| Digest([rng.next() as u8; 32]));
    let image = |rng: &mut Rng| Purl::new("oci", "", &any_text(rng), &any_text(rng));
    let images = (0..rng.below(3)).map(|_| image(rng)).collect();
    let mut sbom = Sbom { components, flaws, artifact, images, tool: any_text(rng) };
    sbom.normalise();
    sbom
}

fn any_component(rng: &mut Rng) -> Component {
    let mut purl = Purl::new("maven", &any_text(rng), &any_text(rng), &any_text(rng));
    for _ in 0..rng.below(3) {
        purl = purl.with_qualifier(&any_text(rng), &any_text(rng));
    }
    let mut removed: Vec<String> = (0..rng.below(3)).map(|_| any_text(rng)).collect();
    removed.sort();
    let basis = *rng.pick(&Basis::ALL);
    let mut also: Vec<_> = (0..rng.below(3)).map(|_| *rng.pick(&Basis::ALL)).collect();
    also.sort();
    Component {
        also,
        candidates: (0..rng.below(3)).map(|_| any_text(rng)).collect(),
        conflict: rng.chance(20),
        removed,
        owned_by: rng.chance(20).then(|| Purl::new("deb", "debian", "a b", &any_text(rng))),
        hashes: (0..rng.below(2)).map(|_| Digest([rng.next() as u8; 32])).collect(),
        in_use: (0..rng.below(2)).map(|_| any_text(rng)).collect(),
        ..Component::new(purl, any_text(rng), basis, *rng.pick(&Scope::ALL))
    }
}

fn any_text(rng: &mut Rng) -> String {
    let signs = ["a", "B", "-", "\t", "\n", "\r", "\\", "\\t", "!/", "0", "é", "💡", "\0"];
    (0..rng.below(4)).map(|_| *rng.pick(&signs)).collect()
}
