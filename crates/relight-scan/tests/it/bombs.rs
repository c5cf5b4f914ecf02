//! Containers that are made to harm: bombs, loops, lies about sizes. Each ends soon, within its
//! memory, and never looks complete.

use std::time::{Duration, Instant};

use relight_scan::{DEPTH_MAX, Options};
use rustix::time::{ClockId, clock_gettime};

use crate::container_writer::{
    cpio, deb, gz, iso, rpm, seal, seven_of, tar, tar_member, xz_with, zst, zst_plain, zst_wide,
};
use crate::large::noise;
use crate::zip_writer::{Member, write};
use crate::{one, one_with, pom, pom_path, run, text, tree};

/// What a hostile file may cost on one thread, in seconds of the processor. A debug build and a
/// busy machine are slower than what users run; the goal of 2 s is measured by the benchmark.
const HOSTILE_S_MAX: u64 = 30;

fn jar() -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))])
}

/// Scans one file and gives what was found; fails when that took too long.
fn bounded(name: &str, bytes: &[u8]) -> String {
    let cpu = || Duration::from_secs(clock_gettime(ClockId::ProcessCPUTime).tv_sec as u64);
    let (before, clock) = (cpu(), Instant::now());
    let got = one(name, bytes);
    let took = (cpu() - before).min(clock.elapsed());
    assert!(took.as_secs() <= HOSTILE_S_MAX, "{name} took {took:?}");
    got
}

fn is_flawed(name: &str, bytes: &[u8], code: &str) {
    let got = bounded(name, bytes);
    assert!(got.contains(&format!("flaw {code} ")), "{name}: {got}");
}

#[test]
fn bombs_in_every_stream() {
    let zeros = vec![0; 14 << 20];
    let files: &[(&str, &[u8])] = &[("zeros", &zeros)];
    let options = Options { expanded_free_bytes: 8 << 20, ..Options::default() };
    for (name, bomb) in [
        ("zst", zst(&zeros)),
        ("tar.zst", zst(&tar(files))),
        ("gz", gz(&zeros)),
        ("cpio.gz", gz(&cpio(files))),
        ("rpm", rpm(&zst(&cpio(files)))),
        ("deb", deb("data.tar.zst", &zst(&tar(files)))),
    ] {
        assert!((8 << 20) + 200 * bomb.len() < zeros.len(), "{name} is too tame");
        let got = one_with(&options, name, &bomb);
        assert!(got.contains("flaw limit-expanded"), "{name}: {got}");
    }
}

#[test]
fn windows_over_the_limit() {
    is_flawed("xz", &xz_with(b"small", 256 << 20), "limit-window");
    is_flawed("zst", &zst_wide(&jar(), 27), "limit-window");
    let mut lzma = vec![0x5d];
    lzma.extend((1_u32 << 30).to_le_bytes());
    lzma.extend([0xff; 8]);
    lzma.extend([0; 20]);
    is_flawed("lzma", &lzma, "limit-window");
}

/// Goal: streams in each other hold no more together than one may. Method: wide windows that are
/// full; the same around little, which is read.
#[test]
fn windows_in_windows() {
    let nested = |bytes: &[u8]| (0..4).fold(bytes.to_vec(), |inner, _| zst_plain(&inner, 25));
    is_flawed("zst", &nested(&noise(9 << 20)), "limit-window");
    // What stands in front of a wide part says nothing of it.
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0][..], b"skip"].concat();
    let later = |inner: Vec<u8>, _| [&skipped[..], &zst_plain(&inner, 23)].concat();
    is_flawed("zst", &(0..8).fold(noise(9 << 20), later), "limit-window");
    let small = nested(&tar(&[("x.jar", &jar()), ("filler", &[0; 70_000])]));
    assert_eq!(one("z", &small), "pkg:maven/g/a@1 in z!/z!/z!/z!/x.jar\n");
}

