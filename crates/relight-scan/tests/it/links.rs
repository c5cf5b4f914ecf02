//! Files of several names: whatever the first one says, the others count.

use std::fs;
use std::path::Path;

use relight_scan::{Options, Progress, Services, Target, scan_target};

use crate::container_writer::{deb, gz, linked_cpio, rpm, xz};
use crate::hidden::{LONG, filler};
use crate::image_writer::{
    Image, LAYER, Node, docker, gzip, oci, packed, sha256, tar as tar_of, unpacked,
};
use crate::zip_writer::{Member, write};
use crate::{CLASS, one, one_with, run, text, tree};

const PACKAGE: &[u8] = b"{\"name\":\"x\",\"version\":\"1.0.0\"}";

/// An archive that nothing but its name names.
pub(crate) fn nameless() -> Vec<u8> {
    write(&[Member::stored("A.class", CLASS)])
}

fn link(root: &Path, file: &str, names: &[&str]) {
    for name in names {
        let name = root.join(name);
        fs::create_dir_all(name.parent().unwrap()).unwrap();
        fs::hard_link(root.join(file), name).unwrap();
    }
}

/// Goal: what is catalogued by its name is found where a package manager links it from a store
/// of digests, and what is not is read once. Method: a walk that visits files of several names
/// once (links are followed) over a store that comes first.
#[test]
fn names_in_front_of_a_store_count() {
    let folder = tree(&[
        (".store/00/aa", PACKAGE),
        (".store/00/bb", &nameless()),
        (".store/00/cc", b"plain"),
        (".store/00/dd", b"ID=debian\nVERSION_ID=12\n"),
        ("var/lib/dpkg/status", b"Package: bash\nStatus: install ok installed\nVersion: 5.2\n"),
    ]);
    let root = folder.path();
    link(root, ".store/00/aa", &["a/node_modules/x/package.json", "b/node_modules/x/package.json"]);
    link(root, ".store/00/bb", &["a/lib/thing-1.2.jar", "b/lib/thing-1.2.jar", "b/old-1.1.jar"]);
    link(root, ".store/00/cc", &["a/plain", "b/plain"]);
    link(root, ".store/00/dd", &["etc/os-release"]);
    let report = run(root, &Options { follow: true, ..Options::default() });
    assert_eq!(
        text(&report),
        "pkg:deb/debian/bash@5.2?distro=debian-12 in var/lib/dpkg/status\n\
         pkg:maven/old@1.1 in b/old-1.1.jar\n\
         pkg:maven/thing@1.2 in a/lib/thing-1.2.jar\n\
         pkg:npm/x@1.0.0 in a/node_modules/x/package.json\n\
         pkg:npm/x@1.0.0 in b/node_modules/x/package.json\n"
    );
    // Five files, and those of their names that say something.
    assert_eq!(report.files, 5 + 2 + 2 + 1);
}

/// The same by symbolic links, which are not followed but for their names: a link whose file has
/// one of its own is visited by that alone.
#[test]
fn symbolic_names_in_front_of_a_store_count() {
    let folder = tree(&[
        (".store/aa", PACKAGE),
        (".store/bb", &nameless()),
        (".store/cc", b"plain"),
        ("lib/named-2.0.jar", &nameless()),
        ("node_modules/x/index.js", b""),
    ]);
    let root = folder.path();
    for (target, name) in [
        ("../../.store/aa", "node_modules/x/package.json"),
        ("../.store/bb", "lib/thing-1.2.jar"),
        ("../.store/cc", "lib/plain"),
        ("named-2.0.jar", "lib/other-3.0.jar"),
        ("nowhere", "lib/gone-1.0.jar"),
        ("round-1.0.jar", "lib/round-1.0.jar"),
    ] {
        std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    }
    let report = run(root, &Options::default());
    assert_eq!(
        text(&report),
        "pkg:maven/named@2.0 in lib/named-2.0.jar\n\
         pkg:maven/thing@1.2 in lib/thing-1.2.jar\n\
         pkg:npm/x@1.0.0 in node_modules/x/package.json\n"
    );
    assert_eq!(report.files, 5 + 2);
}

