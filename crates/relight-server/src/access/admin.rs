//! Accounts and what they may do: made, granted, taken back and ended by admins. Commander and
//! approver are granted by two people, or an admin would invent the second person of a plan.

use std::fmt;

use relight_engine::access::{Account, Role, Scope, is_name};
use relight_engine::store::{AccountChange, GrantRow, InvitationRow, ProposalRow};

use super::ceremony::Refusal;
use super::signed_in::SignedIn;
use super::{Door, Noted};
use crate::ServerError;

/// The act by which the keys of an account end.
pub(crate) const RENEWED: &str = "account-renewed";

/// The setting that says that the one grant without a second person was made.
pub(crate) const SECOND_GRANTED: &str = "access.second-granted";

/// Its value where that grant may be made once more.
pub(crate) const SECOND_AGAIN: &str = "again";

/// What became of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    /// It holds.
    Now,
    /// It waits for a commander or an approver.
    Proposed,
}

/// A grant that is made.
#[derive(Clone, Copy)]
struct Granting<'a> {
    account: &'a Account,
    role: Role,
    scope: &'a Scope,
    /// One name, or two with a blank between them.
    by: &'a str,
}

impl Door {
    /// Makes an account without any role, and a link for its person.
    ///
    /// # Errors
    /// The name is taken or cannot be one; whoever asks is no admin with a fresh passkey.
    pub(crate) fn add_account(&self, signed: &SignedIn, name: &str) -> Result<String, Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_admin(signed)?;
        let name = name.trim();
        if !is_name(name) {
            return Err(Refusal::Rule("bad-name"));
        }
        if self.known().tables.accounts.iter().any(|row| row.name == name) {
            return Err(Refusal::Rule("name-taken"));
        }
        let (link, href) = self.new_link(0)?;
        let noted = Noted { act: "account-added", account: name, facts: &[] };
        self.record_account(&signed.account.name, noted, &[link])?;
        Ok(href)
    }

    /// Another link for an account, whose keys, tokens and sign-ins end: for somebody who lost a
    /// key. Not for those who decide about plans, nor for those who soon may: an admin could take
    /// their place.
    ///
    /// # Errors
    /// There is no such account, or it needs a code and has none, or a role that decides waits for
    /// a second person; as [`Self::add_account`].
    pub(crate) fn renew_account(&self, signed: &SignedIn, name: &str) -> Result<String, Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_admin(signed)?;
        let account = self.named(name)?;
        if self.needs_code(account.id) && !self.has_code(account.id) {
            let why = if self.decides(account.id) { "decides" } else { "no-code-left" };
            return Err(Refusal::Rule(why));
        }
        if self.waits_to_decide(account.id) {
            return Err(Refusal::Rule("decides-soon"));
        }
        let (link, href) = self.new_link(account.id)?;
        let mut changes = self.known().all_of(account.id);
        changes.push(link);
        let noted = Noted { act: RENEWED, account: name, facts: &[] };
        self.record(&signed.account.name, noted, &changes)?;
        Ok(href)
    }

    /// Ends an account for ever.
    ///
    /// # Errors
    /// It is one's own, or not there; as [`Self::add_account`].
    pub(crate) fn end_account(&self, signed: &SignedIn, name: &str) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_admin(signed)?;
        let account = self.named(name)?;
        if account.id == signed.account.id {
            return Err(Refusal::Rule("own-account"));
        }
        let change = AccountChange::End { account: account.id, at: self.now() };
        let noted = Noted { act: "account-ended", account: name, facts: &[] };
        Ok(self.record(&signed.account.name, noted, &[change])?)
    }

    /// Grants a role, or proposes it when it takes two people. The first commander or approver of a
    /// register is granted by the admin alone, once, and the journal says so.
    ///
    /// # Errors
    /// A role that the account holds excludes it; the scope is beyond that of the admin; the first
    /// one is for an account whose link is open; as [`Self::add_account`].
    pub(crate) fn grant(
        &self,
        signed: &SignedIn,
        (name, role, scope): (&str, Role, &Scope),
    ) -> Result<Granted, Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        if !signed.may(Role::Admin, scope) {
            return Err(Refusal::Rule("not-admin"));
        }
        let account = self.named(name)?;
        self.check_excluded(&account, role)?;
        let by = &signed.account.name;
        if !role.needs_two_to_grant() {
            self.put(by, Granting { account: &account, role, scope, by }, &[], None)?;
            return Ok(Granted::Now);
        }
        if self.may_bootstrap()? {
            self.check_link(account.id)?;
            let grant = Granting { account: &account, role, scope, by };
            self.put(by, grant, &[("bootstrap", &"second")], None)?;
            self.set(SECOND_GRANTED, "yes")?;
            return Ok(Granted::Now);
        }
        let row = ProposalRow {
            id: 0,
            account: account.id,
            role: role.as_str().to_owned(),
            scope: scope.to_string(),
            proposer: signed.account.id,
            at: self.now(),
        };
        let what = (role.as_str(), scope);
        let noted = noted("grant-proposed", name, &what);
        self.record(by, noted.as_noted(), &[AccountChange::Propose(row)])?;
        Ok(Granted::Proposed)
    }

    /// The second person confirms a grant, or refuses it.
    ///
    /// # Errors
    /// It is not there; whoever answers proposed it, would get it, or is no commander or approver
    /// there with a fresh passkey; a role excludes it, or a link of the account is open.
    pub(crate) fn settle(
        &self,
        signed: &SignedIn,
        id: u32,
        is_confirmed: bool,
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        let found = self.known().tables.proposals.iter().find(|row| row.id == id).cloned();
        let row = found.ok_or(Refusal::Rule("not-there"))?;
        let parts = Role::parse(&row.role).zip(Scope::parse(&row.scope));
        let (role, scope) = parts.ok_or(Refusal::Rule("not-there"))?;
        let own = signed.account.id;
        if own == row.proposer || own == row.account {
            return Err(Refusal::Rule("own-proposal"));
        }
        if !signed.may(Role::Commander, &scope) && !signed.may(Role::Approver, &scope) {
            return Err(Refusal::Rule("not-second"));
        }
        let (account, proposer) = {
            let known = self.known();
            (known.account(row.account), known.name(row.proposer).to_owned())
        };
        let account = account.ok_or(Refusal::Rule("not-there"))?;
        let by = &signed.account.name;
        if !is_confirmed {
            let what = (role.as_str(), &scope);
            let noted = noted("grant-refused", &account.name, &what);
            return Ok(self.record(by, noted.as_noted(), &[AccountChange::Settle(id)])?);
        }
        self.check_excluded(&account, role)?;
        self.check_link(account.id)?;
        let both = format!("{proposer} {by}");
        let grant = Granting { account: &account, role, scope: &scope, by: &both };
        self.put(by, grant, &[("proposer", &proposer)], Some(AccountChange::Settle(id)))
    }

    /// Takes a role back. One's own admin role stays, so that there is always an admin.
    ///
    /// # Errors
    /// As [`Self::grant`].
    pub(crate) fn revoke(
        &self,
        signed: &SignedIn,
        (name, role, scope): (&str, Role, &Scope),
    ) -> Result<(), Refusal> {
        let _changing = self.changing();
        let signed = &self.must_be_fresh(signed)?;
        if !signed.may(Role::Admin, scope) {
            return Err(Refusal::Rule("not-admin"));
        }
        let account = self.named(name)?;
        if account.id == signed.account.id && role == Role::Admin {
            return Err(Refusal::Rule("own-account"));
        }
        let what = (role.as_str(), scope);
        let noted = noted("revoked", name, &what);
        let (role, scope) = (role.as_str().to_owned(), scope.to_string());
        let change = AccountChange::Revoke { account: account.id, role, scope };
        Ok(self.record(&signed.account.name, noted.as_noted(), &[change])?)
    }

    /// Writes one grant; other sign-ins of the account go on, its roles are read at each request.
    fn put(
        &self,
        actor: &str,
        grant: Granting<'_>,
        more: &[(&str, &dyn fmt::Display)],
        with: Option<AccountChange>,
    ) -> Result<(), Refusal> {
        let Granting { account, role, scope, by } = grant;
        let row = GrantRow {
            account: account.id,
            role: role.as_str().to_owned(),
            scope: scope.to_string(),
            at: self.now(),
            by: by.to_owned(),
        };
        let role = role.as_str();
        let mut facts: Vec<(&str, &dyn fmt::Display)> = vec![("role", &role), ("scope", scope)];
        facts.extend(more);
        let changes: Vec<_> = [AccountChange::Grant(row)].into_iter().chain(with).collect();
        let noted = Noted { act: "granted", account: &account.name, facts: &facts };
        Ok(self.record(actor, noted, &changes)?)
    }

    fn check_excluded(&self, account: &Account, role: Role) -> Result<(), Refusal> {
        let waiting = |row: &&ProposalRow| row.account == account.id;
        let known = self.known();
        let rows = known.tables.proposals.iter().filter(waiting);
        let waits = rows.filter_map(|row| Role::parse(&row.role)).any(|held| held.excludes(role));
        match account.excluded_by(role).is_some() || waits {
            true => Err(Refusal::Rule("excluded")),
            false => Ok(()),
        }
    }

    /// Whoever made an open link can still come in with it and decide in the place of its person.
    fn check_link(&self, account: u32) -> Result<(), Refusal> {
        let now = self.now();
        let is_open = |row: &InvitationRow| row.account == account && now < row.expires;
        match self.known().tables.invitations.iter().any(is_open) {
            true => Err(Refusal::Rule("link-open")),
            false => Ok(()),
        }
    }

    /// Whether a role that decides about plans waits for a second person.
    fn waits_to_decide(&self, account: u32) -> bool {
        let known = self.known();
        let rows = known.tables.proposals.iter().filter(|row| row.account == account);
        rows.filter_map(|row| Role::parse(&row.role)).any(Role::needs_two_to_grant)
    }

    /// Whether the one grant without a second person may still be made.
    fn may_bootstrap(&self) -> Result<bool, ServerError> {
        let Some(engine) = self.engine() else { return Ok(false) };
        let made = engine.store().meta_get(SECOND_GRANTED);
        let made = made.map_err(|error| ServerError::caused("read a setting", error))?;
        let (known, now) = (self.known(), self.now());
        Ok(match made.as_deref() {
            None => known.seconds().next().is_none(),
            // The owner of the data folder allowed it once more.
            Some(SECOND_AGAIN) => !known.seconds().any(|it| known.can_come_in(it, now)),
            Some(_) => false,
        })
    }

    fn set(&self, key: &str, value: &str) -> Result<(), Refusal> {
        let Some(engine) = self.engine() else { return Ok(()) };
        let set = engine.store().meta_put(key, value);
        Ok(set.map_err(|error| ServerError::caused("write a setting", error))?)
    }

    fn must_be_admin(&self, signed: &SignedIn) -> Result<SignedIn, Refusal> {
        let signed = self.must_be_fresh(signed)?;
        match signed.may(Role::Admin, &Scope::root()) {
            true => Ok(signed),
            false => Err(Refusal::Rule("not-admin")),
        }
    }

    fn named(&self, name: &str) -> Result<Account, Refusal> {
        self.known().named(name).ok_or(Refusal::Rule("not-there"))
    }
}

/// An act about a role in a scope.
struct RoleNoted<'a> {
    act: &'a str,
    account: &'a str,
    facts: [(&'a str, &'a dyn fmt::Display); 2],
}

impl RoleNoted<'_> {
    fn as_noted(&self) -> Noted<'_> {
        Noted { act: self.act, account: self.account, facts: &self.facts }
    }
}

fn noted<'a>(act: &'a str, account: &'a str, what: &'a (&'a str, &'a Scope)) -> RoleNoted<'a> {
    RoleNoted { act, account, facts: [("role", &what.0), ("scope", what.1)] }
}
