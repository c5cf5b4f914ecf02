//! Which sites were heard from on which day, and which doors were tried where: what is said about
//! logs themselves, and about what was probed.

use relight_model::{OrgId, SiteId, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::{SiteSet, Store, StoreError};

/// How the format of a row begins that is no format: it tells something about the lines themselves,
/// by the day on which they were read, and nobody was heard from by it.
pub const NOTE: char = '-';

/// Days of reading of which notes are kept: they tell what is so of late.
const NOTE_DAYS: i64 = 35;

/// Stands for "the log does not tell the site".
const NO_SITE: i64 = -1;

/// One day of the log of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// Whose log it is.
    pub org: OrgId,
    /// Which site, where the log tells.
    pub site: Option<SiteId>,
    /// Format of the lines.
    pub format: String,
    /// Days since 1970, UTC.
    pub day: i64,
    /// Events.
    pub events: u64,
    /// One bit for each hour with an event.
    pub hours: u32,
    /// One bit for each field that some event carried.
    pub fields: u32,
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last event.
    pub last: Timestamp,
}

/// The sites on which a door of the catalogue was tried on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeRow {
    /// Id of the catalogue entry.
    pub entry: String,
    /// Days since 1970, UTC.
    pub day: i64,
    /// The sites.
    pub sites: SiteSet,
}

/// Adds what a new segment told.
pub(crate) fn put(
    transaction: &Transaction<'_>,
    read_day: i64,
    days: &[DayRow],
    probes: &[ProbeRow],
) -> rusqlite::Result<()> {
    let mut upsert = transaction.prepare_cached(
        "INSERT INTO watch_day
         (org, site, format, day, events, hours, fields, first, last, read_day)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (org, site, format, day) DO UPDATE SET events = events + ?5,
         hours = hours | ?6, fields = fields | ?7, first = min(first, ?8), last = max(last, ?9),
         read_day = max(read_day, ?10)",
    )?;
    // A note begins with a hyphen, and a full stop is the next character.
    let mut prune = transaction.prepare_cached(
        "DELETE FROM watch_day
         WHERE org = ?1 AND site = ?2 AND format >= '-' AND format < '.' AND day < ?3",
    )?;
    let mut pruned = None;
    for row in days {
        let site = row.site.map_or(NO_SITE, |site| i64::from(site.0));
        if row.format.starts_with(NOTE) && pruned != Some((row.org, site)) {
            prune.execute(params![row.org.0, site, row.day - NOTE_DAYS])?;
            pruned = Some((row.org, site));
        }
        let events = row.events.cast_signed();
        let DayRow { org, format, day, hours, fields, first, last, .. } = row;
        upsert.execute(params![
            org.0, site, format, day, events, hours, fields, first, last, read_day
        ])?;
    }
    let mut find = transaction
        .prepare_cached("SELECT sites FROM watch_probe WHERE entry = ?1 AND day = ?2")?;
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO watch_probe (entry, day, sites, read_day)
             VALUES (?1, ?2, ?3, ?4)",
    )?;
    for ProbeRow { entry, day, sites } in probes {
        let old: Option<Vec<u8>> =
            find.query_row(params![entry, day], |row| row.get(0)).optional()?;
        let mut all = old.map_or_else(|| Ok(SiteSet::new()), |bytes| set_of(&bytes))?;
        all |= sites;
        let mut bytes = Vec::with_capacity(all.serialized_size());
        // Writing to memory cannot fail.
        let _ = all.serialize_into(&mut bytes);
        put.execute(params![entry, day, bytes, read_day])?;
    }
    Ok(())
}

/// Forgets what was read before a day.
pub(crate) fn forget(transaction: &Transaction<'_>, before: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM watch_day WHERE read_day < ?1", [before])?;
    transaction.execute("DELETE FROM watch_probe WHERE read_day < ?1", [before])?;
    Ok(())
}

fn day_row(row: &Row<'_>) -> rusqlite::Result<DayRow> {
    let site: i64 = row.get(1)?;
    Ok(DayRow {
        org: OrgId(row.get(0)?),
        site: u32::try_from(site).ok().map(SiteId),
        format: row.get(2)?,
        day: row.get(3)?,
        events: row.get::<_, i64>(4)?.cast_unsigned(),
        hours: row.get(5)?,
        fields: row.get(6)?,
        first: row.get(7)?,
        last: row.get(8)?,
    })
}

