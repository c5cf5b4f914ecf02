//! A fingerprint database, read by position: only its front stays in memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use relight_model::Digest;
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use super::archives::{Answer, ArchivePlace, Archives, Learnt};
use super::codec::{BLOCK_FEATURES_MAX, Block, Front, Lists, Reader};

/// The first bytes of a database.
pub(super) const MAGIC: [u8; 16] = *b"relight-fp/1\n\0\0\0";
/// How classes are fingerprinted (`fingerprint/class.rs`).
pub(super) const METHOD: u64 = 1;
/// Sections of a database.
pub(super) const SECTIONS: usize = 11;
/// Bytes of the header: magic, method, date, sections, SHA-256, hash of the header.
pub(super) const HEADER_BYTES: usize = 16 + 8 + 8 + SECTIONS * 24 + 32 + 8;
/// A feature of more artifacts than this says nothing.
pub(super) const OWNERS_MAX: usize = 8;
/// The weight of a feature that one artifact owns; divisible by every number up to [`OWNERS_MAX`].
pub(super) const WEIGHT_ONE: u64 = 840;

/// Bytes of one section without blocks, which is read whole.
const FRONT_BYTES_MAX: u64 = 64 << 20;
/// Blocks that are held decoded at one time (64 KiB each).
const CACHED_BLOCKS_MAX: usize = 256;

/// Bytes that are verified at a time.
const VERIFIED_BYTES: u64 = 1 << 20;

/// The embedded database: libraries of well-known advisories.
static SEED: &[u8] = include_bytes!("../../seed/relight.fp");

/// Largest seed that is embedded, in bytes.
pub const SEED_BYTES_MAX: usize = 8 << 20;

/// The sections, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Names,
    Sets,
    Text,
    TextBlocks,
    Shape,
    ShapeBlocks,
    Crc,
    CrcBlocks,
    Classes,
    Archives,
    ArchiveBlocks,
}

/// Why a database cannot be used at all. Damage inside is told by [`Database::lookup`].
#[derive(Debug)]
pub struct DatabaseError {
    context: String,
    source: Option<std::io::Error>,
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for DatabaseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Part of a database cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

enum Source {
    Memory(Cow<'static, [u8]>),
    File(File),
}

impl Source {
    /// Bytes that stay where they are, where they are part of the program.
    fn read_block(&self, start: u64, len: usize) -> std::io::Result<Cow<'static, [u8]>> {
        match self {
            Self::Memory(Cow::Borrowed(bytes)) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let taken = bytes.get(start..start.saturating_add(len));
                Ok(Cow::Borrowed(taken.ok_or(std::io::ErrorKind::UnexpectedEof)?))
            }
            _ => self.read(start, len).map(|bytes| Cow::Owned(bytes.into_owned())),
        }
    }

    fn read(&self, start: u64, len: usize) -> std::io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                let end = start.saturating_add(len);
                let taken = bytes.get(start..end).ok_or(std::io::ErrorKind::UnexpectedEof)?;
                Ok(Cow::Borrowed(taken))
            }
            Self::File(file) => {
                let mut bytes = vec![0; len];
                file.read_exact_at(&mut bytes, start)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u64,
    len: u64,
    hash: u64,
}

/// An open database.
pub struct Database {
    source: Source,
    places: [Place; SECTIONS],
    digest: Digest,
    built: i64,
    names: OnceLock<Result<Names, Damaged>>,
    fronts: [OnceLock<Result<Front, Damaged>>; 3],
    archives: OnceLock<Result<Archives, Damaged>>,
    cache: Mutex<HashMap<(u8, usize), Arc<Block>>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({})", self.digest)
    }
}

/// What a feature is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeatureKind {
    /// Code and literals.
    Text,
    /// Code alone.
    Shape,
    /// CRC-32 and size of a member.
    Crc,
}

/// Artifacts, releases and sets: read whole when the first feature is looked up.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) artifacts: Vec<Artifact>,
    /// Artifacts, of each holding one.
    holders: Vec<u32>,
    /// Numbers of the releases of that artifact.
    holdings: Lists,
    /// Holdings of a feature; empty for one that too many artifacts own.
    owners: Lists,
    pub(crate) classes: Vec<NamedTexts>,
}

/// A library.
#[derive(Debug)]
pub(crate) struct Artifact {
    /// `group:artifact`, or the artifact alone.
    pub(crate) name: String,
    /// In the order of versions.
    pub(crate) releases: Vec<KnownRelease>,
}

