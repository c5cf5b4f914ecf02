//! The people of the demo: owners who bring readable copies, administrators who repair, and the
//! agents that take inventories. They know what stands in their own folder and nothing else.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use relight_engine::demo::{
    DemoSite, Deployment, Obstacle, Province, Repair, recover_site, release_of, write_site,
};
use relight_engine::incident::{Compromise, Entry, EvidenceKind, Phase};
use relight_engine::{Engine, FunctionalTest, Inventory};
use relight_scan::{Options, Profiles, Progress, scan};
use relight_server::origin::{HEALTH_PATH, OriginHandle};

use super::stage::Layout;

/// Who acts, as the journal records it.
const AGENT: &str = "demo agent";
const OWNER: &str = "demo owner";

/// Attempts to repair one site; more means that the demo is wrong, not the site.
const ATTEMPTS_MAX: u32 = 8;

/// How fast the owners work, and whether they still do.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// A rest after each step, so that a person can watch.
    pub(super) rest: Duration,
    /// Set once somebody presses Ctrl-C.
    pub(super) stop: Arc<AtomicBool>,
}

impl Pace {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Everybody who works on the sites.
pub(super) struct Owners<'a> {
    pub(super) engine: &'a Engine,
    pub(super) layout: &'a Layout,
    pub(super) province: &'a Province,
    /// The origins, where the demo can break an application; none in a restarted engine.
    pub(super) origin: Option<&'a OriginHandle>,
}

