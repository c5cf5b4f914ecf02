//! What archives start or end with, looked for in the sections of a program.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use relight_formats::limited::coding::{Coding, Crc32};
use relight_formats::limited::first::first_stream;
use relight_model::FlawCode;

use crate::archive::{code_of, is_tar_header, u16_at, u32_at, u64_at};
use crate::program::{Program, Section};
use crate::sniff::{HEAD_BYTES, Head, head};

/// How the names of sections start that hold machine code, or what only linkers and debuggers
/// read. Managed code has its resources where others have their code.
const PASSED: [&str; 17] = [
    ".plt",
    ".debug",
    ".zdebug",
    ".symtab",
    ".strtab",
    ".shstrtab",
    ".dynsym",
    ".dynstr",
    ".rel",
    ".eh_frame",
    ".gcc_except_table",
    ".gnu",
    ".gopclntab",
    ".itablink",
    ".typelink",
    "__debug",
    "__unwind",
];

/// Bytes of the end record of a zip, and of the start of a 7z and of a cabinet.
pub(super) const END_BYTES: usize = 22;
const SEVEN_BYTES: usize = 32;
const CABINET_BYTES: usize = 36;

/// Where the mark of a tar stands in its first header.
const TAR_MARK_AT: usize = 257;

/// Where the mark of bzip2 stands behind its first four bytes.
const BZIP2_MARK_AT: usize = 4;

/// Where the mark of xz is looked for: the byte in front ends the mark of zstd as well.
const XZ_MARK_AT: usize = 1;

/// Bytes of a stream of gzip behind its header from which what it gives first is known, and those
/// of a header that is judged here. A name, a comment and more may take 64 KiB each.
const GZIP_BYTES_MIN: usize = 4 << 10;

/// The old form of lz4, and the largest block of it, packed.
const LZ4_OLD: &[u8] = b"\x02\x21\x4c\x18";
const LZ4_OLD_BLOCK_MAX: u32 = (8 << 20) + (8 << 20) / 255 + 16;

/// Something that may be an archive, by its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    /// Its end; everything else has its mark at its start.
    Zip,
    SevenZip,
    Cabinet,
    Compound,
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    Lz4,
    Tar,
    Cpio,
    Deb,
    Rpm,
    Squashfs,
}

/// What is looked for, and how far in front of it its archive starts.
const MARKS: [(&[u8], Mark, usize); 16] = [
    (b"PK\x05\x06", Mark::Zip, 0),
    (b"7z\xbc\xaf\x27\x1c", Mark::SevenZip, 0),
    (b"MSCF\0\0\0\0", Mark::Cabinet, 0),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Mark::Compound, 0),
    (b"\x1f\x8b\x08", Mark::Gzip, 0),
    (b"7zXZ\0", Mark::Xz, XZ_MARK_AT),
    (b"\x28\xb5\x2f\xfd", Mark::Zstd, 0),
    (b"1AY&SY", Mark::Bzip2, BZIP2_MARK_AT),
    (b"\x04\x22\x4d\x18", Mark::Lz4, 0),
    (LZ4_OLD, Mark::Lz4, 0),
    (b"ustar", Mark::Tar, TAR_MARK_AT),
    (b"070701", Mark::Cpio, 0),
    (b"070702", Mark::Cpio, 0),
    (b"!<arch>\ndebian-binary", Mark::Deb, 0),
    (b"\xed\xab\xee\xdb", Mark::Rpm, 0),
    (b"hsqs", Mark::Squashfs, 0),
];

/// All of them at one time: programs are large, and each search goes through all of one. A mark
/// that ends as another one starts hides it: only `070701` does (`1AY&SY`), where its own bytes
/// stand in place of those in front of the other that make it a start.
static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    // Only for the leftmost match are several bytes compared at one time.
    let mut search = AhoCorasick::builder();
    search.match_kind(MatchKind::LeftmostFirst).build(MARKS.map(|(mark, ..)| mark)).ok()
});

pub(super) fn may_hold(section: &Section, managed: u32) -> bool {
    let name = section.name.as_str();
    let is_code = matches!(name, ".text" | "__text") && managed == 0;
    let is_tiny = matches!(name, ".init" | ".fini" | ".init_array" | ".fini_array");
    !is_code && !is_tiny && !PASSED.iter().any(|start| name.starts_with(start))
}

