//! `/terminal`: a person types the code of a terminal, sees what it asks for, and lets it in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::access::{Grant, Role, Scope};
use relight_web::door_views::{KeyForm, TerminalPage};
use relight_web::{Lang, number, texts};
use serde::Deserialize;

use super::key_form::{status, words};
use super::me::{role_in, token_roles};
use super::sign_in::person;
use super::{Asked, Console, blocking};
use crate::access::SignedIn;
use crate::access::ceremony::{Refusal, Shown};
use crate::access::form::{Sender, SignedForm};
use crate::access::refusals::because;
use crate::access::terminal::{Letting, Terminal};
use crate::access::ticket::Purpose;
use crate::access::token::Wish;
use crate::page;

/// Where people type codes.
pub(crate) const PATH: &str = "/terminal";

/// A code, and what its terminal shall be, once that was chosen.
#[derive(Debug, Deserialize)]
pub(super) struct CodeForm {
    code: String,
    /// `role scope`.
    #[serde(default)]
    role: String,
}

/// What a person decides about a terminal.
#[derive(Debug, Deserialize)]
pub(super) struct DecideForm {
    code: String,
    #[serde(default)]
    role: String,
    /// `refuse`; everything else needs the answer of a passkey.
    #[serde(default)]
    decision: String,
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    answer: String,
}

/// The page that asks for a code.
pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    if person(&asked.reader).is_none() {
        return console.nothing(&asked);
    }
    page::html(StatusCode::OK, relight_web::render(&page_of(&console, &asked)))
}

/// What the terminal of a code asks for.
pub(super) async fn find(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<CodeForm>,
) -> Response {
    blocking(move || match console.door.terminal(&signed, &form.code, &from) {
        Ok(terminal) => {
            let shown = Found { console: &console, signed: &signed, terminal, from: &from };
            let page = shown.page(&asked, (&form.code, &form.role), None);
            page::html(StatusCode::OK, relight_web::render(&page))
        }
        Err(refusal) => refused(&console, &asked, &refusal),
    })
    .await
}

/// Lets a terminal in, or turns it away.
pub(super) async fn decide(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<DecideForm>,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        if form.decision == "refuse" {
            return match console.door.turn_away(&signed, &form.code, &from) {
                Ok(()) => done(&console, &asked, texts::door_terminal_refused(lang)),
                Err(refusal) => refused(&console, &asked, &refusal),
            };
        }
        let Some((role, scope)) = role_of(&form.role) else {
            return refused(&console, &asked, &Refusal::Rule("role-not-held"));
        };
        let shown = Shown { ticket: &form.ticket, answer: &form.answer, from: &from };
        let letting = Letting { code: &form.code, role, scope: &scope };
        let Err(refusal) = console.door.let_in(&signed, letting, shown) else {
            return done(&console, &asked, texts::door_terminal_done(lang));
        };
        // What a passkey said wrong can be tried again; everything else begins with the code.
        let Refusal::Key(_) = refusal else { return refused(&console, &asked, &refusal) };
        let Ok(terminal) = console.door.terminal(&signed, &form.code, &from) else {
            return refused(&console, &asked, &refusal);
        };
        let found = Found { console: &console, signed: &signed, terminal, from: &from };
        let page = found.page(&asked, (&form.code, &form.role), Some(&refusal));
        because(page::html(status(&refusal), relight_web::render(&page)), refusal.code())
    })
    .await
}

/// The page with nothing in it but the question for a code.
fn page_of(console: &Console, asked: &Asked) -> TerminalPage {
    let lang = console.lang(asked);
    let switch = format!("{PATH}?lang={}", lang.other().tag());
    TerminalPage {
        frame: console.frame(asked, texts::door_terminal_title(lang), "me", switch),
        problem: String::new(),
        done: String::new(),
        code: String::new(),
        facts: Vec::new(),
        roles: Vec::new(),
        role: String::new(),
        granted: String::new(),
        key: KeyForm::default(),
    }
}

fn done(console: &Console, asked: &Asked, text: &str) -> Response {
    let page = TerminalPage { done: text.to_owned(), ..page_of(console, asked) };
    page::html(StatusCode::OK, relight_web::render(&page))
}

/// The question again, and why there is no answer. Codes that were tried in vain are journalled:
/// who guesses is seen.
fn refused(console: &Console, asked: &Asked, refusal: &Refusal) -> Response {
    let problem = words(console.lang(asked), refusal);
    let page = TerminalPage { problem, ..page_of(console, asked) };
    because(page::html(status(refusal), relight_web::render(&page)), refusal.code())
}

/// A role in a scope, as the forms of this page write it.
fn role_of(text: &str) -> Option<(Role, Scope)> {
    let (role, scope) = text.split_once(' ')?;
    Some((Role::parse(role)?, Scope::parse(scope)?))
}

/// A terminal that waits, and who looks at it.
struct Found<'a> {
    console: &'a Console,
    signed: &'a SignedIn,
    terminal: Terminal,
    from: &'a Sender,
}

impl Found<'_> {
    /// What it asks for; once that is settled, with the ceremony that grants exactly that.
    fn page(
        &self,
        asked: &Asked,
        (code, chosen): (&str, &str),
        refusal: Option<&Refusal>,
    ) -> TerminalPage {
        let lang = self.console.lang(asked);
        let mut page = TerminalPage {
            problem: refusal.map(|refusal| words(lang, refusal)).unwrap_or_default(),
            code: code.to_owned(),
            facts: self.facts(lang),
            ..page_of(self.console, asked)
        };
        let settled = self.terminal.wish.role.clone().or_else(|| role_of(chosen));
        let Some((role, scope)) = settled else {
            let own = self.console.door.known().account(self.signed.account.id);
            page.roles = token_roles(lang, &own.map(|own| own.grants).unwrap_or_default());
            return page;
        };
        let wish = Wish { label: "", role, scope: &scope, days: self.terminal.wish.days };
        if let Err(refusal) = self.console.door.may_have(&self.signed.account, wish) {
            page.problem = words(lang, &refusal);
            return page;
        }
        let terms = self.terminal.terms(role, &scope);
        let purpose = Purpose::LetIn { sign_in: &self.signed.sign_in, terms: &terms };
        let keys = self.console.door.strong_keys(self.signed.account.id);
        page.key = self.console.shows_key(purpose, &keys);
        page.role = format!("{} {scope}", role.as_str());
        let until = self.console.door.now() + wish.days * 86_400;
        let until = number::stamp(lang, until);
        page.granted =
            texts::door_terminal_granted(lang, &role_in(lang, &Grant { role, scope }), &until);
        page
    }

    /// Who asks, from where, and since when.
    fn facts(&self, lang: Lang) -> Vec<(&'static str, String)> {
        let Terminal { wish, from, since, .. } = &self.terminal;
        let address = match from.address == self.from.address {
            true => texts::door_terminal_here(lang, &from.address),
            false => texts::door_terminal_elsewhere(lang, &from.address, &self.from.address),
        };
        vec![
            (texts::door_terminal_code(lang), self.terminal.code()),
            (texts::door_terminal_name(lang), wish.name.clone()),
            (texts::door_terminal_address(lang), address),
            (texts::door_terminal_since(lang), number::stamp(lang, *since)),
        ]
    }
}
