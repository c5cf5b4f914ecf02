//! The tables of a SQLite file (sqlite.org/fileformat2.html). Changes that still stand in a
//! write-ahead log beside it are not seen: package managers fold it in when they end.

use super::{Allowance, COLUMNS_MAX, Damage, PAGES_MAX, VALUE_BYTES_MAX, read};
use crate::cataloger::ReadAt;

/// Pages that are known and were not visited yet: those of one path through a tree.
const PENDING_MAX: usize = 1 << 18;

/// A column of a row, as far as package managers use them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Null,
    Integer(i64),
    Bytes(Vec<u8>),
}

impl Column {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Null | Self::Integer(_) => &[],
        }
    }
}

/// Shows every row of a table; `Ok(false)` when there is no such table.
///
/// # Errors
/// Says what is damaged; rows that were shown before are good.
pub(crate) fn rows(
    source: &dyn ReadAt,
    table: &str,
    row: &mut dyn FnMut(&[Column]),
) -> Result<bool, Damage> {
    let file = File::open(source)?;
    let mut root = None;
    // The schema is a table itself: type, name, name of the table, root page, SQL.
    file.walk(1, &mut |columns| {
        if let [kind, name, _, Column::Integer(page), ..] = columns
            && kind.bytes() == b"table"
            && name.bytes().eq_ignore_ascii_case(table.as_bytes())
        {
            root = u64::try_from(*page).ok();
        }
    })?;
    match root {
        Some(root) => file.walk(root, row).map(|()| true),
        None => Ok(false),
    }
}

struct File<'a> {
    source: &'a dyn ReadAt,
    page_bytes: usize,
    usable: usize,
    allowance: Allowance,
}

impl<'a> File<'a> {
    fn open(source: &'a dyn ReadAt) -> Result<Self, Damage> {
        let head = read(source, 0, 100)?;
        if !head.starts_with(b"SQLite format 3\0") {
            return Err("no SQLite file");
        }
        let size = usize::from(u16::from_be_bytes([head[16], head[17]]));
        let page_bytes = if size == 1 { 65_536 } else { size };
        if !page_bytes.is_power_of_two() || page_bytes < 512 {
            return Err("an impossible page size");
        }
        let usable = page_bytes - usize::from(head[20]);
        let allowance = Allowance::new(source.size(), page_bytes as u64);
        Ok(Self { source, page_bytes, usable, allowance })
    }

    fn page(&self, number: u64) -> Result<Vec<u8>, Damage> {
        self.allowance.page()?;
        let start = number.checked_sub(1).ok_or("a link to page 0")?;
        read(self.source, start.saturating_mul(self.page_bytes as u64), self.page_bytes)
    }

    /// Every row of the tree at `root`. The stack of pages is ours, and a tree cannot have more
    /// pages than the file.
    fn walk(&self, root: u64, row: &mut dyn FnMut(&[Column])) -> Result<(), Damage> {
        let mut pending = vec![root];
        let mut left = (self.source.size() / self.page_bytes as u64).min(PAGES_MAX);
        while let Some(number) = pending.pop() {
            left = left.checked_sub(1).ok_or("pages that point in a circle")?;
            let page = self.page(number)?;
            let start = if number == 1 { 100 } else { 0 };
            let short = |at: usize| {
                let bytes = page.get(at..at + 2).ok_or("a page that ends too early")?;
                Ok::<_, Damage>(usize::from(u16::from_be_bytes([bytes[0], bytes[1]])))
            };
            let cells = short(start + 3)?;
            let (interior, first) = match page.get(start) {
                Some(5) => (true, start + 12),
                Some(13) => (false, start + 8),
                _ => return Err("a page of another kind"),
            };
            if interior {
                pending.push(long(&page, start + 8)?);
            }
            for cell in 0..cells {
                let at = short(first + 2 * cell)?;
                if interior {
                    if pending.len() == PENDING_MAX {
                        return Err("more links than any tree has");
                    }
                    pending.push(long(&page, at)?);
                } else {
                    row(&columns(&self.payload(&page, at)?)?);
                }
            }
        }
        Ok(())
    }

    /// The bytes of a row, from its page and from those it overflows into.
    fn payload(&self, page: &[u8], at: usize) -> Result<Vec<u8>, Damage> {
        let (len, at) = varint(page, at)?;
        let (_, at) = varint(page, at)?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > VALUE_BYTES_MAX {
            return Err("a row over the limit");
        }
        let whole_max = self.usable - 35;
        if len <= whole_max {
            let bytes = page.get(at..at + len).ok_or("a row outside its page")?;
            return self.allowance.value(len).map(|()| bytes.to_vec());
        }
        let local_min = (self.usable - 12) * 32 / 255 - 23;
        let local = local_min + (len - local_min) % (self.usable - 4);
        let local = if local <= whole_max { local } else { local_min };
        let mut bytes = page.get(at..at + local).ok_or("a row outside its page")?.to_vec();
        let mut next = long(page, at + local)?;
        while bytes.len() < len {
            let page = self.page(next)?;
            next = long(&page, 0)?;
            let part = (len - bytes.len()).min(self.usable - 4);
            bytes.extend(page.get(4..4 + part).ok_or("a row outside its page")?);
        }
        self.allowance.value(len).map(|()| bytes)
    }
}

fn long(bytes: &[u8], at: usize) -> Result<u64, Damage> {
    let bytes: [u8; 4] = bytes
        .get(at..at.saturating_add(4))
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or("a page that ends too early")?;
    Ok(u64::from(u32::from_be_bytes(bytes)))
}

/// A number of one to nine bytes, and the place behind it.
fn varint(bytes: &[u8], at: usize) -> Result<(u64, usize), Damage> {
    let mut value = 0_u64;
    for index in 0..9 {
        let byte = *bytes.get(at + index).ok_or("a number that ends too early")?;
        if index == 8 {
            return Ok((value << 8 | u64::from(byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((value, at + index + 1));
        }
    }
    Err("a number that ends too early")
}

/// The columns of a record: a header of types, then the values.
fn columns(record: &[u8]) -> Result<Vec<Column>, Damage> {
    let (header, mut at) = varint(record, 0)?;
    let header = usize::try_from(header).unwrap_or(usize::MAX);
    let mut value = header;
    let mut columns = Vec::new();
    while at < header {
        if columns.len() == COLUMNS_MAX {
            return Err("a row of too many columns");
        }
        let (kind, next) = varint(record, at)?;
        at = next;
        let len = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err("a value of an unknown type"),
            _ => (kind - 12) / 2,
        };
        let end = value.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        let bytes = record.get(value..end).ok_or("a value outside its row")?;
        value = end;
        columns.push(match kind {
            0 | 7 => Column::Null,
            8 => Column::Integer(0),
            9 => Column::Integer(1),
            1..=6 => Column::Integer(integer(bytes)),
            _ => Column::Bytes(bytes.to_vec()),
        });
    }
    Ok(columns)
}

/// A signed number, its highest byte first.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))
}
