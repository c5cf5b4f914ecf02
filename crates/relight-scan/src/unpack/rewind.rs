//! A long member that comes by once, read by range: forward as it comes, and from its start again
//! for a place that has gone by.

use std::cell::RefCell;
use std::io::{self, Read};

use relight_formats::limited::LimitedError;

use super::budget::{Budget, TIME_BYTES};
use crate::archive::Again;
use crate::cataloger::ReadAt;

/// Bytes in front of the place that was reached that are kept: tables stand one after the other,
/// and are read from the last one to the first.
const RECENT_BYTES: usize = 1 << 20;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Times that one member is begun again. Programs need some four: the table of their sections at
/// the end, what it names, and what that points to.
const PASSES_MAX: u32 = 24;

/// A member that can be opened again.
pub(super) struct Rewind<'a> {
    again: Again,
    size: u64,
    /// Its first bytes, which are in memory anyway.
    prefix: &'a [u8],
    budget: &'a Budget,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    stream: Option<Box<dyn Read>>,
    /// The last bytes that were read of it.
    recent: Vec<u8>,
    /// Where they start.
    at: u64,
    passes: u32,
    until_clock: u64,
}

impl<'a> Rewind<'a> {
    /// A member of `size` bytes; they are counted where that is not known.
    ///
    /// # Errors
    /// Those of the stream.
    pub(super) fn new(
        again: &Again,
        size: Option<u64>,
        prefix: &'a [u8],
        budget: &'a Budget,
    ) -> io::Result<Self> {
        let (again, state) = (again.clone(), RefCell::default());
        let mut rewind = Self { again, size: size.unwrap_or(u64::MAX), prefix, budget, state };
        if size.is_none() {
            rewind.size = rewind.count()?;
        }
        Ok(rewind)
    }

    fn count(&self) -> io::Result<u64> {
        let mut state = self.state.borrow_mut();
        self.restart(&mut state)?;
        while self.forward(&mut state)? > 0 {}
        Ok(state.end())
    }

    /// Begins once more.
    fn restart(&self, state: &mut State) -> io::Result<()> {
        if state.passes == PASSES_MAX {
            return Err(io::Error::other(LimitedError::Limit(self.size)));
        }
        state.passes += 1;
        state.recent.clear();
        // One at a time: each has its window.
        state.stream = None;
        let stream = self.again.open(&mut |bytes| self.pass(state, bytes))?;
        state.at = 0;
        state.stream = Some(stream);
        Ok(())
    }

    /// Reads on; how many bytes there were.
    fn forward(&self, state: &mut State) -> io::Result<usize> {
        if state.recent.len() >= 2 * RECENT_BYTES {
            let gone = state.recent.len() - RECENT_BYTES;
            state.recent.drain(..gone);
            state.at += gone as u64;
        }
        let len = state.recent.len();
        let left = self.size.saturating_sub(state.end()).min(PIECE_BYTES as u64);
        state.recent.resize(len + usize::try_from(left).unwrap_or_default(), 0);
        let State { stream, recent, .. } = state;
        let read = match stream {
            Some(stream) if left > 0 => retried(|| stream.read(&mut recent[len..])),
            _ => Ok(0),
        };
        state.recent.truncate(len + read.as_ref().copied().unwrap_or_default());
        let read = read?;
        self.pass(state, read)?;
        Ok(read)
    }

    /// Looks at the clock now and then.
    fn pass(&self, state: &mut State, bytes: usize) -> io::Result<()> {
        state.until_clock = match state.until_clock.checked_sub(bytes as u64) {
            Some(left) => left,
            None => {
                self.budget.look_at_the_clock();
                TIME_BYTES
            }
        };
        match self.budget.spent() {
            Some(_) => Err(io::Error::other(LimitedError::Limit(self.size))),
            None => Ok(()),
        }
    }

    fn read(&self, start: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut state = self.state.borrow_mut();
        if state.stream.is_none() || start < state.at {
            self.restart(&mut state)?;
        }
        let mut out = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
        loop {
            let next = start + out.len() as u64;
            if let Some(from) = next.checked_sub(state.at).and_then(|at| usize::try_from(at).ok())
                && let Some(bytes) = state.recent.get(from..)
            {
                let left = usize::try_from(len).unwrap_or(usize::MAX) - out.len();
                out.extend_from_slice(&bytes[..bytes.len().min(left)]);
            }
            if out.len() as u64 == len || self.forward(&mut state)? == 0 {
                return Ok(out);
            }
        }
    }
}

impl State {
    fn end(&self) -> u64 {
        self.at + self.recent.len() as u64
    }
}

impl ReadAt for Rewind<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let len = self.size.saturating_sub(start).min(len as u64);
        let end = start.saturating_add(len);
        if end <= self.prefix.len() as u64 {
            let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            return Ok(range.map_or(&[][..], |(from, to)| &self.prefix[from..to]).to_vec());
        }
        self.read(start, len)
    }
}

