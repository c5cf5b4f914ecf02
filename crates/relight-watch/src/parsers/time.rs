//! Times as logs write them, to seconds since the epoch.

use relight_model::Timestamp;

use super::Feed;
use crate::civil;
use crate::zone::Zone;

/// The three-letter names of months.
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Any of the forms below; a time without year is the one nearest before receipt, and a time
/// without zone is of the clock of the feed.
pub(super) fn any(text: &str, feed: &Feed) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    match bytes {
        [b'[', .., b']'] => clf(&text[1..text.len() - 1]),
        [a, b, c, d, b'-' | b'/', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => {
            rfc3339(text, &feed.zone)
        }
        [_, _, b'/', ..] => clf(text),
        [first, ..] if first.is_ascii_digit() => epoch(text),
        [first, ..] if first.is_ascii_alphabetic() => named_month(text, feed),
        _ => None,
    }
}

/// `18/May/2015:02:05:58 +0000`.
pub(crate) fn clf(text: &str) -> Option<Timestamp> {
    let (stamp, rest) = text.split_at_checked(20)?;
    Some(clf_clock(stamp)? - offset(rest.strip_prefix(' ')?.as_bytes())?)
}

/// `18/May/2015:02:05:58`, of the clock of a feed.
pub(super) fn clf_local(text: &str, zone: &Zone) -> Option<Timestamp> {
    Some(zone.utc(clf_clock(text)?))
}

/// `18/May/2015:02:05:58`, as if it were UTC.
fn clf_clock(text: &str) -> Option<Timestamp> {
    let &[a, b, b'/', ref month @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _] = text.as_bytes()
    else {
        return None;
    };
    let rest = text.as_bytes().get(6..20)?;
    let (year, clock) = (rest.get(1..5)?, rest.get(6..)?);
    if text.len() != 20 || rest[0] != b'/' || rest[5] != b':' {
        return None;
    }
    moment(digits(year)?, self::month(month)?, digits(&[a, b])?, clock)
}

/// Length of a time in the common log format.
pub(crate) const CLF_BYTES: usize = 26;

/// `2021-12-10T02:05:58.123Z`, with a blank for the `T`, with slashes, with or without fraction
/// and zone (`Z`, `UTC`, `+01:00`, `+0100`); without one it is of this clock.
pub(super) fn rfc3339(text: &str, clock: &Zone) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let dash = date[4];
    if !matches!(dash, b'-' | b'/')
        || date[7] != dash
        || !matches!(rest.first()?, b'T' | b't' | b' ')
    {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..10])?);
    let (time, rest) = rest[1..].split_at_checked(8)?;
    let at = moment(year, month, day, time)?;
    let fraction = match rest {
        [b'.' | b',', digits @ ..] => {
            1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count()
        }
        _ => 0,
    };
    Some(match rest.get(fraction..)? {
        [] => clock.utc(at),
        b"Z" | b"z" | b" UTC" | b" Z" => at,
        [b' ', rest @ ..] | rest => at - offset(rest)?,
    })
}

