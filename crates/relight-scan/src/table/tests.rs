//! Damage of each format: whatever the bytes, a walk ends, and says why.

use testkit::Rng;

use super::*;
use crate::window::Window;

const FILES: [(&str, &[u8]); 3] = [
    ("sqlite", include_bytes!("../../fixtures/rpm/sqlite/var/lib/rpm/rpmdb.sqlite")),
    ("ndb", include_bytes!("../../fixtures/rpm/ndb/usr/lib/sysimage/rpm/Packages.db")),
    ("berkeley", include_bytes!("../../fixtures/rpm/berkeley/var/lib/rpm/Packages")),
];

/// How many values a file gives, and whether it ends well.
fn walk(name: &str, bytes: Vec<u8>) -> (usize, Result<(), Damage>) {
    let window = Window::of_memory(bytes);
    let mut count = 0;
    let ended = match name {
        "sqlite" => sqlite::rows(&window, "Packages", &mut |_| count += 1).map(drop),
        "ndb" => ndb::values(&window, &mut |_| count += 1),
        _ => berkeley::values(&window, &mut |_| count += 1),
    };
    (count, ended)
}

#[test]
fn damage_ends_a_walk_and_never_a_scan() {
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let (name, bytes) = *rng.pick(&FILES);
        let mut bytes = bytes.to_vec();
        for _ in 0..=rng.below(20) {
            let at = rng.below(bytes.len());
            bytes[at] = *rng.pick(&[0, 1, 5, 13, 0x7f, 0xff]);
        }
        if rng.chance(30) {
            bytes.truncate(rng.below(bytes.len()));
        }
        let (count, _) = walk(name, bytes);
        assert!(count < 100_000, "seed {seed}");
    }
}

#[test]
fn a_cut_file_is_told() {
    for (name, bytes) in FILES {
        let (all, ended) = walk(name, bytes.to_vec());
        assert_eq!(ended, Ok(()), "{name}");
        assert!(all >= 2, "{name} {all}");
        let (_, ended) = walk(name, bytes[..bytes.len() - 100].to_vec());
        assert!(ended.is_err(), "{name}");
    }
}

#[test]
fn a_tree_that_bites_its_tail_ends() {
    let mut bytes = FILES[0].1.to_vec();
    // Page 1 becomes an inner page whose only child is itself.
    bytes[100] = 5;
    bytes[103..105].fill(0);
    bytes[108..112].copy_from_slice(&[0, 0, 0, 1]);
    assert_eq!(walk("sqlite", bytes).1, Err("pages that point in a circle"));
}

/// A file that counts what it gives; what is not written reads as zeros.
struct Sparse {
    written: Vec<u8>,
    size: u64,
    given: Cell<u64>,
}

impl Sparse {
    fn new(written: Vec<u8>, size: u64) -> Self {
        Self { written, size, given: Cell::new(0) }
    }
}

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, start: u64, len: usize) -> std::io::Result<Vec<u8>> {
        let len = usize::try_from(self.size.saturating_sub(start)).unwrap().min(len);
        self.given.set(self.given.get() + len as u64);
        let start = usize::try_from(start).unwrap();
        Ok((start..start + len).map(|at| self.written.get(at).copied().unwrap_or(0)).collect())
    }
}

/// How a walk ends, and that it neither read nor showed more than a multiple of the file.
fn bounded(name: &str, file: &Sparse) -> Result<(), Damage> {
    let mut shown = 0;
    let ended = match name {
        "sqlite" => sqlite::rows(file, "Packages", &mut |row| {
            shown += row.iter().map(|column| column.bytes().len() as u64).sum::<u64>();
        })
        .map(drop),
        "ndb" => ndb::values(file, &mut |value| shown += value.len() as u64),
        _ => berkeley::values(file, &mut |value| shown += value.len() as u64),
    };
    assert!(shown <= file.size, "{name} showed {shown} of {}", file.size);
    assert!(file.given.get() <= 3 * file.size + (1 << 20), "{name} read {}", file.given.get());
    ended
}

/// A hash of Berkeley DB with a page of so many values that are all this item.
fn berkeley_of(item: &[u8], values: usize) -> Vec<u8> {
    let mut bytes = vec![0; 4 << 16];
    bytes[12..16].copy_from_slice(&0x0006_1561_u32.to_le_bytes());
    bytes[20..24].copy_from_slice(&65_536_u32.to_le_bytes());
    let page = &mut bytes[1 << 16..2 << 16];
    page[25] = 13;
    page[20..22].copy_from_slice(&u16::try_from(2 * values).unwrap().to_le_bytes());
    for value in 0..values {
        let at = 26 + 4 * value;
        page[at..at + 2].copy_from_slice(&65_000_u16.to_le_bytes());
        page[at + 2..at + 4].copy_from_slice(&60_000_u16.to_le_bytes());
    }
    page[60_000..60_000 + item.len()].copy_from_slice(item);
    // Pages 2 and 3 are one value that goes in a circle.
    for (number, next) in [(2_usize, 3_u32), (3, 2)] {
        let page = &mut bytes[number << 16..(number + 1) << 16];
        page[16..20].copy_from_slice(&next.to_le_bytes());
        page[22..24].copy_from_slice(&60_000_u16.to_le_bytes());
        page[25] = 7;
    }
    bytes
}