/// Goal: the packed header of a 7z is held to what folders are. Method: one of two coders of wide
/// windows, and one whose first coder gives more than a header may have.
#[test]
fn a_7z_whose_header_asks_for_much() {
    let number = |value: u64| [&[0xff][..], &value.to_le_bytes()].concat();
    let archive = |between: u64, window: u32| {
        let coder = [&[0x23, 3, 1, 1, 5, 0x5d][..], &window.to_le_bytes()].concat();
        let packed = [0; 40];
        let mut header = [&[0x17, 6, 0, 1, 9][..], &number(40), &[0]].concat();
        // The first coder takes what the second one gives.
        header.extend([&[7, 11, 1, 0, 2][..], &coder, &coder, &[0, 1, 12]].concat());
        header.extend([&number(100)[..], &number(between), &[0, 0]].concat());
        seven_of(&packed, &header)
    };
    is_flawed("o.7z", &archive(100, 64 << 20), "limit-window");
    is_flawed("o.7z", &archive(1 << 40, 1 << 16), "limit-memory");
}

/// Goal: an archive whose directory says that it contains itself ends where it starts again; those
/// that really do are in `quine`. Method: the member is a window of the archive, by a false size.
#[test]
fn an_archive_that_contains_itself() {
    // A stored member whose data is everything from its own local header on.
    let inner = jar();
    let zip = write(&[Member::stored("self.zip", &inner)]);
    let mut member = Member::stored("self.zip", &inner);
    member.unpacked = zip.len() as u32;
    is_flawed("o.zip", &write(&[member]), "corrupt-entry");
}

#[test]
fn forty_levels_pass_and_four_hundred_do_not() {
    let mut nested = jar();
    for level in 1..=400 {
        nested = match level % 3 {
            0 => write(&[Member::deflated("n", &nested)]),
            1 => write(&[Member::stored("n", &nested)]),
            _ => tar(&[("n", &nested)]),
        };
        if level == 40 {
            let found = format!("pkg:maven/g/a@1 in z{}\n", "!/n".repeat(40));
            assert_eq!(bounded("z", &nested), found);
        }
    }
    let got = bounded("z", &nested);
    assert_eq!(got, format!("flaw limit-depth z{}\n", "!/n".repeat(DEPTH_MAX as usize)));
}

#[test]
fn streams_in_streams_are_levels_too() {
    let mut nested = jar();
    for _ in 0..200 {
        nested = gz(&nested);
    }
    is_flawed("z", &nested, "limit-depth");
    // Streams that are no steps of the path: an initial file system in an initial file system.
    let mut nested = cpio(&[("x.jar", &jar())]);
    for _ in 0..300 {
        nested = [cpio(&[]), gz(&nested)].concat();
    }
    is_flawed("initrd", &nested, "limit-depth");
}

#[test]
fn five_thousand_archives_and_seventy_thousand_members_pass() {
    let inner = jar();
    let many: Vec<_> =
        (0..5_000).map(|number| Member::stored(&format!("{number}.jar"), &inner)).collect();
    let got = bounded("o.zip", &write(&many));
    assert_eq!(got.lines().filter(|line| line.starts_with("pkg:")).count(), 5_000);
    assert!(!got.contains("flaw"));
    let names: Vec<String> = (0..70_000).map(|number| format!("d/{number}.txt")).collect();
    let mut members: Vec<_> = names.iter().map(|name| Member::stored(name, b"")).collect();
    members.push(Member::deflated(&pom_path("a"), &pom("a", "1")));
    assert_eq!(bounded("o.zip", &write(&members)), "pkg:maven/g/a@1 in o.zip\n");
}

