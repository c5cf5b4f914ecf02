//! The bytes of one file: blocks of its own, and an end that it may share with other files.

use std::io::{self, Read};
use std::rc::Rc;

use super::metadata::{Cursor, Metadata, Place};
use super::{Image, Super, u32_at, u64_at};

/// Bit of a size: the block is not packed.
const PLAIN: u32 = 1 << 24;

/// A file has no end in a fragment.
const NO_FRAGMENT: u32 = u32::MAX;

/// Entries in one block of the table of fragments.
const FRAGMENTS_IN_BLOCK: u32 = 512;

/// Blocks whose sizes are read at once.
const SIZES_AT_ONCE: u64 = 1_024;

/// Where the bytes of a file are.
#[derive(Clone)]
pub(super) struct File {
    pub(super) size: u64,
    start: u64,
    fragment: u32,
    fragment_offset: u32,
    /// Whole blocks, without the end in a fragment.
    blocks: u64,
    /// Reads their sizes.
    sizes: Cursor,
}

impl File {
    /// Reads the rest of an inode.
    pub(super) fn read(cursor: &mut Cursor, is_extended: bool, block: u32) -> io::Result<Self> {
        let (start, size, fragment, fragment_offset) = if is_extended {
            let fixed = cursor.take(40)?;
            (u64_at(&fixed, 0), u64_at(&fixed, 8), u32_at(&fixed, 28), u32_at(&fixed, 32))
        } else {
            let fixed = cursor.take(16)?;
            let size = u32_at(&fixed, 12).into();
            (u32_at(&fixed, 0).into(), size, u32_at(&fixed, 4), u32_at(&fixed, 8))
        };
        let block = u64::from(block);
        let blocks = if fragment == NO_FRAGMENT { size.div_ceil(block) } else { size / block };
        let sizes = cursor.clone();
        Ok(Self { size, start, fragment, fragment_offset, blocks, sizes })
    }
}

/// Gives the bytes of a file, block by block.
pub(super) struct Blocks {
    image: Rc<Image>,
    file: File,
    /// Where the next packed block stands.
    at: u64,
    /// Sizes of the next blocks, in reverse.
    sizes: Vec<u32>,
    /// Blocks whose sizes were read.
    sized: u64,
    given: u64,
    block: Vec<u8>,
    block_at: usize,
}

impl Blocks {
    pub(super) fn new(image: Rc<Image>, file: File) -> Self {
        let at = file.start;
        let (sizes, block) = (Vec::new(), Vec::new());
        Self { image, file, at, sizes, sized: 0, given: 0, block, block_at: 0 }
    }

