//! A sorted table of rows under two limits, in pieces, so that adding moves little.

use super::{Row, SourceKey};

/// Pieces by the first bits of the key: 1,024.
const PIECE_BITS: u32 = 10;

/// Rows of a piece that wait unsorted before they are sorted in, besides a sixteenth of it.
const WAITING_MAX: usize = 64;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pieces: Vec<Piece>,
    rows: usize,
    rows_max: usize,
    source_rows_max: usize,
    /// Sources above it are not kept any more.
    ceiling: u64,
    evicted: u64,
}

#[derive(Clone, Debug, Default)]
struct Piece {
    rows: Vec<Row>,
    /// The first of `rows` are sorted and without doubles.
    sorted: usize,
}

impl Piece {
    /// Sorts in what waits; says how many rows went, doubles and those over the limit of a source.
    fn settle(&mut self, source_rows_max: usize) -> (usize, u64) {
        if self.sorted == self.rows.len() {
            return (0, 0);
        }
        let before = self.rows.len();
        self.rows.sort_by_key(Row::key);
        let mut evicted = 0;
        let (mut kept, mut of_source): (usize, usize) = (0, 0);
        for at in 0..self.rows.len() {
            let row = self.rows[at];
            let last = kept.checked_sub(1).map(|last| &mut self.rows[last]);
            match last {
                Some(last) if last.key() == row.key() => {
                    last.merge(&row);
                    continue;
                }
                Some(last) if last.source == row.source => of_source += 1,
                _ => of_source = 1,
            }
            if of_source > source_rows_max {
                evicted += 1;
                continue;
            }
            self.rows[kept] = row;
            kept += 1;
        }
        self.rows.truncate(kept);
        self.sorted = kept;
        (before - kept, evicted)
    }

    const fn is_due(&self) -> bool {
        self.rows.len() - self.sorted > WAITING_MAX + self.sorted / 16
    }
}

impl Table {
    pub(crate) fn new(rows_max: usize, source_rows_max: usize) -> Self {
        let pieces = vec![Piece::default(); 1 << PIECE_BITS];
        Self { pieces, rows: 0, rows_max, source_rows_max, ceiling: u64::MAX, evicted: 0 }
    }

    /// Adds a row, or what it says about a row that is there.
    pub(crate) fn insert(&mut self, row: Row) {
        if row.source.0 > self.ceiling {
            self.evicted += 1;
            return;
        }
        let piece = &mut self.pieces[piece_of(row.source)];
        if piece.rows.len() == piece.rows.capacity() {
            // Vec would double; a twelfth more keeps the bound close to what is there.
            piece.rows.reserve_exact(WAITING_MAX + piece.rows.len() / 12);
        }
        piece.rows.push(row);
        self.rows += 1;
        if piece.is_due() {
            let (gone, evicted) = piece.settle(self.source_rows_max);
            self.rows -= gone;
            self.evicted += evicted;
        }
        // A little over the limit, so that a full table is not put in order for every row.
        if self.rows > self.rows_max + self.spare() {
            self.fit();
        }
    }

    /// Rows over the limit that wait until they are let go.
    const fn spare(&self) -> usize {
        self.rows_max / 64
    }

    /// Puts all in order and lets go what is over the limit.
    fn fit(&mut self) {
        self.settle();
        self.lower();
    }

    /// Adds every row of another table.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.ceiling < self.ceiling {
            self.ceiling = other.ceiling;
            self.let_go();
        }
        for piece in &other.pieces {
            piece.rows.iter().for_each(|row| self.insert(*row));
        }
    }

    /// Removes the rows beyond the ceiling.
    fn let_go(&mut self) {
        self.settle();
        let ceiling = self.ceiling;
        for piece in &mut self.pieces {
            piece.rows.retain(|row| row.source.0 <= ceiling);
            piece.sorted = piece.rows.len();
        }
        self.rows = self.pieces.iter().map(|piece| piece.rows.len()).sum();
    }

    /// Takes the memory of the limit, and touches it.
    pub(crate) fn reserve(&mut self) {
        let each = (self.rows_max + self.spare()) / self.pieces.len();
        // Hashed keys fill pieces evenly; the spare covers the spread and what waits.
        let each = each + each / 12 + 2 * WAITING_MAX;
        for piece in &mut self.pieces {
            let length = piece.rows.len();
            if let Some(more) = each.checked_sub(length) {
                piece.rows.reserve_exact(more);
                piece.rows.resize(each, Row::FILLER);
                piece.rows.truncate(length);
            }
        }
    }

    /// Every row in order, without doubles.
    pub(crate) fn sorted(&mut self) -> impl Iterator<Item = &Row> {
        self.fit();
        self.pieces.iter().flat_map(|piece| &piece.rows)
    }

    pub(crate) const fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn bytes(&self) -> usize {
        self.pieces.iter().map(|piece| piece.rows.capacity() * size_of::<Row>()).sum()
    }

    /// Share of the sources that are kept.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub(crate) fn share(&self) -> f64 {
        self.ceiling as f64 / u64::MAX as f64
    }

    pub(crate) const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The limit of keys: with the rows, all there is to know about a table.
    pub(crate) const fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// Sets the limit of keys, of a table that was stored.
    pub(crate) fn set_ceiling(&mut self, ceiling: u64) {
        self.ceiling = ceiling;
    }

    fn settle(&mut self) {
        for piece in &mut self.pieces {
            let (gone, evicted) = piece.settle(self.source_rows_max);
            self.rows -= gone;
            self.evicted += evicted;
        }
    }

    /// Lets the sources with the largest keys go until the rest fits. The rest is what would be
    /// left of any larger table too, so no order of merging shows in it.
    fn lower(&mut self) {
        while self.rows > self.rows_max {
            let Some(piece) = self.pieces.iter_mut().rev().find(|piece| !piece.rows.is_empty())
            else {
                return;
            };
            let Some(largest) = piece.rows.last().map(|row| row.source) else { return };
            let kept = piece.rows.partition_point(|row| row.source < largest);
            let gone = piece.rows.len() - kept;
            piece.rows.truncate(kept);
            piece.sorted = kept;
            self.rows -= gone;
            self.evicted += gone as u64;
            self.ceiling = largest.0.saturating_sub(1);
        }
    }
}

const fn piece_of(source: SourceKey) -> usize {
    (source.0 >> (u64::BITS - PIECE_BITS)) as usize
}
