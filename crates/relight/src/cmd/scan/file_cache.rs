//! The cache of scans: one file, in the user's folder for caches or in the data folder.
//!
//! ```text
//! header   magic, where the index is, how long it is                         40 bytes
//! records  as the scanner wrote them, one behind the other
//! index    for each record: 16 bytes of its key, where it is, how long it is  28 bytes each
//! ```
//! New records and a new index are written behind the old index, and the header last: a scan that
//! is interrupted leaves the cache as it was. The scanner checks each record, its key included, so
//! a damaged index finds nothing wrong; a cache in which anything was damaged is thrown away.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use relight_model::{Digest, Timestamp};
use relight_scan::Cache;
use rustix::fs::{FlockOperation, flock};

/// The name of the file.
pub(super) const NAME: &str = "scan.cache";

/// Bytes of the whole file; a cache that would be larger is begun anew.
const CACHE_BYTES_MAX: u64 = 512 << 20;

/// Entries of the index, which is held in memory while a scan runs.
const ENTRIES_MAX: usize = 1 << 20;

/// Bytes of new records that are held until the end of a scan; what is beyond is not kept.
const PENDING_BYTES_MAX: usize = 32 << 20;

/// A file that was written to in the last seconds may be written to again without a new stamp.
const SETTLED_AFTER_S: i64 = 2;

const MAGIC: &[u8; 24] = b"relight.scan-cache/1\n\0\0\0";
const HEADER_BYTES: usize = 40;
const KEY_BYTES: usize = 16;
const ENTRY_BYTES: usize = KEY_BYTES + 8 + 4;

/// The first half of a digest is key enough; the scanner checks the whole.
type Key = [u8; KEY_BYTES];

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    at: u64,
    len: u32,
}

/// Where the index is: behind the header when there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    index_at: u64,
    index_len: u64,
}

/// New records.
#[derive(Default)]
struct Pending {
    records: BTreeMap<Key, Vec<u8>>,
    bytes: usize,
}

/// The cache of one run of the program.
pub(crate) struct FileCache {
    path: PathBuf,
    now: Timestamp,
    /// The file as it was when the scan began; `None` when there was none.
    file: Option<File>,
    header: Header,
    /// Sorted, [`ENTRY_BYTES`] each.
    index: Vec<u8>,
    pending: Mutex<Pending>,
    is_damaged: AtomicBool,
}

impl FileCache {
    /// Opens the cache of this folder. A folder or file that is not there is an empty cache.
    pub(crate) fn open(folder: &Path, now: Timestamp) -> Self {
        let path = folder.join(NAME);
        let file = File::open(&path).ok();
        let loaded = file.as_ref().map(load);
        let is_damaged = AtomicBool::new(matches!(loaded, Some(None)));
        let (header, index) = loaded.flatten().unwrap_or_default();
        Self { path, now, file, header, index, pending: Mutex::default(), is_damaged }
    }

    /// Something in the cache could not be used.
    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged.load(Ordering::Relaxed)
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is new. A damaged cache is thrown away first; one that another run has written
    /// to meanwhile, or is writing to, is left as it is.
    ///
    /// # Errors
    /// Those of the system. The cache is as it was, or empty.
    pub(crate) fn save(&self) -> io::Result<()> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.records.is_empty() && !self.is_damaged() {
            return Ok(());
        }
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Not truncated: what is in it counts until the header says otherwise.
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(());
        }
        if read_header(&file).unwrap_or_default() != self.header {
            return Ok(());
        }
        let new = pending.bytes + pending.records.len() * ENTRY_BYTES;
        let entries = self.index.len() / ENTRY_BYTES + pending.records.len();
        let end = self.header.end() + (self.index.len() + new) as u64;
        if self.is_damaged() || end > CACHE_BYTES_MAX || entries > ENTRIES_MAX {
            file.set_len(0)?;
            write(&file, Header::default(), &[], &pending.records)
        } else {
            write(&file, self.header, &self.index, &pending.records)
        }
    }

    fn find(&self, key: &Key) -> Option<Span> {
        let (entries, _) = self.index.as_chunks::<ENTRY_BYTES>();
        let at = entries.binary_search_by(|entry| entry[..KEY_BYTES].cmp(key)).ok()?;
        Some(span_of(&entries[at]))
    }
}

impl Cache for FileCache {
    fn get(&self, key: &Digest) -> Option<Vec<u8>> {
        // The same archive may have been met a moment ago, elsewhere in the tree.
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = pending.records.get(&short(key)) {
            return Some(record.clone());
        }
        drop(pending);
        let span = self.find(&short(key))?;
        // Nothing is allocated by a number that leads out of the records.
        if span.at.checked_add(u64::from(span.len)).is_none_or(|end| end > self.header.index_at) {
            self.damaged(key);
            return None;
        }
        let mut record = vec![0; span.len as usize];
        let read = self.file.as_ref()?.read_exact_at(&mut record, span.at);
        if read.is_err() {
            self.damaged(key);
        }
        read.is_ok().then_some(record)
    }

