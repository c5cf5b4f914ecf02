//! Libraries in archives and folders, from a small database made here.

use std::cmp::Ordering;

use relight_model::Scope;

use super::*;
use crate::fingerprint::class_writer::numbered;
use crate::fingerprint::{Database, Fingerprints, LearntClass, Release, class, write_database};

/// One class of 24 may be missing from a library that is still there.
const NAMES: [&str; 24] = [
    "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S",
    "T", "U", "V", "W", "Lookup",
];

fn print(at: usize) -> ClassPrint {
    class::read(&numbered(&format!("g/lib/{}", NAMES[at]), at as i32).write()).unwrap()
}

fn learnt(at: usize) -> LearntClass {
    LearntClass {
        name: format!("g/lib/{}", NAMES[at]),
        print: print(at),
        member: Some((at as u32 + 7, 9)),
        ..LearntClass::default()
    }
}

fn numbered_class(name: String, number: usize) -> LearntClass {
    let print = class::read(&numbered(&name, number as i32).write()).unwrap();
    LearntClass { name, print, ..LearntClass::default() }
}

fn options(others: usize, of: &str) -> Options {
    let small = |number: usize| numbered_class(format!("h/Small{number}"), 9_000 + number);
    let classes = (0..8).map(small).collect();
    let small =
        Release { artifact: "h:small".into(), version: "1".into(), classes, ..Release::default() };
    options_with("g.lib:lib", small, others, of)
}

/// The library under this name, with so many other versions of it, and another library.
fn options_with(name: &str, another: Release, others: usize, of: &str) -> Options {
    let mut releases = releases_of(name, others, of);
    releases.push(another);
    options_of(vec![database(releases)])
}

fn releases_of(name: &str, others: usize, of: &str) -> Vec<Release> {
    let release = |version: String, classes: Vec<LearntClass>| Release {
        artifact: name.into(),
        version,
        classes,
        ..Release::default()
    };
    // Other versions, of which none has its code: else no version is exact.
    let other = |at: usize| {
        let class =
            |number: usize| numbered_class(format!("g/lib/Old{number}"), 1_000 + at * 100 + number);
        release(format!("{of}.{at}"), (0..NAMES.len()).map(class).collect())
    };
    let mut releases: Vec<Release> = (0..others).map(other).collect();
    releases.push(release("1".into(), (0..NAMES.len()).map(learnt).collect()));
    releases
}

fn database(releases: Vec<Release>) -> Database {
    let named = [("g.lib:lib".to_owned(), "g/lib/Lookup".to_owned())];
    let order = |_: &str, _: &str| Ordering::Equal;
    Database::from_bytes(write_database(releases, &named, order, 0)).unwrap()
}

fn options_of(databases: Vec<Database>) -> Options {
    let fingerprints = Fingerprints::only(databases);
    Options { fingerprints, keep_listings: true, ..Options::default() }
}

/// The members of a library below a folder, without the classes of these numbers.
fn members(folder: &str, without: &[usize], ending: &str) -> Vec<Listed> {
    let wanted = (0..NAMES.len()).filter(|at| !without.contains(at));
    let member = |at: usize| Listed {
        name: format!("{folder}g/lib/{}.{ending}", NAMES[at]),
        size: Some(9),
        crc: Some(at as u32 + 7),
        class: Some(print(at)),
        opaque: false,
    };
    wanted.map(member).collect()
}

fn check(entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
    check_among(18, entries, claims, expected);
}

fn check_among(others: usize, entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
    check_by(&options(others, "0"), entries, claims, expected);
}

