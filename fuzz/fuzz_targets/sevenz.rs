//! A 7z archive whose check sums are right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut archive = b"7z\xbc\xaf\x27\x1c\0\x04\0\0\0\0".to_vec();
    archive.extend_from_slice(&0_u64.to_le_bytes());
    archive.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    archive.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    let start = crc32fast::hash(&archive[12..]);
    archive[8..12].copy_from_slice(&start.to_le_bytes());
    archive.extend_from_slice(bytes);
    scan_bytes("data", archive, &Options::default());
});
