//! The burn-down: how many sites were proven dark, from the first one until now, and how long it
//! takes at the present pace.

use relight_engine::incident::{Pace, THEN};
use relight_engine::live::Proofs;
use relight_model::Timestamp;
use relight_web::burn_views::{BurnDown, BurnEvent};
use relight_web::{Lang, Number, number, texts};

/// Left, right, top and bottom of the drawing in the chart's own units.
const FRAME: [f64; 4] = [44.0, 422.0, 10.0, 130.0];

/// Points of the line: more cannot be told apart.
const POINTS_MAX: usize = 120;

/// Rows of the table of numbers.
const NUMBERS_MAX: usize = 12;

/// A site that went dark or came back.
type Turn = (Timestamp, i64);

/// The number of dark sites after each change, oldest first.
fn counts(proofs: &Proofs, opened: Timestamp) -> Vec<(Timestamp, i64)> {
    let past = proofs.past.iter().filter(|outage| outage.to >= opened);
    let over = past.flat_map(|outage| [(outage.from, 1), (outage.to, -1)]);
    let dark = proofs.dark_since.iter().flatten().map(|from| (*from, 1));
    let mut turns: Vec<Turn> = over.chain(dark).collect();
    turns.sort_unstable();
    let mut counts: Vec<(Timestamp, i64)> = Vec::new();
    let mut count = 0;
    for (at, change) in turns {
        count += change;
        match counts.last_mut() {
            Some((last, same)) if *last == at => *same = count,
            _ => counts.push((at, count)),
        }
    }
    counts
}

/// From the returns of the last third of the time since the peak.
fn pace(counts: &[(Timestamp, i64)], now: Timestamp) -> Option<Pace> {
    let peak = counts.iter().max_by_key(|(at, count)| (*count, *at))?;
    let dark = counts.last().map(|(_, count)| *count)?;
    let since = (now - (now - peak.0) / 3).min(now - 1);
    let pairs = counts.windows(2).filter(|pair| pair[1].0 > since);
    let returns: i64 = pairs.map(|pair| (pair[0].1 - pair[1].1).max(0)).sum();
    let [dark, returns] = [dark, returns].map(|count| usize::try_from(count).unwrap_or_default());
    Pace::of(dark, returns, now - since)
}

/// Hours until none is dark: expected, soonest, latest.
fn hours(pace: &Pace) -> [f64; 3] {
    let all = [pace.expected_s, pace.soonest_s, pace.latest_s];
    all.map(|seconds| Number::from(seconds).as_f64() / 3_600.0)
}

/// Counts and seconds are far below 2^52, so nothing is lost.
fn float(number: i64) -> f64 {
    Number::from(number.unsigned_abs()).as_f64()
}

/// The chart at a time; empty while no site was proven dark.
pub(crate) fn chart(lang: Lang, proofs: &Proofs, opened: Timestamp, now: Timestamp) -> BurnDown {
    let counts = counts(proofs, opened);
    let peak = counts.iter().map(|(_, count)| *count).max();
    let Some(((first, _), peak)) = counts.first().zip(peak) else {
        // The texts have their places already, so that a page can fill them later.
        let [left, _, _, bottom] = FRAME;
        return BurnDown {
            rows: vec![(bottom, String::new()); 3],
            columns: vec![(left, String::new()); 5],
            ..BurnDown::default()
        };
    };
    let first = *first;
    let dark = counts.last().map_or(0, |(_, count)| *count);
    let pace = pace(&counts, now);
    // The projection gets room, but never more than twice what has been.
    let been = float((now - first).max(1));
    let ahead = pace.map_or(0.0, |it| (hours(&it)[2] * 3_600.0).min(been * 2.0));
    let plot = Plot { first, span: been + ahead, top: float(peak.max(1)) };
    let text = |count: i64| Number::from(count.unsigned_abs()).text(lang);
    let sentence = match pace {
        Some(pace) => forecast(lang, (dark, peak), been / 3_600.0, &pace),
        None => texts::burn_sentence(lang, dark.unsigned_abs(), peak.unsigned_abs()),
    };
    BurnDown {
        pace: pace.map(|pace| told(lang, &pace)).unwrap_or_default(),
        sentence,
        line: plot.steps(&counts, now, false),
        area: plot.steps(&counts, now, true),
        ahead: pace.map(|it| plot.ahead(now, dark, &hours(&it)[..1])).unwrap_or_default(),
        band: pace.map(|it| plot.ahead(now, dark, &hours(&it)[1..])).unwrap_or_default(),
        then: plot.then(&counts, peak),
        rows: [peak, peak / 2, 0].map(|count| (plot.y(count), text(count))).into(),
        columns: plot.columns(lang),
        events: events(lang, &counts, opened, &plot),
        numbers: thin(&counts, NUMBERS_MAX)
            .map(|(at, count)| (number::rfc3339(*at), number::stamp(lang, *at), text(*count)))
            .collect(),
    }
}

