//! Images: what runs is found, what an upper layer took away is not, and nothing is silent.

use std::path::Path;

use relight_model::Sbom;
use relight_scan::{Options, Progress, Report, Services, Target, scan_target};

use crate::image_writer::{
    Image, LAYER, Node, Parts, docker, gzip, oci, packed, sha256, tar, unpacked,
};
use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, run, text, tree};

fn jar(artifact: &str) -> Node {
    Node::File(write(&[Member::deflated(&pom_path(artifact), &pom(artifact, "1"))]))
}

fn look(target: Target, options: &Options) -> Report {
    let services = Services { progress: &Progress::default(), pace: None, cache: None };
    scan_target(&target, options, &services).unwrap()
}

/// Four layers: a base with a distribution and three jars; one that deletes, replaces and links;
/// one that empties a folder; one without a file.
fn layers() -> Vec<Vec<u8>> {
    let status = b"Package: bash\nStatus: install ok installed\nVersion: 5.2\n".to_vec();
    vec![
        tar(&[
            ("etc/os-release", Node::File(b"ID=debian\nVERSION_ID=\"12\"\n".to_vec())),
            ("var/lib/dpkg/status", Node::File(status)),
            ("app/deleted.jar", jar("deleted")),
            ("app/replaced.jar", jar("old")),
            ("app/kept.jar", jar("kept")),
            ("opt/tool/lib/t.jar", jar("tool")),
        ]),
        tar(&[
            ("app", Node::Folder),
            ("app/.wh.deleted.jar", Node::File(Vec::new())),
            ("app/replaced.jar", jar("new")),
            ("./app/twin.jar", Node::HardLink("app/replaced.jar")),
            ("app/link.jar", Node::Link("/etc/passwd")),
        ]),
        tar(&[
            ("opt/tool/.wh..wh..opq", Node::File(Vec::new())),
            ("opt/tool/new.jar", jar("newtool")),
        ]),
        tar(&[]),
    ]
}

const EXPECTED: &str = "\
    pkg:deb/debian/bash@5.2?distro=debian-12 in var/lib/dpkg/status\n\
    pkg:maven/g/kept@1 in app/kept.jar\n\
    pkg:maven/g/new@1 in app/replaced.jar\n\
    pkg:maven/g/new@1 in app/twin.jar\n\
    pkg:maven/g/newtool@1 in opt/tool/new.jar\n";

fn one<'a>(layers: &'a [Vec<u8>]) -> Image<'a> {
    Image { architecture: "amd64", layers, media: LAYER }
}

/// Goal (T4, T15): white-outs, replaced files and opaque folders are honoured, and the same image
/// as a folder and as a tar archive, packed and not, gives equal reports.
#[test]
fn the_same_image_in_every_form_gives_the_same_report() {
    let plain = layers();
    let zipped: Vec<Vec<u8>> = plain.iter().map(|layer| gzip(layer)).collect();
    let place = tree(&[]);
    let mut reports = Vec::new();
    for (name, layers) in [("plain", &plain), ("zipped", &zipped)] {
        let parts = oci(&[one(layers)]);
        let (folder, file) = (place.path().join(name), place.path().join(format!("{name}.tar")));
        unpacked(&folder, &parts);
        std::fs::write(&file, packed(&parts)).unwrap();
        for path in [folder, file] {
            let report = look(Target::Oci(path), &Options::default());
            assert_eq!(text(&report), EXPECTED, "{name}");
            assert!(report.file_bytes.balances() && report.member_bytes.balances());
            reports.push(report);
        }
    }
    assert_eq!(reports[0].files, 8, "each layer once; what hides is no file");
    let same = |a: &Report, b: &Report| assert_eq!((&a.sbom, a.files), (&b.sbom, b.files));
    assert_eq!(reports[0].layers, reports[1].layers);
    assert!(reports[0].layers.iter().any(|(path, _)| path == "app/twin.jar"));
    same(&reports[0], &reports[1]);
    same(&reports[2], &reports[3]);
    // Packed it is another image, with the same in it.
    let [plain, zipped] = [0, 2].map(|at: usize| {
        let report = &reports[at];
        (Sbom { images: Vec::new(), ..report.sbom.clone() }, report.files)
    });
    assert_eq!(plain, zipped);
}

