//! The only decompressor, with a hard limit on what it may unpack. Documents and logs are gzip,
//! zstd, xz or raw deflate; what else occurs in containers is in [`coding`].
//!
//! Two rules end a bomb: an absolute limit the caller chooses, and a ratio, because no honest
//! document of ours unpacks to more than a few dozen times its size. Reaching either is the error
//! [`LimitedError::Limit`]; output is never silently cut short.

pub mod coding;
pub mod first;
mod lz4;
mod ppmd;
pub mod shelf;
mod window;

use std::error::Error;
use std::fmt;
use std::io::{self, BufReader, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use zstd::stream::read::Decoder as ZstdDecoder;

/// Unpacked bytes for each packed byte that are allowed on top of [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: u64 = 200;

/// Unpacked bytes that are allowed whatever the ratio: small files of zeros are legitimate.
pub const RATIO_FREE_BYTES: u64 = 64 << 20;

/// Largest window of a zstd frame, as a power of two: 128 MiB of memory, which is what `--long`
/// of the zstd program asks for.
pub const WINDOW_LOG_MAX: u32 = 27;

/// How much a stream may unpack to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of output, whatever the input.
    pub bytes_max: u64,
    /// Unpacked bytes for each packed byte, checked once output exceeds [`RATIO_FREE_BYTES`].
    pub ratio_max: u64,
}

impl Limits {
    /// An absolute limit of `bytes_max`, and the usual ratio.
    pub const fn bytes(bytes_max: u64) -> Self {
        Self { bytes_max, ratio_max: RATIO_MAX }
    }

    /// How much output `packed` bytes of input may give.
    const fn allowed(self, packed: u64) -> u64 {
        let by_ratio = RATIO_FREE_BYTES.saturating_add(packed.saturating_mul(self.ratio_max));
        if by_ratio < self.bytes_max { by_ratio } else { self.bytes_max }
    }
}

/// Why bytes could not be unpacked.
#[derive(Debug)]
pub enum LimitedError {
    /// More output than allowed, in bytes.
    Limit(u64),
    /// The compressed data is not valid.
    Corrupt(io::Error),
    /// The data asks for a larger window than allowed.
    Window,
    /// The data ends before its own end mark, or before its declared size.
    Truncated,
    /// The source of the bytes failed.
    Io(io::Error),
}

impl LimitedError {
    /// The reason inside an error of a reader made by [`open_stream`], if it was ours.
    pub fn inside(error: &io::Error) -> Option<&Self> {
        error.get_ref().and_then(|inner| inner.downcast_ref())
    }

    /// Sorts the error of a decoder; errors of the source arrive already wrapped.
    fn of_decoder(error: io::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(ours) => return ours,
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            io::ErrorKind::OutOfMemory => Self::Window,
            // zstd has a code for it, which its bindings turn into words.
            _ if error.to_string().contains("requires too much memory") => Self::Window,
            _ => Self::Corrupt(error),
        }
    }
}

impl fmt::Display for LimitedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(bytes) => write!(f, "unpacks to more than the limit of {bytes} bytes"),
            Self::Corrupt(_) => f.write_str("compressed data is corrupt"),
            Self::Window => f.write_str("needs a larger window than the limit"),
            Self::Truncated => f.write_str("data ends too early"),
            Self::Io(_) => f.write_str("reading the packed bytes failed"),
        }
    }
}

impl Error for LimitedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Corrupt(error) | Self::Io(error) => Some(error),
            Self::Limit(_) | Self::Window | Self::Truncated => None,
        }
    }
}

/// Reads everything, which is not compressed, up to `bytes_max`.
///
/// # Errors
/// [`LimitedError::Limit`] when there is more, [`LimitedError::Io`] when the reader fails, and
/// whatever a reader of [`open_stream`] says.
pub fn read_all(reader: impl Read, bytes_max: u64) -> Result<Vec<u8>, LimitedError> {
    let mut out = Vec::new();
    let read = reader.take(bytes_max.saturating_add(1)).read_to_end(&mut out);
    read.map_err(|error| error.downcast::<LimitedError>().unwrap_or_else(LimitedError::Io))?;
    if out.len() as u64 > bytes_max { Err(LimitedError::Limit(bytes_max)) } else { Ok(out) }
}

