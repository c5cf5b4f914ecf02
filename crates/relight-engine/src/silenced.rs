//! Sources that an operator has switched off: what they say is kept and shown, and does not count
//! until they are switched on again.

use std::collections::{BTreeMap, BTreeSet};

use relight_formats::advisory::BUILTIN_SOURCE;
use relight_model::Timestamp;
use relight_store::{Store, StoreError};

use crate::signals::EPSS;

/// The setting that holds them, with when.
const KEY: &str = "sources-disabled";

/// The source of advisories of one's own, which are retired one by one, with a reason.
const OWN: &str = "own";

/// Why a source cannot be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchFault {
    /// Nothing is known of a source of this name.
    Unknown,
    /// Advisories of one's own are retired one by one.
    Own,
}

impl SwitchFault {
    /// The stable name used in documents and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "source-unknown",
            Self::Own => "source-own",
        }
    }
}

/// The sources that are switched off, and since when.
///
/// # Errors
/// The store cannot be read, or the setting is not understood: what counts must be certain.
pub fn disabled_sources(store: &Store) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let Some(text) = store.meta_get(KEY)? else { return Ok(BTreeMap::new()) };
    serde_json::from_str(&text).map_err(|error| {
        StoreError::not_understood(format!("reading which sources are switched off: {error}"))
    })
}

/// Switches a source off; `false` when it is off already.
///
/// # Errors
/// It cannot be switched, which is returned inside; or the store cannot be read or written.
pub fn disable_source(
    store: &Store,
    name: &str,
    now: Timestamp,
) -> Result<Result<bool, SwitchFault>, StoreError> {
    if name == OWN {
        return Ok(Err(SwitchFault::Own));
    }
    if !known_sources(store)?.contains(name) {
        return Ok(Err(SwitchFault::Unknown));
    }
    let mut disabled = disabled_sources(store)?;
    if disabled.contains_key(name) {
        return Ok(Ok(false));
    }
    disabled.insert(name.to_owned(), now);
    put(store, &disabled)?;
    Ok(Ok(true))
}

/// Switches a source on again; `false` when it is not off.
///
/// # Errors
/// The store cannot be read or written.
pub fn enable_source(store: &Store, name: &str) -> Result<bool, StoreError> {
    let mut disabled = disabled_sources(store)?;
    let was_off = disabled.remove(name).is_some();
    if was_off {
        put(store, &disabled)?;
    }
    Ok(was_off)
}

fn known_sources(store: &Store) -> Result<BTreeSet<String>, StoreError> {
    let mut known: BTreeSet<String> =
        store.advisory_sources()?.into_iter().map(|it| it.name).collect();
    known.insert(BUILTIN_SOURCE.to_owned());
    if store.advisory_scores(EPSS)?.is_some() {
        known.insert(EPSS.to_owned());
    }
    Ok(known)
}

fn put(store: &Store, disabled: &BTreeMap<String, Timestamp>) -> Result<(), StoreError> {
    store.meta_put(KEY, &serde_json::json!(disabled).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ImportOptions, import};
    use crate::signals::Scores;
    use crate::trust::policy_of;

    #[test]
    fn a_source_is_switched_off_and_on() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        let files = [
            ("a.json", r#"{"id":"GHSA-1","modified":"2024-01-01T00:00:00Z","affected":[]}"#),
            (
                "e.csv",
                "#model_version:m,score_date:2025-08-25T00:00:00Z\ncve,epss,percentile\n\
                       CVE-2021-44228,0.94,0.99\n",
            ),
        ]
        .map(|(name, text)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        });
        import(&store, &files, &ImportOptions::default(), &mut |_, _| {}).unwrap();
        let off = |name: &str| disable_source(&store, name, 9).unwrap();
        assert_eq!(off("nobody"), Err(SwitchFault::Unknown));
        assert_eq!(off("own"), Err(SwitchFault::Own));
        assert_eq!((off("ghsa"), off("ghsa"), off("relight")), (Ok(true), Ok(false), Ok(true)));
        let disabled = policy_of(&store).unwrap().disabled;
        assert_eq!(disabled, [("ghsa".to_owned(), 9), ("relight".to_owned(), 9)].into());
        let in_force = |id: &str| {
            let known = crate::advisories_of(&store).unwrap();
            let group = known.group(id).unwrap();
            group.records().filter(|it| it.is_in_force()).count()
        };
        assert_eq!((in_force("GHSA-1"), in_force("CVE-2021-44228")), (0, 0));
        assert!(enable_source(&store, "ghsa").unwrap() && !enable_source(&store, "ghsa").unwrap());
        assert_eq!((in_force("GHSA-1"), in_force("CVE-2021-44228")), (1, 0));
        let scored = || Scores::read(&store).unwrap().of("CVE-2021-44228").is_some();
        assert!(scored());
        assert_eq!((off("epss"), scored()), (Ok(true), false));
        store.meta_put(KEY, "{").unwrap();
        assert!(policy_of(&store).is_err() && disabled_sources(&store).is_err());
    }
}
