//! A register of thousands of sites on one edge, its engine, and when each proof was journalled.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime};

use relight_engine::drive::Drive;
use relight_engine::edge::Target;
use relight_engine::incident::{Entry, EvidenceKind};
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::store::{DATABASE_FILE, RawAdvisory, SiteRow, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S, Inventory, edges};
use relight_formats::advisory::{self, Input};
use relight_model::{Basis, Component, Criticality, Digest, GateKey, Light, Purl, Sbom, Scope};

use crate::origin::Counts;
use crate::rig::{aliases, host, key, number};

pub(crate) const INCIDENT: &str = "CVE-2021-44228";

const ADVISORY: &str = r#"{"schema_version":"1.6.0","id":"CVE-2021-44228",
"modified":"2021-12-10T00:00:00Z","summary":"Log4Shell","affected":[{"package":
{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},"ranges":[{"type":"ECOSYSTEM",
"events":[{"introduced":"2.0"},{"fixed":"2.15.0"}]}]}]}"#;

/// Sites whose inventories are stored in one transaction.
const CHUNK: usize = 500;

/// Longest wait for anything.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest wait for a gate that somebody took away to be missed.
const DRIFT_MAX: Duration = Duration::from_secs(10);

/// The clock of this machine, in milliseconds.
#[expect(clippy::disallowed_methods, reason = "a benchmark is a program with a clock of its own")]
pub(crate) fn clock() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Writes a register with clear inventories into a folder.
pub(crate) fn register(folder: &Path, sites: usize, target: &Target) {
    register_on(folder, sites, std::slice::from_ref(target));
}

/// The same on several edges, each of which has as many of the sites, in their order.
pub(crate) fn register_on(folder: &Path, sites: usize, targets: &[Target]) {
    let store = Store::open(folder).unwrap();
    let edge = |site: usize| &targets[site * targets.len() / sites].name;
    let rows: Vec<SiteRow> = (0..sites).map(|site| row(site, edge(site))).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), clock() / 1_000, "bench").unwrap();
    for target in targets {
        put_edge(folder, target);
    }
    let reading = advisory::read(&Input::whole("", "bench", ADVISORY.as_bytes()));
    for record in &reading.records {
        let advisory = &record.advisory;
        let bytes = record.kept(ADVISORY.as_bytes());
        let (id, revision) = (&advisory.id, advisory.revision);
        let row = RawAdvisory { id, revision, bytes, recorded_at: 1 };
        store.put_advisories(&advisory.source, &[row]).unwrap();
    }
    let engine = open(folder);
    let keys: Vec<GateKey> = (0..sites).map(key).collect();
    for keys in keys.chunks(CHUNK) {
        let inventory = |site: &GateKey| Inventory {
            site: site.clone(),
            sbom: clear(),
            observed_at: engine.now(),
            profiles: None,
        };
        let inventories: Vec<Inventory> = keys.iter().map(inventory).collect();
        engine.ingest("bench", &inventories, EvidenceKind::Scan).unwrap();
    }
    engine.open_incident("bench", INCIDENT, "bench").unwrap();
}

/// The same register in another folder; nobody has it open.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::copy(from.join(DATABASE_FILE), to.join(DATABASE_FILE)).unwrap();
}

/// Says how the edge is reached from now on.
pub(crate) fn put_edge(folder: &Path, target: &Target) {
    let store = Store::open(folder).unwrap();
    store.put_edge(&edges::to_row(target).unwrap(), clock() / 1_000, "bench").unwrap();
}

/// Opens a register as its controller.
pub(crate) fn open(folder: &Path) -> Engine {
    Engine::open(Arc::new(Store::open(folder).unwrap()), options()).unwrap()
}

/// The same with its edges driven, from before its inventory is read.
pub(crate) fn drive(folder: &Path) -> (Arc<Engine>, Drive) {
    Drive::open(Arc::new(Store::open(folder).unwrap()), options()).unwrap()
}

fn options() -> EngineOptions {
    let holder = format!("bench {}", std::process::id());
    EngineOptions { holder, clock, inventory_ttl_s: INVENTORY_TTL_S }
}

fn row(site: usize, edge: &str) -> SiteRow {
    SiteRow {
        line: site + 2,
        slug: key(site),
        name_fr: format!("Service {site}"),
        name_en: format!("Service {site}"),
        origin: format!("http://{}", host(site)),
        organisation: format!("Body {}", site / 13),
        sector: "municipal".into(),
        criticality: Criticality::Essential,
        exposure: None,
        aliases: Some(aliases(site)),
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: edge.to_owned(),
        public: true,
    }
}

/// A complete inventory of one artifact, in which Log4j was repaired long ago.
fn clear() -> Sbom {
    let purl = Purl::new("maven", "org.apache.logging.log4j", "log4j-core", "2.17.1");
    let evidence = "app.war!/WEB-INF/lib/log4j-core-2.17.1.jar";
    let found = Component::new(purl, evidence, Basis::PomProperties, Scope::Installed);
    Sbom {
        components: vec![found],
        flaws: Vec::new(),
        artifact: Some(Digest([7; 32])),
        images: Vec::new(),
        tool: "relight bench".into(),
    }
}

