//! Opens containers: the innermost level of an outer file.

use std::io::{self, Read};
use std::rc::Rc;

use relight_model::FlawCode;

use super::account::Fate;
use super::budget::{Budget, SharedTap, Tap};
use super::fetch::{Long, View};
use super::level::{Level, Member};
use super::outer::Outer;
use super::windows::Guarded;
use crate::archive::{
    Again, Container, Cpio, Deb, Feed, Forward, Iso, Jimage, Phar, Pipe, Rpm, SevenZip, Squashfs,
    Tar, Zip, code_of,
};
use crate::cataloger::Kind;
use crate::fingerprint::Learnt;
use crate::limits::Mode;
use crate::window::Window;

/// Levels for each level that is a step of the evidence path: a package is three (itself, its
/// stream, its payload).
const LEVELS_FOR_STEP: usize = 3;

impl Outer<'_, '_> {
    /// Opens a container. A view that comes by once is taken; any other stays with the caller, and
    /// the level reads on in it.
    pub(super) fn open(&mut self, kind: Kind, view: &mut Option<View>, member: &Member) -> Fate {
        if let Some(View::Whole(window) | View::Range(window)) = view {
            let window = window.clone();
            return self.push_window(kind, window, member);
        }
        let build: fn(Pipe) -> Box<dyn Container> = match kind {
            Kind::Zip => |pipe| Box::new(Forward::new(pipe, false)),
            Kind::Tar => |pipe| Box::new(Tar::new(Feed::Pipe(pipe))),
            Kind::Cpio => |pipe| Box::new(Cpio::new(Feed::Pipe(pipe))),
            Kind::Deb => |pipe| Box::new(Deb::new(Feed::Pipe(pipe))),
            Kind::Rpm => |pipe| Box::new(Rpm::new(Feed::Pipe(pipe))),
            Kind::Jimage => |pipe| Box::new(Jimage::new(Feed::Pipe(pipe))),
            _ => return self.unread(FlawCode::LimitMemory, member),
        };
        self.push_long(kind, view, member, |stream, again| build(Pipe::of(stream, again)))
    }

    /// Opens a program or something unknown that comes by once: an archive may stand in it.
    /// `unless_found` is said when there is none.
    pub(super) fn open_prefixed(
        &mut self,
        view: &mut Option<View>,
        unless_found: Option<FlawCode>,
        member: &Member,
    ) -> Fate {
        let fate = self.push_long(Kind::Zip, view, member, |stream, again| {
            Box::new(Forward::new(Pipe::of(stream, again), true))
        });
        if let Some(level) = self.levels.last_mut().filter(|_| view.is_none()) {
            level.is_guess = true;
            level.unless_found = unless_found;
        }
        fate
    }

    /// Opens a container whose bytes can be read at any place.
    pub(super) fn push_window(&mut self, kind: Kind, window: Window, member: &Member) -> Fate {
        if let Some(code) = self.refusal(kind, Some(&window), member) {
            return self.unread(code, member);
        }
        if kind == Kind::Zip {
            return self.push_zip(window, member);
        }
        let feed = || Feed::of_window(&window);
        let container: io::Result<Box<dyn Container>> = match kind {
            Kind::Tar => Ok(Box::new(Tar::new(feed()))),
            Kind::Cpio => Ok(Box::new(Cpio::new(feed()))),
            Kind::Deb => Ok(Box::new(Deb::new(feed()))),
            Kind::Rpm => Ok(Box::new(Rpm::new(feed()))),
            Kind::Jimage => Ok(Box::new(Jimage::new(feed()))),
            Kind::Phar => Ok(Box::new(Phar::new(window.clone()))),
            Kind::SevenZip => {
                let guard = Rc::new(Guarded(Rc::clone(&self.budget)));
                SevenZip::open(window.clone(), guard).map(|zip| Box::new(zip) as _)
            }
            Kind::Iso => Iso::open(window.clone()).map(|iso| Box::new(iso) as _),
            Kind::Squashfs => Squashfs::open(window.clone()).map(|image| Box::new(image) as _),
            Kind::Zip | Kind::Stream | Kind::Elf | Kind::Pe | Kind::MachO => return Fate::Opaque,
        };
        match container {
            Ok(container) => self.push(kind, container, Some(window), member),
            Err(error) => self.unread(code_of(&error), member),
        }
    }

    /// Opens a zip. What is in one that was learnt is known.
    fn push_zip(&mut self, window: Window, member: &Member) -> Fate {
        let size_max = self.shared.options.directory_bytes_max;
        let zip = match Zip::open(window.clone(), size_max) {
            Ok(zip) => zip,
            Err(error) => return self.unread(code_of(&error), member),
        };
        if self.shared.options.mode == Mode::Fast && self.answered(&zip, &window, member) {
            return Fate::Read;
        }
        let learnt = self.learnt(&zip, &window);
        let fate = self.push(Kind::Zip, Box::new(zip), Some(window), member);
        if let Some(level) = self.levels.last_mut().filter(|_| fate == Fate::Read) {
            level.listing.archive = learnt.as_ref().map(|learnt| learnt.digest);
            level.learnt = learnt;
        }
        fate
    }

