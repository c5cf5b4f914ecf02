//! What a first look hides: something behind an end, in front of one, or beside what was expected.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use relight_scan::{Gap, Options};

use crate::container_writer::{bz2, cpio, deb, gz, iso, jimage, lz4, lzma, rpm, tar, xz, zst};
use crate::image_writer::{Image, LAYER, docker, oci, packed, sha256, unpacked};
use crate::zip_writer::{Member, write, write_with};
use crate::{one, pom, pom_path, run, text, tree};

fn jar(version: &str) -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", version))])
}

/// Bytes that do not pack.
pub(crate) fn filler(len: usize) -> Vec<u8> {
    let mut rng = testkit::Rng::new(23);
    (0..len).map(|_| rng.below(256) as u8).collect()
}

/// Longer than what is held in memory.
pub(crate) const LONG: usize = 9 << 20;

fn elf() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(128, 0);
    elf[16..20].copy_from_slice(&[2, 0, 62, 0]);
    (elf[20], elf[40], elf[52], elf[58], elf[60]) = (1, 64, 64, 64, 1);
    elf
}

#[test]
fn every_frame_of_lz4_is_read() {
    let both = [lz4(&tar(&[("x.jar", &jar("1"))])), lz4(&tar(&[("y.jar", &jar("2"))]))].concat();
    assert_eq!(
        one("o.tar.lz4", &both),
        "pkg:maven/g/a@1 in o.tar.lz4!/x.jar\npkg:maven/g/a@2 in o.tar.lz4!/y.jar\n"
    );
    let packed = lz4(&jar("1"));
    let cut = one("o.lz4", &packed[..packed.len() - 4]);
    assert!(cut.ends_with("flaw truncated o.lz4!/o\n"), "{cut}");
}

/// Loaders open the last archive of a file. Method: a small one in front, inside another archive
/// and too long to be held; behind it a comment that only looks like one.
#[test]
fn a_decoy_in_front_of_an_archive_hides_nothing() {
    let long =
        write(&[Member::stored("filler", &filler(LONG)), Member::deflated("x.jar", &jar("1"))]);
    let decoy = [write(&[Member::stored("read.me", b"nothing")]), long.clone()].concat();
    assert_eq!(
        one("o", &write(&[Member::deflated("in", &decoy)])),
        "pkg:maven/g/a@1 in o!/in!/x.jar\nflaw zip-boundary-ambiguous o!/in\n"
    );
    let mut commented = long;
    let at = commented.len() - 2;
    commented[at] = 60;
    commented.extend(b"PK\x03\x04 and words, sixty of them, none of them the header of a file");
    commented.truncate(at + 2 + 60);
    assert_eq!(
        one("o", &write(&[Member::deflated("in", &commented)])),
        "pkg:maven/g/a@1 in o!/in!/x.jar\n"
    );
}

#[test]
fn what_is_called_a_folder_and_packed_is_read() {
    let mut odd = Member::deflated("lib/", &jar("1"));
    odd.descriptor = true;
    let long = write(&[Member::stored("filler", &filler(LONG)), odd]);
    let got = one("o", &write(&[Member::deflated("in", &long)]));
    assert_eq!(got, "pkg:maven/g/a@1 in o!/in!/lib/\n");
}

/// A container of each family with an archive behind it: both are read.
#[test]
fn two_containers_in_one_file() {
    let second = jar("2");
    let first = jar("1");
    let files: &[(&str, &[u8])] = &[("x.jar", &first)];
    for (kind, front) in [
        ("7z", include_bytes!("samples/lzma.7z").to_vec()),
        ("squashfs", include_bytes!("samples/frag.squashfs").to_vec()),
        ("iso", iso(files, true)),
        ("cpio", cpio(files)),
        ("rpm", rpm(&gz(&cpio(files)))),
        ("deb", deb("data.tar.xz", &xz(&tar(files)))),
        ("gz", gz(&first)),
        ("lzma", lzma(&first)),
        ("dex", b"dex\n035\0 and code".to_vec()),
    ] {
        let got = one("o", &[&front[..], &second].concat());
        assert!(got.contains("pkg:maven/g/a@2 in o\n"), "{kind}: {got}");
        let has_first = got.contains("pkg:maven/g/a@1 in o!/");
        assert!(has_first || kind == "dex", "{kind}: {got}");
        // Readers of zip pass over what follows its end: it is found then as well, or told.
        for behind in [&b"\n"[..], &[0], &filler(100)] {
            let got = one("o", &[&front[..], &second, behind].concat());
            let is_told = matches!(kind, "cpio" | "rpm" | "deb" | "gz") && got.contains("flaw ");
            assert!(got.contains("pkg:maven/g/a@2 in o\n") || is_told, "{kind}: {got}");
        }
        // The last member of a container is no archive behind it.
        let alone = one("o", &front);
        assert!(!alone.contains("pkg:maven/g/a@1 in o\n"), "{kind}: {alone}");
    }
    // The bytes of a stream may be stored: what ends there is the file in it.
    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&first).unwrap();
    assert_eq!(one("o", &stored.finish().unwrap()), "pkg:maven/g/a@1 in o!/o\n");
    let padded = [include_bytes!("samples/frag.squashfs"), &second[..], &[0; 512]].concat();
    assert!(one("o", &padded).contains("pkg:maven/g/a@2 in o\n"));
}

