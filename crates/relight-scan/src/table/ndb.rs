//! `Packages.db`, rpm's own format since 4.15 (`lib/backend/ndb/rpmpkg.c`).

use super::{Allowance, Damage, PAGES_MAX, VALUE_BYTES_MAX, read};
use crate::cataloger::ReadAt;

const HEADER_MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";

/// Bytes of a page of slots, of a slot, and of the head of a value.
const PAGE_BYTES: u64 = 4_096;
const SLOT_BYTES: usize = 16;
const BLOB_HEAD_BYTES: usize = 16;

/// Places of values are counted in these.
const BLOCK_BYTES: u64 = 16;

/// Shows every value.
///
/// # Errors
/// Says what is damaged; values that were shown before are good.
pub(crate) fn values(source: &dyn ReadAt, show: &mut dyn FnMut(&[u8])) -> Result<(), Damage> {
    let head = read(source, 0, 32)?;
    if !head.starts_with(HEADER_MAGIC) {
        return Err("no rpm database of this kind");
    }
    let pages = number(&head, 12);
    if pages > PAGES_MAX || pages * PAGE_BYTES > source.size() {
        return Err("more slots than the file can hold");
    }
    let allowance = Allowance::new(source.size(), PAGE_BYTES);
    for page in 0..pages {
        let slots = read(source, page * PAGE_BYTES, PAGE_BYTES as usize)?;
        // The first two slots of the first page are the header.
        for slot in slots.chunks_exact(SLOT_BYTES).skip(if page == 0 { 2 } else { 0 }) {
            if !slot.starts_with(SLOT_MAGIC) {
                return Err("a slot without its mark");
            }
            let (package, block) = (number(slot, 4), number(slot, 8));
            if package != 0 {
                show(&value(source, &allowance, package, block * BLOCK_BYTES)?);
            }
        }
    }
    Ok(())
}

fn value(
    source: &dyn ReadAt,
    allowance: &Allowance,
    package: u64,
    start: u64,
) -> Result<Vec<u8>, Damage> {
    let head = read(source, start, BLOB_HEAD_BYTES)?;
    let len = usize::try_from(number(&head, 12)).unwrap_or(usize::MAX);
    if !head.starts_with(BLOB_MAGIC) || number(&head, 4) != package {
        return Err("a value without its mark");
    }
    if len > VALUE_BYTES_MAX {
        return Err("a value over the limit");
    }
    let bytes = read(source, start + BLOB_HEAD_BYTES as u64, len)?;
    allowance.value(len).map(|()| bytes)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
}
