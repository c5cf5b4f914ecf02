//! What a file is, by its bytes and never by its name.

/// Bytes of the head that every file is judged by.
pub(crate) const HEAD_BYTES: usize = 512;

/// Where the volume descriptor of ISO 9660 says `CD001`, in bytes from the start.
pub(crate) const ISO_MARK_AT: u64 = 0x8001;

/// What the first bytes promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// A zip archive: jar, war, wheel and many more.
    Zip,
    /// A single compressed stream.
    Stream(Stream),
    /// A container of files that this version recognises and does not open.
    Container,
    /// A program or script: an archive may be appended to it.
    Program,
    /// A Java class file.
    Class,
    /// Printable text.
    Text,
    /// Anything else.
    Other,
}

/// How a single stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// gzip or zstd, which we unpack far enough to look inside.
    Readable,
    /// xz, bzip2, lz4: not unpacked.
    Opaque,
}

/// Judges a file by its first [`HEAD_BYTES`] (or all of them, when there are fewer).
pub(crate) fn head(bytes: &[u8]) -> Head {
    match bytes {
        // The other two: an empty archive, and the first part of a spanned one.
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, b'P', b'K', ..] => {
            Head::Zip
        }
        [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] => Head::Stream(Stream::Readable),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] | [0x04, 0x22, 0x4d, 0x18, ..] => {
            Head::Stream(Stream::Opaque)
        }
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] if rest.starts_with(b"1AY&SY") => {
            Head::Stream(Stream::Opaque)
        }
        [0x7f, b'E', b'L', b'F', ..] | [b'M', b'Z', ..] | [b'#', b'!', ..] => Head::Program,
        // A program for several machines of macOS starts like a class; it says how many, and no
        // class file is older than version 45.
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 0..=44, ..] => Head::Program,
        [0xca, 0xfe, 0xba, 0xbe, ..] => Head::Class,
        _ if is_container(bytes) => Head::Container,
        _ if is_text(bytes) => Head::Text,
        _ => Head::Other,
    }
}

fn is_container(bytes: &[u8]) -> bool {
    const MARKS: [(usize, &[u8]); 10] = [
        (0, b"7z\xbc\xaf\x27\x1c"),
        (0, b"Rar!\x1a\x07"),
        (0, b"\xed\xab\xee\xdb"),
        // A Debian package. Other `ar` files are static libraries, which hold object code only.
        (0, b"!<arch>\ndebian-binary"),
        (0, b"hsqs"),
        (0, b"070701"),
        (0, b"070702"),
        (0, b"MSCF\0\0\0\0"),
        (0, b"\xca\xfe\xd0\x0d"),
        (257, b"ustar"),
    ];
    MARKS.iter().any(|(at, mark)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
        || is_old_tar(bytes)
}

/// A tar header without the `ustar` mark (1988 and before): the checksum of the header decides.
fn is_old_tar(bytes: &[u8]) -> bool {
    let Some(header) = bytes.get(..512) else { return false };
    let field = header[148..156].trim_ascii_end();
    let digits = field.trim_ascii_start().split(|byte| *byte == 0).next().unwrap_or_default();
    let declared = std::str::from_utf8(digits).ok().map(str::trim);
    let declared = declared.and_then(|text| u64::from_str_radix(text, 8).ok());
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let actual = sum(&header[..148]) + 8 * u64::from(b' ') + sum(&header[156..]);
    header[0] != 0 && declared == Some(actual)
}

/// Whether bytes look like text in UTF-8 or Latin-1: no control character but white space, form
/// feed, backspace (man pages overstrike with it) and escape (coloured logs).
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, 8..=13 | 27 | 32..=126 | 128..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads() {
        for (bytes, expected) in [
            (&b"PK\x03\x04..."[..], Head::Zip),
            (b"PK\x05\x06", Head::Zip),
            (b"\x1f\x8b\x08\x00", Head::Stream(Stream::Readable)),
            (b"\x28\xb5\x2f\xfd\x00", Head::Stream(Stream::Readable)),
            (b"\xfd7zXZ\0", Head::Stream(Stream::Opaque)),
            (b"BZh91AY&SY", Head::Stream(Stream::Opaque)),
            (b"BZh is not bzip2", Head::Text),
            (b"\x7fELF\x02", Head::Program),
            (b"#!/bin/sh\n", Head::Program),
            (b"7z\xbc\xaf\x27\x1c", Head::Container),
            (b"!<arch>\ndebian-binary   ", Head::Container),
            (b"!<arch>\nlib.o/   ", Head::Text),
            (b"hello\n", Head::Text),
            (b"", Head::Text),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", Head::Class),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", Head::Program),
        ] {
            assert_eq!(head(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn tar_with_and_without_its_mark() {
        let mut header = vec![0_u8; 512];
        header[..5].copy_from_slice(b"a.jar");
        header[100..107].copy_from_slice(b"0000644");
        assert_eq!(head(&header), Head::Other);
        let sum: u64 = header.iter().map(|b| u64::from(*b)).sum::<u64>() + 8 * 32;
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        assert_eq!(head(&header), Head::Container);
        header[148] = b'7';
        assert_eq!(head(&header), Head::Other);
        header[257..262].copy_from_slice(b"ustar");
        assert_eq!(head(&header), Head::Container);
    }
}
