//! Symbolic links whose own names say what those of their files do not: stores of build tools,
//! git-annex, and folders of links.

use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;

use relight_formats::limited::coding::{Coding, decoder_of};
use relight_scan::{Options, Progress, Report, Services, Target, scan_target};

use crate::cache::{Memory, without_known};
use crate::container_writer::{gz, rpm};
use crate::hidden::filler;
use crate::image_writer::{
    Image, LAYER, Node, docker, gzip, oci, packed, sha256, tar as tar_of, unpacked,
};
use crate::links::{assert_in_archives, beside_an_image, nameless};
use crate::zip_writer::{Member, write};
use crate::{one, run, text, tree};

fn package(version: &str) -> Node {
    Node::File(format!("{{\"name\":\"x\",\"version\":\"{version}\"}}").into_bytes())
}

const PLACE: &str = "app/node_modules/x/package.json";

/// A store and a folder of links to it: over a folder that is a link, from the root, over another
/// link, to nothing, in a circle, to a folder, out of the archive, and to a file with a name.
fn stored() -> Vec<u8> {
    tar_of(&[
        ("store/aa", package("1.0.0")),
        ("store/bb", Node::File(nameless())),
        ("store/folder/cc", Node::File(b"plain".to_vec())),
        ("store/named-2.0.jar", Node::File(nameless())),
        (PLACE, Node::Link("../../../store/aa")),
        ("app/lib/thing-1.2.jar", Node::Link("/links/bb")),
        ("links", Node::Link("store")),
        ("app/lib/other-1.3.jar", Node::Link("./thing-1.2.jar")),
        ("app/lib/out-1.0.jar", Node::Link("../../../../../store/bb")),
        ("app/lib/gone-1.0.jar", Node::Link("nowhere")),
        ("app/lib/round-1.0.jar", Node::Link("round-1.0.jar")),
        ("app/lib/folder-1.0.jar", Node::Link("../../store/folder")),
        ("app/lib/again-3.0.jar", Node::Link("../../store/named-2.0.jar")),
        ("app/plain", Node::Link("../store/aa")),
    ])
}

const STORED: &str = "pkg:maven/named@2.0 in PLACEstore/named-2.0.jar\n\
    pkg:maven/other@1.3 in PLACEapp/lib/other-1.3.jar\n\
    pkg:maven/out@1.0 in PLACEapp/lib/out-1.0.jar\n\
    pkg:maven/thing@1.2 in PLACEapp/lib/thing-1.2.jar\n\
    pkg:npm/x@1.0.0 in PLACEapp/node_modules/x/package.json\n";

#[test]
fn links_in_archives_have_names_of_their_own() {
    assert_in_archives(&stored(), STORED);
}

/// The payload of an rpm, and images that `mksquashfs` and `genisoimage -R` write.
#[test]
fn links_in_other_archives_have_names_of_their_own() {
    let mut payload = Vec::new();
    for (name, mode, bytes) in [
        ("store/aa", "000081a4", &b"{\"name\":\"x\",\"version\":\"1.0.0\"}"[..]),
        (PLACE, "0000a1ff", b"../../../store/aa"),
        ("b/node_modules/x/package.json", "0000a1ff", b"/store/aa"),
        ("TRAILER!!!", "00000000", b""),
    ] {
        let (zero, size, len) = ("00000000", bytes.len(), name.len() + 1);
        let four = zero.repeat(4);
        let header = format!("070701{zero}{mode}{four}{size:08x}{four}{len:08x}{zero}");
        payload.extend(header.bytes().chain(name.bytes()).chain([0]));
        payload.resize(payload.len().next_multiple_of(4), 0);
        payload.extend(bytes);
        payload.resize(payload.len().next_multiple_of(4), 0);
    }
    let expected = |name: &str| {
        let place = |place: &str| format!("pkg:npm/x@1.0.0 in {name}!/{place}\n");
        place(PLACE) + &place("b/node_modules/x/package.json")
    };
    assert_eq!(one("o.rpm", &rpm(&gz(&payload))), expected("o.rpm"));
    assert_eq!(one("o.snap", include_bytes!("samples/links.squashfs")), expected("o.snap"));
    let mut iso = Vec::new();
    let packed = &include_bytes!("samples/links.iso.gz")[..];
    decoder_of(Coding::Gzip, packed, packed).unwrap().read_to_end(&mut iso).unwrap();
    assert_eq!(one("o.iso", &iso), expected("o.iso"));
}

/// Bytes that come by once are gone when the link comes: that is said, where there is a file.
#[test]
fn a_link_into_bytes_that_have_gone_by_is_a_flaw() {
    let inner = |target| {
        let members = [
            ("filler", Node::File(filler(9 << 20))),
            ("first", package("1.0.0")),
            ("node_modules/x/package.json", Node::Link(target)),
        ];
        write(&[Member::deflated("in", &tar_of(&members))])
    };
    let told = "flaw method-unsupported o!/in!/node_modules/x/package.json\n";
    assert_eq!(one("o", &inner("../../first")), told);
    assert_eq!(one("o", &inner("../../second")), "");
}

