//! Judges a file or member by its bytes, and does what its kind asks for.

use std::io;

use memchr::memmem;
use relight_model::FlawCode;

use super::account::Fate;
use super::fetch::View;
use super::outer::{Member, Outer};
use crate::archive::{Packing, Single, code_of, directory_end, has_directory};
use crate::cataloger::{self, Cataloger, ClassPrint, File, Kind, ReadAt};
use crate::evidence::file_name;
use crate::limits::Mode;
use crate::program::Held;
use crate::sniff::{self, Gap, HEAD_BYTES, Head, ISO_MARK_AT};
use crate::window::Window;

/// Bytes of the tail that are looked at in fast mode.
const FAST_TAIL_BYTES: u64 = 4 << 10;

/// Bytes of a program in which the mark of UPX stands, behind its headers.
const PACKED_MARK_BYTES: usize = 1 << 10;

/// Smallest ISO image, in bytes: sixteen sectors of nothing, a volume descriptor and its end.
const ISO_BYTES_MIN: u64 = 18 * 2048;

impl Outer<'_, '_> {
    /// Looks at a member. `flawed`: something is wrong with it already.
    pub(super) fn look(&mut self, view: View, member: &Member, flawed: bool) {
        let in_container = !self.levels.is_empty();
        let head = match &view {
            View::Nothing => return,
            View::Whole(window) | View::Range(window) => match window.peek(0, HEAD_BYTES) {
                Ok(bytes) => sniff::head(&bytes),
                Err(error) => {
                    self.found.flaw(code_of(&error), &member.path, member.packed);
                    return self.account(Fate::Flawed, window.len());
                }
            },
            View::Long(long) => sniff::head(&long.head()),
        };
        if head == Head::Text {
            self.show_start(&view, member);
        }
        let mut view = Some(view);
        let handed = self.hand_over(&mut view, member);
        let judged = self.judge(head, &mut view, member);
        let worst = if flawed { Fate::Flawed } else { Fate::Opaque };
        let mut fate = worst.max(handed).max(judged);
        if fate == Fate::Opaque && member.is_payload && !is_blank(view.as_ref()) {
            // Nobody packs a package around what is no archive.
            fate = self.unread(FlawCode::MethodUnsupported, member);
        }
        if fate == Fate::Opaque {
            self.keep_opaque(member);
        }
        if let Some(view) = view {
            self.finish(view, fate, member, in_container);
        }
    }

    /// Shows the start of a text to the catalogers that want it.
    fn show_start(&mut self, view: &View, member: &Member) {
        let mut catalogers = self.shared.index.find_starts(&member.path).peekable();
        if catalogers.peek().is_none() {
            return;
        }
        let start = match view {
            View::Nothing => return,
            View::Whole(window) | View::Range(window) => window.peek(0, HEAD_BYTES),
            View::Long(long) => Ok(long.head().into()),
        };
        // What cannot be read is told where all of it is asked for.
        let Ok(start) = start else { return };
        for cataloger in catalogers {
            self.run_cataloger(cataloger, &File::of_bytes(&member.path, &start));
        }
    }

    /// Gives the bytes to the catalogers that select the path or want it for their listing.
    fn hand_over(&mut self, view: &mut Option<View>, member: &Member) -> Fate {
        let tables = self.shared.index.find_tables(&member.path);
        if !tables.is_empty() {
            return self.table(&tables, view, member);
        }
        let selected = self.is_selected(&member.path);
        let listed =
            member.listed.is_some() && self.shared.index.wants_member(&member.name_with_slashes());
        if !selected && !listed {
            return Fate::Opaque;
        }
        let Some(bytes) = self.whole(view, self.shared.options.catalog_size_max) else {
            self.found.flaw(FlawCode::LimitEntrySize, &member.path, member.packed);
            return Fate::Flawed;
        };
        if selected {
            self.catalog(&member.path, &bytes);
        }
        if listed {
            self.keep_for_listing(member, &bytes);
        }
        Fate::Read
    }