fn retried(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write as _;
    use std::rc::Rc;
    use std::sync::Arc;

    use relight_formats::limited::coding::Coding;
    use relight_model::FlawCode;

    use super::*;
    use crate::limits::Options;
    use crate::unpack::budget::Memory;
    use crate::window::Window;

    const LEN: usize = 5 << 20;

    fn bytes() -> Vec<u8> {
        (0..LEN as u32 / 4).flat_map(u32::to_le_bytes).collect()
    }

    fn budget() -> Budget {
        let options = Options::default();
        Budget::new(&options, &Arc::new(Memory::new(1, &options)), 0)
    }

    fn again(bytes_max: u64) -> Again {
        let whole = [&b"front"[..], &bytes()].concat();
        let left = Rc::new(Cell::new(bytes_max));
        Again::packed(&Window::of_memory(whole), Coding::Plain, &left).part(5)
    }

    #[test]
    fn any_place_is_read_and_only_those_that_have_gone_by_cost_a_pass() {
        let (bytes, budget) = (bytes(), budget());
        for size in [Some(LEN as u64), None] {
            let rewind = Rewind::new(&again(1 << 30), size, &bytes[..100], &budget).unwrap();
            assert_eq!(rewind.size(), LEN as u64);
            let begun = rewind.state.borrow().passes;
            let places = [(90, 20, 1), (LEN - 9, 99, 1), (LEN - RECENT_BYTES, 20, 1)];
            for (start, len, passes) in places.into_iter().chain([(0, 9, 1), (7, LEN, 2)]) {
                let got = rewind.read_at(start as u64, len).unwrap();
                assert!(got == bytes[start..LEN.min(start + len)], "{start} {len}");
                assert_eq!(rewind.state.borrow().passes - begun, passes, "{start} {len}");
            }
            assert_eq!(rewind.read_at(u64::MAX, 9).unwrap(), [0; 0]);
        }
        // What ends before it should gives what there is.
        let rewind = Rewind::new(&again(1 << 30), Some(LEN as u64 + 9), &[], &budget).unwrap();
        assert_eq!(rewind.read_at(LEN as u64 - 1, 9).unwrap().len(), 1);
    }

    /// Goal: time ends also what stands in front of a stream in a stream. Method: so much of that
    /// that more than one look at the clock is needed, and how much of it was read.
    #[test]
    fn what_stands_in_front_is_passed_over_for_so_long_and_no_longer() {
        let options = Options { file_time_max_s: 0, ..Options::default() };
        let late = Budget::new(&options, &Arc::new(Memory::new(1, &options)), 0);
        let left = Rc::new(Cell::new(u64::MAX));
        let around = Again::packed(&Window::of_memory(bytes()), Coding::Plain, &left);
        let inner = around.part(LEN as u64 - 9).unpacked(Coding::Plain, &[]).unwrap();
        let rewind = Rewind::new(&inner, Some(9), &[], &late).unwrap();
        rewind.read_at(0, 9).unwrap_err();
        assert_eq!(late.spent(), Some(FlawCode::LimitTime));
        assert!(u64::MAX - left.get() <= TIME_BYTES, "{}", u64::MAX - left.get());
        let budget = budget();
        let rewind = Rewind::new(&inner, Some(9), &[], &budget).unwrap();
        assert!(rewind.read_at(0, 9).unwrap() == bytes()[LEN - 9..]);
    }

    #[test]
    fn what_is_begun_again_and_again_ends() {
        let budget = budget();
        let rewind = Rewind::new(&again(1 << 40), Some(LEN as u64), &[], &budget).unwrap();
        let far = LEN as u64 - 1;
        let passes = (0..).take_while(|_| rewind.read_at(0, 1).and(rewind.read_at(far, 1)).is_ok());
        assert_eq!(passes.count(), PASSES_MAX as usize);
        // Of all that comes out of one stream, so much may be unpacked again.
        let again = again(2 * LEN as u64);
        let ended = |again: &Again| {
            let rewind = Rewind::new(again, Some(LEN as u64), &[], &budget).unwrap();
            rewind.read_at(far, 1).is_err()
        };
        assert_eq!([ended(&again), ended(&again)], [false, true]);
        // So much of one that is slow counts for more.
        let room = |coding, packed: Vec<u8>| {
            let left = Rc::new(Cell::new(u64::MAX));
            let again = Again::packed(&Window::of_memory(packed), coding, &left);
            let rewind = Rewind::new(&again, Some(LEN as u64), &[], &budget).unwrap();
            assert!(rewind.read_at(far, 1).unwrap() == bytes()[LEN - 1..]);
            (u64::MAX - left.get()) / LEN as u64
        };
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes()).unwrap();
        let options = lzma_rust2::XzOptions::with_preset(0);
        let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        xz.write_all(&bytes()).unwrap();
        assert_eq!(room(Coding::Gzip, gzip.finish().unwrap()), 1);
        assert_eq!(room(Coding::Xz, xz.finish().unwrap()), 4);
    }
}
