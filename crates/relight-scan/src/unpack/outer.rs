//! The open containers of one outer file, on a stack of our own.

use std::cell::RefCell;
use std::rc::Rc;

use relight_formats::limited::coding::{Inflater, Stepper};
use relight_model::{Catalog, Flaw, FlawCode};

use super::account::Fate;
use super::budget::{Budget, SharedTap, Tap};
use super::fetch::{Fetched, View};
use super::level::{LISTING_BYTES_MAX, Level, Member};
use super::links::OnceMore;
use super::metered::Metered;
use super::skim::Taste;
use super::{Found, Shared, join, look};
use crate::archive::{Damage, Entry, Listable, Node, code_of};
use crate::cataloger::{self, Cataloger, File, Kind, ReadAt};
use crate::distribution::{Distributions, UNLISTED};
use crate::evidence::{escape, in_archive, names_of};
use crate::java;
use crate::limits::Mode;
use crate::ownership::is_add_on;
use crate::sniff::{self, Gap, HEAD_BYTES, Head};
use crate::window::Window;

/// Bytes of a file whose lines are not counted: there cannot be too many.
const LINES_FREE_BYTES: usize = 512 << 10;

/// What a file takes once it is understood, in times of its size.
const TREE_RATIO: u64 = 4;

/// The reading of one file of the tree.
pub(super) struct Outer<'a, 'f> {
    pub(super) shared: &'a Shared<'a>,
    pub(super) budget: Rc<Budget>,
    pub(super) found: &'f mut Found,
    pub(super) levels: Vec<Level>,
    /// Containers that are opened when those before them are closed.
    pub(super) waiting: Vec<Waiting>,
    pub(super) buffers: Buffers,
    /// Judges the names of members.
    pub(super) taste: Taste<'a>,
}

/// A container that is to be opened when so many levels are open.
pub(super) struct Waiting {
    pub(super) levels: usize,
    pub(super) kind: Kind,
    pub(super) window: Window,
    pub(super) member: Member,
}

/// What every file needs for a while; used again for the next one.
#[derive(Default)]
pub(crate) struct Buffers {
    pub(super) inflater: Inflater,
    pub(super) stepper: Stepper,
    pub(super) packed: Vec<u8>,
    pub(super) spare: Vec<u8>,
}

impl Drop for Outer<'_, '_> {
    fn drop(&mut self) {
        self.shared.give_buffers(std::mem::take(&mut self.buffers));
    }
}

impl<'a, 'f> Outer<'a, 'f> {
    pub(super) fn new(shared: &'a Shared<'a>, disk_bytes: u64, found: &'f mut Found) -> Self {
        let budget = Budget::new(shared.options, &shared.memory, disk_bytes);
        Self {
            shared,
            budget: Rc::new(budget),
            found,
            levels: Vec::new(),
            waiting: Vec::new(),
            buffers: shared.take_buffers(),
            taste: Taste::new(&shared.index),
        }
    }

