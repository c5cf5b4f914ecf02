//! A program of Linux, Windows or macOS: its tables may point anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;
use relight_scan::{Options, scan_bytes};

/// How programs begin; the first byte chooses.
const HEADS: [&[u8]; 5] = [
    b"\x7fELF\x02\x01\x01",
    b"\x7fELF\x01\x02\x01",
    b"MZ",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe\0\0\0\x02",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let head = HEADS[usize::from(*first) % HEADS.len()];
    scan_bytes("data", [head, rest].concat(), &Options::default());
});
