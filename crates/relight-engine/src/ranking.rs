//! What to look at first: a flaw in the order of work, at a site or where most depends on it.

use relight_match::{Group, Priority, SiteFacts};
use relight_model::{Criticality, Signal, Site, SiteExposure, Timestamp};
use relight_store::{Store, StoreError};

use crate::signals::{Attempts, Scores};

/// A site where a flaw matters most, without traffic that nobody saw.
const WORST: SiteFacts = SiteFacts {
    criticality: Criticality::Vital,
    exposure: SiteExposure::Unknown,
    site_probed: false,
    organisation_probed: false,
};

/// What priorities rest on.
#[derive(Clone, Debug)]
pub struct Ranking {
    scores: Scores,
    now: Timestamp,
}

/// A flaw in the order of work.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Its place, and why.
    pub priority: Priority,
    /// Chance of exploitation within 30 days, in millionths.
    pub epss: Option<u32>,
}

impl Ranking {
    /// Reads the scores of a register, if there is one.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn read(store: Option<&Store>, now: Timestamp) -> Result<Self, StoreError> {
        let scores = store.map(Scores::read).transpose()?.unwrap_or_default();
        Ok(Self { scores, now })
    }

    /// Everything that is known about the exploitation of a flaw.
    pub fn signals(&self, group: &Group) -> Vec<Signal> {
        self.scores.signals(group)
    }

    /// The priority of a flaw at a site.
    pub fn at(&self, group: &Group, site: &Site, attempts: &Attempts) -> Ranked {
        let (site_probed, organisation_probed) = attempts.against(site);
        let (criticality, exposure) = (site.criticality, site.exposure);
        self.rank(group, &SiteFacts { criticality, exposure, site_probed, organisation_probed })
    }

    fn rank(&self, group: &Group, site: &SiteFacts) -> Ranked {
        let signals = self.scores.signals(group);
        let newest = signals.iter().filter_map(|signal| match signal {
            Signal::Epss { score, date, .. } => Some((*date, *score)),
            _ => None,
        });
        let epss = newest.max().map(|(_, score)| score);
        Ranked { priority: Priority::of(group, &signals, site, self.now), epss }
    }

    /// The priority of a flaw where most depends on it: for lists of flaws without sites.
    pub fn worst(&self, group: &Group) -> Ranked {
        self.rank(group, &WORST)
    }

    /// The priority of a flaw at the site of these that comes first; where there is none, where it
    /// would be worst.
    pub fn first<'a>(
        &self,
        group: &Group,
        sites: impl Iterator<Item = &'a Site>,
        attempts: &Attempts,
    ) -> Ranked {
        let here = sites.map(|site| self.at(group, site, attempts));
        let first = here.max_by(|a, b| a.priority.cmp(&b.priority));
        first.unwrap_or_else(|| self.worst(group))
    }
}
