//! The spool: files of lines, written by one thread, each with a first line of its own so that it
//! can be told from any other.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::watch::line::SPOOL_MARK;
use tokio::sync::watch;

use super::queue::Item;
use super::tally::{Counters, add};
use super::{ReceiveLimits, SYNC_EVERY};
use crate::{ServerError, clock};

/// How often a full spool, or one that cannot be written, is tried again.
const AGAIN_EVERY: Duration = Duration::from_millis(50);

/// Lines that are written at a time.
const BATCH_MAX: usize = 4_096;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
    limits: ReceiveLimits,
    current: Option<Current>,
    files: u64,
}

/// The file that is written.
#[derive(Debug)]
struct Current {
    file: File,
    bytes: u64,
    unsynced: Option<Instant>,
}

impl Spool {
    /// The spool in this folder; what is in it already is left alone.
    pub(super) fn open(folder: &Path, limits: ReceiveLimits) -> Result<Self, ServerError> {
        let failed = |cause| ServerError::caused(format!("write {}", folder.display()), cause);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut spool = Self { folder: folder.to_owned(), limits, current: None, files: 0 };
        // Whether it can be written is told now, not when the first line is there.
        spool.current = Some(spool.create().map_err(failed)?);
        Ok(spool)
    }

    /// Writes what comes until nobody sends any more.
    pub(super) fn write(
        mut self,
        items: &Receiver<Item>,
        stopped: &watch::Receiver<bool>,
        counters: &Counters,
    ) {
        loop {
            let first = match items.recv_timeout(SYNC_EVERY) {
                Ok(item) => item,
                Err(RecvTimeoutError::Timeout) => {
                    self.sync(Duration::ZERO, counters);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            };
            let mut batch = vec![first];
            batch.extend(items.try_iter().take(BATCH_MAX - 1));
            self.wait_for_room(stopped, counters);
            let mut bytes = Vec::new();
            for item in &batch {
                bytes.extend(&item.line);
                bytes.push(b'\n');
            }
            let written = self.append(&bytes, stopped, counters);
            let ends = batch.iter().scan(0, |end, item| {
                *end += item.line.len() + 1;
                Some(*end)
            });
            let lines = ends.take_while(|end| *end <= written).count();
            add(&counters.lines, lines as u64);
            add(&counters.dropped, (batch.len() - lines) as u64);
            self.sync(SYNC_EVERY, counters);
        }
        self.sync(Duration::ZERO, counters);
    }

    /// At the limit of the spool everything waits until somebody has read some of it, and that is
    /// nobody who could tell us; at the end what is in the queue is written all the same.
    fn wait_for_room(&self, stopped: &watch::Receiver<bool>, counters: &Counters) {
        let room_needed = self.limits.spool_bytes.saturating_sub(self.limits.file_bytes);
        let is_new = self.current.as_ref().is_none_or(|it| it.bytes >= self.limits.file_bytes);
        while is_new && !*stopped.borrow() {
            match bytes_of(&self.folder) {
                Ok(bytes) if bytes <= room_needed => return,
                Ok(_) => {}
                Err(error) => counters.set_trouble(error),
            }
            thread::sleep(AGAIN_EVERY);
        }
    }

    /// Adds whole lines. What cannot be written is tried again, in another file, until it is or
    /// the end; gives how many bytes were, all of them or lines of their own.
    fn append(
        &mut self,
        bytes: &[u8],
        stopped: &watch::Receiver<bool>,
        counters: &Counters,
    ) -> usize {
        let mut all = 0;
        loop {
            let (written, failed) = self.try_append(&bytes[all..]);
            all += written;
            match failed {
                None => return all,
                Some(error) => counters.set_trouble(error),
            }
            if *stopped.borrow() {
                return all;
            }
            thread::sleep(AGAIN_EVERY);
        }
    }

    /// Gives how many bytes were added, all of them or lines of their own, and why no more.
    fn try_append(&mut self, bytes: &[u8]) -> (usize, Option<io::Error>) {
        let mut current = match self.writable() {
            Ok(current) => current,
            Err(error) => return (0, Some(error)),
        };
        let (written, failed) = add_lines(&mut current.file, current.bytes, bytes);
        if failed.is_none() {
            current.bytes += written as u64;
            current.unsynced.get_or_insert_with(Instant::now);
            self.current = Some(current);
        }
        (written, failed)
    }

    /// The file that is written, or the next one when that is full.
    fn writable(&mut self) -> io::Result<Current> {
        let full = self.current.as_ref().is_some_and(|it| it.bytes >= self.limits.file_bytes);
        if full && let Some(Current { file, .. }) = self.current.take() {
            file.sync_data()?;
        }
        self.current.take().map_or_else(|| self.create(), Ok)
    }

    fn create(&mut self) -> io::Result<Current> {
        let (name, path, mut file) = loop {
            self.files += 1;
            let name = format!("{:013}-{:06}", clock::now_ms(), self.files);
            let path = self.folder.join(format!("{name}.log"));
            match File::create_new(&path) {
                // Another spool of this folder began in the same millisecond; it has not all names.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                file => break (name, path, file?),
            }
        };
        let mark = format!("{SPOOL_MARK}{name}\n");
        begin(&path, &mut file, &mark)?;
        Ok(Current { file, bytes: mark.len() as u64, unsynced: Some(Instant::now()) })
    }

    /// Makes sure that what was written is on the disk, if it waited that long.
    fn sync(&mut self, age: Duration, counters: &Counters) {
        let Some(current) = &mut self.current else { return };
        if current.unsynced.is_some_and(|since| since.elapsed() >= age) {
            match current.file.sync_data() {
                Ok(()) => current.unsynced = None,
                Err(error) => counters.set_trouble(error),
            }
        }
    }
}

/// A file of the spool.
trait Lines: Write {
    /// Takes back what stands behind so many bytes.
    fn cut(&mut self, bytes: u64) -> io::Result<()>;

