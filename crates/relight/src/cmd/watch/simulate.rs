//! `relight watch simulate`: made-up logs in the words of many products, and the truth about them.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Args;
use relight_engine::watch::sim::{Products, Scenario, SimOrganisation, Simulation, SiteLog, Truth};
use relight_model::{OrgId, SiteId, Timestamp};
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// 2021-10-12: sixty days end with the weekend of Log4Shell.
const FROM: Timestamp = 1_633_996_800;

/// People that visit each site on a day.
const VISITORS_PER_DAY: u32 = 4;

#[derive(Debug, Args)]
pub(super) struct Simulate {
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[arg(long, value_name = "N", default_value_t = 60,
        value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    #[arg(long, value_name = "N", default_value_t = 12,
        value_parser = clap::value_parser!(u32).range(2..=400))]
    organisations: u32,
    #[arg(long = "sites", value_name = "N", default_value_t = 2,
        value_parser = clap::value_parser!(u32).range(1..=50))]
    sites_each: u32,
}

#[derive(Serialize)]
struct TruthDocument {
    schema: &'static str,
    seed: u64,
    from: String,
    days: u32,
    logs: Vec<LogRow>,
    slow_actor: SlowRow,
    exploit_attempts: AttemptsRow,
    mass_scanner: IpAddr,
    benign: BenignRow,
}

#[derive(Serialize)]
struct LogRow {
    file: String,
    format: &'static str,
    organisation: String,
    site: String,
    lines: usize,
}

#[derive(Serialize)]
struct SlowRow {
    source: IpAddr,
    contacts: Vec<ContactRow>,
}

#[derive(Serialize)]
struct ContactRow {
    at: String,
    organisation: String,
    site: String,
}

#[derive(Serialize)]
struct AttemptsRow {
    sources: Vec<IpAddr>,
    attempts: u32,
}

#[derive(Serialize)]
struct BenignRow {
    crawlers: Vec<IpAddr>,
    monitors: Vec<IpAddr>,
    feed_readers: Vec<IpAddr>,
    editors: Vec<IpAddr>,
    shared: Vec<IpAddr>,
}

impl Simulate {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let failed = |error: io::Error| {
            Failure::new(texts::cannot_write(lang, &self.folder.display().to_string()))
                .because(lang, &error)
                .hint(texts::cannot_write_remedy(lang))
        };
        if fs::read_dir(&self.folder).is_ok_and(|mut entries| entries.next().is_some()) {
            let folder = self.folder.display().to_string();
            return Err(Failure::usage(texts::simulate_not_empty(lang, &folder)));
        }
        let simulation = self.scenario().generate();
        let rows = self.write(&simulation).map_err(failed)?;
        let lines: usize = rows.iter().map(|row| row.lines).sum();
        let logs = rows.len();
        let document = self.truth(rows, simulation.truth);
        let text = serde_json::to_string_pretty(&document).map_err(io::Error::other);
        let written = text.and_then(|text| fs::write(self.folder.join("truth.json"), text + "\n"));
        written.map_err(failed)?;
        if context.json {
            report.document("relight.simulation/1", &SummaryDocument { logs, lines });
        } else {
            let folder = self.folder.display().to_string();
            report.line(&texts::simulated(lang, &folder, lines, logs));
            report.next(&format!("relight sites import {folder}/sites.csv"));
        }
        Ok(())
    }

    fn scenario(&self) -> Scenario {
        let organisation = |org: u32| {
            let sites = (0..self.sites_each).map(|number| {
                let site = org * self.sites_each + number;
                (SiteId(site), host(SiteId(site)))
            });
            SimOrganisation { id: OrgId(org), sites: sites.collect() }
        };
        Scenario {
            seed: self.seed,
            organisations: (0..self.organisations).map(organisation).collect(),
            from: FROM,
            days: self.days,
            visitors_per_day: VISITORS_PER_DAY,
            logs: Products::Many,
        }
    }

    /// Each log in a folder of its organisation, and the register that they belong to.
    fn write(&self, simulation: &Simulation) -> io::Result<Vec<LogRow>> {
        let mut csv = String::from(
            "slug,name_fr,name_en,origin,organisation,sector,criticality,edge,public\n",
        );
        let mut rows = Vec::new();
        for log in &simulation.logs {
            let (organisation, site) = (name(log.org), slug(log.site));
            let folder = self.folder.join("logs").join(&organisation);
            fs::create_dir_all(&folder)?;
            let path = folder.join(format!("{site}.{}.log", log.format));
            fs::write(&path, &log.bytes)?;
            csv.push_str(&format!(
                "{site},{site},{site},https://{},{organisation},municipal,3,east,yes\n",
                log.host
            ));
            rows.push(row(&self.folder, &path, log));
        }
        fs::write(self.folder.join("sites.csv"), csv)?;
        Ok(rows)
    }

    fn truth(&self, logs: Vec<LogRow>, truth: Truth) -> TruthDocument {
        let contact = |(at, org, site): (Timestamp, OrgId, SiteId)| ContactRow {
            at: rfc3339(at),
            organisation: name(org),
            site: slug(site),
        };
        let contacts = truth.slow_contacts.into_iter().map(contact).collect();
        TruthDocument {
            schema: "relight.truth/1",
            seed: self.seed,
            from: rfc3339(FROM),
            days: self.days,
            logs,
            slow_actor: SlowRow { source: truth.slow_actor, contacts },
            exploit_attempts: AttemptsRow {
                sources: truth.attempt_sources,
                attempts: truth.attempts,
            },
            mass_scanner: truth.mass_scanner,
            benign: BenignRow {
                crawlers: truth.crawlers,
                monitors: truth.monitors,
                feed_readers: truth.feed_readers,
                editors: truth.editors,
                shared: truth.shared,
            },
        }
    }
}

#[derive(Serialize)]
struct SummaryDocument {
    logs: usize,
    lines: usize,
}

fn row(root: &Path, path: &Path, log: &SiteLog) -> LogRow {
    LogRow {
        file: path.strip_prefix(root).unwrap_or(path).display().to_string(),
        format: log.format,
        organisation: name(log.org),
        site: slug(log.site),
        lines: log.bytes.iter().filter(|byte| **byte == b'\n').count(),
    }
}

fn name(org: OrgId) -> String {
    format!("org-{:03}", org.0)
}

fn slug(site: SiteId) -> String {
    format!("site-{:04}", site.0)
}

fn host(site: SiteId) -> String {
    format!("{}.example", slug(site))
}
