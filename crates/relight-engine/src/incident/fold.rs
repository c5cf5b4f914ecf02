//! An incident as a pure fold over the journal: the only source of what is wanted.

use std::collections::BTreeMap;

use relight_model::{Digest, DisplayState, GateKey, Light, Timestamp, Verdict};

use super::course::Course;
use super::entry::Entry;
use super::evidence::{Current, Evidence};
use super::grant::{Grant, Mitigation, Request};
use super::ledger::is_exposed;
use super::over::SetBack;
use super::parts::PartCase;
use super::phase::{Gate, Phase, display};
use super::standing::{Orders, UNSEEN_MAX};
use super::terms::Baseline;
use super::tried::Tried;
use super::update::Update;
use super::verified::Checked;
use super::weigh::CalledAffected;

/// Why an entry changes nothing. The text is for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected(pub &'static str);

/// One site in one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Where it stands.
    pub phase: Phase,
    /// What was last seen of its gate.
    pub gate: Gate,
    /// The last proof of it saw it dark, and nothing that was seen since says otherwise, whatever
    /// is wanted of it meanwhile: all that the public page follows.
    pub seen_dark: bool,
    /// The newest evidence.
    pub evidence: Option<Evidence>,
    /// The artifact set in service, as last reported.
    pub deployed: Option<Digest>,
    /// When that was reported.
    pub deployed_at: Timestamp,
    /// Whoever deployed it said so; otherwise a scan did.
    pub reported: bool,
    /// Somebody said that it is being fixed, since it was last dark.
    pub declared: bool,
    /// Why the last trial behind the gate did not pass.
    pub tried: Option<Box<Tried>>,
    /// What its checks gave, the last time that they were asked.
    pub checked: Option<Box<Checked>>,
    /// A verified fix is in service.
    pub fixed: bool,
    /// It was called affected since its last verification that passed. It is not forgotten where
    /// nothing is known of the site for a while.
    pub was_affected: Option<CalledAffected>,
    /// The last verification did not pass: only another one lets it return.
    pub unverified: bool,
    /// Somebody saw signs of a compromise, and nobody said since that there are none.
    pub signs: bool,
    /// It was proven dark at least once.
    pub was_dark: bool,
    /// It was ordered dark at least once.
    pub ordered: bool,
    /// How often it was opened without being proven lit: above 0 a person decides.
    pub stopped: u32,
    /// How often in a row it was opened and nobody looked to the end whether it came back. Until
    /// its edge was seen again it is not tried once more.
    pub unseen: u32,
    /// A plan that was to open it came to its end before it did: a person decides.
    pub is_left: bool,
    /// First digit of the status it had before it was first ordered dark.
    pub baseline: Option<u16>,
    /// The acceptance that it was let go on, if one.
    pub grant: Option<Box<Grant>>,
    /// The control in front of it, if one.
    pub mitigation: Option<Box<Mitigation>>,
    /// The end of the control was seen, whatever the clock says since.
    pub(super) is_control_over: bool,
    /// When the evidence was made that was seen over last, where the clock shows a time before.
    pub(super) spent: Option<Timestamp>,
    /// News would darken it that waits for an order (exposed): the revision and the statements
    /// under which that was so.
    pub held_back: Option<(Digest, Digest)>,
    /// What held it back was an order that left it lit, and no news.
    pub(super) left_lit: bool,
    /// When the phase was entered.
    pub since: Timestamp,
}

impl Case {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            phase: Phase::Online,
            gate: Gate::Open,
            seen_dark: false,
            evidence: None,
            deployed: None,
            deployed_at: Timestamp::MIN,
            reported: false,
            declared: false,
            tried: None,
            checked: None,
            fixed: false,
            was_affected: None,
            unverified: false,
            signs: false,
            was_dark: false,
            ordered: false,
            stopped: 0,
            unseen: 0,
            is_left: false,
            baseline: None,
            grant: None,
            mitigation: None,
            is_control_over: false,
            spent: None,
            held_back: None,
            left_lit: false,
            since: now,
        }
    }

    pub(super) fn go(&mut self, phase: Phase, now: Timestamp) {
        if self.phase.wants() == Light::Lit && phase.wants() == Light::Dark {
            self.gate = Gate::Requested;
            (self.declared, self.tried) = (false, None);
        }
        if self.phase != phase {
            self.since = now;
        }
        self.held_back = self.held_back.filter(|_| phase.wants() == Light::Lit);
        self.phase = phase;
    }

    /// The id of the newest evidence.
    pub(crate) fn evidence_id(&self) -> Option<Digest> {
        self.evidence.as_ref()?.id().ok()
    }

    /// The verdict of the newest evidence.
    pub fn verdict(&self) -> Option<Verdict> {
        self.evidence.as_ref().map(|evidence| evidence.verdict)
    }

    /// The state in which the site is drawn.
    pub fn display(&self) -> DisplayState {
        match self.held_back {
            Some(_) => DisplayState::Exposed,
            None => display(self.phase, self.gate, self.fixed, self.verdict()),
        }
    }
}

