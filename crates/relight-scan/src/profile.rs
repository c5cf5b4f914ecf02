//! Profiles of containers: what query by example compares. Made of fingerprints and check sums
//! that the scan has anyway.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use relight_formats::limited::coding::Crc32;
use relight_model::{ClassNames, Profile, ProfileGap, Values};

use crate::cataloger::{Listed, Listing};
use crate::fingerprint::{Seen, member_value};
use crate::java::{class_name, stem_of_class};
use crate::secret::is_secret;
use crate::unpack::Found;

/// Values of one profile.
pub const PROFILE_VALUES_MAX: usize = 1 << 20;

/// Profiles of one scan.
pub const PROFILES_MAX: usize = 1 << 16;

/// Values of all profiles of one scan, eight bytes each. Beyond it none is given: which of them
/// had come first would depend on the threads.
pub const PROFILE_VALUES_SCAN_MAX: usize = 8 << 20;

/// Members of fewer bytes are like others by chance (an empty file, a flag).
const MEMBER_BYTES_MIN: u64 = 64;

/// Which members of containers are profiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Profiles {
    /// None: nobody asks.
    #[default]
    None,
    /// All of them.
    All,
    /// Those whose name, or whose path behind the outermost container, starts like this.
    Part(String),
}

impl Profiles {
    fn wants(&self, path: &str, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Part(prefix) => {
                let inside = path.split_once("!/").map(|(_, inside)| inside);
                let full = || inside.map(|inside| format!("{inside}!/{name}"));
                name.starts_with(prefix.as_str())
                    || full().is_some_and(|full| full.starts_with(prefix.as_str()))
            }
        }
    }

    /// Keeps the profile of a container.
    pub(crate) fn container(&self, path: &str, listing: &Listing, found: &mut Found) {
        if *self == Self::None {
            return;
        }
        let mut values = Values::default();
        for entry in listing.entries.iter().filter(|entry| self.wants(path, &entry.name)) {
            // A check sum of something short can be guessed; what a class does is no secret.
            if entry.class.is_some() || !is_secret(&entry.name) {
                add(entry, &mut values);
            }
        }
        if !listing.complete {
            values.gap = ProfileGap::Values;
        }
        let names = (*self == Self::All).then(|| names_of(listing));
        keep(path.to_owned(), (values, names), found);
    }

    /// Says that there was too much to keep.
    pub(crate) fn lost(&self, found: &mut Found) {
        let values = Values { gap: ProfileGap::Values, ..Values::default() };
        if *self != Self::None {
            keep("./".to_owned(), (values, Some(ClassNames::of([], false))), found);
        }
    }

    /// Keeps the profile of the classes of a folder of a class path.
    pub(crate) fn folder(&self, root: &str, classes: &[Seen<'_>], found: &mut Found) {
        if *self == Self::All {
            let is_whole = classes.iter().all(|class| class.is_loadable);
            let names = ClassNames::of(classes.iter().map(|it| it.path.to_owned()), is_whole);
            let prints = classes.iter().filter_map(|class| class.print);
            let classes = prints.filter(|print| !print.trivial).map(|print| print.text).collect();
            let place = if root.is_empty() { "./" } else { root };
            let values = Values { classes, ..Values::default() };
            keep(place.to_owned(), (values, Some(names)), found);
        }
    }

    /// Keeps what links are called as classes: what they lead to may have another name.
    pub(crate) fn links(&self, found: &mut Found) {
        let names = found.linked.iter().filter_map(|link| stem_of_class(link)).map(str::to_owned);
        let names = ClassNames::of(names, !found.linked.contains(""));
        if *self == Self::All {
            keep("./".to_owned(), (Values::default(), Some(names)), found);
        }
    }
}

/// Sorts them, each place once. The last one shows that there were more than may be kept.
pub(crate) fn limit(profiles: &mut Vec<Profile>, max: usize) {
    Profile::unite(profiles);
    if profiles.len() > max {
        profiles.truncate(max);
        if let Some(last) = profiles.last_mut() {
            last.values.gap = ProfileGap::Values;
            last.names = last.names.take().map(ClassNames::cut);
        }
    }
}

/// What the classes of a container are called. Of one whose file is called otherwise than it calls
/// itself nobody knows the name.
fn names_of(listing: &Listing) -> ClassNames {
    let all = || listing.entries.iter().filter_map(class_name);
    let is_whole = listing.complete && !listing.has_links && all().all(|(_, is_own)| is_own);
    ClassNames::of(all().map(|(name, _)| name.to_owned()), is_whole)
}

