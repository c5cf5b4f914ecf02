//! How many rows a table has, and how many it may have.

use rusqlite::{Connection, Params, Transaction};

use crate::StoreErrorKind;
use crate::store::Failure;

/// The rows of `from`: a table, with what they have to fulfil.
pub(crate) fn count_of(
    database: &Connection,
    from: &str,
    params: impl Params,
) -> Result<usize, rusqlite::Error> {
    let sql = format!("SELECT count(*) FROM {from}");
    let count: i64 = database.prepare_cached(&sql)?.query_row(params, |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Refuses one more where there are `most` already.
pub(crate) fn refuse_over(
    transaction: &Transaction<'_>,
    from: &str,
    params: impl Params,
    most: usize,
) -> Result<(), Failure> {
    if count_of(transaction, from, params)? < most {
        return Ok(());
    }
    let table = from.split(' ').next().unwrap_or(from);
    let context = format!("there are {most} rows of {table} already");
    Err(Failure::rule(StoreErrorKind::Limit, context))
}