/// A folder with a store in front, as an archive: `x` and `thing` are links to it.
fn stored() -> Vec<u8> {
    tar_of(&[
        ("store/aa", Node::File(PACKAGE.to_vec())),
        ("store/bb", Node::File(nameless())),
        ("app/node_modules/x/package.json", Node::HardLink("store/aa")),
        ("./b/node_modules/x/package.json", Node::HardLink("./store/aa")),
        ("app/plain", Node::HardLink("store/aa")),
        ("app/thing-1.2.jar", Node::HardLink("store/bb")),
    ])
}

const STORED: &str = "pkg:maven/thing@1.2 in PLACEapp/thing-1.2.jar\n\
    pkg:npm/x@1.0.0 in PLACEapp/node_modules/x/package.json\n\
    pkg:npm/x@1.0.0 in PLACEb/node_modules/x/package.json\n";

/// The components of a tar, as it is, packed, in a package and in another archive: what is expected
/// names them where `PLACE` stands for the archive.
pub(crate) fn assert_in_archives(tar: &[u8], expected: &str) {
    let at = |place: &str| expected.replace("PLACE", place);
    assert_eq!(one("o", tar), at("o!/"));
    assert_eq!(one("o", &gz(tar)), at("o!/"));
    assert_eq!(one("o", &deb("data.tar.xz", &xz(tar))), at("o!/"));
    let inside = write(&[Member::deflated("in", &gz(tar))]);
    assert_eq!(one("o", &inside), at("o!/in!/"));
}

#[test]
fn links_in_archives_have_names_of_their_own() {
    let plain = stored();
    assert_in_archives(&plain, STORED);
    let report = run(tree(&[("o", &plain)]).path(), &Options::default());
    assert_eq!(report.archives, 3, "the archive is counted once, its jar under both names");
}

#[test]
fn links_to_other_links_and_to_nothing() {
    let chain = tar_of(&[
        ("node_modules/x/package.json", Node::HardLink("second")),
        ("second", Node::HardLink("first")),
        ("first", Node::File(PACKAGE.to_vec())),
        // What is not in the archive is no part of it that stayed unread.
        ("node_modules/y/package.json", Node::HardLink("elsewhere")),
    ]);
    assert_eq!(one("o", &chain), "pkg:npm/x@1.0.0 in o!/node_modules/x/package.json\n");
}

/// A name behind more links than are followed is told, in an archive and in a layer.
#[test]
fn a_name_behind_too_many_links_is_a_flaw() {
    let chain = |links: usize| {
        let names: Vec<&'static str> = (0..=17).map(|at| &"abcdefghijklmnopqr"[..=at]).collect();
        let mut members = vec![(names[0], Node::File(PACKAGE.to_vec()))];
        members.extend((1..links).map(|at| (names[at], Node::HardLink(names[at - 1]))));
        members.push(("node_modules/x/package.json", Node::HardLink(names[links - 1])));
        tar_of(&members)
    };
    let found = |place: &str| format!("pkg:npm/x@1.0.0 in {place}node_modules/x/package.json\n");
    let told = |place: &str| format!("flaw limit-depth {place}node_modules/x/package.json\n");
    assert_eq!((one("o", &chain(17)), one("o", &chain(18))), (found("o!/"), told("o!/")));
    let image = |layer: Vec<u8>| {
        let parts = docker(&[("layer.tar", layer.clone())], &[sha256(&layer)]);
        one("i.tar", &packed(&parts))
    };
    assert_eq!((image(chain(17)), image(chain(18))), (found("i.tar!/"), told("i.tar!/")));
}

/// Bytes that come by once are gone when the link comes: that is said.
#[test]
fn a_link_into_bytes_that_have_gone_by_is_a_flaw() {
    let inner = tar_of(&[
        ("filler", Node::File(filler(LONG))),
        ("first", Node::File(PACKAGE.to_vec())),
        ("node_modules/x/package.json", Node::HardLink("first")),
    ]);
    let got = one("o", &write(&[Member::deflated("in", &inner)]));
    assert_eq!(got, "flaw method-unsupported o!/in!/node_modules/x/package.json\n");
}

