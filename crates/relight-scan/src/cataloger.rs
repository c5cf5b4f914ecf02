//! The trait of catalogers, what they are shown, and the index that finds them.

use std::collections::{HashMap, HashSet};
use std::io;

use memchr::memmem::Finder;
use relight_model::{Catalog, Digest};

use crate::catalogers::CATALOGERS;
use crate::evidence::{ends_with, file_name};
use crate::secret::is_secret;

/// Turns the bytes of one file into components. It sees no file system and no other file, so the
/// same code reads a directory, a nested archive and an image layer.
pub trait Cataloger: Sync {
    /// The name of its file and of its fixtures.
    fn name(&self) -> &'static str;
    /// Which files it wants.
    fn selects(&self) -> &'static [Select];
    /// Reads one file. A warning also makes the inventory incomplete, because what could not be
    /// read may hide a component.
    fn catalog(&self, file: &File<'_>, out: &mut Catalog);
}

/// Which files a cataloger wants, as data: one look-up a path, however many catalogers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// Files with exactly this name.
    Name(&'static str),
    /// Files whose path ends like this, from the start of a segment or, with a leading `.`, inside
    /// one; the last segment is complete (`.dist-info/METADATA`).
    Suffix(&'static str),
    /// Files directly in a folder whose path ends like this.
    Folder(&'static str),
    /// Files whose name starts and ends like this (`requirements`, `.txt`). The end holds a dot.
    Named(&'static str, &'static str),
    /// Files somewhere below a folder, whose names end like this (`wp-content/plugins/`, `.php`).
    /// The end holds a dot.
    Inside(&'static str, &'static str),
    /// Files with exactly this name, somewhere below a folder (`var/lib/pacman/local/`, `files`);
    /// of those with a name that anybody may use, others need not be read at all.
    Within(&'static str, &'static str),
    /// Text files whose names end like this (`.js`) and that stand below no such folder
    /// (`node_modules/`): only their first 512 bytes are shown.
    Start(&'static str, &'static str),
    /// Databases whose path ends like this, from the start of a segment; they may be larger than
    /// any buffer, so [`File::source`] is set.
    Table(&'static str),
    /// Containers of this kind, when they are closed ([`File::listing`] is set), or programs of
    /// this kind ([`File::source`] is set).
    Kind(Kind),
    /// Members of a container with this name: kept for its listing.
    Member(&'static str),
}

/// A kind of container or program, known by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// jar, war, ear, jmod, wheel, and every other zip, whatever stands in front of it.
    Zip,
    /// tar, plain or inside a compressed stream.
    Tar,
    /// A compressed stream around one file that is no archive of files itself.
    Stream,
    /// cpio, also several in a row (initramfs).
    Cpio,
    /// 7z.
    SevenZip,
    /// ISO 9660.
    Iso,
    /// squashfs (snap), also behind a program (AppImage).
    Squashfs,
    /// A Debian package.
    Deb,
    /// An RPM package.
    Rpm,
    /// The modules of a Java runtime in one file, also those of an application that was linked with
    /// it.
    Jimage,
    /// An archive of PHP in its own format; one in that of tar or zip is of that kind.
    Phar,
    /// A program or library of Linux and most other systems; [`File::source`] is set.
    Elf,
    /// A program or library of Windows; [`File::source`] is set.
    Pe,
    /// A program or library of macOS, also for several machines; [`File::source`] is set.
    MachO,
}

impl Kind {
    /// Whether it is code of a machine and not a container of files.
    pub const fn is_program(self) -> bool {
        matches!(self, Self::Elf | Self::Pe | Self::MachO)
    }
}

/// What a cataloger is shown.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// The evidence path.
    pub path: &'a str,
    /// All its bytes; empty for a container or a program.
    pub bytes: &'a [u8],
    /// The members of a container.
    pub listing: Option<&'a Listing>,
    /// The bytes of a program, by range: it may be larger than any buffer.
    pub source: Option<&'a dyn ReadAt>,
    /// It is a member of a container whose listing holds it as well.
    pub is_listed: bool,
}

impl<'a> File<'a> {
    /// A file with all its bytes.
    pub const fn of_bytes(path: &'a str, bytes: &'a [u8]) -> Self {
        Self { path, bytes, listing: None, source: None, is_listed: false }
    }

    /// A container that was just closed.
    pub const fn of_listing(path: &'a str, listing: &'a Listing) -> Self {
        Self { path, bytes: &[], listing: Some(listing), source: None, is_listed: false }
    }

    /// A program.
    pub const fn of_source(path: &'a str, source: &'a dyn ReadAt) -> Self {
        Self { path, bytes: &[], listing: None, source: Some(source), is_listed: false }
    }
}

/// Bytes that are read by range.
pub trait ReadAt {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Up to `len` bytes from `start`; fewer only where the bytes end.
    ///
    /// # Errors
    /// Those of the file.
    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>>;

    /// Shows what [`Self::read_at`] would give, where that saves a copy.
    ///
    /// # Errors
    /// Those of the file.
    fn show(&self, start: u64, len: usize, look: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        look(&self.read_at(start, len)?);
        Ok(())
    }
}

/// The members of a container that was just read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Every member, in the order of the container; members of folders inside it as well.
    pub entries: Vec<Listed>,
    /// A class, or a folder that may hold some, is a link in it.
    pub has_links: bool,
    /// The members that [`Select::Member`] asks for: name and bytes.
    pub members: Vec<(String, Vec<u8>)>,
    /// Every member was listed: only then does a missing name mean something.
    pub complete: bool,
    /// The SHA-256 of the container, when an archive with that was learnt.
    pub archive: Option<Digest>,
}

impl Listing {
    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.as_str())
    }
}

