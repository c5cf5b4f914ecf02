//! What HAProxy is made to hold: a version of its map, or single keys of it, and the durable copy.

use std::panic::resume_unwind;
use std::thread;

use relight_model::Epoch;

use super::Haproxy;
use crate::driver::{GateSet, Stage};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Held, Record};
use crate::gate::{IN_PLACE_MAX, check_size};
use crate::map_copy::{self, MapCopy, SENTINEL, edited, keep, retire};

/// What stood there before an effect, and the right to change it.
struct Entered {
    held: Held,
    file: MapCopy,
    runtime: Result<MapCopy, EdgeError>,
    /// Keys that somebody else closed.
    foreign: GateSet,
}

impl Entered {
    /// Notes the epoch and which keys are about to be ours.
    fn record(&mut self, epoch: Epoch, wanted: &GateSet) -> Result<(), EdgeError> {
        let own = &(&self.held.record.own | wanted) - &self.foreign;
        self.held.write(Record { epoch: Some(epoch), own })
    }
}

/// Whether single commands would be more work than a whole version, or could not put it right.
fn is_batch(before: &MapCopy, target: &GateSet) -> bool {
    let differences = before.dark.symmetric_difference(target).count();
    before.strange || before.epoch.is_none() || differences > IN_PLACE_MAX
}

/// Does both at the same time; where the system gives no more threads, one after the other.
fn beside<A: Send, B>(other: impl Fn() -> A + Sync, own: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let begun = thread::Builder::new().spawn_scoped(scope, &other);
        let own = own();
        let other = match begun {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => other(),
        };
        (other, own)
    })
}

impl Haproxy {
    pub(super) fn write_durable(&self, epoch: Epoch, target: &GateSet) -> Result<(), EdgeError> {
        durable::write(self.map.as_ref(), map_copy::text(epoch, target).as_bytes())
            .map_err(EdgeError::io(format!("write {}", self.map)))
    }

    fn write_runtime(
        &self,
        epoch: Epoch,
        before: &MapCopy,
        target: &GateSet,
    ) -> Result<(), EdgeError> {
        if before.holds(epoch, target) {
            return Ok(());
        }
        if is_batch(before, target) {
            let version = self.prepare_version(epoch, target)?;
            return self.commit_version(version, epoch, before, target);
        }
        self.change_keys(epoch, before, target)?;
        self.check_runtime(self.runtime_copy()?.holds(epoch, target))
    }

