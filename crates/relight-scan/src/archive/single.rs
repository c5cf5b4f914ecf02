//! A compressed stream around one file. It has no directory: the file is called like the stream,
//! without the ending of the compression, whatever name the stream may hold.

use std::io::{self, Read};

use relight_formats::limited::coding::{Coding, Held, decoder_of};

use super::{Again, Body, Container, Damage, Entry, Skipped};
use crate::window::Window;

/// Endings that say how a file is compressed.
const ENDINGS: [&str; 13] =
    ["gz", "gzip", "z", "bz2", "bz", "xz", "lzma", "zst", "zstd", "lz4", "lz", "zs", "zz"];

/// Endings that stand for an archive and its compression.
const SHORT: [(&str, &str); 8] = [
    ("tgz", "tar"),
    ("taz", "tar"),
    ("tbz", "tar"),
    ("tbz2", "tar"),
    ("txz", "tar"),
    ("tlz", "tar"),
    ("tzst", "tar"),
    ("svgz", "svg"),
];

/// The stream as a container with one member, and with what its readers pass over where that can
/// be read again.
pub(crate) struct Single {
    member: Option<Entry>,
    skipped: Option<(Vec<u8>, Window, Skipped)>,
}

impl Single {
    /// `name` is that of the stream; `body` is packed.
    pub(crate) fn new(name: &[u8], coding: Coding, body: Packing) -> Self {
        let name = inner_name(name);
        let mut skipped = None;
        let member = match body {
            Packing::Window(window) => {
                let size = window.len();
                if has_frames(coding) {
                    skipped = Some((name.clone(), window.clone(), Skipped::new(&window)));
                }
                let body = Body::Packed(window, coding);
                Entry { packed: size, ..Entry::file(name, None, body) }
            }
            Packing::Stream(stream, head, again) => {
                let stream = decoder_of(coding, &head, stream)
                    .unwrap_or_else(|error| Box::new(Failing(Some(io::Error::other(error)))));
                let window = Held::of(coding, &head);
                let body = Body::Stream(stream, again);
                Entry { packed: 0, window, ..Entry::file(name, None, body) }
            }
        };
        Self { member: Some(member), skipped }
    }
}

/// Where a packed stream comes from.
pub(crate) enum Packing {
    /// It can be read again.
    Window(Window),
    /// It comes by once; its first bytes; and how to get at what it gives again.
    Stream(Box<dyn Read>, Vec<u8>, Option<Again>),
}

impl Container for Single {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        if let Some(member) = self.member.take() {
            return Some(Ok(member));
        }
        let (name, window, skipped) = self.skipped.as_mut()?;
        match skipped.next_place() {
            Ok(Some(place)) => {
                let part = window.part(place.start, place.end - place.start);
                Some(Ok(Entry::file(name.clone(), Some(part.len()), Body::Plain(part))))
            }
            Ok(None) => None,
            Err(error) => {
                self.skipped = None;
                Some(Err(Damage::of(&error)))
            }
        }
    }
}

/// Whether streams of this coding have frames, some of which readers pass over.
pub(crate) const fn has_frames(coding: Coding) -> bool {
    matches!(coding, Coding::Zstd | Coding::Lz4)
}

/// A stream whose head is already wrong.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// `x.jar.gz` holds `x.jar`; a name that says nothing is kept.
fn inner_name(name: &[u8]) -> Vec<u8> {
    let dot = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let Some(dot) = dot else { return name.to_vec() };
    let (stem, ending) = (&name[..dot], &name[dot + 1..]);
    let is = |known: &str| ending.eq_ignore_ascii_case(known.as_bytes());
    if let Some((_, long)) = SHORT.iter().find(|(short, _)| is(short)) {
        return [stem, long.as_bytes()].join(&b'.');
    }
    if ENDINGS.iter().any(|known| is(known)) { stem.to_vec() } else { name.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_inside_streams() {
        for (outer, inner) in [
            ("x.jar.gz", "x.jar"),
            ("x.JAR.XZ", "x.JAR"),
            ("app.tgz", "app.tar"),
            ("x.jar", "x.jar"),
            ("data", "data"),
            (".gz", ".gz"),
            ("a.b.zst", "a.b"),
        ] {
            assert_eq!(inner_name(outer.as_bytes()), inner.as_bytes());
        }
    }
}
