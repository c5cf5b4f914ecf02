//! A gate as a map, `key 1` a line: the durable copy of HAProxy and the gate of Apache.

use std::io;
use std::path::Path;

use relight_model::{Epoch, GateKey, Seen};

use crate::driver::GateSet;
use crate::error::EdgeError;
use crate::fence::{self, Held};

/// The entry that tells which epoch a copy of the map belongs to; no gate key starts with a dot.
pub(crate) const SENTINEL: &str = ".relight.epoch";

/// One copy of the map.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct MapCopy {
    pub(crate) dark: GateSet,
    pub(crate) epoch: Option<Epoch>,
    /// It holds what no wanted set asks for: doubles, other values, names that are no keys.
    pub(crate) strange: bool,
}

impl MapCopy {
    /// The copy in a file; none when there is no file.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, EdgeError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(EdgeError::io(format!("read {}", path.display())))?,
        };
        let lines = text.lines().map(str::trim);
        let entry = |line: &str| {
            let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            (key.to_owned(), value.trim().to_owned())
        };
        let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry);
        Ok(Some(Self::from_entries(entries.collect())))
    }

    pub(crate) fn from_entries(entries: Vec<(String, String)>) -> Self {
        let (mut dark, mut others, mut epochs) = (Vec::new(), Vec::new(), Vec::new());
        let mut strange = false;
        for (key, value) in entries {
            match GateKey::new(&key) {
                _ if key == SENTINEL => epochs.push(fence::parse_epoch(&value)),
                Ok(key) if value == "1" => dark.push(key),
                Ok(key) => others.push(key),
                Err(_) => strange = true,
            }
        }
        let count = dark.len();
        // At once: thousands of single insertions took as long as HAProxy takes to tell them.
        let mut copy = Self { dark: dark.into_iter().collect(), ..Self::default() };
        copy.strange = strange || copy.dark.len() < count || !others.is_empty() || epochs.len() > 1;
        copy.epoch = epochs.into_iter().next().flatten();
        // Of two values nobody promises which one counts: only twice dark is dark.
        for key in others {
            copy.dark.remove(&key);
        }
        copy
    }

    pub(crate) fn seen(copy: Option<&Self>, key: &GateKey) -> Seen {
        match copy {
            None => Seen::Unknown,
            Some(copy) if copy.dark.contains(key) => Seen::Dark,
            Some(_) => Seen::Lit,
        }
    }

    pub(crate) fn holds(&self, epoch: Epoch, target: &GateSet) -> bool {
        !self.strange && self.epoch == Some(epoch) && self.dark == *target
    }
}

/// Gives up keys that are gone from both copies; a copy that could not be read may hold them.
pub(crate) fn retire(
    held: &mut Held,
    wanted: &GateSet,
    runtime: Option<&MapCopy>,
) -> Result<(), EdgeError> {
    let mut record = held.record.clone();
    record.own.retain(|key| {
        wanted.contains(key) || runtime.is_none_or(|runtime| runtime.dark.contains(key))
    });
    held.write(record)
}

/// The lines of a copy: the sentinel first, then one per key.
pub(crate) fn lines(epoch: Epoch, target: &GateSet) -> impl Iterator<Item = String> {
    let sentinel = format!("{SENTINEL} {}", fence::text(epoch));
    std::iter::once(sentinel).chain(target.iter().map(|key| format!("{key} 1")))
}

/// A copy as a file.
pub(crate) fn text(epoch: Epoch, target: &GateSet) -> String {
    lines(epoch, target).map(|line| line + "\n").collect()
}