#[test]
fn tar_sizes_that_are_negative_or_beyond_everything() {
    let negative = tar_member(b"x", b'0', &[0xff; 12], &[]);
    is_flawed("t", &[negative, tar(&[("x.jar", &jar())])].concat(), "corrupt-entry");
    let huge = [&[0x80, 0, 0, 0, 0x7f][..], &[0xff; 7]].concat();
    is_flawed("t", &tar_member(b"x", b'0', &huge, b"data"), "truncated");
    is_flawed("t", &gz(&tar_member(b"x", b'0', &huge, b"data")), "truncated");
    // A long name of gigabytes.
    is_flawed("t", &tar_member(b"x", b'L', b"77777777777", b"name"), "limit-memory");
    // Headers that describe headers, without an end.
    let endless = tar_member(b"x", b'x', b"00000000000", b"").repeat(100);
    is_flawed("t", &endless, "limit-memory");
}

#[test]
fn a_sparse_file_of_terabytes() {
    let mut sparse = tar_member(b"x", b'S', b"00000000003", b"abc");
    sparse[257..265].copy_from_slice(b"ustar  \0");
    sparse[386..397].copy_from_slice(b"77777777770");
    sparse[398..409].copy_from_slice(b"00000000003");
    sparse[483..494].copy_from_slice(b"77777777773");
    seal(&mut sparse);
    let got = bounded("t", &sparse);
    assert!(got.contains("flaw limit-e"), "{got}");
}

#[test]
fn an_iso_whose_folder_contains_itself() {
    let mut image = iso(&[("x.jar", &jar())], true);
    let folder = 19 * 2048;
    // The record of the file becomes one of a folder: the root.
    let at = (folder..folder + 2048).find(|at| image[*at..].starts_with(b"X.JAR;1")).unwrap() - 33;
    image[at + 2..at + 6].copy_from_slice(&19_u32.to_le_bytes());
    image[at + 10..at + 14].copy_from_slice(&2048_u32.to_le_bytes());
    image[at + 25] = 2;
    // No file holds the archive any more: it stands behind them.
    assert_eq!(bounded("i", &image), "pkg:maven/g/a@1 in i\n");
    // A folder of four gigabytes.
    image[at + 2..at + 6].copy_from_slice(&20_u32.to_le_bytes());
    image[at + 10..at + 14].fill(0xff);
    is_flawed("i", &image, "limit-entries");
}

#[test]
fn a_squashfs_that_lies() {
    let image = include_bytes!("samples/gzip.squashfs");
    for (at, bytes) in [
        (12, &[0, 0, 0, 0][..]),
        (12, &[0, 0, 0, 0x80]),
        (32, &[0xff; 8]),
        (64, &[0xff; 8]),
        (72, &[0, 0, 0, 0, 0, 0, 0, 0]),
        (80, &[0xff; 8]),
    ] {
        let mut lie = image.to_vec();
        lie[at..at + bytes.len()].copy_from_slice(bytes);
        let got = bounded("s", &lie);
        assert!(got.contains("flaw ") || at == 80, "{at}: {got}");
    }
}

#[test]
fn the_time_of_the_processor_is_bounded() {
    let options = Options { file_time_max_s: 0, ..Options::default() };
    let many: Vec<_> = (0..600).map(|n| Member::stored(&n.to_string(), b"")).collect();
    let got = one_with(&options, "z", &write(&many));
    assert!(got.starts_with("flaw limit-time z!/"), "{got}");
    assert_eq!(got.lines().count(), 1);
    let got = one_with(&options, "gz", &gz(&vec![0; 9 << 20]));
    assert!(got.contains("flaw limit-time gz!/gz\n"), "{got}");
}

#[test]
fn good_neighbours_of_hostile_files_are_found() {
    let zeros = vec![0; 14 << 20];
    let options = Options { expanded_free_bytes: 8 << 20, ..Options::default() };
    let files: &[(&str, &[u8])] = &[
        ("bomb.gz", &gz(&zeros)),
        ("cut.tar", &tar(&[("x.jar", &jar())])[..700]),
        ("good.jar", &jar()),
    ];
    let got = text(&run(tree(files).path(), &options));
    assert!(got.contains("pkg:maven/g/a@1 in good.jar\n"), "{got}");
    assert!(got.contains("flaw limit-expanded bomb.gz"), "{got}");
}
