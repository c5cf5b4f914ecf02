//! The engine's hand on an edge of the soak.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use relight_engine::Engine;
use relight_engine::edge::{
    Capabilities, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Lint, Prober, Stage,
    TunnelCount,
};
use relight_engine::reconcile::{EdgeLoop, Listeners};
use relight_model::{Epoch, GateKey};

use super::{FRONT, GRACE_MS, PATIENT, Stand, WALL};

/// The engine's hand on the edge: after so many effects it is dead.
struct Fuelled(Box<dyn EdgeDriver>, Arc<AtomicI64>);

impl Fuelled {
    fn burn(&self) -> Result<(), EdgeError> {
        if self.1.fetch_sub(1, Ordering::Relaxed) > 0 {
            return Ok(());
        }
        Err(EdgeError::new(EdgeErrorKind::Unreachable, "act: the engine was killed"))
    }
}

impl EdgeDriver for Fuelled {
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
        self.burn()?;
        self.0.apply(epoch, stage, dark)
    }

    /// With fuel for one effect it dies between the two.
    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        if self.1.load(Ordering::Relaxed) <= 1 {
            self.apply(epoch, Stage::Durable, dark)?;
            return self.burn();
        }
        self.burn().and_then(|()| self.burn())?;
        self.0.close(epoch, dark)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        self.burn()?;
        self.0.apply_changes(epoch, stage, dark, changed)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        self.0.generation()
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.0.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.burn()?;
        self.0.cut(epoch, keys)
    }
}

/// The loop of the edge in front, whose hands die together.
pub(super) fn edge_loop<S: Stand>(
    edge: &S,
    wall: Option<&S>,
    engine: &Engine,
    fuel: &Arc<AtomicI64>,
    nonce: u64,
) -> EdgeLoop {
    let hand = |edge: &S| {
        let driver = relight_engine::edge::open(edge.target()).unwrap();
        Box::new(Fuelled(driver, Arc::clone(fuel)))
    };
    let eyes = Box::new(Listeners::new(vec![Prober::new(edge.listener())]));
    let mut edge_loop = EdgeLoop::new(FRONT, hand(edge), eyes, nonce);
    edge_loop.set_grace(GRACE_MS);
    if let Some(wall) = wall {
        let known = engine.with_ledger(|ledger| {
            ledger.barred(FRONT).map(|it| it.sites.iter().cloned().collect::<GateSet>())
        });
        edge_loop.set_barrier(WALL, hand(wall), known.unwrap_or_default(), PATIENT).unwrap();
    }
    edge_loop
}
