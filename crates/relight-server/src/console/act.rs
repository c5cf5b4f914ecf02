//! Where people act: plans, their approval, and what is done about an incident or one site.
//!
//! Each form is one act of the engine, journalled under the name of whoever sent it; what is
//! refused says why and what to do, and changes nothing.

mod accept;
pub(super) mod approve;
pub(super) mod choose;
mod denied;
pub(super) mod forms;
pub(super) mod new_policy;
mod plan;
pub(super) mod plan_view;
pub(crate) mod plans;
pub(crate) mod rollout;

use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Proof, first_named};
use relight_engine::plan::{Plan, PlanStale, RENAMED_TOLD_MAX};
use relight_engine::policy::{Means, Person, Policy, Refusal};
use relight_engine::{Engine, EngineError, EngineErrorKind};
use relight_model::Timestamp;
use relight_web::act_views::ToldPage;
use relight_web::{Lang, number, texts};

use super::pages::Who::Part;
use super::pages::{ConsolePage, shows, takes};
use super::{Asked, Console};
use crate::access::refusals::because;
use crate::access::{Factor, SignedIn};
use crate::policy_file::PolicyFile;
use crate::{page, proof};

/// Plans, and what is done about an incident or a site.
pub(super) fn pages() -> [ConsolePage; 12] {
    use Role::{Analyst, Approver, Auditor, Commander, Publisher, SiteOwner};
    const LOOKS_AFTER: [Role; 5] = [SiteOwner, Commander, Analyst, Approver, Publisher];
    [
        shows(Part, "/plan", plan::show),
        takes(Part, "/plan", plan::propose).roles(&[Commander, SiteOwner]),
        shows(Part, "/approve/{id}", approve::show),
        takes(Part, "/approve/{id}", approve::decide).roles(&[Approver, Commander, SiteOwner]),
        shows(Part, "/plans", plans::show),
        takes(Part, "/plans/glass", plans::review).roles(&[Approver, Auditor, Commander]),
        takes(Part, "/plans/policy", new_policy::confirm).roles(&[Approver, Commander]),
        takes(Part, "/incident/open", forms::open).roles(&[Commander]),
        takes(Part, "/incident/close", forms::close).roles(&[Commander]),
        takes(Part, "/incident/preview", forms::preview).roles(&[Publisher, Commander]),
        takes(Part, "/incident/update", forms::update).roles(&[Publisher, Commander]),
        takes(Part, "/site/{slug}/act", forms::site).roles(&LOOKS_AFTER),
    ]
}

/// Whoever sends a request, as the policy sees him at this instant. The word of a provider counts
/// only with a second factor that was shown just now, and only where there is no passkey.
pub(crate) fn person_of(console: &Console, signed: &SignedIn, now: Timestamp) -> Person {
    let means = match signed.factor {
        Factor::Token => Means::Token,
        _ if signed.is_fresh(now) => Means::Passkey,
        Factor::Passkey => Means::SignedIn,
        _ if signed.is_vouched(now) && !has_key(console, signed) => Means::Provider,
        Factor::Oidc => Means::Named,
    };
    let account = &signed.account;
    Person { name: account.name.clone(), grants: account.grants.clone(), means }
}

/// Whether somebody has a passkey here that counts: a weaker one is refused wherever it is shown,
/// so that it must not be asked for in place of the provider.
fn has_key(console: &Console, signed: &SignedIn) -> bool {
    !console.door.strong_keys(signed.account.id).is_empty()
}

/// Whoever approves a plan. Who has a passkey signs the plan itself with it: a passkey that was
/// shown for something else lately is no signature.
pub(crate) fn signer_of(
    console: &Console,
    signed: &SignedIn,
    proof: Option<&Proof>,
    now: Timestamp,
) -> Person {
    let person = person_of(console, signed, now);
    let means = match person.means {
        Means::Token => Means::Token,
        _ if proof.is_some_and(proof::is_of_hardware) => Means::HardwareKey,
        _ if proof.is_some() => Means::Passkey,
        Means::Passkey if has_key(console, signed) => Means::SignedIn,
        means => means,
    };
    Person { means, ..person }
}

/// Somebody as the policy will see him once he signed: who has a passkey is asked for it by then.
fn will_sign(console: &Console, signed: &SignedIn, now: Timestamp) -> Person {
    let person = signer_of(console, signed, None, now);
    let is_asked = person.means != Means::Token && has_key(console, signed);
    Person { means: if is_asked { Means::Passkey } else { person.means }, ..person }
}

/// The rules that hold now. One that cannot be read may have been stricter than the built-in ones.
pub(crate) fn policy_of(engine: &Engine) -> Policy {
    let folder = engine.store().path().parent().map(std::path::Path::to_path_buf);
    let read = folder.map(|folder| PolicyFile::read(&folder, engine.store()));
    read.and_then(Result::ok).map_or_else(Policy::by_command, |file| file.policy)
}

/// Whether a person may know of every site of a plan.
pub(crate) fn reads_plan(signed: &SignedIn, plan: &Plan) -> bool {
    let mut bodies: Vec<&str> = plan.sites.iter().map(|site| site.org.as_str()).collect();
    bodies.dedup();
    bodies.into_iter().all(|org| signed.account.reads(&Scope::parse(org).unwrap_or_default()))
}

/// Whether a role was granted anywhere that lets somebody propose something.
pub(super) fn may_propose(signed: &SignedIn) -> bool {
    let account = &signed.account;
    !account.is(Role::Admin) && (account.is(Role::Commander) || account.is(Role::SiteOwner))
}

