//! RFC 3339 text to seconds since the epoch and back.

use relight_model::Timestamp;

/// Reads `2021-12-10T00:40:41Z`, with any fraction (dropped) and any offset (applied).
///
/// Leap seconds count as the second before. `None` for anything that is not such a moment.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| -> Option<i64> {
        let part = bytes.get(from..to)?;
        part.iter().all(u8::is_ascii_digit).then_some(())?;
        text.get(from..to)?.parse().ok()
    };
    let mark = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
    let marks = [(4, &b"-"[..]), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")];
    marks.iter().all(|&(at, wanted)| mark(at, wanted)).then_some(())?;
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    in_range.then_some(())?;
    let zone = text.get(19..)?;
    let zone = zone
        .strip_prefix('.')
        .map_or(zone, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let seconds = hour * 3600 + minute * 60 + second.min(59);
    Some(days_from_civil(year, month, day) * 86_400 + seconds - offset(zone)?)
}

/// As [`parse`], and also a moment without zone (UTC is meant) and a day alone: NVD, CVE and KEV
/// write these.
pub(crate) fn parse_lenient(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    match text.len() {
        10 => parse(&format!("{text}T00:00:00Z")),
        _ => parse(text).or_else(|| parse(&format!("{text}Z"))),
    }
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, as servers of HTTP write moments (RFC 9110, 5.6.7). The
/// two older forms, which nobody sends any more, are none.
pub fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, rest) = text.trim().split_once(", ")?;
    let [day, month, year, time, "GMT"] = rest.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

/// Writes a moment as `2021-12-10T00:40:41Z`; years outside 0 to 9999 are clamped to them.
pub(crate) fn format(at: Timestamp) -> String {
    let at = at.clamp(-62_167_219_200, 253_402_300_799);
    let (days, rest) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// `Z`, `+hh:mm` or `-hh:mm`, in seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i64>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; the year starts in March, so that
/// the leap day is the last day of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments() {
        for (text, at) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2021-12-10T00:40:41Z", 1_639_096_841),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("1969-12-31T23:59:59Z", -1),
        ] {
            assert_eq!(parse(text), Some(at), "{text}");
            assert_eq!(format(at), text);
        }
    }

    #[test]
    fn fractions_offsets_and_year_one() {
        assert_eq!(parse("1970-01-01T00:00:00.987654Z"), Some(0));
        assert_eq!(parse("1970-01-01T01:30:00+01:30"), Some(0));
        assert_eq!(parse("1969-12-31T23:00:00-01:00"), Some(0));
        assert_eq!(parse("0001-01-01T00:00:00Z"), Some(-62_135_596_800));
    }

    #[test]
    fn dates_of_http() {
        assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(http_date(" Thu, 01 Jan 1970 00:00:00 GMT "), Some(0));
        for bad in [
            "",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0000",
            "Sun, 06 Nov 1994 08:49:37 GMT GMT",
        ] {
            assert_eq!(http_date(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_zone_or_a_time_may_be_missing() {
        assert_eq!(parse_lenient("1970-01-02"), Some(86_400));
        assert_eq!(parse_lenient(" 1970-01-01T00:00:01.5 "), Some(1));
        assert_eq!(parse_lenient("1970-01-01T00:00:01+00:00"), Some(1));
        for text in ["", "1970-01", "yesterday", "1970-13-01", "1970-01-01T00:00:01+"] {
            assert_eq!(parse_lenient(text), None, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_moment() {
        for text in [
            "",
            "2021-12-10",
            "2021-12-10T00:40:41",
            "2021-13-10T00:40:41Z",
            "2021-02-29T00:00:00Z",
            "2021-12-10T24:00:00Z",
            "2021-12-10T00:40:41+1:00",
            "20é1-12-10T00:40:41Z",
            "2021-12-10T00:40:41Zé",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_of_eight_centuries_read_back() {
        for day in (-73_000..219_000).step_by(13) {
            let at = day * 86_400;
            assert_eq!(parse(&format(at)), Some(at));
        }
    }
}