fn check_by(options: &Options, entries: Vec<Listed>, claims: &[(Basis, &str)], expected: &str) {
    let listing = Listing { entries, complete: true, ..Listing::default() };
    let claim = |(basis, purl): &(Basis, &str)| {
        Component::new(Purl::parse(purl).unwrap(), "x.jar", *basis, Scope::Installed)
    };
    let mut found = Found { components: claims.iter().map(claim).collect(), ..Found::default() };
    container(options, "x.jar", listing, 0, &mut found);
    let mut text = String::new();
    for it in crate::identity::merge(found.components) {
        let removed: String = it.removed.iter().map(|it| format!(" without {it}")).collect();
        let mut conflict = if it.conflict { " in conflict" } else { "" }.to_owned();
        if !it.candidates.is_empty() {
            conflict += &format!(" of {}", it.candidates.join(" "));
        }
        let (purl, place, basis) = (&it.purl, &it.evidence, it.basis.as_str());
        text += &format!("{purl} in {place} by {basis}{conflict}{removed}\n");
    }
    assert_eq!(text, expected);
    assert_eq!(found.flaws, []);
}

#[test]
fn classes_are_found_where_they_are() {
    let exact = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n";
    check(members("", &[], "class"), &[], exact);
    check(members("BOOT-INF/classes/", &[], "class"), &[], exact);
    check(members("inst/", &[], "esclazz"), &[], exact);
    check(members("", &[], "class"), &[(Basis::FileName, "pkg:maven/app@3")], exact);
    check(members("", &[], "class"), &[(Basis::PomProperties, "pkg:maven/g.lib/lib@1")], exact);
    // Found with an API of Tomcat: of two versions with equal classes only one was learnt.
    let told = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact in conflict\n";
    check(members("", &[], "class"), &[(Basis::Manifest, "pkg:maven/org.g.lib@1.0.1")], told);
    check(members("", &[], "class"), &[(Basis::Manifest, "pkg:maven/org.g.lib@1")], exact);
}

/// Of a library of which one version is known, that is told as the code which it is, until
/// metadata says the version. What names another version adds that one.
#[test]
fn the_code_of_the_only_known_version_leaves_the_version_open() {
    let check = |claims: &[(Basis, &str)], expected: &str| {
        check_among(0, members("", &[], "class"), claims, expected);
    };
    let exact = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n";
    let open = |of: &str| format!("pkg:maven/g.lib/lib in x.jar by fingerprint-partial of {of}\n");
    check(&[], &open("1"));
    for same in ["pkg:maven/lib@1", "pkg:maven/lib@1.0", "pkg:maven/org.g.lib@1.0.0"] {
        check(&[(Basis::Manifest, same)], exact);
        check(&[(Basis::FileName, same)], exact);
    }
    check(&[(Basis::PomProperties, "pkg:maven/g.lib/lib@1")], exact);
    check(&[(Basis::FileName, "pkg:maven/lib@1.1")], &open("1 1.1"));
    check(&[(Basis::Manifest, "pkg:maven/org.g.lib@1.1.0")], &open("1 1.1.0"));
    let two = [(Basis::Manifest, "pkg:maven/lib@1"), (Basis::FileName, "pkg:maven/lib@1.1")];
    check(&two, &open("1 1.1"));
    // The name of something else says nothing of it.
    check(&[(Basis::FileName, "pkg:maven/app@3")], &open("1"));
    for version in ["1.1", "2.99"] {
        let claim = format!("pkg:maven/g.lib/lib@{version}");
        let told = format!("pkg:maven/g.lib/lib in x.jar by pom-properties of 1 {version}\n");
        check(&[(Basis::PomProperties, &claim)], &told);
    }
    // Beside other code, the name of the file is that of the whole.
    let mut merged = members("", &[], "class");
    merged.extend((0..40).map(|at| {
        let name = format!("o/O{at}");
        let class = class::read(&numbered(&name, 5_000 + at).write());
        Listed { name: name + ".class", class, ..Listed::default() }
    }));
    let named = [(Basis::FileName, "pkg:maven/lib@1")];
    let expected = open("1") + "pkg:maven/lib@1 in x.jar by file-name\n";
    check_among(0, merged.clone(), &named, &expected);
    let other = [(Basis::FileName, "pkg:maven/lib@2")];
    let expected = "pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n\
                    pkg:maven/lib@2 in x.jar by file-name in conflict\n";
    check_among(0, merged, &other, expected);
}

