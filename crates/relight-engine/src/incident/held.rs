//! News that would darken lit sites without an order: only so many, for a forged or broken feed
//! must not darken a province, whether its news comes at once or site by site. The others are held
//! back, and count as exposed until somebody decides (INCIDENT 3.2).

use relight_model::{GateKey, Light, Timestamp};

use super::fold::{Case, Incident, Rejected};
use super::phase::{Gate, Phase};

/// How long a site counts that news darkened, in seconds: a day.
pub(super) const NEWS_AGE_MAX_S: i64 = 86_400;

impl Case {
    /// Nothing opens it but a person: it was opened in vain, or nobody can show since that its edge
    /// was looked at to the end.
    pub fn is_stopped(&self) -> bool {
        self.stopped > 0 || (self.unseen > 0 && self.gate == Gate::Failed)
    }
}

impl Incident {
    /// Lit sites that are held back for a person to decide about.
    pub fn held_back(&self) -> impl Iterator<Item = &GateKey> {
        self.cases().iter().filter(|(_, case)| case.held_back.is_some()).map(|(site, _)| site)
    }

    /// Those that news holds back: what an order left lit keeps no other news from darkening.
    pub(crate) fn held_by_news(&self) -> impl Iterator<Item = &GateKey> {
        let is_so = |case: &Case| case.held_back.is_some() && !case.is_left_lit();
        self.cases().iter().filter(move |(_, case)| is_so(case)).map(|(site, _)| site)
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

    /// The same of one that an order left lit.
    pub(crate) fn is_left_lit_now(&self, site: &GateKey) -> bool {
        self.is_held_now(site) && self.case(site).is_some_and(Case::is_left_lit)
    }

    /// It was held back so, by whatever, and what was known before is void.
    pub(crate) fn is_told_held(&self, site: &GateKey) -> bool {
        self.is_held_now(site) && self.case(site).is_some_and(|case| !case.is_still_permitted())
    }

    /// Sites that are dark by news alone that came within a day, and that no order named since.
    pub(crate) fn darkened_by_news(&self, now: Timestamp) -> impl Iterator<Item = &GateKey> {
        let is_new = move |at: Timestamp| now - at < NEWS_AGE_MAX_S;
        let recent = self.news.iter().filter(move |(_, at)| is_new(**at));
        recent.map(|(site, _)| site).filter(|site| self.wants(site) == Light::Dark)
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

    /// The news is believed: with `voids` nothing that was known before, or signed, permits the
    /// site any more, and an opening that is on its way stops. With `left` it was an order that
    /// left the site as it is, and that stays so when later news comes of it.
    pub(super) fn hold_back(
        &mut self,
        sites: &[GateKey],
        (voids, left): (bool, bool),
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let under = Some((self.revision, self.statements));
        let mut held = Err(Rejected("no site is lit that is not held back already"));
        for site in sites {
            let case = self.cases.entry(site.clone()).or_insert_with(|| Case::new(now));
            let left = left || case.is_left_lit();
            let is_new = case.held_back != under || left != case.is_left_lit();
            let is_new = is_new || (voids && case.is_still_permitted());
            if case.phase.wants() == Light::Lit && is_new {
                (case.held_back, case.left_lit) = (under, left);
                if voids {
                    (case.evidence, case.grant, case.mitigation) = (None, None, None);
                }
                held = Ok(());
            }
        }
        held
    }
}

impl Case {
    /// An order left it lit, and nothing answered that since.
    pub(super) fn is_left_lit(&self) -> bool {
        self.held_back.is_some() && self.left_lit
    }

    /// Something is known of it, or signed, from before it was held back.
    fn is_still_permitted(&self) -> bool {
        self.evidence.is_some() || self.grant.is_some()
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Digest;

    use super::super::entry::Entry;
    use super::super::evidence::tests::clear;
    use super::*;

    /// Goal: journals of before replay as they did, and what they held back is voided once it is
    /// told again. Method: both forms of the entry, about a site with clear evidence.
    #[test]
    fn a_site_that_was_held_back_before_is_held_as_it_was_until_it_is_told_again() {
        let site = GateKey::new("a").unwrap();
        let opened = Entry::Opened {
            question: "CVE-2021-44228".into(),
            title: String::new(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: String::new(),
        };
        let mut incident = Incident::open(&opened, 100, 1).unwrap();
        let evidence = clear("a", 1, 2);
        incident.apply(&Entry::EvidenceAttached { evidence }, 100).unwrap();
        let body = r#"{"kind":"held-back","sites":["a"]}"#;
        let before = Entry::from_body(body).unwrap();
        assert_eq!(before.to_body().unwrap(), body);
        incident.apply(&before, 101).unwrap();
        assert!(incident.permits(&site, 101), "as it was");
        incident.apply(&before, 101).unwrap_err();
        let body = r#"{"kind":"held-back","sites":["a"],"voids":true}"#;
        let now = Entry::from_body(body).unwrap();
        incident.apply(&now, 102).unwrap();
        assert!(!incident.permits(&site, 102));
        incident.apply(&now, 102).unwrap_err();
        let evidence = clear("a", 1, 2);
        incident.apply(&Entry::EvidenceAttached { evidence }, 103).unwrap();
        assert!(incident.permits(&site, 103), "clear evidence answers it");
    }
}
