//! `/metrics`: how relight itself is doing, in the text format of Prometheus 0.0.4.
//!
//! It stands behind the sign-in like every page that shows the whole register (a token with the
//! role of a reader is enough), and its labels have fixed sets of values: states, kinds of answers,
//! the version. No label names a site, a body, an edge or a flaw, so the store of a monitoring
//! system never becomes a list of targets, and its series cannot grow with the register.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use relight_engine::Engine;
use relight_model::{DisplayState, Timestamp};

use super::tally::Tally;
use super::{Asked, Console, blocking};
use crate::clock;
use crate::sse::STREAMS_MAX;

/// The media type of the format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers by the first digit of their status.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    answers: [AtomicU64; 5],
}

impl Meter {
    fn note(&self, status: u16) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts every answer of the console.
pub(super) async fn count(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let response = next.run(request).await;
    console.meter.note(response.status().as_u16());
    response
}

pub(super) async fn show(State(console): State<Arc<Console>>, _asked: Asked) -> Response {
    blocking(move || {
        let text = exposition(&console, clock::now());
        ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response()
    })
    .await
}

/// The kind of a family.
#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Counter,
}

/// A text in the format: each family once, with what it means and its kind before its samples.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, label: Option<(&str, &str)>, value: u64) {
        let label = label.map(|(key, value)| format!("{{{key}=\"{value}\"}}"));
        let _ = writeln!(self.0, "{name}{} {value}", label.unwrap_or_default());
    }

    /// A family with one sample.
    fn one(&mut self, name: &str, kind: Kind, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, None, value);
    }
}

fn exposition(console: &Console, now: Timestamp) -> String {
    let mut text = Text::default();
    text.family("relight_build_info", Kind::Gauge, "Always 1; the version is a label.");
    let version = ("version", env!("CARGO_PKG_VERSION"));
    text.sample("relight_build_info", Some(version), 1);
    answers(&mut text, console);
    sites(&mut text, console, now);
    if let Some(engine) = &console.engine {
        register(&mut text, engine, now);
    }
    text.0
}

fn answers(text: &mut Text, console: &Console) {
    let name = "relight_console_responses_total";
    text.family(name, Kind::Counter, "Answers of the console, by class of status.");
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    for (class, count) in classes.into_iter().zip(&console.meter.answers) {
        text.sample(name, Some(("class", class)), count.load(Ordering::Relaxed));
    }
    let name = "relight_event_streams";
    text.family(name, Kind::Gauge, "Event streams that are open, by what they show.");
    for (kind, count) in ["wall", "list"].into_iter().zip(console.streams.open()) {
        text.sample(name, Some(("kind", kind)), count);
    }
    let help = "Event streams of a kind that may be open at once.";
    text.one("relight_event_streams_limit", Kind::Gauge, help, STREAMS_MAX as u64);
}

fn sites(text: &mut Text, console: &Console, now: Timestamp) {
    let snapshot = console.board.snapshot();
    text.family("relight_sites", Kind::Gauge, "Sites, by what they show; the states sum to all.");
    for state in DisplayState::ALL {
        let count = snapshot.states.iter().filter(|it| **it == state).count() as u64;
        text.sample("relight_sites", Some(("state", state.as_str())), count);
    }
    let alarm = Tally::of(&snapshot.states).alarm() as u64;
    let help = "Sites that are exposed, or ordered dark and not proven dark.";
    text.one("relight_sites_alarm", Kind::Gauge, help, alarm);
    let help = "Changes of what a site shows, since the start.";
    text.one("relight_site_changes_total", Kind::Counter, help, snapshot.version);
    let headline = console.board.headline();
    let is_open = !headline.id.is_empty();
    let help = "1 while an incident is shown, else 0.";
    text.one("relight_incident_open", Kind::Gauge, help, u64::from(is_open));
    let age = if is_open { now - headline.opened } else { 0 };
    let help = "How long the incident that is shown has been open; 0 without one.";
    text.one("relight_incident_age_seconds", Kind::Gauge, help, age.max(0).cast_unsigned());
}

fn register(text: &mut Text, engine: &Engine, now: Timestamp) {
    let (incidents, plans, glass) = engine.with_ledger(|ledger| {
        let actions = ledger.actions();
        let plans = actions.newest().filter(|action| action.is_open(engine.now())).count();
        let glass = actions.unreviewed().count();
        (ledger.open().count(), plans, glass)
    });
    let help = "Incidents that are open.";
    text.one("relight_incidents_open", Kind::Gauge, help, incidents as u64);
    let help = "Plans that wait for somebody.";
    text.one("relight_plans_waiting", Kind::Gauge, help, plans as u64);
    let help = "Broken glass that nobody reviewed yet.";
    text.one("relight_break_glass_unreviewed", Kind::Gauge, help, glass as u64);
    let (oldest, never) = inventories(engine, now);
    let help = "Age of the oldest inventory of any site.";
    text.one("relight_inventory_age_seconds_max", Kind::Gauge, help, oldest);
    let help = "Sites of which no inventory ever came.";
    text.one("relight_sites_without_inventory", Kind::Gauge, help, never);
    let groups = engine.with_inventory(|_, advisories| advisories.groups().count());
    let help = "Flaws that are known.";
    text.one("relight_advisories", Kind::Gauge, help, groups as u64);
    // A journal that cannot be read leaves its family out: no number is better than a wrong one.
    if let Ok((newest, _)) = engine.store().journal_head() {
        let help = "Entries of the journal.";
        text.one("relight_journal_entries_total", Kind::Counter, help, newest);
    }
}

/// Age of the oldest inventory, in seconds, and how many sites have none.
fn inventories(engine: &Engine, now: Timestamp) -> (u64, u64) {
    let sites = engine.sites();
    engine.with_inventory(|index, _| {
        let (mut oldest, mut never) = (0, 0);
        for site in &sites {
            let confirmed = index.inventory_states(site.id).into_iter().map(|it| it.confirmed);
            match confirmed.flatten().min() {
                Some(at) => oldest = oldest.max((now - at).max(0).cast_unsigned()),
                None => never += 1,
            }
        }
        (oldest, never)
    })
}
