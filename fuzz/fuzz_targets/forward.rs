//! A zip that comes by once, behind filler that is too long to be held.
#![no_main]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

fuzz_target!(|bytes: &[u8]| {
    let mut inner = vec![0x5a; 8 << 20];
    inner.extend_from_slice(bytes);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    if packed.write_all(&inner).is_ok()
        && let Ok(packed) = packed.finish()
    {
        scan_bytes("data", packed, &Options::default());
    }
});
