//! Messages of OpenPGP (RFC 9580) in their binary form that somebody encrypted.

/// Tags of packets (RFC 9580, 5): a key for somebody, one from a password, and what they lock.
const KEY: u8 = 1;
const PASSWORD: u8 = 3;
const LOCKED: [u8; 3] = [9, 18, 20];

/// Whether bytes start a message that is encrypted: a key for it, and what it locks or another key
/// behind it, as far as that is in them. Keys and signatures start with other packets.
pub(super) fn is_locked(bytes: &[u8]) -> bool {
    let Some(packet) = Packet::of(bytes) else { return false };
    let body = &bytes[packet.body..];
    let is_key = match (packet.tag, body) {
        // Its version, the number of the key, and the method: 3, or 6 with a length in front.
        (KEY, [3, rest @ ..]) => rest.get(8).is_some_and(|method| (1..=26).contains(method)),
        (KEY, [6, len, ..]) => matches!(len, 0 | 21 | 33),
        // Its version, the method, and how the password becomes a key.
        (PASSWORD, [4, method, salting, ..]) => {
            (1..=13).contains(method) && matches!(salting, 0 | 1 | 3 | 4)
        }
        (PASSWORD, [5, method, ..]) => (1..=13).contains(method),
        (PASSWORD, [6, _, method, ..]) => (1..=13).contains(method),
        _ => false,
    };
    let is_sane = match packet.tag {
        KEY => (20..=8_192).contains(&packet.len),
        _ => (4..=256).contains(&packet.len),
    };
    let is_followed = bytes.get(packet.body + packet.len..).is_none_or(|next| {
        let tag = Packet::tag_of(next);
        next.is_empty()
            || tag.is_some_and(|it| [KEY, PASSWORD].contains(&it) || LOCKED.contains(&it))
    });
    is_key && is_sane && is_followed
}

/// The head of a packet.
struct Packet {
    tag: u8,
    /// Where its body starts, and how long that is.
    body: usize,
    len: usize,
}

impl Packet {
    /// Reads it in the old form or the new one; one of unknown length is no key.
    fn of(bytes: &[u8]) -> Option<Self> {
        let tag = Self::tag_of(bytes)?;
        let first = usize::from(*bytes.get(1)?);
        let (body, len) = match (bytes[0] & 0x40, bytes[0] & 3, first) {
            (0, 0, _) => (2, first),
            (0, 1, _) if bytes.len() > 3 => (3, u16::from_be_bytes([bytes[1], bytes[2]]).into()),
            (0x40, _, 0..=191) => (2, first),
            (0x40, _, 192..=223) => (3, (first - 192) * 256 + usize::from(*bytes.get(2)?) + 192),
            _ => return None,
        };
        (body < bytes.len()).then_some(Self { tag, body, len })
    }

    fn tag_of(bytes: &[u8]) -> Option<u8> {
        let first = *bytes.first()?;
        match first & 0xc0 {
            0x80 => Some(first >> 2 & 15),
            0xc0 => Some(first & 63),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `gpg -c`, `gpg -e` for keys of RSA and of elliptic curves, `sq encrypt`; a public key, a
    /// signature and what happens to start with the same byte.
    #[test]
    fn messages_and_what_is_none() {
        let password = b"\x8c\x0d\x04\x09\x03\x02\x0a\x1b\x2c\x3d\x4e\x5f\x60\x71\xff\xd2\x45\x01";
        let mut rsa = b"\x85\x02\x0c\x03\x11\x22\x33\x44\x55\x66\x77\x88\x01\x10\x00".to_vec();
        rsa.resize(512, 7);
        let mut curve = b"\x84\x5e\x03\x11\x22\x33\x44\x55\x66\x77\x88\x12\x01\x07\x40".to_vec();
        curve.resize(2 + 0x5e, 7);
        let several = [&curve[..], &rsa].concat();
        let new = [&b"\xc1\x5e"[..], &curve[2..], b"\xd2\xff"].concat();
        for message in [&password[..], &rsa, &curve, &several, &new] {
            assert!(is_locked(message), "{message:x?}");
        }
        let followed = [&curve[..], b"no packet"].concat();
        for other in [
            &b"\x99\x01\x0d\x04\x65\x00\x00\x00\x01\x08\x00"[..],
            b"\xc6\x33\x04\x65\x00\x00\x00\x16\x09\x2b",
            b"\x89\x01\x33\x04\x00\x01\x0a\x00\x1d",
            b"\x85\x02\x0c\x04\x11\x22\x33\x44\x55\x66\x77\x88\x01",
            b"\x8c\x0d\x04\x09\x03\x02\x0a\x1b\x2c\x3d\x4e\x5f\x60\x71\xff plain",
            b"\x84",
            b"",
            &followed,
        ] {
            assert!(!is_locked(other), "{other:x?}");
        }
        for seed in 0..20_000 {
            let mut rng = testkit::Rng::new(seed);
            let bytes: Vec<u8> = (0..512).map(|_| rng.below(256) as u8).collect();
            assert!(!is_locked(&bytes), "{seed}");
        }
    }
}
