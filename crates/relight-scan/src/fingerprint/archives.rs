//! Releases whose very archive is at hand: what its classes are was read when it was learnt.
//!
//! An archive with the SHA-256 of a release holds, byte for byte, what was read then, so its
//! classes need not be unpacked again. The hash of its central directory only says which digest
//! is worth the reading of the whole archive; it proves nothing.

use relight_model::Digest;
use xxhash_rust::xxh3::xxh3_64;

use super::codec::{Reader, Writer};
use super::learn::Release;
use crate::cataloger::ClassPrint;
use crate::fingerprint::simple_hash;

/// Where the classes of an archive stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ArchivePlace {
    /// Hash of its central directory.
    pub(super) directory: u64,
    pub(super) artifact: u32,
    pub(super) release: u32,
    /// From the start of the first block.
    pub(super) start: u64,
    pub(super) len: usize,
    pub(super) hash: u64,
    /// Bytes of the answer of fast mode, at the end of the block; 0 where there is none.
    pub(super) answer_len: usize,
    /// Members that catalogers may select.
    pub(super) selected: u32,
}

/// Changes whenever fast mode would say something else about the same directory, or deep mode would
/// look into a member that it did not look into before: then databases must be learnt again, and
/// until they are nothing of this is used and archives are read.
const ANSWERS_METHOD: u64 = 2;

/// The archives of a database, by their directories.
#[derive(Debug, Default)]
pub(super) struct Archives(Vec<ArchivePlace>);

impl Archives {
    /// Reads what [`write`] wrote in front.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader { bytes };
        let count = reader.count()?;
        let (mut places, mut start) = (Vec::with_capacity(count), 0_u64);
        for _ in 0..count {
            let directory = reader.fixed()?;
            let (artifact, release) = (reader.index()?, reader.index()?);
            let len = reader.number()?;
            let hash = reader.fixed()?;
            let end = start.checked_add(len)?;
            let (len, answer_len, selected) = (usize::try_from(len).ok()?, 0, 0);
            let place = ArchivePlace {
                directory,
                artifact,
                release,
                start,
                len,
                hash,
                answer_len,
                selected,
            };
            places.push(place);
            start = end;
        }
        // Behind them, the answers. What another program knew of archives is not used.
        if reader.bytes.is_empty() || reader.number()? != ANSWERS_METHOD {
            return Some(Self::default());
        }
        for place in &mut places {
            place.answer_len = usize::try_from(reader.number()?).ok()?.min(place.len);
            place.selected = reader.index()?;
        }
        places.is_sorted().then_some(Self(places))
    }

    /// Those with this directory.
    pub(super) fn of(&self, directory: u64) -> impl Iterator<Item = &ArchivePlace> {
        let from = self.0.partition_point(|place| place.directory < directory);
        self.0[from..].iter().take_while(move |place| place.directory == directory)
    }

    /// The one with this directory of which an answer is known.
    pub(super) fn answered(&self, directory: u64) -> Option<&ArchivePlace> {
        self.of(directory).find(|place| place.answer_len > 0)
    }
}

/// What fast mode says about an archive by its directory alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// As the cache keeps it, without a path.
    pub(crate) record: Vec<u8>,
    /// Members that catalogers might select when it was learnt: with other catalogers there may be
    /// others, and then it is read.
    pub(crate) selected: u32,
}

/// What is known of the members of an archive that was learnt, by their places in its listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Learnt {
    members: Vec<(u32, Member)>,
    /// The SHA-256 of the archive.
    pub(crate) digest: Digest,
}

/// One member of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// It was looked into: no class, no container, nothing that is read for its bytes.
    Opaque,
    /// A class.
    Class {
        /// What it is, but for what its path says.
        text: u64,
        /// Bytes of the folder of the class path that it is in.
        root_bytes: u16,
        /// See [`ClassPrint::trivial`].
        trivial: bool,
    },
}

/// The flags of a member that is no class.
const OPAQUE: u64 = 2;

impl Learnt {
    /// Reads what [`write`] wrote of one archive; `text` gives the text of a number.
    pub(super) fn read(
        bytes: &[u8],
        hash: u64,
        digest: Digest,
        text: impl Fn(usize) -> Option<u64>,
    ) -> Option<Self> {
        if xxh3_64(bytes) != hash {
            return None;
        }
        let mut reader = Reader { bytes };
        let count = reader.count()?;
        let (mut members, mut at) = (Vec::with_capacity(count), 0_u32);
        for _ in 0..count {
            at = at.checked_add(reader.index()?)?;
            let flags = reader.number()?;
            if flags == OPAQUE {
                members.push((at, Member::Opaque));
                continue;
            }
            let number = reader.number()?;
            let text = match number.checked_sub(1) {
                Some(number) => text(usize::try_from(number).ok()?)?,
                None => reader.fixed()?,
            };
            let root_bytes = u16::try_from(flags >> 2).ok()?;
            members.push((at, Member::Class { text, root_bytes, trivial: flags & 1 != 0 }));
        }
        Some(Self { members, digest })
    }

