//! Archives inside of a distribution's package: where the distribution carried the fix back, the
//! version of what lies inside tells nothing (ADVISORIES.md 3.6).

use relight_model::{Certainty, Component};

use crate::authority::Rank;
use crate::entry::{Asked, Entry, Told};
use crate::group::Group;
use crate::heard::Heard;
use crate::opinion::{Opinion, Rule, Stand};
use crate::package::{Reach, Subject, is_distribution};

/// A version below every other one of a distribution.
const LOWEST: &str = "0";

impl Group {
    /// The word of a distribution that the package to which a component belongs has the fix, where
    /// the component itself would not be clear. It never stands against an advisory of our own.
    pub(crate) fn fixed_in_owner(
        &self,
        component: &Component,
        heard: &Heard<'_>,
        stand: Stand,
    ) -> Option<Opinion> {
        let is_recorded = component.basis.certainty() == Certainty::Recorded;
        // Where bytes speak, or leave versions open, a path clears nothing: files are overwritten.
        if !is_recorded || !component.candidates.is_empty() {
            return None;
        }
        if stand == Stand::NotAffected || heard.is_open_by_own() {
            return None;
        }
        let owner = component.owned_by.clone()?;
        let owner = Component::new(owner, "", component.basis, component.scope);
        let subject = Subject::of(&owner);
        let package = &subject.package;
        if subject.reach != Reach::Package || subject.is_backport {
            return None;
        }
        if !is_distribution(&package.ecosystem) {
            return None;
        }
        if !is_packaged(&subject.version, &component.purl.version) {
            return None;
        }
        let asked = subject.asked();
        let lowest = Asked::new(&package.ecosystem, LOWEST);
        let mut fixed = None;
        for (named, asked_of, entry) in self.entries_of_both(&subject, &asked) {
            let Some(told) = named.hears(entry, asked_of) else { continue };
            // Of the distribution or of our own: that the package or its source has the flaw, or
            // may have it.
            if told.stand != Stand::NotAffected {
                return None;
            }
            let is_own_name = std::ptr::eq(named, &raw const subject);
            let is_said = entry.rank == Rank::Distribution && is_own_name;
            if is_said && is_fix(&subject, entry, told, &lowest) {
                fixed = Some(entry.opinion(told, &asked));
            }
        }
        fixed
    }
}

/// Whether a version of a distribution's package is that of what lies inside, with a fix carried
/// back behind it: of any other file at that path, or of a library that is bundled, the
/// distribution said nothing.
fn is_packaged(package: &str, inside: &str) -> bool {
    let behind_epoch = match package.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|it| it.is_ascii_digit()) => rest,
        _ => package,
    };
    let upstream = behind_epoch.rsplit_once('-').map_or(behind_epoch, |(upstream, _)| upstream);
    // Maven's word for a release (`4.1.48.Final`) is in the name of no package.
    let inside = inside.strip_suffix(".Final").unwrap_or(inside);
    let rest = upstream.strip_prefix(inside).filter(|_| !inside.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '~']))
}

/// Whether "not affected" means that the flaw was there and is not any more, in exactly the release
/// of the package: that a release never had it says nothing of what lies inside.
fn is_fix(subject: &Subject, entry: &Entry, told: Told<'_>, lowest: &Asked) -> bool {
    let is_of_release = entry.release_name.is_none() || subject.package.release.is_some();
    let was_affected =
        || subject.hears(entry, lowest).is_some_and(|it| it.stand == Stand::Affected);
    told.rule == Rule::Outside && is_of_release && was_affected()
}