/// What a file is as a member of a container that holds it.
///
/// # Errors
/// Those of the file.
pub fn file_values(path: &Path) -> io::Result<Values> {
    const PIECE_BYTES: usize = 64 << 10;
    let (mut file, mut crc, mut size) = (File::open(path)?, Crc32::default(), 0);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        crc.update(&piece[..read]);
        size += read as u64;
    }
    let value = member_value(crc.sum(), size).filter(|_| size >= MEMBER_BYTES_MIN);
    Ok(Values { members: value.into_iter().collect(), ..Values::default() })
}

fn add(entry: &Listed, values: &mut Values) {
    match (entry.class, entry.crc.zip(entry.size)) {
        (Some(print), _) if print.trivial => {}
        (Some(print), _) => values.classes.push(print.text),
        (None, Some((_, size))) if size < MEMBER_BYTES_MIN => {}
        (None, Some((crc, size))) => values.members.extend(member_value(crc, size)),
        (None, None) if entry.size.is_some_and(|size| size < MEMBER_BYTES_MIN) => {}
        (None, None) => values.gap = ProfileGap::Members,
    }
}

fn keep(place: String, (mut values, names): (Values, Option<ClassNames>), found: &mut Found) {
    cut(&mut values, PROFILE_VALUES_MAX);
    let is_named = names.as_ref().is_some_and(|names| names.size() > 0 || !names.is_whole());
    if !values.is_empty() || values.gap != ProfileGap::None || is_named {
        found.profiles.push(Profile { place, values, names });
    }
}

