//! An edge behind programs of its owner: `observe` and `apply`, and if they exist `tunnels` and
//! `cut`. JSON on standard input and output, no shell, a clean environment, 8 MiB and 30 s.
//!
//! Exit status 0 is done, 75 (EX_TEMPFAIL) try again, anything else no. Nothing it says is taken
//! for a proof: `observe` reads back, and the probe looks from outside.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use relight_model::{Epoch, GateKey, Seen};
use serde_json::{Value, json};

use crate::capability::{Basis, Capabilities, CutsTunnels, Maturity, Untried};
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::exec::{self, RUN_WAIT_MAX};
use crate::fence::Record;
use crate::gate::{Gate, check_size};
use crate::gate_driver::lint_folder;

pub(super) const PLUGIN: Command = Command {
    capabilities: Capabilities {
        maturity: Maturity::Tested,
        basis: Basis::Declared,
        readback: true,
        ..Capabilities::NONE
    },
    wait: RUN_WAIT_MAX,
};

/// Exit status of a program that could not do it now (`EX_TEMPFAIL` of sysexits.h).
const TRY_AGAIN: i32 = 75;

pub(super) struct Command {
    capabilities: Capabilities,
    /// Longest run of one program.
    wait: Duration,
}

impl DriverKind for Command {
    fn name(&self) -> &'static str {
        "command"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn capabilities_of(&self, target: &Target) -> Capabilities {
        self.declared(target).unwrap_or(self.capabilities)
    }

    /// Programs are JSON arrays of words; `capabilities` is a list of names with spaces between.
    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::required("observe"),
                Setting::required("apply"),
                Setting::optional("tunnels"),
                Setting::optional("cut"),
                Setting::optional("capabilities"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let program = |name: &str| -> Result<Option<Vec<String>>, EdgeError> {
            target.settings.get(name).map(|text| exec::argv(name, text)).transpose()
        };
        let required = |name: &str| exec::argv(name, target.required(name)?);
        let cut = program("cut")?;
        let mut capabilities = target.able(self.declared(target)?);
        if cut.is_some() {
            capabilities.cuts_tunnels = CutsTunnels::Driver;
        }
        Ok(Box::new(CommandEdge {
            edge: target.name.clone(),
            gate: Gate::create(&target.gate)?,
            observe: required("observe")?,
            apply: required("apply")?,
            tunnels: program("tunnels")?,
            cut,
            capabilities,
            wait: self.wait,
        }))
    }
}

impl Command {
    /// The capabilities that the target declares.
    fn declared(&self, target: &Target) -> Result<Capabilities, EdgeError> {
        let mut able = self.capabilities;
        let names = target.settings.get("capabilities").map_or("", String::as_str);
        for name in names.split_whitespace() {
            let field = match name {
                "atomic_batch" => &mut able.atomic_batch,
                "reload_free" => &mut able.reload_free,
                "durable" => &mut able.durable,
                "survives_reload" => &mut able.survives_reload,
                "survives_reboot" => &mut able.survives_reboot,
                "verify_bypass" => &mut able.verify_bypass,
                "section_gate" => &mut able.section_gate,
                "audience_gate" => &mut able.audience_gate,
                "method_gate" => &mut able.method_gate,
                _ => {
                    let doing = format!("declare the capability `{name}`");
                    return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
                }
            };
            *field = true;
        }
        Ok(able)
    }
}

/// Programs, and the folder with the lock and the epoch.
struct CommandEdge {
    edge: String,
    gate: Gate,
    observe: Vec<String>,
    apply: Vec<String>,
    tunnels: Option<Vec<String>>,
    cut: Option<Vec<String>>,
    capabilities: Capabilities,
    wait: Duration,
}

/// What `observe` answered: `relight.edge.observed/1`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Observed {
    epoch: Option<Epoch>,
    keys: BTreeMap<GateKey, (Seen, Seen)>,
}

impl Observed {
    fn dark(&self) -> GateSet {
        let dark = |(_, (durable, runtime)): &(&GateKey, &(Seen, Seen))| {
            *durable == Seen::Dark || *runtime == Seen::Dark
        };
        self.keys.iter().filter(dark).map(|(key, _)| key.clone()).collect()
    }
}

