//! Positional reads of a file, of bytes in memory, or of a part of either.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::cataloger::ReadAt;

/// A range of bytes that can be read anywhere, and cut without a copy. A stored member of an
/// archive is a window of the archive's window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    data: Data,
    start: u64,
    len: u64,
    /// The piece of the disk that small reads are served from.
    cache: Option<Arc<Mutex<Piece>>>,
}

/// Bytes that a small read takes from the disk at once.
const PIECE_BYTES: usize = 64 << 10;

/// A piece of a file, and where it starts in the file.
#[derive(Debug, Default)]
struct Piece {
    at: u64,
    bytes: Vec<u8>,
}

impl Default for Window {
    fn default() -> Self {
        Self::of_memory(Vec::new())
    }
}

#[derive(Clone, Debug)]
enum Data {
    File(Arc<OpenFile>),
    Memory(Arc<Vec<u8>>),
}

/// Told how much was read from the disk, each time that something was.
///
/// It may wait, so that a scan takes no more than its share of a disk.
pub trait Pace: fmt::Debug + Send + Sync {
    /// So many bytes were read.
    fn read(&self, bytes: u64);
}

#[derive(Debug)]
struct OpenFile {
    file: Arc<File>,
    /// Its length when it was opened: where that much was read, nothing asks for more.
    len: u64,
    bytes_read: AtomicU64,
    pace: Option<Arc<dyn Pace>>,
    /// The first bytes, which are looked at several times: read once.
    head: OnceLock<Vec<u8>>,
}

/// Bytes of [`OpenFile::head`]; half of the files of a system have no more.
const FIRST_BYTES: usize = 4 << 10;

impl Window {
    /// The whole of an open file of `len` bytes, read at nobody's pace.
    #[cfg(test)]
    pub(crate) fn of_file(file: File, len: u64) -> Self {
        Self::of_paced_file(file, len, None)
    }

    /// The same, read at somebody's pace.
    pub(crate) fn of_paced_file(
        file: impl Into<Arc<File>>,
        len: u64,
        pace: Option<Arc<dyn Pace>>,
    ) -> Self {
        let (file, bytes_read, head) = (file.into(), AtomicU64::new(0), OnceLock::new());
        let file = OpenFile { file, len, bytes_read, pace, head };
        Self { data: Data::File(Arc::new(file)), start: 0, len, cache: None }
    }

