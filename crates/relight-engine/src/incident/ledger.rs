//! All incidents of a register, folded from one journal.

use std::collections::{BTreeMap, BTreeSet};

use relight_edge::config::CANARY_KEY;
use relight_model::{Digest, DisplayState, Epoch, GateKey, Light, Timestamp};

use super::actions::Actions;
use super::entry::Entry;
use super::fold::{Case, HOST_SPELLING, Incident, Rejected};
use super::lies::Caught;
use super::over::SetBack;
use super::parts::{PartCase, PartSeen};
use super::phase::{self, Gate, Phase};
use super::rehearsed::{Passed, Rehearsed};
use super::standing::Authority;

/// Most incidents that may be open at once (INCIDENT 4).
pub const OPEN_INCIDENTS_MAX: usize = 64;

/// Every incident, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    matcher_revision: u32,
    /// The matcher that the journal names last: what runs now is journalled before the next entry
    /// where it is another one.
    journalled_matcher: u32,
    pub(super) incidents: BTreeMap<String, Incident>,
    /// The newest order of an edge that this journal was found not to hold.
    pub(super) restored: Option<Epoch>,
    /// When that was found, the last time: what was known until then opens nothing.
    pub(super) trusted_after: Option<Timestamp>,
    authorities: BTreeMap<String, Authority>,
    /// Those whose end was seen, whatever the clock says since.
    authorities_over: BTreeSet<String>,
    pub(super) drills: BTreeMap<String, Passed>,
    pub(super) rehearsed: BTreeMap<String, Rehearsed>,
    /// Edges whose canary fails, since when and how.
    canaries: BTreeMap<String, (Timestamp, String)>,
    /// What the second barrier of each edge was told last.
    barred: BTreeMap<String, Barred>,
    actions: Actions,
    /// Number of the last change of what counts of advisories that the journal names.
    changes_noted: u64,
    /// When something was last proven at each edge.
    proved_at: BTreeMap<String, Timestamp>,
    caught: Caught,
    /// When the last record was written.
    pub(super) last_at: Option<Timestamp>,
    pub(super) set_back: Vec<SetBack>,
    /// Sites that a spelling of their name was seen to reach while they were dark.
    past: BTreeSet<GateKey>,
    /// Edges whose canary one reached.
    canaries_past: BTreeSet<String>,
    /// Which spelling it was, by edge and site, or its canary.
    pub(super) spelled: BTreeMap<(String, GateKey), String>,
}

/// Code of a barrier that says that it opened sites, and still holds them.
pub(crate) const STILL_CLOSED: &str = "still-closed";

/// Code of one that shows them open, while nobody sees them.
pub(crate) const NOT_SEEN_OPEN: &str = "not-seen-open";

/// The codes of a barrier that keeps what it was told to open.
const KEEPS: [&str; 2] = [STILL_CLOSED, NOT_SEEN_OPEN];

/// What the second barrier of an edge was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barred {
    /// When.
    pub at: Timestamp,
    /// The edge that is the barrier.
    pub barrier: String,
    /// What it was told to close.
    pub sites: Vec<GateKey>,
    /// What it was told to open, and holds or seems to hold.
    pub held: Vec<GateKey>,
    /// Code of why it failed; empty when it did not.
    pub why: String,
}

impl Barred {
    /// The sites of which its code speaks.
    pub fn about(&self) -> &[GateKey] {
        if self.held.is_empty() { &self.sites } else { &self.held }
    }

    /// What may be closed there by an order of this journal.
    pub(crate) fn known(&self) -> BTreeSet<GateKey> {
        self.sites.iter().chain(&self.held).cloned().collect()
    }
}

impl Ledger {
    /// An empty ledger for the matcher that runs now.
    pub fn new(matcher_revision: u32) -> Self {
        Self { matcher_revision, journalled_matcher: matcher_revision, ..Self::default() }
    }

