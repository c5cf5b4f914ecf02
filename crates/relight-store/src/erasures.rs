//! Sources that were erased lately. What was read of a log before and is stored afterwards must
//! leave them out too, so each is remembered for a day and then forgotten itself.

use std::net::IpAddr;

use relight_model::Timestamp;
use rusqlite::Connection;

use crate::{Store, StoreError, blob, settings};

/// How long a source that was erased is remembered, in seconds.
pub const ERASED_KEPT_S: Timestamp = 86_400;

/// The setting in which they are: the number of the last erasure, then a line for each one with
/// its number, its moment and the source.
const ERASED: &str = "watch-erased";

/// See the head of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasures {
    last: u64,
    kept: Vec<(u64, Timestamp, IpAddr)>,
}

impl Erasures {
    /// Number of the last one; zero when there was none.
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// The sources that were erased after that number; `None` when some of them are forgotten.
    pub fn since(&self, number: u64) -> Option<impl Iterator<Item = IpAddr>> {
        let all = self.kept.first().map_or(self.last, |(first, ..)| first - 1) <= number;
        let since = self.kept.iter().filter(move |(at, ..)| *at > number);
        all.then(|| since.map(|(.., source)| *source))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let last = lines.next()?.parse().ok()?;
        let line = |line: &str| {
            let [number, at, source] = *line.split(' ').collect::<Vec<_>>() else { return None };
            Some((number.parse().ok()?, at.parse().ok()?, source.parse().ok()?))
        };
        Some(Self { last, kept: lines.map(line).collect::<Option<_>>()? })
    }

    fn text(&self) -> String {
        let line =
            |(number, at, source): &(u64, Timestamp, IpAddr)| format!("{number} {at} {source}\n");
        format!("{}\n{}", self.last, self.kept.iter().map(line).collect::<String>())
    }
}

impl Store {
    /// The sources that were erased lately.
    ///
    /// # Errors
    /// The database cannot be read, or they do not read back (`Corrupt`).
    pub fn erasures(&self) -> Result<Erasures, StoreError> {
        self.read("reading what was erased", |database| Ok(erasures(database)?))
    }

    /// An erasure begins or is done: what others have read and not yet stored must leave the
    /// source out.
    ///
    /// # Errors
    /// As [`Store::erasures`], or the database cannot be written.
    pub fn put_erasure(&self, at: Timestamp, source: IpAddr) -> Result<(), StoreError> {
        self.write("noting an erasure", |transaction| {
            let mut erasures = erasures(transaction)?;
            erasures.last += 1;
            erasures.kept.push((erasures.last, at, source));
            Ok(put(transaction, &erasures)?)
        })
    }

    /// Forgets the sources of erasures that are older than [`ERASED_KEPT_S`].
    ///
    /// # Errors
    /// As [`Store::put_erasure`].
    pub fn forget_erasures(&self, now: Timestamp) -> Result<(), StoreError> {
        let is_kept = |at: Timestamp| at > now - ERASED_KEPT_S;
        if self.erasures()?.kept.iter().all(|(_, at, _)| is_kept(*at)) {
            return Ok(());
        }
        self.write("forgetting what was erased", |transaction| {
            let mut erasures = erasures(transaction)?;
            let first = erasures.kept.iter().position(|(_, at, _)| is_kept(*at));
            erasures.kept.drain(..first.unwrap_or(erasures.kept.len()));
            Ok(put(transaction, &erasures)?)
        })
    }
}

/// See [`Store::erasures`].
pub(crate) fn erasures(database: &Connection) -> rusqlite::Result<Erasures> {
    let Some(text) = settings::get(database, ERASED)? else { return Ok(Erasures::default()) };
    let damaged = || blob::not_what_was_written(0, "what was erased does not read back");
    Erasures::parse(&text).ok_or_else(damaged)
}

fn put(transaction: &Connection, erasures: &Erasures) -> rusqlite::Result<()> {
    settings::put(transaction, ERASED, &erasures.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;
    use crate::testing::open;

    fn since(store: &Store, number: u64) -> Option<Vec<String>> {
        let erasures = store.erasures().unwrap();
        erasures.since(number).map(|sources| sources.map(|it| it.to_string()).collect())
    }

    #[test]
    fn sources_are_remembered_for_a_day() {
        let (_folder, store) = open();
        assert_eq!((store.erasures().unwrap().last(), since(&store, 0)), (0, Some(vec![])));
        let sources = ["192.0.2.1", "2001:db8::1", "192.0.2.1"];
        for (at, source) in sources.iter().enumerate() {
            store.put_erasure(at as i64 * 10, source.parse().unwrap()).unwrap();
        }
        let all = sources.map(str::to_owned).to_vec();
        assert_eq!(since(&store, 0), Some(all.clone()));
        assert_eq!(since(&store, 2), Some(all[2..].to_vec()));
        store.forget_erasures(ERASED_KEPT_S - 1).unwrap();
        assert_eq!(since(&store, 0), Some(all.clone()));
        store.forget_erasures(ERASED_KEPT_S + 10).unwrap();
        assert_eq!(since(&store, 1), None, "nobody knows the second any more");
        assert_eq!(since(&store, 2), Some(all[2..].to_vec()));
        store.forget_erasures(2 * ERASED_KEPT_S).unwrap();
        let told = store.meta_get(ERASED).unwrap();
        assert_eq!((told.as_deref(), since(&store, 2)), (Some("3\n"), None));
        assert_eq!((store.erasures().unwrap().last(), since(&store, 3)), (3, Some(vec![])));
    }

    #[test]
    fn what_does_not_read_back_is_told() {
        let (_folder, store) = open();
        for corrupt in ["", "x", "1\n1 2", "1\n1 2 192.0.2.300\n"] {
            store.meta_put(ERASED, corrupt).unwrap();
            let error = store.erasures().unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{corrupt}");
        }
    }
}
