//! A whole incident on one real edge, from one seed: the engine is killed between any two effects,
//! somebody reloads or restarts the edge, the edge crashes, the disk of the register or of the edge
//! is full, the advisory is revised, artifacts are rolled back, the clock jumps, an older copy of
//! the register comes back; where there is a second barrier, somebody starts the edge without our
//! gate.
//!
//! Goal: no visitor ever sees a site come back with an artifact that the latest revision calls
//! affected, or that the journal does not let come back; nothing reaches a site that is proven
//! dark, on a kept connection or on a new one; what the edge fails to darken is dark at its
//! barrier; once faults stop, every site comes back and the incident closes. Method: after each
//! step every site is asked for as a visitor would, and the origin says what reached it; the engine
//! is killed by refusing its effects, and really killed in the tests of the program named `kill`.
//! `SEED=7` runs one seed alone.

#[path = "soak/checker.rs"]
mod checker;
#[path = "soak/hand.rs"]
mod hand;
#[path = "soak/register.rs"]
mod register;

use std::cell::Cell;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use std::{env, fs};

use relight_engine::drive::for_incidents;
use relight_engine::edge::{Target, newest_epoch};
use relight_engine::incident::{Compromise, Entry, EvidenceKind, Gate, Phase};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::reconcile::{EdgeLoop, Want, wants};
use relight_engine::store::{JOURNAL_LEASE, SiteCheck, SiteChecks, SiteRow, Store};
use relight_engine::{
    Engine, EngineError, EngineOptions, FunctionalTest, INVENTORY_TTL_S, Inventory, edges,
};
use relight_model::{Digest, Epoch, GateKey, Light, Seen};
use testkit::{Rng, SmallDisk};

use crate::origin::Counts;
use checker::{Stale, Visitors};
use hand::edge_loop;
use register::copy_folder;
pub(crate) use register::{host, key, publish, row, sbom};

pub(crate) const ID: &str = "CVE-2099-0001";
pub(crate) const SITES: usize = 6;
const STEPS: usize = 40;
/// How long connections of before are left alone, in milliseconds.
const GRACE_MS: i64 = 2_000;
/// Seeds of the suite on each proxy; `RELIGHT_PROXY_SEEDS` sets another number.
const SEEDS: u64 = 2;
/// Turns within which everybody is back once nothing fails any more.
const SETTLE_MAX: usize = 12;
/// Always affected, affected since the revision, clean.
const VERSIONS: [&str; 3] = ["2.14.1", "2.15.0", "2.17.1"];
/// The step before which the register is copied, as every night.
const COPIED_AT: usize = 8;
/// Longer than an edge takes on a busy machine.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);
/// The edge in front, and the one behind it.
pub(crate) const FRONT: &str = "north";
pub(crate) const WALL: &str = "wall";

thread_local! {
    /// Each test runs on its own thread and so has its own time.
    static NOW_MS: Cell<i64> = const { Cell::new(1_639_137_600_000) };
}

fn clock() -> i64 {
    NOW_MS.get()
}

fn pass(seconds: i64) {
    NOW_MS.set(NOW_MS.get() + seconds * 1_000);
}

fn open(store: Store, holder: &str) -> Result<Engine, EngineError> {
    let options = EngineOptions { holder: holder.into(), clock, inventory_ttl_s: INVENTORY_TTL_S };
    Engine::open(Arc::new(store), options)
}

/// A real edge with [`SITES`] virtual hosts, called [`key`] and [`host`].
pub(crate) trait Stand {
    fn target(&self) -> &Target;
    fn listener(&self) -> SocketAddr;
    /// What reached its origin.
    fn counts(&self) -> &Counts;
    fn is_up(&self) -> bool;
    /// Somebody makes it read its configuration again.
    fn reload(&mut self);
    /// It is killed.
    fn kill(&mut self);
    /// It is started with our gate, or with another one that nobody knows of.
    fn start(&mut self, is_ours: bool);
}

