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
        Head::Text => !sniff::is_text(&inside),
        Head::Program | Head::Other => !ended || memmem::find(&inside, &END).is_some(),
    };
    holds_code.then_some(FlawCode::MethodUnsupported)
}

/// `1` to `9` are the sections of the manual, with or without letters behind (`3pm`, `8ssl`).
fn is_harmless_name(path: &str) -> bool {
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
