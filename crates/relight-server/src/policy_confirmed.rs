//! The policy that holds although another one is signed: once somebody decides, whoever owns the
//! data folder replaces the rules, or the key that signs them, only together with somebody who
//! decides. Until then those of before hold.

use std::path::Path;

use relight_engine::Engine;
use relight_engine::access::{Role, Scope};
use relight_engine::store::{AccountRow, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::policy_file::{self, PolicyFile, Standing};
use crate::{RSA_BITS_MIN, ServerError};

/// Where the register keeps it.
pub(crate) const META: &str = "policy-confirmed";

/// The act of the entry about a confirmation.
pub const CONFIRMED: &str = "policy-confirmed";

/// A policy that was confirmed, or waits for that; empty where none was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmed {
    /// Digest of its text.
    pub(crate) digest: String,
    /// The key that signed it.
    pub(crate) key: String,
    /// All that it says.
    pub(crate) text: String,
}

/// Which of two policies holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// The one that is signed.
    This,
    /// The one of before, by its text.
    Before(String),
    /// None: no other one was ever confirmed.
    Neither,
}

/// Which policy holds where this text is signed with the pinned key.
pub(crate) fn holding(store: &Store, text: &[u8], key: &str) -> Result<Holding, ServerError> {
    let Some(last) = read(store)? else { return Ok(Holding::This) };
    if (last.digest.as_str(), last.key.as_str()) == (&*digest(text), key) {
        return Ok(Holding::This);
    }
    Ok(match is_alone(store)? {
        true => Holding::This,
        false if last.text.is_empty() => Holding::Neither,
        false => Holding::Before(last.text),
    })
}

/// Before a policy is signed: what is there keeps holding until the new one is confirmed.
pub(crate) fn before_signing(folder: &Path, store: &Store) -> Result<(), ServerError> {
    if is_alone(store)? || read(store)?.is_some() {
        return Ok(());
    }
    // A damaged one holds nothing that could go on.
    let signed = PolicyFile::read(folder, store).is_ok_and(|it| it.standing == Standing::Signed);
    if signed { keep(folder, store) } else { write(store, &Confirmed::default()) }
}

/// Keeps the policy that is signed as the one that holds: where nobody decides, whoever owns the
/// folder is all there is.
pub(crate) fn keep_where_alone(folder: &Path, store: &Store) -> Result<(), ServerError> {
    let unknown = read(store)?.is_none();
    if unknown || is_alone(store)? { keep(folder, store) } else { Ok(()) }
}

/// Somebody who decides confirms the policy with this digest: it holds from now on. Journalled.
///
/// # Errors
/// Nothing was done, and false is given, where no such policy waits; else the journal or the
/// register cannot be written.
pub(crate) fn confirm(
    folder: &Path,
    engine: &Engine,
    by: &str,
    seen: (&str, &str),
) -> Result<bool, ServerError> {
    let store = engine.store();
    let Some(waiting) = waiting(folder, store)? else { return Ok(false) };
    if seen != (&*waiting.digest, &*waiting.key) {
        return Ok(false);
    }
    crate::policy_journal::confirmed(engine, by, seen)?;
    write(store, &waiting)?;
    Ok(true)
}

/// Keeps the policy that is signed as confirmed.
fn keep(folder: &Path, store: &Store) -> Result<(), ServerError> {
    let key = PolicyFile::read(folder, store)?.key.unwrap_or_default();
    let Some(text) = policy_file::text_in(folder)? else { return Ok(()) };
    write(store, &Confirmed { digest: digest(text.as_bytes()), key, text })
}

/// The policy of a data folder that is signed, and waits for somebody who decides.
///
/// # Errors
/// The policy or the register cannot be read.
pub(crate) fn waiting(folder: &Path, store: &Store) -> Result<Option<Confirmed>, ServerError> {
    let found = PolicyFile::read(folder, store)?;
    let (Standing::Unconfirmed, Some(key)) = (found.standing, found.key) else { return Ok(None) };
    let text = policy_file::text_in(folder)?;
    Ok(text.map(|text| Confirmed { digest: digest(text.as_bytes()), key, text }))
}

fn read(store: &Store) -> Result<Option<Confirmed>, ServerError> {
    let Some(text) = store.meta_get(META).map_err(unread)? else { return Ok(None) };
    let read = serde_json::from_str(&text);
    read.map(Some).map_err(|error| ServerError::caused("read the policy that holds", error))
}

fn write(store: &Store, confirmed: &Confirmed) -> Result<(), ServerError> {
    let failed = |error| ServerError::caused("write the policy that holds", error);
    let text = serde_json::to_string(confirmed).map_err(failed)?;
    let kept = store.meta_put(META, &text);
    kept.map_err(|error| ServerError::caused("write the policy that holds", error))
}

/// Whether there is nobody who could confirm: somebody who decides about everything, and whose
/// passkeys are not all of a kind that only a new policy lets in.
fn is_alone(store: &Store) -> Result<bool, ServerError> {
    let tables = store.account_tables().map_err(unread)?;
    let weak = crate::with_weak_keys_only(store, RSA_BITS_MIN)?;
    let decides = |row: &AccountRow| {
        let mut own = tables.grants.iter().filter(|grant| grant.account == row.id);
        own.any(|grant| {
            let role = Role::parse(&grant.role).is_some_and(Role::needs_two_to_grant);
            role && Scope::parse(&grant.scope).is_some_and(|scope| scope.is_root())
        })
    };
    let there = tables.accounts.iter().filter(|row| row.ended.is_none());
    Ok(!there.filter(|row| !weak.contains(&row.name)).any(decides))
}

fn unread(error: StoreError) -> ServerError {
    ServerError::caused("read what is known of the policy", error)
}

fn digest(text: &[u8]) -> String {
    relight_engine::policy::digest_of(text).to_string()
}