fn image(layers: &[Vec<u8>], cache: Option<&Memory>) -> Report {
    let place = tree(&[]);
    unpacked(place.path(), &oci(&[Image { architecture: "amd64", layers, media: LAYER }]));
    let cache = cache.map(|cache| cache as &dyn relight_scan::Cache);
    let services = Services { progress: &Progress::default(), pace: None, cache };
    let target = Target::Oci(place.path().to_owned());
    scan_target(&target, &Options::default(), &services).unwrap()
}

/// The text of an image, which is the same when its layers are known, and behind a path.
fn told(layers: &[Vec<u8>]) -> String {
    let (plain, cache) = (image(layers, None), Memory::new());
    for _ in 0..2 {
        assert_eq!(without_known(&image(layers, Some(&cache))), plain);
    }
    let packed_layers: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    assert_eq!(text(&image(&packed_layers, None)), text(&plain));
    text(&plain)
}

#[test]
fn links_in_layers_have_names_of_their_own() {
    assert_eq!(told(&[stored()]), STORED.replace("PLACE", ""));
    let parts = docker(&[("layer.tar", stored())], &[sha256(&stored())]);
    assert_eq!(one("i.tar", &packed(&parts)), STORED.replace("PLACE", "i.tar!/"));
}

const FOUND: &str = "pkg:npm/x@1.0.0 in node_modules/x/package.json\n";
const REPLACED: &str = "pkg:npm/x@2.0.0 in node_modules/x/package.json\n";
const TOLD: &str = "flaw method-unsupported node_modules/x/package.json\n";

/// Goal: what a link means is what the whole image has there, or it is told. Method: the link and
/// its file in two layers, each above the other; files that upper layers replace and remove, with
/// and without the link; a file behind a folder that is a link in another layer.
#[test]
fn links_over_layers_are_found_or_told() {
    let link = || ("node_modules/x/package.json", Node::Link("/store/aa"));
    let file = |version| ("store/aa", package(version));
    let empty = || Node::File(Vec::new());
    let both = || tar_of(&[file("1.0.0"), link()]);
    for (layers, expected) in [
        (vec![both(), tar_of(&[("store/bb", package("2.0.0"))])], FOUND),
        (vec![tar_of(&[file("1.0.0")]), tar_of(&[link()])], TOLD),
        (vec![tar_of(&[link()]), tar_of(&[file("1.0.0")])], TOLD),
        (vec![tar_of(&[link()]), tar_of(&[("store/ab", package("1.0.0"))])], ""),
        (vec![both(), tar_of(&[file("2.0.0")])], TOLD),
        (vec![both(), tar_of(&[("store/.wh.aa", empty())])], TOLD),
        (vec![both(), tar_of(&[("store/.wh..wh..opq", empty()), file("2.0.0")])], TOLD),
        (vec![both(), tar_of(&[(".wh.store", empty()), (".wh.node_modules", empty())])], ""),
        (vec![both(), tar_of(&[(".wh.node_modules", empty()), (".wh.store", empty())])], ""),
        (vec![tar_of(&[file("2.0.0"), link()]), both()], FOUND),
        (vec![tar_of(&[("store", Node::Link("blobs"))]), tar_of(&[link()])], TOLD),
        (vec![tar_of(&[("store/aa", Node::Folder)]), tar_of(&[link()])], ""),
        (vec![tar_of(&[("store/aa/b", empty())]), tar_of(&[link()])], ""),
    ] {
        assert_eq!(told(&layers), expected, "{}", layers.len());
    }
}

