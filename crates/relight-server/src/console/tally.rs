//! Counts of one version of the board: the nine states, the sectors, and what people read of them.

use std::sync::{Arc, Mutex, PoisonError};

use relight_engine::live::BoardSite;
use relight_model::{DisplayState, Timestamp};
use relight_web::views::{Counts, LegendEntry, SectorRow};
use relight_web::{Lang, number, texts, words};

/// Where one sector stands on the wall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sector {
    /// Its code.
    pub(crate) code: String,
    /// Ordinal of its first site.
    pub(crate) from: usize,
    /// How many sites it has.
    pub(crate) count: usize,
}

/// The sites that were last asked about, and their sectors: every counter of every stream needs
/// them, and sites seldom change.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    sites: Arc<[BoardSite]>,
    sectors: Arc<[Sector]>,
}

impl Known {
    /// The sectors of these sites.
    pub(crate) fn of(&self, sites: &Arc<[BoardSite]>) -> Arc<[Sector]> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&last.sites, sites) {
            *last = Last { sites: Arc::clone(sites), sectors: sectors(sites).into() };
        }
        Arc::clone(&last.sectors)
    }
}

/// The sectors of a board, biggest first; their sites stand side by side in the board's order.
pub(crate) fn sectors(sites: &[BoardSite]) -> Vec<Sector> {
    let mut sectors: Vec<Sector> = Vec::new();
    for (at, site) in sites.iter().enumerate() {
        match sectors.last_mut() {
            Some(sector) if sector.code == site.sector => sector.count += 1,
            _ => sectors.push(Sector { code: site.sector.clone(), from: at, count: 1 }),
        }
    }
    sectors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    sectors
}

/// How many sites are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally([usize; DisplayState::ALL.len()]);

impl Tally {
    /// Counts `states`.
    pub(crate) fn of(states: &[DisplayState]) -> Self {
        let mut tally = Self::default();
        for state in states {
            for (count, known) in tally.0.iter_mut().zip(DisplayState::ALL) {
                *count += usize::from(known == *state);
            }
        }
        tally
    }

    /// Sites in one state.
    pub(crate) fn count(&self, state: DisplayState) -> usize {
        DisplayState::ALL.iter().zip(self.0).filter(|(s, _)| **s == state).map(|(_, n)| n).sum()
    }

    /// Every site.
    pub(crate) fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Seen lit: a site asked to go dark counts as lit until it is proven dark.
    pub(crate) fn lit(&self) -> usize {
        use DisplayState::{DarkRequested, Exposed, Online, RelitFixed};
        [DarkRequested, Exposed, RelitFixed, Online].map(|s| self.count(s)).iter().sum()
    }

    /// Proven dark.
    pub(crate) fn dark(&self) -> usize {
        self.total() - self.lit()
    }

    /// Affected, and the fix is not verified yet.
    pub(crate) fn todo(&self) -> usize {
        use DisplayState::{Affected, Exposed, Fixing, Verifying};
        [Exposed, Affected, Fixing, Verifying].map(|s| self.count(s)).iter().sum()
    }

    /// Exposed, or a dark order without proof.
    pub(crate) fn alarm(&self) -> usize {
        self.count(DisplayState::Exposed) + self.count(DisplayState::DarkRequested)
    }
}

/// What the incident screen shows of `states`; `opened` is `None` without an incident.
pub(crate) fn counts(
    lang: Lang,
    sectors: &[Sector],
    states: &[DisplayState],
    opened: Option<Timestamp>,
    now: Timestamp,
) -> Counts {
    let tally = Tally::of(states);
    let text = |count: usize| number::Number::from(count).text(lang);
    let entry = |state: DisplayState| LegendEntry {
        letter: state.letter(),
        word: words::state(lang, state),
        count: text(tally.count(state)),
    };
    // Lit states first, then dark ones from the nearest to being lit again to the farthest.
    let mut order = DisplayState::ALL;
    order[..4].reverse();
    Counts {
        since: opened
            .map(|at| texts::console_since(lang, &elapsed(lang, now - at)))
            .unwrap_or_default(),
        lit: text(tally.lit()),
        dark: text(tally.dark()),
        todo: text(tally.todo()),
        share: number::percent(lang, tally.lit() as u64, tally.total() as u64),
        alarm: text(tally.alarm()),
        alarmed: tally.alarm() > 0,
        legend: order.map(entry).into(),
        sectors: sectors.iter().map(|sector| row(lang, sector, states)).collect(),
        summary: texts::live_summary(lang, tally.dark(), tally.lit()),
        alarm_sentence: texts::live_alarm(lang, tally.alarm()),
    }
}

