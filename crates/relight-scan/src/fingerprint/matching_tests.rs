//! Libraries of generated classes: what is named, which version, where, and what never is.

use std::cmp::Ordering;

use relight_model::Digest;

use super::class::read;
use super::class_writer::numbered;
use super::matching::{Around, Seen, recognise};
use super::{Database, FeatureKind, Known, LearntClass, Release, Versions, write_database};
use crate::cataloger::ClassPrint;

/// Classes of a library: path and number, which is all its code.
type Library = Vec<(String, i32)>;

/// Version 1.N of `g:lib`: 20 classes, of which the N-th differs from version to version, and the
/// class that advisories name, which changes in 1.3.
fn version(minor: i32) -> Library {
    let mut classes: Library = (0..20).map(|at| (format!("g/lib/C{at}"), at)).collect();
    for at in 0..=minor {
        classes[at as usize].1 = 100 + at;
    }
    classes.push(("g/lib/Lookup".to_owned(), if minor < 3 { 900 } else { 901 }));
    classes
}

/// So many versions from before all others, each with code of its own.
fn older(count: i32) -> Vec<Release> {
    let old = |at: i32| -> Library {
        (0..20).map(|class| (format!("g/lib/C{class}"), 3_000 + at * 50 + class)).collect()
    };
    (0..count).map(|at| release("g:lib", &format!("0.{}", 10 + at), &old(at))).collect()
}

fn print(path: &str, number: i32) -> ClassPrint {
    read(&numbered(path, number).write()).unwrap()
}

fn release(artifact: &str, version: &str, classes: &Library) -> Release {
    let classes = classes.iter().map(|(name, number)| LearntClass {
        name: name.clone(),
        print: print(name, *number),
        member: Some((*number as u32, 10)),
        ..LearntClass::default()
    });
    Release {
        artifact: artifact.into(),
        version: version.into(),
        classes: classes.collect(),
        ..Release::default()
    }
}

fn order(one: &str, other: &str) -> Ordering {
    one.cmp(other)
}

fn known(releases: Vec<Release>) -> Known {
    let named = [("g:lib".to_owned(), "g/lib/Lookup".to_owned())];
    let bytes = write_database(releases, &named, order, 0);
    Known::new(vec![Database::from_bytes(bytes).unwrap()])
}

/// Versions 0.10 to 0.24, 1.0 to 1.6 without 1.4, and a library that has nothing to do with it.
fn libraries() -> Known {
    let mut all = older(15);
    all.extend(
        [0, 1, 2, 3, 5, 6].map(|minor| release("g:lib", &format!("1.{minor}"), &version(minor))),
    );
    let other: Library = (0..12).map(|at| (format!("o/O{at}"), 5_000 + at)).collect();
    all.push(release("o:other", "7", &other));
    known(all)
}

fn libraries_of(artifact: &str, classes: &Library) -> Known {
    known(vec![release(artifact, "1", classes)])
}

/// What is recognised, one line each.
fn look(known: &Known, classes: &Library) -> String {
    look_whole(known, classes, FeatureKind::Text)
}

fn look_whole(known: &Known, classes: &Library, kind: FeatureKind) -> String {
    look_at(known, classes, kind, None)
}

fn look_at(known: &Known, classes: &Library, kind: FeatureKind, archive: Option<Digest>) -> String {
    let seen: Vec<Seen<'_>> = classes
        .iter()
        .map(|(path, number)| {
            // A path that ends in `!` is a file that was renamed and its class was not.
            let name = path.strip_suffix('!').unwrap_or(path);
            let print = print(name, *number);
            let is_text = kind == FeatureKind::Text;
            let value = if is_text { print.text } else { (*number as u64) << 32 | 10 };
            Seen { path, value, print: is_text.then_some(print), is_loadable: name == path }
        })
        .collect();
    let recognised = recognise(known, kind, &seen, Around { is_whole: true, archive });
    assert!(!recognised.is_damaged);
    let lines = recognised.matches.iter().map(|it| {
        let versions = match &it.versions {
            Versions::Exact(version) => version.clone(),
            Versions::SameCode(versions) => format!("code of {}", versions.join(" ")),
            Versions::OneOf(versions) => format!("one of {}", versions.join(" ")),
        };
        let removed: String = it.removed.iter().map(|class| format!(" without {class}")).collect();
        let alone = if it.is_class_alone { " by a class" } else { "" };
        format!("{} {versions} in {:?}{alone}{removed}\n", it.artifact, it.folder)
    });
    lines.collect()
}

