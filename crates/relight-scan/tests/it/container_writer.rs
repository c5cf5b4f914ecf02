//! Writes small containers of every family but zip, by their specifications.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bz2(bytes: &[u8]) -> Vec<u8> {
    bz2_with(bytes, 1)
}

/// bzip2 in blocks of so many times 100 kB.
pub(crate) fn bz2_with(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(level));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// xz with a dictionary of so many bytes.
pub(crate) fn xz_with(bytes: &[u8], dictionary: u32) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = dictionary;
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(bytes: &[u8]) -> Vec<u8> {
    xz_with(bytes, 1 << 16)
}

pub(crate) fn lzma(bytes: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::LzmaOptions::with_preset(0);
    options.dict_size = 1 << 16;
    let mut encoder = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).unwrap()
}

pub(crate) fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The form that `lz4 -l` writes, and Linux reads.
pub(crate) fn lz4_old(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x02\x21\x4c\x18".to_vec();
    for block in bytes.chunks(8 << 20) {
        let packed = lz4_flex::block::compress(block);
        out.extend((packed.len() as u32).to_le_bytes());
        out.extend(packed);
    }
    out
}

/// zstd with a window of two to this power, as `zstd --long` writes it where the size is not known.
pub(crate) fn zst_wide(bytes: &[u8], window: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// zstd that packs nothing, with a window of two to this power.
pub(crate) fn zst_plain(bytes: &[u8], window: u8) -> Vec<u8> {
    let mut out = b"\x28\xb5\x2f\xfd\0".to_vec();
    out.push((window - 10) << 3);
    let blocks = bytes.chunks(128 << 10);
    let last = blocks.len() - 1;
    for (number, block) in blocks.enumerate() {
        let head = (block.len() << 3 | usize::from(number == last)) as u32;
        out.extend(&head.to_le_bytes()[..3]);
        out.extend(block);
    }
    out
}

/// A 7z of one folder, packed by LZMA2 with a dictionary of two to this power.
pub(crate) fn sevenz(files: &[(&str, &[u8])], dictionary: u8) -> Vec<u8> {
    let number = |value: usize| [&[0xff][..], &(value as u64).to_le_bytes()].concat();
    let all: Vec<u8> = files.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let mut options = lzma_rust2::Lzma2Options::with_preset(0);
    options.lzma_options.dict_size = 1 << dictionary;
    let mut encoder = lzma_rust2::Lzma2Writer::new(Vec::new(), options);
    encoder.write_all(&all).unwrap();
    let packed = encoder.finish().unwrap();
    let coder = [1, 0x21, 0x21, 1, 2 * (dictionary - 12)];
    let mut header = [&[1, 4, 6, 0, 1, 9][..], &number(packed.len()), &[0]].concat();
    header.extend([&[7, 11, 1, 0][..], &coder, &[12], &number(all.len()), &[0]].concat());
    header.extend([&[8, 13][..], &number(files.len()), &[9]].concat());
    let but_last = &files[..files.len() - 1];
    header.extend(but_last.iter().flat_map(|(_, bytes)| number(bytes.len())));
    header.extend([10, 1]);
    header.extend(files.iter().flat_map(|(_, bytes)| crc(bytes)));
    let names: Vec<u8> = files
        .iter()
        .flat_map(|(name, _)| name.encode_utf16().chain([0]))
        .flat_map(u16::to_le_bytes)
        .collect();
    header.extend([&[0, 0, 5][..], &number(files.len()), &[17]].concat());
    header.extend([&number(names.len() + 1)[..], &[0], &names, &[0, 0]].concat());
    seven_of(&packed, &header)
}

/// A 7z of these packed bytes and this header.
pub(crate) fn seven_of(packed: &[u8], header: &[u8]) -> Vec<u8> {
    let place = [packed.len() as u64, header.len() as u64].map(u64::to_le_bytes).concat();
    let start = [&place[..], &crc(header)].concat();
    [b"7z\xbc\xaf\x27\x1c\0\x04", &crc(&start)[..], &start, packed, header].concat()
}

/// A 7z of so many folders without names, whose header is packed.
pub(crate) fn seven_of_folders(count: usize) -> Vec<u8> {
    let number = |value: usize| [&[0xff][..], &(value as u64).to_le_bytes()].concat();
    let empty = vec![0xff; count.div_ceil(8)];
    let names: Vec<u8> = [b'a', 0, 0, 0].repeat(count);
    let mut header = [&[1, 5][..], &number(count), &[0x0e], &number(empty.len()), &empty].concat();
    header.extend([&[17][..], &number(names.len() + 1), &[0], &names, &[0, 0]].concat());
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&header).unwrap();
    let packed = encoder.finish().unwrap();
    let mut outer = [&[0x17, 6, 0, 1, 9][..], &number(packed.len()), &[0]].concat();
    outer.extend([&[7, 11, 1, 0, 1, 3, 4, 1, 8, 12][..], &number(header.len()), &[0, 0]].concat());
    seven_of(&packed, &outer)
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// A sparse file in a tar, in each form that GNU tar writes: the old one, and those of pax up to
/// 1.0. It has this map, and this size with its holes.
pub(crate) fn sparse(name: &str, size: usize, map: &[(usize, &[u8])]) -> [Vec<u8>; 4] {
    let octal = |value: usize| format!("{value:011o}").into_bytes();
    let data: Vec<u8> = map.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let end = [0; 1024];
    let member =
        |name: &str, kind, data: &[u8]| tar_member(name.as_bytes(), kind, &octal(data.len()), data);
    let mut old = member(name, b'S', &[]);
    old[124..135].copy_from_slice(&octal(data.len()));
    old[257..265].copy_from_slice(b"ustar  \0");
    old[483..494].copy_from_slice(&octal(size));
    let pair = |(at, bytes): &(usize, &[u8])| {
        [&octal(*at)[..], b"\0", &octal(bytes.len()), b"\0"].concat()
    };
    let (first, others) = map.split_at(map.len().min(4));
    let pairs: Vec<u8> = first.iter().flat_map(pair).collect();
    old[386..386 + pairs.len()].copy_from_slice(&pairs);
    old[482] = u8::from(!others.is_empty());
    seal(&mut old);
    for (number, block) in others.chunks(21).enumerate() {
        let mut more: Vec<u8> = block.iter().flat_map(pair).collect();
        more.resize(512, 0);
        more[504] = u8::from((number + 1) * 21 < others.len());
        old.extend(more);
    }
    old.extend(&data);
    old.resize(old.len().next_multiple_of(512), 0);
    let pax = |records: &[(&str, String)], data: &[u8]| {
        let record = |(key, value): &(&str, String)| {
            let rest = format!(" {key}={value}\n");
            let len = (rest.len() + 1..).find(|len| len.to_string().len() + rest.len() == *len);
            format!("{}{rest}", len.unwrap())
        };
        let records: String = records.iter().map(record).collect();
        let front = member("m", b'x', records.as_bytes());
        [&front[..], &member("GNUSparseFile.0/x", b'0', data), &end].concat()
    };
    let named = ("GNU.sparse.name", name.to_owned());
    let count = ("GNU.sparse.numblocks", map.len().to_string());
    let mut first = vec![named.clone(), ("GNU.sparse.size", size.to_string()), count.clone()];
    let mut second = first.clone();
    for (at, bytes) in map {
        first.push(("GNU.sparse.offset", at.to_string()));
        first.push(("GNU.sparse.numbytes", bytes.len().to_string()));
    }
    let joined: Vec<String> = map.iter().map(|(at, it)| format!("{at},{}", it.len())).collect();
    second.push(("GNU.sparse.map", joined.join(",")));
    let third = [
        ("GNU.sparse.major", "1".to_owned()),
        ("GNU.sparse.minor", "0".to_owned()),
        named,
        ("GNU.sparse.realsize", size.to_string()),
    ];
    let lines = map.iter().map(|(at, bytes)| format!("{at}\n{}\n", bytes.len()));
    let mut with_map = format!("{}\n{}", map.len(), lines.collect::<String>()).into_bytes();
    with_map.resize(with_map.len().next_multiple_of(512), 0);
    with_map.extend(&data);
    [[&old[..], &end].concat(), pax(&first, &data), pax(&second, &data), pax(&third, &with_map)]
}

/// One header of a tar archive with its check sum, and data.
pub(crate) fn tar_member(name: &[u8], kind: u8, size: &[u8], data: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len().min(100)].copy_from_slice(&name[..name.len().min(100)]);
    header[100..107].copy_from_slice(b"0000644");
    header[124..124 + size.len()].copy_from_slice(size);
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header.extend(data);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

/// Writes the check sum of a tar header.
pub(crate) fn seal(header: &mut [u8]) {
    header[148..156].fill(b' ');
    let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let member = |(name, data): &(&str, &[u8])| {
        tar_member(name.as_bytes(), b'0', format!("{:011o}", data.len()).as_bytes(), data)
    };
    let mut out: Vec<u8> = files.iter().flat_map(member).collect();
    out.extend([0; 1024]);
    out
}

/// cpio in the form `newc`.
pub(crate) fn cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(name, data)| (*name, (1, 1), *data)).collect();
    linked_cpio(&files)
}

