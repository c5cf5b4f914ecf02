//! One file of the tree and everything inside it: sniffed, opened, catalogued, accounted.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec;

use relight_model::{Catalog, Component, Flaw, FlawCode, Warning};

use crate::archive::{self, Budget, Entry, Keep, Member};
use crate::cataloger::{
    self, Cataloger, ClassPrint, ClassReader, File, Index, Kind, Listed, Listing,
};
use crate::distribution::Distributions;
use crate::evidence::{escape, file_name, in_archive};
use crate::foreign;
use crate::limits::{BUFFERED_SMALL_BYTES, Options};
use crate::ownership::Ownership;
use crate::sniff::{self, HEAD_BYTES, Head, ISO_MARK_AT, Stream};
use crate::window::Window;

/// What reading one file, or many, gave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) components: Vec<Component>,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) distributions: Distributions,
    pub(crate) ownership: Ownership,
    /// Classes in plain folders, with their evidence paths: package groups of one folder are
    /// known only when the walk is over.
    pub(crate) folder_classes: Vec<(String, ClassPrint)>,
    pub(crate) archives: u64,
    pub(crate) deepest: u32,
}

impl Found {
    /// Notes bytes that were not read.
    pub(crate) fn flaw(&mut self, code: FlawCode, evidence: &str, bytes: u64) {
        self.flaws.push(Flaw { code, evidence: evidence.to_owned(), bytes });
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
    }

    /// Adds what another worker found.
    pub(crate) fn merge(&mut self, other: Self) {
        self.components.extend(other.components);
        self.flaws.extend(other.flaws);
        self.warnings.extend(other.warnings);
        self.distributions.merge(other.distributions);
        self.ownership.merge(other.ownership);
        self.folder_classes.extend(other.folder_classes);
        self.archives += other.archives;
        self.deepest = self.deepest.max(other.deepest);
    }
}

/// What all workers share.
pub(crate) struct Shared<'a> {
    pub(crate) options: &'a Options,
    pub(crate) index: Index,
    /// What fingerprints class files, when the scan asks for it.
    pub(crate) class: Option<ClassReader>,
    /// Held by the one outer file that needs more memory than [`BUFFERED_SMALL_BYTES`].
    pub(crate) large: Mutex<()>,
}

impl Shared<'_> {
    /// Whether the bytes of a file with this path are read whole.
    pub(crate) fn is_selected(&self, path: &str) -> bool {
        Distributions::selects(path) || !self.index.find(path).is_empty()
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
    let options = shared.options;
    let budget = Allowance {
        shared,
        expand_left: options
            .expanded_free_bytes
            .saturating_add(window.len().saturating_mul(options.expanded_ratio_max)),
        entries_left: options.entries_max,
        buffered: 0,
        large: None,
    };
    let mut outer = Outer { shared, budget, found, levels: Vec::new(), exhausted: false };
    outer.sniff_file(window, path)?;
    while let Some(mut level) = outer.levels.pop() {
        match level.entries.next() {
            Some(entry) if !outer.exhausted => {
                let at = outer.levels.len();
                outer.levels.push(level);
                outer.member(at, entry)?;
            }
            _ => outer.close(level),
        }
    }
    Ok(())
}

/// What one outer file may still use.
struct Allowance<'a> {
    shared: &'a Shared<'a>,
    expand_left: u64,
    entries_left: u64,
    /// Bytes of inner archives that are held by the open levels.
    buffered: u64,
    large: Option<MutexGuard<'a, ()>>,
}

impl Budget for Allowance<'_> {
    fn expand(&mut self, bytes: u64) -> bool {
        let enough = bytes <= self.expand_left;
        self.expand_left = self.expand_left.saturating_sub(bytes);
        enough
    }

    fn buffer(&mut self, bytes: u64) -> bool {
        let wanted = self.buffered.saturating_add(bytes);
        if wanted > BUFFERED_SMALL_BYTES && self.large.is_none() {
            // One lock, taken once an outer file and given back at its end: no order, no deadlock.
            let lock = self.shared.large.lock();
            self.large = Some(lock.unwrap_or_else(PoisonError::into_inner));
        }
        wanted <= self.shared.options.buffered_bytes_max
    }
}

