//! Broken engines: each must be caught by the oracle, so the list of mutants tests the tests.
//!
//! Two mutants of INCIDENT 14.3 live below or above the loop: a commit of HAProxy's map that does
//! not compare what was prepared is caught in `relight-edge` (a payload that is dropped without an
//! error), an approval that goes by name in `orders.rs` (an approval covers a hash).

mod hands;

use relight_engine::edge::{EdgeDriver, ProbeTarget};
use relight_engine::incident::{Case, Compromise, Entry, Gate, Incident, Ledger, Phase, Rejected};
use relight_engine::reconcile::{EdgeLoop, Eyes, Want};
use relight_model::{GateKey, Light, Timestamp, Verdict};

use crate::edge::Shared;
use crate::oracle::LIST;
use crate::sim::{Faults, Sim};
use hands::{Believer, Hasty};

/// Seeds within which a mutant must be caught.
const SEEDS_MAX: u64 = 200;

/// What is wrong with the engine under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// Nothing: the product itself.
    None,
    /// Evidence is not looked at again before a gate is opened.
    PermitsAlways,
    /// Evidence that has expired still permits.
    ExpiryIgnored,
    /// A deployed fix is opened before it is verified.
    FixCountsAsLit,
    /// A verification that failed clears the site.
    FailedVerificationRestores,
    /// What the checks of a site gave is not looked at.
    ChecksIgnored,
    /// What checks gave counts for files that were never asked.
    ChecksOfOtherFiles,
    /// Unknown is taken for clear.
    UnknownAsClear,
    /// Evidence survives the artifacts that it is about.
    NoDigestBinding,
    /// Evidence survives a new revision of the advisory.
    NoRevisionBinding,
    /// Bad news about a lit site is refused.
    LateBadNewsIgnored,
    /// A refused relight opens the site all the same.
    RefusedEntryChangesState,
    /// What the edge said counts, not what it shows.
    NoReadBack,
    /// Nothing is ever opened.
    NeverRelight,
    /// A site that no incident is about is darkened.
    TouchesOutside,
    /// Every round claims that all is well.
    AlwaysSettled,
    /// Gates open before those that must close.
    LightBeforeDark,
    /// A gate is closed in the running edge first, and for the next reload afterwards.
    DurableLast,
    /// A proof never expires.
    ExpiredProofKept,
    /// What somebody undid is closed and proven each time as if it were the first.
    FightForgotten,
    /// A second listener is never asked.
    OneListener,
    /// What a gate holds is what this journal wants, also after an older copy came back.
    RestoreForgotten,
    /// Evidence of the matcher of before permits under the next one.
    MatcherForgotten,
    /// Who wrote an edge last is not looked at.
    TermForgotten,
    /// An order is carried out also after a newer one was given.
    OldOrderCarriedOut,
    /// What was known before an older copy came back opens as it did then.
    RestoreTrusted,
    /// News that waits for a person is not heard when a gate is opened.
    HeldForgotten,
    /// What was affected, and unknown since, is taken for one that never was.
    AffectedForgotten,
    /// What was signed has no end.
    SignatureOutlives,
    /// What was signed counts under a newer revision of the advisory.
    SignatureUnbound,
    /// What was signed is good again once the clock shows an hour before its end.
    SignatureReturns,
    /// The same of what evidence said.
    EvidenceReturns,
    /// Deadlines stand still while a clock that was set back shows hours that it showed before.
    ClockStops,
    /// An order may be taken back whenever somebody wants to.
    UndoneLate,
    /// And once more.
    UndoneTwice,
    /// What was ordered under a plan that was taken back is opened unseen.
    UndoneOpens,
    /// A drill does not ask what is wanted dark.
    DrillBlind,
    /// A drill leaves what it closed.
    DrillLeaves,
    /// A second barrier does not know what it closed.
    WallForgets,
    /// What an edge cannot darken is left to it.
    WallIgnored,
}

impl Mutant {
    const ALL: [Self; 39] = [
        Self::PermitsAlways,
        Self::ExpiryIgnored,
        Self::FixCountsAsLit,
        Self::FailedVerificationRestores,
        Self::ChecksIgnored,
        Self::ChecksOfOtherFiles,
        Self::UnknownAsClear,
        Self::NoDigestBinding,
        Self::NoRevisionBinding,
        Self::LateBadNewsIgnored,
        Self::RefusedEntryChangesState,
        Self::NoReadBack,
        Self::NeverRelight,
        Self::TouchesOutside,
        Self::AlwaysSettled,
        Self::LightBeforeDark,
        Self::DurableLast,
        Self::ExpiredProofKept,
        Self::FightForgotten,
        Self::OneListener,
        Self::RestoreForgotten,
        Self::MatcherForgotten,
        Self::TermForgotten,
        Self::OldOrderCarriedOut,
        Self::RestoreTrusted,
        Self::HeldForgotten,
        Self::AffectedForgotten,
        Self::SignatureOutlives,
        Self::SignatureUnbound,
        Self::SignatureReturns,
        Self::EvidenceReturns,
        Self::ClockStops,
        Self::UndoneLate,
        Self::UndoneTwice,
        Self::UndoneOpens,
        Self::DrillBlind,
        Self::DrillLeaves,
        Self::WallForgets,
        Self::WallIgnored,
    ];

