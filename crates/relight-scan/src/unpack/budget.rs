//! What one outer file may still use: unpacked bytes, entries, memory, time.
//!
//! None of it depends on other files or threads, so that a report is the same on any number of
//! them. Memory is the exception that does not show: who needs more than a small share waits.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::Crc32;
use relight_model::FlawCode;
use rustix::time::{ClockId, clock_gettime};

use super::stream::Watch;
use super::windows::Windows;
use crate::archive::code_of;
use crate::limits::{AGAIN_BYTES_MAX, CATALOG_BYTES_TOTAL_MAX, Options};

/// Bytes between two looks at the clock.
pub(super) const TIME_BYTES: u64 = 1 << 20;

/// The memory that all threads share: one outer file at a time may hold much.
#[derive(Debug)]
pub(crate) struct Memory {
    taken: Mutex<bool>,
    freed: Condvar,
    small_bytes: u64,
}

impl Memory {
    /// For so many threads.
    pub(crate) fn new(threads: usize, options: &Options) -> Self {
        let small_bytes = options.small_bytes / threads.max(1) as u64;
        Self { taken: Mutex::new(false), freed: Condvar::new(), small_bytes }
    }

    /// Whether somebody has the right to hold much.
    #[cfg(test)]
    pub(super) fn is_taken(&self) -> bool {
        *self.taken.lock().unwrap()
    }

    fn take(self: &Arc<Self>) -> Large {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        Large(Arc::clone(self))
    }
}

/// The right to hold much; given back at the end of the outer file.
struct Large(Arc<Memory>);

impl Drop for Large {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}

/// What one outer file may still use.
pub(super) struct Budget {
    memory: Arc<Memory>,
    large: RefCell<Option<Large>>,
    held: Cell<u64>,
    held_max: u64,
    expand_left: Cell<u64>,
    entries_left: Cell<u64>,
    /// Bytes that may be unpacked once more.
    again_left: Rc<Cell<u64>>,
    /// Bytes that catalogers may still hold and hand back.
    catalog_room: Cell<usize>,
    /// Seconds of this thread's time at which it ends.
    deadline_s: u64,
    /// The limit that was reached; nothing of the outer file is read any more.
    spent: Cell<Option<FlawCode>>,
    /// Those of the decoders that are open.
    pub(super) windows: Windows,
}

impl Budget {
    /// For an outer file of `len` bytes.
    pub(super) fn new(options: &Options, memory: &Arc<Memory>, len: u64) -> Self {
        let room = len.saturating_mul(options.catalog_ratio_max);
        let room = room.saturating_add(options.catalog_free_bytes).min(CATALOG_BYTES_TOTAL_MAX);
        Self {
            memory: Arc::clone(memory),
            large: RefCell::new(None),
            held: Cell::new(0),
            held_max: options.buffered_bytes_max,
            expand_left: Cell::new(options.expanded_bytes_max(len)),
            entries_left: Cell::new(options.entries_max),
            again_left: Rc::new(Cell::new(options.expanded_bytes_max(len).min(AGAIN_BYTES_MAX))),
            catalog_room: Cell::new(usize::try_from(room).unwrap_or(usize::MAX)),
            deadline_s: thread_time_s().saturating_add(options.file_time_max_s),
            spent: Cell::new(None),
            windows: Windows::default(),
        }
    }

    /// The limit that ended the reading of this outer file, if one did.
    pub(super) fn spent(&self) -> Option<FlawCode> {
        self.spent.get()
    }

    /// Bytes that a cataloger may hold and hand back.
    pub(super) fn catalog_room(&self) -> usize {
        self.catalog_room.get()
    }

    /// What a cataloger handed back leaves so much room for all others: they are held together.
    pub(super) fn leave_catalog_room(&self, room: usize) {
        self.catalog_room.set(room);
    }

    /// How many bytes may be unpacked once more.
    pub(super) const fn again_left(&self) -> &Rc<Cell<u64>> {
        &self.again_left
    }

    /// Takes unpacked bytes from the allowance.
    pub(super) fn expand(&self, bytes: u64) -> bool {
        let left = self.expand_left.get();
        self.expand_left.set(left.saturating_sub(bytes));
        if bytes > left {
            self.spent.set(Some(FlawCode::LimitExpanded));
        }
        bytes <= left
    }

