//! Programs and databases: catalogers read them by range, wherever they stand.

use std::io::{self, Read};
use std::rc::Rc;

use memchr::memmem;
use relight_formats::limited::shelf::Shelf;
use relight_model::FlawCode;

use super::account::Fate;
use super::behind::is_image_mark;
use super::fetch::{Long, View};
use super::level::Member;
use super::outer::Outer;
use super::rewind::Rewind;
use super::sections::holds_archives;
use crate::archive::{TAIL_BYTES_MAX, code_of, may_have_end, may_stand_beside};
use crate::cataloger::{self, Cataloger, File, Kind, ReadAt};
use crate::limits::Mode;
use crate::program::{HELD_BYTES_MAX, Held};
use crate::sniff::{self, HEAD_BYTES, Head, ISO_MARK_AT};

/// Bytes of a program in which the mark of UPX stands, behind its headers.
const PACKED_MARK_BYTES: usize = 1 << 10;

/// Bytes of a program that are held where what has gone by must be unpacked once more.
const HELD_AGAIN_BYTES_MAX: usize = 8 << 20;

impl Outer<'_, '_> {
    /// Shows a program to the catalogers of its kind.
    pub(super) fn program(&mut self, kind: Kind, view: &mut Option<View>, member: &Member) -> Fate {
        if cataloger::of_kind(kind).next().is_none() {
            return Fate::Opaque;
        }
        // Where it can be unpacked again, half of the memory is left for that.
        let room = self.shared.options.buffered_bytes_max / 2;
        let bytes_max = self.shared.options.catalog_size_max;
        match view {
            Some(View::Long(long)) if long.again.is_some() && self.is_over(long) => {}
            Some(View::Long(long)) if long.again.is_some() && long.tap.promised().is_none() => {
                self.gather(view, bytes_max.min(room));
            }
            _ => self.gather(view, bytes_max),
        }
        match view {
            Some(View::Whole(window) | View::Range(window)) => {
                let window = window.cached();
                self.show_program(kind, &Held::new(&window, HELD_BYTES_MAX), member)
            }
            Some(View::Long(long)) => self.long_program(kind, long, member),
            Some(View::Nothing) | None => self.unread(FlawCode::LimitMemory, member),
        }
    }

    /// The same for one that comes by once and can be unpacked again.
    fn long_program(&mut self, kind: Kind, long: &Long, member: &Member) -> Fate {
        let Some(again) = &long.again else { return self.unread(FlawCode::LimitMemory, member) };
        let (budget, held_bytes) = (Rc::clone(&self.budget), HELD_AGAIN_BYTES_MAX);
        if self.levels.len() > 1 && !may_stand_beside(again.wide_window()) {
            return self.unread(FlawCode::LimitMemory, member);
        }
        if !budget.hold(held_bytes as u64) {
            return self.unread(FlawCode::LimitMemory, member);
        }
        let read = Rewind::new(again, long.tap.promised(), &long.prefix, &budget);
        let read = read.and_then(|source| {
            let held = Held::new(&source, held_bytes);
            // In front of the catalogers: the table of sections is held for them. What stands
            // behind the sections follows in the same pass.
            let is_deep = self.shared.options.mode == Mode::Deep;
            let hides = is_deep && holds_archives(&held)? || hides_more(kind, &held)?;
            Ok(self.show_program(kind, &held, member).max(match hides {
                true => self.unread(FlawCode::LimitMemory, member),
                false => Fate::Read,
            }))
        });
        budget.release(held_bytes as u64);
        read.unwrap_or_else(|error| self.ended(&error, member))
    }

    fn show_program(&mut self, kind: Kind, held: &Held<'_>, member: &Member) -> Fate {
        let start = held.read_at(0, PACKED_MARK_BYTES).unwrap_or_default();
        if memmem::find(&start, b"UPX!").is_some() {
            // All that names it is packed; what unpacks it is all that can be seen.
            return self.unread(FlawCode::ContainerUnsupported, member);
        }
        for cataloger in cataloger::of_kind(kind) {
            self.run_cataloger(cataloger, &File::of_source(&member.path, held));
        }
        Fate::Read
    }

