//! A tar, whatever its check sums.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    for header in bytes.chunks_exact_mut(512) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    scan_bytes("data", bytes, &Options::default());
});
