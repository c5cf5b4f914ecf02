//! One scan: a walker, workers, and one sorted report.

use std::error::Error;
use std::ffi::{CStr, CString};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use relight_model::{Digest, FlawCode, Sbom, Warning};
use rustix::fs::{AtFlags, CWD, statat};
use sha2::{Digest as _, Sha256};

use crate::cache::{Cache, Known, Record};
use crate::evidence::{escape, in_folder};
use crate::folder::Links;
use crate::identity;
use crate::limits::Options;
use crate::progress::Progress;
use crate::sniff::Gap;
use crate::source::{Host, Target};
use crate::steady::{self, Stamp, Steady};
use crate::unpack::{self, Account, Found, Shared};
use crate::walk::{self, Batch, Rules, Walker};
use crate::window::{Pace, Window};

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
const NOT_LOCAL: bool = false;

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
    let real = target.path().canonicalize().map_err(failed)?;
    let kind = fs::metadata(&real).map_err(failed)?;
    let shared = Shared::new(options, None);
    let mut scan = Scan::new(shared, services);
    let mut output = Output::default();
    if matches!(target, Target::Host) {
        output = scan.host(&real, Path::new("/proc")).map_err(failed)?;
    } else if kind.is_dir() && !matches!(target, Target::File(_)) {
        let folder = walk::open_root(&real).map_err(failed)?;
        output = scan.folder(&real, folder, Rules::default());
    } else if kind.is_file() && !matches!(target, Target::Folder(_)) {
        let path = CString::new(real.as_os_str().as_bytes()).map_err(|e| failed(e.into()))?;
        walk::open_file(CWD, &path, Links::Refuse).map_err(failed)?;
        let name = escape(real.file_name().unwrap_or_default().as_bytes());
        scan.file(&|| walk::open_file(CWD, &path, Links::Refuse), NOT_LOCAL, &name, &mut output);
    } else {
        return Err(failed(io::Error::other(match target {
            Target::Path(_) | Target::Host => "neither a folder nor a regular file",
            Target::Folder(_) => "not a folder",
            Target::File(_) => "not a regular file",
        })));
    }
    Ok(output.report(options))
}

/// What one worker, or all of them, produced.
#[derive(Default)]
struct Output {
    found: Found,
    files: u64,
    bytes_read: u64,
    known: u64,
    /// Path, size and digest of each file, if asked for.
    digests: Vec<(String, u64, Digest)>,
}

impl Output {
    /// What the cache knows of one file.
    fn of_record(record: Record) -> Self {
        let Record { found, bytes_read } = record;
        Self { found, bytes_read, files: 1, known: 1, digests: Vec::new() }
    }

    fn merge(&mut self, other: Self) {
        let Self { found, files, bytes_read, known, digests } = other;
        self.found.merge(found);
        self.files += files;
        self.bytes_read += bytes_read;
        self.known += known;
        self.digests.extend(digests);
    }

    fn report(mut self, options: &Options) -> Report {
        let mut found = self.found;
        found.distributions.apply(&mut found.components);
        found.ownership.apply(&mut found.components);
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
        found.warnings.dedup();
        found.gaps.sort();
        Report {
            sbom,
            warnings: found.warnings,
            files: self.files,
            archives: found.archives,
            deepest: found.deepest,
            bytes_read: self.bytes_read,
            known: self.known,
            gaps: found.gaps,
            file_bytes: found.files,
            member_bytes: found.members,
        }
    }
}

/// One reading of a file.
#[derive(Default)]
struct Reading {
    done: Output,
    stamp: Option<Stamp>,
    /// The key of its directory, when it is an archive of the plainest form.
    directory: Option<Digest>,
}

struct Scan<'a> {
    shared: Shared<'a>,
    services: &'a Services<'a>,
    known: Option<Known<'a>>,
    host: Option<Host>,
}

/// How a file is opened, and opened again if it changed.
type Opens<'a> = dyn Fn() -> io::Result<OwnedFd> + 'a;

impl<'a> Scan<'a> {
    fn new(shared: Shared<'a>, services: &'a Services<'a>) -> Self {
        // The digest of the artifacts wants every byte.
        let cache = services.cache.filter(|_| !shared.options.artifact_digest);
        let known = cache.map(|cache| Known::new(cache, shared.options));
        Self { shared, services, known, host: None }
    }

