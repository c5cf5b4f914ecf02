//! Block lists: a file, and nothing more. Whoever loads it decides.
//!
//! Never in one: what did no more than look (below an exploit attempt), reserved ranges, addresses
//! that many people use, and the ranges that the operator names: partners, own scanners, verified
//! crawlers, own proxies.

use std::fmt::Write as _;
use std::net::IpAddr;

use relight_model::Timestamp;

use super::{ExportedCampaign, address, is_indicator};
use crate::time;

/// Days after the last contact that a line holds.
pub const BLOCK_DAYS_MAX: u32 = 30;

/// An address range: its first address and its length in bits.
pub type Network = (IpAddr, u8);

/// For which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockForm {
    /// One address a line.
    Plain,
    /// A table of nftables with sets whose elements expire.
    Nftables,
    /// `deny` directives of nginx.
    Nginx,
    /// A file for `acl … src -f` of HAProxy.
    Haproxy,
    /// CSV.
    Csv,
}

/// What was written and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockReport {
    /// The file.
    pub text: String,
    /// Lines in it.
    pub blocked: usize,
    /// Sources of campaigns that did no more than look.
    pub reconnaissance: usize,
    /// Sources in ranges that are never blocked.
    pub never: usize,
    /// Sources that many people use.
    pub crowded: usize,
    /// Sources whose time is over.
    pub expired: usize,
}

/// Ranges that are nobody's on the internet (RFC 6890 and its registry).
const RESERVED: [(&str, u8); 22] = [
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 4),
    ("240.0.0.0", 4),
    ("::", 8),
    ("64:ff9b::", 96),
    ("100::", 64),
    ("2001:db8::", 32),
    ("fc00::", 7),
    ("fe80::", 10),
    ("ff00::", 8),
];

/// Nobody's address on the internet: blocking it would block the operator's own machines.
pub fn is_reserved(source: IpAddr) -> bool {
    let ranges = RESERVED.iter().filter_map(|(first, bits)| Some((first.parse().ok()?, *bits)));
    ranges.into_iter().any(|range| meets(range, source))
}

/// The range and what the source stands for (an address, or a /64) have an address in common.
fn meets((first, bits): Network, source: IpAddr) -> bool {
    let within = |differ: u128, size: u8, bits: u8| {
        differ.checked_shr(u32::from(size - bits.min(size))).unwrap_or(0) == 0
    };
    match (first, source) {
        (IpAddr::V4(first), IpAddr::V4(source)) => {
            within(u128::from(u32::from(first) ^ u32::from(source)), 32, bits)
        }
        (IpAddr::V6(first), IpAddr::V6(source)) => {
            within(u128::from(first) ^ u128::from(source), 128, bits.min(64))
        }
        _ => false,
    }
}

/// The list of the sources of these campaigns; each line ends `days` after the last contact, at
/// most [`BLOCK_DAYS_MAX`].
pub fn block_list(
    campaigns: &[ExportedCampaign],
    form: BlockForm,
    days: u32,
    never: &[Network],
    now: Timestamp,
) -> BlockReport {
    let mut report = BlockReport::default();
    let mut lines = std::collections::BTreeMap::new();
    for campaign in campaigns {
        let until = campaign.last + i64::from(days.min(BLOCK_DAYS_MAX)) * 86_400;
        for source in &campaign.sources {
            if !is_indicator(campaign) {
                report.reconnaissance += 1;
            } else if is_reserved(*source) || never.iter().any(|range| meets(*range, *source)) {
                report.never += 1;
            } else if campaign.crowded.contains(source) {
                report.crowded += 1;
            } else if until <= now {
                report.expired += 1;
            } else {
                let line = Line { campaign, source: *source, until };
                // Of several campaigns the one that holds longest.
                let held = lines.entry(*source).or_insert(line);
                if held.until < until {
                    *held = line;
                }
            }
        }
    }
    report.blocked = lines.len();
    report.text = write(form, &lines.into_values().collect::<Vec<_>>(), now);
    report
}

#[derive(Clone, Copy)]
struct Line<'a> {
    campaign: &'a ExportedCampaign,
    source: IpAddr,
    until: Timestamp,
}

impl Line<'_> {
    /// Why, and until when: for people who look at the file.
    fn why(&self) -> String {
        let campaign = self.campaign;
        let until = time::format(self.until);
        format!("{} {} until {until}", campaign.id, campaign.severity.as_str())
    }
}

fn write(form: BlockForm, lines: &[Line<'_>], now: Timestamp) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    match form {
        BlockForm::Plain => {
            for line in lines {
                let _ = writeln!(out, "{}", address(line.source));
            }
        }
        BlockForm::Nginx => {
            for line in lines {
                let _ = writeln!(out, "deny {}; # {}", address(line.source), line.why());
            }
        }
        BlockForm::Haproxy => {
            for line in lines {
                let _ = writeln!(out, "# {}\n{}", line.why(), address(line.source));
            }
        }
        BlockForm::Csv => {
            out.push_str("address,severity,campaign,until\n");
            for line in lines {
                let Line { campaign, source, until } = line;
                let (severity, until) = (campaign.severity.as_str(), time::format(*until));
                let _ = writeln!(out, "{},{severity},{},{until}", address(*source), campaign.id);
            }
        }
        BlockForm::Nftables => nftables(&mut out, lines, now),
    }
    out
}

fn nftables(out: &mut String, lines: &[Line<'_>], now: Timestamp) {
    out.push_str("table inet relight {\n");
    for (set, kind, four) in [("blocked4", "ipv4_addr", true), ("blocked6", "ipv6_addr", false)] {
        let _ = writeln!(out, "\tset {set} {{\n\t\ttype {kind}\n\t\tflags interval, timeout");
        let ours: Vec<&Line<'_>> =
            lines.iter().filter(|line| line.source.is_ipv4() == four).collect();
        for (at, line) in ours.iter().enumerate() {
            let start = if at == 0 { "\t\telements = { " } else { "\t\t\t" };
            let end = if at + 1 == ours.len() { " }" } else { "," };
            let (address, left) = (address(line.source), line.until - now);
            let _ =
                writeln!(out, "{start}{address} timeout {left}s comment \"{}\"{end}", line.why());
        }
        out.push_str("\t}\n");
    }
    out.push_str("}\n");
}
