//! The live event stream of the console: `light`, `counts`, `log`, `chart`, `queue`,
//! `waits` and `reset`.
//!
//! One task per stream asks the board what changed and writes into a queue of a few chunks; a
//! slow reader makes the task wait, and then gets the newest state of each site once. So memory
//! per stream is bounded by the board, never by the reader. Whoever takes nothing at all is cut by
//! the connection ([`listen`]), which ends the stream and gives its place back. A stream ends when
//! the sign-in of its reader does or the role with which it reads is taken back, and does not
//! prolong it.
//!
//! [`listen`]: crate::listen

mod places;
pub(crate) mod topic;

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use relight_engine::access::Grant;
use relight_engine::live::Changes;
use relight_model::DisplayState;
use relight_web::views::{Counts, QueueRow, TodoRow};
use relight_web::{Lang, number, texts};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::places::Place;
pub(crate) use self::places::{STREAMS_MAX, Streams};
use self::topic::Topic;
use crate::access::guard::refuse;
use crate::access::signed_in::Reader;
use crate::clock;
use crate::console::part::Part;
use crate::console::waits::Waits;
use crate::console::{Asked, Console, burn, tally, work};
use crate::shares::Full;

/// Changes within this time travel as one event.
const COALESCE: Duration = Duration::from_millis(50);
/// Counters are sent at most this often.
const COUNTS_EVERY: Duration = Duration::from_secs(1);
/// Counters and a comment line are sent at least this often: a page cannot see comments, so the
/// counters are what tells it that calm is not silence.
const BEAT_EVERY: Duration = Duration::from_secs(5);
/// The burn-down is drawn again this often.
const CHART_EVERY: Duration = Duration::from_secs(5);
/// The lists of what is next are looked at this often, and sent when they changed.
const QUEUE_EVERY: Duration = Duration::from_secs(2);
/// Log lines in one round of [`COALESCE`]; the rest follows in the next.
const LOG_LINES_MAX: usize = 20;
/// Chunks that wait for one reader.
const CHUNKS_MAX: usize = 4;
/// Where a reader stands. Its text is the `id` of every event, so that a browser sends it back
/// as `Last-Event-ID` and nothing is lost or repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// The life of the server that gave it.
    pub(crate) life: String,
    /// Version of the board.
    pub(crate) version: u64,
    /// Last line of the log.
    pub(crate) seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.life, self.version, self.seq)
    }
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (life, version, seq) = (parts.next()?, parts.next()?, parts.next()?);
        let cursor =
            Self { life: life.to_owned(), version: version.parse().ok()?, seq: seq.parse().ok()? };
        parts.next().is_none().then_some(cursor)
    }
}

/// `/events`: whether the page of a topic is still so; without one, follows the board from
/// `Last-Event-ID`, else from `?since=`, else from now.
pub(crate) async fn events(
    State(console): State<Arc<Console>>,
    asked: Asked,
    headers: HeaderMap,
) -> Response {
    let topic = Topic::parse(&asked.topic);
    let is_there = |topic: &Topic| topic.is_known(console.engine.as_ref());
    if !asked.topic.is_empty() && !topic.as_ref().is_some_and(is_there) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let is_for = |topic: &Topic| topic.is_for(&asked.reader);
    if !topic.as_ref().map_or(!asked.reader.reads_nothing(), is_for) {
        return refuse(StatusCode::FORBIDDEN, texts::door_beyond_scope);
    }
    let Streams { walls, lists } = &console.streams;
    let places = if topic.is_some() { lists } else { walls };
    let place = match places.take(&asked.reader) {
        Ok(place) => place,
        Err(Full::All) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(Full::Share) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
    };
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let since = Cursor::parse(last.unwrap_or(&asked.since));
    let lang = console.lang(&asked);
    let (sender, receiver) = mpsc::channel(CHUNKS_MAX);
    match topic {
        Some(topic) => tokio::spawn(topic::follow(console, topic, asked, sender)),
        None => tokio::spawn(follow(console, lang, asked.reader, since, sender)),
    };
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::new(EventBody { receiver, _place: place })).into_response()
}

/// The body of a stream: ends when its writer does; its place is free when it is dropped.
struct EventBody {
    receiver: mpsc::Receiver<Bytes>,
    _place: Place,
}

impl hyper::body::Body for EventBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.receiver.poll_recv(context).map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Writes events until the reader leaves, has to start again, or may no longer read.
async fn follow(
    console: Arc<Console>,
    lang: Lang,
    reader: Reader,
    since: Option<Cursor>,
    sender: mpsc::Sender<Bytes>,
) {
    let mut writer = Writer::new(&console, lang, (&reader, since));
    let mut ticker = interval(COALESCE);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !writer.ended {
        ticker.tick().await;
        let Some(reader) = as_now(&console, &reader) else { return };
        let now = Instant::now();
        writer.read_by(&reader);
        let mut chunk = writer.round(now);
        if !writer.ended && writer.queue_is_due(now) {
            let lists = lists(Arc::clone(&console), lang, reader).await;
            let Some((lists, waits)) = lists else { return };
            chunk.push_str(&writer.queue(lists));
            chunk.push_str(&writer.waits(waits));
        }
        if !chunk.is_empty() && sender.send(Bytes::from(chunk)).await.is_err() {
            return;
        }
    }
}

