//! `/me` and `/confirm`: one's own keys, sign-ins and tokens, and a passkey shown again.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use relight_engine::access::{Grant, Role, Scope};
use relight_engine::store::{AccountChange, PasskeyRow, SignInRow, TokenRow};
use relight_model::{Digest, Timestamp};
use relight_web::door_views::{ConfirmPage, MePage, OwnRow, SecretPage};
use relight_web::views::Choice;
use relight_web::{Lang, number, texts};
use serde::Deserialize;

use super::key_form::{local, status, words};
use super::sign_in::person;
use super::{Asked, Console, blocking, tell};
use crate::access::ceremony::{Refusal, Shown};
use crate::access::form::{Sender, SignedForm};
use crate::access::notices::{self, Notice};
use crate::access::oidc::identity_id;
use crate::access::refusals::because;
use crate::access::sign_ins::{is_open, set_cookie};
use crate::access::ticket::Purpose;
use crate::access::token::{TOKEN_DAYS_MAX, Wish, is_for_tokens};
use crate::access::{Noted, SignedIn};
use crate::page::{self, encode};

/// What a browser is told to forget when its person signs out.
const FORGET: &str = "\"cache\", \"storage\"";

/// A form that says nothing but who sent it.
#[derive(Debug, Deserialize)]
pub(super) struct Nothing {}

/// That notices were seen: until the newest one of the page, or all of them.
#[derive(Debug, Deserialize)]
pub(super) struct SeenForm {
    #[serde(default)]
    until: Option<Timestamp>,
}

/// A form about one row.
#[derive(Debug, Deserialize)]
pub(super) struct OneForm {
    id: String,
}

/// A form with a passkey.
#[derive(Debug, Deserialize)]
pub(super) struct KeyAnswer {
    ticket: String,
    answer: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    next: String,
}

/// A wish for a token.
#[derive(Debug, Deserialize)]
pub(super) struct TokenForm {
    label: String,
    /// `role scope`.
    role: String,
    days: i64,
}

/// Where to go after a key was shown.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

/// The page about oneself.
pub(super) async fn show(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    me_page(&console, &asked, None)
}

pub(super) fn me_page(console: &Console, asked: &Asked, refusal: Option<&Refusal>) -> Response {
    let Some(signed) = person(&asked.reader) else { return console.nothing(asked) };
    let page = Me { console, asked, signed, lang: console.lang(asked) }.page(refusal);
    page::html(refusal.map_or(StatusCode::OK, status), relight_web::render(&page))
}

struct Me<'a> {
    console: &'a Console,
    asked: &'a Asked,
    signed: &'a SignedIn,
    lang: Lang,
}

impl Me<'_> {
    fn page(&self, refusal: Option<&Refusal>) -> MePage {
        let (lang, account, console) = (self.lang, &self.signed.account, self.console);
        let door = &console.door;
        let keys: Vec<_> = door.known().keys(account.id).cloned().collect();
        let (sign_ins, tokens) = {
            let known = door.known();
            let own = |row: &&SignInRow| {
                row.account == account.id && is_open(row, door.times, door.now())
            };
            let sign_ins: Vec<_> = known.tables.sign_ins.iter().filter(own).cloned().collect();
            let own = |row: &&TokenRow| row.account == account.id;
            let tokens: Vec<_> = known.tables.tokens.iter().filter(own).cloned().collect();
            (sign_ins, tokens)
        };
        let purpose = Purpose::Register(&self.signed.sign_in);
        let switch = format!("/me?lang={}", lang.other().tag());
        let notices = door.notices.of(&account.name);
        let groups = door.groups.of(&self.signed.sign_in);
        MePage {
            frame: console.frame(self.asked, texts::door_me_title(lang), "me", switch),
            problem: refusal.map(|refusal| words(lang, refusal)).unwrap_or_default(),
            roles: self.roles(),
            groups_unknown: texts::by_code(lang, groups.unknown.unwrap_or_default())
                .unwrap_or_default(),
            keys: keys.iter().map(|row| key_row(lang, row)).collect(),
            sign_ins: sign_ins.iter().map(|row| self.sign_in_row(row)).collect(),
            tokens: tokens.iter().map(|row| token_row(lang, row)).collect(),
            fresh: self.signed.is_fresh(door.now()),
            key: console.makes_key(purpose, &account.name, &keys),
            token_roles: token_roles(lang, &self.own_grants()),
            days_max: TOKEN_DAYS_MAX,
            sees_accounts: super::accounts::sees(self.signed),
            sees_agents: super::agents::sees(self.signed),
            codes: texts::door_codes_left(lang, door.codes_left(account.id)),
            app: super::authenticator::section(console, self.signed, lang),
            identities: self.identities(),
            provider: console.provider_name(),
            notices_until: notices.first().map_or(0, |newest| newest.at),
            notices: notices.iter().map(|it| notice(lang, it)).collect(),
        }
    }

    /// What was granted here.
    fn own_grants(&self) -> Vec<Grant> {
        let own = self.console.door.known().account(self.signed.account.id);
        own.map(|own| own.grants).unwrap_or_default()
    }

    /// What was granted here, and what groups of the provider give to this sign-in.
    fn roles(&self) -> Vec<String> {
        let (lang, own) = (self.lang, self.own_grants());
        let of_groups = self.console.door.groups.of(&self.signed.sign_in).roles;
        let provider = self.console.provider_name();
        let by_group =
            |grant: &Grant| texts::door_role_by_group(lang, &provider, &role_in(lang, grant));
        let here = own.iter().map(|grant| role_in(lang, grant));
        here.chain(of_groups.iter().filter(|it| !own.contains(it)).map(by_group)).collect()
    }

    fn sign_in_row(&self, row: &SignInRow) -> OwnRow {
        let SignInRow { digest, started, seen, address, agent, .. } = row;
        let lang = self.console.lang(self.asked);
        let stamp = |at| number::stamp(lang, at);
        OwnRow {
            id: digest.to_string(),
            name: agent.clone(),
            facts: vec![address.clone(), stamp(*started), stamp(*seen)],
            current: *digest == self.signed.sign_in,
        }
    }

    fn identities(&self) -> Vec<OwnRow> {
        let known = self.console.door.known();
        let account = self.signed.account.id;
        let own = known.tables.identities.iter().filter(|row| row.account == account);
        own.map(|row| OwnRow {
            id: identity_id(row),
            name: row.subject.clone(),
            facts: vec![row.issuer.clone(), used(self.lang, row.used)],
            current: false,
        })
        .collect()
    }
}

