//! What people sign where evidence does not say clear: acceptances of two people, exemptions, and
//! mitigations, each with an end (INCIDENT 10).

use relight_model::{Digest, GateKey, Light, Timestamp, Verdict};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::actions::same;
use super::entry::Entry;
use super::fold::{Case, Incident, Rejected, step};
use super::phase::Phase;
use super::proof::Witness;
use super::wire;

/// Longest life of an acceptance, an exemption or a mitigation, in seconds: 30 days.
pub const GRANT_AGE_MAX_S: i64 = 30 * 86_400;

/// Two people answer for a site that no evidence calls clear. It never makes evidence clear.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// Who asked for it.
    pub proposer: String,
    /// Who agreed: somebody else.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

impl Acceptance {
    /// Its id: SHA-256 of the canonical JSON.
    ///
    /// # Errors
    /// Never for this type; the serializer's type says it could.
    pub fn id(&self) -> Result<Digest, serde_json::Error> {
        Ok(Digest(Sha256::digest(wire::canonical(self)?.as_bytes()).into()))
    }

    /// What a passkey signs for it: who asks, why, until when, for which site of which incident,
    /// and what was known of it. Both people sign the same, whoever agrees.
    ///
    /// # Errors
    /// As [`Self::id`].
    pub fn terms(
        &self,
        (incident, site): (&str, &GateKey),
        about: &Digest,
    ) -> Result<Digest, serde_json::Error> {
        let asked = Self { approver: String::new(), ..self.clone() };
        let mut sum = Sha256::new_with_prefix("relight.acceptance/1");
        for text in [incident, site.as_str()] {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        }
        Ok(Digest(sum.chain_update(asked.id()?.0).chain_update(about.0).finalize().into()))
    }

    fn check(&self, now: Timestamp) -> Result<(), Rejected> {
        let [proposer, approver] = [&self.proposer, &self.approver].map(|name| name.trim());
        if proposer.is_empty() || approver.is_empty() {
            return Err(Rejected("an acceptance is signed by two people"));
        }
        if same(proposer, approver) {
            return Err(Rejected("the approver is the proposer"));
        }
        if self.reason.trim().is_empty() {
            return Err(Rejected("an acceptance says why"));
        }
        check_end(self.expires, now)
    }
}

/// A control in front of a site that stays affected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mitigation {
    /// What was done (`waf rule 1234`).
    pub control: String,
    /// Where it acts (`edge north`).
    pub place: String,
    /// Who answers for it.
    pub owner: String,
    /// Payloads replayed through the edge.
    pub replayed: u32,
    /// How many of them it stopped.
    pub blocked: u32,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

impl Mitigation {
    fn check(&self, now: Timestamp) -> Result<(), Rejected> {
        if self.replayed == 0 || self.blocked != self.replayed {
            return Err(Rejected("the control did not stop every payload of a replay"));
        }
        if [&self.control, &self.place, &self.owner].iter().any(|text| text.trim().is_empty()) {
            return Err(Rejected("a mitigation names its control, its place and its owner"));
        }
        check_end(self.expires, now)
    }
}

/// Whether an end is neither past nor too far away.
pub(crate) fn check_end(expires: Timestamp, now: Timestamp) -> Result<(), Rejected> {
    if expires <= now {
        return Err(Rejected("it is over already"));
    }
    if expires - now > GRANT_AGE_MAX_S {
        return Err(Rejected("it may last 30 days at most"));
    }
    Ok(())
}

/// Why a site may stay online although its incident takes others dark. Silence is no exemption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// Current clear evidence, by its id.
    Evidence(#[serde(with = "wire::digest")] Digest),
    /// Two people answer for it.
    Acceptance(Acceptance),
}

/// An acceptance in force, and what it was signed about. It is void as soon as that changes: other
/// artifacts, another revision, or worse news than was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What was signed.
    pub acceptance: Acceptance,
    /// Its end, or that of the control it rests on, whichever is first.
    pub expires: Timestamp,
    pub(super) deployed: Option<Digest>,
    revision: Digest,
    covers: Verdict,
    /// Signed before the register came back from a copy.
    pub(super) is_old: bool,
    /// Its end was seen, whatever the clock says since.
    pub(super) is_over: bool,
}

impl Grant {
    const fn is_over_at(&self, now: Timestamp) -> bool {
        self.is_over || self.expires <= now
    }

    pub(super) fn holds(&self, case: &Case, revision: Digest, now: Timestamp) -> bool {
        !self.is_over_at(now)
            && self.revision == revision
            && self.deployed == case.deployed
            && rank(case.verdict()) <= rank(Some(self.covers))
    }
}

