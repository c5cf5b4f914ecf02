//! Edges of the register: how their target stands in the store, and their loops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use relight_edge::{
    Capabilities, EdgeDriver, EdgeError, GateSet, GateView, Lint, Prober, Stage, Target,
    TunnelCount,
};
use relight_model::{Epoch, GateKey};
use relight_store::EdgeRow;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use crate::reconcile::{EdgeLoop, Listeners};

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
    let Target { name, kind, gate, listeners, verify, settings } = target.clone();
    let text = serde_json::to_string(&TargetRow { gate, listeners, verify, settings })?;
    Ok(EdgeRow { name, kind, target: text })
}

/// The target of a register row.
///
/// # Errors
/// The row holds something else than a target; names the edge.
pub fn from_row(row: &EdgeRow) -> Result<Target, EngineError> {
    let TargetRow { gate, listeners, verify, settings } = serde_json::from_str(&row.target)
        .map_err(|error| {
            EngineError::because(format!("reading the target of edge {}", row.name), error)
        })?;
    let (name, kind) = (row.name.clone(), row.kind.clone());
    Ok(Target { name, kind, gate, listeners, verify, settings })
}

/// The loop of an edge that perhaps cannot be opened yet: each look tries again, and meanwhile
/// what is wanted dark there counts as exposed, with the reason. It keeps no other edge waiting.
pub fn patient_loop(target: &Target, nonce: u64) -> EdgeLoop {
    loop_with(target, Box::new(Reopening { target: target.clone(), driver: None }), nonce)
}

/// Listeners that cannot be used show nothing: no site of the edge is proven dark.
fn loop_with(target: &Target, driver: Box<dyn EdgeDriver>, nonce: u64) -> EdgeLoop {
    let eyes = Listeners(Prober::all(target).unwrap_or_default());
    EdgeLoop::new(&target.name, driver, Box::new(eyes), nonce)
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

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.driver()?.observe(keys)
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.driver()?.apply(epoch, stage, dark)
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
    Prober::all(target)?;
    Ok(loop_with(target, relight_edge::open(target)?, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_back_from_its_row() {
        let target = Target {
            name: "north".into(),
            kind: "haproxy".into(),
            gate: "/var/lib/relight/gate".into(),
            listeners: vec!["127.0.0.1:8080".parse().unwrap()],
            verify: Some("/run/relight/verify.sock".into()),
            settings: BTreeMap::from([("map".into(), "/etc/haproxy/dark.map".into())]),
        };
        assert_eq!(from_row(&to_row(&target).unwrap()).unwrap(), target);
    }

    #[test]
    fn a_row_that_is_no_target_names_its_edge() {
        for text in ["", "{}", r#"{"gate":"/x","listeners":["nowhere"]}"#] {
            let row = EdgeRow { name: "north".into(), kind: "builtin".into(), target: text.into() };
            assert!(from_row(&row).unwrap_err().to_string().contains("north"), "{text}");
        }
    }
}