/// Unpacks raw deflate (RFC 1951), as archives hold it; `declared` is the size that the archive
/// promises.
///
/// # Errors
/// [`LimitedError::Limit`] when `declared` or the real output is over `bytes_max` or the ratio,
/// [`LimitedError::Corrupt`] when the stream is not deflate or gives more than `declared`,
/// [`LimitedError::Truncated`] when it ends early or gives less.
pub fn inflate(
    bytes: &[u8],
    declared: Option<u64>,
    bytes_max: u64,
) -> Result<Vec<u8>, LimitedError> {
    let allowed = Limits::bytes(bytes_max).allowed(bytes.len() as u64);
    if declared.is_some_and(|size| size > allowed) {
        return Err(LimitedError::Limit(allowed));
    }
    let out = unpack(DeflateDecoder::new(bytes), declared.unwrap_or(allowed).min(allowed));
    match (out, declared) {
        (Err(LimitedError::Limit(_)), Some(_)) => {
            Err(LimitedError::Corrupt(io::Error::other("more bytes than the archive declares")))
        }
        (Ok(out), Some(size)) if (out.len() as u64) < size => Err(LimitedError::Truncated),
        (out, _) => out,
    }
}

/// Unpacks gzip (RFC 1952), every member.
///
/// # Errors
/// As [`inflate`]; bytes after the last member are [`LimitedError::Corrupt`].
pub fn gunzip(bytes: &[u8], bytes_max: u64) -> Result<Vec<u8>, LimitedError> {
    let allowed = Limits::bytes(bytes_max).allowed(bytes.len() as u64);
    unpack(gzip_decoder(bytes), allowed)
}

/// Unpacks zstd (RFC 8878), every frame.
///
/// # Errors
/// As [`inflate`]; a frame whose window is over [`WINDOW_LOG_MAX`] is [`LimitedError::Window`].
pub fn unzstd(bytes: &[u8], bytes_max: u64) -> Result<Vec<u8>, LimitedError> {
    let allowed = Limits::bytes(bytes_max).allowed(bytes.len() as u64);
    unpack(zstd_decoder(bytes)?, allowed)
}

/// Reads a stream that may be gzip, zstd, xz or plain, decided by its first bytes.
///
/// Reading fails with an error that holds [`LimitedError`] (see [`LimitedError::inside`]) as soon
/// as the output passes `limits`, or when the packed data is corrupt or ends early.
///
/// # Errors
/// [`LimitedError::Io`] when the first bytes cannot be read.
pub fn open_stream(
    mut reader: impl Read + 'static,
    limits: Limits,
) -> Result<Box<dyn Read>, LimitedError> {
    let mut head = Vec::new();
    reader.by_ref().take(6).read_to_end(&mut head).map_err(LimitedError::Io)?;
    let packing = Packing::of(&head);
    let whole = Counted { inner: io::Cursor::new(head).chain(reader), count: 0 };
    let decoder = match packing {
        Packing::Gzip => Decoder::Gzip(Box::new(gzip_decoder(whole))),
        Packing::Zstd => Decoder::Zstd(zstd_decoder(whole)?),
        Packing::Xz => {
            let source = BufReader::new(whole);
            let limit = coding::LZMA_MEMORY_MAX_KB;
            Decoder::Xz(Box::new(XzReader::new_mem_limit(source, true, limit)))
        }
        Packing::Plain => Decoder::Plain(whole),
    };
    Ok(Box::new(Limited { decoder, limits, count: 0 }))
}

/// How a stream is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
    Xz,
    Plain,
}

impl Packing {
    const fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0] => Self::Xz,
            _ => Self::Plain,
        }
    }
}