/// One version of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRelease {
    /// Its version.
    pub version: String,
    /// SHA-256 of the archive it was learnt from.
    pub digest: Digest,
    /// Where it was learnt.
    pub origin: String,
    /// What it owns: text, shape and CRC features.
    pub(crate) sums: [Sums; 3],
}

/// What a release owns of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) features: u64,
    /// Features that no other artifact owns.
    pub(crate) unique: u64,
    pub(crate) weight: u64,
}

/// A class that an advisory names, and what it is in the releases that have it.
#[derive(Debug)]
pub(crate) struct NamedTexts {
    pub(crate) artifact: u32,
    pub(crate) class: String,
    /// Sorted.
    pub(crate) texts: Vec<u64>,
}

impl Database {
    /// The database that is part of the program.
    ///
    /// # Errors
    /// Never, unless the program was built with a broken seed; a test reads it.
    pub fn seed() -> Result<Self, DatabaseError> {
        Self::open_source(Source::Memory(Cow::Borrowed(SEED)), "the embedded database")
    }

    /// A database in memory.
    ///
    /// # Errors
    /// The bytes do not start like a database of this method.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, DatabaseError> {
        Self::open_source(Source::Memory(Cow::Owned(bytes)), "a database in memory")
    }

    /// Opens a file; only its header is read.
    ///
    /// # Errors
    /// The file cannot be read, or does not start like a database of this method.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| DatabaseError {
            context: format!("open fingerprint database {name}"),
            source: Some(source),
        })?;
        Self::open_source(Source::File(file), &name)
    }

    fn open_source(source: Source, name: &str) -> Result<Self, DatabaseError> {
        let header = match source.read(0, HEADER_BYTES) {
            Ok(header) => header.into_owned(),
            Err(error) => {
                let context = format!("read the header of fingerprint database {name}");
                return Err(DatabaseError { context, source: Some(error) });
            }
        };
        let refused = || DatabaseError {
            context: format!("{name} is no fingerprint database of this version (relight-fp/1)"),
            source: None,
        };
        let (places, digest, built) = read_header(&header).ok_or_else(refused)?;
        Ok(Self {
            source,
            places,
            digest,
            built,
            names: OnceLock::new(),
            fronts: Default::default(),
            archives: OnceLock::new(),
            cache: Mutex::default(),
        })
    }

    /// SHA-256 of everything behind the header: the name of the database.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// When it was built, in seconds since 1970.
    pub const fn built(&self) -> i64 {
        self.built
    }

    /// Every artifact (`group:artifact`) with its releases, in order.
    ///
    /// # Errors
    /// The names cannot be read.
    pub fn releases(&self) -> Result<Vec<(String, Vec<KnownRelease>)>, DatabaseError> {
        let damaged = |_| DatabaseError {
            context: "read the names of a fingerprint database: it is damaged".to_owned(),
            source: None,
        };
        let names = self.names().map_err(damaged)?;
        Ok(names.artifacts.iter().map(|it| (it.name.clone(), it.releases.clone())).collect())
    }

    /// Reads everything and compares it with the digest of the header.
    ///
    /// # Errors
    /// Something cannot be read, or is not what was written.
    pub fn verify(&self) -> Result<(), DatabaseError> {
        let failed = |context: &str, source| {
            let context = format!("verify a fingerprint database: {context}");
            DatabaseError { context, source }
        };
        let mut hasher = Sha256::new();
        for place in &self.places {
            // In pieces: a header may promise more than there is memory.
            let mut at = 0;
            while at < place.len {
                let len = (place.len - at).min(VERIFIED_BYTES);
                let start = place.start.saturating_add(at);
                let bytes = self.source.read(start, usize::try_from(len).unwrap_or_default());
                hasher.update(&bytes.map_err(|error| failed("it ends too early", Some(error)))?);
                at += len;
            }
        }
        if Digest(hasher.finalize().into()) != self.digest {
            return Err(failed("its bytes are not those that its digest promises", None));
        }
        self.names().map_err(|_| failed("its names cannot be read", None))?;
        Ok(())
    }

    /// Artifacts, releases and sets.
    pub(crate) fn names(&self) -> Result<&Names, Damaged> {
        self.names.get_or_init(|| self.read_names()).as_ref().map_err(|damaged| *damaged)
    }

    fn read_names(&self) -> Result<Names, Damaged> {
        let names = self.whole(Section::Names)?;
        let sets = self.whole(Section::Sets)?;
        let classes = self.whole(Section::Classes)?;
        let names = read_names(&names, &sets, &classes).ok_or(Damaged)?;
        if names.is_sound() { Ok(names) } else { Err(Damaged) }
    }

    fn whole(&self, section: Section) -> Result<Cow<'_, [u8]>, Damaged> {
        let place = self.places[section as usize];
        if place.len > FRONT_BYTES_MAX {
            return Err(Damaged);
        }
        let len = usize::try_from(place.len).map_err(|_| Damaged)?;
        let bytes = self.source.read(place.start, len).map_err(|_| Damaged)?;
        if xxh3_64(&bytes) == place.hash { Ok(bytes) } else { Err(Damaged) }
    }

    fn front(&self, kind: FeatureKind) -> Result<&Front, Damaged> {
        let section = [Section::Text, Section::Shape, Section::Crc][kind as usize];
        let read = || Front::read(&self.whole(section)?).ok_or(Damaged);
        self.fronts[kind as usize].get_or_init(read).as_ref().map_err(|damaged| *damaged)
    }

    /// Whether a value may be there; a front that cannot be read may hold all.
    pub(crate) fn may_hold(&self, kind: FeatureKind, value: u64) -> bool {
        self.front(kind).map_or(true, |front| front.may_hold(value))
    }

    /// Looks up values, sorted: `found` is called with each that is there and its owner set.
    ///
    /// # Errors
    /// A block, or the front, cannot be read. What is in the other blocks was told.
    pub(crate) fn lookup(
        &self,
        kind: FeatureKind,
        values: impl IntoIterator<Item = u64>,
        mut found: impl FnMut(u64, u32),
    ) -> Result<(), Damaged> {
        let front = self.front(kind)?;
        let mut outcome = Ok(());
        let mut open: Option<(usize, Result<Arc<Block>, Damaged>)> = None;
        for value in values {
            let Some(at) = front.block_of(value).filter(|_| front.may_hold(value)) else {
                continue;
            };
            if open.as_ref().is_none_or(|(number, _)| *number != at) {
                open = Some((at, self.block(kind, front, at)));
            }
            match &open {
                Some((_, Ok(block))) => {
                    if let Some(owners) = block.owners(value) {
                        found(value, owners);
                    }
                }
                _ => outcome = Err(Damaged),
            }
        }
        outcome
    }

    /// What is known of an archive by its directory (its hash), when `is_it` says so of the digest
    /// of the release that had such a directory.
    ///
    /// # Errors
    /// What is known of it cannot be read.
    pub(crate) fn archive(
        &self,
        directory: u64,
        is_it: &mut dyn FnMut(Digest) -> bool,
    ) -> Result<Option<Learnt>, Damaged> {
        for place in self.archives()?.of(directory) {
            let artifact = self.names()?.artifacts.get(place.artifact as usize);
            let release = artifact.and_then(|it| it.releases.get(place.release as usize));
            let digest = release.ok_or(Damaged)?.digest;
            if !is_it(digest) {
                continue;
            }
            let bytes = self.archive_block(place)?;
            let learnt = Learnt::read(&bytes, place.hash, digest, |at| self.text(at));
            return learnt.map(Some).ok_or(Damaged);
        }
        Ok(None)
    }

    /// What fast mode says about the archive with this directory.
    ///
    /// # Errors
    /// What is known of it cannot be read.
    pub(crate) fn answer(&self, directory: u64) -> Result<Option<Answer>, Damaged> {
        let Some(place) = self.archives()?.answered(directory) else { return Ok(None) };
        let block = self.archive_block(place)?;
        if xxh3_64(&block) != place.hash {
            return Err(Damaged);
        }
        let record = block[block.len().saturating_sub(place.answer_len)..].to_vec();
        Ok(Some(Answer { record, selected: place.selected }))
    }

    pub(super) fn archives(&self) -> Result<&Archives, Damaged> {
        let read = || Archives::read(&self.whole(Section::Archives)?).ok_or(Damaged);
        self.archives.get_or_init(read).as_ref().map_err(|damaged| *damaged)
    }

    fn archive_block(&self, place: &ArchivePlace) -> Result<Cow<'_, [u8]>, Damaged> {
        let blocks = self.places[Section::ArchiveBlocks as usize];
        if place.start.saturating_add(place.len as u64) > blocks.len {
            return Err(Damaged);
        }
        self.source.read(blocks.start + place.start, place.len).map_err(|_| Damaged)
    }

    /// The text with this number, in the order of all texts.
    fn text(&self, at: usize) -> Option<u64> {
        let front = self.front(FeatureKind::Text).ok()?;
        let (block, at) = (at / BLOCK_FEATURES_MAX, at % BLOCK_FEATURES_MAX);
        front.blocks.get(block)?;
        self.block(FeatureKind::Text, front, block).ok()?.value(at)
    }

    fn block(&self, kind: FeatureKind, front: &Front, at: usize) -> Result<Arc<Block>, Damaged> {
        let key = (kind as u8, at);
        let lock = || self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = lock().get(&key) {
            return Ok(Arc::clone(block));
        }
        let section = [Section::TextBlocks, Section::ShapeBlocks, Section::CrcBlocks];
        let (blocks, place) = (self.places[section[kind as usize] as usize], front.blocks[at]);
        if place.start.saturating_add(place.len as u64) > blocks.len {
            return Err(Damaged);
        }
        let start = blocks.start + place.start;
        let bytes = self.source.read_block(start, place.len).map_err(|_| Damaged)?;
        let block = Arc::new(Block::read(bytes, place.hash).ok_or(Damaged)?);
        let mut cache = lock();
        if cache.len() >= CACHED_BLOCKS_MAX {
            cache.clear();
        }
        cache.insert(key, Arc::clone(&block));
        Ok(block)
    }
}

