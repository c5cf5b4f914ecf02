//! The driver of every edge whose data plane reads the gate directory on each request.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use relight_model::{Epoch, GateKey};
use rustix::fs::Access;

use crate::capability::{Capabilities, CutsTunnels};
use crate::driver::{EdgeDriver, GateSet, GateView, Lint, Stage, Target, TunnelCount};
use crate::error::EdgeError;
use crate::gate::Gate;
use crate::sockets::Origins;

/// A gate directory and what is particular about the data plane that reads it.
pub(crate) struct GateDriver {
    edge: String,
    folder: PathBuf,
    gate: Gate,
    capabilities: Capabilities,
    /// Whether the reader is an ordinary user, neither us nor root.
    foreign_reader: bool,
    origins: Origins,
}

/// Whether the workers of an edge are an ordinary user: `worker_user` is `root` or `self` where
/// they read whatever we write.
pub(crate) fn reads_as_somebody_else(target: &Target) -> bool {
    let worker = target.settings.get("worker_user").map_or("", String::as_str);
    !["root", "self"].contains(&worker)
}

impl GateDriver {
    pub(crate) fn create(
        target: &Target,
        capabilities: Capabilities,
        foreign_reader: bool,
    ) -> Result<Self, EdgeError> {
        let gate = Gate::create(&target.gate)?;
        let (edge, folder) = (target.name.clone(), target.gate.clone());
        let origins = Origins::of(target);
        Ok(Self { edge, folder, gate, capabilities, foreign_reader, origins })
    }
}

impl EdgeDriver for GateDriver {
    fn capabilities(&self) -> Capabilities {
        self.origins.able(self.capabilities)
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(&self.folder, &self.gate, None)?;
        if self.foreign_reader {
            lints.extend(
                unreadable(&self.folder)
                    .map(|path| Lint::error("gate-not-readable", path.display().to_string())),
            );
        }
        if self.capabilities.cuts_tunnels == CutsTunnels::Nobody {
            lints.extend(self.origins.lint(&self.edge));
        }
        let entries = self.gate.entries().map_err(|error| error.at(&self.edge))?;
        lints.extend(
            entries.strange.into_iter().map(|name| Lint::warning("gate-strange-entry", name)),
        );
        let foreign = self.gate.foreign().map_err(|error| error.at(&self.edge))?;
        lints.extend(foreign.iter().map(|key| Lint::warning("foreign-dark", key.as_str())));
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.gate.fence.owned().map_err(|error| error.at(&self.edge))
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.observe(keys).map_err(|error| error.at(&self.edge))
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.gate.apply(epoch, stage, dark).map_err(|error| error.at(&self.edge))
    }

    /// Both copies are the same folder.
    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.apply(epoch, Stage::Durable, dark)
    }

    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        self.gate.get_ready(keys, is_over).map_err(|error| error.at(&self.edge))
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let applied = self.gate.apply_changes(epoch, stage, dark, changed);
        applied.map_err(|error| error.at(&self.edge))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        if self.capabilities.cuts_tunnels == CutsTunnels::DataPlane {
            return Ok(vec![TunnelCount::ClosedByDataPlane; keys.len()]);
        }
        self.origins.count(keys).map_err(|error| error.at(&self.edge))
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let _held = self.gate.fence.enter(epoch).map_err(|error| error.at(&self.edge))?;
        if self.capabilities.cuts_tunnels == CutsTunnels::DataPlane {
            return Ok(());
        }
        self.origins.cut(keys).map_err(|error| error.at(&self.edge))
    }
}

/// What every driver can see on its gate directory, and on the file that its program reads where
/// there is one: writable by us and nobody else, epoch readable.
pub(crate) fn lint_folder(
    folder: &Path,
    gate: &Gate,
    file: Option<&Path>,
) -> Result<Vec<Lint>, EdgeError> {
    let mut lints = Vec::new();
    // Who may write the folder of a file puts another one there.
    let is_other = |around: &&Path| *around != folder && !around.as_os_str().is_empty();
    let around = file.and_then(Path::parent).filter(is_other);
    for folder in std::iter::once(folder).chain(around) {
        if rustix::fs::access(folder, Access::WRITE_OK | Access::EXEC_OK).is_err() {
            lints.push(Lint::error("gate-not-writable", folder.display().to_string()));
        }
    }
    let ours = [folder.to_owned(), gate.current(), gate.fence.path()];
    for path in ours.into_iter().chain(around.into_iter().chain(file).map(Path::to_owned)) {
        match fs::metadata(&path) {
            Ok(metadata) if is_open(&metadata, Some(path.as_path()) == around) => {
                lints.push(Lint::error("gate-writable-by-others", path.display().to_string()));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                lints.push(Lint::error("gate-not-readable", path.display().to_string()));
            }
            _ => {}
        }
    }
    let unreadable = gate.fence.peek(|record| Ok(record.is_err()))?;
    if unreadable {
        lints.push(Lint::error("epoch-unreadable", gate.fence.path().display().to_string()));
    }
    Ok(lints)
}

