//! Programs that carry something of their own, behind a signature or in front of one, and images of
//! disks by their marks: opened, or told.

use crate::container_writer::{gz, tar};
use crate::hidden::filler;
use crate::programs::{elf, mach, pe_with};
use crate::zip_writer::{Member, write};
use crate::{one, pom, pom_path};

const TOLD: &str = "flaw container-unsupported app\n";

/// What `PyInstaller` appends: its archive, and the record that ends it.
fn python() -> Vec<u8> {
    [&filler(900)[..], b"MEI\x0c\x0b\x0a\x0b\x0e", &[7; 80]].concat()
}

/// A program of Windows with this behind it, and certificates behind that.
fn signed_pe(behind: &[u8], certificates: usize) -> Vec<u8> {
    let made = |at: usize| {
        let mut optional = [0; 240];
        optional[..2].copy_from_slice(&[0x0b, 0x02]);
        optional[144..148].copy_from_slice(&(at as u32).to_le_bytes());
        optional[148..152].copy_from_slice(&(certificates as u32).to_le_bytes());
        [&pe_with(&optional, &[(".text", b"x")])[..], behind].concat()
    };
    [made(made(0).len()), vec![9; certificates]].concat()
}

/// A program of macOS for one machine: a segment of these bytes, the last ones its signature.
fn signed_mach(inside: &[u8], signature: usize) -> Vec<u8> {
    let at = 32 + 72 + 16 + inside.len();
    let mut file = [0; 32 + 72 + 16];
    file[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
    (file[16], file[20]) = (2, 72 + 16);
    (file[32], file[36]) = (0x19, 72);
    file[80..88].copy_from_slice(&((at + signature) as u64).to_le_bytes());
    (file[104], file[108]) = (0x1d, 16);
    file[112..116].copy_from_slice(&(at as u32).to_le_bytes());
    file[116..120].copy_from_slice(&(signature as u32).to_le_bytes());
    [&file[..], inside, &vec![9; signature]].concat()
}

/// A program of macOS with one byte of constants, and with a section of this kind and length that
/// the file says to stand at `at` and does not have.
fn mach_without(kind: u8, at: u32, len: u64) -> Vec<u8> {
    let mut file = [0; 32 + 72 + 160];
    let code_at = file.len() as u32;
    file[..4].copy_from_slice(&[0xcf, 0xfa, 0xed, 0xfe]);
    (file[20], file[32], file[36], file[96]) = (72 + 160, 0x19, 72 + 160, 2);
    file[104..111].copy_from_slice(b"__const");
    file[144] = 1;
    file[152..156].copy_from_slice(&code_at.to_le_bytes());
    file[184..189].copy_from_slice(b"__bss");
    file[224..232].copy_from_slice(&len.to_le_bytes());
    file[232..236].copy_from_slice(&at.to_le_bytes());
    file[248] = kind;
    [&file[..], b"x"].concat()
}

/// The same in a file for several machines.
fn fat(program: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut file = b"\xca\xfe\xba\xbe\0\0\0\x01".to_vec();
    file.extend([7, 3, 28, program.len() as u32, 2].map(u32::to_be_bytes).concat());
    [&file[..], program, behind].concat()
}

/// Goal: a signature of any length hides no packed program of Python: two of them have 20 KiB, and
/// those of macOS more.
#[test]
fn packed_python_in_front_of_a_signature() {
    for signature in [0, 20 << 10, 200 << 10] {
        assert_eq!(one("app", &signed_pe(&python(), signature)), TOLD, "{signature}");
        let mach = signed_mach(&python(), signature);
        assert_eq!(one("app", &mach), TOLD, "{signature}");
        assert_eq!(one("app", &fat(&mach, b"")), TOLD, "{signature}");
        let gz = gz(&tar(&[("app", &mach)]));
        assert_eq!(one("o.tgz", &gz), "flaw container-unsupported o.tgz!/app\n", "{signature}");
    }
    assert_eq!(one("app", &signed_pe(&filler(900), 20 << 10)), "");
    assert_eq!(one("app", &signed_mach(&filler(900), 20 << 10)), "");
}

/// What stands behind a program of macOS, for one machine or for several, is looked at like what
/// stands behind any other.
#[test]
fn what_stands_behind_a_program_of_macos() {
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let payload = gz(&tar(&[("a.jar", &jar)]));
    let found = "pkg:maven/g/a@1 in app!/a.jar\n";
    let program = signed_mach(b"code", 600);
    assert_eq!(one("app", &[&program[..], &payload].concat()), found);
    assert_eq!(one("app", &mach(b"x", &payload)), found);
    assert_eq!(one("app", &fat(&program, &payload)), found);
    assert_eq!(one("app", &fat(&program, b"Rar!\x1a\x07\x01\0")), TOLD);
    assert_eq!(one("app", &fat(&program, b"words")), "");
    assert_eq!(one("app", &program[..100]), "flaw truncated app\n");
}

/// Goal: what a program of macOS clears when it starts has a length and no bytes in the file, so it
/// hides nothing behind the program; nor does what says that it ends behind the file. Method:
/// sections that end in the payload or behind the file, at the start of the file as linkers write
/// those of zeros, and at a place of their own.
#[test]
fn sections_without_bytes_hide_nothing_behind_a_program_of_macos() {
    let jar = write(&[Member::deflated(&pom_path("a"), &pom("a", "1"))]);
    let payload = gz(&tar(&[("a.jar", &jar)]));
    let found = "pkg:maven/g/a@1 in app!/a.jar\n";
    for (kind, at, len) in [
        (1, 0, 300),
        (1, 0, u64::MAX),
        (1, 200, 100),
        (12, 200, 100),
        (18, 200, 100),
        (0, 0, 300),
        (0, 200, 1 << 20),
    ] {
        let program = mach_without(kind, at, len);
        let made = format!("{kind} {at} {len}");
        assert_eq!(one("app", &[&program[..], &payload].concat()), found, "{made}");
        assert_eq!(one("app", &fat(&program, &payload)), found, "{made}");
        assert_eq!(one("app", &program), "", "{made}");
    }
}

#[test]
fn packers_and_installers_by_their_marks() {
    let packed = b"KAY\x28\xb5\x2f\xfd\x04\x58 and more";
    for program in [
        elf(&[(".text", b"x")], packed),
        elf(&[(".text", b"x")], b"KAXapp.bin\0"),
        pe_with(&[], &[(".text", b"x"), (".rsrc", &[&b"...."[..], packed].concat())]),
        signed_pe(packed, 600),
        signed_pe(b"InstallShield\0\x06\0\0\0", 0),
        signed_pe(b"ISSetupStream\0\x06\0\0\0", 600),
        b"ISc(\x0c\x60\0\x01\0\0\0\0".to_vec(),
        b"COWD\x01\0\0\0\x03\0\0\0".to_vec(),
        b"UBI#\x01\0\0\0\0\0\0\0".to_vec(),
        b"\x85\x19\x03\x20\x0c\0\0\0\xb1\xb0\x1e\xe4".to_vec(),
        [&[b"<<< Oracle VM >>>\n", &[0; 46][..]].concat()[..], b"\x7f\x10\xda\xbe\x01\0"].concat(),
        [&[7; 32][..], b"NXSB\0\x10\0\0"].concat(),
    ] {
        assert_eq!(one("app", &program), TOLD, "{:?}", program.get(..8));
    }
    for other in [
        elf(&[(".text", b"x")], b"KAY and other words"),
        pe_with(&[], &[(".text", packed)]),
        b"ISc and words".to_vec(),
        b"COWDUNG".to_vec(),
        b"<<< merge me\n".repeat(9),
    ] {
        assert_eq!(one("app", &other), "", "{:?}", other.get(..8));
    }
}

/// The blocks of an image of macOS may start like anything; its last record tells.
#[test]
fn images_of_macos_by_their_end() {
    let record = [&b"koly\0\0\0\x04\0\0\x02\0"[..], &[0; 500]].concat();
    for start in [&b"\x78\xda"[..], b"\0\0", b"ER"] {
        let image = [start, &filler(3_000), &record].concat();
        assert_eq!(one("app", &image), TOLD);
        let packed = write(&[Member::deflated("app", &image)]);
        assert_eq!(one("o.zip", &packed), "flaw container-unsupported o.zip!/app\n");
        assert_eq!(one("app", &image[..image.len() - 1]), "");
    }
    // One that comes by once has only its name.
    let long = gz(&tar(&[("app.dmg", &filler(9 << 20))]));
    assert_eq!(one("o.tgz", &long), "flaw corrupt-entry o.tgz!/app.dmg\n");
}