    /// Takes one entry from the allowance, and looks at the clock now and then.
    pub(super) fn entry(&self) -> bool {
        let left = self.entries_left.get();
        self.entries_left.set(left.saturating_sub(1));
        if left.is_multiple_of(256) {
            self.look_at_the_clock();
        }
        left > 0
    }

    /// Takes so many entries and their unpacked bytes, when nothing is reached by that, and looks
    /// at the clock now and then.
    pub(super) fn may_pass(&self, entries: u64, bytes: u64) -> bool {
        let (entries_left, left) = (self.entries_left.get(), self.expand_left.get());
        if entries != 1 || entries_left.is_multiple_of(256) {
            self.look_at_the_clock();
        }
        let may = self.spent.get().is_none() && entries <= entries_left && bytes <= left;
        if may {
            self.entries_left.set(entries_left - entries);
            self.expand_left.set(left - bytes);
        }
        may
    }

    /// Ends everything when the time of the outer file is over.
    pub(super) fn look_at_the_clock(&self) {
        if self.spent.get().is_none() && thread_time_s() >= self.deadline_s {
            self.spent.set(Some(FlawCode::LimitTime));
        }
    }

    /// Asks for memory; waits for it if it is more than a small share. False when it may not have
    /// so much. Whoever gets it gives it back with [`Self::release`].
    pub(super) fn hold(&self, bytes: u64) -> bool {
        let wanted = self.held.get().saturating_add(bytes);
        if wanted > self.held_max {
            return false;
        }
        if wanted > self.memory.small_bytes && self.large.borrow().is_none() {
            // One right, taken once an outer file and given back at its end: no deadlock.
            *self.large.borrow_mut() = Some(self.memory.take());
        }
        self.held.set(wanted);
        true
    }

    /// Bytes that may still be held.
    pub(super) fn room(&self) -> u64 {
        self.held_max.saturating_sub(self.held.get())
    }

    /// Prepares for the window of a decoder: one that is more than a small share is open in one
    /// outer file at a time. How large it may be is the business of the decoder.
    pub(super) fn window(&self, bytes: u64) {
        if bytes > self.memory.small_bytes && self.large.borrow().is_none() {
            *self.large.borrow_mut() = Some(self.memory.take());
        }
    }

    /// Gives memory back.
    pub(super) fn release(&self, bytes: u64) {
        self.held.set(self.held.get().saturating_sub(bytes));
    }
}

/// Seconds that this thread has run; 0 where the system does not say.
fn thread_time_s() -> u64 {
    u64::try_from(clock_gettime(ClockId::ThreadCPUTime).tv_sec).unwrap_or_default()
}

/// What a member should be, by its container.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Promise {
    pub(super) size: Option<u64>,
    pub(super) crc: Option<u32>,
    /// More bytes than this are not read.
    pub(super) size_max: u64,
}

/// The bytes of a member on their way: counted, checked and bounded.
pub(super) struct Tap {
    inner: Box<dyn Read>,
    budget: Rc<Budget>,
    promise: Promise,
    crc: Crc32,
    count: u64,
    until_clock: u64,
    flaw: Option<FlawCode>,
    ended: bool,
    /// What looks at the bytes of a packed stream.
    pub(super) watch: Option<Box<Watch>>,
}

impl Tap {
    pub(super) fn new(inner: Box<dyn Read>, budget: &Rc<Budget>, promise: Promise) -> Self {
        Self {
            inner,
            budget: Rc::clone(budget),
            promise,
            crc: Crc32::default(),
            count: 0,
            until_clock: TIME_BYTES,
            flaw: None,
            ended: false,
            watch: None,
        }
    }

    /// How many bytes there should be.
    pub(super) const fn promised(&self) -> Option<u64> {
        self.promise.size
    }

    /// Bytes that came by.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The end was reached, of the bytes or of what could be read of them.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// What is wrong with the bytes, when all have come by.
    pub(super) fn flaw(&self) -> Option<FlawCode> {
        let Promise { size, crc, .. } = self.promise;
        let wrong = || match (size, crc) {
            (Some(size), _) if size != self.count => Some(FlawCode::CorruptEntry),
            (_, Some(crc)) if crc != self.crc.sum() => Some(FlawCode::CrcMismatch),
            _ => None,
        };
        // Nothing tells whether what was not looked at is an archive but holding all of it.
        let hidden = || {
            let is_hidden = self.watch.as_ref().is_some_and(|watch| watch.has_more());
            is_hidden.then_some(FlawCode::LimitMemory)
        };
        self.flaw.or_else(wrong).or_else(hidden)
    }

