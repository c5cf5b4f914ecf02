//! Relight by waves: one canary, then 5 %, 25 % and all, the most critical first; more than one
//! site in a hundred that does not come back stops the rest (INCIDENT 4, I8).

use std::collections::VecDeque;

use relight_model::{GateKey, Light, Timestamp};

use crate::incident::{Gate, Incident, Phase};
use crate::plan::PlanSite;

/// How much of a plan is open after each wave that follows the canary, in percent.
const WAVE_PERCENTS: [usize; 3] = [5, 25, 100];

/// Most sites in one wave: the herd that comes back at once to one edge.
pub const WAVE_SITES_MAX: usize = 1_000;

/// Sites that may fail to come back before the rest stays dark, in percent of those opened.
pub const WAVE_ERRORS_PERCENT_MAX: usize = 1;

/// Sites that come back without a person go on their way together, at first.
pub const AUTO_FIRST_MAX: usize = 10;

/// Of those that came back, so many times as many may be on their way: 10, 40, 200, and all.
const AUTO_GROWTH: usize = 4;

/// So many in vain, and more than one in a hundred: nothing more comes back without a person. Fewer
/// are the trouble of those sites and no reason to keep others dark.
pub const AUTO_VAIN_MAX: usize = 10;

/// How the sites, or parts of sites, that relight opens by itself are doing in one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Automatic {
    /// So many more may be opened now.
    Room(usize),
    /// Too many did not come back: these wait for a person.
    Stopped(usize),
}

impl Automatic {
    /// What the journal of an incident means for the next site.
    pub fn of(incident: &Incident) -> Self {
        let mut tally = Tally::default();
        for case in incident.cases().values() {
            match case.phase {
                Phase::RelitProven => tally.back += 1,
                Phase::Relighting => tally.under_way += 1,
                Phase::RelightEligible if case.stopped > 0 => tally.vain += 1,
                // It waits for a person, however the others are doing.
                Phase::RelightEligible if case.is_left => {}
                Phase::RelightEligible => tally.waiting += 1,
                _ => {}
            }
        }
        tally.next()
    }

    /// The same of parts of sites. What evidence calls clear at this instant waits.
    pub fn of_parts(incident: &Incident, now: Timestamp) -> Self {
        let waiting = incident.parts_cleared(now).len();
        let mut tally = Tally { waiting, ..Tally::default() };
        for part in incident.parts().values() {
            match (part.light, part.gate) {
                (Light::Lit, Gate::Open) => tally.back += 1,
                (Light::Lit, _) => tally.under_way += 1,
                (Light::Dark, _) if part.stopped > 0 => tally.vain += 1,
                (Light::Dark, _) => {}
            }
        }
        tally.next()
    }

    /// How many wait for a person because others did not come back.
    pub const fn waiting(self) -> usize {
        match self {
            Self::Room(_) => 0,
            Self::Stopped(waiting) => waiting,
        }
    }
}

/// How what comes back without a person did so far.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    back: usize,
    under_way: usize,
    vain: usize,
    waiting: usize,
}

impl Tally {
    fn next(self) -> Automatic {
        let Self { back, under_way, vain, waiting } = self;
        if vain >= AUTO_VAIN_MAX && vain * 100 > (back + vain) * WAVE_ERRORS_PERCENT_MAX {
            return Automatic::Stopped(waiting);
        }
        let together = (back * AUTO_GROWTH).clamp(AUTO_FIRST_MAX, WAVE_SITES_MAX);
        Automatic::Room(together.saturating_sub(under_way))
    }
}

/// The waves of one plan, and how it went so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves {
    waiting: VecDeque<Vec<GateKey>>,
    opened: usize,
    failed: usize,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Open these.
    Wave(Vec<GateKey>),
    /// Everything was opened.
    Done,
    /// Too many did not come back: these stay dark.
    Stopped(Vec<GateKey>),
}

