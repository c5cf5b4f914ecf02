//! Inodes and folders: blocks of 8 KiB, packed one by one, addressed by the place of the packed
//! block and an offset in the unpacked one.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use relight_formats::limited::coding::Block;

use crate::archive::u16_at;
use crate::window::Window;

/// Unpacked bytes of one block.
const METADATA_BYTES: usize = 8_192;

/// Blocks that are kept unpacked: entries of one folder have their inodes side by side.
const KEPT_MAX: usize = 8;

/// An unpacked block: its place in the table, its bytes, and where the next one stands.
type Unpacked = (u64, Rc<Vec<u8>>, u64);

/// One table of metadata.
#[derive(Clone)]
pub(super) struct Metadata {
    table: Window,
    packing: Block,
    kept: Rc<RefCell<Vec<Unpacked>>>,
}

/// A place in a table.
#[derive(Clone, Copy)]
pub(super) struct Place {
    block: u64,
    offset: usize,
}

impl Place {
    pub(super) fn new(block: u64, offset: u16) -> Self {
        Self { block, offset: offset.into() }
    }

    /// The form in which folders and the superblock name an inode.
    pub(super) fn of_reference(reference: u64) -> Self {
        Self::new(reference >> 16, reference as u16)
    }
}

impl Metadata {
    pub(super) fn new(window: &Window, at: u64, packing: Block) -> Self {
        let table = window.part(at, u64::MAX).cached();
        Self { table, packing, kept: Rc::default() }
    }

    pub(super) fn at(&self, place: Place) -> Cursor {
        Cursor { metadata: self.clone(), place }
    }

    /// An unpacked block, and where the next one stands.
    fn block(&self, at: u64) -> io::Result<(Rc<Vec<u8>>, u64)> {
        if let Some((_, bytes, next)) = self.kept.borrow().iter().find(|(kept, ..)| *kept == at) {
            return Ok((Rc::clone(bytes), *next));
        }
        let header = self.table.read_small(at, 2)?;
        if header.len() < 2 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let field = u16_at(&header, 0);
        let len = usize::from(field & 0x7fff);
        if len > METADATA_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let packed = self.table.read_small(at + 2, len)?;
        if packed.len() < len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = if field & 0x8000 != 0 {
            packed
        } else {
            self.packing.unpack(&packed, METADATA_BYTES).map_err(io::Error::other)?
        };
        let (bytes, next) = (Rc::new(bytes), at + 2 + len as u64);
        let mut kept = self.kept.borrow_mut();
        kept.truncate(KEPT_MAX - 1);
        kept.insert(0, (at, Rc::clone(&bytes), next));
        Ok((bytes, next))
    }
}

/// Reads on through the blocks of a table.
#[derive(Clone)]
pub(super) struct Cursor {
    metadata: Metadata,
    place: Place,
}

impl Cursor {
    /// The next `len` bytes. The caller bounds `len`.
    pub(super) fn take(&mut self, len: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(len.min(METADATA_BYTES));
        while out.len() < len {
            let (bytes, next) = self.metadata.block(self.place.block)?;
            let rest = bytes.get(self.place.offset..).unwrap_or_default();
            // An empty block would never end.
            if bytes.is_empty() {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let taken = rest.len().min(len - out.len());
            out.extend_from_slice(&rest[..taken]);
            self.place.offset += taken;
            if self.place.offset >= bytes.len() {
                self.place = Place { block: next, offset: self.place.offset - bytes.len() };
            }
        }
        Ok(out)
    }
}