/// Goal: a file near the end of an image of a disc is read as that alone, and one that none of its
/// files holds is found. Method: words behind it, and a limit that ends the look at the files.
#[test]
fn the_last_archive_of_an_image_is_its_member() {
    let image = iso(&[("a", b"words"), ("x.jar", &jar("1")), ("z", b"words")], true);
    let member = "pkg:maven/g/a@1 in o!/x.jar\n";
    assert_eq!(one("o", &image), member);
    let both = one("o", &[&image[..], &jar("2"), b"words"].concat());
    assert_eq!(both, format!("{member}pkg:maven/g/a@2 in o\n"));
    let options = Options { entries_max: 1, ..Options::default() };
    let opened = run(tree(&[("o", &image)]).path(), &options).archives;
    assert_eq!(opened, 2, "the image, and what none of the files looked at holds");
}

/// The same for what comes by once and can be held when more of it is gathered.
#[test]
fn two_containers_in_one_long_member() {
    let (first, second, filler) = (jar("1"), jar("2"), filler(LONG));
    let image = iso(&[("filler", &filler), ("x.jar", &first)], true);
    let seven = [include_bytes!("samples/lzma.7z"), &filler[..]].concat();
    let packed = lzma(&write(&[Member::stored("f", &filler), Member::stored("x.jar", &first)]));
    for (kind, front) in [("iso", image), ("7z", seven), ("lzma", packed)] {
        let both = [&front[..], &second, b"\n"].concat();
        let got = one("o", &write(&[Member::deflated("in", &both)]));
        let first = if kind == "lzma" { "1 in o!/in!/in!/x.jar" } else { "1 in o!/in!/x.jar" };
        for place in [first, "2 in o!/in"] {
            assert!(got.contains(&format!("pkg:maven/g/a@{place}\n")), "{kind}: {got}");
        }
    }
}

/// A frame of zstd and lz4 that readers pass over (RFC 8878, 3.1.2).
fn skipped(content: &[u8]) -> Vec<u8> {
    let len = u32::try_from(content.len()).unwrap().to_le_bytes();
    [&b"\x5a\x2a\x4d\x18"[..], &len, content].concat()
}

/// Goal: what stands in frames that readers of a stream pass over is looked at, wherever they are,
/// and told where it comes by once and cannot be.
#[test]
fn frames_that_readers_pass_over_hide_nothing() {
    let (first, second) = (jar("1"), jar("2"));
    let (packed, words) = (zst(&first), zst(b"words"));
    let found = "pkg:maven/g/a@1 in o!/o\npkg:maven/g/a@2 in o!/o#2\n";
    for behind in [&b""[..], b"\n", &filler(100), &[0; 9]] {
        let hidden = skipped(&[&second[..], behind].concat());
        for stream in [
            [&packed[..], &hidden].concat(),
            [&hidden[..], &packed].concat(),
            [&packed[..], &hidden, &words].concat(),
            [&packed[..], &skipped(b"few"), &hidden, &skipped(&[])].concat(),
        ] {
            assert_eq!(one("o", &stream), found);
        }
    }
    let folder = skipped(&gz(&tar(&[("x.jar", &second)])));
    let got = one("o", &[&packed[..], &folder].concat());
    assert_eq!(got, "pkg:maven/g/a@1 in o!/o\npkg:maven/g/a@2 in o!/o#2!/x.jar\n");
    let lz4 = one("o", &[&lz4(&first)[..], &skipped(&second)].concat());
    assert!(lz4.contains("pkg:maven/g/a@2 in o!/o#2\n"), "{lz4}");
    // In what comes by once.
    let long = zst(&filler(LONG));
    for stream in [
        [&long[..], &skipped(&second)].concat(),
        [&skipped(&second)[..], &long].concat(),
        [&long[..], &skipped(&[&second[..], b"\n"].concat()), &words].concat(),
    ] {
        let got = one("o", &write(&[Member::deflated("in", &stream)]));
        assert_eq!(got, "flaw limit-memory o!/in\n");
    }
    let few = [&skipped(b"four")[..], &long].concat();
    assert_eq!(one("o", &write(&[Member::deflated("in", &few)])), "");
}

