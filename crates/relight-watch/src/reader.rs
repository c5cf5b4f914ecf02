//! The lines of one feed, one after the other: which format, which columns, and what was odd.

use std::collections::BTreeMap;

use relight_model::{Event, Timestamp};

use crate::journal::{BINARY, Entry, Journal};
use crate::line::SPOOL_MARK;
use crate::parsers::{Feed, LogParser, PARSERS};

mod hash;
mod memory;
mod ordinary;
mod outline;
mod segment;
mod source;
mod texts;

use hash::{line_hash, place_of};

pub use memory::{Memory, Together};
pub use segment::Reading;

/// Events further in the future than this are taken for a wrong clock, in seconds.
pub const SKEW_MAX_S: Timestamp = 300;

/// Events older than the newest one by more than this come after their window was closed, in
/// seconds.
pub const LATE_S: Timestamp = 48 * 3_600;

/// How many lines are remembered to tell a line that was written twice.
const RECENT_LINES: usize = 4_096;

/// What became of the lines of a feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines read, empty ones too.
    pub lines: u64,
    /// Lines that were events.
    pub events: u64,
    /// Lines that named columns or said something about the log itself.
    pub headers: u64,
    /// Lines that were refused, by code: how many, and the number of the first one.
    pub refused: BTreeMap<&'static str, (u64, u64)>,
    /// Events by format.
    pub formats: BTreeMap<&'static str, u64>,
    /// Fields without a place in an event, over all lines.
    pub unknown_fields: u64,
    /// Events older than the one before.
    pub out_of_order: u64,
    /// Events older than the newest by more than [`LATE_S`].
    pub late: u64,
    /// Events from the future, beyond [`SKEW_MAX_S`]; they were set to the time of receipt.
    pub skewed: u64,
    /// Lines that had been read shortly before, byte for byte.
    pub duplicates: u64,
    /// Time of the newest event.
    pub newest: Option<Timestamp>,
}

/// What a line is.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, for one line")]
pub enum Taken<'a> {
    /// An event, of this format.
    Event(&'static str, Event<'a>),
    /// A line about the lines that follow, or an empty one.
    Nothing,
    /// None that can be read: a stable code in kebab case.
    Refused(&'static str),
}

/// What a reader had counted at some line.
pub struct ReaderMark {
    last: Option<&'static dyn LogParser>,
    received: Timestamp,
    tally: Tally,
    recent: Vec<u64>,
}

/// See the head of the file.
pub struct Reader {
    feed: Feed,
    /// The only format, when somebody said which.
    named: Option<&'static dyn LogParser>,
    /// The format of the line before: most lines are of the same.
    last: Option<&'static dyn LogParser>,
    tally: Tally,
    recent: Vec<u64>,
    journal: Journal,
}

impl Reader {
    /// A reader that tells the format of each line by itself.
    ///
    /// No vote over the first lines is needed: every line belongs to one format only, so a feed
    /// that mixes several, or changes, is read as well.
    pub fn new(feed: Feed) -> Self {
        let recent = vec![0; RECENT_LINES];
        let (tally, journal) = (Tally::default(), Journal::default());
        Self { feed, named: None, last: None, tally, recent, journal }
    }

    /// A reader of one format.
    pub fn of(feed: Feed, parser: &'static dyn LogParser) -> Self {
        Self { named: Some(parser), ..Self::new(feed) }
    }

    /// What became of the lines so far.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Where the lines come from.
    pub const fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Goes on behind lines with this header.
    pub fn restore_header(&mut self, header: &str) {
        header.clone_into(&mut self.feed.header);
    }

    /// When the lines that follow were received.
    pub const fn received(&mut self, at: Timestamp) {
        self.feed.received = at;
    }

    /// Whether a line, as it stands in the log and without its line feed, is bytes of a field of a
    /// journal and so no line at all: it is counted, and nobody may take or skip it. So many bytes
    /// of it were dropped at its end.
    pub fn is_in_field(&mut self, raw: &[u8], dropped: u64) -> bool {
        let is_hidden = self.journal.hides(raw, dropped);
        self.tally.lines += u64::from(is_hidden);
        is_hidden
    }

    /// What was counted so far.
    pub fn mark(&self) -> ReaderMark {
        let Self { feed, last, tally, recent, .. } = self;
        let (tally, recent) = (tally.clone(), recent.clone());
        ReaderMark { last: *last, received: feed.received, tally, recent }
    }

    /// Everything that was read behind the mark had been read before: its lines count as lines,
    /// and what they say about the lines that follow stays.
    pub fn was_known(&mut self, since: ReaderMark) {
        let lines = self.tally.lines;
        self.tally = Tally { lines, ..since.tally };
        (self.last, self.recent, self.feed.received) = (since.last, since.recent, since.received);
    }