/// Those of one's own roles of which a token can have one.
pub(super) fn token_roles(lang: Lang, own: &[Grant]) -> Vec<Choice> {
    let own = own.iter();
    let choice = |grant: &Grant| Choice {
        value: format!("{} {}", grant.role.as_str(), grant.scope),
        text: role_in(lang, grant),
        chosen: false,
    };
    own.filter(|grant| is_for_tokens(grant.role)).map(choice).collect()
}

/// The word of a role.
pub(super) fn role_word(lang: Lang, role: Role) -> &'static str {
    texts::by_code(lang, &format!("role-{}", role.as_str())).unwrap_or(role.as_str())
}

pub(super) fn role_in(lang: Lang, grant: &Grant) -> String {
    let scope = match grant.scope.is_root() {
        true => texts::door_everything(lang).to_owned(),
        false => grant.scope.to_string(),
    };
    texts::door_role_in(lang, role_word(lang, grant.role), &scope)
}

/// When, and what, in words; and where to read on, if anywhere.
fn notice(lang: Lang, notice: &Notice) -> (String, String, String) {
    let Notice { at, act, by, about, times } = notice;
    let is_campaign = act == notices::CAMPAIGN;
    let mut text = match is_campaign {
        true => tell::told_to(lang, by, about),
        false => texts::by_code(lang, &format!("notice-{act}")).unwrap_or(act).to_owned(),
    };
    if !is_campaign && !about.is_empty() {
        text = texts::notice_from(lang, about, &text);
    }
    if !is_campaign && !by.is_empty() {
        text = texts::notice_by(lang, &text, by);
    }
    if *times > 1 {
        text = texts::notice_times(lang, *times, &text);
    }
    let href = if is_campaign { format!("/sites?lang={}", lang.tag()) } else { String::new() };
    (number::stamp(lang, *at), text, href)
}

fn key_row(lang: Lang, row: &PasskeyRow) -> OwnRow {
    let facts = vec![number::stamp(lang, row.created), used(lang, row.used)];
    OwnRow { id: row.id.to_string(), name: row.name.clone(), facts, current: false }
}

fn token_row(lang: Lang, row: &TokenRow) -> OwnRow {
    let role = Role::parse(&row.role).zip(Scope::parse(&row.scope));
    let role = role.map(|(role, scope)| role_in(lang, &Grant { role, scope })).unwrap_or_default();
    let facts = vec![role, number::stamp(lang, row.expires), used(lang, row.used)];
    OwnRow { id: row.id.to_string(), name: row.name.clone(), facts, current: false }
}

fn used(lang: Lang, at: Timestamp) -> String {
    if at == 0 { texts::door_never(lang).to_owned() } else { number::stamp(lang, at) }
}

/// After a form: the page again, or why not.
pub(super) fn done(console: &Console, asked: &Asked, result: Result<(), Refusal>) -> Response {
    match result {
        Ok(()) => Redirect::to(&format!("/me?lang={}", console.lang(asked).tag())).into_response(),
        Err(refusal) => because(me_page(console, asked, Some(&refusal)), refusal.code()),
    }
}

/// Ends the sign-in of the request.
pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: Nothing {} }: SignedForm<Nothing>,
) -> Response {
    blocking(move || match end(&console, &signed, signed.sign_in) {
        Ok(()) => {
            // The pages that were read are not kept, not even to go back to them.
            let gone = [
                (header::SET_COOKIE, set_cookie("", 0)),
                (HeaderName::from_static("clear-site-data"), FORGET.to_owned()),
            ];
            let next = format!("/sign-in?lang={}", console.lang(&asked).tag());
            (gone, Redirect::to(&next)).into_response()
        }
        Err(refusal) => status(&refusal).into_response(),
    })
    .await
}