    /// The matcher that runs from here on: evidence of another one is no longer current.
    pub(crate) fn run_matcher(&mut self, revision: u32) {
        self.matcher_revision = revision;
        for incident in self.incidents.values_mut() {
            incident.run_matcher(revision);
        }
    }

    /// The same, and the journal says so.
    pub(crate) fn note_matcher(&mut self, revision: u32) {
        self.journalled_matcher = revision;
        self.run_matcher(revision);
    }

    /// What has to stand in the journal before the next entry, so that whoever replays it judges
    /// that one as it is judged now.
    pub(crate) fn owed_matcher(&self) -> Option<Entry> {
        let revision = self.matcher_revision;
        (revision != self.journalled_matcher).then_some(Entry::MatcherRuns { revision })
    }

    /// Number of the last change of what counts of advisories that the journal names.
    pub(crate) fn changes_noted(&self) -> u64 {
        self.changes_noted
    }

    /// Folds one entry of one incident in.
    ///
    /// # Errors
    /// The entry does not follow from the present state; then nothing changed.
    pub fn apply(&mut self, id: &str, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        self.fold(id, entry, now)?;
        // Of what was refused, who wrote the journal knows nothing.
        if !matches!(entry, Entry::Refused { .. }) {
            self.last_at = Some(now);
            self.caught.note(entry, now);
        }
        Ok(())
    }

    fn fold(&mut self, id: &str, entry: &Entry, now: Timestamp) -> Result<(), Rejected> {
        if self.fold_edge(entry, now) {
            return Ok(());
        }
        match entry {
            Entry::AuthorityGranted { authority } => {
                return self.give(authority, now);
            }
            Entry::AuthorityUsed { plan, name } => self.check_authority(plan, name, now)?,
            Entry::MatcherRuns { revision } => {
                self.note_matcher(*revision);
                return Ok(());
            }
            Entry::AdvisoriesSet { number, .. } => {
                self.changes_noted = self.changes_noted.max(*number);
                return Ok(());
            }
            Entry::Restored { epoch } => {
                self.note_restored(*epoch, now);
                return Ok(());
            }
            Entry::ClockSetBack { from } => {
                self.set_back_by(SetBack { at: now, from: *from });
                return Ok(());
            }
            Entry::Access { .. } => return Ok(()),
            _ => {}
        }
        if let Entry::RelightStarted { site, .. } = entry
            && self.is_held_elsewhere(id, site, now)
        {
            return Err(Rejected("another incident wants the site dark"));
        }
        let lit = self.lit_before_news(id, entry);
        if let Some(incident) = self.incidents.get_mut(id) {
            apply_both(incident, &mut self.actions, (id, entry), now)?;
            incident.note_news(lit, now);
            match entry {
                Entry::EdgeFailed { sites, why, .. } if why == HOST_SPELLING => {
                    self.past.extend(sites.iter().cloned());
                }
                // A site that was lit meanwhile is dark again under its name as it is.
                Entry::Proved { sites, light: Light::Dark, .. } => {
                    self.past.retain(|site| !sites.contains(site));
                    self.spelled.retain(|(_, site), _| !sites.contains(site));
                }
                _ => {}
            }
            if let Entry::Proved { edge, .. }
            | Entry::PartsSeen { edge, seen: PartSeen::Closed, .. } = entry
            {
                self.proved_at.insert(edge.clone(), now);
            }
            return Ok(());
        }
        if self.open().count() >= OPEN_INCIDENTS_MAX {
            return Err(Rejected("64 incidents are open"));
        }
        let mut incident = Incident::open(entry, now, self.matcher_revision)?;
        if let Some(then) = self.trusted_after {
            incident.trust_after(then);
        }
        incident.set_back.clone_from(&self.set_back);
        self.incidents.insert(id.to_owned(), incident);
        Ok(())
    }

