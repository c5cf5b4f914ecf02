//! What every driver offers: read back, apply the whole wanted set, count and cut tunnels.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, Seen};

use crate::capability::{Capabilities, CutsTunnels};
use crate::config::CANARY_KEY;
use crate::drivers::{DRIVERS, told_epoch};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::exec;
use crate::fence::Fence;

/// The keys that an edge must show dark.
pub type GateSet = BTreeSet<GateKey>;

/// One registered edge: where its gate is and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name in the register.
    pub name: String,
    /// Name of its driver, as [`DriverKind::name`] gives it.
    pub kind: String,
    /// The gate directory; every driver keeps its lock and its epoch there.
    pub gate: PathBuf,
    /// Every public listener; each one has to be proven.
    pub listeners: Vec<SocketAddr>,
    /// Unix socket of the verification path behind the gate.
    pub verify: Option<PathBuf>,
    /// What only this kind of edge needs: see [`DriverKind::settings`].
    pub settings: BTreeMap<String, String>,
    /// The edges that this one stands for, where it is a group; none of any other kind.
    pub members: Vec<Target>,
}

/// Name of the setting that says what the edge does with a request to upgrade its connection.
pub const UPGRADES: &str = "upgrades";
/// Its value where none is let through, so that no tunnel can outlive the closing of a gate.
pub const REFUSED: &str = "refused";

impl Target {
    /// Whether the edge is said to let no connection be upgraded.
    pub fn refuses_upgrades(&self) -> bool {
        self.settings.get(UPGRADES).is_some_and(|value| value == REFUSED)
    }

    /// What a kind can do, on an edge where nothing is left to cut.
    pub(crate) fn able(&self, capabilities: Capabilities) -> Capabilities {
        match capabilities.cuts_tunnels {
            CutsTunnels::Nobody if self.refuses_upgrades() => {
                Capabilities { cuts_tunnels: CutsTunnels::Refused, ..capabilities }
            }
            _ => capabilities,
        }
    }

    /// The edges that serve its sites: itself, or those that it stands for.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        let own = self.members.is_empty().then_some(self);
        own.into_iter().chain(&self.members)
    }

    /// A setting without which an edge cannot be opened.
    pub(crate) fn required(&self, name: &str) -> Result<&String, EdgeError> {
        self.settings.get(name).ok_or_else(|| {
            let doing = format!("open an edge of kind {} without the setting `{name}`", self.kind);
            EdgeError::new(EdgeErrorKind::Lint, doing)
        })
    }
}

/// Which copy of the gate an effect is for. Close: durable, runtime, proof. Open: runtime, proof,
/// durable. So every crash and every reload falls to dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// What a restarted edge reads.
    Durable,
    /// What the running edge acts upon.
    Runtime,
}

/// What one gate says about one key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateView {
    /// What the edge would show after a restart.
    pub durable: Seen,
    /// What the running edge acts upon.
    pub runtime: Seen,
    /// The newest epoch seen at the edge; none on a new gate or an unreadable one.
    pub epoch: Option<Epoch>,
    /// Dark by an entry that this product did not write: kept until a person decides.
    pub foreign: bool,
    /// Where several edges stand together, the darkest that any of them shows.
    pub in_part: Option<Seen>,
}

impl GateView {
    /// What any copy shows dark by our hand is dark, also where another copy cannot be seen; what
    /// none can be seen of may be.
    pub fn darkest(&self) -> Seen {
        let copies = [self.durable, self.runtime];
        let own = match copies.contains(&Seen::Dark) {
            _ if self.foreign => Seen::Lit,
            true => Seen::Dark,
            false if copies.contains(&Seen::Lit) => Seen::Lit,
            false => Seen::Unknown,
        };
        self.in_part.unwrap_or(own)
    }
}

/// Connections to the origin of one key that are still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelCount {
    /// The edge counts this many sessions: tunnels and requests still being answered.
    Open(u64),
    /// The data plane closes them by itself; nothing is left to count from here.
    ClosedByDataPlane,
    /// Nobody can tell from here: dark is not proven where tunnels exist.
    Unknown,
    /// Its origin serves keys that are not counted with it: whose connections those are a person
    /// decides.
    Shared,
}

/// How bad a finding of [`EdgeDriver::lint`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintSeverity {
    /// A plan for this edge is refused, unless it is break-glass.
    Error,
    /// Worth knowing.
    Warning,
}

/// One thing that is wrong with the set-up of an edge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lint {
    /// How bad it is.
    pub severity: LintSeverity,
    /// Stable code in kebab case (`gate-not-writable`).
    pub code: &'static str,
    /// What it was seen on: a path, a key, a reply.
    pub place: String,
}

