//! Every family of containers, in each other, under names that say nothing.

use relight_scan::Options;

use crate::container_writer::{
    bz2, cpio, deb, gz, iso, jimage, lz4, lzma, old_cpio, phar, rpm, seal, sparse, tar, tar_member,
    xz, zst,
};
use crate::zip_writer::{Member, write};
use crate::{one, pom, pom_path, run, text, tree};

/// Archives that other programs wrote: `x.jar` holds version 1, `deep/y.bin` version 2.
const SAMPLES: [(&str, &[u8]); 14] = [
    ("lzma.7z", include_bytes!("samples/lzma.7z")),
    ("plain-header.7z", include_bytes!("samples/plain-header.7z")),
    ("bcj2.7z", include_bytes!("samples/bcj2.7z")),
    ("bzip2.7z", include_bytes!("samples/bzip2.7z")),
    ("delta.7z", include_bytes!("samples/delta.7z")),
    ("gzip.squashfs", include_bytes!("samples/gzip.squashfs")),
    ("zstd.squashfs", include_bytes!("samples/zstd.squashfs")),
    ("xz.squashfs", include_bytes!("samples/xz.squashfs")),
    ("lz4.squashfs", include_bytes!("samples/lz4.squashfs")),
    ("lzma.squashfs", include_bytes!("samples/lzma.squashfs")),
    ("lzma.zip", include_bytes!("samples/lzma.zip")),
    ("deflate64.zip", include_bytes!("samples/deflate64.zip")),
    ("ppmd.7z", include_bytes!("samples/ppmd.7z")),
    ("ppmd.zip", include_bytes!("samples/ppmd.zip")),
];

fn jar(version: &str) -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", version))])
}

/// A small container of each family that the tests can write, and what its member is called.
pub(crate) fn written() -> Vec<(&'static str, Vec<u8>)> {
    let jar = jar("1");
    let files: &[(&str, &[u8])] = &[("lib/x.jar", &jar)];
    vec![
        ("tar", tar(files)),
        ("tgz", gz(&tar(files))),
        ("tar.bz2", bz2(&tar(files))),
        ("tar.xz", xz(&tar(files))),
        ("tar.lzma", lzma(&tar(files))),
        ("tar.zst", zst(&tar(files))),
        ("tar.lz4", lz4(&tar(files))),
        ("newc", cpio(files)),
        ("odc", old_cpio(files)),
        ("deb", deb("data.tar.xz", &xz(&tar(&[("./lib/x.jar", &jar)])))),
        ("ipk", deb("data.tar", &tar(files))),
        ("rpm", rpm(&zst(&cpio(&[("./lib/x.jar", &jar)])))),
        ("zip", write(&[Member::deflated("lib/x.jar", &jar)])),
        ("jimage", jimage(&[("lib/x.jar.z", &jar)], true)),
        ("phar", phar(&[("lib/x.jar.z", &jar)])),
    ]
}

/// Every sample of this file: what is to be damaged.
pub(crate) fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = written();
    all.extend(SAMPLES.map(|(name, bytes)| (name, bytes.to_vec())));
    all
}

#[test]
fn each_family_under_a_name_that_says_nothing() {
    for (kind, bytes) in written() {
        let found = "pkg:maven/g/a@1 in data!/lib/x.jar\n";
        assert_eq!(one("data", &bytes), found, "{kind}");
    }
    for (kind, bytes) in SAMPLES.iter().filter(|(kind, _)| !kind.ends_with(".zip")) {
        let found = "pkg:maven/g/a@1 in data!/x.jar\npkg:maven/g/a@2 in data!/deep/y.bin\n";
        assert_eq!(one("data", bytes), found, "{kind}");
    }
    let methods: [(&str, &[u8]); 4] = [
        ("lzma", include_bytes!("samples/lzma.zip")),
        ("deflate64", include_bytes!("samples/deflate64.zip")),
        ("bzip2", include_bytes!("samples/bzip2.zip")),
        ("xz", include_bytes!("samples/xz.zip")),
    ];
    for (kind, bytes) in methods {
        assert_eq!(one("data", bytes), "pkg:maven/g/a@1 in data!/x.jar\n", "{kind}");
    }
}

