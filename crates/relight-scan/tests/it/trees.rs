//! Trees: the same tree gives the same report, and what belongs together is joined.

use relight_model::Scope;
use relight_scan::{Options, Progress, scan};
use testkit::Rng;

use crate::container_writer::{cpio, deb, tar, zst};
use crate::zip_writer::{Member, write};
use crate::{pom, pom_path, run, text, tree};

const STATUS: &[u8] = b"Package: bash\nStatus: install ok installed\nVersion: 5.2\n";

#[test]
fn packages_get_the_distribution_of_their_own_root() {
    let folder = tree(&[
        ("var/lib/dpkg/status", STATUS),
        ("usr/lib/os-release", b"ID=debian\nVERSION_ID=\"12\"\n"),
        ("srv/root/var/lib/dpkg/status", STATUS),
        ("srv/root/etc/os-release", b"ID=ubuntu\nVERSION_ID=\"24.04\"\n"),
        ("srv/bare/var/lib/dpkg/status", STATUS),
    ]);
    assert_eq!(
        text(&run(folder.path(), &Options::default())),
        "pkg:deb/bash@5.2 in srv/bare/var/lib/dpkg/status\n\
         pkg:deb/debian/bash@5.2?distro=debian-12 in var/lib/dpkg/status\n\
         pkg:deb/ubuntu/bash@5.2?distro=ubuntu-24.04 in srv/root/var/lib/dpkg/status\n"
    );
}

/// Goal: a system whose packages are recorded where nothing is read is not clear of them. Method:
/// roots with a database, with an empty one, with that of Nix, with that of applications alone, and
/// with none; what starts a system, and the package that brings the description, are none.
#[test]
fn a_system_whose_packages_nothing_lists_is_told() {
    let release: (&str, &[u8]) = ("etc/os-release", b"ID=azurelinux\n");
    let told = |files: &[(&str, &[u8])]| text(&run(tree(files).path(), &Options::default()));
    let flaw = "flaw system-unlisted etc/os-release\n";
    assert_eq!(told(&[release]), flaw);
    assert_eq!(told(&[release, ("var/lib/dpkg/status", b"")]), flaw);
    let list: (&str, &[u8]) = ("var/lib/dpkg/info/base-files.list", b"/etc/os-release\n");
    assert_eq!(told(&[release, ("var/lib/dpkg/status", b""), list]), flaw);
    assert_eq!(told(&[release, ("usr/lib/os-release", release.1)]), flaw, "once a root");
    assert!(told(&[release, ("srv/root/var/lib/dpkg/status", STATUS)]).ends_with(flaw));
    let known = told(&[release, ("var/lib/dpkg/status", STATUS)]);
    assert_eq!(known, "pkg:deb/azurelinux/bash@5.2?distro=azurelinux in var/lib/dpkg/status\n");
    assert_eq!(told(&[("etc/os-release", b"NAME=nothing\n")]), "");
    let brought =
        told(&[("initrd.img", &cpio(&[release])), ("a.deb", &deb("data.tar", &tar(&[release])))]);
    assert_eq!(brought, "");
    let packed = told(&[("root.tar", &tar(&[release]))]);
    assert_eq!(packed, "flaw system-unlisted root.tar!/etc/os-release\n");
    let report = run(tree(&[release]).path(), &Options::default());
    assert_eq!(
        report.gaps.iter().map(|(gap, _)| gap.as_str()).collect::<Vec<_>>(),
        ["system-without-packages"]
    );
    assert!(!report.sbom.is_complete());
}

/// Goal: systems without a package manager are known by the lists that they keep. Method: the list
/// of Azure Linux, which says all that a question needs; and that of Chisel, which does not say
/// from what its packages were built, so that no question about others is answered by it.
#[test]
fn lists_of_systems_without_a_package_manager_are_read() {
    let told = |files: &[(&str, &[u8])]| text(&run(tree(files).path(), &Options::default()));
    let fields = "glibc\t2.38-8.azl3\t1\t1\tMicrosoft Corporation\t(none)\t1\tx86_64\t0\t";
    let manifest = format!("{fields}glibc-2.38-8.azl3.src.rpm\n");
    let got = told(&[
        ("etc/os-release", b"ID=azurelinux\nVERSION_ID=3.0\n"),
        ("var/lib/rpmmanifest/container-manifest-2", manifest.as_bytes()),
    ]);
    let known = "pkg:rpm/azurelinux/glibc@2.38-8.azl3?arch=x86_64&distro=azurelinux-3.0&\
                 upstream=glibc-2.38-8.azl3.src.rpm in var/lib/rpmmanifest/container-manifest-2\n";
    assert_eq!(got, known);
    let wall = "{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":2}\n\
        {\"kind\":\"package\",\"name\":\"libc6\",\"version\":\"2.35\",\"arch\":\"amd64\"}\n";
    let got = told(&[
        ("etc/os-release", b"ID=ubuntu\nVERSION_ID=22.04\n"),
        ("var/lib/chisel/manifest.wall", &zst(wall.as_bytes())),
    ]);
    let known = "pkg:deb/ubuntu/libc6@2.35?arch=amd64&distro=ubuntu-22.04 in \
                 var/lib/chisel/manifest.wall!/manifest.wall\n";
    assert_eq!(got, format!("{known}flaw system-unlisted etc/os-release\n"));
}