/// One incident on one edge.
pub(crate) struct Incident<S> {
    rng: Rng,
    pub(crate) edge: S,
    /// What closes what the edge fails to.
    wall: Option<S>,
    /// Somebody has just started the edge without our gate: what it shows then is nobody's relight.
    is_blameless: bool,
    /// Why proofs of before say nothing for a while.
    stale: Stale,
    pub(crate) visitors: Visitors,
    pub(crate) engine: Engine,
    edge_loop: EdgeLoop,
    fuel: Arc<AtomicI64>,
    /// What really runs, as an index into [`VERSIONS`].
    pub(crate) running: [usize; SITES],
    is_revised: bool,
    /// What a visitor saw last.
    pub(crate) shown: [Seen; SITES],
    newest_ms: i64,
    /// The register, and a copy of it with the number of its last entry.
    register: PathBuf,
    copy: Option<(PathBuf, u64)>,
    copies: usize,
    failure: Option<String>,
    /// What the edge in front has its files on, where this process may mount; and what fills it.
    disk: Option<SmallDisk>,
    filling: Option<PathBuf>,
    data: tempfile::TempDir,
}

impl<S: Stand> Incident<S> {
    /// `raise` starts the edge in the folder [`FRONT`] of a folder, and its barrier, where it has
    /// one, in [`WALL`].
    pub(crate) fn new(seed: u64, raise: impl FnOnce(&Path) -> (S, Option<S>)) -> Self {
        let data = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let front = data.path().join(FRONT);
        fs::create_dir(&front).unwrap();
        let disk = SmallDisk::over(&front);
        let (edge, wall) = raise(data.path());
        let register = data.path().join("data");
        let store = Store::open(&register).unwrap();
        let rows: Vec<SiteRow> = (0..SITES).map(row).collect();
        store.apply_import(&store.plan_import(&rows).unwrap(), clock() / 1_000, "soak").unwrap();
        for edge in std::iter::once(&edge).chain(&wall) {
            store.put_edge(&edges::to_row(edge.target()).unwrap(), 0, "soak").unwrap();
        }
        let check = |text| SiteCheck::parse(text).unwrap();
        let list = vec![check("/ -> 200 the site itself"), check("HEAD /health -> 200")];
        let list = SiteChecks::new(list).unwrap();
        let lists = (0..SITES).step_by(2).map(|site| (key(site), list.clone())).collect();
        store.set_checks(&lists, clock() / 1_000, "soak").unwrap();
        publish(&store, false);
        let engine = open(store, "soak").unwrap();
        let fuel = Arc::new(AtomicI64::new(i64::MAX));
        let mut incident = Self {
            rng: Rng::new(seed),
            edge_loop: edge_loop(&edge, wall.as_ref(), &engine, &fuel, seed),
            edge,
            wall,
            is_blameless: false,
            stale: Stale::default(),
            visitors: Visitors::default(),
            engine,
            fuel,
            running: [0; SITES],
            is_revised: false,
            shown: [Seen::Unknown; SITES],
            newest_ms: clock(),
            register,
            copy: None,
            copies: 0,
            failure: None,
            disk,
            filling: None,
            data,
        };
        for site in 0..SITES {
            incident.running[site] = incident.rng.below(VERSIONS.len());
            incident.scan(site);
        }
        incident.engine.open_incident("soak", ID, "soak").unwrap();
        incident
    }

    pub(crate) fn run(mut self) -> Result<(), String> {
        for step in 0..STEPS {
            pass(1);
            if step == COPIED_AT {
                self.copy();
            }
            if self.filling.is_some() && self.rng.chance(30) {
                self.make_room();
            }
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
            0..28 => self.round(true, i64::MAX, "round"),
            28..38 => self.crash(),
            38..46 => self.order(),
            46..56 => self.scan(site),
            56..70 => self.work(site),
            70..76 => {
                let version = self.rng.below(VERSIONS.len());
                self.deploy(site, version)
            }
            76..79 => self.revise(),
            79..83 => self.reload(),
            83..88 => {
                let is_ours = self.wall.is_none() || self.rng.chance(50);
                self.restart(is_ours)
            }
            88..90 => {
                self.edge.kill();
                "edge down"
            }
            90..92 => self.full_disk(),
            92..95 => {
                self.fill();
                self.order();
                self.round(true, i64::MAX, "full disk of the edge")
            }
            95..97 => self.restore(),
            _ => {
                pass(3_600 * (self.rng.below(11).cast_signed() as i64 - 5));
                "clock jump"
            }
        }
    }

