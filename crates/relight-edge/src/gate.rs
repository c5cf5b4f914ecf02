//! The gate directory: `$GATE/{lock, epoch, current -> gen-<term>-<seq>, gen-*/<key>, ready}`.
//!
//! A key is dark while a file of its name is in `current`. A batch is a new generation that takes
//! effect with one rename; a few differences are made in place, closings first. `ready` is a folder
//! that no data plane reads: a generation that an order for most sites of the edge begins with.

mod files;

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use relight_model::{Epoch, GateKey, Seen};

use crate::driver::{GateSet, GateView, Stage};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Fence, Record};
use files::{clear, fill, is_file, make_good, remove_tree};

/// Most differences that are made in place, in keys; above it a new generation is built.
pub const IN_PLACE_MAX: usize = 16;
/// Most generations beside the current one that wait to be cleared away.
const OLD_MAX: usize = 6;
/// Most keys in one gate (INCIDENT 4).
pub const GATE_KEYS_MAX: usize = 50_000;

/// Where a generation is built.
const BUILDING: &str = "building";
/// What is being removed, bit by bit.
const AWAY: &str = "away";
/// Keys that are written or removed before it is asked whether there is something else to do.
const STEP_KEYS: usize = 128;
/// Where the next one waits.
const READY: &str = "ready";

/// The gate directory of one edge.
#[derive(Debug)]
pub(crate) struct Gate {
    folder: PathBuf,
    pub(crate) fence: Fence,
}

/// Where an `apply` stands: a test stops it there, as a kill would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Recorded,
    Key,
    Built,
    Switched,
    Synced,
    Settled,
}

/// What the current generation holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// Keys that the data plane shows dark.
    pub(crate) dark: GateSet,
    /// Names that are no key, and keys that are no file: neither darkens anything.
    pub(crate) strange: Vec<String>,
    generation: Option<String>,
}

