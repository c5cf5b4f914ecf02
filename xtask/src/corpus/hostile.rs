//! Bombs, loops, special files and headers that lie. Only robustness is looked at, except where a
//! vulnerable release stands beside them.
use std::fs;
use std::path::Path;

use super::builder::{Builder, Done, Truth, deflated, make_folder, read, write};
use super::containers::run;
use super::zip::{self, Member};

/// A megabyte.
const MIB: usize = 1 << 20;

pub(super) fn hostile(b: &mut Builder) -> Done {
    b.attempt("special-files", special_files);
    b.attempt("zeros", zeros);
    b.attempt("streams", streams);
    for (name, file, note, make) in ARCHIVES {
        b.attempt(name, |b| {
            let bytes = make()?;
            b.one(Truth::NotScored, [name, file, "", note], &bytes)
        });
    }
    for (name, file, note, make) in HEADERS {
        b.one(Truth::NotScored, [name, file, "", note], &make())?;
    }
    b.attempt("many-jars", many_jars);
    b.attempt("heads", heads);
    Ok(())
}

/// Pipes, loops and links around a release.
fn special_files(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let note = "pipes, loops and links beside a release";
    let folder = b.sample(Truth::Vulnerable, "special-files", &version, note)?;
    write(&folder.join("m/log4j-core.jar"), &b.jar(&version)?)?;
    run(
        &folder,
        "mkfifo a.jar m/pipe z.jar; ln -s loop-b loop-a; ln -s loop-a loop-b; ln -s .. m/up; \
        ln -s . here; ln -s /no/such/file dangling.jar; ln -s m/log4j-core.jar link.jar; \
        mkdir 'new\nline'; touch -- '-rf' ' ' '*'",
    )
}

/// A gibibyte of zeros as a class, as an archive and as streams.
fn zeros(b: &mut Builder) -> Done {
    let scratch = b.scratch("zeros")?;
    run(&scratch, "head -c 1073741824 /dev/zero | gzip -n9 > zeros.gz")?;
    let framed = read(&scratch.join("zeros.gz"))?;
    let end = framed.len() - 8;
    let crc = u32::from_le_bytes([framed[end], framed[end + 1], framed[end + 2], framed[end + 3]]);
    for (name, inside) in [("zeros-class", "a/B.class"), ("zeros-jar", "inner.jar")] {
        let packed = framed[10..end].to_vec();
        let mut member = Member::packed(inside, 8, b"", packed);
        (member.crc, member.size) = (crc, 1 << 30);
        let jar = zip::archive(&[member]);
        b.one(Truth::NotScored, [name, "a.jar", "", "a gibibyte of zeros"], &jar)?;
    }
    b.one(Truth::NotScored, ["zeros-gz", "a.tar.gz", "", "a gibibyte of zeros"], &framed)
}

/// Streams that ask for large windows, and a sparse tar.
fn streams(b: &mut Builder) -> Done {
    let scratch = b.scratch("streams")?;
    for (name, file, script) in [
        (
            "zstd-window",
            "a.tar.zst",
            "head -c 300000000 /dev/zero | zstd -q --ultra --long=31 -o out",
        ),
        (
            "xz-window",
            "a.tar.xz",
            "head -c 300000000 /dev/zero | xz --lzma2=dict=512MiB,preset=0 > out",
        ),
        ("bz2-zeros", "a.tar.bz2", "head -c 300000000 /dev/zero | bzip2 > out"),
        ("sparse-tar", "a.tar", "truncate -s 8G big.jar; tar --sparse -cf out big.jar; rm big.jar"),
        ("sparse-file", "a.jar", "truncate -s 64M out"),
    ] {
        b.attempt(name, |b| {
            run(&scratch, &format!("rm -f out; {script}"))?;
            let note = "a window or a size that is asked for";
            b.one(Truth::NotScored, [name, file, "", note], &read(&scratch.join("out"))?)
        });
    }
    Ok(())
}

