//! The phases of one (site, incident) and the gate beside them.

use relight_model::{DisplayState, Light, Verdict};

/// Where the case of a site stands (INCIDENT 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// In scope, never ordered dark, or not any more.
    Online,
    /// In scope, and may stay online: current clear evidence, or an acceptance with an end.
    Exempt,
    /// Ordered dark, not proven.
    DarkRequested,
    /// Every edge was read back dark and every listener probed dark.
    DarkProven,
    /// Dark is wanted and was not achieved: exposed.
    Failed,
    /// Somebody is looking at it.
    Analysing,
    /// No or incomplete evidence: stays dark.
    Unknown,
    /// Has what was asked for.
    Affected,
    /// A fix has begun.
    Fixing,
    /// Another artifact set is in service.
    FixDeployed,
    /// The fix is being verified.
    Verifying,
    /// Affected behind a control with an end: returns only under a signed acceptance.
    Mitigated,
    /// Evidence says clear, or two people answer for it; may be opened.
    RelightEligible,
    /// Being opened.
    Relighting,
    /// Proven lit again.
    RelitProven,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 15] = [
        Self::Online,
        Self::Exempt,
        Self::DarkRequested,
        Self::DarkProven,
        Self::Failed,
        Self::Analysing,
        Self::Unknown,
        Self::Affected,
        Self::Fixing,
        Self::FixDeployed,
        Self::Verifying,
        Self::Mitigated,
        Self::RelightEligible,
        Self::Relighting,
        Self::RelitProven,
    ];

    /// What visitors must see in this phase.
    pub const fn wants(self) -> Light {
        match self {
            Self::Online | Self::Exempt | Self::Relighting | Self::RelitProven => Light::Lit,
            _ => Light::Dark,
        }
    }

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Exempt => "exempt",
            Self::DarkRequested => "dark-requested",
            Self::DarkProven => "dark-proven",
            Self::Failed => "failed",
            Self::Analysing => "analysing",
            Self::Unknown => "unknown",
            Self::Affected => "affected",
            Self::Fixing => "fixing",
            Self::FixDeployed => "fix-deployed",
            Self::Verifying => "verifying",
            Self::Mitigated => "mitigated",
            Self::RelightEligible => "relight-eligible",
            Self::Relighting => "relighting",
            Self::RelitProven => "relit-proven",
        }
    }

    /// How much is missing until the site is lit: a site in several incidents counts once, by the
    /// phase that is furthest from lit.
    pub const fn distance(self) -> u8 {
        match self {
            Self::Online => 0,
            Self::RelitProven => 1,
            Self::Exempt => 2,
            Self::Relighting => 3,
            Self::RelightEligible => 4,
            Self::Mitigated => 5,
            Self::Verifying => 6,
            Self::FixDeployed => 7,
            Self::Fixing => 8,
            Self::Affected => 9,
            Self::Unknown => 10,
            Self::Analysing => 11,
            Self::DarkProven => 12,
            Self::DarkRequested => 13,
            Self::Failed => 14,
        }
    }
}

/// What was last journalled about the gate of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// Lit, and lit was wanted.
    Open,
    /// Dark is wanted and not proven yet.
    Requested,
    /// Dark and proven so.
    Proven,
    /// Dark could not be proven: exposed.
    Failed,
}

/// The one state in which a site is drawn; first match wins (EXPERIENCE 3.3).
pub fn display(phase: Phase, gate: Gate, fixed: bool, verdict: Option<Verdict>) -> DisplayState {
    match (phase, gate) {
        (phase, Gate::Requested | Gate::Failed) if phase.wants() == Light::Dark => {
            DisplayState::DarkRequested
        }
        (Phase::Relighting, _) => DisplayState::Dark,
        (Phase::Online | Phase::Exempt | Phase::RelitProven, _)
            if verdict == Some(Verdict::Affected) =>
        {
            DisplayState::Exposed
        }
        (Phase::RelitProven, _) if fixed => DisplayState::RelitFixed,
        (Phase::Online | Phase::Exempt | Phase::RelitProven, _) => DisplayState::Online,
        (Phase::FixDeployed | Phase::Verifying, _) => DisplayState::Verifying,
        (Phase::Fixing, _) => DisplayState::Fixing,
        (Phase::Affected | Phase::Mitigated, _) => DisplayState::Affected,
        (Phase::Analysing, _) => DisplayState::Analysing,
        _ => DisplayState::Dark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = Phase::ALL.map(Phase::as_str).into();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Phase::ALL.len());
    }

    #[test]
    fn every_phase_has_its_own_distance_and_what_is_not_open_is_further() {
        let mut phases = Phase::ALL;
        phases.sort_by_key(|phase| phase.distance());
        assert!(phases.windows(2).all(|pair| pair[0].distance() < pair[1].distance()));
        let first_dark = phases.iter().position(|phase| phase.wants() == Light::Dark).unwrap();
        assert!(phases[first_dark..].iter().all(|phase| phase.wants() == Light::Dark));
    }

    #[test]
    fn an_order_that_is_not_proven_is_never_drawn_dark() {
        for phase in Phase::ALL.into_iter().filter(|phase| phase.wants() == Light::Dark) {
            for gate in [Gate::Requested, Gate::Failed] {
                assert_eq!(display(phase, gate, false, None), DisplayState::DarkRequested);
            }
            assert_ne!(display(phase, Gate::Proven, false, None), DisplayState::DarkRequested);
        }
    }

    #[test]
    fn an_affected_site_that_is_lit_is_drawn_exposed() {
        let drawn = display(Phase::Online, Gate::Open, false, Some(Verdict::Affected));
        assert_eq!(drawn, DisplayState::Exposed);
        let drawn = display(Phase::RelitProven, Gate::Open, true, Some(Verdict::Clear));
        assert_eq!(drawn, DisplayState::RelitFixed);
    }
}
