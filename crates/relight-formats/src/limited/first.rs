//! The first stream of something packed, whatever stands behind it: where it ends shows only when
//! all of it is unpacked.

use std::io::{BufRead, Read};

use bzip2::bufread::BzDecoder;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;

use super::coding::{Coding, LZMA_MEMORY_MAX_KB, Named};

/// Unpacks one stream and nothing behind it, where its end shows in no other way: `source` then
/// stands behind it. `None` for codings that say where they end, or never do.
///
/// Reading fails with an error that holds [`super::LimitedError`]
/// ([`super::LimitedError::inside`]).
pub fn first_stream<'a>(coding: Coding, source: impl BufRead + 'a) -> Option<Box<dyn Read + 'a>> {
    let inner: Box<dyn Read + 'a> = match coding {
        Coding::Gzip => Box::new(GzDecoder::new(source)),
        Coding::Bzip2 => Box::new(BzDecoder::new(source)),
        Coding::Xz => Box::new(XzReader::new_mem_limit(source, false, LZMA_MEMORY_MAX_KB)),
        _ => return None,
    };
    Some(Box::new(Named { inner }))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::LimitedError;
    use super::*;

    fn packed(coding: Coding) -> Vec<u8> {
        let text = b"some words that are packed".repeat(9_000);
        match coding {
            Coding::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                out.write_all(&text).unwrap();
                out.finish().unwrap()
            }
            Coding::Bzip2 => {
                let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                out.write_all(&text).unwrap();
                out.finish().unwrap()
            }
            _ => {
                let options = lzma_rust2::XzOptions::with_preset(1);
                let mut out = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
                out.write_all(&text).unwrap();
                out.finish().unwrap()
            }
        }
    }

    /// Goal: the end of a stream is known to the byte. Method: each coding with another stream, or
    /// something else, right behind it.
    #[test]
    fn a_stream_ends_where_it_ends() {
        for coding in [Coding::Gzip, Coding::Bzip2, Coding::Xz] {
            let own = packed(coding);
            for behind in [&own[..], b"words", b""] {
                let all = [&own[..], behind].concat();
                let mut source = &all[..];
                let mut out = Vec::new();
                first_stream(coding, &mut source).unwrap().read_to_end(&mut out).unwrap();
                assert_eq!((out.len(), source), (26 * 9_000, behind), "{coding:?}");
            }
            let mut cut = &own[..own.len() - 9];
            let error = first_stream(coding, &mut cut).unwrap().read_to_end(&mut Vec::new());
            assert!(LimitedError::inside(&error.unwrap_err()).is_some(), "{coding:?}");
        }
        assert!(first_stream(Coding::Zstd, &b""[..]).is_none());
    }
}
