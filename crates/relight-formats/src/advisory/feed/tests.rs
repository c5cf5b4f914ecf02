//! Files in each packing, cut and damaged, and one record a line in parts.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use testkit::Rng;

use super::*;

/// What a file gives: documents as `place:line text`, warnings as `! place: text`.
fn read(bytes: Vec<u8>) -> Vec<String> {
    let mut all = Vec::new();
    documents(Cursor::new(bytes), "f", &mut |document| {
        all.push(match document {
            Ok(Document { place, line, bytes }) => {
                format!("{place}:{line} {}", String::from_utf8_lossy(&bytes))
            }
            Err(warning) => format!("! {warning}"),
        });
        true
    });
    all
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in entries {
        if name.len() > 100 {
            out.extend(tar_entry("././@LongLink", b'L', format!("{name}\0").as_bytes()));
        }
        out.extend(tar_entry(&name[..name.len().min(100)], b'0', bytes));
    }
    out.extend([0; 1024]);
    out
}

fn tar_entry(name: &str, kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header.extend(bytes);
    header.resize(512 + bytes.len().next_multiple_of(512), 0);
    header
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (index, (name, bytes)) in entries.iter().enumerate() {
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        let is_packed = index % 2 == 0;
        let packed = if is_packed { encoder.finish().unwrap() } else { bytes.to_vec() };
        let mut fields = Vec::new();
        fields.extend([20, 0, 0, 0]);
        fields.extend([if is_packed { 8 } else { 0 }, 0, 0, 0, 0, 0]);
        fields.extend(sum.sum().to_le_bytes());
        fields.extend((packed.len() as u32).to_le_bytes());
        fields.extend((bytes.len() as u32).to_le_bytes());
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        let offset = out.len() as u32;
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.as_bytes());
        out.extend(packed);
    }
    let offset = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([(entries.len() as u16).to_le_bytes(); 2].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(offset.to_le_bytes());
    out.extend([0, 0]);
    out
}

const ENTRIES: [(&str, &[u8]); 2] =
    [("a.json", b"{\"id\":\"A\"}"), ("b/b.json", b"{\"id\":\"B\"}")];

#[test]
fn each_packing_gives_the_same_documents() {
    let one = b"{\"id\":\"A\"}";
    for bytes in [one.to_vec(), gzip(one), zstd::stream::encode_all(&one[..], 1).unwrap()] {
        assert_eq!(read(bytes), ["f:1 {\"id\":\"A\"}"]);
    }
    let wanted = ["f!/a.json:1 {\"id\":\"A\"}", "f!/b/b.json:1 {\"id\":\"B\"}"];
    assert_eq!(read(tar(&ENTRIES)), wanted);
    assert_eq!(read(gzip(&tar(&ENTRIES))), wanted);
    assert_eq!(read(zip(&ENTRIES)), wanted);
    let packed = gzip(one);
    assert_eq!(read(tar(&[("x.gz", &packed)])), ["f!/x.gz:1 {\"id\":\"A\"}"]);
    assert_eq!(read(zip(&[("x.gz", &packed)])), ["f!/x.gz:1 {\"id\":\"A\"}"]);
    let long = format!("{}/a.json", "d".repeat(150));
    assert_eq!(read(tar(&[(&long, one)])), [format!("f!/{long}:1 {{\"id\":\"A\"}}")]);
    assert_eq!(read(Vec::new()), ["f:1 "]);
}

/// `{"id":"A"}` as xz writes it.
const XZ_DOCUMENT: &str = concat!(
    "fd377a585a000004e6d6b4460200210116000000742fe5a30100097b226964223a2241227d000000",
    "cd65f633639c7a9d0001220a151ae1671fb6f37d010000000004595a",
);

#[test]
fn xz_is_read_and_a_cut_one_is_said() {
    let pair = |at: usize| u8::from_str_radix(&XZ_DOCUMENT[at..at + 2], 16).unwrap();
    let packed: Vec<u8> = (0..XZ_DOCUMENT.len()).step_by(2).map(pair).collect();
    assert_eq!(read(packed.clone()), ["f:1 {\"id\":\"A\"}"]);
    assert_eq!(read(tar(&[("x.xz", &packed)])), ["f!/x.xz:1 {\"id\":\"A\"}"]);
    for cut in 7..packed.len() {
        assert!(read(packed[..cut].to_vec())[0].starts_with("! "), "{cut}");
    }
}

