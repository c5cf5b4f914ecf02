//! Bytes of a log that were read and not yet taken: at most those of one segment.

use std::io::{self, Read};

use super::SEGMENT_BYTES_MAX;

/// Bytes that are asked for first: most looks at a log that grows find little.
const BLOCK_BYTES_MIN: usize = 64 << 10;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// What is behind `filled` is left over from before: memory is filled with zeros once, not for
    /// each segment.
    bytes: Vec<u8>,
    filled: usize,
}

impl Block {
    /// With bytes in it.
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), filled: bytes.len() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }

    /// It holds as much as a segment may.
    pub(super) const fn is_full(&self) -> bool {
        self.filled >= SEGMENT_BYTES_MAX
    }

    /// Reads until it is full or there is no more.
    ///
    /// # Errors
    /// The stream cannot be read. What was read before that is there.
    pub(super) fn fill(&mut self, stream: &mut dyn Read) -> io::Result<()> {
        while !self.is_full() {
            if self.filled == self.bytes.len() {
                let more = (2 * self.filled).clamp(BLOCK_BYTES_MIN, SEGMENT_BYTES_MAX);
                self.bytes.resize(more, 0);
            }
            match stream.read(&mut self.bytes[self.filled..]) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Where the last line ends whose end is there.
    pub(super) fn lines_end(&self) -> Option<usize> {
        memchr::memrchr(b'\n', self.bytes()).map(|at| at + 1)
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
    fn it_holds_a_segment_and_no_more() {
        let mut block = Block::of(b"x\ny");
        assert_eq!((block.bytes(), block.lines_end()), (&b"x\ny"[..], Some(2)));
        block.drain(2);
        let mut stream = io::repeat(b'z').take(2 * SEGMENT_BYTES_MAX as u64);
        block.fill(&mut stream).unwrap();
        assert!(block.is_full() && block.bytes().len() == SEGMENT_BYTES_MAX);
        assert_eq!((&block.bytes()[..2], block.lines_end()), (&b"yz"[..], None));
        block.drain(SEGMENT_BYTES_MAX);
        block.fill(&mut stream).unwrap();
        block.drain(SEGMENT_BYTES_MAX);
        block.fill(&mut stream).unwrap();
        assert!(block.bytes().len() == 1 && !block.is_full(), "nothing was lost");
        block.shrink();
        assert_eq!((block.bytes.capacity(), block.bytes()), (1, &b"z"[..]));
    }

    #[test]
    fn what_is_behind_is_never_seen_and_an_error_loses_nothing() {
        let mut block = Block::of(b"0123456789");
        block.drain(8);
        block.fill(&mut Halting(0, 7)).unwrap();
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
