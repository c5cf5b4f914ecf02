//! Links that let one person in once: to the first account of a register, or to an account that an
//! admin made.

use std::fmt;
use std::sync::PoisonError;

use relight_engine::access::{Role, Scope, is_name};
use relight_engine::store::{AccountChange, GrantRow, InvitationRow, PASSKEYS_MAX, PasskeyRow};
use relight_model::{Digest, Timestamp};

use super::ceremony::{Refusal, Shown};
use super::form::Sender;
use super::limit::Trial;
use super::passkey::{self, Answer, Fault, NewKey};
use super::signed_in::{Factor, SignedIn};
use super::ticket::Purpose;
use super::{Door, Noted, digest_of, secret};
use crate::ServerError;

/// How long the link of the first run may be used, in seconds.
pub const FIRST_LINK_S_MAX: i64 = 10 * 60;

/// How long the link of an account may be used, in seconds: whoever gets it may be asleep.
pub(crate) const LINK_S_MAX: i64 = 24 * 3_600;

/// Longest name that somebody gives to a key or a token, in bytes.
pub(crate) const LABEL_BYTES_MAX: usize = 60;

/// The link of the first run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLink {
    digest: Digest,
    expires: Timestamp,
}

/// What a link is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    /// The first account, whatever its name.
    First,
    /// This account.
    Of(u32, String),
}

/// What somebody with a link sends.
#[derive(Clone, Copy)]
pub(crate) struct Entering<'a> {
    pub(crate) code: &'a str,
    /// Of the first account; else it is known.
    pub(crate) name: &'a str,
    /// What the key is called.
    pub(crate) label: &'a str,
    /// A code for recovery, where the link asks for one.
    pub(crate) recovery: &'a str,
    pub(crate) shown: Shown<'a>,
}