/// What happened on the way, by its times: the incident was opened, most sites were dark, the first
/// one came back.
fn events(
    lang: Lang,
    counts: &[(Timestamp, i64)],
    opened: Timestamp,
    plot: &Plot,
) -> Vec<BurnEvent> {
    let peak = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    let most = counts.iter().find(|(_, count)| *count == peak);
    let back = counts.windows(2).find(|pair| pair[1].1 < pair[0].1).map(|pair| pair[1]);
    let known = [
        Some((opened, 0, texts::burn_opened(lang).to_owned())),
        most.map(|(at, _)| (*at, peak, texts::burn_most(lang, peak.unsigned_abs()))),
        back.map(|(at, count)| (at, count, texts::burn_back(lang).to_owned())),
    ];
    let mut known: Vec<_> = known.into_iter().flatten().collect();
    known.sort_by_key(|(at, ..)| *at);
    let event = |(number, (at, count, text)): (usize, (Timestamp, i64, String))| BurnEvent {
        x: plot.at(at),
        y: plot.y(count),
        number,
        at: number::rfc3339(at),
        when: number::stamp(lang, at),
        text,
    };
    let mut events: Vec<_> = (1..).zip(known).map(event).collect();
    apart(&mut events);
    events
}

/// Half a number on the line, and what is between two of them.
const MARK: f64 = 9.0;

/// Moves numbers off the axes, and beside those that stand where they would.
fn apart(events: &mut [BurnEvent]) {
    let [left, right, top, bottom] = FRAME;
    for at in 0..events.len() {
        let (before, rest) = events.split_at_mut(at);
        let Some(it) = rest.first_mut() else { return };
        it.x = it.x.clamp(left + MARK, right - MARK);
        it.y = it.y.clamp(top + MARK, bottom - MARK);
        for other in before {
            let is_over = |one: f64, other: f64| (one - other).abs() < 2.0 * MARK;
            if is_over(it.x, other.x) && is_over(it.y, other.y) {
                it.x = (other.x + 2.0 * MARK).min(right - MARK);
            }
        }
    }
}

fn told(lang: Lang, pace: &Pace) -> String {
    let [zero, soon, late] = hours(pace).map(|hours| duration(lang, hours));
    let rate = Number::from(pace.per_hour_tenths).as_f64() / 10.0;
    texts::burn_pace(lang, &zero, &late, &decimal(lang, rate), &soon)
}

/// What the chart shows, with the hour at which no site would be dark, from the first dark one.
fn forecast(lang: Lang, (dark, peak): (i64, i64), been: f64, pace: &Pace) -> String {
    let [zero, soon, late] = hours(pace).map(|hours| duration(lang, been + hours));
    let (dark, peak) = (dark.unsigned_abs(), peak.unsigned_abs());
    texts::burn_sentence_ahead(lang, dark, &late, peak, &soon, &zero)
}

/// Minutes below an hour, hours from there.
fn duration(lang: Lang, hours: f64) -> String {
    match hours < 1.0 {
        true => texts::burn_minutes(lang, &decimal(lang, hours * 60.0)),
        false => texts::burn_hours(lang, &decimal(lang, hours)),
    }
}

/// Whole and in groups from 10 on, one decimal below; nothing is nothing.
fn decimal(lang: Lang, value: f64) -> String {
    let whole =
        format!("{value:.0}").parse::<u64>().ok().filter(|_| !(0.05..10.0).contains(&value));
    if let Some(whole) = whole {
        return Number::from(whole).text(lang);
    }
    let text = format!("{value:.1}");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}

/// At most `most` of the counts, with the first and the last.
fn thin(
    counts: &[(Timestamp, i64)],
    most: usize,
) -> impl Iterator<Item = &(Timestamp, i64)> + Clone {
    let step = counts.len().div_ceil(most).max(1);
    let last = counts.len().saturating_sub(1);
    counts.iter().enumerate().filter(move |(at, _)| at % step == 0 || *at == last).map(|(_, it)| it)
}

/// Where times and counts are drawn.
struct Plot {
    first: Timestamp,
    /// Seconds from left to right.
    span: f64,
    /// Sites from bottom to top.
    top: f64,
}

impl Plot {
    fn x(&self, at: f64) -> f64 {
        let [left, right, _, _] = FRAME;
        tenth(left + (right - left) * (at / self.span).clamp(0.0, 1.0))
    }

    fn y(&self, count: i64) -> f64 {
        let [_, _, top, bottom] = FRAME;
        tenth(bottom - (bottom - top) * (float(count.max(0)) / self.top).min(1.0))
    }