    fn check_runtime(&self, is_held: bool) -> Result<(), EdgeError> {
        if is_held {
            return Ok(());
        }
        let doing = format!("find in map {} what was written", self.map);
        Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing))
    }

    /// Single keys, closings first. `add` twice would make doubles, hence the look before.
    fn change_keys(
        &self,
        epoch: Epoch,
        before: &MapCopy,
        target: &GateSet,
    ) -> Result<(), EdgeError> {
        let (api, map) = (&self.api, &self.map);
        for key in target.difference(&before.dark) {
            if !api.has(map, key.as_str())? {
                api.change(&format!("add map {map} {key} 1"))?;
            }
        }
        for key in before.dark.difference(target) {
            if api.has(map, key.as_str())? {
                api.change(&format!("del map {map} {key}"))?;
            }
        }
        api.change(&format!("set map {map} {SENTINEL} {}", fence::text(epoch)))
    }

    /// A whole version, compared before it is committed: a payload that was dropped without an
    /// error would otherwise light every site. Until then it darkens and lights nothing.
    fn prepare_version(&self, epoch: Epoch, target: &GateSet) -> Result<u64, EdgeError> {
        let (api, map) = (&self.api, &self.map);
        let version = api.prepare(map)?;
        let prepare = || {
            api.add(version, map, map_copy::lines(epoch, target))?;
            let prepared = self.copy_of(Some(version))?;
            if prepared.holds(epoch, target) {
                return Ok(version);
            }
            let doing = format!("find in version {version} of {map} what was added");
            Err(EdgeError::new(EdgeErrorKind::Refused, doing).worth_a_retry())
        };
        prepare().inspect_err(|_| self.drop_version(version))
    }

    /// Best effort: a version that is never committed costs memory only.
    fn drop_version(&self, version: u64) {
        drop(self.api.clear(version, &self.map));
    }

    /// A version takes effect as a whole and was compared before: its epoch is enough to read back,
    /// where that is another one.
    fn commit_version(
        &self,
        version: u64,
        epoch: Epoch,
        before: &MapCopy,
        target: &GateSet,
    ) -> Result<(), EdgeError> {
        let commit = self.api.change(&format!("commit map @{version} {}", self.map));
        commit.map_err(EdgeError::worth_a_retry)?;
        self.check_runtime(match before.epoch {
            Some(same) if same == epoch => self.runtime_copy()?.holds(epoch, target),
            _ => self.api.value(&self.map, SENTINEL)? == Some(fence::text(epoch)),
        })
    }

    fn enter(&self, epoch: Epoch, wanted: &GateSet) -> Result<Entered, EdgeError> {
        check_size(wanted)?;
        let held = self.gate.fence.enter(epoch)?;
        let file = self.durable_copy()?.unwrap_or_default();
        let runtime = self.runtime_copy();
        let told = runtime.as_ref().map_or(None, |copy| copy.epoch);
        fence::refuse_older(epoch, file.epoch.max(told))?;
        let none = GateSet::new();
        let live = runtime.as_ref().map_or(&none, |copy| &copy.dark);
        let foreign = &(&file.dark | live) - &held.record.own;
        Ok(Entered { held, file, runtime, foreign })
    }

    pub(super) fn apply_stage(
        &self,
        epoch: Epoch,
        stage: Stage,
        wanted: &GateSet,
    ) -> Result<(), EdgeError> {
        let mut entered = self.enter(epoch, wanted)?;
        match stage {
            Stage::Runtime => {
                entered.record(epoch, wanted)?;
                let before = entered.runtime?;
                self.write_runtime(epoch, &before, &(wanted | &(&entered.foreign & &before.dark)))
            }
            Stage::Durable => {
                let edited = self.write_copy(&mut entered, epoch, wanted)?;
                keep(&self.folder, edited);
                retire(&mut entered.held, wanted, entered.runtime.ok().as_ref())
            }
        }
    }

    /// The durable copy, in its place once it is noted whose keys are ours; it is written and
    /// synced meanwhile, for a disk takes as long for both as for one. Gives the file of before,
    /// where somebody edited it, which is kept when nothing has to be closed any more.
    fn write_copy(
        &self,
        entered: &mut Entered,
        epoch: Epoch,
        wanted: &GateSet,
    ) -> Result<Option<Vec<u8>>, EdgeError> {
        let edited = edited(self.map.as_ref(), &entered.file, &entered.held.record, wanted);
        let target = wanted | &(&entered.foreign & &entered.file.dark);
        if entered.file.holds(epoch, &target) {
            entered.record(epoch, wanted)?;
            return Ok(edited);
        }
        let (map, text) = (self.map.as_ref(), map_copy::text(epoch, &target));
        let stage = || durable::stage(map, text.as_bytes());
        let (staged, recorded) = beside(stage, || entered.record(epoch, wanted));
        recorded?;
        let placed = staged.and_then(durable::Staged::place);
        placed.map_err(EdgeError::io(format!("write {}", self.map)))?;
        Ok(edited)
    }

    /// Both stages of a closing in one look: a version of the map is prepared while the durable
    /// copy is written, where none waits that was got ready, and takes effect after that.
    pub(super) fn close_both(&self, epoch: Epoch, wanted: &GateSet) -> Result<(), EdgeError> {
        let mut entered = self.enter(epoch, wanted)?;
        let before = match std::mem::replace(&mut entered.runtime, Ok(MapCopy::default())) {
            Ok(before) => before,
            // What a restart reads is closed all the same.
            Err(error) => {
                let edited = self.write_copy(&mut entered, epoch, wanted)?;
                keep(&self.folder, edited);
                return Err(error);
            }
        };
        let target = wanted | &(&entered.foreign & &before.dark);
        let (edited, closed) = if before.holds(epoch, &target) || !is_batch(&before, &target) {
            let edited = self.write_copy(&mut entered, epoch, wanted)?;
            (edited, self.write_runtime(epoch, &before, &target))
        } else {
            let prepare = || match self.take_ready(epoch, &target) {
                Some(version) => Ok(version),
                None => self.prepare_version(epoch, &target),
            };
            let (prepared, written) =
                beside(prepare, || self.write_copy(&mut entered, epoch, wanted));
            if let (Ok(version), Err(_)) = (&prepared, &written) {
                self.drop_version(*version);
            }
            let commit = |version| self.commit_version(version, epoch, &before, &target);
            (written?, prepared.and_then(commit))
        };
        // Whatever came of it: the file of before is written over by now.
        keep(&self.folder, edited);
        closed?;
        retire(&mut entered.held, wanted, Some(&before))
    }
}