/// Where somebody shows once more who it is before going on: with a passkey, or to the provider
/// where there is none.
pub(super) fn step_up(console: &Console, signed: &SignedIn, next: &str) -> String {
    let next = page::encode(next);
    match signed.factor {
        Factor::Oidc if !has_key(console, signed) => {
            format!("/sign-in/oidc?again=1&next={next}")
        }
        _ => format!("/confirm?next={next}"),
    }
}

/// What was refused and what to do, in words.
pub(crate) fn told(lang: Lang, error: &EngineError) -> (String, String) {
    if let EngineErrorKind::EdgeRefused(edges) = &error.kind {
        let remedy = texts::act_edge_refused_remedy(lang).to_owned();
        return (texts::plan_edge_refused(lang, edges), remedy);
    }
    if let EngineErrorKind::Stale(PlanStale::Renamed(sites)) = &error.kind {
        let remedy = texts::plan_renamed_remedy(lang).to_owned();
        return (texts::plan_renamed(lang, &first_named(sites, RENAMED_TOLD_MAX)), remedy);
    }
    let key = code_of(error);
    let text = |key: &str| texts::by_code(lang, key).unwrap_or_default().to_owned();
    (text(&key), text(&format!("{key}-remedy")))
}

/// The key of an error in the catalogue.
pub(crate) fn code_of(error: &EngineError) -> String {
    match &error.kind {
        EngineErrorKind::Refused(refusal) => format!("refusal-{}", refusal.as_str()),
        EngineErrorKind::Stale(PlanStale::Expired) => {
            format!("refusal-{}", Refusal::Expired.as_str())
        }
        EngineErrorKind::Stale(PlanStale::Differs(_)) => "engine-stale".to_owned(),
        EngineErrorKind::Stale(PlanStale::Renamed(_)) => "plan-renamed".to_owned(),
        EngineErrorKind::Fenced => "store-fenced".to_owned(),
        EngineErrorKind::Broken => "engine-broken".to_owned(),
        EngineErrorKind::Rejected(_) => "engine-rejected".to_owned(),
        EngineErrorKind::NotClear => "engine-not-clear".to_owned(),
        EngineErrorKind::EdgeRefused(_) => "plan-edge-refused".to_owned(),
        EngineErrorKind::NoPath => "edge-no-verify".to_owned(),
        EngineErrorKind::Untried => "control-untried".to_owned(),
        EngineErrorKind::NotBack => "site-not-back".to_owned(),
        EngineErrorKind::NotFound => "engine-not-found".to_owned(),
        EngineErrorKind::Barrier(fault) => fault.code().to_owned(),
        EngineErrorKind::Other => "engine-other".to_owned(),
    }
}

/// The status that an error has for programs.
pub(crate) fn status_of(error: &EngineError) -> StatusCode {
    match &error.kind {
        EngineErrorKind::Refused(Refusal::UnknownAction) | EngineErrorKind::NotFound => {
            StatusCode::NOT_FOUND
        }
        EngineErrorKind::Refused(Refusal::Empty | Refusal::NoReason | Refusal::WrongNumber) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        EngineErrorKind::Refused(
            Refusal::OtherHash
            | Refusal::OtherRequest
            | Refusal::Expired
            | Refusal::Refused
            | Refusal::Done
            | Refusal::TooManyWaiting
            | Refusal::PartsStay,
        )
        | EngineErrorKind::Stale(_)
        | EngineErrorKind::Rejected(_)
        | EngineErrorKind::Barrier(_)
        | EngineErrorKind::EdgeRefused(_)
        | EngineErrorKind::NoPath
        | EngineErrorKind::Untried
        | EngineErrorKind::NotBack
        | EngineErrorKind::NotClear => StatusCode::CONFLICT,
        EngineErrorKind::Refused(_) => StatusCode::FORBIDDEN,
        EngineErrorKind::Fenced | EngineErrorKind::Broken => StatusCode::SERVICE_UNAVAILABLE,
        EngineErrorKind::Other => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A page that says why nothing was done.
pub(super) fn refused(
    console: &Console,
    asked: &Asked,
    error: &EngineError,
    back: &str,
) -> Response {
    let (what, remedy) = told(console.lang(asked), error);
    because(told_page(console, asked, status_of(error), (what, remedy), back), code_of(error))
}

/// A page for who asks for what is beyond the part of the register that he reads.
pub(crate) fn beyond_page(console: &Console, asked: &Asked) -> Response {
    let lang = console.lang(asked);
    let words = (texts::door_beyond_scope(lang), texts::door_beyond_scope_remedy(lang));
    let words = (words.0.to_owned(), words.1.to_owned());
    told_page(console, asked, StatusCode::FORBIDDEN, words, "/sites")
}

pub(super) fn told_page(
    console: &Console,
    asked: &Asked,
    status: StatusCode,
    (what, remedy): (String, String),
    back: &str,
) -> Response {
    let lang = console.lang(asked);
    let sign = if back.contains('?') { '&' } else { '?' };
    let [back, switch] = [lang, lang.other()].map(|it| format!("{back}{sign}lang={}", it.tag()));
    let frame = console.frame(asked, &what, "", switch);
    page::html(status, relight_web::render(&ToldPage { frame, what, remedy, back }))
}

/// A date and a time of day, in UTC, as everywhere in the console's own texts.
pub(super) fn moment(lang: Lang, at: Timestamp) -> String {
    let stamp = number::rfc3339(at);
    let date = stamp.get(..10).unwrap_or_default();
    let time = format!("{} UTC", number::clock(lang, at));
    texts::act_at(lang, date, &time)
}
