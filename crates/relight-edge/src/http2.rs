//! One request over HTTP/2 (RFC 9113), blocking: for spellings of a name that no library would
//! write, such as one name in `:authority` and another in `Host`. Only the head of an answer is
//! read, which is what tells a gate from a site.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use httlib_hpack::{Decoder, Encoder};

use crate::http::{HEAD_BYTES_MAX, HEADERS_MAX, Response, Stream, invalid};

/// What listeners under TLS agree to where they speak it (RFC 9113, section 3.1).
pub(crate) const HTTP2: &[u8] = b"h2";

/// Longest payload of a frame, in bytes: nobody is told that it may be longer (section 4.2).
const FRAME_BYTES_MAX: usize = 16 << 10;
/// Most frames before the end of the head of an answer.
const FRAMES_MAX: usize = 128;
/// The head of each frame, in bytes.
const FRAME_HEAD_BYTES: usize = 9;

/// How a client begins (section 3.4), with its settings: nothing is to be pushed.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x06\x04\0\0\0\0\0\0\x02\0\0\0\0";
/// The stream of the one request.
const STREAM: u32 = 1;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const PRIORITY: u8 = 32;

/// The code of an ending that says that the request was none (sections 7 and 8.1.1).
const PROTOCOL_ERROR: u32 = 1;
/// The codes of endings that say nothing of the request: it was not looked at, or comes too often.
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// An answer; its body was left where it is.
    Answer(Response),
    /// The peer calls it no request of this protocol.
    Refused,
}

