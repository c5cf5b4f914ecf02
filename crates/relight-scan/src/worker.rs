//! The threads of a scan: one walks, the others read.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use relight_model::{Digest, FlawCode};
use rustix::fs::{AtFlags, CWD, statat};

use crate::archive::{Damage, Entry};
use crate::cache::Known;
use crate::digest;
use crate::evidence::{escape, file_name, in_folder};
use crate::folder::Links;
use crate::image::{
    self, Form, InFolder, InTar, KnownLayer, LayerBytes, ReadFile, ReadLayer, Store,
};
use crate::output::Output;
use crate::scan::{NOT_LOCAL, Services};
use crate::source::{Folder, Host};
use crate::steady::{self, Stamp, Steady};
use crate::stores;
use crate::unpack::{self, Found, Shared};
use crate::walk::{self, Batch, Rules, Walker};
use crate::window::Window;

/// Batches of files that wait for a worker; each holds a directory open.
const WALK_QUEUE_MAX: usize = 64;

/// One reading of a file.
#[derive(Default)]
struct Reading {
    done: Output,
    stamp: Option<Stamp>,
    /// The key of its directory, when it is an archive of the plainest form.
    directory: Option<Digest>,
}

/// What of a path a result hangs on: all of it for a file that catalogers choose by its path, else
/// the name and a few folders. So a file of many names, as sites that share their archives have
/// them, is read once.
struct Counts<'p> {
    text: Cow<'p, str>,
    /// The folders; `None` when catalogers choose the file.
    folders: Option<Vec<&'static str>>,
}

/// One scan: what all of its threads share.
pub(crate) struct Scan<'a> {
    shared: Shared<'a>,
    services: &'a Services<'a>,
    known: Option<Known<'a>>,
    host: Option<Host>,
}

/// How a file is opened, and opened again if it changed.
pub(crate) type Opens<'a> = dyn Fn() -> io::Result<OwnedFd> + 'a;

impl<'a> Scan<'a> {
    /// A scan of something.
    pub(crate) fn new(shared: Shared<'a>, services: &'a Services<'a>) -> Self {
        // The digest of the artifacts wants every byte.
        let cache = services.cache.filter(|_| !shared.options.artifact_digest);
        let known = cache.map(|cache| Known::new(cache, shared.options));
        Self { shared, services, known, host: None }
    }

