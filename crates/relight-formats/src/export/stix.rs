//! STIX 2.1: one bundle with the campaign, who was contacted, the addresses, and, from an exploit
//! attempt on, indicators that end.

use std::net::IpAddr;

use relight_model::{Severity, Timestamp};
use serde_json::{Map, Value, json};

use super::uuid::{OBSERVABLES, OWN, v5};
use super::{ExportHead, ExportedCampaign, Tlp, address, is_indicator, techniques};
use crate::time;

/// How long an indicator holds, in seconds: addresses change hands.
const INDICATOR_S: Timestamp = 30 * 86_400;

/// Objects of one bundle, all with the same marking and author.
struct Bundle<'a> {
    head: &'a ExportHead<'a>,
    campaign: &'a ExportedCampaign,
    objects: Vec<Value>,
}

/// The bundle of a campaign.
pub fn stix_bundle(campaign: &ExportedCampaign, head: &ExportHead<'_>) -> String {
    let mut bundle = Bundle { head, campaign, objects: Vec::new() };
    bundle.objects.push(marking(head.tlp));
    let author = bundle.author();
    bundle.identity(&author, head.installation);
    let id = bundle.campaign_object();
    bundle.patterns(&id);
    let seen = bundle.observables();
    bundle.infrastructure(&id, &seen);
    bundle.sightings(&id, &seen);
    if is_indicator(campaign) {
        bundle.indicators(&id);
    }
    let id = v5(OWN, &format!("{}/bundle/{}/{}", head.installation, campaign.id, head.now));
    let document =
        json!({"type": "bundle", "id": format!("bundle--{id}"), "objects": bundle.objects});
    format!("{document:#}\n")
}

