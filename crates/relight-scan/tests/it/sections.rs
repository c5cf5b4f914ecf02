//! Archives in the sections of programs.

use relight_scan::Options;

use crate::container_writer::{bz2, cpio, deb, gz, lz4, lz4_old, rpm, sevenz, tar, xz};
use crate::container_writer::{xz_with, zst, zst_wide};
use crate::large::noise;
use crate::programs::{elf, mach, optional_header, pe, pe_with, version_resource};
use crate::zip_writer::{Member, write};
use crate::{one, one_with, pom, pom_path, run, text, tree};

fn jar(version: &str) -> Vec<u8> {
    write(&[Member::deflated(&pom_path("a"), &pom("a", version))])
}

/// Something in the middle of a section, farther from its end than a zip at the end of a file may
/// stand.
fn between(bytes: &[u8]) -> Vec<u8> {
    [b"usage: app [FILE]\0", bytes, &[0; 70_000]].concat()
}

/// Goal: what a compiler or a packer built into a program is found. Method: a jar in sections of
/// constants and of resources on every system, as a file and in an archive.
#[test]
fn an_archive_in_a_section_is_found() {
    let inner = between(&jar("1"));
    for (kind, program) in [
        ("linux", elf(&[(".text", b"x"), (".rodata", &inner)], b"")),
        ("linux, data", elf(&[(".data", &inner), (".symtab", b"x")], b"")),
        ("linux, its own", elf(&[(".archive", &jar("1")), (".bss", &[0; 70_000])], b"")),
        ("windows", pe(&[(".text", b"x"), (".rsrc", &inner)])),
        ("macos", mach(&inner, &[1; 5_000])),
    ] {
        assert_eq!(one("app", &program), "pkg:maven/g/a@1 in app\n", "{kind}");
        let packed = one("o.zip", &write(&[Member::deflated("app", &program)]));
        assert_eq!(packed, "pkg:maven/g/a@1 in o.zip!/app\n", "{kind}");
    }
    // Managed code, which says nothing of itself.
    let managed = pe_with(&optional_header(0x2008), &[(".text", &inner)]);
    assert_eq!(one("app", &managed), "pkg:maven/g/a@1 in app\nflaw dotnet-unlisted app\n");
    // Machine code holds no files.
    assert_eq!(one("app", &elf(&[(".text", &inner)], b"")), "");
}

/// Several, one in another, and one more behind the program.
#[test]
fn each_archive_in_a_section_is_found_once() {
    let found = |versions: &[&str]| {
        versions.iter().map(|it| format!("pkg:maven/g/a@{it} in app\n")).collect::<String>()
    };
    let two = [between(&jar("1")), between(&jar("2"))].concat();
    let program = elf(&[(".rodata", &two), (".data", &between(&jar("3")))], b"");
    assert_eq!(one("app", &program), found(&["1", "2", "3"]));
    let program = elf(&[(".rodata", &between(&jar("1")))], &jar("2"));
    assert_eq!(one("app", &program), found(&["1", "2"]));
    let stored = write(&[Member::stored("in.jar", &jar("1")), Member::stored("b", b"b")]);
    let program = elf(&[(".rodata", &between(&stored))], b"");
    assert_eq!(one("app", &program), "pkg:maven/g/a@1 in app!/in.jar\n");
    let seven = sevenz(&[("x.jar", &jar("1"))], 16);
    let program = pe(&[(".rsrc", &between(&seven))]);
    assert_eq!(one("app", &program), "pkg:maven/g/a@1 in app!/x.jar\n");
}

