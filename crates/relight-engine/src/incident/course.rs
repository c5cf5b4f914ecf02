//! How an incident goes: how many sites were last seen dark, how many were at most, and at what
//! pace they came back since.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use relight_model::{GateKey, Light, Timestamp};

use super::entry::Entry;
use super::fold::{Incident, PROOF_EXPIRED};

/// Returns that are remembered; the oldest are forgotten first.
const RETURNS_MAX: usize = 100_000;

/// Fewer returns say nothing about a pace.
const RETURNS_MIN: usize = 10;

/// Sites that came back in December 2021, when nothing said which of them could, and in how many
/// hours: about eleven an hour.
pub const THEN: (u64, u64) = (1_044, 94);

/// Sites that went dark and came back, one after the other as the journal has them: two that stand
/// at one second are two turns all the same. It follows from the journal alone, and asks no clock.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Sites whose last proof says dark. Also where it has expired since, so that they count as
    /// exposed; a site that is to be dark and was not proven yet is none of them.
    pub dark: usize,
    /// Most that ever were.
    pub peak: usize,
    /// When so many were, the last time.
    pub peaked: Timestamp,
    /// When sites were proven lit again since the peak, oldest first.
    returns: VecDeque<Timestamp>,
    /// When something was said of the incident, the last time: until then the pace is measured.
    pub until: Timestamp,
}

/// Nothing is decided by it, so that what tells states of an incident apart leaves it out: without
/// that, no two states that were reached on different ways would be one.
impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course").finish_non_exhaustive()
    }
}

impl Course {
    /// Something was said at a time. A clock that was set back turns nothing back.
    pub(super) fn hear(&mut self, at: Timestamp) {
        self.until = self.until.max(at);
    }

    /// So many sites are proven dark that were not.
    pub(super) fn darken(&mut self, sites: usize) {
        self.dark += sites;
        if sites > 0 && self.dark >= self.peak {
            (self.peak, self.peaked) = (self.dark, self.until);
            self.returns.clear();
        }
    }

    /// So many are proven dark no more; those that are proven lit came back.
    pub(super) fn lighten(&mut self, sites: usize, are_back: bool) {
        self.dark = self.dark.saturating_sub(sites);
        if are_back {
            self.returns.extend(std::iter::repeat_n(self.until, sites));
            let over = self.returns.len().saturating_sub(RETURNS_MAX);
            self.returns.drain(..over);
        }
    }

    /// When a site came back, the last time.
    pub fn last_return(&self) -> Option<Timestamp> {
        self.returns.back().copied()
    }

    /// The pace of the last third of the time since the peak, and how many came back in it. `None`
    /// where that says nothing, or where no site is dark.
    pub fn pace(&self) -> Option<Pace> {
        let third = (self.until - self.peaked) / 3;
        let forgotten = self.returns.front().filter(|_| self.returns.len() >= RETURNS_MAX);
        let since = (self.until - third).max(forgotten.copied().unwrap_or(Timestamp::MIN));
        let since = since.min(self.until - 1);
        let recent = self.returns.iter().rev().take_while(|at| **at > since);
        Pace::of(self.dark, recent.count(), self.until - since)
    }

    /// All that is told of it, in times; none where no site was ever proven dark.
    pub fn forecast(&self) -> Option<Forecast> {
        let after = |seconds: u64| self.until.saturating_add_unsigned(seconds);
        let pace = self.pace().map(|pace| Foretold {
            per_hour_tenths: pace.per_hour_tenths,
            none_dark: after(pace.expected_s),
            soonest: after(pace.soonest_s),
            latest: after(pace.latest_s),
        });
        (self.peak > 0).then(|| Forecast {
            dark: self.dark,
            peak: self.peak,
            peaked: self.peaked,
            last_return: self.last_return(),
            pace,
            then: (self.dark > 0).then(|| after(then_s(self.dark))),
        })
    }
}

/// How an incident goes, and what that foretells, by the journal alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Sites whose last proof says dark, also where it has expired.
    pub dark: usize,
    /// Most that were.
    pub peak: usize,
    /// When so many were, the last time.
    pub peaked: Timestamp,
    /// When a site came back, the last time since then.
    pub last_return: Option<Timestamp>,
    /// None where no site is dark, or too few came back to say.
    pub pace: Option<Foretold>,
    /// When none would be dark at the pace of December 2021; none where none is.
    pub then: Option<Timestamp>,
}

