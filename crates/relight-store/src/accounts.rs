//! Accounts, what they were granted, and what they sign in with. Rows only: the rules live above.

mod identity;

use relight_model::{Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use self::identity::{
    authenticator_of, identity_of, put_authenticator, put_identity, put_recovery_codes,
    recovery_code_of,
};
use crate::rows::refuse_over;
use crate::{Store, StoreError, StoreErrorKind, store::Failure};

pub use self::identity::{
    AuthenticatorRow, IDENTITIES_MAX, IdentityRow, RECOVERY_CODES_MAX, RecoveryCodeRow,
};

/// Most accounts of a register.
pub const ACCOUNTS_MAX: usize = 10_000;

/// Most keys of one account.
pub const PASSKEYS_MAX: usize = 20;

/// Most API tokens of one account.
pub const TOKENS_MAX: usize = 50;

/// Most sign-ins of one account at one time: the oldest one ends when another begins.
pub const SIGN_INS_MAX: usize = 20;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its number, never used again.
    pub id: u32,
    /// Its unique name.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was ended, if it was.
    pub ended: Option<Timestamp>,
}

/// One role in one scope, as the engine writes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// Whose.
    pub account: u32,
    /// The role.
    pub role: String,
    /// The scope.
    pub scope: String,
    /// When it was granted.
    pub at: Timestamp,
    /// Who granted it: one name, or two with a blank between them.
    pub by: String,
}

/// A grant that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its number, never used again.
    pub id: u32,
    /// Who would get it.
    pub account: u32,
    /// The role.
    pub role: String,
    /// The scope.
    pub scope: String,
    /// Who proposes it.
    pub proposer: u32,
    /// When.
    pub at: Timestamp,
}

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRow {
    /// Its number, never used again; 0 before it is stored.
    pub id: u32,
    /// Whose.
    pub account: u32,
    /// Id of the credential, as the authenticator chose it.
    pub credential: Vec<u8>,
    /// The public key (COSE_Key).
    pub key: Vec<u8>,
    /// What its owner calls it.
    pub name: String,
    /// The authenticator's count of signatures; 0 from those that do not count.
    pub signatures: u32,
    /// When it was registered.
    pub created: Timestamp,
    /// When it was last used.
    pub used: Timestamp,
}

/// A sign-in, known by the digest of its cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRow {
    /// Digest of the secret in the cookie.
    pub digest: Digest,
    /// Whose.
    pub account: u32,
    /// With what (`passkey`).
    pub factor: String,
    /// When it began.
    pub started: Timestamp,
    /// When it was last used.
    pub seen: Timestamp,
    /// When a passkey was last shown in it; 0 for never.
    pub shown: Timestamp,
    /// From where.
    pub address: String,
    /// With which browser.
    pub agent: String,
}

/// An API token, known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number, never used again; 0 before it is stored.
    pub id: u32,
    /// Digest of the token.
    pub digest: Digest,
    /// On whose behalf it acts.
    pub account: u32,
    /// What it is for.
    pub name: String,
    /// The one role that it may use.
    pub role: String,
    /// Where.
    pub scope: String,
    /// When it was made.
    pub created: Timestamp,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
    /// When it was last used; 0 for never.
    pub used: Timestamp,
}

/// A link that lets one person register the first key of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationRow {
    /// Digest of the secret in the link.
    pub digest: Digest,
    /// For which account.
    pub account: u32,
    /// From when on it is worth nothing.
    pub expires: Timestamp,
}

/// Everything about accounts, read at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountTables {
    /// By number, ended ones too.
    pub accounts: Vec<AccountRow>,
    /// By account.
    pub grants: Vec<GrantRow>,
    /// By number.
    pub proposals: Vec<ProposalRow>,
    /// By number.
    pub passkeys: Vec<PasskeyRow>,
    /// Still open.
    pub sign_ins: Vec<SignInRow>,
    /// By number.
    pub tokens: Vec<TokenRow>,
    /// Not used yet.
    pub invitations: Vec<InvitationRow>,
    /// By issuer and subject.
    pub identities: Vec<IdentityRow>,
    /// Not used yet.
    pub recovery_codes: Vec<RecoveryCodeRow>,
    /// By account.
    pub authenticators: Vec<AuthenticatorRow>,
}