    fn give(&mut self, authority: &Authority, now: Timestamp) -> Result<(), Rejected> {
        authority.check(now)?;
        if self.is_authority_over(authority) {
            return Err(Rejected("it was over before the clock was set back"));
        }
        self.authorities_over.remove(&authority.name);
        self.authorities.insert(authority.name.clone(), authority.clone());
        Ok(())
    }

    /// Folds in what is about an edge and no incident; whether it was that.
    fn fold_edge(&mut self, entry: &Entry, now: Timestamp) -> bool {
        match entry {
            Entry::Drilled { .. }
            | Entry::DrillBegun { .. }
            | Entry::DrillEnded { .. }
            | Entry::DrillUndone { .. } => {
                self.rehearse(entry, now);
            }
            Entry::Barred { sites, held, edge, barrier, why } => {
                let (barrier, why) = (barrier.clone(), why.clone());
                // Records of before name as told to close what was told to open.
                let is_of_before = held.is_empty() && KEEPS.contains(&why.as_str());
                let told = if is_of_before { (held, sites) } else { (sites, held) };
                let (sites, held) = (told.0.clone(), told.1.clone());
                self.barred.insert(edge.clone(), Barred { at: now, barrier, sites, held, why });
            }
            Entry::CanaryTried { edge, passed: true, .. } => {
                self.canaries.remove(edge);
                self.canaries_past.remove(edge);
                self.spelled.retain(|(of, key), _| of != edge || key.as_str() != CANARY_KEY);
            }
            Entry::LedPast { edge, site, spelling } => {
                self.spelled.insert((edge.clone(), site.clone()), spelling.clone());
            }
            Entry::CanaryTried { edge, what, .. } => {
                if what == HOST_SPELLING {
                    self.canaries_past.insert(edge.clone());
                }
                self.canaries.insert(edge.clone(), (now, what.clone()));
            }
            _ => return false,
        }
        true
    }

    /// The sites of news that visitors see, of all incidents; none where no news comes.
    fn lit_before_news(&self, id: &str, entry: &Entry) -> Vec<GateKey> {
        let is_news = matches!(entry, Entry::EvidenceAttached { .. } | Entry::Lapsed { .. });
        let incident = self.incidents.get(id).filter(|_| is_news);
        let Some(incident) = incident else { return Vec::new() };
        let mut lit = incident.lit_without_signature(entry.sites());
        lit.retain(|site| self.wants(site) == Light::Lit);
        lit
    }

    /// The approval given beforehand with this name.
    pub fn authority(&self, name: &str) -> Option<&Authority> {
        self.authorities.get(name)
    }

    /// True for one whose end was seen before the clock was set back: to be in force, it is given
    /// anew, with another end.
    pub(crate) fn is_authority_over(&self, authority: &Authority) -> bool {
        self.authorities_over.contains(&authority.name)
            && self.authority(&authority.name) == Some(authority)
    }

    pub(super) fn authority_ends(&self) -> impl Iterator<Item = Timestamp> {
        let is_given = |it: &&Authority| !self.authorities_over.contains(&it.name);
        self.authorities.values().filter(is_given).map(|authority| authority.expires)
    }

    /// What was over by then stays so: signatures, plans and what was given beforehand.
    pub(super) fn end_all_by(&mut self, then: Timestamp) {
        let over = self.authorities.values().filter(|it| it.expires <= then);
        self.authorities_over.extend(over.map(|it| it.name.clone()));
        self.actions.end_by(then);
    }

    /// Whoever wrote the entry, it reaches no further than what was given beforehand.
    fn check_authority(&self, plan: &Digest, name: &str, now: Timestamp) -> Result<(), Rejected> {
        let given =
            self.authority(name).filter(|it| now < it.expires && !self.is_authority_over(it));
        let given = given.ok_or(Rejected("no such authority is in force"))?;
        let action = self.actions.of(plan).ok_or(Rejected("nobody proposed the plan"))?;
        let before = self.actions.authorised(name, now);
        if given.reaches(&action.plan, before) {
            return Ok(());
        }
        Err(Rejected("the authority does not reach so far"))
    }

