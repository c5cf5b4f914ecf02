//! What the door knows about accounts: the tables of the store, with names of roles read.

use relight_engine::Engine;
use relight_engine::access::{Account, Grant, Role, Scope};
use relight_engine::store::{AccountRow, AccountTables, GrantRow};

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

    /// An account that may sign in, with what it was granted.
    pub(crate) fn account(&self, id: u32) -> Option<Account> {
        let row = self.row(id)?;
        let own = self.tables.grants.iter().filter(|grant| grant.account == id);
        let grants = own.filter_map(grant_of).collect();
        Some(Account { id, name: row.name.clone(), grants })
    }
}

fn grant_of(row: &GrantRow) -> Option<Grant> {
    Some(Grant { role: Role::parse(&row.role)?, scope: Scope::parse(&row.scope)? })
}