fn moved(classes: &Library, to: &str) -> Library {
    classes.iter().map(|(path, number)| (path.replacen("g/lib/", to, 1), *number)).collect()
}

#[test]
fn every_version_is_itself_wherever_it_is() {
    let known = libraries();
    for minor in [0, 1, 2, 3, 5, 6] {
        let plain = look(&known, &version(minor));
        assert_eq!(plain, format!("g:lib 1.{minor} in \"g/lib/\"\n"));
        let relocated = look(&known, &moved(&version(minor), "shadow/a/b/"));
        assert_eq!(relocated, format!("g:lib 1.{minor} in \"shadow/a/b/\"\n"));
        let crc = look_whole(&known, &version(minor), FeatureKind::Crc);
        assert_eq!(crc, format!("g:lib 1.{minor} in \"g/lib/\"\n"));
    }
}

/// Goal: a library that holds others is named, and not its parts, where one database knows both;
/// where the parts are without it, they are named. Method: `g:parts`, ten classes of the twelve of
/// `g:whole`.
#[test]
fn a_library_of_parts_is_named_and_so_are_the_parts_without_it() {
    let whole: Library = (0..12).map(|at| (format!("w/W{at}"), 7_000 + at)).collect();
    let (parts, own) = (whole[..10].to_vec(), whole[10..].to_vec());
    let known = known(vec![release("g:whole", "1", &whole), release("g:parts", "2", &parts)]);
    assert_eq!(look(&known, &whole), "g:whole code of 1 in \"w/\"\n");
    assert_eq!(look(&known, &parts), "g:parts code of 2 in \"w/\"\n");
    assert_eq!(look(&known, &own), "");
}

#[test]
fn a_version_that_nobody_learnt_is_never_called_one_that_somebody_did() {
    let known = libraries();
    // The class that advisories name is that of 1.3 and later.
    assert_eq!(look(&known, &version(4)), "g:lib one of 1.3 1.5 1.6 in \"g/lib/\"\n");
    // Patched: a class that is in no version.
    let mut patched = version(2);
    patched[20].1 = 7_777;
    assert_eq!(look(&known, &patched), "g:lib one of 1.1 1.2 1.3 in \"g/lib/\"\n");
}

/// Found with a module of ASM and one of netty whose code had not changed for years: of one version
/// that was learnt the others had the name. Method: copies of 1.2 beside so many other versions.
#[test]
fn a_version_is_exact_when_many_others_have_other_code() {
    let check = |others: Vec<Release>, archive: Option<Digest>, wanted: &str| {
        let mut all = others;
        let digest = Digest([7; 32]);
        all.push(Release { digest, ..release("g:lib", "1.2", &version(2)) });
        let count = all.len();
        let known = known(all);
        for kind in [FeatureKind::Text, FeatureKind::Crc] {
            let told = look_at(&known, &version(2), kind, archive);
            assert_eq!(told, format!("g:lib {wanted} in \"g/lib/\"\n"), "{count} {kind:?}");
        }
    };
    check(Vec::new(), None, "code of 1.2");
    check(older(17), None, "code of 1.2");
    check(older(18), None, "1.2");
    // Two builds of one version are no other version.
    let mut builds = older(17);
    builds.push(release("g:lib", "1.2", &version(3)));
    check(builds, None, "code of 1.2");
    // Another version with the same code, however many have other code.
    let mut equal = older(40);
    equal.push(release("g:lib", "1.3", &version(2)));
    check(equal.clone(), None, "code of 1.2 1.3");
    // The very archive that was learnt is what it was then, and another one is not.
    check(equal, Some(Digest([7; 32])), "1.2");
    check(Vec::new(), Some(Digest([7; 32])), "1.2");
    check(Vec::new(), Some(Digest([8; 32])), "code of 1.2");
    // What was taken out of it changes nothing of that.
    let mut cut = version(2);
    cut.pop();
    let known = known(vec![release("g:lib", "1.2", &version(2))]);
    let without = "g:lib code of 1.2 in \"g/lib/\" without g/lib/Lookup\n";
    assert_eq!(look(&known, &cut), without);
}

