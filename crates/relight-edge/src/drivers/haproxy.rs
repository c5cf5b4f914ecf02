//! HAProxy 2.6 or newer: a versioned map over the runtime API, and its file as the durable copy.

mod effect;
mod ready;
mod workers;

use std::collections::BTreeMap;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, Seen};

use crate::capability::{Capabilities, CutsTunnels};
use crate::config::ORIGIN_SERVER;
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence;
use crate::gate::{Gate, IN_PLACE_MAX};
use crate::gate_driver::lint_folder;
use crate::map_copy::{MapCopy, SENTINEL, edited, keep};
use crate::runtime_api::{PAYLOAD_BYTES_MAX, RuntimeApi};
use ready::READY_WAIT_MAX;
use workers::Workers;

pub(super) const PLUGIN: HaproxyKind = HaproxyKind {
    capabilities: Capabilities { cuts_tunnels: CutsTunnels::Driver, ..Capabilities::FILE_GATE },
};

/// Most processes that may take over during one effect.
const TAKEOVERS_MAX: u32 = 3;

pub(super) struct HaproxyKind {
    capabilities: Capabilities,
}

impl DriverKind for HaproxyKind {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::required("map"),
                Setting::required("socket"),
                // Socket of the master process, which knows the workers of before a reload.
                Setting::optional("master"),
                Setting::RELOAD,
            ]
        }
    }

    fn epoch_beside(&self, target: &Target) -> Option<Epoch> {
        MapCopy::epoch_in(target.settings.get("map")?.as_ref())
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let (map, socket) = (target.required("map")?.clone(), target.required("socket")?);
        if map.contains(|c: char| c.is_whitespace() || c.is_control()) {
            let doing = "name a map with a space in its path to the runtime API";
            return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
        }
        Ok(Box::new(Haproxy {
            edge: target.name.clone(),
            folder: target.gate.clone(),
            gate: Gate::create(&target.gate)?,
            api: RuntimeApi::of(socket.into()),
            master: target.settings.get("master").map(|path| RuntimeApi::of(path.into())),
            workers: Workers::default(),
            map,
            process: None,
            generation: 0,
            capabilities: self.capabilities,
        }))
    }
}

/// One HAProxy process. Its gate directory holds the lock and the epoch only.
struct Haproxy {
    edge: String,
    folder: PathBuf,
    gate: Gate,
    api: RuntimeApi,
    /// Who knows its workers of before the last reload.
    master: Option<RuntimeApi>,
    /// What is known of them where nobody knows.
    workers: Workers,
    /// Process id and seconds of service when it was asked last.
    process: Option<(u64, u64)>,
    /// How many processes were seen.
    generation: u64,
    /// Path of the map file: its name in the runtime API, and the durable copy.
    map: String,
    capabilities: Capabilities,
}

impl Haproxy {
    fn durable_copy(&self) -> Result<Option<MapCopy>, EdgeError> {
        MapCopy::read(self.map.as_ref())
    }

    fn runtime_copy(&self) -> Result<MapCopy, EdgeError> {
        self.copy_of(None)
    }

    /// What the process holds of a version of the map; of the one in force where none is named.
    fn copy_of(&self, version: Option<u64>) -> Result<MapCopy, EdgeError> {
        let read = |entries: &[(&str, &str)]| MapCopy::from_entries(entries.iter().copied());
        self.api.show_map(version, &self.map, read)
    }

    /// Workers that a reload left behind. 2.6.12 does not reach them through their master (`Can't
    /// find the target PID`), and what they still hold is in no statistic of the new one.
    /// None where nobody can tell.
    fn old_workers(&mut self) -> Result<Option<u64>, EdgeError> {
        match &self.master {
            Some(master) => master.old_workers().map(Some),
            None => Ok(self.workers.left(self.api.process()?)),
        }
    }

    /// Another process may have taken over meanwhile, with a map file of before: once more then.
    fn for_one_process(
        &mut self,
        effect: impl Fn(&Self) -> Result<(), EdgeError>,
    ) -> Result<(), EdgeError> {
        for _ in 0..TAKEOVERS_MAX {
            let before = self.serving();
            effect(self).map_err(|error| error.at(&self.edge))?;
            if self.serving() == before {
                return Ok(());
            }
        }
        let doing = "apply to a process that stays: another one took over each time";
        Err(EdgeError::new(EdgeErrorKind::Unreachable, doing).at(&self.edge))
    }