#[test]
fn utf_16_is_read() {
    let bytes: Vec<u8> = "\u{feff}{\"é\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(bytes), ["f:1 \u{feff}{\"é\":1}"]);
}

#[test]
fn one_record_a_line_comes_in_parts_with_their_lines() {
    let record = format!("{{\"id\":\"A\",\"details\":\"{}\"}}\n", "x".repeat(1000));
    let count = 3 * PART_BYTES / record.len();
    let whole = record.repeat(count);
    let (mut lines, mut bytes) = (Vec::new(), 0);
    documents(Cursor::new(gzip(whole.as_bytes())), "f", &mut |document| {
        let document = document.unwrap();
        assert!(document.bytes.len() <= PART_BYTES && document.bytes.ends_with(b"\n"));
        lines.push(document.line);
        bytes += document.bytes.len();
        true
    });
    assert_eq!(bytes, whole.len());
    assert_eq!(lines.len(), 4 - usize::from(whole.len() % PART_BYTES == 0), "{lines:?}");
    let per_part = PART_BYTES / record.len();
    assert_eq!(lines[1], per_part + 1);
    // The taker may end the walk.
    let mut taken = 0;
    documents(Cursor::new(whole.into_bytes()), "f", &mut |_| {
        taken += 1;
        false
    });
    assert_eq!(taken, 1);
}

/// Goal: a cut file never looks whole. Every cut gives a warning, or documents that are those of
/// the whole file with the last one shorter.
#[test]
fn cut_anywhere_is_never_whole() {
    for whole in [tar(&ENTRIES), zip(&ENTRIES), gzip(&tar(&ENTRIES))] {
        let all = read(whole.clone());
        // The second block of zeros and the padding may be missing: some tools leave them out.
        for cut in 5..whole.len() - 1024.min(whole.len() / 2) {
            let got = read(whole[..cut].to_vec());
            // The beginning of a tar archive is not one yet: no format takes it.
            let is_said = got.iter().any(|it| it.starts_with("! "))
                || !super::super::read(&super::super::Input::whole("", "f", &whole[..cut]))
                    .refused
                    .is_empty();
            assert!(is_said, "{cut}: {got:?}");
            assert!(got.iter().all(|it| it.starts_with("! ") || all.contains(it) || cut < 512));
        }
    }
}

#[test]
fn damage_never_panics_and_is_said() {
    let files = [tar(&ENTRIES), zip(&ENTRIES), gzip(b"{\"id\":\"A\"}\n{\"id\":\"B\"}")];
    for seed in 0..3_000 {
        let mut rng = Rng::new(seed);
        let mut bytes = rng.pick(&files).clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len());
            bytes[at] = rng.below(256) as u8;
        }
        assert!(!read(bytes).is_empty(), "{seed}");
    }
}

#[test]
fn limits_of_archives() {
    let mut huge = tar_entry("a", b'0', b"");
    huge[124..136].copy_from_slice(b"\x80\0\0\0\0\0\0\x02\0\0\0\0");
    huge[148..156].fill(b' ');
    let sum: u64 = huge[..512].iter().map(|&byte| u64::from(byte)).sum();
    huge[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    assert!(read(huge)[0].contains(&format!("longer than {DOCUMENT_BYTES_MAX} bytes")));
    // The directory of a zip says what an entry unpacks to.
    let mut lie = zip(&ENTRIES[..1]);
    let at = lie.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    lie[at + 24..at + 28].copy_from_slice(&(DOCUMENT_BYTES_MAX as u32 + 1).to_le_bytes());
    assert!(read(lie)[0].contains(&format!("longer than {DOCUMENT_BYTES_MAX} bytes")));
    let mut many = zip(&ENTRIES[..1]);
    let end = many.len() - 22;
    many[end + 12..end + 16].copy_from_slice(&(zip::DIRECTORY_BYTES_MAX as u32 + 1).to_le_bytes());
    assert!(read(many)[0].contains(&format!("more than {ENTRIES_MAX} entries")));
}
