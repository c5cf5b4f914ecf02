//! The members by the central directory, in the order of their bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io;

use memchr::memmem;
use relight_model::FlawCode;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use super::end::Central;
use super::header::{DESCRIPTOR, Header, is_ae2};
use super::{CENTRAL, IN_ZIP64, LOCAL, LOCAL_BYTES, apply_zip64};
use crate::archive::{Damage, Entry, IsWanted, Listable, u16_at, u32_at};
use crate::window::Window;

/// Size of an entry without its name and fields, in bytes.
const FIXED_BYTES: usize = 46;

/// Extra fields of local headers and data descriptors make gaps of this size between members. A
/// member that could be code needs more: its header, its name and a class file.
const SMALL_GAP_BYTES: u64 = 96;

/// Bytes of a directory that is held in memory while its members are read. A larger one is read in
/// pieces, once to check it and once for its members.
const HELD_BYTES_MAX: u64 = 4 << 20;

/// A member that starts so far behind the one that was looked up before stands together with it.
const NEAR_BYTES: u64 = 8 << 10;

/// Members that stand together before a piece of the disk is read for those that follow.
const NEAR_MIN: u32 = 3;

/// Bits of the filter in front of the search for doubled names, for each member.
const FILTER_BITS: usize = 16;

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
    /// The local header that was read last; its room is used again.
    local: Vec<u8>,
    /// The end record counts other members than there are.
    miscounted: bool,
    /// Few members are looked up: pieces of the disk around them would be read for nothing, but
    /// where they stand together.
    is_sparse: bool,
    /// Where the member ends that was looked up last, and how many stand together with it.
    looked_up: (u64, u32),
}

impl Directory {
    /// Reads it; `None` when it is damaged.
    pub(super) fn read(window: &Window, central: Central) -> io::Result<Option<Self>> {
        let part = window.part(central.at, central.size);
        let bytes = if central.size <= HELD_BYTES_MAX {
            let len = usize::try_from(central.size).unwrap_or_default();
            Window::of_memory(part.read(0, len)?)
        } else {
            part.cached()
        };
        let room = usize::try_from(central.entries.min(central.size / FIXED_BYTES as u64));
        let mut slots = Vec::with_capacity(room.unwrap_or_default());
        let mut names = Vec::with_capacity(slots.capacity());
        let mut at = 0;
        let held = bytes.memory();
        while at < central.size {
            let Some(record) = Record::at(held, &bytes, at)? else { return Ok(None) };
            let record_at = u32::try_from(at).unwrap_or(u32::MAX);
            let header_at = record.header_at.saturating_add(central.prefix);
            let data_at = LOCAL_BYTES + record.name_len as u64;
            let end = header_at.saturating_add(data_at).saturating_add(record.packed);
            slots.push(Slot { header_at, end, record_at });
            names.push((hash(record.name()), record_at));
            at += record.bytes.len() as u64;
        }
        let count = slots.len() as u64;
        let miscounted =
            count != central.entries && !(central.wraps && count % 65_536 == central.entries);
        let place = |slot: &Slot| (slot.header_at, slot.record_at);
        if !slots.is_sorted_by_key(place) {
            slots.sort_by_key(place);
        }
        let copies = number_copies(doubled(names), &slots);
        let cached = window.cached();
        Ok(Some(Self { slots, copies, bytes, cached, miscounted, ..Self::default() }))
    }