fn set_of(bytes: &[u8]) -> rusqlite::Result<SiteSet> {
    SiteSet::deserialize_from(bytes)
        .map_err(|error| crate::blob::not_what_was_written(0, error.to_string()))
}

impl Store {
    /// Every row of the days from `from` to `to`, both included, by organisation, site, format and
    /// day.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch_days(&self, from: i64, to: i64) -> Result<Vec<DayRow>, StoreError> {
        self.read("reading the days of logs", |database| {
            let mut query = database.prepare_cached(
                "SELECT org, site, format, day, events, hours, fields, first, last FROM watch_day
                 WHERE day BETWEEN ?1 AND ?2 AND format NOT LIKE '-%'
                 ORDER BY org, site, format, day",
            )?;
            let rows = query.query_map([from, to], day_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What was noted about lines that were read on a day or later: rows whose format begins with
    /// [`NOTE`], in the same order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch_day_notes(&self, from: i64) -> Result<Vec<DayRow>, StoreError> {
        self.read("reading what was noted about logs", |database| {
            let mut query = database.prepare_cached(
                "SELECT org, site, format, day, events, hours, fields, first, last FROM watch_day
                 WHERE day >= ?1 AND format LIKE '-%' ORDER BY org, site, format, day",
            )?;
            let rows = query.query_map([from], day_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many events of each format a site gave on its last days, the most first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch_formats(
        &self,
        org: OrgId,
        site: SiteId,
        days: i64,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        self.read("reading the formats of a site", |database| {
            let mut query = database.prepare_cached(
                "SELECT format, sum(events) FROM watch_day
                 WHERE org = ?1 AND site = ?2 AND format NOT LIKE '-%' AND day > ?3 +
                 (SELECT max(day) FROM watch_day
                  WHERE org = ?1 AND site = ?2 AND format NOT LIKE '-%')
                 GROUP BY format ORDER BY 2 DESC, 1",
            )?;
            let rows = query.query_map(params![org.0, site.0, -days], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The days on which the log of an organisation told of something and not at which site, in
    /// order.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch_days_of_no_site(&self, org: OrgId) -> Result<Vec<i64>, StoreError> {
        self.read("reading the days of logs", |database| {
            let mut query = database.prepare_cached(
                "SELECT DISTINCT day FROM watch_day
                 WHERE org = ?1 AND site = ?2 AND format NOT LIKE '-%' ORDER BY day",
            )?;
            let days = query.query_map(params![org.0, NO_SITE], |row| row.get(0))?;
            Ok(days.collect::<Result<_, _>>()?)
        })
    }

    /// On which sites any door was tried, by day from `from` to `to`, both included; a day stands
    /// there once for each door.
    ///
    /// # Errors
    /// A set does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn watch_probed_sites(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<(i64, SiteSet)>, StoreError> {
        self.read("reading what was probed", |database| {
            let mut query = database.prepare_cached(
                "SELECT day, sites FROM watch_probe WHERE day BETWEEN ?1 AND ?2 ORDER BY day",
            )?;
            let rows = query.query_map([from, to], |row| {
                Ok((row.get(0)?, set_of(row.get_ref(1)?.as_blob()?)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// On which sites a door was tried, day by day from `from` to `to`, both included.
    ///
    /// # Errors
    /// A set does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn watch_probes(
        &self,
        entry: &str,
        from: i64,
        to: i64,
    ) -> Result<Vec<(i64, SiteSet)>, StoreError> {
        self.read("reading what was probed", |database| {
            let mut query = database.prepare_cached(
                "SELECT day, sites FROM watch_probe
                 WHERE entry = ?1 AND day BETWEEN ?2 AND ?3 ORDER BY day",
            )?;
            let rows = query.query_map(params![entry, from, to], |row| {
                Ok((row.get(0)?, set_of(row.get_ref(1)?.as_blob()?)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{behind, open};

    fn day(site: Option<u32>, events: u64, hours: u32, fields: u32, at: Timestamp) -> DayRow {
        DayRow {
            org: OrgId(1),
            site: site.map(SiteId),
            format: "combined".to_owned(),
            day: 7,
            events,
            hours,
            fields,
            first: at,
            last: at + 1,
        }
    }

    fn add(store: &Store, read_day: i64, days: &[DayRow], probes: &[ProbeRow]) {
        store.write("a test", |transaction| Ok(put(transaction, read_day, days, probes)?)).unwrap();
    }

    #[test]
    fn segments_of_a_day_add_up() {
        let (_folder, store) = open();
        let probe = |day, sites: &[u32]| ProbeRow {
            entry: "git-config".to_owned(),
            day,
            sites: sites.iter().copied().collect(),
        };
        add(&store, 7, &[day(Some(3), 2, 0b1, 0b10, 50), day(None, 1, 1, 1, 9)], &[probe(7, &[3])]);
        add(&store, 7, &[day(Some(3), 5, 0b100, 0b11, 20)], &[probe(7, &[4, 3]), probe(9, &[1])]);
        add(&store, 9, &[], &[probe(9, &[2])]);
        let mut sum = day(Some(3), 7, 0b101, 0b11, 20);
        sum.last = 51;
        assert_eq!(store.watch_days(0, 7).unwrap(), [day(None, 1, 1, 1, 9), sum]);
        assert_eq!(store.watch_days(8, 99).unwrap(), []);
        assert_eq!(store.watch_days_of_no_site(OrgId(1)).unwrap(), [7]);
        assert_eq!(store.watch_days_of_no_site(OrgId(2)).unwrap(), [0_i64; 0]);
        let probes = store.watch_probes("git-config", 0, 8).unwrap();
        assert_eq!(probes, [(7, SiteSet::from([3, 4]))]);
        assert_eq!(store.watch_probes("other", 0, 8).unwrap(), []);
        store.write("a test", |transaction| Ok(forget(transaction, 8)?)).unwrap();
        assert_eq!(store.watch_days(0, 99).unwrap(), []);
        assert_eq!(store.watch_probes("git-config", 0, 99).unwrap().len(), 1);
    }

    /// What is noted about lines stands beside the days and is none of them: a site of which only
    /// lines were read that nobody understood was not heard from.
    #[test]
    fn notes_are_no_days_and_formats_are_counted() {
        let (_folder, store) = open();
        let of = |format: &str, day: DayRow| DayRow { format: format.to_owned(), ..day };
        let note = of("-unread", day(Some(3), 9, 0, 0, 50));
        let other = DayRow { site: None, ..note.clone() };
        add(&store, 7, &[note.clone(), other.clone()], &[]);
        assert_eq!(store.watch_days(0, 99).unwrap(), []);
        assert_eq!(store.watch_days_of_no_site(OrgId(1)).unwrap(), [0_i64; 0]);
        assert_eq!(store.watch_day_notes(7).unwrap(), [other, note.clone()]);
        assert_eq!(store.watch_day_notes(8).unwrap(), []);
        let later = |days: i64, row: DayRow| DayRow { day: row.day + days, ..row };
        add(&store, 7, &[later(NOTE_DAYS, note.clone())], &[]);
        assert_eq!(store.watch_day_notes(0).unwrap().len(), 3);
        add(&store, 7, &[later(NOTE_DAYS + 1, note.clone())], &[]);
        let days: Vec<_> = store.watch_day_notes(0).unwrap().iter().map(|it| it.day).collect();
        assert_eq!(days, [7, 7 + NOTE_DAYS, 8 + NOTE_DAYS], "of each site the last ones stay");
        let formats = |days| store.watch_formats(OrgId(1), SiteId(3), days).unwrap();
        assert_eq!(formats(28), []);
        let iis = of("iis_w3c", day(Some(3), 4, 1, 1, 50));
        let days = [day(Some(3), 5, 1, 1, 50), later(30, iis.clone()), later(31, iis)];
        add(&store, 7, &days, &[]);
        let named = |rows: &[(&str, u64)]| -> Vec<(String, u64)> {
            rows.iter().map(|(format, events)| ((*format).to_owned(), *events)).collect()
        };
        assert_eq!(formats(28), named(&[("iis_w3c", 8)]), "of the last days");
        assert_eq!(formats(99), named(&[("iis_w3c", 8), ("combined", 5)]));
    }

    #[test]
    fn a_damaged_set_is_said() {
        let (_folder, store) = open();
        let row = "INSERT INTO watch_probe VALUES ('x', 1, x'0102', 1)";
        behind(&store).execute(row, []).unwrap();
        assert!(store.watch_probes("x", 0, 9).is_err());
    }
}
