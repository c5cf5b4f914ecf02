//! How a terminal asks to be let in, and takes its token: the device flow of RFC 8628, with
//! documents as everywhere in this API.

use axum::http::{HeaderMap, StatusCode, header};
use relight_engine::access::{Role, Scope};
use relight_web::number::rfc3339;
use relight_web::{Lang, texts};

use super::problem::Problem;
use super::types::{TerminalAsk, TerminalCodes, TerminalPoll, TerminalToken, TokenEnded};
use super::{Call, Nothing, OpenCall};
use crate::access::ceremony::Refusal;
use crate::access::terminal::{Granted, Heard, POLL_S_MIN, TerminalWish, WAIT_S_MAX};
use crate::access::token::{TOKEN_DAYS_MAX, is_for_tokens, roles_of_tokens};
use crate::console::{key_form, terminal};

/// Where terminals ask.
pub(crate) const ASK_PATH: &str = "/api/v1/terminals";

/// Where they take their tokens.
pub(super) const TOKEN_PATH: &str = "/api/v1/terminals/token";

/// Where a token ends itself.
pub(super) const END_PATH: &str = "/api/v1/token/end";

/// How long a token lives of which nothing else was said, in days.
const DAYS: i64 = 30;

/// Whether a request is a terminal's: browsers say from which page they come, so that no page of
/// somebody else asks in the name of whoever looks at it.
pub(crate) fn is_asked(path: &str, headers: &HeaderMap) -> bool {
    let is_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    (path == ASK_PATH || path == TOKEN_PATH) && !is_browser
}

/// Writes down that a terminal waits.
pub(super) fn ask(call: &OpenCall, asked: TerminalAsk) -> Result<TerminalCodes, Problem> {
    let door = &call.console.door;
    if !door.is_closed() {
        let (what, remedy) = (
            texts::door_terminal_no_account(call.lang),
            texts::door_terminal_no_account_remedy(call.lang),
        );
        return Err(Problem::conflict("no-account", what.to_owned(), remedy));
    }
    let wish = wish_of(call.lang, asked)?;
    let codes = door.ask_for_terminal(wish, &call.from);
    let codes = codes.map_err(|error| refused(call, &error.into()))?;
    Ok(TerminalCodes {
        device_code: codes.device,
        user_code: codes.user,
        verification_uri: format!("{}{}", door.address.origin, terminal::PATH),
        expires_in: WAIT_S_MAX.unsigned_abs(),
        interval: POLL_S_MIN.unsigned_abs(),
    })
}

/// What was asked for, where a token may ever be that.
fn wish_of(lang: Lang, asked: TerminalAsk) -> Result<TerminalWish, Problem> {
    let TerminalAsk { name, role, scope, days } = asked;
    let none = || {
        let remedy = texts::token_bad_role_remedy(lang, &roles_of_tokens());
        Problem::unreadable(texts::token_bad_role(lang)).remedy(&remedy)
    };
    let scope = scope.as_deref().map_or_else(|| Some(Scope::root()), Scope::parse);
    let scope = scope.ok_or_else(none)?;
    let role = match role.as_deref() {
        None => None,
        Some(role) => {
            let known = Role::parse(role).filter(|role| is_for_tokens(*role));
            Some((known.ok_or_else(none)?, scope))
        }
    };
    let days = days.map_or(Some(DAYS), |days| i64::try_from(days).ok());
    let days = days.filter(|days| (1..=TOKEN_DAYS_MAX).contains(days));
    let remedy = texts::login_bad_days_remedy(lang);
    let wrong = || Problem::unreadable(texts::door_refused_token_days(lang)).remedy(remedy);
    let days = days.ok_or_else(wrong)?;
    Ok(TerminalWish { name, role, days })
}

/// Ends the token that this is asked with: it is its person's own, and nobody needs another.
pub(super) fn end(call: &Call, _: Nothing) -> Result<TokenEnded, Problem> {
    match call.console.door.end_own_token(&call.signed) {
        Ok(()) => Ok(TokenEnded { ended: true }),
        Err(Refusal::Rule(code)) => {
            let words = key_form::words(call.lang, &Refusal::Rule(code));
            Err(Problem::refused(StatusCode::CONFLICT, code, words))
        }
        Err(refusal) => Err(Problem::internal(&key_form::words(call.lang, &refusal))),
    }
}

/// Tells a terminal whether it was let in.
pub(super) fn token(call: &OpenCall, asked: TerminalPoll) -> Result<TerminalToken, Problem> {
    let heard = call.console.door.hear(&asked.device_code).map_err(|it| refused(call, &it))?;
    Ok(match heard {
        Heard::Waiting => without("authorization_pending", None),
        Heard::TooSoon(interval) => without("slow_down", Some(interval.unsigned_abs())),
        Heard::Refused => without("access_denied", None),
        Heard::Over => without("expired_token", None),
        Heard::Token(granted) => with(granted),
    })
}

fn without(error: &str, interval: Option<u64>) -> TerminalToken {
    TerminalToken {
        error: Some(error.to_owned()),
        interval,
        access_token: None,
        token_type: None,
        account: None,
        role: None,
        scope: None,
        expires: None,
    }
}

fn with(Granted { text, account, role, scope, expires }: Granted) -> TerminalToken {
    TerminalToken {
        error: None,
        interval: None,
        access_token: Some(text),
        token_type: Some("Bearer".to_owned()),
        account: Some(account),
        role: Some(role.as_str().to_owned()),
        scope: Some(scope.to_string()),
        expires: Some(rfc3339(expires)),
    }
}

/// A refusal of the door, in its words.
fn refused(call: &OpenCall, refusal: &Refusal) -> Problem {
    let words = key_form::words(call.lang, refusal);
    match key_form::status(refusal) {
        StatusCode::INTERNAL_SERVER_ERROR => Problem::internal(&words),
        status => {
            let remedy = texts::login_not_granted_remedy(call.lang);
            Problem::refused(status, refusal.code(), words).remedy(remedy)
        }
    }
}
