//! What stands where a mark is: an archive from its start to its end, or something that is told.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Coding, decoder_of};
use relight_formats::limited::first::first_stream;
use relight_model::FlawCode;

use super::Inside;
use super::marks::{END_BYTES, Mark, cabinet_bytes, first_of, holds_more};
use super::marks::{seven_bytes, squashfs_bytes};
use crate::archive::{bytes_to_next, code_of, directory_place, frames_end};
use crate::archive::{has_cut_directory, u16_at};
use crate::cataloger::{Kind, ReadAt};
use crate::program::Section;
use crate::sniff::{self, HEAD_BYTES};
use crate::window::Window;

/// Bytes that are read of a stream at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Bytes that tell how long an archive is which says so at its start.
const START_BYTES: usize = 64;

/// Bytes of a block of tar, of a header of cpio (newc) and of one of `ar`, and of the mark of that.
const TAR_BLOCK: usize = 512;
const CPIO_HEADER_BYTES: usize = 110;
const AR_HEADER_BYTES: usize = 60;
const AR_MARK_BYTES: u64 = 8;

/// Where the first block of a stream starts at the latest, but for xz and gzip.
const BLOCK_AT_MAX: usize = 19;

/// Bytes of a name that is believed.
const NAME_BYTES_MAX: usize = 65_535;

/// Hears how many bytes were unpacked, and says what ends that.
pub(super) type GoesOn<'a> = dyn Fn(u64) -> Result<(), FlawCode> + 'a;

/// What stands where a zip seems to end.
pub(super) fn zip(window: &Window, section: &Section, at: u64) -> io::Result<Option<Inside>> {
    let end = section.start.saturating_add(section.size);
    let record = window.read(at, END_BYTES)?;
    let comment = u64::from(u16_at(&record, 20));
    let zip_end = at + END_BYTES as u64 + comment;
    let part = window.part(0, zip_end.min(end));
    let place = directory_place(&part, END_BYTES as u64 + comment)?;
    let is_whole = |place: &Range<u64>| {
        let is_its_own = place.contains(&at) && place.end == zip_end;
        is_its_own && place.start >= section.start && zip_end <= end
    };
    Ok(match place.filter(is_whole) {
        Some(place) => Some(Inside::Archive(Kind::Zip, place)),
        // Another one in its comment, or a comment that is cut.
        None => has_cut_directory(&window.part(0, at + END_BYTES as u64))?
            .then_some(Inside::Told(FlawCode::ZipBoundaryAmbiguous)),
    })
}

/// The same where anything else seems to start.
pub(super) fn other(
    source: &dyn ReadAt,
    section: &Section,
    at: u64,
    mark: Mark,
    goes_on: &GoesOn<'_>,
) -> io::Result<Option<Inside>> {
    let told = Inside::Told(FlawCode::ContainerUnsupported);
    let room = section.start.saturating_add(section.size).saturating_sub(at);
    let start = || source.read_at(at, START_BYTES);
    let sized = |kind, bytes: u64| match bytes <= room {
        true => Inside::Archive(kind, at..at + bytes),
        false => Inside::Told(FlawCode::Truncated),
    };
    let ended = |kind, end: Option<u64>| match end {
        Some(bytes) => sized(kind, bytes),
        None => Inside::Told(FlawCode::Truncated),
    };
    let place = Place { source, start: at, room };
    Ok(match mark {
        Mark::Zip => None,
        // Its start has a checksum, so it is one, also where its end is missing.
        Mark::SevenZip => seven_bytes(&start()?).map(|bytes| sized(Kind::SevenZip, bytes)),
        Mark::Cabinet => {
            cabinet_bytes(&start()?).is_some_and(|bytes| bytes <= room).then_some(told)
        }
        Mark::Compound => sniff::is_installer(source, at)?.then_some(told),
        Mark::Rpm => Some(told),
        Mark::Squashfs => squashfs_bytes(&start()?).map(|bytes| sized(Kind::Squashfs, bytes)),
        Mark::Tar => Some(ended(Kind::Tar, place.tar_end()?)),
        Mark::Cpio => place.cpio_end()?.map(|end| ended(Kind::Cpio, end)),
        Mark::Deb => Some(ended(Kind::Deb, place.ar_end()?)),
        Mark::Gzip | Mark::Xz | Mark::Zstd | Mark::Bzip2 | Mark::Lz4 => {
            let Some(coding) = mark.coding() else { return Ok(None) };
            place.stream(coding, goes_on)?.map(|end| match end {
                Ok(bytes) => sized(Kind::Stream, bytes),
                Err(code) => Inside::Told(code),
            })
        }
    })
}

/// Where something starts in a program, and how many bytes its section has from there on.
#[derive(Clone, Copy)]
struct Place<'a> {
    source: &'a dyn ReadAt,
    start: u64,
    room: u64,
}