/// Whether somebody else may write what has this mode. In a folder that is not only ours, the
/// sticky bit leaves everybody what is theirs, and its group may be how we come to write there.
fn is_open(metadata: &fs::Metadata, is_around: bool) -> bool {
    let mode = metadata.permissions().mode();
    let by_others = if is_around && is_our_group(metadata.gid()) { 0o002 } else { 0o022 };
    mode & by_others != 0 && !(is_around && mode & 0o1000 != 0)
}

fn is_our_group(group: u32) -> bool {
    let others = rustix::process::getgroups().unwrap_or_default();
    others.into_iter().chain([rustix::process::getegid()]).any(|it| it.as_raw() == group)
}

/// The first folder on the way to the gate that other users cannot enter: workers that cannot read
/// the gate leave every site lit, without an error.
pub(crate) fn unreadable(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let closed = |path: &&Path| {
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 == 0)
    };
    folder.ancestors().find(closed).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::durable;

    #[test]
    fn a_gate_below_a_private_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let gate = folder.path().join("gate");
        durable::create_folder(&gate).unwrap();
        let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
        mode(0o700).unwrap();
        let private = folder.path().canonicalize().unwrap();
        assert_eq!(unreadable(&gate).as_ref(), Some(&private));
        mode(0o755).unwrap();
        // What is above the folder is the machine's.
        assert_ne!(unreadable(&gate), Some(private));
    }

    /// Goal: a map that others can write, or put another one in the place of, is told, and so is
    /// one whose folder is not ours to write. Method: the map of an HAProxy outside of its gate,
    /// that of an Apache in it, and the file of a Traefik.
    #[test]
    fn a_map_that_somebody_else_may_write_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let around = folder.path().join("edge");
        durable::create_folder(&around).unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let found = |kind: &str, file: &Path| {
            let gate = Gate::create(&folder.path().join(kind)).unwrap();
            let lints = lint_folder(&folder.path().join(kind), &gate, Some(file)).unwrap();
            lints.into_iter().map(|lint| (lint.code, lint.place)).collect::<Vec<_>>()
        };
        let other = |path: &Path| ("gate-writable-by-others", path.display().to_string());
        for (kind, file) in [
            ("haproxy", around.join("dark.map")),
            ("apache", folder.path().join("apache/dark.txt")),
        ] {
            assert_eq!(found(kind, &around.join("none")), [], "before there is one");
            fs::write(&file, "").unwrap();
            mode(&file, 0o644);
            assert_eq!(found(kind, &file), []);
            mode(&file, 0o666);
            assert_eq!(found(kind, &file), [other(&file)]);
            mode(&file, 0o620);
            assert_eq!(found(kind, &file), [other(&file)], "{kind}: by a group");
            mode(&file, 0o600);
        }
        let map = around.join("dark.map");
        mode(&around, 0o775);
        assert_eq!(found("haproxy", &map), [], "by our own group");
        mode(&around, 0o777);
        assert_eq!(found("haproxy", &map), [other(&around)]);
        mode(&around, 0o1777);
        assert_eq!(found("haproxy", &map), [], "everybody keeps what is theirs");
        let gone = folder.path().join("gone/dark.map");
        let around = gone.parent().unwrap().display().to_string();
        assert_eq!(found("traefik", &gone), [("gate-not-writable", around)]);
    }

    #[test]
    fn only_workers_that_are_somebody_else_need_an_open_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let lint = |worker: &str| {
            let target = Target {
                name: "north".into(),
                kind: "nginx_file".into(),
                gate: folder.path().join("gate"),
                listeners: Vec::new(),
                verify: None,
                settings: [("worker_user", worker), ("upgrades", "refused")]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .into(),
                members: Vec::new(),
            };
            crate::driver::open(&target).unwrap().lint().unwrap()
        };
        assert_eq!(lint("root"), []);
        assert_eq!(lint("self"), []);
        assert_eq!(lint("www-data")[0].code, "gate-not-readable");
    }
}
