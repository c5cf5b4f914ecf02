//! `relight.scan/1`: what was found in one target. The same target gives the same bytes, whatever
//! the number of threads, and whether or not a cache was used.

use std::borrow::Cow;
use std::collections::BTreeSet;

use relight_engine::exhibits::places_in;
use relight_engine::matching::{Advisories, Enclosure, Group};
use relight_model::{Component, Finding, FindingState, Flaw, Purl};
use relight_scan::{Account, Report as Scanned};
use serde::Serialize;

/// `relight.scan/1`; lists are sorted.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    target: String,
    files: u64,
    archives: u64,
    deepest: u32,
    bytes_read: u64,
    components: Vec<ComponentRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    unread: Vec<UnreadRow<'a>>,
    /// Code that is recognised and cannot be looked into (`dex`, `native-image-without-sbom`,
    /// `binary-without-metadata`, `system-without-packages`); it stands in `unread` as well, as
    /// `code-unreadable`, `go-unlisted`, `rust-unlisted`, `dotnet-unlisted`, `node-unlisted` or
    /// `system-unlisted`: each hides packages of some kinds only.
    gaps: Vec<GapRow<'a>>,
    /// What became of every byte, of files and of unpacked members of containers.
    accounts: Accounts,
    /// With `--all-layers`: what upper layers of an image hide. It never counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hidden: Vec<ComponentRow<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct GapRow<'a> {
    path: &'a str,
    reason: &'static str,
}

#[derive(Serialize)]
struct Accounts {
    files: AccountRow,
    members: AccountRow,
}

/// Bytes; the first is the sum of the others.
#[derive(Serialize)]
struct AccountRow {
    bytes: u64,
    read: u64,
    listed: u64,
    opaque: u64,
    flawed: u64,
}

impl AccountRow {
    fn of(account: Account) -> Self {
        let Account { bytes, read, listed, opaque, flawed } = account;
        Self { bytes, read, listed, opaque, flawed }
    }
}

#[derive(Serialize)]
struct ComponentRow<'a> {
    purl: String,
    version: &'a str,
    evidence: &'a str,
    basis: &'a str,
    also: Vec<&'a str>,
    certainty: &'a str,
    candidates: &'a [String],
    identity_conflict: bool,
    scope: &'a str,
    removed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_by: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    in_use: &'a [String],
    /// The layer of an image that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<String>,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    id: &'a str,
    aliases: &'a [String],
    component: String,
    evidence: &'a str,
    state: &'a str,
    score: Option<f64>,
    known_exploited: bool,
}

#[derive(Serialize)]
struct UnreadRow<'a> {
    path: &'a str,
    reason: &'a str,
    bytes: u64,
}

/// A finding and what it is about: a component, or a file that nobody has a name for.
pub(super) struct Hit<'a> {
    pub(super) finding: Finding,
    pub(super) purl: Option<&'a Purl>,
    pub(super) evidence: Cow<'a, str>,
}

/// What the advisories say about an inventory, sorted.
pub(super) fn hits<'a>(scanned: &'a Scanned, advisories: &Advisories) -> Vec<Hit<'a>> {
    let mut hits = Vec::new();
    let enclosure = Enclosure::of_image(&scanned.sbom.images);
    for component in &scanned.sbom.components {
        for finding in advisories.match_in(component, &enclosure) {
            let (purl, evidence) = (Some(&component.purl), component.evidence.as_str().into());
            hits.push(Hit { finding, purl, evidence });
        }
    }
    hits.extend(files(scanned, advisories));
    hits.sort_by(|a, b| {
        (&a.finding.id, &a.evidence, a.purl).cmp(&(&b.finding.id, &b.evidence, b.purl))
    });
    hits
}

