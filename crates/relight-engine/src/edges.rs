//! Edges of the register: how their target stands in the store, and their loops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use relight_edge::{Prober, Target};
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

/// Opens the loop of an edge: its driver, and one prober a listener.
///
/// # Errors
/// The driver cannot be opened.
pub fn open_loop(target: &Target, nonce: u64) -> Result<EdgeLoop, EngineError> {
    let driver = relight_edge::open(target)?;
    let eyes = Listeners(target.listeners.iter().map(|listener| Prober::new(*listener)).collect());
    Ok(EdgeLoop::new(&target.name, driver, Box::new(eyes), nonce))
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
