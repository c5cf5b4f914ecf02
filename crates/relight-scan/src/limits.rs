//! Every limit of a scan, with its unit. Reaching one is a flaw; the rest of the tree goes on.

use relight_model::{CATALOG_BYTES_MAX, Glob};

use crate::fingerprint::Fingerprints;
use crate::profile::{PROFILE_VALUES_SCAN_MAX, Profiles};

/// Archives inside archives; the outermost is level 1.
pub const DEPTH_MAX: u32 = 64;

/// Unpacked bytes of one member of an archive.
pub const FILE_SIZE_MAX: u64 = 512 << 20;

/// Unpacked bytes that any outer file may give, however small it is.
pub const EXPANDED_FREE_BYTES: u64 = 64 << 20;

/// Unpacked bytes for each byte of the outer file, on top of [`EXPANDED_FREE_BYTES`], cumulative
/// over all levels. No real archive we measured comes near 200.
pub const EXPANDED_RATIO_MAX: u64 = 200;

/// Bytes that are unpacked once more of one outer file, for programs that are too long to be held;
/// one out of a slow coding counts as several. More would take all of [`FILE_TIME_MAX_S`], and what
/// follows them in the file would not be reached. A layer of an image has what it may give at all,
/// each of its files the time of one: there may be many servers in it.
pub(crate) const AGAIN_BYTES_MAX: u64 = 8 << 30;

/// Members of one outer file, all levels together.
pub const ENTRIES_MAX: u64 = 4_194_304;

/// Bytes of one central directory.
pub const DIRECTORY_BYTES_MAX: u64 = 32 << 20;

/// Bytes of a file that is handed whole to a cataloger.
pub const CATALOG_SIZE_MAX: u64 = 32 << 20;

/// Bytes that one cataloger may read by range from any file (databases, programs), however small
/// the file is.
pub(crate) const CATALOG_READ_FREE_BYTES: u64 = 16 << 20;

/// Bytes that one cataloger may read by range for each byte of the file, on top of
/// [`CATALOG_READ_FREE_BYTES`]. Each byte is needed once or twice; ranges that overlap or go in
/// circles have no other end.
pub(crate) const CATALOG_READ_RATIO_MAX: u64 = 4;

/// Bytes that one cataloger may hold and hand back for each byte of the outer file, on top of
/// [`CATALOG_BYTES_MAX`]: a large database of a host holds more packages than a small archive can.
pub const CATALOG_BYTES_RATIO_MAX: u64 = 32;

/// The same, however large the outer file is: it may be a hole.
pub(crate) const CATALOG_BYTES_TOTAL_MAX: u64 = 512 << 20;

/// Bytes of one class file. Compilers cannot write one of 8 MiB; a bomb can.
pub const CLASS_SIZE_MAX: u64 = 8 << 20;

/// Classes that lie in folders: what they are is understood together when the walk is over, so each
/// takes some hundred bytes until then. Beyond it, none of them is compared.
pub const FOLDER_CLASSES_MAX: usize = 262_144;

/// Bytes that one outer file may hold in memory at one time: inner archives that are open, and
/// what is being looked at. More than a small share of it ([`SMALL_BYTES`]) is granted to one
/// outer file at a time; the others wait.
pub const BUFFERED_BYTES_MAX: u64 = 32 << 20;

/// What all threads together may hold without waiting for each other, in bytes.
pub(crate) const SMALL_BYTES: u64 = 16 << 20;

/// What [`Options::working_memory`] divides: half may be held by one outer file, a quarter by all
/// threads without waiting, and the rest is for everything that is counted nowhere.
pub const MEMORY_BYTES: u64 = 64 << 20;

const _: () = assert!(BUFFERED_BYTES_MAX == MEMORY_BYTES / 2 && SMALL_BYTES == MEMORY_BYTES / 4);

/// Longest member that is held whole, in bytes. What is longer comes by in pieces.
pub(crate) const WHOLE_BYTES_MAX: u64 = 8 << 20;

/// Longest program in an archive that is unpacked in one piece, in bytes: twice as fast as in
/// pieces, and it is held whole anyway to be looked into. Native libraries have some 10 MiB.
pub(crate) const PROGRAM_BYTES_MAX: u64 = 16 << 20;

/// Time of the processor for one outer file, in seconds.
pub const FILE_TIME_MAX_S: u64 = 60;

/// Bytes of one evidence path.
pub const PATH_BYTES_MAX: usize = 1 << 20;

/// How much of an archive is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Everything.
    #[default]
    Deep,
    /// Directories of archives, nested archives and metadata. It finds, and it never clears what
    /// can be embedded in something else.
    Fast,
}

