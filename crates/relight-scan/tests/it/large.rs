//! Programs and databases that are too long to be held, in what comes by once.

use relight_scan::{Mode, Options, Progress, Services, Target, scan_target};
use testkit::Rng;

use crate::container_writer::{sevenz, sparse, tar, xz, xz_with, zst, zst_plain};
use crate::image_writer::{Image, LAYER, gzip, oci, unpacked};
use crate::programs::{elf, pe};
use crate::zip_writer::{Member, write};
use crate::{one, one_with, pom, pom_path, run, text, tree};

/// Bytes that no packer makes smaller: those of a mebibyte again and again, which is farther than
/// packers look back.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut rng = Rng::new(7);
    let block: Vec<u8> = (0..1 << 17).flat_map(|_| rng.next().to_le_bytes()).collect();
    let mut noise = block.repeat(len.div_ceil(block.len()));
    noise.truncate(len);
    noise
}

/// A program of Go of more than so many MiB: what it was built from stands in its middle, and the
/// table of its sections at its end.
pub(crate) fn go(mebibytes: usize, behind: &[u8]) -> Vec<u8> {
    go_of(&noise(mebibytes << 20), behind)
}

/// A program of Go of these bytes.
fn go_of(bytes: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut information = b"\xff Go buildinf:\x08\x02".to_vec();
    information.resize(32, 0);
    for text in
        ["go1.22.1", "path\tm/cmd\nmod\tm/cmd\tv1.0.0\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x=\n"]
    {
        information.push(text.len() as u8);
        information.extend(text.as_bytes());
    }
    let (code, rest) = bytes.split_at(bytes.len() / 2);
    let (constants, data) = rest.split_at(1 << 20);
    let sections =
        [(".text", code), (".go.buildinfo", &information), (".rodata", constants), (".data", data)];
    elf(&sections, behind)
}

fn go_in(path: &str) -> String {
    ["stdlib@1.22.1", "golang.org/x/net@v0.1.0", "m/cmd@v1.0.0"]
        .map(|module| format!("pkg:golang/{module} in {path}\n"))
        .concat()
}

/// Limits that smaller files reach.
fn low() -> Options {
    Options { catalog_size_max: 4 << 20, ..Options::default() }
}

fn low_one(name: &str, bytes: &[u8]) -> String {
    one_with(&low(), name, bytes)
}

/// The text of a scan of an image of one layer.
fn image_of(layer: Vec<u8>, options: Options) -> String {
    let place = tree(&[]);
    let layers = [layer];
    let image = Image { architecture: "amd64", layers: &layers, media: LAYER };
    unpacked(place.path(), &oci(&[image]));
    let services = Services { progress: &Progress::default(), pace: None, cache: None };
    let target = Target::Oci(place.path().to_owned());
    let options = Options { platform: Some("linux/amd64".into()), ..options };
    text(&scan_target(&target, &options, &services).unwrap())
}

/// Goal: images hold servers of a hundred megabytes, in layers that are packed; what they were
/// built from is found there as in a folder.
#[test]
fn a_large_program_is_read_where_it_comes_by_once() {
    let layer = tar(&[("usr/bin/app", &go(40, b"")), ("etc/y", b"y")]);
    let packed = gzip(&layer);
    assert_eq!(one("o.tar.gz", &packed), go_in("o.tar.gz!/usr/bin/app"));
    assert_eq!(image_of(packed, Options::default()), go_in("usr/bin/app"));
    assert_eq!(image_of(zst(&layer), Options::default()), go_in("usr/bin/app"));
    // Some packers of layers use wider windows; what follows is read as well.
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let layer = tar(&[("usr/bin/app", &go(9, b"")), ("z.jar", &jar), ("zz", &[0; 70_000])]);
    let found = format!("{}pkg:maven/g/a@1 in z.jar\n", go_in("usr/bin/app"));
    assert_eq!(image_of(zst_plain(&layer, 24), low()), found);
    let told = "pkg:maven/g/a@1 in z.jar\nflaw limit-memory usr/bin/app\n";
    assert_eq!(image_of(zst_plain(&layer, 25), low()), told);
}

