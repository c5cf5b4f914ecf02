//! One file of the tree and everything inside it: sniffed, opened, catalogued, accounted.

mod account;
mod answer;
mod behind;
mod budget;
mod fetch;
mod images;
mod level;
mod links;
mod look;
mod metered;
mod open;
mod outer;
mod ranged;
mod rewind;
mod sections;
mod skim;
#[cfg(test)]
mod skim_tests;
mod stream;
mod windows;

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use relight_model::{ClassNames, Component, Flaw, FlawCode, Profile, Warning};

pub use account::Account;
pub use answer::fast_answer;
pub(crate) use skim::count_selected;

use self::budget::Memory;
use self::level::with_slashes;
use self::outer::{Buffers, Outer};
use crate::archive::{Body, Entry};
use crate::cataloger::{ClassPrint, ClassReader, Index, Listing};
use crate::catalogers;
use crate::distribution::Distributions;
use crate::evidence::{file_name, unescape};
use crate::limits::Options;
use crate::ownership::Ownership;
use crate::sniff::Gap;
use crate::window::Window;

/// Links that may stand for classes of which the places are kept.
const LINKED_MAX: usize = 65_536;

/// What reading one file, or many, gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) components: Vec<Component>,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) warnings: Vec<Warning>,
    /// Code that we cannot look into: what it is, and where.
    pub(crate) gaps: Vec<(Gap, String)>,
    pub(crate) distributions: Distributions,
    pub(crate) ownership: Ownership,
    /// Classes in plain folders, with their evidence paths: package groups of one folder are
    /// known only when the walk is over.
    pub(crate) folder_classes: Vec<(String, ClassPrint)>,
    /// Links that may stand for classes, by their evidence paths.
    pub(crate) linked: BTreeSet<String>,
    pub(crate) listings: Vec<(String, Listing)>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) archives: u64,
    pub(crate) deepest: u32,
    /// Bytes of files.
    pub(crate) files: Account,
    /// Unpacked bytes of members of containers.
    pub(crate) members: Account,
}

impl Found {
    /// Notes bytes that were not read.
    pub(crate) fn flaw(&mut self, code: FlawCode, evidence: &str, bytes: u64) {
        self.flaws.push(Flaw { code, evidence: evidence.to_owned(), bytes });
    }

    /// Notes a link that may stand for classes.
    pub(crate) fn link(&mut self, path: String) {
        // Of too many, all that is known is that they may be anywhere.
        let is_full = self.linked.len() >= LINKED_MAX;
        self.linked.insert(if is_full { String::new() } else { path });
    }

    /// Whether a link that may stand for classes is below a folder.
    pub(crate) fn has_links_in(&self, folder: &str) -> bool {
        let mut behind = self.linked.range(folder.to_owned()..);
        self.linked.contains("") || behind.next().is_some_and(|it| it.starts_with(folder))
    }