/// Where marks stand in a section that may be those of an archive, but for what was opened before,
/// and whether these are all; no more than so many.
pub(super) fn marks(
    program: &Program<'_>,
    section: &Section,
    marks_max: usize,
    opened: &[Range<u64>],
) -> io::Result<(Vec<(u64, Mark)>, bool)> {
    let (mut marks, is_resources) = (BTreeSet::new(), section.name == ".rsrc");
    let Some(search) = &*SEARCH else { return Ok((Vec::new(), false)) };
    let mut is_all = true;
    program.pieces(section, section.size, &mut |start, piece| {
        for found in search.find_iter(piece) {
            let (_, mark, front) = MARKS[found.pattern().as_usize()];
            if mark == Mark::Compound && !is_resources {
                continue;
            }
            // What starts in front of a piece was seen in the one before.
            let Some(at) = found.start().checked_sub(front) else { continue };
            let place = (section.start + start + at as u64, mark);
            let is_opened = opened.iter().any(|range| range.contains(&place.0));
            let is_new = is_all && !is_opened && !marks.contains(&place);
            if is_new && mark.may_start(&piece[at..]) {
                is_all &= marks.len() < marks_max;
                if is_all {
                    marks.insert(place);
                }
            }
        }
    })?;
    Ok((marks.into_iter().collect(), is_all))
}

impl Mark {
    /// Whether an archive may start so. A piece that ends in it goes on in the next one.
    fn may_start(self, bytes: &[u8]) -> bool {
        match self {
            Self::Zip => is_end(bytes),
            Self::SevenZip => seven_bytes(bytes).is_some(),
            Self::Cabinet => cabinet_bytes(bytes).is_some(),
            Self::Compound => true,
            // Three bytes are many times in a large program, and packed texts are as many: what
            // starts as an archive is looked at here, where there is enough of it.
            Self::Gzip => is_gzip(bytes) && may_hold_more(bytes),
            Self::Xz => {
                let flags = bytes.get(6..8).is_some_and(|it| it[0] == 0 && it[1] <= 0x0f);
                bytes.starts_with(b"\xfd7zXZ\0")
                    && flags
                    && bytes.get(8..12).is_some_and(|sum| u32_at(sum, 0) == Crc32::of(&bytes[6..8]))
            }
            // One block of data at least, and no dictionary that stands elsewhere.
            Self::Zstd => bytes.get(4).is_some_and(|flags| flags & 0x0b == 0),
            Self::Bzip2 => bytes.starts_with(b"BZh") && matches!(bytes[3], b'1'..=b'9'),
            Self::Lz4 if bytes.starts_with(LZ4_OLD) => bytes
                .get(4..8)
                .is_some_and(|size| (1..=LZ4_OLD_BLOCK_MAX).contains(&u32_at(size, 0))),
            Self::Lz4 => bytes.get(4).is_some_and(|flags| flags >> 6 == 1 && flags & 2 == 0),
            // Many programs name the mark.
            Self::Tar => is_tar_header(bytes),
            Self::Cpio => {
                bytes.get(..110).is_some_and(|it| it[6..].iter().all(u8::is_ascii_hexdigit))
            }
            // Version 3 or 4, of a binary or a source; and the header of its signature.
            Self::Rpm => {
                let is_lead = bytes
                    .get(4..8)
                    .is_some_and(|it| matches!(it[0], 3 | 4) && it[2] == 0 && it[3] <= 1);
                is_lead && bytes.get(96..100) == Some(b"\x8e\xad\xe8\x01")
            }
            Self::Deb => bytes.get(66..68) == Some(b"`\n"),
            Self::Squashfs => squashfs_bytes(bytes).is_some(),
        }
    }

    /// The packing of a single stream.
    pub(super) const fn coding(self) -> Option<Coding> {
        Some(match self {
            Self::Gzip => Coding::Gzip,
            Self::Xz => Coding::Xz,
            Self::Zstd => Coding::Zstd,
            Self::Bzip2 => Coding::Bzip2,
            Self::Lz4 => Coding::Lz4,
            _ => return None,
        })
    }
}

/// Whether an end record says that there are members; one that is cut may.
fn is_end(record: &[u8]) -> bool {
    record.len() < END_BYTES || u16_at(record, 10) > 0 && u32_at(record, 12) > 0
}

