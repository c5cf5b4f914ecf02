//! `/plans`: what waits for agreement, what was decided, and broken glass.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use relight_engine::Engine;
use relight_engine::access::Scope;
use relight_engine::incident::{Action, Glass};
use relight_engine::policy::BREAK_GLASS_REVIEW_S;
use relight_model::{Digest, Timestamp};
use relight_web::act_views::{GlassRow, PlanRow, PlansPage};
use relight_web::{Lang, texts};
use serde::Deserialize;

use super::{approve, moment, new_policy, person_of, plan_view, policy_of, reads_plan, refused};
use crate::access::SignedIn;
use crate::access::form::SignedForm;
use crate::console::{Asked, Console, blocking};
use crate::page;
use crate::sse::topic::Topic;

/// Plans on the page, and as many times that glass was broken.
const ROWS_MAX: usize = 100;

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    signed: SignedIn,
    asked: Asked,
) -> Response {
    blocking(move || match &console.engine {
        Some(engine) => {
            let page = view(&console, engine, &signed, &asked);
            page::html(StatusCode::OK, relight_web::render(&page))
        }
        None => console.nothing(&asked),
    })
    .await
}

fn view(console: &Console, engine: &Engine, signed: &SignedIn, asked: &Asked) -> PlansPage {
    let (lang, now) = (console.lang(asked), engine.now());
    let policy = policy_of(engine);
    let (rows, glass) = engine.with_ledger(|ledger| {
        let actions = ledger.actions().newest().filter(|it| reads_plan(signed, &it.plan));
        let rows = actions.take(ROWS_MAX).map(|action| row(lang, action, now)).collect();
        let sees = signed.account.reads(&Scope::root());
        let glass = ledger.actions().glass().iter().rev().filter(|_| sees);
        // What nobody reviewed yet comes first: it must not fall off the end of the list.
        let (waiting, reviewed): (Vec<_>, Vec<_>) = glass.partition(|it| it.reviewed.is_none());
        let glass = waiting.into_iter().chain(reviewed).take(ROWS_MAX);
        (rows, glass.map(|glass| glass_row(lang, glass, now)).collect())
    });
    let holds = match (policy.is_signed, policy.two_max) {
        (true, two_max) => texts::act_policy_holds(lang, policy.alone_max, two_max),
        (false, 0) => texts::act_policy_damaged(lang).to_owned(),
        (false, _) => texts::act_policy_strict(lang).to_owned(),
    };
    let switch = format!("/plans?lang={}", lang.other().tag());
    let mut page = PlansPage {
        frame: console.frame(asked, texts::act_plans(lang), "plans", switch),
        rows,
        glass,
        policy: holds,
        strict: !policy.is_signed,
        token: console.door.form_token(signed),
        waits: new_policy::waits(console, engine, signed),
    };
    page.frame.fresh = Topic::Plans.mark(&text_of(&page));
    page
}

/// What the page shows, as one text.
pub(crate) fn shown(
    console: &Console,
    engine: &Engine,
    signed: &SignedIn,
    asked: &Asked,
) -> String {
    text_of(&view(console, engine, signed, asked))
}

/// What the page of one plan shows that others change: where it stands, and who signed. `None`
/// where it is none that this reader may read.
pub(crate) fn one(
    console: &Console,
    engine: &Engine,
    signed: &SignedIn,
    asked: &Asked,
    id: &str,
) -> Option<String> {
    let action = approve::find(engine, signed, id)?;
    Some(text_of_one(console.lang(asked), &action, engine.now()))
}

/// What the page of one plan carries, so that its stream can say whether it is old.
pub(super) fn mark_of_one(lang: Lang, action: &Action, now: Timestamp) -> (String, String) {
    Topic::Plan(action.id()).mark(&text_of_one(lang, action, now))
}

fn text_of_one(lang: Lang, action: &Action, now: Timestamp) -> String {
    format!("{:?} {:?}", approve::standing(lang, action, now), action.signatures)
}

fn text_of(page: &PlansPage) -> String {
    format!("{:?} {:?} {} {:?}", page.rows, page.glass, page.policy, page.waits)
}

fn row(lang: Lang, action: &Action, now: Timestamp) -> PlanRow {
    let plan = &action.plan;
    let (standing, code) = approve::standing(lang, action, now);
    PlanRow {
        id: action.id(),
        what: texts::act_row(lang, &plan_view::action_of(lang, plan), plan.sites.len()),
        proposer: plan.proposer.clone(),
        at: moment(lang, plan.created),
        standing,
        waits: code == "waiting",
    }
}

fn glass_row(lang: Lang, glass: &Glass, now: Timestamp) -> GlassRow {
    let reviewed = glass.reviewed.as_ref();
    GlassRow {
        plan: glass.plan.to_string(),
        what: texts::act_glass_row(lang, &moment(lang, glass.at), &glass.by, &glass.reason),
        reviewed: reviewed.map(|by| texts::act_glass_reviewed(lang, by)).unwrap_or_default(),
        late: reviewed.is_none() && now - glass.at > BREAK_GLASS_REVIEW_S,
    }
}

/// What a review found.
#[derive(Debug, Deserialize)]
pub(super) struct Review {
    #[serde(default)]
    plan: String,
    #[serde(default)]
    note: String,
}

pub(super) async fn review(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<Review>,
) -> Response {
    blocking(move || {
        let Some(engine) = &console.engine else { return console.nothing(&asked) };
        let plan = Digest::parse(form.plan.trim()).unwrap_or_default();
        let person = person_of(&console, &signed, engine.now());
        match engine.review_glass(&policy_of(engine), &person, plan, &form.note) {
            Ok(()) => {
                Redirect::to(&format!("/plans?lang={}", console.lang(&asked).tag())).into_response()
            }
            Err(error) => refused(&console, &asked, &error, "/plans"),
        }
    })
    .await
}