/// The same in whatever else packs it.
#[test]
fn a_large_program_is_read_in_every_stream() {
    let program = go(30, b"");
    let zip = write(&[Member::deflated("app", &program)]);
    assert_eq!(low_one("o.zip", &zip), go_in("o.zip!/app"));
    assert_eq!(low_one("app.gz", &gzip(&program)), go_in("app.gz!/app"));
    // Its bytes were read.
    let report = run(tree(&[("o.zip", &zip)]).path(), &low());
    assert_eq!(report.member_bytes.read, program.len() as u64);
    // In a zip that comes by once itself, and says sizes in front of its members or behind.
    let program = go(10, b"");
    let deflated = Member::deflated("app", &program);
    for member in
        [Member::stored("app", &program), Member { descriptor: true, ..deflated.clone() }, deflated]
    {
        let packed = gzip(&tar(&[("o.zip", &write(&[member])), ("x", b"x")]));
        assert_eq!(low_one("o.tar.gz", &packed), go_in("o.tar.gz!/o.zip!/app"));
    }
    // A packed archive in a packed archive.
    let packed = gzip(&tar(&[("app", &go(10, b""))]));
    let nested = zst(&tar(&[("x", b"x"), ("opt/o.tar.gz", &packed)]));
    assert_eq!(low_one("n.tar.zst", &nested), go_in("n.tar.zst!/opt/o.tar.gz!/app"));
}

/// What may be unpacked again is bounded for all members together, and what stands behind them is
/// read.
#[test]
fn unpacking_again_ends_and_the_others_are_read() {
    let program = go(20, b"");
    let zip = write(&[
        Member::deflated("a", &program),
        Member::deflated("b", &program),
        Member::deflated(&pom_path("a"), &pom("a", "1")),
    ]);
    let options = Options { expanded_free_bytes: 45 << 20, expanded_ratio_max: 1, ..low() };
    let got = one_with(&options, "o.zip", &zip);
    let flaw = "flaw limit-expanded o.zip!/b\n";
    let jar = "pkg:maven/g/a@1 in o.zip\n";
    assert!(got.contains(&go_in("o.zip!/a")) && got.contains(jar), "{got}");
    assert!(got.ends_with(flaw) && got.matches("flaw").count() == 1, "{got}");
}

/// A squashfs image with one file. Its blocks are not packed, whatever it says of others.
fn squashfs(packing: u16, name: &str, bytes: &[u8]) -> Vec<u8> {
    const BLOCK: usize = 1 << 20;
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let halves =
        |halves: &[u16]| halves.iter().flat_map(|half| half.to_le_bytes()).collect::<Vec<_>>();
    let metadata = |bytes: &[u8]| [&halves(&[0x8000 | bytes.len() as u16])[..], bytes].concat();
    let sizes = bytes.chunks(BLOCK).map(|block| 1 << 24 | block.len() as u32);
    let file: Vec<u32> =
        [2, 0, 0, 0, 96, u32::MAX, 0, bytes.len() as u32].into_iter().chain(sizes).collect();
    let file = metadata(&words(&file));
    let entry =
        [words(&[0, 0, 0]), halves(&[0, 0, 2, name.len() as u16 - 1]), name.into()].concat();
    // An extended folder: links, size, block, folder around it, indexes and offset.
    let root = metadata(&words(&[8, 0, 0, 0, 2, entry.len() as u32 + 3, 0, 0, 0, 0]));
    let inodes_at = 96 + bytes.len();
    let folders_at = inodes_at + file.len() + root.len();
    let folders = metadata(&entry);
    let end = folders_at + folders.len();
    let mut head = words(&[0x7371_7368, 0, 0, BLOCK as u32, 0]);
    head.extend(halves(&[packing, 20, 0, 1, 4, 0]));
    let places = [file.len() << 16, end, 0, 0, inodes_at, folders_at, 0, 0];
    head.extend(places.iter().flat_map(|place| (*place as u64).to_le_bytes()));
    [&head, bytes, &file, &root, &folders].concat()
}

/// A snap holds its files in blocks, which come by one after the other.
#[test]
fn a_large_program_is_read_in_a_snap() {
    let snap = squashfs(1, "app", &go(10, b""));
    assert_eq!(low_one("o.snap", &snap), go_in("o.snap!/app"));
    assert_eq!(low_one("o.tar", &tar(&[("x.snap", &snap)])), go_in("o.tar!/x.snap!/app"));
}