    /// The plans that were proposed.
    pub fn actions(&self) -> &Actions {
        &self.actions
    }

    /// Since when an edge was caught again and again: a gate read back closed, and visitors got in.
    pub fn caught(&self, edge: &str, now: Timestamp) -> Option<Timestamp> {
        self.caught.since(edge, now)
    }

    /// Since when the canary of an edge does not do what it is told, and what was seen.
    pub fn canary_failure(&self, edge: &str) -> Option<&(Timestamp, String)> {
        self.canaries.get(edge)
    }

    /// Whether a spelling led past the gate of the canary of an edge, and nobody has seen since
    /// that none does.
    pub fn is_canary_past(&self, edge: &str) -> bool {
        self.canaries_past.contains(edge)
    }

    /// Sites that a spelling of their name was seen to reach, and that were not proven dark since.
    pub fn led_past(&self) -> &BTreeSet<GateKey> {
        &self.past
    }

    /// What the second barrier of an edge was told last.
    pub fn barred(&self, edge: &str) -> Option<&Barred> {
        self.barred.get(edge)
    }

    /// When something was last proven at each edge: somebody looked.
    pub(crate) fn proved_at(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.proved_at.iter().map(|(edge, at)| (edge.as_str(), *at))
    }

    /// True while anything is wanted dark or closed.
    pub(crate) fn has_dark(&self) -> bool {
        self.open().any(|(_, incident)| {
            let mut parts = incident.parts().values();
            incident.cases().values().any(|case| case.phase.wants() == Light::Dark)
                || parts.any(|part| part.light == Light::Dark)
        })
    }

    /// True while anything of it was neither proven nor given up.
    pub(crate) fn has_unproven(&self) -> bool {
        self.open().any(|(_, incident)| {
            let cases = incident.cases().values();
            let mut cases = cases.filter(|case| case.phase.wants() == Light::Dark);
            let mut parts = incident.parts().values().filter(|part| part.light == Light::Dark);
            cases.any(|case| case.gate == Gate::Requested)
                || parts.any(|part| part.gate == Gate::Requested)
        })
    }

    /// An incident by id.
    pub fn incident(&self, id: &str) -> Option<&Incident> {
        self.incidents.get(id)
    }

    /// Every incident, oldest id first.
    pub fn incidents(&self) -> impl Iterator<Item = (&str, &Incident)> {
        self.incidents.iter().map(|(id, incident)| (id.as_str(), incident))
    }

    /// The incidents that are not closed.
    pub fn open(&self) -> impl Iterator<Item = (&str, &Incident)> {
        self.incidents().filter(|(_, incident)| !incident.closed)
    }

    /// What visitors of a site must see: dark if any open incident wants it dark.
    pub fn wants(&self, site: &GateKey) -> Light {
        let dark = self.open().any(|(_, incident)| incident.wants(site) == Light::Dark);
        if dark { Light::Dark } else { Light::Lit }
    }

    /// True when its edge still has something to do for a site: it is wanted dark, or it was
    /// ordered dark and is not seen open again. Until then it stays where it is, under its names.
    pub fn is_at_work(&self, site: &GateKey) -> bool {
        let mut cases = self.open().filter_map(|(_, incident)| incident.case(site));
        let is_closed = cases.any(|case| case.ordered && case.gate != Gate::Open);
        is_closed
            || self.wants(site) == Light::Dark
            || self.has_parts_at_work(site)
            || self.is_in_drill(site)
    }

    /// What visitors of the parts of a site must see, of each that was ever closed.
    pub fn parts_of(&self, site: &GateKey) -> BTreeMap<GateKey, Light> {
        let mut lights = BTreeMap::new();
        for part in self.open().flat_map(|(_, incident)| incident.parts_of(site)) {
            let Some(key) = part.name.key() else { continue };
            let light = lights.entry(key).or_insert(part.light);
            if part.light == Light::Dark {
                *light = Light::Dark;
            }
        }
        lights
    }