/// One member of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Its name, with `/` between segments whatever the writer of the archive used.
    pub name: String,
    /// Unpacked bytes, as declared or as counted; `None` when nobody knows.
    pub size: Option<u64>,
    /// CRC-32 of its unpacked bytes, as the container declares it; `None` when it does not, or
    /// when the bytes were read and say otherwise.
    pub crc: Option<u32>,
    /// The fingerprint of a class file that was read and parses.
    pub class: Option<ClassPrint>,
    /// It was read, and is nothing: no class, no container, nothing that a cataloger wants.
    pub opaque: bool,
}

/// What a class file is, whatever it is called: see the fingerprints of the design.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassPrint {
    /// Hash of its code without names and literals.
    pub shape: u64,
    /// Hash of its shape and its literals.
    pub text: u64,
    /// Bytes of the name that the class gives itself (`org/example/Main`): they tell the folder of
    /// the class path from the package.
    pub name_bytes: u16,
    /// Hash of the last segment of that name: a file of another name cannot be loaded.
    pub simple_name: u32,
    /// So little code that it says nothing about where it comes from.
    pub trivial: bool,
}

/// Fingerprints a file that starts like a class; `None` when it is none that parses.
pub(crate) type ClassReader = fn(&[u8]) -> Option<ClassPrint>;

/// Finds the catalogers of a path.
#[derive(Default)]
pub(crate) struct Index {
    by_name: HashMap<&'static str, Vec<(usize, Select)>>,
    by_folder: HashMap<&'static str, Vec<(usize, Select)>>,
    /// By what stands behind the last dot of the name.
    by_ending: HashMap<&'static str, Vec<(usize, Select)>>,
    members: Vec<&'static str>,
    /// The endings of all names that are selected.
    endings: HashSet<&'static str>,
    /// Those that want the start of a file: by its ending, outside of a folder.
    starts: Vec<(usize, Select)>,
    /// The folders by which files far below them are selected, or are not. Sorted.
    inside: Vec<(&'static str, Finder<'static>)>,
}

impl Index {
    /// The index of [`CATALOGERS`].
    pub(crate) fn new() -> Self {
        Self::of(true)
    }

    /// As [`Self::new`], with or without what reads workflows of GitHub: those run elsewhere.
    pub(crate) fn of(workflows: bool) -> Self {
        let mut index = Self::default();
        index.read(|it| workflows || it.name() != "github_actions");
        let names = index.by_name.keys().chain(&index.members);
        index.endings = names.filter_map(|name| ending(name)).collect();
        index.inside.sort_unstable_by_key(|(folder, _)| *folder);
        index.inside.dedup_by_key(|(folder, _)| *folder);
        index
    }

