//! A packed stream that lets go of its decoders while it is unpacked a second time.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use relight_formats::limited::LimitedError;

use super::again::{Guard, Opener, pass_over};

/// The first reading of a stream. What reads it sees no difference: it is opened once more, and
/// passed over up to the place that was reached, when it is read on.
#[derive(Clone)]
pub(crate) struct Sleeper(Rc<RefCell<State>>);

struct State {
    stream: Option<Box<dyn Read>>,
    open: Rc<Opener>,
    guard: Rc<dyn Guard>,
    /// Bytes that it gave.
    at: u64,
    window_bytes: u64,
}

impl Sleeper {
    pub(super) fn new(
        stream: Box<dyn Read>,
        open: Rc<Opener>,
        guard: &Rc<dyn Guard>,
        window_bytes: u64,
    ) -> Self {
        let (stream, guard) = (Some(stream), Rc::clone(guard));
        Self(Rc::new(RefCell::new(State { stream, open, guard, at: 0, window_bytes })))
    }

    /// Bytes that its decoders may hold.
    pub(super) fn window_bytes(&self) -> u64 {
        self.0.borrow().window_bytes
    }

    /// Lets go of everything until it is read on. What that unpacks again is taken from what is
    /// left now: who may not unpack something again must not keep others from being read.
    ///
    /// # Errors
    /// When there is not so much left.
    pub(super) fn sleep(&self, left: &Cell<u64>, cost: u64) -> io::Result<()> {
        let Ok(mut state) = self.0.try_borrow_mut() else { return Ok(()) };
        if state.stream.is_some() {
            let wanted = state.at.saturating_mul(cost);
            let rest = left.get().checked_sub(wanted);
            left.set(rest.ok_or_else(|| io::Error::other(LimitedError::Limit(state.at)))?);
            state.stream = None;
        }
        Ok(())
    }
}

impl Read for Sleeper {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        let State { stream, open, guard, at, .. } = &mut *state;
        let stream = match stream {
            Some(stream) => stream,
            None => {
                let mut opened = open()?;
                pass_over(&mut opened, *at, &mut |bytes| guard.look(bytes))?;
                stream.insert(opened)
            }
        };
        let read = stream.read(buffer)?;
        *at += read as u64;
        Ok(read)
    }
}
