//! `/`: the incident screen.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::live::LogLine;
use relight_model::{DisplayState, Timestamp};
use relight_web::views::{IncidentPage, LogRow};
use relight_web::{Lang, number, texts};

use super::{Asked, Console, burn, tally};
use crate::sse::Cursor;
use crate::{clock, page};

/// Log lines on the page when it is loaded.
const LOG_ROWS: usize = 50;

pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let mut page = view(&console, &asked, clock::now());
    page.frame.display = asked.screen == "wall";
    page::html(StatusCode::OK, relight_web::render(&page))
}

fn view(console: &Console, asked: &Asked, now: Timestamp) -> IncidentPage {
    let lang = console.lang(asked);
    // The log is read first: a line that comes between the two reads is sent again, not lost.
    let log = console.board.log_since(0);
    let snapshot = console.board.snapshot();
    let headline = console.board.headline();
    let opened = (!headline.id.is_empty()).then_some(headline.opened);
    let cursor = Cursor {
        life: console.life.clone(),
        version: snapshot.version,
        seq: log.last().map_or(0, |line| line.seq),
    };
    let title =
        if headline.id.is_empty() { texts::console_no_incident(lang) } else { &headline.id };
    let switch = format!("/?lang={}", lang.other().tag());
    IncidentPage {
        frame: console.frame(asked, title, "incident", switch),
        cursor: cursor.to_string(),
        counts: tally::counts(lang, &console.sectors, &snapshot.states, opened, now),
        wall_title: texts::wall_title(lang, snapshot.states.len()),
        letters: snapshot.states.iter().copied().map(DisplayState::letter).collect(),
        log: log.iter().rev().take(LOG_ROWS).map(|line| log_row(lang, line)).collect(),
        burn: burn::chart(lang, &console.board.proofs(), headline.opened, now),
        id: headline.id,
        headline: headline.title,
    }
}

fn log_row(lang: Lang, line: &LogLine) -> LogRow {
    let at = number::rfc3339(line.at);
    let clock = at.get(11..19).unwrap_or_default().to_owned();
    LogRow { clock, text: texts::log_line(lang, line.code, &line.args), at }
}
