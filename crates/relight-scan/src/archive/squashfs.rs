//! squashfs images (kernel documentation, `filesystems/squashfs`): snaps, AppImages, live systems.

mod file;
mod metadata;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::rc::Rc;

use relight_formats::limited::coding::Block;
use relight_model::FlawCode;

use self::file::{Blocks, File};
use self::metadata::{Cursor, Metadata, Place};
use super::again::cost_of_block;
use super::{Again, Body, Container, Damage, Entry, Node, u16_at, u32_at, u64_at};
use crate::window::Window;

/// Bytes of a block of data: 1 MiB is the largest the format allows.
const BLOCK_BYTES_MAX: u32 = 1 << 20;

/// Folders in one image; each is remembered so that a loop ends.
const FOLDERS_MAX: usize = 262_144;

/// Entries of one folder.
const FOLDER_BYTES_MAX: u32 = 64 << 20;

/// What the superblock says.
#[derive(Clone, Copy, Debug)]
struct Super {
    block_size: u32,
    packing: Block,
    fragments: u32,
    root: u64,
    inode_table: u64,
    directory_table: u64,
    fragment_table: u64,
}

/// A squashfs image.
pub(crate) struct Squashfs {
    image: Option<Rc<Image>>,
    /// Folders that wait: their path and their inode.
    folders: Vec<(Vec<u8>, u64)>,
    /// The open folder.
    open: Option<Folder>,
    seen: HashSet<u64>,
    damage: Option<Damage>,
}

/// What folders and files share.
struct Image {
    window: Window,
    superblock: Super,
    inodes: Metadata,
    directories: Metadata,
    /// The block of fragments that was used last: neighbours share it.
    fragment: RefCell<Option<Shared>>,
    /// The part of the table of fragments that was used last, and where it stands.
    fragments: RefCell<Option<(u64, Metadata)>>,
}

/// An unpacked block in which several files end: its place, its packed size, and its bytes.
type Shared = (u64, u32, Rc<Vec<u8>>);

struct Folder {
    path: Vec<u8>,
    cursor: Cursor,
    /// Bytes of the listing that are left.
    left: u32,
    /// Entries left under the last header, and the block of their inodes.
    run: u32,
    block: u32,
}

impl Squashfs {
    /// Reads the superblock.
    ///
    /// # Errors
    /// Those of the file; what is wrong with the image is its first damage.
    pub(crate) fn open(window: Window) -> io::Result<Self> {
        let head = window.read(0, 96)?;
        let (folders, image, damage) = match superblock(&head) {
            Ok(superblock) => {
                let metadata = |at| Metadata::new(&window, at, superblock.packing);
                let image = Image {
                    inodes: metadata(superblock.inode_table),
                    directories: metadata(superblock.directory_table),
                    window: window.clone(),
                    superblock,
                    fragment: RefCell::default(),
                    fragments: RefCell::default(),
                };
                let cut = u64_at(&head, 40).saturating_sub(window.len());
                let damage = (cut > 0).then_some(Damage::new(FlawCode::Truncated, cut));
                (vec![(Vec::new(), superblock.root)], Some(Rc::new(image)), damage)
            }
            Err(code) => (Vec::new(), None, Some(Damage::new(code, window.len()))),
        };
        Ok(Self { image, folders, open: None, seen: HashSet::new(), damage })
    }

