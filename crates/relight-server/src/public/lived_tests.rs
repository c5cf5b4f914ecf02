//! What the whole page says of registers that live through the same lights: through the engine,
//! from the journal to the last byte.

use std::path::Path;
use std::sync::Arc;

use relight_engine::drive::for_incidents;
use relight_engine::incident::{Entry, EvidenceKind};
use relight_engine::live::Board;
use relight_engine::reconcile::Round;
use relight_engine::store::{SiteRow, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S, Inventory};
use relight_model::{
    Basis, Component, Criticality, Digest, DisplayState, Epoch, GateKey, Light, Purl, Sbom, Scope,
};

use super::tests::{certificates, export};
use super::*;

const LOG4SHELL: &str = "CVE-2021-44228";
/// Its id sorts behind the other.
const RECURSION: &str = "CVE-2021-45105";

/// A register whose life is lived within one minute of the page.
struct Town {
    engine: Engine,
    board: Arc<Board>,
}

impl Town {
    fn new(place: &Path) -> Self {
        let store = Arc::new(Store::open(place).unwrap());
        let rows: Vec<SiteRow> = (0..4).map(row).collect();
        let plan = store.plan_import(&rows).unwrap();
        store.apply_import(&plan, 60, "test").unwrap();
        let options = EngineOptions {
            holder: "test".into(),
            clock: || 60_000,
            inventory_ttl_s: INVENTORY_TTL_S,
        };
        let engine = Engine::open(store, options).unwrap();
        let board = engine.board().unwrap();
        Self { engine, board }
    }

    fn order(&self, id: &str, site: usize) {
        let (sites, reason) = (vec![key(site)], "as a precaution".to_owned());
        let order = Entry::DarkOrdered { plan: Digest::default(), sites, reason };
        self.engine.record("A. Tremblay", id, order).unwrap();
    }

    /// What the edge saw, told to every incident that it concerns.
    fn see(&self, site: usize, light: Light) {
        let (sites, edge) = (vec![key(site)], "east".to_owned());
        let entry = Entry::Proved { sites, light, edge, epoch: Epoch::default() };
        let round = Round { entries: vec![entry], ..Round::default() };
        let told = self.engine.with_ledger(|ledger| for_incidents(ledger, &round));
        for result in self.engine.append("relight", told).unwrap() {
            result.unwrap();
        }
    }

    fn scan(&self, site: usize, version: &str) {
        let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", version);
        let evidence = format!("log4j-core-{version}.jar");
        let component = Component::new(purl, evidence, Basis::PomProperties, Scope::Installed);
        let number = version.bytes().fold(1_u8, |sum, byte| sum.wrapping_mul(31) ^ byte);
        let sbom = Sbom {
            components: vec![component],
            flaws: Vec::new(),
            artifact: Some(Digest([number; 32])),
            images: Vec::new(),
            tool: "test".into(),
        };
        let (site, observed_at) = (key(site), self.engine.now());
        let inventory = Inventory { site, sbom, observed_at, profiles: None };
        self.engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
    }

    fn state(&self, site: usize) -> DisplayState {
        self.engine.with_ledger(|ledger| ledger.display(&key(site)).0)
    }
}

fn key(site: usize) -> GateKey {
    GateKey::new(&format!("site-{site}")).unwrap()
}

fn row(number: usize) -> SiteRow {
    SiteRow {
        line: number + 1,
        slug: key(number),
        name_fr: format!("Service {number}"),
        name_en: format!("Service {number}"),
        origin: format!("https://site-{number}.example"),
        organisation: "Ville de Clairbourg".into(),
        sector: "municipal".into(),
        criticality: Criticality::Essential,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "east".into(),
        public: number != 3,
    }
}

