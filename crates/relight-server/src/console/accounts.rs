//! `/accounts`: who there is, what everybody may do, and what waits for a second person.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use relight_engine::access::{Role, Scope};
use relight_engine::store::{AccountRow, GrantRow, ProposalRow};
use relight_web::door_views::{AccountCard, AccountsPage, HeldRow, SecretPage, WaitingRow};
use relight_web::views::Choice;
use relight_web::{Lang, number, texts};
use serde::Deserialize;

use super::key_form::{status, words};
use super::me::role_word;
use super::rows::{few, part_of, words as words_of};
use super::sign_in::person;
use super::sites::ROWS_MAX;
use super::{Asked, Console, blocking};
use crate::access::SignedIn;
use crate::access::admin::Granted;
use crate::access::ceremony::Refusal;
use crate::access::form::SignedForm;
use crate::access::known::Known;
use crate::access::links::LINK_S_MAX;
use crate::access::refusals::because;
use crate::page;

/// A form about an account.
#[derive(Debug, Deserialize)]
pub(super) struct NameForm {
    name: String,
}

/// A form about a role of an account.
#[derive(Debug, Deserialize)]
pub(super) struct RoleForm {
    name: String,
    role: String,
    scope: String,
}

/// The answer of a second person.
#[derive(Debug, Deserialize)]
pub(super) struct SettleForm {
    id: u32,
    answer: String,
}

/// Who sees the page: those who make accounts, those who confirm grants, and those who audit.
pub(super) const READERS: [Role; 4] = [Role::Admin, Role::Commander, Role::Approver, Role::Auditor];

/// Whether somebody sees it.
pub(super) fn sees(signed: &SignedIn) -> bool {
    READERS.into_iter().any(|role| signed.account.is(role))
}

/// What a form did: a sentence, something that is shown once, or a refusal.
enum Outcome {
    Done(fn(Lang) -> &'static str),
    Link { account: String, href: String },
}

/// The page.
pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    accounts_page(&console, &asked, StatusCode::OK, (String::new(), String::new()))
}

fn accounts_page(
    console: &Console,
    asked: &Asked,
    status: StatusCode,
    (problem, done): (String, String),
) -> Response {
    let Some(signed) = person(&asked.reader).filter(|signed| sees(signed)) else {
        return console.nothing(asked);
    };
    let lang = console.lang(asked);
    let known = console.door.known();
    let (admin, fresh) = (signed.account.is(Role::Admin), signed.is_fresh(console.door.now()));
    let view = View { known: &known, signed, lang, acts: admin && fresh };
    let names = known.tables.accounts.iter().filter(|row| row.ended.is_none());
    let (lines, part, switch) = part_of(asked, ("/accounts", lang), view.lines(&words_of(asked)));
    let waiting: Vec<_> =
        known.tables.proposals.iter().filter_map(|row| view.waiting(row)).collect();
    let left = waiting.len().saturating_sub(ROWS_MAX);
    let page = AccountsPage {
        frame: console.frame(asked, texts::door_accounts(lang), "me", switch),
        problem,
        done,
        accounts: lines.chunk_by(|a, b| a.0.id == b.0.id).map(|of| view.card(of)).collect(),
        part,
        waiting: waiting.into_iter().take(ROWS_MAX).collect(),
        waiting_more: if left == 0 { String::new() } else { texts::act_more(lang, left) },
        names: few(names.map(|row| row.name.clone()).collect()),
        roles: Role::ALL.map(|role| choice(lang, role)).to_vec(),
        admin,
        fresh,
    };
    page::html(status, relight_web::render(&page))
}

fn choice(lang: Lang, role: Role) -> Choice {
    let text = role_word(lang, role).to_owned();
    Choice { value: role.as_str().to_owned(), text, chosen: role == Role::Viewer }
}

struct View<'a> {
    known: &'a Known,
    signed: &'a SignedIn,
    lang: Lang,
    /// The reader may change what others may do, now.
    acts: bool,
}

/// A row of the list: an account, and something that it may do; nothing for one that may do
/// nothing.
type Line<'a> = (&'a AccountRow, Option<HeldRow>);