/// Found by reading: metadata with a version that nobody learnt took the bytes below it with
/// it, whatever they were.
#[test]
fn metadata_of_an_unknown_version_does_not_overrule_the_classes() {
    let lookup = NAMES.len() - 1;
    let part = || members("", &(12..lookup).collect::<Vec<_>>(), "class");
    let forged = [(Basis::PomProperties, "pkg:maven/g.lib/lib@1-fixed")];
    let both = "pkg:maven/g.lib/lib@1-fixed in x.jar by pom-properties in conflict\n\
                pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n";
    check(part(), &forged, both);
    let alone = || members("", &(0..lookup).collect::<Vec<_>>(), "class");
    let class = "pkg:maven/g.lib/lib@9 in x.jar by pom-properties in conflict\n\
                 pkg:maven/g.lib/lib in x.jar by named-class in conflict of 1\n";
    check(alone(), &[(Basis::PomProperties, "pkg:maven/g.lib/lib@9")], class);
    // After all that were learnt: the nearest of these says only that it is not known.
    let newer = [(Basis::PomProperties, "pkg:maven/g.lib/lib@2")];
    check(part(), &newer, "pkg:maven/g.lib/lib@2 in x.jar by pom-properties in conflict\n");
    // A class that an advisory names, with code that the newest version has not any more.
    let both = "pkg:maven/g.lib/lib@9 in x.jar by pom-properties in conflict\n\
                pkg:maven/g.lib/lib in x.jar by fingerprint-partial in conflict of 1\n";
    let forged = [(Basis::PomProperties, "pkg:maven/g.lib/lib@9")];
    check_by(&options(18, "2"), part(), &forged, both);
}

/// Found with members called `/a`, `./a` and `C:/a`: a third of a library in each of three.
#[test]
fn names_that_leave_the_archive_are_one_place() {
    let fronts = ["", "/", "./", "../../", "C:/", "//"];
    let mut odd = members("", &[], "class");
    for (entry, front) in odd.iter_mut().zip(fronts.iter().cycle()) {
        entry.name.insert_str(0, front);
    }
    check(odd, &[], "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n");
    assert_eq!(
        ["./BOOT-INF/classes/", "a/./", "C:a/"].map(inside),
        ["BOOT-INF/classes/", "a/./", "C:a/"]
    );
}

#[test]
fn each_copy_is_told_for_itself() {
    let lookup = NAMES.len() - 1;
    let mut two = members("", &[lookup], "class");
    two.extend(members("shadow/", &[], "class"));
    let expected = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact without g/lib/Lookup\n\
                    pkg:maven/g.lib/lib@1 in x.jar!/shadow/g/lib/ by fingerprint-exact\n";
    check(two, &[], expected);
    let mut renamed = members("", &[], "class");
    renamed[lookup].name = "g/lib/Lookup.class.off".into();
    let mitigated = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact without g/lib/Lookup\n";
    check(renamed, &[], mitigated);
}

#[test]
fn members_that_were_not_read_are_known_by_their_check_sums() {
    let mut unread = members("", &[], "class");
    unread.iter_mut().for_each(|entry| entry.class = None);
    check(unread, &[], "pkg:maven/g.lib/lib@1 in x.jar by crc-set\n");
}