#[test]
fn bytes_in_memory_are_a_file_like_any_other() {
    for (kind, bytes) in samples() {
        let report = relight_scan::scan_bytes("data", bytes.clone(), &Options::default());
        assert_eq!(text(&report), one("data", &bytes), "{kind}");
    }
}

/// Goal: any order of nesting is found. Method: every family inside every other one.
#[test]
fn each_family_inside_each_other() {
    for (outer, _) in written() {
        for (inner, bytes) in written() {
            let files: &[(&str, &[u8])] = &[("in", &bytes)];
            let both = match outer {
                "tar" => tar(files),
                "tgz" => gz(&tar(files)),
                "tar.bz2" => bz2(&tar(files)),
                "tar.xz" => xz(&tar(files)),
                "tar.lzma" => lzma(&tar(files)),
                "tar.zst" => zst(&tar(files)),
                "tar.lz4" => lz4(&tar(files)),
                "newc" => cpio(files),
                "odc" => old_cpio(files),
                "deb" | "ipk" => deb("data.tar", &tar(files)),
                "rpm" => rpm(&gz(&cpio(files))),
                "jimage" => jimage(&[("m/in", &bytes)], false),
                "phar" => phar(files),
                _ => write(&[Member::deflated("in", &bytes)]),
            };
            let place = if outer == "jimage" { "o!/m/in" } else { "o!/in" };
            let found = format!("pkg:maven/g/a@1 in {place}!/lib/x.jar\n");
            assert_eq!(one("o", &both), found, "{inner} in {outer}");
        }
    }
}

#[test]
fn one_compressed_file_is_called_like_its_stream() {
    for (ending, packed) in [
        ("gz", gz(&jar("1"))),
        ("bz2", bz2(&jar("1"))),
        ("xz", xz(&jar("1"))),
        ("zst", zst(&jar("1"))),
        ("lz4", lz4(&jar("1"))),
        ("lzma", lzma(&jar("1"))),
    ] {
        let name = format!("x.jar.{ending}");
        assert_eq!(one(&name, &packed), format!("pkg:maven/g/a@1 in {name}!/x.jar\n"));
    }
    // A jar that is a stream, and a stream in a stream.
    assert_eq!(one("x.jar", &gz(&jar("1"))), "pkg:maven/g/a@1 in x.jar!/x.jar\n");
    let twice = xz(&gz(&jar("1")));
    assert_eq!(one("a.gz.xz", &twice), "pkg:maven/g/a@1 in a.gz.xz!/a.gz!/a\n");
    assert_eq!(one("50%.gz", &gz(&jar("1"))), "pkg:maven/g/a@1 in 50%25.gz!/50%25\n");
    assert_eq!(one("words.gz", &gz(b"words\n")), "");
}

/// Writers of images store bytes once that have several names.
#[test]
fn each_name_of_the_same_bytes_of_an_iso_counts() {
    let list = b"six==1.0\n";
    for is_long in [true, false] {
        let mut image = iso(&[("notes", list), ("requirements.txt", list)], is_long);
        let places: Vec<usize> = memchr::memmem::find_iter(&image, list).collect();
        let both = |at: usize| {
            let sector = u32::try_from(at / 2_048).unwrap();
            [sector.to_le_bytes(), sector.to_be_bytes()].concat()
        };
        let (one_place, other) = (both(places[0]), both(places[1]));
        let records: Vec<usize> = memchr::memmem::find_iter(&image, &other).collect();
        assert!(!records.is_empty());
        for at in records {
            image[at..at + 8].copy_from_slice(&one_place);
        }
        let got = one("d", &image);
        assert_eq!(got, if is_long { "pkg:pypi/six@1.0 in d!/requirements.txt\n" } else { "" });
    }
}

#[test]
fn iso_images_with_and_without_long_names() {
    let (first, second) = (jar("1"), jar("2"));
    let files: &[(&str, &[u8])] = &[("x.jar", &first), ("y", &second)];
    let short = "pkg:maven/g/a@1 in d!/X.JAR\npkg:maven/g/a@2 in d!/Y\n";
    assert_eq!(one("d", &iso(files, false)), short);
    let long = "pkg:maven/g/a@1 in d!/x.jar\npkg:maven/g/a@2 in d!/y\n";
    assert_eq!(one("d", &iso(files, true)), long);
    let inside = write(&[Member::deflated("d", &iso(files, true))]);
    assert_eq!(one("o", &inside), long.replace(" d", " o!/d"));
}

