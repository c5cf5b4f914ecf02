//! The file of holders: pairs of a value and a container, sorted, in blocks, and behind them what
//! they are about. Whatever is read is checked; it can be made again at any time.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use relight_model::{Digest, ProfileGap};
use xxhash_rust::xxh3::xxh3_64;

use super::{ContainerId, Held};

const MAGIC: [u8; 16] = *b"relight.hold/1\n\0";
/// A value and the number of a container, in little-endian order.
const PAIR_BYTES: usize = 12;
/// Pairs of a block, which is what one look reads.
pub(super) const BLOCK_PAIRS: usize = 512;
/// Id, digest, gap, weight.
const ROW_BYTES: usize = 49;
/// First value, check sum.
const INDEX_BYTES: usize = 16;
/// Length and check sum of the tail, and the magic words.
const END_BYTES: usize = 32;

/// It is not what was written, or cannot be read.
#[derive(Debug)]
pub(super) struct Damaged;

/// Where the bytes are.
#[derive(Debug)]
pub(super) enum Bytes {
    File(File),
    /// Where no file could be written.
    Memory(Vec<u8>),
}

impl Bytes {
    fn len(&self) -> Result<u64, Damaged> {
        match self {
            Self::File(file) => file.metadata().map(|it| it.len()).map_err(|_| Damaged),
            Self::Memory(bytes) => Ok(bytes.len() as u64),
        }
    }

    fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), Damaged> {
        match self {
            Self::File(file) => file.read_exact_at(buffer, at).map_err(|_| Damaged),
            Self::Memory(bytes) => {
                let bytes = usize::try_from(at).ok().and_then(|at| bytes.get(at..));
                buffer.copy_from_slice(bytes.and_then(|it| it.get(..buffer.len())).ok_or(Damaged)?);
                Ok(())
            }
        }
    }
}

/// What is known about a block without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    first: u64,
    sum: u64,
}

/// A file of holders, opened.
#[derive(Debug)]
pub(super) struct Pairs {
    bytes: Bytes,
    /// The containers that the pairs are about, by their numbers.
    pub(super) rows: Vec<Held>,
    blocks: Vec<Block>,
    pub(super) len: u64,
}

impl Pairs {
    pub(super) fn open(bytes: Bytes) -> Result<Self, Damaged> {
        let length = bytes.len()?;
        let end_at = length.checked_sub(END_BYTES as u64).ok_or(Damaged)?;
        let mut end = [0; END_BYTES];
        bytes.read(&mut end, end_at)?;
        let mut end = Fields(&end);
        let (tail_length, sum) = (end.number()?, end.number()?);
        let tail_at = end_at.checked_sub(tail_length).ok_or(Damaged)?;
        let mut tail = vec![0; usize::try_from(tail_length).map_err(|_| Damaged)?];
        bytes.read(&mut tail, tail_at)?;
        if end.0 != MAGIC || xxh3_64(&tail) != sum {
            return Err(Damaged);
        }
        let (rows, blocks, len) = Fields(&tail).tail()?;
        let is_whole = tail_at == len * PAIR_BYTES as u64;
        if !is_whole || blocks.len() as u64 != len.div_ceil(BLOCK_PAIRS as u64) {
            return Err(Damaged);
        }
        Ok(Self { bytes, rows, blocks, len })
    }

    /// Calls `each` with every value and its holders, in the order of the values, which are sorted.
    pub(super) fn each(
        &self,
        values: &[u64],
        mut each: impl FnMut(u64, &[u32]),
    ) -> Result<(), Damaged> {
        let (mut window, mut holders) = (Window::default(), Vec::new());
        for value in values {
            holders.clear();
            // The block before the first that begins at the value may end with it.
            let mut at = self.blocks.partition_point(|it| it.first < *value).saturating_sub(1);
            while self.blocks.get(at).is_some_and(|it| it.first <= *value) {
                let pairs = window.block(self, at)?;
                let from = pairs.partition_point(|pair| value_of(pair) < *value);
                let same = pairs[from..].iter().take_while(|pair| value_of(pair) == *value);
                holders.extend(same.map(container_of));
                at += 1;
            }
            each(*value, &holders);
        }
        Ok(())
    }

    /// Calls `each` with every pair, in their order.
    pub(super) fn all(
        &self,
        mut each: impl FnMut(u64, u32) -> io::Result<()>,
    ) -> Result<io::Result<()>, Damaged> {
        let mut window = Window::default();
        for at in 0..self.blocks.len() {
            for pair in window.block(self, at)? {
                if let Err(error) = each(value_of(pair), container_of(pair)) {
                    return Ok(Err(error));
                }
            }
        }
        Ok(Ok(()))
    }
}

/// The block that was read last.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    at: Option<usize>,
}