impl Lint {
    pub(crate) fn error(code: &'static str, place: impl Into<String>) -> Self {
        Self { severity: LintSeverity::Error, code, place: place.into() }
    }

    pub(crate) fn warning(code: &'static str, place: impl Into<String>) -> Self {
        Self { severity: LintSeverity::Warning, code, place: place.into() }
    }
}

/// One edge under control. Blocking; one thread per edge.
pub trait EdgeDriver: Send {
    /// What this edge can do.
    fn capabilities(&self) -> Capabilities;

    /// What is wrong with its set-up, as far as it can be seen from this side.
    ///
    /// # Errors
    /// When the edge could not be examined at all.
    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError>;

    /// One view per key, in the order of `keys`.
    ///
    /// # Errors
    /// When the gate itself cannot be read; a view that cannot be had is `Unknown`.
    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError>;

    /// The keys that this gate was told to hold dark and does not show lit again, whoever told it,
    /// under whatever epoch: what an older or another journal ordered is among them.
    ///
    /// # Errors
    /// When the record of the gate cannot be read.
    fn owned(&mut self) -> Result<GateSet, EdgeError>;

    /// Makes one copy of the gate hold exactly `dark`, the whole wanted set (plus foreign dark
    /// entries). Twice is once.
    ///
    /// # Errors
    /// `Fenced` when the gate has seen a newer epoch; an equal one is allowed. After any other
    /// error nothing is known: observe.
    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError>;

    /// Both copies for a closing, the durable one first: for edges that can do it in one look.
    ///
    /// # Errors
    /// As [`EdgeDriver::apply`].
    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.apply(epoch, Stage::Durable, dark)?;
        self.apply(epoch, Stage::Runtime, dark)
    }

    /// Gets ready, while nothing is to do, for an order that closes all of `keys`, and clears away
    /// what earlier effects left. Closes and opens nothing. Stops soon after `is_over` says that
    /// something is to do; whether all is ready.
    ///
    /// # Errors
    /// What is not ready is done when it is needed.
    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        let _ = (keys, is_over);
        Ok(true)
    }

    /// As [`EdgeDriver::apply`] for `changed`, which came together, and leaves every other key as
    /// it is found: one look, one sync and one read-back for all of them, whatever else the gate
    /// holds. `dark` is the whole wanted set as for `apply`, so an edge that cannot do less does
    /// all of it.
    ///
    /// # Errors
    /// As [`EdgeDriver::apply`].
    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let _ = changed;
        self.apply(epoch, stage, dark)
    }

    /// A number that is another one after another process or configuration took over, which may
    /// have read an old copy of the gate: then observe at once. Cheap enough to ask several times a
    /// second; always 0 where a takeover cannot lose the gate.
    ///
    /// # Errors
    /// When the edge does not answer.
    fn generation(&mut self) -> Result<u64, EdgeError> {
        Ok(0)
    }

    /// One count per key, in the order of `keys`.
    ///
    /// # Errors
    /// When the edge does not answer.
    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError>;

    /// Closes every connection to the origins of `keys`.
    ///
    /// # Errors
    /// `Fenced` as in `apply`; `Lint` where this edge cannot cut.
    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError>;
}

/// One thing that only edges of a kind need to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in [`Target::settings`].
    pub name: &'static str,
    /// Whether the edge cannot be opened without it.
    pub required: bool,
}

impl Setting {
    pub(crate) const fn required(name: &'static str) -> Self {
        Self { name, required: true }
    }

    pub(crate) const RELOAD: Self = Self::optional(exec::RELOAD);
    pub(crate) const UPGRADES: Self = Self::optional(UPGRADES);

    pub(crate) const fn optional(name: &'static str) -> Self {
        Self { name, required: false }
    }
}

/// A kind of edge: opens drivers for targets of its name.
pub trait DriverKind: Sync {
    /// The name under which targets ask for it.
    fn name(&self) -> &'static str;

    /// What every edge of this kind can do.
    fn capabilities(&self) -> Capabilities;

    /// What one edge of this kind can do, as far as that is said without opening it.
    fn capabilities_of(&self, target: &Target) -> Capabilities {
        let _ = target;
        self.capabilities()
    }

    /// Every setting that it reads.
    fn settings(&self) -> &'static [Setting];

    /// The newest epoch that a file of the edge beside its gate folder tells.
    fn epoch_beside(&self, target: &Target) -> Option<Epoch> {
        let _ = target;
        None
    }

    /// Opens the driver of one edge; creates its gate directory where there is none.
    ///
    /// # Errors
    /// `Lint` when a setting is missing or unusable, `Io` when the gate cannot be created.
    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError>;
}

