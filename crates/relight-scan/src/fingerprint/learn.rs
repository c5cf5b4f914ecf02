//! Builds a fingerprint database, `relight-fp/1`, from releases that were read.
//!
//! ```text
//! header    magic (16 bytes), method, number of sections, build date, the table of sections
//!           (start, length and hash of each), hash of the header, SHA-256 of all that follows
//! names     artifacts; of each its releases, in the order of versions, with what they weigh
//! sets      sets of releases of one artifact, and sets of those: who owns a feature
//! text, shape, crc   each a front (filter and places of blocks) and its blocks
//! classes   the classes that advisories name, with the text of each release
//! archives  the releases whose archive is known, by the hash of its directory, and the classes
//!           of each: place in the listing, folder of the class path, number of the text
//! ```
//! The same releases give the same bytes, whatever order they come in.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::Digest;
use sha2::{Digest as _, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use super::archives;
use super::codec::{Writer, write_features};
use super::database::{HEADER_BYTES, MAGIC, METHOD, OWNERS_MAX, SECTIONS, Section, WEIGHT_ONE};
use crate::cataloger::ClassPrint;
use crate::evidence::file_name;

/// One archive that was read to be learnt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// `group:artifact`; the artifact alone when nobody names the group.
    pub artifact: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the archive.
    pub digest: Digest,
    /// Where it was learnt: the name of the file, or of the package that held it.
    pub origin: String,
    /// Hash of the central directory of the archive, when nothing in the archive was unreadable.
    pub directory: Option<u64>,
    /// Members that catalogers may select by their names.
    pub selected: u32,
    /// What fast mode says about the archive ([`crate::fast_answer`]).
    pub answer: Option<Vec<u8>>,
    /// The places in the listing of what was looked into and is nothing.
    pub opaque: Vec<u32>,
    /// The path of each class, its fingerprint, and its CRC-32 and size where the archive says.
    pub classes: Vec<LearntClass>,
}

/// One class of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearntClass {
    /// The path in the archive, without ending.
    pub name: String,
    /// What it is.
    pub print: ClassPrint,
    /// CRC-32 and size.
    pub member: Option<(u32, u64)>,
    /// Its place in the listing of the archive.
    pub at: Option<u32>,
}

/// A class that an advisory names: its artifact and its name (`org/example/Lookup`).
pub type NamedClass = (String, String);

/// Which releases own each value, and the tables made of it.
struct Builder {
    /// Artifact, and its releases in order.
    artifacts: Vec<(String, Vec<Release>)>,
    holdings: Interned<(u32, Vec<u32>)>,
    owners: Interned<Vec<u32>>,
}

/// Values with numbers in the order in which they came.
#[derive(Default)]
struct Interned<T> {
    numbers: BTreeMap<T, u32>,
    list: Vec<T>,
}

impl<T: Ord + Clone> Interned<T> {
    fn number(&mut self, value: T) -> u32 {
        let next = self.list.len() as u32;
        let list = &mut self.list;
        *self.numbers.entry(value).or_insert_with_key(|value| {
            list.push(value.clone());
            next
        })
    }
}

/// The features of a kind: value, owner set.
type Features = Vec<(u64, u32)>;

/// Writes a database. `order` compares two versions; `classes` are those that advisories name.
pub fn write_database(
    releases: Vec<Release>,
    classes: &[NamedClass],
    order: fn(&str, &str) -> std::cmp::Ordering,
    built: i64,
) -> Vec<u8> {
    let mut by_artifact: BTreeMap<String, Vec<Release>> = BTreeMap::new();
    for release in releases {
        by_artifact.entry(release.artifact.clone()).or_default().push(release);
    }
    for releases in by_artifact.values_mut() {
        releases.sort_by(|a, b| {
            order(&a.version, &b.version)
                .then_with(|| a.version.cmp(&b.version))
                .then_with(|| a.digest.cmp(&b.digest))
        });
        releases.dedup_by(|a, b| a.version == b.version && same_classes(a, b));
    }
    let artifacts = by_artifact.into_iter().collect();
    let mut owners = Interned::default();
    owners.number(Vec::new());
    let mut builder = Builder { artifacts, holdings: Interned::default(), owners };
    let kinds = [Kind::Text, Kind::Shape, Kind::Crc].map(|kind| builder.features(kind));
    let sections = builder.sections(&kinds, classes);
    assemble(sections, built)
}

fn same_classes(one: &Release, other: &Release) -> bool {
    let texts = |it: &Release| it.classes.iter().map(|c| c.print.text).collect::<BTreeSet<_>>();
    texts(one) == texts(other)
}

/// What a feature is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Shape,
    Crc,
}

impl Kind {
    fn value(self, class: &LearntClass) -> Option<u64> {
        match self {
            _ if class.print.trivial || !counts(&class.name) => None,
            Self::Text => Some(class.print.text),
            Self::Shape => Some(class.print.shape),
            Self::Crc => class.member.and_then(|(crc, size)| member_value(crc, size)),
        }
    }
}

/// Whether a class is part of what a release is known by: those for one version of Java, and the
/// descriptions of modules and packages, are left out by many tools.
pub(crate) fn counts(name: &str) -> bool {
    let simple = file_name(name);
    !name.contains("META-INF/versions/")
        && !matches!(simple, "module-info" | "package-info")
        && !simple.is_empty()
}

/// CRC-32 and size as one value; `None` for a member that no class file can be as large as.
pub(crate) fn member_value(crc: u32, size: u64) -> Option<u64> {
    u32::try_from(size).ok().map(|size| u64::from(crc) << 32 | u64::from(size))
}