    /// The number of the process that serves, as far as it answers.
    fn serving(&mut self) -> u64 {
        if let Ok(process) = self.api.process() {
            self.note(process);
        }
        self.generation
    }

    /// The same process serves longer each time that it is asked.
    fn note(&mut self, (pid, uptime): (u64, u64)) {
        let same = |(before, since): (u64, u64)| before == pid && since <= uptime;
        self.generation += u64::from(!self.process.is_some_and(same));
        self.process = Some((pid, uptime));
    }

    /// Single keys that came together: one exchange for each few dozens of them, and one file.
    fn change_stage(
        &self,
        epoch: Epoch,
        stage: Stage,
        wanted: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let mut held = self.gate.fence.enter(epoch)?;
        let map = &self.map;
        fence::refuse_older(epoch, MapCopy::epoch_in(map.as_ref()))?;
        let opening = &(changed - wanted) & &held.record.own;
        if stage == Stage::Runtime {
            held.append(epoch, &GateSet::new(), &GateSet::new())?;
            self.api.delete(map, &opening)?;
            self.api.change(&format!("set map {map} {SENTINEL} {}", fence::text(epoch)))?;
            if self.api.held(map, &opening)?.is_empty() {
                return Ok(());
            }
            let doing = format!("have keys deleted from map {map}");
            return Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing));
        }
        let file = self.durable_copy()?.unwrap_or_default();
        let edited = edited(map.as_ref(), &file, &held.record, wanted);
        self.write_durable(epoch, &(&file.dark - &opening))?;
        keep(&self.folder, edited);
        let live: GateSet = self.api.held(map, &opening)?.into_iter().cloned().collect();
        held.append(epoch, &GateSet::new(), &(&opening - &live))
    }

    fn look(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.fence.peek(|record| {
            let file = self.durable_copy()?;
            let runtime = self.runtime_copy().ok();
            let copies = [file.as_ref(), runtime.as_ref()];
            let record = record.as_ref().ok();
            let epochs = copies.iter().flatten().map(|copy| copy.epoch);
            let epoch = epochs.chain([record.and_then(|record| record.epoch)]).flatten().max();
            let view = |key: &GateKey| {
                let durable = MapCopy::seen(file.as_ref(), key);
                let runtime = MapCopy::seen(runtime.as_ref(), key);
                let ours = record.is_none_or(|record| record.own.contains(key));
                let foreign = !ours && [durable, runtime].contains(&Seen::Dark);
                GateView { durable, runtime, epoch, foreign, in_part: None }
            };
            Ok(keys.iter().map(view).collect())
        })
    }

    fn lint_runtime(&self) -> Result<Vec<Lint>, EdgeError> {
        let level = self.api.run("show cli level")?;
        let socket = self.api.socket.display().to_string();
        if level.trim() != "admin" {
            return Ok(vec![Lint::error("socket-not-admin", socket)]);
        }
        if self.runtime_copy().is_err() {
            return Ok(vec![Lint::error("map-unknown", self.map.as_str())]);
        }
        // The size that a buffer takes is not shown anywhere: try the longest payload on a version
        // that is never committed.
        let version = self.api.prepare(&self.map)?;
        let key = "x".repeat(100);
        let lines = (0..PAYLOAD_BYTES_MAX / 108).map(|n| format!("{key}{n:04} 1"));
        let added = self.api.add(version, &self.map, lines.clone());
        let shown = self.api.show_map(Some(version), &self.map, |shown| shown.len());
        self.api.clear(version, &self.map)?;
        if added.is_ok() && shown.is_ok_and(|count| count == lines.count()) {
            return Ok(Vec::new());
        }
        Ok(vec![Lint::error("bufsize-too-small", socket)])
    }

    fn foreign(&self) -> Result<GateSet, EdgeError> {
        self.gate.fence.peek(|record| {
            let Ok(record) = record else { return Ok(GateSet::new()) };
            let file = self.durable_copy()?.unwrap_or_default();
            let runtime = self.runtime_copy().unwrap_or_default();
            Ok(&(&file.dark | &runtime.dark) - &record.own)
        })
    }

    /// Sessions of the origin server of each backend, by backend. The statistic of 4,000 servers
    /// takes HAProxy 66 ms in which it serves nobody, the list of their connections 7: many are
    /// looked for there, and only those that have one are asked for their sessions.
    fn sessions(&self, keys: &[GateKey]) -> Result<BTreeMap<String, u64>, EdgeError> {
        if keys.len() <= IN_PLACE_MAX {
            return self.statistics(keys.iter().map(GateKey::as_str));
        }
        let mut connections = self.api.connections(ORIGIN_SERVER)?;
        let busy: Vec<&str> = keys
            .iter()
            .map(GateKey::as_str)
            .filter(|key| connections.get(*key).is_some_and(|count| *count > 0))
            .collect();
        let sessions = match busy.len() {
            0 => BTreeMap::new(),
            1..=IN_PLACE_MAX => self.statistics(busy.into_iter())?,
            _ => self.statistics(std::iter::once("-1"))?,
        };
        connections.extend(sessions);
        Ok(connections)
    }

    /// What the statistic says of these backends; `-1` stands for all.
    fn statistics<'a>(
        &self,
        backends: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, u64>, EdgeError> {
        let mut sessions = BTreeMap::new();
        for command in backends.map(|name| format!("show stat {name} 4 -1")) {
            let reply = self.api.run(&command)?;
            for line in reply.lines().filter(|line| !line.starts_with('#')) {
                let mut fields = line.split(',');
                let (backend, server) = (fields.next(), fields.next());
                let count = fields.nth(2).and_then(|text| text.parse().ok());
                if let (Some(backend), Some(ORIGIN_SERVER), Some(count)) = (backend, server, count)
                {
                    sessions.insert(backend.to_owned(), count);
                }
            }
        }
        Ok(sessions)
    }
}