/// The files that advisories of one's own mean, whatever they are called.
fn files<'a>(scanned: &'a Scanned, advisories: &Advisories) -> Vec<Hit<'a>> {
    let components = &scanned.sbom.components;
    let enclosure = Enclosure::of_image(&scanned.sbom.images);
    let mut hits = Vec::new();
    for group in advisories.groups() {
        let exhibits = group.exhibits().iter();
        let places: BTreeSet<String> =
            exhibits.flat_map(|it| places_in(it, components, &scanned.profiles)).collect();
        for evidence in places {
            let there = components.iter().filter(|it| it.evidence == evidence);
            let is_found = there
                .clone()
                .filter_map(|it| group.judge_in(it, &enclosure))
                .any(|finding| finding.state.is_affected());
            if !is_found {
                let purl = there.map(|it| &it.purl).next();
                let evidence = Cow::Owned(evidence);
                hits.push(Hit { finding: finding_of(group), purl, evidence });
            }
        }
    }
    hits
}

fn finding_of(group: &Group) -> Finding {
    Finding {
        id: group.id.clone(),
        aliases: group.aliases.clone(),
        state: FindingState::Affected,
        rule: String::new(),
        score: group.score(),
        known_exploited: group.known_exploited(),
    }
}

/// The document of one target.
pub(super) fn document<'a>(
    target: &str,
    scanned: &'a Scanned,
    hits: &'a [Hit<'a>],
    complete: bool,
) -> Document<'a> {
    let components = scanned.sbom.components.iter().map(|it| component_row(it, scanned));
    let hidden = scanned.hidden.iter().map(|it| component_row(it, scanned));
    let findings = hits.iter().map(|hit| FindingRow {
        id: &hit.finding.id,
        aliases: &hit.finding.aliases,
        component: hit.purl.map(ToString::to_string).unwrap_or_default(),
        evidence: &hit.evidence,
        state: hit.finding.state.as_str(),
        score: hit.finding.score.map(|tenths| f64::from(tenths) / 10.0),
        known_exploited: hit.finding.known_exploited,
    });
    let unread = scanned.sbom.flaws.iter().map(unread_row);
    let gaps = scanned.gaps.iter().map(|(gap, path)| GapRow { path, reason: gap.as_str() });
    let accounts = Accounts {
        files: AccountRow::of(scanned.file_bytes),
        members: AccountRow::of(scanned.member_bytes),
    };
    Document {
        target: target.to_owned(),
        files: scanned.files,
        archives: scanned.archives,
        deepest: scanned.deepest,
        bytes_read: scanned.bytes_read,
        components: components.collect(),
        findings: findings.collect(),
        unread: unread.collect(),
        gaps: gaps.collect(),
        accounts,
        hidden: hidden.collect(),
        complete,
    }
}

fn component_row<'a>(component: &'a Component, scanned: &Scanned) -> ComponentRow<'a> {
    // Of what is hidden nobody keeps the layer.
    let at = scanned.layers.binary_search_by(|(path, _)| path.cmp(&component.evidence));
    let layer = at.ok().map(|at| format!("sha256:{}", scanned.layers[at].1));
    ComponentRow {
        purl: component.purl.to_string(),
        version: &component.purl.version,
        evidence: &component.evidence,
        basis: component.basis.as_str(),
        also: component.also.iter().map(|basis| basis.as_str()).collect(),
        certainty: component.basis.certainty().as_str(),
        candidates: &component.candidates,
        identity_conflict: component.conflict,
        scope: component.scope.as_str(),
        removed: &component.removed,
        owned_by: component.owned_by.as_ref().map(ToString::to_string),
        hashes: component.hashes.iter().map(ToString::to_string).collect(),
        in_use: &component.in_use,
        layer,
    }
}

fn unread_row(flaw: &Flaw) -> UnreadRow<'_> {
    UnreadRow { path: &flaw.evidence, reason: flaw.code.as_str(), bytes: flaw.bytes }
}

/// Every place that was not read, as JSON lines under one line with the schema.
pub(super) fn flaw_lines(flaws: &[Flaw]) -> Result<String, serde_json::Error> {
    let mut text = String::from("{\"schema\":\"relight.flaws/1\"}\n");
    for flaw in flaws {
        text.push_str(&serde_json::to_string(&unread_row(flaw))?);
        text.push('\n');
    }
    Ok(text)
}