    fn put(&self, key: &Digest, record: Vec<u8>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.bytes + record.len() <= PENDING_BYTES_MAX {
            pending.bytes += record.len();
            pending.records.insert(short(key), record);
        }
    }

    fn is_settled(&self, changed_s: i64) -> bool {
        changed_s < self.now - SETTLED_AFTER_S
    }

    fn is_new(&self) -> bool {
        self.index.is_empty()
    }

    fn damaged(&self, _: &Digest) {
        self.is_damaged.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for FileCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileCache({})", self.path.display())
    }
}

fn short(key: &Digest) -> Key {
    let mut short = [0; KEY_BYTES];
    short.copy_from_slice(&key.0[..KEY_BYTES]);
    short
}

fn span_of(entry: &[u8; ENTRY_BYTES]) -> Span {
    let number = |from: usize, len: usize| {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&entry[from..from + len]);
        u64::from_le_bytes(bytes)
    };
    Span { at: number(KEY_BYTES, 8), len: number(KEY_BYTES + 8, 4) as u32 }
}

fn entry_of(key: &Key, span: Span) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    entry[..KEY_BYTES].copy_from_slice(key);
    entry[KEY_BYTES..KEY_BYTES + 8].copy_from_slice(&span.at.to_le_bytes());
    entry[KEY_BYTES + 8..].copy_from_slice(&span.len.to_le_bytes());
    entry
}

impl Default for Header {
    fn default() -> Self {
        Self { index_at: HEADER_BYTES as u64, index_len: 0 }
    }
}

impl Header {
    /// Where new records go.
    const fn end(self) -> u64 {
        self.index_at.saturating_add(self.index_len)
    }

    fn bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[24..32].copy_from_slice(&self.index_at.to_le_bytes());
        bytes[32..].copy_from_slice(&self.index_len.to_le_bytes());
        bytes
    }
}

/// The header, when it is one of ours and leads into the file.
fn read_header(file: &File) -> Option<Header> {
    let mut bytes = [0; HEADER_BYTES];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let number = |from: usize| bytes[from..from + 8].try_into().ok().map(u64::from_le_bytes);
    let header = Header { index_at: number(24)?, index_len: number(32)? };
    let fits = header.index_at >= HEADER_BYTES as u64
        && header.index_len <= (ENTRIES_MAX * ENTRY_BYTES) as u64
        && header.index_len.is_multiple_of(ENTRY_BYTES as u64)
        && header.end() <= file.metadata().ok()?.len();
    (bytes.starts_with(MAGIC) && fits).then_some(header)
}

/// The header and the index; an empty file is an empty cache.
fn load(file: &File) -> Option<(Header, Vec<u8>)> {
    if file.metadata().ok()?.len() == 0 {
        return Some((Header::default(), Vec::new()));
    }
    let header = read_header(file)?;
    let mut index = vec![0; usize::try_from(header.index_len).ok()?];
    file.read_exact_at(&mut index, header.index_at).ok()?;
    Some((header, index))
}

