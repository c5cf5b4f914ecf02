//! A class file, whose pool may be cyclic and whose lengths may lie.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"\xca\xfe\xba\xbe", bytes].concat();
    scan_bytes("A.class", bytes, &Options::default());
});
