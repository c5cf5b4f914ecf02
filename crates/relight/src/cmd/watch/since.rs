//! Since when: a day, or so many days before today.

use relight_model::Timestamp;
use relight_server::web::number;

/// Most days back; windows are kept for fewer.
const DAYS_MAX: i64 = 3_660;

const DAY_S: i64 = 86_400;

/// What `--since` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// The beginning of a day.
    Day(Timestamp),
    /// Days before today.
    Back(i64),
}

impl Since {
    /// Reads `2026-11-28` or `90d`.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let day = number::day(text).map(|day| Self::Day(day * DAY_S));
        let back = text.strip_suffix('d').and_then(|days| days.parse().ok());
        let back = back.filter(|days| (0..=DAYS_MAX).contains(days)).map(Self::Back);
        day.or(back).ok_or("YYYY-MM-DD, 90d")
    }

    /// The first moment that counts.
    pub(crate) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Day(day) => day,
            Self::Back(days) => (now.div_euclid(DAY_S) - days) * DAY_S,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_or_days_back() {
        let now = 20_000 * 86_400 + 5;
        for (text, wanted) in [
            ("2024-10-04", Some(20_000 * 86_400)),
            ("0d", Some(20_000 * 86_400)),
            ("90d", Some(19_910 * 86_400)),
            ("3660d", Some(16_340 * 86_400)),
            ("3661d", None),
            ("-1d", None),
            ("d", None),
            ("90", None),
            ("", None),
            ("2024-13-04", None),
            ("2024-10-04T00:00:00Z", None),
        ] {
            assert_eq!(Since::parse(text).ok().map(|since| since.from(now)), wanted, "{text}");
        }
    }
}