/// One change of what is known about accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// A role in a scope.
    Grant(GrantRow),
    /// The role in the scope is gone.
    Revoke {
        /// Whose.
        account: u32,
        /// The role.
        role: String,
        /// The scope.
        scope: String,
    },
    /// A grant waits for a second person; its number is given here.
    Propose(ProposalRow),
    /// It waits no longer.
    Settle(u32),
    /// A key; its number is given here.
    AddKey(PasskeyRow),
    /// The key made a signature.
    UseKey {
        /// Its number.
        id: u32,
        /// The authenticator's count.
        signatures: u32,
        /// When.
        at: Timestamp,
    },
    /// The key is gone.
    RemoveKey(u32),
    /// A sign-in, new or as it is now.
    SignIn(SignInRow),
    /// The sign-in is over.
    SignOut(Digest),
    /// A token; its number is given here.
    AddToken(TokenRow),
    /// The token was used.
    UseToken {
        /// Its number.
        id: u32,
        /// When.
        at: Timestamp,
    },
    /// The token is gone.
    RemoveToken(u32),
    /// A link for one person.
    Invite(InvitationRow),
    /// The link was used, or is too old.
    Uninvite(Digest),
    /// An identity, new or as it is now; it stays with the account that has it.
    Identify(IdentityRow),
    /// The identity is gone.
    Unidentify {
        /// The provider.
        issuer: String,
        /// The person there.
        subject: String,
    },
    /// Codes of an account, in place of all that it had.
    PutRecoveryCodes {
        /// Whose.
        account: u32,
        /// Their digests.
        digests: Vec<Digest>,
        /// When.
        at: Timestamp,
    },
    /// The code was used.
    UseRecoveryCode(Digest),
    /// The authenticator app of an account, in place of the one before.
    PutAuthenticator(AuthenticatorRow),
    /// The authenticator app of this account is gone.
    RemoveAuthenticator(u32),
    /// The account is over: nobody signs in with it, and its links, keys, tokens and grants go.
    End {
        /// Its number.
        account: u32,
        /// When.
        at: Timestamp,
    },
}

impl Store {
    /// Everything about accounts.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn account_tables(&self) -> Result<AccountTables, StoreError> {
        self.read("reading the accounts", |database| {
            let db = database;
            Ok(AccountTables {
                accounts: all(db, "SELECT * FROM account ORDER BY id", account_of)?,
                grants: all(db, "SELECT * FROM account_grant", grant_of)?,
                proposals: all(db, "SELECT * FROM account_proposal ORDER BY id", proposal_of)?,
                passkeys: all(db, "SELECT * FROM passkey ORDER BY id", passkey_of)?,
                sign_ins: all(db, "SELECT * FROM sign_in ORDER BY started", sign_in_of)?,
                tokens: all(db, "SELECT * FROM api_token ORDER BY id", token_of)?,
                invitations: all(db, "SELECT * FROM invitation", invitation_of)?,
                identities: all(db, "SELECT * FROM identity", identity_of)?,
                recovery_codes: all(db, "SELECT * FROM recovery_code", recovery_code_of)?,
                authenticators: all(db, "SELECT * FROM authenticator", authenticator_of)?,
            })
        })
    }

    /// Makes an account, and what comes with it in the same transaction: rows of `changes` whose
    /// account is 0 are about the new one. Gives its number.
    ///
    /// # Errors
    /// The name is taken, or there are [`ACCOUNTS_MAX`] (`Limit`); as [`Store::change_accounts`].
    pub fn add_account(
        &self,
        name: &str,
        now: Timestamp,
        changes: &[AccountChange],
    ) -> Result<u32, StoreError> {
        self.write("adding an account", |transaction| {
            let taken = transaction
                .query_row("SELECT id FROM account WHERE name = ?1", [name], |_| Ok(()))
                .optional()?;
            if taken.is_some() {
                let context = format!("an account is called {name} already");
                return Err(Failure::rule(StoreErrorKind::Limit, context));
            }
            refuse_over(transaction, "account", [], ACCOUNTS_MAX)?;
            transaction.execute(
                "INSERT INTO account (name, created, ended) VALUES (?1, ?2, 0)",
                params![name, now],
            )?;
            let id = u32::try_from(transaction.last_insert_rowid()).unwrap_or_default();
            for change in changes {
                apply(transaction, change, id)?;
            }
            Ok(id)
        })
    }

    /// Makes changes in one transaction.
    ///
    /// # Errors
    /// An account would hold more than a limit of it (`Limit`), an account or a key is doubled or
    /// not there, or the database cannot be written; then nothing changed.
    pub fn change_accounts(&self, changes: &[AccountChange]) -> Result<(), StoreError> {
        self.write_on_reserve("changing accounts", |transaction| {
            changes.iter().try_for_each(|change| apply(transaction, change, 0))
        })
    }
}