#[test]
fn what_is_encrypted_or_packed_in_another_way_is_named() {
    for (name, bytes, expected) in [
        ("e.7z", &include_bytes!("samples/encrypted.7z")[..], "encrypted e.7z!/"),
        ("h.7z", include_bytes!("samples/hidden.7z"), "encrypted h.7z\n"),
        ("a.zip", include_bytes!("samples/aes.zip"), "encrypted a.zip!/x.jar\n"),
        ("z.zip", include_bytes!("samples/zipcrypto.zip"), "encrypted z.zip!/x.jar\n"),
        ("l.snap", include_bytes!("samples/lzo.squashfs"), "method-unsupported l.snap\n"),
    ] {
        let got = one(name, bytes);
        assert!(got.starts_with(&format!("flaw {expected}")), "{got}");
        assert!(!got.contains("pkg:"), "{got}");
    }
}

#[test]
fn a_squashfs_behind_a_program_and_ends_in_fragments() {
    let image = include_bytes!("samples/frag.squashfs");
    assert_eq!(one("s", image), "pkg:maven/g/a@1 in s!/x.jar\n");
    let runtime = elf();
    let app = [&runtime[..], image].concat();
    assert_eq!(one("app", &app), "pkg:maven/g/a@1 in app!/x.jar\n");
}

/// Tools that change programs put sections behind the table of them, or cut the table off.
#[test]
fn an_image_behind_the_last_section_or_segment() {
    let image = include_bytes!("samples/frag.squashfs");
    let mut moved = elf();
    moved[64 + 4] = 1;
    moved[64 + 24] = 128;
    moved[64 + 32] = 40;
    moved.resize(168, 7);
    let mut cut = elf();
    (cut[40], cut[58], cut[60]) = (0, 0, 0);
    // One segment, of the first 200 bytes.
    (cut[32], cut[54], cut[56], cut[64]) = (64, 56, 1, 1);
    cut[64 + 32] = 200;
    cut.resize(200, 7);
    for program in [moved, cut] {
        let app = [&program[..], image].concat();
        assert_eq!(one("app", &app), "pkg:maven/g/a@1 in app!/x.jar\n");
    }
}

/// A program of Linux without a section.
fn elf() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[16..20].copy_from_slice(&[2, 0, 62, 0]);
    elf[20] = 1;
    elf[40] = 64; // The table of sections: one that is empty.
    elf[52] = 64;
    elf[58] = 64;
    elf[60] = 1;
    elf.resize(128, 0);
    elf
}

#[test]
fn archives_behind_programs_and_scripts() {
    let zip = write(&[Member::deflated("lib/x.jar", &jar("1"))]);
    let found = "pkg:maven/g/a@1 in app!/lib/x.jar\n";
    assert_eq!(one("app", &[elf(), zip].concat()), found);
    let script = b"#!/bin/sh\ntail -n +3 $0 | tar xz\nexit\n";
    let payload = gz(&tar(&[("lib/x.jar", &jar("1"))]));
    assert_eq!(one("app", &[&script[..], &payload].concat()), found);
    let seven = include_bytes!("samples/lzma.7z");
    let both = [&elf()[..], seven].concat();
    assert!(one("app", &both).starts_with("pkg:maven/g/a@1 in app!/x.jar\n"));
}

#[test]
fn a_signed_windows_program_with_an_archive_in_front_of_its_certificates() {
    let mut pe = b"MZ".to_vec();
    pe.resize(1_024, 0);
    pe[60] = 128;
    pe[128..132].copy_from_slice(b"PE\0\0");
    pe[132..134].copy_from_slice(&[0x64, 0x86]);
    pe[148] = 240;
    pe[152..154].copy_from_slice(&[0x0b, 0x02]);
    let zip = write(&[Member::deflated("lib/x.jar", &jar("1"))]);
    let certificates = (pe.len() + zip.len()) as u32;
    let at = 128 + 24 + 112 + 32;
    pe[at..at + 4].copy_from_slice(&certificates.to_le_bytes());
    pe.extend(zip);
    pe.extend([0x30; 90_000]);
    let got = one("setup.exe", &pe);
    assert!(got.starts_with("pkg:maven/g/a@1 in setup.exe!/lib/x.jar\n"), "{got}");
}