fn read_header(header: &[u8]) -> Option<([Place; SECTIONS], Digest, i64)> {
    let (body, hash) = header.split_at_checked(HEADER_BYTES - 8)?;
    let mut reader = Reader { bytes: body };
    let is_ours = reader.take(16)? == MAGIC && reader.fixed()? == METHOD;
    if !is_ours || xxh3_64(body).to_le_bytes() != hash {
        return None;
    }
    let built = reader.fixed()? as i64;
    let mut places = [Place::default(); SECTIONS];
    for place in &mut places {
        *place = Place { start: reader.fixed()?, len: reader.fixed()?, hash: reader.fixed()? };
    }
    Some((places, Digest(reader.take(32)?.try_into().ok()?), built))
}

fn read_names(names: &[u8], sets: &[u8], classes: &[u8]) -> Option<Names> {
    let mut all = Names::default();
    let mut reader = Reader { bytes: names };
    for _ in 0..reader.count()? {
        let name = reader.text()?;
        let releases =
            (0..reader.count()?).map(|_| read_release(&mut reader)).collect::<Option<_>>()?;
        all.artifacts.push(Artifact { name, releases });
    }
    let mut reader = Reader { bytes: sets };
    for _ in 0..reader.count()? {
        all.holders.push(reader.index()?);
        all.holdings.read(&mut reader)?;
    }
    for _ in 0..reader.count()? {
        all.owners.read(&mut reader)?;
    }
    let mut reader = Reader { bytes: classes };
    for _ in 0..reader.count()? {
        let (artifact, class) = (reader.index()?, reader.text()?);
        let texts = (0..reader.count()?).map(|_| reader.fixed()).collect::<Option<_>>()?;
        all.classes.push(NamedTexts { artifact, class, texts });
    }
    Some(all)
}

