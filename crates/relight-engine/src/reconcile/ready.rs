//! Whether an edge got ready for the next order.

/// An edge that could not get ready for an order is tried again after so long, in milliseconds.
pub const READY_AGAIN_MS: i64 = 60_000;

/// What its driver last said, unless something that it did undid that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    No,
    /// For all sites of the edge in the list of this number.
    For(u64),
    /// It could not at this time.
    Failed(i64),
}

impl Ready {
    /// Something has to be done for a list.
    pub(super) const fn is_due(self, list: u64, now_ms: i64) -> bool {
        match self {
            Self::No => true,
            Self::For(known) => known != list,
            // A clock that was set back begins anew.
            Self::Failed(at_ms) => now_ms < at_ms || now_ms - at_ms >= READY_AGAIN_MS,
        }
    }

    /// What was got ready may be gone; `is_new` where what failed may succeed now.
    pub(super) const fn lose(&mut self, is_new: bool) {
        if is_new || matches!(self, Self::For(_)) {
            *self = Self::No;
        }
    }
}