#[test]
fn a_class_that_was_taken_out_or_renamed_in_place_is_told() {
    let known = libraries();
    let without = "g:lib 1.2 in \"g/lib/\" without g/lib/Lookup\n";
    let mut removed = version(2);
    removed.pop();
    assert_eq!(look(&known, &removed), without);
    let mut renamed = version(2);
    renamed[20].0 = "g/lib/Lookup!".into();
    assert_eq!(look(&known, &renamed), without);
    // One of two copies: each is told for itself.
    let mut two = removed;
    two.extend(moved(&version(2), "x/y/"));
    assert_eq!(
        look(&known, &two),
        "g:lib 1.2 in \"g/lib/\" without g/lib/Lookup\ng:lib 1.2 in \"x/y/\"\n"
    );
}

#[test]
fn two_versions_beside_each_other_are_two() {
    let known = libraries();
    let mut two = version(1);
    two.extend(moved(&version(6), "shadow/lib/"));
    assert_eq!(look(&known, &two), "g:lib 1.1 in \"g/lib/\"\ng:lib 1.6 in \"shadow/lib/\"\n");
}

/// Found with a jar that was cut down: the smallest release came out as the nearest.
#[test]
fn a_bracket_holds_the_version_of_what_was_cut_down() {
    let mut known_versions = [0, 1, 2, 3, 5, 6].map(|minor| {
        let mut classes = version(minor);
        classes.extend((0..minor * 20).map(|at| (format!("g/lib/More{at}"), 50_000 + at)));
        release("g:lib", &format!("1.{minor}"), &classes)
    });
    known_versions.reverse();
    let known = known(known_versions.into());
    let cut: Library = version(5).split_off(1).into_iter().take(19).collect();
    assert_eq!(look(&known, &cut), "g:lib one of 1.3 1.5 1.6 in \"g/lib/\"\n");
    // The named class is that of three versions; all the rest is of one alone.
    let mut cut = version(2).split_off(1);
    assert_eq!(look(&known, &cut), "g:lib one of 1.2 in \"g/lib/\"\n");
    // A class that nobody knows stands beside it: it may be a version that nobody learnt.
    cut.push(("g/lib/New".into(), 77_777));
    assert_eq!(look(&known, &cut), "g:lib one of 1.0 1.1 1.2 in \"g/lib/\"\n");
}

/// Classes that a library itself holds twice, in two packages, do not make two copies of it.
#[test]
fn a_few_doubled_classes_are_no_second_copy() {
    let mut all: Library = (0..60).map(|at| (format!("d/D{at}"), 40_000 + at)).collect();
    for package in ["one", "two"] {
        all.extend((0..4).map(|at| (format!("d/{package}/Twin{at}"), 41_000 + at)));
    }
    let known = known(vec![release("d:d", "1", &all)]);
    assert_eq!(look(&known, &all), "d:d code of 1 in \"d/\"\n");
    // A package for each of many versions of a protocol: most classes are doubled.
    let mut many: Library = (0..20).map(|at| (format!("p/P{at}"), 42_000 + at)).collect();
    for protocol in 0..6 {
        many.extend((0..6).map(|at| (format!("p/v{protocol}/Shared{at}"), 43_000 + at)));
        many.extend((0..9).map(|at| (format!("p/v{protocol}/O{at}"), 44_000 + protocol * 10 + at)));
    }
    let known = libraries_of("p:p", &many);
    assert_eq!(look(&known, &many), "p:p code of 1 in \"p/\"\n");
}

#[test]
fn what_is_left_of_a_library_counts() {
    let known = libraries();
    // Cut down: the named class says which versions are possible, whatever the coverage.
    let small: Library = version(2).split_off(18);
    assert_eq!(look(&known, &small), "g:lib one of 1.0 1.1 1.2 in \"g/lib/\" by a class\n");
    let single: Library = vec![("com/acme/Copied".into(), 900)];
    assert_eq!(look(&known, &single), "g:lib one of 1.0 1.1 1.2 in \"com/acme/\" by a class\n");
    // A few classes of a library of which advisories name none say nothing.
    let few: Library = (0..4).map(|at| (format!("o/O{at}"), 5_000 + at)).collect();
    assert_eq!(look(&known, &few), "");
    // A class of one's own that is only called so.
    let own: Library = vec![("com/acme/Lookup".into(), 12_345)];
    assert_eq!(look(&known, &own), "");
}

