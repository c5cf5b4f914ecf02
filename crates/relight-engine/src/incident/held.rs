//! News that would darken lit sites without an order: only so many, for a forged or broken feed
//! must not darken a province, whether its news comes at once or site by site. The others are held
//! back, and count as exposed until somebody decides (INCIDENT 3.2).

use relight_model::{GateKey, Light, Timestamp};

use super::fold::{Case, Incident, Rejected};
use super::phase::Phase;

/// How long a site counts that news darkened, in seconds: a day.
pub(super) const NEWS_AGE_MAX_S: i64 = 86_400;

impl Incident {
    /// Lit sites that are held back for a person to decide about.
    pub fn held_back(&self) -> impl Iterator<Item = &GateKey> {
        self.cases().iter().filter(|(_, case)| case.held_back.is_some()).map(|(site, _)| site)
    }

    /// Sites that a plan left dark: nothing opens them but a person.
    pub fn left(&self) -> impl Iterator<Item = &GateKey> {
        let is_left = |case: &Case| case.is_left && case.phase == Phase::RelightEligible;
        self.cases().iter().filter(move |(_, case)| is_left(case)).map(|(site, _)| site)
    }

    /// A plan that was to open these came to its end. One that was opened meanwhile is not left.
    pub(super) fn leave_dark(&mut self, sites: &[GateKey]) {
        let dark: Vec<GateKey> =
            sites.iter().filter(|site| self.wants(site) == Light::Dark).cloned().collect();
        self.leave(&dark);
    }

    /// A plan that opened these, or was to, was taken back: also what it had opened goes dark now,
    /// and does not come back by itself.
    pub(super) fn leave(&mut self, sites: &[GateKey]) {
        for site in sites {
            if let Some(case) = self.cases.get_mut(site) {
                case.is_left = true;
            }
        }
    }

    /// True when this site was held back under the advisories as they are now: the same news again
    /// is no decision.
    pub(crate) fn is_held_now(&self, site: &GateKey) -> bool {
        self.case(site).is_some_and(|case| case.held_back == Some((self.revision, self.statements)))
    }

    /// How many sites are dark by news alone that came within a day and since the last order.
    pub(crate) fn darkened_by_news(&self, now: Timestamp) -> usize {
        let is_new = |at: Timestamp| now - at < NEWS_AGE_MAX_S;
        let recent = self.news.iter().filter(|(_, at)| is_new(**at));
        recent.filter(|(site, _)| self.wants(site) == Light::Dark).count()
    }

    /// Of these sites, those that are lit by this incident, and not by a signature that ends.
    pub(super) fn lit_without_signature(&self, sites: Vec<GateKey>) -> Vec<GateKey> {
        let is_so = |site: &GateKey| {
            let signed = self.case(site).is_some_and(|case| case.grant.is_some());
            self.wants(site) == Light::Lit && !signed
        };
        sites.into_iter().filter(is_so).collect()
    }

    /// Counts those of these sites that are dark now: news did that.
    pub(super) fn note_news(&mut self, sites: Vec<GateKey>, now: Timestamp) {
        for site in sites {
            if self.wants(&site) == Light::Dark {
                self.news.insert(site, now);
            }
        }
    }

    pub(super) fn hold_back(&mut self, sites: &[GateKey], now: Timestamp) -> Result<(), Rejected> {
        let under = Some((self.revision, self.statements));
        let mut held = Err(Rejected("no site is lit that is not held back already"));
        for site in sites {
            let case = self.cases.entry(site.clone()).or_insert_with(|| Case::new(now));
            if case.phase.wants() == Light::Lit && case.held_back != under {
                case.held_back = under;
                held = Ok(());
            }
        }
        held
    }
}