    /// Walks a folder.
    pub(crate) fn folder(&self, real: &Path, folder: OwnedFd, rules: Rules) -> Output {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let threads = self.shared.options.threads.unwrap_or_else(cores).max(1);
        let (sender, receiver) = sync_channel::<Batch>(WALK_QUEUE_MAX);
        let queue = Arc::new(Mutex::new(receiver));
        let mut output = Output::default();
        let mut layouts = Vec::new();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let queue = Arc::clone(&queue);
                    scope.spawn(move || self.work(&queue))
                })
                .collect();
            drop(queue);
            let found = &mut output.found;
            let mut walker = Walker::new(real.to_owned(), rules, &self.shared, found);
            walker.walk(folder, &mut |batch| {
                let files = batch.files.len() as u64;
                self.services.progress.listed.fetch_add(files, Ordering::Relaxed);
                sender.send(batch).is_ok()
            });
            layouts = walker.layouts();
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
        for (folder, path) in layouts {
            let prefix = if path.is_empty() { path } else { format!("{path}!/") };
            let store = InFolder::new(folder, self.services.pace.clone());
            let mut image = self.image(&store, Form::Oci, &prefix);
            self.keep_layers(&mut image);
            output.merge(image);
        }
        let flaws = output.found.flaws.len() as u64;
        self.services.progress.flaws.store(flaws, Ordering::Relaxed);
        output
    }

    /// Reads a host: what its processes use, its files, and files that have no name any more.
    pub(crate) fn host(&mut self, root: &Path, proc: &Path) -> io::Result<Output> {
        let folder = walk::open_root(root)?;
        let mut host = Host::read(root, proc);
        let mounts = std::mem::take(&mut host.mounts);
        let host = self.host.insert(host);
        let (deleted, is_partial) = (host.in_use.deleted.clone(), host.in_use.is_partial);
        let mut output = self.folder(root, folder, Rules { once: true, mounts });
        let (mut last, mut copy) = (String::new(), 0);
        for ((path, _), link) in deleted {
            copy = if path == last { copy + 1 } else { 1 };
            last.clone_from(&path);
            let name = match copy {
                1 => format!("{path}#deleted"),
                _ => format!("{path}#deleted-{copy}"),
            };
            let link = CString::new(link.as_os_str().as_bytes())?;
            let mut done = Output::default();
            self.file(&|| walk::open_file(CWD, &link, Links::Follow), NOT_LOCAL, &path, &mut done);
            done.found.rename(&path, &name);
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

    /// What of a path a result hangs on.
    fn what_counts<'p>(&self, path: &'p str) -> Counts<'p> {
        let is_for_its_path =
            || self.shared.is_for_its_path(path) || stores::place_of(path).is_some();
        if self.known.is_none() || is_for_its_path() {
            return Counts { text: Cow::Borrowed(path), folders: None };
        }
        let folders = self.shared.index.folders_that_count(path);
        let text = match folders.as_slice() {
            [] => Cow::Borrowed(file_name(path)),
            folders => Cow::Owned(format!("{}\0{}", file_name(path), folders.join("\0"))),
        };
        Counts { text, folders: Some(folders) }
    }

    /// Whether the cache knows a file by its stamp; then it is not even opened.
    fn is_known(&self, batch: &Batch, name: &CStr, path: &str, output: &mut Output) -> bool {
        let known = self.known.as_ref().filter(|it| batch.is_local && it.knows_stamps());
        let Some(known) = known else { return false };
        let stat = statat(&batch.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        let stamp = stat.ok().and_then(|stat| Stamp::of_file(&stat));
        let key = stamp.and_then(|stamp| known.by_stamp(&stamp, &self.what_counts(path).text));
        let Some(record) = key.and_then(|key| known.get(&key, path)) else { return false };
        let mut done = Output::of_record(record);
        self.mark(stamp, &mut done);
        self.count(&mut done);
        output.merge(done);
        true
    }

    /// Reads a file that was listed; what has gone since then has changed.
    pub(crate) fn file(&self, open: &Opens<'_>, is_local: bool, path: &str, output: &mut Output) {
        let _current = self.services.progress.begin(path);
        let mut reading = Reading::default();
        let counts = self.what_counts(path);
        let read = steady::read(
            || open().map(File::from),
            |file, stamp| reading = self.read(file, stamp, is_local, path, &counts),
        );
        match read {
            Ok(Steady::Same(())) => {
                reading.done.files = 1;
                self.keep(&reading, is_local, path, &counts);
                self.keep_layers(&mut reading.done);
            }
            Ok(Steady::Changed((), size)) => {
                reading.done.files = 1;
                reading.done.found.flaw(FlawCode::ChangedDuringScan, path, size);
            }
            // Something else has taken the place of what was listed as a file: a folder, perhaps,
            // that nobody walked.
            Ok(Steady::Other) => {
                reading.done.found.flaw(FlawCode::ChangedDuringScan, path, 0);
            }
            Err(error) => reading.done.found.flaw(walk::code_of(&error), path, 0),
        }
        // Those of an image that changed meanwhile.
        reading.done.records.clear();
        self.mark(reading.stamp, &mut reading.done);
        self.count(&mut reading.done);
        output.merge(reading.done);
    }

    /// Says which processes use a file, when a host is scanned.
    fn mark(&self, stamp: Option<Stamp>, done: &mut Output) {
        if let (Some(host), Some(stamp)) = (&self.host, stamp) {
            host.mark(stamp, &mut done.found);
        }
    }

    /// Reads a file as it is now, or finds that the same archive was read before.
    fn read(
        &self,
        file: &Arc<File>,
        stamp: Stamp,
        is_local: bool,
        path: &str,
        counts: &Counts<'_>,
    ) -> Reading {
        let mut reading = Reading { stamp: Some(stamp), ..Reading::default() };
        // A file of many names, in a scan that asked for none by its stamp.
        if let Some(known) = self.known.as_ref().filter(|it| is_local && !it.knows_stamps())
            && let Some(key) = known.by_stamp(&stamp, &counts.text)
            && let Some(record) = known.get(&key, path)
        {
            reading.done = Output::of_record(record);
            return reading;
        }
        let pace = self.services.pace.clone();
        let window = Window::of_paced_file(Arc::clone(file), stamp.size, pace);
        if let Some((known, folders)) = self.known.as_ref().zip(counts.folders.as_ref()) {
            reading.directory = known.by_directory(&window, path, folders);
            if let Some(record) = reading.directory.and_then(|key| known.get(&key, path)) {
                reading.done = Output::of_record(record);
                return reading;
            }
        }
        let before = window.bytes_read();
        if let Some((tar, form)) = InTar::image_in(&window) {
            let prefix = format!("{path}!/");
            reading.done = self.image(&tar, form, &prefix);
            let is_known = reading.done.known > 0 && reading.done.known == reading.done.files;
            self.beside(&tar, form, &window, &prefix, &mut reading.done);
            reading.done.found.stands_in_a_file(window.len());
            // One file, whatever is in it; where one layer was read, it was.
            reading.done.known = u64::from(is_known);
        } else {
            self.unpack(&window, path, &mut reading.done);
        }
        reading.done.bytes_read = window.bytes_read() - before + reading.done.spared;
        reading
    }

    /// Reads an image, layer by layer.
    pub(crate) fn image(&self, store: &dyn Store, form: Form, prefix: &str) -> Output {
        let options = self.shared.options;
        let mut output = Output::default();
        for image in image::read(store, form, prefix, options, self) {
            output.merge_image(image, options);
        }
        output
    }

    /// Reads what stands in an archive beside the layers of its images.
    fn beside(&self, tar: &InTar, form: Form, window: &Window, prefix: &str, done: &mut Output) {
        let layers = image::layers_of(tar, form);
        for member in tar.others(window, &layers) {
            let found = self.read_beside(member, prefix);
            done.found.merge(found);
        }
        let at = |place: &str| format!("{prefix}{place}");
        let says = |name: &str| self.shared.says(&at(name));
        let says_more = |name: &str, file: &str| self.shared.says_more(&at(name), &at(file));
        let held_bytes_max = self.shared.options.held_for_names_max();
        for member in InTar::linked(window, &says, &says_more, held_bytes_max) {
            let mut found = self.read_beside(member, prefix);
            // Its bytes are counted under its first name.
            (found.files, found.members) = Default::default();
            done.found.merge(found);
        }
    }

    fn read_beside(&self, member: Result<Entry, Damage>, prefix: &str) -> Found {
        match member {
            Ok(entry) => {
                let place = format!("{prefix}{}", escape(&entry.name));
                self.read_file(entry, &place)
            }
            Err(Damage { code, bytes }) => {
                let mut found = Found::default();
                found.flaw(code, prefix.trim_end_matches("!/"), bytes);
                found
            }
        }
    }

    /// Reads an image of a local store.
    pub(crate) fn local_image(&self, layers: &[Folder]) -> Output {
        let mut output = Output::default();
        let merged = image::read_folders(layers, self.services.pace.as_ref(), self);
        output.merge_image(merged, self.shared.options);
        output
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
            match digest::of_window(window) {
                Ok(digest) => done.digests.push((path.to_owned(), size, digest)),
                Err(error) => found.flaw(walk::code_of(&error), path, size),
            }
        }
    }

    /// Keeps the result of a file that nobody wrote to while it was read.
    fn keep(&self, reading: &Reading, is_local: bool, path: &str, counts: &Counts<'_>) {
        let Some(known) = self.known.as_ref().filter(|_| !reading.done.is_image) else { return };
        let by_stamp = reading.stamp.filter(|_| is_local);
        let by_stamp = by_stamp.and_then(|stamp| known.by_stamp(&stamp, &counts.text));
        let by_directory = reading.directory.filter(|_| reading.done.known == 0);
        for key in by_stamp.into_iter().chain(by_directory) {
            known.put(&key, path, &reading.done.found, reading.done.bytes_read);
        }
    }

    /// Keeps what was found in layers that nobody wrote to while they were read.
    pub(crate) fn keep_layers(&self, done: &mut Output) {
        let Some(known) = &self.known else { return };
        for (key, record) in std::mem::take(&mut done.records) {
            known.keep(&key, record);
        }
    }

    fn layer_key(&self, known: &Known<'_>, layer: &LayerBytes, prefix: &str) -> Digest {
        known.by_layer(layer, &self.shared.index.folders_that_count(prefix))
    }

    fn count(&self, done: &mut Output) {
        let progress = self.services.progress;
        if done.is_image {
            return;
        }
        self.shared.count_profiles(&mut done.found.profiles);
        progress.files.fetch_add(done.files, Ordering::Relaxed);
        progress.archives.fetch_add(done.found.archives, Ordering::Relaxed);
        progress.deepest.fetch_max(done.found.deepest, Ordering::Relaxed);
        progress.bytes_read.fetch_add(done.bytes_read, Ordering::Relaxed);
        progress.known.fetch_add(done.known, Ordering::Relaxed);
        progress.flaws.fetch_add(done.found.flaws.len() as u64, Ordering::Relaxed);
    }
}

