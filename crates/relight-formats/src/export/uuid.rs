//! UUIDs of version 5 (RFC 9562): a name always gives the same one.

use sha1::{Digest as _, Sha1};

/// The name space of cyber-observables (STIX 2.1, 2.9).
pub(super) const OBSERVABLES: [u8; 16] = [
    0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7,
];

/// Our own name space; the installation is part of each name in it.
pub(super) const OWN: [u8; 16] = [
    0x5e, 0x7b, 0x0b, 0x52, 0x6a, 0x0e, 0x4c, 0x62, 0x9d, 0x0f, 0x61, 0x72, 0x65, 0x6c, 0x69, 0x67,
];

/// The UUID of a name in a name space.
pub(super) fn v5(space: [u8; 16], name: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(space);
    hash.update(name.as_bytes());
    let digest: [u8; 20] = hash.finalize().into();
    let mut text = String::with_capacity(36);
    for (at, byte) in digest.into_iter().take(16).enumerate() {
        let byte = match at {
            6 => (byte & 0x0f) | 0x50,
            8 => (byte & 0x3f) | 0x80,
            _ => byte,
        };
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names() {
        // RFC 9562, A.4.
        let dns = [
            0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4,
            0x30, 0xc8,
        ];
        assert_eq!(v5(dns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
        // The example of STIX 2.1, 2.9, and what other programs derive for a domain name.
        for (value, id) in [
            ("example.com", "bedb4899-d24b-5401-bc86-8f6b4cc18ec7"),
            ("198.51.100.3", "28bb3599-77cd-5a82-a950-b5bc3caf07c4"),
        ] {
            assert_eq!(v5(OBSERVABLES, &format!("{{\"value\":\"{value}\"}}")), id);
        }
    }
}