    fn at(&self, time: Timestamp) -> f64 {
        self.x(float((time - self.first).max(0)))
    }

    /// The counts as steps; closed to the ground for the area below them.
    fn steps(&self, counts: &[(Timestamp, i64)], now: Timestamp, closed: bool) -> String {
        let ground = self.y(0);
        let mut path = format!("M{} {ground}", self.at(self.first));
        for (at, count) in thin(counts, POINTS_MAX) {
            path.push_str(&format!("H{}V{}", self.at(*at), self.y(*count)));
        }
        path.push_str(&format!("H{}", self.at(now)));
        if closed {
            path.push_str(&format!("V{ground}Z"));
        }
        path
    }

    /// From now to the ground after so many hours each; two of them enclose a band.
    fn ahead(&self, now: Timestamp, dark: i64, hours: &[f64]) -> String {
        let mut path = format!("M{} {}", self.at(now), self.y(dark));
        let began = float((now - self.first).max(0));
        for hours in hours {
            path.push_str(&format!("L{} {}", self.x(began + hours * 3_600.0), self.y(0)));
        }
        path
    }

    /// From the peak on, at the pace of a town that had no evidence.
    fn then(&self, counts: &[(Timestamp, i64)], peak: i64) -> String {
        let most = counts.iter().find(|(_, count)| *count == peak);
        let Some((from, _)) = most else { return String::new() };
        let (began, per_second) = (float((from - self.first).max(0)), then_per_second());
        let until_none = began + float(peak) / per_second;
        let end = until_none.min(self.span);
        let left = (float(peak) - (end - began) * per_second).max(0.0);
        let [_, _, top, bottom] = FRAME;
        let y = tenth(bottom - (bottom - top) * (left / self.top).min(1.0));
        format!("M{} {}L{} {y}", self.at(*from), self.y(peak), self.x(end))
    }

    /// Five times below the chart, in the unit that suits its length.
    fn columns(&self, lang: Lang) -> Vec<(f64, String)> {
        let (unit, word): (f64, fn(Lang, &str) -> String) = match self.span {
            span if span < 180.0 => (1.0, texts::burn_seconds),
            span if span < 10_800.0 => (60.0, texts::burn_minutes),
            _ => (3_600.0, texts::burn_hours),
        };
        let column = |quarter: f64| {
            let at = self.span * quarter;
            (self.x(at), word(lang, &decimal(lang, at / unit)))
        };
        [0.0, 0.25, 0.5, 0.75, 1.0].map(column).into()
    }
}

/// Sites that came back in a second of December 2021.
fn then_per_second() -> f64 {
    let (sites, hours) = THEN;
    Number::from(sites).as_f64() / (Number::from(hours).as_f64() * 3_600.0)
}

