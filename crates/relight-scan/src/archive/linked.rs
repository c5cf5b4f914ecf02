//! Members of an archive (tar, cpio) once more, under their other names.
//!
//! A link has no bytes of its own, and its file comes by under a name that may say nothing: in the
//! store of a package manager files are called by their digests. So the archive is read once more
//! where a link has a name that counts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use relight_model::FlawCode;

use super::symbolic::{Names, OnWay, Symbolic, Telling};
use super::{Body, Container, Damage, Entry, Node};
use crate::evidence::{place_of, unescape};
use crate::window::Window;

/// Links that are followed, one behind the other.
const LINKS_MAX: u32 = 16;

/// The links of an archive or a layer: other names of its files, by their places.
#[derive(Default)]
pub(crate) struct Links {
    /// Hard links.
    targets: BTreeMap<String, String>,
    symbolic: Symbolic,
}

impl Links {
    /// Another name, and what it is a name of.
    pub(crate) fn insert(&mut self, place: String, target: String) {
        self.symbolic.remove(&place);
        self.targets.insert(place, target);
    }

    /// A symbolic link, and what it says; or why it is not kept.
    pub(crate) fn insert_symbolic(&mut self, place: String, target: &[u8]) -> Option<FlawCode> {
        self.targets.remove(&place);
        self.symbolic.insert(place, target)
    }

    /// Something else has this name.
    pub(crate) fn remove(&mut self, place: &str) {
        self.targets.remove(place);
        self.symbolic.remove(place);
    }

    /// There were more symbolic links than are kept.
    pub(crate) const fn is_cut(&self) -> bool {
        self.symbolic.is_cut()
    }

    /// Each hard link with what it is a name of, a link or a file.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().map(|(place, target)| (place.as_str(), target.as_str()))
    }

    /// Each hard link with its file, over others.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.targets.iter().map(|(place, target)| (place.as_str(), self.last(target)))
    }

    fn last<'a>(&'a self, target: &'a str) -> &'a str {
        let mut last = target;
        for _ in 0..LINKS_MAX {
            match self.targets.get(last) {
                Some(next) => last = next,
                None => break,
            }
        }
        last
    }

    /// Whether what a name means stands behind more links than are followed. Links that lead in a
    /// circle mean nothing.
    fn is_too_deep(&self, place: &str) -> bool {
        let mut met = Vec::new();
        let mut last = place;
        while let Some(next) = self.targets.get(last) {
            if met.contains(&next) {
                return false;
            }
            if met.len() > LINKS_MAX as usize {
                return true;
            }
            met.push(next);
            last = next;
        }
        false
    }

    /// The names that say something and mean a file behind more links than are followed: nobody
    /// reads it under them.
    pub(crate) fn too_deep(&self, says_more: &dyn Fn(&str, &str) -> bool) -> Vec<Vec<u8>> {
        let files = self.files().filter(|(place, file)| says_more(place, file));
        files.filter(|(place, _)| self.is_too_deep(place)).map(|it| unescape(it.0)).collect()
    }

    /// The names that say more than those of their files, by the places of these: found under its
    /// first name, a file is not what it is under the second.
    pub(crate) fn telling(&self, says_more: &dyn Fn(&str, &str) -> bool) -> Names {
        let mut telling = Names::new();
        let files = self.files().filter(|(place, file)| says_more(place, file));
        for (place, file) in files.filter(|(place, _)| !self.is_too_deep(place)) {
            telling.entry(file.to_owned()).or_default().push(unescape(place));
        }
        telling
    }

    /// The symbolic links whose names say something, by the places of their files, whose own names
    /// say nothing. `on_way` gets each with the places that decide what is found under its name;
    /// its file is the last of them.
    pub(crate) fn telling_symbolic(
        &self,
        says: &dyn Fn(&str) -> bool,
        on_way: OnWay<'_>,
    ) -> Telling {
        self.symbolic.telling(says, |place| self.targets.get(place).map(String::as_str), on_way)
    }
}

/// Puts names with others.
pub(crate) fn join_names(mut names: Names, others: Names) -> Names {
    for (place, others) in others {
        names.entry(place).or_default().extend(others);
    }
    names
}

/// The files of an archive that links mean, each once for each of its links.
pub(crate) struct Linked {
    inner: Box<dyn Container>,
    /// The names of the links, by the place of their file.
    names: Names,
    /// Files that were met, and folders that are none.
    met: BTreeSet<String>,
    /// What comes next, last first.
    ahead: Vec<Result<Entry, Damage>>,
    /// Bytes of a file that are held for several names.
    held_bytes_max: u64,
}

impl Linked {
    pub(crate) fn new(inner: Box<dyn Container>, names: Names, held_bytes_max: u64) -> Self {
        Self { inner, names, met: BTreeSet::new(), ahead: Vec::new(), held_bytes_max }
    }

