//! The export format of journald around the lines of a log: fields of an entry one a line, and an
//! empty line between entries. The line of the log is the field `MESSAGE`.
//!
//! No other format begins a line with a name in capitals and an equals sign at the start of an
//! entry, so nobody has to say that a feed is such a journal.

use relight_model::Timestamp;

/// A message that holds control characters or is no UTF-8 is written with its length in front and
/// may hold line ends: it is told, not read. Its bytes are counted, never looked at: a line of
/// them may look like a field.
pub(crate) const BINARY: &str = "journal-binary";

/// Longest field that journald writes, in bytes.
const FIELD_BYTES_MAX: u64 = 768 << 20;

/// How every entry begins.
const BEGINS: &str = "__CURSOR=";

/// When the journal took the entry, in microseconds.
const RECEIVED: &str = "__REALTIME_TIMESTAMP";

/// Where in a journal the lines are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Journal {
    is_journal: bool,
    /// The bytes of a field that is no text follow.
    is_binary: bool,
    rest: Rest,
}

/// What is left of a field that is no text.
#[derive(Clone, Copy, Debug, Default)]
enum Rest {
    #[default]
    Nothing,
    /// Its length, of which so many bytes were met: eight, the smallest first.
    Length { met: u32, length: u64 },
    /// So many bytes and the line end behind them.
    Bytes(u64),
}

/// What a line of a feed is, should it be a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// A line of a log: the message of an entry, or a line of a feed that is none.
    Line(&'a str),
    /// Another field of an entry, or the bytes of one; when the journal took it, if it says that.
    Field(Option<Timestamp>),
    /// A message that is no text.
    Binary,
}

impl Journal {
    /// No entry was met so far: lines are lines.
    pub(crate) const fn is_absent(&self) -> bool {
        !self.is_journal
    }

    /// Whether the next line, as it stands in the feed and without its line feed, is a part of a
    /// field that is no text. So many bytes of it were dropped at its end.
    pub(crate) fn hides(&mut self, raw: &[u8], dropped: u64) -> bool {
        if matches!(self.rest, Rest::Nothing) {
            return false;
        }
        let mut bytes = raw.iter().chain(b"\n");
        while let Rest::Length { met, length } = self.rest {
            let Some(byte) = bytes.next() else { return true };
            let length = length | u64::from(*byte) << (8 * met);
            let is_whole = met == 7;
            self.rest =
                if is_whole { Rest::Bytes(length) } else { Rest::Length { met: met + 1, length } };
            if is_whole && length > FIELD_BYTES_MAX {
                // Text, not a length: some line by hand looked like the name of a field.
                self.rest = Rest::Nothing;
                return false;
            }
        }
        if let Rest::Bytes(left) = self.rest {
            let here = bytes.count() as u64 + dropped;
            // The line end of the field is not in its length.
            self.rest = if here > left { Rest::Nothing } else { Rest::Bytes(left - here) };
            self.is_binary = here <= left;
        }
        true
    }

