//! A sparse file of a tar archive, with its holes filled.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};

/// Numbers in the map of one file, two for each part.
pub(super) const MAP_MAX: usize = 131_072;

/// Gives the file as it would lie on a disk. What comes out is bounded by whoever reads it, as for
/// every member.
pub(super) struct Sparse {
    data: BufReader<Box<dyn Read>>,
    /// Offset and length of each part that has data.
    parts: VecDeque<(u64, u64)>,
    /// The map still stands in front of the data.
    map_is_in_front: bool,
    at: u64,
    size: u64,
}

impl Sparse {
    pub(super) fn new(data: Box<dyn Read>, map: Vec<u64>, size: u64) -> Self {
        let parts = map.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        Self { data: BufReader::new(data), parts, map_is_in_front: false, at: 0, size }
    }

    pub(super) fn with_map_in_front(data: Box<dyn Read>, size: u64) -> Self {
        Self { map_is_in_front: true, ..Self::new(data, Vec::new(), size) }
    }

    /// Decimal numbers, one a line, then zeros to the end of the block.
    fn read_map(&mut self) -> io::Result<()> {
        self.map_is_in_front = false;
        let mut taken = 0;
        let count = self.read_number(&mut taken)?;
        if count.saturating_mul(2) > MAP_MAX as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for _ in 0..count {
            let part = (self.read_number(&mut taken)?, self.read_number(&mut taken)?);
            self.parts.push_back(part);
        }
        let rest = taken.next_multiple_of(super::BLOCK) - taken;
        io::copy(&mut self.data.by_ref().take(rest as u64), &mut io::sink()).map(drop)
    }

    fn read_number(&mut self, taken: &mut usize) -> io::Result<u64> {
        let mut line = Vec::new();
        *taken += self.data.by_ref().take(21).read_until(b'\n', &mut line)?;
        let text = std::str::from_utf8(line.trim_ascii()).unwrap_or_default();
        text.parse().map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.map_is_in_front {
            self.read_map()?;
        }
        while self.parts.front().is_some_and(|(_, len)| *len == 0) {
            self.parts.pop_front();
        }
        // A part may start before the end of the one before; then it follows at once.
        let (left, is_data) = match self.parts.front() {
            Some((offset, len)) if *offset <= self.at => (*len, true),
            Some((offset, _)) => (*offset - self.at, false),
            None => (self.size.saturating_sub(self.at), false),
        };
        let wanted = usize::try_from(left.min(self.size.saturating_sub(self.at)));
        let wanted = wanted.unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..wanted];
        let Some((_, len)) = self.parts.front_mut().filter(|_| is_data) else {
            buffer.fill(0);
            self.at += wanted as u64;
            return Ok(wanted);
        };
        let read = self.data.read(buffer)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *len -= read as u64;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_zeros() {
        let check = |map: &[u64], size, expected: &[u8]| {
            let data = io::Cursor::new(b"abcdef".to_vec());
            let mut out = Vec::new();
            Sparse::new(Box::new(data), map.to_vec(), size).read_to_end(&mut out).unwrap();
            assert_eq!(out, expected);
        };
        check(&[2, 3, 7, 1], 9, b"\0\0abc\0\0d\0");
        check(&[0, 6], 6, b"abcdef");
        check(&[], 3, b"\0\0\0");
        // Parts that overlap follow each other, and none goes beyond the size.
        check(&[0, 2, 1, 2], 3, b"abc");
    }

    #[test]
    fn a_map_in_front_of_the_data() {
        let mut data = b"1\n2\n3\n".to_vec();
        data.resize(512, 0);
        data.extend(b"abc");
        let mut out = Vec::new();
        let reader = Box::new(io::Cursor::new(data));
        Sparse::with_map_in_front(reader, 6).read_to_end(&mut out).unwrap();
        assert_eq!(out, b"\0\0abc\0");
        let endless = Box::new(io::Cursor::new(b"99999999\n".repeat(9)));
        assert!(Sparse::with_map_in_front(endless, 6).read_to_end(&mut out).is_err());
    }
}