#[test]
fn tar_of_every_age() {
    let jar = jar("1");
    let size = format!("{:011o}", jar.len());
    let long = format!("{}/x.jar", "d".repeat(120));
    let end = [0; 1024];
    let pax_body = {
        let text = format!("path={long}\n");
        let len = text.len() + 4;
        format!("{len} {text}").into_bytes()
    };
    let extended = |kind, body: &[u8]| {
        let size = format!("{:011o}", body.len());
        tar_member(b"meta", kind, size.as_bytes(), body)
    };
    let member = |name: &[u8]| tar_member(name, b'0', size.as_bytes(), &jar);
    let gnu = [extended(b'L', format!("{long}\0").as_bytes()), member(b"cut")].concat();
    let pax = [extended(b'x', &pax_body), member(b"cut")].concat();
    let binary = [&[0x80, 0, 0, 0, 0, 0, 0, 0][..], &(jar.len() as u32).to_be_bytes()].concat();
    let mut v7 = tar_member(&long.as_bytes()[120 - 90..], 0, size.as_bytes(), &jar);
    v7[257..265].fill(0);
    seal(&mut v7);
    let found = format!("pkg:maven/g/a@1 in t!/{long}\n");
    assert_eq!(one("t", &[&gnu[..], &end].concat()), found);
    assert_eq!(one("t", &[&pax[..], &end].concat()), found);
    let large = tar_member(b"x.jar", b'0', &binary, &jar);
    let cut = "pkg:maven/g/a@1 in t!/x.jar\nflaw truncated t\n";
    assert_eq!(one("t", &large), cut, "no end at all");
    let v7 = [&v7[..], &end].concat();
    assert!(one("t", &v7).starts_with("pkg:maven/g/a@1 in t!/dddd"));
    // Two archives in a row, and copies of one name.
    let twice = [member(b"x.jar"), end.to_vec(), member(b"x.jar"), end.to_vec()].concat();
    assert_eq!(one("t", &twice), "pkg:maven/g/a@1 in t!/x.jar\npkg:maven/g/a@1 in t!/x.jar#2\n");
}

#[test]
fn sparse_files_are_filled() {
    let jar = jar("1");
    let real = jar.len() as u64 + 4_096;
    let found = "pkg:maven/g/a@1 in t!/x.jar\nflaw truncated t\n";
    let mut old = tar_member(b"x.jar", b'S', format!("{:011o}", jar.len()).as_bytes(), &jar);
    old[257..265].copy_from_slice(b"ustar  \0");
    old[386..397].copy_from_slice(b"00000010000");
    old[398..409].copy_from_slice(format!("{:011o}", jar.len()).as_bytes());
    old[483..494].copy_from_slice(format!("{real:011o}").as_bytes());
    seal(&mut old);
    assert_eq!(one("t", &old), found);
    let records = [
        "22 GNU.sparse.major=1\n".to_owned(),
        "22 GNU.sparse.minor=0\n".to_owned(),
        "25 GNU.sparse.name=x.jar\n".to_owned(),
        format!("{} GNU.sparse.realsize={real}\n", 24 + real.to_string().len()),
    ]
    .concat();
    let map = format!("1\n4096\n{}\n", jar.len());
    let mut data = map.into_bytes();
    data.resize(512, 0);
    data.extend(&jar);
    let pax = [
        tar_member(b"m", b'x', format!("{:011o}", records.len()).as_bytes(), records.as_bytes()),
        tar_member(b"GNUSparseFile.0/x", b'0', format!("{:011o}", data.len()).as_bytes(), &data),
    ]
    .concat();
    assert_eq!(one("t", &pax), found);
    // More parts than the header has room for.
    let pieces: Vec<_> = jar.chunks(jar.len() / 50).enumerate().collect();
    let step = jar.len() / 50;
    let map: Vec<_> = pieces.iter().map(|(number, piece)| (number * step, *piece)).collect();
    for archive in sparse("x.jar", jar.len(), &map) {
        assert_eq!(one("t", &archive), "pkg:maven/g/a@1 in t!/x.jar\n");
    }
}