/// The reader with the roles of this instant; nobody once the sign-in or token is over.
fn as_now(console: &Console, reader: &Reader) -> Option<Reader> {
    match reader {
        Reader::Anyone => console.door.is_for_all().then_some(Reader::Anyone),
        Reader::Signed(signed) => Some(Reader::Signed(console.door.as_now(signed)?)),
    }
}

/// What is next, and what waits for the reader, as texts of two events; the register is read where
/// it holds no stream up. `None` when it cannot be read: the stream then ends, and the page says
/// that it shows an old state.
async fn lists(console: Arc<Console>, lang: Lang, reader: Reader) -> Option<(String, String)> {
    let read = move || {
        let id = console.board.headline().id;
        let now = clock::now();
        let work = console.engine.as_ref().map(|engine| work::Work { engine, lang, now });
        let lists = work.map(|work| work.lists(&id, |scope| reader.reads(scope)));
        let (queue, todo) = lists.transpose().ok()?.unwrap_or_default();
        Some((next(&queue, &todo), waits(&console, &reader, lang)))
    };
    // A panic is a bug that its own thread tells.
    tokio::task::spawn_blocking(read).await.ok().flatten()
}

/// What waits for a reader, as the text of an event.
fn waits(console: &Console, reader: &Reader, lang: Lang) -> String {
    let waits = console.engine.as_ref().map(|engine| Waits::of(engine, reader, lang));
    let Waits { plans, asked, glass } = waits.unwrap_or_default();
    json!({"v": 1, "plans": plans, "asked": asked, "glass": glass}).to_string()
}

/// What one stream has sent so far.
struct Writer<'a> {
    console: &'a Console,
    lang: Lang,
    /// The sites that it tells about.
    part: Part,
    /// The roles of its reader when it last looked.
    grants: Vec<Grant>,
    cursor: Cursor,
    /// When counters were last sent, and at which version.
    counted: Option<(Instant, u64)>,
    /// When the chart was last sent.
    drawn: Option<Instant>,
    /// When the lists were last looked at, and what was sent of them.
    listed: (Option<Instant>, String),
    /// What was sent of what waits.
    waited: String,
    /// The reader was told to start again.
    ended: bool,
}

impl<'a> Writer<'a> {
    fn new(console: &'a Console, lang: Lang, (reader, since): (&Reader, Option<Cursor>)) -> Self {
        let snapshot = console.board.snapshot();
        let part = Part::of(console, reader, &snapshot.sites);
        let here = || Cursor {
            life: part.life.clone(),
            version: snapshot.version,
            seq: console.board.log_since(0).last().map_or(0, |line| line.seq),
        };
        let cursor = since.unwrap_or_else(here);
        Self {
            console,
            lang,
            part,
            grants: reader.grants().to_vec(),
            cursor,
            counted: None,
            drawn: None,
            listed: (None, String::new()),
            waited: String::new(),
            ended: false,
        }
    }

    /// The page of a reader to whom a role was granted, or from whom one was taken, starts again.
    fn read_by(&mut self, reader: &Reader) {
        if self.grants != reader.grants() {
            self.grants = reader.grants().to_vec();
            self.part.life = Part::life_of(self.console, reader);
        }
    }

    /// Everything that is due now, as text of the stream; empty when nothing is.
    fn round(&mut self, now: Instant) -> String {
        let mut out = String::new();
        if self.cursor.life != self.part.life {
            // Versions of another life of the server mean nothing here, nor places of other sites.
            self.reset(&mut out);
            return out;
        }
        match self.console.board.changes_since(self.cursor.version) {
            Changes::Reset { version } => {
                self.cursor.version = version;
                self.reset(&mut out);
                return out;
            }
            Changes::Since { version, changed } => {
                self.cursor.version = version;
                let changed = self.part.changed(changed);
                if !changed.is_empty() {
                    self.event(&mut out, "light", &light(&changed));
                }
            }
        }
        for line in self.console.board.log_since(self.cursor.seq).into_iter().take(LOG_LINES_MAX) {
            self.cursor.seq = line.seq;
            let Some(line) = self.part.told(line) else { continue };
            let text = texts::log_line(self.lang, line.code, &line.args);
            let data = json!({"v": 1, "at": number::rfc3339(line.at), "text": text});
            self.event(&mut out, "log", &data.to_string());
        }
        let due = self.counted.is_none_or(|(at, version)| {
            let quiet = now.duration_since(at);
            quiet >= BEAT_EVERY || (version != self.cursor.version && quiet >= COUNTS_EVERY)
        });
        if due {
            self.counted = Some((now, self.cursor.version));
            out.push_str(": beat\n\n");
            let data = self.counts();
            self.event(&mut out, "counts", &data);
        }
        if self.drawn.is_none_or(|at| now.duration_since(at) >= CHART_EVERY) {
            self.drawn = Some(now);
            let data = self.chart();
            self.event(&mut out, "chart", &data);
        }
        out
    }

