//! Statements of exploitability (VEX) about one site, for others: OpenVEX 0.2.0 and CycloneDX 1.6.
//!
//! The product is the site and nothing else: no package URL, digest or CPE name stands for it, so
//! that no reader takes what was found at one site for a word about a package wherever it is.

use relight_model::{Timestamp, VexStatus};
use serde_json::{Map, Value, json};

use super::uuid::{OWN, v5};
use crate::time;

/// What is said of one flaw at one site.
#[derive(Clone, Debug)]
pub struct ExportedVex<'a> {
    /// Who says it.
    pub author: &'a str,
    /// The site: an address of its own, or another name that nothing else has.
    pub product: &'a str,
    /// Its name for people.
    pub name: &'a str,
    /// The flaw.
    pub flaw: &'a str,
    /// Other ids of it.
    pub aliases: &'a [String],
    /// Now.
    pub at: Timestamp,
    /// In the order of the document.
    pub statements: Vec<ExportedStatement>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct ExportedStatement {
    /// What is said.
    pub status: VexStatus,
    /// Why it is not affected, in the words of OpenVEX.
    pub justification: Option<&'static str>,
    /// Package URLs of what it is limited to; empty means all of the site.
    pub components: Vec<String>,
    /// What it rests on, for people.
    pub notes: String,
    /// What to do about it, for people; only of what is affected.
    pub action: String,
}

impl ExportedVex<'_> {
    /// Documents about one flaw at one site have one name, and the moment as their version: a later
    /// one replaces those before it.
    fn id(&self, kind: &str) -> String {
        v5(OWN, &format!("{}/{kind}/{}/{}", self.author, self.product, self.flaw))
    }
}