    /// Puts what was found at one path at another.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let rename = |evidence: &mut String| {
            if let Some(rest) = evidence.strip_prefix(from) {
                *evidence = format!("{to}{rest}");
            }
        };
        self.components.iter_mut().for_each(|component| rename(&mut component.evidence));
        self.flaws.iter_mut().for_each(|flaw| rename(&mut flaw.evidence));
        self.warnings.iter_mut().for_each(|warning| rename(&mut warning.evidence));
        self.gaps.iter_mut().for_each(|(_, evidence)| rename(evidence));
        self.folder_classes.iter_mut().for_each(|(evidence, _)| rename(evidence));
        self.profiles.iter_mut().for_each(|profile| rename(&mut profile.place));
    }

    /// Lets go of everything that was found at places which start so. What only says something of
    /// other findings stays.
    pub(crate) fn forget(&mut self, start: &str) {
        let is_other = |place: &String| !place.starts_with(start);
        self.components.retain(|it| is_other(&it.evidence));
        self.flaws.retain(|it| is_other(&it.evidence));
        self.warnings.retain(|it| is_other(&it.evidence));
        self.gaps.retain(|(_, place)| is_other(place));
        self.folder_classes.retain(|(place, _)| is_other(place));
        self.linked.retain(is_other);
        self.listings.retain(|(place, _)| is_other(place));
        self.profiles.retain(|it| is_other(&it.place));
    }

    /// Everything that was found stands in one file of the disk, which was read.
    pub(crate) fn stands_in_a_file(&mut self, bytes: u64) {
        let inside = std::mem::take(&mut self.files);
        self.members.merge(inside);
        self.files = Account { bytes, read: bytes, ..Account::default() };
        self.archives += 1;
        self.deepest += 1;
    }

    /// What belongs to one file, when that is anything, and the rest: counters, and what is only
    /// understood together with other files.
    pub(crate) fn split(self) -> (Option<Self>, Self) {
        let Self { components, flaws, warnings, gaps, folder_classes, profiles, .. } = self;
        let Self { distributions, ownership, linked, archives, deepest, files, members, .. } = self;
        let rest = Self {
            distributions,
            ownership,
            linked,
            archives,
            deepest,
            files,
            members,
            ..Self::default()
        };
        let is_empty = components.is_empty()
            && flaws.is_empty()
            && warnings.is_empty()
            && gaps.is_empty()
            && folder_classes.is_empty()
            && profiles.is_empty();
        let own =
            Self { components, flaws, warnings, gaps, folder_classes, profiles, ..Self::default() };
        ((!is_empty).then_some(own), rest)
    }

    /// How many findings belong to one file.
    pub(crate) fn count(&self) -> usize {
        let Self { components, flaws, warnings, gaps, folder_classes, profiles, .. } = self;
        let told = components.len() + flaws.len() + warnings.len() + gaps.len();
        told + folder_classes.len() + profiles.len()
    }

    /// The same at another path, as far as it belongs to one file.
    pub(crate) fn copy_at(&self, from: &str, to: &str) -> Self {
        let mut copy = Self {
            components: self.components.clone(),
            flaws: self.flaws.clone(),
            warnings: self.warnings.clone(),
            gaps: self.gaps.clone(),
            folder_classes: self.folder_classes.clone(),
            profiles: self.profiles.clone(),
            ..Self::default()
        };
        copy.rename(from, to);
        copy
    }

    /// Adds what another worker found.
    pub(crate) fn merge(&mut self, other: Self) {
        join(&mut self.components, other.components);
        join(&mut self.flaws, other.flaws);
        join(&mut self.warnings, other.warnings);
        self.gaps.extend(other.gaps);
        self.distributions.merge(other.distributions);
        self.ownership.merge(other.ownership);
        self.folder_classes.extend(other.folder_classes);
        self.linked.extend(other.linked);
        self.listings.extend(other.listings);
        self.profiles.extend(other.profiles);
        self.archives += other.archives;
        self.deepest = self.deepest.max(other.deepest);
        self.files.merge(other.files);
        self.members.merge(other.members);
    }
}

/// Puts a list behind another one; where there is nothing yet, without a copy.
fn join<T>(list: &mut Vec<T>, other: Vec<T>) {
    if list.is_empty() { *list = other } else { list.extend(other) }
}

/// What the name of a file says of it beyond its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameSays {
    /// Nothing: what is found in it is found under any name.
    Nothing,
    /// An archive or a program that is called so may be called by that.
    Name,
    /// Catalogers choose it for its path.
    Path,
}

/// What all workers share.
pub(crate) struct Shared<'a> {
    pub(crate) options: &'a Options,
    pub(crate) index: Index,
    /// What fingerprints class files, when the scan asks for it.
    pub(crate) class: Option<ClassReader>,
    /// Members whose bytes nobody needs are passed over. Tests compare with reading them.
    pub(crate) passes: bool,
    /// Classes that lie in folders, in all threads.
    pub(crate) folder_classes: Arc<AtomicUsize>,
    /// Values of profiles, in all threads.
    pub(crate) profile_values: Arc<AtomicUsize>,
    /// Those that nobody uses; at most one a thread.
    buffers: Mutex<Vec<Buffers>>,
    memory: Arc<Memory>,
}

impl<'a> Shared<'a> {
    /// For one scan.
    pub(crate) fn new(options: &'a Options, class: Option<ClassReader>) -> Self {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        let memory = Arc::new(Memory::new(options.threads.unwrap_or_else(cores), options));
        let (folder_classes, profile_values) = (Arc::default(), Arc::default());
        let (index, passes, buffers) = (Index::of(options.workflows), true, Mutex::default());
        Self { options, index, class, passes, folder_classes, profile_values, buffers, memory }
    }
}

