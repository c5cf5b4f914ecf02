//! Sources that an operator has switched off: what they say is kept and shown, and does not count
//! until they are switched on again.

use std::collections::{BTreeMap, BTreeSet};

use relight_formats::advisory::BUILTIN_SOURCE;
use relight_model::Timestamp;
use relight_store::{By, OWN_SOURCE, Store, StoreError};

use crate::signals::EPSS;

/// The setting that holds them, with when.
const KEY: &str = "sources-disabled";

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
    read(store.meta_get(KEY)?)
}

fn read(setting: Option<String>) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let Some(text) = setting else { return Ok(BTreeMap::new()) };
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
    by: By<'_>,
) -> Result<Result<bool, SwitchFault>, StoreError> {
    if name == OWN_SOURCE {
        return Ok(Err(SwitchFault::Own));
    }
    if !known_sources(store)?.contains(name) {
        return Ok(Err(SwitchFault::Unknown));
    }
    let add = |disabled: &mut BTreeMap<String, Timestamp>| {
        let is_new = !disabled.contains_key(name);
        disabled.entry(name.to_owned()).or_insert(by.at);
        is_new
    };
    change(store, by, ("disable", name), add).map(Ok)
}

/// Switches a source on again; `false` when it is not off.
///
/// # Errors
/// The store cannot be read or written.
pub fn enable_source(store: &Store, name: &str, by: By<'_>) -> Result<bool, StoreError> {
    change(store, by, ("enable", name), |disabled| disabled.remove(name).is_some())
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

/// Changes which are switched off, and keeps who did; `false` when `work` changed nothing.
fn change(
    store: &Store,
    by: By<'_>,
    (verb, name): (&str, &str),
    work: impl FnOnce(&mut BTreeMap<String, Timestamp>) -> bool,
) -> Result<bool, StoreError> {
    store.settings(|settings| {
        let mut disabled = read(settings.get(KEY)?)?;
        let is_changed = work(&mut disabled);
        if is_changed {
            settings.put(KEY, &serde_json::json!(disabled).to_string())?;
            settings.note(by, &format!("advisories sources {verb} {name}"), ("", ""))?;
        }
        Ok(is_changed)
    })
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
        let by = By { actor: "anna", at: 9 };
        let off = |name: &str| disable_source(&store, name, by).unwrap();
        assert_eq!(off("nobody"), Err(SwitchFault::Unknown));
        assert_eq!(off(OWN_SOURCE), Err(SwitchFault::Own));
        assert_eq!((off("ghsa"), off("ghsa"), off("relight")), (Ok(true), Ok(false), Ok(true)));
        let disabled = policy_of(&store).unwrap().disabled;
        assert_eq!(disabled, [("ghsa".to_owned(), 9), ("relight".to_owned(), 9)].into());
        let in_force = |id: &str| {
            let known = crate::advisories_of(&store).unwrap();
            let group = known.group(id).unwrap();
            group.records().filter(|it| it.is_in_force()).count()
        };
        assert_eq!((in_force("GHSA-1"), in_force("CVE-2021-44228")), (0, 0));
        let on = || enable_source(&store, "ghsa", by).unwrap();
        assert!(on() && !on());
        assert_eq!((in_force("GHSA-1"), in_force("CVE-2021-44228")), (1, 0));
        let scored = || Scores::read(&store).unwrap().of("CVE-2021-44228").is_some();
        assert!(scored());
        assert_eq!((off("epss"), scored()), (Ok(true), false));
        let noted = store.register_changes(0).unwrap();
        let noted: Vec<_> = noted.iter().map(|it| format!("{} {}", it.actor, it.what)).collect();
        let wanted = ["disable ghsa", "disable relight", "enable ghsa", "disable epss"];
        assert_eq!(noted, wanted.map(|it| format!("anna advisories sources {it}")));
        store.meta_put(KEY, "{").unwrap();
        assert!(policy_of(&store).is_err() && disabled_sources(&store).is_err());
    }
}
