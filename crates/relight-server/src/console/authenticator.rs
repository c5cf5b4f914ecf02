//! What brings one back who lost every key, on the page about oneself: codes for recovery are made,
//! an authenticator app is set up, confirmed with a code, and removed.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_web::door_views::{AppSection, SecretPage};
use relight_web::{Lang, texts};
use serde::Deserialize;

use super::me::{Nothing, done};
use super::{Asked, Console, blocking};
use crate::access::SignedIn;
use crate::access::authenticator::AppState;
use crate::access::form::SignedForm;
use crate::page;

/// A code that somebody read off an app.
#[derive(Debug, Deserialize)]
pub(super) struct CodeForm {
    code: String,
}

/// What the page about oneself says of the app.
pub(super) fn section(console: &Console, signed: &SignedIn, lang: Lang) -> AppSection {
    let (door, account) = (&console.door, signed.account.id);
    let state = door.app_state(account);
    let takes = door.takes_apps(account);
    let text = match state {
        AppState::None if takes => texts::door_app_none(lang),
        AppState::None | AppState::NotForRole => texts::door_app_not_for_role(lang),
        AppState::Counts => texts::door_app_counts(lang),
        AppState::TooManyWrong => texts::door_app_wrong(lang),
    };
    AppSection {
        state: text,
        is_set: state != AppState::None,
        is_offered: takes,
        waits: takes && door.waits_for_code(account),
    }
}

/// Makes codes for recovery, and shows them once.
pub(super) async fn new_codes(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        let codes = match console.door.new_codes(&signed) {
            Ok(codes) => codes,
            Err(refusal) => return done(&console, &asked, Err(refusal)),
        };
        let switch = format!("/me?lang={}", lang.other().tag());
        let page = SecretPage {
            frame: console.frame(&asked, texts::door_codes(lang), "me", switch),
            text: texts::door_codes_shown(lang).to_owned(),
            secret: codes.join("\n"),
            back: "/me",
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

/// Makes a secret for an app, and shows it once.
pub(super) async fn make(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        let shown = match console.door.new_authenticator(&signed) {
            Ok(shown) => shown,
            Err(refusal) => return done(&console, &asked, Err(refusal)),
        };
        let switch = format!("/me?lang={}", lang.other().tag());
        let page = SecretPage {
            frame: console.frame(&asked, texts::door_app(lang), "me", switch),
            text: texts::door_app_shown(lang).to_owned(),
            secret: format!("{}\n{}", shown.secret, shown.address),
            back: "/me",
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

/// Takes the first code of an app.
pub(super) async fn confirm(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<CodeForm>,
) -> Response {
    blocking(move || {
        let confirmed = console.door.confirm_authenticator(&signed, &form.code);
        done(&console, &asked, confirmed)
    })
    .await
}

/// Removes the app.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || done(&console, &asked, console.door.remove_authenticator(&signed))).await
}
