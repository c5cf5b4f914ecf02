//! Syslog in a stream: messages that end with a line feed, or that say how long they are (RFC
//! 6587), told apart message by message.

use super::FRAME_BYTES_MAX;

/// Digits of the length of a message; more are no length.
const DIGITS_MAX: usize = 7;

/// Where in the stream we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a message.
    Between,
    /// In one of which so many bytes are to come.
    Counted(usize),
    /// In one that ends with its line.
    Line,
}

/// How a message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// Not enough bytes to tell.
    Unclear,
    /// Bytes of its length with the blank, and the length.
    Counted(usize, usize),
    Line,
}

/// Messages of one connection.
#[derive(Debug)]
pub(super) struct Frames {
    state: State,
    /// Bytes that do not tell yet how their message is framed.
    begin: Vec<u8>,
    frame: Vec<u8>,
    is_cut: bool,
    /// Messages that were longer than the limit.
    cut: u64,
}

impl Frames {
    pub(super) const fn new() -> Self {
        Self { state: State::Between, begin: Vec::new(), frame: Vec::new(), is_cut: false, cut: 0 }
    }

    /// Takes the next bytes of the stream; gives the messages that end in them, as lines.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let joined;
        let mut rest = bytes;
        if !self.begin.is_empty() {
            self.begin.extend(bytes);
            joined = std::mem::take(&mut self.begin);
            rest = &joined;
        }
        while !rest.is_empty() {
            rest = self.step(rest, &mut lines);
        }
        lines
    }

    fn step<'a>(&mut self, rest: &'a [u8], lines: &mut Vec<Vec<u8>>) -> &'a [u8] {
        match self.state {
            State::Between => match begin(rest) {
                Begin::Unclear => {
                    self.begin = rest.to_vec();
                    &[]
                }
                Begin::Counted(head, length) => {
                    self.state = State::Counted(length);
                    &rest[head..]
                }
                Begin::Line => {
                    self.state = State::Line;
                    rest
                }
            },
            State::Counted(left) => {
                let (part, after) = rest.split_at(left.min(rest.len()));
                self.keep(part);
                self.state = State::Counted(left - part.len());
                if part.len() == left {
                    self.finish(lines);
                }
                after
            }
            State::Line => {
                let end = rest.iter().position(|byte| *byte == b'\n');
                self.keep(&rest[..end.unwrap_or(rest.len())]);
                if end.is_some() {
                    self.finish(lines);
                }
                end.and_then(|end| rest.get(end + 1..)).unwrap_or_default()
            }
        }
    }

    fn keep(&mut self, part: &[u8]) {
        let room = FRAME_BYTES_MAX - self.frame.len();
        self.is_cut |= part.len() > room;
        self.frame.extend(&part[..part.len().min(room)]);
    }

    fn finish(&mut self, lines: &mut Vec<Vec<u8>>) {
        self.state = State::Between;
        self.cut += u64::from(std::mem::take(&mut self.is_cut));
        lines.extend(line_of(&std::mem::take(&mut self.frame)));
    }

    /// A message has begun and not ended.
    pub(super) fn is_partial(&self) -> bool {
        self.state != State::Between || !self.begin.is_empty()
    }

    /// What is there of a message that will not end.
    pub(super) fn rest(mut self) -> Option<Vec<u8>> {
        let begin = std::mem::take(&mut self.begin);
        self.keep(&begin);
        line_of(&self.frame)
    }

    /// How many messages were cut since this was asked last.
    pub(super) const fn take_cut(&mut self) -> u64 {
        let cut = self.cut;
        self.cut = 0;
        cut
    }
}

/// A message that says how long it is begins with `LENGTH <`; a line of a log may begin with
/// digits too, so the priority decides.
fn begin(bytes: &[u8]) -> Begin {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.get(digits..).unwrap_or_default() {
        [] if digits <= DIGITS_MAX => Begin::Unclear,
        [b' '] if (1..=DIGITS_MAX).contains(&digits) => Begin::Unclear,
        [b' ', b'<', ..] if (1..=DIGITS_MAX).contains(&digits) => {
            let length =
                bytes[..digits].iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            if length == 0 { Begin::Line } else { Begin::Counted(digits + 1, length) }
        }
        _ => Begin::Line,
    }
}