impl Place<'_> {
    fn read(&self, at: u64, len: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.room.saturating_sub(at)).unwrap_or(usize::MAX);
        self.source.read_at(self.start.saturating_add(at), len.min(left))
    }

    /// Up to the zeros behind the last member.
    fn tar_end(&self) -> io::Result<Option<u64>> {
        let mut at = 0_u64;
        loop {
            let block = self.read(at, TAR_BLOCK)?;
            if block.len() < TAR_BLOCK {
                return Ok(None);
            }
            if block.iter().all(|byte| *byte == 0) {
                return Ok(Some(at + TAR_BLOCK as u64));
            }
            let Some(bytes) = bytes_to_next(&block) else { return Ok(None) };
            at = at.saturating_add(bytes);
        }
    }

    /// Up to the member that ends it. Nothing where the first header is none; nothing in that where
    /// a later one is none.
    fn cpio_end(&self) -> io::Result<Option<Option<u64>>> {
        let mut at = 0_u64;
        loop {
            let header = self.read(at, CPIO_HEADER_BYTES)?;
            let field = |at: usize| {
                let digits = std::str::from_utf8(header.get(at..at + 8)?).ok()?;
                u64::from_str_radix(digits, 16).ok()
            };
            let is_one = header.starts_with(b"070701") || header.starts_with(b"070702");
            let (Some(size), Some(name_len), true) = (field(54), field(94), is_one) else {
                return Ok((at > 0).then_some(None));
            };
            let name_len = usize::try_from(name_len).unwrap_or(usize::MAX).min(NAME_BYTES_MAX);
            let name = self.read(at + CPIO_HEADER_BYTES as u64, name_len)?;
            if name.len() != name_len || name.last() != Some(&0) {
                return Ok((at > 0).then_some(None));
            }
            let data = (at + (CPIO_HEADER_BYTES + name_len) as u64).next_multiple_of(4);
            if name.starts_with(b"TRAILER!!!\0") {
                return Ok(Some(Some(data)));
            }
            at = data.saturating_add(size).min(u64::MAX - 4).next_multiple_of(4);
        }
    }

    /// Up to what is no header of a member.
    fn ar_end(&self) -> io::Result<Option<u64>> {
        let (mut at, mut end) = (AR_MARK_BYTES, AR_MARK_BYTES);
        loop {
            let header = self.read(at, AR_HEADER_BYTES)?;
            let size = header.get(48..58).and_then(|digits| {
                std::str::from_utf8(digits).ok()?.trim_ascii().parse::<u64>().ok()
            });
            let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else {
                return Ok(Some(end).filter(|end| *end <= self.room));
            };
            end = at.saturating_add(AR_HEADER_BYTES as u64).saturating_add(size);
            at = end.saturating_add(size & 1);
        }
    }

    /// How long a stream is, or why nobody knows; nothing where it holds a text or data of its own.
    fn stream(&self, coding: Coding, goes_on: &GoesOn<'_>) -> io::Result<Option<Length>> {
        let (first, code) = self.first_of(coding)?;
        match code {
            // Its decoder may not have so much memory: nobody knows what it holds.
            Some(FlawCode::LimitWindow) => return Ok(Some(Err(FlawCode::LimitWindow))),
            Some(FlawCode::Truncated) if self.is_cut(coding)? => {
                return Ok(Some(Err(FlawCode::Truncated)));
            }
            _ => {}
        }
        if !holds_more(&first) {
            return Ok(None);
        }
        let mut bytes = Bytes { place: *self, at: 0, piece: Vec::new(), used: 0 };
        let Some(mut stream) = first_stream(coding, &mut bytes) else {
            let end = frames_end(&|at, len| self.read(at, len), self.room)?;
            return Ok(Some(end.ok_or(FlawCode::Truncated)));
        };
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match stream.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if LimitedError::inside(&error).is_some() => {
                    return Ok(Some(Err(code_of(&error))));
                }
                Err(error) => return Err(error),
            };
            if let Err(code) = goes_on(read as u64) {
                return Ok(Some(Err(code)));
            }
        }
        drop(stream);
        Ok(Some(Ok(bytes.at + bytes.used as u64)))
    }

    /// Whether what ends before it gives enough is a stream that its section cuts. Programs name
    /// marks as well, and zeros behind those are blocks.
    fn is_cut(&self, coding: Coding) -> io::Result<bool> {
        Ok(match coding {
            // Three bytes and flags are many times in a program.
            Coding::Gzip => false,
            // Its start has a check sum.
            Coding::Xz => true,
            _ => self.read(0, HEAD_BYTES)?.iter().skip(BLOCK_AT_MAX).any(|byte| *byte != 0),
        })
    }

    /// The first bytes that a stream gives, and why these are no more than that.
    fn first_of(&self, coding: Coding) -> io::Result<(Vec<u8>, Option<FlawCode>)> {
        let head = self.read(0, HEAD_BYTES)?;
        let bytes = || Bytes { place: *self, at: 0, piece: Vec::new(), used: 0 };
        let stream = first_stream(coding, bytes());
        let stream = stream.or_else(|| decoder_of(coding, &head, bytes()).ok());
        Ok(stream.map(first_of).unwrap_or_default())
    }
}

/// Bytes of a stream, or why nobody knows how many.
type Length = Result<u64, FlawCode>;

/// What starts at a place, front to back.
struct Bytes<'a> {
    place: Place<'a>,
    /// Where the piece that is held starts.
    at: u64,
    piece: Vec<u8>,
    /// Bytes of the piece that were taken.
    used: usize,
}

impl BufRead for Bytes<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.piece.len() {
            self.at += self.used as u64;
            self.used = 0;
            self.piece = self.place.read(self.at, PIECE_BYTES)?;
        }
        Ok(&self.piece[self.used..])
    }

    fn consume(&mut self, bytes: usize) {
        self.used += bytes;
    }
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
