//! Campaigns and statements for other programs: STIX 2.1, MISP, OCSF, block lists, tables, VEX.
//! The same campaign gives the same bytes, and the same ids, so that a second export updates
//! instead of doubling.
//!
//! Reconnaissance is no indicator: below an exploit attempt nothing here asks anybody to block or
//! to raise an alarm, and no text asserts a compromise below signs of success.

mod block;
mod misp;
mod ocsf;
mod stix;
mod table;
#[cfg(test)]
mod tests;
mod uuid;
mod vex;

use std::net::IpAddr;

use relight_model::{Severity, Timestamp};

pub use block::{BLOCK_DAYS_MAX, BlockForm, BlockReport, Network, block_list, is_reserved};
pub use misp::{misp_csv, misp_json};
pub use ocsf::ocsf_jsonl;
pub use stix::stix_bundle;
pub use table::{campaign_csv, campaign_jsonl};
pub use vex::{ExportedStatement, ExportedVex, cyclonedx_vex, openvex};

/// How far what is exported may travel (TLP of FIRST, in the four markings of STIX 2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tlp {
    /// No limit.
    Clear,
    /// The community.
    Green,
    /// The organisation and who it works with.
    #[default]
    Amber,
    /// The people who were given it.
    Red,
}

impl Tlp {
    /// Every marking.
    pub const ALL: [Self; 4] = [Self::Clear, Self::Green, Self::Amber, Self::Red];

    /// The name used in arguments and documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::Red => "red",
        }
    }
}

/// A campaign as it is exported: with names, and only what the receiver needs.
#[derive(Clone, Debug)]
pub struct ExportedCampaign {
    /// Number of the campaign here.
    pub id: String,
    /// Its step of the ladder.
    pub severity: Severity,
    /// Probability that it is none of the benign ones, at most 0.99.
    pub confidence: f64,
    /// First and last contact.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// Addresses; one of version 6 stands for its /64.
    pub sources: Vec<IpAddr>,
    /// Those of them that many people use: never blocked.
    pub crowded: Vec<IpAddr>,
    /// Names of the organisations that were contacted.
    pub organisations: Vec<String>,
    /// How many sites were contacted.
    pub sites: usize,
    /// Hosts that payloads would have called back.
    pub callbacks: Vec<String>,
    /// Doors of the catalogue that were tried.
    pub doors: Vec<ExportedDoor>,
    /// The fixed sentence about what this is not; empty from signs of success on.
    pub denial: String,
}

/// A door of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedDoor {
    /// Id of the entry.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Flaws that it belongs to.
    pub cves: Vec<String>,
    /// Techniques of ATT&CK.
    pub attack: Vec<String>,
    /// The vendor's advisory, or the record of the flaw.
    pub reference: String,
}

/// Who exports what, when, and how far it may travel.
#[derive(Clone, Debug)]
pub struct ExportHead<'a> {
    /// The installation: ids are of its own name space.
    pub installation: &'a str,
    /// Now.
    pub now: Timestamp,
    /// How far it may travel.
    pub tlp: Tlp,
}

/// Whether a campaign may be told as an indicator, to be looked for or blocked.
fn is_indicator(campaign: &ExportedCampaign) -> bool {
    campaign.severity >= Severity::ExploitAttempt
}

/// An address as text; one of version 6 is the network that it stands for.
fn address(source: IpAddr) -> String {
    match source {
        IpAddr::V4(source) => source.to_string(),
        IpAddr::V6(source) => format!("{source}/64"),
    }
}

/// Every technique of the doors once, in order.
fn techniques(campaign: &ExportedCampaign) -> Vec<&str> {
    let all = campaign.doors.iter().flat_map(|door| &door.attack).map(String::as_str);
    all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}
