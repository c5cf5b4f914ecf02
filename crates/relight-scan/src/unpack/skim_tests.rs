//! What is passed over against what is read: the same answers, whatever the archive is.

use relight_model::Sbom;
use testkit::Rng;

use self::zip_writer::{Member, write_with};
use super::{Found, Shared, fast_answer, read_file};
use crate::fingerprint::class;
use crate::fingerprint::class_writer::numbered;
use crate::fingerprint::{Database, Fingerprints, Release, release_of, write_database};
use crate::identity::merge;
use crate::limits::{Mode, Options};
use crate::scan::Report;
use crate::window::Window;

#[expect(dead_code, reason = "this test writes archives without most of its lies")]
#[path = "../../tests/it/zip_writer.rs"]
mod zip_writer;

/// Where each archive is.
const PLACE: &str = "x/lib-1.jar";

/// Archives of one run.
const ARCHIVES: usize = 120;

fn read(options: &Options, passes: bool, bytes: &[u8]) -> Found {
    let reader = (options.mode == Mode::Deep).then_some(class::read as _);
    let shared = Shared { passes, ..Shared::new(options, reader) };
    let mut found = Found::default();
    let window = Window::of_memory(bytes.to_vec());
    read_file(&shared, &window, PLACE, &mut found).unwrap();
    assert!(found.files.balances() && found.members.balances());
    found
}

/// Everything that is said, for a comparison.
fn said(found: &Found) -> String {
    let components = merge(found.components.clone());
    let Found { flaws, warnings, gaps, archives, deepest, files, .. } = found;
    format!("{components:#?}\n{flaws:#?}\n{warnings:?}\n{gaps:?}\n{archives} {deepest} {files:?}")
}

fn name(rng: &mut Rng) -> String {
    let folders =
        ["", "g/lib/", "../", "/", "BOOT-INF/classes/g/", "a\\b\\", "META-INF/", "%/", "é/"];
    let files =
        ["LICENSE", "a.txt", "a.XML", "b.jar", "c.dat", "requirements.txt", "package.json", "d/"];
    format!("{}{}", rng.pick(&folders), rng.pick(&files))
}

fn class_member(rng: &mut Rng) -> Member {
    let number = rng.below(400) as i32;
    let own = format!("g/lib/C{number}");
    let root = ["", "BOOT-INF/classes/", "moved/"][rng.below(3)];
    let ending = ["class", "class", "class", "classdata", "off"][rng.below(5)];
    Member::deflated(&format!("{root}{own}.{ending}"), &numbered(&own, number).write())
}

fn member(rng: &mut Rng) -> Member {
    let text = b"some words that are packed, some words that are packed\n";
    let pom = b"groupId=g\nartifactId=lib\nversion=1\n";
    match rng.below(12) {
        0 => Member::stored(&name(rng), b""),
        1 => Member::stored(&name(rng), &archive(rng, 2)),
        2 => Member::deflated(&name(rng), &archive(rng, 3)),
        3 | 4 => Member::deflated(&name(rng), text),
        5 => Member::stored("META-INF/maven/g/lib/pom.properties", pom),
        6 => Member { descriptor: true, ..class_member(rng) },
        7 => Member { crc: 7, ..Member::deflated(&name(rng), text) },
        8 => Member { flags: 1, ..Member::stored(&name(rng), text) },
        _ => class_member(rng),
    }
}

fn archive(rng: &mut Rng, members_max: usize) -> Vec<u8> {
    let members: Vec<Member> = (0..=rng.below(members_max)).map(|_| member(rng)).collect();
    let prefix: &[u8] = [&b""[..], b"", b"#!/bin/sh\nexit\n"][rng.below(3)];
    write_with(&members, prefix, [&b""[..], b"", b"a comment"][rng.below(3)])
}

/// An archive as builds make them.
fn library(rng: &mut Rng) -> Vec<u8> {
    let pom = b"groupId=g\nartifactId=lib\nversion=1\n";
    let mut members = vec![
        Member::stored("META-INF/", b""),
        Member::deflated("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\n"),
        Member::deflated("META-INF/LICENSE", b"everybody may use this\n"),
        Member::stored("META-INF/maven/g/lib/pom.properties", pom),
    ];
    members.extend((0..8 + rng.below(20)).map(|_| class_member(rng)));
    write_with(&members, b"", b"")
}

/// A database that has learnt these archives, and knows them again if `knows` says so.
fn learnt(archives: &[Vec<u8>], knows: bool) -> Fingerprints {
    let fingerprints = Fingerprints::none();
    let options = Options { keep_listings: true, fingerprints, ..Options::default() };
    let (mut releases, mut sources) = (Vec::new(), Vec::new());
    for (number, bytes) in archives.iter().enumerate() {
        let mut found = read(&options, false, bytes);
        let own = found.listings.iter().position(|(place, _)| place == PLACE);
        let Some((_, listing)) = own.map(|own| found.listings.remove(own)) else { continue };
        let Some(mut release) = release_of("lib-1.jar", &listing, Some(bytes)) else { continue };
        release.artifact = format!("g:lib{}", number % 7);
        release.version = number.to_string();
        release.directory = release.directory.filter(|_| knows && found.flaws.is_empty());
        releases.push(release);
        sources.push((bytes, listing));
    }
    let (mode, fingerprints, keep_listings) = (Mode::Fast, database(&releases), false);
    let fast = Options { mode, fingerprints, keep_listings, ..options };
    for (release, (bytes, listing)) in releases.iter_mut().zip(sources) {
        let Found { components, flaws, .. } = read(&fast, false, bytes);
        let sbom = Sbom { components: merge(components), flaws, ..Sbom::default() };
        let report = Report { sbom, ..Report::default() };
        release.answer = fast_answer(&report, PLACE, &listing);
    }
    let answers = releases.iter().filter(|release| release.answer.is_some()).count();
    assert!(archives.len() < 2 || answers > 5, "{answers} answers");
    database(&releases)
}

