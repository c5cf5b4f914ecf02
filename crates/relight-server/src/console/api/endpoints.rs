//! The table of endpoints, and their handlers.

use axum::http::StatusCode;
use relight_engine::grants::Unsendable;
use relight_engine::incident::{self, Impact};
use relight_engine::plan::Plan;
use relight_engine::policy::Desk;
use relight_web::number::rfc3339;
use relight_web::{Lang, texts, words};
use serde_json::Value;

use super::affected::affected;
use super::document::Document;
use super::incidents::{IncidentView, incident, incidents, named};
use super::problem::Problem;
use super::sites::{meant, site, sites};
use super::types::{
    Action, Actions, Decide, Done, OpenIncident, PlanAsk, PlanPreview, PlanSiteView, PolicyView,
    SeatOf, SiteAct, SkippedView, UpdateWords,
};
use super::{Call, Endpoint, Nothing, openapi, terminals};
use crate::console::act::approve::{self, Decision};
use crate::console::act::choose::{Choice, WHICH, readable};
use crate::console::act::forms::{Act, Conflict, Denied, Short};
use crate::console::act::{may_propose, person_of, policy_of, reads_plan, rollout, signer_of};

/// Who proposes plans.
const PROPOSES: &[&str] = &["commander", "site-owner"];

/// Who decides about plans; whoever proposed one takes it back.
const DECIDES: &[&str] = &["commander", "approver", "site-owner"];

/// Who looks after a site; the approver agrees to what somebody else asked, and the publisher says
/// whether the public page shows it.
const LOOKS_AFTER: &[&str] = &["analyst", "commander", "site-owner", "approver", "publisher"];

/// Every endpoint.
pub(super) fn table() -> Vec<Endpoint> {
    let (get_one, id) = ("/api/v1/incidents/{id}", "/api/v1/plans/{id}");
    vec![
        Endpoint::get("/api/v1/openapi.json", "openapi", "This document", document),
        Endpoint::get("/api/v1/policy", "policy", "The rules of who may switch how much", policy),
        Endpoint::get("/api/v1/incidents", "listIncidents", "Every incident", incidents),
        Endpoint::post("/api/v1/incidents", "openIncident", "Open an incident", open)
            .roles(&["commander"])
            .people()
            .status(StatusCode::CREATED),
        Endpoint::get(get_one, "incident", "One incident", incident),
        Endpoint::post("/api/v1/incidents/{id}/close", "closeIncident", "Close an incident", close)
            .roles(&["commander"])
            .people(),
        Endpoint::post(
            "/api/v1/incidents/{id}/updates",
            "publishUpdate",
            "Publish words for the public page",
            update,
        )
        .roles(&["publisher"])
        .people(),
        Endpoint::get("/api/v1/affected", "affected", "Which sites have it", affected),
        Endpoint::get("/api/v1/sites", "listSites", "Sites and their states", sites),
        Endpoint::get("/api/v1/sites/{slug}", "site", "One site", site),
        Endpoint::post("/api/v1/sites/{slug}/acts", "actOnSite", "Look after one site", site_act)
            .roles(LOOKS_AFTER)
            .people(),
        Endpoint::get("/api/v1/plans", "listPlans", "Plans, newest first", plans),
        Endpoint::post("/api/v1/plans", "proposePlan", "Propose a plan", propose)
            .roles(PROPOSES)
            .status(StatusCode::CREATED),
        Endpoint::post(
            "/api/v1/plans/preview",
            "previewPlan",
            "What a plan would do, without asking for it",
            preview,
        )
        .roles(PROPOSES),
        Endpoint::get(id, "plan", "One plan", plan),
        Endpoint::post(
            "/api/v1/plans/{id}/decisions",
            "decidePlan",
            "Approve, refuse or undo a plan",
            decide,
        )
        .roles(DECIDES)
        .people(),
        Endpoint::open(terminals::ASK_PATH, "askToLogin", "Ask to be let in", terminals::ask)
            .status(StatusCode::CREATED),
        Endpoint::open(
            terminals::TOKEN_PATH,
            "takeToken",
            "Whether a person let it in, and its token, once",
            terminals::token,
        ),
        Endpoint::post(terminals::END_PATH, "endToken", "End the own token", terminals::end),
    ]
}

