//! Zip archives, read by their structures (APPNOTE.TXT 6.3.10) and never by what they promise.
//!
//! Why not the `zip` crate: it keeps one entry a name (a second entry of the same name is a way to
//! hide a jar), it needs a good central directory (we go on without one), and it reads a whole
//! directory before a limit can stop it.

mod directory;
mod member;

pub(crate) use directory::{Entry, is_archive, open};
pub(crate) use member::{Budget, Keep, Member, locate, read};

/// Signature of a local header.
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// Signature of an entry of the central directory.
const CENTRAL: [u8; 4] = *b"PK\x01\x02";

/// Signature of the end record.
pub(crate) const END: [u8; 4] = *b"PK\x05\x06";

/// Size of the end record without its comment, in bytes.
const END_BYTES: u64 = 22;

/// Size of a local header without name and extra field, in bytes.
const LOCAL_BYTES: u64 = 30;

/// The value of a 32-bit field whose real value stands in the zip64 extra field.
const IN_ZIP64: u64 = 0xffff_ffff;

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let field = bytes.get(at..at + 2).and_then(|field| field.try_into().ok());
    u16::from_le_bytes(field.unwrap_or_default())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|field| field.try_into().ok());
    u32::from_le_bytes(field.unwrap_or_default())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
    u64::from_le_bytes(field.unwrap_or_default())
}

/// Replaces the values of `fields` that are [`IN_ZIP64`] by those of the zip64 extra field, in
/// order (APPNOTE 4.5.3). False when one is needed and missing.
fn apply_zip64(extra: &[u8], fields: [&mut u64; 3]) -> bool {
    let mut rest = extra;
    let mut values: &[u8] = &[];
    while rest.len() >= 4 {
        let (id, size) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
        let body = &rest[4..(4 + size).min(rest.len())];
        if id == 1 {
            values = body;
            break;
        }
        rest = &rest[4 + body.len()..];
    }
    for field in fields {
        if *field == IN_ZIP64 {
            if values.len() < 8 {
                return false;
            }
            *field = u64_at(values, 0);
            values = &values[8..];
        }
    }
    true
}
