//! `/`: the incident screen.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::EngineError;
use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Counters, Incident};
use relight_engine::live::LogLine;
use relight_model::{DisplayState, GateKey, Timestamp};
use relight_web::views::{Acts, Choice, IncidentPage, LogRow, OtherIncident};
use relight_web::{Lang, number, texts};

use super::act::forms::{Short, more};
use super::facts::language_of;
use super::part::{self, Part};
use super::tally::Tally;
use super::waits::Waits;
use super::work::Work;
use super::{Asked, Console, act, blocking, burn, tally};
use crate::access::signed_in::Reader;
use crate::sse::Cursor;
use crate::{clock, page};

/// Log lines on the page when it is loaded.
const LOG_ROWS: usize = 50;

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        if let Some(away) = part::led_away(&console, &asked) {
            return away;
        }
        let mut page = match view(&console, &asked, clock::now()) {
            Ok(page) => page,
            Err(error) => return act::refused(&console, &asked, &error, "/"),
        };
        if asked.screen == "wall" {
            page.frame.display = true;
            page.acts = Acts::default();
        }
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

fn view(console: &Console, asked: &Asked, now: Timestamp) -> Result<IncidentPage, EngineError> {
    let lang = console.lang(asked);
    // The log is read first: a line that comes between the two reads is sent again, not lost.
    let log = console.board.log_since(0);
    let snapshot = console.board.snapshot();
    let part = Part::of(console, &asked.reader, &snapshot.sites);
    let headline = console.board.headline();
    let opened = (!headline.id.is_empty()).then_some(headline.opened);
    let cursor = Cursor {
        life: part.life.clone(),
        version: snapshot.version,
        seq: log.last().map_or(0, |line| line.seq),
    };
    let title =
        if headline.id.is_empty() { texts::console_no_incident(lang) } else { &headline.id };
    let switch = format!("/?lang={}", lang.other().tag());
    let work = console.engine.as_ref().map(|engine| Work { engine, lang, now });
    let lists = work.map(|work| work.lists(&headline.id, |scope| asked.reader.reads(scope)));
    let (queue, todo) = lists.transpose()?.unwrap_or_default();
    // They say how many sites of the whole register have it.
    let tells = part.is_whole() && !headline.id.is_empty();
    let facts = console.engine.as_ref().filter(|_| tells);
    let facts = facts.map(|engine| console.facts.of(engine, lang, &headline.id, engine.now()));
    let states = part.states(snapshot);
    Ok(IncidentPage {
        frame: console.frame(asked, title, "incident", switch),
        cursor: cursor.to_string(),
        counts: tally::counts(lang, &part.sectors, &states, opened, now),
        wall_title: texts::wall_title(lang, states.len()),
        letters: states.iter().copied().map(DisplayState::letter).collect(),
        log: log
            .into_iter()
            .rev()
            .filter_map(|line| part.told(line))
            .take(LOG_ROWS)
            .map(|line| log_row(lang, &line))
            .collect(),
        sorted: asked.order == "state",
        order_href: order_href(asked, lang),
        burn: burn::chart(lang, &part.proofs(console.board.proofs()), headline.opened, now),
        queue,
        todo,
        acts: acts(console, asked, &headline.id),
        others: others(console, (lang, &part), &headline.id, now),
        facts: facts.transpose()?.unwrap_or_default(),
        headline_lang: console
            .engine
            .as_ref()
            .and_then(|engine| language_of(engine, lang, &headline.id, &headline.title)),
        id: headline.id,
        headline: headline.title,
    })
}

/// The wall with its lights the other way: by their states, or each at its place.
fn order_href(asked: &Asked, lang: Lang) -> String {
    let screen = if asked.screen == "wall" { "&screen=wall" } else { "" };
    let order = if asked.order == "state" { "" } else { "&order=state" };
    format!("/?lang={}{screen}{order}", lang.tag())
}

/// What the reader may do here. On a wall, and for whoever is not signed in: nothing.
fn acts(console: &Console, asked: &Asked, shown: &str) -> Acts {
    let (Reader::Signed(signed), Some(engine)) = (&asked.reader, &console.engine) else {
        return Acts::default();
    };
    let (lang, now) = (console.lang(asked), engine.now());
    let person = act::person_of(console, signed, now);
    let waits = Waits::of(engine, &asked.reader, lang);
    let incidents = engine.with_ledger(|ledger| {
        let choice = |(id, incident): (&str, &Incident)| Choice {
            value: id.to_owned(),
            text: format!("{id} {}", incident.title),
            chosen: id == shown,
        };
        ledger.open().map(choice).collect()
    });
    Acts {
        plans: act::may_propose(signed),
        command: person.may(Role::Commander, &Scope::root()),
        publish: person.may(Role::Publisher, &Scope::root()),
        english: console.publishes_english(),
        more: more(lang, &Short::default(), person.may(Role::Commander, &Scope::root())),
        waiting: waits.plans,
        asked: waits.asked,
        token: console.door.form_token(signed),
        incidents,
    }
}

/// The open incidents that the screen is not about.
fn others(
    console: &Console,
    (lang, part): (Lang, &Part),
    shown: &str,
    now: Timestamp,
) -> Vec<OtherIncident> {
    let Some(engine) = &console.engine else { return Vec::new() };
    let keys: Vec<GateKey> =
        part.sites.iter().filter_map(|site| GateKey::new(&site.slug).ok()).collect();
    let other = |(id, incident): (&str, &Incident)| {
        let counters = Counters::of(incident, &keys, now);
        let of = |state: &DisplayState| counters.states.get(state).copied().unwrap_or(0);
        let sum = |part: fn(&Tally) -> usize| -> usize {
            let counts = |state: &&DisplayState| part(&Tally::of(&[**state])) == 1;
            DisplayState::ALL.iter().filter(counts).map(of).sum()
        };
        let since = texts::console_since(lang, &tally::elapsed(lang, now - incident.opened));
        OtherIncident {
            id: id.to_owned(),
            title: incident.title.clone(),
            title_lang: None,
            sentence: texts::incident_other(lang, sum(Tally::dark), &since, sum(Tally::todo)),
        }
    };
    let mut others: Vec<OtherIncident> = engine
        .with_ledger(|ledger| ledger.open().filter(|(id, _)| *id != shown).map(other).collect());
    for other in &mut others {
        other.title_lang = language_of(engine, lang, &other.id, &other.title);
    }
    others
}

fn log_row(lang: Lang, line: &LogLine) -> LogRow {
    let at = number::rfc3339(line.at);
    let clock = at.get(11..19).unwrap_or_default().to_owned();
    LogRow { clock, text: texts::log_line(lang, line.code, &line.args), at }
}
