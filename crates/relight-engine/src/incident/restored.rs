//! A register that came back from an older copy: what the lost part of its journal darkened, or
//! found affected, nobody knows any more. So what was known before opens nothing (INCIDENT I1).

use relight_model::{Epoch, GateKey, Timestamp, Verdict};

use super::fold::{Case, Incident};
use super::grant::Grant;
use super::ledger::Ledger;
use super::phase::Phase;

impl Ledger {
    /// The newest order of an edge that this journal was found not to hold.
    pub(crate) fn restored(&self) -> Option<Epoch> {
        self.restored
    }

    pub(super) fn note_restored(&mut self, epoch: Epoch, now: Timestamp) {
        self.restored = self.restored.max(Some(epoch));
        // A clock that was ahead then and is right now trusts nothing of before.
        let then = self.trusted_after.map_or(now, |before| before.max(now));
        self.trusted_after = Some(then);
        for incident in self.incidents.values_mut().filter(|incident| !incident.closed) {
            incident.trust_after(then);
        }
    }
}

impl Incident {
    /// Files that were read until then, and what was signed until now, open nothing. What is lit
    /// stays so: this is no news about it.
    pub(super) fn trust_after(&mut self, then: Timestamp) {
        self.trusted_after = then;
        for grant in self.cases.values_mut().filter_map(|case| case.grant.as_mut()) {
            grant.is_old = true;
        }
    }

    /// True when a closed gate of a site may be opened at this instant: what permits the site to be
    /// lit was not known from before the register came back from a copy.
    pub fn may_open(&self, site: &GateKey, now: Timestamp) -> bool {
        self.case(site).is_some_and(|case| {
            self.opens_by_evidence(case, now) || self.opening_grant(case, now).is_some()
        })
    }

    /// True for a site that would return, if what is known of it, or was signed for it, were not of
    /// before the register came back from a copy.
    pub fn is_held_by_restore(&self, site: &GateKey, now: Timestamp) -> bool {
        let waits = self.case(site).is_some_and(|case| case.phase == Phase::RelightEligible);
        waits && self.permits(site, now) && !self.may_open(site, now)
    }

    /// How many there are.
    pub fn held_by_restore(&self, now: Timestamp) -> usize {
        self.cases.keys().filter(|site| self.is_held_by_restore(site, now)).count()
    }

    /// True where a site may not be opened, and what it waits upon is of before the register came
    /// back from a copy. One that is affected needs a control also then.
    pub(super) fn waits_on_old(&self, case: &Case, now: Timestamp) -> bool {
        let opens = self.opens_by_evidence(case, now) || self.opening_grant(case, now).is_some();
        let is_of_before = |it: &Grant| it.is_old && it.holds(case, self.revision, now);
        let is_signed_before = case.grant.as_deref().is_some_and(is_of_before);
        let is_before = |made_at: Timestamp| made_at <= self.trusted_after;
        let is_read_before = case.evidence.as_ref().is_some_and(|it| is_before(it.made_at));
        // What owes a verification is read and verified, not signed.
        let is_old = is_signed_before || (is_read_before && !self.owes_verification(case, now));
        let needs_control = case.verdict() == Some(Verdict::Affected);
        !opens && is_old && (!needs_control || case.mitigation.is_some())
    }

    pub(super) fn opens_by_evidence(&self, case: &Case, now: Timestamp) -> bool {
        let is_new = |made_at: Timestamp| made_at > self.trusted_after;
        self.is_clear(case, now) && case.evidence.as_ref().is_some_and(|it| is_new(it.made_at))
    }

    pub(super) fn opening_grant<'a>(&self, case: &'a Case, now: Timestamp) -> Option<&'a Grant> {
        case.grant.as_deref().filter(|it| !it.is_old && it.holds(case, self.revision, now))
    }
}