fn database(releases: &[Release]) -> Fingerprints {
    let named = [("g:lib0".to_owned(), "g/lib/C7".to_owned())];
    let database = write_database(releases.to_vec(), &named, |one, other| one.cmp(other), 0);
    Fingerprints::only(vec![Database::from_bytes(database).unwrap()])
}

fn damaged(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    let tail = bytes.len().min(300);
    for _ in 0..=rng.below(3) {
        // Half of the damage hits the directory.
        let at = if rng.below(2) == 0 {
            rng.below(bytes.len())
        } else {
            bytes.len() - 1 - rng.below(tail)
        };
        damaged[at] ^= 1 << rng.below(8);
    }
    if rng.below(5) == 0 {
        damaged.truncate(rng.below(bytes.len()).max(4));
    }
    damaged
}

/// Goal: what is passed over is answered as if it had been read: components, places, flaws and
/// accounts, in both modes, for archives that were learnt, for damaged copies of them and for
/// others. Method: random archives (names that leave the folder, doubled names, wrong check sums,
/// encrypted members, archives in them, something in front and behind) from a printed seed, half of
/// them learnt; each is read with and without passing over.
#[test]
fn what_is_passed_over_is_answered_as_if_it_were_read() {
    let seed = 20_211_218;
    println!("seed {seed}");
    let mut rng = Rng::new(seed);
    let archives: Vec<Vec<u8>> = (0..ARCHIVES)
        .map(|at| if at % 3 == 0 { library(&mut rng) } else { archive(&mut rng, 24) })
        .collect();
    let half = &archives[..ARCHIVES / 2];
    let deep = Options { fingerprints: learnt(half, true), ..Options::default() };
    let fast = Options { mode: Mode::Fast, ..deep.clone() };
    // What fast mode does not read of a damaged archive that was learnt is not damaged for it.
    let fresh = Options { fingerprints: learnt(half, false), ..fast.clone() };
    let small =
        Options { entries_max: 9, expanded_free_bytes: 900, class_size_max: 300, ..deep.clone() };
    for bytes in &archives {
        check(&deep, bytes);
        check(&fast, bytes);
        check(&small, bytes);
        let damaged = damaged(bytes, &mut rng);
        check(&deep, &damaged);
        check(&fresh, &damaged);
        check(&small, &damaged);
    }
}

fn check(options: &Options, bytes: &[u8]) {
    let (quick, slow) = (read(options, true, bytes), read(options, false, bytes));
    assert_eq!(said(&quick), said(&slow), "{:?}", options.mode);
    assert_eq!(quick.members.bytes, slow.members.bytes);
    assert_eq!(quick.members.flawed, slow.members.flawed);
    if options.mode == Mode::Deep {
        assert_eq!(quick.members, slow.members);
    }
}

/// Goal: the bytes of an archive that was learnt are taken for read only when all of them are
/// those that were learnt. Method: a class is changed behind an unchanged directory.
#[test]
fn another_archive_with_the_same_directory_is_read() {
    let classes: Vec<Member> = (0..30)
        .map(|number| {
            let own = format!("g/lib/C{number}");
            Member::stored(&format!("{own}.class"), &numbered(&own, number).write())
        })
        .collect();
    let good = write_with(&classes, b"", b"");
    let options =
        Options { fingerprints: learnt(std::slice::from_ref(&good), true), ..Options::default() };
    let found = read(&options, true, &good);
    let names: Vec<_> = found.components.iter().map(|it| it.purl.to_string()).collect();
    assert_eq!(names, ["pkg:maven/g/lib0@0"]);
    assert_eq!((found.flaws.len(), found.members.read), (0, found.members.bytes));
    let mut other = good;
    other[60] ^= 1;
    let found = read(&options, true, &other);
    assert!(!found.flaws.is_empty(), "{:?}", found.components);
    // Fast mode never reads classes, and says so of the whole scan.
    let fast = Options { mode: Mode::Fast, ..options };
    assert_eq!(read(&fast, true, &other).members.read, 0);
}

#[test]
fn fast_mode_judges_what_nobody_asks_for_by_its_head() {
    let pom = b"groupId=g\nartifactId=lib\nversion=1\n";
    let inner = write_with(&[Member::stored("META-INF/maven/g/lib/pom.properties", pom)], b"", b"");
    let words = b"some words that are packed, some words that are packed\n".repeat(40);
    let members = [
        Member::deflated("packed.dat", &inner),
        Member::stored("stored.dat", &inner),
        Member::deflated("behind.dat", &[&words[..], &inner].concat()),
        Member { crc: 7, ..Member::deflated("words", &words) },
        Member::deflated("broken.jar", b"\0\x01\x02 is no archive"),
    ];
    let bytes = write_with(&members, b"", b"");
    let told = |mode| {
        let found = read(&Options { mode, ..Options::default() }, true, &bytes);
        let places = found.components.iter().map(|it| it.evidence.to_string());
        let places: Vec<_> = places.map(|it| it.split('!').nth(1).unwrap().to_owned()).collect();
        let flaws: Vec<_> = found.flaws.iter().map(|it| it.code.as_str()).collect();
        (places.join(" "), flaws.join(" "))
    };
    let fast = ("/packed.dat /stored.dat".to_owned(), "corrupt-entry".to_owned());
    assert_eq!(told(Mode::Fast), fast);
    let deep = "/packed.dat /stored.dat /behind.dat".to_owned();
    assert_eq!(told(Mode::Deep), (deep, "crc-mismatch corrupt-entry".to_owned()));
}
