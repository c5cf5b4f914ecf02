//! One header of a tar archive (POSIX.1-2017, pax; and the manual of GNU tar).

use super::{Extended, Node, padded};

/// Everything in a tar fills blocks of this many bytes.
pub(super) const BLOCK: usize = 512;

/// A header that was checked by its sum.
pub(super) struct Header {
    name: Vec<u8>,
    prefix: Vec<u8>,
    link: Vec<u8>,
    pub(super) size: u64,
    pub(super) kind: u8,
    device: (u32, u32),
    /// Of a sparse file in the old GNU form.
    pub(super) real_size: Option<u64>,
    /// There is a map; those of others than GNU are not read.
    pub(super) has_map: bool,
    pub(super) map: Vec<u64>,
    pub(super) map_goes_on: bool,
}

impl Header {
    /// `None` when the sum is wrong, or the size is negative or beyond all bounds.
    pub(super) fn parse(block: &[u8]) -> Option<Self> {
        let text = |at: usize, len: usize| {
            let field = block.get(at..at + len).unwrap_or_default();
            field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
        };
        let field = |at: usize, len: usize| block.get(at..at + len).and_then(number);
        if !has_sum(block) {
            return None;
        }
        let is_gnu = block.get(257..265) == Some(b"ustar  \0");
        let is_ustar = block.get(257..262) == Some(b"ustar");
        let kind = block[156];
        let is_sparse = kind == b'S' && is_gnu;
        let device = |at| field(at, 8).and_then(|number| u32::try_from(number).ok());
        Some(Self {
            name: text(0, 100),
            prefix: if is_ustar && !is_gnu { text(345, 155) } else { Vec::new() },
            link: text(157, 100),
            size: field(124, 12)?,
            kind,
            device: (device(329).unwrap_or_default(), device(337).unwrap_or_default()),
            real_size: field(483, 12).filter(|_| is_sparse),
            has_map: is_sparse,
            map: if is_sparse { map_entries(block, 386, 4) } else { Vec::new() },
            map_goes_on: is_sparse && block[482] != 0,
        })
    }

    /// It describes the member behind it, or all of them.
    pub(super) fn is_extended(&self) -> bool {
        matches!(self.kind, b'L' | b'K' | b'x' | b'g')
    }

    pub(super) fn padded_size(&self) -> u64 {
        padded(self.size)
    }

    pub(super) fn path(&self) -> Vec<u8> {
        if self.prefix.is_empty() {
            return self.name.clone();
        }
        [&self.prefix[..], &self.name[..]].join(&b'/')
    }

    /// What it is; `None` when it is of an unknown kind.
    pub(super) fn node(&self, extended: &Extended) -> Option<Node> {
        let target = || extended.link.clone().unwrap_or_else(|| self.link.clone());
        Some(match self.kind {
            // A file of 1979 whose name ends in a slash is a folder.
            0 if self.name.ends_with(b"/") => Node::Folder,
            0 | b'0' | b'7' | b'S' => Node::File,
            b'1' => Node::HardLink(target()),
            b'2' => Node::Link(target()),
            b'3' | b'4' => Node::Device(self.device.0, self.device.1),
            b'6' => Node::Device(0, 0),
            // `D` lists the names of a folder in its data; `V` names the volume.
            b'5' | b'D' | b'V' => Node::Folder,
            _ => return None,
        })
    }

    /// How much data stands behind a header that is no file. Some writers say the size of the
    /// other name in a hard link, and write none (GNU tar reads it so as well).
    pub(super) fn body_size(&self, node: &Node, size: u64) -> u64 {
        match node {
            Node::Folder if self.kind == b'D' => size,
            _ => 0,
        }
    }
}

/// Pairs of offset and length at `at`, each of two numbers of 12 bytes.
pub(super) fn map_entries(block: &[u8], at: usize, count: usize) -> Vec<u64> {
    let pair = |number_at: usize| {
        let field = |at: usize| block.get(at..at + 12).and_then(number);
        Some([field(number_at)?, field(number_at + 12)?])
    };
    (0..count)
        .map_while(|index| pair(at + index * 24))
        .filter(|pair| pair[1] > 0)
        .flatten()
        .collect()
}

/// Octal digits, or big-endian with the highest bit set. Negative numbers are none.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len().saturating_sub(8));
        let is_small =
            high.iter().enumerate().all(|(at, byte)| *byte == if at == 0 { 0x80 } else { 0 });
        let value = low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        let value = if high.is_empty() { value & !(0x80 << 56) } else { value };
        return (is_small && i64::try_from(value).is_ok()).then_some(value);
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

/// Whether the check sum is right, with signed or unsigned bytes.
pub(super) fn has_sum(block: &[u8]) -> bool {
    let Some(declared) = block.get(148..156).and_then(number) else { return false };
    let rest = || block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]);
    let unsigned: u64 = rest().map(|byte| u64::from(*byte)).sum();
    let signed: i64 = rest().map(|byte| i64::from(byte.cast_signed())).sum();
    block.len() == BLOCK && (declared == unsigned || i64::try_from(declared) == Ok(signed))
}

pub(super) fn is_zero(block: &[u8]) -> bool {
    block.iter().all(|byte| *byte == 0)
}

/// `LENGTH key=value\n`, again and again.
pub(super) fn pax_records(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let len = std::str::from_utf8(&rest[..space]).ok().and_then(|text| text.parse().ok());
        let Some(record) = len.and_then(|len: usize| rest.get(space + 1..len)) else { break };
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(equals) = record.iter().position(|byte| *byte == b'=') {
            records.push((&record[..equals], &record[equals + 1..]));
        }
        rest = &rest[len.unwrap_or_default()..];
    }
    records
}