impl EdgeDriver for Haproxy {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(&self.folder, &self.gate, Some(self.map.as_ref()))?;
        match self.durable_copy() {
            Ok(Some(_)) => {}
            _ => lints.push(Lint::error("map-file-unreadable", self.map.as_str())),
        }
        lints.extend(self.lint_runtime().map_err(|error| error.at(&self.edge))?);
        if self.master.is_none() {
            lints.extend(Workers::lint(self.api.process().ok(), &self.edge));
        }
        let foreign = self.foreign().map_err(|error| error.at(&self.edge))?;
        lints.extend(foreign.iter().map(|key| Lint::warning("foreign-dark", key.as_str())));
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.gate.fence.owned().map_err(|error| error.at(&self.edge))
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.look(keys).map_err(|error| error.at(&self.edge))
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        match stage {
            Stage::Runtime => self.for_one_process(|it| it.apply_stage(epoch, stage, dark)),
            Stage::Durable => {
                self.apply_stage(epoch, stage, dark).map_err(|error| error.at(&self.edge))
            }
        }
    }

    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.for_one_process(|it| it.close_both(epoch, dark))
    }

    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        let usual = std::mem::replace(&mut self.api.wait_max, READY_WAIT_MAX);
        let ready = self.gate.fence.alone().and_then(|_alone| self.make_ready(keys, is_over));
        self.api.wait_max = usual;
        ready.map_err(|error| error.at(&self.edge))
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        // Closing needs the whole look: a key that is there already must not be added twice.
        if !changed.is_disjoint(dark) {
            return self.apply(epoch, stage, dark);
        }
        match self.change_stage(epoch, stage, dark, changed) {
            // A process that knows nothing of us has to be told everything.
            Err(error) if error.kind == EdgeErrorKind::Refused => self.apply(epoch, stage, dark),
            applied => applied.map_err(|error| error.at(&self.edge)),
        }
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        let process = self.api.process().map_err(|error| error.at(&self.edge))?;
        self.note(process);
        Ok(self.generation)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        let sessions = self.sessions(keys).map_err(|error| error.at(&self.edge))?;
        // Each of them may hold a tunnel of any site for as long as it lives.
        let old = self.old_workers().map_err(|error| error.at(&self.edge))?;
        let count = |key: &GateKey| {
            let all = sessions.get(key.as_str()).zip(old).map(|(count, old)| count + old);
            all.map_or(TunnelCount::Unknown, TunnelCount::Open)
        };
        Ok(keys.iter().map(count).collect())
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let _held = self.gate.fence.enter(epoch).map_err(|error| error.at(&self.edge))?;
        for key in keys {
            let command = format!("shutdown sessions server {key}/{ORIGIN_SERVER}");
            self.api.change(&command).map_err(|error| error.at(&self.edge))?;
        }
        Ok(())
    }
}