/// One archive that is being read.
struct Level {
    path: String,
    window: Window,
    entries: vec::IntoIter<Entry>,
    listing: Listing,
    /// What its own bytes and its kept members take of [`Allowance::buffered`].
    buffered: u64,
    /// Bytes of kept members, bounded like one catalogued file.
    kept: u64,
}

/// The reading of one file of the tree. Nesting is the stack `levels`, not the machine's.
struct Outer<'a, 'f> {
    shared: &'a Shared<'a>,
    budget: Allowance<'a>,
    found: &'f mut Found,
    levels: Vec<Level>,
    exhausted: bool,
}

impl Outer<'_, '_> {
    /// Judges a file of the disk.
    fn sniff_file(&mut self, window: &Window, path: &str) -> io::Result<()> {
        let head = sniff::head(&window.read(0, HEAD_BYTES)?);
        if self.is_selected(path) {
            let size_max = self.shared.options.catalog_size_max;
            if window.len() > size_max {
                self.found.flaw(FlawCode::LimitEntrySize, path, window.len());
            } else {
                let bytes = window.read(0, usize::try_from(size_max).unwrap_or(usize::MAX))?;
                if (bytes.len() as u64) < window.len() {
                    // It shrank while we read it.
                    self.found.flaw(FlawCode::IoError, path, window.len());
                }
                self.catalog(path, &bytes);
            }
        }
        match head {
            Head::Zip => self.open(window.clone(), path, 0)?,
            Head::Container => self.found.flaw(FlawCode::MethodUnsupported, path, window.len()),
            Head::Stream(stream) => {
                if archive::is_archive(window)? {
                    self.open(window.clone(), path, 0)?;
                }
                self.stream(stream, window, path)?;
            }
            // An end record is no text, so a file that ends in text ends in no archive (but one
            // with a very long comment, which we have not met behind text).
            Head::Text if ends_in_text(window)? => {}
            Head::Text => self.sniff_tail(window, path, head)?,
            Head::Class => {
                if let Some(print) = self.read_class(window, path)? {
                    self.found.folder_classes.push((path.to_owned(), print));
                }
                self.sniff_tail(window, path, head)?;
            }
            Head::Program | Head::Other => self.sniff_tail(window, path, head)?,
        }
        Ok(())
    }

    fn sniff_tail(&mut self, window: &Window, path: &str, head: Head) -> io::Result<()> {
        let large = window.len() > (1 << 20);
        if archive::is_archive(window)? {
            self.open(window.clone(), path, 0)?;
        } else if large && window.read(ISO_MARK_AT, 5)? == b"CD001" {
            self.found.flaw(FlawCode::MethodUnsupported, path, window.len());
        } else if head == Head::Other && has_archive_name(path) {
            self.found.flaw(FlawCode::CorruptEntry, path, window.len());
        } else if window.read(0, 2)? == b"#!" && !ends_in_text(window)? {
            // A script with something binary behind it unpacks itself, or is a cut archive.
            self.found.flaw(FlawCode::MethodUnsupported, path, window.len());
        }
        Ok(())
    }

    /// Fingerprints a class file of the disk.
    fn read_class(&mut self, window: &Window, path: &str) -> io::Result<Option<ClassPrint>> {
        let size_max = self.shared.options.class_size_max;
        if window.len() > size_max {
            self.found.flaw(FlawCode::LimitClassSize, path, window.len());
            return Ok(None);
        }
        let bytes = window.read(0, usize::try_from(size_max).unwrap_or(usize::MAX))?;
        Ok(self.class_print(path, &bytes))
    }

    fn class_print(&mut self, path: &str, bytes: &[u8]) -> Option<ClassPrint> {
        let print = self.shared.class?(bytes);
        if print.is_none() {
            self.found.flaw(FlawCode::ClassMalformed, path, bytes.len() as u64);
        }
        print
    }

    fn stream(&mut self, kind: Stream, window: &Window, path: &str) -> io::Result<()> {
        let len = window.len().min(foreign::PACKED_BYTES_MAX);
        let packed = window.read(0, usize::try_from(len).unwrap_or_default())?;
        if let Some(code) = foreign::judge(kind, path, &packed, len == window.len()) {
            self.found.flaw(code, path, window.len());
        }
        Ok(())
    }