#[test]
fn what_is_hidden_is_listed_when_asked_for_and_never_counts() {
    let place = tree(&[]);
    unpacked(place.path(), &oci(&[one(&layers())]));
    let target = || Target::Oci(place.path().to_owned());
    assert_eq!(look(target(), &Options::default()).hidden, []);
    let report = look(target(), &Options { all_layers: true, ..Options::default() });
    assert_eq!(text(&report), EXPECTED);
    let hidden: Vec<_> = report.hidden.iter().map(|c| (&*c.purl.name, &*c.evidence)).collect();
    assert_eq!(
        hidden,
        [
            ("deleted", "app/deleted.jar"),
            ("old", "app/replaced.jar"),
            ("tool", "opt/tool/lib/t.jar")
        ]
    );
}

/// The archive of `docker save` in its oldest form: a layer may be a link to another's.
#[test]
fn an_archive_of_docker_with_links_between_layers() {
    let all = layers();
    let ids: Vec<String> = all.iter().map(|layer| sha256(layer)).collect();
    let names = ["a/layer.tar", "b/layer.tar", "c/layer.tar", "d/layer.tar"];
    let parts: Vec<(&str, Vec<u8>)> = names.into_iter().zip(all).collect();
    let mut members: Vec<(String, Node)> =
        docker(&parts, &ids).into_iter().map(|(name, bytes)| (name, Node::File(bytes))).collect();
    for (name, node) in &mut members {
        if name == "b/layer.tar" {
            let bytes = std::mem::replace(node, Node::Link("../e/layer.tar"));
            members.push(("e/layer.tar".into(), bytes));
            break;
        }
    }
    let members: Vec<(&str, Node)> =
        members.iter().map(|(name, node)| (name.as_str(), node.clone())).collect();
    let place = tree(&[("app.tar", &tar(&members))]);
    let file = place.path().join("app.tar");
    let report = look(Target::DockerArchive(file.clone()), &Options::default());
    assert_eq!(text(&report), EXPECTED);
    // Met in a folder it is an image all the same: its evidence stands in it.
    let inside: String = EXPECTED
        .lines()
        .map(|line| format!("{}\n", line.replace(" in ", " in app.tar!/")))
        .collect();
    let met = run(place.path(), &Options::default());
    assert_eq!(text(&met), inside);
    assert_eq!(text(&run(&file, &Options::default())), inside);
    assert_eq!(met.file_bytes.bytes, std::fs::metadata(file).unwrap().len());
}