    /// True when a part of a site is closed, or is not seen open again: whoever writes to its edge
    /// without knowing would open it.
    pub(crate) fn has_parts_at_work(&self, site: &GateKey) -> bool {
        self.open().any(|(_, incident)| incident.parts_of(site).any(PartCase::is_at_work))
    }

    /// True when a site that was dark, or a part that was closed, may be opened at this instant:
    /// every open incident that ever ordered it so is opening it under current clear evidence, or
    /// has seen it open. What a drill left dark may always be.
    pub fn permits(&self, site: &GateKey, now: Timestamp) -> bool {
        if self.is_left_by_drill(site) {
            return true;
        }
        self.owed_clock(now).is_none()
            && self.open().all(|(_, incident)| match incident.case(site) {
                None => match incident.part(site) {
                    None => true,
                    Some(part) => {
                        part.light == Light::Lit && incident.may_open(&part.name.site, now)
                    }
                },
                // News that waits for a person is no reason to darken what is lit, and one to open
                // nothing that is dark.
                Some(case) if case.held_back.is_some() => false,
                Some(case) => {
                    case.phase == Phase::Online
                        || (case.phase.wants() == Light::Lit && incident.may_return(site, now))
                }
            })
    }

    /// True when an incident other than `id` has a reason to keep a site dark, or news about it
    /// that waits for a person. One that only waits for its own relight, with current clear
    /// evidence, has none: two would wait for each other.
    pub(crate) fn is_held_elsewhere(&self, id: &str, site: &GateKey, now: Timestamp) -> bool {
        self.open().filter(|(other, _)| *other != id).any(|(_, incident)| {
            let Some(case) = incident.case(site) else { return false };
            let waits = case.phase == Phase::RelightEligible && incident.may_open(site, now);
            case.held_back.is_some() || (case.phase.wants() == Light::Dark && !waits)
        })
    }

    /// True when an incident other than `id` wants a site dark, whatever it waits for.
    pub(crate) fn is_dark_elsewhere(&self, id: &str, site: &GateKey) -> bool {
        let mut others = self.open().filter(|(other, _)| *other != id);
        others.any(|(_, incident)| incident.wants(site) == Light::Dark)
    }

    /// True when an incident that wants a site dark has a proof of it.
    pub fn is_proven_dark(&self, site: &GateKey) -> bool {
        self.open().filter_map(|(_, incident)| incident.case(site)).any(is_proven)
    }

    /// Sites that any open incident has a case of.
    pub fn sites(&self) -> impl Iterator<Item = &GateKey> {
        let mut sites: Vec<&GateKey> =
            self.open().flat_map(|(_, incident)| incident.cases().keys()).collect();
        sites.sort();
        sites.dedup();
        sites.into_iter()
    }

    /// The state in which a site is drawn, and whether the last proof of any open incident saw it
    /// dark. The incident furthest from lit decides the state; the second follows proofs only, and
    /// no verdict or order of another incident.
    pub fn display(&self, site: &GateKey) -> (DisplayState, bool) {
        let cases = || self.open().filter_map(|(_, incident)| incident.case(site));
        (drawn(cases), cases().any(|case| case.seen_dark))
    }
}

/// How a site is drawn that these cases are about.
fn drawn<'a, C: Iterator<Item = &'a Case>>(cases: impl Fn() -> C) -> DisplayState {
    let Some(worst) = cases().max_by_key(|case| case.phase.distance()) else {
        return DisplayState::Online;
    };
    if worst.phase.wants() == Light::Lit {
        let is_exposed = cases().any(|case| case.display() == DisplayState::Exposed);
        let is_seen = worst.phase != Phase::Relighting;
        return if is_exposed && is_seen { DisplayState::Exposed } else { worst.display() };
    }
    let gate = if cases().any(is_proven) { Gate::Proven } else { worst.gate };
    phase::display(worst.phase, gate, worst.fixed, worst.verdict())
}

