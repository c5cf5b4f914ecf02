//! CSAF 2.0 and 2.1: advisories and VEX of vendors, read as statements about the products of
//! their product tree.
//!
//! Of the mandatory tests of the standard those that could change a match refuse the document:
//! products and groups that are missing, doubled or circular (6.1.1 to 6.1.5), and a product with
//! two contradicting statuses (6.1.6). Wrong scores (6.1.7 to 6.1.10) are noted. Everything else is
//! for people.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Advisory, Effect, VexProduct, VexStatement, VexStatus};
use serde_json::Value;

use super::csaf::status::{contradiction, statuses};
use super::csaf::tree::Tree;
use super::json::{
    EVENTS_MAX, Fault, Object, PACKAGES_MAX, VERSIONS_MAX, inner, list, members, moment, needed,
    needed_object, objects, prose, text, texts,
};
use super::outline::Outline;
use super::pieces::split;
use super::{AdvisoryFormat, ExtentKind, Input, Reading, canonical, ordinal};

mod affected;
mod scores;
mod status;
#[cfg(test)]
mod tests;
mod tree;

pub(super) const PLUGIN: Csaf = Csaf;

/// The format. It has no settings.
pub(super) struct Csaf;

impl AdvisoryFormat for Csaf {
    fn name(&self) -> &'static str {
        "csaf"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        let is_tree = outline.has(&["product_tree"]) || outline.has(&["vulnerabilities"]);
        outline.has(&["document"]) && (is_tree || outline.says("\"csaf_version\""))
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let pieces = split(input.place, input.line, input.bytes);
        reading.take(input, "csaf", pieces, records);
        for record in &mut reading.records {
            record.ordinal = ordinal(&record.advisory.status);
        }
        reading.extend(ExtentKind::Ids);
        reading
    }
}

/// The document with its statements; where it is about several flaws, one record more for each of
/// which it names packages, for what it says of one is not said of the others.
fn records(object: &Object, notes: &mut Vec<String>) -> Result<Vec<Advisory>, Fault> {
    let document = needed_object(object, "document")?;
    match needed(document, "csaf_version")? {
        "2.0" | "2.1" => {}
        other => notes.push(format!("version {other} of CSAF is not known: read as 2.1")),
    }
    let publisher = needed_object(document, "publisher")?;
    let tracking = needed_object(document, "tracking")?;
    let namespace = needed(publisher, "namespace")?;
    let mut advisory = Advisory {
        source: format!("csaf/{namespace}"),
        id: needed(tracking, "id")?.to_owned(),
        revision: canonical::digest(object),
        published: moment(tracking, "initial_release_date", notes),
        modified: moment(tracking, "current_release_date", notes),
        effect: effect(tracking),
        status: format!("{} {}", prose(tracking, "status"), needed(tracking, "version")?),
        assigner: prose(publisher, "name"),
        summary: prose(document, "title"),
        references: members(document, "references", "url"),
        ..Advisory::default()
    };
    let empty = Object::new();
    let tree = Tree::of(inner(object, "product_tree").unwrap_or(&empty), notes)?;
    let flaws = objects(object, "vulnerabilities", PACKAGES_MAX)?;
    let is_vendor = prose(publisher, "category") == "vendor";
    // Without the statements, which no part repeats.
    let head = advisory.clone();
    let mut parts = Vec::new();
    for (index, flaw) in flaws.iter().enumerate() {
        let within = |fault: Fault| format!("vulnerabilities[{index}]: {fault}");
        let names = names(flaw).map_err(within)?;
        advisory.upstream.extend(names.iter().cloned());
        notes.extend(scores::faults(flaw));
        let statements = statements(flaw, &names, &tree, &advisory).map_err(within)?;
        advisory.statements.extend(statements);
        if let Some(status) = inner(flaw, "product_status") {
            let affected = affected::entries(status, &tree, is_vendor).map_err(within)?;
            parts.push((index, names, affected, scores::ratings(flaw)));
        }
    }
    advisory.upstream.sort();
    advisory.upstream.dedup();
    advisory.upstream.retain(|id| *id != advisory.id);
    // The ratings of a bulletin belong to its flaws, and not all to each.
    if let [flaw] = &flaws[..] {
        advisory.severities = scores::ratings(flaw);
        advisory.affected = parts.pop().map(|(.., affected, _)| affected).unwrap_or_default();
        return Ok(vec![advisory]);
    }
    let mut records = vec![advisory];
    let mut taken = BTreeSet::new();
    for (index, names, affected, severities) in parts {
        if affected.is_empty() {
            continue;
        }
        let number = index + 1;
        let id = match names.first() {
            Some(name) if taken.insert(name.clone()) => format!("{}/{name}", head.id),
            Some(name) => format!("{}/{name}/#{number}", head.id),
            None => {
                let id = format!("{}/#{number}", head.id);
                notes.push(format!("vulnerabilities[{index}] has no id: read as {id}"));
                id
            }
        };
        records.push(Advisory { id, upstream: names, affected, severities, ..head.clone() });
    }
    Ok(records)
}