/// Goal: what is no program of a form that is known here is looked through as well. Method: a
/// program of DOS, and one of macOS for several machines with offsets of 64 bits.
#[test]
fn an_archive_is_found_where_no_table_of_sections_is_known() {
    let dos = [&b"MZ"[..], &[0; 600], &between(&jar("1"))].concat();
    assert_eq!(one("app", &dos), "pkg:maven/g/a@1 in app\n");
    let seven = sevenz(&[("x.jar", &jar("1"))], 16);
    let dos = [&b"MZ"[..], &[0; 600], &between(&seven)].concat();
    assert_eq!(one("app", &dos), "pkg:maven/g/a@1 in app!/x.jar\n");
    let inner = mach(&between(&jar("1")), &[1; 5_000]);
    let mut fat = b"\xca\xfe\xba\xbf\0\0\0\x01".to_vec();
    fat.resize(40, 0);
    fat[23] = 40;
    fat[24..32].copy_from_slice(&(inner.len() as u64).to_be_bytes());
    let fat = [fat, inner].concat();
    assert_eq!(one("app", &fat), "pkg:maven/g/a@1 in app\n");
    // One of these machines says that there are more of its sections.
    let mut cut = mach(&between(&jar("1")), b"");
    cut[20..24].copy_from_slice(&(64_u32 << 20).to_le_bytes());
    let got = one("app", &cut);
    assert_eq!(got, "pkg:maven/g/a@1 in app\nflaw truncated app\n");
}

/// Goal: a zip right in front of the zip at the end is read once. Method: it stands in a section
/// and is near enough to the end to be found from there.
#[test]
fn an_archive_right_in_front_of_the_last_one_is_read_once() {
    let program = elf(&[(".rodata", &jar("1"))], &jar("2"));
    let report = run(tree(&[("app", &program)]).path(), &Options::default());
    assert_eq!(text(&report), "pkg:maven/g/a@1 in app\npkg:maven/g/a@2 in app\n");
    assert_eq!(report.archives, 2);
    // What stands between both is found as well.
    let seven = sevenz(&[("x.jar", &jar("3"))], 16);
    let both = [jar("1"), seven].concat();
    let found = "pkg:maven/g/a@2 in app\npkg:maven/g/a@3 in app!/x.jar\n";
    let got = one("app", &elf(&[(".rodata", &both)], &jar("2")));
    assert_eq!(got, format!("pkg:maven/g/a@1 in app\n{found}"));
}

