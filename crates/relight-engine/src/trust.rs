//! Whose statements have an effect: the operator's list, kept in the register.

use relight_match::Policy;
use relight_store::{Store, StoreError};

use crate::silenced::disabled_sources;
use crate::sources_policy;

/// The setting that holds the list, one issuer a line.
const KEY: &str = "vex-trusted";

/// Most issuers on the list.
pub const ISSUERS_MAX: usize = 1_000;

/// What the operator has set about sources and issuers.
///
/// # Errors
/// The store cannot be read.
pub fn policy_of(store: &Store) -> Result<Policy, StoreError> {
    let list = store.meta_get(KEY)?.unwrap_or_default();
    let trusted = list.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let disabled = disabled_sources(store)?;
    let mut policy = Policy { trusted, disabled, ..Policy::default() };
    sources_policy::lay(store, &mut policy)?;
    Ok(policy)
}

/// Puts an issuer on the list, by the name that documents give it; `false` when it is there
/// already, when the list is full, or when the name is empty or longer than a line.
///
/// # Errors
/// The store cannot be read or written.
pub fn trust(store: &Store, issuer: &str) -> Result<bool, StoreError> {
    let mut trusted = policy_of(store)?.trusted;
    let is_name = !issuer.trim().is_empty() && !issuer.contains('\n');
    let joined = is_name && trusted.len() < ISSUERS_MAX && trusted.insert(issuer.to_owned());
    put(store, trusted)?;
    Ok(joined)
}

/// Takes an issuer off the list; `false` when it was not on it.
///
/// # Errors
/// The store cannot be read or written.
pub fn distrust(store: &Store, issuer: &str) -> Result<bool, StoreError> {
    let mut trusted = policy_of(store)?.trusted;
    let left = trusted.remove(issuer);
    put(store, trusted)?;
    Ok(left)
}

fn put(store: &Store, trusted: std::collections::BTreeSet<String>) -> Result<(), StoreError> {
    let lines: Vec<String> = trusted.into_iter().collect();
    store.meta_put(KEY, &lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_kept_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        assert!(policy_of(&store).unwrap().trusted.is_empty());
        assert!(trust(&store, "Red Hat Product Security").unwrap());
        assert!(!trust(&store, "Red Hat Product Security").unwrap());
        assert!(!trust(&store, " ").unwrap() && !trust(&store, "a\nb").unwrap());
        let names: Vec<_> = policy_of(&store).unwrap().trusted.into_iter().collect();
        assert_eq!(names, ["Red Hat Product Security"]);
        assert!(distrust(&store, "Red Hat Product Security").unwrap());
        assert!(!distrust(&store, "nobody").unwrap());
        let many: Vec<_> = (0..ISSUERS_MAX).map(|at| at.to_string()).collect();
        store.meta_put(KEY, &many.join("\n")).unwrap();
        assert!(!trust(&store, "one more").unwrap());
    }
}
