//! Relight by waves: one canary, then 5 %, 25 % and all, the most critical first; more than one
//! site in a hundred that does not come back stops the rest (INCIDENT 4, I8).

use std::collections::{BTreeMap, VecDeque};

use relight_model::{GateKey, Light, Timestamp};

use crate::incident::{Gate, Incident, Phase};
use crate::plan::PlanSite;

/// How much of a plan is open after each wave that follows the canary, in percent.
const WAVE_PERCENTS: [usize; 3] = [5, 25, 100];

/// Most sites in one wave: the herd that comes back at once to one edge.
pub const WAVE_SITES_MAX: usize = 1_000;

/// Sites that may fail to come back before the rest stays dark, in percent of those opened.
pub const WAVE_ERRORS_PERCENT_MAX: usize = 1;

/// Sites behind one edge that come back without a person go on their way together, at first.
pub const AUTO_FIRST_MAX: usize = 10;

/// Of those that came back, so many times as many may be on their way: 10, 40, 200, and all.
const AUTO_GROWTH: usize = 4;

/// So many in vain behind one edge, and more than one in a hundred: nothing more comes back there
/// without a person. Fewer are the trouble of those sites and no reason to keep others dark.
pub const AUTO_VAIN_MAX: usize = 10;

/// Edges behind which something goes on its way before anything came back anywhere. So many in
/// vain by then, and nothing more comes back without a person: the trouble is not of one edge.
pub const AUTO_FIRST_EDGES_MAX: usize = 10;

/// How the sites, or parts of sites, that relight opens by itself in one incident are doing behind
/// each edge. One that is dead is no reason to keep dark what stands behind another.
#[derive(Clone, Debug, Default)]
pub struct Herds<'a>(BTreeMap<&'a str, Herd>);

impl<'a> Herds<'a> {
    /// What the journal of an incident means for its sites.
    pub fn of_sites(incident: &Incident, edge_of: impl Fn(&GateKey) -> &'a str) -> Self {
        Self::of_sites_but(incident, edge_of, |_| false)
    }

    /// The same for whoever opens more of them: one on its way that is shut all the same, because
    /// another incident keeps it so, takes nobody's place.
    pub(crate) fn of_sites_but(
        incident: &Incident,
        edge_of: impl Fn(&GateKey) -> &'a str,
        is_shut: impl Fn(&GateKey) -> bool,
    ) -> Self {
        let mut herds = Self::default();
        for (key, case) in incident.cases() {
            let herd = herds.at(edge_of(key));
            match case.phase {
                Phase::RelitProven => herd.back += 1,
                Phase::Relighting if is_shut(key) => {}
                Phase::Relighting => herd.under_way += 1,
                Phase::RelightEligible if case.stopped > 0 => herd.vain += 1,
                // It waits for a person, however the others are doing.
                Phase::RelightEligible if case.is_left => {}
                Phase::RelightEligible => herd.waiting += 1,
                _ => {}
            }
        }
        herds
    }

    /// The same of parts of sites. What evidence calls clear at this instant waits.
    pub fn of_parts(
        incident: &Incident,
        now: Timestamp,
        edge_of: impl Fn(&GateKey) -> &'a str,
    ) -> Self {
        Self::of_parts_but(incident, now, edge_of, |_| false)
    }

    /// The same for whoever opens more of them; `is_shut` is asked about the gate key of a part.
    pub(crate) fn of_parts_but(
        incident: &Incident,
        now: Timestamp,
        edge_of: impl Fn(&GateKey) -> &'a str,
        is_shut: impl Fn(&GateKey) -> bool,
    ) -> Self {
        let mut herds = Self::default();
        for part in incident.parts_cleared(now) {
            herds.at(edge_of(&part.site)).waiting += 1;
        }
        for (key, part) in incident.parts() {
            let herd = herds.at(edge_of(&part.name.site));
            match (part.light, part.gate) {
                (Light::Lit, Gate::Open) => herd.back += 1,
                (Light::Lit, _) if is_shut(key) => {}
                (Light::Lit, _) => herd.under_way += 1,
                (Light::Dark, _) if part.stopped > 0 => herd.vain += 1,
                (Light::Dark, _) => {}
            }
        }
        herds
    }

    fn at(&mut self, edge: &'a str) -> &mut Herd {
        self.0.entry(edge).or_default()
    }

    /// One more behind this edge may go on its way, and does.
    pub(crate) fn admit(&mut self, edge: &'a str) -> bool {
        let is_free = !self.is_stopped(edge) && self.has_room_for(edge);
        let herd = self.at(edge);
        let is_free = is_free && herd.under_way < herd.together();
        herd.under_way += usize::from(is_free);
        is_free
    }