/// What may be unpacked again of a snap is bounded as well.
#[test]
fn unpacking_again_ends_in_a_snap() {
    let program = go(20, b"");
    let packed = gzip(&tar(&[("a", &program), ("b", &program), ("c", &program)]));
    let options = Options { expanded_free_bytes: 200 << 20, expanded_ratio_max: 1, ..low() };
    let got = one_with(&options, "o.snap", &squashfs(1, "p.tar.gz", &packed));
    let flaw = |name: &str| format!("flaw limit-expanded o.snap!/p.tar.gz!/{name}\n");
    assert!(got.contains(&go_in("o.snap!/p.tar.gz!/a")), "{got}");
    assert!(got.ends_with(&[flaw("b"), flaw("c")].concat()), "{got}");
    assert_eq!(got.matches("flaw").count(), 2, "{got}");
}

/// Goal: a program that packs well is read alike in one piece and in pieces. Method: one shorter
/// than what is unpacked in one piece, and one longer.
#[test]
fn programs_on_both_sides_of_one_piece_are_read_alike() {
    for mebibytes in [15, 17] {
        let program = go_of(&vec![0; mebibytes << 20], b"");
        let archive = write(&[Member::deflated("a", &program)]);
        assert_eq!(one("o", &archive), go_in("o!/a"), "{mebibytes} MiB");
    }
}

/// Goal: a snap that is packed slowly takes its time sooner. Method: as much room as a program
/// needs in an image of zlib, lz4 or zstd, and not in one of lzma or xz.
#[test]
fn unpacking_again_counts_for_more_in_a_snap_that_is_slow() {
    let program = go(10, b"");
    let options = Options { expanded_free_bytes: 40 << 20, expanded_ratio_max: 1, ..low() };
    for (packing, found) in [(1, true), (5, true), (6, true), (2, false), (4, false)] {
        let got = one_with(&options, "o.snap", &squashfs(packing, "app", &program));
        assert_eq!(got == go_in("o.snap!/app"), found, "{packing}: {got}");
        assert_eq!(got.contains("flaw limit-expanded o.snap!/app\n"), !found, "{packing}: {got}");
    }
}

/// What stands behind a large program is opened or told, and what would take too much memory once
/// more is told.
#[test]
fn what_a_large_program_hides_is_told() {
    let in_tar = |behind: &[u8]| low_one("o.tar.gz", &gzip(&tar(&[("app", &go(10, behind))])));
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let found = format!("{}pkg:maven/g/a@1 in o.tar.gz!/app\n", go_in("o.tar.gz!/app"));
    assert_eq!(in_tar(&jar), found);
    let told = format!("{}flaw limit-memory o.tar.gz!/app\n", go_in("o.tar.gz!/app"));
    for behind in [&b"hsqs"[..], b"7z\xbc\xaf\x27\x1c", b"archive MEI\x0c\x0b\x0a\x0b\x0e"] {
        assert_eq!(in_tar(&[behind, &[0; 600]].concat()), told, "{behind:?}");
    }
    // Nor is what stands in a section of one passed over.
    let inner = tar(&[("x.jar", &jar)]);
    let program = |hidden: &[u8]| {
        let resources = [&noise(9 << 20)[..], hidden, &[0; 600]].concat();
        tar(&[("app", &pe(&[(".text", &b"x"[..]), (".rsrc", &resources)]))])
    };
    for hidden in [sevenz(&[("x.jar", &jar)], 16), xz(&inner), xz_with(&inner, 128 << 20)] {
        let got = low_one("o.tar.gz", &gzip(&program(&hidden)));
        assert_eq!(got, "flaw limit-memory o.tar.gz!/app\n");
    }
    // Fast mode looks into no sections, of large programs as of small ones.
    let fast = Options { mode: Mode::Fast, ..low() };
    let got = one_with(&fast, "o.tar.gz", &gzip(&program(&sevenz(&[("x.jar", &jar)], 16))));
    assert_eq!(got, "flaw classes-not-read \n");
    let seven = |behind: &[u8]| low_one("o.7z", &sevenz(&[("app", &go(10, behind))], 24));
    let told = format!("{}flaw limit-memory o.7z!/app\n", go_in("o.7z!/app"));
    assert_eq!(seven(&[&b"hsqs"[..], &[0; 600]].concat()), told);
    assert_eq!(seven(&jar), format!("{}pkg:maven/g/a@1 in o.7z!/app\n", go_in("o.7z!/app")));
    // Two wide windows at a time, each of them twice.
    let packed = zst_plain(&tar(&[("app", &go(10, b""))]), 24);
    let twice = zst_plain(&tar(&[("o.tar.zst", &packed)]), 24);
    let place = "t.tar.zst!/o.tar.zst!/app";
    assert_eq!(low_one("t.tar.zst", &twice), format!("flaw limit-memory {place}\n"));
}