/// The document itself: anything.
#[derive(serde::Serialize)]
#[serde(transparent)]
struct OpenApi(Value);

impl Document for OpenApi {
    const NAME: &'static str = "OpenApi";

    fn schema() -> Value {
        serde_json::json!({"type": "object", "description": "An OpenAPI 3.1 document."})
    }
}

fn document(_: &Call, _: Nothing) -> Result<OpenApi, Problem> {
    Ok(OpenApi(openapi::document()))
}

fn policy(call: &Call, _: Nothing) -> Result<PolicyView, Problem> {
    let policy = policy_of(&call.engine);
    Ok(PolicyView {
        signed: policy.is_signed,
        digest: policy.digest.to_string(),
        one_person_sites: policy.alone_max as u64,
        two_people_sites: policy.two_max as u64,
    })
}

fn denied(call: &Call) -> impl Fn(Denied) -> Problem {
    let lang = call.lang;
    move |denied| match (denied.conflict(lang), denied) {
        (Some(Conflict { code, what, remedy }), _) => Problem::conflict(code, what, remedy),
        (None, Denied::Role) => Problem::role(),
        (None, Denied::OnPage(page)) => Problem::on_page(lang, &page),
        (None, Denied::Untranslated) => Problem::untranslated(lang),
        (None, Denied::Words(wrong)) => Problem::words(lang, &wrong),
        (None, Denied::Payloads(unsendable)) => unsent(lang, unsendable),
        (None, Denied::Engine(error)) => Problem::engine(lang, &error),
        (None, _) => Problem::unreadable(
            "act: analyse, fix, verify, mitigate, exempt, accept, agree, show or hide; \
             days and status are \
             numbers",
        ),
    }
}

/// Which payload of the document cannot be sent, and why.
fn unsent(lang: Lang, unsendable: Unsendable) -> Problem {
    let at = unsendable.line.checked_sub(1).map(|at| format!("[{at}]")).unwrap_or_default();
    let why = words::unsendable(lang, 0, unsendable.why.as_str());
    let what = texts::labelled(lang, &format!("payloads{at}"), &why);
    Problem::unreadable(&what).remedy(texts::payloads_unusable_remedy(lang))
}

fn open(call: &Call, input: OpenIncident) -> Result<IncidentView, Problem> {
    let short = Short { incident: input.advisory, ..Short::default() };
    let id =
        Act::new(&call.console, &call.engine, &call.signed).open(&short).map_err(denied(call))?;
    named(call, &id)
}

fn close(call: &Call, _: Nothing) -> Result<Done, Problem> {
    let short = Short { incident: call.part("id").to_owned(), ..Short::default() };
    let short = short.meant(&call.engine);
    Act::new(&call.console, &call.engine, &call.signed).close(&short).map_err(denied(call))?;
    Ok(Done { done: true })
}

fn update(call: &Call, input: UpdateWords) -> Result<Done, Problem> {
    if input.impact.as_ref().is_some_and(|text| Impact::parse(text).is_none()) {
        return Err(Problem::unreadable("impact: none, minor, major or critical"));
    }
    let (incident, en) = (call.part("id").to_owned(), input.en.unwrap_or_default());
    let yes = |text: Option<String>| text.filter(|it| it == "yes").unwrap_or_default();
    let short = Short {
        incident,
        fr: input.fr,
        en,
        next: input.next_in_minutes.map(|minutes| minutes.to_string()).unwrap_or_default(),
        impact: input.impact.unwrap_or_default(),
        about_data: yes(input.about_data),
        report: yes(input.report),
        ..Short::default()
    };
    let short = short.meant(&call.engine);
    Act::new(&call.console, &call.engine, &call.signed).update(&short).map_err(denied(call))?;
    Ok(Done { done: true })
}

fn site_act(call: &Call, input: SiteAct) -> Result<Done, Problem> {
    let or_empty = Option::unwrap_or_default;
    let short = Short {
        incident: or_empty(input.incident),
        act: input.act,
        note: or_empty(input.note),
        seen: or_empty(input.seen),
        days: input.days.map(|days| days.to_string()).unwrap_or_default(),
        path: or_empty(input.path),
        status: input.status.map(|status| status.to_string()).unwrap_or_default(),
        text: or_empty(input.text),
        signs: or_empty(input.signs),
        about: or_empty(input.about),
        listed: Some(input.payloads.unwrap_or_default()),
        owner: or_empty(input.owner),
        ..Short::default()
    };
    let act = Act::new(&call.console, &call.engine, &call.signed);
    act.site(call.part("slug"), &short.meant(&call.engine)).map_err(denied(call))?;
    Ok(Done { done: true })
}

