//! Streams of the pages that show lists:
//! `/events?topic=sites|edges|watch|plans|plan:ID|incident:ID`. Such a page is as it was when it
//! was asked for; its stream says whether it still is, so that none shows an old state in silence,
//! and what waits for its reader, who is asked on every page.
//!
//! A fingerprint of what the page shows is sent at least every [`BEAT_EVERY`]: each event says all
//! there is to say, so nothing is missed by whoever comes back late. The page is not fetched again
//! by itself: that would look like somebody who is there, and prolong a sign-in.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use relight_engine::Engine;
use relight_engine::access::Scope;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{BEAT_EVERY, QUEUE_EVERY, as_now, waits};
use crate::access::digest_of;
use crate::access::signed_in::Reader;
use crate::console::part::Part;
use crate::console::{Asked, Console, act, brief, edges, sites, watch, work};

/// What a page is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Sites,
    Edges,
    Watch,
    Plans,
    Plan(String),
    Incident(String),
}

impl Topic {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "sites" => Some(Self::Sites),
            "edges" => Some(Self::Edges),
            "watch" => Some(Self::Watch),
            "plans" => Some(Self::Plans),
            _ => match text.split_once(':')? {
                ("plan", id) => Some(Self::Plan(id.to_owned())),
                ("incident", id) => Some(Self::Incident(id.to_owned())),
                _ => None,
            },
        }
    }

    /// As it stands in an address.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Sites => "sites".to_owned(),
            Self::Edges => "edges".to_owned(),
            Self::Watch => "watch".to_owned(),
            Self::Plans => "plans".to_owned(),
            Self::Plan(id) => format!("plan:{id}"),
            Self::Incident(id) => format!("incident:{id}"),
        }
    }

    /// Whether the page of this topic is there for a reader: the same as [`guard`] and the page
    /// itself say.
    ///
    /// [`guard`]: crate::access::guard
    pub(super) fn is_for(&self, reader: &Reader) -> bool {
        match self {
            Self::Edges | Self::Watch => reader.reads(&Scope::root()),
            Self::Plans | Self::Plan(_) => matches!(reader, Reader::Signed(_)),
            Self::Sites | Self::Incident(_) => true,
        }
    }

    /// A fingerprint of what the page shows to a reader. `None` when that cannot be read.
    pub(crate) fn fingerprint(&self, console: &Console, asked: &Asked) -> Option<String> {
        let text = match (self, &console.engine) {
            (Self::Sites, _) => {
                listed(console, asked, |part| sites::followed(console, asked, part))
            }
            (_, None) => String::new(),
            (Self::Edges, Some(engine)) => edges::shown(console, engine, asked).ok()?,
            (Self::Watch, Some(engine)) => watch::shown(engine)?,
            (Self::Plans, Some(engine)) => match &asked.reader {
                Reader::Signed(signed) => act::plans::shown(console, engine, signed, asked),
                Reader::Anyone => String::new(),
            },
            (Self::Plan(id), Some(engine)) => match &asked.reader {
                Reader::Signed(signed) => act::plans::one(console, engine, signed, asked, id)?,
                Reader::Anyone => return None,
            },
            (Self::Incident(id), Some(engine)) => brief::shown(console, engine, asked, id)?,
        };
        Some(Self::of_text(&text))
    }

    /// What a page carries that shows this text: its topic and the fingerprint.
    pub(crate) fn mark(&self, text: &str) -> (String, String) {
        (self.name(), Self::of_text(text))
    }

    /// The fingerprint of a text.
    pub(crate) fn of_text(text: &str) -> String {
        digest_of(text.as_bytes()).to_string().chars().take(16).collect()
    }

    /// Whether there is such a thing. A plan that somebody may not read is as one that is not
    /// there.
    pub(super) fn is_known(&self, engine: Option<&Arc<Engine>>) -> bool {
        match (self, engine) {
            (Self::Incident(id), Some(engine)) => {
                engine.with_ledger(|ledger| ledger.incident(id).is_some())
            }
            (Self::Incident(_), None) => false,
            _ => true,
        }
    }
}

/// The fingerprint of a list of sites, with what its query means.
pub(crate) fn of_sites(console: &Console, asked: &Asked, fitting: &str) -> String {
    Topic::of_text(&listed(console, asked, |_| fitting.to_owned()))
}

/// What a list of sites shows: each site, whose it is and its state, which row of what is next it
/// belongs to, and which fit the query that is asked, by whatever that finds them.
fn listed(console: &Console, asked: &Asked, fitting: impl FnOnce(&Part) -> String) -> String {
    let snapshot = console.board.snapshot();
    let part = Part::of(console, &asked.reader, &snapshot.sites);
    let states = part.states(snapshot);
    let mut text = String::new();
    for (site, state) in part.sites.iter().zip(states) {
        let names = [&site.slug, &site.name_fr, &site.name_en, &site.organisation, &site.sector];
        let _ = writeln!(text, "{} {names:?}", state.letter());
    }
    for (site, row) in console.engine.as_deref().map(work::rows).unwrap_or_default() {
        if part.is_of(&site) {
            let _ = writeln!(text, "{site} {row}");
        }
    }
    // Whoever reads no site asks for nothing.
    if part.sites.is_empty() { text } else { text + &fitting(&part) }
}

/// What was changed until now: where nothing was, a page shows what it showed.
pub(crate) fn versions(console: &Console) -> (u64, Option<u64>) {
    let engine = console.engine.as_ref().map(|engine| engine.version());
    (console.board.snapshot().version, engine)
}

/// Writes fingerprints until the reader leaves, may no longer read, or nothing can be read: the
/// page then says that it shows an old state.
pub(super) async fn follow(
    console: Arc<Console>,
    topic: Topic,
    asked: Asked,
    sender: mpsc::Sender<Bytes>,
) {
    let mut ticker = interval(QUEUE_EVERY);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let lang = console.lang(&asked);
    let mut sent: Option<(Instant, (String, String))> = None;
    let mut before = None;
    loop {
        ticker.tick().await;
        let Some(reader) = as_now(&console, &asked.reader).filter(|it| topic.is_for(it)) else {
            return;
        };
        let now = Instant::now();
        // What time alone changes, and what counts no version, is seen with the next beat.
        let versions = Some(versions(&console));
        let is_fresh = |(at, _): &(Instant, _)| now.duration_since(*at) < BEAT_EVERY;
        if std::mem::replace(&mut before, versions) == versions
            && sent.as_ref().is_some_and(is_fresh)
        {
            continue;
        }
        let (here, topic) = (Arc::clone(&console), topic.clone());
        // As the page was asked for, by whoever its reader is now.
        let asked = asked.by(reader);
        let read = move || {
            let waits = waits(&here, &asked.reader, lang);
            Some((topic.fingerprint(&here, &asked)?, waits))
        };
        // A panic is a bug that its own thread tells.
        let Some(found) = tokio::task::spawn_blocking(read).await.ok().flatten() else { return };
        if sent.as_ref().is_some_and(|it| it.1 == found && is_fresh(it)) {
            continue;
        }
        let data = json!({"v": 1, "shown": found.0});
        let mut event = format!(": beat\n\nevent: page\ndata: {data}\n\n");
        if sent.as_ref().is_none_or(|it| it.1.1 != found.1) {
            let _ = write!(event, "event: waits\ndata: {}\n\n", found.1);
        }
        if sender.send(Bytes::from(event)).await.is_err() {
            return;
        }
        sent = Some((now, found));
    }
}
