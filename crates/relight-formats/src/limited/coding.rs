//! Every compression that occurs in containers: one decoder each, with a bound on its window.
//!
//! What a decoder may give in all is the caller's business, because only the caller knows how
//! many bytes of the disk all levels together came from. What it may hold is bounded here, before
//! the first byte: a header of a few bytes can ask for gigabytes.

use std::io::{self, BufReader, Read};

use bzip2::read::MultiBzDecoder;
use deflate64::Deflate64Decoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};
use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader, XzReader};
use zstd::stream::read::Decoder as ZstdDecoder;

use super::lz4::Frames;
use super::{Counted, LimitedError, gzip_decoder, ppmd, zstd_decoder};

pub use super::window::window_of;

/// Largest window of a decoder, in bytes: that of `xz -9`.
pub const WINDOW_MAX: u64 = 64 << 20;

/// Window that a later part of a stream may have, however narrow the first one is: that of `xz`.
pub const WINDOW_LATER_MAX: u64 = 8 << 20;

/// The largest window in KiB, with what a decoder of LZMA needs beside it.
pub(super) const LZMA_MEMORY_MAX_KB: u32 = memory_kb(WINDOW_MAX);

const fn memory_kb(window: u64) -> u32 {
    (window >> 10) as u32 + 1_024
}

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Plain,
    /// Raw deflate (RFC 1951).
    Deflate,
    /// Deflate with a window of 64 KiB (PKWARE).
    Deflate64,
    /// zlib (RFC 1950), with its check sum.
    Zlib,
    /// gzip (RFC 1952), every member.
    Gzip,
    /// bzip2, every stream.
    Bzip2,
    /// xz, every stream.
    Xz,
    /// `.lzma`: properties, dictionary and size in front.
    LzmaAlone,
    /// LZMA as method 14 of a zip (APPNOTE 5.8); its size, unless the data ends itself.
    ZipLzma(Option<u64>),
    /// LZMA without a header, as in 7z: properties, dictionary and size.
    Lzma(u8, u32, u64),
    /// LZMA2 without a header: dictionary.
    Lzma2(u32),
    /// zstd (RFC 8878), every frame.
    Zstd,
    /// lz4, every frame.
    Lz4,
    /// PPMd, variant H, as in 7z: order, and bytes of the model.
    Ppmd(u32, u32),
    /// PPMd, variant I, as method 98 of a zip (APPNOTE 5.10); its parameters stand in front.
    ZipPpmd,
    /// Addresses in branches of programs, made absolute so that they pack better.
    Branches(Machine),
    /// Differences between bytes this far apart.
    Delta(usize),
}

/// The machine whose branches were filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86 and `x86_64`.
    X86,
    /// PowerPC, big-endian.
    PowerPc,
    /// Itanium.
    Itanium,
    /// 32-bit ARM.
    Arm,
    /// ARM with short instructions.
    ArmThumb,
    /// SPARC.
    Sparc,
    /// 64-bit ARM.
    Arm64,
    /// RISC-V.
    RiscV,
}

/// Unpacks a stream piece by piece.
///
/// Reading fails with an error that holds [`LimitedError`] ([`LimitedError::inside`]).
///
/// # Errors
/// [`LimitedError::Window`] when the header asks for more than [`WINDOW_MAX`], and whatever else
/// is wrong with the first bytes.
pub fn decoder<'a>(
    coding: Coding,
    source: impl Read + 'a,
) -> Result<Box<dyn Read + 'a>, LimitedError> {
    limited(coding, source, WINDOW_MAX)
}

/// The same of a stream that starts so, and whose window is counted by that: no part of it may ask
/// for a wider one later, or for more than [`WINDOW_LATER_MAX`] where it starts with less.
///
/// # Errors
/// Those of [`decoder`].
pub fn decoder_of<'a>(
    coding: Coding,
    head: &[u8],
    source: impl Read + 'a,
) -> Result<Box<dyn Read + 'a>, LimitedError> {
    limited(coding, source, window_of(coding, head).clamp(WINDOW_LATER_MAX, WINDOW_MAX))
}

/// What a decoder holds, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What its stream asks for at its start.
    pub first: u64,
    /// What it may hold in the end: later parts of a stream say for themselves what they ask for.
    pub most: u64,
}

impl Held {
    /// A decoder that holds so many bytes from its start to its end.
    pub const fn all(bytes: u64) -> Self {
        Self { first: bytes, most: bytes }
    }