    /// Opens an archive as the new innermost level; `buffered` is what its bytes take in memory.
    fn open(&mut self, window: Window, path: &str, buffered: u64) -> io::Result<()> {
        let depth = u32::try_from(self.levels.len()).unwrap_or(u32::MAX).saturating_add(1);
        if depth > self.shared.options.depth_max {
            self.found.flaw(FlawCode::LimitDepth, path, window.len());
            return Ok(());
        }
        let directory = archive::open(&window, self.shared.options, self.budget.entries_left)?;
        self.budget.entries_left =
            self.budget.entries_left.saturating_sub(directory.entries.len() as u64);
        self.found.archives += 1;
        self.found.deepest = self.found.deepest.max(depth);
        for (code, bytes) in &directory.flaws {
            self.found.flaw(*code, path, *bytes);
        }
        self.budget.buffered += buffered;
        self.levels.push(Level {
            path: path.to_owned(),
            window,
            listing: Listing { complete: directory.flaws.is_empty(), ..Listing::default() },
            entries: directory.entries.into_iter(),
            buffered,
            kept: 0,
        });
        Ok(())
    }

    /// Reads the next member of the archive at `at`, which is the innermost.
    fn member(&mut self, at: usize, entry: Entry) -> io::Result<()> {
        let level = &mut self.levels[at];
        let path = member_path(level, &entry);
        let window = level.window.clone();
        level.listing.entries.push(Listed {
            name: with_slashes(&entry.name),
            size: entry.unpacked,
            crc: entry.crc,
            class: None,
        });
        let header = archive::locate(&window, &entry)?;
        if let Some(name) = header.as_ref().and_then(|header| header.other_name.as_deref()) {
            let name = with_slashes(name);
            level.listing.entries.push(Listed { name, ..Listed::default() });
        }
        let code = match &header {
            _ if path.len() > self.shared.options.path_bytes_max => Some(FlawCode::LimitDepth),
            _ if entry.overlaps => Some(FlawCode::CorruptEntry),
            None => Some(FlawCode::CorruptEntry),
            Some(_) if entry.flags & 1 != 0 => Some(FlawCode::Encrypted),
            Some(_) if !matches!(entry.method, 0 | 8) => Some(FlawCode::MethodUnsupported),
            Some(_) => None,
        };
        let Some(header) = header.filter(|_| code.is_none()) else {
            let shown = &path[..path.floor_char_boundary(self.shared.options.path_bytes_max)];
            self.found.flaw(code.unwrap_or(FlawCode::CorruptEntry), shown, entry.packed);
            return Ok(());
        };
        if header.mismatch {
            self.found.flaw(FlawCode::CorruptEntry, &path, entry.packed);
        }
        if entry.packed == 0 && entry.name.ends_with(b"/") {
            return Ok(());
        }
        self.read_member(at, &entry, &header.data, &path)
    }

    fn read_member(
        &mut self,
        at: usize,
        entry: &Entry,
        data: &Window,
        path: &str,
    ) -> io::Result<()> {
        let options = self.shared.options;
        let selected = self.is_selected(path);
        let listed = self.shared.index.wants_member(&with_slashes(&entry.name));
        let stored = entry.method == 0;
        let mut head = Head::Other;
        let member =
            archive::read(data, entry, options.file_size_max, &mut self.budget, |bytes| {
                head = sniff::head(bytes);
                match head {
                    Head::Zip if !stored => Keep::All(options.file_size_max),
                    _ if selected || listed => Keep::All(options.catalog_size_max),
                    Head::Class if self.shared.class.is_some() => Keep::All(options.class_size_max),
                    Head::Stream(_) => Keep::Prefix(foreign::PACKED_BYTES_MAX),
                    _ => Keep::Nothing,
                }
            })?;
        if let Some(code) = member.flaw {
            self.found.flaw(code, path, entry.packed);
        }
        self.exhausted |= member.exhausted;
        // Beyond a limit there is only a part, which would be called broken; a wrong check sum
        // leaves something to read.
        let cut = matches!(member.flaw, Some(FlawCode::LimitEntrySize | FlawCode::LimitExpanded));
        if selected && !cut {
            self.catalog(path, &member.kept);
        }
        if listed && !cut {
            self.keep_for_listing(at, path, entry, &member);
        }
        if head == Head::Class && !cut {
            let print = self.class_print(path, &member.kept);
            if let Some(listed) = self.levels[at].listing.entries.last_mut() {
                listed.class = print;
            }
        }
        if head != Head::Zip && member.has_end_record {
            self.open_appended(entry, data, path)?;
        }
        match head {
            Head::Zip if stored => self.open(data.clone(), path, 0)?,
            Head::Zip => {
                let buffered = member.kept.len() as u64;
                self.open(Window::of_memory(member.kept), path, buffered)?;
            }
            Head::Container => self.found.flaw(FlawCode::MethodUnsupported, path, entry.packed),
            Head::Stream(kind) => {
                if let Some(code) = foreign::judge(kind, path, &member.kept, member.whole) {
                    self.found.flaw(code, path, entry.packed);
                }
            }
            Head::Other if has_archive_name(path) => {
                self.found.flaw(FlawCode::CorruptEntry, path, entry.packed);
            }
            Head::Program | Head::Class | Head::Text | Head::Other => {}
        }
        Ok(())
    }

