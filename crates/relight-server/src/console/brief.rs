//! `/incident/ID`: one incident on one page, open or closed, as far as its reader reads the
//! register. It is as it was when it was asked for, and prints.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Incident, Update};
use relight_engine::{Engine, EngineError};
use relight_model::{DisplayState, GateKey};
use relight_web::brief_views::{BriefPage, BriefRow};
use relight_web::{Lang, number, texts};

use super::act::forms::{Short, more};
use super::facts::language_of;
use super::work::Work;
use super::{Asked, Console, act, blocking, tally};
use crate::access::signed_in::Reader;
use crate::page::{self, encode};
use crate::sse::topic::Topic;

/// Plans on the page.
const PLANS_MAX: usize = 50;

/// The newest incident: an open one before those that are closed.
pub(super) async fn newest(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let newest = engine.with_ledger(|ledger| {
            let all = ledger.incidents();
            let newest = all.max_by_key(|(_, incident)| (!incident.closed, incident.opened));
            newest.map(|(id, _)| id.to_owned())
        });
        answer(&console, engine, &asked, newest.as_deref().unwrap_or_default())
    })
    .await
}

pub(super) async fn one(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    asked: Asked,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let is_known = engine.with_ledger(|ledger| ledger.incident(&id).is_some());
        if is_known { answer(&console, engine, &asked, &id) } else { console.nothing(&asked) }
    })
    .await
}

fn answer(console: &Console, engine: &Engine, asked: &Asked, id: &str) -> Response {
    match view(console, engine, asked, id) {
        Ok(page) => page::html(StatusCode::OK, relight_web::render(&page)),
        Err(error) => act::refused(console, asked, &error, "/"),
    }
}

fn view(
    console: &Console,
    engine: &Engine,
    asked: &Asked,
    id: &str,
) -> Result<BriefPage, EngineError> {
    let (lang, now) = (console.lang(asked), engine.now());
    let is_whole = asked.reader.reads(&Scope::root());
    let seen = readable(engine, asked)?;
    let work = Work { engine, lang, now };
    let known = engine.with_ledger(|ledger| {
        let incident = ledger.incident(id)?;
        let cases = incident.cases().iter().filter(|(site, _)| seen.contains(*site));
        let states: Vec<DisplayState> = cases.map(|(_, case)| case.display()).collect();
        let words = incident.updates.iter().rev().map(|update| said(lang, update)).collect();
        let head = (incident.title.clone(), incident.opened, incident.closed);
        Some((head, states, words))
    });
    let ((title, opened, closed), states, words) = known.unwrap_or_default();
    let (queue, todo) = match closed || id.is_empty() {
        true => Default::default(),
        false => work.lists(id, |scope| asked.reader.reads(scope))?,
    };
    let facts = match is_whole && !id.is_empty() {
        true => console.facts.of(engine, lang, id, now)?,
        false => String::new(),
    };
    let switch = match id {
        "" => format!("/incident?lang={}", lang.other().tag()),
        id => format!("/incident/{}?lang={}", encode(id), lang.other().tag()),
    };
    let heading = if id.is_empty() { texts::console_no_incident(lang) } else { id };
    let signed = match &asked.reader {
        Reader::Signed(signed) => Some(signed),
        Reader::Anyone => None,
    };
    let person = signed.map(|signed| act::person_of(console, signed, now));
    let may = |role| person.as_ref().is_some_and(|it| it.may(role, &Scope::root()));
    let (plans, others) = (plans(engine, lang, asked, id), others(engine, lang, id));
    let report = Short { report: "yes".to_owned(), ..Short::default() };
    let mut page = BriefPage {
        frame: console.frame(asked, heading, "incident", switch),
        headline_lang: language_of(engine, lang, id, &title),
        headline: title,
        standing: match (id.is_empty(), closed) {
            (true, _) => String::new(),
            (_, true) => texts::brief_closed(lang, &number::stamp(lang, opened)),
            (_, false) => texts::brief_open(lang, &number::stamp(lang, opened)),
        },
        as_of: texts::brief_as_of(lang, &number::stamp(lang, now)),
        facts,
        counts: tally::counts(lang, &[], &states, None, now),
        is_part: !is_whole,
        queue,
        todo,
        words,
        plans,
        others,
        // What is about data a commander alone may say.
        reports: closed && (may(Role::Publisher) || may(Role::Commander)),
        english: console.publishes_english(),
        more: more(lang, &report, may(Role::Commander)),
        id: id.to_owned(),
    };
    if !id.is_empty() {
        page.frame.fresh = Topic::Incident(id.to_owned()).mark(&text_of(&page));
    }
    Ok(page)
}