/// The trap of generated siblings: what an absent one shares with a present one does not name it.
#[test]
fn an_absent_sibling_is_explained_away() {
    let shared: Library = (0..97).map(|at| (format!("m/S{at}"), 20_000 + at)).collect();
    let sibling = |name: &str, number: i32| {
        let own = (0..12).map(|at| (format!("m/{name}{at}"), number + at));
        shared.iter().cloned().chain(own).collect::<Library>()
    };
    let (one, two) = (sibling("One", 30_000), sibling("Two", 31_000));
    let known = known(vec![release("m:one", "1", &one), release("m:two", "1", &two)]);
    assert_eq!(look(&known, &one), "m:one code of 1 in \"m/\"\n");
    let mut both = one.clone();
    both.extend(two.iter().skip(97).cloned());
    assert_eq!(look(&known, &both), "m:one code of 1 in \"m/\"\nm:two code of 1 in \"m/\"\n");
}

/// Found with relocated libraries: what an absent archive had merged into it was no longer named
/// when a class of it was changed, because nothing of it was its own.
#[test]
fn a_library_that_another_archive_has_merged_is_still_itself() {
    let small: Library = (0..24).map(|at| (format!("s/S{at}"), 60_000 + at)).collect();
    let rest = (0..200).map(|at| (format!("u/U{at}"), 61_000 + at));
    let large: Library = small.iter().cloned().chain(rest).collect();
    let known = known(vec![release("s:small", "1", &small), release("u:large", "1", &large)]);
    assert_eq!(look(&known, &small), "s:small code of 1 in \"s/\"\n");
    let mut changed = small;
    changed.iter_mut().take(4).for_each(|class| class.1 += 2_000);
    assert_eq!(look(&known, &changed), "s:small one of 1 in \"s/\"\n");
    assert_eq!(look(&known, &large), "u:large code of 1 in \"\"\n");
    // Too little of it is nothing.
    assert_eq!(look(&known, &changed[..11].to_vec()), "");
}

#[test]
fn the_same_releases_give_the_same_bytes_in_any_order() {
    let releases =
        || [2, 0, 1].map(|minor| release("g:lib", &format!("1.{minor}"), &version(minor)));
    let write = |releases: Vec<Release>| write_database(releases, &[], order, 7);
    let mut reversed = releases();
    reversed.reverse();
    let bytes = write(releases().into());
    assert_eq!(bytes, write(reversed.into()));
    let database = Database::from_bytes(bytes).unwrap();
    database.verify().unwrap();
    let (artifact, known) = &database.releases().unwrap()[0];
    let versions: Vec<_> = known.iter().map(|release| release.version.as_str()).collect();
    assert_eq!(
        (artifact.as_str(), versions, database.built()),
        ("g:lib", vec!["1.0", "1.1", "1.2"], 7)
    );
}

/// Every single byte of a database, changed: refused, said to be damaged, or without effect, and
/// never a panic; what is verified is never damaged.
#[test]
fn a_damaged_database_says_so() {
    let bytes = write_database(vec![release("g:lib", "1.1", &version(1))], &[], order, 0);
    let print = print("g/lib/C1", 101);
    let class = Seen { path: "g/lib/C1", value: print.text, print: Some(print), is_loadable: true };
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        let Ok(database) = Database::from_bytes(damaged) else { continue };
        assert!(database.verify().is_err(), "byte {at}");
        let _ =
            recognise(&Known::new(vec![database]), FeatureKind::Text, &[class], Around::default());
    }
    let mut damaged = bytes;
    let last = damaged.len() / 2;
    damaged[last..].fill(0);
    let database = Database::from_bytes(damaged).unwrap();
    let known = Known::new(vec![database]);
    assert!(recognise(&known, FeatureKind::Text, &[class], Around::default()).is_damaged);
}

#[test]
fn the_seed_holds_each_official_log4j_core() {
    let seed = Database::seed().unwrap();
    seed.verify().unwrap();
    let all = seed.releases().unwrap();
    let is_core = |it: &&(String, Vec<_>)| it.0 == "org.apache.logging.log4j:log4j-core";
    let (_, releases) = all.iter().find(is_core).unwrap();
    for version in ["2.0-beta2", "2.0-beta9", "2.3.2", "2.12.4", "2.14.1", "2.15.0", "2.17.1"] {
        assert!(releases.iter().any(|release| release.version == version), "{version}");
    }
    assert!(releases.len() >= 27);
}
