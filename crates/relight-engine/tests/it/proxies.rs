//! Whole incidents on real proxies, from one seed each: the engine is killed between any two
//! effects, somebody reloads or restarts the edge, the edge crashes, the disk is full, the advisory
//! is revised, artifacts are rolled back, the clock jumps.
//!
//! Goal: no visitor ever sees a site come back with an artifact that the latest revision calls
//! affected; once faults stop, every site comes back and the incident closes. Method: after each
//! step every site is asked for as a visitor would. `SEED=7` runs one seed alone.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use relight_engine::drive::for_incidents;
use relight_engine::edge::http::Client;
use relight_engine::edge::probe::GATE_HEADER;
use relight_engine::edge::{
    Capabilities, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Lint, Prober, Stage,
    TunnelCount,
};
use relight_engine::incident::{Compromise, Entry, EvidenceKind, Phase};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::reconcile::{EdgeLoop, Listeners, wants};
use relight_engine::store::{JOURNAL_LEASE, RawAdvisory, SiteCheck, SiteChecks, SiteRow, Store};
use relight_engine::{Engine, FunctionalTest, Inventory, edges};
use relight_formats::advisory::{self, Input};
use relight_model::{
    Basis, Component, Criticality, Digest, Epoch, GateKey, Purl, Sbom, Scope, Seen,
};
use testkit::Rng;

use crate::engine::{clock, open, pass};
use crate::rig::{Kind, Rig, host, key};

pub(crate) const ID: &str = "CVE-2099-0001";
const SITES: usize = 6;
const STEPS: usize = 40;
/// How long connections of before are left alone, in milliseconds.
const GRACE_MS: i64 = 2_000;
/// Seeds of the suite on each proxy; `RELIGHT_PROXY_SEEDS` sets another number.
const SEEDS: u64 = 2;
/// Turns within which everybody is back once nothing fails any more.
const SETTLE_MAX: usize = 12;
/// Always affected, affected since the revision, clean.
const VERSIONS: [&str; 3] = ["2.14.1", "2.15.0", "2.17.1"];

/// One incident on one proxy.
struct Incident {
    rng: Rng,
    rig: Rig,
    engine: Engine,
    edge_loop: EdgeLoop,
    fuel: Arc<AtomicI64>,
    /// What really runs, as an index into [`VERSIONS`].
    running: [usize; SITES],
    is_revised: bool,
    /// What a visitor saw last.
    shown: [Seen; SITES],
    newest_ms: i64,
    data: tempfile::TempDir,
}

impl Incident {
    fn new(seed: u64, kind: Kind) -> Self {
        let data = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let rig = Rig::start(&data.path().join("edge"), kind, SITES);
        let store = Store::open(&data.path().join("data")).unwrap();
        let rows: Vec<SiteRow> = (0..SITES).map(row).collect();
        store.apply_import(&store.plan_import(&rows).unwrap(), clock() / 1_000, "soak").unwrap();
        store.put_edge(&edges::to_row(&rig.target).unwrap(), 0, "soak").unwrap();
        let check = |text| SiteCheck::parse(text).unwrap();
        let list = vec![check("/ -> 200 the site itself"), check("HEAD /health -> 200")];
        let list = SiteChecks::new(list).unwrap();
        let lists = (0..SITES).step_by(2).map(|site| (key(site), list.clone())).collect();
        store.set_checks(&lists, clock() / 1_000, "soak").unwrap();
        publish(&store, false);
        let engine = open(&Arc::new(store), "soak").unwrap();
        let fuel = Arc::new(AtomicI64::new(i64::MAX));
        let mut incident = Self {
            rng: Rng::new(seed),
            edge_loop: edge_loop(&rig, &fuel, seed),
            rig,
            engine,
            fuel,
            running: [0; SITES],
            is_revised: false,
            shown: [Seen::Unknown; SITES],
            newest_ms: clock(),
            data,
        };
        for site in 0..SITES {
            incident.running[site] = incident.rng.below(VERSIONS.len());
            incident.scan(site);
        }
        incident.engine.open_incident("soak", ID, "soak").unwrap();
        incident
    }

    fn run(mut self) -> Result<(), String> {
        for step in 0..STEPS {
            pass(1);
            let what = self.step();
            self.newest_ms = self.newest_ms.max(clock());
            self.tell(step, what);
            self.look().map_err(|why| format!("step {step}, {what}: {why}"))?;
        }
        self.settle()
    }

