//! Numbers, shares and times as the two locales write them.

use relight_model::Timestamp;

use crate::Lang;

/// A count. French and English group and decline it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(
    /// The count.
    pub u64,
);

/// Grammatical number (CLDR categories `one` and `other`, for counts).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plural {
    /// Singular.
    One,
    /// Plural.
    Other,
}

impl Number {
    /// Grouped by thousands: `4 000` (U+00A0), `4,000`.
    pub fn text(self, lang: Lang) -> String {
        group(self.0, lang)
    }

    /// As a floating-point number, for drawings; exact below 2^53.
    pub const fn as_f64(self) -> f64 {
        self.0 as f64
    }

    /// French counts 0 and 1 as singular, English only 1.
    pub const fn plural(self, lang: Lang) -> Plural {
        match (lang, self.0) {
            (_, 1) | (Lang::Fr, 0) => Plural::One,
            _ => Plural::Other,
        }
    }
}

impl From<u64> for Number {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<u32> for Number {
    fn from(count: u32) -> Self {
        Self(u64::from(count))
    }
}

impl From<usize> for Number {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}

fn group(number: u64, lang: Lang) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(match lang {
                Lang::Fr => '\u{a0}',
                Lang::En => ',',
            });
        }
        text.push(digit);
    }
    text
}

/// A value given in tenths with one decimal: 100 is `10,0` or `10.0`.
pub fn tenths(lang: Lang, value: u64) -> String {
    let separator = match lang {
        Lang::Fr => ',',
        Lang::En => '.',
    };
    format!("{}{separator}{}", group(value / 10, lang), value % 10)
}

/// `part` of `whole` in percent with one decimal, rounded down so that only all of them are
/// 100 %: `62,7 %` (U+00A0), `62.7%`. Of nothing it is 0.
pub fn percent(lang: Lang, part: u64, whole: u64) -> String {
    let share = u128::from(part) * 1000 / u128::from(whole.max(1));
    let text = tenths(lang, u64::try_from(share).unwrap_or(u64::MAX));
    match lang {
        Lang::Fr => format!("{text}\u{a0}%"),
        Lang::En => format!("{text}%"),
    }
}

/// Hours and minutes of a day in UTC: `16 h 30` (U+00A0), `16:30`.
pub fn clock(lang: Lang, at: Timestamp) -> String {
    let minutes = at.rem_euclid(86_400) / 60;
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match lang {
        Lang::Fr => format!("{hours}\u{a0}h\u{a0}{minutes:02}"),
        Lang::En => format!("{hours}:{minutes:02}"),
    }
}

/// Date and time of day in UTC, for people: `2021-12-12 16 h 30 UTC`, `2021-12-12 16:30 UTC`.
pub fn stamp(lang: Lang, at: Timestamp) -> String {
    format!("{} {} UTC", date(at.div_euclid(86_400)), clock(lang, at))
}

/// The same to the second: `2021-12-12 16 h 30 min 05 s UTC`, `2021-12-12 16:30:05 UTC`.
pub fn stamp_to_the_second(lang: Lang, at: Timestamp) -> String {
    let second = at.rem_euclid(60);
    let (date, clock) = (date(at.div_euclid(86_400)), clock(lang, at));
    match lang {
        Lang::Fr => format!("{date} {clock}\u{a0}min\u{a0}{second:02}\u{a0}s UTC"),
        Lang::En => format!("{date} {clock}:{second:02} UTC"),
    }
}

