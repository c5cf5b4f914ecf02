//! A policy that was signed on the machine, before somebody who decides: read, and confirmed.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::Engine;
use relight_engine::access::{Role, Scope};
use relight_web::act_views::PolicyWaits;
use relight_web::texts;
use serde::Deserialize;

use super::{step_up, told_page};
use crate::access::SignedIn;
use crate::access::form::SignedForm;
use crate::access::refusals::because;
use crate::console::{Asked, Console, blocking};
use crate::error::ServerError;
use crate::{policy_confirmed, policy_journal};

const HERE: &str = "/plans";

/// What is confirmed: exactly what was read.
#[derive(Debug, Deserialize)]
pub(super) struct Confirming {
    #[serde(default)]
    digest: String,
    #[serde(default)]
    key: String,
}

fn folder(engine: &Engine) -> &Path {
    engine.store().path().parent().unwrap_or(Path::new(""))
}

/// Who signed it; empty where that is not known, which a store that cannot be read does not say.
fn signer(engine: &Engine, digest: &str) -> Result<String, ServerError> {
    Ok(policy_journal::signer(engine.store(), digest)?.unwrap_or_default())
}

/// The policy that waits, as this reader sees it; an empty one where none does.
pub(super) fn waits(console: &Console, engine: &Engine, signed: &SignedIn) -> PolicyWaits {
    // One that cannot be read is told by the rules that hold meanwhile.
    let waiting = policy_confirmed::waiting(folder(engine), engine.store()).ok().flatten();
    let Some(waiting) = waiting.filter(|_| signed.account.reads(&Scope::root())) else {
        return PolicyWaits::default();
    };
    let by = signer(engine, &waiting.digest);
    let is_fresh = signed.is_fresh(console.door.now());
    PolicyWaits {
        may_confirm: by.as_ref().is_ok_and(|by| may_confirm(signed, by)),
        step_up: if is_fresh { String::new() } else { step_up(console, signed, HERE) },
        digest: waiting.digest,
        key: waiting.key,
        by: by.unwrap_or_default(),
        text: waiting.text,
    }
}

/// Who decides about everything, and did not sign it under the name of the account.
fn may_confirm(signed: &SignedIn, by: &str) -> bool {
    let decides = [Role::Commander, Role::Approver];
    let signer = by.split(" (uid ").next().unwrap_or(by);
    decides.into_iter().any(|role| signed.may(role, &Scope::root()))
        && signer.trim().to_lowercase() != signed.account.name.trim().to_lowercase()
}

pub(super) async fn confirm(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Confirming>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let lang = console.lang(&asked);
        let Ok(by) = signer(engine, &form.digest) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let Ok(signed) = console.door.must_be_fresh(&signed) else {
            return Redirect::to(&step_up(&console, &signed, HERE)).into_response();
        };
        if !may_confirm(&signed, &by) {
            let what = texts::act_policy_not_yours(lang).to_owned();
            let told = (what, texts::act_policy_not_yours_remedy(lang).to_owned());
            let told = told_page(&console, &asked, StatusCode::FORBIDDEN, told, HERE);
            return because(told, "policy-not-yours");
        }
        let seen = (form.digest.as_str(), form.key.as_str());
        let name = &signed.account.name;
        match policy_confirmed::confirm(folder(engine), engine, name, seen) {
            Ok(true) => Redirect::to(&format!("{HERE}?lang={}", lang.tag())).into_response(),
            Ok(false) => {
                let what = texts::act_policy_changed(lang).to_owned();
                let remedy = texts::act_policy_changed_remedy(lang).to_owned();
                told_page(&console, &asked, StatusCode::CONFLICT, (what, remedy), HERE)
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    })
    .await
}