impl ReadFile for Scan<'_> {
    fn keeps_layers(&self) -> bool {
        self.known.is_some()
    }

    fn known_layer(
        &self,
        layer: &LayerBytes,
        prefix: &str,
        records: &[(Digest, Vec<u8>)],
    ) -> Option<KnownLayer> {
        let known = self.known.as_ref()?;
        let key = self.layer_key(known, layer, prefix);
        let layer = known.layer(&key, prefix, records)?;
        let progress = self.services.progress;
        progress.files.fetch_add(layer.files, Ordering::Relaxed);
        progress.known.fetch_add(layer.files, Ordering::Relaxed);
        progress.archives.fetch_add(layer.rest.archives, Ordering::Relaxed);
        progress.deepest.fetch_max(layer.rest.deepest, Ordering::Relaxed);
        Some(layer)
    }

    fn record_of(&self, layer: &LayerBytes, read: &ReadLayer<'_>) -> Option<(Digest, Vec<u8>)> {
        let known = self.known.as_ref()?;
        let key = self.layer_key(known, layer, read.prefix);
        known.record_of(&key, read).map(|record| (key, record))
    }

    fn says(&self, name: &str) -> bool {
        self.shared.says(name)
    }

    fn says_more(&self, name: &str, than: &str) -> bool {
        self.shared.says_more(name, than)
    }

    fn read_file(&self, entry: Entry, path: &str) -> Found {
        let _current = self.services.progress.begin(path);
        let mut done = Output { files: 1, ..Output::default() };
        let (found, size) = (&mut done.found, entry.size.unwrap_or(entry.packed));
        let read = catch_unwind(AssertUnwindSafe(|| {
            unpack::read_entry(&self.shared, entry, size, path, found);
        }));
        if read.is_err() {
            found.flaw(FlawCode::CorruptEntry, path, size);
        }
        self.count(&mut done);
        done.found
    }
}

#[cfg(test)]
mod tests;
