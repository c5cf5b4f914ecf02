//! What the loop makes of an edge that stands for several: one of them alone may hold a site dark.

use std::sync::{Arc, Mutex};

use relight_engine::edge::{
    Capabilities, EdgeDriver, EdgeError, GROUP, GateSet, GateView, Lint, MEMBERS, Stage, Target,
    TunnelCount, open,
};
use relight_engine::incident::Gate;
use relight_engine::reconcile::{CANARY_KEY, EdgeLoop};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::edge::{Shared, builtin, key, set};
use crate::loops::{Bench, dark};

use Gate::{Open, Proven, Requested};
use Light::{Dark, Lit};

/// Two edges with one gate in the place of both: what the one whose gate it is holds dark, the
/// other shows lit where it is named.
struct Pair {
    edge: Shared,
    differs: Arc<Mutex<Differs>>,
}

/// What both show together of sites that one of them alone holds dark.
#[derive(Clone, Default)]
struct Differs {
    sites: GateSet,
    /// What is not known before anything was told, and lit for what was told to be dark.
    together: Seen,
}

impl EdgeDriver for Pair {
    fn capabilities(&self) -> Capabilities {
        self.edge.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.edge.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let differs = self.differs.lock().unwrap().clone();
        let views = keys.iter().zip(self.edge.observe(keys)?).map(|(key, view)| {
            let in_part = Some(view.darkest());
            let together = differs.together;
            match differs.sites.contains(key) {
                true => GateView { durable: together, runtime: together, in_part, ..view },
                false => GateView { in_part, ..view },
            }
        });
        Ok(views.collect())
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.edge.owned()
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.edge.apply(epoch, stage, dark)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.edge.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.edge.cut(epoch, keys)
    }
}

/// A bench whose edge stands for two, and what these differ in.
fn pair() -> (Bench, Arc<Mutex<Differs>>) {
    let mut bench = Bench::new(dark(&["a"]));
    let differs = Arc::new(Mutex::new(Differs { sites: set(&["a"]), together: Seen::Unknown }));
    let driver = Pair { edge: bench.edge.clone(), differs: Arc::clone(&differs) };
    bench.edge_loop = EdgeLoop::new("east", Box::new(driver), Box::new(bench.edge.clone()), 7);
    bench.permits = false;
    (bench, differs)
}

/// Trap: an order for another site had told both to hold it dark, and the other one did not answer.
/// From then on they showed it lit together, and the next order opened it at the one that held it
/// dark, which nothing permitted.
#[test]
fn a_lit_site_that_one_of_several_edges_holds_dark_is_opened_by_no_other_effect() {
    let (mut bench, differs) = pair();
    let wants = [("a", Lit, Open), ("b", Dark, Requested)];
    bench.round(&[("a", Lit, Open)]);
    differs.lock().unwrap().together = Seen::Lit;
    bench.round(&wants);
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)], "by an order for another site");
    assert_eq!(bench.edge.lock().durable, set(&["a", "b"]));
    // Each of them shows it lit: it is not held any more.
    *differs.lock().unwrap() = Differs::default();
    bench.set(|edge| (edge.runtime.remove(&key("a")), edge.durable.remove(&key("a"))));
    bench.round(&[("a", Lit, Open), ("b", Dark, Proven), ("c", Dark, Requested)]);
    assert_eq!(bench.edge.lock().durable, set(&["b", "c"]));
}

/// The same for one on its way back that nothing permits to open.
#[test]
fn a_site_that_one_of_several_edges_holds_dark_is_not_opened_on_its_way_back_by_another_order() {
    let (mut bench, differs) = pair();
    differs.lock().unwrap().together = Seen::Lit;
    bench.round(&[("a", Lit, Proven), ("b", Dark, Requested)]);
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)]);
    assert_eq!(bench.edge.lock().durable, set(&["a", "b"]));
}

/// Goal: a site that is ordered dark again after one of several edges opened it is closed there.
/// Method: two built-in edges of which one alone holds it, after an order that names it no more.
#[test]
fn a_site_that_was_opened_at_one_of_several_edges_is_closed_there_by_the_next_order() {
    let folder = tempfile::tempdir().unwrap();
    let builtin = |name: &str| builtin(folder.path(), name);
    let members = vec![builtin("one"), builtin("two")];
    let settings = [(MEMBERS.to_owned(), "one two".to_owned())].into();
    let group = Target { kind: GROUP.into(), settings, members, ..builtin("group") };
    let mut driver = open(&group).unwrap();
    let mut bench = Bench::new(|_| ());
    driver.close(bench.epoch, &set(&[])).unwrap();
    open(&builtin("two")).unwrap().close(bench.epoch, &set(&["a"])).unwrap();
    bench.edge_loop = EdgeLoop::new("group", driver, Box::new(bench.edge.clone()), 7);
    bench.round(&[("a", Dark, Requested)]);
    for name in ["one", "two"] {
        let view = open(&builtin(name)).unwrap().observe(&[key("a")]).unwrap()[0];
        assert_eq!(view.runtime, Seen::Dark, "{name}");
    }
}
