//! The proleptic Gregorian calendar: days and dates, both ways.

use relight_model::Timestamp;

/// Seconds of a day.
pub(crate) const DAY: Timestamp = 86_400;

/// Days from 1970-01-01. The year starts in March, so that the leap day is its last.
pub(crate) const fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Year, month and day of a time, UTC.
pub(crate) const fn date(at: Timestamp) -> (i64, i64, i64) {
    let days = at.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    // The last day of a four-year and of a 400-year cycle must not start another year.
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) =
        if month < 10 { (era * 400 + year, month + 3) } else { (era * 400 + year + 1, month - 9) };
    (year, month, day)
}

/// How many days a month has.
pub(crate) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `2021-12-10`, UTC.
pub(crate) fn day(at: Timestamp) -> String {
    let (year, month, day) = date(at);
    format!("{year:04}-{month:02}-{day:02}")
}

/// The start of a day that is written `2021-12-10`; nothing for a day that never was.
pub(crate) fn parse_day(text: &str) -> Option<Timestamp> {
    let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return None };
    let [year, month, day]: [i64; 3] = [year.parse().ok()?, month.parse().ok()?, day.parse().ok()?];
    let is_day = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    is_day.then(|| days(year, month, day) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_centuries_and_back() {
        let (mut year, mut month, mut day_of_month) = (1900, 1, 1);
        for number in days(1900, 1, 1)..days(2300, 1, 1) {
            assert_eq!(date(number * DAY + DAY - 1), (year, month, day_of_month));
            assert_eq!(days(year, month, day_of_month), number);
            day_of_month += 1;
            if day_of_month > days_in_month(year, month) {
                (month, day_of_month) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(day(1_639_094_400), "2021-12-10");
        assert_eq!(parse_day("2021-12-10"), Some(1_639_094_400));
        for text in ["2021-02-29", "2021-00-01", "2021-12", "x", "2021-12-10-1", "2021-12-32"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
