//! What the door knows about accounts: the tables of the store, with names of roles read.

use relight_engine::Engine;
use relight_engine::access::{Account, Grant, Role, Scope};
use relight_engine::store::{
    AccountChange, AccountRow, AccountTables, GrantRow, IdentityRow, InvitationRow, PasskeyRow,
};
use relight_model::{Digest, Timestamp};

use crate::ServerError;

/// The accounts at one moment.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) tables: AccountTables,
}

impl Known {
    /// # Errors
    /// The accounts cannot be read, or a grant is not understood: a role that this program does
    /// not know could be one that excludes others.
    pub(crate) fn read(engine: &Engine) -> Result<Self, ServerError> {
        let tables = engine.store().account_tables();
        let tables = tables.map_err(|error| ServerError::caused("read the accounts", error))?;
        for row in &tables.grants {
            if grant_of(row).is_none() {
                let what = format!("a grant is not understood: {} {}", row.role, row.scope);
                return Err(ServerError::new(what));
            }
        }
        Ok(Self { tables })
    }

    /// An account that may sign in.
    pub(crate) fn row(&self, id: u32) -> Option<&AccountRow> {
        self.tables.accounts.iter().find(|row| row.id == id && row.ended.is_none())
    }

    /// An account that may sign in, by its name.
    pub(crate) fn named(&self, name: &str) -> Option<Account> {
        let rows = &self.tables.accounts;
        let row = rows.iter().find(|row| row.name == name && row.ended.is_none())?;
        self.account(row.id)
    }

    /// Name of an account, ended ones too.
    pub(crate) fn name(&self, id: u32) -> &str {
        let row = self.tables.accounts.iter().find(|row| row.id == id);
        row.map(|row| row.name.as_str()).unwrap_or_default()
    }

    /// A key by the id of its credential.
    pub(crate) fn key(&self, credential: &[u8]) -> Option<&PasskeyRow> {
        self.tables.passkeys.iter().find(|row| row.credential == credential)
    }

    /// An identity at a provider.
    pub(crate) fn identity(&self, issuer: &str, subject: &str) -> Option<&IdentityRow> {
        let mut rows = self.tables.identities.iter();
        rows.find(|row| row.issuer == issuer && row.subject == subject)
    }

    /// The keys of an account.
    pub(crate) fn keys(&self, account: u32) -> impl Iterator<Item = &PasskeyRow> {
        self.tables.passkeys.iter().filter(move |row| row.account == account)
    }

    /// The sign-ins of an account but one, which end when its factors change.
    pub(crate) fn others(&self, account: u32, own: &Digest) -> Vec<AccountChange> {
        let rows = self.tables.sign_ins.iter();
        let others = rows.filter(|row| row.account == account && row.digest != *own);
        others.map(|row| AccountChange::SignOut(row.digest)).collect()
    }

    /// Those who hold a role that takes two people to grant.
    pub(crate) fn seconds(&self) -> impl Iterator<Item = u32> {
        let is_second =
            |row: &&GrantRow| Role::parse(&row.role).is_some_and(Role::needs_two_to_grant);
        self.tables.grants.iter().filter(is_second).map(|row| row.account)
    }

    /// Whether anybody can come in to an account: there is a key, an identity, or an open link.
    pub(crate) fn can_come_in(&self, account: u32, now: Timestamp) -> bool {
        let has_link = |row: &InvitationRow| row.account == account && now < row.expires;
        self.row(account).is_some()
            && (self.keys(account).next().is_some()
                || self.tables.identities.iter().any(|row| row.account == account)
                || self.tables.invitations.iter().any(has_link))
    }

    /// All with which an account is entered; it ends.
    pub(crate) fn all_of(&self, account: u32) -> Vec<AccountChange> {
        let tables = &self.tables;
        let keys = self.keys(account).map(|key| AccountChange::RemoveKey(key.id));
        let tokens = tables.tokens.iter().filter(|row| row.account == account);
        let own = tables.identities.iter().filter(|row| row.account == account);
        let rows = tables.sign_ins.iter().filter(|row| row.account == account);
        let open = tables.invitations.iter().filter(|row| row.account == account);
        keys.chain(tokens.map(|row| AccountChange::RemoveToken(row.id)))
            .chain(own.map(|row| AccountChange::Unidentify {
                issuer: row.issuer.clone(),
                subject: row.subject.clone(),
            }))
            .chain(rows.map(|row| AccountChange::SignOut(row.digest)))
            .chain(open.map(|row| AccountChange::Uninvite(row.digest)))
            .collect()
    }

    /// An account that may sign in, with what it was granted.
    pub(crate) fn account(&self, id: u32) -> Option<Account> {
        let row = self.row(id)?;
        let own = self.tables.grants.iter().filter(|grant| grant.account == id);
        let grants = own.filter_map(grant_of).collect();
        Some(Account { id, name: row.name.clone(), grants })
    }
}

pub(crate) fn grant_of(row: &GrantRow) -> Option<Grant> {
    Some(Grant { role: Role::parse(&row.role)?, scope: Scope::parse(&row.scope)? })
}
