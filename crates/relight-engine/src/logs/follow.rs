//! Files that grow: what was written since the last look, through rotation and restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use relight_model::Timestamp;
use relight_watch::Reader;

use super::file::{LastLine, LogFile};
use super::{LogReport, log_files};
use crate::engine::Engine;
use crate::error::EngineError;

/// Most files that are followed at a time: each is an open file.
pub const FOLLOWED_MAX: usize = 4_096;

/// One file under watch.
struct Followed {
    log: LogFile,
    reader: Reader,
    inode: u64,
    /// Bytes of the file when it was looked at last.
    size: u64,
}

/// Files and folders under watch.
pub struct Follower {
    places: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Followed>,
    /// What could not be read was told once, until it is read again.
    told: BTreeSet<PathBuf>,
    /// When the windows were joined last.
    compacted: Timestamp,
}

/// How often windows are joined meanwhile, in seconds.
const COMPACT_EVERY_S: Timestamp = 60;

/// What one look gave.
#[derive(Debug, Default)]
pub struct FollowReport {
    /// Files of which something was read.
    pub logs: Vec<(PathBuf, LogReport)>,
    /// Files that could not be read, each told once.
    pub errors: Vec<(PathBuf, EngineError)>,
}

impl Follower {
    /// Follows these files, and every file below these folders.
    pub const fn new(places: Vec<PathBuf>) -> Self {
        Self { places, files: BTreeMap::new(), told: BTreeSet::new(), compacted: 0 }
    }

    /// Reads what was written since the last look. `reader` makes the reader of a
    /// new file.
    pub fn look(&mut self, engine: &Engine, reader: &dyn Fn() -> Option<Reader>) -> FollowReport {
        let mut report = FollowReport::default();
        let (found, errors) = log_files(&self.places);
        for (path, error) in errors {
            let error = EngineError::because("looking for logs", error);
            self.fail(path, error, &mut report);
        }
        // A file that is gone may have got lines before it went: its handle still reads them.
        let gone: Vec<PathBuf> =
            self.files.keys().filter(|path| !found.contains(*path)).cloned().collect();
        for path in gone {
            self.finish(engine, &path, &mut report);
        }
        for path in found {
            self.look_at(engine, &path, reader, &mut report);
        }
        // Each look at each file may have given a window, and without any the old ones go.
        if engine.now() >= self.compacted + COMPACT_EVERY_S {
            self.compacted = engine.now();
            let register = engine.store().path().to_owned();
            match engine.compact_windows() {
                Ok(_) => drop(self.told.remove(&register)),
                Err(error) => self.fail(register, error, &mut report),
            }
        }
        report
    }

    /// Removes the files of a spool that were read to their end, all but the youngest by name,
    /// which is still written. Gives how many that were. What the last line of a file gave is
    /// added to `report`; a file whose last line could not be kept stays.
    ///
    /// # Errors
    /// The folder cannot be listed, or a file in it cannot be removed.
    pub fn remove_read(
        &mut self,
        engine: &Engine,
        spool: &Path,
        report: &mut FollowReport,
    ) -> io::Result<usize> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(spool)? {
            paths.push(entry?.path());
        }
        paths.sort();
        paths.pop();
        let mut removed = 0;
        for path in paths {
            let size = fs::metadata(&path)?.len();
            let known = self.files.get_mut(&path);
            let Some(followed) = known.filter(|it| it.log.is_read(size)) else { continue };
            // A last line without its end is one now: nobody writes on. One that was taken back was
            // written again, elsewhere.
            let is_line = !followed.log.is_taken_back(size);
            let end = if is_line { LastLine::Counts } else { LastLine::Waits };
            let taken = followed.take(engine, end);
            let is_kept = taken.is_ok();
            self.note(&path, taken, report);
            if is_kept {
                self.files.remove(&path);
                fs::remove_file(&path)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    fn look_at(
        &mut self,
        engine: &Engine,
        path: &Path,
        reader: &dyn Fn() -> Option<Reader>,
        report: &mut FollowReport,
    ) {
        let Ok(data) = fs::metadata(path) else { return };
        let (inode, size) = (data.ino(), data.len());
        let known = self.files.get(path);
        if known.is_some_and(|it| it.inode == inode && it.log.is_taken_back(size)) {
            // Opened again below, where the last whole line ends.
            self.files.remove(path);
        }
        let replaced =
            self.files.get(path).is_some_and(|known| known.inode != inode || size < known.size);
        if replaced {
            self.finish(engine, path, report);
        }
        if !self.files.contains_key(path) {
            if self.files.len() >= FOLLOWED_MAX {
                let error = EngineError::because("following logs", "too many files");
                return self.fail(path.to_owned(), error, report);
            }
            let Some(mut reader) = reader() else { return };
            match LogFile::open(engine.store(), &mut reader, path) {
                Ok(log) => {
                    let followed = Followed { log, reader, inode, size };
                    self.files.insert(path.to_owned(), followed);
                }
                Err(error) => return self.fail(path.to_owned(), error, report),
            }
        }
        if let Some(followed) = self.files.get_mut(path) {
            followed.size = size;
            let taken = followed.take(engine, LastLine::Waits);
            self.note(path, taken, report);
        }
    }

    /// The rest of a file that was renamed, replaced or removed.
    fn finish(&mut self, engine: &Engine, path: &Path, report: &mut FollowReport) {
        if let Some(mut followed) = self.files.remove(path) {
            let taken = followed.take(engine, LastLine::Counts);
            self.note(path, taken, report);
        }
    }

    fn note(
        &mut self,
        path: &Path,
        taken: Result<LogReport, EngineError>,
        report: &mut FollowReport,
    ) {
        match taken {
            Ok(log) if log.tally.lines > 0 => {
                // Should it fail again, that is news.
                self.told.remove(path);
                report.logs.push((path.to_owned(), log));
            }
            Ok(_) => {}
            Err(error) => self.fail(path.to_owned(), error, report),
        }
    }

    fn fail(&mut self, path: PathBuf, error: EngineError, report: &mut FollowReport) {
        if self.told.insert(path.clone()) {
            report.errors.push((path, error));
        }
    }
}

impl Followed {
    fn take(&mut self, engine: &Engine, end: LastLine) -> Result<LogReport, EngineError> {
        let before = self.reader.tally().clone();
        let mut report = LogReport::default();
        let taken = self.log.take(engine, &mut self.reader, end, &mut report);
        report.tally = self.reader.tally().since(&before);
        taken.map(|()| report)
    }
}