/// Goal: a stream whose window is wide is unpacked again without holding two of them, and goes on
/// behind the program. Method: windows of 16 MiB, in which a program and a jar stand.
#[test]
fn a_large_program_is_read_behind_a_wide_window() {
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let program = go(9, b"");
    // Farther from the end than a zip at the end of a file may stand.
    let last = vec![0; 70_000];
    let files = [("x", &b"x"[..]), ("app", &program), ("z.jar", &jar), ("zz", &last)];
    let jar_in = |path: &str| format!("pkg:maven/g/a@1 in {path}!/z.jar\n");
    let found = |path: &str| go_in(&format!("{path}!/app")) + &jar_in(path);
    let options = Options { expanded_free_bytes: 1 << 30, ..low() };
    let low_one = |name: &str, bytes: &[u8]| one_with(&options, name, bytes);
    assert_eq!(low_one("o.tar.xz", &xz_with(&tar(&files), 16 << 20)), found("o.tar.xz"));
    assert_eq!(low_one("o.7z", &sevenz(&files, 24)), found("o.7z"));
    // One that is wider is told where an archive is in it, and read without.
    let wider = low_one("o.tar.zst", &zst_plain(&tar(&files), 25));
    assert_eq!(wider, format!("{}flaw limit-memory o.tar.zst!/app\n", jar_in("o.tar.zst")));
    assert_eq!(low_one("app.zst", &zst_plain(&program, 25)), go_in("app.zst!/app"));
    assert_eq!(low_one("o.tar.zst", &zst_plain(&tar(&files), 26)), found("o.tar.zst"));
    // An archive in one, and a program that is not in the first place.
    let two = [("first", &program[..]), ("second", &program)];
    let nested = low_one("n.7z", &sevenz(&[("i.tar.gz", &gzip(&tar(&two)))], 24));
    let places = ["first", "second"].map(|name| go_in(&format!("n.7z!/i.tar.gz!/{name}")));
    let all = places.concat();
    assert!(all.lines().all(|line| nested.contains(line)), "{nested}");
    assert_eq!(nested.lines().count(), all.lines().count(), "{nested}");
    // What may not be unpacked again is told, and keeps nothing from being read.
    let options = Options { expanded_free_bytes: 60 << 20, expanded_ratio_max: 1, ..low() };
    let got = one_with(&options, "o.7z", &sevenz(&files, 24));
    let told = "flaw limit-expanded o.7z!/app\n";
    assert!(got.contains(&jar_in("o.7z")) && got.ends_with(told), "{got}");
}

/// Goal: a sparse file is as good as any other. Method: each form of GNU tar, plain and packed.
#[test]
fn a_large_program_is_read_in_a_sparse_file() {
    let program = go_of(&[noise(3 << 20), vec![0; 4 << 20], noise(2 << 20)].concat(), b"");
    let hole = 5 << 20..6 << 20;
    assert!(program[hole.clone()].iter().all(|byte| *byte == 0));
    let map = [(0, &program[..hole.start]), (hole.end, &program[hole.end..])];
    for (number, archive) in sparse("app", program.len(), &map).iter().enumerate() {
        assert_eq!(low_one("o.tar", archive), go_in("o.tar!/app"), "form {number}");
        assert_eq!(low_one("o.tar.gz", &gzip(archive)), go_in("o.tar.gz!/app"), "form {number}");
    }
}

/// Bytes of a page of the database.
const PAGE: usize = 64 << 10;

/// Pages of it: 40 MiB.
const PAGES: usize = 640;

/// A package, as the database holds it.
fn package(name: &str, summary: &str) -> Vec<u8> {
    let texts = [(1000, name), (1001, "1"), (1002, "2"), (1004, summary)];
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, text) in texts {
        index.extend([tag, 6, data.len() as u32, 1].map(u32::to_be_bytes).concat());
        data.extend(text.bytes().chain([0]));
    }
    let sizes = [texts.len() as u32, data.len() as u32].map(u32::to_be_bytes).concat();
    [sizes, index, data].concat()
}

fn varint(value: usize) -> Vec<u8> {
    [14, 7]
        .map(|shift| (value >> shift) as u8 | 0x80)
        .into_iter()
        .chain([value as u8 & 0x7f])
        .collect()
}

