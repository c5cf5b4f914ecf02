//! `affected` of a CVE container to packages and products.

use relight_model::{
    Advisory, AffectedRange, Product, Purl, RangeEvent, RangeKind, RangeStatus, Stance, Why,
};

use super::versions::{Reading, version};
use crate::advisory::json::{Fault, Object, VERSIONS_MAX, objects, prose, text, texts};
use crate::advisory::names::{package_of_purl, packages_of_registry};

/// Reads one entry into the record: a package where a purl or a known registry names one, else a
/// product.
pub(super) fn entry(item: &Object, advisory: &mut Advisory) -> Result<(), Fault> {
    let mut product = Product {
        vendor: prose(item, "vendor"),
        product: prose(item, "product"),
        package_name: prose(item, "packageName"),
        cpes: texts(item, "cpes", VERSIONS_MAX)?,
        platforms: texts(item, "platforms", VERSIONS_MAX)?,
        ..Product::default()
    };
    let mut found = Found::default();
    for item in objects(item, "versions", VERSIONS_MAX)? {
        found.add(version(item)?, &mut product);
    }
    let default = text(item, "defaultStatus")?;
    (product.stance, product.rest) = found.stance(default, &product);
    let purl = text(item, "packageURL")?.and_then(|text| Purl::parse(text).ok());
    let stated = purl.as_ref().and_then(package_of_purl).map(|package| vec![package]);
    let packages = stated.unwrap_or_else(|| {
        packages_of_registry(&prose(item, "collectionURL"), &product.package_name)
    });
    advisory.affected.extend(packages.iter().map(|it| product.as_affected(it.clone())));
    if packages.is_empty() {
        advisory.products.push(product);
    }
    Ok(())
}

/// What the versions of an entry held, apart from lists.
#[derive(Default)]
struct Found {
    free_text: bool,
    evaluable: bool,
    /// Something of that is called affected.
    affects: bool,
    git: bool,
}

impl Found {
    fn add(&mut self, reading: Reading, product: &mut Product) {
        match reading {
            Reading::Single(version, RangeStatus::Affected) => {
                self.affects = true;
                product.versions.push(version);
            }
            Reading::Single(version, status) => {
                product.intervals.push(relight_model::Interval::single(&version, status));
            }
            Reading::Interval(interval) => {
                self.affects |= interval.status == RangeStatus::Affected;
                product.intervals.push(interval);
            }
            Reading::Events(events) => {
                self.affects = true;
                product.ranges.push(AffectedRange { kind: RangeKind::Ecosystem, events });
            }
            Reading::Git(from, to) => {
                let events = vec![RangeEvent::Introduced(from), RangeEvent::Fixed(to)];
                product.ranges.push(AffectedRange { kind: RangeKind::Git, events });
                self.git = true;
                return;
            }
            Reading::FreeText => {
                self.free_text = true;
                return;
            }
        }
        self.evaluable = true;
    }

    /// A stated default is for versions that no entry covers. Without one they are not affected
    /// if affected ones can be evaluated: assigners leave the default out and mean that. Who names
    /// only the versions that are not affected leaves open which ones are.
    fn stance(&self, default: Option<&str>, product: &Product) -> (Stance, RangeStatus) {
        let rest = match default {
            Some("affected") => RangeStatus::Affected,
            Some("unknown") => RangeStatus::Unknown,
            _ => RangeStatus::NotAffected,
        };
        let lists_nothing = product.ranges.is_empty() && !self.evaluable && !self.free_text;
        let stance = match default {
            _ if self.free_text => Stance::Unresolved(Why::FreeText),
            _ if self.git && !self.evaluable => Stance::Unresolved(Why::GitOnly),
            Some("unaffected") if lists_nothing => Stance::NotAffected,
            Some("unknown") if lists_nothing => Stance::Unresolved(Why::Undetermined),
            None if lists_nothing || !self.affects => Stance::Unresolved(Why::NoRange),
            _ => Stance::Lists,
        };
        (stance, rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Who names the versions that are not affected, and no default, says of no other that it is
    /// clear.
    #[test]
    fn what_is_not_named_is_clear_only_beside_affected_versions() {
        let fixed = json!({"version": "2.17.1", "lessThan": "*", "status": "unaffected"});
        let single = json!({"version": "2.17.1", "status": "unaffected"});
        let asked = json!({"version": "2.0", "lessThan": "3", "status": "unknown"});
        let range = json!({"version": "2.0", "lessThan": "2.17.1", "status": "affected"});
        let old = json!({"version": "2.0", "status": "affected"});
        let open = (Stance::Unresolved(Why::NoRange), RangeStatus::NotAffected);
        let rest = (Stance::Lists, RangeStatus::NotAffected);
        for (versions, default, wanted) in [
            (vec![&fixed], None, &open),
            (vec![&single], None, &open),
            (vec![&asked], None, &open),
            (vec![], None, &open),
            (vec![&range], None, &rest),
            (vec![&old], None, &rest),
            (vec![&fixed, &range], None, &rest),
            (vec![&fixed], Some("unaffected"), &rest),
            (vec![&fixed], Some("affected"), &(Stance::Lists, RangeStatus::Affected)),
        ] {
            let mut item = json!({"packageURL": "pkg:npm/lib", "versions": versions});
            if let Some(default) = default {
                item["defaultStatus"] = default.into();
            }
            let mut record = Advisory::default();
            entry(item.as_object().unwrap(), &mut record).unwrap();
            let affected = &record.affected[0];
            assert_eq!((&affected.stance, &affected.rest), (&wanted.0, &wanted.1), "{item}");
            // What is stated about a version stays.
            let stated = affected.intervals.len() + affected.versions.len();
            assert_eq!(stated, versions.len(), "{item}");
        }
    }
}
