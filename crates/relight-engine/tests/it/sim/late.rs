//! A second edge in front of the same sites, told together with the first, which sometimes does
//! late what it was told: after the next order, or after the look that wanted to see it.

use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use relight_engine::edge::{Pace, ProbeResult, ProbeTarget, Work, group_with};
use relight_engine::reconcile::{EdgeLoop, Eyes};
use relight_model::Epoch;
use testkit::Rng;

use super::Sim;
use crate::edge::{Shared, builtin};
use crate::mutants::Mutant;

/// The name of the one that is late.
const LATE: &str = "late";

/// How often it is, in percent of what it is asked.
const LATE_PERCENT: usize = 25;

/// Of so many incidents one is about two edges.
const GROUPS: u64 = 3;

/// That edge, and what it has still to do.
#[derive(Clone)]
pub(super) struct Late {
    pub(super) edge: Shared,
    pace: Arc<Tardy>,
}

impl Late {
    /// It stands beside the edge of this seed, or none does.
    pub(super) fn of(seed: u64, mutant: Mutant) -> Option<Self> {
        let edge = Shared::default();
        {
            let mut edge = edge.lock();
            (edge.has_record, edge.obeys_the_old) = (true, mutant == Mutant::OldOrderCarriedOut);
        }
        let pace = Arc::new(Tardy(Mutex::new(Delay::new(seed))));
        seed.is_multiple_of(GROUPS).then_some(Self { edge, pace })
    }

    /// The loop of both as one edge.
    pub(super) fn edge_loop(&self, first: &Shared, nonce: u64) -> EdgeLoop {
        let target = |name| builtin(std::path::Path::new("/nowhere"), name);
        let members: Vec<(_, Box<dyn relight_engine::edge::EdgeDriver>)> = vec![
            (target("first"), Box::new(first.clone())),
            (target(LATE), Box::new(self.edge.clone())),
        ];
        let pace: Arc<dyn Pace> = Arc::<Tardy>::clone(&self.pace);
        let eyes = Both(first.clone(), self.edge.clone());
        EdgeLoop::new("east", group_with(members, &pace), Box::new(eyes), nonce)
    }

    /// It does what it has still to do. Whoever died wanted nothing.
    fn answer(&self) {
        let waiting = std::mem::take(&mut self.pace.lock().waiting);
        waiting.into_iter().for_each(|work| work());
    }

    pub(super) fn forget(&self) {
        self.pace.lock().waiting.clear();
    }

    /// It is never late again.
    pub(super) fn hurry(&self) {
        self.pace.lock().is_punctual = true;
        self.answer();
    }
}

/// Who is late, and with what.
struct Delay {
    rng: Rng,
    is_punctual: bool,
    waiting: Vec<Work>,
}

impl Delay {
    const fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed.rotate_left(32)), is_punctual: false, waiting: Vec::new() }
    }
}

/// What is asked is done at once, or when [`Late::answer`] says so. Nobody waits for anybody.
struct Tardy(Mutex<Delay>);

impl Tardy {
    fn lock(&self) -> MutexGuard<'_, Delay> {
        self.0.lock().unwrap()
    }
}

impl Pace for Tardy {
    fn begin(&self, member: &str, work: Work) -> Option<JoinHandle<()>> {
        let mut delay = self.lock();
        if member == LATE && !delay.is_punctual && delay.rng.chance(LATE_PERCENT) {
            delay.waiting.push(work);
        } else {
            drop(delay);
            work();
        }
        None
    }

    fn patience(&self, _known: Duration) -> Duration {
        Duration::ZERO
    }
}

/// Visitors of both.
struct Both(Shared, Shared);

impl Eyes for Both {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let second = self.1.probe(targets, nonce);
        let both = self.0.probe(targets, nonce).into_iter().zip(second);
        both.map(|(first, second)| first.and(second)).collect()
    }
}

impl Sim {
    /// Every edge that the loop under test drives.
    pub(super) fn edges(&self) -> Vec<Shared> {
        let late = self.late.iter().map(|late| late.edge.clone());
        std::iter::once(self.edge.clone()).chain(late).collect()
    }

    /// The one that is late does what it was told before: nothing is opened by that which may not
    /// be open now.
    pub(super) fn catch_up(&mut self) {
        if let Some(late) = self.late.clone() {
            late.answer();
            self.say(|| "what was late is done".to_owned());
            self.check_effects();
        }
    }

    /// All of them have heard of this controller.
    pub(super) fn is_known(&self, Epoch { term, .. }: Epoch) -> bool {
        let knows = |edge: &Shared| edge.lock().epoch.is_some_and(|epoch| epoch.term == term);
        self.edges().iter().all(knows)
    }
}
