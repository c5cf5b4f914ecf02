//! What the decoders of one outer file hold, those in each other together.
//!
//! A decoder is bounded when it is opened; a stream in a stream in a stream opens many. The widest
//! window runs on top of what may be held, and each other one counts as held, as far as it is full.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::Held;

use super::budget::Budget;
use crate::archive::Guard;

/// Bytes of a window that count from the start, where there is room: what is held beside it later
/// must not take what it fills then.
const RESERVED_BYTES: u64 = 8 << 20;

/// Bytes of all windows but the widest: a package of the widest that `xz` writes may hold files
/// that are packed as usual, and those some more.
const OTHERS_BYTES_MAX: u64 = 16 << 20;

/// The windows that are open.
#[derive(Default)]
pub(super) struct Windows {
    /// The number of each, and how many bytes it may hold by now.
    open: RefCell<Vec<(u64, u64)>>,
    last: Cell<u64>,
    /// What counts as held: all but the widest.
    held: Cell<u64>,
}

impl Budget {
    /// Says how much a window holds; false when all of them together may not hold so much.
    fn fill_window(&self, number: u64, bytes: u64) -> bool {
        let Windows { open, held, .. } = &self.windows;
        let mut open = open.borrow_mut();
        let before = open.iter().find(|(it, _)| *it == number).map_or(0, |(_, bytes)| *bytes);
        put(&mut open, number, bytes);
        let all: u64 = open.iter().map(|(_, bytes)| *bytes).sum();
        let widest = open.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
        let (rest, held_before) = (all - widest, held.get());
        let is_over = rest > held_before && rest > OTHERS_BYTES_MAX;
        if is_over || rest > held_before && !self.hold(rest - held_before) {
            put(&mut open, number, before);
            return false;
        }
        self.release(held_before.saturating_sub(rest));
        held.set(rest);
        true
    }
}

/// Sets what one window holds; one that holds nothing is none.
fn put(open: &mut Vec<(u64, u64)>, number: u64, bytes: u64) {
    open.retain(|(it, _)| *it != number);
    if bytes > 0 {
        open.push((number, bytes));
    }
}

/// A stream of decoders whose windows fill with what it gives.
pub(super) struct Windowed {
    inner: Box<dyn Read>,
    budget: Rc<Budget>,
    number: u64,
    window_bytes: u64,
    filled: u64,
}

impl Windowed {
    /// One whose windows may hold so many bytes. Only a stream that asks for much, or that gave
    /// much, waits for its turn: what a later part of it asks for, it takes when it is there.
    pub(super) fn of(inner: Box<dyn Read>, held: Held, budget: &Rc<Budget>) -> Box<dyn Read> {
        let window_bytes = held.most;
        if window_bytes == 0 {
            return inner;
        }
        budget.window(held.first);
        let number = budget.windows.last.get() + 1;
        budget.windows.last.set(number);
        let reserved = held.first.min(RESERVED_BYTES);
        let filled = if budget.fill_window(number, reserved) { reserved } else { 0 };
        Box::new(Self { inner, budget: Rc::clone(budget), number, window_bytes, filled })
    }
}

impl Read for Windowed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.filled < self.window_bytes {
            // In front of it: the decoder takes the room for what it is about to give.
            let next = self.filled.saturating_add(buffer.len() as u64).min(self.window_bytes);
            self.budget.window(next);
            if !self.budget.fill_window(self.number, next) {
                return Err(io::Error::other(LimitedError::Window));
            }
            let read = self.inner.read(buffer);
            let given = read.as_ref().map_or(0, |read| *read as u64);
            self.filled = self.filled.saturating_add(given).min(self.window_bytes);
            self.budget.fill_window(self.number, self.filled);
            return read;
        }
        self.inner.read(buffer)
    }
}

impl Drop for Windowed {
    fn drop(&mut self) {
        self.budget.fill_window(self.number, 0);
    }
}

/// The budget of an outer file, for what is unpacked in it.
pub(super) struct Guarded(pub(super) Rc<Budget>);

impl Guard for Guarded {
    fn left(&self) -> &Rc<Cell<u64>> {
        self.0.again_left()
    }

    fn look(&self, _: usize) -> io::Result<()> {
        self.0.look_at_the_clock();
        match self.0.spent() {
            Some(_) => Err(io::Error::other(LimitedError::Limit(0))),
            None => Ok(()),
        }
    }

    fn windowed(&self, stream: Box<dyn Read>, held: Held) -> Box<dyn Read> {
        Windowed::of(stream, held, &self.0)
    }

    fn make_room(&self, bytes: u64) {
        self.0.window(bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use relight_formats::limited::coding::Coding;

    use super::super::budget::Memory;
    use super::*;
    use crate::archive::{Container, SevenZip};
    use crate::limits::Options;
    use crate::window::Window;

    /// Goal: what asks for little holds up nobody, and what may come to hold much waits before it
    /// does. Method: eight threads, of which each may have 2 MiB without a turn.
    #[test]
    fn only_what_holds_much_waits_for_its_turn() {
        let options = Options::default();
        let memory = Arc::new(Memory::new(8, &options));
        let budget = || Rc::new(Budget::new(&options, &memory, 1 << 20));
        let single = b"\x28\xb5\x2f\xfd\x20\x40";
        assert_eq!(Held::of(Coding::Zstd, single), Held { first: 64, most: 8 << 20 });
        let own = budget();
        let held = Held::of(Coding::Zstd, single);
        let mut stream = Windowed::of(Box::new(io::repeat(7).take(9 << 20)), held, &own);
        assert!(!memory.is_taken(), "its first part asks for 64 bytes");
        stream.read_exact(&mut vec![0; 1 << 20]).unwrap();
        assert!(!memory.is_taken());
        stream.read_exact(&mut vec![0; 2 << 20]).unwrap();
        assert!(memory.is_taken(), "a later part may hold as much as came by");
        drop((stream, own));
        let own = budget();
        let wide = Windowed::of(Box::new(io::empty()), Held::all(8 << 20), &own);
        assert!(memory.is_taken());
        drop((wide, own));
        // The dictionary of a 7z is as large as it says, and so is what is known of its names.
        let own = budget();
        let bytes = include_bytes!("../../tests/it/samples/plain-header.7z");
        let guard = Rc::new(Guarded(Rc::clone(&own)));
        let mut seven = SevenZip::open(Window::of_memory(bytes.to_vec()), guard.clone()).unwrap();
        assert!(seven.next().is_some() && !memory.is_taken());
        guard.make_room(3 << 20);
        assert!(memory.is_taken());
    }
}