/// What a scan may do and how far it goes. The limits are settable because tests reach them;
/// [`Options::default`] is what users get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// See [`DEPTH_MAX`].
    pub depth_max: u32,
    /// See [`FILE_SIZE_MAX`].
    pub file_size_max: u64,
    /// See [`EXPANDED_FREE_BYTES`].
    pub expanded_free_bytes: u64,
    /// See [`EXPANDED_RATIO_MAX`].
    pub expanded_ratio_max: u64,
    /// See [`ENTRIES_MAX`].
    pub entries_max: u64,
    /// See [`DIRECTORY_BYTES_MAX`].
    pub directory_bytes_max: u64,
    /// See [`CATALOG_SIZE_MAX`].
    pub catalog_size_max: u64,
    /// See [`CATALOG_BYTES_MAX`].
    pub catalog_free_bytes: u64,
    /// See [`CATALOG_BYTES_RATIO_MAX`].
    pub catalog_ratio_max: u64,
    /// See [`CLASS_SIZE_MAX`].
    pub class_size_max: u64,
    /// See [`FOLDER_CLASSES_MAX`].
    pub folder_classes_max: usize,
    /// See [`BUFFERED_BYTES_MAX`].
    pub buffered_bytes_max: u64,
    /// What all threads together may hold without waiting for each other, in bytes.
    pub small_bytes: u64,
    /// See [`FILE_TIME_MAX_S`].
    pub file_time_max_s: u64,
    /// See [`PATH_BYTES_MAX`].
    pub path_bytes_max: usize,
    /// How much is read of archives.
    pub mode: Mode,
    /// The databases that classes are compared with.
    pub fingerprints: Fingerprints,
    /// Give the listing of every container with classes ([`crate::Report::listings`]).
    pub keep_listings: bool,
    /// See [`PROFILE_VALUES_SCAN_MAX`].
    pub profile_values_max: usize,
    /// Whose profiles are given ([`crate::Report::profiles`]).
    pub profiles: Profiles,
    /// Paths that are left out; each is a flaw.
    pub exclude: Vec<Glob>,
    /// Also visit what links lead to outside the root.
    pub follow: bool,
    /// The platform of an image of several (`linux/arm64`); that of this machine unless given.
    pub platform: Option<String>,
    /// Also list what upper layers of an image hide.
    pub all_layers: bool,
    /// Also list the actions that workflows of GitHub use.
    pub workflows: bool,
    /// Worker threads; `None` is one for each core.
    pub threads: Option<usize>,
    /// Read every regular file whole and give the digest of the set ([`crate::Report`]).
    pub artifact_digest: bool,
}

impl Options {
    /// The same with this much working memory, in bytes, instead of [`MEMORY_BYTES`].
    #[must_use]
    pub fn working_memory(self, bytes: u64) -> Self {
        Self { buffered_bytes_max: bytes / 2, small_bytes: bytes / 4, ..self }
    }

    /// Unpacked bytes that a file of so many bytes may give.
    pub(crate) const fn expanded_bytes_max(&self, len: u64) -> u64 {
        self.expanded_free_bytes.saturating_add(len.saturating_mul(self.expanded_ratio_max))
    }

    /// Bytes of one file that is held because it comes by once and has several names.
    pub(crate) fn held_for_names_max(&self) -> u64 {
        self.catalog_size_max.min(self.buffered_bytes_max / 2)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            depth_max: DEPTH_MAX,
            file_size_max: FILE_SIZE_MAX,
            expanded_free_bytes: EXPANDED_FREE_BYTES,
            expanded_ratio_max: EXPANDED_RATIO_MAX,
            entries_max: ENTRIES_MAX,
            directory_bytes_max: DIRECTORY_BYTES_MAX,
            catalog_size_max: CATALOG_SIZE_MAX,
            catalog_free_bytes: CATALOG_BYTES_MAX as u64,
            catalog_ratio_max: CATALOG_BYTES_RATIO_MAX,
            class_size_max: CLASS_SIZE_MAX,
            folder_classes_max: FOLDER_CLASSES_MAX,
            buffered_bytes_max: BUFFERED_BYTES_MAX,
            small_bytes: SMALL_BYTES,
            file_time_max_s: FILE_TIME_MAX_S,
            path_bytes_max: PATH_BYTES_MAX,
            mode: Mode::Deep,
            fingerprints: Fingerprints::default(),
            keep_listings: false,
            profile_values_max: PROFILE_VALUES_SCAN_MAX,
            profiles: Profiles::None,
            exclude: Vec::new(),
            follow: false,
            platform: None,
            all_layers: false,
            workflows: false,
            threads: None,
            artifact_digest: false,
        }
    }
}