    /// Shows a database to its catalogers. One that comes by once and is too long to be held is
    /// taken.
    pub(super) fn table(
        &mut self,
        catalogers: &[&'static dyn Cataloger],
        view: &mut Option<View>,
        member: &Member,
    ) -> Fate {
        if !matches!(view, Some(View::Long(long)) if self.is_over(long)) {
            self.gather(view, self.shared.options.catalog_size_max);
        }
        match view {
            Some(View::Whole(window) | View::Range(window)) => {
                let window = window.cached();
                self.show_table(catalogers, &window, member)
            }
            Some(View::Long(long)) if is_database(long) => {
                let inside = !self.levels.is_empty();
                let fate = self.long_table(catalogers, long, member);
                if let Some(view) = view.take() {
                    self.finish(view, fate, member, inside);
                }
                fate
            }
            _ => self.unread(FlawCode::LimitEntrySize, member),
        }
    }

    /// A database is read at any place, so it is held packed; one that does not fit is unpacked
    /// once more for each place that has gone by.
    fn long_table(
        &mut self,
        catalogers: &[&'static dyn Cataloger],
        long: &mut Long,
        member: &Member,
    ) -> Fate {
        let budget = Rc::clone(&self.budget);
        let room = budget.room();
        if !budget.hold(room) {
            return self.unread(FlawCode::LimitMemory, member);
        }
        let shelf = Shelf::fill(long.prefix.chain(&mut long.tap), room);
        let taken = shelf.as_ref().ok().and_then(Option::as_ref).map_or(0, Shelf::packed_bytes);
        budget.release(room - taken.min(room));
        let fate = match (shelf, &long.again) {
            (Ok(Some(shelf)), _) => self.show_long_table(catalogers, &Shelved(shelf), member),
            (Ok(None), Some(again)) => {
                let source = Rewind::new(again, long.tap.promised(), &long.prefix, &budget);
                source.and_then(|source| self.show_long_table(catalogers, &source, member))
            }
            (Ok(None), None) => Ok(self.unread(FlawCode::LimitEntrySize, member)),
            (Err(error), _) => Err(error),
        };
        budget.release(taken.min(room));
        fate.unwrap_or_else(|error| self.ended(&error, member))
    }

    fn show_long_table(
        &mut self,
        catalogers: &[&'static dyn Cataloger],
        source: &dyn ReadAt,
        member: &Member,
    ) -> io::Result<Fate> {
        let fate = self.show_table(catalogers, source, member);
        let at = source.size().saturating_sub(TAIL_BYTES_MAX);
        let tail = source.read_at(at, TAIL_BYTES_MAX as usize)?;
        Ok(match may_have_end(&tail, source.size()) {
            true => self.unread(FlawCode::LimitMemory, member),
            false => fate,
        })
    }

    fn show_table(
        &mut self,
        catalogers: &[&'static dyn Cataloger],
        source: &dyn ReadAt,
        member: &Member,
    ) -> Fate {
        for cataloger in catalogers {
            self.run_cataloger(*cataloger, &File::of_source(&member.path, source));
        }
        Fate::Read
    }

    /// Whether a member says that it is too long to be held.
    fn is_over(&self, long: &Long) -> bool {
        long.tap.promised().is_some_and(|size| size > self.shared.options.catalog_size_max)
    }

    /// A member cannot be read on.
    fn ended(&mut self, error: &io::Error, member: &Member) -> Fate {
        let code = self.budget.spent().unwrap_or_else(|| code_of(error));
        self.unread(code, member)
    }
}

/// Whether something stands behind a program that is read where all of it is at hand. A zip there
/// is found as it comes by.
fn hides_more(kind: Kind, source: &dyn ReadAt) -> io::Result<bool> {
    if sniff::is_packed_python(kind, source)? {
        return Ok(true);
    }
    let Some(at) = sniff::overlay_at(kind, source)? else { return Ok(false) };
    let start = source.read_at(at, HEAD_BYTES)?;
    let is_known =
        !matches!(sniff::head(&start), Head::Zip | Head::Other | Head::Unclear | Head::Text);
    Ok(is_known || sniff::starts_with_packer(&start))
}

/// Whether a member is no more than a database, as far as its start tells.
fn is_database(long: &Long) -> bool {
    let mark = long.prefix.get(ISO_MARK_AT as usize..).unwrap_or_default();
    let is_other = matches!(sniff::head(&long.head()), Head::Other | Head::Unclear | Head::Text);
    is_other && !is_image_mark(mark)
}

/// Bytes that are held packed.
struct Shelved(Shelf);

impl ReadAt for Shelved {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        self.0.read_at(start, len)
    }
}