    /// Where the first member stands.
    pub(super) fn first_at(&self) -> Option<u64> {
        self.slots.first().map(|slot| slot.header_at)
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
        is_wanted: &IsWanted<'_>,
    ) -> io::Result<Option<Entry>> {
        let Some(slot) = self.slots.get(self.next).copied() else { return Ok(None) };
        self.next += 1;
        let Some(record) = Record::read(&self.bytes, slot.record_at.into())? else {
            return Ok(None);
        };
        let is_wanted = is_wanted(&record.listable());
        let mut header = record.header();
        header.header_at = slot.header_at;
        let overlaps = slot.header_at < self.end;
        self.end = self.end.max(slot.end);
        let mut entry = if is_wanted {
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

    /// Gives the members that come next to somebody who lists them, until one is not taken. Where
    /// their bytes are is not looked up; from then on, what is looked up stands far apart.
    pub(super) fn pass(&mut self, take: &mut dyn FnMut(&Listable<'_>) -> bool) {
        self.is_sparse = true;
        let held = self.bytes.memory();
        while let Some(slot) = self.slots.get(self.next) {
            let record = Record::at(held, &self.bytes, slot.record_at.into());
            let Ok(Some(record)) = record else { return };
            if slot.header_at < self.end || !take(&record.listable()) {
                return;
            }
            self.end = slot.end;
            self.next += 1;
        }
    }

    /// Shows every member; false when two share bytes, or one cannot be read.
    pub(super) fn each(&self, show: &mut dyn FnMut(&Listable<'_>)) -> bool {
        let mut end = 0;
        let held = self.bytes.memory();
        for slot in &self.slots {
            match Record::at(held, &self.bytes, slot.record_at.into()) {
                Ok(Some(record)) if slot.header_at >= end => show(&record.listable()),
                _ => return false,
            }
            end = slot.end;
        }
        true
    }

    /// Hash of all of it.
    pub(super) fn hash(&self) -> io::Result<u64> {
        const PIECE_BYTES: usize = 64 << 10;
        let mut hasher = Xxh3Default::new();
        let mut at = 0;
        while at < self.bytes.len() {
            let piece = self.bytes.peek(at, PIECE_BYTES)?;
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            at += piece.len() as u64;
        }
        Ok(hasher.digest())
    }

    /// How many members are left.
    pub(super) fn left(&self) -> usize {
        self.slots.len() - self.next
    }

    /// Finds the data behind the local header, and compares the two headers.
    fn located(&mut self, window: &Window, header: Header) -> io::Result<Entry> {
        let (end, together) = self.looked_up;
        let is_near = header.header_at.saturating_sub(end) < NEAR_BYTES;
        let together = if is_near { together.saturating_add(1) } else { 0 };
        self.looked_up = (header.header_at.saturating_add(header.packed), together);
        let near = if self.is_sparse && together < NEAR_MIN { window } else { &self.cached };
        let len = LOCAL_BYTES as usize + header.name.len();
        let mut local = std::mem::take(&mut self.local);
        near.read_small_into(header.header_at, len, &mut local)?;
        let entry = located_by(&local, near, header);
        self.local = local;
        entry
    }
}

/// The same by the local header, as it was read with as many bytes of names as the directory has.
fn located_by(local: &[u8], near: &Window, header: Header) -> io::Result<Entry> {
    let (fixed, found) = local.split_at(local.len().min(LOCAL_BYTES as usize));
    if fixed.len() < LOCAL_BYTES as usize || !fixed.starts_with(&LOCAL) {
        let mut entry = header.entry();
        entry.flaws.push(FlawCode::CorruptEntry);
        return Ok(entry);
    }
    let (name_len, extra_len) = (u16_at(fixed, 26), u16_at(fixed, 28));
    let name_at = header.header_at + LOCAL_BYTES;
    let name = match found.get(..usize::from(name_len)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(near.read_small(name_at, usize::from(name_len))?),
    };
    let data_at = name_at + u64::from(name_len) + u64::from(extra_len);
    let renamed = *name != header.name[..];
    let mismatch = renamed || !agrees(fixed, &header);
    let mut entry = header.with_body(near, data_at);
    entry.other_name = renamed.then(|| name.into_owned());
    if mismatch {
        entry.flaws.push(FlawCode::ZipHeaderMismatch);
    }
    Ok(entry)
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

/// One entry of a directory, where it stands.
struct Record<'a> {
    bytes: Cow<'a, [u8]>,
    name_len: usize,
    extra_len: usize,
    packed: u64,
    unpacked: u64,
    header_at: u64,
}

impl<'a> Record<'a> {
    /// Reads the entry that starts at `at`; `None` when it is damaged.
    fn read(bytes: &'a Window, at: u64) -> io::Result<Option<Self>> {
        Self::at(bytes.memory(), bytes, at)
    }

    /// The same; `held` is all of `bytes`, where that is in memory.
    fn at(held: Option<&'a [u8]>, bytes: &'a Window, at: u64) -> io::Result<Option<Self>> {
        if let Some(held) = held {
            let rest = usize::try_from(at).ok().and_then(|at| held.get(at..)).unwrap_or_default();
            let len = len_of(rest);
            return Ok(len.and_then(|len| Self::of(Cow::Borrowed(rest.get(..len)?))));
        }
        let Some(len) = len_of(&bytes.small(at, FIXED_BYTES)?) else { return Ok(None) };
        let bytes = bytes.small(at, len)?;
        Ok(if bytes.len() == len { Self::of(bytes) } else { None })
    }

    /// Takes a whole entry apart.
    fn of(bytes: Cow<'a, [u8]>) -> Option<Self> {
        let [name_len, extra_len] = [28, 30].map(|at| usize::from(u16_at(&bytes, at)));
        let [mut packed, mut unpacked, mut header_at] =
            [20, 24, 42].map(|at| u64::from(u32_at(&bytes, at)));
        let extra_at = FIXED_BYTES + name_len;
        let extra = bytes.get(extra_at..extra_at + extra_len)?;
        let is_whole = apply_zip64(extra, [&mut unpacked, &mut packed, &mut header_at]);
        is_whole.then_some(Self { bytes, name_len, extra_len, packed, unpacked, header_at })
    }

    fn name(&self) -> &[u8] {
        &self.bytes[FIXED_BYTES..FIXED_BYTES + self.name_len]
    }

    fn extra(&self) -> &[u8] {
        let at = FIXED_BYTES + self.name_len;
        &self.bytes[at..at + self.extra_len]
    }

    fn header(&self) -> Header {
        Header {
            flags: u16_at(&self.bytes, 8),
            method: u16_at(&self.bytes, 10),
            crc: Some(u32_at(&self.bytes, 16)),
            packed: self.packed,
            unpacked: Some(self.unpacked),
            header_at: self.header_at,
            is_ae2: is_ae2(self.extra()),
            name: self.name().to_vec(),
        }
    }

    /// What [`Header::entry`] says, for somebody who only lists it.
    fn listable(&self) -> Listable<'_> {
        let is_folder = self.packed == 0 && self.name().ends_with(b"/");
        let has_crc = !is_folder && !is_ae2(self.extra());
        let crc = has_crc.then(|| u32_at(&self.bytes, 16));
        Listable { name: self.name(), size: self.unpacked, crc, is_folder }
    }
}

/// Bytes of the entry that starts so; `None` when none does.
fn len_of(fixed: &[u8]) -> Option<usize> {
    let is_entry = fixed.len() >= FIXED_BYTES && fixed[..4] == CENTRAL;
    let lens = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
    is_entry.then(|| FIXED_BYTES + lens.iter().sum::<usize>())
}

/// Stands for a name where a million of them would take too much memory.
pub(super) fn hash(name: &[u8]) -> u64 {
    xxh3_64(name)
}

/// The names, by their hashes, that may be there more than once.
fn doubled(names: Vec<(u64, u32)>) -> Vec<(u64, u32)> {
    let bits = (names.len() * FILTER_BITS).next_power_of_two().max(64);
    let (mut once, mut twice) = (vec![0_u64; bits / 64], vec![0_u64; bits / 64]);
    let place = |hash: u64| ((hash >> 6) as usize & (bits / 64 - 1), 1_u64 << (hash & 63));
    for (hash, _) in &names {
        let (at, bit) = place(*hash);
        twice[at] |= once[at] & bit;
        once[at] |= bit;
    }
    let may_be_doubled = |(hash, _): &(u64, u32)| {
        let (at, bit) = place(*hash);
        twice[at] & bit != 0
    };
    names.into_iter().filter(may_be_doubled).collect()
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
