//! PPMd: a model of the text before each byte, whose size the header chooses.

use std::io::{self, Read};

use ppmd_rust::{Error, Ppmd7Decoder, Ppmd8Decoder, RestoreMethod};

use super::coding::WINDOW_MAX;

/// A model may be as large as a window; its decoder takes it when it is made.
pub(super) fn decoder<R: Read>(source: R, order: u32, bytes: u32) -> io::Result<Ppmd7Decoder<R>> {
    if u64::from(bytes) > WINDOW_MAX {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    Ppmd7Decoder::new(source, order, bytes).map_err(of_ppmd)
}

/// The same, with its parameters in front (APPNOTE 5.10).
pub(super) fn zip_decoder<R: Read>(mut source: R) -> io::Result<Ppmd8Decoder<R>> {
    let mut head = [0; 2];
    source.read_exact(&mut head)?;
    let (order, bytes, restore) = fields(head);
    if u64::from(bytes) > WINDOW_MAX {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let restore = match restore {
        0 => RestoreMethod::Restart,
        1 => RestoreMethod::CutOff,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ppmd8Decoder::new(source, order, bytes, restore).map_err(of_ppmd)
}

/// Order, bytes of the model, and what is done when it is full (APPNOTE 5.10.4).
pub(super) fn fields(head: [u8; 2]) -> (u32, u32, u32) {
    let fields = u32::from(u16::from_le_bytes(head));
    ((fields & 0xf) + 1, (((fields >> 4) & 0xff) + 1) << 20, fields >> 12)
}

/// What the source said stays what it was.
fn of_ppmd(error: Error) -> io::Error {
    match error {
        Error::IoError(error) => error,
        Error::MemoryAllocation => io::ErrorKind::OutOfMemory.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ppmd_rust::{Ppmd7Encoder, Ppmd8Encoder};

    use super::*;
    use crate::limited::LimitedError;
    use crate::limited::coding::{Coding, decoder, window_of};

    fn unpack(coding: Coding, packed: &[u8]) -> Result<Vec<u8>, LimitedError> {
        let mut out = Vec::new();
        decoder(coding, packed)?.read_to_end(&mut out).map_err(LimitedError::of_decoder)?;
        Ok(out)
    }

    #[test]
    fn models_of_ppmd_are_bounded_and_cut_ones_are_not_whole() {
        let plain: Vec<u8> =
            (0..9_000).flat_map(|at| format!("line {at}\n").into_bytes()).collect();
        let mut encoder = Ppmd7Encoder::new(Vec::new(), 6, 1 << 20).unwrap();
        encoder.write_all(&plain).unwrap();
        let packed = encoder.finish(true).unwrap();
        assert_eq!(unpack(Coding::Ppmd(6, 1 << 20), &packed).unwrap(), plain);
        let cut = unpack(Coding::Ppmd(6, 1 << 20), &packed[..packed.len() / 2]);
        assert!(cut.map_or(true, |cut| cut.len() < plain.len()));
        let wide = unpack(Coding::Ppmd(6, (64 << 20) + 1), &packed);
        assert!(matches!(wide, Err(LimitedError::Window)), "{wide:?}");
        assert!(matches!(unpack(Coding::Ppmd(1, 0), &packed), Err(LimitedError::Corrupt(_))));
        let fields = |order: u16, mib: u16, restore: u16| {
            ((order - 1) | ((mib - 1) << 4) | (restore << 12)).to_le_bytes()
        };
        let mut encoder =
            Ppmd8Encoder::new(Vec::new(), 8, 1 << 20, RestoreMethod::Restart).unwrap();
        encoder.write_all(&plain).unwrap();
        let packed = encoder.finish(true).unwrap();
        let zip = |head: [u8; 2]| unpack(Coding::ZipPpmd, &[&head[..], &packed].concat());
        assert_eq!(zip(fields(8, 1, 0)).unwrap(), plain);
        assert!(matches!(zip(fields(8, 1, 2)), Err(LimitedError::Corrupt(_))));
        assert!(matches!(zip(fields(8, 65, 0)), Err(LimitedError::Window)));
        assert_eq!(window_of(Coding::ZipPpmd, &fields(8, 65, 0)), 65 << 20);
        assert!(matches!(unpack(Coding::ZipPpmd, &[7]), Err(LimitedError::Truncated)));
    }
}
