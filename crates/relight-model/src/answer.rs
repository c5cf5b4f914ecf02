//! The three-valued answer of a site to a question: affected, clear, or unknown with the reason.

use crate::Timestamp;

/// What a site says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At least one asset in service certainly has what was asked for.
    Affected,
    /// Everything was looked at, recently, and it is not there.
    Clear(Coverage),
    /// We cannot tell, and this is why (the first reason in the order of the enum).
    Unknown(UnknownReason),
}

impl Answer {
    /// The verdict alone.
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Affected => Verdict::Affected,
            Self::Clear(_) => Verdict::Clear,
            Self::Unknown(_) => Verdict::Unknown,
        }
    }
}

/// The answer without its grounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Has it.
    Affected,
    /// Proven not to have it.
    Clear,
    /// Not known.
    Unknown,
}

impl Verdict {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Clear => "clear",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Affected, Self::Clear, Self::Unknown].into_iter().find(|v| v.as_str() == text)
    }
}

/// Why a site is unknown, in the order in which reasons are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnknownReason {
    /// The site has no asset.
    NoAsset,
    /// An asset has no inventory.
    NeverInventoried,
    /// The last confirmation is older than the limit.
    Stale,
    /// Something was deployed after the inventory was made.
    ChangedSince,
    /// Something could not be opened.
    PartialPermission,
    /// Something is encrypted.
    PartialEncrypted,
    /// Something is over a limit.
    PartialLimit,
    /// Something is corrupt.
    PartialCorrupt,
    /// Something was left out, or is of a kind that we do not read.
    PartialExcluded,
    /// Only a build document exists; it may hide what the deployment adds.
    DeclaredOnly,
    /// The question needs what the inventory cannot show: classes, after a scan of directories of
    /// archives alone.
    NotObservable,
    /// The name fits, the version is missing or cannot be compared.
    PossibleMatch,
    /// The advisory names the package without a range that can be evaluated.
    RangeUnresolved,
}

impl UnknownReason {
    /// Every reason, in order.
    pub const ALL: [Self; 13] = [
        Self::NoAsset,
        Self::NeverInventoried,
        Self::Stale,
        Self::ChangedSince,
        Self::PartialPermission,
        Self::PartialEncrypted,
        Self::PartialLimit,
        Self::PartialCorrupt,
        Self::PartialExcluded,
        Self::DeclaredOnly,
        Self::NotObservable,
        Self::PossibleMatch,
        Self::RangeUnresolved,
    ];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAsset => "no-asset",
            Self::NeverInventoried => "never-inventoried",
            Self::Stale => "stale",
            Self::ChangedSince => "changed-since",
            Self::PartialPermission => "partial-permission",
            Self::PartialEncrypted => "partial-encrypted",
            Self::PartialLimit => "partial-limit",
            Self::PartialCorrupt => "partial-corrupt",
            Self::PartialExcluded => "partial-excluded",
            Self::DeclaredOnly => "declared-only",
            Self::NotObservable => "not-observable",
            Self::PossibleMatch => "possible-match",
            Self::RangeUnresolved => "range-unresolved",
        }
    }

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What is known about the inventory of one asset, as far as an answer needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryState {
    /// When the inventory was last confirmed; `None` when there is none.
    pub confirmed: Option<Timestamp>,
    /// A deployment was reported after the inventory.
    pub changed_since: bool,
    /// The reasons of its flaws that can hide anything; empty when there are none.
    pub flaws: Vec<UnknownReason>,
    /// The packages that its other flaws can hide, by the type of their package URLs.
    pub hidden: Vec<&'static str>,
}

impl InventoryState {
    /// The same for a question that is only about packages of some types of package URLs.
    #[must_use]
    pub fn about(mut self, may_mean: impl Fn(&str) -> bool) -> Self {
        self.hidden.retain(|kind| may_mean(kind));
        self
    }
}

/// Proof that every asset of a site was looked at, completely and recently enough.
///
/// `Answer::Clear` cannot be written without one, and the only way to one is [`Coverage::of`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    oldest: Timestamp,
    assets: usize,
}

