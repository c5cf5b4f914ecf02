//! Where a WebSocket stream stands between frames (RFC 6455 5.2).

/// A close frame of a server: 1012, service restart (IANA WebSocket close codes).
pub(super) const CLOSE_SERVICE_RESTART: [u8; 4] = [0x88, 0x02, 0x03, 0xf4];

/// Longest frame head, in bytes: 2, 8 of length, 4 of mask.
const HEAD_BYTES_MAX: usize = 14;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; HEAD_BYTES_MAX],
    head_length: usize,
    payload_left: u64,
}

impl Frames {
    /// Takes the next bytes of the stream.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            if self.payload_left > 0 {
                let skipped =
                    bytes.len().min(usize::try_from(self.payload_left).unwrap_or(usize::MAX));
                self.payload_left -= skipped as u64;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head[self.head_length] = *first;
            self.head_length += 1;
            bytes = rest;
            if let Some(payload) = self.payload_of_whole_head() {
                self.payload_left = payload;
                self.head_length = 0;
            }
        }
    }

    /// Whether the next byte would begin a frame.
    pub(super) const fn at_boundary(&self) -> bool {
        self.head_length == 0 && self.payload_left == 0
    }

    /// The payload length, once the head is whole.
    fn payload_of_whole_head(&self) -> Option<u64> {
        let [_, second, extended @ ..] = &self.head[..self.head_length] else { return None };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        let size = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        if extended.len() < size + mask {
            return None;
        }
        let length = extended[..size].iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        Some(if size == 0 { u64::from(second & 0x7f) } else { length })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: usize, mask: bool) -> Vec<u8> {
        let bit = if mask { 0x80 } else { 0 };
        let mut bytes = vec![0x82];
        match payload {
            0..126 => bytes.push(bit | payload as u8),
            126..65_536 => {
                bytes.push(bit | 126);
                bytes.extend((payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(bit | 127);
                bytes.extend((payload as u64).to_be_bytes());
            }
        }
        bytes.extend(vec![0xff; payload + if mask { 4 } else { 0 }]);
        bytes
    }

    #[test]
    fn only_the_end_of_a_frame_is_a_boundary() {
        for mask in [false, true] {
            for payload in [0, 1, 125, 126, 65_535, 65_536] {
                let bytes = frame(payload, mask);
                let mut frames = Frames::default();
                for (at, byte) in bytes.iter().enumerate() {
                    assert_eq!(frames.at_boundary(), at == 0, "{payload} {mask} at {at}");
                    frames.feed(&[*byte]);
                }
                assert!(frames.at_boundary(), "{payload} {mask}");
            }
        }
    }

    #[test]
    fn frames_in_one_read() {
        let mut stream = [frame(3, false), frame(200, true), frame(0, false)].concat();
        let mut frames = Frames::default();
        frames.feed(&stream);
        assert!(frames.at_boundary());
        stream.pop();
        frames.feed(&stream);
        assert!(!frames.at_boundary());
    }

    #[test]
    fn a_length_that_lies_never_overflows() {
        let mut frames = Frames::default();
        frames.feed(&[0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3]);
        assert!(!frames.at_boundary());
    }
}