/// One incident. `apply` is the only way to change it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The question it is about.
    pub question: String,
    /// One line for people.
    pub title: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// The latest revision of the advisory group.
    pub revision: Digest,
    /// Digest of the statements of suppliers in force; all zero when there are none.
    pub statements: Digest,
    /// No more entries are accepted.
    pub closed: bool,
    /// The dark orders, and who approved which plan.
    pub orders: Orders,
    /// Words for the public page, oldest first.
    pub updates: Vec<Update>,
    /// How it goes.
    pub course: Course,
    pub(super) proposals: BTreeMap<GateKey, Request>,
    matcher_revision: u32,
    /// Only files that were read after that open anything.
    pub(super) trusted_after: Timestamp,
    pub(super) set_back: Vec<SetBack>,
    pub(super) cases: BTreeMap<GateKey, Case>,
    pub(super) parts: BTreeMap<GateKey, PartCase>,
    /// What news darkened without an order, and when; an order forgets what it names.
    pub(super) news: BTreeMap<GateKey, Timestamp>,
}

impl Incident {
    /// The incident that an `Opened` entry begins.
    ///
    /// # Errors
    /// Any other entry: an incident starts with its opening.
    pub fn open(entry: &Entry, now: Timestamp, matcher_revision: u32) -> Result<Self, Rejected> {
        let Entry::Opened { question, title, revision, statements, .. } = entry else {
            return Err(Rejected("the incident is not open"));
        };
        Ok(Self {
            question: question.clone(),
            title: title.clone(),
            opened: now,
            revision: *revision,
            statements: *statements,
            closed: false,
            orders: Orders::default(),
            updates: Vec::new(),
            course: Course::default(),
            proposals: BTreeMap::new(),
            matcher_revision,
            trusted_after: Timestamp::MIN,
            set_back: Vec::new(),
            cases: BTreeMap::new(),
            parts: BTreeMap::new(),
            news: BTreeMap::new(),
        })
    }

    pub(crate) const fn run_matcher(&mut self, revision: u32) {
        self.matcher_revision = revision;
    }

    /// Every case, by gate key.
    pub fn cases(&self) -> &BTreeMap<GateKey, Case> {
        &self.cases
    }

    /// The case of a site, once something was said about it.
    pub fn case(&self, site: &GateKey) -> Option<&Case> {
        self.cases.get(site)
    }

    /// What this incident wants visitors of a site to see.
    pub fn wants(&self, site: &GateKey) -> Light {
        match self.cases.get(site) {
            Some(case) if !self.closed => case.phase.wants(),
            _ => Light::Lit,
        }
    }

    /// True when a site may be lit at this instant: by its newest evidence, or by an acceptance.
    pub fn permits(&self, site: &GateKey, now: Timestamp) -> bool {
        self.cases.get(site).is_some_and(|case| self.case_permits(case, now))
    }

    pub(super) fn case_permits(&self, case: &Case, now: Timestamp) -> bool {
        let granted = |grant: &Grant| grant.holds(case, self.revision, now);
        self.is_clear(case, now) || case.grant.as_deref().is_some_and(granted)
    }

    /// True when current evidence says clear; no signature does.
    pub(super) fn is_clear(&self, case: &Case, now: Timestamp) -> bool {
        let current = self.current(case);
        let permits = |it: &Evidence| it.permits(&current, now) && !self.is_spent(case, it);
        case.evidence.as_ref().is_some_and(permits)
    }

    /// Two people answer for it, and no current evidence says clear.
    pub(crate) fn is_on_paper(&self, case: &Case, now: Timestamp) -> bool {
        case.grant.is_some() && !self.is_clear(case, now)
    }

    fn current(&self, case: &Case) -> Current {
        Current {
            artifact_set: case.deployed,
            revision: self.revision,
            statements_digest: self.statements,
            matcher_revision: self.matcher_revision,
        }
    }