/// Goal: where somebody else would unpack another file than we read, that is told. Method: a map
/// whose parts are not in order, one that leaves data out, one that is cut, and one of star.
#[test]
fn a_sparse_file_that_is_another_for_others_is_told() {
    let jar = jar("1");
    let (front, behind) = jar.split_at(jar.len() / 2);
    // As others unpack it, this is the jar.
    for archive in sparse("x", jar.len(), &[(front.len(), behind), (0, front)]) {
        assert_eq!(one("t", &archive), "flaw corrupt-entry t!/x\n");
    }
    for mut archive in sparse("x", 9, &[(0, b"123"), (3, b"456789")]).into_iter().take(3) {
        let at = archive.windows(6).position(|it| it == b"456789").unwrap() + 5;
        // One byte more than the map speaks of.
        archive[at + 1] = b'x';
        let header = at / 512 * 512 - 512;
        archive[header + 124..header + 135].copy_from_slice(b"00000000012");
        seal(&mut archive[header..]);
        assert_eq!(one("t", &archive), "flaw corrupt-entry t!/x\n");
    }
    let [old, _, _, _] = sparse("x", jar.len(), &[(0, &jar)]);
    let mut star = old;
    star[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut star);
    assert_eq!(one("t", &star), "flaw method-unsupported t!/x\n");
    let [_, first, second, _] = sparse("x", jar.len(), &[(0, &jar)]);
    for archive in [first, second] {
        let mut cut = archive.clone();
        let digits = format!("{}\n", jar.len());
        let last = cut[..1024].windows(digits.len()).rposition(|it| it == digits.as_bytes());
        cut[last.unwrap()] = b'x';
        assert_eq!(one("t", &cut), "flaw method-unsupported t!/x\n");
        // Not even its first number is one.
        let mut none = archive;
        let number = |mark: &[u8]| none.windows(mark.len()).position(|it| it == mark);
        let map = number(b"GNU.sparse.map=").map(|at| at + 15);
        let at = map.or_else(|| number(b"GNU.sparse.offset=").map(|at| at + 18)).unwrap();
        none[at] = b'x';
        assert_eq!(one("t", &none), "flaw method-unsupported t!/x\n");
    }
}

#[test]
fn an_initial_file_system_is_several_archives() {
    let (first, second) = (jar("1"), jar("2"));
    let mut image = cpio(&[("early/x.jar", &first)]);
    image.resize(image.len().next_multiple_of(512), 0);
    image.extend(zst(&cpio(&[("main/y.jar", &second)])));
    assert_eq!(
        one("initrd.img", &image),
        "pkg:maven/g/a@1 in initrd.img!/early/x.jar\npkg:maven/g/a@2 in initrd.img!/main/y.jar\n"
    );
}

/// Goal: an inner archive that is too large to be held is read as it comes by, with the same
/// result. Method: filler of 9 MiB that does not pack, in every family that can be streamed.
#[test]
fn what_is_too_large_to_hold_comes_by_in_pieces() {
    let mut rng = testkit::Rng::new(7);
    let filler: Vec<u8> = (0..9 << 20).map(|_| rng.below(256) as u8).collect();
    let jar = jar("1");
    let mut streamed = Member::deflated(&pom_path("b"), &pom("b", "1"));
    streamed.descriptor = true;
    let mut stored = Member::stored("s.jar", &jar);
    stored.descriptor = true;
    let zip = write(&[
        Member::stored("filler", &filler),
        streamed,
        stored,
        Member::deflated("x.jar", &jar),
    ]);
    let in_zip = write(&[Member::deflated("in.zip", &zip)]);
    let found = "pkg:maven/g/a@1 in o!/in.zip!/s.jar\n\
                 pkg:maven/g/a@1 in o!/in.zip!/x.jar\npkg:maven/g/b@1 in o!/in.zip\n";
    assert_eq!(one("o", &in_zip), found);
    assert_eq!(one("o", &gz(&tar(&[("in.zip", &zip)]))), found);
    let files: &[(&str, &[u8])] = &[("filler", &filler), ("x.jar", &jar)];
    let found = "pkg:maven/g/a@1 in o!/in!/x.jar\n";
    for inner in [tar(files), cpio(files), deb("data.tar", &tar(files)), rpm(&cpio(files))] {
        assert_eq!(one("o", &write(&[Member::deflated("in", &inner)])), found);
    }
    // A program with an archive behind it, and one without.
    let program = [&filler[..], &write(&[Member::deflated("x.jar", &jar)])].concat();
    let outer = write(&[Member::deflated("in", &program), Member::deflated("no", &filler)]);
    assert_eq!(one("o", &outer), found);
}

