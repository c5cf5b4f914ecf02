//! Damaged archives around one class: it is reached or something is told, unless it is gone.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use relight_scan::{ClassPrint, Options, Report};
use testkit::Rng;

use crate::container_writer::{
    bz2, cpio, deb, gz, jimage, lz4, lzma, old_cpio, phar, rpm, sevenz, tar, xz, zst,
};
use crate::mutations::mutate;
use crate::zip_writer::{Member, write, write_with};
use crate::{one, run, tree};

/// Archives that the suite damages; `cargo xtask soak` asks for more in `RELIGHT_ARCHIVES`.
const DAMAGED: usize = 4_000;

/// Archives that are scanned as one tree.
const IN_TREE: usize = 250;

/// Fewer bytes than a mark has are nothing.
const MARK_BYTES: usize = 4;

/// What starts the archive whose name says nothing.
const SCRIPT: &[u8] = b"#!/bin/sh\nexec java\n";

/// A class whose fingerprint hangs on a text of it.
fn class() -> Vec<u8> {
    let text =
        "a lookup that asks any server: \u{1}0123456789abcdefghijklmnopqrstuvwxyz~!@#$%^&*()";
    let utf8 = |text: &str| {
        let len = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&[1][..], &len, text.as_bytes()].concat()
    };
    let pool = [
        utf8("org/example/Lookup"),
        vec![7, 0, 1],
        utf8("java/lang/Object"),
        vec![7, 0, 3],
        utf8("TEXT"),
        utf8("Ljava/lang/String;"),
        utf8("ConstantValue"),
        utf8(text),
        vec![8, 0, 8],
    ];
    let field = [0, 25, 0, 5, 0, 6, 0, 1, 0, 7, 0, 0, 0, 2, 0, 9];
    [
        &[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52, 0, 10][..],
        &pool.concat(),
        &[0, 33, 0, 2, 0, 4, 0, 0, 0, 1],
        &field,
        &[0, 0, 0, 0],
    ]
    .concat()
}

/// An archive that is damaged.
struct Good {
    /// The end of its name, by which a reader knows it where its mark is gone.
    ending: &'static str,
    bytes: Vec<u8>,
    /// Every byte of it is under a check sum, or leads to what is: no damage of it is silent.
    is_summed: bool,
}

/// Archives of every family with the class in each.
fn good() -> Vec<Good> {
    let class = class();
    let name = "org/example/Lookup.class";
    let other = Member::deflated("readme.txt", b"what stands beside it\n");
    let jar = write(&[other.clone(), Member::deflated(name, &class)]);
    let stored = write(&[Member::stored(name, &class), other.clone()]);
    let mut streamed = Member::deflated(name, &class);
    streamed.descriptor = true;
    let streamed = write(&[streamed, other]);
    let script = write_with(&[Member::deflated(name, &class)], SCRIPT, b"");
    let files: &[(&str, &[u8])] = &[("lib/x.jar", &jar)];
    let good = |is_summed| move |(ending, bytes)| Good { ending, bytes, is_summed };
    let summed = [
        ("jar", jar.clone()),
        ("stored.jar", stored.clone()),
        ("streamed.jar", streamed.clone()),
        ("war", write(&[Member::deflated("WEB-INF/lib/x.jar", &stored)])),
        ("ear", write(&[Member::stored("x.war", &write(&[Member::stored("x.jar", &jar)]))])),
        ("tgz", gz(&tar(files))),
        ("tar.bz2", bz2(&tar(files))),
        ("tar.xz", xz(&tar(files))),
        ("deb", deb("data.tar.xz", &xz(&tar(&[("./lib/x.jar", &streamed)])))),
        ("7z", sevenz(files, 16)),
    ];
    let others = [
        ("sh", script),
        ("tar", tar(files)),
        ("tar.lzma", lzma(&tar(files))),
        ("tar.zst", zst(&tar(files))),
        ("tar.lz4", lz4(&tar(files))),
        ("cpio", cpio(&[("lib/Lookup.class", &class), ("readme.txt", b"beside")])),
        ("odc.cpio", old_cpio(files)),
        ("ipk", deb("data.tar", &tar(&[("./lib/Lookup.class", &class)]))),
        ("rpm", rpm(&zst(&cpio(files)))),
        ("jmod", jimage(&[("lib/x.jar.z", &jar)], true)),
        ("phar", phar(&[("lib/x.jar.z", &jar), ("lib/y.jar", &stored)])),
    ];
    summed.into_iter().map(good(true)).chain(others.into_iter().map(good(false))).collect()
}

