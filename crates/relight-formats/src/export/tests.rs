//! Exports: golden files, whole bundles, what is no indicator and what is never blocked.

use std::path::Path;
use std::{env, fs};

use serde_json::Value;

use super::*;

/// 2021-12-10T02:05:58Z.
const FIRST: Timestamp = 1_639_101_958;
const LAST: Timestamp = FIRST + 86_400;
const NOW: Timestamp = LAST + 3_600;

const HEAD: ExportHead<'_> =
    ExportHead { installation: "relight.example", now: NOW, tlp: Tlp::Amber };

fn campaign(severity: Severity) -> ExportedCampaign {
    ExportedCampaign {
        id: "C-0007".to_owned(),
        severity,
        confidence: 0.914,
        first: FIRST,
        last: LAST,
        sources: ["198.51.100.7", "45.33.32.156", "2600:3c01:0:1::"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        crowded: Vec::new(),
        organisations: vec!["Santé Nord".to_owned(), "Ville de \"X\", Québec".to_owned()],
        sites: 3,
        callbacks: vec!["evil.test".to_owned(), "203.0.113.9".to_owned()],
        doors: vec![ExportedDoor {
            id: "exchange-proxyshell".to_owned(),
            title: "ProxyShell".to_owned(),
            cves: vec!["CVE-2021-34473".to_owned()],
            attack: vec!["T1190".to_owned()],
            reference: "https://www.cve.org/CVERecord?id=CVE-2021-34473".to_owned(),
        }],
        denial: "This is not an indication of anything worse.".to_owned(),
    }
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/export").join(name);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{name}: UPDATE_EXPECT=1 rewrites it");
}

#[test]
fn golden_files() {
    let attempt = campaign(Severity::ExploitAttempt);
    golden("campaign.stix.json", &stix_bundle(&attempt, &HEAD));
    golden("reconnaissance.stix.json", &stix_bundle(&campaign(Severity::Reconnaissance), &HEAD));
    golden("campaign.misp.json", &misp_json(&attempt, &HEAD));
    golden("campaign.misp.csv", &misp_csv(&attempt, &HEAD));
    golden("campaign.ocsf.jsonl", &ocsf_jsonl(&attempt, &HEAD));
    golden("campaign.csv", &campaign_csv(&attempt));
    golden("campaign.jsonl", &campaign_jsonl(&attempt, &HEAD));
    for (form, name) in [
        (BlockForm::Plain, "block.txt"),
        (BlockForm::Nftables, "block.nft"),
        (BlockForm::Nginx, "block.nginx.conf"),
        (BlockForm::Haproxy, "block.haproxy.lst"),
        (BlockForm::Csv, "block.csv"),
    ] {
        let report = block_list(std::slice::from_ref(&attempt), form, 30, &[], NOW);
        assert_eq!((report.blocked, report.never), (2, 1), "{name}");
        golden(name, &report.text);
    }
}

fn objects(severity: Severity) -> Vec<Value> {
    let bundle: Value = serde_json::from_str(&stix_bundle(&campaign(severity), &HEAD)).unwrap();
    bundle["objects"].as_array().unwrap().clone()
}

/// Every reference leads to an object of the bundle, no id is there twice, everything is marked.
#[test]
fn a_bundle_is_whole() {
    for severity in Severity::ALL {
        let objects = objects(severity);
        let ids: Vec<&str> = objects.iter().map(|it| it["id"].as_str().unwrap()).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), ids.len(), "{severity:?}");
        for object in &objects {
            let kind = object["type"].as_str().unwrap();
            assert!(object["id"].as_str().unwrap().starts_with(&format!("{kind}--")));
            assert_eq!(object["spec_version"], "2.1");
            assert!(kind == "marking-definition" || object["object_marking_refs"].is_array());
            for (key, value) in object.as_object().unwrap() {
                let all: Vec<&Value> = match value {
                    Value::Array(values) if key.ends_with("_refs") => values.iter().collect(),
                    value if key.ends_with("_ref") => vec![value],
                    _ => Vec::new(),
                };
                for reference in all {
                    assert!(ids.contains(&reference.as_str().unwrap()), "{kind} {key} {reference}");
                }
            }
        }
    }
}