/// An archive that is made: sample, file, what is special, its bytes.
type Fallible = (&'static str, &'static str, &'static str, fn() -> Result<Vec<u8>, String>);

const ARCHIVES: [Fallible; 6] = [
    ("many-to-one", "a.jar", "30,000 names of one member", || {
        let inner = deflated("B.class", &vec![0; 8 * MIB])?;
        Ok(zip::overlapping(&inner, 30_000))
    }),
    ("branching", "a.zip", "16 archives in each, six levels", || {
        let mut bytes = zip::archive(&[deflated("a.class", &vec![0; MIB])?]);
        for _ in 0..6 {
            let one = deflated("", &bytes)?;
            let all = (0..16).map(|number| one.renamed(&format!("{number}.zip")));
            bytes = zip::archive(&all.collect::<Vec<_>>());
        }
        Ok(bytes)
    }),
    ("depth-400", "a.jar", "400 levels", || {
        let mut bytes = zip::archive(&[Member::stored("a.txt", b"deep")]);
        for level in 0..400 {
            bytes = zip::archive(&[Member::stored(&format!("{level}.jar"), &bytes)]);
        }
        Ok(bytes)
    }),
    ("deep-json", "package-lock.json", "half a million brackets", || {
        Ok("{\"dependencies\":".repeat(500_000).into_bytes())
    }),
    ("entities", "pom.xml", "entities that multiply", || {
        let mut text = "<?xml version=\"1.0\"?><!DOCTYPE p [<!ENTITY a0 \"ha\">".to_owned();
        for level in 1..40 {
            let below = level - 1;
            text += &format!("<!ENTITY a{level} \"&a{below};&a{below};\">");
        }
        Ok((text + "]><project><version>&a39;</version></project>").into_bytes())
    }),
    ("deep-xml", "a.nuspec", "half a million elements", || Ok("<a>".repeat(500_000).into_bytes())),
];

/// A file whose headers lie: sample, file, what is special, its bytes.
type Header = (&'static str, &'static str, &'static str, fn() -> Vec<u8>);

const HEADERS: [Header; 9] = [
    ("tar-negative", "a.tar", "a negative size", || {
        tar_header(b"\xff\xff\xff\xff\xff\xff\xff\xff", b'0')
    }),
    ("tar-huge", "a.tar", "a size of 8 GiB", || tar_header(b"77777777777", b'0')),
    ("tar-long-name", "a.tar", "a name of 8 GiB", || tar_header(b"77777777777", b'L')),
    ("elf-outside", "a.so", "headers that point outside", || {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
        bytes.resize(64, 0xfe);
        bytes.resize(4096, 0);
        bytes
    }),
    ("pe-outside", "a.exe", "headers that point outside", || {
        let mut bytes = b"MZ".to_vec();
        bytes.resize(60, 0);
        bytes.extend([0xf0, 0xff, 0xff, 0x7f]);
        bytes.resize(4096, 0);
        bytes
    }),
    ("class-pool", "a.class", "65,535 constants that are not there", || {
        b"\xca\xfe\xba\xbe\0\0\0\x34\xff\xff\x07\0\x01\x07\0\x02".to_vec()
    }),
    ("cpio-huge", "a.cpio", "a name of 4 GiB", || {
        let mut bytes = b"070701".to_vec();
        bytes.extend(b"FFFFFFFF".repeat(13));
        bytes.resize(4096, b'a');
        bytes
    }),
    ("rpm-huge", "a.rpm", "an index of 4 Gi entries", || {
        let mut bytes = b"\xed\xab\xee\xdb\x03\0\0\0\0\x01".to_vec();
        bytes.resize(96, 0);
        bytes.extend(b"\x8e\xad\xe8\x01\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
        bytes.resize(4096, 0);
        bytes
    }),
    ("ar-huge", "a.deb", "a member of 9 GB", || {
        let mut bytes =
            b"!<arch>\ndebian-binary   0           0     0     100644  9999999999`\n".to_vec();
        bytes.extend(b"2.0\n");
        bytes
    }),
];

fn tar_header(size: &[u8], kind: u8) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..5].copy_from_slice(b"a.jar");
    block[100..107].copy_from_slice(b"0000644");
    block[124..124 + size.len()].copy_from_slice(size);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block.resize(4096, b'x');
    block
}

/// Many small archives, the last of them vulnerable.
fn many_jars(b: &mut Builder) -> Done {
    let version = b.vulnerable_version();
    let note = "5,000 small archives beside a release";
    let folder = b.sample(Truth::Vulnerable, "many-jars", &version, note)?;
    let small = zip::archive(&[Member::stored("a.txt", b"small")]);
    make_folder(&folder.join("lib"))?;
    for number in 0..5000 {
        write(&folder.join(format!("lib/{number:04}.jar")), &small)?;
    }
    write(&folder.join("lib/zzzz.jar"), &b.jar(&version)?)
}

/// The first bytes of each format with chance behind them.
fn heads(b: &mut Builder) -> Done {
    let heads: [&[u8]; 16] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b\x08\0",
        b"BZh9",
        b"\xfd7zXZ\0",
        b"(\xb5/\xfd",
        b"\x04\"M\x18",
        b"7z\xbc\xaf\x27\x1c",
        b"hsqs",
        b"!<arch>\n",
        b"\xed\xab\xee\xdb",
        b"070701",
        b"\x7fELF",
        b"MZ",
        b"\xca\xfe\xba\xbe",
        b"\xcf\xfa\xed\xfe",
    ];
    let folder = b.sample(Truth::NotScored, "heads", "", "the first bytes of each format")?;
    let mut chance = Chance(20_211_210);
    for (number, head) in heads.iter().cycle().take(160).enumerate() {
        let mut bytes = head.to_vec();
        bytes.extend((0..4096).map(|_| chance.byte()));
        write(&folder.join(format!("{number}.bin")), &bytes)?;
    }
    Ok(())
}

