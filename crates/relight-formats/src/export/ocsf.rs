//! OCSF: one Detection Finding (class 2004), on one line.

use relight_model::Severity;
use serde_json::json;

use super::stix::percent;
use super::uuid::{OWN, v5};
use super::{ExportHead, ExportedCampaign, address, is_indicator, techniques};

/// The version of the schema that the line is written for.
const OCSF_VERSION: &str = "1.3.0";

/// The finding of a campaign, with the line feed.
pub fn ocsf_jsonl(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
    // 1 informational, 2 low, 3 medium, 4 high, 5 critical.
    let (number, name) = match campaign.severity {
        Severity::Noise | Severity::Reconnaissance => (1, "Informational"),
        Severity::TargetedReconnaissance => (2, "Low"),
        Severity::ExploitAttempt => (3, "Medium"),
        Severity::AttemptOnVulnerable => (4, "High"),
        Severity::SignsOfSuccess => (5, "Critical"),
    };
    let attacks: Vec<_> = techniques(campaign)
        .into_iter()
        .map(|id| json!({"technique": {"uid": id}, "version": "16.1"}))
        .collect();
    let evidences: Vec<_> = campaign
        .sources
        .iter()
        .map(|source| json!({"src_endpoint": {"ip": address(*source)}}))
        .collect();
    let vulnerabilities: Vec<_> = campaign
        .doors
        .iter()
        .flat_map(|door| &door.cves)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|cve| json!({"cve": {"uid": cve}}))
        .collect();
    let uid = v5(OWN, &format!("{}/ocsf/{}", head.installation, campaign.id));
    let document = json!({
        "class_uid": 2004, "class_name": "Detection Finding",
        "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "type_uid": 200_401,
        "time": campaign.last * 1_000,
        "severity_id": number, "severity": name,
        "status_id": 1,
        "confidence_score": percent(campaign.confidence),
        "is_alert": is_indicator(campaign),
        "metadata": {
            "version": OCSF_VERSION,
            "product": {"name": "relight", "vendor_name": head.installation},
            "labels": [format!("tlp:{}", head.tlp.as_str())],
        },
        "finding_info": {
            "uid": uid, "title": campaign.id, "desc": campaign.denial,
            "first_seen_time": campaign.first * 1_000, "last_seen_time": campaign.last * 1_000,
            "attacks": attacks,
        },
        "vulnerabilities": vulnerabilities,
        "evidences": evidences,
    });
    format!("{document}\n")
}