    /// Takes the next line, without its end; ask [`Reader::is_in_field`] before.
    pub fn take<'a>(&'a mut self, line: &'a str) -> Taken<'a> {
        self.tally.lines += 1;
        if line.is_empty() || line.starts_with(SPOOL_MARK) {
            return Taken::Nothing;
        }
        if self.is_header(line) {
            self.feed.take_header(line);
            self.tally.headers += 1;
            return Taken::Nothing;
        }
        let line = match self.journal.take(line) {
            Entry::Line(line) => line,
            Entry::Field(received) => {
                self.tally.headers += 1;
                if let Some(at) = received {
                    self.feed.received = at;
                }
                return Taken::Nothing;
            }
            Entry::Binary => {
                self.tally.refused.entry(BINARY).or_insert((0, self.tally.lines)).0 += 1;
                return Taken::Refused(BINARY);
            }
        };
        self.recall(line_hash(line.as_bytes()));
        let Self { feed, named, last, tally, .. } = self;
        match parse(feed, *named, last, line) {
            Ok(mut event) => {
                event.at = tally.count(event.at, event.unknown, feed.received);
                let name = last.map_or("", |parser| parser.name());
                *tally.formats.entry(name).or_insert(0) += 1;
                Taken::Event(name, event)
            }
            Err(code) => {
                tally.refused.entry(code).or_insert((0, tally.lines)).0 += 1;
                Taken::Refused(code)
            }
        }
    }

    /// Counts a line that was read shortly before, by its hash.
    fn recall(&mut self, hash: u64) {
        let slot = &mut self.recent[place_of(hash) % RECENT_LINES];
        self.tally.duplicates += u64::from(*slot == hash);
        *slot = hash;
    }

    /// Brings near what a line would be recalled by; the value says nothing.
    fn touch(&self, hash: u64) -> u64 {
        self.recent[place_of(hash) % RECENT_LINES]
    }

    fn is_header(&self, line: &str) -> bool {
        match self.named {
            Some(parser) => parser.is_header(line),
            None => {
                (line.starts_with('#') || line.starts_with("version "))
                    && PARSERS.iter().any(|parser| parser.is_header(line))
            }
        }
    }
}

impl Tally {
    /// What was added since an earlier state; numbers of first lines count from there.
    pub fn since(&self, before: &Self) -> Self {
        let refused = self.refused.iter().filter_map(|(code, (lines, first))| {
            let (old, _) = before.refused.get(code).unwrap_or(&(0, 0));
            let first = first.saturating_sub(before.lines).max(1);
            (lines > old).then_some((*code, (lines - old, first)))
        });
        let formats = self.formats.iter().filter_map(|(format, events)| {
            let more = events - before.formats.get(format).unwrap_or(&0);
            (more > 0).then_some((*format, more))
        });
        Self {
            lines: self.lines - before.lines,
            events: self.events - before.events,
            headers: self.headers - before.headers,
            refused: refused.collect(),
            formats: formats.collect(),
            unknown_fields: self.unknown_fields - before.unknown_fields,
            out_of_order: self.out_of_order - before.out_of_order,
            late: self.late - before.late,
            skewed: self.skewed - before.skewed,
            duplicates: self.duplicates - before.duplicates,
            newest: self.newest,
        }
    }

    /// Counts an event; gives its time, which is that of receipt when it is of the future.
    fn count(&mut self, at: Timestamp, unknown: u32, received: Timestamp) -> Timestamp {
        let is_skewed = received > 0 && at > received + SKEW_MAX_S;
        let at = if is_skewed { received } else { at };
        self.skewed += u64::from(is_skewed);
        self.events += 1;
        self.unknown_fields += u64::from(unknown);
        let newest = self.newest.unwrap_or(at);
        self.out_of_order += u64::from(at < newest);
        self.late += u64::from(at < newest - LATE_S);
        self.newest = Some(newest.max(at));
        at
    }
}