fn site_rows(plan: &Plan) -> Vec<PlanSiteView> {
    let row = |site: &relight_engine::plan::PlanSite| PlanSiteView {
        site: site.site.to_string(),
        verdict: site.verdict.clone(),
        criticality: u64::from(site.criticality),
        edge: site.edge.clone(),
        names: site.names.clone(),
    };
    plan.sites.iter().map(row).collect()
}

fn action_view(call: &Call, action: &incident::Action) -> Action {
    let plan = &action.plan;
    let seat = |seat: &incident::Seat| {
        let taken = action.signatures.iter().find(|it| it.seat == *seat);
        SeatOf {
            seat: seat.as_str().to_owned(),
            by: taken.map(|it| it.by.clone()),
            at: taken.map(|it| rfc3339(it.at)),
        }
    };
    Action {
        id: action.id(),
        incident: plan.incident.clone(),
        action: plan.action.as_str().to_owned(),
        part: plan.part.clone(),
        hash: action.hash.to_string(),
        standing: approve::standing_code(action, call.engine.now()).to_owned(),
        proposer: plan.proposer.clone(),
        reason: plan.reason.clone(),
        expires: rfc3339(plan.expires),
        seats: action.seats.iter().map(seat).collect(),
        count: plan.sites.len() as u64,
        sites: site_rows(plan),
        page: format!("/approve/{}", action.id()),
    }
}

fn plans(call: &Call, _: Nothing) -> Result<Actions, Problem> {
    let found: Vec<incident::Action> = call.engine.with_ledger(|ledger| {
        let newest = ledger.actions().newest();
        newest.filter(|action| reads_plan(&call.signed, &action.plan)).cloned().collect()
    });
    Ok(Actions { plans: found.iter().map(|action| action_view(call, action)).collect() })
}

fn find(call: &Call) -> Result<incident::Action, Problem> {
    let found = approve::find(&call.engine, &call.signed, call.part("id"));
    found.ok_or_else(|| Problem::of(StatusCode::NOT_FOUND))
}

fn plan(call: &Call, _: Nothing) -> Result<Action, Problem> {
    Ok(action_view(call, &find(call)?))
}

/// What is not understood chooses nothing. A page falls back to what an action usually means and
/// shows it before anybody asks; a program would be given other sites than it named.
fn check_choice(call: &Call, input: &PlanAsk) -> Result<(), Problem> {
    if let Some(which) = &input.which
        && !WHICH.contains(&which.as_str())
    {
        let why = format!("which: `{which}` is none of {}", WHICH.join(", "));
        return Err(Problem::unreadable(&why));
    }
    if input.query.is_some() && (input.sites.is_some() || input.which.is_some()) {
        return Err(Problem::unreadable("query: alone, without sites and which"));
    }
    let Some(sites) = &input.sites else { return Ok(()) };
    if sites.is_empty() {
        return Err(Problem::unreadable(
            "sites: [] names no site; without it, every site is meant",
        ));
    }
    let known = readable(&call.engine, &call.signed);
    let known = known.map_err(|error| Problem::engine(call.lang, &error))?;
    let is_known = |slug: &str| known.iter().any(|(site, _)| site.slug.as_str() == slug);
    match sites.iter().find(|slug| !is_known(slug)) {
        Some(slug) => Err(Problem::unreadable(&format!("sites: `{slug}` is not there"))),
        None => Ok(()),
    }
}

/// A part belongs to what closes and opens parts, and to nothing else.
fn check_action(input: &PlanAsk) -> Result<(), Problem> {
    match (input.action.as_str(), &input.part) {
        ("dark" | "relight", None) => Ok(()),
        ("dark" | "relight", Some(_)) => {
            Err(Problem::unreadable("part: only with the action close or open"))
        }
        ("close" | "open", Some(part)) if !part.trim().is_empty() => Ok(()),
        ("close" | "open", _) => Err(Problem::unreadable("part: which one is closed or opened")),
        _ => Err(Problem::unreadable("action is dark, relight, close or open")),
    }
}