    /// A round of the loop; after so many effects nothing works any more. An engine that dies
    /// then journals nothing of it.
    pub(crate) fn round(&mut self, is_told: bool, fuel: i64, what: &'static str) -> &'static str {
        self.fuel.store(fuel, Ordering::Relaxed);
        let wants = self.wants();
        let term = self.engine.store().lease(JOURNAL_LEASE).unwrap().map_or(0, |it| it.term);
        let seq = self.engine.store().journal(1).unwrap().len() as u64;
        let (engine, now) = (&self.engine, self.engine.now());
        let permits = |site: &GateKey| engine.with_ledger(|ledger| ledger.permits(site, now));
        let epoch = Epoch { term, seq };
        let round = self.edge_loop.round(&wants, epoch, clock(), &permits);
        if is_told {
            let entries = engine.with_ledger(|ledger| for_incidents(ledger, &round));
            // A journal that is full says so, and the next round sees the edge again.
            let is_told = engine.append("relight", entries).is_ok();
            if is_told && round.is_seen && round.error.is_none() {
                self.stale = self.stale.after_round();
            }
        }
        let barred = self.edge_loop.tend_barrier(&wants, epoch, clock(), &permits, &round);
        if is_told {
            let barred = barred.map(|entry| (String::new(), entry));
            let _ = engine.append("relight", barred.into_iter().collect());
            let owes = self.edge_loop.barrier_owes(&wants, clock(), &permits);
            if !owes && self.failure.is_none() {
                self.failure = self.unheld();
            }
        }
        what
    }

    fn wants(&self) -> Vec<Want> {
        let sites = self.engine.sites();
        let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
        self.engine.with_ledger(|ledger| wants(ledger, FRONT, site_of))
    }

    /// A site that the edge was found not to darken, and that its barrier does not hold.
    pub(crate) fn unheld(&self) -> Option<String> {
        let (wall, wants) = (self.wall.as_ref()?, self.wants());
        let is_failed = |want: &&Want| want.light == Light::Dark && want.gate == Gate::Failed;
        let failed = wants.iter().filter(is_failed).map(|want| want.target.key.clone());
        let failed: Vec<GateKey> = failed.collect();
        let mut driver = relight_engine::edge::open(wall.target()).unwrap();
        let views = driver.observe(&failed).unwrap();
        let mut held = failed.into_iter().zip(views);
        let (site, _) = held.find(|(_, view)| view.runtime != Seen::Dark)?;
        Some(format!("{site} is not proven dark, and no barrier holds it"))
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
        self.engine = open(Store::open(&self.register).unwrap(), "soak again").unwrap();
        let nonce = self.rng.next();
        self.edge_loop = edge_loop(&self.edge, self.wall.as_ref(), &self.engine, &self.fuel, nonce);
    }

    fn entries(&self) -> u64 {
        self.engine.store().journal(1).unwrap().len() as u64
    }

    fn copy(&mut self) {
        self.copies += 1;
        let folder = self.data.path().join(format!("copy-{}", self.copies));
        copy_folder(&self.register, &folder);
        self.copy = Some((folder, self.entries()));
    }

    /// The copy comes back, if an edge can tell that there was more: the feed is read again, and
    /// nobody knows any more what was deployed since.
    fn restore(&mut self) -> &'static str {
        let Some((folder, entries)) = self.copy.take() else {
            self.copy();
            return "copy";
        };
        let seen = newest_epoch(self.edge.target()).unwrap();
        if seen.is_none_or(|epoch| epoch.seq <= entries) {
            return "nothing to bring back";
        }
        self.register = folder;
        self.stale.is_copy = true;
        self.take_over();
        publish(self.engine.store(), self.is_revised);
        self.engine.follow_feeds().unwrap();
        "an older copy"
    }

