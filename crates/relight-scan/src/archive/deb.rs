//! Debian packages: an `ar` archive with two tar archives. Neither of them is a place of its own:
//! what is in `data.tar.xz` stands directly in the package.

use std::io;

use relight_model::FlawCode;

use super::{Container, Damage, Entry, Feed};

/// Mark and header, in bytes.
const MARK_BYTES: u64 = 8;
const HEADER_BYTES: usize = 60;

/// A Debian package.
pub(crate) struct Deb {
    feed: Feed,
    next: u64,
    /// What it is there for has come by.
    has_data: bool,
    done: bool,
}

impl Deb {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed, next: MARK_BYTES, has_data: false, done: false }
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        if !self.feed.seek(self.next)? {
            return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
        }
        let header = self.feed.take(HEADER_BYTES)?;
        if header.is_empty() {
            // One that was cut between two members.
            let cut = (!self.has_data).then(|| Err(Damage::new(FlawCode::Truncated, 0)));
            return Ok(cut);
        }
        let size = header
            .get(48..58)
            .and_then(|digits| std::str::from_utf8(digits).ok()?.trim_ascii().parse::<u64>().ok());
        let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else {
            let code = if header.len() < HEADER_BYTES {
                FlawCode::Truncated
            } else {
                FlawCode::CorruptEntry
            };
            return Ok(Some(Err(Damage::new(code, 0))));
        };
        let data_at = self.feed.position();
        // Members start at even places.
        self.next = data_at.saturating_add(size).saturating_add(size & 1);
        let name = header[..16].trim_ascii_end();
        let name = name.strip_suffix(b"/").unwrap_or(name).to_vec();
        self.has_data |= name.starts_with(b"data.tar");
        let is_payload = name.starts_with(b"data.tar") || name.starts_with(b"control.tar");
        let mut entry = Entry::file(name, Some(size), self.feed.body(size));
        entry.is_step = !is_payload;
        if !self.feed.has(size) {
            entry.flaws.push(FlawCode::Truncated);
        }
        if !self.feed.has(size + 1) {
            // The last one may lack its padding.
            self.next = self.next.min(data_at.saturating_add(size));
        }
        Ok(Some(Ok(entry)))
    }
}

impl Container for Deb {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.done {
            return None;
        }
        let step = self.step().unwrap_or_else(|error| Some(Err(Damage::of(&error))));
        self.done = !matches!(step, Some(Ok(_)));
        step
    }
}