    /// One seed alone tells its whole story.
    fn tell(&self, step: usize, what: &str) {
        if env::var_os("SEED").is_some() {
            let phases = (0..SITES).map(|site| self.engine.phase(ID, &key(site)));
            let phases: Vec<Option<Phase>> = phases.collect();
            let running = self.running.map(|version| VERSIONS[version]);
            println!("{step} {what} at {}: {phases:?}, {running:?}", clock() / 1_000);
        }
    }

    /// One thing happens, as the seed says.
    fn step(&mut self) -> &'static str {
        let site = self.rng.below(SITES);
        match self.rng.below(100) {
            0..30 => self.round(true, i64::MAX, "round"),
            30..40 => self.crash(),
            40..48 => self.order(),
            48..58 => self.scan(site),
            58..72 => self.work(site),
            72..78 => {
                let version = self.rng.below(VERSIONS.len());
                self.deploy(site, version)
            }
            78..81 => self.revise(),
            81..86 => self.reload(),
            86..91 => self.restart(),
            91..94 => self.rig.running.take().map_or("still down", |_| "edge down"),
            94..97 => self.full_disk(),
            _ => {
                pass(3_600 * (self.rng.below(11).cast_signed() as i64 - 5));
                "clock jump"
            }
        }
    }

    /// A round of the loop; after so many effects nothing works any more. An engine that dies
    /// then journals nothing of it.
    fn round(&mut self, is_told: bool, fuel: i64, what: &'static str) -> &'static str {
        self.fuel.store(fuel, Ordering::Relaxed);
        let sites = self.engine.sites();
        let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
        let wants = self.engine.with_ledger(|ledger| wants(ledger, "north", site_of));
        let term = self.engine.store().lease(JOURNAL_LEASE).unwrap().map_or(0, |it| it.term);
        let seq = self.engine.store().journal(1).unwrap().len() as u64;
        let (engine, now) = (&self.engine, self.engine.now());
        let permits = |site: &GateKey| engine.with_ledger(|ledger| ledger.permits(site, now));
        let round = self.edge_loop.round(&wants, Epoch { term, seq }, clock(), &permits);
        if is_told {
            let entries = engine.with_ledger(|ledger| for_incidents(ledger, &round));
            // A journal that is full says so, and the next round sees the edge again.
            let _ = engine.append("relight", entries);
        }
        what
    }

    /// The controller dies within a round, and another one takes over.
    fn crash(&mut self) -> &'static str {
        let fuel = self.rng.below(7).cast_signed() as i64;
        self.round(false, fuel, "");
        self.take_over();
        "kill"
    }

    fn take_over(&mut self) {
        self.fuel.store(i64::MAX, Ordering::Relaxed);
        let store = Arc::new(Store::open(&self.data.path().join("data")).unwrap());
        self.engine = open(&store, "soak again").unwrap();
        self.edge_loop = edge_loop(&self.rig, &self.fuel, self.rng.next());
    }

    fn order(&mut self) -> &'static str {
        let chosen = (0..SITES).filter(|_| self.rng.chance(50)).map(key).collect::<Vec<_>>();
        let ask = PlanAsk {
            incident: ID.into(),
            action: Action::Dark,
            part: None,
            reason: "as a precaution".into(),
            advisory_revision: Digest::default(),
            policy: Digest::default(),
            proposer: "soak".into(),
            created: self.engine.now(),
        };
        let plan = self.engine.plan(ask, &chosen).unwrap();
        let _ = self.engine.execute(&plan, "soak");
        "order"
    }

    fn scan(&mut self, site: usize) -> &'static str {
        let inventory = self.inventory(site);
        let _ = self.engine.ingest("scanner", &[inventory], EvidenceKind::Scan);
        "scan"
    }

    fn inventory(&self, site: usize) -> Inventory {
        let observed_at = self.engine.now();
        Inventory { site: key(site), sbom: sbom(self.running[site]), observed_at, profiles: None }
    }

    /// What a careful operator does next with a site.
    fn work(&mut self, site: usize) -> &'static str {
        match self.engine.phase(ID, &key(site)) {
            Some(Phase::Affected | Phase::Fixing) if self.running[site] != 2 => {
                self.deploy(site, 2)
            }
            Some(Phase::FixDeployed | Phase::Verifying) => self.verify(site),
            Some(Phase::RelightEligible) => {
                let _ = self.engine.relight("soak", ID, &[key(site)]);
                "relight"
            }
            _ => self.scan(site),
        }
    }

    /// The fix is tried behind the gate, through the verification path of the edge.
    fn verify(&mut self, site: usize) -> &'static str {
        let uri = "/".to_owned();
        // Sites with a list of their own are tried by it.
        let text = if site.is_multiple_of(2) { "" } else { "the site itself" }.into();
        let test = FunctionalTest { uri, status: 200, text };
        let inventory = self.inventory(site);
        let _ = self.engine.verify("soak", ID, &inventory, &test, Compromise::NoSigns);
        "verify"
    }

    /// Whoever deploys says so before visitors get it, if the journal can be written.
    fn deploy(&mut self, site: usize, version: usize) -> &'static str {
        let digest = sbom(version).artifact.unwrap();
        if self.engine.report_deployed("soak", &key(site), digest).is_ok() {
            self.running[site] = version;
        }
        "deploy"
    }

    fn revise(&mut self) -> &'static str {
        self.is_revised = true;
        publish(self.engine.store(), true);
        self.engine.follow_feeds().unwrap();
        "advisory revised"
    }

    fn reload(&mut self) -> &'static str {
        if let Some(running) = &mut self.rig.running {
            running.reload().unwrap();
        }
        "foreign reload"
    }

    fn restart(&mut self) -> &'static str {
        if let Some(running) = &mut self.rig.running {
            running.kill();
        }
        self.rig.start_edge(|text| text);
        "edge crash and restart"
    }

    /// Nothing can be written for a while; what is in effect stays as it is.
    fn full_disk(&mut self) -> &'static str {
        self.engine.store().limit_pages(Some(1)).unwrap();
        self.order();
        let site = self.rng.below(SITES);
        self.work(site);
        self.round(true, i64::MAX, "");
        self.engine.store().limit_pages(None).unwrap();
        "full disk"
    }

    /// Every site as a visitor sees it now; an error when one came back that must not.
    fn look(&mut self) -> Result<(), String> {
        for site in 0..SITES {
            // What nobody can see of an edge that is down is in its gate, which it reads when it
            // starts: whoever opened that had to have the right then.
            let seen = match self.seen(site) {
                Seen::Unknown => self.gate(site),
                seen => seen,
            };
            if seen == Seen::Unknown {
                continue;
            }
            let came_back = self.shown[site] == Seen::Dark && seen == Seen::Lit;
            self.shown[site] = seen;
            if came_back && self.is_affected(site) {
                let version = VERSIONS[self.running[site]];
                return Err(format!("{} came back with {version}", key(site)));
            }
        }
        Ok(())
    }

    fn seen(&self, site: usize) -> Seen {
        let answer =
            Client::connect(self.rig.listener()).and_then(|mut it| it.get(&host(site), "/"));
        match answer {
            Ok(answer) if answer.status == 503 && answer.header(GATE_HEADER).is_some() => {
                Seen::Dark
            }
            Ok(answer) if answer.status == 200 => Seen::Lit,
            _ => Seen::Unknown,
        }
    }

    fn gate(&self, site: usize) -> Seen {
        let mut driver = relight_engine::edge::open(&self.rig.target).unwrap();
        driver.observe(&[key(site)]).map_or(Seen::Unknown, |views| views[0].durable)
    }

    fn is_affected(&self, site: usize) -> bool {
        self.running[site] == 0 || (self.running[site] == 1 && self.is_revised)
    }

    /// Faults stop, clocks are put right, everything is repaired: everybody comes back.
    fn settle(&mut self) -> Result<(), String> {
        pass((self.newest_ms - clock()) / 1_000 + 60);
        self.restart();
        self.take_over();
        // A report of a clock that was set back is older than others and changed nothing.
        for site in 0..SITES {
            self.deploy(site, self.running[site]);
        }
        for _ in 0..SETTLE_MAX {
            for site in 0..SITES {
                pass(1);
                if self.is_affected(site) {
                    self.deploy(site, 2);
                }
                self.work(site);
            }
            self.round(true, i64::MAX, "");
            self.tell(STEPS, "settling");
            self.look().map_err(|why| format!("at the end: {why}"))?;
        }
        for site in 0..SITES {
            let phase = self.engine.phase(ID, &key(site));
            let is_over = matches!(phase, None | Some(Phase::Online | Phase::RelitProven));
            if !is_over || self.seen(site) != Seen::Lit {
                return Err(format!("{} is {phase:?} and shows {:?}", key(site), self.seen(site)));
            }
        }
        let closed = self.engine.record("soak", ID, Entry::Closed {});
        closed.map_err(|error| format!("the incident does not close: {error}"))?;
        let verified = self.engine.store().verify_journal().unwrap();
        verified.map(drop).map_err(|fault| fault.to_string())
    }
}

