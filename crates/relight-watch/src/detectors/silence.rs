//! A log that stopped: nobody can say of its site that it was not tried.
//!
//! It is no evidence about anybody and has no place on the ladder; it makes answers unknown. A busy
//! site is silent when nothing came for three times its longest usual gap. Of a site with few
//! visitors chance is asked: how often a log with so few hours of use would be still for so long.
//! Until that is decided the site is quiet, which is not the same as complete.

use std::collections::BTreeSet;

use relight_model::Timestamp;

/// Days from which the usual gaps are taken.
pub const USUAL_DAYS: i64 = 28;

/// Events a day below which a site has few visitors.
pub const QUIET_EVENTS_A_DAY: u64 = 20;

/// Gaps shorter than this say nothing about any site, in seconds.
const GAP_S_MIN: Timestamp = 86_400;

/// After so long every log is silent, in seconds.
const SILENT_S_MAX: Timestamp = 90 * DAY;

/// How many times the longest usual gap.
const USUAL_TIMES: Timestamp = 3;

/// Probability of calling a log silent whose site had no visitors.
const FALSE_SILENCE: f64 = 1e-4;

const HOUR: Timestamp = 3_600;
const DAY: Timestamp = 86_400;

/// What is known about one day of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogDay {
    /// Days since 1970.
    pub day: i64,
    /// Events.
    pub events: u64,
    /// One bit for each hour with an event, the lowest for the first hour of the day, UTC.
    pub hours: u32,
    /// Time of the last event.
    pub last: Timestamp,
}

/// Whether a log still comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// It does.
    Heard,
    /// Nothing for a day or more, and too few visitors to tell.
    Quiet,
    /// It does not.
    Silent,
}

/// Judges the days of one site; without any it was never heard.
pub fn silence(days: &[LogDay], now: Timestamp) -> Silence {
    let Some(last) = days.iter().map(|day| day.last).max() else { return Silence::Silent };
    let waited = now - last;
    if waited <= GAP_S_MIN {
        return Silence::Heard;
    }
    if waited > SILENT_S_MAX {
        return Silence::Silent;
    }
    let usual: Vec<&LogDay> =
        days.iter().filter(|it| it.day > last.div_euclid(DAY) - USUAL_DAYS).collect();
    let heard: BTreeSet<i64> = usual.iter().map(|it| it.day).collect();
    let events: u64 = usual.iter().map(|it| it.events).sum();
    let hours = hours_of(&usual);
    if events >= QUIET_EVENTS_A_DAY * heard.len() as u64 {
        let weekday = |hour: i64| hour.div_euclid(24).rem_euclid(7);
        let of_last = weekday(last.div_euclid(HOUR));
        let gap = longest(&hours, |from| weekday(from) == of_last);
        let is_silent = waited > USUAL_TIMES * gap;
        return if is_silent { Silence::Silent } else { Silence::Heard };
    }
    let is_silent = waited > USUAL_TIMES * longest(&hours, |_| true) && !is_chance(&hours, waited);
    if is_silent { Silence::Silent } else { Silence::Quiet }
}

/// Every hour with an event, in order.
fn hours_of(days: &[&LogDay]) -> Vec<i64> {
    let mut hours = BTreeSet::new();
    for day in days {
        let set = (0..24).filter(|hour| day.hours & (1 << hour) != 0);
        hours.extend(set.map(|hour| day.day * 24 + hour));
    }
    hours.into_iter().collect()
}

/// The longest gap between hours with events, of those that begin at such an hour, in seconds.
fn longest(hours: &[i64], begins: impl Fn(i64) -> bool) -> Timestamp {
    let gaps = hours.windows(2).filter(|pair| begins(pair[0])).map(|pair| pair[1] - pair[0]);
    gaps.max().unwrap_or(0) * HOUR
}

