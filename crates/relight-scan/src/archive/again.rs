//! Bytes that come by once, opened once more from their start.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Block, Coding, decoder, window_of};

use crate::sniff::HEAD_BYTES;
use crate::window::Window;

/// Largest window of a decoder that is open a second time, in bytes: the first one is still there.
const WINDOW_AGAIN_MAX: u64 = 8 << 20;

/// Bytes that are passed over at a time.
const PIECE_BYTES: usize = 64 << 10;

/// What a byte counts that comes out of a slow coding.
const SLOW_COST: u64 = 4;

/// How to get at bytes again that come out of a packed stream: unpack it once more, and pass over
/// what stands in front of them.
#[derive(Clone)]
pub(crate) struct Again {
    source: Source,
    /// How much may still be unpacked again of all that comes out of one file.
    left: Rc<Cell<u64>>,
    /// Where they start in what the stream gives.
    start: u64,
}

#[derive(Clone)]
enum Source {
    /// A packed stream that stands still.
    Packed(Window, Coding),
    /// A packed stream in one that has to be unpacked itself.
    Inner(Rc<Again>, Coding),
    /// What stands in blocks of its own.
    Opened(Rc<Opener>, Block),
}

/// Opens a stream.
type Opener = dyn Fn() -> Box<dyn Read>;

/// Hears how many bytes have come by.
type Look<'a> = dyn FnMut(usize) -> io::Result<()> + 'a;

impl Again {
    /// What is opened so, and stands in blocks of its own; nothing has to be unpacked but what is
    /// read. [`Self::within`] says how much that may be.
    pub(crate) fn opened(packing: Block, open: impl Fn() -> Box<dyn Read> + 'static) -> Self {
        let source = Source::Opened(Rc::new(open), packing);
        Self { source, left: Rc::new(Cell::new(u64::MAX)), start: 0 }
    }

    /// What a packed stream gives; `left` says how much may be unpacked again. `None` where that
    /// takes too much memory.
    pub(crate) fn packed(window: &Window, coding: Coding, left: &Rc<Cell<u64>>) -> Option<Self> {
        let head = window.read(0, HEAD_BYTES).ok()?;
        let left = Rc::clone(left);
        let source = Source::Packed(window.clone(), coding);
        is_small(coding, &head).then_some(Self { source, left, start: 0 })
    }

    /// What the packed stream gives that these bytes are; its first ones are known.
    pub(crate) fn unpacked(self, coding: Coding, head: &[u8]) -> Option<Self> {
        let left = Rc::clone(&self.left);
        let source = Source::Inner(Rc::new(self), coding);
        is_small(coding, head).then_some(Self { source, left, start: 0 })
    }

    /// The same, where nothing else says how much may be unpacked again.
    pub(crate) fn within(mut self, left: &Rc<Cell<u64>>) -> Self {
        if matches!(self.source, Source::Opened(..)) {
            self.left = Rc::clone(left);
        }
        self
    }

    /// The part that starts at `start`.
    pub(crate) fn part(&self, start: u64) -> Self {
        Self { start: self.start.saturating_add(start), ..self.clone() }
    }

    /// Opens the stream behind what stands in front of it; `look` hears of each piece that was
    /// passed over, and may end that.
    ///
    /// # Errors
    /// Those of the file, of the stream and of `look`.
    pub(crate) fn open(&self, look: &mut Look<'_>) -> io::Result<Box<dyn Read>> {
        let stream = match &self.source {
            Source::Packed(window, coding) => decoder(*coding, window.reader()),
            Source::Inner(around, coding) => decoder(*coding, around.open(look)?),
            Source::Opened(open, _) => Ok(open()),
        };
        let inner = stream.map_err(io::Error::other)?;
        let mut stream = Counted { inner, left: Rc::clone(&self.left), cost: self.cost() };
        pass_over(&mut stream, self.start, look)?;
        Ok(Box::new(stream))
    }

    /// What a byte counts: some codings are several times as slow as the others.
    const fn cost(&self) -> u64 {
        match self.source {
            Source::Packed(_, coding) | Source::Inner(_, coding) => match coding {
                Coding::Plain
                | Coding::Deflate
                | Coding::Deflate64
                | Coding::Gzip
                | Coding::Zstd
                | Coding::Lz4 => 1,
                _ => SLOW_COST,
            },
            Source::Opened(_, packing) => match packing {
                Block::Zlib | Block::Lz4 | Block::Zstd => 1,
                Block::Lzma | Block::Xz => SLOW_COST,
            },
        }
    }
}

fn is_small(coding: Coding, head: &[u8]) -> bool {
    window_of(coding, head) <= WINDOW_AGAIN_MAX
}

/// Reads so many bytes of a stream, which may end before.
fn pass_over(stream: &mut dyn Read, len: u64, look: &mut Look<'_>) -> io::Result<()> {
    let mut front = stream.take(len);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match front.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => look(read)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A stream that takes what it gives from what is left.
struct Counted {
    inner: Box<dyn Read>,
    left: Rc<Cell<u64>>,
    cost: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match self.left.get().checked_sub(self.cost * read as u64) {
            Some(left) => self.left.set(left),
            None => return Err(io::Error::other(LimitedError::Limit(0))),
        }
        Ok(read)
    }
}