#[test]
fn what_is_declared_is_not_installed() {
    let folder = tree(&[
        (
            "package-lock.json",
            br#"{"packages":{"node_modules/x":{"version":"0.9.0"},
                "node_modules/y":{"version":"1.0.0"}}}"#,
        ),
        ("node_modules/x/package.json", br#"{"name":"x","version":"1.0.0"}"#),
    ]);
    let report = run(folder.path(), &Options::default());
    let scopes: Vec<_> = report.sbom.components.iter().map(|component| component.scope).collect();
    assert_eq!(scopes, [Scope::Superseded, Scope::Installed, Scope::Declared]);
}

/// npm's own copy answered for an application that is one bundled file: the site was clear.
#[test]
fn what_another_application_has_installed_does_not_answer_for_a_lock_file() {
    let lock = br#"{"packages":{"node_modules/tar":{"version":"6.1.0"}}}"#;
    let folder = tree(&[
        ("app/package-lock.json", lock),
        ("app/dist/main.js", b"run()"),
        (
            "usr/local/lib/node_modules/npm/node_modules/tar/package.json",
            br#"{"name":"tar","version":"7.4.3"}"#,
        ),
    ]);
    let report = run(folder.path(), &Options::default());
    let found = report.sbom.components.iter().map(|it| (it.purl.version.as_str(), it.scope));
    let wanted = [("6.1.0", Scope::Declared), ("7.4.3", Scope::Installed)];
    assert_eq!(found.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_root_may_be_one_file() {
    let zip = write(&[Member::stored(&pom_path("a"), &pom("a", "1"))]);
    let folder = tree(&[("app.jar", &zip), ("other.jar", &zip)]);
    let report = run(&folder.path().join("app.jar"), &Options::default());
    assert_eq!(text(&report), "pkg:maven/g/a@1 in app.jar\n");
    assert_eq!((report.files, report.archives), (1, 1));
    assert!(report.sbom.is_complete() && report.sbom.tool.starts_with("relight "));
}

/// Goal: reports do not depend on threads or on the order in which files were made.
/// Method: one seeded tree of a few hundred files, written twice in different orders, scanned on
/// 1, 2 and 8 threads; all reports are equal values.
#[test]
fn the_same_tree_gives_the_same_report() {
    let mut rng = Rng::new(5);
    let mut files = Vec::new();
    for number in 0..300 {
        let name = format!("{}/{}/{number}.jar", rng.below(5), rng.below(7));
        let mut zip = write(&[Member::deflated(&pom_path("a"), &pom("a", &number.to_string()))]);
        if rng.chance(30) {
            zip.truncate(rng.below(zip.len()));
        }
        files.push((name, zip));
    }
    let borrowed: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let mut reversed = borrowed.clone();
    reversed.reverse();
    let options =
        |threads| Options { threads: Some(threads), artifact_digest: true, ..Options::default() };
    let first = run(tree(&borrowed).path(), &options(1));
    assert!(first.sbom.components.len() > 150 && !first.sbom.flaws.is_empty());
    for threads in [1, 2, 8] {
        assert_eq!(run(tree(&reversed).path(), &options(threads)), first, "{threads} threads");
    }
}

#[test]
fn the_artifact_digest_names_paths_and_bytes() {
    let options = Options { artifact_digest: true, ..Options::default() };
    let digest = |files: &[(&str, &[u8])]| run(tree(files).path(), &options).sbom.artifact.unwrap();
    let base = digest(&[("a", b"1"), ("b", b"2")]);
    assert_eq!(base, digest(&[("b", b"2"), ("a", b"1")]));
    assert_ne!(base, digest(&[("a", b"1"), ("b", b"3")]));
    assert_ne!(base, digest(&[("a", b"1"), ("c", b"2")]));
    // One line: `a`, NUL, `1`, NUL, the digest of `1`, line feed.
    let alone = digest(&[("a", b"1")]).to_string();
    assert_eq!(alone, "96ab36bfabe9580406846e9e03342e5b873ba07fe6e7046321ab4a9af9eaed9c");
    assert_eq!(run(tree(&[("a", b"1")]).path(), &Options::default()).sbom.artifact, None);
}

#[test]
fn progress_ends_at_the_numbers_of_the_report() {
    let zip = write(&[Member::stored(&pom_path("a"), &pom("a", "1"))]);
    let folder = tree(&[("a.jar", &zip), ("b.jar", &zip[..zip.len() - 1]), ("c", b"c")]);
    let progress = Progress::default();
    let report = scan(folder.path(), &Options::default(), &progress).unwrap();
    assert_eq!(progress.files(), report.files);
    assert_eq!(progress.archives(), report.archives);
    assert_eq!(progress.deepest(), report.deepest);
    assert_eq!(progress.bytes_read(), report.bytes_read);
    assert_eq!(progress.flaws(), report.sbom.flaws.len() as u64);
    assert_eq!((report.files, report.archives, report.deepest), (3, 2, 1));
}