impl Builder {
    fn features(&mut self, kind: Kind) -> Features {
        let mut owners: BTreeMap<u64, BTreeMap<u32, Vec<u32>>> = BTreeMap::new();
        for (artifact, (_, releases)) in (0..).zip(&self.artifacts) {
            for (at, release) in (0..).zip(releases) {
                for value in release.classes.iter().filter_map(|class| kind.value(class)) {
                    let held = owners.entry(value).or_default().entry(artifact).or_default();
                    if held.last() != Some(&at) {
                        held.push(at);
                    }
                }
            }
        }
        let mut features = Features::new();
        for (value, held) in owners {
            let is_common = held.len() > OWNERS_MAX;
            let holdings = held.into_iter().filter(|_| !is_common);
            let holdings = holdings.map(|holding| self.holdings.number(holding)).collect();
            features.push((value, self.owners.number(holdings)));
        }
        features
    }

    fn sections(&self, kinds: &[Features; 3], classes: &[NamedClass]) -> Vec<Vec<u8>> {
        let [text, shape, crc] = [&kinds[0], &kinds[1], &kinds[2]].map(|it| write_features(it));
        let (names, sets) = (self.names(kinds), self.sets());
        let mut all = vec![names, sets];
        for (front, blocks) in [text, shape, crc] {
            all.extend([front, blocks]);
        }
        all.push(self.named(classes));
        all.extend(archives::write(&self.numbered(), &kinds[0]));
        all
    }

    /// Every release with its numbers.
    fn numbered(&self) -> Vec<(u32, u32, &Release)> {
        let artifacts = (0..).zip(&self.artifacts);
        let releases = artifacts.flat_map(|(artifact, (_, releases))| {
            (0..).zip(releases).map(move |(at, release)| (artifact, at, release))
        });
        releases.collect()
    }

    /// Artifacts and releases, with what each release owns of every kind.
    fn names(&self, kinds: &[Features; 3]) -> Vec<u8> {
        let sums = kinds.each_ref().map(|features| self.sums(features));
        let mut writer = Writer::default();
        writer.number(self.artifacts.len() as u64);
        for (artifact, (name, releases)) in (0..).zip(&self.artifacts) {
            writer.text(name);
            writer.number(releases.len() as u64);
            for (at, release) in (0..).zip(releases) {
                writer.text(&release.version);
                writer.out.extend_from_slice(&release.digest.0);
                writer.text(&release.origin);
                for sums in &sums {
                    let sum = sums.get(&(artifact, at)).copied().unwrap_or_default();
                    for number in [sum.features, sum.unique, sum.weight] {
                        writer.number(number);
                    }
                }
            }
        }
        writer.out
    }

    fn sums(&self, features: &Features) -> BTreeMap<(u32, u32), Sum> {
        let mut sums: BTreeMap<(u32, u32), Sum> = BTreeMap::new();
        for (_, owners) in features {
            let holdings = &self.owners.list[*owners as usize];
            for holding in holdings {
                let (artifact, releases) = &self.holdings.list[*holding as usize];
                for release in releases {
                    let sum = sums.entry((*artifact, *release)).or_default();
                    sum.features += 1;
                    sum.unique += u64::from(holdings.len() == 1);
                    sum.weight += WEIGHT_ONE / holdings.len() as u64;
                }
            }
        }
        sums
    }

    fn sets(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(self.holdings.list.len() as u64);
        for (artifact, releases) in &self.holdings.list {
            writer.number((*artifact).into());
            write_list(&mut writer, releases);
        }
        writer.number(self.owners.list.len() as u64);
        self.owners.list.iter().for_each(|owners| write_list(&mut writer, owners));
        writer.out
    }

    fn named(&self, classes: &[NamedClass]) -> Vec<u8> {
        let classes: BTreeSet<_> = classes.iter().collect();
        let mut rows = Vec::new();
        for (number, (name, releases)) in (0_u32..).zip(&self.artifacts) {
            for (_, class) in classes.iter().filter(|(artifact, _)| artifact == name) {
                let all = releases.iter().flat_map(|release| &release.classes);
                let of_name = all.filter(|it| it.name == *class && Kind::Text.value(it).is_some());
                let texts: BTreeSet<u64> = of_name.map(|it| it.print.text).collect();
                rows.push((number, class, texts));
            }
        }
        let mut writer = Writer::default();
        writer.number(rows.len() as u64);
        for (artifact, class, texts) in rows {
            writer.number(artifact.into());
            writer.text(class);
            writer.number(texts.len() as u64);
            texts.into_iter().for_each(|text| writer.fixed(text));
        }
        writer.out
    }
}

/// What a release owns of one kind of features.
#[derive(Clone, Copy, Default)]
struct Sum {
    features: u64,
    unique: u64,
    weight: u64,
}

fn write_list(writer: &mut Writer, list: &[u32]) {
    writer.number(list.len() as u64);
    list.iter().for_each(|number| writer.number((*number).into()));
}

fn assemble(sections: Vec<Vec<u8>>, built: i64) -> Vec<u8> {
    assert_eq!(sections.len(), SECTIONS, "every section is written");
    let mut header = Writer { out: MAGIC.to_vec() };
    header.fixed(METHOD);
    header.fixed(built as u64);
    let mut start = HEADER_BYTES as u64;
    for section in &sections {
        header.fixed(start);
        header.fixed(section.len() as u64);
        header.fixed(xxh3_64(section));
        start += section.len() as u64;
    }
    let body = sections.concat();
    header.out.extend_from_slice(&Sha256::digest(&body));
    header.fixed(xxh3_64(&header.out));
    assert_eq!(header.out.len(), HEADER_BYTES, "the header has a fixed size");
    header.out.extend(body);
    header.out
}

/// Numbers of the sections, in the order of the file.
const _: () = assert!(Section::ArchiveBlocks as usize + 1 == SECTIONS);