#[test]
fn an_unpacked_layout_that_is_met_in_a_folder_is_read_as_an_image() {
    let place = tree(&[("beside.jar", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]);
    unpacked(&place.path().join("images/app"), &oci(&[one(&layers())]));
    let inside: String = EXPECTED
        .lines()
        .map(|line| format!("{}\n", line.replace(" in ", " in images/app!/")))
        .collect();
    assert_eq!(text(&run(place.path(), &Options::default())), inside);
    assert_eq!(text(&run(&place.path().join("images/app"), &Options::default())), EXPECTED);
}

#[test]
fn one_platform_is_chosen_and_the_others_are_listed() {
    let (amd, arm) = ([tar(&[("a.jar", jar("amd"))])], [tar(&[("a.jar", jar("arm"))])]);
    let image = |architecture, layers| Image { architecture, layers, media: LAYER };
    let place = tree(&[]);
    unpacked(place.path(), &oci(&[image("riscv64", &amd[..]), image("s390x", &arm[..])]));
    let target = || Target::Oci(place.path().to_owned());
    let platform = |wanted: &str| Options { platform: Some(wanted.into()), ..Options::default() };
    assert_eq!(
        text(&look(target(), &platform("linux/s390x"))),
        "pkg:maven/g/arm@1 in a.jar\nflaw platform-not-chosen linux/riscv64\n"
    );
    assert_eq!(
        text(&look(target(), &platform("linux/none"))),
        "flaw platform-not-chosen linux/riscv64\nflaw platform-not-chosen linux/s390x\n"
    );
    // An image of another platform than this machine is read when it is the only one.
    let alone = tree(&[]);
    unpacked(alone.path(), &oci(&[image("s390x", &arm[..])]));
    let report = look(Target::Oci(alone.path().to_owned()), &Options::default());
    assert_eq!(text(&report), "pkg:maven/g/arm@1 in a.jar\n");
}

/// A change of any part is noticed, and what is there is read all the same.
#[test]
fn bytes_that_are_not_what_the_digest_promises() {
    let layer = tar(&[("a.jar", jar("a"))]);
    let mut parts = oci(&[one(std::slice::from_ref(&layer))]);
    let name = format!("blobs/sha256/{}", sha256(&layer));
    let forged = tar(&[("a.jar", jar("b"))]);
    for (part, bytes) in &mut parts {
        if *part == name {
            bytes.clone_from(&forged);
        }
    }
    let place = tree(&[]);
    unpacked(place.path(), &parts);
    let got = text(&look(Target::Oci(place.path().to_owned()), &Options::default()));
    assert_eq!(got, format!("pkg:maven/g/b@1 in a.jar\nflaw digest-mismatch {name}\n"));
    let archive = docker(&[("l/layer.tar", forged)], &[sha256(&layer)]);
    let place = tree(&[("i.tar", &packed(&archive))]);
    let got = text(&run(place.path(), &Options::default()));
    assert_eq!(got, "pkg:maven/g/b@1 in i.tar!/a.jar\nflaw digest-mismatch i.tar!/l/layer.tar\n");
}

#[test]
fn layers_that_cannot_be_read_are_named_and_the_others_are_read() {
    let good = tar(&[("a.jar", jar("a"))]);
    let torn = good[..700].to_vec();
    let all = [good.clone(), torn.clone(), b"no layer at all, but some text".to_vec()];
    let mut parts = oci(&[one(&all)]);
    let at = |bytes: &[u8]| format!("blobs/sha256/{}", sha256(bytes));
    let place = tree(&[]);
    unpacked(place.path(), &parts);
    let target = || Target::Oci(place.path().to_owned());
    let got = text(&look(target(), &Options::default()));
    assert!(got.contains("flaw truncated a.jar\n"), "{got}");
    assert!(got.contains(&format!("flaw method-unsupported {}\n", at(&all[2]))), "{got}");
    parts.retain(|(name, _)| *name != at(&torn));
    let place = tree(&[]);
    unpacked(place.path(), &parts);
    let got = text(&look(Target::Oci(place.path().to_owned()), &Options::default()));
    assert!(got.starts_with("pkg:maven/g/a@1 in a.jar\n"), "{got}");
    assert!(got.contains(&format!("flaw io-error {}\n", at(&torn))), "{got}");
    let secret =
        Image { media: "application/vnd.oci.image.layer.v1.tar+encrypted", ..one(&all[..1]) };
    let place = tree(&[]);
    unpacked(place.path(), &oci(&[secret]));
    let got = text(&look(Target::Oci(place.path().to_owned()), &Options::default()));
    assert_eq!(got, format!("flaw encrypted {}\n", at(&good)));
}

#[test]
fn a_layer_that_is_a_bomb_is_bounded() {
    let zeros = Node::File(vec![0; 24 << 20]);
    let bomb = gzip(&tar(&[
        ("a", zeros.clone()),
        ("b", zeros.clone()),
        ("c", zeros),
        ("d.jar", jar("d")),
    ]));
    let options =
        Options { expanded_free_bytes: 32 << 20, expanded_ratio_max: 1, ..Options::default() };
    let place = tree(&[]);
    unpacked(place.path(), &oci(&[one(std::slice::from_ref(&bomb))]));
    let got = text(&look(Target::Oci(place.path().to_owned()), &options));
    assert!(got.contains("limit-expanded"), "{got}");
}

#[test]
fn what_is_no_image_is_an_error_when_one_was_named() {
    let place = tree(&[("a.txt", b"a"), ("a.tar", &tar(&[("x", Node::Folder)]))]);
    let services = Services { progress: &Progress::default(), pace: None, cache: None };
    let failed = |target: Target| scan_target(&target, &Options::default(), &services).is_err();
    let at = |name: &str| place.path().join(name);
    assert!(failed(Target::Oci(at("."))) && failed(Target::Oci(at("a.tar"))));
    assert!(failed(Target::DockerArchive(at("."))) && failed(Target::DockerArchive(at("a.txt"))));
    assert!(failed(Target::Oci(Path::new("/nonexistent/x").to_owned())));
}

/// Goal: nothing is found in layers that cannot be read one above the other, whatever upper ones
/// delete; what stands beside them is. Method: images of each form through streams, in archives and
/// in folders of those, whole and cut in front of their documents; and what only looks like one.
#[test]
fn an_image_that_comes_by_once_is_told_and_nothing_of_it_is_found() {
    let all = layers();
    let ids: Vec<String> = all.iter().map(|layer| sha256(layer)).collect();
    let hashed: Vec<String> = ids.iter().map(|id| format!("{id}/layer.tar")).collect();
    let named = ["a/layer.tar", "b/layer.tar", "c/layer.tar", "d/layer.tar"].map(str::to_owned);
    let of = |names: &[String]| {
        let parts: Vec<_> = names.iter().map(String::as_str).zip(all.clone()).collect();
        docker(&parts, &ids)
    };
    let options = Options::default();
    let told = |bytes: &[u8], name: &str| text(&run(tree(&[(name, bytes)]).path(), &options));
    for parts in [oci(&[one(&all)]), of(&named), of(&hashed)] {
        let plain = packed(&parts);
        assert_eq!(told(&gzip(&plain), "app.tar.gz"), "flaw image-packed app.tar.gz\n");
        let zip = write(&[Member::deflated("app.tar", &plain), Member::stored("b.tar", &plain)]);
        let both = "flaw image-packed a.zip!/app.tar\nflaw image-packed a.zip!/b.tar\n";
        assert_eq!(told(&zip, "a.zip"), both);
        let inner = tar(&[("b.jar", jar("beside")), ("app.tar", Node::File(plain))]);
        let beside = "pkg:maven/g/beside@1 in a.tar!/b.jar\n";
        let both = format!("{beside}flaw image-packed a.tar!/app.tar\n");
        assert_eq!(told(&inner, "a.tar"), both);
        // A folder of an archive, which is no image itself.
        let in_folder = |(name, bytes): &(String, Vec<u8>)| (format!("x/{name}"), bytes.clone());
        let mut members: Vec<_> = parts.iter().map(in_folder).collect();
        let jar = Member::deflated(&pom_path("beside"), &pom("beside", "1"));
        members.push(("b.jar".to_owned(), write(&[jar])));
        let both = format!("{beside}flaw image-packed a.tar!/x\n");
        assert_eq!(told(&packed(&members), "a.tar"), both);
    }
    // A stream that ends behind the first layers.
    let cut = packed(&of(&hashed));
    let end = cut.len() - 4_096;
    let got = told(&gzip(&cut[..end]), "app.tar.gz");
    assert!(got.contains("flaw image-packed app.tar.gz\n") && !got.contains("pkg:"), "{got}");
    // An extension of a browser, and a layer that nobody made an image of.
    let manifest = Node::File(b"{\"manifest_version\":3}".to_vec());
    let files = tar(&[("manifest.json", manifest), ("layer.tar", Node::File(all[0].clone()))]);
    let got = told(&gzip(&files), "x.tgz");
    assert!(got.contains("in x.tgz!/layer.tar!/app/deleted.jar") && !got.contains("flaw"), "{got}");
}

/// Who names a packed image hears what to do.
#[test]
fn a_packed_image_that_is_named_is_an_error_that_says_so() {
    let place = tree(&[("i.tar.gz", &gzip(&packed(&oci(&[one(&layers())]))))]);
    let services = Services { progress: &Progress::default(), pace: None, cache: None };
    let file = place.path().join("i.tar.gz");
    for target in [Target::Oci(file.clone()), Target::DockerArchive(file)] {
        let error = scan_target(&target, &Options::default(), &services).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, "it is packed: unpack it first");
    }
}