impl CommandEdge {
    fn run(&self, argv: &[String], request: &Value) -> Result<Vec<u8>, EdgeError> {
        let ended = exec::run(argv, request.to_string().into_bytes(), self.wait)?;
        if ended.status == 0 {
            return Ok(ended.output);
        }
        let doing = format!("have {} done: status {}", argv.join(" "), ended.status);
        let error = EdgeError::new(EdgeErrorKind::Refused, doing).because(ended.words);
        Err(if ended.status == TRY_AGAIN { error.worth_a_retry() } else { error })
    }

    /// Runs a program that answers with a document of this schema.
    fn ask(&self, argv: &[String], request: &Value, schema: &str) -> Result<Value, EdgeError> {
        let output = self.run(argv, request)?;
        let misunderstood = |what: String| {
            let doing = format!("understand the answer of {}", argv.join(" "));
            EdgeError::new(EdgeErrorKind::Refused, doing).because(what)
        };
        let document: Value =
            serde_json::from_slice(&output).map_err(|error| misunderstood(error.to_string()))?;
        match document.get("schema").and_then(Value::as_str) {
            Some(found) if found == schema => Ok(document),
            found => Err(misunderstood(format!("its schema is {found:?}, not {schema}"))),
        }
    }

    fn ask_views(&self, keys: &[GateKey]) -> Result<Observed, EdgeError> {
        let keys: Vec<&str> = keys.iter().map(GateKey::as_str).collect();
        let request = json!({"schema": "relight.edge.observe/1", "edge": self.edge, "keys": keys});
        let document = self.ask(&self.observe, &request, "relight.edge.observed/1")?;
        observed(&document).map_err(|place| {
            let doing = format!("understand `{place}` in the answer of {}", self.observe.join(" "));
            EdgeError::new(EdgeErrorKind::Refused, doing)
        })
    }

    /// Those of `keys` that may be dark still.
    fn ask_dark(&self, keys: &GateSet) -> Result<GateSet, EdgeError> {
        let asked: Vec<GateKey> = keys.iter().cloned().collect();
        let seen = self.ask_views(&asked)?.keys;
        let is_lit = |key: &GateKey| seen.get(key) == Some(&(Seen::Lit, Seen::Lit));
        Ok(asked.into_iter().filter(|key| !is_lit(key)).collect())
    }

    fn apply_stage(&self, epoch: Epoch, stage: Stage, wanted: &GateSet) -> Result<(), EdgeError> {
        check_size(wanted)?;
        let mut held = self.gate.fence.enter(epoch)?;
        let asked: Vec<GateKey> = (&held.record.own | wanted).into_iter().collect();
        let seen = self.ask_views(&asked)?;
        if seen.epoch.is_some_and(|newest| newest > epoch) {
            let doing = "write over the newer epoch that the edge holds";
            return Err(EdgeError::new(EdgeErrorKind::Fenced, doing));
        }
        let dark = seen.dark();
        let foreign = &dark - &held.record.own;
        let own = &(&held.record.own | wanted) - &foreign;
        held.write(Record { epoch: Some(epoch), own })?;
        let target = wanted | &foreign;
        let stage_name = match stage {
            Stage::Durable => "durable",
            Stage::Runtime => "runtime",
        };
        let request = json!({
            "schema": "relight.edge.apply/1",
            "edge": self.edge,
            "epoch": {"term": epoch.term, "seq": epoch.seq},
            "stage": stage_name,
            "dark": target.iter().map(GateKey::as_str).collect::<Vec<_>>(),
        });
        self.run(&self.apply, &request)?;
        if stage == Stage::Durable {
            // What is not seen lit stays ours.
            let gone = &(&held.record.own - wanted) - &foreign;
            let still = if gone.is_empty() { gone } else { self.ask_dark(&gone)? };
            held.write(Record { epoch: Some(epoch), own: &(wanted | &still) - &foreign })?;
        }
        Ok(())
    }

