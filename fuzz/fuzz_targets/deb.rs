//! A Debian package.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    bytes.splice(..bytes.len().min(24), *b"!<arch>\ndebian-binary   ");
    scan_bytes("data", bytes, &Options::default());
});
