//! Containers of every family behind one interface, read by their structures and never by what
//! they promise.
//!
//! A [`Container`] gives its members one after the other, each with a body that can be read once.
//! Nesting is the business of [`crate::unpack`], which keeps the open containers on a stack.
//! Readers allocate nothing by a number that they found before they have checked its range.

mod again;
mod cpio;
mod deb;
mod feed;
mod frames;
mod iso;
mod jimage;
mod linked;
mod phar;
mod pipe;
mod rpm;
mod sevenz;
mod single;
mod sleeper;
mod squashfs;
mod symbolic;
mod tar;
mod zip;

use std::io::{self, Read};

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Coding, Held};
use relight_model::FlawCode;

pub(crate) use again::{Again, Guard, cost_of, may_stand_beside};
pub(crate) use cpio::Cpio;
pub(crate) use deb::Deb;
pub(crate) use feed::Feed;
pub(crate) use frames::{Skipped, SkippedWatch, frames_end};
pub(crate) use iso::Iso;
pub(crate) use jimage::Jimage;
pub(crate) use linked::{Linked, Links, join_names};
pub(crate) use phar::Phar;
pub(crate) use pipe::Pipe;
pub(crate) use rpm::{HEADER_MEMBER, Rpm};
pub(crate) use sevenz::SevenZip;
pub(crate) use single::{Packing, Single, has_frames};
pub(crate) use squashfs::Squashfs;
pub(crate) use symbolic::{Names, TARGET_BYTES_MAX, Telling};
pub(crate) use tar::{Tar, bytes_to_next, is_tar_header};
pub(crate) use zip::{Forward, TAIL_BYTES_MAX, Zip, directory_hash, directory_place};
pub(crate) use zip::{first_member, has_cut_directory, has_directory, may_have_end};

use crate::window::Window;

/// Gives its members one after the other; `None` is its end. After damage it goes on as far as
/// it can.
pub(crate) trait Container {
    /// The next member, or what cannot be read in its place.
    fn next(&mut self) -> Option<Result<Entry, Damage>>;

    /// As [`Self::next`], for a reader that lists members that `is_wanted` refuses and reads none
    /// of their bytes: a container may then leave their place unlooked at, and says so
    /// ([`Entry::is_listed_only`]).
    fn next_of(&mut self, _is_wanted: &IsWanted<'_>) -> Option<Result<Entry, Damage>> {
        self.next()
    }

    /// Gives the members that come next to somebody who only lists them, for as long as `take`
    /// says that it has listed one; the first that it refuses comes from [`Self::next_of`]. A
    /// container that has nothing simple to say about its members gives none.
    fn pass(&mut self, _take: &mut dyn FnMut(&Listable<'_>) -> bool) {}

    /// How many members are left, where that is known.
    fn left(&self) -> usize {
        0
    }

    /// The last member was a guess, and this is what it turned out to be.
    fn judge(&mut self, _is_member: bool) {}
}

/// Whether the bytes of a member are wanted.
pub(crate) type IsWanted<'a> = dyn Fn(&Listable<'_>) -> bool + 'a;

/// Bytes of a container that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub(crate) code: FlawCode,
    /// How many, as far as that is known.
    pub(crate) bytes: u64,
}

impl Damage {
    pub(crate) const fn new(code: FlawCode, bytes: u64) -> Self {
        Self { code, bytes }
    }

    /// Why reading failed.
    pub(crate) fn of(error: &io::Error) -> Self {
        Self::new(code_of(error), 0)
    }
}

/// The code of an error of a decoder, of a limit, or of the system.
pub(crate) fn code_of(error: &io::Error) -> FlawCode {
    match LimitedError::inside(error) {
        Some(LimitedError::Limit(_)) => FlawCode::LimitExpanded,
        Some(LimitedError::Window) => FlawCode::LimitWindow,
        Some(LimitedError::Truncated) => FlawCode::Truncated,
        Some(LimitedError::Corrupt(_)) => FlawCode::CorruptEntry,
        Some(LimitedError::Io(inner)) => code_of(inner),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof => FlawCode::Truncated,
            io::ErrorKind::InvalidData => FlawCode::CorruptEntry,
            _ => crate::walk::code_of(error),
        },
    }
}

/// One member, as its container describes it. Nothing in it is trusted.
pub(crate) struct Entry {
    /// Bytes as they stand there.
    pub(crate) name: Vec<u8>,
    /// What the second header of a zip calls it, when that is something else.
    pub(crate) other_name: Option<Vec<u8>>,
    pub(crate) node: Node,
    /// Unpacked bytes, when the container says it.
    pub(crate) size: Option<u64>,
    /// Bytes that it takes in the container.
    pub(crate) packed: u64,
    pub(crate) crc: Option<u32>,
    /// 1 for the first member of its name, 2 for the second, where the container counts them
    /// itself; 0 where it does not.
    pub(crate) copy: u32,
    /// What is wrong with its description.
    pub(crate) flaws: Vec<FlawCode>,
    /// It is a place of its own in an evidence path. The payload of a package is not: its members
    /// stand directly in the package.
    pub(crate) is_step: bool,
    /// It may be no member at all, but bytes that look like one: its flaws say nothing then.
    pub(crate) is_guess: bool,
    /// Nobody wants its bytes, so where they are was not looked up.
    pub(crate) is_listed_only: bool,
    /// Bytes that the window of the decoder behind its body may hold.
    pub(crate) window: Held,
    pub(crate) body: Body,
}

impl Entry {
    /// A regular file.
    pub(crate) fn file(name: Vec<u8>, size: Option<u64>, body: Body) -> Self {
        Self {
            name,
            other_name: None,
            node: Node::File,
            size,
            packed: size.unwrap_or_default(),
            crc: None,
            copy: 0,
            flaws: Vec::new(),
            is_step: true,
            is_guess: false,
            is_listed_only: false,
            window: Held::default(),
            body,
        }
    }

    /// Something without bytes.
    pub(crate) fn bare(name: Vec<u8>, node: Node) -> Self {
        Self { node, ..Self::file(name, Some(0), Body::Nothing) }
    }
}

/// A member that is listed and not read. Nothing in it is trusted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listable<'a> {
    /// Bytes as they stand there.
    pub(crate) name: &'a [u8],
    /// Unpacked bytes.
    pub(crate) size: u64,
    pub(crate) crc: Option<u32>,
    pub(crate) is_folder: bool,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File,
    Folder,
    /// A symbolic link and what it points at.
    Link(Vec<u8>),
    /// Another name of a member that came before.
    HardLink(Vec<u8>),
    /// A device (its numbers), a FIFO or a socket (0, 0).
    Device(u32, u32),
}

/// The bytes of a member.
pub(crate) enum Body {
    /// There are none, or a flaw says why they cannot be read.
    Nothing,
    /// They stand in the container as they are: any range can be read, any number of times.
    Plain(Window),
    /// They stand in the container in one piece, packed.
    Packed(Window, Coding),
    /// They come by once; and how to get at them again, where that is possible.
    Stream(Box<dyn Read>, Option<Again>),
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let field = bytes.get(at..at + 2).and_then(|field| field.try_into().ok());
    u16::from_le_bytes(field.unwrap_or_default())
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    u32::from_le_bytes(field.unwrap_or_default())
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    u64::from_le_bytes(field.unwrap_or_default())
}