/// Every file of the page after a life, and what the console shows of the sites.
fn told(live: impl FnOnce(&Town)) -> (Files, [DisplayState; 4]) {
    let place = tempfile::tempdir().unwrap();
    let town = Town::new(place.path());
    live(&town);
    let files = export(&town.board, &mut certificates());
    (files, [0, 1, 2, 3].map(|site| town.state(site)))
}

/// Goal: nobody can tell from the page what is vulnerable, however many incidents are open.
/// Method: sites are proven dark under one incident, another one is opened whose id comes first,
/// and each is scanned: affected in one register, clear in the other. The lights that were proven
/// are the same, and so are all files, to the byte; a light that differs is seen.
#[test]
fn registers_of_two_incidents_that_differ_in_verdicts_only_have_equal_exports() {
    let lived = |version: &str, back: bool| {
        told(|town| {
            town.engine.open_incident("A. Tremblay", RECURSION, "demo").unwrap();
            for site in [0, 1, 3] {
                town.order(RECURSION, site);
                town.see(site, Light::Dark);
            }
            town.engine.open_incident("A. Tremblay", LOG4SHELL, "demo").unwrap();
            for site in [0, 1, 3] {
                town.scan(site, version);
            }
            // Proofs go on as before.
            town.see(0, Light::Dark);
            if back {
                town.engine.relight_ready().unwrap();
                town.see(1, Light::Lit);
            }
        })
    };
    let (affected, states) = lived("2.14.1", false);
    let (clear, others) = lived("2.17.1", false);
    assert_ne!(states, others);
    assert_eq!(states[0], DisplayState::Affected);
    assert!(affected == clear, "the verdict is public");
    let signed = affected.keys().filter(|path| path.starts_with("certificates/"));
    assert_eq!(signed.collect::<Vec<_>>(), ["certificates/key.json"], "no outage is over");
    assert!(lived("2.17.1", true).0 != clear, "a light is public");
}

/// The same while a site is being opened: news that it is affected does not say that it is back.
#[test]
fn bad_news_about_a_site_that_is_being_opened_ends_no_outage() {
    let lived = |then: fn(&Town)| {
        told(|town| {
            town.engine.open_incident("A. Tremblay", LOG4SHELL, "demo").unwrap();
            town.order(LOG4SHELL, 0);
            town.see(0, Light::Dark);
            town.scan(0, "2.17.1");
            assert_eq!(town.engine.relight_ready().unwrap(), 1);
            then(town);
        })
    };
    let (calm, _) = lived(|_| {});
    let (bad, states) = lived(|town| town.scan(0, "2.14.1"));
    assert_eq!(states[0], DisplayState::DarkRequested);
    assert!(bad == calm, "the verdict is public");
}

/// Goal: whoever reads the page does not know that something is coming. Method: an outage that is
/// over; then another incident is opened, and darkens, and nothing is proven dark.
#[test]
fn an_incident_of_which_nothing_is_dark_is_not_public() {
    let lived = |closes: bool, opens: bool| {
        let (files, _) = told(|town| {
            town.engine.open_incident("A. Tremblay", LOG4SHELL, "demo").unwrap();
            town.order(LOG4SHELL, 0);
            town.see(0, Light::Dark);
            town.scan(0, "2.17.1");
            town.engine.relight_ready().unwrap();
            town.see(0, Light::Lit);
            if closes {
                town.engine
                    .record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true })
                    .unwrap();
            }
            if opens {
                town.engine.open_incident("A. Tremblay", RECURSION, "demo").unwrap();
                town.order(RECURSION, 1);
            }
        });
        files
    };
    let status = |files: &Files| {
        let document: serde_json::Value =
            serde_json::from_slice(&files["api/v2/incidents.json"]).unwrap();
        document["incidents"][0]["status"].as_str().unwrap().to_owned()
    };
    for (closes, said) in [(false, "monitoring"), (true, "resolved")] {
        let calm = lived(closes, false);
        assert_eq!(status(&calm), said);
        assert!(lived(closes, true) == calm, "{said}: that something is open is public");
    }
}
