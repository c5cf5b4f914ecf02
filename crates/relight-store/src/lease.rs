//! Leases: who may act, under a term that grows, so that an older holder is refused.

use relight_model::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use crate::settings;
use crate::{Store, StoreError, StoreErrorKind, store::Failure};

/// Name of the lease that the appender of the journal holds.
pub const JOURNAL_LEASE: &str = "journal";

/// The right to act, until somebody else takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What it is about ([`JOURNAL_LEASE`], or one per edge).
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Grows by one each time somebody takes it, from 1.
    pub term: u64,
}

impl Store {
    /// Takes a lease; whoever held it before is refused from now on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
    ) -> Result<Lease, StoreError> {
        let take = |transaction: &Transaction<'_>| -> Result<i64, Failure> {
            let query = "INSERT INTO lease (name, holder, term, taken_at) VALUES (?1, ?2, 1, ?3)
                         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder,
                         term = term + 1, taken_at = excluded.taken_at RETURNING term";
            Ok(transaction.query_row(query, params![name, holder, now], |row| row.get(0))?)
        };
        let doing = "taking a lease";
        let term = if name == JOURNAL_LEASE {
            let term = self.write_on_reserve(doing, take)?;
            self.begin_reserve();
            term
        } else {
            self.write(doing, take)?
        };
        let term = i64::cast_unsigned(term);
        Ok(Lease { name: name.to_owned(), holder: holder.to_owned(), term })
    }

    /// Raises the term of a lease that is held to at least `term`: after a register was restored
    /// from a copy, its terms begin below those that its edges have seen.
    ///
    /// # Errors
    /// Somebody else took it since (`Fenced`), or the database cannot be written.
    pub fn raise_lease(&self, lease: &Lease, term: u64) -> Result<Lease, StoreError> {
        let wanted = term.max(lease.term).cast_signed();
        let raise = |transaction: &Transaction<'_>| -> Result<usize, Failure> {
            let query = "UPDATE lease SET term = ?3 WHERE name = ?1 AND term = ?2";
            let given = params![lease.name, lease.term.cast_signed(), wanted];
            let raised = transaction.execute(query, given)?;
            if raised == 0 {
                let context = "raising the term of a lease: somebody else took it since";
                return Err(Failure::rule(StoreErrorKind::Fenced, context));
            }
            Ok(raised)
        };
        self.write_on_reserve("raising the term of a lease", raise)?;
        Ok(Lease { term: wanted.cast_unsigned(), ..lease.clone() })
    }

    /// Who holds a lease now; `None` when nobody ever took it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn lease(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        let found = self.read("reading a lease", |database| {
            let query = "SELECT holder, term FROM lease WHERE name = ?1";
            let found = database.query_row(query, [name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            });
            Ok(found.optional()?)
        })?;
        Ok(found.map(|(holder, term)| Lease {
            name: name.to_owned(),
            holder,
            term: term.cast_unsigned(),
        }))
    }
}

impl Store {
    /// Sets a setting for the holder of the lease on the journal. It is no news of the register:
    /// [`Store::generation`] stays as it is.
    ///
    /// # Errors
    /// Somebody else took the lease since (`Fenced`), or the database cannot be written.
    pub fn put_as_controller(
        &self,
        lease: &Lease,
        key: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        self.write_on_reserve("writing a setting", |transaction| {
            check_journal_lease(transaction, lease)?;
            Ok(settings::put(transaction, key, value)?)
        })
    }
}

/// Refuses a lease on the journal that somebody else took since, in the writer's own transaction.
pub(crate) fn check_journal_lease(
    transaction: &Transaction<'_>,
    lease: &Lease,
) -> Result<(), Failure> {
    let current: Option<i64> = transaction
        .prepare_cached("SELECT term FROM lease WHERE name = ?1")?
        .query_row([JOURNAL_LEASE], |row| row.get(0))
        .optional()?;
    if lease.name == JOURNAL_LEASE && current == Some(lease.term.cast_signed()) {
        return Ok(());
    }
    let context = format!(
        "appending to the journal: `{}` holds `{}` under term {}, the journal's term is {}",
        lease.holder,
        lease.name,
        lease.term,
        current.unwrap_or_default()
    );
    Err(Failure::rule(StoreErrorKind::Fenced, context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::open;

    #[test]
    fn a_term_grows_with_each_taker_and_for_each_name_alone() {
        let (_folder, store) = open();
        let take = |name, holder| store.take_lease(name, holder, 1).unwrap().term;
        assert_eq!([take("a", "x"), take("a", "y"), take("a", "y")], [1, 2, 3]);
        assert_eq!(take("b", "x"), 1);
        let held = store.lease("a").unwrap().unwrap();
        assert_eq!((held.name.as_str(), held.holder.as_str(), held.term), ("a", "y", 3));
        assert_eq!(store.lease("c").unwrap(), None);
    }

    #[test]
    fn only_who_holds_the_journal_sets_its_settings() {
        let (_folder, store) = open();
        let (first, before) =
            (store.take_lease(JOURNAL_LEASE, "x", 1).unwrap(), store.generation());
        store.put_as_controller(&first, "a", "1").unwrap();
        assert_eq!(store.generation().unwrap(), before.unwrap(), "nothing to compute anew");
        store.take_lease(JOURNAL_LEASE, "y", 2).unwrap();
        let refused = store.put_as_controller(&first, "a", "2").unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Fenced);
        assert_eq!(store.meta_get("a").unwrap().as_deref(), Some("1"));
    }
}
