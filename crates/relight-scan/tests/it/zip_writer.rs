//! Writes zip archives, good ones and every kind of bad one.

use std::io::Write as _;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// One member; every field of its headers can lie.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    /// The name in the local header.
    pub(crate) local_name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) unpacked: u32,
    pub(crate) data: Vec<u8>,
    /// Sizes and CRC follow the data instead of standing in the local header.
    pub(crate) descriptor: bool,
    /// Offset in the central directory of a member that has no bytes of its own.
    pub(crate) offset: Option<u32>,
}

impl Member {
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        let mut crc = Crc::new();
        crc.update(bytes);
        Self {
            name: name.into(),
            local_name: name.into(),
            flags: 0,
            method: 0,
            crc: crc.sum(),
            unpacked: u32::try_from(bytes.len()).unwrap(),
            data: bytes.to_vec(),
            descriptor: false,
            offset: None,
        }
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        Self { method: 8, data: encoder.finish().unwrap(), ..Self::stored(name, bytes) }
    }

    fn header(&self, name: &[u8], hide_sizes: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let (crc, packed, unpacked) = if hide_sizes {
            (0, 0, 0)
        } else {
            (self.crc, u32::try_from(self.data.len()).unwrap(), self.unpacked)
        };
        let flags = self.flags | if self.descriptor { 8 } else { 0 };
        for field in [20, flags, self.method, 0, 0x21] {
            out.extend(field.to_le_bytes());
        }
        for field in [crc, packed, unpacked] {
            out.extend(field.to_le_bytes());
        }
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend(0_u16.to_le_bytes());
        out
    }
}

/// Writes an archive with its directory.
pub(crate) fn write(members: &[Member]) -> Vec<u8> {
    write_with(members, &[], &[])
}

/// Writes an archive behind a prefix and with a comment; offsets count from the archive's start.
pub(crate) fn write_with(members: &[Member], prefix: &[u8], comment: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut central = Vec::new();
    for member in members {
        let offset = member.offset.unwrap_or_else(|| u32::try_from(out.len()).unwrap());
        if member.offset.is_none() {
            out.extend(b"PK\x03\x04");
            out.extend(member.header(&member.local_name, member.descriptor));
            out.extend(&member.local_name);
            out.extend(&member.data);
            if member.descriptor {
                out.extend(b"PK\x07\x08");
                let packed = u32::try_from(member.data.len()).unwrap();
                for field in [member.crc, packed, member.unpacked] {
                    out.extend(field.to_le_bytes());
                }
            }
        }
        central.extend(b"PK\x01\x02\x14\x00");
        central.extend(member.header(&member.name, false));
        // Comment length, disk, internal and external attributes.
        central.extend([0; 10]);
        central.extend(offset.to_le_bytes());
        central.extend(&member.name);
    }
    let at = u32::try_from(out.len()).unwrap();
    let size = u32::try_from(central.len()).unwrap();
    out.extend(central);
    out.extend(end(members.len(), size, at, comment));
    [prefix, &out].concat()
}

/// An end record.
pub(crate) fn end(entries: usize, size: u32, at: u32, comment: &[u8]) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    let entries = u16::try_from(entries & 0xffff).unwrap();
    out.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
    out.extend(size.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    out.extend(comment);
    out
}
