//! What was read before and has not changed: the trait of caches, and what results hang on.
//!
//! The program owns the cache and hands it in; nothing here touches a file of its own. A result
//! hangs on everything that could make it another one: the form of the records, the version of
//! this program, the catalogers, and every option. What has a flaw is never kept.

mod layer;
pub(crate) mod record;

use std::fmt;
use std::num::NonZeroUsize;

use relight_model::Digest;
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::Xxh3Default;

pub(crate) use self::record::Record;
use crate::catalogers::CATALOGERS;
use crate::evidence::file_name;
use crate::image::{KnownLayer, LayerBytes, ReadLayer};
use crate::limits::Options;
use crate::steady::Stamp;
use crate::unpack::Found;
use crate::window::Window;

/// Changes whenever a result of before would be read differently.
const METHOD: &str = "relight.scan-cache/37";

/// Keeps records by their key. A record that is lost costs time, never a finding; one that is
/// damaged is noticed.
pub trait Cache: fmt::Debug + Sync {
    /// The record of a key.
    fn get(&self, key: &Digest) -> Option<Vec<u8>>;
    /// Keeps a record.
    fn put(&self, key: &Digest, record: Vec<u8>);
    /// Whether a file that was changed at this moment, in seconds, may have been written to again
    /// without another stamp: clocks of file systems tick slowly.
    fn is_settled(&self, changed_s: i64) -> bool;
    /// The record of a key was damaged.
    fn damaged(&self, key: &Digest);
    /// Nothing was kept before this scan: no file is known before it was opened.
    fn is_new(&self) -> bool {
        false
    }
}

/// The cache of one scan.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    cache: &'a dyn Cache,
    context: [u8; 32],
}

impl<'a> Known<'a> {
    pub(crate) fn new(cache: &'a dyn Cache, options: &Options) -> Self {
        Self { cache, context: context(options) }
    }

    /// The key of a file by what the system says about it (level 1): nothing of it is read. `None`
    /// when it changed so recently that its stamp may not tell.
    /// `path` is as much of it as counts.
    pub(crate) fn by_stamp(&self, stamp: &Stamp, path: &str) -> Option<Digest> {
        let Stamp { device, inode, size, modified, changed } = stamp;
        let latest = modified.0.max(changed.0);
        if !self.cache.is_settled(latest) {
            return None;
        }
        let mut hasher = self.hasher(1);
        for number in [*device, *inode, *size] {
            hasher.update(number.to_le_bytes());
        }
        for number in [modified.0, modified.1, changed.0, changed.1] {
            hasher.update(number.to_le_bytes());
        }
        hasher.update(path);
        Some(Digest(hasher.finalize().into()))
    }

    /// The key of a zip by its size, its end and its directory (level 2), wherever it is: those
    /// hold the check sum of each member. The name counts, because catalogers read it, and so do
    /// the `folders` above it by which they select members.
    pub(crate) fn by_directory(
        &self,
        window: &Window,
        path: &str,
        folders: &[&str],
    ) -> Option<Digest> {
        let (len, hash) = plain_directory(window)?;
        let mut hasher = self.hasher(2);
        hasher.update(window.len().to_le_bytes());
        hasher.update(len.to_le_bytes());
        // Its check sums are no proof against somebody who wants to be believed, and a slower hash
        // of them would be none either. Thousands of sites that share their archives are many.
        hasher.update(hash.to_le_bytes());
        hasher.update(file_name(path));
        folders.iter().for_each(|folder| hasher.update(format!("\0{folder}")));
        Some(Digest(hasher.finalize().into()))
    }

    /// The key of a layer of an image by its bytes (level 3), wherever it is; of what stands in
    /// front of its paths, the `folders` count by which catalogers select.
    pub(crate) fn by_layer(&self, layer: &LayerBytes, folders: &[&str]) -> Digest {
        let mut hasher = self.hasher(3).chain_update(layer.digest.0);
        hasher.update(layer.place.to_le_bytes());
        folders.iter().for_each(|folder| hasher.update(format!("\0{folder}")));
        Digest(hasher.finalize().into())
    }

