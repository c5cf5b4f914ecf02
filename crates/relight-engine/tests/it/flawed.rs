//! Inventories of which something was not read: no answer is clear.

use std::collections::BTreeMap;

use relight_engine::matching::Question;
use relight_model::{Flaw, FlawCode, Sbom, Verdict};

use crate::engine::{Town, log4j};

/// Goal (SCAN 15, S14): whatever the reason for which bytes stayed unread, the site is unknown for
/// that reason, and none is clear. Method: one site for each code, asked about a name that could
/// stand in any bytes; and once more without its flaw.
#[test]
fn each_flaw_leaves_its_site_unknown_for_its_reason() {
    let town = Town::new(FlawCode::ALL.len());
    let ask = || town.engine.ask(&Question::parse("x").unwrap());
    let mut reasons = BTreeMap::new();
    for (site, code) in FlawCode::ALL.into_iter().enumerate() {
        let flaw = Flaw { code, evidence: "a".into(), bytes: 1 };
        town.ingest(site, Sbom { flaws: vec![flaw], ..log4j("2.17.1") });
        *reasons.entry(code.reason()).or_default() += 1;
    }
    let answers = ask();
    assert_eq!(answers.count(Verdict::Unknown), FlawCode::ALL.len());
    assert_eq!(answers.count(Verdict::Clear), 0);
    assert_eq!(answers.first_reasons(), reasons);
    for site in 0..FlawCode::ALL.len() {
        town.ingest(site, log4j("2.17.1"));
    }
    assert_eq!(ask().count(Verdict::Clear), FlawCode::ALL.len());
}