impl Door {
    /// A new link of the first run, which replaces the one before; `None` when there is an account.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn first_link(&self) -> Result<Option<String>, ServerError> {
        if self.engine().is_none() || self.is_closed() {
            return Ok(None);
        }
        let code: [u8; 20] = secret::random()?;
        let expires = self.now() + FIRST_LINK_S_MAX;
        let link = FirstLink { digest: digest_of(&code), expires };
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
        Ok(Some(self.href(&code)))
    }

    /// The address behind a code. What stands behind `#` stays in the browser: no log of a proxy
    /// and no history of a server holds it. The page there sends it as a form.
    fn href(&self, code: &[u8]) -> String {
        format!("{}/start#code={}", self.address.origin, secret::encode(code))
    }

    /// A link for an account, to be stored by the caller, and its address.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn new_link(&self, account: u32) -> Result<(AccountChange, String), ServerError> {
        let code: [u8; 20] = secret::random()?;
        let expires = self.now() + LINK_S_MAX;
        let row = InvitationRow { digest: digest_of(&code), account, expires };
        Ok((AccountChange::Invite(row), self.href(&code)))
    }

    /// What a code is for, and its digest; `None` when it is for nothing, or no longer.
    pub(crate) fn link(&self, code: &str) -> Option<(Link, Digest)> {
        let digest = digest_of(&secret::decode(code).filter(|code| code.len() == 20)?);
        let now = self.now();
        if !self.is_closed() {
            let first = *self.first.lock().unwrap_or_else(PoisonError::into_inner);
            let first = first.filter(|link| link.digest == digest && now < link.expires)?;
            return Some((Link::First, first.digest));
        }
        let known = self.known();
        let rows = known.tables.invitations.iter();
        let row = rows.clone().find(|row| row.digest == digest && now < row.expires)?;
        let account = known.row(row.account)?;
        Some((Link::Of(account.id, account.name.clone()), digest))
    }

    /// Registers the first key of an account, and signs in; gives the header that sets the cookie.
    ///
    /// # Errors
    /// The link or the answer does not count, the name cannot be one, or something failed.
    pub(crate) fn enter(&self, entering: Entering<'_>) -> Result<String, Refusal> {
        let from = entering.shown.from;
        self.try_link(from)?;
        let _changing = self.changing();
        let (link, digest) = self.link(entering.code).ok_or(Refusal::Rule("no-link"))?;
        let used = self.code_for(&link, entering.recovery, from)?;
        let key = self.new_key(Purpose::Register(&digest), entering.shown)?;
        let public = secret::encode(&key.key);
        let (row, cookie) = self.new_sign_in(0, Factor::Passkey, from)?;
        match link {
            Link::First => self.enter_first(&entering, key, AccountChange::SignIn(row))?,
            Link::Of(account, name) => {
                let row = relight_engine::store::SignInRow { account, ..row };
                let key = self.row_of(account, entering.label, key);
                let mut changes = vec![
                    AccountChange::Uninvite(digest),
                    AccountChange::AddKey(key),
                    AccountChange::SignIn(row),
                ];
                let by = match used {
                    Some(AccountChange::RemoveAuthenticator(_)) => "link and authenticator app",
                    Some(_) => "link and recovery code",
                    None => "link",
                };
                changes.extend(used);
                // It ends as the keys of before did, whichever code was used.
                changes.push(AccountChange::RemoveAuthenticator(account));
                let facts: [(&str, &dyn fmt::Display); 3] =
                    [("address", &from.address), ("by", &by), ("public-key", &public)];
                let noted = Noted { act: "link-used", account: &name, facts: &facts };
                self.record(&name, noted, &changes)?;
            }
        }
        Ok(cookie)
    }

    /// The code that a link asks for besides, if it does. A wrong one is journalled.
    fn code_for(
        &self,
        link: &Link,
        typed: &str,
        from: &Sender,
    ) -> Result<Option<AccountChange>, Refusal> {
        match link {
            Link::Of(account, _) if self.needs_code(*account) => {
                let code = self.code_of(*account, typed).map(Some);
                code.map_err(|refusal| self.refuse(refusal, Trial::Allowed, *account, from))
            }
            Link::First | Link::Of(..) => Ok(None),
        }
    }

    /// The first account is the admin of everything. The journal says that nobody else agreed.
    fn enter_first(
        &self,
        entering: &Entering<'_>,
        key: NewKey,
        sign_in: AccountChange,
    ) -> Result<(), Refusal> {
        let name = entering.name.trim();
        if !is_name(name) {
            return Err(Refusal::Rule("bad-name"));
        }
        let public = secret::encode(&key.key);
        let grant = |role: Role| {
            AccountChange::Grant(GrantRow {
                account: 0,
                role: role.as_str().to_owned(),
                scope: Scope::root().to_string(),
                at: self.now(),
                by: "first-run".to_owned(),
            })
        };
        let changes = [
            grant(Role::Admin),
            grant(Role::Auditor),
            AccountChange::AddKey(self.row_of(0, entering.label, key)),
            sign_in,
        ];
        let from = &entering.shown.from.address;
        let facts: [(&str, &dyn fmt::Display); 5] = [
            ("address", from),
            ("bootstrap", &"first-run"),
            ("public-key", &public),
            ("roles", &"admin auditor"),
            ("scope", &"/"),
        ];
        let noted = Noted { act: "account-added", account: name, facts: &facts };
        self.record_account("first-run", noted, &changes)?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Adds a key to the account of a sign-in; its other sign-ins end.
    ///
    /// # Errors
    /// The answer does not count, the passkey was not shown lately, or there are too many keys.
    pub(crate) fn add_key(
        &self,
        signed: &SignedIn,
        label: &str,
        shown: Shown<'_>,
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let account = signed.account.id;
        if self.known().keys(account).count() >= PASSKEYS_MAX {
            return Err(Refusal::Rule("too-many-keys"));
        }
        let key = self.new_key(Purpose::Register(&signed.sign_in), shown)?;
        let mut changes = self.known().others(account, &signed.sign_in);
        let public = secret::encode(&key.key);
        changes.push(AccountChange::AddKey(self.row_of(account, label, key)));
        let name = &signed.account.name;
        let facts: [(&str, &dyn fmt::Display); 2] =
            [("address", &shown.from.address), ("public-key", &public)];
        let noted = Noted { act: "key-added", account: name, facts: &facts };
        Ok(self.record(name, noted, &changes)?)
    }

    /// Removes a key of one's own, but never the last one; other sign-ins end.
    ///
    /// # Errors
    /// It is the last key, or not one's own; the passkey was not shown lately.
    pub(crate) fn remove_key(&self, signed: &SignedIn, id: u32) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let account = signed.account.id;
        let mut changes = {
            let known = self.known();
            if !known.keys(account).any(|key| key.id == id) {
                return Err(Refusal::Rule("not-there"));
            }
            if known.keys(account).count() == 1 {
                return Err(Refusal::Rule("last-key"));
            }
            known.others(account, &signed.sign_in)
        };
        changes.push(AccountChange::RemoveKey(id));
        let name = &signed.account.name;
        let noted = Noted { act: "key-removed", account: name, facts: &[("key", &id)] };
        Ok(self.record(name, noted, &changes)?)
    }

    /// Dangerous acts need a passkey that was shown in the last five minutes. Gives the sign-in as
    /// it is known now: what came with the request is as old as the request.
    ///
    /// # Errors
    /// It was not, the sign-in is over, or whoever acts is no person.
    pub(crate) fn must_be_fresh(&self, signed: &SignedIn) -> Result<SignedIn, Refusal> {
        let signed = self.as_now(signed).ok_or(Refusal::Rule("not-signed-in"))?;
        match signed.is_fresh(self.now()) {
            true => Ok(signed),
            false => Err(Refusal::Rule("not-fresh")),
        }
    }

    fn new_key(&self, purpose: Purpose<'_>, shown: Shown<'_>) -> Result<NewKey, Refusal> {
        let returned = self.returned(purpose, shown.ticket)?;
        let answer = Answer::parse(shown.answer)?;
        let key = answer.registered(&self.address, &returned.challenge)?;
        passkey::check_strength(&key.key, self.rsa_bits_min)?;
        if self.known().key(&key.credential).is_some() {
            return Err(Refusal::Rule("key-known"));
        }
        self.answer(&returned).map_err(|_| Fault::Expired)?;
        Ok(key)
    }

    fn row_of(&self, account: u32, label: &str, key: NewKey) -> PasskeyRow {
        let NewKey { credential, key, signatures } = key;
        let (now, name) = (self.now(), label_of(label, "passkey"));
        PasskeyRow { id: 0, account, credential, key, name, signatures, created: now, used: now }
    }
}

/// What somebody calls a key or a token: one line, not too long.
pub(crate) fn label_of(text: &str, instead: &str) -> String {
    let mut label: String = text.trim().chars().filter(|sign| !sign.is_control()).collect();
    label.truncate(label.floor_char_boundary(LABEL_BYTES_MAX));
    if label.is_empty() { instead.to_owned() } else { label }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_short_line() {
        assert_eq!(label_of("  blue key\n\u{1b}[31m ", "x"), "blue key[31m");
        assert_eq!(label_of(" \t ", "passkey"), "passkey");
        assert_eq!(label_of(&"é".repeat(LABEL_BYTES_MAX), "x").len(), LABEL_BYTES_MAX);
    }
}