    /// The loop of an edge as this engine runs it.
    pub(crate) fn edge_loop(self, edge: &Shared, nonce: u64) -> EdgeLoop {
        {
            let mut edge = edge.lock();
            edge.has_one_listener = self == Self::OneListener;
            edge.hides_epoch = self == Self::TermForgotten;
        }
        let (driver, eyes): (Box<dyn EdgeDriver>, Box<dyn Eyes>) = match self {
            Self::NoReadBack => {
                (Box::new(Believer(edge.clone())), Box::new(Believer(edge.clone())))
            }
            Self::DurableLast => (Box::new(Hasty(edge.clone(), None)), Box::new(edge.clone())),
            _ => (Box::new(edge.clone()), Box::new(edge.clone())),
        };
        EdgeLoop::new("east", driver, eyes, nonce)
    }

    /// The fold of this engine.
    pub(crate) fn apply(
        self,
        ledger: &mut Ledger,
        id: &str,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        match (self, entry) {
            (Self::MatcherForgotten, Entry::MatcherRuns { .. })
            | (Self::RestoreTrusted, Entry::Restored { .. })
            | (Self::SignatureReturns | Self::EvidenceReturns, Entry::ClockSetBack { .. })
            | (Self::HeldForgotten, Entry::HeldBack { .. }) => Ok(()),
            (Self::NoDigestBinding, Entry::Deployed { site, .. })
                if ledger.incident(id).is_some_and(|i| !i.closed && i.case(site).is_some()) =>
            {
                Ok(())
            }
            (Self::NoRevisionBinding, Entry::Revised { .. })
                if ledger.incident(id).is_some_and(|incident| !incident.closed) =>
            {
                Ok(())
            }
            (Self::LateBadNewsIgnored, Entry::EvidenceAttached { evidence })
                if evidence.verdict != Verdict::Clear
                    && ledger.wants(&evidence.site) == Light::Lit =>
            {
                Err(Rejected("the site is lit"))
            }
            (Self::UnknownAsClear, Entry::EvidenceAttached { evidence })
                if evidence.verdict == Verdict::Unknown =>
            {
                let mut evidence = evidence.clone();
                (evidence.verdict, evidence.reasons) = (Verdict::Clear, Vec::new());
                ledger.apply(id, &Entry::EvidenceAttached { evidence }, now)
            }
            (Self::FailedVerificationRestores, Entry::Verified { site, .. }) => {
                let entry = Entry::Verified {
                    site: site.clone(),
                    functional: true,
                    compromise: Compromise::NoSigns,
                    vital: false,
                    evidence: None,
                    checks: None,
                };
                drop(ledger.apply(id, &all_passed(id, site, ledger), now));
                ledger.apply(id, &entry, now)
            }
            (Self::UndoneLate | Self::UndoneTwice, Entry::PlanUndone { .. }) => {
                self.undo(ledger, id, entry, now)
            }
            (Self::ChecksIgnored | Self::ChecksOfOtherFiles, _) => {
                self.apply_unchecked(ledger, id, entry, now)
            }
            (Self::RefusedEntryChangesState, Entry::RelightStarted { site, .. }) => {
                let refused = ledger.apply(id, entry, now);
                if refused.is_err()
                    && let Some(case) = ledger.incident(id).and_then(|i| i.case(site))
                    && let Some(evidence) = case.evidence.as_ref().and_then(|e| e.id().ok())
                {
                    let retried = Entry::RelightStarted { site: site.clone(), evidence };
                    drop(ledger.apply(id, &retried, now));
                }
                refused
            }
            _ => ledger.apply(id, entry, now),
        }
    }

    /// The fold of an engine that lets any order be taken back.
    fn undo(
        self,
        ledger: &mut Ledger,
        id: &str,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        let mut result = ledger.apply(id, entry, now);
        if self == Self::UndoneTwice {
            let again = Rejected("the order was undone already");
            return if result == Err(again) { Ok(()) } else { result };
        }
        for ago in 1..20 {
            if result != Err(Rejected("an order may be undone for ten minutes")) {
                break;
            }
            result = ledger.apply(id, entry, now - 600 * ago);
        }
        result
    }

