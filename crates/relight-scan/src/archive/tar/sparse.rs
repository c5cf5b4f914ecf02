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
