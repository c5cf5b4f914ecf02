//! `affected` of a CVE container to packages and products.

use relight_model::{
    Advisory, AffectedRange, Product, Purl, RangeEvent, RangeKind, RangeStatus, Stance, Why,
};

use super::versions::{Reading, version};
use crate::advisory::json::{Fault, Object, VERSIONS_MAX, objects, prose, text, texts};
use crate::advisory::names::{package_of_purl, package_of_registry};

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
    let package = purl
        .as_ref()
        .and_then(package_of_purl)
        .or_else(|| package_of_registry(&prose(item, "collectionURL"), &product.package_name));
    match package {
        Some(package) => advisory.affected.push(product.as_affected(package)),
        None => advisory.products.push(product),
    }
    Ok(())
}

/// What the versions of an entry held, apart from lists.
#[derive(Default)]
struct Found {
    free_text: bool,
    evaluable: bool,
    git: bool,
}

impl Found {
    fn add(&mut self, reading: Reading, product: &mut Product) {
        match reading {
            Reading::Single(version, RangeStatus::Affected) => product.versions.push(version),
            Reading::Single(version, status) => {
                product.intervals.push(relight_model::Interval::single(&version, status));
            }
            Reading::Interval(interval) => product.intervals.push(interval),
            Reading::Events(events) => {
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
    /// if anything can be evaluated: assigners leave the default out and mean that.
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
            None if lists_nothing => Stance::Unresolved(Why::NoRange),
            _ => Stance::Lists,
        };
        (stance, rest)
    }
}