impl<'a> View<'a> {
    /// What the list shows of the accounts whose names hold these words: those that ended stand
    /// behind the others.
    fn lines(&self, words: &str) -> Vec<Line<'a>> {
        let tables = &self.known.tables;
        let mut granted: BTreeMap<u32, Vec<&GrantRow>> = BTreeMap::new();
        for grant in &tables.grants {
            granted.entry(grant.account).or_default().push(grant);
        }
        let mut found: Vec<&AccountRow> =
            tables.accounts.iter().filter(|row| row.name.contains(words)).collect();
        found.sort_by_key(|row| row.ended.is_some());
        let lines = |row: &'a AccountRow| -> Vec<Line<'a>> {
            let held = granted.get(&row.id).into_iter().flatten();
            let held: Vec<_> = held.filter_map(|grant| self.held(grant)).collect();
            match held.is_empty() {
                true => vec![(row, None)],
                false => held.into_iter().map(|held| (row, Some(held))).collect(),
            }
        };
        found.into_iter().flat_map(lines).collect()
    }

    /// The lines of one account.
    fn card(&self, lines: &[Line<'_>]) -> AccountCard {
        let (lang, tables, row) = (self.lang, &self.known.tables, lines[0].0);
        let rows = tables.passkeys.iter().filter(|key| key.account == row.id);
        let seen = rows.map(|key| key.used).max();
        let seen =
            seen.map_or_else(|| texts::door_never(lang).to_owned(), |at| number::stamp(lang, at));
        let line = match row.ended {
            Some(at) => texts::door_account_ended(lang, &number::stamp(lang, at)),
            None => texts::door_account_line(lang, self.known.keys(row.id).count(), &seen),
        };
        let own = row.id == self.signed.account.id;
        let held: Vec<HeldRow> = lines.iter().filter_map(|(_, held)| held.clone()).collect();
        let mut taken = held.iter().filter(|it| !(own && it.role == Role::Admin.as_str()));
        let acts = self.acts && taken.next().is_some();
        AccountCard { name: row.name.clone(), line, acts, held, ended: row.ended.is_some(), own }
    }

    fn held(&self, row: &GrantRow) -> Option<HeldRow> {
        let role = Role::parse(&row.role)?;
        let by = texts::door_granted_by(
            self.lang,
            &number::stamp(self.lang, row.at),
            &row.by.replace(' ', " + "),
        );
        let word = role_word(self.lang, role).to_owned();
        Some(HeldRow { role: role.as_str(), word, scope: row.scope.clone(), by })
    }

    fn waiting(&self, row: &ProposalRow) -> Option<WaitingRow> {
        let (role, scope) = (Role::parse(&row.role)?, Scope::parse(&row.scope)?);
        let own = self.signed.account.id;
        let decides = [Role::Commander, Role::Approver];
        let mine = decides.into_iter().any(|role| self.signed.may(role, &scope))
            && own != row.proposer
            && own != row.account;
        let sentence = texts::door_waiting_row(
            self.lang,
            self.known.name(row.account),
            &number::stamp(self.lang, row.at),
            self.known.name(row.proposer),
            role_word(self.lang, role),
            &row.scope,
        );
        Some(WaitingRow { id: row.id, sentence, mine })
    }
}

/// Runs what a form asks for, and answers.
async fn act(
    console: Arc<Console>,
    asked: Asked,
    work: impl FnOnce(&Console) -> Result<Outcome, Refusal> + Send + 'static,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        match work(&console) {
            Ok(Outcome::Done(text)) => {
                let told = (String::new(), text(lang).to_owned());
                accounts_page(&console, &asked, StatusCode::OK, told)
            }
            Ok(Outcome::Link { account, href }) => link_page(&console, &asked, &account, href),
            Err(refusal) => {
                let told = (words(lang, &refusal), String::new());
                because(accounts_page(&console, &asked, status(&refusal), told), refusal.code())
            }
        }
    })
    .await
}

fn link_page(console: &Console, asked: &Asked, account: &str, secret: String) -> Response {
    let lang = console.lang(asked);
    let until = number::stamp(lang, console.door.now() + LINK_S_MAX);
    let switch = format!("/accounts?lang={}", lang.other().tag());
    let page = SecretPage {
        frame: console.frame(asked, texts::door_link_title(lang), "me", switch),
        text: texts::door_link_shown(lang, account, &until),
        secret,
        back: "/accounts",
    };
    page::html(StatusCode::OK, relight_web::render(&page)).into_response()
}

/// Makes an account.
pub(super) async fn add(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<NameForm>,
) -> Response {
    act(console, asked, move |console| {
        let href = console.door.add_account(&signed, &form.name)?;
        Ok(Outcome::Link { account: form.name.trim().to_owned(), href })
    })
    .await
}

/// Gives an account another link.
pub(super) async fn renew(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<NameForm>,
) -> Response {
    act(console, asked, move |console| {
        let href = console.door.renew_account(&signed, &form.name)?;
        Ok(Outcome::Link { account: form.name, href })
    })
    .await
}

/// Ends an account.
pub(super) async fn end(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<NameForm>,
) -> Response {
    act(console, asked, move |console| {
        console.door.end_account(&signed, &form.name)?;
        Ok(Outcome::Done(texts::door_done_ended))
    })
    .await
}

fn role_and_scope(form: &RoleForm) -> Result<(Role, Scope), Refusal> {
    let parsed = Role::parse(&form.role).zip(Scope::parse(&form.scope));
    parsed.ok_or(Refusal::Rule("bad-scope"))
}

/// Grants a role, or proposes it.
pub(super) async fn grant(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<RoleForm>,
) -> Response {
    act(console, asked, move |console| {
        let (role, scope) = role_and_scope(&form)?;
        let granted = console.door.grant(&signed, (&form.name, role, &scope))?;
        Ok(Outcome::Done(match granted {
            Granted::Now => texts::door_done_granted,
            Granted::Proposed => texts::door_done_proposed,
        }))
    })
    .await
}

/// Takes a role back.
pub(super) async fn revoke(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<RoleForm>,
) -> Response {
    act(console, asked, move |console| {
        let (role, scope) = role_and_scope(&form)?;
        console.door.revoke(&signed, (&form.name, role, &scope))?;
        Ok(Outcome::Done(texts::door_done_revoked))
    })
    .await
}

/// Confirms or refuses a grant.
pub(super) async fn settle(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<SettleForm>,
) -> Response {
    act(console, asked, move |console| {
        let is_confirmed = match form.answer.as_str() {
            "confirm" => true,
            "refuse" => false,
            _ => return Err(Refusal::Rule("not-there")),
        };
        console.door.settle(&signed, form.id, is_confirmed)?;
        Ok(Outcome::Done(texts::door_done_settled))
    })
    .await
}
