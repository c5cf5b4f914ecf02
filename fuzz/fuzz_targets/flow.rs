//! Datagrams of NetFlow and IPFIX, each behind two bytes of its length.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use relight_watch::FlowDecoder;

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = FlowDecoder::new();
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (datagram, behind) = behind.split_at(length);
        let _ = decoder.take(IpAddr::from([192, 0, 2, 1]), datagram);
        rest = behind;
    }
});
