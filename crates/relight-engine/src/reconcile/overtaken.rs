//! An edge that has seen a newer controller than this one: it is looked at and not written to
//! (INCIDENT 5.1).
//!
//! A register that was restored from a copy, beside an edge whose gate could not be read then, may
//! begin under the very term of the one that acted before. The fence of the edge compares epochs:
//! it would let this one in as soon as its journal is as long as the other was.

use relight_edge::{EdgeError, EdgeErrorKind, GateView};
use relight_model::{Epoch, GateKey};

use super::{EdgeLoop, Turn};

impl EdgeLoop {
    /// Whether the edge has seen an epoch beyond ours, now or when it was looked at before: another
    /// controller gave it, for the epochs of one only grow. When this one is started again it gets
    /// a term above; or a person takes that epoch away.
    pub(super) fn is_overtaken(&mut self, turn: &Turn<'_>) -> bool {
        self.meet(&turn.views, turn.epoch);
        self.overtaken.is_met()
    }

    /// Notes an epoch beyond ours, for as long as the edge shows it.
    pub(super) fn meet(&mut self, views: &[GateView], epoch: Epoch) {
        if let Some(shown) = views.iter().filter_map(|view| view.epoch).max() {
            self.overtaken.meet(shown, epoch);
        }
    }

    /// What the edge shows is told as ever, and that nothing is written there.
    pub(super) fn look_only(&mut self, turn: &mut Turn<'_>, keys: &[GateKey]) -> EdgeError {
        turn.is_overtaken = true;
        let looked = self.prove_dark(turn, keys);
        self.watch_lit(turn);
        looked.err().unwrap_or_else(|| self.fenced(turn))
    }

    /// Why nothing is written.
    pub(super) fn fenced(&self, turn: &Turn<'_>) -> EdgeError {
        let Epoch { term, seq } = turn.epoch;
        let doing = format!("act on {} under epoch {term}-{seq}: it has seen a newer", self.name);
        EdgeError::new(EdgeErrorKind::Fenced, doing)
    }
}

/// Whether the edge still has to hear of this controller.
pub(super) fn is_of_an_older_term(epoch: Epoch, views: &[GateView]) -> bool {
    views.iter().any(|view| view.epoch.is_some_and(|seen| seen.term < epoch.term))
}