    /// Reads the outer file and everything in it.
    pub(super) fn run(&mut self, entry: Entry, path: &str) {
        let name = entry.name.clone();
        let (path, packed) = (path.to_owned(), entry.packed);
        let member = Member { path, name, packed, listed: None, depth: 0, is_payload: false };
        self.read(entry, &member);
        loop {
            self.open_waiting();
            let Some(level) = self.levels.last_mut() else { break };
            let is_fast = self.shared.options.mode == Mode::Fast;
            let shared = self.shared;
            let members = &mut self.found.members;
            let passed = match self.budget.spent() {
                Some(_) => None,
                None => level.pass_over(shared, &self.budget, members),
            };
            if let Some(code) = passed {
                self.damage(Damage::new(code, 0));
                continue;
            }
            let path = &level.path;
            let is_wanted = |member: &Listable<'_>| {
                let place = || in_archive(path, &escape(member.name));
                !member.is_folder && shared.is_wanted(&place, member.name)
            };
            let next = match self.budget.spent() {
                Some(_) => None,
                None if is_fast => level.container.next_of(&is_wanted),
                None => level.container.next(),
            };
            match next {
                Some(Ok(entry)) => self.member(entry),
                Some(Err(damage)) => self.damage(damage),
                None => self.close(),
            }
        }
    }

    /// Opens the next container that waits for its turn.
    fn open_waiting(&mut self) {
        loop {
            let levels = self.levels.len();
            let Some(next) = self.waiting.pop_if(|it| it.levels == levels) else { return };
            self.push_found(next.kind, next.window, &next.member);
        }
    }

    /// Opens an archive that was found in something else, or a stream.
    pub(super) fn push_found(&mut self, kind: Kind, window: Window, member: &Member) -> Fate {
        if kind != Kind::Stream {
            return self.push_window(kind, window, member);
        }
        match window.read(0, HEAD_BYTES).map(|start| sniff::head(&start)) {
            Ok(Head::Stream(coding)) => {
                self.open_stream(coding, &mut Some(View::Range(window)), member)
            }
            Ok(_) => Fate::Opaque,
            Err(error) => self.unread(code_of(&error), member),
        }
    }

    /// Something of the innermost container cannot be read.
    fn damage(&mut self, damage: Damage) {
        let Some(level) = self.levels.last_mut() else { return };
        level.listing.complete = false;
        // A limit that ended everything is said once, where it was reached; on its way through
        // decoders its code is lost.
        let code = match self.budget.spent() {
            Some(spent) if damage.code == FlawCode::LimitExpanded => spent,
            _ => damage.code,
        };
        let said = self.found.flaws.last().is_some_and(|flaw| flaw.code == code);
        if self.budget.spent() != Some(code) || !said {
            self.found.flaw(code, &level.path, damage.bytes);
        }
    }

    /// Reads the next member of the innermost container.
    fn member(&mut self, mut entry: Entry) {
        if !self.budget.entry() {
            self.damage(Damage::new(FlawCode::LimitEntries, 0));
            return self.close();
        }
        let Some(member) = self.place(&mut entry) else { return };
        if let Some(code) = self.budget.spent() {
            return self.found.flaw(code, &member.path, entry.packed);
        }
        if entry.node == Node::File {
            return self.read(entry, &member);
        }
        let name = member.name.as_slice();
        if let Some(level) = self.levels.last_mut() {
            let refused = match &entry.node {
                Node::HardLink(target) => {
                    level.link(name, target);
                    None
                }
                Node::Link(target) => level.symbolic(name, target),
                _ => None,
            };
            let is_told =
                |code: &FlawCode| !entry.flaws.contains(code) && self.shared.says(&member.path);
            if let Some(code) = refused.filter(is_told) {
                self.found.flaw(code, &member.path, 0);
            }
            let is_link = matches!(entry.node, Node::HardLink(_) | Node::Link(_));
            level.listing.has_links |= is_link && is_class_or_folder(name);
        }
        for code in entry.flaws {
            self.found.flaw(code, &member.path, 0);
        }
    }

    /// Gives a member its path and its place in the listing; `None` when the path is too long. It
    /// takes the name.
    fn place(&mut self, entry: &mut Entry) -> Option<Member> {
        let level = self.levels.last_mut()?;
        let copy = level.copy_of(entry);
        let mut depth = level.depth;
        let mut path = if entry.is_step {
            depth += 1;
            level.path_of(&entry.name)
        } else {
            level.path.clone()
        };
        if copy > 1 && entry.is_step {
            path = format!("{path}#{copy}");
        }
        if level.listing_bytes > LISTING_BYTES_MAX && level.listing.complete {
            level.listing.complete = false;
            self.found.flaw(FlawCode::LimitMemory, &level.path, 0);
        }
        let listed = level.list(entry);
        let path_max = self.shared.options.path_bytes_max;
        if path.len() > path_max {
            let shown = &path[..path.floor_char_boundary(path_max)];
            self.found.flaw(FlawCode::LimitDepth, shown, entry.packed);
            self.account(Fate::Flawed, entry.packed);
            return None;
        }
        let (name, packed) = (std::mem::take(&mut entry.name), entry.packed);
        let is_payload = !entry.is_step || self.levels.last().is_some_and(|level| level.is_payload);
        Some(Member { path, name, packed, listed, depth, is_payload })
    }

    /// Reads a file or member, whatever it is.
    fn read(&mut self, mut entry: Entry, member: &Member) {
        if entry.is_listed_only {
            return self.account(Fate::Listed, entry.size.unwrap_or_default());
        }
        let in_zip = self.levels.last().is_some_and(|level| level.kind == Kind::Zip);
        if self.shared.options.mode == Mode::Fast && in_zip && !self.is_worth_it(&entry, member) {
            return self.account(Fate::Listed, entry.size.unwrap_or_default());
        }
        let Fetched { view, flaw } = self.fetch(&mut entry);
        let real = flaw.is_none() || matches!(view, View::Long(_));
        if entry.is_guess
            && let Some(level) = self.levels.last_mut()
        {
            level.container.judge(real);
            if !real {
                level.listing.entries.pop();
                return;
            }
        }
        for code in entry.flaws.iter().copied().chain(flaw) {
            self.found.flaw(code, &member.path, entry.packed);
        }
        if flaw == Some(FlawCode::CrcMismatch)
            && let (Some(level), Some(at)) = (self.levels.last_mut(), member.listed)
        {
            // The bytes are not those that the sum would identify.
            level.listing.entries[at].crc = None;
        }
        // Beyond a limit there is only a part, which would be called broken; a wrong check sum
        // leaves something to read.
        let cut = matches!(
            flaw,
            Some(FlawCode::LimitEntrySize | FlawCode::LimitExpanded | FlawCode::LimitTime)
        );
        let flawed = flaw.is_some() || !entry.flaws.is_empty();
        match view {
            View::Nothing => {
                let fate = if flawed { Fate::Flawed } else { Fate::Opaque };
                self.account(fate, entry.size.unwrap_or(entry.packed));
            }
            View::Whole(bytes) if cut => {
                self.account(Fate::Flawed, bytes.len());
                self.reuse(bytes);
            }
            view => self.look(view, member, flawed),
        }
    }

    /// In fast mode: whether a member must be unpacked. What no cataloger asks for is judged by its
    /// head alone, so an archive that is appended to something else inside a zip is for deep mode.
    fn is_worth_it(&mut self, entry: &Entry, member: &Member) -> bool {
        let name = member.name_with_slashes();
        self.shared.is_asked_for(&member.path, &member.name)
            || look::has_archive_name(&name)
            || look::may_be_archive(&name) && self.taste(entry).is_none_or(look::may_hold_more)
    }

    /// A container was read to its end: its listing goes to the catalogers of its kind.
    fn close(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        let Level { path, kind, container, mut listing, tap, held, depth, .. } = level;
        let Level { origin, is_guess, is_read, unless_found, links, is_again, .. } = level;
        let is_nothing = is_guess && listing.entries.is_empty();
        drop(container);
        let spent = self.budget.spent();
        listing.complete &= spent.is_none();
        if let Some(tap) = tap {
            let mut tap = tap.borrow_mut();
            tap.drain();
            let flaw = tap.flaw().or(unless_found.filter(|_| is_nothing));
            if let Some(code) = flaw.filter(|_| spent.is_none()) {
                self.found.flaw(code, &path, tap.count());
            }
            let fate = match flaw {
                Some(_) => Fate::Flawed,
                None if is_nothing && !is_read => Fate::Opaque,
                None => Fate::Read,
            };
            self.account(fate, tap.count());
        }
        self.budget.release(held);
        if is_nothing {
            self.found.archives -= 1;
            return;
        }
        if is_again {
            // What was damaged was said the first time; a limit may be reached the second time.
            return spent.into_iter().for_each(|code| self.say_spent(code, &path));
        }
        self.found.deepest = self.found.deepest.max(depth + 1);
        let again = OnceMore { path: path.clone(), kind, depth, origin };
        let mut telling = self.telling(&links, &listing, &again);
        self.leave_images(&again.path, &listing, &mut telling);
        let from = self.found.components.len();
        for cataloger in cataloger::of_kind(kind) {
            self.run_cataloger(cataloger, &File::of_listing(&path, &listing));
        }
        java::container(self.shared.options, &path, listing, from, self.found);
        self.read_links(telling, again);
    }

    /// Says the limit that ended everything, unless that was the last thing that was said.
    fn say_spent(&mut self, code: FlawCode, path: &str) {
        if self.found.flaws.last().is_none_or(|flaw| flaw.code != code) {
            self.found.flaw(code, path, 0);
        }
    }

    /// Says a flaw of a file, unless that was the last thing that was said.
    pub(super) fn flaw_once(&mut self, code: FlawCode, path: &str) {
        let is_last = |flaw: &Flaw| flaw.code == code && flaw.evidence == path;
        if !self.found.flaws.last().is_some_and(is_last) {
            self.found.flaw(code, path, 0);
        }
    }

    /// Counts bytes of the outer file, or of a member.
    pub(super) fn account(&mut self, fate: Fate, bytes: u64) {
        self.account_in(!self.levels.is_empty(), fate, bytes);
    }

    /// The same for something whose container may have become another since it was met.
    pub(super) fn account_in(&mut self, inside: bool, fate: Fate, bytes: u64) {
        let account = if inside { &mut self.found.members } else { &mut self.found.files };
        account.add(fate, bytes);
    }

    pub(super) fn is_selected(&self, path: &str) -> bool {
        self.shared.is_selected(path)
    }

    pub(super) fn catalog(&mut self, path: &str, bytes: &[u8]) {
        if Distributions::selects(path) {
            let is_read = self.found.distributions.read(path, bytes);
            // A package brings this file, and what starts a system (initramfs) has one of it.
            let is_part = |it: &Level| matches!(it.kind, Kind::Deb | Kind::Rpm | Kind::Cpio);
            if is_read && !self.levels.iter().any(is_part) {
                self.found.gaps.push((UNLISTED, path.to_owned()));
            }
        }
        let catalogers = self.shared.index.find(path);
        if bytes.len() > LINES_FREE_BYTES && !catalogers.is_empty() {
            // What is made of much takes some times as much: one outer file at a time.
            self.budget.window(TREE_RATIO * bytes.len() as u64);
            let lines = memchr::memchr_iter(b'\n', bytes).count();
            if lines.saturating_mul(size_of::<&str>()) > self.budget.catalog_room() {
                return self.flaw_once(FlawCode::LimitMemory, path);
            }
        }
        let is_java = |level: &Level| matches!(level.kind, Kind::Zip | Kind::Jimage);
        let is_listed = self.levels.last().is_some_and(is_java);
        for cataloger in catalogers {
            let file = File { is_listed, ..File::of_bytes(path, bytes) };
            self.run_cataloger(cataloger, &file);
        }
    }

    pub(super) fn run_cataloger(&mut self, cataloger: &dyn Cataloger, file: &File<'_>) {
        let mut catalog = Catalog::with_room(self.budget.catalog_room());
        let metered = file.source.map(|source| Metered::new(source, &self.budget));
        let source = metered.as_ref().map(|source| source as &dyn ReadAt);
        cataloger.catalog(&File { source, ..*file }, &mut catalog);
        self.budget.leave_catalog_room(catalog.room());
        if let Some(code) = metered.as_ref().and_then(Metered::reached) {
            // What the cataloger says of it is that it could not read on, as others do.
            self.flaw_once(code, file.path);
        } else if !catalog.warnings().is_empty() {
            self.found.flaw(FlawCode::CorruptEntry, file.path, file.bytes.len() as u64);
        }
        if catalog.is_cut() {
            self.flaw_once(FlawCode::LimitMemory, file.path);
        }
        let (unlisted, dotnet) = (catalog.unlisted.map(Gap::of_program), catalog.dotnet);
        for gap in unlisted.into_iter().chain(dotnet.map(Gap::Dotnet)) {
            let is_told = matches!(gap, Gap::Dex | Gap::NativeImage);
            if is_told || !self.in_package(file.path) {
                self.found.gaps.push((gap, file.path.to_owned()));
            }
        }
        let (components, warnings, owned) = catalog.into_parts();
        join(&mut self.found.components, components);
        join(&mut self.found.warnings, warnings);
        for owned in owned {
            self.found.ownership.add(file.path, owned);
        }
    }

    /// Whether something is in a package of a distribution, as far as its path tells.
    pub(super) fn in_package(&self, path: &str) -> bool {
        let package = self.levels.iter().find(|it| matches!(it.kind, Kind::Deb | Kind::Rpm));
        let inside = package.and_then(|it| path.strip_prefix(&it.path));
        inside.is_some_and(|inside| !inside.split("!/").any(is_add_on))
    }

    /// Keeps a member for the listing of its container, whose catalogers want it.
    pub(super) fn keep_for_listing(&mut self, member: &Member, bytes: &[u8]) {
        let size_max = self.shared.options.catalog_size_max;
        let Some(level) = self.levels.last_mut() else { return };
        let size = bytes.len() as u64;
        if level.kept_bytes + size > size_max || !self.budget.hold(size) {
            self.found.flaw(FlawCode::LimitEntrySize, &member.path, member.packed);
            return;
        }
        level.kept_bytes += size;
        level.held += size;
        level.listing.members.push((member.name_with_slashes(), bytes.to_vec()));
    }

    /// Takes the buffer of a member back, to use it again; a level that reads on in it keeps it.
    pub(super) fn reuse(&mut self, bytes: Window) {
        const KEPT_BYTES_MAX: usize = 1 << 20;
        let len = bytes.len();
        match (bytes.into_memory(), self.levels.last_mut()) {
            (None, Some(level)) => level.held += len,
            (bytes, _) => {
                self.budget.release(len);
                self.buffers.spare =
                    bytes.filter(|bytes| bytes.capacity() <= KEPT_BYTES_MAX).unwrap_or_default();
            }
        }
    }

    /// Makes the tap of a stream, which its level keeps.
    pub(super) fn share(tap: Tap) -> (Rc<RefCell<Tap>>, SharedTap) {
        let tap = Rc::new(RefCell::new(tap));
        (Rc::clone(&tap), SharedTap(tap))
    }
}

fn is_class_or_folder(name: &[u8]) -> bool {
    names_of(name).last().is_some_and(|last| java::may_lead_to_classes(last))
}
