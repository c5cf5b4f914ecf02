//! What somebody who is signed in does with the sign-in itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_engine::store::AccountChange;
use serde::Deserialize;

use super::{Console, blocking};
use crate::access::Noted;
use crate::access::form::SignedForm;
use crate::access::sign_ins::set_cookie;

/// A form that says nothing but who sent it.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// Ends the sign-in of the request.
pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || {
        let name = &signed.account.name;
        let noted = Noted { act: "signed-out", account: name, facts: &[] };
        let ended = console.door.record(name, noted, &[AccountChange::SignOut(signed.sign_in)]);
        match ended {
            Ok(()) => {
                let gone = [(header::SET_COOKIE, set_cookie("", 0))];
                (gone, Redirect::to("/sign-in")).into_response()
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    })
    .await
}