    /// Bytes in memory.
    pub(crate) fn of_memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { data: Data::Memory(Arc::new(bytes)), start: 0, len, cache: None }
    }

    /// How many bytes there are.
    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    /// Bytes read from the disk through this window and its relatives.
    pub(crate) fn bytes_read(&self) -> u64 {
        match &self.data {
            Data::File(file) => file.bytes_read.load(Ordering::Relaxed),
            Data::Memory(_) => 0,
        }
    }

    /// Where it starts in its file, as far as that says how much of it need not be read again.
    pub(crate) fn place(&self) -> u64 {
        self.start.min(FIRST_BYTES as u64)
    }

    /// The part that starts at `start`; shorter than `len` when the window ends before.
    pub(crate) fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        let (data, cache) = (self.data.clone(), self.cache.clone());
        Self { data, start: self.start + start, len: len.min(self.len - start), cache }
    }

    /// The same bytes with a piece of the disk held for [`Self::read_small`]: for structures that
    /// are read field by field, front to back.
    pub(crate) fn cached(&self) -> Self {
        Self { cache: Some(Arc::default()), ..self.clone() }
    }

    /// The same bytes without a piece of the disk.
    pub(crate) fn uncached(self) -> Self {
        Self { cache: None, ..self }
    }

    /// Whether two windows hold the same bytes; false when one cannot be read.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        let mut at = 0;
        while self.len == other.len && at < self.len {
            let pieces = (self.read(at, PIECE_BYTES), other.read(at, PIECE_BYTES));
            match pieces {
                (Ok(ours), Ok(theirs)) if ours == theirs && !ours.is_empty() => {
                    at += ours.len() as u64;
                }
                _ => return false,
            }
        }
        self.len == other.len
    }

    /// The bytes, taken out of memory if this is the last window of all of them.
    pub(crate) fn into_memory(self) -> Option<Vec<u8>> {
        match self.data {
            Data::Memory(bytes) => Arc::try_unwrap(bytes).ok(),
            Data::File(_) => None,
        }
    }

    /// As [`Self::read`], from the piece that is held, where there is one and it is large enough.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn read_small(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.read_small_into(start, len, &mut bytes)?;
        Ok(bytes)
    }

    /// As [`Self::read_small`], without a copy where the bytes are in memory.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn small(&self, start: u64, len: usize) -> io::Result<Cow<'_, [u8]>> {
        match &self.data {
            Data::Memory(_) => self.peek(start, len),
            Data::File(_) => self.read_small(start, len).map(Cow::Owned),
        }
    }

    /// As [`Self::read_small`], into a buffer that is used again.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn read_small_into(
        &self,
        start: u64,
        len: usize,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        out.clear();
        let left = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
        let len = len.min(left);
        let (Data::File(file), Some(cache)) = (&self.data, &self.cache) else {
            out.resize(len, 0);
            let read = self.read_into(start, out)?;
            out.truncate(read);
            return Ok(());
        };
        if len > PIECE_BYTES {
            out.resize(len, 0);
            let read = self.read_into(start, out)?;
            out.truncate(read);
            return Ok(());
        }
        let mut piece = cache.lock().unwrap_or_else(PoisonError::into_inner);
        piece.copy(file, self.start + start, len, out)
    }

    /// Up to `len` bytes from `start`: fewer only where the window, or a file that shrank, ends.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn read(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; len.min(left)];
        let read = self.read_into(start, &mut buffer)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    /// As [`Self::read`], without a copy where the bytes are in memory.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn peek(&self, start: u64, len: usize) -> io::Result<Cow<'_, [u8]>> {
        let Data::Memory(bytes) = &self.data else { return self.read(start, len).map(Cow::Owned) };
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let start = start.min(self.len);
        let end = start.saturating_add(len as u64).min(self.len);
        let range = place(self.start + start)..place(self.start + end);
        Ok(Cow::Borrowed(bytes.get(range).unwrap_or_default()))
    }

    /// All bytes, without a copy where they are in memory; `None` when they cannot be read.
    pub(crate) fn all(&self) -> Option<Cow<'_, [u8]>> {
        let len = usize::try_from(self.len).ok()?;
        self.peek(0, len).ok().filter(|bytes| bytes.len() == len)
    }

    /// All bytes, where they are in memory.
    pub(crate) fn memory(&self) -> Option<&[u8]> {
        let Data::Memory(bytes) = &self.data else { return None };
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        bytes.get(place(self.start)..place(self.start + self.len))
    }

    /// A reader from the first byte to the last.
    pub(crate) fn reader(&self) -> WindowReader {
        WindowReader { window: self.clone(), at: 0 }
    }

    fn read_into(&self, start: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let buffer = &mut buffer[..wanted];
        let from = self.start + start;
        match &self.data {
            Data::Memory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                buffer.copy_from_slice(&bytes[from..from + wanted]);
                Ok(wanted)
            }
            Data::File(file) => file.read_at(from, buffer),
        }
    }
}

