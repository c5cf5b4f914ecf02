//! Edges that an agent writes on their own machine: what may be asked of it, and who in this
//! process carries the questions there.
//!
//! Whoever has the line says so once, for the folder in which such edges are noted ([`carry`]);
//! where nobody has, an edge of an agent is one that cannot be reached, and never taken for dark.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use relight_model::{Epoch, GateKey};

use crate::capability::Capabilities;
use crate::driver::{EdgeDriver, GateSet, GateView, Lint, Stage, Target, TunnelCount};
use crate::drivers::AGENT;
use crate::error::{EdgeError, EdgeErrorKind};

/// One question to the driver on that machine. It names keys, epochs and stages, and nothing else:
/// what the edge is stands there, in a file of its administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// As [`EdgeDriver::lint`].
    Lint,
    /// As [`EdgeDriver::observe`].
    Observe(Vec<GateKey>),
    /// As [`EdgeDriver::owned`].
    Owned,
    /// As [`EdgeDriver::apply`], or [`EdgeDriver::apply_changes`] where it names changes.
    Apply {
        /// Under which it is done.
        epoch: Epoch,
        /// Which copy.
        stage: Stage,
        /// The whole wanted set.
        dark: GateSet,
        /// The only keys that are touched, where it names any.
        changed: Option<GateSet>,
    },
    /// As [`EdgeDriver::close`].
    Close {
        /// Under which it is done.
        epoch: Epoch,
        /// The whole wanted set.
        dark: GateSet,
    },
    /// As [`EdgeDriver::get_ready`].
    GetReady(GateSet),
    /// As [`EdgeDriver::tunnels`].
    Tunnels(Vec<GateKey>),
    /// As [`EdgeDriver::cut`].
    Cut {
        /// Under which it is done.
        epoch: Epoch,
        /// Whose connections.
        keys: Vec<GateKey>,
    },
}

/// What the driver on that machine answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Ask::Lint`].
    Lints(Vec<Lint>),
    /// To [`Ask::Observe`].
    Views(Vec<GateView>),
    /// To [`Ask::Owned`].
    Keys(GateSet),
    /// To an effect.
    Done,
    /// To [`Ask::GetReady`].
    Ready(bool),
    /// To [`Ask::Tunnels`].
    Tunnels(Vec<TunnelCount>),
}

impl Ask {
    /// Whether it may change anything at the edge.
    pub const fn is_effect(&self) -> bool {
        matches!(self, Self::Apply { .. } | Self::Close { .. } | Self::Cut { .. })
    }

    /// Asks a driver: on the machine of the edge.
    ///
    /// # Errors
    /// As the function of the driver that it stands for.
    pub fn carry_out(
        &self,
        driver: &mut dyn EdgeDriver,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<Reply, EdgeError> {
        let done = |()| Reply::Done;
        match self {
            Self::Lint => driver.lint().map(Reply::Lints),
            Self::Observe(keys) => driver.observe(keys).map(Reply::Views),
            Self::Owned => driver.owned().map(Reply::Keys),
            Self::Apply { epoch, stage, dark, changed: None } => {
                driver.apply(*epoch, *stage, dark).map(done)
            }
            Self::Apply { epoch, stage, dark, changed: Some(changed) } => {
                driver.apply_changes(*epoch, *stage, dark, changed).map(done)
            }
            Self::Close { epoch, dark } => driver.close(*epoch, dark).map(done),
            Self::GetReady(keys) => driver.get_ready(keys, is_over).map(Reply::Ready),
            Self::Tunnels(keys) => driver.tunnels(keys).map(Reply::Tunnels),
            Self::Cut { epoch, keys } => driver.cut(*epoch, keys).map(done),
        }
    }
}

/// The way to the agents of a server.
pub trait AgentLine: Send + Sync {
    /// Asks the agent of an edge, and waits for its answer for a limited time.
    ///
    /// # Errors
    /// What the driver there answered, or `Unreachable` where nobody answered in time.
    fn ask(&self, edge: &str, ask: Ask) -> Result<Reply, EdgeError>;

    /// What the edge can do, as its agent said last; none before it did.
    fn capabilities(&self, edge: &str) -> Option<Capabilities>;