/// A document of OpenVEX.
pub fn openvex(vex: &ExportedVex<'_>) -> String {
    let aliases = vex.aliases;
    let statement = |it: &ExportedStatement| {
        let mut product = json!({"@id": vex.product});
        if !it.components.is_empty() {
            let part = |purl: &String| json!({"@id": purl, "identifiers": {"purl": purl}});
            product["subcomponents"] = it.components.iter().map(part).collect();
        }
        let status = match it.status {
            // What stands in front of a flaw does not take it away.
            VexStatus::Affected | VexStatus::Mitigated => "affected",
            VexStatus::NotAffected => "not_affected",
            VexStatus::Fixed => "fixed",
            VexStatus::UnderInvestigation => "under_investigation",
        };
        let mut out = json!({
            "vulnerability": {"name": vex.flaw, "aliases": aliases},
            "products": [product],
            "status": status,
            "status_notes": it.notes,
        });
        if let Some(justification) = it.justification {
            out["justification"] = json!(justification);
        }
        if !it.action.is_empty() {
            out["action_statement"] = json!(it.action);
        }
        out
    };
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("urn:uuid:{}", vex.id("openvex")),
        "author": vex.author,
        "timestamp": time::format(vex.at),
        "version": vex.at,
        "tooling": "relight",
        "statements": vex.statements.iter().map(statement).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

/// A document of CycloneDX with the site as its subject.
pub fn cyclonedx_vex(vex: &ExportedVex<'_>) -> String {
    let known = |id: &String| json!({"id": id, "source": {"name": source_of(id)}});
    let references: Vec<Value> = vex.aliases.iter().map(known).collect();
    let one = |(at, it): (usize, &ExportedStatement)| {
        json!({
            "bom-ref": format!("statement-{}", at + 1),
            "id": vex.flaw,
            "source": {"name": source_of(vex.flaw)},
            "references": references,
            "analysis": analysis(it),
            "affects": [{"ref": "site"}],
        })
    };
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", vex.id("cyclonedx")),
        "version": vex.at,
        "metadata": {
            "timestamp": time::format(vex.at),
            "tools": {"components": [{"type": "application", "name": "relight"}]},
            "authors": [{"name": vex.author}],
            "component": {
                "type": "application", "bom-ref": "site", "name": vex.name,
                "externalReferences": [{"type": "website", "url": vex.product}],
            },
        },
        "vulnerabilities": vex.statements.iter().enumerate().map(one).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn analysis(it: &ExportedStatement) -> Map<String, Value> {
    let mut out = Map::new();
    let state = match it.status {
        VexStatus::Affected | VexStatus::Mitigated => "exploitable",
        VexStatus::NotAffected => "not_affected",
        VexStatus::Fixed => "resolved",
        VexStatus::UnderInvestigation => "in_triage",
    };
    out.insert("state".into(), json!(state));
    if it.justification.is_some() {
        // Both words of OpenVEX that the register uses are this one here.
        out.insert("justification".into(), json!("code_not_present"));
    }
    let texts = [it.notes.clone(), it.components.join(", "), it.action.clone()];
    let texts: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    out.insert("detail".into(), json!(texts.join("\n")));
    out
}

fn source_of(id: &str) -> &'static str {
    match id.split('-').next() {
        Some("CVE") => "NVD",
        Some("GHSA") => "GitHub",
        _ => "OSV",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::read_advisories;

    fn vex(statements: Vec<ExportedStatement>, aliases: &[String]) -> [String; 2] {
        let vex = ExportedVex {
            author: "Ville de X",
            product: "https://care.example",
            name: "care",
            flaw: "CVE-2021-44228",
            aliases,
            at: 1_639_101_958,
            statements,
        };
        [openvex(&vex), cyclonedx_vex(&vex)]
    }

    /// Goal: other programs understand what is said. Method: each status in both documents, read
    /// by our own readers, which are tried on the documents of others.
    #[test]
    fn each_status_is_read_back_and_names_no_package_as_its_product() {
        let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1".to_owned();
        for (status, justification, action, wanted) in [
            (VexStatus::Affected, None, "update", VexStatus::Affected),
            (VexStatus::Mitigated, None, "update", VexStatus::Affected),
            (VexStatus::Fixed, None, "", VexStatus::Fixed),
            (VexStatus::UnderInvestigation, None, "", VexStatus::UnderInvestigation),
            (VexStatus::NotAffected, Some("component_not_present"), "", VexStatus::NotAffected),
        ] {
            let (notes, action) = ("seen at noon".to_owned(), action.to_owned());
            let components = vec![purl.clone()];
            let one = ExportedStatement { status, justification, components, notes, action };
            let aliases = ["GHSA-jfh8-c2jp-5v3q".to_owned()];
            for text in vex(vec![one.clone()], &aliases) {
                let (read, warnings) = read_advisories("x", "vex.json", text.as_bytes());
                assert!(warnings.is_empty(), "{warnings:?}");
                let statements: Vec<_> = read.iter().flat_map(|it| &it.statements).collect();
                let [said] = &statements[..] else { panic!("{statements:?}") };
                assert_eq!((said.status, said.issuer.as_str()), (wanted, "Ville de X"), "{text}");
                assert!(said.vulnerabilities.contains(&"CVE-2021-44228".to_owned()), "{text}");
                assert_eq!(said.justification.is_some(), justification.is_some());
                // A site is no package: nothing else is meant.
                for product in &said.products {
                    let is_bare = product.purls.is_empty() && product.cpes.is_empty();
                    assert!(is_bare && product.hashes.is_empty(), "{product:?}");
                }
            }
        }
    }

    #[test]
    fn a_later_document_replaces_the_one_before() {
        let [one, other] = vex(Vec::new(), &[]);
        for (text, id) in [(&one, "@id"), (&other, "serialNumber")] {
            let document: Value = serde_json::from_str(text).unwrap();
            assert!(document[id].as_str().unwrap().starts_with("urn:uuid:"));
            assert_eq!(document["version"], 1_639_101_958);
        }
    }
}