impl Case {
    fn has_control_over(&self, now: Timestamp) -> Option<bool> {
        self.mitigation.as_ref().map(|it| self.is_control_over || it.expires <= now)
    }
}

const fn rank(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Clear) => 0,
        None | Some(Verdict::Unknown) => 1,
        Some(Verdict::Affected) => 2,
    }
}

/// What a second person is asked to sign, and what it is about. It is void as soon as that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) asked: Acceptance,
    about: Digest,
}

impl Incident {
    /// What people sign, approve or take back, and what sites answered before.
    pub(super) fn apply_signed(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        match entry {
            Entry::BaselineTaken { statuses } => {
                self.baseline(statuses, now);
                Ok(())
            }
            Entry::Mitigated { site, mitigation } => self.mitigate(site, mitigation, now),
            Entry::AcceptanceProposed { site, proposer, reason, expires, witness } => {
                self.is_still_so(site, witness.as_deref())?;
                self.propose(site, proposer, reason, *expires, now)
            }
            Entry::AcceptanceSigned { site, acceptance, witness, weighed } => {
                self.is_still_so(site, witness.as_deref())?;
                self.accept(site, acceptance, *weighed, now)
            }
            Entry::Exempted { site, ground, witness } => {
                self.is_still_so(site, witness.as_deref())?;
                self.exempt(site, ground, now)
            }
            Entry::PlanApproved { plan, seat, by, .. } => self.orders.approve(*plan, *seat, by),
            Entry::PlanRefused { plan, by, .. } => self.orders.refuse(*plan, by),
            Entry::PlanUndone { plan } => self.orders.undo(*plan, now),
            Entry::UpdatePublished { fr, en, by, particulars } => {
                self.publish((fr, en), by, *particulars, now)
            }
            _ => Err(Rejected("the entry is of another kind")),
        }
    }

    /// What was signed is about what is known now: an inventory may have come between the
    /// signature and its entry, and nobody signed about that one.
    fn is_still_so(&self, site: &GateKey, witness: Option<&Witness>) -> Result<(), Rejected> {
        match witness {
            Some(witness) if witness.about != self.about(site) => {
                Err(Rejected("something else is known of the site by now"))
            }
            _ => Ok(()),
        }
    }

    fn grant(&self, case: &Case, acceptance: &Acceptance) -> Grant {
        let control = case.mitigation.as_ref().map_or(i64::MAX, |control| control.expires);
        Grant {
            expires: acceptance.expires.min(control),
            acceptance: acceptance.clone(),
            deployed: case.deployed,
            revision: self.revision,
            covers: case.verdict().unwrap_or(Verdict::Unknown),
            is_old: false,
            is_over: false,
        }
    }

    /// What allows to open a site at this instant: the id of its clear evidence, or of the
    /// acceptance that is in force.
    pub fn ground(&self, site: &GateKey, now: Timestamp) -> Option<Digest> {
        let case = self.case(site)?;
        if self.opens_by_evidence(case, now) {
            return case.evidence.as_ref()?.id().ok();
        }
        self.opening_grant(case, now)?.acceptance.id().ok()
    }

    pub(super) fn mitigate(
        &mut self,
        site: &GateKey,
        control: &Mitigation,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        control.check(now)?;
        self.one(site, |case| {
            step(case, &[Phase::Affected, Phase::Fixing], Phase::Mitigated, now)?;
            (case.mitigation, case.is_control_over) = (Some(Box::new(control.clone())), false);
            Ok(())
        })
    }

    /// What somebody asked a second person to sign; the approver is empty. Nothing any more once
    /// other files are in service, or something else is known of them, than when it was asked.
    pub fn proposed(&self, site: &GateKey) -> Option<&Acceptance> {
        let request = self.proposals.get(site)?;
        (request.about == self.about(site)).then_some(&request.asked)
    }

    /// The id of it, and of what it is about: whoever agrees names what was read.
    pub fn request(&self, site: &GateKey) -> Option<Digest> {
        let (asked, about) = (self.proposed(site)?.id().ok()?, self.about(site));
        Some(Digest(Sha256::new().chain_update(asked.0).chain_update(about.0).finalize().into()))
    }