/// The engine's hand on the edge: after so many effects it is dead.
struct Fuelled(Box<dyn EdgeDriver>, Arc<AtomicI64>);

impl Fuelled {
    fn burn(&self) -> Result<(), EdgeError> {
        if self.1.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(());
        }
        Err(EdgeError::new(EdgeErrorKind::Unreachable, "act: the engine was killed"))
    }
}

impl EdgeDriver for Fuelled {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.0.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.0.observe(keys)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.0.owned()
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.burn()?;
        self.0.apply(epoch, stage, dark)
    }

    /// With fuel for one effect it dies between the two.
    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        if self.1.load(Ordering::Relaxed) <= 1 {
            self.apply(epoch, Stage::Durable, dark)?;
            return self.burn();
        }
        self.burn().and_then(|()| self.burn())?;
        self.0.close(epoch, dark)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        self.burn()?;
        self.0.apply_changes(epoch, stage, dark, changed)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        self.0.generation()
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.0.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.burn()?;
        self.0.cut(epoch, keys)
    }
}

fn edge_loop(rig: &Rig, fuel: &Arc<AtomicI64>, nonce: u64) -> EdgeLoop {
    let driver = relight_engine::edge::open(&rig.target).unwrap();
    let driver = Box::new(Fuelled(driver, Arc::clone(fuel)));
    let eyes = Box::new(Listeners::new(vec![Prober::new(rig.listener())]));
    let mut edge_loop = EdgeLoop::new("north", driver, eyes, nonce);
    edge_loop.set_grace(GRACE_MS);
    edge_loop
}