    fn read(&mut self, is_wanted: impl Fn(&dyn Cataloger) -> bool) {
        let index = self;
        let all = CATALOGERS.iter().copied().enumerate();
        for (at, cataloger) in all.filter(|(_, it)| is_wanted(*it)) {
            for select in cataloger.selects() {
                match select {
                    Select::Name(path) | Select::Suffix(path) | Select::Table(path) => {
                        index.by_name.entry(file_name(path)).or_default().push((at, *select));
                    }
                    Select::Within(folder, name) => {
                        index.inside.push((folder, Finder::new(*folder)));
                        index.by_name.entry(name).or_default().push((at, *select));
                    }
                    Select::Folder(path) => {
                        index.by_folder.entry(file_name(path)).or_default().push((at, *select));
                    }
                    Select::Named(_, end) | Select::Inside(_, end) => {
                        if let Select::Inside(folder, _) = select {
                            index.inside.push((folder, Finder::new(*folder)));
                        }
                        let ending = ending(end).unwrap_or_default();
                        index.by_ending.entry(ending).or_default().push((at, *select));
                    }
                    Select::Start(_, outside) => {
                        index.inside.push((outside, Finder::new(*outside)));
                        index.starts.push((at, *select));
                    }
                    Select::Member(name) => index.members.push(name),
                    Select::Kind(_) => {}
                }
            }
        }
    }

    /// The folders above a file by which its members are selected: what is found in the same
    /// archive elsewhere may be something else.
    pub(crate) fn folders_that_count(&self, path: &str) -> Vec<&'static str> {
        let is_above = |(_, it): &&(&str, Finder<'_>)| it.find(path.as_bytes()).is_some();
        self.inside.iter().filter(is_above).map(|(folder, _)| *folder).collect()
    }

    /// The catalogers that want a file.
    pub(crate) fn find(&self, path: &str) -> Vec<&'static dyn Cataloger> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let by_name = self.by_name.get(file_name(path));
        let by_folder = self.by_folder.get(file_name(folder));
        let by_ending = ending(file_name(path)).and_then(|ending| self.by_ending.get(ending));
        let mut found: Vec<usize> = by_name
            .into_iter()
            .chain(by_folder)
            .chain(by_ending)
            .flatten()
            .filter(|(_, select)| select.wants(path))
            .map(|(at, _)| *at)
            .collect();
        // An archive in a folder that is nobody's business is opened like every other.
        let is_secret = || is_secret(path.rsplit("!/").next().unwrap_or_default());
        if found.is_empty() || is_secret() {
            return Vec::new();
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| CATALOGERS[at]).collect()
    }

    /// The catalogers that want the start of a text file.
    pub(crate) fn find_starts(&self, path: &str) -> impl Iterator<Item = &'static dyn Cataloger> {
        let wanted = self.starts.iter().filter(move |(_, select)| select.wants_start(path));
        wanted.map(|(at, _)| CATALOGERS[*at])
    }

    /// The catalogers that read a database by range.
    pub(crate) fn find_tables(&self, path: &str) -> Vec<&'static dyn Cataloger> {
        let named = self.by_name.get(file_name(path)).into_iter().flatten();
        let mut found: Vec<usize> =
            named.filter(|(_, select)| select.wants_table(path)).map(|(at, _)| *at).collect();
        found.dedup();
        found.into_iter().map(|at| CATALOGERS[at]).collect()
    }

    /// Whether anything in a folder with this last segment may be selected for its folder.
    pub(crate) fn may_want_in(&self, folder: &str) -> bool {
        self.by_folder.contains_key(folder)
    }

    /// Whether files may be selected for what stands behind the last dot of their names.
    pub(crate) fn is_by_ending(&self, ending: &str) -> bool {
        self.by_ending.contains_key(ending)
    }

    /// Whether a name that is selected has this ending, in any letters as [`Self::wants_member`].
    pub(crate) fn is_ending_of_name(&self, ending: &str) -> bool {
        self.endings.iter().any(|it| it.eq_ignore_ascii_case(ending))
    }

    /// Whether a file with this name may be selected for it.
    pub(crate) fn may_want_name(&self, file: &[u8]) -> bool {
        let Ok(file) = std::str::from_utf8(file) else { return true };
        self.by_name.contains_key(file) || self.wants_member(file.as_bytes())
    }

    /// Whether a member is kept for the listing of its container: loaders of Java take any letters.
    pub(crate) fn wants_member(&self, name: &[u8]) -> bool {
        let file = last_segment(name);
        self.members.iter().any(|member| member.as_bytes().eq_ignore_ascii_case(file))
    }
}