    /// What is known of a layer under a key, as of one behind `prefix`: by one of these records,
    /// which are not in the cache yet, or by the cache.
    pub(crate) fn layer(
        &self,
        key: &Digest,
        prefix: &str,
        records: &[(Digest, Vec<u8>)],
    ) -> Option<KnownLayer> {
        if let Some((_, bytes)) = records.iter().find(|(it, _)| it == key) {
            return layer::read(bytes, key, prefix);
        }
        let bytes = self.cache.get(key)?;
        let known = layer::read(&bytes, key, prefix);
        if known.is_none() {
            self.cache.damaged(key);
        }
        known
    }

    /// The record of a layer, if it is whole.
    pub(crate) fn record_of(&self, key: &Digest, read: &ReadLayer<'_>) -> Option<Vec<u8>> {
        layer::write(read, key)
    }

    /// Keeps a record.
    pub(crate) fn keep(&self, key: &Digest, record: Vec<u8>) {
        self.cache.put(key, record);
    }

    /// Whether a file may be known by its stamp alone.
    pub(crate) fn knows_stamps(&self) -> bool {
        !self.cache.is_new()
    }

    /// What is known under a key, as that of the file at `path`.
    pub(crate) fn get(&self, key: &Digest, path: &str) -> Option<Record> {
        let bytes = self.cache.get(key)?;
        let record = record::read(&bytes, key, path);
        if record.is_none() {
            self.cache.damaged(key);
        }
        record
    }

    /// Keeps what was found, if it is whole.
    pub(crate) fn put(&self, key: &Digest, path: &str, found: &Found, bytes_read: u64) {
        if let Some(bytes) = record::write(found, bytes_read, key, path) {
            self.cache.put(key, bytes);
        }
    }

    fn hasher(&self, level: u8) -> Sha256 {
        Sha256::new().chain_update(self.context).chain_update([level])
    }
}

/// Everything but the file that a result hangs on.
fn context(options: &Options) -> [u8; 32] {
    // What only says where to look, and how fast, changes no result of a single file.
    let reading = Options {
        threads: None,
        small_bytes: 0,
        exclude: Vec::new(),
        follow: false,
        platform: None,
        all_layers: false,
        ..options.clone()
    };
    let mut hasher = Sha256::new();
    hasher.update(METHOD);
    hasher.update(env!("CARGO_PKG_VERSION"));
    hasher.update(format!("{reading:?}"));
    for cataloger in CATALOGERS {
        hasher.update(cataloger.name());
        hasher.update(format!("{:?}", cataloger.selects()));
    }
    hasher.finalize().into()
}

/// Bytes of the end record of a zip (APPNOTE.TXT 4.3.16) without a comment.
const END_BYTES: usize = 22;

/// Bytes of a directory that is worth being a key.
const KEY_BYTES_MAX: u64 = 16 << 20;

/// Bytes that are hashed at one time.
const PIECE_BYTES: usize = 64 << 10;

