//! `/sites`: the table of sites, filtered on the server, a hundred rows a page, and `/sites/rows`
//! for a page that is shown already; `/site`: one line.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_engine::live::{BoardSite, Snapshot};
use relight_model::DisplayState;
use relight_web::views::{Choice, SiteRow, SitesFound, SitesPage};
use relight_web::{Lang, texts, words};
use serde_json::json;

use super::tally::Tally;
use super::work::Queued;
use super::{Asked, Console, name, names};
use crate::page::{self, encode};

/// Rows of one page: thousands of rows would make a browser slow.
pub(super) const ROWS_MAX: usize = 100;

/// A filter that has been read.
#[derive(Clone, Debug, Default)]
struct Filter {
    sector: String,
    /// As in the address: the letter of a state, or the name of a counter.
    state: String,
    /// The states that it means; `None` is all.
    states: Option<Vec<DisplayState>>,
    /// Looked for in names, without case; empty is all.
    words: String,
    /// The row of what is next whose sites are looked for; `None` is all.
    queued: Option<Queued>,
}

/// The text of a counter and the states that it counts.
type Group = (fn(Lang) -> &'static str, fn(&Tally) -> usize);

/// The counters of the incident screen, by their names in addresses.
const GROUPS: [(&str, Group); 4] = [
    ("lit", (texts::counter_lit, Tally::lit)),
    ("dark", (texts::counter_dark, Tally::dark)),
    ("todo", (texts::counter_todo, Tally::todo)),
    ("alarm", (texts::counter_alarm, Tally::alarm)),
];

/// The states behind a letter or the name of a counter, so that a counter and the list behind it
/// can never disagree.
fn states_of(text: &str) -> Option<Vec<DisplayState>> {
    let one = |state: &DisplayState| text == state.letter().to_string();
    let group = GROUPS.iter().find(|(name, _)| *name == text);
    let counted = |state: &DisplayState| {
        group.is_some_and(|(_, (_, count))| count(&Tally::of(&[*state])) == 1)
    };
    let states: Vec<_> = DisplayState::ALL.into_iter().filter(|s| one(s) || counted(s)).collect();
    (!states.is_empty()).then_some(states)
}

impl Filter {
    fn of(console: &Console, asked: &Asked) -> Self {
        let states = states_of(&asked.state);
        let state = if states.is_some() { asked.state.clone() } else { String::new() };
        let words = names::words(&asked.q);
        let (lang, id) = (console.lang(asked), console.board.headline().id);
        let engine = console.engine.as_ref();
        let queued = engine.and_then(|engine| Queued::of(engine, lang, &id, &asked.queue));
        Self { sector: asked.sector.clone(), state, states, words, queued }
    }

    fn href(&self, lang: Lang, page: usize) -> String {
        let (sector, state) = (encode(&self.sector), &self.state);
        let words = match self.words.as_str() {
            "" => String::new(),
            words => format!("&q={}", encode(words)),
        };
        let queue = self.queued.as_ref().map(|it| format!("&queue={}", it.code));
        let more = words + &queue.unwrap_or_default();
        format!("/sites?lang={}&sector={sector}&state={state}&page={page}{more}", lang.tag())
    }

    /// Whether a site is one of those that are looked for, given its names in lower case.
    fn fits(&self, site: &BoardSite, state: DisplayState, names: &str) -> bool {
        (self.sector.is_empty() || site.sector == self.sector)
            && self.states.as_ref().is_none_or(|wanted| wanted.contains(&state))
            && (self.words.is_empty() || names.contains(&self.words))
            && self.queued.as_ref().is_none_or(|queued| queued.has(&site.slug))
    }
}

pub(super) async fn table(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    if let Ok(ordinal) = asked.site.parse() {
        return place_of(&console, &asked, ordinal);
    }
    let (lang, filter) = (console.lang(&asked), Filter::of(&console, &asked));
    let (found, switch) = found(&console, &asked, &filter);
    let all = Filter { queued: None, ..filter.clone() };
    let page = SitesPage {
        queue: filter.queued.as_ref().map_or(("", ""), |it| (it.code, it.evidence)),
        all: all.href(lang, 1),
        frame: console.frame(&asked, texts::sites_title(lang), "sites", switch),
        sectors: sector_choices(&console.sectors(&console.board.sites()), lang, &filter),
        states: state_choices(lang, &filter),
        words: filter.words,
        found,
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

/// The same rows for a page that is there already, as arrays of texts.
pub(super) async fn rows(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let (found, switch) = found(&console, &asked, &Filter::of(&console, &asked));
    let SitesFound { count, rows, page, previous, next } = &found;
    let row = |it: &SiteRow| {
        let SiteRow { ordinal, slug, letter, state, name, organisation, sector, href } = it;
        json!([ordinal, href, slug, letter, state, name, organisation, sector])
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let data = json!({
        "v": 1, "count": count, "page": page, "previous": previous, "next": next,
        "switch": switch, "rows": rows,
    });
    ([(header::CONTENT_TYPE, "application/json")], data.to_string()).into_response()
}

/// Sends the reader to the row of one site among those of its sector that the reader sees.
fn place_of(console: &Console, asked: &Asked, ordinal: usize) -> Response {
    let sites = console.board.sites();
    let sectors = console.sectors(&sites);
    if !sites.get(ordinal).is_some_and(|site| asked.reads(site)) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let inside = |s: &&super::Sector| (s.from..s.from + s.count).contains(&ordinal);
    match sectors.iter().find(inside) {
        Some(sector) => {
            let filter = Filter { sector: sector.code.clone(), ..Filter::default() };
            let before = sites.get(sector.from..ordinal).unwrap_or_default();
            let page = before.iter().filter(|site| asked.reads(site)).count() / ROWS_MAX + 1;
            let href = filter.href(console.lang(asked), page);
            Redirect::to(&format!("{href}#site-{ordinal}")).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The page that was asked for of the sites that fit, and its address in the other language.
fn found(console: &Console, asked: &Asked, filter: &Filter) -> (SitesFound, String) {
    let lang = console.lang(asked);
    let Snapshot { sites, states, .. } = console.board.snapshot();
    let names = console.names.of(&sites);
    let fits = |(at, (site, state)): &(usize, (&BoardSite, &DisplayState))| {
        let names = names.get(*at).map_or("", String::as_str);
        filter.fits(site, **state, names) && asked.reads(site)
    };
    let found: Vec<_> = sites.iter().zip(&states).enumerate().filter(fits).collect();
    let pages = found.len().div_ceil(ROWS_MAX).max(1);
    let page = asked.page.parse().unwrap_or(1).clamp(1, pages);
    let link = |to: usize| match (1..=pages).contains(&to) {
        true => filter.href(lang, to),
        false => String::new(),
    };
    let part = found.iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX);
    let rows = part.map(|(ordinal, (site, state))| row(console, lang, *ordinal, (site, **state)));
    let found = SitesFound {
        count: texts::sites_count(lang, found.len()),
        rows: rows.collect(),
        page: texts::sites_page(lang, page, pages),
        previous: link(page - 1),
        next: link(page + 1),
    };
    (found, filter.href(lang.other(), page))
}

fn row(
    console: &Console,
    lang: Lang,
    ordinal: usize,
    (site, state): (&BoardSite, DisplayState),
) -> SiteRow {
    let href = format!("/site/{}?lang={}", encode(&site.slug), lang.tag());
    SiteRow {
        href: if console.engine.is_some() { href } else { String::new() },
        ordinal,
        slug: site.slug.clone(),
        letter: state.letter(),
        state: words::state(lang, state),
        name: name(site, lang).to_owned(),
        organisation: site.organisation.clone(),
        sector: words::sector(lang, &site.sector).to_owned(),
    }
}

fn sector_choices(sectors: &[super::Sector], lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |sector: &super::Sector| Choice {
        value: sector.code.clone(),
        text: words::sector(lang, &sector.code).to_owned(),
        chosen: sector.code == filter.sector,
    };
    sectors.iter().map(choice).collect()
}

fn state_choices(lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |value: String, text: &str| Choice {
        chosen: filter.state == value,
        text: text.to_owned(),
        value,
    };
    let groups = GROUPS.iter().map(|(name, (text, _))| choice((*name).to_owned(), text(lang)));
    let states = DisplayState::ALL
        .into_iter()
        .map(|state| choice(state.letter().to_string(), words::state(lang, state)));
    groups.chain(states).collect()
}

/// One site in one line of plain text, for the pointer on the wall.
pub(super) async fn one(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    let ordinal: usize = asked.site.parse().unwrap_or(usize::MAX);
    let Snapshot { sites, states, .. } = console.board.snapshot();
    match sites.get(ordinal).zip(states.get(ordinal)) {
        Some((site, state)) if asked.reads(site) => {
            let state = words::state(lang, *state);
            let name = name(site, lang);
            let text = format!("{} · {state} · {name} · {}", site.slug, site.organisation);
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
