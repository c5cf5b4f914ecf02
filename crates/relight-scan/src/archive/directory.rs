//! The list of members: by the central directory, or by the local headers where it is damaged.

use std::io::{self, BufReader, Read};

use memchr::memmem;
use relight_model::FlawCode;

use super::{CENTRAL, END, END_BYTES, IN_ZIP64, LOCAL, LOCAL_BYTES};
use super::{apply_zip64, u16_at, u32_at, u64_at};
use crate::limits::Options;
use crate::window::Window;

/// A member as an archive lists it. Nothing in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Box<[u8]>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    /// `None` when a damaged archive does not say.
    pub(crate) crc: Option<u32>,
    pub(crate) packed: u64,
    /// `None` when a damaged archive does not say.
    pub(crate) unpacked: Option<u64>,
    /// Where its local header starts in the window.
    pub(crate) header_at: u64,
    /// Its bytes overlap those of the entry before it: only a bomb or an attack does that.
    pub(crate) overlaps: bool,
    /// 1 for the first entry of its name, 2 for the second, …
    pub(crate) copy: u32,
}

/// What an archive lists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    /// In the order of their bytes.
    pub(crate) entries: Vec<Entry>,
    /// What is wrong with the list itself, with the bytes concerned. Empty: the list is whole.
    pub(crate) flaws: Vec<(FlawCode, u64)>,
}

/// The central directory, as an end record describes it.
#[derive(Clone, Copy, Debug)]
struct Central {
    /// Where it starts in the window.
    at: u64,
    size: u64,
    entries: u64,
    /// 65,535 entries and more do not fit the old field; some writers keep the low 16 bits.
    wraps: bool,
    /// Bytes before the archive's own start: a shell script, a program.
    prefix: u64,
}

/// Longest tail in which the end record is looked for: the record and a comment of 65,535 bytes.
const TAIL_BYTES_MAX: u64 = END_BYTES + 65_535;

/// End records that are tried, last first: a comment may hold thousands of false ones.
const END_RECORDS_MAX: usize = 64;

/// Whether a readable central directory ends this window, whatever stands in front of it.
///
/// # Errors
/// Those of the file.
pub(crate) fn is_archive(window: &Window) -> io::Result<bool> {
    Ok(find_central(window)?.is_some_and(|central| central.entries > 0))
}

/// Lists an archive; `entries_left` is what remains of the limit of the outer file.
///
/// # Errors
/// Those of the file.
pub(crate) fn open(window: &Window, options: &Options, entries_left: u64) -> io::Result<Directory> {
    let mut directory = list(window, options, entries_left)?;
    number_copies(&mut directory.entries);
    Ok(directory)
}

fn list(window: &Window, options: &Options, entries_left: u64) -> io::Result<Directory> {
    let Some(central) = find_central(window)? else {
        let truncated = (FlawCode::Truncated, window.len());
        return forward(window, entries_left, truncated);
    };
    if central.size > options.directory_bytes_max {
        let flaws = vec![(FlawCode::LimitEntries, window.len())];
        return Ok(Directory { entries: Vec::new(), flaws });
    }
    let mut directory = Directory::default();
    if !read_central(window, central, entries_left, &mut directory)? {
        return forward(window, entries_left, (FlawCode::CorruptEntry, central.size));
    }
    directory.entries.sort_by(|a, b| (a.header_at, &a.name).cmp(&(b.header_at, &b.name)));
    // A directory that was cut by a limit leaves the rest unlisted; that is said already.
    if directory.flaws.is_empty() {
        let hidden = check_ranges(window, central, &mut directory.entries)?;
        if hidden > 0 {
            return forward(window, entries_left, (FlawCode::CorruptEntry, hidden));
        }
    }
    Ok(directory)
}

/// Every copy of a name is read: loaders differ on which one wins.
fn number_copies(entries: &mut [Entry]) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by(|a, b| (&entries[*a].name, a).cmp(&(&entries[*b].name, b)));
    for pair in order.windows(2) {
        if entries[pair[0]].name == entries[pair[1]].name {
            entries[pair[1]].copy = entries[pair[0]].copy.saturating_add(1);
        }
    }
}

