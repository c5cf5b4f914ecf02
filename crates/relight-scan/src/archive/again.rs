//! Bytes that come by once, opened once more from their start.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use relight_formats::limited::LimitedError;
use relight_formats::limited::coding::{Block, Coding, Held, decoder_of, window_of};

use super::sleeper::Sleeper;
use crate::limits::MEMORY_BYTES;
#[cfg(test)]
use crate::window::Window;

/// Largest window of a decoder that is open a second time, in bytes: the first one is still there,
/// unless it is one that lets go of its own meanwhile ([`Again::sleeping`]).
const WINDOW_AGAIN_MAX: u64 = 8 << 20;

/// Largest window of a decoder that is open beside what is held of an archive in it, in bytes. A
/// wider one takes half as much again while it grows, and that is more than all may hold; one that
/// runs on top of that anyway may.
const WINDOW_BESIDE_MAX: u64 = 16 << 20;

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
    /// The first reading of them, where it holds too much to go on beside a second one.
    first: Option<Sleeper>,
}

#[derive(Clone)]
enum Source {
    /// A packed stream, by its first bytes, in one that has to be unpacked itself.
    Inner(Rc<Again>, Coding, Rc<[u8]>),
    /// What somebody else opens, and what a byte of it counts.
    Opened(Rc<Opener>, u64),
    /// So many bytes of something else, made into these.
    Made(Rc<Again>, u64, Rc<Maker>),
}

/// Opens a stream.
pub(super) type Opener = dyn Fn() -> io::Result<Box<dyn Read>>;

/// Makes one stream of another.
type Maker = dyn Fn(Box<dyn Read>) -> Box<dyn Read>;

/// Hears how many bytes have come by.
type Look<'a> = dyn FnMut(usize) -> io::Result<()> + 'a;

/// Who reads an outer file, for what is unpacked in one.
pub(crate) trait Guard {
    /// How much may still be unpacked again.
    fn left(&self) -> &Rc<Cell<u64>>;

    /// Hears how many bytes have come by, and may end that.
    ///
    /// # Errors
    /// When a limit was reached.
    fn look(&self, bytes: usize) -> io::Result<()>;

    /// The stream of decoders whose windows may hold so many bytes.
    fn windowed(&self, stream: Box<dyn Read>, held: Held) -> Box<dyn Read>;

    /// Hears how many bytes are about to be held that no limit of [`Options`] counts, and waits
    /// where that is much.
    ///
    /// [`Options`]: crate::limits::Options
    fn make_room(&self, bytes: u64);
}

impl Again {
    /// What is opened so; a byte of it counts as so many. [`Self::within`] says how much that may
    /// be.
    pub(crate) fn opened(
        cost: u64,
        open: impl Fn() -> io::Result<Box<dyn Read>> + 'static,
    ) -> Self {
        Self::of(Source::Opened(Rc::new(open), cost), Rc::new(Cell::new(u64::MAX)))
    }

    const fn of(source: Source, left: Rc<Cell<u64>>) -> Self {
        Self { source, left, start: 0, first: None }
    }

    /// What decoders give that are opened so, whose windows may hold so many bytes: to be read
    /// now, and how to get at it again. Where both together would hold too much, the first reading
    /// lets go of what it holds before the second one begins, and is taken up again behind it.
    ///
    /// # Errors
    /// Those of the decoders.
    pub(crate) fn guarded(
        guard: &Rc<dyn Guard>,
        (cost, held): (u64, Held),
        open: impl Fn() -> io::Result<Box<dyn Read>> + 'static,
    ) -> io::Result<(Box<dyn Read>, Self)> {
        let left = Rc::clone(guard.left());
        let windowed = Rc::clone(guard);
        let opener: Rc<Opener> = Rc::new(move || Ok(windowed.windowed(open()?, held)));
        let stream = opener()?;
        let again = Self::of(Source::Opened(Rc::clone(&opener), cost), left);
        if held.most <= WINDOW_AGAIN_MAX {
            return Ok((stream, again));
        }
        let first = Sleeper::new(stream, opener, guard, held.most);
        Ok((Box::new(first.clone()), Self { first: Some(first), ..again }))
    }

