//! One open container, and where its members are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use relight_model::FlawCode;

use super::budget::Tap;
use crate::archive::{Container, Entry, Links, Node};
use crate::cataloger::{Kind, Listed, Listing};
use crate::evidence::{escape, in_archive, place_of};
use crate::fingerprint::Learnt;
use crate::window::Window;

/// Bytes of names in one listing. What is beyond is read and not listed.
pub(super) const LISTING_BYTES_MAX: u64 = 16 << 20;

/// Bytes that a listed member takes beside its name.
pub(super) const LISTED_BYTES: u64 = 96;

/// One container that is being read.
pub(super) struct Level {
    /// The evidence path of the container.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) container: Box<dyn Container>,
    pub(super) listing: Listing,
    /// How often a name was met, by its hash, where the container does not count itself.
    names: HashMap<u64, u32>,
    /// Its own bytes, when they can be read again: to notice a container that holds itself.
    pub(super) origin: Option<Window>,
    /// Its own bytes, when they come by once: checked when it is closed.
    pub(super) tap: Option<Rc<RefCell<Tap>>>,
    /// Memory that is given back when it is closed.
    pub(super) held: u64,
    /// Bytes of names and of kept members.
    pub(super) listing_bytes: u64,
    pub(super) kept_bytes: u64,
    /// How many `!/` its own path has.
    pub(super) depth: u32,
    /// What its members are, when it is an archive that was learnt.
    pub(super) learnt: Option<Learnt>,
    /// It may be no container at all: nothing is said of it unless a member is found.
    pub(super) is_guess: bool,
    /// What may hold a container was read in another way.
    pub(super) is_read: bool,
    /// What is said when no member is found, where something should be.
    pub(super) unless_found: Option<FlawCode>,
    /// It is a stream behind whose end something seems to stand: it is read to its end.
    pub(super) is_suspect: bool,
    /// It is the stream around the payload of a package.
    pub(super) is_payload: bool,
    /// Other names of its members.
    pub(super) links: Links,
    /// It was read before, and this is about other names of its members.
    pub(super) is_again: bool,
}

/// Where a member is, and what its container says of it.
#[derive(Clone)]
pub(super) struct Member {
    /// Its evidence path.
    pub(super) path: String,
    /// Its own name, as bytes.
    pub(super) name: Vec<u8>,
    /// Bytes that it takes in its container.
    pub(super) packed: u64,
    /// Its place in the listing of the innermost container.
    pub(super) listed: Option<usize>,
    /// Containers that are places of their own, around it.
    pub(super) depth: u32,
    /// It is what a package is there for.
    pub(super) is_payload: bool,
}

impl Level {
    pub(super) fn new(path: &str, kind: Kind, container: Box<dyn Container>, depth: u32) -> Self {
        Self {
            path: path.to_owned(),
            kind,
            container,
            listing: Listing { complete: true, ..Listing::default() },
            names: HashMap::new(),
            origin: None,
            tap: None,
            held: 0,
            listing_bytes: 0,
            kept_bytes: 0,
            depth,
            learnt: None,
            is_guess: false,
            is_read: false,
            unless_found: None,
            is_suspect: false,
            is_payload: false,
            links: Links::default(),
            is_again: false,
        }
    }

    /// The same container once more, for other names of its members.
    pub(super) fn again(path: &str, kind: Kind, container: Box<dyn Container>, depth: u32) -> Self {
        Self { is_again: true, ..Self::new(path, kind, container, depth) }
    }

    /// Keeps another name of a member. Beyond the room of the listing its members are not all
    /// listed either, and that is said; until then, of the member that fills it, it is kept.
    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) {
        if self.listing_bytes <= LISTING_BYTES_MAX || self.listing.complete {
            let (place, target) = (place_of(name), place_of(target));
            self.listing_bytes += LISTED_BYTES + (place.len() + target.len()) as u64;
            self.links.insert(place, target);
        }
    }

    /// Keeps a symbolic link; or says why not.
    pub(super) fn symbolic(&mut self, name: &[u8], target: &[u8]) -> Option<FlawCode> {
        self.links.insert_symbolic(place_of(name), target)
    }

    /// Which member of its name it is.
    pub(super) fn copy_of(&mut self, entry: &Entry) -> u32 {
        if entry.copy > 0 || entry.node == Node::Folder {
            return entry.copy;
        }
        let mut hasher = DefaultHasher::new();
        entry.name.hash(&mut hasher);
        let count = self.names.entry(hasher.finish()).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// The evidence path of a member.
    pub(super) fn path_of(&self, name: &[u8]) -> String {
        // Some writers of zips put the other slash between folders, and unpacked it is none.
        if self.kind == Kind::Zip && memchr::memchr(b'\\', name).is_some() {
            let slashed = name.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte });
            return in_archive(&self.path, &escape(&slashed.collect::<Vec<u8>>()));
        }
        in_archive(&self.path, &escape(name))
    }

    /// Lists a member under its names; where it stands in the listing.
    pub(super) fn list(&mut self, entry: &Entry) -> Option<usize> {
        let names = entry.other_name.iter().chain([&entry.name]);
        for name in names {
            if self.listing_bytes > LISTING_BYTES_MAX {
                return None;
            }
            self.listing_bytes += LISTED_BYTES + name.len() as u64;
            let name = with_slashes(name);
            let is_file = entry.node == Node::File;
            let crc = entry.crc.filter(|_| is_file);
            self.listing.entries.push(Listed { name, size: entry.size, crc, ..Listed::default() });
        }
        self.listing.entries.len().checked_sub(1)
    }
}

impl Member {
    /// Its name as it stands in a listing.
    pub(super) fn name_with_slashes(&self) -> String {
        with_slashes(&self.name)
    }
}

pub(super) fn with_slashes(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(valid) if memchr::memchr(b'\\', name).is_none() => valid.to_owned(),
        _ => String::from_utf8_lossy(name).replace('\\', "/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Feed, Tar};

    #[test]
    fn the_link_that_fills_a_listing_is_kept_and_those_behind_it_are_said() {
        let nothing = Tar::new(Feed::of_window(&Window::default()));
        let mut level = Level::new("o", Kind::Tar, Box::new(nothing), 0);
        let count = |level: &Level| level.links.files().count();
        level.listing_bytes = LISTING_BYTES_MAX;
        let entry = Entry::bare(b"last".to_vec(), Node::HardLink(b"file".to_vec()));
        level.list(&entry);
        assert!(level.listing_bytes > LISTING_BYTES_MAX);
        level.link(b"last", b"file");
        assert_eq!(count(&level), 1);
        // What is said of a level is that its listing is not complete.
        level.listing.complete = false;
        level.link(b"next", b"file");
        assert_eq!(count(&level), 1);
    }
}
