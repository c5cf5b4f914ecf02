//! Archives that stand in a section of a program: resources of Windows programs, and files that
//! compilers build in.

mod inside;
mod marks;

use std::io;
use std::ops::Range;

use relight_model::FlawCode;

use self::inside::{GoesOn, other, zip};
use self::marks::{Mark, marks, may_hold};
use super::account::Fate;
use super::level::Member;
use super::metered::Metered;
use super::outer::{Outer, Waiting};
use crate::cataloger::{Kind, ReadAt};
use crate::limits::Mode;
use crate::program::Program;
use crate::window::Window;

/// Ends of zips and starts of others in one program that are looked at, and those that are opened.
const MARKS_MAX: usize = 1_024;
const ARCHIVES_MAX: usize = 64;

/// What was found in a program.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Inside {
    Archive(Kind, Range<u64>),
    /// Something that is told: an archive of a kind that nobody here opens, or one of which it is
    /// not clear where it ends.
    Told(FlawCode),
}

impl Outer<'_, '_> {
    /// Opens what stands in the sections of a program, but for what was opened before.
    pub(super) fn in_sections(
        &mut self,
        window: &Window,
        opened: &[Range<u64>],
        member: &Member,
    ) -> io::Result<Fate> {
        if self.shared.options.mode == Mode::Fast {
            return Ok(Fate::Opaque);
        }
        let (found, reached) = {
            let source = Metered::new(window, &self.budget);
            // What is unpacked to find an end is unpacked once more to be read.
            let left = self.budget.again_left();
            let goes_on = |bytes: u64| {
                self.budget.look_at_the_clock();
                let rest = left.get().checked_sub(bytes).ok_or(FlawCode::LimitExpanded)?;
                left.set(rest);
                self.budget.spent().map_or(Ok(()), Err)
            };
            let found = archives(window, &source, opened, &goes_on);
            (found, source.reached())
        };
        if let Some(code) = reached {
            self.flaw_once(code, &member.path);
            return Ok(Fate::Flawed);
        }
        let (found, missed) = found?;
        let (mut fate, levels) = (Fate::Opaque, self.levels.len());
        for inside in found {
            fate = fate.max(match inside {
                Inside::Archive(kind, place) => {
                    let window = window.part(place.start, place.end - place.start);
                    if self.levels.len() == levels {
                        self.push_found(kind, window, member)
                    } else {
                        // What it holds open counts when it is its turn.
                        self.waiting.push(Waiting { levels, kind, window, member: member.clone() });
                        Fate::Read
                    }
                }
                Inside::Told(code) => self.unread(code, member),
            });
        }
        Ok(missed.map_or(fate, |code| self.unread(code, member)))
    }
}

/// Whether something stands in the sections of a program that comes by once and is opened, or told,
/// where all of the program is at hand. Zips are found as they come by.
pub(super) fn holds_archives(source: &dyn ReadAt) -> io::Result<bool> {
    let Some(program) = program_of(source)? else { return Ok(false) };
    // That it is one is all that is asked, wherever it ends.
    let goes_on = |_: u64| Err(FlawCode::LimitMemory);
    let mut marks_left = MARKS_MAX;
    for section in program.sections.iter().filter(|section| may_hold(section, program.managed)) {
        let (marks, is_all) = marks(&program, section, marks_left, &[])?;
        marks_left -= marks.len();
        for (at, mark) in marks {
            if mark != Mark::Zip && other(source, section, at, mark, &goes_on)?.is_some() {
                return Ok(true);
            }
        }
        if !is_all {
            return Ok(true);
        }
    }
    Ok(program.cut.is_some())
}

/// The archives in a program that were not opened before, and why these are not all.
fn archives(
    window: &Window,
    source: &dyn ReadAt,
    opened: &[Range<u64>],
    goes_on: &GoesOn<'_>,
) -> io::Result<(Vec<Inside>, Option<FlawCode>)> {
    let Some(program) = program_of(source)? else { return Ok((Vec::new(), None)) };
    let (mut found, mut marks_left, mut missed) = (Vec::new(), MARKS_MAX, program.cut);
    for section in program.sections.iter().filter(|section| may_hold(section, program.managed)) {
        let (marks, is_all) = marks(&program, section, marks_left, opened)?;
        marks_left -= marks.len();
        missed = missed.or((!is_all).then_some(FlawCode::LimitEntries));
        // The zip around another one ends behind it; all others start in front of what they hold.
        let zips = marks.iter().rev().filter(|(_, mark)| *mark == Mark::Zip);
        for (at, mark) in zips.chain(marks.iter().filter(|(_, mark)| *mark != Mark::Zip)) {
            if let Err(code) = goes_on(0) {
                return Ok((found, Some(code)));
            }
            if found.iter().any(|it| holds(it, &(*at..at + 1))) {
                continue;
            }
            let inside = match mark {
                Mark::Zip => zip(window, section, *at)?,
                _ => other(source, section, *at, *mark, goes_on)?,
            };
            let Some(inside) = inside else { continue };
            if let Inside::Archive(_, place) = &inside {
                // A zip in a tar ends in it, and was found before.
                found.retain(|it| !matches!(it, Inside::Archive(_, it) if contains(place, it)));
            } else if found.contains(&inside) {
                continue;
            }
            found.push(inside);
        }
    }
    // What stands in another one is not among these any more.
    if found.len() > ARCHIVES_MAX {
        found.truncate(ARCHIVES_MAX);
        missed = missed.or(Some(FlawCode::LimitEntries));
    }
    Ok((found, missed))
}

fn holds(inside: &Inside, place: &Range<u64>) -> bool {
    matches!(inside, Inside::Archive(_, own) if contains(own, place))
}

fn contains(outer: &Range<u64>, inner: &Range<u64>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The sections of a program; all of it where it has no table of a form that is known. What is
/// wrong with a table is said by the catalogers.
fn program_of(source: &dyn ReadAt) -> io::Result<Option<Program<'_>>> {
    Ok(match Program::open(source) {
        Ok(Some(program)) => Some(program),
        Ok(None) => Some(Program::of_all(source)),
        Err(_) => None,
    })
}
