//! Judges a file or member by its bytes, and does what its kind asks for.

use relight_model::FlawCode;

use super::account::Fate;
use super::fetch::View;
use super::level::Member;
use super::outer::Outer;
use crate::archive::code_of;
use crate::cataloger::{ClassPrint, File, Kind};
use crate::distribution::Distributions;
use crate::evidence::file_name;
use crate::sniff::{self, Gap, HEAD_BYTES, Head};
use crate::window::Window;

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
        // Most members are wanted by nobody, which their names show without a look-up.
        let in_zip = self.levels.last().is_some_and(|level| level.kind == Kind::Zip);
        if in_zip && !self.taste.may_select(&member.name) && !Distributions::selects(&member.path) {
            self.keep_manifest(view, member);
            return Fate::Opaque;
        }
        let tables = self.shared.index.find_tables(&member.path);
        if !tables.is_empty() {
            return self.table(&tables, view, member);
        }
        let selected = self.is_selected(&member.path);
        let listed = member.listed.is_some() && self.shared.index.wants_member(&member.name);
        if !selected && !listed {
            self.keep_manifest(view, member);
            return Fate::Opaque;
        }
        // A window of what is in memory already, and no copy of it.
        let window = self.whole(view, self.shared.options.catalog_size_max);
        let Some(bytes) = window.as_ref().and_then(Window::all) else {
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

    /// A window of all bytes, if they are no more than `max`. A long view that turns out to fit is
    /// whole from then on.
    pub(super) fn whole(&mut self, view: &mut Option<View>, max: u64) -> Option<Window> {
        self.gather(view, max);
        match view {
            Some(View::Whole(window) | View::Range(window)) if window.len() <= max => {
                Some(window.clone())
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
    pub(super) fn judge(&mut self, head: Head, view: &mut Option<View>, member: &Member) -> Fate {
        match head {
            Head::Zip => self.open(Kind::Zip, view, member),
            Head::Container(kind) => self.open_both(kind, view, member),
            Head::Stream(coding) => self.open_stream_and_zip(coding, view, member),
            Head::Foreign => self.unread(FlawCode::ContainerUnsupported, member),
            Head::Locked => self.unread(FlawCode::Encrypted, member),
            Head::Gap(gap) => self.gap(gap, member).max(self.behind(head, view, member)),
            Head::Class => {
                let fate = self.class(view, member);
                fate.max(self.behind(head, view, member))
            }
            Head::Wasm => self.wasm(view, member).max(self.behind(head, view, member)),
            Head::Program(kind) => {
                let fate = self.program(kind, view, member);
                let behind = self.behind(head, view, member);
                if let Some(level) = self.levels.last_mut().filter(|_| view.is_none()) {
                    level.is_read = fate == Fate::Read;
                }
                fate.max(behind)
            }
            Head::Script | Head::Text | Head::Unclear | Head::Other => {
                self.behind(head, view, member)
            }
        }
    }

    /// WebAssembly, which says of what languages it is and of no package. What a package of a
    /// distribution brings is none of its gaps.
    fn wasm(&mut self, view: &mut Option<View>, member: &Member) -> Fate {
        self.gather(view, self.shared.options.catalog_size_max);
        let Some(View::Whole(window) | View::Range(window)) = view else {
            return self.unread(FlawCode::LimitMemory, member);
        };
        match sniff::wasm_hides(window) {
            Ok(hidden) if hidden.is_empty() || self.in_package(&member.path) => Fate::Opaque,
            Ok(hidden) => {
                let gaps =
                    hidden.into_iter().map(|code| (Gap::Unlisted(code), member.path.clone()));
                self.found.gaps.extend(gaps);
                Fate::Listed
            }
            Err(error) => self.unread(code_of(&error), member),
        }
    }

    /// Code that is recognised and cannot be looked into.
    pub(super) fn gap(&mut self, gap: Gap, member: &Member) -> Fate {
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
        let window = self.whole(view, self.shared.options.class_size_max);
        let Some(bytes) = window.as_ref().and_then(Window::all) else {
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
}

/// Whether there is nothing but zeros at the start: an empty tar archive.
pub(super) fn is_blank(view: Option<&View>) -> bool {
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    match view {
        None | Some(View::Nothing) => true,
        Some(View::Whole(window) | View::Range(window)) => {
            window.peek(0, HEAD_BYTES).is_ok_and(|bytes| is_zero(&bytes))
        }
        Some(View::Long(long)) => is_zero(&long.prefix),
    }
}

/// Names under which a loader expects an archive: binary bytes there that are none were one.
pub(super) fn has_archive_name(path: &str) -> bool {
    let ending = file_name(path).rsplit_once('.').map_or("", |(_, ending)| ending);
    ["jar", "war", "ear", "aar", "whl", "zip"].iter().any(|it| ending.eq_ignore_ascii_case(it))
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
