//! The header of a 7z archive. Every number in it is checked against what is there before
//! anything is allocated by it.

use super::folder::{CODERS_MAX, Coder, Folder};

/// Files in one archive; their list is held in memory.
const FILES_MAX: u64 = 262_144;

/// What was parsed.
pub(super) enum Parsed {
    Header(Header),
    /// The header is packed itself.
    Packed(Folder),
}

/// What an archive holds.
#[derive(Default)]
pub(super) struct Header {
    pub(super) folders: Vec<Folder>,
    pub(super) files: Vec<File>,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) crc: Option<u32>,
    /// The folder that holds its bytes; `None` when it has none.
    pub(super) folder: Option<usize>,
    pub(super) is_folder: bool,
}

/// Streams, and for each of their files a size and a check sum.
#[derive(Default)]
struct Streams {
    folders: Vec<Folder>,
    /// Folder, size and check sum of each file.
    files: Vec<(usize, u64, Option<u32>)>,
}

/// Parses a header; `None` when it is damaged. `len` is the size of the archive.
pub(super) fn parse(bytes: &[u8], len: u64) -> Option<Parsed> {
    let mut cursor = Cursor { bytes };
    match cursor.byte()? {
        0x17 => {
            let folder = streams(&mut cursor, len)?.folders.into_iter().next()?;
            Some(Parsed::Packed(folder))
        }
        0x01 => header(&mut cursor, len).map(Parsed::Header),
        _ => None,
    }
}

fn header(cursor: &mut Cursor<'_>, len: u64) -> Option<Header> {
    let mut found = Streams::default();
    let mut files = Vec::new();
    loop {
        match cursor.byte()? {
            0 => break,
            // Properties of the archive: kind, size, bytes.
            2 => {
                while cursor.byte()? != 0 {
                    let size = cursor.number()?;
                    cursor.skip(size)?;
                }
            }
            3 | 4 => found = streams(cursor, len)?,
            5 => files = file_properties(cursor, &found.files)?,
            _ => return None,
        }
    }
    Some(Header { folders: found.folders, files })
}

fn streams(cursor: &mut Cursor<'_>, len: u64) -> Option<Streams> {
    let mut ranges = Vec::new();
    let mut found = Streams::default();
    let mut has_files = false;
    loop {
        match cursor.byte()? {
            0 => break,
            6 => ranges = pack_info(cursor, len)?,
            7 => found.folders = folders(cursor)?,
            8 => {
                found.files = substreams(cursor, &mut found.folders)?;
                has_files = true;
            }
            _ => return None,
        }
    }
    let mut ranges = ranges.into_iter();
    for folder in &mut found.folders {
        folder.ranges = ranges.by_ref().take(folder.packed.len()).collect();
    }
    if !has_files {
        let all = found.folders.iter().enumerate();
        found.files = all.map(|(at, folder)| (at, folder.size(), folder.crc)).collect();
    }
    Some(found)
}

/// Where the packed streams are.
fn pack_info(cursor: &mut Cursor<'_>, len: u64) -> Option<Vec<(u64, u64)>> {
    let mut at = cursor.number()?.checked_add(32)?;
    let count = cursor.count()?;
    let mut ranges = Vec::new();
    loop {
        match cursor.byte()? {
            0 => break,
            9 => {
                for _ in 0..count {
                    let size = cursor.number()?;
                    ranges.push((at, size));
                    at = at.checked_add(size).filter(|_| size <= len)?;
                }
            }
            0x0a => drop(cursor.digests(count)?),
            _ => return None,
        }
    }
    Some(ranges)
}

fn folders(cursor: &mut Cursor<'_>) -> Option<Vec<Folder>> {
    (cursor.byte()? == 0x0b).then_some(())?;
    let count = cursor.count()?;
    // In another stream: nobody writes that.
    (cursor.byte()? == 0).then_some(())?;
    let mut folders = (0..count).map(|_| folder(cursor)).collect::<Option<Vec<_>>>()?;
    (cursor.byte()? == 0x0c).then_some(())?;
    for coder in folders.iter_mut().flat_map(|folder| &mut folder.coders) {
        coder.size = cursor.number()?;
    }
    match cursor.byte()? {
        0 => return Some(folders),
        0x0a => {}
        _ => return None,
    }
    for (folder, crc) in folders.iter_mut().zip(cursor.digests(count)?) {
        folder.crc = crc;
    }
    (cursor.byte()? == 0).then_some(folders)
}

fn folder(cursor: &mut Cursor<'_>) -> Option<Folder> {
    let count = cursor.count().filter(|count| (1..=CODERS_MAX).contains(count))?;
    let mut folder = Folder::default();
    for _ in 0..count {
        let flags = cursor.byte()?;
        let mut coder = Coder { inputs: 1, ..Coder::default() };
        coder.method = cursor.take(usize::from(flags & 15))?.to_vec();
        if flags & 0x10 != 0 {
            coder.inputs = cursor.count().filter(|inputs| *inputs <= CODERS_MAX)?;
            // Coders with several outputs were dropped from the format.
            (cursor.number()? == 1).then_some(())?;
        }
        if flags & 0x20 != 0 {
            let size = cursor.count()?;
            coder.properties = cursor.take(size)?.to_vec();
        }
        (flags & 0x80 == 0).then_some(())?;
        folder.coders.push(coder);
    }
    let inputs: usize = folder.coders.iter().map(|coder| coder.inputs).sum();
    for _ in 1..count {
        folder.bonds.push((cursor.count()?, cursor.count()?));
    }
    let packed = inputs.checked_sub(count - 1).filter(|packed| *packed > 0)?;
    folder.packed = if packed == 1 {
        let bound = |input: &usize| folder.bonds.iter().any(|(to, _)| to == input);
        (0..inputs).filter(|input| !bound(input)).take(1).collect()
    } else {
        (0..packed).map(|_| cursor.count()).collect::<Option<_>>()?
    };
    folder.files = 1;
    Some(folder)
}