/// Numbers from a seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Chance(pub u64);

impl Chance {
    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// The next number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        (self.next() & 0xff) as u8
    }
}

/// A damaged copy: bits flipped, bytes cut, moved, doubled or overwritten, by chance.
pub(crate) fn mutate(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(4) {
        if bytes.len() < 8 {
            return bytes;
        }
        let (at, size) = (chance.below(bytes.len()), 1 + chance.below(64));
        let end = (at + size).min(bytes.len());
        match chance.below(6) {
            0 => bytes[at] ^= 1 << chance.below(8),
            1 => bytes.truncate(at),
            2 => bytes[at..end].fill([0, 0xff][chance.below(2)]),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            4 => drop(bytes.drain(at..end)),
            _ => {
                // Headers stand at the end of many formats.
                let tail = bytes.len().saturating_sub(1 + chance.below(100));
                bytes[tail] = chance.byte();
            }
        }
    }
    bytes
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Done {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("remove {}: {error}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_same_from_the_same_seed_and_damages() {
        let bytes: Vec<u8> = (0..=255).collect();
        let damaged = |seed| mutate(&bytes, &mut Chance(seed));
        assert_eq!(damaged(1), damaged(1));
        let changed = (0..100).filter(|seed| damaged(*seed) != bytes).count();
        assert!(changed > 90, "{changed}");
        assert_eq!(mutate(b"", &mut Chance(1)), b"");
    }

    #[test]
    fn a_header_has_the_sum_that_readers_check() {
        let block = tar_header(b"00000000003", b'0');
        let text = std::str::from_utf8(&block[148..154]).unwrap();
        let told = u32::from_str_radix(text, 8).unwrap();
        let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
        let field: u32 = block[148..156].iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(told, sum - field + 8 * 32);
    }
}
