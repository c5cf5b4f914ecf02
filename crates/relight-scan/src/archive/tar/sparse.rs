//! A sparse file of a tar archive, with its holes filled.
//!
//! Whoever unpacks it puts each part where its map says. Parts that are not in order, that reach
//! beyond the size, or data that no part speaks of would be another file there than here.

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
    pub(super) fn new(data: Box<dyn Read>, map: &[u64], size: u64) -> Self {
        let parts = map.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        Self { data: BufReader::new(data), parts, map_is_in_front: false, at: 0, size }
    }

    pub(super) fn with_map_in_front(data: Box<dyn Read>, size: u64) -> Self {
        Self { map_is_in_front: true, ..Self::new(data, &[], size) }
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
        let (left, is_data) = match self.parts.front() {
            Some((offset, len)) => {
                let is_in_order = *offset >= self.at
                    && offset.checked_add(*len).is_some_and(|end| end <= self.size);
                if !is_in_order {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                if *offset == self.at { (*len, true) } else { (*offset - self.at, false) }
            }
            None => (self.size.saturating_sub(self.at), false),
        };
        if left == 0 {
            return match self.data.fill_buf()? {
                [] => Ok(0),
                _ => Err(io::ErrorKind::InvalidData.into()),
            };
        }
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..wanted];
        let Some((offset, len)) = self.parts.front_mut().filter(|_| is_data) else {
            buffer.fill(0);
            self.at += wanted as u64;
            return Ok(wanted);
        };
        let read = self.data.read(buffer)?;
        if read == 0 && wanted > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *len -= read as u64;
        *offset += read as u64;
        self.at = *offset;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_zeros() {
        let filled = |data: &[u8], map: &[u64], size| {
            let data = io::Cursor::new(data.to_vec());
            let mut out = Vec::new();
            Sparse::new(Box::new(data), map, size).read_to_end(&mut out).ok().map(|_| out)
        };
        let check = |data: &[u8], map: &[u64], size, expected: &[u8]| {
            assert_eq!(filled(data, map, size).as_deref(), Some(expected), "{map:?}");
        };
        check(b"abcd", &[2, 3, 7, 1], 9, b"\0\0abc\0\0d\0");
        // GNU tar ends a map with the size.
        check(b"abcdef", &[0, 6, 6, 0], 6, b"abcdef");
        check(b"", &[], 3, b"\0\0\0");
        // What another program would unpack to something else is no file: parts that overlap, that
        // are not in order, that reach beyond the size, and data of no part.
        for map in [[0, 2, 1, 2], [2, 2, 0, 2], [0, 2, 2, 2]] {
            assert_eq!(filled(b"abcd", &map, 3), None, "{map:?}");
        }
        assert_eq!(filled(b"abcd", &[0, 2, 2, 1], 3), None);
        assert_eq!(filled(b"abcd", &[0, u64::MAX, 5, u64::MAX], u64::MAX), None);
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