    /// The name of what is known of a site: revision, files in service, verdict, and the control in
    /// front of it. The same news again is the same.
    pub fn about(&self, site: &GateKey) -> Digest {
        let case = self.case(site);
        let deployed = case.and_then(|case| case.deployed).unwrap_or_default();
        let verdict = case.and_then(Case::verdict).map_or("", Verdict::as_str);
        let control = case.and_then(|case| wire::canonical(&case.mitigation).ok());
        let mut sum = Sha256::new_with_prefix("relight.about/1");
        sum.update(self.revision.0);
        sum.update(deployed.0);
        for text in [verdict, control.as_deref().unwrap_or_default()] {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        }
        Digest(sum.finalize().into())
    }

    pub(super) fn propose(
        &mut self,
        site: &GateKey,
        proposer: &str,
        reason: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        if proposer.trim().is_empty() || reason.trim().is_empty() {
            return Err(Rejected("an acceptance names who asks, and says why"));
        }
        check_end(expires, now)?;
        let (proposer, reason) = (proposer.to_owned(), reason.to_owned());
        let asked = Acceptance { proposer, approver: String::new(), reason, expires };
        let about = self.about(site);
        self.proposals.insert(site.clone(), Request { asked, about });
        Ok(())
    }

    /// An affected site returns under an acceptance only behind a control; an unknown one may be
    /// accepted as it is (ruling: accepting a flaw of an inventory), and so may one that waits upon
    /// what opens nothing since the register came back from a copy.
    pub(super) fn accept(
        &mut self,
        site: &GateKey,
        acceptance: &Acceptance,
        weighed: bool,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        acceptance.check(now)?;
        let case = self.case(site).ok_or(Rejected("the site has no case"))?;
        // New files that nobody read do not make it an unknown one: they are read first.
        let is_bare = case.verdict() == Some(Verdict::Affected) && case.mitigation.is_none();
        if weighed && is_bare {
            return Err(Rejected("an affected site needs a control in front of it"));
        }
        let grant = self.grant(case, acceptance);
        if grant.expires <= now || case.has_control_over(now).unwrap_or(false) {
            return Err(Rejected("the control is over"));
        }
        let from = [Phase::Mitigated, Phase::Unknown, Phase::RelightEligible];
        let from = if self.waits_on_old(case, now) { &from[..] } else { &from[..2] };
        self.one(site, |case| {
            step(case, from, Phase::RelightEligible, now)?;
            case.grant = Some(Box::new(grant.clone()));
            Ok(())
        })?;
        self.proposals.remove(site);
        Ok(())
    }

    pub(super) fn exempt(
        &mut self,
        site: &GateKey,
        ground: &Ground,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let mut case = self.case(site).cloned().unwrap_or_else(|| Case::new(now));
        if case.phase != Phase::Online {
            return Err(Rejected("the site is not online"));
        }
        match ground {
            Ground::Evidence(id) => {
                let named = case.evidence.as_ref().and_then(|it| it.id().ok()) == Some(*id);
                if !named || !self.is_clear(&case, now) {
                    return Err(Rejected("no current evidence says clear"));
                }
            }
            Ground::Acceptance(acceptance) => {
                acceptance.check(now)?;
                case.grant = Some(Box::new(self.grant(&case, acceptance)));
            }
        }
        case.go(Phase::Exempt, now);
        self.cases.insert(site.clone(), case);
        if matches!(ground, Ground::Acceptance(_)) {
            self.proposals.remove(site);
        }
        Ok(())
    }

    /// Where a site goes whose permission is over: a lit one goes dark; one that waits on a
    /// signature, or behind a control, waits for evidence again.
    pub(super) fn after_lapse(&self, case: &Case, now: Timestamp) -> Option<Phase> {
        if self.case_permits(case, now) {
            return None;
        }
        let control_over = case.has_control_over(now).unwrap_or(true);
        match case.phase {
            phase if phase.wants() == Light::Lit => Some(Phase::DarkRequested),
            Phase::Mitigated if control_over => Some(Phase::Affected),
            Phase::RelightEligible if case.grant.is_some() => Some(match case.verdict() {
                Some(Verdict::Affected) => Phase::Affected,
                _ => Phase::Unknown,
            }),
            _ => None,
        }
    }

    /// Sites whose acceptance, exemption or control is over: they go dark without further order.
    pub fn ended(&self, now: Timestamp) -> Vec<GateKey> {
        let over = |case: &Case| {
            let grant = case.grant.as_ref().is_some_and(|grant| grant.is_over_at(now));
            let control = case.has_control_over(now).unwrap_or(false);
            (grant || control) && self.after_lapse(case, now).is_some()
        };
        self.cases().iter().filter(|(_, case)| over(case)).map(|(site, _)| site.clone()).collect()
    }
}