fn options() -> Options {
    Options { keep_listings: true, expanded_free_bytes: 1 << 20, ..Options::default() }
}

/// The fingerprints of the classes that were reached in a file.
fn reached<'a>(report: &'a Report, file: &str) -> impl Iterator<Item = ClassPrint> + 'a {
    let inside = format!("{file}!/");
    let own = move |place: &str| place == &inside[..inside.len() - 2] || place.starts_with(&inside);
    let own = report.listings.iter().filter(move |(place, _)| own(place));
    own.flat_map(|(_, listing)| listing.entries.iter().filter_map(|it| it.class))
}

/// Whether a reader of the tests' own finds the class in bytes, whatever they are: it takes
/// everything for the start of everything, and asks for no directory and no sum.
fn holds(bytes: &[u8], class: &[u8], depth: u32) -> bool {
    if bytes.windows(class.len()).any(|piece| piece == class) {
        return true;
    }
    (0..bytes.len())
        .filter(|_| depth > 0)
        .any(|at| unpacked(&bytes[at..]).is_some_and(|inner| holds(&inner, class, depth - 1)))
}

/// What the bytes are when they are unpacked, as far as that goes.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    const MAX: u64 = 64 << 10;
    let mut out = Vec::new();
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        // As far as it goes: what came before damage stays.
        let _ = zstd::stream::copy_decode(bytes, &mut out);
        return (!out.is_empty()).then_some(out);
    }
    let mut read = |reader: &mut dyn Read| drop(reader.take(MAX).read_to_end(&mut out));
    match bytes {
        [4, 0x22, 0x4d, 0x18, ..] => read(&mut lz4_flex::frame::FrameDecoder::new(bytes)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            read(&mut lzma_rust2::XzReader::new(Cursor::new(bytes), true));
        }
        [b'B', b'Z', b'h', ..] => read(&mut bzip2::read::MultiBzDecoder::new(bytes)),
        [0x5d, 0, 0, ..] => {
            let reader = lzma_rust2::LzmaReader::new_mem_limit(Cursor::new(bytes), 1 << 16, None);
            reader.ok().into_iter().for_each(|mut it| read(&mut it));
        }
        _ => read(&mut flate2::read::DeflateDecoder::new(bytes)),
    }
    (!out.is_empty()).then_some(out)
}

/// Whether nothing is left that could be an archive.
fn is_nothing(bytes: &[u8]) -> bool {
    let is_text = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, 8..=13 | 27 | b' '..=b'~'));
    bytes.len() < MARK_BYTES || is_text(bytes)
}