    /// Too many behind this edge did not come back, or behind too many edges: the others wait for a
    /// person.
    pub fn is_stopped(&self, edge: &str) -> bool {
        let is_nowhere = !self.is_any_back() && self.edges(|herd| herd.vain > 0);
        is_nowhere || self.0.get(edge).is_some_and(Herd::is_stopped)
    }

    /// Until something came back, only the first edges are tried.
    fn has_room_for(&self, edge: &str) -> bool {
        let is_tried = |herd: &Herd| herd.under_way + herd.vain > 0;
        self.is_any_back() || self.0.get(edge).is_some_and(is_tried) || !self.edges(is_tried)
    }

    fn is_any_back(&self) -> bool {
        self.0.values().any(|herd| herd.back > 0)
    }

    /// Whether this is so of [`AUTO_FIRST_EDGES_MAX`] edges.
    fn edges(&self, is_so: impl Fn(&Herd) -> bool) -> bool {
        self.0.values().filter(|herd| is_so(herd)).count() >= AUTO_FIRST_EDGES_MAX
    }

    /// How many wait for a person because others did not come back behind their edge, or behind
    /// the first edges.
    pub fn waiting(&self) -> usize {
        let stopped = self.0.iter().filter(|(edge, _)| self.is_stopped(edge));
        stopped.map(|(_, herd)| herd.waiting).sum()
    }
}

/// How what comes back without a person behind one edge did so far.
#[derive(Clone, Copy, Debug, Default)]
struct Herd {
    back: usize,
    under_way: usize,
    vain: usize,
    waiting: usize,
}

impl Herd {
    fn is_stopped(&self) -> bool {
        let tried = self.back + self.vain;
        self.vain >= AUTO_VAIN_MAX && self.vain * 100 > tried * WAVE_ERRORS_PERCENT_MAX
    }

    /// How many may be on their way at once.
    fn together(&self) -> usize {
        (self.back * AUTO_GROWTH).clamp(AUTO_FIRST_MAX, WAVE_SITES_MAX)
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
        let Some(mut wave) = self.waiting.pop_front() else { return Next::Done };
        // Of the canary nothing was opened: another one stands in its place.
        if self.opened == 0 && wave.len() > 1 {
            self.waiting.push_front(wave.split_off(1));
        }
        Next::Wave(wave)
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
            names: Vec::new(),
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
        waves.tell(1, 0);
        let Next::Wave(second) = waves.step() else { panic!("no wave") };
        assert!(second.iter().all(|key| key.as_str()[1..].parse::<usize>().unwrap() % 4 == 0));
    }

    /// Goal: what is wrong with the sites of every body does not open all of them in vain, however
    /// few stand behind each edge; what is wrong with some edges keeps no other from coming back.
    /// Method: thirty edges; nothing has come back, then one site has, then ten edges are dead.
    #[test]
    fn only_the_first_edges_are_tried_before_anything_came_back() {
        let names: Vec<String> = (0..30).map(|number| format!("edge-{number}")).collect();
        fn all<'a>(herds: &mut Herds<'a>, names: &'a [String]) -> usize {
            names.iter().filter(|name| herds.admit(name.as_str())).count()
        }
        let mut herds = Herds::default();
        assert_eq!(all(&mut herds, &names), AUTO_FIRST_EDGES_MAX);
        for herd in herds.0.values_mut().filter(|herd| herd.under_way > 0) {
            (herd.under_way, herd.vain) = (0, 1);
        }
        assert_eq!(all(&mut herds, &names), 0, "nothing came back from ten edges");
        herds.at(names[29].as_str()).waiting = 5;
        assert_eq!(herds.waiting(), 5, "a person decides, also where nothing was tried");
        herds.at(names[0].as_str()).back = 1;
        assert_eq!(all(&mut herds, &names), 30, "one came back: each edge is judged by itself");
    }

    /// Goal: the first that is opened is opened alone. Method: the canary and those after it are
    /// held elsewhere, so that nothing of their waves was opened.
    #[test]
    fn a_canary_that_was_not_opened_is_none() {
        let mut waves = Waves::new(&sites(100));
        for _ in 0..8 {
            assert!(matches!(waves.step(), Next::Wave(wave) if wave.len() == 1));
            waves.tell(0, 0);
        }
        assert!(matches!(waves.step(), Next::Wave(wave) if wave.len() == 1));
        waves.tell(1, 0);
        assert_eq!(waves.sizes(), [16, 75]);
        assert!(matches!(waves.step(), Next::Wave(wave) if wave.len() == 16));
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