    /// What the member at a place of the listing is.
    pub(crate) fn member(&self, at: usize) -> Option<Member> {
        // Nearly all members are known, so it stands where it would if all were, or before.
        let known = &self.members[..self.members.len().min(at.saturating_add(1))];
        let found = match known.last() {
            Some((last, _)) if *last as usize == at => Some(known.len() - 1),
            _ => known.binary_search_by_key(&at, |(place, _)| *place as usize).ok(),
        };
        found.map(|found| known[found].1)
    }
}

impl Member {
    /// The print of a class whose path without ending this is. Its shape is not known, and nobody
    /// asks for that of a class whose text is.
    pub(crate) fn print(self, stem: &str) -> Option<ClassPrint> {
        let Self::Class { text, root_bytes, trivial } = self else { return None };
        let name = stem.get(usize::from(root_bytes)..)?;
        let name_bytes = u16::try_from(name.len()).ok()?;
        let simple_name = simple_hash(stem.as_bytes());
        Some(ClassPrint { shape: 0, text, name_bytes, simple_name, trivial })
    }
}

/// Writes the archives of releases: the front, and the blocks. `texts` are all, sorted.
pub(super) fn write(releases: &[(u32, u32, &Release)], texts: &[(u64, u32)]) -> [Vec<u8>; 2] {
    let mut archives: Vec<(u64, u32, u32, Vec<u8>, &Release)> = Vec::new();
    for (artifact, at, release) in releases {
        if let Some(directory) = release.directory {
            let mut block = write_members(release, texts);
            block.extend(release.answer.iter().flatten());
            archives.push((directory, *artifact, *at, block, release));
        }
    }
    archives.sort_by_key(|(directory, artifact, release, ..)| (*directory, *artifact, *release));
    let (mut front, mut answers, mut blocks) = (Writer::default(), Writer::default(), Vec::new());
    front.number(archives.len() as u64);
    answers.number(ANSWERS_METHOD);
    for (directory, artifact, release, block, learnt) in archives {
        front.fixed(directory);
        front.number(artifact.into());
        front.number(release.into());
        front.number(block.len() as u64);
        front.fixed(xxh3_64(&block));
        answers.number(learnt.answer.as_ref().map_or(0, |answer| answer.len() as u64));
        answers.number(learnt.selected.into());
        blocks.extend(block);
    }
    front.out.extend(answers.out);
    [front.out, blocks]
}

fn write_members(release: &Release, texts: &[(u64, u32)]) -> Vec<u8> {
    // A class that lies where its name does not lead is read each time.
    let classes = release.classes.iter().filter_map(|class| {
        let root = class.name.len().checked_sub(class.print.name_bytes.into())?;
        let root_bytes = u16::try_from(root).ok()?;
        let is_named = simple_hash(class.name.as_bytes()) == class.print.simple_name;
        let ClassPrint { text, trivial, .. } = class.print;
        is_named.then_some((class.at?, Member::Class { text, root_bytes, trivial }))
    });
    let opaque = release.opaque.iter().map(|at| (*at, Member::Opaque));
    let mut members: Vec<(u32, Member)> = classes.chain(opaque).collect();
    members.sort_by_key(|(at, _)| *at);
    let mut writer = Writer::default();
    writer.number(members.len() as u64);
    let mut before = 0;
    for (at, member) in members {
        writer.number((at - before).into());
        before = at;
        write_member(&mut writer, member, texts);
    }
    writer.out
}

fn write_member(writer: &mut Writer, member: Member, texts: &[(u64, u32)]) {
    let Member::Class { text, root_bytes, trivial } = member else {
        return writer.number(OPAQUE);
    };
    writer.number(u64::from(root_bytes) << 2 | u64::from(trivial));
    match texts.binary_search_by_key(&text, |(text, _)| *text) {
        Ok(number) => writer.number(number as u64 + 1),
        Err(_) => {
            writer.number(0);
            writer.fixed(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Database;

    fn front(archives: u64, method: Option<u64>) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(archives);
        for at in 0..archives {
            writer.fixed(at);
            [0, at, 10].into_iter().for_each(|number| writer.number(number));
            writer.fixed(7);
        }
        if let Some(method) = method {
            writer.number(method);
            (0..archives * 2).for_each(|_| writer.number(3));
        }
        writer.out
    }

    /// A member that nobody wanted before may be wanted by this program: only its own method says
    /// what is opaque.
    #[test]
    fn what_another_method_learnt_is_not_used_in_either_mode() {
        let known = |method| Archives::read(&front(2, method)).unwrap();
        assert_eq!(known(Some(ANSWERS_METHOD)).of(1).count(), 1);
        assert!(known(Some(ANSWERS_METHOD)).answered(1).is_some());
        for method in [None, Some(0), Some(ANSWERS_METHOD - 1), Some(ANSWERS_METHOD + 1)] {
            assert_eq!(known(method).of(1).count(), 0, "{method:?}");
            assert!(known(method).answered(1).is_none(), "{method:?}");
        }
        assert!(Archives::read(&front(2, Some(ANSWERS_METHOD))[..30]).is_none());
    }

    #[test]
    fn the_seed_is_of_this_method() {
        let seed = Database::seed().unwrap();
        seed.verify().unwrap();
        let Archives(places) = seed.archives().unwrap();
        let answered = places.iter().filter(|place| place.answer_len > 0).count();
        assert!(places.len() > 500 && answered > 300, "{} {answered}", places.len());
    }
}
