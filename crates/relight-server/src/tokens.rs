//! API tokens without a browser, for whoever owns the data folder. The same rules as on the page:
//! one role that the account holds, an end, and a text that is shown once.

use std::sync::Arc;

use relight_engine::Engine;
use relight_engine::access::{Role, Scope};
use relight_engine::store::TokenRow;
use relight_model::Timestamp;

use crate::access::ceremony::Refusal;
use crate::access::token::Wish;
use crate::access::{Address, Door};
use crate::{ServerError, clock};

pub use crate::access::token::{TOKEN_DAYS_MAX, is_for_tokens, roles_of_tokens};

/// Under what name the journal records what is done here.
const ACTOR: &str = "command-line";

/// The tokens of a register.
#[derive(Debug)]
pub struct Tokens(Door);

/// A token, without its text, which nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// Its number.
    pub id: u32,
    /// On whose behalf it acts.
    pub account: String,
    /// What it is for.
    pub name: String,
    /// Its one role.
    pub role: String,
    /// Where.
    pub scope: String,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// When it was last used; 0 for never.
    pub used: Timestamp,
    /// It is too old, or its account does not hold the role there any more.
    pub is_dead: bool,
}

/// What a token is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TokenWish<'a> {
    /// On whose behalf it acts.
    pub account: &'a str,
    /// Its one role.
    pub role: Role,
    /// Where.
    pub scope: &'a Scope,
    /// What it is for.
    pub name: &'a str,
    /// How long it lives, at most [`TOKEN_DAYS_MAX`].
    pub days: i64,
}

/// Why something was not done.
#[derive(Debug)]
pub enum TokenError {
    /// A rule, by the stable name that is part of the key of its sentence.
    Refused(&'static str),
    /// Something failed here.
    Failed(ServerError),
}

impl From<Refusal> for TokenError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failed(error) => Self::Failed(error),
            other => Self::Refused(other.code()),
        }
    }
}

impl Tokens {
    /// Those of the register behind an engine.
    ///
    /// # Errors
    /// The accounts cannot be read.
    pub fn open(engine: Arc<Engine>) -> Result<Self, ServerError> {
        let nowhere = Address { origin: String::new(), host: String::new() };
        Ok(Self(Door::open(Some(engine), nowhere, clock::now_ms)?))
    }

    /// Every token, by number.
    pub fn all(&self) -> Vec<TokenView> {
        let rows = self.0.known().tables.tokens.clone();
        rows.iter().map(|row| self.view(row)).collect()
    }

    fn view(&self, row: &TokenRow) -> TokenView {
        let acting = self.0.acting(row.digest);
        let holds = acting.is_some_and(|(_, signed)| !signed.account.grants.is_empty());
        TokenView {
            id: row.id,
            account: self.0.known().name(row.account).to_owned(),
            name: row.name.clone(),
            role: row.role.clone(),
            scope: row.scope.clone(),
            expires: row.expires,
            used: row.used,
            is_dead: !holds,
        }
    }

    /// Makes a token; its text is given once, and kept as a digest.
    ///
    /// # Errors
    /// There is no such account or it does not hold the role there, tokens never have the role,
    /// the life is too long, there are too many, or something failed.
    pub fn create(&self, wish: TokenWish<'_>) -> Result<String, TokenError> {
        let account = self.0.known().named(wish.account);
        let account = account.ok_or(TokenError::Refused("not-there"))?;
        let TokenWish { role, scope, name: label, days, .. } = wish;
        Ok(self.0.issue(ACTOR, &account, Wish { label, role, scope, days })?)
    }

    /// Ends a token.
    ///
    /// # Errors
    /// There is none of that number, or something failed.
    pub fn revoke(&self, id: u32) -> Result<(), TokenError> {
        Ok(self.0.end_token(ACTOR, id)?)
    }
}
