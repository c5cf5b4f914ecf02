//! For how long each site was dark, from the journal alone.

use relight_engine::exposure::exposures;
use relight_engine::incident::{EvidenceKind, Phase};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, pass};
use crate::takeover::Driven;

/// Goal: a site that is being opened counts as dark no more. Method: it takes 30 s to come back.
#[test]
fn an_opening_is_no_time_in_the_dark() {
    let town = Town::new(1);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    Driven::holding(&[]).round(&town.engine);
    pass(100);
    let site = [key(&name(0))];
    town.engine.attach_evidence("scanner", LOG4SHELL, &site, EvidenceKind::Scan).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Relighting));
    pass(30);
    let rows = exposures(town.engine.store(), LOG4SHELL, town.engine.now()).unwrap();
    assert_eq!(rows[0].dark_s, 100);
}
