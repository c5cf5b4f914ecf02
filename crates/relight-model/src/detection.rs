//! A detection and the severity ladder: reconnaissance is not compromise.

use std::net::IpAddr;

use crate::{OrgId, SiteId, Timestamp};

/// The ladder of severities. Below [`Severity::SignsOfSuccess`] no text may assert compromise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// S0: untargeted, benign or below threshold.
    #[default]
    Noise,
    /// S1: a source or a group was decided to be exploring.
    Reconnaissance,
    /// S2: as S1, and aimed: at a sector, or at what the site runs.
    TargetedReconnaissance,
    /// S3: a payload that would have worked on the product it was written for.
    ExploitAttempt,
    /// S4: as S3, and the site was affected at that hour.
    AttemptOnVulnerable,
    /// S5: signs of success.
    SignsOfSuccess,
}

impl Severity {
    /// Every step of the ladder, lowest first.
    pub const ALL: [Self; 6] = [
        Self::Noise,
        Self::Reconnaissance,
        Self::TargetedReconnaissance,
        Self::ExploitAttempt,
        Self::AttemptOnVulnerable,
        Self::SignsOfSuccess,
    ];

    /// The stable name used in documents (`S1`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Noise => "S0",
            Self::Reconnaissance => "S1",
            Self::TargetedReconnaissance => "S2",
            Self::ExploitAttempt => "S3",
            Self::AttemptOnVulnerable => "S4",
            Self::SignsOfSuccess => "S5",
        }
    }
}

/// One decision of one detector, about one source or about a group of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection {
    /// Name of the detector.
    pub detector: &'static str,
    /// Whom it is about, sorted: one source, or the members of a group.
    pub sources: Vec<IpAddr>,
    /// What the members of a group have in common (`ja4:…`, `agent:…`); empty for one source.
    pub shared: String,
    /// How bad.
    pub severity: Severity,
    /// First and last contact that count.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// The contact after which the evidence was enough.
    pub decided: Timestamp,
    /// Organisations that were contacted, sorted.
    pub organisations: Vec<OrgId>,
    /// Sites that were contacted, sorted.
    pub sites: Vec<SiteId>,
    /// Distinct contacts that count as evidence.
    pub contacts: u32,
    /// Log-likelihood ratio for reconnaissance against an ordinary visitor, natural logarithm.
    pub likelihood: f64,
    /// What `likelihood` had to reach, from the budget of false alarms.
    pub threshold: f64,
    /// What each class of contact adds to `likelihood`, largest first.
    pub contributions: Vec<Contribution>,
    /// Hosts that the payloads of exploit attempts would have called back, sorted.
    pub callbacks: Vec<String>,
    /// Fingerprints of clients that its contacts carried, sorted, at most 16.
    pub fingerprints: Vec<String>,
    /// What its one source calls itself (`agent:…`), sorted, at most 16; empty for a group.
    pub agents: Vec<String>,
    /// Payloads that would have worked on their product, in order of time.
    pub attempts: Vec<Attempt>,
    /// Doors of the catalogue that were tried, each at each site once, at most 4,096.
    pub tried: Vec<Tried>,
    /// What its first contact is told by: the same on every machine.
    pub origin: u64,
    /// What its contacts are told by, sorted: the 1,024 smallest numbers. No address is in them.
    pub marks: Vec<u64>,
    /// Up to 64 lines of evidence, decoded, in order of time:
    /// `organisation, site, day, status, class, path` (numbers for the first two; path last).
    pub evidence: Vec<String>,
}

/// A door of the catalogue that was tried at a site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tried {
    /// Where.
    pub site: SiteId,
    /// Id of the entry.
    pub door: &'static str,
    /// When first.
    pub at: Timestamp,
}

/// One payload, or one use of a known flaw, that reached one site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attempt {
    /// When it came first.
    pub at: Timestamp,
    /// Where, when the log tells.
    pub site: Option<SiteId>,
    /// The flaw that it would have used (`CVE-2021-44228`).
    pub flaw: &'static str,
    /// What the inventory says about that site at that hour.
    pub exposure: Exposure,
}

/// What is known about a site and a flaw at an hour in the past.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exposure {
    /// Nobody can tell: no inventory of that hour, or one with gaps. Never rounded to clear.
    #[default]
    Unknown,
    /// It had the flaw.
    Affected,
    /// It certainly had not.
    Clear,
}

impl Exposure {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Affected => "affected",
            Self::Clear => "clear",
        }
    }
}

/// Something that a site did which it only does when an attempt succeeded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sign {
    /// When.
    pub at: Timestamp,
    /// Which site.
    pub site: SiteId,
    /// What: `connection`, `name-query` or `answer`.
    pub kind: &'static str,
    /// The host or address that was called or asked about.
    pub host: String,
}

/// What one class of contact adds to the log-likelihood ratio of a detection.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// Stable name of the class (`probe`, `not-found-cold`).
    pub class: &'static str,
    /// Distinct contacts of that class.
    pub contacts: u32,
    /// Their share of the log-likelihood ratio, natural logarithm.
    pub likelihood: f64,
}