impl Piece {
    fn copy(&mut self, file: &OpenFile, at: u64, len: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let end = self.at + self.bytes.len() as u64;
        if at < self.at || at + len as u64 > end {
            self.bytes.resize(PIECE_BYTES, 0);
            self.at = at;
            let read = file.read_at(at, &mut self.bytes);
            self.bytes.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        let from = usize::try_from(at - self.at).unwrap_or_default();
        let end = from.saturating_add(len).min(self.bytes.len());
        out.extend_from_slice(&self.bytes[from.min(end)..end]);
        Ok(())
    }
}

impl OpenFile {
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(at).unwrap_or(usize::MAX);
        let read = if from.saturating_add(buffer.len()) > FIRST_BYTES {
            self.read_disk(at, buffer)?
        } else {
            let head = self.head()?.get(from..).unwrap_or_default();
            let len = head.len().min(buffer.len());
            buffer[..len].copy_from_slice(&head[..len]);
            len
        };
        // What was asked for, so that it is the same whoever asked before.
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn head(&self) -> io::Result<&[u8]> {
        if self.head.get().is_none() {
            let mut bytes = vec![0; FIRST_BYTES];
            let read = self.read_disk(0, &mut bytes)?;
            bytes.truncate(read);
            let _ = self.head.set(bytes);
        }
        Ok(self.head.get().map_or(&[], Vec::as_slice))
    }

    fn read_disk(&self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], at + done as u64) {
                Ok(0) => break,
                Ok(read) => {
                    done += read;
                    if at + done as u64 == self.len {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(pace) = &self.pace {
            pace.read(done as u64);
        }
        Ok(done)
    }
}

impl ReadAt for Window {
    fn size(&self) -> u64 {
        self.len
    }

    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        self.read(start, len)
    }
}

/// Reads a [`Window`] from start to end.
#[derive(Debug)]
pub(crate) struct WindowReader {
    window: Window,
    at: u64,
}

impl Read for WindowReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.window.read_into(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn parts_of_file_and_memory_agree() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        for window in [Window::of_file(file, 256), Window::of_memory(bytes)] {
            let part = window.part(10, 20).part(5, 100);
            assert_eq!(part.len(), 15);
            assert_eq!(part.read(0, 3).unwrap(), [15, 16, 17]);
            assert_eq!(part.read(14, 9).unwrap(), [29]);
            assert_eq!(part.read(u64::MAX, 9).unwrap(), [0; 0]);
            assert_eq!(*part.peek(14, 9).unwrap(), [29]);
            assert_eq!(*part.peek(u64::MAX, 9).unwrap(), [0; 0]);
            assert_eq!(window.part(300, 1).len(), 0);
            let is_held = matches!(window.data, Data::Memory(_));
            let held = is_held.then(|| (15..30).collect::<Vec<u8>>());
            assert_eq!(part.memory().map(<[u8]>::to_vec), held);
            let mut all = Vec::new();
            part.reader().read_to_end(&mut all).unwrap();
            assert_eq!(all, (15..30).collect::<Vec<u8>>());
        }
    }

    #[derive(Debug, Default)]
    struct Counted(AtomicU64);

    impl Pace for Counted {
        fn read(&self, bytes: u64) {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_first_bytes_are_read_once() {
        let bytes: Vec<u8> = (0..FIRST_BYTES + 9).map(|at| at as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let pace = Arc::new(Counted::default());
        let from_disk = || pace.0.load(Ordering::Relaxed);
        let window = Window::of_paced_file(file, bytes.len() as u64, Some(Arc::clone(&pace) as _));
        for (start, len) in [(0, 4), (7, 512), (FIRST_BYTES - 1, 1), (FIRST_BYTES - 1, 0)] {
            assert_eq!(window.read(start as u64, len).unwrap(), bytes[start..start + len]);
            assert_eq!(from_disk(), FIRST_BYTES as u64);
        }
        assert_eq!(window.read(FIRST_BYTES as u64 - 1, 99).unwrap(), bytes[FIRST_BYTES - 1..]);
        assert_eq!((from_disk(), window.bytes_read()), (FIRST_BYTES as u64 + 10, 527));
    }

    #[test]
    fn a_file_that_shrank_gives_fewer_bytes() {
        let window = Window::of_file(tempfile::tempfile().unwrap(), 100);
        assert_eq!(window.read(0, 50).unwrap(), [0; 0]);
    }
}
