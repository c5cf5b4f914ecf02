//! The public page: what the last proof saw of public sites, and nothing else.
//!
//! Verdicts, intent, components, plans and people cannot get here: the pages are computed from
//! [`Seen`], which holds names and proven lights only, and a test compares boards that differ in
//! everything else byte by byte.

mod data;
mod pages;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use relight_engine::live::{Board, BoardSite};
use relight_web::{Lang, words};

use crate::{clock, page};

/// What anybody may know of the board.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// Public sites in the board's order, and whether they are lit: not proven dark.
    sites: Vec<(&'a BoardSite, bool)>,
}

impl<'a> Seen<'a> {
    /// The public part of a board.
    fn of(sites: &'a [BoardSite], proven_dark: &[bool]) -> Self {
        let seen = sites.iter().zip(proven_dark).filter(|(site, _)| site.public);
        Self { sites: seen.map(|(site, dark)| (site, !dark)).collect() }
    }

    /// Those of one sector.
    fn sector(&self, code: &str) -> Self {
        let inside = self.sites.iter().filter(|(site, _)| site.sector == code);
        Self { sites: inside.copied().collect() }
    }

    fn lit(&self) -> usize {
        self.sites.iter().filter(|(_, lit)| *lit).count()
    }

    fn total(&self) -> usize {
        self.sites.len()
    }

    /// Codes of the sectors that have a public site, sorted by their names.
    fn sectors(&self, lang: Lang) -> Vec<&'a str> {
        let mut codes: Vec<&str> =
            self.sites.iter().map(|(site, _)| site.sector.as_str()).collect();
        codes.dedup();
        codes.sort_by_cached_key(|code| alphabetical(words::sector(lang, code)));
        codes
    }
}

/// A key that sorts names as people look for them: accents and case do not count at first.
fn alphabetical(name: &str) -> (String, String) {
    let plain = |letter: char| match letter {
        'à' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        other => other,
    };
    (name.to_lowercase().chars().map(plain).collect(), name.to_owned())
}

#[derive(Debug)]
struct Public {
    board: Arc<Board>,
    lang: Lang,
}

/// Every address of the public page: reading only, no cookie, no query.
pub(crate) fn router(board: Arc<Board>, lang: Lang) -> Router {
    Router::new()
        .route("/", get(first))
        .route("/fr/", get(async |public: State<Arc<Public>>| home(&public, Lang::Fr)))
        .route("/en/", get(async |public: State<Arc<Public>>| home(&public, Lang::En)))
        .route(
            "/fr/secteur/{code}",
            get(async |public: State<Arc<Public>>, code: Path<String>| {
                sector(&public, Lang::Fr, &code)
            }),
        )
        .route(
            "/en/sector/{code}",
            get(async |public: State<Arc<Public>>, code: Path<String>| {
                sector(&public, Lang::En, &code)
            }),
        )
        .route("/sites.csv", get(csv))
        .route("/summary.json", get(summary))
        .route("/assets/{name}", get(page::asset))
        .with_state(Arc::new(Public { board, lang }))
        .layer(axum::middleware::map_response(async |response: Response| {
            page::secure(response, page::PUBLIC_POLICY)
        }))
}

async fn first(public: State<Arc<Public>>) -> Response {
    home(&public, public.lang)
}

fn home(public: &Public, lang: Lang) -> Response {
    let proven = public.board.snapshot().proven_dark;
    let seen = Seen::of(public.board.sites(), &proven);
    page::html(StatusCode::OK, relight_web::render(&pages::home(&seen, lang, clock::now())))
}

fn sector(public: &Public, lang: Lang, code: &str) -> Response {
    let proven = public.board.snapshot().proven_dark;
    let seen = Seen::of(public.board.sites(), &proven).sector(code);
    if seen.total() == 0 {
        return StatusCode::NOT_FOUND.into_response();
    }
    let page = pages::sector(&seen, code, lang, clock::now());
    page::html(StatusCode::OK, relight_web::render(&page))
}

async fn csv(public: State<Arc<Public>>) -> Response {
    let proven = public.board.snapshot().proven_dark;
    let text = data::csv(&Seen::of(public.board.sites(), &proven), clock::now());
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], text).into_response()
}

