//! A gate as a map, `key 1` a line: the durable copy of HAProxy and the gate of Apache.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use relight_model::{Epoch, GateKey, Seen};

use crate::driver::GateSet;
use crate::durable;
use crate::error::EdgeError;
use crate::fence::{self, Held, Record};

/// The entry that tells which epoch a copy of the map belongs to; no gate key starts with a dot.
pub(crate) const SENTINEL: &str = ".relight.epoch";

/// Most copies of edited maps that are kept beside a gate; the oldest goes first.
pub(crate) const FOUND_MAX: usize = 8;

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
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(EdgeError::io(format!("read {}", path.display())))?,
        };
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Some(Self::from_entries(lines.map(entry))))
    }

    /// The epoch that a file tells; none where it tells none or cannot be read. Ours stands in the
    /// first line: nobody waits for thousands of others.
    pub(crate) fn epoch_in(path: &Path) -> Option<Epoch> {
        let lines = BufReader::new(File::open(path).ok()?).lines().map_while(Result::ok);
        let mut values = lines.filter_map(|line| {
            let (key, value) = entry(line.trim());
            (key == SENTINEL).then(|| value.to_owned())
        });
        values.next().and_then(|value| fence::parse_epoch(&value))
    }

    pub(crate) fn from_entries<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut dark, mut others, mut epochs) = (Vec::new(), Vec::new(), Vec::new());
        let mut strange = false;
        for (key, value) in entries {
            match GateKey::new(key) {
                _ if key == SENTINEL => epochs.push(fence::parse_epoch(value)),
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

    /// Somebody else wrote it: it holds what we never write, or has lost the epoch that a gate of
    /// ours tells, or a key that was closed here and is not to be opened. Where an order was noted
    /// and its map not written, the keys that are not there say nothing.
    fn is_edited(&self, before: &Record, wanted: &GateSet) -> bool {
        let is_lost = |key: &GateKey| before.own.contains(key) && !self.dark.contains(key);
        self.strange
            || (self.epoch.is_none() && before.epoch.is_some())
            || (self.epoch == before.epoch && wanted.iter().any(is_lost))
    }

    pub(crate) fn holds(&self, epoch: Epoch, target: &GateSet) -> bool {
        !self.strange && self.epoch == Some(epoch) && self.dark == *target
    }
}

/// The key and the value of a line.
fn entry(line: &str) -> (&str, &str) {
    let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (key, value.trim())
}

/// The file of a map that somebody edited, as it is before it is written anew for `wanted`.
/// `before` is the record that stood there before this order.
pub(crate) fn edited(
    map: &Path,
    copy: &MapCopy,
    before: &Record,
    wanted: &GateSet,
) -> Option<Vec<u8>> {
    copy.is_edited(before, wanted).then(|| fs::read(map).ok()).flatten()
}

/// Keeps such a file as `found-1.map` and so on in the folder of the gate: after the gate was
/// written, which neither waits for it nor lacks the room that it takes. What cannot be kept is
/// lost.
pub(crate) fn keep(gate: &Path, edited: Option<Vec<u8>>) {
    let keep = |bytes: Vec<u8>| -> io::Result<()> {
        let found = found(gate)?;
        // The same again is what a fight looks like, and is kept once.
        if let Some((_, last)) = found.last()
            && fs::read(last)? == bytes
        {
            return Ok(());
        }
        let number = found.last().map_or(1, |(number, _)| number + 1);
        durable::write(&gate.join(format!("found-{number}.map")), &bytes)?;
        let old = (found.len() + 1).saturating_sub(FOUND_MAX);
        found.iter().take(old).try_for_each(|(_, path)| fs::remove_file(path))
    };
    drop(edited.map(keep));
}

/// The copies that were kept beside a gate, oldest first.
pub(crate) fn found(gate: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(gate)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("found-").and_then(|rest| rest.strip_suffix(".map"));
        found.extend(number.and_then(|it| it.parse().ok()).map(|number: u64| (number, path)));
    }
    found.sort();
    Ok(found)
}

/// Gives up keys that are gone from both copies; a copy that could not be read may hold them.
pub(crate) fn retire(
    held: &mut Held,
    wanted: &GateSet,
    runtime: Option<&MapCopy>,
) -> Result<(), EdgeError> {
    let Some(runtime) = runtime else { return Ok(()) };
    held.let_go(&(wanted | &runtime.dark))
}

/// The lines of a copy: the sentinel first, then one per key.
pub(crate) fn lines(epoch: Epoch, target: &GateSet) -> impl Iterator<Item = String> {
    std::iter::once(sentinel(epoch)).chain(target.iter().map(line))
}

/// The line of a key that is dark.
pub(crate) fn line(key: &GateKey) -> String {
    format!("{key} 1")
}

/// The line that tells the epoch of a copy.
pub(crate) fn sentinel(epoch: Epoch) -> String {
    format!("{SENTINEL} {}", fence::text(epoch))
}

/// A copy as a file.
pub(crate) fn text(epoch: Epoch, target: &GateSet) -> String {
    lines(epoch, target).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what somebody wrote into a map is there to be looked at after we wrote it anew, once
    /// each, and never without end; what we wrote is not kept.
    #[test]
    fn what_somebody_edited_is_kept_once_each() {
        let folder = durable::quick_folder();
        let (gate, map) = (folder.path(), folder.path().join("dark.map"));
        let epoch = Epoch { term: 1, seq: 2 };
        let a: GateSet = [GateKey::new("a").unwrap()].into();
        let before = |epoch, own: &GateSet| Record { epoch, own: own.clone() };
        let write = |lines: &str, before: &Record, wanted: &GateSet| {
            fs::write(&map, lines).unwrap();
            let copy = MapCopy::read(&map).unwrap().unwrap();
            keep(gate, edited(&map, &copy, before, wanted));
            found(gate).unwrap().len()
        };
        let (none, ours) = (GateSet::new(), text(epoch, &a));
        let known = before(Some(epoch), &a);
        assert_eq!(write(&ours, &known, &a), 0);
        assert_eq!(write("", &before(None, &none), &a), 0, "a new map");
        let empty = text(epoch, &none);
        assert_eq!(write(&empty, &before(Some(epoch), &none), &a), 0, "it is closed now");
        assert_eq!(write(&empty, &known, &none), 0, "it was opened here, and is ours until then");
        let newer = before(Some(Epoch { term: 1, seq: 3 }), &a);
        assert_eq!(write(&empty, &newer, &a), 0, "it could not be written");
        assert_eq!(write(&empty, &known, &a), 1, "somebody opened a site by hand");
        assert_eq!(write("", &known, &none), 2, "somebody emptied it");
        let doubled = format!("{ours}a 1\n");
        assert_eq!((write(&doubled, &known, &a), write(&doubled, &known, &a)), (3, 3));
        for number in 0..20 {
            write(&format!("{ours}b {number}0\n"), &known, &a);
        }
        let kept = found(gate).unwrap();
        assert_eq!(kept.len(), FOUND_MAX);
        let (last, path) = kept.last().unwrap();
        assert_eq!(*last, 23);
        assert!(fs::read_to_string(path).unwrap().ends_with("b 190\n"));
    }
}