impl Shared<'_> {
    /// Counts a class that lies in a folder; false when there are too many to keep.
    fn counts_class(&self) -> bool {
        let before = self.folder_classes.fetch_add(1, Ordering::Relaxed);
        before < self.options.folder_classes_max
    }

    /// Buffers for one file.
    fn take_buffers(&self) -> Buffers {
        let mut free = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop().unwrap_or_default()
    }

    fn give_buffers(&self, buffers: Buffers) {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner).push(buffers);
    }

    /// Counts the values of profiles, and lets them go when there are too many to keep.
    pub(crate) fn count_profiles(&self, profiles: &mut Vec<Profile>) {
        let values = |it: &Profile| {
            let names = it.names.as_ref().map_or(0, ClassNames::size);
            it.values.classes.len() + it.values.members.len() + names / size_of::<u64>()
        };
        let own = profiles.iter().map(values).sum();
        let before = self.profile_values.fetch_add(own, Ordering::Relaxed);
        if before + own > self.options.profile_values_max {
            profiles.clear();
        }
    }

    /// Whether the bytes of a file with this path are read whole.
    pub(crate) fn is_selected(&self, path: &str) -> bool {
        Distributions::selects(path) || !self.index.find(path).is_empty()
    }

    /// Whether a file with this path is read because of all of it, whole or as a database.
    pub(crate) fn is_for_its_path(&self, path: &str) -> bool {
        self.is_selected(path) || !self.index.find_tables(path).is_empty()
    }

    /// What the name of a file says of it beyond its bytes.
    pub(crate) fn name_says(&self, path: &str) -> NameSays {
        let index = &self.index;
        if self.is_for_its_path(path) || index.find_starts(path).next().is_some() {
            return NameSays::Path;
        }
        let is_named = look::has_archive_name(path) || catalogers::goes_by(file_name(path));
        if is_named { NameSays::Name } else { NameSays::Nothing }
    }

    /// Whether the name of a file says something of it beyond its bytes.
    pub(crate) fn says(&self, path: &str) -> bool {
        self.name_says(path) != NameSays::Nothing
    }

    /// Whether one name of a file says something of it that another one does not.
    pub(crate) fn says_more(&self, name: &str, than: &str) -> bool {
        match self.name_says(name) {
            NameSays::Path => true,
            NameSays::Name => file_name(name) != file_name(than),
            NameSays::Nothing => false,
        }
    }

    /// In fast mode: whether a member of a zip is looked at, by its path and its own name.
    pub(crate) fn is_wanted(&self, path: &dyn Fn() -> String, name: &[u8]) -> bool {
        look::may_be_archive(&with_slashes(name)) || self.is_asked_for(&path(), name)
    }

    /// Whether a cataloger asks for a member by its path or its own name.
    fn is_asked_for(&self, path: &str, name: &[u8]) -> bool {
        self.index.wants_member(name) || self.is_selected(path)
    }
}

/// Reads one file of the tree to its last level.
///
/// # Errors
/// Those of the file; what was found before stays in `found`.
pub(crate) fn read_file(
    shared: &Shared<'_>,
    window: &Window,
    path: &str,
    found: &mut Found,
) -> io::Result<()> {
    // A file that cannot be read at all is an error; later ones are flaws of what they spoil.
    window.read(0, 1)?;
    let name = unescape(file_name(path));
    let body = Body::Plain(window.clone());
    read_entry(shared, Entry::file(name, Some(window.len()), body), window.len(), path, found);
    Ok(())
}

/// Reads one file that stands in something other than a folder, such as a layer of an image, as if
/// it were an outer file: with limits of its own. `path` is its evidence path, `disk_bytes` what
/// it takes on the disk.
pub(crate) fn read_entry(
    shared: &Shared<'_>,
    entry: Entry,
    disk_bytes: u64,
    path: &str,
    found: &mut Found,
) {
    let mut outer = Outer::new(shared, disk_bytes, found);
    outer.run(entry, path);
}
