//! The lines of one feed, one after the other: which format, which columns, and what was odd.

use std::collections::BTreeMap;

use relight_model::{Event, Timestamp};

use crate::decode::is_beyond_rounds;
use crate::journal::{BINARY, Entry, Journal};
use crate::line::SPOOL_MARK;
use crate::parsers::{Feed, LogParser, PARSERS};

mod hash;
mod memory;
mod ordinary;
mod outline;
mod segment;
mod shape;
mod source;
mod texts;

use hash::{line_hash, place_of};
use shape::Shape;

pub use memory::{Memory, Together};
pub use segment::Reading;
pub use shape::{FormatChange, RECOGNISED_LINES_MIN};

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
    /// Lines among those that are of no known format, or torn: the others are of a known one and
    /// no event.
    pub unread: u64,
    /// From which lines on the feed was of another format than before.
    pub changes: Vec<FormatChange>,
    /// Lines with a text that still changed after the last decoding round (code `decode-limit`):
    /// crawlers that encode what is encoded write such, and what is in them was not looked at.
    pub decode_limit: u64,
    /// By how many seconds events were ahead of our clock, at most, since the last
    /// [`Reader::mark`]: a clock that was put right is right in what is read then.
    pub ahead_s: Timestamp,
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
    shape: Shape,
    recent: Vec<u64>,
}

impl ReaderMark {
    /// What had become of the lines before.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// See the head of the file.
pub struct Reader {
    feed: Feed,
    /// The only format, when somebody said which.
    named: Option<&'static dyn LogParser>,
    /// The format of the line before: most lines are of the same.
    last: Option<&'static dyn LogParser>,
    tally: Tally,
    shape: Shape,
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
        let (tally, shape, journal) = (Tally::default(), Shape::default(), Journal::default());
        Self { feed, named: None, last: None, tally, shape, recent, journal }
    }

    /// A reader of one format.
    pub fn of(feed: Feed, parser: &'static dyn LogParser) -> Self {
        Self { named: Some(parser), shape: Shape::of(parser.name()), ..Self::new(feed) }
    }

