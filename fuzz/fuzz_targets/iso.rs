//! An ISO image.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut image = vec![0; 16 * 2048];
    image.extend_from_slice(b"\x01CD001\x01\0");
    image.extend_from_slice(bytes);
    image.resize(image.len().max((1 << 20) + 1), 0);
    scan_bytes("data", image, &Options::default());
});
