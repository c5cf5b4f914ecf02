//! A compressed stream of any kind, or a program.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    scan_bytes("data", bytes.to_vec(), &Options::default());
});
