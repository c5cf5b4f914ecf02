//! Apache httpd 2.4 with the map gate of `config::apache`: each request looks into one text map.
//!
//! Apache keeps what it read from a map until the file's time grows. An equal time made worker
//! processes disagree, 503 beside 200 (measured), so every version of the map is younger than
//! each one before it, whatever the clock does.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use relight_model::{Epoch, GateKey, Seen};

use crate::capability::Capabilities;
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Record};
use crate::gate::{Gate, check_size};
use crate::gate_driver::{lint_folder, reads_as_somebody_else, unreadable};
use crate::map_copy::{self, MapCopy, edited, keep, retire};
use crate::sockets::Origins;

pub(super) const PLUGIN: Apache = Apache { capabilities: Capabilities::FILE_GATE };

/// Name of the map in the gate directory.
pub(crate) const MAP: &str = "dark.txt";
/// Its youngest time so far is the time of this file.
const CLOCK: &str = "map-time";

pub(super) struct Apache {
    capabilities: Capabilities,
}

impl DriverKind for Apache {
    fn name(&self) -> &'static str {
        "apache"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                Setting::optional("origins"),
                // What the workers run as, where that is not an ordinary user.
                Setting::optional("worker_user"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn epoch_beside(&self, target: &Target) -> Option<Epoch> {
        MapCopy::epoch_in(&target.gate.join(MAP))
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let edge = ApacheEdge {
            edge: target.name.clone(),
            folder: target.gate.clone(),
            gate: Gate::create(&target.gate)?,
            capabilities: self.capabilities,
            foreign_reader: reads_as_somebody_else(target),
            origins: Origins::of(target),
        };
        // Apache does not start without the file.
        let (map, create) = (edge.map(), |path: &Path| durable::write(path, b""));
        if !map.exists() {
            create(&map).map_err(EdgeError::io(format!("create {}", map.display())))?;
        }
        Ok(Box::new(edge))
    }
}

/// One Apache; its map is what a restart reads as well.
struct ApacheEdge {
    edge: String,
    folder: PathBuf,
    gate: Gate,
    capabilities: Capabilities,
    foreign_reader: bool,
    origins: Origins,
}

impl ApacheEdge {
    fn map(&self) -> PathBuf {
        self.folder.join(MAP)
    }

    /// The map, if there is one, and whether every worker reads it as it is: one that is older
    /// than another version was may stand beside what workers remember.
    fn read(&self) -> Result<(Option<MapCopy>, bool), EdgeError> {
        let copy = MapCopy::read(&self.map())?;
        let doing = format!("read the time of {}", self.map().display());
        let times = || Ok((modified(&self.map())?, modified(&self.folder.join(CLOCK))?));
        let (map, youngest) = times().map_err(EdgeError::io(doing))?;
        Ok((copy, map >= youngest))
    }

    fn write(&self, epoch: Epoch, target: &GateSet) -> Result<(), EdgeError> {
        let path = self.map();
        let write = || {
            let clock = self.folder.join(CLOCK);
            let before = modified(&path)?.max(modified(&clock)?);
            let text = map_copy::text(epoch, target);
            // The clock first: a kill in between makes the map look too old, and it is rewritten.
            durable::write_younger(&path, text.as_bytes(), before, |time| {
                set_modified(&clock, time)
            })
        };
        write().map_err(EdgeError::io(format!("write {}", path.display())))
    }

    fn apply_stage(&self, epoch: Epoch, stage: Stage, wanted: &GateSet) -> Result<(), EdgeError> {
        check_size(wanted)?;
        let mut held = self.gate.fence.enter(epoch)?;
        let (copy, current) = self.read()?;
        let copy = copy.unwrap_or_default();
        fence::refuse_older(epoch, copy.epoch)?;
        let foreign = &copy.dark - &held.record.own;
        let own = &(&held.record.own | wanted) - &foreign;
        let edited = edited(&self.map(), &copy, &held.record, wanted);
        held.write(Record { epoch: Some(epoch), own })?;
        let target = wanted | &foreign;
        if !(current && copy.holds(epoch, &target)) {
            self.write(epoch, &target)?;
            keep(&self.folder, edited);
            let (copy, current) = self.read()?;
            if !(current && copy.is_some_and(|copy| copy.holds(epoch, &target))) {
                let doing = format!("find in {} what was written", self.map().display());
                return Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing));
            }
        }
        if stage == Stage::Durable {
            retire(&mut held, wanted, Some(&MapCopy::default()))?;
        }
        Ok(())
    }

    fn look(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.fence.peek(|record| {
            let (copy, current) = self.read()?;
            let record = record.as_ref().ok();
            let recorded = record.and_then(|record| record.epoch);
            let epoch = copy.as_ref().and_then(|copy| copy.epoch).max(recorded);
            let view = |key: &GateKey| {
                // A map that is not there is an empty one: the gate fails open.
                let durable = match MapCopy::seen(copy.as_ref(), key) {
                    Seen::Unknown => Seen::Lit,
                    seen => seen,
                };
                let ours = record.is_none_or(|record| record.own.contains(key));
                let runtime = if current { durable } else { Seen::Unknown };
                let foreign = !ours && durable == Seen::Dark;
                GateView { durable, runtime, epoch, foreign, in_part: None }
            };
            Ok(keys.iter().map(view).collect())
        })
    }

    fn foreign(&self) -> Result<GateSet, EdgeError> {
        self.gate.fence.peek(|record| {
            let Ok(record) = record else { return Ok(GateSet::new()) };
            Ok(&self.read()?.0.unwrap_or_default().dark - &record.own)
        })
    }
}

impl EdgeDriver for ApacheEdge {
    fn capabilities(&self) -> Capabilities {
        self.origins.able(self.capabilities)
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(&self.folder, &self.gate, Some(&self.map()))?;
        if self.foreign_reader {
            let closed = |metadata: fs::Metadata| metadata.permissions().mode() & 0o004 == 0;
            let map = Some(self.map()).filter(|map| fs::metadata(map).is_ok_and(closed));
            lints.extend(
                unreadable(&self.folder)
                    .into_iter()
                    .chain(map)
                    .map(|path| Lint::error("gate-not-readable", path.display().to_string())),
            );
        }
        lints.extend(self.origins.lint(&self.edge));
        let map = self.map().display().to_string();
        match self.read() {
            Ok((Some(_), true)) => {}
            Ok((Some(_), false)) => lints.push(Lint::error("map-older-than-before", map)),
            _ => lints.push(Lint::error("map-file-unreadable", map)),
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
        self.apply_stage(epoch, stage, dark).map_err(|error| error.at(&self.edge))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.origins.count(keys).map_err(|error| error.at(&self.edge))
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let _held = self.gate.fence.enter(epoch).map_err(|error| error.at(&self.edge))?;
        self.origins.cut(keys).map_err(|error| error.at(&self.edge))
    }
}

/// When a file was changed; none when there is no file.
fn modified(path: &Path) -> io::Result<Option<SystemTime>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        metadata => metadata?.modified().map(Some),
    }
}

fn set_modified(path: &Path, time: SystemTime) -> io::Result<()> {
    let file = File::options().create(true).append(true).open(path)?;
    file.set_modified(time)?;
    file.sync_all()
}