    /// Takes the next line.
    pub(crate) fn take<'a>(&mut self, line: &'a str) -> Entry<'a> {
        // Almost no line of any other format begins so; this runs for every line.
        if !self.is_journal && !line.starts_with("__") {
            return Entry::Line(line);
        }
        self.is_journal |= line.starts_with(BEGINS);
        if !self.is_journal {
            return Entry::Line(line);
        }
        let (name, value) = line.split_once('=').map_or((line, None), |(n, v)| (n, Some(v)));
        if !is_name(name) {
            // Bytes of a field that is no text, or a line that was written into a journal by hand.
            return if self.is_binary { Entry::Field(None) } else { Entry::Line(line) };
        }
        self.is_binary = value.is_none();
        self.rest = if self.is_binary { Rest::Length { met: 0, length: 0 } } else { Rest::Nothing };
        match (name, value) {
            ("MESSAGE", Some(message)) => Entry::Line(message),
            ("MESSAGE", None) => Entry::Binary,
            (RECEIVED, Some(micros)) => {
                Entry::Field(micros.parse::<Timestamp>().ok().map(|micros| micros / 1_000_000))
            }
            _ => Entry::Field(None),
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::Feed;
    use crate::reader::{Reader, Taken};

    const EXPORT: &str = "__CURSOR=s=6c0;i=1;b=9a\n__REALTIME_TIMESTAMP=1639101958123456\n\
        _TRANSPORT=syslog\nPRIORITY=6\nSYSLOG_IDENTIFIER=nginx\n\
        MESSAGE=192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"GET /.env HTTP/1.1\" 404 9 \"-\" \
        \"-\"\n\
        _HOSTNAME=web\n\n\
        __CURSOR=s=6c0;i=2;b=9a\n__REALTIME_TIMESTAMP=1639101960000000\nMESSAGE\n\
        \u{7}\0\0\0\0\0\0\0bytes\nmore = bytes\n_PID=7\n\n\
        __CURSOR=s=6c0;i=3;b=9a\nMESSAGE=Started nginx.\n\n\
        __CURSOR=s=6c0;i=4;b=9a\n\
        MESSAGE=192.0.2.2 - - [10/Dec/2021:02:06:00 +0000] \"GET /a HTTP/1.1\" 200 9 \"-\" \"-\"\n";

    #[test]
    fn messages_are_lines_and_other_fields_are_not() {
        let mut reader = Reader::new(Feed::default());
        let mut told = Vec::new();
        for line in EXPORT.lines() {
            match reader.take(line) {
                Taken::Event(format, event) => told.push(format!("{format} {}", event.path)),
                Taken::Nothing => {}
                Taken::Refused(code) => told.push(code.to_owned()),
            }
        }
        assert_eq!(told[..2], ["combined /.env", BINARY]);
        assert_eq!((told.len(), told[3].as_str()), (4, "combined /a"));
        assert_eq!(reader.feed().received, 1_639_101_960, "when the journal took the entry");
        let tally = reader.tally();
        assert_eq!((tally.events, tally.refused.len()), (2, 2), "{tally:?}");
        assert_eq!(tally.refused[BINARY], (1, 11));
    }

    /// Whoever gets several lines into a message could write the lines of anybody else: reading
    /// fields by their names inside of it fails here.
    #[test]
    fn a_binary_message_is_as_long_as_it_says() {
        let forged = "MESSAGE=198.51.100.9 - - [10/Dec/2021:02:06:00 +0000] \"GET /x HTTP/1.1\" \
            200 9 \"-\" \"-\"";
        let own = forged.replace("198.51.100.9", "192.0.2.2").replace("/x", "/own");
        // The third length has a line end as its first byte.
        let ten = format!("a\n{}", "b".repeat(8));
        for data in [format!("first\n{forged}\n__CURSOR=s\n\n{forged}"), String::new(), ten] {
            for after in ["_PID=7\n\n__CURSOR=s=2\n", ""] {
                let mut bytes = b"__CURSOR=s=1\nMESSAGE\n".to_vec();
                bytes.extend((data.len() as u64).to_le_bytes());
                bytes.extend(format!("{data}\n{after}{own}\n").bytes());
                let mut reader = Reader::new(Feed::default());
                let mut told = Vec::new();
                for raw in bytes.split(|byte| *byte == b'\n') {
                    if reader.is_in_field(raw, 0) {
                        continue;
                    }
                    match reader.take(&crate::line::text(raw).0) {
                        Taken::Event(_, event) => told.push(event.source.to_string()),
                        Taken::Nothing => {}
                        Taken::Refused(code) => told.push(code.to_owned()),
                    }
                }
                assert_eq!(told, [BINARY, "192.0.2.2"], "{data:?} {after:?}");
                let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
                assert_eq!(reader.tally().lines, lines, "all lines are counted");
            }
        }
    }

    #[test]
    fn text_is_no_length() {
        let mut journal = Journal::default();
        for line in ["__CURSOR=", "OK", "what somebody wrote by hand", "MESSAGE=x"] {
            assert!(!journal.hides(line.as_bytes(), 0), "{line}");
            journal.take(line);
        }
        assert_eq!(journal.take("MESSAGE=x"), Entry::Line("x"));
    }

    #[test]
    fn other_feeds_are_left_alone() {
        let mut journal = Journal::default();
        for line in ["MESSAGE=x", "SRC=1.2.3.4", "__other", "A", "\0", "__=", "192.0.2.1 - -"] {
            assert_eq!(journal.take(line), Entry::Line(line));
        }
        assert_eq!(journal.take("__CURSOR="), Entry::Field(None));
        for (line, expected) in [
            ("__REALTIME_TIMESTAMP=never", Entry::Field(None)),
            ("__REALTIME_TIMESTAMP=-1", Entry::Field(Some(0))),
            ("MESSAGE=", Entry::Line("")),
            ("no field", Entry::Line("no field")),
            ("MESSAGE", Entry::Binary),
            ("no field", Entry::Field(None)),
        ] {
            assert_eq!(journal.take(line), expected, "{line}");
        }
    }
}
