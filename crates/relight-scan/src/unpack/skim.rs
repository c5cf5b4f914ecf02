//! Lists the members of a zip that nobody wants to look into: fast mode meets a million of them.

use relight_model::FlawCode;

use super::Shared;
use super::account::{Account, Fate};
use super::budget::Budget;
use super::level::{LISTED_BYTES, LISTING_BYTES_MAX, Level, with_slashes};
use super::look::is_leaf;
use crate::archive::Listable;
use crate::cataloger::{ClassPrint, Index, Listed};
use crate::fingerprint::LearntMember;
use crate::limits::{Mode, Options};

/// Bytes that the number of a copy may add to a path.
const COPY_BYTES: usize = 16;

/// What happens to a member without its bytes.
enum Passed {
    /// It is listed, and its bytes are counted like this.
    As(Fate, Option<ClassPrint>),
    /// Its bytes must be read.
    Not,
}

impl Level {
    /// Lists the members that come next and whose bytes nobody needs, as far as there is nothing
    /// to say about them. The limit that was reached, if one was.
    pub(super) fn pass_over(
        &mut self,
        shared: &Shared<'_>,
        budget: &Budget,
        account: &mut Account,
    ) -> Option<FlawCode> {
        let options = shared.options;
        let is_fast = options.mode == Mode::Fast;
        if !shared.passes || !is_fast && self.learnt.is_none() {
            return None;
        }
        let room = options.path_bytes_max.saturating_sub(self.path.len() + COPY_BYTES);
        let mut taste = Taste::new(&shared.index);
        let (listing, listing_bytes, learnt) =
            (&mut self.listing, &mut self.listing_bytes, self.learnt.as_ref());
        if listing.entries.is_empty() {
            listing.entries.reserve(self.container.left().min(ROOM_MAX));
        }
        let mut take = |member: &Listable<'_>| {
            let bytes = LISTED_BYTES + member.name.len() as u64;
            // A byte of a name takes up to three in a path.
            let fits = member.name.len() * 3 <= room && *listing_bytes + bytes <= LISTING_BYTES_MAX;
            let at = listing.entries.len();
            let known = learnt.and_then(|learnt| learnt.member(at));
            let passed = match (is_fast, known) {
                _ if !fits => Passed::Not,
                (true, known) => taste.pass_fast(member, known.is_some()),
                (false, Some(known)) if options.lets_pass(known, member.size) => {
                    taste.pass_learnt(member, known)
                }
                (false, _) => Passed::Not,
            };
            let Passed::As(fate, class) = passed else { return false };
            let unpacked = if is_fast { 0 } else { member.size };
            if !budget.may_pass(1, unpacked) {
                return false;
            }
            *listing_bytes += bytes;
            let (name, size, crc) = (with_slashes(member.name), Some(member.size), member.crc);
            listing.entries.push(Listed { name, size, crc, class, ..Listed::default() });
            if !member.is_folder {
                account.add(fate, member.size);
            }
            true
        };
        self.container.pass(&mut take);
        budget.spent()
    }
}

impl Options {
    /// Whether a member that is known may count as read, within the limits of a single one.
    fn lets_pass(&self, member: LearntMember, size: u64) -> bool {
        let max = match member {
            LearntMember::Opaque => self.file_size_max,
            LearntMember::Class { .. } => self.class_size_max.min(self.file_size_max),
        };
        size <= max
    }
}

/// Members for which a listing gets its room at once: as many as it may hold at all. What has so
/// many has a directory that was read, so a few bytes never ask for much.
const ROOM_MAX: usize = (LISTING_BYTES_MAX / LISTED_BYTES) as usize;

/// How many members may be selected by their names. Folders never are.
pub(crate) fn count_selected<'a>(names: impl Iterator<Item = &'a [u8]>) -> u32 {
    let index = Index::new();
    let mut taste = Taste::new(&index);
    let files = names.filter(|name| !name.ends_with(b"/"));
    u32::try_from(files.filter(|name| taste.may_select(name)).count()).unwrap_or(u32::MAX)
}

/// Judges names without making a path of them: what it does not want, nobody wants.
pub(super) struct Taste<'a> {
    index: &'a Index,
    /// The folder of the name before, and whether catalogers want what is in it.
    folder: Vec<u8>,
    folder_counts: bool,
    /// The ending of the name before, and what it says.
    ending: Vec<u8>,
    says: Says,
    is_leaf: bool,
}

/// What the ending of a name says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    /// No file of this ending is selected for its name.
    Nothing,
    /// Some names of this ending are selected.
    AskName,
    /// Any file of this ending may be selected.
    Selected,
}

