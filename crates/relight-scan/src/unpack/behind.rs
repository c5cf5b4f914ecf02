//! What stands behind something else: an archive after a program, a script or another container,
//! and what says so further in than at the start.

use std::io;
use std::ops::Range;

use memchr::memmem;
use relight_model::FlawCode;

use super::account::Fate;
use super::fetch::View;
use super::level::Member;
use super::look::{has_archive_name, is_blank};
use super::outer::Outer;
use crate::archive::{Iso, Phar, code_of, directory_place};
use crate::archive::{first_member, has_cut_directory, has_directory};
use crate::cataloger::Kind;
use crate::evidence::file_name;
use crate::limits::Mode;
use crate::sniff::{self, HEAD_BYTES, Head, ISO_MARK_AT, SCRIPT_BYTES_MAX};
use crate::window::Window;

/// Bytes of the tail that are looked at in fast mode.
const FAST_TAIL_BYTES: u64 = 4 << 10;

/// Smallest ISO image, in bytes: sixteen sectors of nothing, a volume descriptor and its end.
const ISO_BYTES_MIN: u64 = 18 * 2048;

/// What the code of PHP starts with: a file of it is text only in front.
const PHP: &[u8] = b"<?php";

/// Zips behind each other that are opened, from the last one to the front.
const ZIPS_MAX: usize = 16;

/// Endings of archives and packages of every family: binary bytes that are called so and that
/// nothing recognises were one.
const ARCHIVES: [&str; 51] = [
    "7z", "apk", "asar", "bz2", "cab", "cpio", "crate", "deb", "dmg", "ear", "egg", "ejb", "gem",
    "gz", "hpi", "ipk", "iso", "jar", "jmod", "jpi", "kar", "lha", "lpkg", "lrz", "lz4", "lzh",
    "lzma", "nar", "nupkg", "phar", "rar", "rpm", "sar", "sit", "snap", "sqsh", "squashfs", "tar",
    "tbz", "tbz2", "tgz", "tlz", "txz", "tzst", "udeb", "vsix", "wpress", "xz", "zlib", "zpaq",
    "zst",
];

/// Whether a file is called like an archive of any family.
fn is_called_archive(path: &str) -> bool {
    has_archive_name(path) || ARCHIVES.iter().any(|it| is_called(path, it))
}

fn is_called(path: &str, ending: &str) -> bool {
    let own = file_name(path).rsplit_once('.').map_or("", |(_, ending)| ending);
    own.eq_ignore_ascii_case(ending)
}

impl Outer<'_, '_> {
    /// Opens a container, and the zip that ends it: those who load code from it look at its end.
    pub(super) fn open_both(
        &mut self,
        kind: Kind,
        view: &mut Option<View>,
        member: &Member,
    ) -> Fate {
        if matches!(kind, Kind::SevenZip | Kind::Iso | Kind::Squashfs) {
            self.gather(view, self.shared.options.buffered_bytes_max);
        }
        let behind = self.zip_behind(kind, view.as_ref(), member);
        self.open(kind, view, member).max(behind)
    }

    /// Opens the zip that ends another container.
    fn zip_behind(&mut self, kind: Kind, view: Option<&View>, member: &Member) -> Fate {
        let Some(View::Whole(window) | View::Range(window)) = view else { return Fate::Opaque };
        let fate = self.zip_at_end(kind, window, member);
        fate.unwrap_or_else(|error| self.unread(code_of(&error), member))
    }

    fn zip_at_end(&mut self, kind: Kind, window: &Window, member: &Member) -> io::Result<Fate> {
        // The last member of these may be a zip, with zeros behind it or without.
        let has_none = matches!(kind, Kind::Tar | Kind::Jimage);
        let zip = if has_none { None } else { directory_place(window, self.tail_bytes())? };
        let Some(end) = zip.map(|zip| zip.end) else { return Ok(Fate::Opaque) };
        let is_member = match kind {
            Kind::Iso => Iso::holds(window.clone(), end, self.shared.options.entries_max)?,
            _ => !rest_of(kind).may_be(window, end)?,
        };
        if is_member {
            return Ok(Fate::Opaque);
        }
        Ok(self.push_window(Kind::Zip, window.clone(), member))
    }

