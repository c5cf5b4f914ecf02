//! What fast mode says about an archive by its directory alone: for archives that were learnt the
//! answer stands in the database.
//!
//! Fast mode takes the names, sizes and check sums of a directory for the members, so an equal
//! directory is an equal answer, as long as nothing else has a part in it: the name of the file, a
//! second database, a cataloger that wants a member that nobody wanted before.

use relight_model::{Basis, Digest};

use super::Found;
use super::account::{Account, Fate};
use super::level::Member;
use super::outer::Outer;
use super::skim::Taste;
use crate::archive::Zip;
use crate::cache::record;
use crate::cataloger::{Kind, Listing};
use crate::profile::Profiles;
use crate::scan::Report;
use crate::window::Window;

/// The key of a record that is kept for its directory.
const KEY: Digest = Digest([0; 32]);

/// What fast mode says about the archive at `place`, as it was read by fast mode and, with its
/// listing, by deep mode; `None` when that could be another answer elsewhere.
pub fn fast_answer(fast: &Report, place: &str, listing: &Listing) -> Option<Vec<u8>> {
    let own = |evidence: &str| {
        evidence.strip_prefix(place).is_some_and(|it| it.is_empty() || it.starts_with("!/"))
    };
    let of_place = fast.sbom.components.iter().filter(|it| own(&it.evidence));
    let components: Vec<_> = of_place.cloned().collect();
    // Without coordinates of its own an archive is also called what its file is.
    let is_named = components.iter().any(|it| {
        it.evidence == place
            && (it.basis == Basis::PomProperties || it.also.contains(&Basis::PomProperties))
    });
    let by_file = |basis: &Basis| *basis == Basis::FileName;
    let is_by_file = components.iter().any(|it| by_file(&it.basis) || it.also.iter().any(by_file));
    let is_read = fast.sbom.flaws.iter().any(|flaw| own(&flaw.evidence));
    if !is_named || is_by_file || is_read || !is_simple(listing) {
        return None;
    }
    let found = Found { components, archives: 1, members: account(listing), ..Found::default() };
    record::write(&found, 0, &KEY, place)
}

/// Whether nothing is in an archive but classes, what is nothing, and what is kept for its listing.
fn is_simple(listing: &Listing) -> bool {
    let is_kept = |name: &str| listing.members.iter().any(|(kept, _)| kept == name);
    listing.complete
        && listing.entries.iter().all(|entry| {
            entry.class.is_some() || entry.opaque || entry.size == Some(0) || is_kept(&entry.name)
        })
}

/// The bytes of members, as fast mode counts them.
fn account(listing: &Listing) -> Account {
    let mut account = Account::default();
    for entry in &listing.entries {
        let is_kept = listing.members.iter().any(|(kept, _)| *kept == entry.name);
        let bytes = entry.size.unwrap_or_default();
        account.add(if is_kept { Fate::Read } else { Fate::Listed }, bytes);
    }
    account
}

impl Outer<'_, '_> {
    /// Answers for an archive whose directory was learnt; false when it must be read.
    pub(super) fn answered(&mut self, zip: &Zip, window: &Window, member: &Member) -> bool {
        let options = self.shared.options;
        let known = options.fingerprints.known();
        let is_listed = options.keep_listings || options.profiles != Profiles::None;
        if !self.shared.passes || is_listed || known.is_empty() {
            return false;
        }
        let answer = zip.directory_hash().and_then(|directory| known.answer(directory));
        let Some(answer) = answer else { return false };
        let mut taste = Taste::new(&self.shared.index);
        let (mut entries, mut selected) = (0, 0);
        let is_plain = zip.each(&mut |it| {
            entries += 1;
            selected += u32::from(!it.is_folder && taste.may_select(it.name));
        });
        let record = record::read(&answer.record, &KEY, &member.path);
        let Some(record) = record.filter(|_| is_plain && selected == answer.selected) else {
            return false;
        };
        let found = record.found;
        let is_short = |evidence: &str| evidence.len() <= options.path_bytes_max;
        if !found.components.iter().all(|it| is_short(&it.evidence))
            || self.refusal(Kind::Zip, Some(window), member).is_some()
            || !self.budget.may_pass(entries, 0)
        {
            return false;
        }
        let (_, depth) = self.place_of(Kind::Zip, member);
        self.found.deepest = self.found.deepest.max(depth + 1);
        self.found.merge(found);
        true
    }
}
