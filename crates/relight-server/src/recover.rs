//! The way back into a register that locked itself out, for whoever owns its data folder: a new
//! link for an admin who lost every key, or the one grant without a second person once more. The
//! journal tells it, and everybody who signs in is told.

use std::fmt;
use std::sync::Arc;

use relight_engine::Engine;
use relight_engine::access::{Role, Scope};
use relight_engine::store::AccountChange;

use crate::access::admin::{RENEWED, SECOND_AGAIN, SECOND_GRANTED};
use crate::access::{Address, Door, Noted};
use crate::tokens::TokenError;
use crate::{ServerError, clock};

/// The act of a way back, about each account.
pub const RECOVERED: &str = "account-recovered";

/// The accounts of a register that nobody can open any more.
#[derive(Debug)]
pub struct Recovery(Door);

/// Who takes the way back, as the journal tells it.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// Whoever runs the command.
    pub name: &'a str,
    /// Why.
    pub reason: &'a str,
}

impl Recovery {
    /// Of the register behind an engine, whose console is reached at `url`.
    ///
    /// # Errors
    /// The accounts cannot be read.
    pub fn open(engine: Arc<Engine>, url: &str) -> Result<Option<Self>, ServerError> {
        let Some(address) = Address::parse(url) else { return Ok(None) };
        Ok(Some(Self(Door::open(Some(engine), address, clock::now_ms)?)))
    }

    /// A link for an admin who lost every key; keys, tokens, identities and sign-ins of before end.
    /// Any other admin who could come in would make it, and has to be named as lost as well.
    ///
    /// # Errors
    /// There is no such account, one of them is no admin of everything, another admin can come in,
    /// or something failed. Nothing changed then.
    pub fn admin(
        &self,
        owner: Owner<'_>,
        name: &str,
        lost: &[String],
    ) -> Result<String, TokenError> {
        let _changing = self.0.changing();
        let accounts = {
            let known = self.0.known();
            let mut accounts = Vec::new();
            for name in [name].into_iter().chain(lost.iter().map(String::as_str)) {
                let account = known.named(name).ok_or(TokenError::Refused("not-there"))?;
                if !account.may(Role::Admin, &Scope::root()) {
                    return Err(TokenError::Refused("not-an-admin"));
                }
                accounts.push(account);
            }
            let is_lost = |id: u32| accounts.iter().any(|it| it.id == id);
            let mut others = known.tables.accounts.iter().filter_map(|row| known.account(row.id));
            let others = others.any(|it| {
                it.may(Role::Admin, &Scope::root())
                    && !is_lost(it.id)
                    && known.can_come_in(it.id, self.0.now())
            });
            if others {
                return Err(TokenError::Refused("another-admin"));
            }
            accounts
        };
        let (link, href) = self.0.new_link(accounts[0].id).map_err(TokenError::Failed)?;
        let mut changes = vec![link];
        changes.extend(accounts.iter().flat_map(|it| self.0.known().all_of(it.id)));
        // Whoever owns the folder reads what it makes codes from: nothing is asked for here.
        changes.extend(accounts.iter().map(|it| AccountChange::RemoveAuthenticator(it.id)));
        let ended: Vec<&str> = accounts.iter().map(|it| it.name.as_str()).collect();
        self.tell(owner, &[("way", &"link"), ("admin", &name)], (&ended, &changes))?;
        Ok(href)
    }

    /// The one grant of a commander or an approver without a second person may be made once more.
    ///
    /// # Errors
    /// Somebody who decides can come in, there is no account, or something failed.
    pub fn second(&self, owner: Owner<'_>) -> Result<(), TokenError> {
        let _changing = self.0.changing();
        if !self.0.is_closed() {
            return Err(TokenError::Refused("not-there"));
        }
        let can_decide = {
            let (known, now) = (self.0.known(), self.0.now());
            known.seconds().any(|it| known.can_come_in(it, now))
        };
        if can_decide {
            return Err(TokenError::Refused("another-second"));
        }
        self.tell(owner, &[("way", &"second")], (&[], &[]))?;
        let Some(engine) = self.0.engine() else { return Ok(()) };
        let freed = engine.store().meta_put(SECOND_GRANTED, SECOND_AGAIN);
        freed.map_err(|error| TokenError::Failed(ServerError::caused("write a setting", error)))
    }

    /// Journals it once for each account, so that everybody is told, and that these are renewed;
    /// then makes the changes.
    fn tell(
        &self,
        owner: Owner<'_>,
        about: &[(&str, &dyn fmt::Display)],
        (renewed, changes): (&[&str], &[AccountChange]),
    ) -> Result<(), TokenError> {
        let mut facts: Vec<(&str, &dyn fmt::Display)> = vec![("reason", &owner.reason)];
        facts.extend(about);
        let names: Vec<String> = {
            let known = self.0.known();
            let rows = known.tables.accounts.iter().filter(|row| row.ended.is_none());
            rows.map(|row| row.name.clone()).collect()
        };
        let all = names.iter().map(|name| (RECOVERED, name.as_str()));
        for (act, account) in all.chain(renewed.iter().map(|name| (RENEWED, *name))) {
            let noted = Noted { act, account, facts: &facts };
            self.0.note(owner.name, noted).map_err(TokenError::Failed)?;
        }
        let Some(engine) = self.0.engine() else { return Ok(()) };
        self.0.change(engine, changes).map_err(TokenError::Failed)
    }
}