#[test]
fn no_byte_belongs_to_two_values() {
    let size = 4 << 16;
    let chain = |len: u32| {
        let mut item = vec![3, 0, 0, 0, 2, 0, 0, 0];
        item.extend(len.to_le_bytes());
        item
    };
    let berkeley = |item: &[u8]| bounded("berkeley", &Sparse::new(berkeley_of(item, 5_000), size));
    let shared = Err("values that share their bytes");
    assert_eq!(berkeley(&chain(100_000)), shared);
    let circle = Err("pages that point in a circle");
    assert_eq!(berkeley(&chain(32 << 20)), circle);
    assert_eq!(berkeley(&[1, 7, 7]), shared);
    let mut thin = berkeley_of(&chain(200_000), 1);
    thin[(2 << 16) + 22..(2 << 16) + 24].copy_from_slice(&1_u16.to_le_bytes());
    thin[(3 << 16) + 22..(3 << 16) + 24].copy_from_slice(&1_u16.to_le_bytes());
    assert_eq!(bounded("berkeley", &Sparse::new(thin, size)), circle);

    let mut ndb = vec![0; 1 << 20];
    ndb[..4].copy_from_slice(b"RpmP");
    ndb[12..16].copy_from_slice(&1_u32.to_le_bytes());
    for slot in 2..256 {
        let slot = &mut ndb[16 * slot..16 * (slot + 1)];
        slot[..4].copy_from_slice(b"Slot");
        slot[4] = 1;
        slot[8..10].copy_from_slice(&256_u16.to_le_bytes());
    }
    ndb[4_096..4_100].copy_from_slice(b"BlbS");
    ndb[4_100] = 1;
    ndb[4_108..4_112].copy_from_slice(&1_000_000_u32.to_le_bytes());
    assert_eq!(bounded("ndb", &Sparse::new(ndb, 1 << 20)), shared);
}

/// A SQLite file whose schema is this page, behind the head of the file.
fn sqlite_of(kind: u8, cells: u16, cell: &[u8]) -> Vec<u8> {
    let mut page = vec![0; 1 << 16];
    page[..16].copy_from_slice(b"SQLite format 3\0");
    page[17] = 1;
    page[100] = kind;
    page[103..105].copy_from_slice(&cells.to_be_bytes());
    let first = if kind == 5 { 112 } else { 108 };
    for at in 0..usize::from(cells) {
        page[first + 2 * at..first + 2 * at + 2].copy_from_slice(&40_000_u16.to_be_bytes());
    }
    page[40_000..40_000 + cell.len()].copy_from_slice(cell);
    page
}

#[test]
fn rows_share_no_bytes_and_links_are_bounded() {
    // A row of 32 MiB - 1, of which 8,199 bytes are in the page and the rest on page 2, again and
    // again.
    let mut cell = vec![0x8f, 0xff, 0xff, 0x7f, 1];
    cell.resize(5 + 8_199, 0);
    cell.extend([0, 0, 0, 2]);
    let with_page_2 = |mut page: Vec<u8>| {
        page.resize(2 << 16, 0);
        page[(1 << 16) + 3] = 2;
        page
    };
    let size = 2 << 16;
    let rows = Sparse::new(with_page_2(sqlite_of(13, 10_000, &cell)), size);
    assert_eq!(bounded("sqlite", &rows), Err("pages that point in a circle"));
    // A row of 300 bytes in the page, named often: two bytes of a header, one empty column.
    let small = [0x82, 0x2c, 1, 2, 0];
    let rows = Sparse::new(sqlite_of(13, 10_000, &small), 1 << 16);
    assert_eq!(bounded("sqlite", &rows), Err("values that share their bytes"));
    // A hole of a terabyte: pages that do not exist are known by the million.
    let links = Sparse::new(sqlite_of(5, 19_000, &[0, 0, 0, 1]), 1 << 40);
    assert_eq!(bounded("sqlite", &links), Err("more links than any tree has"));
    assert!(links.given.get() < 64 << 20, "{}", links.given.get());
}

#[test]
fn a_row_has_so_many_columns_and_no_more() {
    let row = |columns: usize| {
        let header = columns + 2;
        let len = [0x80 | u8::try_from(header >> 7).unwrap(), u8::try_from(header & 0x7f).unwrap()];
        let cell = [&len[..], &[1], &len[..], &vec![8; columns]].concat();
        bounded("sqlite", &Sparse::new(sqlite_of(13, 1, &cell), 1 << 16))
    };
    assert_eq!(row(COLUMNS_MAX), Ok(()));
    assert_eq!(row(COLUMNS_MAX + 1), Err("a row of too many columns"));
}