async fn summary(public: State<Arc<Public>>) -> Response {
    let proven = public.board.snapshot().proven_dark;
    let text = data::summary(&Seen::of(public.board.sites(), &proven), clock::now());
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

#[cfg(test)]
mod tests {
    use relight_engine::live::Headline;
    use relight_model::DisplayState;

    use super::*;

    fn board() -> Board {
        let sectors = words::SECTORS;
        let site = |at: usize| BoardSite {
            sector: sectors[at % sectors.len()].into(),
            organisation: format!("Organisme {}", at % 304),
            slug: format!("site-{at:04}"),
            name_fr: format!("Service numéro {at}"),
            name_en: format!("Service number {at}"),
            public: at % 10 != 3,
        };
        Board::new(Headline::default(), (0..3992).map(site).collect())
    }

    /// Everything that the public listener can say of a board at a fixed time.
    fn everything(board: &Board) -> Vec<String> {
        let snapshot = board.snapshot();
        let seen = Seen::of(board.sites(), &snapshot.proven_dark);
        let mut texts = vec![data::csv(&seen, 7), data::summary(&seen, 7)];
        for lang in Lang::ALL {
            texts.push(relight_web::render(&pages::home(&seen, lang, 7)).unwrap());
            for code in seen.sectors(lang) {
                let page = pages::sector(&seen.sector(code), code, lang, 7);
                texts.push(relight_web::render(&page).unwrap());
            }
        }
        texts
    }

    fn set(board: &Board, proven: &[bool], states: impl Fn(usize, bool) -> DisplayState) {
        let changes: Vec<_> =
            proven.iter().enumerate().map(|(at, dark)| (at, states(at, *dark), *dark)).collect();
        board.set(&changes);
    }

    #[test]
    fn boards_with_equal_proofs_are_equal_to_the_public() {
        use DisplayState::{Affected, Analysing, Dark, DarkRequested, Exposed, Fixing, Online};
        use DisplayState::{RelitFixed, Verifying};
        let mut rng = testkit::Rng::new(44_228);
        let proven: Vec<bool> = (0..3992).map(|_| rng.below(3) == 0).collect();
        let (calm, storm) = (board(), board());
        set(&calm, &proven, |_, dark| if dark { Dark } else { Online });
        set(&storm, &proven, |at, dark| {
            if dark {
                [Verifying, Fixing, Affected, Analysing, Dark][at % 5]
            } else {
                [DarkRequested, Exposed, RelitFixed, Online][at % 4]
            }
        });
        storm.log(0, "log-exposed", vec!["site-0001".into()]);
        storm.set_headline(Headline { id: "CVE-2021-44228".into(), ..Headline::default() });
        assert_ne!(calm.snapshot().states, storm.snapshot().states);
        assert_eq!(everything(&calm), everything(&storm));
        let mut other = proven;
        other[0] = !other[0];
        let changed = board();
        set(&changed, &other, |_, dark| if dark { Dark } else { Online });
        assert_ne!(everything(&calm), everything(&changed));
    }

    #[test]
    fn a_site_that_is_not_public_is_not_there() {
        let board = board();
        for text in everything(&board) {
            assert!(!text.contains("site-0003") && !text.contains("number 3<"));
        }
    }

    #[test]
    fn the_first_view_is_small() {
        let board = board();
        let seen = Seen::of(board.sites(), &board.snapshot().proven_dark);
        for lang in Lang::ALL {
            let html = relight_web::render(&pages::home(&seen, lang, 0)).unwrap();
            let style =
                relight_web::assets::ASSETS.iter().find(|a| a.file == "public.css").unwrap();
            assert!(html.len() + style.text.len() <= 30_000, "{}", html.len() + style.text.len());
            assert!(!html.contains("<script"));
        }
    }

    #[test]
    fn sectors_are_in_the_order_of_the_alphabet() {
        let board = board();
        let seen = Seen::of(board.sites(), &board.snapshot().proven_dark);
        let names: Vec<&str> =
            seen.sectors(Lang::Fr).into_iter().map(|code| words::sector(Lang::Fr, code)).collect();
        let at = |name: &str| names.iter().position(|n| *n == name);
        assert_eq!(names.len(), 24);
        assert!(at("Culture") < at("Économie") && at("Économie") < at("Famille"), "{names:?}");
    }
}
