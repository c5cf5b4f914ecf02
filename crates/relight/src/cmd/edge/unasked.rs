//! What a gate holds dark although nothing asks for it there, for `relight edge check`.

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::edge::{EdgeDriver, EdgeError, Lint, LintSeverity, Target};
use relight_engine::groups::group_of;
use relight_engine::reconcile::{BARRIER, DARK_UNASKED, dark_unasked};
use relight_model::GateKey;

use crate::register::Register;

/// What the gate of this edge holds dark and nothing in the journal explains there: a site that an
/// incident keeps dark is explained at the edge that serves it, and said with the name of that one
/// anywhere else. `all` are the edges of the register.
pub(super) fn find(
    (name, all): (&str, &[Target]),
    driver: &mut dyn EdgeDriver,
    register: &Register,
) -> Result<Vec<Lint>, EdgeError> {
    let served = serves(name, all);
    let (mut explained, mut elsewhere) = (BTreeSet::new(), BTreeMap::new());
    for site in &register.sites {
        let is_at_work = register.ledger.is_at_work(&site.slug);
        let own = is_at_work.then(|| site.slug.clone());
        let parts = register.ledger.parts_of(&site.slug).into_keys();
        for key in own.into_iter().chain(parts) {
            if served.contains(site.edge.as_str()) {
                explained.insert(key);
            } else {
                elsewhere.insert(key, site.edge.as_str());
            }
        }
    }
    let found = |key: GateKey| Lint {
        severity: LintSeverity::Warning,
        code: DARK_UNASKED,
        place: match elsewhere.get(&key) {
            Some(edge) => format!("{key} ({edge})"),
            None => key.as_str().to_owned(),
        },
    };
    let found_dark = dark_unasked(driver, |key| explained.contains(key))?;
    Ok(found_dark.into_iter().map(found).collect())
}

/// The edges whose sites this one holds: itself, its group, and those that it stands behind.
fn serves(name: &str, all: &[Target]) -> BTreeSet<String> {
    let mut served = BTreeSet::from([name.to_owned()]);
    served.extend(group_of(name, all).map(|group| group.name.clone()));
    let is_behind = |target: &&Target| {
        target.settings.get(BARRIER).is_some_and(|barrier| served.contains(barrier))
    };
    let fronts: Vec<String> =
        all.iter().filter(is_behind).map(|target| target.name.clone()).collect();
    served.extend(fronts);
    served
}
