//! Where the parts of an image are: a folder, or a tar archive of the same.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::CString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use relight_model::FlawCode;
use rustix::fs::fstat;

use super::Form;
use crate::archive::{
    Body, Container, Damage, Entry, Feed, Linked, Links as OtherNames, Node, Tar, join_names,
};
use crate::cataloger::Kind;
use crate::evidence::place_of;
use crate::folder::{self, Links};
use crate::sniff::{HEAD_BYTES, Head, head};
use crate::steady::Stamp;
use crate::walk::open_file;
use crate::window::{Pace, Window};

/// Links between parts that are followed, one behind the other.
const LINKS_MAX: u32 = 8;

/// Members of a tar archive among which the parts of an image are looked for: an image has at most
/// 127 layers, of three members each in the oldest form.
const MEMBERS_MAX: usize = 4_096;

/// Links of a tar archive that are other names of what lies beside an image.
const OTHER_NAMES_MAX: usize = 4_096;

/// The parts of an image by their names (`blobs/sha256/…`, `manifest.json`).
pub(crate) trait Store {
    /// The bytes of a part; `None` when it is not there or cannot be opened.
    fn open(&self, name: &str) -> Option<Window>;

    /// The parts that are not what they were when they were opened.
    fn changed(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An unpacked layout.
pub(crate) struct InFolder {
    folder: Arc<OwnedFd>,
    pace: Option<Arc<dyn Pace>>,
    /// What each part was when it was first opened.
    opened: RefCell<BTreeMap<String, Stamp>>,
}

impl InFolder {
    pub(crate) fn new(folder: Arc<OwnedFd>, pace: Option<Arc<dyn Pace>>) -> Self {
        Self { folder, pace, opened: RefCell::default() }
    }

    /// Whether there is a folder of this name.
    pub(super) fn is_folder(&self, name: &str) -> bool {
        self.folder_of(name.split('/')).is_some()
    }

    /// Name by name, without links: a hostile layout must not lead out of its folder.
    fn folder_of<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<Arc<OwnedFd>> {
        let mut folder = Arc::clone(&self.folder);
        for name in names.filter(|name| !matches!(*name, "" | ".")) {
            if name == ".." {
                return None;
            }
            let name = CString::new(name).ok()?;
            folder = Arc::new(folder::open(&folder, &name, Links::Refuse).ok()?);
        }
        Some(folder)
    }

    fn find(&self, name: &str) -> Option<(OwnedFd, Stamp)> {
        let mut names = name.split('/');
        let last = CString::new(names.next_back()?).ok()?;
        let folder = self.folder_of(names)?;
        let file = open_file(&folder, &last, Links::Refuse).ok()?;
        let stamp = Stamp::of_file(&fstat(&file).ok()?)?;
        Some((file, stamp))
    }
}

impl Store for InFolder {
    fn open(&self, name: &str) -> Option<Window> {
        let (file, stamp) = self.find(name)?;
        self.opened.borrow_mut().entry(name.to_owned()).or_insert(stamp);
        Some(Window::of_paced_file(File::from(file), stamp.size, self.pace.clone()))
    }

    fn changed(&self) -> Vec<String> {
        let opened = self.opened.borrow();
        let has_changed = |(name, stamp): &(&String, &Stamp)| {
            self.find(name).is_none_or(|(_, now)| now != **stamp)
        };
        opened.iter().filter(has_changed).map(|(name, _)| name.clone()).collect()
    }
}

/// A tar archive of a layout, or of `docker save`.
pub(crate) struct InTar {
    /// What is there under each name, and which member of the archive it is.
    parts: HashMap<String, (usize, Part)>,
}

enum Part {
    Bytes(Window),
    /// The name that it links to, from its own folder.
    Link(String),
}

impl InTar {
    /// The parts of a tar archive that is not compressed.
    pub(crate) fn new(window: &Window) -> Self {
        let mut tar = Tar::new(Feed::of_window(window));
        let mut parts = HashMap::new();
        for at in 0..MEMBERS_MAX {
            let Some(entry) = tar.next() else { break };
            // What is damaged is missed when it is looked for.
            let Ok(entry) = entry else { continue };
            let Ok(name) = String::from_utf8(entry.name) else { continue };
            let part = match (entry.node, entry.body) {
                (Node::File, Body::Plain(window)) => Part::Bytes(window),
                (Node::Link(target), _) => Part::Link(beside(&name, &target)),
                (Node::HardLink(target), _) => {
                    Part::Link(String::from_utf8_lossy(&target).trim_start_matches("./").to_owned())
                }
                _ => continue,
            };
            // As when it is unpacked, the last of a name counts.
            parts.insert(name, (at, part));
        }
        Self { parts }
    }

    /// The image that a file is, if it is one.
    pub(crate) fn image_in(window: &Window) -> Option<(Self, Form)> {
        let bytes = window.read(0, HEAD_BYTES).ok()?;
        if !matches!(head(&bytes), Head::Container(Kind::Tar)) {
            return None;
        }
        let tar = Self::new(window);
        let form = Form::of_tar(&tar)?;
        Some((tar, form))
    }

    /// Which member of the archive a part is, and its bytes.
    fn find(&self, name: &str) -> Option<(usize, &Window)> {
        let mut name = name;
        for _ in 0..=LINKS_MAX {
            match self.parts.get(name.trim_start_matches("./"))? {
                (at, Part::Bytes(window)) => return Some((*at, window)),
                (_, Part::Link(target)) => name = target,
            }
        }
        None
    }

    /// The files of the archive that are none of these parts, and what is damaged.
    pub(crate) fn others(
        &self,
        window: &Window,
        parts: &[String],
    ) -> impl Iterator<Item = Result<Entry, Damage>> {
        let known = parts.iter().filter_map(|part| self.find(part));
        let known: HashSet<usize> = known.map(|(at, _)| at).collect();
        let mut tar = Tar::new(Feed::of_window(window));
        let members = std::iter::from_fn(move || tar.next()).enumerate();
        members.filter_map(move |(at, member)| match member {
            Ok(entry) => (entry.node == Node::File && !known.contains(&at)).then_some(Ok(entry)),
            Err(damage) => Some(Err(damage)),
        })
    }

    /// The files of the archive once more, under names that say more than their first.
    pub(crate) fn linked(
        window: &Window,
        says: &dyn Fn(&str) -> bool,
        says_more: &dyn Fn(&str, &str) -> bool,
        held_bytes_max: u64,
    ) -> impl Iterator<Item = Result<Entry, Damage>> {
        let (mut tar, mut links) = (Tar::new(Feed::of_window(window)), OtherNames::default());
        let mut refused = Vec::new();
        // What is damaged was told the first time.
        let names = std::iter::from_fn(|| tar.next()).flatten();
        let is_link = |entry: &Entry| matches!(entry.node, Node::HardLink(_) | Node::Link(_));
        let mut names = names.filter(is_link);
        for entry in names.by_ref().take(OTHER_NAMES_MAX) {
            let place = place_of(&entry.name);
            match entry.node {
                Node::HardLink(target) => links.insert(place, place_of(&target)),
                Node::Link(target) => {
                    let code = links.insert_symbolic(place.clone(), &target);
                    refused.extend(code.filter(|_| says(&place)).map(|code| (code, entry.name)));
                }
                _ => {}
            }
        }
        // More symbolic links than are kept are more than so many.
        let is_cut = names.next().is_some() || links.is_cut();
        let too_many = is_cut.then(|| Err(Damage::new(FlawCode::LimitEntries, 0)));
        let symbolic = links.telling_symbolic(says, &mut |_, _| {});
        let too_deep = links.too_deep(says_more).into_iter().chain(symbolic.too_long);
        let unread = too_deep.map(|name| (FlawCode::LimitDepth, name)).chain(refused);
        let unread = unread.map(|(code, name)| {
            Ok(Entry { flaws: vec![code], ..Entry::file(name, None, Body::Nothing) })
        });
        let telling = join_names(links.telling(says_more), symbolic.names);
        let again = || Box::new(Tar::new(Feed::of_window(window)));
        let mut again =
            (!telling.is_empty()).then(|| Linked::new(again(), telling, held_bytes_max));
        too_many.into_iter().chain(unread).chain(std::iter::from_fn(move || again.as_mut()?.next()))
    }

    /// Whether there is a part of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }
}

impl Store for InTar {
    fn open(&self, name: &str) -> Option<Window> {
        self.find(name).map(|(_, window)| window.clone())
    }
}

/// The target of a link, from the folder of the link (`../ID/layer.tar` of the oldest images).
fn beside(name: &str, target: &[u8]) -> String {
    let target = String::from_utf8_lossy(target);
    let mut names: Vec<&str> = name.split('/').collect();
    names.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(names.pop()),
            part => names.push(part),
        }
    }
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_from_their_own_folder() {
        for (name, target, expected) in [
            ("b/layer.tar", "../a/layer.tar", "a/layer.tar"),
            ("b/layer.tar", "x.tar", "b/x.tar"),
            ("layer.tar", "../../a", "a"),
            ("a/b/c", "./../d", "a/d"),
        ] {
            assert_eq!(beside(name, target.as_bytes()), expected);
        }
    }