/// What a pace foretells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foretold {
    /// Tenths of a site an hour.
    pub per_hour_tenths: u64,
    /// When none would be dark, as the journal has it: that may have passed.
    pub none_dark: Timestamp,
    /// The same, at the soonest.
    pub soonest: Timestamp,
    /// The same, at the latest.
    pub latest: Timestamp,
}

impl Incident {
    /// How many of the sites that an entry is about are proven dark, where it may change that. One
    /// that an entry names twice is one.
    pub(super) fn dark_of(&self, entry: &Entry) -> usize {
        let sites: &[GateKey] = match entry {
            Entry::Proved { sites, .. } | Entry::Drifted { sites, .. } => sites,
            _ => &[],
        };
        let sites: BTreeSet<&GateKey> = sites.iter().collect();
        let cases = sites.into_iter().filter_map(|site| self.cases.get(site));
        cases.filter(|case| case.seen_dark).count()
    }

    /// Notes what an entry changed, before which so many of its sites were proven dark.
    pub(super) fn note_course(&mut self, entry: &Entry, before: usize, now: Timestamp) {
        // That nobody looks is noticed at some time, and said of no site.
        if matches!(entry, Entry::Drifted { what, .. } if what == PROOF_EXPIRED) {
            return;
        }
        let after = self.dark_of(entry);
        self.course.hear(now);
        self.course.darken(after.saturating_sub(before));
        let are_back = matches!(entry, Entry::Proved { light: Light::Lit, .. });
        self.course.lighten(before.saturating_sub(after), are_back);
    }
}

/// How fast sites come back, and when the last one would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Tenths of a site an hour.
    pub per_hour_tenths: u64,
    /// Seconds until none is dark, as is expected.
    pub expected_s: u64,
    /// The same, at the soonest.
    pub soonest_s: u64,
    /// The same, at the latest.
    pub latest_s: u64,
}

impl Pace {
    /// From so many returns in so many seconds. Their number varies by its square root, twice of
    /// which bounds the pace on both sides.
    pub fn of(dark: usize, returns: usize, span_s: i64) -> Option<Self> {
        if dark == 0 || returns < RETURNS_MIN {
            return None;
        }
        let (dark, returns) = (dark as u64, returns as u64);
        let span_s = span_s.max(1).unsigned_abs();
        // In thousandths, so that the root of a small number is not cut to whole returns.
        let (exact, spread) = (returns * 1_000, (4_000_000 * returns).isqrt());
        let until = |thousandths: u64| dark.saturating_mul(span_s * 1_000) / thousandths.max(1);
        Some(Self {
            per_hour_tenths: returns * 36_000 / span_s,
            expected_s: until(exact),
            soonest_s: until(exact + spread),
            latest_s: until(exact - spread),
        })
    }
}

/// Seconds in which so many sites would come back at the pace of December 2021.
pub const fn then_s(dark: usize) -> u64 {
    let (sites, hours) = THEN;
    (dark as u64).saturating_mul(hours * 3_600) / sites
}

/// Tenths of a site an hour in December 2021.
pub const THEN_PER_HOUR_TENTHS: u64 = THEN.0 * 10 / THEN.1;

#[cfg(test)]
mod tests {
    use relight_model::{Digest, Epoch};

    use super::*;

    const HOUR: i64 = 3_600;

    /// So many sites go dark at once; from hour 10 on, two come back an hour, until an hour.
    fn course(sites: usize, hours: i64) -> Course {
        let mut course = Course::default();
        course.hear(0);
        course.darken(sites);
        for half in 0..(hours - 10) * 2 {
            course.hear(10 * HOUR + half * HOUR / 2);
            course.lighten(1, true);
        }
        course.hear(hours * HOUR);
        course
    }