impl Window {
    fn block(&mut self, pairs: &Pairs, at: usize) -> Result<&[[u8; PAIR_BYTES]], Damaged> {
        if self.at != Some(at) {
            self.at = None;
            let before = (at * BLOCK_PAIRS) as u64;
            let count = (pairs.len - before).min(BLOCK_PAIRS as u64) as usize;
            self.bytes.resize(count * PAIR_BYTES, 0);
            pairs.bytes.read(&mut self.bytes, before * PAIR_BYTES as u64)?;
            if xxh3_64(&self.bytes) != pairs.blocks[at].sum {
                return Err(Damaged);
            }
            self.at = Some(at);
        }
        Ok(self.bytes.as_chunks().0)
    }
}

fn value_of(pair: &[u8; PAIR_BYTES]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *pair;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn container_of(pair: &[u8; PAIR_BYTES]) -> u32 {
    let [.., a, b, c, d] = *pair;
    u32::from_le_bytes([a, b, c, d])
}

/// Writes a file of holders, pair by pair in their order.
pub(super) struct Builder<W> {
    out: W,
    rows: Vec<Held>,
    blocks: Vec<Block>,
    block: Vec<u8>,
    len: u64,
    /// The value that comes by now, and who holds it so far.
    value: u64,
    holders: Vec<u32>,
}

impl<W: Write> Builder<W> {
    /// The weights of the rows are counted here.
    pub(super) fn new(out: W, mut rows: Vec<Held>) -> Self {
        rows.iter_mut().for_each(|row| row.weight = 0.0);
        let block = Vec::with_capacity(BLOCK_PAIRS * PAIR_BYTES);
        Self { out, rows, blocks: Vec::new(), block, len: 0, value: 0, holders: Vec::new() }
    }

    pub(super) fn push(&mut self, value: u64, container: u32) -> io::Result<()> {
        if value != self.value {
            self.end_value()?;
            self.value = value;
        }
        self.holders.push(container);
        Ok(())
    }

    /// The tail, and what takes the bytes.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_value()?;
        self.end_block()?;
        let mut tail = Vec::new();
        tail.extend_from_slice(&(self.rows.len() as u64).to_le_bytes());
        for Held { id, digest, gap, weight } in &self.rows {
            tail.extend_from_slice(&id.0.to_le_bytes());
            tail.extend_from_slice(&digest.0);
            tail.push(gap.code());
            tail.extend_from_slice(&weight.to_bits().to_le_bytes());
        }
        tail.extend_from_slice(&self.len.to_le_bytes());
        for Block { first, sum } in &self.blocks {
            tail.extend_from_slice(&first.to_le_bytes());
            tail.extend_from_slice(&sum.to_le_bytes());
        }
        self.out.write_all(&tail)?;
        self.out.write_all(&(tail.len() as u64).to_le_bytes())?;
        self.out.write_all(&xxh3_64(&tail).to_le_bytes())?;
        self.out.write_all(&MAGIC)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn end_value(&mut self) -> io::Result<()> {
        // The rarer a value, the more it says: `relight-match::similar`.
        let weight = 1.0 / self.holders.len() as f64;
        for at in 0..self.holders.len() {
            let container = self.holders[at];
            self.rows[container as usize].weight += weight;
            self.block.extend_from_slice(&self.value.to_le_bytes());
            self.block.extend_from_slice(&container.to_le_bytes());
            self.len += 1;
            if self.block.len() == BLOCK_PAIRS * PAIR_BYTES {
                self.end_block()?;
            }
        }
        self.holders.clear();
        Ok(())
    }

    fn end_block(&mut self) -> io::Result<()> {
        if let Some((first, _)) = self.block.split_first_chunk() {
            let first = u64::from_le_bytes(*first);
            self.blocks.push(Block { first, sum: xxh3_64(&self.block) });
            self.out.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}

/// What is left of some bytes.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*array)
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn row(&mut self) -> Result<Held, Damaged> {
        let id = ContainerId(i64::from_le_bytes(self.array()?));
        let digest = Digest(self.array()?);
        let [gap] = self.array()?;
        let gap = ProfileGap::of_code(gap).ok_or(Damaged)?;
        Ok(Held { id, digest, gap, weight: f64::from_bits(self.number()?) })
    }

    fn tail(mut self) -> Result<(Vec<Held>, Vec<Block>, u64), Damaged> {
        let rows = self.number()?;
        // Nothing is reserved by a number that the bytes do not bear out.
        if rows > (self.0.len() / ROW_BYTES) as u64 {
            return Err(Damaged);
        }
        let rows = (0..rows).map(|_| self.row()).collect::<Result<_, _>>()?;
        let len = self.number()?;
        let mut blocks = Vec::with_capacity(self.0.len() / INDEX_BYTES);
        while !self.0.is_empty() {
            blocks.push(Block { first: self.number()?, sum: self.number()? });
        }
        Ok((rows, blocks, len))
    }
}