fn all<T>(
    database: &Connection,
    sql: &str,
    of: fn(&Row<'_>) -> Result<T, rusqlite::Error>,
) -> Result<Vec<T>, rusqlite::Error> {
    database.prepare_cached(sql)?.query_map([], of)?.collect()
}

/// Makes one change; `new` stands for account 0.
fn apply(transaction: &Transaction<'_>, change: &AccountChange, new: u32) -> Result<(), Failure> {
    let who = |account: u32| if account == 0 { new } else { account };
    match change {
        AccountChange::Grant(row) => put_grant(transaction, row, who(row.account)),
        AccountChange::Propose(row) => put_proposal(transaction, row),
        AccountChange::AddKey(row) => put_passkey(transaction, row, who(row.account)),
        AccountChange::SignIn(row) => put_sign_in(transaction, row, who(row.account)),
        AccountChange::AddToken(row) => put_token(transaction, row),
        AccountChange::Invite(row) => put_invitation(transaction, row, who(row.account)),
        AccountChange::Identify(row) => put_identity(transaction, row),
        AccountChange::PutRecoveryCodes { account, digests, at } => {
            put_recovery_codes(transaction, *account, digests, *at)
        }
        AccountChange::PutAuthenticator(row) => Ok(put_authenticator(transaction, row)?),
        AccountChange::End { account, at } => end(transaction, *account, *at),
        other => Ok(small(transaction, other)?),
    }
}

/// The changes that are one statement.
fn small(transaction: &Transaction<'_>, change: &AccountChange) -> Result<(), rusqlite::Error> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
        transaction.prepare_cached(sql)?.execute(values).map(drop)
    };
    match change {
        AccountChange::Revoke { account, role, scope } => run(
            "DELETE FROM account_grant WHERE account = ?1 AND role = ?2 AND scope = ?3",
            &[account, role, scope],
        ),
        AccountChange::Settle(id) => run("DELETE FROM account_proposal WHERE id = ?1", &[id]),
        AccountChange::UseKey { id, signatures, at } => run(
            "UPDATE passkey SET signatures = ?2, used = ?3 WHERE id = ?1",
            &[id, signatures, at],
        ),
        AccountChange::RemoveKey(id) => run("DELETE FROM passkey WHERE id = ?1", &[id]),
        AccountChange::SignOut(digest) => {
            run("DELETE FROM sign_in WHERE digest = ?1", &[&digest.0])
        }
        AccountChange::UseToken { id, at } => {
            run("UPDATE api_token SET used = ?2 WHERE id = ?1", &[id, at])
        }
        AccountChange::RemoveToken(id) => run("DELETE FROM api_token WHERE id = ?1", &[id]),
        AccountChange::Uninvite(digest) => {
            run("DELETE FROM invitation WHERE digest = ?1", &[&digest.0])
        }
        AccountChange::Unidentify { issuer, subject } => {
            run("DELETE FROM identity WHERE issuer = ?1 AND subject = ?2", &[issuer, subject])
        }
        AccountChange::UseRecoveryCode(digest) => {
            run("DELETE FROM recovery_code WHERE digest = ?1", &[&digest.0])
        }
        AccountChange::RemoveAuthenticator(account) => {
            run("DELETE FROM authenticator WHERE account = ?1", &[account])
        }
        _ => Ok(()),
    }
}

fn put_grant(transaction: &Transaction<'_>, row: &GrantRow, who: u32) -> Result<(), Failure> {
    let GrantRow { account: _, role, scope, at, by } = row;
    transaction.execute(
        "INSERT OR IGNORE INTO account_grant (account, role, scope, at, by)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![who, role, scope, at, by],
    )?;
    Ok(())
}

fn put_proposal(transaction: &Transaction<'_>, row: &ProposalRow) -> Result<(), Failure> {
    let ProposalRow { id: _, account, role, scope, proposer, at } = row;
    transaction.execute(
        "INSERT INTO account_proposal (account, role, scope, proposer, at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![account, role, scope, proposer, at],
    )?;
    Ok(())
}

fn put_passkey(transaction: &Transaction<'_>, row: &PasskeyRow, who: u32) -> Result<(), Failure> {
    refuse_over(transaction, "passkey WHERE account = ?1", [who], PASSKEYS_MAX)?;
    let PasskeyRow { id: _, account: _, credential, key, name, signatures, created, used } = row;
    transaction.execute(
        "INSERT INTO passkey (account, credential, key, name, signatures, created, used)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![who, credential, key, name, signatures, created, used],
    )?;
    Ok(())
}

fn put_sign_in(transaction: &Transaction<'_>, row: &SignInRow, who: u32) -> Result<(), Failure> {
    let SignInRow { digest, account: _, factor, started, seen, shown, address, agent } = row;
    transaction.execute(
        "INSERT INTO sign_in (digest, account, factor, started, seen, shown, address, agent)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (digest) DO UPDATE
             SET factor = excluded.factor, seen = excluded.seen, shown = excluded.shown",
        params![digest.0, who, factor, started, seen, shown, address, agent],
    )?;
    transaction.execute(
        "DELETE FROM sign_in WHERE account = ?1 AND digest NOT IN (
             SELECT digest FROM sign_in WHERE account = ?1
             ORDER BY started DESC, seen DESC LIMIT ?2)",
        params![who, SIGN_INS_MAX as i64],
    )?;
    Ok(())
}