    #[test]
    fn a_folder_does_not_lead_out_of_itself() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("secret"), "x").unwrap();
        let inner = place.path().join("inner");
        std::fs::create_dir_all(inner.join("blobs")).unwrap();
        std::fs::write(inner.join("blobs/a"), "abc").unwrap();
        std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
        std::os::unix::fs::symlink(place.path(), inner.join("out")).unwrap();
        let folder = Arc::new(OwnedFd::from(File::open(&inner).unwrap()));
        let store = InFolder::new(folder, None);
        assert_eq!(store.open("blobs/a").unwrap().len(), 3);
        assert_eq!(store.open("./blobs//a").unwrap().len(), 3);
        for name in ["../secret", "link", "out/secret", "blobs", "blobs/b", "", "blobs/../blobs/a"]
        {
            assert!(store.open(name).is_none(), "{name}");
        }
    }

    #[test]
    fn parts_that_change_are_told() {
        let place = tempfile::tempdir().unwrap();
        for name in ["same", "longer", "gone", "replaced", "never opened"] {
            std::fs::write(place.path().join(name), "x").unwrap();
        }
        let folder = Arc::new(OwnedFd::from(File::open(place.path()).unwrap()));
        let store = InFolder::new(folder, None);
        let opened = ["same", "longer", "gone", "replaced"].map(|name| store.open(name).is_some());
        assert_eq!((opened, store.changed()), ([true; 4], Vec::new()));
        std::fs::write(place.path().join("longer"), "xx").unwrap();
        std::fs::write(place.path().join("never opened"), "xx").unwrap();
        std::fs::remove_file(place.path().join("gone")).unwrap();
        std::fs::write(place.path().join("next"), "y").unwrap();
        std::fs::rename(place.path().join("next"), place.path().join("replaced")).unwrap();
        // What is opened again is compared with what it was the first time.
        assert_eq!(store.open("longer").unwrap().len(), 2);
        assert_eq!(store.changed(), ["gone", "longer", "replaced"]);
    }
}
