//! `POST /watch/export`: a campaign in the words of other programs, for who looks after the watch.
//! What leaves is noted first, with who took it and why; it is applied by nobody here. Nothing
//! leaves a drill or the fictional province: no program that reads it would know.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use relight_engine::access::{Role, Scope};
use relight_engine::{Engine, EngineError, known_scanners, never_blocked};
use relight_formats::export::{
    BLOCK_DAYS_MAX, BlockForm, ExportHead, ExportedCampaign, Tlp, block_list, campaign_csv,
    misp_json, stix_bundle,
};
use relight_model::Campaign;
use relight_web::{Lang, texts};
use serde::Deserialize;

use super::{Asked, Console, act, blocking};
use crate::access::SignedIn;
use crate::access::form::SignedForm;
use crate::exports::exported;

/// Longest reason, in bytes.
const PURPOSE_BYTES_MAX: usize = 500;

/// What is asked for; what it does not say is empty.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    id: String,
    #[serde(default)]
    format: String,
    #[serde(default)]
    purpose: String,
}

/// Whether somebody may take a campaign along.
pub(super) fn may(console: &Console, signed: &SignedIn, engine: &Engine) -> bool {
    let person = act::person_of(console, signed, engine.now());
    [Role::Analyst, Role::Commander].iter().any(|role| person.may(*role, &Scope::root()))
}

pub(super) async fn export(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Form>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let lang = console.lang(&asked);
        let tell = |status, what: &str, remedy: &str| {
            let words = (what.to_owned(), remedy.to_owned());
            act::told_page(&console, &asked, status, words, "/watch")
        };
        if !may(&console, &signed, engine) {
            let (what, remedy) = (texts::act_no_role(lang), texts::act_no_role_remedy(lang));
            return tell(StatusCode::FORBIDDEN, what, remedy);
        }
        if console.stage.is_played() {
            let (what, remedy) = (texts::share_played(lang), texts::share_played_remedy(lang));
            return tell(StatusCode::CONFLICT, what, remedy);
        }
        let purpose = form.purpose.trim();
        if purpose.is_empty() || purpose.len() > PURPOSE_BYTES_MAX {
            let (what, remedy) =
                (texts::share_no_purpose(lang), texts::share_no_purpose_remedy(lang));
            return tell(StatusCode::UNPROCESSABLE_ENTITY, what, remedy);
        }
        // A line of the list that names nobody would block somebody who means well.
        if form.format == "blocklist"
            && !known_scanners(engine.store()).is_ok_and(|it| it.1.is_empty())
        {
            let (what, remedy) =
                (texts::share_list_faulty(lang), texts::share_list_faulty_remedy(lang));
            return tell(StatusCode::CONFLICT, what, remedy);
        }
        match written(engine, lang, &form) {
            Ok(Some(file)) => match note(engine, &signed, &form, purpose) {
                Ok(()) => file,
                Err(error) => act::refused(&console, &asked, &error, "/watch"),
            },
            Ok(None) => console.nothing(&asked),
            Err(error) => act::refused(&console, &asked, &error, "/watch"),
        }
    })
    .await
}

/// Before anything leaves: what cannot be noted is not taken.
fn note(engine: &Engine, signed: &SignedIn, form: &Form, purpose: &str) -> Result<(), EngineError> {
    let what = format!("{} {} {purpose}", form.id, form.format);
    Ok(engine.store().put_watch_note(engine.now(), &signed.account.name, "export", &what)?)
}

/// A campaign by its name of today, else of before.
pub(super) fn found<'a>(campaigns: &'a [Campaign], id: &str) -> Option<&'a Campaign> {
    let now = campaigns.iter().find(|it| it.id == id);
    now.or_else(|| campaigns.iter().find(|it| it.formerly.iter().any(|former| former == id)))
}

/// The file; `None` without such a campaign or form.
fn written(engine: &Engine, lang: Lang, form: &Form) -> Result<Option<Response>, EngineError> {
    let judged = engine.campaigns()?;
    let Some(campaign) = found(&judged.campaigns, &form.id) else { return Ok(None) };
    let bodies = engine.organisations()?;
    let name = |id| bodies.iter().find(|body| body.id == id).map(|body| body.name.clone());
    let names = campaign.organisations.iter().filter_map(|id| name(*id)).collect();
    let campaign = exported(campaign, names, lang);
    let head = ExportHead { installation: "relight", now: engine.now(), tlp: Tlp::default() };
    let (media, end, text) = match form.format.as_str() {
        "stix" => ("application/stix+json;version=2.1", "stix.json", stix_bundle(&campaign, &head)),
        "misp" => ("application/json", "misp.json", misp_json(&campaign, &head)),
        "csv" => ("text/csv; charset=utf-8", "csv", campaign_csv(&campaign)),
        "blocklist" => ("text/plain; charset=utf-8", "blocklist.txt", blocked(engine, campaign)?),
        _ => return Ok(None),
    };
    // The id is one of ours, so nothing in the name was written by a stranger.
    let name = format!("attachment; filename=\"{}.{end}\"", form.id);
    let headers = [(header::CONTENT_TYPE, media.to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok(Some((headers, text).into_response()))
}

/// Nobody who means well by the operator's own list is blocked.
fn blocked(engine: &Engine, campaign: ExportedCampaign) -> Result<String, EngineError> {
    let now = engine.now();
    let never = never_blocked(engine.store(), now)?;
    let list = block_list(&[campaign], BlockForm::Plain, BLOCK_DAYS_MAX, &never, now);
    Ok(list.text)
}