/// Goal: the payload of an rpm has the bytes of a file behind the last of its names, and the name
/// that counts may be another one. Method: the bytes behind the last name, behind the first and
/// behind none, plain and packed, and as a stream in a stream, which cannot be read again.
#[test]
fn a_file_of_several_names_in_a_cpio_is_read_under_each() {
    const PLACE: &str = "node_modules/x/package.json";
    let last = linked_cpio(&[
        (PLACE, (7, 3), b""),
        ("other", (8, 2), b""),
        ("store/bb", (7, 3), b""),
        ("store/aa", (7, 3), PACKAGE),
    ]);
    let first = linked_cpio(&[("store/aa", (7, 2), PACKAGE), (PLACE, (7, 2), b"")]);
    let named = linked_cpio(&[("store/aa", (7, 2), b""), (PLACE, (7, 2), PACKAGE)]);
    let empty = linked_cpio(&[("store/aa", (7, 2), b""), ("store/bb", (7, 2), b"")]);
    let found = |place: &str| format!("pkg:npm/x@1.0.0 in {place}!/{PLACE}\n");
    for (kind, payload) in [("last", &last), ("first", &first), ("named", &named)] {
        assert_eq!(one("o", payload), found("o"), "{kind}");
        assert_eq!(one("o", &gz(payload)), found("o"), "{kind}");
        for package in [rpm(payload), rpm(&gz(payload)), rpm(&xz(payload))] {
            assert_eq!(one("o.rpm", &package), found("o.rpm"), "{kind}");
        }
    }
    assert_eq!(one("o.rpm", &rpm(&gz(&empty))), "");
    let noise = filler(LONG);
    let long = linked_cpio(&[
        (PLACE, (7, 2), b""),
        ("store/aa", (7, 2), PACKAGE),
        ("noise", (9, 1), &noise),
    ]);
    let long = gz(&tar_of(&[("x.rpm", Node::File(rpm(&gz(&long))))]));
    assert_eq!(one("o", &long), format!("flaw method-unsupported o!/x.rpm!/{PLACE}\n"));
}

/// Goal: what is held for files of several names counts as memory. Method: files below and above
/// half of what may be held, and so much held already that there is no room.
#[test]
fn memory_for_files_of_several_names_is_bounded() {
    let options = Options { buffered_bytes_max: 24 << 20, ..Options::default() };
    let packed = |len: usize, noise: usize| {
        let mut file = PACKAGE.to_vec();
        file.resize(len, b' ');
        gz(&tar_of(&[
            ("noise", Node::File(filler(noise))),
            ("zeros", Node::File(vec![0; LONG - noise])),
            ("first", Node::File(file)),
            ("node_modules/x/package.json", Node::HardLink("first")),
            ("node_modules/y/package.json", Node::HardLink("first")),
        ]))
    };
    let with = |bytes: &[u8]| one_with(&options, "o", bytes);
    assert_eq!(with(&packed(1 << 20, 0)).matches("pkg:npm/x@1.0.0").count(), 2);
    assert_eq!(with(&packed((12 << 20) + 1, 0)), "flaw limit-entry-size o\n");
    let inner = write(&[Member::deflated("in", &packed(1_000, 7 << 20))]);
    let told = with(&write(&[Member::deflated("x", &inner)]));
    let told_of = |name| format!("flaw limit-memory o!/x!/in!/node_modules/{name}/package.json\n");
    assert!(told.starts_with(&[told_of("x"), told_of("y")].concat()), "{told}");
}

