//! What a cataloger reads by range, counted: ranges that overlap or go in circles end at a limit.

use std::cell::Cell;
use std::io;

use relight_formats::limited::LimitedError;
use relight_model::FlawCode;

use super::budget::{Budget, TIME_BYTES};
use crate::archive::code_of;
use crate::cataloger::ReadAt;
use crate::limits::{CATALOG_READ_FREE_BYTES, CATALOG_READ_RATIO_MAX};

/// Bytes that any read counts for at least: a read costs more than the bytes that it gives.
const READ_BYTES_MIN: u64 = 64;

/// A source of which one cataloger may read so much and no more, for so long and no longer.
/// Whatever a cataloger does with ranges, it ends.
pub(super) struct Metered<'a> {
    source: &'a dyn ReadAt,
    budget: &'a Budget,
    left: Cell<u64>,
    until_clock: Cell<u64>,
    reached: Cell<Option<FlawCode>>,
}

impl<'a> Metered<'a> {
    /// Nothing was read so far.
    pub(super) fn new(source: &'a dyn ReadAt, budget: &'a Budget) -> Self {
        let by_size = source.size().saturating_mul(CATALOG_READ_RATIO_MAX);
        let left = Cell::new(CATALOG_READ_FREE_BYTES.saturating_add(by_size));
        let (until_clock, reached) = (Cell::new(TIME_BYTES), Cell::new(None));
        Self { source, budget, left, until_clock, reached }
    }

    /// The limit that was reached, if one was.
    pub(super) fn reached(&self) -> Option<FlawCode> {
        self.reached.get()
    }

    fn take(&self, start: u64, len: usize) -> io::Result<()> {
        let there = self.source.size().saturating_sub(start);
        let cost = there.min(len as u64).max(READ_BYTES_MIN);
        match self.left.get().checked_sub(cost) {
            Some(left) => self.left.set(left),
            None => self.reached.set(self.reached().or(Some(FlawCode::LimitExpanded))),
        }
        self.until_clock.set(self.until_clock.get().saturating_sub(cost));
        if self.until_clock.get() == 0 {
            self.until_clock.set(TIME_BYTES);
            self.budget.look_at_the_clock();
            let late = self.budget.spent().filter(|code| *code == FlawCode::LimitTime);
            self.reached.set(self.reached().or(late));
        }
        match self.reached() {
            Some(_) => Err(io::Error::other("more was asked for than the file can hold")),
            None => Ok(()),
        }
    }
}

impl Metered<'_> {
    /// Keeps why a packed source cannot be read on.
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && LimitedError::inside(error).is_some()
        {
            let code = self.budget.spent().unwrap_or_else(|| code_of(error));
            self.reached.set(self.reached().or(Some(code)));
        }
        result
    }
}

impl ReadAt for Metered<'_> {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        self.take(start, len)?;
        self.noted(self.source.read_at(start, len))
    }

    fn show(&self, start: u64, len: usize, look: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.take(start, len)?;
        self.noted(self.source.show(start, len, look))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::limits::Options;
    use crate::unpack::budget::Memory;
    use crate::window::Window;

    fn budget(options: &Options) -> Budget {
        Budget::new(options, &Arc::new(Memory::new(1, options)), 0)
    }

    #[test]
    fn what_is_read_again_and_again_ends_at_the_limit() {
        let window = Window::of_memory(vec![7; 1_000]);
        let budget = budget(&Options::default());
        let metered = Metered::new(&window, &budget);
        let free = CATALOG_READ_FREE_BYTES + 1_000 * CATALOG_READ_RATIO_MAX;
        for _ in 0..free / 1_000 {
            // More than there is costs what there is.
            assert_eq!(metered.read_at(0, 5_000).unwrap().len(), 1_000);
        }
        assert_eq!(metered.reached(), None);
        metered.read_at(0, 1_000).unwrap_err();
        metered.show(0, 1, &mut |_| panic!("nothing is shown any more")).unwrap_err();
        assert_eq!(metered.reached(), Some(FlawCode::LimitExpanded));
    }

    #[test]
    fn a_read_of_nothing_is_not_free() {
        let window = Window::of_memory(Vec::new());
        let budget = budget(&Options::default());
        let metered = Metered::new(&window, &budget);
        let reads = (0..).take_while(|_| metered.read_at(9, 1).is_ok()).count();
        assert_eq!(reads as u64, CATALOG_READ_FREE_BYTES / READ_BYTES_MIN);
    }

    #[test]
    fn a_cataloger_ends_with_the_time_of_its_file() {
        let window = Window::of_memory(vec![7; 1 << 20]);
        let late = Options { file_time_max_s: 0, ..Options::default() };
        let budget = budget(&late);
        let metered = Metered::new(&window, &budget);
        metered.read_at(0, 1_000).unwrap();
        metered.read_at(0, 1 << 20).unwrap_err();
        assert_eq!(metered.reached(), Some(FlawCode::LimitTime));
        assert_eq!(budget.spent(), Some(FlawCode::LimitTime));
    }
}
