//! A pool as bytes: versioned, little-endian, sorted; the same pool is the same bytes.

use super::{Pool, Print, Row, SOURCE_ROWS_MAX, SourceKey, Table, USERS_MAX, Users, weak_rows};
use crate::WatchError;
use crate::marks::Marks;

/// What every stored pool begins with; the last two bytes are the version of the layout.
const MAGIC: [u8; 8] = *b"rlpool\x02\0";

/// Bytes of a stored row.
const ROW_BYTES: usize = 32;

impl Pool {
    /// The pool as bytes.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for table in [&mut self.strong, &mut self.weak] {
            // Putting the rows in order may lower the limit of keys, so both are filled in after.
            let head = out.len();
            out.extend([0; 16]);
            let mut count = 0_u64;
            for row in table.sorted() {
                write_row(&mut out, row);
                count += 1;
            }
            out[head..head + 8].copy_from_slice(&table.ceiling().to_le_bytes());
            out[head + 8..head + 16].copy_from_slice(&count.to_le_bytes());
        }
        let (pairs, full) = self.users.0.sorted();
        out.extend(u64::from(full).to_le_bytes());
        out.extend((pairs.len() as u64).to_le_bytes());
        pairs.iter().for_each(|pair| out.extend_from_slice(&pair.to_le_bytes()));
        out
    }

    /// Reads what [`Pool::to_bytes`] wrote, into a pool with room for `rows_max` rows of strong
    /// contacts.
    ///
    /// # Errors
    /// When the bytes are not such a pool: another version, cut short, over a limit, out of order
    /// or with something behind the end.
    pub fn from_bytes(bytes: &[u8], rows_max: usize) -> Result<Self, WatchError> {
        let mut reader = Reader { bytes, at: 0 };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(WatchError { code: "pool-version", offset: 0 });
        }
        let strong = reader.table(rows_max)?;
        let weak = reader.table(weak_rows(rows_max))?;
        let users = reader.users()?;
        if reader.at < bytes.len() {
            return Err(reader.error("pool-trailing"));
        }
        Ok(Self { strong, weak, users })
    }
}

fn write_row(out: &mut Vec<u8>, row: &Row) {
    let Row { source, class_and_door, place, first, last_and_served, print } = *row;
    let Print { tls, agent } = print;
    out.extend(source.0.to_le_bytes());
    for number in [class_and_door, place, first, last_and_served, tls, agent] {
        out.extend(number.to_le_bytes());
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn error(&self, code: &'static str) -> WatchError {
        WatchError { code, offset: self.at }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WatchError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(self.error("pool-truncated"))?;
        self.at += length;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, WatchError> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn u64(&mut self) -> Result<u64, WatchError> {
        let bytes = self.take(8)?;
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// A count of things of `size` bytes that must all be there: nothing is allocated by a number
    /// that was not checked.
    fn count(&mut self, max: usize, size: usize) -> Result<usize, WatchError> {
        let count = self.u64()?;
        let room = (self.bytes.len() - self.at) / size;
        match usize::try_from(count) {
            Ok(count) if count > max => Err(self.error("pool-length")),
            Ok(count) if count <= room => Ok(count),
            _ => Err(self.error("pool-truncated")),
        }
    }

    fn table(&mut self, rows_max: usize) -> Result<Table, WatchError> {
        let mut table = Table::new(rows_max, SOURCE_ROWS_MAX);
        let ceiling = self.u64()?;
        let mut last: Option<Row> = None;
        for _ in 0..self.count(rows_max, ROW_BYTES)? {
            let row = Row {
                source: SourceKey(self.u64()?),
                class_and_door: self.u32()?,
                place: self.u32()?,
                first: self.u32()?,
                last_and_served: self.u32()?,
                print: Print { tls: self.u32()?, agent: self.u32()? },
            };
            let ascends = last.is_none_or(|last| last.key() < row.key());
            if !ascends || row.source.0 > ceiling {
                return Err(self.error("pool-order"));
            }
            table.insert(row);
            last = Some(row);
        }
        table.set_ceiling(ceiling);
        Ok(table)
    }

    fn users(&mut self) -> Result<Users, WatchError> {
        let full = match self.u64()? {
            0 => false,
            1 => true,
            _ => return Err(self.error("pool-flag")),
        };
        let count = self.count(USERS_MAX, 8)?;
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            let pair = self.u64()?;
            if pairs.last().is_some_and(|last| *last >= pair) {
                return Err(self.error("pool-order"));
            }
            pairs.push(pair);
        }
        Ok(Users(Marks::from_sorted(pairs, full, USERS_MAX)))
    }
}