/// A decoder that still knows its source, so that the ratio can be computed.
enum Decoder<R: Read> {
    Gzip(Box<MultiGzDecoder<Counted<R>>>),
    Zstd(ZstdDecoder<'static, BufReader<Counted<R>>>),
    Xz(Box<XzReader<BufReader<Counted<R>>>>),
    Plain(Counted<R>),
}

impl<R: Read> Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer),
            Self::Plain(source) => source.read(buffer),
        }
    }

    fn packed(&self) -> u64 {
        match self {
            Self::Gzip(decoder) => decoder.get_ref().count,
            Self::Zstd(decoder) => decoder.get_ref().get_ref().count,
            Self::Xz(decoder) => decoder.inner().get_ref().count,
            Self::Plain(source) => source.count,
        }
    }
}

/// Counts the bytes of a source and marks its errors as the source's own.
struct Counted<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(read) => {
                self.count += read as u64;
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(io::Error::other(LimitedError::Io(error))),
        }
    }
}

/// Fails as soon as the output passes the limits.
struct Limited<R: Read> {
    decoder: Decoder<R>,
    limits: Limits,
    count: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match self.decoder.read(buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => return Err(io::Error::other(LimitedError::of_decoder(error))),
        };
        self.count += read as u64;
        let allowed = self.limits.allowed(self.decoder.packed());
        if self.count > allowed {
            return Err(io::Error::other(LimitedError::Limit(allowed)));
        }
        Ok(read)
    }
}

fn unpack(decoder: impl Read, allowed: u64) -> Result<Vec<u8>, LimitedError> {
    let mut out = Vec::new();
    let read = decoder.take(allowed.saturating_add(1)).read_to_end(&mut out);
    read.map_err(LimitedError::of_decoder)?;
    if out.len() as u64 > allowed { Err(LimitedError::Limit(allowed)) } else { Ok(out) }
}

#[expect(clippy::disallowed_methods, reason = "the one home of decoders")]
fn gzip_decoder<R: Read>(reader: R) -> MultiGzDecoder<R> {
    MultiGzDecoder::new(reader)
}