/// Documents of strangers: whatever they hold, the scan ends, and says that it saw no image.
#[test]
fn hostile_documents_end() {
    let deep = format!("{}{}", "{\"manifests\":[".repeat(500), "]}".repeat(500));
    let loops = {
        let inner = br#"{"manifests":[{"digest":"sha256:../../../etc/passwd"},{"digest":7},{}]}"#;
        let digest = sha256(inner);
        let index = format!("{{\"manifests\":[{{\"digest\":\"sha256:{digest}\"}}]}}");
        vec![
            (format!("blobs/sha256/{digest}"), inner.to_vec()),
            ("index.json".to_owned(), index.into_bytes()),
        ]
    };
    let single = |text: &str| vec![("index.json".to_owned(), text.as_bytes().to_vec())];
    for parts in [single(""), single("[]"), single("{\"manifests\":7}"), single(&deep), loops] {
        let place = tree(&[("oci-layout", b"{}"), ("blobs/x", b"")]);
        unpacked(place.path(), &parts);
        let report = run(place.path(), &Options::default());
        assert!(!report.sbom.is_complete(), "{parts:?}");
    }
}

/// The one image that a report is about.
fn known_as(report: &Report) -> Vec<String> {
    report.sbom.images.iter().map(ToString::to_string).collect()
}

