//! One scan: a walker, workers, and one sorted report.

use std::error::Error;
use std::ffi::CString;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use relight_model::{Component, Digest, FlawCode, Profile, Sbom, Warning};
use rustix::fs::CWD;

use crate::cache::Cache;
use crate::cataloger::Listing;
use crate::evidence::escape;
use crate::fingerprint::class;
use crate::folder::Links;
use crate::image::{Form, InFolder, InTar, Store};
use crate::limits::{Mode, Options};
use crate::output::Output;
use crate::progress::Progress;
use crate::sniff::{self, Gap, HEAD_BYTES, Head};
use crate::source::{STORES, Target, find_image};
use crate::steady::{self, Steady};
use crate::unpack::{Account, Shared};
use crate::walk::{self, Rules};
use crate::window::{Pace, Window};
use crate::worker::Scan;

/// What a scan found. Equal trees give equal reports, on any number of threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The inventory, sorted; its artifact digest, if asked for, is the SHA-256 over one line
    /// `path NUL size NUL digest` for each regular file that could be read, sorted by path.
    pub sbom: Sbom,
    /// What could not be used of metadata files; each has its flaw in the inventory.
    pub warnings: Vec<Warning>,
    /// Regular files.
    pub files: u64,
    /// Archives opened, at any depth.
    pub archives: u64,
    /// Deepest level of nesting that was opened; 1 is an archive in a folder.
    pub deepest: u32,
    /// Bytes read from the disk, now or when the cache was filled.
    pub bytes_read: u64,
    /// Files that were not read, because the cache knew their result. Two reports of one tree may
    /// differ in this number alone.
    pub known: u64,
    /// Code that could not be looked into, and where; no flaw. Sorted.
    pub gaps: Vec<(Gap, String)>,
    /// What became of the bytes of all files.
    pub file_bytes: Account,
    /// What became of the unpacked bytes of all members of containers.
    pub member_bytes: Account,
    /// What upper layers of images hide, if asked for; it never counts. Sorted.
    pub hidden: Vec<Component>,
    /// The digest of the layer of an image that each piece of evidence is from. Sorted.
    pub layers: Vec<(String, Digest)>,
    /// The containers with classes, by evidence path, when the options ask for them.
    pub listings: Vec<(String, Listing)>,
    /// What containers and folders of classes are made of, when the options ask for it. Sorted;
    /// each place once.
    pub profiles: Vec<Profile>,
}

/// The root of a scan could not be opened. Everything below the root is a flaw, not an error.
#[derive(Debug)]
pub struct ScanError {
    context: String,
    source: io::Error,
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for ScanError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// A file that is named by itself is read each time; its archive may still be known.
pub(crate) const NOT_LOCAL: bool = false;

/// What a scan is given by the program around it.
#[derive(Clone, Debug)]
pub struct Services<'a> {
    /// What is told while it runs.
    pub progress: &'a Progress,
    /// Who says how fast files are read.
    pub pace: Option<Arc<dyn Pace>>,
    /// What was read before. Without one, every byte that counts is read.
    pub cache: Option<&'a dyn Cache>,
}

/// Scans a folder, or one file: [`scan_target`] for a path.
///
/// # Errors
/// As [`scan_target`].
pub fn scan(root: &Path, options: &Options, progress: &Progress) -> Result<Report, ScanError> {
    let target = Target::Path(root.to_owned());
    scan_target(&target, options, &Services { progress, pace: None, cache: None })
}