/// Goal: no damage of a vulnerable archive ends silent while its class is still in it, or while
/// something that a check sum covers was damaged ("never clear when bytes were unread").
/// Method: archives of every family with one to six changes each, from one seed. Each gives the
/// fingerprint of the class, or a flaw, or a gap. Without one of these, it must be nothing any
/// more (three bytes, or text), or be of a family without check sums, and then a reader of the
/// tests' own, which unpacks from every byte on, must not find the class either. A script in front
/// of an archive is known by its first line alone.
#[test]
fn mutated_archives_are_never_silent_while_the_class_is_in_them() {
    let seed = 20_211_209;
    let asked = std::env::var("RELIGHT_ARCHIVES").ok().and_then(|text| text.parse().ok());
    let count: usize = asked.unwrap_or(DAMAGED);
    println!("seed {seed}, {count} archives");
    let (good, class) = (good(), class());
    let print = print_of(&good);
    let mut rng = Rng::new(seed);
    let (mut reached_in, mut told, mut silent, mut cleared) = (0, 0, 0, Vec::new());
    for first in (0..count).step_by(IN_TREE) {
        let damaged: Vec<_> = (first..count.min(first + IN_TREE))
            .map(|number| {
                let good = rng.pick(&good);
                let mut bytes = good.bytes.clone();
                (0..=rng.below(6)).for_each(|_| mutate(&mut bytes, &mut rng));
                (format!("{number}.{}", good.ending), bytes, good)
            })
            .collect();
        let files: Vec<_> = damaged.iter().map(|it| (it.0.as_str(), it.1.as_slice())).collect();
        let report = run(tree(&files).path(), &options());
        let flaws = report.sbom.flaws.iter().map(|flaw| flaw.evidence.as_str());
        let gaps = report.gaps.iter().map(|(_, place)| place.as_str());
        let places = flaws.chain(gaps).map(|place| place.split('!').next().unwrap_or_default());
        let places: BTreeSet<&str> = places.collect();
        for (name, bytes, good) in &damaged {
            if reached(&report, name).any(|it| it == print) {
                reached_in += 1;
            } else if places.contains(name.as_str()) {
                told += 1;
            } else {
                silent += 1;
                // Without its first bytes nobody knows what a file is that is called anyhow.
                let is_known = good.ending != "sh" || bytes.starts_with(SCRIPT);
                let is_gone = !good.is_summed && (!is_known || !holds(bytes, &class, 4));
                if !is_nothing(bytes) && !is_gone {
                    cleared.push(format!("{name}: {bytes:02x?}"));
                }
            }
        }
    }
    println!("{reached_in} reached, {told} told, {silent} of which nothing is left");
    assert!(cleared.is_empty(), "seed {seed}: {}", cleared.join("\n"));
    assert!(reached_in > count / 20 && told > count / 2, "the damage is of every kind");
}

/// The fingerprint of the class, which each archive gives before it is damaged.
fn print_of(good: &[Good]) -> ClassPrint {
    let names: Vec<_> = (0..good.len()).map(|at| format!("{at}.{}", good[at].ending)).collect();
    let files: Vec<_> =
        names.iter().zip(good).map(|(name, it)| (name.as_str(), it.bytes.as_slice())).collect();
    let report = run(tree(&files).path(), &options());
    assert!(report.sbom.flaws.is_empty(), "{:?}", report.sbom.flaws);
    let prints: Vec<_> = names.iter().map(|name| reached(&report, name).next()).collect();
    assert!(prints.iter().all(|it| it.is_some() && *it == prints[0]), "{names:?} {prints:?}");
    prints[0].unwrap()
}

