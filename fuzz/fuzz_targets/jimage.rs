//! The modules of a Java runtime.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut image = b"\xda\xda\xfe\xca\0\0\x01\0".to_vec();
    image.extend_from_slice(bytes);
    scan_bytes("data", image, &Options::default());
});