    fn look(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.fence.peek(|record| {
            let seen = self.ask_views(keys)?;
            let record = record.as_ref().ok();
            let epoch = seen.epoch.max(record.and_then(|record| record.epoch));
            let view = |key: &GateKey| {
                let (durable, runtime) = seen.keys.get(key).copied().unwrap_or_default();
                let ours = record.is_none_or(|record| record.own.contains(key));
                let foreign = !ours && [durable, runtime].contains(&Seen::Dark);
                GateView { durable, runtime, epoch, foreign, in_part: None }
            };
            Ok(keys.iter().map(view).collect())
        })
    }

    /// A key that is dark when it is asked for, and is not told of when it is not: then nobody
    /// would hear of what somebody else closed, and the next order, a whole set, would open it.
    fn untold(&self) -> Result<Option<GateKey>, EdgeError> {
        self.gate.fence.peek(|record| {
            let told = self.ask_views(&[])?.dark();
            let Ok(record) = record else { return Ok(None) };
            let own: Vec<GateKey> = record.own.difference(&told).cloned().collect();
            if own.is_empty() {
                return Ok(None);
            }
            Ok((&self.ask_views(&own)?.dark() - &told).pop_first())
        })
    }

    fn count(&self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        let Some(tunnels) = &self.tunnels else {
            return Ok(vec![TunnelCount::Unknown; keys.len()]);
        };
        let names: Vec<&str> = keys.iter().map(GateKey::as_str).collect();
        let request = json!({"schema": "relight.edge.tunnels/1", "edge": self.edge, "keys": names});
        let document = self.ask(tunnels, &request, "relight.edge.counted/1")?;
        let count = |key: &GateKey| {
            let count = document.get("keys").and_then(|keys| keys.get(key.as_str()));
            count.and_then(Value::as_u64).map_or(TunnelCount::Unknown, TunnelCount::Open)
        };
        Ok(keys.iter().map(count).collect())
    }

    fn cut_keys(&self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let _held = self.gate.fence.enter(epoch)?;
        let Some(cut) = &self.cut else {
            let doing = "cut tunnels without the setting `cut`";
            return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
        };
        let request = json!({
            "schema": "relight.edge.cut/1",
            "edge": self.edge,
            "epoch": {"term": epoch.term, "seq": epoch.seq},
            "keys": keys.iter().map(GateKey::as_str).collect::<Vec<_>>(),
        });
        self.run(cut, &request).map(drop)
    }
}

/// The document by hand, field by field; the error is the place that is not understood.
fn observed(document: &Value) -> Result<Observed, String> {
    let epoch = match document.get("epoch") {
        None | Some(Value::Null) => None,
        Some(epoch) => {
            let part =
                |name: &str| epoch.get(name).and_then(Value::as_u64).ok_or(format!("epoch.{name}"));
            Some(Epoch { term: part("term")?, seq: part("seq")? })
        }
    };
    let keys = document.get("keys").and_then(Value::as_object).ok_or("keys")?;
    let mut views = BTreeMap::new();
    for (name, view) in keys {
        let place = || format!("keys.{name}");
        let key = GateKey::new(name).map_err(|_| place())?;
        let light = |copy: &str| match view.get(copy).and_then(Value::as_str) {
            Some("dark") => Ok(Seen::Dark),
            Some("lit") => Ok(Seen::Lit),
            Some("unknown") => Ok(Seen::Unknown),
            _ => Err(format!("keys.{name}.{copy}")),
        };
        views.insert(key, (light("durable")?, light("runtime")?));
    }
    Ok(Observed { epoch, keys: views })
}

impl EdgeDriver for CommandEdge {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(self.gate.folder(), &self.gate, None)?;
        match self.untold() {
            Ok(None) => {}
            Ok(Some(key)) => lints.push(Lint::error("observe-partial", key.as_str())),
            Err(error) => lints.push(Lint::error("observe-fails", error.to_string())),
        }
        lints.extend(
            self.capabilities
                .missing_for_dark(Some(Untried::default()))
                .into_iter()
                .map(|name| Lint::warning("capability-missing", name)),
        );
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.gate.fence.owned().map_err(|error| error.at(&self.edge))
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.look(keys).map_err(|error| error.at(&self.edge))
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.apply_stage(epoch, stage, dark).map_err(|error| error.at(&self.edge))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.count(keys).map_err(|error| error.at(&self.edge))
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.cut_keys(epoch, keys).map_err(|error| error.at(&self.edge))
    }
}
