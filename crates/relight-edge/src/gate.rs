//! The gate directory: `$GATE/{lock, epoch, current -> gen-<term>-<seq>, gen-*/<key>}`.
//!
//! A key is dark while a file of its name is in `current`. A batch is a new generation that takes
//! effect with one rename; a few differences are made in place, closings first.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use relight_model::{Epoch, GateKey, Seen};

use crate::driver::{GateSet, GateView, Stage};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Fence, Record};

/// Most differences that are made in place, in keys; above it a new generation is built.
pub const IN_PLACE_MAX: usize = 16;
/// Most keys in one gate (INCIDENT 4).
pub const GATE_KEYS_MAX: usize = 50_000;

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
            let entries = self.entries()?;
            let view = |key: &GateKey| {
                let dark = entries.dark.contains(key);
                let seen = if dark { Seen::Dark } else { Seen::Lit };
                let (epoch, foreign) = match record {
                    Ok(record) => (record.epoch, dark && !record.own.contains(key)),
                    Err(_) => (None, false),
                };
                GateView { durable: seen, runtime: seen, epoch, foreign }
            };
            Ok(keys.iter().map(view).collect())
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
            held.write(Record { epoch: Some(epoch), own: wanted - &foreign })?;
            self.prune().map_err(EdgeError::io("remove old generations"))?;
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
        if sync {
            durable::sync_folder(&current)?;
        }
        if sync && rebuild {
            durable::sync_folder(&self.folder)?;
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
        let building = self.folder.join("building");
        remove_tree(&building)?;
        durable::create_folder(&building)?;
        fill(&building, target)?;
        durable::sync_folder(&building)?;
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

    /// Keeps the current generation and the one before it, by time of change.
    fn prune(&self) -> io::Result<()> {
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
        old.pop();
        old.into_iter().try_for_each(|(_, path)| remove_tree(&path))
    }

    pub(crate) fn current(&self) -> PathBuf {
        self.folder.join("current")
    }

    /// Reads the current generation; none is an empty one, because data planes fail open.
    pub(crate) fn entries(&self) -> Result<Entries, EdgeError> {
        self.read_entries().map_err(EdgeError::io(format!("read {}", self.current().display())))
    }

    fn read_entries(&self) -> io::Result<Entries> {
        let mut entries = Entries::default();
        let folder = match fs::read_dir(self.current()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(entries),
            opened => opened?,
        };
        let link = fs::read_link(self.current())?;
        entries.generation = Some(link.to_string_lossy().into_owned());
        let mut dark = Vec::new();
        for entry in folder {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = match entry.file_type()? {
                kind if kind.is_symlink() => entry.path().is_file(),
                kind => kind.is_file(),
            };
            match GateKey::new(&name) {
                Ok(key) if is_file => dark.push(key),
                _ => entries.strange.push(name),
            }
        }
        entries.dark = dark.into_iter().collect();
        entries.strange.sort();
        Ok(entries)
    }
}

/// One empty file under many names: 4,000 links took 70 ms where 4,000 new files took 130 to
/// 2,600 ms (ext4), and the fsync of their folder makes all of them durable. ext4 allows 65,000
/// links of a file, more than a gate has keys; a file system without links gets files.
fn fill(building: &Path, target: &GateSet) -> io::Result<()> {
    let first = building.join(".entry");
    File::create(&first)?;
    for key in target {
        let path = building.join(key.as_str());
        fs::hard_link(&first, &path).or_else(|_| File::create(&path).map(drop))?;
    }
    fs::remove_file(first)
}

/// Refuses a wanted set that no gate is made for.
pub(crate) fn check_size(wanted: &GateSet) -> Result<(), EdgeError> {
    if wanted.len() <= GATE_KEYS_MAX {
        return Ok(());
    }
    let doing = format!("hold {} keys in one gate, at most {GATE_KEYS_MAX}", wanted.len());
    Err(EdgeError::new(EdgeErrorKind::Refused, doing))
}