/// What an incident proved that wants a site dark is proven for all of them; one that was opening
/// it proved that of before.
pub(crate) fn is_proven(case: &Case) -> bool {
    case.gate == Gate::Proven && case.phase.wants() == Light::Dark
}

/// Folds an entry into an incident and into what is known of plans, or into neither.
fn apply_both(
    incident: &mut Incident,
    actions: &mut Actions,
    (id, entry): (&str, &Entry),
    now: Timestamp,
) -> Result<(), Rejected> {
    if !Actions::is_about(entry) {
        return incident.apply(entry, now);
    }
    if incident.closed && !matches!(entry, Entry::PlanEnded { .. }) {
        return Err(Rejected("the incident is closed"));
    }
    let before = actions.clone();
    actions.apply(id, entry, now)?;
    // A plan that relights gave no order that the incident could take back; what it was about does
    // not come back by itself either.
    let applied = match actions.relight_undone(entry) {
        Some(plan) => {
            incident.leave(&plan.keys());
            Ok(())
        }
        None => incident.apply(entry, now),
    };
    if applied.is_err() {
        *actions = before;
    }
    applied
}

/// How many sites stand where; the numbers sum to the sites of the register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sites by phase; sites without a case are online.
    pub phases: BTreeMap<Phase, usize>,
    /// Sites by drawn state.
    pub states: BTreeMap<DisplayState, usize>,
    /// Marked subset: dark wanted without proof, or lit in scope without current evidence.
    pub exposed: usize,
}

impl Counters {
    /// Counts `sites` in one incident, in one pass.
    pub fn of(incident: &Incident, sites: &[GateKey], now: Timestamp) -> Self {
        let mut counters = Self::default();
        for site in sites {
            let case = incident.case(site);
            let state = case.map_or(DisplayState::Online, Case::display);
            counters.add(case.map(|case| case.phase), state, is_exposed(incident, site, now));
        }
        counters
    }

    /// Counts `sites` in every open incident: one that is in several counts once, by the phase
    /// furthest from lit.
    pub fn of_all(ledger: &Ledger, sites: &[GateKey], now: Timestamp) -> Self {
        let mut counters = Self::default();
        for site in sites {
            let cases = ledger.open().filter_map(|(_, incident)| incident.case(site));
            let worst = cases.map(|case| case.phase).max_by_key(|phase| phase.distance());
            let mut open = ledger.open();
            let is_exposed = open.any(|(_, incident)| is_exposed(incident, site, now));
            counters.add(worst, ledger.display(site).0, is_exposed);
        }
        counters
    }

    fn add(&mut self, phase: Option<Phase>, state: DisplayState, exposed: bool) {
        *self.phases.entry(phase.unwrap_or(Phase::Online)).or_default() += 1;
        *self.states.entry(state).or_default() += 1;
        self.exposed += usize::from(exposed);
    }

    /// Sites in a phase.
    pub fn phase(&self, phase: Phase) -> usize {
        self.phases.get(&phase).copied().unwrap_or(0)
    }
}

/// Dark is wanted without proof, or the site is lit in the scope of the incident and neither
/// current evidence nor an acceptance says that it may, or a part of it should be closed and is not
/// proven so.
pub(crate) fn is_exposed(incident: &Incident, site: &GateKey, now: Timestamp) -> bool {
    let Some(case) = incident.case(site) else { return false };
    if case.phase.wants() == Light::Dark {
        return case.gate != Gate::Proven;
    }
    let (has_closed_part, is_part_open) = incident.exposing_parts(site);
    let is_bare = case.held_back.is_some() || is_part_open;
    let needs_leave = case.evidence.is_some() || has_closed_part || case.phase == Phase::Exempt;
    is_bare || (needs_leave && !incident.permits(site, now))
}
