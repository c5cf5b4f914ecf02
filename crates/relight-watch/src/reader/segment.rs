//! A stretch of log into its window and its daybook.
//!
//! Most lines of most logs are ordinary requests in the combined format. Of these nothing but
//! counts and marks stays, so no event is made of them. Every other line goes the plain way, line
//! by line through the parsers; both ways give the same to the bit.

use relight_model::{Escape, Outcome, SiteId, Timestamp};

use super::hash::{hash_of, joined};
use super::memory::{Agent, Memory, Request, Together};
use super::ordinary::{Ordinary, Quoted};
use super::outline::{Line, outline};
use super::texts::ascii;
use super::{Reader, Taken};
use crate::contact::{Answer, ContactKey, Facts, Ground, Kind, Visit, answer, cut, is_in_site};
use crate::daybook::{DAY_S, DayFacts, DayKey, Daybook, bits};
use crate::decode::{are_credentials, worth_a_look};
use crate::line::{LINE_BYTES_MAX, ended, text};
use crate::parsers::dash_is_empty;
use crate::path_class::normalised;
use crate::pool::{Print, SourceKey, pair};
use crate::prefilter::may_bytes_hold_lookup;
use crate::window::{Counters, Window};

/// The format that is read quickly.
const COMBINED: &str = "combined";

/// Bytes that are looked through before their lines are read: what fits into the nearest memory of
/// a processor.
const PIECE_BYTES: usize = 32 << 10;

/// Lines that are split before the first of them is read.
const BATCH_LINES: usize = 64;

impl Reader {
    /// Reads the lines of a segment; gives how many were longer than the limit and cut.
    pub fn read(
        &mut self,
        bytes: &[u8],
        memory: &mut Memory,
        window: &mut Window,
        daybook: &mut Daybook,
    ) -> u64 {
        let mut reading = self.reading(memory, window, daybook, Together::new());
        reading.lines(bytes);
        reading.finish().0
    }

    /// The same in parts: a segment that is about to be read, into a window that will be joined
    /// with others of the same feed.
    pub fn reading<'r>(
        &'r mut self,
        memory: &'r mut Memory,
        window: &'r mut Window,
        daybook: &'r mut Daybook,
        together: Together,
    ) -> Reading<'r> {
        Reading::new(self, memory, window, daybook, together)
    }

    /// Counts an event that was read quickly, of a line with this hash; gives its time.
    fn count(&mut self, hash: u64, at: Timestamp) -> Timestamp {
        self.tally.lines += 1;
        self.recall(hash);
        self.tally.count(at, 0, self.feed.received)
    }

    /// Looks whether most of the lines up to this one are of the format of before; of so many that
    /// were read quickly the format is not counted yet.
    #[inline]
    pub(super) fn weigh(&mut self, line: u64, quick: u64) {
        self.shape.weigh(&mut self.tally, line, (COMBINED, quick));
    }

    fn is_combined(&self) -> bool {
        let parser = self.named.or(self.last);
        self.journal.is_absent() && parser.is_some_and(|parser| parser.name() == COMBINED)
    }
}

/// A line of ASCII in which a lookup may be hidden, or that has an escaping of its own.
fn may_hold_escape(line: &[u8]) -> bool {
    memchr::memchr(b'\\', line).is_some() || may_bytes_hold_lookup(line)
}

/// The end of the last line within [`PIECE_BYTES`], or of a longer first one.
fn piece_end(bytes: &[u8]) -> usize {
    let Some((head, rest)) = bytes.split_at_checked(PIECE_BYTES) else { return bytes.len() };
    let end = memchr::memrchr(b'\n', head).map(|at| at + 1);
    let longer = || memchr::memchr(b'\n', rest).map(|at| PIECE_BYTES + at + 1);
    end.or_else(longer).unwrap_or(bytes.len())
}

/// A line that seems ordinary, with the hashes by which it and its parts are known again.
struct Prepared<'a> {
    raw: &'a [u8],
    ordinary: Ordinary<'a>,
    /// See [`super::source::Source::key`].
    source: u64,
    line: u64,
    request: u64,
    agent: u64,
}

impl<'a> Prepared<'a> {
    fn new(bytes: &'a [u8], line: &Line) -> Option<Self> {
        let raw = &bytes[line.start..line.end];
        if raw.len() > LINE_BYTES_MAX || line.is_odd && (!raw.is_ascii() || may_hold_escape(raw)) {
            return None;
        }
        let quoted = Quoted::of(bytes, line)?;
        let ordinary = quoted.split()?;
        let [head, request, inner, agent] =
            [quoted.head, quoted.request, quoted.inner, quoted.agent].map(hash_of);
        let line = joined([head, request, inner], agent, true);
        let source = ordinary.source.key();
        Some(Self { raw, ordinary, source, line, request, agent })
    }
}