/// The event of a line, by the format of the line before if it can be, else by any.
fn parse<'a>(
    feed: &'a Feed,
    named: Option<&'static dyn LogParser>,
    last: &mut Option<&'static dyn LogParser>,
    line: &'a str,
) -> Result<Event<'a>, &'static str> {
    let first = named.or(*last);
    let mut code = "format-unknown";
    if let Some(parser) = first {
        match parser.parse(feed, line) {
            Ok(event) => {
                *last = first;
                return Ok(event);
            }
            Err(reason) => code = reason,
        }
    }
    if named.is_some() {
        return Err(code);
    }
    for parser in PARSERS {
        match parser.parse(feed, line) {
            Ok(event) => {
                *last = Some(*parser);
                return Ok(event);
            }
            // These say that the format was recognised: nothing else can be told.
            Err(reason @ ("no-data" | "message-other")) => return Err(reason),
            Err(_) => {}
        }
    }
    Err(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsers::named;

    fn line(second: u32, path: &str) -> String {
        let (minute, second) = (second / 60 % 60, second % 60);
        format!(
            "192.0.2.1 - - [10/Dec/2021:02:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" \
             404 9 \"-\" \"-\""
        )
    }

    fn read(reader: &mut Reader, lines: &[&str]) -> Vec<String> {
        let told = |taken: Taken<'_>| match taken {
            Taken::Event(format, event) => format!("{format} {}", event.path),
            Taken::Nothing => "nothing".to_owned(),
            Taken::Refused(code) => code.to_owned(),
        };
        lines.iter().map(|line| told(reader.take(line))).collect()
    }

    #[test]
    fn formats_may_change_from_line_to_line() {
        let mut reader = Reader::new(Feed::default());
        let common = "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET /c HTTP/1.1\" 200 1";
        let iis = "2021-12-10 02:05:58 192.0.2.1 GET /i 200";
        let fields = "#Fields: date time c-ip cs-method cs-uri-stem sc-status";
        let lines = [&line(0, "/a"), common, "", "garbage", iis, fields, iis, &line(1, "/b")];
        assert_eq!(
            read(&mut reader, &lines),
            [
                "combined /a",
                "common /c",
                "nothing",
                "line-short",
                "address-invalid",
                "nothing",
                "iis_w3c /i",
                "combined /b",
            ]
        );
        let tally = reader.tally();
        assert_eq!((tally.lines, tally.events, tally.headers), (8, 4, 1));
        assert_eq!(
            tally.refused,
            BTreeMap::from([("address-invalid", (1, 5)), ("line-short", (1, 4))])
        );
        assert_eq!(tally.formats, BTreeMap::from([("combined", 2), ("common", 1), ("iis_w3c", 1)]));
    }

    #[test]
    fn the_mark_of_a_spool_is_no_line_of_any_format() {
        for mut reader in
            [Reader::new(Feed::default()), Reader::of(Feed::default(), named("common").unwrap())]
        {
            assert_eq!(read(&mut reader, &[&format!("{SPOOL_MARK}1-1")]), ["nothing"]);
            assert!(reader.tally().refused.is_empty());
        }
    }

    #[test]
    fn a_named_format_takes_nothing_else() {
        let mut reader = Reader::of(Feed::default(), named("common").unwrap());
        assert_eq!(
            read(&mut reader, &[&line(0, "/a"), "#Fields: x"]),
            ["format-other", "address-invalid"]
        );
        let mut reader = Reader::new(Feed::default());
        assert_eq!(read(&mut reader, &["garbage"]), ["format-unknown"]);
    }

    #[test]
    fn order_lateness_and_doubles_are_counted() {
        let mut reader = Reader::new(Feed::default());
        let old = line(0, "/a").replace("10/Dec", "07/Dec");
        read(&mut reader, &[&line(9, "/a"), &line(5, "/b"), &old, &line(9, "/a"), &line(9, "/c")]);
        let tally = reader.tally();
        assert_eq!((tally.out_of_order, tally.late, tally.duplicates), (2, 1, 1));
        assert_eq!(tally.newest, Some(1_639_101_609));
    }

    #[test]
    fn an_event_of_the_future_gets_the_time_of_receipt() {
        let received = 1_639_101_600;
        let mut reader = Reader::new(Feed { received, ..Feed::default() });
        let mut at = |line: &str| match reader.take(line) {
            Taken::Event(_, event) => event.at,
            taken => panic!("{taken:?}"),
        };
        assert_eq!(at(&line(299, "/a")), received + 299, "a little is no skew");
        assert_eq!(at(&line(301, "/a")), received);
        assert_eq!(reader.tally().skewed, 1);
    }

    #[test]
    fn known_lines_leave_their_header_and_count_as_lines() {
        let mut reader = Reader::new(Feed::default());
        let mark = reader.mark();
        let iis = "2021-12-10 02:05:59 192.0.2.1 GET /b 200";
        let fields = "#Fields: date time c-ip cs-method cs-uri-stem sc-status";
        read(&mut reader, &[fields, iis, "garbage"]);
        reader.was_known(mark);
        let tally = Tally { lines: 3, ..Tally::default() };
        assert_eq!(reader.tally(), &tally);
        assert_eq!(read(&mut reader, &[iis]), ["iis_w3c /b"]);
        let tally = reader.tally();
        assert_eq!((tally.lines, tally.events, tally.duplicates), (4, 1, 0));
    }

    #[test]
    fn known_lines_do_not_move_the_time_of_receipt() {
        let mut reader = Reader::new(Feed { received: 7, ..Feed::default() });
        let mark = reader.mark();
        for line in ["__CURSOR=s=1", "__REALTIME_TIMESTAMP=1639101958123456", "MESSAGE=x", ""] {
            if !reader.is_in_field(line.as_bytes(), 0) {
                read(&mut reader, &[line]);
            }
        }
        assert_eq!(reader.feed().received, 1_639_101_958, "so it was heard");
        reader.was_known(mark);
        assert_eq!(reader.feed().received, 7);
    }
}
