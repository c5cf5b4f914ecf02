//! Gets the bytes of a member: whole where they fit, in pieces where they do not.

use std::io::{self, Read};
use std::rc::Rc;

use relight_formats::limited::coding::{Coding, Crc32, Held, decoder_of, gzip_size};
use relight_model::FlawCode;

use super::budget::{Promise, Tap};
use super::outer::Outer;
use super::windows::{Guarded, Windowed};
use crate::archive::{Again, Body, Entry, Guard, code_of, cost_of};
use crate::limits::{PROGRAM_BYTES_MAX, WHOLE_BYTES_MAX};
use crate::sniff::{self, HEAD_BYTES, Head};
use crate::window::Window;

/// Bytes that are asked for first: most members are smaller.
const FIRST_BYTES: u64 = 64 << 10;

/// Packed bytes that give [`HEAD_BYTES`], but for the oddest codes.
const TASTE_BYTES: usize = 2 << 10;

/// How a member can be looked at.
pub(super) enum View {
    /// There is nothing.
    Nothing,
    /// All of it is in memory, which the budget holds.
    Whole(Window),
    /// Any range of it can be read from where it stands.
    Range(Window),
    /// It comes by once.
    Long(Long),
}

/// A member too long to be held.
pub(super) struct Long {
    /// Its start, which the budget holds.
    pub(super) prefix: Vec<u8>,
    /// The rest.
    pub(super) tap: Tap,
    /// How to get at all of it again.
    pub(super) again: Option<Again>,
}

/// A member, and what is wrong with its bytes.
pub(super) struct Fetched {
    pub(super) view: View,
    pub(super) flaw: Option<FlawCode>,
}

impl Fetched {
    const fn good(view: View) -> Self {
        Self { view, flaw: None }
    }
}

impl Long {
    /// The head, for the sniff.
    pub(super) fn head(&self) -> Vec<u8> {
        self.prefix[..self.prefix.len().min(HEAD_BYTES)].to_vec()
    }
}

impl Outer<'_, '_> {
    /// Gets the bytes of a member.
    pub(super) fn fetch(&mut self, entry: &mut Entry) -> Fetched {
        let size_max = match (&entry.body, self.levels.is_empty() || !entry.is_step) {
            // Streams around an archive, and outer files, have no size limit of their own.
            (_, true) => u64::MAX,
            _ => self.shared.options.file_size_max,
        };
        let promise = Promise { size: entry.size, crc: entry.crc, size_max };
        match std::mem::replace(&mut entry.body, Body::Nothing) {
            Body::Nothing => Fetched::good(View::Nothing),
            Body::Plain(window) => self.plain(window, promise),
            Body::Packed(window, coding) => self.packed(&window, coding, promise),
            Body::Stream(stream, again) => {
                let again = again.map(|again| again.within(self.budget.again_left()));
                let stream = Windowed::of(stream, entry.window, &self.budget);
                self.stream(stream, promise, again)
            }
        }
    }

    /// What the first bytes of a member of a zip promise; `None` where that shows only when more of
    /// it is unpacked.
    pub(super) fn taste(&mut self, entry: &Entry) -> Option<Head> {
        match &entry.body {
            Body::Plain(window) => Some(sniff::head(&window.peek(0, HEAD_BYTES).ok()?)),
            Body::Packed(window, Coding::Deflate) => self.taste_packed(window),
            _ => None,
        }
    }

    fn taste_packed(&mut self, window: &Window) -> Option<Head> {
        let mut head = [0; HEAD_BYTES];
        window.read_small_into(0, TASTE_BYTES, &mut self.buffers.packed).ok()?;
        self.buffers.stepper.restart();
        let step = self.buffers.stepper.step(&self.buffers.packed, &mut head).ok()?;
        let is_head = step.ended || step.given == HEAD_BYTES;
        is_head.then(|| sniff::head(&head[..step.given]))
    }

    /// Bytes that stand there as they are. They pass by once when there is something to check.
    fn plain(&mut self, window: Window, promise: Promise) -> Fetched {
        if window.len() > promise.size_max {
            let flaw = Some(FlawCode::LimitEntrySize);
            return Fetched { view: View::Nothing, flaw };
        }
        if promise.crc.is_none() {
            return Fetched::good(View::Range(window));
        }
        let mut tap = Tap::new(Box::new(window.reader()), &self.budget, promise);
        tap.drain();
        match tap.flaw() {
            Some(FlawCode::LimitExpanded | FlawCode::LimitTime) => {
                Fetched { view: View::Nothing, flaw: tap.flaw() }
            }
            flaw => Fetched { view: View::Range(window), flaw },
        }
    }