    /// Whether it is time to look at the lists of what is next.
    fn queue_is_due(&self, now: Instant) -> bool {
        self.listed.0.is_none_or(|at| now.duration_since(at) >= QUEUE_EVERY)
    }

    /// The lists, when they are not those that were sent.
    fn queue(&mut self, lists: String) -> String {
        let mut out = String::new();
        self.listed.0 = Some(Instant::now());
        if !lists.is_empty() && self.listed.1 != lists {
            self.event(&mut out, "queue", &lists);
            self.listed.1 = lists;
        }
        out
    }

    /// What waits for the reader, when it is not what was sent.
    fn waits(&mut self, waits: String) -> String {
        let mut out = String::new();
        if self.waited != waits {
            self.event(&mut out, "waits", &waits);
            self.waited = waits;
        }
        out
    }

    /// The burn-down as paths and texts: the page has their places.
    fn chart(&self) -> String {
        let opened = self.console.board.headline().opened;
        let proofs = self.part.proofs(self.console.board.proofs());
        let burn = burn::chart(self.lang, &proofs, opened, clock::now());
        json!({
            "v": 1, "sentence": burn.sentence, "pace": burn.pace, "rows": burn.rows,
            "columns": burn.columns,
            "events": burn.events.iter().map(|it| (it.x, it.y, &it.at, &it.when, &it.text))
                .collect::<Vec<_>>(),
            "paths": {
                "line": burn.line, "area": burn.area, "ahead": burn.ahead, "band": burn.band,
                "then": burn.then,
            },
        })
        .to_string()
    }

    fn reset(&mut self, out: &mut String) {
        self.cursor.life.clone_from(&self.part.life);
        self.event(out, "reset", r#"{"v":1}"#);
        self.ended = true;
    }

    fn event(&self, out: &mut String, name: &str, data: &str) {
        // JSON has no raw line breaks, so one `data` line holds it.
        let _ = write!(out, "event: {name}\nid: {}\ndata: {data}\n\n", self.cursor);
    }

    fn counts(&self) -> String {
        let states = self.part.states(self.console.board.snapshot());
        let headline = self.console.board.headline();
        let opened = (!headline.id.is_empty()).then_some(headline.opened);
        counts(tally::counts(self.lang, &self.part.sectors, &states, opened, clock::now()))
    }
}

fn light(changed: &[(usize, DisplayState)]) -> String {
    let mut out = String::from(r#"{"v":1,"c":["#);
    for (at, (ordinal, state)) in changed.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(out, "{comma}[{ordinal},\"{}\"]", state.letter());
    }
    out.push_str("]}");
    out
}

/// The texts of every counter, so that the page needs no rules of language.
fn counts(counts: Counts) -> String {
    let Counts { since, lit, dark, todo, share, alarm, alarmed, legend, sectors, .. } = counts;
    let mut texts = json!({
        "since": since, "lit": lit, "dark": dark, "todo": todo, "share": share, "alarm": alarm,
    });
    for entry in legend {
        texts[entry.letter.to_string()] = json!(entry.count);
    }
    let row = |s: &relight_web::views::SectorRow| {
        json!([s.text, s.lit_permille, s.todo_permille, s.sentence])
    };
    let sectors: Vec<_> = sectors.iter().map(row).collect();
    json!({
        "v": 1, "t": texts, "alarm": alarmed, "x": sectors,
        "summary": counts.summary, "alarm_sentence": counts.alarm_sentence,
    })
    .to_string()
}

/// The queue and the table of what to do first: the texts of each row, by the key of the row.
fn next(queue: &[QueueRow], todo: &[TodoRow]) -> String {
    let queued = |row: &QueueRow| json!([row.evidence, row.count, row.then, row.returns, row.href]);
    let first = |row: &TodoRow| {
        json!({
            "slug": row.slug, "href": row.href, "letter": row.letter.to_string(),
            "vital": row.is_vital,
            "cells": [
                row.organisation, row.state, row.criticality, row.path, row.stack, row.edge,
                row.dark_for, row.next,
            ],
        })
    };
    json!({
        "v": 1,
        "queue": queue.iter().map(queued).collect::<Vec<_>>(),
        "todo": todo.iter().map(first).collect::<Vec<_>>(),
    })
    .to_string()
}

#[cfg(test)]
mod slow_tests;
#[cfg(test)]
mod tests;
