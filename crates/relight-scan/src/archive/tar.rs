//! tar archives of every age: v7, ustar, GNU and pax, with long names and sparse files.

mod header;
mod sparse;

use std::io;

use relight_model::FlawCode;

use self::header::{BLOCK, Header, is_zero, pax_records};
use self::sparse::Sparse;
use super::{Body, Container, Damage, Entry, Feed, Node};

/// Bytes of one extended header, or of one long name.
const EXTENDED_BYTES_MAX: u64 = 1 << 20;

/// Extended headers in front of one member.
const EXTENDED_MAX: u32 = 16;

/// A tar archive. Several in a row are read as one, whatever zeros stand between them.
pub(crate) struct Tar {
    feed: Feed,
    /// Where the next header stands.
    next: u64,
    /// The block before was no header: the next one that is goes on.
    is_lost: bool,
    /// The last block was zeros.
    is_ended: bool,
    done: bool,
}

/// What extended headers say about the member behind them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    /// The size of a sparse file with its holes.
    real_size: Option<u64>,
    /// Offset and length of each part of a sparse file, in pairs.
    map: Vec<u64>,
    /// Something of the map is no number, or there is too much of it.
    is_map_cut: bool,
    /// The map stands in front of the data.
    map_in_data: bool,
}

impl Tar {
    pub(crate) fn new(feed: Feed) -> Self {
        Self { feed, next: 0, is_lost: false, is_ended: false, done: false }
    }