/// A message as one line of a file: no end, and line feeds inside of it written as the reader of
/// logs writes what is no text. `None` for an empty one.
pub(super) fn line_of(message: &[u8]) -> Option<Vec<u8>> {
    let end = message.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r' | 0))? + 1;
    let mut line = Vec::with_capacity(end);
    for byte in &message[..end] {
        match byte {
            b'\n' => line.extend(b"\\x0A"),
            byte => line.push(*byte),
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    fn lines(stream: &[u8]) -> Vec<String> {
        let mut frames = Frames::new();
        let mut lines = frames.push(stream);
        lines.extend(frames.rest());
        lines.into_iter().map(|line| String::from_utf8_lossy(&line).into_owned()).collect()
    }

    #[test]
    fn both_framings_and_what_only_looks_like_one() {
        for (stream, expected) in [
            (&b"<13>a\n<13>b\r\n"[..], &["<13>a", "<13>b"][..]),
            (b"5 <13>a6 <13>bc", &["<13>a", "<13>bc"]),
            (b"5 <13>a<13>b\n5 <13>c", &["<13>a", "<13>b", "<13>c"]),
            // A log without priority, whose lines begin with the digits of an address or a time.
            (b"192.0.2.1 - - x\n17 plain\n", &["192.0.2.1 - - x", "17 plain"]),
            (b"12345678 <13>a\n", &["12345678 <13>a"]),
            (b"0 <13>a\n", &["0 <13>a"]),
            // A line feed inside of a counted message.
            (b"8 <13>a\nb\n", &["<13>a\\x0Ab"]),
            (b"\n\r\n\0\n<13>a", &["<13>a"]),
            (b"9 <13>a", &["<13>a"]),
            (b"12", &["12"]),
            (b"", &[]),
        ] {
            assert_eq!(lines(stream), expected, "{:?}", String::from_utf8_lossy(stream));
        }
    }

    /// However the stream is cut into pieces, it holds the same messages.
    #[test]
    fn pieces_do_not_matter() {
        let stream =
            b"<13>first\n9 <14>a\nbc192.0.2.1 - - [x] \"GET / HTTP/1.1\"\n5 <15>z\n<1>end\n";
        let whole = lines(stream);
        assert_eq!(whole.len(), 5);
        let mut rng = Rng::new(5);
        for _ in 0..500 {
            let mut frames = Frames::new();
            let mut found = Vec::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let bytes = 1 + usize::try_from(rng.next() % 7).unwrap();
                let (part, after) = rest.split_at(bytes.min(rest.len()));
                found.extend(frames.push(part));
                rest = after;
            }
            found.extend(frames.rest());
            let found: Vec<_> =
                found.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
            assert_eq!(found, whole);
        }
    }

    #[test]
    fn a_long_message_is_cut_and_what_follows_is_found() {
        let long = vec![b'a'; FRAME_BYTES_MAX + 10];
        let counted = [format!("{} <13>", long.len() + 4).as_bytes(), &long, b"5 <13>b"].concat();
        let line = [b"<13>", &long[..], b"\n<13>b\n"].concat();
        for stream in [counted, line] {
            let mut frames = Frames::new();
            let found: Vec<Vec<u8>> =
                stream.chunks(1_000).flat_map(|part| frames.push(part)).collect();
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [FRAME_BYTES_MAX, 5]);
            assert_eq!((frames.take_cut(), frames.take_cut()), (1, 0));
            assert!(!frames.is_partial());
        }
    }

    #[test]
    fn what_is_partial() {
        let mut frames = Frames::new();
        assert!(!frames.is_partial());
        for part in [&b"1"[..], b"0", b" ", b"<13>", b"abcde"] {
            assert_eq!(frames.push(part), Vec::<Vec<u8>>::new());
            assert!(frames.is_partial());
        }
        assert_eq!(frames.push(b"f"), [b"<13>abcdef"]);
        assert!(!frames.is_partial());
    }
}