    /// How much of a tail is looked through for the end of a zip.
    pub(super) fn tail_bytes(&self) -> u64 {
        if self.shared.options.mode == Mode::Fast { FAST_TAIL_BYTES } else { u64::MAX }
    }

    /// Looks for an archive behind something else.
    pub(super) fn behind(&mut self, head: Head, view: &mut Option<View>, member: &Member) -> Fate {
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
        let is_payload = member.is_payload && !is_blank(view.as_ref());
        let Some(View::Long(long)) = view else { return Fate::Opaque };
        let may_hold = matches!(head, Head::Script | Head::Text) || is_php(&long.prefix);
        if let Some(list) = sniff::phar_at(&long.prefix).filter(|_| may_hold) {
            // What loaders of other archives look for stands at its end.
            self.gather(view, self.shared.options.buffered_bytes_max);
            let Some(View::Whole(window)) = view else {
                return self.unread(FlawCode::LimitMemory, member);
            };
            let found = self.phar(&window.clone(), list as u64, member);
            return found.unwrap_or_else(|error| self.unread(code_of(&error), member));
        }
        let payload = match head {
            Head::Script => sniff::payload_in(&long.prefix),
            _ if may_hold => sniff::behind_text(&long.prefix),
            _ => None,
        };
        if let Some(at) = payload {
            long.prefix.drain(..at);
            long.again = None;
            self.budget.release(at as u64);
            let head = sniff::head(&long.head());
            return self.judge(head, view, member);
        }
        let is_text = matches!(head, Head::Text | Head::Script) && sniff::is_text(&long.prefix);
        if is_text && is_php(&long.prefix) && is_called(&member.path, "phar") {
            return self.unread(FlawCode::Truncated, member);
        }
        let is_utf8 = head == Head::Script || is_utf8(&long.prefix);
        let is_archive = is_called_archive(&member.path);
        let may_end_in_zip = head == Head::Text && has_archive_name(&member.path);
        if is_text && (is_utf8 || !is_archive) && !may_end_in_zip {
            // Text that goes on for megabytes is taken for text to its end.
            return Fate::Opaque;
        }
        let mark = long.prefix.get(ISO_MARK_AT as usize..).unwrap_or_default();
        if mark.starts_with(b"CD001") {
            return self.open_both(Kind::Iso, view, member);
        }
        if is_udf(mark) {
            return self.unread(FlawCode::ContainerUnsupported, member);
        }
        if head == Head::Unclear
            && let Some(fate) = self.unclear_long(view, member)
        {
            return fate;
        }
        let unless_found = match head {
            // A script with something binary behind it unpacks itself.
            Head::Script => Some(FlawCode::MethodUnsupported),
            Head::Text if is_text && is_utf8 => None,
            Head::Other | Head::Unclear | Head::Text if is_archive => Some(FlawCode::CorruptEntry),
            // Nobody packs a package around what is no archive.
            _ if is_payload => Some(FlawCode::MethodUnsupported),
            _ => None,
        };
        self.open_prefixed(view, unless_found, member)
    }

