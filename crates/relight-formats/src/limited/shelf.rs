//! Bytes that are held packed and read at any place: what comes by once and is too long for memory
//! as it is.

use std::cell::RefCell;
use std::io::{self, Read};

use zstd::bulk;

/// Bytes that are packed together. Reading any of them unpacks them all.
const BLOCK_BYTES: usize = 64 << 10;

/// The fastest level of zstd: databases of packages shrink to a third by it.
const LEVEL: i32 = 1;

/// Bytes in memory, packed in blocks.
#[derive(Default)]
pub struct Shelf {
    blocks: Vec<Box<[u8]>>,
    size: u64,
    packed_bytes: u64,
    /// The block that was unpacked last, and its bytes.
    last: RefCell<Option<(usize, Vec<u8>)>>,
}

impl Shelf {
    /// Takes all bytes of a source; `None` when they would take more than `packed_bytes_max`.
    ///
    /// # Errors
    /// Those of the source.
    pub fn fill(mut source: impl Read, packed_bytes_max: u64) -> io::Result<Option<Self>> {
        let mut shelf = Self::default();
        let mut packer = bulk::Compressor::new(LEVEL)?;
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        loop {
            block.clear();
            (&mut source).take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
            if block.is_empty() {
                return Ok(Some(shelf));
            }
            let packed = packer.compress(&block)?.into_boxed_slice();
            shelf.size += block.len() as u64;
            shelf.packed_bytes += (packed.len() + size_of::<Box<[u8]>>()) as u64;
            if shelf.packed_bytes > packed_bytes_max {
                return Ok(None);
            }
            shelf.blocks.push(packed);
        }
    }

    /// How many bytes there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// How many bytes of memory they take.
    pub const fn packed_bytes(&self) -> u64 {
        self.packed_bytes
    }

    /// Up to `len` bytes from `start`; fewer only where the bytes end.
    ///
    /// # Errors
    /// When memory was damaged.
    pub fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let len = self.size.saturating_sub(start).min(len as u64);
        let mut out = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
        while (out.len() as u64) < len {
            let at = start + out.len() as u64;
            let number = usize::try_from(at / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
            let mut last = self.last.borrow_mut();
            let block = match last.take() {
                Some((held, block)) if held == number => block,
                _ => bulk::decompress(&self.blocks[number], BLOCK_BYTES)?,
            };
            let from = (at % BLOCK_BYTES as u64) as usize;
            let left = usize::try_from(len).unwrap_or(usize::MAX) - out.len();
            out.extend(&block[from..block.len().min(from + left)]);
            *last = Some((number, block));
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_packed_is_read_at_any_place() {
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(|at| (at / 3).to_le_bytes()).collect();
        let shelf = Shelf::fill(&bytes[..], 1 << 20).unwrap().unwrap();
        assert_eq!(shelf.size(), bytes.len() as u64);
        assert!(shelf.packed_bytes() < bytes.len() as u64 / 2);
        for (start, len) in [(0, 10), (65_530, 20), (70_000, 400_000), (799_990, 99), (9, 0)] {
            let end = bytes.len().min(start + len);
            assert_eq!(shelf.read_at(start as u64, len).unwrap(), bytes[start..end]);
        }
        assert_eq!(shelf.read_at(800_000, 1).unwrap(), [0; 0]);
        assert_eq!(shelf.read_at(u64::MAX, 1).unwrap(), [0; 0]);
    }

    #[test]
    fn it_holds_no_more_than_it_may() {
        let bytes = vec![7; 1 << 20];
        let all = Shelf::fill(&bytes[..], 1 << 20).unwrap().unwrap().packed_bytes();
        assert!(Shelf::fill(&bytes[..], all).unwrap().is_some());
        assert!(Shelf::fill(&bytes[..], all - 1).unwrap().is_none());
        let nothing = Shelf::fill(&[][..], 0).unwrap().unwrap();
        assert_eq!((nothing.size(), nothing.read_at(0, 9).unwrap().len()), (0, 0));
    }
}
