//! API tokens: for programs that act for a person. They may read and propose, and never count as
//! somebody who approves.

use std::fmt;

use axum::http::{HeaderMap, header};
use relight_engine::access::{Account, Grant, Role, Scope};
use relight_engine::store::{AccountChange, TOKENS_MAX, TokenRow};
use relight_model::Digest;

use super::ceremony::Refusal;
use super::links::label_of;
use super::signed_in::{Factor, SignedIn};
use super::{Door, Noted, digest_of, secret};

/// How long a token may live, in days.
pub const TOKEN_DAYS_MAX: i64 = 90;

/// What every token begins with, so that a scanner for secrets finds one that leaked.
const PREFIX: &str = "rlt_";

/// Random bytes of a token: 160 bits.
const RANDOM_BYTES: usize = 20;

/// That a token was used is written down at most this often, in seconds.
const USED_EVERY_S: i64 = 60;

/// A request has a token that is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoToken;

/// What a person asks a token for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) label: &'a str,
    pub(crate) role: Role,
    pub(crate) scope: &'a Scope,
    pub(crate) days: i64,
}

/// The text of a token: prefix, random bytes, and three bytes of their digest, so that one that was
/// cut or mistyped is known without a look at the database.
fn text_of(bytes: &[u8; RANDOM_BYTES]) -> String {
    let sum = digest_of(bytes).0;
    format!("{PREFIX}{}", secret::encode(&[&bytes[..], &sum[..3]].concat()))
}

/// Whether a text has the form of a token.
fn is_formed(text: &str) -> bool {
    let bytes = text.strip_prefix(PREFIX).and_then(secret::decode);
    let parts = bytes.as_deref().and_then(|bytes| bytes.split_first_chunk::<RANDOM_BYTES>());
    parts.is_some_and(|(bytes, sum)| *sum == digest_of(bytes).0[..3])
}

/// The token of a request, if it has one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Result<&str, NoToken>> {
    let value = headers.get(header::AUTHORIZATION)?;
    let text = value.to_str().ok().and_then(|text| text.split_once(' '));
    let token = text.filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    Some(token.map(|(_, token)| token.trim()).filter(|text| is_formed(text)).ok_or(NoToken))
}

impl Door {
    /// Who a token acts for, with its one role where that person still holds it.
    pub(crate) fn by_token(&self, token: &str) -> Result<SignedIn, NoToken> {
        let (row, signed) = self.acting(digest_of(token.as_bytes())).ok_or(NoToken)?;
        self.used(&row, self.now());
        Ok(signed)
    }

    /// A token that lives, and who it acts for.
    pub(crate) fn acting(&self, digest: Digest) -> Option<(TokenRow, SignedIn)> {
        let now = self.now();
        let known = self.known();
        let mut rows = known.tables.tokens.iter();
        let row = rows.find(|row| row.digest == digest && now < row.expires)?;
        let signed = acting(row, &known.account(row.account)?)?;
        Some((row.clone(), signed))
    }

    /// Written down once a minute only; without it nothing but that is lost.
    fn used(&self, row: &TokenRow, now: i64) {
        if now < row.used + USED_EVERY_S {
            return;
        }
        let used = AccountChange::UseToken { id: row.id, at: now };
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = known.tables.tokens.iter_mut().find(|it| it.id == row.id) {
            known.used = now;
        }
        drop(known);
        if let Some(engine) = self.engine() {
            let _ = engine.store().change_accounts(&[used]);
        }
    }

    /// Makes a token for somebody who showed a passkey lately; its text is shown once.
    ///
    /// # Errors
    /// The passkey was not shown lately; the role is not held there, or never one of a token; the
    /// token would live too long, or there are too many.
    pub(crate) fn add_token(&self, signed: &SignedIn, wish: Wish<'_>) -> Result<String, Refusal> {
        let _changing = self.changing();
        let signed = self.must_be_fresh(signed)?;
        self.issue_to(&signed.account.name, &signed.account, wish)
    }