impl Owners<'_> {
    fn tree(&self, site: &DemoSite) -> PathBuf {
        self.layout.tree(site.slug.as_str())
    }

    /// Writes every site as it stood on the day of the order.
    pub(super) fn settle(&self) -> anyhow::Result<()> {
        each(&self.province.sites, |site| {
            write_site(site, Deployment::AsFound, 1, &self.tree(site))
                .with_context(|| format!("writing the files of {}", site.slug))
        })
    }

    /// Mends what a killed process left half deployed.
    pub(super) fn recover(&self) -> anyhow::Result<()> {
        for site in &self.province.sites {
            recover_site(&self.tree(site))
                .with_context(|| format!("putting the files of {} back", site.slug))?;
        }
        Ok(())
    }

    /// Takes the inventory of these sites: agents scan, the engine stores them in one commit.
    pub(super) fn inventory(&self, sites: &[&DemoSite]) -> anyhow::Result<()> {
        let found = Mutex::new(Vec::with_capacity(sites.len()));
        each(sites, |site| {
            let inventory = self.look(site)?;
            if let Ok(mut found) = found.lock() {
                found.push(inventory);
            }
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_default();
        found.sort_by(|a, b| a.site.cmp(&b.site));
        Ok(self.engine.ingest(AGENT, &found, EvidenceKind::Scan)?)
    }

    fn look(&self, site: &DemoSite) -> anyhow::Result<Inventory> {
        let options = Options {
            threads: Some(1),
            artifact_digest: true,
            profiles: Profiles::All,
            ..Options::default()
        };
        // Before the scan: what is deployed while it runs must not look older than it is.
        let observed_at = self.engine.now();
        let report = scan(&self.tree(site), &options, &Progress::default())
            .with_context(|| format!("scanning {}", site.slug))?;
        let profiles = Some(report.profiles);
        Ok(Inventory { site: site.slug.clone(), sbom: report.sbom, observed_at, profiles })
    }

    /// Works on every site of an incident until nothing is left that anybody can do.
    pub(super) fn work(&self, incident: &str, pace: &Pace) -> anyhow::Result<()> {
        // Vital sites first (INCIDENT 4: relight by criticality).
        let mut sites: Vec<&DemoSite> = self.province.sites.iter().collect();
        sites.sort_by_key(|site| (site.criticality, site.seed));
        each(&sites, |site| {
            for _ in 0..ATTEMPTS_MAX * 4 {
                if pace.is_stopped() || !self.step(incident, site)? {
                    return Ok(());
                }
                // A person wants to see the lights come back, one by one.
                thread::sleep(pace.rest);
            }
            anyhow::bail!("{} is never done", site.slug)
        })
    }

    /// The next thing to do for one site; false when there is nothing.
    fn step(&self, incident: &str, site: &DemoSite) -> anyhow::Result<bool> {
        match self.engine.phase(incident, &site.slug) {
            Some(Phase::DarkRequested | Phase::DarkProven | Phase::Failed | Phase::Analysing) => {
                self.analyse(incident, site)
            }
            Some(Phase::Unknown) => self.explain(incident, site),
            Some(Phase::Affected) => {
                let note = "log4j-core 2.17.1".to_owned();
                let entry = Entry::FixStarted { site: site.slug.clone(), note };
                self.engine.record(OWNER, incident, entry)?;
                Ok(true)
            }
            Some(Phase::Fixing) => self.fix(site),
            Some(Phase::FixDeployed | Phase::Verifying) => self.verify(incident, site),
            // What is clear is opened by the engine itself; the owners sign nothing.
            Some(
                Phase::Online
                | Phase::Exempt
                | Phase::Mitigated
                | Phase::RelightEligible
                | Phase::Relighting
                | Phase::RelitProven,
            )
            | None => Ok(false),
        }
    }

    /// Nobody has matched the site since the order: do it from what is stored.
    fn analyse(&self, incident: &str, site: &DemoSite) -> anyhow::Result<bool> {
        let sites = [site.slug.clone()];
        self.engine.attach_evidence(AGENT, incident, &sites, EvidenceKind::Scan)?;
        Ok(true)
    }

    /// An unknown site: scan what was never scanned; bring a readable copy of what cannot be read.
    fn explain(&self, incident: &str, site: &DemoSite) -> anyhow::Result<bool> {
        let dir = self.tree(site);
        let (deployment, number) = release_of(&dir)?;
        let scanned = self.engine.artifact_set(&site.slug).is_some();
        if !scanned {
            self.inventory(&[site])?;
            return Ok(true);
        }
        if site.obstacle == Obstacle::EncryptedForGood || number >= ATTEMPTS_MAX {
            return Ok(false);
        }
        if deployment == Deployment::AsFound {
            write_site(site, Deployment::Readable, number + 1, &dir)?;
        }
        self.inventory(&[site])?;
        Ok(self.engine.phase(incident, &site.slug) != Some(Phase::Unknown))
    }

    /// Deploys the next attempt of a repair and reports what is in service now.
    fn fix(&self, site: &DemoSite) -> anyhow::Result<bool> {
        let dir = self.tree(site);
        let (deployment, number) = release_of(&dir)?;
        if number >= ATTEMPTS_MAX {
            return Ok(false);
        }
        let first = !matches!(deployment, Deployment::HalfFixed | Deployment::Fixed);
        let next = match site.repair {
            Repair::LeavesACopy if first => Deployment::HalfFixed,
            _ => Deployment::Fixed,
        };
        if let Some(origin) = self.origin {
            origin.set_broken(&site.host, site.repair == Repair::BreaksTheSite && first)?;
        }
        write_site(site, next, number + 1, &dir)?;
        let inventory = self.look(site)?;
        let digest = inventory.sbom.artifact.context("a scan with digests gave none")?;
        self.engine.report_deployed(OWNER, &site.slug, digest)?;
        Ok(true)
    }

    fn verify(&self, incident: &str, site: &DemoSite) -> anyhow::Result<bool> {
        let inventory = self.look(site)?;
        let test = FunctionalTest {
            uri: HEALTH_PATH.to_owned(),
            status: 200,
            text: format!("ok {}", site.slug),
        };
        // The owner attests it: the demo has no outbound logs that could prove it (WATCH 7).
        let compromise = Compromise::NoSigns;
        self.engine.verify(OWNER, incident, &inventory, &test, compromise)?;
        Ok(true)
    }
}

/// Does the same for every item, on all cores; the first error stops it.
fn each<T: Sync>(items: &[T], job: impl Fn(&T) -> anyhow::Result<()> + Sync) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        let work = || -> anyhow::Result<()> {
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                job(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            match thread.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })
}