/// How long a 7z is that starts so, when that is sound.
pub(super) fn seven_bytes(start: &[u8]) -> Option<u64> {
    let start = start.get(..SEVEN_BYTES)?;
    let rest = u64_at(start, 12).saturating_add(u64_at(start, 20));
    let is_sound = rest > 0 && u32_at(start, 8) == Crc32::of(&start[12..]);
    is_sound.then(|| rest.saturating_add(SEVEN_BYTES as u64))
}

/// How long a cabinet is that starts so: one of this version of the format, with files in it.
pub(super) fn cabinet_bytes(start: &[u8]) -> Option<u64> {
    let start = start.get(..CABINET_BYTES)?;
    let is_sound = u16_at(start, 24) == 0x0103 && u16_at(start, 28) > 0;
    is_sound.then(|| u32_at(start, 8).into())
}

/// How long a file system is that starts so: version 4, whose two sizes of a block agree.
pub(super) fn squashfs_bytes(start: &[u8]) -> Option<u64> {
    let start = start.get(..48)?;
    let log = u32::from(u16_at(start, 22));
    let is_sound = (12..=20).contains(&log)
        && u32_at(start, 12) == 1 << log
        && (u16_at(start, 28), u16_at(start, 30)) == (4, 0);
    is_sound.then(|| u64_at(start, 40)).filter(|bytes| *bytes > 96)
}

/// The header of gzip (RFC 1952) as its writers write it: no reserved flag, and a compressor and a
/// system that there are.
fn is_gzip(bytes: &[u8]) -> bool {
    bytes.get(3..10).is_some_and(|it| {
        it[0] & 0xe0 == 0 && matches!(it[5], 0 | 2 | 4) && matches!(it[6], 0..=13 | 255)
    })
}

/// Whether a stream of gzip may hold more than a text, as far as a piece shows it.
fn may_hold_more(bytes: &[u8]) -> bool {
    let shown = &bytes[..bytes.len().min(GZIP_BYTES_MIN)];
    // What the piece does not show is judged where all of the program is at hand.
    let Some(header) = gzip_header_bytes(shown) else { return true };
    let Some(packed) = bytes.get(..header + GZIP_BYTES_MIN) else { return true };
    let (first, code) = first_stream(Coding::Gzip, packed).map(first_of).unwrap_or_default();
    code == Some(FlawCode::Truncated) || holds_more(&first)
}

/// Bytes of a header of gzip; nothing where it does not end here.
fn gzip_header_bytes(bytes: &[u8]) -> Option<usize> {
    const SUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (flags, mut at) = (*bytes.get(3)?, 10);
    if flags & EXTRA != 0 {
        at += 2 + usize::from(u16_at(bytes.get(at..at + 2)?, 0));
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            at += 1 + memchr::memchr(0, bytes.get(at..)?)?;
        }
    }
    at += if flags & SUM == 0 { 0 } else { 2 };
    (at <= bytes.len()).then_some(at)
}

/// The first bytes that a stream gives, and why these are no more than that.
pub(super) fn first_of(stream: impl Read) -> (Vec<u8>, Option<FlawCode>) {
    let mut first = Vec::new();
    let read = stream.take(HEAD_BYTES as u64).read_to_end(&mut first);
    (first, read.err().map(|error| code_of(&error)))
}

/// Whether what a stream gives first is more than a text or data of its own. A script may have an
/// archive behind it.
pub(super) fn holds_more(first: &[u8]) -> bool {
    !matches!(head(first), Head::Text | Head::Other | Head::Unclear)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: no mark hides the start of another archive. Method: each pair of which one ends as the
    /// other starts, and bytes that are both.
    #[test]
    fn a_mark_hides_no_start_of_another() {
        let ends_as = |one: &[u8], other: &[u8]| {
            (1..one.len().min(other.len())).any(|len| one.ends_with(&other[..len]))
        };
        let each = MARKS.iter().flat_map(|one| MARKS.iter().map(move |other| (one, other)));
        let pairs: Vec<_> = each
            .filter(|(one, other)| ends_as(one.0, other.0))
            .map(|(one, other)| (one.1, other.1))
            .collect();
        assert_eq!(pairs, [(Mark::Cpio, Mark::Bzip2)]);
        let both = b"070701AY&SY";
        assert!(!Mark::Bzip2.may_start(&both[5 - BZIP2_MARK_AT..]));
    }
}