/// Sizes and check sums of the files in each folder.
fn substreams(
    cursor: &mut Cursor<'_>,
    folders: &mut [Folder],
) -> Option<Vec<(usize, u64, Option<u32>)>> {
    let mut kind = cursor.byte()?;
    if kind == 0x0d {
        for folder in folders.iter_mut() {
            folder.files = cursor.number()?;
        }
        kind = cursor.byte()?;
    }
    let total = folders.iter().try_fold(0_u64, |sum, folder| sum.checked_add(folder.files))?;
    // Every file but the last of a folder has its size in the header.
    let stated = total.saturating_sub(folders.len() as u64);
    let sizes = if kind == 9 { cursor.bytes.len() as u64 } else { 0 };
    if total > FILES_MAX || stated > sizes {
        return None;
    }
    let mut files = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        let mut left = folder.size();
        for number in 0..folder.files {
            let is_last = number + 1 == folder.files;
            let size = if is_last || kind != 9 { left } else { cursor.number()? };
            left = left.checked_sub(size)?;
            files.push((at, size, folder.crc.filter(|_| folder.files == 1)));
        }
    }
    if kind == 9 {
        kind = cursor.byte()?;
    }
    while kind != 0 {
        (kind == 0x0a).then_some(())?;
        let missing = files.iter().filter(|(.., crc)| crc.is_none()).count();
        let digests = cursor.digests(missing)?;
        let open = files.iter_mut().filter(|(.., crc)| crc.is_none());
        open.zip(digests).for_each(|(file, crc)| file.2 = crc);
        kind = cursor.byte()?;
    }
    Some(files)
}

/// Names, and which files have no bytes.
fn file_properties(
    cursor: &mut Cursor<'_>,
    streams: &[(usize, u64, Option<u32>)],
) -> Option<Vec<File>> {
    let count = cursor.count()?;
    // A name takes two bytes at least.
    (count <= cursor.bytes.len()).then_some(())?;
    let mut files = vec![File::default(); count];
    let mut empty = vec![false; count];
    let mut empty_files = Vec::new();
    loop {
        let kind = cursor.byte()?;
        if kind == 0 {
            break;
        }
        let size = cursor.count()?;
        let mut property = Cursor { bytes: cursor.take(size)? };
        match kind {
            0x0e => empty = property.bits(count)?,
            0x0f => empty_files = property.bits(empty.iter().filter(|bit| **bit).count())?,
            0x11 => names(&mut property, &mut files)?,
            _ => {}
        }
    }
    let mut streams = streams.iter();
    let mut empty_files = empty_files.into_iter();
    for (file, is_empty) in files.iter_mut().zip(empty) {
        if is_empty {
            file.is_folder = !empty_files.next().unwrap_or(false);
        } else {
            let (folder, size, crc) = streams.next()?;
            (file.folder, file.size, file.crc) = (Some(*folder), *size, *crc);
        }
    }
    Some(files)
}

/// UTF-16, each ended by a zero.
fn names(cursor: &mut Cursor<'_>, files: &mut [File]) -> Option<()> {
    (cursor.byte()? == 0).then_some(())?;
    let (words, _) = cursor.bytes.as_chunks::<2>();
    let mut words = words.iter().map(|word| u16::from_le_bytes(*word));
    for file in files {
        let name: Vec<u16> = words.by_ref().take_while(|word| *word != 0).collect();
        file.name = String::from_utf16_lossy(&name).into_bytes();
    }
    Some(())
}

/// The bytes that are left.
struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    fn skip(&mut self, len: u64) -> Option<()> {
        self.take(usize::try_from(len).ok()?).map(drop)
    }

    /// The leading ones of the first byte say how many bytes follow.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let low = self.take(more as usize)?;
        let low = low.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let high = if more < 7 { u64::from(first) & (0x7f >> more) } else { 0 };
        Some(low | high.checked_shl(more * 8).unwrap_or_default())
    }

    /// A number of things, each of which takes space here or is bounded by the caller.
    fn count(&mut self) -> Option<usize> {
        let number = self.number().filter(|number| *number <= FILES_MAX)?;
        usize::try_from(number).ok()
    }

    fn bits(&mut self, count: usize) -> Option<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        Some((0..count).map(|at| bytes[at / 8] & (0x80 >> (at % 8)) != 0).collect())
    }

    /// Check sums, where there are some.
    fn digests(&mut self, count: usize) -> Option<Vec<Option<u32>>> {
        let defined = if self.byte()? == 0 { self.bits(count)? } else { vec![true; count] };
        let read = |is_defined| {
            let bytes = if is_defined { Some(self.take(4)?.first_chunk()?) } else { None };
            Some(bytes.map(|bytes| u32::from_le_bytes(*bytes)))
        };
        defined.into_iter().map(read).collect()
    }
}
