//! Programs that do not say what they were built from, by the marks that their builders leave; and
//! all the others, which are no gaps.

use relight_scan::Options;

use crate::container_writer::{cpio, deb, gz, rpm, tar};
use crate::zip_writer::{Member, write};
use crate::{one, run, text, tree};

/// A program of Linux with these sections, and something behind it.
fn elf(sections: &[(&str, &[u8])], behind: &[u8]) -> Vec<u8> {
    let own = ".shstrtab";
    let names: Vec<&str> = sections.iter().map(|(name, _)| *name).chain([own]).collect();
    let names = format!("\0{}\0", names.join("\0"));
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(64, 0);
    let (mut headers, mut name_at) = (vec![0; 64], 1_u32);
    for (name, bytes) in sections.iter().chain([&(own, names.as_bytes())]) {
        let (at, len) = (file.len() as u64, bytes.len() as u64);
        let mut header = [name_at, 1].map(u32::to_le_bytes).concat();
        header.extend([0, 0x1000 + at, at, len].map(u64::to_le_bytes).concat());
        header.resize(64, 0);
        headers.extend(header);
        file.extend(*bytes);
        name_at += name.len() as u32 + 1;
    }
    let start = file.len() as u64;
    file[0x28..0x30].copy_from_slice(&start.to_le_bytes());
    let count = sections.len() as u8 + 2;
    (file[0x3a], file[0x3c], file[0x3e]) = (64, count, count - 1);
    [&file[..], &headers, behind].concat()
}

/// A program of Windows with these sections.
fn pe(sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x40, 0);
    file[0x3c] = 0x40;
    let mut header = b"PE\0\0\x64\x86".to_vec();
    header.extend((sections.len() as u16).to_le_bytes());
    header.resize(24, 0);
    file.extend(header);
    let mut at = file.len() + 40 * sections.len();
    let mut data = Vec::new();
    for (name, bytes) in sections {
        let mut header = name.as_bytes().to_vec();
        header.resize(16, 0);
        header.extend((bytes.len() as u32).to_le_bytes());
        header.extend((at as u32).to_le_bytes());
        header.resize(40, 0);
        file.extend(header);
        data.extend(*bytes);
        at += bytes.len();
    }
    [file, data].concat()
}

