//! Archives of PHP.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut archive = b"<?php __HALT_COMPILER(); ?>\r\n".to_vec();
    archive.extend_from_slice(bytes);
    scan_bytes("data", archive, &Options::default());
});