/// The same with the number and the count of names of each file.
pub(crate) fn linked_cpio(files: &[(&str, (usize, usize), &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, (inode, links), data) in files.iter().chain([&("TRAILER!!!", (0, 1), &b""[..])]) {
        let (names, size) = (name.len() + 1, data.len());
        let fields = [*inode, 0o100_644, 0, 0, *links, 0, size, 0, 0, 0, 0, names, 0];
        out.extend(b"070701");
        fields.iter().for_each(|field| out.extend(format!("{field:08x}").as_bytes()));
        out.extend(name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(*data);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

/// cpio in the form `odc`.
pub(crate) fn old_cpio(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data) in files.iter().chain([&("TRAILER!!!", &b""[..])]) {
        let (names, size) = (name.len() + 1, data.len());
        let head = format!("070707{:06o}{:06o}{:06o}", 1, 1, 0o100_644);
        let zeros = "0".repeat(24);
        out.extend(format!("{head}{zeros}{:011o}{names:06o}{size:011o}{name}\0", 0).as_bytes());
        out.extend(*data);
    }
    out
}

/// A Debian package whose data member has this name and these bytes.
pub(crate) fn deb(name: &str, data: &[u8]) -> Vec<u8> {
    let control = gz(&tar(&[("./control", b"Package: wrapper\nVersion: 1\nArchitecture: all\n")]));
    let mut out = b"!<arch>\n".to_vec();
    for (name, data) in
        [("debian-binary", &b"2.0\n"[..]), ("control.tar.gz", &control), (name, data)]
    {
        out.extend(format!("{name:<16}{:<32}{:<10}`\n", 0, data.len()).as_bytes());
        out.extend(data);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

/// An RPM package with headers of two entries each.
pub(crate) fn rpm(payload: &[u8]) -> Vec<u8> {
    let mut out = b"\xed\xab\xee\xdb\x03\x00".to_vec();
    out.resize(96, 0);
    for _ in 0..2 {
        out.resize(out.len().next_multiple_of(8), 0);
        out.extend(b"\x8e\xad\xe8\x01\0\0\0\0\0\0\0\x02\0\0\0\x0a");
        out.extend(b"\0\0\x03\xe8\0\0\0\x06\0\0\0\0\0\0\0\x01");
        out.extend(b"\0\0\x03\xe9\0\0\0\x06\0\0\0\x08\0\0\0\x01wrapper\x001\0");
    }
    // The header itself is not padded; only the signature in front of it is.
    out.extend(payload);
    out
}

/// An ISO image with its files in one folder; `rock` writes their names for Rock Ridge as well.
pub(crate) fn iso(files: &[(&str, &[u8])], rock: bool) -> Vec<u8> {
    const SECTOR: usize = 2048;
    let mut folder = record(b"\0", 19, SECTOR, 2, if rock { b"SP\x07\x01\xbe\xef\0" } else { b"" });
    folder.extend(record(b"\x01", 19, SECTOR, 2, b""));
    let mut data = Vec::new();
    for (name, bytes) in files {
        let short = format!("{};1", name.to_uppercase());
        let mut field = vec![b'N', b'M', name.len() as u8 + 5, 1, 0];
        field.extend(name.as_bytes());
        let field = if rock { &field[..] } else { b"" };
        let at = 20 + data.len() / SECTOR;
        folder.extend(record(short.as_bytes(), at as u32, bytes.len(), 0, field));
        data.extend(*bytes);
        data.resize(data.len().next_multiple_of(SECTOR), 0);
    }
    let mut out = vec![0; 16 * SECTOR];
    let mut volume = b"\x01CD001\x01\0".to_vec();
    volume.resize(156, 0);
    volume.extend(record(b"\0", 19, SECTOR, 2, b""));
    let end = b"\xffCD001\x01".to_vec();
    for mut sector in [volume, end, Vec::new(), folder] {
        sector.resize(SECTOR, 0);
        out.extend(sector);
    }
    out.extend(data);
    out
}

fn record(name: &[u8], at: u32, size: usize, flags: u8, fields: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0];
    out.extend(at.to_le_bytes());
    out.extend(at.to_be_bytes());
    out.extend((size as u32).to_le_bytes());
    out.extend((size as u32).to_be_bytes());
    out.extend([121, 12, 10, 0, 0, 0, 0, flags, 0, 0, 1, 0, 0, 1, name.len() as u8]);
    out.extend(name);
    out.resize(out.len().next_multiple_of(2), 0);
    out.extend(fields);
    out.resize(out.len().next_multiple_of(2), 0);
    out[0] = out.len() as u8;
    out
}

/// The modules of a Java runtime in one file: `module/folder/name.ending`, of which those that end
/// in `.z` are packed (and lose that).
pub(crate) fn jimage(files: &[(&str, &[u8])], little: bool) -> Vec<u8> {
    let number = |value: u64, len: usize| match little {
        true => value.to_le_bytes()[..len].to_vec(),
        false => value.to_be_bytes()[8 - len..].to_vec(),
    };
    let (mut strings, mut locations, mut places) = (b"\0zip\0".to_vec(), vec![0], Vec::new());
    let mut content = Vec::new();
    for (path, bytes) in files {
        let (path, is_packed) = path.strip_suffix(".z").map_or((*path, false), |it| (it, true));
        let (module, rest) = path.split_once('/').unwrap();
        let (parent, file) = rest.rsplit_once('/').unwrap_or(("", rest));
        let (base, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        places.extend(number(locations.len() as u64, 4));
        for (kind, text) in (1_u8..).zip([module, parent, base, ending]) {
            let at = strings.len() as u32;
            strings.extend([text.as_bytes(), b"\0"].concat());
            locations.push(kind << 3 | 3);
            locations.extend(at.to_be_bytes());
        }
        let mut stored = bytes.to_vec();
        if is_packed {
            let zlib = flate2::write::ZlibEncoder::new(Vec::new(), Compression::best());
            let mut encoder = zlib;
            encoder.write_all(bytes).unwrap();
            let packed = encoder.finish().unwrap();
            let sizes = [number(packed.len() as u64, 8), number(bytes.len() as u64, 8)].concat();
            let names = [number(1, 4), number(0, 4), vec![1]].concat();
            stored = [number(0xcafe_fafa, 4), sizes, names, packed].concat();
        }
        let packed = if is_packed { stored.len() as u64 } else { 0 };
        for (kind, value) in [(5, content.len() as u64), (6, packed), (7, bytes.len() as u64)] {
            locations.push(kind << 3 | 7);
            locations.extend(value.to_be_bytes());
        }
        locations.push(0);
        content.extend(stored);
    }
    let count = files.len() as u64;
    let lens = [locations.len() as u64, strings.len() as u64];
    let header = [0xcafe_dada, 1 << 16, 0, count, count, lens[0], lens[1]];
    let mut file: Vec<u8> = header.into_iter().flat_map(|value| number(value, 4)).collect();
    file.extend(vec![0; files.len() * 4]);
    [file, places, locations, strings, content].concat()
}

/// An archive of PHP, signed. Names that end in `.z` and `.b` are of files that are deflated and
/// packed by bzip2; those endings are left out.
pub(crate) fn phar(files: &[(&str, &[u8])]) -> Vec<u8> {
    phar_of(files, Some(b"\x03\0\0\0"))
}

/// The same with this kind of signature, or without one.
pub(crate) fn phar_of(files: &[(&str, &[u8])], signature: Option<&[u8; 4]>) -> Vec<u8> {
    let number = |value: usize| (value as u32).to_le_bytes();
    let flags: u32 = if signature.is_some() { 0x1_0000 } else { 0 };
    let count = number(files.len());
    let mut list =
        [&count[..], b"\x11\x10", &flags.to_le_bytes(), &[5, 0, 0, 0], b"alias"].concat();
    list.extend(number(0));
    let mut data = Vec::new();
    for (name, bytes) in files {
        let (name, packed, flags) = match name.rsplit_once('.') {
            Some((name, "z")) => {
                let all = gz(bytes);
                (name, all[10..all.len() - 8].to_vec(), 0x11a4_u32)
            }
            Some((name, "b")) => (name, bz2(bytes), 0x21a4),
            _ => (*name, bytes.to_vec(), 0x1a4),
        };
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        list.extend([&number(name.len())[..], name.as_bytes()].concat());
        for field in [bytes.len(), 0, packed.len(), crc.sum() as usize, flags as usize, 0] {
            list.extend(number(field));
        }
        data.extend(packed);
    }
    let code = b"#!/usr/bin/env php\n<?php Phar::mapPhar(); __HALT_COMPILER(); ?>\r\n";
    let end = signature.map(|kind| [&[7; 32][..], kind, b"GBMB"].concat()).unwrap_or_default();
    [&code[..], &number(list.len()), &list, &data, &end].concat()
}