/// A log with events in so few of its hours may well be still for so long. How many these are is
/// itself a matter of chance, so two standard deviations fewer are supposed.
#[expect(clippy::cast_precision_loss, reason = "hours of a month")]
fn is_chance(hours: &[i64], waited: Timestamp) -> bool {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return true };
    let span = (last - first + 1).max(USUAL_DAYS / 4 * 24) as f64;
    let count = hours.len() as f64;
    let still = 1.0 - ((count - 2.0 * count.sqrt()).max(0.0) / span).min(1.0);
    still.powf((waited / HOUR) as f64) > FALSE_SILENCE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday, at noon.
    const NOW: Timestamp = 1_639_396_800;
    const ALL_DAY: u32 = 0xff_ffff;

    fn day(days_ago: i64, events: u64, hours: u32) -> LogDay {
        let day = NOW / DAY - days_ago;
        let last_hour = 31 - i64::from(hours.leading_zeros());
        LogDay { day, events, hours, last: day * DAY + last_hour * HOUR }
    }

    #[test]
    fn a_busy_site_is_silent_after_three_times_its_usual_gap() {
        let busy: Vec<LogDay> = (2..20).map(|ago| day(ago, 500, ALL_DAY)).collect();
        assert_eq!(silence(&busy, NOW), Silence::Silent);
        assert_eq!(silence(&busy, busy[0].last + DAY), Silence::Heard);
        // The same silence of a site that is visited on weekdays only: Friday evening is usual.
        let weekdays = (3..28).filter(|ago| !matches!(ago % 7, 1 | 2));
        let office: Vec<LogDay> = weekdays.map(|ago| day(ago, 500, 0x3ff00)).collect();
        assert_eq!(silence(&office, NOW), Silence::Heard);
        assert_eq!(silence(&[], NOW), Silence::Silent);
    }

    /// A small site is never complete while nobody can tell, and does not stay untold for ever.
    #[test]
    fn a_small_site_is_heard_then_quiet_then_silent() {
        // Three visits a day, at 8, 12 and 20 o'clock.
        let small: Vec<LogDay> =
            (0..21).map(|ago| day(ago, 3, 1 << 8 | 1 << 12 | 1 << 20)).collect();
        let last = small[0].last;
        let after = |hours: i64| silence(&small, last + hours * HOUR);
        assert_eq!((after(24), after(25)), (Silence::Heard, Silence::Quiet));
        assert_eq!((after(91), after(92)), (Silence::Quiet, Silence::Silent));
        // One visit in a week: a month without one is usual, half a year is not.
        let rare: Vec<LogDay> = (0..4).map(|week| day(week * 7, 1, 1)).collect();
        let after = |days: i64| silence(&rare, rare[0].last + days * DAY);
        assert_eq!(
            (after(2), after(30), after(120)),
            (Silence::Quiet, Silence::Quiet, Silence::Silent)
        );
        // Heard on one day only: nothing is usual yet.
        let once = [day(0, 3, 7)];
        assert_eq!(silence(&once, once[0].last + 3 * DAY), Silence::Quiet);
    }

    /// Goal: one false silence in 10^4. Method: 200 small logs for a year each, every hour used by
    /// chance, asked every six hours, one seed.
    #[test]
    fn chance_alone_is_hardly_ever_called_silence() {
        let mut rng = testkit::Rng::new(7);
        let mut wrong = 0;
        for log in 0..200 {
            let percent = [1, 2, 5, 10][log % 4];
            let mut days: Vec<LogDay> = Vec::new();
            for hour in 0..365 * 24 {
                if rng.chance(percent) {
                    let bit = 1 << (hour % 24);
                    let last = hour * HOUR;
                    match days.last_mut() {
                        Some(it) if it.day == hour / 24 => {
                            (it.hours, it.events, it.last) = (it.hours | bit, it.events + 1, last);
                        }
                        _ => days.push(LogDay { day: hour / 24, events: 1, hours: bit, last }),
                    }
                }
                let known = hour > USUAL_DAYS * 24 && hour % 6 == 0;
                let recent = days.len().saturating_sub(40);
                if known && silence(&days[recent..], hour * HOUR) == Silence::Silent {
                    wrong += 1;
                }
            }
        }
        assert!(wrong <= 30, "{wrong} of 270,000");
    }
}
