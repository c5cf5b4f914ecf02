//! MISP: one event with its attributes, as JSON or CSV. Reconnaissance is not for detection
//! (`to_ids` is false).

use std::net::IpAddr;

use relight_model::Severity;
use serde_json::json;

use super::uuid::{OWN, v5};
use super::{ExportHead, ExportedCampaign, address, is_indicator};
use crate::time;

/// One attribute.
struct Attribute {
    kind: &'static str,
    category: &'static str,
    value: String,
    to_ids: bool,
    uuid: String,
}

fn attributes(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> Vec<Attribute> {
    let for_detection = is_indicator(campaign);
    let attribute = |kind, category, value: String, to_ids| {
        let name = format!("{}/misp/{}/{kind}/{value}", head.installation, campaign.id);
        Attribute { kind, category, value, to_ids, uuid: v5(OWN, &name) }
    };
    let network = "Network activity";
    let mut all = Vec::new();
    for source in &campaign.sources {
        all.push(attribute("ip-src", network, address(*source), for_detection));
    }
    for host in &campaign.callbacks {
        let kind = if host.parse::<IpAddr>().is_ok() { "ip-dst" } else { "hostname" };
        all.push(attribute(kind, network, host.clone(), for_detection));
    }
    let cves: std::collections::BTreeSet<&String> =
        campaign.doors.iter().flat_map(|door| &door.cves).collect();
    for cve in cves {
        all.push(attribute("vulnerability", "External analysis", cve.clone(), false));
    }
    all
}

fn info(campaign: &ExportedCampaign) -> String {
    format!("{} ({})", campaign.id, campaign.severity.as_str())
}

/// The event as JSON.
pub fn misp_json(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
    let rows = attributes(campaign, head).into_iter().map(|it| {
        json!({
            "uuid": it.uuid, "type": it.kind, "category": it.category, "value": it.value,
            "to_ids": it.to_ids, "comment": "", "timestamp": campaign.last.to_string(),
        })
    });
    let rows: Vec<_> = rows.collect();
    // 1 high, 2 medium, 3 low, 4 undefined.
    let level = match campaign.severity {
        Severity::SignsOfSuccess | Severity::AttemptOnVulnerable => "1",
        Severity::ExploitAttempt => "2",
        Severity::TargetedReconnaissance | Severity::Reconnaissance => "3",
        Severity::Noise => "4",
    };
    let tag = format!("tlp:{}", head.tlp.as_str());
    let document = json!({"Event": {
        "uuid": v5(OWN, &format!("{}/misp/{}", head.installation, campaign.id)),
        "info": info(campaign),
        "date": &time::format(campaign.first)[..10],
        "timestamp": campaign.last.to_string(),
        "threat_level_id": level,
        "analysis": "1",
        "distribution": "0",
        "published": false,
        "Tag": [{"name": tag}],
        "Attribute": rows,
    }});
    format!("{document:#}\n")
}

/// The attributes as CSV, in the columns that MISP itself exports.
pub fn misp_csv(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let event = v5(OWN, &format!("{}/misp/{}", head.installation, campaign.id));
    let day = &time::format(campaign.last)[..10];
    let columns = ["uuid", "event_id", "category", "type", "value", "comment", "to_ids", "date"];
    // Writing to memory cannot fail.
    let _ = writer.write_record(columns);
    for it in attributes(campaign, head) {
        let (to_ids, comment) = (if it.to_ids { "1" } else { "0" }, info(campaign));
        let row = [&it.uuid, &event, it.category, it.kind, &it.value, &comment, to_ids, day];
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