    /// The same on behalf of an account, for whoever owns the data folder.
    ///
    /// # Errors
    /// As [`Self::add_token`].
    pub(crate) fn issue(
        &self,
        actor: &str,
        account: &Account,
        wish: Wish<'_>,
    ) -> Result<String, Refusal> {
        let _changing = self.changing();
        self.issue_to(actor, account, wish)
    }

    /// Whether an account may have such a token.
    ///
    /// # Errors
    /// As [`Self::add_token`], whenever its passkey was shown.
    pub(crate) fn may_have(&self, account: &Account, wish: Wish<'_>) -> Result<(), Refusal> {
        let Wish { role, scope, days, .. } = wish;
        if !is_for_tokens(role) {
            return Err(Refusal::Rule("role-of-people"));
        }
        // What groups of a provider give ends with a sign-in, and a token does not.
        if !self.known().account(account.id).is_some_and(|own| own.may(role, scope)) {
            return Err(Refusal::Rule("role-not-held"));
        }
        if !(1..=TOKEN_DAYS_MAX).contains(&days) {
            return Err(Refusal::Rule("token-days"));
        }
        // One that is over is in nobody's way; the next one that is made takes it with it.
        let now = self.now();
        let own = |row: &&TokenRow| row.account == account.id && now < row.expires;
        if self.known().tables.tokens.iter().filter(own).count() >= TOKENS_MAX {
            return Err(Refusal::Rule("too-many-tokens"));
        }
        Ok(())
    }

    pub(super) fn issue_to(
        &self,
        actor: &str,
        account: &Account,
        wish: Wish<'_>,
    ) -> Result<String, Refusal> {
        self.may_have(account, wish)?;
        let Wish { label, role, scope, days } = wish;
        let text = text_of(&secret::random()?);
        let now = self.now();
        let row = TokenRow {
            id: 0,
            digest: digest_of(text.as_bytes()),
            account: account.id,
            name: label_of(label, "token"),
            role: role.as_str().to_owned(),
            scope: scope.to_string(),
            created: now,
            expires: now + days * 86_400,
            used: 0,
        };
        let facts: [(&str, &dyn fmt::Display); 4] =
            [("days", &days), ("name", &row.name), ("role", &row.role), ("scope", &row.scope)];
        let noted = Noted { act: "token-added", account: &account.name, facts: &facts };
        self.record(actor, noted, &[AccountChange::AddToken(row.clone())])?;
        Ok(text)
    }

    /// Ends any token, for whoever owns the data folder.
    ///
    /// # Errors
    /// There is none of that number, or something failed.
    pub(crate) fn end_token(&self, actor: &str, id: u32) -> Result<(), Refusal> {
        let _changing = self.changing();
        let owner = {
            let known = self.known();
            let row = known.tables.tokens.iter().find(|row| row.id == id);
            row.map(|row| known.name(row.account).to_owned())
        };
        let owner = owner.ok_or(Refusal::Rule("not-there"))?;
        let noted = Noted { act: "token-removed", account: &owner, facts: &[("token", &id)] };
        Ok(self.record(actor, noted, &[AccountChange::RemoveToken(id)])?)
    }

    /// Ends the token itself that somebody acts with.
    ///
    /// # Errors
    /// Nobody acts with one, or something failed.
    pub(crate) fn end_own_token(&self, signed: &SignedIn) -> Result<(), Refusal> {
        let _changing = self.changing();
        let own = |row: &&TokenRow| row.digest == signed.sign_in;
        let id = self.known().tables.tokens.iter().find(own).map(|row| row.id);
        let id = id.filter(|_| !signed.is_person()).ok_or(Refusal::Rule("not-there"))?;
        let name = &signed.account.name;
        let noted = Noted { act: "token-removed", account: name, facts: &[("token", &id)] };
        Ok(self.record(name, noted, &[AccountChange::RemoveToken(id)])?)
    }

