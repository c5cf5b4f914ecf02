//! Compressed streams that are not opened yet: which of them may hide code, and so are flaws.
//!
//! A machine holds thousands of compressed manual pages, change logs and fonts; were each a flaw,
//! no machine would ever be complete and the word would mean nothing. Silence would be worse: a
//! `.tar.gz` may hold any jar. So the rule for a stream is the rule for a file: what is inside is
//! sniffed like a file on the disk, and only a container (or what cannot be judged) is a flaw.
//! Without a decoder (xz, bzip2, lz4) only the name can speak for it.

use std::io::{self, Read};

use memchr::memmem;
use relight_formats::limited::{self, LimitedError, Limits};
use relight_model::FlawCode;

use crate::archive::END;
use crate::evidence::file_name;
use crate::sniff::{self, HEAD_BYTES, Head, Stream};

/// Packed bytes that are looked at.
pub(crate) const PACKED_BYTES_MAX: u64 = 1 << 20;

/// Unpacked bytes that are looked at. Beyond them text is taken for text to its end.
const UNPACKED_BYTES_MAX: u64 = 4 << 20;

/// Name endings, before the ending of the compression, of files that hold text, pictures, fonts
/// or a kernel module: nothing that any cataloger could look for.
const HARMLESS: [&str; 22] = [
    "changelog",
    "copying",
    "csv",
    "dat",
    "diff",
    "ics",
    "info",
    "ko",
    "log",
    "md",
    "news",
    "pbm",
    "pcf",
    "pdf",
    "po",
    "ps",
    "readme",
    "rst",
    "sql",
    "svg",
    "txt",
    "xml",
];

/// The flaw of a compressed stream, or `None` when nothing in it could be code that we look for.
/// `packed` is its start; `whole` says that it is all of it.
pub(crate) fn judge(kind: Stream, path: &str, packed: &[u8], whole: bool) -> Option<FlawCode> {
    if is_harmless_name(path) {
        return None;
    }
    if kind == Stream::Opaque {
        return Some(FlawCode::MethodUnsupported);
    }
    let (inside, ended, damaged) = unpack(packed);
    // The start of a longer stream always ends early; a damaged whole one may hide anything.
    if damaged && whole {
        return Some(FlawCode::CorruptEntry);
    }
    let holds_code = match sniff::head(&inside[..inside.len().min(HEAD_BYTES)]) {
        Head::Zip | Head::Container | Head::Stream(_) => true,
        _ if sniff::is_text(&inside) => false,
        // As on the disk: an archive may stand behind anything, if its end record is there.
        Head::Text | Head::Program | Head::Class | Head::Other => {
            !ended || memmem::find(&inside, &END).is_some()
        }
    };
    holds_code.then_some(FlawCode::MethodUnsupported)
}

/// Where apt keeps the lists of packages that could be installed.
const PACKAGE_LISTS: &str = "var/lib/apt/lists/";

/// `1` to `9` are the sections of the manual, with or without letters behind (`3pm`, `8ssl`).
fn is_harmless_name(path: &str) -> bool {
    if path.contains(PACKAGE_LISTS) {
        return true;
    }
    let name = file_name(path).to_ascii_lowercase();
    let mut parts = name.rsplit('.');
    let _compression = parts.next();
    let Some(kind) = parts.next() else { return false };
    let mut chars = kind.chars();
    let manual = chars.next().is_some_and(|c| matches!(c, '1'..='9'))
        && parts.next().is_some()
        && kind.len() <= 6
        && chars.all(|c| c.is_ascii_alphanumeric());
    manual && !kind.chars().all(|c| c.is_ascii_digit() && kind.len() > 1)
        || HARMLESS.contains(&kind)
}

/// What is inside, as far as it goes; whether that is all; whether it is damaged or cut.
fn unpack(packed: &[u8]) -> (Vec<u8>, bool, bool) {
    let limits = Limits::bytes(UNPACKED_BYTES_MAX);
    let Ok(mut stream) = limited::open_stream(io::Cursor::new(packed.to_vec()), limits) else {
        return (Vec::new(), false, true);
    };
    let mut inside = Vec::new();
    match stream.read_to_end(&mut inside) {
        Ok(_) => (inside, true, false),
        Err(error) => {
            let full = matches!(LimitedError::inside(&error), Some(LimitedError::Limit(_)));
            (inside, false, !full)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn judge_gzip(inside: &[u8]) -> Option<FlawCode> {
        judge(Stream::Readable, "x.gz", &gzip(inside), true)
    }

    #[test]
    fn what_is_inside_decides() {
        let unsupported = Some(FlawCode::MethodUnsupported);
        assert_eq!(judge_gzip(b"plain words\n"), None);
        assert_eq!(judge_gzip(b"PK\x03\x04 and so on"), unsupported);
        assert_eq!(judge_gzip(&gzip(b"twice")), unsupported);
        assert_eq!(judge_gzip(b"\x00\x01 a table"), None);
        assert_eq!(judge_gzip(b"\x7fELF \x00\x00 PK\x05\x06"), unsupported);
        let mut tar = vec![0; 600];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(judge_gzip(&tar), unsupported);
    }

    #[test]
    fn a_long_stream_is_judged_by_its_start() {
        let text = b"line of a log\n".repeat(400_000);
        assert!(text.len() as u64 > UNPACKED_BYTES_MAX);
        assert_eq!(judge_gzip(&text), None);
        let binary = vec![1; text.len()];
        assert_eq!(judge_gzip(&binary), Some(FlawCode::MethodUnsupported));
        let packed = gzip(b"\x00 short");
        let cut = &packed[..packed.len() - 5];
        assert_eq!(judge(Stream::Readable, "x", cut, true), Some(FlawCode::CorruptEntry));
        assert_eq!(judge(Stream::Readable, "x", cut, false), Some(FlawCode::MethodUnsupported));
    }

    #[test]
    fn without_a_decoder_the_name_decides() {
        for (path, harmless) in [
            ("usr/share/man/man1/ls.1.xz", true),
            ("usr/share/man/man3/IO.3pm.xz", true),
            ("var/log/app.log.bz2", true),
            ("lib/modules/6.1/loop.ko.xz", true),
            ("var/lib/apt/lists/main_Packages.lz4", true),
            ("app.jar.xz", false),
            ("app-1.tar.xz", false),
            ("backup.20.xz", false),
            ("data.xz", false),
            ("xz", false),
        ] {
            let got = judge(Stream::Opaque, path, b"", true).is_none();
            assert_eq!(got, harmless, "{path}");
        }
    }
}
