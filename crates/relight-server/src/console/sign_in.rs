//! `/sign-in` and `/start`: coming in with a passkey, and with a link for the first one.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_web::door_views::{KeyForm, SignInPage, StartPage};
use relight_web::texts;
use serde::Deserialize;

use super::key_form::{local, status, words};
use super::{Asked, Console, blocking};
use crate::access::ceremony::{Refusal, Shown};
use crate::access::form::{OpenForm, Sender};
use crate::access::links::{Entering, Link};
use crate::access::signed_in::Reader;
use crate::access::ticket::Purpose;
use crate::access::{Factor, SignedIn};
use crate::page::{self, encode};

/// What an address may carry.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Carried {
    #[serde(default)]
    next: String,
}

/// The form of a sign-in.
#[derive(Debug, Deserialize)]
pub(super) struct SignInForm {
    ticket: String,
    answer: String,
    #[serde(default)]
    next: String,
}

/// The form of a first key; without an answer, that of the code alone, which opens its page.
#[derive(Debug, Deserialize)]
pub(super) struct StartForm {
    code: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    recovery: String,
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    answer: String,
}

/// The page of the sign-in.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    Query(carried): Query<Carried>,
    asked: Asked,
) -> Response {
    if console.door.is_for_all() {
        return Redirect::to("/").into_response();
    }
    sign_in_page(&console, &asked, &carried.next, None)
}

pub(super) fn sign_in_page(
    console: &Console,
    asked: &Asked,
    next: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let lang = console.lang(asked);
    let next = local(next);
    let switch = format!("/sign-in?lang={}&next={}", lang.other().tag(), encode(next));
    let page = SignInPage {
        frame: console.frame(asked, texts::door_sign_in_title(lang), "", switch),
        problem: refusal.map(|refusal| words(lang, refusal)).unwrap_or_default(),
        key: console.shows_key(Purpose::SignIn, &[]),
        next: next.to_owned(),
        provider: console.provider_name(),
        leave: format!("/sign-in/oidc?lang={}&next={}", lang.tag(), encode(next)),
    };
    page::html(refusal.map_or(StatusCode::OK, status), relight_web::render(&page))
}

/// Signs in.
pub(super) async fn sign_in(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    OpenForm(form): OpenForm<SignInForm>,
) -> Response {
    blocking(move || {
        let shown = Shown { ticket: &form.ticket, answer: &form.answer, from: &from };
        let before = match &asked.reader {
            Reader::Signed(signed) => Some(signed),
            Reader::Anyone => None,
        };
        match console.door.sign_in(shown, before) {
            Ok(cookie) => come_in(&cookie, local(&form.next)),
            Err(refusal) => sign_in_page(&console, &asked, &form.next, Some(&refusal)),
        }
    })
    .await
}

fn come_in(cookie: &str, next: &str) -> Response {
    ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
}

/// The page behind a link, whose code the address does not bring: it is asked for, and the page's
/// module takes it from behind `#`.
pub(super) async fn start(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    start_page(&console, &asked, ("", ""), None)
}

pub(super) fn start_page(
    console: &Console,
    asked: &Asked,
    (code, chosen): (&str, &str),
    refusal: Option<&Refusal>,
) -> Response {
    let lang = console.lang(asked);
    // The code goes along where it came from: behind `#`.
    let behind = if code.is_empty() { String::new() } else { format!("#code={}", encode(code)) };
    let switch = format!("/start?lang={}{behind}", lang.other().tag());
    let mut code_needed = "";
    let (account, key) = match console.door.link(code) {
        Some((Link::First, digest)) => {
            (String::new(), console.makes_key(Purpose::Register(&digest), "", &[]))
        }
        Some((Link::Of(id, name), digest)) => {
            code_needed = match console.door.needs_code(id) {
                true if console.door.takes_apps(id) => texts::door_code_or_app_needed(lang),
                true => texts::door_code_needed(lang),
                false => "",
            };
            let key = console.makes_key(Purpose::Register(&digest), &name, &[]);
            (name, key)
        }
        None => (String::new(), KeyForm::default()),
    };
    let is_offered = !account.is_empty() && code_needed.is_empty();
    let is_dead = key.ticket.is_empty() && !code.is_empty();
    let found = if is_dead { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let page = StartPage {
        frame: console.frame(asked, texts::door_start_title(lang), "", switch),
        problem: refusal.map(|refusal| words(lang, refusal)).unwrap_or_default(),
        code: code.to_owned(),
        provider: if is_offered { console.provider_name() } else { String::new() },
        account,
        code_needed,
        chosen: chosen.to_owned(),
        key,
    };
    page::html(refusal.map_or(found, status), relight_web::render(&page))
}

/// Opens the page behind a code, or registers the first key of an account there.
pub(super) async fn enter(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    OpenForm(form): OpenForm<StartForm>,
) -> Response {
    blocking(move || {
        if form.ticket.is_empty() && form.answer.is_empty() {
            return start_page(&console, &asked, (&form.code, ""), None);
        }
        let StartForm { code, name, label, recovery, ticket, answer } = &form;
        let shown = Shown { ticket, answer, from: &from };
        let is_first = matches!(console.door.link(code), Some((Link::First, _)));
        match console.door.enter(Entering { code, name, label, recovery, shown }) {
            Ok(cookie) => {
                let next = if is_first { "/accounts" } else { "/me" };
                come_in(&cookie, &format!("{next}?lang={}", console.lang(&asked).tag()))
            }
            Err(refusal) => start_page(&console, &asked, (code, name), Some(&refusal)),
        }
    })
    .await
}

/// Somebody who is a person: programs with a token have no pages of their own.
pub(super) fn person(reader: &Reader) -> Option<&SignedIn> {
    match reader {
        Reader::Signed(signed) if signed.factor != Factor::Token => Some(signed),
        _ => None,
    }
}
