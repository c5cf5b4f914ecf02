//! The members by the central directory, in the order of their bytes.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};

use memchr::memmem;
use relight_model::FlawCode;
use xxhash_rust::xxh3::xxh3_64;

use super::end::Central;
use super::header::{DESCRIPTOR, Header, is_ae2};
use super::{CENTRAL, IN_ZIP64, LOCAL, LOCAL_BYTES, apply_zip64};
use crate::archive::{Damage, Entry, u16_at, u32_at};
use crate::window::Window;

/// Size of an entry without its name and fields, in bytes.
const FIXED_BYTES: usize = 46;

/// Extra fields of local headers and data descriptors make gaps of this size between members. A
/// member that could be code needs more: its header, its name and a class file.
const SMALL_GAP_BYTES: u64 = 96;

/// What is kept of each member until its turn: a directory may have a million.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Where its local header starts.
    header_at: u64,
    /// Where its data ends at the earliest.
    end: u64,
    /// Where its entry stands in the directory.
    record_at: u32,
}

/// A central directory that was read once and found to be sound.
#[derive(Default)]
pub(super) struct Directory {
    slots: Vec<Slot>,
    next: usize,
    /// The end of everything before `next`.
    end: u64,
    /// Second and later members of a name, by `record_at`.
    copies: HashMap<u32, u32>,
    bytes: Window,
    cached: Window,
    /// The end record counts other members than there are.
    miscounted: bool,
}

impl Directory {
    /// Reads it; `None` when it is damaged.
    pub(super) fn read(window: &Window, central: Central) -> io::Result<Option<Self>> {
        let bytes = window.part(central.at, central.size).cached();
        let mut reader = BufReader::with_capacity(64 << 10, bytes.reader());
        let mut directory = Self { bytes, ..Self::default() };
        let mut names = Vec::new();
        let mut at = 0;
        while at < central.size {
            let Some((header, len)) = read_record(&mut reader, central.size - at)? else {
                return Ok(None);
            };
            let record_at = u32::try_from(at).unwrap_or(u32::MAX);
            let header_at = header.header_at.saturating_add(central.prefix);
            let data_at = LOCAL_BYTES + header.name.len() as u64;
            let end = header_at.saturating_add(data_at).saturating_add(header.packed);
            directory.slots.push(Slot { header_at, end, record_at });
            names.push((hash(&header.name), record_at));
            at += len;
        }
        let count = directory.slots.len() as u64;
        directory.miscounted =
            count != central.entries && !(central.wraps && count % 65_536 == central.entries);
        directory.slots.sort_by_key(|slot| (slot.header_at, slot.record_at));
        directory.copies = number_copies(names, &directory.slots);
        directory.cached = window.cached();
        Ok(Some(directory))
    }

    pub(super) fn damage(&self) -> Vec<Damage> {
        let code = FlawCode::ZipHeaderMismatch;
        self.miscounted.then(|| Damage::new(code, 0)).into_iter().collect()
    }

    /// Counts the bytes of members that the directory does not list: a loader that reads front to
    /// back would run them. That is also how a truncated archive looks whose last member was a
    /// stored archive: its end record is found, with everything before it.
    pub(super) fn hidden_bytes(&self, window: &Window, central: Central) -> io::Result<u64> {
        let window = window.cached();
        let (mut end, mut hidden) = (0, 0);
        for slot in &self.slots {
            let ignored = if end == 0 { LOCAL_BYTES } else { SMALL_GAP_BYTES };
            hidden += hidden_between(&window, end, slot.header_at, ignored)?;
            end = end.max(slot.end);
        }
        Ok(hidden + hidden_between(&window, end, central.at, LOCAL_BYTES)?)
    }

    pub(super) fn next(
        &mut self,
        window: &Window,
        is_wanted: &dyn Fn(&[u8]) -> bool,
    ) -> io::Result<Option<Entry>> {
        let Some(slot) = self.slots.get(self.next).copied() else { return Ok(None) };
        self.next += 1;
        let at = u64::from(slot.record_at);
        let mut reader = self.bytes.part(at, u64::MAX).small_reader();
        let record = read_record(&mut reader, self.bytes.len() - at)?;
        let Some((mut header, _)) = record else { return Ok(None) };
        header.header_at = slot.header_at;
        let overlaps = slot.header_at < self.end;
        self.end = self.end.max(slot.end);
        let mut entry = if is_wanted(&header.name) {
            self.located(window, header)?
        } else {
            Entry { is_listed_only: true, ..header.entry() }
        };
        if overlaps {
            // The bytes were read once, under the name that came first.
            entry.flaws = vec![FlawCode::ZipOverlap];
            entry.body = crate::archive::Body::Nothing;
        }
        entry.copy = self.copies.get(&slot.record_at).copied().unwrap_or(1);
        Ok(Some(entry))
    }

