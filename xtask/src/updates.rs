//! How old the libraries of others are: what the registry has newer, and since when that is known.
//!
//! `SECURITY.md` says how soon they are brought up to date. The record in the repository is made by
//! asking the registry; tidy holds it against `Cargo.lock` without a network.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::process;
use crate::tree;

/// The record.
pub(crate) const PATH: &str = "docs/libraries.txt";

/// How long a newer version may be known before it is taken, in days: "at least every three
/// months".
pub(crate) const DAYS_MAX: i64 = 92;

/// A library that is not the newest one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) newer: String,
    /// The day on which the newer one was first seen, counted from 1970.
    pub(crate) seen: i64,
}

/// What was known on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Libraries {
    /// The day, counted from 1970.
    pub(crate) day: i64,
    pub(crate) behind: Vec<Behind>,
}

/// Asks the registry, and writes what is newer there than in `Cargo.lock`.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    let told = process::quiet(&root, "cargo", &["update", "--dry-run", "--verbose"])?;
    if !told.success {
        return Err(format!("ask the registry: {}", told.stderr));
    }
    let path = root.join(PATH);
    let before = fs::read_to_string(&path).ok().and_then(|text| Libraries::parse(&text));
    let libraries = Libraries::of(&told.stderr, today(), &before.unwrap_or_default());
    fs::write(&path, libraries.text()).map_err(|error| format!("write {PATH}: {error}"))?;
    match libraries.late().next() {
        None => Ok(()),
        Some(late) => Err(format!("{} {} is behind for too long", late.name, late.version)),
    }
}

#[expect(clippy::disallowed_methods, reason = "the record says on which day it was made")]
fn today() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs() / 86_400).unwrap_or_default()
}

impl Libraries {
    /// What `cargo update --dry-run --verbose` told on a day. A library keeps the day on which a
    /// newer one than ours was first seen, however many came since.
    fn of(told: &str, day: i64, before: &Self) -> Self {
        let mut behind = Vec::new();
        for line in told.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (name, version, newer) = match words[..] {
                // Behind it may stand which Rust it requires, or what is newer still.
                ["Updating", name, version, "->", newer, ..] => (name, version, newer),
                ["Unchanged", name, version, "(available:", newer, ..] => {
                    (name, version, newer.trim_end_matches([')', ',']))
                }
                _ => continue,
            };
            let [version, newer] = [version, newer].map(|it| it.trim_start_matches('v').to_owned());
            let known = |it: &&Behind| it.name == name && it.version == version;
            let seen = before.behind.iter().find(known).map_or(day, |it| it.seen);
            behind.push(Behind { name: name.to_owned(), version, newer, seen });
        }
        behind.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Self { day, behind }
    }

    /// Those of which a newer version was known for too long on the day of the record.
    pub(crate) fn late(&self) -> impl Iterator<Item = &Behind> {
        self.behind.iter().filter(|it| self.day - it.seen > DAYS_MAX)
    }

    fn text(&self) -> String {
        let mut text = format!(
            "# Libraries of others of which the registry had a newer version on this day, and\n\
             # since when that was known: cargo xtask updates\n{}\n",
            date(self.day)
        );
        for Behind { name, version, newer, seen } in &self.behind {
            let _ = writeln!(text, "{name} {version} {newer} {}", date(*seen));
        }
        text
    }

    /// Reads a record; `None` when it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().filter(|line| !line.starts_with('#'));
        let day = day_of(lines.next()?)?;
        let row = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, version, newer, seen] = words[..] else { return None };
            let [name, version, newer] = [name, version, newer].map(str::to_owned);
            Some(Behind { name, version, newer, seen: day_of(seen)? })
        };
        Some(Self { day, behind: lines.map(row).collect::<Option<_>>()? })
    }
}

/// The versions in a lock file, by name and version.
pub(crate) fn locked(lock: &str) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key: &str| line.strip_prefix(key)?.strip_suffix('"');
        if let Some(text) = value("name = \"") {
            name = text;
        } else if let Some(version) = value("version = \"") {
            found.insert((name.to_owned(), version.to_owned()));
        }
    }
    found
}

/// `2026-11-29` of a day (proleptic Gregorian; Howard Hinnant's `civil_from_days`).
fn date(day: i64) -> String {
    let shifted = day + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let (of_month, month_of) = (of_year - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + era * 400 + i64::from(month_of <= 2);
    format!("{year:04}-{month_of:02}-{of_month:02}")
}

/// The day of `2026-11-29`.
fn day_of(text: &str) -> Option<i64> {
    let parts: Vec<i64> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    let [year, month, of_month] = parts[..] else { return None };
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + of_month - 1;
    let day = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (date(day) == text).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = "    Updating crates.io index
     Locking 3 packages to latest Rust 1.95 compatible versions
    Updating anyhow v1.0.104 -> v1.0.105 (available: v2.0.0)
      Adding zeroize_derive v1.5.0
   Unchanged matchit v0.8.4 (available: v0.8.6, requires Rust 1.99)
    Updating toml v1.2.1+spec-1.1.0 -> v1.2.2+spec-1.1.0
";

    #[test]
    fn what_is_newer_is_kept_with_the_day_on_which_it_was_first_seen() {
        let day = day_of("2026-11-29").unwrap();
        let first = Libraries::of(TOLD, day, &Libraries::default());
        let names: Vec<_> = first.behind.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["anyhow", "matchit", "toml"]);
        assert_eq!(first.behind[1].newer, "0.8.6");
        let read = Libraries::parse(&first.text()).unwrap();
        assert_eq!(read, first);
        // A newer one still does not begin the time anew; another version of ours does.
        let later = TOLD.replace("v1.0.105", "v1.0.106").replace("v0.8.4", "v0.8.5");
        let later = Libraries::of(&later, day + DAYS_MAX, &read);
        assert_eq!(later.late().count(), 0);
        assert_eq!((later.behind[0].seen, later.behind[1].seen), (day, day + DAYS_MAX));
        let late = Libraries::of(TOLD, day + DAYS_MAX + 1, &read);
        assert_eq!(late.late().count(), 3);
    }

    #[test]
    fn days_are_dates() {
        for (day, text) in
            [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_786, "2026-11-29"), (-1, "1969-12-31")]
        {
            assert_eq!((date(day).as_str(), day_of(text)), (text, Some(day)));
        }
        for bad in ["", "2026-11", "2026-02-30", "2026-13-01", "26-1-1", "x"] {
            assert_eq!(day_of(bad), None, "{bad}");
        }
    }
}
