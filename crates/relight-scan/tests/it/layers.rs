//! Layers that many images share: read once, and told in each image as if they had been read.

use std::fs;
use std::path::Path;

use relight_scan::{Options, Progress, Report, Services, Target, scan_target};
use serde_json::{Value, json};

use crate::cache::{Memory, without_known};
use crate::image_writer::{Image, LAYER, Node, gzip, oci, packed, tar, unpacked};
use crate::zip_writer::{Member, write};
use crate::{CLASS, pom, pom_path, text, tree};

fn jar(artifact: &str) -> Vec<u8> {
    write(&[Member::deflated(&pom_path(artifact), &pom(artifact, "1"))])
}

fn file(bytes: impl Into<Vec<u8>>) -> Node {
    Node::File(bytes.into())
}

/// A distribution with two files of a package and two others.
fn base(distribution: &str) -> Vec<u8> {
    let status = "Package: liba\nStatus: install ok installed\nVersion: 5\nArchitecture: all\n";
    let list = "/.\n/usr/share/java/a.jar\n/lib/b.jar\n";
    gzip(&tar(&[
        ("etc/os-release", file(format!("ID={distribution}\nVERSION_ID=12\n"))),
        ("var/lib/dpkg/status", file(status)),
        ("var/lib/dpkg/info/liba.list", file(list)),
        ("usr/share/java/a.jar", file(jar("a"))),
        ("usr/lib/b.jar", file(jar("b"))),
        ("app/deleted.jar", file(jar("deleted"))),
        ("app/old.jar", file(jar("old"))),
        ("opt/tool/lib/t.jar", file(jar("tool"))),
        ("opt/kept/lib/t.jar", file(jar("tool"))),
    ]))
}

/// One that hides something of a base in each way, and has files of several names.
fn upper() -> Vec<u8> {
    gzip(&tar(&[
        ("app", Node::Folder),
        ("app/.wh.deleted.jar", file("")),
        ("app/old.jar", file(jar("new"))),
        ("app/twin.jar", Node::HardLink("app/old.jar")),
        ("app/b.jar", Node::HardLink("usr/lib/b.jar")),
        ("app/Main.class", Node::Link("/etc/passwd")),
        ("opt/tool/.wh..wh..opq", file("")),
        ("opt/kept", Node::Link("/srv")),
    ]))
}

fn look(target: Target, cache: Option<&Memory>, options: &Options) -> Report {
    let cache = cache.map(|cache| cache as &dyn relight_scan::Cache);
    scan_target(&target, options, &Services { progress: &Progress::default(), pace: None, cache })
        .unwrap()
}

fn image(layers: &[Vec<u8>]) -> Image<'_> {
    Image { architecture: "amd64", layers, media: LAYER }
}

fn folder(at: &Path, layers: &[Vec<u8>]) -> Target {
    unpacked(at, &oci(&[image(layers)]));
    Target::Oci(at.to_owned())
}

/// Goal: a layer that was read for one image is not read for another one, and every report is the
/// one without a cache. Method: images over two bases with one layer above, alone, in an archive,
/// and in a folder where they stand behind paths of their own.
#[test]
fn a_layer_of_several_images_is_read_once() {
    let place = tree(&[]);
    let at = |name: &str| place.path().join(name);
    let own = gzip(&tar(&[("app/own.jar", file(jar("own")))]));
    let images = [
        ("one", vec![base("debian"), upper()]),
        ("two", vec![base("ubuntu"), upper()]),
        ("three", vec![base("debian"), upper(), own.clone()]),
        ("four", vec![upper(), base("ubuntu"), own]),
    ];
    let cache = Memory::new();
    let options = Options { all_layers: true, ..Options::default() };
    // Files of layers that were met before: those of the base, and those of the layer above.
    for ((name, layers), known) in images.iter().zip([0, 1, 10, 11]) {
        let target = || folder(&at(name), layers);
        let plain = look(target(), None, &options);
        let with = look(target(), Some(&cache), &options);
        assert_eq!((without_known(&with), with.known), (plain.clone(), known), "{name}");
        let again = look(target(), Some(&cache), &options);
        assert_eq!((without_known(&again), again.known), (plain.clone(), plain.files), "{name}");
        let archive = at(&format!("{name}.tar"));
        fs::write(&archive, packed(&oci(&[image(layers)]))).unwrap();
        let packed = |cache| look(Target::Oci(archive.clone()), cache, &options);
        let (plain, first, second) = (packed(None), packed(Some(&cache)), packed(Some(&cache)));
        assert_eq!(without_known(&first), plain, "{name}");
        assert_eq!((without_known(&second), second.known), (plain.clone(), plain.files), "{name}");
    }
    let one = text(&look(Target::Oci(at("one")), Some(&cache), &options));
    assert_eq!(
        one,
        "pkg:deb/debian/liba@5?arch=all&distro=debian-12 in var/lib/dpkg/status\n\
         pkg:maven/g/a@1 in usr/share/java/a.jar\n\
         pkg:maven/g/b@1 in app/b.jar\n\
         pkg:maven/g/b@1 in usr/lib/b.jar\n\
         pkg:maven/g/new@1 in app/old.jar\n\
         pkg:maven/g/new@1 in app/twin.jar\n"
    );
    // Behind paths of an archive, in which catalogers choose otherwise.
    let all = || Target::Folder(place.path().to_owned());
    let plain = look(all(), None, &options);
    let with = look(all(), Some(&cache), &options);
    let owned = |report: &Report| {
        let components = report.sbom.components.iter();
        components.filter(|it| it.owned_by.is_some()).map(|it| it.evidence.clone()).collect()
    };
    let owned: Vec<String> = owned(&with);
    assert!(owned.contains(&"two!/usr/lib/b.jar".to_owned()), "{owned:?}");
    assert!(owned.contains(&"one.tar!/usr/share/java/a.jar".to_owned()), "{owned:?}");
    assert_eq!(without_known(&with), plain);
    let again = look(all(), Some(&cache), &options);
    assert_eq!((without_known(&again), again.known), (plain.clone(), plain.files));
    assert_eq!(*cache.damaged.lock().unwrap(), 0);
}