/// Tokens of the same account that are over go: they are in nobody's way.
fn put_token(transaction: &Transaction<'_>, row: &TokenRow) -> Result<(), Failure> {
    let over = "DELETE FROM api_token WHERE account = ?1 AND expires <= ?2";
    transaction.execute(over, params![row.account, row.created])?;
    refuse_over(transaction, "api_token WHERE account = ?1", [row.account], TOKENS_MAX)?;
    let TokenRow { id: _, digest, account, name, role, scope, created, expires, used } = row;
    transaction.execute(
        "INSERT INTO api_token (digest, account, name, role, scope, created, expires, used)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![digest.0, account, name, role, scope, created, expires, used],
    )?;
    Ok(())
}

/// One link at a time: another one replaces the one before.
fn put_invitation(
    transaction: &Transaction<'_>,
    row: &InvitationRow,
    who: u32,
) -> Result<(), Failure> {
    let InvitationRow { digest, account: _, expires } = row;
    transaction.execute("DELETE FROM invitation WHERE account = ?1", [who])?;
    transaction.execute(
        "INSERT INTO invitation (digest, account, expires) VALUES (?1, ?2, ?3)",
        params![digest.0, who, expires],
    )?;
    Ok(())
}

fn end(transaction: &Transaction<'_>, account: u32, at: Timestamp) -> Result<(), Failure> {
    let ended = "UPDATE account SET ended = ?2 WHERE id = ?1 AND ended = 0";
    transaction.execute(ended, params![account, at])?;
    for table in ["account_grant", "account_proposal", "passkey", "sign_in", "api_token"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [account])?;
    }
    transaction.execute("DELETE FROM account_proposal WHERE proposer = ?1", [account])?;
    for table in ["invitation", "identity", "recovery_code", "authenticator"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE account = ?1"), [account])?;
    }
    Ok(())
}

fn account_of(row: &Row<'_>) -> Result<AccountRow, rusqlite::Error> {
    let ended: Timestamp = row.get("ended")?;
    let ended = (ended != 0).then_some(ended);
    Ok(AccountRow {
        id: row.get("id")?,
        name: row.get("name")?,
        created: row.get("created")?,
        ended,
    })
}

fn grant_of(row: &Row<'_>) -> Result<GrantRow, rusqlite::Error> {
    let (account, role, scope) = (row.get("account")?, row.get("role")?, row.get("scope")?);
    Ok(GrantRow { account, role, scope, at: row.get("at")?, by: row.get("by")? })
}

fn proposal_of(row: &Row<'_>) -> Result<ProposalRow, rusqlite::Error> {
    let (id, account, role) = (row.get("id")?, row.get("account")?, row.get("role")?);
    let (scope, proposer, at) = (row.get("scope")?, row.get("proposer")?, row.get("at")?);
    Ok(ProposalRow { id, account, role, scope, proposer, at })
}

fn passkey_of(row: &Row<'_>) -> Result<PasskeyRow, rusqlite::Error> {
    Ok(PasskeyRow {
        id: row.get("id")?,
        account: row.get("account")?,
        credential: row.get("credential")?,
        key: row.get("key")?,
        name: row.get("name")?,
        signatures: row.get("signatures")?,
        created: row.get("created")?,
        used: row.get("used")?,
    })
}

fn sign_in_of(row: &Row<'_>) -> Result<SignInRow, rusqlite::Error> {
    Ok(SignInRow {
        digest: Digest(row.get("digest")?),
        account: row.get("account")?,
        factor: row.get("factor")?,
        started: row.get("started")?,
        seen: row.get("seen")?,
        shown: row.get("shown")?,
        address: row.get("address")?,
        agent: row.get("agent")?,
    })
}

fn token_of(row: &Row<'_>) -> Result<TokenRow, rusqlite::Error> {
    Ok(TokenRow {
        id: row.get("id")?,
        digest: Digest(row.get("digest")?),
        account: row.get("account")?,
        name: row.get("name")?,
        role: row.get("role")?,
        scope: row.get("scope")?,
        created: row.get("created")?,
        expires: row.get("expires")?,
        used: row.get("used")?,
    })
}

fn invitation_of(row: &Row<'_>) -> Result<InvitationRow, rusqlite::Error> {
    let (account, expires) = (row.get("account")?, row.get("expires")?);
    Ok(InvitationRow { digest: Digest(row.get("digest")?), account, expires })
}

#[cfg(test)]
mod tests;