    /// Folds one entry in.
    ///
    /// # Errors
    /// The entry does not follow from the present state; then nothing changed. An entry about
    /// several sites is accepted if it follows for at least one of them.
    pub fn apply(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        let before = self.dark_of(entry);
        self.fold(entry, now)?;
        self.note_course(entry, before, now);
        Ok(())
    }

    fn fold(&mut self, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        if self.closed && !comes_late(entry) {
            return Err(Rejected("the incident is closed"));
        }
        match entry {
            Entry::Opened { .. } => Err(Rejected("the incident is open already")),
            Entry::DarkOrdered { plan, sites, .. } => {
                self.order(sites, now)?;
                // What it does not name, nobody decided about.
                for site in sites {
                    self.news.remove(site);
                }
                self.orders.note(*plan, sites, now);
                Ok(())
            }
            Entry::Proved { sites, light, .. } => self.each(sites, |case| prove(case, *light, now)),
            Entry::EdgeFailed { sites, .. } => self.each(sites, |case| fail(case, now)),
            Entry::AnalysisStarted { sites } => {
                self.each(sites, |case| step(case, &BEFORE_ANALYSIS, Phase::Analysing, now))
            }
            Entry::EvidenceAttached { evidence } => self.attach(evidence, now),
            Entry::FixStarted { site, .. } => self.one(site, |case| declare(case, now)),
            Entry::VerificationFound { site, why, detail } => {
                self.one(site, |case| Tried::note(case, why, detail))
            }
            Entry::Deployed { site, digest } => self.one(site, |case| deploy(case, *digest, now)),
            Entry::VerificationStarted { site } => self.verify(site, now),
            Entry::ChecksRun { .. } => self.checks_run(entry),
            Entry::Verified { .. } => self.verified(entry, now),
            Entry::RelightStarted { site, evidence } => self.relight(site, *evidence, now),
            Entry::RelightStopped { sites, unseen, .. } => self.stop(sites, *unseen, now),
            Entry::Revised { revision, statements } => {
                (self.revision, self.statements) = (*revision, *statements);
                Ok(())
            }
            Entry::Lapsed { sites } => self.lapse(sites, now),
            Entry::HeldBack { sites, voids, left } => self.hold_back(sites, (*voids, *left), now),
            Entry::Drifted { sites, what, .. } => self.each(sites, |case| drift(case, what, now)),
            Entry::Closed { current } => self.close(*current, now),
            Entry::AuthorityGranted { .. }
            | Entry::Drilled { .. }
            | Entry::DrillBegun { .. }
            | Entry::DrillEnded { .. }
            | Entry::DrillUndone { .. }
            | Entry::Barred { .. }
            | Entry::CanaryTried { .. }
            | Entry::LedPast { .. }
            | Entry::AdvisoriesSet { .. }
            | Entry::Restored { .. }
            | Entry::ClockSetBack { .. }
            | Entry::Access { .. } => Err(Rejected("the entry belongs to no incident")),
            Entry::BreakGlass { .. }
            | Entry::GlassReviewed { .. }
            | Entry::PlanProposed { .. }
            | Entry::PlanStarted { .. }
            | Entry::AuthorityUsed { .. }
            | Entry::Refused { .. } => Ok(()),
            Entry::PlanEnded { left, .. } => {
                self.leave_dark(left);
                Ok(())
            }
            Entry::PartsClosed { .. } | Entry::PartsOpened { .. } | Entry::PartsSeen { .. } => {
                self.apply_to_parts(entry, now)
            }
            other => self.apply_signed(other, now),
        }
    }

    pub(super) fn one(
        &mut self,
        site: &GateKey,
        change: impl Fn(&mut Case) -> Result<(), Rejected>,
    ) -> Result<(), Rejected> {
        let case = self.cases.get_mut(site).ok_or(Rejected("the site has no case"))?;
        change(case)
    }

    fn each(
        &mut self,
        sites: &[GateKey],
        change: impl Fn(&mut Case) -> Result<(), Rejected>,
    ) -> Result<(), Rejected> {
        let mut result = Err(Rejected("none of the sites has a case"));
        for site in sites {
            if let Some(case) = self.cases.get_mut(site) {
                match (change(case), &result) {
                    (Ok(()), _) => result = Ok(()),
                    (Err(why), Err(_)) => result = Err(why),
                    (Err(_), Ok(())) => {}
                }
            }
        }
        result
    }

