//! The bytes of one program, read once for all catalogers that look at it.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;

use crate::cataloger::ReadAt;

/// Bytes of one program that are held at one time; what is beyond is read again each time.
pub(crate) const HELD_BYTES_MAX: usize = 2 << 20;

/// A range that was read: where it starts, how much was asked for, and what came.
type Piece = (u64, usize, Rc<Vec<u8>>);

/// A source that remembers what was read of it.
pub(crate) struct Held<'a> {
    source: &'a dyn ReadAt,
    pieces: RefCell<Vec<Piece>>,
    bytes_max: usize,
}

impl<'a> Held<'a> {
    /// Nothing was read so far, and so many bytes may be held.
    pub(crate) fn new(source: &'a dyn ReadAt, bytes_max: usize) -> Self {
        Self { source, pieces: RefCell::new(Vec::new()), bytes_max }
    }

    /// A range, read or remembered.
    fn piece(&self, start: u64, len: usize) -> io::Result<Rc<Vec<u8>>> {
        let mut pieces = self.pieces.borrow_mut();
        if let Some((_, _, bytes)) = pieces.iter().find(|it| (it.0, it.1) == (start, len)) {
            return Ok(Rc::clone(bytes));
        }
        let bytes = Rc::new(self.source.read_at(start, len)?);
        let held: usize = pieces.iter().map(|(_, _, bytes)| bytes.len()).sum();
        if held + bytes.len() <= self.bytes_max {
            pieces.push((start, len, Rc::clone(&bytes)));
        }
        Ok(bytes)
    }
}

impl ReadAt for Held<'_> {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        self.piece(start, len).map(|bytes| bytes.to_vec())
    }

    fn show(&self, start: u64, len: usize, look: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        look(&self.piece(start, len)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A source that counts how much is read of it.
    struct Counting(Cell<usize>);

    impl ReadAt for Counting {
        fn size(&self) -> u64 {
            16 << 20
        }

        fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
            self.0.set(self.0.get() + len);
            Ok(vec![start as u8; len])
        }
    }

    #[test]
    fn what_was_read_is_not_read_again_up_to_a_limit() {
        let source = Counting(Cell::new(0));
        let held = Held::new(&source, HELD_BYTES_MAX);
        let mut shown = 0;
        for _ in 0..3 {
            assert_eq!(held.read_at(7, 3).unwrap(), [7; 3]);
            held.show(7, 3, &mut |bytes| shown += bytes.len()).unwrap();
        }
        assert_eq!((source.0.get(), shown), (3, 9));
        for start in [0, 1, 2, 0, 1, 2] {
            held.show(start, HELD_BYTES_MAX / 2, &mut |bytes| {
                assert_eq!(bytes[0], start as u8);
            })
            .unwrap();
        }
        // The first was held; the others did not fit beside it and are read each time.
        assert_eq!(source.0.get(), 3 + 5 * (HELD_BYTES_MAX / 2));
    }
}
