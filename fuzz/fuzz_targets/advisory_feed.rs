//! A file of advisories: plain, packed, or an archive of them.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use relight_formats::advisory::feed::documents;
use relight_formats::advisory::{Input, read};

fuzz_target!(|bytes: &[u8]| {
    documents(Cursor::new(bytes.to_vec()), "fuzz", &mut |document| {
        if let Ok(document) = document {
            read(&Input { source: "", place: "fuzz", line: document.line, bytes: &document.bytes });
        }
        true
    });
});