fn read_release(reader: &mut Reader<'_>) -> Option<KnownRelease> {
    let version = reader.text()?;
    let digest = Digest(reader.take(32)?.try_into().ok()?);
    let origin = reader.text()?;
    let mut sums = [Sums::default(); 3];
    for sum in &mut sums {
        let (features, unique) = (reader.number()?, reader.number()?);
        *sum = Sums { features, unique, weight: reader.number()? };
    }
    Some(KnownRelease { version, digest, origin, sums })
}

impl Names {
    /// Every number names something that is there; checked once, so that nothing need be later.
    fn is_sound(&self) -> bool {
        let artifact = |number: u32| self.artifacts.get(number as usize);
        let holding = |(number, releases): (&u32, &[u32])| {
            artifact(*number)
                .is_some_and(|it| releases.iter().all(|at| (*at as usize) < it.releases.len()))
        };
        let owners = |list: &[u32]| {
            list.len() <= OWNERS_MAX && list.iter().all(|at| (*at as usize) < self.holders.len())
        };
        self.holders.iter().zip(self.holdings.iter()).all(holding)
            && self.owners.iter().all(owners)
            && self.classes.iter().all(|it| artifact(it.artifact).is_some())
    }

    /// Who owns a feature: artifact and releases of each; none for a number that means nothing.
    pub(crate) fn holders(&self, owners: u32) -> impl ExactSizeIterator<Item = (u32, &[u32])> {
        let list = self.owners.get(owners as usize);
        list.iter().map(|at| (self.holders[*at as usize], self.holdings.get(*at as usize)))
    }
}
