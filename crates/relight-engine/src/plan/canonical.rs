//! The canonical JSON of a plan, of which people approve the digest.

use relight_model::{Digest, Timestamp};
use serde::Serialize;

use super::{Action, Plan, PlanSite, Returns, Skipped};
use crate::incident::wire;

impl Plan {
    /// Its canonical JSON, without a tree of it in between: an order for thousands of sites waits.
    pub(super) fn canonical(&self) -> Result<String, serde_json::Error> {
        let Self {
            schema,
            incident,
            action,
            part,
            reason,
            sites,
            skipped,
            edges,
            returns,
            waves,
            stops_above_percent,
            advisory_revision,
            policy,
            proposer,
            created,
            expires,
        } = self;
        serde_json::to_string(&Canonical {
            action: *action,
            advisory_revision: *advisory_revision,
            created: *created,
            edges,
            expires: *expires,
            incident,
            part: part.as_deref(),
            policy: *policy,
            proposer,
            reason,
            returns: *returns,
            schema,
            sites: sites.iter().map(CanonicalSite::of).collect(),
            skipped: skipped.iter().map(CanonicalSkipped::of).collect(),
            stops_above_percent: *stops_above_percent,
            waves,
        })
    }
}

/// A plan with its fields in the order of their names.
#[derive(Serialize)]
struct Canonical<'a> {
    action: Action,
    #[serde(with = "wire::digest")]
    advisory_revision: Digest,
    created: Timestamp,
    edges: &'a [String],
    expires: Timestamp,
    incident: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'a str>,
    #[serde(with = "wire::digest")]
    policy: Digest,
    proposer: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    returns: Option<Returns>,
    schema: &'a str,
    sites: Vec<CanonicalSite<'a>>,
    skipped: Vec<CanonicalSkipped<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stops_above_percent: Option<usize>,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    waves: &'a [usize],
}

/// One of its sites, likewise.
#[derive(Serialize)]
struct CanonicalSite<'a> {
    criticality: u8,
    edge: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    names: &'a [String],
    org: &'a str,
    site: &'a str,
    verdict: &'a str,
}

impl<'a> CanonicalSite<'a> {
    fn of(plan_site: &'a PlanSite) -> Self {
        let PlanSite { site, edge, verdict, criticality, org, names } = plan_site;
        Self { criticality: *criticality, edge, names, org, site: site.as_str(), verdict }
    }
}

/// One that it leaves alone, likewise.
#[derive(Serialize)]
struct CanonicalSkipped<'a> {
    reason: &'a str,
    site: &'a str,
}

impl<'a> CanonicalSkipped<'a> {
    fn of(skipped: &'a Skipped) -> Self {
        let Skipped { site, reason } = skipped;
        Self { reason, site: site.as_str() }
    }
}
