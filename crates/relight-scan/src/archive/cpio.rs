//! cpio archives: the payload of rpm and the initial file system of Linux, which is several of
//! them one after the other, some of them compressed.

use std::io;

use relight_model::FlawCode;

use super::{Container, Damage, Entry, Feed, Node};
use crate::sniff::{self, Head};

/// Bytes of one name. Longer ones do not occur, and a header can ask for gigabytes.
const NAME_BYTES_MAX: u64 = 65_535;

/// Zeros between two archives are skipped in pieces of this size.
const ZEROS_BYTES: usize = 4_096;

/// A cpio archive, or several.
pub(crate) struct Cpio {
    feed: Feed,
    /// Where the next header stands.
    next: u64,
    done: bool,
}

/// One header.
struct Header {
    mode: u64,
    size: u64,
    name_len: u64,
    header_len: u64,
    device: (u64, u64),
    /// Names and data start at multiples of this.
    align: u64,
}

impl Cpio {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed, next: 0, done: false }
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        loop {
            if !self.feed.seek(self.next)? {
                return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            let start = self.feed.position();
            let head = self.feed.peek(110)?;
            if head.first() == Some(&0) {
                self.skip_zeros()?;
                self.next = self.feed.position();
                continue;
            }
            let Some(header) = parse(&head) else { return self.behind(&head) };
            if header.name_len > NAME_BYTES_MAX || header.name_len == 0 {
                return Ok(Some(Err(Damage::new(FlawCode::CorruptEntry, 0))));
            }
            let name_at = start + header.header_len;
            self.feed.seek(name_at)?;
            let mut name = self.feed.take(header.name_len as usize)?;
            if name.len() as u64 != header.name_len {
                return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
            let data_at = padded(start, name_at + header.name_len, header.align);
            self.feed.seek(data_at)?;
            self.next = padded(start, data_at.saturating_add(header.size), header.align);
            if name != b"TRAILER!!!" {
                return Ok(Some(Ok(self.entry(name, &header)?)));
            }
        }
    }

    fn entry(&mut self, name: Vec<u8>, header: &Header) -> io::Result<Entry> {
        let name = name.strip_prefix(b"./").map_or_else(|| name.clone(), <[u8]>::to_vec);
        let node = match header.mode & 0o170_000 {
            0o040_000 => Node::Folder,
            0o120_000 => {
                let target = header.size.min(NAME_BYTES_MAX);
                Node::Link(self.feed.peek(target as usize)?)
            }
            0o100_000 | 0 => {
                let mut entry = Entry::file(name, Some(header.size), self.feed.body(header.size));
                if !self.feed.has(header.size) {
                    entry.flaws.push(FlawCode::Truncated);
                }
                return Ok(entry);
            }
            _ => Node::Device(header.device.0 as u32, header.device.1 as u32),
        };
        Ok(Entry::bare(name, node))
    }

    /// What stands where no header is: something compressed, or the end.
    fn behind(&mut self, head: &[u8]) -> io::Result<Option<Result<Entry, Damage>>> {
        self.done = true;
        if head.is_empty() {
            return Ok(None);
        }
        let head = self.feed.peek(sniff::HEAD_BYTES)?;
        if matches!(sniff::head(&head), Head::Stream(_)) {
            let mut entry = Entry::file(b"next".to_vec(), None, self.feed.rest());
            entry.is_step = false;
            return Ok(Some(Ok(entry)));
        }
        Ok(Some(Err(Damage::new(FlawCode::CorruptEntry, 0))))
    }

    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let piece = self.feed.peek(ZEROS_BYTES)?;
            let zeros = piece.iter().take_while(|byte| **byte == 0).count();
            self.feed.take(zeros)?;
            if zeros < piece.len() || piece.is_empty() {
                return Ok(());
            }
        }
    }
}

impl Container for Cpio {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.done {
            return None;
        }
        let step = self.step().unwrap_or_else(|error| Some(Err(Damage::of(&error))));
        // Behind something that is no header there is no telling where the next one would be.
        self.done |= !matches!(step, Some(Ok(_)));
        step
    }
}

/// The next multiple of `align`, counted from the start of the header: archives inside something
/// else need not be aligned themselves.
fn padded(start: u64, at: u64, align: u64) -> u64 {
    start.saturating_add((at - start).div_ceil(align).saturating_mul(align))
}

fn parse(head: &[u8]) -> Option<Header> {
    match head {
        [b'0', b'7', b'0', b'7', b'0', b'1' | b'2', ..] => new_ascii(head),
        [b'0', b'7', b'0', b'7', b'0', b'7', ..] => old_ascii(head),
        [0xc7, 0x71, ..] => binary(head),
        _ => None,
    }
}

/// `newc` and `crc`: 13 fields of eight hexadecimal digits behind the mark.
fn new_ascii(head: &[u8]) -> Option<Header> {
    let field = |number: usize| {
        let digits = head.get(6 + number * 8..14 + number * 8)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    Some(Header {
        mode: field(1)?,
        size: field(6)?,
        name_len: field(11)?,
        header_len: 110,
        device: (field(9)?, field(10)?),
        align: 4,
    })
}

/// `odc`: octal digits.
fn old_ascii(head: &[u8]) -> Option<Header> {
    let field = |at: usize, len: usize| {
        let digits = head.get(at..at + len)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
    };
    Some(Header {
        mode: field(18, 6)?,
        size: field(65, 11)?,
        name_len: field(59, 6)?,
        header_len: 76,
        device: (0, field(42, 6)?),
        align: 1,
    })
}

/// The oldest: words of 16 bits, as a little-endian machine wrote them.
fn binary(head: &[u8]) -> Option<Header> {
    let word = |at: usize| head.get(at..at + 2).map(|_| u64::from(super::u16_at(head, at)));
    Some(Header {
        mode: word(6)?,
        size: word(22)? << 16 | word(24)?,
        name_len: word(20)?,
        header_len: 26,
        device: (0, word(14)?),
        align: 2,
    })
}
