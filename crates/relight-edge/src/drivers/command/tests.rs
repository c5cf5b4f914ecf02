//! The example that we hand out, as an edge: what it does, and what it must not do.

use std::fs;
use std::path::Path;

use relight_model::{Epoch, GateKey, Seen};
use serde_json::{Value, json};

use crate::config::COMMAND_EXAMPLE;
use crate::driver::{EdgeDriver, Stage, Target, open};

/// An edge whose program is this text, and whose gate is `state.json` in the folder.
fn target(folder: &Path, program: &str) -> Target {
    let [script, state] = [folder.join("edge.py"), folder.join("state.json")];
    fs::write(&script, program).unwrap();
    let argv = |action: &str| {
        json!(["/usr/bin/python3", script.to_str(), action, state.to_str()]).to_string()
    };
    Target {
        name: "north".into(),
        kind: "command".into(),
        gate: folder.join("gate"),
        listeners: Vec::new(),
        verify: None,
        settings: ["observe", "apply"].map(|action| (action.to_owned(), argv(action))).into(),
        members: Vec::new(),
    }
}

fn key(name: &str) -> GateKey {
    GateKey::new(name).unwrap()
}

fn epoch(seq: u64) -> Epoch {
    Epoch { term: 1, seq }
}

/// Both copies hold exactly these of ours.
fn hold(driver: &mut dyn EdgeDriver, epoch: Epoch, keys: &[&str]) {
    for stage in [Stage::Durable, Stage::Runtime] {
        driver.apply(epoch, stage, &keys.iter().map(|name| key(name)).collect()).unwrap();
    }
}

/// What we hand out as an example works: closed, read back by another process, opened.
#[test]
fn the_example_of_a_command_edge_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), COMMAND_EXAMPLE);
    let keys = ["a", "b"].map(key);
    let mut driver = open(&target).unwrap();
    hold(driver.as_mut(), epoch(1), &["a"]);
    let views = open(&target).unwrap().observe(&keys).unwrap();
    let seen: Vec<_> = views.iter().map(|view| view.durable).collect();
    assert_eq!(seen, [Seen::Dark, Seen::Lit]);
    assert_eq!(views[0].epoch, Some(epoch(1)));
    driver.apply(epoch(1), Stage::Runtime, &[].into()).unwrap();
    let views = driver.observe(&keys).unwrap();
    assert_eq!(views[0].durable, Seen::Dark, "the other copy is still closed");
    assert_eq!(views[0].runtime, Seen::Lit);
    // A controller elsewhere that does not know yet that it was replaced.
    let elsewhere = Target { gate: folder.path().join("elsewhere"), ..target };
    let late = open(&elsewhere).unwrap().apply(epoch(0), Stage::Durable, &[].into());
    assert!(late.is_err(), "an older order is refused");
    assert_eq!(driver.observe(&keys).unwrap()[0].durable, Seen::Dark);
}

/// Somebody closed a site at the balancer by hand, and orders for other sites come and go.
#[test]
fn the_example_of_a_command_edge_opens_nothing_that_somebody_else_closed() {
    let folder = tempfile::tempdir().unwrap();
    let target = target(folder.path(), COMMAND_EXAMPLE);
    let state = folder.path().join("state.json");
    let by_hand = json!({"epoch": null, "durable": ["by-hand"], "runtime": ["by-hand"]});
    fs::write(&state, by_hand.to_string()).unwrap();
    let mut driver = open(&target).unwrap();
    // The first order of all, before any other; then one that closes, and one that opens.
    let orders = [(Epoch::default(), &[][..]), (epoch(1), &["a"]), (epoch(2), &[])];
    for (epoch, keys) in orders {
        hold(driver.as_mut(), epoch, keys);
        let view = driver.observe(&[key("by-hand")]).unwrap().remove(0);
        assert_eq!((view.durable, view.runtime), (Seen::Dark, Seen::Dark), "{epoch:?}");
        assert!(view.foreign, "{epoch:?}");
    }
    let left: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    assert_eq!((&left["durable"], &left["runtime"]), (&json!(["by-hand"]), &json!(["by-hand"])));
}

/// A program that answers only what it is asked is found out as soon as something is dark there.
#[test]
fn a_program_that_does_not_tell_all_that_is_dark_is_an_error_of_the_lint() {
    let folder = tempfile::tempdir().unwrap();
    let partial = COMMAND_EXAMPLE.replace("in sorted(told)", "in request[\"keys\"]");
    assert_ne!(partial, COMMAND_EXAMPLE);
    for (program, found) in [(COMMAND_EXAMPLE, None), (&*partial, Some("a".to_owned()))] {
        let mut driver = open(&target(folder.path(), program)).unwrap();
        let mut partial = || {
            let lints = driver.lint().unwrap();
            lints.into_iter().find(|it| it.code == "observe-partial").map(|it| it.place)
        };
        assert_eq!(partial(), None, "nothing is dark");
        hold(open(&target(folder.path(), program)).unwrap().as_mut(), epoch(1), &["a"]);
        assert_eq!(partial(), found);
        hold(open(&target(folder.path(), program)).unwrap().as_mut(), epoch(1), &[]);
        assert_eq!(partial(), None);
    }
}
