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

/// An archive that is too long to be held, inside another one.
fn inside(members: &[Member]) -> Vec<u8> {
    let filler: Vec<u8> =
        (0..(9_u32 << 20) / 4).flat_map(|at| (at ^ at << 9).to_le_bytes()).collect();
    let mut all = vec![Member::stored("filler.so", &filler)];
    all.extend_from_slice(members);
    write_with(&[Member::deflated("in.jar", &write_with(&all, b"", b""))], b"", b"")
}

/// Goal: fast mode says of an archive that comes by once what it says of one that stands still.
/// Method: members whose sizes stand in front of them and behind them, in both.
#[test]
fn what_comes_by_once_is_listed_as_by_its_directory() {
    let mut rng = Rng::new(9);
    let inner = archive(&mut rng, 3);
    let late = |member: Member| Member { descriptor: true, ..member };
    let classes = |count: i32| -> Vec<Member> {
        let class = |number: i32| {
            let own = format!("g/lib/C{number}");
            Member::deflated(&format!("{own}.class"), &numbered(&own, number).write())
        };
        (0..count).map(class).collect()
    };
    let library = write_with(&classes(30), b"", b"");
    let options =
        Options { mode: Mode::Fast, fingerprints: learnt(&[library], false), ..Options::default() };
    let pom = b"groupId=g\nartifactId=other\nversion=1\n";
    let mut members = vec![Member::stored("META-INF/", b"")];
    members.extend(classes(15));
    members.push(late(Member::deflated("META-INF/maven/g/other/pom.properties", pom)));
    members.extend(classes(30).split_off(15).into_iter().map(late));
    members.push(late(Member::deflated("b.jar", &inner)));
    members.push(Member::deflated("d/read.txt", b"words"));
    let once = read(&options, true, &inside(&members));
    let names: Vec<_> = once.components.iter().map(|it| it.purl.to_string()).collect();
    assert!(names.contains(&"pkg:maven/g/lib0".to_owned()), "{names:?}");
    assert!(names.contains(&"pkg:maven/g/other@1".to_owned()), "{names:?}");
    assert_eq!(once.flaws, []);
    let held = Options { buffered_bytes_max: 1 << 30, ..options };
    let still = write_with(&[Member::stored("in.jar", &member_of(&inside(&members)))], b"", b"");
    let still = read(&held, true, &still);
    assert_eq!(
        said(&once).replace(&format!("{:?}", once.files), ""),
        said(&still).replace(&format!("{:?}", still.files), "")
    );
    // The archive itself is a stream in the one and a part of its container in the other.
    assert_eq!(once.members.listed, still.members.listed);
}

/// The bytes of the first member of an archive.
fn member_of(bytes: &[u8]) -> Vec<u8> {
    let mut inner = Vec::new();
    let from = 30 + usize::from(bytes[26]);
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(&bytes[from..]), &mut inner)
        .unwrap();
    inner
}

/// Goal: a descriptor that only looks like one hides nothing in silence. Method: one inside of a
/// member, with the header of another one behind it; and one that nothing follows.
#[test]
fn a_descriptor_inside_a_member_does_not_agree_with_the_directory() {
    let hidden = |behind: &[u8]| {
        let at = 5 + 20_u32;
        let fake = [&[7; 20][..], b"PK\x07\x08", &[1; 4], &at.to_le_bytes(), &[2; 4], behind];
        let data = fake.concat();
        let len = u16::try_from(data.len()).unwrap();
        let block = [&[1][..], &len.to_le_bytes(), &(!len).to_le_bytes(), &data].concat();
        let honest = Member::stored("g/lib/C1.class", &data);
        let member = Member { method: 8, data: block, descriptor: true, ..honest };
        let words = Member::deflated("words.txt", b"words");
        read(&Options { mode: Mode::Fast, ..Options::default() }, true, &inside(&[member, words]))
    };
    let codes = |found: &Found| found.flaws.iter().map(|it| it.code.as_str()).collect::<Vec<_>>();
    let mut header = write_with(&[Member::stored("a.class", b"code")], b"", b"");
    header.truncate(30 + 7);
    assert_eq!(codes(&hidden(&header)), ["zip-header-mismatch"]);
    assert_eq!(codes(&hidden(b"nothing")), [""; 0]);
    // The header of the member that follows, over the real one up to the directory.
    let follows = write_with(&[Member::deflated("words.txt", b"words")], b"", b"");
    let local = follows.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    let mut header = write_with(&[Member::stored("words.txt", &vec![0; 16 + local])], b"", b"");
    header.truncate(30 + 9);
    assert_eq!(codes(&hidden(&header)), ["zip-header-mismatch"]);
}

/// Goal: what a header leaves out is not passed over in silence: loaders go by the directory.
/// Method: a stored member whose own header says that it is empty, in each mode.
#[test]
fn a_member_that_calls_itself_empty_does_not_agree_with_the_directory() {
    for mode in [Mode::Fast, Mode::Deep] {
        let codes = |bytes: &[u8]| -> Vec<&str> {
            let found = read(&Options { mode, ..Options::default() }, true, bytes);
            found.flaws.iter().map(|it| it.code.as_str()).collect()
        };
        let mut inner = member_of(&inside(&[Member::stored("hid.class", &[7; 100])]));
        let packed = |inner: &[u8]| write_with(&[Member::deflated("in.jar", inner)], b"", b"");
        let at = inner.windows(13).position(|it| it == b"\0\0hid.class\x07\x07").unwrap() - 28;
        assert_eq!(inner[at..at + 4], *b"PK\x03\x04");
        assert!(!codes(&packed(&inner)).contains(&"zip-header-mismatch"), "{mode:?}");
        inner[at + 14..at + 26].fill(0);
        assert!(codes(&packed(&inner)).contains(&"zip-header-mismatch"), "{mode:?}");
    }
}

/// A size that no archive has reaches over its end, and is told.
#[test]
fn a_member_that_is_longer_than_anything_is_cut_off() {
    let mut inner = member_of(&inside(&[Member::stored("words.txt", b"words")]));
    let at = inner.windows(13).position(|it| it == b"\0\0words.txtwo").unwrap() - 28;
    let extra = [&[1, 0, 16, 0][..], &[0xff; 16]].concat();
    inner[at + 18..at + 26].fill(0xff);
    inner[at + 28] = extra.len() as u8;
    inner.splice(at + 39..at + 39, extra);
    let bytes = write_with(&[Member::deflated("in.jar", &inner)], b"", b"");
    let found = read(&Options { mode: Mode::Fast, ..Options::default() }, true, &bytes);
    let codes: Vec<_> = found.flaws.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["truncated"]);
}