/// Scans a target.
///
/// # Errors
/// Only when the target itself cannot be opened, or is not of the kind that was named.
pub fn scan_target(
    target: &Target,
    options: &Options,
    services: &Services<'_>,
) -> Result<Report, ScanError> {
    let failed = |source| ScanError { context: format!("open {target} to scan it"), source };
    let class = (options.mode == Mode::Deep).then_some(class::read as _);
    let shared = Shared::new(options, class);
    let classes = Arc::clone(&shared.folder_classes);
    let values = Arc::clone(&shared.profile_values);
    let mut scan = Scan::new(shared, services);
    let mut output = read(target, &mut scan, services).map_err(failed)?;
    scan.keep_layers(&mut output);
    if !matches!(target, Target::Oci(_) | Target::DockerArchive(_)) {
        // A layout may be the folder itself, with other files beside it.
        output.images.clear();
    }
    output.has_lost_classes = classes.load(Ordering::Relaxed) > options.folder_classes_max;
    output.has_lost_profiles = values.load(Ordering::Relaxed) > options.profile_values_max;
    Ok(output.report(options))
}

fn read(target: &Target, scan: &mut Scan<'_>, services: &Services<'_>) -> io::Result<Output> {
    let real = target.path().canonicalize()?;
    let kind = fs::metadata(&real)?;
    match target {
        Target::Host => scan.host(&real, Path::new("/proc")),
        Target::Image(reference) => {
            let layers = find_image(&STORES.map(PathBuf::from), reference)?;
            Ok(scan.local_image(&layers))
        }
        Target::Path(_) | Target::Folder(_) if kind.is_dir() => {
            Ok(scan.folder(&real, walk::open_root(&real)?, Rules::default()))
        }
        Target::Path(_) | Target::File(_) if kind.is_file() => file(&real, scan),
        Target::Oci(_) if kind.is_dir() => {
            let folder = Arc::new(walk::open_root(&real)?);
            let store = InFolder::new(folder, services.pace.clone());
            image(&store, Form::Oci, scan)
        }
        Target::Oci(_) | Target::DockerArchive(_) if kind.is_file() => {
            let form = if matches!(target, Target::Oci(_)) { Form::Oci } else { Form::Docker };
            image_in_tar(&real, form, scan, services.pace.as_ref())
        }
        Target::Path(_) => Err(io::Error::other("neither a folder nor a regular file")),
        Target::Folder(_) => Err(io::Error::other("not a folder")),
        Target::File(_) | Target::DockerArchive(_) => Err(io::Error::other("not a regular file")),
        Target::Oci(_) => Err(io::Error::other("neither a folder nor a regular file")),
    }
}

fn file(real: &Path, scan: &Scan<'_>) -> io::Result<Output> {
    let path = CString::new(real.as_os_str().as_bytes())?;
    walk::open_file(CWD, &path, Links::Refuse)?;
    let name = escape(real.file_name().unwrap_or_default().as_bytes());
    let mut output = Output::default();
    scan.file(&|| walk::open_file(CWD, &path, Links::Refuse), NOT_LOCAL, &name, &mut output);
    Ok(output)
}

/// An image in a tar archive that was named; it may change while it is read.
fn image_in_tar(
    real: &Path,
    form: Form,
    scan: &Scan<'_>,
    pace: Option<&Arc<dyn Pace>>,
) -> io::Result<Output> {
    let read = steady::read(
        || File::open(real),
        |file, stamp| {
            let window = Window::of_paced_file(Arc::clone(file), stamp.size, pace.cloned());
            if let Head::Stream(_) = sniff::head(&window.read(0, HEAD_BYTES)?) {
                return Err(io::Error::other("it is packed: unpack it first"));
            }
            image(&InTar::new(&window), form, scan)
        },
    );
    match read? {
        Steady::Same(output) => output,
        Steady::Changed(output, size) => output.map(|mut output| {
            output.found.flaw(FlawCode::ChangedDuringScan, "", size);
            output.images.clear();
            output.records.clear();
            output
        }),
        Steady::Other => Err(io::Error::other("not a regular file")),
    }
}

fn image(store: &dyn Store, form: Form, scan: &Scan<'_>) -> io::Result<Output> {
    let index = form.index();
    if store.open(index).is_none() {
        return Err(io::Error::other(format!("there is no {index} in it")));
    }
    Ok(scan.image(store, form, ""))
}