#[test]
fn reconnaissance_is_no_indicator() {
    for severity in Severity::ALL {
        let is_indicator = severity >= Severity::ExploitAttempt;
        let found = objects(severity).iter().any(|object| object["type"] == "indicator");
        assert_eq!(found, is_indicator, "{severity:?}");
        let ocsf: Value = serde_json::from_str(&ocsf_jsonl(&campaign(severity), &HEAD)).unwrap();
        assert_eq!(ocsf["is_alert"], is_indicator);
        let misp: Value = serde_json::from_str(&misp_json(&campaign(severity), &HEAD)).unwrap();
        let rows = misp["Event"]["Attribute"].as_array().unwrap();
        assert_eq!(rows.iter().any(|row| row["to_ids"] == true), is_indicator);
        let list = block_list(&[campaign(severity)], BlockForm::Plain, 30, &[], NOW);
        assert_eq!(list.blocked > 0, is_indicator);
    }
}

/// What is exported again, later, has the same ids.
#[test]
fn a_second_export_updates() {
    let ids = |last, now| {
        let campaign = ExportedCampaign { last, ..campaign(Severity::ExploitAttempt) };
        let head = ExportHead { now, ..HEAD };
        let bundle: Value = serde_json::from_str(&stix_bundle(&campaign, &head)).unwrap();
        let objects = bundle["objects"].as_array().unwrap();
        objects.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(LAST, NOW), ids(LAST + 99, NOW + 5));
    let elsewhere = ExportHead { installation: "other.example", ..HEAD };
    let one = stix_bundle(&campaign(Severity::Reconnaissance), &HEAD);
    let other = stix_bundle(&campaign(Severity::Reconnaissance), &elsewhere);
    let id = |text: &str| {
        let bundle: Value = serde_json::from_str(text).unwrap();
        let objects = bundle["objects"].as_array().unwrap().clone();
        let campaign = objects.into_iter().find(|it| it["type"] == "campaign").unwrap();
        campaign["id"].as_str().unwrap().to_owned()
    };
    assert_ne!(id(&one), id(&other));
}

#[test]
fn what_is_never_blocked() {
    for text in [
        "10.1.2.3",
        "127.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.1.1",
        "224.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fd00::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "ff02::1",
        "172.31.0.1",
        "198.19.0.1",
    ] {
        assert!(is_reserved(text.parse().unwrap()), "{text}");
    }
    for text in ["8.8.8.8", "172.32.0.1", "192.0.3.1", "2600:3c01::", "2a00::1", "100.128.0.1"] {
        assert!(!is_reserved(text.parse().unwrap()), "{text}");
    }
    let attempt = [campaign(Severity::ExploitAttempt)];
    let never: Vec<Network> =
        vec![("45.33.0.0".parse().unwrap(), 16), ("2600:3c01:0:1:ffff::".parse().unwrap(), 80)];
    let list = block_list(&attempt, BlockForm::Plain, 30, &never, NOW);
    assert_eq!((list.blocked, list.never, list.text.as_str()), (0, 3, ""));
    // Trap: one payload from behind a carrier's address must not block everybody behind it.
    let mut crowded = attempt.clone();
    crowded[0].crowded = vec!["45.33.32.156".parse().unwrap()];
    let list = block_list(&crowded, BlockForm::Plain, 30, &[], NOW);
    assert_eq!((list.blocked, list.crowded), (1, 1));
    assert!(!list.text.contains("45.33.32.156") && list.text.contains("2600:3c01:0:1::"));
    let late = block_list(&attempt, BlockForm::Plain, 999, &[], LAST + 30 * 86_400);
    assert_eq!((late.blocked, late.expired), (0, 2), "no line holds longer than thirty days");
    let short = block_list(&attempt, BlockForm::Csv, 1, &[], NOW);
    assert!(short.text.contains("2021-12-12T02:05:58Z"), "{}", short.text);
}
