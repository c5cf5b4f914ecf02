//! Rows of what stands beside passkeys: identities at providers, codes that are good once, and
//! authenticator apps.

use std::fmt;

use relight_model::{Digest, Timestamp};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::StoreErrorKind;
use crate::rows::refuse_over;
use crate::store::Failure;

/// Most identities at providers of one account.
pub const IDENTITIES_MAX: usize = 5;

/// Most codes of one account that bring back who lost every key.
pub const RECOVERY_CODES_MAX: usize = 20;

/// Whom a provider of identities calls what: the person behind an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// The provider, by its own address.
    pub issuer: String,
    /// The person there.
    pub subject: String,
    /// Whose.
    pub account: u32,
    /// When it was bound.
    pub created: Timestamp,
    /// When it was last used; 0 for never.
    pub used: Timestamp,
}

/// A code that is good once, known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCodeRow {
    /// Digest of the code.
    pub digest: Digest,
    /// Whose.
    pub account: u32,
    /// When it was made.
    pub created: Timestamp,
}

/// An authenticator app: what its codes are made from.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthenticatorRow {
    /// Whose.
    pub account: u32,
    /// The secret itself: no digest makes codes.
    pub secret: [u8; 20],
    /// When it was set up.
    pub created: Timestamp,
    /// The last step whose code was used.
    pub step: u64,
    /// Wrong codes so far.
    pub wrong: u32,
}

/// Never the secret: what is shown for a look at a fault is kept by others.
impl fmt::Debug for AuthenticatorRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, secret: _, created, step, wrong } = self;
        let mut shown = f.debug_struct("AuthenticatorRow");
        shown.field("account", account).field("created", created);
        shown.field("step", step).field("wrong", wrong).finish_non_exhaustive()
    }
}

/// An identity of one account is never that of another by accident: it has to be removed first.
pub(super) fn put_identity(
    transaction: &Transaction<'_>,
    row: &IdentityRow,
) -> Result<(), Failure> {
    let IdentityRow { issuer, subject, account, created, used } = row;
    let holder: Option<u32> = transaction
        .query_row(
            "SELECT account FROM identity WHERE issuer = ?1 AND subject = ?2",
            params![issuer, subject],
            |row| row.get(0),
        )
        .optional()?;
    match holder {
        Some(holder) if holder != *account => {
            let context = "changing accounts: another account has this identity";
            return Err(Failure::rule(StoreErrorKind::Limit, context));
        }
        Some(_) => {}
        None => {
            refuse_over(transaction, "identity WHERE account = ?1", [*account], IDENTITIES_MAX)?
        }
    }
    transaction.execute(
        "INSERT INTO identity (issuer, subject, account, created, used) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (issuer, subject) DO UPDATE SET used = excluded.used",
        params![issuer, subject, account, created, used],
    )?;
    Ok(())
}

pub(super) fn put_recovery_codes(
    transaction: &Transaction<'_>,
    account: u32,
    digests: &[Digest],
    at: Timestamp,
) -> Result<(), Failure> {
    transaction.execute("DELETE FROM recovery_code WHERE account = ?1", [account])?;
    for digest in digests {
        refuse_over(
            transaction,
            "recovery_code WHERE account = ?1",
            [account],
            RECOVERY_CODES_MAX,
        )?;
        transaction.execute(
            "INSERT INTO recovery_code (digest, account, created) VALUES (?1, ?2, ?3)",
            params![digest.0, account, at],
        )?;
    }
    Ok(())
}

pub(super) fn identity_of(row: &Row<'_>) -> Result<IdentityRow, rusqlite::Error> {
    let (issuer, subject) = (row.get("issuer")?, row.get("subject")?);
    let account = row.get("account")?;
    Ok(IdentityRow {
        issuer,
        subject,
        account,
        created: row.get("created")?,
        used: row.get("used")?,
    })
}

pub(super) fn recovery_code_of(row: &Row<'_>) -> Result<RecoveryCodeRow, rusqlite::Error> {
    let (account, created) = (row.get("account")?, row.get("created")?);
    Ok(RecoveryCodeRow { digest: Digest(row.get("digest")?), account, created })
}

/// One at a time: another one replaces the one before.
pub(super) fn put_authenticator(
    transaction: &Transaction<'_>,
    row: &AuthenticatorRow,
) -> Result<(), rusqlite::Error> {
    let AuthenticatorRow { account, secret, created, step, wrong } = row;
    // A step of thirty seconds fits for longer than anybody lives.
    let step = i64::try_from(*step).unwrap_or(i64::MAX);
    transaction.execute(
        "INSERT OR REPLACE INTO authenticator (account, secret, created, step, wrong)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![account, secret, created, step, wrong],
    )?;
    Ok(())
}

pub(super) fn authenticator_of(row: &Row<'_>) -> Result<AuthenticatorRow, rusqlite::Error> {
    let (account, secret) = (row.get("account")?, row.get("secret")?);
    let step: i64 = row.get("step")?;
    Ok(AuthenticatorRow {
        account,
        secret,
        created: row.get("created")?,
        step: u64::try_from(step).unwrap_or_default(),
        wrong: row.get("wrong")?,
    })
}