/// A segment that is being read.
pub struct Reading<'r> {
    reader: &'r mut Reader,
    memory: &'r mut Memory,
    window: &'r mut Window,
    daybook: &'r mut Daybook,
    site: Option<SiteId>,
    /// The next line is read as one of the combined format first.
    is_combined: bool,
    /// The host name of the feed is that of a host.
    is_host: bool,
    /// What was counted of the lines that were read quickly.
    counters: Counters,
    /// The day of the last ones and what was gathered of it.
    day: Option<(i64, DayFacts)>,
    /// Marks of the lines that were read quickly, most of them once.
    marks: GatheredMarks,
    /// Contacts of such lines: to add many at once costs less.
    knocks: Vec<(ContactKey, Facts)>,
    /// The lines of the bytes that are looked at.
    outline: Vec<Line>,
    /// Where marks are set.
    ground: Ground,
    /// The windows whose marks count as those of this one.
    together: Together,
    cut: u64,
}

/// Marks that a window gets at the end of its segment: to sort them costs less than to look each
/// up in a table.
#[derive(Debug, Default)]
struct GatheredMarks {
    ordinary: Vec<u64>,
    served: Vec<u64>,
    users: Vec<u64>,
}

impl<'r> Reading<'r> {
    fn new(
        reader: &'r mut Reader,
        memory: &'r mut Memory,
        window: &'r mut Window,
        daybook: &'r mut Daybook,
        together: Together,
    ) -> Self {
        memory.window = memory.window.wrapping_add(1).max(1);
        let site = reader.feed.site_of(&reader.feed.host, "");
        let is_host = !worth_a_look(&reader.feed.host, Escape::Apache);
        let is_combined = is_host && reader.is_combined();
        let ground = Ground::new(reader.feed.org, site);
        Self {
            reader,
            memory,
            window,
            daybook,
            site,
            is_combined,
            is_host,
            counters: Counters::EMPTY,
            day: None,
            marks: GatheredMarks::default(),
            knocks: Vec::new(),
            outline: Vec::new(),
            ground,
            together,
            cut: 0,
        }
    }

