//! The phases of one (site, incident) and the gate beside them.

use relight_model::{DisplayState, Light, Verdict};

/// Where the case of a site stands (INCIDENT 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// In scope, never ordered dark, or not any more.
    Online,
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
    /// Evidence says clear; may be opened.
    RelightEligible,
    /// Being opened.
    Relighting,
    /// Proven lit again.
    RelitProven,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 13] = [
        Self::Online,
        Self::DarkRequested,
        Self::DarkProven,
        Self::Failed,
        Self::Analysing,
        Self::Unknown,
        Self::Affected,
        Self::Fixing,
        Self::FixDeployed,
        Self::Verifying,
        Self::RelightEligible,
        Self::Relighting,
        Self::RelitProven,
    ];

    /// What visitors must see in this phase.
    pub const fn wants(self) -> Light {
        match self {
            Self::Online | Self::Relighting | Self::RelitProven => Light::Lit,
            _ => Light::Dark,
        }
    }

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::DarkRequested => "dark-requested",
            Self::DarkProven => "dark-proven",
            Self::Failed => "failed",
            Self::Analysing => "analysing",
            Self::Unknown => "unknown",
            Self::Affected => "affected",
            Self::Fixing => "fixing",
            Self::FixDeployed => "fix-deployed",
            Self::Verifying => "verifying",
            Self::RelightEligible => "relight-eligible",
            Self::Relighting => "relighting",
            Self::RelitProven => "relit-proven",
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
        (Phase::Online | Phase::RelitProven, _) if verdict == Some(Verdict::Affected) => {
            DisplayState::Exposed
        }
        (Phase::RelitProven, _) if fixed => DisplayState::RelitFixed,
        (Phase::Online | Phase::RelitProven, _) => DisplayState::Online,
        (Phase::FixDeployed | Phase::Verifying, _) => DisplayState::Verifying,
        (Phase::Fixing, _) => DisplayState::Fixing,
        (Phase::Affected, _) => DisplayState::Affected,
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
