//! The frames of zstd (RFC 8878) and lz4 (its frame format, 1.6.4), told apart by their headers
//! without unpacking them. Readers pass over some of them, and anything may stand in those.

use std::io;
use std::ops::Range;

use super::u32_at;
use crate::window::Window;

/// Bytes that tell how long the next part of a frame is.
const HEAD_BYTES: usize = 8;

/// Smallest frame of those that readers pass over in which an archive fits, in bytes: the end
/// record of a zip.
const CONTENT_BYTES_MIN: u64 = 22;

/// Where in the frames of a stream the next bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    /// Between two frames.
    #[default]
    Nothing,
    /// In front of a block of zstd; a check sum of four bytes may follow the last one.
    Zstd { sum: u64 },
    /// In front of a block of lz4, with a check sum behind each block and behind the last one.
    Lz4 { block_sum: u64, sum: u64 },
    /// In front of a block of the old form of lz4.
    Legacy,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// More of them are needed to tell.
    Unknown,
    /// No frame: a decoder stops here.
    None,
    /// A part of a frame of so many bytes.
    Read(u64),
    /// A frame that readers pass over, with so many bytes of content behind its head.
    Skipped(u64),
}

impl Inside {
    /// Judges the next bytes, and moves on behind them.
    fn step(&mut self, head: &[u8]) -> Part {
        match *self {
            Self::Nothing => self.start(head),
            Self::Zstd { .. } if head.len() < 3 => Part::Unknown,
            Self::Zstd { sum } => {
                let block = u32::from_le_bytes([head[0], head[1], head[2], 0]);
                let (is_last, kind, size) = (block & 1 == 1, block >> 1 & 3, block >> 3);
                let len = match kind {
                    // One byte, repeated.
                    1 => 1,
                    3 => return Part::None,
                    _ => size,
                };
                if is_last {
                    *self = Self::Nothing;
                }
                Part::Read(3 + u64::from(len) + if is_last { sum } else { 0 })
            }
            Self::Lz4 { .. } | Self::Legacy if head.len() < 4 => Part::Unknown,
            Self::Lz4 { block_sum, sum } => match u32_at(head, 0) & 0x7fff_ffff {
                0 => {
                    *self = Self::Nothing;
                    Part::Read(4 + sum)
                }
                size => Part::Read(4 + u64::from(size) + block_sum),
            },
            // No block is as long as the mark of a frame says.
            Self::Legacy if u32_at(head, 0) >> 24 != 0 => {
                *self = Self::Nothing;
                self.start(head)
            }
            Self::Legacy => Part::Read(4 + u64::from(u32_at(head, 0))),
        }
    }

    /// Judges the start of a frame.
    fn start(&mut self, head: &[u8]) -> Part {
        if head.len() < 4 {
            return Part::Unknown;
        }
        let mark = u32_at(head, 0);
        let needed = match mark {
            0x184d_2a50..=0x184d_2a5f => HEAD_BYTES,
            0xfd2f_b528 | 0x184d_2204 => 5,
            _ => 4,
        };
        let Some(flags) = head.get(..needed).map(|head| head.get(4).copied().unwrap_or_default())
        else {
            return Part::Unknown;
        };
        let if_set = |bit: u8, bytes: u64| if flags >> bit & 1 == 1 { bytes } else { 0 };
        match mark {
            0x184d_2a50..=0x184d_2a5f => Part::Skipped(u32_at(head, 4).into()),
            0xfd2f_b528 => {
                let is_single = flags & 0x20 != 0;
                let size = match flags >> 6 {
                    0 => u64::from(is_single),
                    log => 1 << log,
                };
                let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
                *self = Self::Zstd { sum: if_set(2, 4) };
                Part::Read(5 + u64::from(!is_single) + dictionary + size)
            }
            0x184d_2204 => {
                *self = Self::Lz4 { block_sum: if_set(4, 4), sum: if_set(2, 4) };
                Part::Read(7 + if_set(3, 8) + if_set(0, 4))
            }
            0x184c_2102 => {
                *self = Self::Legacy;
                Part::Read(4)
            }
            _ => Part::None,
        }
    }
}

/// How long a stream of frames is that starts a file of `len` bytes, of which `read` gives some at
/// a place; nothing where it ends in a frame.
///
/// # Errors
/// Those of the file.
pub(crate) fn frames_end(
    read: &dyn Fn(u64, usize) -> io::Result<Vec<u8>>,
    len: u64,
) -> io::Result<Option<u64>> {
    let (mut inside, mut at) = (Inside::Nothing, 0_u64);
    loop {
        let (before, head) = (inside, read(at, HEAD_BYTES)?);
        // Nothing marks the end of the old form of lz4; no block of it is empty.
        if before == Inside::Legacy && head.get(..4).is_none_or(|size| size == [0; 4]) {
            return Ok(Some(at));
        }
        at = match inside.step(&head) {
            Part::Unknown | Part::None => {
                let is_between = matches!(before, Inside::Nothing | Inside::Legacy);
                return Ok(Some(at).filter(|at| is_between && *at <= len));
            }
            Part::Read(bytes) => at.saturating_add(bytes),
            Part::Skipped(bytes) => at.saturating_add(bytes).saturating_add(HEAD_BYTES as u64),
        };
        if at > len {
            return Ok(None);
        }
    }
}

