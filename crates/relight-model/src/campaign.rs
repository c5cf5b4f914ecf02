//! A campaign: detections that belong together.

use std::net::IpAddr;

use crate::{Attempt, Detection, OrgId, Severity, Sign, SiteId, Timestamp};

/// Detections joined by shared sources, fingerprints or callback hosts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Campaign {
    /// `C-7K2MQX`, from its first contact; kept when the campaign is found again.
    pub id: String,
    /// The ids of campaigns that turned out to be a part of this one, sorted.
    pub formerly: Vec<String>,
    /// The highest severity of its detections, raised by what is known about its targets.
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
    /// Sectors at which it is aimed, sorted; empty when all are alike.
    pub aimed_at: Vec<String>,
    /// Fingerprints and callback hosts that its sources share, sorted.
    pub shared: Vec<String>,
    /// Payloads by site and hour, with what the inventory says about them, in order of time.
    pub attempts: Vec<Attempt>,
    /// Signs of success that followed an attempt, in order of time.
    pub signs: Vec<Sign>,
    /// Who it is, when all of its sources are on the operator's list of scanners that mean well
    /// (`research: NAME`); then it is background noise. Sorted.
    pub known: Vec<String>,
    /// Names of that list that user agents of it claim from addresses that are not theirs, sorted.
    pub spoofed: Vec<String>,
    /// How many single addresses were put together here because they are so many and nothing ties
    /// them to each other; 0 for a campaign.
    pub gathered: usize,
    /// Those of its sources that many people use: a carrier's, an office's or a proxy's. Sorted.
    pub crowded: Vec<IpAddr>,
    /// Sites of the register that sent no line around its time: nobody knows whether it met them.
    pub silent: usize,
    /// Products that it looked for where they ran, those at most sites first, at most 8.
    pub matched: Vec<Matched>,
    /// Marks of its contacts, sorted: by them it is known again. Below `marks_until` all of them.
    pub marks: Vec<u64>,
    /// See `marks`.
    pub marks_until: u64,
    /// The detections it rests on.
    pub detections: Vec<Detection>,
}

/// A product that a campaign looked for, joined with what sites ran on those days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The product, as people call it.
    pub product: String,
    /// Sites that ran it and sent lines.
    pub running: usize,
    /// Of these, sites at which the campaign tried a door of it.
    pub tried: usize,
    /// Sites at which it tried one and of which nobody knows what ran there.
    pub unknown: usize,
    /// More of its tries met the product than chance explains.
    pub aimed: bool,
}