/// RFC 3339 in UTC, for data and for `datetime` attributes: `2021-12-12T18:00:00Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let (year, month, day) = civil(at.div_euclid(86_400));
    let second = at.rem_euclid(86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The moment that a text means: `2021-12-10T18:00:00Z`, or `2021-12-10`, whose last second in
/// UTC it is. `None` for anything else.
pub fn moment(text: &str) -> Option<Timestamp> {
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z')?),
        None => (text, "23:59:59"),
    };
    let [year, month, day] = three(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = three(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // One month is at most 31 days, so the date is near the estimate or is none.
    let near = (year - 1970) * 365 + (year - 1969) / 4 + (month - 1) * 30 + day;
    let days = (near - 100..near + 100).find(|days| civil(*days) == (year, month, day))?;
    Some(days * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The same of a day that has begun: the end of today is now.
pub fn moment_until(text: &str, now: Timestamp) -> Option<Timestamp> {
    let at = moment(text).filter(|at| at.div_euclid(86_400) <= now.div_euclid(86_400))?;
    Some(at.min(now))
}

/// The day that a text means, in days since 1970: `2021-12-10`. `None` for anything else, a moment
/// too.
pub fn day(text: &str) -> Option<i64> {
    let at = moment(text).filter(|_| !text.contains('T'))?;
    Some(at.div_euclid(86_400))
}

/// A day since 1970 as [`day`] reads it: `2021-12-10`.
pub fn date(day: i64) -> String {
    rfc3339(day.saturating_mul(86_400))[..10].to_owned()
}

/// Three numbers of so many digits each.
fn three(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// The date of a day number since 1970-01-01 in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year: then the days
/// before a month are a linear function of the month.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_OF_400_YEARS: i64 = 146_097;
    const DAYS_FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    let days = days + DAYS_FROM_MARCH_OF_YEAR_0;
    let era = days.div_euclid(DAYS_OF_400_YEARS);
    let day = days.rem_euclid(DAYS_OF_400_YEARS);
    let leap_days = day / 1460 - day / 36_524 + day / 146_096;
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, if month < 10 { month + 3 } else { month - 9 });
    (if month <= 2 { year + 1 } else { year }, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        for days in (-3_000..40_000_i64).step_by(37).chain(11_000..11_800) {
            let at = days * 86_400 + 61 * days.rem_euclid(1_000);
            assert_eq!(moment(&rfc3339(at)), Some(at), "{}", rfc3339(at));
            let day = rfc3339(at);
            let last = at.div_euclid(86_400) * 86_400 + 86_399;
            assert_eq!(moment(&day[..10]), Some(last), "{day}");
            assert_eq!(super::day(&date(days)), Some(days), "{day}");
            assert_eq!((date(days).as_str(), super::day(&day)), (&day[..10], None));
        }
        let now = moment("2021-12-10T18:00:00Z").unwrap();
        for (text, wanted) in [
            ("2021-12-09", moment("2021-12-09T23:59:59Z")),
            ("2021-12-10T17:59:59Z", Some(now - 1)),
            ("2021-12-10", Some(now)),
            ("2021-12-11", None),
        ] {
            assert_eq!(moment_until(text, now), wanted, "{text}");
        }
        for text in [
            "",
            "2021",
            "2021-13-01",
            "2021-02-29",
            "2021-00-10",
            "2021-12-32",
            "21-12-10",
            "2021-12-10T",
            "2021-12-10T24:00:00Z",
            "2021-12-10T18:00Z",
            "2021-12-10T18:00:00",
            "2021-12-10T18:60:00Z",
            "2021/12/10",
            "2021-12-10-1",
            "+021-12-10",
            "2021-1é-10",
        ] {
            assert_eq!((moment(text), day(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn thousands() {
        assert_eq!(Number(4000).text(Lang::Fr), "4\u{a0}000");
        assert_eq!(Number(4000).text(Lang::En), "4,000");
        assert_eq!(Number(1_234_567).text(Lang::Fr), "1\u{a0}234\u{a0}567");
        assert_eq!(Number(999).text(Lang::En), "999");
        assert_eq!(Number(0).text(Lang::Fr), "0");
    }

    #[test]
    fn plurals() {
        for (lang, count, plural) in [
            (Lang::Fr, 0, Plural::One),
            (Lang::Fr, 1, Plural::One),
            (Lang::Fr, 2, Plural::Other),
            (Lang::En, 0, Plural::Other),
            (Lang::En, 1, Plural::One),
            (Lang::En, 2, Plural::Other),
        ] {
            assert_eq!(Number(count).plural(lang), plural, "{lang:?} {count}");
        }
    }

    #[test]
    fn shares() {
        assert_eq!(percent(Lang::Fr, 627, 1000), "62,7\u{a0}%");
        assert_eq!(percent(Lang::En, 627, 1000), "62.7%");
        assert_eq!(percent(Lang::En, 3991, 3992), "99.9%");
        assert_eq!(percent(Lang::En, 3992, 3992), "100.0%");
        assert_eq!(percent(Lang::Fr, 0, 0), "0,0\u{a0}%");
        assert_eq!(tenths(Lang::Fr, 100), "10,0");
    }

    #[test]
    fn times() {
        assert_eq!(clock(Lang::Fr, 59_400), "16\u{a0}h\u{a0}30");
        assert_eq!(clock(Lang::En, 59_400), "16:30");
        assert_eq!(clock(Lang::Fr, 3600 * 9 + 60 * 5), "9\u{a0}h\u{a0}05");
        for (at, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_639_332_000, "2021-12-12T18:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(at), text);
        }
    }

    #[test]
    fn dates_follow_each_other() {
        let mut before = civil(-800_000);
        for day in -799_999..800_000 {
            let next = civil(day);
            assert!(before < next && (1..=12).contains(&next.1) && (1..=31).contains(&next.2));
            before = next;
        }
    }

    #[test]
    fn moments_are_written_as_their_reader_writes_them() {
        let at = 1_639_240_205;
        assert_eq!(rfc3339(at), "2021-12-11T16:30:05Z");
        assert_eq!(stamp(Lang::Fr, at), "2021-12-11 16\u{a0}h\u{a0}30 UTC");
        assert_eq!(stamp(Lang::En, at), "2021-12-11 16:30 UTC");
        let french = "2021-12-11 16\u{a0}h\u{a0}30\u{a0}min\u{a0}05\u{a0}s UTC";
        assert_eq!(stamp_to_the_second(Lang::Fr, at), french);
        assert_eq!(stamp_to_the_second(Lang::En, at), "2021-12-11 16:30:05 UTC");
    }
}