/// One decimal is enough for a drawing, and keeps pages small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use relight_engine::live::Outage;

    use super::*;

    const HOUR: i64 = 3_600;

    /// 100 sites go dark at hour 0; from hour 10 on, two come back an hour.
    fn proofs(hours: i64) -> Proofs {
        let back = |site: i64| 10 * HOUR + site * HOUR / 2;
        let now = hours * HOUR;
        let all = 0..100_i64;
        let past = all.clone().filter(|site| back(*site) <= now).map(|site| Outage {
            from: 0,
            to: back(site),
            site: usize::try_from(site).unwrap(),
        });
        let dark_since = all.clone().map(|site| (back(site) > now).then_some(0));
        let (dark_since, past, words) = (dark_since.collect(), past.collect(), Vec::new());
        Proofs { version: 1, dark_since, past, words, ..Proofs::default() }
    }

    #[test]
    fn nothing_dark_is_no_chart() {
        let empty = chart(Lang::Fr, &Proofs::default(), 0, HOUR);
        assert!(empty.sentence.is_empty() && empty.line.is_empty());
        assert_eq!((empty.rows.len(), empty.columns.len()), (3, 5));
    }

    #[test]
    fn what_happened_is_numbered_by_its_time_and_stands_on_the_line() {
        let mut proofs = proofs(20);
        proofs.dark_since[99] = Some(HOUR);
        let chart = chart(Lang::En, &proofs, -HOUR, 20 * HOUR);
        let told: Vec<_> =
            chart.events.iter().map(|it| (it.number, it.at.as_str(), it.text.as_str())).collect();
        let wanted = [
            (1, "1969-12-31T23:00:00Z", "incident opened"),
            (2, "1970-01-01T01:00:00Z", "most sites dark: 100"),
            (3, "1970-01-01T10:00:00Z", "first site back"),
        ];
        assert_eq!(told, wanted);
        let [left, right, top, bottom] = FRAME;
        for it in &chart.events {
            assert!((left..=right).contains(&it.x) && (top..=bottom).contains(&it.y), "{it:?}");
        }
        let first = (chart.events[0].x, chart.events[1].y);
        assert_eq!(first, (left + MARK, top + MARK), "at its start, at its top");
        // What happened within a minute stands side by side.
        let at_once = super::chart(Lang::En, &super::tests::proofs(20), 0, 100 * HOUR);
        let [opened, most] = [&at_once.events[0], &at_once.events[1]];
        assert!(most.x - opened.x >= 2.0 * MARK || opened.y - most.y >= 2.0 * MARK, "{at_once:?}");
        let mut same = vec![opened.clone(), opened.clone(), opened.clone()];
        apart(&mut same);
        let places: Vec<f64> = same.iter().map(|it| it.x - left).collect();
        assert_eq!(places, [MARK, 3.0 * MARK, 5.0 * MARK]);
        // While none came back there is nothing to say about it.
        let early = super::chart(Lang::Fr, &super::tests::proofs(5), 0, 5 * HOUR);
        assert_eq!(early.events.len(), 2);
    }

    #[test]
    fn counts_go_up_and_down_and_end_at_what_is_dark() {
        let counts = counts(&proofs(20), 0);
        assert_eq!((counts[0], counts.last()), ((0, 100), Some(&(20 * HOUR, 79))));
        assert!(counts.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn outages_before_the_incident_do_not_count() {
        let mut proofs = proofs(20);
        proofs.past.push(Outage { from: -9, to: -5, site: 0 });
        assert_eq!(counts(&proofs, 0)[0], (0, 100));
    }

    #[test]
    fn the_pace_is_that_of_the_last_third_with_its_spread() {
        let pace = pace(&counts(&proofs(40), 0), 40 * HOUR).unwrap();
        assert!((18..=22).contains(&pace.per_hour_tenths), "{pace:?}");
        let (expected_s, soonest_s, latest_s) = (360, 3_600, 44_640);
        let fast = Pace { per_hour_tenths: 68_000, expected_s, soonest_s, latest_s };
        let text = "6,800 sites an hour; all back in 6.0 min (1.0 h to 12 h)";
        assert_eq!(told(Lang::En, &fast), text);
        assert!(told(Lang::Fr, &fast).starts_with("6\u{a0}800 "), "{}", told(Lang::Fr, &fast));
        let [expected, soon, late] = hours(&pace);
        assert!((expected - 19.5).abs() < 2.0 && soon < expected && expected < late, "{pace:?}");
        assert_eq!(super::pace(&counts(&proofs(12), 0), 12 * HOUR), None, "too few returns");
        assert_eq!(super::pace(&counts(&proofs(90), 0), 90 * HOUR), None, "none is dark");
    }

    /// Goal: a rehearsal is seen beside what happened. Method: 1,044 sites that none relights.
    #[test]
    fn the_pace_of_then_runs_from_the_peak_to_the_ground_or_the_edge() {
        let dark_since = vec![Some(0); 1_044];
        let proofs = Proofs { version: 1, dark_since, ..Proofs::default() };
        let [left, right, top, bottom] = FRAME;
        let at = |hours: i64| chart(Lang::En, &proofs, 0, hours * HOUR).then;
        assert_eq!(at(94), format!("M{left} {top}L{right} {bottom}"));
        assert_eq!(at(47), format!("M{left} {top}L{right} {}", (top + bottom) / 2.0), "half");
        let middle = (left + right) / 2.0;
        assert_eq!(at(188), format!("M{left} {top}L{middle} {bottom}"), "and not below");
        assert_eq!(chart(Lang::En, &Proofs::default(), 0, HOUR).then, "");
    }

    #[test]
    fn the_chart_stays_in_its_frame_and_says_what_it_shows() {
        let chart = chart(Lang::En, &proofs(40), 0, 40 * HOUR);
        assert!(chart.sentence.contains("100") && chart.sentence.contains("39"), "{chart:?}");
        assert!(chart.pace.starts_with("2.0 sites an hour"), "{}", chart.pace);
        assert!(chart.numbers.len() <= NUMBERS_MAX + 1);
        for path in [&chart.line, &chart.area, &chart.ahead, &chart.band] {
            let numbers = path.split(['M', 'H', 'V', 'L', 'Z', ' ']).filter(|it| !it.is_empty());
            for number in numbers.map(|it| it.parse::<f64>().unwrap()) {
                assert!((10.0..=434.0).contains(&number), "{path}");
            }
        }
        let zero = "zero expected around 59 h, between 54 h and 71 h";
        assert!(chart.sentence.ends_with(zero), "{}", chart.sentence);
        // 27 returned in the last 13.3 hours and 39 are dark: at the slow end, 31 hours more.
        assert_eq!(chart.columns[4].1, "71 h");
    }
}