    /// The feed was of this format until now: should its lines be of another one, that is told.
    pub fn was_of(&mut self, format: &str) {
        if let (None, Some(parser)) = (self.named, crate::parsers::named(format)) {
            self.shape = Shape::of(parser.name());
        }
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

    /// What was counted so far. By how much events are ahead counts from here.
    pub fn mark(&mut self) -> ReaderMark {
        let Self { feed, last, tally, shape, recent, .. } = self;
        tally.ahead_s = 0;
        let (tally, shape, recent) = (tally.clone(), shape.clone(), recent.clone());
        ReaderMark { last: *last, received: feed.received, tally, shape, recent }
    }

    /// Everything that was read behind the mark had been read before: its lines count as lines,
    /// and what they say about the lines that follow stays.
    pub fn was_known(&mut self, since: ReaderMark) {
        let lines = self.tally.lines;
        self.tally = Tally { lines, ..since.tally };
        (self.last, self.recent, self.feed.received) = (since.last, since.recent, since.received);
        self.shape = since.shape;
    }

    /// Takes the next line, without its end; ask [`Reader::is_in_field`] before.
    pub fn take<'a>(&'a mut self, line: &'a str) -> Taken<'a> {
        self.take_behind(line, 0)
    }

    /// The same, behind so many events that were read quickly and are not counted by format yet.
    fn take_behind<'a>(&'a mut self, line: &'a str, quick: u64) -> Taken<'a> {
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
                self.tally.refuse(BINARY);
                return Taken::Refused(BINARY);
            }
        };
        self.recall(line_hash(line.as_bytes()));
        self.weigh(self.tally.lines - 1, quick);
        let Self { feed, named, last, tally, .. } = self;
        match parse(feed, *named, last, line) {
            Ok(mut event) => {
                tally.decode_limit += u64::from(is_beyond_rounds(&event));
                event.at = tally.count(event.at, event.unknown, feed.received);
                let name = last.map_or("", |parser| parser.name());
                *tally.formats.entry(name).or_insert(0) += 1;
                Taken::Event(name, event)
            }
            Err(code) => {
                tally.refuse(code);
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
        let of_part = |change: &FormatChange| {
            let line = change.line.saturating_sub(before.lines).max(1);
            FormatChange { line, ..*change }
        };
        Self {
            lines: self.lines - before.lines,
            events: self.events - before.events,
            headers: self.headers - before.headers,
            refused: refused.collect(),
            unread: self.unread - before.unread,
            changes: self.changes.iter().skip(before.changes.len()).map(of_part).collect(),
            decode_limit: self.decode_limit - before.decode_limit,
            ahead_s: self.ahead_s,
            formats: formats.collect(),
            unknown_fields: self.unknown_fields - before.unknown_fields,
            out_of_order: self.out_of_order - before.out_of_order,
            late: self.late - before.late,
            skewed: self.skewed - before.skewed,
            duplicates: self.duplicates - before.duplicates,
            newest: self.newest,
        }
    }

    /// Counts a line that is no event.
    fn refuse(&mut self, code: &'static str) {
        self.refused.entry(code).or_insert((0, self.lines)).0 += 1;
        self.unread += u64::from(!OF_A_FORMAT.contains(&code));
    }

    /// Counts an event; gives its time, which is that of receipt when it is of the future.
    fn count(&mut self, at: Timestamp, unknown: u32, received: Timestamp) -> Timestamp {
        if received > 0 {
            self.ahead_s = self.ahead_s.max(at - received);
        }
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

/// What parsers say of lines whose format they recognise: nothing else can be told.
const OF_A_FORMAT: [&str; 2] = ["no-data", "message-other"];

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
            Err(reason) if OF_A_FORMAT.contains(&reason) => return Err(reason),
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

    /// The changes that a log of so many lines of each kind tells.
    fn changes(reader: &mut Reader, log: &[(&str, u64)]) -> Vec<(u64, Option<&'static str>)> {
        for (line, times) in log {
            for _ in 0..*times {
                read(reader, &[line]);
            }
        }
        reader.tally().changes.iter().map(|change| (change.line, change.to)).collect()
    }

    #[test]
    fn a_feed_of_another_format_than_before_is_told_once() {
        let new = || Reader::new(Feed::default());
        let (web, common) =
            (line(0, "/a"), "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET /c HTTP/1.1\" 200 1");
        let web = web.as_str();
        assert_eq!(changes(&mut new(), &[(web, 2_600), (common, 1)]), [], "all alike");
        assert_eq!(changes(&mut new(), &[(web, 1_000), (common, 400), (web, 1_400)]), [], "few");
        let update = [(web, 1_000), (common, 2_001)];
        assert_eq!(changes(&mut new(), &update), [(2_000, Some("common"))]);
        let broken = [(web, 1_000), ("torn", 3_001), (web, 1_000), ("torn", 1_001)];
        assert_eq!(changes(&mut new(), &broken), [(2_000, None), (6_000, None)], "twice broken");
        let mixed = [(web, 1_000), (common, 1_000)].repeat(shape::CHANGES_MAX);
        assert_eq!(changes(&mut new(), &mixed).len(), shape::CHANGES_MAX, "so many and no more");
        let mut known = new();
        known.was_of("combined");
        assert_eq!(changes(&mut known, &[(common, 1_001)]), [(1_000, Some("common"))]);
        let mut named = Reader::of(Feed::default(), named("common").unwrap());
        assert_eq!(changes(&mut named, &[(web, 1_001)]), [(1_000, None)]);
        let before = named.tally().clone();
        assert_eq!(named.tally().since(&before).changes, [], "told already");
    }

    /// Goal: the warning names a line at which somebody finds what it says. Method: lines of a head
    /// and empty ones before, which are no events; and a part of the log.
    #[test]
    fn the_line_from_which_on_a_feed_is_of_another_format_is_one_of_the_log() {
        let common = "192.0.2.1 - - [10/Dec/2021:02:00:00 +0000] \"GET /c HTTP/1.1\" 200 1";
        let (web, mut reader) = (line(0, "/a"), Reader::new(Feed::default()));
        let first = [("#Software: x", 20), ("", 10), (web.as_str(), 1_000)];
        assert_eq!(changes(&mut reader, &first), []);
        let before = reader.mark();
        let all = changes(&mut reader, &[("", 5), (common, 1_001)]);
        assert_eq!(all, [(2_035, Some("common"))]);
        let part = reader.tally().since(before.tally());
        assert_eq!((part.lines, part.changes[0].line), (1_006, 1_005));
    }

    #[test]
    fn a_feed_of_which_more_than_a_tenth_is_not_read_is_not_recognised() {
        let web = line(0, "/a");
        for (lines, torn, is_unrecognised) in [(90, 10, false), (89, 11, true), (20, 43, false)] {
            let mut reader = Reader::new(Feed::default());
            changes(&mut reader, &[(&web, lines), ("torn", torn)]);
            assert_eq!(reader.tally().is_unrecognised(), is_unrecognised, "{lines} {torn}");
        }
        let mut flows = Reader::of(Feed::default(), named("aws_vpc").unwrap());
        let nothing = "2 123456789010 eni-1 - - - - - - - 1639101600 1639101660 - NODATA";
        changes(&mut flows, &[(nothing, 100)]);
        let tally = flows.tally();
        assert_eq!((tally.refused["no-data"].0, tally.unread), (100, 0), "it says so itself");
        assert!(!tally.is_unrecognised());
    }

    #[test]
    fn what_still_changes_after_the_last_round_is_counted() {
        let path = |rounds: usize| format!("/a%{}24x", "25".repeat(rounds));
        for (rounds, count) in [(0, 0), (5, 0), (6, 1), (9, 1)] {
            let mut reader = Reader::new(Feed::default());
            let line = line(0, &path(rounds));
            read(&mut reader, &[&line]);
            assert_eq!(reader.tally().decode_limit, count, "{rounds}");
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
    fn how_far_events_are_ahead_counts_from_the_mark() {
        let received = 1_639_101_600;
        let mut reader = Reader::new(Feed { received, ..Feed::default() });
        let mut ahead = |second: u32, is_known: bool| {
            let mark = reader.mark();
            read(&mut reader, &[&line(second, "/a")]);
            let tally = reader.tally().since(mark.tally());
            if is_known {
                reader.was_known(mark);
            }
            tally.ahead_s
        };
        assert_eq!([ahead(600, false), ahead(7, false)], [600, 7], "it was put right");
        assert_eq!([ahead(900, true), ahead(0, false)], [900, 0]);
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