/// Goal: what is said of an image by its digest can be found (ADVISORIES.md 7.2), and only where
/// every byte is proven to be of it. Method: each form with its digests, and each with a layer, a
/// configuration or a manifest that is another one, several images, and one inside of a folder.
#[test]
fn the_digests_of_an_image_are_known_where_its_bytes_are_proven() {
    let layers = layers();
    let parts = oci(&[one(&layers)]);
    let manifest = sha256(&parts[parts.len() - 2].1);
    let oci_of = |parts: &Parts| {
        let place = tree(&[]);
        unpacked(place.path(), parts);
        let target = Target::Oci(place.path().to_owned());
        let report = look(target, &Options { artifact_digest: true, ..Options::default() });
        (known_as(&report), known_as(&run(place.path(), &Options::default())))
    };
    // A layout does not say what people call it.
    let named = [format!("pkg:oci/image@sha256:{manifest}?arch=amd64")];
    let (known, inside) = oci_of(&parts);
    assert_eq!(known, named);
    assert_eq!(inside, [""; 0], "what stands beside a layout is not in the image");
    // Each blob in turn is another one than its name says.
    for at in 1..parts.len() - 1 {
        let mut forged = parts.clone();
        let of_layer = layers.contains(&forged[at].1);
        match of_layer {
            true => forged[at].1 = tar(&[("a.jar", jar("b"))]),
            false => forged[at].1.push(b' '),
        }
        let is_config = forged[at].1.starts_with(b"{\"os\"");
        // No layer is proven by the configuration of a layout.
        assert_eq!(oci_of(&forged).0.len(), usize::from(is_config), "{}", parts[at].0);
    }
    let arm = Image { architecture: "arm64", layers: &layers[..1], media: LAYER };
    let other = oci(&[arm, one(&layers)]);
    let (known, _) = oci_of(&other);
    assert_eq!(known, named, "the chosen one");
    let docker_of = |parts: &Parts| {
        let place = tree(&[("i.tar", &packed(parts))]);
        let file = place.path().join("i.tar");
        let met = known_as(&run(place.path(), &Options::default()));
        assert_eq!(met, [""; 0], "an image that is met in a folder");
        known_as(&look(Target::DockerArchive(file), &Options::default()))
    };
    let ids: Vec<String> = layers.iter().map(|layer| sha256(layer)).collect();
    let names = ["a/layer.tar", "b/layer.tar", "c/layer.tar", "d/layer.tar"];
    let all: Vec<(&str, Vec<u8>)> = names.into_iter().zip(layers.clone()).collect();
    let known = docker_of(&docker(&all, &ids));
    let config = sha256(&docker(&all, &ids)[0].1);
    assert!(known.len() == 1 && known[0].starts_with("pkg:oci/app@sha256"), "{known:?}");
    assert!(known[0].contains(&config), "{known:?}");
    let zipped: Vec<_> = all.iter().map(|(name, layer)| (*name, gzip(layer))).collect();
    assert_eq!(docker_of(&docker(&zipped, &ids)), [""; 0], "nothing proves packed layers");
    let mut forged = docker(&all, &ids);
    forged[0].1.push(b' ');
    assert_eq!(docker_of(&forged), [""; 0], "another configuration");
    let mut forged = docker(&all, &ids);
    forged[1].1 = tar(&[("a.jar", jar("b"))]);
    assert_eq!(docker_of(&forged), [""; 0], "another layer");
    assert_eq!(docker_of(&docker(&all, &ids[..2])), [""; 0], "a layer of which nothing is said");
}
