//! The console: the incident wall, the table of sites, and the stream that keeps them alive.

mod incident;
mod sites;
pub(crate) mod tally;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use relight_engine::live::{Board, BoardSite};
use relight_web::views::{Frame, NotFoundPage};
use relight_web::{Lang, texts};
use serde::Deserialize;

use self::tally::Sector;
use crate::page;
use crate::sse::{self, Streams};

/// What every handler of the console shares.
#[derive(Debug)]
pub(crate) struct Console {
    /// The board that it shows.
    pub(crate) board: Arc<Board>,
    /// Where its sectors stand.
    pub(crate) sectors: Vec<Sector>,
    /// Language without `?lang=`.
    pub(crate) lang: Lang,
    /// Address of the public page, ending in `/`.
    pub(crate) public_url: String,
    /// Names this life of the server, so that no stream continues across a restart.
    pub(crate) life: String,
    /// Open event streams.
    pub(crate) streams: Streams,
}

/// What an address may ask for; values that mean nothing count as absent.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    lang: String,
    #[serde(default)]
    pub(crate) since: String,
    #[serde(default)]
    sector: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    site: String,
}

impl Console {
    /// The language that was asked for, else the default.
    pub(crate) fn lang(&self, asked: &Asked) -> Lang {
        Lang::parse(&asked.lang).unwrap_or(self.lang)
    }

    fn frame(&self, lang: Lang, title: &str, here: &'static str, switch_href: String) -> Frame {
        let public_url = self.public_url.clone();
        Frame { lang, title: title.to_owned(), here, switch_href, public_url }
    }
}

/// The name of a site in a language; the other language's or the short name where it is missing.
pub(crate) fn name(site: &BoardSite, lang: Lang) -> &str {
    let (own, other) = match lang {
        Lang::Fr => (&site.name_fr, &site.name_en),
        Lang::En => (&site.name_en, &site.name_fr),
    };
    [own, other].into_iter().find(|name| !name.is_empty()).unwrap_or(&site.slug)
}

/// Every address of the console.
pub(crate) fn router(console: Arc<Console>) -> Router {
    Router::new()
        .route("/", get(incident::show))
        .route("/sites", get(sites::table))
        .route("/site", get(sites::one))
        .route("/events", get(sse::events))
        .route("/assets/{name}", get(page::asset))
        .fallback(get(not_found))
        .with_state(console)
        .layer(axum::middleware::map_response(async |response: Response| {
            page::secure(response, page::CONSOLE_POLICY)
        }))
}

async fn not_found(State(console): State<Arc<Console>>, Query(asked): Query<Asked>) -> Response {
    let lang = console.lang(&asked);
    let switch = format!("/?lang={}", lang.other().tag());
    let frame = console.frame(lang, texts::not_found_title(lang), "", switch);
    page::html(StatusCode::NOT_FOUND, relight_web::render(&NotFoundPage { frame }))
}