    fn folder(&self, real: &Path, folder: OwnedFd, rules: Rules) -> Output {
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
            let found = &mut output.found;
            let mut walker = Walker::new(real.to_owned(), rules, self.shared.options, found);
            walker.walk(folder, &mut |batch| {
                let files = batch.files.len() as u64;
                self.services.progress.listed.fetch_add(files, Ordering::Relaxed);
                sender.send(batch).is_ok()
            });
            self.services.progress.is_listed.store(true, Ordering::Release);
            drop(sender);
            for worker in workers {
                match worker.join() {
                    Ok(done) => output.merge(done),
                    // A worker catches panics file by file; one that still ended lost its work.
                    Err(_) => output.found.flaw(FlawCode::IoError, "", 0),
                }
            }
        });
        let flaws = output.found.flaws.len() as u64;
        self.services.progress.flaws.store(flaws, Ordering::Relaxed);
        output
    }

    /// Reads a host: what its processes use, its files, and files that have no name any more.
    fn host(&mut self, root: &Path, proc: &Path) -> io::Result<Output> {
        let folder = walk::open_root(root)?;
        let mut host = Host::read(root, proc);
        let mounts = std::mem::take(&mut host.mounts);
        let host = self.host.insert(host);
        let (deleted, is_partial) = (host.in_use.deleted.clone(), host.in_use.is_partial);
        let mut output = self.folder(root, folder, Rules { once: true, mounts });
        for (path, link) in deleted {
            let link = CString::new(link.as_os_str().as_bytes())?;
            let mut done = Output::default();
            self.file(&|| walk::open_file(CWD, &link, Links::Follow), NOT_LOCAL, &path, &mut done);
            done.found.rename(&path, &format!("{path}#deleted"));
            output.merge(done);
        }
        if is_partial {
            output.found.flaw(FlawCode::PermissionDenied, "proc", 0);
        }
        Ok(output)
    }

    fn work(&self, queue: &Mutex<Receiver<Batch>>) -> Output {
        let mut output = Output::default();
        loop {
            let batch = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = batch else { return output };
            for (name, links) in &batch.files {
                let path = in_folder(&batch.path, &escape(name.to_bytes()));
                if !self.is_known(&batch, name, &path, &mut output) {
                    let open = || walk::open_file(&batch.folder, name, *links);
                    self.file(&open, batch.is_local, &path, &mut output);
                }
            }
        }
    }

    /// Whether the cache knows a file by its stamp; then it is not even opened.
    fn is_known(&self, batch: &Batch, name: &CStr, path: &str, output: &mut Output) -> bool {
        let Some(known) = self.known.as_ref().filter(|_| batch.is_local) else { return false };
        let stat = statat(&batch.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        let stamp = stat.ok().and_then(|stat| Stamp::of_file(&stat));
        let key = stamp.and_then(|stamp| known.by_stamp(&stamp, path));
        let Some(record) = key.and_then(|key| known.get(&key, path)) else { return false };
        let mut done = Output::of_record(record);
        self.mark(stamp, &mut done);
        self.count(&done);
        output.merge(done);
        true
    }

    /// Reads a file that was listed; what has gone since then has changed.
    fn file(&self, open: &Opens<'_>, is_local: bool, path: &str, output: &mut Output) {
        let _current = self.services.progress.begin(path);
        let mut reading = Reading::default();
        let read = steady::read(
            || open().map(File::from),
            |file, stamp| reading = self.read(file, stamp, path),
        );
        match read {
            Ok(Steady::Same(())) => {
                reading.done.files = 1;
                self.keep(&reading, is_local, path);
            }
            Ok(Steady::Changed((), size)) => {
                reading.done.files = 1;
                reading.done.found.flaw(FlawCode::ChangedDuringScan, path, size);
            }
            // Something else has taken its place: nothing to read, and nothing that runs.
            Ok(Steady::Other) => return,
            Err(error) => reading.done.found.flaw(walk::code_of(&error), path, 0),
        }
        self.mark(reading.stamp, &mut reading.done);
        self.count(&reading.done);
        output.merge(reading.done);
    }

    /// Says which processes use a file, when a host is scanned.
    fn mark(&self, stamp: Option<Stamp>, done: &mut Output) {
        if let (Some(host), Some(stamp)) = (&self.host, stamp) {
            host.mark(stamp, &mut done.found);
        }
    }

    /// Reads a file as it is now, or finds that the same archive was read before.
    fn read(&self, file: &File, stamp: Stamp, path: &str) -> Reading {
        let mut reading = Reading { stamp: Some(stamp), ..Reading::default() };
        let window = match file.try_clone() {
            Ok(file) => Window::of_paced_file(file, stamp.size, self.services.pace.clone()),
            Err(error) => {
                reading.done.found.flaw(walk::code_of(&error), path, stamp.size);
                return reading;
            }
        };
        if let Some(known) = &self.known
            && !self.shared.is_selected(path)
        {
            let folders = self.shared.index.folders_that_count(path);
            reading.directory = known.by_directory(&window, path, &folders);
            if let Some(record) = reading.directory.and_then(|key| known.get(&key, path)) {
                reading.done = Output::of_record(record);
                return reading;
            }
        }
        let before = window.bytes_read();
        self.unpack(&window, path, &mut reading.done);
        reading.done.bytes_read = window.bytes_read() - before;
        reading
    }

    fn unpack(&self, window: &Window, path: &str, done: &mut Output) {
        let found = &mut done.found;
        let size = window.len();
        let read =
            catch_unwind(AssertUnwindSafe(|| unpack::read_file(&self.shared, window, path, found)));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(error)) => found.flaw(walk::code_of(&error), path, size),
            // A bug of ours must not hide the rest of the tree; the file counts as unread.
            Err(_) => found.flaw(FlawCode::CorruptEntry, path, size),
        }
        if self.shared.options.artifact_digest {
            match sha256(window) {
                Ok(digest) => done.digests.push((path.to_owned(), size, digest)),
                Err(error) => found.flaw(walk::code_of(&error), path, size),
            }
        }
    }

    /// Keeps the result of a file that nobody wrote to while it was read.
    fn keep(&self, reading: &Reading, is_local: bool, path: &str) {
        let Some(known) = &self.known else { return };
        let by_stamp = reading.stamp.filter(|_| is_local);
        let by_stamp = by_stamp.and_then(|stamp| known.by_stamp(&stamp, path));
        let by_directory = reading.directory.filter(|_| reading.done.known == 0);
        for key in by_stamp.into_iter().chain(by_directory) {
            known.put(&key, path, &reading.done.found, reading.done.bytes_read);
        }
    }

    fn count(&self, done: &Output) {
        let progress = self.services.progress;
        progress.files.fetch_add(done.files, Ordering::Relaxed);
        progress.archives.fetch_add(done.found.archives, Ordering::Relaxed);
        progress.deepest.fetch_max(done.found.deepest, Ordering::Relaxed);
        progress.bytes_read.fetch_add(done.bytes_read, Ordering::Relaxed);
        progress.known.fetch_add(done.known, Ordering::Relaxed);
        progress.flaws.fetch_add(done.found.flaws.len() as u64, Ordering::Relaxed);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a host is scanned by its mount table, files of two names once, files that a process
    /// has open with who uses them, a deleted one through the process. Method: a small root, and a
    /// folder like `/proc` in which process 7 is this one.
    #[test]
    fn a_host_and_what_runs_on_it() {
        use std::os::unix::fs::symlink;

        let place = tempfile::tempdir().unwrap();
        let (root, proc) = (place.path().join("root"), place.path().join("proc"));
        let package = |name: &str, version: &str| {
            let path = root.join(name).join("package.json");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = format!("{{\"name\":\"x\",\"version\":\"{version}\"}}");
            fs::write(&path, text).unwrap();
            path
        };
        let held = File::open(package("srv/node_modules/x", "1.0.0")).unwrap();
        let gone = package("old/node_modules/x", "2.0.0");
        let deleted = File::open(&gone).unwrap();
        fs::remove_file(gone).unwrap();
        package("net/node_modules/x", "3.0.0");
        package("sys/node_modules/x", "4.0.0");
        let twin = root.join("srv/twin/node_modules/x");
        fs::create_dir_all(&twin).unwrap();
        let original = root.join("srv/node_modules/x/package.json");
        fs::hard_link(original, twin.join("package.json")).unwrap();
        fs::create_dir_all(proc.join("self")).unwrap();
        symlink("/proc/self", proc.join("7")).unwrap();
        let table = "1 0 0:1 / / rw - ext4 x rw\n2 1 0:2 / /net rw - nfs4 x rw\n\
                     3 1 0:3 / /sys rw - sysfs x rw\n";
        fs::write(proc.join("self/mountinfo"), table).unwrap();
        let (options, progress) = (Options::default(), Progress::default());
        let shared = Shared::new(&options, None);
        let services = Services { progress: &progress, pace: None, cache: None };
        let report = Scan::new(shared, &services).host(&root, &proc).unwrap().report(&options);
        drop((held, deleted));
        let at = place.path().display().to_string();
        let at = at.trim_start_matches('/');
        let components = report.sbom.components.iter();
        let found: Vec<_> = components
            .filter(|component| component.purl.name == "x")
            .map(|c| (c.purl.version.as_str(), c.evidence.as_str(), !c.in_use.is_empty()))
            .collect();
        let deleted = format!("{at}/root/old/node_modules/x/package.json#deleted");
        let open = "srv/node_modules/x/package.json";
        assert_eq!(found, [("1.0.0", open, true), ("2.0.0", deleted.as_str(), true)]);
        let flaws: Vec<_> =
            report.sbom.flaws.iter().map(|f| (f.code, f.evidence.as_str())).collect();
        assert!(flaws.contains(&(FlawCode::FileSystemExcluded, "net")), "{flaws:?}");
        assert!(!flaws.iter().any(|(_, path)| path.starts_with("sys")), "{flaws:?}");
    }

    #[test]
    fn a_file_that_has_gone_is_named_and_counted() {
        let (options, progress) = (Options::default(), Progress::default());
        let shared = Shared::new(&options, None);
        let services = Services { progress: &progress, pace: None, cache: None };
        let scan = Scan::new(shared, &services);
        let mut output = Output::default();
        for (path, error) in [("gone", 2), ("locked", 13), ("broken", 5)] {
            let open = || Err(io::Error::from_raw_os_error(error));
            scan.file(&open, NOT_LOCAL, path, &mut output);
        }
        let flaws: Vec<_> = output.found.flaws.iter().map(|flaw| flaw.code.as_str()).collect();
        assert_eq!(flaws, ["changed-during-scan", "permission-denied", "io-error"]);
        assert_eq!((output.files, progress.flaws()), (0, 3));
        assert!(!output.report(&options).sbom.is_complete());
    }
}
