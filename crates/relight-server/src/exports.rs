//! A campaign as other programs get it: with names, and only what the receiver needs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use relight_engine::watch::catalogue;
use relight_formats::export::{ExportedCampaign, ExportedDoor};
use relight_model::{Campaign, Severity};
use relight_web::{Lang, texts};

/// The campaign, with the names of the organisations that were contacted.
pub fn exported(campaign: &Campaign, organisations: Vec<String>, lang: Lang) -> ExportedCampaign {
    let detections = &campaign.detections;
    let callbacks: BTreeSet<&String> = detections.iter().flat_map(|it| &it.callbacks).collect();
    let lines = detections.iter().flat_map(|detection| &detection.evidence);
    let doors: BTreeSet<&str> = lines.filter_map(|line| door_of(line)).collect();
    let doors = doors.into_iter().filter_map(catalogue::entry).map(|entry| ExportedDoor {
        id: entry.id.clone(),
        title: if lang == Lang::Fr { entry.title_fr.clone() } else { entry.title_en.clone() },
        cves: entry.cves.clone(),
        attack: entry.attack.clone(),
        reference: entry.reference.clone(),
    });
    let is_denied = campaign.severity < Severity::SignsOfSuccess;
    let denial = if is_denied { texts::reconnaissance_note(lang) } else { "" };
    ExportedCampaign {
        id: campaign.id.clone(),
        severity: campaign.severity,
        confidence: campaign.confidence,
        first: campaign.first,
        last: campaign.last,
        sources: campaign.sources.iter().map(IpAddr::to_canonical).collect(),
        crowded: campaign.crowded.iter().map(IpAddr::to_canonical).collect(),
        organisations,
        sites: campaign.sites.len(),
        callbacks: callbacks.into_iter().cloned().collect(),
        doors: doors.collect(),
        denial: denial.to_owned(),
    }
}

/// The catalogue entry of a line of evidence: `organisation, site, day, status, probe:ENTRY, path`.
fn door_of(line: &str) -> Option<&str> {
    line.split(", ").nth(4)?.strip_prefix("probe:")
}
