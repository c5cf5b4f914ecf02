//! A control in front of an affected site: it has to stop every payload of a replay behind the
//! gate.

use relight_engine::grants::{Payloads, Replay};
use relight_engine::incident::{Entry, Mitigation, Phase};
use relight_engine::{EngineError, EngineErrorKind};
use relight_model::{Flaw, FlawCode, Sbom};
use testkit::behind_the_gate;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name};

/// An application behind the gate that answers 403 to what holds one of these words.
fn behind(town: &Town, stopped: &'static [&'static str]) {
    let address = behind_the_gate(move |head| {
        let is_stopped = stopped.iter().any(|word| head.contains(word));
        if is_stopped { 403 } else { 200 }
    });
    town.verify_at(address);
}

fn affected() -> Town {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    town.ingest(0, log4j("2.14.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    town
}

fn mitigate(town: &Town, control: &str) -> Result<Replay, EngineError> {
    replay_with(town, control, &Payloads::of_lines(b"${jndi:x}").unwrap())
}

fn replay_with(town: &Town, control: &str, payloads: &Payloads) -> Result<Replay, EngineError> {
    let control = Mitigation {
        control: control.into(),
        place: "edge".into(),
        owner: "anna".into(),
        replayed: 0,
        blocked: 0,
        expires: town.engine.now() + 86_400,
    };
    town.engine.mitigate("anna", LOG4SHELL, &key(&name(0)), control, payloads)
}

/// The payload as it comes in the query, as it is, and as the user name of Basic authentication.
const EVERYWHERE: [&str; 3] = ["%7Bjndi", "${jndi", "JHtqbmRp"];

#[test]
fn a_control_that_stops_everything_is_one_and_one_that_misses_a_place_is_none() {
    for (stopped, blocked) in [(&EVERYWHERE[..], 3), (&EVERYWHERE[..2], 2), (&[], 0)] {
        let town = affected();
        behind(&town, stopped);
        assert_eq!(mitigate(&town, "rule 1").unwrap(), Replay { sent: 3, blocked });
        let phase = if blocked == 3 { Phase::Mitigated } else { Phase::Affected };
        assert_eq!(town.phase(LOG4SHELL, 0), Some(phase), "{stopped:?}");
        if blocked == 3 {
            let again = mitigate(&town, "rule 2").unwrap_err();
            assert!(matches!(again.kind, EngineErrorKind::Rejected(_)), "it is behind one");
        }
    }
}

/// Trap: an edge that refuses whatever is long passed as a control. Method: edges that say so in
/// each way that edges do, nginx by a plain 400, with a payload that is longer than they take.
#[test]
fn an_edge_that_refuses_what_is_long_is_no_control() {
    let long = format!("${{jndi:{}}}", "y".repeat(200));
    for status in [400, 413, 414, 431] {
        let town = affected();
        let address = behind_the_gate(move |head| if head.len() > 200 { status } else { 200 });
        town.verify_at(address);
        let payloads = Payloads::of_lines(long.as_bytes()).unwrap();
        let replay = replay_with(&town, "a limit", &payloads).unwrap();
        assert_eq!(replay, Replay { sent: 3, blocked: 0 }, "{status}");
        assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    }
    let town = affected();
    behind(&town, &EVERYWHERE);
    let payloads = Payloads::of_lines(long.as_bytes()).unwrap();
    let replay = replay_with(&town, "rule 1", &payloads).unwrap();
    assert_eq!(replay, Replay { sent: 3, blocked: 3 }, "a rule stops it for what it holds");
}

/// Bad input: no way behind the gate, a control that stops harmless words, one without a name, and
/// a site that is not affected. None is journalled.
#[test]
fn what_shows_nothing_is_no_control() {
    let town = affected();
    let before = town.journal();
    assert_eq!(mitigate(&town, "rule 1").unwrap_err().kind, EngineErrorKind::NoPath);
    behind(&town, &["GET"]);
    assert_eq!(mitigate(&town, "rule 1").unwrap_err().kind, EngineErrorKind::Untried);
    assert_eq!(town.journal(), before);
    behind(&town, &EVERYWHERE);
    assert!(matches!(mitigate(&town, " ").unwrap_err().kind, EngineErrorKind::Rejected(_)));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    let lit = Town::new(1);
    lit.incident(LOG4SHELL);
    assert!(matches!(mitigate(&lit, "rule 1").unwrap_err().kind, EngineErrorKind::Rejected(_)));
}

/// Goal: that a site was affected is not forgotten because nothing was known of it for a while.
/// Method: one behind a control is scanned badly, and then its fixed files are scanned.
#[test]
fn a_site_behind_a_control_is_verified_also_after_a_scan_that_says_nothing() {
    let town = affected();
    let mitigation = Mitigation {
        control: "rule 1".into(),
        place: "edge".into(),
        owner: "anna".into(),
        replayed: 3,
        blocked: 3,
        expires: town.engine.now() + 86_400,
    };
    let entry = Entry::Mitigated { site: key(&name(0)), mitigation };
    town.engine.record("anna", LOG4SHELL, entry).unwrap();
    let flaw = Flaw { code: FlawCode::Encrypted, evidence: "secret.zip".into(), bytes: 9 };
    town.ingest(0, Sbom { components: Vec::new(), flaws: vec![flaw], ..log4j("0") });
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Unknown));
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.journal().last().unwrap(), "verification-started");
}
