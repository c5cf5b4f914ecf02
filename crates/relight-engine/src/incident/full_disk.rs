//! What is journalled on a full disk, where what is left of it belongs to what darkens.

use relight_model::Verdict;

use super::entry::Entry;
use super::parts::PartSeen;

impl Entry {
    /// True for what is journalled on a full disk: what takes sites dark or voids what keeps them
    /// lit, what was seen of it, bad news, and that somebody came in or showed a key, without which
    /// nobody could approve. What strangers can cause is none: refused sign-ins would use the room
    /// up.
    pub fn is_for_a_full_disk(&self) -> bool {
        match self {
            Self::Opened { .. }
            | Self::DarkOrdered { .. }
            | Self::BreakGlass { .. }
            | Self::AuthorityUsed { .. }
            | Self::PlanApproved { .. }
            | Self::PlanStarted { .. }
            | Self::BaselineTaken { .. }
            | Self::Proved { .. }
            | Self::EdgeFailed { .. }
            | Self::Drifted { .. }
            | Self::HeldBack { .. }
            | Self::Lapsed { .. }
            | Self::Revised { .. }
            | Self::Deployed { .. }
            | Self::RelightStopped { .. }
            | Self::PartsClosed { .. }
            | Self::Barred { .. } => true,
            Self::PartsSeen { seen, .. } => *seen != PartSeen::Open,
            Self::PlanProposed { plan, .. } => plan.action.is_closing(),
            Self::Access { act, .. } => matches!(act.as_str(), "signed-in" | "key-shown"),
            Self::EvidenceAttached { evidence } => evidence.verdict != Verdict::Clear,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn on_a_full_disk_people_come_in_and_strangers_write_nothing() {
        let is_admitted = |act: &str| {
            let (account, facts) = ("anna".to_owned(), BTreeMap::new());
            Entry::Access { act: act.to_owned(), account, facts }.is_for_a_full_disk()
        };
        assert!(is_admitted("signed-in") && is_admitted("key-shown"));
        assert!(!is_admitted("sign-in-refused") && !is_admitted("account-added"));
    }
}
