//! Members that have another name which says more than their first: their container is read once
//! more for them.

use std::collections::HashSet;
use std::io::{self, Read};

use relight_formats::limited::coding::{Held, decoder_of};
use relight_model::FlawCode;

use super::budget::{Promise, Tap};
use super::level::{Level, with_slashes};
use super::outer::Outer;
use super::windows::Windowed;
use crate::archive::{
    Container, Cpio, Feed, Iso, Linked, Links, Names, Pipe, Squashfs, Tar, Telling, code_of,
    join_names,
};
use crate::cataloger::{Kind, Listing};
use crate::evidence::{escape, in_archive, place_of, unescape};
use crate::sniff::{self, HEAD_BYTES, Head};
use crate::window::Window;

/// A container that is read once more: where it is, what it is, how many steps deep, and its bytes
/// where they stand still.
pub(super) struct OnceMore {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) depth: u32,
    pub(super) origin: Option<Window>,
}

impl Outer<'_, '_> {
    /// The names that say more than those of their files, by the places of these. What a symbolic
    /// link means need not be in the archive: then it is no part of it that stayed unread.
    pub(super) fn telling(&mut self, links: &Links, listing: &Listing, of: &OnceMore) -> Names {
        let place = |name: &str| in_archive(&of.path, name);
        let says_more = |name: &str, file: &str| self.shared.says_more(&place(name), &place(file));
        let says = |name: &str| self.shared.says(&place(name));
        let Telling { names: mut symbolic, too_long } =
            links.telling_symbolic(&says, &mut |_, _| {});
        if listing.complete && !symbolic.is_empty() {
            let missing = leave_listed(&mut symbolic, listing);
            // Links to folders that were not kept may have led there.
            for name in missing.filter(|_| links.is_cut()) {
                self.found.flaw(FlawCode::LimitMemory, &place(&escape(&name)), 0);
            }
        }
        for name in links.too_deep(&says_more).into_iter().chain(too_long) {
            self.found.flaw(FlawCode::LimitDepth, &place(&escape(&name)), 0);
        }
        join_names(links.telling(&says_more), symbolic)
    }

    /// Reads a container once more, for the members that have such names.
    pub(super) fn read_links(&mut self, telling: Names, again: OnceMore) {
        if telling.is_empty() {
            return;
        }
        let OnceMore { path, kind, depth, origin } = again;
        let (container, held) = match self.container_again(kind, origin, &telling) {
            Ok(again) => again,
            Err(code) => {
                for name in telling.values().flatten() {
                    self.found.flaw(code, &in_archive(&path, &escape(name)), 0);
                }
                return;
            }
        };
        let linked = Linked::new(container, telling, self.shared.options.held_for_names_max());
        let mut level = Level::again(&path, kind, Box::new(linked), depth);
        level.held = held;
        self.levels.push(level);
    }

    /// A container once more, where its bytes or the stream around them stand still; and the memory
    /// that is held for files of several names, where these come by once.
    fn container_again(
        &self,
        kind: Kind,
        origin: Option<Window>,
        telling: &Names,
    ) -> Result<(Box<dyn Container>, u64), FlawCode> {
        let is_plain = origin.is_some() && kind != Kind::Squashfs;
        let has_several = telling.values().any(|names| names.len() > 1);
        let held =
            if has_several && !is_plain { self.shared.options.held_for_names_max() } else { 0 };
        let opened =
            |container: io::Result<Box<dyn Container>>| container.map_err(|error| code_of(&error));
        let container = match (kind, origin) {
            (Kind::Iso, Some(window)) => opened(Iso::open(window).map(|it| Box::new(it) as _))?,
            (Kind::Squashfs, Some(window)) => {
                opened(Squashfs::open(window).map(|it| Box::new(it) as _))?
            }
            (_, origin) => {
                let feed = match origin {
                    Some(window) => Feed::of_window(&window),
                    None => {
                        let stream = self.stream_again().ok_or(FlawCode::MethodUnsupported)?;
                        Feed::Pipe(Pipe::new(stream))
                    }
                };
                match kind {
                    Kind::Cpio => Box::new(Cpio::new(feed)) as Box<dyn Container>,
                    _ => Box::new(Tar::new(feed)),
                }
            }
        };
        if !self.budget.hold(held) {
            return Err(FlawCode::LimitMemory);
        }
        Ok((container, held))
    }

    /// What a stream around a container gives once more.
    fn stream_again(&self) -> Option<Box<dyn Read>> {
        let around = self.levels.last().filter(|level| level.kind == Kind::Stream)?;
        let packed = around.origin.clone()?;
        let start = packed.read(0, HEAD_BYTES).ok()?;
        let Head::Stream(coding) = sniff::head(&start) else { return None };
        let stream = decoder_of(coding, &start, packed.reader()).ok()?;
        let stream = Windowed::of(stream, Held::of(coding, &start), &self.budget);
        let promise = Promise { size_max: u64::MAX, ..Promise::default() };
        Some(Box::new(Tap::new(stream, &self.budget, promise)))
    }
}

/// Leaves the names of files that are listed; the others are given.
fn leave_listed(telling: &mut Names, listing: &Listing) -> impl Iterator<Item = Vec<u8>> {
    let listed = |place: &str| place_of(with_slashes(&unescape(place)).as_bytes());
    let wanted: HashSet<String> = telling.keys().map(|place| listed(place)).collect();
    let all = listing.names().map(|name| place_of(name.as_bytes()));
    let met: HashSet<String> = all.filter(|place| wanted.contains(place)).collect();
    let missing = telling.extract_if(.., |place, _| !met.contains(&listed(place)));
    missing.collect::<Names>().into_values().flatten()
}