    /// Opens an archive that stands behind something else in a member: a deflated one is read
    /// again, this time into memory. What stands in front is judged by itself.
    fn open_appended(&mut self, entry: &Entry, data: &Window, path: &str) -> io::Result<()> {
        let (mut inner, mut buffered) = (data.clone(), 0);
        if entry.method != 0 {
            let size_max = self.shared.options.file_size_max;
            let keep = Keep::All(size_max);
            let member = archive::read(data, entry, size_max, &mut self.budget, |_| keep)?;
            if let Some(code) = member.flaw {
                self.found.flaw(code, path, entry.packed);
            }
            self.exhausted |= member.exhausted;
            buffered = member.kept.len() as u64;
            inner = Window::of_memory(member.kept);
        }
        if archive::is_archive(&inner)? { self.open(inner, path, buffered) } else { Ok(()) }
    }

    fn keep_for_listing(&mut self, at: usize, path: &str, entry: &Entry, member: &Member) {
        let level = &mut self.levels[at];
        let bytes = member.kept.len() as u64;
        if level.kept + bytes > self.shared.options.catalog_size_max {
            self.found.flaw(FlawCode::LimitEntrySize, path, entry.packed);
            return;
        }
        level.kept += bytes;
        level.buffered += bytes;
        self.budget.buffered += bytes;
        level.listing.members.push((with_slashes(&entry.name), member.kept.clone()));
    }

    /// An archive was read to its end: its listing goes to the catalogers of archives.
    fn close(&mut self, level: Level) {
        let Level { path, mut listing, buffered, .. } = level;
        listing.complete &= !self.exhausted;
        self.budget.buffered = self.budget.buffered.saturating_sub(buffered);
        for cataloger in cataloger::of_kind(Kind::Zip) {
            self.run(cataloger, &File::of_listing(&path, &listing));
        }
    }

    fn is_selected(&self, path: &str) -> bool {
        self.shared.is_selected(path)
    }

    fn catalog(&mut self, path: &str, bytes: &[u8]) {
        if Distributions::selects(path) {
            self.found.distributions.read(path, bytes);
        }
        for cataloger in self.shared.index.find(path) {
            self.run(cataloger, &File::of_bytes(path, bytes));
        }
    }

    fn run(&mut self, cataloger: &dyn Cataloger, file: &File<'_>) {
        let mut catalog = Catalog::default();
        cataloger.catalog(file, &mut catalog);
        if !catalog.warnings.is_empty() {
            self.found.flaw(FlawCode::CorruptEntry, file.path, file.bytes.len() as u64);
        }
        self.found.components.append(&mut catalog.components);
        self.found.warnings.append(&mut catalog.warnings);
        for owned in catalog.owned {
            self.found.ownership.add(file.path, owned);
        }
    }
}

/// A second member of the same name is told apart by its number.
fn member_path(level: &Level, entry: &Entry) -> String {
    let path = in_archive(&level.path, &escape(&entry.name));
    if entry.copy == 1 { path } else { format!("{path}#{}", entry.copy) }
}

fn with_slashes(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace('\\', "/")
}

/// Whether the last bytes of a file are text.
fn ends_in_text(window: &Window) -> io::Result<bool> {
    let at = window.len().saturating_sub(HEAD_BYTES as u64);
    Ok(sniff::is_text(&window.read(at, HEAD_BYTES)?))
}

/// Names under which a loader expects an archive: binary bytes there that are none were one.
fn has_archive_name(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    [".jar", ".war", ".ear", ".aar", ".whl", ".zip"].iter().any(|ending| name.ends_with(ending))
}