/// `2021-12-10` and `02:05:58` that stand apart, as if they were UTC; the clock may have a
/// fraction.
pub(super) fn date_and_clock(date: &str, clock: &str) -> Option<Timestamp> {
    let (date, clock) = (date.as_bytes(), clock.as_bytes());
    if date.len() != 10 || date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    moment(year, month, day, clock.get(..8)?)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told by their size; seconds
/// may have a fraction.
pub(super) fn epoch(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.len() > 19 || fraction.is_empty() || digits(fraction.as_bytes()).is_none() {
        return None;
    }
    let number = digits(whole.as_bytes())?;
    Some(match whole.len() {
        0 => return None,
        1..=11 => number,
        12..=14 => number / 1_000,
        15..=17 => number / 1_000_000,
        _ => number / 1_000_000_000,
    })
}

/// `Dec 10 02:05:58`, `Dec 10 2021 02:05:58` or `Dec 10 2021 02:05:58.123 UTC`; without zone it
/// is of the clock of the feed.
pub(super) fn named_month(text: &str, feed: &Feed) -> Option<Timestamp> {
    let month = month(text.as_bytes().get(..3)?)?;
    let rest = text.get(3..)?.strip_prefix(' ')?.trim_start_matches(' ');
    let (day, rest) = rest.split_once(' ')?;
    let day = digits(day.as_bytes())?;
    let (year, clock) = match rest.split_once(' ') {
        Some((year, clock)) if year.len() == 4 => (digits(year.as_bytes()), clock),
        _ => (None, rest),
    };
    let clock = clock.as_bytes();
    if clock.get(8).is_some_and(|byte| !b". ".contains(byte)) {
        return None;
    }
    let is_utc = clock.ends_with(b" UTC") || clock.ends_with(b" GMT") || clock.ends_with(b" Z");
    let clock = clock.get(..8)?;
    let of_year = |year| {
        let at = moment(year, month, day, clock)?;
        Some(if is_utc { at } else { feed.zone.utc(at) })
    };
    match year {
        Some(year) => of_year(year),
        None => nearest(of_year, feed.received),
    }
}

/// Syslog leaves the year out: the one that puts the time nearest before receipt, a day's skew
/// allowed.
fn nearest(of_year: impl Fn(i64) -> Option<Timestamp>, received: Timestamp) -> Option<Timestamp> {
    let (year, ..) = civil::date(received + civil::DAY);
    let this = of_year(year).filter(|at| *at <= received + civil::DAY);
    // A leap day may be four years back, or eight around the turn of most centuries.
    this.or_else(|| (1..=8).find_map(|back| of_year(year - back)))
}

/// The month of a three-letter name.
fn month(name: &[u8]) -> Option<i64> {
    let at = MONTHS.chunks_exact(3).position(|month| month == name)?;
    i64::try_from(at + 1).ok()
}

/// `02:05:58` of a day, if there is such a day.
fn moment(year: i64, month: i64, day: i64, clock: &[u8]) -> Option<Timestamp> {
    let &[a, b, b':', c, d, b':', e, f] = clock else { return None };
    let (hour, minute, second) = (digits(&[a, b])?, digits(&[c, d])?, digits(&[e, f])?);
    let valid = (1..=12).contains(&month)
        && (1..=civil::days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        // A leap second is written as :60.
        && second <= 60;
    valid.then(|| civil::days(year, month, day) * civil::DAY + hour * 3600 + minute * 60 + second)
}

/// `+0100` or `+01:00` in seconds.
pub(crate) fn zone_offset(text: &str) -> Option<i64> {
    offset(text.as_bytes())
}

fn offset(text: &[u8]) -> Option<i64> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [a, b, c, d] | [a, b, b':', c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
        _ => return None,
    };
    Some(sign * (hours * 3600 + minutes * 60))
}

/// A number of digits only, as far as it fits.
pub(super) fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2022-01-01T00:30:00Z.
    const RECEIVED: Timestamp = 1_640_997_000;

    fn feed() -> Feed {
        Feed { received: RECEIVED, ..Feed::default() }
    }

    #[test]
    fn forms_of_one_moment() {
        for text in [
            "10/Dec/2021:02:05:58 +0000",
            "[09/Dec/2021:21:05:58 -0500]",
            "2021-12-10T02:05:58Z",
            "2021-12-10T02:05:58.123456789Z",
            "2021-12-10T03:05:58,5+01:00",
            "2021-12-10T03:05:58+0100",
            "2021-12-10 02:05:58",
            "2021-12-10 02:05:58 UTC",
            "2021-12-10 03:05:58 +0100",
            "2021/12/10 02:05:58",
            "1639101958",
            "1639101958.987",
            "1639101958987",
            "1639101958987654",
            "1639101958987654321",
            "Dec 10 02:05:58",
            "Dec 10 2021 02:05:58",
            "Dec 10 2021 02:05:58.250 UTC",
        ] {
            assert_eq!(any(text, &feed()), Some(1_639_101_958), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "-",
            "[]",
            "2021-13-10T02:05:58Z",
            "2021-02-29T02:05:58Z",
            "2021-12-10T24:05:58Z",
            "2021-12-10T02:05:58+1",
            "2021-12-10",
            "31/Feb/2021:02:05:58 +0000",
            "18/May/2015:02:05:58 0000",
            "1639101958.",
            "1639101958.x",
            "16391019580000000000",
            "Dec 32 02:05:58",
            "Dec 10 2:05:58",
            "Dez 10 02:05:58",
            "2021-12-10T02:05:5\u{e9}",
        ] {
            assert_eq!(any(text, &feed()), None, "{text}");
        }
    }

    #[test]
    fn the_year_that_syslog_leaves_out() {
        let year = |text| any(text, &feed()).map(|at| civil::date(at).0);
        assert_eq!(year("Dec 31 23:59:59"), Some(2021), "over New Year");
        assert_eq!(year("Jan  1 00:10:00"), Some(2022));
        assert_eq!(year("Jan  2 00:10:00"), Some(2022), "a day's skew");
        assert_eq!(year("Jan  3 00:10:00"), Some(2021), "more is a year old");
        assert_eq!(year("Feb 29 00:10:00"), Some(2020), "a leap day");
    }

    /// Of a clock five hours behind: only times that name no zone move.
    #[test]
    fn a_time_without_zone_is_of_the_clock_of_the_feed() {
        let feed = Feed { zone: Zone::parse("-05:00").unwrap(), ..feed() };
        let local = "2021-12-09 21:05:58";
        for text in [local, "2021/12/09 21:05:58.5", "Dec  9 21:05:58", "Dec 09 2021 21:05:58.25"] {
            assert_eq!(any(text, &feed), Some(1_639_101_958), "{text}");
        }
        for text in [
            "10/Dec/2021:02:05:58 +0000",
            "2021-12-10T02:05:58Z",
            "2021-12-10 03:05:58 +0100",
            "Dec 10 2021 02:05:58.250 UTC",
            "1639101958",
        ] {
            assert_eq!(any(text, &feed), Some(1_639_101_958), "{text}");
        }
        // Half an hour into the year of UTC it is still the old one there.
        assert_eq!(any("Dec 31 19:30:00", &feed), Some(RECEIVED));
    }
}
