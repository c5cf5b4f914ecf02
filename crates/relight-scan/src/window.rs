//! Positional reads of a file, of bytes in memory, or of a part of either.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::cataloger::ReadAt;

/// A range of bytes that can be read anywhere, and cut without a copy. A stored member of an
/// archive is a window of the archive's window.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    data: Data,
    start: u64,
    len: u64,
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
    file: File,
    bytes_read: AtomicU64,
    pace: Option<Arc<dyn Pace>>,
}

impl Window {
    /// The whole of an open file of `len` bytes, read at nobody's pace.
    #[cfg(test)]
    pub(crate) fn of_file(file: File, len: u64) -> Self {
        Self::of_paced_file(file, len, None)
    }

    /// The same, read at somebody's pace.
    pub(crate) fn of_paced_file(file: File, len: u64, pace: Option<Arc<dyn Pace>>) -> Self {
        let file = OpenFile { file, bytes_read: AtomicU64::new(0), pace };
        Self { data: Data::File(Arc::new(file)), start: 0, len }
    }

    /// Bytes in memory.
    pub(crate) fn of_memory(bytes: Vec<u8>) -> Self {
        let len = bytes.len() as u64;
        Self { data: Data::Memory(Arc::new(bytes)), start: 0, len }
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

    /// The part that starts at `start`; shorter than `len` when the window ends before.
    pub(crate) fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self { data: self.data.clone(), start: self.start + start, len: len.min(self.len - start) }
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
            Data::File(file) => {
                let mut done = 0;
                while done < wanted {
                    match file.file.read_at(&mut buffer[done..], from + done as u64) {
                        Ok(0) => break,
                        Ok(read) => done += read,
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
                file.bytes_read.fetch_add(done as u64, Ordering::Relaxed);
                if let Some(pace) = &file.pace {
                    pace.read(done as u64);
                }
                Ok(done)
            }
        }
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
            assert_eq!(window.part(300, 1).len(), 0);
            let mut all = Vec::new();
            part.reader().read_to_end(&mut all).unwrap();
            assert_eq!(all, (15..30).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn a_file_that_shrank_gives_fewer_bytes() {
        let window = Window::of_file(tempfile::tempfile().unwrap(), 100);
        assert_eq!(window.read(0, 50).unwrap(), [0; 0]);
    }
}