pub(crate) fn row(site: usize) -> SiteRow {
    SiteRow {
        line: site + 2,
        slug: key(site),
        name_fr: String::new(),
        name_en: String::new(),
        origin: format!("http://{}", host(site)),
        organisation: "Ville de Clairbourg".into(),
        sector: "municipal".into(),
        criticality: Criticality::Normal,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "north".into(),
        public: true,
    }
}

/// A complete inventory of one artifact.
pub(crate) fn sbom(version: usize) -> Sbom {
    let purl = Purl::new("maven", "org.example", "library", VERSIONS[version]);
    let found = Component::new(purl, "app.war", Basis::PomProperties, Scope::Installed);
    let artifact = Some(Digest([version as u8 + 1; 32]));
    let (flaws, images) = (Vec::new(), Vec::new());
    Sbom { components: vec![found], flaws, artifact, images, tool: "soak".into() }
}

/// The advisory as it is first published, or after it was found that the fix is none.
pub(crate) fn publish(store: &Store, is_revised: bool) {
    let (day, fixed) = if is_revised { (14, "2.17.0") } else { (10, "2.15.0") };
    let text = format!(
        r#"{{"schema_version":"1.6.0","id":"{ID}","modified":"2099-12-{day}T00:00:00Z",
        "summary":"A flaw","affected":[{{"package":{{"ecosystem":"Maven",
        "name":"org.example:library"}},"ranges":[{{"type":"ECOSYSTEM",
        "events":[{{"introduced":"2.0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#
    );
    let reading = advisory::read(&Input::whole("", "soak", text.as_bytes()));
    assert_eq!(reading.records.len(), 1, "the advisory of the soak");
    for record in &reading.records {
        let advisory = &record.advisory;
        let (id, revision) = (&advisory.id, advisory.revision);
        let bytes = record.kept(text.as_bytes());
        let row = RawAdvisory { id, revision, bytes, recorded_at: i64::from(is_revised) + 1 };
        store.put_advisories(&advisory.source, &[row]).unwrap();
    }
}

fn soak(kind: Kind) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match (number("SEED"), number("RELIGHT_PROXY_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    let failed: Vec<String> = seeds
        .clone()
        .filter_map(|seed| Some(format!("SEED={seed}: {}", Incident::new(seed, kind).run().err()?)))
        .collect();
    println!("{}: seeds {seeds:?}, {} failed", kind.name(), failed.len());
    assert!(failed.is_empty(), "{}: {}", kind.name(), failed.join("\n"));
}

#[test]
fn proxies_nginx_whole_incidents_from_one_seed_each() {
    soak(Kind::Nginx);
}

#[test]
fn proxies_haproxy_whole_incidents_from_one_seed_each() {
    soak(Kind::Haproxy);
}

/// A soak in which nothing ever goes dark or comes back would prove nothing.
#[test]
fn proxies_nginx_and_haproxy_soak_tells_a_relight_of_an_affected_site() {
    for kind in Kind::ALL {
        let mut incident = Incident::new(1, kind);
        incident.running = [0; SITES];
        incident.shown = [Seen::Dark; SITES];
        let why = incident.look().unwrap_err();
        assert_eq!(why, "site-0 came back with 2.14.1");
    }
}