#[test]
fn metadata_of_a_known_library_that_is_not_there_is_dropped() {
    let pom = [(Basis::PomProperties, "pkg:maven/g.lib/lib@1")];
    let own = Listed { name: "o/Own.class".into(), class: Some(print(0)), ..Listed::default() };
    let mut other = own.clone();
    other.class = Some(class::read(&numbered("o/Own", 999).write()).unwrap());
    // Code that no known library explains may be this one, rewritten: nobody can say.
    let unsure = "pkg:maven/g.lib/lib in x.jar by pom-properties\n";
    let mut another = other.clone();
    another.name = "o/Another.class".into();
    check(vec![other.clone(), another], &pom, unsure);
    // One class is not a library of 24 under any disguise.
    check(vec![other.clone()], &pom, "");
    // Empty folders and resources are not its classes.
    let beside = |name: &str| Listed { name: name.into(), ..Listed::default() };
    let left = ["g/lib/", "META-INF/g/lib/plugins.dat", "META-INF/versions/9/g/lib/"];
    check(left.map(beside).to_vec(), &pom, "");
    let kept = "pkg:maven/g.lib/lib@1 in x.jar by pom-properties\n";
    check(vec![beside("META-INF/versions/9/g/lib/A.class")], &pom, kept);
    // Where its classes belong something stands that nobody knows: that is not for us to say.
    let mut natural = other;
    // However much of the rest is explained: of a small library one class is enough.
    let mut beside = members("", &[], "class");
    beside.push(natural.clone());
    let small = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n\
                 pkg:maven/h/small in x.jar by pom-properties\n";
    check(beside, &[(Basis::PomProperties, "pkg:maven/h/small@1")], small);
    natural.name = "g/lib/A.class".into();
    check(vec![natural], &pom, "pkg:maven/g.lib/lib@1 in x.jar by pom-properties\n");
}

/// Found by reading: a release whose code a larger library holds as well has nothing of its
/// own, and where its group is no folder either, metadata with a version that nobody learnt
/// made a ghost of it.
#[test]
fn a_library_whose_code_another_has_as_well_is_no_ghost() {
    let options = |others, of| {
        let more = (0..NAMES.len()).map(|at| numbered_class(format!("z/Z{at}"), 7_000 + at));
        let classes = (0..NAMES.len()).map(learnt).chain(more).collect();
        let (artifact, version) = ("z:whole".into(), "1".into());
        let whole = Release { artifact, version, classes, ..Release::default() };
        options_with("other:lib", whole, others, of)
    };
    let pom = [(Basis::PomProperties, "pkg:maven/other/lib@2")];
    let told = "pkg:maven/other/lib in x.jar by pom-properties of 1 2\n";
    check_by(&options(1, "0"), members("", &[], "class"), &pom, told);
    // Half of it, with a version after all that were learnt.
    let half = members("", &(12..NAMES.len()).collect::<Vec<_>>(), "class");
    let told = "pkg:maven/other/lib@2 in x.jar by pom-properties in conflict\n";
    check_by(&options(18, "0"), half, &pom, told);
}

/// Goal: a class that is a link is loaded like any other, so it was not taken out. Method: a
/// library without the class that an advisory names, in an archive and in folders, with links
/// beside it.
#[test]
fn a_class_that_is_a_link_was_not_taken_out() {
    let without = [NAMES.iter().position(|name| *name == "Lookup").unwrap()];
    let removed = |found: &Found| -> Vec<String> {
        found.components.iter().flat_map(|it| it.removed.clone()).collect()
    };
    let options = options(18, "0");
    for has_links in [false, true] {
        let entries = members("", &without, "class");
        let listing = Listing { entries, has_links, complete: true, ..Listing::default() };
        let mut found = Found::default();
        container(&options, "x.jar", listing, 0, &mut found);
        assert_eq!(removed(&found).is_empty(), has_links);
        assert_eq!(found.components.len(), 1);
    }
    for (link, is_told) in [
        ("", true),
        ("a/b", true),
        ("a/classes/g/lib/x.txt", true),
        ("a/classes/g/lib/Lookup.class", false),
        ("a/classes/g/lib/sub", false),
    ] {
        let mut found = Found::default();
        for member in members("a/classes/", &without, "class") {
            found.folder_classes.push((member.name, member.class.unwrap()));
        }
        let name = link.rsplit('/').next().unwrap_or_default();
        if !link.is_empty() && may_lead_to_classes(name.as_bytes()) {
            found.link(link.to_owned());
        }
        folders(&options, &mut found);
        assert_eq!(removed(&found).len(), usize::from(is_told), "{link}");
    }
    let mut found = Found::default();
    (0..70_000).for_each(|number| found.link(format!("z/{number}")));
    assert!(found.has_links_in("a/") && found.linked.len() < 70_000);
}

