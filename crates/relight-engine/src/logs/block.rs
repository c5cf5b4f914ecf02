//! Bytes of a log that were read and not yet taken: a few lines, or a part of one that is long.

use std::io::{self, Read};

use super::SEGMENT_BYTES_MAX;

/// Bytes that are read at a time: they stay in the near memory of a processor while their digest is
/// made and their lines are read.
pub(super) const READ_BYTES: usize = 256 << 10;

/// Bytes that are asked for first: most looks at a log that grows find little.
const BLOCK_BYTES_MIN: usize = 64 << 10;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// What is behind `filled` is left over from before: memory is filled with zeros once, and not
    /// for each reading.
    bytes: Vec<u8>,
    filled: usize,
}

/// Whether a stream has more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    /// It was not read to its end.
    MayCome,
    /// Not now.
    None,
}

impl Block {
    /// With bytes in it.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), filled: bytes.len() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// Reads until [`READ_BYTES`] are there, or so many more when lines are long, or there is no
    /// more.
    ///
    /// # Errors
    /// The stream cannot be read. What was read before that is there.
    pub(super) fn fill(&mut self, stream: &mut dyn Read) -> io::Result<More> {
        // A part of a line is looked through again for each reading, so there must not be many.
        let enough = READ_BYTES.max(2 * self.filled).min(SEGMENT_BYTES_MAX.max(self.filled));
        while self.filled < enough {
            if self.filled == self.bytes.len() {
                let more = (2 * self.filled).clamp(BLOCK_BYTES_MIN, enough.max(BLOCK_BYTES_MIN));
                self.bytes.resize(more, 0);
            }
            let end = self.bytes.len().min(enough);
            match stream.read(&mut self.bytes[self.filled..end]) {
                Ok(0) => return Ok(More::None),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(More::MayCome)
    }

    /// Where the last line ends whose end is there, among the first bytes.
    pub(super) fn lines_end(&self, within: usize) -> Option<usize> {
        let bytes = &self.bytes()[..self.filled.min(within)];
        memchr::memrchr(b'\n', bytes).map(|at| at + 1)
    }

    /// Lets the first bytes go.
    pub(super) fn drain(&mut self, until: usize) {
        self.bytes.copy_within(until..self.filled, 0);
        self.filled -= until;
    }

    /// Gives back memory that nothing is in: thousands of files are followed at a time.
    pub(super) fn shrink(&mut self) {
        self.bytes.truncate(self.filled);
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte, then says that it was interrupted, then two.
    struct Halting(usize, usize);

    impl Read for Halting {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0.is_multiple_of(2) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let count = self.0.min(self.1).min(buffer.len());
            buffer[..count].fill(b'a');
            self.1 -= count;
            Ok(count)
        }
    }

    #[test]
    fn it_reads_a_little_at_a_time_and_a_long_line_up_to_a_segment() {
        let mut block = Block::of(b"x\ny");
        assert_eq!((block.bytes(), block.lines_end(9)), (&b"x\ny"[..], Some(2)));
        assert_eq!(block.lines_end(1), None);
        block.drain(2);
        let mut stream = io::repeat(b'z').take(2 * SEGMENT_BYTES_MAX as u64);
        let mut sizes = Vec::new();
        while block.bytes().len() < SEGMENT_BYTES_MAX {
            assert_eq!(block.fill(&mut stream).unwrap(), More::MayCome);
            sizes.push(block.bytes().len());
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32].map(|times| times * READ_BYTES));
        assert_eq!((&block.bytes()[..2], block.lines_end(usize::MAX)), (&b"yz"[..], None));
        assert_eq!(block.fill(&mut stream).unwrap(), More::MayCome, "and no further");
        assert_eq!(block.bytes().len(), SEGMENT_BYTES_MAX);
        block.drain(SEGMENT_BYTES_MAX);
        let mut rest = 0;
        while block.fill(&mut stream).unwrap() == More::MayCome {
            rest += block.bytes().len();
            block.drain(block.bytes().len());
        }
        assert_eq!(rest + block.bytes().len(), SEGMENT_BYTES_MAX + 1, "nothing was lost");
        block.drain(block.bytes().len() - 1);
        block.shrink();
        assert_eq!((block.bytes.capacity(), block.bytes()), (1, &b"z"[..]));
    }

    #[test]
    fn what_is_behind_is_never_seen_and_an_error_loses_nothing() {
        let mut block = Block::of(b"0123456789");
        block.drain(8);
        assert_eq!(block.fill(&mut Halting(0, 7)).unwrap(), More::None);
        assert_eq!(block.bytes(), b"89aaaaaaa");
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let failed = block.fill(&mut (&b"bc"[..]).chain(Broken)).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(block.bytes(), b"89aaaaaaabc");
    }
}