    fn step(&mut self) -> io::Result<Option<Entry>> {
        loop {
            if let Some(entry) = self.next_of_folder()? {
                return Ok(Some(entry));
            }
            self.open = None;
            let Some((path, inode)) = self.folders.pop() else { return Ok(None) };
            if self.seen.insert(inode) {
                if self.seen.len() > FOLDERS_MAX {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                self.open = Some(self.folder(path, inode)?);
            }
        }
    }

    fn folder(&self, path: Vec<u8>, inode: u64) -> io::Result<Folder> {
        let image = self.image.as_ref().ok_or(io::ErrorKind::InvalidData)?;
        let mut cursor = image.inodes.at(Place::of_reference(inode));
        let head = cursor.take(16)?;
        let (block, size, offset) = match u16_at(&head, 0) {
            1 => {
                let rest = cursor.take(16)?;
                (u32_at(&rest, 0), u32::from(u16_at(&rest, 8)), u16_at(&rest, 10))
            }
            8 => {
                let rest = cursor.take(24)?;
                (u32_at(&rest, 8), u32_at(&rest, 4), u16_at(&rest, 18))
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        if size > FOLDER_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let cursor = image.directories.at(Place::new(block.into(), offset));
        // The size counts three bytes for the folder itself and the one around it.
        Ok(Folder { path, cursor, left: size.saturating_sub(3), run: 0, block: 0 })
    }

    fn next_of_folder(&mut self) -> io::Result<Option<Entry>> {
        let (Some(folder), Some(image)) = (&mut self.open, &self.image) else { return Ok(None) };
        if folder.run == 0 {
            if folder.left < 12 {
                return Ok(None);
            }
            let header = folder.cursor.take(12)?;
            folder.left -= 12;
            folder.run = u32_at(&header, 0).saturating_add(1).min(256);
            folder.block = u32_at(&header, 4);
        }
        let fixed = folder.cursor.take(8)?;
        let name_len = usize::from(u16_at(&fixed, 6)) + 1;
        let name = folder.cursor.take(name_len)?;
        folder.left = folder.left.saturating_sub(8 + name_len as u32);
        folder.run = if folder.left == 0 { 0 } else { folder.run - 1 };
        let path = match &folder.path[..] {
            b"" => name,
            folder => [folder, &name].join(&b'/'),
        };
        let inode = u64::from(folder.block) << 16 | u64::from(u16_at(&fixed, 0));
        let image = Rc::clone(image);
        self.entry(&image, path, inode).map(Some)
    }

    fn entry(&mut self, image: &Rc<Image>, path: Vec<u8>, inode: u64) -> io::Result<Entry> {
        let mut cursor = image.inodes.at(Place::of_reference(inode));
        let head = cursor.take(16)?;
        let kind = u16_at(&head, 0);
        Ok(match kind {
            1 | 8 => {
                self.folders.push((path.clone(), inode));
                Entry::bare(path, Node::Folder)
            }
            2 | 9 => {
                let file = File::read(&mut cursor, kind == 9, image.superblock.block_size)?;
                let size = file.size;
                let blocks = Blocks::new(Rc::clone(image), file.clone());
                let (image, cost) = (Rc::clone(image), cost_of_block(image.superblock.packing));
                let open = move || Ok(Box::new(Blocks::new(Rc::clone(&image), file.clone())) as _);
                let body = Body::Stream(Box::new(blocks), Some(Again::opened(cost, open)));
                Entry::file(path, Some(size), body)
            }
            3 | 10 => {
                let fixed = cursor.take(8)?;
                let len = u32_at(&fixed, 4).min(65_535) as usize;
                Entry::bare(path, Node::Link(cursor.take(len)?))
            }
            4 | 5 | 11 | 12 => {
                let device = u32_at(&cursor.take(8)?, 4);
                Entry::bare(path, Node::Device(device >> 8 & 0xfff, device & 0xff))
            }
            6 | 7 | 13 | 14 => Entry::bare(path, Node::Device(0, 0)),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        })
    }
}

impl Container for Squashfs {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if let Some(damage) = self.damage.take() {
            return Some(Err(damage));
        }
        match self.step() {
            Ok(entry) => entry.map(Ok),
            Err(error) => {
                // The rest of this folder is lost; other folders may be whole.
                self.open = None;
                if self.seen.len() > FOLDERS_MAX {
                    self.folders.clear();
                }
                Some(Err(Damage::of(&error)))
            }
        }
    }
}

fn superblock(head: &[u8]) -> Result<Super, FlawCode> {
    if head.len() < 96 {
        return Err(FlawCode::Truncated);
    }
    let packing = match u16_at(head, 20) {
        1 => Block::Zlib,
        2 => Block::Lzma,
        4 => Block::Xz,
        5 => Block::Lz4,
        6 => Block::Zstd,
        // LZO.
        _ => return Err(FlawCode::MethodUnsupported),
    };
    let block_size = u32_at(head, 12);
    let is_sound = block_size.is_power_of_two()
        && (4_096..=BLOCK_BYTES_MAX).contains(&block_size)
        && u16_at(head, 28) == 4;
    if !is_sound {
        return Err(FlawCode::CorruptEntry);
    }
    Ok(Super {
        block_size,
        packing,
        fragments: u32_at(head, 16),
        root: u64_at(head, 32),
        inode_table: u64_at(head, 64),
        directory_table: u64_at(head, 72),
        fragment_table: u64_at(head, 80),
    })
}