    /// A decoder of a stream that starts so.
    pub fn of(coding: Coding, head: &[u8]) -> Self {
        let first = window_of(coding, head);
        let has_parts = matches!(coding, Coding::Xz | Coding::Zstd);
        let most = if has_parts { first.max(WINDOW_LATER_MAX) } else { first };
        Self { first, most }
    }
}

fn limited<'a>(
    coding: Coding,
    source: impl Read + 'a,
    window_max: u64,
) -> Result<Box<dyn Read + 'a>, LimitedError> {
    let source = Counted { inner: source, count: 0 };
    if coding == Coding::Plain {
        return Ok(Box::new(source));
    }
    let inner = open(coding, source, window_max).map_err(LimitedError::of_decoder)?;
    Ok(Box::new(Named { inner }))
}

/// Joins the four streams that the BCJ2 filter of 7z splits programs into.
///
/// # Errors
/// [`LimitedError::Corrupt`] when there are not four, or their heads are wrong.
pub fn join_branches<'a>(
    inputs: Vec<Box<dyn Read + 'a>>,
    size: u64,
) -> Result<Box<dyn Read + 'a>, LimitedError> {
    let inner = Bcj2Reader::try_new(inputs, size).map_err(LimitedError::of_decoder)?;
    Ok(Box::new(Named { inner: Box::new(inner) }))
}

fn open<'a>(
    coding: Coding,
    source: impl Read + 'a,
    window_max: u64,
) -> io::Result<Box<dyn Read + 'a>> {
    let buffered = |source| BufReader::with_capacity(32 << 10, source);
    Ok(match coding {
        Coding::Plain => Box::new(source),
        Coding::Deflate => Box::new(DeflateDecoder::new(source)),
        Coding::Deflate64 => Box::new(Deflate64Decoder::new(source)),
        Coding::Zlib => Box::new(ZlibDecoder::new(source)),
        Coding::Gzip => Box::new(gzip_decoder(source)),
        Coding::Bzip2 => Box::new(MultiBzDecoder::new(source)),
        Coding::Xz => {
            Box::new(XzReader::new_mem_limit(buffered(source), true, memory_kb(window_max)))
        }
        Coding::LzmaAlone => {
            Box::new(LzmaReader::new_mem_limit(buffered(source), LZMA_MEMORY_MAX_KB, None)?)
        }
        Coding::ZipLzma(size) => Box::new(zip_lzma(buffered(source), size)?),
        Coding::Lzma(props, dictionary, size) => {
            Box::new(lzma(buffered(source), props, dictionary, size)?)
        }
        Coding::Lzma2(dictionary) => {
            let limit = LZMA_MEMORY_MAX_KB;
            Box::new(Lzma2Reader::new_mem_limit(buffered(source), dictionary, limit, None)?)
        }
        Coding::Zstd => Box::new(zstd(source, window_max)?),
        Coding::Ppmd(order, bytes) => Box::new(ppmd::decoder(buffered(source), order, bytes)?),
        Coding::ZipPpmd => Box::new(ppmd::zip_decoder(buffered(source))?),
        Coding::Lz4 => Box::new(Frames::new(source)),
        Coding::Branches(machine) => Box::new(branches(machine, source)),
        Coding::Delta(distance) => Box::new(DeltaReader::new(source, distance)),
    })
}

/// Archives are held to a smaller window than feeds of advisories.
fn zstd<R: Read>(source: R, window_max: u64) -> io::Result<ZstdDecoder<'static, BufReader<R>>> {
    let mut decoder = zstd_decoder(source).map_err(io::Error::other)?;
    decoder.window_log_max(window_max.next_power_of_two().ilog2())?;
    Ok(decoder)
}

/// Version, length of the properties, properties; then the data.
fn zip_lzma<R: Read>(mut source: R, size: Option<u64>) -> io::Result<LzmaReader<R>> {
    let mut head = [0; 9];
    source.read_exact(&mut head)?;
    if head[2..4] != [5, 0] {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let dictionary = u32::from_le_bytes([head[5], head[6], head[7], head[8]]);
    lzma(source, head[4], dictionary, size.unwrap_or(u64::MAX))
}

fn lzma<R: Read>(source: R, props: u8, dictionary: u32, size: u64) -> io::Result<LzmaReader<R>> {
    if lzma_rust2::lzma_get_memory_usage_by_props(dictionary, props)? > LZMA_MEMORY_MAX_KB {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    LzmaReader::new_with_props(source, size, props, dictionary, None)
}

fn branches<R: Read>(machine: Machine, source: R) -> BcjReader<R> {
    match machine {
        Machine::X86 => BcjReader::new_x86(source, 0),
        Machine::PowerPc => BcjReader::new_ppc(source, 0),
        Machine::Itanium => BcjReader::new_ia64(source, 0),
        Machine::Arm => BcjReader::new_arm(source, 0),
        Machine::ArmThumb => BcjReader::new_arm_thumb(source, 0),
        Machine::Sparc => BcjReader::new_sparc(source, 0),
        Machine::Arm64 => BcjReader::new_arm64(source, 0),
        Machine::RiscV => BcjReader::new_riscv(source, 0),
    }
}

/// Turns every error of a decoder into one that holds [`LimitedError`].
pub(super) struct Named<'a> {
    pub(super) inner: Box<dyn Read + 'a>,
}

impl Read for Named<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(read) => Ok(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(io::Error::other(LimitedError::of_decoder(error))),
        }
    }
}

