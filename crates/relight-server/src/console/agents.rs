//! `/agents`: who is let in from other machines, codes for more of them, and who is let in no more.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::Role;
use relight_model::Organisation;
use relight_web::agent_views::{AgentCard, AgentsPage};
use relight_web::door_views::SecretPage;
use relight_web::{Lang, number, texts};
use serde::Deserialize;

use super::key_form::{status, words};
use super::rows::{few, part_of, words as words_of};
use super::sign_in::person;
use super::{Asked, Console, blocking};
use crate::access::SignedIn;
use crate::access::ceremony::Refusal;
use crate::access::form::SignedForm;
use crate::access::refusals::because;
use crate::agents::{
    AgentDesk, AgentView, CODE_S_MAX, MadeCode, Refused, agents_of, organisations_of, scope_of,
    version_words,
};
use crate::page;

/// A form that asks for a code.
#[derive(Debug, Deserialize)]
pub(super) struct CodeForm {
    organisation: String,
    host: String,
}

/// A form about one agent.
#[derive(Debug, Deserialize)]
pub(super) struct OneForm {
    id: u32,
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rule(code) => Self::Rule(code),
            Refused::Failed(error) => Self::Failed(error),
        }
    }
}

/// Who sees the page: those who let agents in, and those who audit.
pub(super) fn sees(signed: &SignedIn) -> bool {
    [Role::Admin, Role::Auditor].into_iter().any(|role| signed.account.is(role))
}

/// The page.
pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    blocking(move || shown(&console, &asked, StatusCode::OK, Told::default())).await
}

/// What a form came to, in words; empty where there is nothing to say.
#[derive(Default)]
struct Told {
    problem: String,
    done: String,
}

fn shown(console: &Console, asked: &Asked, status: StatusCode, told: Told) -> Response {
    let Some(signed) = person(&asked.reader).filter(|signed| sees(signed)) else {
        return console.nothing(asked);
    };
    let lang = console.lang(asked);
    let (mut agents, mut organisations, mut problem) = (Vec::new(), Vec::new(), told.problem);
    let words_asked = words_of(asked);
    if let Some(engine) = &console.engine {
        let (store, now) = (engine.store(), console.door.now());
        match (agents_of(store, now), organisations_of(store)) {
            (Ok(all), Ok(known)) => {
                let is_shown =
                    |it: &AgentView| reads(signed, &it.organisation) && fits(it, &words_asked);
                agents = all.into_iter().filter(is_shown).collect();
                let own = known.into_iter().filter(|it| admits(signed, it));
                organisations = own.map(|it| it.name).collect();
                organisations.sort_unstable();
            }
            (Err(error), _) | (_, Err(error)) => {
                problem = words(lang, &Refusal::Failed(error));
            }
        }
    }
    // A stable sort: those that are let in come first, each by its number.
    agents.sort_by_key(|agent| !agent.is_live);
    let (agents, part, switch) = part_of(asked, ("/agents", lang), agents);
    let acts = console.agents.is_some();
    let page = AgentsPage {
        frame: console.frame(asked, texts::agents_title(lang), "me", switch),
        problem,
        done: told.done,
        listens: console.agents.is_some(),
        agents: agents.into_iter().map(|it| card(it, signed, (lang, acts))).collect(),
        part,
        admits: !organisations.is_empty(),
        organisations: few(organisations),
        fresh: signed.is_fresh(console.door.now()),
        minutes: CODE_S_MAX.unsigned_abs() / 60,
    };
    page::html(status, relight_web::render(&page))
}

/// Whether an agent is one of those that are looked for.
fn fits(agent: &AgentView, words: &str) -> bool {
    [&agent.host, &agent.organisation.name].into_iter().any(|it| it.to_lowercase().contains(words))
}

fn reads(signed: &SignedIn, organisation: &Organisation) -> bool {
    let scope = scope_of(organisation);
    [Role::Admin, Role::Auditor].into_iter().any(|role| signed.may(role, &scope))
}

