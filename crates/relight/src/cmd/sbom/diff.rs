//! `relight sbom diff OLD NEW`: what came, what went, and which flaws that fixes or brings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use relight_engine::matching::{Advisories, Enclosure};
use relight_model::{Purl, Sbom};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report, Style};

#[derive(Debug, Args)]
pub(super) struct Diff {
    #[arg(value_name = "OLD")]
    old: PathBuf,
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

/// `relight.sbom-diff/1`; lists are sorted.
#[derive(Serialize)]
struct Document {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<Change>,
    fixes: Vec<String>,
    brings: Vec<String>,
}

#[derive(Serialize)]
struct Change {
    package: String,
    before: Vec<String>,
    after: Vec<String>,
}

impl Diff {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let old = super::read(&self.old, context, report)?;
        let new = super::read(&self.new, context, report)?;
        if !old.is_complete() || !new.is_complete() {
            report.raise(Exit::Incomplete);
        }
        let advisories = inventory::advisories(context)?;
        let (before, after) = (findings(&old, &advisories), findings(&new, &advisories));
        let (added, removed, changed) = compare(&old, &new);
        let fixes = before.difference(&after).cloned().collect();
        let brings = after.difference(&before).cloned().collect();
        let document = Document { added, removed, changed, fixes, brings };
        if context.json {
            report.document("relight.sbom-diff/1", &document);
        } else {
            text(&document, context, report);
        }
        Ok(())
    }
}

/// The flaws that an inventory certainly has.
fn findings(sbom: &Sbom, advisories: &Advisories) -> BTreeSet<String> {
    let enclosure = Enclosure::of_image(&sbom.images);
    let all = sbom.components.iter().flat_map(|it| advisories.match_in(it, &enclosure));
    all.filter(|finding| finding.state.is_affected()).map(|finding| finding.id).collect()
}

/// Versions by package: the same package in two places is one package.
fn versions(sbom: &Sbom) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for component in &sbom.components {
        let Purl { kind, namespace, name, version, .. } = &component.purl;
        let package = Purl::new(kind, namespace, name, "").to_string();
        all.entry(package).or_default().insert(version.clone());
    }
    all
}

fn compare(old: &Sbom, new: &Sbom) -> (Vec<String>, Vec<String>, Vec<Change>) {
    let (before, after) = (versions(old), versions(new));
    let only = |these: &BTreeMap<String, BTreeSet<String>>, others: &BTreeMap<String, _>| {
        let mut found = Vec::new();
        for (package, versions) in these.iter().filter(|(it, _)| !others.contains_key(*it)) {
            found.extend(versions.iter().map(|version| versioned(package, version)));
        }
        found
    };
    let mut changed = Vec::new();
    for (package, versions) in &before {
        if let Some(now) = after.get(package).filter(|now| *now != versions) {
            let before = versions.iter().cloned().collect();
            let after = now.iter().cloned().collect();
            changed.push(Change { package: package.clone(), before, after });
        }
    }
    (only(&after, &before), only(&before, &after), changed)
}

fn versioned(package: &str, version: &str) -> String {
    Purl::parse(package)
        .map(|purl| Purl { version: version.to_owned(), ..purl }.to_string())
        .unwrap_or_default()
}

fn text(document: &Document, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let Document { added, removed, changed, fixes, brings } = document;
    for (sign, style, purls) in [("+", Style::Good, added), ("-", Style::Bad, removed)] {
        for purl in purls {
            let sign = report.paint(style, sign);
            report.line(&format!("{sign} {purl}"));
        }
    }
    for Change { package, before, after } in changed {
        let sign = report.paint(Style::Warn, "~");
        report.line(&format!("{sign} {package}  {} → {}", before.join(", "), after.join(", ")));
    }
    if added.is_empty() && removed.is_empty() && changed.is_empty() {
        report.line(texts::sbom_same(lang));
    }
    if !fixes.is_empty() {
        report.line(&texts::sbom_fixes(lang, &fixes.join(", ")));
    }
    if !brings.is_empty() {
        report.line(&texts::sbom_brings(lang, &brings.join(", ")));
    }
}
