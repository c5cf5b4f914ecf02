//! Programs that do not say what they were built from, by the marks that their builders leave; and
//! all the others, which are no gaps.

use relight_scan::Options;

use crate::container_writer::{cpio, deb, gz, rpm, tar};
use crate::zip_writer::{Member, write};
use crate::{one, run, text, tree};

/// A program of Linux with these sections, and something behind it.
pub(crate) fn elf(sections: &[(&str, &[u8])], behind: &[u8]) -> Vec<u8> {
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
pub(crate) fn pe(sections: &[(&str, &[u8])]) -> Vec<u8> {
    pe_with(&[], sections)
}

/// The same with an optional header.
pub(crate) fn pe_with(optional: &[u8], sections: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"MZ".to_vec();
    file.resize(0x40, 0);
    file[0x3c] = 0x40;
    let mut header = b"PE\0\0\x64\x86".to_vec();
    header.extend((sections.len() as u16).to_le_bytes());
    header.resize(20, 0);
    header.extend((optional.len() as u32).to_le_bytes());
    file.extend(header);
    file.extend(optional);
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

/// The strings of a version resource, each with its header; the values and what follows them stand
/// at multiples of four bytes.
pub(crate) fn version_resource(strings: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in strings {
        bytes.extend(version_string(key, value, value.encode_utf16().count() as u16 + 1));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// A string of a version resource whose value is said to be so long; one of no length has not even
/// its zero.
fn version_string(key: &str, value: &str, value_len: u16) -> Vec<u8> {
    let mut bytes = [0, value_len, 1].map(u16::to_le_bytes).concat();
    bytes.extend(key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    if value_len != 0 {
        bytes.extend(value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    let len = bytes.len() as u16;
    bytes[..2].copy_from_slice(&len.to_le_bytes());
    bytes
}

/// The header of a program of Windows that says where its managed code is loaded.
pub(crate) fn optional_header(managed: u16) -> [u8; 240] {
    let mut header = [0; 240];
    header[..2].copy_from_slice(&[0x0b, 0x02]);
    header[224..226].copy_from_slice(&managed.to_le_bytes());
    header
}

/// An assembly of .NET whose version resource says this.
fn assembly(strings: &[(&str, &str)]) -> Vec<u8> {
    let resource = version_resource(strings);
    pe_with(&optional_header(0x2008), &[(".text", b"x"), (".rsrc", &resource)])
}

/// The mark of a bundle of .NET.
const BUNDLE: [u8; 32] = [
    0x8b, 0x12, 0x02, 0xb9, 0x6a, 0x61, 0x20, 0x38, 0x72, 0x7b, 0x93, 0x02, 0x14, 0xd7, 0xa0, 0x32,
    0x13, 0xf5, 0xb9, 0xe6, 0xef, 0xae, 0x33, 0x18, 0xee, 0x3b, 0x2d, 0xce, 0x24, 0xb3, 0x6a, 0xae,
];

/// A program of .NET in one file: a header of this version and name, then its list of libraries.
fn bundle(section: &str, major: u8, id: &[u8], deps: &[u8]) -> Vec<u8> {
    let marked = |place: u64| [&place.to_le_bytes()[..], &BUNDLE].concat();
    let start = elf(&[(section, &marked(0))], b"").len() as u64;
    let mut header = vec![major, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, id.len() as u8];
    header.extend(id);
    let at = start + header.len() as u64 + 16;
    header.extend([at, deps.len() as u64].map(u64::to_le_bytes).concat());
    elf(&[(section, &marked(start))], &[&header, deps].concat())
}

/// A program of macOS with one section of constants.
pub(crate) fn mach(constants: &[u8], behind: &[u8]) -> Vec<u8> {
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
        ("rust, bolt", elf(&[(".bolt.org.rodata", standard.as_bytes())], b""), "rust"),
        ("rust, cold", elf(&[(".rodata.cold", standard.as_bytes())], b""), "rust"),
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
                   NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0 \
                   NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2 :1";
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

/// What is told of an assembly of which nothing says which package it is of.
const GAP: &str = "flaw dotnet-unlisted .\n";

/// The libraries of .NET Core 1 and 2 call themselves by the number of their build, which is above
/// every fix of the packages that they are in; each way to know one is enough.
#[test]
fn the_number_of_a_build_is_no_version() {
    for (says, version) in [
        ("4.6.25519.03", ""),
        ("4.6.10000", ""),
        ("9.9.22621.1", ""),
        ("4.6.24705.01. Commit Hash: 4d1af962ca0fede10beb01d197367c2f90e92c97", ""),
        ("4.6.705.01. Commit Hash: 4d1af962ca0fede10beb01d197367c2f90e92c97", ""),
        ("4.6.515.06 @BuiltBy: dlab-DDVSOWINAGE059", ""),
        ("4.6.9999.06", "@4.6.9999.06"),
        ("4.6", "@4.6"),
        ("4.6.1-rc1", "@4.6.1-rc1"),
        ("10.0.22621.1", "@10.0.22621.1"),
        ("v4.6.22621.1", "@v4.6.22621.1"),
    ] {
        let strings = [("InternalName", "System.Buffers.dll"), ("ProductVersion", says)];
        let expected = format!("pkg:nuget/System.Buffers{version} in a.dll\n{GAP}");
        assert_eq!(one("a.dll", &assembly(&strings)), expected, "{says}");
    }
}

/// What stands in a resource first is taken first; without a name or a version nothing says what an
/// assembly is, and that is told.
#[test]
fn assemblies_by_their_resources() {
    let (name, other_name) = (("InternalName", "A.dll"), ("OriginalFilename", "B.exe"));
    let (version, of_file) = (("ProductVersion", "1.2+c0ffee of main"), ("FileVersion", "3.4 x"));
    for (strings, expected) in [
        (
            &[other_name, of_file, name, version][..],
            "pkg:nuget/A@1.2 in a.dll\nflaw dotnet-unlisted .\n",
        ),
        (&[other_name, of_file], "pkg:nuget/B@3.4 in a.dll\nflaw dotnet-unlisted .\n"),
        (
            &[("InternalName", " "), ("ProductVersion", " "), other_name, of_file],
            "pkg:nuget/B@3.4 in a.dll\nflaw dotnet-unlisted .\n",
        ),
        (
            &[("InternalName", ""), ("ProductVersion", ""), ("LegalTrademarks", "C"), other_name],
            "flaw dotnet-unlisted a.dll\n",
        ),
        (
            &[("Comments", "InternalName"), ("InternalName", ""), other_name, of_file],
            "pkg:nuget/B@3.4 in a.dll\nflaw dotnet-unlisted .\n",
        ),
        (&[other_name], "flaw dotnet-unlisted a.dll\n"),
        (&[of_file], "flaw dotnet-unlisted a.dll\n"),
    ] {
        assert_eq!(one("a.dll", &assembly(strings)), expected, "{strings:?}");
    }
    // Some compilers write no value at all, not even its end.
    let resource = [
        version_string("InternalName", "", 0),
        version_resource(&[("LegalCopyright", "C"), other_name, of_file]),
    ]
    .concat();
    let program = pe_with(&optional_header(0x2008), &[(".rsrc", &resource)]);
    assert_eq!(one("a.dll", &program), "pkg:nuget/B@3.4 in a.dll\nflaw dotnet-unlisted .\n");
    let resource = version_resource(&[name, version]);
    let bare = pe_with(&optional_header(0x2008), &[(".data", &resource)]);
    assert_eq!(one("a.dll", &bare), "flaw dotnet-unlisted a.dll\n");
    assert_eq!(one("Types.WinMD", &bare), "");
    let machine = pe_with(&optional_header(0), &[(".rsrc", &resource)]);
    assert_eq!(one("a.dll", &machine), "");
}

/// How the programs among the fixtures of `dotnet_program` were made: nothing in them is of others.
#[test]
fn assemblies_of_the_fixtures_are_made_here() {
    let made = assembly(&[
        ("FileVersion", "13.0.1.25517"),
        ("InternalName", "Newtonsoft.Json.dll"),
        ("ProductVersion", "13.0.1+0a2e291c0d9c"),
    ]);
    let fixture = include_bytes!("../../fixtures/dotnet_program/assembly/Newtonsoft.Json.dll");
    assert_eq!(made, fixture);
    let strings = [("InternalName", "native.dll"), ("ProductVersion", "1.0")];
    let made = pe_with(&optional_header(0), &[(".rsrc", &version_resource(&strings))]);
    assert_eq!(made, include_bytes!("../../fixtures/dotnet_program/assembly/native.dll"));
}

/// A list of libraries that is not where the header says, or in a header that nobody knows, is a
/// gap; a host that was made no bundle is none.
#[test]
fn bundles_of_libraries() {
    let deps = br#"{"libraries":{"A/1.0":{"type":"package"}}}"#;
    let (found, gap) = ("pkg:nuget/A@1.0 in app\n", "flaw corrupt-entry app\n");
    for section in [".data", ".rdata", ".rodata", "__data", "__const"] {
        assert_eq!(one("app", &bundle(section, 6, b"x", deps)), found, "{section}");
    }
    assert_eq!(one("app", &bundle(".text", 6, b"x", deps)), "");
    assert_eq!(one("app", &bundle(".data", 2, b"x", deps)), found);
    assert_eq!(one("app", &bundle(".data", 1, b"x", deps)), gap);
    assert_eq!(one("app", &bundle(".data", 6, &[b'x'; 0x7f], deps)), found);
    assert_eq!(one("app", &bundle(".data", 6, &[b'x'; 0x80], deps)), gap);
    let whole = bundle(".data", 6, b"x", deps);
    assert_eq!(one("app", &whole[..whole.len() - 1]), gap, "its list is cut");
    assert_eq!(one("app", &whole[..whole.len() - deps.len() - 1]), gap, "its header is cut");
    for section in [".data", "__data"] {
        let whole = bundle(section, 6, b"x", deps);
        let start = elf(&[(section, &[0; 40])], b"").len();
        for len in [start, start - 1] {
            assert_eq!(one("app", &whole[..len]), gap, "{section} {len}: its header is gone");
        }
    }
    let padded = |len: usize| [&deps[..], &vec![b' '; len - deps.len()]].concat();
    assert_eq!(one("app", &bundle(".data", 6, b"x", &padded(16 << 20))), found);
    assert_eq!(one("app", &bundle(".data", 6, b"x", &padded((16 << 20) + 1))), gap);
    // The place of a header has eight bytes.
    assert_eq!(one("app", &elf(&[(".data", &BUNDLE)], b"")), "");
    let copy = [&[0; 8][..], &BUNDLE].concat();
    let host = elf(&[(".data", &copy)], b"");
    assert_eq!(one("app", &host), "");
    // A program that looks for bundles has the mark behind anything.
    let speaks = [&b"\xff words"[..], &[0, 0xff], &BUNDLE].concat();
    assert_eq!(one("app", &elf(&[(".rodata", &speaks)], b"")), "");
    // A copy of the mark says nothing, wherever it stands.
    for (front, place) in [(&copy[..], ".rodata"), (b"", ".rodata"), (&copy, ".data")] {
        let made = |start: u64| {
            let marked = [front, &start.to_le_bytes(), &BUNDLE].concat();
            let other = if place == ".data" { ".rodata" } else { ".data" };
            elf(&[(other, &copy), (place, &marked)], b"")
        };
        let start = made(0).len() as u64;
        let mut header = vec![6, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        let deps_at = start + header.len() as u64 + 16;
        header.extend([deps_at, deps.len() as u64].map(u64::to_le_bytes).concat());
        let program = [&made(start)[..], &header, deps].concat();
        assert_eq!(one("app", &program), found, "{place}");
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

/// Goal: WebAssembly of Rust and Go is a gap for their packages, and no other is. Method: what
/// compilers leave in it, at the start, over the border of a piece and behind megabytes; in an
/// archive and in a package of a distribution, which answers for it.
#[test]
fn web_assembly_of_rust_and_go_is_a_gap() {
    let module = |front: usize, text: &[u8]| {
        [b"\0asm\x01\0\0\0", vec![0x20; front].as_slice(), text, &[0x20; 99]].concat()
    };
    let path = b"/rustc/0f/library/core/src/panicking.rs";
    for front in [0, (1 << 20) - 30, 3 << 20] {
        assert_eq!(one("a.wasm", &module(front, path)), "flaw rust-unlisted a.wasm\n", "{front}");
    }
    let producers = b"\x0cprocessed-by\x01\x05rustc\x061.75.0";
    assert_eq!(one("a", &module(0, producers)), "flaw rust-unlisted a\n");
    let go = module(0, b"\xff Go buildinf:\x08\x02");
    assert_eq!(one("a", &go), "flaw go-unlisted a\n");
    let both = module(0, b"Go cmd/compile and library/std/src/io.rs");
    assert_eq!(one("a", &both), "flaw go-unlisted a\nflaw rust-unlisted a\n");
    assert_eq!(one("a", &module(0, b"clang version 17")), "");
    assert_eq!(one("a", b"\0asm is the mark; library/core/src is in it"), "");
    let packed = tar(&[("lib/a.wasm", &go)]);
    assert_eq!(one("o.tar.gz", &gz(&packed)), "flaw go-unlisted o.tar.gz!/lib/a.wasm\n");
    assert_eq!(one("o.deb", &deb("data.tar", &packed)), "");
}
