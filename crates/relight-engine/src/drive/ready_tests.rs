//! When an edge of which nothing is wanted gets ready for the next order.

use std::sync::atomic::{AtomicU64, AtomicUsize};

use relight_edge::{
    Capabilities, EdgeDriver, EdgeError, GateSet, GateView, Lint, ProbeResult, Stage, TunnelCount,
};
use relight_store::SiteRow;

use crate::drive::lookout::tests::{dark_site, row};
use crate::drive::*;
use crate::edges;
use crate::reconcile::Eyes;

/// What an edge was asked for, and which process it says that it is.
#[derive(Default)]
struct Process {
    generation: AtomicU64,
    readied: AtomicUsize,
}

/// An edge that does nothing but get ready, and its eyes.
struct Idle(Arc<Process>);

impl EdgeDriver for Idle {
    fn capabilities(&self) -> Capabilities {
        Capabilities::FILE_GATE
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        Ok(Vec::new())
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        Ok(vec![GateView::default(); keys.len()])
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        Ok(GateSet::new())
    }

    fn apply(&mut self, _: Epoch, _: Stage, _: &GateSet) -> Result<(), EdgeError> {
        Ok(())
    }

    fn get_ready(&mut self, _: &GateSet, _: &(dyn Fn() -> bool + Sync)) -> Result<bool, EdgeError> {
        self.0.readied.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        Ok(self.0.generation.load(Ordering::Relaxed))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        Ok(vec![TunnelCount::Open(0); keys.len()])
    }

    fn cut(&mut self, _: Epoch, _: &[GateKey]) -> Result<(), EdgeError> {
        Ok(())
    }
}

impl Eyes for Idle {
    fn probe(&mut self, targets: &[relight_edge::ProbeTarget], _: u64) -> Vec<ProbeResult> {
        vec![ProbeResult::default(); targets.len()]
    }
}

/// Goal: an edge of which nothing is wanted is ready for an order also after a reload and an
/// import, and does nothing for it as long as neither comes. Method: turns of its loop, which
/// somebody else drives who is told of something each time; the process changes, and the list of
/// sites.
#[test]
fn an_edge_at_rest_gets_ready_again_after_a_reload_and_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, target, _) = dark_site(folder.path());
    let (engine, identity) = (Arc::new(engine), edges::identity(&target).unwrap());
    let pressed = Pressed::new(Arc::clone(&engine), "west", Arc::default());
    let process = Arc::new(Process::default());
    let [driver, eyes] = [(); 2].map(|()| Box::new(Idle(Arc::clone(&process))));
    let mut edge = EdgeLoop::new("west", driver, eyes, 1);
    let mut turns = || {
        let before = process.readied.load(Ordering::Relaxed);
        for _ in 0..3 {
            // What is journalled since ends the wait at once.
            engine.wake();
            let times = (&mut Rest::default(), engine.version() - 1);
            take_turn(&engine, &mut edge, (&identity, &pressed), times, true);
        }
        process.readied.load(Ordering::Relaxed) - before
    };
    assert_eq!((turns(), turns()), (1, 0));
    process.generation.store(1, Ordering::Relaxed);
    assert_eq!((turns(), turns()), (1, 0), "another process serves");
    let sites: Vec<SiteRow> = ["a", "b"].map(row).into();
    let store = engine.store();
    store.apply_import(&store.plan_import(&sites).unwrap(), 2, "test").unwrap();
    engine.follow_store().unwrap();
    assert_eq!((turns(), turns()), (1, 0), "there is another site");
    engine.follow_store().unwrap();
    assert_eq!(turns(), 0, "nothing was imported");
}

/// Goal: an edge at rest is asked which process serves now and then, and not with everything that
/// is journalled. Method: how long it rests after a turn without anything to do.
#[test]
fn an_edge_of_which_nothing_is_wanted_rests() {
    let rest = Rest::after(&Round::default(), &[], Vec::new(), Duration::from_secs(3_600));
    assert!(rest.is_settled() && rest.left(&[], &|_| true).is_some());
}