    /// Bytes that are packed in one piece: at once where the size is known and small.
    fn packed(&mut self, window: &Window, coding: Coding, promise: Promise) -> Fetched {
        if promise.size.is_some_and(|size| size > promise.size_max) {
            let flaw = Some(FlawCode::LimitEntrySize);
            return Fetched { view: View::Nothing, flaw };
        }
        if let Some(bytes) = self.in_one_piece(window, coding, promise) {
            return Fetched::good(View::Whole(bytes));
        }
        let head = window.read(0, HEAD_BYTES).unwrap_or_default();
        let held = Held::of(coding, &head);
        let guard: Rc<dyn Guard> = Rc::new(Guarded(Rc::clone(&self.budget)));
        let source = window.clone();
        let open = move || decoder_of(coding, &head, source.reader()).map_err(io::Error::other);
        match Again::guarded(&guard, (cost_of(coding), held), open) {
            Ok((stream, again)) => self.stream(stream, promise, Some(again)),
            Err(error) => Fetched { view: View::Nothing, flaw: Some(code_of(&error)) },
        }
    }

    /// Unpacks into one buffer; `None` when the member is not what it promises, may not have the
    /// memory, or is of another kind: the slower way says why.
    fn in_one_piece(
        &mut self,
        window: &Window,
        coding: Coding,
        promise: Promise,
    ) -> Option<Window> {
        let is_known = match (coding, promise.size) {
            (Coding::Deflate, Some(size)) => self.is_one_piece(window, size),
            (Coding::Gzip, None) => is_small(window, 0, WHOLE_BYTES_MAX),
            _ => false,
        };
        if !is_known {
            return None;
        }
        let mut packed = std::mem::take(&mut self.buffers.packed);
        let len = usize::try_from(window.len()).ok()?;
        let read = window.read_small_into(0, len, &mut packed);
        let bytes = read.ok().and_then(|()| self.inflate(&packed, window, coding, promise));
        packed.clear();
        packed.shrink_to(1 << 20);
        self.buffers.packed = packed;
        bytes
    }

    /// Whether a deflated member that promises this size is unpacked in one piece.
    fn is_one_piece(&mut self, window: &Window, size: u64) -> bool {
        is_small(window, size, WHOLE_BYTES_MAX)
            || is_small(window, size, PROGRAM_BYTES_MAX)
                && matches!(self.taste_packed(window), Some(Head::Program(_)))
    }

    fn inflate(
        &mut self,
        packed: &[u8],
        window: &Window,
        coding: Coding,
        promise: Promise,
    ) -> Option<Window> {
        let size = promise.size.or_else(|| gzip_size(packed))?;
        let max = if coding == Coding::Gzip { WHOLE_BYTES_MAX } else { PROGRAM_BYTES_MAX };
        if !is_small(window, size, max) || !self.budget.hold(size) {
            return None;
        }
        let mut bytes = std::mem::take(&mut self.buffers.spare);
        let len = usize::try_from(size).unwrap_or_default();
        let good = match coding {
            Coding::Gzip => self.buffers.inflater.gunzip(packed, len, &mut bytes),
            _ => self.buffers.inflater.inflate(packed, len, &mut bytes),
        };
        let good = good && promise.crc.is_none_or(|crc| crc == Crc32::of(&bytes));
        if good && self.budget.expand(size) {
            return Some(Window::of_memory(bytes));
        }
        self.budget.release(size);
        None
    }

    /// Bytes that come by once: whole if they are few.
    fn stream(&mut self, stream: Box<dyn Read>, promise: Promise, again: Option<Again>) -> Fetched {
        let mut tap = Tap::new(stream, &self.budget, promise);
        let mut bytes = std::mem::take(&mut self.buffers.spare);
        bytes.clear();
        let mut wanted = FIRST_BYTES;
        while !tap.ended() && (bytes.len() as u64) < WHOLE_BYTES_MAX {
            if !self.budget.hold(wanted - bytes.len() as u64) {
                self.budget.release(bytes.len() as u64);
                return Fetched { view: View::Nothing, flaw: Some(FlawCode::LimitMemory) };
            }
            tap.fill(&mut bytes, wanted);
            self.budget.release(wanted - bytes.len() as u64);
            wanted = wanted.saturating_mul(4).min(WHOLE_BYTES_MAX);
        }
        // The end shows only when one more byte was asked for.
        if tap.ended() {
            let flaw = tap.flaw();
            return Fetched { view: View::Whole(Window::of_memory(bytes)), flaw };
        }
        Fetched::good(View::Long(Long { prefix: bytes, tap, again }))
    }

    /// Reads on until all of a long member is in memory; false when it is longer than `max` or
    /// than the memory allows.
    pub(super) fn widen(&mut self, long: &mut Long, max: u64) -> bool {
        while !long.tap.ended() {
            let len = long.prefix.len() as u64;
            if len >= max || !self.budget.hold(FIRST_BYTES) {
                return false;
            }
            long.tap.fill(&mut long.prefix, len + FIRST_BYTES);
            self.budget.release(FIRST_BYTES - (long.prefix.len() as u64 - len));
        }
        long.prefix.len() as u64 <= max
    }
}

/// Whether both sides fit in memory, and the packed one can give so much.
fn is_small(window: &Window, size: u64, max: u64) -> bool {
    size <= max && window.len() <= WHOLE_BYTES_MAX && window.len() >= size / 1_100
}