/// What the page of an incident shows, as one text.
pub(crate) fn shown(console: &Console, engine: &Engine, asked: &Asked, id: &str) -> Option<String> {
    view(console, engine, asked, id).ok().map(|page| text_of(&page))
}

/// Without the moment at which it was made, and times that only grow.
fn text_of(page: &BriefPage) -> String {
    let todo = page.todo.iter().map(|row| format!("{} {} {}", row.slug, row.letter, row.next));
    let todo: Vec<String> = todo.collect();
    let (counts, plans) = (&page.counts.legend, &page.plans);
    let queue = page.queue.iter();
    let queue: Vec<_> =
        queue.map(|row| (&row.evidence, &row.count, &row.then, row.returns)).collect();
    let said = (&page.headline, &page.standing, &page.facts, &page.words, &page.others);
    format!("{said:?} {counts:?} {queue:?} {todo:?} {plans:?}")
}

/// The sites that the reader may know of.
fn readable(engine: &Engine, asked: &Asked) -> Result<BTreeSet<GateKey>, EngineError> {
    let bodies = engine.organisations()?;
    let reads = |body: &relight_model::Organisation| {
        asked.reader.reads(&Scope::of_body(&body.sector, &body.name))
    };
    let bodies: BTreeSet<_> = bodies.iter().filter(|it| reads(it)).map(|it| it.id).collect();
    let sites = engine.sites().into_iter().filter(|site| bodies.contains(&site.org));
    Ok(sites.map(|site| site.slug).collect())
}

fn said(lang: Lang, update: &Update) -> (String, &'static str, String) {
    let (tag, text) = match lang {
        Lang::En if !update.en.is_empty() => (Lang::En, &update.en),
        _ => (Lang::Fr, &update.fr),
    };
    (number::stamp(lang, update.at), tag.tag(), text.clone())
}

/// The plans of the incident that the reader may know whole.
fn plans(engine: &Engine, lang: Lang, asked: &Asked, id: &str) -> Vec<BriefRow> {
    let Reader::Signed(signed) = &asked.reader else { return Vec::new() };
    let now = engine.now();
    engine.with_ledger(|ledger| {
        let own = ledger.actions().newest().filter(|action| action.plan.incident == id);
        let own = own.filter(|action| act::reads_plan(signed, &action.plan)).take(PLANS_MAX);
        let row = |action: &relight_engine::incident::Action| BriefRow {
            href: format!("/approve/{}?lang={}", action.id(), lang.tag()),
            name: action.id(),
            text: texts::act_row(
                lang,
                &act::plan_view::action_of(lang, &action.plan),
                action.plan.sites.len(),
            ),
            standing: act::approve::standing(lang, action, now).0,
        };
        own.map(row).collect()
    })
}

/// Every other incident, the newest first.
fn others(engine: &Engine, lang: Lang, shown: &str) -> Vec<BriefRow> {
    let row = |(id, incident): (&str, &Incident)| BriefRow {
        href: format!("/incident/{}?lang={}", encode(id), lang.tag()),
        name: id.to_owned(),
        text: incident.title.clone(),
        standing: match incident.closed {
            true => texts::brief_closed(lang, &number::stamp(lang, incident.opened)),
            false => texts::brief_open(lang, &number::stamp(lang, incident.opened)),
        },
    };
    engine.with_ledger(|ledger| {
        let mut others: Vec<_> = ledger.incidents().filter(|(id, _)| *id != shown).collect();
        others.sort_by_key(|(_, incident)| std::cmp::Reverse(incident.opened));
        others.into_iter().map(row).collect()
    })
}