/// Length and hash of directory and end record of a zip of the plainest form: it starts with a
/// member, its directory ends at its end record and starts where that says, and nothing is behind.
/// Whatever is not quite so is read each time.
fn plain_directory(window: &Window) -> Option<(u64, u128)> {
    let end_at = window.len().checked_sub(END_BYTES as u64)?;
    let end = window.read(end_at, END_BYTES).ok()?;
    let u32_at = |at: usize| end.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let comment = end.get(20..22)?;
    let (size, offset) = (u64::from(u32_at(12)?), u64::from(u32_at(16)?));
    let is_plain = end.starts_with(b"PK\x05\x06")
        && comment == [0, 0]
        && offset.checked_add(size) == Some(end_at)
        && size <= KEY_BYTES_MAX
        && window.read(0, 4).ok()? == b"PK\x03\x04";
    if !is_plain {
        return None;
    }
    let (mut hasher, mut piece, mut at) = (Xxh3Default::new(), Vec::new(), offset);
    while at < window.len() {
        window.read_small_into(at, PIECE_BYTES, &mut piece).ok()?;
        // A file that shrank is read.
        at += NonZeroUsize::new(piece.len())?.get() as u64;
        hasher.update(&piece);
    }
    Some((window.len() - offset, hasher.digest128()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache that keeps nothing.
    #[derive(Debug)]
    struct Nothing;

    impl Cache for Nothing {
        fn get(&self, _: &Digest) -> Option<Vec<u8>> {
            None
        }
        fn put(&self, _: &Digest, _: Vec<u8>) {}
        fn is_settled(&self, changed_s: i64) -> bool {
            changed_s < 100
        }
        fn damaged(&self, _: &Digest) {}
    }

    fn known(options: &Options) -> Known<'static> {
        Known::new(&Nothing, options)
    }

    fn stamp() -> Stamp {
        Stamp { device: 1, inode: 2, size: 3, modified: (4, 5), changed: (6, 7) }
    }

    #[test]
    fn every_part_of_a_stamp_counts() {
        let known = known(&Options::default());
        let key = |stamp: &Stamp, path: &str| known.by_stamp(stamp, path).unwrap();
        let base = key(&stamp(), "a");
        assert_eq!(base, key(&stamp(), "a"));
        for other in [
            Stamp { device: 9, ..stamp() },
            Stamp { inode: 9, ..stamp() },
            Stamp { size: 9, ..stamp() },
            Stamp { modified: (9, 5), ..stamp() },
            Stamp { modified: (4, 9), ..stamp() },
            Stamp { changed: (9, 7), ..stamp() },
            Stamp { changed: (6, 9), ..stamp() },
        ] {
            assert_ne!(base, key(&other, "a"), "{other:?}");
        }
        assert_ne!(base, key(&stamp(), "b"));
    }

    #[test]
    fn what_changed_just_now_has_no_stamp_to_trust() {
        let known = known(&Options::default());
        assert!(known.by_stamp(&Stamp { changed: (100, 0), ..stamp() }, "a").is_none());
        assert!(known.by_stamp(&Stamp { modified: (200, 0), ..stamp() }, "a").is_none());
    }

    #[test]
    fn limits_count_and_threads_do_not() {
        let key = |options: &Options| known(options).by_stamp(&stamp(), "a").unwrap();
        let base = key(&Options::default());
        let limits = Options { depth_max: 3, ..Options::default() };
        assert_ne!(base, key(&limits));
        let elsewhere = Options { threads: Some(9), follow: true, ..Options::default() };
        assert_eq!(base, key(&elsewhere));
    }

    /// A zip with one stored member, by hand: local header, data, directory, end.
    fn zip() -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        bytes.resize(40, 0);
        let mut directory = b"PK\x01\x02".to_vec();
        directory.resize(50, 1);
        bytes.extend(&directory);
        bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend(50_u32.to_le_bytes());
        bytes.extend(40_u32.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn only_the_plainest_archives_are_known_by_their_directory() {
        let key = |bytes: &[u8], path: &str| {
            let window = Window::of_memory(bytes.to_vec());
            known(&Options::default()).by_directory(&window, path, &[])
        };
        let base = key(&zip(), "x/a.jar").unwrap();
        assert_eq!(key(&zip(), "y/a.jar"), Some(base), "the same elsewhere");
        assert_ne!(key(&zip(), "b.jar"), Some(base), "another name");
        let window = Window::of_memory(zip());
        let below = known(&Options::default()).by_directory(&window, "x/a.jar", &["plugins/"]);
        assert!(below.is_some_and(|key| key != base), "another surrounding");
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = zip();
            change(&mut bytes);
            key(&bytes, "a.jar")
        };
        assert_ne!(with(&|bytes| bytes[60] ^= 1).unwrap(), base, "another directory");
        assert_eq!(with(&|bytes| bytes[20] ^= 1), Some(base), "data has its check sum there");
        assert_eq!(with(&|bytes| bytes[0] = b'#'), None, "something in front");
        assert_eq!(with(&|bytes| bytes.insert(0, 0)), None);
        assert_eq!(with(&|bytes| bytes.push(0)), None, "something behind");
        assert_eq!(with(&|bytes| bytes.insert(90, 0)), None, "something between");
        assert_eq!(with(&|bytes| bytes.truncate(20)), None);
        assert_eq!(with(&|bytes| bytes[102] = 0xff), None, "a directory larger than the file");
    }
}
