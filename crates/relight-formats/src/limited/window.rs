//! What a decoder holds, by the first bytes of its stream.

use super::coding::Coding;
use super::ppmd;

/// Most that a decoder of bzip2 holds, in bytes.
const BZIP2_BYTES_MAX: u64 = 3_600_000;

/// Most that a decoder of lz4 holds, in bytes: two blocks.
const LZ4_BYTES_MAX: u64 = 16 << 20;

/// The window that a stream asks for by its first bytes, or what else its decoder holds; 0 where it
/// asks for none that counts.
pub fn window_of(coding: Coding, head: &[u8]) -> u64 {
    let u32_at = |at: usize| {
        let field = head.get(at..at + 4).and_then(|field| field.try_into().ok());
        u64::from(u32::from_le_bytes(field.unwrap_or_default()))
    };
    match coding {
        Coding::LzmaAlone => u32_at(1),
        Coding::ZipLzma(_) => u32_at(5),
        Coding::Lzma(_, size, _) | Coding::Lzma2(size) | Coding::Ppmd(_, size) => size.into(),
        Coding::ZipPpmd => head.first_chunk().map_or(0, |head| ppmd::fields(*head).1.into()),
        Coding::Xz => xz_dictionary(head).unwrap_or_default(),
        Coding::Zstd => zstd_window(head).unwrap_or_default(),
        // Four bytes for each byte of a block; the digit says how many times 100 kB it has.
        Coding::Bzip2 => match head.get(3) {
            Some(digit @ b'1'..=b'9') => u64::from(digit - b'0') * 400_000,
            _ => BZIP2_BYTES_MAX,
        },
        Coding::Lz4 => LZ4_BYTES_MAX.min(lz4_blocks(head)),
        _ => 0,
    }
}

/// Two blocks of a frame of lz4 (its frame format, 1.6.4, "BD byte"); frames of the old form say
/// nothing.
fn lz4_blocks(head: &[u8]) -> u64 {
    match head.get(5).map(|byte| byte >> 4 & 7) {
        Some(code @ 4..=7) if head.starts_with(&[4, 0x22, 0x4d, 0x18]) => 2 << (2 * code + 8),
        _ => LZ4_BYTES_MAX,
    }
}

/// The dictionary in the first block header of xz (xz-file-format 3.1): behind the optional sizes,
/// the filter 0x21 with one byte of properties.
fn xz_dictionary(head: &[u8]) -> Option<u64> {
    let block = head.get(12..)?;
    let len = (usize::from(*block.first()?) + 1) * 4;
    let fields = block.get(2..len.min(block.len()))?;
    let at = fields.windows(2).position(|pair| pair == [0x21, 1])?;
    let code = *fields.get(at + 2)?;
    let size = (2 | u64::from(code & 1)) << (u32::from(code.min(40)) / 2 + 11);
    Some(size)
}

/// The window in a frame header of zstd (RFC 8878, 3.1.1.1.2).
fn zstd_window(head: &[u8]) -> Option<u64> {
    let descriptor = *head.get(4).filter(|_| head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))?;
    if descriptor & 0x20 != 0 {
        // A single segment: the window is the content, whose size stands behind the dictionary's
        // number.
        let at = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
        let len = [1, 2, 4, 8][usize::from(descriptor >> 6)];
        let bytes = head.get(at..at + len)?;
        let size = bytes.iter().rev().fold(0, |size, byte| size << 8 | u64::from(*byte));
        return Some(if len == 2 { size + 256 } else { size });
    }
    let code = *head.get(5)?;
    let base = 1_u64 << (10 + u32::from(code >> 3));
    Some(base + base / 8 * u64::from(code & 7))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn windows_are_known_from_the_head() {
        for dictionary in [1 << 16, 3 << 20, 1 << 26] {
            let mut options = lzma_rust2::XzOptions::with_preset(1);
            options.lzma_options.dict_size = dictionary;
            let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
            encoder.write_all(b"small").unwrap();
            let packed = encoder.finish().unwrap();
            assert_eq!(window_of(Coding::Xz, &packed), u64::from(dictionary));
        }
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(24).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&[7; 99_000]).unwrap();
        assert_eq!(window_of(Coding::Zstd, &encoder.finish().unwrap()), 1 << 24);
        // One that is no longer than its window.
        for len in [9, 300, 99_000] {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.set_pledged_src_size(Some(len)).unwrap();
            encoder.write_all(&vec![7; len as usize]).unwrap();
            assert_eq!(window_of(Coding::Zstd, &encoder.finish().unwrap()), len);
        }
        assert_eq!(window_of(Coding::LzmaAlone, b"\x5d\0\0\x80\0"), 8 << 20);
        assert_eq!(window_of(Coding::Gzip, b"\x1f\x8b"), 0);
        for coding in [Coding::Xz, Coding::Zstd, Coding::LzmaAlone] {
            assert_eq!(window_of(coding, b""), 0);
        }
        assert_eq!(window_of(Coding::Bzip2, b"BZh1"), 400_000);
        assert_eq!(window_of(Coding::Bzip2, b""), 3_600_000);
        // 64 KiB and 4 MiB, twice each.
        assert_eq!(window_of(Coding::Lz4, b"\x04\x22\x4d\x18\x60\x40"), 128 << 10);
        assert_eq!(window_of(Coding::Lz4, b"\x04\x22\x4d\x18\x60\x70"), 8 << 20);
        assert_eq!(window_of(Coding::Lz4, b"\x02\x21\x4c\x18"), 16 << 20);
    }
}
