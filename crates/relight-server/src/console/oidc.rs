//! `/sign-in/oidc`: away to a provider of identities, and back.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use relight_web::door_views::ArrivedPage;
use relight_web::{Lang, texts};
use serde::Deserialize;

use super::key_form::local;
use super::sign_in::{sign_in_page, start_page};
use super::{Asked, Console, blocking, me};
use crate::access::ceremony::Refusal;
use crate::access::form::{OpenForm, Sender};
use crate::access::limit::Trial;
use crate::access::links::Link;
use crate::access::oidc::{Back, Wish, away_cookie, next_of};
use crate::access::signed_in::Reader;
use crate::page;

/// What the address of a way out may carry.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Carried {
    #[serde(default)]
    next: String,
    /// Set when the person has to show who it is once more.
    #[serde(default)]
    again: String,
}

/// What somebody with a link sends to come in through the provider.
#[derive(Debug, Deserialize)]
pub(super) struct Coded {
    code: String,
}

impl Console {
    /// What people call the provider of identities; empty without one.
    pub(super) fn provider_name(&self) -> String {
        self.door.provider().map(|provider| provider.name().to_owned()).unwrap_or_default()
    }
}

/// Away to sign in. Nobody is signed in because a page elsewhere leads here while the provider
/// still knows the browser: that page gets the sign-in, to be pressed.
pub(super) async fn leave(
    State(console): State<Arc<Console>>,
    Query(carried): Query<Carried>,
    headers: HeaderMap,
    from: Sender,
    asked: Asked,
) -> Response {
    let next = with_lang(local(&carried.next), console.lang(&asked));
    if is_led(&headers) {
        let lang = console.lang(&asked).tag();
        let page = format!("/sign-in?next={}&lang={lang}", page::encode(&next));
        return Redirect::to(&page).into_response();
    }
    let wish = match &asked.reader {
        Reader::Signed(signed) => Wish::SignIn(Some(signed.sign_in)),
        Reader::Anyone => Wish::SignIn(None),
    };
    let is_again = !carried.again.is_empty();
    go(console, asked, from, (wish, next, is_again)).await
}

/// Away to come in with a link. A page leads on and no redirect: browsers let no form of ours end
/// on a page of somebody else.
pub(super) async fn enter(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    OpenForm(form): OpenForm<Coded>,
) -> Response {
    let Some((Link::Of(..), link)) = console.door.link(&form.code) else {
        return start_page(&console, &asked, (&form.code, ""), None);
    };
    if console.door.provider().is_none() {
        return console.nothing(&asked);
    }
    let lang = console.lang(&asked);
    let next = with_lang("/", lang);
    match console.door.leave(Wish::Enter(link), &next, (lang.tag(), false), &from).await {
        Ok(going) => {
            let switch = format!("/sign-in?lang={}", lang.other().tag());
            let page = ArrivedPage {
                frame: console.frame(&asked, texts::door_leaving_title(lang), "", switch),
                next: going.location,
            };
            let response = page::html(StatusCode::OK, relight_web::render(&page));
            ([(header::SET_COOKIE, going.cookie)], response).into_response()
        }
        Err(refusal) => not_in(console, asked, from, (next, refusal)).await,
    }
}

/// Away to bind an identity to the own account.
pub(super) async fn link(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
) -> Response {
    let refused = match &asked.reader {
        Reader::Signed(signed) => console.door.must_be_fresh(signed).err(),
        Reader::Anyone => return console.nothing(&asked),
    };
    if let Some(refusal) = refused {
        return me::me_page(&console, &asked, Some(&refusal));
    }
    let Reader::Signed(signed) = &asked.reader else { return console.nothing(&asked) };
    let next = format!("/me?lang={}", console.lang(&asked).tag());
    let wish = Wish::Link(signed.sign_in);
    go(console, asked, from, (wish, next, false)).await
}

/// Whether a page of somebody else led here. Browsers that do not say so are believed.
fn is_led(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// The address with its language, which a provider does not send back.
fn with_lang(next: &str, lang: Lang) -> String {
    if lang_of(next).is_some() {
        return next.to_owned();
    }
    let sign = if next.contains('?') { '&' } else { '?' };
    format!("{next}{sign}lang={}", lang.tag())
}

/// The language that an address names.
fn lang_of(next: &str) -> Option<Lang> {
    let (_, query) = next.split_once('?')?;
    query.split('&').find_map(|pair| Lang::parse(pair.strip_prefix("lang=")?))
}

async fn go(
    console: Arc<Console>,
    asked: Asked,
    from: Sender,
    (wish, next, is_again): (Wish, String, bool),
) -> Response {
    if console.door.provider().is_none() {
        return console.nothing(&asked);
    }
    let lang = console.lang(&asked).tag();
    match console.door.leave(wish, &next, (lang, is_again), &from).await {
        Ok(going) => {
            ([(header::SET_COOKIE, going.cookie)], Redirect::to(&going.location)).into_response()
        }
        Err(refusal) => not_in(console, asked, from, (next, refusal)).await,
    }
}

/// Back from the provider.
pub(super) async fn back(
    State(console): State<Arc<Console>>,
    Query(back): Query<Back>,
    headers: HeaderMap,
    from: Sender,
    mut asked: Asked,
) -> Response {
    if console.door.provider().is_none() {
        return console.nothing(&asked);
    }
    let next = next_of(&headers);
    if let Some(lang) = lang_of(&next) {
        asked.lang = lang.tag().to_owned();
    }
    let returned = match console.door.come_back(&back, &headers, &from).await {
        Ok(returned) => returned,
        Err(refusal) => return not_in(console, asked, from, (next, refusal)).await,
    };
    blocking(move || match console.door.arrive(&returned, &from) {
        Ok(cookie) => arrived(&console, &asked, local(&returned.next), cookie),
        Err(refusal) => {
            with_away_over(sign_in_page(&console, &asked, &returned.next, Some(&refusal)))
        }
    })
    .await
}

/// The page that goes on by itself. A redirect would not do: browsers count it as part of a way
/// that began elsewhere, and keep the cookie of the sign-in back.
fn arrived(console: &Console, asked: &Asked, next: &str, cookie: Option<String>) -> Response {
    let lang = console.lang(asked);
    let switch = format!("/sign-in?lang={}", lang.other().tag());
    let page = ArrivedPage {
        frame: console.frame(asked, texts::door_arrived_title(lang), "", switch),
        next: next.to_owned(),
    };
    let response = page::html(StatusCode::OK, relight_web::render(&page));
    let cookies = cookie.into_iter().map(|cookie| (header::SET_COOKIE, cookie));
    (AppendHeaders(cookies.collect::<Vec<_>>()), with_away_over(response)).into_response()
}

/// What a browser carried is good once.
fn with_away_over(response: Response) -> Response {
    (AppendHeaders([(header::SET_COOKIE, away_cookie(""))]), response).into_response()
}

/// The sign-in with what went wrong; the passkeys are there as before. It is journalled.
async fn not_in(
    console: Arc<Console>,
    asked: Asked,
    from: Sender,
    (next, (refusal, trial)): (String, (Refusal, Trial)),
) -> Response {
    blocking(move || {
        let refusal = console.door.refuse(refusal, trial, 0, &from);
        with_away_over(sign_in_page(&console, &asked, &next, Some(&refusal)))
    })
    .await
}
