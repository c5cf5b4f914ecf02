//! The second barrier: another edge behind the first, which closes what that one cannot.

use std::collections::BTreeMap;
use std::time::Duration;

use relight_engine::edge::GateSet;
use relight_engine::reconcile::{PROOF_TTL_MS, Round, Want};
use relight_model::{GateKey, Light, Seen};

use super::{EAST, Sim};
use crate::edge::{Fault, Shared, is_canary, key};
use crate::mutants::Mutant;

/// Of so many incidents one has a barrier: this one of them, for others have two edges.
const WALLS: (u64, u64) = (3, 1);

/// Longer than a barrier without a socket takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// That edge, what it was last told to hold, and when the one in front of it really showed each
/// site dark.
pub(super) struct Wall {
    pub(super) edge: Shared,
    told: GateSet,
    seen_dark: BTreeMap<GateKey, i64>,
}

impl Wall {
    /// It stands behind the edge of this seed, or none does.
    pub(super) fn of(seed: u64, mutant: Mutant) -> Option<Self> {
        let edge = Shared::default();
        edge.lock().has_record = mutant != Mutant::WallForgets;
        let (told, seen_dark) = (GateSet::new(), BTreeMap::new());
        (seed % WALLS.0 == WALLS.1).then_some(Self { edge, told, seen_dark })
    }
}

impl Sim {
    /// The loop of a controller that begins is told what the journal knows of the barrier.
    pub(super) fn give_wall(&mut self) {
        let Some(wall) = &self.wall else { return };
        let known = self.ledger.barred("east").map(|it| it.sites.iter().cloned().collect());
        let (driver, known) = (Box::new(wall.edge.clone()), known.unwrap_or_default());
        self.edge_loop.set_barrier("wall", driver, known, PATIENT).unwrap();
    }

    /// What comes after a round whose entries are in the journal.
    pub(super) fn tend_wall(&mut self, wants: &[Want], round: &Round) {
        let (now_ms, front) = (self.steady_ms(), self.edge.clone());
        let Some(wall) = &mut self.wall else { return };
        let is_dark = |site: &GateKey| front.lock().serves(site) == Seen::Dark;
        let dark = EAST.iter().map(|name| key(name)).filter(is_dark);
        wall.seen_dark.extend(dark.map(|site| (site, now_ms)));
        if self.mutant == Mutant::WallIgnored {
            return;
        }
        let (ledger, mutant, now) = (&self.ledger, self.mutant, self.now());
        let permits = |site: &GateKey| mutant.permits(ledger, site, now);
        let now_ms = self.time();
        let barred = self.edge_loop.tend_barrier(wants, self.epoch, now_ms, &permits, round);
        self.check_wall();
        if let Some(entry) = barred {
            self.tell("", &entry);
        }
    }

    /// (m) and (b): what our hand did to the barrier since it was last asked. What it was told to
    /// open before, and did not although it said so, is not opened by the next order.
    fn check_wall(&mut self) {
        let Some(wall) = &mut self.wall else { return };
        let told = wall.edge.lock().told.clone();
        let told = std::mem::replace(&mut wall.told, told);
        let Some(wall) = &self.wall else { return };
        let (opened, touched) = {
            let mut edge = wall.edge.lock();
            let calls = std::mem::take(&mut edge.calls);
            self.say(|| format!("barrier: {calls:?}"));
            let effects = (std::mem::take(&mut edge.opened), edge.touched.clone());
            edge.forget_effects();
            effects
        };
        let (now, now_ms) = (self.now(), self.steady_ms());
        let was_dark =
            |site: &GateKey| wall.seen_dark.get(site).is_some_and(|at| now_ms - at < PROOF_TTL_MS);
        let is_held = |site: &GateKey| self.is_restored && wall.edge.lock().is_held(site);
        let opened = opened.iter().filter(|site| told.contains(*site) && !was_dark(site));
        let rash = opened.filter_map(|site| self.oracle.cleared(site, now).err()).next();
        let strange = touched
            .iter()
            .find(|site| !is_canary(site) && !self.oracle.is_concerned(site) && !is_held(site))
            .cloned();
        if let Some(why) = rash {
            self.blame(|| format!("(m) the barrier opened {why}"));
        }
        if let Some(site) = strange {
            self.blame(|| format!("(b) {site} is in no incident and was touched at the barrier"));
        }
    }

    /// (m) and (c), once faults have stopped: it holds what the edge shows although it is wanted
    /// dark, and nothing that is clear.
    pub(super) fn check_wall_at_the_end(&mut self, site: &GateKey, light: Light, is_clear: bool) {
        let Some(wall) = &self.wall else { return };
        let (shown, front) = (wall.edge.lock().serves(site), self.edge.lock().serves(site));
        if light == Light::Dark && front == Seen::Lit && shown != Seen::Dark {
            self.blame(|| format!("(m) {site} is wanted dark, and no barrier holds it"));
        }
        if is_clear && shown == Seen::Dark {
            self.blame(|| format!("(c) {site} is clear, and the barrier holds it"));
        }
    }

    /// It fails like any other edge.
    pub(super) fn break_wall(&mut self) {
        let site = key(EAST[self.later.below(EAST.len())]);
        let faults = [Fault::Before, Fault::HalfWay, Fault::After, Fault::Lie, Fault::None];
        let next = [(); 4].map(|()| *self.later.pick(&faults));
        let what = self.later.below(8);
        self.say(|| format!("trouble {what} at the barrier, {site}"));
        let Some(wall) = &self.wall else { return };
        let mut edge = wall.edge.lock();
        match what {
            0 => edge.is_unreachable = !edge.is_unreachable,
            1 => edge.take_away(&site),
            2..4 => edge.heal(),
            _ => edge.faults = next.into(),
        }
    }

    /// Everything that fails at it stops failing, and a person opens what nothing explains.
    pub(super) fn mend_wall(&mut self) {
        let Some(wall) = &self.wall else { return };
        let mut edge = wall.edge.lock();
        edge.heal();
        edge.faults.clear();
        let strange: GateSet =
            edge.own.iter().filter(|site| !self.oracle.is_explained(site)).cloned().collect();
        for site in &strange {
            edge.own.remove(site);
            edge.take_away(site);
        }
    }
}