fn admits(signed: &SignedIn, organisation: &Organisation) -> bool {
    signed.may(Role::Admin, &scope_of(organisation))
}

fn card(agent: AgentView, signed: &SignedIn, (lang, acts): (Lang, bool)) -> AgentCard {
    let at = |at: i64| number::stamp(lang, at);
    let until = match agent.revoked {
        Some(when) => texts::agents_revoked(lang, &at(when)),
        None if agent.is_live => at(agent.expires),
        None => texts::agents_ended(lang, &at(agent.expires)),
    };
    let never = || texts::door_never(lang).to_owned();
    AgentCard {
        id: agent.id,
        acts: acts && agent.revoked.is_none() && admits(signed, &agent.organisation),
        host: agent.host,
        organisation: agent.organisation.name,
        enrolled: at(agent.enrolled),
        seen: if agent.seen == 0 { never() } else { at(agent.seen) },
        version: version_words(lang, &agent.version),
        until,
    }
}

/// Who acts: an admin of the organisation who showed a passkey lately.
fn admin(
    console: &Console,
    signed: &SignedIn,
    organisation: &Organisation,
) -> Result<SignedIn, Refusal> {
    let signed = console.door.must_be_fresh(signed)?;
    if admits(&signed, organisation) { Ok(signed) } else { Err(Refusal::Rule("not-admin")) }
}

fn desk(console: &Console) -> Result<&AgentDesk, Refusal> {
    console.agents.as_deref().ok_or(Refusal::Rule("not-there"))
}

/// Makes a code, which is shown once.
pub(super) async fn make(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<CodeForm>,
) -> Response {
    blocking(move || match made(&console, &signed, &form) {
        Ok(code) => code_page(&console, &asked, &form, code),
        Err(refusal) => refused(&console, &asked, &refusal),
    })
    .await
}

fn made(console: &Console, signed: &SignedIn, form: &CodeForm) -> Result<MadeCode, Refusal> {
    let desk = desk(console)?;
    let organisation = desk.organisation(&form.organisation)?;
    // Which organisations there are is nothing that everybody may find out.
    if !reads(signed, &organisation) {
        return Err(Refusal::Rule("no-organisation"));
    }
    let signed = admin(console, signed, &organisation)?;
    Ok(desk.make_code(&signed.account.name, &organisation, &form.host)?)
}

fn code_page(console: &Console, asked: &Asked, form: &CodeForm, code: MadeCode) -> Response {
    let lang = console.lang(asked);
    let switch = format!("/agents?lang={}", lang.other().tag());
    let until = number::stamp(lang, code.expires);
    let page = SecretPage {
        frame: console.frame(asked, texts::agents_code_title(lang), "me", switch),
        text: texts::agents_code_shown(lang, form.host.trim(), &form.organisation, &until),
        secret: code.text,
        back: "/agents",
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

fn refused(console: &Console, asked: &Asked, refusal: &Refusal) -> Response {
    let problem = words(console.lang(asked), refusal);
    let told = Told { problem, ..Told::default() };
    because(shown(console, asked, status(refusal), told), refusal.code())
}

/// Lets an agent in no more.
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<OneForm>,
) -> Response {
    blocking(move || match revoked(&console, &signed, form.id) {
        Ok(()) => {
            let done = texts::agents_done_revoked(console.lang(&asked)).to_owned();
            shown(&console, &asked, StatusCode::OK, Told { done, ..Told::default() })
        }
        Err(refusal) => refused(&console, &asked, &refusal),
    })
    .await
}

fn revoked(console: &Console, signed: &SignedIn, id: u32) -> Result<(), Refusal> {
    let desk = desk(console)?;
    let all = desk.all()?;
    let agent = all.iter().find(|it| it.id == id).ok_or(Refusal::Rule("not-there"))?;
    // What somebody may not see is not there either.
    if !reads(signed, &agent.organisation) {
        return Err(Refusal::Rule("not-there"));
    }
    let signed = admin(console, signed, &agent.organisation)?;
    Ok(desk.revoke(&signed.account.name, id)?)
}