    fn step(&mut self) -> io::Result<Option<Result<Entry, Damage>>> {
        let mut extended = Extended::default();
        let mut extended_count = 0;
        loop {
            if !self.feed.seek(self.next)? {
                return Ok(Some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            let block = self.feed.take(BLOCK)?;
            self.next = self.feed.position();
            if block.len() < BLOCK {
                // Zeros end an archive; one that ends without them was cut, maybe between members.
                let cut = !self.is_ended || !is_zero(&block);
                return Ok(cut.then_some(Err(Damage::new(FlawCode::Truncated, 0))));
            }
            if is_zero(&block) {
                self.is_ended = true;
                continue;
            }
            self.is_ended = false;
            let Some(header) = Header::parse(&block) else {
                if let Some(damage) = self.lost() {
                    return Ok(Some(Err(damage)));
                }
                continue;
            };
            self.is_lost = false;
            if !header.is_extended() {
                return self.entry(&header, extended).map(Some);
            }
            extended_count += 1;
            if header.size > EXTENDED_BYTES_MAX || extended_count > EXTENDED_MAX {
                self.next = self.next.saturating_add(header.padded_size());
                return Ok(Some(Err(Damage::new(FlawCode::LimitMemory, header.size))));
            }
            self.extend(&header, &mut extended)?;
        }
    }

    /// A block that is no header: said once, then the search goes on block by block.
    fn lost(&mut self) -> Option<Damage> {
        let first = !self.is_lost;
        self.is_lost = true;
        first.then_some(Damage::new(FlawCode::CorruptEntry, BLOCK as u64))
    }

    /// Reads a long name or the records of pax.
    fn extend(&mut self, header: &Header, out: &mut Extended) -> io::Result<()> {
        let bytes = self.feed.take(header.size as usize)?;
        self.next = self.next.saturating_add(header.padded_size());
        let text = || bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        match header.kind {
            b'L' => out.path = Some(text()),
            b'K' => out.link = Some(text()),
            b'x' => {
                for (key, value) in pax_records(&bytes) {
                    out.take(key, value);
                }
            }
            // Records for all members that follow hold nothing that we read.
            _ => {}
        }
        Ok(())
    }

    fn entry(&mut self, header: &Header, extended: Extended) -> io::Result<Result<Entry, Damage>> {
        let packed = extended.size.unwrap_or(header.size);
        let Some(node) = header.node(&extended) else {
            // A kind we do not know: its data is passed over, and said.
            self.next = self.next.saturating_add(padded(packed));
            return Ok(Err(Damage::new(FlawCode::MethodUnsupported, packed)));
        };
        let name = extended.path.clone().unwrap_or_else(|| header.path());
        let name = strip_dots(name);
        if node != Node::File {
            self.next = self.next.saturating_add(padded(header.body_size(&node, packed)));
            return Ok(Ok(Entry::bare(name, node)));
        }
        let (map, is_whole) = self.map(header, &extended)?;
        let data_at = self.feed.position();
        self.next = data_at.saturating_add(padded(packed));
        let mut entry = Entry::file(name, Some(packed), self.feed.body(packed));
        if !self.feed.has(packed) {
            entry.flaws.push(FlawCode::Truncated);
        }
        let has_map = !extended.map.is_empty() || extended.is_map_cut || extended.map_in_data;
        if header.kind == b'S' || has_map {
            let real = extended.real_size.or(header.real_size).unwrap_or(packed);
            entry.size = Some(real);
            entry.body = if extended.map_in_data {
                let make = |data, size| Box::new(Sparse::with_map_in_front(data, size));
                self.feed.made(packed, move |data| make(data, real))
            } else if is_whole {
                self.feed.made(packed, move |data| Box::new(Sparse::new(data, &map, real)))
            } else {
                // Nothing says where the data belongs.
                entry.flaws.push(FlawCode::MethodUnsupported);
                Body::Nothing
            };
        }
        Ok(Ok(entry))
    }

    /// The map of a sparse file, and whether that is all of it. In the old GNU form it goes on in
    /// blocks behind the header.
    fn map(&mut self, header: &Header, extended: &Extended) -> io::Result<(Vec<u64>, bool)> {
        if header.kind != b'S' {
            return Ok((extended.map.clone(), !extended.is_map_cut));
        }
        let mut map = header.map.clone();
        let mut more = header.map_goes_on;
        while more && map.len() < sparse::MAP_MAX {
            let block = self.feed.take(BLOCK)?;
            map.extend(header::map_entries(&block, 0, 21));
            more = block.get(504).is_some_and(|flag| *flag != 0);
        }
        Ok((map, header.has_map && !more))
    }
}

/// How far behind a header the next one stands; nothing where a block is none.
pub(crate) fn bytes_to_next(block: &[u8]) -> Option<u64> {
    let header = Header::parse(block)?;
    let body = match header.node(&Extended::default()) {
        Some(node) if node != Node::File && !header.is_extended() => {
            padded(header.body_size(&node, header.size))
        }
        _ => header.padded_size(),
    };
    Some(body.saturating_add(BLOCK as u64))
}

impl Container for Tar {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if self.done {
            return None;
        }
        match self.step() {
            Ok(None) => {
                self.done = true;
                None
            }
            Ok(Some(Err(damage))) => {
                self.done = damage.code == FlawCode::Truncated;
                Some(Err(damage))
            }
            Ok(entry) => entry,
            Err(error) => {
                self.done = true;
                Some(Err(Damage::of(&error)))
            }
        }
    }
}

impl Extended {
    /// One record of pax; those of GNU tar for sparse files are in its manual, section "Sparse
    /// Formats".
    fn take(&mut self, key: &[u8], value: &[u8]) {
        let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
        match key {
            b"path" if self.path.is_none() || !self.map_in_data => {
                self.path = Some(value.to_vec());
            }
            b"GNU.sparse.name" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = number(),
            b"GNU.sparse.realsize" | b"GNU.sparse.size" => self.real_size = number(),
            b"GNU.sparse.major" => self.map_in_data = value == b"1",
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.take_map(value),
            b"GNU.sparse.map" => {
                self.map.clear();
                value.split(|byte| *byte == b',').for_each(|digits| self.take_map(digits));
            }
            _ => {}
        }
    }

    fn take_map(&mut self, digits: &[u8]) {
        let digits = std::str::from_utf8(digits).ok();
        let number = digits.and_then(|digits| digits.parse::<u64>().ok());
        self.is_map_cut |= number.is_none() || self.map.len() == sparse::MAP_MAX;
        self.map.extend(number.filter(|_| !self.is_map_cut));
    }
}

/// Whether a block is a header, with or without the mark of POSIX: its sum decides.
pub(crate) fn is_tar_header(block: &[u8]) -> bool {
    block.get(..BLOCK).is_some_and(|block| block[0] != 0 && header::has_sum(block))
}

/// `./usr/lib` is `usr/lib`.
fn strip_dots(name: Vec<u8>) -> Vec<u8> {
    let mut rest = &name[..];
    while let Some(tail) = rest.strip_prefix(b"./") {
        rest = tail;
    }
    rest.to_vec()
}

/// Data fills whole blocks.
const fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
}