/// Writes records behind the old index, then an index of both, then the header.
fn write(
    file: &File,
    old: Header,
    index: &[u8],
    records: &BTreeMap<Key, Vec<u8>>,
) -> io::Result<()> {
    let (entries, _) = index.as_chunks::<ENTRY_BYTES>();
    let mut merged: BTreeMap<Key, [u8; ENTRY_BYTES]> = BTreeMap::new();
    for entry in entries {
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&entry[..KEY_BYTES]);
        merged.insert(key, *entry);
    }
    let mut data = Vec::new();
    for (key, record) in records {
        let at = old.end() + data.len() as u64;
        let len = u32::try_from(record.len()).unwrap_or_default();
        merged.insert(*key, entry_of(key, Span { at, len }));
        data.extend_from_slice(record);
    }
    let index_at = old.end() + data.len() as u64;
    merged.values().for_each(|entry| data.extend_from_slice(entry));
    file.write_all_at(&data, old.end())?;
    let index_len = (merged.len() * ENTRY_BYTES) as u64;
    file.write_all_at(&Header { index_at, index_len }.bytes(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Digest {
        Digest([number; 32])
    }

    /// A cache in `folder` with these records on top of what is there.
    fn fill(folder: &Path, numbers: impl IntoIterator<Item = u8>) {
        let cache = FileCache::open(folder, 100);
        for number in numbers {
            let record = vec![number; usize::from(number) * 3];
            cache.put(&key(number), record.clone());
            assert_eq!(cache.get(&key(number)), Some(record), "known at once");
        }
        cache.save().unwrap();
    }

    #[test]
    fn records_come_back_over_several_runs() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        for run in 0..4 {
            fill(&inner, run * 50..run * 50 + 50);
        }
        let cache = FileCache::open(&inner, 100);
        for number in 0..200 {
            assert_eq!(cache.get(&key(number)), Some(vec![number; usize::from(number) * 3]));
        }
        assert_eq!(cache.get(&key(200)), None);
        assert!(!cache.is_damaged());
        let before = fs::read(cache.path()).unwrap();
        cache.save().unwrap();
        assert_eq!(fs::read(cache.path()).unwrap(), before, "nothing new, nothing written");
    }

    #[test]
    fn a_cache_that_is_not_there_is_empty_and_stays_away() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FileCache::open(&folder.path().join("none"), 100);
        assert_eq!((cache.get(&key(1)), cache.is_damaged()), (None, false));
        cache.save().unwrap();
        assert!(!folder.path().join("none").exists());
    }

    /// A run that ends while it writes leaves what was there: whatever part of the new bytes has
    /// reached the disk, the old header still leads to the old index.
    #[test]
    fn what_was_half_written_does_not_count() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), 1..9);
        let path = folder.path().join(NAME);
        let old = fs::read(&path).unwrap();
        fill(folder.path(), 9..20);
        let new = fs::read(&path).unwrap();
        assert!(new.len() > old.len());
        for cut in [old.len(), old.len() + 1, (old.len() + new.len()) / 2, new.len()] {
            let mut half = new[..cut].to_vec();
            half[..HEADER_BYTES].copy_from_slice(&old[..HEADER_BYTES]);
            fs::write(&path, half).unwrap();
            let cache = FileCache::open(folder.path(), 100);
            assert_eq!(cache.get(&key(8)), Some(vec![8; 24]));
            assert_eq!((cache.get(&key(9)), cache.is_damaged()), (None, false));
        }
        fill(folder.path(), 9..20);
        assert!(FileCache::open(folder.path(), 100).get(&key(19)).is_some(), "and it goes on");
    }

    #[test]
    fn a_damaged_cache_is_thrown_away_whole() {
        for damage in [
            &|bytes: &mut Vec<u8>| bytes[0] = b'X',
            &|bytes: &mut Vec<u8>| bytes.truncate(HEADER_BYTES + 5),
            &|bytes: &mut Vec<u8>| bytes[32] = 1,
            &|bytes: &mut Vec<u8>| bytes[24..32].fill(0xff),
        ] as [&dyn Fn(&mut Vec<u8>); 4]
        {
            let folder = tempfile::tempdir().unwrap();
            fill(folder.path(), 1..9);
            let path = folder.path().join(NAME);
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
            let cache = FileCache::open(folder.path(), 100);
            assert!(cache.is_damaged());
            assert_eq!(cache.get(&key(3)), None);
            cache.put(&key(50), vec![5]);
            cache.save().unwrap();
            let cache = FileCache::open(folder.path(), 100);
            assert_eq!((cache.get(&key(50)), cache.is_damaged()), (Some(vec![5]), false));
        }
    }

    /// An entry of the index that leads anywhere gives nothing, and no gigabytes.
    #[test]
    fn an_index_that_leads_astray_gives_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), [1]);
        let path = folder.path().join(NAME);
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[end - 4..].fill(0xff);
        fs::write(&path, &bytes).unwrap();
        let cache = FileCache::open(folder.path(), 100);
        assert_eq!(cache.get(&key(1)), None);
        assert!(cache.is_damaged());
    }

    #[test]
    fn another_run_that_wrote_meanwhile_wins() {
        let folder = tempfile::tempdir().unwrap();
        let late = FileCache::open(folder.path(), 100);
        late.put(&key(1), vec![1]);
        fill(folder.path(), [2]);
        late.save().unwrap();
        let cache = FileCache::open(folder.path(), 100);
        assert_eq!((cache.get(&key(1)), cache.get(&key(2))), (None, Some(vec![2; 6])));
    }

    #[test]
    fn what_is_held_until_the_end_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FileCache::open(folder.path(), 100);
        cache.put(&key(1), vec![0; PENDING_BYTES_MAX]);
        cache.put(&key(2), vec![0]);
        cache.save().unwrap();
        let cache = FileCache::open(folder.path(), 100);
        assert!(cache.get(&key(1)).is_some() && cache.get(&key(2)).is_none());
        assert!(cache.is_settled(97) && !cache.is_settled(98), "two seconds");
    }
}