impl Waves {
    /// The waves of these sites.
    pub fn new(sites: &[PlanSite]) -> Self {
        let mut sites: Vec<&PlanSite> = sites.iter().collect();
        sites.sort_by(|a, b| (a.criticality, &a.site).cmp(&(b.criticality, &b.site)));
        let keys: Vec<GateKey> = sites.into_iter().map(|site| site.site.clone()).collect();
        let mut waiting = VecDeque::new();
        let mut at = 0;
        let ends = WAVE_PERCENTS.map(|percent| (keys.len() * percent).div_ceil(100));
        for end in std::iter::once(keys.len().min(1)).chain(ends) {
            for wave in keys[at..end.max(at)].chunks(WAVE_SITES_MAX) {
                waiting.push_back(wave.to_vec());
            }
            at = end.max(at);
        }
        Self { waiting, opened: 0, failed: 0 }
    }

    /// The sizes of the waves that are left.
    pub fn sizes(&self) -> Vec<usize> {
        self.waiting.iter().map(Vec::len).collect()
    }

    /// Says how the wave before went.
    pub fn tell(&mut self, opened: usize, failed: usize) {
        self.opened += opened;
        self.failed += failed;
    }

    /// What to do now.
    pub fn step(&mut self) -> Next {
        if self.failed * 100 > self.opened * WAVE_ERRORS_PERCENT_MAX {
            let left: Vec<GateKey> = self.waiting.drain(..).flatten().collect();
            return if left.is_empty() { Next::Done } else { Next::Stopped(left) };
        }
        self.waiting.pop_front().map_or(Next::Done, Next::Wave)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(count: usize) -> Vec<PlanSite> {
        let site = |number: usize| PlanSite {
            site: GateKey::new(&format!("s{number:05}")).unwrap(),
            edge: "east".into(),
            verdict: "clear".into(),
            criticality: u8::try_from(1 + number % 4).unwrap(),
            org: String::new(),
        };
        (0..count).map(site).collect()
    }

    fn run(waves: &mut Waves, failing: usize) -> (usize, Option<usize>) {
        let (mut opened, mut failures) = (0, failing);
        loop {
            match waves.step() {
                Next::Wave(wave) => {
                    let failed = failures.min(wave.len());
                    failures -= failed;
                    opened += wave.len();
                    waves.tell(wave.len(), failed);
                }
                Next::Done => return (opened, None),
                Next::Stopped(left) => return (opened, Some(left.len())),
            }
        }
    }

    #[test]
    fn a_canary_then_five_then_twenty_five_then_all() {
        assert_eq!(Waves::new(&sites(100)).sizes(), [1, 4, 20, 75]);
        assert_eq!(Waves::new(&sites(1)).sizes(), [1]);
        assert_eq!(Waves::new(&sites(0)).sizes(), [0; 0]);
        let large = Waves::new(&sites(4_000)).sizes();
        assert_eq!(large, [1, 199, 800, 1_000, 1_000, 1_000]);
        assert_eq!(large.iter().sum::<usize>(), 4_000);
        assert!(large.iter().all(|size| *size <= WAVE_SITES_MAX));
    }

    #[test]
    fn the_most_critical_come_first() {
        let Next::Wave(first) = Waves::new(&sites(100)).step() else { panic!("no wave") };
        assert_eq!(first[0].as_str(), "s00000");
        let mut waves = Waves::new(&sites(100));
        waves.step();
        let Next::Wave(second) = waves.step() else { panic!("no wave") };
        assert!(second.iter().all(|key| key.as_str()[1..].parse::<usize>().unwrap() % 4 == 0));
    }

    #[test]
    fn more_than_one_in_a_hundred_stops_the_rest() {
        assert_eq!(run(&mut Waves::new(&sites(100)), 0), (100, None));
        assert_eq!(run(&mut Waves::new(&sites(100)), 1), (1, Some(99)), "the canary failed");
        let mut waves = Waves::new(&sites(400));
        for _ in 0..3 {
            let Next::Wave(wave) = waves.step() else { panic!("no wave") };
            waves.tell(wave.len(), 0);
        }
        waves.tell(0, 1);
        assert!(matches!(waves.step(), Next::Wave(_)), "one of a hundred is no more than one");
        waves.tell(0, 1);
        assert_eq!(waves.step(), Next::Done, "nothing is left to stop");
    }
}
