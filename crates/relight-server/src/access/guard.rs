//! In front of every page: who sends the request, and whether it may go on.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use relight_engine::access::Scope;
use relight_web::{Lang, texts};

use super::form::is_own;
use super::refusals::{self, Tried, because};
use super::sign_ins::WhoAsks;
use super::signed_in::{Factor, Reader, SignedIn};
use crate::console::act::beyond_page;
use crate::console::{Asked, Console, book, reports, terminal, terminals};
use crate::page::encode;

/// Where everybody may go: to sign in, to what a page needs to be shown as its reader wants it, to
/// tell what a browser did not let a page do, and where terminals ask to be let in.
/// `console/pages.rs` says the same of each page, and `web_pages` compares them.
const OPEN: [&str; 6] =
    ["/sign-in", "/start", "/assets/", "/look", reports::PATH, terminals::ASK_PATH];

/// Pages that look themselves at what their reader may see, besides the first one; every other one
/// shows the whole register, and is there for those who read all of it. `console/pages.rs` says the
/// same of each page, and `web_pages` compares them.
#[rustfmt::skip]
const SCOPED: [&str; 17] = [
    "/accounts",
    "/affected",
    "/agents",
    "/api",
    "/approve",
    "/confirm",
    book::PATH,
    "/events",
    "/incident",
    "/me",
    "/plan",
    "/plans",
    "/posture",
    "/sign-out",
    "/site",
    "/sites",
    terminal::PATH,
];

/// How long the sign-in still lasts, in seconds, for pages that ask by themselves.
const LEFT: HeaderName = HeaderName::from_static("rl-left");

/// Finds out who sends a request, has it answered, and journals what was refused.
pub(crate) async fn guard(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    let tried = Tried::of(&request, &console.door);
    let is_open = OPEN.iter().any(|open| is_under(request.uri().path(), open));
    let who_asks = who_asks(&request);
    let (signed, mut response) = match console.door.recognise(request.headers(), who_asks) {
        Ok(signed) => (signed.clone(), admit(&console, signed, is_open, request, next).await),
        Err(_) => (None, because(bad_token(), "bad-token")),
    };
    if who_asks == WhoAsks::Page {
        let left = signed.as_ref().and_then(|signed| console.door.left_s(&signed.sign_in));
        response.headers_mut().extend(left.map(|left| (LEFT, HeaderValue::from(left))));
    }
    let told = refusals::told(&response);
    refusals::note(&console, (tried, is_open), signed, told).await;
    response
}

/// What pages ask for by themselves: to follow what happens, to look whether their sign-in lasts,
/// and to tell what a browser did not let them do.
fn who_asks(request: &Request) -> WhoAsks {
    let is_by_itself = request.method() == Method::HEAD
        || ["/events", reports::PATH].contains(&request.uri().path());
    if is_by_itself { WhoAsks::Page } else { WhoAsks::Person }
}

/// Puts [`SignedIn`] and [`Reader`] into the request, or answers in place of the page.
async fn admit(
    console: &Console,
    signed: Option<SignedIn>,
    is_open: bool,
    mut request: Request,
    next: Next,
) -> Response {
    let door = &console.door;
    let by_token = signed.as_ref().is_some_and(|signed| signed.factor == Factor::Token);
    // A browser reports by itself, and not every one says from where.
    let is_report = request.uri().path() == reports::PATH;
    let is_terminal = terminals::is_asked(request.uri().path(), request.headers());
    let is_ours = by_token
        || is_report
        || is_terminal
        || is_own(request.method(), request.headers(), &door.address);
    if !is_ours {
        return because(refuse(StatusCode::FORBIDDEN, texts::door_foreign_form), "foreign-form");
    }
    let path = request.uri().path();
    let reader = match &signed {
        Some(signed) => Reader::Signed(signed.clone()),
        None if is_open || door.is_for_all() => Reader::Anyone,
        None => return ask_to_sign_in(&request),
    };
    let is_beyond = !is_open && !is_scoped(path) && !reader.reads(&Scope::root());
    if let Some(signed) = signed {
        request.extensions_mut().insert(signed);
    }
    request.extensions_mut().insert(reader);
    if is_beyond { beyond(console, request).await } else { next.run(request).await }
}

/// RFC 6750, 3.1.
fn bad_token() -> Response {
    let mut response = refuse(StatusCode::UNAUTHORIZED, texts::door_bad_token);
    let value = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    response
}

/// Whether an address is this one or below it.
fn is_under(path: &str, above: &str) -> bool {
    let rest = path.strip_prefix(above.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_scoped(path: &str) -> bool {
    path == "/" || SCOPED.iter().any(|scoped| is_under(path, scoped))
}

/// Who reads a part of the register is led back to its sites.
async fn beyond(console: &Console, request: Request) -> Response {
    if !is_page(&request) {
        return refuse(StatusCode::FORBIDDEN, texts::door_beyond_scope);
    }
    let (mut parts, _) = request.into_parts();
    match Asked::from_request_parts(&mut parts, &()).await {
        Ok(asked) => beyond_page(console, &asked),
        Err(response) => response,
    }
}

/// Whether a browser asks for a page.
fn is_page(request: &Request) -> bool {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let is_html = accepts.is_none_or(|accepts| accepts.contains("text/html") || accepts == "*/*");
    let path = request.uri().path();
    let is_program = matches!(path, "/events" | "/metrics") || path.starts_with("/api/");
    request.method() == Method::GET && is_html && !is_program
}

/// Pages lead to the sign-in and back again; everything else is told.
fn ask_to_sign_in(request: &Request) -> Response {
    if !is_page(request) {
        return refuse(StatusCode::UNAUTHORIZED, texts::door_not_signed_in);
    }
    let wanted = request.uri().path_and_query().map_or("/", |path| path.as_str());
    // The page that was asked for says in which language.
    let query = request.uri().query().unwrap_or_default();
    let lang = query.split('&').find_map(|pair| Lang::parse(pair.strip_prefix("lang=")?));
    let lang = lang.map(|lang| format!("&lang={}", lang.tag())).unwrap_or_default();
    Redirect::to(&format!("/sign-in?next={}{lang}", encode(wanted))).into_response()
}

/// A refusal in both languages, as text: no page of ours leads here.
pub(crate) fn refuse(status: StatusCode, text: fn(Lang) -> &'static str) -> Response {
    (status, Lang::ALL.map(text).join("\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_below_others() {
        for (path, above, wanted) in [
            ("/site", "/site", true),
            ("/site/a", "/site", true),
            ("/sites", "/site", false),
            ("/assets/x.css", "/assets/", true),
            ("/assetsx", "/assets/", false),
            ("/", "/site", false),
        ] {
            assert_eq!(is_under(path, above), wanted, "{path} {above}");
        }
    }
}