impl Bundle<'_> {
    /// The id of an object of ours, by what it is about.
    fn id(&self, kind: &str, about: &str) -> String {
        format!("{kind}--{}", v5(OWN, &format!("{}/{kind}/{about}", self.head.installation)))
    }

    fn author(&self) -> String {
        self.id("identity", self.head.installation)
    }

    /// Adds an object of ours with what all of them carry.
    fn add(&mut self, kind: &str, id: &str, body: Value) {
        let mut object = Map::new();
        object.insert("type".to_owned(), kind.into());
        object.insert("spec_version".to_owned(), "2.1".into());
        object.insert("id".to_owned(), id.into());
        object.insert("created_by_ref".to_owned(), self.author().into());
        object.insert("created".to_owned(), moment(self.campaign.first).into());
        object.insert("modified".to_owned(), moment(self.campaign.last).into());
        if let Value::Object(body) = body {
            object.extend(body);
        }
        object.insert("object_marking_refs".to_owned(), json!([marking_id(self.head.tlp)]));
        self.objects.push(Value::Object(object));
    }

    fn identity(&mut self, id: &str, name: &str) {
        self.add("identity", id, json!({"name": name, "identity_class": "organization"}));
    }

    fn campaign_object(&mut self) -> String {
        let campaign = self.campaign;
        let id = self.id("campaign", &campaign.id);
        let mut body = json!({
            "name": campaign.id,
            "description": campaign.denial,
            "first_seen": moment(campaign.first),
            "last_seen": moment(campaign.last),
            "confidence": percent(campaign.confidence),
            "labels": [campaign.severity.as_str().to_lowercase()],
        });
        // What is published about the doors that were tried; an empty list is against the standard.
        let doors = campaign.doors.iter();
        let references: Vec<Value> =
            doors.map(|door| json!({"source_name": door.id, "url": door.reference})).collect();
        if !references.is_empty() {
            body["external_references"] = references.into();
        }
        self.add("campaign", &id, body);
        id
    }

    /// What was tried: techniques of ATT&CK, and the flaws that the doors belong to.
    fn patterns(&mut self, campaign: &str) {
        for technique in techniques(self.campaign) {
            let id = self.id("attack-pattern", technique);
            let url =
                format!("https://attack.mitre.org/techniques/{}", technique.replace('.', "/"));
            let reference =
                json!({"source_name": "mitre-attack", "external_id": technique, "url": url});
            let body = json!({"name": technique, "external_references": [reference]});
            self.add("attack-pattern", &id, body);
            self.relate(campaign, "uses", &id);
        }
        let flaws: std::collections::BTreeSet<&String> =
            self.campaign.doors.iter().flat_map(|door| &door.cves).collect();
        for flaw in flaws {
            let id = self.id("vulnerability", flaw);
            let reference = json!({"source_name": "cve", "external_id": flaw});
            let body = json!({"name": flaw, "external_references": [reference]});
            self.add("vulnerability", &id, body);
            self.relate(campaign, "targets", &id);
        }
    }

    fn relate(&mut self, from: &str, how: &str, to: &str) {
        let id = self.id("relationship", &format!("{from}/{how}/{to}"));
        let body = json!({"relationship_type": how, "source_ref": from, "target_ref": to});
        self.add("relationship", &id, body);
    }

    /// Addresses and callback hosts, with the ids of the standard.
    fn observables(&mut self) -> Vec<String> {
        let sources = self.campaign.sources.iter().map(|source| {
            let kind = if source.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
            (kind, address(*source))
        });
        let callbacks = self.campaign.callbacks.iter();
        let callbacks = callbacks.map(|host| match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => ("ipv4-addr", host.clone()),
            Ok(IpAddr::V6(_)) => ("ipv6-addr", host.clone()),
            Err(_) => ("domain-name", host.clone()),
        });
        let values: std::collections::BTreeSet<_> = sources.chain(callbacks).collect();
        let mut ids = Vec::new();
        for (kind, value) in values {
            // The canonical form of the one property that makes the id.
            let name = json!({ "value": value }).to_string();
            let id = format!("{kind}--{}", v5(OBSERVABLES, &name));
            self.objects.push(json!({
                "type": kind, "spec_version": "2.1", "id": id, "value": value,
                "object_marking_refs": [marking_id(self.head.tlp)],
            }));
            ids.push(id);
        }
        ids
    }

    fn infrastructure(&mut self, campaign: &str, seen: &[String]) {
        let id = self.id("infrastructure", &self.campaign.id);
        let kind = if is_indicator(self.campaign) { "undefined" } else { "reconnaissance" };
        let body = json!({"name": self.campaign.id, "infrastructure_types": [kind]});
        self.add("infrastructure", &id, body);
        self.relate(campaign, "uses", &id);
        for seen in seen {
            self.relate(&id, "consists-of", seen);
        }
    }

    /// Who saw it: a sighting of the campaign for each organisation, over the same observed data.
    fn sightings(&mut self, campaign: &str, seen: &[String]) {
        if seen.is_empty() {
            return;
        }
        let (first, last) = (moment(self.campaign.first), moment(self.campaign.last));
        let data = self.id("observed-data", &self.campaign.id);
        let body = json!({
            "first_observed": first, "last_observed": last,
            "number_observed": self.campaign.sites.max(1), "object_refs": seen,
        });
        self.add("observed-data", &data, body);
        for organisation in &self.campaign.organisations {
            let place = self.id("identity", organisation);
            self.identity(&place, organisation);
            let id = self.id("sighting", &format!("{}/{organisation}", self.campaign.id));
            let body = json!({
                "first_seen": first, "last_seen": last, "sighting_of_ref": campaign,
                "observed_data_refs": [data], "where_sighted_refs": [place],
            });
            self.add("sighting", &id, body);
        }
    }

    fn indicators(&mut self, campaign: &str) {
        let kind = if self.campaign.severity >= Severity::AttemptOnVulnerable {
            "malicious-activity"
        } else {
            "anomalous-activity"
        };
        for source in &self.campaign.sources {
            let value = address(*source);
            let object = if source.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
            let id = self.id("indicator", &format!("{}/{value}", self.campaign.id));
            let body = json!({
                "name": value,
                "indicator_types": [kind],
                "pattern": format!("[{object}:value = '{value}']"),
                "pattern_type": "stix",
                "valid_from": moment(self.campaign.first),
                "valid_until": moment(self.campaign.last + INDICATOR_S),
                "confidence": percent(self.campaign.confidence),
            });
            self.add("indicator", &id, body);
            self.relate(&id, "indicates", campaign);
        }
    }
}

/// A probability as the whole number that STIX and OCSF use.
pub(super) fn percent(confidence: f64) -> u8 {
    // At most 99, and a number: the cast cannot lose anything.
    (confidence.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// With milliseconds, as the standard recommends.
fn moment(at: Timestamp) -> String {
    time::format(at).replace('Z', ".000Z")
}

const fn marking_id(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
        Tlp::Green => "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
        Tlp::Amber => "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
        Tlp::Red => "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    }
}

/// The marking as the standard prints it; it calls "clear" by its old name.
fn marking(tlp: Tlp) -> Value {
    let name = if tlp == Tlp::Clear { "white" } else { tlp.as_str() };
    json!({
        "type": "marking-definition", "spec_version": "2.1", "id": marking_id(tlp),
        "created": "2017-01-20T00:00:00.000Z", "definition_type": "tlp",
        "name": format!("TLP:{}", name.to_uppercase()), "definition": {"tlp": name},
    })
}