/// What the journal was told about lights.
#[derive(Default)]
struct Told {
    /// Since when each site is proven.
    proven: BTreeMap<GateKey, (Light, Instant)>,
    /// When something was first not as it was proven.
    drifted: Option<Instant>,
}

/// The proofs of a town, to be waited for.
#[derive(Default)]
pub(crate) struct Proofs {
    told: Mutex<Told>,
    changed: Condvar,
}

impl Proofs {
    fn note(&self, entry: &Entry, counts: Option<&Counts>) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap();
        match entry {
            Entry::Proved { sites, light, .. } => {
                for site in sites {
                    if let (Light::Dark, Some(counts)) = (light, counts) {
                        counts.proven_dark(number(site));
                    }
                    told.proven.insert(site.clone(), (*light, now));
                }
            }
            Entry::Drifted { sites, .. } => {
                told.drifted.get_or_insert(now);
                told.proven.retain(|site, _| !sites.contains(site));
            }
            _ => return,
        }
        self.changed.notify_all();
    }

    /// Forgets that anything ever drifted.
    pub(crate) fn forget_drift(&self) {
        self.told.lock().unwrap().drifted = None;
    }

    /// Waits until something has drifted; when it did.
    pub(crate) fn wait_drift(&self) -> Option<Instant> {
        let is_missing = |told: &mut Told| told.drifted.is_none();
        let told = self.told.lock().unwrap();
        self.changed.wait_timeout_while(told, DRIFT_MAX, is_missing).unwrap().0.drifted
    }

    /// Waits until every one of `sites` is proven so; when the last one was.
    pub(crate) fn wait(&self, sites: &[GateKey], light: Light) -> Instant {
        let is_missing = |told: &Told, site: &GateKey| {
            told.proven.get(site).is_none_or(|(proven, _)| *proven != light)
        };
        let is_any = |told: &mut Told| sites.iter().any(|site| is_missing(told, site));
        let told = self.told.lock().unwrap();
        let (told, _) = self.changed.wait_timeout_while(told, WAIT_MAX, is_any).unwrap();
        let missing: Vec<&GateKey> = sites.iter().filter(|it| is_missing(&told, it)).collect();
        let (count, first) = (missing.len(), missing.first().map_or("", |key| key.as_str()));
        assert!(count == 0, "{count} sites not proven {light:?} in {WAIT_MAX:?}, {first} first");
        sites.iter().map(|site| told.proven[site].1).max().unwrap()
    }
}

/// A register under control.
pub(crate) struct Town {
    pub(crate) engine: Arc<Engine>,
    pub(crate) proofs: Arc<Proofs>,
    /// The threads of the edges; they stop with it.
    _drive: Drive,
}

impl Town {
    /// Opens a register and starts its loops.
    pub(crate) fn start(folder: &Path, counts: Option<Arc<Counts>>) -> Self {
        let engine = Arc::new(open(folder));
        let proofs = Arc::new(Proofs::default());
        let told = Arc::clone(&proofs);
        engine.listen(Box::new(move |_, appended| {
            for (_, entry) in appended.accepted() {
                told.note(entry, counts.as_deref());
            }
        }));
        let drive = Drive::start(&engine).unwrap();
        Self { engine, proofs, _drive: drive }
    }

    pub(crate) fn plan(&self, sites: &[GateKey]) -> Plan {
        plan(&self.engine, sites)
    }

    /// Orders sites dark and waits for every proof; seconds from the order to the last one.
    pub(crate) fn darken(&self, sites: &[GateKey]) -> f64 {
        self.darken_by_steps(sites).1
    }

    /// The same, and the seconds until the order was in the journal.
    pub(crate) fn darken_by_steps(&self, sites: &[GateKey]) -> (f64, f64) {
        let plan = self.plan(sites);
        let ordered = Instant::now();
        self.engine.execute(&plan, "bench").unwrap();
        let journalled = ordered.elapsed().as_secs_f64();
        (journalled, (self.proofs.wait(sites, Light::Dark) - ordered).as_secs_f64())
    }

    /// Clears sites and waits until they are proven lit; seconds from the clearance on.
    pub(crate) fn clear(&self, sites: &[GateKey]) -> f64 {
        let began = Instant::now();
        self.engine.attach_evidence("bench", INCIDENT, sites, EvidenceKind::Scan).unwrap();
        (self.proofs.wait(sites, Light::Lit) - began).as_secs_f64()
    }
}

pub(crate) fn plan(engine: &Engine, sites: &[GateKey]) -> Plan {
    let ask = PlanAsk {
        incident: INCIDENT.to_owned(),
        action: Action::Dark,
        part: None,
        reason: "as a precaution".to_owned(),
        advisory_revision: Digest::default(),
        policy: Digest::default(),
        proposer: "bench".to_owned(),
        created: engine.now(),
    };
    engine.plan(ask, sites).unwrap()
}