    /// Finds the data behind the local header, and compares the two headers.
    fn located(&self, window: &Window, header: Header) -> io::Result<Entry> {
        let fixed = self.cached.read_small(header.header_at, LOCAL_BYTES as usize)?;
        if fixed.len() < LOCAL_BYTES as usize || !fixed.starts_with(&LOCAL) {
            let mut entry = header.entry();
            entry.flaws.push(FlawCode::CorruptEntry);
            return Ok(entry);
        }
        let (name_len, extra_len) = (u16_at(&fixed, 26), u16_at(&fixed, 28));
        let name_at = header.header_at + LOCAL_BYTES;
        let name = self.cached.read_small(name_at, usize::from(name_len))?;
        let data_at = name_at + u64::from(name_len) + u64::from(extra_len);
        let renamed = name != header.name;
        let mismatch = renamed || !agrees(&fixed, &header);
        let mut entry = header.with_body(window, data_at);
        entry.other_name = renamed.then_some(name);
        if mismatch {
            entry.flaws.push(FlawCode::ZipHeaderMismatch);
        }
        Ok(entry)
    }
}

/// Whether a local header says the same. A writer that knows no sizes yet leaves them zero.
fn agrees(local: &[u8], header: &Header) -> bool {
    let same = |at: usize, value: Option<u64>| {
        let local = u64::from(u32_at(local, at));
        local == 0 || local == IN_ZIP64 || value.is_none_or(|value| value == local)
    };
    let flags = u16_at(local, 6);
    let sizes = flags & DESCRIPTOR != 0
        || same(14, header.crc.map(u64::from))
            && same(18, Some(header.packed))
            && same(22, header.unpacked);
    u16_at(local, 8) == header.method && (flags ^ header.flags) & 1 == 0 && sizes
}

/// Reads one entry and its length; `None` when it is damaged.
fn read_record(reader: &mut impl Read, left: u64) -> io::Result<Option<(Header, u64)>> {
    let mut fixed = [0; FIXED_BYTES];
    if left < FIXED_BYTES as u64 || !fill(reader, &mut fixed)? || fixed[..4] != CENTRAL {
        return Ok(None);
    }
    let [name_len, extra_len, comment_len] = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
    let len = FIXED_BYTES + name_len + extra_len + comment_len;
    let mut rest = vec![0; name_len + extra_len + comment_len];
    if left < len as u64 || !fill(reader, &mut rest)? {
        return Ok(None);
    }
    let extra = &rest[name_len..name_len + extra_len];
    let mut unpacked = u64::from(u32_at(&fixed, 24));
    let mut packed = u64::from(u32_at(&fixed, 20));
    let mut header_at = u64::from(u32_at(&fixed, 42));
    if !apply_zip64(extra, [&mut unpacked, &mut packed, &mut header_at]) {
        return Ok(None);
    }
    let header = Header {
        flags: u16_at(&fixed, 8),
        method: u16_at(&fixed, 10),
        crc: Some(u32_at(&fixed, 16)),
        packed,
        unpacked: Some(unpacked),
        header_at,
        is_ae2: is_ae2(extra),
        name: {
            rest.truncate(name_len);
            rest
        },
    };
    Ok(Some((header, len as u64)))
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Stands for a name where a million of them would take too much memory.
pub(super) fn hash(name: &[u8]) -> u64 {
    xxh3_64(name)
}

/// Every copy of a name is read: loaders differ on which one wins. They are numbered in the order
/// of their bytes.
fn number_copies(mut names: Vec<(u64, u32)>, slots: &[Slot]) -> HashMap<u32, u32> {
    names.sort_unstable();
    let mut doubled: HashMap<u32, u64> = HashMap::new();
    for pair in names.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        doubled.extend(pair.iter().map(|(hash, record_at)| (*record_at, *hash)));
    }
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let mut copies = HashMap::new();
    for slot in slots.iter().filter(|_| !doubled.is_empty()) {
        if let Some(hash) = doubled.get(&slot.record_at) {
            let count = seen.entry(*hash).or_default();
            *count += 1;
            copies.insert(slot.record_at, *count);
        }
    }
    copies
}

/// The size of the gap, if a local header starts in it where one may be expected: at once or
/// behind a data descriptor.
fn hidden_between(window: &Window, from: u64, to: u64, ignored: u64) -> io::Result<u64> {
    let gap = to.saturating_sub(from);
    if gap <= ignored {
        return Ok(0);
    }
    let start = window.read_small(from, 28)?;
    Ok(if memmem::find(&start, &LOCAL).is_some() { gap } else { 0 })
}
