//! A stream that the members of a container are cut from, one after the other.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use super::Again;

/// Bytes read ahead. Decoders copy their window of 32 KiB after each piece that they gave.
const AHEAD_BYTES: usize = 128 << 10;

/// Shared by a container and the bodies of its members. A body that was not read to its end is
/// skipped by its container before the next member.
#[derive(Clone)]
pub(crate) struct Pipe {
    state: Rc<RefCell<State>>,
    again: Option<Again>,
}

struct State {
    inner: Box<dyn Read>,
    ahead: Vec<u8>,
    /// The next byte in `ahead`.
    at: usize,
    /// Bytes taken so far.
    position: u64,
}

impl Pipe {
    pub(crate) fn new(inner: impl Read + 'static) -> Self {
        let state = State { inner: Box::new(inner), ahead: Vec::new(), at: 0, position: 0 };
        Self { state: Rc::new(RefCell::new(state)), again: None }
    }

    /// The same of bytes that can be opened once more.
    pub(crate) fn of(inner: impl Read + 'static, again: Option<Again>) -> Self {
        Self { again, ..Self::new(inner) }
    }

    /// How to get at what comes next once more.
    pub(crate) fn again(&self) -> Option<Again> {
        self.again.as_ref().map(|again| again.part(self.position()))
    }

    /// Bytes taken so far.
    pub(crate) fn position(&self) -> u64 {
        self.state.borrow().position
    }

    /// Shows the next bytes, at least `wanted` of them unless the stream ends before, and takes as
    /// many as `look` says.
    pub(crate) fn step<T>(
        &self,
        wanted: usize,
        look: impl FnOnce(&[u8]) -> (usize, T),
    ) -> io::Result<T> {
        let mut state = self.state.borrow_mut();
        state.fill(wanted)?;
        let (taken, value) = look(&state.ahead[state.at..]);
        let taken = taken.min(state.ahead.len() - state.at);
        state.at += taken;
        state.position += taken as u64;
        Ok(value)
    }

    /// The next `len` bytes without taking them; fewer where the stream ends.
    pub(crate) fn peek(&self, len: usize) -> io::Result<Vec<u8>> {
        self.step(len, |bytes| (0, bytes[..len.min(bytes.len())].to_vec()))
    }

    /// Takes `len` bytes; fewer where the stream ends. The caller bounds `len`.
    pub(crate) fn get(&self, len: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.clone().take_reader(len as u64).read_to_end(&mut out)?;
        Ok(out)
    }

    /// Passes over `len` bytes; how many there were.
    pub(crate) fn skip(&self, len: u64) -> io::Result<u64> {
        io::copy(&mut self.clone().take_reader(len), &mut io::sink())
    }

    fn take_reader(self, len: u64) -> io::Take<Self> {
        Read::take(self, len)
    }

    /// The body of a member of `len` bytes.
    pub(crate) fn part(&self, len: u64) -> Part {
        Part { pipe: self.clone(), end: self.position().saturating_add(len) }
    }

    /// Passes over everything before `position`; false when the stream ends first.
    pub(crate) fn seek(&self, position: u64) -> io::Result<bool> {
        let left = position.saturating_sub(self.position());
        Ok(self.skip(left)? == left)
    }
}

impl State {
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.ahead.len() - self.at >= wanted.max(1) {
            return Ok(());
        }
        self.ahead.drain(..self.at);
        self.at = 0;
        while self.ahead.len() < wanted.max(1) {
            let filled = self.ahead.len();
            self.ahead.resize(filled + AHEAD_BYTES.max(wanted), 0);
            let read = self.inner.read(&mut self.ahead[filled..]);
            let read = match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.ahead.truncate(filled);
                    continue;
                }
                read => read,
            };
            self.ahead.truncate(filled + read.as_ref().copied().unwrap_or_default());
            if read? == 0 {
                break;
            }
        }
        Ok(())
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        if state.at == state.ahead.len() && buffer.len() >= AHEAD_BYTES {
            let read = state.inner.read(buffer)?;
            state.position += read as u64;
            return Ok(read);
        }
        state.fill(1)?;
        let ahead = &state.ahead[state.at..];
        let read = ahead.len().min(buffer.len());
        buffer[..read].copy_from_slice(&ahead[..read]);
        state.at += read;
        state.position += read as u64;
        Ok(read)
    }
}

/// The body of one member. It ends early, with an error, where the stream does.
pub(crate) struct Part {
    pipe: Pipe,
    end: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.pipe.position());
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        match self.pipe.read(&mut buffer[..wanted])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_cut_one_after_the_other() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| at as u8).collect();
        let pipe = Pipe::new(io::Cursor::new(bytes.clone()));
        assert_eq!(pipe.peek(3).unwrap(), [0, 1, 2]);
        assert_eq!(pipe.get(3).unwrap(), [0, 1, 2]);
        let mut part = pipe.part(70_000);
        let mut got = vec![0; 10];
        part.read_exact(&mut got).unwrap();
        assert_eq!(got, bytes[3..13]);
        assert!(pipe.seek(70_003).unwrap());
        assert_eq!(part.read(&mut got).unwrap(), 0);
        assert_eq!(pipe.position(), 70_003);
        let mut last = Vec::new();
        let cut = pipe.part(40_000).read_to_end(&mut last).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(last, bytes[70_003..]);
        assert!(!pipe.seek(200_000).unwrap());
    }
}
