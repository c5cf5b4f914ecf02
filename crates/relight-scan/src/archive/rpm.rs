//! RPM packages: a lead, two headers, and a payload that is no place of its own.

use std::io;

use relight_model::FlawCode;

use super::{Container, Damage, Entry, Feed};

/// Bytes of the lead (format of 1995; only its mark is used today).
const LEAD_BYTES: u64 = 96;

/// Bytes of one header: index and data. Packages with a hundred thousand files stay below.
const HEADER_BYTES_MAX: u64 = 256 << 20;

/// An RPM package.
pub(crate) struct Rpm {
    feed: Option<Feed>,
}

impl Rpm {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed: Some(feed) }
    }
}

impl Container for Rpm {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        let mut feed = self.feed.take()?;
        Some(match payload(&mut feed) {
            Ok(true) => {
                let mut entry = Entry::file(b"payload".to_vec(), None, feed.rest());
                entry.is_step = false;
                Ok(entry)
            }
            Ok(false) => Err(Damage::new(FlawCode::CorruptEntry, 0)),
            Err(error) => Err(Damage::of(&error)),
        })
    }
}

/// Goes to the start of the payload; false when the headers are damaged.
fn payload(feed: &mut Feed) -> io::Result<bool> {
    // The signature is padded to eight bytes, the header is not.
    for (start, align) in [(Some(LEAD_BYTES), 8), (None, 1)] {
        let start = start.unwrap_or_else(|| feed.position());
        if !feed.seek(start)? {
            return Ok(false);
        }
        let intro = feed.take(16)?;
        let number = |at: usize| {
            let bytes = intro.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            u64::from(u32::from_be_bytes(bytes.unwrap_or_default()))
        };
        let len = number(8).saturating_mul(16).saturating_add(number(12));
        if !intro.starts_with(b"\x8e\xad\xe8\x01") || len > HEADER_BYTES_MAX {
            return Ok(false);
        }
        let end = (feed.position() + len).div_ceil(align) * align;
        if !feed.seek(end)? {
            return Ok(false);
        }
    }
    Ok(true)
}