/// gzip with an extra field.
fn gz_with(field: &[u8], bytes: &[u8]) -> Vec<u8> {
    let builder = flate2::GzBuilder::new().extra(field);
    let mut encoder = builder.write(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Loaders find a zip in the head of the last member of gzip, and what is behind it is its comment.
#[test]
fn a_zip_in_the_head_of_gzip_is_found() {
    let (first, second) = (jar("1"), jar("2"));
    let found = "pkg:maven/g/a@1 in o!/o\npkg:maven/g/a@2 in o\n";
    for field in [second.clone(), [&filler(60_000)[..], &second, &filler(99)].concat()] {
        for last in [&b""[..], b"words", &filler(900)] {
            let stream = [gz(&first), gz_with(&field, last)].concat();
            let got = one("o", &stream);
            assert!(got.contains("pkg:maven/g/a@2 in o\n"), "{got}");
            let alone = one("o", &gz_with(&field, &first));
            assert_eq!(alone, found);
        }
    }
    // What is in the stream is that alone, also where its bytes stand as they are.
    let mut stored = GzEncoder::new(Vec::new(), Compression::none());
    stored.write_all(&first).unwrap();
    let stored = [gz(b""), stored.finish().unwrap()].concat();
    assert_eq!(one("o", &stored), "pkg:maven/g/a@1 in o!/o\n");
}

/// Goal: nobody reads megabytes of text to their end, and what stands behind them is told all the
/// same. Method: behind each stream a zip that has something behind it.
#[test]
fn what_stands_behind_a_stream_of_text_is_told() {
    let mut rng = testkit::Rng::new(5);
    let words: Vec<u8> = (0..LONG).map(|_| b'a' + rng.below(26) as u8).collect();
    let behind = [&jar("2")[..], b"\n"].concat();
    for (kind, stream) in
        [("gz", gz(&words)), ("bz2", bz2(&words)), ("xz", xz(&words)), ("zst", zst(&words))]
    {
        assert_eq!(one("o", &stream), "", "{kind}");
        let got = one("o", &[&stream[..], &behind].concat());
        assert!(got.starts_with("flaw "), "{kind}: {got}");
    }
    // The same for what comes by once.
    let long = [gz(&words), gz(&words)].concat();
    let inside = |bytes: &[u8]| one("o", &write(&[Member::deflated("in", bytes)]));
    assert_eq!(inside(&long), "");
    assert_eq!(inside(&[&long[..], &behind].concat()), "flaw limit-memory o!/in\n");
}

/// A stream that ends in silence and is too long to be held.
#[test]
fn what_stands_behind_a_long_lzma_is_told() {
    let silent = [&lzma(b"words")[..], &filler(33 << 20)].concat();
    let inside = |bytes: &[u8]| one("o", &write(&[Member::deflated("in", bytes)]));
    assert_eq!(inside(&silent), "");
    let got = inside(&[&silent[..], &jar("2"), b"\n"].concat());
    assert_eq!(got, "flaw limit-memory o!/in\n");
}

/// Behind the modules of a runtime, or what only says that it is one, nobody looks for an archive:
/// that there is something is told, in a file and in a stream.
#[test]
fn what_stands_behind_a_java_runtime_is_told() {
    let resources: [(&str, &[u8]); 2] = [("java.base/A.class", &[7; 99]), ("m/b.jar", &jar("1"))];
    for (files, found) in [(&resources[..], "pkg:maven/g/a@1 in o!/m/b.jar\n"), (&[], "")] {
        let runtime = jimage(files, true);
        let told = format!("{found}flaw corrupt-entry o\n");
        let with = |behind: &[u8]| one("o", &[&runtime[..], behind].concat());
        assert_eq!(with(&jar("2")), told);
        // Found with real runtimes: eight bytes of the root, which is no resource.
        let padded = |zeros: usize| with(&[&[7; 8][..], &vec![0; zeros]].concat());
        assert_eq!((with(&[]), padded(64 << 10)), (found.to_owned(), found.to_owned()));
        assert_eq!((padded((64 << 10) + 1), with(&[7; 9])), (told.clone(), told.clone()));
        let packed = one("o.gz", &gz(&[&runtime[..], &jar("2")].concat()));
        assert!(packed.ends_with("flaw corrupt-entry o.gz!/o\n"), "{packed}");
    }
    // The modules of the runtime itself are not read; they are there or it is cut.
    let runtime = jimage(&resources[..1], true);
    assert_eq!(one("o", &runtime[..runtime.len() - 1]), "flaw truncated o\n");
}

#[test]
fn what_unpacks_itself_is_opened_or_named() {
    let behind = |bytes: &[u8]| one("app", &[&elf()[..], bytes].concat());
    assert_eq!(behind(b"Rar!\x1a\x07\x01\x00 and more"), "flaw container-unsupported app\n");
    assert_eq!(behind(b"MSCF\0\0\0\0 and more"), "flaw container-unsupported app\n");
    assert_eq!(behind(b"Salted__12345678"), "flaw encrypted app\n");
    assert_eq!(behind(b"DWARFS\x02\x05 and more"), "flaw container-unsupported app\n");
    assert_eq!(behind(b"ADVINSTSFX and more"), "flaw container-unsupported app\n");
    let mut erofs = vec![0; 1 << 20];
    erofs[1_024..1_028].copy_from_slice(b"\xe2\xe1\xf5\xe0");
    assert_eq!(behind(&erofs), "flaw container-unsupported app\n");
    let settings = b";!@Install@!UTF-8!\nTitle=\"x\"\n;!@InstallEnd@!";
    let seven = [&settings[..], include_bytes!("samples/lzma.7z")].concat();
    assert!(behind(&seven).starts_with("pkg:maven/g/a@1 in app!/x.jar\n"));
    let far = [&settings[..], &vec![b' '; 64 << 10], include_bytes!("samples/lzma.7z")].concat();
    assert_eq!(behind(&far), "flaw container-unsupported app\n");
    // The last record of a program of Python may have a signature behind it.
    for (rest, expected) in [
        (80, "flaw container-unsupported app\n"),
        ((16 << 10) - 8, "flaw container-unsupported app\n"),
        ((16 << 10) - 7, ""),
    ] {
        let python = [&filler(900)[..], b"MEI\x0c\x0b\x0a\x0b\x0e", &vec![0; rest]].concat();
        assert_eq!(behind(&python), expected, "{rest}");
    }
    assert_eq!(behind(b"some words of an installer"), "");
    // Two things behind one program: the zip at the end is not all.
    let both = [&gz(&tar(&[("x.jar", &jar("1"))]))[..], &jar("2")].concat();
    let both = behind(&both);
    let found = "pkg:maven/g/a@1 in app!/x.jar\npkg:maven/g/a@2 in app\n";
    assert!(both.starts_with(found), "{both}");
    // The mark of UPX stands in the first KiB.
    for (front, expected) in [
        (4, "flaw container-unsupported app\n"),
        (1_024 - 128 - 4, "flaw container-unsupported app\n"),
        (1_024 - 128 - 3, ""),
    ] {
        let packed = [&vec![0; front], &b"UPX!\x0e\x16"[..], &filler(2_000)].concat();
        assert_eq!(behind(&packed), expected, "{front}");
    }
    let report = run(
        tree(&[("app", &[&elf()[..], b"dex\n035\0 and code"].concat())]).path(),
        &Options::default(),
    );
    assert_eq!(report.gaps, [(Gap::Dex, "app".to_owned())]);
}

#[test]
fn a_long_script_inside_an_archive_is_opened() {
    let script = b"#!/bin/sh\ntail -n +3 $0 | tar xz\nexit\n";
    let long = tar(&[("filler", &filler(LONG)), ("x.jar", &jar("1"))]);
    let inside = |payload: &[u8]| {
        let script = [&script[..], payload].concat();
        one("o", &write(&[Member::stored("in.run", &script)]))
    };
    let in_tar = |payload: &[u8]| {
        let script = [&script[..], payload].concat();
        one("o", &gz(&tar(&[("in.run", &script)])))
    };
    for got in [inside(&gz(&long)), in_tar(&gz(&long)), in_tar(&long)] {
        assert_eq!(got, "pkg:maven/g/a@1 in o!/in.run!/x.jar\n");
    }
    let zip =
        write(&[Member::stored("filler", &filler(LONG)), Member::deflated("x.jar", &jar("1"))]);
    assert_eq!(in_tar(&zip), "pkg:maven/g/a@1 in o!/in.run!/x.jar\n");
    assert_eq!(in_tar(&filler(LONG)), "flaw method-unsupported o!/in.run\n");
    let words = b"echo a line of a very long script\n".repeat(LONG / 30);
    assert_eq!(in_tar(&words), "");
}

#[test]
fn a_package_whose_payload_nobody_opens_is_not_complete() {
    let odd = filler(700);
    for (kind, place, package) in [
        ("deb", "o", deb("data.tar.zz", &odd)),
        ("text", "o", deb("data.tar", b"words\n")),
        ("packed", "o!/data.tar", deb("data.tar.xz", &xz(&[b"words\n", &odd[..]].concat()))),
        ("rpm", "o", rpm(&odd)),
        ("rpm packed", "o!/payload", rpm(&gz(&odd))),
        ("rpm long", "o!/payload", rpm(&gz(&filler(LONG)))),
    ] {
        let got = one("o", &package);
        assert!(got.starts_with("flaw ") && got.ends_with(&format!(" {place}\n")), "{kind}: {got}");
        assert_eq!(got.lines().count(), 1, "{kind}: {got}");
    }
    // A package without a file is one.
    let empty = [deb("data.tar", &tar(&[])), deb("data.tar.xz", &xz(&tar(&[]))), rpm(&cpio(&[]))];
    for package in empty {
        assert_eq!(one("o", &package), "");
    }
}

#[test]
fn text_with_an_archive_in_it() {
    let script = b"@echo off\r\njava -jar %0\r\n";
    let zip = write_with(&[Member::deflated(&pom_path("a"), &pom("a", "1"))], script, &[b'c'; 900]);
    assert_eq!(one("run.jar", &zip), "pkg:maven/g/a@1 in run.jar\n");
    assert_eq!(one("run.jar", &[b'c'; 2_000]), "", "a text that is called so is none");
}

#[test]
fn what_was_an_archive_is_named_whatever_its_family() {
    let odd = filler(3_000);
    for name in [
        "a.jar", "a.TGZ", "a.deb", "a.rpm", "a.7z", "a.tar", "a.iso", "a.snap", "a.gz", "a.cab",
        "a.rar", "a.wpress", "a.zlib",
    ] {
        assert_eq!(one(name, &odd), format!("flaw corrupt-entry {name}\n"));
    }
    assert_eq!(one("a.dat", &odd), "");
    let long = filler(LONG);
    let outer = write(&[Member::deflated("a.jar", &long), Member::deflated("a.dat", &long)]);
    assert_eq!(one("o", &outer), "flaw corrupt-entry o!/a.jar\n");
    let mut disk = vec![0; 1 << 20];
    disk[1_080..1_082].copy_from_slice(b"\x53\xef");
    assert_eq!(one("disk", &disk), "flaw container-unsupported disk\n");
    disk.resize(LONG, 0);
    let inner = write(&[Member::deflated("disk", &disk)]);
    assert_eq!(one("o", &inner), "flaw container-unsupported o!/disk\n");
    let mut udf = vec![0; 40 << 10];
    udf[0x8001..0x8006].copy_from_slice(b"BEA01");
    assert_eq!(one("disk", &udf), "flaw container-unsupported disk\n");
    assert_eq!(one("secret", b"age-encryption.org/v1\n-> X25519 x\n"), "flaw encrypted secret\n");
}

/// Goal: an installer of Windows inside an archive is named wherever its root stands, a document of
/// the same form is not, and what cannot be held to tell is said. Method: the root in front of, in
/// and behind what is held.
#[test]
fn an_installer_inside_an_archive_is_named() {
    let compound = |root: u32, class: u8, len: usize| {
        let mut file = vec![1; len];
        file[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        (file[30], file[31]) = (12, 0);
        file[48..52].copy_from_slice(&root.to_le_bytes());
        let at = (root as usize + 1) * 4_096 + 80;
        let id = [class, 0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
        file.get_mut(at..at + 16).into_iter().for_each(|place| place.copy_from_slice(&id));
        one("o", &write(&[Member::deflated("x", &file)]))
    };
    let (near, far, out) = (3, (LONG / 4_096 - 2) as u32, (40 << 20) / 4_096);
    let named = "flaw container-unsupported o!/x\n";
    for (root, len) in [(near, LONG), (far, LONG), (far, 34 << 20)] {
        assert_eq!(compound(root, 0x84, len), named, "{root} of {len}");
        assert_eq!(compound(root, 0x85, len), "", "{root} of {len}");
    }
    assert_eq!(compound(out, 0x84, 34 << 20), "flaw limit-memory o!/x\n");
}

/// A document of this name is in web applications and extensions of browsers as well.
#[test]
fn a_tar_with_a_manifest_is_no_image_without_its_layers() {
    for manifest in ["[]", "[{\"Layers\":[]}]", "[{\"Layers\":[\"gone\"]}]", "{\"name\":\"x\"}", ""]
    {
        let files: &[(&str, &[u8])] =
            &[("manifest.json", manifest.as_bytes()), ("app.jar", &jar("1"))];
        let found = "pkg:maven/g/a@1 in o.tar!/app.jar\n";
        assert_eq!(one("o.tar", &tar(files)), found, "{manifest}");
    }
}

/// Goal: an image in a tar or a folder hides nothing that lies beside it, or that no image names.
#[test]
fn what_lies_beside_an_image_is_read() {
    let layer = packed(&vec![("a.jar".to_owned(), jar("1"))]);
    let mut parts = docker(&[("l/layer.tar", layer.clone())], &[sha256(&layer)]);
    parts.push(("beside.jar".to_owned(), jar("2")));
    // The last of a name is the layer; what it replaces is there all the same.
    parts.insert(0, ("l/layer.tar".to_owned(), jar("3")));
    assert_eq!(
        one("i.tar", &packed(&parts)),
        "pkg:maven/g/a@1 in i.tar!/a.jar\npkg:maven/g/a@2 in i.tar!/beside.jar\n\
         pkg:maven/g/a@3 in i.tar!/l/layer.tar\n"
    );
    let layers = [layer];
    let image = Image { architecture: "amd64", layers: &layers, media: LAYER };
    let mut parts = oci(&[image]);
    let orphan = format!("blobs/sha256/{}", sha256(&jar("2")));
    parts.push((orphan.clone(), jar("2")));
    parts.push(("deep/beside.jar".to_owned(), jar("3")));
    let found = |image: &str, place: &str| {
        format!(
            "pkg:maven/g/a@1 in {image}a.jar\npkg:maven/g/a@2 in {place}{orphan}\n\
             pkg:maven/g/a@3 in {place}deep/beside.jar\n"
        )
    };
    assert_eq!(one("i.tar", &packed(&parts)), found("i.tar!/", "i.tar!/"));
    let place = tree(&[]);
    unpacked(&place.path().join("i"), &parts);
    assert_eq!(text(&run(place.path(), &Options::default())), found("i!/", "i/"));
    let report = run(&place.path().join("i"), &Options::default());
    assert_eq!(text(&report), found("", ""));
}

#[test]
fn an_image_that_names_nothing_is_not_complete() {
    let empty = vec![
        ("oci-layout".to_owned(), b"{}".to_vec()),
        ("index.json".to_owned(), b"{\"manifests\":[]}".to_vec()),
        ("blobs/sha256/x".to_owned(), jar("1")),
    ];
    let place = tree(&[]);
    unpacked(&place.path().join("i"), &empty);
    assert_eq!(
        text(&run(place.path(), &Options::default())),
        "pkg:maven/g/a@1 in i/blobs/sha256/x\nflaw corrupt-entry i!/index.json\n"
    );
    assert_eq!(
        one("i.tar", &packed(&empty)),
        "pkg:maven/g/a@1 in i.tar!/blobs/sha256/x\nflaw corrupt-entry i.tar!/index.json\n"
    );
}

/// Goal: what calls itself a statement about an image and has layers of files is no statement.
#[test]
fn statements_about_an_image_hold_no_files() {
    let check = |media: &str, kind: &str| {
        let layer = packed(&vec![("a.jar".to_owned(), jar("1"))]);
        let mut parts = vec![("oci-layout".to_owned(), b"{}".to_vec())];
        let mut blob = |bytes: &[u8]| {
            parts.push((format!("blobs/sha256/{}", sha256(bytes)), bytes.to_vec()));
            format!("\"digest\":\"sha256:{}\"", sha256(bytes))
        };
        let layer = blob(&layer);
        let manifest =
            blob(format!("{{\"layers\":[{{\"mediaType\":\"{media}\",{layer}}}]}}").as_bytes());
        let platform = "{\"os\":\"unknown\",\"architecture\":\"unknown\"}";
        let index = format!("{{\"manifests\":[{{{manifest},\"platform\":{platform}{kind}}}]}}");
        parts.push(("index.json".to_owned(), index.into_bytes()));
        one("i.tar", &packed(&parts))
    };
    let kind = ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}";
    let read = "pkg:maven/g/a@1 in i.tar!/a.jar\n";
    assert_eq!(check(LAYER, ""), read);
    assert_eq!(check(LAYER, kind), read);
    // One that is what it says is no layer: its bytes are looked at like any others.
    let statement = check("application/vnd.in-toto+json", kind);
    assert!(statement.starts_with("pkg:maven/g/a@1 in i.tar!/blobs/sha256/"), "{statement}");
}

/// Programs, scripts and pictures with two zips behind them, and one zip in the comment of another:
/// loaders open the last one, and the first was passed over in silence.
#[test]
fn two_zips_behind_something_else() {
    let both = "pkg:maven/g/a@1 in o\npkg:maven/g/a@2 in o\n";
    let (script, batch) = ("#!/bin/sh\nexit 0\n".repeat(40), "@echo off\r\n".repeat(60));
    for front in [elf(), script.into_bytes(), batch.into_bytes(), filler(600)] {
        let zips = [&front[..], &jar("1"), &jar("2")].concat();
        assert_eq!(one("o", &zips), both, "{:?}", &front[..4]);
        let mut commented = [&front[..], &jar("1")].concat();
        let (at, second) = (commented.len() - 2, jar("2"));
        commented[at..].copy_from_slice(&(second.len() as u16).to_le_bytes());
        let told = "pkg:maven/g/a@2 in o\nflaw zip-boundary-ambiguous o\n";
        assert_eq!(one("o", &[commented, second].concat()), told, "{:?}", &front[..4]);
    }
    let many = [&elf()[..], &jar("1").repeat(40)].concat();
    let got = one("o", &many);
    assert_eq!(got, "pkg:maven/g/a@1 in o\nflaw zip-boundary-ambiguous o\n");
}

/// A file that starts as text and goes on otherwise: what is no archive of PHP behind its code, and
/// an archive behind a notice.
#[test]
fn what_follows_a_text_is_read_or_told() {
    let phar = |rest: &[u8]| {
        [b"<?php echo 1; __HALT_COMPILER(); ?>\r\n", rest, b"\x03\0\0\0GBMB"].concat()
    };
    let list = b"\x40\0\0\0\x01\0\0\0\x11\0\0\0vendor/composer/installed.json".to_vec();
    let told = "flaw container-unsupported a.phar\n";
    assert_eq!(one("a.phar", &phar(&list)), told);
    let long = write(&[Member::stored("a.phar", &phar(&[list, filler(LONG)].concat()))]);
    assert_eq!(one("o", &write(&[Member::deflated("in", &long)])).lines().count(), 1);
    // Code that only speaks of it is text.
    assert_eq!(one("a.php", &phar(b"")[..37]), "");
    let notice =
        [&b"Unpack with tail and tar.\n".repeat(40)[..], &gz(&tar(&[("x.jar", &jar("1"))]))[..]]
            .concat();
    assert_eq!(one("o", &notice), "pkg:maven/g/a@1 in o!/x.jar\n");
}