    /// The fold of an engine that does not look well at what checks gave.
    fn apply_unchecked(
        self,
        ledger: &mut Ledger,
        id: &str,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        match (self, entry) {
            // Refused where the product refuses it: else the oracle hears of what nobody opened.
            (Self::ChecksIgnored, Entry::ChecksRun { .. }) => ledger.clone().apply(id, entry, now),
            (Self::ChecksIgnored, Entry::Verified { .. }) => {
                let mut entry = entry.clone();
                if let Entry::Verified { checks, .. } = &mut entry {
                    *checks = None;
                }
                ledger.apply(id, &entry, now)
            }
            (_, Entry::Verified { site, .. }) => {
                let case = ledger.incident(id).and_then(|incident| incident.case(site));
                let passed = case.and_then(|case| case.checked.as_deref());
                if passed.is_some_and(|it| it.passed == it.of) {
                    drop(ledger.apply(id, &all_passed(id, site, ledger), now));
                }
                ledger.apply(id, entry, now)
            }
            _ => ledger.apply(id, entry, now),
        }
    }

    /// What this engine asks before it opens a gate.
    pub(crate) fn permits(self, ledger: &Ledger, site: &GateKey, now: Timestamp) -> bool {
        match self {
            Self::PermitsAlways | Self::FixCountsAsLit => true,
            Self::ExpiryIgnored => {
                let made_at = |(_, incident): (_, &Incident)| {
                    incident.case(site)?.evidence.as_ref().map(|evidence| evidence.made_at)
                };
                let newest = ledger.open().filter_map(made_at).max();
                ledger.permits(site, newest.unwrap_or(now))
            }
            Self::AffectedForgotten => {
                permits_if(ledger, site, |incident, _| incident.may_open(site, now))
            }
            Self::SignatureOutlives => permits_if(ledger, site, |incident, case| {
                let was_so = case.grant.as_ref().is_some_and(|grant| {
                    let signed = grant.acceptance.id().ok();
                    signed.is_some() && incident.ground(site, grant.expires - 1) == signed
                });
                incident.may_return(site, now) || was_so
            }),
            Self::SignatureReturns | Self::EvidenceReturns => {
                permits_if(ledger, site, |incident, _| incident.may_return(site, now))
            }
            Self::SignatureUnbound => permits_if(ledger, site, |incident, case| {
                let is_in_time = case.grant.as_ref().is_some_and(|grant| now < grant.expires);
                incident.may_return(site, now) || is_in_time
            }),
            _ => ledger.permits(site, now),
        }
    }

    /// What this engine wants of the edge.
    pub(crate) fn want(self, ledger: &Ledger, wants: &mut Vec<Want>, outside: &ProbeTarget) {
        for want in wants.iter_mut() {
            let case = |(_, incident): (_, &Incident)| incident.case(&want.target.key).cloned();
            let mut cases = ledger.open().filter_map(case);
            match self {
                Self::NeverRelight => want.light = Light::Dark,
                Self::FixCountsAsLit if cases.any(|case| case.phase == Phase::FixDeployed) => {
                    want.light = Light::Lit;
                }
                _ => {}
            }
        }
        if self == Self::TouchesOutside {
            let (target, light, gate) = (outside.clone(), Light::Dark, Gate::Requested);
            wants.push(Want { target, aliases: Vec::new(), light, gate, seen_dark: false });
        }
    }

    /// What this engine remembers of the last round of an edge.
    pub(crate) fn remember(self, edge_loop: &mut EdgeLoop, edge: &Shared) {
        if self == Self::FightForgotten {
            *edge_loop = self.edge_loop(edge, 7);
        }
    }

    /// What this engine brings to the edge before it looks at everything.
    pub(crate) fn early(self, wants: &[Want]) -> Vec<Want> {
        let is_early = |want: &&Want| self == Self::LightBeforeDark && want.light == Light::Lit;
        wants.iter().filter(is_early).cloned().collect()
    }

    /// The time as this engine reads it.
    pub(crate) fn time(self, now_ms: i64, newest_ms: i64) -> i64 {
        match self {
            Self::ExpiredProofKept => 0,
            Self::ClockStops => now_ms.max(newest_ms),
            _ => now_ms,
        }
    }

    /// What this engine says about a round.
    pub(crate) fn settled(self, settled: bool) -> bool {
        settled || self == Self::AlwaysSettled
    }
}

/// What [`Ledger::permits`] says, but for what an incident that wants a site lit needs.
fn permits_if(ledger: &Ledger, site: &GateKey, may: impl Fn(&Incident, &Case) -> bool) -> bool {
    let mut cases = ledger.open().filter_map(|(_, it)| Some((it, it.case(site)?)));
    cases.all(|(incident, case)| {
        let is_lit = case.phase.wants() == Light::Lit && may(incident, case);
        case.held_back.is_none() && (case.phase == Phase::Online || is_lit)
    })
}