/// The frames that readers of a stream pass over and that may hold something, one after the other.
pub(crate) struct Skipped {
    window: Window,
    at: u64,
    inside: Inside,
}

impl Skipped {
    /// Of the packed bytes of a stream.
    pub(crate) fn new(window: &Window) -> Self {
        Self { window: window.cached(), at: 0, inside: Inside::Nothing }
    }

    /// The place of the content of the next one.
    ///
    /// # Errors
    /// Those of the file.
    pub(crate) fn next_place(&mut self) -> io::Result<Option<Range<u64>>> {
        loop {
            let head = self.window.read_small(self.at, HEAD_BYTES)?;
            match self.inside.step(&head) {
                Part::Unknown | Part::None => return Ok(None),
                Part::Read(len) => self.at += len,
                Part::Skipped(len) => {
                    let start = self.at + HEAD_BYTES as u64;
                    self.at = start + len;
                    if len >= CONTENT_BYTES_MIN {
                        return Ok(Some(start..self.at));
                    }
                }
            }
        }
    }
}

/// The same for a stream whose bytes come by once: whether there is one.
#[derive(Debug, Default)]
pub(crate) struct SkippedWatch {
    inside: Inside,
    /// Bytes that still belong to the part that was judged.
    left: u64,
    head: Vec<u8>,
    has_ended: bool,
    is_there: bool,
}

impl SkippedWatch {
    /// The next bytes came by.
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !self.has_ended {
            let passed = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
            self.left -= passed as u64;
            let Some((byte, rest)) = bytes[passed..].split_first() else { return };
            bytes = rest;
            // One at a time, so that no part is shorter than its head.
            self.head.push(*byte);
            let len = match self.inside.step(&self.head) {
                Part::Unknown => continue,
                Part::None => {
                    self.has_ended = true;
                    return;
                }
                Part::Read(len) => len,
                Part::Skipped(len) => {
                    self.is_there |= len >= CONTENT_BYTES_MIN;
                    HEAD_BYTES as u64 + len
                }
            };
            self.left = len.saturating_sub(self.head.len() as u64);
            self.head.clear();
        }
    }

    /// Whether one was met.
    pub(crate) const fn is_there(&self) -> bool {
        self.is_there
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};

    use super::*;

    fn skipped(mark: u8, content: &[u8]) -> Vec<u8> {
        let len = u32::try_from(content.len()).unwrap().to_le_bytes();
        [&[0x50 | mark, 0x2a, 0x4d, 0x18][..], &len, content].concat()
    }

    fn zst(bytes: &[u8], set: impl Fn(&mut zstd::stream::Encoder<'_, Vec<u8>>)) -> Vec<u8> {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        set(&mut encoder);
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn lz4(bytes: &[u8], info: FrameInfo) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Bytes that pack in part: blocks of every kind.
    fn mixed() -> Vec<u8> {
        let mut rng = testkit::Rng::new(3);
        let random = (0..300_000).map(|_| rng.below(256) as u8);
        random.chain(std::iter::repeat_n(7, 500_000)).chain(*b"words and words").collect()
    }

    /// Goal: what stands in frames that are passed over is found behind frames of every form, and
    /// at no other place. Method: the place of a mark, read at any place and in pieces of any size.
    #[test]
    fn every_frame_is_stepped_over() {
        let mixed = mixed();
        let info = FrameInfo::new().block_mode(BlockMode::Linked).content_checksum(true);
        let sized = FrameInfo::new().block_checksums(true).content_size(Some(mixed.len() as u64));
        let block = lz4_flex::block::compress(b"old and plain");
        let size = u32::try_from(block.len()).unwrap().to_le_bytes();
        let fronts = [
            Vec::new(),
            zst(&mixed, |_| {}),
            zst(&mixed, |it| it.include_checksum(true).unwrap()),
            zst(b"", |_| {}),
            zst(b"few", |it| {
                it.include_contentsize(true).unwrap();
                it.set_pledged_src_size(Some(3)).unwrap();
            }),
            zst(&mixed, |it| it.set_pledged_src_size(Some(mixed.len() as u64)).unwrap()),
            lz4(&mixed, FrameInfo::new()),
            lz4(&mixed, info),
            lz4(&mixed, sized),
            [&0x184c_2102_u32.to_le_bytes()[..], &size, &block].concat(),
            skipped(0, b"four"),
        ];
        for (at, front) in fronts.iter().enumerate() {
            let (small, content) = ([1; 21], [2; 22]);
            let packed = [&front[..], &skipped(3, &small), &skipped(15, &content), front].concat();
            let start = (front.len() + 8 + 21 + 8) as u64;
            let mut places = Skipped::new(&Window::of_memory(packed.clone()));
            assert_eq!(places.next_place().unwrap(), Some(start..start + 22), "{at}");
            assert_eq!(places.next_place().unwrap(), None, "{at}");
            for piece in [1, 7, 4_096] {
                let is_there = |bytes: &[u8]| {
                    let mut watch = SkippedWatch::default();
                    bytes.chunks(piece).for_each(|piece| watch.update(piece));
                    watch.is_there()
                };
                assert!(is_there(&packed), "{at}");
                assert!(!is_there(&[&front[..], &skipped(3, &small), front].concat()), "{at}");
            }
        }
    }
}
