//! The pages of the console and where its forms go, with who may: one table, from which the router
//! is built and which tests walk. The API has its own.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use relight_engine::access::Role::{self, Admin, Analyst, Approver, Auditor, Commander, SiteOwner};

use self::Who::{Open, Part, Whole};
use super::{
    Console, accounts, act, actors, affected, agents, audit, authenticator, book, brief, edges,
    incident, look, me, meter, oidc, posture, register, reports, share, sign_in, sites, tell,
    terminal, watch,
};
use crate::{page, sse};

/// Who is let through to a page or a form. What lets through is the guard (`access/guard.rs`, its
/// `OPEN` and `SCOPED`); tests hold this to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Everybody: it tells nothing of the register.
    Open,
    /// Whoever is signed in; it looks itself at what is theirs.
    Part,
    /// Whoever reads the whole register.
    Whole,
}

/// What is done at one address in one way.
#[derive(Debug)]
pub struct ConsolePage {
    /// `GET` for a page, `POST` for a form.
    pub method: &'static str,
    /// Its address; what stands in braces may be anything.
    pub path: &'static str,
    /// Who is let through.
    pub who: Who,
    /// Of these, those with one of these roles; nobody needs one where there are none.
    pub roles: &'static [Role],
    done: MethodRouter<Arc<Console>>,
}

impl ConsolePage {
    /// The same, for those who hold one of these roles.
    pub(super) fn roles(self, roles: &'static [Role]) -> Self {
        Self { roles, ..self }
    }
}

/// A page, or a part of one.
pub(super) fn shows<H, T>(who: Who, path: &'static str, by: H) -> ConsolePage
where
    H: Handler<T, Arc<Console>>,
    T: 'static,
{
    ConsolePage { method: "GET", path, who, roles: &[], done: get(by) }
}

/// Where a form goes.
pub(super) fn takes<H, T>(who: Who, path: &'static str, by: H) -> ConsolePage
where
    H: Handler<T, Arc<Console>>,
    T: 'static,
{
    ConsolePage { method: "POST", path, who, roles: &[], done: post(by) }
}

/// Every page and every form of the console.
#[must_use]
pub fn console_pages() -> Vec<ConsolePage> {
    let mut all = vec![
        shows(Part, "/", incident::show),
        shows(Part, "/incident", brief::newest),
        shows(Part, "/incident/{id}", brief::one),
        shows(Part, "/sites", sites::table),
        shows(Part, "/sites/rows", sites::rows),
        shows(Part, "/site", sites::one),
        shows(Part, "/site/{slug}", register::site),
        shows(Part, "/affected", affected::affected),
        shows(Whole, "/watch", watch::show),
        shows(Whole, "/watch/actors", actors::show),
        takes(Whole, "/watch/export", share::export).roles(&[Analyst, Commander]),
        shows(Whole, "/watch/tell", tell::ask).roles(&[Analyst, Commander]),
        takes(Whole, "/watch/tell", tell::tell).roles(&[Analyst, Commander]),
        shows(Whole, "/edges", edges::show),
        shows(Part, "/posture", posture::show),
        takes(Part, "/posture/attest", posture::take).roles(&[SiteOwner, Admin]),
        shows(Whole, "/audit", audit::show).roles(&audit::READERS),
        shows(Whole, "/metrics", meter::show),
        shows(Part, "/events", sse::events),
        shows(Part, book::PATH, book::index),
        shows(Part, "/docs/{name}", book::chapter),
        shows(Part, "/docs/codes", book::all_codes),
        shows(Part, "/docs/commands/{name}", book::command),
    ];
    all.extend(door());
    all.extend(own());
    all.extend(people());
    all.extend(act::pages());
    all
}

/// How one comes in and goes, and what pages need.
fn door() -> Vec<ConsolePage> {
    vec![
        shows(Open, "/assets/{name}", page::asset),
        takes(Open, reports::PATH, reports::take),
        shows(Open, "/look", look::show),
        takes(Open, "/look", look::keep),
        shows(Open, "/sign-in", sign_in::show),
        takes(Open, "/sign-in", sign_in::sign_in),
        shows(Open, "/sign-in/oidc", oidc::leave),
        takes(Open, "/sign-in/oidc", oidc::enter),
        shows(Open, "/sign-in/oidc/back", oidc::back),
        shows(Open, "/start", sign_in::start),
        takes(Open, "/start", sign_in::enter),
        takes(Part, "/sign-out", me::sign_out),
        shows(Part, "/confirm", me::confirm),
        takes(Part, "/confirm", me::confirmed),
        shows(Part, terminal::PATH, terminal::show),
        takes(Part, terminal::PATH, terminal::find),
        takes(Part, "/terminal/decide", terminal::decide),
    ]
}

/// One's own account.
fn own() -> Vec<ConsolePage> {
    vec![
        shows(Part, "/me", me::show),
        takes(Part, "/me/key", me::add_key),
        takes(Part, "/me/key/remove", me::remove_key),
        takes(Part, "/me/sign-in/end", me::end_sign_in),
        takes(Part, "/me/codes", authenticator::new_codes),
        takes(Part, "/me/authenticator", authenticator::make),
        takes(Part, "/me/authenticator/confirm", authenticator::confirm),
        takes(Part, "/me/authenticator/remove", authenticator::remove),
        takes(Part, "/me/notices/seen", me::see_notices),
        shows(Part, "/me/identity", oidc::link),
        takes(Part, "/me/identity/remove", me::remove_identity),
        takes(Part, "/me/token", me::add_token),
        takes(Part, "/me/token/remove", me::remove_token),
    ]
}

/// All accounts, and agents.
fn people() -> Vec<ConsolePage> {
    vec![
        shows(Part, "/accounts", accounts::show).roles(&accounts::READERS),
        takes(Part, "/accounts/add", accounts::add).roles(&[Admin]),
        takes(Part, "/accounts/renew", accounts::renew).roles(&[Admin]),
        takes(Part, "/accounts/end", accounts::end).roles(&[Admin]),
        takes(Part, "/accounts/grant", accounts::grant).roles(&[Admin]),
        takes(Part, "/accounts/revoke", accounts::revoke).roles(&[Admin]),
        takes(Part, "/accounts/settle", accounts::settle).roles(&[Commander, Approver]),
        shows(Part, "/agents", agents::show).roles(&[Admin, Auditor]),
        takes(Part, "/agents/code", agents::make).roles(&[Admin]),
        takes(Part, "/agents/revoke", agents::revoke).roles(&[Admin]),
    ]
}

/// A router of all.
pub(super) fn routes() -> Router<Arc<Console>> {
    let all = console_pages().into_iter();
    all.fold(Router::new(), |router, it| router.route(it.path, it.done))
}