    fn order(&mut self, sites: &[GateKey], now: Timestamp) -> Result<(), Rejected> {
        let mut ordered = Err(Rejected("every site is ordered dark already"));
        for site in sites {
            let case = self.cases.entry(site.clone()).or_insert_with(|| Case::new(now));
            if case.phase.wants() == Light::Lit {
                case.ordered = true;
                case.grant = None;
                case.go(Phase::DarkRequested, now);
                ordered = Ok(());
            }
        }
        ordered
    }

    /// The first answer that is recorded counts: a later one may come from a site half repaired.
    pub(super) fn baseline(&mut self, statuses: &[Baseline], now: Timestamp) {
        for Baseline { site, class } in statuses {
            let case = self.cases.entry(site.clone()).or_insert_with(|| Case::new(now));
            case.baseline = case.baseline.or(Some(*class));
        }
    }

    fn relight(
        &mut self,
        site: &GateKey,
        evidence: Digest,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        self.cases.get(site).ok_or(Rejected("the site has no case"))?;
        if self.ground(site, now) != Some(evidence) {
            return Err(Rejected("no current evidence says clear"));
        }
        self.one(site, |case| {
            step(case, &[Phase::RelightEligible], Phase::Relighting, now)?;
            case.is_left = false;
            Ok(())
        })
    }

    /// An opening that was permitted and never proven was in vain, and a person looks at it; one
    /// whose evidence lapsed meanwhile only waits for newer evidence, and one whose edge nobody
    /// looked at to the end waits for a look, [`UNSEEN_MAX`] times in a row.
    fn stop(&mut self, sites: &[GateKey], is_unseen: bool, now: Timestamp) -> Result<(), Rejected> {
        let (in_vain, lapsed): (Vec<GateKey>, Vec<GateKey>) =
            sites.iter().cloned().partition(|site| self.may_return(site, now));
        let back = |case: &mut Case| step(case, &[Phase::Relighting], Phase::RelightEligible, now);
        let lapsed = self.each(&lapsed, |case| {
            back(case)?;
            if case.evidence.is_none() && case.grant.is_none() {
                // Of one that was held back nobody knows any more that it is clear.
                case.go(Phase::Unknown, now);
            }
            Ok(())
        });
        let in_vain = self.each(&in_vain, |case| {
            back(case)?;
            if is_unseen && case.unseen < UNSEEN_MAX {
                case.unseen += 1;
            } else {
                case.stopped = case.stopped.saturating_add(1);
            }
            Ok(())
        });
        in_vain.or(lapsed)
    }

    fn lapse(&mut self, sites: &[GateKey], now: Timestamp) -> Result<(), Rejected> {
        let mut result = Err(Rejected("no site was lit or waited on what is over"));
        for site in sites {
            let Some(case) = self.cases.get(site) else { continue };
            let Some(next) = self.after_lapse(case, now) else { continue };
            if let Some(case) = self.cases.get_mut(site) {
                (case.grant, case.mitigation) = (None, None);
                case.go(next, now);
                result = Ok(());
            }
        }
        result
    }

    /// A closed incident wants nothing of the edges any more, so whatever it darkened has to be
    /// proven lit before: nobody would open it afterwards.
    /// Of what is lit without current evidence nobody would hear the bad news either (`current`).
    /// What an order left lit keeps nothing open: somebody decided, and maybe nobody can ever clear
    /// it. The report says that it was left online.
    fn close(&mut self, current: bool, now: Timestamp) -> Result<(), Rejected> {
        if self.cases.values().any(|case| case.phase.wants() == Light::Dark) {
            return Err(Rejected("sites are still wanted dark"));
        }
        if self.cases.values().any(|case| case.phase == Phase::Relighting) {
            return Err(Rejected("sites are still being relit"));
        }
        if self.held_by_news().next().is_some() {
            return Err(Rejected("news about lit sites waits for a person"));
        }
        if self.cases.values().any(|case| self.is_on_paper(case, now)) {
            return Err(Rejected("an exemption or a mitigation is open"));
        }
        if self.parts.values().any(PartCase::is_at_work) {
            return Err(Rejected("parts of sites are still closed"));
        }
        let is_bare =
            |(site, case): (&GateKey, &Case)| !case.is_left_lit() && is_exposed(self, site, now);
        if current && self.cases.iter().any(is_bare) {
            return Err(Rejected("lit sites are without current evidence"));
        }
        self.closed = true;
        Ok(())
    }
}

