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

/// The page of a secret, under a title and beside what it is for.
fn shown_once(
    console: &Console,
    asked: &Asked,
    (title, text): (&str, &str),
    secret: String,
) -> Response {
    let switch = format!("/me?lang={}", console.lang(asked).other().tag());
    let frame = console.frame(asked, title, "me", switch);
    let page = SecretPage { frame, text: text.to_owned(), secret, back: "/me" };
    page::html(StatusCode::OK, relight_web::render(&page))
}

/// Makes codes for recovery, and shows them once.
pub(super) async fn new_codes(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        let words = (texts::door_codes(lang), texts::door_codes_shown(lang));
        match console.door.new_codes(&signed) {
            Ok(codes) => shown_once(&console, &asked, words, codes.join("\n")),
            Err(refusal) => done(&console, &asked, Err(refusal)),
        }
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
        let words = (texts::door_app(lang), texts::door_app_shown(lang));
        match console.door.new_authenticator(&signed) {
            Ok(shown) => {
                let secret = format!("{}\n{}", shown.secret, shown.address);
                shown_once(&console, &asked, words, secret)
            }
            Err(refusal) => done(&console, &asked, Err(refusal)),
        }
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