/// A program of macOS with one section of constants.
fn mach(constants: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut file = [0; 32 + 72 + 80];
    file[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
    (file[20], file[32], file[36]) = (72 + 80, 0x19, 72 + 80);
    file[104..111].copy_from_slice(b"__const");
    file[144..148].copy_from_slice(&(constants.len() as u32).to_le_bytes());
    file[152] = 184;
    [&file[..], constants, behind].concat()
}

const DIGEST: &str = "90b35a6239c3d8bdabc530a6a0816f7ff89a0aaf";

/// Goal: each builder is known by its marks on every system, and what it hides is told.
#[test]
fn programs_that_do_not_say_what_is_in_them() {
    let constants = |text: &[u8]| elf(&[(".rodata", text)], b"");
    let table = b"........\xf1\xff\xff\xff\0\0\x01\x08";
    let standard = format!("/rustc/{DIGEST}/library/core/src/panicking.rs");
    let windows = format!("/rustc/{DIGEST}\\library\\core\\src\\panicking.rs");
    let fuse = b"NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:1";
    let bun = b"scripts\n---- Bun! ----\n\x07\0\0\0\0\0\0\0";
    for (kind, program, code) in [
        ("go, its table", elf(&[(".gopclntab", b"x")], b""), "go"),
        ("go, its identity", elf(&[(".text", b"\xff Go build ID: \"x/y\"")], b""), "go"),
        ("go, windows", pe(&[(".rdata", table)]), "go"),
        ("rust, its compiler", constants(standard.as_bytes()), "rust"),
        ("rust, built elsewhere", constants(b"/src/rust/library/std/src/io/mod.rs"), "rust"),
        ("rust, windows", pe(&[(".rdata", windows.as_bytes())]), "rust"),
        ("rust, macos", mach(standard.as_bytes(), b""), "rust"),
        (".net, code", elf(&[("__managedcode", b"x")], b""), "dotnet"),
        (".net, symbol", elf(&[(".dynstr", b"\0a\0DotNetRuntimeDebugHeader\0")], b""), "dotnet"),
        (".net, windows", pe(&[(".managed", b"x")]), "dotnet"),
        ("node, one file", constants(fuse), "node"),
        ("pkg", constants(b"const PAYLOAD_POSITION = '44556677  ' | 0;"), "node"),
        ("deno", elf(&[], b"d3n0l4nd....scripts"), "node"),
        ("deno, old", elf(&[], &[&[7; 90_000][..], b"d3n0l4nd........"].concat()), "node"),
        ("deno, windows", pe(&[(".rsrc", b"....d3n0l4nd")]), "node"),
        ("deno, macos", mach(b"", b"d3n0l4nd....scripts"), "node"),
        ("bun", elf(&[(".rodata", b"x")], bun), "node"),
        ("bun, a section", elf(&[(".bun", b"\x07\0\0\0\0\0\0\0scripts")], b""), "node"),
        ("nexe", elf(&[], b"scripts<nexe~~sentinel>................"), "node"),
    ] {
        assert_eq!(one("app", &program), format!("flaw {code}-unlisted app\n"), "{kind}");
        let packed = one("o.zip", &write(&[Member::deflated("app", &program)]));
        assert_eq!(packed, format!("flaw {code}-unlisted o.zip!/app\n"), "{kind}");
    }
}

/// Every host is full of programs in C; runtimes without scripts and programs that speak of others
/// are no gaps either.
#[test]
fn other_programs_are_no_gaps() {
    let speaks =
        b"go1.22 /rustc/short/library /rustc/ PAYLOAD_POSITION = '// PAYLOAD_POSITION //' \
                   d3n0l4nd \n---- Bun! ----\n <nexe~~sentinel> library/src/x.c \
                   NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0";
    let digits = format!("/rustc/{}/library", &DIGEST[1..]);
    for (kind, program) in [
        ("c", elf(&[(".text", b"\x55\x48"), (".rodata", b"usage"), (".comment", b"GCC")], b"")),
        ("c, windows", pe(&[(".text", b"\x55\x48"), (".rdata", b"usage")])),
        ("c, macos", mach(b"usage", b"")),
        ("speaks", elf(&[(".rodata", speaks)], b"")),
        ("speaks, windows", pe(&[(".rdata", speaks)])),
        ("no digest", elf(&[(".rodata", digits.as_bytes())], b"")),
        ("no table", pe(&[(".rdata", b"\x01\xff\xff\xff\0\0\x01\x08")])),
        ("bun without scripts", elf(&[(".bun", &[0; 64])], b"")),
        ("nothing", elf(&[], b"")),
    ] {
        assert_eq!(one("app", &program), "", "{kind}");
    }
}

/// What names some crates names those, and may hide others.
#[test]
fn crates_by_paths_are_not_all() {
    let path = "/build/.cargo/registry/src/index.crates.io-6f17d22bba15001f/regex-1.9.1/src/lib.rs";
    let got = one("app", &elf(&[(".rodata", path.as_bytes())], b""));
    assert_eq!(got, "pkg:cargo/regex@1.9.1 in app\nflaw rust-unlisted app\n");
}

/// A package of the operating system says what it is: its programs are none that nobody knows. The
/// packages of vendors are in no list of advisories.
#[test]
fn programs_of_packages_are_no_gaps() {
    let program = elf(&[(".gopclntab", b"x")], b"");
    let status = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n";
    let tree = tree(&[
        ("etc/os-release", b"ID=debian\nVERSION_ID=12\n"),
        ("var/lib/dpkg/status", status),
        ("var/lib/dpkg/info/a.list", b"/usr/bin/a\n/opt/vendor/a\n"),
        ("opt/vendor/a", &program),
        ("usr/bin/a", &program),
        ("usr/local/bin/a", &program),
    ]);
    let got = text(&run(tree.path(), &Options::default()));
    let flaws: Vec<&str> = got.lines().filter(|line| line.starts_with("flaw")).collect();
    assert_eq!(flaws, ["flaw go-unlisted opt/vendor/a", "flaw go-unlisted usr/local/bin/a"]);
    for (place, is_gap) in [("usr/bin/a", false), ("opt/vendor/a", true), ("./opt/vendor/a", true)]
    {
        let files: &[(&str, &[u8])] = &[(place, &program)];
        let packages =
            [deb("data.tar.gz", &gz(&tar(files))), deb("data.tar", &tar(files)), rpm(&cpio(files))];
        for package in packages {
            let got = one("o", &package);
            assert_eq!(got.contains("flaw go-unlisted o!/"), is_gap, "{place}: {got}");
            assert!(is_gap || !got.contains("flaw"), "{place}: {got}");
        }
    }
}

/// `PyInstaller` puts its archive behind a program or into a section of its own.
#[test]
fn packed_programs_of_python_are_named() {
    let archive = [&b"archive"[..], b"MEI\x0c\x0b\x0a\x0b\x0e", &[7; 80]].concat();
    for program in [
        elf(&[(".text", b"x")], &archive),
        elf(&[(".text", b"x"), ("pydata", &archive)], b""),
        mach(b"x", &archive),
    ] {
        assert_eq!(one("app", &program), "flaw container-unsupported app\n");
    }
}
