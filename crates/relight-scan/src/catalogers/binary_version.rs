//! Well-known libraries and servers in programs, by the version text that each carries.

use std::collections::BTreeSet;

use memchr::memmem;
use relight_model::{Basis, Catalog, Purl};

use crate::cataloger::{File, Kind, Select};
use crate::evidence::file_name;
use crate::program::Program;
use crate::reader::{self, Reader};

/// Texts that only the software itself contains, also where it was linked into something else.
pub(super) const PLUGIN: Reader = Reader {
    name: "binary_version",
    selects: &[Select::Kind(Kind::Elf), Select::Kind(Kind::Pe), Select::Kind(Kind::MachO)],
    read,
};

/// How one product gives itself away.
struct Sign {
    product: &'static str,
    /// What stands in front of the version.
    before: &'static [u8],
    /// What stands behind it.
    after: &'static [u8],
    /// Starts of file names; a text that other programs may hold too needs the right name.
    names: &'static [&'static str],
}

const SIGNS: [Sign; 11] = [
    Sign { product: "openssl", before: b"OpenSSL ", after: b" ", names: &[] },
    Sign { product: "zlib", before: b" deflate ", after: b" Copyright 1995-", names: &[] },
    Sign { product: "busybox", before: b"BusyBox v", after: b" (", names: &[] },
    Sign { product: "curl", before: b"libcurl/", after: b"", names: &["curl", "libcurl"] },
    Sign { product: "nginx", before: b"nginx/", after: b"\0", names: &["nginx"] },
    Sign { product: "httpd", before: b"Apache/", after: b"", names: &["httpd", "apache2"] },
    Sign { product: "php", before: b"X-Powered-By: PHP/", after: b"", names: &[] },
    Sign {
        product: "node",
        before: b"nodejs.org/download/release/v",
        after: b"/",
        names: &["node", "libnode"],
    },
    Sign {
        product: "postgresql",
        before: b"(PostgreSQL) ",
        after: b"",
        names: &["postgres", "psql", "pg_", "libpq"],
    },
    Sign { product: "redis", before: b"Redis ", after: b" (", names: &["redis-"] },
    // Python has its bare version as a text of its own; the file name says which to expect.
    Sign { product: "python", before: b"\0", after: b"\0", names: &["python3", "libpython3"] },
];

/// Longest version text, in bytes.
const VERSION_BYTES_MAX: usize = 32;

/// Whether a program of this name is looked through for more than one of another name.
pub(crate) fn goes_by(name: &str) -> bool {
    SIGNS.iter().flat_map(|sign| sign.names).any(|start| name.starts_with(start))
}

fn read(file: &File<'_>, out: &mut Catalog) {
    let Some(source) = file.source else { return };
    let name = file_name(file.path);
    let fits = |sign: &&Sign| {
        sign.names.is_empty() || sign.names.iter().any(|start| name.starts_with(start))
    };
    let signs: Vec<&Sign> = SIGNS.iter().filter(fits).collect();
    let mut found = BTreeSet::new();
    let looked = Program::open(source).and_then(|program| match program {
        Some(program) => program.constants(|piece| look(piece, &signs, name, &mut found)),
        None => Ok(()),
    });
    if let Err(error) = looked {
        reader::bad(file, reader::PROGRAM, error.to_string(), out);
    }
    for (product, version) in found {
        let purl = Purl::new("generic", "", product, &version);
        reader::installed(file, purl, Basis::PathString, out);
    }
}

fn look(piece: &[u8], signs: &[&Sign], name: &str, found: &mut BTreeSet<(&'static str, String)>) {
    for sign in signs {
        if sign.product == "python" {
            found.extend(python(piece, name).map(|version| (sign.product, version)));
            continue;
        }
        for at in memmem::find_iter(piece, sign.before) {
            let rest = &piece[at + sign.before.len()..];
            if let Some(version) =
                version(rest).filter(|it| rest[it.len()..].starts_with(sign.after))
                && is_whole(sign, &rest[version.len()..])
            {
                found.insert((sign.product, version.to_owned()));
            }
        }
    }
}

/// OpenSSL writes its date behind the version; other programs only mention it.
fn is_whole(sign: &Sign, rest: &[u8]) -> bool {
    sign.product != "openssl" || {
        let date = rest.get(1..12).unwrap_or_default();
        date.iter().filter(|byte| byte.is_ascii_digit()).count() >= 5
    }
}

/// Digits and dots, at least one of each, with the letters of OpenSSL 1.1.1w behind.
fn version(bytes: &[u8]) -> Option<&str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.' || *byte == b'-';
    let len = bytes.iter().take(VERSION_BYTES_MAX).position(|byte| !plain(byte))?;
    let text = std::str::from_utf8(&bytes[..len]).ok()?;
    (text.starts_with(|c: char| c.is_ascii_digit()) && text.contains('.')).then_some(text)
}

/// `3.11.2` between two zeros, in `python3.11` and `libpython3.11.so.1.0`.
fn python(piece: &[u8], name: &str) -> Option<String> {
    let branch: String = name
        .trim_start_matches(|c: char| c.is_ascii_alphabetic())
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let branch = branch.trim_end_matches('.');
    let start = format!("\0{branch}.");
    memmem::find_iter(piece, start.as_bytes()).find_map(|at| {
        let version = version(&piece[at + 1..])?;
        let ends = piece.get(at + 1 + version.len()) == Some(&0);
        let patch = version.strip_prefix(branch)?.strip_prefix('.')?;
        (ends && patch.starts_with(|c: char| c.is_ascii_digit())).then(|| version.to_owned())
    })
}
