//! Hands and eyes of engines that do not do at the edge what the product does.

use relight_engine::edge::{
    Capabilities, EdgeDriver, EdgeError, GateSet, GateView, Lint, ProbeResult, ProbeTarget, Stage,
    TunnelCount,
};
use relight_engine::reconcile::Eyes;
use relight_model::{Epoch, GateKey, Seen};

use crate::edge::Shared;

/// Writes what a reload reads only after the running edge was changed.
pub(super) struct Hasty(pub(super) Shared, pub(super) Option<GateSet>);

impl EdgeDriver for Hasty {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.0.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.0.observe(keys)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.0.owned()
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        let is_closing = !dark.is_subset(&self.0.lock().durable);
        if stage == Stage::Durable && is_closing {
            self.1 = Some(dark.clone());
            return Ok(());
        }
        self.0.apply(epoch, stage, dark)?;
        self.1.take().map_or(Ok(()), |late| self.0.apply(epoch, Stage::Durable, &late))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.0.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.0.cut(epoch, keys)
    }
}

/// Takes what the edge was told for what it shows.
pub(super) struct Believer(pub(super) Shared);

impl EdgeDriver for Believer {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.0.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let told = self.0.lock().told.clone();
        let seen = |key| if told.contains(key) { Seen::Dark } else { Seen::Lit };
        let view = |key| {
            let (durable, runtime) = (seen(key), seen(key));
            GateView { durable, runtime, ..GateView::default() }
        };
        Ok(keys.iter().map(view).collect())
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.0.owned()
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.0.apply(epoch, stage, dark)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.0.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.0.cut(epoch, keys)
    }
}

impl Eyes for Believer {
    fn probe(&mut self, targets: &[ProbeTarget], _nonce: u64) -> Vec<ProbeResult> {
        let told = self.0.lock().told.clone();
        let see = |target: &ProbeTarget| match told.contains(&target.key) {
            true => ProbeResult { seen: Seen::Dark, status: 503, ..ProbeResult::default() },
            false => ProbeResult { seen: Seen::Lit, status: 200, ..ProbeResult::default() },
        };
        targets.iter().map(see).collect()
    }
}