/// Goal: damage that no check sum shows is told, and what is no archive is not. Method: one change
/// each, of what leads to a member, and files that are only called like archives.
#[test]
fn damage_without_a_check_sum_is_told() {
    let class = class();
    let jar = write(&[Member::deflated("A.class", &class)]);
    let plain = cpio(&[("A.class", &class)]);
    let of_mode = |mode: &[u8; 8]| [&plain[..14], mode, &plain[22..]].concat();
    // Text has no zeros, which no link says either.
    let linked = |text: &[u8]| {
        let plain = cpio(&[("package.json", text)]);
        [&plain[..14], b"0000a1a4", &plain[22..]].concat()
    };
    let lines = b"{\n\"name\":\"x\",\"version\":\"1\"}\n";
    let line = [&b"{\"name\":\"x\",\"version\":\"1\","[..], &[b' '; 4_096], b"\"a\":1}"].concat();
    let ipk = deb("data.tar", &tar(&[("A.class", &class)]));
    let data_at = ipk.windows(8).position(|piece| piece == b"data.tar").unwrap();
    let mut sum = jimage(&[("lib/x.jar.z", &jar)], true);
    *sum.last_mut().unwrap() ^= 1;
    const SUM: &str = "flaw truncated modules!/lib/x.jar\nflaw corrupt-entry modules!/lib/x.jar\n";
    let phar = phar(&[("x.jar", &jar)]);
    for (name, bytes, expected) in [
        ("a.ipk", &ipk[..], ""),
        ("b.ipk", &ipk[..data_at], "flaw truncated b.ipk\n"),
        ("a.cpio", &plain, ""),
        ("b.cpio", &of_mode(b"000041a4"), "flaw corrupt-entry b.cpio!/A.class\n"),
        ("c.cpio", &of_mode(b"0000a1a4"), "flaw corrupt-entry c.cpio!/A.class\n"),
        ("d.cpio", &linked(lines), "flaw corrupt-entry d.cpio!/package.json\n"),
        ("e.cpio", &linked(&line), "flaw corrupt-entry e.cpio!/package.json\n"),
        ("f.cpio", &linked(b"../store/package.json"), ""),
        ("modules", &sum, SUM),
        ("a.phar", &phar, ""),
        ("b.phar", &phar[..40], "flaw truncated b.phar\n"),
        ("b.php", &phar[..40], ""),
        ("text.phar", b"What stands here once was a program.\n", ""),
        ("c.phar", b"#!/usr/bin/env php\n<?php\nif (true) {", "flaw truncated c.phar\n"),
        ("a.squashfs", &[1, 2, 3], "flaw corrupt-entry a.squashfs\n"),
        ("a.gz", &[0xff; 600], "flaw corrupt-entry a.gz\n"),
        ("a.jar", &[0xff; 600], "flaw corrupt-entry a.jar\n"),
        ("a.txt", &[0xff; 600], ""),
        ("b.jar", "pas encore livré".as_bytes(), ""),
    ] {
        assert_eq!(one(name, bytes), expected, "{name}");
    }
}

/// Goal: what is told of a file is told of bytes that come by once, however many they are.
/// Method: files of nine megabytes that are called like archives, as files and in a packed tar:
/// letters of any coding, alone and in front of an intact archive; text with and without zeros in
/// it; code of PHP that is cut.
#[test]
fn long_damage_in_streams_is_told_as_in_files() {
    const LONG: usize = 9 << 20;
    let jar = write(&[Member::deflated(
        "META-INF/maven/g/a/pom.properties",
        b"groupId=g\nartifactId=a\nversion=1\n",
    )]);
    let behind = |start: Vec<u8>| [start, jar.clone()].concat();
    let with_zeros = [&b"text\n".repeat(1_000)[..], &vec![0; LONG]].concat();
    let cut = [&b"<?php\n"[..], &b"// code\n".repeat(LONG / 8)].concat();
    for (name, bytes, expected) in [
        ("a.jar", vec![0xff; LONG], "flaw corrupt-entry PLACE\n"),
        ("a.rpm", vec![0xff; LONG], "flaw corrupt-entry PLACE\n"),
        ("a.txt", vec![0xff; LONG], ""),
        ("b.jar", behind(vec![0xff; LONG]), "pkg:maven/g/a@1 in PLACE\n"),
        ("c.jar", behind(b"text\n".repeat(LONG / 5)), "pkg:maven/g/a@1 in PLACE\n"),
        ("d.jar", b"text\n".repeat(LONG / 5), ""),
        ("e.rpm", with_zeros.clone(), "flaw corrupt-entry PLACE\n"),
        ("e.txt", with_zeros, ""),
        ("a.phar", cut.clone(), "flaw truncated PLACE\n"),
        ("a.php", cut, ""),
    ] {
        assert_eq!(one(name, &bytes), expected.replace("PLACE", name), "{name}");
        let got = one("o.tgz", &gz(&tar(&[(name, &bytes)])));
        assert_eq!(got, expected.replace("PLACE", &format!("o.tgz!/{name}")), "{name} in a stream");
    }
}
