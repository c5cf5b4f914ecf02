//! Numbers, strings and sorted blocks of features as bytes, and the filter in front of them.

use std::borrow::Cow;

use xxhash_rust::xxh3::xxh3_64;

/// Features of one block.
pub(super) const BLOCK_FEATURES_MAX: usize = 4096;

/// Bits of the filter for each feature; with [`PROBES`] about 1.5 % of strangers pass.
const FILTER_BITS: usize = 9;
const PROBES: u32 = 6;

/// Appends numbers and strings.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) out: Vec<u8>,
}

impl Writer {
    /// A number in groups of seven bits, the lowest first (LEB128).
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn fixed(&mut self, number: u64) {
        self.out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Reads what [`Writer`] wrote; `None` where it ends too early or is no such thing.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of things that follow, each of at least one byte: never more than there are bytes.
    pub(super) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.bytes.len()).then_some(count)
    }

    pub(super) fn index(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let len = self.count()?;
        String::from_utf8(self.take(len)?.to_vec()).ok()
    }

    pub(super) fn fixed(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

/// Where the block of a section stands, and what its bytes must hash to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockPlace {
    pub(super) first: u64,
    /// From the start of the first block.
    pub(super) start: u64,
    pub(super) len: usize,
    pub(super) hash: u64,
}

/// The front of a section of features, which is all that is kept in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Front {
    pub(super) features: u64,
    pub(super) blocks: Vec<BlockPlace>,
    filter: Vec<u8>,
}

impl Front {
    /// Whether a value may be in the section.
    pub(super) fn may_hold(&self, value: u64) -> bool {
        !self.filter.is_empty() && probes(value, self.filter.len()).all(|at| bit(&self.filter, at))
    }

    /// The block that would hold a value.
    pub(super) fn block_of(&self, value: u64) -> Option<usize> {
        self.blocks.partition_point(|place| place.first <= value).checked_sub(1)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes };
        let features = reader.number()?;
        let filter = reader.count()?;
        let filter = reader.take(filter)?.to_vec();
        let mut front = Self { features, blocks: Vec::new(), filter };
        let mut start = 0;
        for _ in 0..reader.count()? {
            let (first, len) = (reader.fixed()?, reader.number()?);
            let place =
                BlockPlace { first, start, len: len.try_into().ok()?, hash: reader.fixed()? };
            start = place.start.checked_add(len)?;
            front.blocks.push(place);
        }
        Some(front)
    }
}