impl Gate {
    /// The gate in `folder`, which is created when it is not there.
    pub(crate) fn create(folder: &Path) -> Result<Self, EdgeError> {
        durable::create_folder(folder)
            .map_err(EdgeError::io(format!("create the gate {}", folder.display())))?;
        Ok(Self { folder: folder.to_owned(), fence: Fence::new(folder) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// One view per key; both copies are the same directory.
    pub(crate) fn observe(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.fence.peek(|record| {
            let all = match keys.len() {
                // Nobody who asks for a few waits for the thousands that are there.
                0..=IN_PLACE_MAX => None,
                _ => Some(self.entries()?.dark),
            };
            let is_dark = |key: &GateKey| match &all {
                Some(all) => Ok(all.contains(key)),
                None => is_file(&self.current().join(key.as_str())),
            };
            let view = |key: &GateKey| {
                let dark = is_dark(key)?;
                let seen = if dark { Seen::Dark } else { Seen::Lit };
                let (epoch, foreign) = match record {
                    Ok(record) => (record.epoch, dark && !record.own.contains(key)),
                    Err(_) => (None, false),
                };
                Ok(GateView { durable: seen, runtime: seen, epoch, foreign, in_part: None })
            };
            keys.iter().map(view).collect()
        })
    }

    /// Keys that are dark by an entry that we did not write.
    pub(crate) fn foreign(&self) -> Result<GateSet, EdgeError> {
        self.fence.peek(|record| match record {
            Ok(record) => Ok(&self.entries()?.dark - &record.own),
            Err(_) => Ok(GateSet::new()),
        })
    }

    /// Makes the directory hold `wanted` and the foreign dark entries.
    pub(crate) fn apply(
        &self,
        epoch: Epoch,
        stage: Stage,
        wanted: &GateSet,
    ) -> Result<(), EdgeError> {
        self.apply_by_steps(epoch, stage, wanted, &mut |_| Ok(()))
    }

    /// Does the same for `changed` only, at the price of one sync for all of them. More closings
    /// than are made in place take effect together, in a generation of their own.
    pub(crate) fn apply_changes(
        &self,
        epoch: Epoch,
        stage: Stage,
        wanted: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let closing = wanted & changed;
        if closing.len() > IN_PLACE_MAX || !self.current().is_dir() {
            return self.apply(epoch, stage, wanted);
        }
        let opening = changed - wanted;
        let mut held = self.fence.enter(epoch)?;
        let is_foreign = |key: &&GateKey| {
            !held.record.own.contains(key) && self.current().join(key.as_str()).exists()
        };
        let foreign: GateSet = changed.iter().filter(is_foreign).cloned().collect();
        let (closing, opening) = (&closing - &foreign, &opening - &foreign);
        held.append(epoch, &closing, &GateSet::new())?;
        let doing = || format!("write the gate {}", self.folder.display());
        let sync = stage == Stage::Durable || !closing.is_empty();
        self.change_keys(&closing, &opening, sync).map_err(EdgeError::io(doing()))?;
        if stage == Stage::Durable {
            held.append(epoch, &GateSet::new(), &opening)?;
        }
        Ok(())
    }

    fn change_keys(&self, closing: &GateSet, opening: &GateSet, sync: bool) -> io::Result<()> {
        let current = self.current();
        for key in closing {
            File::create(current.join(key.as_str()))?;
        }
        for key in opening {
            match fs::remove_file(current.join(key.as_str())) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        if sync { durable::sync_folder(&current) } else { Ok(()) }
    }

    fn apply_by_steps(
        &self,
        epoch: Epoch,
        stage: Stage,
        wanted: &GateSet,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> Result<(), EdgeError> {
        check_size(wanted)?;
        let mut held = self.fence.enter(epoch)?;
        let entries = self.entries()?;
        let foreign = &entries.dark - &held.record.own;
        let own = &(&held.record.own | wanted) - &foreign;
        held.write(Record { epoch: Some(epoch), own })?;
        let target = wanted | &foreign;
        let sync = stage == Stage::Durable || !target.is_subset(&entries.dark);
        let changed = self
            .write_entries(epoch, &entries, &target, sync, step)
            .map_err(EdgeError::io(format!("write the gate {}", self.folder.display())))?;
        if changed && self.entries()?.dark != target {
            let doing = format!("find in {} what was written", self.folder.display());
            return Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing));
        }
        if stage == Stage::Durable {
            held.let_go(&(wanted - &foreign))?;
            // Thousands of files are removed later, while nobody waits for a proof.
            let removed = self.prune(OLD_MAX, &|| false);
            removed.map_err(EdgeError::io("remove old generations"))?;
        }
        step(Step::Settled).map_err(EdgeError::io("settle"))
    }

    /// Whether anything had to be written.
    fn write_entries(
        &self,
        epoch: Epoch,
        entries: &Entries,
        target: &GateSet,
        sync: bool,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> io::Result<bool> {
        step(Step::Recorded)?;
        let current = self.current();
        let differences = target.symmetric_difference(&entries.dark).count();
        let blocked = entries.strange.iter().any(|name| GateKey::new(name).is_ok());
        let rebuild = entries.generation.is_none() || blocked || differences > IN_PLACE_MAX;
        if rebuild {
            self.switch(epoch, entries.generation.as_deref(), target, step)?;
        } else {
            for key in target.difference(&entries.dark) {
                File::create(current.join(key.as_str()))?;
                step(Step::Key)?;
            }
            for key in entries.dark.difference(target) {
                fs::remove_file(current.join(key.as_str()))?;
                step(Step::Key)?;
            }
        }
        // A generation was synced before it became the current one.
        if sync {
            durable::sync_folder(if rebuild { &self.folder } else { &current })?;
        }
        step(Step::Synced)?;
        Ok(rebuild || differences > 0)
    }

    /// Builds a whole generation aside and makes it current with one rename.
    fn switch(
        &self,
        epoch: Epoch,
        before: Option<&str>,
        target: &GateSet,
        step: &mut dyn FnMut(Step) -> io::Result<()>,
    ) -> io::Result<()> {
        let building = self.build(target)?;
        let base = format!("gen-{}", fence::text(epoch));
        // The same epoch may need a second generation, after somebody else's edits of the first.
        let other = format!("{base}b");
        let name = if before == Some(base.as_str()) { other } else { base };
        let generation = self.folder.join(&name);
        remove_tree(&generation)?;
        fs::rename(&building, &generation)?;
        step(Step::Built)?;
        let link = self.folder.join("new");
        remove_tree(&link)?;
        symlink(&name, &link)?;
        fs::rename(&link, self.current())?;
        step(Step::Switched)
    }

    /// A folder beside the current generation that holds `target`, synced: what was got ready, and
    /// else what a kill left of another one, with the differences made good.
    fn build(&self, target: &GateSet) -> io::Result<PathBuf> {
        let (building, ready) = (self.folder.join(BUILDING), self.folder.join(READY));
        let found = Entries::of(&ready)?;
        let is_ready = found.is_near(target);
        let found = if is_ready {
            remove_tree(&building)?;
            fs::rename(&ready, &building)?;
            found
        } else {
            self.left(&building, &ready, target)?
        };
        let is_changed = make_good(&building, &found, target)?;
        if is_changed || !is_ready {
            durable::sync_folder(&building)?;
        }
        Ok(building)
    }

    /// What a kill left of a generation. One that `target` has no use for is not thrown away while
    /// somebody waits: it may be what the next order begins with.
    fn left(&self, building: &Path, ready: &Path, target: &GateSet) -> io::Result<Entries> {
        let found = Entries::of(building)?;
        if found.is_near(target) || found.dark.len() <= IN_PLACE_MAX || ready.exists() {
            return Ok(found);
        }
        durable::sync_folder(building)?;
        fs::rename(building, ready)?;
        Ok(Entries::default())
    }

    /// Clears old generations away, and builds the folder with which an order for all of `keys`
    /// begins. Whoever takes it looks at what it holds. Stops where `is_over` says so, and goes on
    /// from there the next time; whether all of it is done.
    pub(crate) fn get_ready(
        &self,
        keys: &GateSet,
        is_over: &dyn Fn() -> bool,
    ) -> Result<bool, EdgeError> {
        let _alone = self.fence.alone()?;
        let build = || {
            let is_cleared = || clear(&self.folder.join(AWAY), is_over);
            if self.current().is_dir() && !(is_cleared()? && self.prune(1, is_over)?) {
                return Ok(false);
            }
            let (building, ready) = (self.folder.join(BUILDING), self.folder.join(READY));
            // A few differences are made in place, and more keys than a gate has are refused.
            if !(IN_PLACE_MAX + 1..=GATE_KEYS_MAX).contains(&keys.len()) {
                return remove_tree(&ready).map(|()| true);
            }
            let found = Entries::of(&ready)?;
            if found.is_near(keys) && found.dark == *keys {
                return Ok(true);
            }
            remove_tree(&ready)?;
            let found = Entries::of(&building)?;
            let kept = if found.is_near(keys) { &found.dark & keys } else { GateSet::new() };
            make_good(&building, &found, &kept)?;
            let missing: Vec<&GateKey> = keys.difference(&kept).collect();
            for step in missing.chunks(STEP_KEYS) {
                fill(&building, step.iter().copied())?;
                if is_over() {
                    return Ok(false);
                }
            }
            durable::sync_folder(&building)?;
            fs::rename(&building, &ready).map(|()| true)
        };
        build().map_err(EdgeError::io(format!("get {} ready", self.folder.display())))
    }

    /// Keeps the current generation and so many of those before it, by time of change. False where
    /// it stopped before the end, because something else is to do.
    fn prune(&self, most: usize, is_over: &dyn Fn() -> bool) -> io::Result<bool> {
        let away = self.folder.join(AWAY);
        let current = fs::read_link(self.current())?;
        let mut old = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("gen-") && Path::new(&name) != current {
                old.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        old.sort();
        let kept = old.len().min(most);
        old.truncate(old.len() - kept);
        for (_, path) in old {
            // What an earlier one left there has to go first.
            if !clear(&away, is_over)? {
                return Ok(false);
            }
            fs::rename(path, &away)?;
            if !clear(&away, is_over)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn current(&self) -> PathBuf {
        self.folder.join("current")
    }

    /// Reads the current generation; none is an empty one, because data planes fail open.
    pub(crate) fn entries(&self) -> Result<Entries, EdgeError> {
        self.read_entries().map_err(EdgeError::io(format!("read {}", self.current().display())))
    }

    fn read_entries(&self) -> io::Result<Entries> {
        let folder = match fs::read_dir(self.current()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::default()),
            opened => opened?,
        };
        let link = fs::read_link(self.current())?;
        let generation = Some(link.to_string_lossy().into_owned());
        Ok(Entries { generation, ..Entries::read(folder)? })
    }
}

impl Entries {
    /// What a folder holds; nothing where there is none.
    fn of(folder: &Path) -> io::Result<Self> {
        match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            opened => Self::read(opened?),
        }
    }

    fn read(folder: fs::ReadDir) -> io::Result<Self> {
        let (mut dark, mut strange) = (Vec::new(), Vec::new());
        for entry in folder {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = match entry.file_type()? {
                kind if kind.is_symlink() => entry.path().is_file(),
                kind => kind.is_file(),
            };
            match GateKey::new(&name) {
                Ok(key) if is_file => dark.push(key),
                _ => strange.push(name),
            }
        }
        strange.sort();
        Ok(Self { dark: dark.into_iter().collect(), strange, generation: None })
    }

    /// Whether it is less work to make it hold `target` than to begin anew.
    fn is_near(&self, target: &GateSet) -> bool {
        let differences = self.dark.symmetric_difference(target).count();
        self.strange.is_empty() && !self.dark.is_empty() && differences <= target.len()
    }
}

/// Refuses a wanted set that no gate is made for.
pub(crate) fn check_size(wanted: &GateSet) -> Result<(), EdgeError> {
    if wanted.len() <= GATE_KEYS_MAX {
        return Ok(());
    }
    let doing = format!("hold {} keys in one gate, at most {GATE_KEYS_MAX}", wanted.len());
    Err(EdgeError::new(EdgeErrorKind::Refused, doing))
}

#[cfg(test)]
mod tests;
