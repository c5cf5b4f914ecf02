//! Local time: how far the clock of whoever writes a log is ahead of UTC, and since when.
//!
//! Syslog, HAProxy and many firewalls write the time of their clock and not its zone. Where
//! summer time ends an hour is written twice; its first run is meant, so that no event is later
//! than it was.

use std::sync::Arc;

use relight_model::Timestamp;

use crate::civil::DAY;

/// Furthest that a clock is ahead of UTC or behind it, in seconds: more than any ever was.
pub const AHEAD_S_MAX: i64 = 16 * 3_600;

/// Where changes of a zone are looked for: between the years 1970 and 2100.
const BETWEEN: (Timestamp, Timestamp) = (0, 4_102_444_800);

/// How often: no two changes follow one another more closely.
const STEP: Timestamp = 7 * DAY;

/// See the head of the file. UTC unless somebody says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds ahead of UTC before the first change.
    first: i64,
    /// When that changes, in order, and what it is from then on.
    changes: Arc<[(Timestamp, i64)]>,
}

impl Zone {
    /// The same all the time; `None` when no clock is that far ahead or behind.
    pub fn fixed(ahead_s: i64) -> Option<Self> {
        let is_possible = ahead_s.abs() <= AHEAD_S_MAX;
        is_possible.then(|| Self { first: ahead_s, changes: Arc::default() })
    }

    /// `+01:00`, `-0500` or `Z`.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text, "Z" | "z" | "UTC") {
            return Some(Self::default());
        }
        Self::fixed(crate::parsers::zone_offset(text)?)
    }

    /// The zone in which `ahead` says how many seconds a clock is ahead of UTC at a moment.
    pub fn of(ahead: impl Fn(Timestamp) -> i64) -> Self {
        let first = ahead(BETWEEN.0);
        let (mut changes, mut now, mut at) = (Vec::new(), first, BETWEEN.0);
        while at < BETWEEN.1 {
            let next = ahead(at + STEP);
            if next != now {
                changes.push((change(&ahead, at, at + STEP), next));
                now = next;
            }
            at += STEP;
        }
        Self { first, changes: changes.into() }
    }

    /// The moment at which its clock shows this time, which is given as if it were UTC. An hour
    /// that is left out in spring is taken for the one after it.
    pub fn utc(&self, local: Timestamp) -> Timestamp {
        if self.changes.is_empty() {
            return local - self.first;
        }
        let [before, after] = [local - DAY, local + DAY].map(|near| self.ahead(near));
        let is_shown = |ahead: &i64| self.ahead(local - ahead) == *ahead;
        let candidates = [before.max(after), before.min(after)];
        local - candidates.into_iter().find(is_shown).unwrap_or(before)
    }

    /// Seconds ahead of UTC at a moment.
    fn ahead(&self, at: Timestamp) -> i64 {
        let behind = self.changes.partition_point(|(since, _)| *since <= at);
        behind.checked_sub(1).map_or(self.first, |last| self.changes[last].1)
    }
}

/// The first moment between two at which the clock is not what it was at the first of them.
fn change(ahead: impl Fn(Timestamp) -> i64, from: Timestamp, to: Timestamp) -> Timestamp {
    let (old, mut from, mut to) = (ahead(from), from, to);
    while to - from > 1 {
        let middle = from + (to - from) / 2;
        if ahead(middle) == old { from = middle } else { to = middle }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2021-03-14T07:00:00Z and 2021-11-07T06:00:00Z: summer time of Montréal.
    const SUMMER: (Timestamp, Timestamp) = (1_615_705_200, 1_636_264_800);

    fn montreal() -> Zone {
        Zone::of(|at| if (SUMMER.0..SUMMER.1).contains(&at) { -4 * 3_600 } else { -5 * 3_600 })
    }

    #[test]
    fn the_changes_of_a_zone_are_found_to_the_second() {
        let zone = montreal();
        assert_eq!(zone.changes[..], [(SUMMER.0, -14_400), (SUMMER.1, -18_000)]);
        assert_eq!(Zone::of(|_| 3_600), Zone::fixed(3_600).unwrap());
        assert_eq!(Zone::of(|_| 0), Zone::default());
    }

    #[test]
    fn a_time_of_a_clock_is_one_moment() {
        let zone = montreal();
        for (local, moment, why) in [
            (SUMMER.0 - 18_000 - 1, SUMMER.0 - 1, "the last second of winter"),
            (SUMMER.0 - 14_400, SUMMER.0, "the first one of summer"),
            (SUMMER.0 - 14_400 - 1, SUMMER.0 + 3_599, "left out: an hour later"),
            (SUMMER.1 - 14_400 - 1, SUMMER.1 - 1, "written twice: the first run"),
            (SUMMER.1 - 18_000, SUMMER.1 - 3_600, "written twice: the first run"),
            (SUMMER.1 - 14_400, SUMMER.1 + 3_600, "once again"),
        ] {
            assert_eq!(zone.utc(local), moment, "{why}");
        }
    }

    /// Every second around a change, east and west of UTC: what the clock shows is that moment
    /// again, or the same time an hour before.
    #[test]
    fn there_and_back() {
        for (winter, summer) in [(-18_000, -14_400), (3_600, 7_200), (0, 3_600), (37_800, 39_600)] {
            let zone =
                Zone::of(|at| if (SUMMER.0..SUMMER.1).contains(&at) { summer } else { winter });
            for at in (SUMMER.0 - 9_000..SUMMER.0 + 9_000).step_by(60) {
                assert_eq!(zone.utc(at + zone.ahead(at)), at, "{winter}");
            }
            let twice = SUMMER.1..SUMMER.1 + summer - winter;
            for at in (SUMMER.1 - 9_000..SUMMER.1 + 9_000).step_by(60) {
                let first = if twice.contains(&at) { at - (summer - winter) } else { at };
                assert_eq!(zone.utc(at + zone.ahead(at)), first, "{winter}");
            }
        }
    }

    #[test]
    fn offsets() {
        let ahead = |text| Zone::parse(text).map(|zone| zone.utc(0));
        for (text, at) in
            [("Z", 0), ("UTC", 0), ("+01:00", -3_600), ("-0500", 18_000), ("+16:00", -AHEAD_S_MAX)]
        {
            assert_eq!(ahead(text), Some(at), "{text}");
        }
        for text in ["", "1", "+1", "01:00", "+16:01", "-99:00", "America/Montreal", "+aa:00"] {
            assert_eq!(ahead(text), None, "{text}");
        }
    }
}