/// Every check of the list of a site passed, of the files that are known now.
fn all_passed(id: &str, site: &GateKey, ledger: &Ledger) -> Entry {
    let case = ledger.incident(id).and_then(|incident| incident.case(site));
    let evidence = case.and_then(|case| case.evidence.as_ref()?.id().ok());
    let (site, failed) = (site.clone(), String::new());
    Entry::ChecksRun { site, evidence, list: LIST, of: 2, passed: 2, failed }
}

fn run(seed: u64, mutant: Mutant, faults: Faults) -> Result<(), String> {
    Sim::new(seed, mutant, faults).run()
}

/// The first seed that catches this engine, and how.
fn caught(mutant: Mutant, faults: Faults) -> Option<(u64, String)> {
    (0..SEEDS_MAX).find_map(|seed| Some((seed, run(seed, mutant, faults).err()?)))
}

/// Goal: restores, second listeners, matchers that move, terms that go back, edges that are late,
/// news that is held back, what people sign, clocks that are set back and second barriers are worth
/// their place among the faults.
/// Method: without one of them its mutant is the product, in the seed that catches it and in those
/// before.
#[test]
fn sim_nothing_else_catches_what_a_fault_is_there_for() {
    for (mutant, without) in [
        (Mutant::OneListener, Faults { listeners: false, ..Faults::ALL }),
        (Mutant::RestoreForgotten, Faults { restores: false, ..Faults::ALL }),
        (Mutant::MatcherForgotten, Faults { matchers: false, ..Faults::ALL }),
        (Mutant::TermForgotten, Faults { terms: false, ..Faults::ALL }),
        (Mutant::OldOrderCarriedOut, Faults { late: false, ..Faults::ALL }),
        (Mutant::HeldForgotten, Faults { held: false, ..Faults::ALL }),
        (Mutant::RestoreTrusted, Faults { restores: false, ..Faults::ALL }),
        (Mutant::AffectedForgotten, Faults { signed: false, ..Faults::ALL }),
        (Mutant::SignatureOutlives, Faults { signed: false, ..Faults::ALL }),
        (Mutant::SignatureUnbound, Faults { signed: false, ..Faults::ALL }),
        (Mutant::SignatureReturns, Faults { clocks: false, ..Faults::ALL }),
        (Mutant::EvidenceReturns, Faults { clocks: false, ..Faults::ALL }),
        (Mutant::ClockStops, Faults { clocks: false, ..Faults::ALL }),
        (Mutant::UndoneLate, Faults { undone: false, ..Faults::ALL }),
        (Mutant::UndoneTwice, Faults { undone: false, ..Faults::ALL }),
        (Mutant::UndoneOpens, Faults { undone: false, ..Faults::ALL }),
        (Mutant::DrillBlind, Faults { drills: false, ..Faults::ALL }),
        (Mutant::DrillLeaves, Faults { drills: false, ..Faults::ALL }),
        (Mutant::WallForgets, Faults { walls: false, ..Faults::ALL }),
        (Mutant::WallIgnored, Faults { walls: false, ..Faults::ALL }),
    ] {
        let (last, _) = caught(mutant, Faults::ALL).expect("with its fault it is caught");
        let other = (0..=last).find_map(|seed| Some((seed, run(seed, mutant, without).err()?)));
        assert_eq!(other, None, "{mutant:?} is caught without its fault");
    }
}

#[test]
fn sim_every_mutant_is_caught() {
    let mut survivors = Vec::new();
    for mutant in Mutant::ALL {
        let faults = match mutant {
            // Who forgets everything forgets the newer controller and every deadline as well: it
            // is caught for the fight.
            Mutant::FightForgotten => Faults { terms: false, ..Faults::SECOND },
            // Where nobody signs anything, it is evidence that comes back.
            Mutant::EvidenceReturns => Faults { signed: false, ..Faults::ALL },
            // What they are about is rare beside what every other fault does to a site.
            Mutant::ChecksIgnored | Mutant::ChecksOfOtherFiles => Faults::BEFORE,
            // They forget every deadline, too.
            Mutant::ExpiredProofKept | Mutant::LightBeforeDark => Faults::SECOND,
            _ => Faults::ALL,
        };
        match caught(mutant, faults) {
            Some((seed, why)) => println!("{mutant:?} is caught by seed {seed}: {why}"),
            None => survivors.push(mutant),
        }
    }
    assert!(survivors.is_empty(), "the oracle did not catch {survivors:?}");
}