impl Select {
    /// Whether a file with this path is selected.
    pub(crate) fn wants(self, path: &str) -> bool {
        match self {
            Self::Name(name) => file_name(path) == name,
            Self::Suffix(suffix) if suffix.starts_with('.') => path.ends_with(suffix),
            Self::Suffix(suffix) => ends_with(path, suffix),
            Self::Folder(folder) => {
                path.rsplit_once('/').is_some_and(|(parent, _)| ends_with(parent, folder))
            }
            Self::Named(start, end) => {
                let name = file_name(path);
                name.len() >= start.len() + end.len()
                    && name.starts_with(start)
                    && name.ends_with(end)
            }
            Self::Within(folder, name) => file_name(path) == name && path.contains(folder),
            Self::Inside(folder, end) => path.ends_with(end) && path.contains(folder),
            Self::Kind(_) | Self::Member(_) | Self::Table(_) | Self::Start(..) => false,
        }
    }

    /// Whether the start of a text file with this path is wanted.
    pub(crate) fn wants_start(self, path: &str) -> bool {
        matches!(self, Self::Start(end, outside) if path.ends_with(end) && !path.contains(outside))
    }

    /// Whether a database with this path is selected.
    pub(crate) fn wants_table(self, path: &str) -> bool {
        matches!(self, Self::Table(table) if ends_with(path, table))
    }
}

/// The last segment of the name of a member, whichever slash its writer put between them.
pub(crate) fn last_segment(name: &[u8]) -> &[u8] {
    &name[memchr::memrchr2(b'/', b'\\', name).map_or(0, |at| at + 1)..]
}

/// What stands behind the last dot.
fn ending(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, ending)| ending)
}

/// The catalogers of a container, for its listing.
pub(crate) fn of_kind(kind: Kind) -> impl Iterator<Item = &'static dyn Cataloger> {
    CATALOGERS
        .iter()
        .copied()
        .filter(move |cataloger| cataloger.selects().contains(&Select::Kind(kind)))
}

/// The fixture test of every plug-in. A file of a case is shown to the cataloger if it selects it;
/// for one that reads containers, each top folder of a case is a container.
#[cfg(test)]
pub(crate) fn check(name: &str, plugin: &dyn Cataloger) {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use crate::sniff::HEAD_BYTES;

    assert_eq!(plugin.name(), name);
    testkit::check_fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"), name, |case| {
        let index = Index::new();
        let mut catalog = Catalog::default();
        let mut containers: BTreeMap<&str, Listing> = BTreeMap::new();
        let mut text = String::new();
        for (path, bytes) in &case.files {
            // By the way that scans go: what only a selection wants, no scan shows to anybody.
            let selected = index.find(path).iter().any(|it| it.name() == name);
            let started = index.find_starts(path).any(|it| it.name() == name);
            let by_range = |select: &Select| {
                select.wants_table(path) || matches!(select, Select::Kind(k) if k.is_program())
            };
            if selected || started {
                let shown = if selected { bytes.len() } else { bytes.len().min(HEAD_BYTES) };
                plugin.catalog(&File::of_bytes(path, &bytes[..shown]), &mut catalog);
            } else if plugin.selects().iter().any(by_range) {
                let window = crate::window::Window::of_memory(bytes.clone());
                plugin.catalog(&File::of_source(path, &window), &mut catalog);
            } else if plugin.selects().contains(&Select::Kind(Kind::Zip)) {
                let (container, member) = path.split_once('/').unwrap();
                let listing = containers.entry(container).or_default();
                listing.complete = true;
                listing.entries.push(Listed { name: member.to_owned(), ..Listed::default() });
                let name = file_name(member);
                let is_member = |it: &str| it.eq_ignore_ascii_case(name);
                let wants = |it: &Select| matches!(it, Select::Member(it) if is_member(it));
                if plugin.selects().iter().any(wants) {
                    listing.members.push((member.to_owned(), bytes.clone()));
                }
            } else {
                let _ = writeln!(text, "not selected: {path}");
            }
        }
        for (path, listing) in &containers {
            plugin.catalog(&File::of_listing(path, listing), &mut catalog);
        }
        for component in catalog.components() {
            let _ = writeln!(text, "{}", line_of(component));
        }
        for relight_model::Owned { owner, paths } in catalog.owned() {
            let _ = writeln!(text, "{owner} owns {}", paths.join(" "));
        }
        for warning in catalog.warnings() {
            let _ = writeln!(text, "warning: {warning}");
        }
        if let Some(code) = catalog.unlisted {
            let _ = writeln!(text, "{}", code.as_str());
        }
        // Inputs hold it where people keep passwords; nothing of it may come out.
        assert!(!text.contains("marked-secret"), "{name}: {text}");
        text
    });
}