/// Goal: whatever an upper layer puts on the way of a link, its file is what the whole image has
/// there, or it is told. Method: links over links to files and to folders, in a circle, and through
/// a folder that is left again; each changed above, with and without the first link.
#[test]
fn what_is_replaced_on_the_way_of_a_link_is_told() {
    let link = |target| ("node_modules/x/package.json", Node::Link(target));
    let file = |version| ("store/aa", package(version));
    let empty = || Node::File(Vec::new());
    let way = |name, target| (name, Node::Link(target));
    let over_file = || tar_of(&[file("1.0.0"), way("links/aa", "../store/aa"), link("/links/aa")]);
    let over_folder = || tar_of(&[file("1.0.0"), way("links", "store"), link("/links/aa")]);
    let round = || tar_of(&[way("links/aa", "aa"), link("/links/aa")]);
    let back = || tar_of(&[file("1.0.0"), ("store/x", Node::Folder), link("/store/x/../aa")]);
    let new = ("links/aa", package("2.0.0"));
    for (lower, upper, expected) in [
        (over_file(), vec![way("links/ab", "aa")], FOUND),
        (over_file(), vec![new.clone()], TOLD),
        (over_file(), vec![way("links/aa", "/store/bb"), ("store/bb", package("2.0.0"))], TOLD),
        (over_file(), vec![("links/.wh.aa", empty())], TOLD),
        (over_file(), vec![("links/.wh..wh..opq", empty())], TOLD),
        (over_file(), vec![(".wh.links", empty()), (".wh.node_modules", empty())], ""),
        (over_file(), vec![new.clone(), way("links/ab", "/store/aa"), link("/links/ab")], TOLD),
        (over_file(), vec![new.clone(), file("2.0.0"), link("/store/aa")], REPLACED),
        (over_folder(), vec![("links", Node::Folder), new.clone()], TOLD),
        (over_folder(), vec![way("links", "blobs"), ("blobs/aa", package("2.0.0"))], TOLD),
        (over_folder(), vec![way("links", "blobs"), ("node_modules/.wh.x", empty())], ""),
        (round(), vec![("other", empty())], ""),
        (round(), vec![new.clone()], TOLD),
        (back(), vec![("store/x", Node::Folder), ("store/x/y", empty())], FOUND),
        (back(), vec![way("store/x", "/blobs/x"), ("blobs/aa", package("2.0.0"))], TOLD),
    ] {
        assert_eq!(told(&[lower, tar_of(&upper)]), expected, "{upper:?}");
    }
}

/// Goal: a link to what has a name of its own hangs on what has none between them, and on nothing
/// else. Method: a link between them with a name and without, changed above to a file without one.
#[test]
fn a_link_to_a_name_hangs_on_what_has_none_between_them() {
    let layers = |between: &'static str, target| {
        let lower = tar_of(&[
            ("store/named-2.0.jar", Node::File(nameless())),
            ("store/bb", Node::File(nameless())),
            (between, Node::Link("/store/named-2.0.jar")),
            ("lib/thing-1.2.jar", Node::Link(target)),
        ]);
        let above = [(between, Node::Link("/store/cc")), ("store/cc", Node::File(nameless()))];
        [lower, tar_of(&above)]
    };
    assert_eq!(
        told(&layers("links/j", "/links/j")),
        "pkg:maven/named@2.0 in store/named-2.0.jar\n\
         flaw method-unsupported lib/thing-1.2.jar\n"
    );
    assert_eq!(
        told(&layers("links/other-3.0.jar", "/links/other-3.0.jar")),
        "pkg:maven/named@2.0 in store/named-2.0.jar\n\
         pkg:maven/other@3.0 in links/other-3.0.jar\n"
    );
}

/// A file of a lower layer that is found by its own name stays when a link to it is read.
#[test]
fn a_link_takes_nothing_from_a_lower_layer() {
    let pom = write(&[Member::deflated(&crate::pom_path("a"), &crate::pom("a", "1"))]);
    let lower = tar_of(&[("store/aa", Node::File(pom))]);
    let upper = tar_of(&[("lib/thing-1.2.jar", Node::Link("../store/aa"))]);
    assert_eq!(
        told(&[lower, upper]),
        "pkg:maven/g/a@1 in store/aa\nflaw method-unsupported lib/thing-1.2.jar\n"
    );
}

/// What stands beside an image in its archive.
#[test]
fn links_beside_an_image_have_names_of_their_own() {
    let more = vec![("store/aa", package("1.0.0")), (PLACE, Node::Link("../../../store/aa"))];
    let found = format!("pkg:npm/x@1.0.0 in i.tar!/{PLACE}\n");
    assert_eq!(one("i.tar", &beside_an_image(more)), found);
}

/// Goal: in the root of a system that is looked at from outside, links that name a file of it from
/// its own root are told: they lead elsewhere on this machine. Method: such links with and without
/// a name that says more, and a relative one, which is read.
#[test]
fn links_from_the_root_of_a_system_are_told() {
    let folder = tree(&[
        ("etc/os-release", b"NAME=x\n"),
        ("relight-store/aa", b"{\"name\":\"x\",\"version\":\"1.0.0\"}"),
        ("relight-store/named-2.0.jar", &nameless()),
        ("a/node_modules/x/index.js", b""),
        ("b/node_modules/x/index.js", b""),
    ]);
    let link = |target: &str, name: &str| {
        symlink(Path::new(target), folder.path().join(name)).unwrap();
    };
    link("/relight-store/aa", "a/node_modules/x/package.json");
    link("../../../relight-store/aa", "b/node_modules/x/package.json");
    link("/relight-store/aa", "a/plain");
    link("/relight-store/named-2.0.jar", "a/other-3.0.jar");
    link("/relight-store/none", "a/gone-3.0.jar");
    assert_eq!(
        text(&run(folder.path(), &Options::default())),
        "pkg:maven/named@2.0 in relight-store/named-2.0.jar\n\
         pkg:npm/x@1.0.0 in b/node_modules/x/package.json\n\
         flaw link-outside a/node_modules/x/package.json\n"
    );
}
