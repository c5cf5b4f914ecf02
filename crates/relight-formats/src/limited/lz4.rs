//! lz4 (its frame format, 1.6.4): every frame of a stream, each to its own end.
//!
//! The decoder of the crate gives nothing at the end of each frame, and nothing as well where the
//! bytes end between two blocks; a reader of one of them would take the first for everything, and a
//! stream that was cut for a whole one.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

/// Bytes of the mark that a frame starts with.
const MARK_BYTES: usize = 4;

/// The mark of the old form. Its frames have no end of their own: the bytes end.
const LEGACY: [u8; MARK_BYTES] = 0x184c_2102_u32.to_le_bytes();

/// The frames of a stream, one after the other. Zeros may stand behind the last one.
pub(super) struct Frames<R: Read> {
    /// That of the frame that is open: one that goes on with another frame trips over its own
    /// buffers.
    decoder: Option<FrameDecoder<Source<R>>>,
    frame: Frame,
}

/// Which frame is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    None,
    Open,
    /// One that ends with the bytes.
    Legacy,
    /// There is no other one.
    Last,
}

/// The bytes, with the mark of the next frame in front again.
struct Source<R> {
    inner: R,
    mark: [u8; MARK_BYTES],
    /// How many bytes of the mark were given.
    given: usize,
    has_ended: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(inner: R) -> Self {
        let source = Source { inner, mark: [0; MARK_BYTES], given: MARK_BYTES, has_ended: false };
        Self { decoder: Some(FrameDecoder::new(source)), frame: Frame::None }
    }

    /// Looks for the mark of the next frame.
    fn next_frame(&mut self) -> io::Result<Frame> {
        let Some(decoder) = self.decoder.take() else { return Ok(Frame::Last) };
        let decoder = self.decoder.insert(FrameDecoder::new(decoder.into_inner()));
        let source = decoder.get_mut();
        let mut mark = Vec::with_capacity(MARK_BYTES);
        (&mut source.inner).take(MARK_BYTES as u64).read_to_end(&mut mark)?;
        if mark.iter().all(|byte| *byte == 0) {
            return source.pass_zeros().map(|()| Frame::Last);
        }
        // Fewer bytes than a mark are the start of one that was cut.
        source.mark = mark.try_into().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        source.given = 0;
        Ok(if source.mark == LEGACY { Frame::Legacy } else { Frame::Open })
    }
}

impl<R: Read> Source<R> {
    /// What pads a stream is zeros to its end.
    fn pass_zeros(&mut self) -> io::Result<()> {
        let mut piece = [0; 512];
        loop {
            let read = self.inner.read(&mut piece)?;
            if read == 0 {
                return Ok(());
            }
            if piece[..read].iter().any(|byte| *byte != 0) {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = &self.mark[self.given..];
        if !ahead.is_empty() {
            let read = ahead.len().min(buffer.len());
            buffer[..read].copy_from_slice(&ahead[..read]);
            self.given += read;
            return Ok(read);
        }
        let read = self.inner.read(buffer)?;
        self.has_ended |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if self.frame == Frame::None {
                self.frame = self.next_frame()?;
            }
            if self.frame == Frame::Last {
                return Ok(0);
            }
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let read = decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            self.frame = match (decoder.get_ref().has_ended, self.frame) {
                (false, _) => Frame::None,
                (true, Frame::Legacy) => Frame::Last,
                (true, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, FrameEncoder, FrameInfo};

    use super::*;

    fn frame(bytes: &[u8], info: FrameInfo) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(packed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        Frames::new(packed).read_to_end(&mut out)?;
        Ok(out)
    }

    /// One line for each number, so that no block is equal to another.
    fn text() -> Vec<u8> {
        (0..30_000).flat_map(|line| format!("line {line}\n").into_bytes()).collect()
    }

    #[test]
    fn every_frame_is_read_in_pieces_of_any_size() {
        let (one, other) = (text(), b"another frame".to_vec());
        let linked = FrameInfo::new().block_mode(BlockMode::Linked).content_checksum(true);
        let packed = [frame(&one, FrameInfo::new()), frame(b"", FrameInfo::new())];
        let packed = [packed.concat(), frame(&other, linked), vec![0; 700]].concat();
        let plain = [one, other].concat();
        assert_eq!(read(&packed).unwrap(), plain);
        let (mut frames, mut given, mut piece) = (Frames::new(&packed[..]), Vec::new(), [0; 77]);
        loop {
            let read = frames.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            given.extend_from_slice(&piece[..read]);
        }
        assert_eq!(given, plain);
        assert_eq!(read(b"").unwrap(), b"");
    }

    /// Goal: no part of a stream is taken for the whole. Method: two frames, cut at every length;
    /// only between the two it is whole.
    #[test]
    fn a_stream_that_was_cut_is_no_whole_one() {
        let first = frame(&text()[..70_000], FrameInfo::new());
        let both = [first.clone(), frame(b"second", FrameInfo::new())].concat();
        for len in 1..both.len() {
            let got = read(&both[..len]);
            assert_eq!(got.is_ok(), len == first.len(), "{len} of {}", both.len());
        }
        let kind = read(&both[..first.len() - 4]).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::UnexpectedEof, "in front of the end mark");
        assert!(read(&[&first[..], b"no frame"].concat()).is_err());
        assert!(read(&[&first[..], &[0; 9], b"x"].concat()).is_err());
    }

    #[test]
    fn a_frame_of_the_old_form_ends_with_the_bytes() {
        let block = lz4_flex::block::compress(b"old and plain");
        let size = u32::try_from(block.len()).unwrap().to_le_bytes();
        let packed = [&LEGACY[..], &size, &block].concat();
        assert_eq!(read(&packed).unwrap(), b"old and plain");
        assert!(read(&packed[..packed.len() - 1]).is_err());
    }
}