    fn order(&mut self) -> &'static str {
        let chosen = (0..SITES).filter(|_| self.rng.chance(50)).map(key).collect::<Vec<_>>();
        self.darken(&chosen);
        "order"
    }

    pub(crate) fn darken(&mut self, chosen: &[GateKey]) {
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
        let plan = self.engine.plan(ask, chosen).unwrap();
        let _ = self.engine.execute(&plan, "soak");
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
                // One that does not come back is looked at again: what a clock that was set back
                // said of it is older than what was heard before.
                if !matches!(self.engine.relight("soak", ID, &[key(site)]), Ok(1)) {
                    return self.scan(site);
                }
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
        if self.edge.is_up() {
            self.edge.reload();
        }
        "foreign reload"
    }

    /// A program that cannot write may refuse to start.
    fn restart(&mut self, is_ours: bool) -> &'static str {
        self.make_room();
        self.edge.kill();
        self.edge.start(is_ours);
        self.is_blameless = !is_ours;
        self.stale.foreign_since = (!is_ours).then(clock);
        if is_ours { "edge crash and restart" } else { "edge started without our gate" }
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

    /// Nothing can be written or made where the gate of the edge is, its map and its epoch, until
    /// there is room again; whether that can be had here.
    pub(crate) fn fill(&mut self) -> bool {
        if let (Some(disk), None) = (&self.disk, &self.filling) {
            self.filling = Some(disk.crowd("filling"));
        }
        self.filling.is_some()
    }

    pub(crate) fn make_room(&mut self) {
        if let Some(filling) = self.filling.take() {
            fs::remove_dir_all(filling).unwrap();
        }
    }

    /// Every site as a visitor sees it now; an error when one came back that must not, or is lit
    /// that is proven dark.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        if let Some(why) = self.failure.take() {
            return Err(why);
        }
        self.check_proofs()?;
        let is_blameless = std::mem::take(&mut self.is_blameless);
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
            if !came_back || is_blameless {
                continue;
            }
            if self.is_affected(site) {
                let version = VERSIONS[self.running[site]];
                return Err(format!("{} came back with {version}", key(site)));
            }
            if let Some(why) = self.rash(site) {
                return Err(why);
            }
        }
        Ok(())
    }

    fn gate(&self, site: usize) -> Seen {
        let mut driver = relight_engine::edge::open(self.edge.target()).unwrap();
        driver.observe(&[key(site)]).map_or(Seen::Unknown, |views| views[0].durable)
    }

    fn is_affected(&self, site: usize) -> bool {
        self.running[site] == 0 || (self.running[site] == 1 && self.is_revised)
    }

    /// Faults stop, clocks are put right, everything is repaired: everybody comes back.
    fn settle(&mut self) -> Result<(), String> {
        pass((self.newest_ms - clock()) / 1_000 + 60);
        self.restart(true);
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
                // What a lost order closed is somebody's to order again, and to bring back.
                let is_over =
                    matches!(self.engine.phase(ID, &key(site)), None | Some(Phase::Online));
                if is_over && self.seen(site) == Seen::Dark {
                    self.darken(&[key(site)]);
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
        let closed = self.engine.record("soak", ID, Entry::Closed { current: true });
        closed.map_err(|error| format!("the incident does not close: {error}"))?;
        let verified = self.engine.store().verify_journal().unwrap();
        verified.map(drop).map_err(|fault| fault.to_string())
    }
}

/// Incidents from so many seeds, or from the one that is asked for.
pub(crate) fn soak<S: Stand>(name: &str, raise: impl Fn(&Path) -> (S, Option<S>)) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match (number("SEED"), number("RELIGHT_PROXY_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(SEEDS),
    };
    let run = |seed| Incident::new(seed, &raise).run().err();
    let failed = seeds.clone().filter_map(|seed| Some(format!("SEED={seed}: {}", run(seed)?)));
    let failed: Vec<String> = failed.collect();
    println!("{name}: seeds {seeds:?}, {} failed", failed.len());
    assert!(failed.is_empty(), "{name}: {}", failed.join("\n"));
}
