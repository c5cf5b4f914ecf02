//! What is remembered of a newer controller that an edge has seen.

use relight_model::Epoch;

/// An epoch beyond ours that an edge has seen, and the term under which we met it.
///
/// Epochs alone forget it: a register that came back from a copy may act under the very term of the
/// one that acted before, and its epochs grow with its journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overtaken(Option<(u64, Epoch)>);

impl Overtaken {
    /// Nobody was met yet.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Notes an epoch beyond ours, for as long as it is shown and our term stays the same; whether
    /// there is one.
    pub fn meet(&mut self, shown: Epoch, ours: Epoch) -> bool {
        let is_met = |(term, seen): &(u64, Epoch)| *term >= ours.term && *seen <= shown;
        let before = self.0.filter(is_met);
        self.0 = if shown > ours { Some((ours.term, shown)) } else { before };
        self.is_met()
    }

    /// Whether one was met.
    pub const fn is_met(self) -> bool {
        self.0.is_some()
    }
}