    /// Ends a token of one's own.
    ///
    /// # Errors
    /// There is none of that number, or something failed.
    pub(crate) fn remove_token(&self, signed: &SignedIn, id: u32) -> Result<(), Refusal> {
        let _changing = self.changing();
        let own = |row: &TokenRow| row.account == signed.account.id && row.id == id;
        if !signed.is_person() || !self.known().tables.tokens.iter().any(own) {
            return Err(Refusal::Rule("not-there"));
        }
        let name = &signed.account.name;
        let noted = Noted { act: "token-removed", account: name, facts: &[("token", &id)] };
        Ok(self.record(name, noted, &[AccountChange::RemoveToken(id)])?)
    }
}

/// Roles that a program may use: none that decides about plans or about people.
#[must_use]
pub const fn is_for_tokens(role: Role) -> bool {
    !matches!(role, Role::Approver | Role::Admin)
}

/// Their names, as they are typed.
#[must_use]
pub fn roles_of_tokens() -> String {
    let roles = Role::ALL.into_iter().filter(|role| is_for_tokens(*role)).map(Role::as_str);
    roles.collect::<Vec<_>>().join(" ")
}

/// The person with the role of the token only, where both cover it.
fn acting(row: &TokenRow, account: &Account) -> Option<SignedIn> {
    let (role, scope) = (Role::parse(&row.role)?, Scope::parse(&row.scope)?);
    let holds = is_for_tokens(role) && account.may(role, &scope);
    let grants = if holds { vec![Grant { role, scope }] } else { Vec::new() };
    let (id, name) = (account.id, account.name.clone());
    Some(SignedIn {
        account: Account { id, name, grants },
        factor: Factor::Token,
        shown: 0,
        sign_in: row.digest,
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_that_was_cut_or_mistyped_is_known_as_such() {
        let text = text_of(&[7; RANDOM_BYTES]);
        assert_eq!(text.len(), 35);
        assert!(text.starts_with("rlt_") && is_formed(&text));
        for at in 0..text.len() {
            let mut other: Vec<char> = text.chars().collect();
            other[at] = if other[at] == 'B' { 'C' } else { 'B' };
            assert!(!is_formed(&other.into_iter().collect::<String>()), "sign {at}");
            assert!(!is_formed(&text[..at]), "cut at {at}");
        }
    }

    #[test]
    fn a_header_with_another_word_is_no_token_and_no_cookie_helps() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(text).unwrap());
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        let text = text_of(&[7; RANDOM_BYTES]);
        assert_eq!(bearer(&HeaderMap::new()), None);
        assert_eq!(read(&format!("Bearer {text}")), Some(Ok(text.clone())));
        assert_eq!(read(&format!("bearer  {text}")), Some(Ok(text.clone())));
        for bad in ["", "Bearer", "Bearer x", &format!("Basic {text}"), &text] {
            assert_eq!(read(bad), Some(Err(NoToken)), "{bad}");
        }
    }

    #[test]
    fn a_token_has_its_role_only_where_its_person_still_holds_it() {
        let grant = |role, scope: &str| Grant { role, scope: Scope::parse(scope).unwrap() };
        let row = |role: Role, scope: &str| TokenRow {
            id: 1,
            digest: Digest::default(),
            account: 1,
            name: "ci".into(),
            role: role.as_str().into(),
            scope: scope.into(),
            created: 1,
            expires: 2,
            used: 0,
        };
        let anna = |grants| Account { id: 1, name: "anna".into(), grants };
        let all = anna(vec![grant(Role::Commander, "health"), grant(Role::Approver, "/")]);
        let signed = acting(&row(Role::Commander, "health/CHU"), &all).unwrap();
        assert_eq!(signed.account.grants, [grant(Role::Commander, "health/CHU")]);
        assert!(!signed.is_person() && !signed.is_fresh(1));
        for (role, scope) in [(Role::Commander, "/"), (Role::Approver, "/"), (Role::Viewer, "/")] {
            let signed = acting(&row(role, scope), &all).unwrap();
            assert!(signed.account.grants.is_empty(), "{role:?} {scope}");
        }
    }
}
