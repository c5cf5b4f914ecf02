//! What new evidence makes of a case: the table of INCIDENT 2.1 and ruling 6.

use std::collections::BTreeSet;

use relight_model::{Digest, Light, Timestamp, Verdict};

use super::evidence::Evidence;
use super::fold::{Case, Incident, Rejected};
use super::phase::Phase;

/// What called a site affected since its last verification that passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalledAffected {
    /// Under which revisions of the advisory: the newest one may be withdrawn, and an older one
    /// come back.
    pub revisions: BTreeSet<Digest>,
    /// Which files, the last time; none where nobody knew.
    pub files: Option<Digest>,
}

impl Incident {
    pub(super) fn attach(&mut self, evidence: &Evidence, now: Timestamp) -> Result<(), Rejected> {
        let case = self.weighed(evidence, now)?;
        let clear = self.is_clear(&case, now);
        self.cases.insert(evidence.site.clone(), case);
        self.hear_of_parts(&evidence.site, clear);
        Ok(())
    }

    /// The case of a site as this evidence makes it, without changing anything.
    ///
    /// Evidence comes from reading what is deployed, so it also reports the artifact set; older
    /// evidence than the last report of a deployment says nothing about what runs now.
    pub(crate) fn weighed(&self, evidence: &Evidence, now: Timestamp) -> Result<Case, Rejected> {
        if evidence.advisory != self.question {
            return Err(Rejected("the evidence is about another question"));
        }
        let current = self.revision;
        let mut case = match self.cases.get(&evidence.site) {
            Some(case) => case.clone(),
            None => Case::new(now),
        };
        // A report from the hour of a clock that was ahead is no reason to refuse bad news.
        let is_bad = evidence.verdict != Verdict::Clear;
        let is_from_ahead = case.deployed_at > now;
        if evidence.made_at < case.deployed_at && !(is_bad && is_from_ahead) {
            return Err(Rejected("the evidence is older than what is deployed"));
        }
        let before = (case.evidence.clone(), case.deployed);
        // Of a scan in the second of a report nobody knows which was first: the report stands.
        let is_doubtful = case.reported && evidence.made_at == case.deployed_at;
        let is_other = evidence.artifact_set.is_some() && evidence.artifact_set != case.deployed;
        let changed = is_other && !is_doubtful;
        if changed {
            case.tried = None;
            if case.deployed.is_none()
                && let Some(grant) = &mut case.grant
            {
                // What was signed unread is bound to what is read first.
                grant.deployed = evidence.artifact_set;
            }
            case.deployed = evidence.artifact_set;
            // A clock that is ahead must not make everything that comes after it too late.
            case.deployed_at = evidence.made_at.min(now);
            case.reported = false;
        }
        case.evidence = Some(evidence.clone());
        case.held_back = None;
        let clear = self.is_clear(&case, now);
        let next = match case.phase {
            Phase::RelightEligible | Phase::Exempt if self.case_permits(&case, now) => case.phase,
            phase if phase.wants() == Light::Lit && self.case_permits(&case, now) => phase,
            _ => after_evidence(&case, evidence.verdict, clear, &before, current)?,
        };
        if next == Phase::Affected || next == Phase::Unknown {
            case.fixed = false;
            (case.grant, case.mitigation) = (None, None);
        }
        match (evidence.verdict, &mut case.was_affected) {
            (Verdict::Affected, called) => {
                let called = called.get_or_insert_default();
                called.revisions.insert(evidence.advisory_revision);
                called.files = case.deployed;
            }
            // The very files that were affected are clear by a revision that never called the site
            // so: it was withdrawn. One that comes back withdraws nothing.
            (Verdict::Clear, Some(called))
                if clear
                    && !called.revisions.contains(&current)
                    && called.files == case.deployed =>
            {
                case.was_affected = None;
            }
            _ => {}
        }
        case.go(next, now);
        Ok(case)
    }