/// Goal: a file is said to be known only where nothing of it was read again. Method: the archive of
/// an image, of which one layer was met in another archive; then once more.
#[test]
fn an_image_of_which_one_layer_is_known_was_read() {
    let own = gzip(&tar(&[("app/own.jar", file(jar("own")))]));
    let archive = |layers: &[Vec<u8>]| packed(&oci(&[image(layers)]));
    let first = tree(&[("one.tar", &archive(&[base("debian")]))]);
    let second = tree(&[("one.tar", &archive(&[base("debian"), own]))]);
    let (cache, options) = (Memory::new(), Options::default());
    let known = |place: &Path| {
        let report = look(Target::Folder(place.to_owned()), Some(&cache), &options);
        (report.files, report.known)
    };
    assert_eq!(known(first.path()), (1, 0));
    assert_eq!(known(second.path()), (1, 0));
    assert_eq!(known(second.path()), (1, 1));
}

/// Goal: images of one layout share their layers in one scan. Method: three images under names of
/// their own, of which two are on one base.
#[test]
fn images_of_one_layout_share_their_layers_at_once() {
    let place = tree(&[]);
    let (one, two) = ([base("debian"), upper()], [base("debian")]);
    let three = [base("ubuntu"), upper()];
    let mut parts = oci(&[image(&one), image(&two), image(&three)]);
    let (_, index) = parts.last_mut().unwrap();
    let mut document: Value = serde_json::from_slice(index).unwrap();
    for (number, image) in document["manifests"].as_array_mut().unwrap().iter_mut().enumerate() {
        let name = format!("n{number}");
        image["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
    }
    *index = document.to_string().into_bytes();
    unpacked(place.path(), &parts);
    let target = || Target::Oci(place.path().to_owned());
    let plain = look(target(), None, &Options::default());
    let with = look(target(), Some(&Memory::new()), &Options::default());
    assert_eq!((without_known(&with), with.known), (plain.clone(), 10));
    assert!(text(&plain).contains("n2!/usr/lib/b.jar"), "{}", text(&plain));
}

/// Goal: nothing is kept that was not read whole, and nothing that is kept is the answer of other
/// bytes, other options, or a damaged record.
#[test]
fn a_layer_is_known_by_its_bytes_and_only_when_it_is_whole() {
    let place = tree(&[]);
    let at = |name: &str| place.path().join(name);
    let options = Options::default();
    let known = |name: &str, layers: &[Vec<u8>], cache: &Memory| {
        let plain = look(folder(&at(name), layers), None, &options);
        let mut known = Vec::new();
        for _ in 0..2 {
            let with = look(Target::Oci(at(name)), Some(cache), &options);
            assert_eq!(without_known(&with), plain, "{name}");
            known.push(with.known);
        }
        known[1]
    };
    let torn = jar("torn");
    for (name, layer, files) in [
        ("whole", tar(&[("app/a.jar", file(jar("a")))]), 1),
        ("torn", tar(&[("app/a.jar", file(&torn[..torn.len() - 1]))]), 0),
        ("classes", tar(&[("app/A.class", file(CLASS))]), 0),
        ("cut", tar(&[("app/a.jar", file(jar("a")))])[..1_024].to_vec(), 0),
        ("dex", tar(&[("app/a.dex", file(&b"dex\n035\0"[..]))]), 0),
    ] {
        assert_eq!(known(name, &[gzip(&layer)], &Memory::new()), files, "{name}");
    }
    let cache = Memory::new();
    assert_eq!(known("good", &[base("debian")], &cache), 9);
    let shallow = Options { depth_max: 3, ..Options::default() };
    let target = || Target::Oci(at("good"));
    assert_eq!(look(target(), Some(&cache), &shallow).known, 0);
    let evidence = Options { artifact_digest: true, ..Options::default() };
    assert_eq!(look(target(), Some(&cache), &evidence).known, 0);
    // A record that is damaged is not used.
    let plain = look(target(), None, &options);
    let records = cache.records.lock().unwrap().clone();
    for record in cache.records.lock().unwrap().values_mut() {
        let middle = record.len() / 2;
        record[middle] ^= 1;
    }
    assert_eq!(look(target(), Some(&cache), &options), plain);
    assert_eq!(*cache.damaged.lock().unwrap(), 1);
    // Other bytes under the name of the layer are read, and told not to be those.
    *cache.records.lock().unwrap() = records;
    let parts = oci(&[image(&[base("debian")])]);
    let (name, _) = parts.iter().find(|(_, bytes)| *bytes == base("debian")).unwrap();
    fs::write(at("good").join(name), base("ubuntu")).unwrap();
    let other = look(target(), Some(&cache), &options);
    assert_eq!(other.known, 0);
    assert_eq!(other, look(target(), None, &options));
    assert!(text(&other).contains("flaw digest-mismatch"), "{}", text(&other));
}