/// The last end record whose central directory is where it says.
fn find_central(window: &Window) -> io::Result<Option<Central>> {
    let tail_len = window.len().min(TAIL_BYTES_MAX);
    let tail_at = window.len() - tail_len;
    let tail = window.read(tail_at, usize::try_from(tail_len).unwrap_or_default())?;
    for at in memmem::rfind_iter(&tail, &END).take(END_RECORDS_MAX) {
        let record = &tail[at..];
        let comment_end = END_BYTES + u64::from(u16_at(record, 20));
        if (record.len() as u64) < comment_end {
            continue;
        }
        if let Some(central) = check_end(window, record, tail_at + at as u64)? {
            return Ok(Some(central));
        }
    }
    Ok(None)
}

/// Takes an end record at `end_at` for true when the directory it describes starts where it says.
fn check_end(window: &Window, record: &[u8], end_at: u64) -> io::Result<Option<Central>> {
    let mut entries = u64::from(u16_at(record, 10));
    let mut size = u64::from(u32_at(record, 12));
    let mut offset = u64::from(u32_at(record, 16));
    let mut central_end = end_at;
    let mut wraps = true;
    if let Some((at, zip64)) = zip64_end(window, end_at)? {
        (entries, size, offset) = (u64_at(&zip64, 32), u64_at(&zip64, 40), u64_at(&zip64, 48));
        (central_end, wraps) = (at, false);
    }
    if size == 0 {
        let empty = Central { at: central_end, size, entries, wraps, prefix: central_end };
        return Ok((entries == 0).then_some(empty));
    }
    // Offsets count from the archive's real start, so that a prefix needs no special case; where
    // something stands between directory and end record, the offset is taken literally.
    let by_size = central_end.checked_sub(size).filter(|at| *at >= offset);
    for (at, prefix) in
        [by_size.map(|at| (at, at - offset)), Some((offset, 0))].into_iter().flatten()
    {
        if window.read(at, 4)? == CENTRAL {
            return Ok(Some(Central { at, size, entries, wraps, prefix }));
        }
    }
    Ok(None)
}