/// A row of these columns, each with the number of its type.
fn record(columns: &[(usize, &[u8])]) -> Vec<u8> {
    let types: Vec<u8> = columns.iter().flat_map(|(kind, _)| varint(*kind)).collect();
    let values = columns.iter().flat_map(|(_, value)| value.to_vec());
    varint(types.len() + 3).into_iter().chain(types).chain(values).collect()
}

/// A page with these rows, of which the last may go on in another page.
fn leaf(start: usize, rows: &[Vec<u8>], goes_on: u32) -> (Vec<u8>, Vec<u8>) {
    let mut page = vec![0; PAGE];
    page[start] = 13;
    page[start + 3..start + 5].copy_from_slice(&(rows.len() as u16).to_be_bytes());
    let (mut at, mut rest) = (start + 8 + 2 * rows.len(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        let place = start + 8 + 2 * number;
        page[place..place + 2].copy_from_slice(&(at as u16).to_be_bytes());
        let least = (PAGE - 12) * 32 / 255 - 23;
        let local = if row.len() <= PAGE - 35 {
            row.len()
        } else {
            least + (row.len() - least) % (PAGE - 4)
        };
        let mut cell = [varint(row.len()), varint(number + 1), row[..local].to_vec()].concat();
        if local < row.len() {
            cell.extend(goes_on.to_be_bytes());
            rest = row[local..].to_vec();
        }
        page[at..at + cell.len()].copy_from_slice(&cell);
        at += cell.len();
    }
    (page, rest)
}

/// Free pages that are half as long when they are packed, as databases of packages are.
pub(crate) fn free_pages() -> Vec<u8> {
    let digit = |byte: u8| b"0123456789abcdef"[usize::from(byte & 15)];
    noise(PAGES * PAGE).into_iter().map(digit).collect()
}

/// A database of RPM whose packages stand near its end, one of them in the middle as well; what is
/// free is this.
pub(crate) fn large_rpmdb(free: Vec<u8>) -> Vec<u8> {
    const ROOT: usize = 600;
    const REST: usize = 300;
    let mut file = free;
    let root = (ROOT as u32).to_be_bytes();
    let schema =
        record(&[(23, b"table"), (29, b"Packages"), (29, b"Packages"), (4, &root), (0, b"")]);
    let (mut first, _) = leaf(100, &[schema], 0);
    first[..16].copy_from_slice(b"SQLite format 3\0");
    first[16..18].copy_from_slice(&[0, 1]);
    let long = package("long", &"x".repeat(80 << 10));
    let rows = [package("a", ""), package("b", ""), long]
        .map(|header| record(&[(0, b""), (12 + 2 * header.len(), &header)]));
    let (page, rest) = leaf(0, &rows, REST as u32);
    file[..PAGE].copy_from_slice(&first);
    file[(ROOT - 1) * PAGE..ROOT * PAGE].copy_from_slice(&page);
    let at = (REST - 1) * PAGE;
    file[at..at + 4].fill(0);
    file[at + 4..at + 4 + rest.len()].copy_from_slice(&rest);
    file
}

/// Goal: a database of packages is found in a packed layer, whether it fits into memory packed or
/// is unpacked once more for what has gone by.
#[test]
fn a_large_database_is_read_where_it_comes_by_once() {
    let path = "var/lib/rpm/rpmdb.sqlite";
    let found = |path: &str| {
        let packages = ["a", "b", "long"];
        packages.map(|name| format!("pkg:rpm/{name}@1-2 in {path}\n")).concat()
    };
    let packed = zst(&tar(&[(path, &large_rpmdb(free_pages())), ("etc/y", b"y")]));
    assert_eq!(image_of(packed, Options::default()), found(path));
    let database = large_rpmdb(noise(PAGES * PAGE));
    let packed = gzip(&tar(&[(path, &database), ("etc/y", b"y")]));
    assert_eq!(one("o.tar.gz", &packed), found(&format!("o.tar.gz!/{path}")));
    // What is an archive as well is told.
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let database = [large_rpmdb(free_pages()), jar].concat();
    let got = one("o.tar.gz", &gzip(&tar(&[(path, &database)])));
    let place = format!("o.tar.gz!/{path}");
    assert_eq!(got, format!("{}flaw limit-memory {place}\n", found(&place)));
}
