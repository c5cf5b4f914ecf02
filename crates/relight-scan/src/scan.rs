//! One scan: a walker, workers, and one sorted report.

use std::error::Error;
use std::ffi::CString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use relight_model::{Digest, FlawCode, Sbom, Warning};
use rustix::fs::{CWD, FileType, fstat};
use sha2::{Digest as _, Sha256};

use crate::cataloger::Index;
use crate::evidence::escape;
use crate::identity;
use crate::limits::Options;
use crate::unpack::{self, Found, Shared};
use crate::walk::{self, Batch, Walker};
use crate::window::Window;

/// Batches of files that wait for a worker; each holds a directory open.
const WALK_QUEUE_MAX: usize = 64;

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
    /// Bytes read from the disk.
    pub bytes_read: u64,
}

/// Counters that another thread may read while a scan runs.
#[derive(Debug, Default)]
pub struct Progress {
    files: AtomicU64,
    archives: AtomicU64,
    deepest: AtomicU32,
    bytes_read: AtomicU64,
    flaws: AtomicU64,
}

impl Progress {
    /// Regular files done.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Archives opened.
    pub fn archives(&self) -> u64 {
        self.archives.load(Ordering::Relaxed)
    }

    /// Deepest level opened.
    pub fn deepest(&self) -> u32 {
        self.deepest.load(Ordering::Relaxed)
    }

    /// Bytes read from the disk.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Flaws so far.
    pub fn flaws(&self) -> u64 {
        self.flaws.load(Ordering::Relaxed)
    }
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

/// Scans a folder, or one file.
///
/// # Errors
/// Only when the root itself cannot be opened, or is neither a folder nor a regular file.
pub fn scan(root: &Path, options: &Options, progress: &Progress) -> Result<Report, ScanError> {
    let failed =
        |source| ScanError { context: format!("open {} to scan it", root.display()), source };
    let real = root.canonicalize().map_err(failed)?;
    let kind = fs::metadata(&real).map_err(failed)?;
    let shared = Shared { options, index: Index::new(), class: None, large: Mutex::new(()) };
    let scan = Scan { shared, progress };
    let mut output = Output::default();
    if kind.is_dir() {
        let folder = walk::open_root(&real).map_err(failed)?;
        output = scan.folder(&real, folder);
    } else if kind.is_file() {
        let path = CString::new(real.as_os_str().as_bytes()).map_err(|e| failed(e.into()))?;
        let file = walk::open_file(CWD, &path).map_err(failed)?;
        let name = real.file_name().unwrap_or_default();
        scan.file(file.into(), &escape(name.as_bytes()), &mut output);
    } else {
        let kind = io::Error::other("neither a folder nor a regular file");
        return Err(failed(kind));
    }
    Ok(output.report(options))
}

/// What one worker, or all of them, produced.
#[derive(Default)]
struct Output {
    found: Found,
    files: u64,
    bytes_read: u64,
    /// Path, size and digest of each file, if asked for.
    digests: Vec<(String, u64, Digest)>,
}

impl Output {
    fn merge(&mut self, other: Self) {
        let Self { found, files, bytes_read, digests } = other;
        self.found.merge(found);
        self.files += files;
        self.bytes_read += bytes_read;
        self.digests.extend(digests);
    }