impl Coverage {
    /// The coverage of a site from the states of **all** its assets.
    ///
    /// # Errors
    /// The first reason, in the order of [`UnknownReason`], that forbids calling the site clear:
    /// no asset, an asset without inventory, one confirmed more than `age_max` seconds before
    /// `now`, one that changed since, or any flaw.
    pub fn of(
        assets: &[InventoryState],
        now: Timestamp,
        age_max: i64,
    ) -> Result<Self, UnknownReason> {
        let reason = Self::reasons(assets, now, age_max).into_iter().min();
        match (reason, assets.iter().filter_map(|asset| asset.confirmed).min()) {
            (Some(reason), _) => Err(reason),
            (None, Some(oldest)) => Ok(Self { oldest, assets: assets.len() }),
            (None, None) => Err(UnknownReason::NoAsset),
        }
    }

    /// Every reason that forbids calling the site clear, sorted, without doubles.
    pub fn reasons(assets: &[InventoryState], now: Timestamp, age_max: i64) -> Vec<UnknownReason> {
        let mut reasons = Vec::new();
        if assets.is_empty() {
            reasons.push(UnknownReason::NoAsset);
        }
        for asset in assets {
            match asset.confirmed {
                None => reasons.push(UnknownReason::NeverInventoried),
                Some(at) if now.saturating_sub(at) > age_max => reasons.push(UnknownReason::Stale),
                Some(_) => {}
            }
            if asset.changed_since {
                reasons.push(UnknownReason::ChangedSince);
            }
            reasons.extend(&asset.flaws);
            reasons.extend((!asset.hidden.is_empty()).then_some(UnknownReason::NotObservable));
        }
        reasons.sort();
        reasons.dedup();
        reasons
    }

    /// When the oldest of the inventories was confirmed.
    pub const fn oldest(&self) -> Timestamp {
        self.oldest
    }

    /// How many assets were looked at.
    pub const fn assets(&self) -> usize {
        self.assets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> InventoryState {
        let (flaws, hidden) = (Vec::new(), Vec::new());
        InventoryState { confirmed: Some(1000), changed_since: false, flaws, hidden }
    }

    #[test]
    fn complete_and_fresh_is_covered() {
        let coverage = Coverage::of(&[fresh(), fresh()], 1060, 60).unwrap();
        assert_eq!((coverage.oldest(), coverage.assets()), (1000, 2));
    }

    #[test]
    fn what_hides_some_packages_is_a_reason_for_questions_about_them() {
        let state = InventoryState { hidden: vec!["cargo", "golang"], ..fresh() };
        let reasons = |may_mean: &dyn Fn(&str) -> bool| {
            let states = [fresh(), state.clone().about(may_mean)];
            let reasons = Coverage::reasons(&states, 1060, 60);
            assert_eq!(Coverage::of(&states, 1060, 60).is_ok(), reasons.is_empty());
            reasons
        };
        assert_eq!(reasons(&|_| true), [UnknownReason::NotObservable]);
        assert_eq!(reasons(&|kind| kind == "golang"), [UnknownReason::NotObservable]);
        assert_eq!(reasons(&|kind| kind == "maven"), []);
    }

    #[test]
    fn each_gap_is_a_reason() {
        let never = InventoryState { confirmed: None, ..fresh() };
        let changed = InventoryState { changed_since: true, ..fresh() };
        let corrupt = InventoryState { flaws: vec![UnknownReason::PartialCorrupt], ..fresh() };
        for (assets, now, reason) in [
            (vec![], 1060, UnknownReason::NoAsset),
            (vec![fresh(), never.clone()], 1060, UnknownReason::NeverInventoried),
            (vec![fresh()], 1061, UnknownReason::Stale),
            (vec![changed], 1060, UnknownReason::ChangedSince),
            (vec![fresh(), corrupt.clone()], 1060, UnknownReason::PartialCorrupt),
            (vec![corrupt, never], 1060, UnknownReason::NeverInventoried),
        ] {
            assert_eq!(Coverage::of(&assets, now, 60), Err(reason));
        }
    }

    #[test]
    fn names_read_back() {
        for reason in UnknownReason::ALL {
            assert_eq!(UnknownReason::parse(reason.as_str()), Some(reason));
        }
        for verdict in [Verdict::Affected, Verdict::Clear, Verdict::Unknown] {
            assert_eq!(Verdict::parse(verdict.as_str()), Some(verdict));
        }
    }
}
