//! `Packages`, a hash of Berkeley DB, as rpm wrote it until 4.16 (`dbinc/db_page.h`, `hash.h`).

use super::{Allowance, Damage, PAGES_MAX, VALUE_BYTES_MAX, read};
use crate::cataloger::ReadAt;
use crate::program::number;

/// The mark of a hash file.
const HASH_MAGIC: u32 = 0x0006_1561;

/// Bytes of the head of a page.
const PAGE_HEAD_BYTES: usize = 26;

/// Kinds of pages: two of buckets, one of values that need more than a page.
const HASH_UNSORTED: u8 = 2;
const HASH: u8 = 13;

/// Kinds of items: in the page, or on pages of their own.
const IN_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

/// Shows every value. Values of other tables of rpm are shorter than any package.
///
/// # Errors
/// Says what is damaged; values that were shown before are good.
pub(crate) fn values(source: &dyn ReadAt, show: &mut dyn FnMut(&[u8])) -> Result<(), Damage> {
    let head = read(source, 0, 72)?;
    let magic = [head[12], head[13], head[14], head[15]];
    let little = match HASH_MAGIC {
        magic_le if u32::from_le_bytes(magic) == magic_le => true,
        magic_be if u32::from_be_bytes(magic) == magic_be => false,
        _ => return Err("no hash of Berkeley DB"),
    };
    let page_bytes = part(&head, 20, 4, little).ok_or("a head that ends too early")?;
    if !(512..=65_536).contains(&page_bytes) {
        return Err("an impossible page size");
    }
    let allowance = Allowance::new(source.size(), page_bytes);
    let file = File { source, page_bytes, little, allowance };
    let pages = source.size() / page_bytes;
    for page in 1..pages.min(PAGES_MAX) {
        file.bucket(page, show)?;
    }
    if pages > PAGES_MAX {
        return Err("more pages than are visited");
    }
    if source.size().is_multiple_of(page_bytes) {
        Ok(())
    } else {
        Err("the file ends inside a page")
    }
}

struct File<'a> {
    source: &'a dyn ReadAt,
    page_bytes: u64,
    little: bool,
    allowance: Allowance,
}

impl File<'_> {
    fn page(&self, number: u64) -> Result<Vec<u8>, Damage> {
        self.allowance.page()?;
        let start = number.saturating_mul(self.page_bytes);
        read(self.source, start, usize::try_from(self.page_bytes).unwrap_or_default())
    }

    fn number(&self, bytes: &[u8], at: usize, len: usize) -> Result<u64, Damage> {
        part(bytes, at, len, self.little).ok_or("a page that ends too early")
    }

    /// Keys and values alternate; only values are wanted.
    fn bucket(&self, page: u64, show: &mut dyn FnMut(&[u8])) -> Result<(), Damage> {
        let bytes = self.page(page)?;
        if !matches!(bytes.get(25), Some(&(HASH | HASH_UNSORTED))) {
            return Ok(());
        }
        let items = usize::try_from(self.number(&bytes, 20, 2)?).unwrap_or_default();
        let place = |item: usize| self.number(&bytes, PAGE_HEAD_BYTES + 2 * item, 2);
        for item in (1..items).step_by(2) {
            let start = usize::try_from(place(item)?).unwrap_or(usize::MAX);
            // Items are laid down from the end of the page.
            let end = usize::try_from(place(item - 1)?).unwrap_or(usize::MAX);
            match bytes.get(start) {
                Some(&OFF_PAGE) => {
                    let first = self.number(&bytes, start + 4, 4)?;
                    let len = self.number(&bytes, start + 8, 4)?;
                    show(&self.chain(first, len)?);
                }
                Some(&IN_PAGE) => {
                    let value = bytes.get(start + 1..end).ok_or("an item outside its page")?;
                    self.allowance.value(value.len())?;
                    show(value);
                }
                Some(_) => {}
                None => return Err("an item outside its page"),
            }
        }
        Ok(())
    }

    /// A value over several pages, each with the number of the next.
    fn chain(&self, first: u64, len: u64) -> Result<Vec<u8>, Damage> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        if len > VALUE_BYTES_MAX {
            return Err("a value over the limit");
        }
        let mut value = Vec::new();
        let mut next = first;
        while value.len() < len {
            let page = self.page(next)?;
            let held = usize::try_from(self.number(&page, 22, 2)?).unwrap_or_default();
            let part = page.get(PAGE_HEAD_BYTES..PAGE_HEAD_BYTES + held);
            value.extend(part.filter(|part| !part.is_empty()).ok_or("an empty page in a value")?);
            next = self.number(&page, 16, 4)?;
        }
        value.truncate(len);
        self.allowance.value(len).map(|()| value)
    }
}

fn part(bytes: &[u8], at: usize, len: usize, little: bool) -> Option<u64> {
    Some(number(bytes.get(at..at.checked_add(len)?)?, little))
}