/// One connection, for one request, and one time for all of it.
pub(crate) struct Http2 {
    stream: Stream,
    decoder: Decoder<'static>,
    buffer: Vec<u8>,
    frames: usize,
    until: Instant,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Http2 {
    /// Begins on a new connection. Within `wait` from now the answer has to be there too.
    ///
    /// # Errors
    /// `InvalidData` when the peer speaks something else; whatever the connection says when it ends
    /// or when nothing comes in time.
    pub(crate) fn begin(stream: Stream, wait: Duration) -> io::Result<Self> {
        let (buffer, until) = (Vec::new(), Instant::now() + wait);
        let mut this = Self { stream, decoder: Decoder::default(), buffer, frames: 0, until };
        this.write(PREFACE)?;
        match this.read_frame()? {
            Frame { kind: SETTINGS, flags: 0, stream: 0, .. } => {}
            _ => return Err(invalid("that is not HTTP/2")),
        }
        this.write(&frame(SETTINGS, ACK, 0, &[])?)?;
        Ok(this)
    }

    /// A request with exactly these fields, in their order.
    ///
    /// # Errors
    /// When the connection or the stream ends without an answer, none comes in time, or what comes
    /// is not HTTP/2; `InvalidData` when that shows nothing of what was asked.
    pub(crate) fn ask(mut self, fields: &[(&str, &str)], body: &[u8]) -> io::Result<Said> {
        let (mut encoder, mut block) = (Encoder::default(), Vec::new());
        for (name, value) in fields {
            // Each spelled out and not kept by the peer.
            let field = (name.as_bytes().to_vec(), value.as_bytes().to_vec(), 0);
            encoder.encode(field, &mut block).map_err(io::Error::other)?;
        }
        let end = if body.is_empty() { END_STREAM } else { 0 };
        let mut request = frame(HEADERS, END_HEADERS | end, STREAM, &block)?;
        if !body.is_empty() {
            request.extend(frame(DATA, END_STREAM, STREAM, body)?);
        }
        self.write(&request)?;
        loop {
            match self.read_head()? {
                Said::Answer(head) if head.status < 200 => {}
                said => return Ok(said),
            }
        }
    }

    /// Reads one head, and whatever comes before it.
    fn read_head(&mut self) -> io::Result<Said> {
        let mut block: Option<Vec<u8>> = None;
        let mut is_end = false;
        loop {
            let Frame { kind, flags, stream, payload } = self.read_frame()?;
            // Nothing comes between the pieces of one block (section 4.3).
            match (&mut block, kind) {
                (None, HEADERS) if stream == STREAM => {
                    is_end = flags & END_STREAM != 0;
                    block = Some(fragment(&payload, flags)?.to_vec());
                }
                (Some(block), CONTINUATION) if stream == STREAM => block.extend(payload),
                (Some(_), _) | (None, HEADERS | CONTINUATION | PUSH_PROMISE | DATA) => {
                    return Err(invalid("a frame is out of place"));
                }
                (None, SETTINGS | PING) if flags & ACK == 0 => {
                    let payload = if kind == PING { &payload[..] } else { &[] };
                    self.write(&frame(kind, ACK, 0, payload)?)?;
                }
                (None, RST_STREAM) if stream == STREAM => return ended(&payload),
                (None, GOAWAY) => match payload.get(4..).map(ended) {
                    // Who goes answers what was asked before.
                    Some(Err(error)) if error.kind() == io::ErrorKind::NotConnected => {}
                    said => return said.unwrap_or(Err(invalid("a frame is cut"))),
                },
                (None, _) => {}
            }
            if block.as_ref().is_some_and(|block| block.len() > HEAD_BYTES_MAX) {
                return Err(invalid("the headers are too long"));
            }
            let Some(whole) = block.take_if(|_| flags & END_HEADERS != 0) else { continue };
            let truncated = !is_end;
            let response = head(&mut self.decoder, whole)?;
            return Ok(Said::Answer(Response { truncated, ..response }));
        }
    }

    fn read_frame(&mut self) -> io::Result<Frame> {
        self.frames += 1;
        if self.frames > FRAMES_MAX {
            return Err(invalid("there are too many frames"));
        }
        self.fill(FRAME_HEAD_BYTES)?;
        let [a, b, c, kind, flags, s0, s1, s2, s3, ..] = self.buffer[..] else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        if length > FRAME_BYTES_MAX {
            return Err(invalid("a frame is too long"));
        }
        self.fill(FRAME_HEAD_BYTES + length)?;
        let payload = self.buffer[FRAME_HEAD_BYTES..FRAME_HEAD_BYTES + length].to_vec();
        self.buffer.drain(..FRAME_HEAD_BYTES + length);
        Ok(Frame { kind, flags, stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]), payload })
    }

    /// Reads until there are so many bytes.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        while self.buffer.len() < wanted {
            self.stream.wait_at_most(self.left()?)?;
            let mut chunk = [0; 4 << 10];
            match self.stream.read(&mut chunk)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                size => self.buffer.extend_from_slice(&chunk[..size]),
            }
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.wait_at_most(self.left()?)?;
        self.stream.write_all(bytes)
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl fmt::Debug for Http2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2").field("stream", &self.stream).finish_non_exhaustive()
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<Vec<u8>> {
    if payload.len() > FRAME_BYTES_MAX {
        return Err(invalid("the request is too long"));
    }
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_be_bytes();
    Ok([&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat())
}

/// What an ending with this code says. Without an error, more may come.
fn ended(code: &[u8]) -> io::Result<Said> {
    let Some(code) = code.first_chunk() else { return Err(invalid("a frame is cut")) };
    match u32::from_be_bytes(*code) {
        0 => Err(io::ErrorKind::NotConnected.into()),
        PROTOCOL_ERROR => Ok(Said::Refused),
        REFUSED_STREAM | ENHANCE_YOUR_CALM => Err(invalid("the request was not looked at")),
        code => Err(io::Error::new(io::ErrorKind::ConnectionReset, format!("ended with {code}"))),
    }
}

/// The piece of a block of headers in a frame (section 6.2).
fn fragment(payload: &[u8], flags: u8) -> io::Result<&[u8]> {
    let mut rest = payload;
    let mut padding = 0;
    if flags & PADDED != 0 {
        let (first, after) = rest.split_first().ok_or_else(|| invalid("a frame is cut"))?;
        (padding, rest) = (usize::from(*first), after);
    }
    let before = if flags & PRIORITY != 0 { 5 } else { 0 };
    let end = rest.len().checked_sub(padding).filter(|end| *end >= before);
    end.map(|end| &rest[before..end]).ok_or_else(|| invalid("a frame is cut"))
}

/// A block of headers (RFC 7541) as the head of an answer.
fn head(decoder: &mut Decoder<'static>, mut block: Vec<u8>) -> io::Result<Response> {
    let (mut fields, mut passes): (Vec<(String, String)>, usize) = (Vec::new(), 0);
    while !block.is_empty() {
        if field_bytes(&block).is_none() {
            return Err(invalid("the headers are cut"));
        }
        // One that only changes a size is none, and takes its time as well.
        passes += 1;
        if passes > HEADERS_MAX {
            return Err(invalid("there are too many headers"));
        }
        // As many as there is room for: one.
        let mut one = Vec::with_capacity(1);
        let decoded = decoder.decode_exact(&mut block, &mut one);
        decoded.map_err(|_| invalid("the headers are none"))?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        fields.extend(one.into_iter().map(|(name, value, _)| (text(name), text(value))));
    }
    let (pseudo, headers): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|(name, _)| name.starts_with(':'));
    let status = match &pseudo[..] {
        [(name, status)] if name == ":status" => status.parse().ok(),
        _ => None,
    };
    let status = status.filter(|status| (100..1000).contains(status));
    let status = status.ok_or_else(|| invalid("there is no status"))?;
    Ok(Response { status, headers, body: Vec::new(), truncated: false })
}

/// Length of the first field of a block in bytes, if it is whole: the decoder would look behind the
/// end of one that was cut, and die. An index stands alone, before a value, or, as zero, before a
/// name and a value (RFC 7541, section 6).
fn field_bytes(block: &[u8]) -> Option<usize> {
    let (bits, has_value) = match block.first()? {
        0x80.. => (7, false),
        0x40.. => (6, true),
        0x20.. => (5, false),
        _ => (4, true),
    };
    let (index, mut end) = integer(block, bits)?;
    let texts = if has_value { 1 + usize::from(index == 0) } else { 0 };
    for _ in 0..texts {
        let (length, size) = integer(&block[end..], 7)?;
        end = Some(end + size + length).filter(|end| *end <= block.len())?;
    }
    Some(end)
}

/// A number and how many bytes it takes: the last bits of one, and four more at most (section 5.1).
fn integer(bytes: &[u8], bits: u32) -> Option<(usize, usize)> {
    let most = (1 << bits) - 1;
    let mut value = usize::from(*bytes.first()?) & most;
    if value < most {
        return Some((value, 1));
    }
    for (at, byte) in bytes[1..].iter().take(4).enumerate() {
        value += usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 2));
        }
    }
    None
}

#[cfg(test)]
mod tests;