    /// Judges an image of a disk or an installer by as much of it as tells; `None` where it is
    /// neither, or may be something else as well.
    fn unclear_long(&mut self, view: &mut Option<View>, member: &Member) -> Option<Fate> {
        let class_end = match view {
            Some(View::Long(long)) => sniff::class_end(&long.head()).unwrap_or_default(),
            _ => 0,
        };
        // The root of an installer may stand far behind, and the whole may end before.
        self.gather(view, class_end.min(self.shared.options.buffered_bytes_max));
        let Some(View::Long(long)) = view else {
            return Some(self.behind(Head::Unclear, view, member));
        };
        if (long.prefix.len() as u64) < class_end {
            return Some(self.unread(FlawCode::LimitMemory, member));
        }
        let start = Window::of_memory(std::mem::take(&mut long.prefix));
        let is_foreign = is_foreign(&start).unwrap_or_default();
        long.prefix = start.into_memory().unwrap_or_default();
        is_foreign.then(|| self.unread(FlawCode::ContainerUnsupported, member))
    }

    /// The same for bytes that can be read at any place.
    fn appended(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        let is_php = is_php(&window.peek(0, HEAD_BYTES)?);
        let is_code = matches!(head, Head::Script | Head::Text);
        let is_text = is_code && ends_in_text(window)?;
        if (is_php || is_code && !is_text)
            && let Some(list) = sniff::phar_at(&window.peek(0, SCRIPT_BYTES_MAX)?)
        {
            return self.phar(window, list as u64, member);
        }
        if is_code && is_text && is_php && is_called(&member.path, "phar") {
            // Cut in the code in front of its list of files.
            return Ok(self.unread(FlawCode::Truncated, member));
        }
        // An end record is no text, so a file that ends in text ends in no archive, but one with a
        // very long comment.
        if head == Head::Text && is_text && !has_archive_name(&member.path) {
            return self.text(window, member);
        }
        // In front of the search for an appended archive: the last file of an image may be one,
        // and the others would be lost.
        if window.len() >= ISO_BYTES_MIN {
            let mark = window.read(ISO_MARK_AT, 5)?;
            if mark == b"CD001" {
                let behind = self.zip_at_end(Kind::Iso, window, member)?;
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
        if let Head::Program(kind) = head {
            let fate = self.overlay(kind, window, member)?;
            return Ok(fate.max(self.in_sections(window, &[], member)?));
        }
        if head == Head::Script && !is_text {
            // A script with something binary behind it unpacks itself, or is a cut archive.
            return match sniff::payload_at(window)? {
                Some(at) => self.part(window, at, member),
                None => Ok(self.unread(FlawCode::MethodUnsupported, member)),
            };
        }
        if (head == Head::Text || is_php)
            && let Some(at) = sniff::behind_text(&window.peek(0, SCRIPT_BYTES_MAX)?)
        {
            return self.part(window, at as u64, member);
        }
        match head {
            Head::Other | Head::Unclear => self.other(head, window, member),
            Head::Text if is_text => self.text(window, member),
            Head::Text if is_called_archive(&member.path) => {
                Ok(self.unread(FlawCode::CorruptEntry, member))
            }
            _ => Ok(Fate::Opaque),
        }
    }

    /// A text, as it seems: almost any byte may be a letter somewhere, but an archive that was
    /// overwritten is in no coding of today.
    fn text(&mut self, window: &Window, member: &Member) -> io::Result<Fate> {
        let is_utf8 = is_utf8(&window.peek(0, HEAD_BYTES)?);
        if !is_utf8 && is_called_archive(&member.path) {
            return Ok(self.unread(FlawCode::CorruptEntry, member));
        }
        Ok(Fate::Opaque)
    }

    /// Opens an archive of PHP, and what its signature or its metadata may hold for others.
    fn phar(&mut self, window: &Window, list: u64, member: &Member) -> io::Result<Fate> {
        let files = window.part(list, u64::MAX);
        let mut fate = Fate::Opaque;
        if let Some(zip) = directory_place(window, self.tail_bytes())? {
            let bytes = zip.start.checked_sub(list).map(|start| start..zip.end - list);
            let is_file = bytes.map(|bytes| Phar::holds(files.clone(), &bytes)).transpose()?;
            if is_file != Some(true) {
                fate = self.push_window(Kind::Zip, window.clone(), member);
            }
        }
        if is_image_mark(&window.read(ISO_MARK_AT, 5)?) {
            fate = fate.max(self.unread(FlawCode::ContainerUnsupported, member));
        }
        Ok(fate.max(self.push_window(Kind::Phar, files, member)))
    }

    /// Bytes that nothing recognises at their start.
    fn other(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        if head == Head::Unclear && is_foreign(window)? || sniff::is_udif(window)? {
            return Ok(self.unread(FlawCode::ContainerUnsupported, member));
        }
        // A tar archive without a file is zeros.
        let is_tar = head == Head::Unclear && member.path.ends_with(".tar");
        let is_empty = is_tar && window.peek(0, HEAD_BYTES)?.iter().all(|byte| *byte == 0);
        if is_called_archive(&member.path) && !is_empty {
            return Ok(self.unread(FlawCode::CorruptEntry, member));
        }
        Ok(Fate::Opaque)
    }

    /// Opens what stands in front of the zip at the end: other zips, and what starts behind a
    /// program or a script.
    fn in_front(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
        let mut opened = Vec::new();
        let mut fate = self.zips_in_front(window, &mut opened, member)?;
        // Its offsets may count from the start of the program, so it starts with its first member.
        if let (Head::Program(_), Some(start)) = (head, first_member(window, u64::MAX)?) {
            opened.push(start..u64::MAX);
            fate = fate.max(self.in_sections(window, &opened, member)?);
        }
        Ok(fate.max(self.behind_program(head, window, member)?))
    }

    /// `opened` gets the place of each that was opened.
    fn zips_in_front(
        &mut self,
        window: &Window,
        opened: &mut Vec<Range<u64>>,
        member: &Member,
    ) -> io::Result<Fate> {
        let (mut fate, mut rest) = (Fate::Opaque, window.clone());
        for count in 0.. {
            let start = first_member(&rest, u64::MAX)?.filter(|start| *start < rest.len());
            let Some(start) = start else { break };
            rest = rest.part(0, start);
            let is_whole = has_directory(&rest, u64::MAX)?;
            if !is_whole && !has_cut_directory(&rest)? {
                break;
            }
            if !is_whole || count == ZIPS_MAX {
                return Ok(fate.max(self.unread(FlawCode::ZipBoundaryAmbiguous, member)));
            }
            fate = fate.max(self.push_window(Kind::Zip, rest.clone(), member));
            let end = directory_place(&rest, u64::MAX)?.map(|place| place.end);
            opened.extend(first_member(&rest, u64::MAX)?.zip(end).map(|(start, end)| start..end));
        }
        Ok(fate)
    }

    fn behind_program(&mut self, head: Head, window: &Window, member: &Member) -> io::Result<Fate> {
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
    fn overlay(&mut self, kind: Kind, window: &Window, member: &Member) -> io::Result<Fate> {
        if let Some(at) = sniff::certificates_at(window)?.filter(|_| kind == Kind::Pe) {
            let unsigned = window.part(0, at);
            if has_directory(&unsigned, u64::MAX)? {
                return Ok(self.push_window(Kind::Zip, unsigned, member));
            }
        }
        let fate = match sniff::overlay_at(kind, window)? {
            Some(at) => self.part(window, at, member)?,
            None => Fate::Opaque,
        };
        // It may stand in a section of its own, or in front of a signature.
        if fate == Fate::Opaque && sniff::is_packed_python(kind, window)? {
            return Ok(self.unread(FlawCode::ContainerUnsupported, member));
        }
        Ok(fate)
    }

    /// Opens the container that starts somewhere in a window, if there is one.
    fn part(&mut self, window: &Window, at: u64, member: &Member) -> io::Result<Fate> {
        let mut part = window.part(at, u64::MAX);
        // The program that unpacks a 7z may have its settings in front of it, as text.
        if let Some(behind) = sniff::behind_settings(&part)? {
            part = part.part(behind, u64::MAX);
        }
        let start = part.read(0, HEAD_BYTES)?;
        Ok(match sniff::head(&start) {
            _ if sniff::starts_with_packer(&start) => {
                self.unread(FlawCode::ContainerUnsupported, member)
            }
            Head::Zip => self.push_window(Kind::Zip, part, member),
            Head::Container(kind) => self.push_window(kind, part, member),
            // A zip behind it is one behind all.
            Head::Stream(coding) => self.open_stream(coding, &mut Some(View::Range(part)), member),
            Head::Foreign => self.unread(FlawCode::ContainerUnsupported, member),
            Head::Locked => self.unread(FlawCode::Encrypted, member),
            Head::Gap(gap) => self.gap(gap, member),
            // What a program mounts: EROFS behind the runtime of an AppImage.
            Head::Unclear if is_foreign(&part)? => {
                self.unread(FlawCode::ContainerUnsupported, member)
            }
            _ if sniff::ends_in_python(&part, part.len())? => {
                self.unread(FlawCode::ContainerUnsupported, member)
            }
            _ => Fate::Opaque,
        })
    }
}

/// What may follow a zip that stands behind something else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Nothing,
    Zeros,
    /// As far as those who load code from a zip look for its end.
    Any,
}

impl Rest {
    /// Whether what follows `at` is that.
    pub(super) fn may_be(self, window: &Window, at: u64) -> io::Result<bool> {
        let rest = window.read(at, usize::try_from(window.len() - at).unwrap_or_default())?;
        Ok(match self {
            Self::Nothing => rest.is_empty(),
            Self::Zeros => rest.iter().all(|byte| *byte == 0),
            Self::Any => true,
        })
    }
}

/// What may follow the zip behind a container. Where anything may, nothing else tells of it.
const fn rest_of(kind: Kind) -> Rest {
    match kind {
        // These have their members as they are up to their end, and zeros behind it.
        Kind::Cpio | Kind::Deb => Rest::Nothing,
        Kind::SevenZip | Kind::Squashfs | Kind::Iso => Rest::Any,
        _ => Rest::Zeros,
    }
}

/// Whether these bytes are an image of a disk or of a file system, or an installer.
fn is_foreign(window: &Window) -> io::Result<bool> {
    Ok(sniff::is_file_system(window)? || sniff::is_installer(window, 0)?)
}

/// Whether the image of a disk starts its descriptors so.
pub(super) fn is_image_mark(mark: &[u8]) -> bool {
    mark.starts_with(b"CD001") || is_udf(mark)
}

/// Whether a UDF image without ISO 9660 starts its descriptors so (ECMA-167, 2/9.2).
fn is_udf(mark: &[u8]) -> bool {
    [&b"BEA01"[..], b"NSR02", b"NSR03"].iter().any(|udf| mark.starts_with(udf))
}

/// Whether a file starts as code of PHP, whose letters may be large and behind the mark of UTF-8,
/// has some in its first lines, or is a script for it.
fn is_php(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let start = &start[..start.len().min(HEAD_BYTES)];
    let line = || start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    start.get(..PHP.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(PHP))
        || memchr::memchr_iter(b'?', start).any(|at| at > 0 && start[at - 1..].starts_with(PHP))
        || start.starts_with(b"#!") && memmem::find(line(), b"php").is_some()
}

/// Whether a file starts as text in UTF-8.
fn is_utf8(start: &[u8]) -> bool {
    let start = &start[..start.len().min(HEAD_BYTES)];
    std::str::from_utf8(start).map_or_else(|it| it.error_len().is_none(), |_| true)
}

/// Whether the last bytes of a file are text.
fn ends_in_text(window: &Window) -> io::Result<bool> {
    let at = window.len().saturating_sub(HEAD_BYTES as u64);
    Ok(sniff::is_text(&window.peek(at, HEAD_BYTES)?))
}