    /// What a packed stream gives; `left` says how much may be unpacked again.
    #[cfg(test)]
    pub(crate) fn packed(window: &Window, coding: Coding, left: &Rc<Cell<u64>>) -> Self {
        let window = window.clone();
        let open = move || decoder_of(coding, &[], window.reader()).map_err(io::Error::other);
        Self::opened(cost_of(coding), open).within(left)
    }

    /// What the packed stream gives that these bytes are; its first ones are known.
    pub(crate) fn unpacked(self, coding: Coding, head: &[u8]) -> Option<Self> {
        let left = Rc::clone(&self.left);
        let source = Source::Inner(Rc::new(self), coding, head.into());
        is_small(coding, head).then_some(Self::of(source, left))
    }

    /// What is made of the first `len` bytes so.
    pub(crate) fn made(
        self,
        len: u64,
        make: impl Fn(Box<dyn Read>) -> Box<dyn Read> + 'static,
    ) -> Self {
        let left = Rc::clone(&self.left);
        Self::of(Source::Made(Rc::new(self), len, Rc::new(make)), left)
    }

    /// The same, where nothing else says how much may be unpacked again.
    pub(crate) fn within(mut self, left: &Rc<Cell<u64>>) -> Self {
        if matches!(self.source, Source::Opened(..)) {
            self.left = Rc::clone(left);
        }
        self
    }

    /// Bytes of the window of its decoder, where that is too wide to be open twice; else 0.
    pub(crate) fn wide_window(&self) -> u64 {
        match &self.source {
            Source::Inner(around, ..) | Source::Made(around, ..) => around.wide_window(),
            Source::Opened(..) => self.first.as_ref().map_or(0, Sleeper::window_bytes),
        }
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
        if let Some(first) = &self.first {
            first.sleep(&self.left, self.cost())?;
        }
        let inner: Box<dyn Read> = match &self.source {
            Source::Inner(around, coding, head) => {
                decoder_of(*coding, head, around.open(look)?).map_err(io::Error::other)?
            }
            Source::Opened(open, _) => open()?,
            Source::Made(around, len, make) => make(Box::new(around.open(look)?.take(*len))),
        };
        let mut stream = Counted { inner, left: Rc::clone(&self.left), cost: self.cost() };
        pass_over(&mut stream, self.start, look)?;
        Ok(Box::new(stream))
    }

    const fn cost(&self) -> u64 {
        match self.source {
            Source::Inner(_, coding, _) => cost_of(coding),
            Source::Opened(_, cost) => cost,
            // What it is made of counts.
            Source::Made(..) => 1,
        }
    }
}

/// Whether a window may be open again beside what is held of an archive in it.
pub(crate) fn may_stand_beside(window_bytes: u64) -> bool {
    !(WINDOW_BESIDE_MAX + 1..=MEMORY_BYTES / 2).contains(&window_bytes)
}

/// What a byte counts that is unpacked again: some codings are several times as slow as the others.
pub(crate) const fn cost_of(coding: Coding) -> u64 {
    match coding {
        Coding::Plain
        | Coding::Deflate
        | Coding::Deflate64
        | Coding::Zlib
        | Coding::Gzip
        | Coding::Zstd
        | Coding::Lz4
        | Coding::Delta(_)
        | Coding::Branches(_) => 1,
        _ => SLOW_COST,
    }
}

/// The same for the blocks of a file system.
pub(crate) const fn cost_of_block(packing: Block) -> u64 {
    match packing {
        Block::Zlib | Block::Lz4 | Block::Zstd => 1,
        Block::Lzma | Block::Xz => SLOW_COST,
    }
}

fn is_small(coding: Coding, head: &[u8]) -> bool {
    window_of(coding, head) <= WINDOW_AGAIN_MAX
}

/// Reads so many bytes of a stream, which may end before.
pub(super) fn pass_over(stream: &mut dyn Read, len: u64, look: &mut Look<'_>) -> io::Result<()> {
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