/// Unpacks raw deflate in one piece, where the size is known: much faster than a stream.
#[derive(Default)]
pub struct Inflater {
    /// Made when it is first needed: most files are not packed.
    inner: Option<libdeflater::Decompressor>,
}

impl Inflater {
    /// Fills `out` with exactly `size` bytes; false when the data gives more or less, or is
    /// damaged. The caller has checked that it can afford `size`.
    pub fn inflate(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> bool {
        // What is there already is written over.
        out.resize(size, 0);
        let inner = self.inner.get_or_insert_with(libdeflater::Decompressor::new);
        matches!(inner.deflate_decompress(packed, out), Ok(written) if written == size)
    }

    /// The same for gzip of one member and nothing behind it, `size` being its [`gzip_size`].
    ///
    /// The decoder compares sum and size with the trailer that it comes to, and does not say where
    /// that was; what stands behind it is left unread. So the sum must be the one at the end, and
    /// a trailer like that must stand at the end only.
    pub fn gunzip(&mut self, packed: &[u8], size: usize, out: &mut Vec<u8>) -> bool {
        out.clear();
        let Some((before, trailer)) = packed.split_last_chunk::<GZIP_TRAILER_BYTES>() else {
            return false;
        };
        if memchr::memmem::find(packed, trailer) != Some(before.len()) {
            return false;
        }
        let sum = u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]);
        out.resize(size, 0);
        let inner = self.inner.get_or_insert_with(libdeflater::Decompressor::new);
        let written = inner.gzip_decompress(packed, out);
        matches!(written, Ok(written) if written == size) && Crc32::of(out) == sum
    }
}

/// Bytes of the trailer of gzip (RFC 1952): CRC-32 and size.
const GZIP_TRAILER_BYTES: usize = 8;

/// How many bytes gzip says that it unpacks to, in its last bytes; true of one member below 4 GiB.
pub fn gzip_size(packed: &[u8]) -> Option<u64> {
    let (_, size) = packed.split_last_chunk::<4>()?;
    Some(u32::from_le_bytes(*size).into())
}

/// Unpacks raw deflate that ends itself, and says how much of the input it took: where the next
/// member of an archive starts that is read front to back.
pub struct Stepper {
    inner: flate2::Decompress,
}

/// What one [`Stepper::step`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Bytes taken from the input.
    pub taken: usize,
    /// Bytes written to the output.
    pub given: usize,
    /// The stream has ended.
    pub ended: bool,
}

impl Default for Stepper {
    fn default() -> Self {
        Self { inner: flate2::Decompress::new(false) }
    }
}

impl Stepper {
    /// Forgets what it unpacked: the next step begins another stream.
    pub fn restart(&mut self) {
        self.inner.reset(false);
    }

    /// Unpacks as much as fits.
    ///
    /// # Errors
    /// [`LimitedError::Corrupt`].
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, LimitedError> {
        let (before_in, before_out) = (self.inner.total_in(), self.inner.total_out());
        let status = self.inner.decompress(input, output, flate2::FlushDecompress::None);
        let status = status.map_err(|error| LimitedError::Corrupt(error.into()))?;
        let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or_default();
        Ok(Step {
            taken: count(self.inner.total_in(), before_in),
            given: count(self.inner.total_out(), before_out),
            ended: status == flate2::Status::StreamEnd,
        })
    }
}

/// The CRC-32 of zip, gzip and PNG.
#[derive(Default)]
pub struct Crc32 {
    inner: libdeflater::Crc,
}

impl Crc32 {
    /// Of all bytes at once.
    pub fn of(bytes: &[u8]) -> u32 {
        libdeflater::crc32(bytes)
    }