/// Whether a new gate needs a first generation, in which nothing is dark, before it shows a site
/// lit. A program of somebody's own needs none, and one that does not tell all that it holds dark
/// would open what somebody closed there.
pub fn needs_first_generation(target: &Target) -> bool {
    target.all().all(|edge| edge.kind != "command")
}

/// The newest epoch that a gate folder of `target`, or a file of its edge, tells; none in one that
/// nobody wrote to. What the Gateway API keeps in annotations as well is not asked for: this
/// changes nothing, and needs no edge that answers.
///
/// # Errors
/// The file of the epoch cannot be read, or is none.
pub fn newest_epoch(target: &Target) -> Result<Option<Epoch>, EdgeError> {
    let told = |target: &Target| told_epoch(target).map_err(|error| error.at(&target.name));
    let told =
        target.all().map(told).try_fold(None, |all: Option<Epoch>, one| Ok(all.max(one?)))?;
    let beside = |target: &Target| kind_of(target).and_then(|kind| kind.epoch_beside(target));
    Ok(told.max(ordered_epoch(target)?).max(target.all().filter_map(beside).max()))
}

/// The same without what an agent only told: the newest epoch under which an edge of an agent was
/// given an order by this register.
pub(crate) fn ordered_epoch(target: &Target) -> Result<Option<Epoch>, EdgeError> {
    let newest =
        |target: &Target| Fence::new(&target.gate).newest().map_err(|error| error.at(&target.name));
    target.all().map(newest).try_fold(None, |all, one| Ok(all.max(one?)))
}

/// The keys that a gate folder of `target` was told to hold dark, without the canary: nothing in
/// one that is not there. Changes nothing, and needs no edge that answers.
///
/// # Errors
/// What is recorded there cannot be read, or not even whether there is a folder: nobody knows.
pub fn held_dark(target: &Target) -> Result<GateSet, EdgeError> {
    let mut dark = GateSet::new();
    for one in target.all() {
        let doing = format!("look for {}", one.gate.display());
        let is_there = one.gate.try_exists().map_err(EdgeError::io(doing));
        if !is_there.map_err(|error| error.at(&one.name))? {
            continue;
        }
        let owned = Fence::new(&one.gate).owned().map_err(|error| error.at(&one.name))?;
        dark.extend(owned.into_iter().filter(|key| key.as_str() != CANARY_KEY));
    }
    Ok(dark)
}

/// What `target` can do, as far as that is said without opening it; nothing for a kind that nobody
/// drives.
pub fn capabilities_of(target: &Target) -> Capabilities {
    kind_of(target).map_or(Capabilities::NONE, |kind| kind.capabilities_of(target))
}

fn kind_of(target: &Target) -> Option<&'static dyn DriverKind> {
    DRIVERS.iter().copied().find(|kind| kind.name() == target.kind)
}

/// Opens the driver of `target` by its kind.
///
/// # Errors
/// `Lint` when no driver has that name, else as [`DriverKind::open`].
pub fn open(target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
    let unknown = || {
        let doing = format!("find a driver for edges of kind `{}`", target.kind);
        EdgeError::new(EdgeErrorKind::Lint, doing).at(&target.name)
    };
    let kind = kind_of(target).ok_or_else(unknown)?;
    kind.open(target).map_err(|error| error.at(&target.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_nobody_drives_is_an_error_with_the_name_of_the_edge() {
        let target = Target {
            name: "north".into(),
            kind: "abacus".into(),
            gate: PathBuf::new(),
            listeners: Vec::new(),
            verify: None,
            settings: BTreeMap::new(),
            members: Vec::new(),
        };
        let error = open(&target).err().unwrap();
        assert_eq!(error.kind, EdgeErrorKind::Lint);
        assert!(error.to_string().starts_with("edge north: cannot find a driver"), "{error}");
    }

    /// Trap: a gate that nobody may enter, or that stands on a file server which is gone, was taken
    /// for one that is not there, and its edge left the register.
    #[test]
    fn what_a_gate_holds_that_cannot_be_looked_for_is_not_nothing() {
        let folder = crate::durable::quick_folder();
        let mount = folder.path().join("mount");
        let target = Target {
            name: "north".into(),
            kind: "builtin".into(),
            gate: mount.join("gate"),
            listeners: Vec::new(),
            verify: None,
            settings: BTreeMap::new(),
            members: Vec::new(),
        };
        assert_eq!(held_dark(&target).unwrap(), GateSet::new());
        std::fs::write(&mount, "no folder").unwrap();
        let error = held_dark(&target).unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Io);
        assert!(error.to_string().starts_with("edge north: "), "{error}");
    }
}
