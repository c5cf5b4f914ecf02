//! `/sites`: the table of sites, filtered on the server, a hundred rows a page; `/site`: one line.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_model::DisplayState;
use relight_web::views::{Choice, SiteRow, SitesPage};
use relight_web::{Lang, texts, words};

use super::{Asked, Console, name};
use crate::page::{self, encode};

/// Rows of one page: thousands of rows would make a browser slow.
const ROWS_MAX: usize = 100;

/// A filter that has been read.
#[derive(Clone, Debug, Default)]
struct Filter {
    sector: String,
    state: Option<DisplayState>,
}

impl Filter {
    fn of(asked: &Asked) -> Self {
        let letter = asked.state.chars().next();
        let state = DisplayState::ALL.into_iter().find(|s| Some(s.letter()) == letter);
        Self { sector: asked.sector.clone(), state }
    }

    fn href(&self, lang: Lang, page: usize) -> String {
        let letter = self.state.map(|s| s.letter().to_string()).unwrap_or_default();
        let sector = encode(&self.sector);
        format!("/sites?lang={}&sector={sector}&state={letter}&page={page}", lang.tag())
    }
}

pub(super) async fn table(
    State(console): State<Arc<Console>>,
    Query(asked): Query<Asked>,
) -> Response {
    let lang = console.lang(&asked);
    if let Ok(ordinal) = asked.site.parse() {
        return place_of(&console, lang, ordinal);
    }
    let page = asked.page.parse().unwrap_or(1);
    let page = view(&console, lang, &Filter::of(&asked), page);
    page::html(StatusCode::OK, relight_web::render(&page))
}

/// Sends the reader to the row of one site among those of its sector.
fn place_of(console: &Console, lang: Lang, ordinal: usize) -> Response {
    let inside = |s: &&super::Sector| (s.from..s.from + s.count).contains(&ordinal);
    match console.sectors.iter().find(inside) {
        Some(sector) => {
            let filter = Filter { sector: sector.code.clone(), state: None };
            let page = (ordinal - sector.from) / ROWS_MAX + 1;
            let href = filter.href(lang, page);
            Redirect::to(&format!("{href}#site-{ordinal}")).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn view(console: &Console, lang: Lang, filter: &Filter, page: usize) -> SitesPage {
    let states = console.board.snapshot().states;
    let sites = console.board.sites();
    let fits = |(_, (site, state)): &(usize, (&_, &DisplayState))| {
        let site: &relight_engine::live::BoardSite = site;
        (filter.sector.is_empty() || site.sector == filter.sector)
            && filter.state.is_none_or(|wanted| wanted == **state)
    };
    let found: Vec<_> = sites.iter().zip(&states).enumerate().filter(fits).collect();
    let pages = found.len().div_ceil(ROWS_MAX).max(1);
    let page = page.clamp(1, pages);
    let row = |(ordinal, (site, state)): &(usize, (&_, &DisplayState))| {
        let site: &relight_engine::live::BoardSite = site;
        SiteRow {
            ordinal: *ordinal,
            slug: site.slug.clone(),
            letter: state.letter(),
            state: words::state(lang, **state),
            name: name(site, lang).to_owned(),
            organisation: site.organisation.clone(),
            sector: words::sector(lang, &site.sector).to_owned(),
        }
    };
    let switch = filter.href(lang.other(), page);
    let link = |to: usize| (1..=pages).contains(&to).then(|| filter.href(lang, to));
    SitesPage {
        frame: console.frame(lang, texts::sites_title(lang), "sites", switch),
        count: texts::sites_count(lang, found.len()),
        sectors: sector_choices(console, lang, filter),
        states: state_choices(lang, filter),
        rows: found.iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX).map(row).collect(),
        page: texts::sites_page(lang, page, pages),
        previous: link(page - 1).unwrap_or_default(),
        next: link(page + 1).unwrap_or_default(),
    }
}

fn sector_choices(console: &Console, lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |sector: &super::Sector| Choice {
        value: sector.code.clone(),
        text: words::sector(lang, &sector.code).to_owned(),
        chosen: sector.code == filter.sector,
    };
    console.sectors.iter().map(choice).collect()
}

fn state_choices(lang: Lang, filter: &Filter) -> Vec<Choice> {
    let choice = |state: DisplayState| Choice {
        value: state.letter().to_string(),
        text: words::state(lang, state).to_owned(),
        chosen: filter.state == Some(state),
    };
    DisplayState::ALL.map(choice).into()
}

/// One site in one line of plain text, for the pointer on the wall.
pub(super) async fn one(
    State(console): State<Arc<Console>>,
    Query(asked): Query<Asked>,
) -> Response {
    let lang = console.lang(&asked);
    let ordinal: usize = asked.site.parse().unwrap_or(usize::MAX);
    let states = console.board.snapshot().states;
    match console.board.sites().get(ordinal).zip(states.get(ordinal)) {
        Some((site, state)) => {
            let state = words::state(lang, *state);
            let name = name(site, lang);
            let text = format!("{} · {state} · {name} · {}", site.slug, site.organisation);
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