#[expect(clippy::disallowed_methods, reason = "the one home of decoders")]
fn zstd_decoder<R: Read>(reader: R) -> Result<ZstdDecoder<'static, BufReader<R>>, LimitedError> {
    let mut decoder = ZstdDecoder::new(reader).map_err(LimitedError::Io)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(LimitedError::Io)?;
    Ok(decoder)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::stream::encode_all(bytes, 1).unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn text() -> Vec<u8> {
        (0..5_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    fn stream(packed: &[u8], limits: Limits) -> Result<Vec<u8>, LimitedError> {
        let reader = open_stream(io::Cursor::new(packed.to_vec()), limits)?;
        read_all(reader, u64::MAX - 1)
    }

    #[test]
    fn a_stream_of_xz_is_told_by_its_first_bytes() {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        writer.write_all(&text()).unwrap();
        let packed = writer.finish().unwrap();
        assert_eq!(stream(&packed, Limits::bytes(u64::MAX)).unwrap(), text());
        let cut = stream(&packed[..packed.len() / 2], Limits::bytes(u64::MAX));
        assert!(matches!(cut, Err(LimitedError::Truncated)), "{cut:?}");
        let limit = stream(&packed, Limits::bytes(1_000));
        assert!(matches!(limit, Err(LimitedError::Limit(1_000))), "{limit:?}");
    }

    #[test]
    fn packs_and_unpacks() {
        let plain = text();
        let size = plain.len() as u64;
        assert_eq!(gunzip(&gzip(&plain), size).unwrap(), plain);
        assert_eq!(unzstd(&zstd(&plain), size).unwrap(), plain);
        assert_eq!(inflate(&deflate(&plain), Some(size), size).unwrap(), plain);
        assert_eq!(inflate(&deflate(&plain), None, size).unwrap(), plain);
        assert_eq!(read_all(&plain[..], size).unwrap(), plain);
        for packed in [gzip(&plain), zstd(&plain), plain.clone()] {
            assert_eq!(stream(&packed, Limits::bytes(size)).unwrap(), plain);
        }
    }

    #[test]
    fn several_members_are_one_stream() {
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(gunzip(&two, 6).unwrap(), b"onetwo");
        assert_eq!(stream(&two, Limits::bytes(6)).unwrap(), b"onetwo");
        let two = [zstd(b"one"), zstd(b"two")].concat();
        assert_eq!(unzstd(&two, 6).unwrap(), b"onetwo");
    }

    #[test]
    fn one_byte_over_the_limit_is_an_error() {
        let plain = text();
        let limit = plain.len() as u64 - 1;
        let results = [
            gunzip(&gzip(&plain), limit),
            unzstd(&zstd(&plain), limit),
            inflate(&deflate(&plain), None, limit),
            inflate(&deflate(&plain), Some(limit + 1), limit),
            read_all(&plain[..], limit),
            stream(&gzip(&plain), Limits::bytes(limit)),
            stream(&zstd(&plain), Limits::bytes(limit)),
            stream(&plain, Limits::bytes(limit)),
        ];
        for (index, result) in results.into_iter().enumerate() {
            assert!(matches!(result, Err(LimitedError::Limit(l)) if l == limit), "{index}");
        }
    }

    #[test]
    fn the_ratio_stops_a_bomb() {
        let zeros = vec![0; RATIO_FREE_BYTES as usize + (8 << 20)];
        let bomb = zstd(&zeros);
        assert!(RATIO_FREE_BYTES + bomb.len() as u64 * RATIO_MAX < zeros.len() as u64);
        assert!(matches!(unzstd(&bomb, u64::MAX), Err(LimitedError::Limit(_))));
        let limits = Limits::bytes(u64::MAX);
        assert!(matches!(stream(&bomb, limits), Err(LimitedError::Limit(_))));
        let generous = Limits { ratio_max: 1 << 20, ..limits };
        assert_eq!(stream(&bomb, generous).unwrap().len(), zeros.len());
    }

    #[test]
    fn cut_anywhere_is_never_complete() {
        let plain = b"hello, hello, hello".repeat(9);
        let size = plain.len() as u64;
        for packed in [gzip(&plain), zstd(&plain)] {
            for cut in 4..packed.len() {
                let got = stream(&packed[..cut], Limits::bytes(size));
                assert!(matches!(got, Err(LimitedError::Truncated)), "{cut}: {got:?}");
            }
        }
        let packed = deflate(&plain);
        for cut in 0..packed.len() {
            assert!(inflate(&packed[..cut], Some(size), size).is_err(), "{cut}");
        }
    }

    #[test]
    fn damage_and_lies_are_corrupt() {
        let plain = text();
        let size = plain.len() as u64;
        let mut packed = gzip(&plain);
        let end = packed.len() - 6;
        packed[end] ^= 1;
        assert!(matches!(gunzip(&packed, size), Err(LimitedError::Corrupt(_))));
        let mut packed = zstd(&plain);
        packed[4] |= 0x08; // the reserved bit of the frame header (RFC 8878, 3.1.1.1.1)
        assert!(matches!(unzstd(&packed, size), Err(LimitedError::Corrupt(_))));
        let packed = deflate(&plain);
        assert!(matches!(inflate(&packed, Some(9), size), Err(LimitedError::Corrupt(_))));
        let more = Some(size + 1);
        assert!(matches!(inflate(&packed, more, size + 1), Err(LimitedError::Truncated)));
    }

    #[test]
    fn a_window_over_the_limit_is_refused() {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(WINDOW_LOG_MAX + 1).unwrap();
        encoder.include_contentsize(false).unwrap();
        encoder.write_all(&text()).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(matches!(unzstd(&packed, u64::MAX), Err(LimitedError::Window)));
    }

    #[test]
    fn an_error_of_the_source_stays_one() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("cable"))
            }
        }
        let head = io::Cursor::new(gzip(&text())[..20].to_vec());
        let mut reader = open_stream(head.chain(Broken), Limits::bytes(99_999)).unwrap();
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        assert!(matches!(LimitedError::inside(&error), Some(LimitedError::Io(_))));
        assert!(open_stream(Broken, Limits::bytes(1)).is_err());
    }
}