fn cut(values: &mut Values, max: usize) {
    values.normalise();
    let members_max = max.saturating_sub(values.classes.len());
    if values.classes.len() > max || values.members.len() > members_max {
        values.classes.truncate(max);
        values.members.truncate(members_max);
        values.gap = ProfileGap::Values;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::class;
    use crate::fingerprint::class_writer::numbered;

    fn class_at(name: &str, number: i32) -> Listed {
        let print = class::read(&numbered(name, number).write());
        Listed { name: format!("{name}.class"), class: print, ..Listed::default() }
    }

    fn member(name: &str, crc: Option<u32>, size: u64) -> Listed {
        Listed { name: name.into(), size: Some(size), crc, ..Listed::default() }
    }

    fn profile(which: &Profiles, path: &str, entries: Vec<Listed>) -> Vec<Profile> {
        let mut found = Found::default();
        let listing = Listing { entries, complete: true, ..Listing::default() };
        which.container(path, &listing, &mut found);
        found.profiles
    }

    #[test]
    fn classes_that_moved_have_the_values_of_the_original() {
        let of = |package: &str| {
            let entries = (0..9).map(|n| class_at(&format!("{package}C{n}"), n)).collect();
            profile(&Profiles::All, "x.jar", entries).remove(0).values
        };
        let original = of("g/lib/");
        assert_eq!(original.classes.len(), 9);
        assert_eq!((&original.members, original.gap), (&Vec::new(), ProfileGap::None));
        assert_eq!(of("shade/other/"), original);
    }

    /// Goal: names of classes are kept as far as they are known. Method: a class under its own name
    /// (too small to tell anything by its code), one that no file names, one that was not read, and
    /// an archive that was not listed whole.
    #[test]
    fn names_of_classes_are_kept_and_what_is_not_known_is_said() {
        let named = |entries, complete| {
            let mut found = Found::default();
            let listing = Listing { entries, complete, ..Listing::default() };
            Profiles::All.container("x.jar", &listing, &mut found);
            let names = found.profiles.remove(0).names.unwrap();
            (names.list(), names.is_whole())
        };
        let unread = || member("org/x/Unread.class", None, 5);
        let wanted = vec!["org/x/C1".to_owned(), "org/x/Unread".to_owned()];
        let other = || member("org/x/readme.txt", Some(1), 99);
        let both = || vec![class_at("org/x/C1", 1), unread(), other()];
        assert_eq!(named(both(), true), (wanted.clone(), true));
        assert_eq!(named(both(), false), (wanted, false));
        let moved = Listed { name: "org/x/data.bin".into(), ..class_at("org/x/C1", 1) };
        assert_eq!(named(vec![moved], true), (vec!["org/x/data".to_owned()], false));
        // A link has the name of a class, whatever that which it leads to is called.
        let mut found = Found::default();
        let entries = both();
        let linked = Listing { entries, complete: true, has_links: true, ..Listing::default() };
        Profiles::All.container("x.tar", &linked, &mut found);
        found.link("a/Linked.class".to_owned());
        found.link("a/folder".to_owned());
        Profiles::All.links(&mut found);
        let names: Vec<_> = found.profiles.into_iter().filter_map(|it| it.names).collect();
        assert!(!names[0].is_whole() && names[1].is_whole());
        assert_eq!(names[1].list(), ["a/Linked"]);
        // Nobody asks an example for names.
        let part = profile(&Profiles::Part(String::new()), "x.jar", both());
        assert_eq!(part[0].names, None);
        let mut found = Found::default();
        Profiles::All.lost(&mut found);
        assert!(!found.profiles[0].names.as_ref().unwrap().is_whole());
    }

    #[test]
    fn members_count_by_check_sum_and_what_has_none_is_a_gap() {
        let all = |entries| profile(&Profiles::All, "x.zip", entries);
        let summed = all(vec![member("a", Some(7), 64), member("b", Some(7), 64)]);
        assert_eq!(summed[0].values.members, [7 << 32 | 64]);
        assert_eq!(all(vec![member("a", Some(7), 63), member("b", None, 63)]), []);
        let unsummed = all(vec![member("a", None, 64)]);
        assert_eq!(unsummed[0].values.gap, ProfileGap::Members);
        assert_eq!(profile(&Profiles::None, "x", vec![member("a", None, 64)]), []);
        let mut found = Found::default();
        Profiles::All.container("x", &Listing::default(), &mut found);
        assert_eq!(found.profiles[0].values.gap, ProfileGap::Values, "not all was listed");
    }

    #[test]
    fn a_part_is_named_inside_its_container_or_from_the_outermost() {
        let entries = || vec![member("com/a/x", Some(1), 64), member("org/y", Some(2), 64)];
        for (prefix, path, count) in [
            ("com/a/", "x.jar", 1),
            ("org/", "x.jar", 1),
            ("", "x.jar", 2),
            ("lib/in.jar!/com/", "x.war!/lib/in.jar", 1),
            ("lib/in.jar", "x.war!/lib/in.jar", 2),
            ("net/", "x.jar", 0),
        ] {
            let found = profile(&Profiles::Part(prefix.into()), path, entries());
            let values: usize = found.iter().map(|found| found.values.members.len()).sum();
            assert_eq!(values, count, "{prefix} of {path}");
        }
    }

    #[test]
    fn a_file_is_what_it_is_as_a_member() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.php");
        for size in [63, 64, 200_000] {
            let bytes = vec![7; size];
            std::fs::write(&path, &bytes).unwrap();
            let entry = member("a.php", Some(Crc32::of(&bytes)), size as u64);
            let profiles = profile(&Profiles::All, "x.zip", vec![entry]);
            let expected = profiles.into_iter().next().map(|it| it.values).unwrap_or_default();
            assert_eq!(file_values(&path).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn secrets_are_not_profiled() {
        let entries = vec![member("app/.env", Some(1), 64), member("tls/a.key", Some(2), 64)];
        assert_eq!(profile(&Profiles::All, "x.zip", entries), []);
    }

    #[test]
    fn limits_make_a_profile_incomplete() {
        let values = || Values { classes: vec![3, 1], members: vec![9], ..Values::default() };
        for (max, classes, members) in [(2, 2, 0), (1, 1, 0), (0, 0, 0)] {
            let mut cut_values = values();
            cut(&mut cut_values, max);
            let lens = (cut_values.classes.len(), cut_values.members.len());
            assert_eq!((lens, cut_values.gap), ((classes, members), ProfileGap::Values));
        }
        let mut whole = values();
        cut(&mut whole, 3);
        assert_eq!(whole.gap, ProfileGap::None);
        let names = || Some(ClassNames::of(["C".to_owned()], true));
        let one = |place: &str| Profile { place: place.into(), values: values(), names: names() };
        let mut profiles = vec![one("b"), one("c"), one("a")];
        limit(&mut profiles, 3);
        assert!(profiles.iter().all(|profile| profile.values.gap == ProfileGap::None));
        limit(&mut profiles, 2);
        let gaps: Vec<_> = profiles.iter().map(|p| (p.place.as_str(), p.values.gap)).collect();
        assert_eq!(gaps, [("a", ProfileGap::None), ("b", ProfileGap::Values)]);
        let whole = profiles.iter().map(|it| it.names.as_ref().unwrap().is_whole());
        assert_eq!(whole.collect::<Vec<_>>(), [true, false]);
    }
}