    /// The links whose file is not in the archive, when it was read to its end.
    pub(crate) fn dangling(mut self) -> impl Iterator<Item = Vec<u8>> {
        self.met.iter().for_each(|met| drop(self.names.remove(met)));
        self.names.into_values().flatten()
    }

    /// A file under each of these names.
    fn name(&self, entry: Entry, names: &[Vec<u8>]) -> Vec<Result<Entry, Damage>> {
        let named = |name: &Vec<u8>, body| {
            let flaws = entry.flaws.clone();
            let (size, packed) = (entry.size, entry.packed);
            Entry { packed, flaws, ..Entry::file(name.clone(), size, body) }
        };
        match (entry.body, names) {
            (Body::Plain(window), names) => {
                names.iter().map(|name| Ok(named(name, Body::Plain(window.clone())))).collect()
            }
            (body, [name]) => vec![Ok(named(name, body))],
            (Body::Stream(stream, _), names) => match held(stream, self.held_bytes_max) {
                Ok(window) => {
                    names.iter().map(|name| Ok(named(name, Body::Plain(window.clone())))).collect()
                }
                Err(damage) => names.iter().map(|_| Err(damage)).collect(),
            },
            (Body::Nothing | Body::Packed(..), _) => Vec::new(),
        }
    }
}

/// A stream in memory.
fn held(stream: Box<dyn Read>, bytes_max: u64) -> Result<Window, Damage> {
    let mut bytes = Vec::new();
    stream.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| Damage::of(&error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Damage::new(FlawCode::LimitEntrySize, bytes_max));
    }
    Ok(Window::of_memory(bytes))
}

impl Container for Linked {
    fn next(&mut self) -> Option<Result<Entry, Damage>> {
        loop {
            if let Some(ahead) = self.ahead.pop() {
                return Some(ahead);
            }
            // What is damaged was said the first time.
            let Ok(entry) = self.inner.next()? else { continue };
            let place = place_of(&entry.name);
            let around = place.match_indices('/').map(|(at, _)| &place[..at]);
            let folders = around.chain((entry.node == Node::Folder).then_some(&place[..]));
            let folders = folders.filter(|folder| self.names.contains_key(*folder));
            self.met.extend(folders.map(str::to_owned));
            let Some(names) = self.names.get(&place).filter(|_| entry.node == Node::File) else {
                continue;
            };
            self.ahead = self.name(entry, &names.clone());
            self.ahead.reverse();
            self.met.insert(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Feed, Tar};

    #[test]
    fn links_are_followed_so_far() {
        let mut links = Links::default();
        for at in 0..LINKS_MAX + 2 {
            links.insert(at.to_string(), (at + 1).to_string());
        }
        let end = LINKS_MAX + 2;
        assert_eq!(links.last("2"), end.to_string());
        assert_eq!(links.last("1"), (end - 1).to_string(), "one more is not followed");
        links.insert("loop".to_owned(), "loop".to_owned());
        assert_eq!(links.last("loop"), "loop");
        // What is not followed is told, and not looked for; a circle is neither.
        assert_eq!(links.too_deep(&|_, _| true), [b"0".to_vec()]);
        let telling = links.telling(&|_, _| true);
        let looked_for = |name: &[u8]| telling.values().flatten().any(|it| it == name);
        assert_eq!([&b"0"[..], b"1", b"loop"].map(looked_for), [false, true, true]);
    }

    #[test]
    fn names_that_say_more_are_told_by_their_files() {
        let mut links = Links::default();
        for (place, target) in [("b", "a"), ("c/known", "b"), ("known", "a"), ("gone", "a")] {
            links.insert(place.to_owned(), target.to_owned());
        }
        links.remove("gone");
        let telling = links.telling(&|name, _| name.ends_with("known"));
        let names = vec![b"c/known".to_vec(), b"known".to_vec()];
        assert_eq!(telling, BTreeMap::from([("a".to_owned(), names)]));
    }

    /// A file under several names is held, up to a limit; one under a single name need not be.
    #[test]
    fn what_is_held_for_several_names_is_bounded() {
        let held = |bytes: &[u8], max| held(Box::new(std::io::Cursor::new(bytes.to_vec())), max);
        assert_eq!(held(b"12345", 5).unwrap().len(), 5);
        assert_eq!(held(b"123456", 5).unwrap_err().code, FlawCode::LimitEntrySize);
        let names = BTreeMap::from([("gone".to_owned(), vec![b"x".to_vec()])]);
        let nothing = Tar::new(Feed::of_window(&Window::of_memory(vec![0; 1_024])));
        let mut linked = Linked::new(Box::new(nothing), names, 5);
        assert!(linked.next().is_none());
        assert_eq!(linked.dangling().collect::<Vec<_>>(), [b"x".to_vec()]);
    }
}