impl<'a> Taste<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        let (folder, ending) = (Vec::new(), Vec::new());
        Self { index, folder, folder_counts: false, ending, says: Says::AskName, is_leaf: false }
    }

    /// In fast mode: a member is passed over unless it may be selected or be an archive; whether
    /// it is one is known of an archive that was learnt.
    fn pass_fast(&mut self, member: &Listable<'_>, is_known: bool) -> Passed {
        let may_want =
            !member.is_folder && (self.may_select(member.name) || !is_known && !self.is_leaf);
        if may_want { Passed::Not } else { Passed::As(Fate::Listed, None) }
    }

    /// Of an archive that was learnt: a member counts as what it was then, unless it may be
    /// selected.
    fn pass_learnt(&mut self, member: &Listable<'_>, known: LearntMember) -> Passed {
        if member.is_folder || self.may_select(member.name) {
            return Passed::Not;
        }
        if known == LearntMember::Opaque {
            return Passed::As(Fate::Opaque, None);
        }
        let name = with_slashes(member.name);
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        match known.print(stem) {
            Some(print) => Passed::As(Fate::Read, Some(print)),
            None => Passed::Not,
        }
    }

    /// Whether a member with this name may be selected; its path decides. Says as well whether
    /// its ending is that of a leaf.
    pub(super) fn may_select(&mut self, name: &[u8]) -> bool {
        let slash = memchr::memrchr(b'/', name);
        let (folder, file) = slash.map_or((&[][..], name), |at| (&name[..at], &name[at + 1..]));
        let dot = memchr::memrchr(b'.', file);
        // A file without a dot is no leaf, and is asked for by its name.
        let ending = dot.map_or(&[][..], |dot| &file[dot + 1..]);
        if self.folder != folder {
            self.folder_counts = self.judge_folder(folder);
            self.folder.clear();
            self.folder.extend_from_slice(folder);
        }
        if self.ending != ending {
            (self.says, self.is_leaf) = self.judge_ending(ending);
            self.ending.clear();
            self.ending.extend_from_slice(ending);
        }
        match self.says {
            _ if self.folder_counts || file.contains(&b'\\') => true,
            Says::Nothing => false,
            Says::Selected => true,
            Says::AskName => self.index.may_want_name(file),
        }
    }

    /// What is no UTF-8 is escaped in paths, and no folder that counts looks like that.
    fn judge_folder(&self, folder: &[u8]) -> bool {
        let last = folder.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        // Some writers put the other slash between folders.
        folder.contains(&b'\\')
            || std::str::from_utf8(last).is_ok_and(|last| self.index.may_want_in(last))
    }

    fn judge_ending(&self, ending: &[u8]) -> (Says, bool) {
        match std::str::from_utf8(ending) {
            Ok(ending) if self.index.is_by_ending(ending) => (Says::Selected, is_leaf(ending)),
            Ok(ending) if ending.is_empty() || self.index.is_ending_of_name(ending) => {
                (Says::AskName, is_leaf(ending))
            }
            Ok(ending) => (Says::Nothing, is_leaf(ending)),
            Err(_) => (Says::Selected, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;
    use crate::distribution::Distributions;
    use crate::evidence::{escape, in_archive};

    /// Goal: what the quick judgement passes over, the slow one does not want either. Method:
    /// random names of parts that catalogers select by, and of bytes that are escaped.
    #[test]
    fn what_is_passed_over_is_wanted_by_nobody() {
        let options = Options::default();
        let shared = Shared::new(&options, None);
        let parts: [&[u8]; 26] = [
            b"/",
            b"/",
            b"/",
            b".",
            b"class",
            b".class",
            b"META-INF",
            b"MANIFEST.MF",
            b"manifest.mf",
            b"pom.properties",
            b"package.json",
            b"node_modules",
            b"\\",
            b"!",
            b"%",
            b"\xff",
            b"specifications",
            b".gemspec",
            b"requirements",
            b".txt",
            b"wp-content/plugins/",
            b"conda-meta",
            b".json",
            b"var/lib/dpkg/info",
            b".XML",
            b"rpmdb.sqlite",
        ];
        let (mut rng, mut passed) = (Rng::new(31), 0);
        let mut taste = Taste::new(&shared.index);
        for _ in 0..40_000 {
            let name: Vec<u8> = (0..rng.below(6)).flat_map(|_| rng.pick(&parts).to_vec()).collect();
            let slash = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
            let slashed: Vec<u8> = name.iter().map(slash).collect();
            let path = in_archive("a/node_modules/b.zip", &escape(&slashed));
            let is_selected = !Distributions::selects(&path) && shared.is_for_its_path(&path)
                || shared.index.wants_member(&name);
            if !taste.may_select(&name) {
                passed += 1;
                assert!(!is_selected, "{path}");
                assert!(!taste.is_leaf || !shared.is_wanted(&|| path.clone(), &name), "{path}");
            }
        }
        assert!(passed > 4_000, "{passed}");
        assert!(!taste.may_select(b"org/example/Main.class") && taste.is_leaf);
        assert!(!taste.may_select(b"META-INF/LICENSE") && !taste.is_leaf);
        assert!(taste.may_select(b"META-INF/maven/g/a/pom.properties"));
    }
}