/// Goal: a limit that only the second reading reaches is said. Method: an allowance between that of
/// one reading and that of two, of bytes too many to be held.
#[test]
fn a_second_reading_that_reaches_a_limit_is_a_flaw() {
    let packed = gz(&tar_of(&[
        ("filler", Node::File(vec![0; 9 << 20])),
        ("first", Node::File(PACKAGE.to_vec())),
        ("node_modules/x/package.json", Node::HardLink("first")),
    ]));
    let with = |mib: u64| {
        let expanded_free_bytes = mib << 20;
        let options = Options { expanded_free_bytes, expanded_ratio_max: 0, ..Options::default() };
        one_with(&options, "o", &packed)
    };
    let found = "pkg:npm/x@1.0.0 in o!/node_modules/x/package.json\n";
    assert_eq!(with(40), found);
    let between = with(14);
    assert!(between.starts_with("flaw limit-expanded o"), "{between}");
    assert_eq!(between.lines().count(), 1, "{between}");
}

/// An image, and in the same tar something else.
pub(crate) fn beside_an_image(more: Vec<(&str, Node)>) -> Vec<u8> {
    let layer = tar_of(&[("a.txt", Node::File(b"a".to_vec()))]);
    let parts = docker(&[("layer.tar", layer.clone())], &[sha256(&layer)]);
    let image = parts.iter().map(|(name, bytes)| (name.as_str(), Node::File(bytes.clone())));
    tar_of(&image.chain(more).collect::<Vec<_>>())
}

/// Goal: names of files beside an image count as those in any other archive. Method: an image and,
/// in the same tar, a store with links; as many links as are looked at, and one more.
#[test]
fn links_beside_an_image_have_names_of_their_own() {
    let with = |links: usize| {
        let mut more = vec![("store/aa", Node::File(PACKAGE.to_vec()))];
        more.extend(vec![("plain", Node::HardLink("store/aa")); links]);
        more.push(("app/node_modules/x/package.json", Node::HardLink("./store/aa")));
        one("i.tar", &beside_an_image(more))
    };
    let found = "pkg:npm/x@1.0.0 in i.tar!/app/node_modules/x/package.json\n";
    assert_eq!(with(0), found);
    assert_eq!(with(4_095), found);
    assert_eq!(with(4_096), "flaw limit-entries i.tar\n");
}

/// Goal: the same in layers, packed and not. An upper layer may link to a file of a lower one.
#[test]
fn links_in_layers_have_names_of_their_own() {
    let image = |layers: &[Vec<u8>]| {
        let place = tree(&[]);
        let image = Image { architecture: "amd64", layers, media: LAYER };
        unpacked(place.path(), &oci(&[image]));
        let services = Services { progress: &Progress::default(), pace: None, cache: None };
        let target = Target::Oci(place.path().to_owned());
        let report = scan_target(&target, &Options::default(), &services).unwrap();
        assert!(report.file_bytes.balances() && report.member_bytes.balances());
        (text(&report), report.files)
    };
    let at = STORED.replace("PLACE", "");
    assert_eq!(image(&[stored()]), (at.clone(), 2));
    assert_eq!(image(&[gzip(&stored())]), (at, 2));
    // A system whose files are links to objects: what it is stands in one of them.
    let system = tar_of(&[
        ("objects/01", Node::File(b"ID=debian\nVERSION_ID=12\n".to_vec())),
        (
            "objects/02",
            Node::File(b"Package: bash\nStatus: install ok installed\nVersion: 5.2\n".to_vec()),
        ),
        ("etc/os-release", Node::HardLink("objects/01")),
        ("var/lib/dpkg/status", Node::HardLink("objects/02")),
    ]);
    let found = "pkg:deb/debian/bash@5.2?distro=debian-12 in var/lib/dpkg/status\n";
    assert_eq!(image(&[system]), (found.to_owned(), 2));
    let lower = tar_of(&[("store/aa", Node::File(PACKAGE.to_vec()))]);
    let upper = tar_of(&[("node_modules/x/package.json", Node::HardLink("store/aa"))]);
    let flaw = "flaw method-unsupported node_modules/x/package.json\n";
    assert_eq!(image(&[lower, upper]), (flaw.to_owned(), 1));
}