    /// Shows a database to its catalogers, by range.
    fn table(
        &mut self,
        catalogers: &[&'static dyn Cataloger],
        view: &mut Option<View>,
        member: &Member,
    ) -> Fate {
        self.gather(view, self.shared.options.catalog_size_max);
        let Some(View::Whole(window) | View::Range(window)) = view else {
            return self.unread(FlawCode::LimitEntrySize, member);
        };
        let window = window.cached();
        for cataloger in catalogers {
            self.run_cataloger(*cataloger, &File::of_source(&member.path, &window));
        }
        Fate::Read
    }

    /// All bytes, if they are no more than `max`. A long view that turns out to fit is whole from
    /// then on.
    fn whole(&mut self, view: &mut Option<View>, max: u64) -> Option<Vec<u8>> {
        self.gather(view, max);
        match view {
            Some(View::Whole(window) | View::Range(window)) if window.len() <= max => {
                let bytes = window.read(0, usize::try_from(max).unwrap_or(usize::MAX)).ok()?;
                (bytes.len() as u64 == window.len()).then_some(bytes)
            }
            _ => None,
        }
    }

    /// Turns a long view into a whole one, if it is no longer than `max`.
    pub(super) fn gather(&mut self, view: &mut Option<View>, max: u64) {
        if let Some(View::Long(mut long)) = view.take_if(|view| matches!(view, View::Long(_))) {
            *view = Some(if self.widen(&mut long, max) && long.tap.flaw().is_none() {
                View::Whole(Window::of_memory(long.prefix))
            } else {
                View::Long(long)
            });
        }
    }

    /// Does what the kind of the bytes asks for. A view that is opened is taken.
    fn judge(&mut self, head: Head, view: &mut Option<View>, member: &Member) -> Fate {
        match head {
            Head::Zip => self.open(Kind::Zip, view, member),
            Head::Container(kind) => {
                let behind = self.zip_behind(kind, view, member);
                self.open(kind, view, member).max(behind)
            }
            Head::Stream(coding) => self.open_stream(coding, view, member),
            Head::Foreign => self.unread(FlawCode::ContainerUnsupported, member),
            Head::Locked => self.unread(FlawCode::Encrypted, member),
            Head::Gap(gap) => self.gap(gap, member).max(self.behind(head, view, member)),
            Head::Class => {
                let fate = self.class(view, member);
                fate.max(self.behind(head, view, member))
            }
            Head::Program(kind) => {
                let fate = self.program(kind, view, member);
                fate.max(self.behind(head, view, member))
            }
            Head::Script | Head::Text | Head::Unclear | Head::Other => {
                self.behind(head, view, member)
            }
        }
    }

    /// Code that is recognised and cannot be looked into.
    fn gap(&mut self, gap: Gap, member: &Member) -> Fate {
        self.found.gaps.push((gap, member.path.clone()));
        Fate::Listed
    }

    pub(super) fn unread(&mut self, code: FlawCode, member: &Member) -> Fate {
        self.found.flaw(code, &member.path, member.packed);
        Fate::Flawed
    }

    /// Fingerprints a class file.
    fn class(&mut self, view: &mut Option<View>, member: &Member) -> Fate {
        let Some(read) = self.shared.class else { return Fate::Opaque };
        let Some(bytes) = self.whole(view, self.shared.options.class_size_max) else {
            return self.unread(FlawCode::LimitClassSize, member);
        };
        let Some(print) = read(&bytes) else {
            return self.unread(FlawCode::ClassMalformed, member);
        };
        self.keep_print(print, member);
        Fate::Read
    }

    fn keep_opaque(&mut self, member: &Member) {
        if let (Some(level), Some(at)) = (self.levels.last_mut(), member.listed)
            && let Some(listed) = level.listing.entries.get_mut(at)
        {
            listed.opaque = true;
        }
    }

    fn keep_print(&mut self, print: ClassPrint, member: &Member) {
        match (self.levels.last_mut(), member.listed) {
            (Some(level), Some(at)) => {
                if let Some(listed) = level.listing.entries.get_mut(at) {
                    listed.class = Some(print);
                }
            }
            (None, _) if self.shared.counts_class() => {
                self.found.folder_classes.push((member.path.clone(), print));
            }
            _ => {}
        }
    }

    /// Shows a program to the catalogers of its kind.
    fn program(&mut self, kind: Kind, view: &mut Option<View>, member: &Member) -> Fate {
        let mut catalogers = cataloger::of_kind(kind).peekable();
        if catalogers.peek().is_none() {
            return Fate::Opaque;
        }
        self.gather(view, self.shared.options.catalog_size_max);
        let Some(View::Whole(window) | View::Range(window)) = view else {
            return self.unread(FlawCode::LimitMemory, member);
        };
        let window = window.cached();
        let held = Held::new(&window);
        let start = held.read_at(0, PACKED_MARK_BYTES).unwrap_or_default();
        if memmem::find(&start, b"UPX!").is_some() {
            // All that names it is packed; what unpacks it is all that can be seen.
            return self.unread(FlawCode::ContainerUnsupported, member);
        }
        for cataloger in catalogers {
            self.run_cataloger(cataloger, &File::of_source(&member.path, &held));
        }
        Fate::Read
    }

    /// Opens the zip that ends another container: those who load code from it look at its end.
    fn zip_behind(&mut self, kind: Kind, view: &mut Option<View>, member: &Member) -> Fate {
        let Some(View::Whole(window) | View::Range(window)) = view else { return Fate::Opaque };
        // In a tar the last member may be a zip, with zeros behind it.
        if kind == Kind::Tar {
            return Fate::Opaque;
        }
        let window = window.clone();
        match ends_in_zip(&window, kind, self.tail_bytes()) {
            Ok(true) => self.push_window(Kind::Zip, window, member),
            Ok(false) => Fate::Opaque,
            Err(error) => self.unread(code_of(&error), member),
        }
    }

    /// How much of a tail is looked through for the end of a zip.
    fn tail_bytes(&self) -> u64 {
        if self.shared.options.mode == Mode::Fast { FAST_TAIL_BYTES } else { u64::MAX }
    }

    /// Looks for an archive behind something else.
    fn behind(&mut self, head: Head, view: &mut Option<View>, member: &Member) -> Fate {
        let window = match view {
            Some(View::Whole(window) | View::Range(window)) => window.clone(),
            Some(View::Long(_)) => return self.behind_long(head, view, member),
            _ => return Fate::Opaque,
        };
        let found = self.appended(head, &window, member);
        found.unwrap_or_else(|error| self.unread(code_of(&error), member))
    }

    /// The same for bytes that come by once.
    fn behind_long(&mut self, head: Head, view: &mut Option<View>, member: &Member) -> Fate {
        let Some(View::Long(long)) = view else { return Fate::Opaque };
        if head == Head::Script
            && let Some(at) = sniff::payload_in(&long.prefix)
        {
            long.prefix.drain(..at);
            self.budget.release(at as u64);
            let head = sniff::head(&long.head());
            return self.judge(head, view, member);
        }
        if matches!(head, Head::Text | Head::Script) && sniff::is_text(&long.prefix) {
            // Text that goes on for megabytes is taken for text to its end.
            return Fate::Opaque;
        }
        let mark = long.prefix.get(ISO_MARK_AT as usize..).unwrap_or_default();
        if mark.starts_with(b"CD001") {
            return self.open(Kind::Iso, view, member);
        }
        if is_udf(mark) {
            return self.unread(FlawCode::ContainerUnsupported, member);
        }
        let unless_found = match head {
            // A script with something binary behind it unpacks itself.
            Head::Script => Some(FlawCode::MethodUnsupported),
            Head::Other | Head::Unclear if is_called_archive(&member.path) => {
                Some(FlawCode::CorruptEntry)
            }
            _ => None,
        };
        self.open_prefixed(view, unless_found, member)
    }

    /// The same for bytes that can be read at any place.
    fn appended(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        // An end record is no text, so a file that ends in text ends in no archive, but one with a
        // very long comment.
        if head == Head::Text && ends_in_text(window)? && !has_archive_name(&member.path) {
            return Ok(Fate::Opaque);
        }
        // In front of the search for an appended archive: the last file of an image may be one,
        // and the others would be lost.
        if window.len() >= ISO_BYTES_MIN {
            let mark = window.read(ISO_MARK_AT, 5)?;
            if mark == b"CD001" {
                let behind = if ends_in_zip(window, Kind::Iso, self.tail_bytes())? {
                    self.push_window(Kind::Zip, window.clone(), member)
                } else {
                    Fate::Opaque
                };
                return Ok(self.push_window(Kind::Iso, window.clone(), member).max(behind));
            }
            if is_udf(&mark) {
                return Ok(self.unread(FlawCode::ContainerUnsupported, member));
            }
        }
        if has_directory(window, self.tail_bytes())? {
            let fate = self.push_window(Kind::Zip, window.clone(), member);
            return Ok(fate.max(self.in_front(head, window, member)?));
        }
        if let Head::Program(kind) = head
            && let Some(fate) = self.overlay(kind, window, member)?
        {
            return Ok(fate);
        }
        if head == Head::Script && !ends_in_text(window)? {
            // A script with something binary behind it unpacks itself, or is a cut archive.
            return match sniff::payload_at(window)? {
                Some(at) => self.part(window, at, member),
                None => Ok(self.unread(FlawCode::MethodUnsupported, member)),
            };
        }
        if matches!(head, Head::Other | Head::Unclear) {
            return self.other(head, window, member);
        }
        Ok(Fate::Opaque)
    }

    /// Bytes that nothing recognises at their start.
    fn other(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        let is_foreign = head == Head::Unclear
            && (sniff::is_file_system(window)? || sniff::is_installer(window)?);
        if is_foreign {
            return Ok(self.unread(FlawCode::ContainerUnsupported, member));
        }
        if is_called_archive(&member.path) {
            return Ok(self.unread(FlawCode::CorruptEntry, member));
        }
        Ok(Fate::Opaque)
    }

    /// Opens what stands between a program or a script and the zip at its end, unless it is that.
    fn in_front(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        let at = match head {
            Head::Program(kind) => sniff::overlay_at(kind, window)?,
            Head::Script => sniff::payload_at(window)?,
            _ => None,
        };
        let Some(at) = at else { return Ok(Fate::Opaque) };
        match sniff::head(&window.part(at, u64::MAX).read(0, HEAD_BYTES)?) {
            Head::Zip => Ok(Fate::Opaque),
            _ => self.part(window, at, member),
        }
    }

    /// What stands behind the last section of a program, or in front of its certificates.
    fn overlay(
        &mut self,
        kind: Kind,
        window: &Window,
        member: &Member,
    ) -> io::Result<Option<Fate>> {
        if let Some(at) = sniff::certificates_at(window)?.filter(|_| kind == Kind::Pe) {
            let unsigned = window.part(0, at);
            if has_directory(&unsigned, u64::MAX)? {
                return Ok(Some(self.push_window(Kind::Zip, unsigned, member)));
            }
        }
        match sniff::overlay_at(kind, window)? {
            Some(at) => self.part(window, at, member).map(Some),
            None => Ok(None),
        }
    }

    /// Opens the container that starts somewhere in a window, if there is one.
    fn part(&mut self, window: &Window, at: u64, member: &Member) -> io::Result<Fate> {
        let mut part = window.part(at, u64::MAX);
        // The program that unpacks a 7z may have its settings in front of it, as text.
        if let Some(behind) = sniff::behind_settings(&part)? {
            part = part.part(behind, u64::MAX);
        }
        Ok(match sniff::head(&part.read(0, HEAD_BYTES)?) {
            Head::Zip => self.push_window(Kind::Zip, part, member),
            Head::Container(kind) => self.push_window(kind, part, member),
            Head::Stream(coding) => {
                let single = Single::new(&member.name, coding, Packing::Window(part.clone()));
                self.push(Kind::Stream, Box::new(single), Some(part), member)
            }
            Head::Foreign => self.unread(FlawCode::ContainerUnsupported, member),
            Head::Locked => self.unread(FlawCode::Encrypted, member),
            Head::Gap(gap) => self.gap(gap, member),
            _ if sniff::is_packed_python(&part)? => {
                self.unread(FlawCode::ContainerUnsupported, member)
            }
            _ => Fate::Opaque,
        })
    }
}

/// Whether there is nothing but zeros at the start: an empty tar archive.
fn is_blank(view: Option<&View>) -> bool {
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    match view {
        None | Some(View::Nothing) => true,
        Some(View::Whole(window) | View::Range(window)) => {
            window.peek(0, HEAD_BYTES).is_ok_and(|bytes| is_zero(&bytes))
        }
        Some(View::Long(long)) => is_zero(&long.prefix),
    }
}

/// Whether a zip ends these bytes and is not the last member of the container that they are.
fn ends_in_zip(window: &Window, kind: Kind, tail_bytes: u64) -> io::Result<bool> {
    let Some(end) = directory_end(window, tail_bytes)? else { return Ok(false) };
    let rest = window.read(end, usize::try_from(window.len() - end).unwrap_or_default())?;
    // These have their members as they are up to their end, and zeros behind it.
    let may_be_member = matches!(kind, Kind::Cpio | Kind::Deb | Kind::Iso | Kind::Jimage);
    Ok(rest.is_empty() || !may_be_member && rest.iter().all(|byte| *byte == 0))
}

/// Whether a UDF image without ISO 9660 starts its descriptors so (ECMA-167, 2/9.2).
fn is_udf(mark: &[u8]) -> bool {
    [&b"BEA01"[..], b"NSR02", b"NSR03"].iter().any(|udf| mark.starts_with(udf))
}

/// Whether the last bytes of a file are text.
fn ends_in_text(window: &Window) -> io::Result<bool> {
    let at = window.len().saturating_sub(HEAD_BYTES as u64);
    Ok(sniff::is_text(&window.peek(at, HEAD_BYTES)?))
}

/// Names under which a loader expects an archive: binary bytes there that are none were one.
pub(super) fn has_archive_name(path: &str) -> bool {
    let name = file_name(path).to_ascii_lowercase();
    [".jar", ".war", ".ear", ".aar", ".whl", ".zip"].iter().any(|ending| name.ends_with(ending))
}

/// Endings of archives and packages of every family: binary bytes that are called so and that
/// nothing recognises were one.
const ARCHIVES: [&str; 30] = [
    "7z", "apk", "bz2", "cpio", "crate", "deb", "ear", "ejb", "gem", "gz", "hpi", "ipk", "iso",
    "jar", "jmod", "jpi", "kar", "lz4", "nar", "nupkg", "rpm", "sar", "snap", "tar", "tbz2", "tgz",
    "txz", "vsix", "xz", "zst",
];

/// Whether a file is called like an archive of any family.
fn is_called_archive(path: &str) -> bool {
    let ending = file_name(path).rsplit_once('.').map_or("", |(_, ending)| ending);
    has_archive_name(path) || ARCHIVES.iter().any(|it| ending.eq_ignore_ascii_case(it))
}

/// Endings of files that hold no archive: fast mode does not unpack them to look. Native libraries
/// are most of the bytes of many archives; nothing of them is metadata.
const LEAVES: [&str; 50] = [
    "class",
    "java",
    "kt",
    "kotlin_module",
    "kotlin_metadata",
    "scala",
    "groovy",
    "tasty",
    "sjsir",
    "clj",
    "html",
    "htm",
    "css",
    "js",
    "mjs",
    "ts",
    "map",
    "json",
    "xml",
    "xsd",
    "dtd",
    "xsl",
    "xslt",
    "properties",
    "txt",
    "md",
    "yml",
    "yaml",
    "mf",
    "sf",
    "rsa",
    "dsa",
    "lst",
    "idx",
    "gif",
    "png",
    "jpg",
    "jpeg",
    "svg",
    "ico",
    "ttf",
    "woff",
    "woff2",
    "proto",
    "so",
    "dll",
    "dylib",
    "jnilib",
    "a",
    "o",
];

/// Whether fast mode must look into a member of a zip to know what it is.
pub(super) fn may_be_archive(name: &str) -> bool {
    let name = file_name(name);
    match name.rsplit_once('.') {
        Some((_, ending)) => !is_leaf(ending),
        // Services of Java are files without an ending whose names hold dots, or none at all.
        None => true,
    }
}

/// Whether there is something in a member with this head that fast mode wants.
pub(super) const fn may_hold_more(head: Head) -> bool {
    !matches!(head, Head::Text | Head::Other | Head::Unclear)
}

/// Whether files of this ending hold no archive.
pub(super) fn is_leaf(ending: &str) -> bool {
    LEAVES.iter().any(|leaf| ending.eq_ignore_ascii_case(leaf))
}
