//! `/metrics` and `/audit`: who may read them, the text format of Prometheus to the letter, and a
//! chain that is walked.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::DisplayState;

use crate::door_support::{World, clock, person};
use crate::web_console::{ask, get, start};

/// The families of an exposition: kind, and each sample's label with its value. Checks the format
/// 0.0.4 as a scraper reads it.
fn families(text: &str) -> BTreeMap<String, (String, BTreeMap<String, u64>)> {
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text}");
    let mut all: BTreeMap<String, (String, BTreeMap<String, u64>)> = BTreeMap::new();
    let (mut helped, mut now) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(help.ends_with('.') && !help.contains('\\'), "{line}");
            helped = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, helped, "HELP stands before TYPE");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            let fresh = all.insert(name.to_owned(), (kind.to_owned(), BTreeMap::new()));
            assert!(fresh.is_none(), "{name} twice");
            now = name.to_owned();
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let (name, label) = sample.split_once('{').unwrap_or((sample, ""));
            assert_eq!(name, now, "a sample stands under its family");
            assert!(label.is_empty() || label.ends_with("\"}"), "{line}");
            let samples = &mut all.get_mut(name).unwrap().1;
            assert!(samples.insert(label.to_owned(), value.parse().unwrap()).is_none(), "{line}");
        }
    }
    all
}

#[test]
fn names_have_units_and_labels_have_fixed_values() {
    let (board, web) = start(250);
    board.set(&[(0, DisplayState::Dark, true), (1, DisplayState::Exposed, false)]);
    get(web.console_addr(), "/nowhere");
    let (status, head, text) = get(web.console_addr(), "/metrics");
    assert!(status == 200 && head.contains("text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let families = families(&text);
    let mut labels = BTreeSet::new();
    for (name, (kind, samples)) in &families {
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(name.starts_with("relight_") && name.chars().all(plain), "{name}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
        let is_time = name.contains("_age_");
        assert_eq!(is_time, name.contains("_seconds"), "{name}: times are in seconds");
        assert!(!samples.is_empty(), "{name}");
        labels.extend(samples.keys().map(|it| it.split('=').next().unwrap().to_owned()));
    }
    assert_eq!(labels, ["", "class", "kind", "state", "version"].map(str::to_owned).into());
    let sites = &families["relight_sites"].1;
    assert_eq!((sites.len(), sites.values().sum::<u64>()), (9, 250), "the states sum to all");
    assert_eq!((sites["state=\"dark\"}"], sites["state=\"exposed\"}"]), (1, 1));
    assert_eq!(families["relight_sites_alarm"].1[""], 1);
    assert_eq!(families["relight_console_responses_total"].1["class=\"4xx\"}"], 1);
    for secret in ["site-0", "Organisme", "CVE", "health", "energy"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(get(web.public_addr(), "/metrics").0, 404, "not on the public listener");
    web.stop();
}

#[test]
fn only_who_reads_everything_reads_the_metrics() {
    clock!(now, _set);
    let mut who = [String::new(), String::new()];
    let world = World::start(now, |store| {
        who = [
            person(store, "viewer", 1, &[("viewer", "/")]),
            person(store, "owner", 2, &[("site-owner", "health/Hospital")]),
        ];
    });
    for (headers, status) in [
        (String::new(), 401),
        ("Accept: text/html\r\n".to_owned(), 401),
        ("Authorization: Bearer rlt_wrong\r\n".to_owned(), 401),
        (format!("Cookie: {}\r\n", who[1]), 403),
        (format!("Cookie: {}\r\n", who[0]), 200),
    ] {
        let request = format!("GET /metrics HTTP/1.1\r\n{headers}");
        let (seen, _, body) = ask(world.address(), &request);
        assert_eq!(seen, status, "{headers}");
        assert_eq!(body.contains("relight_sites"), status == 200, "{headers}");
    }
    let families = families(&world.get("/metrics", &who[0]).2);
    assert_eq!(families["relight_sites_without_inventory"].1[""], 3);
    assert_eq!(families["relight_plans_waiting"].1[""], 0);
    assert!(families["relight_advisories"].1[""] > 0);
    for lang in ["en", "fr"] {
        let page = format!("{}/../../docs/{lang}/console.md", env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(page).unwrap();
        for (name, (_, samples)) in &families {
            let label = samples.keys().next().unwrap().split('=').next().unwrap();
            let label = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
            assert!(page.contains(&format!("`{name}{label}`")), "{lang}: {name}{label}");
        }
    }
}

#[test]
fn the_journal_is_shown_to_those_who_audit_and_its_chain_is_walked() {
    clock!(now, _set);
    let mut who = [String::new(), String::new(), String::new()];
    let world = World::start(now, |store| {
        who = [
            person(store, "audit", 1, &[("auditor", "/")]),
            person(store, "viewer", 2, &[("viewer", "/")]),
            person(store, "admin", 3, &[("admin", "/")]),
        ];
    });
    for at in 0..120 {
        world.act(&who[2], ("/accounts", "/accounts/add"), &[("name", &format!("p{at}"))]);
    }
    let entries = world.store.journal_head().unwrap().0;
    assert!(entries >= 120);
    assert_eq!(world.get("/audit?lang=en", &who[1]).0, 404);
    assert_eq!(world.get("/audit?lang=en", "").0, 303);
    let rows = |page: &str| page.matches("<tr><th scope=\"row\"").count() as u64;
    let (_, _, page) = world.get("/audit?lang=en", &who[0]);
    assert!(page.contains(&format!("{entries} entries")) && rows(&page) == 100, "{page}");
    assert!(page.contains("p119") && !page.contains("p0&"), "the newest first");
    let older = page.split("rel=\"next\"").next().unwrap().rsplit("href=\"").next().unwrap();
    let older = older.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
    let (_, _, page) = world.get(&older, &who[0]);
    assert_eq!(rows(&page), entries - 100);
    for odd in ["0", "99999999999", "-1", "x"] {
        assert_eq!(world.get(&format!("/audit?page={odd}"), &who[0]).0, 200, "{odd}");
    }
    let (status, _, page) = world.get("/audit?lang=en&state=verify", &who[0]);
    assert!(status == 200 && page.contains("The chain is intact"), "{page}");
}
