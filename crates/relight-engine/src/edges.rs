//! Edges of the register: how their target stands in the store, and their loops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use relight_edge::{
    Capabilities, EdgeDriver, EdgeError, GateSet, GateView, Lint, ProbeResult, ProbeTarget, Prober,
    Stage, Target, TunnelCount,
};
use relight_model::{Digest, Epoch, GateKey};
use relight_store::EdgeRow;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::EngineError;
use crate::groups;
use crate::reconcile::{Asking, EdgeLoop, Eyes, Hurry, Listeners, TUNNEL_GRACE_MS, grace_ms};

/// The target of an edge as it stands in the register, `relight.edge/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetRow {
    gate: PathBuf,
    listeners: Vec<SocketAddr>,
    #[serde(default)]
    verify: Option<PathBuf>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// The register row of a target.
///
/// # Errors
/// A path that is not UTF-8.
pub fn to_row(target: &Target) -> Result<EdgeRow, EngineError> {
    let Target { name, kind, gate, listeners, verify, settings, members: _ } = target.clone();
    let text = serde_json::to_string(&TargetRow { gate, listeners, verify, settings })?;
    Ok(EdgeRow { name, kind, target: text })
}

/// The targets of all rows of the register, in their order; groups know what they stand for.
///
/// # Errors
/// As [`from_row`].
pub fn from_rows(rows: &[EdgeRow]) -> Result<Vec<Target>, EngineError> {
    let mut targets: Vec<Target> = rows.iter().map(from_row).collect::<Result<_, _>>()?;
    let alone = targets.clone();
    targets.iter_mut().for_each(|target| groups::resolve(target, &alone));
    Ok(targets)
}

/// The target of one edge of the register, if there is one of that name.
///
/// # Errors
/// As [`from_row`].
pub fn named(name: &str, rows: &[EdgeRow]) -> Result<Option<Target>, EngineError> {
    let Some(row) = rows.iter().find(|row| row.name == name) else { return Ok(None) };
    let mut target = from_row(row)?;
    // A row that is none of an edge in the group is as good as missing.
    let alone: Vec<Target> = rows.iter().filter_map(|row| from_row(row).ok()).collect();
    groups::resolve(&mut target, &alone);
    Ok(Some(target))
}

/// The target of a register row, as it stands there: a group does not know its members.
///
/// # Errors
/// The row holds something else than a target; names the edge.
pub fn from_row(row: &EdgeRow) -> Result<Target, EngineError> {
    let TargetRow { gate, listeners, verify, settings } = serde_json::from_str(&row.target)
        .map_err(|error| {
            EngineError::because(format!("reading the target of edge {}", row.name), error)
        })?;
    let (name, kind) = (row.name.clone(), row.kind.clone());
    Ok(Target { name, kind, gate, listeners, verify, settings, members: Vec::new() })
}

/// What an edge is, beyond its name: kind, gate, listeners and settings. What a drill showed of one
/// says nothing about another that took its name.
///
/// # Errors
/// As [`to_row`].
pub fn identity(target: &Target) -> Result<Digest, EngineError> {
    let EdgeRow { name: _, kind, target: own } = to_row(target)?;
    let mut whole = Sha256::new_with_prefix(format!("relight.edge/1\0{kind}\0{own}"));
    for member in &target.members {
        whole.update(format!("\0{}\0", member.name));
        whole.update(identity(member)?.0);
    }
    Ok(Digest(whole.finalize().into()))
}

/// The loop of an edge that perhaps cannot be opened yet, or whose listeners cannot be asked: each
/// look tries again, and meanwhile what is wanted dark there counts as exposed, with the reason. It
/// keeps no other edge waiting.
pub fn patient_loop(target: &Target, nonce: u64) -> EdgeLoop {
    let driver = Reopening { target: target.clone(), driver: None };
    let eyes = Patient { target: target.clone(), eyes: None, hurry: None };
    let mut edge = loop_of(target, Box::new(driver), Box::new(eyes), nonce);
    edge.suspect();
    edge
}

/// A grace that is none stands in no way of an order: the usual one is kept then.
fn loop_of(
    target: &Target,
    driver: Box<dyn EdgeDriver>,
    eyes: Box<dyn Eyes>,
    nonce: u64,
) -> EdgeLoop {
    let mut edge = EdgeLoop::new(&target.name, driver, eyes, nonce);
    edge.set_grace(grace_ms(target).unwrap_or(TUNNEL_GRACE_MS));
    edge
}

/// The driver of an edge that is opened when it is first needed, and again until it can be.
pub(crate) fn patient_driver(target: &Target) -> Box<dyn EdgeDriver> {
    Box::new(Reopening { target: target.clone(), driver: None })
}

/// Eyes that cannot be opened yet (a file of authorities that is missing) see nothing, and say why.
struct Patient {
    target: Target,
    eyes: Option<Listeners>,
    hurry: Option<Hurry>,
}

impl Patient {
    /// The eyes, or what is seen of each target without them.
    fn eyes(&mut self) -> Result<&mut Listeners, ProbeResult> {
        let eyes = match self.eyes.take() {
            Some(eyes) => eyes,
            None => {
                let unseen = |error: EdgeError| ProbeResult {
                    trouble: Some(error.kind),
                    ..ProbeResult::default()
                };
                let mut eyes = Listeners::new(Prober::all(&self.target).map_err(unseen)?);
                if let Some(hurry) = &self.hurry {
                    eyes.set_hurry(Hurry::clone(hurry));
                }
                eyes
            }
        };
        Ok(self.eyes.insert(eyes))
    }
}