    /// Goal: the pace is that of the last third, with its spread. Method: 100 sites, of which two
    /// come back an hour, after 40 hours, and where there are too few or none is left.
    #[test]
    fn the_pace_is_that_of_the_last_third_since_the_peak() {
        let course = course(100, 40);
        assert_eq!((course.dark, course.peak, course.peaked), (40, 100, 0));
        let pace = course.pace().unwrap();
        assert_eq!((pace.per_hour_tenths, pace.expected_s / 3_600), (19, 20));
        let [soon, late] = [pace.soonest_s, pace.latest_s].map(|s| s / 3_600);
        assert_eq!((soon, late), (14, 33), "26 returns, give or take 10");
        let told = course.forecast().unwrap();
        let foretold = told.pace.unwrap();
        let times = [foretold.none_dark, foretold.soonest, foretold.latest];
        assert_eq!(times.map(|at| at / HOUR - 40), [20, 14, 33], "from the newest entry on");
        assert_eq!((told.dark, told.peak, told.last_return), (40, 100, course.last_return()));
        assert_eq!(told.then, Some(40 * HOUR + 40 * 94 * HOUR / 1_044));
        let over = super::tests::course(60, 40).forecast().unwrap();
        assert_eq!((over.pace, over.then), (None, None), "none is dark");
        assert_eq!(Course::default().forecast(), None, "none ever was");
        assert_eq!(super::tests::course(100, 14).pace(), None, "too few returns");
        assert_eq!(super::tests::course(60, 40).pace(), None, "none is dark");
        assert_eq!(then_s(1_044), 94 * 3_600);
        assert_eq!(THEN_PER_HOUR_TENTHS, 111);
    }

    /// Goal: the peak is that of the journal, at whatever second its turns stand. Method: the same
    /// turns once within one second and once within an hour; one that comes back is dark again.
    #[test]
    fn turns_of_one_second_are_turns_all_the_same() {
        for step in [0, 60] {
            let mut course = Course::default();
            let turn = |course: &mut Course, at: i64, darkens: bool| {
                course.hear(at * step);
                if darkens { course.darken(1) } else { course.lighten(1, true) }
            };
            for (at, darkens) in (0..).zip([true, true, true, false, false, true, true, false]) {
                turn(&mut course, at, darkens);
            }
            let seen = (course.dark, course.peak, course.peaked, course.returns.len());
            assert_eq!(seen, (2, 3, 6 * step, 1), "the newest of the same peaks counts");
            assert_eq!(course.last_return(), Some(7 * step));
        }
    }

    #[test]
    fn what_drifted_is_dark_no_more_and_did_not_come_back_and_clocks_turn_nothing_back() {
        let mut course = Course::default();
        course.hear(100);
        course.darken(3);
        course.lighten(1, false);
        assert_eq!((course.dark, course.last_return()), (2, None));
        course.hear(50);
        course.lighten(1, true);
        assert_eq!((course.until, course.last_return()), (100, Some(100)));
    }

    #[test]
    fn the_oldest_returns_are_forgotten_and_the_pace_is_that_of_the_others() {
        let mut course = Course::default();
        course.hear(0);
        course.darken(2 * RETURNS_MAX);
        for (at, sites) in [(HOUR, RETURNS_MAX / 2), (2 * HOUR, RETURNS_MAX)] {
            course.hear(at);
            course.lighten(sites, true);
        }
        assert_eq!(
            (course.returns.len(), course.returns.front()),
            (RETURNS_MAX, Some(&(2 * HOUR)))
        );
        course.hear(2 * HOUR + 1);
        course.lighten(10, true);
        let pace = course.pace().unwrap();
        assert_eq!(pace.per_hour_tenths, 360_000, "ten in the last second, which are known");
    }

    /// Goal: a site is one site, however often an entry names it. Method: one that is named twice
    /// where it is ordered and where it is proven.
    #[test]
    fn a_site_that_is_named_twice_is_one() {
        let opened = Entry::Opened {
            question: "CVE-2021-44228".into(),
            title: "Log4Shell".into(),
            revision: Digest::default(),
            statements: Digest::default(),
            policy: String::new(),
        };
        let mut incident = Incident::open(&opened, 0, 1).unwrap();
        let sites = vec![GateKey::new("a").unwrap(); 2];
        let (plan, reason) = (Digest::default(), "test".into());
        incident.apply(&Entry::DarkOrdered { plan, sites: sites.clone(), reason }, 1).unwrap();
        let (light, epoch) = (Light::Dark, Epoch::default());
        incident.apply(&Entry::Proved { sites, light, edge: "e".into(), epoch }, 2).unwrap();
        assert_eq!((incident.course.dark, incident.course.peak), (1, 1));
    }
}