    /// Goes on with these bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// The sum so far.
    pub fn sum(&self) -> u32 {
        self.inner.sum()
    }
}

/// How the blocks of a file system are packed, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// zlib (RFC 1950).
    Zlib,
    /// `.lzma`.
    Lzma,
    /// xz.
    Xz,
    /// One block of lz4, without a frame.
    Lz4,
    /// zstd.
    Zstd,
}

impl Block {
    /// Unpacks one block to at most `bytes_max` bytes.
    ///
    /// # Errors
    /// [`LimitedError::Corrupt`] when it is damaged or gives more, [`LimitedError::Window`] as for
    /// [`decoder`].
    pub fn unpack(self, packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, LimitedError> {
        let coding = match self {
            Self::Zlib => return zlib(packed, bytes_max),
            Self::Lz4 => return lz4(packed, bytes_max),
            Self::Lzma => Coding::LzmaAlone,
            Self::Xz => Coding::Xz,
            Self::Zstd => Coding::Zstd,
        };
        let mut out = Vec::new();
        let mut reader = decoder(coding, packed)?.take(bytes_max as u64 + 1);
        reader.read_to_end(&mut out).map_err(LimitedError::of_decoder)?;
        if out.len() > bytes_max { Err(too_much()) } else { Ok(out) }
    }
}

fn zlib(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, LimitedError> {
    let mut out = vec![0; bytes_max];
    let written = libdeflater::Decompressor::new().zlib_decompress(packed, &mut out);
    let written = written.map_err(|error| LimitedError::Corrupt(io::Error::other(error)))?;
    out.truncate(written);
    Ok(out)
}

fn lz4(packed: &[u8], bytes_max: usize) -> Result<Vec<u8>, LimitedError> {
    let mut out = vec![0; bytes_max];
    let written = lz4_flex::block::decompress_into(packed, &mut out);
    let written = written.map_err(|error| LimitedError::Corrupt(io::Error::other(error)))?;
    out.truncate(written);
    Ok(out)
}

fn too_much() -> LimitedError {
    LimitedError::Corrupt(io::Error::other("a block gives more than its size"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text() -> Vec<u8> {
        (0..9_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    fn xz(bytes: &[u8], dictionary: u32) -> Vec<u8> {
        let mut options = lzma_rust2::XzOptions::with_preset(1);
        options.lzma_options.dict_size = dictionary;
        let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpack(coding: Coding, packed: &[u8]) -> Result<Vec<u8>, LimitedError> {
        let mut out = Vec::new();
        decoder(coding, packed)?.read_to_end(&mut out).map_err(LimitedError::of_decoder)?;
        Ok(out)
    }

    #[test]
    fn each_way_to_fail_has_its_name() {
        let plain = text();
        let packed = xz(&plain, 1 << 16);
        assert_eq!(unpack(Coding::Xz, &packed).unwrap(), plain);
        let cut = unpack(Coding::Xz, &packed[..packed.len() / 2]);
        assert!(matches!(cut, Err(LimitedError::Truncated)), "{cut:?}");
        let mut damaged = packed.clone();
        damaged[packed.len() / 2] ^= 0x55;
        assert!(matches!(unpack(Coding::Xz, &damaged), Err(LimitedError::Corrupt(_))));
        let wide = unpack(Coding::Xz, &xz(b"small", 256 << 20));
        assert!(matches!(wide, Err(LimitedError::Window)), "{wide:?}");
        let none = unpack(Coding::Lzma(0xff, 1 << 16, 5), b"\0\0\0\0\0\0");
        assert!(none.is_err());
    }

    /// Goal: what counts for the window of a stream is what it holds. Method: a second part that
    /// asks for more, as much as the first one, and what everybody may have.
    #[test]
    fn no_later_part_has_a_wider_window() {
        let (small, usual) = (xz(b"a", 1 << 16), xz(b"b", 8 << 20));
        let (wide, wider) = (xz(b"c", 16 << 20), xz(b"d", 64 << 20));
        let of = |parts: &[&[u8]]| {
            let packed = parts.concat();
            let mut out = Vec::new();
            let mut stream = decoder_of(Coding::Xz, &packed[..64], &packed[..]).unwrap();
            stream.read_to_end(&mut out).map_err(LimitedError::of_decoder).map(|_| out)
        };
        assert_eq!(of(&[&small, &usual]).unwrap(), b"ab");
        assert_eq!(of(&[&wider, &small, &wide]).unwrap(), b"dac");
        for parts in [[&small, &wide], [&wide, &wider]] {
            let refused = of(&[parts[0], parts[1]]);
            assert!(matches!(refused, Err(LimitedError::Window)), "{refused:?}");
        }
        let zst = |window: u32| {
            let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            encoder.window_log(window).unwrap();
            encoder.include_contentsize(false).unwrap();
            encoder.write_all(&text()).unwrap();
            encoder.finish().unwrap()
        };
        let packed = [zst(20), zst(24)].concat();
        let mut out = Vec::new();
        decoder_of(Coding::Zstd, &packed, &packed[..]).unwrap().read_to_end(&mut out).unwrap_err();
        assert_eq!(out, text());
    }

    #[test]
    fn one_piece_or_many_give_the_same() {
        let plain = text();
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&plain).unwrap();
        let packed = encoder.finish().unwrap();
        let mut out = Vec::new();
        let mut inflater = Inflater::default();
        assert!(inflater.inflate(&packed, plain.len(), &mut out));
        assert_eq!(out, plain);
        assert!(!inflater.inflate(&packed, plain.len() - 1, &mut out));
        assert!(!inflater.inflate(&packed, plain.len() + 1, &mut out));
        assert!(!inflater.inflate(&packed[..9], plain.len(), &mut out));
        let (mut stepper, mut given, mut piece) = (Stepper::default(), Vec::new(), [0; 1000]);
        let more = [&packed[..], b"the next member"].concat();
        let mut at = 0;
        loop {
            let step = stepper.step(&more[at..], &mut piece).unwrap();
            at += step.taken;
            given.extend_from_slice(&piece[..step.given]);
            if step.ended {
                break;
            }
        }
        assert_eq!((at, given), (packed.len(), plain));
    }

    /// Goal: one piece gives what the stream gives, or refuses; no part is taken for the whole.
    #[test]
    fn gzip_in_one_piece_is_the_whole_or_nothing() {
        let gz = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let one_piece = |packed: &[u8]| {
            let mut out = Vec::new();
            let size = usize::try_from(gzip_size(packed)?).ok()?.min(1 << 20);
            Inflater::default().gunzip(packed, size, &mut out).then_some(out)
        };
        let (plain, one) = (text(), gz(&text()));
        assert_eq!(one_piece(&one), Some(plain.clone()));
        // The trailer of nothing is zeros, as there are in the head: the slow way is taken.
        assert_eq!(one_piece(&gz(b"")), None);
        let trailer = &one[one.len() - 8..];
        // Two of one length: the size at the end is that of the first as well.
        let (mut other, mut both) = (plain.clone(), plain.clone());
        other[0] = b'L';
        both.extend_from_slice(&other);
        let two = [&one[..], &gz(&other)].concat();
        assert_eq!(unpack(Coding::Gzip, &two).unwrap(), both);
        for refused in [
            two,
            [&one[..], &one].concat(),
            [&one[..], &gz(b"hidden"), &one].concat(),
            [&one[..], b"behind"].concat(),
            [&one[..], b"behind", trailer].concat(),
            [&one[..], trailer].concat(),
            one[..one.len() - 1].to_vec(),
            b"\x1f\x8b".to_vec(),
            Vec::new(),
        ] {
            assert_eq!(one_piece(&refused), None, "{}", refused.len());
        }
        let mut rng = testkit::Rng::new(5);
        for _ in 0..2_000 {
            let mut damaged = one.clone();
            let at = rng.below(damaged.len());
            damaged[at] ^= 1 << rng.below(8);
            if let Some(out) = one_piece(&damaged) {
                assert_eq!(out, plain, "a bit of the header that says nothing");
            }
        }
    }

    #[test]
    fn a_block_gives_no_more_than_its_size() {
        let plain = text();
        let packed = xz(&plain, 1 << 16);
        assert_eq!(Block::Xz.unpack(&packed, plain.len()).unwrap(), plain);
        assert!(Block::Xz.unpack(&packed, plain.len() - 1).is_err());
        let packed = lz4_flex::block::compress(&plain);
        assert_eq!(Block::Lz4.unpack(&packed, plain.len()).unwrap(), plain);
        assert!(Block::Lz4.unpack(&packed, plain.len() - 1).is_err());
        assert!(Block::Zlib.unpack(b"no zlib", 99).is_err());
    }

    #[test]
    fn sums_of_parts_are_the_sum() {
        let mut crc = Crc32::default();
        text().chunks(7).for_each(|part| crc.update(part));
        assert_eq!(crc.sum(), Crc32::of(&text()));
        assert_eq!(Crc32::of(b"123456789"), 0xcbf4_3926);
    }
}
