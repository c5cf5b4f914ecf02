//! A program in a packed archive that is too long to be held: what has gone by is unpacked again.
#![no_main]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

/// More than is held whole.
const PROGRAM_BYTES: usize = 9 << 20;

/// How programs begin; the first byte chooses.
const HEADS: [&[u8]; 3] = [b"\x7fELF\x02\x01\x01", b"MZ", b"\xcf\xfa\xed\xfe"];

/// Some bytes stand at the start of the program, the others at its end.
fn program(bytes: &[u8]) -> Option<Vec<u8>> {
    let [kind, split, rest @ ..] = bytes else { return None };
    let (start, end) = rest.split_at(usize::from(*split).min(rest.len()));
    let mut program = [HEADS[usize::from(*kind) % HEADS.len()], start].concat();
    program.resize(PROGRAM_BYTES, 0);
    program.extend_from_slice(end);
    Some(program)
}

/// A tar archive with one file.
fn tar(bytes: &[u8]) -> Vec<u8> {
    let mut archive = vec![0; 512];
    archive[..3].copy_from_slice(b"app");
    archive[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    archive[156] = b'0';
    archive[257..265].copy_from_slice(b"ustar\x0000");
    archive[148..156].fill(b' ');
    let sum: u32 = archive.iter().map(|byte| u32::from(*byte)).sum();
    archive[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    archive.extend_from_slice(bytes);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

fuzz_target!(|bytes: &[u8]| {
    let Some(program) = program(bytes) else { return };
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    if packed.write_all(&tar(&program)).is_ok()
        && let Ok(packed) = packed.finish()
    {
        let options = Options { catalog_size_max: 4 << 20, ..Options::default() };
        scan_bytes("data", packed, &options);
    }
});