/// Why a trial of files that were replaced meanwhile says nothing.
pub(crate) const OTHER_FILES: &str = "other files were read than those that were tried";

/// What drifted where nothing was seen for too long: the last proof is too old to be one.
pub(crate) const PROOF_EXPIRED: &str = "proof-expired";

/// A report is written when it is over, and the last wave may end after it.
fn comes_late(entry: &Entry) -> bool {
    match entry {
        Entry::UpdatePublished { particulars, .. } => particulars.report,
        Entry::PlanEnded { .. } => true,
        _ => false,
    }
}

/// Why a site is not dark that a spelling of its name reaches.
pub const HOST_SPELLING: &str = "host-spelling";

const BEFORE_ANALYSIS: [Phase; 3] = [Phase::DarkRequested, Phase::DarkProven, Phase::Failed];

pub(super) fn step(
    case: &mut Case,
    from: &[Phase],
    to: Phase,
    now: Timestamp,
) -> Result<(), Rejected> {
    if !from.contains(&case.phase) {
        return Err(Rejected("the phase of the site does not allow it"));
    }
    case.go(to, now);
    Ok(())
}

/// Somebody says that a site is being fixed: before, or after what is in service was read again.
fn declare(case: &mut Case, now: Timestamp) -> Result<(), Rejected> {
    let is_in_service = matches!(case.phase, Phase::FixDeployed | Phase::Verifying);
    if !is_in_service || case.declared {
        step(case, &[Phase::Affected], Phase::Fixing, now)?;
    }
    case.declared = true;
    Ok(())
}

fn prove(case: &mut Case, light: Light, now: Timestamp) -> Result<(), Rejected> {
    match (light, case.phase) {
        (Light::Dark, phase) if phase.wants() == Light::Lit => {
            Err(Rejected("the site is not wanted dark"))
        }
        (Light::Dark, phase) => {
            case.gate = Gate::Proven;
            (case.was_dark, case.seen_dark) = (true, true);
            if matches!(phase, Phase::DarkRequested | Phase::Failed) {
                case.go(Phase::DarkProven, now);
            }
            Ok(())
        }
        (Light::Lit, Phase::Relighting) => {
            case.gate = Gate::Open;
            (case.stopped, case.unseen, case.seen_dark) = (0, 0, false);
            case.go(Phase::RelitProven, now);
            Ok(())
        }
        (Light::Lit, _) => Err(Rejected("the site is not being relit")),
    }
}

fn fail(case: &mut Case, now: Timestamp) -> Result<(), Rejected> {
    if case.phase.wants() == Light::Lit {
        return Err(Rejected("the site is not wanted dark"));
    }
    if case.phase == Phase::DarkRequested {
        case.go(Phase::Failed, now);
    }
    case.gate = Gate::Failed;
    Ok(())
}

fn drift(case: &mut Case, what: &str, now: Timestamp) -> Result<(), Rejected> {
    // Of an edge that does not answer nobody knows that a site is back.
    case.seen_dark &= what == PROOF_EXPIRED;
    match case.phase {
        Phase::Online | Phase::Exempt => return Err(Rejected("the site was never ordered dark")),
        Phase::RelitProven => {
            case.go(Phase::Relighting, now);
            case.gate = Gate::Requested;
        }
        Phase::DarkProven => {
            case.go(Phase::DarkRequested, now);
            case.gate = Gate::Requested;
        }
        Phase::Relighting => {}
        _ => case.gate = Gate::Requested,
    }
    Ok(())
}

/// A new artifact set voids what was known about the old one. A lit site goes dark; the fix of an
/// affected site counts only if the digest differs from the affected one.
fn deploy(case: &mut Case, digest: Digest, now: Timestamp) -> Result<(), Rejected> {
    if case.deployed == Some(digest) {
        return Err(Rejected("this artifact set is in service already"));
    }
    case.deployed = Some(digest);
    case.deployed_at = now;
    case.reported = true;
    let next = match case.phase {
        phase if phase.wants() == Light::Lit => Phase::DarkRequested,
        Phase::Affected | Phase::Fixing | Phase::Mitigated | Phase::Verifying => Phase::FixDeployed,
        Phase::RelightEligible => Phase::Unknown,
        other => other,
    };
    (case.fixed, case.tried) = (false, None);
    (case.grant, case.mitigation) = (None, None);
    case.go(next, now);
    Ok(())
}