    /// As [`EdgeDriver::generation`], as its agent said last.
    ///
    /// # Errors
    /// The agent is away, or its edge did not tell.
    fn generation(&self, edge: &str) -> Result<u64, EdgeError>;
}

type Lines = Vec<(PathBuf, Arc<dyn AgentLine>)>;

/// Who carries questions in this process, by the folder of what is noted. A process without a
/// server has none.
static LINES: Mutex<Lines> = Mutex::new(Vec::new());

fn with_lines<T>(work: impl FnOnce(&mut Lines) -> T) -> T {
    work(&mut LINES.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Questions are carried for as long as this is held.
#[derive(Debug)]
pub struct Carried(PathBuf);

impl Drop for Carried {
    fn drop(&mut self) {
        with_lines(|lines| lines.retain(|(folder, _)| *folder != self.0));
    }
}

/// From now on this line carries the questions to edges that are noted below `folder`.
#[must_use]
pub fn carry(folder: &Path, line: Arc<dyn AgentLine>) -> Carried {
    with_lines(|lines| {
        lines.retain(|(other, _)| other != folder);
        lines.push((folder.to_owned(), line));
    });
    Carried(folder.to_owned())
}

/// The line to the agent of an edge that is noted in `gate`. A data folder that was moved knows the
/// old place: where this process has one line only, it is that one.
pub(crate) fn line_of(gate: &Path) -> Option<Arc<dyn AgentLine>> {
    with_lines(|lines| {
        let found = lines.iter().find(|(folder, _)| gate.starts_with(folder));
        let only = lines.first().filter(|_| lines.len() == 1);
        found.or(only).map(|(_, line)| Arc::clone(line))
    })
}

/// Whether an edge, or one that it stands for, is written by an agent that nobody in this process
/// can ask.
pub fn is_elsewhere(target: &Target) -> bool {
    target.all().any(|one| one.kind == AGENT && line_of(&one.gate).is_none())
}

/// What a driver on another machine said went wrong, on its way here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What can be done about it.
    pub kind: EdgeErrorKind,
    /// What was being done, to what.
    pub doing: String,
    /// Why it could not be done; empty where nothing more is known.
    pub cause: String,
    /// Whether the same call may succeed later.
    pub retry: bool,
}

impl Trouble {
    /// An error, without what its cause is made of.
    pub fn of(error: &EdgeError) -> Self {
        let mut cause = String::new();
        let mut inner = std::error::Error::source(error);
        while let Some(one) = inner {
            let before = if cause.is_empty() { "" } else { ": " };
            cause.push_str(&format!("{before}{one}"));
            inner = one.source();
        }
        Self { kind: error.kind, doing: error.doing.clone(), cause, retry: error.retry }
    }

    /// The same error, at an edge of this name.
    pub fn error(self, edge: &str) -> EdgeError {
        let mut error = EdgeError::new(self.kind, self.doing);
        error.retry = self.retry;
        if !self.cause.is_empty() {
            error = error.because(self.cause);
        }
        error.at(edge)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io;

    use super::*;
    use crate::driver;

    /// An agent next door: the driver of a built-in edge, asked in this process.
    pub(crate) struct NextDoor(Mutex<Box<dyn EdgeDriver>>);

    impl NextDoor {
        pub(crate) fn at(folder: &Path) -> Arc<Self> {
            let target = Target {
                name: "edge".into(),
                kind: "builtin".into(),
                gate: folder.to_owned(),
                listeners: Vec::new(),
                verify: None,
                settings: [].into(),
                members: Vec::new(),
            };
            Arc::new(Self(Mutex::new(driver::open(&target).unwrap())))
        }
    }

    impl AgentLine for NextDoor {
        fn ask(&self, edge: &str, ask: Ask) -> Result<Reply, EdgeError> {
            let mut driver = self.0.lock().unwrap();
            let told = ask.carry_out(&mut **driver, &|| false);
            told.map_err(|error| Trouble::of(&error).error(edge))
        }

        fn capabilities(&self, _: &str) -> Option<Capabilities> {
            Some(self.0.lock().unwrap().capabilities())
        }

        fn generation(&self, _: &str) -> Result<u64, EdgeError> {
            self.0.lock().unwrap().generation()
        }
    }

    #[test]
    fn an_error_keeps_its_kind_its_place_and_its_cause_on_the_way() {
        let error = EdgeError::io("write /gate/epoch")(io::Error::other("disk full"));
        let told = Trouble::of(&error).error("north");
        assert_eq!(told.to_string(), "edge north: cannot write /gate/epoch");
        let cause = std::error::Error::source(&told).map(ToString::to_string);
        assert_eq!((told.kind, cause.as_deref()), (EdgeErrorKind::Io, Some("disk full")));
        assert!(told.retry);
        let fenced = Trouble::of(&EdgeError::new(EdgeErrorKind::Fenced, "act")).error("north");
        assert_eq!((fenced.kind, fenced.retry), (EdgeErrorKind::Fenced, false));
    }

    #[test]
    fn a_line_carries_for_its_folder_for_as_long_as_it_is_held() {
        let folder = crate::durable::quick_folder();
        let (ours, other) = (folder.path().join("ours"), folder.path().join("oursish"));
        let carried = carry(&ours, NextDoor::at(&folder.path().join("remote")));
        assert!(line_of(&ours.join("north")).is_some());
        assert!(line_of(&other.join("north")).is_some(), "the only one: the folder was moved");
        let another = carry(&folder.path().join("another"), NextDoor::at(&folder.path().join("b")));
        assert!(line_of(&ours.join("north")).is_some());
        assert!(line_of(&other.join("north")).is_none());
        drop((carried, another));
        assert!(line_of(&ours.join("north")).is_none());
    }
}