#[test]
fn a_cut_container_is_never_whole() {
    for (kind, bytes) in samples() {
        // Streams and tar end in padding that nobody misses.
        for cut in [bytes.len() / 2, bytes.len() * 3 / 5] {
            let got = one("data", &bytes[..cut]);
            assert!(got.contains("flaw "), "{kind} cut at {cut}: {got}");
        }
    }
}

#[test]
fn accounts_say_what_became_of_every_byte() {
    let inner = write(&[Member::deflated("a.txt", b"words\n"), Member::stored("b.bin", &[1; 50])]);
    let zip = write(&[
        Member::deflated(&pom_path("a"), &pom("a", "1")),
        Member::deflated("in.zip", &inner),
        Member::stored("classes.dex", b"dex\n035\0 and code"),
        Member::stored("x.rar", b"Rar!\x1a\x07\x01\x00"),
    ]);
    let report = run(tree(&[("a.jar", &zip), ("words", b"words\n")]).path(), &Options::default());
    let (files, members) = (report.file_bytes, report.member_bytes);
    assert_eq!(
        (files.bytes, files.read, files.opaque),
        (zip.len() as u64 + 6, zip.len() as u64, 6)
    );
    let read = pom("a", "1").len() + inner.len();
    assert_eq!((members.read, members.opaque), (read as u64, 56));
    assert_eq!((members.listed, members.flawed), (17, 8));
    assert_eq!(report.gaps, [(relight_scan::Gap::Dex, "a.jar!/classes.dex".to_owned())]);
    assert_eq!(
        text(&report),
        "pkg:maven/g/a@1 in a.jar\nflaw container-unsupported a.jar!/x.rar\n\
         flaw code-unreadable a.jar!/classes.dex\n"
    );
}

/// Goal: what is known by its start alone, and what cannot be looked into, in whole scans. Method:
/// a library of pages beside and inside an archive, and a native image without inventory.
#[test]
fn banners_and_native_images_are_met_in_scans() {
    let banner = b"/*! jQuery v3.4.1 */\n(function(){})();\n";
    let library = "pkg:generic/jquery@3.4.1 in ";
    assert_eq!(one("jquery.js", banner), format!("{library}jquery.js\n"));
    for name in ["web/jquery.js", "web/jquery.min.js"] {
        let zip = write(&[Member::deflated(name, banner)]);
        assert_eq!(one("o.zip", &zip), format!("{library}o.zip!/{name}\n"));
        assert_eq!(one("o.tgz", &gz(&tar(&[(name, banner)]))), format!("{library}o.tgz!/{name}\n"));
    }
    assert_eq!(one("node_modules/jquery/dist/jquery.js", banner), "");
    let image = include_bytes!("../../fixtures/native_image/without/service");
    assert_eq!(one("service", image), "flaw code-unreadable service\n");
    let zip = write(&[Member::deflated("bin/service", image)]);
    assert_eq!(one("o.zip", &zip), "flaw code-unreadable o.zip!/bin/service\n");
}

