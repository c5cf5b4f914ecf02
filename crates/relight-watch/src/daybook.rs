//! The daybook of a segment: which site was heard from on which day, in which hours, by which
//! format and with which fields, and which doors of the catalogue were tried there. Small, without
//! an address, and the ground of what is said about logs themselves.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Event, OrgId, SiteId, Timestamp};

/// Rows of one segment. Beyond it rows are counted, not kept.
pub const DAYBOOK_ROWS_MAX: usize = 100_000;

/// Seconds of a day.
pub(crate) const DAY_S: Timestamp = 86_400;

/// Whose log of which day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DayKey {
    /// Whose log it is.
    pub org: OrgId,
    /// Which site, where the log tells.
    pub site: Option<SiteId>,
    /// Format of the lines.
    pub format: &'static str,
    /// Days since 1970, UTC.
    pub day: i64,
}

/// What is known about one day of one site's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayFacts {
    /// Events.
    pub events: u64,
    /// One bit for each hour with an event, the lowest for the first hour of the day, UTC.
    pub hours: u32,
    /// One bit for each of [`FIELDS`] that some event carried.
    pub fields: u32,
    /// Time of the first event.
    pub first: Timestamp,
    /// Time of the last event.
    pub last: Timestamp,
}

/// The fields whose presence is noted, in the order of their bits.
pub const FIELDS: [&str; 9] =
    ["host", "path", "status", "user-agent", "referer", "fingerprint", "peer", "port", "outcome"];

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Daybook {
    rows: Vec<(DayKey, DayFacts)>,
    index: BTreeMap<DayKey, usize>,
    /// The row of the event before: most lines of a log follow one of the same day and site.
    last: usize,
    probes: BTreeSet<(&'static str, i64, SiteId)>,
    overflow: u64,
}

impl Daybook {
    /// Nothing was heard yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes one event, and the doors of the catalogue that it tried.
    pub fn observe(
        &mut self,
        format: &'static str,
        event: &Event<'_>,
        doors: impl IntoIterator<Item = &'static str>,
    ) {
        let day = event.at.div_euclid(DAY_S);
        let key = DayKey { org: event.org, site: event.site, format, day };
        if let Some(site) = event.site {
            for entry in doors {
                if self.probes.len() < DAYBOOK_ROWS_MAX {
                    self.probes.insert((entry, day, site));
                }
            }
        }
        match self.row(key, event.at) {
            Some(facts) => facts.note(event.at, carried(event)),
            None => self.overflow += 1,
        }
    }

    /// Notes what was gathered of events of one day that tried no door.
    pub(crate) fn add(&mut self, key: DayKey, facts: &DayFacts) {
        match self.row(key, facts.first) {
            Some(row) => row.add(facts),
            None => self.overflow += facts.events,
        }
    }

    /// The row of a day; a new one when there is none and there is room.
    fn row(&mut self, key: DayKey, at: Timestamp) -> Option<&mut DayFacts> {
        if self.rows.get(self.last).is_none_or(|(last, _)| *last != key) {
            if let Some(at) = self.index.get(&key) {
                self.last = *at;
            } else if self.rows.len() < DAYBOOK_ROWS_MAX {
                self.last = self.rows.len();
                self.index.insert(key, self.last);
                self.rows.push((key, DayFacts::of(at)));
            } else {
                return None;
            }
        }
        self.rows.get_mut(self.last).map(|(_, facts)| facts)
    }

    /// Every row.
    pub fn rows(&self) -> &[(DayKey, DayFacts)] {
        &self.rows
    }

    /// The doors that were tried: entry, day and site, sorted.
    pub fn probes(&self) -> impl Iterator<Item = (&'static str, i64, SiteId)> {
        self.probes.iter().copied()
    }

    /// Events beyond [`DAYBOOK_ROWS_MAX`].
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }
}

impl DayFacts {
    pub(crate) const fn of(at: Timestamp) -> Self {
        Self { events: 0, hours: 0, fields: 0, first: at, last: at }
    }

    /// Notes an event that carried these fields.
    pub(crate) fn note(&mut self, at: Timestamp, fields: u32) {
        self.events += 1;
        self.hours |= 1 << (at.rem_euclid(DAY_S) / 3_600);
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.fields |= fields;
    }

    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.hours |= other.hours;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.fields |= other.fields;
    }
}

/// One bit for each of [`FIELDS`] that an event carries.
fn carried(event: &Event<'_>) -> u32 {
    bits([
        !event.host.is_empty() || !event.sni.is_empty(),
        !event.path.is_empty(),
        event.status != 0,
        carries(event.user_agent),
        carries(event.referer),
        !event.ja3.is_empty() || !event.ja4.is_empty(),
        event.peer.is_some(),
        event.port != 0,
        event.outcome != relight_model::Outcome::Unknown,
    ])
}

/// One bit for each of [`FIELDS`] that is there.
pub(crate) fn bits(carried: [bool; FIELDS.len()]) -> u32 {
    let bits = carried.into_iter().enumerate();
    bits.fold(0, |fields, (bit, carried)| fields | u32::from(carried) << bit)
}

/// A dash stands for a field that is logged and was empty.
pub(crate) fn carries(field: &str) -> bool {
    !field.is_empty() && field != "-"
}

/// The names of the fields whose bits are set.
pub fn fields_of(bits: u32) -> Vec<&'static str> {
    let set = FIELDS.iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
    set.map(|(_, name)| *name).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn event(at: Timestamp, site: u32) -> Event<'static> {
        let source = IpAddr::from([192, 0, 2, 1]);
        Event {
            site: Some(SiteId(site)),
            path: "/",
            status: 200,
            ..Event::bare(OrgId(1), at, source)
        }
    }

    #[test]
    fn days_hours_and_fields() {
        let mut book = Daybook::new();
        book.observe("common", &event(DAY_S - 1, 1), None);
        book.observe("common", &event(DAY_S + 3_600, 1), None);
        book.observe("common", &event(DAY_S, 1), Some("git-config"));
        let agent = Event { user_agent: "x", referer: "-", ..event(DAY_S + 7, 2) };
        book.observe("combined", &agent, Some("git-config"));
        book.observe("common", &event(DAY_S + 9, 1), Some("git-config"));
        let rows: Vec<String> = book
            .rows()
            .iter()
            .map(|(key, facts)| {
                let (site, fields) = (key.site.unwrap().0, fields_of(facts.fields).join(","));
                format!(
                    "{} {site} {} {} {:b} {fields}",
                    key.day, key.format, facts.events, facts.hours
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                "0 1 common 1 100000000000000000000000 path,status",
                "1 1 common 3 11 path,status",
                "1 2 combined 1 1 path,status,user-agent",
            ]
        );
        let probes: Vec<_> = book.probes().collect();
        assert_eq!(probes, [("git-config", 1, SiteId(1)), ("git-config", 1, SiteId(2))]);
        assert_eq!(book.rows()[1].1.first..=book.rows()[1].1.last, DAY_S..=DAY_S + 3_600);
    }

    #[test]
    fn the_limit_is_reached_and_counted() {
        let mut book = Daybook::new();
        for day in 0..DAYBOOK_ROWS_MAX as i64 + 5 {
            book.observe("common", &event(day * DAY_S, 1), None);
        }
        book.observe("common", &event(0, 1), None);
        assert_eq!((book.rows().len(), book.overflow()), (DAYBOOK_ROWS_MAX, 5));
        assert_eq!(book.rows()[0].1.events, 2);
    }
}
