//! RPM packages: a lead, two headers, and a payload that is no place of its own. The second header
//! names the package; it is given as a member.

use std::io;

use super::{Container, Damage, Entry, Feed};

/// The header of the package as a member; no payload needs a file of this name.
pub(crate) const HEADER_MEMBER: &str = ".rpm-header";

/// Bytes of the lead (format of 1995; only its mark is used today).
const LEAD_BYTES: u64 = 96;

/// Bytes of one header: index and data. Packages with a hundred thousand files stay below.
const HEADER_BYTES_MAX: u64 = 256 << 20;

/// Mark, version and four bytes that are kept free, in front of what databases store as well.
const MARK_BYTES: u64 = 8;

/// An RPM package.
pub(crate) struct Rpm {
    feed: Feed,
    next: Part,
}

/// What comes next.
enum Part {
    Header,
    /// The payload, from this position on.
    Payload(u64),
    Nothing,
}

impl Rpm {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed, next: Part::Header }
    }

    fn step(&mut self, part: Part) -> io::Result<Option<Entry>> {
        match part {
            Part::Nothing => Ok(None),
            Part::Header => self.header(),
            Part::Payload(start) if self.feed.seek(start)? => {
                let mut entry = Entry::file(b"payload".to_vec(), None, self.feed.rest());
                entry.is_step = false;
                Ok(Some(entry))
            }
            Part::Payload(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Goes over the lead and the signature, which is padded to eight bytes.
    fn header(&mut self) -> io::Result<Option<Entry>> {
        let signature_end = self.end_of_header(LEAD_BYTES)?.next_multiple_of(8);
        let end = self.end_of_header(signature_end)?;
        let start = signature_end + MARK_BYTES;
        if !self.feed.seek(start)? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.next = Part::Payload(end);
        let (size, name) = (end - start, HEADER_MEMBER.as_bytes().to_vec());
        Ok(Some(Entry::file(name, Some(size), self.feed.body(size))))
    }

    /// The end of the header that starts at a position; the feed stays there.
    fn end_of_header(&mut self, start: u64) -> io::Result<u64> {
        let is_there = self.feed.seek(start)?;
        let intro = self.feed.peek(16)?;
        let number = |at: usize| {
            let bytes = intro.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u64::from(u32::from_be_bytes(bytes.unwrap_or_default()))
        };
        let len = number(8).saturating_mul(16).saturating_add(number(12));
        if !is_there || !intro.starts_with(b"\x8e\xad\xe8\x01") || len > HEADER_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(start + 16 + len)
    }
}

impl Container for Rpm {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        let part = std::mem::replace(&mut self.next, Part::Nothing);
        self.step(part).map_err(|error| Damage::of(&error)).transpose()
    }
}