/// A draft is shown and has no effect.
fn effect(tracking: &Object) -> Effect {
    let is_draft = prose(tracking, "status").eq_ignore_ascii_case("draft");
    if is_draft { Effect::Draft } else { Effect::Opinion }
}

/// The ids of a flaw: its CVE number, and ids of other systems.
fn names(flaw: &Object) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = text(flaw, "cve")?.map(str::to_owned).into_iter().collect();
    for id in objects(flaw, "ids", EVENTS_MAX)? {
        names.push(needed(id, "text")?.to_owned());
    }
    Ok(names)
}

/// One statement for each status and justification.
fn statements(
    flaw: &Object,
    names: &[String],
    tree: &Tree<'_>,
    advisory: &Advisory,
) -> Result<Vec<VexStatement>, Fault> {
    check_references(flaw, tree)?;
    let Some(status) = inner(flaw, "product_status") else { return Ok(Vec::new()) };
    let statuses = statuses(status)?;
    if let Some(product) = contradiction(&statuses) {
        return Err(format!("product `{product}` has contradicting statuses (6.1.6)"));
    }
    let flags = flags(flaw, tree)?;
    let impacts = impacts(flaw, tree)?;
    let mut all: BTreeMap<(VexStatus, Option<String>, String), BTreeSet<&str>> = BTreeMap::new();
    for (status, product) in statuses {
        tree.check(product)?;
        let (status, flag, impact) = match status {
            VexStatus::NotAffected => (
                match flags.get(product).map(String::as_str) {
                    Some("inline_mitigations_already_exist") => VexStatus::Mitigated,
                    _ => VexStatus::NotAffected,
                },
                flags.get(product).cloned(),
                impacts.get(product).cloned().unwrap_or_default(),
            ),
            other => (other, None, String::new()),
        };
        all.entry((status, flag, impact)).or_default().insert(product);
    }
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let statement = |((status, justification, text), products): ((_, _, _), BTreeSet<&str>)| {
        let products: Result<Vec<VexProduct>, Fault> =
            products.into_iter().map(|product| tree.resolve(product)).collect();
        Ok(VexStatement {
            issuer: advisory.assigner.clone(),
            document: format!("{} {}", advisory.id, advisory.status),
            vulnerabilities: names.to_vec(),
            products: products?,
            status,
            justification,
            text,
            at: advisory.modified,
        })
    };
    all.into_iter().map(statement).collect()
}

/// Every product and group that a flaw names anywhere must be defined (6.1.1, 6.1.4).
fn check_references(flaw: &Object, tree: &Tree<'_>) -> Result<(), Fault> {
    const LISTS: [&str; 7] =
        ["flags", "involvements", "remediations", "scores", "metrics", "threats", "notes"];
    for key in LISTS {
        for item in list(flaw, key, VERSIONS_MAX)?.iter().filter_map(Value::as_object) {
            for product in texts(item, "product_ids", VERSIONS_MAX)? {
                tree.check(&product)?;
            }
            for product in texts(item, "products", VERSIONS_MAX)? {
                tree.check(&product)?;
            }
            for group in texts(item, "group_ids", VERSIONS_MAX)? {
                tree.group(&group)?;
            }
        }
    }
    Ok(())
}

/// Why products are not affected, by product.
fn flags(flaw: &Object, tree: &Tree<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut labels = BTreeMap::new();
    for flag in objects(flaw, "flags", VERSIONS_MAX)? {
        let label = needed(flag, "label")?;
        for product in products_of(flag, tree)? {
            labels.insert(product, label.to_owned());
        }
    }
    Ok(labels)
}

/// Impact texts, by product.
fn impacts(flaw: &Object, tree: &Tree<'_>) -> Result<BTreeMap<String, String>, Fault> {
    let mut all = BTreeMap::new();
    for threat in objects(flaw, "threats", VERSIONS_MAX)? {
        if prose(threat, "category") == "impact" {
            let details = prose(threat, "details");
            for product in products_of(threat, tree)? {
                all.insert(product, details.clone());
            }
        }
    }
    Ok(all)
}

fn products_of(item: &Object, tree: &Tree<'_>) -> Result<Vec<String>, Fault> {
    let mut products = texts(item, "product_ids", VERSIONS_MAX)?;
    for group in texts(item, "group_ids", VERSIONS_MAX)? {
        products.extend(tree.group(&group)?.iter().cloned());
    }
    Ok(products)
}
