//! The statuses of products in a CSAF document.

use std::collections::HashMap;

use relight_model::VexStatus;

use crate::advisory::json::{Fault, Object, VERSIONS_MAX, list};

/// The lists of `product_status` and what they say. `recommended` says nothing of a flaw.
const LISTS: [(&str, VexStatus); 8] = [
    ("first_affected", VexStatus::Affected),
    ("known_affected", VexStatus::Affected),
    ("last_affected", VexStatus::Affected),
    ("known_not_affected", VexStatus::NotAffected),
    ("first_fixed", VexStatus::Fixed),
    ("fixed", VexStatus::Fixed),
    ("under_investigation", VexStatus::UnderInvestigation),
    ("unknown", VexStatus::UnderInvestigation),
];

/// Every product with a status.
pub(super) fn statuses(status: &Object) -> Result<Vec<(VexStatus, &str)>, Fault> {
    let mut all = Vec::new();
    for (key, status) in LISTS.map(|(key, it)| (list(status, key, VERSIONS_MAX), it)) {
        for product in key? {
            let product = product.as_str().ok_or("a product id is not text")?;
            all.push((status, product));
        }
    }
    Ok(all)
}

/// A product in two of the groups affected, not affected, fixed, under investigation.
pub(super) fn contradiction<'a>(statuses: &[(VexStatus, &'a str)]) -> Option<&'a str> {
    let mut seen: HashMap<&str, VexStatus> = HashMap::new();
    let contradicts = |(status, product): &&(VexStatus, &'a str)| {
        seen.insert(product, *status).is_some_and(|before| before != *status)
    };
    statuses.iter().find(contradicts).map(|(_, product)| *product)
}