/// Ends a sign-in of one's own.
fn end(console: &Console, signed: &SignedIn, sign_in: Digest) -> Result<(), Refusal> {
    let door = &console.door;
    let _changing = door.changing();
    let own = |row: &SignInRow| row.account == signed.account.id && row.digest == sign_in;
    if !door.known().tables.sign_ins.iter().any(own) {
        return Err(Refusal::Rule("not-there"));
    }
    let name = &signed.account.name;
    let noted = Noted { act: "signed-out", account: name, facts: &[] };
    Ok(door.record(name, noted, &[AccountChange::SignOut(sign_in)])?)
}

/// Ends another sign-in of one's own.
pub(super) async fn end_sign_in(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<OneForm>,
) -> Response {
    blocking(move || {
        let rows = console.door.known().tables.sign_ins.clone();
        let row = rows.iter().find(|row| row.digest.to_string() == form.id);
        let digest = row.map_or(Digest::default(), |row| row.digest);
        done(&console, &asked, end(&console, &signed, digest))
    })
    .await
}

/// Adds a key.
pub(super) async fn add_key(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<KeyAnswer>,
) -> Response {
    blocking(move || {
        let shown = Shown { ticket: &form.ticket, answer: &form.answer, from: &from };
        done(&console, &asked, console.door.add_key(&signed, &form.label, shown))
    })
    .await
}

/// Removes a key.
pub(super) async fn remove_key(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<OneForm>,
) -> Response {
    blocking(move || {
        let id = form.id.parse().unwrap_or_default();
        done(&console, &asked, console.door.remove_key(&signed, id))
    })
    .await
}

/// Writes down that the notices were seen.
pub(super) async fn see_notices(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form: SeenForm { until } }: SignedForm<SeenForm>,
) -> Response {
    blocking(move || done(&console, &asked, console.door.see_notices(&signed, until))).await
}

/// Unbinds an identity.
pub(super) async fn remove_identity(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<OneForm>,
) -> Response {
    blocking(move || done(&console, &asked, console.door.remove_identity(&signed, &form.id))).await
}

/// Removes a token.
pub(super) async fn remove_token(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<OneForm>,
) -> Response {
    blocking(move || {
        let id = form.id.parse().unwrap_or_default();
        done(&console, &asked, console.door.remove_token(&signed, id))
    })
    .await
}

/// Makes a token, and shows it once.
pub(super) async fn add_token(
    State(console): State<Arc<Console>>,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<TokenForm>,
) -> Response {
    blocking(move || {
        let lang = console.lang(&asked);
        let (role, scope) = form.role.split_once(' ').unwrap_or((&form.role, "/"));
        let (Some(role), Some(scope)) = (Role::parse(role), Scope::parse(scope)) else {
            return done(&console, &asked, Err(Refusal::Rule("role-not-held")));
        };
        let wish = Wish { label: &form.label, role, scope: &scope, days: form.days };
        let secret = match console.door.add_token(&signed, wish) {
            Ok(secret) => secret,
            Err(refusal) => return done(&console, &asked, Err(refusal)),
        };
        let until = number::stamp(lang, console.door.now() + form.days * 86_400);
        let switch = format!("/me?lang={}", lang.other().tag());
        let page = SecretPage {
            frame: console.frame(&asked, texts::door_token_title(lang), "me", switch),
            text: texts::door_token_shown(lang, &until),
            secret,
            back: "/me",
        };
        page::html(StatusCode::OK, relight_web::render(&page))
    })
    .await
}

/// The page on which a key is shown again.
pub(super) async fn confirm(
    State(console): State<Arc<Console>>,
    Query(next): Query<Next>,
    asked: Asked,
) -> Response {
    confirm_page(&console, &asked, &next.next, None)
}

fn confirm_page(
    console: &Console,
    asked: &Asked,
    next: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let Some(signed) = person(&asked.reader) else { return console.nothing(asked) };
    let (lang, next) = (console.lang(asked), local(next));
    let purpose = Purpose::Confirm(&signed.sign_in);
    let switch = format!("/confirm?lang={}&next={}", lang.other().tag(), encode(next));
    let page = ConfirmPage {
        frame: console.frame(asked, texts::door_confirm_title(lang), "me", switch),
        problem: refusal.map(|refusal| words(lang, refusal)).unwrap_or_default(),
        key: console.shows_key(purpose, &console.door.strong_keys(signed.account.id)),
        next: next.to_owned(),
    };
    page::html(refusal.map_or(StatusCode::OK, status), relight_web::render(&page))
}

/// Takes the key that was shown again.
pub(super) async fn confirmed(
    State(console): State<Arc<Console>>,
    from: Sender,
    asked: Asked,
    SignedForm { signed, form }: SignedForm<KeyAnswer>,
) -> Response {
    blocking(move || {
        let shown = Shown { ticket: &form.ticket, answer: &form.answer, from: &from };
        match console.door.confirm(&signed, shown) {
            Ok(()) => Redirect::to(local(&form.next)).into_response(),
            Err(refusal) => confirm_page(&console, &asked, &form.next, Some(&refusal)),
        }
    })
    .await
}