fn row(lang: Lang, sector: &Sector, states: &[DisplayState]) -> SectorRow {
    let tally = Tally::of(states.get(sector.from..sector.from + sector.count).unwrap_or_default());
    let name = words::sector(lang, &sector.code).to_owned();
    let text = |count: usize| number::Number::from(count).text(lang);
    let permille = |part: usize| part * 1000 / sector.count.max(1);
    SectorRow {
        code: sector.code.clone(),
        from: sector.from,
        count: sector.count,
        text: format!("{} / {}", text(tally.lit()), text(sector.count)),
        sentence: texts::sectors_sentence(
            lang,
            tally.dark(),
            tally.lit(),
            &name,
            sector.count,
            tally.todo(),
        ),
        name,
        lit_permille: permille(tally.lit()),
        todo_permille: permille(tally.todo()),
    }
}

/// A duration in whole hours, below one hour in minutes.
pub(super) fn elapsed(lang: Lang, seconds: i64) -> String {
    let minutes = u64::try_from(seconds / 60).unwrap_or(0);
    if minutes < 60 {
        texts::duration_minutes(lang, minutes)
    } else {
        texts::duration_hours(lang, minutes / 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(sector: &str, slug: usize) -> BoardSite {
        BoardSite {
            sector: sector.into(),
            organisation: "o".into(),
            slug: format!("{slug:04}"),
            name_fr: String::new(),
            name_en: String::new(),
            public: true,
            channel: Default::default(),
        }
    }

    #[test]
    fn counts_sum_to_the_total_for_any_mixture() {
        let mut rng = testkit::Rng::new(7);
        let sites: Vec<BoardSite> =
            (0..300).map(|at| site(["a", "b", "c"][at / 100], at)).collect();
        for _ in 0..200 {
            let states: Vec<DisplayState> =
                sites.iter().map(|_| DisplayState::ALL[rng.below(9)]).collect();
            let tally = Tally::of(&states);
            assert_eq!(tally.lit() + tally.dark(), sites.len());
            let counts = counts(Lang::En, &sectors(&sites), &states, None, 0);
            let sum: usize = counts.legend.iter().map(|e| e.count.parse::<usize>().unwrap()).sum();
            assert_eq!(sum, sites.len());
            let lit: usize = counts
                .sectors
                .iter()
                .map(|row| row.text.split(" / ").next().unwrap().parse::<usize>().unwrap())
                .sum();
            assert_eq!(lit, tally.lit());
            assert_eq!(counts.lit, tally.lit().to_string());
        }
    }

    #[test]
    fn a_dark_order_is_lit_until_proven_and_raises_the_alarm() {
        let tally = Tally::of(&[DisplayState::DarkRequested, DisplayState::Dark]);
        assert_eq!((tally.lit(), tally.dark(), tally.todo(), tally.alarm()), (1, 1, 0, 1));
        let tally = Tally::of(&[DisplayState::Exposed, DisplayState::Fixing]);
        assert_eq!((tally.lit(), tally.dark(), tally.todo(), tally.alarm()), (1, 1, 2, 1));
        assert_eq!(Tally::of(&[DisplayState::Online]).alarm(), 0);
    }

    #[test]
    fn sectors_stand_where_the_board_puts_them() {
        let sites: Vec<BoardSite> = [("a", 0), ("b", 1), ("b", 2)].map(|(c, n)| site(c, n)).into();
        let expected = [("b", 1, 2), ("a", 0, 1)];
        let seen = sectors(&sites);
        let seen: Vec<_> = seen.iter().map(|s| (s.code.as_str(), s.from, s.count)).collect();
        assert_eq!(seen, expected);
        assert_eq!(sectors(&[]), []);
    }

    #[test]
    fn durations() {
        assert_eq!(elapsed(Lang::En, 59), "0 min");
        assert_eq!(elapsed(Lang::En, 3599), "59 min");
        assert_eq!(elapsed(Lang::Fr, 31 * 3600 + 5), "31\u{a0}h");
        assert_eq!(elapsed(Lang::En, -5), "0 min");
    }
}
