//! Sites of several assets: what one of them says is said of none of the others.

use relight_model::{Basis, Component, Criticality, Flaw, GateKey, Purl, Scope};
use relight_store::{SiteRow, SnapshotDraft};

use super::*;

const DAY: Timestamp = 86_400;
const FLAW: &str = "CVE-2021-44228";

fn row(slug: &str) -> SiteRow {
    SiteRow {
        line: 1,
        slug: GateKey::new(slug).unwrap(),
        name_fr: slug.into(),
        name_en: slug.into(),
        origin: format!("{slug}.example"),
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        organisation: "Ville".into(),
        sector: "municipal".into(),
        criticality: Criticality::Normal,
        exposure: None,
        edge: String::new(),
        public: true,
    }
}

/// log4j-core of a version; one that starts with `?` was not read completely.
fn sbom(text: &str) -> Sbom {
    let version = text.trim_start_matches('?');
    let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", version);
    let flaw = Flaw { code: FlawCode::Encrypted, evidence: "x.zip".into(), bytes: 9 };
    Sbom {
        components: vec![Component::new(purl, "a.jar", Basis::PomProperties, Scope::Installed)],
        flaws: if text.starts_with('?') { vec![flaw] } else { Vec::new() },
        artifact: None,
        images: Vec::new(),
        tool: "test".into(),
    }
}

/// Goal: an asset of which nothing was read completely has not "had nothing". Method: a site of two
/// assets, the first with the flaw since its second day, the other with each kind of history.
#[test]
fn each_asset_says_only_what_it_was_itself() {
    for (what, other, expected) in [
        ("clear all the time", vec![(0, "2.17.1"), (4, "2.17.1")], Some((2, false))),
        ("never read completely", vec![(1, "?2.17.1"), (4, "?2.17.2")], Some((1, true))),
        ("read completely at last", vec![(1, "?2.17.1"), (4, "2.17.1")], Some((2, false))),
        ("not any more", vec![(1, "2.17.1"), (4, "?2.17.1")], Some((1, false))),
        ("never looked at", vec![], Some((2, true))),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let plan = store.plan_import(&[row("a"), row("b")]).unwrap();
        store.apply_import(&plan, 0, "test").unwrap();
        let placed = store.placements().unwrap();
        let (site, first, second) = (placed[0].0, placed[0].1, placed[1].1);
        let put = |asset, history: &[(i64, &str)]| {
            for (day, text) in history {
                let (sbom, at) = (&sbom(text), day * DAY);
                let (observed_at, recorded_at, profiles) = (at, at, None);
                let draft = SnapshotDraft { asset, sbom, observed_at, recorded_at, profiles };
                store.put_snapshots(&[draft]).unwrap();
            }
        };
        put(first, &[(2, "2.17.1"), (3, "2.14.1")]);
        put(second, &other);
        let mut then = Then::new(&store, &[FLAW.to_owned()], 7 * DAY).unwrap();
        then.placements.insert(site, vec![first, second]);
        let since = then.since(site, 5 * DAY, FLAW).unwrap();
        let expected = expected.map(|(day, or_earlier)| Since { at: day * DAY, or_earlier });
        assert_eq!(since, expected, "{what}");
    }
}