    /// What is known of its members. In fast mode the check sums of the directory are the
    /// evidence, so an equal directory is an equal archive; else all of it must be equal.
    fn learnt(&self, zip: &Zip, window: &Window) -> Option<Learnt> {
        let known = self.shared.options.fingerprints.known();
        // Who wants the listing wants all that is to be known of its classes.
        if known.is_empty() || self.shared.options.keep_listings {
            return None;
        }
        let directory = zip.directory_hash()?;
        if self.shared.options.mode == Mode::Fast {
            return known.archive(directory, &mut |_| true);
        }
        let mut own = None;
        let mut is_it = |digest| {
            let own = own.get_or_insert_with(|| crate::digest::of_window(window).ok());
            *own == Some(digest)
        };
        known.archive(directory, &mut is_it)
    }

    /// Opens a container whose bytes come by once.
    pub(super) fn push_long(
        &mut self,
        kind: Kind,
        view: &mut Option<View>,
        member: &Member,
        build: impl FnOnce(Box<dyn Read>, Option<Again>) -> Box<dyn Container>,
    ) -> Fate {
        if let Some(code) = self.refusal(kind, None, member) {
            return self.unread(code, member);
        }
        let Some(View::Long(Long { prefix, tap, again })) = view.take() else {
            return Fate::Opaque;
        };
        let (kept, tap) = Self::share(tap);
        let prefix = Prefix { bytes: prefix, at: 0, budget: Rc::clone(&self.budget) };
        let container = build(Box::new(Joined { prefix: Some(prefix), tap }), again);
        let fate = self.push(kind, container, None, member);
        if let Some(level) = self.levels.last_mut() {
            level.tap = Some(kept);
        }
        fate
    }

    /// Makes a container the innermost level.
    pub(super) fn push(
        &mut self,
        kind: Kind,
        container: Box<dyn Container>,
        origin: Option<Window>,
        member: &Member,
    ) -> Fate {
        if let Some(code) = self.refusal(kind, origin.as_ref(), member) {
            return self.unread(code, member);
        }
        let (path, depth) = self.place_of(kind, member);
        let mut level = Level::new(path, kind, container, depth);
        self.found.archives += u64::from(kind != Kind::Stream);
        level.origin = origin;
        level.is_payload = member.is_payload && kind == Kind::Stream;
        self.levels.push(level);
        Fate::Read
    }

    /// A tar or cpio in a stream stands in the place of the stream.
    pub(super) fn place_of<'a>(&'a self, kind: Kind, member: &'a Member) -> (&'a str, u32) {
        match self.levels.last() {
            Some(level) if level.kind == Kind::Stream && matches!(kind, Kind::Tar | Kind::Cpio) => {
                (&level.path, level.depth)
            }
            _ => (&member.path, member.depth),
        }
    }

    /// Why a container may not be opened.
    pub(super) fn refusal(
        &self,
        kind: Kind,
        window: Option<&Window>,
        member: &Member,
    ) -> Option<FlawCode> {
        let depth_max = self.shared.options.depth_max;
        let (_, depth) = self.place_of(kind, member);
        let levels_max = depth_max as usize * LEVELS_FOR_STEP + LEVELS_FOR_STEP;
        if depth >= depth_max || self.levels.len() >= levels_max {
            return Some(FlawCode::LimitDepth);
        }
        // Two readings of the same bytes (a stream, and a zip behind it) are no loop: the level
        // around must hold the member, not be it.
        let is_inside = |level: &Level| level.path.len() < member.path.len();
        let mut around = self.levels.iter().filter(|level| is_inside(level));
        let origin = window.filter(|window| {
            around.any(|level| level.origin.as_ref().is_some_and(|origin| origin.equals(window)))
        });
        origin.map(|_| FlawCode::ArchiveLoop)
    }
}

/// The start of a long member, held until it was read.
struct Prefix {
    bytes: Vec<u8>,
    at: usize,
    budget: Rc<Budget>,
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.budget.release(self.bytes.len() as u64);
    }
}

/// The start of a long member and the rest of it.
struct Joined {
    prefix: Option<Prefix>,
    tap: SharedTap,
}

impl Read for Joined {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(prefix) = &mut self.prefix {
            let ahead = &prefix.bytes[prefix.at..];
            let read = ahead.len().min(buffer.len());
            buffer[..read].copy_from_slice(&ahead[..read]);
            prefix.at += read;
            if prefix.at == prefix.bytes.len() {
                self.prefix = None;
            }
            if read > 0 {
                return Ok(read);
            }
        }
        self.tap.read(buffer)
    }
}

/// What is left of a view that was not opened.
impl Outer<'_, '_> {
    /// Counts the bytes of a view, and gives its memory back.
    pub(super) fn finish(&mut self, view: View, fate: Fate, member: &Member, inside: bool) {
        let (fate, bytes) = match view {
            View::Nothing => return,
            View::Range(window) => (fate, window.len()),
            View::Whole(window) => {
                let len = window.len();
                self.reuse(window);
                (fate, len)
            }
            View::Long(Long { prefix, mut tap, .. }) => {
                self.budget.release(prefix.len() as u64);
                drop(prefix);
                let flaw = self.drain(&mut tap);
                if let Some(code) = flaw {
                    self.found.flaw(code, &member.path, member.packed);
                }
                (if flaw.is_some() { Fate::Flawed } else { fate }, tap.count())
            }
        };
        self.account_in(inside, fate, bytes);
    }

    /// Reads a member to its end to check it, where its container promises something.
    fn drain(&self, tap: &mut Tap) -> Option<FlawCode> {
        let is_stream = |level: &Level| level.kind == Kind::Stream && !level.is_suspect;
        let in_stream = self.levels.last().is_some_and(is_stream);
        if in_stream {
            return None;
        }
        tap.drain();
        tap.flaw()
    }
}
