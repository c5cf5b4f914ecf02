//! A compressed stream, and what stands where its readers do not look: behind its end, in the head
//! of a part of it, or in a frame that they pass over.

use std::io;
use std::ops::Range;

use memchr::memmem;
use relight_formats::limited::coding::Coding;

use super::account::Fate;
use super::behind::Rest;
use super::fetch::View;
use super::level::Member;
use super::outer::Outer;
use crate::archive::{
    Packing, Single, Skipped, SkippedWatch, TAIL_BYTES_MAX, code_of, directory_place, has_frames,
    may_have_end, u16_at,
};
use crate::cataloger::Kind;
use crate::window::Window;

/// Bytes of the head of gzip (RFC 1952) up to its extra field.
const GZIP_HEAD_BYTES: u64 = 12;

impl Outer<'_, '_> {
    /// Opens a stream, and the zip that ends it.
    pub(super) fn open_stream_and_zip(
        &mut self,
        coding: Coding,
        view: &mut Option<View>,
        member: &Member,
    ) -> Fate {
        // Of the others, something behind their end is told; this ends in silence.
        if coding == Coding::LzmaAlone {
            // What cannot be held leaves the other half to what is in it.
            self.gather(view, self.shared.options.buffered_bytes_max / 2);
        }
        let (mut behind, mut is_suspect) = (Fate::Opaque, false);
        if let Some(View::Whole(window) | View::Range(window)) = view {
            match self.hidden_zip(coding, window) {
                Ok(Hidden::Zip) => behind = self.push_window(Kind::Zip, window.clone(), member),
                Ok(Hidden::Perhaps) => is_suspect = true,
                Ok(Hidden::Nothing) => {}
                Err(error) => behind = self.unread(code_of(&error), member),
            }
        }
        let fate = self.open_stream(coding, view, member);
        if let Some(level) = self.levels.last_mut().filter(|level| level.kind == Kind::Stream) {
            level.is_suspect = is_suspect;
        }
        fate.max(behind)
    }

    /// Opens a compressed stream.
    pub(super) fn open_stream(
        &mut self,
        coding: Coding,
        view: &mut Option<View>,
        member: &Member,
    ) -> Fate {
        let Some(View::Whole(window) | View::Range(window)) = view else {
            let (mut watch, mut head) = (None, Vec::new());
            if let Some(View::Long(long)) = view {
                head = long.head();
                watch = Some(Box::new(Watch::new(coding, &long.prefix)));
            }
            let fate = self.push_long(Kind::Stream, view, member, |stream, again| {
                let again = again.and_then(|again| again.unpacked(coding, &head));
                let packing = Packing::Stream(stream, head, again);
                Box::new(Single::new(&member.name, coding, packing))
            });
            let level = self.levels.last().filter(|_| fate == Fate::Read);
            if let Some(tap) = level.and_then(|level| level.tap.as_ref()) {
                tap.borrow_mut().watch = watch;
            }
            return fate;
        };
        let window = window.clone();
        let single = Single::new(&member.name, coding, Packing::Window(window.clone()));
        self.push(Kind::Stream, Box::new(single), Some(window), member)
    }

    /// Looks for a zip that ends a stream without being what is in it.
    fn hidden_zip(&self, coding: Coding, window: &Window) -> io::Result<Hidden> {
        let Some(zip) = directory_place(window, self.tail_bytes())? else {
            return Ok(Hidden::Nothing);
        };
        if has_frames(coding) {
            let mut skipped = Skipped::new(window);
            while let Some(place) = skipped.next_place()? {
                if place.start <= zip.start && zip.end <= place.end {
                    // All that is in the frame is looked at.
                    return Ok(Hidden::Nothing);
                }
                if place.start < zip.end && zip.end <= place.end {
                    return Ok(Hidden::Zip);
                }
            }
        }
        let rest = if coding == Coding::LzmaAlone { Rest::Any } else { Rest::Zeros };
        let is_zip = rest.may_be(window, zip.end)?
            || coding == Coding::Gzip && is_in_gzip_head(window, &zip)?;
        Ok(if is_zip { Hidden::Zip } else { Hidden::Perhaps })
    }
}

/// Whether a zip ends a stream.
enum Hidden {
    Nothing,
    /// There is one.
    Zip,
    /// It may be the end of what is in the stream, whose bytes are not always changed by packing.
    /// When all of it is read, what stands behind its own end is told.
    Perhaps,
}

/// Whether a zip ends in the extra field of a member of gzip: it holds up to 65,535 bytes, and no
/// reader looks at it. The other fields of a head end with the first zero, of which an end record
/// has some.
fn is_in_gzip_head(window: &Window, zip: &Range<u64>) -> io::Result<bool> {
    let from = zip.end.saturating_sub(GZIP_HEAD_BYTES + u64::from(u16::MAX));
    let before = window.read(from, usize::try_from(zip.end - from).unwrap_or_default())?;
    let mut heads = memmem::find_iter(&before, b"\x1f\x8b\x08");
    Ok(heads.any(|at| {
        let head = &before[at..];
        let flags = head.get(3).copied().unwrap_or_default();
        // Reserved flags are zero; this one says that there is an extra field.
        let has_field = flags & 0xe4 == 4 && head.len() as u64 > GZIP_HEAD_BYTES;
        let field_end = from + at as u64 + GZIP_HEAD_BYTES + u64::from(u16_at(head, 10));
        has_field && zip.end <= field_end
    }))
}

/// Looks at the packed bytes of a stream while they come by once.
pub(super) struct Watch {
    skipped: Option<SkippedWatch>,
    /// At least as much of the end as loaders look through for the end of a zip.
    tail: Vec<u8>,
    len: u64,
}

impl Watch {
    fn new(coding: Coding, start: &[u8]) -> Self {
        let skipped = has_frames(coding).then(SkippedWatch::default);
        let mut watch = Self { skipped, tail: Vec::new(), len: 0 };
        watch.update(start);
        watch
    }

    /// The next bytes came by.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        const KEPT_BYTES: usize = TAIL_BYTES_MAX as usize;
        if let Some(skipped) = &mut self.skipped {
            skipped.update(bytes);
        }
        self.len += bytes.len() as u64;
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(KEPT_BYTES)..]);
        if self.tail.len() > 2 * KEPT_BYTES {
            self.tail.drain(..self.tail.len() - KEPT_BYTES);
        }
    }

    /// Whether there is something that was not looked at, or seems to be.
    pub(super) fn has_more(&self) -> bool {
        let tail = &self.tail[self.tail.len().saturating_sub(TAIL_BYTES_MAX as usize)..];
        self.skipped.as_ref().is_some_and(SkippedWatch::is_there) || may_have_end(tail, self.len)
    }
}