/// The plan for what was chosen.
fn chosen(call: &Call, input: PlanAsk) -> Result<Plan, Problem> {
    if !may_propose(&call.signed) {
        return Err(Problem::role());
    }
    check_action(&input)?;
    check_choice(call, &input)?;
    let mut choice = Choice {
        action: input.action,
        part: input.part.unwrap_or_default(),
        incident: input.incident.unwrap_or_default(),
        which: input.which.unwrap_or_default(),
        sector: input.sector.unwrap_or_default(),
        sites: input.sites.unwrap_or_default().join(" "),
        reason: input.reason,
        ..Choice::default()
    };
    let incident = choice.incident(&call.engine);
    let incident = incident.ok_or_else(|| Problem::of(StatusCode::NOT_FOUND))?;
    if let Some(query) = input.query {
        let meant = meant(call, &query, &incident)?;
        // Names that name none would mean every site.
        if meant.is_empty() {
            let (detail, remedy) =
                (texts::act_no_sites(call.lang), texts::act_no_sites_remedy(call.lang));
            return Err(Problem::conflict("no-sites", detail.to_owned(), remedy));
        }
        choice.which = "named".to_owned();
        choice.sites = meant.into_iter().collect::<Vec<_>>().join(" ");
    }
    let policy = policy_of(&call.engine);
    let plan = choice.plan(&call.engine, &policy, &call.signed, &incident);
    plan.map_err(|error| Problem::engine(call.lang, &error))
}

fn preview(call: &Call, input: PlanAsk) -> Result<PlanPreview, Problem> {
    let plan = chosen(call, input)?;
    let (policy, now) = (policy_of(&call.engine), call.engine.now());
    let (person, protected) =
        (person_of(&call.console, &call.signed, now), std::collections::BTreeSet::new());
    let seats = call.engine.with_ledger(|ledger| {
        let actions = ledger.actions();
        Desk { policy: &policy, actions, protected: &protected, now }.seats(&person, &plan)
    });
    let skipped = |it: &relight_engine::plan::Skipped| SkippedView {
        site: it.site.to_string(),
        reason: it.reason.clone(),
    };
    Ok(PlanPreview {
        incident: plan.incident.clone(),
        action: plan.action.as_str().to_owned(),
        part: plan.part.clone(),
        sites: site_rows(&plan),
        skipped: plan.skipped.iter().map(skipped).collect(),
        edges: plan.edges.clone(),
        seats: seats.into_iter().map(|seat| seat.as_str().to_owned()).collect(),
    })
}

fn propose(call: &Call, input: PlanAsk) -> Result<Action, Problem> {
    let plan = chosen(call, input)?;
    let name = &call.signed.account.name;
    let (policy, now) = (policy_of(&call.engine), call.engine.now());
    // A passkey signs a plan on its page only: who has one takes no seat by asking here.
    let person = signer_of(&call.console, &call.signed, None, now);
    rollout::before(&call.engine, &policy, &person, &plan);
    let acted = call.engine.propose(&policy, &person, &plan);
    let acted = acted.map_err(|error| Problem::engine(call.lang, &error))?;
    if acted.started {
        rollout::after(&call.engine, &call.console.board, name, &plan);
    }
    let id = acted.number.to_string();
    let action = approve::find(&call.engine, &call.signed, &id);
    let action = action.ok_or_else(|| Problem::of(StatusCode::NOT_FOUND))?;
    Ok(action_view(call, &action))
}

fn decide(call: &Call, input: Decide) -> Result<Action, Problem> {
    let action = find(call)?;
    let decision = Decision {
        decision: input.decision,
        hash: input.hash,
        typed: input.typed.map(|typed| typed.to_string()).unwrap_or_default(),
        reason: input.reason.unwrap_or_default(),
        ..Decision::default()
    };
    let (console, engine) = (&call.console, &call.engine);
    // A passkey signs a plan on its page only: who has one approves there.
    let done = approve::carry_out(console, engine, &call.signed, &action, &decision, None);
    done.map_err(|error| Problem::engine(call.lang, &error))?;
    plan(call, Nothing {})
}