    /// Whether evidence, and the case as [`Incident::weighed`] makes it, say more than is known:
    /// bad news that follows from nothing, or that is known already but for its time, does not.
    pub(crate) fn is_news(&self, evidence: &Evidence, weighed: Option<&Case>) -> bool {
        let is_bad = evidence.verdict != Verdict::Clear;
        let is_known = |weighed: &Case| {
            let case = self.cases.get(&evidence.site)?;
            let known = case.evidence.as_ref()?;
            let (made_at, expires_at) = (known.made_at, known.expires_at);
            // Nor is it news by which tool, from which inventory, the same was read.
            let (scanner, inventories) = (known.scanner.clone(), known.inventories.clone());
            let same = Evidence { made_at, expires_at, scanner, inventories, ..evidence.clone() };
            let after = Case { evidence: Some(same), ..weighed.clone() };
            Some(after == *case)
        };
        !(is_bad && weighed.is_none_or(|it| is_known(it).unwrap_or_default()))
    }
}

/// The phase after new evidence.
pub(super) fn after_evidence(
    case: &Case,
    verdict: Verdict,
    clear: bool,
    before: &(Option<Evidence>, Option<Digest>),
    revision: Digest,
) -> Result<Phase, Rejected> {
    let (old, deployed) = before;
    let bad = if verdict == Verdict::Affected { Phase::Affected } else { Phase::Unknown };
    let same_artifact = case.deployed == *deployed;
    match case.phase {
        Phase::DarkRequested
        | Phase::DarkProven
        | Phase::Failed
        | Phase::Analysing
        | Phase::Unknown => Ok(match clear {
            // Clear files do not take back what somebody saw.
            true if case.signs => Phase::Verifying,
            true => Phase::RelightEligible,
            false => bad,
        }),
        Phase::Mitigated if !clear => {
            // The same news again leaves the control where it is; other news voids it.
            let same = same_artifact && is_of(old.as_ref(), revision);
            Ok(if same && verdict == Verdict::Affected { Phase::Mitigated } else { bad })
        }
        Phase::Affected | Phase::Fixing if verdict == Verdict::Affected => {
            // News of an older revision must not hide that the latest one calls it affected.
            let is_old = !is_of(case.evidence.as_ref(), revision);
            if is_old && is_of(old.as_ref(), revision) {
                return Err(Rejected("newer evidence calls the site affected already"));
            }
            Ok(Phase::Affected)
        }
        Phase::Affected | Phase::Fixing if !clear => {
            Err(Rejected("an affected site needs clear evidence"))
        }
        Phase::Affected | Phase::Fixing | Phase::Mitigated => {
            repaired(case, same_artifact, old.as_ref(), revision)
        }
        Phase::FixDeployed | Phase::Verifying if clear => Ok(Phase::Verifying),
        Phase::FixDeployed | Phase::Verifying => Ok(Phase::Affected),
        Phase::RelightEligible
        | Phase::Relighting
        | Phase::Online
        | Phase::Exempt
        | Phase::RelitProven => Ok(if clear { case.phase } else { bad }),
    }
}

fn is_of(evidence: Option<&Evidence>, revision: Digest) -> bool {
    evidence.is_some_and(|evidence| evidence.advisory_revision == revision)
}

/// Where clear evidence leads a site that was affected.
fn repaired(
    case: &Case,
    same_artifact: bool,
    old: Option<&Evidence>,
    revision: Digest,
) -> Result<Phase, Rejected> {
    // A fix known too little, or too late, was not called affected; nor was it verified.
    let was_called_so = old.is_none_or(|old| old.verdict == Verdict::Affected);
    if !same_artifact || case.unverified || !was_called_so {
        return Ok(Phase::Verifying);
    }
    // The artifacts are the affected ones: only a withdrawn finding makes them clear.
    if old.is_some() && !is_of(old, revision) {
        return Ok(Phase::RelightEligible);
    }
    Err(Rejected("the same artifacts were affected under the same revision"))
}
