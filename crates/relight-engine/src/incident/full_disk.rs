//! What is journalled on a full disk, where what is left of it belongs to what darkens.

use relight_model::Verdict;

use super::entry::Entry;

impl Entry {
    /// True for what is journalled on a full disk: what takes sites dark or voids what keeps them
    /// lit, what was seen of it, bad news, that somebody came in or showed a key, without which
    /// nobody could approve, and that an agent is let in no more. What strangers can cause is
    /// none: refused sign-ins would use the room up. What a signed policy gives beforehand is
    /// journalled before it stands for the second person of an order.
    pub fn is_for_a_full_disk(&self) -> bool {
        match self {
            Self::Opened { .. }
            | Self::DarkOrdered { .. }
            | Self::BreakGlass { .. }
            | Self::AuthorityGranted { .. }
            | Self::AuthorityUsed { .. }
            | Self::PlanApproved { .. }
            | Self::PlanStarted { .. }
            | Self::BaselineTaken { .. }
            | Self::Proved { .. }
            | Self::EdgeFailed { .. }
            | Self::LedPast { .. }
            | Self::Drifted { .. }
            | Self::HeldBack { .. }
            | Self::Lapsed { .. }
            | Self::Revised { .. }
            | Self::Deployed { .. }
            | Self::RelightStopped { .. }
            // It opens nothing: what it leaves stays dark.
            | Self::PlanEnded { .. }
            // Nor does this: a marker of a drill is no site, and the round of an edge that found
            // one left over is one entry or all of them.
            | Self::DrillUndone { .. }
            | Self::PartsClosed { .. }
            // A part that is seen open was opened before: what a round of an edge saw is one entry
            // or all of them, and its other sites must not wait.
            | Self::PartsSeen { .. }
            | Self::Restored { .. }
            | Self::ClockSetBack { .. }
            | Self::Barred { .. } => true,
            Self::CanaryTried { passed, .. } => !passed,
            Self::PlanProposed { plan, .. } => plan.action.is_closing(),
            Self::Access { act, .. } => {
                matches!(act.as_str(), "signed-in" | "key-shown" | "agent-revoked")
            }
            Self::EvidenceAttached { evidence } => evidence.verdict != Verdict::Clear,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use relight_model::{Digest, GateKey};

    use super::*;

    #[test]
    fn on_a_full_disk_people_come_in_and_strangers_write_nothing() {
        let is_admitted = |act: &str| {
            let (account, facts) = ("anna".to_owned(), BTreeMap::new());
            Entry::Access { act: act.to_owned(), account, facts }.is_for_a_full_disk()
        };
        assert!(is_admitted("signed-in") && is_admitted("key-shown"));
        assert!(!is_admitted("sign-in-refused") && !is_admitted("account-added"));
        assert!(is_admitted("agent-revoked") && !is_admitted("agent-enrolled"));
    }

    /// Goal: nobody thinks on a full disk that an edge does what it is told. Method: a canary that
    /// fails, and one that passes.
    #[test]
    fn on_a_full_disk_a_canary_that_fails_is_told() {
        let tried = |passed: bool| {
            let [edge, what] = ["east", "dark-not-seen"].map(str::to_owned);
            Entry::CanaryTried { edge, passed, what }.is_for_a_full_disk()
        };
        assert!(tried(false) && !tried(true));
    }

    /// A plan of which nothing came back ends: else it would be gone on with when there is room.
    /// What a drill left over silences no edge.
    #[test]
    fn on_a_full_disk_a_plan_ends_and_none_opens() {
        let [failed, left, held] = [const { Vec::new() }; 3];
        let ended = Entry::PlanEnded { plan: Digest::default(), failed, left, held };
        assert!(ended.is_for_a_full_disk());
        let (edge, keys) = ("east".to_owned(), Vec::new());
        assert!(Entry::DrillUndone { drill: true, edge, keys }.is_for_a_full_disk());
        let (site, evidence) = (GateKey::new("a").unwrap(), Digest::default());
        assert!(!Entry::RelightStarted { site, evidence }.is_for_a_full_disk());
    }
}
