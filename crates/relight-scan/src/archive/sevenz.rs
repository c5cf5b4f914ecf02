//! 7z archives (7zFormat.txt of the LZMA SDK): a header at the end, and folders, each of which is
//! several files packed as one by a chain of coders.

mod folder;
mod header;

use std::io;
use std::rc::Rc;
use std::vec;

use relight_formats::limited::coding::Crc32;
use relight_model::FlawCode;

use self::folder::Folder;
use self::header::{File, Header, Parsed};
use super::{Again, Body, Container, Damage, Entry, Guard, Node, Pipe, u32_at, u64_at};
use crate::window::Window;

/// Bytes of the header, packed or not.
const HEADER_BYTES_MAX: u64 = 16 << 20;

/// Bytes that are held of one byte of a header: itself, and what is understood of it.
const HEADER_RATIO: u64 = 3;

/// Headers that are packed in headers.
const HEADERS_MAX: u32 = 4;

/// A 7z archive.
pub(crate) struct SevenZip {
    window: Window,
    guard: Rc<dyn Guard>,
    files: vec::IntoIter<File>,
    folders: Vec<Rc<Folder>>,
    /// The folder that is being unpacked, by its number, and its bytes.
    open: Option<(usize, Result<Pipe, FlawCode>)>,
    /// Where in the open folder the next file starts.
    at: u64,
    damage: Option<Damage>,
}

impl SevenZip {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of the file; what is wrong with the archive is its first damage.
    pub(crate) fn open(window: Window, guard: Rc<dyn Guard>) -> io::Result<Self> {
        let (header, damage) = match read_header(&window, &*guard)? {
            Ok(header) => (header, None),
            Err(code) => (Header::default(), Some(Damage::new(code, window.len()))),
        };
        let (files, folders) = (header.files.into_iter(), header.folders.into_iter());
        let folders = folders.map(Rc::new).collect();
        Ok(Self { window, guard, files, folders, open: None, at: 0, damage })
    }

    fn entry(&mut self, file: File) -> Entry {
        let Some(number) = file.folder else {
            let node = if file.is_folder { Node::Folder } else { Node::File };
            return Entry::bare(file.name, node);
        };
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            // The one before lets go of what it holds.
            self.open = None;
            self.open = Some((number, self.unpack(number)));
            self.at = 0;
        }
        let start = self.at;
        self.at = self.at.saturating_add(file.size);
        let mut entry = Entry::file(file.name, Some(file.size), Body::Nothing);
        entry.crc = file.crc;
        match self.open.as_ref().map(|(_, stream)| stream) {
            Some(Ok(pipe)) => match pipe.seek(start) {
                Ok(true) => {
                    entry.body = Body::Stream(Box::new(pipe.part(file.size)), pipe.again());
                }
                Ok(false) => entry.flaws.push(FlawCode::Truncated),
                Err(error) => entry.flaws.push(super::code_of(&error)),
            },
            Some(Err(code)) => entry.flaws.push(*code),
            None => {}
        }
        entry
    }
}

impl SevenZip {
    /// What a folder gives, front to back, and again.
    fn unpack(&self, number: usize) -> Result<Pipe, FlawCode> {
        let folder = Rc::clone(self.folders.get(number).ok_or(FlawCode::CorruptEntry)?);
        let costs = folder.costs()?;
        // What is wrong with its description has a code of its own.
        folder.unpack(&self.window)?;
        let window = self.window.clone();
        let open = move || folder.unpack(&window).map_err(|_| io::ErrorKind::InvalidData.into());
        let opened = Again::guarded(&self.guard, costs, open);
        let (stream, again) = opened.map_err(|error| super::code_of(&error))?;
        Ok(Pipe::of(stream, Some(again)))
    }
}

impl Container for SevenZip {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if let Some(damage) = self.damage.take() {
            return Some(Err(damage));
        }
        let file = self.files.next()?;
        Some(Ok(self.entry(file)))
    }
}

/// Reads the header, through the headers that it is packed in.
fn read_header(window: &Window, guard: &dyn Guard) -> io::Result<Result<Header, FlawCode>> {
    let start = window.read(0, 32)?;
    if start.len() < 32 {
        return Ok(Err(FlawCode::Truncated));
    }
    if u32_at(&start, 8) != Crc32::of(&start[12..32]) {
        return Ok(Err(FlawCode::CorruptEntry));
    }
    let (offset, size) = (u64_at(&start, 12), u64_at(&start, 20));
    if size == 0 {
        return Ok(Ok(Header::default()));
    }
    if size > HEADER_BYTES_MAX {
        return Ok(Err(FlawCode::LimitMemory));
    }
    let mut bytes = window.read(offset.saturating_add(32), size as usize)?;
    if bytes.len() as u64 != size {
        return Ok(Err(FlawCode::Truncated));
    }
    if u32_at(&start, 28) != Crc32::of(&bytes) {
        return Ok(Err(FlawCode::CorruptEntry));
    }
    for _ in 0..HEADERS_MAX {
        guard.make_room(HEADER_RATIO * bytes.len() as u64);
        match header::parse(&bytes, window.len()) {
            Some(Parsed::Header(header)) => return Ok(Ok(header)),
            Some(Parsed::Packed(folder)) => {
                match folder.unpack_header(window, HEADER_BYTES_MAX, guard) {
                    Ok(unpacked) => bytes = unpacked,
                    Err(code) => return Ok(Err(code)),
                }
            }
            None => return Ok(Err(FlawCode::CorruptEntry)),
        }
    }
    Ok(Err(FlawCode::ArchiveLoop))
}
