//! A campaign as a table: one row a source.

use serde_json::json;

use super::{ExportHead, ExportedCampaign, address};
use crate::time;

/// One row a source, as CSV.
pub fn campaign_csv(campaign: &ExportedCampaign) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["campaign", "severity", "confidence", "first", "last", "source"];
    // Writing to memory cannot fail.
    let _ = writer.write_record(columns);
    let (severity, confidence) =
        (campaign.severity.as_str(), format!("{:.2}", campaign.confidence));
    let (first, last) = (time::format(campaign.first), time::format(campaign.last));
    for source in &campaign.sources {
        let source = address(*source);
        let row = [&campaign.id, severity, &confidence, &first, &last, &source];
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// The campaign in one line of JSON.
pub fn campaign_jsonl(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
    let sources: Vec<String> = campaign.sources.iter().map(|source| address(*source)).collect();
    let doors: Vec<_> = campaign
        .doors
        .iter()
        .map(|door| json!({"id": door.id, "title": door.title, "cves": door.cves}))
        .collect();
    let document = json!({
        "schema": "relight.exported-campaign/1",
        "tlp": head.tlp.as_str(),
        "id": campaign.id,
        "severity": campaign.severity.as_str(),
        "confidence": (campaign.confidence * 100.0).round() / 100.0,
        "first": time::format(campaign.first),
        "last": time::format(campaign.last),
        "sources": sources,
        "organisations": campaign.organisations,
        "sites": campaign.sites,
        "callbacks": campaign.callbacks,
        "doors": doors,
        "note": campaign.denial,
    });
    format!("{document}\n")
}
