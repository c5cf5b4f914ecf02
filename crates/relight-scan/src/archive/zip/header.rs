//! One member by its headers, and the walk from local header to local header.

use std::io;

use memchr::memmem;
use relight_formats::limited::coding::Coding;
use relight_model::FlawCode;

use super::{IN_ZIP64, LOCAL, LOCAL_BYTES, apply_zip64, extra_field};
use crate::archive::{Body, Entry, Node, u16_at, u32_at};
use crate::window::Window;

/// Bit of the flags: the data is encrypted.
const ENCRYPTED: u16 = 1;

/// Bit of the flags: sizes and check sum stand behind the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;

/// Bit of the flags: the central directory is encrypted, and names in local headers are masked.
const MASKED: u16 = 1 << 13;

/// Method number of WinZip's AES; the real one stands in an extra field.
const AES: u16 = 99;

/// A member as one header describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// `None` when the header does not say.
    pub(super) crc: Option<u32>,
    pub(super) packed: u64,
    /// `None` when the header does not say.
    pub(super) unpacked: Option<u64>,
    /// Where its local header starts in the window.
    pub(super) header_at: u64,
    /// The second version of AES zeroes the check sum.
    pub(super) is_ae2: bool,
}

impl Header {
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & (ENCRYPTED | MASKED) != 0 || self.method == AES
    }

    /// How the data is packed; `None` for a method that is not read.
    pub(super) fn coding(&self) -> Option<Coding> {
        // Bit 1 with LZMA: the data says itself where it ends.
        let lzma_size = self.unpacked.filter(|_| self.flags & 2 == 0);
        Some(match self.method {
            0 => Coding::Plain,
            8 => Coding::Deflate,
            9 => Coding::Deflate64,
            12 => Coding::Bzip2,
            14 => Coding::ZipLzma(lzma_size),
            20 | 93 => Coding::Zstd,
            95 => Coding::Xz,
            98 => Coding::ZipPpmd,
            _ => return None,
        })
    }

    /// The member without its body.
    pub(super) fn entry(self) -> Entry {
        let is_folder = self.packed == 0 && self.name.ends_with(b"/");
        let node = if is_folder { Node::Folder } else { Node::File };
        Entry {
            packed: self.packed,
            crc: self.crc.filter(|_| !self.is_ae2),
            node,
            ..Entry::file(self.name, self.unpacked, Body::Nothing)
        }
    }

    /// The member with its body, whose data starts at `data_at`.
    pub(super) fn with_body(self, window: &Window, data_at: u64) -> Entry {
        let data = window.part(data_at, self.packed);
        let (coding, encrypted) = (self.coding(), self.is_encrypted());
        let cut = data.len() < self.packed;
        let mut entry = self.entry();
        match coding {
            _ if encrypted => entry.flaws.push(FlawCode::Encrypted),
            None => entry.flaws.push(FlawCode::MethodUnsupported),
            _ if entry.node == Node::Folder => {}
            Some(Coding::Plain) => entry.body = Body::Plain(data),
            Some(coding) => entry.body = Body::Packed(data, coding),
        }
        if cut {
            entry.flaws.push(FlawCode::Truncated);
        }
        entry
    }
}

/// Lists an archive without its directory: every plausible local header, front to back.
pub(super) struct Walk {
    window: Window,
    from: u64,
}

impl Walk {
    pub(super) fn new(window: &Window) -> Self {
        Self { window: window.cached(), from: 0 }
    }

    pub(super) fn next(&mut self, window: &Window) -> io::Result<Option<Entry>> {
        while let Some(at) = find_local(&self.window, self.from)? {
            self.from = at + 4;
            let Some((mut header, data_at)) = local_header(&self.window, at)? else { continue };
            // A size is believed only if something of a zip follows; else the search goes on
            // inside.
            let end = data_at.saturating_add(header.packed);
            let known = header.flags & DESCRIPTOR == 0;
            let sized = known && self.window.read_small(end, 2)? == *b"PK";
            self.from = if sized { end } else { data_at };
            let next = if sized { Some(end) } else { find_local(&self.window, self.from)? };
            header.packed = next.unwrap_or_else(|| window.len()) - data_at;
            header.crc = header.crc.filter(|_| known);
            header.unpacked = header.unpacked.filter(|_| known);
            return Ok(Some(header.with_body(window, data_at)));
        }
        Ok(None)
    }
}

/// The next local signature at or after `from`.
fn find_local(window: &Window, from: u64) -> io::Result<Option<u64>> {
    const PIECE_BYTES: usize = 64 << 10;
    if window.read_small(from, 4)? == LOCAL {
        return Ok(Some(from));
    }
    let mut at = from;
    while at < window.len() {
        let piece = window.read(at, PIECE_BYTES)?;
        if let Some(found) = memmem::find(&piece, &LOCAL) {
            return Ok(Some(at + found as u64));
        }
        if piece.len() < PIECE_BYTES {
            break;
        }
        at += (PIECE_BYTES - 3) as u64;
    }
    Ok(None)
}

/// Reads a local header and says where its data starts; `None` when it is not plausible.
fn local_header(window: &Window, at: u64) -> io::Result<Option<(Header, u64)>> {
    let fixed = window.read_small(at, LOCAL_BYTES as usize)?;
    let lens = usize::from(u16_at(&fixed, 26)) + usize::from(u16_at(&fixed, 28));
    let rest = window.read_small(at + LOCAL_BYTES, lens)?;
    let data_at = at + LOCAL_BYTES + lens as u64;
    let header = parse_local(&fixed, &rest, at).filter(|_| data_at <= window.len());
    Ok(header.map(|header| (header, data_at)))
}

/// Takes a local header apart; `rest` is name and extra field. `None` when it is not plausible.
pub(super) fn parse_local(fixed: &[u8], rest: &[u8], at: u64) -> Option<Header> {
    let (version, method) = (u16_at(fixed, 4) & 0xff, u16_at(fixed, 8));
    let name_len = usize::from(u16_at(fixed, 26));
    let plausible = fixed.len() == LOCAL_BYTES as usize && version <= 63 && method <= 99;
    if !plausible || name_len == 0 || rest.len() < name_len || !fixed.starts_with(&LOCAL) {
        return None;
    }
    let (name, extra) = rest.split_at(name_len);
    let mut packed = u64::from(u32_at(fixed, 18));
    let mut unpacked = u64::from(u32_at(fixed, 22));
    if packed == IN_ZIP64 || unpacked == IN_ZIP64 {
        apply_zip64(extra, [&mut unpacked, &mut packed, &mut 0]);
    }
    Some(Header {
        name: name.to_vec(),
        flags: u16_at(fixed, 6),
        method,
        crc: Some(u32_at(fixed, 14)),
        packed,
        unpacked: Some(unpacked),
        header_at: at,
        is_ae2: is_ae2(extra),
    })
}

/// The extra field of AES says its version.
pub(super) fn is_ae2(extra: &[u8]) -> bool {
    extra_field(extra, 0x9901).is_some_and(|field| u16_at(field, 0) == 2)
}