/// Goal: what stands in front of a zip at the end is found where its offsets count from the start
/// of the program, as `zip -A` writes them. Method: both offsets, larger by the program's length.
#[test]
fn an_archive_is_found_in_front_of_a_zip_that_counts_from_the_start() {
    let program = elf(&[(".rodata", &between(&jar("1")))], b"");
    let mut zip = jar("2");
    let (end, shift) = (zip.len() - 22, program.len() as u32);
    let add = |zip: &mut [u8], at: usize| {
        let offset = u32::from_le_bytes(zip[at..at + 4].try_into().unwrap()) + shift;
        zip[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    };
    let directory = u32::from_le_bytes(zip[end + 16..end + 20].try_into().unwrap());
    add(&mut zip, end + 16);
    add(&mut zip, directory as usize + 42);
    let found = "pkg:maven/g/a@1 in app\npkg:maven/g/a@2 in app\n";
    assert_eq!(one("app", &[program, zip].concat()), found);
}

/// An archive in the comment of another one, and one whose comment is cut.
#[test]
fn an_archive_whose_end_is_not_clear_is_told() {
    let commented = |comment: &[u8], len: usize| {
        let mut zip = jar("1");
        let at = zip.len() - 2;
        zip[at..].copy_from_slice(&(len as u16).to_le_bytes());
        [zip, comment.to_vec()].concat()
    };
    let program = |inner: &[u8]| elf(&[(".rodata", inner), (".data", &[0; 70_000])], b"");
    let good = commented(b"a comment", 9);
    assert_eq!(one("app", &program(&good)), "pkg:maven/g/a@1 in app\n");
    let cut = commented(b"", 900);
    assert_eq!(one("app", &program(&cut)), "flaw zip-boundary-ambiguous app\n");
    let second = jar("2");
    let both = commented(&second, second.len());
    let found = "pkg:maven/g/a@2 in app\nflaw zip-boundary-ambiguous app\n";
    assert_eq!(one("app", &program(&both)), found);
}

/// Goal: what stands in a section is found in every form that is read elsewhere, whatever stands in
/// front of it and behind it. Method: a jar in each, in a program, and in one in an archive.
#[test]
fn an_archive_of_any_family_in_a_section_is_found() {
    let (jar, inner) = (jar("1"), "pkg:maven/g/a@1 in ");
    let files = [("x.jar", &jar[..]), ("y", b"y")];
    let squashfs = include_bytes!("samples/gzip.squashfs");
    let squashed = one("x.snap", squashfs).replace("x.snap", "app");
    assert!(squashed.contains("pkg:"), "{squashed}");
    for (kind, archive, found) in [
        ("tar", tar(&files), format!("{inner}app!/x.jar\n")),
        ("tar.gz", gz(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("tar.xz", xz(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("tar.zst", zst(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("tar.bz2", bz2(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("tar.lz4", lz4(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("tar.lz4, old", lz4_old(&tar(&files)), format!("{inner}app!/x.jar\n")),
        ("jar.gz", gz(&jar), format!("{inner}app!/app\n")),
        ("jar.xz", xz(&jar), format!("{inner}app!/app\n")),
        ("xz in gz", gz(&xz(&jar)), format!("{inner}app!/app!/app\n")),
        ("cpio", cpio(&files), format!("{inner}app!/x.jar\n")),
        ("cpio.gz", gz(&cpio(&files)), format!("{inner}app!/x.jar\n")),
        ("deb", deb("data.tar.gz", &gz(&tar(&files))), format!("{inner}app!/x.jar\n")),
        ("squashfs", squashfs.to_vec(), squashed.clone()),
    ] {
        let inner = between(&archive);
        for program in [
            elf(&[(".rodata", &inner)], b""),
            pe(&[(".text", b"x"), (".rsrc", &inner)]),
            elf(&[(".init.ramfs", &[&archive[..], &[7; 70_000]].concat())], b""),
        ] {
            assert_eq!(one("app", &program), found, "{kind}");
            let packed = one("o.zip", &write(&[Member::deflated("app", &program)]));
            assert_eq!(packed, found.replace("in app", "in o.zip!/app"), "{kind}");
        }
    }
    // A jar in a tar is found as that, and the tar in a zip as what is in that.
    let zip = write(&[Member::stored("o.tar", &tar(&files)), Member::stored("b", b"b")]);
    let program = elf(&[(".rodata", &between(&zip))], b"");
    assert_eq!(one("app", &program), format!("{inner}app!/o.tar!/x.jar\n"));
    let rpm = elf(&[(".rodata", &between(&rpm(&gz(&cpio(&files)))))], b"");
    let told = one("app", &rpm);
    assert!(told.contains("flaw container-unsupported app\n"), "{told}");
}

/// One whose end is not in its section is told; what holds texts, and what only looks like the
/// start of an archive, is none.
#[test]
fn streams_without_an_end_are_told_and_texts_are_none() {
    let all = tar(&[("x.jar", &jar("1")), ("noise", &crate::large::noise(400_000))]);
    let program = |inner: &[u8]| elf(&[(".rodata", inner), (".data", &[0; 70_000])], b"");
    for (kind, archive) in [
        ("gz", gz(&all)),
        ("xz", xz(&all)),
        ("zst", zst(&all)),
        ("tar", all.clone()),
        ("cpio", cpio(&[("x.jar", &jar("1")), ("y", &[b'y'; 9_000])])),
    ] {
        let cut = &archive[..archive.len() - archive.len() / 4];
        let told = one("app", &program(cut));
        assert!(told.contains("flaw truncated app\n"), "{kind}: {told}");
    }
    let text = b"{\"name\": \"words that are packed\"}".repeat(90);
    for archive in [gz(&text), xz(&text), zst(&text), bz2(&text), lz4(&text)] {
        assert_eq!(one("app", &program(&archive)), "");
    }
    // Many packed texts are no reason to stop.
    let many = gz(&text).repeat(3_000);
    let last = [&many[..], &between(&gz(&tar(&[("x.jar", &jar("1"))])))].concat();
    assert_eq!(one("app", &program(&last)), "pkg:maven/g/a@1 in app!/x.jar\n");
    let marks = [
        &b"\x1f\x8b\x08\0\0\0\0\0\0\xff and so on"[..],
        b"\x1f\x8b\x08\x08\0\0\0\0\0\x03",
        b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
        b"\x28\xb5\x2f\xfd\0\0\0\0",
        b"BZh91AY&SY",
        b"\x04\x22\x4d\x18\x40\x40\xc0",
        b"\x02\x21\x4c\x18 and so on",
        b"070701",
        b"!<arch>\ndebian-binary",
        b"\xed\xab\xee\xdb\x03\0",
        b"hsqs",
        b"ustar\x0000",
        &[0; 600],
    ];
    assert_eq!(one("app", &program(&marks.concat())), "");
    // Each in the middle of a section, where what is in front of a mark may be a header, and near
    // the end of one. The start of xz has a check sum: one without an end is told.
    for mark in marks {
        for behind in [&[7; 600][..], &[0; 600], &[0xff; 600], &[0; 9], b"\0of bzip2\0", b""] {
            let got = one("app", &elf(&[(".rodata", &[&[7; 600], mark, behind].concat())], b""));
            let is_told = mark.starts_with(b"\xfd7zXZ") && got == "flaw truncated app\n";
            assert!(is_told || got.is_empty(), "{mark:?} {behind:?}: {got}");
        }
    }
}

/// Goal: no program that only speaks of archives is told as one that holds a cut one. Method: those
/// of this system that read and write archives.
#[test]
fn real_programs_that_speak_of_archives_hold_none() {
    for program in ["tar", "cpio", "dpkg", "dpkg-deb", "gzip", "xz", "zstd", "file"] {
        let Ok(bytes) = std::fs::read(format!("/usr/bin/{program}")) else { continue };
        let got = one(program, &bytes);
        assert!(!got.contains("truncated") && !got.contains("limit-"), "{program}: {got}");
    }
}

/// A script may have an archive behind it, and one that has none is a text.
#[test]
fn a_packed_script_is_looked_into() {
    let program = |inner: &[u8]| elf(&[(".rodata", &between(inner))], b"");
    let script = b"#!/bin/bash\nexec java -jar \"$0\"\n".to_vec();
    let runnable = [&script[..], &jar("1")].concat();
    assert_eq!(one("app", &program(&gz(&runnable))), "pkg:maven/g/a@1 in app!/app\n");
    assert_eq!(one("app", &program(&gz(&script))), "");
}

/// Goal: no mark hides the next one. Method: the start of zstd ends as that of xz starts.
#[test]
fn a_mark_that_ends_as_another_starts_hides_none() {
    let packed = xz(&tar(&[("x.jar", &jar("1"))]));
    let inner = between(&[b"\x28\xb5\x2f", &packed[..]].concat());
    assert_eq!(one("app", &elf(&[(".rodata", &inner)], b"")), "pkg:maven/g/a@1 in app!/x.jar\n");
}

/// Goal: a header of gzip may be long and stand anywhere. Method: one of 9,000 bytes on each side
/// of where a section is looked at in pieces, and many names that do not end.
#[test]
fn a_gzip_with_a_long_header_is_found_and_one_without_an_end_is_bounded() {
    let extra = vec![b'e'; 9_000];
    let builder = flate2::GzBuilder::new().extra(extra).filename("x.tar");
    let mut encoder = builder.write(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &tar(&[("x.jar", &jar("1"))])).unwrap();
    let packed = encoder.finish().unwrap();
    for front in [1_000, (256 << 10) - 5_000, (256 << 10) - 300] {
        let inner = [&vec![1; front][..], &packed, &[0; 70_000]].concat();
        let got = one("app", &elf(&[(".rodata", &inner)], b""));
        assert!(got.starts_with("pkg:maven/g/a@1 in app!/"), "{front}: {got}");
        assert!(!got.contains("flaw"), "{front}: {got}");
    }
    let names = b"\x1f\x8b\x08\x08\x01\x01\x01\x01\x02\x03".repeat(2_000);
    let inner = [&names[..], &[1; 70_000]].concat();
    // More bytes would be read again to look for their ends than one may.
    assert_eq!(one("app", &elf(&[(".rodata", &inner)], b"")), "flaw limit-expanded app\n");
}

/// Goal: a stream in a section whose decoder wants too much is told, as one that is a file. Method:
/// xz and zstd with wide windows, of which nothing comes out.
#[test]
fn a_stream_in_a_section_with_a_wide_window_is_told() {
    let inner = tar(&[("x.jar", &jar("1"))]);
    for (kind, packed) in [
        ("xz", xz_with(&inner, 128 << 20)),
        ("zst", zst_wide(&inner, 27)),
        ("zst", zst_wide(&inner, 30)),
    ] {
        let program = elf(&[(".rodata", &between(&packed))], b"");
        assert_eq!(one("app", &program), "flaw limit-window app\n", "{kind}");
    }
}

/// Goal: a stream that ends before it gives anything is told: its start is sound. Method: those of
/// one block that is longer than what there is of it.
#[test]
fn a_stream_that_ends_in_its_first_block_is_told() {
    let letters: Vec<u8> = noise(300 << 10).iter().map(|byte| b'a' + byte % 16).collect();
    let inner = tar(&[("x.jar", &jar("1")), ("y", &letters)]);
    for (kind, packed, lens) in [
        ("xz", xz(&inner), [12, 40, 100]),
        ("zst", zst(&inner), [30, 100, 2_000]),
        ("bz2", bz2(&inner), [40, 2_000, 30_000]),
        ("lz4", lz4(&inner), [30, 2_000, 30_000]),
        ("lz4, old", lz4_old(&inner), [30, 2_000, 30_000]),
    ] {
        for len in lens {
            let got = one("app", &elf(&[(".rodata", &[&[1; 700], &packed[..len]].concat())], b""));
            assert!(got.ends_with("flaw truncated app\n"), "{kind}, {len}: {got}");
        }
    }
}

/// One that has a sound start and no end is told, not passed over.
#[test]
fn an_archive_that_its_section_cuts_is_told() {
    let seven = sevenz(&[("x.jar", &jar("1"))], 16);
    let inner = |seven: &[u8]| pe(&[(".rsrc", &[&[0; 70_000], seven].concat())]);
    assert_eq!(one("app", &inner(&seven)), "pkg:maven/g/a@1 in app!/x.jar\n");
    assert_eq!(one("app", &inner(&seven[..seven.len() - 8])), "flaw truncated app\n");
}

/// What only an installer opens is told.
#[test]
fn a_cabinet_and_an_installer_in_resources_are_told() {
    let mut cabinet = b"MSCF\0\0\0\0".to_vec();
    cabinet.resize(64, 0);
    (cabinet[8], cabinet[24], cabinet[25], cabinet[28]) = (64, 3, 1, 1);
    let mut compound = vec![0; 4_096];
    compound[..8].copy_from_slice(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    (compound[30], compound[48]) = (9, 1);
    let class = b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    compound[2 * 512 + 80..][..16].copy_from_slice(class);
    for inner in [&cabinet, &compound] {
        let program = pe(&[(".rsrc", &between(inner))]);
        assert_eq!(one("app", &program), "flaw container-unsupported app\n");
    }
    let program = elf(&[(".rodata", &between(&cabinet))], b"");
    assert_eq!(one("app", &program), "flaw container-unsupported app\n");
    // Both, several times, are said once.
    let all = [&between(&cabinet)[..], &between(&compound), &cabinet].concat();
    assert_eq!(one("app", &pe(&[(".rsrc", &all)])), "flaw container-unsupported app\n");
}

/// Programs that read and write archives name their marks, and hold none.
#[test]
fn a_program_that_speaks_of_archives_holds_none() {
    let end = jar("1")[jar("1").len() - 22..].to_vec();
    let marks = [
        &b"PK\x05\x06"[..],
        b"PK\x03\x04",
        b"7z\xbc\xaf\x27\x1c\0\x04",
        b"MSCF\0\0\0\0\xff\0\0\0",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        &end,
        &[0; 90],
    ];
    assert_eq!(one("app", &pe(&[(".rsrc", &marks.concat()), (".rdata", &marks.concat())])), "");
}

/// Goal: a program of nothing but ends of archives ends soon, and is told.
#[test]
fn a_program_of_ends_of_archives_ends() {
    let end = jar("1")[jar("1").len() - 22..].to_vec();
    let many = elf(&[(".rodata", &end.repeat(400_000))], b"");
    assert_eq!(one("app", &many), "flaw limit-entries app\n");
    // No more than may be looked at, and one of them in what two pieces share; or a few more.
    let last = between(&jar("1"));
    let ends = |count: usize| -> Vec<u8> {
        (0..count).flat_map(|_| [&end[..], &[0; 234]].concat()).collect()
    };
    let program = |count: usize| elf(&[(".rodata", &[&ends(count)[..], &last].concat())], b"");
    assert_eq!(one("app", &program(1_023)), "pkg:maven/g/a@1 in app\n");
    assert_eq!(one("app", &program(1_024)), "flaw limit-entries app\n");
    let jars: Vec<u8> = (0..70).flat_map(|_| between(&jar("1"))).collect();
    let got = one("app", &elf(&[(".rodata", &jars)], b""));
    assert!(got.ends_with("flaw limit-entries app\n"), "{got}");
    // All of them in one.
    let names: Vec<String> = (0..70).map(|at| format!("{at}.jar")).collect();
    let (one_jar, mut files) = (jar("1"), Vec::new());
    files.extend(names.iter().map(|name| (name.as_str(), &one_jar[..])));
    let got = one("app", &elf(&[(".rodata", &between(&tar(&files)))], b""));
    assert_eq!((got.lines().count(), got.contains("flaw")), (70, false), "{got}");
    // What stands in a section that is not looked at any more.
    let inner = between(&jar("1"));
    let mut sections = vec![(".a", &b""[..]); 4_096];
    sections.push((".rsrc", &inner));
    assert_eq!(one("app", &pe(&sections)), "flaw limit-entries app\n");
    assert_eq!(one("app", &pe(&sections[1..])), "pkg:maven/g/a@1 in app\n");
    let late = Options { file_time_max_s: 0, ..Options::default() };
    let got = one_with(&late, "app", &elf(&[(".rodata", &vec![1; 9 << 20])], b""));
    assert!(got.contains("flaw limit-time app\n"), "{got}");
}

/// Goal: an assembly into which others were put hides those, and says so. Method: the names that
/// the two usual packers leave.
#[test]
fn an_assembly_with_others_in_it_is_a_gap() {
    let resource = version_resource(&[("InternalName", "A"), ("ProductVersion", "1")]);
    let assembly = |names: &[u8]| {
        pe_with(&optional_header(0x2008), &[(".text", &between(names)), (".rsrc", &resource)])
    };
    let known = "pkg:nuget/A@1 in app\nflaw dotnet-unlisted .\n";
    let gap = "pkg:nuget/A@1 in app\nflaw dotnet-unlisted app\n";
    assert_eq!(one("app", &assembly(b"\0costura.newtonsoft.json.dll.compressed\0x\0")), gap);
    assert_eq!(one("app", &assembly(b"\0costura.a.dll\0")), gap);
    for native in ["costura64.libskiasharp.dll", "costura32.a.dll.compressed"] {
        assert_eq!(one("app", &assembly(format!("\0{native}\0").as_bytes())), gap, "{native}");
    }
    assert_eq!(one("app", &assembly(b"\0costura_win_x64.a.dll.compressed\0")), gap);
    assert_eq!(one("app", &assembly(b"\0costura.tool.exe.compressed\0")), gap);
    assert_eq!(one("app", &assembly(b"\0ILRepack.List\0")), gap);
    assert_eq!(one("app", &assembly(b"\0costuralike.dll\0")), known);
    assert_eq!(one("app", &assembly(b"\0costura.template\0a.dll.compressed\0")), known);
}