/// What a fixture expects of a component.
#[cfg(test)]
fn line_of(component: &relight_model::Component) -> String {
    let scope = match component.scope {
        relight_model::Scope::Installed => String::new(),
        other => format!(" {}", other.as_str()),
    };
    let removed = component.removed.iter().map(|class| format!(" without {class}"));
    let removed = removed.collect::<String>();
    let (purl, basis) = (&component.purl, component.basis.as_str());
    format!("{purl} in {} by {basis}{scope}{removed}", component.evidence)
}

#[cfg(test)]
mod damage;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflows_are_wanted_by_those_who_ask() {
        for path in [".github/workflows/build.yml", "action.yml"] {
            assert_eq!(found(path), ["github_actions"]);
            assert!(Index::of(false).find(path).is_empty(), "{path}");
        }
        assert!(!Index::of(false).may_want_in("workflows"));
    }

    fn found(path: &str) -> Vec<&'static str> {
        Index::new().find(path).into_iter().map(Cataloger::name).collect()
    }

    #[test]
    fn paths_find_their_catalogers() {
        assert_eq!(found("var/lib/dpkg/status"), ["dpkg"]);
        assert_eq!(found("layer/var/lib/dpkg/status.d/base"), ["dpkg"]);
        assert_eq!(found("notvar/lib/dpkg/status"), Vec::<&str>::new());
        assert_eq!(found("a.zip!/x/package-lock.json"), ["npm_lock"]);
        assert_eq!(found("lib/six-1.16.0.dist-info/METADATA"), ["python_dist"]);
        assert_eq!(found("lib/six/METADATA"), Vec::<&str>::new());
        assert_eq!(found("dist-packages/PyYAML-3.10-py2.7.egg-info"), ["python_dist"]);
        assert_eq!(found("a/requirements-dev.txt"), ["requirements"]);
        assert_eq!(found("a/my-requirements.txt"), ["requirements"]);
        assert_eq!(found("a/my-requirements-dev.txt"), Vec::<&str>::new());
        assert_eq!(found("a/.github/workflows/build.yml"), ["github_actions"]);
        assert_eq!(found("a/.github/build.yml"), Vec::<&str>::new());
        assert_eq!(found("wp-content/plugins/a/a.php"), ["wordpress"]);
        assert_eq!(found("plugins/a/a.php"), Vec::<&str>::new());
        assert_eq!(found("a.tar!/var/lib/pacman/local/a-1-1/files"), ["pacman"]);
        for anybodys in ["data/files", "a/metadata", "debian/control", "CONTENTS", "install.json"] {
            assert_eq!(found(anybodys), Vec::<&str>::new(), "{anybodys}");
        }
    }

    #[test]
    fn names_are_unique_and_every_selection_is_used() {
        let index = Index::new();
        for (at, cataloger) in CATALOGERS.iter().enumerate() {
            assert!(CATALOGERS[..at].iter().all(|other| other.name() != cataloger.name()));
            assert!(!cataloger.selects().is_empty(), "{}", cataloger.name());
            // Files are looked up by their whole name: an ending alone would find none of them.
            for select in cataloger.selects() {
                let Select::Suffix(end) = select else { continue };
                assert!(!file_name(end).starts_with('.') || end.contains('/'), "{end}");
            }
        }
        assert!(index.wants_member(b"META-INF/maven/g/a/pom.properties"));
        assert!(index.wants_member(b"\xff\\META-INF\\Manifest.mf"));
        assert!(!index.wants_member(b"META-INF/MANIFEST.MF/a"));
        assert_eq!(of_kind(Kind::Zip).count(), 2);
        assert_eq!(index.folders_that_count("app/a.zip"), Vec::<&str>::new());
        let folders = index.folders_that_count("srv/wp-content/plugins/a.zip");
        assert_eq!(folders, ["wp-content/plugins/"]);
    }
}