/// Goal: an application that was linked into a Java runtime is read, in either order of bytes, from
/// a file and from a stream; the runtime's own modules are counted; what cannot be read is told.
#[test]
fn modules_of_a_java_runtime_are_read() {
    let (pom, runtime) = (pom("a", "1"), vec![7; 3_000]);
    let pom_at = format!("app.core/{}", pom_path("a"));
    let packed = format!("{pom_at}.z");
    for (little, pom_at) in [(true, &pom_at), (false, &pom_at), (true, &packed), (false, &packed)] {
        let files: [(&str, &[u8]); 5] = [
            ("java.base/java/lang/Object.class", &runtime),
            // Found with a real runtime: in which modules a package is, called like an archive.
            ("packages/java.util.jar", &[0, 0, 0, 0, 1, 0, 0, 0]),
            ("app.core/org/x/data.bin", b"data"),
            (pom_at, &pom),
            ("jdk.compiler/a.b", &runtime),
        ];
        let image = jimage(&files, little);
        assert_eq!(one("modules", &image), "pkg:maven/g/a@1 in modules\n", "{pom_at} {little}");
        let found = "pkg:maven/g/a@1 in m.gz!/m\n";
        assert_eq!(one("m.gz", &gz(&image)), found, "{pom_at} {little}");
        let report = run(tree(&[("modules", &image)]).path(), &Options::default());
        assert_eq!(report.member_bytes.listed, 6_008);
    }
    // A library whose module is called as if it were one of the runtime.
    let library = jimage(&[(&format!("java.json/{}", pom_path("a")), &pom)], true);
    assert_eq!(one("m", &library), "pkg:maven/g/a@1 in m\n");
    let mut image = jimage(&[(&packed, &pom), ("m/b", b"b")], true);
    let whole = image.len();
    image.truncate(whole - 1);
    let cut = "pkg:maven/g/a@1 in m\nflaw truncated m!/m/b\n";
    assert_eq!(one("m", &image), cut);
    image.truncate(100);
    assert_eq!(one("m", &image), "flaw truncated m\n");
    // Two resources in one place, and a way of packing that nobody knows.
    let mut twice = jimage(&[("m/a", b"aaaa"), ("m/b", b"bbbb")], true);
    let at = twice.windows(9).rposition(|it| it == [0x2f, 0, 0, 0, 0, 0, 0, 0, 4]).unwrap();
    twice[at + 8] = 2;
    assert_eq!(one("m", &twice), "flaw zip-overlap m!/m/b\n");
    let mut odd = jimage(&[("m/a.z", b"aaaa")], true);
    let at = odd.windows(4).position(|it| it == b"\0zip").unwrap();
    odd[at + 1] = b'q';
    assert_eq!(one("m", &odd), "flaw method-unsupported m!/m/a\n");
    // Names that overlap: each could be as long as all of them.
    let long = format!("m/{}", "n".repeat(1_025));
    let cut = one("m", &jimage(&[(&long, b"b"), ("m/a", b"a")], true));
    assert!(cut.starts_with("flaw limit-memory m!/m/nnn") && cut.lines().count() == 1, "{cut}");
    let modules: Vec<String> = (0..1_030).map(|at| format!("jdk.m{at}/a")).collect();
    let many: Vec<(&str, &[u8])> = modules.iter().map(|it| (it.as_str(), &b"a"[..])).collect();
    let report = run(tree(&[("m", &jimage(&many, true))]).path(), &Options::default());
    assert_eq!((report.member_bytes.listed, report.member_bytes.opaque), (1_024, 6));
    // A module may be called like that index, and hold an archive.
    let jar = jar("1");
    let long: &[u8] = &[jar.as_slice(), &vec![0; 9_000]].concat();
    let image = jimage(&[("packages/p/x.jar", &jar), ("packages/y.zip", long)], true);
    assert!(one("m", &image).starts_with("pkg:maven/g/a@1 in m!/packages/p/x.jar\n"));
    assert!(one("m", &image).contains("m!/packages/y.zip"));
    let mut newer = jimage(&[("m/a", b"a")], true);
    newer[6] = 2;
    assert_eq!(one("m", &newer), "flaw container-unsupported m\n");
    let mut large = jimage(&[("m/a", b"a")], true);
    large[16..20].copy_from_slice(&0x00ff_ffff_u32.to_le_bytes());
    assert_eq!(one("m", &large), "flaw limit-memory m\n");
}

#[test]
fn fast_mode_lists_and_still_opens_what_is_nested() {
    let zip = write(&[
        Member::deflated("A.class", &[0xca; 500]),
        Member::deflated("lib/x.dat", &jar("1")),
        Member::deflated(&pom_path("b"), &pom("b", "1")),
    ]);
    let options = Options { mode: relight_scan::Mode::Fast, ..Options::default() };
    let folder = tree(&[("o.jar", &zip)]);
    let report = run(folder.path(), &options);
    let found = "pkg:maven/g/a@1 in o.jar!/lib/x.dat\npkg:maven/g/b@1 in o.jar\n";
    assert_eq!(text(&report), format!("{found}flaw classes-not-read \n"));
    assert_eq!(report.member_bytes.listed, 500);
    assert_eq!(one("o.jar", &zip), found);
}