/// Removes a folder with its content, a file or a link; nothing there is fine.
fn remove_tree(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn set(names: impl IntoIterator<Item = usize>) -> GateSet {
        names.into_iter().map(|n| GateKey::new(&format!("k{n}")).unwrap()).collect()
    }

    fn epoch(seq: u64) -> Epoch {
        Epoch { term: 1, seq }
    }

    fn close(gate: &Gate, seq: u64, dark: &GateSet) {
        gate.apply(epoch(seq), Stage::Durable, dark).unwrap();
        gate.apply(epoch(seq), Stage::Runtime, dark).unwrap();
    }

    /// Goal: a writer killed at any step leaves either set whole (a batch) or every key with its
    /// old or its new light (in place), and the next writer finds nothing that looks foreign.
    /// Method: fail the n-th step for every n, look, apply again, open everything.
    #[test]
    fn a_kill_at_any_step_leaves_no_mixed_state() {
        let changes = [
            (set([]), set(0..40)),
            (set(0..40), set(20..60)),
            (set(0..40), set([])),
            (set(0..4), set(2..6)),
            (set(0..4), set([])),
            (set([]), set(0..4)),
        ];
        for (before, after) in changes {
            for stage in [Stage::Durable, Stage::Runtime] {
                let steps = (0..).find(|n| !killed_at(*n, stage, &before, &after)).unwrap();
                assert!(steps >= 3, "only {steps} steps from {before:?} to {after:?}");
            }
        }
    }

    /// Whether the change had an n-th step to be killed at.
    fn killed_at(n: usize, stage: Stage, before: &GateSet, after: &GateSet) -> bool {
        let folder = durable::quick_folder();
        let gate = Gate::create(folder.path()).unwrap();
        close(&gate, 1, before);
        let mut count = 0;
        let mut kill = |_: Step| {
            count += 1;
            if count > n { Err(io::Error::other("killed")) } else { Ok(()) }
        };
        let killed = gate.apply_by_steps(epoch(2), stage, after, &mut kill).is_err();
        let next = Gate::create(folder.path()).unwrap();
        let found = next.entries().unwrap().dark;
        let batch = before.symmetric_difference(after).count() > IN_PLACE_MAX;
        if batch {
            assert!(found == *before || found == *after, "mixed: {found:?}");
        } else {
            assert!(found.is_subset(&(before | after)), "{found:?}");
            assert!((before & after).is_subset(&found), "{found:?}");
            assert!(after.is_subset(&found) || before.is_subset(&found), "opened first: {found:?}");
        }
        assert_eq!(next.foreign().unwrap(), GateSet::new(), "killed at step {n}");
        close(&next, 2, after);
        assert_eq!(next.entries().unwrap().dark, *after);
        close(&next, 3, &set([]));
        assert_eq!(next.entries().unwrap().dark, set([]));
        killed
    }

    #[test]
    fn sixteen_differences_are_made_in_place_and_seventeen_are_not() {
        let folder = durable::quick_folder();
        let gate = Gate::create(folder.path()).unwrap();
        close(&gate, 1, &set([]));
        for (seq, keys, generation) in [(2, IN_PLACE_MAX, "gen-1-1"), (3, 33, "gen-1-3")] {
            close(&gate, seq, &set(0..keys));
            assert_eq!(gate.entries().unwrap().generation.as_deref(), Some(generation));
        }
    }

    /// Trap: a gate that the workers cannot enter leaves every site lit, without an error.
    #[test]
    fn a_private_umask_does_not_hide_the_gate() {
        let folder = durable::quick_folder();
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let gate = Gate::create(&folder.path().join("gate")).unwrap();
        close(&gate, 1, &set(0..3));
        rustix::process::umask(before);
        for path in [folder.path().join("gate"), gate.current()] {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o755, "{}", path.display());
        }
    }

    /// The same epoch again, after somebody else's edits: the generation it names is in use.
    #[test]
    fn an_equal_epoch_never_touches_the_generation_in_use() {
        let folder = durable::quick_folder();
        let gate = Gate::create(folder.path()).unwrap();
        for (keys, generation) in [(30, "gen-1-1"), (60, "gen-1-1b"), (90, "gen-1-1")] {
            close(&gate, 1, &set(0..keys));
            let entries = gate.entries().unwrap();
            assert_eq!(entries.generation.as_deref(), Some(generation));
            assert_eq!(entries.dark, set(0..keys));
        }
    }

    #[test]
    fn a_gate_holds_its_most_and_refuses_one_more() {
        assert!(check_size(&set(0..GATE_KEYS_MAX)).is_ok());
        let error = check_size(&set(0..=GATE_KEYS_MAX)).unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Refused);
        let folder = durable::quick_folder();
        let gate = Gate::create(folder.path()).unwrap();
        assert!(gate.apply(epoch(1), Stage::Durable, &set(0..=GATE_KEYS_MAX)).is_err());
        assert_eq!(gate.entries().unwrap(), Entries::default(), "nothing was written");
    }

    /// However two controllers race, what stays is what the newer one wanted.
    #[test]
    fn of_two_writers_the_newer_one_wins() {
        let folder = durable::quick_folder();
        let start = Barrier::new(8);
        thread::scope(|scope| {
            for seq in 1..=8 {
                let (start, folder) = (&start, folder.path());
                scope.spawn(move || {
                    let gate = Gate::create(folder).unwrap();
                    start.wait();
                    for stage in [Stage::Durable, Stage::Runtime] {
                        let keys = usize::try_from(seq).unwrap() * 10;
                        match gate.apply(epoch(seq), stage, &set(0..keys)) {
                            Ok(()) => {}
                            Err(error) => assert_eq!(error.kind, EdgeErrorKind::Fenced, "{error}"),
                        }
                    }
                });
            }
        });
        let gate = Gate::create(folder.path()).unwrap();
        assert_eq!(gate.entries().unwrap().dark, set(0..80));
        assert_eq!(gate.foreign().unwrap(), set([]));
    }
}