impl Eyes for Patient {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        match self.eyes() {
            Ok(eyes) => eyes.probe(targets, nonce),
            Err(unseen) => vec![unseen; targets.len()],
        }
    }

    fn glance(
        &mut self,
        targets: &[ProbeTarget],
        nonce: u64,
        wait_max: Duration,
    ) -> Vec<ProbeResult> {
        match self.eyes() {
            Ok(eyes) => eyes.glance(targets, nonce, wait_max),
            Err(unseen) => vec![unseen; targets.len()],
        }
    }

    fn spell(&mut self, names: &[ProbeTarget], wait_max: Duration) -> Asking {
        self.eyes().map_or_else(|_| Asking::unable(), |eyes| eyes.spell(names, wait_max))
    }

    fn forget(&mut self) {
        if let Some(eyes) = &mut self.eyes {
            eyes.forget();
        }
    }

    fn set_hurry(&mut self, hurry: Hurry) {
        if let Some(eyes) = &mut self.eyes {
            eyes.set_hurry(Hurry::clone(&hurry));
        }
        self.hurry = Some(hurry);
    }
}

struct Reopening {
    target: Target,
    driver: Option<Box<dyn EdgeDriver>>,
}

impl Reopening {
    fn driver(&mut self) -> Result<&mut Box<dyn EdgeDriver>, EdgeError> {
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => relight_edge::open(&self.target)?,
        };
        Ok(self.driver.insert(driver))
    }
}

impl EdgeDriver for Reopening {
    fn capabilities(&self) -> Capabilities {
        self.driver.as_ref().map_or(Capabilities::NONE, |driver| driver.capabilities())
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.driver()?.lint()
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.driver()?.owned()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.driver()?.observe(keys)
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.driver()?.apply(epoch, stage, dark)
    }

    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.driver()?.close(epoch, dark)
    }

    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        self.driver()?.get_ready(keys, is_over)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        self.driver()?.apply_changes(epoch, stage, dark, changed)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        self.driver()?.generation()
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.driver()?.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.driver()?.cut(epoch, keys)
    }
}

/// Opens the loop of an edge: its driver, and one prober a listener.
///
/// # Errors
/// The driver cannot be opened.
pub fn open_loop(target: &Target, nonce: u64) -> Result<EdgeLoop, EngineError> {
    let eyes = Listeners::new(Prober::all(target)?);
    Ok(loop_of(target, relight_edge::open(target)?, Box::new(eyes), nonce))
}

#[cfg(test)]
mod tests {
    use relight_edge::EdgeErrorKind;

    use super::*;

    fn target() -> Target {
        Target {
            name: "north".into(),
            kind: "haproxy".into(),
            gate: "/var/lib/relight/gate".into(),
            listeners: vec!["127.0.0.1:8080".parse().unwrap()],
            verify: Some("/run/relight/verify.sock".into()),
            settings: BTreeMap::from([("map".into(), "/etc/haproxy/dark.map".into())]),
            members: Vec::new(),
        }
    }

    #[test]
    fn a_target_reads_back_from_its_row() {
        let target = target();
        assert_eq!(from_row(&to_row(&target).unwrap()).unwrap(), target);
    }

    /// What is wanted dark counts as exposed with the reason, and is proven once the file is there.
    #[test]
    fn listeners_that_cannot_be_asked_yet_say_why_and_are_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let (listener, ca) = ("127.0.0.1:9".parse().unwrap(), folder.path().join("ca.pem"));
        let settings = [("tls", "127.0.0.1:9".to_owned()), ("ca", ca.display().to_string())];
        let target = Target {
            name: "north".into(),
            kind: "builtin".into(),
            gate: folder.path().join("gate"),
            listeners: vec![listener],
            verify: None,
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
            members: Vec::new(),
        };
        assert!(open_loop(&target, 1).is_err());
        let mut eyes = Patient { target, eyes: None, hurry: None };
        let key = GateKey::new("a").unwrap();
        let site = [ProbeTarget::site(key, "a.example".into(), None)];
        let mut why = || eyes.probe(&site, 1)[0].trouble;
        assert_eq!(why(), Some(EdgeErrorKind::Io));
        std::fs::write(&ca, "no certificate").unwrap();
        assert_eq!(why(), Some(EdgeErrorKind::Lint));
        std::fs::copy("../relight-edge/fixtures/tls/ca.pem", &ca).unwrap();
        assert_eq!(why(), Some(EdgeErrorKind::Unreachable), "now it is the listener that is asked");
    }

    #[test]
    fn an_edge_of_the_same_name_is_another_one_when_anything_of_it_was_replaced() {
        let target = target();
        let was = identity(&target).unwrap();
        let changes: [fn(&mut Target); 5] = [
            |target| target.kind = "command".into(),
            |target| target.gate = "/elsewhere".into(),
            |target| target.listeners = vec!["127.0.0.1:8081".parse().unwrap()],
            |target| target.verify = None,
            |target| drop(target.settings.insert("map".into(), "/other.map".into())),
        ];
        for change in changes {
            let mut other = target.clone();
            change(&mut other);
            assert_ne!(identity(&other).unwrap(), was, "{other:?}");
        }
        assert_eq!(identity(&target).unwrap(), was);
    }

    #[test]
    fn a_row_that_is_no_target_names_its_edge() {
        for text in ["", "{}", r#"{"gate":"/x","listeners":["nowhere"]}"#] {
            let row = EdgeRow { name: "north".into(), kind: "builtin".into(), target: text.into() };
            assert!(from_row(&row).unwrap_err().to_string().contains("north"), "{text}");
        }
    }
}