/// Bits are spread over the whole filter by double hashing of the value's two halves; the values
/// are hashes already, except for check sums, which are mixed first.
fn probes(value: u64, bytes: usize) -> impl Iterator<Item = usize> {
    let mixed = (value ^ (value >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (one, two) = (mixed >> 32, mixed | 1);
    let bits = bytes as u64 * 8;
    (0..u64::from(PROBES)).map(move |k| {
        let hash = one.wrapping_add(k.wrapping_mul(two & 0xffff_ffff)) & 0xffff_ffff;
        ((hash * bits) >> 32) as usize
    })
}

fn bit(filter: &[u8], at: usize) -> bool {
    filter.get(at / 8).is_some_and(|byte| byte & (1 << (at % 8)) != 0)
}

/// Writes features, sorted by value and without doubles: the front, then the blocks.
pub(super) fn write_features(features: &[(u64, u32)]) -> (Vec<u8>, Vec<u8>) {
    let mut filter = vec![0_u8; (features.len() * FILTER_BITS).div_ceil(8)];
    let len = filter.len();
    for (value, _) in features {
        for at in probes(*value, len) {
            filter[at / 8] |= 1 << (at % 8);
        }
    }
    let mut front = Writer::default();
    front.number(features.len() as u64);
    front.number(filter.len() as u64);
    front.out.extend(filter);
    let mut blocks = Vec::new();
    front.number(features.chunks(BLOCK_FEATURES_MAX).len() as u64);
    for chunk in features.chunks(BLOCK_FEATURES_MAX) {
        let block = write_block(chunk);
        front.fixed(chunk[0].0);
        front.number(block.len() as u64);
        front.fixed(xxh3_64(&block));
        blocks.extend(block);
    }
    (front.out, blocks)
}

/// How many features (4 bytes), bytes of a number of owners (1), the values, the numbers. Nothing
/// of it is taken apart before it is looked up.
fn write_block(features: &[(u64, u32)]) -> Vec<u8> {
    let largest = features.iter().map(|(_, owners)| *owners).max().unwrap_or_default();
    let width = (4 - largest.leading_zeros() as usize / 8).max(1);
    let mut out = (features.len() as u32).to_le_bytes().to_vec();
    out.push(width as u8);
    features.iter().for_each(|(value, _)| out.extend(value.to_le_bytes()));
    features.iter().for_each(|(_, owners)| out.extend(&owners.to_le_bytes()[..width]));
    out
}

/// A block of features, sorted by value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    bytes: Cow<'static, [u8]>,
    count: usize,
    width: usize,
}

impl Block {
    /// Bytes in front of the values.
    const HEAD_BYTES: usize = 5;

    /// Reads a block back; `None` when its bytes are not those that were written.
    pub(super) fn read(bytes: Cow<'static, [u8]>, hash: u64) -> Option<Self> {
        let head = bytes.first_chunk::<4>().filter(|_| xxh3_64(&bytes) == hash)?;
        let (count, width) = (u32::from_le_bytes(*head) as usize, usize::from(*bytes.get(4)?));
        let is_whole = (1..=4).contains(&width)
            && count <= BLOCK_FEATURES_MAX
            && bytes.len() == Self::HEAD_BYTES + count * (8 + width);
        is_whole.then_some(Self { bytes, count, width })
    }

    /// A value.
    pub(super) fn value(&self, at: usize) -> Option<u64> {
        let at = Self::HEAD_BYTES + at * 8;
        let bytes = self.bytes.get(at..at + 8).filter(|_| at < self.numbers_at())?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// The number of the owners of a value; `None` for a value that is not there.
    pub(super) fn owners(&self, value: u64) -> Option<u32> {
        let (mut from, mut to) = self.around(value)?;
        while from < to {
            let middle = from.midpoint(to);
            if self.value(middle)? < value { from = middle + 1 } else { to = middle }
        }
        self.value(from).filter(|found| *found == value)?;
        let at = self.numbers_at() + from * self.width;
        let mut number = [0; 4];
        number[..self.width].copy_from_slice(self.bytes.get(at..at + self.width)?);
        Some(u32::from_le_bytes(number))
    }

    /// Between which places a value is, if it is there. Values are hashes: they are spread evenly.
    fn around(&self, value: u64) -> Option<(usize, usize)> {
        let (first, last) = (self.value(0)?, self.value(self.count.checked_sub(1)?)?);
        let share =
            (value.saturating_sub(first) as f64) / (last.saturating_sub(first).max(1) as f64);
        let guess = ((share * self.count as f64) as usize).min(self.count - 1);
        let (mut from, mut to, mut step) = (guess, guess, 16);
        while from > 0 && self.value(from)? > value {
            from = from.saturating_sub(step);
            step *= 2;
        }
        while to < self.count && self.value(to)? < value {
            to = (to + step).min(self.count);
            step *= 2;
        }
        Some((from, to))
    }

    fn numbers_at(&self) -> usize {
        Self::HEAD_BYTES + self.count * 8
    }
}

/// Lists of numbers, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Lists {
    numbers: Vec<u32>,
    ends: Vec<usize>,
}

impl Lists {
    /// Reads one more list: a count, and its numbers.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.count()? {
            self.numbers.push(reader.index()?);
        }
        self.ends.push(self.numbers.len());
        Some(())
    }

    /// How many lists there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A list; empty for a number that is none.
    pub(super) fn get(&self, at: usize) -> &[u32] {
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let range = start.zip(self.ends.get(at)).map(|(start, end)| start..*end);
        range.and_then(|range| self.numbers.get(range)).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.len()).map(|at| self.get(at))
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    #[test]
    fn numbers_and_texts_come_back() {
        let mut writer = Writer::default();
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        numbers.iter().for_each(|number| writer.number(*number));
        writer.text("é");
        writer.fixed(7);
        let mut reader = Reader { bytes: &writer.out };
        assert_eq!(numbers.map(|_| reader.number().unwrap()), numbers);
        assert_eq!((reader.text().as_deref(), reader.fixed()), (Some("é"), Some(7)));
        assert_eq!(reader.number(), None);
        assert_eq!(Reader { bytes: &[0xff; 12] }.number(), None);
        assert_eq!(Reader { bytes: &[9, 1] }.count(), None);
    }

    #[test]
    fn features_come_back_and_strangers_are_kept_out() {
        let mut rng = Rng::new(5);
        let mut features: Vec<(u64, u32)> =
            (0..9_000).map(|_| (rng.next(), rng.below(500) as u32)).collect();
        features.sort_unstable();
        let (front, blocks) = write_features(&features);
        let front = Front::read(&front).unwrap();
        assert_eq!((front.features, front.blocks.len()), (9_000, 3));
        let mut back = Vec::new();
        for place in &front.blocks {
            let start = usize::try_from(place.start).unwrap();
            let bytes = blocks[start..start + place.len].to_vec();
            let block = Block::read(Cow::Owned(bytes), place.hash).unwrap();
            let values = (0..block.count).map(|at| block.value(at).unwrap());
            back.extend(values.map(|value| (value, block.owners(value).unwrap())));
            assert_eq!((block.owners(place.first - 1), block.value(block.count)), (None, None));
        }
        assert_eq!(back, features);
        assert!(features.iter().all(|(value, _)| front.may_hold(*value)));
        let passed = (0..100_000).filter(|_| front.may_hold(rng.next())).count();
        assert!(passed < 3_000, "{passed} of 100,000 strangers pass");
        assert_eq!(front.block_of(features[0].0.wrapping_sub(1)), None);
        assert_eq!(front.block_of(features[4096].0), Some(1));
        assert!(!Front::default().may_hold(1));
    }

    #[test]
    fn a_changed_block_is_seen() {
        let (front, mut blocks) = write_features(&[(1, 2), (3, 4)]);
        let place = Front::read(&front).unwrap().blocks[0];
        let read = |blocks: &[u8]| Block::read(Cow::Owned(blocks.to_vec()), place.hash);
        let block = read(&blocks).unwrap();
        assert_eq!([1, 2, 3, 4].map(|value| block.owners(value)), [Some(2), None, Some(4), None]);
        blocks[6] ^= 1;
        assert_eq!(read(&blocks), None);
        // Whole, and not a block: a count that its bytes do not have.
        blocks[0] = 200;
        assert_eq!(Block::read(Cow::Owned(blocks.clone()), xxh3_64(&blocks)), None);
        assert_eq!(Block::read(Cow::Borrowed(&[1]), xxh3_64(&[1])), None);
    }

    #[test]
    fn lists_come_back_and_strange_numbers_have_none() {
        let mut writer = Writer::default();
        [2, 7, 300, 0, 1, 5].iter().for_each(|number| writer.number(*number));
        let mut reader = Reader { bytes: &writer.out };
        let mut lists = Lists::default();
        for _ in 0..3 {
            lists.read(&mut reader).unwrap();
        }
        assert_eq!(lists.iter().collect::<Vec<_>>(), [&[7, 300][..], &[], &[5]]);
        assert_eq!((lists.len(), lists.get(3), lists.get(usize::MAX)), (3, &[][..], &[][..]));
        assert_eq!(lists.read(&mut reader), None);
    }
}