    /// Reads into `out` until it has `len` bytes or the end comes.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, len: u64) {
        let wanted = len.saturating_sub(out.len() as u64);
        // Whatever fails is kept, and asked for by `flaw`.
        let _ = self.take(wanted).read_to_end(out);
    }

    /// Reads on to the end.
    pub(super) fn drain(&mut self) {
        let mut piece = vec![0; 32 << 10];
        while matches!(self.read(&mut piece), Ok(1..)) {}
    }

    fn fail(&mut self, code: FlawCode) -> io::Error {
        self.ended = true;
        self.flaw = self.flaw.or(Some(code));
        io::Error::other(match code {
            FlawCode::Truncated => LimitedError::Truncated,
            FlawCode::LimitWindow => LimitedError::Window,
            FlawCode::CorruptEntry => LimitedError::Corrupt(io::ErrorKind::InvalidData.into()),
            _ => LimitedError::Limit(self.count),
        })
    }
}

impl Read for Tap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let read = match self.inner.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(self.fail(code_of(&error))),
        };
        self.ended = read == 0;
        self.crc.update(&buffer[..read]);
        if let Some(watch) = &mut self.watch {
            watch.update(&buffer[..read]);
        }
        self.count += read as u64;
        self.until_clock = self.until_clock.saturating_sub(read as u64);
        if self.until_clock == 0 {
            self.until_clock = TIME_BYTES;
            self.budget.look_at_the_clock();
        }
        if !self.budget.expand(read as u64) || self.budget.spent().is_some() {
            let code = self.budget.spent().unwrap_or(FlawCode::LimitExpanded);
            return Err(self.fail(code));
        }
        if self.count > self.promise.size_max {
            return Err(self.fail(FlawCode::LimitEntrySize));
        }
        Ok(read)
    }
}

/// A [`Tap`] that a container reads from while the level of the container keeps it.
#[derive(Clone)]
pub(super) struct SharedTap(pub(super) Rc<RefCell<Tap>>);

impl Read for SharedTap {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: two outer files never hold much at one time, and the second gets its turn.
    /// Method: the first holds much on another thread until it was told; the second asks then.
    #[test]
    fn one_outer_file_at_a_time_holds_much() {
        let options = Options::default();
        let memory = Arc::new(Memory::new(2, &options));
        let much = memory.small_bytes + 1;
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let (options, memory) = (&options, &memory);
            scope.spawn(move || {
                let first = Budget::new(options, memory, 0);
                assert!(first.hold(much));
                ready.send(()).unwrap();
                told.recv().unwrap();
            });
            is_ready.recv().unwrap();
            let second = Budget::new(options, memory, 0);
            assert!(second.hold(1), "a small share needs no turn");
            assert!(memory.is_taken());
            tell.send(()).unwrap();
            assert!(second.hold(much));
            second.window(1 << 26);
        });
        assert!(!memory.is_taken());
    }

    #[test]
    fn many_entries_pass_by_the_same_rule_as_one() {
        let options = Options { entries_max: 5, expanded_free_bytes: 100, ..Options::default() };
        let budget = Budget::new(&options, &Arc::new(Memory::new(1, &options)), 0);
        assert!(budget.may_pass(1, 60) && !budget.may_pass(1, 41) && !budget.may_pass(5, 0));
        assert!(budget.may_pass(4, 40) && !budget.may_pass(1, 0) && budget.may_pass(0, 0));
        let spent = Budget::new(&options, &Arc::new(Memory::new(1, &options)), 0);
        assert!(!spent.expand(101));
        assert!(!spent.may_pass(1, 0) && !spent.may_pass(2, 0), "nothing passes after a limit");
        let late = Options { file_time_max_s: 0, ..options };
        assert!(!Budget::new(&late, &Arc::new(Memory::new(1, &late)), 0).may_pass(3, 0));
    }

    #[test]
    fn more_than_the_limit_is_refused_and_what_is_released_can_be_had_again() {
        let options = Options { buffered_bytes_max: 100, ..Options::default() };
        let budget = Budget::new(&options, &Arc::new(Memory::new(1, &options)), 0);
        assert!(budget.hold(60) && !budget.hold(41) && budget.hold(40));
        budget.release(30);
        assert!(budget.hold(30) && !budget.hold(1));
    }
}
