//! How a verification of a fix ends: current evidence, a functional test behind the gate, the
//! site's own checks where it has some, and no signs of a compromise (INCIDENT 3.3).

use relight_model::{Digest, GateKey, Timestamp};

use super::entry::Entry;
use super::fold::{Case, Incident, OTHER_FILES, Rejected, step};
use super::phase::Phase;
use super::terms::Compromise;

/// What the checks of a site gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Digest of the list.
    pub list: Digest,
    /// Id of the evidence about the files that answered.
    pub evidence: Option<Digest>,
    /// How many checks the list has.
    pub of: u32,
    /// How many of them passed, up to the first that did not.
    pub passed: u32,
}

impl Case {
    /// Whether its checks say nothing against the files that are known now. Where it has a list, it
    /// is this one that was asked of them, and all of it passed; where it has none, nothing that
    /// was asked of them failed and was not taken away since.
    fn is_checked(&self, list: Option<Digest>) -> bool {
        let known = self.evidence_id();
        let about_these = self.checked.as_deref().filter(|it| it.evidence == known);
        match list {
            Some(list) => about_these.is_some_and(|it| it.list == list && it.passed == it.of),
            None => about_these.is_none_or(|it| it.passed == it.of),
        }
    }
}

impl Incident {
    /// What checks gave counts of the files that are known now, and where a fix is verified.
    pub(super) fn checks_run(&mut self, entry: &Entry) -> Result<(), Rejected> {
        let Entry::ChecksRun { site, evidence, list, of, passed, .. } = entry else {
            return Err(Rejected("the entry is of another kind"));
        };
        let checked = Checked { list: *list, evidence: *evidence, of: *of, passed: *passed };
        self.one(site, |case| {
            if !matches!(case.phase, Phase::Verifying | Phase::RelightEligible) {
                return Err(Rejected("no fix of the site is being verified"));
            }
            if *evidence != case.evidence_id() {
                return Err(Rejected(OTHER_FILES));
            }
            case.checked = Some(Box::new(checked.clone()));
            Ok(())
        })
    }

    /// A fix is verified once it is in service; and a site that was affected, before it returns
    /// upon evidence alone.
    pub(super) fn verify(&mut self, site: &GateKey, now: Timestamp) -> Result<(), Rejected> {
        let is_owed = self.case(site).is_some_and(|case| self.owes_verification(case, now));
        let from = [Phase::FixDeployed, Phase::RelightEligible];
        let from = if is_owed { &from[..] } else { &from[..1] };
        self.one(site, |case| step(case, from, Phase::Verifying, now))
    }

    /// True for a site that was called affected, was never verified since and whose finding was not
    /// withdrawn, and for one whose last verification did not pass: clear evidence that came after
    /// no evidence says nothing of its fix, and nothing of what somebody saw there. What two
    /// people sign does without, unless the register came back from a copy since: that opens
    /// nothing.
    pub(crate) fn owes_verification(&self, case: &Case, now: Timestamp) -> bool {
        let is_signed = || self.opening_grant(case, now).is_some();
        (case.was_affected.is_some() || case.unverified) && !is_signed()
    }

    /// True when a site may be opened, and owes nothing before.
    pub fn may_return(&self, site: &GateKey, now: Timestamp) -> bool {
        let owes = |case: &Case| self.owes_verification(case, now);
        self.may_open(site, now) && !self.case(site).is_some_and(owes)
    }

    /// What was tried has to be what is known now. Signs that somebody saw count in a site that was
    /// verified before as well.
    pub(super) fn verified(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        let Entry::Verified { site, functional, compromise, vital, evidence, checks } = entry
        else {
            return Err(Rejected("the entry is of another kind"));
        };
        let case = self.cases.get(site).ok_or(Rejected("the site has no case"))?;
        if evidence.is_some() && *evidence != case.evidence_id() {
            return Err(Rejected(OTHER_FILES));
        }
        let found = case.compromise(*compromise);
        let safe = match found {
            Compromise::NoSigns => true,
            Compromise::Unknown => !vital,
            Compromise::Signs => false,
        };
        let works = *functional && case.is_checked(*checks);
        let passed = self.is_clear(case, now) && works && safe;
        self.one(site, |case| {
            let next = if passed { Phase::RelightEligible } else { Phase::Affected };
            let seen = *compromise == Compromise::Signs;
            if seen && case.phase == Phase::RelightEligible {
                (case.grant, case.mitigation) = (None, None);
                case.go(Phase::Verifying, now);
            }
            step(case, &[Phase::Verifying], next, now)?;
            (case.fixed, case.unverified) = (passed, !passed);
            case.was_affected = case.was_affected.take().filter(|_| !passed);
            case.signs = found == Compromise::Signs;
            // A server tries again what somebody says is fixed after it did not pass, not before.
            case.declared &= passed;
            Ok(())
        })
    }
}
