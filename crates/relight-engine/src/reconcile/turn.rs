//! What a round knows while it goes on.

use std::collections::BTreeMap;

use relight_edge::{GateSet, GateView};
use relight_model::{Epoch, GateKey};

use super::{Round, Want};

/// What one round is about, so far.
pub(super) struct Turn<'a> {
    pub(super) wants: &'a [Want],
    pub(super) epoch: Epoch,
    pub(super) now_ms: i64,
    pub(super) permits: &'a dyn Fn(&GateKey) -> bool,
    pub(super) views: Vec<GateView>,
    /// They are from before an effect.
    pub(super) is_stale: bool,
    /// Gates that somebody undid since the last round.
    pub(super) undone: GateSet,
    /// Nobody answered any probe.
    pub(super) is_unanswered: bool,
    /// What is on its way back was looked at.
    pub(super) has_opened: bool,
    /// The edge has seen a newer controller: nothing is written there.
    pub(super) is_overtaken: bool,
    pub(super) round: Round,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        wants: &'a [Want],
        epoch: Epoch,
        now_ms: i64,
        permits: &'a dyn Fn(&GateKey) -> bool,
    ) -> Self {
        let (views, undone, round) = (Vec::new(), GateSet::new(), Round::default());
        let (is_stale, is_unanswered, has_opened, is_overtaken) = (false, false, false, false);
        Self {
            wants,
            epoch,
            now_ms,
            permits,
            views,
            is_stale,
            undone,
            is_unanswered,
            has_opened,
            is_overtaken,
            round,
        }
    }
}

/// Since when something goes on, which is noted at the first call. A clock that was set back begins
/// anew: no deadline is put off by it.
pub(super) fn since(times: &mut BTreeMap<GateKey, i64>, key: &GateKey, now_ms: i64) -> i64 {
    let since = times.entry(key.clone()).or_insert(now_ms);
    *since = (*since).min(now_ms);
    *since
}
