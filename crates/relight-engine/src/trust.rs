//! Whose statements have an effect: the operator's list, kept in the register.

use std::collections::BTreeSet;

use relight_match::Policy;
use relight_store::{By, Store, StoreError};

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
    let trusted = read(store.meta_get(KEY)?);
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
pub fn trust(store: &Store, issuer: &str, by: By<'_>) -> Result<bool, StoreError> {
    let is_name = !issuer.trim().is_empty() && !issuer.contains('\n');
    change(store, by, ("trust", issuer), |trusted| {
        is_name && trusted.len() < ISSUERS_MAX && trusted.insert(issuer.to_owned())
    })
}

/// Takes an issuer off the list; `false` when it was not on it.
///
/// # Errors
/// The store cannot be read or written.
pub fn distrust(store: &Store, issuer: &str, by: By<'_>) -> Result<bool, StoreError> {
    change(store, by, ("distrust", issuer), |trusted| trusted.remove(issuer))
}

fn read(setting: Option<String>) -> BTreeSet<String> {
    let list = setting.unwrap_or_default();
    list.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Changes the list, and keeps who did; `false` when `work` changed nothing.
fn change(
    store: &Store,
    by: By<'_>,
    (verb, issuer): (&str, &str),
    work: impl FnOnce(&mut BTreeSet<String>) -> bool,
) -> Result<bool, StoreError> {
    store.settings(|settings| {
        let mut trusted = read(settings.get(KEY)?);
        let is_changed = work(&mut trusted);
        if is_changed {
            let lines: Vec<String> = trusted.into_iter().collect();
            settings.put(KEY, &lines.join("\n"))?;
            settings.note(by, &format!("advisories vex --{verb} {issuer}"), ("", ""))?;
        }
        Ok(is_changed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_kept_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let by = By { actor: "anna", at: 7 };
        let trust = |issuer: &str| trust(&store, issuer, by).unwrap();
        let distrust = |issuer: &str| distrust(&store, issuer, by).unwrap();
        assert!(policy_of(&store).unwrap().trusted.is_empty());
        assert!(trust("Red Hat Product Security"));
        assert!(!trust("Red Hat Product Security"));
        assert!(!trust(" ") && !trust("a\nb"));
        let names: Vec<_> = policy_of(&store).unwrap().trusted.into_iter().collect();
        assert_eq!(names, ["Red Hat Product Security"]);
        assert!(distrust("Red Hat Product Security"));
        assert!(!distrust("nobody"));
        assert_eq!(store.register_changes(0).unwrap().len(), 2, "what changed is noted");
        let many: Vec<_> = (0..ISSUERS_MAX).map(|at| at.to_string()).collect();
        store.meta_put(KEY, &many.join("\n")).unwrap();
        assert!(!trust("one more"));
    }
}