/// Goal: a database beside the first one adds names, and takes none away, whether that one or the
/// metadata says them. Method: an application with a library of the first database in it, which the
/// second database learnt as a whole, or as nine of them, or under the name of the library.
#[test]
fn another_database_takes_no_name_away() {
    let all = || (0..NAMES.len()).map(learnt).collect::<Vec<_>>();
    let app = |number: usize| numbered_class(format!("app/A{number}"), 20_000 + number);
    let release = |artifact: &str, version: &str, classes: Vec<LearntClass>| Release {
        artifact: artifact.into(),
        version: version.into(),
        classes,
        ..Release::default()
    };
    let fat = |name: &str| release(name, "1", all().into_iter().chain((0..6).map(app)).collect());
    let own = |releases: Vec<Release>| {
        let first = database(vec![release("g.lib:lib", "1", all())]);
        options_of(vec![first, database(releases)])
    };
    let entries = |folder: &str| {
        let entries = members(folder, &[], "class");
        let like = entries[0].clone();
        let more = (0..6).map(app).map(|it| Listed {
            name: format!("{}.class", it.name),
            class: Some(it.print),
            ..like.clone()
        });
        entries.into_iter().chain(more).collect()
    };
    let library = "pkg:maven/g.lib/lib in x.jar by fingerprint-partial of 1\n";
    let whole = "pkg:maven/o/app in x.jar by fingerprint-partial of 1\n";
    let both = format!("{whole}{library}");
    check_by(&own(vec![fat("o:app")]), entries(""), &[], &both);
    let nine = (0..9).map(|number| fat(&format!("o:app{number}"))).collect();
    check_by(&own(nine), entries(""), &[], library);
    // The name of the file, and metadata of a library that other code may have become.
    let name = (Basis::FileName, "pkg:maven/other@3");
    let left = (Basis::PomProperties, "pkg:maven/g.lib/lib@1");
    let other = "pkg:maven/other@3 in x.jar by file-name\n";
    let metadata = "pkg:maven/g.lib/lib in x.jar by pom-properties\n";
    let strange = || entries("").split_off(NAMES.len());
    let of_app = own(vec![release("o:app", "1", (0..6).map(app).collect())]);
    let all_of_it = format!("{whole}{metadata}{other}");
    check_by(&of_app, strange(), &[left, name], &all_of_it);
    // A mere name would give way to an exact version that another database knows.
    let named = options_of(vec![database(Vec::new()), database(releases_of("x:other", 18, "0"))]);
    let stays = "pkg:maven/x/other in x.jar by fingerprint-partial in conflict of 1\n\
                 pkg:maven/other@3 in x.jar by file-name in conflict\n";
    check_by(&named, members("", &[], "class"), &[name], stays);
}

/// Goal: what another database names in one folder of the class path moves nothing that the first
/// one says of another folder. Method: two versions of a library, of which each database knows one;
/// the metadata of the container names that of the first.
#[test]
fn another_database_moves_nothing() {
    let class = |number: usize| numbered_class(format!("g/lib/New{number}"), 30_000 + number);
    let newer = Release {
        artifact: "g.lib:lib".into(),
        version: "2".into(),
        classes: (0..24).map(class).collect(),
        ..Release::default()
    };
    let entries = || {
        let known = members("z/", &[], "class");
        let like = known[0].clone();
        let new = (0..24).map(class).map(|it| Listed {
            name: format!("a/{}.class", it.name),
            class: Some(it.print),
            ..like.clone()
        });
        known.into_iter().chain(new).collect::<Vec<_>>()
    };
    let first = || database(releases_of("g.lib:lib", 18, "0"));
    let claim = [(Basis::PomProperties, "pkg:maven/g.lib/lib@1")];
    let own = "pkg:maven/g.lib/lib@1 in x.jar by fingerprint-exact\n";
    check_by(&options_of(vec![first()]), entries(), &claim, own);
    let added = "pkg:maven/g.lib/lib in x.jar!/a/g/lib/ by fingerprint-partial of 2\n";
    let both = options_of(vec![first(), database(vec![newer])]);
    check_by(&both, entries(), &claim, &format!("{own}{added}"));
}