    /// Reads the next lines of it; the last one needs no end.
    pub fn lines(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(piece_end(rest));
            self.piece(piece);
            rest = behind;
        }
    }

    fn piece(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.outline);
        outline(bytes, &mut lines);
        let mut batch = Vec::with_capacity(BATCH_LINES);
        for line in &lines {
            let prepared = if self.is_combined { Prepared::new(bytes, line) } else { None };
            match prepared {
                Some(prepared) => batch.push(prepared),
                None => {
                    self.batch(&mut batch);
                    self.plainly(&bytes[line.start..line.end]);
                }
            }
            if batch.len() == BATCH_LINES {
                self.batch(&mut batch);
            }
        }
        self.batch(&mut batch);
        self.outline = lines;
    }

    /// Reads lines that seem ordinary. What is known of their parts lies in far places of the
    /// memory: all are asked for before the first is needed, and first those that say where the
    /// others are, so that none waits for another.
    fn batch(&mut self, batch: &mut Vec<Prepared<'_>>) {
        let (reader, Memory { requests, agents, sources, .. }) = (&*self.reader, &*self.memory);
        let near = |it: &Prepared<'_>| {
            requests.touch_place(it.request) ^ sources.touch(it.source) ^ reader.touch(it.line)
        };
        let far = |it: &Prepared<'_>| requests.touch(it.request) ^ agents.touch(it.agent);
        std::hint::black_box(batch.iter().map(near).fold(0, |all, one| all ^ one));
        std::hint::black_box(batch.iter().map(far).fold(0, |all, one| all ^ one));
        for prepared in &*batch {
            if !self.is_combined || self.quickly(prepared).is_none() {
                self.plainly(prepared.raw);
            }
        }
        batch.clear();
    }

    /// Reads a line the plain way.
    fn plainly(&mut self, raw: &[u8]) {
        if self.reader.is_in_field(raw, 0) {
            return;
        }
        self.note_day();
        self.keep_knocks();
        let org = self.reader.feed.org;
        let (line, is_cut) = text(ended(raw));
        self.cut += u64::from(is_cut);
        match self.reader.take_behind(&line, self.counters.events) {
            Taken::Event(format, event) => {
                let doors = self.window.observe_doors(&event);
                self.daybook.observe(format, &event, doors.into_iter().flatten());
            }
            Taken::Nothing => {}
            // A payload in a torn line is an attempt all the same.
            Taken::Refused(_) => self.window.observe_refused(org, &line),
        }
        self.is_combined = self.is_host && self.reader.is_combined();
    }

    /// Reads an ordinary line in which no lookup can be hidden; nothing changes when it is none.
    fn quickly(&mut self, prepared: &Prepared<'_>) -> Option<()> {
        let Prepared { ordinary, .. } = prepared;
        let Memory { clock, requests, paths, queries, agents, sources, window } = &mut *self.memory;
        let at = clock.moment(ordinary.stamp)?;
        if !sources.holds(prepared.source) {
            ordinary.source.subject()?;
        }
        let client = agents.get(ordinary.agent, prepared.agent, Agent::of);
        let make = |text: &str| Request::of(text, paths, queries);
        let known = requests.get(ordinary.request, prepared.request, make);
        if known.is_odd || client.is_odd || are_credentials(ordinary.referer) {
            return None;
        }
        let (request, agent, answer) = (*known, *client, answer(ordinary.status));
        let is_conventional = request.of_path.is_conventional;
        // From here on it is counted.
        self.reader.weigh(self.reader.tally.lines, self.counters.events);
        let at = self.reader.count(prepared.line, at);
        let day = at.div_euclid(DAY_S);
        self.together.go_on(day);
        match answer {
            Answer::Served => known.served_in = self.together.number,
            Answer::Denied(_) if !is_conventional => client.named_in = *window,
            Answer::Denied(_) | Answer::Other => {}
        }
        self.counters.first = self.counters.first.min(at);
        self.counters.last = self.counters.last.max(at);
        self.counters.events += 1;
        let carried = self.carried(ordinary);
        self.day_of(day, at).note(at, carried);
        match answer {
            Answer::Served => self.visited(prepared, agent.print, request),
            Answer::Denied(kind) if !is_conventional => {
                self.knocked(at, ordinary, kind, request, agent);
            }
            Answer::Denied(_) | Answer::Other => {}
        }
        Some(())
    }

    /// An ordinary visit: marks, of which most are there already.
    fn visited(&mut self, prepared: &Prepared<'_>, print: Print, request: Request) {
        let Self { memory, marks, ground, together, .. } = self;
        if request.served_in != together.number {
            marks.served.push(ground.served(request.of_path.door));
        }
        if memory.sources.mark(prepared.source, print.agent, together.number) {
            return;
        }
        if let Some(source) = prepared.ordinary.source.subject() {
            marks.ordinary.push(ground.visit(source));
            if print.agent != 0 {
                marks.users.push(pair(SourceKey::of(source), print.agent));
            }
        }
    }

    /// A contact: an answer that an ordinary visitor does not get.
    fn knocked(
        &mut self,
        at: Timestamp,
        ordinary: &Ordinary<'_>,
        kind: Kind,
        request: Request,
        agent: Agent,
    ) {
        let Some(source) = ordinary.source.subject() else { return };
        let feed = &self.reader.feed;
        if agent.named_in != self.memory.window {
            self.window.name_agent(agent.print.agent, dash_is_empty(ascii(ordinary.agent)));
        }
        let hash = self.ground.visit(source);
        let visit = Visit { hash, source, org: feed.org, site: self.site };
        let (path, plain) = (request.of_path, ascii(request.path(ordinary.request)));
        let text = if path.is_plain { cut(plain) } else { cut(&normalised(plain)) };
        let referer = dash_is_empty(ascii(ordinary.referer));
        let facts = Facts {
            first: (at, ordinary.status, text, agent.print),
            last: at,
            in_site: is_in_site(&feed.host, referer),
            served: false,
        };
        self.counters.kinds[kind as usize] += 1;
        self.knocks.push((ContactKey { visit, kind, door: path.door }, facts));
    }

    /// Gives the window the contacts of lines that were read quickly, before others come.
    fn keep_knocks(&mut self) {
        if !self.knocks.is_empty() {
            self.counters.overflow += self.window.add_all(std::mem::take(&mut self.knocks));
        }
    }

    /// What the daybook notes of the fields of an ordinary line.
    fn carried(&self, ordinary: &Ordinary<'_>) -> u32 {
        let carries = |field: &[u8]| !field.is_empty() && field != b"-";
        let has_outcome = Outcome::of_status(ordinary.status) != Outcome::Unknown;
        bits([
            !self.reader.feed.host.is_empty(),
            true,
            ordinary.status != 0,
            carries(ordinary.agent),
            carries(ordinary.referer),
            false,
            false,
            false,
            has_outcome,
        ])
    }

    /// What was gathered of the day of this moment.
    fn day_of(&mut self, day: i64, at: Timestamp) -> &mut DayFacts {
        if self.day.as_ref().is_some_and(|(other, _)| *other != day) {
            self.note_day();
        }
        &mut self.day.get_or_insert_with(|| (day, DayFacts::of(at))).1
    }

    /// Writes what was gathered of a day into the daybook.
    fn note_day(&mut self) {
        if let Some((day, facts)) = self.day.take() {
            let (org, site) = (self.reader.feed.org, self.site);
            self.daybook.add(DayKey { org, site, format: COMBINED, day }, &facts);
        }
    }

    /// Gives window and daybook what was gathered; says how many lines were longer than the limit
    /// and cut, and with what the next window is read that is joined with this one.
    pub fn finish(mut self) -> (u64, Together) {
        self.note_day();
        self.keep_knocks();
        self.window.count(self.reader.feed.org, &self.counters);
        let GatheredMarks { ordinary, served, users } = self.marks;
        self.window.ordinary.insert_all(&ordinary);
        self.window.served.insert_all(&served);
        self.window.users.insert_all(&users);
        if self.counters.events > 0 {
            *self.reader.tally.formats.entry(COMBINED).or_insert(0) += self.counters.events;
        }
        (self.cut, self.together)
    }
}

#[cfg(test)]
mod tests;