    fn next_block(&mut self) -> io::Result<()> {
        let block_size = u64::from(self.image.superblock.block_size);
        let left = self.file.size - self.given;
        let wanted = usize::try_from(left.min(block_size)).unwrap_or_default();
        self.block = match self.next_size()? {
            // A hole.
            Some(0) => vec![0; wanted],
            Some(size) => {
                let at = self.at;
                self.at = at.saturating_add((size & !PLAIN).into());
                self.unpack(at, size)?
            }
            None => self.fragment(wanted)?,
        };
        self.block_at = 0;
        if self.block.len() < wanted {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.block.truncate(wanted);
        Ok(())
    }

    /// The size of the next block; `None` behind the last one.
    fn next_size(&mut self) -> io::Result<Option<u32>> {
        if self.sizes.is_empty() && self.sized < self.file.blocks {
            let count = SIZES_AT_ONCE.min(self.file.blocks - self.sized);
            let bytes = self.file.sizes.take(count as usize * 4)?;
            let (words, _) = bytes.as_chunks::<4>();
            self.sizes = words.iter().rev().map(|word| u32::from_le_bytes(*word)).collect();
            self.sized += count;
        }
        Ok(self.sizes.pop())
    }

    fn unpack(&self, at: u64, size: u32) -> io::Result<Vec<u8>> {
        let len = (size & !PLAIN) as usize;
        let block_size = self.image.superblock.block_size as usize;
        if len > block_size {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let packed = self.image.window.read(at, len)?;
        if packed.len() < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if size & PLAIN != 0 {
            return Ok(packed);
        }
        self.image.superblock.packing.unpack(&packed, block_size).map_err(io::Error::other)
    }

    /// The end of the file, out of the block that it shares.
    fn fragment(&self, wanted: usize) -> io::Result<Vec<u8>> {
        let (at, size) = self.fragment_place()?;
        let mut last = self.image.fragment.borrow_mut();
        let block = match &*last {
            Some((last_at, last_size, block)) if (*last_at, *last_size) == (at, size) => {
                Rc::clone(block)
            }
            _ => {
                let block = Rc::new(self.unpack(at, size)?);
                *last = Some((at, size, Rc::clone(&block)));
                block
            }
        };
        let behind = block.get(self.file.fragment_offset as usize..).unwrap_or_default();
        Ok(behind[..behind.len().min(wanted)].to_vec())
    }

    /// Where that block stands, and its size.
    fn fragment_place(&self) -> io::Result<(u64, u32)> {
        let Super { fragments, fragment_table, packing, .. } = self.image.superblock;
        if self.file.fragment >= fragments {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let place = u64::from(self.file.fragment / FRAGMENTS_IN_BLOCK) * 8;
        let table = self.image.window.read(fragment_table.saturating_add(place), 8)?;
        let at = u64_at(&table, 0);
        let mut last = self.image.fragments.borrow_mut();
        let (_, table) = match last.take() {
            Some(table) if table.0 == at => last.insert(table),
            _ => last.insert((at, Metadata::new(&self.image.window, at, packing))),
        };
        let offset = (self.file.fragment % FRAGMENTS_IN_BLOCK) * 16;
        let entry = table.at(Place::new(0, offset as u16)).take(16)?;
        Ok((u64_at(&entry, 0), u32_at(&entry, 8)))
    }
}

impl Read for Blocks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block_at == self.block.len() {
            if self.given == self.file.size {
                return Ok(0);
            }
            self.next_block()?;
        }
        let ahead = &self.block[self.block_at..];
        let read = ahead.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ahead[..read]);
        self.block_at += read;
        self.given += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Squashfs;
    use crate::archive::{Body, Container};
    use crate::window::Window;

    /// Inodes in one block of the table: 32 bytes each.
    const INODES: usize = 256;

    /// A block of metadata that is not packed.
    fn block(bytes: &[u8]) -> Vec<u8> {
        [&(0x8000 | bytes.len() as u16).to_le_bytes()[..], bytes].concat()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// An image with so many times 256 files of four bytes in one block of 128 KiB.
    fn image(blocks: usize) -> Vec<u8> {
        let fragment = vec![7; 128 << 10];
        let fragment_at = 96;
        let table_at = fragment_at + fragment.len();
        let entry = [96, 0, 1 << 24 | fragment.len() as u32, 0];
        let table = block(&words(&entry));
        let index_at = table_at + table.len();
        let inodes_at = index_at + 8;
        let file = |at: usize| words(&[2, 0, 0, 0, 0, 0, 4 * at as u32, 4]);
        let (mut inodes, mut listing) = (Vec::new(), Vec::new());
        for number in 0..blocks {
            listing.extend(words(&[INODES as u32 - 1, inodes.len() as u32, 0]));
            let mut bytes = Vec::new();
            for at in 0..INODES {
                let halves = [(32 * at) as u16, 0, 2, 3];
                listing.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
                listing.extend(format!("{:04x}", number * INODES + at).bytes());
                bytes.extend(file(number * INODES + at));
            }
            inodes.extend(block(&bytes));
        }
        let root = (inodes.len() as u64) << 16;
        // An extended folder: links, size, block, folder around it, indexes and offset.
        let size = listing.len() as u32 + 3;
        inodes.extend(block(&words(&[8, 0, 0, 0, 2, size, 0, 0, 0, 0])));
        let folders_at = inodes_at + inodes.len();
        let folders: Vec<u8> = listing.chunks(8_192).flat_map(block).collect();
        let mut head = words(&[0x7371_7368, 0, 0, 128 << 10, 1]);
        head.extend([1_u16, 17, 0, 1, 4, 0].iter().flat_map(|half| half.to_le_bytes()));
        let end = folders_at + folders.len();
        for number in [root, end as u64, 0, 0, inodes_at as u64, folders_at as u64] {
            head.extend(number.to_le_bytes());
        }
        head.extend((index_at as u64).to_le_bytes());
        head.resize(96, 0);
        let index = (table_at as u64).to_le_bytes();
        [&head[..], &fragment, &table, &index, &inodes, &folders].concat()
    }

    /// Goal: files that end in one block unpack it once. Method: 5,120 files in one block of
    /// 128 KiB; what was read from the disk is counted.
    #[test]
    fn a_block_that_files_share_is_unpacked_once() {
        let bytes = image(20);
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        let window = Window::of_file(file, bytes.len() as u64);
        let mut image = Squashfs::open(window.clone()).unwrap();
        let mut count = 0;
        while let Some(entry) = image.next() {
            let Body::Stream(mut body, _) = entry.unwrap().body else { panic!("no file") };
            let mut content = Vec::new();
            body.read_to_end(&mut content).unwrap();
            assert_eq!(content, [7; 4]);
            count += 1;
        }
        assert_eq!(count, 20 * INODES);
        let read = window.bytes_read();
        assert!(read < 64 * bytes.len() as u64, "{read} of {}", bytes.len());
    }
}
