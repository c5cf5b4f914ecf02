//! A campaign: detections that belong together.

use std::net::IpAddr;

use crate::{Detection, OrgId, Severity, SiteId, Timestamp};

/// Detections joined by shared sources, fingerprints or callback hosts.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// `C-0001`, in the order of the first contact.
    pub id: String,
    /// The highest severity of its detections.
    pub severity: Severity,
    /// Posterior probability that this is not benign, at most 0.99.
    pub confidence: f64,
    /// First contact.
    pub first: Timestamp,
    /// Last contact.
    pub last: Timestamp,
    /// Sources, sorted.
    pub sources: Vec<IpAddr>,
    /// Organisations, sorted.
    pub organisations: Vec<OrgId>,
    /// Sites, sorted.
    pub sites: Vec<SiteId>,
    /// The detections it rests on.
    pub detections: Vec<Detection>,
}
