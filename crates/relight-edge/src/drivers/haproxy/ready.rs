//! A version of the map that waits for an order: filled while nothing is to do, for all sites of
//! the edge. An order for them adds its epoch, looks at all of it, and commits it.
//!
//! A file beside the gate says which version that is, so that whoever comes after a kill takes it
//! or clears it. The file proves nothing: another process, a version in force that is another one,
//! or a single key that differs, and the order makes a version of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use relight_model::{Epoch, GateKey};

use super::Haproxy;
use crate::driver::GateSet;
use crate::error::EdgeError;
use crate::gate::{GATE_KEYS_MAX, IN_PLACE_MAX};
use crate::map_copy::{MapCopy, line, sentinel};
use crate::runtime_api::Serving;

/// The file that names the version.
const FILE: &str = "prepared";

/// The oldest release that keeps a version for long: in those before it was not tried whether a
/// lookup of a key that only a waiting version holds stays one of nothing.
const RELEASE_MIN: [u64; 3] = [2, 6, 12];

/// Keys that are added before it is asked whether there is something else to do.
const STEP_KEYS: usize = 512;

/// Longest wait for one answer: an order waits for whoever gets ready, which has time later.
pub(super) const READY_WAIT_MAX: Duration = Duration::from_millis(500);

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ready {
    /// Process id, and when it was started.
    process: (u64, u64),
    /// The version in force when this one was begun: as long as it is, nothing took effect since.
    current: u64,
    version: u64,
    /// How many keys it is for.
    keys: usize,
}

impl Ready {
    /// None where there is no such file, or it was not written to its end.
    fn read(gate: &Path) -> Option<Self> {
        let text = fs::read_to_string(file(gate)).ok()?;
        let numbers: Vec<u64> = text
            .strip_suffix('\n')?
            .split(' ')
            .map(|word| word.parse().ok())
            .collect::<Option<_>>()?;
        let [pid, started, current, version, keys] = numbers[..] else { return None };
        let (process, keys) = ((pid, started), usize::try_from(keys).ok()?);
        Some(Self { process, current, version, keys })
    }

    /// Nobody waits for the disk: what it tells of is gone with the process.
    fn write(&self, gate: &Path) -> Result<(), EdgeError> {
        let Self { process: (pid, started), current, version, keys } = self;
        let (path, text) = (file(gate), format!("{pid} {started} {current} {version} {keys}\n"));
        let doing = format!("write {}", path.display());
        fs::write(path, text).map_err(EdgeError::io(doing))
    }
}

fn file(gate: &Path) -> PathBuf {
    gate.join(FILE)
}

/// Whether all that a version holds is wanted, and nothing is wrong with it.
fn is_part(shown: &MapCopy, epoch: Option<Epoch>, target: &GateSet) -> bool {
    !shown.strange && shown.epoch == epoch && shown.dark.is_subset(target)
}

impl Haproxy {
    /// Fills a version with `keys`, and clears one that nobody has a use for. What is dark already
    /// needs no version: then there is none. False where it stopped before the end.
    pub(super) fn make_ready(
        &self,
        keys: &GateSet,
        is_over: &dyn Fn() -> bool,
    ) -> Result<bool, EdgeError> {
        let serving = self.api.serving()?.filter(|it| it.release >= RELEASE_MIN);
        let live = self.runtime_copy()?;
        let is_batch = live.dark.symmetric_difference(keys).count() > IN_PLACE_MAX;
        let (Some(serving), true) = (serving, is_batch && keys.len() <= GATE_KEYS_MAX) else {
            return self.drop_ready().map(|()| true);
        };
        let (version, held) = self.begin_ready(serving, keys)?;
        let missing: Vec<&GateKey> = keys.difference(&held).collect();
        for step in missing.chunks(STEP_KEYS) {
            self.api.add(version, &self.map, step.iter().map(|key| line(key)))?;
            // Asked after it: whoever has time for a single look gets on with each call.
            if is_over() {
                return Ok(false);
            }
        }
        let shown = self.copy_of(Some(version))?;
        if is_part(&shown, None, keys) && shown.dark.len() == keys.len() {
            return Ok(true);
        }
        // Whatever is wrong with it, an order does without.
        self.drop_ready().map(|()| true)
    }

    /// The version that waits, with what it holds; another one where there is none, or not for
    /// these keys.
    fn begin_ready(&self, serving: Serving, keys: &GateSet) -> Result<(u64, GateSet), EdgeError> {
        if let Some(ready) = Ready::read(&self.folder).filter(|it| it.keys == keys.len())
            && self.is_still(&ready)?
        {
            let shown = self.copy_of(Some(ready.version))?;
            if is_part(&shown, None, keys) {
                return Ok((ready.version, shown.dark));
            }
        }
        self.drop_ready()?;
        let (current, _) = self.api.versions(&self.map)?;
        let version = self.api.prepare(&self.map)?;
        let (process, keys) = ((serving.pid, serving.started), keys.len());
        // Before anything is in it: an empty version is all that a kill can leave unnamed.
        Ready { process, current, version, keys }.write(&self.folder)?;
        Ok((version, GateSet::new()))
    }

    /// The version that waited, if it is now all that `target` and this epoch ask for. It was begun
    /// for as many keys: an order for some of the sites loses no time over it, and HAProxy clears
    /// it when a newer version is committed.
    pub(super) fn take_ready(&self, epoch: Epoch, target: &GateSet) -> Option<u64> {
        let ready = Ready::read(&self.folder).filter(|it| it.keys == target.len())?;
        if self.finish(&ready, epoch, target).is_ok_and(|is_same| is_same) {
            return Some(ready.version);
        }
        // Best effort, as with any version that is not committed.
        drop(self.drop_ready());
        None
    }

    /// Adds the epoch, and what was not added when it had to stop.
    fn finish(&self, ready: &Ready, epoch: Epoch, target: &GateSet) -> Result<bool, EdgeError> {
        if !self.is_still(ready)? {
            return Ok(false);
        }
        let (version, map) = (ready.version, &self.map);
        self.api.add(version, map, std::iter::once(sentinel(epoch)))?;
        let mut shown = self.copy_of(Some(version))?;
        if is_part(&shown, Some(epoch), target) && shown.dark.len() < target.len() {
            self.api.add(version, map, target.difference(&shown.dark).map(line))?;
            shown = self.copy_of(Some(version))?;
        }
        Ok(shown.holds(epoch, target))
    }

    /// Clears the version that waits, if one does.
    fn drop_ready(&self) -> Result<(), EdgeError> {
        if let Some(ready) = Ready::read(&self.folder)
            && self.is_there(&ready)?.is_some()
        {
            self.api.clear(ready.version, &self.map)?;
        }
        match fs::remove_file(file(&self.folder)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(EdgeError::io(format!("remove {}", file(&self.folder).display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// Whether it can be what was left there: nothing took effect since it was begun.
    fn is_still(&self, ready: &Ready) -> Result<bool, EdgeError> {
        Ok(self.is_there(ready)? == Some(ready.current))
    }

    /// The version in force, where this one may still wait. A person may have committed it: to
    /// clear or to fill the version in force would light sites or double keys.
    fn is_there(&self, ready: &Ready) -> Result<Option<u64>, EdgeError> {
        let serving = self.api.serving()?.map(|it| (it.pid, it.started));
        if serving != Some(ready.process) {
            return Ok(None);
        }
        let (current, newest) = self.api.versions(&self.map)?;
        Ok(Some(current).filter(|_| current < ready.version && ready.version <= newest))
    }
}