    /// Makes sure that what was written is on the disk.
    fn keep(&mut self) -> io::Result<()>;
}

impl Lines for File {
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }

    fn keep(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes lines behind those that a file has, so many bytes. Where it takes no more, those that it
/// took stay: whoever follows it may have read them, and what is written again counts again. They
/// are on the disk then, with those before them: nobody comes back to this file.
fn add_lines(file: &mut impl Lines, begun: u64, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let (written, failed) = write_lines(file, bytes);
    let Some(error) = failed else { return (written, None) };
    // Half a line at the end would be read as one.
    let cut = file.cut(begun + written as u64);
    let kept = file.keep();
    (written, Some(kept.and(cut).err().unwrap_or(error)))
}

/// Writes lines; gives how many bytes are whole lines that were written, and why no more. On a full
/// disk a part is written before that is known.
fn write_lines(file: &mut impl Write, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    let failed = loop {
        match file.write(&bytes[written..]) {
            Ok(0) if written < bytes.len() => break io::ErrorKind::WriteZero.into(),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
        if written == bytes.len() {
            return (written, None);
        }
    };
    let lines = bytes[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    (lines, Some(failed))
}

/// Writes the first line of a new file, or removes it: it is tried again every 50 ms, and a full
/// disk would fill with empty files.
fn begin(path: &Path, file: &mut impl Write, mark: &str) -> io::Result<()> {
    let written = file.write_all(mark.as_bytes());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Bytes of all files of the spool.
fn bytes_of(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        // A file may be read and gone meanwhile.
        bytes += entry?.metadata().map_or(0, |data| data.len());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use super::super::queue::Queue;
    use super::*;

    /// Takes nothing, as a full disk does.
    fn full() -> File {
        File::options().write(true).open("/dev/full").unwrap()
    }

    #[test]
    fn a_file_whose_first_line_cannot_be_written_is_removed_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        fs::write(&path, "").unwrap();
        assert!(begin(&path, &mut full(), "mark\n").is_err());
        assert!(!path.exists());
    }

    /// A file on a disk with room for so many bytes that takes three at a time.
    struct Room {
        room: usize,
        bytes: Vec<u8>,
        /// What would be there after a power cut.
        kept: Vec<u8>,
    }

    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let takes = bytes.len().min(3).min(self.room);
            if takes == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= takes;
            self.bytes.extend(&bytes[..takes]);
            Ok(takes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines for Room {
        fn cut(&mut self, bytes: u64) -> io::Result<()> {
            self.bytes.truncate(usize::try_from(bytes).unwrap());
            Ok(())
        }

        fn keep(&mut self) -> io::Result<()> {
            self.kept.clone_from(&self.bytes);
            Ok(())
        }
    }

    /// Goal: a line that was written, and may have been read, is not written again elsewhere, and
    /// is still there after a power cut: nobody syncs a file that was left.
    #[test]
    fn lines_before_the_disk_was_full_stay_and_the_others_are_left() {
        let (mark, lines) = (b"mark\n", b"one\ntwo\nthree\n");
        for (room, whole) in [(0, 0), (3, 0), (4, 4), (7, 4), (8, 8), (13, 8), (14, 14), (99, 14)] {
            let mut disk = Room { room, bytes: mark.to_vec(), kept: Vec::new() };
            let (written, failed) = add_lines(&mut disk, 5, lines);
            assert_eq!((written, failed.is_none()), (whole, whole == 14), "{room}");
            assert_eq!(disk.bytes, [mark, &lines[..written]].concat(), "{room}");
            let kept = if whole == 14 { &[][..] } else { &disk.bytes };
            assert_eq!(disk.kept, kept, "{room}");
        }
    }

    /// A receiver that could not open its listeners and is started again at once is no reason to
    /// refuse the next one.
    #[test]
    fn spools_of_one_millisecond_have_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1..=100 {
            Spool::open(folder.path(), ReceiveLimits::default()).unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), number);
        }
    }

    #[test]
    fn lines_that_were_never_written_are_counted_as_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), ReceiveLimits::default()).unwrap();
        spool.current = Some(Current { file: full(), bytes: 0, unsynced: None });
        fs::remove_dir_all(folder.path()).unwrap();
        let counters = Arc::new(Counters::default());
        let (queue, items) = Queue::new(1 << 20, Arc::clone(&counters));
        queue.offer(b"one".to_vec());
        queue.offer(b"two".to_vec());
        drop(queue);
        let (_stop, stopped) = watch::channel(true);
        spool.write(&items, &stopped, &counters);
        let tally = counters.tally();
        assert_eq!((tally.lines, tally.dropped), (0, 2));
        assert!(counters.trouble().is_some());
    }

    /// Goal: at the end, what is counted as received is what is in the spool, and nothing else.
    /// Method: a socket for its file, which takes some lines until it is full.
    #[test]
    fn of_lines_of_which_some_were_written_the_others_are_counted_as_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), ReceiveLimits::default()).unwrap();
        let (file, mut other) = UnixStream::pair().unwrap();
        file.set_nonblocking(true).unwrap();
        let file = File::from(OwnedFd::from(file));
        spool.current = Some(Current { file, bytes: 0, unsynced: None });
        let counters = Arc::new(Counters::default());
        let (queue, items) = Queue::new(64 << 20, Arc::clone(&counters));
        for _ in 0..1_000 {
            queue.offer(vec![b'a'; 9_999]);
        }
        drop(queue);
        let (_stop, stopped) = watch::channel(true);
        spool.write(&items, &stopped, &counters);
        let mut bytes = Vec::new();
        other.read_to_end(&mut bytes).unwrap();
        let whole = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert!(0 < whole && whole < 1_000, "{whole}");
        let tally = counters.tally();
        assert_eq!((tally.lines, tally.dropped), (whole, 1_000 - whole));
    }
}