    fn report(mut self, options: &Options) -> Report {
        let mut found = self.found;
        found.distributions.apply(&mut found.components);
        let mut sbom = Sbom {
            components: identity::merge(found.components),
            flaws: found.flaws,
            artifact: None,
            tool: concat!("relight ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        sbom.normalise();
        if options.artifact_digest {
            self.digests.sort();
            let mut hasher = Sha256::new();
            for (path, size, digest) in &self.digests {
                hasher.update(format!("{path}\0{size}\0{digest}\n"));
            }
            sbom.artifact = Some(Digest(hasher.finalize().into()));
        }
        found.warnings.sort();
        Report {
            sbom,
            warnings: found.warnings,
            files: self.files,
            archives: found.archives,
            deepest: found.deepest,
            bytes_read: self.bytes_read,
        }
    }
}

struct Scan<'a> {
    shared: Shared<'a>,
    progress: &'a Progress,
}

impl Scan<'_> {
    fn folder(&self, real: &Path, folder: std::os::fd::OwnedFd) -> Output {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = self.shared.options.threads.unwrap_or_else(cores).max(1);
        let (sender, receiver) = sync_channel::<Batch>(WALK_QUEUE_MAX);
        let queue = Arc::new(Mutex::new(receiver));
        let mut output = Output::default();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || self.work(&queue))
                })
                .collect();
            drop(queue);
            let mut walker = Walker {
                root: real.to_owned(),
                path_bytes_max: self.shared.options.path_bytes_max,
                found: &mut output.found,
            };
            walker.walk(folder, &mut |batch| sender.send(batch).is_ok());
            drop(sender);
            for worker in workers {
                match worker.join() {
                    Ok(done) => output.merge(done),
                    // A worker catches panics file by file; one that still ended lost its work.
                    Err(_) => output.found.flaw(FlawCode::IoError, "", 0),
                }
            }
        });
        output
    }

    fn work(&self, queue: &Mutex<Receiver<Batch>>) -> Output {
        let mut output = Output::default();
        loop {
            let batch = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Batch { folder, files }) = batch else { return output };
            for (name, path) in files {
                match walk::open_file(&folder, &name) {
                    Ok(file) => self.file(file.into(), &path, &mut output),
                    // Gone, or turned into a link or a device, since it was listed.
                    Err(error) if is_gone(&error) => {}
                    Err(error) => output.found.flaw(walk::code_of(&error), &path, 0),
                }
            }
        }
    }

    fn file(&self, file: File, path: &str, output: &mut Output) {
        let stat = match fstat(&file) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => stat,
            Ok(_) => return,
            Err(error) => return output.found.flaw(walk::code_of(&error.into()), path, 0),
        };
        let size = u64::try_from(stat.st_size).unwrap_or_default();
        let window = Window::of_file(file, size);
        let mut found = Found::default();
        let read = catch_unwind(AssertUnwindSafe(|| {
            unpack::read_file(&self.shared, &window, path, &mut found)
        }));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => found.flaw(walk::code_of(&error), path, size),
            // A bug of ours must not hide the rest of the tree; the file counts as unread.
            Err(_) => found.flaw(FlawCode::CorruptEntry, path, size),
        }
        if self.shared.options.artifact_digest {
            match sha256(&window) {
                Ok(digest) => output.digests.push((path.to_owned(), size, digest)),
                Err(error) => found.flaw(walk::code_of(&error), path, size),
            }
        }
        self.count(&found, &window);
        output.files += 1;
        output.bytes_read += window.bytes_read();
        output.found.merge(found);
    }

    fn count(&self, found: &Found, window: &Window) {
        let Progress { files, archives, deepest, bytes_read, flaws } = self.progress;
        files.fetch_add(1, Ordering::Relaxed);
        archives.fetch_add(found.archives, Ordering::Relaxed);
        deepest.fetch_max(found.deepest, Ordering::Relaxed);
        bytes_read.fetch_add(window.bytes_read(), Ordering::Relaxed);
        flaws.fetch_add(found.flaws.len() as u64, Ordering::Relaxed);
    }
}

fn is_gone(error: &io::Error) -> bool {
    use rustix::io::Errno;

    let gone = [Errno::NOENT, Errno::LOOP, Errno::NXIO, Errno::NODEV, Errno::OPNOTSUPP];
    gone.into_iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

fn sha256(window: &Window) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut reader = window.reader();
    let mut piece = vec![0; 64 << 10];
    loop {
        let read = reader.read(&mut piece)?;
        if read == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&piece[..read]);
    }
}
