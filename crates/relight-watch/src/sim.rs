//! Simulated access logs with ground truth: pure, one seed, bytes out.
//!
//! One log for each site, as its server writes it, sorted in time. Addresses
//! are from ranges reserved for documentation and private use.

mod actors;
mod benign;
mod formats;
pub mod grid;
mod random;
mod writer;

use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};

use formats::Product;
pub use random::Random;
use writer::SiteWriter;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// Organisations and their sites; with fewer than two there is nothing to compare.
    pub organisations: Vec<SimOrganisation>,
    /// Midnight UTC of the first day.
    pub from: Timestamp,
    /// How many days; exploit attempts come on the last one.
    pub days: u32,
    /// People that visit each site on a day, about; each asks for about five things.
    pub visitors_per_day: u32,
    /// In which products' words the logs are.
    pub logs: Products,
}

/// In which products' words logs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// All in the combined format.
    Combined,
    /// One product a site, in turn.
    Many,
}

/// One organisation of a scenario.
#[derive(Clone, Debug)]
pub struct SimOrganisation {
    /// Its number.
    pub id: OrgId,
    /// Its sites with their host names.
    pub sites: Vec<(SiteId, String)>,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// One log for each site, in the order of the scenario.
    pub logs: Vec<SiteLog>,
    /// Who is who.
    pub truth: Truth,
}

/// The access log of one site.
#[derive(Clone, Debug)]
pub struct SiteLog {
    /// Whose site it is.
    pub org: OrgId,
    /// Which site.
    pub site: SiteId,
    /// Its host name.
    pub host: String,
    /// The format that its server writes.
    pub format: &'static str,
    /// Lines of that format, sorted in time, behind their header.
    pub bytes: Vec<u8>,
}

/// Who is who. Every source that is not named as an actor is benign.
#[derive(Clone, Debug)]
pub struct Truth {
    /// One to three doors a day, never twice at one organisation within days.
    pub slow_actor: IpAddr,
    /// When and where the slow actor knocked, in order of time.
    pub slow_contacts: Vec<(Timestamp, OrgId, SiteId)>,
    /// Sources of exploit attempts on the last day; they share a callback host.
    pub attempt_sources: Vec<IpAddr>,
    /// How many exploit attempts they made.
    pub attempts: u32,
    /// Tries many doors of one organisation within minutes.
    pub mass_scanner: IpAddr,
    /// Declared crawlers.
    pub crawlers: Vec<IpAddr>,
    /// Availability monitors.
    pub monitors: Vec<IpAddr>,
    /// Feed readers that ask for feeds that are gone.
    pub feed_readers: Vec<IpAddr>,
    /// People who work on several sites and log in there.
    pub editors: Vec<IpAddr>,
    /// Many people behind one address.
    pub shared: Vec<IpAddr>,
}

impl Truth {
    /// The source is one of the actors; all others are benign.
    pub fn is_actor(&self, source: IpAddr) -> bool {
        source == self.slow_actor
            || source == self.mass_scanner
            || self.attempt_sources.contains(&source)
    }
}

impl Scenario {
    /// Writes every log. Takes memory for the bytes of all of them.
    pub fn generate(&self) -> Simulation {
        let mut writers: Vec<SiteWriter> = self.writers();
        for (number, writer) in writers.iter_mut().enumerate() {
            benign::write(self, number, writer);
        }
        let truth = actors::write(self, &mut writers);
        Simulation { logs: writers.into_iter().map(SiteWriter::finish).collect(), truth }
    }

    fn writers(&self) -> Vec<SiteWriter> {
        let sites = self.organisations.iter().flat_map(|organisation| {
            organisation.sites.iter().map(move |(site, host)| (organisation.id, *site, host))
        });
        let product = |number: usize| match self.logs {
            Products::Combined => Product::Combined,
            Products::Many => Product::ALL[number % Product::ALL.len()],
        };
        let writer = |(number, (org, site, host)): (usize, (_, _, &String))| {
            SiteWriter::new(org, site, host.clone(), product(number))
        };
        sites.enumerate().map(writer).collect()
    }

    /// The random numbers of one part of the simulation: parts do not disturb each other.
    const fn random(&self, part: u64) -> Random {
        Random::new(self.seed, part)
    }
}

#[cfg(test)]
pub(crate) mod tests;