/// The zip64 end record, by its locator in front of the end record, and where it stands.
fn zip64_end(window: &Window, end_at: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let locator = window.read(locator_at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let declared = u64_at(&locator, 8);
    for at in [locator_at.checked_sub(56), Some(declared)].into_iter().flatten() {
        let record = window.read(at, 56)?;
        if record.len() == 56 && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}

/// Reads the central directory; false when it is damaged.
fn read_central(
    window: &Window,
    central: Central,
    entries_left: u64,
    directory: &mut Directory,
) -> io::Result<bool> {
    let mut reader = BufReader::new(window.part(central.at, central.size).reader());
    let mut left = central.size;
    while left > 0 {
        let mut fixed = [0; 46];
        if left < 46 || !fill(&mut reader, &mut fixed)? || fixed[..4] != CENTRAL {
            return Ok(false);
        }
        let [name_len, extra_len, comment_len] = [28, 30, 32].map(|at| u16_at(&fixed, at));
        let lens = [name_len, extra_len, comment_len].map(u64::from).iter().sum::<u64>();
        let mut name = vec![0; usize::from(name_len)];
        let mut rest = vec![0; usize::from(extra_len) + usize::from(comment_len)];
        if left < 46 + lens || !fill(&mut reader, &mut name)? || !fill(&mut reader, &mut rest)? {
            return Ok(false);
        }
        left -= 46 + lens;
        if directory.entries.len() as u64 >= entries_left {
            directory.flaws.push((FlawCode::LimitEntries, left));
            return Ok(true);
        }
        let mut unpacked = u64::from(u32_at(&fixed, 24));
        let mut packed = u64::from(u32_at(&fixed, 20));
        let mut offset = u64::from(u32_at(&fixed, 42));
        let extra = &rest[..usize::from(extra_len)];
        if !apply_zip64(extra, [&mut unpacked, &mut packed, &mut offset]) {
            return Ok(false);
        }
        directory.entries.push(Entry {
            name: name.into_boxed_slice(),
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc: Some(u32_at(&fixed, 16)),
            packed,
            unpacked: Some(unpacked),
            header_at: offset.saturating_add(central.prefix),
            overlaps: false,
            copy: 1,
        });
    }
    let count = directory.entries.len() as u64;
    Ok(count == central.entries || central.wraps && count % 65_536 == central.entries)
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Marks entries that overlap, and counts the bytes of members that the directory does not list:
/// a loader that reads front to back would run them. That is also how a truncated archive looks
/// whose last member was a stored archive: its end record is found, with everything before it.
fn check_ranges(window: &Window, central: Central, entries: &mut [Entry]) -> io::Result<u64> {
    let mut end = 0_u64;
    let mut hidden = 0;
    for entry in entries {
        entry.overlaps = entry.header_at < end;
        hidden += hidden_bytes(window, end, entry.header_at)?;
        let data = LOCAL_BYTES + entry.name.len() as u64;
        end = end.max(entry.header_at.saturating_add(data).saturating_add(entry.packed));
    }
    Ok(hidden + hidden_bytes(window, end, central.at)?)
}

/// The size of the gap, if a local header starts in it where one may be expected: at once or
/// behind a data descriptor.
fn hidden_bytes(window: &Window, from: u64, to: u64) -> io::Result<u64> {
    let gap = to.saturating_sub(from);
    if gap < LOCAL_BYTES {
        return Ok(0);
    }
    let start = window.read(from, 28)?;
    Ok(if memmem::find(&start, &LOCAL).is_some() { gap } else { 0 })
}

/// Lists an archive without its directory: every plausible local header, front to back.
fn forward(window: &Window, entries_left: u64, flaw: (FlawCode, u64)) -> io::Result<Directory> {
    let mut directory = Directory { entries: Vec::new(), flaws: vec![flaw] };
    let mut from = 0;
    while let Some(at) = find_local(window, from)? {
        from = at + 4;
        let Some((entry, data_at)) = local_entry(window, at)? else { continue };
        if directory.entries.len() as u64 >= entries_left {
            directory.flaws.push((FlawCode::LimitEntries, window.len() - at));
            break;
        }
        // A size is believed only if something of a zip follows; else the search goes on inside.
        let end = data_at.saturating_add(entry.packed);
        let sized = entry.flags & 8 == 0 && window.read(end, 2)? == *b"PK";
        from = if sized { end } else { data_at };
        let next = if sized { end } else { find_local(window, from)?.unwrap_or(window.len()) };
        let known = sized || entry.flags & 8 == 0;
        directory.entries.push(Entry {
            packed: next - data_at,
            crc: entry.crc.filter(|_| known),
            unpacked: entry.unpacked.filter(|_| known),
            ..entry
        });
    }
    Ok(directory)
}

/// The next local signature at or after `from`.
fn find_local(window: &Window, from: u64) -> io::Result<Option<u64>> {
    const PIECE_BYTES: usize = 64 << 10;
    let mut at = from;
    while at < window.len() {
        let piece = window.read(at, PIECE_BYTES)?;
        if let Some(found) = memmem::find(&piece, &LOCAL) {
            return Ok(Some(at + found as u64));
        }
        if piece.len() < PIECE_BYTES {
            break;
        }
        at += (PIECE_BYTES - 3) as u64;
    }
    Ok(None)
}

/// Reads a local header and says where its data starts; `None` when it is not plausible.
fn local_entry(window: &Window, at: u64) -> io::Result<Option<(Entry, u64)>> {
    let fixed = window.read(at, LOCAL_BYTES as usize)?;
    let (name_len, extra_len) = (u16_at(&fixed, 26), u16_at(&fixed, 28));
    let (version, method) = (u16_at(&fixed, 4) & 0xff, u16_at(&fixed, 8));
    let plausible = fixed.len() == LOCAL_BYTES as usize && version <= 63 && method <= 99;
    if !plausible || name_len == 0 {
        return Ok(None);
    }
    let name_at = at + LOCAL_BYTES;
    let name = window.read(name_at, usize::from(name_len))?;
    let extra = window.read(name_at + u64::from(name_len), usize::from(extra_len))?;
    let mut packed = u64::from(u32_at(&fixed, 18));
    let mut unpacked = u64::from(u32_at(&fixed, 22));
    if packed == IN_ZIP64 || unpacked == IN_ZIP64 {
        apply_zip64(&extra, [&mut unpacked, &mut packed, &mut 0]);
    }
    let data_at = name_at + u64::from(name_len) + u64::from(extra_len);
    if data_at > window.len() {
        return Ok(None);
    }
    let entry = Entry {
        name: name.into_boxed_slice(),
        flags: u16_at(&fixed, 6),
        method,
        crc: Some(u32_at(&fixed, 14)),
        packed,
        unpacked: Some(unpacked),
        header_at: at,
        overlaps: false,
        copy: 1,
    };
    Ok(Some((entry, data_at)))
}
